/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors of a container's process that lead out of it: directories and disks of the host, terminals that somebody else uses. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/audit/audit.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define DESCRIPTORS_MAX	1024
#define PROCESSES_MAX	100000

/* The mount a descriptor is on, of fdinfo. */
static bool mount_id(int fdinfo, const char *name, uint32_t *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *at;

	if (fd_read_virtual(fdinfo, name, 65536, &text, NULL) < 0)
		return false;
	at = strstr(text, "mnt_id:");
	return at && sscanf(at, "mnt_id: %" SCNu32, ret) == 1;
}

static bool has_mount(const struct audit_mounts *mounts, uint32_t id)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->item[i].id == id)
			return true;
	return false;
}

/* A process that has @terminal as its own and another root than @r: the session outside. Field 7 of stat. */
static pid_t find_user_of(const struct audit_reading *r, dev_t terminal)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	size_t n = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir)) && n < PROCESSES_MAX; n++) {
		_cleanup_free_ char *stat = NULL;
		char path[300], own[64], other[64];
		unsigned int tty;
		uint32_t pid;
		const char *p;
		ssize_t a, b;

		if (parse_uint32(entry->d_name, &pid) < 0 || (pid_t)pid == r->pid)
			continue;
		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		if (fd_read_virtual(dirfd(dir), path, 4096, &stat, NULL) < 0 || !(p = strrchr(stat, ')')) ||
		    sscanf(p + 1, " %*c %*d %*d %*d %u", &tty) != 1 || tty != (unsigned int)makedev(major(terminal), minor(terminal)))
			continue;
		snprintf(path, sizeof(path), "%s/ns/mnt", entry->d_name);
		a = readlinkat(dirfd(dir), path, other, sizeof(other));
		b = readlinkat(r->proc, "ns/mnt", own, sizeof(own));
		if (a > 0 && (a != b || memcmp(own, other, (size_t)a) != 0))
			return (pid_t)pid;
	}
	return 0;
}

/* Two instances of devpts have the same numbers: the file system tells which it is. */
static bool is_host_terminal(const struct statx *st)
{
	struct stat pts;

	if (st->stx_rdev_major == 4 && st->stx_rdev_minor < 64)
		return true;
	return st->stx_rdev_major >= 136 && st->stx_rdev_major <= 143 && stat("/dev/pts", &pts) == 0 &&
	       pts.st_dev == makedev(st->stx_dev_major, st->stx_dev_minor);
}

static void look_at(struct audit_reading *r, pid_t pid, int dir, int fdinfo, const char *name)
{
	char source[64], link[PATH_MAX] = "";
	struct statx st;
	uint32_t mount;
	pid_t user;

	snprintf(source, sizeof(source), "/proc/%d/fd/%.16s", (int)pid, name);
	/* Not synchronised: the file system may be one that waits for the container. */
	if (statx(dir, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return;
	if (readlinkat(dir, name, link, sizeof(link) - 1) < 0)
		link[0] = '\0';
	if (S_ISDIR(st.stx_mode) || S_ISBLK(st.stx_mode)) {
		if (!r->shared[NS_MNT] && mount_id(fdinfo, name, &mount) && !has_mount(&r->mounts, mount))
			audit_add(r, "descriptor", link, 1, source, "%s of the host", S_ISDIR(st.stx_mode) ? "a directory" : "a disk");
		return;
	}
	user = S_ISCHR(st.stx_mode) && !r->host_terminal && is_host_terminal(&st) ? find_user_of(r, makedev(st.stx_rdev_major, st.stx_rdev_minor)) : 0;
	if (user > 0) {
		r->host_terminal = true;
		audit_add(r, "terminal", "", 1, source, "'%s' is also the terminal of process %d outside", link, (int)user);
	}
}

void audit_read_descriptors(struct audit_reading *r, pid_t pid)
{
	_cleanup_close_ int fdinfo = -1, fd = -1;
	_cleanup_closedir_ DIR *dir = NULL;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	fdinfo = pid == r->pid ? openat(r->proc, "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fd = pid == r->pid ? openat(r->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return;
	fd = -1;
	for (struct dirent *entry; (entry = readdir(dir)) && n < DESCRIPTORS_MAX; n++)
		if (entry->d_name[0] != '.')
			look_at(r, pid, dirfd(dir), fdinfo, entry->d_name);
}
