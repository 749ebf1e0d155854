/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What moorage-init does to the mounts that LXC has made. Flags of bind mounts: LXC sets them only where it makes one read-only. And what is hidden or
 * read-only: LXC can do that, but takes longer for it than for all the rest of the file system, and passes over what fails.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "payload.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

static const struct flag {
	const char *option;
	uint64_t set, clear;
} flags[] = {
	{ "nosuid",	 MOUNT_ATTR_NOSUID,	 0 },
	{ "nodev",	 MOUNT_ATTR_NODEV,	 0 },
	{ "noexec",	 MOUNT_ATTR_NOEXEC,	 0 },
	{ "nodiratime",	 MOUNT_ATTR_NODIRATIME,	 0 },
	{ "noatime",	 MOUNT_ATTR_NOATIME,	 MOUNT_ATTR__ATIME },
	{ "relatime",	 MOUNT_ATTR_RELATIME,	 MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
};

/* Files are hidden by the /dev/null of the container. */
bool lxc_hides(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.item[i].destination, "/dev") == 0)
			return true;
	return false;
}

static const struct flag *find_flag(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(flags[i].option, option) == 0)
			return &flags[i];
	return NULL;
}

static bool is_bind(const struct mrg_mount *mount)
{
	return strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
	       (mount->type && strcmp(mount->type, "bind") == 0);
}

static bool is_lost(const struct mrg_mount *mount, const struct flag *flag)
{
	return flag && is_bind(mount) && !strv_contains(mount->options, "ro");
}

static int write_one(const struct mrg_mount *mount, int fd)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	uint64_t set = 0, clear = 0;

	for (char *const *option = mount->options; option && *option; option++) {
		const struct flag *flag = find_flag(*option);

		if (!is_lost(mount, flag))
			continue;
		/* Of several the last counts, as it does for mount(8). */
		set = (set & ~flag->clear) | flag->set;
		clear |= flag->clear;
	}
	if (!set && !clear)
		return 0;
	buffer_addf(&b, "flags %" PRIx64 ":%" PRIx64 " %s", set, clear, mount->destination);
	return b.failed ? -ENOMEM : fd_write_all(fd, b.text, b.length + 1);
}

static int write_paths(char *const *paths, const char *word, int fd)
{
	int r = 0;

	for (; r == 0 && paths && *paths; paths++) {
		r = fd_write_all(fd, word, strlen(word));
		if (r == 0)
			r = fd_write_all(fd, *paths, strlen(*paths) + 1);
	}
	return r;
}

int lxc_flags_write(const struct mrg_spec *spec, int *ret, struct mrg_error *err)
{
	static char *const root[] = { (char *)"/", NULL };
	_cleanup_close_ int fd = memfd_create("mounts", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	off_t length;

	/* As root it is done before LXC begins. */
	if (r == 0 && lxc_is_user() && spec->rootfs_propagation && strstr(spec->rootfs_propagation, "private"))
		r = write_paths(root, "private ", fd);
	for (size_t i = 0; r == 0 && i < spec->mounts.n; i++)
		r = write_one(&spec->mounts.item[i], fd);
	if (r == 0 && lxc_hides(spec))
		r = write_paths(spec->masked_paths, "hide ", fd);
	if (r == 0 && lxc_hides(spec))
		r = write_paths(spec->readonly_paths, "readonly ", fd);
	length = r == 0 ? lseek(fd, 0, SEEK_CUR) : 0;
	if (r < 0 || length < 0)
		return fail_errno(err, r < 0 ? r : -errno, "cannot hand over the flags of mounts");
	*ret = length ? take_fd(&fd) : -1;
	return 0;
}

void lxc_flags_strip(struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		struct mrg_mount *mount = &spec->mounts.item[i];
		char **to = mount->options;

		for (char **option = mount->options; option && *option; option++)
			if (!is_lost(mount, find_flag(*option)))
				*to++ = *option;
		if (to)
			*to = NULL;
	}
}
