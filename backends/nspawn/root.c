/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking into the root before nspawn does, and into the container before its first process does anything. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"
#include "nspawn.h"

/* In a container /sys may be made up, and tells nothing of what others see. */
static bool has_sysfs(void)
{
	struct statfs fs;

	return statfs("/sys", &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

/* Whether there is something at @path of the root, or of the host where the kernel shows it to every container. */
static bool exists(int root, const char *path)
{
	_cleanup_close_ int fd = -1;

	if (strncmp(path, "/proc/", 6) == 0)
		return access(path, F_OK) == 0;
	if (strncmp(path, "/sys/", 5) == 0)
		return has_sysfs() && access(path, F_OK) == 0;
	fd = path_open_in_root(root, path, O_PATH, 0);
	return fd >= 0;
}

/* ---- init ----------------------------------------------------------------------------------- */

int nspawn_find_init(const char *path, const char **ret, struct mrg_error *err)
{
	/* In the order of nspawn. */
	static const char *const candidates[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init" };
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", path);
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (exists(root, candidates[i])) {
			*ret = candidates[i];
			return 0;
		}
	mrg_error_set(err, -MRG_E_NO_COMMAND, "the root has no init: there is no /sbin/init and no /usr/lib/systemd/systemd");
	return mrg_error_hint(err, "install one into it, or name a command instead of --boot"), -MRG_E_NO_COMMAND;
}

/* ---- masks ---------------------------------------------------------------------------------- */

int nspawn_reduce(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mrg_spec *reduced = NULL;
	size_t n = 0;
	int r;

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	r = mrg_spec_copy(spec, &reduced, err);
	if (r < 0)
		return r;
	/* Only an init system makes what nspawn covers them with; what it is not told is masked by us. */
	for (char **path = reduced->masked_paths; path && *path; path++)
		if (exists(root, *path) && (strncmp(*path, "/proc/", 6) == 0 || access("/run/systemd/inaccessible/dir", F_OK) == 0))
			reduced->masked_paths[n++] = *path;
	if (reduced->masked_paths)
		reduced->masked_paths[n] = NULL;
	*ret = reduced;
	return 0;
}

struct masking {
	struct mrg_unit unit;
	int pidfd;			/* of the container's first process */
};

static int mask_inside(void *data, struct mrg_error *err)
{
	struct masking *m = data;
	_cleanup_close_ int root = -1;
	int r;

	if (setns(m->pidfd, CLONE_NEWNS) < 0)
		return fail_errno(err, -errno, "cannot enter the mount namespace of the container");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root of the container");
	r = mrg_helper_root_mask(&m->unit, root, err);
	/* Nothing is executed: the end of the error pipe is the good news. */
	if (r == 0)
		_exit(EXIT_SUCCESS);
	return r;
}

static int mask(struct masking *m, struct mrg_error *err)
{
	struct mrg_process process;
	int r = mrg_helper_spawn(0, NULL, mask_inside, NULL, m, &process, err);

	if (r < 0)
		return r;
	while (waitpid(process.pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(process.pidfd);
	return 0;
}

int nspawn_mask(const struct mrg_unit *unit, pid_t leader, struct mrg_error *err)
{
	struct mrg_spec spec = *unit->spec;
	struct masking m = { .unit = *unit, .pidfd = -1 };
	char *paths[256];
	size_t n = 0;
	int r;

	for (char **path = unit->spec->masked_paths; path && *path && n < ARRAY_SIZE(paths) - 1; path++)
		if (strncmp(*path, "/proc/", 6) != 0)
			paths[n++] = *path;
	if (n == 0)
		return 0;
	paths[n] = NULL;
	spec.masked_paths = paths;
	spec.readonly_paths = NULL;
	m.unit.spec = &spec;
	m.pidfd = (int)syscall(SYS_pidfd_open, leader, 0);
	if (m.pidfd < 0)
		return fail_errno(err, -errno, "the first process of the container has just ended");
	r = mask(&m, err);
	close(m.pidfd);
	return r;
}
