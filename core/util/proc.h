/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_PROC_H
#define UTIL_PROC_H

/* Processes as procfs shows them, and the identity of a process over time. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Field 22 of /proc/PID/stat (clock ticks since boot): with the boot id it tells a pid from its reuse. -ESRCH when
 * there is no such process or it is a zombie. */
int proc_start_time(pid_t pid, uint64_t *ret);

/* Whether the kernel is at its end, or it is gone: that may last a while, and the process has no cgroup of version 1 any more. */
bool proc_is_ending(pid_t pid);

/* The kernel's id of this boot, 36 characters and NUL. */
#define BOOT_ID_SIZE	37
int proc_boot_id(char ret[BOOT_ID_SIZE]);

/* A pidfd of @pid if it is still the process that started at @start_time, else -ESRCH. */
int proc_open(pid_t pid, uint64_t start_time);

/* The wait(2) status word of the process of @pidfd, which need not be a child and was opened while it lived: the kernel keeps it from Linux 6.15 on. -EAGAIN:
 * it lives, or its parent has yet to wait for it; -ENODATA: this kernel does not tell. */
int proc_exit_status(int pidfd, int *ret);

/* A start time as nanoseconds since the epoch. */
int64_t proc_started_ns(uint64_t start_time);

/* A time in nanoseconds. */
int64_t time_ns(const struct timespec *t);

/* Nanoseconds of CLOCK_REALTIME. */
int64_t time_now_ns(void);

/* Nanoseconds, and milliseconds, of CLOCK_MONOTONIC. */
int64_t time_monotonic_ns(void);
int64_t time_monotonic_ms(void);

#endif
