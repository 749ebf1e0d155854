/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard streams of the container's process: pipes, or a pty made inside the container. */

#include "config.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define UNIX98_SLAVE_FIRST	136	/* majors of pts devices, devices.txt of Linux */
#define UNIX98_SLAVE_LAST	143
#define GID_TTY			5

static bool is_devpts(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* A root file system may hold anything under the name of a terminal: only the kernel's own pty multiplexer will do. Before an ordinary user has a root
 * of its own it is the host's, where the one in /dev/pts is often for nobody. */
static int open_multiplexer(int root, const char *path)
{
	_cleanup_close_ int probe = path_open_in_root(root, path, O_PATH, 0);
	struct stat st;

	if (probe < 0)
		return probe;
	if (fstat(probe, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || (geteuid() == 0 && !is_devpts(probe)))
		return -ENODEV;
	return path_open_in_root(root, path, O_RDWR | O_NOCTTY, 0);
}

static int open_slave(int master)
{
	int unlock = 0;
	_cleanup_close_ int slave = -1;
	struct stat st;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fstat(slave, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) < UNIX98_SLAVE_FIRST || major(st.st_rdev) > UNIX98_SLAVE_LAST)
		return -ENODEV;
	return take_fd(&slave);
}

static int open_pty(int *ret_master, int *ret_slave, struct mrg_error *err)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), master = -1;
	int slave;

	if (root < 0)
		return mrg_error_set(err, -errno, "cannot open the root of the container: %s", strerror(errno));
	master = open_multiplexer(root, "/dev/pts/ptmx");
	if (master < 0)
		master = open_multiplexer(root, "/dev/ptmx");
	if (master < 0) {
		mrg_error_set(err, -MRG_E_INVALID, "the container has no /dev/pts: cannot give it a terminal");
		return mrg_error_hint(err, "mount a devpts on /dev/pts, or ask for no terminal");
	}
	slave = open_slave(master);
	if (slave < 0)
		return mrg_error_set(err, slave, "cannot open a terminal in the container: %s", strerror(-slave));
	*ret_master = take_fd(&master);
	*ret_slave = slave;
	return 0;
}

static int send_descriptor(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int mrg_helper_process_master(int socket, int *ret_master, struct mrg_error *err)
{
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
	struct cmsghdr *c;

	/* The child has executed, so what it sent is there. */
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return mrg_error_set(err, -EPROTO, "the new process sent no terminal");
	memcpy(ret_master, CMSG_DATA(c), sizeof(int));
	return 0;
}

/* Makes @fds descriptors 0-2. They may be any of these numbers already, in any order. */
static int use_streams(const int fds[3], struct mrg_error *err)
{
	int copy[3] = { -1, -1, -1 }, r = 0;

	for (int i = 0; i < 3 && r == 0; i++) {
		copy[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (copy[i] < 0)
			r = -errno;
	}
	for (int i = 0; i < 3 && r == 0; i++)
		if (dup2(copy[i], i) < 0)
			r = -errno;
	for (int i = 0; i < 3; i++)
		fd_close(copy[i]);
	return r < 0 ? mrg_error_set(err, r, "cannot set up the standard streams: %s", strerror(-r)) : 0;
}

static int use_terminal(int socket, struct mrg_error *err)
{
	_cleanup_close_ int master = -1, slave = -1;
	int r = open_pty(&master, &slave, err);

	if (r < 0)
		return r;
	r = send_descriptor(socket, master);
	if (r < 0)
		return mrg_error_set(err, r, "cannot hand the terminal to the monitor: %s", strerror(-r));
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return mrg_error_set(err, -errno, "cannot make the terminal the controlling one: %s", strerror(errno));
	return use_streams((const int[]){ slave, slave, slave }, err);
}

int mrg_helper_process_stdio(const struct mrg_stdio *io, int socket, struct mrg_error *err)
{
	/* Without a terminal too: none of the caller's must stay the controlling one. */
	if (setsid() < 0)
		return mrg_error_set(err, -errno, "cannot start a session: %s", strerror(errno));
	if (io->terminal)
		return use_terminal(socket, err);
	return use_streams((const int[]){ io->in, io->out, io->err }, err);
}

/* The place for the console. It is made where /dev is a file system of the container's own, not in a root that stays. */
static int open_console(int root)
{
	_cleanup_close_ int dev = -1;
	struct statfs fs;
	int console = path_open_in_root(root, "/dev/console", O_PATH, 0);

	if (console != -ENOENT)
		return console;
	dev = path_open_in_root(root, "/dev", O_PATH | O_DIRECTORY, 0);
	if (dev < 0)
		return dev;
	if (fstatfs(dev, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return -ENOENT;
	return path_make_in_root(root, "/dev/console", true);
}

/* The slave in the place where inits and getty look for their console. */
static int bind_console(int root, struct mrg_error *err)
{
	_cleanup_close_ int target = open_console(root), tree = -1;

	if (target < 0)
		return mrg_error_set(err, target, "cannot make /dev/console in the container: %s", strerror(-target));
	tree = open_tree(0, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0 || move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return mrg_error_set(err, -errno, "cannot mount the terminal on /dev/console: %s", strerror(errno));
	return 0;
}

static int finish_terminal(const struct mrg_helper_process *p, int root, uid_t uid, struct mrg_error *err)
{
	struct winsize size = {
		.ws_row = (unsigned short)p->spec->console_height, .ws_col = (unsigned short)p->spec->console_width,
	};
	int r;

	if (size.ws_row && size.ws_col && ioctl(0, TIOCSWINSZ, &size) < 0)
		return mrg_error_set(err, -errno, "cannot set the size of the terminal: %s", strerror(errno));
	/* Group 5 is what devpts gives by its gid option; where it is not mapped the group stays. */
	if (fchown(0, uid, GID_TTY) < 0 && fchown(0, uid, (gid_t)-1) < 0 && uid != 0)
		return mrg_error_set(err, -errno, "cannot give the terminal to user %u: %s", uid, strerror(errno));
	if (p->command)
		return 0;
	/* Of use to every container, but only an init cannot do without. */
	r = bind_console(root, err);
	return r < 0 && p->spec->boot ? r : 0;
}

/* Pipes made by the monitor belong to us: without this another user could not open /dev/stdout again. Files that
 * have a name are not touched. */
static void chown_pipes(uid_t uid)
{
	for (int fd = 0; fd < 3; fd++) {
		struct statfs fs;

		if (fstatfs(fd, &fs) == 0 && (fs.f_type == PIPEFS_MAGIC || fs.f_type == SOCKFS_MAGIC))
			(void)!fchown(fd, uid, (gid_t)-1);
	}
}

int stdio_finish(const struct mrg_helper_process *p, int root, const struct identity *who, struct mrg_error *err)
{
	/* Only the one we made is the controlling terminal; another that was passed in is the caller's. */
	if (tcgetsid(0) == getsid(0))
		return finish_terminal(p, root, who->uid, err);
	if (who->uid != 0)
		chown_pipes(who->uid);
	return 0;
}
