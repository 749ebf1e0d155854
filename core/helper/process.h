/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HELPER_PROCESS_H
#define CORE_HELPER_PROCESS_H

/* What the files of the process helpers share: the prepared process and the single steps of executing it. */

#include <linux/filter.h>
#include <stdbool.h>

#include <moorage/helper.h>

/* Who the process runs as, found in the container's root. */
struct identity {
	uid_t uid;
	gid_t gid;
	gid_t *groups;			/* the primary one is among them */
	size_t n_groups;
	char *home;			/* NULL: not in /etc/passwd */
};

/* The five sets, as they are to be right before execve(2). */
struct capabilities {
	uint64_t bounding, permitted, effective, inheritable, ambient;
};

struct mrg_helper_process {
	const struct mrg_spec *spec;		/* borrowed, like the command */
	const struct mrg_command *command;	/* NULL: the first process of the container */
	struct sock_filter *filter;		/* NULL: none */
	size_t filter_length;
	unsigned int filter_flags;		/* of seccomp(2) */
	int init;				/* sealed copy of moorage-init; -1: not wanted */
	bool oom_applied;			/* by who entered namespaces: the container's /proc is not to be used */
};

/* identity.c: reads /etc/passwd and /etc/group below @root (O_PATH). @home: the home directory is wanted. */
int identity_find(int root, const struct mrg_helper_process *p, bool home, struct identity *ret, struct mrg_error *err);
void identity_deinit(struct identity *who);

/* credentials.c: groups, ids, capabilities, no_new_privs and seccomp, in the only order that works. @between runs
 * with the new ids, before the filter is loaded. */
int credentials_apply(const struct mrg_helper_process *p, const struct identity *who,
		      int (*between)(void *data, struct mrg_error *err), void *data, struct mrg_error *err);

/* The sets @p asks for, and whether we can give them. */
int capabilities_wanted(const struct mrg_helper_process *p, uid_t uid, struct capabilities *ret, struct mrg_error *err);

/* rlimits.c: resource limits and the OOM score. */
int rlimits_apply(const struct mrg_spec *spec, struct mrg_error *err);
int oom_score_apply(const struct mrg_spec *spec, struct mrg_error *err);

/* command.c: finds @name along the PATH of @env (as the calling user sees it); *ret is allocated. -MRG_E_NO_COMMAND,
 * -MRG_E_NOT_EXECUTABLE. */
int command_find(const char *name, char *const *env, char **ret, struct mrg_error *err);

/* Whether the interpreter that the file at @path names, if any, is there: what execve(2) reports as the file itself missing. */
int command_check_interpreter(const char *path, struct mrg_error *err);

/* Why execve(2) of @path failed with @code (negative errno), as a sentence; the code to return. */
int command_explain(const char *path, int code, struct mrg_error *err);

/* stdio.c: what of the streams depends on the user and the spec: owner, window size, /dev/console. */
int stdio_finish(const struct mrg_helper_process *p, int root, const struct identity *who, struct mrg_error *err);

/* seccomp.c: the program for @spec, from the cache or compiled. */
int seccomp_prepare(const struct mrg_spec *spec, struct mrg_helper_process *p, struct mrg_error *err);

/* spawn.c: for a child made by other means than mrg_helper_spawn(): signals as a new program expects them, and
 * death with the parent. */
void spawn_reset_signals(void);
int spawn_die_with_parent(void);

#endif
