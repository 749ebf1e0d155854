/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host gives ordinary users for containers: a user namespace, and ids beside their own. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

/* ---- ids ---------------------------------------------------------------------------------- */

static void user_name(char ret[64])
{
	const struct passwd *user = getpwuid(getuid());

	snprintf(ret, 64, "%s", user ? user->pw_name : "");
	if (!*ret)
		snprintf(ret, 64, "%u", (unsigned int)getuid());
}

/* The first range of a line that begins with our name or number; false: there is none. */
static bool read_range(const char *path, const char *name, struct mrg_id_mapping *ret)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[256], owner[64], number[16];
	unsigned int first, count;

	snprintf(number, sizeof(number), "%u", (unsigned int)getuid());
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]:%u:%u", owner, &first, &count) != 3 || first == 0 || count == 0 || first > UINT32_MAX - count)
			continue;
		if (strcmp(owner, name) != 0 && strcmp(owner, number) != 0)
			continue;
		*ret = (struct mrg_id_mapping){ .host_id = first, .size = count };
		return true;
	}
	return false;
}

int mrg_helper_user_ids(struct mrg_id_mapping *ret_uid, struct mrg_id_mapping *ret_gid, char *why, size_t size)
{
	const struct {
		const char *file, *program;
		struct mrg_id_mapping *ret;
	} kinds[] = {
		{ "/etc/subuid", "/usr/bin/newuidmap", ret_uid }, { "/etc/subgid", "/usr/bin/newgidmap", ret_gid },
	};
	char name[64];

	user_name(name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (access(kinds[i].program, X_OK) < 0) {
			snprintf(why, size, "there is no %s (package uidmap)", kinds[i].program);
			return 0;
		}
		if (!read_range(kinds[i].file, name, kinds[i].ret)) {
			snprintf(why, size, "%s has no line '%s:FIRST:65536'", kinds[i].file, name);
			return 0;
		}
	}
	return 1;
}

/* ---- whether there can be a user namespace --------------------------------------------------- */

static const struct {
	const char *file;
	char value;			/* the first character of what forbids it */
	const char *fix;
} switches[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", '0', "sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/user/max_user_namespaces", '0', "sysctl user.max_user_namespaces=10000" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1', "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};

int mrg_helper_user_refused(int code, struct mrg_error *err)
{
	errno = -code;
	mrg_error_set(err, -MRG_E_PERMISSION, "this host gives ordinary users no user namespace, which their containers need: %m");
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		_cleanup_close_ int fd = open(switches[i].file, O_RDONLY | O_CLOEXEC);
		char first;

		if (fd >= 0 && read(fd, &first, 1) == 1 && first == switches[i].value)
			return mrg_error_hint(err, "as root: %s; or run the command as root", switches[i].fix), -MRG_E_PERMISSION;
	}
	return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
}

/* Tried, since much may forbid it. A namespace that gives no rights shows it at the second one. */
int mrg_helper_user_probe(struct mrg_error *err)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNS) == 0 ? 0 : errno);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(err, -errno, "cannot try a user namespace");
	if (pid < 0)
		return fail_errno(err, -errno, "cannot try a user namespace");
	return status == 0 ? 0 : mrg_helper_user_refused(WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM, err);
}
