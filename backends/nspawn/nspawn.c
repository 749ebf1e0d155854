/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend of systemd-nspawn: its verbs. */

#include "config.h"

#include <stdlib.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "nspawn.h"

static int open_self(struct mrg *ctx _unused_, void **ret_self, struct mrg_error *err)
{
	struct nspawn_self *self = malloc(sizeof(*self));

	if (!self)
		return fail_memory(err);
	*self = (struct nspawn_self){ .status = -1 };
	*ret_self = self;
	return 0;
}

static void close_self(void *data)
{
	struct nspawn_self *self = data;

	fd_close(self->status);
	free(self);
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "nspawn",
	.summary = "systemd-nspawn: machines that machinectl lists and drives",
	.fields = nspawn_fields,
	.open = open_self,
	.close = close_self,
	.probe = nspawn_probe,
	.check = nspawn_check,
	.create = nspawn_create,
	.start = nspawn_start,
	.cleanup = nspawn_cleanup,
	.stop = nspawn_stop,
	.kill = nspawn_kill,
	.wait = nspawn_wait,
	.pause = nspawn_pause,
	.resume = nspawn_resume,
	.exec = nspawn_exec,
	.state = nspawn_state,
	.stats = nspawn_stats,
	.update = nspawn_update,
	.processes = nspawn_processes,
	.destroy = nspawn_destroy,
	.list = nspawn_list,
	.adopt = nspawn_adopt,
	.explain = nspawn_explain,
	.find = nspawn_find,
	.process = nspawn_process,
	.native = nspawn_native,
	.configure = nspawn_configure,
	.rename = nspawn_rename,
	.autostart = nspawn_autostart,
	.home = nspawn_home,
	.park = nspawn_park,
};
