/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container is doing, and waiting until it has ended. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

/* Between looks at a container without a known process, and at a monitor that has nearly done. */
#define POLL_MS		50
#define POLL_END_MS	2

/* A run whose record is still to be written has no monitor either: only when nobody holds the lock is it lost. */
static bool monitor_is_lost(struct mrg_container *c)
{
	struct run run;
	bool lost;

	if (c->record->locked)
		return false;
	if (store_lock(c->m, c->record, 0, NULL) < 0)
		return false;
	lost = store_read_run(c->record, &run, NULL) < 0 || run.monitor == 0;
	if (lost)
		run.process.pidfd = -1;
	else
		store_run_deinit(&run);
	store_unlock(c->record);
	return lost;
}

static int status_of(struct mrg_container *c, const struct view *view, struct mrg_status *ret, struct mrg_error *err)
{
	struct exit_record end;
	/* What was never started has never ended. */
	int r = view->state == MRG_STATE_CREATED ? 0 : store_read_exit(c->record, &end, err);

	if (r < 0)
		return r;
	*ret = (struct mrg_status){ .state = view->state, .started = view->run.started };
	if (state_is_alive(view->state)) {
		ret->pid = view->run.process.pid;
		if (view->by_others)
			ret->started = proc_started_ns(view->run.process.start_time);
		ret->monitor_lost = !view->by_others && view->run.started && view->run.monitor == 0 && monitor_is_lost(c);
		return 0;
	}
	if (r == 1 && end.finished >= view->run.started) {
		ret->finished = end.finished;
		ret->oom_killed = end.oom_killed;
		ret->has_exit = end.known;
		ret->exit_status = end.known ? end.status : 0;
		ret->monitor_lost = !end.known;
	} else if (view->run.started) {
		/* Not yet written by a living monitor, or never to be written. */
		ret->monitor_lost = view->run.monitor == 0;
	}
	return 0;
}

int mrg_container_status(struct mrg_container *c, struct mrg_status *ret, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_glance(c, &view, err);

	return r < 0 ? r : status_of(c, &view, ret, err);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int remaining(int64_t deadline)
{
	int64_t left = deadline - time_monotonic_ms();

	if (deadline < 0)
		return -1;
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static int poll_fd(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r = poll(&p, 1, timeout_ms);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r;
}

/* Watches a session until its last event: 1 ended with *ret_status, 0 ended without, -MRG_E_TIMEOUT. */
static int watch(struct mrg_session *session, int64_t deadline, int *ret_status, struct mrg_error *err)
{
	for (;;) {
		struct mrg_event event = { 0 };
		int r = mrg_session_read(session, &event, err);

		if (r < 0)
			return r;
		if (event.type == MRG_EVENT_EXIT)
			*ret_status = event.status;
		if (event.type == MRG_EVENT_EXIT || event.type == MRG_EVENT_LOST)
			return event.type == MRG_EVENT_EXIT;
		if (event.type != MRG_EVENT_NONE)
			continue;
		if (remaining(deadline) == 0)
			return -MRG_E_TIMEOUT;
		r = poll_fd(mrg_session_fd(session), remaining(deadline));
		if (r < 0)
			return r;
	}
}

/* The monitor's word on the end. 1: given; 0: nobody to ask. */
static int ask_monitor(struct mrg_container *c, int64_t deadline, struct mrg_status *ret, struct mrg_error *err)
{
	struct mrg_session *session = NULL;
	struct mrg_error ignored;
	struct mrg_status recorded;
	int status = 0, r;

	if (launch_attach(c->record->dir, 1, &session, &ignored) < 0)
		return 0;
	r = watch(session, deadline, &status, err);
	mrg_session_free(session);
	if (r <= 0)
		return r;
	*ret = (struct mrg_status){ .state = MRG_STATE_STOPPED, .has_exit = 1, .exit_status = status };
	/* The record knows more, unless it was a transient one and is gone. */
	if (mrg_container_status(c, &recorded, NULL) == 0 && recorded.has_exit)
		*ret = recorded;
	return 1;
}

static int timed_out(struct mrg_container *c, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_TIMEOUT, "container '%s' did not end in time", c->record->name);
}

/* One step of waiting: 1 it has ended, 0 look again. */
static int wait_step(struct mrg_container *c, int64_t deadline, struct mrg_status *ret, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int left = remaining(deadline), step, r = container_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state) && view.run.monitor == 0) {
		r = status_of(c, &view, ret, err);
		return r < 0 ? r : 1;
	}
	if (view.run.monitor) {
		r = ask_monitor(c, deadline, ret, err);
		if (r != 0)
			return r;
	}
	if (left == 0)
		return -MRG_E_TIMEOUT;
	/* Without a process to watch, or with others that outlive it, looking again and again is all there is. */
	step = state_is_alive(view.state) ? POLL_MS : POLL_END_MS;
	r = view.run.process.pidfd >= 0 ? poll_fd(view.run.process.pidfd, left) : 1;
	if (r > 0)
		r = poll_fd(-1, left < 0 || left > step ? step : left);
	return r < 0 ? r : 0;
}

int container_wait_end(struct mrg_container *c, int timeout_ms, struct mrg_status *ret, struct mrg_error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : time_monotonic_ms() + timeout_ms;
	int r;

	do
		r = wait_step(c, deadline, ret, err);
	while (r == 0);
	if (r == -MRG_E_TIMEOUT)
		return timed_out(c, err);
	return r < 0 ? r : 0;
}

int mrg_wait(struct mrg_container *c, int timeout_ms, struct mrg_status *ret, struct mrg_error *err)
{
	struct mrg_status status;
	int r = container_wait_end(c, timeout_ms, &status, err);

	if (r == 0)
		*ret = status;
	return r;
}

int container_tidy(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	struct exit_record end = { .known = false, .finished = time_now_ns() }, known;
	struct mrg_exit how = { 0 };
	int r;

	r = dispatch_cleanup(c->plugin, &view->unit, &how, err);
	if (r < 0 || !view->run.started)
		return r;
	r = store_read_exit(c->record, &known, NULL);
	if (r == 1 && known.finished >= view->run.started)
		return 0;
	end.oom_killed = how.oom_killed;
	end.known = how.status_known;
	end.status = how.status_known ? how.status : 0;
	return store_write_exit(c->record, &end, err);
}
