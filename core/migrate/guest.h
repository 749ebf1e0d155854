/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_GUEST_H
#define MIGRATE_GUEST_H

/*
 * What has to change in a root so that the system in it finds its way under another engine: a few files, each by a rule. Every change is known
 * before anything is done, kept with what was there before, and undone where nobody else has changed the file since.
 *
 * A root is hostile: paths are looked up inside it, only regular files, symbolic links and directories are touched, no more than GUEST_FILE_MAX
 * bytes are read of one, and a file that has other names is left alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/error.h>
#include <moorage/spec.h>

#define GUEST_FILE_MAX	(1U << 20)

enum guest_kind { GUEST_ABSENT, GUEST_FILE, GUEST_LINK, GUEST_DIRECTORY };

/* What is at a path. */
struct guest_state {
	int kind;			/* enum guest_kind */
	int mode;
	int64_t uid, gid;		/* -1: those of the directory it is in */
	int64_t mtime;			/* ns; -1: now */
	char *content;			/* of a file, or where a link leads */
	size_t length;
};

struct guest_change {
	char *rule, *path, *text;	/* which rule, where, and a sentence about what */
	struct guest_state before, after;
};

struct guest_changes {
	struct guest_change *item;
	size_t n;
};

/* What the rules look at. */
struct guest_context {
	int root;
	const char *from, *to;		/* backends */
	bool copied;			/* the root is a copy: there will be two */
	const struct mrg_spec *before, *after;	/* specs of source and target */
	char *const *devices;		/* network devices that get another name: old, new, old, new, NULL; may be NULL */
	const int *earlier;		/* journals of the migrations from where it now goes back to, the last one first */
	size_t n_earlier;
};

/* guest_rules.c: finds out what would be changed, nothing is. */
int guest_plan(const struct guest_context *x, struct guest_changes *ret, struct mrg_error *err);

/* For rules. Appends a change of @path to @after, whose content it takes, unless that is what is there. */
int guest_add(struct guest_changes *changes, const struct guest_context *x, const char *rule, const char *path, struct guest_state *after, const char *text,
	      struct mrg_error *err);

/* guest.c: what is at @path in the root. Something else than the kinds, or a file that is too long or has other names, is -EINVAL. */
int guest_look(int root, const char *path, struct guest_state *ret);

/* Makes it so: files are written in place. */
int guest_put(int root, const char *path, const struct guest_state *state, struct mrg_error *err);
bool guest_same(const struct guest_state *a, const struct guest_state *b);
void guest_state_deinit(struct guest_state *state);
void guest_change_deinit(struct guest_change *change);
void guest_changes_deinit(struct guest_changes *changes);

/* guest_keep.c: in the directory of a journal. *ret is empty when there is nothing. */
int guest_save(int dir, const struct guest_changes *changes, struct mrg_error *err);
int guest_load(int dir, struct guest_changes *ret, struct mrg_error *err);

/* Does all of them in order; undoes them in reverse. What somebody else has changed since stays, and *ret_left counts it; with @ret_left NULL nobody else
 * can have, and all is undone, also what was cut short in the middle of a file. */
int guest_apply(int root, const struct guest_changes *changes, struct mrg_error *err);
int guest_revert(int root, const struct guest_changes *changes, size_t *ret_left, struct mrg_error *err);

#endif
