/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What moorage-init does for engines that cannot: streams, terminal, environment, ids and working directory. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/init/init.h"

#define GROUPS_MAX	65536		/* NGROUPS_MAX of Linux */
#define GID_TTY		5
#define CAPABILITY_VERSION	0x20080522	/* capget(2); the headers of the kernel are not those of every C library */

extern char **environ;

static unsigned long number(const char **at, int base)
{
	char *end;
	unsigned long value = strtoul(*at, &end, base);

	if (end == *at)
		fail(-EINVAL, "'", *at, "' is no number");
	*at = end;
	return value;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void take_streams(void)
{
	for (int i = 0; i < 3; i++)
		if (dup2(STDIO_FD + i, i) < 0)
			fail(-errno, "the standard streams were not handed over", "", "");
}

static void send_master(int master)
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
	memcpy(CMSG_DATA(c), &master, sizeof(int));
	if (sendmsg(STDIO_FD, &message, MSG_NOSIGNAL) < 0)
		fail(-errno, "cannot hand the terminal to the monitor", "", "");
}

/* Hexadecimal; a long may be too short for it. */
static uint64_t number64(const char **at)
{
	char *end;
	uint64_t value = strtoull(*at, &end, 16);

	if (end == *at)
		fail(-EINVAL, "'", *at, "' is no number");
	*at = end;
	return value;
}

/* "ROWS:COLUMNS" */
static void set_size(int terminal, const char *size)
{
	struct winsize winsize = { .ws_row = (unsigned short)number(&size, 10) };

	size += *size == ':';
	winsize.ws_col = (unsigned short)number(&size, 10);
	ioctl(terminal, TIOCSWINSZ, &winsize);
}

/* A terminal of the container's own. Nothing but us has run in it yet: /dev/pts is what the engine has mounted. */
static void open_terminal(const char *size)
{
	int unlock = 0, slave, master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		fail(-errno, "the container has no /dev/pts: cannot give it a terminal", "", "");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (slave < 0)
		fail(-errno, "cannot open a terminal in the container", "", "");
	if (size)
		set_size(slave, size);
	send_master(master);
	close(master);
	/* Fails where the engine has made us the leader of a session already. */
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(slave, i);
	close(slave);
}

/* What is handed over was made by somebody else: without this another user could not open it again by its name. Files are not touched. */
static void give_streams(uid_t uid, int terminal)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (terminal && fchown(fd, uid, GID_TTY) < 0)
			(void)!fchown(fd, uid, (gid_t)-1);
		if (!terminal && fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			(void)!fchown(fd, uid, (gid_t)-1);
	}
}

/* ---- environment ----------------------------------------------------------------------------- */

char **take_strings(int fd, const char *what)
{
	size_t n = 0, i = 0;
	struct stat st;
	char **strings, *text = NULL;

	if (fstat(fd, &st) < 0)
		fail(-errno, what, " not handed over", "");
	if (st.st_size)
		text = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		fail(-errno, what, " cannot be read", "");
	for (off_t at = 0; at < st.st_size; at++)
		n += !text[at];
	strings = calloc(n + 1, sizeof(*strings));
	if (!strings)
		fail(-ENOMEM, what, " need more memory than there is", "");
	for (char *string = text; i < n; string += strlen(string) + 1)
		strings[i++] = string;
	return strings;
}

/* ---- user and directory ----------------------------------------------------------------------- */

static int enter_cwd(const char *cwd, int last_try)
{
	if (chdir(cwd) == 0)
		return 1;
	if (errno == EACCES && !last_try) /* root of a user namespace may enter less than the user */
		return 0;
	if (errno == ENOENT)
		fail(-MRG_E_INVALID, "the working directory '", cwd, "' does not exist in the container");
	if (errno == ENOTDIR)
		fail(-MRG_E_INVALID, "the working directory '", cwd, "' is not a directory");
	fail(-errno, "cannot change to the working directory '", cwd, "'");
}

/* "UID:GID,GID...": the first group is the primary one. */
static void become(const char *user, int terminal, int keep_caps)
{
	const char *at = user;
	uid_t uid = (uid_t)number(&at, 10);
	gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));
	size_t n = 0;

	if (!groups)
		fail(-ENOMEM, "not enough memory for the groups", "", "");
	while (*at && n < GROUPS_MAX) {
		at++;
		groups[n++] = (gid_t)number(&at, 10);
	}
	give_streams(uid, terminal);
	if (keep_caps)
		prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (setgroups(n, groups) < 0 || setresgid(groups[0], groups[0], groups[0]) < 0 || setresuid(uid, uid, uid) < 0)
		fail(-errno, "cannot become user ", user, "");
	free(groups);
}

/* ---- capabilities ----------------------------------------------------------------------------- */

struct caps {
	uint64_t inheritable, ambient, bounding;
};

/* "INHERITABLE:AMBIENT[:BOUNDING]" */
static struct caps parse_caps(const char *text)
{
	struct caps caps = { .bounding = UINT64_MAX };

	caps.inheritable = number64(&text);
	text += *text == ':';
	caps.ambient = number64(&text);
	if (*text == ':') {
		text++;
		caps.bounding = number64(&text);
	}
	return caps;
}

/* While we are root: an engine has left us more than the command is to have. */
static void drop_bounding(uint64_t bounding)
{
	for (unsigned long n = 0; n < 64; n++)
		if (!(bounding >> n & 1) && prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
			fail(-errno, "cannot drop capabilities", "", "");
}

/* An engine that only knows the bounding set leaves the inheritable one as large. */
static void limit_caps(const struct caps *caps)
{
	struct { uint32_t version; int pid; } header = { CAPABILITY_VERSION, 0 };
	struct { uint32_t effective, permitted, inheritable; } data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	uint64_t inheritable = caps->inheritable | caps->ambient;

	if (syscall(SYS_capget, &header, data) < 0)
		fail(-errno, "cannot read the capabilities", "", "");
	for (int i = 0; i < 2; i++) {
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
		data[i].permitted &= (uint32_t)(caps->bounding >> 32 * i);
		data[i].effective &= data[i].permitted;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		fail(-errno, "cannot set the capabilities", "", "");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long n = 0; n < 64; n++)
		if (caps->ambient >> n & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0)
			fail(-errno, "cannot set the ambient capabilities", "", "");
}

/* ---- AppArmor --------------------------------------------------------------------------------- */

/* Of this process, and of those it starts. Newer kernels have a file of AppArmor's own; the other may be that of another module. */
static void enter_profile(const char *profile)
{
	static const char change[] = "changeprofile ", *const files[] = { "/proc/self/attr/apparmor/current", "/proc/self/attr/current" };
	char text[4096];
	size_t length = strlen(profile);
	ssize_t n = -1;
	int fd = -1;

	if (sizeof(change) + length > sizeof(text))
		fail(-ENAMETOOLONG, "the name of the AppArmor profile '", profile, "' is too long");
	memcpy(text, change, sizeof(change) - 1);
	memcpy(text + sizeof(change) - 1, profile, length);
	for (size_t i = 0; fd < 0 && i < 2; i++)
		fd = open(files[i], O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		n = write(fd, text, sizeof(change) - 1 + length);
	if (n < 0 && errno == ENOENT)
		fail(-ENOENT, "the AppArmor profile '", profile, "' is not loaded; it comes with the package of the engine, and apparmor_parser loads it");
	if (n < 0)
		fail(-errno, "cannot enter the AppArmor profile '", profile, "'");
	close(fd);
}

/* ---- all of it -------------------------------------------------------------------------------- */

static void wait_for_monitor(void)
{
	char byte;

	while (read(WAIT_FD, &byte, 1) != 1)
		if (errno != EINTR)
			_exit(EXIT_NOT_EXECUTABLE);
}

static void set_streams(const struct options *o)
{
	if (o->terminal)
		open_terminal(o->size);
	else if (o->stdio)
		take_streams();
}

static void set_identity(const struct options *o, const struct caps *caps)
{
	int in_cwd = !o->cwd || enter_cwd(o->cwd, !o->user);

	drop_bounding(caps->bounding);
	if (o->user)
		become(o->user, o->terminal, caps->ambient != 0);
	if (!in_cwd)
		enter_cwd(o->cwd, 1);
	if (o->caps)
		limit_caps(caps);
}

void set_up(const struct options *o)
{
	const struct caps caps = parse_caps(o->caps ? o->caps : "0:0");
	int no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	const char *mask = o->umask;

	if (o->wait)
		wait_for_monitor();

	/* By which systemd-nspawn has handed over our descriptors. */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	set_streams(o);
	if (o->environment)
		environ = take_strings(ENVIRONMENT_FD, "the variables of the environment");
	if (mask)
		umask((mode_t)number(&mask, 8));
	if (o->sysctls)
		set_sysctls();
	if (o->mounts)
		set_mounts();
	if (o->profile)
		enter_profile(o->profile);
	/* As late as can be, since a filter may refuse what is still to be done; without no_new_privs only root can load one. */
	if (o->filter && !no_new_privs)
		load_filter();
	set_identity(o, &caps);
	if (o->filter && no_new_privs)
		load_filter();
}
