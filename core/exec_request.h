/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_EXEC_REQUEST_H
#define CORE_EXEC_REQUEST_H

/* A command to run inside, on its way to the monitor: in a sealed memory file, since arguments of a process are there
 * for everybody to read and an environment holds secrets. */

#include <stdbool.h>

#include <moorage/moorage.h>

struct exec_request {
	char **args, **env;
	char *cwd, *user;		/* NULL: of the spec */
	bool terminal, stdin_open, privileged, detached;
};

/* A descriptor, or a negative errno. */
int exec_request_write(const struct mrg_exec *exec, bool detached, struct mrg_error *err);

/* Reads what the other has written, with distrust. */
int exec_request_read(int fd, struct exec_request *ret, struct mrg_error *err);

void exec_request_deinit(struct exec_request *request);

#endif
