/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONVERT_CONVERT_H
#define CONVERT_CONVERT_H

/*
 * From one format to another: the report of the reader (source key -> field) and that of the writer (field -> target key) joined into
 * one (source key -> field -> target key), in which every key of the source stands exactly once.
 */

#include <stdbool.h>

#include <moorage/moorage.h>

/* Rows of a report with strings of their own. */
struct report_rows {
	struct mrg_report_row *item;
	size_t n;
};

/* A mrg_report_fn: appends a copy of @row; @rows is a struct report_rows. -ENOMEM. */
int report_rows_add(const struct mrg_report_row *row, void *rows);
void report_rows_deinit(struct report_rows *rows);

/*
 * What became of each key. Rows of @ret in the order of @read, with the verdict that is worse, the key of the target, and both
 * sentences; then a row without source for each field that no key names: what the source format means when it says nothing.
 * @same: what the reader kept verbatim (DROPPED or WEAKENS in @read) was written back by the writer, and is carried.
 */
int report_rows_join(const struct report_rows *read, const struct report_rows *write, bool same, struct report_rows *ret,
		     struct mrg_error *err);

/* Whether one of @accept (NULL-terminated, may be NULL) names the row: its source key (with or without section and "="), its field by
 * path or by dotted name; or all of them. */
#define ACCEPT_ALL	"all"
bool report_row_accepted(const struct mrg_report_row *row, const char *const *accept);

/* Whether each word of @accept names one of the rows: -MRG_E_INVALID for one that is misspelt, with the nearest name as a hint. */
int report_rows_check_words(const struct mrg_report_row *rows, size_t n, const char *const *accept, struct mrg_error *err);

/* Judges @rows from the row @worst (MRG_WEAKENS, or MRG_DROPPED to be strict) on: -MRG_E_UNSUPPORTED naming the first that no
 * word of @accept names; else 1 when one was dropped that is not accepted, else 0. A row without source that is dropped does not count. */
int report_rows_judge(const struct mrg_report_row *rows, size_t n, int worst, const char *const *accept, struct mrg_error *err);

#endif
