/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts as descriptors: new file systems, copies, attributes. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"

int root_fail(struct mrg_error *err, int r, const char *format, ...)
{
	static const int reserved[] = { ENOENT, EEXIST, EAGAIN, EBUSY, ESRCH, ETIMEDOUT, ENOPKG, ENOTNAM, ENOEXEC };
	char text[400];
	va_list args;
	int code = r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (r == -reserved[i])
			code = r == -ENOENT ? -MRG_E_INVALID : -EIO;
	errno = -r;
	return mrg_error_set(err, code, "%s: %m", text);
}

/* What the kernel wrote about a refused mount, "e overlay: No changes allowed", without its level; "" if nothing. */
static void read_messages(int fs, char *ret, size_t size)
{
	size_t length = 0;

	for (;;) {
		char line[256];
		ssize_t n = read(fs, line, sizeof(line) - 1);
		int added;

		if (n <= 2 || length >= size)
			break;
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		added = snprintf(ret + length, size - length, " (%s)", line + 2);
		length += added > 0 ? (size_t)added : 0;
	}
	if (length == 0)
		ret[0] = '\0';
}

static int configure(int fs, const char *option)
{
	char key[64];
	const char *value = strchr(option, '=');

	if (!value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	if ((size_t)(value - option) >= sizeof(key)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(key, option, (size_t)(value - option));
	key[value - option] = '\0';
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value + 1, 0);
}

static bool is_id(const char *option)
{
	return strncmp(option, "gid=", 4) == 0 || strncmp(option, "uid=", 4) == 0;
}

static int configure_all(int fs, const struct root_filesystem *want, struct mrg_error *err)
{
	char messages[256];

	if (want->source && fsconfig(fs, FSCONFIG_SET_STRING, "source", want->source, 0) < 0)
		return root_fail(err, -errno, "cannot mount file system '%s' from '%s'", want->type, want->source);
	if (want->readonly && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return root_fail(err, -errno, "file system '%s' cannot be read-only", want->type);
	for (char *const *option = want->data; option && *option; option++) {
		int r;

		if (!mount_option_is_data(*option) || configure(fs, *option) == 0)
			continue;
		r = -errno;
		read_messages(fs, messages, sizeof(messages));
		if (want->foreign_ids && is_id(*option))
			continue;
		return root_fail(err, r, "file system '%s' refuses the option '%s'%s", want->type, *option, messages);
	}
	return 0;
}

int root_filesystem(const struct root_filesystem *want, struct mrg_error *err)
{
	_cleanup_close_ int fs = fsopen(want->type, FSOPEN_CLOEXEC);
	char messages[256];
	int mount, r;

	if (fs < 0 && errno == ENODEV)
		return mrg_error_set(err, -MRG_E_KERNEL, "the kernel has no file system '%s'", want->type);
	if (fs < 0)
		return root_fail(err, -errno, "cannot open the file system '%s'", want->type);
	r = configure_all(fs, want, err);
	if (r < 0)
		return r;
	mount = -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)want->attributes);
	if (mount >= 0)
		return mount;
	r = -errno;
	read_messages(fs, messages, sizeof(messages));
	return root_fail(err, r, "cannot mount file system '%s'%s", want->type, messages);
}

int root_clone(int fd, int flags, uint64_t attributes)
{
	struct mount_attr attr = {
		.attr_set = attributes, .propagation = flags & MRG_ROOT_SLAVE ? MS_SLAVE : MS_PRIVATE,
	};
	unsigned int deep = flags & MRG_ROOT_RECURSIVE ? AT_RECURSIVE : 0;
	_cleanup_close_ int mount = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);

	/* A copy joins the peer group of its original: what is mounted below it would appear there. */
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH | deep, &attr, sizeof(attr)) < 0)
		return -errno;
	return take_fd(&mount);
}

int root_copy(int mount)
{
	int copy = open_tree(mount, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return copy < 0 ? -errno : copy;
}

int root_attach_at(int mount, int dir, const char *name)
{
	return move_mount(mount, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int root_attach(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

int root_attributes(int mount, bool recursive, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0 ? -errno : 0;
}
