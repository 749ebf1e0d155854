/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as the report of a comparison that was kept: everything that is made of it, and held against itself. */

#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/compare/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct compare_style plain = { .bold = "", .weak = "", .good = "", .plain = "" };

/* Nothing that a terminal or a browser would take for more than text. */
static void check_text(const struct buffer *b, bool page)
{
	assert(!b->failed);
	for (const char *p = b->text; p && *p; p++)
		assert((unsigned char)*p >= ' ' || *p == '\n' || (page && *p == '\t'));
	assert(!page || (b->text && !strstr(b->text, "<script>alert")));
}

static void show(const struct compare_report *report)
{
	struct buffer table = { .text = NULL }, page = { .text = NULL };

	compare_table(report, &plain, &table);
	compare_table_matrix(report, &plain, &table);
	check_text(&table, false);
	compare_html(report, &page);
	check_text(&page, true);
	buffer_deinit(&table);
	buffer_deinit(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compare_report *report = NULL, *again = NULL;
	struct buffer json = { .text = NULL }, diff = { .text = NULL };
	struct mrg_error err = { 0 };

	if (compare_read((const char *)data, size, &report, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return 0;
	}
	show(report);
	compare_write(report, &json);
	check_text(&json, false);
	assert(compare_read(json.text, json.length, &again, &err) == 0);
	/* What was rounded when it was written is no change. */
	assert(compare_diff(report, again, &plain, &diff) == 0);
	assert(compare_diff_json(report, again, &diff) == 0);
	check_text(&diff, false);
	buffer_deinit(&json);
	buffer_deinit(&diff);
	compare_report_free(report);
	compare_report_free(again);
	return 0;
}
