/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_IMPORT_BLOB_H
#define CORE_ARCHIVE_IMPORT_BLOB_H

/* Files of an image layout, in a tar or in a directory, and their checksums: taken over exactly what is used. */

#include "core/archive/import/import.h"
#include "core/util/json.h"

#define BLOBS	"blobs/sha256/"

struct blob {
	struct import_archive archive;	/* at its begin in it, when the layout is one */
	int file;			/* it, open, when the layout is a directory; else -1 */
	struct sha256 *sha256;
};

/* Opens the file @name of the layout @job imports. */
int blob_open(struct blob *b, struct import_job *job, const char *name, struct mrg_error *err);
void blob_close(struct blob *b);

/* A source for a stream_reader: @data is the blob. */
ssize_t blob_read(void *data, void *buffer, size_t size, struct mrg_error *err);

/* Reads what is left; the checksum of all of it is @hex (NULL: whatever). */
int blob_check(struct blob *b, const char *hex, struct mrg_error *err);

/* The file @name as JSON, which borrows from *ret_text. */
int import_document(struct import_job *job, const char *name, const char *hex, struct json **ret, char **ret_text, struct mrg_error *err);

#endif
