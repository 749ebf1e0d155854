/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about limits: memory, processors, block devices, the place among control groups. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- memory ----------------------------------------------------------------- */

/* What libvirt takes for no limit, in KiB; also the most it takes. */
#define UNLIMITED_KIB	INT64_C(9007199254740991)

uint64_t domain_unit(const char *unit)
{
	static const char prefixes[] = "kmgtpe";
	const char *prefix;
	uint64_t base, factor = 1;

	if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 || strcasecmp(unit, "bytes") == 0)
		return 1;
	prefix = *unit ? strchr(prefixes, *unit | 0x20) : NULL;
	if (!prefix)
		return 0;
	if (!unit[1] || strcasecmp(unit + 1, "ib") == 0)
		base = 1024;
	else if (strcasecmp(unit + 1, "b") == 0)
		base = 1000;
	else
		return 0;
	for (const char *c = prefixes; c <= prefix; c++)
		factor *= base;
	return factor;
}

/* A size with its unit; -1 when it is none. KiB, as libvirt rounds it up. */
static int read_size(struct domain_reader *in, xmlNode *element, int field, int64_t *ret)
{
	xmlAttr *unit = xml_attribute(element, "unit");
	uint64_t factor = unit ? domain_unit(xml_content((xmlNode *)unit)) : 1024, number, bytes;
	int r;

	if (factor == 0)
		return domain_fail(in, unit, "must be a unit such as KiB, MiB or bytes, not '%.20s'", xml_content((xmlNode *)unit));
	r = domain_number(in, element, 0, UINT64_MAX, &number);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(number, factor, &bytes) || bytes > INT64_MAX)
		return domain_fail(in, element, "is too large");
	*ret = -1;
	if (bytes / 1024 < (uint64_t)UNLIMITED_KIB)
		*ret = (int64_t)(bytes / 1024 + (bytes % 1024 != 0)) * 1024;
	r = domain_carried(in, unit, field);
	return r < 0 ? r : domain_carried(in, element, field);
}

/* The driver sets the limit to <memory>; <currentMemory> has its meaning for machines with a balloon. */
ROW_READER(domain_read_memory)
{
	bool current = strcmp(row->path, "/domain/currentMemory") == 0;
	int64_t *to = current ? &in->current : &in->memory;
	int r = read_size(in, element, row->field, to);

	if (r == 0 && !current && *to == 0)
		return domain_fail(in, element, "must be more than nothing");
	return r;
}

ROW_READER(domain_read_hard_limit)
{
	int r = read_size(in, element, row->field, &in->hard_limit);

	if (r == 0 && in->hard_limit == 0)
		return domain_fail(in, element, "must be more than nothing");
	return r;
}

static int set_size(struct domain_reader *in, const void *node, enum mrg_field field, int64_t bytes)
{
	char text[32];

	if (bytes < 0)
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, bytes);
	return domain_set(in, node, field, text);
}

static const char *const v2_notes[] = {
	"on cgroup v2 libvirt makes it memory.high",
	"on cgroup v2 libvirt takes it for swap alone, not for memory and swap",
};

static bool is_swap(const struct row *row)
{
	return row->field == MRG_FIELD_MEMORY_SWAP;
}

ROW_READER(domain_read_soft_limit)
{
	int64_t bytes;
	int r = read_size(in, element, row->field, &bytes);

	if (r == 0)
		r = set_size(in, element, (enum mrg_field)row->field, bytes);
	if (r < 0 || bytes < 0)
		return r;
	return domain_claim(in, element, &(struct claim){ .verdict = MRG_APPROXIMATED, .field = row->field, .note = v2_notes[is_swap(row)] });
}

/* Kernels count pages, so that what is less than a KiB makes no difference. */
static void write_size(struct domain_writer *out, xmlNode *parent, const char *name, int64_t bytes)
{
	int64_t kib = bytes < 0 || bytes / 1024 > UNLIMITED_KIB ? UNLIMITED_KIB : bytes / 1024;

	domain_put(out, domain_addf(out, parent, name, "%" PRId64, kib), "unit", "KiB");
}

ROW_WRITER(domain_write_memory)
{
	int64_t limit = domain_has(out, MRG_FIELD_MEMORY_LIMIT) ? out->spec->memory_limit : -1;

	(void)row;
	/* libvirt takes no domain without, and none with nothing. */
	write_size(out, out->domain, "memory", limit >= 0 && limit < 1024 ? 1024 : limit);
	domain_report(out, MRG_FIELD_MEMORY_LIMIT, limit >= 0 && limit % 1024 ? MRG_APPROXIMATED : MRG_CARRIED, "memory", "libvirt counts in KiB");
}

ROW_WRITER(domain_write_soft_limit)
{
	int64_t bytes = is_swap(row) ? out->spec->memory_swap : out->spec->memory_reservation;

	if (!domain_has(out, (unsigned int)row->field))
		return;
	if (bytes >= 0)
		write_size(out, domain_at(out, "/domain/memtune"), strrchr(row->path, '/') + 1, bytes);
	domain_report(out, (unsigned int)row->field, bytes < 0 ? MRG_CARRIED : MRG_APPROXIMATED, row->path + strlen("/domain/"), v2_notes[is_swap(row)]);
}

/* ---- processors ------------------------------------------------------------- */

/* "0-3,7", and libvirt's "^2". */
static bool is_set(const char *text)
{
	return *text && !text[strspn(text, "0123456789,-")];
}

ROW_READER(domain_read_vcpu)
{
	xmlAttr *cpuset = xml_attribute(element, "cpuset"), *placement = xml_attribute(element, "placement");
	const char *text;
	uint64_t count;
	int r = domain_number(in, element, 1, UINT32_MAX, &count);

	if (r == 0)
		r = domain_claim(in, element, &(struct claim){ .verdict = count == 1 ? MRG_CARRIED : MRG_APPROXIMATED, .field = -1,
							       .rest = count == 1 ? REST_TAKEN : REST_KEPT,
							       .note = "the LXC driver gives a container all processors; kept verbatim" });
	if (r < 0 || !cpuset || (placement && strcmp(xml_content((xmlNode *)placement), "auto") == 0))
		return r;
	r = domain_text(in, cpuset, &text);
	if (r < 0)
		return r;
	if (!is_set(text))
		return domain_claim(in, cpuset, &(struct claim){ .verdict = MRG_DROPPED, .field = -1, .rest = REST_KEPT,
								  .note = "a spec takes lists such as 0-3,7; kept verbatim" });
	r = domain_set(in, cpuset, MRG_FIELD_CPUSET_CPUS, text);
	return r < 0 ? r : domain_carried(in, cpuset, row->field);
}

ROW_WRITER(domain_write_vcpu)
{
	const char *cpus = out->spec->cpuset_cpus;

	if (!domain_has(out, (unsigned int)row->field))
		return;
	if (!is_set(cpus)) {
		domain_report(out, (unsigned int)row->field, MRG_DROPPED, NULL, "is no list that libvirt takes");
		return;
	}
	domain_put(out, domain_add(out, out->domain, "vcpu", "1"), "cpuset", cpus);
	domain_report(out, (unsigned int)row->field, MRG_CARRIED, "vcpu/@cpuset", NULL);
}

#define MAX_QUOTA	INT64_C(17592186044415)
static const char shares_note[] = "on cgroup v2 libvirt writes the number into cpu.weight, where 100 is usual";

static const struct tune {
	enum mrg_field field;
	uint64_t low, high;
} tunes[] = {
	{ MRG_FIELD_CPU_SHARES, 2, 262144 },
	{ MRG_FIELD_CPU_PERIOD, 1000, 1000000 },
	{ MRG_FIELD_CPU_QUOTA, 1000, MAX_QUOTA },
};

static const struct tune *tune_of(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(tunes) - 1; i++)
		if ((int)tunes[i].field == row->field)
			return &tunes[i];
	return &tunes[ARRAY_SIZE(tunes) - 1];
}

ROW_READER(domain_read_cputune)
{
	const struct tune *tune = tune_of(row);
	const char *text = xml_content(element);
	int64_t quota = 0;
	bool unlimited = tune->field == MRG_FIELD_CPU_QUOTA && text && parse_int64(text, &quota) == 0 && quota < 0;
	uint64_t number;
	int r = 0;

	/* Any negative quota is none; 0 of period and quota says nothing. */
	if (unlimited)
		r = domain_set(in, element, tune->field, "-1");
	else if (tune->field != MRG_FIELD_CPU_SHARES && text && strcmp(text, "0") == 0)
		return domain_carried(in, element, -1);
	else
		r = domain_number(in, element, tune->low, tune->high, &number);
	if (r == 0 && !unlimited)
		r = domain_set(in, element, tune->field, text);
	if (r < 0)
		return r;
	return domain_claim(in, element, &(struct claim){ .verdict = tune->field == MRG_FIELD_CPU_SHARES ? MRG_APPROXIMATED : MRG_CARRIED,
							  .field = row->field, .note = shares_note });
}

ROW_WRITER(domain_write_cputune)
{
	const struct mrg_spec *spec = out->spec;
	const struct tune *tune = tune_of(row);
	bool is_quota = tune->field == MRG_FIELD_CPU_QUOTA, is_shares = tune->field == MRG_FIELD_CPU_SHARES;
	uint64_t value = is_quota ? (uint64_t)spec->cpu_quota : is_shares ? spec->cpu_shares : spec->cpu_period;

	if (!domain_has(out, tune->field))
		return;
	if (is_quota && spec->cpu_quota <= 0)
		domain_add(out, domain_at(out, "/domain/cputune"), "quota", "-1");
	else if (value >= tune->low && value <= tune->high)
		domain_addf(out, domain_at(out, "/domain/cputune"), strrchr(row->path, '/') + 1, "%" PRIu64, value);
	else {
		domain_report(out, tune->field, MRG_DROPPED, NULL, "is more or less than libvirt takes");
		return;
	}
	domain_report(out, tune->field, is_shares ? MRG_APPROXIMATED : MRG_CARRIED, row->path + strlen("/domain/"), shares_note);
}

/* ---- block devices ---------------------------------------------------------- */

ROW_READER(domain_read_weight)
{
	uint64_t weight;
	int r = domain_number(in, element, 0, 10000, &weight);

	if (r < 0)
		return r;
	if (weight == 0)
		return domain_carried(in, element, -1);
	if (weight < 10 || weight > 1000)
		return domain_keep_whole(in, element, MRG_DROPPED, "a spec takes weights from 10 to 1000; kept verbatim");
	r = domain_set(in, element, MRG_FIELD_IO_WEIGHT, xml_content(element));
	return r < 0 ? r : domain_carried(in, element, row->field);
}

ROW_WRITER(domain_write_weight)
{
	(void)row;
	if (!domain_has(out, MRG_FIELD_IO_WEIGHT))
		return;
	domain_addf(out, domain_at(out, "/domain/blkiotune"), "weight", "%" PRIu32, out->spec->io_weight);
	domain_report(out, MRG_FIELD_IO_WEIGHT, MRG_CARRIED, "blkiotune/weight", NULL);
}

static const struct io {
	const char *name;
	enum mrg_field field;
	uint64_t high;
} ios[] = {
	{ "read_bytes_sec", MRG_FIELD_IO_READ_BPS, UINT64_MAX },
	{ "write_bytes_sec", MRG_FIELD_IO_WRITE_BPS, UINT64_MAX },
	{ "read_iops_sec", MRG_FIELD_IO_READ_IOPS, UINT32_MAX },
	{ "write_iops_sec", MRG_FIELD_IO_WRITE_IOPS, UINT32_MAX },
};

static bool path_of(const xmlNode *device, int64_t *major, int64_t *minor)
{
	const xmlNode *path = xml_child(device, "path");
	const char *text = path ? xml_content(path) : NULL;

	return text && domain_block_device(text, major, minor);
}

static bool say_the_same(const xmlNode *device, const xmlNode *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(ios); i++)
		if (xml_child(device, ios[i].name) && xml_child(other, ios[i].name))
			return true;
	return false;
}

/* Whether a spec has all that is said of a device, and none of it was said before. */
static bool is_plain_device(const struct domain_reader *in, const xmlNode *device)
{
	int64_t major, minor, a, b;

	if (!path_of(device, &major, &minor))
		return false;
	for (const xmlNode *child = xml_child(device, NULL); child; child = xml_next(child, NULL)) {
		bool known = xml_is(child, "path") && xml_child(device, "path") == child;

		for (size_t i = 0; i < ARRAY_SIZE(ios); i++)
			known |= xml_is(child, ios[i].name) && xml_child(device, ios[i].name) == child;
		if (!known || child->properties)
			return false;
	}
	for (const xmlNode *other = device->prev; other; other = other->prev)
		if (other->type == XML_ELEMENT_NODE && path_of(other, &a, &b) && a == major && b == minor && domain_is_taken(in, other) &&
		    say_the_same(device, other))
			return false;
	return true;
}

ROW_READER(domain_read_io_device)
{
	xmlNode *path = xml_child(element, "path");
	int64_t major, minor;
	int r = 0;

	(void)row;
	if (!path)
		return domain_fail(in, element, "has no element 'path'");
	if (!is_plain_device(in, element) || element->properties || !xml_next(xml_child(element, NULL), NULL))
		return domain_keep_whole(in, element, MRG_DROPPED, "a spec has no weight per device, and knows devices by numbers: give "
					 "/dev/block/MAJOR:MINOR; kept verbatim");
	path_of(element, &major, &minor);
	for (size_t i = 0; i < ARRAY_SIZE(ios) && r == 0; i++) {
		xmlNode *limit = xml_child(element, ios[i].name);
		uint64_t rate;

		if (!limit)
			continue;
		r = domain_number(in, limit, 0, ios[i].high, &rate);
		if (r == 0 && rate > 0)
			buffer_addf(&in->limits[i], "%s{\"major\":%" PRId64 ",\"minor\":%" PRId64 ",\"rate\":%" PRIu64 "}",
				    in->limits[i].length ? "," : "", major, minor, rate);
		if (r == 0)
			r = domain_carried(in, limit, (int)ios[i].field);
	}
	return r < 0 ? r : domain_carried(in, path, -1);
}

static const struct mrg_io_limit *io_list(const struct mrg_spec *spec, size_t i, size_t *n)
{
	*n = i == 0 ? spec->io_read_bps.n : i == 1 ? spec->io_write_bps.n : i == 2 ? spec->io_read_iops.n : spec->io_write_iops.n;
	return i == 0 ? spec->io_read_bps.item : i == 1 ? spec->io_write_bps.item : i == 2 ? spec->io_read_iops.item : spec->io_write_iops.item;
}

/* One element a limit, so that the order of each list stays. */
static void write_io_limit(struct domain_writer *out, const struct io *io, const struct mrg_io_limit *limit)
{
	xmlNode *device = domain_add(out, domain_at(out, "/domain/blkiotune"), "device", NULL);

	domain_addf(out, device, "path", "/dev/block/%" PRId64 ":%" PRId64, limit->major, limit->minor);
	domain_addf(out, device, io->name, "%" PRIu64, limit->rate);
}

ROW_WRITER(domain_write_io_devices)
{
	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(ios); i++) {
		struct loss loss = { 0 };
		size_t n;
		const struct mrg_io_limit *list = io_list(out->spec, i, &n);

		for (size_t j = 0; j < n; j++)
			if (list[j].rate == 0 || list[j].rate > ios[i].high)
				loss_add(&loss, MRG_DROPPED, "libvirt takes no such rate");
			else
				write_io_limit(out, &ios[i], &list[j]);
		domain_report(out, ios[i].field, loss.verdict, "blkiotune/device", loss.note);
	}
}

/* ---- memory nodes ----------------------------------------------------------- */

/* libvirt 9.0 leaves the memory nodes of the control group alone for "strict", and sets them for the other modes. */
ROW_READER(domain_read_numa)
{
	static const char *const modes[] = { "restrictive", "strict", "preferred", "interleave", NULL };
	static const char *const notes[] = {
		NULL, "libvirt 9.0 sets no memory nodes for the mode strict", "the policy within the nodes is lost", "the policy within the nodes is lost",
	};
	xmlAttr *mode = xml_attribute(element, "mode"), *nodeset = xml_attribute(element, "nodeset"),
		*placement = xml_attribute(element, "placement");
	int which = mode ? domain_word(in, mode, modes) : 1, r;
	const char *text;

	if (which < 0)
		return which;
	if (!nodeset || (placement && strcmp(xml_content((xmlNode *)placement), "auto") == 0))
		return domain_keep_whole(in, element, MRG_DROPPED, "numad chooses the nodes; kept verbatim");
	r = domain_text(in, nodeset, &text);
	if (r < 0)
		return r;
	if (!is_set(text))
		return domain_keep_whole(in, element, MRG_DROPPED, "a spec takes lists such as 0-3,7; kept verbatim");
	r = domain_set(in, nodeset, MRG_FIELD_CPUSET_MEMS, text);
	if (r == 0)
		r = domain_carried(in, nodeset, row->field);
	if (r == 0)
		r = domain_carried(in, placement, -1);
	return r < 0 ? r : domain_claim(in, mode, &(struct claim){ .verdict = which == 0 ? MRG_CARRIED : MRG_APPROXIMATED, .field = row->field,
								   .note = notes[which] });
}

ROW_WRITER(domain_write_numa)
{
	const char *mems = out->spec->cpuset_mems;
	xmlNode *memory;

	if (!domain_has(out, (unsigned int)row->field))
		return;
	if (!is_set(mems)) {
		domain_report(out, (unsigned int)row->field, MRG_DROPPED, NULL, "is no list that libvirt takes");
		return;
	}
	memory = domain_at(out, "/domain/numatune/memory");
	domain_put(out, memory, "mode", "restrictive");
	domain_put(out, memory, "nodeset", mems);
	domain_report(out, (unsigned int)row->field, MRG_CARRIED, "numatune/memory", NULL);
}

/* ---- together --------------------------------------------------------------- */

static int finish_memory(struct domain_reader *in)
{
	const struct claim claim = { .verdict = MRG_APPROXIMATED, .field = -1, .rest = REST_KEPT,
				     .note = "the LXC driver limits the memory to <memory>; kept verbatim" };
	const xmlNode *current = xml_child(in->domain, "currentMemory");
	int64_t limit = in->hard_limit > 0 ? in->hard_limit : in->memory;
	int r = set_size(in, in->domain, MRG_FIELD_MEMORY_LIMIT, limit);

	if (r < 0 || !current || in->current == limit)
		return r;
	r = domain_claim(in, xml_attribute(current, "unit"), &claim);
	return r < 0 ? r : domain_claim(in, current, &claim);
}

int domain_finish_limits(struct domain_reader *in)
{
	int r = finish_memory(in);

	for (size_t i = 0; i < ARRAY_SIZE(ios) && r == 0; i++) {
		_cleanup_free_ char *text = NULL;

		if (in->limits[i].length == 0)
			continue;
		if (in->limits[i].failed || asprintf(&text, "[%s]", in->limits[i].text) < 0)
			return domain_no_memory(in);
		r = domain_set(in, in->domain, ios[i].field, text);
	}
	return r;
}
