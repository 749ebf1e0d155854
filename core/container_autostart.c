/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting at boot. */

#include "config.h"

#include "core/container_internal.h"
#include "core/util/cleanup.h"

int mrg_autostart(struct mrg_container *c, int on, struct mrg_error *err)
{
	struct mrg_unit unit;
	int r = container_plugin(c, err);

	if (r < 0)
		return r;
	store_unit(c->record, NULL, &unit);
	return dispatch_autostart(c->plugin, &unit, on, err);
}
