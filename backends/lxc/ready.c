/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start will need whatever the container: made while the monitor waits for its order. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lxc.h"

#include "core/util/fd.h"

/* The file by which processes enter the cgroup of v2 that this one is in. */
static int open_own_cgroup(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *own;
	int fd = -1;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &text, NULL) < 0)
		return -1;
	own = strstr(text, "0::/");
	if (!own || (own > text && own[-1] != '\n'))
		return -1;
	own += 3;
	own[strcspn(own, "\n")] = '\0';
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(mounts); i++)
		if (snprintf(path, sizeof(path), "%s%s/cgroup.procs", mounts[i], own) < (int)sizeof(path))
			fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd;
}

/*
 * LXC moves its monitor into a cgroup. Whoever is the first to move a process waits for a grace period of the kernel, several milliseconds, and others
 * that follow soon do not: so a child moves itself, to where it is.
 */
static void wait_ahead(void)
{
	int fd = open_own_cgroup();
	pid_t pid = fd < 0 ? -1 : fork();

	if (pid == 0)
		_exit(write(fd, "0", 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
	/* It waits at once, if it is let. */
	if (pid > 0)
		sched_yield();
	fd_close(fd);
}

int lxc_ready(void *self _unused_, struct mrg_error *err _unused_)
{
	struct lxc_api api;

	wait_ahead();
	/* It stays loaded, and the child of the start has it. */
	lxc_api_load(&api, NULL);
	return 0;
}
