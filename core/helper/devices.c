/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes, and the links everybody expects in /dev. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

static const struct mrg_device usual[] = {
	{ "/dev/null",		"c", 1, 3, 0666, 0, 0 },
	{ "/dev/zero",		"c", 1, 5, 0666, 0, 0 },
	{ "/dev/full",		"c", 1, 7, 0666, 0, 0 },
	{ "/dev/random",	"c", 1, 8, 0666, 0, 0 },
	{ "/dev/urandom",	"c", 1, 9, 0666, 0, 0 },
	{ "/dev/tty",		"c", 5, 0, 0666, 0, 0 },
};

static const struct {
	const char *name, *target;
	const char *needs;		/* a mount of the spec; NULL: none */
} links[] = {
	{ "fd",		"/proc/self/fd", "/proc" },
	{ "stdin",	"/proc/self/fd/0", "/proc" },
	{ "stdout",	"/proc/self/fd/1", "/proc" },
	{ "stderr",	"/proc/self/fd/2", "/proc" },
	{ "core",	"/proc/kcore", "/proc" },
	{ "ptmx",	"pts/ptmx", "/dev/pts" },
};

static int node_type(const char *type, mode_t *ret)
{
	static const struct {
		char letter;
		mode_t mode;
	} types[] = { { 'c', S_IFCHR }, { 'u', S_IFCHR }, { 'b', S_IFBLK }, { 'p', S_IFIFO } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (type[0] == types[i].letter && type[1] == '\0') {
			*ret = types[i].mode;
			return 0;
		}
	return -EINVAL;
}

/* In a user namespace nodes cannot be made: the host's is bound, when it is the device that was meant. */
static int bind_host_node(int parent, const char *name, const struct mrg_device *device, mode_t type)
{
	_cleanup_close_ int source = open(device->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int mount = -1;
	struct stat st;

	if (source < 0 || fstat(source, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != type || st.st_rdev != makedev((unsigned int)device->major, (unsigned int)device->minor))
		return -ENODEV;
	if (mknodat(parent, name, S_IFREG | 0644, 0) < 0)
		return -errno;
	mount = root_clone(source, 0, 0);
	return mount < 0 ? mount : root_attach_at(mount, parent, name);
}

static int make_node(int parent, const char *name, const struct mrg_device *device, bool own_userns)
{
	mode_t type, mode = device->file_mode ? device->file_mode & 07777 : 0666;
	int r = node_type(device->type, &type);

	if (r < 0)
		return r;
	if (own_userns && type != S_IFIFO)
		return bind_host_node(parent, name, device, type);
	if (mknodat(parent, name, type | mode, makedev((unsigned int)device->major, (unsigned int)device->minor)) < 0)
		/* The device rules of the container's cgroup, where we are already, may give it to use and not to make. */
		return errno == EPERM ? bind_host_node(parent, name, device, type) : -errno;
	/* The umask is the caller's and not ours to change. */
	if (fchmodat(parent, name, mode, 0) < 0)
		return -errno;
	if ((device->uid || device->gid) && fchownat(parent, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int make_usual(const struct mrg_spec *spec, int dev, struct mrg_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		const struct mrg_device *device = &usual[i];
		int r = make_node(dev, strrchr(device->path, '/') + 1, device, spec->ns_user != NULL);

		if (r < 0 && r != -EEXIST)
			return root_fail(err, r, "cannot make the device '%s'", device->path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (!root_find_mount(spec, links[i].needs))
			continue;
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
			return root_fail(err, -errno, "cannot make the link '/dev/%s'", links[i].name);
	}
	return 0;
}

static bool is_usual(const struct mrg_device *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (strcmp(usual[i].path, device->path) == 0)
			return true;
	return false;
}

/* A node of the spec takes the place of a usual one. */
static int make_asked(const struct mrg_spec *spec, int dev, const struct mrg_device *device, struct mrg_error *err)
{
	const char *relative = device->path + strlen("/dev/"), *name = strrchr(device->path, '/') + 1;
	char directory[PATH_MAX];
	_cleanup_close_ int parent = -1;
	int r;

	if (strncmp(device->path, "/dev/", 5) != 0 || !path_is_clean(device->path) || *name == '\0') {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "the device '%s' is not below '/dev'", device->path);
		return mrg_error_hint(err, "elsewhere device files do not work: the root is mounted nodev"), -MRG_E_UNSUPPORTED;
	}
	snprintf(directory, sizeof(directory), "/%.*s", (int)(name - relative), relative);
	parent = path_make_in_root(dev, directory, false);
	if (parent < 0)
		return root_fail(err, parent, "cannot make the directory of the device '%s'", device->path);
	if (is_usual(device))
		unlinkat(parent, name, 0);
	r = make_node(parent, name, device, spec->ns_user != NULL);
	return r < 0 ? root_fail(err, r, "cannot make the device '%s'", device->path) : 0;
}

int mrg_helper_root_devices(const struct mrg_unit *unit, int root, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;
	const struct mrg_mount *mount = root_find_mount(spec, "/dev");
	_cleanup_close_ int dev = -1;
	int r;

	/* What is not ours is not written to: the root's own /dev, or one bound from the host. */
	if (!mount || !mount->type || strcmp(mount->type, "tmpfs") != 0) {
		if (spec->devices.n == 0)
			return 0;
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the device '%s' needs a tmpfs on '/dev'", spec->devices.item[0].path);
	}
	dev = path_open_beneath(root, "dev", O_RDONLY | O_DIRECTORY, 0);
	if (dev < 0)
		return root_fail(err, dev, "cannot open '/dev' of the container");
	r = make_usual(spec, dev, err);
	for (size_t i = 0; i < spec->devices.n && r == 0; i++)
		r = make_asked(spec, dev, &spec->devices.item[i], err);
	return r;
}
