/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about devices: DevicePolicy=, DeviceAllow= and device rules. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"

/* What DevicePolicy=closed allows: null, zero, full, random, urandom, tty, ptmx; and the terminals. */
static const struct mrg_device_rule standard[] = {
	{ 1, "c", 1, 3, "rwm" }, { 1, "c", 1, 5, "rwm" }, { 1, "c", 1, 7, "rwm" }, { 1, "c", 1, 8, "rwm" },
	{ 1, "c", 1, 9, "rwm" }, { 1, "c", 5, 0, "rwm" }, { 1, "c", 5, 2, "rwm" }, { 1, "c", 136, -1, "rw" },
};

KEY_READER(read_device_policy)
{
	struct unit_reader *unit = unit_of(in);
	static const char *const names[] = { "auto", "closed", "strict" };

	if (!*value)
		value = (char *)"auto";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			unit->device_policy = (int)i;
			return key->verdict;
		}
	return key_fail(in, "must be auto, closed or strict, not '%.40s'", value);
}

KEY_READER(read_device_allow)
{
	struct unit_reader *unit = unit_of(in);
	_cleanup_(strv_freep) char **words = NULL;
	struct mrg_device_rule *rule, wanted = { .allow = 1 };
	struct device_name name;
	int r;

	if (!*value) {
		unit->device_allow.n = 0;
		unit->have_devices = false;
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	if (!words || (words[1] && (words[2] || words[1][strspn(words[1], "rwm")] || !*words[1])))
		return key_fail(in, "must be a device and letters of rwm, not '%.40s'", value);
	unit->have_devices = true;
	if (!device_find(words[0], &name))
		return key_lost(in, key, "the number of the device is not known here: give /dev/char/MAJOR:MINOR");
	rule = spec_list_append(in->spec, (struct list *)&unit->device_allow, sizeof(*rule));
	wanted.type = name.type == 'c' ? "c" : "b";
	wanted.major = name.major;
	wanted.minor = name.minor;
	wanted.access = mrg_spec_strdup(in->spec, words[1] ? words[1] : "rwm");
	if (!rule || !wanted.access)
		return key_no_memory(in);
	*rule = wanted;
	return key->verdict;
}

KEY_READER(read_private_devices)
{
	struct unit_reader *unit = unit_of(in);
	bool on;

	if (!*value)
		return MRG_CARRIED;
	if (parse_bool(value, &on) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	unit->private_devices = on;
	if (!on)
		return MRG_CARRIED;
	if (unit->device_policy == DEVICE_AUTO)
		unit->device_policy = DEVICE_CLOSED;
	unit->bounding_drop |= UINT64_C(1) << parse_capability("MKNOD") | UINT64_C(1) << parse_capability("SYS_RAWIO");
	return key->verdict;
}

int unit_finish_devices(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	const struct mrg_device_rule deny = { 0, "a", -1, -1, "rwm" };
	int r;

	/* "auto" with a list is a closed policy, without one no policy at all. */
	if (unit->device_policy == DEVICE_AUTO && !unit->have_devices)
		return 0;
	r = mrg_spec_add_device_rule(in->spec, &deny, in->err);
	for (size_t i = 0; i < ARRAY_SIZE(standard) && unit->device_policy != DEVICE_STRICT && r == 0; i++)
		r = mrg_spec_add_device_rule(in->spec, &standard[i], in->err);
	for (size_t i = 0; i < unit->device_allow.n && r == 0; i++)
		r = mrg_spec_add_device_rule(in->spec, &unit->device_allow.item[i], in->err);
	return r;
}

static bool same_device(const struct mrg_device_rule *a, const struct mrg_device_rule *b)
{
	return strcmp(a->type, b->type ? b->type : "a") == 0 && a->major == b->major && a->minor == b->minor && b->allow;
}

/* Whether the rules of "closed" follow the first one, as the reader puts them. */
static bool has_standard(const struct mrg_spec *spec)
{
	if (spec->device_rules.n < ARRAY_SIZE(standard) + 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
		const struct mrg_device_rule *rule = &spec->device_rules.item[i + 1];

		if (!same_device(&standard[i], rule) || !rule->access || strcmp(rule->access, standard[i].access) != 0)
			return false;
	}
	return true;
}

static void write_allow(struct key_writer *out, const struct mrg_device_rule *rule)
{
	const char *access = rule->access ? rule->access : "rwm", *name = device_name(rule->type[0], rule->major, rule->minor);

	if (name && rule->minor < 0)
		buffer_addf(&out->b, "DeviceAllow=%s %s\n", name, access);
	else
		buffer_addf(&out->b, "DeviceAllow=/dev/%s/%" PRId64 ":%" PRId64 " %s\n",
			    rule->type[0] == 'c' ? "char" : "block", rule->major, rule->minor, access);
}

static bool can_allow(const struct mrg_device_rule *rule)
{
	if (!rule->allow || !rule->type || rule->type[0] == 'a' || (rule->access && !*rule->access))
		return false;
	return (rule->major >= 0 && rule->minor >= 0) || device_name(rule->type[0], rule->major, rule->minor);
}

KEY_WRITER(write_devices)
{
	const struct mrg_spec *spec = out->spec;
	bool closed = has_standard(spec), lost = false;

	/* Only a list that denies everything and then allows some can be said. */
	if (spec->device_rules.n == 0 || spec->device_rules.item[0].allow || spec->device_rules.item[0].major >= 0 ||
	    (spec->device_rules.item[0].type && spec->device_rules.item[0].type[0] != 'a') ||
	    (spec->device_rules.item[0].access && strlen(spec->device_rules.item[0].access) != 3))
		return;
	for (size_t i = 1; i < spec->device_rules.n; i++)
		if (!spec->device_rules.item[i].allow)
			return;
	key_line(out, key->name, closed ? "closed" : "strict");
	for (size_t i = closed ? ARRAY_SIZE(standard) + 1 : 1; i < spec->device_rules.n; i++) {
		if (can_allow(&spec->device_rules.item[i]))
			write_allow(out, &spec->device_rules.item[i]);
		else
			lost = true;
	}
	key_report(out, MRG_FIELD_DEVICE_RULES, lost ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
		   "devices of a whole class that has no name are not allowed");
}

/* /dev/block/8:0 of the bandwidth keys. */
bool unit_block_device(const char *word, int64_t *major, int64_t *minor)
{
	struct device_name name;

	if (!device_find(word, &name) || name.type != 'b' || name.minor < 0)
		return false;
	*major = name.major;
	*minor = name.minor;
	return true;
}
