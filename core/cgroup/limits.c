/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The resource limits of a spec as cgroup files: one table, for both versions. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define PERIOD_DEFAULT	100000		/* of the kernel, microseconds */
#define TRIES		10		/* to find a cgroup that is not just being removed */

struct row;

/* Adds the settings of one row to the plan. */
typedef int (*emit_fn)(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		       struct mrg_error *err);

struct row {
	unsigned int field;
	unsigned int also;		/* another field that asks for this row; else MRG_FIELD_MAX */
	unsigned int controller;
	const char *file[3];		/* by version; NULL: none there */
	const char *key;		/* of io.max */
	size_t offset, size;		/* of the value in struct mrg_spec */
	emit_fn emit;
};

/* The members of struct mrg_spec that hold limits per device have this shape. */
struct io_limits {
	struct mrg_io_limit *item;
	size_t n;
};

static struct cgroup_setting *add(struct cgroup_plan *plan, const struct row *row, int version, const char *file)
{
	struct cgroup_setting *item = realloc(plan->item, (plan->n + 1) * sizeof(*item));

	if (!item)
		return NULL;
	plan->item = item;
	item += plan->n++;
	*item = (struct cgroup_setting) {
		.field = row->field, .controller = row->controller, .version = version, .file = strdup(file),
	};
	return item;
}

__attribute__((format(printf, 4, 5)))
static int add_text(struct cgroup_plan *plan, const struct row *row, int version, const char *format, ...)
{
	struct cgroup_setting *setting = add(plan, row, version, row->file[version]);
	va_list args;
	int n;

	if (!setting || !setting->file)
		return -ENOMEM;
	va_start(args, format);
	n = vasprintf(&setting->text, format, args);
	va_end(args);
	if (n < 0)
		setting->text = NULL;
	return n < 0 ? -ENOMEM : 0;
}

/* A number with -1 for no limit, which v2 spells "max". */
static int add_limit(struct cgroup_plan *plan, const struct row *row, int version, int64_t value)
{
	if (value < 0)
		return add_text(plan, row, version, "%s", version == 2 ? "max" : "-1");
	return add_text(plan, row, version, "%" PRId64, value);
}

static const void *value_of(const struct mrg_spec *spec, const struct row *row)
{
	return (const char *)spec + row->offset;
}

static int emit_limit(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		      struct mrg_error *err _unused_)
{
	return add_limit(plan, row, version, *(const int64_t *)value_of(spec, row));
}

static int emit_number(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		       struct mrg_error *err _unused_)
{
	return add_text(plan, row, version, "%" PRIu64, *(const uint64_t *)value_of(spec, row));
}

static int emit_flag(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		     struct mrg_error *err _unused_)
{
	return add_text(plan, row, version, "%d", *(const int *)value_of(spec, row) != 0);
}

static int emit_text(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		     struct mrg_error *err _unused_)
{
	const char *text = *(const char *const *)value_of(spec, row);

	return add_text(plan, row, version, "%s", text ? text : "");
}

static int emit_pids(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		     struct mrg_error *err _unused_)
{
	if (spec->pids_limit <= 0)
		return add_text(plan, row, version, "max");
	return add_limit(plan, row, version, spec->pids_limit);
}

/* OCI counts memory and swap together, as v1 does; v2 counts swap alone. A memory limit alone allows no swap, so that
 * it bites the same way on every host. */
static int emit_swap(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		     struct mrg_error *err)
{
	bool limited = mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0;
	bool asked = mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_SWAP);
	int64_t total = asked ? spec->memory_swap : limited ? spec->memory_limit : -1;
	int r;

	if (total >= 0 && limited && total < spec->memory_limit)
		return mrg_error_set(err, -MRG_E_INVALID,
				     "%s: %" PRId64 " is less than the memory limit of %" PRId64 ", which it includes",
				     mrg_field_info(MRG_FIELD_MEMORY_SWAP)->name, total, spec->memory_limit);
	if (total >= 0 && version == 2 && !limited)
		return mrg_error_set(err, -MRG_E_INVALID, "%s: needs a memory limit on cgroup v2",
				     mrg_field_info(MRG_FIELD_MEMORY_SWAP)->name);
	r = add_limit(plan, row, version, total < 0 || version == 1 ? total : total - spec->memory_limit);
	if (r == 0)
		plan->item[plan->n - 1].optional = !asked;
	return r;
}

/* The conversion all runtimes use: 2-262144 to 1-10000. */
static int emit_shares(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		       struct mrg_error *err _unused_)
{
	uint64_t shares = spec->cpu_shares < 2 ? 2 : spec->cpu_shares > 262144 ? 262144 : spec->cpu_shares;

	return add_text(plan, row, version, "%" PRIu64, version == 1 ? shares : 1 + (shares - 2) * 9999 / 262142);
}

static int emit_cpu_max(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
			struct mrg_error *err _unused_)
{
	uint64_t period = mrg_fields_has(&spec->set, MRG_FIELD_CPU_PERIOD) && spec->cpu_period ? spec->cpu_period
											      : PERIOD_DEFAULT;

	if (!mrg_fields_has(&spec->set, MRG_FIELD_CPU_QUOTA) || spec->cpu_quota <= 0)
		return add_text(plan, row, version, "max %" PRIu64, period);
	return add_text(plan, row, version, "%" PRId64 " %" PRIu64, spec->cpu_quota, period);
}

static int emit_quota(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		      struct mrg_error *err _unused_)
{
	return add_limit(plan, row, version, spec->cpu_quota > 0 ? spec->cpu_quota : -1);
}

/* Which file there is depends on the kernel's scheduler for block devices. */
static int emit_io_weight(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
			  struct mrg_error *err _unused_)
{
	struct cgroup_setting *setting;
	uint32_t scaled = 1 + (spec->io_weight < 10 ? 0 : spec->io_weight - 10) * 9999 / 990;
	int r = add_text(plan, row, version, "%u", spec->io_weight);

	if (r < 0)
		return r;
	setting = &plan->item[plan->n - 1];
	setting->other_file = strdup(version == 1 ? "blkio.weight" : "io.weight");
	if (!setting->other_file ||
	    asprintf(&setting->other_text, "%s%u", version == 1 ? "" : "default ",
		     version == 1 ? spec->io_weight : scaled) < 0)
		return -ENOMEM;
	return 0;
}

static int emit_io_max(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
		       struct mrg_error *err _unused_)
{
	const struct io_limits *limits = value_of(spec, row);

	for (size_t i = 0; i < limits->n; i++) {
		const struct mrg_io_limit *limit = &limits->item[i];
		struct cgroup_setting *setting;
		int r;

		if (version == 1)
			r = add_text(plan, row, 1, "%" PRId64 ":%" PRId64 " %" PRIu64, limit->major, limit->minor,
				     limit->rate);
		else if (limit->rate == 0) /* v1's way to say "no limit" */
			r = add_text(plan, row, 2, "%" PRId64 ":%" PRId64 " %s=max", limit->major, limit->minor, row->key);
		else
			r = add_text(plan, row, 2, "%" PRId64 ":%" PRId64 " %s=%" PRIu64, limit->major, limit->minor,
				     row->key, limit->rate);
		if (r < 0)
			return r;
		setting = &plan->item[plan->n - 1];
		if (asprintf(&setting->device, "%" PRId64 ":%" PRId64, limit->major, limit->minor) < 0)
			return -ENOMEM;
		if (asprintf(&setting->reset, "%s %s%s", setting->device, version == 1 ? "0" : row->key,
			     version == 1 ? "" : "=max") < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Names of files come from the user: never a path, never a file that moves or kills processes. */
static bool is_file_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '.')
			return false;
	return isalnum((unsigned char)name[0]) && strchr(name, '.') && strlen(name) < 128;
}

static int emit_hugepages(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
			  struct mrg_error *err)
{
	for (size_t i = 0; i < spec->hugepage_limits.n; i++) {
		const struct mrg_hugepage_limit *limit = &spec->hugepage_limits.item[i];
		char file[192];
		struct row named = *row;
		int r;

		snprintf(file, sizeof(file), row->file[version], limit->page_size);
		if (!is_file_name(file) || strlen(limit->page_size) > 32)
			return mrg_error_set(err, -MRG_E_INVALID, "%s: '%s' is no page size such as '2MB'",
					     mrg_field_info(row->field)->name, limit->page_size);
		named.file[version] = file;
		r = add_text(plan, &named, version, "%" PRIu64, limit->limit);
		if (r < 0)
			return r;
	}
	return 0;
}

static int emit_unified(struct cgroup_plan *plan, const struct row *row, const struct mrg_spec *spec, int version,
			struct mrg_error *err)
{
	for (size_t i = 0; i < spec->unified.n; i++) {
		const char *file = spec->unified.item[i].key;
		struct row named = *row;
		int r;

		if (!is_file_name(file) || (strncmp(file, "cgroup.", 7) == 0 && strncmp(file, "cgroup.max.", 11) != 0))
			return mrg_error_set(err, -MRG_E_INVALID, "%s: '%s' is no file of a controller of cgroup v2",
					     mrg_field_info(row->field)->name, file);
		named.controller = cgroup_controller(file, strcspn(file, "."));
		if (!named.controller && strncmp(file, "cgroup.", 7) != 0)
			return mrg_error_set(err, -MRG_E_INVALID, "%s: '%s' belongs to no known controller",
					     mrg_field_info(row->field)->name, file);
		named.file[version] = file;
		r = add_text(plan, &named, version, "%s", spec->unified.item[i].value);
		if (r < 0)
			return r;
	}
	return 0;
}

#define VALUE(member)	offsetof(struct mrg_spec, member), sizeof(((struct mrg_spec *)NULL)->member)
#define NONE		MRG_FIELD_MAX

/* Order matters little: what the kernel refuses because of another limit is written again after the rest. */
static const struct row rows[] = {
	{ MRG_FIELD_MEMORY_LIMIT, NONE, CGROUP_MEMORY, { NULL, "memory.limit_in_bytes", "memory.max" }, NULL,
	  VALUE(memory_limit), emit_limit },
	{ MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_LIMIT, CGROUP_MEMORY,
	  { NULL, "memory.memsw.limit_in_bytes", "memory.swap.max" }, NULL, VALUE(memory_swap), emit_swap },
	{ MRG_FIELD_MEMORY_RESERVATION, NONE, CGROUP_MEMORY, { NULL, "memory.soft_limit_in_bytes", "memory.low" }, NULL,
	  VALUE(memory_reservation), emit_limit },
	{ MRG_FIELD_MEMORY_SWAPPINESS, NONE, CGROUP_MEMORY, { NULL, "memory.swappiness", NULL }, NULL,
	  VALUE(memory_swappiness), emit_number },
	{ MRG_FIELD_MEMORY_DISABLE_OOM_KILLER, NONE, CGROUP_MEMORY, { NULL, "memory.oom_control", NULL }, NULL,
	  VALUE(memory_disable_oom_killer), emit_flag },
	{ MRG_FIELD_CPU_SHARES, NONE, CGROUP_CPU, { NULL, "cpu.shares", "cpu.weight" }, NULL,
	  VALUE(cpu_shares), emit_shares },
	{ MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, CGROUP_CPU, { NULL, NULL, "cpu.max" }, NULL,
	  VALUE(cpu_quota), emit_cpu_max },
	{ MRG_FIELD_CPU_PERIOD, NONE, CGROUP_CPU, { NULL, "cpu.cfs_period_us", NULL }, NULL,
	  VALUE(cpu_period), emit_number },
	{ MRG_FIELD_CPU_QUOTA, NONE, CGROUP_CPU, { NULL, "cpu.cfs_quota_us", NULL }, NULL,
	  VALUE(cpu_quota), emit_quota },
	{ MRG_FIELD_CPU_BURST, NONE, CGROUP_CPU, { NULL, "cpu.cfs_burst_us", "cpu.max.burst" }, NULL,
	  VALUE(cpu_burst), emit_number },
	{ MRG_FIELD_CPU_IDLE, NONE, CGROUP_CPU, { NULL, "cpu.idle", "cpu.idle" }, NULL,
	  VALUE(cpu_idle), emit_limit },
	{ MRG_FIELD_CPUSET_CPUS, NONE, CGROUP_CPUSET, { NULL, "cpuset.cpus", "cpuset.cpus" }, NULL,
	  VALUE(cpuset_cpus), emit_text },
	{ MRG_FIELD_CPUSET_MEMS, NONE, CGROUP_CPUSET, { NULL, "cpuset.mems", "cpuset.mems" }, NULL,
	  VALUE(cpuset_mems), emit_text },
	{ MRG_FIELD_PIDS_LIMIT, NONE, CGROUP_PIDS, { NULL, "pids.max", "pids.max" }, NULL,
	  VALUE(pids_limit), emit_pids },
	{ MRG_FIELD_IO_WEIGHT, NONE, CGROUP_IO, { NULL, "blkio.bfq.weight", "io.bfq.weight" }, NULL,
	  VALUE(io_weight), emit_io_weight },
	{ MRG_FIELD_IO_READ_BPS, NONE, CGROUP_IO, { NULL, "blkio.throttle.read_bps_device", "io.max" }, "rbps",
	  VALUE(io_read_bps), emit_io_max },
	{ MRG_FIELD_IO_WRITE_BPS, NONE, CGROUP_IO, { NULL, "blkio.throttle.write_bps_device", "io.max" }, "wbps",
	  VALUE(io_write_bps), emit_io_max },
	{ MRG_FIELD_IO_READ_IOPS, NONE, CGROUP_IO, { NULL, "blkio.throttle.read_iops_device", "io.max" }, "riops",
	  VALUE(io_read_iops), emit_io_max },
	{ MRG_FIELD_IO_WRITE_IOPS, NONE, CGROUP_IO, { NULL, "blkio.throttle.write_iops_device", "io.max" }, "wiops",
	  VALUE(io_write_iops), emit_io_max },
	{ MRG_FIELD_HUGEPAGE_LIMITS, NONE, CGROUP_HUGETLB, { NULL, "hugetlb.%s.limit_in_bytes", "hugetlb.%s.max" }, NULL,
	  VALUE(hugepage_limits), emit_hugepages },
	{ MRG_FIELD_UNIFIED, NONE, 0, { NULL, NULL, "" }, NULL, VALUE(unified), emit_unified },
};

/* The version whose files @row is written to: v1 where that has the controller, since v2 then does not. */
static int version_for(const struct row *row, const struct cgroup_controllers *available)
{
	if (row->controller & available->v1)
		return row->file[1] ? 1 : 0;
	if ((row->controller & available->v2) || (!row->controller && available->unified))
		return row->file[2] ? 2 : 0;
	return -1;
}

static bool asks(const struct row *row, const struct mrg_fields *fields)
{
	return mrg_fields_has(fields, row->field) || (row->also != NONE && mrg_fields_has(fields, row->also));
}

/* The version of some row of @field; 0: the versions at hand have no file for it; -1: no controller. */
static int field_version(unsigned int field, const struct cgroup_controllers *available)
{
	int best = -1;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].field == field || (rows[i].also == field && rows[i].emit == emit_cpu_max)) {
			int version = version_for(&rows[i], available);

			best = version > best ? version : best;
		}
	return best;
}

static const char *why_not(const struct row *row, int version, char buffer[96])
{
	if (row->field == MRG_FIELD_UNIFIED)
		return "cgroup v2 has no controllers here";
	if (version < 0)
		snprintf(buffer, 96, "no %s controller", cgroup_controller_name(row->controller, 2));
	else
		snprintf(buffer, 96, "the %s controller is of the other cgroup version",
			 cgroup_controller_name(row->controller, 2));
	return buffer;
}

static int check_available(const struct mrg_fields *fields, const struct cgroup_controllers *available,
			   struct mrg_error *err)
{
	char buffer[96];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int version;

		if (!mrg_fields_has(fields, rows[i].field))
			continue;
		version = field_version(rows[i].field, available);
		if (version <= 0)
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' cannot be applied on this host: %s",
					     mrg_field_info(rows[i].field)->name, why_not(&rows[i], version, buffer));
	}
	return 0;
}

int cgroup_plan(struct cgroup_plan *ret, const struct mrg_spec *spec, const struct mrg_fields *fields,
		const struct cgroup_controllers *available, struct mrg_error *err)
{
	struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r = check_available(fields, available, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
		int version = asks(&rows[i], fields) ? version_for(&rows[i], available) : -1;

		if (version <= 0)
			continue;
		r = rows[i].emit(&plan, &rows[i], spec, version, err);
		if (r == -ENOMEM)
			mrg_error_set(err, r, "out of memory");
	}
	for (size_t i = 0; r == 0 && i < plan.n; i++) {
		const struct cgroup_setting *s = &plan.item[i];

		if (s->version == 2 && s->controller & ~available->v2)
			r = mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s': '%s' needs the %s controller, which cgroup v2 "
					  "does not have on this host", mrg_field_info(s->field)->name, s->file,
					  cgroup_controller_name(s->controller, 2));
		*(s->version == 1 ? &plan.needed.v1 : &plan.needed.v2) |= s->controller;
	}
	if (r < 0) {
		cgroup_plan_deinit(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

void cgroup_plan_deinit(struct cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct cgroup_setting *s = &plan->item[i];

		free(s->file);
		free(s->text);
		free(s->other_file);
		free(s->other_text);
		free(s->device);
		free(s->reset);
		free(s->old);
	}
	free(plan->item);
	*plan = (struct cgroup_plan)CGROUP_PLAN_INIT;
}

bool cgroup_is_limit(unsigned int field)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].field == field)
			return true;
	return false;
}

struct mrg_spec cgroup_merge(const struct mrg_spec *spec, const struct mrg_spec *changes)
{
	struct mrg_spec merged = *spec;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (mrg_fields_has(&changes->set, rows[i].field)) {
			memcpy((char *)&merged + rows[i].offset, value_of(changes, &rows[i]), rows[i].size);
			mrg_fields_add(&merged.set, rows[i].field);
		}
	if (mrg_fields_has(&changes->set, MRG_FIELD_DEVICE_RULES)) {
		merged.device_rules.item = changes->device_rules.item;
		merged.device_rules.n = changes->device_rules.n;
		mrg_fields_add(&merged.set, MRG_FIELD_DEVICE_RULES);
	}
	return merged;
}

static bool is_there(int dir, const char *file)
{
	return faccessat(dir, file, F_OK, 0) == 0;
}

/* v1 shows most of them in the root cgroup too. */
static bool has_file_v1(const struct cgroup_hierarchy *h, const struct row *row)
{
	if (row->field == MRG_FIELD_IO_WEIGHT)
		return is_there(h->root, "blkio.bfq.io_serviced") || is_there(h->root, "blkio.weight");
	if (row->controller & (CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_IO))
		return is_there(h->root, row->file[1]);
	return true;
}

/* v2 shows them below the top only, where the controller is on. Before it ever was, what tells of a scheduler with weights is at the top. */
static bool has_file_v2(const struct cgroup_hierarchy *h, const struct row *row)
{
	bool weight = row->field == MRG_FIELD_IO_WEIGHT;

	for (int tries = 0; tries < TRIES; tries++) {
		_cleanup_close_ int child = row->file[2] && !strchr(row->file[2], '%') ? cgroup_v2_example(h, row->controller) : -1;

		if (child < 0)
			return !weight || is_there(h->root, "io.cost.qos");
		if (is_there(child, row->file[2]) || (weight && is_there(child, "io.weight")))
			return true;
		/* One that was removed meanwhile has no files at all. */
		if (is_there(child, "cgroup.procs"))
			break;
	}
	return false;
}

/* Whether the kernel was built with the file. */
static bool has_file(struct cgroup *cg, const struct row *row, int version)
{
	struct cgroup_hierarchy *h = cgroup_find(cg, row->controller, version);

	return !h || (version == 1 ? has_file_v1(h, row) : has_file_v2(h, row));
}

void cgroup_limits_probe(struct cgroup *cg, const struct cgroup_controllers *available, struct mrg_fields *fields,
			 char *reason, size_t size)
{
	char buffer[96];
	bool never = false;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int version = field_version(rows[i].field, available);
		const char *why = buffer;

		if (!mrg_fields_has(fields, rows[i].field))
			continue;
		/* Mounted beside v1 it has no file that a spec may name. */
		if (rows[i].field == MRG_FIELD_UNIFIED && !available->v2)
			version = -1;
		if (version <= 0)
			why = why_not(&rows[i], version, buffer);
		else if (rows[i].controller && rows[i].file[version] && !has_file(cg, &rows[i], version))
			snprintf(buffer, sizeof(buffer), "this kernel has no %s", rows[i].file[version]);
		else
			continue;
		mrg_fields_remove(fields, rows[i].field);
		if (version == 0)
			never = true;
		else if (reason)
			reason_add(reason, size, why);
	}
	if (never && reason && !*reason)
		reason_add(reason, size, CGROUP_NEVER_HAD);
}
