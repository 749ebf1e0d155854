/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk through a tree that somebody else changes meanwhile: on descriptors, bounded, never through a link. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/audit/audit.h"
#include "core/util/fd.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID	0x1000U
#endif

struct level {
	char *path;			/* PATH_MAX, shared by all levels */
	size_t length;
	uint32_t mount;			/* the id of the mount it is on */
	bool nosuid, nodev;
};

static const struct audit_mount *find_mount(const struct audit_reading *r, uint32_t id)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (r->mounts.item[i].id == id)
			return &r->mounts.item[i];
	return NULL;
}

/* Kernel file systems have no files of their own, and slow ones could keep us. A mount that was not there when we read the table is passed over. */
static bool may_enter(const struct audit_reading *r, uint32_t id)
{
	static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "devpts", "mqueue" };
	const struct audit_mount *mount = find_mount(r, id);

	if (!mount || audit_mount_is_slow(mount))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(mount->type, types[i]) == 0)
			return false;
	return true;
}

/* What a mount says of itself; never asks a file system. */
static void take_flags(const struct audit_reading *r, struct level *level)
{
	const struct audit_mount *mount = find_mount(r, level->mount);

	level->nosuid = mount && strstr(mount->options, "nosuid");
	level->nodev = mount && strstr(mount->options, "nodev");
}

static bool walk_level(struct audit_reading *r, struct audit_walk *walk, int fd, const struct level *level, unsigned int depth);

static bool walk_entry(struct audit_reading *r, struct audit_walk *walk, int dir, const struct level *parent, const char *name, unsigned int depth)
{
	struct level level = *parent;
	struct statx st;
	int fd;

	if (parent->length + 1 + strlen(name) + 1 > PATH_MAX)
		return false;
	/* Not synchronised: the answer is the kernel's own, whatever is mounted there. */
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &st) < 0)
		return true;
	if ((uint32_t)st.stx_mnt_id != parent->mount) {
		if (!may_enter(r, (uint32_t)st.stx_mnt_id))
			return true;
		level.mount = (uint32_t)st.stx_mnt_id;
		take_flags(r, &level);
	}
	level.length += (size_t)snprintf(level.path + parent->length, PATH_MAX - parent->length, "%s%s", parent->length > 1 ? "/" : "", name);
	walk->visit(r, &(struct audit_entry){ .path = level.path, .mode = st.stx_mode, .uid = st.stx_uid, .gid = st.stx_gid,
		.major = st.stx_rdev_major, .minor = st.stx_rdev_minor, .nosuid = level.nosuid, .nodev = level.nodev }, walk->data);
	if (!S_ISDIR(st.stx_mode) || depth == 0)
		return true;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 || walk_level(r, walk, fd, &level, depth - 1);
}

/* Takes @fd. */
static bool walk_level(struct audit_reading *r, struct audit_walk *walk, int fd, const struct level *level, unsigned int depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	bool whole = true;

	if (!dir) {
		fd_close(fd);
		return true;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (walk->budget == 0)
			return false;
		walk->budget--;
		whole &= walk_entry(r, walk, dirfd(dir), level, entry->d_name, depth);
		level->path[level->length] = '\0';
	}
	return whole;
}

bool audit_walk(struct audit_reading *r, struct audit_walk *walk, const char *path)
{
	char buffer[PATH_MAX];
	struct level level = { .path = buffer };
	_cleanup_close_ int at = audit_open(r, path);
	struct statx st;
	int fd;

	if (at < 0 || strlen(path) >= sizeof(buffer) || statx(at, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
		return true;
	level.mount = (uint32_t)st.stx_mnt_id;
	level.length = (size_t)snprintf(buffer, sizeof(buffer), "%s", path);
	take_flags(r, &level);
	fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || walk_level(r, walk, fd, &level, walk->depth);
}
