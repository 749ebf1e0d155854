/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes inside a container, read from the host's procfs: nothing of the container is executed or trusted. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"
#include "core/util/fd.h"

#define NS_PER_S	1000000000

struct reading {
	int (*found)(const struct mrg_proc *proc, void *data);
	void *data;
	long ticks;			/* per second */
};

static int read_proc(pid_t pid, const char *file, char **ret, size_t *ret_length)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return fd_read_virtual(AT_FDCWD, path, 1024 * 1024, ret, ret_length);
}

/* The last number of the line "NSpid:\t1234\t1". */
static pid_t inner_pid(const char *line)
{
	const char *last = line, *end = line + strcspn(line, "\n");
	int pid = 0;

	for (const char *p = line; p < end; p++)
		if (*p == '\t')
			last = p + 1;
	sscanf(last, "%d", &pid);
	return pid;
}

static void parse_status(const char *text, struct mrg_proc *ret)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long long kib;

		if (strncmp(line, "State:\t", 7) == 0)
			ret->state = line[7];
		else if (strncmp(line, "NSpid:\t", 7) == 0)
			ret->inner_pid = inner_pid(line + 6);
		else if (strncmp(line, "Uid:\t", 5) == 0)
			sscanf(line + 5, "%*u %" SCNu32, &ret->uid); /* the effective one, as ps(1) shows */
		else if (sscanf(line, "VmRSS: %llu kB", &kib) == 1)
			ret->rss = kib * 1024;
	}
}

static int parse_stat(const char *text, const struct reading *reading, struct mrg_proc *ret)
{
	unsigned long long user, system, start;
	const char *p = strrchr(text, ')'); /* the name in parentheses may hold anything */
	int parent;

	if (!p || sscanf(p + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
			 &parent, &user, &system, &start) != 4)
		return -EPROTO;
	ret->parent = parent;
	ret->cpu_ns = (user + system) * (uint64_t)(NS_PER_S / reading->ticks);
	ret->started = (uint64_t)proc_started_ns(start);
	return 0;
}

static void take_command(struct mrg_proc *proc, const char *cmdline, size_t length, const char *stat)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');

	while (length > 0 && cmdline[length - 1] == '\0')
		length--;
	if (length == 0) { /* a zombie or a kernel thread has only a name */
		if (open && close)
			snprintf(proc->command, sizeof(proc->command), "[%.*s]", (int)(close - open - 1), open + 1);
		return;
	}
	if (length >= sizeof(proc->command))
		length = sizeof(proc->command) - 1;
	for (size_t i = 0; i < length; i++)
		proc->command[i] = cmdline[i] ? cmdline[i] : ' ';
}

static int read_one(pid_t pid, void *data)
{
	_cleanup_free_ char *status = NULL, *stat = NULL, *cmdline = NULL;
	struct reading *reading = data;
	struct mrg_proc proc = { .pid = pid };
	size_t length;

	/* It may end between the listing and the reading: then it is none any more. */
	if (read_proc(pid, "status", &status, NULL) < 0 || read_proc(pid, "stat", &stat, NULL) < 0 ||
	    read_proc(pid, "cmdline", &cmdline, &length) < 0 || parse_stat(stat, reading, &proc) < 0)
		return 0;
	parse_status(status, &proc);
	take_command(&proc, cmdline, length, stat);
	return reading->found(&proc, reading->data);
}

int mrg_procs(struct mrg_container *c, int (*found)(const struct mrg_proc *proc, void *data), void *data,
	      struct mrg_error *err)
{
	struct reading reading = { .found = found, .data = data, .ticks = sysconf(_SC_CLK_TCK) };
	_cleanup_view_ struct view view;
	int r = container_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state))
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run", c->record->name);
	return dispatch_processes(c->plugin, &view.unit, read_one, &reading, err);
}
