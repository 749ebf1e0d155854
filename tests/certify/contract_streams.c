/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard streams and what a process is given: of the container and of commands run inside. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/certify/scene.h"

static void needs_exec(struct trial *t)
{
	if (!strstr(t->kit->facts->verbs, "exec"))
		trial_absent(t);
}

static void streams_are_separate(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "out:to stdout");
	scene_word(&s, "err:to stderr");
	scene_run(&s);
	scene_expect(&s, "to stdout");
	if (scene_has(&s, "to stderr"))
		trial_fail(t, "standard error came out of standard output");
	if (!s.err_out.text || strcmp(s.err_out.text, "to stderr\n") != 0)
		trial_fail(t, "standard error has '%.100s'", s.err_out.text ? s.err_out.text : "");
}

/* Nothing of the engine's own is among it. */
static void output_is_the_payloads_alone(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "out:alone");
	scene_run(&s);
	if (!s.out.text || strcmp(s.out.text, "alone\nout:alone=ok\n") != 0)
		trial_fail(t, "standard output has '%.200s'", s.out.text ? s.out.text : "");
	if (s.err_out.length)
		trial_fail(t, "standard error has '%.200s'", s.err_out.text);
}

/* 1 MiB of numbered lines: whole and in order. */
static void much_output_arrives_whole(struct trial *t)
{
	const char *line;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "lines:1024");
	scene_run(&s);
	line = s.out.text;
	for (long i = 0; i < 1024 * 16; i++, line = strchr(line, '\n') + 1)
		if (!line || !strchr(line, '\n') || strtol(line, NULL, 10) != i)
			trial_fail(t, "line %ld of %d is missing or out of order", i, 1024 * 16);
}

static void feed(struct scene *s, const char *text)
{
	while (*text) {
		ssize_t n = mrg_session_write(s->s, text, strlen(text), &s->err);

		if (n < 0)
			trial_fail(s->t, "input: %s", s->err.message);
		text += n;
	}
	if (mrg_session_close_input(s->s, &s->err) < 0)
		trial_fail(s->t, "end of input: %s", s->err.message);
}

static void input_arrives(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_STDIN, "yes");
	scene_word(&s, "echo");
	scene_create(&s);
	scene_start(&s);
	feed(&s, "one\ntwo");
	scene_await_end(&s);
	scene_expect(&s, "echo=one\\x0atwo (7 bytes)");
}

static void input_ends_at_once(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "echo");
	scene_run(&s);
	scene_expect(&s, "echo= (0 bytes)");
}

static void a_clean_process_is_started(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "signals");
	scene_word(&s, "descriptors");
	scene_word(&s, "env:MRGT_HOST_ENVIRONMENT");
	scene_run(&s);
	scene_expect(&s, "signals=default");
	scene_expect(&s, "descriptors=0,1,2");
	scene_expect(&s, "env:MRGT_HOST_ENVIRONMENT=(unset)");
}

/* ---- commands inside -------------------------------------------------------------------------------- */

static void begin_exec(struct scene *s, struct trial *t)
{
	scene_begin(s, t, 0);
	needs_exec(t);
	scene_word(s, "wait");
}

static void exec_streams_are_separate(struct trial *t)
{
	static const char *const words[] = { "out:to stdout", "err:to stderr", NULL };
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	scene_run_until(&s, "wait=ready");
	scene_exec_words(&s, words);
	scene_expect(&s, "to stdout");
	if (scene_has(&s, "to stderr") || !s.err_out.text || strcmp(s.err_out.text, "to stderr\n") != 0)
		trial_fail(t, "standard error has '%.100s'", s.err_out.text ? s.err_out.text : "");
}

static void exec_input_arrives(struct trial *t)
{
	static const char *const args[] = { PROBE, "echo", NULL };
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	scene_run_until(&s, "wait=ready");
	scene_exec(&s, &(struct mrg_exec){ .args = args, .stdin_open = 1 });
	feed(&s, "three");
	scene_await_end(&s);
	scene_expect(&s, "echo=three (5 bytes)");
}

static void exec_has_a_terminal(struct trial *t)
{
	static const char *const args[] = { PROBE, "terminal", NULL };
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	if (!scene_can(&s, MRG_FIELD_TERMINAL))
		trial_skip(t, "the backend does not claim terminals");
	scene_run_until(&s, "wait=ready");
	scene_exec(&s, &(struct mrg_exec){ .args = args, .terminal = 1 });
	scene_await_end(&s);
	scene_expect(&s, "terminal=in,out,err controlling");
}

static void exec_is_given_what_it_asks_for(struct trial *t)
{
	static const char *const args[] = { PROBE, "env:MRGT_ONE", "env:MRGT_TWO", "cwd", "uid", "gid", NULL };
	static const char *const env[] = { "MRGT_TWO=of the command", NULL };
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	scene_set(&s, MRG_FIELD_ENV, "MRGT_ONE=of the container");
	scene_run_until(&s, "wait=ready");
	scene_exec(&s, &(struct mrg_exec){ .args = args, .env = env, .cwd = "/home/dir", .user = "1000:100" });
	scene_await_end(&s);
	scene_expect(&s, "env:MRGT_ONE=of the container");
	scene_expect(&s, "env:MRGT_TWO=of the command");
	scene_expect(&s, "cwd=/home/dir");
	scene_expect(&s, "uid=1000 1000");
	scene_expect(&s, "gid=100 100");
}

static void exec_starts_a_clean_process(struct trial *t)
{
	static const char *const words[] = { "signals", "descriptors", "env:MRGT_HOST_ENVIRONMENT", NULL };
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	scene_run_until(&s, "wait=ready");
	scene_exec_words(&s, words);
	scene_expect(&s, "signals=default");
	scene_expect(&s, "descriptors=0,1,2");
	scene_expect(&s, "env:MRGT_HOST_ENVIRONMENT=(unset)");
}

/* The policy of the container is that of what is run inside. */
static void exec_is_under_the_same_policy(struct trial *t)
{
	static const char *const own[] = { "no_new_privs", "seccomp", "caps:bounding", "caps:effective", "ns:pid", "ns:net", "ns:mnt",
					   "ns:uts", "ns:ipc", "ns:user", NULL };
	char inside[16][128];
	_scene_ struct scene s = { .t = t };

	begin_exec(&s, t);
	mrg_spec_free(s.spec);
	s.spec = mrg_spec_new();
	mrg_spec_set(s.spec, MRG_FIELD_ROOT_PATH, t->kit->root, &s.err);
	mrg_spec_set(s.spec, MRG_FIELD_ARGS, PROBE, &s.err);
	for (size_t i = 0; own[i]; i++)
		scene_word(&s, "%s", own[i]);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	for (size_t i = 0; own[i]; i++)
		scene_value(&s, own[i], inside[i], sizeof(inside[i]));
	scene_exec_words(&s, own);
	for (size_t i = 0; own[i]; i++)
		scene_expect(&s, "%s=%s", own[i], inside[i]);
}

#define STREAMS(name_, run_)	{ .section = "contract", .name = name_, .run = run_ }

const struct test contract_stream_tests[] = {
	STREAMS("standard output and error are separate", streams_are_separate),
	STREAMS("output is the payload's alone", output_is_the_payloads_alone),
	STREAMS("1 MiB of output arrives whole", much_output_arrives_whole),
	STREAMS("input arrives, and its end", input_arrives),
	STREAMS("input that is not kept open has ended", input_ends_at_once),
	STREAMS("the process has no signal, descriptor or variable of the host's", a_clean_process_is_started),
	STREAMS("exec: standard output and error are separate", exec_streams_are_separate),
	STREAMS("exec: input arrives, and its end", exec_input_arrives),
	STREAMS("exec: a terminal", exec_has_a_terminal),
	STREAMS("exec: environment, working directory, user", exec_is_given_what_it_asks_for),
	STREAMS("exec: no signal, descriptor or variable of the host's", exec_starts_a_clean_process),
	STREAMS("exec: under the container's policy and in its namespaces", exec_is_under_the_same_policy),
	{ .name = NULL }
};
