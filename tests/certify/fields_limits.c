/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about resources: the value in the kernel's file of the container's control group, and, where it can be done quickly, its bite. */

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

/* What the kernel must say, by version of the control groups. @DISK@ stands for "MAJOR:MINOR" of a disk, @CPU@ for a processor. */
struct kernel_file {
	struct { enum mrg_field field; const char *text; } set[4];
	const char *v1_controller, *v1_file, *v1_line;	/* NULL: there is none */
	const char *v2_file, *v2_line;
};

/* ---- the files --------------------------------------------------------------------------------------- */

static void substitute(const struct host *host, const char *text, char *ret, size_t size)
{
	const char *at;

	snprintf(ret, size, "%s", text);
	while ((at = strchr(text, '@'))) {
		size_t before = (size_t)(at - text);
		bool disk = strncmp(at, "@DISK@", 6) == 0, major = strncmp(at, "@MAJOR@", 7) == 0, minor = strncmp(at, "@MINOR@", 7) == 0;
		char value[64] = "";

		if (disk)
			snprintf(value, sizeof(value), "%" PRId64 ":%" PRId64, host->disk_major, host->disk_minor);
		else
			snprintf(value, sizeof(value), "%" PRId64, major ? host->disk_major : minor ? host->disk_minor : host->last_cpu);
		snprintf(ret, size, "%.*s%s", (int)before, text, value);
		size -= strlen(ret) < size ? strlen(ret) : size - 1;
		ret += strlen(ret);
		text = strchr(at + 1, '@') + 1;
		snprintf(ret, size, "%s", text);
	}
}

/* Where the hierarchy of @controller is mounted; NULL: cgroup2. */
static bool find_hierarchy(const char *controller, char ret[PATH_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char *next, *line;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", 4 << 20, &text, NULL) < 0)
		return false;
	next = text;
	while ((line = strsep(&next, "\n"))) {
		char type[64], options[512], pattern[80];
		const char *rest = strstr(line, " - ");

		if (!rest || sscanf(rest, " - %63s %*s %510s", type, options + 1) != 2)
			continue;
		options[0] = ',';
		strncat(options, ",", sizeof(options) - strlen(options) - 1);
		snprintf(pattern, sizeof(pattern), ",%s,", controller ? controller : "");
		if (strcmp(type, controller ? "cgroup" : "cgroup2") == 0 && (!controller || strstr(options, pattern)))
			return sscanf(line, "%*d %*d %*s %*s %4095s", ret) == 1;
	}
	return false;
}

/* The path of process @pid in that hierarchy. */
static bool find_cgroup(pid_t pid, const char *controller, char ret[PATH_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char path[64], *next, *line;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return false;
	next = text;
	while ((line = strsep(&next, "\n"))) {
		char controllers[256] = ",", pattern[80];
		char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

		if (!second)
			continue;
		snprintf(controllers, sizeof(controllers), ",%.*s,", (int)(second - first - 1), first + 1);
		snprintf(pattern, sizeof(pattern), ",%s,", controller ? controller : "");
		if (controller ? strstr(controllers, pattern) != NULL : strcmp(controllers, ",,") == 0) {
			snprintf(ret, PATH_SIZE, "%s", second + 1);
			return true;
		}
	}
	return false;
}

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strncmp(text, line, length) == 0 && strchr(" \n", text[length]))
			return true;
	return false;
}

/* From the process's own group upwards, below the top: engines put it anywhere between. What the nearest file says is kept in @ret. */
static bool is_in_force(pid_t pid, const char *controller, const char *file, const char *line, char ret[256])
{
	char mount[PATH_SIZE], group[PATH_SIZE], path[3 * PATH_SIZE];

	if (!find_hierarchy(controller, mount) || !find_cgroup(pid, controller, group))
		return false;
	while (strlen(group) > 1) {
		_cleanup_free_ char *text = NULL;

		snprintf(path, sizeof(path), "%s%s/%s", mount, group, file);
		if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) == 0) {
			if (has_line(text, line))
				return true;
			if (!*ret)
				snprintf(ret, 256, "%.*s", (int)strcspn(text, "\n"), text);
		}
		*strrchr(group, '/') = '\0';
	}
	return false;
}

static bool look(struct scene *s, const char *controller, const char *file, const char *text)
{
	char line[256], found[256] = "";
	pid_t pid = scene_status(s).pid;

	substitute(&s->t->kit->host, text, line, sizeof(line));
	if (pid <= 0)
		trial_fail(s->t, "the first process is not known");
	if (is_in_force(pid, controller, file, line, found))
		return true;
	trial_fail(s->t, "the kernel's '%s' says '%.150s', not '%.100s'", file, *found ? found : "(no such file)", line);
}

static void the_kernel_knows_it(struct trial *t)
{
	const struct kernel_file *row = t->test->data;
	char mount[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	for (size_t i = 0; i < ARRAY_SIZE(row->set) && row->set[i].text; i++) {
		char text[512];

		if (strstr(row->set[i].text, "@MAJOR@") && !t->kit->host.disk_major)
			trial_skip(t, "this host has no disk");
		substitute(&t->kit->host, row->set[i].text, text, sizeof(text));
		scene_set(&s, row->set[i].field, "%s", text);
	}
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	if (row->v1_controller && find_hierarchy(row->v1_controller, mount))
		look(&s, row->v1_controller, row->v1_file, row->v1_line);
	else if (row->v2_file)
		look(&s, NULL, row->v2_file, row->v2_line);
	else
		trial_fail(t, "it is claimed, and this kernel's control groups have no such thing");
}

/* A file of whichever controller there is. */
static void a_file_of_the_second_version_is_written(struct trial *t)
{
	static const char *const files[][2] = { { "pids.max", "55" }, { "memory.high", "134217728" }, { "cpu.weight", "77" },
					     { "hugetlb.2MB.max", "4194304" } };
	_cleanup_free_ char *controllers = NULL;
	char mount[PATH_SIZE], path[PATH_SIZE + 32];
	_scene_ struct scene s = { .t = t };

	if (!find_hierarchy(NULL, mount))
		trial_fail(t, "it is claimed, and there is no cgroup v2");
	snprintf(path, sizeof(path), "%s/cgroup.controllers", mount);
	if (fd_read_virtual(AT_FDCWD, path, 4096, &controllers, NULL) < 0)
		trial_fail(t, "the controllers of cgroup v2 cannot be told");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char name[16];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(files[i][0], "."), files[i][0]);
		if (!strstr(controllers, name))
			continue;
		scene_begin(&s, t, 0);
		scene_set(&s, MRG_FIELD_UNIFIED, "%s=%s", files[i][0], files[i][1]);
		scene_word(&s, "wait");
		scene_run_until(&s, "wait=ready");
		look(&s, NULL, files[i][0], files[i][1]);
		return;
	}
	trial_fail(t, "it is claimed, and cgroup v2 has only the controllers '%.200s'", controllers);
}

/* The scheduler of the disks decides which file there is. */
static void a_weight_is_known(struct trial *t)
{
	static const char *const files[] = { "blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight" };
	static const char *const lines[] = { "300", "default 300", "2930", "default 2930" };
	char found[256] = "";
	_scene_ struct scene s = { .t = t };
	pid_t pid;

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_IO_WEIGHT, "300");
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	pid = scene_status(&s).pid;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		for (size_t k = 0; k < ARRAY_SIZE(lines); k++)
			if (is_in_force(pid, i < 2 ? "blkio" : NULL, files[i], lines[k], found))
				return;
	trial_fail(t, "the kernel says '%.200s'", *found ? found : "nothing");
}

/* ---- the bite --------------------------------------------------------------------------------------------- */

static void more_memory_is_death(struct trial *t)
{
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_MEMORY_LIMIT, "32M");
	scene_word(&s, "alloc:8");
	scene_word(&s, "alloc:128");
	scene_run_any(&s);
	scene_expect(&s, "alloc:8=ok");
	if (scene_has(&s, "alloc:128=ok"))
		trial_fail(t, "128 MiB were allocated with a limit of 32 MiB");
	if (s.status != 137)
		trial_fail(t, "it ended with %d, not killed", s.status);
	scene_await_state(&s, MRG_STATE_STOPPED);
	status = scene_status(&s);
	if (!status.oom_killed)
		trial_fail(t, "it is not told that memory ran out");
}

static void more_processes_are_refused(struct trial *t)
{
	char text[64];
	_scene_ struct scene s = { .t = t };
	long n;

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_PIDS_LIMIT, "20");
	scene_word(&s, "forks:100");
	scene_run(&s);
	scene_value(&s, "forks:100", text, sizeof(text));
	n = strtol(text, NULL, 10);
	if (n >= 20 || n < 5 || !strstr(text, "EAGAIN"))
		trial_fail(t, "with a limit of 20 processes %s", text);
}

/* Whether the kernel has held the process back; what share of a processor it got depends on who else wanted it. */
static bool is_held_back(void *pid)
{
	char mount[PATH_SIZE], group[PATH_SIZE], path[3 * PATH_SIZE];
	bool v1 = find_hierarchy("cpu", mount);

	if ((!v1 && !find_hierarchy(NULL, mount)) || !find_cgroup(*(pid_t *)pid, v1 ? "cpu" : NULL, group))
		return false;
	for (; strlen(group) > 1; *strrchr(group, '/') = '\0') {
		_cleanup_free_ char *text = NULL;
		const char *line;

		snprintf(path, sizeof(path), "%s%s/cpu.stat", mount, group);
		if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0)
			continue;
		line = strstr(text, "nr_throttled ");
		if (line && strtol(line + 13, NULL, 10) > 0)
			return true;
	}
	return false;
}

static void more_time_is_held_back(struct trial *t)
{
	char mount[PATH_SIZE];
	_scene_ struct scene s = { .t = t };
	pid_t pid;

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_CPU_QUOTA, "10000");
	scene_set(&s, MRG_FIELD_CPU_PERIOD, "100000");
	scene_word(&s, "out:spins");
	scene_word(&s, "spin:%d", 2 * t->kit->patience);
	scene_run_until(&s, "spins");
	pid = scene_status(&s).pid;
	/* Without it there is nothing to wait for. */
	if (find_hierarchy("cpu", mount))
		look(&s, "cpu", "cpu.cfs_quota_us", "10000");
	else
		look(&s, NULL, "cpu.max", "10000 100000");
	if (!eventually(t, is_held_back, &pid))
		trial_fail(t, "the kernel has never held it back");
}

static void it_runs_there_only(struct trial *t)
{
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	if (t->kit->host.cpus < 2)
		trial_skip(t, "there is one processor only");
	scene_set(&s, MRG_FIELD_CPUSET_CPUS, "%d", t->kit->host.last_cpu);
	scene_word(&s, "affinity");
	scene_run(&s);
	scene_expect(&s, "affinity=%d", t->kit->host.last_cpu);
}

static void its_cgroup_is_below(struct trial *t)
{
	_cleanup_free_ char *text = NULL;
	char path[64], parent[2 * NAME_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	snprintf(parent, sizeof(parent), "/%s-parent", s.name);
	scene_set(&s, MRG_FIELD_CGROUPS_PATH, "%s", parent);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)scene_status(&s).pid);
	if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0 || !strstr(text, parent))
		trial_fail(t, "it is not below '%s'", parent);
}

#define DEVICE_RATE(rate_)	"[{\"major\":@MAJOR@,\"minor\":@MINOR@,\"rate\":" #rate_ "}]"

/* By the kernel's file. */
#define FILE_OF(id_, ...)	WITH(id_, "the kernel knows it", the_kernel_knows_it, &((const struct kernel_file){ __VA_ARGS__ }))

const struct test limit_fields[] = {
	BY(CGROUPS_PATH, "its control group is below it", its_cgroup_is_below),
	FILE_OF(MEMORY_LIMIT, { { MRG_FIELD_MEMORY_LIMIT, "64M" } }, "memory", "memory.limit_in_bytes", "67108864", "memory.max", "67108864"),
	BY(MEMORY_LIMIT, "who takes more is killed, and that is told", more_memory_is_death),
	FILE_OF(MEMORY_RESERVATION, { { MRG_FIELD_MEMORY_RESERVATION, "32M" } }, "memory", "memory.soft_limit_in_bytes", "33554432",
		"memory.low", "33554432"),
	FILE_OF(MEMORY_SWAP, { { MRG_FIELD_MEMORY_LIMIT, "64M" }, { MRG_FIELD_MEMORY_SWAP, "128M" } }, "memory",
		"memory.memsw.limit_in_bytes", "134217728", "memory.swap.max", "67108864"),
	FILE_OF(MEMORY_SWAPPINESS, { { MRG_FIELD_MEMORY_SWAPPINESS, "13" } }, "memory", "memory.swappiness", "13", NULL, NULL),
	FILE_OF(MEMORY_DISABLE_OOM_KILLER, { { MRG_FIELD_MEMORY_LIMIT, "64M" }, { MRG_FIELD_MEMORY_DISABLE_OOM_KILLER, "yes" } },
		"memory", "memory.oom_control", "oom_kill_disable 1", NULL, NULL),
	FILE_OF(CPU_SHARES, { { MRG_FIELD_CPU_SHARES, "512" } }, "cpu", "cpu.shares", "512", "cpu.weight", "20"),
	FILE_OF(CPU_QUOTA, { { MRG_FIELD_CPU_QUOTA, "30000" } }, "cpu", "cpu.cfs_quota_us", "30000", "cpu.max", "30000 100000"),
	BY(CPU_QUOTA, "who takes more is held back", more_time_is_held_back),
	FILE_OF(CPU_PERIOD, { { MRG_FIELD_CPU_PERIOD, "50000" }, { MRG_FIELD_CPU_QUOTA, "25000" } }, "cpu", "cpu.cfs_period_us", "50000",
		"cpu.max", "25000 50000"),
	FILE_OF(CPU_BURST, { { MRG_FIELD_CPU_QUOTA, "30000" }, { MRG_FIELD_CPU_BURST, "10000" } }, "cpu", "cpu.cfs_burst_us", "10000",
		"cpu.max.burst", "10000"),
	FILE_OF(CPU_IDLE, { { MRG_FIELD_CPU_IDLE, "1" } }, "cpu", "cpu.idle", "1", "cpu.idle", "1"),
	FILE_OF(CPUSET_CPUS, { { MRG_FIELD_CPUSET_CPUS, "@CPU@" } }, "cpuset", "cpuset.cpus", "@CPU@", "cpuset.cpus", "@CPU@"),
	BY(CPUSET_CPUS, "it runs there only", it_runs_there_only),
	FILE_OF(CPUSET_MEMS, { { MRG_FIELD_CPUSET_MEMS, "0" } }, "cpuset", "cpuset.mems", "0", "cpuset.mems", "0"),
	FILE_OF(PIDS_LIMIT, { { MRG_FIELD_PIDS_LIMIT, "37" } }, "pids", "pids.max", "37", "pids.max", "37"),
	BY(PIDS_LIMIT, "more processes are refused", more_processes_are_refused),
	BY(IO_WEIGHT, "the kernel knows it", a_weight_is_known),
	FILE_OF(IO_READ_BPS, { { MRG_FIELD_IO_READ_BPS, DEVICE_RATE(1048576) } }, "blkio", "blkio.throttle.read_bps_device",
		"@DISK@ 1048576", "io.max", "@DISK@ rbps=1048576"),
	FILE_OF(IO_WRITE_BPS, { { MRG_FIELD_IO_WRITE_BPS, DEVICE_RATE(2097152) } }, "blkio", "blkio.throttle.write_bps_device",
		"@DISK@ 2097152", "io.max", "@DISK@ rbps=max wbps=2097152"),
	FILE_OF(IO_READ_IOPS, { { MRG_FIELD_IO_READ_IOPS, DEVICE_RATE(300) } }, "blkio", "blkio.throttle.read_iops_device",
		"@DISK@ 300", "io.max", "@DISK@ rbps=max wbps=max riops=300"),
	FILE_OF(IO_WRITE_IOPS, { { MRG_FIELD_IO_WRITE_IOPS, DEVICE_RATE(400) } }, "blkio", "blkio.throttle.write_iops_device",
		"@DISK@ 400", "io.max", "@DISK@ rbps=max wbps=max riops=max wiops=400"),
	FILE_OF(HUGEPAGE_LIMITS, { { MRG_FIELD_HUGEPAGE_LIMITS, "[{\"pageSize\":\"2MB\",\"limit\":4194304}]" } }, "hugetlb",
		"hugetlb.2MB.limit_in_bytes", "4194304", "hugetlb.2MB.max", "4194304"),
	BY(UNIFIED, "a file of cgroup v2 is written", a_file_of_the_second_version_is_written),
	{ .name = NULL }
};
