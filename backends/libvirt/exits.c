/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a process ended that is not our child, before Linux 6.15: by taskstats, which tells of each end at once, with the exit code as the process had it. What
 * the kernel puts in its place when init calls reboot(2) is not in it.
 */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define POSSIBLE	"/sys/devices/system/cpu/possible"
#define HEADERS		(NLMSG_HDRLEN + GENL_HDRLEN)
#define TEXT_MAX	256
#define ANSWER_MAX	8192

struct question {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	struct nlattr attr;
	char text[TEXT_MAX];
};

static int ask(int fd, uint16_t family, uint8_t command, uint16_t type, const char *text)
{
	size_t length = strlen(text) + 1;
	struct question q = {
		.nl = { .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = command, .version = 1 },
		.attr = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length) },
	};

	if (length > TEXT_MAX)
		return -E2BIG;
	memcpy(q.text, text, length);
	q.nl.nlmsg_len = (uint32_t)(HEADERS + NLA_HDRLEN + NLA_ALIGN(length));
	return send(fd, &q, q.nl.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The value of the attribute @type among the @length bytes at @from, of at least @size bytes. */
static const char *find(const char *from, size_t length, uint16_t type, size_t size, size_t *ret_length)
{
	struct nlattr attr;
	size_t step;

	while (length >= NLA_HDRLEN) {
		memcpy(&attr, from, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > length)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == type && attr.nla_len >= NLA_HDRLEN + size) {
			*ret_length = attr.nla_len - NLA_HDRLEN;
			return from + NLA_HDRLEN;
		}
		step = (size_t)NLA_ALIGN(attr.nla_len);
		if (step >= length)
			return NULL;
		length -= step;
		from += step;
	}
	return NULL;
}

/* The number of the family, which is given out anew at each boot; its answer and the word that there is no more. */
static int find_family(int fd)
{
	char answer[ANSWER_MAX];
	const char *value;
	uint16_t family;
	size_t length;
	ssize_t n;
	int r = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME);

	n = r < 0 ? r : recv(fd, answer, sizeof(answer), 0);
	if (n < (ssize_t)HEADERS)
		return -ENOENT;
	value = find(answer + HEADERS, (size_t)n - HEADERS, CTRL_ATTR_FAMILY_ID, sizeof(family), &length);
	if (!value)
		return -ENOENT;
	memcpy(&family, value, sizeof(family));
	return recv(fd, answer, sizeof(answer), 0) < 0 ? -errno : family;
}

/* Of what the kernel says only the answers to what was asked, and what is about @pid: no other end wakes anybody, or fills the socket. Also none that is told
 * to an earlier socket of this process, whose number this one may have got. */
static int listen_to(int fd, pid_t pid)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NLMSG_ERROR), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(GENL_ID_CTRL), 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, HEADERS + 2 * NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)pid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int enlist(int fd, int family)
{
	struct { struct nlmsghdr nl; struct nlmsgerr error; } answer;
	_cleanup_free_ char *processors = NULL;
	int r = fd_read_virtual(AT_FDCWD, POSSIBLE, TEXT_MAX, &processors, NULL);

	if (r < 0)
		return r;
	processors[strcspn(processors, "\n")] = '\0';
	r = ask(fd, (uint16_t)family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, processors);
	if (r < 0)
		return r;
	if (recv(fd, &answer, sizeof(answer), MSG_TRUNC) < (ssize_t)sizeof(answer) || answer.nl.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

bool libvirt_exits_needed(void)
{
	unsigned int major, minor;
	struct utsname host;

	return uname(&host) < 0 || sscanf(host.release, "%u.%u", &major, &minor) != 2 || major < 6 || (major == 6 && minor < 15);
}

int libvirt_exits_open(pid_t pid)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int r = fd < 0 ? -errno : listen_to(fd, pid);

	if (r == 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0)
		r = find_family(fd);
	if (r >= 0)
		r = enlist(fd, r);
	return r < 0 ? r : take_fd(&fd);
}

bool libvirt_exits_read(int fd, int *ret_status)
{
	char told[ANSWER_MAX];
	ssize_t n = fd < 0 ? -1 : recv(fd, told, sizeof(told), MSG_DONTWAIT);
	const char *both, *stats;
	uint32_t code;
	size_t length;

	if (n < (ssize_t)HEADERS)
		return false;
	both = find(told + HEADERS, (size_t)n - HEADERS, TASKSTATS_TYPE_AGGR_PID, 0, &length);
	stats = both ? find(both, length, TASKSTATS_TYPE_STATS, offsetof(struct taskstats, ac_exitcode) + sizeof(code), &length) : NULL;
	if (!stats)
		return false;
	memcpy(&code, stats + offsetof(struct taskstats, ac_exitcode), sizeof(code));
	*ret_status = (int)code;
	return true;
}
