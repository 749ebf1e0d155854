/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single files of a root: looked at and put, on descriptors, inside the root. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/migrate/guest.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/proc.h"

void guest_state_deinit(struct guest_state *state)
{
	free(state->content);
	state->content = NULL;
}

void guest_change_deinit(struct guest_change *change)
{
	free(change->rule);
	free(change->path);
	free(change->text);
	guest_state_deinit(&change->before);
	guest_state_deinit(&change->after);
}

void guest_changes_deinit(struct guest_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		guest_change_deinit(&changes->item[i]);
	free(changes->item);
	*changes = (struct guest_changes){ 0 };
}

bool guest_same(const struct guest_state *a, const struct guest_state *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind != GUEST_FILE && a->kind != GUEST_LINK)
		return true;
	return a->length == b->length && memcmp(a->content, b->content, a->length) == 0;
}

/* ---- looking ---------------------------------------------------------------------------------- */

/* The directory that holds the last component, which *ret_name points to. */
static int open_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!slash || !slash[1] || slash - path >= PATH_MAX - 1)
		return -EINVAL;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	*ret_name = slash + 1;
	return path_open_in_root(root, *parent ? parent : "/", O_RDONLY | O_DIRECTORY, 0);
}

static int read_file(int dir, const char *name, struct guest_state *ret)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_size > GUEST_FILE_MAX)
		return -EINVAL;
	ret->content = malloc((size_t)st.st_size + 1);
	if (!ret->content)
		return -ENOMEM;
	n = fd_read_all(fd, ret->content, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	ret->content[n] = '\0';
	ret->length = (size_t)n;
	return 0;
}

static int read_link(int dir, const char *name, struct guest_state *ret)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	ret->content = strdup(target);
	ret->length = (size_t)n;
	return ret->content ? 0 : -ENOMEM;
}

int guest_look(int root, const char *path, struct guest_state *ret)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root, path, &name);
	struct stat st;
	int r = 0;

	*ret = (struct guest_state){ .uid = -1, .gid = -1, .mtime = -1 };
	if (dir == -ENOENT || dir == -ENOTDIR)
		return 0;
	if (dir < 0)
		return dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	ret->kind = S_ISREG(st.st_mode) ? GUEST_FILE : S_ISLNK(st.st_mode) ? GUEST_LINK : S_ISDIR(st.st_mode) ? GUEST_DIRECTORY : -1;
	ret->mode = st.st_mode & 07777;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	ret->mtime = time_ns(&st.st_mtim);
	if (ret->kind < 0)
		return -EINVAL;
	if (ret->kind == GUEST_FILE)
		r = read_file(dir, name, ret);
	else if (ret->kind == GUEST_LINK)
		r = read_link(dir, name, ret);
	if (r < 0)
		guest_state_deinit(ret);
	return r;
}

/* ---- putting ---------------------------------------------------------------------------------- */

/* In place: owner, mode and attributes stay those of the file. */
static int overwrite(int dir, const char *name, const struct guest_state *state)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -EINVAL;
	r = fd_write_all(fd, state->content, state->length);
	if (r == 0 && (ftruncate(fd, (off_t)state->length) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

static int make_file(int dir, const char *name, const struct guest_state *state)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, state->content, state->length);

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int make(int dir, const char *name, const struct guest_state *state)
{
	struct stat parent;
	uid_t uid = (uid_t)state->uid;
	gid_t gid = (gid_t)state->gid;
	int r = 0;

	if (state->kind == GUEST_FILE)
		r = make_file(dir, name, state);
	else if (state->kind == GUEST_LINK)
		r = symlinkat(state->content, dir, name) < 0 ? -errno : 0;
	else
		r = mkdirat(dir, name, 0700) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	if (state->uid < 0 || state->gid < 0) {
		if (fstat(dir, &parent) < 0)
			return -errno;
		uid = parent.st_uid;
		gid = parent.st_gid;
	}
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return state->kind != GUEST_LINK && fchmodat(dir, name, (mode_t)state->mode, 0) < 0 ? -errno : 0;
}

/* A directory that has got something in it is not what was made any more: it stays. */
static int remove_it(int dir, const char *name, int kind)
{
	if (unlinkat(dir, name, kind == GUEST_DIRECTORY ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 0;
	return kind == GUEST_DIRECTORY && errno == ENOTEMPTY ? 0 : -errno;
}

static int change(int dir, const char *name, const struct guest_state *now, const struct guest_state *state)
{
	int r;

	if (now->kind == GUEST_FILE && state->kind == GUEST_FILE)
		return overwrite(dir, name, state);
	r = now->kind == GUEST_ABSENT ? 0 : remove_it(dir, name, now->kind);
	return r < 0 || state->kind == GUEST_ABSENT ? r : make(dir, name, state);
}

static void set_times(int dir, const char *name, int64_t mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime / 1000000000, .tv_nsec = mtime % 1000000000 } };

	utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

/* The directory looks as it did: what comes and goes in it is ours to undo. */
int guest_put(int root, const char *path, const struct guest_state *state, struct mrg_error *err)
{
	struct guest_state now = { 0 };
	struct stat parent;
	const char *name;
	_cleanup_close_ int dir = open_parent(root, path, &name);
	int r = dir < 0 ? dir : guest_look(root, path, &now);

	if (r >= 0 && fstat(dir, &parent) < 0)
		r = -errno;
	if (r >= 0 && !guest_same(&now, state))
		r = change(dir, name, &now, state);
	guest_state_deinit(&now);
	if (r < 0)
		return fail_errno(err, r, "cannot change '%s' in the root", path);
	if (state->mtime >= 0 && state->kind != GUEST_ABSENT)
		set_times(dir, name, state->mtime);
	futimens(dir, (struct timespec[2]){ { .tv_nsec = UTIME_OMIT }, parent.st_mtim });
	fsync(dir);
	return 0;
}
