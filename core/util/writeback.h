/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_UTIL_WRITEBACK_H
#define CORE_UTIL_WRITEBACK_H

/*
 * What is to be on the disk at the end is brought there while it is being made, so that little is left to wait for: whoever makes many files notes what he has
 * written, and a thread calls syncfs(2) whenever that has become much.
 */

#include <stdint.h>

struct writeback;

/* For the file system of the open directory @dir, which stays the caller's. NULL: no memory or no thread, so that all is left for the end; all below take it. */
struct writeback *writeback_begin(int dir);

/* One more file with @bytes of contents; from any thread. */
void writeback_note(struct writeback *w, uint64_t bytes);

/* Ends the thread. Returns NULL. */
struct writeback *writeback_end(struct writeback *w);

#endif
