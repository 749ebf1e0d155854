/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about devices: those of the host that the container gets, and which it may use. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"

/* Numbers that never change, Documentation/admin-guide/devices.txt. Others would have to be looked up on the host. */
static const struct known {
	const char *path;
	const char *type;
	int64_t major, minor;
	bool own;			/* the driver makes a node for every container */
} known[] = {
	{ "/dev/null", "c", 1, 3, true }, { "/dev/zero", "c", 1, 5, true }, { "/dev/full", "c", 1, 7, true }, { "/dev/random", "c", 1, 8, true },
	{ "/dev/urandom", "c", 1, 9, true }, { "/dev/tty", "c", 5, 0, true }, { "/dev/console", "c", 5, 1, true }, { "/dev/ptmx", "c", 5, 2, true },
	{ "/dev/kmsg", "c", 1, 11, false }, { "/dev/hpet", "c", 10, 228, false }, { "/dev/net/tun", "c", 10, 200, false },
	{ "/dev/fuse", "c", 10, 229, false }, { "/dev/kvm", "c", 10, 232, false }, { "/dev/loop-control", "c", 10, 237, false },
};

/* What the driver allows to every container. Terminals are last, behind the devices of the host. */
static const struct mrg_device_rule own_rules[] = {
	{ 1, "c", 1, 3, "rwm" }, { 1, "c", 1, 5, "rwm" }, { 1, "c", 1, 7, "rwm" }, { 1, "c", 1, 8, "rwm" }, { 1, "c", 1, 9, "rwm" },
	{ 1, "c", 5, 0, "rwm" }, { 1, "c", 5, 2, "rwm" }, { 1, "c", 10, 229, "rwm" },
}, terminals = { 1, "c", 136, -1, "rwm" }, deny_all = { 0, "a", -1, -1, "rwm" }, make_any = { 1, "a", -1, -1, "m" };

static bool numbers(const char *path, const char *directory, int64_t *major, int64_t *minor)
{
	size_t length = strlen(directory);
	unsigned int a, b;
	int end = 0;

	if (strncmp(path, directory, length) != 0 || strlen(path) > 40 || sscanf(path + length, "%9u:%9u%n", &a, &b, &end) != 2 || path[length + (size_t)end] ||
	    path[length] < '0' || path[length] > '9')
		return false;
	*major = a;
	*minor = b;
	return true;
}

bool domain_block_device(const char *path, int64_t *major, int64_t *minor)
{
	return numbers(path, "/dev/block/", major, minor);
}

/* The type of the device at @path of any host: "c", "b", or NULL when it is not known. */
static const char *find_device(const char *path, int64_t *major, int64_t *minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].path, path) == 0) {
			*major = known[i].major;
			*minor = known[i].minor;
			return known[i].type;
		}
	if (domain_block_device(path, major, minor))
		return "b";
	return numbers(path, "/dev/char/", major, minor) ? "c" : NULL;
}

/* ---- reading ---------------------------------------------------------------- */

/* The path of the node; the driver makes it anew in the container, for its root alone. */
static int read_node(struct domain_reader *in, xmlNode *element, const char *name, const char *wanted)
{
	xmlNode *source = xml_child(element, "source"), *path = source ? xml_child(source, name) : NULL;
	struct mrg_device device = { .type = wanted, .file_mode = 0700 };
	const char *text, *type;
	int r;

	if (!path)
		return domain_fail(in, element, "has no element 'source/%s'", name);
	r = domain_text(in, path, &text);
	if (r < 0)
		return r;
	type = find_device(text, &device.major, &device.minor);
	if (!type || strcmp(type, wanted) != 0)
		return domain_keep_whole(in, element, MRG_DROPPED, "the numbers of the device are not known here; kept verbatim");
	device.path = text;
	r = mrg_spec_add_device(in->spec, &device, in->err);
	return r < 0 ? r : domain_carried(in, path, MRG_FIELD_DEVICES);
}

static int read_char(struct domain_reader *in, xmlNode *element)
{
	return read_node(in, element, "char", "c");
}

static int read_block(struct domain_reader *in, xmlNode *element)
{
	return read_node(in, element, "block", "b");
}

ROW_READER(domain_read_hostdev)
{
	static const char *const types[] = { "net", "misc", "storage", NULL };
	static int (*const readers[])(struct domain_reader *in, xmlNode *element) = { domain_read_net_hostdev, read_char, read_block };
	const struct claim inert = { .verdict = MRG_APPROXIMATED, .field = -1, .rest = REST_GONE,
				     .note = "the LXC driver does nothing with it for such a device" };
	xmlAttr *mode = xml_attribute(element, "mode"), *type = xml_attribute(element, "type");
	int which, r;

	if (!mode || strcmp(xml_content((xmlNode *)mode), "capabilities") != 0)
		return domain_keep_whole(in, element, MRG_DROPPED, "a device that is found when the domain starts; kept verbatim");
	if (!type)
		return domain_fail(in, element, "has no attribute 'type'");
	which = domain_word(in, type, types);
	if (which < 0)
		return which;
	r = domain_claim_whole(in, element, &inert);
	if (r == 0)
		r = domain_carried(in, mode, which == 0 ? MRG_FIELD_NETWORKS : row->field);
	if (r == 0)
		r = domain_carried(in, type, which == 0 ? MRG_FIELD_NETWORKS : row->field);
	return r < 0 ? r : readers[which](in, element);
}

/* The driver denies everything and then allows some. */
int domain_finish_devices(struct domain_reader *in)
{
	struct mrg_spec *spec = in->spec;
	int r = mrg_spec_add_device_rule(spec, &deny_all, in->err);

	if (r == 0 && in->mknod)
		r = mrg_spec_add_device_rule(spec, &make_any, in->err);
	for (size_t i = 0; i < ARRAY_SIZE(own_rules) && r == 0; i++)
		r = mrg_spec_add_device_rule(spec, &own_rules[i], in->err);
	for (size_t i = 0; i < spec->devices.n && r == 0; i++) {
		const struct mrg_device *device = &spec->devices.item[i];
		const struct mrg_device_rule rule = { 1, device->type, device->major, device->minor, "rwm" };

		r = mrg_spec_add_device_rule(spec, &rule, in->err);
	}
	return r < 0 ? r : mrg_spec_add_device_rule(spec, &terminals, in->err);
}

/* ---- writing ---------------------------------------------------------------- */

static bool is_same(const struct mrg_device *device, const char *type, int64_t major, int64_t minor)
{
	return type && strcmp(device->type, type) == 0 && device->major == major && device->minor == minor;
}

static bool is_own_node(const struct mrg_device *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].own && strcmp(device->path, known[i].path) == 0 && is_same(device, known[i].type, known[i].major, known[i].minor))
			return true;
	return false;
}

/* Whether it is the device that stands at that path on every host. The driver copies what stands there, whatever it is. */
static bool is_host_node(const struct mrg_device *device)
{
	int64_t major = 0, minor = 0;
	const char *type = find_device(device->path, &major, &minor);

	return is_same(device, type, major, minor);
}

static bool is_written(const struct mrg_device *device)
{
	return is_host_node(device) && (!is_own_node(device) || (device->file_mode == 0700 && device->uid == 0 && device->gid == 0));
}

static void write_node(struct domain_writer *out, const struct mrg_device *device)
{
	xmlNode *hostdev = domain_add(out, domain_at(out, "/domain/devices"), "hostdev", NULL);
	bool block = strcmp(device->type, "b") == 0;

	domain_put(out, hostdev, "mode", "capabilities");
	domain_put(out, hostdev, "type", block ? "storage" : "misc");
	domain_add(out, domain_add(out, hostdev, "source", NULL), block ? "block" : "char", device->path);
}

static void write_nodes(struct domain_writer *out)
{
	struct loss loss = { 0 };

	for (size_t i = 0; i < out->spec->devices.n; i++) {
		const struct mrg_device *device = &out->spec->devices.item[i];

		if (is_written(device)) {
			write_node(out, device);
			if (device->file_mode != 0700 || device->uid != 0 || device->gid != 0)
				loss_add(&loss, MRG_APPROXIMATED, "libvirt makes '%.80s' for root alone", device->path);
		} else if (!is_own_node(device)) {
			loss_add(&loss, MRG_DROPPED, "libvirt copies nodes of the host, and what '%.80s' is there is not known here", device->path);
		} else if ((device->file_mode && device->file_mode != 0666) || device->uid != 0 || device->gid != 0) {
			loss_add(&loss, MRG_APPROXIMATED, "libvirt makes '%.80s' for everybody", device->path);
		}
	}
	domain_report(out, MRG_FIELD_DEVICES, loss.verdict, "devices/hostdev", loss.note);
}

static bool same_rule(const struct mrg_device_rule *a, const struct mrg_device_rule *b)
{
	return strcmp(a->type ? a->type : "a", b->type ? b->type : "a") == 0 && a->major == b->major && a->minor == b->minor;
}

static bool is_asked(const struct mrg_spec *spec, const struct mrg_device_rule *rule)
{
	for (size_t i = 0; i < spec->device_rules.n; i++)
		if (spec->device_rules.item[i].allow && same_rule(&spec->device_rules.item[i], rule))
			return true;
	return false;
}

bool domain_makes_any_device(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->device_rules.n; i++)
		if (same_rule(&spec->device_rules.item[i], &make_any) && spec->device_rules.item[i].allow && spec->device_rules.item[i].access &&
		    strcmp(spec->device_rules.item[i].access, "m") == 0)
			return true;
	return false;
}

/* Whether the driver will allow what is asked. The console is a terminal of the container. */
static bool is_granted(const struct mrg_spec *spec, const struct mrg_device_rule *rule)
{
	static const struct mrg_device_rule console = { 1, "c", 5, 1, "rwm" };

	for (size_t i = 0; i < ARRAY_SIZE(own_rules); i++)
		if (same_rule(&own_rules[i], rule))
			return true;
	for (size_t i = 0; i < spec->devices.n; i++)
		if (is_written(&spec->devices.item[i]) && rule->type && is_same(&spec->devices.item[i], rule->type, rule->major, rule->minor))
			return true;
	return same_rule(&terminals, rule) || same_rule(&console, rule) || (same_rule(&make_any, rule) && domain_makes_any_device(spec));
}

/* A device without a node is of use only to who can make one. */
static void lose_rules(struct domain_writer *out, struct loss *loss)
{
	const struct mrg_spec *spec = out->spec;
	bool makes = domain_has(out, MRG_FIELD_CAP_BOUNDING) && spec->cap_bounding >> parse_capability("MKNOD") & 1;

	if (spec->device_rules.n == 0 || spec->device_rules.item[0].allow || !same_rule(&spec->device_rules.item[0], &deny_all)) {
		loss_add(loss, MRG_APPROXIMATED, "libvirt denies all devices but a few");
		return;
	}
	for (size_t i = 1; i < spec->device_rules.n; i++) {
		const struct mrg_device_rule *rule = &spec->device_rules.item[i];

		if (!rule->allow && is_granted(spec, rule))
			loss_add(loss, MRG_WEAKENS, "libvirt allows %s %" PRId64 ":%" PRId64 " to every container", rule->type ? rule->type : "a", rule->major,
				 rule->minor);
		else if (rule->allow && !is_granted(spec, rule))
			loss_add(loss, MRG_DROPPED, "libvirt does not allow %s %" PRId64 ":%" PRId64, rule->type ? rule->type : "a", rule->major, rule->minor);
	}
	for (size_t i = 0; i < ARRAY_SIZE(own_rules); i++)
		if (!is_asked(spec, &own_rules[i]))
			loss_add(loss, makes ? MRG_WEAKENS : MRG_APPROXIMATED, "libvirt allows c %" PRId64 ":%" PRId64 " to every container",
				 own_rules[i].major, own_rules[i].minor);
}

ROW_WRITER(domain_write_devices)
{
	struct loss loss = { 0 };

	(void)row;
	write_nodes(out);
	lose_rules(out, &loss);
	domain_report(out, MRG_FIELD_DEVICE_RULES, loss.verdict, "the driver itself", loss.note);
}
