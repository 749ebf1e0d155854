/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mount type "cgroup": what a container sees of its own control groups. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/helper/root.h"
#include "core/util/cleanup.h"

/*
 * The container's directory of each hierarchy is bound, not the hierarchy mounted anew: in the container's cgroup namespace the
 * two look the same, and a bind needs no superblock per hierarchy and container and no right to mount cgroups.
 */

#define NAME_SIZE	128

static uint64_t attributes_of(const struct mount_options *options)
{
	return options->top.attr_set | options->tree.attr_set;
}

static int bind(int dir, int target, uint64_t attributes)
{
	_cleanup_close_ int mount = root_clone(dir, 0, attributes);

	return mount < 0 ? mount : root_attach(mount, target);
}

/* "cpu,cpuacct", as the directory of a joint hierarchy is called everywhere, and a link for each of the two. */
static int make_directory(int top, unsigned int controllers, char name[NAME_SIZE])
{
	size_t length = 0;
	int n = 0;

	for (unsigned int rest = controllers; rest; rest &= rest - 1, n++) {
		const char *one = cgroup_controller_name(rest & -rest, 1);

		length += (size_t)snprintf(name + length, NAME_SIZE - length, "%s%s", n ? "," : "",
					   strncmp(one, "name=", 5) == 0 ? one + 5 : one);
	}
	if (n == 0)
		return -EINVAL;
	if (mkdirat(top, name, 0755) < 0)
		return -errno;
	for (unsigned int rest = n > 1 ? controllers : 0; rest; rest &= rest - 1)
		if (symlinkat(name, top, cgroup_controller_name(rest & -rest, 1)) < 0)
			return -errno;
	return 0;
}

static int bind_hierarchy(int top, const struct cgroup_hierarchy *h, uint64_t attributes)
{
	char name[NAME_SIZE] = "unified";
	_cleanup_close_ int mount = -1;
	int r = 0;

	if (h->version == 1)
		r = make_directory(top, h->controllers, name);
	else if (mkdirat(top, name, 0755) < 0)
		r = -errno;
	if (r < 0)
		return r;
	mount = root_clone(h->dir, 0, attributes);
	return mount < 0 ? mount : root_attach_at(mount, top, name);
}

/* Version 1, or both: a tmpfs with one directory for each hierarchy. */
static int mount_many(const struct cgroup *cg, uint64_t attributes, int target, struct mrg_error *err)
{
	char mode[] = "mode=0755", size[] = "size=64k";
	char *options[] = { mode, size, NULL };
	_cleanup_close_ int top = root_filesystem(&(struct root_filesystem){
		.type = "tmpfs", .source = "tmpfs", .data = options, .attributes = attributes & ~(uint64_t)MOUNT_ATTR_RDONLY,
	}, err);
	int r;

	if (top < 0)
		return top;
	r = root_attach(top, target);
	for (size_t i = 0; i < cg->n && r == 0; i++)
		if (cg->item[i].dir >= 0)
			r = bind_hierarchy(top, &cg->item[i], attributes);
	if (r == 0 && attributes & MOUNT_ATTR_RDONLY)
		r = root_attributes(top, false, MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? root_fail(err, r, "cannot mount the control groups") : 0;
}

int root_mount_cgroups(const struct mrg_unit *unit, const struct mount_options *options, int target, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	uint64_t attributes = attributes_of(options) | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int r = cgroup_open(&cg, unit, false, err);

	if (r < 0)
		return r;
	/* Without a namespace the container could leave its cgroup by "..", were it not the root of the mount; still
	 * its name tells about the host, so it is there to be read only. */
	if (!unit->spec->ns_cgroup)
		attributes |= MOUNT_ATTR_RDONLY;
	if (cg.n == 0)
		return mrg_error_set(err, -MRG_E_KERNEL, "no control groups are mounted on this host");
	if (cg.n > 1 || cg.item[0].version == 1)
		return mount_many(&cg, attributes, target, err);
	r = cg.item[0].dir < 0 ? -EINVAL : bind(cg.item[0].dir, target, attributes);
	return r < 0 ? root_fail(err, r, "cannot mount the control group") : 0;
}
