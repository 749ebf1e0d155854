/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs on a running container: update, stats, pause, kill, exec, devices; in the same views as test_cgroup. */

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
#include "tests/unit/patience.h"

static void read_limit(struct fixture *f, uint64_t *ret)
{
	struct mrg_stats stats;

	assert_int_equal(mrg_helper_cgroup_stats(NULL, &f->unit, &stats, NULL), 0);
	assert_true(stats.valid & 1 << MRG_STAT_MEMORY_LIMIT);
	*ret = stats.memory_limit;
}

static void update_raises_and_lowers_live(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec changes = { 0 };
	struct mrg_error err = { 0 };
	uint64_t limit;

	fixture_ask_memory(&f->spec, 64 * MIB);
	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	for (int mib = 256; mib >= 32; mib /= 8) {
		fixture_ask_memory(&changes, (int64_t)mib * MIB);
		if (mrg_helper_cgroup_update(NULL, &f->unit, &changes, &err) < 0)
			fail_msg("%s", err.message);
		read_limit(f, &limit);
		assert_int_equal(limit, (uint64_t)mib * MIB);
	}
	fixture_clean(f, 0);
}

static void a_failed_update_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct mrg_io_limit device = { 4095, 77, 1000 };
	struct mrg_spec changes = { .io_read_bps = { &device, 1 } };
	uint64_t limit;

	fixture_ask_memory(&f->spec, 64 * MIB);
	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	fixture_ask_memory(&changes, 256 * MIB);
	mrg_fields_add(&changes.set, MRG_FIELD_IO_READ_BPS);
	assert_true(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL) < 0);
	read_limit(f, &limit);
	assert_int_equal(limit, 64 * MIB);
	fixture_clean(f, 0);
}

static void update_refuses_what_is_no_limit(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec changes = { .hostname = "x" };
	struct mrg_error err = { 0 };

	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	mrg_fields_add(&changes.set, MRG_FIELD_HOSTNAME);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "hostname"));
}

static uint64_t memory_used(struct fixture *f, struct mrg_stats *ret)
{
	assert_int_equal(mrg_helper_cgroup_stats(NULL, &f->unit, ret, NULL), 0);
	return ret->memory;
}

static void stats_tell_what_is_used(void **state)
{
	struct fixture *f = *state;
	struct mrg_stats stats;
	size_t size = 20 * MIB;
	bool memory;

	fixture_create(f);
	fixture_spawn_running(f, fixture_touch_and_sleep, &size);
	memory = (f->has.v1 | f->has.v2) & CGROUP_MEMORY;
	WAIT_FOR(memory_used(f, &stats) >= size || !memory);
	assert_int_equal(stats.pids, 1);
	assert_true(stats.valid & 1 << MRG_STAT_CPU);
	if (memory) {
		assert_in_range(stats.memory, size, size + 20 * MIB);
		assert_true(stats.memory_peak >= size);
		assert_false(stats.valid & 1 << MRG_STAT_MEMORY_LIMIT);
		assert_true(stats.valid & 1 << MRG_STAT_OOM_KILLS);
		assert_int_equal(stats.oom_kills, 0);
	}
	assert_false(stats.valid & 1 << MRG_STAT_NET_SENT);
	fixture_clean(f, 0);
}

/* ---- freezing and killing ---- */

/* The kernel calls a process frozen a moment before it leaves the processor, and counts what it used there when it does. */
static bool is_at_rest(struct fixture *f)
{
	uint64_t before = fixture_cpu_ns(f);

	usleep(20000);
	return fixture_cpu_ns(f) == before;
}

static void pause_stops_and_resume_continues(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	fixture_create(f);
	fixture_spawn_running(f, fixture_spin, NULL);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 1);
	assert_int_equal(fixture_state_of(f), MRG_STATE_PAUSED);
	WAIT_FOR(is_at_rest(f));
	before = fixture_cpu_ns(f);
	usleep(200000);
	assert_in_range(fixture_cpu_ns(f) - before, 0, 2000000);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), 1);
	assert_int_equal(fixture_state_of(f), MRG_STATE_RUNNING);
	before = fixture_cpu_ns(f);
	WAIT_FOR(fixture_cpu_ns(f) - before >= 20000000);
	fixture_clean(f, 0);
}

static void verbs_on_nothing_say_not_running(void **state)
{
	struct fixture *f = *state;

	fixture_create(f);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGTERM, 0, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGKILL, 1, NULL), -MRG_E_NOT_RUNNING);
	fixture_clean(f, 0);
}

static void killing_all_reaches_all_even_frozen(void **state)
{
	struct fixture *f = *state;
	pid_t pid[3];

	fixture_create(f);
	for (int i = 0; i < 3; i++)
		pid[i] = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGKILL, 1, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fixture_status_of(pid[i]), SIGKILL);
	fixture_clean(f, 0);
}

static void a_signal_reaches_all(void **state)
{
	struct fixture *f = *state;
	pid_t pid[3];

	fixture_create(f);
	for (int i = 0; i < 3; i++)
		pid[i] = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGUSR1, 1, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fixture_status_of(pid[i]), SIGUSR1);
	fixture_clean(f, 0);
}

static void without_a_record_the_eldest_is_the_first(void **state)
{
	struct fixture *f = *state;
	pid_t first, second;

	fixture_create(f);
	first = fixture_spawn_running(f, fixture_sleep_long, NULL);
	usleep(30000);	/* start times count in hundredths of a second */
	second = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGTERM, 0, NULL), 0);
	assert_int_equal(fixture_status_of(first), SIGTERM);
	assert_int_equal(kill(second, 0), 0);
	assert_int_equal(waitpid(second, NULL, WNOHANG), 0);
	fixture_clean(f, 0);
}

static int collect(pid_t pid, void *data)
{
	pid_t *list = data;

	while (*list)
		list++;
	*list = pid;
	return 0;
}

static void processes_are_listed(void **state)
{
	struct fixture *f = *state;
	pid_t list[8] = { 0 }, pid;

	fixture_create(f);
	pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_processes(NULL, &f->unit, collect, list, NULL), 0);
	assert_int_equal(list[0], pid);
	assert_int_equal(list[1], 0);
	fixture_clean(f, 0);
}

/* A systemd inside moves itself down and enables controllers; then only its own leaf takes processes. */
static void exec_enters_the_leaf_of_the_first_process(void **state)
{
	struct fixture *f = *state;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_free_ char *text = NULL;
	struct mrg_process process = { .pidfd = -1 };
	char number[16], path[32];
	pid_t pid;

	fixture_create(f);
	process.pid = fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(cgroup_open(&cg, &f->unit, true, NULL), 0);
	assert_int_equal(mkdirat(cg.tracker->dir, "init.scope", 0755), 0);
	snprintf(number, sizeof(number), "%d", process.pid);
	assert_int_equal(fd_write_file(cg.tracker->dir, "init.scope/cgroup.procs", number), 0);
	f->unit.process = &process;
	mrg_helper_cgroup_entry_close(&f->entry);
	assert_int_equal(mrg_helper_cgroup_open(&f->unit, &f->entry, NULL), 0);
	pid = view_spawn(&f->entry, fixture_sleep_long, NULL);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	assert_int_equal(fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL), 0);
	assert_non_null(strstr(text, "/init.scope\n"));
	f->unit.process = NULL;
	fixture_clean(f, 0);
}

/* ---- devices ---- */

struct attempt {
	const char *path;
	int flags;
};

static int try_open(void *data)
{
	const struct attempt *attempt = data;
	int fd = open(attempt->path, attempt->flags | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int opened(struct fixture *f, const char *path, int flags)
{
	struct attempt attempt = { path, flags };
	int status = fixture_status_of(view_spawn(&f->entry, try_open, &attempt));

	return WEXITSTATUS(status);
}

static void set_rules(struct mrg_spec *spec, struct mrg_device_rule *rules, size_t n)
{
	spec->device_rules.item = rules;
	spec->device_rules.n = n;
	mrg_fields_add(&spec->set, MRG_FIELD_DEVICE_RULES);
}

static void devices_not_allowed_are_refused(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule rules[] = {
		{ 0, NULL, -1, -1, NULL }, { 1, "c", 1, 3, "rwm" }, { 1, "c", 1, 7, "r" },
	};

	set_rules(&f->spec, rules, 3);
	fixture_create(f);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	assert_int_equal(opened(f, "/dev/full", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/full", O_RDWR), EPERM);
	fixture_clean(f, 0);
}

static void without_rules_devices_are_open(void **state)
{
	struct fixture *f = *state;

	fixture_create(f);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	fixture_clean(f, 0);
}

static void an_update_replaces_the_rules(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule first[] = { { 1, "c", 1, 3, NULL } }, second[] = { { 1, "c", 1, 5, NULL } };
	struct mrg_spec changes = { 0 };

	set_rules(&f->spec, first, 1);
	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	set_rules(&changes, second, 1);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/null", O_RDONLY), EPERM);
	fixture_clean(f, 0);
}

static void the_last_rule_that_matches_wins(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule rules[] = {
		{ 0, NULL, -1, -1, NULL }, { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" }, { 1, "c", 1, 5, "m" },
	};

	set_rules(&f->spec, rules, 4);
	fixture_create(f);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/zero", O_WRONLY), EPERM);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), EPERM);
	assert_int_equal(opened(f, "/dev/tty", O_RDONLY), EPERM);
	fixture_clean(f, 0);
}

/* On a hybrid host from the v1 files to a program and back. */
static void an_update_may_go_beyond_v1_and_back(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule simple[] = { { 1, "c", 1, 3, NULL } };
	struct mrg_device_rule odd[] = { { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" } };
	struct mrg_spec changes = { 0 };

	set_rules(&f->spec, simple, 1);
	fixture_create(f);
	fixture_spawn_running(f, fixture_sleep_long, NULL);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	set_rules(&changes, odd, 2);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/zero", O_WRONLY), EPERM);
	set_rules(&changes, simple, 1);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	fixture_clean(f, 0);
}

static void v1_alone_refuses_what_it_cannot_hold(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule odd[] = { { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" } };

	set_rules(&f->spec, odd, 2);
	assert_int_equal(mrg_helper_cgroup_create(&f->unit, &f->entry, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(view_count(f->parent), 0);
}

static void rules_may_allow_all(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule rules[] = { { 1, "a", -1, -1, "rwm" } };

	set_rules(&f->spec, rules, 1);
	fixture_create(f);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	fixture_clean(f, 0);
}

static void probe_clears_what_is_missing(void **state)
{
	struct fixture *f = *state;
	struct mrg_fields fields = { { ~UINT64_C(0), ~UINT64_C(0) } };
	char reason[192] = "";
	bool memory = (f->has.v1 | f->has.v2) & CGROUP_MEMORY;

	assert_int_equal(mrg_helper_cgroup_probe(&fields, reason, sizeof(reason), NULL), 0);
	assert_int_equal(mrg_fields_has(&fields, MRG_FIELD_MEMORY_LIMIT), memory);
	assert_int_equal(mrg_fields_has(&fields, MRG_FIELD_UNIFIED), f->has.unified);
	assert_true(mrg_fields_has(&fields, MRG_FIELD_DEVICE_RULES));
	assert_true(mrg_fields_has(&fields, MRG_FIELD_HOSTNAME));
	assert_false(mrg_fields_has(&fields, MRG_FIELD_RDMA));
	assert_true(strlen(reason) > 0);
}

int main(int argc, char **argv)
{
	static const struct fixture_test tests[] = {
		FIXTURE_TEST(update_raises_and_lowers_live, CGROUP_MEMORY, 0),
		FIXTURE_TEST(a_failed_update_changes_nothing, CGROUP_MEMORY | CGROUP_IO, 0),
		FIXTURE_TEST(update_refuses_what_is_no_limit, 0, 0),
		FIXTURE_TEST(stats_tell_what_is_used, 0, 0),
		FIXTURE_TEST(pause_stops_and_resume_continues, 0, 0),
		FIXTURE_TEST(verbs_on_nothing_say_not_running, 0, 0),
		FIXTURE_TEST(killing_all_reaches_all_even_frozen, 0, 0),
		FIXTURE_TEST(a_signal_reaches_all, 0, 0),
		FIXTURE_TEST(without_a_record_the_eldest_is_the_first, 0, 0),
		FIXTURE_TEST(processes_are_listed, 0, 0),
		FIXTURE_TEST(exec_enters_the_leaf_of_the_first_process, UNIFIED, 0),
		FIXTURE_TEST(devices_not_allowed_are_refused, 0, 0),
		FIXTURE_TEST(without_rules_devices_are_open, 0, 0),
		FIXTURE_TEST(an_update_replaces_the_rules, 0, 0),
		FIXTURE_TEST(the_last_rule_that_matches_wins, UNIFIED, 0),
		FIXTURE_TEST(an_update_may_go_beyond_v1_and_back, UNIFIED, 0),
		FIXTURE_TEST(v1_alone_refuses_what_it_cannot_hold, 0, UNIFIED),
		FIXTURE_TEST(rules_may_allow_all, 0, 0),
		FIXTURE_TEST(probe_clears_what_is_missing, 0, 0),
	};

	return fixture_main(argc, argv, tests, ARRAY_SIZE(tests));
}
