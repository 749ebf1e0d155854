/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What backends need of the kernel, found by trying. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define CGROUP2_MAGIC	0x63677270
#define TMPFS_MAGIC	0x01021994

static int check_cgroups(const struct doctor *d)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) < 0)
		return doctor_say(d, "error", "cgroups", "not mounted: no limits, and processes cannot be tracked",
			   "mount -t cgroup2 none /sys/fs/cgroup");
	if (fs.f_type == CGROUP2_MAGIC)
		return doctor_say(d, "ok", "cgroups", "version 2", NULL);
	if (fs.f_type != TMPFS_MAGIC)
		return doctor_say(d, "error", "cgroups", "'/sys/fs/cgroup' is no cgroup file system",
			   "mount -t cgroup2 none /sys/fs/cgroup");
	if (statfs("/sys/fs/cgroup/unified", &fs) == 0 && fs.f_type == CGROUP2_MAGIC)
		return doctor_say(d, "warning", "cgroups", "version 1 with version 2 beside it (hybrid); version 2 alone is better supported",
			   "boot with systemd.unified_cgroup_hierarchy=1");
	return doctor_say(d, "warning", "cgroups", "version 1; version 2 alone is better supported",
		   "boot with systemd.unified_cgroup_hierarchy=1");
}

static int try_openat2(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	return (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));
}

static int try_pidfd(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

static int try_mount_api(void)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLOEXEC);
}

/* CLONE_INTO_CGROUP on a descriptor that is none: EBADF tells that the flag is known, and nothing is born. */
static int try_clone_into_cgroup(void)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .cgroup = INT32_MAX };

	if (syscall(SYS_clone3, &args, sizeof(args)) < 0 && errno == EBADF)
		return open("/proc/self", O_PATH | O_CLOEXEC);
	return -1;
}

/* The kernel loads the module for whoever may mount; who may not is told what is there. */
static int try_overlay(void)
{
	_cleanup_free_ char *text = NULL;
	int fd = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);

	if (fd >= 0 || errno != EPERM)
		return fd;
	errno = fd_read_virtual(AT_FDCWD, "/proc/filesystems", 65536, &text, NULL) == 0 && strstr(text, "\toverlay\n") ? EPERM : ENODEV;
	return -1;
}

static int check_calls(const struct doctor *d)
{
	static const struct {
		const char *subject, *missing, *fix;
		int (*try)(void);
		const char *level;
	} features[] = {
		{ "openat2", "safe paths inside roots are impossible", "use Linux 5.6 or later", try_openat2, "error" },
		{ "pidfd", "processes cannot be held on to", "use Linux 5.3 or later", try_pidfd, "error" },
		{ "mount api", "mounts cannot be made by descriptor", "use Linux 5.2 or later", try_mount_api, "error" },
		{ "clone into cgroup", "containers start about 10 ms slower", "use Linux 5.7 or later",
		  try_clone_into_cgroup, "warning" },
		{ "overlay", "--ephemeral and the root 'host' do not work", "modprobe overlay", try_overlay, "warning" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		int fd = features[i].try(), r;
		bool denied = fd < 0 && (errno == EPERM || errno == EACCES);

		fd_close(fd);
		if (fd >= 0 || denied) /* denied to this user: the kernel has it */
			r = doctor_say(d, "ok", features[i].subject, denied ? "there, not for this user" : "works", NULL);
		else
			r = doctor_say(d, features[i].level, features[i].subject, features[i].missing, features[i].fix);
		if (r != 0)
			return r;
	}
	return 0;
}

int doctor_check_kernel(const struct doctor *d)
{
	int r = check_cgroups(d);

	return r != 0 ? r : check_calls(d);
}
