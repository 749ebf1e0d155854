/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files with several names: a hash table with open addressing. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "core/migrate/tree/link_table.h"

static size_t home(const struct link_table *table, uint64_t dev, uint64_t inode)
{
	uint64_t h = (inode ^ dev << 17) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h >> 32) & (table->size - 1);
}

/* The slot of the file, or the free one where it belongs. */
static struct link_slot *find(const struct link_table *table, uint64_t dev, uint64_t inode)
{
	size_t i = home(table, dev, inode);

	while (table->slots[i].left > 0 && (table->slots[i].dev != dev || table->slots[i].inode != inode))
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

static int grow(struct link_table *table)
{
	struct link_table bigger = { .size = table->size ? table->size * 2 : 256, .used = table->used };

	if (table->used < table->size / 4 * 3)
		return 0;
	if (bigger.size > LINK_TABLE_MAX)
		return -E2BIG;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].left > 0)
			*find(&bigger, table->slots[i].dev, table->slots[i].inode) = table->slots[i];
	free(table->slots);
	*table = bigger;
	return 0;
}

int link_table_see(struct link_table *table, const struct statx *st, struct link_slot **ret)
{
	uint64_t dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	struct link_slot *slot;
	int r = grow(table);

	if (r < 0)
		return r;
	slot = find(table, dev, st->stx_ino);
	if (slot->left == 0) {
		*slot = (struct link_slot) { .dev = dev, .inode = st->stx_ino, .left = st->stx_nlink };
		table->used++;
	}
	slot->seen++;
	*ret = slot;
	return 0;
}

/* What follows a slot that becomes free moves up, unless it is where it belongs. */
static void fill_gap(struct link_table *table, size_t gap)
{
	size_t mask = table->size - 1;

	for (size_t i = (gap + 1) & mask; table->slots[i].left > 0; i = (i + 1) & mask) {
		size_t wanted = home(table, table->slots[i].dev, table->slots[i].inode);

		if (((i - wanted) & mask) < ((i - gap) & mask))
			continue;
		table->slots[gap] = table->slots[i];
		gap = i;
	}
	table->slots[gap].left = 0;
}

bool link_table_done(struct link_table *table, struct link_slot *slot)
{
	if (slot->left > 1) {
		slot->left--;
		return false;
	}
	fill_gap(table, (size_t)(slot - table->slots));
	table->used--;
	return true;
}

void link_table_deinit(struct link_table *table)
{
	free(table->slots);
	*table = (struct link_table) { 0 };
}
