/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_UTIL_THREAD_H
#define CORE_UTIL_THREAD_H

#include <pthread.h>

/* Threads of a library: signals are for those who asked for them, so all are blocked there. pthread_create(3)'s error, or 0. */
int thread_begin(pthread_t *ret, void *(*work)(void *data), void *data);

#endif
