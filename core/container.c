/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers as objects: opening, listing, looking. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/container_internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

struct mrg_container *container_new(struct mrg *m, struct record *record)
{
	struct mrg_container *c = calloc(1, sizeof(*c));

	if (!c) {
		store_free(record);
		return NULL;
	}
	c->m = m;
	c->record = record;
	return c;
}

struct mrg_container *mrg_container_free(struct mrg_container *c)
{
	if (!c)
		return NULL;
	store_free(c->record);
	for (size_t i = 0; i < c->n_replaced; i++)
		mrg_spec_free(c->replaced[i]);
	free(c->replaced);
	free(c);
	return NULL;
}

const char *mrg_container_name(const struct mrg_container *c)
{
	return c->record->name;
}

const char *mrg_container_id(const struct mrg_container *c)
{
	return c->record->id;
}

const char *mrg_container_backend(const struct mrg_container *c)
{
	return c->record->backend;
}

const struct mrg_spec *mrg_container_spec(const struct mrg_container *c)
{
	return c->record->spec;
}

int mrg_container_transient(const struct mrg_container *c)
{
	return c->record->transient;
}

int64_t mrg_container_created(const struct mrg_container *c)
{
	return c->record->created;
}

int mrg_exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* ---- looking -------------------------------------------------------------------------------- */

int container_plugin(struct mrg_container *c, struct mrg_error *err)
{
	int r;

	if (c->damage.code) {
		if (err)
			*err = c->damage;
		return c->damage.code;
	}
	if (c->plugin)
		return 0;
	r = registry_load(c->m, c->record->backend, &c->plugin, err);
	if (r < 0)
		mrg_error_prefix(err, "container '%s'", c->record->name);
	return r;
}

static bool is_removed(const struct mrg_container *c)
{
	struct stat st;

	return fstat(c->record->dir, &st) == 0 && st.st_nlink == 0;
}

int container_look(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	int r = container_plugin(c, err);

	ret->run = (struct run){ .process.pidfd = -1 };
	if (r < 0)
		return r;
	r = store_read_run(c->record, &ret->run, err);
	if (r < 0)
		return r;
	store_unit(c->record, &ret->run, &ret->unit);
	r = dispatch_state(c->plugin, &ret->unit, err);
	if (is_removed(c)) {
		container_look_away(ret);
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s'", c->record->name);
	}
	if (r < 0) {
		container_look_away(ret);
		return r;
	}
	/* An engine that keeps no memory of an end says CREATED; our record of the start knows better. */
	ret->state = r == MRG_STATE_CREATED && ret->run.started ? MRG_STATE_STOPPED : r;
	return 0;
}

void container_look_away(struct view *view)
{
	store_run_deinit(&view->run);
}

int container_lock_and_look(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	int r = container_plugin(c, err);

	ret->run = (struct run){ .process.pidfd = -1 };
	if (r == 0)
		r = store_lock(c->m, c->record, CONTAINER_LOCK_MS, err);
	if (r < 0)
		return r;
	r = container_look(c, ret, err);
	if (r < 0)
		store_unlock(c->record);
	return r;
}

int container_lock_at_rest(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	struct mrg_status status;
	int r = container_lock_and_look(c, ret, err);

	if (r < 0 || state_is_alive(ret->state) || ret->run.monitor == 0)
		return r;
	store_unlock(c->record);
	container_look_away(ret);
	r = container_wait_end(c, CONTAINER_END_MS, &status, err);
	return r < 0 ? r : container_lock_and_look(c, ret, err);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Removes what a command that died in the middle of its work has left. Locked. */
static int repair(struct mrg *m, struct record *record, struct mrg_error *err)
{
	struct plugin *p = NULL;
	struct mrg_unit unit;
	int r = registry_load(m, record->backend, &p, err);

	store_unit(record, NULL, &unit);
	if (r == 0)
		r = dispatch_destroy(p, &unit, err);
	return r < 0 ? r : store_remove(m, record, err);
}

/* Opens a record that is whole. A half made one is repaired when its maker is gone; a maker at work is waited for @timeout_ms. */
static int open_whole(struct mrg *m, const char *name, int timeout_ms, struct record **ret, struct mrg_error *err)
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
	int r = open_whole(m, name, CONTAINER_LOCK_MS, ret, err);

	if (r == -EBADMSG)
		return store_open_damaged(m, name, ret, damage, err);
	if (r == -MRG_E_NOT_FOUND)
		hint_nearest(m, name, err);
	return r;
}

int mrg_container_open(struct mrg *m, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_free_ char *backend = NULL;
	const char *colon = strchr(name, ':');
	struct mrg_error damage = { 0 };
	struct record *record = NULL;
	struct mrg_container *c;
	int r;

	if (colon) {
		backend = strndup(name, (size_t)(colon - name));
		if (!backend)
			return fail_memory(err);
		name = colon + 1;
	}
	r = open_record(m, name, &record, &damage, err);
	if (r < 0)
		return r;
	if (backend && strcmp(backend, record->backend) != 0) {
		mrg_error_set(err, -MRG_E_NOT_FOUND, "backend '%s' has no container named '%s'", backend, name);
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

/* ---- listing -------------------------------------------------------------------------------- */

struct listing {
	struct mrg *m;
	const char *backend;
	int (*found)(struct mrg_container *c, void *data);
	void (*warn)(const char *name, const struct mrg_error *err, void *data);
	void *data;
};

static int list_one(const char *name, void *data)
{
	struct listing *l = data;
	struct mrg_error why = { 0 };
	struct record *record = NULL;
	struct mrg_container *c;
	int r = open_whole(l->m, name, 0, &record, &why);

	/* Removed, or not finished, while we look: not there. */
	if (r == -MRG_E_NOT_FOUND || r == -MRG_E_BUSY)
		return 0;
	if (r < 0) {
		if (l->warn)
			l->warn(name, &why, l->data);
		return 0;
	}
	if (l->backend && strcmp(l->backend, record->backend) != 0) {
		store_free(record);
		return 0;
	}
	c = container_new(l->m, record);
	if (!c)
		return -ENOMEM;
	r = l->found(c, l->data);
	mrg_container_free(c);
	return r;
}

int mrg_list(struct mrg *m, const char *backend, int (*found)(struct mrg_container *c, void *data),
	     void (*warn)(const char *name, const struct mrg_error *err, void *data), void *data,
	     struct mrg_error *err)
{
	struct listing listing = { .m = m, .backend = backend, .found = found, .warn = warn, .data = data };

	return store_walk(m, list_one, &listing, err);
}
