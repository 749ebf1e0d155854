/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_TOOLS_H
#define CORE_COMPARE_TOOLS_H

/* Raw tools, each a row of one table: how its container is started, entered, stopped and removed. */

#include "core/compare/measure.h"

struct tool;

/* One container of a tool. */
struct tool_call {
	struct measure *m;
	const struct tool *tool;
	const char *work;		/* the directory of the comparison whose it is */
	char name[MEASURE_NAME_SIZE];
	const char *mode, *argument;	/* of our program; NULL: none */
	struct arguments a;
	char pid[16], tool_pid[16], state[160];	/* what stands for words of the table */
	char path[160], other[160], bind[PATH_MAX];	/* room for words */
};

struct tool {
	const char *name, *backend;	/* which of ours does the same; NULL: none */
	/* Writes the tool's files and adds the words that start our program: with its output to us, or (@held) in the background where the tool can. */
	int (*start)(struct tool_call *c, bool held, struct mrg_error *err);
	/* For tools that do not wait for their container: waits until it is gone. NULL: nothing to wait for. */
	int (*gone)(struct tool_call *c, struct mrg_error *err);
	bool stays;			/* it lasts as long as its container */
	/* Words up to NULL, some in the place of what is known later. @clear: what the tool wants to be told when its container has ended; @remove: takes
	 * away what is left in whatever state. NULL: there is no such command. */
	const char *const *exec, *const *stop, *const *clear, *const *remove;
};

const struct tool *tool_find(const char *name);

/* An empty call for the container @name. */
void tool_call_init(struct tool_call *c, struct measure *m, const struct tool *tool, const char *work, const char *name);

/* Adds words of the table. */
void tool_add(struct tool_call *c, const char *const *words);

/* ---- tools_start.c ------------------------------------------------------------------------------------------ */

int tool_start_lxc(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_nspawn(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_virsh(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_crun(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_runc(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_bwrap(struct tool_call *c, bool held, struct mrg_error *err);
int tool_start_podman(struct tool_call *c, bool held, struct mrg_error *err);
int tool_gone_virsh(struct tool_call *c, struct mrg_error *err);

/* The stamps of a container that could not print them to us. */
int tool_read_stamps(struct tool_call *c, struct outcome *o, struct mrg_error *err);

#endif
