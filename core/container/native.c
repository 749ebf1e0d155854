/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration that an engine keeps is the truth; our spec is a copy of it while nobody else has written there. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/container/internal.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/digest.h"
#include "core/util/fail.h"
#include "core/util/str.h"

static int add_digest(const char *text, void *data)
{
	uint64_t *digest = data;

	*digest = digest_add(*digest, text, strlen(text));
	return 0;
}

int container_digest(struct plugin *p, const struct mrg_unit *unit, uint64_t *ret, struct mrg_error *err)
{
	uint64_t digest = DIGEST_INIT;
	int r = p->table.native ? dispatch_native(p, unit, add_digest, &digest, err) : 0;

	if (r < 0)
		return r;
	*ret = p->table.native ? digest : 0;
	return 0;
}

/* What no engine knows of: the fields that are the core's own. */
static int keep_own_fields(struct mrg_spec *to, const struct mrg_spec *from, const struct mrg_fields *own, struct mrg_error *err)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		if (!mrg_fields_has(own, field) || !mrg_fields_has(&from->set, field) || mrg_fields_has(&to->set, field))
			continue;
		if (spec_copy_value(to, &spec_fields[field].value, to, from) < 0)
			return fail_memory(err);
		mrg_fields_add(&to->set, field);
	}
	return 0;
}

/* Reads the engine's configuration into a new spec in place of the one there is. */
static int read_native(struct mrg_container *c, const struct mrg_unit *unit, struct mrg_error *err)
{
	struct mrg_spec *spec = mrg_spec_new(), *empty = mrg_spec_new();
	struct mrg_unit asked = *unit;
	int r;

	asked.spec = empty;
	r = spec && empty ? dispatch_adopt(c->plugin, &asked, spec, err) : fail_memory(err);
	if (r == 0)
		r = keep_own_fields(spec, c->record->spec, &c->plugin->core, err);
	if (r == 0)
		r = container_replace_spec(c, spec, err);
	mrg_spec_free(empty);
	if (r < 0) {
		mrg_spec_free(spec);
		return r;
	}
	c->spec_is_newer = true;
	return 0;
}

static int load(struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_unit unit;
	uint64_t digest = 0;
	int r = container_load_spec(c, err);

	if (r < 0)
		return r;
	/* Nobody but us writes what a backend without a manager of its own has. */
	if (!c->record->adopted && !c->record->native)
		return 0;
	r = container_plugin(c, err);
	if (r < 0)
		return r;
	store_unit(c->record, NULL, &unit);
	if (!c->record->adopted) {
		r = container_digest(c->plugin, &unit, &digest, err);
		if (r < 0 || digest == c->record->native)
			return r;
		c->record->native = digest;
	}
	return c->plugin->table.adopt ? read_native(c, &unit, err) : 0;
}

int mrg_container_load(struct mrg_container *c, struct mrg_error *err)
{
	if (!c->loaded) {
		c->loaded = true;
		c->load_error = (struct mrg_error){ 0 };
		if (load(c, &c->load_error) < 0 && c->load_error.code >= 0)
			fail_memory(&c->load_error);
	}
	if (c->load_error.code < 0 && err)
		*err = c->load_error;
	return c->load_error.code;
}

int mrg_container_root(struct mrg_container *c, const char **ret, struct mrg_error *err)
{
	int r = c->record->brief ? 0 : mrg_container_load(c, err);

	*ret = c->record->spec->root_path;
	return r;
}

const struct mrg_spec *mrg_container_spec(struct mrg_container *c)
{
	(void)mrg_container_load(c, NULL);
	return c->record->spec;
}

int container_refresh(struct mrg_container *c, struct mrg_error *err)
{
	bool locked = c->record->locked;
	int r = mrg_container_load(c, err);

	if (r < 0 || !c->spec_is_newer)
		return r;
	r = store_lock(c->m, c->record, CONTAINER_LOCK_MS, err);
	if (r == 0)
		r = store_write_spec(c->record, err);
	if (r == 0)
		r = store_write_record(c->record, err);
	if (!locked)
		store_unlock(c->record);
	c->spec_is_newer = r < 0;
	return r;
}

/* ---- the text ------------------------------------------------------------------------------- */

static int add_text(const char *text, void *data)
{
	buffer_add(data, text, strlen(text));
	return 0;
}

int mrg_native(struct mrg_container *c, char **ret, struct mrg_error *err)
{
	struct buffer b = { 0 };
	struct mrg_unit unit;
	int r = container_plugin(c, err);

	if (r < 0)
		return r;
	if (!c->plugin->table.native) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "backend '%s' has no configuration of its own", mrg_container_backend(c));
		return mrg_error_hint(err, "moorage inspect %s", mrg_container_name(c)), -MRG_E_UNSUPPORTED;
	}
	store_unit(c->record, NULL, &unit);
	buffer_add(&b, "", 0);
	r = dispatch_native(c->plugin, &unit, add_text, &b, err);
	if (r == 0 && b.failed)
		r = fail_memory(err);
	if (r < 0) {
		buffer_deinit(&b);
		return r;
	}
	*ret = b.text;
	return 0;
}
