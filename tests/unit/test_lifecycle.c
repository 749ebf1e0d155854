/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of containers of the fake backend: from start to end, with all that can come between. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/patience.h"

/* ---- life ----------------------------------------------------------------------------------- */

/* What a session tells; when that is nothing, something is there to be read at the next call. */
static struct mrg_event hear(struct mrg_session *session)
{
	struct pollfd p = { .fd = mrg_session_fd(session), .events = POLLIN };
	struct mrg_event event = { 0 };

	assert_int_equal(mrg_session_read(session, &event, NULL), 0);
	if (event.type == MRG_EVENT_NONE)
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return event;
}

/* Reads a session to its end: the exit status, output in @ret. */
static int read_all(struct mrg_session *session, char *ret, size_t size)
{
	size_t length = 0;

	for (int i = 0; i < 1000; i++) {
		struct mrg_event event = hear(session);

		if (event.type == MRG_EVENT_EXIT)
			return event.status;
		if (event.type == MRG_EVENT_LOST)
			return -1;
		if (event.type == MRG_EVENT_STDOUT && length + event.length < size) {
			memcpy(ret + length, event.data, event.length);
			length += event.length;
		}
	}
	return -2;
}

static void test_run(void **state)
{
	static const char *const args[] = { "sh", "-c", "echo hello; exit 3", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", args, 0);
	struct mrg_session *session = NULL;
	struct mrg_status status;
	char output[64] = "";

	assert_int_equal(mrg_start(c, &session, NULL), 0);
	assert_int_equal(mrg_exit_code(read_all(session, output, sizeof(output))), 3);
	assert_string_equal(output, "hello\n");
	mrg_session_free(session);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(status.has_exit, 1);
	assert_int_equal(mrg_exit_code(status.exit_status), 3);
	assert_true(status.started > 0 && status.finished >= status.started);
	begin(c); /* and once more */
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 3);
	mrg_container_free(c);
}

static void test_transient(void **state)
{
	static const char *const args[] = { "true", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", args, MRG_CREATE_TRANSIENT);
	struct mrg_session *session = NULL;

	assert_int_equal(mrg_container_transient(c), 1);
	assert_int_equal(mrg_start(c, &session, NULL), 0);
	assert_int_equal(read_all(session, NULL, 0), 0);
	assert_int_equal(names(f), 0); /* whoever saw the exit finds nothing */
	assert_int_equal(state_of(c), -MRG_E_NOT_FOUND);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	mrg_session_free(session);
	mrg_container_free(c);
}

static void test_no_command(void **state)
{
	static const char *const missing[] = { "no-such-command-here", NULL }, *const folder[] = { "/tmp", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "a", missing, 0), *d = make(f, "b", folder, 0);
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_start(c, NULL, &err), -MRG_E_NO_COMMAND);
	assert_non_null(strstr(err.message, "'no-such-command-here' not found"));
	assert_int_not_equal(state_of(c), MRG_STATE_RUNNING);
	assert_int_equal(mrg_start(d, NULL, &err), -MRG_E_NOT_EXECUTABLE);
	assert_int_equal(mrg_remove(c, 0, NULL), 0);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_running(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	struct mrg_status status;
	struct mrg_stats stats;

	assert_int_equal(mrg_kill(c, SIGTERM, 0, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_pause(c, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_attach(c, &session, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_stats(c, &stats, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_stop(c, 0, 0, NULL), 1);
	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.monitor_lost, 0);
	assert_int_equal(kill(status.pid, 0), 0);
	assert_int_equal(mrg_start(c, &session, NULL), 1);
	assert_null(session);
	assert_int_equal(mrg_remove(c, 0, &err), -MRG_E_STATE);
	assert_string_equal(err.message, "container 'web' is running\nstop it first, or use rm -f");
	assert_int_equal(mrg_rename(c, "www", NULL), -MRG_E_STATE);
	assert_int_equal(mrg_kill(c, 99, 0, NULL), -MRG_E_INVALID);
	assert_int_equal(mrg_stats(c, &stats, NULL), 0);
	assert_int_equal(stats.cpu_ns, 1500000000);
	assert_int_equal(mrg_wait(c, 50, &status, NULL), -MRG_E_TIMEOUT);
	assert_int_equal(mrg_kill(c, SIGTERM, 0, NULL), 0);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGTERM);
	mrg_container_free(c);
}

static void test_stop(void **state)
{
	static const char *const deaf[] = { "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0), *d = make(f, "deaf", deaf, 0);
	struct mrg_session *session = NULL;
	struct mrg_event event = { 0 };
	struct mrg_status status;
	struct mrg_error err = { 0 };

	begin(c);
	assert_int_equal(mrg_stop(c, -1, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGTERM);
	assert_int_equal(mrg_stop(c, -1, 0, NULL), 1);
	assert_int_equal(mrg_start(d, &session, NULL), 0);
	for (int i = 0; i < 1000 && event.type != MRG_EVENT_STDOUT; i++)
		event = hear(session);
	assert_int_equal(event.type, MRG_EVENT_STDOUT);
	mrg_session_free(session);
	assert_int_equal(mrg_stop(d, 100, 1, &err), -MRG_E_TIMEOUT);
	assert_int_equal(state_of(d), MRG_STATE_RUNNING);
	assert_int_equal(mrg_stop(d, 100, 0, NULL), 0);
	assert_int_equal(mrg_container_status(d, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGKILL);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_pause(void **state)
{
	static const char *const command[] = { "true", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_exec exec = { .args = command };
	struct mrg_error err = { 0 };

	begin(c);
	assert_int_equal(mrg_unpause(c, NULL), 1);
	assert_int_equal(mrg_pause(c, NULL), 0);
	assert_int_equal(mrg_pause(c, NULL), 1);
	assert_int_equal(state_of(c), MRG_STATE_PAUSED);
	assert_int_equal(mrg_exec(c, &exec, NULL, &err), -MRG_E_STATE);
	assert_string_equal(err.message, "container 'web' is paused\nmoorage unpause web");
	assert_int_equal(mrg_remove(c, 0, &err), -MRG_E_STATE);
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 1, &err), 0); /* its signal is not stuck behind the freeze */
	assert_int_equal(state_of(c), MRG_STATE_STOPPED);
	mrg_container_free(c);
}

static void test_exec(void **state)
{
	static const char *const args[] = { "sh", "-c", "echo $WORD; exit 4", NULL };
	static const char *const env[] = { "WORD=inside", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_exec exec = { .args = args, .env = env };
	struct mrg_session *session = NULL;
	char output[64] = "";

	assert_int_equal(mrg_exec(c, &exec, &session, NULL), -MRG_E_NOT_RUNNING);
	begin(c);
	assert_int_equal(mrg_exec(c, &exec, &session, NULL), 0);
	assert_int_equal(mrg_exit_code(read_all(session, output, sizeof(output))), 4);
	assert_string_equal(output, "inside\n");
	mrg_session_free(session);
	mrg_container_free(c);
}

static void test_remove_by_force(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "a", sleeper, 0), *d = make(f, "b", sleeper, MRG_CREATE_TRANSIENT);
	struct mrg_status status;
	int process;

	begin(c);
	begin(d);
	assert_int_equal(mrg_pause(d, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	process = hold(status.pid);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	assert_gone(process);
	assert_int_equal(mrg_remove(d, 1, NULL), 0);
	assert_int_equal(names(f), 0);
	assert_int_equal(access(f->root, F_OK), 0);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_rename(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_rename(c, "www", NULL), 0);
	assert_string_equal(mrg_container_name(c), "www");
	assert_int_equal(traced(f, "destroy web"), 1);
	assert_int_equal(traced(f, "create www"), 1);
	begin(c);
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	setenv("MRG_FAKE_FAULT", "create:EIO:no", 1);
	assert_int_equal(mrg_rename(c, "again", &err), -EIO);
	unsetenv("MRG_FAKE_FAULT");
	assert_string_equal(mrg_container_name(c), "www");
	assert_int_equal(names(f), 1);
	mrg_container_free(open_named(f, "www"));
	mrg_container_free(c);
}

static void test_update(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0), *again;
	struct mrg_spec *changes = mrg_spec_new(), *wrong = mrg_spec_new();
	const char *before = mrg_container_spec(c)->args[0];
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "64M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), 0);
	assert_int_equal(traced(f, "update web"), 0); /* it does not run */
	begin(c);
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "32M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), 0);
	assert_int_equal(traced(f, "update web"), 1);
	again = open_named(f, "web");
	assert_int_equal(mrg_container_spec(again)->memory_limit, 32 << 20);
	assert_string_equal(mrg_container_spec(again)->args[0], "sleep");
	assert_string_equal(before, "sleep");
	mrg_container_free(again);
	setenv("MRG_FAKE_FAULT", "update:EIO:no", 1);
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "16M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), -EIO);
	assert_int_equal(mrg_container_spec(c)->memory_limit, 32 << 20);
	assert_int_equal(mrg_spec_set(wrong, MRG_FIELD_HOSTNAME, "x", NULL), 0);
	assert_int_equal(mrg_update(c, wrong, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "'hostname' is no limit"));
	mrg_spec_free(changes);
	mrg_spec_free(wrong);
	mrg_container_free(c);
}

static int take_proc(const struct mrg_proc *proc, void *data)
{
	*(struct mrg_proc *)data = *proc;
	return 0;
}

static void test_procs(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_proc proc = { 0 };
	struct mrg_status status;

	assert_int_equal(mrg_procs(c, take_proc, &proc, NULL), -MRG_E_NOT_RUNNING);
	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(mrg_procs(c, take_proc, &proc, NULL), 0);
	assert_int_equal(proc.pid, status.pid);
	assert_string_equal(proc.command, "sleep 1000");
	assert_int_equal(proc.uid, geteuid());
	assert_true(proc.rss > 0);
	assert_true(proc.started / 1000000000 <= (uint64_t)time(NULL) + 2);
	assert_true(proc.started / 1000000000 + 60 >= (uint64_t)time(NULL));
	mrg_container_free(c);
}

/* ---- a monitor that is killed --------------------------------------------------------------- */

static pid_t monitor_of(struct mrg_container *c)
{
	struct run run;
	pid_t monitor;

	assert_int_equal(store_read_run(c->record, &run, NULL), 0);
	monitor = run.monitor;
	store_run_deinit(&run);
	return monitor;
}

static struct mrg_container *orphan(struct fixture *f, unsigned int flags, pid_t *ret_pid)
{
	struct mrg_container *c = make(f, "web", sleeper, flags);
	struct run run;

	begin(c);
	assert_int_equal(store_read_run(c->record, &run, NULL), 0);
	assert_true(run.monitor > 0);
	*ret_pid = run.process.pid;
	assert_int_equal(kill(run.monitor, SIGKILL), 0);
	store_run_deinit(&run);
	WAIT_FOR(monitor_of(c) == 0);
	return c;
}

static void test_orphan(void **state)
{
	struct fixture *f = *state;
	struct mrg_session *session = NULL;
	struct mrg_status status;
	pid_t pid;
	struct mrg_container *c = orphan(f, 0, &pid);

	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.monitor_lost, 1);
	assert_int_equal(status.pid, pid);
	assert_int_equal(mrg_attach(c, &session, NULL), -MRG_E_STATE);
	assert_int_equal(mrg_start(c, NULL, NULL), 1);
	assert_int_equal(mrg_wait(c, 50, &status, NULL), -MRG_E_TIMEOUT);
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(status.has_exit, 0);
	assert_int_equal(status.monitor_lost, 1);
	assert_true(status.finished >= status.started);
	assert_true(traced(f, "cleanup web") > 0);
	begin(c); /* it can live again */
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.has_exit, 1);
	mrg_container_free(c);
}

static void test_orphan_is_removed(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	int process;
	pid_t pid;

	c = orphan(f, 0, &pid);
	process = hold(pid);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	assert_gone(process);
	mrg_container_free(c);
	c = orphan(f, MRG_CREATE_TRANSIENT, &pid);
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	mrg_container_free(c);
	assert_int_equal(names(f), 0);
}

/* ---- at once -------------------------------------------------------------------------------- */

static int do_start(struct mrg_container *c)
{
	return mrg_start(c, NULL, NULL);
}

static int do_stop(struct mrg_container *c)
{
	return mrg_stop(c, PATIENCE_MS, 0, NULL);
}

static int do_remove(struct mrg_container *c)
{
	return mrg_remove(c, 1, NULL);
}

/* How many of @n processes that do the same at once got @r; each must get 0 or 1. */
static int at_once(struct fixture *f, int n, int (*verb)(struct mrg_container *c), int r)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct mrg *m = context(f->top);
			struct mrg_container *c = NULL;
			int open = mrg_container_open(m, "web", &c, NULL);

			_exit(open == -MRG_E_NOT_FOUND ? 0 : open < 0 ? 99 : verb(c) & 0xff);
		}
	}
	for (int i = 0; i < n; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) > 1)
			print_message("# one got %d\n", WEXITSTATUS(status) - 256);
		assert_true(WEXITSTATUS(status) <= 1);
		got += WEXITSTATUS(status) == r;
	}
	return got;
}

static void test_at_once(void **state)
{
	struct fixture *f = *state;

	mrg_container_free(make(f, "web", sleeper, 0));
	assert_int_equal(at_once(f, 6, do_start, 0), 1);
	assert_int_equal(traced(f, "start web"), 1);
	assert_true(at_once(f, 6, do_stop, 0) >= 1);
	assert_int_equal(at_once(f, 6, do_start, 0), 1);
	assert_int_equal(at_once(f, 6, do_remove, 0), 6);
	assert_int_equal(names(f), 0);
}

#define CONTAINER_TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTAINER_TEST(test_run), CONTAINER_TEST(test_transient), CONTAINER_TEST(test_no_command),
		CONTAINER_TEST(test_running), CONTAINER_TEST(test_stop), CONTAINER_TEST(test_pause),
		CONTAINER_TEST(test_exec), CONTAINER_TEST(test_remove_by_force), CONTAINER_TEST(test_rename),
		CONTAINER_TEST(test_update), CONTAINER_TEST(test_procs), CONTAINER_TEST(test_orphan),
		CONTAINER_TEST(test_orphan_is_removed), CONTAINER_TEST(test_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
