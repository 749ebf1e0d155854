/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a listing takes with more and more containers. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"

#define LIST_MS		30000
#define LISTS		5		/* of each length */

/* As many as one listing is to have more than the one before. */
static int make(struct measure *m, size_t subject, unsigned int n, struct mrg_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < n && r == 0; i++) {
		char name[MEASURE_NAME_SIZE];
		struct arguments a = { .n = 0 };
		struct outcome o;

		measure_name(m, name);
		arguments_add(&a, m->command, "create", "-q", NULL);
		measure_begin_container(m, subject, &a, name);
		arguments_add(&a, "--", MEASURE_PROGRAM, "nothing", NULL);
		r = measure_run(m, &a, NULL, LIST_MS, &o, err);
	}
	return r;
}

static int list(struct measure *m, size_t subject, enum compare_metric metric, struct mrg_error *err)
{
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r;

	arguments_add(&a, m->command, "-B", m->report->subject[subject].name, "ls", NULL);
	r = measure_run(m, &a, NULL, LIST_MS, &o, err);
	if (r == 0 && measure_add_time(m, subject, metric, o.begin, o.end) < 0)
		r = fail_memory(err);
	return r;
}

/* One function for each length: what is called in turn knows its subject only. */
static int make_1(struct measure *m, size_t subject, struct mrg_error *err)
{
	return make(m, subject, 1, err);
}

static int make_10(struct measure *m, size_t subject, struct mrg_error *err)
{
	return make(m, subject, 9, err);
}

static int make_100(struct measure *m, size_t subject, struct mrg_error *err)
{
	return make(m, subject, 90, err);
}

static int list_1(struct measure *m, size_t subject, struct mrg_error *err)
{
	return list(m, subject, METRIC_LS_1, err);
}

static int list_10(struct measure *m, size_t subject, struct mrg_error *err)
{
	return list(m, subject, METRIC_LS_10, err);
}

static int list_100(struct measure *m, size_t subject, struct mrg_error *err)
{
	return list(m, subject, METRIC_LS_100, err);
}

int measure_lists(struct measure *m, struct mrg_error *err)
{
	static const struct {
		measure_once *make, *list;
		const char *what;
	} lengths[] = {
		{ make_1, list_1, "ls with 1 container" },
		{ make_10, list_10, "ls with 10 containers" },
		{ make_100, list_100, "ls with 100 containers" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lengths) && r == 0; i++) {
		r = measure_rounds(m, lengths[i].what, 1, MEASURE_BACKENDS, lengths[i].make, err);
		if (r == 0)
			r = measure_rounds(m, lengths[i].what, m->options->runs < LISTS ? m->options->runs : LISTS, MEASURE_BACKENDS, lengths[i].list, err);
	}
	if (r == 0)
		measure_sweep(m, true);
	return r;
}
