/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_ROOT_NOTE_H
#define CORE_ARCHIVE_ROOT_NOTE_H

/*
 * Roots that are half made or half removed. Each is noted in STATE_DIR/imports/ID/root before the first change, ID being that of its container, and locked while
 * somebody is at it: the next command removes what a crash has left. A root whose container is there, whole, stays.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/context.h"

struct root_note {
	struct mrg *m;
	char id[17];
	int dir;			/* STATE_DIR/imports/ID, open and locked; -1: nothing is noted */
};

/* What is noted: a directory that has one of two names. */
struct noted_root {
	uint64_t inode;
	char *container;		/* its name */
	char *aside;			/* what it is called, in the directory of @home, while it is made or removed */
	char *home;			/* its place; absolute */
};

/* -EEXIST: there is a note already. */
int root_note_begin(struct root_note *note, struct mrg *m, const char *id);
int root_note_write(struct root_note *note, const struct noted_root *root);

/* The note goes; when not @done it stays for the next command. */
void root_note_end(struct root_note *note, bool done);

/* Removes the root @name in the directory open as @parent, with the directory that was made for it when nothing else is in that. */
int root_note_remove(int parent, const char *name, const struct noted_root *root, struct mrg_error *err);

#endif
