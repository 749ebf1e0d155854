/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System calls that a container need not have. Each is made so that it does nothing to anybody where it works. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/audit/try/try.h"

/* The headers of some C libraries lack them; the same on every architecture. */
#ifndef SYS_open_tree
#define SYS_open_tree	428
#endif
#ifndef SYS_fsopen
#define SYS_fsopen	430
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif
#define TREE_CLONE	1		/* OPEN_TREE_CLONE */
#define FAN_CONTENT	4		/* FAN_CLASS_CONTENT */
#define SYSLOG_READ_ALL	3
#define PROCESS_KEYRING	(-2)		/* KEY_SPEC_PROCESS_KEYRING */
#define USER_KEYRING	(-4)
#define GET_KEYRING	0
#define REVOKE		3		/* KEYCTL_REVOKE */
#define SEIZE		0x4206		/* PTRACE_SEIZE */
#define DESCRIPTORS	64		/* more than are ever open */
#define NO_NAME		"moorage-try-none"

/* A call that works, or fails with @passed behind the check of rights: what it is given is never right. */
struct call {
	long number;
	long arguments[5];
	int passed;
};
#define POINTER(p)	(long)(p)

static int make_call(const struct try_scene *scene, const void *data)
{
	const struct call *c = data;
	const long *a = c->arguments;

	(void)scene;
	if (syscall(c->number, a[0], a[1], a[2], a[3], a[4]) >= 0 || (c->passed && errno == c->passed))
		return 0;
	return -errno;
}

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static int mount_files(const struct try_scene *scene, const void *data)
{
	(void)scene;
	(void)data;
	return result(mount("moorage-try", "/", "tmpfs", MS_NOSUID | MS_NODEV, "size=4096"));
}

static int unmount(const struct try_scene *scene, const void *data)
{
	(void)scene;
	return result(umount2(data, MNT_DETACH));
}

static int make_user(const struct try_scene *scene, const void *data)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	(void)scene;
	(void)data;
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int make_map(const struct try_scene *scene, const void *data)
{
	/* union bpf_attr of BPF_MAP_CREATE: an array of one. */
	const uint32_t attributes[32] = { 2, 4, 8, 1 };

	(void)scene;
	(void)data;
	return result(syscall(SYS_bpf, 0, attributes, sizeof(attributes)));
}

static int count_event(const struct try_scene *scene, const void *data)
{
	/* struct perf_event_attr, its first version: the clock of this process. */
	uint32_t attributes[16] = { 1, sizeof(attributes) };

	(void)scene;
	(void)data;
	return result(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 8L));
}

static int make_ring(const struct try_scene *scene, const void *data)
{
	uint32_t parameters[30] = { 0 };

	(void)scene;
	(void)data;
	return result(syscall(SYS_io_uring_setup, 1, parameters));
}

static int add_key(const struct try_scene *scene, const void *data)
{
	long key = syscall(SYS_add_key, "user", "moorage-try", "x", 1L, (long)PROCESS_KEYRING);

	(void)scene;
	(void)data;
	if (key < 0)
		return -errno;
	syscall(SYS_keyctl, REVOKE, key);
	return 0;
}

/* Whether the keys of the user are those of the host's user of the same number, which a user namespace alone keeps apart. Asking for a keyring that is not
 * there would make it. */
static int share_keyring(const struct try_scene *scene, const void *data)
{
	bool own = scene->plan->namespaces & CLONE_NEWUSER;
	long asked = own || scene->keyring == TRY_NO_KEYRING ? PROCESS_KEYRING : USER_KEYRING;
	long serial = syscall(SYS_keyctl, GET_KEYRING, asked, 0);

	(void)data;
	if (asked == USER_KEYRING)
		return serial < 0 ? -errno : (uint32_t)serial == scene->keyring ? 0 : -ENOKEY;
	return serial < 0 && errno != ENOKEY ? -errno : own ? -ENOKEY : 0;
}

static int read_log(const struct try_scene *scene, const void *data)
{
	char text[64];

	(void)scene;
	(void)data;
	return result(syscall(SYS_syslog, SYSLOG_READ_ALL, text, sizeof(text)));
}

/* By its handle a file is opened past all that hides it; here the root of the container. */
static int open_handle(const struct try_scene *scene, const void *data)
{
	struct {
		unsigned int length;
		int type;
		unsigned char bytes[128];
	} handle = { .length = sizeof(handle.bytes) };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), mount;

	(void)scene;
	(void)data;
	if (root < 0)
		return -errno;
	/* A file system that has none, or a filter, leaves one that nothing has. */
	if (syscall(SYS_name_to_handle_at, root, "", &handle, &mount, 0x1000L /* AT_EMPTY_PATH */) < 0) {
		handle.length = 8;
		handle.type = 1;
	}
	if (syscall(SYS_open_by_handle_at, root, &handle, O_PATH | O_CLOEXEC) >= 0 || errno == ESTALE)
		return 0;
	return -errno;
}

/* A child that waits and can be traced, as others inside can, which ours cannot. It holds nothing of ours by then. */
static pid_t new_victim(void)
{
	int ready[2];
	pid_t pid;
	char end;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (int fd = 0; fd < DESCRIPTORS; fd++)
			if (fd != ready[1])
				close(fd);
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	(void)!read(ready[0], &end, 1);
	close(ready[0]);
	return pid;
}

static int trace(const struct try_scene *scene, const void *data)
{
	pid_t pid = new_victim();
	int r = pid < 0 ? -errno : result(ptrace(SEIZE, pid, NULL, NULL));

	(void)scene;
	(void)data;
	if (pid > 0)
		kill(pid, SIGKILL);
	return r;
}

static int read_memory(const struct try_scene *scene, const void *data)
{
	long here = 0, there = 0;
	struct iovec to = { &here, sizeof(here) }, from = { &there, sizeof(there) };
	pid_t pid = new_victim();
	int r = pid < 0 ? -errno : result(syscall(SYS_process_vm_readv, pid, &to, 1L, &from, 1L, 0L));

	(void)scene;
	(void)data;
	if (pid > 0)
		kill(pid, SIGKILL);
	return r;
}

/* Into the input of a terminal that is nobody else's. */
static int type_at(const struct try_scene *scene, const void *data)
{
	char letter = ' ';

	(void)data;
	if (scene->terminal < 0)
		return -ENOTTY;
	setsid();
	if (ioctl(scene->terminal, TIOCSCTTY, 0) < 0)
		return -errno;
	return result(ioctl(scene->terminal, TIOCSTI, &letter));
}

static int make_disk(const struct try_scene *scene, const void *data)
{
	(void)data;
	if (scene->files < 0)
		return -ENODEV;
	/* A number that no driver has. */
	return result(syscall(SYS_mknodat, scene->files, "disk", 0060600L, 0xfff00L));
}

#define CALL(name_, number_, passed_, ...)	{ .name = name_, .run = make_call, .data = &(const struct call){ number_, { __VA_ARGS__ }, passed_ } }
#define CODE(name_, run_)			{ .name = name_, .run = run_ }

const struct try_attempt try_calls[] = {
	{ .name = "mount", .run = mount_files, .own_mounts = 1 },
	{ .name = "umount", .run = unmount, .data = "/proc", .own_mounts = 1 },
	CALL("fsopen", SYS_fsopen, 0, POINTER("tmpfs"), 1),
	CALL("open-tree", SYS_open_tree, 0, AT_FDCWD, POINTER("/"), TREE_CLONE),
	CALL("unshare-user", SYS_unshare, 0, CLONE_NEWUSER),
	CODE("clone-user", make_user),
	CALL("unshare-mnt", SYS_unshare, 0, CLONE_NEWNS), CALL("unshare-net", SYS_unshare, 0, CLONE_NEWNET),
	CALL("unshare-pid", SYS_unshare, 0, CLONE_NEWPID), CALL("unshare-ipc", SYS_unshare, 0, CLONE_NEWIPC),
	CALL("unshare-uts", SYS_unshare, 0, CLONE_NEWUTS), CALL("unshare-cgroup", SYS_unshare, 0, CLONE_NEWCGROUP),
	CALL("unshare-time", SYS_unshare, 0, CLONE_NEWTIME),
	CALL("raw-socket", SYS_socket, 0, AF_INET, SOCK_RAW, 1),
	CALL("packet-socket", SYS_socket, 0, AF_PACKET, SOCK_RAW, 0),
	CALL("alg-socket", SYS_socket, 0, 38, SOCK_SEQPACKET, 0),
	CALL("vsock-socket", SYS_socket, 0, 40, SOCK_STREAM, 0),
	CALL("audit-socket", SYS_socket, 0, 16, SOCK_RAW, 9),
	CODE("ptrace", trace), CODE("process-memory", read_memory),
	CODE("add-key", add_key),
	CALL("request-key", SYS_request_key, ENOKEY, POINTER("user"), POINTER(NO_NAME), 0, 0),
	CODE("keyring", share_keyring),
	CODE("bpf", make_map), CODE("perf", count_event), CODE("io-uring", make_ring),
	CALL("userfaultfd", SYS_userfaultfd, 0, O_CLOEXEC),
	CALL("fanotify", SYS_fanotify_init, 0, FAN_CONTENT, 0),
	CALL("module", SYS_init_module, ENOEXEC, POINTER(""), 0, POINTER("")),
	CALL("module-file", SYS_finit_module, EBADF, -1, POINTER(""), 0),
	CALL("module-remove", SYS_delete_module, ENOENT, POINTER(NO_NAME), O_NONBLOCK),
	CALL("kexec", SYS_kexec_load, EINVAL, 0, 0, 0, -1),
	CALL("reboot", SYS_reboot, EINVAL, 0, 0, 0, 0),
	CALL("swap", SYS_swapoff, ENOENT, POINTER("")),
	CALL("clock", SYS_settimeofday, 0, 0, 0),
	CALL("hostname", SYS_sethostname, EINVAL, POINTER(""), 65536),
	CALL("accounting", SYS_acct, ENOENT, POINTER("")),
	CODE("kernel-log", read_log), CODE("file-handle", open_handle),
#ifdef SYS_iopl
	CALL("ports", SYS_iopl, 0, 3),
#endif
	CODE("terminal-input", type_at), CODE("mknod", make_disk),
	{ 0 }
};
