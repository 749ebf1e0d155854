/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files by which the kernel is changed, opened and never written; devices, opened where that alone does nothing. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/audit/try/try.h"

#ifndef SYS_fsopen
#define SYS_fsopen	430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig	431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount	432
#endif
/* File systems of the kernel's own, linux/magic.h: procfs, sysfs, cgroup v1. */
#define PROC		0x9fa0
#define SYSFS		0x62656572
#define CGROUP		0x27e0eb
#define CLOSE_ON_EXEC	1		/* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC */
#define CREATE		6		/* FSCONFIG_CMD_CREATE */

/* 0: it is the kernel's. A mask is another file in its place, which opens as well. */
static int open_kernel_file(const char *path, int flags)
{
	int fd = open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC || fs.f_type == SYSFS || fs.f_type == CGROUP ? 0 : -ENOENT;
}

static int open_write(const struct try_scene *scene, const void *path)
{
	(void)scene;
	return open_kernel_file(path, O_WRONLY);
}

static int open_read(const struct try_scene *scene, const void *path)
{
	(void)scene;
	return open_kernel_file(path, O_RDONLY);
}

/* At the top of a hierarchy of cgroup v1 alone; the worst answer of them counts. */
static int open_agents(const struct try_scene *scene, const void *data)
{
	static const char *const paths[] = {
		"/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/cpu/release_agent",
		"/sys/fs/cgroup/cpu,cpuacct/release_agent", "/sys/fs/cgroup/cpuset/release_agent", "/sys/fs/cgroup/devices/release_agent",
		"/sys/fs/cgroup/freezer/release_agent", "/sys/fs/cgroup/blkio/release_agent", "/sys/fs/cgroup/pids/release_agent",
		"/sys/fs/cgroup/rdma/release_agent", "/sys/fs/cgroup/systemd/release_agent",
	};
	int r = -ENOENT;

	(void)data;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && r < 0; i++) {
		int n = open_write(scene, paths[i]);

		r = n == -ENOENT || n == -ENOTDIR ? r : n;
	}
	return r;
}

#define WRITE(name_, path_)	{ .name = name_, .run = open_write, .data = path_ }
#define READ(name_, path_)	{ .name = name_, .run = open_read, .data = path_ }

const struct try_attempt try_files[] = {
	WRITE("core-pattern", "/proc/sys/kernel/core_pattern"), WRITE("modprobe", "/proc/sys/kernel/modprobe"),
	WRITE("sysrq", "/proc/sysrq-trigger"), WRITE("uevent-helper", "/sys/kernel/uevent_helper"),
	READ("kernel-memory", "/proc/kcore"),
	{ .name = "release-agent", .run = open_agents },
	{ 0 }
};

/* ---- devices ------------------------------------------------------------------------------------------- */

/* Opening some starts something: a watchdog resets the host, a tape is wound. Those that are known to do nothing are opened, of others it is asked. */
static int is_harmless(const struct stat *st)
{
	unsigned int major = major(st->st_rdev), minor = minor(st->st_rdev);

	if (S_ISBLK(st->st_mode))
		return major == 7 || major == 8 || major == 253 || major == 254 || major == 259;
	return major == 1 || (major == 10 && (minor == 183 || minor == 200 || minor == 229 || minor == 232 || minor == 234 || minor == 236 || minor == 237));
}

int try_open_node(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return -ENODEV;
	if (!is_harmless(&st))
		return access(path, R_OK) < 0 ? -errno : 0;
	return open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) < 0 ? -errno : 0;
}

/* Numbers that containers have no use for. */
static const struct {
	int block;
	unsigned int major, minor;
} numbers[] = {
	{ 0, 1, 1 }, { 0, 1, 4 }, { 0, 1, 11 }, { 0, 4, 0 }, { 0, 7, 0 }, { 0, 10, 130 }, { 0, 10, 200 }, { 0, 10, 223 }, { 0, 10, 229 },
	{ 0, 10, 232 }, { 0, 10, 234 }, { 0, 10, 236 }, { 0, 10, 237 }, { 0, 10, 238 }, { 0, 13, 64 }, { 0, 21, 0 }, { 0, 29, 0 }, { 0, 226, 0 },
	{ 1, 7, 0 }, { 1, 8, 0 }, { 1, 253, 0 }, { 1, 254, 0 }, { 1, 259, 0 },
};

/* "c-10:200" */
static const char *name_of(size_t i, char ret[32])
{
	memcpy(ret, numbers[i].block ? "b-" : "c-", sizeof("c-"));
	try_number(ret + strlen(ret), numbers[i].major, ":");
	try_number(ret + strlen(ret), numbers[i].minor, "");
	return ret;
}

void try_rules_prepare(int files)
{
	char name[32];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)!mknodat(files, name_of(i, name), (numbers[i].block ? S_IFBLK : S_IFCHR) | 0600, makedev(numbers[i].major, numbers[i].minor));
}

void try_rules(int files)
{
	char name[32];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (faccessat(files, name_of(i, name), R_OK, 0) == 0)
			try_answer(name, TRY_WORKS, 0);
		else if (errno != ENOENT)
			try_answer(name, TRY_ERRNO, errno);
}

int try_files_new(void)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", CLOSE_ON_EXEC), files = -1;

	if (context >= 0 && syscall(SYS_fsconfig, context, CREATE, NULL, NULL, 0) == 0)
		files = (int)syscall(SYS_fsmount, context, CLOSE_ON_EXEC, 0);
	if (context >= 0)
		close(context);
	return files;
}
