/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_STREAM_AHEAD_H
#define CORE_ARCHIVE_STREAM_AHEAD_H

/*
 * Work on a stream of bytes that goes on beside its maker or user: one thread fills buffers, another empties them, and neither is ever more than
 * STREAM_AHEAD buffers from the other. Unpacking files takes system calls, decompressing takes the processor; together they take as long as the longer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <moorage/error.h>

#define STREAM_AHEAD	8		/* buffers of STREAM_CHUNK */

/* Fills @buffer of STREAM_CHUNK: the number of bytes, 0 at the end, or a negative errno with the error set. */
typedef ssize_t (*stream_fill)(void *data, unsigned char *buffer, struct mrg_error *err);

struct stream_ahead;

/* Begins to call @fill in a thread of its own, in which no signal of the caller's is handled. NULL: there can be none; nothing has been called. */
struct stream_ahead *stream_ahead_new(stream_fill fill, void *data);

/* What was filled next, in *ret until the next call: as @fill has returned it. The end and an error stay. */
ssize_t stream_ahead_next(struct stream_ahead *a, unsigned char **ret, struct mrg_error *err);

/* Waits until @fill has returned, and calls it no more. */
struct stream_ahead *stream_ahead_free(struct stream_ahead *a);

#endif
