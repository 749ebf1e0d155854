/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the monitor of LXC that every container has while it runs. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/digest.h"
#include "core/util/proc.h"

/* How long an answer is waited for when nobody is known who could die over it. */
#define ORPHAN_MS	1000

/* What goes over the socket: LXC's commands.h. */
struct question {
	int number;
	int length;			/* of what follows: nothing */
	const void *data;
};

struct answer {
	int ret;
	int length;
	void *data;			/* the number asked for */
};

/* "LXCPATH/NAME/command" in the abstract namespace, by its digest when it is too long. */
static socklen_t make_address(const struct lxc_place *place, struct sockaddr_un *ret)
{
	size_t size = sizeof(ret->sun_path) - 1;
	char *name = ret->sun_path + 1;
	int n;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(name, size, "%s/%s/command", place->path, place->name);
	if (n < 0 || (size_t)n >= size - 1) {
		uint64_t digest = digest_text(place->path, strlen(place->path));

		digest = digest_add(digest_add(digest, "/", 1), place->name, strlen(place->name));
		n = snprintf(name, size, "lxc/%016" PRIx64 "/command", digest);
	}
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Anybody may take a name in the abstract namespace: a stranger's word counts for nothing. Whether it is one of ours, and who made the socket: the
 * monitor, or the parent that it had, since lxc-start leaves it behind. */
static bool find_maker(int fd, pid_t *ret)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.uid != geteuid())
		return false;
	*ret = peer.pid;
	return true;
}

static int open_maker(int fd)
{
	uint64_t start_time;
	pid_t pid;

	return find_maker(fd, &pid) && proc_start_time(pid, &start_time) == 0 ? proc_open(pid, start_time) : -ESRCH;
}

/* With our credentials, as LXC's own tools do: without them a question that comes before the monitor listens is one of nobody, and is not answered. */
static int send_question(int fd, struct question *question)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control = {
		.header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof(struct ucred)) },
	};
	const struct ucred me = { .pid = getpid(), .uid = geteuid(), .gid = getegid() };
	struct iovec iov = { .iov_base = question, .iov_len = sizeof(*question) };
	const struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &me, sizeof(me));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*question) ? 0 : -ECONNREFUSED;
}

int lxc_ask(const struct lxc_place *place, int question)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct question q = { .number = question };
	struct sockaddr_un address;
	socklen_t length = make_address(place, &address);
	pid_t maker;
	int r;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0)
		return -errno;
	if (!find_maker(fd, &maker))
		return -ECONNREFUSED;
	r = send_question(fd, &q);
	return r < 0 ? r : take_fd(&fd);
}

int lxc_answer(int socket, int timeout_ms, long *ret)
{
	_cleanup_close_ int maker = open_maker(socket);
	struct pollfd p[] = { { .fd = socket, .events = POLLIN }, { .fd = maker, .events = POLLIN } };
	bool orphan = maker < 0;
	struct answer a;
	ssize_t n;
	int r;

	if (orphan && (timeout_ms < 0 || timeout_ms > ORPHAN_MS))
		timeout_ms = ORPHAN_MS;
	do
		r = poll(p, 2, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : orphan ? -ECONNRESET : -ETIMEDOUT;
	n = recv(socket, &a, sizeof(a), MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(a) || a.ret < 0)
		return -ECONNRESET;
	*ret = (long)(intptr_t)a.data;
	return 0;
}
