/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verb exec: one more process in a running container, under the policy of its spec. */

#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

static const struct {
	int flag;
	const char *name;		/* in /proc/PID/ns */
	const char *entered;		/* the same of who has entered it */
} kinds[] = {
	{ CLONE_NEWUSER, "user", "user" },
	{ CLONE_NEWNS, "mnt", "mnt" },
	{ CLONE_NEWPID, "pid", "pid_for_children" },
	{ CLONE_NEWUTS, "uts", "uts" },
	{ CLONE_NEWIPC, "ipc", "ipc" },
	{ CLONE_NEWNET, "net", "net" },
	{ CLONE_NEWCGROUP, "cgroup", "cgroup" },
	{ CLONE_NEWTIME, "time", "time" },
};

/* The name and the inode of a namespace, "mnt:[4026531841]", as its link reads. That opens nothing, as fstatat(2) through the link does. */
#define NAMESPACE_SIZE	32
#define END_MS		10000

/* Everything is opened in the monitor, where /proc is the host's. */
struct join {
	struct mrg_helper_process *process;
	const struct mrg_stdio *io;
	int socket[2];			/* of the terminal */
	int pidfd;			/* borrowed */
	int root;			/* of the container's first process, O_PATH */
	int self;			/* /proc/PID/ns of the child itself, on the host's /proc; -1 in the monitor */
	int flags;			/* the namespaces the container does not share with us */
	char target[ARRAY_SIZE(kinds)][NAMESPACE_SIZE];
	pid_t *pid;			/* shared memory: of the process made inside a pid namespace */
};

static int ended(struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "the container has just ended");
}

/* Why fork(2) has no memory in a pid namespace, or what it made is gone: the init is about to end, once all others have. */
static bool is_ending(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, END_MS) > 0;
}

static bool read_namespace(int dir, const char *name, char ret[NAMESPACE_SIZE])
{
	ssize_t n = readlinkat(dir, name, ret, NAMESPACE_SIZE - 1);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int find_namespaces(struct join *j, pid_t pid, struct mrg_error *err)
{
	char path[64];
	_cleanup_close_ int theirs = -1, ours = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d/ns", (int)pid);
	theirs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	j->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((theirs < 0 || j->root < 0) && (errno == ENOENT || errno == ESRCH))
		return ended(err);
	if (theirs < 0 || ours < 0 || j->root < 0)
		return mrg_error_set(err, -errno, "cannot look at the first process of the container: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char own[NAMESPACE_SIZE];

		/* Absent: a kernel without this kind. */
		if (read_namespace(theirs, kinds[i].name, j->target[i]) && read_namespace(ours, kinds[i].name, own) &&
		    strcmp(j->target[i], own) != 0)
			j->flags |= kinds[i].flag;
	}
	/* What was read belongs to that process only if it is still there. */
	if (syscall(SYS_pidfd_send_signal, j->pidfd, 0, NULL, 0) < 0)
		return ended(err);
	return 0;
}

static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes what a process inside must not find should it get hold of us. */
static int close_others(const struct join *j, struct mrg_error *err)
{
	int keep[] = {
		0, 1, 2, j->io->in, j->io->out, j->io->err, j->socket[1], j->pidfd, j->root, j->self, MRG_SPAWN_ERROR_FD,
	};
	unsigned int from = 0;

	qsort(keep, ARRAY_SIZE(keep), sizeof(*keep), compare_int);
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned int)keep[i] > from && syscall(SYS_close_range, from, (unsigned int)keep[i] - 1, 0) < 0)
			return mrg_error_set(err, -errno, "cannot close the descriptors of the monitor: %s", strerror(errno));
		from = (unsigned int)keep[i] + 1;
	}
	if (syscall(SYS_close_range, from, ~0U, 0) < 0)
		return mrg_error_set(err, -errno, "cannot close the descriptors of the monitor: %s", strerror(errno));
	return 0;
}

static int enter_namespaces(const struct join *j, struct mrg_error *err)
{
	if (j->flags == 0)
		return 0;
	if (setns(j->pidfd, j->flags) < 0) {
		if (errno == ESRCH)
			return ended(err);
		return mrg_error_set(err, -errno, "cannot enter the namespaces of the container: %s", strerror(errno));
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char entered[NAMESPACE_SIZE];

		if (!(j->flags & kinds[i].flag))
			continue;
		if (!read_namespace(j->self, kinds[i].entered, entered) || strcmp(entered, j->target[i]) != 0)
			return mrg_error_set(err, -EAGAIN, "the container changed its namespaces while being entered");
	}
	return 0;
}

/* The root of the container's user namespace, since the host's is nobody in it. One that maps no root has none to become. */
static int become_root(struct mrg_error *err)
{
	if ((setgroups(0, NULL) < 0 && errno != EPERM) || (setresgid(0, 0, 0) < 0 && errno != EINVAL) ||
	    (setresuid(0, 0, 0) < 0 && errno != EINVAL))
		return mrg_error_set(err, -errno, "cannot become root of the container's user namespace: %s", strerror(errno));
	/* Changing ids may have undone it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return mrg_error_set(err, -errno, "cannot shut the process off from others: %s", strerror(errno));
	return 0;
}

static int enter(struct join *j, struct mrg_error *err)
{
	int r;

	/* From here on until execve(2) nobody inside can trace us or look into /proc/PID. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return mrg_error_set(err, -errno, "cannot shut the process off from others: %s", strerror(errno));
	j->self = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (j->self < 0)
		return mrg_error_set(err, -errno, "cannot open /proc/self/ns: %s", strerror(errno));
	r = oom_score_apply(j->process->spec, err);
	j->process->oom_applied = true;
	if (r == 0)
		r = close_others(j, err);
	if (r == 0)
		r = enter_namespaces(j, err);
	if (r == 0 && j->flags & CLONE_NEWUSER)
		r = become_root(err);
	if (r < 0)
		return r;
	if (fchdir(j->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return mrg_error_set(err, -errno, "cannot enter the root of the container: %s", strerror(errno));
	return 0;
}

static int run(struct join *j, struct mrg_error *err)
{
	int r = mrg_helper_process_stdio(j->io, j->socket[1], err);

	return r < 0 ? r : mrg_helper_process_execute(j->process, err);
}

/* A pid namespace is that of the next child only. It is made a child of the monitor, which waits for it; its pid is in
 * memory shared with the monitor before it runs its first instruction. */
static int run_in_pid_namespace(struct join *j, struct mrg_error *err)
{
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_PARENT_SETTID,
		.parent_tid = (uint64_t)(uintptr_t)j->pid,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0 && errno == ENOMEM && is_ending(j->pidfd))
		return ended(err);
	if (pid < 0)
		return mrg_error_set(err, -errno, "cannot start a process in the container: %s", strerror(errno));
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	if (spawn_die_with_parent() < 0)
		_exit(EXIT_FAILURE);
	return run(j, err);
}

static int child(void *data, struct mrg_error *err)
{
	struct join *j = data;
	int r = enter(j, err);

	if (r < 0)
		return r;
	return j->flags & CLONE_NEWPID ? run_in_pid_namespace(j, err) : run(j, err);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* Replaces the process that entered, @process, by the one it made. */
static int take_second(const struct join *j, struct mrg_process *process, struct mrg_error *err)
{
	pid_t pid = *j->pid;
	int pidfd;

	reap(process->pid);
	fd_close(process->pidfd);
	*process = (struct mrg_process){ .pidfd = -1 };
	if (pid <= 0)
		return mrg_error_set(err, -EIO, "the process that entered the container ended too early");
	/* Of a child that is not reaped: the pid is still its own, even if it has ended. */
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		mrg_error_set(err, -errno, "cannot open the new process: %s", strerror(errno));
		kill(pid, SIGKILL);
		reap(pid);
		return -EIO;
	}
	process->pid = pid;
	process->pidfd = pidfd;
	if (proc_start_time(pid, &process->start_time) < 0)
		process->start_time = 0;
	return 0;
}

/* A pid namespace holds the children of who joins it. So the child is born in it where we may join without being in its user namespace, and we come
 * back; for others the flag stays, and the process that enters makes it. */
static int spawn_first(struct join *j, const struct mrg_cgroup_entry *cgroup, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_close_ int own = j->flags & CLONE_NEWPID ? (int)syscall(SYS_pidfd_open, getpid(), 0) : -1;
	int r, dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	if (own < 0 || setns(j->pidfd, CLONE_NEWPID) < 0)
		return mrg_helper_spawn(0, cgroup, child, NULL, j, ret, err);
	j->flags &= ~CLONE_NEWPID;
	/* It is seen from inside at once, and must not be looked into or traced. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = mrg_error_set(err, -errno, "cannot shut the process off from others: %s", strerror(errno));
	else
		r = mrg_helper_spawn(0, cgroup, child, NULL, j, ret, err);
	prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
	setns(own, CLONE_NEWPID);
	return (r == -ENOMEM || r == -ESRCH) && is_ending(j->pidfd) ? ended(err) : r;
}

static int spawn_into(struct join *j, const struct mrg_cgroup_entry *cgroup, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process;
	int r = spawn_first(j, cgroup, &process, err);

	if (r < 0) {
		if (*j->pid > 0) {
			kill(*j->pid, SIGKILL);
			reap(*j->pid);
		}
		return r;
	}
	if (j->flags & CLONE_NEWPID) {
		r = take_second(j, &process, err);
		if (r < 0)
			return r;
	}
	*ret = process;
	return 0;
}

/* With all that has to be released set up: starts it and takes its terminal. */
static int start(struct join *j, const struct mrg_cgroup_entry *cgroup, struct mrg_stdio *io, struct mrg_process *ret,
		 struct mrg_error *err)
{
	struct mrg_process process;
	int master = -1, r;

	j->pid = mmap(NULL, sizeof(*j->pid), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (j->pid == MAP_FAILED)
		return mrg_error_set(err, -errno, "not enough memory to start a process");
	r = spawn_into(j, cgroup, &process, err);
	munmap(j->pid, sizeof(*j->pid));
	if (r < 0)
		return r;
	if (io->terminal) {
		r = mrg_helper_process_master(j->socket[0], &master, err);
		if (r < 0) {
			kill(process.pid, SIGKILL);
			reap(process.pid);
			fd_close(process.pidfd);
			return r;
		}
		io->master = master;
	}
	*ret = process;
	return 0;
}

static int open_join(struct join *j, const struct mrg_unit *unit, const struct mrg_command *command,
		     struct mrg_cgroup_entry *cgroup, struct mrg_error *err)
{
	int r = mrg_helper_process_prepare(unit, command, &j->process, err);

	if (r == 0)
		r = find_namespaces(j, unit->process->pid, err);
	if (r < 0)
		return r;
	if (j->io->terminal && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, j->socket) < 0)
		return mrg_error_set(err, -errno, "cannot make a socket pair: %s", strerror(errno));
	return mrg_helper_cgroup_open(unit, cgroup, err);
}

int mrg_helper_exec(void *self _unused_, const struct mrg_unit *unit, const struct mrg_command *command,
		    struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_cgroup_entry cgroup = MRG_CGROUP_ENTRY_INIT;
	struct join j = { .io = io, .socket = { -1, -1 }, .pidfd = -1, .root = -1, .self = -1 };
	int r;

	if (!unit->process || unit->process->pid <= 0 || unit->process->pidfd < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' is not running", unit->name);
	j.pidfd = unit->process->pidfd;
	r = open_join(&j, unit, command, &cgroup, err);
	if (r == 0)
		r = start(&j, &cgroup, io, ret, err);
	mrg_helper_cgroup_entry_close(&cgroup);
	mrg_helper_process_free(j.process);
	fd_close(j.socket[0]);
	fd_close(j.socket[1]);
	fd_close(j.root);
	return r;
}
