/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the network: which one, addresses, ports. */

#include "config.h"

#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* Networks that are none of the engine's: the device, if any, is made by a program of the user's. */
static const char *const user_modes[] = { "slirp4netns", "pasta", NULL };

/* An engine's network gives a veth; its name is that of the zone. */
static int join_network(struct docker_reader *in, const char *name)
{
	engine_add_network(&in->networks, name, NULL);
	if (in->networks.failed)
		return fail_memory(in->err);
	in->note = "a network of the engine's: its addresses and names are given by whoever makes the bridge";
	return MRG_APPROXIMATED;
}

DOCKER_READER(docker_read_network)
{
	_cleanup_free_ char *mode = strndup(value->text, strcspn(value->text, ":"));
	const char *name = value->text, *way = "private";
	int verdict = key->verdict;

	if (!mode)
		return fail_memory(in->err);
	if (strcmp(name, "host") == 0)
		way = "host";
	else if (strncmp(name, "ns:/", 4) == 0)
		way = name + 3;
	else if (strcmp(mode, "container") == 0 || strcmp(mode, "pod") == 0) {
		in->note = "the network of another container is not joined: it gets an empty one of its own";
		verdict = MRG_DROPPED;
	} else if (strv_contains((char *const *)user_modes, mode)) {
		in->note = "a network made by a user's program: it gets an empty one of its own";
		verdict = MRG_DROPPED;
	} else if (strcmp(name, "none") != 0 && strcmp(name, "private") != 0) {
		verdict = join_network(in, strcmp(name, "default") == 0 || strcmp(name, "bridge") == 0 ? (in->podman ? "podman" : "bridge") : name);
	}
	if (verdict < 0)
		return verdict;
	in->field = in->networks.length > 0 ? MRG_FIELD_NETWORKS : MRG_FIELD_NS_NETWORK;
	return mrg_spec_set(in->spec, MRG_FIELD_NS_NETWORK, way, in->err) < 0 ? docker_place(in) : verdict;
}

/* What is running is state; an address or a second network that somebody asked for is not. */
DOCKER_READER(docker_read_networks)
{
	const struct json *networks = docker_member(value, "Networks", JSON_OBJECT);
	size_t n = 0;

	for (const struct json *network = networks ? networks->first : NULL; network; network = network->next, n++) {
		const struct json *ipam = docker_member(network, "IPAMConfig", JSON_OBJECT);

		if (*docker_text(ipam, "IPv4Address") || *docker_text(ipam, "IPv6Address")) {
			docker_note(in, "the address in the network '%.60s' is given by whoever makes the bridge", network->key);
			return MRG_DROPPED;
		}
	}
	if (n > 1) {
		in->note = "it is in several networks, and gets a device for the first only";
		return MRG_DROPPED;
	}
	in->note = "state, or how the engine runs it: nothing to configure";
	in->field = -1;
	return key->verdict;
}

/* { "80/tcp": [ { "HostIp": "", "HostPort": "8080" } ] } */
static int read_binding(struct docker_reader *in, const char *port, const struct json *binding)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	const char *address = docker_text(binding, "HostIp");
	bool all = !*address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0, v6 = strchr(address, ':');

	buffer_addf(&b, "%s%s%s%s%s:%s", !all && v6 ? "[" : "", all ? "" : address, !all && v6 ? "]" : "", all ? "" : ":",
		    docker_text(binding, "HostPort"), port);
	if (b.failed)
		return fail_memory(in->err);
	in->note = engine_add_port(&in->ports, b.text);
	if (in->note && strcmp(in->note, "is no port") == 0)
		return docker_fail(in, "'%.40s': is no port", b.text);
	return in->note ? MRG_DROPPED : MRG_CARRIED;
}

DOCKER_READER(docker_read_ports)
{
	int worst = key->verdict;
	const char *note = NULL;

	for (const struct json *port = value->first; port; port = port->next) {
		if (port->type != JSON_ARRAY && port->type != JSON_NULL)
			return docker_fail(in, "must be an object of arrays");
		for (const struct json *binding = port->first; binding; binding = binding->next) {
			int verdict = binding->type == JSON_OBJECT ? read_binding(in, port->key, binding) :
								     docker_fail(in, "must be an object of arrays of objects");

			if (verdict < 0)
				return verdict;
			note = verdict > worst ? in->note : note;
			worst = verdict > worst ? verdict : worst;
		}
	}
	in->note = note;
	return worst;
}

DOCKER_READER(docker_read_disabled)
{
	if (value->boolean && mrg_spec_set(in->spec, MRG_FIELD_NS_NETWORK, "private", in->err) < 0)
		return docker_place(in);
	return key->verdict;
}

DOCKER_READER(docker_read_mac)
{
	in->hwaddr = value->text;
	if (strspn(value->text, "0123456789abcdefABCDEF:") != strlen(value->text) || strlen(value->text) != 17)
		return docker_fail(in, "must be a MAC address, not '%.40s'", value->text);
	return key->verdict;
}

static int set_array(struct docker_reader *in, enum mrg_field field, struct buffer *members)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	if (!members->text)
		return 0;
	/* The address belongs to the one device there is. */
	if (field == MRG_FIELD_NETWORKS && in->hwaddr)
		buffer_addf(&b, "[%.*s,\"hwaddr\":\"%s\"}]", (int)members->length - 1, members->text, in->hwaddr);
	else
		buffer_addf(&b, "[%s]", members->text);
	if (b.failed || members->failed)
		return fail_memory(in->err);
	return mrg_spec_set(in->spec, field, b.text, in->err);
}

int docker_finish_network(struct docker_reader *in)
{
	const struct json *disabled = docker_member(in->config, "NetworkDisabled", JSON_BOOLEAN);
	int r = disabled && disabled->boolean ? 0 : set_array(in, MRG_FIELD_NETWORKS, &in->networks);

	return r < 0 ? r : set_array(in, MRG_FIELD_PUBLISH, &in->ports);
}
