/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts of a spec, one after the other, below a root. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* One mount being made. */
struct mounting {
	const struct mrg_unit *unit;
	const struct mrg_mount *mount;
	struct mount_options options;
	int root;
	int source;			/* of a bind mount: a copy made beforehand, taken; or -1 */
};

/* ---- places ----------------------------------------------------------------------------- */

/* What lxcfs and its like put in the place of files of procfs. */
static const char *const proc_files[] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev", "/proc/slabinfo", "/proc/stat",
	"/proc/swaps", "/proc/sys/kernel/ns_last_pid", "/proc/uptime",
};

static bool is_api_path(const char *path)
{
	return path_is_below(path, "/dev") || path_is_below(path, "/proc") || path_is_below(path, "/sys");
}

static int open_place(int root, const char *destination)
{
	const char *relative = destination + strspn(destination, "/");

	if (is_api_path(destination))
		return path_open_beneath(root, relative, O_PATH, 0);
	return path_open_in_root(root, destination, O_PATH, 0);
}

static int make_place(const struct mrg_spec *spec, int root, const char *destination, bool file)
{
	int fd, r;

	/* A read-only root is only a read-only view of a directory: the view is opened for the moment the mount point takes. */
	if (spec->root_readonly) {
		r = root_attributes(root, false, 0, MOUNT_ATTR_RDONLY);
		if (r < 0)
			return r;
	}
	fd = path_make_in_root(root, destination, file);
	if (spec->root_readonly) {
		r = root_attributes(root, false, MOUNT_ATTR_RDONLY, 0);
		if (r < 0 && fd >= 0)
			close(fd);
		fd = r < 0 ? r : fd;
	}
	if (fd < 0 || !is_api_path(destination))
		return fd;
	close(fd);
	return open_place(root, destination);
}

/* A mount on procfs would put false facts where programs trust the kernel's. */
static int check_place(int target, const char *destination, struct mrg_error *err)
{
	struct statfs fs;

	if (fstatfs(target, &fs) < 0)
		return root_fail(err, -errno, "cannot look at the mount point '%s'", destination);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++)
		if (strcmp(destination, proc_files[i]) == 0)
			return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "the mount point '%s' is in a proc file system, where nothing may be mounted",
			     destination);
}

int root_target(const struct mrg_spec *spec, int root, const char *destination, bool file, struct mrg_error *err)
{
	_cleanup_close_ int target = -1;
	int r;

	if (!path_is_clean(destination))
		return mrg_error_set(err, -MRG_E_INVALID, "the mount point '%s' is not an absolute path without '..'", destination);
	target = open_place(root, destination);
	if (target == -ENOENT)
		target = make_place(spec, root, destination, file);
	if (target == -ELOOP)
		return mrg_error_set(err, -MRG_E_INVALID, "the mount point '%s' of the root is or goes through a symbolic link",
				     destination);
	if (target < 0)
		return root_fail(err, target, "cannot make the mount point '%s' in the root '%s'", destination, spec->root_path);
	r = check_place(target, destination, err);
	return r < 0 ? r : take_fd(&target);
}

const struct mrg_mount *root_find_mount(const struct mrg_spec *spec, const char *destination)
{
	for (size_t i = spec->mounts.n; i > 0; i--)
		if (strcmp(spec->mounts.item[i - 1].destination, destination) == 0)
			return &spec->mounts.item[i - 1];
	return NULL;
}

/* ---- kinds ------------------------------------------------------------------------------ */

static int place_at(const struct mounting *m, int mount, int target, struct mrg_error *err)
{
	int r = root_attach(mount, target);

	return r < 0 ? root_fail(err, r, "cannot mount on '%s'", m->mount->destination) : 0;
}

static int set_attributes(const struct mounting *m, int mount, bool recursive, const struct mount_attr *attr,
			  struct mrg_error *err)
{
	struct mount_attr copy = *attr;

	if (!copy.attr_set && !copy.attr_clr && !copy.propagation)
		return 0;
	if (mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &copy, sizeof(copy)) < 0)
		return root_fail(err, -errno, "cannot set the options of the mount on '%s'", m->mount->destination);
	return 0;
}

static int bind_flags(const struct mount_options *options)
{
	bool slave = (options->top.propagation | options->tree.propagation) & MS_SLAVE;

	return (options->recursive ? MRG_ROOT_RECURSIVE : 0) | (slave ? MRG_ROOT_SLAVE : 0);
}

static int mount_bind(struct mounting *m, struct mrg_error *err)
{
	_cleanup_close_ int mount = m->source, target = -1;
	struct stat st;
	int r;

	if (!m->mount->source)
		return mrg_error_set(err, -MRG_E_INVALID, "a bind mount needs a source");
	if ((m->options.top.propagation | m->options.tree.propagation) & MS_SHARED)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "shared, what the container mounts would appear on the host");
	if (m->options.super)
		return mrg_error_set(err, -MRG_E_INVALID, "a bind mount cannot have the option '%s'", m->options.super);
	if (mount < 0) {
		r = mrg_helper_root_source(m->mount->source, bind_flags(&m->options), -1, &mount, err);
		if (r < 0)
			return r;
	}
	if (fstat(mount, &st) < 0)
		return root_fail(err, -errno, "cannot look at '%s'", m->mount->source);
	r = set_attributes(m, mount, true, &m->options.tree, err);
	if (r == 0)
		r = set_attributes(m, mount, false, &m->options.top, err);
	if (r < 0)
		return r;
	target = root_target(m->unit->spec, m->root, m->mount->destination, !S_ISDIR(st.st_mode), err);
	return target < 0 ? target : place_at(m, mount, target, err);
}

/* The file system's own read-only flag matters where it would write by itself; the kernel's own ones have none. */
static bool is_kernels_own(const char *type)
{
	static const char *const types[] = { "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup2", "bpf", "debugfs", "tracefs" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static int new_filesystem(const struct mounting *m, struct mrg_error *err)
{
	const struct mrg_mount *mount = m->mount;
	bool own = is_kernels_own(mount->type);

	return root_filesystem(&(struct root_filesystem){
		.type = mount->type,
		.source = mount->source,
		.data = mount->options,
		.attributes = m->options.top.attr_set | m->options.tree.attr_set,
		.readonly = !own && m->options.top.attr_set & MOUNT_ATTR_RDONLY,
		.foreign_ids = m->unit->spec->ns_user != NULL,
	}, err);
}

static int mount_filesystem(struct mounting *m, struct mrg_error *err)
{
	_cleanup_close_ int mount = -1, target = -1;
	struct mount_attr propagation = { .propagation = m->options.top.propagation | m->options.tree.propagation };
	int r;

	if (m->options.copy_up && strcmp(m->mount->type, "tmpfs") != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the option 'tmpcopyup' is for tmpfs");
	if (m->options.idmap)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the option 'idmap' is for bind mounts");
	target = root_target(m->unit->spec, m->root, m->mount->destination, false, err);
	if (target < 0)
		return target;
	mount = new_filesystem(m, err);
	if (mount < 0)
		return mount;
	if (m->options.copy_up) {
		r = root_copy_up(target, mount, err);
		if (r < 0)
			return r;
	}
	r = place_at(m, mount, target, err);
	return r < 0 ? r : set_attributes(m, mount, false, &propagation, err);
}

/* A sysfs belongs to a network namespace: without one of its own the container gets the host's, to look at only. */
static int mount_sysfs(struct mounting *m, struct mrg_error *err)
{
	_cleanup_close_ int mount = m->source, target = -1;
	uint64_t attributes = m->options.top.attr_set | m->options.tree.attr_set | MOUNT_ATTR_RDONLY;
	int r;

	if (m->unit->spec->ns_network)
		return mount_filesystem(m, err);	/* then no source was made */
	target = root_target(m->unit->spec, m->root, m->mount->destination, false, err);
	if (target < 0)
		return target;
	if (mount < 0) {
		r = mrg_helper_root_source("/sys", 0, -1, &mount, err);
		if (r < 0)
			return r;
	}
	r = root_attributes(mount, true, attributes, attributes & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0);
	if (r < 0)
		return root_fail(err, r, "cannot make the view of '/sys' read-only");
	return place_at(m, mount, target, err);
}

static int mount_cgroup(struct mounting *m, struct mrg_error *err)
{
	_cleanup_close_ int target = root_target(m->unit->spec, m->root, m->mount->destination, false, err);

	return target < 0 ? target : root_mount_cgroups(m->unit, &m->options, target, err);
}

static const struct {
	const char *type;
	int (*mount)(struct mounting *m, struct mrg_error *err);
} kinds[] = {
	{ "bind", mount_bind },
	{ "sysfs", mount_sysfs },
	{ "cgroup", mount_cgroup },
	{ "cgroup2", mount_cgroup },
};

static int mount_one(struct mounting *m, struct mrg_error *err)
{
	const char *type = m->mount->type;

	mount_options_parse(m->mount->options, &m->options);
	if (m->options.bind)
		type = "bind";
	if (!type)
		return mrg_error_set(err, -MRG_E_INVALID, "neither a type nor the option 'bind' or 'rbind' is given");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].mount(m, err);
	return mount_filesystem(m, err);
}

static int mount_some(const struct mrg_unit *unit, int root, struct mrg_root_sources *sources, size_t from, size_t to, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;

	for (size_t i = from; i < to; i++) {
		struct mounting m = { .unit = unit, .mount = &spec->mounts.item[i], .root = root, .source = -1 };
		int r;

		if (sources && i < sources->n)
			m.source = take_fd(&sources->item[i]);
		r = mount_one(&m, err);
		if (r < 0)
			return mrg_error_prefix(err, "mount %zu (%s)", i, m.mount->destination), r;
	}
	return 0;
}

int mrg_helper_root_mounts(const struct mrg_unit *unit, int root, struct mrg_error *err)
{
	return mount_some(unit, root, NULL, 0, unit->spec->mounts.n, err);
}

/* The first mount that shows cgroups. */
static size_t first_of_cgroups(const struct mrg_spec *spec)
{
	size_t i = 0;

	while (i < spec->mounts.n && (!spec->mounts.item[i].type || strncmp(spec->mounts.item[i].type, "cgroup", 6) != 0))
		i++;
	return i;
}

static int enter_cgroups(int socket, struct mrg_error *err)
{
	struct mrg_cgroup_entry entry = MRG_CGROUP_ENTRY_INIT;
	int n = mrg_helper_fds_receive(socket, entry.tasks, MRG_CGROUP_MAX), r;

	if (n < 0)
		return mrg_error_set(err, n, "cannot get the cgroups from the monitor: %s", strerror(-n));
	entry.n_tasks = (size_t)n;
	r = mrg_helper_cgroup_enter(&entry, err);
	mrg_helper_cgroup_entry_close(&entry);
	return r;
}

int mrg_helper_root_mounts_busy(const struct mrg_unit *unit, int root, struct mrg_root_sources *sources, int socket, struct mrg_error *err)
{
	size_t first = first_of_cgroups(unit->spec);
	int r = mount_some(unit, root, sources, 0, first, err);

	if (r == 0)
		r = enter_cgroups(socket, err);
	return r == 0 ? mount_some(unit, root, sources, first, unit->spec->mounts.n, err) : r;
}
