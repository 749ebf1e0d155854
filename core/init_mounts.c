/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of mounts, for engines that mount and leave them out. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/init.h"

/* The same on every architecture; Linux 5.12. The headers of some C libraries lack them. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr	442
#endif

struct attributes {			/* struct mount_attr of Linux, its first version */
	uint64_t set, clear, propagation, userns;
};

/* "SET:CLEAR PATH": the bits of mount_setattr(2) in hexadecimal, and where the mount is. */
static void change(const char *line)
{
	struct attributes attributes = { 0 };
	char *end;

	attributes.set = strtoull(line, &end, 16);
	if (*end == ':')
		attributes.clear = strtoull(end + 1, &end, 16);
	if (*end != ' ')
		fail(-EINVAL, "'", line, "' is no flags of a mount");
	if (syscall(SYS_mount_setattr, AT_FDCWD, end + 1, 0, &attributes, sizeof(attributes)) < 0)
		fail(-errno, "cannot set the flags of the mount '", end + 1, "'");
}

void set_mounts(void)
{
	for (char **lines = take_strings(MOUNTS_FD, "the flags of mounts"); *lines; lines++)
		change(*lines);
}
