/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of a container's log: lines get their time and stream, files are rotated. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/rfc3339.h"

#define PREFIX_MAX	(RFC3339_LENGTH + sizeof(" stdout F "))
#define GATHERED_SIZE	(64 * 1024)

struct log {
	int dir, fd;
	uint64_t max_size, size;
	uint64_t dropped;		/* bytes of records that found no room */
	int why;			/* and the errno of it */
	struct {
		size_t length;
		char text[LOG_TEXT_MAX];
	} unfinished[2];
	size_t length;
	char gathered[GATHERED_SIZE];	/* records on their way into one write(2) */
};

/* A record torn by a crash or a full disk must not swallow the next one. */
static int end_last_line(int fd, uint64_t size)
{
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, (off_t)size - 1) != 1)
		return -errno;
	return last == '\n' ? 0 : fd_write_all(fd, "\n", 1);
}

static int open_file(struct log *log)
{
	int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	_cleanup_close_ int fd = openat(log->dir, LOG_NAME, flags, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = end_last_line(fd, (uint64_t)st.st_size);
	if (r < 0 && r != -ENOSPC && r != -EDQUOT)
		return r;
	fd_close(log->fd);
	log->fd = take_fd(&fd);
	log->size = (uint64_t)st.st_size;
	return 0;
}

int log_open(int dir, uint64_t max_size, struct log **ret, struct mrg_error *err)
{
	struct log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return fail_memory(err);
	log->dir = dir;
	log->fd = -1;
	log->max_size = max_size ? max_size : LOG_DEFAULT_SIZE;
	r = open_file(log);
	if (r < 0) {
		log_close(log);
		return fail_errno(err, r, "cannot open the log");
	}
	*ret = log;
	return 0;
}

/* When it cannot be renamed the file grows beyond its limit: that loses nothing. */
static void rotate(struct log *log)
{
	if (renameat(log->dir, LOG_NAME, log->dir, LOG_OLD_NAME) == 0)
		open_file(log);
}

/* Whole records or none: what was written of one that did not fit is cut off again. */
static int append(struct log *log, const char *data, size_t length)
{
	int r;

	if (log->size > 0 && log->size + length > log->max_size)
		rotate(log);
	r = fd_write_all(log->fd, data, length);
	if (r == 0) {
		log->size += length;
		return 0;
	}
	if (ftruncate(log->fd, (off_t)log->size) < 0)
		log->size += length;
	return r;
}

static void tell_loss(struct log *log)
{
	char time[RFC3339_LENGTH + 1], text[256];
	int n;

	rfc3339_format(time_now_ns(), time);
	n = snprintf(text, sizeof(text), "%s stderr F [moorage: %llu bytes of the log are lost: %s]\n", time,
		     (unsigned long long)log->dropped, strerror(-log->why));
	if (append(log, text, (size_t)n) == 0)
		log->dropped = 0;
}

static void flush(struct log *log)
{
	int r;

	if (log->length == 0)
		return;
	if (log->dropped)
		tell_loss(log);
	r = log->dropped ? log->why : append(log, log->gathered, log->length);
	if (r < 0) {
		log->dropped += log->length;
		log->why = r;
	}
	log->length = 0;
}

static void add_record(struct log *log, const char *time, int stream, char tag, const char *text, size_t length)
{
	if (log->length + PREFIX_MAX + length + 1 > sizeof(log->gathered))
		flush(log);
	memcpy(log->gathered + log->length, time, RFC3339_LENGTH);
	log->length += RFC3339_LENGTH;
	memcpy(log->gathered + log->length, stream == 1 ? " stdout " : " stderr ", 8);
	log->length += 8;
	log->gathered[log->length++] = tag;
	log->gathered[log->length++] = ' ';
	memcpy(log->gathered + log->length, text, length);
	log->length += length;
	log->gathered[log->length++] = '\n';
}

/* One line, or without @ended the rest of the data, after what was kept back of it. */
static void add_piece(struct log *log, const char *time, int stream, const char *text, size_t length, bool ended)
{
	size_t *kept = &log->unfinished[stream - 1].length;
	char *buffer = log->unfinished[stream - 1].text;

	while (*kept + length > LOG_TEXT_MAX) {
		size_t part = LOG_TEXT_MAX - *kept;

		memcpy(buffer + *kept, text, part);
		add_record(log, time, stream, 'P', buffer, LOG_TEXT_MAX);
		*kept = 0;
		text += part;
		length -= part;
	}
	if (ended && *kept == 0) {
		add_record(log, time, stream, 'F', text, length);
		return;
	}
	memcpy(buffer + *kept, text, length);
	*kept += length;
	if (ended) {
		add_record(log, time, stream, 'F', buffer, *kept);
		*kept = 0;
	}
}

void log_write(struct log *log, int stream, const char *data, size_t length)
{
	char time[RFC3339_LENGTH + 1];

	rfc3339_format(time_now_ns(), time);
	while (length > 0) {
		const char *newline = memchr(data, '\n', length);
		size_t part = newline ? (size_t)(newline - data) : length;

		add_piece(log, time, stream, data, part, newline);
		part += newline != NULL;
		data += part;
		length -= part;
	}
	flush(log);
}

struct log *log_close(struct log *log)
{
	char time[RFC3339_LENGTH + 1];

	if (!log)
		return NULL;
	rfc3339_format(time_now_ns(), time);
	for (int stream = 1; stream <= 2; stream++)
		if (log->fd >= 0 && log->unfinished[stream - 1].length > 0)
			add_record(log, time, stream, 'P', log->unfinished[stream - 1].text,
				   log->unfinished[stream - 1].length);
	flush(log);
	fd_close(log->fd);
	free(log);
	return NULL;
}
