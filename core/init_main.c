/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * moorage-init [--status] [--stdio|--terminal] [--gate] [--exec] -- COMMAND [ARG...]: the first process of an application container.
 *
 * Executes the command as its child, passes signals on to it, buries orphans and ends with its exit status, 128+n after
 * a signal. Why the command could not be executed is written as a struct mrg_error to descriptor 3 (MRG_INIT_ERROR_FD). For engines that
 * lose them: --status writes the wait status word to descriptor 4, --stdio makes descriptors 5, 6 and 7 the standard streams, --terminal
 * makes them a new terminal of the container and sends its master over descriptor 3, a socket then. --gate waits for one byte from there
 * before the command is executed. --exec executes it in its own place: the command is the first process.
 * Static and without stdio: it is mapped once for each container.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moorage/error.h>

#ifndef SYS_close_range
#define SYS_close_range	436		/* the same on every architecture; Linux 5.9 */
#endif

#define ERROR_FD	3		/* MRG_INIT_*_FD; helper.h is no header for this program */
#define STATUS_FD	4
#define STDIO_FD	5
#define PATH_SIZE	4096
#define DEFAULT_PATH	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_BY_SIGNAL = 128 };

extern char **environ;

/* ---- failure --------------------------------------------------------------------------------- */

static void add(struct mrg_error *err, const char *text)
{
	size_t length = strlen(err->message), more = strlen(text), room = sizeof(err->message) - 1 - length;

	memcpy(err->message + length, text, more < room ? more : room);
}

static void __attribute__((noreturn)) fail(int code, const char *before, const char *name, const char *after)
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

/* A group of its own, in the foreground, so that what is typed at the terminal reaches it and a shell can do
 * job control. SIGTTOU is still blocked. */
static void __attribute__((noreturn)) execute_child(char **argv)
{
	setpgid(0, 0);
	if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpid());
	execute(argv);
}

/* ---- the first process ----------------------------------------------------------------------- */

static void report(int status)
{
	const int words[] = { status, 1 };

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

/* Takes the streams that were handed over in place of those the engine gave. */
static void take_streams(void)
{
	for (int i = 0; i < 3; i++)
		if (dup2(STDIO_FD + i, i) < 0)
			fail(-errno, "the standard streams were not handed over", "", "");
}

static int send_descriptor(int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(ERROR_FD, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* A terminal of the container's own instance of devpts becomes the three streams and the controlling terminal. */
static void take_terminal(void)
{
	int unlock = 0, slave, master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0)
		master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		fail(-errno, "cannot open a terminal in the container", "", "");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (slave < 0 || send_descriptor(master) < 0)
		fail(-errno, "cannot hand the terminal to the monitor", "", "");
	close(master);
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(slave, i);
}

/* Until whoever started us has seen us. If they have gone meanwhile, nobody knows of us. */
static void wait_at_gate(void)
{
	char byte;
	ssize_t n;

	do
		n = read(ERROR_FD, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(EXIT_NOT_EXECUTABLE);
}

struct options {
	int status, stdio, terminal, gate, exec;
	char **command;
};

static int parse(int argc, char **argv, struct options *ret)
{
	struct {
		const char *name;
		int *set;
	} known[] = {
		{ "--status", &ret->status }, { "--stdio", &ret->stdio }, { "--terminal", &ret->terminal }, { "--gate", &ret->gate },
		{ "--exec", &ret->exec },
	};
	const size_t n = sizeof(known) / sizeof(known[0]);
	int i = 1;

	*ret = (struct options){ 0 };
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		size_t k = 0;

		while (k < n && strcmp(known[k].name, argv[i]) != 0)
			k++;
		if (k == n)
			return -1;
		*known[k].set = 1;
	}
	ret->command = argv + i + 1;
	return i + 1 < argc ? 0 : -1;
}

static void set_up(const struct options *options)
{
	fcntl(ERROR_FD, F_SETFD, FD_CLOEXEC);
	fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
	if (options->stdio)
		take_streams();
	if (options->terminal)
		take_terminal();
	syscall(SYS_close_range, options->status ? STATUS_FD + 1 : STATUS_FD, ~0U, 0);
	if (options->gate)
		wait_at_gate();
}

int main(int argc, char **argv)
{
	struct options options;
	sigset_t all;
	pid_t payload;

	if (parse(argc, argv, &options) < 0) {
		static const char usage[] = "usage: moorage-init [--status] [--stdio|--terminal] [--gate] [--exec] -- COMMAND [ARG...]\n";

		(void)!write(STDERR_FILENO, usage, sizeof(usage) - 1);
		return EXIT_NOT_EXECUTABLE;
	}
	set_up(&options);
	if (options.exec)
		execute(options.command);
	prctl(PR_SET_NAME, "moorage-init", 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Its memory is ours until it executes, which is when we go on: nothing is copied. Signals wait, all being blocked. */
	payload = vfork();
	if (payload < 0)
		fail(-errno, "cannot start a process in the container", "", "");
	if (payload == 0)
		execute_child(options.command);
	/* The reader waits for its end: from here on only the payload's exec closes it. */
	close(ERROR_FD);
	serve(payload, &all, options.status);
}
