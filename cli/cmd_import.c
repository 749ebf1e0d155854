/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage import */

#include "config.h"

#include <stdio.h>

#include <moorage/archive.h>

#include "cli/commands.h"
#include "cli/migration.h"
#include "core/util/cleanup.h"

int cmd_import(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct migration_progress progress;
	const struct mrg_import import = {
		.source = cli->operands[0], .name = cli->name, .backend = cli->backend, .accept = (const char *const *)cli->accept,
		.transfer = { .note = migration_progress_note, .progress = migration_progress_show, .data = &progress },
	};
	struct mrg_error err = { 0 };
	int exit, r;

	if (!cli_context(cli))
		return 1;
	exit = migration_progress_begin(&progress, cli, PROGRESS_NONE, true);
	if (exit)
		return exit;
	r = mrg_import(cli->m, &import, &c, &err);
	migration_progress_end(&progress);
	if (r < 0)
		return cli_fail(cli, &err);
	if (!cli->quiet)
		puts(mrg_container_name(c));
	return 0;
}
