/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount points in a root that is read-only: LXC makes missing ones when it is too late for that. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/* Whether the point lies in another mount, where LXC can make it. */
static bool is_covered(const struct mrg_spec *spec, const struct mrg_mount *mount)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (is_below(mount->destination, spec->mounts.item[i].destination))
			return true;
	return false;
}

static bool is_of_file(const struct mrg_mount *mount)
{
	struct stat st;

	return mount->source && mount->source[0] == '/' && stat(mount->source, &st) == 0 && !S_ISDIR(st.st_mode);
}

int lxc_make_points(const struct mrg_spec *spec, int root, struct mrg_error *err)
{
	for (size_t i = 0; spec->root_readonly && !spec->ephemeral && i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];
		int fd = is_covered(spec, mount) ? -1 : path_make_in_root(root, mount->destination, is_of_file(mount));

		if (fd < -1)
			return fail_errno(err, fd == -ENOENT ? -EIO : fd, "cannot make the mount point '%s' in the root", mount->destination);
		fd_close(fd);
	}
	return 0;
}
