/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report: filled by those who measure and by those who read files. */

#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/compare/report.h"
#include "core/util/utf8.h"

const char *const compare_kinds[KINDS] = { [KIND_HOST] = "host", [KIND_BACKEND] = "backend", [KIND_TOOL] = "tool" };
const char *const compare_sections[SECTIONS] = {
	[SECTION_ISOLATION] = "isolation", [SECTION_FEATURES] = "features", [SECTION_LIMITS] = "limits",
};
const char *const compare_section_titles[SECTIONS] = {
	[SECTION_ISOLATION] = "What the kernel lets a container do (audit)",
	[SECTION_FEATURES] = "Fields of the spec that are honoured",
	[SECTION_LIMITS] = "Limits: asked, and what is in force",
};

struct compare_report *compare_report_new(void)
{
	return calloc(1, sizeof(struct compare_report));
}

static void free_subject(struct compare_subject *subject)
{
	free(subject->name);
	free(subject->engine);
	free(subject->reason);
	free(subject->command);
	free(subject->backend);
	for (size_t i = 0; i < METRICS; i++)
		free(subject->series[i].value);
}

static void free_row(struct compare_row *row)
{
	free(row->name);
	for (size_t i = 0; i < COMPARE_SUBJECTS; i++)
		free(row->cell[i].text);
}

struct compare_report *compare_report_free(struct compare_report *report)
{
	if (!report)
		return NULL;
	free(report->version);
	free(report->kernel);
	free(report->host);
	free(report->cpu);
	free(report->root);
	free(report->time);
	for (size_t i = 0; i < report->n_subjects; i++)
		free_subject(&report->subject[i]);
	for (size_t i = 0; i < report->n_rows; i++)
		free_row(&report->row[i]);
	for (size_t i = 0; i < report->n_warnings; i++)
		free(report->warning[i]);
	free(report->row);
	free(report);
	return NULL;
}

/* ---- texts ----------------------------------------------------------------------------------------- */

/* Controls of C1; what turns the direction of text, and what ends a line. */
static bool is_unfit(const unsigned char *c, size_t n)
{
	if (n == 1)
		return *c < ' ' || *c == 0x7f;
	if (n == 2)
		return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
	if (n != 3 || c[0] != 0xe2)
		return false;
	return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae))) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

char *compare_text(const char *text)
{
	struct buffer b = { .text = NULL };
	size_t length = strlen(text);

	for (size_t at = 0, n; at < length && b.length < COMPARE_TEXT; at += n) {
		size_t sequence = utf8_sequence(text + at, length - at);

		n = sequence ? sequence : 1;
		if (sequence && !is_unfit((const unsigned char *)text + at, n))
			buffer_add(&b, text + at, n);
		else
			for (size_t i = 0; i < n; i++)
				buffer_addf(&b, "\\x%02x", (unsigned char)text[at + i]);
		if (b.length >= COMPARE_TEXT && at + n < length)
			buffer_addf(&b, "...");
	}
	if (b.failed) {
		buffer_deinit(&b);
		return NULL;
	}
	return b.text ? b.text : strdup("");
}

int compare_report_set(char **text, const char *value)
{
	char *copy = value ? compare_text(value) : NULL;

	if (value && !copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/* ---- filling ----------------------------------------------------------------------------------------- */

struct compare_subject *compare_report_subject(struct compare_report *report, enum compare_kind kind, const char *name)
{
	struct compare_subject *subject = &report->subject[report->n_subjects];

	if (report->n_subjects == COMPARE_SUBJECTS)
		return NULL;
	subject->kind = kind;
	subject->name = compare_text(name);
	if (!subject->name)
		return NULL;
	report->n_subjects++;
	return subject;
}

struct compare_row *compare_report_row(struct compare_report *report, enum compare_section section, const char *name)
{
	struct compare_row *rows = report->row;

	if (report->n_rows == COMPARE_ROWS)
		return NULL;
	if (report->n_rows % 64 == 0)
		rows = realloc(rows, (report->n_rows + 64) * sizeof(*rows));
	if (!rows)
		return NULL;
	report->row = rows;
	rows[report->n_rows] = (struct compare_row){ .section = section, .name = compare_text(name) };
	return rows[report->n_rows].name ? &rows[report->n_rows++] : NULL;
}

/* Room for a power of two of them, as many as there are. */
int compare_report_sample(struct compare_subject *subject, enum compare_metric metric, double value)
{
	struct compare_series *series = &subject->series[metric];
	double *grown = series->value;

	if (!isfinite(value) || value < 0)
		return -EINVAL;
	if (series->n == COMPARE_SAMPLES)
		return -E2BIG;
	if ((series->n & (series->n - 1)) == 0)
		grown = realloc(grown, (series->n ? 2 * series->n : 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	series->value = grown;
	series->value[series->n++] = value;
	return 0;
}

int compare_report_warn(struct compare_report *report, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (report->n_warnings == COMPARE_WARNINGS)
		return -E2BIG;
	report->warning[report->n_warnings] = compare_text(text);
	if (!report->warning[report->n_warnings])
		return -ENOMEM;
	report->n_warnings++;
	return 0;
}

int compare_report_cell(struct compare_row *row, size_t subject, const char *text, int level)
{
	row->cell[subject].level = level;
	row->cell[subject].exposure = level;
	return compare_report_set(&row->cell[subject].text, text);
}

/* ---- finding ----------------------------------------------------------------------------------------- */

int compare_report_find(const struct compare_report *report, const char *name)
{
	for (size_t i = 0; i < report->n_subjects; i++)
		if (strcmp(report->subject[i].name, name) == 0)
			return (int)i;
	return -1;
}

struct compare_row *compare_report_find_row(const struct compare_report *report, enum compare_section section, const char *name)
{
	for (size_t i = 0; i < report->n_rows; i++)
		if (report->row[i].section == section && strcmp(report->row[i].name, name) == 0)
			return &report->row[i];
	return NULL;
}

bool compare_row_is_even(const struct compare_row *row, size_t n_subjects)
{
	int level = -1;

	for (size_t i = 0; i < n_subjects; i++) {
		if (row->cell[i].text && level >= 0 && row->cell[i].level != level)
			return false;
		level = row->cell[i].text ? row->cell[i].level : level;
	}
	return true;
}

static bool is_base(const struct compare_subject *base, const struct compare_subject *subject, enum compare_metric metric)
{
	if (base == subject || base->series[metric].n == 0 || compare_summarise(&base->series[metric]).median <= 0)
		return false;
	if (compare_metrics[metric].group == GROUP_INSIDE)
		return base->kind == KIND_HOST;
	return base->kind == KIND_TOOL && subject->kind == KIND_BACKEND && base->backend && strcmp(base->backend, subject->name) == 0;
}

const struct compare_subject *compare_report_base(const struct compare_report *report, const struct compare_subject *subject, enum compare_metric metric)
{
	for (size_t i = 0; i < report->n_subjects && subject->series[metric].n; i++)
		if (is_base(&report->subject[i], subject, metric) && isfinite(compare_ratio(subject, &report->subject[i], metric)))
			return &report->subject[i];
	return NULL;
}

double compare_ratio(const struct compare_subject *subject, const struct compare_subject *base, enum compare_metric metric)
{
	return compare_summarise(&subject->series[metric]).median / compare_summarise(&base->series[metric]).median;
}
