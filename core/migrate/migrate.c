/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container changes its engine. */

#include "config.h"

#include <errno.h>

#include "core/migrate/migrate.h"
#include "core/migrate/remote.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

static void migration_deinit(struct migration *g)
{
	remote_free(g);
	free(g->native);
	plan_parts_free(g->parts);
	mrg_spec_free(g->spec);
	guest_changes_deinit(&g->guest);
	strv_free(g->devices);
	for (size_t i = 0; i < g->n_chain; i++)
		journal_free(g->chain[i]);
	journal_free(g->j);
}
#define _cleanup_migration_ _cleanup_(migration_deinit)

static int check_wishes(const struct mrg_migrate *how, struct mrg_error *err)
{
	if (!how->backend)
		return mrg_error_set(err, -MRG_E_INVALID, "no backend is named for the container to go to");
	if (!how->host)
		return 0;
	if (how->method == MRG_ROOT_STAY || how->method == MRG_ROOT_MOVE)
		return mrg_error_set(err, -MRG_E_INVALID, "to another host a root is always copied; the source's is kept");
	if (how->rebase)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "ids cannot be changed on the way to another host");
	if (how->ssh_config && how->ssh_config[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "the configuration of ssh, '%s', is no absolute path", how->ssh_config);
	return remote_check_host(how->host, err);
}

static int begin(struct migration *g, struct mrg_container *c, const struct mrg_migrate *how, struct mrg_error *err)
{
	int r = check_wishes(how, err);

	g->m = c->m;
	g->source = c;
	g->how = how;
	g->progress = how->progress;
	g->data = how->data;
	if (r < 0)
		return r;
	g->j = journal_new(c->m);
	return g->j ? migration_analyse(g, err) : fail_memory(err);
}

int mrg_plan(struct mrg_container *c, const struct mrg_migrate *how, struct mrg_plan **ret, struct mrg_error *err)
{
	_cleanup_migration_ struct migration g = { .only_plan = true };
	int r = begin(&g, c, how, err);

	if (r == 0)
		*ret = &take_ptr(g.parts)->plan;
	return r;
}

/* ---- doing it --------------------------------------------------------------------------------- */

/* The error that is told is the one that began it; an undoing that fails as well is more important. */
static int take_back(struct migration *g, int failed, const struct mrg_error *why, struct mrg_error *err)
{
	struct mrg_error undo = { 0 };
	int r = steps_undo(g, &undo);

	if (r == 0)
		r = journal_remove(g->j, &undo);
	if (r < 0) {
		mrg_error_set(err, r, "the migration of '%s' failed (%.180s) and could not be undone: %.200s", g->j->source.name, why->message, undo.message);
		return mrg_error_hint(err, "moorage rollback %s tries again", g->j->target.name), r;
	}
	if (err)
		*err = *why;
	return failed;
}


int mrg_migrate(struct mrg_container *c, const struct mrg_migrate *how, struct mrg_error *err)
{
	_cleanup_migration_ struct migration g = { 0 };
	struct mrg_error why = { 0 };
	int r = begin(&g, c, how, err);

	if (r == 0 && g.parts->plan.refusal.code) {
		if (err)
			*err = g.parts->plan.refusal;
		return g.parts->plan.refusal.code;
	}
	if (r == 0)
		r = journal_begin(g.j, err);
	if (r == 0)
		r = journal_write(g.j, err);
	if (r < 0)
		return r;
	r = steps_run(&g, &why);
	/* The rename of the journal is the moment. */
	if (r == 0)
		r = journal_move(g.j, JOURNAL_KEPT, &why);
	if (r < 0)
		return take_back(&g, r, &why, err);
	return how->flags & MRG_MIGRATE_PURGE ? journal_discard(g.j, err) : 0;
}

/* ---- taking it back ------------------------------------------------------------------------------ */

int journal_undo(struct mrg *m, struct journal *j, int (*progress)(const struct mrg_progress *progress, void *data), void *data, struct mrg_error *err)
{
	struct migration g = { .m = m, .j = j, .progress = progress, .data = data };
	int r = steps_undo(&g, err);

	remote_free(&g);
	return r < 0 ? r : journal_remove(j, err);
}
