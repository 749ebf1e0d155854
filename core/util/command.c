/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs, executed as launch.c executes the monitor: no SIGCHLD, no copy of memory, no shell. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define STACK_SIZE	(64 * 1024)
#define LOOK_MS		20
#define OUTPUT_MAX	(64 * 1024)

struct child {
	const char *path;
	const char *const *argv;
	const char *const *env;
	int in, out, errors;
	int error;			/* why nothing was executed, a negative errno */
};

/* Shares the caller's memory and stops it until it executes. */
static int execute(void *data)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct child *c = data;
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	if (dup2(c->in, 0) >= 0 && dup2(c->out, 1) >= 0 && dup2(c->errors, 2) >= 0 && syscall(SYS_close_range, 3U, ~0U, 0) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(c->path, (char *const *)c->argv, (char *const *)c->env);
	c->error = -errno;
	return 0;
}

static int find(const char *name, char path[256])
{
	static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if ((size_t)snprintf(path, 256, "%s/%s", directories[i], name) < 256 && access(path, X_OK) == 0)
			return 0;
	return -ENOENT;
}

static pid_t spawn(struct child *c)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	sigset_t all, old;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -ENOMEM;
	/* A handler of the caller's must not run on our stack. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pid = clone(execute, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, c);
	if (pid < 0)
		pid = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(stack, STACK_SIZE);
	return pid;
}

/* All it writes is read, so that it never waits for us; what is too much is dropped. */
static int read_output(int fd, char **ret)
{
	_cleanup_free_ char *text = malloc(OUTPUT_MAX + 1);
	size_t length = 0;
	char rest[4096];
	ssize_t n;

	if (!text)
		return -ENOMEM;
	for (;;) {
		bool room = length < OUTPUT_MAX;

		n = room ? read(fd, text + length, OUTPUT_MAX - length) : read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += room ? (size_t)n : 0;
	}
	text[length] = '\0';
	*ret = take_ptr(text);
	return n < 0 ? -errno : 0;
}

static int finish(const char *name, pid_t pid, const struct child *c, struct mrg_error *err)
{
	int status;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return fail_errno(err, -errno, "cannot wait for '%s'", name);
	if (c->error < 0)
		return fail_errno(err, c->error, "cannot execute '%s'", c->path);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int command_run(const char *const *argv, char **ret_output, struct mrg_error *err)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC), ours = -1, theirs = -1;
	_cleanup_free_ char *output = NULL;
	char path[256];
	struct child c = { .path = path, .argv = argv, .env = env };
	int ends[2], r;
	pid_t pid;

	if (find(argv[0], path) < 0)
		return mrg_error_set(err, -MRG_E_NO_ENGINE, "the program '%s' is not installed", argv[0]);
	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(err, -errno, "cannot prepare to run '%s'", argv[0]);
	ours = ends[0], theirs = ends[1];
	c.in = null;
	c.out = c.errors = theirs;
	pid = spawn(&c);
	if (pid < 0)
		return fail_errno(err, (int)pid, "cannot start '%s'", argv[0]);
	theirs = fd_close(theirs);
	r = read_output(ours, &output);
	if (r < 0)
		fail_errno(err, r, "cannot read what '%s' says", argv[0]);
	else if (ret_output)
		*ret_output = take_ptr(output);
	pid = finish(argv[0], pid, &c, r < 0 ? NULL : err);
	return r < 0 ? r : pid;
}

pid_t command_begin(const char *const *argv, int in, int out, int errors, struct mrg_error *err)
{
	char path[256];
	struct child c = { .path = path, .argv = argv, .env = (const char *const *)environ, .in = in, .out = out, .errors = errors };
	pid_t pid;

	if (find(argv[0], path) < 0)
		return mrg_error_set(err, -MRG_E_NO_ENGINE, "the program '%s' is not installed", argv[0]);
	pid = spawn(&c);
	if (pid < 0)
		return fail_errno(err, (int)pid, "cannot start '%s'", argv[0]);
	if (c.error == 0)
		return pid;
	waitpid(pid, NULL, __WALL);
	return fail_errno(err, c.error, "cannot execute '%s'", path);
}

int command_end(pid_t pid, int grace_ms)
{
	pid_t ended;
	int status = 0;

	while ((ended = waitpid(pid, &status, WNOHANG | __WALL)) == 0 && grace_ms > 0) {
		poll(NULL, 0, LOOK_MS);
		grace_ms -= LOOK_MS;
	}
	if (ended == 0) {
		kill(pid, SIGKILL);
		while ((ended = waitpid(pid, &status, __WALL)) < 0 && errno == EINTR)
			;
	}
	if (ended < 0)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
