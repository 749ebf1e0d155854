/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about limits: rlimits and control groups. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"

/* ---- rlimits ---------------------------------------------------------------- */

enum { UNIT_COUNT, UNIT_SIZE, UNIT_SECONDS, UNIT_MICROSECONDS, UNIT_NICE };

static const struct {
	const char *name;
	int unit;
} rlimits[] = {
	{ "AS", UNIT_SIZE }, { "CORE", UNIT_SIZE }, { "CPU", UNIT_SECONDS }, { "DATA", UNIT_SIZE },
	{ "FSIZE", UNIT_SIZE }, { "LOCKS", UNIT_COUNT }, { "MEMLOCK", UNIT_SIZE }, { "MSGQUEUE", UNIT_SIZE },
	{ "NICE", UNIT_NICE }, { "NOFILE", UNIT_COUNT }, { "NPROC", UNIT_COUNT }, { "RSS", UNIT_SIZE },
	{ "RTPRIO", UNIT_COUNT }, { "RTTIME", UNIT_MICROSECONDS }, { "SIGPENDING", UNIT_COUNT }, { "STACK", UNIT_SIZE },
};

static int rlimit_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
		if (strcmp(rlimits[i].name, name) == 0)
			return rlimits[i].unit;
	return UNIT_COUNT;
}

static bool parse_limit(const char *text, int unit, uint64_t *ret)
{
	int64_t value;

	if (strcmp(text, "infinity") == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	switch (unit) {
	case UNIT_SIZE:
		if (parse_size(text, &value) < 0 || value < 0)
			return false;
		*ret = (uint64_t)value;
		return true;
	case UNIT_SECONDS:
		if (unit_time(text, UNIT_SECOND, ret) < 0)
			return false;
		*ret = *ret / UNIT_SECOND + (*ret % UNIT_SECOND != 0);
		return true;
	case UNIT_MICROSECONDS:
		return unit_time(text, 1, ret) == 0;
	case UNIT_NICE:
		/* With a sign it is a nice level, without one the kernel's number, 20 minus the level. */
		if (text[0] != '-' && text[0] != '+')
			return parse_uint64(text, ret) == 0;
		if (parse_int64(text + (text[0] == '+'), &value) < 0 || value < -20 || value > 19)
			return false;
		*ret = (uint64_t)(20 - value);
		return true;
	default:
		return parse_uint64(text, ret) == 0;
	}
}

static int forget_rlimit(struct key_reader *in, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < in->spec->rlimits.n; i++)
		if (strcmp(in->spec->rlimits.item[i].type, type) != 0)
			in->spec->rlimits.item[n++] = in->spec->rlimits.item[i];
	in->spec->rlimits.n = n;
	if (n == 0)
		key_reset(in, MRG_FIELD_RLIMITS);
	return MRG_CARRIED;
}

KEY_READER(read_rlimit)
{
	const char *name = key->name + strlen("Limit");
	char type[32], *hard = value;
	struct mrg_rlimit limit = { .type = type };

	snprintf(type, sizeof(type), "RLIMIT_%s", name);
	forget_rlimit(in, type);
	if (!*value)
		return MRG_CARRIED;
	strsep(&hard, ":");
	if (!hard)
		hard = value;
	if (!parse_limit(value, rlimit_unit(name), &limit.soft) || !parse_limit(hard, rlimit_unit(name), &limit.hard))
		return key_fail(in, "must be a limit, or SOFT:HARD, not '%.40s'", value);
	if (limit.soft > limit.hard)
		return key_fail(in, "the soft limit is above the hard one");
	return mrg_spec_add_rlimit(in->spec, &limit, in->err) < 0 ? -MRG_E_INVALID : key->verdict;
}

static void write_limit(struct key_writer *out, int unit, uint64_t value)
{
	if (value == UINT64_MAX)
		buffer_addf(&out->b, "infinity");
	else
		buffer_addf(&out->b, "%" PRIu64 "%s", value, unit == UNIT_SECONDS ? "s" : "");
}

/* All of them, in the order of the list, by the first row. */
KEY_WRITER(write_rlimits)
{
	(void)key;
	if (mrg_fields_has(&out->reported, MRG_FIELD_RLIMITS) || !key_has(out, MRG_FIELD_RLIMITS))
		return;
	for (size_t i = 0; i < out->spec->rlimits.n; i++) {
		const struct mrg_rlimit *limit = &out->spec->rlimits.item[i];
		const char *name = limit->type + strlen("RLIMIT_");

		buffer_addf(&out->b, "Limit%s=", name);
		write_limit(out, rlimit_unit(name), limit->soft);
		buffer_addf(&out->b, ":");
		write_limit(out, rlimit_unit(name), limit->hard);
		buffer_addf(&out->b, "\n");
	}
	key_report(out, MRG_FIELD_RLIMITS, MRG_CARRIED, "Limit*", NULL);
}

/* ---- memory and tasks ------------------------------------------------------- */

KEY_READER(read_memory)
{
	if (strchr(value, '%'))
		return key_lost(in, key, "a share of the host's memory is not known here");
	return key_read_simple(in, key, value);
}

KEY_WRITER(write_memory)
{
	const struct member *member = &spec_fields[key->field].value;
	int64_t bytes;

	if (!key_has(out, (unsigned int)key->field))
		return;
	memcpy(&bytes, member_at_const(member, out->spec), sizeof(bytes));
	if (bytes < 0)
		buffer_addf(&out->b, "%s=infinity\n", key->name);
	else
		buffer_addf(&out->b, "%s=%" PRId64 "\n", key->name, bytes);
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

/* systemd counts swap alone, OCI swap and memory together: the sum is made when the limit of memory is known. */
KEY_READER(read_swap)
{
	struct unit_reader *unit = unit_of(in);
	if (strchr(value, '%'))
		return key_lost(in, key, "a share of the host's memory is not known here");
	unit->have_swap = *value;
	if (*value && parse_size(value, &unit->swap) < 0)
		return key_fail(in, "must be a size such as 512M, not '%.40s'", value);
	return MRG_CARRIED;
}

KEY_WRITER(write_swap)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_MEMORY_SWAP))
		return;
	if (spec->memory_swap < 0)
		buffer_addf(&out->b, "%s=infinity\n", key->name);
	else if (key_has(out, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0 && spec->memory_swap >= spec->memory_limit)
		buffer_addf(&out->b, "%s=%" PRId64 "\n", key->name, spec->memory_swap - spec->memory_limit);
	else
		return;
	key_report(out, MRG_FIELD_MEMORY_SWAP, MRG_CARRIED, key->name, NULL);
}

static int finish_swap(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	struct mrg_spec *spec = in->spec;
	bool limited = mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0;
	int64_t sum;

	if (!unit->have_swap)
		return 0;
	if (unit->swap >= 0 && !limited)
		return key_fail_of(in, "MemorySwapMax", "needs MemoryMax= too");
	if (unit->swap >= 0 && __builtin_add_overflow(unit->swap, spec->memory_limit, &sum))
		return key_fail_of(in, "MemorySwapMax", "is too large");
	spec->memory_swap = unit->swap < 0 ? -1 : sum;
	mrg_fields_add(&spec->set, MRG_FIELD_MEMORY_SWAP);
	return 0;
}

/* MemoryHigh= and MemoryMin=: files of cgroup v2. */
KEY_READER(read_unified)
{
	const char *file = strcmp(key->name, "MemoryHigh") == 0 ? "memory.high" : "memory.min";
	int64_t bytes;
	char text[64];

	if (!*value)
		return MRG_CARRIED;
	if (strchr(value, '%'))
		return key_lost(in, key, "a share of the host's memory is not known here");
	if (parse_size(value, &bytes) < 0)
		return key_fail(in, "must be a size such as 512M, not '%.40s'", value);
	if (bytes < 0)
		snprintf(text, sizeof(text), "%s=max", file);
	else
		snprintf(text, sizeof(text), "%s=%" PRId64, file, bytes);
	return key_set(in, MRG_FIELD_UNIFIED, text) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

KEY_WRITER(write_unified)
{
	static const struct { const char *file, *key; } files[] = { { "memory.high", "MemoryHigh" },
								    { "memory.min", "MemoryMin" } };
	size_t written = 0;

	(void)key;
	for (size_t i = 0; i < out->spec->unified.n; i++)
		for (size_t j = 0; j < ARRAY_SIZE(files); j++) {
			const struct mrg_pair *pair = &out->spec->unified.item[i];
			uint64_t bytes;

			if (strcmp(pair->key, files[j].file) != 0)
				continue;
			if (strcmp(pair->value, "max") == 0)
				key_line(out, files[j].key, "infinity");
			else if (parse_uint64(pair->value, &bytes) == 0)
				key_line(out, files[j].key, pair->value);
			else
				continue;
			written++;
		}
	if (key_has(out, MRG_FIELD_UNIFIED) && written == out->spec->unified.n)
		key_report(out, MRG_FIELD_UNIFIED, MRG_CARRIED, "MemoryHigh", NULL);
}

KEY_READER(read_tasks)
{
	uint64_t tasks;

	if (strchr(value, '%'))
		return key_lost(in, key, "a share of the host's limit is not known here");
	if (strcmp(value, "infinity") == 0)
		return key_set(in, MRG_FIELD_PIDS_LIMIT, "-1") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (*value && (parse_uint64(value, &tasks) < 0 || tasks == 0))
		return key_fail(in, "must be a number from 1 or infinity, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

KEY_WRITER(write_tasks)
{
	if (!key_has(out, MRG_FIELD_PIDS_LIMIT))
		return;
	if (out->spec->pids_limit > 0)
		buffer_addf(&out->b, "%s=%" PRId64 "\n", key->name, out->spec->pids_limit);
	else
		buffer_addf(&out->b, "%s=infinity\n", key->name);
	key_report(out, MRG_FIELD_PIDS_LIMIT, MRG_CARRIED, key->name, NULL);
}

/* ---- CPU -------------------------------------------------------------------- */

/* "150%" or "12.5%", of one CPU; in hundredths of a percent. */
static bool parse_percent(const char *text, uint64_t *ret)
{
	char whole[24];
	size_t length = strcspn(text, ".%"), n;
	uint64_t value, fraction = 0;

	if (length == 0 || length > 6)
		return false;
	memcpy(whole, text, length);
	whole[length] = '\0';
	if (parse_uint64(whole, &value) < 0)
		return false;
	text += length;
	if (*text == '.') {
		n = strspn(++text, "0123456789");
		if (n == 0 || n > 2)
			return false;
		fraction = (uint64_t)(text[0] - '0') * 10 + (n > 1 ? (uint64_t)(text[1] - '0') : 0);
		text += n;
	}
	*ret = value * 100 + fraction;
	return strcmp(text, "%") == 0 && *ret > 0;
}

KEY_READER(read_quota)
{
	struct unit_reader *unit = unit_of(in);
	unit->have_quota = *value;
	if (*value && !parse_percent(value, &unit->quota))
		return key_fail(in, "must be a percentage such as 50%%, not '%.40s'", value);
	return key->verdict;
}

KEY_READER(read_period)
{
	uint64_t us;
	char text[32];

	if (!*value)
		return key_read_simple(in, key, value);
	if (unit_time(value, UNIT_SECOND, &us) < 0 || us < 1000 || us > UNIT_SECOND)
		return key_fail(in, "must be a time from 1ms to 1s, not '%.40s'", value);
	snprintf(text, sizeof(text), "%" PRIu64, us);
	return key_set(in, MRG_FIELD_CPU_PERIOD, text) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

static int finish_quota(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	uint64_t period = mrg_fields_has(&in->spec->set, MRG_FIELD_CPU_PERIOD) ? in->spec->cpu_period : 100000;

	if (!unit->have_quota)
		return 0;
	in->spec->cpu_quota = (int64_t)((period * unit->quota + 5000) / 10000);
	if (in->spec->cpu_quota < 1000)
		in->spec->cpu_quota = 1000;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CPU_QUOTA);
	return 0;
}

KEY_WRITER(write_quota)
{
	const struct mrg_spec *spec = out->spec;
	uint64_t period = key_has(out, MRG_FIELD_CPU_PERIOD) ? spec->cpu_period : 100000, share;
	bool exact;

	if (key_has(out, MRG_FIELD_CPU_PERIOD) && period >= 1000) {
		buffer_addf(&out->b, "CPUQuotaPeriodSec=%" PRIu64 "ms\n", (period + 500) / 1000);
		key_report(out, MRG_FIELD_CPU_PERIOD, period % 1000 ? MRG_APPROXIMATED : MRG_CARRIED, "CPUQuotaPeriodSec",
			   "rounded to milliseconds");
	}
	if (!key_has(out, MRG_FIELD_CPU_QUOTA) || period == 0)
		return;
	if (spec->cpu_quota > 0) {
		share = ((uint64_t)spec->cpu_quota * 10000 + period / 2) / period;
		exact = share * period == (uint64_t)spec->cpu_quota * 10000;
		buffer_addf(&out->b, "%s=%" PRIu64 ".%02" PRIu64 "%%\n", key->name, share / 100, share % 100);
		key_report(out, MRG_FIELD_CPU_QUOTA, exact ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
			   "rounded to a hundredth of a percent");
	} else {
		key_report(out, MRG_FIELD_CPU_QUOTA, MRG_CARRIED, key->name, NULL);
	}
}

static int set_number(struct key_reader *in, enum mrg_field field, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return key_set(in, field, text);
}

KEY_READER(read_weight)
{
	uint64_t weight;

	if (strcmp(value, "idle") == 0)
		return key_set(in, MRG_FIELD_CPU_IDLE, "1") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (!*value)
		return key_read_simple(in, key, value);
	if (parse_uint64(value, &weight) < 0 || weight < 1 || weight > 10000)
		return key_fail(in, "must be idle or from 1 to 10000, not '%.40s'", value);
	return set_number(in, MRG_FIELD_CPU_SHARES, format_shares_of_weight(weight)) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

/* What a weight cannot say exactly is written in shares. */
KEY_WRITER(write_weight)
{
	uint64_t weight = format_weight_of_shares(out->spec->cpu_shares);

	if (key_has(out, MRG_FIELD_CPU_IDLE)) {
		if (out->spec->cpu_idle)
			key_line(out, key->name, "idle");
		key_report(out, MRG_FIELD_CPU_IDLE, MRG_CARRIED, key->name, NULL);
	}
	if (!key_has(out, MRG_FIELD_CPU_SHARES))
		return;
	if (weight >= 1 && weight <= 10000 && format_shares_of_weight(weight) == out->spec->cpu_shares)
		buffer_addf(&out->b, "%s=%" PRIu64 "\n", key->name, weight);
	else
		buffer_addf(&out->b, "CPUShares=%" PRIu64 "\n", out->spec->cpu_shares);
	key_report(out, MRG_FIELD_CPU_SHARES, MRG_CARRIED, key->name, NULL);
}

/* Blanks separate as commas do. */
KEY_READER(read_cpuset)
{
	for (char *c = value; *c; c++)
		if (strchr(UNIT_BLANKS, *c))
			*c = ',';
	return key_read_simple(in, key, value);
}

/* ---- I/O -------------------------------------------------------------------- */

/* IOWeight= is 100 where the older BlockIOWeight=, and OCI, are 500. */
KEY_READER(read_io_weight)
{
	uint64_t weight, scaled;

	if (!*value)
		return key_read_simple(in, key, value);
	if (parse_uint64(value, &weight) < 0 || weight < 1 || weight > 10000)
		return key_fail(in, "must be from 1 to 10000, not '%.40s'", value);
	scaled = weight * 5 < 10 ? 10 : weight * 5 > 1000 ? 1000 : weight * 5;
	in->note = "beyond what OCI can say; the nearest was taken";
	if (set_number(in, MRG_FIELD_IO_WEIGHT, scaled) < 0)
		return -MRG_E_INVALID;
	return scaled == weight * 5 ? MRG_CARRIED : MRG_APPROXIMATED;
}

KEY_WRITER(write_io_weight)
{
	if (!key_has(out, MRG_FIELD_IO_WEIGHT))
		return;
	if (out->spec->io_weight % 5 == 0)
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->io_weight / 5);
	else
		buffer_addf(&out->b, "BlockIOWeight=%" PRIu32 "\n", out->spec->io_weight);
	key_report(out, MRG_FIELD_IO_WEIGHT, MRG_CARRIED, key->name, NULL);
}

/* Bandwidths count in thousands: "5M" is 5000000. */
static bool parse_rate(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	char number[24];

	if (digits == 0 || digits > 20 || (text[digits] && (!unit || text[digits + 1])))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (parse_uint64(number, ret) < 0)
		return false;
	for (ptrdiff_t i = 0; unit && i <= unit - units; i++)
		if (__builtin_mul_overflow(*ret, 1000, ret))
			return false;
	return true;
}

KEY_READER(read_io_limit)
{
	_cleanup_(strv_freep) char **words = NULL;
	struct list *list = member_at(&spec_fields[key->field].value, in->spec);
	struct mrg_io_limit limit, *item;
	int r;

	if (!*value) {
		key_reset(in, (unsigned int)key->field);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	if (strv_length(words) != 2 || !parse_rate(words[1], &limit.rate))
		return key_fail(in, "must be a device and a rate such as 5M, not '%.40s'", value);
	if (!unit_block_device(words[0], &limit.major, &limit.minor))
		return key_lost(in, key, "the number of the device is not known here: give /dev/block/MAJOR:MINOR");
	item = spec_list_append(in->spec, list, sizeof(*item));
	if (!item)
		return key_no_memory(in);
	*item = limit;
	mrg_fields_add(&in->spec->set, (unsigned int)key->field);
	return MRG_CARRIED;
}

KEY_WRITER(write_io_limit)
{
	const struct list *list = member_at_const(&spec_fields[key->field].value, out->spec);
	const struct mrg_io_limit *item = list->item;

	if (!key_has(out, (unsigned int)key->field))
		return;
	for (size_t i = 0; i < list->n; i++)
		buffer_addf(&out->b, "%s=/dev/block/%" PRId64 ":%" PRId64 " %" PRIu64 "\n", key->name, item[i].major,
			    item[i].minor, item[i].rate);
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

int unit_finish_limits(struct key_reader *in)
{
	int r = finish_swap(in);

	return r < 0 ? r : finish_quota(in);
}
