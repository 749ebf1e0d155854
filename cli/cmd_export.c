/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage export */

#include "config.h"

#include <moorage/archive.h>

#include "cli/commands.h"
#include "cli/migration.h"
#include "core/util/cleanup.h"

int cmd_export(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct migration_progress progress;
	const struct mrg_transfer transfer = { .note = migration_progress_note, .progress = migration_progress_show, .data = &progress };
	struct mrg_error err = { 0 };
	int exit, r;

	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	exit = migration_progress_begin(&progress, cli, PROGRESS_NONE, true);
	if (exit)
		return exit;
	r = mrg_export(c, cli->operands[1], &transfer, &err);
	migration_progress_end(&progress);
	return r < 0 ? cli_fail(cli, &err) : 0;
}
