/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is handed to moorage-init beside plain descriptors: the error pipe over a socket, a seccomp filter in memory. And what it tells of the end. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/init/init.h"

#define CGROUPS "/sys/fs/cgroup"

#define SET_MODE_FILTER	1		/* SECCOMP_SET_MODE_FILTER: the kernel's headers are not those of every C library */

/* An engine that keeps what it hands over open would keep the reader from seeing the end of the pipe. The empty record says that it has come. */
void take_error_pipe(void)
{
	static const struct mrg_error none;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;
	int fd;

	do
		n = recvmsg(ERROR_FD, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 1 || !CMSG_FIRSTHDR(&message) || CMSG_FIRSTHDR(&message)->cmsg_type != SCM_RIGHTS)
		_exit(EXIT_NOT_EXECUTABLE);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	if (dup2(fd, ERROR_FD) < 0 || write(ERROR_FD, &none, sizeof(none)) != (ssize_t)sizeof(none))
		_exit(EXIT_NOT_EXECUTABLE);
	close(fd);
}

/* As mrg_helper_filter_new() writes it. */
struct filter {
	uint32_t flags, length;
	uint64_t program[];		/* struct sock_filter */
};

/* struct sock_fprog. */
struct program {
	unsigned short length;
	const void *instructions;
};

void load_filter(void)
{
	struct program program;
	struct filter *f;
	struct stat st;

	if (fstat(FILTER_FD, &st) < 0 || st.st_size < (off_t)sizeof(*f))
		fail(-EINVAL, "the seccomp filter was not handed over", "", "");
	f = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, FILTER_FD, 0);
	if (f == MAP_FAILED || f->length > USHRT_MAX || (off_t)(sizeof(*f) + f->length * sizeof(*f->program)) > st.st_size)
		fail(-EINVAL, "the seccomp filter was not handed over", "", "");
	program = (struct program){ .length = (unsigned short)f->length, .instructions = f->program };
	if (syscall(SYS_seccomp, SET_MODE_FILTER, f->flags, &program) < 0)
		fail(-errno, "cannot load the seccomp filter", "", "");
}

/* What is in the file, as far as @size goes. */
static void read_text(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

	if (fd >= 0)
		close(fd);
	ret[n > 0 ? n : 0] = '\0';
}

/* The number in the line "oom_kill N" of a file of the cgroup; 0 when there is none. */
static int read_oom_kills(const char *path)
{
	char text[512], *line;

	read_text(path, text, sizeof(text));
	line = strstr(text, "oom_kill ");
	return line ? (int)strtoul(line + strlen("oom_kill "), NULL, 10) : 0;
}

/* The same where all cgroups of version 2 are seen, by the path of ours among them. */
static int read_own_oom_kills(void)
{
	static const char top[] = CGROUPS, file[] = "/memory.events";
	char text[PATH_MAX], path[sizeof(top) + PATH_MAX + sizeof(file)], *own;
	size_t length;

	read_text("/proc/self/cgroup", text, sizeof(text));
	own = strstr(text, "0::/");
	if (!own || (own > text && own[-1] != '\n'))
		return 0;
	own += strlen("0::");
	length = strcspn(own, "\n");
	memcpy(path, top, sizeof(top));
	memcpy(path + strlen(top), own, length);
	memcpy(path + strlen(top) + length, file, sizeof(file));
	return read_oom_kills(path);
}

int count_oom_kills(void)
{
	int n = read_oom_kills(CGROUPS "/memory.events");

	n = n ? n : read_own_oom_kills();
	return n ? n : read_oom_kills(CGROUPS "/memory/memory.oom_control");
}
