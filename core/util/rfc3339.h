/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_RFC3339_H
#define UTIL_RFC3339_H

/* Times as "2026-11-24T02:00:00.123456789Z": in UTC, without time zone files or locale. */

#include <stddef.h>
#include <stdint.h>

#define RFC3339_LENGTH	30

/* @ns since the epoch, years 1970-2261; NUL-terminated. */
void rfc3339_format(int64_t ns, char ret[RFC3339_LENGTH + 1]);

/* Reads what the other wrote at the start of @length bytes, fractions of 1-9 digits or none: the number of bytes
 * taken, or -EINVAL. */
int rfc3339_parse(const char *text, size_t length, int64_t *ret);

#endif
