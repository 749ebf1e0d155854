/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ordinary users: the monitor becomes root of a user namespace, and goes on as it does for root. Their own id is root in it; the others are those that
 * /etc/subuid and /etc/subgid give them, which newuidmap(1) and newgidmap(1) may map for them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "native.h"

enum { NATIVE_UIDS, NATIVE_GIDS, NATIVE_IDS_MAX };

static const struct {
	const char *file, *program, *map;
} kinds[NATIVE_IDS_MAX] = {
	[NATIVE_UIDS] = { "/etc/subuid", "/usr/bin/newuidmap", "/proc/self/uid_map" },
	[NATIVE_GIDS] = { "/etc/subgid", "/usr/bin/newgidmap", "/proc/self/gid_map" },
};

static int has_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1U << capability;
}

int native_is_rootless(void)
{
	return !has_capability(CAP_SYS_ADMIN);
}

/* ---- making the namespace ------------------------------------------------------------------- */

static int run_mapper(int kind, pid_t pid, unsigned int own, const struct mrg_id_mapping *range)
{
	char text[4][16];
	char *argv[] = { (char *)kinds[kind].program, text[0], (char *)"0", text[1], (char *)"1", (char *)"1", text[2], text[3], NULL };
	char *env[] = { NULL };
	int status;
	pid_t child;

	snprintf(text[0], sizeof(text[0]), "%d", (int)pid);
	snprintf(text[1], sizeof(text[1]), "%u", own);
	snprintf(text[2], sizeof(text[2]), "%u", range->host_id);
	snprintf(text[3], sizeof(text[3]), "%u", range->size);
	if (posix_spawn(&child, argv[0], NULL, NULL, argv, env) != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status == 0 ? 0 : -1;
}

/* Outside, where the two programs have their rights: waits until the namespace is there. Its exit status is which of them failed, from 1 on. */
static pid_t fork_mapper(const struct mrg_id_mapping *ranges, int *ret_go)
{
	const unsigned int own[NATIVE_IDS_MAX] = { [NATIVE_UIDS] = geteuid(), [NATIVE_GIDS] = getegid() };
	pid_t monitor = getpid(), pid;
	int go[2];
	char c;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(0);
		for (int i = 0; i < NATIVE_IDS_MAX; i++)
			if (run_mapper(i, monitor, own[i], &ranges[i]) < 0)
				_exit(i + 1);
		_exit(0);
	}
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static int wait_for_mapper(pid_t pid, const struct mrg_id_mapping *ranges, struct mrg_error *err)
{
	int status, failed;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return native_fail(err, -errno, "cannot wait for the maps of the user namespace");
	failed = WIFEXITED(status) ? WEXITSTATUS(status) - 1 : 0;
	if (failed < 0)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "'%s' refuses the ids from %u on, %u of them, as %s gives them", kinds[failed].program,
		      ranges[failed].host_id, ranges[failed].size, kinds[failed].file);
	return mrg_error_hint(err, "is it as the package has it, with the rights of root? apt-get install --reinstall uidmap"), -MRG_E_PERMISSION;
}

static int write_file(const char *path, const char *text, struct mrg_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return native_fail(err, -errno, "cannot write '%s' into '%s'", text, path);
	return 0;
}

/* What everybody may: one id, and no groups beside one's own. */
static int map_own(const unsigned int own[NATIVE_IDS_MAX], struct mrg_error *err)
{
	int r = write_file("/proc/self/setgroups", "deny", err);

	for (int i = 0; i < NATIVE_IDS_MAX && r == 0; i++) {
		char text[32];

		snprintf(text, sizeof(text), "0 %u 1", own[i]);
		r = write_file(kinds[i].map, text, err);
	}
	return r;
}

static int map_ranges(const struct mrg_id_mapping *ranges, struct mrg_error *err)
{
	_cleanup_close_ int go = -1;
	pid_t mapper = fork_mapper(ranges, &go);

	if (mapper < 0)
		return native_fail(err, -errno, "cannot make a process for the maps of the user namespace");
	/* Without the word it ends by itself, when @go is closed. */
	if (unshare(CLONE_NEWUSER) < 0)
		return mrg_helper_user_refused(-errno, err);
	if (write(go, "", 1) != 1)
		return native_fail(err, -errno, "cannot ask for the maps of the user namespace");
	return wait_for_mapper(mapper, ranges, err);
}

int native_rootless_enter(struct mrg_error *err)
{
	const unsigned int own[NATIVE_IDS_MAX] = { [NATIVE_UIDS] = geteuid(), [NATIVE_GIDS] = getegid() };
	struct mrg_id_mapping ranges[NATIVE_IDS_MAX];
	char why[128];

	if (mrg_helper_user_ids(&ranges[NATIVE_UIDS], &ranges[NATIVE_GIDS], why, sizeof(why)))
		return map_ranges(ranges, err);
	if (unshare(CLONE_NEWUSER) < 0)
		return mrg_helper_user_refused(-errno, err);
	return map_own(own, err);
}
