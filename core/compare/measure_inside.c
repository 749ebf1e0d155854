/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container that runs gets done, and how long it takes to do something in it. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"

#define EXEC_MS		30000

static int not_running(struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no container that runs");
}

int measure_exec(struct measure *m, size_t subject, struct mrg_error *err)
{
	char full[MEASURE_FULL_SIZE];
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r;

	if (!*m->running[subject])
		return not_running(err);
	arguments_add(&a, m->command, "exec", measure_full(m, subject, m->running[subject], full), "--", MEASURE_PROGRAM, "nothing", NULL);
	r = measure_run(m, &a, NULL, EXEC_MS, &o, err);
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
	struct compare_subject *s = &m->report->subject[subject];
	char full[MEASURE_FULL_SIZE], program[160], *at;
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r;

	if (s->kind == KIND_HOST) {
		snprintf(program, sizeof(program), "%s/moorage-measure", m->share);
		arguments_add(&a, program, "work", m->share, NULL);
	} else if (*m->running[subject]) {
		arguments_add(&a, m->command, "exec", measure_full(m, subject, m->running[subject], full), "--", MEASURE_PROGRAM, "work", MEASURE_TARGET, NULL);
	} else {
		return not_running(err);
	}
	r = measure_run(m, &a, NULL, EXEC_MS, &o, err);
	at = o.output;
	for (char *line = r < 0 ? NULL : strsep(&at, "\n"); line && r != -ENOMEM; line = strsep(&at, "\n"))
		r = take_line(s, line);
	return r == -ENOMEM ? fail_memory(err) : r == -EINVAL || r == -E2BIG ? 0 : r;
}
