/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Something is killed at any moment: what is left is told as it is, and can be removed. What then is still there fails the test. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/plugin.h"
#include "tests/certify/scene.h"

#define POINTS		24		/* moments of a life at which something is killed */
#define PIDS_MAX	64
#define DEATH_MS	500		/* what dies with a monitor may take, and looks alive as long */

struct pids {
	pid_t item[PIDS_MAX];
	size_t n;
};

static void add_pid(struct pids *pids, pid_t pid)
{
	if (pids->n < PIDS_MAX)
		pids->item[pids->n++] = pid;
}

static bool has_pid(const struct pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if (pids->item[i] == pid)
			return true;
	return false;
}

/* ---- who is who ------------------------------------------------------------------------------------ */

/* Field @key of /proc/PID/status. */
static long status_number(pid_t pid, const char *key)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return -1;
	line = strstr(text, key);
	return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

/* Its command line has the directories of this run. */
static bool is_called_monitor(const struct kit *kit, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	return fd_read_virtual(AT_FDCWD, path, 65536, &text, &length) == 0 && memmem(text, length, "moorage-monitor", 15) &&
	       memmem(text, length, kit->work, strlen(kit->work));
}

/* A child of it that executes nothing, such as the process an engine's library makes its own, is called the same. */
static bool is_monitor(const struct kit *kit, pid_t pid)
{
	return is_called_monitor(kit, pid) && !is_called_monitor(kit, (pid_t)status_number(pid, "\nPPid:"));
}

static bool descends_from(pid_t pid, pid_t ancestor)
{
	for (int depth = 0; pid > 1 && depth < 64; depth++) {
		if (pid == ancestor)
			return true;
		pid = (pid_t)status_number(pid, "\nPPid:");
	}
	return false;
}

/* All that this test has started: of the judge's descendants, those that are not of the test's own process. */
static void each_process(void (*found)(pid_t pid, void *data), void *data)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint32_t pid;

	while (dir && (entry = readdir(dir)))
		if (parse_uint32(entry->d_name, &pid) == 0 && (pid_t)pid != getppid() && descends_from((pid_t)pid, getppid()) &&
		    !descends_from((pid_t)pid, getpid()))
			found((pid_t)pid, data);
}

struct sorting {
	const struct kit *kit;
	struct pids monitors, others;
};

static void sort_process(pid_t pid, void *data)
{
	struct sorting *sorting = data;

	add_pid(is_monitor(sorting->kit, pid) ? &sorting->monitors : &sorting->others, pid);
}

static int add_proc(const struct mrg_proc *proc, void *data)
{
	add_pid(data, proc->pid);
	return 0;
}

/* The monitor(s), the processes inside, and what else holds the container: the engine's helpers. */
static void sort_processes(struct scene *s, struct pids *monitors, struct pids *inside, struct pids *helpers)
{
	struct sorting sorting = { .kit = s->t->kit };
	struct pids none = { .n = 0 };

	*monitors = *inside = *helpers = none;
	mrg_procs(s->c, add_proc, inside, NULL);
	if (!has_pid(inside, scene_status(s).pid))
		add_pid(inside, scene_status(s).pid);
	each_process(sort_process, &sorting);
	*monitors = sorting.monitors;
	for (size_t i = 0; i < sorting.others.n; i++)
		if (!has_pid(inside, sorting.others.item[i]))
			add_pid(helpers, sorting.others.item[i]);
}

static bool all_are_gone(void *data)
{
	const struct pids *pids = data;

	for (size_t i = 0; i < pids->n; i++)
		if (kill(pids->item[i], 0) == 0)
			return false;
	return true;
}

static void kill_all(const struct pids *pids)
{
	for (size_t i = 0; i < pids->n; i++)
		kill(pids->item[i], SIGKILL);
}

/* ---- one moment of a quiet life ---------------------------------------------------------------------- */

static void run_quietly(struct scene *s, struct trial *t, struct pids *monitors, struct pids *inside, struct pids *helpers)
{
	scene_begin(s, t, 0);
	scene_word(s, "children:2");
	scene_run_until(s, "children:2=ready");
	sort_processes(s, monitors, inside, helpers);
	if (monitors->n == 0 || inside->n < 3)
		trial_fail(t, "%zu monitors and %zu processes inside were found", monitors->n, inside->n);
	/* Sessions of the dead tell nothing. */
	s->s = mrg_session_free(s->s);
}

static void must_stop(struct scene *s)
{
	trial_expect(s->t, "stop", mrg_stop(s->c, 3000, 0, &s->err), 0, &s->err);
	if (scene_status(s).state != MRG_STATE_STOPPED)
		trial_fail(s->t, "after stop its state is %d", scene_status(s).state);
}

static void without_its_monitor_it_runs_on(struct trial *t)
{
	static const char *const words[] = { "out:still here", NULL };
	struct pids monitors, inside, helpers;
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	kill_all(&monitors);
	if (!eventually(t, all_are_gone, &monitors))
		trial_fail(t, "the monitor cannot be killed");
	if (within(DEATH_MS, all_are_gone, &inside)) {
		/* The engine ties the container to its caller: then it is truly gone. */
		scene_await_state(&s, MRG_STATE_STOPPED);
		scene_remove(&s);
		return;
	}
	status = scene_status(&s);
	if (status.state != MRG_STATE_RUNNING)
		trial_fail(t, "its state is %d, and its processes live", status.state);
	if (!status.monitor_lost)
		trial_fail(t, "it is not told that the monitor is lost");
	if (strstr(t->kit->facts->verbs, "exec")) {
		scene_exec_words(&s, words);
		scene_expect(&s, "still here");
	}
	must_stop(&s);
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it live after stop");
	scene_remove(&s);
}

static void without_its_monitor_it_is_removed(struct trial *t)
{
	struct pids monitors, inside, helpers;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	kill_all(&monitors);
	trial_expect(t, "remove by force", mrg_remove(s.c, 1, &s.err), 0, &s.err);
	s.c = mrg_container_free(s.c);
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it live");
}

static void paused_and_without_its_monitor_it_is_removed(struct trial *t)
{
	struct pids monitors, inside, helpers;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	if (!strstr(t->kit->facts->verbs, "pause"))
		trial_absent(t);
	trial_expect(t, "pause", mrg_pause(s.c, &s.err), 0, &s.err);
	kill_all(&monitors);
	trial_expect(t, "remove by force", mrg_remove(s.c, 1, &s.err), 0, &s.err);
	s.c = mrg_container_free(s.c);
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it live");
}

static void its_end_is_noticed(struct trial *t)
{
	struct pids monitors, inside, helpers;
	struct mrg_status status;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	kill(scene_status(&s).pid, SIGKILL);
	trial_expect(t, "wait", mrg_wait(s.c, t->kit->patience, &status, &s.err), 0, &s.err);
	if (status.state != MRG_STATE_STOPPED || !status.has_exit || mrg_exit_code(status.exit_status) != 128 + SIGKILL)
		trial_fail(t, "state %d, exit status %d", status.state, mrg_exit_code(status.exit_status));
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it live");
	scene_remove(&s);
}

static void its_end_is_noticed_without_a_monitor(struct trial *t)
{
	struct pids monitors, inside, helpers;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	kill_all(&monitors);
	kill_all(&inside);
	if (!eventually(t, all_are_gone, &inside) || !eventually(t, all_are_gone, &monitors))
		trial_fail(t, "processes of it cannot be killed");
	scene_await_state(&s, MRG_STATE_STOPPED);
	if (!scene_status(&s).monitor_lost)
		trial_fail(t, "it is not told that the monitor was lost");
	scene_remove(&s);
}

static void it_starts_after_all_was_killed(struct trial *t)
{
	struct pids monitors, inside, helpers;
	_scene_ struct scene s = { .t = t };

	run_quietly(&s, t, &monitors, &inside, &helpers);
	kill_all(&helpers);
	kill_all(&monitors);
	kill_all(&inside);
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it cannot be killed");
	scene_await_state(&s, MRG_STATE_STOPPED);
	scene_start(&s);
	scene_await(&s, "children:2=ready");
	must_stop(&s);
	scene_remove(&s);
}

/* One helper after the other. Either the container lives on, with all verbs, or it is gone whole. */
static void a_helper_is_not_missed(struct trial *t)
{
	struct pids monitors, inside, helpers;
	_scene_ struct scene s = { .t = t };
	int state;

	run_quietly(&s, t, &monitors, &inside, &helpers);
	if (helpers.n == 0)
		trial_absent(t);
	for (size_t i = 0; i < helpers.n; i++) {
		kill(helpers.item[i], SIGKILL);
		poll(NULL, 0, 200);
		if (all_are_gone(&inside)) {
			scene_await_state(&s, MRG_STATE_STOPPED);
			continue;
		}
		state = scene_status(&s).state;
		if (state != MRG_STATE_RUNNING && !eventually(t, all_are_gone, &inside))
			trial_fail(t, "its state is %d, and its processes live", state);
	}
	trial_expect(t, "remove by force", mrg_remove(s.c, 1, &s.err), 0, &s.err);
	s.c = mrg_container_free(s.c);
	if (!eventually(t, all_are_gone, &inside))
		trial_fail(t, "processes of it live");
}

/* ---- any moment ------------------------------------------------------------------------------------------ */

/* A whole life, with verbs as a user gives them; how far it came does not matter. */
static int live(struct trial *t, unsigned int n)
{
	_scene_ struct scene s = { .t = t };
	int r;

	scene_begin(&s, t, n);
	scene_word(&s, "wait");
	r = scene_try_create(&s);
	if (r == 0)
		r = mrg_start(s.c, &s.s, &s.err);
	/* Before it is ready, the first process of a pid namespace takes no notice of a signal. Those that are killed meanwhile say nothing more. */
	if (r == 0)
		scene_listen(&s, "wait=ready");
	if (r == 0)
		r = mrg_stop(s.c, 5000, 0, &s.err);
	return r < 0 ? r : mrg_remove(s.c, 1, &s.err);
}

static pid_t live_apart(struct trial *t, unsigned int n)
{
	pid_t pid = fork();

	if (pid < 0)
		trial_fail(t, "the kit cannot fork: %s", strerror(errno));
	if (pid == 0)
		_exit(live(t, n) < 0);
	return pid;
}

/* How long a life takes, in microseconds. */
static int64_t measure(struct trial *t)
{
	int64_t begin = time_now_ns();
	pid_t pid = live_apart(t, 0);
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		trial_fail(t, "a life that nothing disturbs does not succeed");
	return (time_now_ns() - begin) / 1000;
}

struct removal {
	struct mrg_container *c;
	struct mrg_error err;
	int r;
};

static bool is_removed(void *data)
{
	struct removal *removal = data;

	removal->r = mrg_remove(removal->c, 1, &removal->err);
	return removal->r != -MRG_E_BUSY && removal->r != -MRG_E_TIMEOUT;
}

/* What is left of number @n has a state, and can be removed: as soon as a monitor that lives on is done with what it began. */
static void take_stock(struct trial *t, unsigned int n)
{
	struct mrg *m = kit_context(t);
	struct removal removal = { 0 };
	struct mrg_status status;
	char name[NAME_SIZE];

	trial_name(t, n, name);
	removal.r = mrg_container_open(m, name, &removal.c, &removal.err);
	if (removal.r == 0)
		removal.r = mrg_container_status(removal.c, &status, &removal.err);
	if (removal.r == 0) {
		/* Absent: killed when the engine had forgotten it and our record had not been removed yet. */
		if (status.state < MRG_STATE_ABSENT || status.state > MRG_STATE_STOPPED)
			trial_fail(t, "point %u of %d: state %d", n, POINTS, status.state);
		eventually(t, is_removed, &removal);
	}
	/* It may be on its way out by itself. */
	if (removal.r < 0 && removal.r != -MRG_E_NOT_FOUND)
		trial_fail(t, "point %u of %d: %s", n, POINTS, removal.err.message);
	mrg_container_free(removal.c);
	mrg_free(m);
}

/* The moments, evenly over a life; the last ones are after its end when this one is faster. */
static void let_pass(int64_t life, unsigned int n)
{
	usleep((useconds_t)(life * n / POINTS));
}

static void the_caller_is_killed(struct trial *t)
{
	int64_t life = measure(t);

	for (unsigned int n = 1; n <= POINTS; n++) {
		pid_t pid = live_apart(t, n);

		let_pass(life, n);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		take_stock(t, n);
	}
}

static void the_monitor_is_killed(struct trial *t)
{
	int64_t life = measure(t);

	for (unsigned int n = 1; n <= POINTS; n++) {
		struct sorting sorting = { .kit = t->kit };
		pid_t pid = live_apart(t, n);

		let_pass(life, n);
		each_process(sort_process, &sorting);
		kill_all(&sorting.monitors);
		waitpid(pid, NULL, 0);
		take_stock(t, n);
	}
}

/* Caller, monitor, helpers and payload at once: a power cut as far as processes go. */
static void all_are_killed(struct trial *t)
{
	int64_t life = measure(t);

	for (unsigned int n = 1; n <= POINTS; n++) {
		struct sorting sorting = { .kit = t->kit };
		pid_t pid = live_apart(t, n);

		let_pass(life, n);
		kill(pid, SIGKILL);
		each_process(sort_process, &sorting);
		kill_all(&sorting.monitors);
		kill_all(&sorting.others);
		waitpid(pid, NULL, 0);
		take_stock(t, n);
	}
}

#define CRASH(name_, run_)	{ .section = "crash", .name = name_, .run = run_, .seconds = 2 * TEST_SECONDS }
#define MANY(name_, run_)	{ .section = "crash", .name = name_, .run = run_, .seconds = 900 }

const struct test crash_tests[] = {
	CRASH("without its monitor it runs on, or is gone whole", without_its_monitor_it_runs_on),
	CRASH("without its monitor it can be removed", without_its_monitor_it_is_removed),
	CRASH("paused and without its monitor it can be removed", paused_and_without_its_monitor_it_is_removed),
	CRASH("the first process is killed: stopped, with its status", its_end_is_noticed),
	CRASH("monitor and container are killed: stopped, and the loss is told", its_end_is_noticed_without_a_monitor),
	CRASH("all is killed: it can be started again", it_starts_after_all_was_killed),
	CRASH("the engine's own processes are killed: state tells the truth", a_helper_is_not_missed),
	MANY("the caller is killed at any moment", the_caller_is_killed),
	MANY("the monitor is killed at any moment", the_monitor_is_killed),
	MANY("all are killed at any moment", all_are_killed),
	{ .name = NULL }
};
