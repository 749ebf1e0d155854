/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of the host: whoever takes one second fails, or takes the packets of the first, as their rules come in the kernel. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/str.h"

/* ---- one port ------------------------------------------------------------------------------------ */

/* "80", "8000-8010" */
static bool parse_range(const char *text, size_t length, struct port *ret)
{
	char first[16], *dash;

	if (length == 0 || length >= sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)length, text);
	dash = strchr(first, '-');
	if (dash)
		*dash++ = '\0';
	return parse_uint32(first, &ret->first) == 0 && parse_uint32(dash ? dash : first, &ret->last) == 0 && ret->first > 0 && ret->last >= ret->first &&
	       ret->last <= UINT16_MAX;
}

static bool set_protocol(const char *text, size_t length, struct port *ret)
{
	if (length == 0 || length >= sizeof(ret->protocol))
		return false;
	snprintf(ret->protocol, sizeof(ret->protocol), "%.*s", (int)length, text);
	return true;
}

bool port_parse_podman(const char *text, struct port *ret)
{
	const char *end = text + strcspn(text, "/"), *inner, *outer;
	size_t length;

	if (*end ? !set_protocol(end + 1, strlen(end + 1), ret) : !set_protocol("tcp", 3, ret))
		return false;
	/* From its end: an address may have colons in it. Without a port of the host one is chosen that is free. */
	for (inner = end; inner > text && inner[-1] != ':'; inner--)
		;
	if (inner == text)
		return false;
	for (outer = inner - 1; outer > text && outer[-1] != ':'; outer--)
		;
	if (!parse_range(outer, (size_t)(inner - 1 - outer), ret))
		return false;
	length = outer > text ? (size_t)(outer - 1 - text) : 0;
	if (length >= 2 && *text == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length >= sizeof(ret->address))
		return false;
	snprintf(ret->address, sizeof(ret->address), "%.*s", (int)length, text);
	return true;
}

bool port_parse_nspawn(const char *text, struct port *ret)
{
	size_t length = strcspn(text, ":");

	if (length > 0 && (*text < '0' || *text > '9')) {
		if (!set_protocol(text, length, ret) || !text[length])
			return false;
		text += length + 1;
	} else {
		set_protocol("tcp", 3, ret);
	}
	return parse_range(text, strcspn(text, ":"), ret);
}

static bool is_any(const char *address)
{
	return !*address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

bool ports_clash(const struct port *a, const struct port *b)
{
	return a->first <= b->last && b->first <= a->last && strcmp(a->protocol, b->protocol) == 0 &&
	       (is_any(a->address) || is_any(b->address) || strcmp(a->address, b->address) == 0);
}

/* ---- all -------------------------------------------------------------------------------------------- */

static int say_clash(const struct doctor *d, const struct port *a, const struct port *b)
{
	uint32_t port = a->first > b->first ? a->first : b->first;
	char text[1024], fix[512];

	snprintf(text, sizeof(text), "port %u/%s of this host is for %s (%s) and for %s (%s): only one of them gets it", port, a->protocol, a->owner,
		 a->file, b->owner, b->file);
	snprintf(fix, sizeof(fix), "give one of them another port in its file, or bind them to different addresses");
	return doctor_say(d, "warning", "ports", text, fix);
}

int doctor_check_ports(const struct doctor *d)
{
	struct ports ports = { .n = 0 };
	int r = ports_read(d, &ports);

	for (size_t i = 0; i < ports.n; i++)
		for (size_t j = i + 1; j < ports.n && r == 0; j++)
			if (strcmp(ports.item[i].owner, ports.item[j].owner) != 0 && ports_clash(&ports.item[i], &ports.item[j]))
				r = say_clash(d, &ports.item[i], &ports.item[j]);
	free(ports.item);
	return r;
}
