/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the root of an imported container is made. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/import.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define IMPORTS	"imports"		/* below STATE_DIR */
#define ROOTS	"roots"			/* of backends that have no place for roots */
#define TRIES	8
#define NOTE	"root"			/* "INODE BACKEND:NAME\nASIDE\nHOME" */

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

/* Makes the directories of @path that are missing; the last is opened. */
static int make_directories(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(copy, 0755) < 0 && errno != EEXIST)
				return -errno;
			*p = '/';
		}
	/* Whoever reaches a root reaches its setuid programs. */
	if (mkdir(copy, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int import_home(struct mrg *m, struct plugin *p, const char *name, const char *id, char **ret, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = name, .id = id, .dir = -1, .path = m->path };

	if (p->table.home)
		return dispatch_home(p, &unit, ret, err);
	if (asprintf(ret, "%s/" ROOTS "/%s", m->state_dir, name) >= 0)
		return 0;
	*ret = NULL;
	return fail_memory(err);
}

/* Written whole before the root is begun; its inode is that of an empty directory, which stays the root's. */
static int write_note(struct import_place *place, struct plugin *p, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;
	int n;

	if (fstat(place->root, &st) < 0)
		return -errno;
	n = asprintf(&text, "%" PRIu64 " %s:%s\n%s\n%s", (uint64_t)st.st_ino, p->table.name, name, place->aside, place->home);
	return n < 0 ? -ENOMEM : fd_replace_file(place->note, NOTE, text, (size_t)n, true);
}

static int begin_note(struct import_place *place, const char *above _unused_)
{
	_cleanup_close_ int imports = open_imports(place->m, true);

	if (imports < 0)
		return imports;
	if (mkdirat(imports, place->id, 0700) < 0)
		return -errno;
	place->note = openat(imports, place->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return place->note < 0 || flock(place->note, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int begin_root(struct import_place *place, const char *above)
{
	place->parent = make_directories(above);
	if (place->parent < 0)
		return place->parent;
	if (mkdirat(place->parent, place->aside, 0700) < 0) {
		int r = -errno;

		place->parent = fd_close(place->parent);
		return r;
	}
	place->root = openat(place->parent, place->aside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return place->root < 0 ? -errno : 0;
}

/* Who is done removes directories that have become empty, maybe those that have just been made. */
static int try_again(struct import_place *place, int (*begin)(struct import_place *place, const char *above), const char *above)
{
	int r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < TRIES; i++)
		r = begin(place, above);
	return r;
}

int import_place_begin(struct import_place *place, struct mrg *m, struct plugin *p, const char *name, struct mrg_error *err)
{
	_cleanup_free_ char *above = NULL;
	int r;

	place->m = m;
	if (!*place->id && id_make(place->id) < 0)
		return fail_errno(err, -EIO, "cannot make an id");
	snprintf(place->aside, sizeof(place->aside), ".moorage-import-%s", place->id);
	r = import_home(m, p, name, place->id, &place->home, err);
	if (r < 0)
		return r;
	if (access(place->home, F_OK) == 0) {
		mrg_error_set(err, -MRG_E_EXISTS, "'%s', where the root would be, is there already", place->home);
		return mrg_error_hint(err, "give another --name, or remove what is there: roots stay when their containers are removed"), -MRG_E_EXISTS;
	}
	above = strndup(place->home, (size_t)(strrchr(place->home, '/') - place->home));
	if (!above)
		return fail_memory(err);
	r = try_again(place, begin_note, NULL);
	if (r == 0)
		r = try_again(place, begin_root, above);
	if (r == 0)
		r = write_note(place, p, name);
	return r < 0 ? fail_errno(err, r, "cannot make a root in '%s'", above) : 0;
}

int import_place_commit(struct import_place *place, struct mrg_error *err)
{
	int r = syncfs(place->root) < 0 ? -errno : 0;

	if (r == 0 && renameat2(place->parent, place->aside, place->parent, strrchr(place->home, '/') + 1, RENAME_NOREPLACE) < 0)
		r = -errno;
	place->placed = r == 0;
	if (r == 0 && fsync(place->parent) < 0)
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot bring the root to '%s'", place->home) : 0;
}

/* The directory that was made for it goes when nothing else is in it. */
static void remove_root(int parent, const char *name, const char *home)
{
	_cleanup_free_ char *above = strndup(home, (size_t)(strrchr(home, '/') - home));

	tree_remove(parent, name, NULL, NULL);
	if (above)
		rmdir(above);
}

/* The last removes the directory as well. */
static void forget(struct mrg *m, int imports, const char *id)
{
	_cleanup_close_ int state = open(m->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fd_remove_tree(imports, id);
	if (state >= 0)
		unlinkat(state, IMPORTS, AT_REMOVEDIR);
}

void import_place_end(struct import_place *place, bool keep)
{
	_cleanup_close_ int imports = place->note >= 0 ? open_imports(place->m, false) : -1;

	if (place->parent >= 0 && !keep)
		remove_root(place->parent, place->placed ? strrchr(place->home, '/') + 1 : place->aside, place->home);
	if (imports >= 0)
		forget(place->m, imports, place->id);
	fd_close(place->root);
	fd_close(place->parent);
	fd_close(place->note);
	free(place->home);
	*place = (struct import_place) { .note = -1, .parent = -1, .root = -1 };
}

/* ---- after a crash --------------------------------------------------------------------- */

struct leftover {
	uint64_t inode;
	char *container, *aside, *home;	/* in the note's text */
};

static int parse_note(char *text, struct leftover *ret)
{
	char *first = strsep(&text, "\n"), *inode = strsep(&first, " ");

	ret->container = first;
	ret->aside = strsep(&text, "\n");
	ret->home = text;
	return !ret->container || !ret->aside || !ret->home || ret->home[0] != '/' || strchr(ret->aside, '/') || parse_uint64(inode, &ret->inode) < 0 ? -EINVAL : 0;
}

/* It is what was being made, and no container has it. */
static bool is_left(struct mrg *m, int parent, const char *name, const struct leftover *left)
{
	struct mrg_container *c = NULL;
	struct stat st;
	bool used;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != left->inode)
		return false;
	used = mrg_container_open(m, left->container, &c, NULL) == 0;
	mrg_container_free(c);
	return !used;
}

static void remove_leftover(struct mrg *m, const struct leftover *left)
{
	_cleanup_free_ char *above = strndup(left->home, (size_t)(strrchr(left->home, '/') - left->home));
	_cleanup_close_ int parent = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const char *name = strrchr(left->home, '/') + 1;

	if (parent < 0)
		return;
	if (is_left(m, parent, left->aside, left))
		remove_root(parent, left->aside, left->home);
	else if (is_left(m, parent, name, left))
		remove_root(parent, name, left->home);
}

static void sweep(struct mrg *m, int imports, const char *id)
{
	_cleanup_close_ int note = openat(imports, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct leftover left;

	/* Locked: somebody is at work. */
	if (note < 0 || flock(note, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fd_read_file(note, NOTE, 3 * PATH_MAX, &text, NULL) == 0 && parse_note(text, &left) == 0)
		remove_leftover(m, &left);
	forget(m, imports, id);
}

void import_sweep(struct mrg *m)
{
	int imports = open_imports(m, false);
	_cleanup_closedir_ DIR *d = imports < 0 ? NULL : fdopendir(imports);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			sweep(m, dirfd(d), entry->d_name);
}
