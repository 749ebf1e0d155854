/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage wait: until it does not run; prints the exit status */

#include "config.h"

#include <stdio.h>

#include "cli/commands.h"

static int wait_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_status status;
	int timeout = cli_duration(cli, "--time", cli->time), r = mrg_wait(c, timeout, &status, err);

	if (r == -MRG_E_TIMEOUT) {
		cli_note(cli, "'%s' still runs", mrg_container_name(c));
		return 1;
	}
	if (r < 0)
		return r;
	if (status.has_exit)
		printf("%d\n", mrg_exit_code(status.exit_status));
	else
		puts("-1");
	return 0;
}

int cmd_wait(struct cli *cli)
{
	return cli_duration(cli, "--time", cli->time) < -1 ? 2 : cli_each(cli, wait_one);
}
