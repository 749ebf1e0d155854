/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task "exec": one command in a running container. */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/exec_request.h"
#include "core/monitor/monitor.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

static int kill_command(void *data, int signo)
{
	struct monitor *mon = data;

	return syscall(SYS_pidfd_send_signal, mon->process.pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/* Whether @env sets the variable that @entry sets. */
static bool is_overridden(char *const *env, const char *entry)
{
	size_t length = strcspn(entry, "=");

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], entry, length) == 0 && env[i][length] == '=')
			return true;
	return false;
}

/* The environment of the spec, with what the request adds or replaces. */
static int merge_environment(char *const *spec, char *const *added, char ***ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && spec && spec[i]; i++)
		if (!is_overridden(added, spec[i]))
			r = strv_append(ret, spec[i]);
	for (size_t i = 0; r == 0 && added && added[i]; i++)
		r = strv_append(ret, added[i]);
	return r;
}

static int execute(struct monitor *mon, const struct exec_request *request, struct streams *streams,
		   struct mrg_error *err)
{
	_cleanup_(strv_freep) char **env = NULL;
	char *nothing[] = { NULL };
	struct mrg_command command = {
		.args = request->args, .cwd = request->cwd, .user = request->user, .privileged = request->privileged,
	};
	struct mrg_process process = { .pidfd = -1 };
	int r = merge_environment(mon->record->spec->env, request->env, &env);

	if (r < 0)
		return fail_memory(err);
	command.env = env ? env : nothing;
	r = dispatch_exec(mon->plugin, &mon->unit, &command, &streams->io, &process, err);
	if (r < 0)
		return r;
	monitor_hold(mon, &process);
	mon->pump.kill = kill_command;
	mon->pump.close_in_with_client = true;
	monitor_connect(mon, streams);
	return 0;
}

static int run_request(struct monitor *mon, const struct exec_request *request, struct mrg_error *err)
{
	struct streams streams;
	int r = streams_open(&streams, request->terminal, request->stdin_open, request->detached, err);

	if (r < 0)
		return r;
	r = execute(mon, request, &streams, err);
	if (r < 0)
		streams_close(&streams);
	return r;
}

static int begin(struct monitor *mon, struct mrg_error *err)
{
	struct exec_request request;
	int r = monitor_find_process(mon, err);

	if (r < 0)
		return r;
	r = exec_request_read(mon->fds.request, &request, err);
	if (r < 0)
		return r;
	close(mon->fds.request);
	r = run_request(mon, &request, err);
	exec_request_deinit(&request);
	return r;
}

static void end(struct monitor *mon)
{
	int status = pump_run(&mon->pump);

	pump_drain(&mon->pump);
	pump_finish(&mon->pump, &(struct ending){ .status = status }, !mon->lost);
}

const struct task monitor_exec_task = { .begin = begin, .end = end };
