/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: whole reads and writes, atomic files, removal of trees. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

int fd_write_all(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length > 0) {
		ssize_t n = write(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *data, size_t length)
{
	char *p = data;
	size_t got = 0;

	while (got < length) {
		ssize_t n = read(fd, p + got, length - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Reads in growing steps to the end of file, or to the size that stat has told, unless that is 0. */
static int read_stream(int fd, size_t told, size_t max, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *buffer = NULL;
	size_t size = 0, length = 0;

	for (;;) {
		if (size - length < 2) {
			char *bigger = realloc(buffer, size = size ? size * 2 : told && told < max ? told + 2 : 4096);

			if (!bigger)
				return -ENOMEM;
			buffer = bigger;
		}
		ssize_t n = read(fd, buffer + length, size - length - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > max)
			return -EFBIG;
		if (length == told)
			break;
	}
	buffer[length] = '\0';
	*ret = take_ptr(buffer);
	if (ret_length)
		*ret_length = length;
	return 0;
}

int fd_read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_length)
{
	/* O_NONBLOCK: a FIFO put there by somebody must not hang us before fstat tells. */
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return read_stream(fd, (size_t)st.st_size, max, ret, ret_length);
}

int fd_read_virtual(int dir, const char *path, size_t max, char **ret, size_t *ret_length)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return read_stream(fd, 0, max, ret, ret_length);
}

int fd_write_file(int dir, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int fd_make_file(int dir, const char *name, const void *data, size_t length, bool durable)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, data, length);

	if (r == 0 && durable && (fsync(fd) < 0 || fsync(dir) < 0))
		r = -errno;
	return r;
}

int fd_replace_file(int dir, const char *name, const void *data, size_t length, bool durable)
{
	char temporary[NAME_MAX + 1];
	_cleanup_close_ int fd = -1;
	uint64_t nonce;
	int r;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	if (snprintf(temporary, sizeof(temporary), ".%s.%016llx", name, (unsigned long long)nonce) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, length);
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir, temporary, 0);
		return r;
	}
	return durable && fsync(dir) < 0 ? -errno : 0;
}

int fd_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

static int remove_entry(int dir, const char *name);

static int remove_children(int fd)
{
	_cleanup_closedir_ DIR *d = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			int e = remove_entry(dirfd(d), entry->d_name);

			r = e < 0 ? e : r;
		}
	return r;
}

static int remove_entry(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd, r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	r = remove_children(fd);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return r < 0 ? r : -errno;
	return 0;
}

int fd_is_empty_directory(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *entry;

	if (!d) {
		int e = errno;

		fd_close(own);
		return -e;
	}
	for (errno = 0; (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return errno ? -errno : 1;
}

int fd_remove_tree(int dir, const char *name)
{
	const char *slash = strrchr(name, '/');
	_cleanup_free_ char *above = NULL;
	_cleanup_close_ int parent = -1;

	if (!slash)
		return remove_entry(dir, name);
	above = strndup(name, (size_t)(slash - name) + 1);
	if (!above)
		return -ENOMEM;
	parent = openat(dir, above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_entry(parent, slash + 1);
}
