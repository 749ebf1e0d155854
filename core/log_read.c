/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of a container's log: both files in order, rotation noticed, damage skipped. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/rfc3339.h"

#define LINE_MAX_SIZE	(LOG_TEXT_MAX + 128)	/* longer ones were not written by us */
#define BUFFER_SIZE	(64 * 1024)
#define OPEN_TRIES	8

struct log_reader {
	int dir;
	int old, now;			/* log.1 until it is read, and log; -1: none */
	struct mrg_log_query query;
	uint64_t skip;			/* lines before the tail */
	bool too_long;			/* in a line of more than LINE_MAX_SIZE */
	size_t length;
	char buffer[BUFFER_SIZE];
};

/* ---- files ----------------------------------------------------------------------------------- */

static int open_log(int dir, const char *name, int *ret)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	*ret = -1;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = take_fd(&fd);
	return 0;
}

/* Whether @fd is still what @name names. */
static bool is_current(int dir, const char *name, int fd)
{
	struct stat there, here;

	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return fd < 0 && errno == ENOENT;
	return fd >= 0 && fstat(fd, &here) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* Both files of one moment: a rotation between the two opens would show one file twice and another not at all. */
static int open_both(struct log_reader *r)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		int e = open_log(r->dir, LOG_NAME, &r->now);

		if (e == 0)
			e = open_log(r->dir, LOG_OLD_NAME, &r->old);
		if (e < 0 || is_current(r->dir, LOG_NAME, r->now))
			return e;
		r->now = fd_close(r->now);
		r->old = fd_close(r->old);
	}
	return -EAGAIN;
}

/* ---- records --------------------------------------------------------------------------------- */

/* "TIME stdout|stderr F|P TEXT" */
static bool parse_record(const char *text, size_t length, struct mrg_log_line *ret)
{
	int n = rfc3339_parse(text, length, &ret->time);

	if (n < 0 || length - (size_t)n < 10)
		return false;
	text += n;
	length -= (size_t)n;
	ret->stream = memcmp(text, " stdout ", 8) == 0 ? 1 : memcmp(text, " stderr ", 8) == 0 ? 2 : 0;
	if (!ret->stream || (text[8] != 'F' && text[8] != 'P') || text[9] != ' ')
		return false;
	ret->partial = text[8] == 'P';
	ret->text = text + 10;
	ret->length = length - 10;
	return true;
}

typedef int (*record_fn)(struct log_reader *r, const struct mrg_log_line *line, void *data);

/* Gives the complete lines in the buffer and keeps the rest. */
static int give_lines(struct log_reader *r, record_fn found, void *data)
{
	size_t at = 0;
	char *newline;
	int e = 0;

	while (e == 0 && (newline = memchr(r->buffer + at, '\n', r->length - at))) {
		size_t length = (size_t)(newline - (r->buffer + at));
		struct mrg_log_line line;

		if (!r->too_long && parse_record(r->buffer + at, length, &line))
			e = found(r, &line, data);
		r->too_long = false;
		at += length + 1;
	}
	memmove(r->buffer, r->buffer + at, r->length - at);
	r->length -= at;
	if (r->length > LINE_MAX_SIZE) {
		r->too_long = true;
		r->length = 0;
	}
	return e;
}

/* Reads @fd from where it is to its present end. */
static int read_on(struct log_reader *r, int fd, record_fn found, void *data)
{
	for (;;) {
		ssize_t n = read(fd, r->buffer + r->length, sizeof(r->buffer) - r->length);
		int e;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r->length += (size_t)n;
		e = give_lines(r, found, data);
		if (e != 0)
			return e;
	}
}

/* What a file that grows no more ends with is a torn record. */
static void forget_rest(struct log_reader *r)
{
	r->length = 0;
	r->too_long = false;
}

/* ---- the query ------------------------------------------------------------------------------- */

static bool is_before(const struct log_reader *r, const struct mrg_log_line *line)
{
	return r->query.since && line->time < r->query.since;
}

struct count {
	uint64_t lines;
	bool open;			/* the last record is the beginning of one more line */
};

static int count_record(struct log_reader *r, const struct mrg_log_line *line, void *data)
{
	struct count *count = data;

	if (r->query.until && line->time > r->query.until)
		return LOG_PAST_UNTIL;
	if (is_before(r, line))
		return 0;
	count->lines += !line->partial;
	count->open = line->partial;
	return 0;
}

/* How many lines come before the last @tail ones. */
static int find_tail(struct log_reader *r)
{
	const int files[] = { r->old, r->now };
	struct count count = { 0 };
	uint64_t n;
	int e = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && e == 0; i++) {
		if (files[i] < 0)
			continue;
		e = read_on(r, files[i], count_record, &count);
		forget_rest(r);
		if (e >= 0 && lseek(files[i], 0, SEEK_SET) < 0)
			return -errno;
	}
	/* One that stopped early leaves the other where it was: at the beginning. */
	n = count.lines + count.open;
	r->skip = n > (uint64_t)r->query.tail ? n - (uint64_t)r->query.tail : 0;
	return e < 0 ? e : 0;
}

int log_reader_new(int dir, const struct mrg_log_query *query, struct log_reader **ret, struct mrg_error *err)
{
	struct log_reader *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return fail_memory(err);
	r->dir = dir;
	r->old = r->now = -1;
	r->query = *query;
	e = open_both(r);
	if (e == 0 && query->tail >= 0)
		e = find_tail(r);
	if (e < 0) {
		log_reader_free(r);
		return fail_errno(err, e, "cannot read the log");
	}
	*ret = r;
	return 0;
}

struct log_reader *log_reader_free(struct log_reader *r)
{
	if (r) {
		fd_close(r->old);
		fd_close(r->now);
		free(r);
	}
	return NULL;
}

struct receiver {
	log_line_fn line;
	void *data;
	int said;			/* the non-zero return of @line */
};

static int give_record(struct log_reader *r, const struct mrg_log_line *line, void *data)
{
	struct receiver *receiver = data;

	if (r->query.until && line->time > r->query.until)
		return LOG_PAST_UNTIL;
	if (is_before(r, line))
		return 0;
	if (r->skip > 0) {
		r->skip -= !line->partial;
		return 0;
	}
	receiver->said = receiver->line(line, receiver->data);
	return receiver->said;
}

static int run(struct log_reader *r, struct receiver *receiver)
{
	int e = 0;

	if (r->old >= 0) {
		e = read_on(r, r->old, give_record, receiver);
		if (e != 0)
			return e;
		forget_rest(r);
		r->old = fd_close(r->old);
	}
	for (;;) {
		/* Before reading: what is written into it after it was renamed away would be missed otherwise. */
		bool current = is_current(r->dir, LOG_NAME, r->now);

		e = r->now >= 0 ? read_on(r, r->now, give_record, receiver) : 0;
		if (e != 0 || current)
			return e;
		forget_rest(r);
		r->now = fd_close(r->now);
		e = open_log(r->dir, LOG_NAME, &r->now);
		if (e < 0 || r->now < 0)
			return e;
	}
}

int log_reader_run(struct log_reader *r, log_line_fn line, void *data, struct mrg_error *err)
{
	struct receiver receiver = { .line = line, .data = data };
	int e = run(r, &receiver);

	if (e < 0 && receiver.said == 0)
		return fail_errno(err, e, "cannot read the log");
	return e;
}
