/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage rollback NAME: the backend before the last migration */

#include "config.h"

#include "cli/commands.h"
#include "cli/migration.h"
#include "core/util/cleanup.h"

/* The name is not opened: what is to be taken back may be half done. */
int cmd_rollback(struct cli *cli)
{
	struct migration_progress progress = { 0 };
	struct mrg_error err = { 0 };
	int exit, r;

	if (!cli_context(cli))
		return 1;
	exit = migration_progress_begin(&progress, cli, PROGRESS_LINES, false);
	if (exit)
		return exit;
	r = mrg_rollback(cli->m, cli->operands[0], migration_progress_show, &progress, &err);
	migration_progress_end(&progress);
	return r < 0 ? cli_fail(cli, &err) : 0;
}
