/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage kill, and terminate for who comes from machinectl */

#include "config.h"

#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "core/util/str.h"

static int kill_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	int signo = cli->signal ? parse_signal(cli->signal) : SIGKILL;

	return mrg_kill(c, signo, cli->all_processes, err) < 0 ? err->code : 0;
}

int cmd_kill(struct cli *cli)
{
	if (cli->signal && parse_signal(cli->signal) < 0)
		return cli_usage(cli, NULL, "there is no signal '%s'", cli->signal);
	if (strcmp(cli->typed, "terminate") == 0)
		cli->all_processes = 1;
	return cli_each(cli, kill_one);
}
