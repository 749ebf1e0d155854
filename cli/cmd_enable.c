/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage enable, disable and generate: starting with the host */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "core/util/cleanup.h"

static int set(struct mrg_container *c, int on, struct mrg_error *err)
{
	int r = mrg_autostart(c, on, err);

	if (r < 0 || r == on)
		return r < 0 ? r : 0;
	return mrg_error_set(err, -EIO, "container '%s' is still %s", mrg_container_name(c), r ? "enabled" : "disabled");
}

static int enable_one(_unused_ struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	return set(c, 1, err);
}

static int disable_one(_unused_ struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	return set(c, 0, err);
}

static int generate_one(_unused_ struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = mrg_generate(c, &text, err);

	if (r == 0)
		fputs(text, stdout);
	return r;
}

int cmd_enable(struct cli *cli)
{
	return cli_each(cli, enable_one);
}

int cmd_disable(struct cli *cli)
{
	return cli_each(cli, disable_one);
}

int cmd_generate(struct cli *cli)
{
	return cli_each(cli, generate_one);
}
