/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task "console": somebody looks at the console of a container that was started by others. */

#include "config.h"

#include <errno.h>

#include "core/monitor/monitor.h"
#include "core/util/cleanup.h"

/* The end of the container, of which the engine may know the status, or of the interest in it. */
static int ended(void *data, int *ret_status)
{
	struct monitor *mon = data;

	if (mon->pump.n_clients > 0)
		return monitor_ended(data, ret_status);
	*ret_status = 0;
	mon->lost = true;
	return 1;
}

/* Nobody signals through a console. */
static int no_kill(_unused_ void *data, _unused_ int signo)
{
	return -EOPNOTSUPP;
}

static int begin(struct monitor *mon, struct mrg_error *err)
{
	struct streams streams = { .io = { -1, -1, -1, 1, -1 }, .in = -1, .out = -1, .err = -1 };
	int r = monitor_find_process(mon, err);

	if (r == 0)
		r = dispatch_console(mon->plugin, &mon->unit, &streams.io.master, err);
	if (r < 0)
		return r;
	monitor_hold(mon, &mon->run.process);
	mon->pump.ended = ended;
	mon->pump.ends_with_clients = true;
	mon->pump.kill = no_kill;
	monitor_connect(mon, &streams);
	return 0;
}

static void end(struct monitor *mon)
{
	int status = pump_run(&mon->pump);

	pump_drain(&mon->pump);
	pump_finish(&mon->pump, &(struct ending){ .status = status }, !mon->lost);
}

const struct task monitor_console_task = { .begin = begin, .end = end };
