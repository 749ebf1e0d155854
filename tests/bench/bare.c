/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The physical limit: the same namespaces and mounts as a container of the native backend, with no engine, no checks, no cgroup
 * and no seccomp. Usage: bare ROOT COMMAND [ARGUMENT...]; prints nothing, exits as the command does. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(125);
}

static const struct {
	const char *type, *target;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{ "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "tmpfs", "dev", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME, "mode=755,size=1m" },
	{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m" },
	{ "mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL },
};

static const char *const nodes[] = { "null", "zero", "full", "random", "urandom" };
static const unsigned int minors[] = { 3, 5, 7, 8, 9 };

static void loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(ioctl(fd, SIOCSIFFLAGS, &lo) == 0, "lo");
	close(fd);
}

static void make_root(const char *root)
{
	must(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0, "private");
	must(mount(root, root, NULL, MS_BIND | MS_REC, NULL) == 0, root);
	must(chdir(root) == 0, root);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		must(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].options) == 0,
		     mounts[i].target);
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		char path[32];

		snprintf(path, sizeof(path), "dev/%s", nodes[i]);
		must(mknod(path, S_IFCHR | 0666, makedev(1, minors[i])) == 0, path);
	}
	must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
	must(umount2(".", MNT_DETACH) == 0, "umount");
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: bare ROOT COMMAND [ARGUMENT...]\n");
		return 2;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	must(pid >= 0, "clone3");
	if (pid == 0) {
		loopback();
		make_root(argv[1]);
		execv(argv[2], argv + 2);
		must(0, argv[2]);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
