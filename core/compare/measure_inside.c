/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container that runs gets done, and how long it takes to do something in it. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"

#define EXEC_MS		30000

/* @program in the container that runs, words up to NULL. */
static int run_inside(struct measure *m, size_t subject, const char *const *program, struct outcome *ret, struct mrg_error *err)
{
	char full[MEASURE_FULL_SIZE];
	struct arguments a = { .n = 0 };

	if (!*m->running[subject])
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no container that runs");
	if (m->report->subject[subject].kind == KIND_TOOL)
		return measure_tool_exec(m, subject, program, ret, err);
	arguments_add(&a, m->command, "exec", measure_full(m, subject, m->running[subject], full), "--", NULL);
	for (; *program; program++)
		arguments_add(&a, *program, NULL);
	return measure_run(m, &a, NULL, EXEC_MS, ret, err);
}

int measure_exec(struct measure *m, size_t subject, struct mrg_error *err)
{
	static const char *const nothing[] = { MEASURE_PROGRAM, "nothing", NULL };
	struct outcome o;
	int r = run_inside(m, subject, nothing, &o, err);

	if (r == 0 && measure_add_time(m, subject, METRIC_EXEC, o.begin, o.end) < 0)
		r = fail_memory(err);
	return r;
}

/* ---- work ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *word;
	enum compare_metric metric;
} works[] = {
	{ "syscalls", METRIC_SYSCALLS }, { "forks", METRIC_FORKS }, { "files", METRIC_FILES },
	{ "read", METRIC_READ }, { "pipe", METRIC_PIPE }, { "loopback", METRIC_LOOPBACK },
};

/* A line is a word and a number. A program in the container has written it: what is none is passed over. */
static int take_line(struct compare_subject *subject, const char *line)
{
	char word[16];
	double value;

	if (sscanf(line, "%15s %lf", word, &value) != 2)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (strcmp(works[i].word, word) == 0)
			return compare_report_sample(subject, works[i].metric, value);
	return 0;
}

int measure_work(struct measure *m, size_t subject, struct mrg_error *err)
{
	static const char *const work[] = { MEASURE_PROGRAM, "work", MEASURE_TARGET, NULL };
	struct compare_subject *s = &m->report->subject[subject];
	char program[160], *at;
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r;

	if (s->kind == KIND_HOST) {
		snprintf(program, sizeof(program), "%s/moorage-measure", m->share);
		arguments_add(&a, program, "work", m->share, NULL);
		r = measure_run(m, &a, NULL, EXEC_MS, &o, err);
	} else {
		r = run_inside(m, subject, work, &o, err);
	}
	at = o.output;
	for (char *line = r < 0 ? NULL : strsep(&at, "\n"); line && r != -ENOMEM; line = strsep(&at, "\n"))
		r = take_line(s, line);
	return r == -ENOMEM ? fail_memory(err) : r == -EINVAL || r == -E2BIG ? 0 : r;
}
