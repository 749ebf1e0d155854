/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HELPER_ROOT_H
#define CORE_HELPER_ROOT_H

/* What the helpers of the root file system share: mounts as descriptors. All return 0 or a descriptor, or a negative errno with @err filled. */

#include <stdbool.h>

#include <moorage/helper.h>

#include "core/mount_options.h"

/* "TEXT: cause", with a code that has no meaning of its own for our callers (ENOENT of a file is not "no such container"). */
int root_fail(struct mrg_error *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A new file system as a detached mount. */
struct root_filesystem {
	const char *type, *source;	/* @source: NULL for none */
	char *const *data;		/* options, those of mounts among them are skipped; NULL-terminated; may be NULL */
	uint64_t attributes;		/* MOUNT_ATTR_* */
	bool readonly;			/* the file system as a whole, not only this mount */
	bool foreign_ids;		/* in a user namespace: options with ids it lacks are left out */
};
int root_filesystem(const struct root_filesystem *fs, struct mrg_error *err);

/* A detached copy of what @fd (O_PATH will do) shows, with these MOUNT_ATTR_* set; @flags: MRG_ROOT_*. Plain negative errno. */
int root_clone(int fd, int flags, uint64_t attributes);

/* One more of the attached mount @mount, which root_clone() or root_filesystem() made: attributes and privacy as it has them. Plain negative
 * errno. */
int root_copy(int mount);

/* Puts the mount @mount onto @target, or onto @name in the directory @dir (no symlink is followed). Plain negative errno. */
int root_attach(int mount, int target);
int root_attach_at(int mount, int dir, const char *name);

/* Sets and clears MOUNT_ATTR_*. Plain negative errno. */
int root_attributes(int mount, bool recursive, uint64_t set, uint64_t clear);

/* The place of a mount below @root, made when missing: O_PATH. Below /dev, /proc and /sys no symlink is followed; procfs is no place
 * for mounts except on the few files that programs like lxcfs replace. */
int root_target(const struct mrg_spec *spec, int root, const char *destination, bool file, struct mrg_error *err);

/* Where the spec puts a mount that covers @destination exactly, the last one; NULL: none. */
const struct mrg_mount *root_find_mount(const struct mrg_spec *spec, const char *destination);

/* Mounts the control groups of @unit on @target (a directory): each hierarchy of the host, from the container's own cgroup down. */
int root_mount_cgroups(const struct mrg_unit *unit, const struct mount_options *options, int target, struct mrg_error *err);

/* Copies what is in directory @from into the empty directory @to. */
int root_copy_up(int from, int to, struct mrg_error *err);

/* The bind mounts that make a view of the host's own root whole: file systems on devices that are mounted below it, read-only. */
int root_mount_host(int root, struct mrg_error *err);

#endif
