/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the process: command, environment, user, signals. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

bool unit_undo_dollars(char *text)
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
static int exec_prefix(struct key_reader *in, char **words, int verdict)
{
	size_t n = strspn(words[0], "@-:+!|");

	if (n == 0)
		return verdict;
	if (memchr(words[0], '@', n)) {
		if (!words[1])
			return key_fail(in, "'@' needs a second word, the name to run under");
		free(words[1]);
		for (char **word = &words[1]; *word; word++)
			*word = word[1];
	}
	memmove(words[0], words[0] + n, strlen(words[0] + n) + 1);
	in->note = "characters in front of the path are not kept";
	return MRG_APPROXIMATED;
}

KEY_READER(read_exec)
{
	_cleanup_(strv_freep) char **words = NULL;
	int verdict = MRG_CARRIED, r;

	if (!*value) {
		key_reset(in, MRG_FIELD_ARGS);
		return MRG_CARRIED;
	}
	if (in->spec->args)
		return key_lost(in, key, "a container has one command: the first");
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	if (strv_contains(words, ";"))
		return key_lost(in, key, "a container has one command, this is a list");
	for (size_t i = 0; words[i]; i++)
		if (!unit_undo_dollars(words[i])) {
			in->note = "variables in the command are not expanded";
			verdict = MRG_APPROXIMATED;
		}
	verdict = exec_prefix(in, words, verdict);
	if (verdict >= 0 && !*words[0])
		verdict = key_fail(in, "has no command");
	for (size_t i = 0; words[i] && verdict >= 0; i++)
		if (key_set(in, MRG_FIELD_ARGS, words[i]) < 0)
			verdict = -MRG_E_INVALID;
	return verdict;
}

KEY_WRITER(write_exec)
{
	char *const *args = out->spec->args;

	/* A prefix cannot be quoted away. */
	if (!key_has(out, MRG_FIELD_ARGS) || !args || !*args[0] || strchr("@-:+!|", args[0][0]))
		return;
	buffer_addf(&out->b, "%s=", key->name);
	for (size_t i = 0; args[i]; i++) {
		buffer_addf(&out->b, "%s", i ? " " : "");
		unit_quote(&out->b, args[i], UNIT_COMMAND);
	}
	buffer_addf(&out->b, "\n");
	key_report(out, MRG_FIELD_ARGS, MRG_CARRIED, key->name, NULL);
}

/* A later value of a variable replaces an earlier one, where that stood. */
static int set_variable(struct key_reader *in, const char *assignment)
{
	size_t length = strcspn(assignment, "=") + 1;

	for (char **env = in->spec->env; env && *env; env++)
		if (strncmp(*env, assignment, length) == 0) {
			*env = mrg_spec_strdup(in->spec, assignment);
			return *env ? 0 : key_no_memory(in);
		}
	return key_set(in, MRG_FIELD_ENV, assignment);
}

KEY_READER(read_environment)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	if (!*value) {
		key_reset(in, MRG_FIELD_ENV);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++)
		if (!strchr(words[i], '=') || words[i][0] == '=')
			return key_fail(in, "must be NAME=VALUE words, not '%.40s'", words[i]);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = set_variable(in, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

KEY_WRITER(write_environment)
{
	for (size_t i = 0; out->spec->env && out->spec->env[i]; i++) {
		buffer_addf(&out->b, "%s=", key->name);
		unit_quote(&out->b, out->spec->env[i], UNIT_VALUE);
		buffer_addf(&out->b, "\n");
	}
	if (key_has(out, MRG_FIELD_ENV))
		key_report(out, MRG_FIELD_ENV, MRG_CARRIED, key->name, NULL);
}

static int keep_name(struct key_reader *in, const struct key *key, char *value, char **target)
{
	const char *note = key_undo(in, value);

	if (note)
		return key_lost(in, key, note);
	if (strchr(value, ':'))
		return key_fail(in, "must be a name or a number, not '%.40s'", value);
	*target = *value ? mrg_spec_strdup(in->spec, value) : NULL;
	return *value && !*target ? key_no_memory(in) : MRG_CARRIED;
}

KEY_READER(read_user)
{
	struct unit_reader *unit = unit_of(in);
	return keep_name(in, key, value, &unit->user);
}

KEY_READER(read_group)
{
	struct unit_reader *unit = unit_of(in);
	return keep_name(in, key, value, &unit->group);
}

/* Numbers stay numbers; a name, or a user whose group is not said, is looked up in the root at start. */
int unit_finish_user(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	const char *user = unit->user ? unit->user : "0";
	struct buffer b = { 0 };
	uint32_t uid, gid;
	int r;

	if (!unit->user && !unit->group)
		return 0;
	if (unit->group && parse_uint32(user, &uid) == 0 && parse_uint32(unit->group, &gid) == 0) {
		r = mrg_spec_set(in->spec, MRG_FIELD_UID, user, in->err);
		return r < 0 ? r : mrg_spec_set(in->spec, MRG_FIELD_GID, unit->group, in->err);
	}
	buffer_addf(&b, "%s%s%s", user, unit->group ? ":" : "", unit->group ? unit->group : "");
	r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_USER, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

void unit_name_users(struct key_reader *in, const struct assignments *list, const char *section)
{
	const bool number = mrg_fields_has(&in->spec->set, MRG_FIELD_UID);

	for (size_t i = 0; i < list->n; i++) {
		struct assignment *item = &list->item[i];

		if (item->verdict >= MRG_DROPPED || strcmp(item->section, section) != 0)
			continue;
		if (strcmp(item->key, "User") == 0)
			item->field = number ? MRG_FIELD_UID : MRG_FIELD_USER;
		else if (strcmp(item->key, "Group") == 0)
			item->field = number ? MRG_FIELD_GID : MRG_FIELD_USER;
	}
}

/* The part of moorage.user before or behind the colon. */
static bool write_name(struct key_writer *out, const char *name, const char *text, size_t length)
{
	_cleanup_free_ char *part = strndup(text, length);

	return part && key_line(out, name, part);
}

KEY_WRITER(write_user)
{
	const char *user = out->spec->user;

	if (key_has(out, MRG_FIELD_UID)) {
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->uid);
		key_report(out, MRG_FIELD_UID, MRG_CARRIED, key->name, NULL);
	} else if (user && write_name(out, key->name, user, strcspn(user, ":"))) {
		key_report(out, MRG_FIELD_USER, MRG_CARRIED, key->name, NULL);
	}
}

KEY_WRITER(write_group)
{
	const char *user = out->spec->user, *colon = user ? strchr(user, ':') : NULL;

	if (key_has(out, MRG_FIELD_GID) || (key_has(out, MRG_FIELD_UID) && !user)) {
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->gid);
		if (key_has(out, MRG_FIELD_GID))
			key_report(out, MRG_FIELD_GID, MRG_CARRIED, key->name, NULL);
	} else if (colon && mrg_fields_has(&out->reported, MRG_FIELD_USER)) {
		write_name(out, key->name, colon + 1, strlen(colon + 1));
	}
}

KEY_READER(read_groups)
{
	_cleanup_(strv_freep) char **words = NULL;
	uint32_t gid;
	int r;

	if (!*value) {
		key_reset(in, MRG_FIELD_ADDITIONAL_GIDS);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++)
		if (parse_uint32(words[i], &gid) < 0)
			return key_lost(in, key, "names of groups are not looked up: give numbers");
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = key_set(in, MRG_FIELD_ADDITIONAL_GIDS, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

KEY_WRITER(write_groups)
{
	if (!key_has(out, MRG_FIELD_ADDITIONAL_GIDS))
		return;
	buffer_addf(&out->b, "%s=", key->name);
	for (size_t i = 0; i < out->spec->additional_gids.n; i++)
		buffer_addf(&out->b, "%s%" PRIu32, i ? " " : "", out->spec->additional_gids.item[i]);
	buffer_addf(&out->b, "\n");
	key_report(out, MRG_FIELD_ADDITIONAL_GIDS, MRG_CARRIED, key->name, NULL);
}

KEY_READER(read_cwd)
{
	bool missing_ok = value[0] == '-';
	int verdict;

	if (value[0] == '~')
		return key_lost(in, key, "the home directory of the user is not looked up");
	if (*value && !path_is_clean(value + missing_ok))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	verdict = key_read_simple(in, key, value + missing_ok);
	if (!missing_ok || verdict != MRG_CARRIED)
		return verdict;
	in->note = "the directory must exist";
	return MRG_APPROXIMATED;
}

KEY_READER(read_restart)
{
	if (*value && strcmp(value, "no") != 0 && strcmp(value, "always") != 0 && strcmp(value, "on-failure") != 0)
		return key_lost(in, key, "a container restarts always, on failure or not at all");
	return key_read_simple(in, key, value);
}

KEY_WRITER(write_restart)
{
	if (!key_has(out, MRG_FIELD_RESTART))
		return;
	if (strcmp(out->spec->restart, "unless-stopped") != 0) {
		key_write_simple(out, key);
		return;
	}
	key_line(out, key->name, "always");
	key_report(out, MRG_FIELD_RESTART, MRG_APPROXIMATED, key->name, "after a reboot it starts if it is enabled");
}

KEY_READER(read_signal)
{
	if (*value && parse_signal(value) < 0)
		return key_fail(in, "must be a signal, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

KEY_WRITER(write_signal)
{
	int signo = key_has(out, MRG_FIELD_STOP_SIGNAL) ? parse_signal(out->spec->stop_signal) : -1;

	if (signo < 0)
		return;
	key_write_simple(out, key);
}

/* To systemd 0 is no limit, too; less than a millisecond is written for none at all. */
KEY_READER(read_timeout)
{
	uint64_t us;
	char text[32];

	if (!*value)
		return key_read_simple(in, key, value);
	if (strcmp(value, "infinity") != 0 && (unit_time(value, UNIT_SECOND, &us) < 0 || us / UNIT_SECOND >= UINT32_MAX))
		return key_fail(in, "must be a time such as '90s' or '1min 30s', not '%.40s'", value);
	if (strcmp(value, "infinity") == 0 || us == 0)
		return key_lost(in, key, "a stop does not wait for ever");
	us = us < 1000 ? 0 : us;
	snprintf(text, sizeof(text), "%" PRIu64, (us + UNIT_SECOND - 1) / UNIT_SECOND);
	if (key_set(in, (enum mrg_field)key->field, text) < 0)
		return -MRG_E_INVALID;
	in->note = "rounded up to seconds";
	return us % UNIT_SECOND ? MRG_APPROXIMATED : MRG_CARRIED;
}

KEY_WRITER(write_timeout)
{
	char text[32];

	if (!key_has(out, MRG_FIELD_STOP_TIMEOUT))
		return;
	snprintf(text, sizeof(text), "%" PRIu32, out->spec->stop_timeout);
	key_line(out, key->name, out->spec->stop_timeout ? text : "1us");
	key_report(out, MRG_FIELD_STOP_TIMEOUT, MRG_CARRIED, key->name, NULL);
}

KEY_READER(read_input)
{
	if (strcmp(value, "tty") == 0 || strcmp(value, "tty-force") == 0)
		return key_set(in, MRG_FIELD_TERMINAL, "yes") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (*value && strcmp(value, "null") != 0)
		return key_lost(in, key, "standard input is a terminal, a pipe or nothing");
	key_reset(in, MRG_FIELD_TERMINAL);
	return MRG_CARRIED;
}

KEY_WRITER(write_input)
{
	if (!key_has(out, MRG_FIELD_TERMINAL))
		return;
	if (out->spec->terminal)
		buffer_addf(&out->b, "%s=tty\n", key->name);
	key_report(out, MRG_FIELD_TERMINAL, MRG_CARRIED, key->name, NULL);
}

KEY_READER(read_wanted)
{
	static const char *const targets[] = { "multi-user.target", "default.target", "multi-user.target default.target", NULL };
	bool usual = strv_contains((char *const *)targets, value);

	if (!*value) {
		key_reset(in, MRG_FIELD_AUTOSTART);
		return MRG_CARRIED;
	}
	return key_set(in, MRG_FIELD_AUTOSTART, "yes") < 0 ? -MRG_E_INVALID : usual ? MRG_CARRIED : key->verdict;
}

KEY_WRITER(write_wanted)
{
	if (!key_has(out, MRG_FIELD_AUTOSTART))
		return;
	if (out->spec->autostart)
		key_line(out, key->name, "multi-user.target");
	key_report(out, MRG_FIELD_AUTOSTART, MRG_CARRIED, "WantedBy=", NULL);
}
