/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup verbs on real cgroups: of this host as it is, and as hosts with v1 alone and v2 alone see theirs. */

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

#include "core/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/unit/cgroup_view.h"

#define MIB	(1024 * 1024)

struct fixture {
	char parent[64], id[17], dir_name[32];
	struct mrg_spec spec;
	struct mrg_unit unit;
	struct mrg_cgroup_entry entry;
	struct cgroup_controllers has;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(f->id, sizeof(f->id), "%08x%08lx", (unsigned int)getpid(), now.tv_nsec);
	snprintf(f->parent, sizeof(f->parent), "mrgt-unit-%d", getpid());
	snprintf(f->dir_name, sizeof(f->dir_name), "/tmp/mrgt-XXXXXX");
	if (!mkdtemp(f->dir_name))
		return -1;
	f->spec.cgroups_path = f->parent;
	mrg_fields_add(&f->spec.set, MRG_FIELD_CGROUPS_PATH);
	f->unit = (struct mrg_unit){ .name = "mrgt-x", .id = f->id, .spec = &f->spec,
				     .dir = open(f->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	f->entry = (struct mrg_cgroup_entry)MRG_CGROUP_ENTRY_INIT;
	cgroup_open(&cg, &f->unit, false, NULL);
	f->has = cgroup_available(&cg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct mrg_exit result;

	mrg_helper_cgroup_entry_close(&f->entry);
	f->unit.process = NULL;
	mrg_helper_cgroup_cleanup(NULL, &f->unit, &result, NULL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(f->unit.dir);
	fd_remove_tree(AT_FDCWD, f->dir_name);
	free(f);
	return 0;
}

static void ask_memory(struct mrg_spec *spec, int64_t bytes)
{
	spec->memory_limit = bytes;
	mrg_fields_add(&spec->set, MRG_FIELD_MEMORY_LIMIT);
}

static void need(const struct fixture *f, unsigned int controllers)
{
	if (~(f->has.v1 | f->has.v2) & controllers) {
		print_message("this layout has no %s controller\n",
			      cgroup_controller_name(controllers & ~(f->has.v1 | f->has.v2), 2));
		skip();
	}
}

static void create(struct fixture *f)
{
	struct mrg_error err = { 0 };

	if (mrg_helper_cgroup_create(&f->unit, &f->entry, &err) < 0)
		fail_msg("%s", err.message);
}

static void clean(struct fixture *f, int oom_killed)
{
	struct mrg_exit result = { .oom_killed = -1 };
	struct mrg_error err = { 0 };

	if (mrg_helper_cgroup_cleanup(NULL, &f->unit, &result, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(result.oom_killed, oom_killed);
	assert_int_equal(view_count(f->parent), 0);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int sleep_long(void *data _unused_)
{
	while (pause() < 0)
		;
	return 0;
}

static int spin(void *data _unused_)
{
	volatile bool on = true;

	while (on)
		;
	return 0;
}

static int touch_memory(void *data)
{
	size_t size = *(size_t *)data;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < size; i += 4096)
		p[i] = 1;
	return p == MAP_FAILED;
}

static int touch_and_sleep(void *data)
{
	touch_memory(data);
	return sleep_long(NULL);
}

/* Forks until it cannot; its exit status counts the processes there were. */
static int fork_many(void *data _unused_)
{
	int n = 1;

	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			return errno == EAGAIN ? n : 250;
		if (pid == 0)
			sleep_long(NULL);
		if (++n == 100)
			return 100;
	}
}

static uint64_t cpu_ns(struct fixture *f)
{
	struct mrg_stats stats;

	assert_int_equal(mrg_helper_cgroup_stats(NULL, &f->unit, &stats, NULL), 0);
	assert_true(stats.valid & 1 << MRG_STAT_CPU);
	return stats.cpu_ns;
}

static int state_of(struct fixture *f)
{
	return mrg_helper_cgroup_state(NULL, &f->unit, NULL);
}

static pid_t spawn_running(struct fixture *f, int (*body)(void *data), void *data)
{
	pid_t pid = view_spawn(&f->entry, body, data);

	/* A v1 child enters by itself, a moment later. */
	for (int i = 0; i < 1000 && state_of(f) != MRG_STATE_RUNNING; i++)
		usleep(1000);
	assert_int_equal(state_of(f), MRG_STATE_RUNNING);
	return pid;
}

/* ---- making and removing ---- */

static void cleanup_leaves_nothing_and_may_come_again(void **state)
{
	struct fixture *f = *state;

	create(f);
	assert_true(view_count(f->parent) > 0);
	clean(f, 0);
	clean(f, 0);
}

static void cleanup_kills_what_is_left(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	create(f);
	pid = spawn_running(f, sleep_long, NULL);
	clean(f, 0);
	assert_int_equal(status_of(pid), SIGKILL);
}

static void destroy_refuses_while_something_runs(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	create(f);
	pid = spawn_running(f, sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_destroy(NULL, &f->unit, NULL), -MRG_E_STATE);
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	status_of(pid);
	assert_int_equal(mrg_helper_cgroup_destroy(NULL, &f->unit, NULL), 0);
	assert_int_equal(view_count(f->parent), 0);
}

static void create_clears_an_earlier_life(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	create(f);
	pid = spawn_running(f, sleep_long, NULL);
	mrg_helper_cgroup_entry_close(&f->entry);
	create(f);
	assert_int_equal(status_of(pid), SIGKILL);
	assert_int_equal(state_of(f), MRG_STATE_CREATED);
	clean(f, 0);
}

static void nested_cgroups_are_removed(void **state)
{
	struct fixture *f = *state;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	pid_t pid;

	create(f);
	assert_int_equal(cgroup_open(&cg, &f->unit, false, NULL), 0);
	for (size_t i = 0; i < cg.n; i++)
		if (cg.item[i].dir >= 0) {
			assert_int_equal(mkdirat(cg.item[i].dir, "a", 0755), 0);
			assert_int_equal(mkdirat(cg.item[i].dir, "a/b", 0755), 0);
		}
	pid = spawn_running(f, sleep_long, NULL);
	if (f->has.unified) {
		char text[16];

		snprintf(text, sizeof(text), "%d", pid);
		assert_int_equal(fd_write_file(cg.tracker->dir, "a/b/cgroup.procs", text), 0);
	}
	assert_int_equal(state_of(f), MRG_STATE_RUNNING);
	clean(f, 0);
	assert_int_equal(status_of(pid), SIGKILL);
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
	create(f);
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

	if ((f->has.v1 | f->has.v2) & CGROUP_MEMORY)
		skip();
	ask_memory(&f->spec, 64 * MIB);
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
			view_spawn(&entry, sleep_long, NULL);
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

	assert_int_equal(state_of(f), MRG_STATE_CREATED);
	create(f);
	assert_int_equal(state_of(f), MRG_STATE_CREATED);
	pid = spawn_running(f, sleep_long, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_of(f), MRG_STATE_CREATED);	/* only a zombie is there */
	assert_int_equal(fd_replace_file(f->unit.dir, "exit.json", "{}", 2, false), 0);
	assert_int_equal(state_of(f), MRG_STATE_STOPPED);
	clean(f, 0);
	assert_int_equal(state_of(f), MRG_STATE_STOPPED);
}

/* ---- limits ---- */

static void memory_limit_kills_and_is_reported(void **state)
{
	struct fixture *f = *state;
	size_t size = 128 * MIB;
	pid_t pid;

	need(f, CGROUP_MEMORY);
	ask_memory(&f->spec, 64 * MIB);
	create(f);
	pid = view_spawn(&f->entry, touch_memory, &size);
	assert_int_equal(status_of(pid), SIGKILL);
	clean(f, 1);
}

static void memory_below_the_limit_is_left_alone(void **state)
{
	struct fixture *f = *state;
	size_t size = 16 * MIB;

	need(f, CGROUP_MEMORY);
	ask_memory(&f->spec, 64 * MIB);
	create(f);
	assert_int_equal(status_of(view_spawn(&f->entry, touch_memory, &size)), 0);
	clean(f, 0);
}

static void pids_limit_stops_the_eleventh_process(void **state)
{
	struct fixture *f = *state;
	int status;

	need(f, CGROUP_PIDS);
	f->spec.pids_limit = 10;
	mrg_fields_add(&f->spec.set, MRG_FIELD_PIDS_LIMIT);
	create(f);
	status = status_of(view_spawn(&f->entry, fork_many, NULL));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 10);
	clean(f, 0);
}

static void cpu_quota_gives_half_a_core(void **state)
{
	struct fixture *f = *state;
	int64_t begin, wall;
	uint64_t used;

	need(f, CGROUP_CPU);
	f->spec.cpu_quota = 50000;
	f->spec.cpu_period = 100000;
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPU_QUOTA);
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPU_PERIOD);
	create(f);
	spawn_running(f, spin, NULL);
	used = cpu_ns(f);
	begin = time_now_ns();
	usleep(1500000);
	used = cpu_ns(f) - used;
	wall = time_now_ns() - begin;
	print_message("half a core is %.2f\n", (double)used / (double)wall);
	assert_in_range(used * 100 / (uint64_t)wall, 35, 65);
	clean(f, 0);
}

static void cpuset_v1_takes_processes(void **state)
{
	struct fixture *f = *state;

	need(f, CGROUP_CPUSET);
	f->spec.cpuset_cpus = "0";
	mrg_fields_add(&f->spec.set, MRG_FIELD_CPUSET_CPUS);
	create(f);
	spawn_running(f, sleep_long, NULL);
	clean(f, 0);
}

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

	need(f, CGROUP_MEMORY);
	ask_memory(&f->spec, 64 * MIB);
	create(f);
	spawn_running(f, sleep_long, NULL);
	for (int mib = 256; mib >= 32; mib /= 8) {
		ask_memory(&changes, (int64_t)mib * MIB);
		if (mrg_helper_cgroup_update(NULL, &f->unit, &changes, &err) < 0)
			fail_msg("%s", err.message);
		read_limit(f, &limit);
		assert_int_equal(limit, (uint64_t)mib * MIB);
	}
	clean(f, 0);
}

static void a_failed_update_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct mrg_io_limit device = { 4095, 77, 1000 };
	struct mrg_spec changes = { .io_read_bps = { &device, 1 } };
	uint64_t limit;

	need(f, CGROUP_MEMORY | CGROUP_IO);
	ask_memory(&f->spec, 64 * MIB);
	create(f);
	spawn_running(f, sleep_long, NULL);
	ask_memory(&changes, 256 * MIB);
	mrg_fields_add(&changes.set, MRG_FIELD_IO_READ_BPS);
	assert_true(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL) < 0);
	read_limit(f, &limit);
	assert_int_equal(limit, 64 * MIB);
	clean(f, 0);
}

static void update_refuses_what_is_no_limit(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec changes = { .hostname = "x" };
	struct mrg_error err = { 0 };

	create(f);
	spawn_running(f, sleep_long, NULL);
	mrg_fields_add(&changes.set, MRG_FIELD_HOSTNAME);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "hostname"));
}

static void stats_tell_what_is_used(void **state)
{
	struct fixture *f = *state;
	struct mrg_stats stats;
	size_t size = 20 * MIB;
	bool memory;

	create(f);
	spawn_running(f, touch_and_sleep, &size);
	memory = (f->has.v1 | f->has.v2) & CGROUP_MEMORY;
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(mrg_helper_cgroup_stats(NULL, &f->unit, &stats, NULL), 0);
		if (!memory || stats.memory >= size)
			break;
		usleep(1000);
	}
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
	clean(f, 0);
}

/* ---- freezing and killing ---- */

static void pause_stops_and_resume_continues(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	create(f);
	spawn_running(f, spin, NULL);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 1);
	assert_int_equal(state_of(f), MRG_STATE_PAUSED);
	before = cpu_ns(f);
	usleep(200000);
	assert_in_range(cpu_ns(f) - before, 0, 2000000);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), 1);
	assert_int_equal(state_of(f), MRG_STATE_RUNNING);
	before = cpu_ns(f);
	for (int i = 0; i < 500 && cpu_ns(f) - before < 20000000; i++)
		usleep(10000);
	assert_true(cpu_ns(f) - before >= 20000000);
	clean(f, 0);
}

static void verbs_on_nothing_say_not_running(void **state)
{
	struct fixture *f = *state;

	create(f);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_resume(NULL, &f->unit, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGTERM, 0, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGKILL, 1, NULL), -MRG_E_NOT_RUNNING);
	clean(f, 0);
}

static void killing_all_reaches_all_even_frozen(void **state)
{
	struct fixture *f = *state;
	pid_t pid[3];

	create(f);
	for (int i = 0; i < 3; i++)
		pid[i] = spawn_running(f, sleep_long, NULL);
	usleep(50000);
	assert_int_equal(mrg_helper_cgroup_pause(NULL, &f->unit, NULL), 0);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGKILL, 1, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(status_of(pid[i]), SIGKILL);
	clean(f, 0);
}

static void a_signal_reaches_all(void **state)
{
	struct fixture *f = *state;
	pid_t pid[3];

	create(f);
	for (int i = 0; i < 3; i++)
		pid[i] = spawn_running(f, sleep_long, NULL);
	usleep(50000);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGUSR1, 1, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(status_of(pid[i]), SIGUSR1);
	clean(f, 0);
}

static void without_a_record_the_eldest_is_the_first(void **state)
{
	struct fixture *f = *state;
	pid_t first, second;

	create(f);
	first = spawn_running(f, sleep_long, NULL);
	usleep(30000);	/* start times count in hundredths of a second */
	second = view_spawn(&f->entry, sleep_long, NULL);
	usleep(30000);
	assert_int_equal(mrg_helper_cgroup_kill(NULL, &f->unit, SIGTERM, 0, NULL), 0);
	assert_int_equal(status_of(first), SIGTERM);
	assert_int_equal(kill(second, 0), 0);
	assert_int_equal(waitpid(second, NULL, WNOHANG), 0);
	clean(f, 0);
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

	create(f);
	pid = spawn_running(f, sleep_long, NULL);
	assert_int_equal(mrg_helper_cgroup_processes(NULL, &f->unit, collect, list, NULL), 0);
	assert_int_equal(list[0], pid);
	assert_int_equal(list[1], 0);
	clean(f, 0);
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

	if (!f->has.unified)
		skip();
	create(f);
	process.pid = spawn_running(f, sleep_long, NULL);
	assert_int_equal(cgroup_open(&cg, &f->unit, true, NULL), 0);
	assert_int_equal(mkdirat(cg.tracker->dir, "init.scope", 0755), 0);
	snprintf(number, sizeof(number), "%d", process.pid);
	assert_int_equal(fd_write_file(cg.tracker->dir, "init.scope/cgroup.procs", number), 0);
	f->unit.process = &process;
	mrg_helper_cgroup_entry_close(&f->entry);
	assert_int_equal(mrg_helper_cgroup_open(&f->unit, &f->entry, NULL), 0);
	pid = view_spawn(&f->entry, sleep_long, NULL);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	assert_int_equal(fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL), 0);
	assert_non_null(strstr(text, "/init.scope\n"));
	f->unit.process = NULL;
	clean(f, 0);
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
	int status = status_of(view_spawn(&f->entry, try_open, &attempt));

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
	create(f);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	assert_int_equal(opened(f, "/dev/full", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/full", O_RDWR), EPERM);
	clean(f, 0);
}

static void without_rules_devices_are_open(void **state)
{
	struct fixture *f = *state;

	create(f);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	clean(f, 0);
}

static void an_update_replaces_the_rules(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule first[] = { { 1, "c", 1, 3, NULL } }, second[] = { { 1, "c", 1, 5, NULL } };
	struct mrg_spec changes = { 0 };

	set_rules(&f->spec, first, 1);
	create(f);
	spawn_running(f, sleep_long, NULL);
	set_rules(&changes, second, 1);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/null", O_RDONLY), EPERM);
	clean(f, 0);
}

static void the_last_rule_that_matches_wins(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule rules[] = {
		{ 0, NULL, -1, -1, NULL }, { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" }, { 1, "c", 1, 5, "m" },
	};

	if (!f->has.unified)
		skip();
	set_rules(&f->spec, rules, 4);
	create(f);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/zero", O_WRONLY), EPERM);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), EPERM);
	assert_int_equal(opened(f, "/dev/tty", O_RDONLY), EPERM);
	clean(f, 0);
}

/* On a hybrid host from the v1 files to a program and back. */
static void an_update_may_go_beyond_v1_and_back(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule simple[] = { { 1, "c", 1, 3, NULL } };
	struct mrg_device_rule odd[] = { { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" } };
	struct mrg_spec changes = { 0 };

	if (!f->has.unified)
		skip();
	set_rules(&f->spec, simple, 1);
	create(f);
	spawn_running(f, sleep_long, NULL);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	set_rules(&changes, odd, 2);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), 0);
	assert_int_equal(opened(f, "/dev/zero", O_WRONLY), EPERM);
	set_rules(&changes, simple, 1);
	assert_int_equal(mrg_helper_cgroup_update(NULL, &f->unit, &changes, NULL), 0);
	assert_int_equal(opened(f, "/dev/zero", O_RDONLY), EPERM);
	assert_int_equal(opened(f, "/dev/null", O_RDWR), 0);
	clean(f, 0);
}

static void v1_alone_refuses_what_it_cannot_hold(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule odd[] = { { 1, "c", 1, -1, NULL }, { 0, "c", 1, 5, "w" } };

	if (f->has.unified)
		skip();
	set_rules(&f->spec, odd, 2);
	assert_int_equal(mrg_helper_cgroup_create(&f->unit, &f->entry, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(view_count(f->parent), 0);
}

static void rules_may_allow_all(void **state)
{
	struct fixture *f = *state;
	struct mrg_device_rule rules[] = { { 1, "a", -1, -1, "rwm" } };

	set_rules(&f->spec, rules, 1);
	create(f);
	assert_int_equal(opened(f, "/dev/zero", O_RDWR), 0);
	clean(f, 0);
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

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run(const char *view)
{
	const struct CMUnitTest tests[] = {
		T(cleanup_leaves_nothing_and_may_come_again), T(cleanup_kills_what_is_left),
		T(destroy_refuses_while_something_runs), T(create_clears_an_earlier_life),
		T(nested_cgroups_are_removed), T(a_parent_of_somebody_else_stays), T(a_refused_limit_leaves_nothing),
		T(a_missing_controller_is_refused_by_name), T(a_hundred_at_once_leave_nothing),
		T(state_follows_the_processes), T(memory_limit_kills_and_is_reported),
		T(memory_below_the_limit_is_left_alone), T(pids_limit_stops_the_eleventh_process),
		T(cpu_quota_gives_half_a_core), T(cpuset_v1_takes_processes), T(update_raises_and_lowers_live),
		T(a_failed_update_changes_nothing), T(update_refuses_what_is_no_limit), T(stats_tell_what_is_used),
		T(pause_stops_and_resume_continues), T(verbs_on_nothing_say_not_running),
		T(killing_all_reaches_all_even_frozen), T(a_signal_reaches_all),
		T(without_a_record_the_eldest_is_the_first), T(processes_are_listed),
		T(exec_enters_the_leaf_of_the_first_process), T(devices_not_allowed_are_refused),
		T(without_rules_devices_are_open), T(an_update_replaces_the_rules),
		T(the_last_rule_that_matches_wins), T(an_update_may_go_beyond_v1_and_back),
		T(v1_alone_refuses_what_it_cannot_hold), T(rules_may_allow_all), T(probe_clears_what_is_missing),
	};
	int r = view_enter(view);

	if (r != 0) {
		printf("1..0 # SKIP the view '%s' cannot be shown here: %s\n", view,
		       r > 0 ? "no hierarchy of it" : strerror(-r));
		return 0;
	}
	return cmocka_run_group_tests_name(view, tests, NULL, NULL);
}

/* The view is given, or the end of the program's name. */
int main(int argc, char **argv)
{
	const char *end = strrchr(argv[0], '_');

	if (geteuid() != 0 || access("/sys/fs/cgroup", W_OK) < 0) {
		printf("1..0 # SKIP needs root and writable cgroups\n");
		return 0;
	}
	if (argc > 1)
		return run(argv[1]);
	return run(strcmp(end, "_v1") == 0 || strcmp(end, "_v2") == 0 ? end + 1 : "host");
}
