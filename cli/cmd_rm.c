/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage rm */

#include "config.h"

#include <string.h>

#include "cli/commands.h"

static int remove_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	int r = mrg_remove(c, (cli->force ? MRG_REMOVE_FORCE : 0) | (cli->keep_storage ? MRG_REMOVE_KEEP_ROOT : 0), err);

	if (r != -MRG_E_STATE)
		return r < 0 ? r : 0;
	/* For virsh, to destroy is to pull the plug. */
	if (strcmp(cli->typed, "destroy") == 0)
		mrg_error_hint(err, "'destroy' removes a container, with '-f' also a running one; to power off hard use 'kill'");
	else
		mrg_error_hint(err, "stop it first, or use '--force'");
	return r;
}

int cmd_rm(struct cli *cli)
{
	if (cli->force)
		cli->ignore = 1;
	return cli_each(cli, remove_one);
}
