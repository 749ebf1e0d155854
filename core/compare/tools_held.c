/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers of raw tools that run: entered, and asked to end. Nothing of ours remembers them, so a file for each in the comparison's directory does,
 * from before it is made: when the comparison is killed, the next one finds them there.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/compare/tools.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define HELD		"held"		/* the directory of notes, "TOOL.NAME" each */
#define TOOL_MS		30000
#define KILL_MS		5000
#define LOOK_MS		5

/* ---- notes ----------------------------------------------------------------------------------------------------- */

static int note_path(const struct tool_call *c, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s/" HELD "/%s.%s", c->work, c->tool->name, c->name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int write_note(const struct tool_call *c, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" HELD, c->work);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, -errno, "cannot make '%s'", path);
	if (note_path(c, path) == 0)
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 ? fail_errno(err, -errno, "cannot make '%s'", path) : 0;
}

/* ---- the payload ----------------------------------------------------------------------------------------------- */

bool measure_is_payload(const char *command, size_t length, const char *name)
{
	const char *mode = command + strlen(command) + 1;

	return strcmp(command, MEASURE_PROGRAM) == 0 && mode < command + length && strcmp(mode + strlen(mode) + 1, name) == 0;
}

/* The process, and a descriptor that was opened before it was looked at. -ESRCH: there is none. */
static int find_payload(const char *name, pid_t *ret_pid)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *command = NULL;
		_cleanup_close_ int fd = -1;
		char path[64];
		size_t length;
		uint32_t pid;

		if (parse_uint32(entry->d_name, &pid) < 0)
			continue;
		fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
		if (fd < 0 || fd_read_virtual(AT_FDCWD, path, 1 << 16, &command, &length) < 0 || length == 0 || !measure_is_payload(command, length, name))
			continue;
		*ret_pid = (pid_t)pid;
		return take_fd(&fd);
	}
	return -ESRCH;
}

static bool has_ended(int pidfd)
{
	struct mrg_error ignored;
	struct measure nobody = { .signals = -1 };

	return measure_wait(&nobody, pidfd, 0, &ignored) == 0;
}

/* Until the program runs in the container. A tool that stays and has ended says why. */
static int await_payload(struct tool_call *c, struct measure_held *held, struct mrg_error *err)
{
	int64_t deadline = time_monotonic_ms() + TOOL_MS;
	struct outcome o = { .output_length = 0 };
	int fd, r = 0;

	for (;;) {
		fd = find_payload(c->name, &held->payload);
		if (fd >= 0) {
			fd_close(fd);
			return 0;
		}
		if (held->child.pid && has_ended(held->child.pidfd)) {
			r = measure_end(c->m, &held->child, &c->a, 0, &o, err);
			return r < 0 ? r : mrg_error_set(err, -EIO, "'%s' ended before our program had", c->tool->name);
		}
		if (time_monotonic_ms() > deadline)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' has not begun our program in %d s", c->tool->name, TOOL_MS / 1000);
		r = measure_rest(c->m, LOOK_MS, err);
		if (r < 0)
			return r;
	}
}

/* ---- hold ---------------------------------------------------------------------------------------------------------- */

static int hold(struct tool_call *c, struct measure_held *held, struct mrg_error *err)
{
	struct outcome o;
	int r = write_note(c, err);

	if (r == 0)
		r = c->tool->start(c, true, err);
	if (r == 0)
		r = c->tool->stays ? measure_begin(&c->a, &held->child, err) : measure_run(c->m, &c->a, NULL, TOOL_MS, &o, err);
	return r < 0 ? r : await_payload(c, held, err);
}

static const struct tool *tool_of(const struct measure *m, size_t subject)
{
	return tool_find(m->report->subject[subject].name);
}

int measure_tool_hold(struct measure *m, size_t subject, char name[MEASURE_NAME_SIZE], struct mrg_error *err)
{
	struct tool_call c;
	int r;

	measure_name(m, name);
	tool_call_init(&c, m, tool_of(m, subject), m->work, name);
	snprintf(m->held[subject].name, sizeof(m->held[subject].name), "%s", name);
	c.mode = "wait";
	c.argument = c.name;
	r = hold(&c, &m->held[subject], err);
	if (r < 0)
		measure_tool_remove(m, subject, name, NULL);
	return r;
}

/* ---- exec and stop --------------------------------------------------------------------------------------------------- */

static void fill(struct tool_call *c, const struct measure_held *held)
{
	snprintf(c->pid, sizeof(c->pid), "%d", (int)held->payload);
	snprintf(c->tool_pid, sizeof(c->tool_pid), "%d", (int)held->child.pid);
}

int measure_tool_exec(struct measure *m, size_t subject, const char *const *program, struct outcome *ret, struct mrg_error *err)
{
	struct tool_call c;

	tool_call_init(&c, m, tool_of(m, subject), m->work, m->running[subject]);
	fill(&c, &m->held[subject]);
	tool_add(&c, c.tool->exec);
	tool_add(&c, program);
	return measure_run(m, &c.a, NULL, TOOL_MS, ret, err);
}

/* What follows when the program has been asked to end, until nothing of its container is left that the tool waits for. */
static int await_gone(struct tool_call *c, struct measure_held *held, int payload, struct mrg_error *err)
{
	struct outcome o;
	int r = measure_wait(c->m, payload, TOOL_MS, err);

	if (r == 0 && held->child.pid)
		r = measure_wait(c->m, held->child.pidfd, TOOL_MS, err);
	if (r == 0 && c->tool->clear) {
		c->a.n = 0;
		tool_add(c, c->tool->clear);
		c->a.word[c->a.n] = NULL;
		r = measure_run(c->m, &c->a, NULL, TOOL_MS, &o, err);
	}
	return r == 0 && c->tool->gone ? c->tool->gone(c, err) : r;
}

int measure_tool_stop(struct measure *m, size_t subject, const char *name, struct outcome *ret, struct mrg_error *err)
{
	struct measure_held *held = &m->held[subject];
	_cleanup_close_ int payload = find_payload(name, &held->payload);
	struct tool_call c;
	int r;

	if (payload < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no container that runs");
	tool_call_init(&c, m, tool_of(m, subject), m->work, name);
	fill(&c, held);
	tool_add(&c, c.tool->stop);
	r = measure_run(m, &c.a, NULL, TOOL_MS, ret, err);
	if (r == 0)
		r = await_gone(&c, held, payload, err);
	ret->end = time_monotonic_ns();
	return r;
}

/* ---- remove ---------------------------------------------------------------------------------------------------------- */

static void kill_payload(struct measure *m, const char *name)
{
	struct mrg_error ignored;
	pid_t pid;
	_cleanup_close_ int fd = find_payload(name, &pid);

	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
		measure_wait(m, fd, KILL_MS, &ignored);
}

/* Whatever there is of it. What fails has nothing to remove, or is told by what follows. */
static void remove_held(struct tool_call *c, struct measure_held *held)
{
	struct mrg_error ignored;
	char path[PATH_MAX];
	struct outcome o = { .output_length = 0 };

	tool_add(c, c->tool->remove ? c->tool->remove : (const char *const[]){ c->tool->name, NULL });
	if (c->tool->remove)
		measure_run(c->m, &c->a, NULL, TOOL_MS, &o, &ignored);
	kill_payload(c->m, c->name);
	if (held && held->child.pid)
		measure_end(c->m, &held->child, &c->a, KILL_MS, &o, &ignored);
	if (note_path(c, path) == 0)
		unlink(path);
}

/* A signal that has come is for later: what there is is removed first. */
int measure_tool_remove(struct measure *m, size_t subject, const char *name, struct mrg_error *err)
{
	struct measure_held *held = &m->held[subject];
	_cleanup_close_ int left = -1;
	int signals = m->signals;
	struct tool_call c;
	pid_t pid;

	tool_call_init(&c, m, tool_of(m, subject), m->work, name);
	m->signals = -1;
	remove_held(&c, held);
	m->signals = signals;
	*held = (struct measure_held){ .payload = 0 };
	left = find_payload(name, &pid);
	return left < 0 ? 0 : mrg_error_set(err, -EIO, "'%s' cannot be ended", name);
}

void measure_tools_sweep(struct measure *m, const char *work)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int signals = m->signals;
	struct dirent *entry;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" HELD, work) >= PATH_MAX)
		return;
	dir = opendir(path);
	m->signals = -1;
	while (dir && (entry = readdir(dir))) {
		char *name = strchr(entry->d_name, '.');
		struct tool_call c;

		if (!name || strncmp(name + 1, MEASURE_PREFIX, strlen(MEASURE_PREFIX)) != 0)
			continue;
		*name = '\0';
		if (!tool_find(entry->d_name))
			continue;
		tool_call_init(&c, m, tool_find(entry->d_name), work, name + 1);
		remove_held(&c, NULL);
	}
	m->signals = signals;
}
