/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All containers: ours, then those that engines keep. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

struct listing {
	struct mrg *m;
	const char *backend;
	int (*found)(struct mrg_container *c, void *data);
	void (*warn)(const char *name, const struct mrg_error *err, void *data);
	void *data;
	struct strings own;		/* "BACKEND:NAME" of ours; sorted when all are there */
};

static void report(const struct listing *l, const char *name, const struct mrg_error *why)
{
	if (l->warn)
		l->warn(name, why, l->data);
}

/* ---- ours ----------------------------------------------------------------------------------- */

static int remember(struct listing *l, const struct record *record)
{
	_cleanup_free_ char *full = NULL;

	if (asprintf(&full, "%s:%s", record->backend, record->name) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	return strings_add(&l->own, full);
}

static int list_one(const char *name, void *data)
{
	struct listing *l = data;
	struct mrg_error why = { 0 };
	struct record *record = NULL;
	struct mrg_container *c;
	int r = container_open_brief(l->m, name, &record, &why);

	/* Removed, or not finished, while we look: not there. */
	if (r == -MRG_E_NOT_FOUND || r == -MRG_E_BUSY)
		return 0;
	if (r < 0) {
		report(l, name, &why);
		return 0;
	}
	if (l->backend && strcmp(l->backend, record->backend) != 0) {
		store_free(record);
		return 0;
	}
	r = remember(l, record);
	c = container_new(l->m, record);
	if (!c)
		return -ENOMEM;
	if (r == 0)
		r = l->found(c, l->data);
	mrg_container_free(c);
	return r;
}

/* ---- the engines' --------------------------------------------------------------------------- */

static int collect(const struct mrg_found *found, void *data)
{
	return store_adopted_name_is_valid(found->name) ? strings_add(data, found->name) : 0;
}

static int list_adopted(struct listing *l, struct plugin *p, const char *name)
{
	_cleanup_free_ char *full = NULL;
	struct mrg_error why = { 0 };
	struct mrg_container *c = NULL;
	int r;

	if (asprintf(&full, "%s:%s", p->table.name, name) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	if (strings_find(&l->own, full))
		return 0;
	r = container_new_adopted(l->m, p, name, &c, &why);
	/* Removed while we look. */
	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r < 0) {
		report(l, name, &why);
		return 0;
	}
	r = l->found(c, l->data);
	mrg_container_free(c);
	return r;
}

struct lost {
	struct mrg *m;
	struct plugin *plugin;
};

/* What a run of ours took goes with the record; what has lost its configuration and runs on keeps both. */
static bool release_lost(const char *name, void *data)
{
	const struct lost *lost = data;
	struct mrg_container *c = NULL;
	struct mrg_exit ignored;
	struct mrg_error why;
	struct mrg_unit unit;
	int r = container_new_adopted(lost->m, lost->plugin, name, &c, &why);

	if (r < 0)
		return true;
	store_unit(c->record, NULL, &unit);
	r = dispatch_state(lost->plugin, &unit, &why);
	if (r >= 0 && !state_is_alive(r))
		r = dispatch_cleanup(lost->plugin, &unit, &ignored, &why);
	mrg_container_free(c);
	return r >= 0 && !state_is_alive(r);
}

static int list_engine(struct listing *l, const char *backend)
{
	_cleanup_(strings_deinit) struct strings names = { 0 };
	struct mrg_error why = { 0 };
	struct plugin *p;
	int r;

	/* Most hosts do not have all engines; a plugin that is broken may hide containers. Who names one is told by mrg_backend_info(). */
	r = registry_load(l->m, backend, &p, &why);
	if (r < 0) {
		if (r != -MRG_E_NO_ENGINE && !l->backend)
			report(l, backend, &why);
		return 0;
	}
	if (!p->table.list)
		return 0;
	r = dispatch_list(p, l->m->path, collect, &names, &why);
	if (r < 0) {
		if (r != -MRG_E_NO_ENGINE || l->backend)
			report(l, backend, &why);
		return 0;
	}
	strings_sort(&names);
	store_forget_adopted(l->m, backend, l->m->path, names.strv, release_lost, &(struct lost){ l->m, p });
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = list_adopted(l, p, names.strv[i]);
	return r;
}

static int list_engines(struct listing *l, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **backends = NULL;
	int r = mrg_backend_names(l->m, &backends, err);

	strings_sort(&l->own);
	for (size_t i = 0; r == 0 && backends[i]; i++)
		if (!l->backend || strcmp(l->backend, backends[i]) == 0)
			r = list_engine(l, backends[i]);
	return r;
}

static void look_begin(struct mrg *m)
{
	if (m->looks++ > 0)
		return;
	store_look_begin(m, &m->look);
	cgroup_look_begin(&m->look);
	autostart_look_begin(&m->look);
}

static void look_end(struct mrg *m)
{
	if (--m->looks > 0)
		return;
	store_look_end(m, &m->look);
	cgroup_look_end(&m->look);
	autostart_look_end(&m->look);
}

int mrg_list(struct mrg *m, const char *backend, int (*found)(struct mrg_container *c, void *data),
	     void (*warn)(const char *name, const struct mrg_error *err, void *data), void *data,
	     struct mrg_error *err)
{
	struct listing l = { .m = m, .backend = backend, .found = found, .warn = warn, .data = data };
	int r = mrg_settle(m, warn, data, err);

	import_sweep(m);
	look_begin(m);
	if (r == 0)
		r = store_walk(m, list_one, &l, err);
	if (r == 0)
		r = list_engines(&l, err);
	look_end(m);
	strings_deinit(&l.own);
	return r == -ENOMEM ? fail_memory(err) : r;
}
