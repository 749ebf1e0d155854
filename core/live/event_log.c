/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of what moorage does: adding to it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/live/change.h"
#include "core/live/event_log.h"
#include "core/store/store.h"
#include "core/util/cleanup.h"

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
}

/* Whoever gets the lock of the file that still has the name moves it; the others find that it has another name, or none. */
static void rotate(int fd, const char *path, const struct stat *opened)
{
	_cleanup_free_ char *old = NULL;
	struct stat named;

	if (asprintf(&old, "%s.1", path) < 0) {
		old = NULL;
		return;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && stat(path, &named) == 0 && named.st_ino == opened->st_ino && named.st_dev == opened->st_dev)
		(void)rename(path, old);
}

static void append(const struct mrg *m, const char *path, const struct buffer *line)
{
	_cleanup_close_ int fd = open_log(path);
	struct stat st;

	/* A container that is kept may be the first thing of this boot, for several commands at once. */
	if (fd < 0 && errno == ENOENT && (mkdir(m->run_dir, 0700) == 0 || errno == EEXIST))
		fd = open_log(path);
	/* A file that others can write, or that is another's under a second name, is not ours to write to. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	if (write(fd, line->text, line->length) >= 0 && st.st_size > EVENT_LOG_MAX)
		rotate(fd, path, &st);
}

void event_log_add(struct mrg *m, const struct record *record, struct mrg_change change)
{
	_cleanup_(buffer_deinit) struct buffer line = { 0 };
	_cleanup_free_ char *path = NULL;

	change.backend = record->backend;
	change.name = record->name;
	change.id = record->adopted ? NULL : record->id;
	change.time = time_now_ns();
	change_emit(&line, &change);
	buffer_add(&line, "\n", 1);
	if (asprintf(&path, "%s/" EVENT_LOG_NAME, m->run_dir) < 0)
		path = NULL;
	if (path && !line.failed)
		append(m, path, &line);
}
