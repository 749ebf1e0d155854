/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small objects to structures and back: what is written is read, the bounds of numbers, what is missing or of another type. */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/util/cleanup.h"
#include "core/util/json_table.h"

struct sample {
	const char *name, *note;
	bool on;
	int small, inner;
	int64_t large, deep;
};

static const struct json_row rows[] = {
	{ "name", JSON_ROW_TEXT, offsetof(struct sample, name), false },
	{ "note", JSON_ROW_TEXT, offsetof(struct sample, note), true },
	{ "on", JSON_ROW_BOOL, offsetof(struct sample, on), false },
	{ "a/small", JSON_ROW_INT, offsetof(struct sample, small), false },
	{ "a/large", JSON_ROW_INT64, offsetof(struct sample, large), false },
	{ "b/inner", JSON_ROW_INT, offsetof(struct sample, inner), false },
	{ "deep", JSON_ROW_INT64, offsetof(struct sample, deep), true },
	{ NULL, 0, 0, false }
};

static int read_text(const char *text, struct sample *ret, struct json **ret_json)
{
	assert_int_equal(json_parse(text, strlen(text), ret_json, NULL), 0);
	return json_table_read(*ret_json, rows, ret);
}

static void test_written(void **state)
{
	const struct sample s = { .name = "x\"y", .on = true, .small = -1, .inner = 7, .large = INT64_MIN, .deep = INT64_MAX };
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	_cleanup_(json_freep) struct json *json = NULL;
	struct sample again = { 0 };

	(void)state;
	assert_int_equal(json_table_write(&b, rows, &s), 0);
	assert_string_equal(b.text, "{\"name\":\"x\\\"y\",\"on\":true,\"a\":{\"small\":-1,\"large\":-9223372036854775808},\"b\":{\"inner\":7},"
				    "\"deep\":9223372036854775807}");
	assert_int_equal(read_text(b.text, &again, &json), 0);
	assert_string_equal(again.name, s.name);
	assert_null(again.note);
	assert_true(again.on);
	assert_int_equal(again.small, s.small);
	assert_int_equal(again.inner, s.inner);
	assert_true(again.large == INT64_MIN && again.deep == INT64_MAX);
}

static void test_not_utf8(void **state)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	(void)state;
	assert_int_equal(json_table_write(&b, rows, &(struct sample){ .name = "\377" }), -EILSEQ);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"on\":true,\"a\":{\"small\":1,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":5,\"on\":true,\"a\":{\"small\":1,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":1,\"a\":{\"small\":1,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":[1],\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":1.5,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":2147483648,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":-2147483649,\"large\":2},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":1,\"large\":9223372036854775808},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":1,\"large\":-9223372036854775809},\"b\":{\"inner\":3}}",
		"{\"name\":\"n\",\"on\":true,\"a\":{\"small\":1,\"large\":2},\"b\":{\"inner\":3},\"note\":null}",
		"{\"name\":\"n\",\"on\":true,\"a/small\":1,\"a\":{\"large\":2},\"b\":{\"inner\":3}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(json_freep) struct json *json = NULL;
		struct sample s;

		if (read_text(texts[i], &s, &json) != -EBADMSG)
			fail_msg("%s is read", texts[i]);
	}
}

/* What can be read is, whatever else is wrong; and what is missing stays as it was. */
static void test_read_in_part(void **state)
{
	_cleanup_(json_freep) struct json *json = NULL;
	struct sample s = { .small = 42 };

	(void)state;
	assert_int_equal(read_text("{\"unknown\":[],\"name\":\"n\",\"on\":\"no\",\"b\":{\"inner\":-3}}", &s, &json), -EBADMSG);
	assert_string_equal(s.name, "n");
	assert_int_equal(s.inner, -3);
	assert_int_equal(s.small, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written), cmocka_unit_test(test_not_utf8), cmocka_unit_test(test_refused), cmocka_unit_test(test_read_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
