/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the log says has happened. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/live/watch.h"

/* What was before we began is told to whoever asked for it, and changes nothing. */
static int tell_past(struct mrg_watch *watch, const struct mrg_change *change)
{
	return watch->since && change->time >= watch->since ? watch->found(change, watch->data) : 0;
}

static void forget_old_name(struct mrg_watch *watch, const struct mrg_change *change)
{
	struct entry *old = watch_find(watch, change->backend, change->old_name);

	if (old)
		watch_drop(watch, (size_t)(old - watch->entries));
}

static int take_line(const struct mrg_change *change, void *data)
{
	struct mrg_watch *watch = data;
	struct entry *e;
	int r = 0;

	if (change->type == MRG_CHANGE_LOST)
		return watch->found(change, watch->data);
	if (watch->backend && strcmp(watch->backend, change->backend) != 0)
		return 0;
	if (change->time < watch->began)
		return tell_past(watch, change);
	if (change->type == MRG_CHANGE_RENAME)
		forget_old_name(watch, change);
	e = watch_add(watch, change->backend, change->name);
	if (!e)
		return -ENOMEM;
	if (change->id)
		snprintf(e->id, sizeof(e->id), "%s", change->id);
	e->told = watch->round;
	if (e->looked >> change->type & 1) {
		e->looked &= ~(1U << change->type);
		return 0;
	}
	if (change->type == MRG_CHANGE_START)
		watch_hold(watch, e, change->pid);
	if (change->type == MRG_CHANGE_DIE && change->oom_killed && !e->oom_told)
		r = watch_tell(watch, e, (struct mrg_change){ .type = MRG_CHANGE_OOM, .time = change->time }, false);
	return r == 0 ? watch_tell(watch, e, *change, false) : r;
}

int watch_read_log(struct mrg_watch *watch)
{
	return event_reader_next(&watch->log, take_line, watch);
}
