/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports of comparisons: statistics, files that were kept and may be anything, what changed, the page. */

#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/compare/report.h"

#define HOSTILE	"<script>alert('x')</script>\"&\x1b[31m\xff\u202e"

static const struct compare_style plain = { .bold = "", .weak = "", .good = "", .plain = "" };

static void add_samples(struct compare_subject *subject, enum compare_metric metric, double first, double step, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(compare_report_sample(subject, metric, first + step * (double)i), 0);
}

/* Two subjects, one of a hostile name; everything has one of its kind. */
static struct compare_report *example(double shift)
{
	struct compare_report *report = compare_report_new();
	struct compare_subject *a, *b;
	struct compare_row *row;

	assert_non_null(report);
	assert_int_equal(compare_report_set(&report->version, "1"), 0);
	assert_int_equal(compare_report_set(&report->kernel, "6.1"), 0);
	assert_int_equal(compare_report_set(&report->host, HOSTILE), 0);
	assert_int_equal(compare_report_set(&report->cpu, "cpu"), 0);
	assert_int_equal(compare_report_set(&report->root, "/root"), 0);
	assert_int_equal(compare_report_set(&report->time, "2026-01-02T03:04:05Z"), 0);
	report->runs = 20;
	a = compare_report_subject(report, KIND_BACKEND, "native");
	b = compare_report_subject(report, KIND_TOOL, HOSTILE);
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(compare_report_set(&b->reason, HOSTILE), 0);
	assert_int_equal(compare_report_set(&b->command, HOSTILE), 0);
	add_samples(a, METRIC_REMOVED, 10 + shift, 0.01, 20);
	add_samples(b, METRIC_REMOVED, 20, 0.01, 20);
	add_samples(a, METRIC_SYSCALLS, 1e6 - shift * 1e5, 1, 20);
	add_samples(a, METRIC_PSS, 1000, 0, 1);
	row = compare_report_row(report, SECTION_ISOLATION, HOSTILE);
	assert_non_null(row);
	assert_int_equal(compare_report_cell(row, 0, shift > 0 ? "shared" : "its own", shift > 0 ? 2 : 0), 0);
	assert_int_equal(compare_report_cell(row, 1, HOSTILE, 1), 0);
	assert_int_equal(compare_report_warn(report, "%s", HOSTILE), 0);
	return report;
}

static struct compare_report *read_back(const struct compare_report *report)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	struct compare_report *ret = NULL;
	struct mrg_error err = { 0 };

	compare_write(report, &b);
	assert_false(b.failed);
	assert_int_equal(compare_read(b.text, b.length, &ret, &err), 0);
	return ret;
}

/* ---- statistics ------------------------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
	double values[] = { 9, 1, 5, 3, 7 };
	struct compare_series series = { values, 5 };
	struct compare_summary s = compare_summarise(&series);

	(void)state;
	assert_true(s.least == 1 && s.lower == 3 && s.median == 5 && s.upper == 7 && s.most == 9);
	series.n = 2;
	s = compare_summarise(&series);
	assert_true(s.lower == 3 && s.median == 5 && s.upper == 7);
	series.n = 1;
	s = compare_summarise(&series);
	assert_true(s.least == 9 && s.median == 9 && s.most == 9);
	series.n = 0;
	assert_int_equal(compare_summarise(&series).n, 0);
	assert_true(values[0] == 9 && values[4] == 7);
}

static void test_tell_apart(void **state)
{
	double low[20], high[20], mixed[20];
	struct compare_series a = { low, 20 }, b = { high, 20 }, c = { mixed, 20 };

	(void)state;
	for (int i = 0; i < 20; i++) {
		low[i] = 10 + i;
		high[i] = 25 + i;
		mixed[i] = i % 2 ? 10 + i : 11 + i;
	}
	assert_int_equal(compare_tell_apart(&a, &b), VERDICT_MORE);
	assert_int_equal(compare_tell_apart(&b, &a), VERDICT_LESS);
	assert_int_equal(compare_tell_apart(&a, &c), VERDICT_SAME);
	assert_int_equal(compare_tell_apart(&a, &a), VERDICT_SAME);
	/* Three against three can never be sure, five can when nothing overlaps. */
	a.n = b.n = 3;
	assert_int_equal(compare_tell_apart(&a, &b), VERDICT_UNKNOWN);
	a.n = b.n = 5;
	assert_int_equal(compare_tell_apart(&a, &b), VERDICT_MORE);
	a.n = 0;
	assert_int_equal(compare_tell_apart(&a, &b), VERDICT_UNKNOWN);
}

static void test_noise_is_told(void **state)
{
	_cleanup_report_ struct compare_report *report = compare_report_new();
	struct compare_subject *a = compare_report_subject(report, KIND_BACKEND, "a"), *b = compare_report_subject(report, KIND_BACKEND, "b");

	(void)state;
	/* From 10 to 48 and from 13 to 51: far apart in their medians, one in their middle. */
	add_samples(a, METRIC_EXEC, 10, 2, 20);
	add_samples(b, METRIC_EXEC, 13, 2, 20);
	add_samples(a, METRIC_STOP, 10, 0.1, 20);
	add_samples(b, METRIC_STOP, 20, 0.1, 20);
	add_samples(a, METRIC_PSS, 10, 0, 1);
	add_samples(b, METRIC_PSS, 20, 0, 1);
	assert_int_equal(compare_judge_noise(report), 0);
	assert_int_equal(report->n_warnings, 1);
	assert_non_null(strstr(report->warning[0], "too noisy: a and b"));
	assert_non_null(strstr(report->warning[0], compare_metrics[METRIC_EXEC].title));
}

static void test_samples_are_numbers(void **state)
{
	_cleanup_report_ struct compare_report *report = compare_report_new();
	struct compare_subject *a = compare_report_subject(report, KIND_BACKEND, "a");

	(void)state;
	assert_int_equal(compare_report_sample(a, METRIC_EXEC, -1), -EINVAL);
	assert_int_equal(compare_report_sample(a, METRIC_EXEC, 0.0 / 0.0), -EINVAL);
	assert_int_equal(compare_report_sample(a, METRIC_EXEC, 1e308 * 10), -EINVAL);
	add_samples(a, METRIC_EXEC, 0, 1, COMPARE_SAMPLES);
	assert_int_equal(compare_report_sample(a, METRIC_EXEC, 1), -E2BIG);
}

/* A backend is held against its own tool alone, and work inside against the host; nobody is where there is no number. */
static void test_base(void **state)
{
	_cleanup_report_ struct compare_report *report = compare_report_new();
	_cleanup_(buffer_deinit) struct buffer table = { .text = NULL }, page = { .text = NULL }, json = { .text = NULL };
	struct compare_subject *host = compare_report_subject(report, KIND_HOST, "host"), *lxc = compare_report_subject(report, KIND_BACKEND, "lxc");
	struct compare_subject *crun = compare_report_subject(report, KIND_TOOL, "crun"), *tool = compare_report_subject(report, KIND_TOOL, "lxc-execute");
	char **texts[] = { &report->version, &report->kernel, &report->host, &report->cpu, &report->root, &report->time };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(compare_report_set(texts[i], "x"), 0);
	assert_int_equal(compare_report_set(&crun->backend, "native"), 0);
	assert_int_equal(compare_report_set(&tool->backend, "lxc"), 0);
	add_samples(lxc, METRIC_EXEC, 21, 0, 3);
	add_samples(crun, METRIC_EXEC, 5, 0, 3);
	assert_null(compare_report_base(report, lxc, METRIC_EXEC));
	add_samples(tool, METRIC_EXEC, 20, 0, 3);
	assert_ptr_equal(compare_report_base(report, lxc, METRIC_EXEC), tool);
	assert_null(compare_report_base(report, tool, METRIC_EXEC));
	assert_true(compare_ratio(lxc, tool, METRIC_EXEC) > 1.049 && compare_ratio(lxc, tool, METRIC_EXEC) < 1.051);
	add_samples(lxc, METRIC_FORKS, 50, 0, 1);
	add_samples(tool, METRIC_FORKS, 60, 0, 1);
	assert_null(compare_report_base(report, lxc, METRIC_FORKS));
	add_samples(host, METRIC_FORKS, 100, 0, 1);
	assert_ptr_equal(compare_report_base(report, lxc, METRIC_FORKS), host);
	/* What nothing is, or next to it, divides nothing. */
	add_samples(lxc, METRIC_PSS, 1e300, 0, 1);
	add_samples(tool, METRIC_PSS, 0, 0, 1);
	assert_null(compare_report_base(report, lxc, METRIC_PSS));
	add_samples(tool, METRIC_PSS, 1e-300, 0, 2);
	assert_null(compare_report_base(report, lxc, METRIC_PSS));
	compare_table(report, &plain, &table);
	assert_non_null(strstr(table.text, "1.05 of lxc-execute"));
	assert_non_null(strstr(table.text, "0.50 of the host"));
	compare_html(report, &page);
	assert_non_null(strstr(page.text, "1.05 of lxc-execute"));
	compare_write(report, &json);
	assert_non_null(strstr(json.text, "\"ratio\":1.05,\"ratioTo\":\"lxc-execute\""));
}

static void test_values(void **state)
{
	char text[COMPARE_VALUE_SIZE];

	(void)state;
	assert_string_equal(compare_value(text, UNIT_MS, 3.14159), "3.14 ms");
	assert_string_equal(compare_value(text, UNIT_MS, 1234.5), "1234 ms");
	assert_string_equal(compare_value(text, UNIT_BYTES, 1536), "1.50 KiB");
	assert_string_equal(compare_value(text, UNIT_RATE, 2500000), "2.50 M/s");
	assert_string_equal(compare_value(text, UNIT_COUNT, 12), "12");
	assert_true(strlen(compare_value(text, UNIT_BYTE_RATE, 1e300)) < COMPARE_VALUE_SIZE);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static void test_round_trip(void **state)
{
	_cleanup_report_ struct compare_report *report = example(0), *again = read_back(report);
	_cleanup_(buffer_deinit) struct buffer a = { .text = NULL }, b = { .text = NULL };

	(void)state;
	assert_int_equal(again->n_subjects, 2);
	assert_int_equal(again->n_rows, 1);
	assert_int_equal(again->n_warnings, 1);
	assert_int_equal(again->subject[0].series[METRIC_REMOVED].n, 20);
	assert_true(again->subject[1].kind == KIND_TOOL && again->row[0].cell[1].level == 1);
	assert_null(again->subject[0].reason);
	compare_write(report, &a);
	compare_write(again, &b);
	assert_string_equal(a.text, b.text);
}

/* What is cut off is an error, never read beyond, and nothing is leaked. */
static void test_cut(void **state)
{
	_cleanup_report_ struct compare_report *report = example(0);
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	(void)state;
	compare_write(report, &b);
	for (size_t n = 0; n < b.length; n++) {
		char *text = malloc(n + 1);
		struct compare_report *none = NULL;
		struct mrg_error err = { 0 };

		memcpy(text, b.text, n);
		text[n] = '\0';
		assert_true(compare_read(text, n, &none, &err) < 0);
		assert_null(none);
		assert_true(err.message[0]);
		free(text);
	}
}

#define HEAD	"{\"schema\":\"moorage/compare/v1\",\"version\":\"1\",\"time\":\"t\",\"host\":\"h\",\"kernel\":\"k\",\"cpu\":\"c\",\"root\":\"r\","	\
		"\"cpus\":2,\"runs\":3,\"seconds\":1,"
#define SUBJECT	"\"subjects\":[{\"kind\":\"backend\",\"name\":\"a\"}],"
#define REST	"\"metrics\":[],\"matrix\":[],\"warnings\":[]}"

static void test_bad_files(void **state)
{
	static const struct { const char *text, *message; } cases[] = {
		{ "[]", "schema" },
		{ "{\"schema\":7}", "schema" },
		{ "{\"schema\":\"moorage/compare/v2\"}", "schema" },
		{ "{\"schema\":\"moorage/compare/v1\"}", "'version' must be a string" },
		{ HEAD SUBJECT "\"metrics\":{},\"matrix\":[],\"warnings\":[]}", "'metrics' must be an array" },
		{ HEAD "\"subjects\":[7]," REST, "a subject is" },
		{ HEAD "\"subjects\":[{\"kind\":\"planet\",\"name\":\"a\"}]," REST, "a subject is" },
		{ HEAD "\"subjects\":[{\"kind\":\"host\",\"name\":\"a\"},{\"kind\":\"tool\",\"name\":\"a\"}]," REST, "one name" },
		{ HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"b\":{\"samples\":[1]}}}],\"matrix\":[],\"warnings\":[]}", "that there is not" },
		{ HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[-1]}}}],\"matrix\":[],\"warnings\":[]}", "a sample must be" },
		{ HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[1e999]}}}],\"matrix\":[],\"warnings\":[]}", "a sample must be" },
		{ HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[\"1\"]}}}],\"matrix\":[],\"warnings\":[]}", "a sample must be" },
		{ HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[1]}}},{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[1]}}}],"
		  "\"matrix\":[],\"warnings\":[]}", "twice" },
		{ HEAD SUBJECT "\"metrics\":[],\"matrix\":[{\"section\":\"x\"}],\"warnings\":[]}", "section" },
		{ HEAD SUBJECT "\"metrics\":[],\"matrix\":[{\"section\":\"limits\",\"name\":\"n\",\"of\":{\"a\":{\"text\":\"t\"}}}],\"warnings\":[]}", "'level'" },
		{ HEAD SUBJECT "\"metrics\":[],\"matrix\":[{\"section\":\"limits\",\"name\":\"n\",\"of\":{}},{\"section\":\"limits\",\"name\":\"n\",\"of\":{}}],\"warnings\":[]}",
		  "twice" },
		{ HEAD SUBJECT "\"metrics\":[],\"matrix\":[],\"warnings\":[7]}", "a warning must be" },
		{ HEAD SUBJECT "\"metrics\":[],\"matrix\":[],\"warnings\":[]}x", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct compare_report *none = NULL;
		struct mrg_error err = { 0 };

		assert_int_equal(compare_read(cases[i].text, strlen(cases[i].text), &none, &err), -MRG_E_INVALID);
		assert_null(none);
		assert_non_null(strstr(err.message, cases[i].message));
	}
}

/* What a later version may add is passed over, a level that there is not yet is the worst. */
static void test_later_files(void **state)
{
	static const char text[] = HEAD "\"new\":[1]," SUBJECT "\"metrics\":[{\"id\":\"novel\",\"of\":{\"a\":{\"samples\":[1]}}}],"
				   "\"matrix\":[{\"section\":\"limits\",\"name\":\"n\",\"of\":{\"a\":{\"text\":\"t\",\"level\":99,\"exposure\":1}}}],\"warnings\":[]}";
	_cleanup_report_ struct compare_report *report = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(compare_read(text, strlen(text), &report, &err), 0);
	assert_int_equal(report->row[0].cell[0].level, COMPARE_LEVELS - 1);
}

static void test_bounds(void **state)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	struct compare_report *none = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	buffer_addf(&b, HEAD "\"subjects\":[");
	for (int i = 0; i <= COMPARE_SUBJECTS; i++)
		buffer_addf(&b, "%s{\"kind\":\"tool\",\"name\":\"%d\"}", i ? "," : "", i);
	buffer_addf(&b, "]," REST);
	assert_int_equal(compare_read(b.text, b.length, &none, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "too many subjects"));
	b.length = 0;
	buffer_addf(&b, HEAD SUBJECT "\"metrics\":[{\"id\":\"exec\",\"of\":{\"a\":{\"samples\":[1");
	for (int i = 0; i < COMPARE_SAMPLES; i++)
		buffer_addf(&b, ",1");
	buffer_addf(&b, "]}}}],\"matrix\":[],\"warnings\":[]}");
	assert_int_equal(compare_read(b.text, b.length, &none, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "too many samples"));
}

/* ---- what is made of it ---------------------------------------------------------------------------------------------- */

static void assert_clean(const char *text)
{
	for (; *text; text++)
		assert_true(*text == '\n' || (unsigned char)*text >= ' ');
}

static void test_hostile_texts(void **state)
{
	_cleanup_report_ struct compare_report *report = example(0);
	_cleanup_(buffer_deinit) struct buffer table = { .text = NULL }, page = { .text = NULL };

	(void)state;
	compare_table(report, &plain, &table);
	compare_table_matrix(report, &plain, &table);
	assert_clean(table.text);
	assert_null(strstr(table.text, "\u202e"));
	assert_non_null(strstr(table.text, "\\x1b[31m\\xff"));
	compare_html(report, &page);
	assert_clean(page.text);
	assert_null(strstr(page.text, "<script"));
	assert_null(strstr(page.text, "alert('x')"));
	assert_non_null(strstr(page.text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\\x1b[31m\\xff"));
	assert_null(strstr(page.text, "http://"));
	assert_null(strstr(page.text, "https://"));
	assert_null(strstr(page.text, "url("));
}

static void test_long_texts_are_cut(void **state)
{
	char text[4 * COMPARE_TEXT + 1];
	_cleanup_free_ char *cut = NULL;

	(void)state;
	memset(text, '\x1b', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cut = compare_text(text);
	assert_true(strlen(cut) < COMPARE_TEXT + 16);
	assert_string_equal(cut + strlen(cut) - 3, "...");
}

/* As large as measuring makes it: with all that there is of each. */
static void test_page_is_small(void **state)
{
	_cleanup_report_ struct compare_report *report = example(0);
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	(void)state;
	for (int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "subject-%d", i);
		assert_non_null(compare_report_subject(report, KIND_BACKEND, name));
	}
	for (size_t i = 0; i < report->n_subjects; i++)
		for (int metric = 0; metric < METRICS; metric++)
			if (report->subject[i].series[metric].n == 0)
				add_samples(&report->subject[i], (enum compare_metric)metric, 123.456, 0.789, 100);
	for (int i = 0; i < 200; i++) {
		char name[32];
		struct compare_row *row;

		snprintf(name, sizeof(name), "row %d", i);
		row = compare_report_row(report, SECTION_ISOLATION, name);
		for (size_t j = 0; j < report->n_subjects; j++)
			assert_int_equal(compare_report_cell(row, j, "its own: cgroup:[4026532]", i % 3), 0);
	}
	compare_html(report, &b);
	assert_true(b.length < 500000);
}

static void test_diff(void **state)
{
	_cleanup_report_ struct compare_report *old = example(0), *new_ = example(2), *same = example(0.1);
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL }, json = { .text = NULL };

	(void)state;
	/* Time and system calls and one row are worse, and back they are better. */
	assert_int_equal(compare_diff(old, new_, &plain, &b), 3);
	assert_non_null(strstr(b.text, "worse   native: create to removed (the whole command): 10.1 ms -> 12.1 ms (+20 %)"));
	assert_non_null(strstr(b.text, "system calls: 1.00 M/s -> 800 k/s (-20 %)"));
	assert_non_null(strstr(b.text, "its own -> shared"));
	assert_int_equal(compare_diff(new_, old, &plain, &b), 0);
	assert_non_null(strstr(b.text, "3 changes beyond chance, 0 for the worse"));
	/* Twice as long, of three samples: that may be chance, which is said. */
	add_samples(&old->subject[0], METRIC_EXEC, 10, 0.1, 3);
	add_samples(&new_->subject[0], METRIC_EXEC, 20, 0.1, 3);
	b.length = 0;
	assert_int_equal(compare_diff(old, new_, &plain, &b), 3);
	assert_non_null(strstr(b.text, "1 more medians differ by 5 % or more, which may be chance"));
	/* One percent is none, however sure: the row alone is worse. */
	assert_int_equal(compare_diff_json(old, same, &json), 1);
	assert_null(strstr(json.text, "start.removed"));
	json.length = 0;
	assert_int_equal(compare_diff_json(old, old, &json), 0);
	assert_string_equal(json.text, "{\"schema\":\"moorage/compare-diff/v1\",\"changes\":[],\"worse\":0,\"unsure\":0}\n");
}

static void test_diff_of_strangers(void **state)
{
	_cleanup_report_ struct compare_report *old = example(0), *new_ = compare_report_new();
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	(void)state;
	assert_int_equal(compare_report_set(&new_->host, "other"), 0);
	assert_int_equal(compare_report_set(&new_->kernel, "6.2"), 0);
	assert_int_equal(compare_report_set(&new_->root, "/root"), 0);
	assert_non_null(compare_report_subject(new_, KIND_BACKEND, "lxc"));
	assert_int_equal(compare_diff(old, new_, &plain, &b), 0);
	assert_non_null(strstr(b.text, "not of one kind"));
	assert_non_null(strstr(b.text, "only in the old one: native"));
	assert_non_null(strstr(b.text, "only in the new one: lxc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_tell_apart),
		cmocka_unit_test(test_noise_is_told),
		cmocka_unit_test(test_samples_are_numbers),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_later_files),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_page_is_small),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_of_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
