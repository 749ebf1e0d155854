/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_EXPORT_H
#define CORE_ARCHIVE_EXPORT_H

/* What an archive is made of. */

#include "core/archive/stream/stream.h"
#include "core/archive/transfer.h"

struct archive_content {
	int root;			/* open; not owned */
	struct tree_map map;		/* from what is on disk to what the container sees */
	struct archive_manifest manifest;
	char *spec, *native;		/* texts; @native may be NULL */
	char *manifest_text;
	bool later;			/* the root's checksum is made while it is packed: archive_content_settle() */
};

/* Whether owners on disk are ids of the host that the map of @spec gives to the container: @content->map. */
int archive_content_owners(struct archive_content *content, const struct mrg_spec *spec, bool *ret_shifted, struct mrg_error *err);

/* All texts and checksums (@later: but the root's), of a container @name of @backend as @spec says, before anything is written. */
int archive_content_sum(struct archive_content *content, const char *name, const char *backend, const struct mrg_spec *spec,
			const struct tree_options *options, struct mrg_error *err);

/* All of it, to the end of the stream. What cannot be carried is in @report. */
int archive_content_write(struct archive_content *content, struct stream_writer *w, const struct tree_options *options,
			  struct tree_report *report, struct mrg_error *err);

/* What was written is the file open as @fd, not packed, from its begin: the checksum that was to come later gets its place in the manifest. */
int archive_content_settle(struct archive_content *content, int fd, struct mrg_error *err);
void archive_content_deinit(struct archive_content *content);

#endif
