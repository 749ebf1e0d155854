/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log: what is written comes back, over rotation, damage and a full disk. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util/fd.h"
#include "core/util/rfc3339.h"

struct fixture {
	char path[64];
	int dir;
	struct log *log;
};

struct lines {
	size_t n, bytes, partial;
	int64_t first_time;
	int last_stream;
	char last[LOG_TEXT_MAX + 1];
	int stop_at;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/mrgt-log-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->dir < 0 ? -1 : log_open(f->dir, 0, &f->log, NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	log_close(f->log);
	close(f->dir);
	fd_remove_tree(AT_FDCWD, f->path);
	free(f);
	return 0;
}

static int take_line(const struct mrg_log_line *line, void *data)
{
	struct lines *lines = data;

	if (lines->n++ == 0)
		lines->first_time = line->time;
	lines->bytes += line->length;
	lines->partial += line->partial != 0;
	lines->last_stream = line->stream;
	memcpy(lines->last, line->text, line->length);
	lines->last[line->length] = '\0';
	return lines->stop_at && (int)lines->n == lines->stop_at ? 77 : 0;
}

static int read_log(struct fixture *f, const struct mrg_log_query *query, struct lines *ret)
{
	static const struct mrg_log_query everything = { .tail = -1 };
	struct log_reader *reader = NULL;
	int r = log_reader_new(f->dir, query ? query : &everything, &reader, NULL);

	assert_int_equal(r, 0);
	r = log_reader_run(reader, take_line, ret, NULL);
	log_reader_free(reader);
	return r;
}

static void write_text(struct fixture *f, int stream, const char *text)
{
	log_write(f->log, stream, text, strlen(text));
}

/* Puts raw bytes into the file, as a crash or an enemy would. */
static void put_raw(struct fixture *f, const char *text, size_t length)
{
	int fd = openat(f->dir, LOG_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(fd_write_all(fd, text, length), 0);
	close(fd);
}

static void reopen(struct fixture *f, uint64_t size)
{
	log_close(f->log);
	assert_int_equal(log_open(f->dir, size, &f->log, NULL), 0);
}

static void test_line_comes_back(void **state)
{
	struct lines lines = { 0 };

	write_text(*state, 2, "hello\n");
	assert_int_equal(read_log(*state, NULL, &lines), 0);
	assert_int_equal(lines.n, 1);
	assert_string_equal(lines.last, "hello");
	assert_int_equal(lines.last_stream, 2);
	assert_int_equal(lines.partial, 0);
}

static void test_record_has_the_format_of_cri(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	int64_t time;

	write_text(f, 1, "hello\n");
	assert_int_equal(fd_read_file(f->dir, LOG_NAME, 4096, &text, NULL), 0);
	assert_int_equal(rfc3339_parse(text, strlen(text), &time), RFC3339_LENGTH);
	assert_string_equal(text + RFC3339_LENGTH, " stdout F hello\n");
	free(text);
}

static void test_line_in_pieces_is_one_record(void **state)
{
	struct lines lines = { 0 };

	write_text(*state, 1, "he");
	write_text(*state, 2, "other\n");
	write_text(*state, 1, "llo\n");
	read_log(*state, NULL, &lines);
	assert_int_equal(lines.n, 2);
	assert_string_equal(lines.last, "hello");
}

static void test_empty_lines_are_kept(void **state)
{
	struct lines lines = { 0 };

	write_text(*state, 1, "\n\n\n");
	read_log(*state, NULL, &lines);
	assert_int_equal(lines.n, 3);
	assert_int_equal(lines.bytes, 0);
}

static void test_long_line_goes_on_in_the_next_record(void **state)
{
	struct lines lines = { 0 };
	char text[LOG_TEXT_MAX * 2 + 100];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	log_write(((struct fixture *)*state)->log, 1, text, sizeof(text));
	read_log(*state, NULL, &lines);
	assert_int_equal(lines.n, 3);
	assert_int_equal(lines.partial, 2);
	assert_int_equal(lines.bytes, sizeof(text) - 1);
}

static void test_unfinished_line_is_written_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct lines lines = { 0 };

	write_text(f, 1, "prompt> ");
	f->log = log_close(f->log);
	read_log(f, NULL, &lines);
	assert_int_equal(lines.partial, 1);
	assert_string_equal(lines.last, "prompt> ");
}

static void test_binary_text_comes_back(void **state)
{
	struct lines lines = { 0 };

	log_write(((struct fixture *)*state)->log, 1, "a\0\x1b[31m\xff\n", 9);
	read_log(*state, NULL, &lines);
	assert_memory_equal(lines.last, "a\0\x1b[31m\xff", 8);
}

static void test_rotation_keeps_the_newest(void **state)
{
	struct fixture *f = *state;
	struct lines lines = { 0 };
	struct stat st;
	char text[64];

	reopen(f, 4096);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		write_text(f, 1, text);
	}
	assert_int_equal(fstatat(f->dir, LOG_NAME, &st, 0), 0);
	assert_in_range(st.st_size, 1, 4096);
	assert_int_equal(fstatat(f->dir, LOG_OLD_NAME, &st, 0), 0);
	assert_in_range(st.st_size, 2048, 4096);
	read_log(f, NULL, &lines);
	assert_string_equal(lines.last, "line 999");
	assert_in_range(lines.n, 4096 / 60, 2 * 4096 / 40);
}

static void test_tail_spans_both_files(void **state)
{
	struct fixture *f = *state;
	struct lines lines = { 0 };
	char text[64];

	reopen(f, 4096);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		write_text(f, 1, text);
	}
	read_log(f, &(struct mrg_log_query){ .tail = 60 }, &lines);
	assert_int_equal(lines.n, 60);
	assert_string_equal(lines.last, "line 99");
}

static void test_tail_of_nothing(void **state)
{
	struct lines lines = { 0 };

	write_text(*state, 1, "a\nb\n");
	read_log(*state, &(struct mrg_log_query){ .tail = 0 }, &lines);
	assert_int_equal(lines.n, 0);
}

static void test_bounds_of_time(void **state)
{
	static const char text[] = "2026-01-01T00:00:01.000000000Z stdout F one\n"
				   "2026-01-01T00:00:02.000000000Z stdout F two\n"
				   "2026-01-01T00:00:03.000000000Z stdout F three\n";
	struct mrg_log_query query = { .tail = -1 };
	struct lines lines = { 0 };

	put_raw(*state, text, sizeof(text) - 1);
	rfc3339_parse("2026-01-01T00:00:02Z", 20, &query.since);
	query.until = query.since;
	assert_int_equal(read_log(*state, &query, &lines), LOG_PAST_UNTIL);
	assert_int_equal(lines.n, 1);
	assert_string_equal(lines.last, "two");
}

static void test_caller_ends_the_reading(void **state)
{
	struct lines lines = { .stop_at = 2 };

	write_text(*state, 1, "a\nb\nc\n");
	assert_int_equal(read_log(*state, NULL, &lines), 77);
	assert_int_equal(lines.n, 2);
}

static void test_torn_record_does_not_swallow_the_next(void **state)
{
	struct fixture *f = *state;
	struct lines lines = { 0 };

	put_raw(f, "2026-01-01T00:00:01.0000", 24);
	reopen(f, 0);
	write_text(f, 1, "after\n");
	read_log(f, NULL, &lines);
	assert_int_equal(lines.n, 1);
	assert_string_equal(lines.last, "after");
}

static void test_rubbish_is_skipped(void **state)
{
	struct fixture *f = *state;
	static const char damaged[] =
		"\n2026-99-01T00:00:01.0Z stdout F bad date\nno date\n2026-01-01T00:00:01Z stdin F x\n";
	struct lines lines = { 0 };
	char rubbish[200000];

	for (size_t i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = (char)(i * 31 % 251 + 11); /* no newline for long stretches, then some */
	put_raw(f, rubbish, sizeof(rubbish));
	put_raw(f, damaged, sizeof(damaged) - 1);
	write_text(f, 1, "good\n");
	read_log(f, NULL, &lines);
	assert_int_equal(lines.n, 1);
	assert_string_equal(lines.last, "good");
}

static void test_symlink_is_not_followed(void **state)
{
	struct fixture *f = *state;
	struct log *log = NULL;

	unlinkat(f->dir, LOG_NAME, 0);
	assert_int_equal(symlinkat("/tmp/mrgt-nowhere", f->dir, LOG_NAME), 0);
	assert_int_equal(log_open(f->dir, 0, &log, NULL), -ELOOP);
}

/* A file size limit stands for a full disk: writes become short, then fail. */
static void test_full_disk_loses_whole_records_and_tells(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small;
	struct lines lines = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ .rlim_cur = 100, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 20; i++)
		write_text(f, 1, "some text\n");
	setrlimit(RLIMIT_FSIZE, &old);
	write_text(f, 1, "room again\n");
	read_log(f, NULL, &lines);
	assert_int_equal(lines.n, 4); /* two of 50 bytes before, the note, the last */
	assert_string_equal(lines.last, "room again");
}

static void test_times_survive_as_text(void **state)
{
	static const int64_t times[] = {
		0, 951782399999999999, 951782400000000000, 1795485600123456789, 4107542399000000001,
	};
	char text[RFC3339_LENGTH + 1];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		rfc3339_format(times[i], text);
		assert_int_equal(rfc3339_parse(text, strlen(text), &back), RFC3339_LENGTH);
		assert_true(back == times[i]);
	}
	rfc3339_format(951782400000000000, text);
	assert_string_equal(text, "2000-02-29T00:00:00.000000000Z");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_line_comes_back),
		TEST(test_record_has_the_format_of_cri),
		TEST(test_line_in_pieces_is_one_record),
		TEST(test_empty_lines_are_kept),
		TEST(test_long_line_goes_on_in_the_next_record),
		TEST(test_unfinished_line_is_written_at_the_end),
		TEST(test_binary_text_comes_back),
		TEST(test_rotation_keeps_the_newest),
		TEST(test_tail_spans_both_files),
		TEST(test_tail_of_nothing),
		TEST(test_bounds_of_time),
		TEST(test_caller_ends_the_reading),
		TEST(test_torn_record_does_not_swallow_the_next),
		TEST(test_rubbish_is_skipped),
		TEST(test_symlink_is_not_followed),
		TEST(test_full_disk_loses_whole_records_and_tells),
		cmocka_unit_test(test_times_survive_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
