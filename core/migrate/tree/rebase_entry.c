/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving one entry to other ids.
 *
 * A change of owner takes setuid, setgid and capabilities away, and they have to be put back after it. So that an interruption between the two loses nothing, they are
 * noted in an attribute of the file before: it goes to disk no later than the change itself, being of the same inode.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/migrate/tree/rebase.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

#define CAPABILITY	"security.capability"

/* What a change of owner takes away. */
struct note {
	uint32_t mode;
	uint32_t length;
	unsigned char capability[24];
};

/* One entry at work. */
struct change {
	const struct tree_entry *e;
	struct tree_ids ids;
	uint32_t uid, gid;
	bool special;			/* has ACLs, capabilities, setuid bits or a note */
	int lifted;			/* flags that forbade it (FS_..._FL) */
	bool noted;			/* a note is there, of a call before this or of this one */
	struct note note;
};

int rebase_open_entry(const struct tree_entry *e, int flags)
{
	_cleanup_close_ int fd = openat(e->dir, e->name, flags | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != e->st->stx_ino || st.st_dev != makedev(e->st->stx_dev_major, e->st->stx_dev_minor))
		return -ESTALE;
	return take_fd(&fd);
}

/* Whether anything but two owners is to be thought of; what a call before this one noted is read. */
static int look(struct rebaser *rb, struct change *ch, const char *path)
{
	const struct tree_entry *e = ch->e;
	ssize_t n;
	int r = xattrs_list(&rb->xattrs, e->fd, path);

	if (r < 0)
		return r;
	ch->special = !S_ISDIR(e->st->stx_mode) && !S_ISLNK(e->st->stx_mode) && (e->st->stx_mode & (S_ISUID | S_ISGID));
	for (const char *name = NULL; (name = xattrs_next(&rb->xattrs, name));)
		ch->special |= tree_xattr_has_ids(name);
	if (!S_ISREG(e->st->stx_mode) || !memmem(rb->xattrs.list, rb->xattrs.length, TREE_XATTR_MARK, sizeof(TREE_XATTR_MARK)))
		return 0;
	n = lgetxattr(path, TREE_XATTR_MARK, &ch->note, sizeof(ch->note));
	ch->noted = n == sizeof(ch->note) && ch->note.length <= sizeof(ch->note.capability);
	ch->special = true;
	return 0;
}

/* Notes mode and capabilities, unless an earlier call has. */
static int make_note(struct change *ch, const char *path)
{
	unsigned char value[sizeof(ch->note)];
	ssize_t n;

	if (ch->noted || !S_ISREG(ch->e->st->stx_mode))
		return 0;
	n = getxattr(path, CAPABILITY, ch->note.capability, sizeof(ch->note.capability));
	ch->note.length = n > 0 ? (uint32_t)n : 0;
	ch->note.mode = ch->e->st->stx_mode & 07777;
	if (ch->note.length == 0 && !(ch->note.mode & (S_ISUID | S_ISGID)))
		return 0;
	memcpy(value, &ch->note, sizeof(value));
	/* In a user namespace nobody may; on an immutable file it comes once that is lifted. */
	if (setxattr(path, TREE_XATTR_MARK, value, sizeof(value), 0) < 0 && errno != EOPNOTSUPP &&
	    (errno != EPERM || (!ch->lifted && ch->e->st->stx_attributes & REBASE_FIXED)))
		return -errno;
	ch->noted = true;
	return 0;
}

/* Capabilities come from the note, everything else from the file. */
static int map_xattrs(struct rebaser *rb, struct change *ch, const char *path)
{
	struct xattrs *x = &rb->xattrs;
	int r = xattrs_list(x, XATTRS_OF_FD, path);

	for (const char *name = NULL; r == 0 && (name = xattrs_next(x, name));) {
		if (!tree_xattr_has_ids(name) || strcmp(name, CAPABILITY) == 0)
			continue;
		r = xattrs_get(x, XATTRS_OF_FD, path, name);
		if (r == 0 && tree_xattr_map(rb->map, name, x->value, &x->value_length, &ch->ids))
			r = setxattr(path, name, x->value, x->value_length, 0) < 0 ? -errno : 0;
	}
	if (r < 0 || !ch->noted || ch->note.length == 0)
		return r;
	memcpy(x->value, ch->note.capability, ch->note.length);
	x->value_length = ch->note.length;
	tree_xattr_map(rb->map, CAPABILITY, x->value, &x->value_length, &ch->ids);
	return setxattr(path, CAPABILITY, x->value, x->value_length, 0) < 0 ? -errno : 0;
}

/* With everything around it, on a descriptor. */
static int change_special(struct rebaser *rb, struct change *ch)
{
	const struct statx *st = ch->e->st;
	_cleanup_close_ int fd = rebase_open_entry(ch->e, O_PATH);
	char path[PATH_OF_FD_SIZE];
	int r;

	if (fd < 0)
		return fd;
	path_of_fd(path, fd);
	r = make_note(ch, path);
	if (r == 0 && (ch->uid != st->stx_uid || ch->gid != st->stx_gid))
		r = fchownat(fd, "", ch->uid, ch->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
	r = r < 0 ? r : map_xattrs(rb, ch, path);
	if (r == 0 && ch->noted && chmod(path, ch->note.mode) < 0)
		r = -errno;
	if (r == 0 && ch->noted && removexattr(path, TREE_XATTR_MARK) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		r = -errno;
	return r;
}

static int change(struct rebaser *rb, struct change *ch)
{
	const struct tree_entry *e = ch->e;

	if (ch->special)
		return change_special(rb, ch);
	if (ch->uid == e->st->stx_uid && ch->gid == e->st->stx_gid)
		return 0;
	return fchownat(e->dir, e->name, ch->uid, ch->gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* Files that forbid the change are few, so that they are asked only when it fails. */
static int change_fixed(struct rebaser *rb, struct change *ch)
{
	int r;

	ch->lifted = rebase_flags_left(rb, ch->e);
	r = change(rb, ch);
	if (r == -EPERM && ch->e->st->stx_attributes & REBASE_FIXED) {
		r = rebase_flags_lift(rb, ch->e, &ch->lifted);
		r = r < 0 ? r : change(rb, ch);
	}
	if (ch->lifted && rebase_flags_restore(rb, ch->e, ch->lifted) < 0 && r == 0)
		r = -EPERM;
	return r;
}

int tree_rebase_entry(struct rebaser *rb, const struct tree_entry *e)
{
	struct change ch = { .e = e };
	char path[TREE_PATH_SIZE];
	int r;

	tree_ids_owner(rb->map, e->st->stx_uid, e->st->stx_gid, &ch.ids, &ch.uid, &ch.gid);
	r = look(rb, &ch, tree_path_of(path, e->dir, e->name));
	if (r == 0)
		r = change_fixed(rb, &ch);
	if (r < 0)
		return tree_work_fail(&rb->work, r, "change the ids of", e->path);
	rb->work.report->changed += ch.ids.source;
	return ch.ids.unmapped ? tree_work_tell(&rb->work, TREE_TOLD_UNMAPPED, e->path) : 0;
}
