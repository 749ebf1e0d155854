/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/migrate/copies.h"
#include "core/store/store.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define COPIES		"copies"

/* The name it had, and the migration. */
#define NAME		".#%s.moorage-%s"

/* The directory, locked: who finds a note finds its copy as well, but for that of somebody who was killed in between and will be back. */
static int open_notes(struct mrg *m, bool make, struct mrg_error *err)
{
	int dir = store_state_dir(m, COPIES, make, err);

	if (dir < 0 || flock(dir, LOCK_EX) == 0)
		return dir;
	close(dir);
	return fail_errno(err, -errno, "cannot lock the notes of copies");
}

static int rename_noted(struct mrg *m, int parent, const char *path, const char *kept, const char *id, struct mrg_error *err)
{
	_cleanup_close_ int dir = open_notes(m, true, err);
	int r;

	if (dir < 0)
		return dir;
	r = fd_replace_file(dir, id, kept, strlen(kept), true);
	if (r < 0)
		return fail_errno(err, r, "cannot note the copy '%s'", kept);
	if (renameat2(parent, strrchr(path, '/') + 1, parent, strrchr(kept, '/') + 1, RENAME_NOREPLACE) < 0)
		return fail_errno(err, -errno, "cannot rename '%s'", path);
	return 0;
}

int copies_keep(struct mrg *m, int parent, const char *path, const char *id, char **ret, struct mrg_error *err)
{
	const char *name = strrchr(path, '/') + 1;
	_cleanup_free_ char *kept = NULL;
	int r;

	if (faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (asprintf(&kept, "%.*s" NAME, (int)(name - path), path, name, id) < 0) {
		kept = NULL;
		return fail_memory(err);
	}
	r = rename_noted(m, parent, path, kept, id, err);
	if (r == 0)
		*ret = take_ptr(kept);
	return r;
}

/* Adds what the note @name tells of. One whose copy somebody has removed goes as well. */
static void look(int dir, const char *name, char ***paths)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (fd_read_file(dir, name, PATH_MAX, &path, NULL) < 0)
		return;
	if (lstat(path, &st) == 0)
		strv_append(paths, path);
	else if (errno == ENOENT || errno == ENOTDIR)
		unlinkat(dir, name, 0);
}

char **copies_list(struct mrg *m)
{
	int fd = open_notes(m, false, NULL);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char **paths = NULL;

	if (!dir)
		fd_close(fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look(dirfd(dir), entry->d_name, &paths);
	return paths;
}
