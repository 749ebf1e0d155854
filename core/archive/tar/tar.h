/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_TAR_H
#define CORE_ARCHIVE_TAR_H

/*
 * Tar archives, read and written: ustar, pax (POSIX.1-2001, with extended attributes and ACLs as star and GNU tar write them, and GNU's sparse files)
 * and GNU's own long names and sparse files. Names are bytes, whatever the locale. An archive is hostile: what does not add up is refused, and what a
 * header may take of memory is bounded.
 */

#include <sys/types.h>

#include "core/archive/stream/stream.h"
#include "core/util/str.h"

#define TAR_BLOCK	512
#define TAR_HEADER_MAX	(1024 * 1024)	/* of an entry's extended headers together */
#define TAR_SPARSE_MAX	262144		/* pieces of a sparse file */

/* A piece of a sparse file that is there. */
struct tar_piece {
	uint64_t offset, length;
};

struct tar_entry {
	mode_t type;			/* S_IF*; 0: a further name of the file at @link */
	char *path, *link;		/* as written there: @link is that of a symlink, or the other name */
	mode_t mode;			/* 07777 */
	uint32_t uid, gid;
	uint64_t size;			/* of a regular file, holes counted */
	int64_t seconds;		/* time of modification */
	uint32_t nanoseconds;
	bool has_atime;
	int64_t atime_seconds;
	uint32_t atime_nanoseconds;
	uint32_t major, minor;
	struct buffer xattrs;		/* name, NUL, length (size_t), value; for each */
	char *acl_access, *acl_default;	/* text */
	struct tar_piece *pieces;	/* of a sparse file; NULL: all of it is there */
	size_t n_pieces;
	bool sparse;
};

void tar_entry_deinit(struct tar_entry *entry);

/* Goes through the attributes: @at begins as 0; the name, or NULL at the end. */
const char *tar_entry_xattr(const struct tar_entry *entry, size_t *at, const void **ret_value, size_t *ret_length);
int tar_entry_add_xattr(struct tar_entry *entry, const char *name, const void *value, size_t length);

/* ---- reading -------------------------------------------------------------------- */

struct tar_reader {
	struct stream_reader *stream;
	uint64_t left, padding;		/* of the contents at hand, as stored */
	struct tar_entry *entry;	/* whose contents those are */
	size_t piece;			/* at work */
	uint64_t piece_at;		/* in it */
	uint64_t entries;
};

void tar_reader_init(struct tar_reader *t, struct stream_reader *stream);

/* The next entry, over what was not read of the last: 1, or 0 at the end of the archive. @ret is emptied first. */
int tar_next(struct tar_reader *t, struct tar_entry *ret, struct mrg_error *err);

/* The next bytes of its contents, without copying, and where in the file they belong: their number, 0 at the end. */
ssize_t tar_data(struct tar_reader *t, const unsigned char **ret, uint64_t *ret_offset, struct mrg_error *err);

/* The same, at most @max bytes. */
ssize_t tar_data_some(struct tar_reader *t, size_t max, const unsigned char **ret, uint64_t *ret_offset, struct mrg_error *err);

/* All of the contents, when they are at most @max bytes (-EFBIG), with a NUL added. */
int tar_text(struct tar_reader *t, const struct tar_entry *entry, size_t max, char **ret, struct mrg_error *err);

/* ---- writing -------------------------------------------------------------------- */

/* Writes the headers of an entry. The contents that are there follow by tar_write_data(), as many bytes as pieces or size say, then tar_write_padding(). */
int tar_write_entry(struct stream_writer *w, const struct tar_entry *entry, struct mrg_error *err);
int tar_write_padding(struct stream_writer *w, uint64_t length, struct mrg_error *err);

/* A small regular file, whole. */
int tar_write_text(struct stream_writer *w, const char *path, const char *text, struct mrg_error *err);

/* The end of the archive. */
int tar_write_end(struct stream_writer *w, struct mrg_error *err);

/* ---- inside ---------------------------------------------------------------------- */

/* A header, as it stands in the archive. */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], uname[32], gname[32],
		major[8], minor[8], prefix[155], pad[12];
};

/* What extended headers say of the next entry. */
struct tar_pax {
	struct buffer path, link;	/* text NULL: not said */
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid, real_size;
	int64_t seconds;
	uint32_t nanoseconds;
	unsigned int sparse_major, sparse_minor;
	bool sparse, has_real_size;
	char *sparse_name;
	struct tar_piece *pieces;
	size_t n_pieces;
	bool half_piece;		/* an offset whose length is still to come */
	size_t total;			/* bytes of headers so far */
};

void tar_pax_deinit(struct tar_pax *pax);

/* Reads the records of an extended header. */
int tar_pax_parse(struct tar_pax *pax, struct tar_entry *entry, const char *text, size_t length, struct mrg_error *err);
int tar_pax_check_global(const char *text, size_t length, struct mrg_error *err);

/* sparse.c: pieces. */
int tar_add_piece(struct tar_piece **pieces, size_t *n, uint64_t offset, uint64_t length);
int tar_sparse_gnu(struct tar_reader *t, const struct tar_header *header, struct tar_entry *entry, struct mrg_error *err);
int tar_sparse_in_data(struct tar_reader *t, struct tar_entry *entry, struct mrg_error *err);
int tar_sparse_check(const struct tar_entry *entry, uint64_t stored, struct mrg_error *err);

/* A number of a header: octal or GNU's binary. */
int tar_number(const char *field, size_t length, uint64_t *ret);

#endif
