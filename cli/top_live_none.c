/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of top_live.c and top_screen.c where ncurses was not there to build with. */

#include "config.h"

#include "cli/top_live.h"
#include "core/util/cleanup.h"

int top_live(struct top_look *look, _unused_ int interval_ms)
{
	struct mrg_error err;

	mrg_error_set(&err, -MRG_E_NO_ENGINE, "this moorage was built without ncurses, so its 'top' has no screen");
	mrg_error_hint(&err, "'moorage top --batch' prints tables; apt-get install libncurses-dev, then configure and make, give it a screen");
	return cli_fail(look->cli, &err);
}
