/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage update: other limits, live and in the record */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/spec_build.h"
#include "core/util/cleanup.h"

int cmd_update(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	_cleanup_spec_ struct mrg_spec *changes = NULL;
	struct mrg_fields able;
	struct builder b = { .cli = cli, .able = &able };
	struct mrg_error err = { 0 };
	int exit, r;

	if (cli->n_settings == 0)
		return cli_usage(cli, "'moorage update --help' lists the limits", "nothing to change was given");
	memset(&able, 0xff, sizeof(able));
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	b.backend = mrg_container_backend(c);
	b.spec = changes = mrg_spec_new();
	r = changes ? spec_apply(&b, PHASE_BEFORE, &err) : no_memory(&err);
	if (r == 0)
		r = mrg_update(c, changes, &err);
	return r < 0 ? cli_fail(cli, &err) : 0;
}
