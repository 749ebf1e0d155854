/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container has used, read from its cgroups and its network namespace. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define NO_LIMIT	(UINT64_C(1) << 62)	/* v1 says "none" with the largest number of pages */

/* Where one number stands: by version, file and key; the first there is counts. Every cgroup of v2 counts CPU time, but a host that has the controller in v1
 * has engines that tell its figure. */
static const struct source {
	unsigned int stat;
	size_t offset;
	int version;
	unsigned int controller;
	const char *file, *key;
	uint64_t unit;
} sources[] = {
#define AT(member)	offsetof(struct mrg_stats, member)
	{ MRG_STAT_CPU, AT(cpu_ns), 1, CGROUP_CPUACCT, "cpuacct.usage", "", 1 },
	{ MRG_STAT_CPU, AT(cpu_ns), 2, 0, "cpu.stat", "usage_usec", 1000 },
	{ MRG_STAT_MEMORY, AT(memory), 2, 0, "memory.current", "", 1 },
	{ MRG_STAT_MEMORY, AT(memory), 1, CGROUP_MEMORY, "memory.usage_in_bytes", "", 1 },
	{ MRG_STAT_MEMORY_PEAK, AT(memory_peak), 2, 0, "memory.peak", "", 1 },
	{ MRG_STAT_MEMORY_PEAK, AT(memory_peak), 1, CGROUP_MEMORY, "memory.max_usage_in_bytes", "", 1 },
	{ MRG_STAT_MEMORY_LIMIT, AT(memory_limit), 2, 0, "memory.max", "", 1 },
	{ MRG_STAT_MEMORY_LIMIT, AT(memory_limit), 1, CGROUP_MEMORY, "memory.limit_in_bytes", "", 1 },
	{ MRG_STAT_PIDS, AT(pids), 2, 0, "pids.current", "", 1 },
	{ MRG_STAT_PIDS, AT(pids), 1, CGROUP_PIDS, "pids.current", "", 1 },
#undef AT
};

static uint64_t *value_at(struct mrg_stats *stats, size_t offset)
{
	return (uint64_t *)(void *)((char *)stats + offset);
}

static void set(struct mrg_stats *stats, unsigned int stat, uint64_t *at, uint64_t value)
{
	*at = value;
	stats->valid |= UINT64_C(1) << stat;
}

/* Lines "8:0 rbytes=1 wbytes=2 ..." of v2. */
static void io_v2(int dir, struct mrg_stats *ret)
{
	_cleanup_free_ char *text = NULL;
	uint64_t in = 0, out = 0;

	if (fd_read_virtual(dir, "io.stat", 1 << 20, &text, NULL) < 0)
		return;
	for (const char *p = text; (p = strstr(p, "bytes=")); p += 6) {
		uint64_t value;

		if (p - text < 2 || p[-2] != ' ' || sscanf(p + 6, "%" SCNu64, &value) != 1)
			continue;
		if (p[-1] == 'r')
			in += value;
		else if (p[-1] == 'w')
			out += value;
	}
	set(ret, MRG_STAT_IO_READ, &ret->io_read, in);
	set(ret, MRG_STAT_IO_WRITTEN, &ret->io_written, out);
}

/* Lines "8:0 Read 1" of v1. */
static void io_v1(int dir, struct mrg_stats *ret)
{
	_cleanup_free_ char *text = NULL;
	uint64_t in = 0, out = 0, value;
	char *line, *save;

	if (fd_read_virtual(dir, "blkio.throttle.io_service_bytes_recursive", 1 << 20, &text, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%*s Read %" SCNu64, &value) == 1)
			in += value;
		else if (sscanf(line, "%*s Write %" SCNu64, &value) == 1)
			out += value;
	set(ret, MRG_STAT_IO_READ, &ret->io_read, in);
	set(ret, MRG_STAT_IO_WRITTEN, &ret->io_written, out);
}

static int count_one(pid_t pid _unused_, void *data)
{
	++*(uint64_t *)data;
	return 0;
}

static int add_oom_kills(int dir, void *data)
{
	uint64_t n;

	if (cgroup_read_number(dir, "memory.oom_control", "oom_kill", &n) == 0)
		*(uint64_t *)data += n;
	return 0;
}

/* v2 counts for the whole subtree, v1 each cgroup for itself. */
static int oom_kills(struct cgroup *cg, uint64_t *ret)
{
	struct cgroup_hierarchy *h = cgroup_find(cg, CGROUP_MEMORY, 1);

	if (h) {
		*ret = 0;
		return h->dir < 0 ? -ENOENT : cgroup_walk(h->dir, add_oom_kills, ret);
	}
	h = cgroup_find(cg, CGROUP_MEMORY, 2);
	return h && h->dir >= 0 ? cgroup_read_number(h->dir, "memory.events", "oom_kill", ret) : -ENOENT;
}

uint64_t cgroup_oom_kills(struct cgroup *cg)
{
	uint64_t n;

	return oom_kills(cg, &n) == 0 ? n : 0;
}

/* Its network namespace, unless it is also ours: the host's traffic is none of the container's. */
static void network(const struct mrg_process *process, struct mrg_stats *ret)
{
	_cleanup_free_ char *text = NULL;
	uint64_t received = 0, sent = 0, in, out;
	struct stat theirs, ours;
	char path[48], *line, *save;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)process->pid);
	if (stat(path, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0 || theirs.st_ino == ours.st_ino)
		return;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)process->pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *name = line + strspn(line, " "), *colon = strchr(line, ':');

		if (colon && strncmp(name, "lo:", 3) != 0 &&
		    sscanf(colon + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &in, &out) == 2) {
			received += in;
			sent += out;
		}
	}
	set(ret, MRG_STAT_NET_RECEIVED, &ret->net_received, received);
	set(ret, MRG_STAT_NET_SENT, &ret->net_sent, sent);
}

void cgroup_stats_read(struct cgroup *cg, const struct mrg_unit *unit, struct mrg_stats *ret)
{
	struct cgroup_hierarchy *h;
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct source *s = &sources[i];

		h = cgroup_find(cg, s->controller, s->version);
		if (!h || h->dir < 0 || (ret->valid & UINT64_C(1) << s->stat) ||
		    cgroup_read_number(h->dir, s->file, s->key, &value) < 0)
			continue;
		if (s->stat != MRG_STAT_MEMORY_LIMIT || value < NO_LIMIT)
			set(ret, s->stat, value_at(ret, s->offset), value * s->unit);
	}
	value = 0;
	if (!(ret->valid & UINT64_C(1) << MRG_STAT_PIDS) && cgroup_processes(cg, count_one, &value) == 0)
		set(ret, MRG_STAT_PIDS, &ret->pids, value);
	h = cgroup_find(cg, CGROUP_IO, 1);
	if (h && h->dir >= 0)
		io_v1(h->dir, ret);
	h = cgroup_find(cg, 0, 2);
	if (h && h->dir >= 0)
		io_v2(h->dir, ret);
	if (oom_kills(cg, &value) == 0)
		set(ret, MRG_STAT_OOM_KILLS, &ret->oom_kills, value);
	if (unit->process && unit->process->pid > 0)
		network(unit->process, ret);
}
