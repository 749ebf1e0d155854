/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about namespaces, ids in them and their clocks. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

enum { NS_MOUNT, NS_PID, NS_UTS, NS_IPC, NS_NETWORK, NS_USER, NS_CGROUP, NS_TIME, NS_MAX };

/* As in /proc/PID/ns. */
static const struct {
	const char *name;
	enum mrg_field field;
} namespaces[NS_MAX] = {
	[NS_MOUNT] = { "mnt", MRG_FIELD_NS_MOUNT }, [NS_PID] = { "pid", MRG_FIELD_NS_PID },
	[NS_UTS] = { "uts", MRG_FIELD_NS_UTS }, [NS_IPC] = { "ipc", MRG_FIELD_NS_IPC },
	[NS_NETWORK] = { "net", MRG_FIELD_NS_NETWORK }, [NS_USER] = { "user", MRG_FIELD_NS_USER },
	[NS_CGROUP] = { "cgroup", MRG_FIELD_NS_CGROUP }, [NS_TIME] = { "time", MRG_FIELD_NS_TIME },
};

#define BIT(ns)		(1U << (ns))
#define ALL_NEW		(BIT(NS_MAX) - 1)
/* What a container gets when nothing is said. */
#define USUAL_NEW	(ALL_NEW & ~(BIT(NS_USER) | BIT(NS_TIME)))

static int find_namespace(const char *name)
{
	for (int i = 0; i < NS_MAX; i++)
		if (strcasecmp(namespaces[i].name, name) == 0)
			return i;
	return -1;
}

/* ---- reading ---------------------------------------------------------------------------------- */

KEY_READER(lxc_read_namespaces)
{
	struct lxc_reader *reader = lxc_of(in);
	bool keep = strcmp(key->name, "lxc.namespace.keep") == 0;
	char *at = value, *word;

	while ((word = lxc_part(&at, LXC_BLANKS))) {
		int ns = find_namespace(word);

		if (ns < 0)
			return key_fail(in, "must be some of mnt, pid, uts, ipc, net, user, cgroup and time, not '%.40s'", word);
		*(keep ? &reader->ns_keep : &reader->ns_clone) |= BIT(ns);
		*(keep ? &reader->have_keep_ns : &reader->have_clone) = true;
	}
	if (reader->have_keep_ns && reader->have_clone)
		return key_fail(in, "lxc.namespace.keep and lxc.namespace.clone exclude each other");
	return key->verdict;
}

/* Of another container, by name or path, or of a process. */
KEY_READER(lxc_read_share)
{
	int ns = find_namespace(in->rest);
	char path[64];
	uint32_t pid;

	if (ns < 0 || strcmp(namespaces[ns].name, in->rest) != 0)
		return key_fail(in, "must be one of mnt, pid, uts, ipc, net, user, cgroup and time, not '%.40s'", in->rest);
	if (!*value)
		return MRG_CARRIED;
	if (parse_uint32(value, &pid) < 0 || pid == 0)
		return key_lost(in, key, "where the namespace of another container is, is known only while that runs");
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/ns/%s", pid, namespaces[ns].name);
	return key_set(in, namespaces[ns].field, path) < 0 ? -MRG_E_INVALID : key->verdict;
}

/* "u|g CONTAINER HOST COUNT" */
KEY_READER(lxc_read_idmap)
{
	struct mrg_id_mapping map;
	uint32_t *const numbers[] = { &map.container_id, &map.host_id, &map.size };
	char *at = value, *type, *word;
	bool whole;

	if (!*value)
		return MRG_CARRIED;
	type = lxc_part(&at, LXC_BLANKS);
	whole = type && (strcmp(type, "u") == 0 || strcmp(type, "g") == 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && whole; i++) {
		word = lxc_part(&at, LXC_BLANKS);
		whole = word && parse_uint32(word, numbers[i]) == 0;
	}
	if (!whole || lxc_part(&at, LXC_BLANKS) || map.size == 0)
		return key_fail(in, "must be u or g, the first id in the container, the first on the host, and how many");
	if (map.container_id == UINT32_MAX || map.host_id == UINT32_MAX)
		return key_fail(in, "4294967295 is no id");
	if (type[0] == 'g')
		in->field = MRG_FIELD_GID_MAPPINGS;
	if ((type[0] == 'u' ? mrg_spec_add_uid_mapping : mrg_spec_add_gid_mapping)(in->spec, &map, in->err) < 0)
		return -MRG_E_INVALID;
	return key->verdict;
}

static const struct {
	const char *name;
	uint64_t nanosecs;
	int64_t secs;
} units[] = {
	{ "h", 0, 3600 }, { "m", 0, 60 }, { "s", 0, 1 }, { "ms", 1000000, 0 }, { "us", 1000, 0 }, { "ns", 1, 0 },
};

/* A number and its unit; what is not whole seconds must be less than one. */
static bool parse_offset(const char *value, int64_t *secs, int64_t *nanosecs)
{
	size_t length = strspn(value, "-0123456789");
	char number[24];
	int64_t count;

	*secs = *nanosecs = 0;
	if (length == 0 || length >= sizeof(number))
		return false;
	memcpy(number, value, length);
	number[length] = '\0';
	value += length + strspn(value + length, LXC_BLANKS);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, value) != 0 || parse_int64(number, &count) < 0)
			continue;
		if (units[i].secs)
			return !__builtin_mul_overflow(count, units[i].secs, secs);
		return count >= 0 && !__builtin_mul_overflow(count, (int64_t)units[i].nanosecs, nanosecs) && *nanosecs < 1000000000;
	}
	return false;
}

KEY_READER(lxc_read_time_offset)
{
	struct lxc_reader *reader = lxc_of(in);
	size_t clock = strcmp(key->name, "lxc.time.offset.boot") == 0 ? 0 : 1;
	int64_t secs, nanosecs;

	if (!*value)
		return MRG_CARRIED;
	if (!parse_offset(value, &secs, &nanosecs))
		return key_fail(in, "must be a number of h, m, s, or less than a second in ms, us or ns, not '%.40s'", value);
	reader->offset[clock].said = true;
	if (strpbrk(value, "uni") || strstr(value, "ms"))
		reader->offset[clock].nanosecs = (uint32_t)nanosecs;
	else
		reader->offset[clock].secs = secs;
	return key->verdict;
}

/* When a clock has both, LXC sets the seconds only. */
static int finish_offsets(struct key_reader *in)
{
	static const char *const clocks[] = { "boottime", "monotonic" };
	const struct lxc_reader *reader = lxc_of(in);
	struct buffer b = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (reader->offset[i].said)
			buffer_addf(&b, "%s\"%s\":{\"secs\":%" PRId64 ",\"nanosecs\":%" PRIu32 "}", b.length ? "," : "{", clocks[i],
				    reader->offset[i].secs, reader->offset[i].secs ? 0 : reader->offset[i].nanosecs);
	if (b.length) {
		buffer_addf(&b, "}");
		r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_TIME_OFFSETS, b.text, in->err);
	}
	buffer_deinit(&b);
	return r;
}

/* LXC 5.0 sets no groups in a user namespace. */
static void note_groups(struct key_reader *in)
{
	struct assignment *item;

	for (size_t at = 0; in->spec->uid_mappings.n > 0 && (item = lxc_next(in, &at, "lxc.init.groups"));)
		if (*item->value)
			item->note = "LXC 5.0 ignores groups in a user namespace";
}

/* In the namespace of the host, LXC would rename the host: that is not carried, and not kept either. */
static void forget_hostname(struct key_reader *in)
{
	struct assignment *item;

	for (size_t at = 0; !in->spec->ns_uts && (item = lxc_next(in, &at, "lxc.uts.name"));)
		if (*item->value) {
			lxc_judge(item, MRG_DROPPED, "without a uts namespace it would rename the host");
			item->keep = false;
			key_reset(in, MRG_FIELD_HOSTNAME);
		}
}

static const char **value_of(struct mrg_spec *spec, int ns)
{
	return member_at(&spec_fields[namespaces[ns].field].value, spec);
}

int lxc_finish_namespaces(struct key_reader *in)
{
	const struct lxc_reader *reader = lxc_of(in);
	bool said = reader->have_clone || reader->have_keep_ns;
	unsigned int wanted = reader->have_clone ? reader->ns_clone : ALL_NEW & ~reader->ns_keep;
	int r = finish_offsets(in);

	if (!said) {
		wanted = USUAL_NEW & (reader->host_network ? ~BIT(NS_NETWORK) : ~0U);
		wanted |= in->spec->uid_mappings.n || in->spec->gid_mappings.n ? BIT(NS_USER) : 0;
		wanted |= mrg_fields_has(&in->spec->set, MRG_FIELD_TIME_OFFSETS) ? BIT(NS_TIME) : 0;
	}
	/* Whatever the lists say. */
	wanted |= BIT(NS_MOUNT);
	for (int i = 0; i < NS_MAX && r == 0; i++) {
		bool joined = *value_of(in->spec, i);

		/* Where nothing is said, what is shared is not asked for either. */
		if (!joined && (wanted & BIT(i)))
			r = mrg_spec_set(in->spec, namespaces[i].field, "private", in->err);
		else if (!joined && (said || (i == NS_NETWORK && reader->host_network)))
			r = mrg_spec_set(in->spec, namespaces[i].field, "host", in->err);
	}
	note_groups(in);
	forget_hostname(in);
	return r;
}

/* ---- writing ------------------------------------------------------------------------------------- */

/* The process of "/proc/PID/ns/NAME". */
static bool namespace_pid(const char *path, int ns, uint32_t *pid)
{
	char number[16];
	size_t digits;

	if (strncmp(path, "/proc/", 6) != 0)
		return false;
	digits = strspn(path + 6, "0123456789");
	if (digits == 0 || digits >= sizeof(number) || strncmp(path + 6 + digits, "/ns/", 4) != 0)
		return false;
	memcpy(number, path + 6, digits);
	number[digits] = '\0';
	return strcmp(path + 6 + digits + 4, namespaces[ns].name) == 0 && parse_uint32(number, pid) == 0 && *pid > 0;
}

static void write_join(struct key_writer *out, int ns, const char *path)
{
	uint32_t pid;

	if (!namespace_pid(path, ns, &pid)) {
		lxc_report_loss(out, namespaces[ns].field, MRG_DROPPED, "LXC joins namespaces of a process only: /proc/PID/ns/%s",
				namespaces[ns].name);
		return;
	}
	buffer_addf(&out->b, "lxc.namespace.share.%s = %" PRIu32 "\n", namespaces[ns].name, pid);
	key_report(out, namespaces[ns].field, MRG_CARRIED, "lxc.namespace.share", NULL);
}

/* The new namespaces of the spec, and, at *@usual, whether LXC makes the same when nothing is said. */
static unsigned int wanted_namespaces(const struct key_writer *out, bool *usual)
{
	const struct mrg_spec *spec = out->spec;
	unsigned int wanted = BIT(NS_MOUNT), joined = 0, normal = USUAL_NEW;

	normal |= spec->uid_mappings.n || spec->gid_mappings.n ? BIT(NS_USER) : 0;
	normal |= key_has(out, MRG_FIELD_TIME_OFFSETS) ? BIT(NS_TIME) : 0;
	*usual = true;
	for (int i = 0; i < NS_MAX; i++) {
		const char *value = *value_of((struct mrg_spec *)spec, i);

		if (value && *value)
			joined |= BIT(i);
		else if (value)
			wanted |= BIT(i);
		/* That these are shared may have been said. */
		if (!value && (i == NS_USER || i == NS_TIME) && key_has(out, namespaces[i].field))
			*usual = false;
	}
	/* That the network is the host's is told by its type too, unless there are devices. */
	if (!spec->ns_network && key_has(out, MRG_FIELD_NETWORKS))
		*usual = false;
	if ((wanted | joined | BIT(NS_NETWORK)) != (normal | joined))
		*usual = false;
	return wanted;
}

KEY_WRITER(lxc_write_namespaces)
{
	bool usual;
	unsigned int wanted = wanted_namespaces(out, &usual);

	if (!usual) {
		buffer_addf(&out->b, "%s =", key->name);
		for (int i = 0; i < NS_MAX; i++)
			if (wanted & BIT(i))
				buffer_addf(&out->b, " %s", namespaces[i].name);
		buffer_addf(&out->b, "\n");
	}
	for (int i = 0; i < NS_MAX; i++) {
		const char *value = *value_of((struct mrg_spec *)out->spec, i);

		if (!key_has(out, namespaces[i].field))
			continue;
		if (value && *value)
			write_join(out, i, value);
		else
			key_report(out, namespaces[i].field, i == NS_MOUNT && !value ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
				   "LXC always makes a mount namespace");
	}
}

static void write_maps(struct key_writer *out, char type, const struct mrg_id_mapping *map, size_t n, unsigned int field)
{
	for (size_t i = 0; i < n; i++)
		buffer_addf(&out->b, "lxc.idmap = %c %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", type, map[i].container_id, map[i].host_id,
			    map[i].size);
	if (key_has(out, field))
		key_report(out, field, MRG_CARRIED, "lxc.idmap", NULL);
}

KEY_WRITER(lxc_write_idmap)
{
	const struct mrg_spec *spec = out->spec;

	(void)key;
	write_maps(out, 'u', spec->uid_mappings.item, spec->uid_mappings.n, MRG_FIELD_UID_MAPPINGS);
	write_maps(out, 'g', spec->gid_mappings.item, spec->gid_mappings.n, MRG_FIELD_GID_MAPPINGS);
}

static bool number_of(const struct json *clock, const char *name, int64_t *ret)
{
	const struct json *number = json_member(clock, name);
	bool negative;
	uint64_t magnitude;

	*ret = 0;
	if (!number)
		return true;
	if (number->type != JSON_NUMBER || json_integer(number, &negative, &magnitude) < 0 || magnitude > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

/* Both clocks; what has seconds loses the rest. */
KEY_WRITER(lxc_write_time_offset)
{
	static const struct { const char *clock, *key; } clocks[] = { { "boottime", "lxc.time.offset.boot" },
								       { "monotonic", "lxc.time.offset.monotonic" } };
	_cleanup_(json_freep) struct json *json = NULL;
	const char *text = out->spec->time_offsets_json;
	size_t written = 0;
	int verdict = MRG_CARRIED;

	(void)key;
	if (!key_has(out, MRG_FIELD_TIME_OFFSETS) || json_parse(text, strlen(text), &json, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		const struct json *clock = json_member(json, clocks[i].clock);
		int64_t secs, nanosecs;

		if (!clock || clock->type != JSON_OBJECT || !number_of(clock, "secs", &secs) || !number_of(clock, "nanosecs", &nanosecs) ||
		    nanosecs < 0)
			continue;
		written++;
		if (secs && nanosecs)
			verdict = MRG_APPROXIMATED;
		buffer_addf(&out->b, "%s = %" PRId64 "%s\n", clocks[i].key, secs ? secs : nanosecs, secs || !nanosecs ? "s" : "ns");
	}
	if (written == json->n)
		key_report(out, MRG_FIELD_TIME_OFFSETS, verdict, "lxc.time.offset", "LXC sets whole seconds or parts of one, not both");
}
