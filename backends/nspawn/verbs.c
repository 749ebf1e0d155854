/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs about a machine that runs. nspawn itself is no part of what is frozen, signalled and listed. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define END_MS	2000			/* for nspawn to notice that all it looked after is gone */

/* Opens what runs and lets the unit mean the payload alone, where it can be told from nspawn. */
static int open_payload(const struct mrg_unit *unit, struct nspawn_machine *m, struct mrg_error *err)
{
	int r = nspawn_machine_open(unit, m, err);

	if (r > 0 && *m->payload)
		m->unit.cgroup = m->payload;
	return r;
}

/* Without cgroup v2 no scope can be frozen: what we made for nspawn can be, and both are in it. */
static int open_freezer(const struct mrg_unit *unit, struct nspawn_machine *m, struct mrg_error *err)
{
	int r = open_payload(unit, m, err);

	if (r > 0 && *m->systemd_unit && !*m->payload && !unit->adopted)
		m->unit.cgroup = NULL;
	return r;
}

static int open_running(const struct mrg_unit *unit, struct nspawn_machine *m, struct mrg_error *err)
{
	int r = nspawn_machine_open(unit, m, err);

	return r != 0 ? r : mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", unit->name);
}

int nspawn_state(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	struct nspawn_image image;
	int r = open_freezer(unit, &m, err);

	if (r >= 0)
		r = mrg_helper_cgroup_state(self, &m.unit, err);
	if (r != MRG_STATE_CREATED && r != MRG_STATE_STOPPED)
		return r;
	if (!unit->adopted)
		return r;
	return nspawn_image_find(unit->path, unit->name, &image, err) > 0 ? r : MRG_STATE_ABSENT;
}

/* Waits for the nspawn that we started to end by itself: then it has tidied up. 0: it is still there. */
static int wait_for_nspawn(const struct mrg_unit *unit)
{
	struct pollfd p = { .fd = unit->process ? unit->process->pidfd : -1, .events = POLLIN };

	return p.fd < 0 || poll(&p, 1, END_MS) > 0;
}

int nspawn_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = all && signo == SIGKILL ? open_freezer(unit, &m, err) : open_payload(unit, &m, err);

	if (r >= 0)
		r = mrg_helper_cgroup_kill(self, &m.unit, signo, all, err);
	if (r < 0 || !all || signo != SIGKILL || m.unit.cgroup != m.payload || wait_for_nspawn(unit))
		return r;
	m.unit.cgroup = m.cgroup;
	return mrg_helper_cgroup_kill(self, &m.unit, signo, all, err);
}

int nspawn_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	const struct mrg_spec *spec = unit->spec;
	int signo = spec->stop_signal ? parse_signal(spec->stop_signal) : -1;
	int r = nspawn_machine_open(unit, &m, err);

	if (r < 0)
		return r;
	/* nspawn, and what stands in for init there, know best how to end what the unit runs. */
	if (r > 0 && strncmp(m.systemd_unit, "systemd-nspawn@", 15) == 0)
		return nspawn_unit_stop(m.systemd_unit, err);
	/* What machinectl sends to have a system powered off. */
	if (signo < 0)
		signo = spec->boot ? SIGRTMIN + 4 : SIGTERM;
	return nspawn_kill(self, unit, signo, 0, err);
}

int nspawn_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = open_freezer(unit, &m, err);

	return r < 0 ? r : mrg_helper_cgroup_pause(self, &m.unit, err);
}

int nspawn_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = open_freezer(unit, &m, err);

	return r < 0 ? r : mrg_helper_cgroup_resume(self, &m.unit, err);
}

/* The capabilities that the first process can have at most: nspawn gives what there is, without complaint. */
static uint64_t held(pid_t leader)
{
	_cleanup_free_ char *text = NULL;
	uint64_t caps = UINT64_MAX;
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)leader);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return caps;
	line = strstr(text, "\nCapBnd:\t");
	return line && sscanf(line, "\nCapBnd:\t%" SCNx64, &caps) == 1 ? caps : UINT64_MAX;
}

int nspawn_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
		struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	struct mrg_spec spec = *unit->spec;
	int r = open_running(unit, &m, err);
	uint64_t caps;

	if (r < 0)
		return r;
	caps = held(m.leader.pid);
	spec.cap_bounding &= caps;
	spec.cap_permitted &= caps;
	spec.cap_effective &= caps;
	spec.cap_inheritable &= caps;
	spec.cap_ambient &= caps;
	m.unit.spec = &spec;
	return mrg_helper_exec(self, &m.unit, command, io, ret, err);
}

int nspawn_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = open_running(unit, &m, err);

	return r < 0 ? r : mrg_helper_cgroup_stats(self, &m.unit, ret, err);
}

int nspawn_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = open_running(unit, &m, err);

	/* systemd is told, so that it does not set the old values again; then all of it, whatever it has properties for. */
	if (r >= 0 && *m.systemd_unit)
		r = nspawn_unit_set(m.systemd_unit, changes, err);
	return r < 0 ? r : mrg_helper_cgroup_update(self, &m.unit, changes, err);
}

int nspawn_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
		     struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = open_payload(unit, &m, err);

	return r < 0 ? r : mrg_helper_cgroup_processes(self, &m.unit, found, data, err);
}
