/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_COPIES_H
#define MIGRATE_COPIES_H

/* Copied roots in which a target has worked, once the target is gone: not ours to throw away. Where they are is noted in STATE_DIR/copies, a file for each
 * migration, until somebody has removed them. */

#include <moorage/moorage.h>

/* Gives @path, which is what is called so in the open directory @parent, a name that no engine takes for a container's, and notes it. *ret: its path from then on,
 * which the caller frees. -ENOENT, without a sentence: there is none. */
int copies_keep(struct mrg *m, int parent, const char *path, const char *id, char **ret, struct mrg_error *err);

/* The paths of those that are there still, NULL-terminated; the caller frees them. NULL: none, or that cannot be read. */
char **copies_list(struct mrg *m);

#endif
