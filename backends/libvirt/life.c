/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an instance keeps of the containers it has started. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvirt.h"
#include "core/util/fd.h"

static void deinit(struct libvirt_life *life)
{
	fd_close(life->status);
	fd_close(life->exits);
}

struct libvirt_life *libvirt_life(const struct libvirt *self, const struct mrg_unit *unit)
{
	struct libvirt_life *life = self->lives;

	while (life && strcmp(life->id, unit->id) != 0)
		life = life->next;
	return life;
}

struct libvirt_life *libvirt_life_new(struct libvirt *self, const struct mrg_unit *unit)
{
	struct libvirt_life *life = libvirt_life(self, unit);

	if (life) {
		deinit(life);
	} else {
		life = malloc(sizeof(*life));
		if (!life)
			return NULL;
		life->next = self->lives;
		self->lives = life;
	}
	*life = (struct libvirt_life){ .next = life->next, .status = -1, .exits = -1 };
	snprintf(life->id, sizeof(life->id), "%s", unit->id);
	return life;
}

void libvirt_lives_free(struct libvirt *self)
{
	struct libvirt_life *life;

	while ((life = self->lives)) {
		self->lives = life->next;
		deinit(life);
		free(life);
	}
}
