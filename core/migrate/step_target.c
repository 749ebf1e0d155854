/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps at the target: it is made, read back, started, watched, and enabled. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

/* A new target bears the id of the journal: whatever else has its name is not touched. One that has come back is known to its engine. */
int target_open(struct migration *g, struct mrg_container **ret, struct mrg_error *err)
{
	int r = side_open(g, &g->j->target, g->j->returned, ret, err);

	if (r == 0 && g->j->returned) {
		r = container_plugin(*ret, err);
		if (r == 0)
			r = dispatch_find((*ret)->plugin, g->j->target.path, g->j->target.name, err);
		if (r > 0)
			return 0;
	} else if (r < 0 || strcmp((*ret)->record->id, g->j->id) == 0) {
		return r;
	}
	*ret = mrg_container_free(*ret);
	return mrg_error_set(err, -MRG_E_NOT_FOUND, "the container '%s' is not the one that the migration made", g->j->target.name);
}

/* ---- configure ----------------------------------------------------------------------------------- */

bool create_describe(const struct migration *g, struct buffer *b)
{
	if (g->j->returned)
		buffer_addf(b, "bring the configuration of '%s' back to %s, as it was set aside", g->j->target.name, g->j->target.backend);
	else
		buffer_addf(b, "write the configuration of '%s' for %s and read it back", g->j->target.name, g->j->target.backend);
	return true;
}

static int keep_spec(const struct migration *g, const char *name, const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = mrg_spec_emit(spec, 0, &text, err);

	if (r < 0)
		return r;
	r = fd_replace_file(g->j->dir, name, text, strlen(text), true);
	return r < 0 ? fail_errno(err, r, "cannot write '%s' of the migration", name) : 0;
}

/* What the engine understood of it: what it is to start, and where. */
static int read_back(struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *read = mrg_spec_new(), *empty = mrg_spec_new();
	const struct mrg_spec *spec = c->record->spec;
	struct mrg_unit unit;
	int r;

	if (!read || !empty)
		return fail_memory(err);
	if (!c->plugin->table.adopt)
		return 0;
	store_unit(c->record, NULL, &unit);
	unit.spec = empty;
	r = dispatch_adopt(c->plugin, &unit, read, err);
	if (r < 0)
		return r;
	if (read->root_path && strcmp(read->root_path, spec->root_path) != 0)
		return mrg_error_set(err, -EIO, "%s reads the root '%s' where '%s' was written", c->record->backend, read->root_path, spec->root_path);
	/* An ordinary user's has users of its own, said or not. */
	return geteuid() == 0 && !read->ns_user != !spec->ns_user ?
	       mrg_error_set(err, -EIO, "%s reads other users of the container than were written", c->record->backend) : 0;
}

static int make_target(struct migration *g, struct mrg_container **ret, struct mrg_error *err)
{
	const struct mrg_create create = { .name = g->j->target.name, .backend = g->j->target.backend, .spec = g->spec };
	const struct origin origin = { .id = g->j->id, .owns_root = g->owns_root };
	char *path = g->m->path;
	int r = mrg_spec_set(g->spec, MRG_FIELD_ROOT_PATH, g->j->root_to, err);

	if (r < 0)
		return r;
	g->m->path = (char *)g->j->target.path;
	r = container_create_as(g->m, &create, &origin, ret, err);
	g->m->path = path;
	return r;
}

/* The configuration that the earlier migration has set aside, as it is or out of the way again. */
static int park_returned(struct migration *g, int how, struct mrg_error *err)
{
	const struct journal_side *side = &g->j->target;
	struct mrg_unit unit = { .name = side->name, .id = g->j->returned, .dir = -1, .path = side->path, .adopted = true };
	_cleanup_(spec_freep) struct mrg_spec *empty = mrg_spec_new();
	_cleanup_journal_ struct journal *opened = NULL;
	const struct journal *origin = g->origin;
	struct plugin *p = NULL;
	bool nothing;
	int r = empty ? registry_load(g->m, side->backend, &p, err) : fail_memory(err);

	unit.spec = empty;
	if (r == 0 && !origin) {
		r = journal_open(g->m, JOURNAL_KEPT, g->j->returned, &opened, &nothing, err);
		origin = opened;
	}
	return r < 0 ? r : dispatch_park(p, &unit, origin->dir, origin->id, how, err);
}

int create_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = keep_spec(g, "source.json", mrg_container_spec(g->source), err);

	if (r < 0)
		return r;
	r = g->j->returned ? park_returned(g, MRG_PARK_BACK, err) : make_target(g, &c, err);
	if (r == 0 && g->j->returned)
		r = target_open(g, &c, err);
	/* As it was completed. */
	if (r == 0)
		r = mrg_container_load(c, err);
	if (r == 0)
		r = keep_spec(g, "target.json", mrg_container_spec(c), err);
	return r < 0 || g->j->returned ? r : read_back(c, err);
}

int create_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = target_open(g, &c, err);

	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r == 0)
		r = g->j->returned ? park_returned(g, MRG_PARK_ASIDE, err) : mrg_remove(c, MRG_REMOVE_FORCE | MRG_REMOVE_KEEP_ROOT, err);
	return r;
}

/* ---- start ------------------------------------------------------------------------------------------ */

bool start_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "start '%s', wait until it is well, and compare how it is confined", g->j->target.name);
	return g->ran || (g->how && g->how->flags & MRG_MIGRATE_START);
}

static int compare(struct migration *g, struct mrg_container *c, struct mrg_error *err)
{
	struct isolation after;
	struct mrg_status status;
	int r = mrg_container_status(c, &status, err);

	if (r < 0)
		return r;
	r = isolation_observe(status.pid, &after);
	if (r < 0)
		return fail_errno(err, r, "cannot see how '%s' is confined", g->j->target.name);
	return isolation_compare(g, &g->before, &after, err);
}

int start_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = target_open(g, &c, err);

	if (r == 0)
		r = mrg_start(c, NULL, err);
	if (r >= 0)
		r = health_wait(g, c, err);
	return r < 0 ? r : compare(g, c, err);
}

int start_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = target_open(g, &c, err);

	if (r == 0)
		r = mrg_stop(c, -1, 0, err);
	return r == -MRG_E_NOT_FOUND || r > 0 ? 0 : r;
}

/* ---- enable ----------------------------------------------------------------------------------------- */

bool enable_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "start '%s' with the host", g->j->target.name);
	return g->autostart;
}

int enable_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	int r = target_open(g, &c, err);

	if (r == 0)
		r = mrg_autostart(c, 1, err);
	return r < 0 ? r : 0;
}
