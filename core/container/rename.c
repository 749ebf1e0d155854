/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renaming. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

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

/* ---- in an engine that knows another name ----------------------------------------------------- */

/* A root that lies where the engine keeps it is called after its container. */
struct homes {
	char *from, *to;		/* NULL: it stays where it is */
};

static void homes_deinit(struct homes *homes)
{
	free(homes->from);
	free(homes->to);
}

static int find_homes(const struct mrg_container *c, const struct mrg_unit *unit, const char *name, struct homes *ret, struct mrg_error *err)
{
	struct mrg_unit renamed = *unit;
	_cleanup_free_ char *from = NULL;
	int r = dispatch_home(c->plugin, unit, &from, err);

	if (r < 0 || !from || !unit->spec->root_path || strcmp(from, unit->spec->root_path) != 0)
		return r;
	renamed.name = name;
	r = dispatch_home(c->plugin, &renamed, &ret->to, err);
	if (r < 0)
		return r;
	ret->from = take_ptr(from);
	return access(ret->to, F_OK) < 0 ? 0 : mrg_error_set(err, -MRG_E_EXISTS, "'%s', where the root would be, is there already", ret->to);
}

/* An engine in whose directory of the container it lies takes it along: then the place where it would be is not there yet. */
static int move_root(const char *from, const char *to, struct mrg_error *err)
{
	if (!from || renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 || errno == ENOENT)
		return 0;
	return fail_errno(err, -errno, "cannot rename the root '%s'", from);
}

/* The root, then the engine's own way. */
static int rename_with_root(struct mrg_container *c, struct view *view, const char *name, const struct homes *homes, struct mrg_error *err)
{
	int r = homes->to ? mrg_spec_set(c->record->spec, MRG_FIELD_ROOT_PATH, homes->to, err) : 0;

	if (r == 0)
		r = move_root(homes->from, homes->to, err);
	if (r == 0)
		r = dispatch_rename(c->plugin, &view->unit, name, err);
	if (r == 0) {
		view->unit.name = name;
		return 0;
	}
	if (homes->from && mrg_spec_set(c->record->spec, MRG_FIELD_ROOT_PATH, homes->from, NULL) == 0)
		move_root(homes->to, homes->from, NULL);
	return r;
}

/* The record tells where the root is. */
static int note_root(struct record *record, const struct homes *homes, struct mrg_error *err)
{
	struct own_root *own = &record->own_root;

	if (!homes->to)
		return 0;
	if (own->path && strcmp(own->path, homes->from) == 0) {
		free(own->path);
		own->path = strdup(homes->to);
		if (!own->path)
			return fail_memory(err);
	}
	return store_write_spec(record, err);
}

/* Engine and record, both or none. */
static int rename_in_engine(struct mrg_container *c, const char *name, struct view *view, struct mrg_error *err)
{
	_cleanup_(homes_deinit) struct homes homes = { .from = NULL };
	_cleanup_free_ char *old = strdup(c->record->name);
	int r = old ? find_homes(c, &view->unit, name, &homes, err) : fail_memory(err);

	if (r == 0)
		r = rename_with_root(c, view, name, &homes, err);
	if (r < 0)
		return r;
	r = store_rename(c->m, c->record, name, err);
	if (r < 0) {
		const struct homes back = { homes.to, homes.from };

		rename_with_root(c, view, old, &back, NULL);
		return r;
	}
	store_unit(c->record, &view->run, &view->unit);
	r = note_root(c->record, &homes, err);
	if (r == 0)
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
		r = container_still_runs(c, view.state, "stop it first", err);
	else if (strcmp(name, c->record->name) != 0)
		r = rename_locked(c, name, &view, err);
	if (r == 0 && old && strcmp(name, old) != 0)
		event_log_add(c->m, c->record, (struct mrg_change){ .type = MRG_CHANGE_RENAME, .old_name = old });
	store_unlock(c->record);
	return r;
}
