/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of nftables that drop what is forwarded: those of hosts without iptables, and those of others beside it. A packet has to be accepted in every chain of the
 * hook. Where a rule is not understood, it is taken for one that accepts: what is told is certain.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/json.h"

#define CHAINS_MAX	16		/* of the hook */
#define DEPTH_MAX	8		/* of jumps; the kernel has 16 */
#define BUDGET		20000		/* rules looked at */

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_STRING ? member->text : "";
}

static const struct json *member_of(const struct json *object, const char *key)
{
	return object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;
}

static const struct json *first_of(const struct json *list)
{
	return list && list->type == JSON_ARRAY ? list->first : NULL;
}

/* ---- chains ------------------------------------------------------------------------------------ */

int nft_find_chain(const struct json *chains, size_t skip, struct nft_chain *ret)
{
	for (const struct json *item = first_of(member_of(chains, "nftables")); item; item = item->next) {
		const struct json *chain = member_of(item, "chain");
		const char *family = text_of(chain, "family");

		if (strcmp(text_of(chain, "hook"), "forward") != 0 || strcmp(text_of(chain, "policy"), "drop") != 0 ||
		    (strcmp(family, "ip") != 0 && strcmp(family, "inet") != 0) || skip-- > 0)
			continue;
		snprintf(ret->family, sizeof(ret->family), "%s", family);
		/* A name that is cut is found nowhere. */
		snprintf(ret->table, sizeof(ret->table), "%s", text_of(chain, "table"));
		snprintf(ret->name, sizeof(ret->name), "%s", text_of(chain, "name"));
		return 1;
	}
	return 0;
}

/* ---- rules ------------------------------------------------------------------------------------- */

struct search {
	const struct json *table;
	const char *bridge;
	size_t budget;
};

/* "lxcbr0", "lxc*", or a set of them. Sets with a name are not looked into. */
static bool fits(const struct json *right, const char *bridge)
{
	size_t length;

	if (right->type == JSON_OBJECT) {
		for (const struct json *item = first_of(json_member(right, "set")); item; item = item->next)
			if (item->type != JSON_STRING || fits(item, bridge))
				return true;
		return false;
	}
	if (right->type != JSON_STRING || right->text[0] == '@')
		return true;
	length = strlen(right->text);
	if (length > 0 && right->text[length - 1] == '*')
		return strncmp(right->text, bridge, length - 1) == 0;
	return strcmp(right->text, bridge) == 0;
}

enum { OTHER, FITS, FITS_NOT };

/* What a match says of a packet from the bridge. */
static int judge_match(const struct json *match, const char *bridge)
{
	const struct json *right = member_of(match, "right");
	const char *key = text_of(member_of(member_of(match, "left"), "meta"), "key");
	bool equal = strcmp(text_of(match, "op"), "!=") != 0;

	/* Also those that name it by its number, its group or its type, which are not understood. */
	if (!right || strncmp(key, "iifname", 3) != 0)
		return OTHER;
	return fits(right, bridge) == equal ? FITS : FITS_NOT;
}

static bool chain_accepts(struct search *s, const char *chain, unsigned int depth);

/* Whether it accepts packets from the bridge: all, or some that it names by the bridge. */
static bool rule_accepts(struct search *s, const struct json *rule, unsigned int depth)
{
	bool named = false, others = false, accept = false, unknown = false;
	const char *target = NULL;

	for (const struct json *e = first_of(member_of(rule, "expr")); e; e = e->next) {
		const struct json *match = member_of(e, "match"), *jump = member_of(e, "jump");
		int verdict = match ? judge_match(match, s->bridge) : OTHER;

		if (verdict == FITS_NOT)
			return false;
		named |= verdict == FITS;
		others |= match && verdict == OTHER;
		others |= member_of(e, "xt") != NULL;
		accept |= member_of(e, "accept") != NULL;
		unknown |= member_of(e, "vmap") != NULL;
		jump = jump ? jump : member_of(e, "goto");
		target = jump ? text_of(jump, "target") : target;
	}
	if (target)
		return chain_accepts(s, target, depth + 1);
	return unknown || (accept && (named || !others));
}

static bool chain_accepts(struct search *s, const char *chain, unsigned int depth)
{
	if (depth > DEPTH_MAX)
		return true;
	for (const struct json *item = first_of(member_of(s->table, "nftables")); item; item = item->next) {
		const struct json *rule = member_of(item, "rule");

		if (!rule || strcmp(text_of(rule, "chain"), chain) != 0)
			continue;
		if (s->budget == 0 || --s->budget == 0 || rule_accepts(s, rule, depth))
			return true;
	}
	return false;
}

bool nft_drops(const struct json *table, const struct nft_chain *chain, const char *bridge)
{
	struct search search = { .table = table, .bridge = bridge, .budget = BUDGET };

	return !chain_accepts(&search, chain->name, 0);
}

/* ---- this host ------------------------------------------------------------------------------------ */

/* What "nft -j" prints, the caller frees it; NULL: there is none, it may not be asked, or it is longer than what is read of a command. */
static struct json *ask(const char *const *argv)
{
	_cleanup_free_ char *text = NULL;
	struct json *top = NULL;

	if (command_run(argv, &text, NULL) != 0 || json_parse(text, strlen(text), &top, NULL) < 0)
		return NULL;
	return top;
}

static int say_drop(const struct doctor *d, const struct nft_chain *chain, const char *bridge)
{
	char text[320], fix[640];

	snprintf(text, sizeof(text), "the chain '%s' of the table '%s %s' drops what it does not accept: containers on '%.15s' reach nothing beyond this host", chain->name,
		 chain->family, chain->table, bridge);
	snprintf(fix, sizeof(fix), "nft insert rule %s %s %s iifname %.15s accept && nft insert rule %s %s %s oifname %.15s ct state related,established accept",
		 chain->family, chain->table, chain->name, bridge, chain->family, chain->table, chain->name, bridge);
	return doctor_say(d, "warning", "forwarding", text, fix);
}

static int check_chain(const struct doctor *d, const struct nft_chain *chain, const struct subnet *subnets, size_t n)
{
	const char *const argv[] = { "nft", "-j", "-t", "list", "table", chain->family, chain->table, NULL };
	_cleanup_(json_freep) struct json *table = ask(argv);
	int r = 0;

	for (size_t i = 0; i < n && r == 0 && table; i++)
		if (subnets[i].bridge && nft_drops(table, chain, subnets[i].name))
			r = say_drop(d, chain, subnets[i].name);
	return r;
}

int doctor_check_nft(const struct doctor *d, const struct subnet *subnets, size_t n, bool iptables)
{
	static const char *const argv[] = { "nft", "-j", "list", "chains", NULL };
	_cleanup_(json_freep) struct json *chains = ask(argv);
	struct nft_chain chain;
	int r = 0;

	for (size_t i = 0; i < CHAINS_MAX && r == 0 && nft_find_chain(chains, i, &chain); i++)
		if (!iptables || strcmp(chain.family, "ip") != 0 || strcmp(chain.table, "filter") != 0)
			r = check_chain(d, &chain, subnets, n);
	return r;
}
