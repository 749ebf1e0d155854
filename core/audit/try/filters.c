/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp filters of another process, as the kernel holds them. */

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/audit/try/try.h"

/* The headers of the kernel are not those of every C library. */
#define SEIZE		0x4206		/* PTRACE_SEIZE */
#define INTERRUPT	0x4207
#define GET_FILTER	0x420c		/* PTRACE_SECCOMP_GET_FILTER */
#define SET_MODE_FILTER	1
#define RETURN		0x06		/* BPF_RET | BPF_K */
#define ACTION		0xffff0000U
#define USER_NOTIF	0x7fc00000U
#define TRACE		0x7ff00000U

#define FILTERS_MAX	32
#define LENGTH_MAX	4096		/* BPF_MAXINSNS */
#define STOP_MS		1000

struct instruction {			/* struct sock_filter */
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* Shared with the child that asks: a tracer that ends lets go, whatever state the process is in. */
struct try_filters {
	uint32_t n;
	struct filter {
		uint32_t length;
		struct instruction program[LENGTH_MAX];
	} item[FILTERS_MAX];		/* the newest first, as the kernel tells them */
};

struct program {			/* struct sock_fprog */
	unsigned short length;
	const void *instructions;
};

struct question {
	int pid;
	struct try_filters *filters;
};

static int wait_stopped(int pid)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int status;

	for (int i = 0; i < STOP_MS; i++) {
		pid_t n = waitpid(pid, &status, WNOHANG | __WALL);

		if (n < 0)
			return -errno;
		if (n > 0)
			return WIFSTOPPED(status) ? 0 : -ESRCH;
		nanosleep(&moment, NULL);
	}
	return -ETIMEDOUT;
}

static int ask(void *data)
{
	const struct question *question = data;
	struct try_filters *f = question->filters;
	int pid = question->pid, r;

	if (ptrace(SEIZE, pid, NULL, NULL) < 0 || ptrace(INTERRUPT, pid, NULL, NULL) < 0)
		return -errno;
	r = wait_stopped(pid);
	while (r == 0 && f->n < FILTERS_MAX) {
		struct filter *filter = &f->item[f->n];
		long length = ptrace(GET_FILTER, pid, (void *)(uintptr_t)f->n, NULL);

		if (length < 0)
			return errno == ENOENT ? 0 : -errno;
		if (length > LENGTH_MAX || ptrace(GET_FILTER, pid, (void *)(uintptr_t)f->n, filter->program) != length)
			return -EFBIG;
		filter->length = (uint32_t)length;
		f->n++;
	}
	return r < 0 ? r : ptrace(GET_FILTER, pid, (void *)(uintptr_t)f->n, NULL) < 0 && errno == ENOENT ? 0 : -EFBIG;
}

static int asks_somebody(const struct filter *filter)
{
	for (uint32_t i = 0; i < filter->length; i++)
		if (filter->program[i].code == RETURN &&
		    ((filter->program[i].k & ACTION) == USER_NOTIF || (filter->program[i].k & ACTION) == TRACE))
			return 1;
	return 0;
}

int try_filters_take(int pid, struct try_filters **ret, int *ret_asks)
{
	struct try_filters *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct question question = { pid, f };
	int number = 0, kind;

	if (f == MAP_FAILED)
		return -errno;
	kind = try_apart(ask, &question, &number);
	if (kind != TRY_WORKS || f->n == 0) {
		munmap(f, sizeof(*f));
		return kind == TRY_ERRNO ? -number : kind == TRY_WORKS ? -ENOENT : -ETIMEDOUT;
	}
	*ret_asks = 0;
	for (uint32_t i = 0; i < f->n; i++)
		*ret_asks |= asks_somebody(&f->item[i]);
	*ret = f;
	return 0;
}

int try_filters_load(const struct try_filters *f)
{
	for (uint32_t i = f ? f->n : 0; i > 0; i--) {
		struct program program = { .length = (unsigned short)f->item[i - 1].length, .instructions = f->item[i - 1].program };

		if (syscall(SYS_seccomp, SET_MODE_FILTER, 0, &program) < 0)
			return -errno;
	}
	return 0;
}
