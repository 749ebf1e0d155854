/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage exec: a command in a running container. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/spec_build.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

static int add_variable(const char *text, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *assignment = NULL;
	int r = env_assignment(text, &assignment, err);

	if (r == 0 && assignment && strv_append(data, assignment) < 0)
		r = no_memory(err);
	return r;
}

static int environment(struct cli *cli, char ***ret, struct mrg_error *err)
{
	int r = 0;

	for (char **file = cli->env_file; file && *file && r == 0; file++)
		r = env_file_read(*file, add_variable, ret, err);
	for (char **word = cli->env; word && *word && r == 0; word++)
		r = add_variable(*word, ret, err);
	return r;
}

int exec_in(struct cli *cli, struct mrg_container *c, const char *const *args, const char *user)
{
	_cleanup_(strv_freep) char **env = NULL;
	struct mrg_exec exec = { .args = args, .cwd = cli->workdir, .user = user, .terminal = cli->tty,
				 .stdin_open = cli->interactive, .privileged = cli->privileged };
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	int r = environment(cli, &env, &err);

	if (r < 0)
		return cli_fail(cli, &err);
	if (!cli->detach && terminal_catch(cli) < 0)
		return 125;
	exec.env = (const char *const *)env;
	r = mrg_exec(c, &exec, cli->detach ? NULL : &session, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	return cli->detach ? 0 : run_session(cli, mrg_container_name(c), session, true, cli->interactive);
}

int cmd_exec(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int first = 1, exit;

	if (!cli->dashes && cli->n_operands > 1 && strcmp(cli->operands[1], "--") == 0)
		first = 2;
	else if (!cli->name && cli->n_operands > 1 && cli->operands[1][0] == '-')
		return cli_usage(cli, "options stand before the name: moorage exec -it NAME -- COMMAND",
				 "'%s' stands where the command should be", cli->operands[1]);
	if (cli->n_operands <= first)
		return cli_usage(cli, "usage: moorage exec [OPTION...] NAME [--] COMMAND [ARG...]", "no command was given");
	if (cli->detach && cli->interactive)
		return cli_usage(cli, NULL, "'--detach' and '--interactive' exclude each other");
	if (cli_context(cli))
		mrg_launch_ahead(cli->m, NULL, NULL);
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	return exec_in(cli, c, (const char *const *)cli->operands + first, cli->user);
}
