/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

/* What running containers use, and how fast: the last look at each, and the one before. Knows of no terminal, and takes its figures from whoever looks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/moorage.h>

struct usage {
	char *backend, *name;
	int state;			/* enum mrg_state */
	struct mrg_stats now, before;	/* before.valid 0: there was none */
	int64_t at, at_before;		/* CLOCK_MONOTONIC in ns */
	unsigned int round;		/* of looks: when it was last seen */
	bool hidden;			/* by a filter of the user's */
};

struct usages {
	struct usage *list;		/* in order of backend and name */
	size_t n, size;
	unsigned int round;
};

/* A look at all begins. */
void usages_begin(struct usages *usages);

/* What one container uses. Gives its entry, valid until the next is added; NULL: no memory. */
struct usage *usages_note(struct usages *usages, const char *backend, const char *name, const struct mrg_stats *stats, int64_t at);

/* The look is over: who was not seen in it is forgotten. */
void usages_end(struct usages *usages);

void usages_deinit(struct usages *usages);

/* The figure for @stat (enum mrg_stat), and how much it grew in a second between the two looks. False: not known; a counter that went back is that of another life. */
bool usage_figure(const struct usage *u, unsigned int stat, uint64_t *ret);
bool usage_rate(const struct usage *u, unsigned int stat, double *ret);

/* A rate of CPU time as thousandths of a percent of one processor. */
static inline uint64_t usage_percent(double ns_per_second)
{
	return (uint64_t)(ns_per_second / 1e4 + 0.5);
}

#endif
