/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes that hold ids: POSIX ACLs (acl(5)) and file capabilities (capabilities(7)), as the kernel hands them out. */

#include "config.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "core/migrate/tree/ids.h"

struct kind {
	const char *name;
	bool (*map)(const struct tree_map *map, unsigned char *value, size_t *length, struct tree_ids *ids);
};

static uint32_t get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

/* @ids may be NULL. */
static uint32_t map_uid(const struct tree_map *map, uint32_t id, struct tree_ids *ids)
{
	enum tree_id_is is = tree_id_map(map->uids, map->n_uids, id, &id);

	ids->source |= is == TREE_ID_SOURCE;
	ids->unmapped |= is == TREE_ID_UNMAPPED;
	return id;
}

static uint32_t map_gid(const struct tree_map *map, uint32_t id, struct tree_ids *ids)
{
	enum tree_id_is is = tree_id_map(map->gids, map->n_gids, id, &id);

	ids->source |= is == TREE_ID_SOURCE;
	ids->unmapped |= is == TREE_ID_UNMAPPED;
	return id;
}

void tree_ids_owner(const struct tree_map *map, uint32_t uid, uint32_t gid, struct tree_ids *ids, uint32_t *ret_uid, uint32_t *ret_gid)
{
	ids->highest_uid = uid > ids->highest_uid ? uid : ids->highest_uid;
	ids->highest_gid = gid > ids->highest_gid ? gid : ids->highest_gid;
	*ret_uid = map_uid(map, uid, ids);
	*ret_gid = map_gid(map, gid, ids);
}

/* Entries of eight bytes behind a header of four: tag, permissions, id. */
static bool map_acl(const struct tree_map *map, unsigned char *value, size_t *length, struct tree_ids *ids)
{
	bool changed = false;

	if (*length < 4 || (*length - 4) % 8 != 0 || get32(value) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (unsigned char *entry = value + 4; entry < value + *length; entry += 8) {
		unsigned int tag = entry[0] | (unsigned int)entry[1] << 8;
		uint32_t id = get32(entry + 4), to = id;

		if (tag == ACL_USER) {
			ids->highest_uid = id > ids->highest_uid ? id : ids->highest_uid;
			to = map_uid(map, id, ids);
		} else if (tag == ACL_GROUP) {
			ids->highest_gid = id > ids->highest_gid ? id : ids->highest_gid;
			to = map_gid(map, id, ids);
		}
		if (to == id)
			continue;
		put32(entry + 4, to);
		changed = true;
	}
	return changed;
}

/* Version 2 is valid for the host's root, version 3 names the root id of the user namespace it is valid in. */
static bool map_capability(const struct tree_map *map, unsigned char *value, size_t *length, struct tree_ids *ids)
{
	uint32_t magic, id, to;
	bool v2, v3;

	if (*length < 4)
		return false;
	magic = get32(value);
	v2 = (magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_2 && *length == XATTR_CAPS_SZ_2;
	v3 = (magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && *length == XATTR_CAPS_SZ_3;
	if (!v2 && !v3)
		return false;
	id = v3 ? get32(value + XATTR_CAPS_SZ_2) : 0;
	ids->highest_uid = id > ids->highest_uid ? id : ids->highest_uid;
	to = map_uid(map, id, ids);
	if (to == id)
		return false;
	magic = (magic & ~(uint32_t)VFS_CAP_REVISION_MASK) | (to ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2);
	put32(value, magic);
	put32(value + XATTR_CAPS_SZ_2, to);
	*length = to ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
	return true;
}

static const struct kind kinds[] = {
	{ "security.capability", map_capability },
	{ "system.posix_acl_access", map_acl },
	{ "system.posix_acl_default", map_acl },
};

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool tree_xattr_has_ids(const char *name)
{
	return find(name) != NULL;
}

bool tree_xattr_is_portable(const char *name)
{
	return find(name) || (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0);
}

bool tree_xattr_map(const struct tree_map *map, const char *name, unsigned char *value, size_t *length, struct tree_ids *ids)
{
	const struct kind *kind = find(name);

	return kind && kind->map(map, value, length, ids);
}
