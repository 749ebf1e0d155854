/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/own_root.h"
#include "core/container/internal.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* A start that was killed half way may, with an engine that is slow to die, come to life after the first look. */
#define LIVES	5

int container_still_runs(const struct mrg_container *c, int state, const char *what, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_STATE, "container '%s' is %s", c->record->name,
		      state == MRG_STATE_PAUSED ? "paused" : "running");
	mrg_error_hint(err, "%s", what);
	return -MRG_E_STATE;
}

/* From here on it is half made: if we are killed before the record goes as well, the next command goes on. A full disk hinders no removal. */
static int destroy(struct mrg_container *c, const struct mrg_unit *unit, struct mrg_error *err)
{
	bool marks = !c->record->adopted && c->plugin->table.create;
	int r;

	if (marks) {
		c->record->creating = true;
		store_write_record(c->record, NULL);
	}
	r = dispatch_destroy(c->plugin, unit, err);
	if (r < 0 && marks) {
		c->record->creating = false;
		store_write_record(c->record, NULL);
	}
	return r;
}

/* What an engine's own tools made, root and all, the engine removes as a whole. */
static int check_kept(const struct mrg_container *c, unsigned int flags, struct mrg_error *err)
{
	if (!(flags & MRG_REMOVE_KEEP_ROOT) || !c->record->adopted || !c->plugin->table.home)
		return 0;
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "the tools of %s made '%s': its root is removed with it", c->record->backend, c->record->name);
	return mrg_error_hint(err, "copy the root first, or keep all of it with 'moorage export'"), -MRG_E_UNSUPPORTED;
}

/* Releases everything the engine has of it, then what its migration has kept, the record, its own root. Locked, at rest. */
static int remove_at_rest(struct mrg_container *c, struct view *view, unsigned int flags, struct mrg_error *err)
{
	_cleanup_(own_root_end) struct own_root_removal root = OWN_ROOT_REMOVAL;
	struct mrg_exit ignored;
	struct mrg_error why = { 0 };
	int r = check_kept(c, flags, err), forgotten = 0;

	if (r == 0 && !(flags & MRG_REMOVE_KEEP_ROOT))
		r = own_root_begin(&root, c->m, c->record, err);
	if (r == 0)
		r = dispatch_cleanup(c->plugin, &view->unit, &ignored, err);
	if (r == 0)
		r = container_forget_autostart(c, err);
	if (r == 0)
		r = destroy(c, &view->unit, err);
	/* With it goes what was kept of the one it came from. What cannot be removed, as its engine is not there any more, is no reason to stay. */
	if (r == 0)
		forgotten = migration_forget_container(c, &why);
	if (r == 0)
		r = store_remove(c->m, c->record, err);
	if (r == 0)
		event_log_add(c->m, c->record, (struct mrg_change){ .type = MRG_CHANGE_REMOVE });
	if (r == 0)
		r = own_root_remove(&root, err);
	if (r < 0 || forgotten == 0)
		return r;
	mrg_error_prefix(&why, "'%s' is removed, but not what was kept of where it came from", c->record->name);
	if (err)
		*err = why;
	return forgotten;
}

static int remove_whole(struct mrg_container *c, unsigned int flags, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = flags & MRG_REMOVE_FORCE ? container_kill_all(c, err) : 0;

	view.run.process.pidfd = -1;
	if (r == 0)
		r = container_lock_at_rest(c, &view, err);
	if (r < 0)
		return r;
	if (state_is_alive(view.state))
		r = container_still_runs(c, view.state, "stop it first, or use rm -f", err);
	else
		r = remove_at_rest(c, &view, flags, err);
	store_unlock(c->record);
	return r;
}

int mrg_remove(struct mrg_container *c, unsigned int flags, struct mrg_error *err)
{
	bool force = flags & MRG_REMOVE_FORCE;
	struct mrg_error why = { 0 };
	int r = container_plugin(c, &why), lives = force ? LIVES : 1;

	if (r == 0)
		do
			r = remove_whole(c, flags, &why);
		while (r == -MRG_E_STATE && --lives > 0);
	/* Removing what is transient may be done by its monitor, once killed. */
	if (r == -MRG_E_NOT_FOUND && force)
		return 0;
	if (force && (r == -EBADMSG || r == -MRG_E_NO_ENGINE || r == -MRG_E_ABI))
		return container_remove_damaged(c, flags, err);
	if (r < 0 && err)
		*err = why;
	return r;
}
