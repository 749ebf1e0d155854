/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the daemon of libvirt through moorage-libvirt (agent.h). */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/detach.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define LOCK_FILE	"libvirt.lock"	/* in the container's directory */
#define END_MS		10000
#define ANSWER_SECONDS	90		/* longer than any alarm of the program: it was stopped itself */

void libvirt_let_go(struct libvirt *self)
{
	self->agent = fd_close(self->agent);
	free(self->uri);
	self->uri = NULL;
}

/* Where orphans come to the caller (PR_SET_CHILD_SUBREAPER), it is the caller's child by now, of which the
 * caller knows nothing: it is buried here. */
void libvirt_send_away(struct libvirt *self)
{
	struct pollfd end = { .fd = self->pidfd, .events = POLLIN };
	siginfo_t info = { 0 };

	libvirt_let_go(self);
	if (self->pidfd >= 0 && waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && poll(&end, 1, END_MS) > 0)
		waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED | WNOHANG);
	self->pidfd = fd_close(self->pidfd);
}

int libvirt_hold(const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int fd = openat(unit->dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int64_t deadline = time_monotonic_ms() + ANSWER_SECONDS * 1000;

	if (fd < 0)
		return fail_errno(err, -errno, "cannot open '" LOCK_FILE "'");
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_errno(err, -errno, "cannot lock '" LOCK_FILE "'");
		if (time_monotonic_ms() >= deadline)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "what was begun for '%s' and cut short has not ended", unit->name);
		poll(NULL, 0, 1);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

static int execute(struct libvirt *self, const char *uri, struct mrg_error *err)
{
	const char *dir = secure_getenv("MOORAGE_LIBEXEC_DIR");
	char path[PATH_MAX];
	char *argv[] = { (char *)AGENT_PROGRAM, (char *)uri, NULL };
	struct timeval deadline = { .tv_sec = ANSWER_SECONDS };
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], r;

	if (snprintf(path, sizeof(path), "%s/" AGENT_PROGRAM, dir && *dir ? dir : MRG_LIBEXEC_DIR) >= (int)sizeof(path))
		return mrg_error_set(err, -ENAMETOOLONG, "the path of " AGENT_PROGRAM " is too long");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, -errno, "cannot make a socket");
	ours = pair[0], theirs = pair[1];
	if (setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) < 0)
		return fail_errno(err, -errno, "cannot set a deadline");
	r = detach_execute(path, argv, &theirs, 1);
	if (r < 0) {
		fail_errno(err, r == -ENOENT ? -MRG_E_NO_ENGINE : r, "cannot execute '%s'", path);
		mrg_error_hint(err, "is moorage installed whole? MOORAGE_LIBEXEC_DIR tells where its programs are");
		return r == -ENOENT ? -MRG_E_NO_ENGINE : r;
	}
	self->pidfd = (int)syscall(SYS_pidfd_open, r, 0);
	self->agent = take_fd(&ours);
	self->uri = strdup(uri);
	if (self->uri)
		return 0;
	libvirt_send_away(self);
	return fail_memory(err);
}

/* One that serves the daemon at @path: what runs, or a new one. */
static int engage(struct libvirt *self, const char *path, struct mrg_error *err)
{
	const char *uri = path ? path : LIBVIRT_URI;
	int r = libvirt_check_path(path, err);

	if (r == 0 && (self->agent < 0 || strcmp(self->uri, uri) != 0))
		libvirt_send_away(self);
	return r == 0 && self->agent < 0 ? execute(self, uri, err) : r;
}

void libvirt_call(struct libvirt *self, const char *path)
{
	engage(self, path, NULL);
}

int libvirt_ready(void *self, struct mrg_error *err)
{
	(void)err;
	libvirt_call(self, NULL);
	return 0;
}

/* Never with a signal: the caller may not expect any. */
static int send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int send_request(int fd, const struct agent_call *call)
{
	struct agent_request request = {
		.op = call->op, .argument = call->argument, .length = call->text ? (uint32_t)strlen(call->text) : 0,
	};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(AGENT_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = &request, .iov_len = sizeof(request) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (call->name)
		snprintf(request.name, sizeof(request.name), "%s", call->name);
	if (call->n_fds > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(call->n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(call->n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), call->fds, call->n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(request))
		return n < 0 ? -errno : -EPIPE;
	return call->text ? send_all(fd, call->text, request.length) : 0;
}

static int receive_answer(int fd, struct agent_answer *ret, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	ssize_t n = fd_read_all(fd, ret, sizeof(*ret));

	if (n != (ssize_t)sizeof(*ret))
		return n == -EAGAIN ? -MRG_E_TIMEOUT : -EPIPE;
	ret->error.message[sizeof(ret->error.message) - 1] = '\0';
	if (ret->length > AGENT_TEXT_MAX)
		return -EPROTO;
	text = malloc((size_t)ret->length + 1);
	if (!text)
		return -ENOMEM;
	if (fd_read_all(fd, text, ret->length) != (ssize_t)ret->length)
		return -EPIPE;
	text[ret->length] = '\0';
	*ret_text = take_ptr(text);
	return 0;
}

int libvirt_ask(struct libvirt *self, const char *path, const struct agent_call *call, int *ret_value, char **ret_text, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct agent_answer answer;
	int r;

	if (call->name && strlen(call->name) >= AGENT_NAME_SIZE)
		return mrg_error_set(err, -MRG_E_INVALID, "the name '%s' is too long", call->name);
	r = engage(self, path, err);
	if (r < 0)
		return r;
	r = send_request(self->agent, call);
	/* It was killed since the last request, and has not got this one. */
	if (r == -EPIPE || r == -ECONNRESET) {
		libvirt_send_away(self);
		r = engage(self, path, err);
		if (r < 0)
			return r;
		r = send_request(self->agent, call);
	}
	if (r == 0)
		r = receive_answer(self->agent, &answer, &text);
	if (r < 0 || answer.error.code == -MRG_E_TIMEOUT)
		libvirt_send_away(self);
	if (r < 0)
		return fail_errno(err, r, AGENT_PROGRAM " ended before it could answer");
	if (answer.error.code < 0) {
		if (err)
			*err = answer.error;
		return answer.error.code;
	}
	if (ret_value)
		*ret_value = answer.value;
	if (ret_text)
		*ret_text = take_ptr(text);
	return 0;
}
