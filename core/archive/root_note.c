/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notes of roots that are being made or removed, and what becomes of those that a crash has left. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/own_root.h"
#include "core/archive/root_note.h"
#include "core/container/internal.h"
#include "core/migrate/tree/tree.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define IMPORTS	"imports"		/* below STATE_DIR */
#define ROOTS	"roots"			/* of backends that have no place for roots */
#define TRIES	8
#define NOTE	"root"			/* "INODE CONTAINER\nASIDE\nHOME" */

/* ---- notes ----------------------------------------------------------------------------- */

static int open_imports(struct mrg *m, bool make)
{
	_cleanup_close_ int state = -1;

	if (make && mkdir(m->state_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	state = open(m->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0)
		return -errno;
	if (make && mkdirat(state, IMPORTS, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(state, IMPORTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_note(struct root_note *note)
{
	_cleanup_close_ int imports = open_imports(note->m, true);

	if (imports < 0)
		return imports;
	if (mkdirat(imports, note->id, 0700) < 0)
		return -errno;
	note->dir = openat(imports, note->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return note->dir < 0 || flock(note->dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int root_note_begin(struct root_note *note, struct mrg *m, const char *id)
{
	int r = -ENOENT;

	note->m = m;
	snprintf(note->id, sizeof(note->id), "%s", id);
	/* Who is done removes the directory of notes when it has become empty, maybe the one that has just been made. */
	for (int i = 0; r == -ENOENT && i < TRIES; i++)
		r = make_note(note);
	return r;
}

int root_note_write(struct root_note *note, const struct noted_root *root)
{
	_cleanup_free_ char *text = NULL;
	int n = asprintf(&text, "%" PRIu64 " %s\n%s\n%s", root->inode, root->container, root->aside, root->home);

	if (n < 0)
		text = NULL;
	return n < 0 ? -ENOMEM : fd_replace_file(note->dir, NOTE, text, (size_t)n, true);
}

/* The last removes the directory. */
static void remove_imports(struct mrg *m)
{
	_cleanup_close_ int state = open(m->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (state >= 0)
		unlinkat(state, IMPORTS, AT_REMOVEDIR);
}

void root_note_end(struct root_note *note, bool done)
{
	_cleanup_close_ int imports = note->dir >= 0 && done ? open_imports(note->m, false) : -1;

	if (imports >= 0) {
		fd_remove_tree(imports, note->id);
		remove_imports(note->m);
	}
	note->dir = fd_close(note->dir);
}

/* ---- removal ---------------------------------------------------------------------------- */

/* LXC's bears the name of the container, ours is for all roots. What an engine has for all of its own is not touched. */
static bool is_made_for_it(const char *above, const struct noted_root *root)
{
	const char *name = strrchr(above, '/');

	return name && (strcmp(name + 1, root->container) == 0 || strcmp(name + 1, ROOTS) == 0);
}

static void remove_above(const struct noted_root *root)
{
	_cleanup_free_ char *above = strndup(root->home, (size_t)(strrchr(root->home, '/') - root->home));

	if (above && is_made_for_it(above, root))
		rmdir(above);
}

int root_note_remove(int parent, const char *name, const struct noted_root *root, struct mrg_error *err)
{
	int r = tree_remove(parent, name, NULL, err);

	if (r == 0)
		remove_above(root);
	return r;
}

/* ---- after a crash --------------------------------------------------------------------- */

static int parse_note(char *text, struct noted_root *ret)
{
	char *first = strsep(&text, "\n"), *inode = strsep(&first, " ");

	ret->container = first;
	ret->aside = strsep(&text, "\n");
	ret->home = text;
	return !ret->container || !ret->aside || !ret->home || ret->home[0] != '/' || strchr(ret->aside, '/') || parse_uint64(inode, &ret->inode) < 0 ? -EINVAL : 0;
}

/* Whether the container is there: 0 when not, or -MRG_E_BUSY. One that is half made goes now. */
static int has_container(struct mrg *m, const char *name, const char *id)
{
	struct record *record = NULL;
	int r = container_open_record(m, name, 0, &record, NULL);
	bool same = r == 0 && strcmp(record->id, id) == 0;

	store_free(record);
	if (r == -MRG_E_NOT_FOUND || r == -MRG_E_BUSY)
		return r == -MRG_E_BUSY ? r : 0;
	return r < 0 || same;
}

static bool is_noted(int parent, const char *name, const struct noted_root *root)
{
	struct stat st;

	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && st.st_ino == root->inode;
}

static int remove_left(struct mrg *m, const struct noted_root *root)
{
	_cleanup_free_ char *above = strndup(root->home, (size_t)(strrchr(root->home, '/') - root->home));
	_cleanup_close_ int parent = above ? open(*above ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const char *name = strrchr(root->home, '/') + 1;

	if (parent < 0)
		return 0;
	if (is_noted(parent, root->aside, root))
		return root_note_remove(parent, root->aside, root, NULL);
	/* Somebody may have found it in its place, and use it. */
	if (is_noted(parent, name, root) && !own_root_is_recorded(m, root->home))
		return root_note_remove(parent, name, root, NULL);
	/* It is gone; its directory may be left. */
	remove_above(root);
	return 0;
}

static void sweep(struct mrg *m, int imports, const char *id)
{
	_cleanup_close_ int note = openat(imports, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct noted_root root;
	int r = 0;

	/* Locked: somebody is at work. */
	if (note < 0 || flock(note, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fd_read_file(note, NOTE, 3 * PATH_MAX, &text, NULL) == 0 && parse_note(text, &root) == 0) {
		r = has_container(m, root.container, id);
		if (r == 0)
			r = remove_left(m, &root);
	}
	/* What could not be removed is tried again by the next command. */
	if (r >= 0)
		fd_remove_tree(imports, id);
}

void import_sweep(struct mrg *m)
{
	int imports = open_imports(m, false);
	_cleanup_closedir_ DIR *d = imports < 0 ? NULL : fdopendir(imports);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			sweep(m, dirfd(d), entry->d_name);
	if (d)
		remove_imports(m);
}
