/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a look at many keeps of the files it has read: believed as long as it is true, and not a moment longer. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/unit/store_fixture.h"

#define MANY	40			/* enough to be worth an index */

static void look_begin(struct fixture *f)
{
	f->m->looks = 1;
	store_look_begin(f->m, &f->m->look);
}

static void look_end(struct fixture *f)
{
	store_look_end(f->m, &f->m->look);
	f->m->looks = 0;
}

static struct record *see(struct fixture *f, const char *name)
{
	struct record *record = NULL;

	assert_int_equal(store_open_brief(f->m, name, &record, NULL), 0);
	assert_string_equal(record->spec->root_path, "/");
	return record;
}

/* Looks at all. How many were told by the index. */
static int look_at_all(struct fixture *f)
{
	char name[16];
	int told = 0;

	look_begin(f);
	for (int i = 0; i < MANY; i++) {
		struct record *record;

		snprintf(name, sizeof(name), "c%d", i);
		record = see(f, name);
		told += record->indexed != NULL;
		store_free(record);
	}
	look_end(f);
	return told;
}

/* Many containers, and an index that knows them: changes of the last two seconds are not believed, so they are waited for. */
static int setup_many(void **state)
{
	struct fixture *f;
	char name[16];

	if (setup(state) < 0)
		return -1;
	f = *state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(make(f->m, name, false), 0);
	}
	assert_int_equal(look_at_all(f), 0);
	assert_int_equal(look_at_all(f), 0);
	nanosleep(&(struct timespec){ .tv_sec = 2, .tv_nsec = 100000000 }, NULL);
	assert_int_equal(look_at_all(f), 0);
	assert_int_equal(look_at_all(f), MANY);
	return 0;
}

static void open_one(struct fixture *f, const char *name, struct record **ret)
{
	assert_int_equal(store_open(f->m, name, ret, NULL), 0);
}

static bool is_told(struct fixture *f, const char *name)
{
	struct record *record;
	bool told;

	look_begin(f);
	record = see(f, name);
	told = record->indexed != NULL;
	store_free(record);
	look_end(f);
	return told;
}

/* Each way in which the files of a record change. */
static void test_changes_are_seen(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL, *seen;
	struct run run = { .process.pidfd = -1, .started = 5 }, read;
	struct exit_record exit = { .status = 0x300, .known = true, .finished = 7 };

	open_one(f, "c1", &record);
	assert_int_equal(store_write_run(record, &run, NULL), 0);
	assert_false(is_told(f, "c1"));
	look_begin(f);
	seen = see(f, "c1");
	assert_int_equal(store_read_run(seen, &read, NULL), 0);
	assert_int_equal(read.started, 5);
	assert_int_equal(store_read_exit(seen, &(struct exit_record){ 0 }, NULL), 0);
	store_free(seen);
	look_end(f);
	assert_int_equal(store_write_exit(record, &exit, NULL), 0);
	look_begin(f);
	seen = see(f, "c1");
	assert_int_equal(store_read_exit(seen, &exit, NULL), 1);
	assert_int_equal(exit.status, 0x300);
	store_free(seen);
	look_end(f);
	store_free(record);
}

static void test_removed_and_renamed(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL, *seen;

	open_one(f, "c1", &record);
	look_begin(f);
	seen = see(f, "c1");
	assert_non_null(seen->indexed);
	assert_int_equal(store_remove(f->m, record, NULL), 0);
	assert_int_equal(store_lock(f->m, seen, 0, NULL), -MRG_E_NOT_FOUND);
	store_free(seen);
	assert_int_equal(store_open_brief(f->m, "c1", &seen, NULL), -MRG_E_NOT_FOUND);
	look_end(f);
	store_free(record);

	/* Another one under the name of the first. */
	open_one(f, "c2", &record);
	look_begin(f);
	seen = see(f, "c2");
	assert_int_equal(store_rename(f->m, record, "c1", NULL), 0);
	assert_int_equal(make(f->m, "c2", false), 0);
	assert_int_equal(store_read_spec(seen, NULL), -MRG_E_NOT_FOUND);
	store_free(seen);
	look_end(f);
	assert_false(is_told(f, "c1"));
	assert_false(is_told(f, "c2"));
	store_free(record);
}

/* What was told can be worked with as if it had been opened. */
static void test_reached(void **state)
{
	struct fixture *f = *state;
	struct record *seen;

	look_begin(f);
	seen = see(f, "c3");
	assert_true(seen->dir < 0 && seen->brief);
	assert_int_equal(store_lock(f->m, seen, 0, NULL), 0);
	assert_true(seen->dir >= 0);
	mrg_spec_free(seen->spec);
	assert_int_equal(store_read_spec(seen, NULL), 0);
	assert_string_equal(seen->spec->args[0], "true");
	store_unlock(seen);
	store_free(seen);
	look_end(f);
}

/* Written in place: the directory does not change by that. */
static void test_changed_spec(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int base = open_base(f, false), fd = openat(base, "c4/config.json", O_WRONLY | O_APPEND | O_CLOEXEC);
	struct record *record = NULL;

	assert_int_equal(write(fd, "\n", 1), 1);
	look_begin(f);
	assert_int_equal(store_open_brief(f->m, "c4", &record, NULL), 0);
	assert_false(record->brief);
	assert_true(record->dir >= 0);
	store_free(record);
	look_end(f);
}

static int open_index(struct fixture *f, char **ret, size_t *ret_length)
{
	int dir = store_cache(f->m, "index", false, NULL);

	assert_true(dir >= 0);
	assert_int_equal(fd_read_file(dir, "records", 1 << 20, ret, ret_length), 0);
	return dir;
}

/* Torn anywhere, or of somebody who means ill: as good as none. */
static void test_torn(void **state)
{
	static const char *const bad[] = {
		"", "moorage-index 2\n", "moorage-index 1\nc0\n", "moorage-index 1\nc0 1 2 3 -1 -1\n", "moorage-index 1\nc0 1 2 3 5 -1 -1\n{}",
		"moorage-index 1\nc0 1 2 3 99999999999999999999 -1 -1\n{}", "moorage-index 1\n 1 2 3 -1 -1 -1\n",
		"moorage-index 1\nc1 1 2 3 -1 -1 -1\nc0 1 2 3 -1 -1 -1\n",
	};
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	size_t length;
	_cleanup_close_ int dir = open_index(f, &text, &length);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		overwrite(dir, "records", bad[i], strlen(bad[i]));
		assert_false(is_told(f, "c0"));
	}
	for (size_t cut = 0; cut < length; cut += 61) {
		overwrite(dir, "records", text, cut);
		assert_false(is_told(f, "c0"));
	}
	overwrite(dir, "records", text, length);
	assert_true(is_told(f, "c0"));
}

/* A text that is no record is told as the file would be. */
static void test_damaged_text(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	size_t length;
	_cleanup_close_ int dir = open_index(f, &text, &length);
	char *at = strchr(strstr(text, "\nc5 "), '{');
	*at = 'x';
	overwrite(dir, "records", text, length);
	look_begin(f);
	assert_int_equal(store_open_brief(f->m, "c5", &record, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "record.json"));
	look_end(f);
}

#define INDEX_TEST(test)	cmocka_unit_test_setup_teardown(test, setup_many, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INDEX_TEST(test_changes_are_seen), INDEX_TEST(test_removed_and_renamed), INDEX_TEST(test_reached), INDEX_TEST(test_changed_spec),
		INDEX_TEST(test_torn), INDEX_TEST(test_damaged_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
