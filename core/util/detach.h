/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_DETACH_H
#define UTIL_DETACH_H

/*
 * Programs that a library executes without being noticed: no child of the calling process, no signal at their end, no copy of its memory, whatever
 * threads and handlers it has.
 */

#include <stddef.h>
#include <sys/types.h>

#define DETACH_FIRST_FD	3
#define DETACH_FDS_MAX	8

/* Executes @path with @argv (NULL-terminated) and the environment of the caller, in a session of its own, in "/", all signals blocked and ignored as
 * they are in the caller. @fds become its descriptors from 3 on, 0 to 2 are /dev/null, and it has no others. Its pid,
 * or why it was not executed: a negative errno. */
pid_t detach_execute(const char *path, char *const *argv, const int *fds, size_t n_fds);

#endif
