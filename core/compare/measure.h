/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_MEASURE_H
#define CORE_COMPARE_MEASURE_H

/* What the parts of one comparison share. */

#include <limits.h>
#include <sys/types.h>

#include "core/compare/compare.h"

#define MEASURE_NAME_SIZE	64
#define MEASURE_PREFIX		"moorage-compare-"
#define MEASURE_TARGET		"/mnt"	/* where the containers have the directory of the program */
#define MEASURE_PROGRAM		MEASURE_TARGET "/moorage-measure"

/* A command that runs. */
struct measure_child {
	pid_t pid;			/* 0: none */
	int pidfd, out, errors;		/* -1: closed */
};

/* What stays of a raw tool while its container runs. */
struct measure_held {
	char name[MEASURE_NAME_SIZE];	/* "": nothing */
	struct measure_child child;	/* the tool itself, where it stays as long */
	pid_t payload;			/* as the host counts */
};

struct measure {
	struct mrg *library;
	const struct compare_options *options;
	struct compare_report *report;
	char command[PATH_MAX];		/* ours */
	char work[96];			/* a directory of this comparison */
	char share[112];			/* in it: what containers see at MEASURE_TARGET */
	char volume[128];		/* the same as an option */
	char root[PATH_MAX];
	char id[17];			/* in the name of all containers */
	char label[80];			/* tells the comparison they belong to from those that were killed */
	bool target_made;		/* MEASURE_TARGET was not there in the root */
	int signals;			/* signalfd */
	unsigned int made;		/* containers so far */
	bool usable[COMPARE_SUBJECTS];
	bool failed[COMPARE_SUBJECTS];	/* left out for the rest of this part */
	char running[COMPARE_SUBJECTS][MEASURE_NAME_SIZE];	/* a container that waits; "": none */
	struct measure_held held[COMPARE_SUBJECTS];
};

/* ---- run.c: commands ------------------------------------------------------------------------------- */

#define ARGUMENTS	160
struct arguments {
	const char *word[ARGUMENTS + 1];
	size_t n;
};

/* Appends words up to a NULL. Beyond the bound they are dropped. */
void arguments_add(struct arguments *a, ...) __attribute__((sentinel));

struct outcome {
	int64_t begin, end;		/* CLOCK_MONOTONIC in ns: before it was made, after it was seen to have ended */
	char output[4096], errors[1024];	/* what fits of what it wrote */
	size_t output_length, errors_length;
};

/* Runs @a in @dir (NULL: ours). -MRG_E_TIMEOUT after @timeout_ms, when it is killed; -EINTR when a signal came; another error with what the command said when its
 * status was not 0. */
int measure_run(struct measure *m, const struct arguments *a, const char *dir, int timeout_ms, struct outcome *ret, struct mrg_error *err);

/* The same in two parts. The second empties @child, however it ends; @a tells its errors what was run. */
int measure_begin(const struct arguments *a, struct measure_child *ret, struct mrg_error *err);
int measure_end(struct measure *m, struct measure_child *child, const struct arguments *a, int timeout_ms, struct outcome *ret, struct mrg_error *err);

/* Waits until the process of @pidfd has ended, whoever's child it is. */
int measure_wait(struct measure *m, int pidfd, int timeout_ms, struct mrg_error *err);

/* -EINTR when a signal has come; waits @ms for it. */
int measure_rest(struct measure *m, int ms, struct mrg_error *err);

/* ---- place.c: what is there while it lasts ------------------------------------------------------------ */

int measure_set_up(struct measure *m, struct mrg_error *err);
void measure_tear_down(struct measure *m);

/* Removes the containers of this comparison (@own), or those of all that were killed. */
void measure_sweep(struct measure *m, bool own);

/* ---- plan.c ---------------------------------------------------------------------------------------------- */

/* A new name for a container. */
void measure_name(struct measure *m, char ret[MEASURE_NAME_SIZE]);

/* Behind a verb and its options: whose container, its name, label and share, and the root. */
void measure_begin_container(struct measure *m, size_t subject, struct arguments *a, const char *name);

/* "BACKEND:NAME", for verbs on one container. */
#define MEASURE_FULL_SIZE	(MEASURE_NAME_SIZE + 72)
const char *measure_full(const struct measure *m, size_t subject, const char *name, char ret[MEASURE_FULL_SIZE]);

typedef int measure_once(struct measure *m, size_t subject, struct mrg_error *err);

/* Calls @once @n times for each subject of the kinds in the bit mask @kinds, in turn, the machine at rest before each. One that fails is left out of
 * the rest, with its reason in the report. */
int measure_rounds(struct measure *m, const char *what, unsigned int n, unsigned int kinds, measure_once *once, struct mrg_error *err);
#define MEASURE_BACKENDS	(1U << KIND_BACKEND)
#define MEASURE_TOOLS		(1U << KIND_TOOL)
#define MEASURE_HOST		(1U << KIND_HOST)

/* A container of @subject that runs the program with @mode ("wait", "ignore"), until it is removed. Of a raw tool it takes no mode but "wait", and no options. */
int measure_hold(struct measure *m, size_t subject, const char *mode, const char *const *options, char name[MEASURE_NAME_SIZE], struct mrg_error *err);
int measure_remove(struct measure *m, size_t subject, const char *name, struct mrg_error *err);

/* Adds a sample in milliseconds of two times of CLOCK_MONOTONIC in ns. */
int measure_add_time(struct measure *m, size_t subject, enum compare_metric metric, int64_t begin, int64_t end);

/* Takes the two stamps that the program has printed for @outcome. */
int measure_add_stamps(struct measure *m, size_t subject, const struct outcome *outcome, struct mrg_error *err);

/* Keeps the first command of a subject, for people who want to run it themselves. */
int measure_note_command(struct measure *m, size_t subject, const struct arguments *a, struct mrg_error *err);

/* ---- the measurements ------------------------------------------------------------------------------------ */

measure_once measure_start;		/* measure_start.c */
measure_once measure_stop, measure_stubborn;	/* measure_stop.c */
measure_once measure_exec, measure_work;	/* measure_inside.c */
measure_once measure_boot;		/* measure_boot.c */
bool measure_can_boot(const struct measure *m);
measure_once measure_cost;		/* measure_cost.c */
int measure_lists(struct measure *m, struct mrg_error *err);	/* measure_list.c */
int measure_isolation(struct measure *m, struct mrg_error *err);	/* measure_matrix.c: of those that run, and what backends honour */
int measure_limits(struct measure *m, struct mrg_error *err);
measure_once measure_tool;		/* tools.c: start by a raw tool */

/* tools.c: why the tool cannot be measured here; 0: it can. */
int measure_probe_tool(struct measure *m, size_t subject, struct mrg_error *err);

/* ---- tools_held.c: containers of raw tools that run -------------------------------------------------------- */

/* As measure_hold() and measure_remove(), by the tool. */
int measure_tool_hold(struct measure *m, size_t subject, char name[MEASURE_NAME_SIZE], struct mrg_error *err);
int measure_tool_remove(struct measure *m, size_t subject, const char *name, struct mrg_error *err);

/* Runs @program in the container that is held, as the tool or nsenter(1) does. */
int measure_tool_exec(struct measure *m, size_t subject, const char *const *program, struct outcome *ret, struct mrg_error *err);

/* Asks the container to end, until nothing of it is left that the tool waits for. Gives the times. */
int measure_tool_stop(struct measure *m, size_t subject, const char *name, struct outcome *ret, struct mrg_error *err);

/* Removes what the comparison in directory @work has held and left. */
void measure_tools_sweep(struct measure *m, const char *work);

/* Whether the command line of a process, as procfs has it, is that of our program in the container @name. */
bool measure_is_payload(const char *command, size_t length, const char *name);

#endif
