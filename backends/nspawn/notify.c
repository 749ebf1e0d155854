/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages by which nspawn tells its manager how far it is, sd_notify(3). */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "nspawn.h"

#define MESSAGE_MAX	4096

int nspawn_notify_open(char address[NSPAWN_ADDRESS_SIZE], int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(name);

	/* The kernel chooses an abstract name that is free. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name.sun_family)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return fail_errno(err, -errno, "cannot make a socket for systemd-nspawn");
	snprintf(address, NSPAWN_ADDRESS_SIZE, "@%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), name.sun_path + 1);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Reads the next message for what it tells: the leader, and whether the payload was let go. -EAGAIN when there is no message. */
static int receive(int fd, pid_t *leader)
{
	static const char key[] = "X_NSPAWN_LEADER_PID=";
	char text[MESSAGE_MAX];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	char *found;
	int pid;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	found = strstr(text, key);
	if (found && (found == text || found[-1] == '\n') && sscanf(found + strlen(key), "%d", &pid) == 1)
		*leader = pid;
	return 0;
}

int nspawn_notify_wait(int fd, int pidfd, pid_t *ret_leader)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	pid_t leader = 0;

	for (;;) {
		int r = receive(fd, &leader);

		if (leader > 0) {
			*ret_leader = leader;
			return 1;
		}
		/* What was sent before the end has been read by now. */
		if (r < 0 && p[1].revents)
			return 0;
		if (r < 0 && poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return -errno;
	}
}
