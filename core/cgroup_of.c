/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup that an engine has made for a container, learnt from a process in it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

/* Names below a container's own cgroup: what an init system inside and the engines' own division make. */
static const char *const inner[] = { "/init.scope", "/init", "/payload", "/.lxc", "/user.slice", "/system.slice" };

static void strip_inner(char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
		size_t length = strlen(path), n = strlen(inner[i]);

		/* What remains is the container's; the top of the hierarchy never is. */
		if (length > n && strcmp(path + length - n, inner[i]) == 0) {
			path[length - n] = '\0';
			i = (size_t)-1;
		}
	}
}

/* Whether all of @path is what an init system makes: one that found no cgroup of its container has made it at the top, where others are as well. */
static bool is_at_top(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(inner); i++)
		if (strcmp(path, inner[i]) == 0)
			return true;
	return !path[0] || !path[1];
}

/* The path in one line "ID:CONTROLLERS:PATH", or NULL when nothing of it is the container's. */
static char *path_of(char *line)
{
	char *path = strchr(line, ':');

	path = path ? strchr(path + 1, ':') : NULL;
	return path && path[1] == '/' && strncmp(path + 1, "/..", 3) != 0 && !is_at_top(path + 1) ? path + 1 : NULL;
}

const char *cgroup_choose(char *text)
{
	char *line, *save, *best = NULL;

	/* v2 comes last in the file and is preferred; of v1 the devices, which every engine uses. */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *path = path_of(line);

		if (path && (!best || strncmp(line, "0::", 3) == 0 || strstr(line, "devices:")))
			best = path;
	}
	if (best)
		strip_inner(best);
	return best;
}

int mrg_helper_cgroup_of(pid_t pid, char *ret, size_t size, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	const char *path;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	r = fd_read_virtual(AT_FDCWD, name, 1 << 20, &text, NULL);
	if (r < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "process %d is not there any more", (int)pid);
	path = cgroup_choose(text);
	if (!path)
		return cgroup_fail(err, -EIO, "process %d is in no cgroup of its own", (int)pid);
	if ((size_t)snprintf(ret, size, "%s", path) >= size)
		return mrg_error_set(err, -ENAMETOOLONG, "the cgroup of process %d has too long a path", (int)pid);
	return 0;
}
