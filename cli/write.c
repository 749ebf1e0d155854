/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that users want a result in. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/spec_build.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

/* Under another name first: what is there stays whole until the new text is. */
static int replace_file(const char *path, mode_t mode, const char *text)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

int file_write(const char *path, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_close_ int fd = -1;
	struct stat st;
	mode_t mask = umask(0);
	int r = 0;

	umask(mask);
	if (!real && errno != ENOENT)
		return fail_errno(err, -errno, "cannot write '%s'", path);
	if (!real || stat(real, &st) < 0)
		r = replace_file(path, 0666 & ~mask, text);
	else if (S_ISREG(st.st_mode))
		r = replace_file(real, st.st_mode & 0777, text);
	else if ((fd = open(real, O_WRONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		r = -errno;
	else
		r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		fail_errno(err, r, "cannot write '%s'", path);
	/* "not found" is said of containers only. */
	if (r == -ENOENT)
		err->code = -MRG_E_INVALID;
	return r;
}
