/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes as procfs shows them, and the identity of a process over time. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define NS_PER_S	INT64_C(1000000000)
#define EXITING		0x4U		/* PF_EXITING of Linux, among the flags in /proc/PID/stat */

struct stat_line {
	char state;
	unsigned int flags;
	unsigned long long start;
};

static int read_stat(pid_t pid, struct stat_line *ret)
{
	char path[32];
	_cleanup_free_ char *text = NULL;
	const char *p;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	p = strrchr(text, ')'); /* the name in parentheses may hold anything, proc(5) */
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			 &ret->state, &ret->flags, &ret->start) != 3)
		return -EPROTO;
	return ret->state == 'Z' || ret->state == 'X' ? -ESRCH : 0;
}

int proc_start_time(pid_t pid, uint64_t *ret)
{
	struct stat_line line;
	int r = read_stat(pid, &line);

	if (r == 0)
		*ret = line.start;
	return r;
}

bool proc_is_ending(pid_t pid)
{
	struct stat_line line;

	return read_stat(pid, &line) < 0 || line.flags & EXITING;
}

int proc_boot_id(char ret[BOOT_ID_SIZE])
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = fd_read_virtual(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, &length);

	if (r < 0)
		return r;
	if (length < BOOT_ID_SIZE - 1)
		return -EPROTO;
	memcpy(ret, text, BOOT_ID_SIZE - 1);
	ret[BOOT_ID_SIZE - 1] = '\0';
	return 0;
}

int proc_open(pid_t pid, uint64_t start_time)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t now;
	int r;

	if (fd < 0)
		return -errno;
	r = proc_start_time(pid, &now);
	if (r < 0)
		return r;
	return now == start_time ? take_fd(&fd) : -ESRCH;
}

/* Of <linux/pidfd.h>, which the C library's headers may not have yet: its first version, to which the exit code was added in place of a spare. */
struct pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pids[3], ids[8];
	int32_t exit_code;
};
#define PIDFD_GET_INFO	_IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT	(UINT64_C(1) << 3)

int proc_exit_status(int pidfd, int *ret)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_EXIT };

	if (ioctl(pidfd, PIDFD_GET_INFO, &info) < 0)
		return -ENODATA;
	if (!(info.mask & PIDFD_INFO_EXIT))
		return -EAGAIN;
	*ret = info.exit_code;
	return 0;
}

int64_t proc_started_ns(uint64_t start_time)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return ((int64_t)real.tv_sec - boot.tv_sec) * NS_PER_S + real.tv_nsec - boot.tv_nsec +
	       (int64_t)start_time * (NS_PER_S / sysconf(_SC_CLK_TCK));
}

int64_t time_ns(const struct timespec *t)
{
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

int64_t time_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return time_ns(&t);
}

int64_t time_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return time_ns(&t);
}

int64_t time_monotonic_ms(void)
{
	return time_monotonic_ns() / 1000000;
}
