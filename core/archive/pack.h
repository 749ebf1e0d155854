/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_PACK_H
#define CORE_ARCHIVE_PACK_H

/* Writing a tree into a tar archive. */

#include "core/archive/tar/tar.h"
#include "core/migrate/tree/tree.h"

/* Writes the tree open as @dir with names below @prefix ("rootfs", no slashes), owners by @options->map. Told: sockets, mounts, attributes and flags that an archive
 * does not carry. A file that changes its size meanwhile ends it (-ESTALE). */
int pack_tree(struct stream_writer *w, int dir, const char *prefix, const struct tree_options *options, struct tree_report *report,
	      struct mrg_error *err);

#endif
