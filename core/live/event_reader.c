/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of what moorage does: reading it while it grows and is rotated. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/context.h"
#include "core/live/change.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define LINE_MAX_SIZE	8192		/* a longer one is none of ours */
#define CHUNK		16384

enum { OLD, CURRENT };

typedef int (*found_fn)(const struct mrg_change *change, void *data);

static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

int event_reader_open(struct event_reader *ret, struct mrg *m, bool all, struct mrg_error *err)
{
	*ret = (struct event_reader){ .file = { { .fd = -1 }, { .fd = -1 } } };
	if (asprintf(&ret->current, "%s/" EVENT_LOG_NAME, m->run_dir) < 0)
		ret->current = NULL;
	if (asprintf(&ret->old, "%s/" EVENT_LOG_OLD, m->run_dir) < 0)
		ret->old = NULL;
	if (!ret->current || !ret->old) {
		event_reader_close(ret);
		return fail_memory(err);
	}
	if (all)
		ret->file[OLD].fd = open_file(ret->old);
	ret->file[CURRENT].fd = open_file(ret->current);
	if (!all && ret->file[CURRENT].fd >= 0)
		(void)lseek(ret->file[CURRENT].fd, 0, SEEK_END);
	return 0;
}

static void close_file(struct event_file *file)
{
	file->fd = fd_close(file->fd);
	buffer_deinit(&file->rest);
	file->rest = (struct buffer){ 0 };
}

void event_reader_close(struct event_reader *reader)
{
	close_file(&reader->file[OLD]);
	close_file(&reader->file[CURRENT]);
	free(reader->current);
	free(reader->old);
}

/* What cannot be read - torn by a full disk - is passed over. */
static int tell_line(const char *line, size_t length, found_fn found, void *data)
{
	struct mrg_change change;
	struct json *json;
	int r = change_parse(line, length, &change, &json) == 0 ? found(&change, data) : 0;

	json_free(json);
	return r;
}

/* Tells the lines that are whole and keeps what is behind them. */
static int tell_lines(struct event_file *file, found_fn found, void *data)
{
	struct buffer *rest = &file->rest;
	char *at = rest->text, *end = rest->text ? rest->text + rest->length : NULL, *line_end;
	int r = 0;

	while (r == 0 && at < end && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
		r = tell_line(at, (size_t)(line_end - at), found, data);
		at = line_end + 1;
	}
	if (at < end && end - at < LINE_MAX_SIZE)
		memmove(rest->text, at, (size_t)(end - at));
	rest->length = at < end && end - at < LINE_MAX_SIZE ? (size_t)(end - at) : 0;
	return r;
}

static int drain(struct event_file *file, found_fn found, void *data)
{
	char chunk[CHUNK];
	ssize_t n;

	while (file->fd >= 0 && (n = read(file->fd, chunk, sizeof(chunk))) > 0) {
		int r;

		buffer_add(&file->rest, chunk, (size_t)n);
		r = file->rest.failed ? -ENOMEM : tell_lines(file, found, data);
		if (r != 0)
			return r;
	}
	return 0;
}

static bool is_file(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static int tell_lost(found_fn found, void *data)
{
	return found(&(struct mrg_change){ .type = MRG_CHANGE_LOST, .time = time_now_ns(), .backend = "", .name = "" }, data);
}

/* The file that was ours has another name now, or none when there was more than one rotation. */
static int move_on(struct event_reader *reader, found_fn found, void *data)
{
	struct event_file *current = &reader->file[CURRENT];
	int next = open_file(reader->current), r = 0;

	if (next < 0)
		return 0;
	if (current->fd >= 0 && !is_file(current->fd, reader->old))
		r = tell_lost(found, data);
	close_file(&reader->file[OLD]);
	reader->file[OLD] = *current;
	*current = (struct event_file){ .fd = next };
	return r;
}

int event_reader_next(struct event_reader *reader, found_fn found, void *data)
{
	int r = drain(&reader->file[OLD], found, data);

	if (r == 0)
		r = drain(&reader->file[CURRENT], found, data);
	if (r != 0 || is_file(reader->file[CURRENT].fd, reader->current))
		return r;
	r = move_on(reader, found, data);
	/* What came into the old one before it was renamed goes before what is in the new one. */
	if (r == 0)
		r = drain(&reader->file[OLD], found, data);
	return r == 0 ? drain(&reader->file[CURRENT], found, data) : r;
}
