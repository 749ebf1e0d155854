/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Immutable and append-only files while they are given to other ids.
 *
 * The flags forbid the change, and are lifted for its time. So that an interruption loses none, they are noted on the root before, under the number of the
 * inode: the file itself takes no attribute while it is immutable.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/migrate/tree/rebase.h"
#include "core/util/cleanup.h"

#define FORBIDDING	(FS_IMMUTABLE_FL | FS_APPEND_FL)

/* "trusted.moorage.rebase.INODE" */
struct note_name {
	char text[sizeof(TREE_XATTR_MARK) + 24];
};

static struct note_name name_of(const struct tree_entry *e)
{
	struct note_name name;

	snprintf(name.text, sizeof(name.text), TREE_XATTR_MARK ".%" PRIu64, (uint64_t)e->st->stx_ino);
	return name;
}

static int open_for_flags(const struct tree_entry *e)
{
	return rebase_open_entry(e, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

int rebase_flags_left(const struct rebaser *rb, const struct tree_entry *e)
{
	int flags;

	if (!rb->resumed || fgetxattr(rb->root, name_of(e).text, &flags, sizeof(flags)) != sizeof(flags))
		return 0;
	return flags & FORBIDDING;
}

int rebase_flags_lift(struct rebaser *rb, const struct tree_entry *e, int *lifted)
{
	_cleanup_close_ int fd = open_for_flags(e);
	int flags, without;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return fd < 0 ? fd : -errno;
	if (fsetxattr(rb->root, name_of(e).text, &flags, sizeof(flags), 0) < 0 && errno != EOPNOTSUPP && errno != EPERM)
		return -errno;
	without = flags & ~FORBIDDING;
	if (ioctl(fd, FS_IOC_SETFLAGS, &without) < 0)
		return -errno;
	*lifted |= flags & FORBIDDING;
	return 0;
}

int rebase_flags_restore(struct rebaser *rb, const struct tree_entry *e, int lifted)
{
	_cleanup_close_ int fd = open_for_flags(e);
	int flags;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return fd < 0 ? fd : -errno;
	flags |= lifted;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return -errno;
	fremovexattr(rb->root, name_of(e).text);
	return tree_work_tell(&rb->work, TREE_TOLD_FLAGS, e->path);
}
