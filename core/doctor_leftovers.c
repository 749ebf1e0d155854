/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups that containers have left behind: nobody is in them, and nobody is called so. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/container_internal.h"
#include "core/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define YOUNG_S		10		/* of a container that is just being started, say */

struct leftover {
	const char *prefix, *owner;
};

/* How those that make them call them at the top of a hierarchy. */
static const struct leftover kinds[] = {
	{ "moorage-", "moorage" },
	{ "lxc.payload.", "LXC" },
	{ "lxc.monitor.", "LXC" },
};

static const struct leftover *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

static int somebody(_unused_ int dir, void *data)
{
	_cleanup_free_ char *text = NULL;

	/* What cannot be read is not known to be empty. */
	*(bool *)data |= fd_read_virtual(dir, "cgroup.procs", 1 << 20, &text, NULL) < 0 || text[0];
	return 0;
}

static bool is_empty_and_old(int dir)
{
	struct stat st;
	bool used = false;

	return cgroup_walk(dir, somebody, &used) == 0 && !used && fstat(dir, &st) == 0 && time(NULL) - st.st_mtime > YOUNG_S;
}

static int check_one(const struct doctor *d, int root, const char *name)
{
	const struct leftover *kind = kind_of(name);
	_cleanup_close_ int dir = kind ? openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	char link[64], top[PATH_MAX], text[512], fix[PATH_MAX + 512];
	ssize_t length;

	if (dir < 0 || !is_empty_and_old(dir))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
	length = readlink(link, top, sizeof(top) - 1);
	if (length < 0)
		return 0;
	top[length] = '\0';
	snprintf(text, sizeof(text), "'%.255s' of %s has no processes and is still there", name, kind->owner);
	snprintf(fix, sizeof(fix), "find '%s/%.255s' -depth -type d -exec rmdir {} +", top, name);
	return doctor_say(d, "warning", "cgroups left behind", text, fix);
}

int doctor_check_leftovers(const struct doctor *d)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_closedir_ DIR *top = NULL;
	struct dirent *entry;
	int fd, r = 0;

	if (cgroup_find_mounts(&cg, true) < 0 || cg.n == 0)
		return 0;
	fd = openat(cg.item[0].root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	top = fd >= 0 ? fdopendir(fd) : NULL;
	while (top && r == 0 && (entry = readdir(top)))
		r = check_one(d, cg.item[0].root, entry->d_name);
	return r;
}
