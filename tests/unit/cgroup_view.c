/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other layouts of cgroups in a private mount namespace, and processes in cgroups of their own. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/unit/cgroup_view.h"

#define TOP	"/sys/fs/cgroup"

static int move_controllers(const char *to)
{
	glob_t found;
	int moved = 0;

	if (glob(TOP "/*", GLOB_ONLYDIR, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct statfs fs;
		char target[256];

		if (statfs(found.gl_pathv[i], &fs) < 0 || fs.f_type != CGROUP_SUPER_MAGIC)
			continue;
		snprintf(target, sizeof(target), "%s/%s", to, strrchr(found.gl_pathv[i], '/') + 1);
		moved += mkdir(target, 0755) == 0 && mount(found.gl_pathv[i], target, NULL, MS_MOVE, NULL) == 0;
	}
	globfree(&found);
	return moved;
}

static int show_v1(void)
{
	char directory[] = "/tmp/mrgt-cgroup-XXXXXX";
	int r = 0;

	umount2(TOP "/unified", MNT_DETACH);
	if (!mkdtemp(directory) || mount("mrgt", directory, "tmpfs", 0, NULL) < 0)
		return -errno;
	if (move_controllers(directory) == 0)
		r = 1;
	else if (mount(directory, TOP, NULL, MS_MOVE, NULL) < 0)
		r = -errno;
	rmdir(directory);
	return r;
}

int view_enter(const char *view)
{
	if (strcmp(view, "host") == 0)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (strcmp(view, "v1") == 0)
		return show_v1();
	umount2(TOP, MNT_DETACH);
	return mount("none", TOP, "cgroup2", 0, NULL) < 0 ? -errno : 0;
}

pid_t view_spawn(const struct mrg_cgroup_entry *entry, int (*body)(void *data), void *data)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid;

	if (entry->unified >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)entry->unified;
	}
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mrg_helper_cgroup_enter(entry, NULL) < 0)
		_exit(200);
	_exit(body(data));
}

int view_count(const char *path)
{
	char pattern[512];
	glob_t found = { 0 };
	int n;

	snprintf(pattern, sizeof(pattern), TOP "/%s", path);
	glob(pattern, 0, NULL, &found);
	snprintf(pattern, sizeof(pattern), TOP "/*/%s", path);
	glob(pattern, GLOB_APPEND, NULL, &found);
	n = (int)found.gl_pathc;
	globfree(&found);
	return n;
}
