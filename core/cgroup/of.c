/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup that an engine has made for a container, learnt from a process in it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define HIERARCHIES_MAX	32		/* more than the kernel has controllers */

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
	if (!path || path[1] != '/' || strncmp(path + 1, "/..", 3) == 0 || is_at_top(path + 1))
		return NULL;
	strip_inner(path + 1);
	return path + 1;
}

static bool is_above(const char *path, const char *other)
{
	size_t length = strlen(path);

	return strncmp(path, other, length) == 0 && other[length] == '/';
}

/* Who divides a hierarchy less leaves its processes further up in it: a path above another one is nobody's own. */
static bool is_above_any(const char *path, char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_above(path, paths[i]))
			return true;
	return false;
}

static size_t count_equal(const char *path, char *const *paths, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += strcmp(path, paths[i]) == 0;
	return count;
}

/* Engines make the same path in every hierarchy that they use. The others show where the engine itself was started, which may be the service of a
 * daemon with all its containers, or the session of a user. Of equals the last is taken, which is v2. */
const char *cgroup_choose(char *text)
{
	char *paths[HIERARCHIES_MAX], *line, *save;
	const char *best = NULL;
	size_t n = 0, most = 0;

	for (line = strtok_r(text, "\n", &save); line && n < HIERARCHIES_MAX; line = strtok_r(NULL, "\n", &save)) {
		paths[n] = path_of(line);
		n += paths[n] != NULL;
	}
	for (size_t i = 0; i < n; i++) {
		size_t count = is_above_any(paths[i], paths, n) ? 0 : count_equal(paths[i], paths, n);

		if (count > 0 && count >= most) {
			best = paths[i];
			most = count;
		}
	}
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
	path = r < 0 ? NULL : cgroup_choose(text);
	/* The kernel takes who ends out of cgroups of version 1. */
	if (!path && proc_is_ending(pid))
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "process %d is not there any more", (int)pid);
	if (r < 0)
		return cgroup_fail(err, r, "cannot read the cgroups of process %d", (int)pid);
	if (!path)
		return cgroup_fail(err, -EIO, "process %d is in no cgroup of its own", (int)pid);
	if ((size_t)snprintf(ret, size, "%s", path) >= size)
		return mrg_error_set(err, -ENAMETOOLONG, "the cgroup of process %d has too long a path", (int)pid);
	return 0;
}
