/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owners, modes, attributes and times of what was unpacked; always of a descriptor, or of a name that is not followed. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/acl.h"
#include "core/archive/extract.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define ACL_ACCESS	"system.posix_acl_access"
#define ACL_DEFAULT	"system.posix_acl_default"

static void times_of(const struct tar_entry *e, struct timespec ret[2])
{
	ret[1] = (struct timespec) { e->seconds, e->nanoseconds };
	ret[0] = e->has_atime ? (struct timespec) { e->atime_seconds, e->atime_nanoseconds } : ret[1];
}

static void ids_of(const struct extractor *x, const struct tar_entry *e, struct tree_ids *ids, uint32_t *ret_uid, uint32_t *ret_gid)
{
	*ids = (struct tree_ids) { 0 };
	tree_ids_owner(x->map, e->uid, e->gid, ids, ret_uid, ret_gid);
}

static int tell_ids(struct extractor *x, const struct tree_ids *ids, const char *path)
{
	x->work.report->changed += ids->source;
	return ids->unmapped ? tree_work_tell(&x->work, TREE_TOLD_UNMAPPED, path) : 0;
}

static int set_xattr(struct extractor *x, const char *path, int fd, const char *name, const void *value, size_t length)
{
	if (fsetxattr(fd, name, value, length, 0) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EPERM || errno == EINVAL || errno == ERANGE)
		return tree_work_tell(&x->work, TREE_TOLD_XATTR, path);
	return tree_work_fail(&x->work, -errno, "set the extended attributes of", path);
}

static int set_xattrs(struct extractor *x, const struct tar_entry *e, const char *path, int fd, struct tree_ids *ids)
{
	const void *value;
	const char *name;
	size_t at = 0, length;
	int r = 0;

	while (r == 0 && (name = tar_entry_xattr(e, &at, &value, &length))) {
		unsigned char copy[64];

		/* ACLs come as text. What else means something to the kernel is not an archive's to set. */
		if (!tree_xattr_is_portable(name) || strncmp(name, "system.", 7) == 0) {
			r = tree_work_tell(&x->work, TREE_TOLD_XATTR, path);
			continue;
		}
		if (tree_xattr_has_ids(name) && length <= sizeof(copy) - 4) {
			memcpy(copy, value, length);
			value = copy;
			tree_xattr_map(x->map, name, copy, &length, ids);
		}
		r = set_xattr(x, path, fd, name, value, length);
	}
	return r;
}

/* The value of an ACL's text with mapped ids; *ret_length is 0 when it was told that it cannot be. */
static int acl_value(struct extractor *x, const char *text, const char *name, const char *path, unsigned char *value, size_t *ret_length,
		     struct tree_ids *ids)
{
	int r = acl_from_text(text, value, ret_length);

	if (r == -ENOMEM)
		return fail_memory(x->work.err);
	if (r < 0) {
		*ret_length = 0;
		return tree_work_tell(&x->work, TREE_TOLD_XATTR, path);
	}
	tree_xattr_map(x->map, name, value, ret_length, ids);
	return 0;
}

static int set_acl(struct extractor *x, const char *text, const char *name, const char *path, int fd, struct tree_ids *ids)
{
	_cleanup_free_ unsigned char *value = text ? malloc(ACL_VALUE_MAX) : NULL;
	size_t length;
	int r;

	if (!text)
		return 0;
	if (!value)
		return fail_memory(x->work.err);
	r = acl_value(x, text, name, path, value, &length, ids);
	return r < 0 || length == 0 ? r : set_xattr(x, path, fd, name, value, length);
}

int extract_metadata(struct extractor *x, const struct tar_entry *e, const char *path, int fd)
{
	struct timespec times[2];
	struct tree_ids ids;
	uint32_t uid, gid;
	int r;

	ids_of(x, e, &ids, &uid, &gid);
	times_of(e, times);
	if ((uid != x->uid || gid != x->gid) && fchown(fd, uid, gid) < 0)
		return tree_work_fail(&x->work, -errno, "change the owner of", path);
	if (fchmod(fd, e->mode) < 0)
		return tree_work_fail(&x->work, -errno, "change the mode of", path);
	r = set_xattrs(x, e, path, fd, &ids);
	if (r == 0)
		r = set_acl(x, e->acl_access, ACL_ACCESS, path, fd, &ids);
	if (r == 0 && futimens(fd, times) < 0)
		r = tree_work_fail(&x->work, -errno, "change the times of", path);
	return r < 0 ? r : tell_ids(x, &ids, path);
}

int extract_metadata_at(struct extractor *x, const struct tar_entry *e, const char *path, int dir, const char *name)
{
	struct timespec times[2];
	struct tree_ids ids;
	uint32_t uid, gid;

	ids_of(x, e, &ids, &uid, &gid);
	times_of(e, times);
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_work_fail(&x->work, -errno, "change the owner of", path);
	/* It has just been made, by us, and nobody else is here. */
	if (!S_ISLNK(e->type) && fchmodat(dir, name, e->mode, 0) < 0)
		return tree_work_fail(&x->work, -errno, "change the mode of", path);
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_work_fail(&x->work, -errno, "change the times of", path);
	return tell_ids(x, &ids, path);
}

int extract_pending_set(struct extractor *x, const struct tar_entry *e, const char *path, int fd, struct extract_pending *ret)
{
	struct tree_ids ids;
	int r;

	ids_of(x, e, &ids, &ret->uid, &ret->gid);
	times_of(e, ret->times);
	ret->mode = e->mode;
	/* A change of owner later leaves these as they are. */
	r = set_xattrs(x, e, path, fd, &ids);
	if (r == 0)
		r = set_acl(x, e->acl_access, ACL_ACCESS, path, fd, &ids);
	if (r == 0 && e->acl_default) {
		free(ret->acl);
		ret->acl = malloc(ACL_VALUE_MAX);
		r = ret->acl ? acl_value(x, e->acl_default, ACL_DEFAULT, path, ret->acl, &ret->acl_length, &ids) : fail_memory(x->work.err);
	}
	return r < 0 ? r : tell_ids(x, &ids, path);
}

int extract_pending_finish(struct extractor *x, struct extract_pending *pending, const char *path, int fd)
{
	int r = 0;

	if (fchown(fd, pending->uid, pending->gid) < 0 || fchmod(fd, pending->mode) < 0)
		return tree_work_fail(&x->work, -errno, "change owner and mode of", path);
	if (pending->acl_length > 0)
		r = set_xattr(x, path, fd, ACL_DEFAULT, pending->acl, pending->acl_length);
	free(pending->acl);
	pending->acl = NULL;
	if (r == 0 && futimens(fd, pending->times) < 0)
		r = tree_work_fail(&x->work, -errno, "change the times of", path);
	return r;
}
