/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows that confine: capabilities, filter, hidden paths, users, devices. */

#include "config.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/quadlet/quadlet.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- capabilities ----------------------------------------------------------------------------- */

KEY_READER(quadlet_read_capability)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	bool add = strcmp(key->name, "AddCapability") == 0;
	uint64_t *caps = add ? &quadlet->add : &quadlet->drop;
	_cleanup_(strv_freep) char **words = NULL;
	int r = unit_words(in, value, &words);

	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++) {
		int cap = parse_capability(words[i]);

		if (strcmp(words[i], "all") == 0 || strcmp(words[i], "ALL") == 0)
			*(add ? &quadlet->add_all : &quadlet->drop_all) = true;
		else if (cap < 0)
			return key_fail(in, "must be capabilities, not '%.40s'", words[i]);
		else
			*caps |= UINT64_C(1) << cap;
	}
	return MRG_CARRIED;
}

static void finish_caps(struct key_reader *in)
{
	const struct quadlet_reader *quadlet = quadlet_of(in);
	uint64_t caps = engine_caps_podman;

	if (quadlet->privileged || quadlet->add_all)
		caps = ENGINE_CAPS_ALL & ~quadlet->drop;
	else if (quadlet->drop_all)
		caps = quadlet->add;
	else
		caps = (caps | quadlet->add) & ~quadlet->drop;
	engine_finish_caps(in->spec, caps, quadlet->privileged || quadlet->add_all ? caps : quadlet->add);
}

static void write_caps(struct key_writer *out, const char *name, uint64_t caps)
{
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		if (caps >> i & 1)
			buffer_addf(&out->b, "%s=CAP_%s\n", name, capability_name(i));
}

/* What podman makes of the others: all for root, for other users those that were added. */
static void report_derived(struct key_writer *out, uint64_t bounding, uint64_t added)
{
	struct mrg_spec given = { .uid = out->spec->uid, .user = out->spec->user };
	static const enum mrg_field fields[] = { MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_INHERITABLE,
						 MRG_FIELD_CAP_AMBIENT };

	engine_finish_caps(&given, bounding, added);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t asked = *(const uint64_t *)member_at_const(&spec_fields[fields[i]].value, out->spec);
		uint64_t made = *(const uint64_t *)member_at_const(&spec_fields[fields[i]].value, &given);
		bool more = made & ~asked && format_confines(fields[i]);

		if (key_has(out, fields[i]))
			key_report(out, fields[i], asked == made ? MRG_CARRIED : more ? MRG_WEAKENS : MRG_APPROXIMATED, "AddCapability",
				   "podman derives it from the bounding set and the user");
	}
}

/* All of a user's own capabilities are added one by one, also those podman gives anyway: then that user has them too. */
KEY_WRITER(quadlet_write_caps)
{
	const struct mrg_spec *spec = out->spec;
	uint64_t bounding = key_has(out, MRG_FIELD_CAP_BOUNDING) ? spec->cap_bounding : engine_caps_podman;
	uint64_t added = bounding & (~engine_caps_podman | spec->cap_ambient);

	if (!key_has(out, MRG_FIELD_CAP_BOUNDING) && !spec->cap_ambient)
		return;
	if (bounding == ENGINE_CAPS_ALL) {
		key_line(out, "AddCapability", "all");
		added = bounding;
	} else {
		if (bounding)
			write_caps(out, key->name, engine_caps_podman & ~bounding);
		else
			key_line(out, key->name, "all");
		write_caps(out, "AddCapability", added);
	}
	if (key_has(out, MRG_FIELD_CAP_BOUNDING))
		key_report(out, MRG_FIELD_CAP_BOUNDING, MRG_CARRIED, bounding & ~engine_caps_podman ? "AddCapability" : key->name, NULL);
	report_derived(out, bounding, added);
}

/* ---- filter and paths -------------------------------------------------------------------------- */

KEY_READER(quadlet_read_seccomp)
{
	if (*value && strcmp(value, "unconfined") != 0)
		return key_lost(in, key, "the filter is in a file, which is not read");
	return key_read_simple(in, key, value);
}

KEY_WRITER(quadlet_write_seccomp)
{
	const char *profile = out->spec->seccomp_profile;

	if (key_has(out, MRG_FIELD_SECCOMP) && !quadlet_has_kept(out, key->name))
		key_report(out, MRG_FIELD_SECCOMP, MRG_WEAKENS, NULL, "podman wants the filter in a file of its own: its own filter takes its place");
	if (!key_has(out, MRG_FIELD_SECCOMP_PROFILE) || !profile)
		return;
	if (strcmp(profile, "unconfined") == 0 && !quadlet_has_kept(out, key->name))
		key_line(out, key->name, profile);
	key_report(out, MRG_FIELD_SECCOMP_PROFILE, strcmp(profile, "unconfined") == 0 ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
		   "podman's own filter takes the place of Moorage's");
}

static bool is_listed(const char *const *list, const char *path)
{
	return strv_contains((char *const *)list, path);
}

/* Paths with colons between them. */
KEY_READER(quadlet_read_mask)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	bool mask = strcmp(key->name, "Mask") == 0;
	_cleanup_(strv_freep) char **words = NULL;
	int r = unit_words(in, value, &words);

	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++) {
		char *at = words[i], *path;

		while ((path = strsep(&at, ":"))) {
			if (!mask && (strcmp(path, "ALL") == 0 || strcmp(path, "all") == 0)) {
				quadlet->unmasked_all = true;
				continue;
			}
			if (!path_is_clean(path))
				return key_fail(in, "must be absolute paths without '..', not '%.80s'", path);
			if (!mask && !is_listed(engine_masked, path) && !is_listed(engine_readonly, path))
				return key_lost(in, key, "podman does not hide this path, or it is a pattern");
			if (strv_length(mask ? quadlet->masked : quadlet->unmasked) == ASSIGNMENTS_MAX)
				return key_fail(in, "there are more than %d paths", ASSIGNMENTS_MAX);
			if (strv_append(mask ? &quadlet->masked : &quadlet->unmasked, path) < 0)
				return key_no_memory(in);
		}
	}
	return MRG_CARRIED;
}

static int finish_paths(struct key_reader *in, enum mrg_field field, const char *const *own)
{
	const struct quadlet_reader *quadlet = quadlet_of(in);
	bool open = quadlet->unmasked_all || quadlet->privileged;
	char *const *more = field == MRG_FIELD_MASKED_PATHS ? quadlet->masked : NULL;
	int r = 0;

	for (; *own && r == 0; own++)
		if (!open && !strv_contains(quadlet->unmasked, *own))
			r = mrg_spec_set(in->spec, field, *own, in->err);
	for (; more && *more && r == 0; more++)
		if (!strv_contains(*(char ***)member_at(&spec_fields[field].value, in->spec), *more))
			r = mrg_spec_set(in->spec, field, *more, in->err);
	mrg_fields_add(&in->spec->set, field);
	return r;
}

/* Whether all of podman's paths are missing in what the spec says; nothing said misses none. */
static bool all_missing(const struct key_writer *out)
{
	const struct mrg_spec *spec = out->spec;
	bool said = false;

	for (const char *const *path = engine_masked; *path; path++)
		if (key_has(out, MRG_FIELD_MASKED_PATHS) ? strv_contains(spec->masked_paths, *path) : true)
			return false;
	for (const char *const *path = engine_readonly; *path; path++)
		if (key_has(out, MRG_FIELD_READONLY_PATHS) ? strv_contains(spec->readonly_paths, *path) : true)
			return false;
	said = key_has(out, MRG_FIELD_MASKED_PATHS) && key_has(out, MRG_FIELD_READONLY_PATHS);
	return said;
}

/* Unmask= takes from both lists: a path is taken only where neither has it. */
static void write_unmask(struct key_writer *out, const char *const *own, enum mrg_field field)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, field))
		return;
	for (; *own; own++)
		if (!strv_contains(spec->masked_paths, *own) && !strv_contains(spec->readonly_paths, *own))
			key_line(out, "Unmask", *own);
}

KEY_WRITER(quadlet_write_masks)
{
	const struct mrg_spec *spec = out->spec;
	int verdict = MRG_CARRIED;

	for (char *const *path = spec->masked_paths; path && *path; path++)
		if (!is_listed(engine_masked, *path)) {
			if (strchr(*path, ':'))
				verdict = MRG_WEAKENS;
			else
				quadlet_word(out, key->name, *path);
		}
	if (all_missing(out)) {
		key_line(out, "Unmask", "ALL");
	} else {
		write_unmask(out, engine_masked, MRG_FIELD_MASKED_PATHS);
		write_unmask(out, engine_readonly, MRG_FIELD_READONLY_PATHS);
	}
	if (key_has(out, MRG_FIELD_MASKED_PATHS))
		key_report(out, MRG_FIELD_MASKED_PATHS, verdict, key->name, "a path with a colon cannot be said");
	verdict = MRG_CARRIED;
	for (char *const *path = spec->readonly_paths; path && *path; path++)
		if (!is_listed(engine_readonly, *path) && !strv_contains(spec->masked_paths, *path))
			verdict = MRG_WEAKENS;
	if (key_has(out, MRG_FIELD_READONLY_PATHS))
		key_report(out, MRG_FIELD_READONLY_PATHS, verdict, "Unmask", "podman makes paths of its own list read-only, and no others");
}

/* ---- users --------------------------------------------------------------------------------------- */

/* What podman chooses itself is kept for it. */
KEY_READER(quadlet_read_userns)
{
	size_t length = strcspn(value, ":");

	if (!*value || strcmp(value, "host") == 0) {
		key_reset(in, MRG_FIELD_NS_USER);
		return !*value || key_set(in, MRG_FIELD_NS_USER, "host") == 0 ? MRG_CARRIED : -MRG_E_INVALID;
	}
	if ((strncmp(value, "auto", length) != 0 || length != 4) && (strncmp(value, "keep-id", length) != 0 || length != 7) &&
	    strcmp(value, "nomap") != 0 && strcmp(value, "private") != 0)
		return key_lost(in, key, "users of another container, or of a path, are not joined");
	if (key_set(in, MRG_FIELD_NS_USER, "private") < 0)
		return -MRG_E_INVALID;
	in->keep = true;
	in->note = "podman chooses the range of users: choose one";
	return MRG_APPROXIMATED;
}

KEY_READER(quadlet_read_idmap)
{
	bool uid = key->field == MRG_FIELD_UID_MAPPINGS;
	struct mrg_id_mapping map;
	int end = 0, r;

	if (strpbrk(value, "@+%ug"))
		return key_lost(in, key, "ranges relative to those of the user are known to podman only");
	if (strlen(value) > 40 ||
	    sscanf(value, "%10" SCNu32 ":%10" SCNu32 ":%10" SCNu32 "%n", &map.container_id, &map.host_id, &map.size, &end) != 3 || value[end] ||
	    map.size == 0 || map.container_id == UINT32_MAX || map.host_id == UINT32_MAX)
		return key_fail(in, "must be CONTAINER:HOST:SIZE, not '%.40s'", value);
	r = (uid ? mrg_spec_add_uid_mapping : mrg_spec_add_gid_mapping)(in->spec, &map, in->err);
	quadlet_of(in)->users = true;
	return r < 0 ? key_place(in) : MRG_CARRIED;
}

static void write_maps(struct key_writer *out, const char *key, const struct mrg_id_mapping *item, size_t n, enum mrg_field field)
{
	for (size_t i = 0; i < n; i++)
		buffer_addf(&out->b, "%s=%" PRIu32 ":%" PRIu32 ":%" PRIu32 "\n", key, item[i].container_id, item[i].host_id, item[i].size);
	if (key_has(out, field))
		key_report(out, field, MRG_CARRIED, key, NULL);
}

KEY_WRITER(quadlet_write_users)
{
	const struct mrg_spec *spec = out->spec;
	bool maps = spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0, own = spec->ns_user && !*spec->ns_user;

	if (own)
		write_maps(out, "UIDMap", spec->uid_mappings.item, spec->uid_mappings.n, MRG_FIELD_UID_MAPPINGS);
	if (own)
		write_maps(out, "GIDMap", spec->gid_mappings.item, spec->gid_mappings.n, MRG_FIELD_GID_MAPPINGS);
	if (!key_has(out, MRG_FIELD_NS_USER) || (spec->ns_user && !own))
		return;
	if (!spec->ns_user)
		key_line(out, key->name, "host");
	else if (!maps && !quadlet_has_kept(out, key->name))
		key_line(out, key->name, "auto");
	key_report(out, MRG_FIELD_NS_USER, own && !maps ? MRG_APPROXIMATED : MRG_CARRIED, maps ? "UIDMap" : key->name,
		   "podman chooses the range of users");
}

/* ---- devices --------------------------------------------------------------------------------------- */

/* HOST[:CONTAINER[:PERMISSIONS]] */
KEY_READER(quadlet_read_device)
{
	char *at = value, *host, *inside, *access;
	int r;

	if (*value == '-' || strchr(value, '%') || *value != '/')
		return key_lost(in, key, "whether the device is there, or its name, is known to podman only");
	host = strsep(&at, ":");
	inside = at ? strsep(&at, ":") : host;
	access = at;
	if (at && strspn(at, "rwm") != strlen(at))
		return key_fail(in, "must be HOST[:CONTAINER[:PERMISSIONS]]");
	if (inside != host && *inside && strspn(inside, "rwm") == strlen(inside) && !access) {
		access = inside;
		inside = host;
	}
	if (!path_is_clean(inside))
		return key_fail(in, "must be absolute paths without '..', not '%.80s'", inside);
	r = engine_add_device(in->spec, host, inside, access && *access ? access : "rwm", in->err);
	if (r <= 0)
		return r < 0 ? key_place(in) : MRG_CARRIED;
	return key_lost(in, key, "its numbers are known on its own host only");
}

static bool rule_allows(const struct mrg_device_rule *rule, const struct mrg_device *device)
{
	return rule->allow && rule->type && strcmp(rule->type, device->type) == 0 && rule->major == device->major && rule->minor == device->minor;
}

/* A device with the rule that lets it be used is one line. */
static bool write_device(struct key_writer *out, const char *key, const struct mrg_device *device, const struct mrg_device_rule *rule)
{
	const char *name = device_name(*device->type, device->major, device->minor);
	struct buffer b = { 0 };
	char number[48];
	bool whole;

	snprintf(number, sizeof(number), "/dev/%s/%" PRId64 ":%" PRId64, *device->type == 'b' ? "block" : "char", device->major, device->minor);
	/* Colons end the parts. */
	if (!name || *name != '/')
		return false;
	buffer_addf(&b, "%s:%s:%s", name, device->path, rule && rule->access ? rule->access : "rwm");
	whole = !b.failed && !strchr(device->path, ':') && key_line(out, key, b.text);
	buffer_deinit(&b);
	return whole;
}

/* Rules in front of @first are podman's own, or stand in for them. */
static bool write_rules(struct key_writer *out, size_t first, const bool *used)
{
	const struct mrg_spec *spec = out->spec;
	bool whole = true;

	for (size_t i = first; i < spec->device_rules.n; i++) {
		const struct mrg_device_rule *rule = &spec->device_rules.item[i];
		char major[24] = "*", minor[24] = "*", text[96];

		if (used[i])
			continue;
		if (rule->major >= 0)
			snprintf(major, sizeof(major), "%" PRId64, rule->major);
		if (rule->minor >= 0)
			snprintf(minor, sizeof(minor), "%" PRId64, rule->minor);
		snprintf(text, sizeof(text), "%s %s:%s %.3s", rule->type ? rule->type : "a", major, minor, rule->access ? rule->access : "rwm");
		if (rule->allow)
			quadlet_option(out, "--device-cgroup-rule", text);
		whole &= rule->allow;
	}
	return whole;
}

static size_t find_rule(const struct mrg_spec *spec, size_t first, const bool *used, const struct mrg_device *device)
{
	for (size_t i = first; i < spec->device_rules.n; i++)
		if (!used[i] && rule_allows(&spec->device_rules.item[i], device))
			return i;
	return spec->device_rules.n;
}

KEY_WRITER(quadlet_write_devices)
{
	const struct mrg_spec *spec = out->spec;
	size_t own = engine_device_rules(spec), first = own;
	_cleanup_free_ bool *used = calloc(spec->device_rules.n + 1, sizeof(*used));
	bool whole = true, denied = spec->device_rules.n > 0 && !spec->device_rules.item[0].allow;

	if (!used) {
		out->b.failed = true;
		return;
	}
	if (first == 0 && denied)
		first = 1;
	for (size_t i = 0; i < spec->devices.n; i++) {
		size_t rule = find_rule(spec, first, used, &spec->devices.item[i]);

		if (write_device(out, key->name, &spec->devices.item[i], rule < spec->device_rules.n ? &spec->device_rules.item[rule] : NULL))
			used[rule] = true;
		else
			whole = false;
	}
	if (key_has(out, MRG_FIELD_DEVICES))
		key_report(out, MRG_FIELD_DEVICES, whole ? MRG_CARRIED : MRG_DROPPED, key->name, "only devices that are called the same everywhere can be said");
	if (!key_has(out, MRG_FIELD_DEVICE_RULES))
		return;
	whole = quadlet_writer_of(out)->privileged || write_rules(out, first, used);
	key_report(out, MRG_FIELD_DEVICE_RULES, !whole ? MRG_WEAKENS : own || !denied ? MRG_CARRIED : MRG_APPROXIMATED, "PodmanArgs",
		   whole ? "podman always allows null, zero, full, random, urandom, tty, ptmx and terminals" :
			   "podman takes no device away again");
}

int quadlet_finish_confinement(struct key_reader *in)
{
	static const struct mrg_device_rule all = { 1, "a", -1, -1, "rwm" };
	struct quadlet_reader *quadlet = quadlet_of(in);
	struct mrg_spec *spec = in->spec;
	int r = 0;

	if (quadlet->users && !mrg_fields_has(&spec->set, MRG_FIELD_NS_USER))
		r = mrg_spec_set(spec, MRG_FIELD_NS_USER, "private", in->err);
	if (r == 0)
		r = engine_add_namespaces(spec, in->err);
	if (r == 0)
		r = finish_paths(in, MRG_FIELD_MASKED_PATHS, engine_masked);
	if (r == 0)
		r = finish_paths(in, MRG_FIELD_READONLY_PATHS, engine_readonly);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP_PROFILE))
		r = mrg_spec_set(spec, MRG_FIELD_SECCOMP_PROFILE, quadlet->privileged ? "unconfined" : "default", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_NO_NEW_PRIVILEGES))
		r = mrg_spec_set(spec, MRG_FIELD_NO_NEW_PRIVILEGES, "no", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_PIDS_LIMIT))
		r = mrg_spec_set(spec, MRG_FIELD_PIDS_LIMIT, "2048", in->err);
	if (r == 0 && quadlet->privileged)
		r = mrg_spec_add_device_rule(spec, &all, in->err);
	if (r == 0)
		r = engine_add_device_rules(spec, in->err);
	finish_caps(in);
	return r;
}
