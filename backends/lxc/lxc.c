/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lxc backend: containers of LXC, made and driven through liblxc. */

#include "config.h"

#include <stdlib.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"

static int open_self(struct mrg *ctx _unused_, void **ret_self, struct mrg_error *err)
{
	struct lxc_self *self = malloc(sizeof(*self));

	if (!self)
		return fail_memory(err);
	*self = (struct lxc_self){ .status = -1 };
	*ret_self = self;
	return 0;
}

static void close_self(void *self)
{
	struct lxc_self *me = self;

	fd_close(me->status);
	free(me);
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "lxc",
	.summary = "containers of LXC, which its own tools list and drive as well",
	.fields = lxc_fields,
	.open = open_self,
	.close = close_self,
	.probe = lxc_probe,
	.check = lxc_check,
	.create = lxc_create,
	.start = lxc_start,
	.cleanup = lxc_cleanup,
	.stop = lxc_stop,
	.kill = lxc_kill,
	.pause = lxc_pause,
	.resume = lxc_resume,
	.exec = lxc_exec,
	.console = lxc_console,
	.state = lxc_state,
	.stats = lxc_stats,
	.update = lxc_update,
	.processes = lxc_processes,
	.destroy = lxc_destroy,
	.list = lxc_list,
	.adopt = lxc_adopt,
	.explain = lxc_explain,
	.find = lxc_find,
	.process = lxc_process,
	.native = lxc_native,
	.configure = lxc_configure,
	.rename = lxc_rename,
	.autostart = lxc_autostart,
	.ready = lxc_ready,
	.home = lxc_home,
	.park = lxc_park,
};
