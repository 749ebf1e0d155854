/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an entry is like beside its contents. The order is the kernel's: a change of owner removes capabilities and setuid bits, an ACL sets bits of
 * the mode, flags forbid all further change. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/migrate/tree/copy.h"

/* One attribute; what the target does not take is told. */
static int copy_xattr(struct tree_copier *c, const struct tree_entry *e, int source, int target, const char *name, struct tree_ids *ids)
{
	char from[TREE_PATH_SIZE], to[TREE_PATH_SIZE];
	int r;

	tree_path_of(from, e->dir, e->name);
	r = xattrs_get(&c->xattrs, source, from, name);
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return tree_work_fail(&c->work, r, "read the extended attributes of", e->path);
	tree_xattr_map(c->map, name, c->xattrs.value, &c->xattrs.value_length, ids);
	r = xattrs_set(&c->xattrs, target, target < 0 ? tree_path_of(to, dir_stack_top(&c->targets), e->name) : NULL, name);
	if (r == -EOPNOTSUPP || r == -EPERM || r == -EINVAL)
		return tree_work_tell(&c->work, TREE_TOLD_XATTR, e->path);
	return r < 0 ? tree_work_fail(&c->work, r, "set the extended attributes of", e->path) : 0;
}

static int copy_xattrs(struct tree_copier *c, const struct tree_entry *e, int source, int target, struct tree_ids *ids)
{
	char path[TREE_PATH_SIZE];
	int r = xattrs_list(&c->xattrs, source, source < 0 ? tree_path_of(path, e->dir, e->name) : NULL);

	if (r < 0)
		return tree_work_fail(&c->work, r, "read the extended attributes of", e->path);
	for (const char *name = NULL; r == 0 && (name = xattrs_next(&c->xattrs, name));)
		r = copy_xattr(c, e, source, target, name, ids);
	return r;
}

static void times_of(const struct statx *st, struct timespec ret[2])
{
	ret[0] = (struct timespec) { st->stx_atime.tv_sec, st->stx_atime.tv_nsec };
	ret[1] = (struct timespec) { st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec };
}

static int tell_ids(struct tree_copier *c, const struct tree_entry *e, const struct tree_ids *ids)
{
	c->work.report->changed += ids->source;
	return ids->unmapped ? tree_work_tell(&c->work, TREE_TOLD_UNMAPPED, e->path) : 0;
}

int tree_copy_flags(struct tree_copier *c, int fd, uint64_t attributes, const char *path)
{
	static const struct {
		uint64_t attribute;
		int flag;
	} flags[] = {
		{ STATX_ATTR_IMMUTABLE, FS_IMMUTABLE_FL }, { STATX_ATTR_APPEND, FS_APPEND_FL }, { STATX_ATTR_NODUMP, FS_NODUMP_FL },
	};
	int value;

	if (ioctl(fd, FS_IOC_GETFLAGS, &value) < 0)
		return tree_work_tell(&c->work, TREE_TOLD_FLAGS, path);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		value |= attributes & flags[i].attribute ? flags[i].flag : 0;
	return ioctl(fd, FS_IOC_SETFLAGS, &value) < 0 ? tree_work_tell(&c->work, TREE_TOLD_FLAGS, path) : 0;
}

int tree_copy_metadata(struct tree_copier *c, const struct tree_entry *e, int source, int target)
{
	uint64_t flags = e->st->stx_attributes & TREE_COPY_FLAGS;
	struct tree_ids ids = { 0 };
	struct timespec times[2];
	uint32_t uid, gid;
	int r;

	tree_ids_owner(c->map, e->st->stx_uid, e->st->stx_gid, &ids, &uid, &gid);
	times_of(e->st, times);
	if ((uid != c->uid || gid != c->gid) && fchown(target, uid, gid) < 0)
		return tree_work_fail(&c->work, -errno, "change the owner of", e->path);
	if (fchmod(target, e->st->stx_mode & 07777) < 0)
		return tree_work_fail(&c->work, -errno, "change the mode of", e->path);
	r = copy_xattrs(c, e, source, target, &ids);
	if (r < 0)
		return r;
	if (futimens(target, times) < 0)
		return tree_work_fail(&c->work, -errno, "change the times of", e->path);
	/* A file with several names gets them first. */
	if (flags && (S_ISDIR(e->st->stx_mode) || e->st->stx_nlink < 2))
		r = tree_copy_flags(c, target, flags, e->path);
	return r < 0 ? r : tell_ids(c, e, &ids);
}

int tree_copy_metadata_at(struct tree_copier *c, const struct tree_entry *e)
{
	int top = dir_stack_top(&c->targets), r;
	struct tree_ids ids = { 0 };
	struct timespec times[2];
	uint32_t uid, gid;

	tree_ids_owner(c->map, e->st->stx_uid, e->st->stx_gid, &ids, &uid, &gid);
	times_of(e->st, times);
	if ((uid != c->uid || gid != c->gid) && fchownat(top, e->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_work_fail(&c->work, -errno, "change the owner of", e->path);
	/* Nobody but us reaches into the target, so what has just been made there is no symlink; symlinks have no mode. */
	if (!S_ISLNK(e->st->stx_mode) && fchmodat(top, e->name, e->st->stx_mode & 07777, 0) < 0)
		return tree_work_fail(&c->work, -errno, "change the mode of", e->path);
	r = copy_xattrs(c, e, -1, -1, &ids);
	if (r < 0)
		return r;
	if (utimensat(top, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_work_fail(&c->work, -errno, "change the times of", e->path);
	return tell_ids(c, e, &ids);
}
