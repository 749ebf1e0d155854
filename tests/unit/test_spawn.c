/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mrg_helper_spawn(): what travels back, who is reaped, what a child starts with, and that it dies with its parent. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <moorage/helper.h>

#include "core/util/cleanup.h"
#include "core/util/proc.h"
#include "tests/unit/patience.h"

static int run_true(void *data, struct mrg_error *err)
{
	(void)data;
	execl("/bin/true", "true", (char *)NULL);
	return mrg_error_set(err, -errno, "exec");
}

static int run_false(void *data, struct mrg_error *err)
{
	(void)data;
	execl("/bin/false", "false", (char *)NULL);
	return mrg_error_set(err, -errno, "exec");
}

static int run_sleep(void *data, struct mrg_error *err)
{
	(void)data;
	execl("/bin/sleep", "sleep", "100", (char *)NULL);
	return mrg_error_set(err, -errno, "exec");
}

static int report(void *data, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NO_COMMAND, "no such thing as '%s'", (const char *)data);
}

static int fail_silently(void *data, struct mrg_error *err)
{
	(void)data;
	(void)err;
	return -ENOSPC;
}

static int die(void *data, struct mrg_error *err)
{
	(void)data;
	(void)err;
	_exit(3);
}

static int refuse(pid_t pid, void *data, struct mrg_error *err)
{
	*(int *)data = (int)syscall(SYS_pidfd_open, pid, 0);
	return mrg_error_set(err, -EDOM, "not this one");
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int wait_for(const struct mrg_process *process)
{
	int status;

	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	close(process->pidfd);
	return status;
}

static void test_success(void **state _unused_)
{
	struct mrg_process process = { 0 };
	struct mrg_error err = { 0 };
	uint64_t ours;

	assert_int_equal(mrg_helper_spawn(0, NULL, run_false, NULL, NULL, &process, &err), 0);
	assert_true(process.pid > 0);
	assert_int_equal(proc_start_time(getpid(), &ours), 0);
	assert_true(process.start_time >= ours);
	assert_int_equal(WEXITSTATUS(wait_for(&process)), 1);
}

static void test_pidfd_is_of_the_child(void **state _unused_)
{
	struct mrg_process process;
	int status;

	assert_int_equal(mrg_helper_spawn(0, NULL, run_sleep, NULL, NULL, &process, NULL), 0);
	assert_int_equal(syscall(SYS_pidfd_send_signal, process.pidfd, SIGTERM, NULL, 0), 0);
	assert_true(fcntl(process.pidfd, F_GETFD) & FD_CLOEXEC);
	status = wait_for(&process);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void test_error_travels_back(void **state _unused_)
{
	char name[] = "it's here";
	struct mrg_process process;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_helper_spawn(0, NULL, report, NULL, name, &process, &err), -MRG_E_NO_COMMAND);
	assert_int_equal(err.code, -MRG_E_NO_COMMAND);
	assert_string_equal(err.message, "no such thing as 'it's here'");
	assert_no_children();
}

static void test_error_without_sentence_gets_one(void **state _unused_)
{
	struct mrg_process process;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_helper_spawn(0, NULL, fail_silently, NULL, NULL, &process, &err), -ENOSPC);
	assert_true(strlen(err.message) > 10);
	assert_no_children();
}

static void test_end_without_report_is_left_to_wait(void **state _unused_)
{
	struct mrg_process process;

	assert_int_equal(mrg_helper_spawn(0, NULL, die, NULL, NULL, &process, NULL), 0);
	assert_int_equal(WEXITSTATUS(wait_for(&process)), 3);
}

static void test_parent_callback_refuses(void **state _unused_)
{
	struct mrg_process process;
	struct mrg_error err = { 0 };
	int seen = -1;

	assert_int_equal(mrg_helper_spawn(0, NULL, run_true, refuse, &seen, &process, &err), -EDOM);
	assert_true(seen >= 0);
	assert_int_equal(syscall(SYS_pidfd_send_signal, seen, 0, NULL, 0), -1);
	close(seen);
	assert_no_children();
}

static void test_bad_flags(void **state _unused_)
{
	struct mrg_process process;
	struct mrg_error err = { 0 };

	assert_true(mrg_helper_spawn(1ULL << 60, NULL, run_true, NULL, NULL, &process, &err) < 0);
	assert_non_null(strstr(err.message, "cannot start a process"));
}

static int list_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_leaves_no_descriptor(void **state _unused_)
{
	int before = list_descriptors();
	struct mrg_process process;

	assert_int_equal(mrg_helper_spawn(0, NULL, run_true, NULL, NULL, &process, NULL), 0);
	wait_for(&process);
	assert_int_equal(mrg_helper_spawn(0, NULL, fail_silently, NULL, NULL, &process, NULL), -ENOSPC);
	assert_int_equal(list_descriptors(), before);
}

static void test_descriptor_in_use(void **state _unused_)
{
	struct mrg_process process;
	struct mrg_error err = { 0 };

	assert_int_equal(dup2(0, MRG_SPAWN_ERROR_FD), MRG_SPAWN_ERROR_FD);
	assert_int_equal(mrg_helper_spawn(0, NULL, run_true, NULL, NULL, &process, &err), -EMFILE);
	close(MRG_SPAWN_ERROR_FD);
}

/* Exit status 0: no signal is blocked or ignored. */
static int check_signals(void *data, struct mrg_error *err)
{
	sigset_t set;

	(void)data;
	(void)err;
	sigprocmask(SIG_SETMASK, NULL, &set);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction sa;

		if (sigismember(&set, i) == 1)
			_exit(1);
		if (sigaction(i, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			_exit(2);
	}
	_exit(0);
}

static void test_signals_are_reset(void **state _unused_)
{
	struct mrg_process process;
	sigset_t set, old;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(mrg_helper_spawn(0, NULL, check_signals, NULL, NULL, &process, NULL), 0);
	assert_int_equal(wait_for(&process), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

static int tell_and_hang(void *data, struct mrg_error *err)
{
	int fd = *(int *)data;

	(void)err;
	if (write(fd, "x", 1) == 1)
		pause();
	_exit(0);
}

/* In a child of ours, which is killed while its own child is being set up: the pipe that one holds must close. */
static void test_child_dies_with_parent(void **state _unused_)
{
	int fds[2];
	struct pollfd end;
	char byte;
	pid_t parent;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		struct mrg_process process;

		close(fds[0]);
		mrg_helper_spawn(0, NULL, tell_and_hang, NULL, &fds[1], &process, NULL);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	end = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_pidfd_is_of_the_child),
		cmocka_unit_test(test_error_travels_back),
		cmocka_unit_test(test_error_without_sentence_gets_one),
		cmocka_unit_test(test_end_without_report_is_left_to_wait),
		cmocka_unit_test(test_parent_callback_refuses),
		cmocka_unit_test(test_bad_flags),
		cmocka_unit_test(test_leaves_no_descriptor),
		cmocka_unit_test(test_descriptor_in_use),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_child_dies_with_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
