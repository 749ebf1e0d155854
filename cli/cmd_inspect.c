/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage inspect: everything known of containers, as JSON */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/str.h"

static void add_text(struct buffer *b, const char *key, const char *text)
{
	buffer_addf(b, ",\"%s\":", key);
	if (text)
		json_text(b, text, strlen(text));
	else
		buffer_addf(b, "null");
}

static void add_time(struct buffer *b, const char *key, int64_t time)
{
	char text[TEXT_SIZE];

	add_text(b, key, time ? text_time(text, time) : NULL);
}

static void add_status(struct buffer *b, const struct mrg_status *status)
{
	buffer_addf(b, ",\"status\":{\"state\":\"%s\",\"pid\":%d", state_name(status->state), (int)status->pid);
	add_time(b, "started", status->started);
	add_time(b, "finished", status->finished);
	if (status->has_exit)
		buffer_addf(b, ",\"exit\":%d,\"waitStatus\":%d", mrg_exit_code(status->exit_status), status->exit_status);
	else
		buffer_addf(b, ",\"exit\":null,\"waitStatus\":null");
	buffer_addf(b, ",\"oomKilled\":%s,\"monitorLost\":%s}", status->oom_killed ? "true" : "false",
		    status->monitor_lost ? "true" : "false");
}

static void add_boundary(struct buffer *b, struct cli *cli, struct mrg_container *c)
{
	struct mrg_backend_info info;
	const char *reason;
	int boundary;

	if (mrg_backend_info(cli->m, mrg_container_backend(c), &info, NULL) < 0 || !info.usable) {
		buffer_addf(b, ",\"securityBoundary\":null,\"boundaryReason\":null");
		return;
	}
	boundary = cli_boundary(&info, mrg_container_spec(c), &reason);
	buffer_addf(b, ",\"securityBoundary\":%s", boundary ? "true" : "false");
	add_text(b, "boundaryReason", *reason ? reason : NULL);
	add_text(b, "engine", info.probe.engine);
}

static int describe(struct cli *cli, struct mrg_container *c, struct buffer *b, struct mrg_error *err)
{
	_cleanup_free_ char *spec = NULL;
	struct mrg_status status;
	int r = mrg_container_load(c, err);

	if (r == 0)
		r = mrg_container_status(c, &status, err);
	if (r == 0)
		r = mrg_spec_emit(mrg_container_spec(c), 0, &spec, err);
	if (r < 0)
		return r;
	buffer_addf(b, "{\"schema\":\"moorage/inspect/v1\"");
	add_text(b, "name", mrg_container_name(c));
	add_text(b, "id", mrg_container_id(c));
	add_text(b, "backend", mrg_container_backend(c));
	add_time(b, "created", mrg_container_created(c));
	buffer_addf(b, ",\"transient\":%s,\"adopted\":%s", mrg_container_transient(c) ? "true" : "false",
		    mrg_container_adopted(c) ? "true" : "false");
	add_status(b, &status);
	add_boundary(b, cli, c);
	buffer_addf(b, ",\"spec\":%s}", spec);
	return 0;
}

static int add_one(struct cli *cli, const char *name, struct buffer *list, size_t *n, struct mrg_error *err)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	int r = cli_open(cli, name, &c, err);

	if (r == 0)
		r = describe(cli, c, &b, err);
	if (r == 0 && b.failed)
		r = mrg_error_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		buffer_addf(list, "%s%s", (*n)++ ? "," : "", b.text);
	return r;
}

/* The member of @object called so in any case, as Go templates write it. */
static const struct json *find_member(const struct json *object, const char *name, size_t length)
{
	if (object && object->type == JSON_OBJECT)
		for (const struct json *member = object->first; member; member = member->next)
			if (strlen(member->key) == length && strncasecmp(member->key, name, length) == 0)
				return member;
	return NULL;
}

/* ".status.exit"; what is below "status" is also found without it, as in a list. */
static int path_member(const void *data, const char *name, size_t length, bool json, struct buffer *b)
{
	const struct json *object = data, *at = object;

	for (const char *end = name + length; length && at && name < end;) {
		const char *dot = memchr(name, '.', (size_t)(end - name));
		size_t part = dot ? (size_t)(dot - name) : (size_t)(end - name);
		const struct json *next = find_member(at, name, part);

		at = next || at != object ? next : find_member(find_member(object, "status", 6), name, part);
		name += part + 1;
	}
	if (!at || (length == 0 && !json))
		return -EINVAL;
	if (at->type == JSON_STRING && !json)
		buffer_add(b, at->text, strlen(at->text));
	else if (at->type != JSON_NULL || json)
		buffer_add(b, at->begin, at->length);
	return 0;
}

/* One line for each container. */
static int print_template(struct cli *cli, const char *list, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	int r = json_parse(list, strlen(list), &json, err);

	for (const struct json *object = r == 0 ? json->first : NULL; object; object = object->next) {
		_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

		if (template_expand(cli->format, path_member, object, &b) < 0)
			return cli_usage(cli, "members are those of the JSON: '{{.Name}} {{.Status.Pid}} {{json .Spec.Process.Args}}'",
					 "cannot use template '%s'", cli->format);
		puts(b.text ? b.text : "");
	}
	return r < 0 ? cli_fail(cli, err) : 0;
}

static int print_all(struct cli *cli, const char *list)
{
	_cleanup_(buffer_deinit) struct buffer pretty = { .text = NULL };
	struct mrg_error err = { 0 };

	if (cli->output == FORMAT_TEMPLATE)
		return print_template(cli, list, &err);
	json_indent(&pretty, list, 2);
	if (pretty.failed)
		return cli_fail(cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
	puts(cli->output == FORMAT_JSONL ? list : pretty.text);
	return 0;
}

static int native_one(_unused_ struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = mrg_native(c, &text, err);

	if (r == 0)
		fputs(text, stdout);
	return r;
}

int cmd_inspect(struct cli *cli)
{
	_cleanup_(buffer_deinit) struct buffer list = { .text = NULL };
	struct mrg_error err = { 0 };
	size_t n = 0;
	int exit = 0, printed;

	/* virsh has but one text. */
	if (cli->native || strcmp(cli->typed, "dumpxml") == 0)
		return cli_each(cli, native_one);
	if (cli->format && !word_in("json jsonl", cli->format) && cli->output != FORMAT_TEMPLATE)
		return cli_usage(cli, "formats are json, jsonl and templates such as '{{.Status.Pid}}'",
				 "'inspect' has no format '%s'", cli->format);
	if (!cli_context(cli))
		return 1;
	buffer_addf(&list, "[");
	for (int i = 0; i < cli->n_operands; i++)
		if (add_one(cli, cli->operands[i], &list, &n, &err) < 0) {
			int failed = cli_fail(cli, &err);

			exit = exit ? exit : failed;
		}
	buffer_addf(&list, "]");
	if (list.failed)
		return cli_fail(cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
	printed = print_all(cli, list.text);
	return exit ? exit : printed;
}
