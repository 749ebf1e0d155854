/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory given back as a whole: pieces are zeroed, aligned, apart from each other, of any size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/util/arena.h"

#define PIECES	500

static void test_pieces(void **state)
{
	struct arena arena = { 0 };
	char *piece[PIECES];

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		piece[i] = arena_alloc(&arena, i);
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(piece[i][k], 0);
		memset(piece[i], (int)(i % 255) + 1, i);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal((unsigned char)piece[i][k], i % 255 + 1);
	arena_deinit(&arena);
}

static void test_texts(void **state)
{
	struct arena arena = { 0 };
	char *first, *none, *second;

	(void)state;
	first = arena_strndup(&arena, "abcdef", 3);
	none = arena_strndup(&arena, "", 0);
	second = arena_strndup(&arena, "xyz", 3);
	assert_string_equal(first, "abc");
	assert_string_equal(none, "");
	assert_string_equal(second, "xyz");
	arena_deinit(&arena);
}

static void test_large(void **state)
{
	struct arena arena = { 0 };
	char *large = arena_alloc(&arena, 1 << 20), *small = arena_alloc(&arena, 10);

	(void)state;
	assert_non_null(large);
	assert_non_null(small);
	memset(large, 'x', 1 << 20);
	assert_int_equal(small[0], 0);
	assert_null(arena_alloc(&arena, SIZE_MAX - 1));
	assert_null(arena_strndup(&arena, "x", SIZE_MAX));
	/* What was there is still whole, and more can be had. */
	assert_int_equal(large[(1 << 20) - 1], 'x');
	assert_non_null(arena_alloc(&arena, 10));
	arena_deinit(&arena);
}

static void test_used_again(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	arena_deinit(&arena);
	assert_string_equal(arena_strndup(&arena, "a", 1), "a");
	arena_deinit(&arena);
	assert_string_equal(arena_strndup(&arena, "b", 1), "b");
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
