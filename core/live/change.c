/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change as a line of JSON, and back. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

#include "core/live/change.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/rfc3339.h"
#include "core/util/utf8.h"

static const char *const names[MRG_CHANGE_MAX] = {
	[MRG_CHANGE_CREATE] = "create", [MRG_CHANGE_START] = "start", [MRG_CHANGE_DIE] = "die", [MRG_CHANGE_OOM] = "oom",
	[MRG_CHANGE_PAUSE] = "pause", [MRG_CHANGE_UNPAUSE] = "unpause", [MRG_CHANGE_RENAME] = "rename",
	[MRG_CHANGE_REMOVE] = "remove", [MRG_CHANGE_LOST] = "lost",
};

const char *mrg_change_name(int type)
{
	return type >= 0 && type < MRG_CHANGE_MAX ? names[type] : "unknown";
}

/* ---- out ------------------------------------------------------------------------------------ */

/* Engines may call containers what they like: bytes that are not UTF-8 are spelled out. */
static void add_text(struct buffer *b, const char *key, const char *text)
{
	_cleanup_(buffer_deinit) struct buffer clean = { 0 };

	for (size_t n, left = strlen(text); left > 0; text += n, left -= n) {
		n = utf8_sequence(text, left);
		if (n > 0)
			buffer_add(&clean, text, n);
		else
			buffer_addf(&clean, "\\x%02x", (unsigned char)text[0]);
		n = n ? n : 1;
	}
	buffer_addf(b, ",\"%s\":", key);
	b->failed |= clean.failed || json_quote(b, clean.text ? clean.text : "") < 0;
}

static void add_exit(struct buffer *b, const struct mrg_change *change)
{
	char number[16];
	const char *word = change->has_exit && WIFSIGNALED(change->exit_status) ? signal_name(WTERMSIG(change->exit_status), number) : NULL;

	if (change->has_exit && WIFEXITED(change->exit_status))
		buffer_addf(b, ",\"code\":%d,\"signal\":null", WEXITSTATUS(change->exit_status));
	else if (word)
		buffer_addf(b, ",\"code\":null,\"signal\":\"%s\"", strncmp(word, "SIG", 3) == 0 ? word + 3 : word);
	else
		buffer_addf(b, ",\"code\":null,\"signal\":null");
	buffer_addf(b, ",\"oomKilled\":%s", change->oom_killed ? "true" : "false");
}

void change_emit(struct buffer *b, const struct mrg_change *change)
{
	char time[RFC3339_LENGTH + 1];

	rfc3339_format(change->time, time);
	buffer_addf(b, "{\"schema\":\"moorage/event/v1\",\"time\":\"%s\",\"type\":\"%s\"", time, mrg_change_name(change->type));
	if (change->type != MRG_CHANGE_LOST) {
		add_text(b, "backend", change->backend);
		add_text(b, "name", change->name);
		if (change->id)
			add_text(b, "id", change->id);
		else
			buffer_addf(b, ",\"id\":null");
	}
	if (change->type == MRG_CHANGE_RENAME)
		add_text(b, "oldName", change->old_name ? change->old_name : "");
	if (change->type == MRG_CHANGE_START && change->pid > 0)
		buffer_addf(b, ",\"pid\":%d", (int)change->pid);
	else if (change->type == MRG_CHANGE_START)
		buffer_addf(b, ",\"pid\":null");
	if (change->type == MRG_CHANGE_DIE)
		add_exit(b, change);
	buffer_addf(b, "}");
}

int mrg_change_emit(const struct mrg_change *change, char **ret, struct mrg_error *err)
{
	struct buffer b = { 0 };

	change_emit(&b, change);
	if (b.failed) {
		buffer_deinit(&b);
		return fail_memory(err);
	}
	*ret = b.text;
	return 0;
}

/* ---- in ------------------------------------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return member && member->type == JSON_STRING ? member->text : NULL;
}

static int type_of(const char *name)
{
	for (int type = 0; name && type < MRG_CHANGE_MAX; type++)
		if (strcmp(names[type], name) == 0)
			return type;
	return -EPROTO;
}

/* 0 where there is none. */
static int number_of(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);
	uint64_t number;
	bool negative;

	if (!member || member->type != JSON_NUMBER || json_integer(member, &negative, &number) < 0 || negative || number > INT_MAX)
		return 0;
	return (int)number;
}

static void read_exit(const struct json *object, struct mrg_change *ret)
{
	const struct json *code = json_member(object, "code"), *oom = json_member(object, "oomKilled");
	const char *word = text_of(object, "signal");
	int signo = word ? parse_signal(word) : -1;

	ret->oom_killed = oom && oom->type == JSON_BOOLEAN && oom->boolean;
	ret->has_exit = signo > 0 || (code && code->type == JSON_NUMBER);
	ret->exit_status = signo > 0 ? signo : W_EXITCODE(number_of(object, "code") & 0xff, 0);
}

int change_parse(const char *line, size_t length, struct mrg_change *ret, struct json **ret_json)
{
	const char *time;

	*ret_json = NULL;
	if (json_parse(line, length, ret_json, NULL) < 0 || (*ret_json)->type != JSON_OBJECT)
		return -EPROTO;
	time = text_of(*ret_json, "time");
	*ret = (struct mrg_change){
		.type = type_of(text_of(*ret_json, "type")), .backend = text_of(*ret_json, "backend"), .name = text_of(*ret_json, "name"),
		.id = text_of(*ret_json, "id"), .old_name = text_of(*ret_json, "oldName"), .pid = number_of(*ret_json, "pid"),
	};
	if (ret->type < 0 || ret->type == MRG_CHANGE_LOST || !ret->backend || !ret->name || (ret->type == MRG_CHANGE_RENAME && !ret->old_name) ||
	    !time || rfc3339_parse(time, strlen(time), &ret->time) < 0)
		return -EPROTO;
	read_exit(*ret_json, ret);
	return 0;
}
