/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing and renaming. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/container_internal.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* A start that was killed half way may, with an engine that is slow to die, come to life after the first look. */
#define LIVES	5

static int still_running(struct mrg_container *c, int state, const char *what, struct mrg_error *err)
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

/* Releases everything the engine has of it and then the record. Locked, at rest. */
static int remove_at_rest(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	struct mrg_exit ignored;
	int r = dispatch_cleanup(c->plugin, &view->unit, &ignored, err);

	if (r == 0)
		r = container_forget_autostart(c, err);
	if (r == 0)
		r = destroy(c, &view->unit, err);
	if (r == 0)
		r = store_remove(c->m, c->record, err);
	if (r == 0)
		event_log_add(c->m, c->record, (struct mrg_change){ .type = MRG_CHANGE_REMOVE });
	return r;
}

static int remove_whole(struct mrg_container *c, int force, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = force ? container_kill_all(c, err) : 0;

	view.run.process.pidfd = -1;
	if (r == 0)
		r = container_lock_at_rest(c, &view, err);
	if (r < 0)
		return r;
	if (state_is_alive(view.state))
		r = still_running(c, view.state, "stop it first, or use rm -f", err);
	else
		r = remove_at_rest(c, &view, err);
	store_unlock(c->record);
	return r;
}

int mrg_remove(struct mrg_container *c, int force, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	int r = container_plugin(c, &why), lives = force ? LIVES : 1;

	if (r == 0)
		do
			r = remove_whole(c, force, &why);
		while (r == -MRG_E_STATE && --lives > 0);
	/* With it goes what was kept of the one it came from. */
	if (r == 0)
		r = migration_forget_container(c, &why);
	/* Removing what is transient may be done by its monitor, once killed. */
	if (r == -MRG_E_NOT_FOUND && force)
		return 0;
	if (force && (r == -EBADMSG || r == -MRG_E_NO_ENGINE || r == -MRG_E_ABI))
		return container_remove_damaged(c, err);
	if (r < 0 && err)
		*err = why;
	return r;
}

/* ---- renaming ------------------------------------------------------------------------------- */

/* An engine that knows it by name forgets the old one and learns the new one. */
static int rename_at_rest(struct mrg_container *c, const char *name, struct view *view, struct mrg_error *err)
{
	_cleanup_free_ char *old = strdup(c->record->name);
	struct mrg_exit ignored;
	int r = old ? dispatch_cleanup(c->plugin, &view->unit, &ignored, err) : fail_memory(err);

	if (r == 0 && c->plugin->table.create)
		r = dispatch_destroy(c->plugin, &view->unit, err);
	if (r < 0)
		return r;
	r = store_rename(c->m, c->record, name, err);
	store_unit(c->record, &view->run, &view->unit);
	if (r == 0) {
		r = dispatch_create(c->plugin, &view->unit, err);
		if (r == 0)
			return 0;
		store_rename(c->m, c->record, old, NULL);
		store_unit(c->record, &view->run, &view->unit);
	}
	dispatch_create(c->plugin, &view->unit, NULL);
	return r;
}

/* The engine's own way. Ours is then that of the new name. */
static int rename_adopted(struct mrg_container *c, const char *name, struct view *view, struct mrg_error *err)
{
	struct record *renamed = NULL;
	int r = c->plugin->table.rename ? dispatch_rename(c->plugin, &view->unit, name, err) :
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "backend '%s' cannot rename a container that others made", c->record->backend);

	if (r == 0)
		r = store_open_adopted(c->m, c->record->backend, c->record->path, name, &renamed, err);
	if (r < 0)
		return r;
	store_remove(c->m, c->record, NULL);
	store_free(c->record);
	c->record = renamed;
	c->loaded = false;
	return 0;
}

/* Engine and record, both or none. */
static int rename_in_engine(struct mrg_container *c, const char *name, struct view *view, struct mrg_error *err)
{
	_cleanup_free_ char *old = strdup(c->record->name);
	int r = old ? dispatch_rename(c->plugin, &view->unit, name, err) : fail_memory(err);

	if (r < 0)
		return r;
	r = store_rename(c->m, c->record, name, err);
	if (r < 0) {
		view->unit.name = name;
		dispatch_rename(c->plugin, &view->unit, old, NULL);
		return r;
	}
	store_unit(c->record, &view->run, &view->unit);
	r = container_digest(c->plugin, &view->unit, &c->record->native, err);
	return r < 0 ? r : store_write_record(c->record, err);
}

static int rename_locked(struct mrg_container *c, const char *name, struct view *view, struct mrg_error *err)
{
	if (c->record->adopted)
		return rename_adopted(c, name, view, err);
	return c->plugin->table.rename ? rename_in_engine(c, name, view, err) : rename_at_rest(c, name, view, err);
}

int mrg_rename(struct mrg_container *c, const char *name, struct mrg_error *err)
{
	_cleanup_free_ char *old = strdup(c->record->name);
	_cleanup_view_ struct view view;
	int r = container_lock_at_rest(c, &view, err);

	if (r < 0)
		return r;
	if (state_is_alive(view.state))
		r = still_running(c, view.state, "stop it first", err);
	else if (strcmp(name, c->record->name) != 0)
		r = rename_locked(c, name, &view, err);
	if (r == 0 && old && strcmp(name, old) != 0)
		event_log_add(c->m, c->record, (struct mrg_change){ .type = MRG_CHANGE_RENAME, .old_name = old });
	store_unlock(c->record);
	return r;
}
