/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report from JSON that anybody may have written. Members and metrics that are not known are passed over: a later version may have them. */

#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/compare/report.h"
#include "core/util/fail.h"
#include "core/util/json.h"

static int bad(struct mrg_error *err, const char *what)
{
	return mrg_error_set(err, -MRG_E_INVALID, "no report of a comparison: %s", what);
}

static int expect(const struct json *object, const char *key, enum json_type type, const struct json **ret, struct mrg_error *err)
{
	*ret = json_member(object, key);
	if (*ret && (*ret)->type == type)
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "no report of a comparison: '%s' must be %s", key, json_type_name(type));
}

static int read_text(const struct json *object, const char *key, char **to, struct mrg_error *err)
{
	const struct json *value;
	int r = expect(object, key, JSON_STRING, &value, err);

	if (r < 0)
		return r;
	return compare_report_set(to, value->text) < 0 ? fail_memory(err) : 0;
}

static int read_optional(const struct json *object, const char *key, char **to, struct mrg_error *err)
{
	const struct json *value = json_member(object, key);

	return !value || value->type == JSON_NULL ? 0 : read_text(object, key, to, err);
}

static int read_number(const struct json *value, double *ret)
{
	if (!value || value->type != JSON_NUMBER)
		return -EINVAL;
	*ret = strtod(value->text, NULL);
	return isfinite(*ret) && *ret >= 0 ? 0 : -EINVAL;
}

static int read_count(const struct json *object, const char *key, unsigned int *ret, struct mrg_error *err)
{
	double value;

	if (read_number(json_member(object, key), &value) < 0 || value > 1e9)
		return mrg_error_set(err, -MRG_E_INVALID, "no report of a comparison: '%s' must be a number up to 1e9", key);
	*ret = (unsigned int)value;
	return 0;
}

/* The place of @word among @words, or -1. */
static int word_index(const struct json *word, const char *const *words, int n)
{
	for (int i = 0; word && word->type == JSON_STRING && i < n; i++)
		if (strcmp(word->text, words[i]) == 0)
			return i;
	return -1;
}

/* ---- the parts --------------------------------------------------------------------------------------- */

static int read_subject(struct compare_report *report, const struct json *object, struct mrg_error *err)
{
	int kind = word_index(json_member(object, "kind"), compare_kinds, KINDS), r;
	struct compare_subject *subject;
	char *name = NULL;

	if (kind < 0)
		return bad(err, "a subject is host, backend or tool");
	r = read_text(object, "name", &name, err);
	if (r < 0)
		return r;
	if (compare_report_find(report, name) >= 0) {
		free(name);
		return bad(err, "two subjects have one name");
	}
	subject = compare_report_subject(report, (enum compare_kind)kind, name);
	free(name);
	if (!subject)
		return report->n_subjects == COMPARE_SUBJECTS ? bad(err, "too many subjects") : fail_memory(err);
	r = read_optional(object, "engine", &subject->engine, err);
	if (r == 0)
		r = read_optional(object, "reason", &subject->reason, err);
	if (r == 0)
		r = read_optional(object, "command", &subject->command, err);
	return r < 0 ? r : read_optional(object, "backend", &subject->backend, err);
}

/* Names in the file are compared as they are in the report. */
static int find_subject(const struct compare_report *report, const char *name)
{
	_cleanup_free_ char *clean = compare_text(name);

	return clean ? compare_report_find(report, clean) : -1;
}

static int read_series(struct compare_subject *subject, int metric, const struct json *object, struct mrg_error *err)
{
	const struct json *samples;
	int r = expect(object, "samples", JSON_ARRAY, &samples, err);

	for (const struct json *s = r < 0 ? NULL : samples->first; s && r == 0; s = s->next) {
		double value;

		if (read_number(s, &value) < 0)
			return bad(err, "a sample must be a number that is not negative");
		r = compare_report_sample(subject, (enum compare_metric)metric, value);
		if (r < 0)
			return r == -E2BIG ? bad(err, "too many samples") : fail_memory(err);
	}
	return r;
}

static int read_metric(struct compare_report *report, const struct json *object, struct mrg_error *err)
{
	const struct json *id, *of = NULL;
	int r = expect(object, "id", JSON_STRING, &id, err), metric;

	if (r == 0)
		r = expect(object, "of", JSON_OBJECT, &of, err);
	if (r < 0)
		return r;
	metric = compare_metric_find(id->text);
	for (const struct json *s = metric < 0 ? NULL : of->first; s && r == 0; s = s->next) {
		int i = find_subject(report, s->key);

		if (i < 0)
			return bad(err, "samples of a subject that there is not");
		if (report->subject[i].series[metric].n)
			return bad(err, "a metric is there twice");
		r = read_series(&report->subject[i], metric, s, err);
	}
	return r;
}

static int read_cell(struct compare_report *report, struct compare_row *row, const struct json *cell, struct mrg_error *err)
{
	int i = find_subject(report, cell->key), r;
	unsigned int level;

	if (i < 0)
		return bad(err, "a row tells of a subject that there is not");
	r = read_text(cell, "text", &row->cell[i].text, err);
	if (r == 0)
		r = read_count(cell, "level", &level, err);
	if (r < 0)
		return r;
	if (read_number(json_member(cell, "exposure"), &row->cell[i].exposure) < 0)
		return bad(err, "'exposure' must be a number that is not negative");
	row->cell[i].level = level < COMPARE_LEVELS ? (int)level : COMPARE_LEVELS - 1;
	return 0;
}

static int read_row(struct compare_report *report, const struct json *object, struct mrg_error *err)
{
	int section = word_index(json_member(object, "section"), compare_sections, SECTIONS), r;
	_cleanup_free_ char *name = NULL;
	const struct json *of = NULL;
	struct compare_row *row;

	if (section < 0)
		return bad(err, "there is no such section of the matrix");
	r = read_text(object, "name", &name, err);
	if (r == 0)
		r = expect(object, "of", JSON_OBJECT, &of, err);
	if (r < 0)
		return r;
	if (compare_report_find_row(report, (enum compare_section)section, name))
		return bad(err, "a row of the matrix is there twice");
	row = compare_report_row(report, (enum compare_section)section, name);
	if (!row)
		return report->n_rows == COMPARE_ROWS ? bad(err, "too many rows") : fail_memory(err);
	for (const struct json *cell = of->first; cell && r == 0; cell = cell->next)
		r = read_cell(report, row, cell, err);
	return r;
}

static int read_warning(struct compare_report *report, const struct json *text, struct mrg_error *err)
{
	if (text->type != JSON_STRING)
		return bad(err, "a warning must be a string");
	return compare_report_warn(report, "%s", text->text) == -ENOMEM ? fail_memory(err) : 0;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static int read_list(struct compare_report *report, const struct json *top, const char *key,
		     int (*read)(struct compare_report *report, const struct json *element, struct mrg_error *err), struct mrg_error *err)
{
	const struct json *list;
	int r = expect(top, key, JSON_ARRAY, &list, err);

	for (const struct json *element = r < 0 ? NULL : list->first; element && r == 0; element = element->next)
		r = read(report, element, err);
	return r;
}

static int read_head(struct compare_report *report, const struct json *top, struct mrg_error *err)
{
	struct { const char *key; char **to; } texts[] = {
		{ "version", &report->version }, { "time", &report->time }, { "host", &report->host },
		{ "kernel", &report->kernel }, { "cpu", &report->cpu }, { "root", &report->root },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++)
		r = read_text(top, texts[i].key, texts[i].to, err);
	if (r == 0)
		r = read_count(top, "cpus", &report->cpus, err);
	if (r == 0)
		r = read_count(top, "runs", &report->runs, err);
	if (r == 0 && read_number(json_member(top, "seconds"), &report->seconds) < 0)
		r = bad(err, "'seconds' must be a number");
	return r;
}

int compare_read(const char *text, size_t length, struct compare_report **ret, struct mrg_error *err)
{
	_cleanup_report_ struct compare_report *report = compare_report_new();
	_cleanup_(json_freep) struct json *top = NULL;
	const struct json *schema;
	int r = report ? json_parse(text, length, &top, err) : fail_memory(err);

	if (r < 0)
		return r;
	schema = json_member(top, "schema");
	if (!schema || schema->type != JSON_STRING || strcmp(schema->text, COMPARE_SCHEMA) != 0)
		return bad(err, "its schema is not '" COMPARE_SCHEMA "'");
	r = read_head(report, top, err);
	if (r == 0)
		r = read_list(report, top, "subjects", read_subject, err);
	if (r == 0)
		r = read_list(report, top, "metrics", read_metric, err);
	if (r == 0)
		r = read_list(report, top, "matrix", read_row, err);
	if (r == 0)
		r = read_list(report, top, "warnings", read_warning, err);
	if (r == 0)
		*ret = take_ptr(report);
	return r;
}
