/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_RECEIVED_H
#define MIGRATE_RECEIVED_H

/* A container that has come from another host, until it is kept: received.c. */

#include "core/migrate/migrate.h"
#include "core/migrate/wire.h"

#define RECEIVED	"received"	/* below STATE_DIR */

struct received {
	int note;			/* STATE_DIR/received/ID, open and locked; -1: nothing has come */
	char id[17];
};

/* Notes what comes now. */
int received_begin(struct received *one, int dir, const struct wire_message *q, struct mrg_error *err);

/* It is this host's: the note goes. */
int received_keep(struct received *one, int dir, struct mrg_error *err);

/* Removes the container @q->name if it is the one that the migration @q->id has made, with its root; after a while of use (@q->finished) the root stays, under
 * another name. 0 also when there is none. Sessions that undo wait for each other: the lock of @dir. */
int received_undo(struct mrg *m, int dir, const struct wire_message *q, struct mrg_error *err);

/* Waits a while for the session that brings the container, which may be undoing it: two at once would stumble over each other. -MRG_E_BUSY: it is still at
 * work, and its note stays with it. */
int received_wait(const struct received *one, int dir, const char *id, struct mrg_error *err);

/* The note of a migration that was undone goes. */
int received_forget(struct received *one, int dir, const char *id);

/* The connection ends: what is not kept is undone. */
void received_end(struct mrg *m, struct received *one, int dir);

/* Undoes what others have left that were killed. */
void received_sweep(struct mrg *m, int dir);

/* What functions of a migration want to know of its target. Borrows. */
struct journal received_journal(const struct wire_message *q);

#endif
