/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameters of the kernel that belong to the container's namespaces, for engines that set them when /proc/sys is read-only already. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/init/init.h"

/* The same on every architecture; Linux 5.2. The headers of some C libraries lack them. */
#ifndef SYS_fsopen
#define SYS_fsopen	430
#define SYS_fsconfig	431
#define SYS_fsmount	432
#endif
#define CLOEXEC		1		/* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC */
#define CREATE		6		/* FSCONFIG_CMD_CREATE */
#define PATH_SIZE	256

/* A procfs of our own, seen by nobody: what is at /proc may be anything. */
static int open_proc(void)
{
	int fs = (int)syscall(SYS_fsopen, "proc", CLOEXEC), proc = -1;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, CREATE, NULL, NULL, 0) == 0)
		proc = (int)syscall(SYS_fsmount, fs, CLOEXEC, 0);
	if (proc < 0)
		fail(-errno, "cannot mount a proc file system to set sysctls", "", "");
	close(fs);
	return proc;
}

/* As sysctl(8): names with slashes are paths already, and their dots part of a name. */
static void make_path(const char *key, size_t length, char path[PATH_SIZE])
{
	int dotted = !memchr(key, '/', length);

	if (length + sizeof("sys/") > PATH_SIZE)
		fail(-EINVAL, "a sysctl has too long a name", "", "");
	memcpy(path, "sys/", 4);
	memcpy(path + 4, key, length);
	path[4 + length] = '\0';
	for (char *p = path + 4; dotted && *p; p++)
		*p = *p == '.' ? '/' : *p;
	if (strstr(path, ".."))
		fail(-EINVAL, "the sysctl '", path + 4, "' has no such name");
}

static void set_one(int proc, const char *assignment)
{
	size_t length = strcspn(assignment, "=");
	const char *value = assignment + length + (assignment[length] == '=');
	char path[PATH_SIZE];
	int fd;

	make_path(assignment, length, path);
	fd = openat(proc, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail(-errno, "cannot set the sysctl '", assignment, "'");
	close(fd);
}

void set_sysctls(void)
{
	char **sysctls = take_strings(SYSCTLS_FD, "the sysctls");
	int proc = open_proc();

	for (; *sysctls; sysctls++)
		set_one(proc, *sysctls);
	close(proc);
}
