/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that an LXC configuration asks for. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define INCLUDE_MAX_DEPTH	16
#define INCLUDE_MAX_FILES	256
#define INCLUDE_MAX_SIZE	(1U << 20)

static int open_fail(struct lxc_config *config, const char *key, const char *path, const struct lxc_source *source,
		     unsigned int line, int code)
{
	return lxc_line_fail(config, source, line, "%s: '%.200s' cannot be read: %s", key, path, strerror(-code));
}

/* The whole of a regular file. What is no file is not waited for. */
static int read_text(int fd, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = malloc(INCLUDE_MAX_SIZE + 2);
	struct stat st;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* One byte more than may be: then it is too large, and said so with the sum. */
	n = fd_read_all(fd, text, INCLUDE_MAX_SIZE + 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = strdup(text);
	/* A NUL in it is found by its length. */
	if (*ret && strlen(*ret) != (size_t)n) {
		free(*ret);
		*ret = take_ptr(text);
	}
	*ret_length = (size_t)n;
	return *ret ? 0 : -ENOMEM;
}

/* A file that is being read further up would be read for ever. */
static int check_loop(struct lxc_config *config, int fd, struct lxc_source *file, unsigned int line)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return open_fail(config, "lxc.include", file->name, file->parent, line, -errno);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	for (const struct lxc_source *up = file->parent; up; up = up->parent)
		if (up->name && up->device == file->device && up->inode == file->inode)
			return lxc_line_fail(config, file->parent, line, "lxc.include: '%.200s' includes itself", file->name);
	if (file->depth > INCLUDE_MAX_DEPTH)
		return lxc_line_fail(config, file->parent, line, "lxc.include: more than %d files deep", INCLUDE_MAX_DEPTH);
	if (++config->files > INCLUDE_MAX_FILES)
		return lxc_line_fail(config, file->parent, line, "lxc.include: more than %d files", INCLUDE_MAX_FILES);
	return 0;
}

static int include_file(struct lxc_config *config, int fd, const char *path, const struct lxc_source *source, unsigned int line)
{
	struct lxc_source file = { .parent = source, .depth = source->depth + 1 };
	char *text;
	size_t length;
	int r;

	file.name = lxc_own(config, strdup(path));
	if (!file.name)
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	r = check_loop(config, fd, &file, line);
	if (r < 0)
		return r;
	r = read_text(fd, &text, &length);
	if (r == -EINVAL)
		return lxc_line_fail(config, source, line, "lxc.include: '%.200s' is neither a file nor a directory", path);
	if (r < 0)
		return open_fail(config, "lxc.include", path, source, line, r);
	if (!lxc_own(config, text))
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	return lxc_split(config, text, length, &file);
}

/* "*.conf", in the order in which the directory has them: that is how LXC reads it. */
static int include_directory(struct lxc_config *config, int fd, const char *path, const struct lxc_source *source,
			     unsigned int line)
{
	_cleanup_closedir_ DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!directory) {
		r = open_fail(config, "lxc.include", path, source, line, -errno);
		close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);
		char file[PATH_MAX];
		int item;

		if (length < strlen("x.conf") || strcmp(entry->d_name + length - strlen(".conf"), ".conf") != 0)
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >= (int)sizeof(file))
			return open_fail(config, "lxc.include", path, source, line, -ENAMETOOLONG);
		item = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		r = item < 0 ? open_fail(config, "lxc.include", file, source, line, -errno) :
			       include_file(config, item, file, source, line);
		fd_close(item);
	}
	return r;
}

int lxc_include(struct lxc_config *config, const char *path, const struct lxc_source *source, unsigned int line)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (path[0] != '/' || strlen(path) >= PATH_MAX) {
		lxc_line_fail(config, source, line, "lxc.include: must be an absolute path, not '%.80s'", path);
		mrg_error_hint(config->err, "LXC would look for it in the directory it happens to be started in");
		return -MRG_E_INVALID;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	/* To LXC a directory of drop-ins, told by its '/', need not be there; userns.conf, as it comes, asks for one that is not. */
	if (fd < 0 && errno == ENOENT && path[strlen(path) - 1] == '/')
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return open_fail(config, "lxc.include", path, source, line, -errno);
	if (S_ISDIR(st.st_mode))
		return include_directory(config, take_fd(&fd), path, source, line);
	return include_file(config, fd, path, source, line);
}

int lxc_read_fstab(struct lxc_config *config, const char *path, unsigned int line)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const struct lxc_source source = { .name = NULL };
	unsigned int number = 0;
	char *text, *at, *entry;
	size_t length;
	int r = fd < 0 ? -errno : read_text(fd, &text, &length);

	if (r == -ENOMEM)
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	if (r < 0)
		return 1;
	if (!lxc_own(config, text))
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	config->fstab = path;
	config->bytes += length;
	if (config->bytes > INCLUDE_MAX_SIZE || strlen(text) != length)
		return lxc_line_fail(config, &source, line, "lxc.mount.fstab: '%.200s' has a NUL byte or makes more than 1 MiB", path);
	for (at = text; (entry = strsep(&at, "\n")) && r == 0;) {
		number++;
		entry += strspn(entry, LXC_BLANKS);
		if (*entry && *entry != '#')
			r = lxc_add(config, &(struct assignment){ .section = "", .key = "lxc.mount.entry", .value = entry,
								  .line = number, .file = path }, "lxc.mount.entry");
	}
	return r < 0 ? lxc_line_fail(config, &source, line, "lxc.mount.fstab: too many lines in '%.200s'", path) : 0;
}
