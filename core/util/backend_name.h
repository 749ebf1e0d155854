/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_BACKEND_NAME_H
#define UTIL_BACKEND_NAME_H

/* Names of backends: they become file names, so they are checked before anything else. */

#include <stdbool.h>
#include <string.h>

/* [a-z][a-z0-9-]*, at most 63. */
static inline bool backend_name_is_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length >= 1 && length <= 63 && name[length] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

#endif
