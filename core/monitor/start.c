/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task "start": a container from its start to its end. */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/live/event_log.h"
#include "core/monitor/monitor.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define ATTACH_NAME	"attach"
#define LOCK_MS		10000
#define BACKLOG		64

/* ---- start ----------------------------------------------------------------------------------- */

/* The path of a socket may have 107 characters at most: through the descriptor any directory will do. */
static int listen_in(int dir, int *ret, struct mrg_error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" ATTACH_NAME, dir);
	unlinkat(dir, ATTACH_NAME, 0);
	mask = umask(0177);
	r = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return fail_errno(err, r, "cannot make the socket of the monitor");
	*ret = take_fd(&fd);
	return 0;
}

static int kill_first(void *data, int signo)
{
	struct monitor *mon = data;
	struct mrg_error err;

	return dispatch_kill(mon->plugin, &mon->unit, signo, 0, &err);
}

/* As "moorage stop" does, and with nothing of ours: the original holds the streams. */
static void __attribute__((noreturn)) stop_by_name(const char *name)
{
	struct mrg_container *c = NULL;
	struct mrg *m = NULL;
	struct mrg_error err;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (mrg_new(&m, NULL, &err) == 0 && mrg_container_open(m, name, &c, &err) == 0)
		mrg_stop(c, -1, 0, &err);
	_exit(EXIT_SUCCESS);
}

/* Whoever ends everything on this host - its shutdown, the end of a session with all its processes - gets the container ended in order. */
static void stop(void *data)
{
	struct monitor *mon = data;
	char name[256];

	if (mon->stopping)
		return;
	mon->stopping = true;
	snprintf(name, sizeof(name), "%s:%s", mon->record->backend, mon->record->name);
	if (fork() == 0)
		stop_by_name(name);
}

static int open_log(struct monitor *mon, struct mrg_error *err)
{
	const struct mrg_spec *spec = mon->record->spec;

	if (spec->log_driver && strcmp(spec->log_driver, "none") == 0)
		return 0;
	return log_open(mon->record->dir, spec->log_max_size, &mon->log, err);
}

static int prepare(struct monitor *mon, struct mrg_error *err)
{
	int r = open_log(mon, err);

	if (r == 0)
		r = listen_in(mon->record->dir, &mon->pump.listener, err);
	mon->pump.log = mon->log;
	mon->pump.kill = kill_first;
	mon->pump.terminate = stop;
	return r;
}

/* Undoes a start that cannot be recorded. */
static void undo(struct monitor *mon)
{
	struct mrg_exit ignored;
	struct mrg_error err;
	int status;

	dispatch_kill(mon->plugin, &mon->unit, SIGKILL, 1, &err);
	if (mon->process.pid > 0)
		waitpid(mon->process.pid, &status, 0);
	store_unit(mon->record, NULL, &mon->unit);
	dispatch_cleanup(mon->plugin, &mon->unit, &ignored, &err);
}

/* Of the container itself: what we wait for may be the engine's own monitor. 0: not known. */
static pid_t first_process(struct monitor *mon)
{
	struct mrg_process process = { .pidfd = -1 };
	struct mrg_error ignored;
	int r;

	if (!mon->plugin->table.process)
		return mon->run.process.pid;
	r = dispatch_process(mon->plugin, &mon->unit, &process, &ignored);
	fd_close(process.pidfd);
	return r > 0 ? process.pid : 0;
}

static int start(struct monitor *mon, struct streams *streams, struct mrg_error *err)
{
	struct run *run = &mon->run;
	int r;

	*run = (struct run){ .process.pidfd = -1, .monitor = getpid(), .started = time_now_ns() };
	r = dispatch_start(mon->plugin, &mon->unit, &streams->io, &run->process, err);
	if (r < 0)
		return r;
	monitor_hold(mon, &run->process);
	if (run->process.pid > 0 && !run->process.start_time)
		proc_start_time(run->process.pid, &run->process.start_time);
	store_unit(mon->record, run, &mon->unit);
	r = store_write_run(mon->record, run, err);
	if (r < 0)
		undo(mon);
	else
		event_log_add(mon->m, mon->record, (struct mrg_change){ .type = MRG_CHANGE_START, .pid = first_process(mon) });
	return r;
}

static int begin(struct monitor *mon, struct mrg_error *err)
{
	const struct mrg_spec *spec = mon->record->spec;
	struct streams streams;
	int r = streams_open(&streams, spec->terminal, spec->stdin_open, false, err);

	if (r < 0)
		return r;
	r = prepare(mon, err);
	if (r == 0)
		r = start(mon, &streams, err);
	if (r < 0) {
		if (mon->pump.listener >= 0)
			unlinkat(mon->record->dir, ATTACH_NAME, 0);
		streams_close(&streams);
		return r;
	}
	monitor_connect(mon, &streams);
	return 0;
}

/* ---- end ------------------------------------------------------------------------------------- */

/* A transient container goes with its end. */
static bool remove_container(struct monitor *mon)
{
	struct mrg_error err;
	bool gone;

	if (store_lock(mon->m, mon->record, LOCK_MS, &err) < 0)
		return false;
	gone = dispatch_destroy(mon->plugin, &mon->unit, &err) == 0 && store_remove(mon->m, mon->record, &err) == 0;
	if (gone)
		event_log_add(mon->m, mon->record, (struct mrg_change){ .type = MRG_CHANGE_REMOVE });
	store_unlock(mon->record);
	return gone;
}

/* A system that was powered off has ended well: the kernel then ends the init of a pid namespace by SIGINT, reboot(2). */
static int end_of_boot(const struct mrg_spec *spec, int status)
{
	return spec->boot && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT ? 0 : status;
}

/* How it ended, for who asks later. */
static void record_end(struct monitor *mon, int status, bool oom_killed)
{
	struct exit_record record = {
		.status = status, .oom_killed = oom_killed, .known = !mon->lost, .finished = time_now_ns(),
	};
	struct mrg_error err;

	store_write_exit(mon->record, &record, &err);
	unlinkat(mon->record->dir, ATTACH_NAME, 0);
}

static void end(struct monitor *mon)
{
	int status = end_of_boot(mon->record->spec, pump_run(&mon->pump));
	struct mrg_exit how = { 0 };
	struct mrg_error err;

	/* What outlived the first process may hold the streams open: it goes before they are drained. */
	mon->process.pid = 0;
	store_unit(mon->record, NULL, &mon->unit);
	dispatch_cleanup(mon->plugin, &mon->unit, &how, &err);
	monitor_bury(mon);
	if (how.status_known) {
		status = end_of_boot(mon->record->spec, how.status);
		mon->lost = false;
	}
	pump_drain(&mon->pump);
	mon->pump.log = mon->log = log_close(mon->log);
	event_log_add(mon->m, mon->record, (struct mrg_change){ .type = MRG_CHANGE_DIE, .has_exit = !mon->lost, .exit_status = status,
								.oom_killed = how.oom_killed != 0 });
	if (!mon->record->transient || !remove_container(mon))
		record_end(mon, status, how.oom_killed != 0);
	pump_finish(&mon->pump, &(struct ending){ .status = status, .oom_killed = how.oom_killed != 0 }, !mon->lost);
}

const struct task monitor_start_task = { .begin = begin, .end = end };
