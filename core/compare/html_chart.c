/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A chart for each metric: a line for each subject with its samples, the box between the quartiles and the median. */

#include "config.h"

#include <math.h>
#include <string.h>

#include "core/compare/html.h"

#define WIDTH		900
#define LEFT		150		/* names */
#define RIGHT		110		/* medians */
#define NAME_LENGTH	18
#define LINE		34
#define AXIS		24
#define DOTS		60		/* samples that are drawn; of more the ones between are left out */

struct scale {
	double most;			/* the end of the axis */
	double step;			/* between its marks */
};

/* As fmax(3), for which each start of the command would load the mathematical library. */
static double greater(double a, double b)
{
	return a > b ? a : b;
}

/* 1, 2 or 5 times a power of ten, so that there are some five marks. */
static struct scale scale_for(double most)
{
	double raw = (most > 0 ? most : 1) / 5, power = 1, step;
	int marks;

	while (power > raw)
		power /= 10;
	while (power * 10 <= raw)
		power *= 10;
	step = power;
	if (raw > 5 * power)
		step = 10 * power;
	else if (raw > 2 * power)
		step = 5 * power;
	else if (raw > power)
		step = 2 * power;
	marks = (int)(raw * 5 / step);
	marks += marks * step < raw * 5;
	return (struct scale){ .most = step * marks, .step = step };
}

static double at(const struct scale *scale, double value)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * value / scale->most;
}

static size_t count(const struct compare_report *report, int metric)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_subjects; i++)
		n += report->subject[i].series[metric].n > 0;
	return n;
}

static double most_of(const struct compare_report *report, int metric)
{
	double most = 0;

	for (size_t i = 0; i < report->n_subjects; i++)
		if (report->subject[i].series[metric].n)
			most = greater(most, compare_summarise(&report->subject[i].series[metric]).most);
	return most;
}

/* ---- the drawing ---------------------------------------------------------------------------------------------- */

static void add_axis(const struct scale *scale, const struct compare_metric_info *info, size_t lines, struct buffer *b)
{
	char text[COMPARE_VALUE_SIZE];

	for (double value = 0; value <= scale->most * 1.0001; value += scale->step) {
		double x = at(scale, value);

		buffer_addf(b, "<path class=\"g\" d=\"M%.1f 0v%zu\"/><text class=\"q\" text-anchor=\"middle\" x=\"%.1f\" y=\"%zu\">%s</text>", x, lines * LINE, x,
			    lines * LINE + 16, compare_value(text, info->unit, value));
	}
}

/* Dots of one path each a line of no length, which its round ends make one. */
static void add_dots(const struct scale *scale, const struct compare_series *series, double middle, struct buffer *b)
{
	size_t step = (series->n + DOTS - 1) / DOTS;

	buffer_addf(b, "<path class=\"d\" d=\"");
	for (size_t i = 0; i < series->n; i += step)
		/* Spread a little, so that equal ones are seen. */
		buffer_addf(b, "M%.1f %.1fh0", at(scale, series->value[i]), middle + (double)(i / step % 5) * 2 - 4);
	buffer_addf(b, "\"/>");
}

static void add_box(const struct scale *scale, const struct compare_summary *s, double middle, struct buffer *b)
{
	double least = at(scale, s->least), lower = at(scale, s->lower), upper = at(scale, s->upper), most = at(scale, s->most);

	buffer_addf(b, "<path class=\"w\" d=\"M%.1f %.1fH%.1fM%.1f %.1fH%.1f\"/>", least, middle, lower, upper, middle, most);
	buffer_addf(b, "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\"/>", lower, middle - 9, greater(upper - lower, 0.5));
	buffer_addf(b, "<path class=\"m\" d=\"M%.1f %.1fv22\"/>", at(scale, s->median), middle - 11);
}

/* As much of a name as there is room for; the whole is in the title. */
static void add_name(const char *name, struct buffer *b)
{
	size_t bytes = 0;
	_cleanup_free_ char *cut = NULL;

	for (size_t n = 0; name[bytes] && (n < NAME_LENGTH || (name[bytes] & 0xc0) == 0x80); bytes++)
		n += (name[bytes] & 0xc0) != 0x80;
	cut = strndup(name, bytes);
	b->failed = b->failed || !cut;
	html_text(b, cut ? cut : "");
}

static void add_subject(const struct compare_report *report, size_t subject, int metric, const struct scale *scale, size_t line, struct buffer *b)
{
	const struct compare_series *series = &report->subject[subject].series[metric];
	struct compare_summary s = compare_summarise(series);
	double middle = (double)line * LINE + LINE / 2.0;
	char text[COMPARE_VALUE_SIZE];

	buffer_addf(b, "<g><title>");
	html_text(b, report->subject[subject].name);
	buffer_addf(b, ": %s</title><text text-anchor=\"end\" x=\"%d\" y=\"%.1f\">", compare_value(text, compare_metrics[metric].unit, s.median), LEFT - 10, middle + 4);
	add_name(report->subject[subject].name, b);
	buffer_addf(b, "</text>");
	add_box(scale, &s, middle, b);
	add_dots(scale, series, middle, b);
	buffer_addf(b, "<text x=\"%d\" y=\"%.1f\">%s</text></g>", WIDTH - RIGHT + 10, middle + 4, text);
}

static void add_chart(const struct compare_report *report, int metric, struct buffer *b)
{
	const struct compare_metric_info *info = &compare_metrics[metric];
	struct scale scale = scale_for(most_of(report, metric));
	size_t lines = count(report, metric), line = 0;

	buffer_addf(b, "<svg role=\"img\" data-metric=\"%s\" viewBox=\"0 0 %d %zu\" aria-labelledby=\"t-%s\">", info->id, WIDTH, lines * LINE + AXIS, info->id);
	buffer_addf(b, "<title id=\"t-%s\">%s, for each subject: samples, quartiles and median; the table below has the numbers</title>", info->id, info->title);
	add_axis(&scale, info, lines, b);
	for (size_t i = 0; i < report->n_subjects; i++)
		if (report->subject[i].series[metric].n)
			add_subject(report, i, metric, &scale, line++, b);
	buffer_addf(b, "</svg>\n");
}

/* ---- the same as a table ---------------------------------------------------------------------------------------- */

/* Whether anybody is held against another: else there is no such column. */
static bool has_ratio(const struct compare_report *report, int metric)
{
	for (size_t i = 0; i < report->n_subjects; i++)
		if (compare_report_base(report, &report->subject[i], (enum compare_metric)metric))
			return true;
	return false;
}

static void add_ratio(const struct compare_report *report, size_t subject, int metric, struct buffer *b)
{
	const struct compare_subject *s = &report->subject[subject], *base = compare_report_base(report, s, (enum compare_metric)metric);

	buffer_addf(b, "<td class=\"n\">");
	if (base) {
		buffer_addf(b, "%.2f of ", compare_ratio(s, base, (enum compare_metric)metric));
		html_text(b, base->kind == KIND_HOST ? "the host" : base->name);
	}
	buffer_addf(b, "</td>");
}

static void add_numbers(const struct compare_report *report, int metric, struct buffer *b)
{
	const struct compare_metric_info *info = &compare_metrics[metric];
	bool ratio = has_ratio(report, metric);

	buffer_addf(b, "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Samples</th>"
		       "<th scope=\"col\">Least</th><th scope=\"col\">Lower quartile</th><th scope=\"col\">Median</th><th scope=\"col\">Upper quartile</th>"
		       "<th scope=\"col\">Most</th>%s</tr></thead><tbody>\n",
		    ratio ? "<th scope=\"col\">Ratio</th>" : "");
	for (size_t i = 0; i < report->n_subjects; i++) {
		struct compare_summary s = compare_summarise(&report->subject[i].series[metric]);
		const double values[] = { s.least, s.lower, s.median, s.upper, s.most };
		char text[COMPARE_VALUE_SIZE];

		if (s.n == 0)
			continue;
		buffer_addf(b, "<tr><th scope=\"row\">");
		html_text(b, report->subject[i].name);
		buffer_addf(b, "</th><td class=\"n\">%zu</td>", s.n);
		for (size_t j = 0; j < ARRAY_SIZE(values); j++)
			buffer_addf(b, "<td class=\"n\">%s</td>", compare_value(text, info->unit, values[j]));
		if (ratio)
			add_ratio(report, i, metric, b);
		buffer_addf(b, "</tr>\n");
	}
	buffer_addf(b, "</tbody></table></div></details>\n");
}

void html_charts(const struct compare_report *report, enum compare_group group, struct buffer *b)
{
	bool begun = false;

	for (int metric = 0; metric < METRICS; metric++) {
		if (compare_metrics[metric].group != group || count(report, metric) == 0)
			continue;
		if (!begun)
			buffer_addf(b, "<h2>%s</h2>\n", compare_groups[group]);
		begun = true;
		buffer_addf(b, "<h3>%s%s</h3>\n", compare_metrics[metric].title, compare_metrics[metric].more_is_better ? " (more is better)" : "");
		add_chart(report, metric, b);
		add_numbers(report, metric, b);
	}
}
