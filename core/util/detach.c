/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executing a program as a grandchild whose parent has ended. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/detach.h"

#define STACK_SIZE	(64 * 1024)
#define FIRST_FREE_FD	(DETACH_FIRST_FD + DETACH_FDS_MAX)	/* above every number the program expects something at */

/* Shared with the two processes that live until the program is executed. */
struct spawn {
	const char *path;
	char *const *argv;
	const int *fds;
	size_t n_fds;
	char *stack;			/* of the second process, its upper end */
	pid_t pid;			/* of the program */
	int error;			/* why nothing was executed, a negative errno */
};

static int place_descriptors(const struct spawn *s)
{
	int copies[DETACH_FDS_MAX + 1], n = (int)s->n_fds;

	/* First away from the numbers they may have by chance. */
	copies[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (copies[0] < 0 || (copies[0] = fcntl(copies[0], F_DUPFD_CLOEXEC, FIRST_FREE_FD)) < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		copies[i + 1] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		if (copies[i + 1] < 0)
			return -errno;
	}
	for (int fd = 0; fd < DETACH_FIRST_FD + n; fd++)
		if (dup2(copies[fd < DETACH_FIRST_FD ? 0 : fd - DETACH_FIRST_FD + 1], fd) < 0)
			return -errno;
	return syscall(SYS_close_range, DETACH_FIRST_FD + n, ~0U, 0) < 0 ? -errno : 0;
}

/* All signals stay blocked, so no handler of the caller's runs here, where the memory is the caller's; what becomes of them is the program's
 * affair, which has the time. */
static int become_program(void *data)
{
	struct spawn *s = data;
	int r = place_descriptors(s);

	if (r == 0 && (setsid() < 0 || chdir("/") < 0))
		r = -errno;
	if (r == 0) {
		execv(s->path, s->argv);
		r = -errno;
	}
	s->error = r;
	return 0;
}

static int fork_program(void *data)
{
	struct spawn *s = data;

	s->pid = clone(become_program, s->stack, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
	if (s->pid < 0)
		s->error = -errno;
	return 0;
}

/* Memory is shared until the program is executed, so nothing is copied; the process between sends no signal at its end and no wait of the
 * caller's finds it. */
pid_t detach_execute(const char *path, char *const *argv, const int *fds, size_t n_fds)
{
	struct spawn s = { .path = path, .argv = argv, .fds = fds, .n_fds = n_fds };
	char *stacks;
	sigset_t all, old;
	pid_t pid;

	if (n_fds > DETACH_FDS_MAX)
		return -EINVAL;
	stacks = mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stacks == MAP_FAILED)
		return -ENOMEM;
	s.stack = stacks + STACK_SIZE;
	/* A handler of the caller's must not run on our stacks. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pid = clone(fork_program, stacks + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK, &s);
	if (pid < 0)
		s.error = -errno;
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(stacks, 2 * STACK_SIZE);
	return s.error < 0 ? s.error : s.pid;
}
