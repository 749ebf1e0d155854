/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which container a name means: one of ours, or one that an engine keeps. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/container/internal.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

/* ---- ours ----------------------------------------------------------------------------------- */

/* Removes what a command that died in the middle of its work has left. Locked. */
static int repair(struct mrg *m, struct record *record, struct mrg_error *err)
{
	struct plugin *p = NULL;
	struct mrg_unit unit;
	int r = registry_load(m, record->backend, &p, err);

	store_unit(record, NULL, &unit);
	if (r == 0)
		r = dispatch_destroy(p, &unit, err);
	if (r < 0)
		return r;
	migration_forget(m, record->id, NULL);
	return store_remove(m, record, err);
}

int container_open_record(struct mrg *m, const char *name, int timeout_ms, struct record **ret, struct mrg_error *err)
{
	struct record *record = NULL;
	int r = store_open(m, name, &record, err);

	if (r < 0 || !record->creating) {
		if (r == 0)
			*ret = record;
		return r;
	}
	r = store_lock(m, record, timeout_ms, err);
	if (r == 0) {
		/* Read again: only under the lock it is known whether the maker had finished. */
		struct record *now = NULL;

		r = store_open(m, name, &now, err);
		if (r == 0 && !now->creating) {
			store_free(record);
			*ret = now;
			return 0;
		}
		store_free(now);
		if (r == 0)
			r = repair(m, record, err);
		if (r == 0)
			r = mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s'", name);
	}
	store_free(record);
	return r;
}

int container_open_brief(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err)
{
	struct record *record = NULL;
	int r = store_open_brief(m, name, &record, err);

	if (r < 0 || !record->creating) {
		if (r == 0)
			*ret = record;
		return r;
	}
	store_free(record);
	return container_open_record(m, name, 0, ret, err);
}

static int collect_name(const char *name, void *data)
{
	return strv_append(data, name);
}

static void hint_nearest(struct mrg *m, const char *name, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	const char *nearest = NULL;

	if (err && store_walk(m, collect_name, &names, NULL) == 0 && names)
		nearest = str_nearest(name, (const char *const *)names);
	if (nearest)
		mrg_error_hint(err, "did you mean '%s'?", nearest);
}

static int open_record(struct mrg *m, const char *name, struct record **ret, struct mrg_error *damage,
		       struct mrg_error *err)
{
	int r = container_open_record(m, name, CONTAINER_LOCK_MS, ret, err);

	if (r == -EBADMSG)
		return store_open_damaged(m, name, ret, damage, err);
	if (r == -MRG_E_NOT_FOUND)
		hint_nearest(m, name, err);
	return r;
}

static bool same_path(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Opens ours of that name, of @backend when not NULL: -MRG_E_NOT_FOUND. */
static int open_own(struct mrg *m, const char *backend, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	struct mrg_error damage = { 0 };
	struct record *record = NULL;
	struct mrg_container *c;
	int r = open_record(m, name, &record, &damage, err);

	if (r == -MRG_E_NOT_FOUND && backend)
		mrg_error_prefix(err, "backend '%s'", backend);
	if (r < 0)
		return r;
	if ((backend && strcmp(backend, record->backend) != 0) || (m->path && !same_path(m->path, record->path))) {
		mrg_error_set(err, -MRG_E_NOT_FOUND, "backend '%s' has no container named '%s'", backend ? backend : record->backend,
			      name);
		if (record->backend[0])
			mrg_error_hint(err, "one of that name is of backend '%s'", record->backend);
		store_free(record);
		return -MRG_E_NOT_FOUND;
	}
	c = container_new(m, record);
	if (!c)
		return fail_memory(err);
	c->damage = damage;
	*ret = c;
	return 0;
}

/* ---- the engines' --------------------------------------------------------------------------- */

int container_new_adopted(struct mrg *m, struct plugin *p, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	struct record *record = NULL;
	int r = store_open_adopted(m, p->table.name, m->path, name, &record, err);

	if (r < 0)
		return r;
	*ret = container_new(m, record);
	if (!*ret)
		return fail_memory(err);
	(*ret)->plugin = p;
	return 0;
}

/* 1: the engine has it, 0: it has not, or keeps none. */
static int engine_has(struct mrg *m, struct plugin *p, const char *name, struct mrg_error *err)
{
	if (!p->table.find || !store_adopted_name_is_valid(name))
		return 0;
	return dispatch_find(p, m->path, name, err);
}

static int open_of(struct mrg *m, const char *backend, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	struct plugin *p = NULL;
	int r = open_own(m, backend, name, ret, &why), has;

	if (r >= 0 || (r != -MRG_E_NOT_FOUND && r != -MRG_E_INVALID)) {
		if (r < 0 && err)
			*err = why;
		return r;
	}
	has = registry_load(m, backend, &p, err);
	if (has == 0)
		has = engine_has(m, p, name, err);
	if (has == 1)
		return container_new_adopted(m, p, name, ret, err);
	if (has == 0 && err)
		*err = why;
	return has < 0 ? has : r;
}

/* The engines besides that of @own that have @name, as "lxc:web"; *ret_plugin is the last of them. One that cannot be asked has none. */
static int find_in_engines(struct mrg *m, const char *name, const struct mrg_container *own, char ***ret,
			   struct plugin **ret_plugin, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **backends = NULL;
	int r = mrg_backend_names(m, &backends, err);

	for (size_t i = 0; r == 0 && backends[i]; i++) {
		_cleanup_free_ char *full = NULL;
		struct plugin *p;

		if ((own && strcmp(own->record->backend, backends[i]) == 0) || registry_load(m, backends[i], &p, NULL) < 0 ||
		    engine_has(m, p, name, NULL) != 1)
			continue;
		*ret_plugin = p;
		if (asprintf(&full, "%s:%s", backends[i], name) < 0) {
			full = NULL;
			return fail_memory(err);
		}
		r = strv_append(ret, full) < 0 ? fail_memory(err) : 0;
	}
	return r;
}

static int ambiguous(const char *name, const struct mrg_container *own, char *const *others, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	size_t n = strv_length(others);

	if (own)
		buffer_addf(&b, "%s:%s", own->record->backend, name);
	for (size_t i = 0; i < n; i++)
		buffer_addf(&b, "%s%s", !b.text ? "" : i + 1 < n ? ", " : " and ", others[i]);
	mrg_error_set(err, -MRG_E_AMBIGUOUS, "several backends have a container named '%s': %s", name, b.text ? b.text : "");
	mrg_error_hint(err, "name it with its backend: %s", others[0]);
	return -MRG_E_AMBIGUOUS;
}

static int open_any(struct mrg *m, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **others = NULL;
	struct mrg_container *own = NULL;
	struct mrg_error why = { 0 };
	struct plugin *p = NULL;
	int absent = open_own(m, NULL, name, &own, &why), r;

	if (absent < 0 && absent != -MRG_E_NOT_FOUND && absent != -MRG_E_INVALID) {
		if (err)
			*err = why;
		return absent;
	}
	r = find_in_engines(m, name, own, &others, &p, err);
	if (r == 0 && (own ? 1 : 0) + strv_length(others) > 1)
		r = ambiguous(name, own, others, err);
	if (r < 0) {
		mrg_container_free(own);
		return r;
	}
	if (others)
		return container_new_adopted(m, p, name, ret, err);
	if (own)
		*ret = own;
	else if (err)
		*err = why;
	return absent;
}

int mrg_container_open(struct mrg *m, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_free_ char *backend = strndup(name, strcspn(name, ":"));
	int r;

	if (!backend)
		return fail_memory(err);
	/* A container that is between two engines is with neither. */
	r = mrg_settle(m, NULL, NULL, err);
	if (r < 0)
		return r;
	import_sweep(m);
	if (name[strlen(backend)] == ':' && backend_name_is_valid(backend))
		return open_of(m, backend, name + strlen(backend) + 1, ret, err);
	return open_any(m, name, ret, err);
}

bool container_is_gone(struct mrg *m, const char *backend, const char *name)
{
	struct mrg_container *c = NULL;
	_cleanup_free_ char *full = NULL;
	int r = asprintf(&full, "%s:%s", backend, name);

	if (r < 0) {
		full = NULL;
		return false;
	}
	r = mrg_container_open(m, full, &c, NULL);
	mrg_container_free(c);
	return r == -MRG_E_NOT_FOUND;
}
