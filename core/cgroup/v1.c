/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup v1, alone or beside v2 (hybrid): which hierarchies to use, the freezer, the cpuset. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/proc.h"

static int any(pid_t pid, void *data)
{
	(void)pid;
	(void)data;
	return 1;
}

static int v1_populated(const struct cgroup *cg)
{
	return cgroup_processes(cg, any, NULL);
}

static int freezer(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->item[i].version == 1 && (cg->item[i].controllers & CGROUP_FREEZER) && cg->item[i].dir >= 0)
			return cg->item[i].dir;
	return -EOPNOTSUPP;
}

/* FREEZING means: not yet all. */
static int state_is(int dir, const char *state)
{
	_cleanup_free_ char *text = NULL;
	int r = fd_read_virtual(dir, "freezer.state", 64, &text, NULL);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, state) == 0;
}

static int v1_frozen(const struct cgroup *cg)
{
	int dir = freezer(cg);

	return dir < 0 ? 0 : state_is(dir, "FROZEN");
}

static int v1_freeze(const struct cgroup *cg, bool freeze, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;
	int dir = freezer(cg);

	if (dir < 0)
		return dir;
	/* Written again each time: tasks born while freezing are caught only by the next write. */
	for (;;) {
		int r = fd_write_file(dir, "freezer.state", freeze ? "FROZEN" : "THAWED");

		if (r == 0)
			r = state_is(dir, freeze ? "FROZEN" : "THAWED");
		if (r != 0)
			return r < 0 ? r : 0;
		if (time_monotonic_ms() >= deadline)
			return timeout_ms <= 0 ? 0 : -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
}

const struct cgroup_ops cgroup_v1_ops = {
	.populated = v1_populated,
	.frozen = v1_frozen,
	.freeze = v1_freeze,
	.kill = cgroup_kill_frozen,
};

unsigned int cgroup_v1_wanted(const struct cgroup *cg, unsigned int needed, bool boot)
{
	/* Cheap to be in, and what stats and update work on. */
	unsigned int wanted = CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS | CGROUP_IO | needed;

	if (!cg->tracker || cg->tracker->version == 1)
		wanted |= CGROUP_FREEZER | CGROUP_CPUACCT;
	if (boot)
		wanted |= CGROUP_SYSTEMD;
	return wanted;
}

static int copy_file(int from, int to, const char *name)
{
	_cleanup_free_ char *text = NULL, *there = NULL;
	int r = fd_read_virtual(to, name, 1 << 16, &there, NULL);

	if (r < 0 || (there[0] && there[0] != '\n'))
		return r;
	r = fd_read_virtual(from, name, 1 << 16, &text, NULL);
	return r < 0 ? r : fd_write_file(to, name, text);
}

int cgroup_v1_fill_cpuset(const struct cgroup *cg, const struct cgroup_hierarchy *h)
{
	_cleanup_close_ int above = openat(h->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char prefix[CGROUP_PATH_SIZE];

	if (above < 0)
		return -errno;
	for (size_t end = 0; ; ) {
		int dir, r;

		end += strcspn(cg->path + end, "/");
		snprintf(prefix, sizeof(prefix), "%.*s", (int)end, cg->path);
		dir = path_open_beneath(h->root, prefix, O_RDONLY | O_DIRECTORY, 0);
		if (dir < 0)
			return dir;
		r = copy_file(above, dir, "cpuset.cpus");
		if (r == 0)
			r = copy_file(above, dir, "cpuset.mems");
		close(above);
		above = dir;
		if (r < 0)
			return r;
		if (cg->path[end] == '\0')
			return 0;
		end++;
	}
}
