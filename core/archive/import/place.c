/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the root of an imported container is made. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/import/import.h"
#include "core/container/home.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "core/util/writeback.h"

#define TRIES	8

/* Written before the root is begun; its inode is that of an empty directory, which stays the root's. */
static int write_note(struct import_place *place, const char *name)
{
	struct stat st;

	place->container = strdup(name);
	if (!place->container || fstat(place->root, &st) < 0)
		return place->container ? -errno : -ENOMEM;
	place->inode = st.st_ino;
	return root_note_write(&place->note, &(struct noted_root){ st.st_ino, place->container, place->aside, place->home });
}

static int begin_root(struct import_place *place, const char *above, bool passable)
{
	place->parent = home_open_above(above, passable);
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

/* Who is done removes the directory when it has become empty, maybe the one that has just been made. */
static int try_root(struct import_place *place, const char *above, bool passable)
{
	int r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < TRIES; i++)
		r = begin_root(place, above, passable);
	return r;
}

int import_place_begin(struct import_place *place, struct mrg *m, struct plugin *p, const char *name, const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *above = NULL;
	int r;

	place->m = m;
	if (!*place->id && id_make(place->id) < 0)
		return fail_errno(err, -EIO, "cannot make an id");
	snprintf(place->aside, sizeof(place->aside), ".moorage-import-%s", place->id);
	r = home_find(m, p, &(struct mrg_unit){ .name = name, .id = place->id, .spec = spec, .dir = -1, .path = m->path }, &place->home, err);
	if (r < 0)
		return r;
	if (access(place->home, F_OK) == 0) {
		mrg_error_set(err, -MRG_E_EXISTS, "'%s', where the root would be, is there already", place->home);
		return mrg_error_hint(err, "give another --name, or remove what is there, if no container needs it"), -MRG_E_EXISTS;
	}
	above = strndup(place->home, (size_t)(strrchr(place->home, '/') - place->home));
	if (!above)
		return fail_memory(err);
	r = root_note_begin(&place->note, m, place->id);
	if (r == 0)
		r = try_root(place, above, home_is_mapped(p, spec));
	if (r == 0)
		r = write_note(place, name);
	if (r == 0)
		place->writeback = writeback_begin(place->root);
	return r < 0 ? fail_errno(err, r, "cannot make a root in '%s'", above) : 0;
}

int import_place_commit(struct import_place *place, struct mrg_error *err)
{
	int r;

	place->writeback = writeback_end(place->writeback);
	r = syncfs(place->root) < 0 ? -errno : 0;
	if (r == 0 && renameat2(place->parent, place->aside, place->parent, strrchr(place->home, '/') + 1, RENAME_NOREPLACE) < 0)
		r = -errno;
	place->placed = r == 0;
	if (r == 0 && fsync(place->parent) < 0)
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot bring the root to '%s'", place->home) : 0;
}

void import_place_end(struct import_place *place, bool keep)
{
	const struct noted_root root = { place->inode, place->container, place->aside, place->home };
	int r;

	writeback_end(place->writeback);
	r = place->parent >= 0 && !keep ? root_note_remove(place->parent, place->placed ? strrchr(place->home, '/') + 1 : place->aside, &root, NULL) : 0;

	root_note_end(&place->note, r == 0);
	fd_close(place->root);
	fd_close(place->parent);
	free(place->container);
	free(place->home);
	*place = (struct import_place) IMPORT_PLACE;
}
