/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIVE_WATCH_H
#define LIVE_WATCH_H

/*
 * Watching containers: two sources, one account.
 *
 * The log (event_log.h) tells what moorage does, exactly; looks tell what others do. Both tell of the same container, so each entry says what has been told of
 * it, and which of that came from a look: the line of the log that tells the same again, if there is one, is then passed over.
 *
 * A look is older than the lines that are written while it is taken, so a container that those tell of is compared by the next one.
 */

#include <moorage/moorage.h>
#include <moorage/events.h>

#include "core/live/event_log.h"

/* What a look saw. */
struct sight {
	unsigned int round;		/* of which look */
	bool known;			/* false: it is there, no more is known just now */
	bool adopted;
	bool oom_known;
	uint64_t oom_kills;
	struct mrg_status status;
};

struct entry {
	char *backend, *name;
	char id[17];			/* "": made by others */
	/* told so far */
	bool present, running, paused, oom_told;
	pid_t pid;
	int64_t started;		/* of the life that was told, as looks see it; 0: not seen yet */
	uint64_t oom_kills;
	unsigned int looked;		/* bits of enum mrg_change_type: told by a look, and by no line yet */
	int64_t gone;			/* CLOCK_MONOTONIC in ms: it was removed then; 0: it was not */
	int pidfd;			/* of the first process, for its end; -1: none */
	unsigned int told;		/* the round in which the log told of it */
	unsigned int patience;		/* rounds waited for who knows more */
	struct sight sight;
};

struct mrg_watch {
	struct mrg *m;
	char *backend;
	int64_t since, began;		/* ns since the epoch */
	int epoll, timer, log_changes, cgroup_changes;
	struct event_reader log;
	struct entry *entries;		/* in order of backend and name */
	size_t n, size;
	unsigned int round;
	int64_t looked;			/* CLOCK_MONOTONIC in ms */
	bool impatient;			/* somebody is waited for: look again soon */
	uint64_t host_kills;		/* for want of memory, on the whole host */
	unsigned int kills_unasked;	/* looks that have still to ask containers for theirs */
	bool ask_kills;			/* this one does */
	int (*found)(const struct mrg_change *change, void *data);	/* NULL: nobody is told */
	void *data;
};

/* ---- watch_entry.c ---- */

/* The entry of a container, or NULL. Moves when others are added. */
struct entry *watch_find(const struct mrg_watch *watch, const char *backend, const char *name);

/* The same, made if there is none; NULL: no memory. */
struct entry *watch_add(struct mrg_watch *watch, const char *backend, const char *name);

/* Forgets the entry number @i. */
void watch_drop(struct mrg_watch *watch, size_t i);

/* Holds the first process of @e, so that its end wakes us. Best effort. */
void watch_hold(struct mrg_watch *watch, struct entry *e, pid_t pid);

/* Tells @change of @e and notes it there. With @by_look the line that says the same is still to come. */
int watch_tell(struct mrg_watch *watch, struct entry *e, struct mrg_change change, bool by_look);

/* ---- watch_log.c ---- */

/* Tells what the log has. */
int watch_read_log(struct mrg_watch *watch);

/* ---- watch_look.c ---- */

/* The first look: what is there is noted, and not told. */
int watch_begin_look(struct mrg_watch *watch, struct mrg_error *err);

/* Looks at all containers, and tells how they differ from what was told. */
int watch_look(struct mrg_watch *watch, struct mrg_error *err);

#endif
