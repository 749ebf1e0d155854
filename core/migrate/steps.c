/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a migration, in order, and going through them in both directions. */

#include "config.h"

#include <errno.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"

static const struct step here[] = {
	{ "stop", stop_describe, stop_run, stop_undo },
	{ "set aside", park_describe, park_run, park_undo },
	{ "root", root_describe, root_run, root_undo },
	{ "owners", ids_describe, ids_run, ids_undo },
	{ "fit", guest_describe, guest_run, guest_undo },
	{ "configure", create_describe, create_run, create_undo },
	{ "start", start_describe, start_run, start_undo },
	{ "enable", enable_describe, enable_run, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const struct step to_host[] = {
	{ "stop", stop_describe, stop_run, stop_undo },
	{ "set aside", park_describe, park_run, park_undo },
	{ "send", send_describe, send_run, NULL },
	{ "configure", make_describe, make_run, make_undo },
	{ "start", arrive_describe, arrive_run, arrive_undo },
	{ "enable", enable_there_describe, enable_there_run, arrive_undo },
	{ "hand over", keep_describe, keep_run, arrive_undo },
	{ NULL, NULL, NULL, NULL },
};

const struct step *migration_steps(const struct journal *j)
{
	return j->host ? to_host : here;
}

unsigned int migration_count_steps(const struct journal *j)
{
	return (j->host ? ARRAY_SIZE(to_host) : ARRAY_SIZE(here)) - 1;
}

int step_progress(struct migration *g, const struct mrg_progress *progress, struct mrg_error *err)
{
	if (!g->progress || g->progress(progress, g->data) == 0)
		return 0;
	return mrg_error_set(err, -ECANCELED, "the migration was broken off");
}

static int run_step(struct migration *g, unsigned int i, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct mrg_progress progress = { .step = migration_steps(g->j)[i].name, .number = i + 1, .total = migration_count_steps(g->j) };
	int r;

	if (!migration_steps(g->j)[i].describe(g, &b))
		return 0;
	progress.text = b.text ? b.text : "";
	r = step_progress(g, &progress, err);
	if (r < 0)
		return r;
	g->j->begun = (int)i + 1;
	r = journal_write(g->j, err);
	return r < 0 ? r : migration_steps(g->j)[i].run(g, err);
}

int steps_run(struct migration *g, struct mrg_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < migration_count_steps(g->j) && r == 0; i++)
		r = run_step(g, i, err);
	return r;
}

/* What cannot be undone stops it: the next attempt goes on from there. */
int steps_undo(struct migration *g, struct mrg_error *err)
{
	int r;

	g->j->phase = JOURNAL_UNDO;
	r = journal_write(g->j, err);
	if (g->j->begun > (int)migration_count_steps(g->j))
		g->j->begun = (int)migration_count_steps(g->j);
	while (r == 0 && g->j->begun > 0) {
		const struct step *step = &migration_steps(g->j)[g->j->begun - 1];
		const struct mrg_progress progress = { .step = step->name, .text = "undo", .total = migration_count_steps(g->j) };

		if (g->progress)
			g->progress(&progress, g->data);
		r = step->undo ? step->undo(g, err) : 0;
		if (r < 0)
			break;
		g->j->begun--;
		r = journal_write(g->j, err);
	}
	return r;
}
