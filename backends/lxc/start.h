/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BACKEND_LXC_START_H
#define BACKEND_LXC_START_H

/* One start on its way. */

#include "payload.h"

struct lxc_start {
	const struct mrg_unit *unit;
	struct mrg_stdio io;		/* of LXC's monitor, and of the command */
	struct lxc_place place;
	int socket[2];			/* of the terminal, where LXC makes it: monitor's end, child's end */
	int null;			/* /dev/null */
	int log;			/* of the child */
	char dir[PATH_MAX];		/* the container's own, by its path */
	struct lxc_payload payload;
};

/* Whether moorage-init runs in front of the command: not with what others made. */
static inline bool lxc_has_init(const struct lxc_start *s)
{
	return s->payload.args;
}

/* life.c: in the child, before LXC begins. */
int lxc_configure_life(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err);

/* profile.c: then; the AppArmor profile becomes moorage-init's affair. */
int lxc_take_profile(struct lxc_start *s, struct lxc_container *c, struct mrg_error *err);

#endif
