/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers as objects, and looking at them. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

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

int mrg_container_transient(const struct mrg_container *c)
{
	return c->record->transient;
}

int64_t mrg_container_created(const struct mrg_container *c)
{
	return c->record->created;
}

int mrg_container_adopted(const struct mrg_container *c)
{
	return c->record->adopted;
}

int mrg_exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int container_replace_spec(struct mrg_container *c, struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_spec **bigger = realloc(c->replaced, (c->n_replaced + 1) * sizeof(*bigger));

	if (!bigger)
		return fail_memory(err);
	c->replaced = bigger;
	c->replaced[c->n_replaced++] = c->record->spec;
	c->record->spec = spec;
	return 0;
}

/* ---- looking -------------------------------------------------------------------------------- */

int container_load_plugin(struct mrg_container *c, struct mrg_error *err)
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

int container_load_spec(struct mrg_container *c, struct mrg_error *err)
{
	struct record *record = c->record;
	struct mrg_spec *brief = record->spec, *whole;
	int r;

	if (!record->brief)
		return 0;
	r = store_read_spec(record, err);
	if (r < 0)
		return r;
	whole = record->spec;
	record->spec = brief;
	r = container_replace_spec(c, whole, err);
	if (r < 0)
		mrg_spec_free(whole);
	record->brief = r < 0;
	return r;
}

int container_plugin(struct mrg_container *c, struct mrg_error *err)
{
	int r = container_load_plugin(c, err);

	return r < 0 ? r : container_load_spec(c, err);
}

static bool is_removed(const struct mrg_container *c)
{
	struct stat st;

	return c->record->dir >= 0 && fstat(c->record->dir, &st) == 0 && st.st_nlink == 0;
}

/* The first process as the engine knows it: of a container that others started, or whose child of ours is the engine's own. */
static int ask_for_process(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = c->plugin->table.process ? container_load_spec(c, err) : 0;

	if (r < 0)
		return r;
	store_unit(c->record, &view->run, &view->unit);
	r = dispatch_process(c->plugin, &view->unit, &process, err);
	if (r <= 0)
		return r;
	if (!process.start_time && proc_start_time(process.pid, &process.start_time) < 0)
		return 0;
	if (process.pidfd < 0)
		process.pidfd = proc_open(process.pid, process.start_time);
	if (process.pidfd < 0)
		return 0;
	view->by_others = view->run.process.pid == 0;
	fd_close(view->run.process.pidfd);
	view->run.process = process;
	store_unit(c->record, &view->run, &view->unit);
	return 0;
}

static int look_at_state(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	int r = store_read_run(c->record, &view->run, err);

	if (r < 0)
		return r;
	store_unit(c->record, &view->run, &view->unit);
	r = dispatch_state(c->plugin, &view->unit, err);
	if (is_removed(c) || (r == MRG_STATE_ABSENT && c->record->adopted))
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s'", c->record->name);
	if (r < 0)
		return r;
	/* An engine that keeps no memory of an end says CREATED; our record of the start knows better. */
	view->state = r == MRG_STATE_CREATED && view->run.started ? MRG_STATE_STOPPED : r;
	return 0;
}

static int look(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	int r = look_at_state(c, view, err);

	return r == 0 && state_is_alive(view->state) ? ask_for_process(c, view, err) : r;
}

int container_state(struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_view_ struct view view = { .run.process.pidfd = -1 };
	int r = container_plugin(c, err);

	if (r == 0)
		r = look_at_state(c, &view, err);
	return r < 0 ? r : view.state;
}

int container_glance(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	int r = container_load_plugin(c, err);

	*ret = (struct view){ .run.process.pidfd = -1 };
	if (r == 0)
		r = look(c, ret, err);
	if (r < 0)
		container_look_away(ret);
	return r;
}

int container_look(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	int r = container_load_spec(c, err);

	if (r < 0) {
		*ret = (struct view){ .run.process.pidfd = -1 };
		return r;
	}
	return container_glance(c, ret, err);
}

void container_look_away(struct view *view)
{
	store_run_deinit(&view->run);
}

int container_lock_and_look(struct mrg_container *c, struct view *ret, struct mrg_error *err)
{
	int r = container_plugin(c, err);

	*ret = (struct view){ .run.process.pidfd = -1 };
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
