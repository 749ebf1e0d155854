/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONTAINER_HOME_H
#define CORE_CONTAINER_HOME_H

/* Where the roots lie that are made for containers. */

#include <stdbool.h>
#include <sys/stat.h>

#include "core/dispatch.h"
#include "core/registry/registry.h"

/* The path of the root of the container of @unit, there or not: the engine's place for it, else one below the state directory. The caller frees it. */
int home_find(struct mrg *m, struct plugin *p, const struct mrg_unit *unit, char **ret, struct mrg_error *err);

/* Opens the directory in which a root is made, and makes what is missing of it: for root alone, as who reaches a root reaches its setuid programs, or, @passable, so that
 * others get through to what they know the name of. The descriptor, or a negative errno. */
int home_open_above(const char *above, bool passable);

/* Whether the files of a container of @spec have to belong to ids of users of its own, which then have to pass. */
bool home_is_mapped(const struct plugin *p, const struct mrg_spec *spec);

/* Gives the users of @spec, which has no map yet, the 65536 ids of the host from those of @owner on, if these are no users of the host's own, else some that nobody
 * uses, as mrg_helper_ids_choose() does for @unit. @owner: of the root, or NULL. */
int home_map_users(struct mrg_spec *spec, const struct mrg_unit *unit, const struct stat *owner, struct mrg_error *err);

#endif
