/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealed copies of our programs that are executed inside containers, moorage-init above all. */

#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/helper/init.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

/* Newer than the headers of some systems we build on; Linux 6.3. */
#ifndef MFD_EXEC
#define MFD_EXEC	0x0010U
#endif

#define INIT		"moorage-init"
#define PROGRAM_MAX	(16 << 20)
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int program_path(const char *name, char path[PATH_MAX])
{
	const char *dir = secure_getenv("MOORAGE_LIBEXEC_DIR");
	int n = snprintf(path, PATH_MAX, "%s/%s", dir && *dir ? dir : MRG_LIBEXEC_DIR, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int copy(int from, int to, off_t size)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)size);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		size -= n;
	}
	return 0;
}

static int seal(const char *name, int file, off_t size)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 every one is executable */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = copy(file, fd, size);
	if (r < 0)
		return r;
	if (fchmod(fd, 0555) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(&fd);
}

int program_open_sealed(const char *name, struct mrg_error *err)
{
	_cleanup_close_ int file = -1;
	char path[PATH_MAX];
	struct stat st;
	int r = program_path(name, path);

	if (r < 0)
		return mrg_error_set(err, r, "the path of %s is too long", name);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file < 0 || fstat(file, &st) < 0) {
		mrg_error_set(err, -errno == -ENOENT ? -MRG_E_NO_ENGINE : -errno, "cannot open '%s': %s", path, strerror(errno));
		return mrg_error_hint(err, "install moorage completely, or set MOORAGE_LIBEXEC_DIR");
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > PROGRAM_MAX)
		return mrg_error_set(err, -MRG_E_NO_ENGINE, "'%s' is not %s", path, name);
	r = seal(name, file, st.st_size);
	return r < 0 ? mrg_error_set(err, r, "cannot make a sealed copy of '%s': %s", path, strerror(-r)) : r;
}

int init_open_sealed(struct mrg_error *err)
{
	return program_open_sealed(INIT, err);
}

int mrg_helper_init_open(int *ret_fd, struct mrg_error *err)
{
	int fd = init_open_sealed(err);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int mrg_helper_init_path(char *ret, size_t size, struct mrg_error *err)
{
	char path[PATH_MAX];
	int r = program_path(INIT, path);

	if (r == 0 && access(path, R_OK | X_OK) < 0)
		r = -errno;
	if (r == 0 && (size_t)snprintf(ret, size, "%s", path) >= size)
		r = -ENAMETOOLONG;
	if (r == 0)
		return 0;
	mrg_error_set(err, -MRG_E_NO_ENGINE, "moorage-init cannot be used: '%s': %s", path, strerror(-r));
	mrg_error_hint(err, "install moorage completely, or set MOORAGE_LIBEXEC_DIR");
	return -MRG_E_NO_ENGINE;
}

/* As moorage-init writes it. */
struct status {
	int status;
	int written;
	int oom_kills;
};

int mrg_helper_status_new(int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int fd = memfd_create("moorage-status", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(struct status)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return mrg_error_set(err, -errno, "cannot make memory for the exit status: %s", strerror(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}

int mrg_helper_status_read(int fd, int *ret_status)
{
	struct status s;

	if (pread(fd, &s, sizeof(s), 0) != (ssize_t)sizeof(s) || !s.written)
		return 0;
	*ret_status = s.status;
	return 1;
}

int mrg_helper_status_oom(int fd)
{
	struct status s;

	return pread(fd, &s, sizeof(s), 0) == (ssize_t)sizeof(s) && s.written && s.oom_kills > 0;
}

int init_check(void)
{
	char path[PATH_MAX];
	int r = program_path(INIT, path);

	return r < 0 ? r : access(path, R_OK | X_OK) < 0 ? -errno : 0;
}
