/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage rename */

#include "config.h"

#include "cli/commands.h"
#include "core/util/cleanup.h"

int cmd_rename(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	int exit;

	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	return mrg_rename(c, cli->operands[1], &err) < 0 ? cli_fail(cli, &err) : 0;
}
