/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of the kernel's file systems that a container may not see, or not write. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define INERT	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

/* What hidden things are covered with. */
struct covers {
	int null;			/* the host's null device */
	int file, directory;		/* the first mounted over a file, over a directory; -1: none yet */
};

/* Never the null device of the container: its root may hold anything under that name. */
static int open_null(struct mrg_error *err)
{
	_cleanup_close_ int fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return root_fail(err, -errno, "cannot open '/dev/null' of the host");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return mrg_error_set(err, -EIO, "'/dev/null' of the host is not the null device");
	return take_fd(&fd);
}

/* One mount serves all of its kind: copied from where it was mounted first, since only what is mounted can be copied before Linux 6.15. */
static int cover(int *first, int mount, int target)
{
	_cleanup_close_ int made = mount, copy = *first < 0 ? -1 : root_copy(*first);
	int r;

	if (*first >= 0)
		return copy < 0 ? copy : root_attach(copy, target);
	r = made < 0 ? made : root_attach(made, target);
	if (r == 0)
		*first = take_fd(&made);
	return r;
}

static int new_empty(struct mrg_error *err)
{
	char mode[] = "mode=0555", inodes[] = "nr_inodes=1";
	char *options[] = { mode, inodes, NULL };

	return root_filesystem(&(struct root_filesystem){
		.type = "tmpfs", .source = "tmpfs", .data = options, .attributes = INERT | MOUNT_ATTR_NODEV,
	}, err);
}

static int cover_file(struct covers *covers, int target)
{
	return cover(&covers->file, covers->file < 0 ? root_clone(covers->null, 0, INERT) : -1, target);
}

static int cover_directory(struct covers *covers, int target, struct mrg_error *err)
{
	return cover(&covers->directory, covers->directory < 0 ? new_empty(err) : -1, target);
}

/* Opens @path below @root, 1 and -1 in *ret when there is no such thing in this kernel. */
static int open_existing(int root, const char *path, int *ret, struct mrg_error *err)
{
	int fd = path_open_in_root(root, path, O_PATH, 0);

	*ret = fd;
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return 1;
	return fd < 0 ? root_fail(err, fd, "cannot open '%s' of the container", path) : 0;
}

static int mask(struct covers *covers, int root, const char *path, struct mrg_error *err)
{
	_cleanup_close_ int target = -1;
	struct stat st;
	int r = open_existing(root, path, &target, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (fstat(target, &st) < 0)
		return root_fail(err, -errno, "cannot look at '%s' of the container", path);
	r = S_ISDIR(st.st_mode) ? cover_directory(covers, target, err) : cover_file(covers, target);
	return r < 0 ? root_fail(err, r, "cannot mask '%s'", path) : 0;
}

static int make_readonly(int root, const char *path, struct mrg_error *err)
{
	_cleanup_close_ int target = -1, mount = -1;
	int r = open_existing(root, path, &target, err);

	if (r != 0)
		return r < 0 ? r : 0;
	mount = root_clone(target, MRG_ROOT_RECURSIVE, MOUNT_ATTR_RDONLY);
	r = mount < 0 ? mount : root_attach(mount, target);
	return r < 0 ? root_fail(err, r, "cannot make '%s' read-only", path) : 0;
}

int mrg_helper_root_mask(const struct mrg_unit *unit, int root, struct mrg_error *err)
{
	char *const *masked = unit->spec->masked_paths, *const *readonly = unit->spec->readonly_paths;
	struct covers covers = { .null = -1, .file = -1, .directory = -1 };
	int r = 0;

	if (masked && *masked) {
		covers.null = open_null(err);
		r = covers.null < 0 ? covers.null : 0;
	}
	for (; readonly && *readonly && r == 0; readonly++)
		r = make_readonly(root, *readonly, err);
	for (; masked && *masked && r == 0; masked++)
		r = mask(&covers, root, *masked, err);
	fd_close(covers.null);
	fd_close(covers.file);
	fd_close(covers.directory);
	return r;
}
