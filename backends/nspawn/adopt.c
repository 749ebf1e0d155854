/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines as machinectl and files describe them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <moorage/format.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define SETTINGS_MAX	(1 << 20)

int nspawn_find(void *self _unused_, const char *path, const char *name, struct mrg_error *err)
{
	struct nspawn_image image;
	pid_t leader;
	int r = nspawn_image_find(path, name, &image, err);

	return r != 0 || path ? r : nspawn_registered(name, &leader, NULL, err);
}

struct listing {
	mrg_found_fn found;
	void *data;
};

static int pass_on(const char *name, void *data)
{
	const struct listing *l = data;

	return l->found(&(struct mrg_found){ .name = name }, l->data);
}

int nspawn_list(void *self _unused_, const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	return nspawn_image_list(path, pass_on, &(struct listing){ found, data }, err);
}

/* ---- the texts -------------------------------------------------------------------------------- */

static int read_settings(const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	struct nspawn_settings settings;
	int r = nspawn_settings_find(unit->path, unit->name, &settings, err);

	if (r <= 0)
		return r;
	r = fd_read_file(AT_FDCWD, settings.path, SETTINGS_MAX, ret, NULL);
	/* Removed a moment ago. */
	if (r == -ENOENT)
		return 0;
	return r < 0 ? fail_errno(err, r, "cannot read '%s'", settings.path) : 1;
}

int nspawn_native(void *self _unused_, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *settings = NULL;
	int r = read_settings(unit, &settings, err);

	if (r > 0)
		r = text(settings, data);
	if (r == 0 && settings && *settings && settings[strlen(settings) - 1] != '\n')
		r = text("\n", data);
	return r != 0 ? r : nspawn_unit_dropins(unit->name, text, data, err);
}

static int collect(const char *text, void *data)
{
	buffer_add(data, text, strlen(text));
	return 0;
}

/* ---- adopt ------------------------------------------------------------------------------------ */

/* Every field that @from has and @to has not. */
static int take_over(struct mrg_spec *to, const struct mrg_spec *from, const char *root, struct mrg_error *err)
{
	struct mrg_spec *copy = NULL;
	int r = mrg_spec_copy(from, &copy, err);

	if (r < 0)
		return r;
	if (root && !mrg_fields_has(&copy->set, MRG_FIELD_ROOT_PATH))
		r = mrg_spec_set(copy, MRG_FIELD_ROOT_PATH, root, err);
	/* The empty one takes the place of the copy, with the memory of both. */
	if (r == 0) {
		struct mrg_spec empty = *to;

		*to = *copy;
		*copy = empty;
	}
	mrg_spec_free(copy);
	return r;
}

/* What systemd lets pass when the host has no controller for it, so that its own defaults do not keep a machine from starting. */
static int drop_impossible_limits(struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_fields possible = spec->set;
	int r = mrg_helper_cgroup_probe(&possible, NULL, 0, err);

	if (r == 0)
		spec->set = possible;
	return r;
}

/* A root, settings alone (of a root elsewhere), or one that runs from elsewhere. 1 with a root in @image, 0 without. */
static int look_for(const struct mrg_unit *unit, struct nspawn_image *image, struct mrg_error *err)
{
	struct nspawn_settings settings;
	pid_t leader;
	int has = nspawn_image_find(unit->path, unit->name, image, err), r = has;

	if (r == 0)
		r = nspawn_settings_find(unit->path, unit->name, &settings, err);
	if (r == 0 && !unit->path)
		r = nspawn_registered(unit->name, &leader, NULL, err);
	if (r == 0)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "there is no machine '%s'", unit->name);
	return r < 0 ? r : has;
}

/* A system that boots has a console, which is ours to hold when we are the ones to start it. */
static int add_console(const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	if (!unit->adopted || !spec->boot || mrg_fields_has(&spec->set, MRG_FIELD_TERMINAL) || nspawn_is_started_by_unit(unit))
		return 0;
	return mrg_spec_set(spec, MRG_FIELD_TERMINAL, "yes", err);
}

int nspawn_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct mrg_spec *read = NULL;
	struct nspawn_image image;
	int has = look_for(unit, &image, err), r;

	if (has < 0)
		return has;
	r = nspawn_native(self, unit, collect, &b, err);
	/* Nothing said: all is as the unit has it. */
	if (r == 0 && b.length == 0)
		buffer_addf(&b, "[Exec]\n");
	if (r == 0 && b.failed)
		r = fail_memory(err);
	if (r == 0)
		r = mrg_format_read("nspawn", b.text, b.length, &read, NULL, NULL, err);
	if (r == 0)
		r = drop_impossible_limits(read, err);
	if (r == 0)
		r = add_console(unit, read, err);
	if (r == 0)
		r = take_over(spec, read, has > 0 && !image.is_file ? image.path : NULL, err);
	mrg_spec_free(read);
	return r;
}
