/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ordinary users: the monitor becomes root of a user namespace, and goes on as it does for root. Their own id is root in it; the others are those that
 * /etc/subuid and /etc/subgid give them, which newuidmap(1) and newgidmap(1) may map for them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "native.h"

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

/* ---- ids ---------------------------------------------------------------------------------- */

static void user_name(char ret[64])
{
	const struct passwd *user = getpwuid(getuid());

	snprintf(ret, 64, "%s", user ? user->pw_name : "");
	if (!*ret)
		snprintf(ret, 64, "%u", (unsigned int)getuid());
}

/* The first range of a line that begins with our name or number; false: there is none. */
static int read_range(const char *path, const char *name, struct native_range *ret)
{
	FILE *file = fopen(path, "re");
	char line[256], owner[64], number[16];
	unsigned int first, count;
	int found = 0;

	if (!file)
		return 0;
	snprintf(number, sizeof(number), "%u", (unsigned int)getuid());
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]:%u:%u", owner, &first, &count) != 3 || first == 0 || count == 0 || first > UINT32_MAX - count)
			continue;
		found = strcmp(owner, name) == 0 || strcmp(owner, number) == 0;
	}
	fclose(file);
	if (found)
		*ret = (struct native_range){ first, count };
	return found;
}

int native_ranges(struct native_range ret[NATIVE_IDS_MAX], char *why, size_t size)
{
	char name[64];

	user_name(name);
	for (int i = 0; i < NATIVE_IDS_MAX; i++) {
		if (access(kinds[i].program, X_OK) < 0) {
			snprintf(why, size, "there is no %s (package uidmap)", kinds[i].program);
			return 0;
		}
		if (!read_range(kinds[i].file, name, &ret[i])) {
			snprintf(why, size, "%s has no line '%s:FIRST:65536'", kinds[i].file, name);
			return 0;
		}
	}
	return 1;
}

/* ---- making the namespace ------------------------------------------------------------------- */

static int run_mapper(int kind, pid_t pid, unsigned int own, const struct native_range *range)
{
	char text[4][16];
	char *argv[] = { (char *)kinds[kind].program, text[0], (char *)"0", text[1], (char *)"1", (char *)"1", text[2], text[3], NULL };
	char *env[] = { NULL };
	int status;
	pid_t child;

	snprintf(text[0], sizeof(text[0]), "%d", (int)pid);
	snprintf(text[1], sizeof(text[1]), "%u", own);
	snprintf(text[2], sizeof(text[2]), "%u", range->first);
	snprintf(text[3], sizeof(text[3]), "%u", range->count);
	if (posix_spawn(&child, argv[0], NULL, NULL, argv, env) != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status == 0 ? 0 : -1;
}

/* Outside, where the two programs have their rights: waits until the namespace is there. Its exit status is which of them failed, from 1 on. */
static pid_t fork_mapper(const struct native_range *ranges, int *ret_go)
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

static int wait_for_mapper(pid_t pid, const struct native_range *ranges, struct mrg_error *err)
{
	int status, failed;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return native_fail(err, -errno, "cannot wait for the maps of the user namespace");
	failed = WIFEXITED(status) ? WEXITSTATUS(status) - 1 : 0;
	if (failed < 0)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "'%s' refuses the ids from %u on, %u of them, as %s gives them", kinds[failed].program,
		      ranges[failed].first, ranges[failed].count, kinds[failed].file);
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

static int map_ranges(const struct native_range *ranges, struct mrg_error *err)
{
	_cleanup_close_ int go = -1;
	pid_t mapper = fork_mapper(ranges, &go);

	if (mapper < 0)
		return native_fail(err, -errno, "cannot make a process for the maps of the user namespace");
	/* Without the word it ends by itself, when @go is closed. */
	if (unshare(CLONE_NEWUSER) < 0)
		return native_userns_refused(-errno, err);
	if (write(go, "", 1) != 1)
		return native_fail(err, -errno, "cannot ask for the maps of the user namespace");
	return wait_for_mapper(mapper, ranges, err);
}

int native_rootless_enter(struct mrg_error *err)
{
	const unsigned int own[NATIVE_IDS_MAX] = { [NATIVE_UIDS] = geteuid(), [NATIVE_GIDS] = getegid() };
	struct native_range ranges[NATIVE_IDS_MAX];
	char why[128];

	if (native_ranges(ranges, why, sizeof(why)))
		return map_ranges(ranges, err);
	if (unshare(CLONE_NEWUSER) < 0)
		return native_userns_refused(-errno, err);
	return map_own(own, err);
}

/* ---- whether it can be made ------------------------------------------------------------------ */

static const struct {
	const char *file;
	char value;			/* the first character of what forbids it */
	const char *fix;
} switches[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", '0', "sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/user/max_user_namespaces", '0', "sysctl user.max_user_namespaces=10000" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1', "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};

int native_userns_refused(int code, struct mrg_error *err)
{
	errno = -code;
	mrg_error_set(err, -MRG_E_PERMISSION, "this host gives ordinary users no user namespace, which native containers need: %m");
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		_cleanup_close_ int fd = open(switches[i].file, O_RDONLY | O_CLOEXEC);
		char first;

		if (fd >= 0 && read(fd, &first, 1) == 1 && first == switches[i].value)
			return mrg_error_hint(err, "as root: %s; or run the command as root", switches[i].fix), -MRG_E_PERMISSION;
	}
	return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
}

/* Tried, since much may forbid it. A namespace that gives no rights shows it at the second one. */
int native_rootless_probe(struct mrg_error *err)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNS) == 0 ? 0 : errno);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return native_fail(err, -errno, "cannot try a user namespace");
	if (pid < 0)
		return native_fail(err, -errno, "cannot try a user namespace");
	return status == 0 ? 0 : native_userns_refused(WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM, err);
}
