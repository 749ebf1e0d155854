/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting a child that reports its own failure and dies with its parent until it has executed. */

#include "config.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

struct spawn {
	const struct mrg_spawn *want;
	int error[2], go[2];
};

void spawn_reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Ignored signals too: they would stay ignored over execve(2). */
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int spawn_die_with_parent(void)
{
	struct pollfd reader = { .fd = MRG_SPAWN_ERROR_FD };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	/* The parent may have died before: then nobody reads the error pipe any more. */
	if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR))
		return -ECANCELED;
	return 0;
}

static int child_run(struct spawn *s, struct mrg_error *err)
{
	char go;
	int r;

	/* Before go.write is closed and before waiting: whatever happens to the parent from here on ends us. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return mrg_error_set(err, -errno, "cannot tie the new process to its monitor");
	close(s->go[1]);
	if (fd_read_all(s->go[0], &go, 1) != 1)
		_exit(EXIT_FAILURE);
	close(s->go[0]);
	spawn_reset_signals();
	if (s->want->cgroup) {
		r = mrg_helper_cgroup_enter(s->want->cgroup, err);
		if (r < 0)
			return r;
	}
	return s->want->child(s->want->data, err);
}

static void __attribute__((noreturn)) child_main(struct spawn *s)
{
	struct mrg_error error = { 0 };
	int r;

	/* The reader ends: were they kept, nobody would notice the parent's death. */
	close(s->error[0]);
	if (dup3(s->error[1], MRG_SPAWN_ERROR_FD, O_CLOEXEC) < 0) {
		r = mrg_error_set(&error, -errno, "cannot use descriptor %d: the limit of open files is too low",
				  MRG_SPAWN_ERROR_FD);
	} else {
		close(s->error[1]);
		s->error[1] = MRG_SPAWN_ERROR_FD;
		r = child_run(s, &error);
	}
	if (error.code == 0)
		mrg_error_set(&error, r < 0 ? r : -EIO, "the process of the container could not be set up");
	fd_write_all(s->error[1], &error, sizeof(error));
	_exit(EXIT_FAILURE);
}

static int clone_failed(int code, uint64_t flags, struct mrg_error *err)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} kinds[] = {
		{ CLONE_NEWUSER, " user" }, { CLONE_NEWNS, " mount" }, { CLONE_NEWPID, " pid" }, { CLONE_NEWUTS, " uts" },
		{ CLONE_NEWIPC, " ipc" }, { CLONE_NEWNET, " network" }, { CLONE_NEWCGROUP, " cgroup" },
	};
	char names[64] = "";
	size_t length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (flags & kinds[i].flag)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s", kinds[i].name);
	mrg_error_set(err, code, "cannot start a process%s%s: %s", *names ? " with new namespaces:" : "", names,
		      strerror(-code));
	if (code == -ENOSPC && *names)
		mrg_error_hint(err, "raise the limits in /proc/sys/user/max_*_namespaces");
	if (code == -ENOSYS)
		mrg_error_hint(err, "clone3(2) is needed: Linux 5.5, and no seccomp filter around us that hides it");
	return code;
}

static void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* Lets the child go and hears what became of it. */
static int parent_run(struct spawn *s, pid_t pid, struct mrg_error *err)
{
	struct mrg_error report;
	ssize_t n;
	int r;

	if (s->want->parent) {
		r = s->want->parent(pid, s->want->data, err);
		if (r < 0)
			return r;
	}
	/* Our own copy of the reading end is still open, so a child that is dead already raises no SIGPIPE. */
	r = fd_write_all(s->go[1], "", 1);
	if (r < 0)
		return mrg_error_set(err, r, "cannot talk to the new process: %s", strerror(-r));
	if (s->want->meanwhile) {
		r = s->want->meanwhile(s->want->data, err);
		if (r < 0)
			return r;
	}
	n = fd_read_all(s->error[0], &report, sizeof(report));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report) || report.code >= 0)
		return mrg_error_set(err, -EIO, "the new process ended while it was being set up");
	report.message[sizeof(report.message) - 1] = '\0';
	if (err)
		*err = report;
	return report.code;
}

static int born(struct spawn *s, pid_t pid, struct mrg_process *ret, struct mrg_error *err)
{
	/* Now, while it waits: later it may be a zombie, which tells nothing. */
	int r = proc_start_time(pid, &ret->start_time);

	if (r < 0)
		mrg_error_set(err, r, "cannot read /proc/%d/stat: %s", (int)pid, strerror(-r));
	s->error[1] = fd_close(s->error[1]);
	if (r == 0)
		r = parent_run(s, pid, err);
	return r;
}

static int make_child(struct spawn *s, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_close_ int pidfd = -1;
	struct clone_args args = {
		.flags = s->want->flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	struct mrg_process process = { .pidfd = -1 };
	pid_t pid;
	int r;

	if (s->want->cgroup && s->want->cgroup->unified >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)s->want->cgroup->unified;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return clone_failed(-errno, s->want->flags, err);
	if (pid == 0)
		child_main(s);
	r = born(s, pid, &process, err);
	if (r < 0) {
		kill_and_reap(pid);
		return r;
	}
	process.pid = pid;
	process.pidfd = take_fd(&pidfd);
	*ret = process;
	return 0;
}

int mrg_helper_spawn_busy(const struct mrg_spawn *spawn, struct mrg_process *ret, struct mrg_error *err)
{
	struct spawn s = { .want = spawn, .error = { -1, -1 }, .go = { -1, -1 } };
	int r;

	/* Were it in use, the child could not tell whether @data needs it. */
	if (fcntl(MRG_SPAWN_ERROR_FD, F_GETFD) >= 0)
		return mrg_error_set(err, -EMFILE, "descriptor %d is in use, but is needed for a new process",
				     MRG_SPAWN_ERROR_FD);
	if (pipe2(s.error, O_CLOEXEC) < 0 || pipe2(s.go, O_CLOEXEC) < 0)
		r = mrg_error_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	else
		r = make_child(&s, ret, err);
	for (int i = 0; i < 2; i++) {
		fd_close(s.error[i]);
		fd_close(s.go[i]);
	}
	return r;
}

int mrg_helper_spawn(uint64_t flags, const struct mrg_cgroup_entry *cgroup,
		     int (*child)(void *data, struct mrg_error *err),
		     int (*parent)(pid_t pid, void *data, struct mrg_error *err), void *data,
		     struct mrg_process *ret, struct mrg_error *err)
{
	return mrg_helper_spawn_busy(&(struct mrg_spawn){
		.flags = flags, .cgroup = cgroup, .child = child, .parent = parent, .data = data,
	}, ret, err);
}
