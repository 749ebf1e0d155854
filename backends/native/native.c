/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The native backend: namespaces and control groups of the kernel, no engine in between. */

#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "native.h"

/* What an instance keeps: only what was made ahead for the start that follows. */
struct native {
	int network;			/* a network namespace; -1: none */
};

static int open_instance(struct mrg *ctx, void **ret_self, struct mrg_error *err)
{
	struct native *native = malloc(sizeof(*native));

	(void)ctx;
	if (!native)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	native->network = -1;
	*ret_self = native;
	return 0;
}

static void close_instance(void *self)
{
	struct native *native = self;

	native_close(&native->network);
	free(native);
}

/* The kernel takes longer for a network namespace than for all others together. */
static int ready(void *self, struct mrg_error *err)
{
	struct native *native = self;

	return native_network_make(&native->network, err);
}

/* One made ahead belongs to our user namespace; a container with its own needs it made by its first process. */
static bool take_network(struct native *native, const struct mrg_spec *spec, struct native_joins *joins)
{
	if (!native || native->network < 0 || spec->ns_user || !spec->ns_network || *spec->ns_network)
		return false;
	joins->fd[NS_NETWORK] = native_take(&native->network);
	return true;
}

static void start_deinit(struct native_start *s)
{
	mrg_helper_cgroups_free(s->cgroups);
	mrg_helper_cgroup_entry_close(&s->entry);
	native_joins_close(&s->joins);
	native_close(&s->socket[0]);
	native_close(&s->socket[1]);
	mrg_helper_process_free(s->process);
}

/* What can be prepared outside is, so that the child fails rarely and starts fast. */
static int prepare(struct native_start *s, struct native *native, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = native_joins_open(unit->spec, &s->joins, err);

	s->flags = native_clone_flags(unit->spec);
	if (r == 0 && take_network(native, unit->spec, &s->joins))
		s->flags &= ~(uint64_t)CLONE_NEWNET;
	if (r == 0 && unit->spec->ns_user)
		r = native_maps_choose(unit, &s->maps, err);
	if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->socket) < 0)
		r = native_fail(err, -errno, "cannot make a socket");
	if (r == 0)
		r = mrg_helper_process_prepare(unit, NULL, &s->process, err);
	return r;
}

/* Between the birth of the child and its start. */
static int introduce(pid_t pid, void *start, struct mrg_error *err)
{
	struct native_start *s = start;
	_cleanup_close_ int userns = -1;
	int r;

	if (!s->unit->spec->ns_user)
		return 0;
	r = native_maps_apply(pid, &s->maps, &userns, err);
	return r < 0 ? r : native_sources_send(s->unit, userns, s->socket[0], err);
}

/* While the child makes its root. */
static int finish_cgroups(void *start, struct mrg_error *err)
{
	struct native_start *s = start;
	int r = mrg_helper_cgroup_finish(s->cgroups, &s->entry, err);

	if (r == 0 && s->unit->spec->ns_user && s->unit->spec->boot)
		r = mrg_helper_cgroup_delegate(s->unit, s->maps.root_uid, s->maps.root_gid, err);
	if (r < 0)
		return r;
	r = mrg_helper_fds_send(s->socket[0], s->entry.tasks, s->entry.n_tasks);
	return r < 0 ? native_fail(err, r, "cannot hand the cgroups to the container") : 0;
}

static int spawn(struct native_start *s, struct mrg_process *ret, struct mrg_error *err)
{
	const struct mrg_spawn want = {
		.flags = s->flags, .cgroup = &s->entry, .child = native_setup, .parent = introduce, .meanwhile = finish_cgroups,
		.data = s,
	};
	_cleanup_close_ int own = -1;
	int r;

	if (s->joins.fd[NS_PID] < 0)
		return mrg_helper_spawn_busy(&want, ret, err);
	/* A pid namespace holds the children of who joins it; we come back, since our own stay where they are. */
	own = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (own < 0 || setns(s->joins.fd[NS_PID], CLONE_NEWPID) < 0)
		return native_fail(err, -errno, "cannot join the pid namespace '%s'", s->unit->spec->ns_pid);
	r = mrg_helper_spawn_busy(&want, ret, err);
	if (setns(own, CLONE_NEWPID) < 0 && r == 0)
		return native_fail(err, -errno, "cannot leave the pid namespace '%s'", s->unit->spec->ns_pid);
	return r;
}

static void end(const struct mrg_process *process)
{
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (process->pidfd >= 0)
		close(process->pidfd);
}

static int start_in(struct native_start *s, struct native *native, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = prepare(s, native, s->unit, err);

	if (r == 0)
		r = spawn(s, &process, err);
	if (r == 0 && io->terminal) {
		r = mrg_helper_process_master(s->socket[0], &io->master, err);
		if (r < 0)
			end(&process);
	}
	if (r == 0)
		*ret = process;
	return r;
}

static int start_unit(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct native_start s = { .unit = unit, .io = io, .socket = { -1, -1 }, .root = -1, .entry = MRG_CGROUP_ENTRY_INIT };
	struct mrg_exit gone;
	int r = mrg_helper_cgroup_begin(unit, &s.cgroups, &s.entry, err);

	if (r < 0)
		return r;
	memset(s.joins.fd, -1, sizeof(s.joins.fd));
	r = start_in(&s, self, io, ret, err);
	start_deinit(&s);
	if (r < 0)
		mrg_helper_cgroup_cleanup(self, unit, &gone, NULL);
	return r;
}

/* An ordinary user's container has the user namespace of its monitor, whether it asks for one or not: no second one is made in it. */
static int start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_spec spec = *unit->spec;
	struct mrg_unit own = *unit;
	int r;

	if (!native_is_rootless())
		return start_unit(self, unit, io, ret, err);
	/* Who is asked for a scope knows us outside the namespace only. */
	r = mrg_helper_cgroup_scope(unit, err);
	if (r == 0)
		r = mrg_helper_cgroup_aside(unit, err);
	if (r == 0)
		r = native_rootless_enter(err);
	spec.ns_user = NULL;
	own.spec = &spec;
	return r < 0 ? r : start_unit(self, &own, io, ret, err);
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "native",
	.summary = "namespaces and cgroups of the kernel, without an engine",
	.fields = native_fields,
	.open = open_instance,
	.close = close_instance,
	.probe = native_probe,
	.check = native_check,
	.start = start,
	.cleanup = mrg_helper_cgroup_cleanup,
	.kill = mrg_helper_cgroup_kill,
	.pause = mrg_helper_cgroup_pause,
	.resume = mrg_helper_cgroup_resume,
	.exec = mrg_helper_exec,
	.state = mrg_helper_cgroup_state,
	.stats = mrg_helper_cgroup_stats,
	.update = mrg_helper_cgroup_update,
	.processes = mrg_helper_cgroup_processes,
	.destroy = mrg_helper_cgroup_destroy,
	.explain = native_explain,
	.ready = ready,
};
