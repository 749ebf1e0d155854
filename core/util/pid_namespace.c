/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes of a container that has no cgroup of its own: those in the pid namespace of its first one. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/pid_namespace.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define DEPTH_MAX	33		/* pid namespaces are nested 32 deep at most */

static int open_namespace(int proc, const char *pid, struct stat *ret)
{
	char path[NAME_MAX + sizeof("/ns/pid")];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/ns/pid", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || fstat(fd, ret) < 0 ? -errno : take_fd(&fd);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether @pid is in @namespace or in one below it. */
static bool is_inside(int proc, const char *pid, const struct stat *namespace)
{
	struct stat st;
	_cleanup_close_ int fd = open_namespace(proc, pid, &st);

	for (int depth = 0; fd >= 0 && depth < DEPTH_MAX; depth++) {
		int parent;

		if (is_same(&st, namespace))
			return true;
		parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
		if (fd >= 0 && fstat(fd, &st) < 0)
			return false;
	}
	return false;
}

int pid_namespace_processes(pid_t init, int (*found)(pid_t pid, void *data), void *data)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	_cleanup_close_ int own = -1, theirs = -1;
	struct stat here, there;
	struct dirent *entry;
	char name[16];
	int64_t pid;
	int r = 0;

	if (!proc)
		return -errno;
	snprintf(name, sizeof(name), "%d", (int)init);
	own = open_namespace(dirfd(proc), "self", &here);
	theirs = open_namespace(dirfd(proc), name, &there);
	if (own < 0 || theirs < 0 || is_same(&here, &there))
		return -ENODATA;
	while (r == 0 && (entry = readdir(proc)))
		if (parse_int64(entry->d_name, &pid) == 0 && pid > 0 && is_inside(dirfd(proc), entry->d_name, &there))
			r = found((pid_t)pid, data);
	return r;
}
