/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results as TAP, kept for the certificate. */

#include "config.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/certify/certify.h"

char *test_name(const struct test *test, const char *part)
{
	const struct mrg_field_info *info = test->field ? mrg_field_info((unsigned int)test->field - 1) : NULL;
	struct buffer b = { 0 };

	buffer_addf(&b, "%s: %s%s%s%s%s", test->section, info ? info->name : "", info ? ": " : "", test->name, part ? ": " : "",
		    part ? part : "");
	return b.text;
}

bool test_is_wanted(const struct kit *kit, const char *name)
{
	return !kit->only || fnmatch(kit->only, name, 0) == 0;
}

/* TAP is line by line, and '#' begins a directive. */
static void print_text(const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			fputs("; ", stdout);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			printf("\\x%02x", (unsigned char)*text);
		else
			putchar(*text);
}

void report_add(struct report *report, const struct test *test, const char *part, enum verdict verdict, const char *text)
{
	struct result *result = calloc(1, sizeof(*result));
	size_t n;

	if (!result)
		return;
	result->test = test;
	result->name = test_name(test, part);
	result->verdict = verdict;
	result->text = strdup(text);
	*report->last = result;
	report->last = &result->next;
	report->count[verdict]++;
	n = report->count[VERDICT_OK] + report->count[VERDICT_FAILED] + report->count[VERDICT_SKIPPED];
	printf("%sok %zu - %s", verdict == VERDICT_FAILED ? "not " : "", n, result->name ? result->name : test->name);
	if (verdict == VERDICT_SKIPPED)
		fputs(" # SKIP ", stdout);
	if (verdict == VERDICT_FAILED)
		fputs("\n# ", stdout);
	if (verdict != VERDICT_OK)
		print_text(text);
	putchar('\n');
	fflush(stdout);
}

void report_free(struct report *report)
{
	while (report->first) {
		struct result *result = report->first;

		report->first = result->next;
		free(result->name);
		free(result->text);
		free(result);
	}
}
