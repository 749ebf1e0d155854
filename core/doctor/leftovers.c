/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups that containers have left behind: nobody is in them, and nobody is called so. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define YOUNG_S		10		/* of a container that is just being started, say */

/* How those that make them call them. Slices are theirs too and stay. */
static const struct kind {
	const char *parent, *prefix, *suffix, *owner;
} kinds[] = {
	{ "", "moorage-", "", "moorage" },
	{ "moorage", "", "", "moorage" },
	{ "", "lxc.payload.", "", "LXC" },
	{ "", "lxc.monitor.", "", "LXC" },
	{ "lxc", "", "", "LXC" },
	{ "docker", "", "", "Docker" },
	{ "system.slice", "docker-", ".scope", "Docker" },
	{ "machine.slice", "libpod-", ".scope", "Podman" },
	{ "libpod_parent", "libpod-", "", "Podman" },
	{ "machine.slice", "systemd-nspawn@", ".service", "systemd-nspawn" },
	{ "machine.slice", "machine-", ".scope", "systemd-machined" },
	{ "machine", "", ".libvirt-lxc", "libvirt" },
	{ "machine.slice", "machine-lxc", ".libvirt-lxc", "libvirt" },
};

static bool fits(const struct kind *kind, const char *parent, const char *name)
{
	size_t length = strlen(name), prefix = strlen(kind->prefix), suffix = strlen(kind->suffix);

	return strcmp(kind->parent, parent) == 0 && length > prefix + suffix && strncmp(name, kind->prefix, prefix) == 0 &&
	       strcmp(name + length - suffix, kind->suffix) == 0;
}

const char *cgroup_owner(const char *parent, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (name[0] != '.' && fits(&kinds[i], parent, name))
			return kinds[i].owner;
	return NULL;
}

static int somebody(_unused_ int dir, void *data)
{
	_cleanup_free_ char *text = NULL;

	/* What cannot be read is not known to be empty. */
	*(bool *)data |= fd_read_virtual(dir, "cgroup.procs", 1 << 20, &text, NULL) < 0 || text[0];
	return 0;
}

static bool is_old(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && time(NULL) - st.st_mtime > YOUNG_S;
}

/* A cgroup in all hierarchies that have it. */
struct group {
	const struct cgroup *cg;
	char path[PATH_MAX];
	const char *owner;
};

static int open_in(const struct group *group, size_t hierarchy)
{
	return path_open_beneath(group->cg->item[hierarchy].root, group->path, O_RDONLY | O_DIRECTORY, 0);
}

/* Whether somebody is in it, or it is that of a container that has just begun. Who is root inside may leave it in some hierarchies. */
static bool is_used(const struct group *group)
{
	bool used = false;

	for (size_t i = 0; i < group->cg->n && !used; i++) {
		_cleanup_close_ int dir = open_in(group, i);

		if (dir >= 0 && (!is_old(dir) || cgroup_walk(dir, somebody, &used) < 0))
			used = true;
	}
	return used;
}

static int say(const struct doctor *d, const struct group *group)
{
	const char *slash = strrchr(group->path, '/');
	struct buffer fix = { 0 };
	char text[512];
	int r;

	snprintf(text, sizeof(text), "'%.255s' of %s has no processes and is still there", slash ? slash + 1 : group->path, group->owner);
	buffer_addf(&fix, "find");
	for (size_t i = 0; i < group->cg->n; i++) {
		char link[PATH_OF_FD_SIZE], place[PATH_MAX];
		_cleanup_close_ int dir = open_in(group, i);
		ssize_t length = dir >= 0 ? readlink(path_of_fd(link, dir), place, sizeof(place)) : -1;

		if (length > 0)
			buffer_addf(&fix, " '%.*s'", (int)length, place);
	}
	buffer_addf(&fix, " -depth -type d -exec rmdir {} +");
	r = fix.failed ? -ENOMEM : doctor_say(d, "warning", "cgroups left behind", text, fix.text);
	buffer_deinit(&fix);
	return r;
}

static bool is_in_earlier(const struct group *group, size_t hierarchy)
{
	for (size_t i = 0; i < hierarchy; i++) {
		_cleanup_close_ int dir = open_in(group, i);

		if (dir >= 0)
			return true;
	}
	return false;
}

/* Those in the directory @path of one hierarchy that no hierarchy before it has. */
static int check_parent(const struct doctor *d, const struct cgroup *cg, size_t hierarchy, const char *path)
{
	int fd = openat(cg->item[hierarchy].root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	_cleanup_closedir_ DIR *parent = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (parent && r == 0 && (entry = readdir(parent))) {
		struct group group = { .cg = cg, .owner = entry->d_type == DT_DIR ? cgroup_owner(path, entry->d_name) : NULL };

		snprintf(group.path, sizeof(group.path), "%s%s%.255s", path, *path ? "/" : "", entry->d_name);
		if (group.owner && !is_in_earlier(&group, hierarchy) && !is_used(&group))
			r = say(d, &group);
	}
	return r;
}

static bool is_first_with(size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (strcmp(kinds[i].parent, kinds[row].parent) == 0)
			return false;
	return true;
}

int doctor_check_leftovers(const struct doctor *d)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = 0;

	/* Also in hierarchies that track nobody: limits of v1 are kept in many. */
	if (cgroup_find_mounts(&cg, false) < 0)
		return 0;
	for (size_t i = 0; i < cg.n && r == 0; i++)
		for (size_t row = 0; row < ARRAY_SIZE(kinds) && r == 0; row++)
			if (is_first_with(row))
				r = check_parent(d, &cg, i, kinds[row].parent);
	return r;
}
