/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <signal.h>

#include "core/util/thread.h"

/* A thread has the signal mask of its maker. */
int thread_begin(pthread_t *ret, void *(*work)(void *data), void *data)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, work, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
