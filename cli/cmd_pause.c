/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage pause and unpause */

#include "config.h"

#include "cli/commands.h"

static int pause_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	(void)cli;
	return mrg_pause(c, err) < 0 ? err->code : 0;
}

static int unpause_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	(void)cli;
	return mrg_unpause(c, err) < 0 ? err->code : 0;
}

int cmd_pause(struct cli *cli)
{
	return cli_each(cli, pause_one);
}

int cmd_unpause(struct cli *cli)
{
	return cli_each(cli, unpause_one);
}
