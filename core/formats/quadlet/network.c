/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the network: which one, and ports. */

#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"

#define DEFAULT_NETWORK	"podman"

static bool is_name(const char *value)
{
	return *value && value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

/* Modes that podman has besides the names of networks: of these a container has one. */
static bool is_mode(const char *value)
{
	static const char *const modes[] = { "host", "none", "slirp4netns", "pasta", "private", "container", "ns", NULL };
	_cleanup_free_ char *mode = strndup(value, strcspn(value, ":"));

	return !mode || strv_contains((char *const *)modes, mode);
}

static bool is_container_unit(const char *value)
{
	size_t length = strlen(value);

	return length > 10 && strcmp(value + length - 10, ".container") == 0;
}

static bool is_unit(const char *value)
{
	size_t length = strlen(value);

	return (length > 8 && strcmp(value + length - 8, ".network") == 0) || is_container_unit(value);
}

KEY_READER(quadlet_read_network)
{
	struct quadlet_reader *quadlet = quadlet_of(in);

	quadlet->network_lines++;
	quadlet->network_alone |= is_mode(value) || is_container_unit(value);
	in->field = MRG_FIELD_NS_NETWORK;
	if (strcmp(value, "host") == 0 || strcmp(value, "none") == 0)
		return key_set(in, MRG_FIELD_NS_NETWORK, *value == 'h' ? "host" : "private") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (strncmp(value, "ns:/", 4) == 0 && !strchr(value, '%'))
		return key_set(in, MRG_FIELD_NS_NETWORK, value + 3) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (is_mode(value) || is_unit(value) || !is_name(value))
		return key_lost(in, key, is_unit(value) ? "the network is described in a unit of its own" :
							   "a network with options, of a user's program, or of another container");
	in->field = MRG_FIELD_NETWORKS;
	engine_add_network(&quadlet->networks, strcmp(value, "bridge") == 0 ? DEFAULT_NETWORK : value, NULL);
	return quadlet->networks.failed ? key_no_memory(in) : MRG_CARRIED;
}

KEY_READER(quadlet_read_port)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	const char *note = key_undo(in, value);

	if (!note)
		note = engine_add_port(&quadlet->ports, value);
	if (quadlet->ports.failed)
		return key_no_memory(in);
	if (note && strcmp(note, "is no port") == 0)
		return key_fail(in, "must be [ADDRESS:]HOST:CONTAINER[/udp], not '%.40s'", value);
	return note ? key_lost(in, key, note) : MRG_CARRIED;
}

static int set_array(struct key_reader *in, enum mrg_field field, const struct buffer *members)
{
	struct buffer b = { 0 };
	int r;

	if (!members->text)
		return 0;
	buffer_addf(&b, "[%s]", members->text);
	r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, field, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

/* A network of its own without a name is podman's. */
int quadlet_finish_network(struct key_reader *in)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	int r;

	if (quadlet->network_alone && quadlet->network_lines > 1)
		return mrg_error_set(in->err, -MRG_E_INVALID, "Network=: host, none, a path or another mode must be the only one");
	if (quadlet->network_lines == 0)
		engine_add_network(&quadlet->networks, DEFAULT_NETWORK, NULL);
	r = quadlet->networks.failed ? key_no_memory(in) : set_array(in, MRG_FIELD_NETWORKS, &quadlet->networks);
	return r < 0 ? r : set_array(in, MRG_FIELD_PUBLISH, &quadlet->ports);
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static const char *text_of(const struct json *object, const char *name)
{
	const struct json *member = object->type == JSON_OBJECT ? json_member(object, name) : NULL;

	return member && member->type == JSON_STRING ? member->text : "";
}

/* A veth in a zone, and nothing else, is what a network of podman's gives; its own, alone, needs no line. Gives the verdict. */
static int write_device(struct key_writer *out, const char *key, const struct json *device, bool alone)
{
	const char *zone = text_of(device, "zone");
	bool veth = strcmp(text_of(device, "type"), "veth") == 0;

	if (strcmp(text_of(device, "type"), "empty") == 0)
		return MRG_CARRIED;
	if (!veth || !is_name(zone) || is_mode(zone) || is_unit(zone) || strcmp(zone, "host") == 0 || strcmp(zone, "none") == 0)
		return MRG_DROPPED;
	if (!alone || strcmp(zone, DEFAULT_NETWORK) != 0)
		key_line(out, key, zone);
	return device->n == 2 ? MRG_CARRIED : MRG_APPROXIMATED;
}

static int write_networks(struct key_writer *out, const char *key, bool *ret_any)
{
	_cleanup_(json_freep) struct json *list = NULL;
	size_t before = out->b.length;
	int worst = MRG_CARRIED;

	*ret_any = false;
	if (!out->spec->networks_json || json_parse(out->spec->networks_json, strlen(out->spec->networks_json), &list, NULL) < 0)
		return worst;
	for (const struct json *device = list->first; device; device = device->next) {
		int verdict = write_device(out, key, device, list->n == 1);

		worst = verdict > worst ? verdict : worst;
		*ret_any |= verdict < MRG_DROPPED && strcmp(text_of(device, "type"), "empty") != 0;
	}
	*ret_any |= out->b.length > before;
	return worst;
}

static const char *loss_of(int verdict)
{
	return verdict == MRG_DROPPED ? "podman gives devices of its own networks only: make a network, and name it in Network=" :
					"addresses and names of devices are podman's own";
}

KEY_WRITER(quadlet_write_network)
{
	const char *ns = out->spec->ns_network;
	bool said = key_has(out, MRG_FIELD_NS_NETWORK), own = ns && !*ns, kept = quadlet_has_kept(out, key->name), any = false;
	int verdict = MRG_CARRIED;
	struct buffer b = { 0 };

	if (own || !said)
		verdict = write_networks(out, key->name, &any);
	if (said && !ns && !kept) {
		key_line(out, key->name, "host");
	} else if (own && !any && !kept) {
		key_line(out, key->name, "none");
	} else if (ns && *ns) {
		buffer_addf(&b, "ns:%s", ns);
		said = !b.failed && key_line(out, key->name, b.text);
		buffer_deinit(&b);
	}
	if (said)
		key_report(out, MRG_FIELD_NS_NETWORK, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_NETWORKS))
		key_report(out, MRG_FIELD_NETWORKS, verdict, key->name, loss_of(verdict));
}

static bool write_port(struct key_writer *out, const char *key, const struct json *port)
{
	const struct json *host = json_member(port, "hostPort"), *inside = json_member(port, "containerPort");
	const char *address = text_of(port, "hostAddress"), *protocol = text_of(port, "protocol");
	bool v6 = strchr(address, ':');
	struct buffer b = { 0 };
	bool whole = host && inside && host->type == JSON_NUMBER && inside->type == JSON_NUMBER;

	if (whole)
		buffer_addf(&b, "%s%s%s%s%s:%s%s%s", v6 ? "[" : "", address, v6 ? "]" : "", *address ? ":" : "", host->text, inside->text,
			    *protocol && strcmp(protocol, "tcp") != 0 ? "/" : "", strcmp(protocol, "tcp") != 0 ? protocol : "");
	whole = whole && !b.failed && key_line(out, key, b.text);
	buffer_deinit(&b);
	return whole;
}

KEY_WRITER(quadlet_write_ports)
{
	_cleanup_(json_freep) struct json *list = NULL;
	bool whole = true;

	if (!key_has(out, MRG_FIELD_PUBLISH) || json_parse(out->spec->publish_json, strlen(out->spec->publish_json), &list, NULL) < 0)
		return;
	for (const struct json *port = list->first; port; port = port->next)
		whole &= port->type == JSON_OBJECT && write_port(out, key->name, port);
	key_report(out, MRG_FIELD_PUBLISH, whole ? MRG_CARRIED : MRG_DROPPED, key->name, "has members that podman has no key for");
}
