/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_SUM_H
#define CORE_MIGRATE_TREE_SUM_H

/*
 * The checksum of a tree, added up entry by entry in any order: the SHA-256 of each entry is a number, and the numbers are summed. So a tree on disk and the
 * same tree on its way through an archive have the same, and nothing needs to be sorted.
 */

#include "core/migrate/tree/link_table.h"
#include "core/migrate/tree/walk.h"
#include "core/util/sha256.h"

struct tree_sum {
	struct sha256 *sha256;
	uint64_t total[4];
	uint64_t count;
};

/* What an entry is but for its contents, attributes, path. */
struct tree_sum_entry {
	const char *path;
	uint32_t mode, uid, gid;
	int64_t seconds;		/* time of modification */
	uint32_t nanoseconds;
	uint64_t size;			/* of a regular file */
	uint32_t major, minor;		/* of a device */
	const char *target;		/* of a symlink; else NULL */
	const unsigned char *content;	/* SHA-256 of tree_sum_content() calls, of a regular file; else NULL */
};

int tree_sum_init(struct tree_sum *sum, struct mrg_error *err);
void tree_sum_deinit(struct tree_sum *sum);

/* Contents come in pieces, each at a multiple of TREE_SUM_BLOCK and as long, but for the last. Pieces of zeros add nothing: so holes need not be read. */
#define TREE_SUM_BLOCK	65536
void tree_sum_content(struct tree_sum *sum, uint64_t offset, const void *data, size_t length);
int tree_sum_content_end(struct tree_sum *sum, unsigned char ret[SHA256_SIZE]);

/* All of the contents of a file on disk, holes left out. @buffer has TREE_SUM_BLOCK bytes. */
int tree_sum_file(struct tree_sum *sum, struct tree_work *work, int fd, const struct statx *st, char *buffer, unsigned char ret[SHA256_SIZE]);

/* An extended attribute of an entry is added on its own, as is the fact that several names are one file: @names is the sum of tree_sum_name() of all of them. */
int tree_sum_entry(struct tree_sum *sum, const struct tree_sum_entry *e);
int tree_sum_xattr(struct tree_sum *sum, const char *path, const char *name, const void *value, size_t length);
int tree_sum_name(struct tree_sum *sum, const char *path, uint64_t names[2]);
int tree_sum_same(struct tree_sum *sum, const uint64_t names[2]);

/* Of files that have names outside of the tree, which do not come. */
int tree_sum_open_links(struct tree_sum *sum, const struct link_table *links);

int tree_sum_end(struct tree_sum *sum, char ret[SHA256_TEXT]);

#endif
