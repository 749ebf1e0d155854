/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the process: command, environment, user, signals. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

static int no_memory(struct unit_reader *in)
{
	return mrg_error_set(in->err, -ENOMEM, "out of memory");
}

ROW_READER(read_simple)
{
	if (!*value) {
		unit_reset(in, (unsigned int)key->field);
		return MRG_CARRIED;
	}
	if (unit_unspecify(value) < 0)
		return unit_lost(in, key, "has a specifier that only systemd can expand");
	return unit_set(in, (enum mrg_field)key->field, value) < 0 ? -MRG_E_INVALID : key->verdict;
}

ROW_READER(read_native)
{
	(void)value;
	in->keep = true;
	return key->verdict;
}

ROW_WRITER(write_simple)
{
	const struct member *member = &spec_fields[key->field].value;
	const void *value = member_at_const(member, out->spec);
	char text[32];
	const char *line = text;

	if (!unit_has(out, (unsigned int)key->field))
		return;
	switch (member->type) {
	case VALUE_STRING:
		line = *(const char *const *)value;
		break;
	case VALUE_BOOL:
		line = *(const int *)value ? "yes" : "no";
		break;
	case VALUE_MODE:
		snprintf(text, sizeof(text), "0%03o", *(const unsigned int *)value);
		break;
	case VALUE_INT32:
		snprintf(text, sizeof(text), "%d", *(const int *)value);
		break;
	case VALUE_UINT32:
		snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)value);
		break;
	default:
		snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)value);
		break;
	}
	if (unit_line(out, key->name, line))
		unit_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

/* Undoes "$$"; false when a variable is left. */
static bool undo_dollars(char *text)
{
	bool plain = true;
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '$' && from[1] == '$')
			from++;
		else if (*from == '$')
			plain = false;
		*to++ = *from;
	}
	*to = '\0';
	return plain;
}

/* The characters in front of the path, systemd.service(5). */
static int exec_prefix(struct unit_reader *in, char **words, int verdict)
{
	size_t n = strspn(words[0], "@-:+!|");

	if (n == 0)
		return verdict;
	if (memchr(words[0], '@', n)) {
		if (!words[1])
			return unit_fail(in, "'@' needs a second word, the name to run under");
		free(words[1]);
		for (char **word = &words[1]; *word; word++)
			*word = word[1];
	}
	memmove(words[0], words[0] + n, strlen(words[0] + n) + 1);
	in->note = "characters in front of the path are not kept";
	return MRG_APPROXIMATED;
}

ROW_READER(read_exec)
{
	_cleanup_(strv_freep) char **words = NULL;
	int verdict = MRG_CARRIED, r;

	if (!*value) {
		unit_reset(in, MRG_FIELD_ARGS);
		return MRG_CARRIED;
	}
	if (in->spec->args)
		return unit_lost(in, key, "a container has one command: the first");
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : unit_lost(in, key, NULL);
	if (strv_contains(words, ";"))
		return unit_lost(in, key, "a container has one command, this is a list");
	for (size_t i = 0; words[i]; i++)
		if (!undo_dollars(words[i])) {
			in->note = "variables in the command are not expanded";
			verdict = MRG_APPROXIMATED;
		}
	verdict = exec_prefix(in, words, verdict);
	if (verdict >= 0 && !*words[0])
		verdict = unit_fail(in, "has no command");
	for (size_t i = 0; words[i] && verdict >= 0; i++)
		if (unit_set(in, MRG_FIELD_ARGS, words[i]) < 0)
			verdict = -MRG_E_INVALID;
	return verdict;
}

ROW_WRITER(write_exec)
{
	char *const *args = out->spec->args;

	/* A prefix cannot be quoted away. */
	if (!unit_has(out, MRG_FIELD_ARGS) || !args || !*args[0] || strchr("@-:+!|", args[0][0]))
		return;
	unit_key(out, key->name);
	for (size_t i = 0; args[i]; i++) {
		buffer_addf(&out->b, "%s", i ? " " : "");
		unit_quote(&out->b, args[i], true);
	}
	buffer_addf(&out->b, "\n");
	unit_report(out, MRG_FIELD_ARGS, MRG_CARRIED, key->name, NULL);
}

/* A later value of a variable replaces an earlier one, where that stood. */
static int set_variable(struct unit_reader *in, const char *assignment)
{
	size_t length = strcspn(assignment, "=") + 1;

	for (char **env = in->spec->env; env && *env; env++)
		if (strncmp(*env, assignment, length) == 0) {
			*env = mrg_spec_strdup(in->spec, assignment);
			return *env ? 0 : no_memory(in);
		}
	return unit_set(in, MRG_FIELD_ENV, assignment);
}

ROW_READER(read_environment)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	if (!*value) {
		unit_reset(in, MRG_FIELD_ENV);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : unit_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++)
		if (!strchr(words[i], '=') || words[i][0] == '=')
			return unit_fail(in, "must be NAME=VALUE words, not '%.40s'", words[i]);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = set_variable(in, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

ROW_WRITER(write_environment)
{
	for (size_t i = 0; out->spec->env && out->spec->env[i]; i++) {
		unit_key(out, key->name);
		unit_quote(&out->b, out->spec->env[i], false);
		buffer_addf(&out->b, "\n");
	}
	if (unit_has(out, MRG_FIELD_ENV))
		unit_report(out, MRG_FIELD_ENV, MRG_CARRIED, key->name, NULL);
}

static int keep_name(struct unit_reader *in, const struct key *key, char *value, char **target)
{
	if (unit_unspecify(value) < 0)
		return unit_lost(in, key, "has a specifier that only systemd can expand");
	if (strchr(value, ':'))
		return unit_fail(in, "must be a name or a number, not '%.40s'", value);
	*target = *value ? mrg_spec_strdup(in->spec, value) : NULL;
	return *value && !*target ? no_memory(in) : MRG_CARRIED;
}

ROW_READER(read_user)
{
	return keep_name(in, key, value, &in->user);
}

ROW_READER(read_group)
{
	return keep_name(in, key, value, &in->group);
}

/* Numbers stay numbers; a name, or a user whose group is not said, is looked up in the root at start. */
int unit_finish_user(struct unit_reader *in)
{
	const char *user = in->user ? in->user : "0";
	struct buffer b = { 0 };
	uint32_t uid, gid;
	int r;

	if (!in->user && !in->group)
		return 0;
	if (in->group && parse_uint32(user, &uid) == 0 && parse_uint32(in->group, &gid) == 0) {
		r = mrg_spec_set(in->spec, MRG_FIELD_UID, user, in->err);
		return r < 0 ? r : mrg_spec_set(in->spec, MRG_FIELD_GID, in->group, in->err);
	}
	buffer_addf(&b, "%s%s%s", user, in->group ? ":" : "", in->group ? in->group : "");
	r = b.failed ? no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_USER, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

/* The part of moorage.user before or behind the colon. */
static bool write_name(struct unit_writer *out, const char *name, const char *text, size_t length)
{
	_cleanup_free_ char *part = strndup(text, length);

	return part && unit_line(out, name, part);
}

ROW_WRITER(write_user)
{
	const char *user = out->spec->user;

	if (unit_has(out, MRG_FIELD_UID)) {
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->uid);
		unit_report(out, MRG_FIELD_UID, MRG_CARRIED, key->name, NULL);
	} else if (user && write_name(out, key->name, user, strcspn(user, ":"))) {
		unit_report(out, MRG_FIELD_USER, MRG_CARRIED, key->name, NULL);
	}
}

ROW_WRITER(write_group)
{
	const char *user = out->spec->user, *colon = user ? strchr(user, ':') : NULL;

	if (unit_has(out, MRG_FIELD_GID) || (unit_has(out, MRG_FIELD_UID) && !user)) {
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->gid);
		if (unit_has(out, MRG_FIELD_GID))
			unit_report(out, MRG_FIELD_GID, MRG_CARRIED, key->name, NULL);
	} else if (colon && mrg_fields_has(&out->reported, MRG_FIELD_USER)) {
		write_name(out, key->name, colon + 1, strlen(colon + 1));
	}
}

ROW_READER(read_groups)
{
	_cleanup_(strv_freep) char **words = NULL;
	uint32_t gid;
	int r;

	if (!*value) {
		unit_reset(in, MRG_FIELD_ADDITIONAL_GIDS);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : unit_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++)
		if (parse_uint32(words[i], &gid) < 0)
			return unit_lost(in, key, "names of groups are not looked up: give numbers");
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = unit_set(in, MRG_FIELD_ADDITIONAL_GIDS, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

ROW_WRITER(write_groups)
{
	if (!unit_has(out, MRG_FIELD_ADDITIONAL_GIDS))
		return;
	unit_key(out, key->name);
	for (size_t i = 0; i < out->spec->additional_gids.n; i++)
		buffer_addf(&out->b, "%s%" PRIu32, i ? " " : "", out->spec->additional_gids.item[i]);
	buffer_addf(&out->b, "\n");
	unit_report(out, MRG_FIELD_ADDITIONAL_GIDS, MRG_CARRIED, key->name, NULL);
}

ROW_READER(read_cwd)
{
	bool missing_ok = value[0] == '-';
	int verdict;

	if (value[0] == '~')
		return unit_lost(in, key, "the home directory of the user is not looked up");
	if (*value && !path_is_clean(value + missing_ok))
		return unit_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	verdict = read_simple(in, key, value + missing_ok);
	if (!missing_ok || verdict != MRG_CARRIED)
		return verdict;
	in->note = "the directory must exist";
	return MRG_APPROXIMATED;
}

ROW_READER(read_restart)
{
	if (*value && strcmp(value, "no") != 0 && strcmp(value, "always") != 0 && strcmp(value, "on-failure") != 0)
		return unit_lost(in, key, "a container restarts always, on failure or not at all");
	return read_simple(in, key, value);
}

ROW_WRITER(write_restart)
{
	if (!unit_has(out, MRG_FIELD_RESTART))
		return;
	if (strcmp(out->spec->restart, "unless-stopped") != 0) {
		write_simple(out, key);
		return;
	}
	unit_line(out, key->name, "always");
	unit_report(out, MRG_FIELD_RESTART, MRG_APPROXIMATED, key->name, "after a reboot it starts if it is enabled");
}

ROW_READER(read_signal)
{
	if (*value && parse_signal(value) < 0)
		return unit_fail(in, "must be a signal, not '%.40s'", value);
	return read_simple(in, key, value);
}

ROW_WRITER(write_signal)
{
	int signo = unit_has(out, MRG_FIELD_STOP_SIGNAL) ? parse_signal(out->spec->stop_signal) : -1;

	if (signo < 0)
		return;
	write_simple(out, key);
}

ROW_READER(read_timeout)
{
	int64_t ms;
	char text[32];

	if (strcmp(value, "infinity") == 0)
		return unit_lost(in, key, "a stop does not wait for ever");
	if (!*value)
		return read_simple(in, key, value);
	if (parse_duration_ms(value, &ms) < 0 || ms / 1000 > UINT32_MAX)
		return unit_fail(in, "must be a time such as 90s, not '%.40s'", value);
	snprintf(text, sizeof(text), "%" PRId64, (ms + 999) / 1000);
	if (unit_set(in, (enum mrg_field)key->field, text) < 0)
		return -MRG_E_INVALID;
	in->note = "rounded up to seconds";
	return ms % 1000 ? MRG_APPROXIMATED : MRG_CARRIED;
}

ROW_READER(read_input)
{
	if (strcmp(value, "tty") == 0 || strcmp(value, "tty-force") == 0)
		return unit_set(in, MRG_FIELD_TERMINAL, "yes") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (*value && strcmp(value, "null") != 0)
		return unit_lost(in, key, "standard input is a terminal, a pipe or nothing");
	unit_reset(in, MRG_FIELD_TERMINAL);
	return MRG_CARRIED;
}

ROW_WRITER(write_input)
{
	if (!unit_has(out, MRG_FIELD_TERMINAL))
		return;
	if (out->spec->terminal)
		buffer_addf(&out->b, "%s=tty\n", key->name);
	unit_report(out, MRG_FIELD_TERMINAL, MRG_CARRIED, key->name, NULL);
}

ROW_READER(read_wanted)
{
	bool usual = strcmp(value, "multi-user.target") == 0 || strcmp(value, "default.target") == 0;

	if (!*value) {
		unit_reset(in, MRG_FIELD_AUTOSTART);
		return MRG_CARRIED;
	}
	return unit_set(in, MRG_FIELD_AUTOSTART, "yes") < 0 ? -MRG_E_INVALID : usual ? MRG_CARRIED : key->verdict;
}
