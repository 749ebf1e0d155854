/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing a tree of any depth, and moving one. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/migrate/tree/walk.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

struct remover {
	struct tree_work work;
	bool again;			/* a directory was not empty after all: removal hides entries from readers on some file systems */
	uint64_t removed;		/* in this pass */
};

/* Takes immutable and append-only from what is open: 0 when it had either. */
static int lift_flags(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return -EPERM;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

/* The name is gone, now or before. */
static int unlink_name(const struct tree_entry *e)
{
	_cleanup_close_ int fd = -1;

	if (unlinkat(e->dir, e->name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EPERM || !S_ISREG(e->st->stx_mode))
		return -errno;
	fd = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || lift_flags(fd) < 0)
		return -EPERM;
	return unlinkat(e->dir, e->name, 0) < 0 ? -errno : 0;
}

static int remove_entry(const struct tree_entry *e, void *data)
{
	struct remover *rm = data;
	int r = e->mount ? -EBUSY : unlink_name(e);

	if (r < 0)
		return tree_work_fail(&rm->work, r, e->mount ? "remove what is mounted at" : "remove", e->path);
	rm->removed++;
	return tree_work_step(&rm->work, 1, 0);
}

static int enter_directory(const struct tree_entry *e, void *data)
{
	struct remover *rm = data;
	uint64_t flags = e->st->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
	int r = flags ? lift_flags(e->fd) : 0;

	return r < 0 ? tree_work_fail(&rm->work, r, "remove", e->path) : 0;
}

static int leave_directory(const struct tree_entry *e, void *data)
{
	struct remover *rm = data;

	if (strcmp(e->path, ".") == 0)
		return 0;
	if (unlinkat(e->dir, e->name, AT_REMOVEDIR) == 0) {
		rm->removed++;
		return tree_work_step(&rm->work, 1, 0);
	}
	if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
		return tree_work_fail(&rm->work, -errno, "remove the directory", e->path);
	rm->again = true;
	return 0;
}

/* Removes what is in @dir, and what @parent calls it when that is given (>= 0). */
static int remove_all(struct remover *rm, int dir, int parent, const char *name)
{
	static const struct tree_visit visit = { enter_directory, leave_directory, remove_entry };
	int r;

	do {
		rm->again = false;
		rm->removed = 0;
		r = tree_walk(&rm->work, dir, &visit, rm);
		if (r == 0 && parent != -1 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
			rm->again = errno == ENOTEMPTY || errno == EEXIST;
			r = fail_errno(rm->work.err, -errno, "cannot remove '%s'", name);
		}
	} while (rm->again && rm->removed > 0);
	return r == 0 && rm->again ? mrg_error_set(rm->work.err, -ENOTEMPTY, "a directory fills while it is being removed") : r;
}

int tree_remove(int parent, const char *name, const struct tree_options *options, struct mrg_error *err)
{
	struct tree_report report = { 0 };
	struct remover rm = { 0 };
	_cleanup_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 && (errno == ENOTDIR || errno == ELOOP))
		return unlinkat(parent, name, 0) < 0 ? fail_errno(err, -errno, "cannot remove '%s'", name) : 0;
	if (dir < 0)
		return fail_errno(err, -errno, "cannot remove '%s'", name);
	tree_work_init(&rm.work, options, &report, err);
	r = remove_all(&rm, dir, parent, name);
	tree_report_deinit(&report);
	return r;
}

int tree_clear(int dir, struct mrg_error *err)
{
	struct tree_report report = { 0 };
	struct remover rm = { 0 };
	int r;

	tree_work_init(&rm.work, NULL, &report, err);
	r = remove_all(&rm, dir, -1, ".");
	tree_report_deinit(&report);
	return r;
}

/* rename(2) that never replaces; not every file system can promise that. */
static int rename_new(int parent, const char *name, int new_parent, const char *new_name)
{
	if (renameat2(parent, name, new_parent, new_name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (faccessat(new_parent, new_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(parent, name, new_parent, new_name) < 0 ? -errno : 0;
}

static int sync_both(int parent, int new_parent, struct mrg_error *err)
{
	_cleanup_close_ int from = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int to = openat(new_parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (from < 0 || to < 0 || fsync(to) < 0 || fsync(from) < 0)
		return fail_errno(err, -errno, "cannot write the new name to disk");
	return 0;
}

int tree_move(int parent, const char *name, int new_parent, const char *new_name, const struct tree_options *options, enum tree_moved *ret_how,
	      struct tree_report *ret, struct mrg_error *err)
{
	_cleanup_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (ret)
		*ret = (struct tree_report) { 0 };
	if (dir < 0)
		return fail_errno(err, -errno, "cannot open the directory '%s'", name);
	r = rename_new(parent, name, new_parent, new_name);
	if (r == 0) {
		*ret_how = TREE_RENAMED;
		return options && options->durable ? sync_both(parent, new_parent, err) : 0;
	}
	if (r != -EXDEV)
		return fail_errno(err, r, "cannot move '%s' to '%s'", name, new_name);
	*ret_how = TREE_COPIED;
	return tree_copy(dir, new_parent, new_name, options, ret, err);
}
