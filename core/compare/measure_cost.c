/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What keeps one container alive: the processes between us and the payload, and those that have its name in their command line or a file of its
 * own open (monitors). Read from the host's procfs. Daemons that serve all containers of an engine are not of one.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

struct process {
	pid_t pid, parent;
	uint64_t started;
	bool named, payload, kept;
	unsigned int descriptors;
};

struct processes {
	struct process *item;
	size_t n;
};

struct totals {
	double pss, private, processes, descriptors;
};

/* ---- one process ------------------------------------------------------------------------------------------------ */

/* Whether a file that is open has @name in its path; and how many there are. */
static bool has_open(pid_t pid, const char *name, unsigned int *ret_n)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[64], target[512];
	bool found = false;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	*ret_n = 0;
	while (dir && (entry = readdir(dir))) {
		ssize_t n = entry->d_name[0] == '.' ? -1 : readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		found = found || strstr(target, name);
		++*ret_n;
	}
	return found;
}

/* The payload is our program with the name behind its first argument; who only has both in its command line has started it. */
static void read_command(struct process *p, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)p->pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 16, &text, &length) < 0 || length == 0)
		return;
	p->payload = measure_is_payload(text, length, name);
	p->named = memmem(text, length, name, strlen(name)) != NULL;
}

static int read_parent(struct process *p)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	const char *end;
	int parent, r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)p->pid);
	r = fd_read_virtual(AT_FDCWD, path, 4096, &text, NULL);
	end = r < 0 ? NULL : strrchr(text, ')');
	if (!end || sscanf(end, ") %*c %d", &parent) != 1)
		return -ESRCH;
	p->parent = parent;
	return proc_start_time(p->pid, &p->started);
}

/* ---- all of them --------------------------------------------------------------------------------------------------- */

static int add(struct processes *all, const struct process *p)
{
	struct process *grown = all->item;

	if (all->n % 256 == 0)
		grown = realloc(grown, (all->n + 256) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	all->item = grown;
	all->item[all->n++] = *p;
	return 0;
}

static int look(const char *name, struct processes *all)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = dir ? 0 : -errno;

	while (r == 0 && (entry = readdir(dir))) {
		struct process p = { .pid = 0 };
		uint32_t pid;

		if (parse_uint32(entry->d_name, &pid) < 0 || pid == (uint32_t)getpid())
			continue;
		p.pid = (pid_t)pid;
		if (read_parent(&p) < 0)
			continue;
		read_command(&p, name);
		p.named = has_open(p.pid, name, &p.descriptors) || p.named;
		r = add(all, &p);
	}
	return r;
}

static struct process *find(const struct processes *all, pid_t pid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->item[i].pid == pid)
			return &all->item[i];
	return NULL;
}

/* The line of those that started one another down to @payload, as far as they are younger than this comparison. */
static void mark_ancestors(const struct processes *all, const struct process *payload, uint64_t since)
{
	struct process *p = find(all, payload->parent);

	for (; p && p->pid != 1 && p->started >= since; p = find(all, p->parent))
		p->kept = true;
}

static double rollup(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	double kib = 0;

	return line && sscanf(line + strlen(key), "%lf", &kib) == 1 ? kib * 1024 : 0;
}

static void count(const struct process *p, struct totals *totals)
{
	_cleanup_free_ char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)p->pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 16, &text, NULL) < 0)
		return;
	totals->pss += rollup(text, "\nPss:");
	totals->private += rollup(text, "\nPrivate_Clean:") + rollup(text, "\nPrivate_Dirty:");
	totals->descriptors += p->descriptors;
	totals->processes++;
}

static int sum_up(const struct processes *all, struct totals *totals)
{
	uint64_t since;
	bool found = false;

	if (proc_start_time(getpid(), &since) < 0)
		return -ESRCH;
	for (size_t i = 0; i < all->n; i++)
		if (all->item[i].payload) {
			found = true;
			mark_ancestors(all, &all->item[i], since);
		}
	for (size_t i = 0; i < all->n; i++)
		if (!all->item[i].payload && (all->item[i].kept || all->item[i].named))
			count(&all->item[i], totals);
	return found ? 0 : -ESRCH;
}

/* ---- the samples ---------------------------------------------------------------------------------------------------- */

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

static int add_cgroup(struct measure *m, size_t subject, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	char full[MEASURE_FULL_SIZE];
	struct mrg_stats stats;
	int r = mrg_container_open(m->library, measure_full(m, subject, m->running[subject], full), &c, err);

	if (r == 0)
		r = mrg_stats(c, &stats, err);
	if (r < 0 || !(stats.valid >> MRG_STAT_MEMORY & 1))
		return r;
	return compare_report_sample(&m->report->subject[subject], METRIC_CGROUP, (double)stats.memory) < 0 ? fail_memory(err) : 0;
}

int measure_cost(struct measure *m, size_t subject, struct mrg_error *err)
{
	struct compare_subject *s = &m->report->subject[subject];
	struct processes all = { .n = 0 };
	struct totals totals = { .pss = 0 };
	int r;

	if (!*m->running[subject])
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no container that runs");
	r = look(m->running[subject], &all);
	if (r == 0)
		r = sum_up(&all, &totals);
	free(all.item);
	if (r < 0)
		return fail_errno(err, r, "cannot find the processes of '%s'", m->running[subject]);
	if (compare_report_sample(s, METRIC_PSS, totals.pss) < 0 || compare_report_sample(s, METRIC_PRIVATE, totals.private) < 0 ||
	    compare_report_sample(s, METRIC_PROCESSES, totals.processes) < 0 || compare_report_sample(s, METRIC_DESCRIPTORS, totals.descriptors) < 0)
		return fail_memory(err);
	return s->kind == KIND_TOOL ? 0 : add_cgroup(m, subject, err);
}
