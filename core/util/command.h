/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_COMMAND_H
#define UTIL_COMMAND_H

/* Other programs, executed without a shell and without the caller noticing a child. */

#include <sys/types.h>

#include <moorage/error.h>

/* Runs @argv (NULL-terminated, argv[0] looked for in the system's directories) with an empty standard input and environment (PATH and
 * LC_ALL alone) and waits for it. Gives its exit status (128+n after a signal) and, when @ret_output is not NULL, what it wrote to both streams, at most 64 KiB, which
 * the caller frees. -MRG_E_NO_ENGINE: there is no such program. */
int command_run(const char *const *argv, char **ret_output, struct mrg_error *err);

/* Begins to run @argv, with these standard streams and the environment of the caller: its pid, for command_end() alone. */
pid_t command_begin(const char *const *argv, int in, int out, int errors, struct mrg_error *err);

/* Waits @grace_ms for its end, then kills it; its exit status as above. */
int command_end(pid_t pid, int grace_ms);

#endif
