/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about device rules, of both versions of cgroups. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

struct rules {
	const char *prefix;		/* of the keys */
	struct { struct mrg_device_rule *item; size_t n; } list;
	const char *unknown;		/* why they cannot be read */
	bool any;
};

static bool parse_part(const char *text, int64_t *ret)
{
	uint32_t number;

	*ret = -1;
	if (strcmp(text, "*") == 0)
		return true;
	if (parse_uint32(text, &number) < 0)
		return false;
	*ret = number;
	return true;
}

/* "a", or "c 1:3 rwm". */
static bool parse_rule(char *text, struct mrg_device_rule *rule)
{
	char *at = text, *type = lxc_part(&at, LXC_BLANKS), *numbers, *access, *minor;

	if (!type || type[1] || !strchr("abc", type[0]))
		return false;
	*rule = (struct mrg_device_rule){ .type = type[0] == 'a' ? "a" : type[0] == 'b' ? "b" : "c", .major = -1, .minor = -1 };
	/* The kernel looks at nothing behind "a". */
	rule->access = "rwm";
	if (type[0] == 'a')
		return true;
	numbers = lxc_part(&at, LXC_BLANKS);
	access = numbers ? lxc_part(&at, LXC_BLANKS) : NULL;
	minor = numbers ? strchr(numbers, ':') : NULL;
	if (!minor || (access && access[strspn(access, "rwm")]) || lxc_part(&at, LXC_BLANKS))
		return false;
	*minor++ = '\0';
	rule->access = access ? access : "rwm";
	return parse_part(numbers, &rule->major) && parse_part(minor, &rule->minor);
}

/* A device by its path has the numbers it has on the host. */
static bool parse_path(char *text, struct mrg_device_rule *rule)
{
	char *at = text, *path = lxc_part(&at, LXC_BLANKS), *access = lxc_part(&at, LXC_BLANKS);
	struct device_name name;

	if (!path || !device_find(path, &name) || (access && access[strspn(access, "rwm")]))
		return false;
	*rule = (struct mrg_device_rule){ .type = name.type == 'b' ? "b" : "c", .major = name.major, .minor = name.minor,
					  .access = access ? access : "rwm" };
	return true;
}

static int read_rule(struct key_reader *in, struct rules *rules, const struct assignment *item, bool allow)
{
	_cleanup_free_ char *copy = strdup(item->value);
	struct mrg_device_rule rule, *added;

	if (!copy)
		return key_no_memory(in);
	if (item->value[0] == '/') {
		if (!parse_path(copy, &rule)) {
			rules->unknown = "the number of a device is not known here: give TYPE MAJOR:MINOR; the rules are kept verbatim for LXC";
			return 0;
		}
	} else if (!parse_rule(copy, &rule)) {
		return key_fail(in, "must be a, or TYPE MAJOR:MINOR and letters of rwm, not '%.40s'", item->value);
	}
	/* A rule for everything begins the list anew. */
	if (rule.type[0] == 'a')
		rules->list.n = 0;
	rule.allow = allow;
	rule.access = mrg_spec_strdup(in->spec, rule.access);
	added = spec_list_append(in->spec, (struct list *)&rules->list, sizeof(rule));
	if (!added || !rule.access)
		return key_no_memory(in);
	*added = rule;
	return 0;
}

static int read_rules(struct key_reader *in, struct rules *rules)
{
	size_t length = strlen(rules->prefix);
	struct assignment *item;
	int r = 0;

	for (size_t at = 0; r == 0 && (item = lxc_next(in, &at, rules->prefix));) {
		bool allow = strcmp(item->key + length, "allow") == 0;

		if (!allow && strcmp(item->key + length, "deny") != 0)
			return key_fail(in, "must end in allow or deny");
		if (!*item->value)
			continue;
		rules->any = true;
		r = read_rule(in, rules, item, allow);
	}
	return r;
}

static bool same_rules(const struct rules *a, const struct rules *b)
{
	bool same = a->list.n == b->list.n;

	for (size_t i = 0; i < a->list.n && same; i++) {
		const struct mrg_device_rule *x = &a->list.item[i], *y = &b->list.item[i];

		same = x->allow == y->allow && strcmp(x->type, y->type) == 0 && x->major == y->major && x->minor == y->minor &&
		       strcmp(x->access, y->access) == 0;
	}
	return same;
}

/* Keeps all lines, those of cgroup v1 in one list so that their order stays. */
static int keep_rules(struct key_reader *in, const struct rules *rules, int verdict, const char *note)
{
	size_t length = strlen(rules->prefix);
	struct assignment *item;

	for (size_t at = 0; (item = lxc_next(in, &at, rules->prefix));) {
		struct buffer b = { 0 };

		if (!*item->value)
			continue;
		lxc_judge(item, verdict, note);
		buffer_addf(&b, "%s %s", item->key + length, item->value);
		item->key = strncmp(rules->prefix, "lxc.cgroup2.", 12) == 0 ? LXC_KEPT_DEVICES2 : LXC_KEPT_DEVICES;
		item->value = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
		buffer_deinit(&b);
		if (!item->value)
			return key_no_memory(in);
	}
	return 0;
}

/* Both versions say the same, or one is silent: that is what counts. Otherwise it is cgroup v2. */
int lxc_finish_device_rules(struct key_reader *in)
{
	struct rules v1 = { .prefix = "lxc.cgroup.devices." }, v2 = { .prefix = "lxc.cgroup2.devices." };
	struct rules *both[] = { &v1, &v2 }, *wanted;
	int r = read_rules(in, &v1);

	if (r == 0)
		r = read_rules(in, &v2);
	for (size_t i = 0; i < ARRAY_SIZE(both) && r == 0; i++)
		if (both[i]->unknown) {
			r = keep_rules(in, both[i], MRG_WEAKENS, both[i]->unknown);
			both[i]->any = false;
		}
	if (r == 0 && v1.any && v2.any && !same_rules(&v1, &v2)) {
		r = keep_rules(in, &v1, MRG_DROPPED, "differs from the rules for cgroup v2, which count here; kept verbatim for LXC");
		v1.any = false;
	}
	wanted = v2.any ? &v2 : v1.any ? &v1 : NULL;
	for (size_t i = 0; wanted && i < wanted->list.n && r == 0; i++)
		r = mrg_spec_add_device_rule(in->spec, &wanted->list.item[i], in->err);
	return r;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static bool is_global(const struct mrg_device_rule *rule)
{
	return (!rule->type || rule->type[0] == 'a') && rule->major < 0 && rule->minor < 0 &&
	       (!rule->access || (strchr(rule->access, 'r') && strchr(rule->access, 'w') && strchr(rule->access, 'm')));
}

static void add_number(struct buffer *b, int64_t number)
{
	if (number < 0)
		buffer_addf(b, "*");
	else
		buffer_addf(b, "%" PRId64, number);
}

static void write_rule(struct key_writer *out, const char *prefix, const struct mrg_device_rule *rule)
{
	const char *types = rule->type && rule->type[0] != 'a' ? rule->type : "cb";

	if (is_global(rule)) {
		buffer_addf(&out->b, "%s%s = a\n", prefix, rule->allow ? "allow" : "deny");
		return;
	}
	/* "a" with something behind it would be everything: it is said of both types. */
	for (; *types; types++) {
		buffer_addf(&out->b, "%s%s = %c ", prefix, rule->allow ? "allow" : "deny", *types);
		add_number(&out->b, rule->major);
		buffer_addf(&out->b, ":");
		add_number(&out->b, rule->minor);
		buffer_addf(&out->b, " %s\n", rule->access ? rule->access : "rwm");
	}
}

/* Only exceptions from one rule for everything mean the same in LXC: in a list of exceptions there is no order. */
static bool can_say(const struct mrg_spec *spec)
{
	bool allow = true;

	for (size_t i = 0; i < spec->device_rules.n; i++) {
		const struct mrg_device_rule *rule = &spec->device_rules.item[i];

		if (is_global(rule))
			allow = rule->allow;
		else if (rule->allow == allow)
			return false;
	}
	return true;
}

static bool is_plain(const struct mrg_device_rule *rule)
{
	return (!rule->access || (*rule->access && rule->access[strspn(rule->access, "rwm")] == '\0')) &&
	       (!rule->type || (strchr("abc", rule->type[0]) && rule->type[0] && !rule->type[1]));
}

KEY_WRITER(lxc_write_device_rules)
{
	static const struct { const char *prefix, *kept; } versions[] = { { "lxc.cgroup.devices.", LXC_KEPT_DEVICES },
									   { "lxc.cgroup2.devices.", LXC_KEPT_DEVICES2 } };
	const struct mrg_spec *spec = out->spec;

	(void)key;
	if (!key_has(out, MRG_FIELD_DEVICE_RULES))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (lxc_kept(out, versions[i].kept)) {
			key_report(out, MRG_FIELD_DEVICE_RULES, MRG_APPROXIMATED, "lxc.cgroup2.devices",
				   "for one version of cgroups what was kept verbatim counts");
			continue;
		}
		for (size_t j = 0; j < spec->device_rules.n; j++)
			if (is_plain(&spec->device_rules.item[j]))
				write_rule(out, versions[i].prefix, &spec->device_rules.item[j]);
	}
	for (size_t j = 0; j < spec->device_rules.n; j++)
		if (!is_plain(&spec->device_rules.item[j]))
			key_report(out, MRG_FIELD_DEVICE_RULES, MRG_WEAKENS, NULL, "a rule without rights, or of a type that there is not");
	key_report(out, MRG_FIELD_DEVICE_RULES, can_say(spec) ? MRG_CARRIED : MRG_WEAKENS, "lxc.cgroup2.devices",
		   "LXC takes back no exception: rules must all allow or all deny after one for everything");
}
