/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_AUDIT_TRY_H
#define CORE_AUDIT_TRY_H

/*
 * moorage-try: enters what a process is in, takes over its policy and tries what that lets through. The library and the program are of one build;
 * this is what they share. The program is static and without stdio.
 *
 * It is executed outside from a sealed copy in memory and is not dumpable: nothing inside can trace it or write to its file, and nothing is looked
 * for in the container's root. It says by a byte that it waits for its plan; the library then moves it into the cgroups of the process. Each attempt is
 * a process of its own with a deadline, and what it got ends with it. The answer is lines "NAME KIND NUMBER": of "filters", of numbers of devices, of
 * "policy", of each attempt, and of "done".
 */

#include <stdint.h>

/* Descriptors that are handed over. */
enum { TRY_PLAN_FD = 3, TRY_ANSWER_FD, TRY_PROCESS_FD, TRY_ROOT_FD, TRY_IMAGE_FD };

#define TRY_GROUPS	64
#define TRY_LIFE_S	15		/* of the whole */
#define TRY_NO_KEYRING	0

struct try_plan {
	uint32_t size;			/* of this structure */
	int32_t pid;			/* whose filters are taken; 0: it has none */
	int32_t namespaces;		/* CLONE_NEW* it does not share with us */
	int32_t no_new_privs;
	uint32_t host_uid;		/* its user as we see it */
	uint32_t uid, gid;		/* as it is in its user namespace */
	uint32_t n_groups, groups[TRY_GROUPS];
	uint64_t caps[5];		/* inheritable, permitted, effective, bounding, ambient */
	char devices[8192];		/* paths of nodes in its root, each ended by NUL; an empty one ends them */
};

/* ---- of the program alone ------------------------------------------------------------------------ */

/* How an attempt went. The words of the answer are in this order. */
enum { TRY_WORKS, TRY_ERRNO, TRY_SIGNAL, TRY_LATE };

/* What attempts need that was opened outside, or with more rights than they have. */
struct try_scene {
	const struct try_plan *plan;
	const struct try_filters *filters;	/* NULL: none */
	int terminal;			/* a terminal that nobody else has; -1 */
	int files;			/* an empty file system that is mounted nowhere; -1 */
	uint32_t keyring;		/* of host_uid outside; TRY_NO_KEYRING */
};

/* An attempt. Runs in a process of its own, under the policy of the plan. 0, or a negative errno. */
struct try_attempt {
	const char *name;
	int (*run)(const struct try_scene *scene, const void *data);
	const void *data;
	int own_mounts;			/* in a mount namespace of its own */
};

/* main.c: a line of the answer. @kind: TRY_WORKS ... */
void try_answer(const char *name, int kind, int number);

/* Writes @number in decimal, and @after, ended by NUL; there is room for it. */
void try_number(char *at, uint32_t number, const char *after);

/* Runs @run in a child that lives no longer than a moment; *ret_number is an errno or a signal. */
int try_apart(int (*run)(void *data), void *data, int *ret_number);

/* filters.c: the filters of the process, the oldest first; 0, or a negative errno when they cannot be had. *ret_asks: one hands calls to a supervisor. */
struct try_filters;
int try_filters_take(int pid, struct try_filters **ret, int *ret_asks);
int try_filters_load(const struct try_filters *filters);	/* NULL: none */

/* policy.c: into the namespaces and the root; then, in each attempt, the policy itself. A negative errno. */
int try_enter(const struct try_plan *plan);
int try_policy(const struct try_plan *plan, const struct try_filters *filters);

/* calls.c, files.c: what is tried; ended by one without a name. */
extern const struct try_attempt try_calls[], try_files[];

/* files.c: a node in the container, opened. */
int try_open_node(const char *path);

/* Nodes of devices in @files, made before the cgroup of the process has a say; then asked for by access(2), which opens nothing. */
void try_rules_prepare(int files);
void try_rules(int files);

/* A file system in memory that is mounted nowhere; a negative errno. */
int try_files_new(void);

#endif
