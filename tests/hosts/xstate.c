/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into Linux as a program, which knows the registers of the AVX-512 generation: where the processor has more (AMX), the kernel of this host takes
 * them only whole (PTRACE_SETREGSET, EFAULT), and the program's init could not run. The rest is set as it is where nobody has used it: zero. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define WHOLE_MAX	65536

static long (*next)(enum __ptrace_request request, pid_t pid, void *addr, void *data);

/* How much the kernel of this host gives, and takes; 0: not known. */
static size_t whole_size(pid_t pid, void *kind)
{
	static size_t size;
	static char whole[WHOLE_MAX];
	struct iovec all = { whole, sizeof(whole) };

	if (size == 0 && next(PTRACE_GETREGSET, pid, kind, &all) == 0)
		size = all.iov_len;
	return size;
}

static long set_registers(pid_t pid, void *kind, struct iovec *known)
{
	static char whole[WHOLE_MAX];
	struct iovec all = { whole, whole_size(pid, kind) };

	if (known->iov_len >= all.iov_len)
		return next(PTRACE_SETREGSET, pid, kind, known);
	memcpy(whole, known->iov_base, known->iov_len);
	return next(PTRACE_SETREGSET, pid, kind, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	pid_t pid;
	void *addr, *data;

	va_start(list, request);
	pid = va_arg(list, pid_t);
	addr = va_arg(list, void *);
	data = va_arg(list, void *);
	va_end(list);
	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE)
		return set_registers(pid, addr, data);
	return next(request, pid, addr, data);
}
