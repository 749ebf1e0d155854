/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program moorage-monitor: what it does before and after its task, whichever that is. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/launch.h"
#include "core/monitor/monitor.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

/* What argv has behind the task, and the variable by which plugins find the same place. */
enum { ARG_BACKEND = 1, ARG_STATE, ARG_RUN, ARG_BACKENDS, ARG_LIBEXEC, ARG_CONFIG, ARG_END };

static const char *const places[ARG_END] = {
	[ARG_STATE] = "MOORAGE_STATE_DIR", [ARG_RUN] = "MOORAGE_RUN_DIR", [ARG_BACKENDS] = "MOORAGE_BACKEND_PATH",
	[ARG_LIBEXEC] = "MOORAGE_LIBEXEC_DIR", [ARG_CONFIG] = "MOORAGE_CONFIG",
};

#define MAPPED_SIZE	(16 * 1024)	/* buffers from this size on are mapped: their pages exist when they are used */
#define STACK_USED	(64 * 1024)	/* how deep a start may go */
#define MAPPINGS_MAX	128
#define WAIT_MS	1000			/* for an engine to notice what the kernel told us */
#define BURY_MS	200			/* between leaving its cgroup and being a zombie */

/* ---- the process ----------------------------------------------------------------------------- */

void monitor_hold(struct monitor *mon, struct mrg_process *process)
{
	if (process->pidfd < 0 && process->pid > 0)
		process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	mon->process = *process;
	mon->pump.pidfd = process->pidfd;
}

int monitor_find_process(struct monitor *mon, struct mrg_error *err)
{
	struct mrg_process *process = &mon->run.process;
	int r = store_read_run(mon->record, &mon->run, err);

	if (r < 0)
		return r;
	store_unit(mon->record, &mon->run, &mon->unit);
	if (process->pid > 0)
		return 0;
	r = dispatch_process(mon->plugin, &mon->unit, process, err);
	if (r > 0 && !process->start_time)
		r = proc_start_time(process->pid, &process->start_time);
	if (r >= 0 && process->pid > 0 && process->pidfd < 0)
		process->pidfd = proc_open(process->pid, process->start_time);
	if (process->pidfd < 0)
		process->pid = 0;
	store_unit(mon->record, &mon->run, &mon->unit);
	return r < 0 ? r : 0;
}

/* Orphans come to us as well: they are buried on the way. */
static bool reap(struct monitor *mon, int *ret_status)
{
	bool found = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == mon->process.pid) {
			*ret_status = status;
			found = true;
		}
	return found;
}

/* What was killed with its container is dead, but a zombie until its parent looks: when we are gone that is the host's init, whenever
 * it may. Others that live on, as the one who stops us, are not waited for any longer. */
void monitor_bury(struct monitor *mon)
{
	struct pollfd p = { .fd = mon->pump.signals, .events = POLLIN };
	struct signalfd_siginfo info;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0)
		if (pid == 0 && (mon->stopping || poll(&p, 1, BURY_MS) <= 0 || read(p.fd, &info, sizeof(info)) < 0))
			return;
}

static bool is_our_child(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool is_over(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&p, 1, 0) != 0;
}

int monitor_ended(void *data, int *ret_status)
{
	struct monitor *mon = data;
	struct mrg_error err;
	bool ours = mon->process.pid > 0 && is_our_child(mon->process.pid);
	int r;

	if (reap(mon, ret_status))
		return 1;
	if (ours || !is_over(mon->process.pidfd))
		return 0;
	r = dispatch_wait(mon->plugin, &mon->unit, mon->process.pidfd < 0 ? 0 : WAIT_MS, ret_status, &err);
	if (r == -MRG_E_TIMEOUT)
		return 0;
	if (r < 0) {
		*ret_status = 0;
		mon->lost = true;
	}
	return 1;
}

/* ---- before the task ------------------------------------------------------------------------- */

static int take_signals(struct monitor *mon)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t all, ours;

	/* The monitor ends with its container, not by a signal meant for somebody's session; but a host that shuts down sends SIGTERM. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* What our caller ignores was inherited: an ignored SIGCHLD would lose exit statuses. */
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	mon->pump.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return mon->pump.signals < 0 ? -errno : 0;
}

static int set_up(struct monitor *mon, struct mrg_error *err)
{
	int r;

	mallopt(M_MMAP_THRESHOLD, MAPPED_SIZE);
	r = pump_init(&mon->pump);
	mon->process.pidfd = mon->run.process.pidfd = -1;
	mon->pump.ended = monitor_ended;
	mon->pump.data = mon;
	umask(022);
	if (r == 0)
		r = take_signals(mon);
	if (r == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot set up the monitor") : 0;
}

static int open_places(struct monitor *mon, char **argv, struct mrg_error *err)
{
	struct mrg_options options = {
		.state_dir = argv[ARG_STATE], .run_dir = argv[ARG_RUN], .backend_path = argv[ARG_BACKENDS],
		.libexec_dir = argv[ARG_LIBEXEC], .config_file = argv[ARG_CONFIG],
	};

	for (int i = ARG_STATE; i < ARG_END; i++)
		if (setenv(places[i], argv[i], 1) < 0)
			return fail_memory(err);
	return mrg_new(&mon->m, &options, err);
}

static int open_container(struct monitor *mon, struct mrg_error *err)
{
	int r;

	mon->plugin = NULL;
	mon->record = store_free(mon->record);
	r = store_open_dir(mon->m, mon->fds.dir, &mon->record, err);
	if (r < 0)
		return r;
	store_unit(mon->record, NULL, &mon->unit);
	return registry_load(mon->m, mon->record->backend, &mon->plugin, err);
}

void monitor_verdict(struct monitor *mon, const struct mrg_error *verdict)
{
	if (mon->record)
		store_unlock(mon->record);
	protocol_send(MONITOR_FD_SESSION, MESSAGE_VERDICT, verdict, sizeof(*verdict));
}

void monitor_serve_first(struct monitor *mon)
{
	pump_add_client(&mon->pump, MONITOR_FD_SESSION, false, true);
	pump_add_client(&mon->pump, MONITOR_FD_CONTROL, true, true);
}

/* A monitor should be the last to go when memory is short. Only after the start: children inherit it. Best effort: it
 * needs CAP_SYS_RESOURCE. */
static void protect(void)
{
	(void)fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "-900");
}

struct mapping {
	unsigned long begin, end;
};

/* Those of programs and libraries whose pages all are as they are in the file: they stay in the page cache and are mapped again as they are
 * used. */
static size_t find_files(struct mapping *ret)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long begin, end, anonymous;
	char line[512], mode[5];
	bool unchanged = false;
	size_t n = 0;

	while (maps && n < MAPPINGS_MAX && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &begin, &end, mode) == 3) {
			ret[n] = (struct mapping){ begin, end };
			unchanged = strchr(line, '/') && mode[1] == '-';
		} else if (sscanf(line, "Anonymous: %lu", &anonymous) == 1) {
			n += unchanged && anonymous == 0;
		}
	return n;
}

/* Below us, and the frame of the call that says so, are only calls that have returned. */
static void forget_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = (here & ~(page - 1)) - page;

	madvise((void *)(end - STACK_USED), STACK_USED, MADV_DONTNEED);
}

/* What the start has left in memory and the wait for the end does not need. Files go last: whatever runs after that brings its page back, and
 * fifteen around it. */
static void shrink(void)
{
	struct mapping files[MAPPINGS_MAX];
	size_t n = find_files(files);

	malloc_trim(0);
	forget_stack();
	while (n-- > 0)
		madvise((void *)files[n].begin, files[n].end - files[n].begin, MADV_DONTNEED);
}

/* While nobody needs us yet: the plugin, if it is the one. When it cannot be loaded, that is tried again, and told, when it is due. */
static int get_ready(struct monitor *mon, const char *backend, struct mrg_error *err)
{
	struct plugin *p;
	struct mrg_error ignored;

	if (!*backend || registry_load(mon->m, backend, &p, &ignored) < 0)
		return 0;
	return dispatch_ready(p, err);
}

static void work(struct monitor *mon, int order)
{
	static const struct task *const tasks[ORDER_MAX] = {
		[ORDER_START] = &monitor_start_task, [ORDER_EXEC] = &monitor_exec_task,
		[ORDER_CONSOLE] = &monitor_console_task,
	};
	const struct task *task = tasks[order];
	struct mrg_error err = { 0 };
	int r = 0;

	if (order == ORDER_EXEC && mon->plugin)
		fd_close(mon->fds.dir);
	else
		r = open_container(mon, &err);
	if (r == 0)
		r = task->begin(mon, &err);
	if (r < 0 && err.code >= 0)
		fail_errno(&err, r, "the start failed");
	monitor_verdict(mon, r < 0 ? &err : &(struct mrg_error){ 0 });
	if (r < 0)
		return;
	monitor_serve_first(mon);
	protect();
	mon->pump.rest = shrink;
	task->end(mon);
}

/* Nothing is freed at the end: the process ends, and nobody waits longer for it than needed. */
static int run(char **argv)
{
	struct monitor mon = { .m = NULL };
	struct mrg_error err = { 0 };
	int order, r = set_up(&mon, &err);

	if (r == 0)
		r = open_places(&mon, argv, &err);
	if (r == 0)
		r = get_ready(&mon, argv[ARG_BACKEND], &err);
	if (r < 0) {
		monitor_verdict(&mon, &err);
		return EXIT_FAILURE;
	}
	/* What cannot be opened now is tried again, and told, when it is due. */
	while ((order = protocol_receive_order(MONITOR_FD_SESSION, &mon.fds)) == ORDER_OPEN)
		open_container(&mon, NULL);
	if (order >= 0)
		work(&mon, order);
	return EXIT_SUCCESS;
}

__attribute__((visibility("default"))) int mrg_monitor_main(int argc, char **argv)
{
	if (argc != ARG_END || fd_cloexec(MONITOR_FD_SESSION, true) < 0 || fd_cloexec(MONITOR_FD_CONTROL, true) < 0) {
		static const char text[] = "moorage-monitor is started by moorage, not by hand\n";

		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
		return EXIT_FAILURE;
	}
	return run(argv);
}
