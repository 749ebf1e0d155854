/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about networks, reading: lines of one device become a member of /moorage/networks. */

#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/net.h"
#include "core/util/cleanup.h"

#define NICS_MAX	256

const struct lxc_net_key lxc_net_keys[LXC_NET_KEYS] = {
	{ "link", "link", LXC_NET_NAME, NULL, NULL },
	{ "name", "name", LXC_NET_NAME, NULL, NULL },
	{ "veth.pair", "pair", LXC_NET_NAME, "veth", NULL },
	{ "veth.mode", "mode", LXC_NET_CHOICE, "veth", "bridge|router" },
	{ "macvlan.mode", "mode", LXC_NET_CHOICE, "macvlan", "private|vepa|bridge|passthru" },
	{ "ipvlan.mode", "mode", LXC_NET_CHOICE, "ipvlan", "l3|l3s|l2" },
	{ "ipvlan.isolation", "isolation", LXC_NET_CHOICE, "ipvlan", "bridge|private|vepa" },
	{ "hwaddr", "hwaddr", LXC_NET_MAC, NULL, NULL },
	{ "mtu", "mtu", LXC_NET_NUMBER, NULL, NULL },
	{ "flags", "up", LXC_NET_UP, NULL, NULL },
	{ "ipv4.address", "addresses", LXC_NET_ADDRESS4, NULL, NULL },
	{ "ipv6.address", "addresses", LXC_NET_ADDRESS6, NULL, NULL },
	{ "ipv4.gateway", "gateway4", LXC_NET_GATEWAY4, NULL, NULL },
	{ "ipv6.gateway", "gateway6", LXC_NET_GATEWAY6, NULL, NULL },
	{ "veth.ipv4.route", "routes", LXC_NET_ROUTE4, "veth", NULL },
	{ "veth.ipv6.route", "routes", LXC_NET_ROUTE6, "veth", NULL },
	{ "l2proxy", "l2proxy", LXC_NET_FLAG, NULL, NULL },
	{ "vlan.id", "vlan", LXC_NET_NUMBER, "vlan", NULL },
	{ "veth.vlan.id", "vlan", LXC_NET_VLAN, "veth", NULL },
	{ "veth.vlan.tagged.id", "vlanTagged", LXC_NET_VLANS, "veth", NULL },
	{ "veth.n_rxqueues", "rxQueues", LXC_NET_NUMBER, "veth", NULL },
	{ "veth.n_txqueues", "txQueues", LXC_NET_NUMBER, "veth", NULL },
	{ "script.up", "scriptUp", LXC_NET_TEXT, NULL, NULL },
	{ "script.down", "scriptDown", LXC_NET_TEXT, NULL, NULL },
	{ "type", "type", LXC_NET_CHOICE, NULL, LXC_NET_TYPES "|none" },
};

struct lxc_nic {
	uint32_t index;
	const char *type;
	const struct assignment *first;	/* its type */
	const char *value[LXC_NET_KEYS];	/* JSON; of a list the elements with commas between them */
};

bool lxc_net_collects(enum lxc_net_kind kind)
{
	return kind == LXC_NET_ADDRESS4 || kind == LXC_NET_ADDRESS6 || kind == LXC_NET_ROUTE4 || kind == LXC_NET_ROUTE6 ||
	       kind == LXC_NET_VLANS;
}

bool lxc_net_is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);

	for (const char *at = choices; length > 0 && (at = strstr(at, text)); at++)
		if ((at == choices || at[-1] == '|') && (at[length] == '|' || !at[length]))
			return true;
	return false;
}

/* ---- values ------------------------------------------------------------------------------------------ */

/* "00:16:3e:xx:xx:01" */
static bool is_mac(const char *text)
{
	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]) && text[i] != 'x' && text[i] != 'X')
			return false;
	return true;
}

/* Without a prefix LXC takes it from the class of the address read backwards. */
static uint32_t class_prefix(const struct in_addr *address)
{
	unsigned int last = ntohl(address->s_addr) & 0xff;

	return last < 128 ? 8 : last < 192 ? 16 : last < 224 ? 24 : 0;
}

/* ADDRESS[/PREFIX] [BROADCAST]: normalised with a prefix. */
static int add_address(struct key_reader *in, int family, char *value, struct buffer *b)
{
	char *at = value, *text = lxc_part(&at, LXC_BLANKS), *broadcast = lxc_part(&at, LXC_BLANKS), *prefix;
	unsigned char address[16], other[16];
	uint32_t bits = 64;

	prefix = strchr(text, '/');
	if (prefix)
		*prefix++ = '\0';
	if (inet_pton(family, text, address) != 1 || (prefix && parse_uint32(prefix, &bits) < 0) ||
	    (broadcast && (family != AF_INET || inet_pton(family, broadcast, other) != 1)) || lxc_part(&at, LXC_BLANKS) ||
	    (prefix && bits > (family == AF_INET ? 32U : 128U)))
		return key_fail(in, "must be an address and its prefix, such as %s, not '%.60s%s%.10s'",
				family == AF_INET ? "10.0.3.5/24" : "fd00::5/64", text, prefix ? "/" : "", prefix ? prefix : "");
	if (!prefix && family == AF_INET) {
		bits = class_prefix((const struct in_addr *)(const void *)address);
		in->note = "without a prefix LXC takes one from the last number of the address";
	}
	if (broadcast)
		in->note = "the broadcast address is computed from the prefix";
	buffer_addf(b, "\"%s/%" PRIu32 "\"", text, bits);
	return (!prefix && family == AF_INET) || broadcast ? MRG_APPROXIMATED : MRG_CARRIED;
}

static int add_route(struct key_reader *in, int family, char *value, struct buffer *b)
{
	char *prefix = strchr(value, '/');
	unsigned char address[16];
	uint32_t bits;

	if (prefix)
		*prefix++ = '\0';
	if (!prefix || inet_pton(family, value, address) != 1 || parse_uint32(prefix, &bits) < 0 ||
	    bits > (family == AF_INET ? 32U : 128U))
		return key_fail(in, "must be a network such as %s, not '%.60s'", family == AF_INET ? "10.1.0.0/16" : "fd01::/48", value);
	buffer_addf(b, "\"%s/%" PRIu32 "\"", value, bits);
	return MRG_CARRIED;
}

static int add_gateway(struct key_reader *in, int family, const char *value, struct buffer *b)
{
	unsigned char address[16];

	if (strcmp(value, "auto") != 0 && strcmp(value, "dev") != 0 && inet_pton(family, value, address) != 1)
		return key_fail(in, "must be an address, auto or dev, not '%.60s'", value);
	buffer_addf(b, "\"%s\"", value);
	return MRG_CARRIED;
}

static int add_number(struct key_reader *in, const char *value, uint32_t max, struct buffer *b)
{
	uint32_t number;

	if (lxc_number(value, &number) < 0 || number > max)
		return key_fail(in, "must be a number up to %" PRIu32 ", not '%.40s'", max, value);
	buffer_addf(b, "%" PRIu32, number);
	return MRG_CARRIED;
}

static int add_text(struct key_reader *in, const char *value, struct buffer *b)
{
	return json_quote(b, value) < 0 ? key_no_memory(in) : MRG_CARRIED;
}

#define VLAN_MAX	4094

/* Adds a value as JSON; its verdict, or an error. */
static int add_value(struct key_reader *in, const struct lxc_net_key *key, char *value, struct buffer *b)
{
	switch (key->kind) {
	case LXC_NET_NAME:
		if (strlen(value) > 15 || strchr(value, '/'))
			return key_fail(in, "must be the name of a network device, at most 15 long, not '%.40s'", value);
		return add_text(in, value, b);
	case LXC_NET_CHOICE:
		if (!lxc_net_is_choice(key->choices, value))
			return key_fail(in, "must be one of %s, not '%.40s'", key->choices, value);
		return add_text(in, value, b);
	case LXC_NET_NUMBER:
		return add_number(in, value, strcmp(key->member, "vlan") == 0 ? VLAN_MAX : INT32_MAX, b);
	case LXC_NET_FLAG:
		if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
			return key_fail(in, "must be 0 or 1, not '%.40s'", value);
		buffer_addf(b, "%s", *value == '1' ? "true" : "false");
		return MRG_CARRIED;
	case LXC_NET_UP:
		buffer_addf(b, "true");
		in->note = "LXC raises the device whatever is said";
		return strcmp(value, "up") == 0 ? MRG_CARRIED : MRG_APPROXIMATED;
	case LXC_NET_MAC:
		if (!is_mac(value))
			return key_fail(in, "must be a MAC address such as 00:16:3e:xx:xx:xx, not '%.40s'", value);
		return add_text(in, value, b);
	case LXC_NET_ADDRESS4:
	case LXC_NET_ADDRESS6:
		return add_address(in, key->kind == LXC_NET_ADDRESS4 ? AF_INET : AF_INET6, value, b);
	case LXC_NET_ROUTE4:
	case LXC_NET_ROUTE6:
		return add_route(in, key->kind == LXC_NET_ROUTE4 ? AF_INET : AF_INET6, value, b);
	case LXC_NET_GATEWAY4:
	case LXC_NET_GATEWAY6:
		return add_gateway(in, key->kind == LXC_NET_GATEWAY4 ? AF_INET : AF_INET6, value, b);
	case LXC_NET_VLAN:
		return strcmp(value, "none") == 0 ? add_text(in, value, b) : add_number(in, value, VLAN_MAX, b);
	case LXC_NET_VLANS:
		return add_number(in, value, VLAN_MAX, b);
	default:
		return add_text(in, value, b);
	}
}

/* ---- devices ------------------------------------------------------------------------------------------- */

static struct lxc_nic *find_nic(struct key_reader *in, uint32_t index)
{
	struct lxc_reader *reader = lxc_of(in);
	struct lxc_nic *nic;

	for (size_t i = 0; i < reader->nics.n; i++)
		if (reader->nics.item[i].index == index)
			return &reader->nics.item[i];
	if (reader->nics.n == NICS_MAX)
		return NULL;
	nic = spec_list_append(in->spec, (struct list *)&reader->nics, sizeof(*nic));
	if (nic)
		nic->index = index;
	return nic;
}

/* A type begins the device anew. */
static int read_type(struct key_reader *in, struct lxc_nic *nic, const char *value)
{
	const char *type = *value ? mrg_spec_strdup(in->spec, value) : NULL;

	if (*value && !lxc_net_is_choice(LXC_NET_TYPES "|none", value))
		return key_fail(in, "must be one of %s, not '%.40s'", LXC_NET_TYPES "|none", value);
	if (*value && !type)
		return key_no_memory(in);
	*nic = (struct lxc_nic){ .index = nic->index, .type = type, .first = in->now };
	return MRG_CARRIED;
}

static int read_sub(struct key_reader *in, struct lxc_nic *nic, size_t i, char *value)
{
	const struct lxc_net_key *key = &lxc_net_keys[i];
	const char **at = &nic->value[i];
	struct buffer b = { 0 };
	int verdict = MRG_CARRIED;

	if (!*value) {
		*at = NULL;
		return MRG_CARRIED;
	}
	if (*at && lxc_net_collects(key->kind))
		buffer_addf(&b, "%s,", *at);
	verdict = add_value(in, key, value, &b);
	if (verdict >= 0) {
		*at = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
		if (!*at)
			verdict = key_no_memory(in);
	}
	buffer_deinit(&b);
	return verdict;
}

/* "lxc.net.N.KEY" */
KEY_READER(lxc_read_network)
{
	const char *sub = strchr(in->rest, '.');
	_cleanup_free_ char *number = strndup(in->rest, sub ? (size_t)(sub - in->rest) : strlen(in->rest));
	struct lxc_nic *nic;
	uint32_t index;

	(void)key;
	if (!number)
		return key_no_memory(in);
	if (parse_uint32(number, &index) < 0 || index > INT32_MAX)
		return key_fail(in, "must be lxc.net.N.KEY with a number N");
	if (!sub)
		return *value ? key_fail(in, "must have no value, which clears the device") : MRG_CARRIED;
	nic = find_nic(in, index);
	if (!nic)
		return key_fail(in, "there are at most %d networks", NICS_MAX);
	if (strcmp(sub + 1, "type") == 0)
		return read_type(in, nic, value);
	for (size_t i = 0; i < LXC_NET_KEYS; i++) {
		const char *type = lxc_net_keys[i].type;

		if (strcmp(lxc_net_keys[i].key, sub + 1) != 0)
			continue;
		if (type && (!nic->type || strcmp(nic->type, type) != 0))
			return key_fail(in, "is for devices of type %s", type);
		if (nic->type)
			return read_sub(in, nic, i, value);
		in->note = "stands before the type of the device: LXC forgets it";
		return MRG_APPROXIMATED;
	}
	in->note = "no network of LXC 5 has such a key; kept verbatim for LXC";
	return MRG_DROPPED;
}

/* ---- the list -------------------------------------------------------------------------------------------- */

static int compare_nics(const void *a, const void *b)
{
	const struct lxc_nic *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* What engines differ in is said, even where LXC would take the usual. */
static void add_defaults(struct lxc_nic *nic)
{
	static const struct { const char *key, *value; } defaults[] = { { "macvlan.mode", "\"private\"" }, { "ipvlan.mode", "\"l3\"" } };

	for (size_t i = 0; i < LXC_NET_KEYS; i++)
		for (size_t j = 0; j < ARRAY_SIZE(defaults); j++)
			if (strcmp(lxc_net_keys[i].key, defaults[j].key) == 0 && strcmp(lxc_net_keys[i].type, nic->type) == 0 &&
			    !nic->value[i])
				nic->value[i] = defaults[j].value;
}

static void add_nic(struct buffer *b, const struct lxc_nic *nic)
{
	buffer_addf(b, "%s{\"type\":\"%s\"", b->length > 1 ? "," : "", nic->type);
	for (size_t i = 0; i < LXC_NET_KEYS; i++) {
		const struct lxc_net_key *key = &lxc_net_keys[i];
		bool again = i + 1 < LXC_NET_KEYS && lxc_net_collects(key->kind) && strcmp(key[1].member, key->member) == 0;
		const char *more = again ? nic->value[i + 1] : NULL;

		if (!nic->value[i] && !more)
			continue;
		buffer_addf(b, ",\"%s\":", key->member);
		if (lxc_net_collects(key->kind))
			buffer_addf(b, "[%s%s%s]", nic->value[i] ? nic->value[i] : "", nic->value[i] && more ? "," : "", more ? more : "");
		else
			buffer_addf(b, "%s", nic->value[i]);
		i += again;
	}
	buffer_addf(b, "}");
}

/* Alone, and with nothing to be said of it: what every container without networks has. */
static bool is_bare(const struct lxc_nic *nic)
{
	for (size_t i = 0; i < LXC_NET_KEYS; i++)
		if (nic->value[i] && lxc_net_keys[i].kind != LXC_NET_UP)
			return false;
	return strcmp(nic->type, "empty") == 0;
}

static bool is_up(const struct lxc_nic *nic)
{
	for (size_t i = 0; i < LXC_NET_KEYS; i++)
		if (nic->value[i] && lxc_net_keys[i].kind == LXC_NET_UP)
			return true;
	return false;
}

static struct assignment *first_line(struct key_reader *in, const struct lxc_nic *nic)
{
	const struct assignments *list = &lxc_of(in)->config->list;

	return &list->item[nic->first - list->item];
}

int lxc_finish_networks(struct key_reader *in)
{
	struct lxc_reader *reader = lxc_of(in);
	struct buffer b = { 0 };
	const struct lxc_nic *only = NULL;
	size_t n = 0, none = 0;
	int r = 0;

	if (reader->nics.n)
		qsort(reader->nics.item, reader->nics.n, sizeof(*reader->nics.item), compare_nics);
	for (size_t i = 0; i < reader->nics.n; i++) {
		struct lxc_nic *nic = &reader->nics.item[i];
		bool host = nic->type && strcmp(nic->type, "none") == 0;

		n += nic->type && !host;
		none += host;
		only = nic->type && !host ? nic : only;
	}
	reader->host_network = none && !n;
	for (size_t i = 0; i < reader->nics.n; i++)
		if (none && n && reader->nics.item[i].type && strcmp(reader->nics.item[i].type, "none") == 0)
			lxc_judge(first_line(in, &reader->nics.item[i]), MRG_APPROXIMATED, "without effect beside other networks");
	if (n == 1 && is_bare(only)) {
		if (!is_up(only))
			lxc_judge(first_line(in, only), MRG_APPROXIMATED, "the loopback device is raised");
		return 0;
	}
	buffer_addf(&b, "[");
	for (size_t i = 0; i < reader->nics.n; i++) {
		struct lxc_nic *nic = &reader->nics.item[i];

		if (!nic->type || strcmp(nic->type, "none") == 0)
			continue;
		add_defaults(nic);
		add_nic(&b, nic);
	}
	buffer_addf(&b, "]");
	if (n)
		r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_NETWORKS, b.text, in->err);
	buffer_deinit(&b);
	return r;
}
