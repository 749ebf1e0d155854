/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_IDS_H
#define CORE_MIGRATE_TREE_IDS_H

/* Maps of ids, applied: to one id, to extended attributes that hold ids. */

#include "core/migrate/tree/tree.h"

enum tree_id_is {
	TREE_ID_SOURCE,			/* it becomes another */
	TREE_ID_TARGET,			/* it is one that others become, or stays by the map's word */
	TREE_ID_UNMAPPED		/* the map knows nothing of it */
};

/* What becomes of @id: *ret, and what it is. Without ranges every id is a target's. */
enum tree_id_is tree_id_map(const struct tree_range *ranges, size_t n, uint32_t id, uint32_t *ret);

/* Whether an id may be a source's and another's target at once. */
bool tree_map_overlaps(const struct tree_map *map);

/* The first id above all ranges. */
uint32_t tree_map_end(const struct tree_map *map);

/* Two maps that do together what @map does, through ids from @middle on. -ERANGE: there are not enough of them. */
int tree_map_split(const struct tree_map *map, uint32_t middle, struct tree_map *ret_first, struct tree_map *ret_second);

/* What of an entry is a source's, a target's, of neither; and the highest of all its ids. */
struct tree_ids {
	bool source, unmapped;
	uint32_t highest_uid, highest_gid;
};

/* Both owners of an entry, mapped. */
void tree_ids_owner(const struct tree_map *map, uint32_t uid, uint32_t gid, struct tree_ids *ids, uint32_t *ret_uid, uint32_t *ret_gid);

/* The largest value of an extended attribute, and the largest list of names. */
#define TREE_XATTR_MAX	65536

/* Attributes that hold ids: POSIX ACLs and file capabilities. Changes the value in place, which may grow by four bytes (from version 2 of capabilities
 * to 3). Whether it changed. What is malformed or something else stays as it is. */
bool tree_xattr_map(const struct tree_map *map, const char *name, unsigned char *value, size_t *length, struct tree_ids *ids);

/* Whether the name is one of these. */
bool tree_xattr_has_ids(const char *name);

/* Whether an archive carries it, from one host to another: not what belongs to the kernel or to an overlay. */
bool tree_xattr_is_portable(const char *name);

/* Our own mark, and the begin of others (".INODE"), which are no part of a tree. */
#define TREE_XATTR_MARK	"trusted.moorage.rebase"

#endif
