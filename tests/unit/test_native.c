/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the native backend, called directly with a unit made by hand. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/util/fd.h"
#include "tests/unit/root_fixture.h"

extern const struct mrg_backend mrg_backend_v0;

static const char *const applets[] = {
	"sh", "cat", "hostname", "id", "ip", "ls", "mkdir", "readlink", "sleep", "touch", "true", "tty", "grep", NULL
};

struct fixture {
	void *self;			/* an instance of the backend; NULL: none */
	struct root_fixture f;
	struct mrg_spec *spec;
	struct mrg_unit unit;
	struct mrg_error err;
	struct mrg_fields able;
	char id[17];
	char output[8192];
};

static const char *missing(struct mrg_fields *ret)
{
	struct mrg_probe probe;

	if (geteuid() != 0)
		return "containers need root";
	if (access("/bin/busybox", X_OK) < 0)
		return "there is no busybox";
	if (mrg_backend_v0.probe(NULL, &probe, NULL) < 0)
		return "the backend does not work here";
	*ret = probe.fields;
	return NULL;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	*state = x;
	if (!x || root_fixture_init(&x->f) < 0)
		return -1;
	if (missing(&x->able))
		return 0;
	snprintf(x->id, sizeof(x->id), "%08x%08x", (unsigned int)getpid(), (unsigned int)random());
	x->spec = mrg_spec_new();
	x->unit = (struct mrg_unit){ .name = "mrgt-native", .id = x->id, .spec = x->spec, .dir = -1 };
	return root_fixture_busybox(&x->f, applets);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	if (x->self)
		mrg_backend_v0.close(x->self);
	root_fixture_deinit(&x->f);
	mrg_spec_free(x->spec);
	free(x);
	return 0;
}

static void set(struct fixture *x, enum mrg_field field, const char *text)
{
	if (mrg_spec_set(x->spec, field, text, &x->err) < 0)
		fail_msg("%s", x->err.message);
}

/* A spec that runs @script, with the defaults for what the test has not set. */
static void complete(struct fixture *x, const char *script)
{
	const char *reason = missing(&x->able);

	if (reason) {
		print_message("# SKIP %s\n", reason);
		skip();
	}
	if (!x->spec->root_path)
		set(x, MRG_FIELD_ROOT_PATH, x->f.root);
	if (!x->spec->args) {
		set(x, MRG_FIELD_ARGS, "/bin/sh");
		set(x, MRG_FIELD_ARGS, "-c");
		set(x, MRG_FIELD_ARGS, script);
	}
	set(x, MRG_FIELD_INIT, "no");
	assert_int_equal(mrg_spec_default(x->spec, &x->able, &x->err), 0);
	if (mrg_spec_check(x->spec, &x->err) < 0 || mrg_backend_v0.check(NULL, x->spec, &x->err) < 0)
		fail_msg("%s", x->err.message);
}

/* Starts it, keeps what it prints; the wait status, or what start returned. */
static int run(struct fixture *x, const char *script)
{
	struct mrg_stdio io = { .master = -1 };
	struct mrg_process process = { .pidfd = -1 };
	struct mrg_exit gone;
	int out[2], r, status = -1;
	ssize_t n;

	complete(x, script);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	io.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	io.out = io.err = out[1];
	r = mrg_backend_v0.start(x->self, &x->unit, &io, &process, &x->err);
	close(io.in);
	close(out[1]);
	n = fd_read_all(out[0], x->output, sizeof(x->output) - 1);
	x->output[n > 0 ? n : 0] = '\0';
	close(out[0]);
	if (r < 0)
		return r;
	assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
	close(process.pidfd);
	assert_int_equal(mrg_backend_v0.cleanup(NULL, &x->unit, &gone, &x->err), 0);
	return status;
}

static void expect(struct fixture *x, const char *script, const char *output)
{
	int r = run(x, script);

	if (r != 0)
		fail_msg("%d: %s\n%s", r, x->err.message, x->output);
	assert_string_equal(x->output, output);
}

/* ---- what a container is ---------------------------------------------------------------- */

static void is_process_one(void **state)
{
	/* The shell alone: other processes would come and go. */
	expect(*state, "echo $$ /proc/[0-9]*", "1 /proc/1\n");
}

static void has_its_own_host_name(void **state)
{
	struct fixture *x = *state;

	if (x->spec)
		set(x, MRG_FIELD_HOSTNAME, "mrgt-inside");
	expect(x, "hostname", "mrgt-inside\n");
}

static void namespaces_differ_from_the_hosts(void **state)
{
	static const char *const names[] = { "pid", "mnt", "uts", "ipc", "net", "cgroup" };
	struct fixture *x = *state;

	assert_int_equal(run(x, "for n in pid mnt uts ipc net cgroup; do readlink /proc/self/ns/$n; done"), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], own[64] = "";

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		assert_true(readlink(path, own, sizeof(own) - 1) > 0);
		assert_null(strstr(x->output, own));
		assert_non_null(strstr(x->output, names[i]));
	}
}

static void loopback_is_up(void **state)
{
	expect(*state, "ip addr show lo | grep -c 'inet 127.0.0.1/8'", "1\n");
}

static void nothing_of_the_host_is_mounted(void **state)
{
	expect(*state, "grep -c ' / / \\| /[^ ]* / ' /proc/self/mountinfo; ls -d /usr /root 2>/dev/null; true", "1\n");
}

static void only_its_own_files_are_open(void **state)
{
	expect(*state, "ls /proc/1/fd; true", "0\n1\n2\n");
}

static void sysctls_cannot_be_written(void **state)
{
	assert_int_equal(WEXITSTATUS(run(*state, "echo 1 > /proc/sys/kernel/panic")), 1);
}

static void sysctl_of_the_spec_is_set(void **state)
{
	struct fixture *x = *state;

	if (x->spec)
		set(x, MRG_FIELD_SYSCTL, "net.ipv4.ip_unprivileged_port_start=77");
	expect(x, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "77\n");
}

static void cgroup_is_its_own_root_and_readonly(void **state)
{
	expect(*state, "grep -v ':/$' /proc/self/cgroup; for d in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do mkdir ${d}x 2>/dev/null && echo $d; done; true", "");
}

static void exit_status_is_kept(void **state)
{
	int status = run(*state, "exit 42");

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void readonly_root(void **state)
{
	struct fixture *x = *state;

	if (x->spec)
		set(x, MRG_FIELD_ROOT_READONLY, "yes");
	expect(x, "touch /x 2>/dev/null || echo refused", "refused\n");
}

static void ephemeral_root(void **state)
{
	struct fixture *x = *state;
	char path[PATH_MAX];

	if (x->spec)
		set(x, MRG_FIELD_EPHEMERAL, "yes");
	expect(x, "touch /x && ls /x; grep -c ' / / ' /proc/self/mountinfo", "/x\n1\n");
	snprintf(path, sizeof(path), "%s/x", x->f.root);
	assert_int_equal(access(path, F_OK), -1);
}

static void the_host_as_root(void **state)
{
	struct fixture *x = *state;

	if (x->spec) {
		set(x, MRG_FIELD_ROOT_PATH, "/");
		set(x, MRG_FIELD_EPHEMERAL, "yes");
	}
	expect(x, "test -e /etc/passwd && echo passwd; ls /tmp /run | grep -v '^$'", "passwd\n/run:\n/tmp:\n");
}

static void user_namespace_maps_root_away(void **state)
{
	struct fixture *x = *state;
	char path[PATH_MAX];
	struct stat st;

	if (x->spec)
		set(x, MRG_FIELD_NS_USER, "private");
	expect(x, "id -u; touch /x; read a b c < /proc/self/uid_map; echo $a $c; test $b -ge 65536 && echo away", "0\n0 65536\naway\n");
	/* Through the id-mapped root, files keep the ids of the host. */
	snprintf(path, sizeof(path), "%s/x", x->f.root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void user_namespace_over_an_overlay(void **state)
{
	struct fixture *x = *state;

	if (x->spec) {
		set(x, MRG_FIELD_NS_USER, "private");
		set(x, MRG_FIELD_EPHEMERAL, "yes");
	}
	expect(x, "touch /x && ls -ln /x | { read a b c d e; echo $c $d; }", "0 0\n");
}

static void joins_a_network_namespace(void **state)
{
	struct fixture *x = *state;
	char own[64] = "", want[80];

	if (x->spec)
		set(x, MRG_FIELD_NS_NETWORK, "/proc/self/ns/net");
	assert_true(readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0);
	snprintf(want, sizeof(want), "%s\n", own);
	expect(x, "readlink /proc/self/ns/net", want);
}

/* The first start takes it, the second makes its own; we are where we were. */
static void a_network_namespace_made_ahead_is_used(void **state)
{
	struct fixture *x = *state;
	char before[64] = "", after[64] = "", first[sizeof(x->output)];

	assert_int_equal(mrg_backend_v0.open(NULL, &x->self, &x->err), 0);
	assert_true(readlink("/proc/self/ns/net", before, sizeof(before) - 1) > 0);
	assert_int_equal(mrg_backend_v0.ready(x->self, &x->err), 0);
	assert_true(readlink("/proc/self/ns/net", after, sizeof(after) - 1) > 0);
	assert_string_equal(before, after);
	assert_int_equal(run(x, "readlink /proc/self/ns/net; ip addr show lo | grep -c 'inet 127.0.0.1/8'"), 0);
	memcpy(first, x->output, sizeof(first));
	assert_non_null(strstr(first, "]\n1\n"));
	assert_null(strstr(first, before));
	assert_int_equal(run(x, "readlink /proc/self/ns/net; ip addr show lo | grep -c 'inet 127.0.0.1/8'"), 0);
	assert_non_null(strstr(x->output, "]\n1\n"));
}

static void has_a_terminal(void **state)
{
	struct fixture *x = *state;
	struct mrg_stdio io = { .in = -1, .out = -1, .err = -1, .terminal = 1, .master = -1 };
	struct mrg_process process;
	struct mrg_exit gone;
	char text[64] = "";
	size_t length = 0;
	ssize_t n = 1;

	if (x->spec)
		set(x, MRG_FIELD_TERMINAL, "yes");
	complete(x, "tty");
	assert_int_equal(mrg_backend_v0.start(NULL, &x->unit, &io, &process, &x->err), 0);
	/* A line and its end may come one after the other. */
	while (n > 0 && !strchr(text, '\n')) {
		n = read(io.master, text + length, sizeof(text) - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(waitpid(process.pid, NULL, 0), process.pid);
	close(process.pidfd);
	close(io.master);
	mrg_backend_v0.cleanup(NULL, &x->unit, &gone, NULL);
	assert_string_equal(text, "/dev/pts/0\r\n");
}

/* ---- what is refused -------------------------------------------------------------------- */

static void a_path_to_another_kind_of_namespace_is_refused(void **state)
{
	struct fixture *x = *state;

	if (x->spec)
		set(x, MRG_FIELD_NS_NETWORK, "/proc/self/ns/uts");
	assert_int_equal(run(x, "true"), -MRG_E_INVALID);
	assert_non_null(strstr(x->err.message, "'/proc/self/ns/uts'"));
}

static void a_missing_command_is_named(void **state)
{
	struct fixture *x = *state;

	if (x->spec)
		set(x, MRG_FIELD_ARGS, "/bin/nothing");
	assert_int_equal(run(x, NULL), -MRG_E_NO_COMMAND);
	assert_non_null(strstr(x->err.message, "/bin/nothing"));
}

static int find_cgroup(const struct fixture *x)
{
	static const char *const tops[] = {
		"/sys/fs/cgroup/moorage/", "/sys/fs/cgroup/unified/moorage-", "/sys/fs/cgroup/pids/moorage-",
	};
	char path[256];

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		snprintf(path, sizeof(path), "%smrgt-native-%s", tops[i], x->id);
		if (access(path, F_OK) == 0)
			return 1;
	}
	return 0;
}

static void a_failed_start_leaves_nothing(void **state)
{
	struct fixture *x = *state;
	struct mrg_mount mount = { .type = "tmpfs", .source = "tmpfs", .destination = "/data",
				   .options = (char *[]){ (char[]){ "nonsense=1" }, NULL } };

	if (x->spec)
		assert_int_equal(mrg_spec_add_mount(x->spec, &mount, NULL), 0);
	assert_true(run(x, "true") < 0);
	assert_non_null(strstr(x->err.message, "/data"));
	assert_false(find_cgroup(x));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void the_hosts_root_in_place_is_refused(void **state)
{
	struct fixture *x = *state;

	if (!x->spec)
		skip();
	set(x, MRG_FIELD_ROOT_PATH, "/");
	set(x, MRG_FIELD_ARGS, "/bin/true");
	assert_int_equal(mrg_spec_default(x->spec, &x->able, &x->err), 0);
	assert_int_equal(mrg_backend_v0.check(NULL, x->spec, &x->err), -MRG_E_UNSUPPORTED);
}

static int collect(const char *text, void *data)
{
	char *all = data;

	strncat(all, text, 8191 - strlen(all));
	strncat(all, "\n", 8191 - strlen(all));
	return 0;
}

static void explain_names_the_commands(void **state)
{
	struct fixture *x = *state;

	complete(x, "true");
	assert_int_equal(mrg_backend_v0.explain(NULL, &x->unit, collect, x->output, &x->err), 0);
	assert_non_null(strstr(x->output, "unshare --fork"));
	assert_non_null(strstr(x->output, "pivot_root"));
	assert_non_null(strstr(x->output, x->f.root));
}

#define LIVE(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LIVE(is_process_one),
		LIVE(has_its_own_host_name),
		LIVE(namespaces_differ_from_the_hosts),
		LIVE(loopback_is_up),
		LIVE(nothing_of_the_host_is_mounted),
		LIVE(only_its_own_files_are_open),
		LIVE(sysctls_cannot_be_written),
		LIVE(sysctl_of_the_spec_is_set),
		LIVE(cgroup_is_its_own_root_and_readonly),
		LIVE(exit_status_is_kept),
		LIVE(readonly_root),
		LIVE(ephemeral_root),
		LIVE(the_host_as_root),
		LIVE(user_namespace_maps_root_away),
		LIVE(user_namespace_over_an_overlay),
		LIVE(joins_a_network_namespace),
		LIVE(a_network_namespace_made_ahead_is_used),
		LIVE(has_a_terminal),
		LIVE(a_path_to_another_kind_of_namespace_is_refused),
		LIVE(a_missing_command_is_named),
		LIVE(a_failed_start_leaves_nothing),
		LIVE(the_hosts_root_in_place_is_refused),
		LIVE(explain_names_the_commands),
	};

	srandom((unsigned int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
