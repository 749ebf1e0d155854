/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage stop and restart */

#include "config.h"

#include <signal.h>

#include "cli/commands.h"
#include "core/util/cleanup.h"

/* Checked before any container is touched. */
static int stop_timeout(struct cli *cli)
{
	return cli_duration(cli, "--time", cli->time);
}

static int kill_and_wait(struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_status status;
	int r = mrg_kill(c, SIGKILL, 1, err);

	if (r == -MRG_E_NOT_RUNNING)
		return 0;
	return r < 0 ? r : mrg_wait(c, -1, &status, err);
}

static int stop_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	int r;

	if (cli->kill)
		return kill_and_wait(c, err) < 0 ? err->code : 0;
	r = mrg_stop(c, cli->detach ? 0 : stop_timeout(cli), cli->no_kill || cli->detach, err);
	if (r == -MRG_E_TIMEOUT && cli->detach)
		return 0;
	return r < 0 ? r : 0;
}

static int restart_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	int r = stop_one(cli, c, err);

	return r < 0 ? r : mrg_start(c, NULL, err);
}

static int each(struct cli *cli, int (*one)(struct cli *cli, struct mrg_container *c, struct mrg_error *err))
{
	if (cli->kill && cli->no_kill)
		return cli_usage(cli, NULL, "'--kill' and '--no-kill' exclude each other");
	return stop_timeout(cli) < -1 ? 2 : cli_each(cli, one);
}

int cmd_stop(struct cli *cli)
{
	return each(cli, stop_one);
}

int cmd_restart(struct cli *cli)
{
	return each(cli, restart_one);
}
