/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of both versions of cgroups, and what they are in a spec. */

#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/limits.h"
#include "core/util/cleanup.h"

struct limit {
	enum mrg_field field;
	const char *file[2];		/* of v1 and v2; NULL: none */
	/* As lxc_limit_read(). */
	int (*read)(const struct limit *limit, struct lxc_side *side, int version, const char *value, struct mrg_error *err);
	/* Adds the line for the file of @version. */
	void (*write)(struct key_writer *out, const struct limit *limit, int version);
};

/* The names that io.max has for what are files in v1. */
static const struct {
	const char *name;
	enum mrg_field field;
} rates[] = {
	{ "rbps", MRG_FIELD_IO_READ_BPS }, { "wbps", MRG_FIELD_IO_WRITE_BPS },
	{ "riops", MRG_FIELD_IO_READ_IOPS }, { "wiops", MRG_FIELD_IO_WRITE_IOPS },
};

#define LIMIT_READER(name) \
	static int name(const struct limit *limit, struct lxc_side *side, int version, const char *value, struct mrg_error *err)
#define LIMIT_WRITER(name)	static void name(struct key_writer *out, const struct limit *limit, int version)

/* ---- reading one value ------------------------------------------------------------------------------ */

LIMIT_READER(read_plain)
{
	(void)version;
	return mrg_spec_set(side->spec, limit->field, value, err);
}

/* No process at all is what a spec has no number for: 0 is unlimited there. */
LIMIT_READER(read_pids)
{
	uint64_t tasks;

	(void)version;
	if (parse_uint64(value, &tasks) == 0 && tasks == 0)
		return 1;
	return mrg_spec_set(side->spec, limit->field, strcmp(value, "max") == 0 ? "-1" : value, err);
}

LIMIT_READER(read_swap)
{
	if (version == LXC_V1)
		return mrg_spec_set(side->spec, limit->field, value, err);
	if (parse_size(value, &side->swap) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be a size such as 512M, or max, not '%.40s'", value);
	side->have_swap = true;
	return 0;
}

static int set_quota(struct lxc_side *side, const char *value, struct mrg_error *err)
{
	int64_t quota;

	if (parse_int64(value, &quota) < 0 || quota == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be a number of microseconds, or -1 or max, not '%.40s'", value);
	return mrg_spec_set(side->spec, MRG_FIELD_CPU_QUOTA, quota < 0 ? "-1" : value, err);
}

/* "QUOTA", "QUOTA PERIOD", "max ..." */
LIMIT_READER(read_quota)
{
	_cleanup_free_ char *copy = strdup(value);
	char *at = copy, *quota, *period;
	int r;

	(void)limit;
	if (version == LXC_V1)
		return set_quota(side, value, err);
	quota = copy ? lxc_part(&at, LXC_BLANKS) : NULL;
	if (!quota)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	period = lxc_part(&at, LXC_BLANKS);
	r = set_quota(side, strcmp(quota, "max") == 0 ? "-1" : quota, err);
	return r < 0 || !period ? r : mrg_spec_set(side->spec, MRG_FIELD_CPU_PERIOD, period, err);
}

static int set_number(struct lxc_side *side, enum mrg_field field, uint64_t value, struct mrg_error *err)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return mrg_spec_set(side->spec, field, text, err);
}

LIMIT_READER(read_shares)
{
	uint64_t weight;

	if (version == LXC_V1)
		return mrg_spec_set(side->spec, limit->field, value, err);
	if (parse_uint64(value, &weight) < 0 || weight < 1 || weight > 10000)
		return mrg_error_set(err, -MRG_E_INVALID, "must be from 1 to 10000, not '%.40s'", value);
	return set_number(side, limit->field, format_shares_of_weight(weight), err);
}

/* io.weight is 100 where blkio.weight, and OCI, are 500; what OCI cannot say stays a file of its own. */
LIMIT_READER(read_io_weight)
{
	uint64_t weight;

	if (version == LXC_V1)
		return mrg_spec_set(side->spec, limit->field, value, err);
	if (parse_uint64(strncmp(value, "default ", 8) == 0 ? value + 8 : value, &weight) < 0 || weight < 2 || weight > 200)
		return 1;
	return set_number(side, limit->field, weight * 5, err);
}

static int add_rate(struct lxc_side *side, enum mrg_field field, const struct mrg_io_limit *rate, struct mrg_error *err)
{
	struct list *list = member_at(&spec_fields[field].value, side->spec);
	struct mrg_io_limit *item = spec_list_append(side->spec, list, sizeof(*item));

	if (!item)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	*item = *rate;
	mrg_fields_add(&side->spec->set, field);
	return 0;
}

static bool parse_device(const char *word, struct mrg_io_limit *rate)
{
	unsigned int major, minor;
	int end = 0;

	if (!word || strlen(word) > 21 || !isdigit((unsigned char)*word) || sscanf(word, "%10u:%10u%n", &major, &minor, &end) != 2 ||
	    word[end])
		return false;
	rate->major = major;
	rate->minor = minor;
	return true;
}

static int bad_rate(struct mrg_error *err, const char *value)
{
	return mrg_error_set(err, -MRG_E_INVALID, "must be MAJOR:MINOR and rates, not '%.40s'", value);
}

/* One of "rbps=5", a rate of 0 being none. */
static int read_io_word(struct lxc_side *side, struct mrg_io_limit *rate, const char *word, const char *value, struct mrg_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		size_t length = strlen(rates[i].name);

		if (strncmp(word, rates[i].name, length) != 0 || word[length] != '=')
			continue;
		rate->rate = 0;
		if (strcmp(word + length + 1, "max") != 0 && parse_uint64(word + length + 1, &rate->rate) < 0)
			return bad_rate(err, value);
		return add_rate(side, rates[i].field, rate, err);
	}
	return bad_rate(err, value);
}

/* v1 has a file for each kind of rate, v2 one for all. */
LIMIT_READER(read_io)
{
	_cleanup_free_ char *copy = strdup(value);
	char *at = copy, *word;
	struct mrg_io_limit rate = { 0 };
	int r = 0;

	if (!copy)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	word = lxc_part(&at, LXC_BLANKS);
	if (!parse_device(word, &rate))
		return bad_rate(err, value);
	word = lxc_part(&at, LXC_BLANKS);
	if (!word)
		return bad_rate(err, value);
	if (version == LXC_V1)
		return parse_uint64(word, &rate.rate) < 0 || lxc_part(&at, LXC_BLANKS) ? bad_rate(err, value) :
			add_rate(side, limit->field, &rate, err);
	for (; word && r == 0; word = lxc_part(&at, LXC_BLANKS))
		r = read_io_word(side, &rate, word, value, err);
	return r;
}

/* ---- writing one line -------------------------------------------------------------------------------- */

static void begin_line(struct key_writer *out, const struct limit *limit, int version)
{
	buffer_addf(&out->b, "lxc.cgroup%s.%s = ", version == LXC_V2 ? "2" : "", limit->file[version]);
}

static const void *value_of(const struct key_writer *out, const struct limit *limit)
{
	return member_at_const(&spec_fields[limit->field].value, out->spec);
}

LIMIT_WRITER(write_number)
{
	const struct member *member = &spec_fields[limit->field].value;
	const void *value = value_of(out, limit);

	begin_line(out, limit, version);
	if (member->type == VALUE_BOOL)
		buffer_addf(&out->b, "%d\n", *(const int *)value);
	else if (member->type == VALUE_UINT64)
		buffer_addf(&out->b, "%" PRIu64 "\n", *(const uint64_t *)value);
	else
		buffer_addf(&out->b, "%" PRId64 "\n", *(const int64_t *)value);
}

static void write_size(struct key_writer *out, const struct limit *limit, int version, int64_t size)
{
	begin_line(out, limit, version);
	if (size < 0)
		buffer_addf(&out->b, "%s\n", version == LXC_V2 ? "max" : "-1");
	else
		buffer_addf(&out->b, "%" PRId64 "\n", size);
}

LIMIT_WRITER(write_bytes)
{
	write_size(out, limit, version, *(const int64_t *)value_of(out, limit));
}

LIMIT_WRITER(write_pids)
{
	begin_line(out, limit, version);
	if (out->spec->pids_limit > 0)
		buffer_addf(&out->b, "%" PRId64 "\n", out->spec->pids_limit);
	else
		buffer_addf(&out->b, "max\n");
}

LIMIT_WRITER(write_swap)
{
	const struct mrg_spec *spec = out->spec;
	bool limited = key_has(out, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0;

	if (version == LXC_V1 || spec->memory_swap < 0)
		write_size(out, limit, version, spec->memory_swap);
	else if (limited && spec->memory_swap >= spec->memory_limit)
		write_size(out, limit, version, spec->memory_swap - spec->memory_limit);
	else
		key_report(out, limit->field, MRG_DROPPED, NULL, "cgroup v2 counts swap alone, and there is no limit of memory below it");
}

LIMIT_WRITER(write_shares)
{
	uint64_t weight = format_weight_of_shares(out->spec->cpu_shares);

	begin_line(out, limit, version);
	buffer_addf(&out->b, "%" PRIu64 "\n", version == LXC_V1 ? out->spec->cpu_shares : weight < 1 ? 1 : weight > 10000 ? 10000 : weight);
}

LIMIT_WRITER(write_quota)
{
	const struct mrg_spec *spec = out->spec;
	bool quota = key_has(out, MRG_FIELD_CPU_QUOTA) && spec->cpu_quota > 0;

	if (version == LXC_V1) {
		write_size(out, limit, version, spec->cpu_quota > 0 ? spec->cpu_quota : -1);
		return;
	}
	begin_line(out, limit, version);
	if (quota)
		buffer_addf(&out->b, "%" PRId64, spec->cpu_quota);
	else
		buffer_addf(&out->b, "max");
	if (key_has(out, MRG_FIELD_CPU_PERIOD))
		buffer_addf(&out->b, " %" PRIu64, spec->cpu_period);
	buffer_addf(&out->b, "\n");
}

LIMIT_WRITER(write_text)
{
	const char *text = *(const char *const *)value_of(out, limit);
	char name[64];

	snprintf(name, sizeof(name), "lxc.cgroup%s.%s", version == LXC_V2 ? "2" : "", limit->file[version]);
	if (!key_line(out, name, text))
		key_report(out, limit->field, MRG_DROPPED, NULL, "no line can hold it");
}

LIMIT_WRITER(write_io_weight)
{
	begin_line(out, limit, version);
	if (version == LXC_V1)
		buffer_addf(&out->b, "%" PRIu32 "\n", out->spec->io_weight);
	else
		buffer_addf(&out->b, "default %" PRIu32 "\n", (out->spec->io_weight + 2) / 5);
	if (out->spec->io_weight % 5)
		key_report(out, limit->field, MRG_APPROXIMATED, limit->file[LXC_V2], "the weight of cgroup v2 is a fifth of it, rounded");
}

LIMIT_WRITER(write_io)
{
	const struct list *list = value_of(out, limit);
	const struct mrg_io_limit *item = list->item;
	const char *name = "";

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		name = rates[i].field == limit->field ? rates[i].name : name;
	for (size_t i = 0; i < list->n; i++) {
		begin_line(out, limit, version);
		buffer_addf(&out->b, "%" PRId64 ":%" PRId64 " ", item[i].major, item[i].minor);
		if (version == LXC_V2)
			buffer_addf(&out->b, "%s=", name);
		if (version == LXC_V2 && item[i].rate == 0)
			buffer_addf(&out->b, "max\n");
		else
			buffer_addf(&out->b, "%" PRIu64 "\n", item[i].rate);
	}
}

/* ---- the table ------------------------------------------------------------------------------------------ */

/* What depends on another limit comes behind it. */
static const struct limit limits[] = {
	{ MRG_FIELD_MEMORY_LIMIT, { "memory.limit_in_bytes", "memory.max" }, read_plain, write_bytes },
	{ MRG_FIELD_MEMORY_SWAP, { "memory.memsw.limit_in_bytes", "memory.swap.max" }, read_swap, write_swap },
	{ MRG_FIELD_MEMORY_RESERVATION, { "memory.soft_limit_in_bytes", "memory.low" }, read_plain, write_bytes },
	{ MRG_FIELD_MEMORY_SWAPPINESS, { "memory.swappiness", NULL }, read_plain, write_number },
	{ MRG_FIELD_MEMORY_DISABLE_OOM_KILLER, { "memory.oom_control", NULL }, read_plain, write_number },
	{ MRG_FIELD_CPU_SHARES, { "cpu.shares", "cpu.weight" }, read_shares, write_shares },
	{ MRG_FIELD_CPU_PERIOD, { "cpu.cfs_period_us", NULL }, read_plain, write_number },
	{ MRG_FIELD_CPU_QUOTA, { "cpu.cfs_quota_us", "cpu.max" }, read_quota, write_quota },
	{ MRG_FIELD_CPU_BURST, { "cpu.cfs_burst_us", "cpu.max.burst" }, read_plain, write_number },
	{ MRG_FIELD_CPU_IDLE, { "cpu.idle", "cpu.idle" }, read_plain, write_number },
	{ MRG_FIELD_CPUSET_CPUS, { "cpuset.cpus", "cpuset.cpus" }, read_plain, write_text },
	{ MRG_FIELD_CPUSET_MEMS, { "cpuset.mems", "cpuset.mems" }, read_plain, write_text },
	{ MRG_FIELD_PIDS_LIMIT, { "pids.max", "pids.max" }, read_pids, write_pids },
	{ MRG_FIELD_IO_WEIGHT, { "blkio.weight", "io.weight" }, read_io_weight, write_io_weight },
	{ MRG_FIELD_IO_READ_BPS, { "blkio.throttle.read_bps_device", "io.max" }, read_io, write_io },
	{ MRG_FIELD_IO_WRITE_BPS, { "blkio.throttle.write_bps_device", "io.max" }, read_io, write_io },
	{ MRG_FIELD_IO_READ_IOPS, { "blkio.throttle.read_iops_device", "io.max" }, read_io, write_io },
	{ MRG_FIELD_IO_WRITE_IOPS, { "blkio.throttle.write_iops_device", "io.max" }, read_io, write_io },
	{ 0 }
};

/* ---- huge pages: the size is in the name of the file ----------------------------------------------------- */

#define HUGEPAGE_SIZE_MAX	16

static const char *const hugepage_ends[] = { ".limit_in_bytes", ".max" };

/* The size in "hugetlb.2MB.max", or 0. */
static size_t hugepage_size(const char *file, int version)
{
	size_t length = strlen(file), end = strlen(hugepage_ends[version]);

	if (strncmp(file, "hugetlb.", 8) != 0 || length <= 8 + end || strcmp(file + length - end, hugepage_ends[version]) != 0)
		return 0;
	length -= 8 + end;
	return length <= HUGEPAGE_SIZE_MAX && strspn(file + 8, "0123456789KMGB") == length ? length : 0;
}

static int read_hugepages(struct lxc_side *side, const char *file, int version, const char *value, struct mrg_error *err)
{
	struct list *list = (struct list *)&side->spec->hugepage_limits;
	struct mrg_hugepage_limit *item = NULL, wanted;
	char *size = mrg_spec_strdup(side->spec, file + 8);
	int64_t bytes;

	if (parse_size(value, &bytes) < 0 || bytes < 0)
		return 1;
	if (!size)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	size[hugepage_size(file, version)] = '\0';
	wanted = (struct mrg_hugepage_limit){ size, (uint64_t)bytes };
	for (size_t i = 0; i < side->spec->hugepage_limits.n; i++)
		if (strcmp(side->spec->hugepage_limits.item[i].page_size, size) == 0)
			item = &side->spec->hugepage_limits.item[i];
	if (!item)
		item = spec_list_append(side->spec, list, sizeof(*item));
	if (!item)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	*item = wanted;
	mrg_fields_add(&side->spec->set, MRG_FIELD_HUGEPAGE_LIMITS);
	return 0;
}

/* As write_limit() does it for files with a name of their own. */
static void write_hugepage(struct key_writer *out, const struct mrg_hugepage_limit *item)
{
	char name[96];

	snprintf(name, sizeof(name), "lxc.cgroup.hugetlb.%s%s", item->page_size, hugepage_ends[LXC_V1]);
	if (lxc_kept(out, name))
		key_report(out, MRG_FIELD_HUGEPAGE_LIMITS, MRG_APPROXIMATED, "hugetlb", "for cgroup v1 what was kept verbatim counts");
	else
		buffer_addf(&out->b, "%s = %" PRIu64 "\n", name, item->limit);
	buffer_addf(&out->b, "lxc.cgroup2.hugetlb.%s%s = %" PRIu64 "\n", item->page_size, hugepage_ends[LXC_V2], item->limit);
}

static void write_hugepages(struct key_writer *out)
{
	const struct mrg_spec *spec = out->spec;

	for (size_t i = 0; i < spec->hugepage_limits.n && key_has(out, MRG_FIELD_HUGEPAGE_LIMITS); i++) {
		const char *size = spec->hugepage_limits.item[i].page_size;

		if (*size && strlen(size) <= HUGEPAGE_SIZE_MAX && !size[strspn(size, "0123456789KMGB")])
			write_hugepage(out, &spec->hugepage_limits.item[i]);
		else
			key_report(out, MRG_FIELD_HUGEPAGE_LIMITS, MRG_DROPPED, NULL, "a size of pages that is none, such as 2MB");
	}
	if (key_has(out, MRG_FIELD_HUGEPAGE_LIMITS))
		key_report(out, MRG_FIELD_HUGEPAGE_LIMITS, MRG_CARRIED, "hugetlb", NULL);
}

/* ---- by file --------------------------------------------------------------------------------------------- */

int lxc_limit_read(struct lxc_side *side, const char *file, int version, const char *value, int *field, struct mrg_error *err)
{
	for (const struct limit *limit = limits; limit->read; limit++) {
		if (!limit->file[version] || strcmp(limit->file[version], file) != 0)
			continue;
		*field = limit->field;
		return limit->read(limit, side, version, value, err);
	}
	*field = MRG_FIELD_HUGEPAGE_LIMITS;
	return hugepage_size(file, version) ? read_hugepages(side, file, version, value, err) : 1;
}

bool lxc_limit_collects(const char *file)
{
	return strcmp(file, "io.max") == 0 || strncmp(file, "blkio.throttle.", strlen("blkio.throttle.")) == 0;
}

/* What was kept for cgroup v1 because it differs is not written over. */
static void write_limit(struct key_writer *out, const struct limit *limit)
{
	char name[64];

	snprintf(name, sizeof(name), "lxc.cgroup.%s", limit->file[LXC_V1]);
	if (lxc_kept(out, name))
		key_report(out, limit->field, MRG_APPROXIMATED, limit->file[LXC_V2], "for cgroup v1 what was kept verbatim counts");
	else
		limit->write(out, limit, LXC_V1);
	if (limit->file[LXC_V2])
		limit->write(out, limit, LXC_V2);
	key_report(out, limit->field, MRG_CARRIED, limit->file[limit->file[LXC_V2] ? LXC_V2 : LXC_V1], NULL);
}

void lxc_limits_write(struct key_writer *out)
{
	for (const struct limit *limit = limits; limit->write; limit++)
		if (key_has(out, limit->field))
			write_limit(out, limit);
	write_hugepages(out);
}
