/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

/* The client's end of a connection to a monitor. */

#include <moorage/moorage.h>

/* A session on the connected sockets @fd and @control (both taken, also on failure); waits for the greeting of the
 * monitor. -MRG_E_NOT_RUNNING when it is gone. */
int session_new(int fd, int control, struct mrg_session **ret, struct mrg_error *err);

#endif
