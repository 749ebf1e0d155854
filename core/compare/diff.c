/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two reports: what has become worse beyond chance, and where containers are weaker. */

#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/compare/report.h"
#include "core/util/json.h"

/* A change by less is none, however sure it is. */
#define WORTH_TELLING	0.05

struct change {
	const char *subject;
	const struct compare_metric_info *metric;	/* NULL: a row of the matrix */
	const struct compare_row *row;
	double before, after;		/* medians */
	const char *old_text, *new_text;
	bool worse;
};

/* How many there are. */
struct tally {
	unsigned int worse;
	unsigned int unsure;		/* medians that differ, of samples that do not beyond chance */
};

typedef void found_change(const struct change *change, void *data);

/* ---- finding --------------------------------------------------------------------------------------------------- */

/* One number each: sizes and counts. They are no chance, so any change that is worth telling counts. */
static bool is_single(const struct compare_series *a, const struct compare_series *b, enum compare_unit unit)
{
	return a->n == 1 && b->n == 1 && (unit == UNIT_BYTES || unit == UNIT_COUNT);
}

static bool compare_metric(const struct compare_series *a, const struct compare_series *b, const struct compare_metric_info *info, struct change *ret,
			   struct tally *tally)
{
	enum compare_verdict verdict = compare_tell_apart(a, b);
	double before = compare_summarise(a).median, after = compare_summarise(b).median;

	if (a->n == 0 || b->n == 0 || fabs(after - before) <= WORTH_TELLING * before)
		return false;
	if (!is_single(a, b, info->unit) && verdict != VERDICT_LESS && verdict != VERDICT_MORE) {
		tally->unsure++;
		return false;
	}
	ret->metric = info;
	ret->before = before;
	ret->after = after;
	ret->worse = (after > before) != info->more_is_better;
	return true;
}

/* Texts may have numbers of their time in them: what counts is how much is exposed. */
static bool compare_cells(const struct compare_cell *a, const struct compare_cell *b, struct change *ret)
{
	if (!a->text || !b->text || a->exposure == b->exposure)
		return false;
	ret->old_text = a->text;
	ret->new_text = b->text;
	ret->worse = b->exposure > a->exposure;
	return true;
}

/* Two of one name in two reports. */
struct pair {
	const struct compare_report *old, *new_;
	size_t i, j;
};

static void compare_subjects(const struct pair *pair, found_change *found, void *data, struct tally *tally)
{
	const struct compare_report *old = pair->old, *new_ = pair->new_;
	size_t i = pair->i, j = pair->j;

	for (int metric = 0; metric < METRICS; metric++) {
		struct change change = { .subject = new_->subject[j].name };

		if (!compare_metric(&old->subject[i].series[metric], &new_->subject[j].series[metric], &compare_metrics[metric], &change, tally))
			continue;
		tally->worse += change.worse;
		found(&change, data);
	}
	for (size_t k = 0; k < new_->n_rows; k++) {
		const struct compare_row *row = &new_->row[k], *before = compare_report_find_row(old, row->section, row->name);
		struct change change = { .subject = new_->subject[j].name, .row = row };

		if (!before || !compare_cells(&before->cell[i], &row->cell[j], &change))
			continue;
		tally->worse += change.worse;
		found(&change, data);
	}
}

static struct tally compare_reports(const struct compare_report *old, const struct compare_report *new_, found_change *found, void *data)
{
	struct tally tally = { .worse = 0 };

	for (size_t j = 0; j < new_->n_subjects; j++) {
		int i = compare_report_find(old, new_->subject[j].name);

		if (i >= 0)
			compare_subjects(&(struct pair){ .old = old, .new_ = new_, .i = (size_t)i, .j = j }, found, data, &tally);
	}
	return tally;
}

/* ---- telling --------------------------------------------------------------------------------------------------- */

struct text {
	const struct compare_style *style;
	struct buffer *b;
	unsigned int n;
};

static void tell(const struct change *c, void *data)
{
	struct text *t = data;
	char before[COMPARE_VALUE_SIZE], after[COMPARE_VALUE_SIZE];

	t->n++;
	buffer_addf(t->b, "%s%-6s%s  %s: %s: ", c->worse ? t->style->weak : t->style->good, c->worse ? "worse" : "better", t->style->plain, c->subject,
		    c->metric ? c->metric->title : c->row->name);
	if (c->metric)
		buffer_addf(t->b, "%s -> %s (%+.0f %%)\n", compare_value(before, c->metric->unit, c->before), compare_value(after, c->metric->unit, c->after),
			    c->before > 0 ? (c->after / c->before - 1) * 100 : 100.0);
	else
		buffer_addf(t->b, "%s -> %s\n", c->old_text, c->new_text);
}

static void tell_strangers(const struct compare_report *a, const struct compare_report *b, const char *which, struct buffer *to)
{
	for (size_t i = 0; i < a->n_subjects; i++)
		if (compare_report_find(b, a->subject[i].name) < 0)
			buffer_addf(to, "only in the %s: %s\n", which, a->subject[i].name);
}

int compare_diff(const struct compare_report *old, const struct compare_report *new_, const struct compare_style *style, struct buffer *b)
{
	struct text text = { .style = style, .b = b };
	struct tally tally;

	if (strcmp(old->host, new_->host) != 0 || strcmp(old->kernel, new_->kernel) != 0 || strcmp(old->root, new_->root) != 0)
		buffer_addf(b, "not of one kind: %s, Linux %s, %s; and %s, Linux %s, %s\n", old->host, old->kernel, old->root, new_->host, new_->kernel, new_->root);
	tell_strangers(old, new_, "old one", b);
	tell_strangers(new_, old, "new one", b);
	tally = compare_reports(old, new_, tell, &text);
	buffer_addf(b, "%u changes beyond chance, %u for the worse\n", text.n, tally.worse);
	if (tally.unsure)
		buffer_addf(b, "%u more medians differ by 5 %% or more, which may be chance: more runs on a quiet host would tell\n", tally.unsure);
	return b->failed ? -ENOMEM : (int)tally.worse;
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

struct list {
	struct buffer *b;
	bool begun;
};

static void quote(struct buffer *b, const char *key, const char *value)
{
	buffer_addf(b, ",\"%s\":", key);
	if (json_quote(b, value) < 0)
		b->failed = true;
}

static void list(const struct change *c, void *data)
{
	struct list *l = data;

	buffer_addf(l->b, "%s{\"change\":\"%s\"", l->begun ? "," : "", c->worse ? "worse" : "better");
	l->begun = true;
	quote(l->b, "subject", c->subject);
	quote(l->b, c->metric ? "metric" : "row", c->metric ? c->metric->id : c->row->name);
	if (c->metric) {
		buffer_addf(l->b, ",\"old\":%.6g,\"new\":%.6g}", c->before, c->after);
	} else {
		quote(l->b, "old", c->old_text);
		quote(l->b, "new", c->new_text);
		buffer_addf(l->b, "}");
	}
}

int compare_diff_json(const struct compare_report *old, const struct compare_report *new_, struct buffer *b)
{
	struct list l = { .b = b };
	struct tally tally;

	buffer_addf(b, "{\"schema\":\"moorage/compare-diff/v1\",\"changes\":[");
	tally = compare_reports(old, new_, list, &l);
	buffer_addf(b, "],\"worse\":%u,\"unsure\":%u}\n", tally.worse, tally.unsure);
	return b->failed ? -ENOMEM : (int)tally.worse;
}
