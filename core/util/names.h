/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_NAMES_H
#define UTIL_NAMES_H

/* What a directory has. */

#include "core/util/str.h"

/* The names in the directory @path below @dir (or AT_FDCWD), sorted, without "." and "..". 0 or a negative errno; strings_deinit() in any case. */
int names_read(int dir, const char *path, struct strings *ret);

#endif
