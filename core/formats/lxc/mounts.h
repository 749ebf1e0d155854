/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_LXC_MOUNTS_H
#define FORMATS_LXC_MOUNTS_H

/*
 * Internal to lxc_mounts*.c: mounts that LXC makes by keys of their own.
 *
 * /dev, /proc and /sys come first and in this order, the cgroups and terminals last. A spec that is read has them so, whatever lines
 * asked for them, and in the form that LXC gives them: then what is written is read as the same.
 */

#include "core/formats/lxc/lxc.h"

enum lxc_mount_kind { LXC_MOUNT_DEV, LXC_MOUNT_PROC, LXC_MOUNT_SYS, LXC_MOUNT_ENTRY, LXC_MOUNT_CGROUP, LXC_MOUNT_PTS };

enum lxc_mount_kind lxc_mount_kind(const struct mrg_mount *mount);

/* Whether the mount is a directory or file of the host, or of the container. */
bool lxc_mount_is_bind(const struct mrg_mount *mount);

/* Whether LXC would have to make a file, not a directory, for the mount to stand on; "create=" of it. */
const char *lxc_mount_create(const struct mrg_mount *mount);

/* The bytes of a tmpfs on /dev, and how many terminals a devpts has at most. */
uint32_t lxc_mount_dev_size(const struct mrg_mount *mount);
uint32_t lxc_mount_ptys(const struct mrg_mount *mount);

/* Whether the options of a mount are those of @options (NULL-terminated), in whatever order. */
bool lxc_mount_has_options(const struct mrg_mount *mount, const char *const *options);

/* Options that LXC reads and does nothing about. */
bool lxc_mount_is_ignored(const char *option);

/* Options for all that is mounted below as well, which LXC has not. */
bool lxc_mount_is_deep(const char *option);

/* Whether a bind mount has flags that LXC does not give it: it does so only when it makes it read-only. */
bool lxc_mount_loses_flags(const struct mrg_mount *mount);

/* Options in which LXC finds words of its own, which it looks for anywhere in them. */
bool lxc_mount_is_mistaken(const char *option);

#endif
