/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The libvirt backend: containers of libvirt's LXC driver, as virsh -c lxc:///system has them. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "libvirt.h"
#include "core/util/fail.h"

static int open_instance(struct mrg *m, void **ret_self, struct mrg_error *err)
{
	struct libvirt *self = calloc(1, sizeof(*self));

	(void)m;
	if (!self)
		return fail_memory(err);
	self->agent = self->pidfd = -1;
	*ret_self = self;
	return 0;
}

static void close_instance(void *data)
{
	struct libvirt *self = data;

	libvirt_send_away(self);
	libvirt_lives_free(self);
	free(self);
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "libvirt",
	.summary = "domains of libvirt's LXC driver",
	.fields = libvirt_fields,
	.open = open_instance,
	.close = close_instance,
	.probe = libvirt_probe,
	.check = libvirt_check,
	.create = libvirt_create,
	.start = libvirt_start,
	.cleanup = libvirt_cleanup,
	.stop = libvirt_stop,
	.kill = libvirt_kill,
	.wait = libvirt_wait,
	.pause = libvirt_pause,
	.resume = libvirt_resume,
	.exec = libvirt_exec,
	.console = libvirt_console,
	.state = libvirt_state,
	.stats = libvirt_stats,
	.update = libvirt_update,
	.processes = libvirt_processes,
	.destroy = libvirt_destroy,
	.list = libvirt_list,
	.adopt = libvirt_adopt,
	.explain = libvirt_explain,
	.find = libvirt_find,
	.process = libvirt_process,
	.native = libvirt_native,
	.configure = libvirt_create,
	.autostart = libvirt_autostart,
	.ready = libvirt_ready,
	.home = libvirt_home,
	.park = libvirt_park,
	.keeps_owners = 1,
};
