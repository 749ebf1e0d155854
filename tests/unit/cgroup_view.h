/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_CGROUP_VIEW_H
#define TESTS_CGROUP_VIEW_H

/* Other layouts of cgroups in a private mount namespace, and processes in cgroups of their own. */

#include <sys/types.h>

#include <moorage/helper.h>

/* Enters a private mount namespace that shows only the v1 hierarchies, or only v2, of this host. "host": nothing to do.
 * Returns 0, or 1 when the host has nothing to show that way, or a negative errno. */
int view_enter(const char *view);

/* Starts a process in the cgroups of @entry that runs @body and exits with what it returns. */
pid_t view_spawn(const struct mrg_cgroup_entry *entry, int (*body)(void *data), void *data);

/* Calls @found with each cgroup directory of that name on this host; gives their number. */
int view_count(const char *path);

#endif
