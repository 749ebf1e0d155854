/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_SNAPSHOT_H
#define CERTIFY_SNAPSHOT_H

/* What a verb must leave as it is in the process that calls it, as text to be compared. */

#include "tests/certify/certify.h"

struct aspect {
	const char *name;
	void (*take)(struct buffer *ret);
	bool monitor;			/* also of the monitor's process, which start and exec may change otherwise */
};
extern const struct aspect aspects[];	/* ended by a NULL name */
#define ASPECTS_MAX	24

struct snapshot {
	struct buffer text[ASPECTS_MAX];
};

/* Where standard output and error go while a snapshot pair is taken: a file whose content is an aspect. */
int snapshot_catch_output(void);

void snapshot_take(struct snapshot *ret);

/* What is different, for humans; "" when nothing is. */
void snapshot_difference(const struct snapshot *before, const struct snapshot *after, size_t aspect, char *ret, size_t size);

#endif
