/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that the monitor hands to the child after its birth. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/helper/process.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(MRG_FDS_MAX * sizeof(int))];
};

int mrg_helper_fds_send(int socket, const int *fds, size_t n)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union control control = {
		.header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int)) },
	};
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n > MRG_FDS_MAX)
		return -E2BIG;
	if (n > 0) {
		memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int mrg_helper_fds_receive(int socket, int *fds, size_t max)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union control control;
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	size_t n;

	/* The end of the file: the monitor is gone. */
	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return 0;
	if (header->cmsg_type != SCM_RIGHTS || (message.msg_flags & MSG_CTRUNC))
		return -EPROTO;
	n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > max)
		return -EPROTO;
	memcpy(fds, CMSG_DATA(header), n * sizeof(int));
	return (int)n;
}
