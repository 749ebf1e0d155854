/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage receive: a container from another host */

#include "config.h"

#include <unistd.h>

#include "cli/commands.h"

int cmd_receive(struct cli *cli)
{
	struct mrg_error err = { 0 };

	if (!cli_context(cli))
		return 1;
	return mrg_receive(cli->m, STDIN_FILENO, STDOUT_FILENO, &err) < 0 ? cli_fail(cli, &err) : 0;
}
