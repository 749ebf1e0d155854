/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup steps of start and exec: making, opening, entering; and what this host can honour. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

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

/* What becomes of the cgroups of one start. */
struct mrg_helper_cgroups {
	const struct mrg_unit *unit;
	struct cgroup cg;
	struct cgroup_plan plan;
	unsigned int wanted;		/* controllers of v1 */
	bool made;			/* nothing is left to make */
};

struct mrg_helper_cgroups *mrg_helper_cgroups_free(struct mrg_helper_cgroups *cgroups)
{
	if (cgroups) {
		cgroup_plan_deinit(&cgroups->plan);
		cgroup_close(&cgroups->cg);
		free(cgroups);
	}
	return NULL;
}

static void cgroups_freep(struct mrg_helper_cgroups **cgroups)
{
	mrg_helper_cgroups_free(*cgroups);
}

static bool is_wanted(const struct mrg_helper_cgroups *c, const struct cgroup_hierarchy *h)
{
	return h->version == 2 || h == c->cg.tracker || (h->controllers & c->wanted);
}

/* The directories that are not there yet, then what is written into them. */
static int make_rest(struct mrg_helper_cgroups *c, struct mrg_error *err)
{
	/* First, as it is removed last: it tells whether there is anything to remove. */
	int r = c->cg.tracker && c->cg.tracker->dir < 0 ? make_directory(&c->cg, c->cg.tracker, err) : 0;

	for (size_t i = 0; i < c->cg.n && r == 0; i++)
		if (c->cg.item[i].dir < 0 && is_wanted(c, &c->cg.item[i]))
			r = make_directory(&c->cg, &c->cg.item[i], err);
	if (r == 0)
		r = cgroup_plan_apply(&c->cg, &c->plan, false, err);
	if (r == 0 && mrg_fields_has(&c->unit->spec->set, MRG_FIELD_DEVICE_RULES))
		r = cgroup_devices_apply(&c->cg, c->unit->spec, err);
	c->made = r == 0;
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

/* The tracking hierarchy comes first: who entered any is seen. */
static int open_all_tasks(const struct cgroup *cg, struct mrg_cgroup_entry *entry, struct mrg_error *err)
{
	int r = cg->tracker ? open_tasks(cg->tracker, entry) : 0;

	for (size_t i = 0; r == 0 && i < cg->n; i++)
		if (&cg->item[i] != cg->tracker)
			r = open_tasks(&cg->item[i], entry);
	return r < 0 ? cgroup_fail(err, r, "cannot open 'tasks' of cgroup '/%s'", cg->path) : 0;
}

/* What must be there when the child is born: the cgroup of v2. Its controllers are enabled now, since with a process in it that
 * would cost a grace period of the kernel; and where there is no v1 nothing is left for later. */
static int make_unified(struct mrg_helper_cgroups *c, int *ret_fd, struct mrg_error *err)
{
	struct cgroup *cg = &c->cg;
	int r;

	if (!cg->tracker || cg->tracker->version != 2)
		return 0;
	r = make_directory(cg, cg->tracker, err);
	if (r == 0)
		r = cgroup_v2_enable(cg, c->plan.needed.v2, V2_OPTIONAL, err);
	if (r == 0 && cg->n == 1)
		r = make_rest(c, err);
	if (r < 0)
		return r;
	*ret_fd = openat(cg->tracker->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? cgroup_fail(err, -errno, "cannot open cgroup '/%s'", cg->path) : 0;
}

/* What an earlier life left that nobody cleaned up. */
static int clear_leftovers(struct cgroup *cg, struct mrg_error *err)
{
	uint64_t ignored;

	for (size_t i = 0; i < cg->n; i++)
		if (cg->item[i].dir >= 0)
			return cgroup_clear(cg, &ignored, err);
	return 0;
}

static int plan(struct mrg_helper_cgroups *c, struct mrg_error *err)
{
	struct cgroup_controllers available;
	unsigned int devices;
	int r = cgroup_open(&c->cg, c->unit, false, err);

	if (r < 0)
		return r;
	available = cgroup_available(&c->cg);
	r = cgroup_devices_choose(&available, c->unit->spec, &devices, err);
	if (r == 0)
		r = cgroup_plan(&c->plan, c->unit->spec, &c->unit->spec->set, &available, err);
	if (r == 0)
		c->wanted = cgroup_v1_wanted(&c->cg, c->plan.needed.v1 | devices, c->unit->spec->boot);
	return r;
}

int mrg_helper_cgroup_begin(const struct mrg_unit *unit, struct mrg_helper_cgroups **ret, struct mrg_cgroup_entry *ret_entry,
			    struct mrg_error *err)
{
	_cleanup_(cgroups_freep) struct mrg_helper_cgroups *c = calloc(1, sizeof(*c));
	int unified = -1, r;

	if (!c)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	c->unit = unit;
	r = plan(c, err);
	if (r == 0)
		r = clear_leftovers(&c->cg, err);
	if (r < 0)
		return r;
	r = make_unified(c, &unified, err);
	if (r < 0) {
		cgroup_remove(&c->cg, REMOVE_TIMEOUT_MS);
		return r;
	}
	*ret_entry = (struct mrg_cgroup_entry){ .unified = unified };
	*ret = take_ptr(c);
	return 0;
}

int mrg_helper_cgroup_finish(struct mrg_helper_cgroups *cgroups, struct mrg_cgroup_entry *entry, struct mrg_error *err)
{
	int r = cgroups->made ? 0 : make_rest(cgroups, err);

	return r < 0 ? r : open_all_tasks(&cgroups->cg, entry, err);
}

int mrg_helper_cgroup_create(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	_cleanup_(cgroups_freep) struct mrg_helper_cgroups *c = NULL;
	struct mrg_cgroup_entry entry;
	int r = mrg_helper_cgroup_begin(unit, &c, &entry, err);

	if (r < 0)
		return r;
	r = mrg_helper_cgroup_finish(c, &entry, err);
	if (r < 0) {
		mrg_helper_cgroup_entry_close(&entry);
		cgroup_remove(&c->cg, REMOVE_TIMEOUT_MS);
		return r;
	}
	*ret = entry;
	return 0;
}

int mrg_helper_cgroup_shelter(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	_cleanup_(cgroups_freep) struct mrg_helper_cgroups *c = NULL;
	struct mrg_cgroup_entry entry;
	int r = mrg_helper_cgroup_begin(unit, &c, &entry, err);

	if (r < 0)
		return r;
	/* Of version 1 the freezer is what systemd does not manage, and therefore leaves processes in. */
	if (c->cg.tracker && c->cg.tracker->version == 1 && c->cg.tracker->controllers & CGROUP_FREEZER) {
		r = make_directory(&c->cg, c->cg.tracker, err);
		if (r < 0)
			return r;
		r = open_tasks(c->cg.tracker, &entry);
		if (r < 0) {
			cgroup_remove(&c->cg, REMOVE_TIMEOUT_MS);
			return cgroup_fail(err, r, "cannot open 'tasks' of cgroup '/%s'", c->cg.path);
		}
	}
	*ret = entry;
	return 0;
}

int mrg_helper_cgroup_open(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct mrg_cgroup_entry entry = MRG_CGROUP_ENTRY_INIT;
	int r = cgroup_open(&cg, unit, false, err);

	if (r < 0)
		return r;
	if (cg.tracker && cg.tracker->dir < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run: it has no cgroup", unit->name);
	r = cgroup_scope_reach(&cg, err);
	if (r < 0)
		return r;
	if (cg.tracker && cg.tracker->version == 2) {
		entry.unified = cgroup_v2_entry(&cg, unit);
		if (entry.unified < 0)
			return cgroup_fail(err, entry.unified, "cannot open cgroup '/%s'", cg.path);
	}
	r = open_all_tasks(&cg, &entry, err);
	if (r < 0)
		mrg_helper_cgroup_entry_close(&entry);
	else
		*ret = entry;
	return r;
}

static int enter_other(const struct cgroup_hierarchy *h, pid_t pid, struct mrg_error *err)
{
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%d", (int)pid);
	r = fd_write_file(h->dir, "cgroup.procs", text);
	return r < 0 ? cgroup_fail(err, r, "process %d cannot enter a cgroup of the container", (int)pid) : 0;
}

int mrg_helper_cgroup_complete(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = cgroup_open(&cg, unit, false, err);

	for (size_t i = 0; r == 0 && i < cg.n; i++) {
		struct cgroup_hierarchy *h = &cg.item[i];

		if (h->version == 2 || h->dir >= 0)
			continue;
		r = make_directory(&cg, h, err);
		if (r == 0)
			r = enter_other(h, unit->process->pid, err);
	}
	return r;
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

static void lack(struct mrg_fields *fields, unsigned int field, const char *why, char *reason, size_t size)
{
	if (!mrg_fields_has(fields, field))
		return;
	mrg_fields_remove(fields, field);
	if (reason)
		reason_add(reason, size, why);
}

static void lack_all(struct mrg_fields *fields, enum cgroup_lack what, char *reason, size_t size)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (cgroup_is_limit(field) || field == MRG_FIELD_DEVICE_RULES || field == MRG_FIELD_CGROUPS_PATH)
			lack(fields, field, cgroup_lack_text(what), reason, size);
}

/* An ordinary user: the one who may ask systemd has all but what is root's alone. */
static void probe_foreign(struct mrg_fields *fields, char *reason, size_t size)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	enum cgroup_lack what = cgroup_find_mounts(&cg, false) < 0 ? CGROUP_LACK_ALL : cgroup_user_lack(&cg);

	if (what != CGROUP_LACK_NONE) {
		lack_all(fields, what, reason, size);
		return;
	}
	lack(fields, MRG_FIELD_DEVICE_RULES, "only root can have device rules", reason, size);
	lack(fields, MRG_FIELD_CGROUPS_PATH, "", NULL, 0);
	cgroup_user_probe(fields, reason, size);
}

int mrg_helper_cgroup_probe(struct mrg_fields *fields, char *reason, size_t size, struct mrg_error *err)
{
	static const struct mrg_unit nobody = { .name = "probe", .id = "0", .dir = -1 };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct cgroup_controllers available = { 0 };
	int r = cgroup_open(&cg, &nobody, false, err);

	if (r < 0)
		return r;
	if (reason && size > 0)
		reason[0] = '\0';
	available = cgroup_available(&cg);
	if (cg.foreign) {
		probe_foreign(fields, reason, size);
	} else if (!cg.tracker || (!available.v1 && !available.unified)) {
		lack_all(fields, CGROUP_LACK_ALL, reason, size);
	} else {
		cgroup_limits_probe(&cg, &available, fields, reason, size);
		if (!cgroup_devices_work(&available))
			lack(fields, MRG_FIELD_DEVICE_RULES, "no devices controller", reason, size);
	}
	lack(fields, MRG_FIELD_NETWORK_CLASS, "no network classes", reason, size);
	lack(fields, MRG_FIELD_RDMA, "no rdma limits", reason, size);
	return 0;
}
