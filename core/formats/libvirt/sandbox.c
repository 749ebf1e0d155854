/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about what confines: capabilities, user namespaces, labels. */

#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"

/* ---- capabilities ------------------------------------------------------------ */

#define ALL_CAPABILITIES	((UINT64_C(2) << CAPABILITY_LAST) - 1)

/* What "default" takes away, by the names of the elements. */
static const char *const taken[] = { "sys_module", "sys_time", "mknod", "audit_control", "mac_admin" };
/* Newer than libvirt's list: they stay where the policy allows, and go where it denies. */
static const char *const nameless[] = { "audit_read", "perfmon", "bpf", "checkpoint_restore" };

static uint64_t mask_of(const char *const *names, size_t n)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++)
		mask |= UINT64_C(1) << parse_capability(names[i]);
	return mask;
}

#define DEFAULT_CAPABILITIES	(ALL_CAPABILITIES & ~mask_of(taken, ARRAY_SIZE(taken)))
#define NAMELESS		mask_of(nameless, ARRAY_SIZE(nameless))

enum { POLICY_DEFAULT, POLICY_ALLOW, POLICY_DENY };

/* "sys_admin": its number, or -1. libvirt knows the spelling without CAP_ and in small letters only. */
static int find_capability(const xmlNode *element)
{
	char plain[32];
	int number = parse_capability((const char *)element->name);

	if (number < 0 || element->ns || NAMELESS >> number & 1)
		return -1;
	snprintf(plain, sizeof(plain), "%s", capability_name((unsigned int)number));
	for (char *c = plain; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return strcmp(plain, (const char *)element->name) == 0 ? number : -1;
}

static int read_capability(struct domain_reader *in, xmlNode *element)
{
	static const char *const states[] = { "on", "off", NULL };
	xmlAttr *state = xml_attribute(element, "state");
	int number = find_capability(element), off = state ? domain_word(in, state, states) : 0;
	uint64_t bit;

	if (number < 0)
		return domain_fail(in, element, "is no capability that libvirt knows");
	if (off < 0)
		return off;
	bit = UINT64_C(1) << number;
	if (off)
		in->capabilities &= ~bit;
	else
		in->capabilities |= bit;
	/* Said by name, it also opens the making of nodes for all devices. */
	if (number == parse_capability("mknod"))
		in->mknod = !off;
	return domain_carried(in, state ? (const void *)state : element, MRG_FIELD_CAP_BOUNDING);
}

ROW_READER(domain_read_capabilities)
{
	static const char *const policies[] = { "default", "allow", "deny", NULL };
	xmlAttr *attribute = xml_attribute(element, "policy");
	int policy = attribute ? domain_word(in, attribute, policies) : POLICY_DEFAULT;
	int r;

	if (policy < 0)
		return policy;
	in->capabilities = policy == POLICY_DENY ? 0 : policy == POLICY_ALLOW ? ALL_CAPABILITIES : DEFAULT_CAPABILITIES;
	in->have_capabilities = true;
	r = domain_carried(in, attribute, row->field);
	if (r == 0 && xml_is_leaf(element))
		r = domain_carried(in, element, row->field);
	for (xmlNode *child = xml_child(element, NULL); child && r == 0; child = xml_next(child, NULL))
		r = read_capability(in, child);
	return r;
}

static void add_capability(struct domain_writer *out, xmlNode *element, int number, const char *state)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", capability_name((unsigned int)number));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	domain_put(out, domain_add(out, element, name, NULL), "state", state);
}

/* Never left to the default: it differs between versions and kernels. */
static void write_bounding(struct domain_writer *out)
{
	uint64_t wanted = out->spec->cap_bounding, mknod = UINT64_C(1) << parse_capability("mknod");
	bool allow = (wanted & NAMELESS) == NAMELESS;
	xmlNode *element = domain_at(out, "/domain/features/capabilities");

	domain_put(out, element, "policy", allow ? "allow" : "deny");
	for (int i = 0; i <= CAPABILITY_LAST; i++) {
		bool has = wanted >> i & 1;

		if (!(NAMELESS >> i & 1) && has != allow)
			add_capability(out, element, i, allow ? "off" : "on");
	}
	if (allow && wanted & mknod && domain_makes_any_device(out->spec))
		add_capability(out, element, parse_capability("mknod"), "on");
	domain_report(out, MRG_FIELD_CAP_BOUNDING, !allow && wanted & NAMELESS ? MRG_APPROXIMATED : MRG_CARRIED, "features/capabilities",
		      "libvirt cannot name audit_read, perfmon, bpf and checkpoint_restore; they are taken away");
}

/* Root gets all of the bounding set by executing the command, others get nothing. */
static void report_set(struct domain_writer *out, enum mrg_field field, uint64_t wanted)
{
	uint64_t bounding = domain_has(out, MRG_FIELD_CAP_BOUNDING) ? out->spec->cap_bounding : DEFAULT_CAPABILITIES;
	bool root = !domain_has(out, MRG_FIELD_USER) && out->spec->uid == 0;

	if (!root)
		domain_report(out, field, wanted == 0 ? MRG_CARRIED : MRG_DROPPED, "the driver itself", "a user other than root gets none");
	else if (wanted == bounding)
		domain_report(out, field, MRG_CARRIED, "features/capabilities", NULL);
	else
		domain_report(out, field, bounding & ~wanted ? MRG_WEAKENS : MRG_APPROXIMATED, "features/capabilities", "root gets all of the bounding set");
}

ROW_WRITER(domain_write_capabilities)
{
	const struct mrg_spec *spec = out->spec;
	/* What is allowed by name is made inheritable as well. */
	uint64_t inheritable = domain_has(out, MRG_FIELD_CAP_BOUNDING) && (spec->cap_bounding & NAMELESS) != NAMELESS ? spec->cap_bounding & ~NAMELESS : 0;

	(void)row;
	if (domain_has(out, MRG_FIELD_CAP_BOUNDING))
		write_bounding(out);
	report_set(out, MRG_FIELD_CAP_EFFECTIVE, spec->cap_effective);
	report_set(out, MRG_FIELD_CAP_PERMITTED, spec->cap_permitted);
	domain_report(out, MRG_FIELD_CAP_INHERITABLE, spec->cap_inheritable == inheritable ? MRG_CARRIED : MRG_APPROXIMATED, "features/capabilities",
		      inheritable ? "libvirt makes what it allows by name inheritable as well" : "libvirt makes none inheritable");
	domain_report(out, MRG_FIELD_CAP_AMBIENT, spec->cap_ambient == 0 ? MRG_CARRIED : MRG_DROPPED, "the driver itself", "libvirt gives none");
}

/* ---- user namespaces ---------------------------------------------------------- */

/* libvirt sorts them by their start in the container. */
static void sort_last(struct mrg_id_mapping *item, size_t n)
{
	for (size_t i = n - 1; i > 0 && item[i - 1].container_id > item[i].container_id; i--) {
		struct mrg_id_mapping other = item[i];

		item[i] = item[i - 1];
		item[i - 1] = other;
	}
}

/* start: in the container; target: on the host. */
ROW_READER(domain_read_idmap)
{
	static const char *const names[] = { "start", "target", "count" };
	bool users = row->field == MRG_FIELD_UID_MAPPINGS;
	struct mrg_id_mapping mapping = { 0 };
	uint32_t *const to[] = { &mapping.container_id, &mapping.host_id, &mapping.size };
	struct mrg_spec *spec = in->spec;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		xmlAttr *attribute;
		const char *text;
		uint64_t number = 0;

		r = domain_attribute(in, element, names[i], &attribute, &text);
		if (r == 0)
			r = domain_number(in, attribute, i == 2, i == 2 ? UINT32_MAX : UINT32_MAX - 1, &number);
		*to[i] = (uint32_t)number;
		if (r == 0)
			r = domain_carried(in, attribute, row->field);
	}
	if (r < 0)
		return r;
	r = users ? mrg_spec_add_uid_mapping(spec, &mapping, in->err) : mrg_spec_add_gid_mapping(spec, &mapping, in->err);
	if (r == 0 && users)
		sort_last(spec->uid_mappings.item, spec->uid_mappings.n);
	else if (r == 0)
		sort_last(spec->gid_mappings.item, spec->gid_mappings.n);
	return r;
}

static int finish_idmap(struct domain_reader *in)
{
	const struct mrg_spec *spec = in->spec;
	xmlNode *idmap = xml_child(in->domain, "idmap");

	if (spec->uid_mappings.n == 0 && spec->gid_mappings.n == 0)
		return 0;
	if (spec->uid_mappings.n == 0 || spec->gid_mappings.n == 0)
		return domain_fail(in, idmap, "maps users or groups, and libvirt wants both");
	if (spec->uid_mappings.item[0].container_id != 0 || spec->gid_mappings.item[0].container_id != 0)
		return domain_fail(in, idmap, "must map root, the 0 of the container");
	return domain_set(in, idmap, MRG_FIELD_NS_USER, "private");
}

static bool maps_root(const struct mrg_id_mapping *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (item[i].container_id == 0)
			return true;
	return false;
}

static void write_mappings(struct domain_writer *out, const char *name, const struct mrg_id_mapping *item, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		xmlNode *element = domain_add(out, domain_at(out, "/domain/idmap"), name, NULL);

		domain_putf(out, element, "start", "%" PRIu32, item[i].container_id);
		domain_putf(out, element, "target", "%" PRIu32, item[i].host_id);
		domain_putf(out, element, "count", "%" PRIu32, item[i].size);
	}
}

ROW_WRITER(domain_write_idmap)
{
	static const char needs[] = "libvirt wants maps of users and of groups, both with the root of the container";
	const struct mrg_spec *spec = out->spec;
	bool shared = domain_has(out, MRG_FIELD_NS_USER) && !spec->ns_user;

	(void)row;
	if (shared)
		domain_report(out, MRG_FIELD_NS_USER, MRG_CARRIED, "the driver itself", NULL);
	if (shared || (spec->ns_user && *spec->ns_user) || !maps_root(spec->uid_mappings.item, spec->uid_mappings.n) ||
	    !maps_root(spec->gid_mappings.item, spec->gid_mappings.n)) {
		domain_lost(out, MRG_FIELD_NS_USER, spec->ns_user && *spec->ns_user ? "libvirt joins no user namespace" : needs);
		domain_lost(out, MRG_FIELD_UID_MAPPINGS, needs);
		domain_lost(out, MRG_FIELD_GID_MAPPINGS, needs);
		return;
	}
	write_mappings(out, "uid", spec->uid_mappings.item, spec->uid_mappings.n);
	write_mappings(out, "gid", spec->gid_mappings.item, spec->gid_mappings.n);
	domain_report(out, MRG_FIELD_NS_USER, MRG_CARRIED, "idmap", NULL);
	domain_report(out, MRG_FIELD_UID_MAPPINGS, MRG_CARRIED, "idmap/uid", NULL);
	domain_report(out, MRG_FIELD_GID_MAPPINGS, MRG_CARRIED, "idmap/gid", NULL);
}

/* ---- labels ------------------------------------------------------------------- */

static const struct label {
	const char *model;
	enum mrg_field field;
} labels[] = {
	{ "apparmor", MRG_FIELD_APPARMOR_PROFILE },
	{ "selinux", MRG_FIELD_SELINUX_LABEL },
};

static bool is_value(const xmlAttr *attribute, const char *value)
{
	return attribute && strcmp(xml_content((const xmlNode *)attribute), value) == 0;
}

/* A label given as it is. What libvirt makes up when the domain starts is not known here. */
static const struct label *static_label(const struct domain_reader *in, const xmlNode *element)
{
	const xmlNode *only = xml_child(element, NULL);

	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		if (attribute != xml_attribute(element, "type") && attribute != xml_attribute(element, "model") && attribute != xml_attribute(element, "relabel"))
			return NULL;
	if (!is_value(xml_attribute(element, "type"), "static") || (xml_attribute(element, "relabel") && !is_value(xml_attribute(element, "relabel"), "no")) ||
	    !only || !xml_is(only, "label") || xml_next(only, NULL))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (is_value(xml_attribute(element, "model"), labels[i].model) && !mrg_fields_has(&in->spec->set, labels[i].field))
			return &labels[i];
	return NULL;
}

ROW_READER(domain_read_seclabel)
{
	const struct label *label = static_label(in, element);
	xmlNode *text = xml_child(element, "label");
	const char *value;
	int r;

	(void)row;
	if (!label && is_value(xml_attribute(element, "type"), "none"))
		return domain_keep_whole(in, element, MRG_APPROXIMATED, "a container without a label has none anyway; kept verbatim");
	if (!label)
		return domain_keep_whole(in, element, MRG_WEAKENS, "no field says this of the label that libvirt gives; kept verbatim");
	r = domain_text(in, text, &value);
	if (r == 0)
		r = domain_set(in, text, label->field, value);
	if (r == 0)
		r = domain_claim_whole(in, element, &(struct claim){ .verdict = MRG_CARRIED, .field = (int)label->field });
	return r;
}

ROW_WRITER(domain_write_seclabels)
{
	const char *const values[] = { out->spec->apparmor_profile, out->spec->selinux_label };

	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		xmlNode *element;

		if (!domain_has(out, labels[i].field))
			continue;
		if (!*values[i] || !xml_can_hold(values[i])) {
			domain_lost(out, labels[i].field, "is no label that libvirt takes");
			continue;
		}
		element = domain_add(out, out->domain, "seclabel", NULL);
		domain_put(out, element, "type", "static");
		domain_put(out, element, "model", labels[i].model);
		domain_put(out, element, "relabel", "no");
		domain_add(out, element, "label", values[i]);
		domain_report(out, labels[i].field, MRG_CARRIED, "seclabel", NULL);
	}
}

/* Without a word about capabilities the default policy holds. */
int domain_finish_sandbox(struct domain_reader *in)
{
	int r = finish_idmap(in);

	in->spec->cap_bounding = in->have_capabilities ? in->capabilities : DEFAULT_CAPABILITIES;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CAP_BOUNDING);
	return r;
}
