/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups are made, limit and vanish: on this host as it is, and as hosts with v1 or v2 alone see theirs. */

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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/unit/cgroup_fixture.h"

/* ---- making and removing ---- */

static void cleanup_leaves_nothing_and_may_come_again(void **state)
{
	struct fixture *f = *state;

	fixture_create(f);
	assert_true(view_count(f->parent) > 0);
	fixture_clean(f, 0);
	fixture_clean(f, 0);
}

static void cleanup_kills_what_is_left(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	fixture_create(f);
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	fixture_clean(f, 0);
	assert_int_equal(fixture_status_of(pid), SIGKILL);
}

static void destroy_refuses_while_something_runs(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	fixture_create(f);
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_destroy(NULL, &f->unit, NULL), -MRG_E_STATE);
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	fixture_status_of(pid);
	assert_int_equal(mrg_helper_cgroup_destroy(NULL, &f->unit, NULL), 0);
	assert_int_equal(view_count(f->parent), 0);
}

static void create_clears_an_earlier_life(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	fixture_create(f);
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	mrg_helper_cgroup_entry_close(&f->entry);
	fixture_create(f);
	assert_int_equal(fixture_status_of(pid), SIGKILL);
	assert_int_equal(fixture_state_of(f), MRG_STATE_CREATED);
	fixture_clean(f, 0);
}

/* As an init in a container does that takes the host's tree for its own. */
static void remove_tracking_directory(const struct fixture *f)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;

	assert_int_equal(cgroup_open(&cg, &f->unit, true, NULL), 0);
	assert_int_equal(unlinkat(cg.tracker->root, cg.path, AT_REMOVEDIR), 0);
}

static void others_may_remove_the_tracking_directory(void **state)
{
	struct fixture *f = *state;

	fixture_create(f);
	remove_tracking_directory(f);
	mrg_helper_cgroup_entry_close(&f->entry);
	fixture_create(f);
	remove_tracking_directory(f);
	fixture_clean(f, 0);
}

static void nested_cgroups_are_removed(void **state)
{
	struct fixture *f = *state;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	pid_t pid;

	fixture_create(f);
	assert_int_equal(cgroup_open(&cg, &f->unit, false, NULL), 0);
	for (size_t i = 0; i < cg.n; i++)
		if (cg.item[i].dir >= 0) {
			assert_int_equal(mkdirat(cg.item[i].dir, "a", 0755), 0);
			assert_int_equal(mkdirat(cg.item[i].dir, "a/b", 0755), 0);
		}
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	if (f->has.unified) {
		char text[16];

		snprintf(text, sizeof(text), "%d", pid);
		assert_int_equal(fd_write_file(cg.tracker->dir, "a/b/cgroup.procs", text), 0);
	}
	assert_int_equal(fixture_state_of(f), MRG_STATE_RUNNING);
	fixture_clean(f, 0);
	assert_int_equal(fixture_status_of(pid), SIGKILL);
}

static void a_parent_of_somebody_else_stays(void **state)
{
	struct fixture *f = *state;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct mrg_exit result;
	struct cgroup_hierarchy *h;

	assert_int_equal(cgroup_open(&cg, &f->unit, false, NULL), 0);
	h = cg.tracker;
	assert_int_equal(mkdirat(h->root, f->parent, 0755), 0);
	fixture_create(f);
	assert_int_equal(mrg_helper_cgroup_cleanup(NULL, &f->unit, &result, NULL), 0);
	assert_int_equal(view_count(f->parent), 1);
	assert_int_equal(unlinkat(h->root, f->parent, AT_REMOVEDIR), 0);
}

static void a_refused_limit_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct mrg_io_limit limit = { 4095, 77, 1000 };
	struct mrg_error err = { 0 };

	f->spec.io_read_bps.item = &limit;
	f->spec.io_read_bps.n = 1;
	mrg_fields_add(&f->spec.set, MRG_FIELD_IO_READ_BPS);
	assert_true(mrg_helper_cgroup_create(&f->unit, &f->entry, &err) < 0);
	assert_non_null(strstr(err.message, "throttleReadBpsDevice"));
	assert_int_equal(view_count(f->parent), 0);
}

static void a_missing_controller_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct mrg_error err = { 0 };

	fixture_ask_memory(&f->spec, 64 * MIB);
	assert_int_equal(mrg_helper_cgroup_create(&f->unit, &f->entry, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "no memory controller"));
	assert_int_equal(view_count(f->parent), 0);
}

static int life(int number)
{
	struct mrg_cgroup_entry entry = MRG_CGROUP_ENTRY_INIT;
	struct mrg_spec spec = { 0 };
	struct mrg_exit result;
	struct mrg_error err = { 0 };
	char id[17], path[64];
	struct mrg_unit unit = { .name = "mrgt-many", .id = id, .spec = &spec, .dir = -1 };
	int r;

	snprintf(id, sizeof(id), "%016x", (unsigned int)number);
	snprintf(path, sizeof(path), "mrgt-many-%d", getppid());
	spec.cgroups_path = path;
	mrg_fields_add(&spec.set, MRG_FIELD_CGROUPS_PATH);
	for (int i = 0; i < 5; i++) {
		r = mrg_helper_cgroup_create(&unit, &entry, &err);
		if (r == 0) {
			view_spawn(&entry, fixture_sleep_long, NULL);
			mrg_helper_cgroup_entry_close(&entry);
			while (mrg_helper_cgroup_state(NULL, &unit, NULL) != MRG_STATE_RUNNING)
				usleep(1000);
			r = mrg_helper_cgroup_cleanup(NULL, &unit, &result, &err);
		}
		if (r < 0) {
			print_error("%s\n", err.message);
			return 1;
		}
	}
	return 0;
}

static void a_hundred_at_once_leave_nothing(void **state _unused_)
{
	char path[64];
	int failed = 0;

	for (int i = 0; i < 100; i++) {
		fflush(NULL);
		if (fork() == 0)
			_exit(life(i));
	}
	for (int i = 0; i < 100; i++) {
		int status;

		failed += wait(&status) < 0 || status != 0;
	}
	assert_int_equal(failed, 0);
	snprintf(path, sizeof(path), "mrgt-many-%d", getpid());
	assert_int_equal(view_count(path), 0);
}

/* ---- state ---- */

static void state_follows_the_processes(void **state)
{
	struct fixture *f = *state;
	siginfo_t info;
	pid_t pid;

	assert_int_equal(fixture_state_of(f), MRG_STATE_CREATED);
	fixture_create(f);
	assert_int_equal(fixture_state_of(f), MRG_STATE_CREATED);
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(fixture_state_of(f), MRG_STATE_CREATED);	/* only a zombie is there */
	assert_int_equal(fd_replace_file(f->unit.dir, "exit.json", "{}", 2, false), 0);
	assert_int_equal(fixture_state_of(f), MRG_STATE_STOPPED);
	fixture_clean(f, 0);
	assert_int_equal(fixture_state_of(f), MRG_STATE_STOPPED);
}

/* ---- limits ---- */

static void memory_limit_kills_and_is_reported(void **state)
{
	struct fixture *f = *state;
	size_t size = 128 * MIB;
	pid_t pid;

	fixture_ask_memory(&f->spec, 64 * MIB);
	fixture_create(f);
	pid = view_spawn(&f->entry, fixture_touch_memory, &size);
	assert_int_equal(fixture_status_of(pid), SIGKILL);
	fixture_clean(f, 1);
}

static void memory_below_the_limit_is_left_alone(void **state)
{
	struct fixture *f = *state;
	size_t size = 16 * MIB;

	fixture_ask_memory(&f->spec, 64 * MIB);
	fixture_create(f);
	assert_int_equal(fixture_status_of(view_spawn(&f->entry, fixture_touch_memory, &size)), 0);
	fixture_clean(f, 0);
}

static void pids_limit_stops_the_eleventh_process(void **state)
{
	struct fixture *f = *state;
	int status;

	f->spec.pids_limit = 10;
	mrg_fields_add(&f->spec.set, MRG_FIELD_PIDS_LIMIT);
	fixture_create(f);
	status = fixture_status_of(view_spawn(&f->entry, fixture_fork_many, NULL));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 10);
	fixture_clean(f, 0);
}

static void cpu_quota_gives_half_a_core(void **state)
{
	struct fixture *f = *state;
	uint64_t used, percent = 0;
	int64_t outer, inner;

	f->spec.cpu_quota = 50000;
	f->spec.cpu_period = 100000;
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPU_QUOTA);
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPU_PERIOD);
	/* Before other work of the machine. */
	f->spec.cpu_shares = 102400;
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPU_SHARES);
	fixture_create(f);
	fixture_spawn_running(f, fixture_spin, NULL);
	/* Never more; less only when that takes the processor all the same, hence the tries. Time may pass between a look at the clock and one
	 * at what was used: all that was used was so in the outer time, and all that was used in the inner time is counted. */
	for (int tries = 0; tries < 12 && percent < 35; tries++) {
		outer = time_monotonic_ns();
		used = fixture_cpu_ns(f);
		inner = time_monotonic_ns();
		usleep(1500000);
		inner = time_monotonic_ns() - inner;
		used = fixture_cpu_ns(f) - used;
		outer = time_monotonic_ns() - outer;
		assert_in_range(used * 100 / (uint64_t)outer, 0, 65);
		percent = used * 100 / (uint64_t)inner;
	}
	assert_true(percent >= 35);
	fixture_clean(f, 0);
}

static void cpuset_v1_takes_processes(void **state)
{
	struct fixture *f = *state;

	f->spec.cpuset_cpus = "0";
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPUSET_CPUS);
	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	fixture_clean(f, 0);
}

/* ---- cgroups of engines ---- */

static void the_cgroup_of_a_process_is_chosen(void **state _unused_)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "4:memory:/a\n3:devices:/b\n0::/c\n", "/c" },
		{ "4:memory:/a\n3:devices:/b\n0::/\n", "/b" },
		{ "4:memory:/a/init.scope\n", "/a" },
		{ "0::/a/.lxc/init.scope\n", "/a" },
		/* Of an init system at the top only what the engine has made is the container's. */
		{ "9:name=systemd:/init.scope\n5:devices:/init.scope\n3:cpuset:/machine/x\n0::/init.scope\n", "/machine/x" },
		{ "5:devices:/init.scope\n0::/system.slice\n", NULL },
		{ "5:devices:/\n0::/../x\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[128];
		const char *path;

		snprintf(text, sizeof(text), "%s", cases[i].text);
		path = cgroup_choose(text);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else
			assert_null(path);
	}
}

static void what_an_engine_made_is_completed(void **state)
{
	struct fixture *f = *state;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_free_ char *text = NULL;
	char path[CGROUP_PATH_SIZE + 1], name[32], line[CGROUP_PATH_SIZE + 32];
	struct mrg_unit inside = f->unit;
	struct mrg_process process = { .pidfd = -1 };

	fixture_create(f);
	process.pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(cgroup_open(&cg, &f->unit, false, NULL), 0);
	assert_true(cgroup_find(&cg, CGROUP_SYSTEMD, 1)->dir < 0);
	snprintf(path, sizeof(path), "/%s", cg.path);
	inside.cgroup = path;
	inside.process = &process;
	assert_int_equal(mrg_helper_cgroup_complete(&inside, NULL), 0);
	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)process.pid);
	assert_return_code(fd_read_virtual(AT_FDCWD, name, 1 << 20, &text, NULL), 0);
	snprintf(line, sizeof(line), ":name=systemd:%s\n", path);
	assert_non_null(strstr(text, line));
	/* Once more: there is nothing left to make. */
	assert_int_equal(mrg_helper_cgroup_complete(&inside, NULL), 0);
	fixture_clean(f, 0);
}

int main(int argc, char **argv)
{
	static const struct fixture_test tests[] = {
		FIXTURE_TEST(cleanup_leaves_nothing_and_may_come_again, 0, 0),
		FIXTURE_TEST(cleanup_kills_what_is_left, 0, 0),
		FIXTURE_TEST(destroy_refuses_while_something_runs, 0, 0),
		FIXTURE_TEST(create_clears_an_earlier_life, 0, 0),
		FIXTURE_TEST(others_may_remove_the_tracking_directory, 0, 0),
		FIXTURE_TEST(nested_cgroups_are_removed, 0, 0),
		FIXTURE_TEST(a_parent_of_somebody_else_stays, 0, 0),
		FIXTURE_TEST(a_refused_limit_leaves_nothing, 0, 0),
		FIXTURE_TEST(a_missing_controller_is_refused_by_name, 0, CGROUP_MEMORY),
		FIXTURE_TEST(a_hundred_at_once_leave_nothing, 0, 0),
		FIXTURE_TEST(state_follows_the_processes, 0, 0),
		FIXTURE_TEST(memory_limit_kills_and_is_reported, CGROUP_MEMORY, 0),
		FIXTURE_TEST(memory_below_the_limit_is_left_alone, CGROUP_MEMORY, 0),
		FIXTURE_TEST(pids_limit_stops_the_eleventh_process, CGROUP_PIDS, 0),
		FIXTURE_TEST(cpu_quota_gives_half_a_core, CGROUP_CPU, 0),
		FIXTURE_TEST(cpuset_v1_takes_processes, CGROUP_CPUSET, 0),
		FIXTURE_TEST(the_cgroup_of_a_process_is_chosen, 0, 0),
		FIXTURE_TEST(what_an_engine_made_is_completed, CGROUP_SYSTEMD, 0),
	};

	return fixture_main(argc, argv, tests, ARRAY_SIZE(tests));
}
