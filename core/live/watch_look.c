/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has happened without a line in the log, found by looking. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/container/internal.h"
#include "core/live/watch.h"
#include "core/util/cleanup.h"

#define PATIENCE	20		/* looks until we tell what we know without who knows more */
#define LAST_PATIENCE	200		/* the same where somebody is at it who is known to live, or nothing is known at all */
#define FORGET_MS	10000		/* until the line about a removal would have come */
#define TREMBLE_NS	5000000

/* ---- looking -------------------------------------------------------------------------------- */

/* Whether containers may have lost processes for want of memory since the last look: asking each for its figures costs more than all else of a look, and the kernel has
 * one number for all. It counts there first, so what it has counted is asked for once more by the next look. */
static bool memory_has_run_out(struct mrg_watch *watch)
{
	uint64_t kills;

	if (cgroup_read_number(AT_FDCWD, "/proc/vmstat", "oom_kill", &kills) < 0)
		return true;
	if (kills != watch->host_kills)
		watch->kills_unasked = 2;
	watch->host_kills = kills;
	if (watch->kills_unasked == 0)
		return false;
	watch->kills_unasked--;
	return true;
}

static int see(struct mrg_container *c, void *data)
{
	struct mrg_watch *watch = data;
	struct entry *e = watch_add(watch, mrg_container_backend(c), mrg_container_name(c));
	struct mrg_stats stats = { 0 };

	if (!e)
		return -ENOMEM;
	e->sight = (struct sight){ .round = watch->round, .adopted = mrg_container_adopted(c) };
	e->sight.known = mrg_container_status(c, &e->sight.status, NULL) == 0;
	if (!e->sight.adopted)
		snprintf(e->id, sizeof(e->id), "%s", mrg_container_id(c));
	if (watch->ask_kills && e->sight.known && state_is_alive(e->sight.status.state) && mrg_stats(c, &stats, NULL) == 0) {
		e->sight.oom_known = stats.valid >> MRG_STAT_OOM_KILLS & 1;
		e->sight.oom_kills = stats.oom_kills;
	}
	return 0;
}

/* A record that is damaged, an engine that fails: what they have is there, and as it was. */
static void excuse(const char *name, _unused_ const struct mrg_error *why, void *data)
{
	struct mrg_watch *watch = data;

	for (size_t i = 0; i < watch->n; i++) {
		struct entry *e = &watch->entries[i];

		if (e->sight.round != watch->round && (strcmp(e->backend, name) == 0 || strcmp(e->name, name) == 0))
			e->sight = (struct sight){ .round = watch->round };
	}
}

int watch_begin_look(struct mrg_watch *watch, struct mrg_error *err)
{
	int r;

	watch->round++;
	(void)memory_has_run_out(watch);
	watch->ask_kills = true;
	r = mrg_list(watch->m, watch->backend, see, excuse, watch, err);
	for (size_t i = 0; r == 0 && i < watch->n; i++) {
		struct entry *e = &watch->entries[i];

		e->present = true;
		e->running = e->sight.known && state_is_alive(e->sight.status.state);
		e->paused = e->running && e->sight.status.state == MRG_STATE_PAUSED;
		e->oom_kills = e->sight.oom_kills;
		e->started = e->sight.status.started;
		if (e->running)
			watch_hold(watch, e, e->sight.status.pid);
	}
	watch->looked = time_monotonic_ms();
	return r < 0 ? r : 0;
}

/* ---- comparing ------------------------------------------------------------------------------ */

/* Whether to wait for somebody who will tell more: the command or the monitor that is at it. */
static bool wait_for_more(struct mrg_watch *watch, struct entry *e, unsigned int patience)
{
	if (e->patience >= patience)
		return false;
	e->patience++;
	watch->impatient = true;
	return true;
}

static int tell(struct mrg_watch *watch, struct entry *e, int type)
{
	return watch_tell(watch, e, (struct mrg_change){ .type = type, .pid = e->pid }, true);
}

/* How it ended by the kernel's word. False: that is not known yet. */
static bool ask_kernel(const struct entry *e, struct mrg_change *ret)
{
	int r = proc_exit_status(e->pidfd, &ret->exit_status);

	ret->has_exit = r == 0;
	return r != -EAGAIN;
}

/* The same by its monitor's word, else by the kernel's. */
static bool find_exit(const struct entry *e, const struct mrg_status *status, struct mrg_change *ret)
{
	*ret = (struct mrg_change){ .type = MRG_CHANGE_DIE, .oom_killed = status && status->oom_killed };
	if (status && status->has_exit) {
		ret->has_exit = 1;
		ret->exit_status = status->exit_status;
	} else if (status && status->started && !status->monitor_lost) {
		return false;
	}
	return ret->has_exit || e->pidfd < 0 || ask_kernel(e, ret);
}

static int tell_end(struct mrg_watch *watch, struct entry *e, const struct mrg_status *status)
{
	struct mrg_change change;
	int r = 0;

	if (!find_exit(e, status, &change)) {
		/* Its monitor, which alone knows what it died of, may wait for an engine that does not answer. */
		if (wait_for_more(watch, e, LAST_PATIENCE))
			return 0;
		(void)ask_kernel(e, &change);
	}
	if (change.oom_killed && !e->oom_told)
		r = tell(watch, e, MRG_CHANGE_OOM);
	if (r == 0)
		r = watch_tell(watch, e, change, true);
	watch_hold(watch, e, 0);
	return r;
}

static bool is_over(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&p, 1, 0) != 0;
}

/* The process that we know has ended, and what runs was not started when that was. Start times that are worked out from those of processes tremble. */
static bool is_other_life(const struct entry *e, const struct mrg_status *status)
{
	int64_t apart = status->started - e->started;

	return e->pid && status->pid && e->pid != status->pid && is_over(e->pidfd) && e->started && (apart > TREMBLE_NS || apart < -TREMBLE_NS);
}

static int compare_alive(struct mrg_watch *watch, struct entry *e)
{
	const struct mrg_status *status = &e->sight.status;
	bool paused = status->state == MRG_STATE_PAUSED;
	int r = 0;

	/* Started a moment ago: the process is about to be noted, or to be made. */
	if (!e->running && status->pid == 0 && wait_for_more(watch, e, PATIENCE))
		return 0;
	if (e->running && is_other_life(e, status)) {
		r = tell_end(watch, e, NULL);
		if (r != 0 || e->running)
			return r;
	}
	if (e->running && e->pid != status->pid && status->pid)
		watch_hold(watch, e, status->pid);
	e->started = status->started;
	if (!e->running) {
		watch_hold(watch, e, status->pid);
		r = tell(watch, e, MRG_CHANGE_START);
	}
	if (r == 0 && paused != e->paused)
		r = tell(watch, e, paused ? MRG_CHANGE_PAUSE : MRG_CHANGE_UNPAUSE);
	if (r == 0 && e->sight.oom_known && e->sight.oom_kills > e->oom_kills) {
		e->oom_kills = e->sight.oom_kills;
		r = tell(watch, e, MRG_CHANGE_OOM);
	}
	return r;
}

/* Whether the same container was known by another name: the line that tells of the renaming is about to come. */
static bool had_other_name(const struct mrg_watch *watch, const struct entry *e)
{
	for (size_t i = 0; e->id[0] && i < watch->n; i++)
		if (&watch->entries[i] != e && watch->entries[i].present && strcmp(watch->entries[i].id, e->id) == 0)
			return true;
	return false;
}

/* Somebody is at work at this one of ours, or it has just gone from its name. */
static bool is_worked_at(const struct mrg_watch *watch, const struct entry *e)
{
	struct record *record = NULL;
	int r = store_open_brief(watch->m, e->name, &record, NULL);

	if (r == 0)
		r = store_lock(watch->m, record, 0, NULL);
	if (r == 0)
		store_unlock(record);
	store_free(record);
	return r < 0;
}

/* The engine is told of a renaming first: what only the engine knows may be one of ours that is being renamed. */
static bool may_be_renamed(const struct mrg_watch *watch, const struct entry *e)
{
	for (size_t i = 0; e->sight.adopted && i < watch->n; i++) {
		const struct entry *other = &watch->entries[i];

		if (other->present && other->id[0] && strcmp(other->backend, e->backend) == 0 && is_worked_at(watch, other))
			return true;
	}
	return had_other_name(watch, e);
}

static int compare_seen(struct mrg_watch *watch, struct entry *e)
{
	int r = 0;

	if (!e->present) {
		if (may_be_renamed(watch, e) && wait_for_more(watch, e, LAST_PATIENCE))
			return 0;
		r = tell(watch, e, MRG_CHANGE_CREATE);
	}
	if (r != 0)
		return r;
	if (state_is_alive(e->sight.status.state))
		return compare_alive(watch, e);
	return e->running ? tell_end(watch, e, &e->sight.status) : 0;
}

static int compare_missing(struct mrg_watch *watch, struct entry *e)
{
	int r = 0;

	if (!container_is_gone(watch->m, e->backend, e->name) || wait_for_more(watch, e, PATIENCE))
		return 0;
	if (e->running)
		r = tell_end(watch, e, NULL);
	return r == 0 && !e->running ? tell(watch, e, MRG_CHANGE_REMOVE) : r;
}

static int compare(struct mrg_watch *watch, struct entry *e)
{
	if (e->told == watch->round)
		return 0;
	if (e->sight.round != watch->round)
		return e->present ? compare_missing(watch, e) : 0;
	return e->sight.known ? compare_seen(watch, e) : 0;
}

/* What was removed is kept for a while, for the line that says so. */
static void forget(struct mrg_watch *watch)
{
	int64_t now = time_monotonic_ms();

	for (size_t i = watch->n; i-- > 0;)
		if (!watch->entries[i].present && watch->entries[i].gone + FORGET_MS < now)
			watch_drop(watch, i);
}

int watch_look(struct mrg_watch *watch, struct mrg_error *err)
{
	int r;

	watch->round++;
	watch->impatient = false;
	watch->ask_kills = memory_has_run_out(watch);
	r = mrg_list(watch->m, watch->backend, see, excuse, watch, err);
	watch->looked = time_monotonic_ms();
	/* An engine that was named and is not there, say: then all is as it was. */
	if (r == -ENOMEM)
		return r;
	r = r < 0 ? 0 : watch_read_log(watch);
	for (size_t i = 0; r == 0 && i < watch->n; i++)
		r = compare(watch, &watch->entries[i]);
	forget(watch);
	return r;
}
