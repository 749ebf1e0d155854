/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a container as users see it: states, exit status, stopping, names. */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/certify/scene.h"

static void check_state(struct scene *s, const char *when, int state)
{
	struct mrg_status status = scene_status(s);

	if (status.state != state)
		trial_fail(s->t, "%s its state is %d, not %d", when, status.state, state);
}

static void must(struct scene *s, const char *what, int r, int expected)
{
	trial_expect(s->t, what, r, expected, &s->err);
}

/* ---- states ------------------------------------------------------------------------------------- */

static void states_follow(struct trial *t)
{
	struct mrg_container *again = NULL;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "wait");
	scene_create(&s);
	check_state(&s, "after create", MRG_STATE_CREATED);
	scene_start(&s);
	check_state(&s, "after start", MRG_STATE_RUNNING);
	scene_await(&s, "wait=ready");
	must(&s, "start of what runs", mrg_start(s.c, NULL, &s.err), 1);
	must(&s, "stop", mrg_stop(s.c, -1, 0, &s.err), 0);
	check_state(&s, "after stop", MRG_STATE_STOPPED);
	must(&s, "stop of what does not run", mrg_stop(s.c, -1, 0, &s.err), 1);
	scene_remove(&s);
	must(&s, "open after remove", mrg_container_open(s.m, s.name, &again, &s.err), -MRG_E_NOT_FOUND);
}

static void pause_is_a_state(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	if (!strstr(t->kit->facts->verbs, "pause"))
		trial_absent(t);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	must(&s, "pause", mrg_pause(s.c, &s.err), 0);
	check_state(&s, "after pause", MRG_STATE_PAUSED);
	must(&s, "pause again", mrg_pause(s.c, &s.err), 1);
	must(&s, "unpause", mrg_unpause(s.c, &s.err), 0);
	check_state(&s, "after unpause", MRG_STATE_RUNNING);
	must(&s, "unpause again", mrg_unpause(s.c, &s.err), 1);
	must(&s, "pause", mrg_pause(s.c, &s.err), 0);
	must(&s, "stop of what is paused", mrg_stop(s.c, -1, 0, &s.err), 0);
	check_state(&s, "after stop", MRG_STATE_STOPPED);
}

static void remove_wants_an_end(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	must(&s, "remove of what runs", mrg_remove(s.c, 0, &s.err), -MRG_E_STATE);
	check_state(&s, "after that", MRG_STATE_RUNNING);
	must(&s, "remove by force", mrg_remove(s.c, 1, &s.err), 0);
	s.c = mrg_container_free(s.c);
}

static void it_starts_again(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "out:here");
	scene_word(&s, "exit:3");
	scene_create(&s);
	for (int i = 0; i < 3; i++) {
		scene_start(&s);
		scene_await_end(&s);
		scene_expect(&s, "here");
		if (s.status != 3)
			trial_fail(t, "start number %d ended with %d", i + 1, s.status);
		scene_await_state(&s, MRG_STATE_STOPPED);
	}
}

static void a_name_is_taken_once(struct trial *t)
{
	struct mrg_create create = { 0 };
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_create(&s);
	create = (struct mrg_create){ .name = s.name, .backend = t->kit->name, .spec = s.spec };
	must(&s, "create of a name that is taken", mrg_create(s.m, &create, NULL, &s.err), -MRG_E_EXISTS);
	scene_start(&s);
	scene_await_end(&s);
}

static void it_can_be_renamed(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char name[NAME_SIZE];

	scene_begin(&s, t, 0);
	scene_word(&s, "out:renamed");
	scene_create(&s);
	trial_name(t, 9, name);
	must(&s, "rename", mrg_rename(s.c, name, &s.err), 0);
	scene_start(&s);
	scene_await_end(&s);
	scene_expect(&s, "renamed");
}

static void a_failed_start_leaves_it_created(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	mrg_spec_free(s.spec);
	s.spec = mrg_spec_new();
	if (mrg_spec_set(s.spec, MRG_FIELD_ROOT_PATH, t->kit->root, &s.err) < 0 ||
	    mrg_spec_set(s.spec, MRG_FIELD_ARGS, "/no/such/command", &s.err) < 0)
		trial_fail(t, "%s", s.err.message);
	scene_create(&s);
	must(&s, "start of a missing command", mrg_start(s.c, &s.s, &s.err), -MRG_E_NO_COMMAND);
	check_state(&s, "after that", MRG_STATE_CREATED);
	scene_remove(&s);
}

/* ---- exit status ---------------------------------------------------------------------------------- */

struct ending {
	const char *word;
	int status;
};

static void start_tells_the_exit(struct trial *t)
{
	const struct ending *ending = t->test->data;
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "%s", ending->word);
	scene_run_any(&s);
	if (s.status != ending->status)
		trial_fail(t, "the session tells %d, not %d", s.status, ending->status);
	must(&s, "wait", mrg_wait(s.c, t->kit->patience, &status, &s.err), 0);
	if (!status.has_exit || mrg_exit_code(status.exit_status) != ending->status)
		trial_fail(t, "the record tells %d, not %d", mrg_exit_code(status.exit_status), ending->status);
}

static void exec_tells_the_exit(struct trial *t)
{
	const struct ending *ending = t->test->data;
	const char *const words[] = { ending->word, NULL };
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	if (!strstr(t->kit->facts->verbs, "exec"))
		trial_absent(t);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	scene_exec_words(&s, words);
	if (s.status != ending->status)
		trial_fail(t, "the session tells %d, not %d", s.status, ending->status);
	check_state(&s, "after that", MRG_STATE_RUNNING);
}

/* ---- stopping --------------------------------------------------------------------------------------- */

static void a_good_payload_is_stopped_gently(struct trial *t)
{
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	must(&s, "stop", mrg_stop(s.c, 10000, 0, &s.err), 0);
	scene_await_end(&s);
	scene_expect(&s, "caught=15");
	status = scene_status(&s);
	if (!status.has_exit || mrg_exit_code(status.exit_status) != 0)
		trial_fail(t, "it ended with %d, not with 0", mrg_exit_code(status.exit_status));
}

static void a_stubborn_payload_is_killed(struct trial *t)
{
	int64_t took;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "stubborn");
	scene_run_until(&s, "stubborn=ready");
	took = scene_stop(&s, 500);
	scene_await_end(&s);
	if (took < 500 || took > 8000)
		trial_fail(t, "with a patience of 500 ms it took %lld ms", (long long)took);
	if (s.status != 128 + SIGKILL)
		trial_fail(t, "it ended with %d, not with %d", s.status, 128 + SIGKILL);
}

static void stop_can_be_kept_from_killing(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "stubborn");
	scene_run_until(&s, "stubborn=ready");
	must(&s, "stop without killing", mrg_stop(s.c, 200, 1, &s.err), -MRG_E_TIMEOUT);
	check_state(&s, "after that", MRG_STATE_RUNNING);
}

static void wait_keeps_its_deadline(struct trial *t)
{
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	must(&s, "wait", mrg_wait(s.c, 200, &status, &s.err), -MRG_E_TIMEOUT);
}

/* ---- names -------------------------------------------------------------------------------------------- */

/* @data: a format with the prefix in it, so that what is left can be found. */
static void a_name_works(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	snprintf(s.name, sizeof(s.name), t->test->data, t->kit->prefix, t->kit->serial);
	for (size_t i = strlen(s.name); strstr(t->test->data, "-long-") && i < 63; i++) {
		s.name[i] = 'x';
		s.name[i + 1] = '\0';
	}
	scene_word(&s, "wait");
	/* An engine may have rules of its own for names; it says so before anything is made. */
	if (scene_try_create(&s) == -MRG_E_INVALID && strstr(s.err.message, s.name))
		trial_skip(t, "refused: %.*s", (int)strcspn(s.err.message, "\n"), s.err.message);
	if (!s.c)
		trial_fail(t, "create: %s", s.err.message);
	scene_start(&s);
	scene_await(&s, "wait=ready");
	check_state(&s, "after start", MRG_STATE_RUNNING);
	must(&s, "stop", mrg_stop(s.c, -1, 0, &s.err), 0);
	scene_remove(&s);
}

#define LIFE(name_, run_)	{ .section = "contract", .name = name_, .run = run_ }
#define ENDS(word_, status_)	\
	{ .section = "contract", .name = "exit status of the container: " word_, .run = start_tells_the_exit, \
	  .data = &(const struct ending){ word_, status_ } }, \
	{ .section = "contract", .name = "exit status of a command inside: " word_, .run = exec_tells_the_exit, \
	  .data = &(const struct ending){ word_, status_ } }
#define NAMED(format_)	{ .section = "contract", .name = "a container named " format_, .run = a_name_works, .data = format_ }

const struct test contract_life_tests[] = {
	LIFE("states follow the verbs", states_follow),
	LIFE("paused is a state", pause_is_a_state),
	LIFE("what runs is removed by force only", remove_wants_an_end),
	LIFE("it can be started again and again", it_starts_again),
	LIFE("a name is taken once", a_name_is_taken_once),
	LIFE("it can be renamed", it_can_be_renamed),
	LIFE("a start that failed leaves it created", a_failed_start_leaves_it_created),
	ENDS("exit:0", 0), ENDS("exit:1", 1), ENDS("exit:42", 42), ENDS("exit:126", 126), ENDS("exit:127", 127), ENDS("exit:133", 133),
	ENDS("exit:255", 255), ENDS("signal:9", 137), ENDS("signal:15", 143), ENDS("signal:11", 139),
	LIFE("stop lets a good payload end by itself", a_good_payload_is_stopped_gently),
	LIFE("stop kills a stubborn payload when its time is over", a_stubborn_payload_is_killed),
	LIFE("stop does not kill when it may not", stop_can_be_kept_from_killing),
	LIFE("wait for the end keeps its deadline", wait_keeps_its_deadline),
	NAMED("0.%s-%u"), NAMED("Z_%s_.-%u"), NAMED("x--%s..%u__"), NAMED("%s-%u-long-"),
	{ .name = NULL }
};
