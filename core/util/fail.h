/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_FAIL_H
#define UTIL_FAIL_H

/* Errors of system calls. */

#include <moorage/error.h>

/* As mrg_error_set(), with ": " and the system's words for @code behind the sentence. Takes the code of
 * EACCES and EPERM, ENOSPC, ... as it is. */
int fail_errno(struct mrg_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "out of memory". Returns -ENOMEM. */
int fail_memory(struct mrg_error *err);

#endif
