/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces of this host: networks that overlap, and what becomes of packets between them. */

#include "config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define SUBNETS_MAX	256

bool subnets_overlap(const struct subnet *a, const struct subnet *b)
{
	unsigned int prefix = a->prefix < b->prefix ? a->prefix : b->prefix;

	return prefix == 0 || (a->address ^ b->address) >> (32 - prefix) == 0;
}

bool subnet_parse(const char *text, struct subnet *ret)
{
	const char *slash = strchr(text, '/');
	struct in_addr address;
	char first[INET_ADDRSTRLEN];
	uint32_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(first) || parse_uint32(slash + 1, &prefix) < 0 || prefix == 0 || prefix > 32)
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(slash - text), text);
	if (inet_pton(AF_INET, first, &address) != 1)
		return false;
	ret->address = ntohl(address.s_addr);
	ret->prefix = prefix;
	return true;
}

const char *subnet_show(const struct subnet *subnet, char ret[SUBNET_SIZE])
{
	uint32_t network = subnet->prefix ? subnet->address & (UINT32_MAX << (32 - subnet->prefix)) : 0;

	snprintf(ret, SUBNET_SIZE, "%u.%u.%u.%u/%u", network >> 24, network >> 16 & 0xff, network >> 8 & 0xff, network & 0xff, subnet->prefix);
	return ret;
}

/* ---- what there is -------------------------------------------------------------------------------- */

/* sysfs may be that of another network namespace; a socket is of ours. */
static bool is_bridge(int socket, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&driver };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	return ioctl(socket, SIOCETHTOOL, &request) == 0 && strcmp(driver.driver, "bridge") == 0;
}

/* The host's end of a machine of systemd-nspawn is a network of its own, which is routed as that of a bridge is. */
static bool is_containers(int socket, const char *name)
{
	return strncmp(name, "ve-", 3) == 0 || is_bridge(socket, name);
}

static size_t read_subnets(struct subnet subnets[SUBNETS_MAX])
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifaddrs *all;
	size_t n = 0;

	if (fd < 0 || getifaddrs(&all) < 0)
		return 0;
	for (struct ifaddrs *i = all; i && n < SUBNETS_MAX; i = i->ifa_next) {
		struct sockaddr_in address, mask;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !i->ifa_netmask || i->ifa_flags & IFF_LOOPBACK)
			continue;
		memcpy(&address, i->ifa_addr, sizeof(address));
		memcpy(&mask, i->ifa_netmask, sizeof(mask));
		subnets[n] = (struct subnet){
			.address = ntohl(address.sin_addr.s_addr), .prefix = (unsigned int)__builtin_popcount(mask.sin_addr.s_addr),
			.bridge = is_containers(fd, i->ifa_name),
		};
		snprintf(subnets[n++].name, IF_NAMESIZE, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return n;
}

static int check_subnets(const struct doctor *d, const struct subnet *subnets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			const struct subnet *a = &subnets[i], *b = &subnets[j];
			char text[256];
			int r;

			if (!(a->bridge || b->bridge) || strcmp(a->name, b->name) == 0 || !subnets_overlap(a, b))
				continue;
			snprintf(text, sizeof(text), "the networks of '%.15s' and '%.15s' overlap: packets for one go to the other", a->name, b->name);
			r = doctor_say(d, "error", "networks", text,
				       "give one of them another range: LXC_ADDR in /etc/default/lxc-net, 'virsh net-edit', or \"bip\" in /etc/docker/daemon.json");
			if (r != 0)
				return r;
		}
	return 0;
}

/* ---- zones ------------------------------------------------------------------------------------------ */

static bool has_address(const struct subnet *subnets, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(subnets[i].name, name) == 0)
			return true;
	return false;
}

/* systemd-nspawn makes the bridge of a zone; its address, and those of the machines, are systemd-networkd's to give. */
static int check_zones(const struct doctor *d, const struct subnet *subnets, size_t n)
{
	struct if_nameindex *all = if_nameindex();
	int r = 0;

	for (struct if_nameindex *i = all; i && i->if_index && r == 0; i++) {
		char text[256];

		if (strncmp(i->if_name, "vz-", 3) != 0 || has_address(subnets, n, i->if_name))
			continue;
		snprintf(text, sizeof(text), "the zone '%.15s' of systemd-nspawn has no address: its machines get none either", i->if_name + 3);
		r = doctor_say(d, "warning", "zones", text, "systemctl enable --now systemd-networkd, which has a network file for zones");
	}
	if_freenameindex(all);
	return r;
}

int doctor_check_network(const struct doctor *d)
{
	struct networks networks = { .n = 0 };
	struct subnet subnets[SUBNETS_MAX];
	size_t n = read_subnets(subnets);
	int r = check_subnets(d, subnets, n);

	if (r == 0)
		r = check_zones(d, subnets, n);
	if (r == 0)
		r = networks_read(d, &networks);
	if (r == 0)
		r = doctor_check_networks(d, &networks, subnets, n);
	networks_deinit(&networks);
	return r != 0 ? r : doctor_check_forwarding(d, subnets, n);
}
