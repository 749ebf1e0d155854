/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's own root as a container's root: the file systems mounted below it, read-only. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/helper/root.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define MOUNTINFO_MAX	(16U << 20)

/* File systems that hold what an administrator installed. The kernel's own, tmpfs, fuse and the overlays of other containers stay out. */
static const char *const kept_types[] = {
	"bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "nfs", "nfs4", "reiserfs", "squashfs", "vfat", "xfs", "zfs",
};

/* The container has its own there. */
static const char *const left_out[] = { "/dev", "/proc", "/run", "/sys", "/tmp" };

static bool is_kept(const char *type, const char *path)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(kept_types); i++)
		known = known || strcmp(type, kept_types[i]) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		size_t length = strlen(left_out[i]);

		if (strncmp(path, left_out[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
			return false;
	}
	return known && strcmp(path, "/") != 0;
}

/* Undoes "\040" and the like of mountinfo, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The mount at @path if it is the one with @id, so that one hidden below another is not taken for it. */
static int open_mount(const char *path, uint64_t id)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct statx st;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -errno;
	return st.stx_mask & STATX_MNT_ID && st.stx_mnt_id == id ? take_fd(&fd) : -ESTALE;
}

/* A mount that a container with the host's root is to see. */
struct host_mount {
	const char *escaped;		/* its path as it stands in mountinfo and fstab(5) */
	const char *path;
	int fd;
	bool is_directory;
};

typedef int (*host_fn)(const struct host_mount *mount, void *data, struct mrg_error *err);

static int show(const char *escaped, char *path, uint64_t id, host_fn each, void *data, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	unescape(path);
	fd = open_mount(path, id);
	if (fd < 0)
		return 0;	/* hidden, or out of reach: not part of what one sees on the host */
	if (fstat(fd, &st) < 0)
		return root_fail(err, -errno, "cannot look at '%s'", path);
	return each(&(struct host_mount){ .escaped = escaped, .path = path, .fd = fd, .is_directory = S_ISDIR(st.st_mode) }, data, err);
}

/* One line: ID PARENT MAJ:MIN ROOT PATH OPTIONS [FIELDS...] - TYPE SOURCE OPTIONS */
static int read_line(char *line, host_fn each, void *data, struct mrg_error *err)
{
	char *field[5], *save = NULL, *type = strstr(line, " - ");
	_cleanup_free_ char *path = NULL;
	uint64_t id;

	if (!type)
		return 0;
	*type = '\0';
	type += 3;
	type[strcspn(type, " ")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (!field[i])
			return 0;
	}
	if (parse_uint64(field[0], &id) < 0 || !is_kept(type, field[4]))
		return 0;
	path = strdup(field[4]);
	return path ? show(field[4], path, id, each, data, err) : root_fail(err, -ENOMEM, "cannot look at '%s'", field[4]);
}

static int each_mount(host_fn each, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	int r = fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL);

	if (r < 0)
		return root_fail(err, r, "cannot read '/proc/self/mountinfo'");
	for (char *line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save))
		r = read_line(line, each, data, err);
	return r;
}

static int bind_below(const struct host_mount *source, void *data, struct mrg_error *err)
{
	const int *root = data;
	_cleanup_close_ int target = path_make_in_root(*root, source->path, !source->is_directory), mount = -1;
	int r;

	if (target < 0)
		return root_fail(err, target, "cannot make the mount point '%s'", source->path);
	mount = root_clone(source->fd, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	r = mount < 0 ? mount : root_attach(mount, target);
	return r < 0 ? root_fail(err, r, "cannot show '%s' of the host", source->path) : 0;
}

int root_mount_host(int root, struct mrg_error *err)
{
	return each_mount(bind_below, &root, err);
}

struct telling {
	int (*each)(const char *path, int is_directory, void *data, struct mrg_error *err);
	void *data;
};

static int tell(const struct host_mount *mount, void *data, struct mrg_error *err)
{
	const struct telling *t = data;

	return t->each(mount->escaped, mount->is_directory, t->data, err);
}

int mrg_helper_host_mounts(int (*each)(const char *path, int is_directory, void *data, struct mrg_error *err), void *data, struct mrg_error *err)
{
	return each_mount(tell, &(struct telling){ each, data }, err);
}
