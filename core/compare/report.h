/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_REPORT_H
#define CORE_COMPARE_REPORT_H

/*
 * What a comparison has found: subjects, a list of samples for each of them and each metric, and a matrix of texts.
 *
 * It is made by measuring or read from a file that may be hostile, and everything that is shown is made from it. All texts in it are UTF-8 without control
 * characters and marks of direction: compare_text() sees to that, so that those who show them only escape what their format needs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/error.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"

#define COMPARE_SUBJECTS	24
#define COMPARE_SAMPLES		1000	/* of one metric and subject */
#define COMPARE_ROWS		2000	/* of the matrix */
#define COMPARE_WARNINGS	100
#define COMPARE_TEXT		300	/* bytes of a text; what is longer is cut */

/* ---- metrics ------------------------------------------------------------------------------------- */

enum compare_metric {
	METRIC_FIRST, METRIC_EXIT, METRIC_REMOVED, METRIC_EXEC, METRIC_STOP, METRIC_STUBBORN, METRIC_BOOT,
	METRIC_PSS, METRIC_PRIVATE, METRIC_CGROUP, METRIC_PROCESSES, METRIC_DESCRIPTORS, METRIC_LS_1, METRIC_LS_10, METRIC_LS_100,
	METRIC_SYSCALLS, METRIC_FORKS, METRIC_FILES, METRIC_READ, METRIC_PIPE, METRIC_LOOPBACK,
	METRICS
};

enum compare_group { GROUP_START, GROUP_COST, GROUP_INSIDE, GROUPS };
enum compare_unit { UNIT_MS, UNIT_BYTES, UNIT_COUNT, UNIT_RATE, UNIT_BYTE_RATE };

struct compare_metric_info {
	const char *id, *title;
	enum compare_group group;
	enum compare_unit unit;
	bool more_is_better;
};

extern const struct compare_metric_info compare_metrics[METRICS];
extern const char *const compare_groups[GROUPS];

/* The metric called @id, or -1. */
int compare_metric_find(const char *id);

/* "12.3 ms", "1.7 MiB", "4", "3.2 M/s", "1.2 GiB/s". */
#define COMPARE_VALUE_SIZE	32
const char *compare_value(char buffer[COMPARE_VALUE_SIZE], enum compare_unit unit, double value);

/* ---- the report ------------------------------------------------------------------------------------ */

enum compare_kind { KIND_HOST, KIND_BACKEND, KIND_TOOL, KINDS };
extern const char *const compare_kinds[KINDS];

struct compare_series {
	double *value;			/* in the order they were taken; finite, not negative */
	size_t n;
};

struct compare_subject {
	enum compare_kind kind;
	char *name, *engine;		/* of a tool its version; NULL: not known */
	char *reason;			/* why it was not measured, or not wholly; NULL: nothing is missing */
	char *command;			/* what was timed for its start; NULL: nothing */
	char *backend;			/* of a tool: the one that is measured by it; NULL: none */
	struct compare_series series[METRICS];
};

enum compare_section { SECTION_ISOLATION, SECTION_FEATURES, SECTION_LIMITS, SECTIONS };
extern const char *const compare_sections[SECTIONS];
extern const char *const compare_section_titles[SECTIONS];

/* 0: as good as any in its row; more: worse, up to COMPARE_LEVELS - 1. */
#define COMPARE_LEVELS	3
struct compare_cell {
	char *text;			/* NULL: nothing is known */
	int level;			/* beside the others of its row */
	double exposure;		/* by itself: 0 is best; what two reports are compared by */
};

struct compare_row {
	enum compare_section section;
	char *name;
	struct compare_cell cell[COMPARE_SUBJECTS];
};

struct compare_report {
	char *version, *kernel, *host, *cpu, *root, *time;	/* never NULL in a whole report */
	unsigned int cpus, runs;
	double seconds;			/* that it took */
	struct compare_subject subject[COMPARE_SUBJECTS];
	size_t n_subjects;
	struct compare_row *row;
	size_t n_rows;
	char *warning[COMPARE_WARNINGS];
	size_t n_warnings;
};

struct compare_report *compare_report_new(void);
struct compare_report *compare_report_free(struct compare_report *report);
static inline void compare_report_freep(struct compare_report **report)
{
	compare_report_free(*report);
}
#define _cleanup_report_ _cleanup_(compare_report_freep)

/* A copy of @text (NULL: none) that is fit for a report; NULL when memory runs out. */
char *compare_text(const char *text);

/* Each returns NULL or -ENOMEM when memory runs out, and -E2BIG or NULL beyond the bounds above. */
struct compare_subject *compare_report_subject(struct compare_report *report, enum compare_kind kind, const char *name);
struct compare_row *compare_report_row(struct compare_report *report, enum compare_section section, const char *name);
int compare_report_sample(struct compare_subject *subject, enum compare_metric metric, double value);
int compare_report_warn(struct compare_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets a cell whose exposure is its level. */
int compare_report_cell(struct compare_row *row, size_t subject, const char *text, int level);
int compare_report_set(char **text, const char *value);

/* The subject called @name, or -1; the row, or NULL. */
int compare_report_find(const struct compare_report *report, const char *name);
struct compare_row *compare_report_find_row(const struct compare_report *report, enum compare_section section, const char *name);

/* Whether all of whom something is known are as good: texts may differ where that makes no difference. */
bool compare_row_is_even(const struct compare_row *row, size_t n_subjects);

/* Whom a metric of a subject is held against, as a ratio of medians: of work inside the host, else the raw tool that does what the backend does. NULL:
 * nobody. */
const struct compare_subject *compare_report_base(const struct compare_report *report, const struct compare_subject *subject, enum compare_metric metric);

/* The ratio of @subject to @base. */
double compare_ratio(const struct compare_subject *subject, const struct compare_subject *base, enum compare_metric metric);

/* ---- json_write.c, json_read.c --------------------------------------------------------------------- */

#define COMPARE_SCHEMA	"moorage/compare/v1"

/* Adds the report as JSON. A failure sticks to @b. */
void compare_write(const struct compare_report *report, struct buffer *b);

/* The report in @text. -MRG_E_INVALID tells what is wrong with it. */
int compare_read(const char *text, size_t length, struct compare_report **ret, struct mrg_error *err);

/* ---- statistics.c -------------------------------------------------------------------------------------- */

struct compare_summary {
	size_t n;			/* 0: the others are not set */
	double least, lower, median, upper, most;	/* lower and upper quartile */
};
struct compare_summary compare_summarise(const struct compare_series *series);

enum compare_verdict { VERDICT_UNKNOWN, VERDICT_SAME, VERDICT_LESS, VERDICT_MORE };

/* Whether the values of @b are more or less than those of @a beyond chance (a rank test, two-sided at 1 %). SAME: they cannot be told apart; UNKNOWN: so
 * few samples never can be. */
enum compare_verdict compare_tell_apart(const struct compare_series *a, const struct compare_series *b);

/* Adds a warning for all pairs whose medians differ and that cannot be told apart all the same. */
int compare_judge_noise(struct compare_report *report);

/* ---- what is made of it ----------------------------------------------------------------------------- */

struct compare_style {
	bool unicode;			/* bars of block elements, else of '#' */
	const char *bold, *weak, *good, *plain;	/* escape sequences, or "" */
};

void compare_table(const struct compare_report *report, const struct compare_style *style, struct buffer *b);
void compare_table_matrix(const struct compare_report *report, const struct compare_style *style, struct buffer *b);
void compare_html(const struct compare_report *report, struct buffer *b);

/* diff.c: what changed from @old to @new_, for humans or as JSON. Returns how many metrics and facts are worse, or -ENOMEM. */
int compare_diff(const struct compare_report *old, const struct compare_report *new_, const struct compare_style *style, struct buffer *b);
int compare_diff_json(const struct compare_report *old, const struct compare_report *new_, struct buffer *b);

#endif
