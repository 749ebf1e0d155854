/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mount option "tmpcopyup": a tmpfs begins with a copy of the directory it covers. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"

#define DEPTH_MAX	64

static int copy_directory(int from, int to, unsigned int depth);

static int copy_data(int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1 << 20);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name)
{
	_cleanup_close_ int source = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_close_ int target = -1;

	if (source < 0)
		return -errno;
	target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return target < 0 ? -errno : copy_data(source, target);
}

static int copy_link(int from, int to, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, to, name) < 0 ? -errno : 0;
}

static int copy_subdirectory(int from, int to, const char *name, unsigned int depth)
{
	_cleanup_close_ int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int target = -1;

	if (source < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	target = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return target < 0 ? -errno : copy_directory(source, target, depth + 1);
}

static int copy_entry(int from, int to, const char *name, unsigned int depth)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		r = copy_subdirectory(from, to, name, depth);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, to, name);
	else if (S_ISREG(st.st_mode))
		r = copy_file(from, to, name);
	else
		return 0;	/* devices, sockets, pipes belong to whoever made them */
	if (r < 0)
		return r;
	if (fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode) && fchmodat(to, name, st.st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to, name, (const struct timespec[]){ st.st_atim, st.st_mtim }, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_directory(int from, int to, unsigned int depth)
{
	_cleanup_close_ int own = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	own = -1;
	if (depth > DEPTH_MAX)
		return -ELOOP;
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(dirfd(dir), to, entry->d_name, depth);
	return r;
}

int root_copy_up(int from, int to, struct mrg_error *err)
{
	int r = copy_directory(from, to, 0);

	return r < 0 ? root_fail(err, r, "cannot copy what the tmpfs covers into it") : 0;
}
