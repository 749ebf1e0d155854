/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps at the source: it is stopped, then taken out of its engine's sight. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define RECORD		"source"	/* the record, in the journal's directory */

int side_open(struct migration *g, const struct journal_side *side, bool adopted, struct mrg_container **ret, struct mrg_error *err)
{
	char *path = g->m->path;
	struct plugin *p = NULL;
	struct record *record = NULL;
	int r = registry_load(g->m, side->backend, &p, err);

	if (r < 0)
		return r;
	g->m->path = (char *)side->path;
	if (adopted)
		r = container_new_adopted(g->m, p, side->name, ret, err);
	else
		r = container_open_record(g->m, side->name, CONTAINER_LOCK_MS, &record, err);
	g->m->path = path;
	if (r < 0 || adopted)
		return r;
	if (strcmp(record->backend, side->backend) != 0) {
		store_free(record);
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "backend '%s' has no container named '%s'", side->backend, side->name);
	}
	*ret = container_new(g->m, record);
	return *ret ? 0 : fail_memory(err);
}

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

/* ---- stop ------------------------------------------------------------------------------------- */

bool stop_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "stop '%s' of %s", g->j->source.name, g->j->source.backend);
	return g->ran;
}

int stop_run(struct migration *g, struct mrg_error *err)
{
	int r = mrg_stop(g->source, -1, 0, err);

	return r < 0 ? r : 0;
}

int stop_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = g->j->ran ? side_open(g, &g->j->source, g->j->adopted, &c, err) : 0;

	/* One that was asked to end, by a command that was killed then, may seem to run for a moment. */
	if (r == 0 && c)
		r = mrg_stop(c, -1, 0, err);
	if (r >= 0 && c)
		r = mrg_start(c, NULL, err);
	return r < 0 ? r : 0;
}

/* ---- set aside -------------------------------------------------------------------------------- */

bool park_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "take '%s' out of the sight of %s: its configuration is kept aside", g->j->source.name, g->j->source.backend);
	return true;
}

/* A root that the engine takes for a container by itself is kept beside its place, under a name that systemd uses for what is not finished. */
static int hide_root(struct migration *g, struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_free_ char *hidden = NULL;
	const char *from = g->j->root_from;
	int r = c->plugin->table.find ? dispatch_find(c->plugin, g->j->source.path, g->j->source.name, err) : 0;

	/* What is renamed away goes with the next step. */
	if (r <= 0 || (g->j->method == MRG_ROOT_MOVE && g->parts->plan.same_file_system))
		return r < 0 ? r : 0;
	if (g->j->method == MRG_ROOT_STAY)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s takes the root '%s' for a container by itself: it has to be moved", g->j->source.backend, from);
	if (asprintf(&hidden, "%.*s/.#moorage-%s", (int)(strrchr(from, '/') - from), from, g->j->id) < 0) {
		hidden = NULL;
		return fail_memory(err);
	}
	r = journal_set(g->j, &g->j->hidden, hidden, err);
	if (r == 0)
		r = journal_write(g->j, err);
	if (r == 0 && renameat2(AT_FDCWD, from, AT_FDCWD, hidden, RENAME_NOREPLACE) < 0)
		r = fail_errno(err, -errno, "cannot rename '%s'", from);
	return r;
}

/* Locked, at rest. */
static int set_aside(struct migration *g, struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	struct mrg_exit ignored;
	int r = dispatch_cleanup(c->plugin, &view->unit, &ignored, err);

	if (r == 0)
		r = container_forget_autostart(c, err);
	if (r == 0)
		r = dispatch_park(c->plugin, &view->unit, g->j->dir, g->j->id, MRG_PARK_ASIDE, err);
	if (r < 0)
		return r;
	if (c->record->adopted)
		r = c->record->dir >= 0 ? store_remove(g->m, c->record, err) : 0;
	else
		r = store_set_aside(g->m, c->record, g->j->dir, RECORD, err);
	return r < 0 ? r : hide_root(g, c, err);
}

int park_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_lock_at_rest(g->source, &view, err);

	if (r < 0)
		return r;
	if (state_is_alive(view.state))
		r = mrg_error_set(err, -MRG_E_STATE, "container '%s' was started meanwhile", g->j->source.name);
	else
		r = set_aside(g, g->source, &view, err);
	store_unlock(g->source->record);
	return r;
}

int source_record(const struct journal *j, struct record **ret, struct mrg_error *err)
{
	int dir = openat(j->dir, RECORD, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return dir < 0 ? fail_errno(err, -errno, "cannot open the record of '%s'", j->source.name) : store_open_dir(j->m, dir, ret, err);
}

static int show_root(const struct journal *j, struct mrg_error *err)
{
	if (!j->hidden || access(j->hidden, F_OK) < 0)
		return 0;
	if (renameat2(AT_FDCWD, j->hidden, AT_FDCWD, j->root_from, RENAME_NOREPLACE) == 0)
		return 0;
	return fail_errno(err, -errno, "cannot rename '%s' to '%s'", j->hidden, j->root_from);
}

int park_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct mrg_unit unit;
	int r = show_root(g->j, err);

	if (r == 0 && !g->j->adopted)
		r = store_put_back(g->m, g->j->source.name, g->j->dir, RECORD, err);
	if (r == 0)
		r = side_open(g, &g->j->source, g->j->adopted, &c, err);
	if (r == 0)
		r = container_plugin(c, err);
	if (r < 0)
		return r;
	store_unit(c->record, NULL, &unit);
	r = dispatch_park(c->plugin, &unit, g->j->dir, g->j->id, MRG_PARK_BACK, err);
	if (r == 0 && g->j->autostart && !c->plugin->table.autostart)
		r = mrg_autostart(c, 1, err);
	return r < 0 ? r : 0;
}
