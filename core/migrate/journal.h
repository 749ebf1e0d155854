/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_JOURNAL_H
#define MIGRATE_JOURNAL_H

/*
 * Migrations on disk: one directory each,
 *
 *	STATE_DIR/migrations/ID/	at work, or cut short: locked (flock) by whoever is at work
 *	STATE_DIR/migrated/ID/		done, with what is needed to undo it
 *
 * and in it
 *
 *	journal.json	what is moved to where, and how many steps have begun: written before each
 *	source.json	the spec of the source; target.json: that of the target, as it was made
 *	guest.json	what was changed in the root, and old.N what was there before (guest.h)
 *	source		the record of the source while it is set aside; more by its backend
 *
 * The rename from one to the other is the moment from which on the target is the container. A directory without journal.json is of a migration
 * that has not done anything yet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/context.h"

enum journal_place { JOURNAL_ACTIVE, JOURNAL_KEPT };

/* One of the two containers. */
struct journal_side {
	const char *name, *backend;
	const char *path;		/* where the engine keeps it; NULL: its default */
};

enum journal_phase { JOURNAL_FORWARD, JOURNAL_UNDO };

struct journal {
	struct mrg *m;
	enum journal_place place;
	int dir;			/* open and locked */
	char **texts;			/* owned: journal_set() */
	struct json *json;		/* what was read: texts borrow from it */
	char *text;

	/* On disk. */
	const char *id;			/* 16 hex digits: the name of the directory */
	int phase;			/* enum journal_phase */
	int begun;			/* steps that have begun; while undoing: that are still to be undone */
	int64_t created;		/* ns since the epoch */
	int64_t pid, pid_started;	/* of whoever is at work: a child that it had just made may hold the lock a moment longer */
	struct journal_side source, target;
	const char *source_id;		/* its id: that of the migration which made it, if one did */
	bool adopted;			/* the source was made by its engine's own tools */
	bool ran;			/* the source ran, and runs again when all is undone */
	bool finished;			/* it was done once, and is being taken back: nothing that came since is thrown away */
	bool autostart;			/* the source was started with the host by our own unit */
	const char *root_from, *root_to;
	const char *layers;		/* the source's root is merged of these, "UPPER:LOWER:...", and @root_from is the first; NULL: it is @root_from */
	int method;			/* enum mrg_root_method */
	bool copied;			/* what is at @root_to is a copy, made by us */
	const char *hidden;		/* where the source's own root is while it is set aside; NULL: where it was */
	const char *returned;		/* the migration whose source, made by its engine's tools and kept aside since, the target is; NULL: it is a new one */
	const char *host;		/* the target's, "[USER@]HOST"; NULL: this one */
	const char *ssh_config;		/* configuration of ssh to get there; NULL: its own */
	const char *uids, *gids;	/* re-basing, "FROM:TO:COUNT,..."; NULL: none */
	bool rebased;			/* that of the root itself, in place, is done */
};

/* One in memory alone, with an id; NULL when memory runs out, or there are no random numbers. */
struct journal *journal_new(struct mrg *m);

/* Makes its directory: at work, locked, nothing written. */
int journal_begin(struct journal *j, struct mrg_error *err);

/* Opens and locks one. -MRG_E_BUSY: somebody is at work; -MRG_E_NOT_FOUND; -EBADMSG: damaged, or nothing was written (then *ret_empty). */
int journal_open(struct mrg *m, enum journal_place place, const char *id, struct journal **ret, bool *ret_empty, struct mrg_error *err);
struct journal *journal_free(struct journal *j);

/* Copies @text into the journal's memory and lets *member point to it. */
int journal_set(struct journal *j, const char **member, const char *text, struct mrg_error *err);

/* Writes journal.json, whole and durable. */
int journal_write(struct journal *j, struct mrg_error *err);

/* Moves it to the other place: one rename. */
int journal_move(struct journal *j, enum journal_place place, struct mrg_error *err);

/* Removes it with all that it keeps. */
int journal_remove(struct journal *j, struct mrg_error *err);

/* Calls @found with the id of each, oldest first; a non-zero return ends the walk. 0 when there is none, which costs one system call. */
int journal_walk(struct mrg *m, enum journal_place place, int (*found)(const char *id, void *data), void *data, struct mrg_error *err);

/* The newest that is kept whose target has this name (and is of @backend when not NULL), opened: 1, or 0. */
int journal_find(struct mrg *m, const char *name, const char *backend, struct journal **ret, struct mrg_error *err);

static inline void journal_freep(struct journal **j)
{
	journal_free(*j);
}
#define _cleanup_journal_ _cleanup_(journal_freep)

#endif
