/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_XATTRS_H
#define CORE_MIGRATE_TREE_XATTRS_H

/* Reading and writing all extended attributes of an entry, in buffers made once. */

#include "core/migrate/tree/ids.h"
#include "core/migrate/tree/walk.h"

struct xattrs {
	char *list;			/* names, each ended by NUL */
	size_t length;
	unsigned char *value;		/* of the one read last; room for TREE_XATTR_MAX and four more */
	size_t value_length;
};

int xattrs_init(struct xattrs *x);
void xattrs_deinit(struct xattrs *x);

/* Each works on @fd when it is open for reading or writing; else on @path: as the name of an entry, where a symlink is the entry itself, with -1, and as
 * "/proc/self/fd/N", which is what is open there, with XATTRS_OF_FD. */
#define XATTRS_OF_FD	(-2)

/* Reads the names. A file system without them has none. */
int xattrs_list(struct xattrs *x, int fd, const char *path);

/* The name after @name, the first for NULL; NULL: no more. Our marks are left out. */
const char *xattrs_next(const struct xattrs *x, const char *name);

/* Reads one. -ENODATA: it is gone. */
int xattrs_get(struct xattrs *x, int fd, const char *path, const char *name);

/* Writes the value at hand. */
int xattrs_set(const struct xattrs *x, int fd, const char *path, const char *name);

#endif
