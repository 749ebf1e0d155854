/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one manager does to the networks of another. */

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

#include "core/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"

#define SUBNETS_MAX	256

/* ---- forwarding ----------------------------------------------------------------------------- */

/* Whether one of the lines is a rule of @chain for what comes in on @bridge that accepts it. */
static bool accepts(const char *rules, const char *chain, const char *bridge)
{
	char begin[64], in[32];

	snprintf(begin, sizeof(begin), "-A %s ", chain);
	snprintf(in, sizeof(in), " -i %.15s ", bridge);
	for (const char *line = rules; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char rule[512];

		snprintf(rule, sizeof(rule), "%.*s ", (int)strcspn(line, "\n"), line);
		if (strncmp(rule, begin, strlen(begin)) != 0 || !strstr(rule, " -j ACCEPT "))
			continue;
		if (strstr(rule, in) || (!strstr(rule, " -i ") && !strstr(rule, " -o ") && !strstr(rule, " -m ") && !strstr(rule, " -s ") &&
					 !strstr(rule, " -d ") && !strstr(rule, " -p ")))
			return true;
	}
	return false;
}

/* A chain of libvirt's or of a firewall's may accept it: FORWARD goes there before the policy. */
static bool accepted_anywhere(const char *rules, const char *bridge)
{
	for (const char *line = strstr(rules, "-A FORWARD "); line; line = strstr(line + 1, "-A FORWARD ")) {
		const char *target = strstr(line, " -j "), *end = line + strcspn(line, "\n");
		char chain[32];

		if (!target || target > end)
			continue;
		snprintf(chain, sizeof(chain), "%.*s", (int)strcspn(target + 4, " \n"), target + 4);
		if (accepts(rules, chain, bridge))
			return true;
	}
	return accepts(rules, "FORWARD", bridge);
}

bool forward_drops(const char *rules, const char *bridge)
{
	return strstr(rules, "-P FORWARD DROP") && !accepted_anywhere(rules, bridge);
}

/* Docker looks after its own. */
static bool is_dockers(const char *name)
{
	return strncmp(name, "docker", 6) == 0 || strncmp(name, "br-", 3) == 0;
}

/* sysfs may be that of another network namespace; a socket is of ours. */
static bool is_bridge(int socket, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&driver };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	return ioctl(socket, SIOCETHTOOL, &request) == 0 && strcmp(driver.driver, "bridge") == 0;
}

static int check_forwarding(const struct doctor *d, const struct subnet *subnets, size_t n)
{
	static const char *const argv[] = { "iptables", "-S", NULL };
	_cleanup_free_ char *rules = NULL;
	bool bridges = false;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		bridges |= subnets[i].bridge && !is_dockers(subnets[i].name);
	/* Who may not ask is told nothing. */
	if (!bridges || command_run(argv, &rules, NULL) != 0)
		return 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *name = subnets[i].name, *chain = strstr(rules, "-N DOCKER-USER\n") ? "DOCKER-USER" : "FORWARD";
		char text[256], fix[256];

		if (!subnets[i].bridge || is_dockers(name) || !forward_drops(rules, name))
			continue;
		snprintf(text, sizeof(text), "the policy of FORWARD is DROP%s: containers on '%.15s' reach nothing beyond this host",
			 strstr(rules, "-N DOCKER") ? ", which Docker sets" : "", name);
		snprintf(fix, sizeof(fix), "iptables -I %s -i %.15s -j ACCEPT && iptables -I %s -o %.15s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
			 chain, name, chain, name);
		r = doctor_say(d, "warning", "forwarding", text, fix);
	}
	return r;
}

/* ---- networks ------------------------------------------------------------------------------- */

bool subnets_overlap(const struct subnet *a, const struct subnet *b)
{
	unsigned int prefix = a->prefix < b->prefix ? a->prefix : b->prefix;

	return prefix == 0 || (a->address ^ b->address) >> (32 - prefix) == 0;
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
			.bridge = is_bridge(fd, i->ifa_name),
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

int doctor_check_network(const struct doctor *d)
{
	struct subnet subnets[SUBNETS_MAX];
	size_t n = read_subnets(subnets);
	int r = check_subnets(d, subnets, n);

	return r != 0 ? r : check_forwarding(d, subnets, n);
}
