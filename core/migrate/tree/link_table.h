/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_LINK_TABLE_H
#define CORE_MIGRATE_LINK_TABLE_H

/* Files with several names, from the first name that is seen until the last. Those whose names have all been seen are forgotten, so it stays small. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LINK_TABLE_MAX	(UINT32_C(1) << 19)	/* slots: 36 MiB; three quarters may be taken, then adding fails with -E2BIG */

struct link_slot {
	uint64_t dev, inode;
	uint32_t left;			/* names not seen yet; 0: a free slot */
	uint32_t seen;			/* names seen, this one counted */
	unsigned char content[32];	/* the user's, */
	uint64_t names[2], at[2];	/* zero at first */
};

struct link_table {
	struct link_slot *slots;
	size_t size, used;
};

/* A name of the file @st, which has several: its slot, valid until the next call. -E2BIG, -ENOMEM. */
int link_table_see(struct link_table *table, const struct statx *st, struct link_slot **ret);

/* Forgets the file of @slot when that was its last name: call it once done with the slot. Whether it did. */
bool link_table_done(struct link_table *table, struct link_slot *slot);

void link_table_deinit(struct link_table *table);

#endif
