/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage import */

#include "config.h"

#include <stdio.h>

#include <moorage/archive.h>

#include "cli/commands.h"
#include "core/util/cleanup.h"

static void note(const char *text, void *data)
{
	cli_note(data, "note: %s", text);
}

int cmd_import(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	const struct mrg_import import = {
		.source = cli->operands[0], .name = cli->name, .backend = cli->backend, .accept = (const char *const *)cli->accept,
		.transfer = { .note = note, .data = cli },
	};
	struct mrg_error err = { 0 };

	if (!cli_context(cli))
		return 1;
	if (mrg_import(cli->m, &import, &c, &err) < 0)
		return cli_fail(cli, &err);
	if (!cli->quiet)
		puts(mrg_container_name(c));
	return 0;
}
