/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage export */

#include "config.h"

#include <moorage/archive.h>

#include "cli/commands.h"
#include "core/util/cleanup.h"

static void note(const char *text, void *data)
{
	cli_note(data, "note: %s", text);
}

int cmd_export(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	const struct mrg_transfer transfer = { .note = note, .data = cli };
	struct mrg_error err = { 0 };
	int exit;

	c = cli_open_first(cli, &exit);
	if (!c)
		return exit;
	return mrg_export(c, cli->operands[1], &transfer, &err) < 0 ? cli_fail(cli, &err) : 0;
}
