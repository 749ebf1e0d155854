/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_LXC_NET_H
#define FORMATS_LXC_NET_H

/* Internal to lxc_net*.c: keys below lxc.net.N and members of a network of a spec, by one table. */

#include "core/formats/lxc/lxc.h"

enum lxc_net_kind {
	LXC_NET_TEXT,
	LXC_NET_NAME,			/* of a device: at most 15 bytes */
	LXC_NET_CHOICE,			/* one of @choices */
	LXC_NET_NUMBER,
	LXC_NET_FLAG,			/* 0 or 1 */
	LXC_NET_UP,			/* whatever is said */
	LXC_NET_MAC,
	LXC_NET_ADDRESS4, LXC_NET_ADDRESS6,	/* lists */
	LXC_NET_ROUTE4, LXC_NET_ROUTE6,		/* lists */
	LXC_NET_GATEWAY4, LXC_NET_GATEWAY6,
	LXC_NET_VLAN,			/* a number or none */
	LXC_NET_VLANS,			/* list */
};

struct lxc_net_key {
	const char *key;		/* behind "lxc.net.N." */
	const char *member;		/* rows of one member stand together */
	enum lxc_net_kind kind;
	const char *type;		/* the only type of device that has it; NULL: all */
	const char *choices;		/* "a|b" */
};

#define LXC_NET_KEYS	25
extern const struct lxc_net_key lxc_net_keys[LXC_NET_KEYS];

bool lxc_net_collects(enum lxc_net_kind kind);

/* Whether @text is one of "a|b|c". */
bool lxc_net_is_choice(const char *choices, const char *text);

#define LXC_NET_TYPES	"veth|macvlan|ipvlan|vlan|phys|empty"

#endif
