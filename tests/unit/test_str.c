/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays of strings, buffers, names, suggestions. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "core/util/utf8.h"

static void test_strv(void **state)
{
	_cleanup_(strv_freep) char **strv = NULL;

	(void)state;
	assert_int_equal(strv_length(NULL), 0);
	assert_false(strv_contains(NULL, "a"));
	for (int i = 0; i < 100; i++)
		assert_int_equal(strv_append(&strv, i == 50 ? "middle" : "other"), 0);
	assert_int_equal(strv_length(strv), 100);
	assert_true(strv_contains(strv, "middle"));
	assert_false(strv_contains(strv, "midd"));
	assert_null(strv_free(NULL));
}

static void test_strings(void **state)
{
	_cleanup_(strings_deinit) struct strings strings = { 0 };
	char text[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(strings_add(&strings, text), 0);
		assert_null(strings.strv[strings.n]);
	}
	assert_int_equal(strings.n, 1000);
	assert_int_equal(strv_length(strings.strv), 1000);
	assert_string_equal(strings.strv[0], "0");
	assert_string_equal(strings.strv[999], "999");
}

static void test_buffer_grows(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_addf(&b, "%03d,", i);
	assert_false(b.failed);
	assert_int_equal(b.length, 4000);
	assert_memory_equal(b.text + 3996, "999,", 5);
	buffer_deinit(&b);
	assert_null(b.text);
}

static void test_buffer_keeps_bytes(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_add(&b, "a\0b", 3);
	assert_int_equal(b.length, 3);
	assert_memory_equal(b.text, "a\0b", 4);
	buffer_deinit(&b);
}

static void test_buffer_failure_sticks(void **state)
{
	struct buffer b = { .failed = true };

	(void)state;
	buffer_add(&b, "a", 1);
	assert_null(b.text);
	assert_true(b.failed);
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "web-1", "0.a_b", "A" }, *const bad[] = { "", "-a", ".a", "_a", "a/b", "a b", "a\n", "\303\244" };
	char longest[65];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(name_is_valid(bad[i]));
	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_false(name_is_valid(longest));
	longest[63] = '\0';
	assert_true(name_is_valid(longest));
}

static void test_nearest(void **state)
{
	static const char *const words[] = { "start", "stop", "status", "ls", NULL };

	(void)state;
	assert_string_equal(str_nearest("strat", words), "start");
	assert_string_equal(str_nearest("stopp", words), "stop");
	assert_string_equal(str_nearest("stat", words), "start");
	assert_string_equal(str_nearest("sl", words), "ls");
	assert_null(str_nearest("x", words));
	assert_null(str_nearest("", words));
	assert_null(str_nearest("entirely-different", words));
}

static void test_utf8(void **state)
{
	static const char *const good[] = { "", "a", "\302\200", "\340\240\200", "\355\237\277", "\356\200\200", "\360\220\200\200", "\364\217\277\277" };
	static const char *const bad[] = { "\200", "\300\200", "\301\277", "\340\237\277", "\355\240\200", "\360\217\277\277",
					   "\364\220\200\200", "\365\200\200\200", "\377", "\302", "\340\240", "\360\220\200", "a\302b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(utf8_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(utf8_is_valid(bad[i]));
}

static void test_utf8_comes_back(void **state)
{
	static const uint32_t codes[] = { 1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff };
	char bytes[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		size_t n = utf8_encode(codes[i], bytes);

		assert_int_equal(utf8_sequence(bytes, n), n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strv), cmocka_unit_test(test_strings), cmocka_unit_test(test_buffer_grows), cmocka_unit_test(test_buffer_keeps_bytes),
		cmocka_unit_test(test_buffer_failure_sticks), cmocka_unit_test(test_names), cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_utf8), cmocka_unit_test(test_utf8_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
