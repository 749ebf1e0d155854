/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TOP_LIVE_H
#define CLI_TOP_LIVE_H

/* The two ways in which 'moorage top' shows the same figures. */

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/top.h"

struct top_look {
	struct cli *cli;
	const struct listing *list;	/* those that its filters do not let through are hidden */
	struct usages usages;
	char trouble[256];		/* the first engine or record that could not be read; "": all could */
};

/* Looks at all containers that run: cmd_top.c. A negative errno stands for all of them. */
int top_look(struct top_look *look, struct mrg_error *err);

/* The screen, until it is left: top_live.c, or top_live_none.c where ncurses was not there to build with. An exit status. */
int top_live(struct top_look *look, int interval_ms);

#endif
