/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_EXTRACT_H
#define CORE_ARCHIVE_EXTRACT_H

/*
 * Making the entries of a tar archive in a directory. The archive is hostile: no entry leads outside, whatever its name, whatever symlinks it has made before,
 * and nothing is followed that it did not make. The directory must be nobody else's.
 *
 * Directories get their modes and times once they have been filled, as archives are: depth first. Those that are filled later, or in any order, get their
 * times back.
 */

#include "core/archive/tar/tar.h"
#include "core/migrate/tree/dir_stack.h"
#include "core/migrate/tree/ids.h"
#include "core/migrate/tree/walk.h"

/* A directory that is being filled, and what it shall be. */
struct extract_pending {
	size_t path;			/* length of its path */
	mode_t mode;
	uint32_t uid, gid;
	struct timespec times[2];
	unsigned char *acl;		/* default ACL: new files would inherit it */
	size_t acl_length;
};

/* Marks of an image's layer (".wh.NAME"), which remove what lower layers have. They are no files' names. */
enum {
	EXTRACT_MARKS_NONE,		/* it is no layer */
	EXTRACT_MARKS_ONLY,		/* nothing but them: the first time over a layer */
	EXTRACT_MARKS_OVER		/* everything but them: the second */
};

struct extractor {
	struct tree_work work;
	const struct tree_map *map;
	int root;
	int marks;			/* EXTRACT_MARKS_* */
	uid_t uid;			/* whose what we make is, where nothing hands down another group; */
	gid_t gid;			/* -1: something does everywhere */
	bool devices;			/* all device nodes may be made, not only those that every container has */
	struct dir_stack dirs;		/* from the root to where entries come */
	struct extract_pending *pending;
	size_t n_pending;
	struct buffer path;		/* of the deepest */
	int late;			/* a directory elsewhere, kept for entries that follow; -1: none */
	char *late_path;
	struct timespec late_times[2];
};

/* @root stays the caller's; entries get the ids of @options->map. */
int extractor_init(struct extractor *x, int root, const struct tree_options *options, struct tree_report *report, struct mrg_error *err);
void extractor_deinit(struct extractor *x);

/* Makes one entry under @path, as extract_clean_path() gave it ("" is the root); contents come from @t. */
int extract_entry(struct extractor *x, struct tar_reader *t, const struct tar_entry *e, const char *path);

/* All entries were made: directories get what they shall be. */
int extract_end(struct extractor *x);

/* A name of an archive without leading "/" and "./", doubled and trailing "/": the caller frees it. ".." anywhere is refused. */
int extract_clean_path(const char *name, char **ret, struct mrg_error *err);

/* ---- inside ---------------------------------------------------------------------- */

/* extract_metadata.c: what an entry shall be. Of an open file, which has just been made and has our ids; and of a name in an open directory (nothing that is
 * followed). */
int extract_metadata(struct extractor *x, const struct tar_entry *e, const char *path, int fd);
int extract_metadata_at(struct extractor *x, const struct tar_entry *e, const char *path, int dir, const char *name);
int extract_pending_set(struct extractor *x, const struct tar_entry *e, const char *path, int fd, struct extract_pending *ret);
int extract_pending_finish(struct extractor *x, struct extract_pending *pending, const char *path, int fd);

#endif
