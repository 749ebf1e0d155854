/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_COPY_H
#define CORE_MIGRATE_TREE_COPY_H

/* The parts of tree_copy(): contents, metadata, further names of a file, the thread that fills files. */

#include "core/migrate/tree/dir_stack.h"
#include "core/migrate/tree/xattrs.h"
#include "core/util/writeback.h"

struct tree_copier {
	struct tree_work work;
	const struct tree_map *map;	/* never NULL */
	int parent;
	const char *name;		/* of the target below @parent; "." when it is @parent, made already */
	struct dir_stack targets;	/* the directories that are being filled */
	struct xattrs xattrs;
	char *buffer;			/* for contents, COPY_BUFFER */
	bool reflink, in_kernel;	/* may be tried still */
	uid_t uid;			/* whose what we make is */
	gid_t gid;
	char farm[48];			/* the directory with first names of files that have several, in the target's root; "": none yet */
	int farm_fd;
	struct writeback *writeback;	/* NULL: nobody waits for the disk, or there is none */
	struct tree_filler *filler;	/* NULL: there is none */
};

#define COPY_BUFFER	(128 * 1024)

/* All but the parts that say where. The options are to outlive it. */
int tree_copier_init(struct tree_copier *c, const struct tree_options *options, struct tree_report *report, struct mrg_error *err);
void tree_copier_deinit(struct tree_copier *c);

/* What is in the regular file @e, open as @source, and what it is like, into the new file open as @target. */
int tree_copy_file(struct tree_copier *c, const struct tree_entry *e, int source, int target);

/* The contents of a regular file, with its holes; @size as looked at. */
int tree_copy_contents(struct tree_copier *c, int source, int target, const struct statx *st, const char *path);

/* Owner, mode, extended attributes, times, flags of what was made at @target, open, for @e; @source is open or -1. */
int tree_copy_metadata(struct tree_copier *c, const struct tree_entry *e, int source, int target);

/* The same for what is not opened: @name in the deepest directory. */
int tree_copy_metadata_at(struct tree_copier *c, const struct tree_entry *e);

/* A file with several names: 1 when it was there and has got this name as well, 0 when it is to be made. */
int tree_copy_link(struct tree_copier *c, const struct tree_entry *e);

/* It was made under its first name: to be found again. */
int tree_copy_link_keep(struct tree_copier *c, const struct tree_entry *e);

/* All names were given: forgets them, and sets the flags that would have forbidden it. */
int tree_copy_links_done(struct tree_copier *c);

/* Sets immutable and append-only on the open @fd as in @attributes (STATX_ATTR_*). */
int tree_copy_flags(struct tree_copier *c, int fd, uint64_t attributes, const char *path);
#define TREE_COPY_FLAGS	(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP)

/* copy_filler.c: a thread that does tree_copy_file() with the options of @c. NULL: no memory, or no thread. */
struct tree_filler *tree_filler_begin(const struct tree_copier *c);

/* Gives it a file, and takes both descriptors. What fails may be told with one that is given later. */
int tree_filler_give(struct tree_filler *f, struct tree_copier *c, const struct tree_entry *e, int source, int target);

/* Waits until all is done, or after a failure (@result) for the file at hand, and adds the report to that of @c. @result, or what failed. */
int tree_filler_end(struct tree_filler *f, struct tree_copier *c, int result);

#endif
