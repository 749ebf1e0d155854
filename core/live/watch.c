/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watching containers: what wakes whoever waits, and when to look. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/context.h"
#include "core/live/watch.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define LOOK_MS		1000		/* between looks when nothing wakes us */
#define SOON_MS		50		/* at most as often, whatever wakes us */
#define WAKES		16

/* ---- what wakes us -------------------------------------------------------------------------- */

static int add_fd(struct mrg_watch *watch, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return fd < 0 || epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* The directory may be the first of this boot; it is watched, not the log, which comes and is renamed. */
static int watch_run_dir(struct mrg_watch *watch)
{
	const char *path = watch->m->run_dir;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return inotify_add_watch(watch->log_changes, path, IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_ONLYDIR) < 0 ? -errno : 0;
}

/* Where engines and managers make the cgroups of containers. That they come and go is worth a look, not more. */
static void watch_cgroups(struct mrg_watch *watch)
{
	static const char *const places[] = { ".", "machine", "machine.slice" };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	char path[64];

	if (cgroup_find_mounts(&cg, true) < 0 || cg.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", cg.item[0].root, places[i]);
		inotify_add_watch(watch->cgroup_changes, path, IN_CREATE | IN_DELETE | IN_ONLYDIR);
	}
}

static int arm(struct mrg_watch *watch, int ms)
{
	struct itimerspec span = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L + 1 } };

	return timerfd_settime(watch->timer, 0, &span, NULL) < 0 ? -errno : 0;
}

static int open_wakes(struct mrg_watch *watch)
{
	int r;

	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	watch->log_changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch->cgroup_changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->epoll < 0)
		return -errno;
	r = add_fd(watch, watch->timer);
	if (r == 0)
		r = add_fd(watch, watch->log_changes);
	if (r == 0)
		r = add_fd(watch, watch->cgroup_changes);
	if (r == 0)
		r = watch_run_dir(watch);
	if (r == 0)
		watch_cgroups(watch);
	return r;
}

/* Whether a look is due: the log tells itself what is new in it. */
static bool take_wakes(struct mrg_watch *watch)
{
	struct epoll_event events[WAKES];
	char ignored[4096];
	bool look = false;
	int n = epoll_wait(watch->epoll, events, WAKES, 0);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		look |= fd != watch->log_changes;
		/* A process has nothing to be read. */
		while (fd > 0 && read(fd, ignored, sizeof(ignored)) > 0)
			;
	}
	return look;
}

/* ---- the users' API ------------------------------------------------------------------------- */

/* The log before the look: what happens between the two is told by the log. */
static int begin(struct mrg_watch *watch, struct mrg_error *err)
{
	int r = open_wakes(watch);

	if (r < 0)
		return fail_errno(err, r, "cannot watch '%s'", watch->m->run_dir);
	watch->began = time_now_ns();
	r = event_reader_open(&watch->log, watch->m, watch->since != 0, err);
	if (r == 0)
		r = watch_begin_look(watch, err);
	return r < 0 ? r : arm(watch, 0);
}

int mrg_watch_new(struct mrg *m, const char *backend, int64_t since, struct mrg_watch **ret, struct mrg_error *err)
{
	struct mrg_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return fail_memory(err);
	*watch = (struct mrg_watch){
		.m = m, .backend = backend ? strdup(backend) : NULL, .since = since, .epoll = -1, .timer = -1, .log_changes = -1,
		.cgroup_changes = -1, .log.file = { { .fd = -1 }, { .fd = -1 } },
	};
	r = backend && !watch->backend ? fail_memory(err) : begin(watch, err);
	if (r < 0)
		mrg_watch_free(watch);
	else
		*ret = watch;
	return r;
}

int mrg_watch_fd(const struct mrg_watch *watch)
{
	return watch->epoll;
}

int mrg_watch_read(struct mrg_watch *watch, int (*found)(const struct mrg_change *change, void *data), void *data, struct mrg_error *err)
{
	bool look = take_wakes(watch);
	int64_t since = time_monotonic_ms() - watch->looked;
	int r;

	watch->found = found;
	watch->data = data;
	r = watch_read_log(watch);
	if (r != 0)
		return r == -ENOMEM ? fail_memory(err) : r;
	if (!look)
		return 0;
	if (since < SOON_MS)
		return arm(watch, SOON_MS - (int)since);
	r = watch_look(watch, err);
	arm(watch, watch->impatient ? SOON_MS : LOOK_MS);
	return r == -ENOMEM ? fail_memory(err) : r;
}

struct mrg_watch *mrg_watch_free(struct mrg_watch *watch)
{
	if (!watch)
		return NULL;
	while (watch->n > 0)
		watch_drop(watch, watch->n - 1);
	free(watch->entries);
	event_reader_close(&watch->log);
	fd_close(watch->cgroup_changes);
	fd_close(watch->log_changes);
	fd_close(watch->timer);
	fd_close(watch->epoll);
	free(watch->backend);
	free(watch);
	return NULL;
}
