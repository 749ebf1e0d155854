/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Payloads as plain children of the monitor. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/fake/fake.h"

struct launch {
	const struct mrg_unit *unit;
	const struct mrg_command *command;	/* NULL: the container's own */
	const char *file;		/* its pid is noted there */
	char *const *args, *const *env;
	const char *cwd;
	struct mrg_stdio *io;
	int slave;
	int errors;			/* pipe to the parent, closed by a successful exec */
};

static const char *path_of(char *const *env)
{
	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], "PATH=", 5) == 0)
			return env[i] + 5;
	return "/usr/sbin:/usr/bin:/sbin:/bin";
}

/* What execve(2) said of @path; it says ENOENT also when the interpreter is missing. */
static int failure(const char *path)
{
	int code = errno;

	if (code == ENOENT && access(path, F_OK) == 0)
		code = ENOEXEC;
	errno = code;
	return code;
}

/* Tries every directory of PATH; gives the errno of the best failure. */
static int execute(char *const *args, char *const *env)
{
	static char *const nothing[] = { NULL };
	char *const *environment = env ? env : nothing;
	const char *next = path_of(env);
	int best = ENOENT;

	if (strchr(args[0], '/')) {
		execve(args[0], args, environment);
		return failure(args[0]);
	}
	while (*next) {
		size_t length = strcspn(next, ":");
		char path[4096];

		snprintf(path, sizeof(path), "%.*s/%s", (int)length, next, args[0]);
		execve(path, args, environment);
		if (failure(path) != ENOENT && errno != ENOTDIR)
			best = failure(path);
		next += length + (next[length] == ':');
	}
	return best;
}

/* Notes "PID START" of the calling process, so that it is found whatever becomes of its parent. */
static void note(const struct launch *l)
{
	int fd = openat(l->unit->dir, l->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	uint64_t start_time = 0;

	proc_start_time(getpid(), &start_time);
	if (fd < 0)
		return;
	dprintf(fd, "%d %llu\n", (int)getpid(), (unsigned long long)start_time);
	close(fd);
}

static __attribute__((noreturn)) void child(const struct launch *l)
{
	int fds[3] = { l->io->in, l->io->out, l->io->err }, code;
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (l->io->terminal) {
		ioctl(l->slave, TIOCSCTTY, 0);
		fds[0] = fds[1] = fds[2] = l->slave;
	}
	for (int i = 0; i < 3; i++) { /* out of the way of 0-2 first */
		fds[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, 3) : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fds[i] < 3)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	}
	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	note(l);
	code = fake_kind.enter ? fake_kind.enter(l->unit, l->command) : 0;
	if (code == 0 && (!l->cwd || chdir(l->cwd) < 0))
		code = chdir("/");
	if (code == 0)
		code = execute(l->args, l->env);
	if (write(l->errors, &code, sizeof(code)) != sizeof(code))
		_exit(126);
	_exit(127);
}

static int open_terminal(struct mrg_stdio *io, int *ret_slave, struct mrg_error *err)
{
	char name[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof(name)) != 0) {
		fd_close(master);
		return mrg_error_set(err, -errno, "cannot open a terminal");
	}
	*ret_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_slave < 0) {
		fd_close(master);
		return mrg_error_set(err, -errno, "cannot open the terminal '%s'", name);
	}
	io->master = master;
	return 0;
}

static int verdict(const char *command, int code, struct mrg_error *err)
{
	if (code == ENOENT || code == ENOTDIR)
		return mrg_error_set(err, -MRG_E_NO_COMMAND, "command '%s' not found", command);
	return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "command '%s' cannot be executed", command);
}

static int spawn(struct launch *l, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_close_ int slave = -1, reader = -1, writer = -1;
	struct mrg_process process = { .pidfd = -1 };
	int errors[2], code, r;

	if (pipe2(errors, O_CLOEXEC) < 0)
		return mrg_error_set(err, -errno, "cannot make a pipe");
	reader = errors[0];
	writer = l->errors = errors[1];
	r = l->io->terminal ? open_terminal(l->io, &slave, err) : 0;
	if (r < 0)
		return r;
	l->slave = slave;
	process.pid = fork();
	if (process.pid < 0)
		return mrg_error_set(err, -errno, "cannot fork");
	if (process.pid == 0)
		child(l);
	process.pidfd = (int)syscall(SYS_pidfd_open, process.pid, 0);
	proc_start_time(process.pid, &process.start_time);
	writer = (close(writer), -1);
	if (fd_read_all(reader, &code, sizeof(code)) == sizeof(code)) {
		waitpid(process.pid, NULL, 0);
		fd_close(process.pidfd);
		if (l->io->terminal)
			l->io->master = fd_close(l->io->master);
		return verdict(l->args[0], code, err);
	}
	*ret = process;
	return 0;
}

int fake_start(_unused_ void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
	       struct mrg_error *err)
{
	struct launch l = { .unit = unit, .file = "fake.pid", .args = unit->spec->args, .env = unit->spec->env,
			    .cwd = unit->spec->cwd, .io = io };
	int r = fake_fault("start", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (!l.args)
		return mrg_error_set(err, -MRG_E_INVALID, "no command to start");
	unlinkat(unit->dir, "fake.pid", 0);
	unlinkat(unit->dir, "fake.exec", 0);
	unlinkat(unit->dir, "fake.paused", 0);
	r = spawn(&l, ret, err);
	if (r < 0)
		unlinkat(unit->dir, "fake.pid", 0);
	return r;
}

int fake_exec(_unused_ void *self, const struct mrg_unit *unit, const struct mrg_command *command,
	      struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct launch l = { .unit = unit, .command = command, .file = "fake.exec", .args = command->args, .env = command->env,
			    .cwd = command->cwd ? command->cwd : unit->spec->cwd, .io = io };
	int r = fake_fault("exec", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) == 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "it does not run");
	return spawn(&l, ret, err);
}

int fake_each(const struct mrg_unit *unit, const char *file, int (*found)(pid_t pid, void *data), void *data)
{
	_cleanup_free_ char *text = NULL;

	if (fd_read_file(unit->dir, file, 65536, &text, NULL) < 0)
		return 0;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		unsigned long long start;
		uint64_t now;
		int pid, r;

		if (sscanf(line, "%d %llu", &pid, &start) != 2)
			break;
		if (proc_start_time(pid, &now) < 0 || now != start)
			continue;
		r = found(pid, data);
		if (r != 0)
			return r;
	}
	return 0;
}

static int take_pid(pid_t pid, void *data)
{
	*(pid_t *)data = pid;
	return 0;
}

pid_t fake_pid(const struct mrg_unit *unit)
{
	pid_t pid = 0;

	fake_each(unit, "fake.pid", take_pid, &pid);
	return pid;
}
