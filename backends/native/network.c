/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New network namespaces and their loopback interface. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "native.h"

int native_loopback_up(struct mrg_error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	/* The kernel gives it 127.0.0.1 and ::1 by itself when it comes up. Any socket will do for the ioctl. */
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return native_fail(err, -errno, "cannot find the loopback interface of the network namespace");
	if (request.ifr_flags & IFF_UP)
		return 0;
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return native_fail(err, -errno, "cannot bring up the loopback interface of the network namespace");
	return 0;
}

/* Made in the caller itself, which has one thread and nothing that belongs to a network. */
int native_network_make(int *ret, struct mrg_error *err)
{
	static const char path[] = "/proc/self/ns/net";
	_cleanup_close_ int own = open(path, O_RDONLY | O_CLOEXEC), made = -1;
	struct mrg_error ignored;

	*ret = -1;
	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return 0;
	if (native_loopback_up(&ignored) == 0)
		made = open(path, O_RDONLY | O_CLOEXEC);
	if (setns(own, CLONE_NEWNET) < 0)
		return native_fail(err, -errno, "cannot come back from the network namespace made for the container");
	*ret = native_take(&made);
	return 0;
}
