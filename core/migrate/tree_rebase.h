/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_REBASE_H
#define CORE_MIGRATE_TREE_REBASE_H

/* The part of tree_rebase() that changes one entry. */

#include "core/migrate/tree_xattrs.h"

struct rebaser {
	struct tree_work work;
	const struct tree_map *map;
	struct xattrs xattrs;
};

/* Gives one entry to the ids of the map: owners, ACLs, capabilities. Interrupted anywhere and called again it ends the same. */
int tree_rebase_entry(struct rebaser *rb, const struct tree_entry *e);

#endif
