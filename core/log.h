/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_LOG_H
#define CORE_LOG_H

/*
 * The output of a container on disk: "log" in its directory, in the format of CRI, one record a line:
 *
 *	2026-11-24T02:00:00.123456789Z stdout F text of the line
 *
 * F: a full line; P: part of one that goes on in the next record of the same stream. A file that has grown to its
 * limit is renamed to "log.1", in place of an older one.
 */

#include <stddef.h>
#include <stdint.h>

#include <moorage/moorage.h>

#define LOG_NAME		"log"
#define LOG_OLD_NAME		"log.1"
#define LOG_TEXT_MAX		(16 * 1024)		/* of one record */
#define LOG_DEFAULT_SIZE	(16U << 20)

/* ---- log.c: the writer ---- */

struct log;

/* Appends to the log in @dir (borrowed until log_close()); @max_size 0: the default. */
int log_open(int dir, uint64_t max_size, struct log **ret, struct mrg_error *err);

/* Writes what @stream (1 stdout, 2 stderr) has sent; an unfinished line is kept back until it ends or grows too long. What
 * does not fit on the disk is dropped and counted; a record tells the loss as soon as there is room. */
void log_write(struct log *log, int stream, const char *data, size_t length);

/* Writes out unfinished lines. Returns NULL. */
struct log *log_close(struct log *log);

/* ---- log_read.c ---- */

typedef int (*log_line_fn)(const struct mrg_log_line *line, void *data);

/* A position in a log that may be written meanwhile. */
struct log_reader;

int log_reader_new(int dir, const struct mrg_log_query *query, struct log_reader **ret, struct mrg_error *err);
struct log_reader *log_reader_free(struct log_reader *reader);

/* Gives every record there is by now; a non-zero return of @line ends it and is returned. LOG_PAST_UNTIL: the end of
 * the query's time has passed. Damaged records are skipped. */
#define LOG_PAST_UNTIL	INT32_MAX
int log_reader_run(struct log_reader *reader, log_line_fn line, void *data, struct mrg_error *err);

#endif
