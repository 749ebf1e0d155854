/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup steps of start and exec: making, opening, entering; and what this host can honour. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define REMOVE_TIMEOUT_MS	1000

/* Worth having for stats, the OOM report and later updates, not worth failing for. */
#define V2_OPTIONAL		(CGROUP_MEMORY | CGROUP_PIDS)

void mrg_helper_cgroup_entry_close(struct mrg_cgroup_entry *entry)
{
	entry->unified = fd_close(entry->unified);
	while (entry->n_tasks > 0)
		fd_close(entry->tasks[--entry->n_tasks]);
}

static int make_directory(struct cgroup *cg, struct cgroup_hierarchy *h, struct mrg_error *err)
{
	int r = cgroup_make(cg, h);

	if (r == 0 && h->version == 1 && (h->controllers & CGROUP_CPUSET))
		r = cgroup_v1_fill_cpuset(cg, h);
	if (r == 0)
		return 0;
	r = cgroup_fail(err, r, "cannot make cgroup '/%s'%s%s", cg->path, h->version == 1 ? " of v1 controller " : "",
			h->version == 1 ? cgroup_controller_name(h->controllers, 1) : "");
	if (r == -EACCES || r == -EPERM || r == -EROFS)
		mrg_error_hint(err, "only root, or the owner of a delegated cgroup, may make one");
	return r;
}

static int make_directories(struct cgroup *cg, unsigned int wanted, struct mrg_error *err)
{
	/* First, as it is removed last: it tells whether there is anything to remove. */
	int r = cg->tracker ? make_directory(cg, cg->tracker, err) : 0;

	for (size_t i = 0; i < cg->n && r == 0; i++) {
		struct cgroup_hierarchy *h = &cg->item[i];

		if (h != cg->tracker && (h->version == 2 || (h->controllers & wanted)))
			r = make_directory(cg, h, err);
	}
	return r;
}

static int make_all(struct cgroup *cg, const struct mrg_unit *unit, struct cgroup_plan *plan, unsigned int wanted,
		    struct mrg_error *err)
{
	int r = make_directories(cg, wanted, err);

	if (r == 0)
		r = cgroup_v2_enable(cg, plan->needed.v2, V2_OPTIONAL, err);
	if (r == 0)
		r = cgroup_plan_apply(cg, plan, false, err);
	if (r == 0 && mrg_fields_has(&unit->spec->set, MRG_FIELD_DEVICE_RULES))
		r = cgroup_devices_apply(cg, unit->spec, err);
	return r;
}

static int open_tasks(const struct cgroup_hierarchy *h, struct mrg_cgroup_entry *entry)
{
	int fd;

	if (h->version == 2 || h->dir < 0 || entry->n_tasks == MRG_CGROUP_MAX)
		return 0;
	fd = openat(h->dir, "tasks", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	entry->tasks[entry->n_tasks++] = fd;
	return 0;
}

/* @unified: the directory to be born in, taken. The tracking hierarchy comes first: who entered any is seen. */
static int open_entry(const struct cgroup *cg, int unified, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	struct mrg_cgroup_entry entry = { .unified = unified };
	int r = cg->tracker ? open_tasks(cg->tracker, &entry) : 0;

	for (size_t i = 0; r == 0 && i < cg->n; i++)
		if (&cg->item[i] != cg->tracker)
			r = open_tasks(&cg->item[i], &entry);
	if (r < 0) {
		mrg_helper_cgroup_entry_close(&entry);
		return cgroup_fail(err, r, "cannot open 'tasks' of cgroup '/%s'", cg->path);
	}
	*ret = entry;
	return 0;
}

static int open_made(const struct cgroup *cg, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	int fd = -1;

	if (cg->tracker && cg->tracker->version == 2) {
		fd = openat(cg->tracker->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return cgroup_fail(err, -errno, "cannot open cgroup '/%s'", cg->path);
	}
	return open_entry(cg, fd, ret, err);
}

int mrg_helper_cgroup_create(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;
	struct cgroup_controllers available;
	unsigned int devices;
	uint64_t ignored;
	int r = cgroup_open(&cg, unit, false, err);

	if (r < 0)
		return r;
	available = cgroup_available(&cg);
	r = cgroup_devices_choose(&available, unit->spec, &devices, err);
	if (r == 0)
		r = cgroup_plan(&plan, unit->spec, &unit->spec->set, &available, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < cg.n; i++)
		if (cg.item[i].dir >= 0) { /* of an earlier life that nobody cleaned up */
			r = cgroup_clear(&cg, &ignored, err);
			if (r < 0)
				return r;
			break;
		}
	r = make_all(&cg, unit, &plan, cgroup_v1_wanted(&cg, plan.needed.v1 | devices, unit->spec->boot), err);
	if (r == 0)
		r = open_made(&cg, ret, err);
	if (r < 0)
		cgroup_remove(&cg, REMOVE_TIMEOUT_MS);
	return r;
}

int mrg_helper_cgroup_open(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int fd = -1, r = cgroup_open(&cg, unit, false, err);

	if (r < 0)
		return r;
	if (cg.tracker && cg.tracker->dir < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run: it has no cgroup", unit->name);
	if (cg.tracker && cg.tracker->version == 2) {
		fd = cgroup_v2_entry(&cg, unit);
		if (fd < 0)
			return cgroup_fail(err, fd, "cannot open cgroup '/%s'", cg.path);
	}
	return open_entry(&cg, fd, ret, err);
}

int mrg_helper_cgroup_enter(const struct mrg_cgroup_entry *entry, struct mrg_error *err)
{
	for (size_t i = 0; i < entry->n_tasks; i++) {
		int r = fd_write_all(entry->tasks[i], "0", 1);

		if (r < 0)
			return cgroup_fail(err, r, "cannot enter a cgroup of the container");
	}
	return 0;
}

/* The first reason is the one that is told. */
static void lack(struct mrg_fields *fields, unsigned int field, const char *why, char *reason, size_t size)
{
	if (!mrg_fields_has(fields, field))
		return;
	mrg_fields_remove(fields, field);
	if (reason && size > 0 && !reason[0])
		snprintf(reason, size, "%s", why);
}

int mrg_helper_cgroup_probe(struct mrg_fields *fields, char *reason, size_t size, struct mrg_error *err)
{
	static const struct mrg_unit nobody = { .name = "probe", .id = "0", .dir = -1 };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct cgroup_controllers available = { 0 };
	const char *why = "no cgroups are mounted";
	int r = cgroup_open(&cg, &nobody, false, err);

	if (r < 0)
		return r;
	if (reason && size > 0)
		reason[0] = '\0';
	if (cg.tracker && faccessat(cg.tracker->root, ".", W_OK, AT_EACCESS) < 0)
		why = "this user may not make cgroups";
	else
		available = cgroup_available(&cg);
	if (!cg.tracker || (!available.v1 && !available.unified)) {
		for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
			if (cgroup_is_limit(field) || field == MRG_FIELD_DEVICE_RULES || field == MRG_FIELD_CGROUPS_PATH)
				lack(fields, field, why, reason, size);
	} else {
		cgroup_limits_probe(&cg, &available, fields, reason, size);
		if (!cgroup_devices_work(&available))
			lack(fields, MRG_FIELD_DEVICE_RULES, "no devices controller", reason, size);
	}
	lack(fields, MRG_FIELD_NETWORK_CLASS, "no network classes", reason, size);
	lack(fields, MRG_FIELD_RDMA, "no rdma limits", reason, size);
	return 0;
}
