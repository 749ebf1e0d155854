/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creating: all checks first, then record and backend, undone in reverse when a step fails. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/own_root.h"
#include "core/container/internal.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

#define NAME_TRIES	8
#define HOSTNAME_MAX	63

/* What the checks have worked out. */
struct plan {
	const char *name;
	struct plugin *plugin;
	struct mrg_spec *spec;		/* what is created: a copy, reduced and completed */
	struct mrg_fields dropped;
};

static void plan_deinit(struct plan *plan)
{
	mrg_spec_free(plan->spec);
}

static int check_root(const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;

	if (!mrg_fields_has(&spec->set, MRG_FIELD_ROOT_PATH) || !spec->root_path)
		return mrg_error_set(err, -MRG_E_INVALID, "the spec names no root (root.path)");
	if (spec->root_path[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "the root '%s' is not an absolute path", spec->root_path);
	fd = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return 0;
	if (errno == ENOENT)
		return mrg_error_set(err, -MRG_E_INVALID, "the root '%s' does not exist", spec->root_path);
	if (errno == ENOTDIR)
		return mrg_error_set(err, -MRG_E_INVALID, "the root '%s' is a file, not a directory", spec->root_path);
	return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
}

/* Refuses what the backend cannot honour, or drops it where that was asked for. */
static int reduce(struct mrg *m, const struct mrg_create *create, struct plan *plan, const struct mrg_probe *probe,
		  struct mrg_error *err)
{
	struct mrg_spec *reduced = NULL;
	int r;

	if (fields_missing(plan->spec, &probe->fields, &plan->dropped) == 0)
		return 0;
	if (!(create->flags & MRG_CREATE_BEST_EFFORT))
		return fields_refuse(m, plan->plugin, probe, plan->spec, &plan->dropped, err);
	r = fields_drop(plan->spec, &plan->dropped, &reduced, err);
	if (r < 0)
		return r;
	mrg_spec_free(plan->spec);
	plan->spec = reduced;
	return 0;
}

static bool is_hostname(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return length > 0 && length <= HOSTNAME_MAX && name[length] == '\0' && !strstr(name, "..") &&
	       !strchr("-.", name[0]) && !strchr("-.", name[length - 1]);
}

/* A container with a host name of its own is called by its own name there too. */
static int default_hostname(struct mrg_spec *spec, const struct mrg_probe *probe, const char *name,
			    struct mrg_error *err)
{
	if (mrg_fields_has(&spec->set, MRG_FIELD_HOSTNAME) || !mrg_fields_has(&probe->fields, MRG_FIELD_HOSTNAME) ||
	    !spec->ns_uts || *spec->ns_uts || !is_hostname(name))
		return 0;
	return mrg_spec_set(spec, MRG_FIELD_HOSTNAME, name, err);
}

static int make_plan(struct mrg *m, const struct mrg_create *create, const char *name, struct plan *plan,
		     struct mrg_error *err)
{
	const char *backend = create->backend;
	struct mrg_probe probe;
	int r = 0;

	if (!name_is_valid(name))
		return mrg_error_set(err, -MRG_E_INVALID,
				     "'%s' is no name for a container: letters, digits, '_', '.' and '-', at most 63, a letter or digit first",
				     name);
	if (!backend)
		r = mrg_default_backend(m, &backend, err);
	if (r == 0)
		r = registry_load(m, backend, &plan->plugin, err);
	if (r == 0)
		r = mrg_spec_copy(create->spec, &plan->spec, err);
	if (r == 0)
		r = backend_probe(plan->plugin, &probe, err);
	/* Before the spec is checked as a whole: a chroot has no host name, whatever namespace it would need. */
	if (r == 0)
		r = reduce(m, create, plan, &probe, err);
	if (r == 0)
		r = mrg_spec_check(plan->spec, err);
	if (r == 0)
		r = check_root(plan->spec, err);
	if (r == 0)
		r = options_check(plan->plugin, plan->spec, err);
	if (r == 0)
		r = default_hostname(plan->spec, &probe, name, err);
	return r < 0 ? r : dispatch_check(plan->plugin, plan->spec, err);
}

/* ---- making --------------------------------------------------------------------------------- */

static void unmake(struct mrg *m, struct plugin *p, struct record *record)
{
	struct mrg_unit unit;

	store_unit(record, NULL, &unit);
	if (dispatch_destroy(p, &unit, NULL) == 0)
		store_remove(m, record, NULL);
	/* else the record stays half made, and the next list tries again */
}

static int make(struct mrg *m, struct plugin *p, struct record *record, struct mrg_error *err)
{
	struct mrg_unit unit;
	int r = store_create(m, record, err);

	if (r < 0)
		return r;
	if (record->creating) {
		store_unit(record, NULL, &unit);
		r = dispatch_create(p, &unit, err);
		if (r == 0)
			r = container_digest(p, &unit, &record->native, err);
		if (r == 0)
			r = store_commit(record, err);
		if (r < 0)
			unmake(m, p, record);
	}
	store_unlock(record);
	return r;
}

static int new_record(struct mrg *m, const struct mrg_create *create, const char *name, struct plan *plan,
		      struct record **ret, struct mrg_error *err)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record)
		return fail_memory(err);
	record->dir = record->inherited = -1;
	record->name = strdup(name);
	record->backend = strdup(plan->plugin->table.name);
	record->transient = create->flags & MRG_CREATE_TRANSIENT;
	record->creating = plan->plugin->table.create != NULL;
	record->spec = take_ptr(plan->spec);
	record->path = m->path ? strdup(m->path) : NULL;
	if (!record->name || !record->backend || (m->path && !record->path) || id_make(record->id) < 0) {
		store_free(record);
		return fail_memory(err);
	}
	*ret = record;
	return 0;
}

/* The root that was made for it stays when the new one is given that; *ret_owns: and goes with the new one then. */
static int remove_predecessor(struct mrg *m, const char *name, const char *root, bool *ret_owns, struct mrg_error *err)
{
	struct mrg_container *old;
	struct record *record = NULL;
	int r = container_open_record(m, name, CONTAINER_LOCK_MS, &record, err);
	unsigned int flags;

	if (r < 0)
		return r == -MRG_E_NOT_FOUND ? 0 : r;
	*ret_owns = own_root_is(record, root);
	flags = own_root_holds(record, root) ? MRG_REMOVE_KEEP_ROOT : 0;
	old = container_new(m, record);
	r = old ? mrg_remove(old, flags, err) : fail_memory(err);
	mrg_container_free(old);
	return r == -MRG_E_NOT_FOUND ? 0 : r;
}

/* Containers that we keep have one name each, whatever their backends. */
static int check_own(struct mrg *m, const char *name, struct mrg_error *err)
{
	struct record *record = NULL;
	int r = store_open(m, name, &record, err);

	/* One that is damaged is one. */
	if (r < 0 && r != -EBADMSG)
		return r == -MRG_E_NOT_FOUND ? 0 : r;
	mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already%s%s", name, record ? ": it is of backend " : "",
		      record ? record->backend : "");
	store_free(record);
	return -MRG_E_EXISTS;
}

/* What else the engine has under that name is not ours to replace. */
static int check_engine(struct mrg *m, struct plugin *p, const char *name, struct mrg_error *err)
{
	int r = p->table.find ? dispatch_find(p, m->path, name, err) : 0;

	if (r > 0)
		return mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already: %s has it", name, p->table.name);
	return r;
}

/* @origin NULL: it is new, and the engine must not have the name. */
static int prepare(struct mrg *m, const struct mrg_create *create, const struct origin *origin, struct plan *plan, struct record **ret,
		   struct mrg_error *err)
{
	const char *name = plan->name;
	bool owns_root = origin && origin->owns_root;
	struct record *record = NULL;
	int r = make_plan(m, create, name, plan, err);

	if (r == 0 && create->flags & MRG_CREATE_REPLACE)
		r = remove_predecessor(m, name, plan->spec->root_path, &owns_root, err);
	if (r == 0 && !origin)
		r = check_own(m, name, err);
	if (r == 0 && !origin)
		r = check_engine(m, plan->plugin, name, err);
	if (r == 0)
		r = new_record(m, create, name, plan, &record, err);
	if (r == 0 && origin)
		snprintf(record->id, sizeof(record->id), "%s", origin->id);
	if (r == 0 && owns_root)
		r = own_root_take(record, err);
	if (r < 0)
		store_free(record);
	else
		*ret = record;
	return r;
}

static int create_named(struct mrg *m, const struct mrg_create *create, const char *name, const struct origin *origin, struct mrg_container **ret,
			struct mrg_error *err)
{
	_cleanup_(plan_deinit) struct plan plan = { .name = name };
	struct record *record = NULL;
	struct mrg_container *c;
	int r = prepare(m, create, origin, &plan, &record, err);

	if (r < 0)
		return r;
	r = make(m, plan.plugin, record, err);
	if (r < 0) {
		store_free(record);
		return r;
	}
	event_log_add(m, record, (struct mrg_change){ .type = MRG_CHANGE_CREATE });
	if (create->ret_dropped)
		*create->ret_dropped = plan.dropped;
	c = container_new(m, record);
	if (!c)
		return fail_memory(err);
	c->plugin = plan.plugin;
	if (ret)
		*ret = c;
	else
		mrg_container_free(c);
	return 0;
}

int mrg_create(struct mrg *m, const struct mrg_create *create, struct mrg_container **ret, struct mrg_error *err)
{
	char name[NAME_SIZE];
	int r = -MRG_E_EXISTS;

	if (create->name)
		return create_named(m, create, create->name, NULL, ret, err);
	for (int i = 0; i < NAME_TRIES && r == -MRG_E_EXISTS; i++) {
		r = name_make(name);
		if (r < 0)
			return fail_errno(err, r, "cannot get random numbers");
		r = create_named(m, create, name, NULL, ret, err);
	}
	return r;
}

int container_create_as(struct mrg *m, const struct mrg_create *create, const struct origin *origin, struct mrg_container **ret, struct mrg_error *err)
{
	return create_named(m, create, create->name, origin, ret, err);
}

/* ---- checking and explaining ---------------------------------------------------------------- */

static int check_name_free(struct mrg *m, const struct mrg_create *create, struct mrg_error *err)
{
	if (!create->name || create->flags & MRG_CREATE_REPLACE)
		return 0;
	return check_own(m, create->name, err);
}

int mrg_create_check(struct mrg *m, const struct mrg_create *create, struct mrg_error *err)
{
	_cleanup_(plan_deinit) struct plan plan = { 0 };
	int r = make_plan(m, create, create->name ? create->name : "unnamed", &plan, err);

	if (r == 0)
		r = check_name_free(m, create, err);
	if (r == 0 && create->name && !(create->flags & MRG_CREATE_REPLACE))
		r = check_engine(m, plan.plugin, create->name, err);
	if (r == 0 && create->ret_dropped)
		*create->ret_dropped = plan.dropped;
	return r;
}

int mrg_explain(struct mrg *m, const struct mrg_create *create, mrg_explain_fn line, void *data,
		struct mrg_error *err)
{
	_cleanup_(plan_deinit) struct plan plan = { 0 };
	struct mrg_unit unit = { .dir = -1 };
	char name[NAME_SIZE], id[17];
	int r;

	if (name_make(name) < 0 || id_make(id) < 0)
		return fail_errno(err, -EIO, "cannot get random numbers");
	unit.name = create->name ? create->name : name;
	unit.id = id;
	r = make_plan(m, create, unit.name, &plan, err);
	if (r < 0)
		return r;
	unit.spec = plan.spec;
	unit.path = m->path;
	unit.transient = create->flags & MRG_CREATE_TRANSIENT;
	return dispatch_explain(plan.plugin, &unit, line, data, err);
}
