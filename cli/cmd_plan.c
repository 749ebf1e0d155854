/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage plan NAME --to BACKEND: what a migration would do */

#include "config.h"

#include "cli/commands.h"
#include "cli/migration.h"
#include "cli/output.h"
#include "core/util/cleanup.h"

static void plan_freep(struct mrg_plan **plan)
{
	mrg_plan_free(*plan);
}

int cmd_plan(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	_cleanup_(plan_freep) struct mrg_plan *plan = NULL;
	struct mrg_migrate how = { 0 };
	struct mrg_error err = { 0 };
	int exit = migration_wishes(cli, &how);

	if (exit == 0)
		exit = output_format_parse(cli);
	if (exit)
		return exit;
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	return mrg_plan(c, &how, &plan, &err) < 0 ? cli_fail(cli, &err) : migration_print_plan(cli, plan);
}
