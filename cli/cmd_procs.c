/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage procs: the processes of a container */

#include "config.h"

#include <errno.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/util/cleanup.h"

enum { PID, PARENT, INNER, USER, STATE, MEMORY, CPU_TIME, STARTED, COMMAND, BACKEND };

static const struct column columns[] = {
	[PID] = { "PID", "pid", COLUMN_RIGHT, "on the host" },
	[PARENT] = { "PPID", "parentPid", COLUMN_RIGHT | COLUMN_WIDE, "its parent, on the host" },
	[INNER] = { "INNER", "innerPid", COLUMN_RIGHT, "in the container" },
	[USER] = { "UID", "uid", COLUMN_RIGHT, "user, on the host" },
	[STATE] = { "STATE", "state", 0, "R, S, D, ... of proc(5)" },
	[MEMORY] = { "MEMORY", "rss", COLUMN_RIGHT, "resident memory" },
	[CPU_TIME] = { "CPU-TIME", "cpuNs", COLUMN_RIGHT, "CPU time" },
	[STARTED] = { "STARTED", "started", COLUMN_WIDE, "start" },
	[COMMAND] = { "COMMAND", "command", COLUMN_TRUNCATE, "command line" },
	[BACKEND] = { "BACKEND", "backend", COLUMN_EXTRA, "backend" },
	{ 0 }
};

static int found(const struct mrg_proc *proc, void *data)
{
	struct listing *list = data;
	struct value *row = listing_row(list);
	const char state[] = { proc->state, '\0' };

	if (!row)
		return -ENOMEM;
	value_number(&row[PID], VALUE_NUMBER, (uint64_t)proc->pid);
	value_number(&row[PARENT], VALUE_NUMBER, (uint64_t)proc->parent);
	value_number(&row[INNER], VALUE_NUMBER, (uint64_t)proc->inner_pid);
	value_number(&row[USER], VALUE_NUMBER, proc->uid);
	value_text(&row[STATE], state);
	value_number(&row[MEMORY], VALUE_SIZE, proc->rss);
	value_number(&row[CPU_TIME], VALUE_SPAN, proc->cpu_ns);
	value_number(&row[STARTED], VALUE_TIME, proc->started);
	value_text(&row[COMMAND], proc->command);
	value_text(&row[BACKEND], list->cli->error_backend);
	return 0;
}

int cmd_procs(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	_cleanup_listing_ struct listing list;
	struct mrg_error err = { 0 };
	int exit = listing_begin(&list, cli, columns, "moorage/procs/v1");

	if (exit != 0)
		return exit;
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	if (mrg_procs(c, found, &list, &err) < 0)
		return cli_fail(cli, &err);
	return listing_print(&list);
}
