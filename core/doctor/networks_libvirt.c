/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks of libvirt. Its daemon writes these files itself, so all that is needed of XML is to find an element and an attribute of it. */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"

/* Blanks where comments are. */
static void drop_comments(char *xml)
{
	for (char *begin = xml; (begin = strstr(begin, "<!--"));) {
		char *end = strstr(begin, "-->");

		if (!end) {
			*begin = '\0';
			return;
		}
		memset(begin, ' ', (size_t)(end + 3 - begin));
	}
}

/* What follows "<NAME" of the next such element, or NULL. */
static const char *find_element(const char *xml, const char *name)
{
	size_t length = strlen(name);

	for (; (xml = strchr(xml, '<')); xml++)
		if (strncmp(xml + 1, name, length) == 0 && strchr(" \t\n/>", xml[1 + length]))
			return xml + 1 + length;
	return NULL;
}

/* The value of an attribute of the element whose name ends at @at; false: it has none, or one that is longer. */
static bool get_attribute(const char *at, const char *key, char *ret, size_t size)
{
	const char *end = at + strcspn(at, ">");
	size_t length = strlen(key), n;

	for (; at < end; at++) {
		char quote = at[1] && strncmp(at + 1, key, length) == 0 && at[1 + length] == '=' ? at[2 + length] : '\0';

		if (!strchr(" \t\n", *at) || (quote != '\'' && quote != '"'))
			continue;
		at += 3 + length;
		n = strcspn(at, quote == '"' ? "\"" : "'");
		if (n >= size)
			return false;
		snprintf(ret, size, "%.*s", (int)n, at);
		return true;
	}
	return false;
}

static void get_content(const char *at, char *ret, size_t size)
{
	at = at ? strchr(at, '>') : NULL;
	snprintf(ret, size, "%.*s", at ? (int)strcspn(at + 1, "<") : 0, at ? at + 1 : "");
}

/* The first of IPv4, which is the one of the bridge. */
static void get_subnet(const char *xml, struct subnet *ret)
{
	char address[48], text[48], whole[64];
	struct in_addr mask;

	for (const char *ip = xml; (ip = find_element(ip, "ip"));) {
		if (get_attribute(ip, "family", text, sizeof(text)) && strcmp(text, "ipv4") != 0)
			continue;
		if (!get_attribute(ip, "address", address, sizeof(address)))
			continue;
		if (get_attribute(ip, "netmask", text, sizeof(text)) && inet_pton(AF_INET, text, &mask) == 1)
			snprintf(text, sizeof(text), "%d", __builtin_popcount(mask.s_addr));
		else if (!get_attribute(ip, "prefix", text, sizeof(text)))
			continue;
		snprintf(whole, sizeof(whole), "%.45s/%.10s", address, text);
		if (subnet_parse(whole, ret))
			return;
	}
}

static int read_network(const char *path, char *text, void *data)
{
	struct network *network;
	char name[64], mode[16], change[96];
	const char *element;

	drop_comments(text);
	get_content(find_element(text, "name"), name, sizeof(name));
	element = find_element(text, "forward");
	/* Such a network uses the bridge of somebody else. */
	if (!*name || (element && get_attribute(element, "mode", mode, sizeof(mode)) && strcmp(mode, "bridge") == 0))
		return 0;
	snprintf(change, sizeof(change), "'virsh net-edit %s'", name);
	network = networks_add(data, path, change, "the network '%.60s' of libvirt", name);
	if (!network)
		return -ENOMEM;
	element = find_element(text, "bridge");
	if (element)
		get_attribute(element, "name", network->subnet.name, IF_NAMESIZE);
	get_subnet(text, &network->subnet);
	return 0;
}

int networks_read_libvirt(const struct doctor *d, struct networks *ret)
{
	return doctor_read_all(d, "etc/libvirt/qemu/networks", ".xml", read_network, ret);
}
