/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage attach and console: the streams of the first process. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"

static int attach(struct cli *cli, struct mrg_container *c, const char *keys)
{
	const char *chosen = cli->detach_keys ? cli->detach_keys : getenv("MOORAGE_DETACH_KEYS");
	struct mrg_session *session;
	struct mrg_error err = { 0 };

	if (terminal_catch(cli) < 0)
		return 125;
	if (mrg_attach(c, &session, &err) < 0)
		return cli_fail(cli, &err);
	if (mrg_session_terminal(session) && isatty(STDIN_FILENO))
		cli_note(cli, "attached to '%s'; %s leaves it", mrg_container_name(c), chosen ? chosen : keys);
	return run_session(cli, mrg_container_name(c), session, false, true);
}

int cmd_attach(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int exit, first = cli->n_operands > 1 && strcmp(cli->operands[1], "--") == 0 ? 2 : 1;

	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	if (cli->n_operands <= first)
		return attach(cli, c, "ctrl-p,ctrl-q or three times ctrl-]");
	/* lxc-attach runs a command. */
	cli_note(cli, "'attach' with a command is 'exec'");
	cli->interactive = 1;
	cli->tty = isatty(STDIN_FILENO);
	return exec_in(cli, c, (const char *const *)cli->operands + first, NULL);
}

int cmd_console(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int exit;

	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	if (!mrg_container_spec(c)->terminal)
		return cli_usage(cli, "'moorage attach' connects to its streams, 'moorage shell' gives a shell in it",
				 "container '%s' has no console", mrg_container_name(c));
	if (!cli->detach_keys)
		cli->detach_keys = "ctrl-],ctrl-],ctrl-]";
	return attach(cli, c, cli->detach_keys);
}
