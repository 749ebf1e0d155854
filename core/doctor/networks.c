/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that LXC, Docker, Podman and systemd-nspawn make when they start: a clash is told before it bites. */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"

#define NETWORKS_MAX	512

void networks_deinit(struct networks *networks)
{
	free(networks->item);
	*networks = (struct networks){ .n = 0 };
}

struct network *networks_add(struct networks *networks, const char *file, const char *change, const char *owner, ...)
{
	struct network *network;
	va_list args;

	if (networks->n == NETWORKS_MAX)
		return NULL;
	if (!networks->item && !(networks->item = calloc(NETWORKS_MAX, sizeof(*networks->item))))
		return NULL;
	network = &networks->item[networks->n++];
	snprintf(network->file, sizeof(network->file), "/%s", file);
	snprintf(network->change, sizeof(network->change), "%s", change);
	va_start(args, owner);
	vsnprintf(network->owner, sizeof(network->owner), owner, args);
	va_end(args);
	return network;
}

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_STRING ? member->text : NULL;
}

static const struct json *list_of(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_ARRAY ? member->first : NULL;
}

/* ---- LXC ------------------------------------------------------------------------------------ */

/* What the script lxc-net does without the file is what it says here. */
static int read_lxc(const struct doctor *d, struct networks *ret)
{
	static const char *const path = "etc/default/lxc-net";
	_cleanup_free_ char *text = doctor_read(d, path);
	char *rest = text, *line, *value, bridge[IF_NAMESIZE] = "lxcbr0", address[48] = "10.0.3.1", mask[48] = "255.255.255.0", whole[64];
	bool wanted = true;
	struct network *network;
	struct in_addr bits;

	while (text && (line = doctor_next_line(&rest))) {
		if ((value = doctor_value(line, "USE_LXC_BRIDGE")))
			wanted = strcmp(value, "true") == 0;
		else if ((value = doctor_value(line, "LXC_BRIDGE")))
			snprintf(bridge, sizeof(bridge), "%.15s", value);
		else if ((value = doctor_value(line, "LXC_ADDR")))
			snprintf(address, sizeof(address), "%.40s", value);
		else if ((value = doctor_value(line, "LXC_NETMASK")))
			snprintf(mask, sizeof(mask), "%.40s", value);
	}
	if (!text || !wanted || inet_pton(AF_INET, mask, &bits) != 1)
		return 0;
	network = networks_add(ret, path, "LXC_ADDR, LXC_NETWORK and LXC_BRIDGE in /etc/default/lxc-net", "the bridge of LXC");
	if (!network)
		return -ENOMEM;
	snprintf(whole, sizeof(whole), "%.40s/%d", address, __builtin_popcount(bits.s_addr));
	subnet_parse(whole, &network->subnet);
	snprintf(network->subnet.name, IF_NAMESIZE, "%s", bridge);
	return 0;
}

/* ---- Docker ----------------------------------------------------------------------------------- */

static int read_docker(const struct doctor *d, struct networks *ret)
{
	static const char *const path = "etc/docker/daemon.json";
	_cleanup_(json_freep) struct json *top = docker_configuration(d);
	const char *bip = text_of(top, "bip"), *bridge = text_of(top, "bridge");
	struct subnet subnet = { .prefix = 0 };
	struct network *network;

	if (bip && subnet_parse(bip, &subnet)) {
		network = networks_add(ret, path, "\"bip\" in /etc/docker/daemon.json", "the bridge of Docker");
		if (!network)
			return -ENOMEM;
		network->subnet = subnet;
		snprintf(network->subnet.name, IF_NAMESIZE, "%.15s", bridge ? bridge : "docker0");
	}
	for (const struct json *pool = list_of(top, "default-address-pools"); pool; pool = pool->next) {
		const char *base = text_of(pool, "base");

		if (!base || !subnet_parse(base, &subnet))
			continue;
		network = networks_add(ret, path, "\"default-address-pools\" in /etc/docker/daemon.json", "a pool of Docker");
		if (!network)
			return -ENOMEM;
		network->subnet = subnet;
		network->pool = true;
	}
	return 0;
}

/* ---- Podman ------------------------------------------------------------------------------------- */

static int add_podman(struct networks *networks, const char *path, const char *name, const char *bridge, const char *range)
{
	struct subnet subnet = { .prefix = 0 };
	struct network *network;
	char change[160];

	if (!range || !subnet_parse(range, &subnet))
		return 0;
	snprintf(change, sizeof(change), "'podman network rm %.40s' and 'podman network create --subnet RANGE %.40s'", name, name);
	network = networks_add(networks, path, change, "the network '%.60s' of Podman", name);
	if (!network)
		return -ENOMEM;
	network->subnet = subnet;
	snprintf(network->subnet.name, IF_NAMESIZE, "%.15s", bridge ? bridge : "");
	return 0;
}

/* netavark: one file a network. */
static int read_netavark(const char *path, char *text, void *data)
{
	_cleanup_(json_freep) struct json *top = NULL;
	const char *name;
	int r = 0;

	if (json_parse(text, strlen(text), &top, NULL) < 0 || !(name = text_of(top, "name")))
		return 0;
	for (const struct json *subnet = list_of(top, "subnets"); subnet && r == 0; subnet = subnet->next)
		r = add_podman(data, path, name, text_of(top, "network_interface"), text_of(subnet, "subnet"));
	return r;
}

/* CNI: of the plugins those that make a bridge; ranges are lists of lists. */
static int read_cni(const char *path, char *text, void *data)
{
	_cleanup_(json_freep) struct json *top = NULL;
	const char *name;
	int r = 0;

	if (json_parse(text, strlen(text), &top, NULL) < 0 || !(name = text_of(top, "name")))
		return 0;
	for (const struct json *plugin = list_of(top, "plugins"); plugin && r == 0; plugin = plugin->next) {
		const struct json *ipam = plugin->type == JSON_OBJECT ? json_member(plugin, "ipam") : NULL;

		if (!text_of(plugin, "bridge"))
			continue;
		for (const struct json *set = list_of(ipam, "ranges"); set && r == 0; set = set->next)
			for (const struct json *range = set->type == JSON_ARRAY ? set->first : NULL; range && r == 0; range = range->next)
				r = add_podman(data, path, name, text_of(plugin, "bridge"), text_of(range, "subnet"));
	}
	return r;
}

static int read_podman(const struct doctor *d, struct networks *ret)
{
	int r = doctor_read_all(d, "etc/containers/networks", ".json", read_netavark, ret);

	return r == 0 ? doctor_read_all(d, "etc/cni/net.d", ".conflist", read_cni, ret) : r;
}

/* ---- systemd-nspawn ------------------------------------------------------------------------------ */

/* A zone is a bridge that all machines of its name share; its addresses are chosen when it is made, from what is free then. */
static int read_zone(const char *path, char *text, void *data)
{
	struct network *network;
	char *line, *zone;

	while ((line = doctor_next_line(&text))) {
		if (!(zone = doctor_value(line, "Zone")) || !*zone || strlen(zone) + strlen("vz-") >= IF_NAMESIZE)
			continue;
		network = networks_add(data, path, "Zone= in that file", "the zone '%.60s' of systemd-nspawn", zone);
		if (!network)
			return -ENOMEM;
		snprintf(network->subnet.name, IF_NAMESIZE, "vz-%.12s", zone);
	}
	return 0;
}

static int read_nspawn(const struct doctor *d, struct networks *ret)
{
	int r = doctor_read_all(d, "etc/systemd/nspawn", ".nspawn", read_zone, ret);

	return r == 0 ? doctor_read_all(d, "run/systemd/nspawn", ".nspawn", read_zone, ret) : r;
}

int networks_read(const struct doctor *d, struct networks *ret)
{
	static int (*const readers[])(const struct doctor *d, struct networks *ret) = {
		read_lxc, networks_read_libvirt, read_docker, read_podman, read_nspawn,
	};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		int r = readers[i](d, ret);

		if (r < 0)
			return ret->n == NETWORKS_MAX ? 0 : r;
	}
	return 0;
}
