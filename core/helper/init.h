/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HELPER_INIT_H
#define CORE_HELPER_INIT_H

/* Programs of ours that are executed inside containers: moorage-init, which can be the first process, and moorage-try. */

#include <moorage/error.h>

/* A sealed copy of the program @name in memory: no container can reach the file of the host through /proc/PID/exe. A descriptor, or a
 * negative errno. */
int program_open_sealed(const char *name, struct mrg_error *err);

/* The same of moorage-init. */
int init_open_sealed(struct mrg_error *err);

/* Whether moorage-init is installed and executable: 0 or a negative errno. */
int init_check(void);

#endif
