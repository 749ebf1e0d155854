/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands, timed from before they are made until they are seen to have ended: as a user waits for them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define KILL_MS		5000		/* from SIGTERM to SIGKILL */

extern char **environ;

void arguments_add(struct arguments *a, ...)
{
	const char *word;
	va_list words;

	va_start(words, a);
	while ((word = va_arg(words, const char *)) && a->n < ARGUMENTS)
		a->word[a->n++] = word;
	va_end(words);
}

int measure_rest(struct measure *m, int ms, struct mrg_error *err)
{
	struct pollfd fd = { .fd = m->signals, .events = POLLIN };
	int64_t end = time_monotonic_ms() + ms;
	int r;

	do {
		int64_t left = end - time_monotonic_ms();

		r = poll(&fd, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	return r > 0 ? mrg_error_set(err, -EINTR, "interrupted by a signal") : 0;
}

/* ---- a child --------------------------------------------------------------------------------------------- */

/* In a process group of its own: a key on the terminal reaches us alone, who then end it and remove what it made. */
static int attributes(posix_spawnattr_t *attr)
{
	sigset_t none;

	sigemptyset(&none);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setpgroup(attr, 0);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

static int spawn(const struct arguments *a, const char *dir, int out, int errors, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int r;

	if (posix_spawnattr_init(&attr) != 0)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&files) != 0) {
		posix_spawnattr_destroy(&attr);
		return -ENOMEM;
	}
	r = attributes(&attr);
	r = r ? r : posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&files, out, 1);
	r = r ? r : posix_spawn_file_actions_adddup2(&files, errors, 2);
	if (r == 0 && dir)
		r = posix_spawn_file_actions_addchdir_np(&files, dir);
	r = r ? r : posix_spawnp(ret, a->word[0], &files, &attr, (char *const *)a->word, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -r;
}

static void finish(struct measure_child *c)
{
	fd_close(c->pidfd);
	fd_close(c->out);
	fd_close(c->errors);
	*c = (struct measure_child){ .pid = 0 };
}

static int begin(const struct arguments *a, const char *dir, struct measure_child *ret, int64_t *ret_begin)
{
	int out[2], errors[2], r;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(errors, O_CLOEXEC) < 0) {
		r = -errno;
		close(out[0]);
		close(out[1]);
		return r;
	}
	*ret = (struct measure_child){ .pidfd = -1, .out = out[0], .errors = errors[0] };
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_NONBLOCK);
	*ret_begin = time_monotonic_ns();
	r = spawn(a, dir, out[1], errors[1], &ret->pid);
	close(out[1]);
	close(errors[1]);
	if (r == 0) {
		ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
		r = ret->pidfd < 0 ? -errno : 0;
	}
	if (r < 0)
		finish(ret);
	return r;
}

int measure_begin(const struct arguments *a, struct measure_child *ret, struct mrg_error *err)
{
	int64_t begun;
	int r = begin(a, NULL, ret, &begun);

	return r < 0 ? fail_errno(err, r, "cannot run '%s'", a->word[0]) : 0;
}

/* What is too much is read, so that the command never waits for us, and dropped. Returns false at the end of the file. */
static bool take(int fd, char *text, size_t size, size_t *length)
{
	char rest[4096];
	bool room = *length + 1 < size;
	ssize_t n = room ? read(fd, text + *length, size - 1 - *length) : read(fd, rest, sizeof(rest));

	if (n > 0 && room)
		*length += (size_t)n;
	text[*length] = '\0';
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void take_both(struct measure_child *c, struct outcome *o)
{
	if (c->out >= 0 && !take(c->out, o->output, sizeof(o->output), &o->output_length))
		c->out = fd_close(c->out);
	if (c->errors >= 0 && !take(c->errors, o->errors, sizeof(o->errors), &o->errors_length))
		c->errors = fd_close(c->errors);
}

/* Until the process has ended: what it left in the background may keep its streams. */
static int wait_end(struct measure_child *c, int signals, int timeout_ms, struct outcome *o)
{
	int64_t end = time_monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = c->pidfd, .events = POLLIN }, { .fd = signals, .events = POLLIN },
			{ .fd = c->out, .events = POLLIN }, { .fd = c->errors, .events = POLLIN },
		};
		int64_t left = end - time_monotonic_ms();
		int r = poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents) {
			o->end = time_monotonic_ns();
			return 0;
		}
		if (r > 0 && fds[1].revents)
			return -EINTR;
		if (r == 0)
			return -MRG_E_TIMEOUT;
		take_both(c, o);
	}
}

static int reap(struct measure_child *c)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* It is asked to end, so that it removes what it has made, and killed when it does not. */
static void end(struct measure_child *c, struct outcome *o)
{
	kill(-c->pid, SIGTERM);
	if (wait_end(c, -1, KILL_MS, o) < 0)
		kill(-c->pid, SIGKILL);
	reap(c);
}

/* The first line of what it said, which of ours begins with our name. */
static const char *complaint(struct outcome *o)
{
	char *text = o->errors;
	static const char ours[] = "moorage: error: ";

	text += strspn(text, " \n");
	text[strcspn(text, "\n")] = '\0';
	return strncmp(text, ours, strlen(ours)) == 0 ? text + strlen(ours) : *text ? text : "it said nothing";
}

int measure_end(struct measure *m, struct measure_child *c, const struct arguments *a, int timeout_ms, struct outcome *ret, struct mrg_error *err)
{
	int r = wait_end(c, m->signals, timeout_ms, ret), status;

	if (r < 0) {
		end(c, ret);
		finish(c);
		return r == -EINTR ? mrg_error_set(err, r, "interrupted by a signal") :
		       r == -MRG_E_TIMEOUT ? mrg_error_set(err, r, "'%s %s' took more than %d s", a->word[0], a->n > 1 ? a->word[1] : "", timeout_ms / 1000) :
					     fail_errno(err, r, "cannot wait for '%s'", a->word[0]);
	}
	take_both(c, ret);
	status = reap(c);
	finish(c);
	if (status == 0)
		return 0;
	return mrg_error_set(err, -EIO, "'%s %s' failed: %s", strrchr(a->word[0], '/') ? strrchr(a->word[0], '/') + 1 : a->word[0], a->n > 1 ? a->word[1] : "",
			     complaint(ret));
}

int measure_run(struct measure *m, const struct arguments *a, const char *dir, int timeout_ms, struct outcome *ret, struct mrg_error *err)
{
	struct measure_child c;
	int r;

	*ret = (struct outcome){ .output_length = 0 };
	r = begin(a, dir, &c, &ret->begin);
	return r < 0 ? fail_errno(err, r, "cannot run '%s'", a->word[0]) : measure_end(m, &c, a, timeout_ms, ret, err);
}

int measure_wait(struct measure *m, int pidfd, int timeout_ms, struct mrg_error *err)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = m->signals, .events = POLLIN } };
	int64_t end = time_monotonic_ms() + timeout_ms;
	int r;

	do {
		int64_t left = end - time_monotonic_ms();

		r = poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return fail_errno(err, -errno, "cannot wait for a process");
	if (r > 0 && fds[0].revents)
		return 0;
	return r > 0 ? mrg_error_set(err, -EINTR, "interrupted by a signal") :
		       mrg_error_set(err, -MRG_E_TIMEOUT, "a process did not end in %d s", timeout_ms / 1000);
}
