/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage state and exists: one word, one exit status */

#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

static int state_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_status status;
	int r = mrg_container_status(c, &status, err);

	if (r == 0 && cli->output == FORMAT_JSON)
		printf("{\"schema\":\"moorage/state/v1\",\"name\":\"%s\",\"backend\":\"%s\",\"state\":\"%s\"}\n",
		       mrg_container_name(c), mrg_container_backend(c), state_name(status.state));
	else if (r == 0)
		puts(state_name(status.state));
	return r;
}

int cmd_state(struct cli *cli)
{
	return cli_each(cli, state_one);
}

int cmd_exists(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	int r;

	if (!cli_context(cli))
		return 1;
	r = cli_open(cli, cli->operands[0], &c, &err);
	if (r == -MRG_E_NOT_FOUND)
		return 1;
	return r < 0 ? cli_fail(cli, &err) : 0;
}
