/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs about a container that runs: its monitor knows the first process, the kernel the rest. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

/* A monitor answers when the container has started, which may be a while if hooks of its are slow. */
#define ANSWER_MS	5000

static int not_running(const struct mrg_unit *unit, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", unit->name);
}

/* 1 and *ret, 0 when it does not run. */
static int ask(const struct lxc_place *place, int question, long *ret, struct mrg_error *err)
{
	_cleanup_close_ int socket = lxc_ask(place, question);
	int r;

	if (socket < 0)
		return 0;
	r = lxc_answer(socket, ANSWER_MS, ret);
	if (r == -ETIMEDOUT)
		return mrg_error_set(err, r, "the monitor of LXC does not answer for '%s'", place->name);
	return r < 0 ? 0 : 1;
}

int lxc_process(void *self _unused_, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	struct lxc_place place;
	long pid;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = ask(&place, LXC_ASK_INIT, &pid, err);
	if (r <= 0)
		return r;
	if (pid <= 1 || pid > INT_MAX)
		return 0;
	process.pid = (pid_t)pid;
	/* Its parent is the monitor that has just answered: until that has buried it the pid is its own. */
	if (proc_start_time(process.pid, &process.start_time) < 0)
		return 0;
	process.pidfd = proc_open(process.pid, process.start_time);
	if (process.pidfd < 0)
		return 0;
	*ret = process;
	return 1;
}

static char *read_cgroups(uint64_t pid)
{
	char path[48], *text = NULL;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/cgroup", pid);
	return fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) == 0 ? text : NULL;
}

/* Whether LXC could make no cgroup for the container, as where an ordinary user may not: it is in that of LXC's monitor, and of whatever else the user
 * does. What we do not know of is not the container's. */
static bool shares_cgroup(pid_t init)
{
	_cleanup_free_ char *own = read_cgroups((uint64_t)init), *above = NULL;
	uint64_t parent;

	if (!own || lxc_read_status(init, "\nPPid:", 10, &parent) < 0)
		return true;
	above = read_cgroups(parent);
	return !above || strcmp(own, above) == 0;
}

int lxc_running_open(const struct mrg_unit *unit, struct lxc_running *ret, struct mrg_error *err)
{
	int r = lxc_process(NULL, unit, &ret->init, err);

	if (r < 0)
		return r;
	if (r == 0)
		return not_running(unit, err);
	ret->unit = *unit;
	ret->unit.process = &ret->init;
	ret->unit.cgroup = NULL;
	if (lxc_is_user() && shares_cgroup(ret->init.pid))
		return 0;
	ret->unit.cgroup = ret->cgroup;
	r = mrg_helper_cgroup_of(ret->init.pid, ret->cgroup, sizeof(ret->cgroup), err);
	return r == -MRG_E_NOT_RUNNING ? not_running(unit, err) : r;
}

void lxc_running_close(struct lxc_running *running)
{
	running->init.pidfd = fd_close(running->init.pidfd);
}

/* ---- state ---------------------------------------------------------------------------------- */

int lxc_state(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	struct lxc_cgroup_unit own;
	struct lxc_place place;
	long state;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = ask(&place, LXC_ASK_STATE, &state, err);
	if (r < 0)
		return r;
	if (r == 1)
		return state == LXC_IS_FROZEN || state == LXC_IS_FREEZING ? MRG_STATE_PAUSED : MRG_STATE_RUNNING;
	/* What a start of ours has made may live without LXC's monitor, if only because it is frozen. */
	if (lxc_log_exists(unit)) {
		r = lxc_cgroup_unit(unit, LXC_CGROUP_PAYLOAD, &own, err);
		if (r == 0)
			r = mrg_helper_cgroup_state(NULL, &own.unit, err);
		if (r < 0 || r == MRG_STATE_RUNNING || r == MRG_STATE_PAUSED)
			return r;
	}
	/* LXC keeps no memory of an end: what it has and does not run is stopped. */
	if (!lxc_place_exists(&place))
		return MRG_STATE_ABSENT;
	return unit->adopted ? MRG_STATE_STOPPED : MRG_STATE_CREATED;
}

int lxc_read_status(pid_t pid, const char *key, int base, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[32], *line, *end;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	r = fd_read_virtual(AT_FDCWD, path, 1 << 16, &text, NULL);
	line = r < 0 ? NULL : strstr(text, key);
	if (!line)
		return r < 0 ? r : -ENODATA;
	*ret = strtoull(line + strlen(key), &end, base);
	return end > line + strlen(key) ? 0 : -EBADMSG;
}

/* ---- signals -------------------------------------------------------------------------------- */

/* As LXC does it: systemd is told by the signal that it blocks. */
static int halt_signal(const struct mrg_spec *spec, pid_t init)
{
	int signo = spec->stop_signal ? parse_signal(spec->stop_signal) : 0;
	uint64_t blocked = 0;

	if (signo > 0)
		return signo;
	return lxc_read_status(init, "\nSigBlk:", 16, &blocked) == 0 && blocked >> (SIGRTMIN + 3 - 1) & 1 ? SIGRTMIN + 3 : SIGPWR;
}

int lxc_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	int r = lxc_running_open(unit, &running, err);

	if (r < 0)
		return r;
	return mrg_helper_cgroup_kill(self, &running.unit, halt_signal(unit->spec, running.init.pid), 0, err);
}

int lxc_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	struct lxc_cgroup_unit own;
	int r = lxc_running_open(unit, &running, err);

	/* Nobody knows its first process any more. */
	if (r == -MRG_E_NOT_RUNNING && all && lxc_cgroup_unit(unit, LXC_CGROUP_PAYLOAD, &own, err) == 0)
		return mrg_helper_cgroup_kill(self, &own.unit, signo, all, err);
	return r < 0 ? r : mrg_helper_cgroup_kill(self, &running.unit, signo, all, err);
}

/* ---- with the helpers ------------------------------------------------------------------------ */

int lxc_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	int r = lxc_running_open(unit, &running, err);

	return r < 0 ? r : mrg_helper_cgroup_stats(self, &running.unit, ret, err);
}

int lxc_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	int r = lxc_running_open(unit, &running, err);

	return r < 0 ? r : mrg_helper_cgroup_update(self, &running.unit, changes, err);
}

int lxc_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	int r = lxc_running_open(unit, &running, err);

	return r < 0 ? r : mrg_helper_cgroup_processes(self, &running.unit, found, data, err);
}
