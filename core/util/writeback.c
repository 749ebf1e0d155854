/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/util/thread.h"
#include "core/util/writeback.h"

#define MUCH		((uint64_t)16 * 1024 * 1024)
#define FILE_COST	4096			/* its inode, its name, the rest of its last block */

struct writeback {
	int dir;			/* a description of its own: an error of writing is told once to each, and the caller wants to know */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* @ended, or @noted has passed a multiple of MUCH */
	bool ended;
	_Atomic uint64_t noted;
};

static void *work(void *data)
{
	struct writeback *w = data;
	uint64_t written = 0;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->ended && w->noted / MUCH == written / MUCH)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->ended)
			break;
		written = w->noted;
		pthread_mutex_unlock(&w->lock);
		syncfs(w->dir);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void release(struct writeback *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	close(w->dir);
	free(w);
}

struct writeback *writeback_begin(int dir)
{
	struct writeback *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	if (w->dir >= 0 && thread_begin(&w->thread, work, w) == 0)
		return w;
	release(w);
	return NULL;
}

void writeback_note(struct writeback *w, uint64_t bytes)
{
	uint64_t more = bytes + FILE_COST, before;

	if (!w)
		return;
	before = atomic_fetch_add(&w->noted, more);
	if (before / MUCH == (before + more) / MUCH)
		return;
	pthread_mutex_lock(&w->lock);
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

struct writeback *writeback_end(struct writeback *w)
{
	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	release(w);
	return NULL;
}
