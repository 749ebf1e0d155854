/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container from nothing to nothing: made, run, removed; by moorage or by a raw tool. */

#include "config.h"

#include <stdio.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"

#define START_MS	30000

int measure_note_command(struct measure *m, size_t subject, const struct arguments *a, struct mrg_error *err)
{
	char **command = &m->report->subject[subject].command;
	struct buffer b = { .text = NULL };
	int r = 0;

	for (size_t i = 0; i < a->n && !*command; i++)
		buffer_addf(&b, "%s%s", i ? " " : "", a->word[i]);
	if (b.text && !b.failed)
		r = compare_report_set(command, b.text);
	buffer_deinit(&b);
	return r < 0 ? fail_memory(err) : 0;
}

static int start_backend(struct measure *m, size_t subject, struct mrg_error *err)
{
	char name[MEASURE_NAME_SIZE];
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r;

	measure_name(m, name);
	arguments_add(&a, m->command, "run", "--rm", NULL);
	measure_begin_container(m, subject, &a, name);
	arguments_add(&a, "--", MEASURE_PROGRAM, "stamp", NULL);
	r = measure_note_command(m, subject, &a, err);
	if (r == 0)
		r = measure_run(m, &a, NULL, START_MS, &o, err);
	if (r == 0)
		r = measure_add_stamps(m, subject, &o, err);
	if (r == 0 && measure_add_time(m, subject, METRIC_REMOVED, o.begin, o.end) < 0)
		return fail_memory(err);
	return r;
}

int measure_start(struct measure *m, size_t subject, struct mrg_error *err)
{
	return m->report->subject[subject].kind == KIND_TOOL ? measure_tool(m, subject, err) : start_backend(m, subject, err);
}
