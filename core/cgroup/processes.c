/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes in a container's cgroups: listing, killing, waiting for their end. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define FREEZE_TIMEOUT_MS	200	/* before killing: worth waiting for, not worth failing for */
#define KILL_ROUNDS		1000

int cgroup_read_number(int dir, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t length = strlen(key);
	char *line, *save;
	int r = fd_read_virtual(dir, file, 1 << 20, &text, NULL);

	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (length > 0 && (strncmp(line, key, length) != 0 || line[length] != ' '))
			continue;
		return parse_uint64(line + length + (length > 0), ret) < 0 ? -ENODATA : 0;
	}
	return -ENODATA;
}

struct listing {
	int (*found)(pid_t pid, void *data);
	void *data;
};

static int list_one(int dir, void *data)
{
	const struct listing *listing = data;
	_cleanup_free_ char *text = NULL;
	char *line, *save;
	int r = fd_read_virtual(dir, "cgroup.procs", 64 << 20, &text, NULL);

	/* Removed meanwhile, or a threaded one, whose processes stand in the cgroup above it. */
	if (r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int64_t pid;

		/* 0 is a process that our pid namespace does not see. */
		if (parse_int64(line, &pid) < 0 || pid <= 0)
			continue;
		r = listing->found((pid_t)pid, listing->data);
		if (r != 0)
			return r;
	}
	return 0;
}

int cgroup_processes(const struct cgroup *cg, int (*found)(pid_t pid, void *data), void *data)
{
	struct listing listing = { found, data };

	if (!cg->tracker || cg->tracker->dir < 0)
		return 0;
	return cgroup_walk(cg->tracker->dir, list_one, &listing);
}

static int kill_one(pid_t pid, void *data)
{
	size_t *killed = data;

	if (kill(pid, SIGKILL) < 0)
		return errno == EPERM ? -EPERM : 0;
	++*killed;
	return 0;
}

int cgroup_kill_frozen(const struct cgroup *cg)
{
	for (int round = 0; round < KILL_ROUNDS; round++) {
		size_t killed = 0;
		int frozen, r;

		frozen = cg->ops->freeze(cg, true, FREEZE_TIMEOUT_MS);
		r = cgroup_processes(cg, kill_one, &killed);
		cg->ops->freeze(cg, false, 0);
		if (r < 0)
			return r;
		/* Nothing forks while frozen, so one round has them all; without a freezer, until a round finds none. */
		if (killed == 0 || frozen >= 0)
			return 0;
		poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

void cgroup_kill_strays(const struct cgroup_hierarchy *h)
{
	size_t killed = 0;
	struct listing listing = { kill_one, &killed };

	cgroup_walk(h->dir, list_one, &listing);
}

int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;

	for (int step = 0; ; step++) {
		int r = cg->ops->populated(cg);

		if (r <= 0)
			return r;
		if (time_monotonic_ms() > deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, step < 10 ? 1 : 10);
	}
}
