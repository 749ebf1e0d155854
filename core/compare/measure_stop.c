/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a container, asked for or by force. */

#include "config.h"

#include "core/compare/measure.h"
#include "core/util/fail.h"

#define STOP_MS		30000

/* How long a stubborn process is waited for: the titles of metrics tell it. */
#define PATIENCE	"300ms"

static int stop(struct measure *m, size_t subject, const char *mode, enum compare_metric metric, struct mrg_error *err)
{
	char name[MEASURE_NAME_SIZE], full[MEASURE_FULL_SIZE];
	struct arguments a = { .n = 0 };
	struct outcome o;
	int r = measure_hold(m, subject, mode, NULL, name, err);

	if (r == 0)
		r = measure_rest(m, 50, err);
	if (r < 0)
		return r;
	arguments_add(&a, m->command, "stop", "-q", metric == METRIC_STUBBORN ? "--time=" PATIENCE : "--time=10", measure_full(m, subject, name, full), NULL);
	if (m->report->subject[subject].kind == KIND_TOOL)
		r = measure_tool_stop(m, subject, name, &o, err);
	else
		r = measure_run(m, &a, NULL, STOP_MS, &o, err);
	if (r < 0) {
		measure_remove(m, subject, name, NULL);
		return r;
	}
	if (measure_add_time(m, subject, metric, o.begin, o.end) < 0)
		return fail_memory(err);
	return measure_remove(m, subject, name, err);
}

int measure_stop(struct measure *m, size_t subject, struct mrg_error *err)
{
	return stop(m, subject, "wait", METRIC_STOP, err);
}

int measure_stubborn(struct measure *m, size_t subject, struct mrg_error *err)
{
	return stop(m, subject, "ignore", METRIC_STUBBORN, err);
}
