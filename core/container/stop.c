/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals, freezing, and the orderly end. */

#include "config.h"

#include <signal.h>

#include "core/container/internal.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define STOP_TIMEOUT_MS	10000

static int not_running(struct mrg_container *c, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run", c->record->name);
}

int mrg_kill(struct mrg_container *c, int signo, int all, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_look(c, &view, err);

	if (r < 0)
		return r;
	if (signo < 1 || signo > SIGRTMAX)
		return mrg_error_set(err, -MRG_E_INVALID, "%d is no signal", signo);
	if (!state_is_alive(view.state))
		return not_running(c, err);
	return dispatch_kill(c->plugin, &view.unit, signo, all, err);
}

typedef int (*freeze_fn)(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);

/* Pause and unpause: @already is the state that needs no work. */
static int change_freeze(struct mrg_container *c, freeze_fn verb, int already, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_lock_and_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state))
		r = not_running(c, err);
	else
		r = view.state == already ? 1 : verb(c->plugin, &view.unit, err);
	if (r == 0)
		event_log_add(c->m, c->record, (struct mrg_change){
			.type = already == MRG_STATE_PAUSED ? MRG_CHANGE_PAUSE : MRG_CHANGE_UNPAUSE });
	store_unlock(c->record);
	return r;
}

int mrg_pause(struct mrg_container *c, struct mrg_error *err)
{
	return change_freeze(c, dispatch_pause, MRG_STATE_PAUSED, err);
}

int mrg_unpause(struct mrg_container *c, struct mrg_error *err)
{
	return change_freeze(c, dispatch_resume, MRG_STATE_RUNNING, err);
}

/* ---- stop ----------------------------------------------------------------------------------- */

static int stop_signal(const struct mrg_spec *spec)
{
	int signo = spec->stop_signal ? parse_signal(spec->stop_signal) : SIGTERM;

	return signo > 0 ? signo : SIGTERM;
}

static int stop_timeout(const struct mrg_spec *spec)
{
	if (!mrg_fields_has(&spec->set, MRG_FIELD_STOP_TIMEOUT))
		return STOP_TIMEOUT_MS;
	return spec->stop_timeout > 1000000 ? 1000000000 : (int)spec->stop_timeout * 1000;
}

/* Asks for the end, under the lock. 1: it did not run. */
static int ask(struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r;

	/* The signal and the time are the configuration's, also of what others made. */
	(void)mrg_container_load(c, NULL);
	r = container_lock_and_look(c, &view, err);
	if (r < 0)
		return r;
	if (!state_is_alive(view.state)) {
		store_unlock(c->record);
		return 1;
	}
	r = c->plugin->table.stop ? dispatch_stop(c->plugin, &view.unit, err) :
	    dispatch_kill(c->plugin, &view.unit, stop_signal(c->record->spec), 0, err);
	/* Thawed after the signal, so that nothing but the signal is seen to happen. */
	if (r == 0 && view.state == MRG_STATE_PAUSED)
		r = dispatch_resume(c->plugin, &view.unit, err);
	store_unlock(c->record);
	/* It may have ended by itself meanwhile. */
	return r == -MRG_E_NOT_RUNNING || r > 0 ? 0 : r;
}

int container_kill_all(struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	struct mrg_status status;
	int r = container_lock_and_look(c, &view, err);

	if (r < 0)
		return r;
	if (state_is_alive(view.state))
		r = dispatch_kill(c->plugin, &view.unit, SIGKILL, 1, err);
	store_unlock(c->record);
	if (r < 0 && r != -MRG_E_NOT_RUNNING)
		return r;
	return container_wait_end(c, CONTAINER_END_MS, &status, err);
}

/* After the end: does what a dead monitor has left undone. */
static int finish(struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_lock_and_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state) && view.run.monitor == 0) {
		r = container_tidy(c, &view, err);
		if (r == 0 && c->record->transient && view.run.started)
			r = dispatch_destroy(c->plugin, &view.unit, err);
		if (r == 0 && c->record->transient && view.run.started)
			r = store_remove(c->m, c->record, err);
	}
	store_unlock(c->record);
	return r;
}

int mrg_stop(struct mrg_container *c, int timeout_ms, int no_kill, struct mrg_error *err)
{
	struct mrg_status status;
	int r = ask(c, err), already = r;

	if (r < 0)
		return r;
	if (timeout_ms < 0)
		timeout_ms = stop_timeout(c->record->spec);
	/* A monitor that still tidies up after an end is waited for as well. */
	r = container_wait_end(c, timeout_ms, &status, err);
	if (r == -MRG_E_TIMEOUT && no_kill) {
		mrg_error_hint(err, "kill it with: moorage kill -s KILL %s", c->record->name);
		return r;
	}
	if (r == -MRG_E_TIMEOUT)
		r = container_kill_all(c, err);
	if (r == 0)
		r = finish(c, err);
	/* A transient container is gone once it has ended. */
	if (r == -MRG_E_NOT_FOUND)
		r = 0;
	return r < 0 ? r : already;
}
