/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * moorage-init [OPTION...] -- COMMAND [ARG...]: the first process of an application container.
 *
 * Executes the command as its child, passes signals on to it, buries orphans and ends with its exit status, 128+n after
 * a signal. Why the command could not be executed is written as a struct mrg_error to descriptor 3 (MRG_INIT_ERROR_FD). For engines that
 * lose or lack them: --status writes the wait status word to descriptor 4; --stdio makes descriptors 5, 6 and 7 the standard streams, --terminal
 * opens a terminal (of --size ROWS:COLUMNS) and sends its master over the socket 5; --environment takes the environment from the file 8; --wait waits
 * for a byte from 9; --filter loads the seccomp filter in the file 10; --sysctls sets those in the file 11; --mounts does to mounts what the file 12
 * says; --profile NAME enters an AppArmor profile; with --socket 3 is a socket over which the pipe comes; --umask OCTAL, --cwd DIRECTORY, --user UID:GID[,GID...],
 * --caps INHERITABLE:AMBIENT[:BOUNDING] (hexadecimal). With --exec it does all that and executes the command in its own place.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/init/init.h"

#ifndef SYS_close_range
#define SYS_close_range	436		/* the same on every architecture; Linux 5.9 */
#endif

#define PATH_SIZE	4096
#define DEFAULT_PATH	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

/* ---- failure --------------------------------------------------------------------------------- */

static void add(struct mrg_error *err, const char *text)
{
	size_t length = strlen(err->message), more = strlen(text), room = sizeof(err->message) - 1 - length;

	memcpy(err->message + length, text, more < room ? more : room);
}

void __attribute__((noreturn)) fail(int code, const char *before, const char *name, const char *after)
{
	struct mrg_error err = { .code = code };

	add(&err, before);
	add(&err, name);
	add(&err, after);
	(void)!write(ERROR_FD, &err, sizeof(err));
	_exit(code == -MRG_E_NO_COMMAND ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* execve(2) says ENOENT also when the interpreter is missing. */
static void __attribute__((noreturn)) explain(const char *path, int why)
{
	if (is_directory(path))
		fail(-MRG_E_NOT_EXECUTABLE, "'", path, "' is a directory");
	if (why == ENOENT && access(path, F_OK) == 0)
		fail(-MRG_E_NOT_EXECUTABLE, "the interpreter or loader of '", path, "' was not found in the container");
	if (why == ENOENT || why == ENOTDIR)
		fail(-MRG_E_NO_COMMAND, "'", path, "' not found in the container");
	if (why == EACCES)
		fail(-MRG_E_NOT_EXECUTABLE, "'", path, "' is not executable: permission denied");
	if (why == ENOEXEC)
		fail(-MRG_E_NOT_EXECUTABLE, "'", path, "' is no program for this machine");
	if (why == E2BIG)
		fail(-MRG_E_NOT_EXECUTABLE, "arguments and environment are too long for '", path, "'");
	fail(-MRG_E_NOT_EXECUTABLE, "cannot execute '", path, "'");
}

/* ---- the command ----------------------------------------------------------------------------- */

/* The next directory of a search path, joined with @name; an empty one is the current directory. */
static const char *join(const char *dirs, const char *name, char ret[PATH_SIZE])
{
	size_t length = strcspn(dirs, ":"), n = strlen(name);

	ret[0] = '\0';
	if (length + 1 + n < PATH_SIZE) {
		memcpy(ret, length ? dirs : ".", length ? length : 1);
		length += length == 0;
		ret[length] = '/';
		memcpy(ret + length + 1, name, n + 1);
	}
	dirs += strcspn(dirs, ":");
	return *dirs ? dirs + 1 : NULL;
}

/* One that exists and cannot be executed is reported only when no other can. */
static void __attribute__((noreturn)) search(char **argv)
{
	const char *dirs = getenv("PATH");
	char path[PATH_SIZE], refused[PATH_SIZE] = "";
	int why = 0;

	if (!dirs || !*dirs)
		dirs = DEFAULT_PATH;
	while (dirs) {
		dirs = join(dirs, argv[0], path);
		if (!path[0])
			continue;
		execve(path, argv, environ);
		if (errno == ENOENT && access(path, F_OK) < 0)
			continue;
		if (errno == ENOTDIR || errno == ELOOP || is_directory(path))
			continue;
		if (!refused[0]) {
			why = access(path, F_OK) == 0 && errno == ENOENT ? ENOENT : errno;
			memcpy(refused, path, sizeof(refused));
		}
	}
	if (refused[0])
		explain(refused, why);
	fail(-MRG_E_NO_COMMAND, "'", argv[0], "' not found in the container");
}

static void __attribute__((noreturn)) execute(char **argv)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* A group of its own, in the foreground, so that what is typed at the terminal reaches it and a shell can do
	 * job control. SIGTTOU is still blocked. */
	setpgid(0, 0);
	if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpid());
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!argv[0][0])
		fail(-MRG_E_NO_COMMAND, "the command is empty", "", "");
	if (!strchr(argv[0], '/'))
		search(argv);
	execve(argv[0], argv, environ);
	explain(argv[0], errno);
}

/* ---- the first process ----------------------------------------------------------------------- */

static void report(int status)
{
	const int words[] = { status, 1, count_oom_kills() };

	(void)!write(STATUS_FD, words, sizeof(words));
}

/* Buries all who have ended; does not return when @payload is among them. */
static void reap(pid_t payload, int status_wanted)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != payload)
			continue;
		if (status_wanted)
			report(status);
		_exit(WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
	}
}

/* SIGTTIN and SIGTTOU tell a process that it is in the background, which is not the payload's affair. */
static int is_forwarded(int signo)
{
	return signo != SIGCHLD && signo != SIGTTIN && signo != SIGTTOU;
}

static void __attribute__((noreturn)) serve(pid_t payload, const sigset_t *all, int status_wanted)
{
	for (;;) {
		int signo = sigwaitinfo(all, NULL);

		if (signo > 0 && is_forwarded(signo))
			kill(payload, signo);
		reap(payload, status_wanted);
	}
}

static const struct {
	const char *name;
	size_t flag, value;		/* of the member in struct options; one of the two */
} rows[] = {
	{ "--exec", offsetof(struct options, exec), 0 },
	{ "--status", offsetof(struct options, status), 0 },
	{ "--stdio", offsetof(struct options, stdio), 0 },
	{ "--terminal", offsetof(struct options, terminal), 0 },
	{ "--environment", offsetof(struct options, environment), 0 },
	{ "--filter", offsetof(struct options, filter), 0 },
	{ "--socket", offsetof(struct options, socket), 0 },
	{ "--sysctls", offsetof(struct options, sysctls), 0 },
	{ "--mounts", offsetof(struct options, mounts), 0 },
	{ "--wait", offsetof(struct options, wait), 0 },
	{ "--umask", 0, offsetof(struct options, umask) },
	{ "--cwd", 0, offsetof(struct options, cwd) },
	{ "--user", 0, offsetof(struct options, user) },
	{ "--size", 0, offsetof(struct options, size) },
	{ "--caps", 0, offsetof(struct options, caps) },
	{ "--profile", 0, offsetof(struct options, profile) },
};

/* How many words the option takes; 0: it is none. */
static int take_option(char **words, struct options *o)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(words[0], rows[i].name) != 0)
			continue;
		if (!rows[i].value) {
			*(int *)(void *)((char *)o + rows[i].flag) = 1;
			return 1;
		}
		*(const char **)(void *)((char *)o + rows[i].value) = words[1];
		return words[1] ? 2 : 0;
	}
	return 0;
}

static int parse(int argc, char **argv, struct options *ret)
{
	int i = 1, n;

	*ret = (struct options){ 0 };
	for (; i < argc && strcmp(argv[i], "--") != 0; i += n) {
		n = take_option(argv + i, ret);
		if (n == 0)
			return -1;
	}
	ret->command = argv + i + 1;
	return i + 1 < argc ? 0 : -1;
}

/* What lists of processes show is the memory of the arguments. Engines execute a descriptor, and the options are nobody's business: what is left is
 * "moorage-init -- COMMAND [ARG...]". */
static void show_command(char **argv, char **command)
{
	static const char name[] = "moorage-init\0--";
	char *begin = argv[0], *end = command[0], *from = command[0];

	for (char **arg = command; *arg; arg++)
		end = *arg + strlen(*arg) + 1;
	if ((size_t)(from - begin) < sizeof(name))
		return;
	memcpy(begin, name, sizeof(name));
	begin += sizeof(name);
	memmove(begin, from, (size_t)(end - from));
	memset(begin + (end - from), 0, (size_t)(from - begin));
}

static void __attribute__((noreturn)) supervise(char **argv, const struct options *options)
{
	sigset_t all;
	pid_t payload;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Its memory is ours until it executes, which is when we go on: nothing is copied. Signals wait, all being blocked. */
	payload = vfork();
	if (payload < 0)
		fail(-errno, "cannot start a process in the container", "", "");
	if (payload == 0)
		execute(options->command);
	/* The reader waits for its end: from here on only the payload's exec closes it. */
	close(ERROR_FD);
	show_command(argv, options->command);
	serve(payload, &all, options->status);
}

int main(int argc, char **argv)
{
	struct options options;

	if (parse(argc, argv, &options) < 0) {
		static const char usage[] = "usage: moorage-init [OPTION...] -- COMMAND [ARG...]\n";

		(void)!write(STDERR_FILENO, usage, sizeof(usage) - 1);
		return EXIT_NOT_EXECUTABLE;
	}
	if (options.socket)
		take_error_pipe();
	fcntl(ERROR_FD, F_SETFD, FD_CLOEXEC);
	fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
	set_up(&options);
	syscall(SYS_close_range, options.status ? STATUS_FD + 1 : STATUS_FD, ~0U, 0);
	if (options.exec)
		execute(options.command);
	prctl(PR_SET_NAME, "moorage-init", 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	supervise(argv, &options);
}
