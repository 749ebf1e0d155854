/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executing moorage-try for a process, and hearing what it has tried. What comes from inside is taken as if somebody else had answered. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/audit/probe.h"
#include "core/audit/try/try.h"
#include "core/cgroup/cgroup.h"
#include "core/helper/init.h"
#include "core/util/detach.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define PROGRAM		"moorage-try"
#define ANSWER_MAX	(64 << 10)
#define PATIENCE_MS	((TRY_LIFE_S + 2) * 1000)

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif

/* ---- the plan ------------------------------------------------------------------------------------------ */

static bool map_back(const struct audit_maps *maps, uint32_t outside, uint32_t *ret)
{
	for (size_t i = 0; i < maps->n; i++)
		if (outside >= maps->item[i].outside && outside - maps->item[i].outside < maps->item[i].size) {
			*ret = maps->item[i].inside + (outside - maps->item[i].outside);
			return true;
		}
	return false;
}

/* Ids as they are inside. Groups that are not mapped there cannot be taken over, and give no rights inside either. */
static int plan_ids(const struct audit_reading *r, struct try_plan *plan)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ struct audit_maps *groups = calloc(1, sizeof(*groups));
	int n = groups ? fd_read_virtual(r->proc, "gid_map", 1 << 20, &text, NULL) : -ENOMEM;

	if (n == 0)
		n = audit_parse_map(text, groups);
	if (n < 0)
		return n;
	if (!map_back(&r->users, r->status.uid, &plan->uid) || !map_back(groups, r->status.gid, &plan->gid))
		return -EOVERFLOW;
	for (size_t i = 0; i < r->status.n_groups; i++)
		plan->n_groups += map_back(groups, r->status.groups[i], &plan->groups[plan->n_groups]);
	return 0;
}

static void plan_devices(const struct audit_reading *r, struct try_plan *plan)
{
	size_t used = 0;

	for (size_t i = 0; i < r->audit->n_facts; i++) {
		const struct mrg_audit_fact *fact = &r->audit->facts[i];
		size_t length = strlen(fact->item) + 1;

		/* The last byte is an empty path of its own; a line of the answer is no longer than this. */
		if (strcmp(fact->check, "device") != 0 || length > 256 || used + length + 2 > sizeof(plan->devices))
			continue;
		memcpy(plan->devices + used, fact->item, length);
		used += length;
	}
}

static int make_plan(const struct audit_reading *r, struct try_plan *plan)
{
	static const int flags[NS_MAX] = {
		[NS_CGROUP] = CLONE_NEWCGROUP, [NS_IPC] = CLONE_NEWIPC, [NS_MNT] = CLONE_NEWNS, [NS_NET] = CLONE_NEWNET, [NS_PID] = CLONE_NEWPID,
		[NS_TIME] = CLONE_NEWTIME, [NS_USER] = CLONE_NEWUSER, [NS_UTS] = CLONE_NEWUTS,
	};

	*plan = (struct try_plan){
		.size = sizeof(*plan), .pid = r->status.seccomp > 0 ? r->pid : 0, .no_new_privs = r->status.no_new_privs > 0, .host_uid = r->status.uid,
	};
	for (size_t i = 0; i < NS_MAX; i++)
		plan->namespaces |= r->namespaces[i] && !r->shared[i] ? flags[i] : 0;
	memcpy(plan->caps, r->status.caps, sizeof(plan->caps));
	plan_devices(r, plan);
	return plan_ids(r, plan);
}

/* ---- the program ---------------------------------------------------------------------------------------- */

/* One that cannot be entered says nothing of devices. The freezer is left out: who is frozen cannot be ended. */
static bool enter_cgroups(const struct audit_reading *r, pid_t pid)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	_cleanup_free_ char *text = NULL;
	bool devices = false;
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	if (fd_read_virtual(r->proc, "cgroup", 1 << 20, &text, NULL) < 0 || cgroup_find_mounts(&cg, false) < 0)
		return false;
	for (size_t i = 0; i < cg.n; i++) {
		const struct cgroup_hierarchy *h = &cg.item[i];
		_cleanup_free_ char *path = h->version == 1 && h->controllers & (CGROUP_FREEZER | CGROUP_SYSTEMD) ? NULL : audit_cgroup_path(text, h);
		_cleanup_close_ int dir = path ? path_open_beneath(h->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0) : -1;

		if (dir >= 0 && fd_write_file(dir, "cgroup.procs", number) == 0)
			devices |= h->version == 2 ? !cgroup_find(&cg, CGROUP_DEVICES, 1) : (h->controllers & CGROUP_DEVICES) != 0;
	}
	return devices;
}

static int execute(const struct audit_reading *r, int pidfd, int ends[2], struct mrg_error *err)
{
	static const char program[] = PROGRAM;
	_cleanup_close_ int image = program_open_sealed(program, err), plan = -1, answer = -1;
	char *argv[] = { (char *)program, NULL };
	char path[PATH_OF_FD_SIZE];
	int pair[2], fds[TRY_IMAGE_FD - TRY_PLAN_FD + 1];
	pid_t pid;

	if (image < 0)
		return image;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, -errno, "cannot make a socket");
	ends[0] = pair[0];
	plan = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return fail_errno(err, -errno, "cannot make a pipe");
	ends[1] = pair[0];
	answer = pair[1];
	fds[TRY_PLAN_FD - DETACH_FIRST_FD] = plan;
	fds[TRY_ANSWER_FD - DETACH_FIRST_FD] = answer;
	fds[TRY_PROCESS_FD - DETACH_FIRST_FD] = pidfd;
	fds[TRY_ROOT_FD - DETACH_FIRST_FD] = r->root;
	fds[TRY_IMAGE_FD - DETACH_FIRST_FD] = image;
	pid = detach_execute(path_of_fd(path, TRY_IMAGE_FD), argv, fds, sizeof(fds) / sizeof(fds[0]));
	return pid < 0 ? fail_errno(err, (int)pid, "cannot execute " PROGRAM) : pid;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All that is written until nobody can any more. Whatever it is, it takes neither more memory nor more time than this. */
static int hear(int fd, char ret[ANSWER_MAX + 1])
{
	int64_t end = now_ms() + PATIENCE_MS, left;
	size_t length = 0;

	while ((left = end - now_ms()) > 0 && length < ANSWER_MAX) {
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&readable, 1, (int)left) > 0 ? read(fd, ret + length, ANSWER_MAX - length) : -1;

		if (n == 0) {
			ret[length] = '\0';
			return memchr(ret, '\0', length) ? -EPROTO : 0;
		}
		length += n > 0 ? (size_t)n : 0;
	}
	return left > 0 ? -EFBIG : -ETIMEDOUT;
}

static bool is_ready(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&readable, 1, PATIENCE_MS) > 0 && read(fd, &byte, 1) == 1;
}

/* It waits for its plan while it is put where the process is. */
static int converse(struct audit_reading *r, pid_t pid, const int ends[2], const struct try_plan *plan, char *answer, struct mrg_error *err)
{
	_cleanup_close_ int program = (int)syscall(SYS_pidfd_open, pid, 0);
	bool ready = program >= 0 && is_ready(ends[0]), devices = ready && enter_cgroups(r, pid);
	int n;

	if (!ready)
		return mrg_error_set(err, -EIO, PROGRAM " does not begin");
	if (send(ends[0], plan, sizeof(*plan), MSG_NOSIGNAL) != (ssize_t)sizeof(*plan))
		return fail_errno(err, -errno, "cannot talk to " PROGRAM);
	n = hear(ends[1], answer);
	if (n < 0)
		syscall(SYS_pidfd_send_signal, program, SIGKILL, NULL, 0);
	audit_probe_tell(r, n < 0 ? NULL : answer, devices);
	return 0;
}

int audit_probe(struct audit_reading *r, int pidfd, struct mrg_error *err)
{
	_cleanup_free_ struct try_plan *plan = malloc(sizeof(*plan));
	_cleanup_free_ char *answer = malloc(ANSWER_MAX + 1);
	int ends[2] = { -1, -1 }, n = plan && answer ? make_plan(r, plan) : -ENOMEM;

	if (n == -EOVERFLOW)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the user of process %d is not one of its user namespace: nothing can be tried as it", (int)r->pid);
	if (n < 0)
		return fail_errno(err, n, "cannot prepare to try what process %d may do", (int)r->pid);
	n = execute(r, pidfd, ends, err);
	if (n > 0)
		n = converse(r, (pid_t)n, ends, plan, answer, err);
	fd_close(ends[0]);
	fd_close(ends[1]);
	return n;
}
