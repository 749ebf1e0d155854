/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_EVENTS_H
#define MOORAGE_EVENTS_H

/*
 * What happens to containers, while it happens: ours and those that engines' own tools make and start.
 *
 * What moorage does is written down by whoever does it, in RUN_DIR/events, so nothing of it is missed however short it was. What others do is noticed by
 * looking: at once when a first process ends or a cgroup comes or goes, else once a second. So a container of others that lives for less than
 * some 50 ms may not be noticed.
 */

#include <stdint.h>
#include <sys/types.h>
#include <moorage/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mrg;
struct mrg_watch;

enum mrg_change_type {
	MRG_CHANGE_CREATE, MRG_CHANGE_START, MRG_CHANGE_DIE, MRG_CHANGE_OOM, MRG_CHANGE_PAUSE, MRG_CHANGE_UNPAUSE, MRG_CHANGE_RENAME,
	MRG_CHANGE_REMOVE,
	MRG_CHANGE_LOST,		/* not of a container: the reader was so slow that some are missing here */
	MRG_CHANGE_MAX
};

/* "create", "start", ... A constant string. */
const char *mrg_change_name(int type);

/* One change. Frozen; strings are valid during the call that tells it. */
struct mrg_change {
	int type;			/* enum mrg_change_type */
	int64_t time;			/* ns since the epoch: when it was done, or noticed */
	const char *backend, *name;	/* "" with LOST */
	const char *id;			/* NULL: made by others */
	const char *old_name;		/* with RENAME; else NULL */
	pid_t pid;			/* with START: first process, host pid; 0: not known */
	int has_exit;			/* with DIE: @exit_status is known. Of what others started the kernel tells it, from Linux 6.15 on */
	int exit_status;		/* wait(2) status word */
	int oom_killed;			/* with DIE: the memory limit killed something inside */
};

/* Begins to watch, containers of @backend alone when that is not NULL. What is there is noted and not told. With @since (ns since the epoch; 0: from
 * now on) what was written down from then on is told first. */
int mrg_watch_new(struct mrg *m, const char *backend, int64_t since, struct mrg_watch **ret, struct mrg_error *err);

/* The descriptor to poll(2): readable when there may be something to tell. */
int mrg_watch_fd(const struct mrg_watch *watch);

/* Calls @found with each change since the last call, without waiting. Returns 0, or what @found returned when that is not 0. An engine that fails or goes away
 * ends nothing: its containers are as they were until it is back. */
int mrg_watch_read(struct mrg_watch *watch, int (*found)(const struct mrg_change *change, void *data), void *data, struct mrg_error *err);

/* Ends it. Returns NULL. */
struct mrg_watch *mrg_watch_free(struct mrg_watch *watch);

/* @change as one line of compact JSON without a line break, which the caller frees. Bytes of names that are not UTF-8 are spelled \xNN. */
int mrg_change_emit(const struct mrg_change *change, char **ret, struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
