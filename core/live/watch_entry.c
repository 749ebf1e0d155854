/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has been told of each container. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/live/watch.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

static int compare(const struct entry *e, const char *backend, const char *name)
{
	int r = strcmp(e->backend, backend);

	return r ? r : strcmp(e->name, name);
}

/* Where it is or belongs. */
static size_t place(const struct mrg_watch *watch, const char *backend, const char *name)
{
	size_t low = 0, high = watch->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&watch->entries[middle], backend, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct entry *watch_find(const struct mrg_watch *watch, const char *backend, const char *name)
{
	size_t i = place(watch, backend, name);

	return i < watch->n && compare(&watch->entries[i], backend, name) == 0 ? &watch->entries[i] : NULL;
}

struct entry *watch_add(struct mrg_watch *watch, const char *backend, const char *name)
{
	struct entry *e = watch_find(watch, backend, name), added = { .pidfd = -1 };
	size_t i = place(watch, backend, name);

	if (e)
		return e;
	if (watch->n == watch->size) {
		size_t size = watch->size ? 2 * watch->size : 16;
		struct entry *grown = reallocarray(watch->entries, size, sizeof(*grown));

		if (!grown)
			return NULL;
		watch->entries = grown;
		watch->size = size;
	}
	added.backend = strdup(backend);
	added.name = strdup(name);
	if (!added.backend || !added.name) {
		free(added.backend);
		free(added.name);
		return NULL;
	}
	e = &watch->entries[i];
	memmove(e + 1, e, (watch->n++ - i) * sizeof(*e));
	*e = added;
	return e;
}

void watch_drop(struct mrg_watch *watch, size_t i)
{
	struct entry *e = &watch->entries[i];

	fd_close(e->pidfd);
	free(e->backend);
	free(e->name);
	memmove(e, e + 1, (--watch->n - i) * sizeof(*e));
}

void watch_hold(struct mrg_watch *watch, struct entry *e, pid_t pid)
{
	/* What is left of the first process stays readable: it wakes us once. */
	struct epoll_event once = { .events = EPOLLIN | EPOLLET };

	e->pid = pid;
	e->pidfd = fd_close(e->pidfd);
	if (pid > 0)
		e->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (e->pidfd >= 0 && epoll_ctl(watch->epoll, EPOLL_CTL_ADD, e->pidfd, &once) < 0)
		e->pidfd = fd_close(e->pidfd);
}

/* What is not so any more once a change has happened, so that no later line can be about it. */
static const unsigned int ends[MRG_CHANGE_MAX] = {
	[MRG_CHANGE_CREATE] = 1U << MRG_CHANGE_REMOVE,
	[MRG_CHANGE_START] = 1U << MRG_CHANGE_DIE | 1U << MRG_CHANGE_PAUSE | 1U << MRG_CHANGE_UNPAUSE,
	[MRG_CHANGE_DIE] = 1U << MRG_CHANGE_START | 1U << MRG_CHANGE_PAUSE | 1U << MRG_CHANGE_UNPAUSE,
	[MRG_CHANGE_PAUSE] = 1U << MRG_CHANGE_UNPAUSE,
	[MRG_CHANGE_UNPAUSE] = 1U << MRG_CHANGE_PAUSE,
	[MRG_CHANGE_REMOVE] = ~(1U << MRG_CHANGE_REMOVE),
};

static void note(struct entry *e, const struct mrg_change *change)
{
	switch (change->type) {
	case MRG_CHANGE_CREATE:
	case MRG_CHANGE_RENAME:
		e->present = true;
		e->gone = 0;
		break;
	case MRG_CHANGE_START:
		e->present = e->running = true;
		e->paused = e->oom_told = false;
		e->oom_kills = 0;
		e->started = e->gone = 0;
		break;
	case MRG_CHANGE_DIE:
		e->running = e->paused = false;
		break;
	case MRG_CHANGE_OOM:
		e->oom_told = true;
		break;
	case MRG_CHANGE_PAUSE:
	case MRG_CHANGE_UNPAUSE:
		e->paused = change->type == MRG_CHANGE_PAUSE;
		break;
	case MRG_CHANGE_REMOVE:
		e->present = e->running = e->paused = false;
		e->gone = time_monotonic_ms();
		break;
	}
}

int watch_tell(struct mrg_watch *watch, struct entry *e, struct mrg_change change, bool by_look)
{
	change.backend = e->backend;
	change.name = e->name;
	change.id = e->id[0] ? e->id : NULL;
	if (!change.time)
		change.time = time_now_ns();
	note(e, &change);
	e->patience = 0;
	e->looked &= ~ends[change.type];
	if (by_look)
		e->looked |= 1U << change.type;
	return watch->found ? watch->found(&change, watch->data) : 0;
}
