/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about namespaces shared with others. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"

#define NETNS	"/run/netns/"
#define MAX_PID	(1 << 22)

static const struct share {
	const char *path, *name;	/* of the element, of the file in /proc/PID/ns */
	enum mrg_field field;
} shares[] = {
	{ "/domain/lxc:namespace/lxc:sharenet", "net", MRG_FIELD_NS_NETWORK },
	{ "/domain/lxc:namespace/lxc:shareipc", "ipc", MRG_FIELD_NS_IPC },
	{ "/domain/lxc:namespace/lxc:shareuts", "uts", MRG_FIELD_NS_UTS },
};

ROW_READER(domain_read_share)
{
	static const char *const types[] = { "pid", "netns", "name", NULL };
	_cleanup_free_ char *path = NULL;
	const char *type, *value;
	xmlAttr *of_type, *of_value;
	uint32_t pid = 0;
	size_t which = 0;
	int r = domain_attribute(in, element, "type", &of_type, &type), kind;

	if (r == 0)
		r = domain_attribute(in, element, "value", &of_value, &value);
	if (r < 0)
		return r;
	kind = domain_word(in, of_type, types);
	if (kind < 0)
		return kind;
	while (strcmp(shares[which].path, row->path) != 0)
		which++;
	in->shared[which] = true;
	if (kind == 1 && which != 0)
		return domain_fail(in, of_type, "'netns' is a name of network namespaces only");
	if (kind == 2)
		return domain_keep_whole(in, element, MRG_WEAKENS, "joins the namespace of another domain, which is found when it starts; kept verbatim");
	if ((kind == 0 && (parse_uint32(value, &pid) < 0 || pid > MAX_PID)) || strchr(value, '/') || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return domain_fail(in, of_value, "must be a process or a name, not '%.40s'", value);
	if ((kind == 0 ? asprintf(&path, "/proc/%" PRIu32 "/ns/%s", pid, shares[which].name) : asprintf(&path, NETNS "%s", value)) < 0)
		return domain_no_memory(in);
	r = domain_set(in, element, shares[which].field, path);
	if (r == 0)
		r = domain_carried(in, of_type, row->field);
	return r < 0 ? r : domain_carried(in, of_value, row->field);
}

/* The driver makes new ones unless told, that of the network only with something to put into it. */
int domain_finish_namespaces(struct domain_reader *in)
{
	int r = 0;

	if (in->shared[0] && in->have_network)
		return domain_fail(in, in->domain, "joins a network namespace and has a network of its own");
	for (size_t i = 0; i < ARRAY_SIZE(shares) && r == 0; i++)
		if (!in->shared[i] && (i != 0 || in->have_network))
			r = domain_set(in, in->domain, shares[i].field, "private");
	return r;
}

/* "/proc/12/ns/net", "/run/netns/blue". */
static bool write_share(struct domain_writer *out, const struct share *share, const char *path)
{
	const char *name = path + strlen(NETNS);
	char kind[8] = "";
	xmlNode *element;
	unsigned int pid;
	int end = 0;

	if (sscanf(path, "/proc/%7u/ns/%7[a-z]%n", &pid, kind, &end) == 2 && !path[end] && strcmp(kind, share->name) == 0 && pid <= MAX_PID) {
		element = domain_at(out, share->path);
		domain_put(out, element, "type", "pid");
		domain_putf(out, element, "value", "%u", pid);
		return true;
	}
	if (share->field != MRG_FIELD_NS_NETWORK || strncmp(path, NETNS, strlen(NETNS)) != 0 || !*name || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || !xml_can_hold(name))
		return false;
	element = domain_at(out, share->path);
	domain_put(out, element, "type", "netns");
	domain_put(out, element, "value", name);
	return true;
}

/* All of the namespaces: the driver makes those of processes, mounts, host name and IPC for every container. */
ROW_WRITER(domain_write_shares)
{
	const struct mrg_spec *spec = out->spec;
	const char *const paths[] = { spec->ns_network, spec->ns_ipc, spec->ns_uts };
	static const enum mrg_field always[] = { MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT };
	const char *const others[] = { spec->ns_pid, spec->ns_mount };

	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		if (paths[i] && *paths[i] && write_share(out, &shares[i], paths[i])) {
			domain_report(out, shares[i].field, MRG_CARRIED, shares[i].path + strlen("/domain/"), NULL);
			continue;
		}
		if (paths[i] && *paths[i] && i == 0)
			domain_at(out, "/domain/features/privnet");
		domain_report(out, shares[i].field, paths[i] && !*paths[i] ? MRG_CARRIED : MRG_DROPPED, "the driver itself",
			      "the container gets a new one instead");
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		domain_report(out, always[i], others[i] && !*others[i] ? MRG_CARRIED : MRG_DROPPED, "the driver itself", "the container gets a new one instead");
}
