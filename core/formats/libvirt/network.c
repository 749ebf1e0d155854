/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the network. */

#include "config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"

/* ---- reading one device ------------------------------------------------------ */

/* A device in the making: an object of /moorage/networks. */
struct device {
	xmlNode *element;
	struct buffer b;
	bool up;
};

static void add_member(struct device *device, const char *name, const char *value)
{
	buffer_addf(&device->b, "%s\"%s\":", device->b.length > 1 ? "," : "", name);
	if (json_quote(&device->b, value) < 0)
		device->b.failed = true;
}

/* Takes an attribute of a child as a member; 1, 0 when it is not there. */
static int take(struct domain_reader *in, struct device *device, const char *child, const char *attribute, const char *member)
{
	xmlNode *element = xml_child(device->element, child);
	xmlAttr *leaf = element ? xml_attribute(element, attribute) : NULL;
	const char *text;
	int r;

	if (!leaf)
		return 0;
	r = domain_text(in, leaf, &text);
	if (r < 0)
		return r;
	add_member(device, member, text);
	r = domain_carried(in, leaf, MRG_FIELD_NETWORKS);
	return r < 0 ? r : 1;
}

static bool is_mac(const char *text)
{
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return text[17] == '\0';
}

static int take_mac(struct domain_reader *in, struct device *device)
{
	xmlNode *mac = xml_child(device->element, "mac");
	xmlAttr *address = mac ? xml_attribute(mac, "address") : NULL;

	if (!address)
		return 0;
	if (!is_mac(xml_content((xmlNode *)address)))
		return domain_fail(in, address, "must be a MAC address, not '%.40s'", xml_content((xmlNode *)address));
	/* The lowest bit of the first byte is that of groups. */
	if (strchr("13579bdfBDF", xml_content((xmlNode *)address)[1]))
		return domain_fail(in, address, "must be the address of one device, not of many");
	return take(in, device, "mac", "address", "hwaddr");
}

/* The host's end. libvirt forgets names that it made itself. */
static int take_pair(struct domain_reader *in, struct device *device)
{
	xmlNode *target = xml_child(device->element, "target");
	xmlAttr *dev = target ? xml_attribute(target, "dev") : NULL;
	unsigned int number;
	char rest;

	if (dev && sscanf(xml_content((xmlNode *)dev), "vnet%9u%c", &number, &rest) == 1)
		return domain_claim(in, dev, &(struct claim){ .verdict = MRG_APPROXIMATED, .field = -1, .rest = REST_GONE,
							      .note = "a name that libvirt made, and makes anew" });
	return take(in, device, "target", "dev", "pair");
}

/* The kernel's number of bits for the classes of addresses, which libvirt takes when none is said. */
static int default_prefix(int family, const unsigned char *address)
{
	if (family == AF_INET6)
		return 64;
	return address[0] < 128 ? 8 : address[0] < 192 ? 16 : 24;
}

static int parse_address(const char *text, unsigned char ret[16])
{
	if (inet_pton(AF_INET, text, ret) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, ret) == 1 ? AF_INET6 : -1;
}

/* What was understood of an element that the writer makes anew; the rest of it means nothing. */
static int claim_known(struct domain_reader *in, const xmlNode *element, const xmlAttr *const *known)
{
	int r = domain_claim_whole(in, element, &(struct claim){ .verdict = MRG_DROPPED, .field = -1, .rest = REST_GONE,
								 .note = "libvirt knows no such attribute or element" });

	for (size_t i = 0; i < 4 && r == 0; i++)
		r = known[i] ? domain_carried(in, known[i], MRG_FIELD_NETWORKS) : 0;
	return r;
}

/* An address; with a peer it is none that a spec has. */
static int take_address(struct domain_reader *in, struct device *device, xmlNode *ip, const char **comma)
{
	xmlAttr *attribute, *prefix = xml_attribute(ip, "prefix"), *family = xml_attribute(ip, "family");
	unsigned char bytes[16] = { 0 };
	const char *address;
	uint64_t bits;
	int r = domain_attribute(in, ip, "address", &attribute, &address), kind;

	if (r < 0)
		return r;
	kind = parse_address(address, bytes);
	if (kind < 0 || (family && strcmp(xml_content((xmlNode *)family), kind == AF_INET ? "ipv4" : "ipv6") != 0))
		return domain_fail(in, attribute, "must be an address of its family, not '%.60s'", address);
	bits = (uint64_t)default_prefix(kind, bytes);
	if (prefix) {
		r = domain_number(in, prefix, 0, kind == AF_INET ? 32 : 128, &bits);
		/* 0 is what libvirt has when nothing is said. */
		if (r == 0 && bits == 0)
			bits = (uint64_t)default_prefix(kind, bytes);
	}
	if (r < 0)
		return r;
	device->up = true;
	if (xml_attribute(ip, "peer"))
		return domain_keep_whole(in, ip, MRG_DROPPED, "a spec has no addresses with a peer; kept verbatim");
	buffer_addf(&device->b, "%s\"%s/%" PRIu64 "\"", *comma, address, bits);
	*comma = ",";
	return claim_known(in, ip, (const xmlAttr *const[]){ attribute, prefix, family, NULL });
}

static int take_addresses(struct domain_reader *in, struct device *device)
{
	size_t before = device->b.length;
	const char *comma = "";
	int r = 0;

	buffer_addf(&device->b, ",\"addresses\":[");
	for (xmlNode *ip = xml_child(device->element, "ip"); ip && r == 0; ip = xml_next(ip, "ip"))
		r = take_address(in, device, ip, &comma);
	buffer_addf(&device->b, "]");
	if (!*comma && device->b.text) {
		device->b.length = before;
		device->b.text[before] = '\0';
	}
	return r;
}

/* The first default route of each family; others are kept. */
static int take_route(struct domain_reader *in, struct device *device, xmlNode *route, bool seen[2])
{
	xmlAttr *address, *gateway, *prefix = xml_attribute(route, "prefix"), *family = xml_attribute(route, "family");
	unsigned char to[16] = { 0 }, zero[16] = { 0 }, via[16];
	const char *to_text, *via_text;
	int r = domain_attribute(in, route, "address", &address, &to_text), kind;

	if (r == 0)
		r = domain_attribute(in, route, "gateway", &gateway, &via_text);
	if (r < 0)
		return r;
	kind = parse_address(to_text, to);
	if (kind < 0 || parse_address(via_text, via) != kind || (family && strcmp(xml_content((xmlNode *)family), kind == AF_INET ? "ipv4" : "ipv6") != 0))
		return domain_fail(in, route, "must have addresses of its family, not '%.60s'", kind < 0 ? to_text : via_text);
	if (memcmp(to, zero, sizeof(to)) != 0 || (prefix && strcmp(xml_content((xmlNode *)prefix), "0") != 0) || xml_attribute(route, "netmask") ||
	    xml_attribute(route, "metric") || seen[kind == AF_INET6])
		return domain_keep_whole(in, route, MRG_DROPPED, "a spec has one default route and no others; kept verbatim");
	seen[kind == AF_INET6] = true;
	add_member(device, kind == AF_INET ? "gateway4" : "gateway6", via_text);
	return claim_known(in, route, (const xmlAttr *const[]){ address, gateway, prefix, family });
}

static int take_state(struct domain_reader *in, struct device *device)
{
	static const char *const states[] = { "up", "down", NULL };
	xmlNode *link = xml_child(device->element, "link");
	xmlAttr *state = link ? xml_attribute(link, "state") : NULL;
	int r = state ? domain_word(in, state, states) : 1;

	if (r < 0)
		return r;
	device->up |= r == 0;
	if (device->up)
		buffer_addf(&device->b, ",\"up\":true");
	return r > 0 && device->up ? domain_claim(in, state, &(struct claim){ .verdict = MRG_APPROXIMATED, .field = MRG_FIELD_NETWORKS,
									      .note = "libvirt raises a device that has addresses" })
				   : domain_carried(in, state, MRG_FIELD_NETWORKS);
}

/* Devices without a name get the next of eth0, eth1 ... */
static int take_name(struct domain_reader *in, struct device *device)
{
	char name[32];
	int r = take(in, device, "guest", "dev", "name");

	if (r != 0)
		return r;
	snprintf(name, sizeof(name), "eth%zu", in->n_unnamed);
	add_member(device, "name", name);
	in->n_unnamed++;
	return 0;
}

static int finish_device(struct domain_reader *in, struct device *device)
{
	buffer_addf(&device->b, "}");
	if (device->b.failed)
		return domain_no_memory(in);
	buffer_addf(&in->networks, "%s%s", in->networks.length ? "," : "", device->b.text);
	in->have_network = true;
	return 0;
}

/* ---- interfaces -------------------------------------------------------------- */

static const struct kind {
	const char *name, *type;	/* of libvirt, of a spec */
	const char *source, *member;	/* the attribute of <source> and what it becomes */
} kinds[] = {
	{ "bridge", "veth", "bridge", "link" },
	{ "network", "veth", "network", "zone" },
	{ "ethernet", "veth", NULL, NULL },
	{ "direct", "macvlan", "dev", "link" },
};

/* As libvirt calls them and as a spec does. */
static const char *const modes[] = { "vepa", "private", "bridge", "passthrough", NULL };
static const char *const spec_modes[] = { "vepa", "private", "bridge", "passthru", NULL };

static int take_kind(struct domain_reader *in, struct device *device, const struct kind *kind)
{
	xmlNode *source = xml_child(device->element, "source");
	xmlAttr *mode = source ? xml_attribute(source, "mode") : NULL;
	int r;

	add_member(device, "type", kind->type);
	if (!kind->source)
		return take_pair(in, device);
	r = take(in, device, "source", kind->source, kind->member);
	if (r == 0)
		return domain_fail(in, device->element, "has no 'source' with an attribute '%s'", kind->source);
	if (r < 0)
		return r;
	if (strcmp(kind->type, "macvlan") != 0)
		return take_pair(in, device);
	r = mode ? domain_word(in, mode, modes) : 0;
	if (r < 0)
		return r;
	add_member(device, "mode", spec_modes[r]);
	return domain_carried(in, mode, MRG_FIELD_NETWORKS);
}

static int read_device(struct domain_reader *in, struct device *device, const struct kind *kind)
{
	static int (*const steps[])(struct domain_reader *in, struct device *device) = { take_name, take_mac, take_addresses };
	bool seen[2] = { false, false };
	int r = take_kind(in, device, kind);

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r >= 0; i++)
		r = steps[i](in, device);
	for (xmlNode *route = xml_child(device->element, "route"); route && r >= 0; route = xml_next(route, "route"))
		r = take_route(in, device, route, seen);
	if (r >= 0)
		r = take_state(in, device);
	return r < 0 ? r : finish_device(in, device);
}

ROW_READER(domain_read_interface)
{
	xmlAttr *type = xml_attribute(element, "type");
	struct device device = { .element = element };
	const struct kind *kind = NULL;
	int r;

	(void)row;
	in->have_network = true;
	for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(xml_content((xmlNode *)type), kinds[i].name) == 0)
			kind = &kinds[i];
	if (!kind)
		return domain_keep_whole(in, element, MRG_DROPPED, "the LXC driver knows no interface of this type; kept verbatim");
	buffer_addf(&device.b, "{");
	r = read_device(in, &device, kind);
	buffer_deinit(&device.b);
	return r < 0 ? r : domain_carried(in, type, MRG_FIELD_NETWORKS);
}

int domain_read_net_hostdev(struct domain_reader *in, xmlNode *element)
{
	xmlNode *source = xml_child(element, "source"), *interface = source ? xml_child(source, "interface") : NULL;
	struct device device = { .element = element };
	const char *name;
	int r;

	if (!interface)
		return domain_fail(in, element, "has no element 'source/interface'");
	r = domain_text(in, interface, &name);
	if (r < 0)
		return r;
	buffer_addf(&device.b, "{");
	add_member(&device, "type", "phys");
	add_member(&device, "link", name);
	r = finish_device(in, &device);
	buffer_deinit(&device.b);
	return r < 0 ? r : domain_carried(in, interface, MRG_FIELD_NETWORKS);
}

ROW_READER(domain_read_privnet)
{
	if (!xml_is_leaf(element))
		return domain_fail(in, element, "must be empty");
	in->have_network = true;
	return domain_carried(in, element, row->field);
}

int domain_finish_networks(struct domain_reader *in)
{
	_cleanup_free_ char *text = NULL;

	if (in->networks.length == 0)
		return 0;
	if (in->networks.failed || asprintf(&text, "[%s]", in->networks.text) < 0)
		return domain_no_memory(in);
	return domain_set(in, in->domain, MRG_FIELD_NETWORKS, text);
}

/* ---- writing ---------------------------------------------------------------- */

static const char *member(const struct json *device, const char *name)
{
	const struct json *value = json_member(device, name);

	return value && value->type == JSON_STRING && *value->text && xml_can_hold(value->text) ? value->text : NULL;
}

static void put_child(struct domain_writer *out, xmlNode *parent, const char *child, const char *attribute, const char *value)
{
	xmlNode *element = xml_child(parent, child);

	if (value)
		domain_put(out, element ? element : domain_add(out, parent, child, NULL), attribute, value);
}

static bool write_address(struct domain_writer *out, xmlNode *interface, const char *text)
{
	_cleanup_free_ char *address = strndup(text, strcspn(text, "/"));
	unsigned char bytes[16];
	uint32_t bits;
	xmlNode *ip;
	int kind;

	if (!address) {
		out->failed = true;
		return true;
	}
	kind = parse_address(address, bytes);
	if (kind < 0 || !text[strlen(address)] || parse_uint32(text + strlen(address) + 1, &bits) < 0 || bits == 0 ||
	    bits > (kind == AF_INET ? 32 : 128))
		return false;
	ip = domain_add(out, interface, "ip", NULL);
	domain_put(out, ip, "address", address);
	domain_put(out, ip, "family", kind == AF_INET ? "ipv4" : "ipv6");
	domain_putf(out, ip, "prefix", "%" PRIu32, bits);
	return true;
}

static bool write_gateway(struct domain_writer *out, xmlNode *interface, int family, const char *gateway)
{
	unsigned char bytes[16];
	xmlNode *route;

	if (parse_address(gateway, bytes) != family)
		return false;
	route = domain_add(out, interface, "route", NULL);
	domain_put(out, route, "family", family == AF_INET ? "ipv4" : "ipv6");
	domain_put(out, route, "address", family == AF_INET ? "0.0.0.0" : "::");
	if (family == AF_INET6)
		domain_put(out, route, "prefix", "0");
	domain_put(out, route, "gateway", gateway);
	return true;
}

/* What an <interface> has of a device: the member, and a verdict on what it cannot say. */
static void write_members(struct domain_writer *out, struct loss *loss, xmlNode *interface, const struct json *device)
{
	bool raised = false, up = false;

	for (const struct json *value = device->first; value; value = value->next) {
		const char *key = value->key, *text = member(device, key);

		if (strcmp(key, "type") == 0 || strcmp(key, "link") == 0 || strcmp(key, "zone") == 0 || strcmp(key, "mode") == 0)
			continue;
		if (strcmp(key, "name") == 0 && text)
			put_child(out, interface, "guest", "dev", text);
		else if (strcmp(key, "pair") == 0 && text)
			put_child(out, interface, "target", "dev", text);
		else if (strcmp(key, "hwaddr") == 0 && text && is_mac(text))
			put_child(out, interface, "mac", "address", text);
		else if (strcmp(key, "up") == 0 && value->type == JSON_BOOLEAN)
			up = value->boolean;
		else if (strcmp(key, "addresses") == 0 && value->type == JSON_ARRAY)
			for (const struct json *address = value->first; address; address = address->next)
				if (address->type == JSON_STRING && write_address(out, interface, address->text))
					raised = true;
				else
					loss_add(loss, MRG_DROPPED, "libvirt cannot say an address of a network");
		else if ((strcmp(key, "gateway4") == 0 && text && write_gateway(out, interface, AF_INET, text)) ||
			 (strcmp(key, "gateway6") == 0 && text && write_gateway(out, interface, AF_INET6, text)))
			continue;
		else
			loss_add(loss, MRG_DROPPED, "libvirt cannot say '%.40s' of a network", key);
	}
	if (up)
		put_child(out, interface, "link", "state", "up");
	else if (raised)
		loss_add(loss, MRG_APPROXIMATED, "libvirt raises a device that has addresses");
}

static const struct kind *kind_of(const struct json *device)
{
	const char *type = member(device, "type");
	bool link = member(device, "link"), zone = member(device, "zone");

	if (type && strcmp(type, "veth") == 0)
		return link && zone ? NULL : &kinds[link ? 0 : zone ? 1 : 2];
	return type && strcmp(type, "macvlan") == 0 && link ? &kinds[3] : NULL;
}

static void write_interface(struct domain_writer *out, struct loss *loss, const struct json *device, const struct kind *kind)
{
	xmlNode *interface = domain_add(out, domain_at(out, "/domain/devices"), "interface", NULL);
	const char *mode = member(device, "mode");
	size_t which = 0;

	if (!interface)
		return;
	domain_put(out, interface, "type", kind->name);
	if (kind->source)
		put_child(out, interface, "source", kind->source, member(device, kind->member));
	if (strcmp(kind->type, "macvlan") == 0) {
		while (spec_modes[which] && (!mode || strcmp(spec_modes[which], mode) != 0))
			which++;
		if (!spec_modes[which])
			loss_add(loss, mode ? MRG_DROPPED : MRG_APPROXIMATED, "the mode of a macvlan becomes vepa");
		put_child(out, interface, "source", "mode", modes[spec_modes[which] ? which : 0]);
	} else if (mode && strcmp(mode, "bridge") != 0) {
		loss_add(loss, MRG_DROPPED, "libvirt has no veth in the mode '%.20s'", mode);
	}
	write_members(out, loss, interface, device);
	out->n_networks++;
}

static void write_phys(struct domain_writer *out, struct loss *loss, const struct json *device)
{
	xmlNode *hostdev = domain_add(out, domain_at(out, "/domain/devices"), "hostdev", NULL);

	domain_put(out, hostdev, "mode", "capabilities");
	domain_put(out, hostdev, "type", "net");
	domain_add(out, domain_add(out, hostdev, "source", NULL), "interface", member(device, "link"));
	for (const struct json *value = device->first; value; value = value->next)
		if (strcmp(value->key, "type") != 0 && strcmp(value->key, "link") != 0)
			loss_add(loss, MRG_DROPPED, "libvirt cannot say '%.40s' of a device that it moves", value->key);
	out->n_networks++;
}

static void write_device(struct domain_writer *out, struct loss *loss, const struct json *device)
{
	const struct kind *kind = device->type == JSON_OBJECT ? kind_of(device) : NULL;
	const char *type = device->type == JSON_OBJECT ? member(device, "type") : NULL;

	if (kind)
		write_interface(out, loss, device, kind);
	else if (type && strcmp(type, "phys") == 0 && member(device, "link"))
		write_phys(out, loss, device);
	else if (!type || strcmp(type, "empty") != 0)
		loss_add(loss, MRG_DROPPED, "libvirt has no network of the type '%.20s'", type ? type : "?");
}

static bool joins_network(const struct domain_writer *out)
{
	return out->spec->ns_network && *out->spec->ns_network;
}

/* The list, and what makes a namespace of its own where there is none. */
ROW_WRITER(domain_write_networks)
{
	_cleanup_(json_freep) struct json *list = NULL;
	const char *json = out->spec->networks_json;
	struct loss loss = { 0 };
	bool own = out->spec->ns_network || json;

	(void)row;
	if (json && joins_network(out))
		loss_add(&loss, MRG_DROPPED, "libvirt puts no devices into a namespace that is joined");
	else if (json && json_parse(json, strlen(json), &list, NULL) == 0)
		for (const struct json *device = list->first; device; device = device->next)
			write_device(out, &loss, device);
	domain_report(out, MRG_FIELD_NETWORKS, loss.verdict, "devices/interface", loss.note);
	if (own && !joins_network(out) && out->n_networks == 0)
		domain_at(out, "/domain/features/privnet");
	if (own && !joins_network(out))
		domain_report(out, MRG_FIELD_NS_NETWORK, MRG_CARRIED, out->n_networks ? "devices/interface" : "features/privnet", NULL);
	else if (domain_has(out, MRG_FIELD_NS_NETWORK) && !out->spec->ns_network)
		domain_report(out, MRG_FIELD_NS_NETWORK, MRG_CARRIED, "the driver itself", NULL);
}
