/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Medians and quartiles, and whether two lists of samples can be told apart. */

#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/compare/report.h"

/* Medians that differ by less are as good as equal. */
#define WORTH_TELLING	0.05
/* Of the normal distribution, for 1 % on both sides together. */
#define CRITICAL	2.576

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between the two samples that are nearest to @part of the way. */
static double quantile(const double *sorted, size_t n, double part)
{
	double at = part * (double)(n - 1);
	size_t below = (size_t)at;

	return below + 1 < n ? sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]) : sorted[n - 1];
}

struct compare_summary compare_summarise(const struct compare_series *series)
{
	struct compare_summary ret = { .n = series->n };
	double sorted[COMPARE_SAMPLES];

	if (series->n == 0)
		return ret;
	memcpy(sorted, series->value, series->n * sizeof(*sorted));
	qsort(sorted, series->n, sizeof(*sorted), by_value);
	ret.least = sorted[0];
	ret.lower = quantile(sorted, series->n, 0.25);
	ret.median = quantile(sorted, series->n, 0.5);
	ret.upper = quantile(sorted, series->n, 0.75);
	ret.most = sorted[series->n - 1];
	return ret;
}

/* The test of Mann, Whitney and Wilcoxon by its normal approximation: medians of times have long tails, so that nothing may be supposed of their
 * distribution. Equal values count half. */
enum compare_verdict compare_tell_apart(const struct compare_series *a, const struct compare_series *b)
{
	double n = (double)a->n, m = (double)b->n, u = 0, mean = n * m / 2, critical = CRITICAL * CRITICAL * n * m * (n + m + 1) / 12;

	/* Not even samples that do not overlap at all would be beyond chance. */
	if (mean == 0 || mean * mean < critical)
		return VERDICT_UNKNOWN;
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			u += b->value[j] > a->value[i] ? 1 : b->value[j] < a->value[i] ? 0 : 0.5;
	if ((u - mean) * (u - mean) <= critical)
		return VERDICT_SAME;
	return u > mean ? VERDICT_MORE : VERDICT_LESS;
}

/* ---- noise ------------------------------------------------------------------------------------------- */

/* Medians that differ, of samples that do not. */
static bool is_doubtful(const struct compare_series *a, const struct compare_series *b, enum compare_verdict *ret)
{
	double x = compare_summarise(a).median, y = compare_summarise(b).median;

	*ret = compare_tell_apart(a, b);
	return a->n && b->n && fabs(x - y) > WORTH_TELLING * (x > y ? x : y) && *ret != VERDICT_LESS && *ret != VERDICT_MORE;
}

/* Counts and sizes are what they are; only times and rates have noise. */
static bool has_noise(const struct compare_metric_info *info)
{
	return info->unit != UNIT_COUNT && info->unit != UNIT_BYTES;
}

/* One warning with all pairs. */
static int judge_metric(struct compare_report *report, enum compare_metric metric)
{
	struct buffer pairs = { .text = NULL };
	bool few = false;
	int r = 0;

	for (size_t i = 0; i < report->n_subjects; i++)
		for (size_t j = i + 1; j < report->n_subjects; j++) {
			enum compare_verdict verdict;

			if (!is_doubtful(&report->subject[i].series[metric], &report->subject[j].series[metric], &verdict))
				continue;
			few = few || verdict == VERDICT_UNKNOWN;
			buffer_addf(&pairs, "%s%s and %s", pairs.length ? ", " : "", report->subject[i].name, report->subject[j].name);
		}
	if (pairs.failed)
		r = -ENOMEM;
	else if (pairs.text)
		r = compare_report_warn(report, "%s: cannot be told apart, %s: %s", compare_metrics[metric].title,
					few ? "too few runs" : "the host was too noisy", pairs.text);
	buffer_deinit(&pairs);
	return r;
}

int compare_judge_noise(struct compare_report *report)
{
	for (int metric = 0; metric < METRICS; metric++)
		if (has_noise(&compare_metrics[metric]) && judge_metric(report, (enum compare_metric)metric) == -ENOMEM)
			return -ENOMEM;
	return 0;
}
