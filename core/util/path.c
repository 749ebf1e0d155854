/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths below a directory that may be hostile. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/path.h"

static int open_resolved(int dir, const char *path, int flags, mode_t mode, unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned long long)(unsigned int)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = resolve,
	};
	int fd;

	do /* EAGAIN: a rename or mount raced with the look-up of "..", openat2(2) */
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : fd;
}

int path_open_in_root(int root, const char *path, int flags, mode_t mode)
{
	return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	return open_resolved(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Opens @name below @parent, which is a directory inside @root, as a path from @root: a symlink there is followed inside the root. */
static int open_prefix(int root, const char *path, size_t length)
{
	char prefix[PATH_MAX];

	memcpy(prefix, path, length);
	prefix[length] = '\0';
	return path_open_in_root(root, prefix, O_PATH, 0);
}

static int make_last(int parent, const char *name, bool file)
{
	if (!file)
		return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	return mknodat(parent, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST ? -errno : 0;
}

int path_make_in_root(int root, const char *path, bool file)
{
	size_t start, end = 0, length = strlen(path);
	_cleanup_close_ int parent = path_open_in_root(root, "/", O_PATH | O_DIRECTORY, 0);

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	if (parent < 0)
		return parent;
	for (;;) {
		char name[NAME_MAX + 1];
		bool last;
		int fd, r;

		start = end + strspn(path + end, "/");
		if (start == length)
			return take_fd(&parent);
		end = start + strcspn(path + start, "/");
		last = end + strspn(path + end, "/") == length;
		if (end - start > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path + start, end - start);
		name[end - start] = '\0';
		fd = open_prefix(root, path, end);
		if (fd == -ENOENT) {
			r = make_last(parent, name, file && last);
			if (r < 0)
				return r;
			fd = open_prefix(root, path, end);
		}
		if (fd < 0)
			return fd;
		close(parent);
		parent = fd;
	}
}

bool path_is_clean(const char *path)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX || strchr(path, '\n'))
		return false;
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return false;
	return true;
}

const char *path_of_fd(char buffer[PATH_OF_FD_SIZE], int fd)
{
	snprintf(buffer, PATH_OF_FD_SIZE, "/proc/self/fd/%d", fd);
	return buffer;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return strncmp(path, dir, length) == 0 && (path[length] == '/' || path[length] == '\0');
}
