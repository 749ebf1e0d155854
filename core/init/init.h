/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_INIT_H
#define CORE_INIT_H

/* Internal to init_*.c, the program moorage-init: static and without stdio, as it is mapped once for each container. */

#include <moorage/error.h>

/* Descriptors that are handed over: MRG_INIT_*_FD; helper.h is no header for this program. */
enum {
	ERROR_FD = 3,			/* a struct mrg_error */
	STATUS_FD,
	STDIO_FD,			/* three of them; with a terminal the first is the socket that takes its master */
	ENVIRONMENT_FD = STDIO_FD + 3,
	WAIT_FD,			/* one byte, when the monitor is ready */
	FILTER_FD,
	SYSCTLS_FD,
	MOUNTS_FD,
};

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_BY_SIGNAL = 128 };

struct options {
	int exec, status, stdio, terminal, environment, filter, socket, sysctls, mounts, wait;
	const char *umask, *user, *cwd, *caps, *size, *profile;	/* NULL: as they are */
	char **command;
};

/* Writes the sentence to ERROR_FD and ends. */
void __attribute__((noreturn)) fail(int code, const char *before, const char *name, const char *after);

/* handover.c: with --socket, ERROR_FD is a socket over which the pipe comes that is to have this number. */
void take_error_pipe(void);

/* Loads the seccomp filter in FILTER_FD. */
void load_filter(void);

/* sysctl.c: sets those in SYSCTLS_FD. */
void set_sysctls(void);

/* mounts.c: changes the mounts that are told in MOUNTS_FD. */
void set_mounts(void);

/* setup.c: what is in @fd: "NAME=VALUE" strings, each ended by NUL, as an array that ends with NULL. */
char **take_strings(int fd, const char *what);

/* How many processes the kernel has killed in our cgroup for want of memory, as far as it can be seen from here. */
int count_oom_kills(void);

/* setup.c: does what the options say besides the command. */
void set_up(const struct options *options);

#endif
