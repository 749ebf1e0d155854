/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions: events from a monitor, input and orders to it. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/protocol.h"
#include "core/session.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

struct mrg_session {
	int fd;				/* output, input, the end */
	int control;			/* what must not wait behind input */
	bool terminal;
	struct mrg_event last;		/* of type EXIT or LOST once it was read */
	struct message message;
};

static int session_free_int(struct mrg_session *s, int r)
{
	mrg_session_free(s);
	return r;
}

int session_new(int fd, int control, struct mrg_session **ret, struct mrg_error *err)
{
	struct mrg_session *s = malloc(sizeof(*s));
	struct hello hello;
	ssize_t n;

	if (!s) {
		fd_close(fd);
		fd_close(control);
		return fail_memory(err);
	}
	s->fd = fd;
	s->control = control;
	s->last = (struct mrg_event){ .type = MRG_EVENT_NONE };
	n = protocol_receive(fd, &s->message, true);
	if (n == -ENOTCONN)
		return session_free_int(s, mrg_error_set(err, -MRG_E_NOT_RUNNING, "the container's monitor has ended"));
	if (n < 0 || s->message.type != MESSAGE_HELLO)
		return session_free_int(s, fail_errno(err, n < 0 ? (int)n : -EPROTO,
						      "cannot talk to the container's monitor"));
	memcpy(&hello, s->message.payload, sizeof(hello));
	s->terminal = hello.terminal;
	*ret = s;
	return 0;
}

struct mrg_session *mrg_session_free(struct mrg_session *s)
{
	if (s) {
		fd_close(s->fd);
		fd_close(s->control);
		free(s);
	}
	return NULL;
}

int mrg_session_fd(const struct mrg_session *s)
{
	return s->fd;
}

int mrg_session_terminal(const struct mrg_session *s)
{
	return s->terminal;
}

static void end_with(struct mrg_session *s, int type, int status)
{
	s->last = (struct mrg_event){ .type = type, .status = status };
}

int mrg_session_read(struct mrg_session *s, struct mrg_event *ret, struct mrg_error *err)
{
	struct ending ending;
	ssize_t n;

	*ret = s->last;
	if (s->last.type != MRG_EVENT_NONE)
		return 0;
	n = protocol_receive(s->fd, &s->message, false);
	if (n == -EAGAIN)
		return 0;
	if (n == -ENOTCONN) {
		end_with(s, MRG_EVENT_LOST, 0);
	} else if (n < 0) {
		return fail_errno(err, (int)n, "cannot read from the container's monitor");
	} else if (s->message.type == MESSAGE_EXIT) {
		memcpy(&ending, s->message.payload, sizeof(ending));
		end_with(s, MRG_EVENT_EXIT, ending.status);
		s->last.oom_killed = ending.oom_killed;
	} else if (s->message.type == MESSAGE_STDOUT || s->message.type == MESSAGE_STDERR) {
		*ret = (struct mrg_event){
			.type = s->message.type == MESSAGE_STDOUT ? MRG_EVENT_STDOUT : MRG_EVENT_STDERR,
			.data = s->message.payload, .length = (size_t)n,
		};
		return 0;
	} else {
		return mrg_error_set(err, -EPROTO, "the container's monitor sent a message out of place");
	}
	*ret = s->last;
	return 0;
}

/* What cannot be delivered because the other side has ended is no failure: the reader learns of the end. */
static int outcome(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN ? 0 : r;
}

ssize_t mrg_session_write(struct mrg_session *s, const void *data, size_t length, struct mrg_error *err)
{
	const char *p = data;
	size_t taken = 0;

	while (taken < length) {
		size_t part = length - taken < MESSAGE_MAX ? length - taken : MESSAGE_MAX;
		int r = outcome(protocol_send(s->fd, MESSAGE_STDIN, p + taken, part));

		if (r == -EAGAIN)
			break;
		if (r < 0)
			return fail_errno(err, r, "cannot pass input to the container's monitor");
		taken += part;
	}
	return (ssize_t)taken;
}

static int order(int fd, uint8_t type, const void *payload, size_t length, struct mrg_error *err)
{
	int r = outcome(protocol_send(fd, type, payload, length));

	if (r == -EAGAIN)
		return mrg_error_set(err, r, "the container's monitor is busy");
	return r < 0 ? fail_errno(err, r, "cannot talk to the container's monitor") : 0;
}

int mrg_session_close_input(struct mrg_session *s, struct mrg_error *err)
{
	return order(s->fd, MESSAGE_STDIN_END, NULL, 0, err);
}

int mrg_session_resize(struct mrg_session *s, unsigned int rows, unsigned int columns, struct mrg_error *err)
{
	struct resize resize = { .rows = (uint16_t)rows, .columns = (uint16_t)columns };

	if (rows > UINT16_MAX || columns > UINT16_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "a terminal cannot have %u rows and %u columns", rows,
				     columns);
	return order(s->control, MESSAGE_RESIZE, &resize, sizeof(resize), err);
}

int mrg_session_kill(struct mrg_session *s, int signo, struct mrg_error *err)
{
	int32_t payload = signo;

	if (signo < 1 || signo > 64)
		return mrg_error_set(err, -MRG_E_INVALID, "%d is no signal", signo);
	return order(s->control, MESSAGE_SIGNAL, &payload, sizeof(payload), err);
}
