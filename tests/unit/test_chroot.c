/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chroot backend from start to destroy, and exec into what it started. */

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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <moorage/backend.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/patience.h"
#include "tests/unit/process_fixture.h"

extern const struct mrg_backend mrg_backend_v0;
static const struct mrg_backend *const chroot_backend = &mrg_backend_v0;

struct container {
	struct fixture f;
	struct mrg_process process;
	int out;			/* what it prints */
};

static int setup(void **state)
{
	struct container *c;
	static int serial;
	static char name[32], id[17];
	static struct mrg_mount mounts[2];

	if (fixture_reason())
		return 0;
	c = calloc(1, sizeof(*c));
	*state = c;
	if (!c || fixture_open(&c->f) < 0)
		return -1;
	snprintf(name, sizeof(name), "mrgt-chroot-%d", serial++);
	snprintf(id, sizeof(id), "%016x", (unsigned int)getpid());
	c->f.unit.name = name;
	c->f.unit.id = id;
	c->f.spec->cgroups_path = "/mrgt-chroot";
	mounts[0] = (struct mrg_mount){ .destination = "/proc", .type = "proc", .source = "proc" };
	mounts[1] = (struct mrg_mount){ .destination = "/dev/pts", .type = "devpts", .source = "devpts" };
	c->f.spec->mounts.item = mounts;
	c->f.spec->mounts.n = 2;
	mrg_fields_add(&c->f.spec->set, MRG_FIELD_MOUNTS);
	mrg_fields_add(&c->f.spec->set, MRG_FIELD_CGROUPS_PATH);
	c->out = -1;
	return 0;
}

static int teardown(void **state)
{
	struct container *c = *state;
	struct mrg_exit ended;

	if (!c)
		return 0;
	chroot_backend->cleanup(NULL, &c->f.unit, &ended, NULL);
	fd_close(c->out);
	fixture_close(&c->f);
	free(c);
	return 0;
}

static struct container *container(void **state)
{
	struct mrg_probe probe;
	struct mrg_error err;

	if (!*state || chroot_backend->probe(NULL, &probe, &err) < 0) {
		print_message("skipped: %s\n", *state ? err.message : fixture_reason());
		skip();
	}
	return *state;
}

static int start(struct container *c, const char *script, struct mrg_error *err)
{
	char sh[] = "/bin/sh", option[] = "-c", *args[] = { sh, option, (char *)(uintptr_t)script, NULL };
	struct mrg_stdio io = { .in = open("/dev/null", O_RDONLY | O_CLOEXEC), .master = -1 };
	int fds[2], r;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	io.out = io.err = fds[1];
	c->f.spec->args = args;
	r = chroot_backend->start(NULL, &c->f.unit, &io, &c->process, err);
	c->f.spec->args = NULL;
	close(io.in);
	close(fds[1]);
	c->out = fds[0];
	if (r == 0)
		c->f.unit.process = &c->process;
	return r;
}

static void started(struct container *c, const char *script)
{
	struct mrg_error err = { 0 };

	if (start(c, script, &err) < 0)
		fail_msg("%s", err.message);
}

static void ended(struct container *c, char *output, size_t size)
{
	ssize_t n = fd_read_all(c->out, output, size - 1);

	output[n > 0 ? n : 0] = '\0';
	waitpid(c->process.pid, NULL, 0);
	close(c->process.pidfd);
	c->f.unit.process = NULL;
}

static void killed(struct container *c)
{
	assert_int_equal(chroot_backend->kill(NULL, &c->f.unit, SIGKILL, 1, NULL), 0);
	waitpid(c->process.pid, NULL, 0);
	close(c->process.pidfd);
	c->f.unit.process = NULL;
}

static int execute(struct container *c, const char *script, int terminal, char *output, size_t size)
{
	char sh[] = "/bin/sh", option[] = "-c", *args[] = { sh, option, (char *)(uintptr_t)script, NULL };
	struct mrg_command command = { .args = args };
	struct mrg_stdio io = { .in = -1, .out = -1, .err = -1, .terminal = terminal, .master = -1 };
	struct mrg_process process;
	struct mrg_error err = { 0 };
	int fds[2] = { -1, -1 }, status;
	ssize_t n;

	if (!terminal) {
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		io.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		io.out = io.err = fds[1];
	}
	if (chroot_backend->exec(NULL, &c->f.unit, &command, &io, &process, &err) < 0)
		fail_msg("%s", err.message);
	fd_close(io.in);
	fd_close(fds[1]);
	assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
	/* A master whose slave is gone gives EIO after what was written. */
	n = read(terminal ? io.master : fds[0], output, size - 1);
	output[n > 0 ? n : 0] = '\0';
	close(process.pidfd);
	fd_close(fds[0]);
	fd_close(io.master);
	return status;
}

static void test_runs_in_the_root(void **state)
{
	struct container *c = container(state);
	char output[4096];

	started(c, "cat /etc/group; ls /; echo $HOME");
	ended(c, output, sizeof(output));
	assert_non_null(strstr(output, "wheel:x:10:joe,ann"));
	assert_null(strstr(output, "usr"));
	assert_non_null(strstr(output, "/root"));
}

static void test_host_mounts_are_gone(void **state)
{
	struct container *c = container(state);
	char output[8192];

	started(c, "cat /proc/self/mounts");
	ended(c, output, sizeof(output));
	assert_null(strstr(output, "/sys/fs/cgroup"));
	assert_null(strstr(output, "unreachable"));
}

static void test_states(void **state)
{
	struct container *c = container(state);
	struct mrg_exit ended_;

	assert_int_equal(chroot_backend->state(NULL, &c->f.unit, NULL), MRG_STATE_CREATED);
	started(c, "sleep 100");
	assert_int_equal(chroot_backend->state(NULL, &c->f.unit, NULL), MRG_STATE_RUNNING);
	assert_int_equal(chroot_backend->pause(NULL, &c->f.unit, NULL), 0);
	assert_int_equal(chroot_backend->state(NULL, &c->f.unit, NULL), MRG_STATE_PAUSED);
	assert_int_equal(chroot_backend->resume(NULL, &c->f.unit, NULL), 0);
	killed(c);
	assert_int_equal(chroot_backend->cleanup(NULL, &c->f.unit, &ended_, NULL), 0);
	assert_int_equal(chroot_backend->destroy(NULL, &c->f.unit, NULL), 0);
}

static void test_nothing_survives(void **state)
{
	struct container *c = container(state);
	struct mrg_exit ended_;
	struct pollfd other = { .events = POLLIN };
	char output[64];

	/* What a shell gives to a command in the background, which else ends at once. */
	fixture_file(&c->f, "/dev/null", "", 0644);
	started(c, "sleep 1000 & echo $!; exec sleep 1000");
	output[read(c->out, output, sizeof(output) - 1)] = '\0';
	other.fd = (int)syscall(SYS_pidfd_open, atoi(output), 0);
	assert_true(other.fd >= 0);
	assert_int_equal(poll(&other, 1, 0), 0);
	kill(c->process.pid, SIGKILL);
	waitpid(c->process.pid, NULL, 0);
	close(c->process.pidfd);
	assert_int_equal(chroot_backend->cleanup(NULL, &c->f.unit, &ended_, NULL), 0);
	/* It leaves its cgroup a moment before it is dead. */
	assert_int_equal(poll(&other, 1, PATIENCE_MS), 1);
	close(other.fd);
}

static void test_command_not_found(void **state)
{
	struct container *c = container(state);
	struct mrg_error err = { 0 };
	char *args[] = { (char[]){ "nonesuch" }, NULL };
	struct mrg_stdio io = { .in = 0, .out = 1, .err = 2, .master = -1 };

	c->f.spec->args = args;
	assert_int_equal(chroot_backend->start(NULL, &c->f.unit, &io, &c->process, &err), -MRG_E_NO_COMMAND);
	assert_non_null(strstr(err.message, "'nonesuch'"));
	assert_int_equal(chroot_backend->state(NULL, &c->f.unit, NULL), MRG_STATE_CREATED);
	c->f.spec->args = NULL;
}

static void test_exec(void **state)
{
	struct container *c = container(state);
	char output[4096];
	int status;

	started(c, "sleep 100");
	status = execute(c, "cat /etc/passwd; exit 7", 0, output, sizeof(output));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_non_null(strstr(output, "joe:x:1000"));
	/* 3 is what ls itself opens. */
	execute(c, "ls /proc/self/fd", 0, output, sizeof(output));
	assert_string_equal(output, "0\n1\n2\n3\n");
	execute(c, "ls /", 0, output, sizeof(output));
	assert_null(strstr(output, "usr"));
	killed(c);
}

static void test_exec_has_the_policy(void **state)
{
	struct container *c = container(state);
	struct mrg_spec *spec = c->f.spec;
	static struct result result;
	char value[256];

	spec->no_new_privileges = 1;
	spec->seccomp_profile = "default";
	spec->cap_bounding = spec->cap_permitted = spec->cap_effective = 1;
	for (unsigned int i = MRG_FIELD_CAP_BOUNDING; i <= MRG_FIELD_CAP_AMBIENT; i++)
		mrg_fields_add(&spec->set, i);
	started(c, "sleep 100");
	execute(c, "cat /proc/self/status", 0, result.out, sizeof(result.out));
	assert_string_equal(status_field(&result, "NoNewPrivs", value), "1");
	assert_string_equal(status_field(&result, "Seccomp", value), "2");
	assert_string_equal(status_field(&result, "CapEff", value), "0000000000000001");
	assert_string_equal(status_field(&result, "CapBnd", value), "0000000000000001");
	killed(c);
}

static void test_exec_is_in_the_cgroup(void **state)
{
	struct container *c = container(state);
	static struct result result;

	started(c, "sleep 100");
	execute(c, "cat /proc/self/cgroup", 0, result.out, sizeof(result.out));
	assert_non_null(strstr(result.out, c->f.unit.id));
	killed(c);
}

static void test_exec_with_terminal(void **state)
{
	struct container *c = container(state);
	char output[4096];

	started(c, "sleep 100");
	execute(c, "tty", 1, output, sizeof(output));
	assert_non_null(strstr(output, "/dev/pts/"));
	killed(c);
}

static void test_start_with_terminal(void **state)
{
	char sh[] = "/bin/sh", option[] = "-c", script[] = "tty; busybox stty size; [ -c /dev/console ] && echo console";
	char *args[] = { sh, option, script, NULL }, output[4096];
	struct container *c = container(state);
	struct mrg_stdio io = { .in = -1, .out = -1, .err = -1, .terminal = 1, .master = -1 };
	struct mrg_error err = { 0 };
	size_t length = 0;
	ssize_t n;

	fixture_file(&c->f, "/dev/console", "", 0600);
	c->f.spec->args = args;
	c->f.spec->user = "joe";
	c->f.spec->console_height = 33;
	c->f.spec->console_width = 99;
	if (chroot_backend->start(NULL, &c->f.unit, &io, &c->process, &err) < 0)
		fail_msg("%s", err.message);
	waitpid(c->process.pid, NULL, 0);
	while ((n = read(io.master, output + length, sizeof(output) - 1 - length)) > 0)
		length += (size_t)n;
	output[length] = '\0';
	close(c->process.pidfd);
	close(io.master);
	c->f.spec->args = NULL;
	assert_non_null(strstr(output, "/dev/pts/"));
	assert_non_null(strstr(output, "33 99"));
	assert_non_null(strstr(output, "console"));
}

static void test_no_terminal_without_devpts(void **state)
{
	char *args[] = { (char[]){ "/bin/true" }, NULL };
	struct container *c = container(state);
	struct mrg_stdio io = { .in = -1, .out = -1, .err = -1, .terminal = 1, .master = -1 };
	struct mrg_error err = { 0 };

	c->f.spec->args = args;
	c->f.spec->mounts.n = 1;
	assert_true(chroot_backend->start(NULL, &c->f.unit, &io, &c->process, &err) < 0);
	assert_non_null(strstr(err.message, "the container has no /dev/pts: cannot give it a terminal"));
	c->f.spec->args = NULL;
}

static void test_exec_when_not_running(void **state)
{
	struct container *c = container(state);
	char *args[] = { (char[]){ "true" }, NULL };
	struct mrg_command command = { .args = args };
	struct mrg_stdio io = { .in = 0, .out = 1, .err = 2, .master = -1 };
	struct mrg_process process;

	assert_int_equal(chroot_backend->exec(NULL, &c->f.unit, &command, &io, &process, NULL), -MRG_E_NOT_RUNNING);
}

static int collect(const char *text, void *data)
{
	strcat(data, text);
	strcat(data, "\n");
	return 0;
}

static void test_explain(void **state)
{
	struct container *c = container(state);
	char *args[] = { (char[]){ "echo" }, (char[]){ "it's" }, NULL };
	char text[8192] = "";

	c->f.spec->args = args;
	assert_int_equal(chroot_backend->explain(NULL, &c->f.unit, collect, text, NULL), 0);
	assert_non_null(strstr(text, "unshare --mount"));
	assert_non_null(strstr(text, "chroot \"$root\" echo 'it'\\''s'"));
	c->f.spec->args = NULL;
}

static void test_refuses_to_join_a_mount_namespace(void **state)
{
	struct container *c = container(state);
	struct mrg_error err = { 0 };

	c->f.spec->ns_mount = "/proc/1/ns/mnt";
	assert_int_equal(chroot_backend->check(NULL, c->f.spec, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "/proc/1/ns/mnt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs_in_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_mounts_are_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_has_the_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_is_in_the_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_with_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_with_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_terminal_without_devpts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_when_not_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_to_join_a_mount_namespace, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
