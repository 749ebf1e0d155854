/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HELPER_INIT_H
#define CORE_HELPER_INIT_H

/* The program moorage-init, which can be the first process of a container. */

#include <moorage/error.h>

/* A sealed copy of it in memory: no container can reach the file of the host through /proc/PID/exe. A descriptor, or a
 * negative errno. */
int init_open_sealed(struct mrg_error *err);

/* Whether it is installed and executable: 0 or a negative errno. */
int init_check(void);

#endif
