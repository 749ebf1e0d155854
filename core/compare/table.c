/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report for a terminal: a block for each metric, a line with a bar for each subject; the matrix where backends differ. */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/compare/report.h"

#define BAR_WIDTH	24
#define CELL_WIDTH	26		/* of the matrix; what is longer is cut */

/* Columns that text takes, one for each character: names are of users, and few write wide ones. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void add_padded(struct buffer *b, const char *text, size_t columns)
{
	size_t n = width(text);

	buffer_addf(b, "%s%*s", text, n < columns ? (int)(columns - n) : 0, "");
}

/* At most @columns characters of @text, padded. */
static void add_cut(struct buffer *b, const char *text, size_t columns)
{
	size_t n = 0, bytes = 0;

	while (text[bytes] && (n < columns || (text[bytes] & 0xc0) == 0x80))
		n += (text[bytes++] & 0xc0) != 0x80;
	buffer_add(b, text, bytes);
	buffer_addf(b, "%*s", n < columns ? (int)(columns - n) : 0, "");
}

/* In eighths of a character where there are such characters. */
static void add_bar(struct buffer *b, double part, bool unicode)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int n = (unsigned int)(part * BAR_WIDTH * 8 + 0.5);

	for (unsigned int i = 0; i < n / 8; i++)
		buffer_addf(b, "%s", unicode ? "█" : "#");
	if (unicode)
		buffer_addf(b, "%s", eighths[n % 8]);
	else if (n % 8 >= 4)
		buffer_addf(b, "#");
}

static size_t name_width(const struct compare_report *report)
{
	size_t most = 0;

	for (size_t i = 0; i < report->n_subjects; i++)
		most = width(report->subject[i].name) > most ? width(report->subject[i].name) : most;
	return most;
}

/* ---- metrics --------------------------------------------------------------------------------------------------- */

static double most_of(const struct compare_report *report, int metric)
{
	double most = 0;

	for (size_t i = 0; i < report->n_subjects; i++) {
		double median = compare_summarise(&report->subject[i].series[metric]).median;

		most = median > most ? median : most;
	}
	return most;
}

/* Of whom it is held against, where that was measured too. */
static void add_ratio(struct buffer *b, const struct compare_report *report, size_t subject, int metric)
{
	const struct compare_subject *s = &report->subject[subject], *base = compare_report_base(report, s, (enum compare_metric)metric);

	if (base)
		buffer_addf(b, "  %.2f of %s", compare_ratio(s, base, (enum compare_metric)metric), base->kind == KIND_HOST ? "the host" : base->name);
}

static void add_line(struct buffer *b, const struct compare_report *report, size_t subject, int metric, const struct compare_style *style)
{
	const struct compare_metric_info *info = &compare_metrics[metric];
	struct compare_summary s = compare_summarise(&report->subject[subject].series[metric]);
	char median[COMPARE_VALUE_SIZE], lower[COMPARE_VALUE_SIZE], upper[COMPARE_VALUE_SIZE], spread[2 * COMPARE_VALUE_SIZE + 8] = "";
	double most = most_of(report, metric);

	buffer_addf(b, "  ");
	add_padded(b, report->subject[subject].name, name_width(report));
	buffer_addf(b, "  %s%10s%s", style->bold, compare_value(median, info->unit, s.median), style->plain);
	if (s.n > 1)
		snprintf(spread, sizeof(spread), "%s - %s", compare_value(lower, info->unit, s.lower), compare_value(upper, info->unit, s.upper));
	buffer_addf(b, "  %-23s  ", spread);
	add_bar(b, most > 0 ? s.median / most : 0, style->unicode);
	add_ratio(b, report, subject, metric);
	buffer_addf(b, "\n");
}

static void add_metric(struct buffer *b, const struct compare_report *report, int metric, const struct compare_style *style)
{
	bool first = true;

	for (size_t i = 0; i < report->n_subjects; i++) {
		if (report->subject[i].series[metric].n == 0)
			continue;
		if (first)
			buffer_addf(b, "%s%s\n", compare_metrics[metric].title, compare_metrics[metric].more_is_better ? " (more is better)" : "");
		first = false;
		add_line(b, report, i, metric, style);
	}
}

static bool has_group(const struct compare_report *report, enum compare_group group)
{
	for (int metric = 0; metric < METRICS; metric++)
		for (size_t i = 0; i < report->n_subjects; i++)
			if (compare_metrics[metric].group == group && report->subject[i].series[metric].n)
				return true;
	return false;
}

static void add_head(struct buffer *b, const struct compare_report *report)
{
	buffer_addf(b, "moorage %s on %s, Linux %s, %u x %s, %s\n", report->version, report->host, report->kernel, report->cpus, report->cpu, report->time);
	buffer_addf(b, "root: %s; %u runs in turn; medians, and between quartiles; %.0f s\n", report->root, report->runs, report->seconds);
	for (size_t i = 0; i < report->n_subjects; i++)
		if (report->subject[i].reason)
			buffer_addf(b, "not measured%s: %s: %s\n", report->subject[i].command ? " wholly" : "", report->subject[i].name, report->subject[i].reason);
}

void compare_table(const struct compare_report *report, const struct compare_style *style, struct buffer *b)
{
	add_head(b, report);
	for (int group = 0; group < GROUPS; group++) {
		if (!has_group(report, (enum compare_group)group))
			continue;
		buffer_addf(b, "\n%s%s%s\n", style->bold, compare_groups[group], style->plain);
		for (int metric = 0; metric < METRICS; metric++)
			if (compare_metrics[metric].group == (enum compare_group)group)
				add_metric(b, report, metric, style);
	}
	for (size_t i = 0; i < report->n_warnings; i++)
		buffer_addf(b, "%s%swarning:%s %s\n", i ? "" : "\n", style->weak, style->plain, report->warning[i]);
}

/* ---- the matrix -------------------------------------------------------------------------------------------------- */

static bool is_in_section(const struct compare_report *report, size_t subject, enum compare_section section)
{
	for (size_t i = 0; i < report->n_rows; i++)
		if (report->row[i].section == section && report->row[i].cell[subject].text)
			return true;
	return false;
}

static size_t section_width(const struct compare_report *report, enum compare_section section)
{
	size_t most = 0;

	for (size_t i = 0; i < report->n_rows; i++)
		if (report->row[i].section == section && width(report->row[i].name) > most)
			most = width(report->row[i].name);
	return most > 40 ? 40 : most;
}

static void add_row(struct buffer *b, const struct compare_report *report, const struct compare_row *row, size_t columns, const struct compare_style *style)
{
	buffer_addf(b, "  ");
	add_cut(b, row->name, columns);
	for (size_t i = 0; i < report->n_subjects; i++) {
		const struct compare_cell *cell = &row->cell[i];

		if (!is_in_section(report, i, row->section))
			continue;
		/* What colour says is said by a mark too. */
		buffer_addf(b, "  %s%c ", cell->level ? style->weak : style->good, !cell->text ? ' ' : cell->level ? '!' : '+');
		add_cut(b, cell->text ? cell->text : "-", CELL_WIDTH - 2);
		buffer_addf(b, "%s", style->plain);
	}
	buffer_addf(b, "\n");
}

static void add_section(struct buffer *b, const struct compare_report *report, enum compare_section section, const struct compare_style *style)
{
	size_t columns = section_width(report, section), even = 0;

	buffer_addf(b, "\n%s%s%s\n  %*s", style->bold, compare_section_titles[section], style->plain, (int)columns, "");
	for (size_t i = 0; i < report->n_subjects; i++)
		if (is_in_section(report, i, section)) {
			buffer_addf(b, "  ");
			add_cut(b, report->subject[i].name, CELL_WIDTH);
		}
	buffer_addf(b, "\n");
	for (size_t i = 0; i < report->n_rows; i++) {
		if (report->row[i].section != section)
			continue;
		if (section != SECTION_LIMITS && compare_row_is_even(&report->row[i], report->n_subjects))
			even++;
		else
			add_row(b, report, &report->row[i], columns, style);
	}
	if (even)
		buffer_addf(b, "  and %zu more in which they do not differ\n", even);
}

void compare_table_matrix(const struct compare_report *report, const struct compare_style *style, struct buffer *b)
{
	for (int section = 0; section < SECTIONS; section++)
		for (size_t i = 0; i < report->n_rows; i++)
			if (report->row[i].section == (enum compare_section)section) {
				add_section(b, report, (enum compare_section)section, style);
				break;
			}
}
