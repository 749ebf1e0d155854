/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root of a container as a mount of its own: plain, id-mapped, read-only or below a throw-away overlay. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/helper_root.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

static int map_ids(int mount, int userns, bool recursive, const char *path, struct mrg_error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	struct statfs fs;

	if (mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return root_fail(err, -errno, "cannot map the ids of '%s'", path);
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "the file system of '%s' (type 0x%lx) does not support id-mapped mounts", path,
		      fstatfs(mount, &fs) == 0 ? (unsigned long)fs.f_type : 0);
	return mrg_error_hint(err, "put it on ext4, xfs, btrfs or tmpfs, or start it without a user namespace"), -MRG_E_UNSUPPORTED;
}

int mrg_helper_root_source(const char *path, int recursive, int userns, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int directory = open(path, O_PATH | O_CLOEXEC);
	_cleanup_close_ int mount = -1;
	int r;

	if (directory < 0)
		return root_fail(err, -errno, "cannot open '%s'", path);
	mount = root_clone(directory, recursive);
	if (mount < 0)
		return root_fail(err, mount, "cannot bind '%s'", path);
	if (userns >= 0) {
		r = map_ids(mount, userns, recursive, path, err);
		if (r < 0)
			return r;
	}
	*ret_fd = take_fd(&mount);
	return 0;
}

/* The overlay wants two directories of one mount that is part of the namespace: a tmpfs put where only we can be. */
static int make_upper(int base, int lower, bool own_userns, int *ret_upper, int *ret_work, struct mrg_error *err)
{
	_cleanup_close_ int scratch = root_filesystem(&(struct root_filesystem){ .type = "tmpfs" }, err);
	_cleanup_close_ int upper = -1, work = -1;
	struct stat st;
	int r;

	if (scratch < 0)
		return scratch;
	r = root_attach(scratch, base);
	if (r < 0)
		return root_fail(err, r, "cannot place the tmpfs of the throw-away layer");
	if (mkdirat(scratch, "upper", 0755) < 0 || mkdirat(scratch, "work", 0755) < 0)
		return root_fail(err, -errno, "cannot prepare the throw-away layer");
	upper = openat(scratch, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	work = openat(scratch, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0 || work < 0 || fstat(lower, &st) < 0)
		return root_fail(err, -errno, "cannot prepare the throw-away layer");
	/* What the upper root says of owner and mode is what the container sees of its "/". */
	if (fchownat(scratch, "upper", st.st_uid, st.st_gid, 0) < 0 && !own_userns)
		return root_fail(err, -errno, "cannot prepare the throw-away layer");
	if (fchmodat(scratch, "upper", st.st_mode & 07777, 0) < 0)
		return root_fail(err, -errno, "cannot prepare the throw-away layer");
	*ret_upper = take_fd(&upper);
	*ret_work = take_fd(&work);
	return 0;
}

static int overlay(int base, int lower, bool own_userns, int *ret_fd, struct mrg_error *err)
{
	static const char *const names[] = { "lowerdir", "upperdir", "workdir" };
	_cleanup_close_ int upper = -1, work = -1;
	char option[3][PATH_OF_FD_SIZE + 16], path[PATH_OF_FD_SIZE];
	char userxattr[] = "userxattr";
	char *options[] = { option[0], option[1], option[2], own_userns ? userxattr : NULL, NULL };
	int r = make_upper(base, lower, own_userns, &upper, &work, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		snprintf(option[i], sizeof(option[i]), "%s=%s", names[i],
			 path_of_fd(path, (const int[]){ lower, upper, work }[i]));
	r = root_filesystem(&(struct root_filesystem){
		.type = "overlay", .source = "overlay", .data = options, .attributes = MOUNT_ATTR_NODEV,
	}, err);
	if (r < 0)
		return mrg_error_prefix(err, "throw-away layer"), r;
	*ret_fd = r;
	return 0;
}

static int place(const struct mrg_spec *spec, int base, int mount, struct mrg_error *err)
{
	int r = root_attach(mount, base);

	return r < 0 ? root_fail(err, r, "cannot mount the root '%s'", spec->root_path) : 0;
}

/* @source: the root id-mapped, or -1: the directory itself is the lower layer. */
static int place_overlay(const struct mrg_spec *spec, int base, int source, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int directory = -1, mount = -1;
	int r;

	if (source < 0) {
		directory = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0)
			return root_fail(err, -errno, "cannot open the root '%s'", spec->root_path);
	} else {
		/* A layer must be part of the namespace. */
		r = place(spec, base, source, err);
		if (r < 0)
			return r;
	}
	r = overlay(base, source < 0 ? directory : source, source >= 0 && spec->ns_user, &mount, err);
	if (r == 0)
		r = place(spec, base, mount, err);
	if (r == 0 && strcmp(spec->root_path, "/") == 0)
		r = root_mount_host(mount, err);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&mount);
	return 0;
}

int mrg_helper_root_place(const struct mrg_spec *spec, int source, int *ret_fd, struct mrg_error *err)
{
	/* Mounted it must be: pivot_root(2) asks for it, and kernels before 6.15 mount nothing below what is not. Over "/" it is in nobody's
	 * way: processes hold on to the directory below. */
	_cleanup_close_ int base = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int mount = -1, taken = source;
	int r;

	if (base < 0)
		return root_fail(err, -errno, "cannot open '/'");
	if (spec->ephemeral) {
		r = place_overlay(spec, base, taken, &mount, err);
	} else {
		r = place(spec, base, taken, err);
		mount = take_fd(&taken);
	}
	if (r < 0)
		return r;
	r = root_attributes(mount, true, MOUNT_ATTR_NODEV | (spec->root_readonly ? MOUNT_ATTR_RDONLY : 0), 0);
	if (r < 0)
		return root_fail(err, r, "cannot set the attributes of the root '%s'", spec->root_path);
	*ret_fd = take_fd(&mount);
	return 0;
}

int mrg_helper_root_open(const struct mrg_spec *spec, int userns, int *ret_fd, struct mrg_error *err)
{
	int source = -1, r;

	/* A plain overlay takes the directory itself as its lower layer. */
	if (!spec->ephemeral || userns >= 0) {
		r = mrg_helper_root_source(spec->root_path, !spec->ephemeral, userns, &source, err);
		if (r < 0)
			return r;
	}
	return mrg_helper_root_place(spec, source, ret_fd, err);
}
