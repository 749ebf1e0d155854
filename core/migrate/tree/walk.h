/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_WALK_H
#define CORE_MIGRATE_TREE_WALK_H

/* Visiting every entry of a tree, depth first, without recursion; and what every work on trees needs: steps of progress, what is told, errors
 * that name the entry. */

#include <sys/stat.h>

#include "core/migrate/tree/tree.h"

struct tree_entry {
	int dir;			/* the directory it is in; for the root the root itself, */
	const char *name;		/* where its name is "." */
	const char *path;		/* below the root; "." */
	const struct statx *st;
	int fd;				/* of a directory, open for reading; else -1 */
	bool mount;			/* something is mounted there: what is seen is not of the tree */
};

/* Each may be NULL, and ends the walk with a negative return, having set the error. */
struct tree_visit {
	int (*enter)(const struct tree_entry *e, void *data);	/* a directory, before what is in it; the root as well */
	int (*leave)(const struct tree_entry *e, void *data);	/* the same, after it, with its state by then */
	int (*entry)(const struct tree_entry *e, void *data);	/* anything else; what is mounted, of whatever type */
};

/* What a work is made with. */
struct tree_work {
	const struct tree_options *options;	/* never NULL */
	struct tree_report *report;
	struct tree_progress progress;
	struct mrg_error *err;
};

void tree_work_init(struct tree_work *work, const struct tree_options *options, struct tree_report *report, struct mrg_error *err);

/* Visits the tree open as @root, which stays the caller's. */
int tree_walk(struct tree_work *work, int root, const struct tree_visit *visit, void *data);

/* Opens a regular file for reading, if it is still the one that was looked at (-ESTALE). */
int tree_open_file(const struct tree_entry *e);

/* Counts and tells the progress; the callback's verdict. */
int tree_work_step(struct tree_work *work, uint64_t files, uint64_t bytes);

/* Counts @path under @kind. */
int tree_work_tell(struct tree_work *work, enum tree_told kind, const char *path);

/* "cannot WHAT 'PATH': ..."; @code (negative errno) returned. */
int tree_work_fail(struct tree_work *work, int code, const char *what, const char *path);

/* A path for humans: printable, the middle left out of long ones. */
#define TREE_TEXT_SIZE	256
const char *tree_path_text(char buffer[TREE_TEXT_SIZE], const char *path);

/* "/proc/self/fd/DIR/NAME" for calls on extended attributes, which know no descriptor of a directory. The last component is not followed by those in l. */
#define TREE_PATH_SIZE	320
const char *tree_path_of(char buffer[TREE_PATH_SIZE], int dir, const char *name);

#endif
