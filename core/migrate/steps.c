/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a migration, in order, and going through them in both directions. */

#include "config.h"

#include <errno.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"

const struct step migrate_steps[] = {
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

static unsigned int count_steps(void)
{
	return ARRAY_SIZE(migrate_steps) - 1;
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
	struct mrg_progress progress = { .step = migrate_steps[i].name, .number = i + 1, .total = count_steps() };
	int r;

	if (!migrate_steps[i].describe(g, &b))
		return 0;
	progress.text = b.text ? b.text : "";
	r = step_progress(g, &progress, err);
	if (r < 0)
		return r;
	g->j->begun = (int)i + 1;
	r = journal_write(g->j, err);
	return r < 0 ? r : migrate_steps[i].run(g, err);
}

int steps_run(struct migration *g, struct mrg_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < count_steps() && r == 0; i++)
		r = run_step(g, i, err);
	return r;
}

/* What cannot be undone stops it: the next attempt goes on from there. */
int steps_undo(struct migration *g, struct mrg_error *err)
{
	int r;

	g->j->phase = JOURNAL_UNDO;
	r = journal_write(g->j, err);
	if (g->j->begun > (int)count_steps())
		g->j->begun = (int)count_steps();
	while (r == 0 && g->j->begun > 0) {
		const struct step *step = &migrate_steps[g->j->begun - 1];
		const struct mrg_progress progress = { .step = step->name, .text = "undo", .total = count_steps() };

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
