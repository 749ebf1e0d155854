/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loopback interface of a new network namespace. */

#include "config.h"

#include <errno.h>
#include <net/if.h>
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
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return native_fail(err, -errno, "cannot bring up the loopback interface of the network namespace");
	return 0;
}
