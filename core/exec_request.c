/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command on its way to the monitor: "KVALUE" strings, each ended by NUL, in a sealed memory file. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/exec_request.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define REQUEST_MAX	(4U << 20)	/* more than execve(2) takes in all */
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* The first letter of a string tells what it is. */
enum { KEY_ARG = 'a', KEY_ENV = 'e', KEY_CWD = 'c', KEY_USER = 'u', KEY_FLAGS = 'f' };

static void add(struct buffer *b, char key, const char *value)
{
	if (!value)
		return;
	buffer_add(b, &key, 1);
	buffer_add(b, value, strlen(value) + 1);
}

static void add_all(struct buffer *b, char key, const char *const *values)
{
	for (size_t i = 0; values && values[i]; i++)
		add(b, key, values[i]);
}

static int seal(const char *text, size_t length)
{
	_cleanup_close_ int fd = memfd_create("moorage-exec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, length);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

int exec_request_write(const struct mrg_exec *exec, bool detached, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	char flags[8];
	int fd;

	if (!exec->args || !exec->args[0])
		return mrg_error_set(err, -MRG_E_INVALID, "no command is given");
	snprintf(flags, sizeof(flags), "%s%s%s%s", exec->terminal ? "t" : "", exec->stdin_open ? "i" : "",
		 exec->privileged ? "p" : "", detached ? "d" : "");
	add(&b, KEY_FLAGS, flags);
	add_all(&b, KEY_ARG, exec->args);
	add_all(&b, KEY_ENV, exec->env);
	add(&b, KEY_CWD, exec->cwd);
	add(&b, KEY_USER, exec->user);
	if (b.failed)
		return fail_memory(err);
	if (b.length > REQUEST_MAX)
		return mrg_error_set(err, -E2BIG, "the command and its environment are too long");
	fd = seal(b.text, b.length);
	return fd < 0 ? fail_errno(err, fd, "cannot pass the command on") : fd;
}

static int set_string(char **member, const char *value)
{
	free(*member);
	*member = strdup(value);
	return *member ? 0 : -ENOMEM;
}

static int take_string(struct exec_request *request, const char *text)
{
	switch (text[0]) {
	case KEY_ARG:
		return strv_append(&request->args, text + 1);
	case KEY_ENV:
		return strv_append(&request->env, text + 1);
	case KEY_CWD:
		return set_string(&request->cwd, text + 1);
	case KEY_USER:
		return set_string(&request->user, text + 1);
	case KEY_FLAGS:
		request->terminal = strchr(text + 1, 't');
		request->stdin_open = strchr(text + 1, 'i');
		request->privileged = strchr(text + 1, 'p');
		request->detached = strchr(text + 1, 'd');
		return 0;
	default:
		return -EBADMSG;
	}
}

static int parse(struct exec_request *request, const char *text, size_t length)
{
	int r = length > 0 && text[length - 1] == '\0' ? 0 : -EBADMSG;

	for (size_t at = 0; r == 0 && at < length; at += strlen(text + at) + 1)
		r = take_string(request, text + at);
	return r == 0 && !request->args ? -EBADMSG : r;
}

int exec_request_read(int fd, struct exec_request *ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct exec_request request = { 0 };
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(fd, &st) < 0 || fcntl(fd, F_GET_SEALS) != SEALS || st.st_size > REQUEST_MAX)
		return mrg_error_set(err, -EBADMSG, "the command to run did not arrive");
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return fail_memory(err);
	n = pread(fd, text, (size_t)st.st_size, 0);
	r = n != st.st_size ? -EBADMSG : parse(&request, text, (size_t)n);
	if (r < 0) {
		exec_request_deinit(&request);
		return fail_errno(err, r, "the command to run did not arrive whole");
	}
	*ret = request;
	return 0;
}

void exec_request_deinit(struct exec_request *request)
{
	strv_free(request->args);
	strv_free(request->env);
	free(request->cwd);
	free(request->user);
	*request = (struct exec_request){ 0 };
}
