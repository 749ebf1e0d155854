/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage shell: a login shell, or a command, with the terminal there is. */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"

static int start_shell(struct cli *cli, struct mrg_container *c, const char *user, struct mrg_session **ret,
		       struct mrg_error *err)
{
	static const char *const shells[] = { "/bin/bash", "/bin/sh" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		const char *const args[] = { shells[i], "-l", NULL };
		struct mrg_exec exec = { .args = args, .user = user, .cwd = cli->workdir, .terminal = cli->tty,
					 .stdin_open = 1, .privileged = cli->privileged };

		exec.env = (const char *const *)cli->env;
		r = mrg_exec(c, &exec, ret, err);
		if (r != -MRG_E_NO_COMMAND)
			break;
	}
	return r;
}

int cmd_shell(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	char *at = strrchr(cli->operands[0], '@');
	const char *user = cli->user;
	int first = 1, exit;

	if (at) {
		user = cli->operands[0];
		*at = '\0';
		cli->operands[0] = at + 1;
	}
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	cli->interactive = 1;
	cli->tty = isatty(STDIN_FILENO);
	if (cli->n_operands > 1 && strcmp(cli->operands[1], "--") == 0)
		first = 2;
	if (cli->n_operands > first)
		return exec_in(cli, c, (const char *const *)cli->operands + first, user);
	if (terminal_catch(cli) < 0)
		return 125;
	if (start_shell(cli, c, user, &session, &err) < 0)
		return cli_fail(cli, &err);
	return run_session(cli, mrg_container_name(c), session, true, true);
}
