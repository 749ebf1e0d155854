/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs that a container's cgroups can answer: state, kill, pause, stats, update, cleanup. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/pid_namespace.h"
#include "core/util/proc.h"

#define FREEZE_TIMEOUT_MS	5000
#define END_TIMEOUT_MS		30000	/* what is killed ends soon, but for a machine that is overloaded */

static int not_running(const struct mrg_unit *unit, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", unit->name);
}

/* A process that start gave is enough: a host may have no cgroups, and a child may not have entered them yet. */
static int runs(const struct cgroup *cg, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r;

	if (unit->process)
		return 1;
	r = cg->tracker ? cg->ops->populated(cg) : 0;
	return r < 0 ? cgroup_fail(err, r, "cannot read cgroup '/%s'", cg->path) : r;
}

static int open_running(struct cgroup *cg, const struct mrg_unit *unit, bool tracker_only, struct mrg_error *err)
{
	int r = cgroup_open(cg, unit, tracker_only, err);

	if (r == 0)
		r = runs(cg, unit, err);
	return r == 0 ? not_running(unit, err) : r;
}

/* ---- state ---- */

/* RUNNING or PAUSED; 0: neither. */
static int state_alive(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = cgroup_open(&cg, unit, true, err);

	if (r == 0)
		r = runs(&cg, unit, err);
	if (r <= 0)
		return r;
	return cgroup_is_tracked(&cg) && cg.ops->frozen(&cg) > 0 ? MRG_STATE_PAUSED : MRG_STATE_RUNNING;
}

int mrg_helper_cgroup_state(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	bool ended = !unit->process && !unit->cgroup && cgroup_is_absent(unit);
	int r = ended ? 0 : state_alive(unit, err);

	if (r != 0)
		return r;
	/* run.json without exit.json: the monitor was killed before the container ended. */
	if (unit->dir >= 0 && (faccessat(unit->dir, "exit.json", F_OK, 0) == 0 ||
			       faccessat(unit->dir, "run.json", F_OK, 0) == 0))
		return MRG_STATE_STOPPED;
	return MRG_STATE_CREATED;
}

/* ---- kill ---- */

static int send_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/* Whether @pid, held by a pidfd, is in the cgroup now: what was listed may be another process by then. */
static bool is_inside(const struct cgroup *cg, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return false;
	for (const char *p = text; (p = strstr(p, cg->leaf)); p++)
		if (p > text && p[-1] == '/' && strchr("/\n", p[strlen(cg->leaf)]))
			return true;
	return false;
}

struct signalling {
	const struct cgroup *cg;
	int signo;
	pid_t eldest;
	uint64_t start_time;
	int sent;
};

static int signal_one(pid_t pid, void *data)
{
	struct signalling *s = data;
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int r;

	if (fd < 0 || !is_inside(s->cg, pid))
		return 0;
	r = send_signal(fd, s->signo);
	s->sent += r == 0;
	return r == -EPERM ? r : 0;
}

static int find_eldest(pid_t pid, void *data)
{
	struct signalling *s = data;
	uint64_t start_time;

	if (proc_start_time(pid, &start_time) < 0)
		return 0;
	if (!s->eldest || start_time < s->start_time || (start_time == s->start_time && pid < s->eldest)) {
		s->eldest = pid;
		s->start_time = start_time;
	}
	return 0;
}

/* The first process; when it was never recorded (its monitor was killed before), the eldest. */
static int kill_first(const struct cgroup *cg, const struct mrg_unit *unit, int signo)
{
	struct signalling s = { .cg = cg, .signo = signo };
	_cleanup_close_ int fd = -1;
	int r;

	if (unit->process && unit->process->pidfd >= 0)
		return send_signal(unit->process->pidfd, signo);
	if (unit->process) {
		s.eldest = unit->process->pid;
		s.start_time = unit->process->start_time;
	} else {
		r = cgroup_processes(cg, find_eldest, &s);
		if (r < 0 || !s.eldest)
			return r < 0 ? r : -ESRCH;
	}
	fd = proc_open(s.eldest, s.start_time);
	return fd < 0 ? fd : send_signal(fd, signo);
}

/* An engine may have frozen them in v1, where even a killed process stays until it is thawed. */
static void thaw(struct cgroup *cg)
{
	struct cgroup_hierarchy *h = cgroup_find(cg, CGROUP_FREEZER, 1);

	if (h && h->dir >= 0)
		fd_write_file(h->dir, "freezer.state", "THAWED");
}

static int kill_all(struct cgroup *cg, const struct mrg_unit *unit, int signo)
{
	struct signalling s = { .cg = cg, .signo = signo };
	int r;

	if (!cgroup_is_tracked(cg))
		return kill_first(cg, unit, signo);
	if (signo != SIGKILL) {
		r = cgroup_processes(cg, signal_one, &s);
		return r < 0 ? r : s.sent > 0 ? 0 : -ESRCH;
	}
	r = cg->ops->kill(cg);
	thaw(cg);
	if (r == 0 && unit->process)
		kill_first(cg, unit, SIGKILL);
	return r;
}

int mrg_helper_cgroup_kill(void *self _unused_, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = open_running(&cg, unit, !all, err);

	if (r < 0)
		return r;
	r = all ? kill_all(&cg, unit, signo) : kill_first(&cg, unit, signo);
	if (r == -ESRCH)
		return not_running(unit, err);
	return r < 0 ? cgroup_fail(err, r, "cannot send signal %d to '%s'", signo, unit->name) : 0;
}

/* ---- pause ---- */

static int no_freezer(const struct mrg_unit *unit, int r, struct mrg_error *err)
{
	if (r == -ETIMEDOUT)
		return mrg_error_set(err, r, "'%s' did not freeze within 5 seconds: a process waits in the kernel",
				     unit->name);
	if (r == -ENOENT || r == -EOPNOTSUPP) {
		enum cgroup_lack lack = cgroup_user_own_lack();

		mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' has no cgroup that can be frozen%s%s", unit->name, lack ? ": " : "", cgroup_lack_text(lack));
		return cgroup_user_hint_lack(lack, err), -MRG_E_UNSUPPORTED;
	}
	return cgroup_fail(err, r, "cannot freeze '%s'", unit->name);
}

int mrg_helper_cgroup_pause(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = open_running(&cg, unit, true, err);

	if (r < 0)
		return r;
	if (!cgroup_is_tracked(&cg))
		return no_freezer(unit, -EOPNOTSUPP, err);
	if (cg.ops->frozen(&cg) > 0)
		return 1;
	r = cg.ops->freeze(&cg, true, FREEZE_TIMEOUT_MS);
	if (r < 0) {
		cg.ops->freeze(&cg, false, 0);
		return no_freezer(unit, r, err);
	}
	return 0;
}

int mrg_helper_cgroup_resume(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = open_running(&cg, unit, true, err);
	int frozen;

	if (r < 0)
		return r;
	if (!cgroup_is_tracked(&cg))
		return no_freezer(unit, -EOPNOTSUPP, err);
	frozen = cg.ops->frozen(&cg);
	r = cg.ops->freeze(&cg, false, FREEZE_TIMEOUT_MS);
	/* It ran on, into a signal that was waiting, and its cgroup is gone. */
	if (r == -ENODEV || r == -ENOENT)
		r = 0;
	if (r < 0)
		return cgroup_fail(err, r, "cannot thaw '%s'", unit->name);
	return frozen <= 0;
}

/* ---- stats, processes, update ---- */

/* Those of a container without a cgroup; of one that shares our pid namespace too only the first is known. */
static int processes_without(const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data)
{
	int r = pid_namespace_processes(unit->process->pid, found, data);

	return r == -ENODATA ? found(unit->process->pid, data) : r;
}

static int count_one(pid_t pid _unused_, void *data)
{
	++*(uint64_t *)data;
	return 0;
}

int mrg_helper_cgroup_stats(void *self _unused_, const struct mrg_unit *unit, struct mrg_stats *ret,
			    struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct mrg_stats stats = { 0 };
	int r = open_running(&cg, unit, false, err);

	if (r < 0)
		return r;
	cgroup_stats_read(&cg, unit, &stats);
	if (!cgroup_is_tracked(&cg) && unit->process && processes_without(unit, count_one, &stats.pids) == 0)
		stats.valid |= UINT64_C(1) << MRG_STAT_PIDS;
	*ret = stats;
	return 0;
}

int mrg_helper_cgroup_processes(void *self _unused_, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
				void *data, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = open_running(&cg, unit, true, err);

	if (r < 0)
		return r;
	if (!cgroup_is_tracked(&cg))
		return unit->process ? processes_without(unit, found, data) : 0;
	r = cgroup_processes(&cg, found, data);
	return r < 0 ? cgroup_fail(err, r, "cannot list the processes of '%s'", unit->name) : r;
}

static int check_changes(const struct mrg_spec *changes, struct mrg_error *err)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&changes->set, field) && field != MRG_FIELD_DEVICE_RULES && !cgroup_is_limit(field))
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' cannot be changed while it runs",
					     mrg_field_info(field)->name);
	return 0;
}

int mrg_helper_cgroup_update(void *self _unused_, const struct mrg_unit *unit, const struct mrg_spec *changes,
			     struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;
	struct mrg_spec merged = cgroup_merge(unit->spec, changes);
	struct cgroup_controllers available;
	int r = check_changes(changes, err);

	if (r == 0)
		r = open_running(&cg, unit, false, err);
	if (r < 0)
		return r;
	available = cgroup_available(&cg);
	r = cgroup_plan(&plan, &merged, &changes->set, &available, err);
	if (r == 0)
		r = cgroup_v2_enable(&cg, plan.needed.v2, 0, err);
	if (r == 0)
		r = cgroup_plan_apply(&cg, &plan, true, err);
	if (r == 0 && mrg_fields_has(&changes->set, MRG_FIELD_DEVICE_RULES)) {
		r = cgroup_devices_apply(&cg, &merged, err);
		if (r < 0) {
			if (mrg_fields_has(&unit->spec->set, MRG_FIELD_DEVICE_RULES))
				cgroup_devices_apply(&cg, unit->spec, NULL);
			cgroup_plan_undo(&cg, &plan);
		}
	}
	return r;
}

/* ---- the end ---- */

/* Kills what is left and waits for its end. */
static int end_processes(struct cgroup *cg)
{
	int64_t deadline = time_monotonic_ms() + END_TIMEOUT_MS;
	int r = cgroup_is_tracked(cg) ? cg->ops->populated(cg) : 0;

	while (r > 0) {
		r = cg->ops->kill(cg);
		thaw(cg);
		if (r == 0 || r == -ETIMEDOUT)
			r = cgroup_wait_empty(cg, 200);
		if (r == -ETIMEDOUT && time_monotonic_ms() < deadline)
			r = 1;
	}
	return r;
}

int cgroup_clear(struct cgroup *cg, uint64_t *ret_oom_kills, struct mrg_error *err)
{
	int r = end_processes(cg);

	if (r < 0)
		return cgroup_fail(err, r, "cannot end the processes in cgroup '/%s'", cg->path);
	*ret_oom_kills = cgroup_oom_kills(cg);
	r = cgroup_remove(cg, END_TIMEOUT_MS);
	return r < 0 ? cgroup_fail(err, r, "cannot remove cgroup '/%s'", cg->path) : 0;
}

int mrg_helper_cgroup_cleanup(void *self _unused_, const struct mrg_unit *unit, struct mrg_exit *ret,
			      struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	uint64_t oom_kills;
	int r = cgroup_open(&cg, unit, false, err);

	if (r == 0)
		r = cgroup_clear(&cg, &oom_kills, err);
	if (r < 0)
		return r;
	ret->oom_killed = oom_kills > 0;
	return 0;
}

int mrg_helper_cgroup_destroy(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	uint64_t oom_kills;
	int r = cgroup_open(&cg, unit, true, err);

	/* A quick look, as cleanup has come before: the tracking directory is removed last. */
	if (r < 0 || !cg.tracker || cg.tracker->dir < 0)
		return r;
	cgroup_close(&cg);
	r = cgroup_open(&cg, unit, false, err);
	if (r == 0)
		r = runs(&cg, unit, err);
	if (r > 0)
		return mrg_error_set(err, -MRG_E_STATE, "'%s' still runs", unit->name);
	return r < 0 ? r : cgroup_clear(&cg, &oom_kills, err);
}
