/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One message between a monitor and a client, and what is checked of it. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <moorage/error.h>

#include "core/protocol.h"
#include "core/util/cleanup.h"

/* The payload each type must have. */
static const struct { size_t least, most; } sizes[] = {
	[MESSAGE_VERDICT] = { sizeof(struct mrg_error), sizeof(struct mrg_error) },
	[MESSAGE_HELLO] = { sizeof(struct hello), sizeof(struct hello) },
	[MESSAGE_STDOUT] = { 1, MESSAGE_MAX },
	[MESSAGE_STDERR] = { 1, MESSAGE_MAX },
	[MESSAGE_STDIN] = { 1, MESSAGE_MAX },
	[MESSAGE_STDIN_END] = { 0, 0 },
	[MESSAGE_RESIZE] = { sizeof(struct resize), sizeof(struct resize) },
	[MESSAGE_SIGNAL] = { sizeof(int32_t), sizeof(int32_t) },
	[MESSAGE_EXIT] = { sizeof(struct ending), sizeof(struct ending) },
	[MESSAGE_ORDER] = { 1, 1 },
};

int protocol_send(int fd, uint8_t type, const void *payload, size_t length)
{
	struct iovec iov[] = {
		{ .iov_base = &type, .iov_len = 1 },
		{ .iov_base = (void *)payload, .iov_len = length },
	};
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = length ? 2 : 1 };
	ssize_t n;

	do
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static ssize_t receive(int fd, struct message *ret, bool wait, int *ret_flags)
{
	struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	bool reset = false;
	ssize_t n;

	for (;;) {
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
		if (n < 0 && errno == EINTR)
			continue;
		/* Reported ahead of messages that arrived before it, and only once (unix(7)). */
		if (n < 0 && errno == ECONNRESET && !reset) {
			reset = true;
			continue;
		}
		*ret_flags = message.msg_flags;
		return n < 0 ? -errno : n;
	}
}

ssize_t protocol_receive(int fd, struct message *ret, bool wait)
{
	int flags = 0;
	ssize_t n = receive(fd, ret, wait, &flags);
	size_t length;

	if (n == 0 || n == -ECONNRESET || n == -EPIPE)
		return -ENOTCONN;
	if (n < 0)
		return n;
	length = (size_t)n - 1;
	if ((flags & MSG_TRUNC) || ret->type == 0 || ret->type >= ARRAY_SIZE(sizes) || length < sizes[ret->type].least ||
	    length > sizes[ret->type].most)
		return -EBADMSG;
	return (ssize_t)length;
}

bool protocol_peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

/* ---- orders ---------------------------------------------------------------------------------- */

#define ORDER_FDS	(sizeof(struct order_fds) / sizeof(int))

union ancillary {
	char space[CMSG_SPACE(sizeof(struct order_fds))];
	struct cmsghdr align;
};

int protocol_send_order(int fd, enum order order, const struct order_fds *fds)
{
	char bytes[2] = { MESSAGE_ORDER, (char)order };
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	size_t size = (fds->request >= 0 ? 2 : 1) * sizeof(int);
	union ancillary a = { .space = { 0 } };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = a.space, .msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), fds, size);
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The descriptors that came along; none is lost, whatever came. */
static size_t take_fds(struct msghdr *message, int ret[ORDER_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	size_t n = 0;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > 0)
		memcpy(ret, CMSG_DATA(c), n * sizeof(int));
	return n;
}

int protocol_receive_order(int fd, struct order_fds *ret)
{
	char bytes[2] = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	union ancillary a;
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = a.space, .msg_controllen = sizeof(a.space),
	};
	int fds[ORDER_FDS] = { -1, -1 };
	size_t want;
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -ENOTCONN;
	want = bytes[1] == ORDER_EXEC ? 2 : 1;
	if (take_fds(&message, fds) != want || n != sizeof(bytes) || bytes[0] != MESSAGE_ORDER || bytes[1] < 0 ||
	    bytes[1] >= ORDER_MAX || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (size_t i = 0; i < ORDER_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		return -EBADMSG;
	}
	*ret = (struct order_fds){ .dir = fds[0], .request = fds[1] };
	return bytes[1];
}
