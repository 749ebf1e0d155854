/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MONITOR_H
#define CORE_MONITOR_H

/* The program moorage-monitor: what it finds when it is executed, and what its two tasks share. */

#include "core/dispatch.h"
#include "core/monitor/pump.h"
#include "core/store/store.h"

struct monitor {
	struct mrg *m;
	struct record *record;
	struct plugin *plugin;
	struct run run;			/* of the container */
	struct mrg_unit unit;
	struct mrg_process process;	/* whose end is waited for: the container's first, or the command */
	struct log *log;		/* NULL: none is written */
	struct pump pump;
	bool lost;			/* the engine could not tell the status */
	bool stopping;			/* a process of ours stops the container */
	struct order_fds fds;		/* of the order */
};

/* The parent's ends of the streams of what is started. */
struct streams {
	struct mrg_stdio io;		/* the child's ends */
	int in, out, err;		/* ours; -1: none */
};

/* Makes pipes as asked; @detached: all three are /dev/null. */
int streams_open(struct streams *ret, bool terminal, bool stdin_open, bool detached, struct mrg_error *err);

/* Closes the child's ends. */
void streams_started(struct streams *s);
void streams_close(struct streams *s);

/* Hands our ends to the pump. */
void monitor_connect(struct monitor *mon, struct streams *s);

/* Takes hold of the process that @process tells of. */
void monitor_hold(struct monitor *mon, struct mrg_process *process);

/* Says how the start went. */
void monitor_verdict(struct monitor *mon, const struct mrg_error *verdict);

/* Serves the client that was there first. */
void monitor_serve_first(struct monitor *mon);

/* For the pump: whether the process has ended, and its status. */
int monitor_ended(void *data, int *ret_status);

/* Collects the dead of the container, which are our children. */
void monitor_bury(struct monitor *mon);

/* The tasks, with record and plugin open: to the verdict, and on to the end. */
struct task {
	int (*begin)(struct monitor *mon, struct mrg_error *err);
	void (*end)(struct monitor *mon);
};
extern const struct task monitor_start_task, monitor_exec_task, monitor_console_task;

/* Looks for the first process of a container that runs: the one noted at its start, else the engine's word. */
int monitor_find_process(struct monitor *mon, struct mrg_error *err);

#endif
