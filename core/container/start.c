/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting, and connecting to what was started. */

#include "config.h"

#include "core/container/internal.h"
#include "core/util/cleanup.h"

int mrg_start(struct mrg_container *c, struct mrg_session **ret_session, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_lock_at_rest(c, &view, err);

	if (r < 0)
		return r;
	/* Held until the verdict: whoever comes second finds it running. */
	r = state_is_alive(view.state) ? 1 : container_refresh(c, err);
	if (r == 0)
		r = launch_start(c->m, c->record->dir, ret_session, err);
	store_unlock(c->record);
	return r;
}

static int not_running(struct mrg_container *c, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run", c->record->name);
	mrg_error_hint(err, "moorage start %s", c->record->name);
	return -MRG_E_NOT_RUNNING;
}

/* What others started has no monitor of ours: one is made for as long as somebody looks at the console. */
static int attach_console(struct mrg_container *c, struct mrg_session **ret_session, struct mrg_error *err)
{
	int r = container_refresh(c, err);

	return r < 0 ? r : launch_console(c->m, c->record->dir, ret_session, err);
}

int mrg_attach(struct mrg_container *c, struct mrg_session **ret_session, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state))
		return not_running(c, err);
	r = launch_attach(c->record->dir, 0, ret_session, err);
	if (r == -MRG_E_NOT_RUNNING && view.by_others && c->plugin->table.console)
		return attach_console(c, ret_session, err);
	if (r == -MRG_E_NOT_RUNNING && view.by_others) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "container '%s' was started by others, who hold its streams", c->record->name);
		return mrg_error_hint(err, "moorage shell %s", c->record->name), -MRG_E_UNSUPPORTED;
	}
	if (r == -MRG_E_NOT_RUNNING)
		return mrg_error_set(err, -MRG_E_STATE, "the monitor of container '%s' is gone, and with it its streams",
				     c->record->name);
	return r;
}

int mrg_exec(struct mrg_container *c, const struct mrg_exec *exec, struct mrg_session **ret_session,
	     struct mrg_error *err)
{
	int state, r;

	if (!exec->args || !exec->args[0])
		return mrg_error_set(err, -MRG_E_INVALID, "no command to execute");
	/* Ours is read by the monitor while we look at it; what others made gets a record only when it runs. */
	if (!c->record->adopted) {
		r = container_refresh(c, err);
		if (r < 0)
			return r;
		launch_open(c->m, c->record->dir);
	}
	state = container_state(c, err);
	if (state < 0)
		return state;
	if (state == MRG_STATE_PAUSED) {
		mrg_error_set(err, -MRG_E_STATE, "container '%s' is paused", c->record->name);
		mrg_error_hint(err, "moorage unpause %s", c->record->name);
		return -MRG_E_STATE;
	}
	if (state != MRG_STATE_RUNNING)
		return not_running(c, err);
	r = container_refresh(c, err);
	return r < 0 ? r : launch_exec(c->m, c->record->dir, exec, ret_session, err);
}
