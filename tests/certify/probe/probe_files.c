/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is: files, mounts, devices, terminals, network interfaces. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "probe.h"

static void see_read(const char *argument)
{
	int fd = open(argument, O_RDONLY | O_CLOEXEC);
	char text[8192];
	ssize_t n;

	if (fd < 0) {
		say_result(errno);
		return;
	}
	while ((n = read(fd, text, sizeof(text))) > 0)
		say_bytes(text, (size_t)n);
	if (n < 0)
		say_result(errno);
	close(fd);
}

/* Opens, for reading and writing, what is there: devices say whether they may be used. */
static void see_open(const char *argument)
{
	int fd = open(argument, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	say_result(fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void see_create(const char *argument)
{
	int fd = open(argument, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	say_result(fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void see_mkdir(const char *argument)
{
	say_result(mkdir(argument, 0755) < 0 ? errno : 0);
}

/* PATH:TEXT */
static void see_write(const char *argument)
{
	char path[4096];
	size_t length = strcspn(argument, ":");
	int fd;

	snprintf(path, sizeof(path), "%.*s", (int)length, argument);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && argument[length])
		errno = write(fd, argument + length + 1, strlen(argument + length + 1)) < 0 ? errno : 0;
	else if (fd >= 0)
		errno = 0;
	say_result(errno);
	if (fd >= 0)
		close(fd);
}

static void see_stat(const char *argument)
{
	static const struct {
		mode_t type;
		const char *name;
	} types[] = {
		{ S_IFREG, "file" }, { S_IFDIR, "directory" }, { S_IFCHR, "character" }, { S_IFBLK, "block" }, { S_IFIFO, "fifo" },
		{ S_IFLNK, "link" }, { S_IFSOCK, "socket" },
	};
	struct stat st;

	if (lstat(argument, &st) < 0) {
		say_result(errno);
		return;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((st.st_mode & S_IFMT) == types[i].type)
			say("%s", types[i].name);
	say(" %04o %u:%u", (unsigned int)(st.st_mode & 07777), (unsigned int)st.st_uid, (unsigned int)st.st_gid);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		say(" %u:%u", major(st.st_rdev), minor(st.st_rdev));
}

static void see_inode(const char *argument)
{
	struct stat st;

	if (stat(argument, &st) < 0)
		say_result(errno);
	else
		say("%llu", (unsigned long long)st.st_ino);
}

static int is_shown(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void see_list(const char *argument)
{
	struct dirent **entries;
	int n = scandir(argument, &entries, is_shown, alphasort);

	if (n < 0) {
		say_result(errno);
		return;
	}
	for (int i = 0; i < n; i++) {
		say("%s%s", i ? "," : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* PATH:MAJOR:MINOR */
static void see_mknod(const char *argument)
{
	char path[4096];
	size_t length = strcspn(argument, ":");
	const char *rest = "";
	long first;

	snprintf(path, sizeof(path), "%.*s", (int)length, argument);
	first = number(argument[length] ? argument + length + 1 : "", &rest);
	say_result(mknod(path, S_IFCHR | 0666, makedev((unsigned int)first, (unsigned int)number(rest, NULL))) < 0 ? errno : 0);
}

/* ---- mounts ------------------------------------------------------------------------------- */

static void see_type(const char *argument)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} types[] = {
		{ 0x01021994, "tmpfs" }, { 0x9fa0, "proc" }, { 0x62656572, "sysfs" }, { 0x1cd1, "devpts" }, { 0x794c7630, "overlay" },
		{ 0x19800202, "mqueue" }, { 0x27e0eb, "cgroup" }, { 0x63677270, "cgroup2" }, { 0xef53, "ext" },
	};
	struct statfs fs;

	if (statfs(argument, &fs) < 0) {
		say_result(errno);
		return;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)fs.f_type == types[i].magic) {
			say("%s", types[i].name);
			return;
		}
	say("%lx", (unsigned long)fs.f_type);
}

static void see_flags(const char *argument)
{
	struct statvfs fs;

	if (statvfs(argument, &fs) < 0) {
		say_result(errno);
		return;
	}
	say("%s%s%s%s", fs.f_flag & ST_RDONLY ? "ro" : "rw", fs.f_flag & ST_NOSUID ? ",nosuid" : "",
	    fs.f_flag & ST_NODEV ? ",nodev" : "", fs.f_flag & ST_NOEXEC ? ",noexec" : "");
}

static void see_size(const char *argument)
{
	struct statvfs fs;

	if (statvfs(argument, &fs) < 0)
		say_result(errno);
	else
		say("%llu", (unsigned long long)fs.f_blocks * fs.f_frsize);
}

/* ---- terminals ------------------------------------------------------------------------------ */

static void see_terminal(const char *argument)
{
	pid_t session = tcgetsid(0);

	(void)argument;
	say("%s%s%s", isatty(0) ? "in," : "", isatty(1) ? "out," : "", isatty(2) ? "err" : "");
	say(" %s", session > 0 && session == getsid(0) ? "controlling" : "none");
}

static void see_winsize(const char *argument)
{
	struct winsize size;

	(void)argument;
	if (ioctl(0, TIOCGWINSZ, &size) < 0)
		say_result(errno);
	else
		say("%ux%u", size.ws_row, size.ws_col);
}

/* ---- network --------------------------------------------------------------------------------- */

static void see_interfaces(const char *argument)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *separator = "";

	(void)argument;
	for (int index = 1; index < 4096 && fd >= 0; index++) {
		struct ifreq request = { .ifr_ifindex = index };

		if (ioctl(fd, SIOCGIFNAME, &request) < 0)
			continue;
		say("%s%s", separator, request.ifr_name);
		separator = ",";
	}
	if (fd >= 0)
		close(fd);
}

/* PORT: tells when it listens, greets whoever comes, for ever. */
static void listen_at(const char *argument)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((unsigned short)number(argument, NULL)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0) {
		say_result(errno);
		return;
	}
	say_end();
	put(STDOUT_FILENO, "listen=ready\n");
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		put(peer, "inside\n");
		close(peer);
	}
	say("accept: ");
	say_result(errno);
}

static void see_up(const char *argument)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argument);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		say_result(errno);
	else
		say("%s", request.ifr_flags & IFF_UP ? "yes" : "no");
	if (fd >= 0)
		close(fd);
}

const struct word file_words[] = {
	{ "read", see_read }, { "open", see_open }, { "create", see_create }, { "mkdir", see_mkdir }, { "write", see_write },
	{ "stat", see_stat }, { "inode", see_inode }, { "list", see_list }, { "mknod", see_mknod }, { "type", see_type },
	{ "flags", see_flags }, { "size", see_size }, { "terminal", see_terminal }, { "winsize", see_winsize },
	{ "interfaces", see_interfaces }, { "up", see_up }, { "listen", listen_at },
	{ NULL, NULL }
};
