/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_DEVICE_NAMES_H
#define FORMATS_DEVICE_NAMES_H

/* Devices whose numbers are the same everywhere, Documentation/admin-guide/devices.txt. Others would have to be looked up on the host. */

#include <stdbool.h>
#include <stdint.h>

struct device_name {
	const char *path;		/* "/dev/null"; "char-pts" for a class */
	char type;			/* 'c' or 'b' */
	int64_t major, minor;		/* -1: all */
};

/* "/dev/char/1:3", "/dev/block/8:0", or a name of the table; path is then NULL for the former. */
bool device_find(const char *word, struct device_name *ret);

/* The name of the table for a number, or NULL. */
const char *device_name(char type, int64_t major, int64_t minor);

#endif
