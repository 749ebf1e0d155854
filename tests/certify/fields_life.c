/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about how it is started and stopped, and what is remembered. */

#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

/* ---- the first process ----------------------------------------------------------------------------- */

static void the_roots_init_runs(struct trial *t)
{
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	if (t->kit->given_root)
		trial_skip(t, "the given root has an init of its own");
	mrg_spec_free(s.spec);
	s.spec = mrg_spec_new();
	scene_set(&s, MRG_FIELD_ROOT_PATH, "%s", t->kit->root);
	scene_set(&s, MRG_FIELD_BOOT, "yes");
	scene_run_until(&s, "init=1");
	if (mrg_stop(s.c, -1, 0, &s.err) != 0)
		trial_fail(t, "stop: %s", s.err.message);
	scene_await_end(&s);
	scene_expect(&s, "halt=%d", SIGRTMIN + 3);
	status = scene_status(&s);
	if (!status.has_exit || mrg_exit_code(status.exit_status) != 0)
		trial_fail(t, "it ended with %d", mrg_exit_code(status.exit_status));
}

static void moorage_init_is_first(struct trial *t)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_INIT, "yes");
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)scene_status(&s).pid);
	if (fd_read_virtual(AT_FDCWD, path, 64, &text, NULL) < 0 || strcmp(text, "moorage-init\n") != 0)
		trial_fail(t, "the first process is '%.32s'", text ? text : "not known");
}

static void without_it_the_command_is_first(struct trial *t)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_INIT, "no");
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)scene_status(&s).pid);
	if (fd_read_virtual(AT_FDCWD, path, 64, &text, NULL) < 0 || strcmp(text, "moorage-probe\n") != 0)
		trial_fail(t, "the first process is '%.32s'", text ? text : "not known");
}

static void input_stays_open(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_STDIN, "yes");
	scene_word(&s, "echo");
	scene_create(&s);
	scene_start(&s);
	if (mrg_session_write(s.s, "kept", 4, &s.err) != 4 || mrg_session_close_input(s.s, &s.err) < 0)
		trial_fail(t, "input: %s", s.err.message);
	scene_await_end(&s);
	scene_expect(&s, "echo=kept (4 bytes)");
}

/* ---- the end ------------------------------------------------------------------------------------------ */

static void it_is_stopped_by_that_signal(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_STOP_SIGNAL, "USR1");
	scene_word(&s, "await:%d", SIGUSR1);
	scene_create(&s);
	scene_start(&s);
	scene_await(&s, "await:10=ready");
	if (mrg_stop(s.c, -1, 0, &s.err) != 0)
		trial_fail(t, "stop: %s", s.err.message);
	scene_await_end(&s);
	scene_expect(&s, "caught=%d", SIGUSR1);
}

static void patience_lasts_as_long(struct trial *t)
{
	int64_t took;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_STOP_TIMEOUT, "1");
	scene_word(&s, "stubborn");
	scene_run_until(&s, "stubborn=ready");
	took = scene_stop(&s, -1);
	if (took < 1000 || took > 8000)
		trial_fail(t, "it took %lld ms, not 1000", (long long)took);
}

/* ---- what is remembered ----------------------------------------------------------------------------------- */

/* Opened again, by a context that has not seen it before. */
static struct mrg_container *open_again(struct scene *s)
{
	struct mrg_container *c = NULL;

	if (mrg_container_open(s->m, s->name, &c, &s->err) < 0)
		trial_fail(s->t, "open: %s", s->err.message);
	return c;
}

static void expect_pair(struct trial *t, const struct mrg_pair *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(item[i].key, "org.example/mrgt") == 0 && strcmp(item[i].value, "a = b") == 0)
			return;
	trial_fail(t, "it is not there when the container is opened again");
}

static void a_label_is_kept(struct trial *t)
{
	const struct mrg_spec *spec;
	struct mrg_container *c;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_LABELS, "org.example/mrgt=a = b");
	scene_create(&s);
	c = open_again(&s);
	spec = mrg_container_spec(c);
	expect_pair(t, spec->labels.item, spec->labels.n);
	mrg_container_free(c);
}

static void an_annotation_is_kept(struct trial *t)
{
	const struct mrg_spec *spec;
	struct mrg_container *c;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_ANNOTATIONS, "org.example/mrgt=a = b");
	scene_create(&s);
	c = open_again(&s);
	spec = mrg_container_spec(c);
	expect_pair(t, spec->annotations.item, spec->annotations.n);
	mrg_container_free(c);
}

static void it_starts_at_boot(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	int r;

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_AUTOSTART, "yes");
	scene_create(&s);
	r = mrg_autostart(s.c, -1, &s.err);
	trial_expect(t, "autostart", r, 1, &s.err);
	trial_expect(t, "autostart off", mrg_autostart(s.c, 0, &s.err), 0, &s.err);
}

/* A key of each engine that no field holds, and how its own configuration then has it. */
static void the_engines_text_has_it(struct trial *t)
{
	static const struct { const char *backend, *value, *text; } samples[] = {
		{ "lxc", "{\"lxc\":{\"lxc.signal.reboot\":[\"SIGHUP\"]}}", "lxc.signal.reboot = SIGHUP" },
		{ "nspawn", "{\"nspawn\":{\"Exec\":{\"LinkJournal\":[\"no\"]}}}", "LinkJournal=no" },
		{ "libvirt", "{\"libvirt\":{\"/domain\":[\"<title>mrgt</title>\"]}}", "<title>mrgt</title>" },
	};
	_scene_ struct scene s = { .t = t };
	_cleanup_free_ char *text = NULL;
	size_t i = 0;

	while (i < ARRAY_SIZE(samples) && strcmp(samples[i].backend, t->kit->name) != 0)
		i++;
	if (i == ARRAY_SIZE(samples))
		trial_fail(t, "it is claimed, and the kit knows no key of this backend's");
	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NATIVE, "%s", samples[i].value);
	scene_create(&s);
	if (mrg_native(s.c, &text, &s.err) < 0)
		trial_fail(t, "%s", s.err.message);
	if (!strstr(text, samples[i].text))
		trial_fail(t, "'%s' is not in it: '%.200s'", samples[i].text, text);
}

/* ---- log ---------------------------------------------------------------------------------------------------- */

struct log {
	size_t n;
	bool out, err;
};

static int count_line(const struct mrg_log_line *line, void *data)
{
	struct log *log = data;

	log->n++;
	log->out |= line->stream == 1 && line->length == 6 && memcmp(line->text, "logged", 6) == 0;
	log->err |= line->stream == 2 && line->length == 5 && memcmp(line->text, "error", 5) == 0;
	return 0;
}

static struct log read_log(struct trial *t, const char *value)
{
	struct mrg_log_query query = { .tail = -1 };
	struct log log = { 0 };
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_LOG, "%s", value);
	scene_word(&s, "out:logged");
	scene_word(&s, "err:error");
	scene_run(&s);
	scene_await_state(&s, MRG_STATE_STOPPED);
	if (mrg_logs(s.c, &query, count_line, &log, &s.err) < 0)
		trial_fail(t, "logs: %s", s.err.message);
	return log;
}

static void output_is_kept(struct trial *t)
{
	struct log log = read_log(t, "{\"driver\":\"file\"}");

	if (!log.out || !log.err)
		trial_fail(t, "of standard %s is no line in a log of %zu lines", log.out ? "error" : "output", log.n);
}

static void output_is_not_kept(struct trial *t)
{
	struct log log = read_log(t, "{\"driver\":\"none\"}");

	if (log.n)
		trial_fail(t, "a log of driver none has %zu lines", log.n);
}

/* ---- hooks ---------------------------------------------------------------------------------------------------- */

/* @data: the kind of hook. Each runs a program of the host, which leaves a file. */
static void a_hook_is_run(struct trial *t)
{
	char share[PATH_SIZE], file[PATH_SIZE + 8];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "hook", share);
	snprintf(file, sizeof(file), "%s/file", share);
	scene_set(&s, MRG_FIELD_HOOKS, "{\"%s\":[{\"path\":\"%s\",\"args\":[\"moorage-probe\",\"create:%s\"]}]}",
		  (const char *)t->test->data, t->kit->program, file);
	scene_run(&s);
	scene_await_state(&s, MRG_STATE_STOPPED);
	scene_remove(&s);
	if (access(file, F_OK) < 0)
		trial_fail(t, "it was not run");
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void an_unknown_option_is_refused(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_OPTIONS, "mrgt-no-such-option=1");
	trial_expect(t, "create with an option that does not exist", scene_try_create(&s), -MRG_E_INVALID, &s.err);
}

const struct test life_fields[] = {
	BY(BOOT, "the root's own init is process 1, and is told to halt", the_roots_init_runs),
	BY(INIT, "moorage-init is the first process", moorage_init_is_first),
	BY(INIT, "without it the command is the first process", without_it_the_command_is_first),
	ROW(INIT, "who outlives its parent is buried", { { MRG_FIELD_INIT, "yes" } }, { "reaping" }, { "reaping=yes" }),
	BY(STDIN, "input arrives until its end", input_stays_open),
	BY(STOP_SIGNAL, "it is stopped by that signal", it_is_stopped_by_that_signal),
	BY(STOP_TIMEOUT, "it is killed after as long", patience_lasts_as_long),
	BY(LABELS, "it is there when the container is opened again", a_label_is_kept),
	BY(ANNOTATIONS, "it is there when the container is opened again", an_annotation_is_kept),
	BY(AUTOSTART, "it is to start at boot", it_starts_at_boot),
	BY(NATIVE, "the engine's configuration has it verbatim", the_engines_text_has_it),
	BY(LOG, "file: lines of both streams are kept", output_is_kept),
	BY(LOG, "none: nothing is kept", output_is_not_kept),
	WITH(HOOKS, "createRuntime: a program of the host is run", a_hook_is_run, "createRuntime"),
	WITH(HOOKS, "poststop: a program of the host is run", a_hook_is_run, "poststop"),
	BY(OPTIONS, "one that does not exist is refused", an_unknown_option_is_refused),
	{ .name = NULL }
};
