/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files and commands of LXC that a container amounts to. */

#include "config.h"

#include <stdio.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/str.h"

static int say(mrg_explain_fn line, void *data, struct buffer *b, struct mrg_error *err)
{
	int r = b->failed ? fail_memory(err) : line(b->text, data);

	buffer_deinit(b);
	return r;
}

static int say_config(const struct lxc_place *place, const char *config, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "mkdir -p %s/%s && cat >%s/%s/" LXC_CONFIG " <<'EOF'\n%sEOF", place->path, place->name, place->path, place->name,
		    config);
	return say(line, data, &b, err);
}

static int say_start(const struct lxc_place *place, const struct mrg_spec *spec, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "%s -P %s -n %s", spec->boot ? "lxc-start -F" : "lxc-execute", place->path, place->name);
	if (spec->args && !spec->boot)
		buffer_addf(&b, " --");
	for (char **arg = spec->boot ? NULL : spec->args; arg && *arg; arg++)
		buffer_addf(&b, " '%s'", *arg);
	return say(line, data, &b, err);
}

int lxc_explain(void *self _unused_, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *config = NULL;
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = lxc_make_config(unit, &config, err);
	if (r == 0)
		r = say_config(&place, config, line, data, err);
	return r == 0 ? say_start(&place, unit->spec, line, data, err) : r;
}
