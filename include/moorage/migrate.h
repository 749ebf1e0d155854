/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_MIGRATE_H
#define MOORAGE_MIGRATE_H

/* Containers that change their backend: what that would mean, doing it, and taking it back. Part of moorage.h. */

#include <stddef.h>
#include <stdint.h>
#include <moorage/error.h>
#include <moorage/format.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mrg;
struct mrg_container;

/* What becomes of the root. */
enum mrg_root_method {
	MRG_ROOT_AUTO,			/* moved when the source's engine keeps it, else used where it is */
	MRG_ROOT_STAY,			/* used where it is */
	MRG_ROOT_MOVE,			/* to where the target's engine keeps roots: renamed, on another file system copied */
	MRG_ROOT_COPY,			/* copied there: the source's stays as it is */
};

enum {
	MRG_MIGRATE_NO_STOP	= 1 << 0,	/* refuse one that runs */
	MRG_MIGRATE_START	= 1 << 1,	/* start the target also when the source did not run */
	MRG_MIGRATE_BEST_EFFORT	= 1 << 2,	/* what the target cannot do is dropped, unless that weakens the container */
	MRG_MIGRATE_PURGE	= 1 << 3,	/* keep nothing of the source: no way back */
};

/* How far it has come: the step that begins, or goes on. */
struct mrg_progress {
	const char *step, *text;	/* "root", "rename '/a' to '/b'" */
	unsigned int number, total;	/* of steps; number 0: a step is undone */
	uint64_t done, size;		/* bytes of it, where bytes are what it moves; size 0: not known */
};

struct mrg_migrate {
	const char *backend;		/* the target's */
	const char *path;		/* where its engine keeps containers; NULL: its default */
	const char *name;		/* the target's; NULL: as the source */
	int method;			/* enum mrg_root_method */
	unsigned int flags;		/* MRG_MIGRATE_* */
	const char *const *accept;	/* keys and fields that may be dropped or weakened, NULL-terminated; "all"; may be NULL */
	const char *rebase;		/* ids of the target's users: "HOST[:COUNT]" for a user namespace from HOST on, "none" for none; NULL: as the source */
	const char *health_command;	/* succeeds in the target when all is well; NULL: what can be told from outside */
	int timeout_ms;			/* for the start and for health; 0: 60 seconds */
	int (*progress)(const struct mrg_progress *progress, void *data);	/* may be NULL; non-zero: it is broken off and undone, -ECANCELED */
	void *data;
	const char *host;		/* "[USER@]HOST": there, by ssh; NULL: here. The root is sent, and that of the source kept. */
	const char *ssh_config;		/* configuration of ssh to get there, an absolute path; NULL: its own */
};

/* What a migration would do. Strings live as long as the plan. */
struct mrg_plan_change {
	const char *rule, *path, *text;	/* of a file in the root */
};
struct mrg_plan_step {
	const char *name, *text;
};
struct mrg_plan {
	const char *name, *backend, *target_name, *target_backend;
	int running;			/* the source is stopped, and the target started */
	const char *root, *target_root;
	int method;			/* enum mrg_root_method, never AUTO; MOVE with @same_file_system: renamed */
	int same_file_system;
	uint64_t files, bytes;		/* of the root, allocated */
	const char *ids;		/* what becomes of owners of files, one sentence; NULL: nothing */
	const struct mrg_report_row *report;	/* of each key or field of the configuration that is not simply carried */
	size_t n_report;
	size_t n_carried;		/* the others */
	char *const *networks;		/* what becomes of each network device, a sentence each; NULL-terminated */
	const struct mrg_plan_change *changes;	/* in the root */
	size_t n_changes;
	const struct mrg_plan_step *steps;	/* in order */
	size_t n_steps;
	struct mrg_error refusal;	/* code set: why mrg_migrate() would refuse */
	const char *target_host;	/* NULL: this one */
};

/* Analyses the migration of @c; changes nothing. Fails only when that cannot be done; what stands against the migration is in the plan. */
int mrg_plan(struct mrg_container *c, const struct mrg_migrate *how, struct mrg_plan **ret, struct mrg_error *err);
struct mrg_plan *mrg_plan_free(struct mrg_plan *plan);

/* Gives @c another backend: stops it, sets its configuration aside, brings root and configuration over, starts it and sees whether it is well and no
 * weaker confined than the plan says. After a failure, and when @how->progress says so, all is undone and the source is as it was, started again if
 * it ran. When this process is killed the next command undoes or finishes it. What is set aside is kept for mrg_rollback(). @c is to be freed afterwards. */
int mrg_migrate(struct mrg_container *c, const struct mrg_migrate *how, struct mrg_error *err);

/* Takes the last migration to a container of this name ("NAME" or "BACKEND:NAME") back, also one that could not be undone: the target is removed, the source is
 * back. What the target's root has become stays: it is the source's, or, when it was a copy, left beside it. @progress as above, may be NULL; it cannot be broken off. */
int mrg_rollback(struct mrg *m, const char *name, int (*progress)(const struct mrg_progress *progress, void *data), void *data,
		 struct mrg_error *err);

/* Removes what is kept of the sources of all migrations to a container of this name. Returns how many there were. */
int mrg_forget(struct mrg *m, const char *name, struct mrg_error *err);

/* Undoes or finishes migrations that were cut short, as every look for a container does. @failed (may be NULL) is told of each that could not be. */
int mrg_settle(struct mrg *m, void (*failed)(const char *name, const struct mrg_error *err, void *data), void *data, struct mrg_error *err);

/* The other side of a migration to this host, for one connection: requests come from @in, answers go to @out. A container that has come, and was not handed over
 * when the connection ends, is removed; what has come of its files is kept for some days, so that a stream that was cut goes on. */
int mrg_receive(struct mrg *m, int in, int out, struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
