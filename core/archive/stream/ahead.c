/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers that a thread fills ahead of their user. */

#include "config.h"

#include <stdlib.h>

#include "core/archive/stream/stream.h"
#include "core/archive/stream/ahead.h"
#include "core/util/thread.h"

struct stream_ahead {
	stream_fill fill;
	void *data;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* any of these: */
	size_t filled, emptied;		/* buffers, since the begin */
	bool stopped;
	ssize_t length[STREAM_AHEAD];	/* as @fill has returned it */
	struct mrg_error error;		/* of the last, when that is negative */
	unsigned char buffers[STREAM_AHEAD][STREAM_CHUNK];
	bool lent;			/* the user still looks at one */
};

/* The thread's: waits for a buffer that nobody looks at; false: no more are wanted. */
static bool wait_for_room(struct stream_ahead *a)
{
	bool stopped;

	pthread_mutex_lock(&a->lock);
	while (!a->stopped && a->filled - a->emptied == STREAM_AHEAD)
		pthread_cond_wait(&a->changed, &a->lock);
	stopped = a->stopped;
	pthread_mutex_unlock(&a->lock);
	return !stopped;
}

static void *work(void *data)
{
	struct stream_ahead *a = data;
	ssize_t n = 1;

	while (n > 0 && wait_for_room(a)) {
		size_t at = a->filled % STREAM_AHEAD;

		n = a->fill(a->data, a->buffers[at], &a->error);
		pthread_mutex_lock(&a->lock);
		a->length[at] = n;
		a->filled++;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct stream_ahead *stream_ahead_new(stream_fill fill, void *data)
{
	struct stream_ahead *a = malloc(sizeof(*a));

	if (!a)
		return NULL;
	a->fill = fill;
	a->data = data;
	a->filled = a->emptied = 0;
	a->stopped = a->lent = false;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (thread_begin(&a->thread, work, a) == 0)
		return a;
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

ssize_t stream_ahead_next(struct stream_ahead *a, unsigned char **ret, struct mrg_error *err)
{
	size_t at;
	ssize_t n;

	pthread_mutex_lock(&a->lock);
	if (a->lent) {
		a->emptied++;
		pthread_cond_signal(&a->changed);
	}
	while (a->filled == a->emptied)
		pthread_cond_wait(&a->changed, &a->lock);
	at = a->emptied % STREAM_AHEAD;
	n = a->length[at];
	/* The last is never given back: it is what every further call finds. */
	a->lent = n > 0;
	pthread_mutex_unlock(&a->lock);
	*ret = a->buffers[at];
	if (n < 0 && err)
		*err = a->error;
	return n;
}

struct stream_ahead *stream_ahead_free(struct stream_ahead *a)
{
	if (!a)
		return NULL;
	pthread_mutex_lock(&a->lock);
	a->stopped = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}
