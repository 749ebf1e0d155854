/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the network of a container of systemd-nspawn, and NETWORKS and PUBLISH of moorage-spec(5). */

#include "config.h"

#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* systemd's rule for names of network devices; those that would need quotes are left out. */
static bool is_device(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "all") == 0 ||
	    strcmp(name, "default") == 0 || name[strspn(name, "0123456789")] == '\0')
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr(":/%\"'\\", *c))
			return false;
	return true;
}

static int bad_device(struct key_reader *in, const char *name)
{
	return key_fail(in, "must be the name of a network device, not '%.40s'", name);
}

bool nspawn_is_private(const struct nspawn_network *network)
{
	return network->private > 0 || network->veth > 0 || network->bridge || network->zone || network->extra ||
	       network->interfaces || network->macvlan || network->ipvlan;
}

/* ---- reading ------------------------------------------------------------------ */

KEY_READER(nspawn_read_private)
{
	struct nspawn_network *network = &nspawn_of(in)->network;
	int *target = strcmp(key->name, "Private") == 0 ? &network->private : &network->veth;
	bool yes = false;

	if (*value && parse_bool(value, &yes) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	*target = *value ? yes : -1;
	return MRG_CARRIED;
}

KEY_READER(nspawn_read_names)
{
	struct nspawn_network *network = &nspawn_of(in)->network;
	char ***names = strcmp(key->name, "Interface") == 0 ? &network->interfaces :
			strcmp(key->name, "MACVLAN") == 0 ? &network->macvlan : &network->ipvlan;
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	if (!*value)
		*names = NULL;
	r = nspawn_words(in, value, &words);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		if (!is_device(words[i]))
			r = bad_device(in, words[i]);
		else if (spec_strv_append(in->spec, names, words[i]) < 0)
			r = key_no_memory(in);
	return r < 0 ? r : MRG_CARRIED;
}

/* A zone is a bridge called "vz-ZONE". */
KEY_READER(nspawn_read_bridge)
{
	struct nspawn_network *network = &nspawn_of(in)->network;
	bool zone = strcmp(key->name, "Zone") == 0;
	const char **target = zone ? &network->zone : &network->bridge;

	if (*value && (!is_device(value) || (zone && strlen(value) + 3 >= IFNAMSIZ)))
		return bad_device(in, value);
	*target = *value ? mrg_spec_strdup(in->spec, value) : NULL;
	if (*value && !*target)
		return key_no_memory(in);
	if (network->bridge && network->zone)
		return key_fail(in, "a container is in a zone or on a bridge, not both");
	return MRG_CARRIED;
}

KEY_READER(nspawn_read_extra)
{
	struct nspawn_network *network = &nspawn_of(in)->network;
	_cleanup_(strv_freep) char **parts = NULL;
	int r = nspawn_parts(in, value, 3, &parts);

	(void)key;
	if (r < 0)
		return r;
	if (strv_length(parts) > 2)
		return key_fail(in, "must be HOST[:CONTAINER]");
	for (size_t i = 0; parts[i]; i++)
		if (!is_device(parts[i]))
			return bad_device(in, parts[i]);
	if (spec_strv_append(in->spec, &network->extra, parts[0]) < 0 ||
	    spec_strv_append(in->spec, &network->extra, parts[1] ? parts[1] : parts[0]) < 0)
		return key_no_memory(in);
	return MRG_CARRIED;
}

static bool read_port(const char *text, size_t length, uint32_t *ret)
{
	char number[8];

	if (length == 0 || length >= sizeof(number))
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	return parse_uint32(number, ret) == 0 && *ret > 0 && *ret <= UINT16_MAX;
}

/* "[tcp:|udp:]HOST[:CONTAINER]" */
KEY_READER(nspawn_read_port)
{
	struct nspawn_reader *reader = nspawn_of(in);
	bool udp = strncmp(value, "udp:", 4) == 0, tcp = strncmp(value, "tcp:", 4) == 0;
	const char *host = value + (udp || tcp ? 4 : 0), *colon = strchr(host, ':');
	uint32_t host_port, container_port;
	struct buffer b = { 0 };
	int r;

	(void)key;
	if (!read_port(host, strcspn(host, ":"), &host_port) ||
	    !read_port(colon ? colon + 1 : host, strlen(colon ? colon + 1 : host), &container_port))
		return key_fail(in, "must be [tcp:|udp:]HOST[:CONTAINER], not '%.40s'", value);
	buffer_addf(&b, "{\"protocol\":\"%s\",\"hostPort\":%" PRIu32 ",\"containerPort\":%" PRIu32 "}", udp ? "udp" : "tcp",
		    host_port, container_port);
	r = b.failed || spec_strv_append(in->spec, &reader->ports, b.text) < 0 ? key_no_memory(in) : MRG_CARRIED;
	buffer_deinit(&b);
	return r;
}

KEY_READER(nspawn_read_netns)
{
	if (!path_is_clean(value))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

/* Starts the next device of the list. */
static void begin(struct buffer *b, const char *type)
{
	buffer_addf(b, "%s{\"type\":\"%s\"", b->length > 0 ? "," : "[", type);
}

/* Names of devices need no escapes but for these. */
static void add_text(struct buffer *b, const char *member, const char *text)
{
	buffer_addf(b, ",\"%s\":", member);
	if (json_quote(b, text) < 0)
		b->failed = true;
}

/* Devices over another one: called after it, where the name is not too long. */
static void add_over(struct buffer *b, char *const *names, const char *type, const char *prefix, const char *mode)
{
	for (; names && *names; names++) {
		char name[2 * IFNAMSIZ];

		snprintf(name, sizeof(name), "%s%s", prefix, *names);
		begin(b, type);
		add_text(b, "link", *names);
		if (strlen(name) < IFNAMSIZ)
			add_text(b, "name", name);
		add_text(b, "mode", mode);
		buffer_addf(b, "}");
	}
}

static void add_devices(struct buffer *b, const struct nspawn_network *network)
{
	if (network->veth > 0 || network->bridge || network->zone) {
		begin(b, "veth");
		if (network->bridge)
			add_text(b, "link", network->bridge);
		if (network->zone)
			add_text(b, "zone", network->zone);
		buffer_addf(b, ",\"name\":\"host0\"}");
	}
	for (char **pair = network->extra; pair && *pair; pair += 2) {
		begin(b, "veth");
		add_text(b, "name", pair[1]);
		add_text(b, "pair", pair[0]);
		buffer_addf(b, "}");
	}
	for (char **name = network->interfaces; name && *name; name++) {
		begin(b, "phys");
		add_text(b, "link", *name);
		add_text(b, "name", *name);
		buffer_addf(b, "}");
	}
	add_over(b, network->macvlan, "macvlan", "mv-", "bridge");
	add_over(b, network->ipvlan, "ipvlan", "iv-", "l2");
}

static int finish_ports(struct key_reader *in)
{
	char **ports = nspawn_of(in)->ports;
	struct buffer b = { 0 };
	int r;

	if (!ports)
		return 0;
	for (size_t i = 0; ports[i]; i++)
		buffer_addf(&b, "%s%s", i ? "," : "[", ports[i]);
	buffer_addf(&b, "]");
	r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_PUBLISH, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

int nspawn_finish_network(struct key_reader *in)
{
	const struct nspawn_network *network = &nspawn_of(in)->network;
	bool joined = in->spec->ns_network != NULL, private = nspawn_is_private(network);
	struct buffer b = { 0 };
	int r = 0;

	add_devices(&b, network);
	if (b.length > 0)
		buffer_addf(&b, "]");
	if (b.failed)
		r = key_no_memory(in);
	else if (joined && b.length > 0)
		r = key_fail_of(in, "--network-namespace-path", "excludes devices of its own");
	else if (nspawn_of(in)->ports && !private)
		r = key_fail_of(in, "Port", "needs a network of the container's own: set Private=yes or VirtualEthernet=yes");
	if (r == 0 && private && !joined)
		r = mrg_spec_set(in->spec, MRG_FIELD_NS_NETWORK, "private", in->err);
	if (r == 0 && b.length > 0)
		r = mrg_spec_set(in->spec, MRG_FIELD_NETWORKS, b.text, in->err);
	buffer_deinit(&b);
	return r < 0 ? r : finish_ports(in);
}

/* ---- writing ------------------------------------------------------------------ */

static const char *text_member(const struct json *device, const char *name)
{
	const struct json *member = json_member(device, name);

	return member && member->type == JSON_STRING ? member->text : NULL;
}

/* What became of one device: what is beyond type, link and name is nspawn's own or left to the container. */
struct verdict {
	int verdict;
	const char *note;
};

static void lower(struct verdict *v, int verdict, const char *note)
{
	if (verdict > v->verdict) {
		v->verdict = verdict;
		v->note = note;
	}
}

static void write_veth(struct key_writer *out, const struct json *device, bool *main, struct verdict *v)
{
	const char *link = text_member(device, "link"), *zone = text_member(device, "zone");
	const char *name = text_member(device, "name"), *pair = text_member(device, "pair");

	if (pair && !link && !zone) {
		if (!is_device(pair) || (name && !is_device(name))) {
			lower(v, MRG_DROPPED, "a device has a name that no device can have");
			return;
		}
		buffer_addf(&out->b, "VirtualEthernetExtra=%s:%s\n", pair, name ? name : pair);
		return;
	}
	if (*main || (link && (zone || !is_device(link))) || (zone && (!is_device(zone) || strlen(zone) + 3 >= IFNAMSIZ))) {
		lower(v, MRG_DROPPED, "only one veth can be on a bridge or in a zone, and without a name on the host");
		return;
	}
	*main = true;
	buffer_addf(&out->b, "%s=%s\n", link ? "Bridge" : zone ? "Zone" : "VirtualEthernet", link ? link : zone ? zone : "yes");
	if (name && strcmp(name, "host0") != 0)
		lower(v, MRG_APPROXIMATED, "the device is called host0 in the container");
	if (pair)
		lower(v, MRG_APPROXIMATED, "the device has a name of nspawn's choice on the host");
}

static const struct over {
	const char *type, *key, *prefix, *mode;
} overs[] = {
	{ "phys", "Interface", "", NULL },
	{ "macvlan", "MACVLAN", "mv-", "bridge" },
	{ "ipvlan", "IPVLAN", "iv-", "l2" },
};

static void write_over(struct key_writer *out, const struct json *device, const struct over *over, struct verdict *v)
{
	const char *link = text_member(device, "link"), *name = text_member(device, "name"), *mode = text_member(device, "mode");
	size_t length = strlen(over->prefix);

	if (!link || !is_device(link)) {
		lower(v, MRG_DROPPED, "a device is not named");
		return;
	}
	buffer_addf(&out->b, "%s=", over->key);
	nspawn_quote(&out->b, link);
	buffer_addf(&out->b, "\n");
	if (name && (strncmp(name, over->prefix, length) != 0 || strcmp(name + length, link) != 0))
		lower(v, MRG_APPROXIMATED, "devices have names of nspawn's choice in the container");
	if (mode && over->mode && strcmp(mode, over->mode) != 0)
		lower(v, MRG_APPROXIMATED, "macvlan is in mode bridge and ipvlan in mode l2");
}

static void write_device(struct key_writer *out, const struct json *device, bool *main, struct verdict *v)
{
	static const char *const said[] = { "type", "link", "zone", "name", "pair", "mode", NULL };
	const char *type = text_member(device, "type");
	const struct over *over = NULL;

	for (size_t i = 0; type && i < ARRAY_SIZE(overs); i++)
		if (strcmp(overs[i].type, type) == 0)
			over = &overs[i];
	if (over)
		write_over(out, device, over, v);
	else if (type && strcmp(type, "veth") == 0)
		write_veth(out, device, main, v);
	else if (!type || strcmp(type, "empty") != 0)
		lower(v, MRG_DROPPED, "nspawn makes no device of the type");
	for (const struct json *member = device->first; member; member = member->next)
		if (!strv_contains((char *const *)said, member->key))
			lower(v, MRG_APPROXIMATED, "addresses, routes and the like are set up in the container, and by networkd of the host");
}

static void write_list(struct key_writer *out)
{
	_cleanup_(json_freep) struct json *list = NULL;
	struct verdict v = { MRG_CARRIED, NULL };
	struct mrg_error err = { 0 };
	bool main = false;

	if (!nspawn_wants_private(out->spec) || json_parse(out->spec->networks_json, strlen(out->spec->networks_json), &list, &err) < 0)
		return;
	for (const struct json *device = list->first; device; device = device->next) {
		if (device->type == JSON_OBJECT)
			write_device(out, device, &main, &v);
		else
			lower(&v, MRG_DROPPED, "a network is no object");
	}
	key_report(out, MRG_FIELD_NETWORKS, v.verdict, "VirtualEthernet", v.note);
}

static bool port_of(const struct json *port, const char *name, uint64_t *ret)
{
	const struct json *member = json_member(port, name);
	bool negative;

	return member && member->type == JSON_NUMBER && json_integer(member, &negative, ret) == 0 && !negative && *ret > 0 &&
	       *ret <= UINT16_MAX;
}

static void write_ports(struct key_writer *out)
{
	static const char *const said[] = { "protocol", "hostPort", "containerPort", NULL };
	_cleanup_(json_freep) struct json *list = NULL;
	struct verdict v = { MRG_CARRIED, NULL };
	struct mrg_error err = { 0 };

	if (!nspawn_wants_private(out->spec) || json_parse(out->spec->publish_json, strlen(out->spec->publish_json), &list, &err) < 0)
		return;
	for (const struct json *port = list->first; port; port = port->next) {
		const char *protocol = port->type == JSON_OBJECT ? text_member(port, "protocol") : NULL;
		uint64_t host, container;

		if (port->type != JSON_OBJECT || !port_of(port, "hostPort", &host) || !port_of(port, "containerPort", &container) ||
		    (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)) {
			lower(&v, MRG_DROPPED, "only single ports of tcp and udp can be said");
			continue;
		}
		buffer_addf(&out->b, "Port=%s:%" PRIu64 ":%" PRIu64 "\n", protocol ? protocol : "tcp", host, container);
		for (const struct json *member = port->first; member; member = member->next)
			if (!strv_contains((char *const *)said, member->key))
				lower(&v, MRG_APPROXIMATED, "ports are published on all addresses of the host");
	}
	key_report(out, MRG_FIELD_PUBLISH, v.verdict, "Port", v.note);
}

/* What a namespace has is always said: the unit's own command line makes a veth. */
KEY_WRITER(nspawn_write_network)
{
	const struct mrg_spec *spec = out->spec;

	if (spec->ns_network && *spec->ns_network)
		return;
	buffer_addf(&out->b, "%s=%s\n", key->name, nspawn_wants_private(spec) ? "yes" : "no");
	if (key_has(out, MRG_FIELD_NS_NETWORK))
		key_report(out, MRG_FIELD_NS_NETWORK, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_NETWORKS))
		write_list(out);
	if (key_has(out, MRG_FIELD_PUBLISH))
		write_ports(out);
}

KEY_WRITER(nspawn_write_netns)
{
	if (!out->spec->ns_network || !*out->spec->ns_network)
		return;
	nspawn_add_option(out, key->name, out->spec->ns_network);
	key_report(out, MRG_FIELD_NS_NETWORK, MRG_CARRIED, key->name, NULL);
}
