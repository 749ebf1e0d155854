/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled seccomp programs in RUN_DIR/cache/seccomp: compiling takes milliseconds, reading microseconds. */

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/seccomp/profile.h"
#include "core/util/cleanup.h"
#include "core/util/digest.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define FILE_MAX	(1U << 20)
#define NAME_SIZE	24

/* The helpers have no context, so this is the rule of the context once more: the environment, else root's own place. */
static const char *run_dir(void)
{
	const char *dir = secure_getenv("MOORAGE_RUN_DIR");

	if (dir && dir[0] == '/')
		return dir;
	return geteuid() == 0 ? "/run/moorage" : NULL;
}

/* What is in a directory that others can write to is not ours. */
static int open_own(int parent, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return take_fd(&fd);
}

static int open_cache(void)
{
	const char *dir = run_dir();
	_cleanup_close_ int run = -1, cache = -1;

	if (!dir)
		return -ENOENT;
	run = open_own(AT_FDCWD, dir);
	if (run < 0)
		return run;
	cache = open_own(run, "cache");
	return cache < 0 ? cache : open_own(cache, "seccomp");
}

/* It only spreads the names: the key itself is in the file and is compared. */
static void file_name(const char *key, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016" PRIx64 ".bpf", digest_text(key, strlen(key)));
}

/* A file is the key, its NUL, and the program. */
int seccomp_cache_read(const char *key, struct sock_filter **ret, size_t *ret_length)
{
	_cleanup_close_ int dir = open_cache(), fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t key_size = strlen(key) + 1, size;
	struct sock_filter *program;
	char name[NAME_SIZE];
	struct stat st;

	if (dir < 0)
		return dir;
	file_name(key, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) || st.st_size > (off_t)FILE_MAX ||
	    (size_t)st.st_size <= key_size || ((size_t)st.st_size - key_size) % sizeof(*program))
		return -ENOENT;
	size = (size_t)st.st_size - key_size;
	text = malloc((size_t)st.st_size);
	if (size / sizeof(*program) > BPF_MAXINSNS || !text)
		return -ENOENT;
	if (fd_read_all(fd, text, (size_t)st.st_size) != st.st_size || memcmp(text, key, key_size) != 0)
		return -ENOENT;
	program = malloc(size);
	if (!program)
		return -ENOMEM;
	memcpy(program, text + key_size, size);
	*ret = program;
	*ret_length = size / sizeof(*program);
	return 0;
}

/* Failure is of no consequence: the next start compiles again. */
void seccomp_cache_write(const char *key, const struct sock_filter *program, size_t length)
{
	_cleanup_close_ int dir = open_cache();
	struct buffer b = { 0 };
	char name[NAME_SIZE];

	if (dir < 0)
		return;
	file_name(key, name);
	buffer_add(&b, key, strlen(key) + 1);
	buffer_add(&b, (const char *)program, length * sizeof(*program));
	if (!b.failed)
		fd_replace_file(dir, name, b.text, b.length, false);
	buffer_deinit(&b);
}
