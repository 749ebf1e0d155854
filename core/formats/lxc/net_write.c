/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about networks, writing: members of /moorage/networks become lines. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/lxc/net.h"
#include "core/util/cleanup.h"

/* The text of a single value as LXC has it: NULL when it is of another type or cannot be said. */
static const char *value_text(const struct lxc_net_key *key, const struct json *value)
{
	switch (key->kind) {
	case LXC_NET_NUMBER:
	case LXC_NET_VLANS:
		return value->type == JSON_NUMBER ? value->text : NULL;
	case LXC_NET_FLAG:
		return value->type == JSON_BOOLEAN ? value->boolean ? "1" : "0" : NULL;
	case LXC_NET_UP:
		return value->type == JSON_BOOLEAN ? value->boolean ? "up" : "" : NULL;
	case LXC_NET_VLAN:
		return value->type == JSON_NUMBER || (value->type == JSON_STRING && strcmp(value->text, "none") == 0) ? value->text : NULL;
	case LXC_NET_CHOICE:
		return value->type == JSON_STRING && lxc_net_is_choice(key->choices, value->text) ? value->text : NULL;
	case LXC_NET_NAME:
		return value->type == JSON_STRING && strlen(value->text) <= 15 ? value->text : NULL;
	default:
		return value->type == JSON_STRING ? value->text : NULL;
	}
}

/* Addresses and routes of both families share a list. */
static bool is_of_family(const struct lxc_net_key *key, const char *text)
{
	bool six = strchr(text, ':');

	return key->kind == LXC_NET_ADDRESS4 || key->kind == LXC_NET_ROUTE4 ? !six :
	       key->kind == LXC_NET_ADDRESS6 || key->kind == LXC_NET_ROUTE6 ? six : true;
}

static bool write_value(struct key_writer *out, size_t index, const struct lxc_net_key *key, const struct json *value)
{
	const char *text = value_text(key, value);
	char name[64];

	snprintf(name, sizeof(name), "lxc.net.%zu.%s", index, key->key);
	if (text && !*text && key->kind == LXC_NET_UP)
		return true;
	return text && key_line(out, name, text);
}

/* Whether the member could be written whole. */
static bool write_member(struct key_writer *out, size_t index, const struct lxc_net_key *key, const struct json *member)
{
	bool whole = true;

	if (!lxc_net_collects(key->kind))
		return write_value(out, index, key, member);
	if (member->type != JSON_ARRAY)
		return false;
	for (const struct json *value = member->first; value; value = value->next) {
		const char *text = value_text(key, value);

		if (!text)
			whole = false;
		else if (is_of_family(key, text))
			whole &= write_value(out, index, key, value);
	}
	return whole;
}

/* Members of which no key of the device's type knows are lost. */
static bool is_known(const char *member, const char *type)
{
	for (size_t i = 0; i < LXC_NET_KEYS; i++)
		if (strcmp(lxc_net_keys[i].member, member) == 0 && (!lxc_net_keys[i].type || strcmp(lxc_net_keys[i].type, type) == 0))
			return true;
	return false;
}

static void write_network(struct key_writer *out, size_t index, const struct json *network)
{
	const struct json *type = network->type == JSON_OBJECT ? json_member(network, "type") : NULL;

	if (!type || type->type != JSON_STRING || !lxc_net_is_choice(LXC_NET_TYPES, type->text)) {
		lxc_report_loss(out, MRG_FIELD_NETWORKS, MRG_DROPPED, "network %zu: of a type that LXC has not", index);
		return;
	}
	buffer_addf(&out->b, "lxc.net.%zu.type = %s\n", index, type->text);
	for (size_t i = 0; i < LXC_NET_KEYS; i++) {
		const struct lxc_net_key *key = &lxc_net_keys[i];
		const struct json *member = json_member(network, key->member);

		if (!member || member == type || (key->type && strcmp(key->type, type->text) != 0))
			continue;
		if (!write_member(out, index, key, member))
			lxc_report_loss(out, MRG_FIELD_NETWORKS, MRG_DROPPED, "network %zu: '%s' has a value that LXC cannot say", index,
					key->member);
	}
	for (const struct json *member = network->first; member; member = member->next)
		if (!is_known(member->key, type->text))
			lxc_report_loss(out, MRG_FIELD_NETWORKS, MRG_DROPPED, "network %zu: LXC has no '%.40s' for it", index, member->key);
}

/* Nothing is left unsaid: the host's network, only the loopback device, or the devices. */
KEY_WRITER(lxc_write_networks)
{
	_cleanup_(json_freep) struct json *json = NULL;
	const struct mrg_spec *spec = out->spec;
	const char *text = spec->networks_json;
	size_t index = 0;

	if (key_has(out, MRG_FIELD_NETWORKS) && json_parse(text, strlen(text), &json, NULL) == 0)
		for (const struct json *network = json->first; network; network = network->next)
			write_network(out, index++, network);
	if (index == 0 && !spec->ns_network)
		buffer_addf(&out->b, "lxc.net.0.type = none\n");
	else if (index == 0 && !*spec->ns_network)
		buffer_addf(&out->b, "lxc.net.0.type = empty\nlxc.net.0.flags = up\n");
	if (key_has(out, MRG_FIELD_NETWORKS))
		key_report(out, MRG_FIELD_NETWORKS, spec->ns_network || index == 0 ? MRG_CARRIED : MRG_DROPPED, key->name,
			   "the container shares the network of the host");
}
