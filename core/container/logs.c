/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a container's log, and following it until the container ends. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>

#include "core/container/internal.h"
#include "core/log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

#define LOOK_MS	200			/* between looks where no inotify instance can be had */

static void log_reader_freep(struct log_reader **reader)
{
	log_reader_free(*reader);
}

static void session_freep(struct mrg_session **session)
{
	mrg_session_free(*session);
}

static int watch_directory(int dir)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[PATH_OF_FD_SIZE];

	if (fd < 0 || inotify_add_watch(fd, path_of_fd(path, dir), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -1;
	return take_fd(&fd);
}

/* Whether the monitor, whose end is that of the log, is still there. */
static int monitor_lives(struct mrg_session *session, struct mrg_error *err)
{
	struct mrg_event event = { .type = MRG_EVENT_STDOUT };

	while (event.type == MRG_EVENT_STDOUT || event.type == MRG_EVENT_STDERR) {
		int r = mrg_session_read(session, &event, err);

		if (r < 0)
			return r;
	}
	return event.type == MRG_EVENT_NONE;
}

static int wait_for_news(struct mrg_session *session, int inotify)
{
	char events[4096] __attribute__((aligned(8)));
	struct pollfd fds[] = {
		{ .fd = mrg_session_fd(session), .events = POLLIN },
		{ .fd = inotify, .events = POLLIN },
	};
	int r = poll(fds, 2, inotify < 0 ? LOOK_MS : -1);

	if (r < 0 && errno != EINTR)
		return -errno;
	while (inotify >= 0 && read(inotify, events, sizeof(events)) > 0)
		;
	return 0;
}

static int follow(struct log_reader *reader, struct mrg_session *session, int inotify,
		  int (*line)(const struct mrg_log_line *line, void *data), void *data, struct mrg_error *err)
{
	int r, lives;

	do {
		/* Asked before reading: after its end nothing is written. */
		lives = monitor_lives(session, err);
		if (lives < 0)
			return lives;
		r = log_reader_run(reader, line, data, err);
		if (r == 0 && lives) {
			r = wait_for_news(session, inotify);
			if (r < 0)
				fail_errno(err, r, "cannot wait for more of the log");
		}
	} while (r == 0 && lives);
	return r;
}

int mrg_logs(struct mrg_container *c, const struct mrg_log_query *query,
	     int (*line)(const struct mrg_log_line *line, void *data), void *data, struct mrg_error *err)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	_cleanup_(session_freep) struct mrg_session *session = NULL;
	_cleanup_close_ int inotify = -1;
	int r = container_load_spec(c, err);

	if (r < 0)
		return r;
	if (query->follow) {
		/* Before the first look, so that nothing falls between. */
		inotify = watch_directory(c->record->dir);
		r = launch_attach(c->record->dir, 1, &session, err);
		if (r < 0 && r != -MRG_E_NOT_RUNNING)
			return r;
	}
	r = log_reader_new(c->record->dir, query, &reader, err);
	if (r < 0)
		return r;
	r = session ? follow(reader, session, inotify, line, data, err) : log_reader_run(reader, line, data, err);
	return r == LOG_PAST_UNTIL ? 0 : r;
}
