/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage start */

#include "config.h"

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"

/* The monitor gets ready while we check: when it cannot be executed, the start tells. */
static int start(struct cli *cli, struct mrg_container *c, struct mrg_session **session, struct mrg_error *err)
{
	mrg_launch_ahead(cli->m, mrg_container_backend(c), NULL);
	return mrg_start(c, session, err);
}

static int start_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	return start(cli, c, NULL, err) < 0 ? err->code : 0;
}

static int explain_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_spec_ struct mrg_spec *spec = NULL;
	struct mrg_create create = { .name = mrg_container_name(c), .backend = mrg_container_backend(c) };
	int r = mrg_spec_copy(mrg_container_spec(c), &spec, err);

	create.spec = spec;
	return r < 0 ? r : explain(cli, &create, err);
}

static int start_attached(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	int exit, r;

	if (cli->n_operands != 1)
		return cli_usage(cli, NULL, "'--attach' takes one container");
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	if (terminal_catch(cli) < 0)
		return 125;
	r = start(cli, c, &session, &err);
	if (r == 1)
		r = mrg_attach(c, &session, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	return run_session(cli, mrg_container_name(c), session, true, cli->interactive || mrg_session_terminal(session));
}

int cmd_start(struct cli *cli)
{
	cli->payload = cli->attach || cli->interactive;
	if (cli->explain)
		return cli_each(cli, explain_one);
	return cli->payload ? start_attached(cli) : cli_each(cli, start_one);
}
