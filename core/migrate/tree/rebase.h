/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_REBASE_H
#define CORE_MIGRATE_TREE_REBASE_H

/* What the parts of tree_rebase() share. */

#include <sys/stat.h>

#include "core/migrate/tree/xattrs.h"

/* What forbids a change of owner. */
#define REBASE_FIXED	(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)

struct rebaser {
	struct tree_work work;
	const struct tree_map *map;
	struct xattrs xattrs;
	int root;			/* the root of the tree, which notes are kept on */
	bool resumed;			/* a call before this one was interrupted */
};

/* Gives one entry to the ids of the map: owners, ACLs, capabilities. Interrupted anywhere and called again it ends the same. */
int tree_rebase_entry(struct rebaser *rb, const struct tree_entry *e);

/* The file itself, whatever it is, and the same that was looked at (-ESTALE); with O_PATH "/proc/self/fd/N" is it. */
int rebase_open_entry(const struct tree_entry *e, int flags);

/* Lifts the flags that forbid the change, and adds them (FS_..._FL) to *lifted. */
int rebase_flags_lift(struct rebaser *rb, const struct tree_entry *e, int *lifted);

/* Those that a call before this one lifted and, being interrupted, did not set again. */
int rebase_flags_left(const struct rebaser *rb, const struct tree_entry *e);
int rebase_flags_restore(struct rebaser *rb, const struct tree_entry *e, int lifted);

/* Whether a tree_rebase() was interrupted in the tree. */
bool tree_rebase_is_unfinished(int dir);

#endif
