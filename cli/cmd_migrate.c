/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage migrate NAME --to BACKEND: another backend for a container */

#include "config.h"

#include <errno.h>

#include "cli/commands.h"
#include "cli/migration.h"
#include "core/util/cleanup.h"

/* Without a backend only what earlier migrations have kept is meant. */
static int forget(struct cli *cli)
{
	struct mrg_error err = { 0 };
	int n;

	if (!cli_context(cli))
		return 1;
	n = mrg_forget(cli->m, cli->operands[0], &err);
	if (n < 0)
		return cli_fail(cli, &err);
	cli_note(cli, "%d kept %s removed", n, n == 1 ? "source was" : "sources were");
	return 0;
}

int cmd_migrate(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct migration_progress progress = { 0 };
	struct mrg_migrate how = { 0 };
	struct mrg_error err = { 0 };
	int exit, r;

	if (cli->explain)
		return cmd_plan(cli);
	if (cli->purge && !cli->to)
		return forget(cli);
	exit = migration_wishes(cli, &how);
	if (exit)
		return exit;
	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	exit = migration_progress_begin(&progress, cli, PROGRESS_LINES, true);
	if (exit)
		return exit;
	how.progress = migration_progress_show;
	how.data = &progress;
	r = mrg_migrate(c, &how, &err);
	migration_progress_end(&progress);
	return r < 0 ? cli_fail(cli, &err) : 0;
}
