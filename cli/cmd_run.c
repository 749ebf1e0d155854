/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage run: create, start, attach, exit status. */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"

int run_session(struct cli *cli, const char *name, struct mrg_session *session, bool own, bool input)
{
	struct session_options options = { .name = name, .input = input, .own = own, .keys = true };
	int exit = session_pump(cli, session, &options);

	mrg_session_free(session);
	return exit;
}

static int write_pid(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_status status;
	char text[24];
	int r;

	if (!cli->pidfile)
		return 0;
	r = mrg_container_status(c, &status, err);
	snprintf(text, sizeof(text), "%d", (int)status.pid);
	return r < 0 ? r : write_new_file(cli->pidfile, text, err);
}

static int start(struct cli *cli, struct mrg_container *c)
{
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	int r;

	if (!cli->detach && terminal_catch(cli) < 0)
		return 125;
	r = mrg_start(c, cli->detach ? NULL : &session, &err);
	if (r < 0) {
		/* What never ran is no use to anybody, and would hold the name. */
		mrg_remove(c, MRG_REMOVE_FORCE, NULL);
		if (cli->cidfile)
			unlink(cli->cidfile);
		return cli_fail(cli, &err);
	}
	if (write_pid(cli, c, &err) < 0) {
		mrg_session_free(session);
		mrg_kill(c, SIGKILL, 1, NULL);
		return cli_fail(cli, &err);
	}
	if (cli->detach) {
		puts(mrg_container_name(c));
		return 0;
	}
	return run_session(cli, mrg_container_name(c), session, true,
			   cli->interactive || (mrg_container_spec(c)->boot && isatty(STDIN_FILENO)));
}

int cmd_run(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int exit;

	if (cli->detach && cli->detach_keys)
		return cli_usage(cli, NULL, "'--detach' and '--detach-keys' exclude each other");
	if (cli->rm && cli->replace && !cli->name)
		return cli_usage(cli, NULL, "'--replace' needs '--name'");
	exit = create_container(cli, cli->rm ? MRG_CREATE_TRANSIENT : 0, &c);
	return c ? start(cli, c) : exit;
}
