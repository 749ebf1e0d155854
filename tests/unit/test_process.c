/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mrg_helper_process_execute(): descriptors, working directory, environment, limits, and why a command does not start. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/util/cleanup.h"
#include "tests/unit/patience.h"
#include "tests/unit/process_fixture.h"

static void prints(struct fixture *f, const char *script, const char *expected)
{
	static struct result result;

	fixture_run(f, script, NULL, &result);
	if (result.r < 0)
		print_message("%s\n", result.err.message);
	assert_int_equal(result.r, 0);
	assert_string_equal(result.out, expected);
}

static void fails(struct fixture *f, char *const *args, int code, const char *text)
{
	static struct result result;

	f->spec->args = (char **)(uintptr_t)args;
	fixture_run(f, NULL, NULL, &result);
	f->spec->args = NULL;
	if (result.r != code || !strstr(result.err.message, text))
		print_message("%s: %d %s\n", args[0], result.r, result.err.message);
	assert_int_equal(result.r, code);
	assert_non_null(strstr(result.err.message, text));
}

static void fails_name(struct fixture *f, const char *name, int code, const char *text)
{
	char *args[] = { (char *)(uintptr_t)name, NULL };

	fails(f, args, code, text);
}

static void test_exit_status(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;

	fixture_run(f, "exit 42", NULL, &result);
	assert_int_equal(result.r, 0);
	assert_int_equal(WEXITSTATUS(result.status), 42);
	fixture_run(f, "kill -9 $$", NULL, &result);
	assert_true(WIFSIGNALED(result.status) && WTERMSIG(result.status) == 9);
}

/* Row 2 of the catalogue of weaknesses: a directory of the host among inherited descriptors. */
static void test_inherited_descriptors(void **state)
{
	struct fixture *f = fixture_of(state);
	int fds[200];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = open(i % 2 ? "/" : "/etc", O_RDONLY | O_DIRECTORY);	/* not close-on-exec */
	/* 3 is what ls itself opens. */
	prints(f, "ls /proc/self/fd", "0\n1\n2\n3\n");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void test_cwd_through_descriptors_is_refused(void **state)
{
	struct fixture *f = fixture_of(state);
	int fd = open("/etc", O_RDONLY | O_DIRECTORY);
	char cwd[64];
	static struct result result;

	for (int i = 3; i < 256; i++) {
		snprintf(cwd, sizeof(cwd), "/proc/self/fd/%d", i);
		f->spec->cwd = cwd;
		fixture_run(f, "echo out; ls", NULL, &result);
		assert_true(result.r < 0);
		assert_non_null(strstr(result.err.message, "working directory"));
		assert_string_equal(result.out, "");
	}
	close(fd);
}

static void test_cwd(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];
	static struct result result;

	f->spec->cwd = "/tmp";
	prints(f, "pwd", "/tmp\n");
	f->spec->cwd = "/nowhere";
	fixture_run(f, "pwd", NULL, &result);
	assert_int_equal(result.r, -MRG_E_INVALID);
	assert_string_equal(result.err.message, "the working directory '/nowhere' does not exist in the container");
	f->spec->cwd = "/bin/busybox";
	fixture_run(f, "pwd", NULL, &result);
	assert_non_null(strstr(result.err.message, "not a directory"));
	/* A link of the image to somewhere absolute stays inside. */
	snprintf(path, sizeof(path), "%s/link", f->root);
	assert_int_equal(symlink("/../../tmp", path), 0);
	f->spec->cwd = "/link";
	prints(f, "pwd", "/tmp\n");
}

static void test_cwd_of_the_user(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];

	snprintf(path, sizeof(path), "%s/root", f->root);
	assert_int_equal(chmod(path, 0700), 0);
	f->spec->user = "joe";
	f->spec->cwd = "/root"; /* as with other engines: entered before root's rights go */
	prints(f, "echo in", "in\n");
}

static void test_environment(void **state)
{
	struct fixture *f = fixture_of(state);
	char a[] = "A=1", home[] = "HOME=/mine", *one[] = { a, NULL }, *two[] = { a, home, NULL };

	setenv("MRGT_SECRET", "x", 1);
	f->spec->env = one;
	prints(f, "echo $A $HOME [$MRGT_SECRET]", "1 /root []\n");
	f->spec->env = two;
	prints(f, "echo $HOME", "/mine\n");
	f->spec->env = NULL;
	unsetenv("MRGT_SECRET");
}

static void test_umask(void **state)
{
	struct fixture *f = fixture_of(state);

	prints(f, "umask", "0022\n");
	f->spec->umask = 0077;
	mrg_fields_add(&f->spec->set, MRG_FIELD_UMASK);
	prints(f, "umask", "0077\n");
}

static void test_limits(void **state)
{
	struct mrg_rlimit limits[] = {
		{ .type = "RLIMIT_NOFILE", .soft = 64, .hard = 128 },
		{ .type = "RLIMIT_CORE", .soft = 0, .hard = UINT64_MAX },
	};
	struct fixture *f = fixture_of(state);

	f->spec->rlimits.item = limits;
	f->spec->rlimits.n = 2;
	prints(f, "ulimit -Sn; ulimit -Hn; ulimit -Sc", "64\n128\n0\n");
}

static void test_limits_that_cannot_be_raised(void **state)
{
	struct mrg_rlimit limit = { .type = "RLIMIT_NOFILE", .soft = 100, .hard = 1 << 30 };
	struct fixture *f = fixture_of(state);
	static struct result result;
	struct rlimit now;

	getrlimit(RLIMIT_NOFILE, &now);
	f->spec->rlimits.item = &limit;
	f->spec->rlimits.n = 1;
	fixture_run(f, "ulimit -Sn", NULL, &result);
	assert_int_equal(result.r, 0);
	assert_string_equal(result.out, "100\n");
	limit = (struct mrg_rlimit){ .type = "RLIMIT_WHATEVER" };
	fixture_run(f, "ulimit -Sn", NULL, &result);
	assert_non_null(strstr(result.err.message, "RLIMIT_WHATEVER"));
}

static void test_oom_score(void **state)
{
	struct fixture *f = fixture_of(state);

	f->spec->oom_score_adj = 500;
	mrg_fields_add(&f->spec->set, MRG_FIELD_OOM_SCORE_ADJ);
	prints(f, "cat /proc/self/oom_score_adj", "500\n");
}

static void test_own_session(void **state)
{
	struct fixture *f = fixture_of(state);
	char pgrp[16], session[16], pid[16];
	static struct result result;

	/* Fields 1, 5 and 6 of stat: the shell leads its group and its session. */
	fixture_run(f, "read a b c d e g rest < /proc/self/stat; echo $e $g $$", NULL, &result);
	assert_int_equal(result.r, 0);
	assert_int_equal(sscanf(result.out, "%15s %15s %15s", pgrp, session, pid), 3);
	assert_string_equal(pgrp, session);
	assert_string_equal(session, pid);
}

static void wait_for_file(const struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", f->root, name);
	WAIT_FOR(access(path, F_OK) == 0);
}

/* The monitor is a child of ours, killed when the command runs. */
static void test_command_outlives_its_monitor(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;
	pid_t monitor;

	f->spec->user = "joe"; /* changing ids makes the kernel forget what execute() then must not set for good */
	chmod(f->root, 0777);
	monitor = fork();
	if (monitor == 0) {
		fixture_run(f, ": > /started; while [ ! -e /go ]; do sleep 0.01; done; : > /alive", NULL, &result);
		_exit(0);
	}
	wait_for_file(f, "/started");
	kill(monitor, SIGKILL);
	waitpid(monitor, NULL, 0);
	fixture_file(f, "/go", "", 0644);
	wait_for_file(f, "/alive");
}

static void test_user_can_reopen_stdout(void **state)
{
	struct fixture *f = fixture_of(state);

	f->spec->user = "joe";
	prints(f, "echo again > /proc/self/fd/1", "again\n");
}

static void test_not_found(void **state)
{
	char path[] = "PATH=/sbin:/bin", *env[] = { path, NULL };
	struct fixture *f = fixture_of(state);

	f->spec->env = env;
	fails_name(f, "nonesuch", -MRG_E_NO_COMMAND, "'nonesuch' not found in the container (PATH=/sbin:/bin)");
	fails_name(f, "/bin/nonesuch", -MRG_E_NO_COMMAND, "'/bin/nonesuch' not found in the container");
	fails_name(f, "/bin/busybox/x", -MRG_E_NO_COMMAND, "not found");
	fails_name(f, "", -MRG_E_NO_COMMAND, "not found");
	f->spec->env = NULL;
}

static void test_not_executable(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_file(f, "/bin/plain", "#!/bin/sh\n", 0644);
	fixture_file(f, "/bin/orphan", "#!/bin/nonesuch -x\n", 0755);
	fixture_file(f, "/bin/text", "hello there\n", 0755);
	fixture_file(f, "/bin/private", "#!/bin/sh\n", 0700);
	fixture_file(f, "/bin/foreign", "\177ELF\002\001\001 this is no program of ours                                        ", 0755);
	fails_name(f, "/bin/plain", -MRG_E_NOT_EXECUTABLE, "permission denied");
	fails_name(f, "plain", -MRG_E_NOT_EXECUTABLE, "permission denied");
	fails_name(f, "/tmp", -MRG_E_NOT_EXECUTABLE, "is a directory");
	fails_name(f, "/bin/orphan", -MRG_E_NOT_EXECUTABLE, "interpreter '/bin/nonesuch' of script '/bin/orphan' is missing");
	fails_name(f, "/bin/text", -MRG_E_NOT_EXECUTABLE, "neither a program nor a script");
	fails_name(f, "/bin/foreign", -MRG_E_NOT_EXECUTABLE, "another architecture");
	f->spec->user = "joe";
	fails_name(f, "/bin/private", -MRG_E_NOT_EXECUTABLE, "permission denied");
}

static void test_missing_loader(void **state)
{
	struct fixture *f = fixture_of(state);
	_cleanup_fclose_ FILE *from = fopen("/usr/bin/env", "re");
	static char data[1 << 20];
	size_t n = from ? fread(data, 1, sizeof(data), from) : 0;
	char path[256];
	FILE *to;

	/* A dynamic program of the host in a root without a C library. */
	snprintf(path, sizeof(path), "%s/bin/dynamic", f->root);
	to = fopen(path, "we");
	assert_non_null(to);
	assert_int_equal(fwrite(data, 1, n, to), n);
	assert_int_equal(fchmod(fileno(to), 0755), 0);
	fclose(to);
	fails_name(f, "/bin/dynamic", -MRG_E_NOT_EXECUTABLE, "of program '/bin/dynamic' is missing");
}

static void test_path_search(void **state)
{
	char path[] = "PATH=/tmp:/bin", *env[] = { path, NULL };
	struct fixture *f = fixture_of(state);
	char name[] = "which-one", *args[] = { name, NULL };
	static struct result result;

	fixture_file(f, "/tmp/which-one", "#!/bin/sh\necho tmp\n", 0644); /* not executable: passed over */
	fixture_file(f, "/bin/which-one", "#!/bin/sh\necho bin\n", 0755);
	f->spec->env = env;
	f->spec->args = args;
	fixture_run(f, NULL, NULL, &result);
	assert_int_equal(result.r, 0);
	assert_string_equal(result.out, "bin\n");
	f->spec->env = NULL;
	f->spec->args = NULL;
}

static void test_boot(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];
	static struct result result;

	f->spec->boot = 1;
	fixture_run(f, NULL, NULL, &result);
	assert_int_equal(result.r, -MRG_E_NO_COMMAND);
	assert_non_null(strstr(result.err.message, "no init"));
	snprintf(path, sizeof(path), "%s/sbin", f->root);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_file(f, "/sbin/init", "#!/bin/sh\necho init $0\n", 0755);
	fixture_run(f, NULL, NULL, &result);
	assert_int_equal(result.r, 0);
	assert_string_equal(result.out, "init /sbin/init\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exit_status, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_inherited_descriptors, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_cwd_through_descriptors_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_cwd, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_cwd_of_the_user, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_environment, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_umask, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_limits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_limits_that_cannot_be_raised, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_oom_score, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_own_session, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_command_outlives_its_monitor, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_user_can_reopen_stdout, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_not_found, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_not_executable, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_missing_loader, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_path_search, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_boot, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
