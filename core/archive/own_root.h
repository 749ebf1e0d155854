/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_OWN_ROOT_H
#define CORE_ARCHIVE_OWN_ROOT_H

/*
 * The root that an import or a migration has made for a container: it goes with the container. A directory that a user gave never does.
 *
 * Its record tells which directory that is, by inode and birth: what was put in its place since is somebody else's.
 */

#include "core/archive/root_note.h"
#include "core/container/internal.h"

/* The root of the spec of @record is its own from now on. */
int own_root_take(struct record *record, struct mrg_error *err);

/* Whether the directory @path is the own root of @record. */
bool own_root_is(const struct record *record, const char *path);

/* Whether @path lies in it. */
bool own_root_holds(const struct record *record, const char *path);

/* Whether a record has its root at @path or below; engines are not asked. */
bool own_root_is_recorded(struct mrg *m, const char *path);

struct own_root_removal {
	struct root_note note;
	struct noted_root root;
	int parent;			/* the directory it is in; -1: there is nothing to remove */
	bool failed;			/* it was begun and cannot be finished */
	char aside[40];
};
#define OWN_ROOT_REMOVAL	{ .note.dir = -1, .parent = -1 }

/* Before anything of the container is removed: notes its own root, if it has one. -MRG_E_BUSY: another container uses that, or something is mounted there;
 * -MRG_E_PERMISSION: it is marked immutable. */
int own_root_begin(struct own_root_removal *removal, struct mrg *m, const struct record *record, struct mrg_error *err);

/* The container is gone: its root goes. */
int own_root_remove(struct own_root_removal *removal, struct mrg_error *err);
void own_root_end(struct own_root_removal *removal);

#endif
