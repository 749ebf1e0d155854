/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which losses of a migration are accepted. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/archive/import/import.h"
#include "core/convert/convert.h"
#include "core/migrate/migrate.h"
#include "core/util/fail.h"

/* The other host has a say about what comes from elsewhere as well. */
int report_check_words(const struct migration *g, const struct report_rows *rows, struct mrg_error *err)
{
	struct report_rows names = { 0 };
	int r = g->j->host ? import_names(g->spec, &names, err) : 0;

	for (size_t i = 0; i < rows->n && r == 0; i++)
		r = report_rows_add(&rows->item[i], &names);
	if (r == 0)
		r = report_rows_check_words(names.item, names.n, g->how->accept, err);
	report_rows_deinit(&names);
	return r == -ENOMEM ? fail_memory(err) : r;
}

int report_judge(const struct migration *g, struct mrg_error *err)
{
	int worst = g->how->flags & MRG_MIGRATE_BEST_EFFORT ? MRG_WEAKENS : MRG_DROPPED;
	int r = report_rows_judge(g->parts->rows, g->parts->n_rows, worst, g->how->accept, err);

	return r < 0 ? r : 0;
}

bool report_accepts_loss(const struct migration *g, const char *word)
{
	for (size_t i = 0; g->parts && i < g->parts->n_rows; i++)
		if (g->parts->rows[i].verdict >= MRG_DROPPED && strstr(g->parts->rows[i].source, word))
			return true;
	return false;
}
