/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What running containers use, look after look. */

#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/usage.h"

#define NS_PER_S	1e9

/* The members follow in the order of their bits. */
static bool figure_of(const struct mrg_stats *stats, unsigned int stat, uint64_t *ret)
{
	if (!(stats->valid >> stat & 1))
		return false;
	memcpy(ret, (const char *)stats + offsetof(struct mrg_stats, cpu_ns) + stat * sizeof(*ret), sizeof(*ret));
	return true;
}

bool usage_figure(const struct usage *u, unsigned int stat, uint64_t *ret)
{
	return figure_of(&u->now, stat, ret);
}

bool usage_rate(const struct usage *u, unsigned int stat, double *ret)
{
	uint64_t now, before;

	if (!figure_of(&u->now, stat, &now) || !figure_of(&u->before, stat, &before) || now < before || u->at <= u->at_before)
		return false;
	*ret = (double)(now - before) * NS_PER_S / (double)(u->at - u->at_before);
	return true;
}

static int compare(const struct usage *u, const char *backend, const char *name)
{
	int r = strcmp(u->backend, backend);

	return r ? r : strcmp(u->name, name);
}

/* Where it is or belongs. */
static size_t place(const struct usages *usages, const char *backend, const char *name)
{
	size_t low = 0, high = usages->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&usages->list[middle], backend, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct usage *insert(struct usages *usages, size_t i, const char *backend, const char *name)
{
	struct usage added = { .backend = strdup(backend), .name = strdup(name) }, *u;

	if (usages->n == usages->size && added.backend && added.name) {
		size_t size = usages->size ? 2 * usages->size : 16;
		struct usage *grown = reallocarray(usages->list, size, sizeof(*grown));

		if (grown) {
			usages->list = grown;
			usages->size = size;
		}
	}
	if (usages->n == usages->size || !added.backend || !added.name) {
		free(added.backend);
		free(added.name);
		return NULL;
	}
	u = &usages->list[i];
	memmove(u + 1, u, (usages->n++ - i) * sizeof(*u));
	*u = added;
	return u;
}

void usages_begin(struct usages *usages)
{
	usages->round++;
}

struct usage *usages_note(struct usages *usages, const char *backend, const char *name, const struct mrg_stats *stats, int64_t at)
{
	size_t i = place(usages, backend, name);
	struct usage *u = i < usages->n && compare(&usages->list[i], backend, name) == 0 ? &usages->list[i] : NULL;

	if (!u)
		u = insert(usages, i, backend, name);
	if (!u)
		return NULL;
	u->before = u->now;
	u->at_before = u->at;
	u->now = *stats;
	u->at = at;
	u->round = usages->round;
	return u;
}

static void drop(struct usage *u)
{
	free(u->backend);
	free(u->name);
}

void usages_end(struct usages *usages)
{
	size_t kept = 0;

	for (size_t i = 0; i < usages->n; i++)
		if (usages->list[i].round == usages->round)
			usages->list[kept++] = usages->list[i];
		else
			drop(&usages->list[i]);
	usages->n = kept;
}

void usages_deinit(struct usages *usages)
{
	for (size_t i = 0; i < usages->n; i++)
		drop(&usages->list[i]);
	free(usages->list);
	*usages = (struct usages){ .n = 0 };
}
