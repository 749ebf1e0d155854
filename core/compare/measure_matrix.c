/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs and is no number: what the kernel lets containers do, what backends honour, which limits are in force. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"

/* Of a row of the matrix while it is made: the exposures that its levels come from. */
struct exposures {
	uint64_t of[COMPARE_SUBJECTS];
};

/* The facts of one subject. */
struct take {
	struct measure *m;
	size_t subject;
	struct exposures *exposures;	/* one for each row of the report */
	int severity;			/* just now, of what is found */
	int r;
};

static void audit_freep(struct mrg_audit **audit)
{
	mrg_audit_free(*audit);
}

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

static int audit_container(struct measure *m, size_t subject, const char *name, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	char full[MEASURE_FULL_SIZE];
	int r;

	if (m->report->subject[subject].kind == KIND_TOOL)
		return mrg_audit_pid(m->library, m->held[subject].payload, ret, err);
	r = mrg_container_open(m->library, measure_full(m, subject, name, full), &c, err);

	return r < 0 ? r : mrg_audit(c, ret, err);
}

/* The row called @name; a new one when there is none. NULL: the matrix is full, or memory has run out. */
static struct compare_row *row_of(struct compare_report *report, enum compare_section section, const char *name)
{
	struct compare_row *row = compare_report_find_row(report, section, name);

	return row ? row : compare_report_row(report, section, name);
}

/* ---- isolation ------------------------------------------------------------------------------------------------ */

/* Limits have a section of their own; what a walk had to leave out is no fact of the container. */
static bool is_isolation(const struct mrg_audit_fact *fact)
{
	static const char *const others[] = { "limit", "limit-lost", "rlimit", "walk", "descriptor" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(fact->check, others[i]) == 0)
			return false;
	return true;
}

static int take_fact(const struct mrg_audit_fact *fact, void *data)
{
	struct take *take = data;
	struct compare_report *report = take->m->report;
	struct compare_row *row;
	char name[COMPARE_TEXT];

	if (!is_isolation(fact))
		return 0;
	snprintf(name, sizeof(name), "%s%s%s", fact->check, *fact->item ? " " : "", fact->item);
	row = row_of(report, SECTION_ISOLATION, name);
	if (!row)
		return report->n_rows == COMPARE_ROWS ? 0 : -ENOMEM;
	take->exposures[row - report->row].of[take->subject] = fact->exposure;
	return compare_report_cell(row, take->subject, fact->value, 0);
}

static int take_audit(struct measure *m, size_t subject, struct exposures *exposures, struct mrg_error *err)
{
	_cleanup_(audit_freep) struct mrg_audit *audit = NULL;
	struct take take = { .m = m, .subject = subject, .exposures = exposures };
	int r = audit_container(m, subject, m->running[subject], &audit, err);

	if (r < 0)
		return r;
	return mrg_audit_facts(audit, take_fact, &take) < 0 ? fail_memory(err) : 0;
}

/* Who has no such fact is exposed to nothing; levels are told by the least and the most that there is in the row. */
static int set_levels(struct compare_report *report, const bool *audited, const struct exposures *exposures)
{
	for (size_t i = 0; i < report->n_rows; i++) {
		struct compare_row *row = &report->row[i];
		uint64_t least = UINT64_MAX, most = 0;

		for (size_t j = 0; j < report->n_subjects; j++)
			if (audited[j]) {
				least = exposures[i].of[j] < least ? exposures[i].of[j] : least;
				most = exposures[i].of[j] > most ? exposures[i].of[j] : most;
			}
		for (size_t j = 0; j < report->n_subjects; j++) {
			if (!audited[j])
				continue;
			row->cell[j].level = exposures[i].of[j] == least ? 0 : exposures[i].of[j] == most ? 2 : 1;
			row->cell[j].exposure = (double)exposures[i].of[j];
			if (!row->cell[j].text && compare_report_set(&row->cell[j].text, "no") < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_isolation(struct measure *m, struct mrg_error *err)
{
	_cleanup_free_ struct exposures *exposures = calloc(COMPARE_ROWS, sizeof(*exposures));
	bool audited[COMPARE_SUBJECTS] = { false };
	struct mrg_error why;
	int r = exposures ? 0 : -ENOMEM;

	for (size_t i = 0; i < m->report->n_subjects && r == 0; i++) {
		if (!*m->running[i])
			continue;
		r = take_audit(m, i, exposures, &why);
		audited[i] = r == 0;
		if (r < 0 && r != -ENOMEM)
			r = compare_report_warn(m->report, "%s: no audit: %.*s", m->report->subject[i].name, (int)strcspn(why.message, "\n"), why.message);
	}
	return r < 0 || set_levels(m->report, audited, exposures) < 0 ? fail_memory(err) : 0;
}

/* ---- features --------------------------------------------------------------------------------------------------- */

static int add_field(struct measure *m, const struct mrg_backend_info *infos, unsigned int field)
{
	struct compare_row *row = compare_report_row(m->report, SECTION_FEATURES, mrg_field_info(field)->name);
	int r = row ? 0 : -ENOMEM;

	for (size_t i = 0; i < m->report->n_subjects && r == 0; i++) {
		bool ever = mrg_fields_has(&infos[i].fields, field), here = infos[i].usable && mrg_fields_has(&infos[i].probe.fields, field);

		if (infos[i].name)
			r = compare_report_cell(row, i, here ? "yes" : ever ? "not here" : "no", here ? 0 : ever ? 1 : 2);
	}
	return r;
}

static int add_features(struct measure *m, struct mrg_error *err)
{
	_cleanup_free_ struct mrg_backend_info *infos = calloc(COMPARE_SUBJECTS, sizeof(*infos));
	int r = infos ? 0 : -ENOMEM;

	for (size_t i = 0; i < m->report->n_subjects && r == 0; i++)
		if (m->report->subject[i].kind == KIND_BACKEND && mrg_backend_info(m->library, m->report->subject[i].name, &infos[i], NULL) < 0)
			infos[i].name = NULL;
	for (unsigned int field = 0; field < MRG_FIELD_MAX && r == 0; field++)
		r = add_field(m, infos, field);
	return r < 0 ? fail_memory(err) : 0;
}

int measure_isolation(struct measure *m, struct mrg_error *err)
{
	int r = add_isolation(m, err);

	return r < 0 ? r : add_features(m, err);
}

/* ---- limits ------------------------------------------------------------------------------------------------------- */

/* Asked for one by one: a backend may lack one and have the others. */
static const struct limit {
	const char *name, *option, *check, *item;
	uint64_t value;			/* as the audit counts it */
} limits[] = {
	{ "memory 64 MiB", "--memory=64M", "limit", "memory", 64 << 20 },
	{ "100 processes", "--pids-limit=100", "limit", "pids", 100 },
	{ "half a CPU", "--cpus=0.5", "limit", "cpu", 500 },
	{ "300 descriptors", "--ulimit=nofile=300", "rlimit", "NOFILE", 300 },
};

struct effective {
	const struct limit *limit;
	struct compare_row *row;
	size_t subject;
	bool found;
};

/* Rounding to pages and to microseconds is no loss. */
static int take_limit(const struct mrg_audit_fact *fact, void *data)
{
	struct effective *e = data;
	char text[64];
	bool fits = fact->exposure <= e->limit->value + e->limit->value / 100 + (e->limit->value > 4096 ? 4096 : 0);

	if (strcmp(fact->check, e->limit->check) != 0 || strcmp(fact->item, e->limit->item) != 0)
		return 0;
	e->found = true;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(fact->value, ","), fact->value);
	return compare_report_cell(e->row, e->subject, text, fits ? 0 : 2);
}

/* Refusals are an answer too: the first sentence of what was said. */
static int try_limit(struct measure *m, size_t subject, const struct limit *limit, struct compare_row *row, struct mrg_error *err)
{
	const char *const options[] = { limit->option, NULL };
	_cleanup_(audit_freep) struct mrg_audit *audit = NULL;
	struct effective e = { .limit = limit, .row = row, .subject = subject };
	char name[MEASURE_NAME_SIZE];
	struct mrg_error why;
	int r = measure_hold(m, subject, "wait", options, name, &why);

	if (r == 0) {
		r = audit_container(m, subject, name, &audit, &why);
		if (r == 0 && mrg_audit_facts(audit, take_limit, &e) < 0)
			return fail_memory(err);
		measure_remove(m, subject, name, NULL);
	}
	if (r == -EINTR) {
		*err = why;
		return r;
	}
	why.message[strcspn(why.message, "\n")] = '\0';
	if (!e.found && compare_report_cell(row, subject, r < 0 ? why.message : "not known", 2) < 0)
		return fail_memory(err);
	return 0;
}

int measure_limits(struct measure *m, struct mrg_error *err)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < m->report->n_subjects; i++)
		any = any || (m->report->subject[i].kind == KIND_BACKEND && *m->running[i]);
	for (size_t i = 0; any && i < ARRAY_SIZE(limits) && r == 0; i++) {
		struct compare_row *row = compare_report_row(m->report, SECTION_LIMITS, limits[i].name);

		if (!row)
			return fail_memory(err);
		for (size_t j = 0; j < m->report->n_subjects && r == 0; j++)
			if (m->report->subject[j].kind == KIND_BACKEND && *m->running[j])
				r = try_limit(m, j, &limits[i], row, err);
	}
	return r;
}
