/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount points: LXC refuses those that links lead to, and makes missing ones when it is too late for a root that is read-only. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

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

/* ---- links ------------------------------------------------------------------------------------------- */

/* Where the existing beginning of @path leads in the root; *ret_rest is what is behind it. */
static int resolve(int root, const char *path, char ret[PATH_MAX], const char **ret_rest)
{
	_cleanup_free_ char *beginning = strdup(path);
	_cleanup_close_ int fd = -1;
	char link[PATH_OF_FD_SIZE];
	size_t length = strlen(path);
	ssize_t n;
	int r = -ENOENT;

	if (!beginning)
		return -ENOMEM;
	while (length > 1 && (r = path_open_in_root(root, beginning, O_PATH, 0)) == -ENOENT) {
		while (length > 1 && beginning[--length] != '/')
			;
		beginning[length] = '\0';
	}
	if (r < 0)
		return r;
	fd = r;
	n = readlink(path_of_fd(link, fd), ret, PATH_MAX);
	if (n < 0 || n >= PATH_MAX)
		return n < 0 ? -errno : -ENAMETOOLONG;
	ret[n] = '\0';
	*ret_rest = path + length;
	return 0;
}

static int resolve_one(struct mrg_spec *spec, int root, const char *base, struct mrg_mount *mount, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	char real[PATH_MAX];
	const char *rest = "";
	size_t length = strlen(base);
	int r = resolve(root, mount->destination, real, &rest);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(err, r, "cannot look for the mount point '%s' in the root", mount->destination);
	if (strncmp(real, base, length) != 0 || (real[length] != '/' && real[length] != '\0'))
		return 0;
	buffer_addf(&b, "%s%s", real + length, rest);
	if (!b.failed && strcmp(b.text, mount->destination) != 0)
		mount->destination = mrg_spec_strdup(spec, b.text);
	return b.failed || !mount->destination ? fail_memory(err) : 0;
}

int lxc_resolve_points(struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char base[PATH_MAX], link[PATH_OF_FD_SIZE];
	ssize_t n = root < 0 ? -1 : readlink(path_of_fd(link, root), base, sizeof(base));
	int r = 0;

	/* A root that is not there is told when it is used. */
	if (n < 0 || (size_t)n >= sizeof(base))
		return 0;
	base[n] = '\0';
	for (size_t i = 0; r == 0 && i < spec->mounts.n; i++)
		if (!is_covered(spec, &spec->mounts.item[i]))
			r = resolve_one(spec, root, base, &spec->mounts.item[i], err);
	return r;
}

/* ---- missing ones ------------------------------------------------------------------------------------- */

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
