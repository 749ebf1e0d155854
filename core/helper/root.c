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
#include <sys/xattr.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
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

int mrg_helper_root_source(const char *path, int flags, int userns, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int directory = open(path, O_PATH | O_CLOEXEC);
	_cleanup_close_ int mount = -1;
	int r;

	if (directory < 0)
		return root_fail(err, -errno, "cannot open '%s'", path);
	mount = root_clone(directory, flags, 0);
	if (mount < 0)
		return root_fail(err, mount, "cannot bind '%s'", path);
	if (userns >= 0) {
		r = map_ids(mount, userns, flags & MRG_ROOT_RECURSIVE, path, err);
		if (r < 0)
			return r;
	}
	*ret_fd = take_fd(&mount);
	return 0;
}

struct layers {
	int lower, upper, work;
	int scratch;			/* the mount that holds the two */
};

static void layers_close(struct layers *l)
{
	fd_close(l->upper);
	fd_close(l->work);
	fd_close(l->scratch);
}

/* Directories of the host that hold the state of its programs: in a view of the host's root they begin empty. */
static int hide_state(const struct layers *l, bool own_userns)
{
	static const struct {
		const char *name;
		mode_t mode;
	} hidden[] = { { "run", 0755 }, { "tmp", 01777 } };

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		_cleanup_close_ int fd = -1;

		if (mkdirat(l->upper, hidden[i].name, 0755) < 0 || fchmodat(l->upper, hidden[i].name, hidden[i].mode, 0) < 0)
			return -errno;
		fd = openat(l->upper, hidden[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsetxattr(fd, own_userns ? "user.overlay.opaque" : "trusted.overlay.opaque", "y", 1, 0) < 0)
			return -errno;
	}
	return 0;
}

static int fill_scratch(struct layers *l)
{
	struct stat st;

	if (mkdirat(l->scratch, "upper", 0755) < 0 || mkdirat(l->scratch, "work", 0755) < 0)
		return -errno;
	l->upper = openat(l->scratch, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	l->work = openat(l->scratch, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->upper < 0 || l->work < 0 || fstat(l->lower, &st) < 0)
		return -errno;
	/* What the upper root says of owner and mode is what the container sees of its "/". */
	if (fchownat(l->scratch, "upper", st.st_uid, st.st_gid, 0) < 0 || fchmodat(l->scratch, "upper", st.st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

/* The overlay wants two directories of one mount that is part of the namespace. */
static int make_layers(int base, struct layers *l, struct mrg_error *err)
{
	int r;

	l->scratch = root_filesystem(&(struct root_filesystem){ .type = "tmpfs", .source = "tmpfs" }, err);
	if (l->scratch < 0)
		return l->scratch;
	r = root_attach(l->scratch, base);
	if (r == 0)
		r = fill_scratch(l);
	return r < 0 ? root_fail(err, r, "cannot prepare the throw-away layer") : 0;
}

/* Takes away a mount that is uppermost at its place. */
static int unmount(int mount)
{
	char path[PATH_OF_FD_SIZE];

	return umount2(path_of_fd(path, mount), MNT_DETACH) < 0 ? -errno : 0;
}

static int mount_overlay(const struct layers *l, bool own_userns, struct mrg_error *err)
{
	static const char *const names[] = { "lowerdir", "upperdir", "workdir" };
	const int fds[] = { l->lower, l->upper, l->work };
	char option[3][PATH_OF_FD_SIZE + 16], path[PATH_OF_FD_SIZE], userxattr[] = "userxattr";
	char *options[] = { option[0], option[1], option[2], own_userns ? userxattr : NULL, NULL };
	int mount;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		snprintf(option[i], sizeof(option[i]), "%s=%s", names[i], path_of_fd(path, fds[i]));
	mount = root_filesystem(&(struct root_filesystem){
		.type = "overlay", .source = "overlay", .data = options, .attributes = MOUNT_ATTR_NODEV,
	}, err);
	if (mount < 0)
		mrg_error_prefix(err, "throw-away layer");
	return mount;
}

/* The overlay keeps its layers: their mounts are let go, or they would stay below the container's root. */
static int overlay(int base, int lower, const struct mrg_spec *spec, int *ret_fd, struct mrg_error *err)
{
	_cleanup_(layers_close) struct layers l = { .lower = lower, .upper = -1, .work = -1, .scratch = -1 };
	_cleanup_close_ int mount = -1;
	int r = make_layers(base, &l, err);

	if (r < 0)
		return r;
	if (strcmp(spec->root_path, "/") == 0)
		r = hide_state(&l, spec->ns_user != NULL);
	if (r < 0)
		return root_fail(err, r, "cannot prepare the throw-away layer over the host's root");
	mount = mount_overlay(&l, spec->ns_user != NULL, err);
	if (mount < 0)
		return mount;
	r = unmount(l.scratch);
	if (r < 0)
		return root_fail(err, r, "cannot let go of the tmpfs of the throw-away layer");
	*ret_fd = take_fd(&mount);
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
	r = overlay(base, source < 0 ? directory : source, spec, &mount, err);
	if (r == 0 && source >= 0 && (r = unmount(source)) < 0)
		root_fail(err, r, "cannot let go of the lower layer");
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

int mrg_helper_root_flags(const struct mrg_spec *spec)
{
	int slave = spec->rootfs_propagation && strstr(spec->rootfs_propagation, "slave") ? MRG_ROOT_SLAVE : 0;

	return spec->ephemeral ? 0 : MRG_ROOT_RECURSIVE | slave;
}

int mrg_helper_root_open(const struct mrg_spec *spec, int userns, int *ret_fd, struct mrg_error *err)
{
	int source = -1, r;

	/* A plain overlay takes the directory itself as its lower layer. */
	if (!spec->ephemeral || userns >= 0) {
		r = mrg_helper_root_source(spec->root_path, mrg_helper_root_flags(spec), userns, &source, err);
		if (r < 0)
			return r;
	}
	return mrg_helper_root_place(spec, source, ret_fd, err);
}
