/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about network devices and ports: on a bridge of the host that is made for the test. */

#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

/* Judges may be at work at the same time: each has ports, and a network of four addresses within 10.213.0.0/16, of its own. */
#define PLACES		8192

/* The judge's, which its containers' names begin with. */
static const char *number_of(const struct kit *kit)
{
	return kit->prefix + strlen("mrgt-c");
}

static uint16_t place_of(const struct kit *kit)
{
	return (uint16_t)(atoi(number_of(kit)) % PLACES);
}

static uint16_t outer_port(const struct kit *kit)
{
	return (uint16_t)(2 * PLACES + place_of(kit));
}

static uint16_t inner_port(const struct kit *kit)
{
	return (uint16_t)(3 * PLACES + place_of(kit));
}

/* Number 1 is the bridge's, 2 the container's. */
static struct in_addr address_of(const struct kit *kit, uint32_t n)
{
	return (struct in_addr){ htonl((10U << 24 | 213U << 16) + 4U * place_of(kit) + n) };
}

/* ---- devices of the namespace one is in ---------------------------------------------------------- */

static int set_address(int fd, const char *name, unsigned long request, struct in_addr address)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	in->sin_family = AF_INET;
	in->sin_addr = address;
	return ioctl(fd, request, &ifr);
}

static int raise_device(int fd, const char *name, bool up)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return -1;
	ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static bool configure(const char *name, struct in_addr address)
{
	const struct in_addr netmask = { htonl(~3U) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && set_address(fd, name, SIOCSIFADDR, address) == 0 && set_address(fd, name, SIOCSIFNETMASK, netmask) == 0 &&
	       raise_device(fd, name, true) == 0;
}

/* ---- the bridge -------------------------------------------------------------------------------------- */

void bridge_name(const struct kit *kit, char ret[IFNAMSIZ])
{
	snprintf(ret, IFNAMSIZ, "mrgtbr%s", number_of(kit));
}

void bridge_remove(const struct kit *kit)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[IFNAMSIZ];

	bridge_name(kit, name);
	raise_device(fd, name, false);
	ioctl(fd, SIOCBRDELBR, name);
}

static void remove_it(void *data)
{
	bridge_remove(data);
}

static void make_bridge(struct trial *t, char name[IFNAMSIZ])
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	bridge_name(t->kit, name);
	if (fd < 0 || ioctl(fd, SIOCBRADDBR, name) < 0)
		trial_skip(t, "a bridge cannot be made here: %s", strerror(errno));
	trial_defer(t, remove_it, (void *)(uintptr_t)t->kit);
	if (!configure(name, address_of(t->kit, 1)))
		trial_fail(t, "the kit cannot set up '%s': %s", name, strerror(errno));
}

static size_t count_ports(const char *bridge)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif", bridge);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

static bool has_no_port(void *bridge)
{
	return count_ports(bridge) == 0;
}

/* The first device inside that is not the loopback. */
static void device_inside(struct scene *s, char ret[IFNAMSIZ])
{
	char names[512];

	scene_value(s, "interfaces", names, sizeof(names));
	for (const char *name = names; *name; name += strcspn(name, ",") + (name[strcspn(name, ",")] == ','))
		if (strncmp(name, "lo", 2) != 0 || (name[2] && name[2] != ',')) {
			snprintf(ret, IFNAMSIZ, "%.*s", (int)strcspn(name, ","), name);
			return;
		}
	trial_fail(s->t, "inside there is only '%s'", names);
}

/* A container that waits, with a network that has these @keys on a new @bridge, and a device of it inside. */
static void run_on_bridge(struct scene *s, const char *keys, char *bridge)
{
	char name[IFNAMSIZ];

	make_bridge(s->t, bridge);
	scene_begin(s, s->t, 0);
	scene_set(s, MRG_FIELD_NS_NETWORK, "private");
	scene_set(s, MRG_FIELD_NETWORKS, "[{%s,\"link\":\"%s\"}]", keys, bridge);
	scene_word(s, "interfaces");
	scene_word(s, "wait");
	scene_run_until(s, "wait=ready");
	device_inside(s, name);
}

/* ---- tests ---------------------------------------------------------------------------------------------- */

static void it_is_on_the_bridge(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char bridge[IFNAMSIZ];

	run_on_bridge(&s, "\"type\":\"veth\"", bridge);
	if (count_ports(bridge) != 1)
		trial_fail(t, "the bridge has %zu ports", count_ports(bridge));
	if (mrg_stop(s.c, -1, 0, &s.err) < 0)
		trial_fail(t, "stop: %s", s.err.message);
	if (!eventually(t, has_no_port, bridge))
		trial_fail(t, "the host's end is left");
}

static void it_is_above_a_device(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char bridge[IFNAMSIZ];

	run_on_bridge(&s, "\"type\":\"macvlan\",\"mode\":\"bridge\"", bridge);
}

/* Never the host's: what a backend claims of its containers need not be so. */
static bool is_of_the_host(int fd)
{
	struct stat own, theirs;

	return stat("/proc/self/ns/net", &own) < 0 || fstat(fd, &theirs) < 0 || own.st_ino == theirs.st_ino;
}

/* In the container's namespace, as an init system inside would. */
static bool configure_inside(struct scene *s, const char *name)
{
	char path[64];
	int fd, status = -1;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)scene_status(s).pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && is_of_the_host(fd))
		fd = fd_close(fd);
	child = fork();
	if (child == 0)
		_exit(fd < 0 || setns(fd, CLONE_NEWNET) < 0 || !configure(name, address_of(s->t->kit, 2)));
	fd_close(fd);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool answers(void *data)
{
	const struct kit *kit = data;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(outer_port(kit)), .sin_addr = address_of(kit, 1) };
	char text[16] = "";

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && recv(fd, text, sizeof(text) - 1, 0) > 0 &&
	       strncmp(text, "inside", 6) == 0;
}

static void the_port_leads_inside(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char bridge[IFNAMSIZ], name[IFNAMSIZ];

	make_bridge(t, bridge);
	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NS_NETWORK, "private");
	scene_set(&s, MRG_FIELD_NETWORKS, "[{\"type\":\"veth\",\"link\":\"%s\"}]", bridge);
	scene_set(&s, MRG_FIELD_PUBLISH, "[{\"hostPort\":%d,\"containerPort\":%d}]", outer_port(t->kit), inner_port(t->kit));
	scene_word(&s, "interfaces");
	scene_word(&s, "listen:%d", inner_port(t->kit));
	scene_run_until(&s, "listen=ready");
	device_inside(&s, name);
	if (!configure_inside(&s, name))
		trial_fail(t, "the kit cannot give '%s' an address inside", name);
	if (!eventually(t, answers, (void *)(uintptr_t)t->kit))
		trial_fail(t, "nobody answers at port %d of the host%s", outer_port(t->kit),
			   scene_status(&s).state == MRG_STATE_RUNNING ? "" : ": it has ended");
}

const struct test network_fields[] = {
	ROW(NETWORKS, "empty: the loopback device alone",
	    { { MRG_FIELD_NS_NETWORK, "private" }, { MRG_FIELD_NETWORKS, "[{\"type\":\"empty\"}]" } }, { "interfaces" },
	    { "interfaces=lo" }),
	BY(NETWORKS, "veth: a device inside, its other end on a bridge, gone afterwards", it_is_on_the_bridge),
	BY(NETWORKS, "macvlan: a device inside", it_is_above_a_device),
	BY(PUBLISH, "who connects to the port of the host reaches the container", the_port_leads_inside),
	{ .name = NULL }
};
