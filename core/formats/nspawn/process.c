/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the process of a container of systemd-nspawn: what starts, its environment, user, signals. */

#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- what starts ------------------------------------------------------------ */

/* Boot= and ProcessTwo= exclude each other; "no" of either is a plain command. */
static int read_start(struct key_reader *in, enum nspawn_start on, const char *value)
{
	struct nspawn_reader *reader = nspawn_of(in);
	bool yes;

	if (parse_bool(value, &yes) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	if (yes && reader->start > START_PID1 && reader->start != on)
		return key_fail(in, "a container boots or gets a stub init, not both");
	if (yes)
		reader->start = on;
	else if (reader->start == on)
		return key_fail(in, "is said twice, yes and no");
	else if (reader->start == START_UNSET)
		reader->start = START_PID1;
	return MRG_CARRIED;
}

KEY_READER(nspawn_read_boot)
{
	(void)key;
	return read_start(in, START_BOOT, value);
}

KEY_READER(nspawn_read_pid2)
{
	(void)key;
	return read_start(in, START_PID2, value);
}

KEY_READER(nspawn_read_parameters)
{
	struct nspawn_reader *reader = nspawn_of(in);
	_cleanup_(strv_freep) char **words = NULL;
	int r = 0;

	(void)key;
	if (!*value) {
		reader->parameters = NULL;
		return MRG_CARRIED;
	}
	r = nspawn_words(in, value, &words);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = spec_strv_append(in->spec, &reader->parameters, words[i]);
	return r == -ENOMEM ? key_no_memory(in) : r < 0 ? r : MRG_CARRIED;
}

/* Init's arguments stand behind its name; nspawn looks for it itself. */
static int finish_start(struct key_reader *in)
{
	struct nspawn_reader *reader = nspawn_of(in);
	int r = 0;

	if (reader->start == START_BOOT)
		r = mrg_spec_set(in->spec, MRG_FIELD_BOOT, "yes", in->err);
	else
		r = mrg_spec_set(in->spec, MRG_FIELD_INIT, reader->start == START_PID2 ? "yes" : "no", in->err);
	if (r == 0 && reader->start == START_BOOT && reader->parameters)
		r = mrg_spec_set(in->spec, MRG_FIELD_ARGS, "/sbin/init", in->err);
	for (char **word = reader->parameters; word && *word && r == 0; word++)
		r = mrg_spec_set(in->spec, MRG_FIELD_ARGS, *word, in->err);
	return r;
}

/* Where nspawn looks for the init of the root, in this order. */
static bool is_found(const char *init)
{
	static const char *const inits[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init" };

	for (size_t i = 0; i < ARRAY_SIZE(inits); i++)
		if (strcmp(inits[i], init) == 0)
			return true;
	return false;
}

static void write_lines(struct key_writer *out, const char *mode, char *const *words)
{
	struct buffer b = { 0 };
	bool whole;

	for (size_t i = 0; words && words[i]; i++) {
		buffer_addf(&b, "%s", i ? " " : "");
		nspawn_quote(&b, words[i]);
	}
	whole = !b.failed && (!b.text || unit_is_plain(b.text));
	if (whole) {
		buffer_addf(&out->b, "%s\n", mode);
		if (b.text)
			key_line(out, "Parameters", b.text);
	} else {
		/* A newline cannot be said in the file. What stands on the command line hides what starts according to the file. */
		if (strcmp(mode, "Boot=no") != 0)
			nspawn_add_option(out, strcmp(mode, "Boot=yes") == 0 ? "--boot" : "--as-pid2", NULL);
		for (size_t i = 0; words[i]; i++)
			if (strv_append(&nspawn_writer_of(out)->command, words[i]) < 0)
				out->b.failed = true;
	}
	out->b.failed |= b.failed;
	buffer_deinit(&b);
}

KEY_WRITER(nspawn_write_start)
{
	const struct mrg_spec *spec = out->spec;
	char *const *args = spec->args;
	bool boots = spec->boot && (!args || is_found(args[0]));

	(void)key;
	write_lines(out, boots ? "Boot=yes" : spec->init ? "ProcessTwo=yes" : "Boot=no", boots && args ? args + 1 : args);
	if (key_has(out, MRG_FIELD_BOOT))
		key_report(out, MRG_FIELD_BOOT, boots == (spec->boot != 0) ? MRG_CARRIED : MRG_APPROXIMATED, "Boot",
			   "an init elsewhere than nspawn looks for it is started as a command");
	if (key_has(out, MRG_FIELD_INIT))
		key_report(out, MRG_FIELD_INIT, MRG_CARRIED, "ProcessTwo", NULL);
	if (key_has(out, MRG_FIELD_ARGS))
		key_report(out, MRG_FIELD_ARGS, boots ? MRG_APPROXIMATED : MRG_CARRIED, "Parameters",
			   "nspawn looks for the init itself, systemd first");
}

/* ---- environment ------------------------------------------------------------ */

/* What nspawn gives every command; for other users than root it looks the rest up. */
static const struct {
	const char *variable;
	bool root;
} variables[] = {
	{ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", false },
	{ "HOME=/root", true }, { "USER=root", true }, { "LOGNAME=root", true },
};

static char **find_variable(char **env, const char *assignment)
{
	size_t length = strcspn(assignment, "=") + 1;

	while (env && *env && strncmp(*env, assignment, length) != 0)
		env++;
	return env && *env ? env : NULL;
}

static bool is_given(const struct mrg_spec *spec, const char *assignment)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (strcmp(variables[i].variable, assignment) == 0)
			return !variables[i].root || nspawn_is_root(spec);
	return false;
}

/* A later value of a variable replaces an earlier one, where that stood. */
static int set_variable(struct key_reader *in, const char *assignment)
{
	char **found = find_variable(in->spec->env, assignment);

	if (!found)
		return key_set(in, MRG_FIELD_ENV, assignment);
	*found = mrg_spec_strdup(in->spec, assignment);
	return *found ? 0 : key_no_memory(in);
}

KEY_READER(nspawn_read_environment)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	(void)key;
	if (!*value) {
		key_reset(in, MRG_FIELD_ENV);
		return MRG_CARRIED;
	}
	r = nspawn_words(in, value, &words);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		if (!strchr(words[i], '=') || words[i][0] == '=')
			r = key_fail(in, "must be NAME=VALUE words, not '%.40s'", words[i]);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = set_variable(in, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

static int finish_environment(struct key_reader *in)
{
	char **own = in->spec->env;
	int r = 0;

	in->spec->env = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(variables) && r == 0; i++)
		if (!find_variable(own, variables[i].variable) && is_given(in->spec, variables[i].variable))
			r = mrg_spec_set(in->spec, MRG_FIELD_ENV, variables[i].variable, in->err);
	for (char **variable = own; variable && *variable && r == 0; variable++)
		r = mrg_spec_set(in->spec, MRG_FIELD_ENV, *variable, in->err);
	return r;
}

KEY_WRITER(nspawn_write_environment)
{
	struct nspawn_settings settings = { 0 };

	for (size_t i = 0; out->spec->env && out->spec->env[i]; i++) {
		const char *variable = out->spec->env[i];
		struct buffer quoted = { 0 };

		if (is_given(out->spec, variable))
			continue;
		nspawn_quote(&quoted, variable);
		out->b.failed |= quoted.failed;
		nspawn_settings_add(out, &settings, &(struct nspawn_setting){ key->name, "--setenv", quoted.text, strdup(variable) });
	}
	nspawn_settings_write(out, &settings);
	if (key_has(out, MRG_FIELD_ENV))
		key_report(out, MRG_FIELD_ENV, MRG_CARRIED, key->name, NULL);
}

/* ---- user and directory ------------------------------------------------------ */

KEY_READER(nspawn_read_user)
{
	if (strchr(value, ':'))
		return key_fail(in, "must be the name of a user, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

/* nspawn looks names, and numbers too, up in the root: ids that are not there cannot be had, nor a group of one's choice. */
KEY_WRITER(nspawn_write_user)
{
	const struct mrg_spec *spec = out->spec;
	_cleanup_free_ char *name = NULL;
	bool root = nspawn_is_root(spec) && spec->gid == 0, group = spec->user && strchr(spec->user, ':');
	char number[16];

	if (spec->user) {
		name = strndup(spec->user, strcspn(spec->user, ":"));
		if (!name || !key_line(out, key->name, name))
			return;
	} else if (!root) {
		snprintf(number, sizeof(number), "%" PRIu32, spec->uid);
		key_line(out, key->name, number);
	}
	if (key_has(out, MRG_FIELD_USER))
		key_report(out, MRG_FIELD_USER, group ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
			   "the group is the one the user has in the root");
	if (key_has(out, MRG_FIELD_UID))
		key_report(out, MRG_FIELD_UID, root ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
			   "looked up in the root, where a user must have it");
	if (key_has(out, MRG_FIELD_GID))
		key_report(out, MRG_FIELD_GID, root ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
			   "the group is the one the user has in the root");
}

KEY_READER(nspawn_read_cwd)
{
	if (*value && !path_is_clean(value))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

KEY_WRITER(nspawn_write_cwd)
{
	if (!key_has(out, MRG_FIELD_CWD))
		return;
	if (!key_line(out, key->name, out->spec->cwd))
		nspawn_add_option(out, "--chdir", out->spec->cwd);
	key_report(out, MRG_FIELD_CWD, MRG_CARRIED, key->name, NULL);
}

/* ---- signals, limits, personality -------------------------------------------- */

KEY_READER(nspawn_read_signal)
{
	if (parse_signal(value) < 0)
		return key_fail(in, "must be a signal, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

/* When nothing is said: an orderly end where a system boots, else the hard one. */
static int finish_signal(struct key_reader *in)
{
	if (mrg_fields_has(&in->spec->set, MRG_FIELD_STOP_SIGNAL))
		return 0;
	return mrg_spec_set(in->spec, MRG_FIELD_STOP_SIGNAL, in->spec->boot ? "SIGRTMIN+3" : "SIGKILL", in->err);
}

/* systemd's names of the architectures that run here: the native one, and that of 32-bit programs beside it. */
#if defined(__x86_64__)
static const char *const personalities[] = { "x86-64", "x86" };
#elif defined(__aarch64__)
static const char *const personalities[] = { "arm64", "arm" };
#else
static const char *const personalities[] = { "", "" };
#endif
static const char *const domains[] = { "{\"domain\":\"LINUX\"}", "{\"domain\":\"LINUX32\"}" };

KEY_READER(nspawn_read_personality)
{
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		if (*value && strcmp(value, personalities[i]) == 0)
			return key_set(in, MRG_FIELD_PERSONALITY, domains[i]) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	return key_lost(in, key, "no architecture that runs here is called so");
}

KEY_WRITER(nspawn_write_personality)
{
	for (size_t i = 0; key_has(out, MRG_FIELD_PERSONALITY) && i < ARRAY_SIZE(domains); i++)
		if (*personalities[i] && strcmp(out->spec->personality_json, domains[i]) == 0) {
			key_line(out, key->name, personalities[i]);
			key_report(out, MRG_FIELD_PERSONALITY, MRG_CARRIED, key->name, NULL);
		}
}

/* ---- what a spec has nothing for --------------------------------------------- */

KEY_READER(nspawn_read_switch)
{
	bool on = true;

	(void)parse_bool(value, &on);
	return !*value || strcmp(value, "off") == 0 || !on ? MRG_CARRIED : key_lost(in, key, NULL);
}

/* nspawn's own choice would write to the root. */
KEY_WRITER(nspawn_write_switch)
{
	if (!nspawn_has_native(out, "Exec", key->name))
		key_line(out, key->name, "off");
}

int nspawn_finish_process(struct key_reader *in)
{
	int r = finish_start(in);

	if (r == 0)
		r = finish_signal(in);
	return r < 0 ? r : finish_environment(in);
}

/* umask 022 is what nspawn sets. */
void nspawn_report_fixed(struct key_writer *out)
{
	static const enum mrg_field namespaces[] = { MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC,
						     MRG_FIELD_NS_CGROUP };

	if (key_has(out, MRG_FIELD_UMASK) && out->spec->umask == 022)
		key_report(out, MRG_FIELD_UMASK, MRG_CARRIED, "systemd-nspawn", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		const char *path = *(const char *const *)member_at_const(&spec_fields[namespaces[i]].value, out->spec);

		if (key_has(out, namespaces[i]) && (!path || !*path))
			key_report(out, namespaces[i], path ? MRG_CARRIED : MRG_APPROXIMATED, "systemd-nspawn",
				   "nspawn always makes one of its own");
	}
}

/* ---- the command line and the unit --------------------------------------------- */

/* What nspawn takes for the name of a machine or host. */
static bool is_host_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= 64 && isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[length - 1]) &&
	       !strstr(name, "..") && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0';
}

KEY_READER(nspawn_read_hostname)
{
	if (*value && !is_host_name(value))
		return key_fail(in, "must be a host name of letters, digits, '-' and '.', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

/* "%i" is the name of the unit's instance. */
KEY_READER(nspawn_read_machine)
{
	struct nspawn_reader *reader = nspawn_of(in);
	const char *note;

	if (strcmp(value, "%i") == 0 || strcmp(value, "%I") == 0)
		return MRG_CARRIED;
	note = key_undo(in, value);
	if (note)
		return key_lost(in, key, note);
	if (*value && !is_host_name(value))
		return key_fail(in, "must be a host name of letters, digits, '-' and '.', not '%.80s'", value);
	reader->machine = *value ? mrg_spec_strdup(in->spec, value) : NULL;
	if (*value && !reader->machine)
		return key_no_memory(in);
	return *value ? key->verdict : MRG_CARRIED;
}

KEY_READER(nspawn_read_run)
{
	(void)in;
	(void)key;
	(void)value;
	return MRG_CARRIED;
}

KEY_READER(nspawn_read_exec_start)
{
	return nspawn_read_run(in, key, value);
}

KEY_READER(nspawn_read_console)
{
	bool pipe = strcmp(key->name, "--pipe") == 0 || strcmp(value, "pipe") == 0;

	if (!pipe && strcmp(value, "interactive") != 0)
		return key_lost(in, key, "standard input is a terminal or a pipe");
	if (key_set(in, MRG_FIELD_TERMINAL, pipe ? "no" : "yes") < 0 || (pipe && key_set(in, MRG_FIELD_STDIN, "yes") < 0))
		return -MRG_E_INVALID;
	return MRG_CARRIED;
}

KEY_WRITER(nspawn_write_console)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_TERMINAL) && !key_has(out, MRG_FIELD_STDIN))
		return;
	nspawn_add_option(out, key->name, spec->terminal ? "interactive" : "pipe");
	if (key_has(out, MRG_FIELD_TERMINAL))
		key_report(out, MRG_FIELD_TERMINAL, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_STDIN))
		key_report(out, MRG_FIELD_STDIN, MRG_CARRIED, key->name, NULL);
}

/* A field that is a text. */
KEY_WRITER(nspawn_write_option)
{
	const char *text = *(const char *const *)member_at_const(&spec_fields[key->field].value, out->spec);

	if (!key_has(out, (unsigned int)key->field))
		return;
	nspawn_add_option(out, key->name, text);
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

KEY_WRITER(nspawn_write_wanted)
{
	if (!key_has(out, MRG_FIELD_AUTOSTART))
		return;
	if (out->spec->autostart)
		key_line(out, key->name, "machines.target");
	key_report(out, MRG_FIELD_AUTOSTART, out->spec->autostart ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
		   "the unit must be enabled too: machinectl enable");
}
