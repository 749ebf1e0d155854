/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking into the root before nspawn does, and into the container before its first process does anything. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"
#include "core/util/str.h"
#include "nspawn.h"

/* In a container /sys may be made up, and tells nothing of what others see. */
static bool has_sysfs(void)
{
	struct statfs fs;

	return statfs("/sys", &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

/* Whether there is something at @path of the root, or of the host where the kernel shows it to every container. */
static bool exists(int root, const char *path)
{
	_cleanup_close_ int fd = -1;

	if (strncmp(path, "/proc/", 6) == 0)
		return access(path, F_OK) == 0;
	if (strncmp(path, "/sys/", 5) == 0)
		return has_sysfs() && access(path, F_OK) == 0;
	fd = path_open_in_root(root, path, O_PATH, 0);
	return fd >= 0;
}

/* ---- init ----------------------------------------------------------------------------------- */

int nspawn_find_init(const char *path, const char **ret, struct mrg_error *err)
{
	/* In the order of nspawn. */
	static const char *const candidates[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init" };
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", path);
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (exists(root, candidates[i])) {
			*ret = candidates[i];
			return 0;
		}
	mrg_error_set(err, -MRG_E_NO_COMMAND, "the root has no init: there is no /sbin/init and no /usr/lib/systemd/systemd");
	return mrg_error_hint(err, "install one into it, or name a command instead of --boot"), -MRG_E_NO_COMMAND;
}

/* ---- flags of bind mounts ---------------------------------------------------------------------- */

static const struct {
	const char *option;
	unsigned int flags;		/* of mount_setattr(2): AT_RECURSIVE or 0 */
	uint64_t attribute;
} bind_flags[] = {
	{ "nosuid", 0, MOUNT_ATTR_NOSUID }, { "nodev", 0, MOUNT_ATTR_NODEV }, { "noexec", 0, MOUNT_ATTR_NOEXEC },
	{ "rnosuid", AT_RECURSIVE, MOUNT_ATTR_NOSUID }, { "rnodev", AT_RECURSIVE, MOUNT_ATTR_NODEV },
	{ "rnoexec", AT_RECURSIVE, MOUNT_ATTR_NOEXEC },
};

static bool is_bind(const struct mrg_mount *mount)
{
	return strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
	       (mount->type && strcmp(mount->type, "bind") == 0);
}

/* The number in bind_flags, -1 for any other option. */
static int find_flag(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(bind_flags); i++)
		if (strcmp(bind_flags[i].option, option) == 0)
			return (int)i;
	return -1;
}

/* nspawn has no way to say them, and would do without. */
static void drop_flags(struct mrg_mount *mount)
{
	size_t n = 0;

	for (char **option = mount->options; option && *option; option++)
		if (find_flag(*option) < 0)
			mount->options[n++] = *option;
	if (mount->options)
		mount->options[n] = NULL;
}

static int set_flag(int root, const char *path, int flag, struct mrg_error *err)
{
	struct mount_attr attr = { .attr_set = bind_flags[flag].attribute };
	_cleanup_close_ int fd = path_open_in_root(root, path, O_PATH, 0);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | bind_flags[flag].flags, &attr, sizeof(attr)) < 0)
		return fail_errno(err, fd < 0 ? fd : -errno, "cannot mount '%s' %s", path, bind_flags[flag].option);
	return 0;
}

static int set_flags(const struct mrg_spec *spec, int root, struct mrg_error *err)
{
	int r = 0, flag;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];

		for (char **option = mount->options; is_bind(mount) && option && *option && r == 0; option++)
			if ((flag = find_flag(*option)) >= 0)
				r = set_flag(root, mount->destination, flag, err);
	}
	return r;
}

static bool has_flags(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		for (char **option = spec->mounts.item[i].options; is_bind(&spec->mounts.item[i]) && option && *option; option++)
			if (find_flag(*option) >= 0)
				return true;
	return false;
}

/* ---- what nspawn is told ----------------------------------------------------------------------- */

/* Takes those out that are not there. */
static void keep_existing(char **paths, int root)
{
	size_t n = 0;

	for (char **path = paths; path && *path; path++)
		if (exists(root, *path))
			paths[n++] = *path;
	if (paths)
		paths[n] = NULL;
}

int nspawn_reduce(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	r = mrg_spec_copy(spec, ret, err);
	if (r < 0)
		return r;
	keep_existing((*ret)->masked_paths, root);
	keep_existing((*ret)->readonly_paths, root);
	for (size_t i = 0; i < (*ret)->mounts.n; i++)
		if (is_bind(&(*ret)->mounts.item[i]))
			drop_flags(&(*ret)->mounts.item[i]);
	return 0;
}

/* In a user namespace nodes cannot be made: the host's are bound. */
static int bind_devices(struct mrg_spec *share, struct mrg_error *err)
{
	char bind[] = "bind", *options[] = { bind, NULL };
	int r = 0;

	for (size_t i = 0; i < share->devices.n && share->ns_user && r == 0; i++) {
		const char *path = share->devices.item[i].path;

		r = mrg_spec_add_mount(share, &(struct mrg_mount){ .source = path, .destination = path, .options = options }, err);
	}
	return r;
}

int nspawn_share(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err)
{
	static const enum mrg_field others[] = {
		MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_SECCOMP, MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_CAP_AMBIENT,
	};
	struct mrg_spec *share = NULL;
	int r = mrg_spec_copy(spec, &share, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		mrg_fields_remove(&share->set, others[i]);
	share->masked_paths = share->readonly_paths = NULL;
	share->cap_ambient = 0;
	/* What moorage-init needs to become what it is asked to; it gives away the rest itself. */
	share->cap_bounding = UINT64_MAX;
	r = bind_devices(share, err);
	if (r < 0)
		mrg_spec_free(share);
	else
		*ret = share;
	return r;
}

/* ---- in the container --------------------------------------------------------------------------- */

struct furnishing {
	struct mrg_unit unit;
	int pidfd;			/* of the container's first process */
};

/* What nspawn has put there by itself gives way: the host's /dev/net/tun, bound, and a few nodes. We are in the mount namespace of the container, where nothing of
 * it has run yet. */
static void make_room(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->devices.n; i++) {
		umount2(spec->devices.item[i].path, MNT_DETACH | UMOUNT_NOFOLLOW);
		unlink(spec->devices.item[i].path);
	}
}

static int furnish_inside(void *data, struct mrg_error *err)
{
	struct furnishing *f = data;
	_cleanup_close_ int root = -1;
	int r = 0;

	if (setns(f->pidfd, CLONE_NEWNS) < 0)
		return fail_errno(err, -errno, "cannot enter the mount namespace of the container");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root of the container");
	if (f->unit.spec->devices.n > 0 && !f->unit.spec->ns_user) {
		make_room(f->unit.spec);
		r = mrg_helper_root_devices(&f->unit, root, err);
	}
	if (r == 0)
		r = set_flags(f->unit.spec, root, err);
	if (r == 0)
		r = mrg_helper_root_mask(&f->unit, root, err);
	/* Nothing is executed: the end of the error pipe is the good news. */
	if (r == 0)
		_exit(EXIT_SUCCESS);
	return r;
}

static bool needs_furniture(const struct mrg_spec *spec)
{
	return spec->devices.n > 0 || has_flags(spec) || (spec->masked_paths && *spec->masked_paths) || (spec->readonly_paths && *spec->readonly_paths);
}

int nspawn_furnish(const struct mrg_unit *unit, pid_t leader, struct mrg_error *err)
{
	struct furnishing f = { .unit = *unit };
	struct mrg_process process;
	int r;

	if (!needs_furniture(unit->spec))
		return 0;
	f.pidfd = (int)syscall(SYS_pidfd_open, leader, 0);
	if (f.pidfd < 0)
		return fail_errno(err, -errno, "the first process of the container has just ended");
	r = mrg_helper_spawn(0, NULL, furnish_inside, NULL, &f, &process, err);
	close(f.pidfd);
	if (r < 0)
		return r;
	while (waitpid(process.pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(process.pidfd);
	return 0;
}
