/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_PID_NAMESPACE_H
#define UTIL_PID_NAMESPACE_H

/* The processes of a container that has no cgroup of its own. */

#include <sys/types.h>

/* Calls @found for each process in the pid namespace of @init and in those below it, until it returns other than 0, which is returned. -ENODATA: the
 * namespace is our own, or we may not look at it. */
int pid_namespace_processes(pid_t init, int (*found)(pid_t pid, void *data), void *data);

#endif
