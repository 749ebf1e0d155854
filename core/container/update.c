/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: changing them, and what is used of them. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/container/internal.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

static int check_fields(struct mrg_container *c, const struct mrg_spec *changes, struct mrg_error *err)
{
	struct mrg_fields missing;
	struct mrg_probe probe;
	int r;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const struct mrg_field_info *info = mrg_field_info(field);

		if (mrg_fields_has(&changes->set, field) && (field < MRG_FIELD_DEVICE_RULES || field > MRG_FIELD_UNIFIED))
			return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no limit: it cannot be changed after creation",
					     info ? info->name : "?");
	}
	r = backend_probe(c->plugin, &probe, err);
	if (r == 0 && fields_missing(changes, &probe.fields, &missing) > 0)
		r = fields_refuse(c->m, c->plugin, &probe, changes, &missing, err);
	return r;
}

/* @spec with the fields of @changes in place of its own. */
static int merge(const struct mrg_spec *spec, const struct mrg_spec *changes, struct mrg_spec **ret, struct mrg_error *err)
{
	struct mrg_spec *merged = NULL;
	int r = mrg_spec_copy(spec, &merged, err);

	for (unsigned int field = 0; field < MRG_FIELD_MAX && r == 0; field++)
		if (mrg_fields_has(&changes->set, field)) {
			r = spec_copy_value(merged, &spec_fields[field].value, merged, changes);
			mrg_fields_add(&merged->set, field);
			if (r < 0)
				fail_memory(err);
		}
	if (r == 0)
		r = mrg_spec_check(merged, err);
	if (r < 0) {
		mrg_spec_free(merged);
		return r;
	}
	*ret = merged;
	return 0;
}

/* The spec as it is on disk now: another command may have changed it since @c was opened. */
static int merge_current(struct mrg_container *c, const struct mrg_spec *changes, struct mrg_spec **ret,
			 struct mrg_error *err)
{
	struct record *now = NULL;
	int r = store_open(c->m, c->record->name, &now, err);

	if (r == 0)
		r = merge(now->spec, changes, ret, err);
	store_free(now);
	return r;
}

/* The engine's configuration follows the spec; its text is then ours again. */
static int configure(struct mrg_container *c, struct view *view, struct mrg_error *err)
{
	int r;

	store_unit(c->record, &view->run, &view->unit);
	r = dispatch_configure(c->plugin, &view->unit, err);
	if (r == 0 && c->record->native) {
		r = container_digest(c->plugin, &view->unit, &c->record->native, err);
		if (r == 0)
			r = store_write_record(c->record, err);
	}
	return r;
}

static int update_own(struct mrg_container *c, struct view *view, const struct mrg_spec *changes, struct mrg_error *err)
{
	struct mrg_spec *merged = NULL, *before;
	int r = container_refresh(c, err);

	if (r == 0)
		r = merge_current(c, changes, &merged, err);
	if (r == 0)
		r = dispatch_check(c->plugin, merged, err);
	if (r == 0 && state_is_alive(view->state))
		r = dispatch_update(c->plugin, &view->unit, changes, err);
	before = c->record->spec;
	if (r == 0)
		r = container_replace_spec(c, merged, err);
	if (r < 0) {
		mrg_spec_free(merged);
		return r;
	}
	r = store_write_spec(c->record, err);
	if (r == 0)
		r = configure(c, view, err);
	if (r < 0) {
		/* Both live on among those replaced. */
		c->replaced[c->n_replaced - 1] = merged;
		c->record->spec = before;
		store_write_spec(c->record, NULL);
	}
	return r;
}

/* What others have written stays as it is: the change is for this life. */
static int update_adopted(struct mrg_container *c, struct view *view, const struct mrg_spec *changes, struct mrg_error *err)
{
	if (state_is_alive(view->state))
		return dispatch_update(c->plugin, &view->unit, changes, err);
	mrg_error_set(err, -MRG_E_STATE, "container '%s' does not run, and its configuration belongs to %s", c->record->name,
		      c->record->backend);
	mrg_error_hint(err, "start it, or change its configuration with the tools of %s", c->record->backend);
	return -MRG_E_STATE;
}

int mrg_update(struct mrg_container *c, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_lock_and_look(c, &view, err);

	if (r < 0)
		return r;
	r = check_fields(c, changes, err);
	if (r == 0)
		r = c->record->adopted ? update_adopted(c, &view, changes, err) : update_own(c, &view, changes, err);
	store_unlock(c->record);
	return r;
}

int mrg_stats(struct mrg_container *c, struct mrg_stats *ret, struct mrg_error *err)
{
	_cleanup_view_ struct view view;
	int r = container_look(c, &view, err);

	if (r < 0)
		return r;
	if (!state_is_alive(view.state))
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run", c->record->name);
	return dispatch_stats(c->plugin, &view.unit, ret, err);
}
