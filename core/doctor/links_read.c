/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual cables and network namespaces, asked of the kernel (rtnetlink(7)): sysfs may show another network namespace, and does not tell where the other end is. */

#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define LINKS_MAX	16384
#define SPACES_MAX	16384
#define ANSWER_SIZE	65536

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct rtgenmsg space;
	} body;
	char attributes[64];
};

static int open_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* The attribute @type in the @length bytes at @at, or NULL. */
static const struct rtattr *find_attribute(const void *at, size_t length, unsigned short type)
{
	const struct rtattr *attribute = at;

	for (int left = (int)length; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute;
	return NULL;
}

static bool get_number(const struct rtattr *attribute, int *ret)
{
	if (!attribute || RTA_PAYLOAD(attribute) < sizeof(*ret))
		return false;
	memcpy(ret, RTA_DATA(attribute), sizeof(*ret));
	return true;
}

static bool is_text(const struct rtattr *attribute, const char *text)
{
	return attribute && RTA_PAYLOAD(attribute) >= strlen(text) && strncmp(RTA_DATA(attribute), text, strlen(text)) == 0;
}

/* ---- cables ------------------------------------------------------------------------------------- */

struct links {
	struct link *item;
	size_t n, size;
};

static int add_link(struct links *links, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const char *at = (const char *)info + NLMSG_ALIGN(sizeof(*info));
	size_t length = message->nlmsg_len - NLMSG_LENGTH(sizeof(*info));
	const struct rtattr *name = find_attribute(at, length, IFLA_IFNAME), *kind = find_attribute(at, length, IFLA_LINKINFO);
	struct link link = { .index = info->ifi_index, .space = -1, .up = info->ifi_flags & IFF_UP };

	if (!name || !kind || !is_text(find_attribute(RTA_DATA(kind), RTA_PAYLOAD(kind), IFLA_INFO_KIND), "veth") || links->n == LINKS_MAX)
		return 0;
	snprintf(link.name, sizeof(link.name), "%.*s", (int)RTA_PAYLOAD(name), (const char *)RTA_DATA(name));
	get_number(find_attribute(at, length, IFLA_LINK), &link.peer);
	get_number(find_attribute(at, length, IFLA_LINK_NETNSID), &link.space);
	get_number(find_attribute(at, length, IFLA_MASTER), &link.master);
	if (links->n == links->size) {
		size_t size = links->size ? 2 * links->size : 64;
		struct link *grown = reallocarray(links->item, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		links->item = grown;
		links->size = size;
	}
	links->item[links->n++] = link;
	return 0;
}

/* 1: that was the last of them. */
static int take_links(struct links *links, const void *answer, size_t length)
{
	const struct nlmsghdr *message = answer;

	for (int left = (int)length; NLMSG_OK(message, (unsigned int)left); message = NLMSG_NEXT(message, left)) {
		int r;

		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
			continue;
		r = add_link(links, message);
		if (r < 0)
			return r;
	}
	return 0;
}

int links_read(struct link **ret, size_t *ret_n)
{
	_cleanup_close_ int fd = open_netlink();
	_cleanup_free_ char *answer = malloc(ANSWER_SIZE);
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	struct links links = { .n = 0 };
	int r = 0;

	if (fd < 0 || !answer)
		return fd < 0 ? fd : -ENOMEM;
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(fd, answer, ANSWER_SIZE, 0);

		r = n < 0 ? -errno : n == 0 ? -EIO : take_links(&links, answer, (size_t)n);
	}
	if (r < 0) {
		free(links.item);
		return r;
	}
	*ret = links.item;
	*ret_n = links.n;
	return 0;
}

/* ---- namespaces ----------------------------------------------------------------------------------- */

struct spaces {
	int netlink;
	int *id;
	ino_t *seen;			/* which were asked for */
	size_t n, n_seen;
	bool blind;			/* some may not be looked at */
};

/* The id that our network namespace has for the one of @fd; -1: none, and so no cable leads there. */
static int ask_id(int netlink, int fd)
{
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)), .nlmsg_type = RTM_GETNSID, .nlmsg_flags = NLM_F_REQUEST },
	};
	struct rtattr *attribute = (struct rtattr *)((char *)&request + NLMSG_ALIGN(request.header.nlmsg_len));
	char answer[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	int id = -1;
	ssize_t n;

	attribute->rta_type = NETNSA_FD;
	attribute->rta_len = RTA_LENGTH(sizeof(fd));
	memcpy(RTA_DATA(attribute), &fd, sizeof(fd));
	request.header.nlmsg_len = NLMSG_ALIGN(request.header.nlmsg_len) + attribute->rta_len;
	if (send(netlink, &request, request.header.nlmsg_len, 0) < 0 || (n = recv(netlink, answer, sizeof(answer), 0)) < 0)
		return -1;
	if (!NLMSG_OK(message, (size_t)n) || message->nlmsg_type != RTM_NEWNSID || message->nlmsg_len < NLMSG_SPACE(sizeof(struct rtgenmsg)))
		return -1;
	get_number(find_attribute((const char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct rtgenmsg)), message->nlmsg_len - NLMSG_SPACE(sizeof(struct rtgenmsg)),
				  NETNSA_NSID), &id);
	return id;
}

static void add_space(struct spaces *spaces, int dir, const char *path)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int id;

	spaces->blind |= fd < 0 && (errno == EACCES || errno == EPERM);
	if (fd < 0 || fstat(fd, &st) < 0 || spaces->n == SPACES_MAX || spaces->n_seen == SPACES_MAX)
		return;
	for (size_t i = 0; i < spaces->n_seen; i++)
		if (spaces->seen[i] == st.st_ino)
			return;
	spaces->seen[spaces->n_seen++] = st.st_ino;
	id = ask_id(spaces->netlink, fd);
	if (id >= 0)
		spaces->id[spaces->n++] = id;
}

/* The host's first process is in no container, and may have more rights than whoever asks. */
static bool is_process(const char *name)
{
	return isdigit((unsigned char)*name) && strcmp(name, "1") != 0;
}

/* "ip netns add" makes them for people; those of Podman and of CNI go with their container. */
static bool is_named(const char *name)
{
	return *name != '.' && strncmp(name, "cni-", 4) != 0 && strncmp(name, "netns-", 6) != 0;
}

/* Docker calls those of containers by 12 digits; others are of its networks between hosts. */
static bool is_network_of_docker(const char *name)
{
	return *name != '.' && strspn(name, "0123456789abcdef") != 12;
}

static void add_all(struct spaces *spaces, const char *directory, bool (*wanted)(const char *name), const char *file)
{
	_cleanup_closedir_ DIR *all = opendir(directory);
	struct dirent *entry;

	while (all && (entry = readdir(all))) {
		char path[300];

		if (!wanted(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%.255s%s", entry->d_name, file);
		add_space(spaces, dirfd(all), path);
	}
}

int spaces_read(int **ret, size_t *ret_n)
{
	_cleanup_close_ int netlink = open_netlink();
	_cleanup_free_ ino_t *seen = calloc(SPACES_MAX, sizeof(*seen));
	struct spaces spaces = { .netlink = netlink, .id = calloc(SPACES_MAX, sizeof(*spaces.id)), .seen = seen };

	if (netlink < 0 || !seen || !spaces.id) {
		free(spaces.id);
		return netlink < 0 ? netlink : -ENOMEM;
	}
	add_all(&spaces, "/proc", is_process, "/ns/net");
	add_all(&spaces, "/run/netns", is_named, "");
	add_all(&spaces, "/run/docker/netns", is_network_of_docker, "");
	if (spaces.blind) {
		free(spaces.id);
		return -EACCES;
	}
	*ret = spaces.id;
	*ret_n = spaces.n;
	return 0;
}
