/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIVE_EVENT_LOG_H
#define LIVE_EVENT_LOG_H

/*
 * RUN_DIR/events: one line of JSON a change, each appended by one write(2) of whoever made the change. Beyond EVENT_LOG_MAX bytes it becomes events.1,
 * in the place of the one before. It goes with the boot.
 */

#include <stdbool.h>

#include <moorage/events.h>

#include "core/util/str.h"

struct mrg;
struct record;

#define EVENT_LOG_NAME	"events"
#define EVENT_LOG_OLD	"events.1"
#define EVENT_LOG_MAX	(1 << 20)

/* Notes that @change has just happened to @record, whose names and the time are filled in. Best effort: what was done is done. */
void event_log_add(struct mrg *m, const struct record *record, struct mrg_change change);

/* One file that grows, and what of its last line has been read. */
struct event_file {
	int fd;
	struct buffer rest;
};

/* A place in the log. A writer may still have the file open that was renamed: it is read on for as long as it is the newest of the old. */
struct event_reader {
	char *current, *old;		/* paths */
	struct event_file file[2];	/* the old one, the current one */
};

/* Begins at the end of the log, or with @all at its beginning. */
int event_reader_open(struct event_reader *ret, struct mrg *m, bool all, struct mrg_error *err);
void event_reader_close(struct event_reader *reader);

/* Calls @found with each change that was added since. Returns 0, or what @found returned when that is not 0: then the rest of the line comes no more. */
int event_reader_next(struct event_reader *reader, int (*found)(const struct mrg_change *change, void *data), void *data);

#endif
