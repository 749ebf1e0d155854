/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chroot backend: a root of its own in a mount namespace of its own, and cgroups to hold its processes; all else is the host's. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chroot.h"

static const uint16_t fields[] = {
	MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE,
	MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
	MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED,
	MRG_FIELD_CAP_AMBIENT, MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ, MRG_FIELD_NS_MOUNT,
	MRG_FIELD_DEVICES, MRG_FIELD_CGROUPS_PATH, MRG_FIELD_DEVICE_RULES,
	MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_SWAPPINESS,
	MRG_FIELD_MEMORY_DISABLE_OOM_KILLER,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPU_BURST, MRG_FIELD_CPU_IDLE,
	MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS, MRG_FIELD_PIDS_LIMIT,
	MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS,
	MRG_FIELD_HUGEPAGE_LIMITS, MRG_FIELD_UNIFIED,
	MRG_FIELD_SECCOMP, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_ANNOTATIONS,
	MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL, MRG_FIELD_SECCOMP_PROFILE,
	MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG,
	MRG_FIELD_END
};

/* One start on its way. */
struct start {
	const struct mrg_unit *unit;
	const struct mrg_stdio *io;
	struct mrg_helper_process *process;
	struct mrg_helper_cgroups *cgroups;
	struct mrg_cgroup_entry entry;
	int socket[2];			/* monitor's end, child's end */
};

static int check_rights(struct mrg_error *err)
{
	static const unsigned int needed = 1U << CAP_SYS_ADMIN | 1U << CAP_SYS_CHROOT;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) == 0 && (data[0].effective & needed) == needed)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "the chroot backend needs the rights of root (CAP_SYS_ADMIN, CAP_SYS_CHROOT)");
	return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
}

static int probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe p = {
		.boundary_reason = "a root process inside shares pids, network and devices with the host",
	};
	char reason[sizeof(p.reason)] = "";
	struct utsname host;
	int r = check_rights(err);

	(void)self;
	for (const uint16_t *field = fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&p.fields, *field);
	if (r == 0)
		r = mrg_helper_cgroup_probe(&p.fields, p.reason, sizeof(p.reason), err);
	if (r >= 0)
		r = mrg_helper_process_probe(&p.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	if (!*p.reason)
		memcpy(p.reason, reason, sizeof(reason));
	uname(&host);
	snprintf(p.engine, sizeof(p.engine), "Linux %.50s", host.release);
	*ret = p;
	return 0;
}

static int check(void *self, const struct mrg_spec *spec, struct mrg_error *err)
{
	(void)self;
	if (spec->ns_mount && *spec->ns_mount)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED,
				     "/linux/namespaces: the chroot backend makes a mount namespace, it cannot join '%s'",
				     spec->ns_mount);
	return 0;
}

/* The host's mounts are let go, so that none is held by a container. That needs a root that can be moved, which an initramfs is not:
 * then the plain system call must do. */
static int change_root(int root, struct mrg_error *err)
{
	if (fchdir(root) < 0)
		return mrg_error_set(err, -errno, "cannot enter the root: %s", strerror(errno));
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return mrg_error_set(err, -errno, "cannot leave the root of the host: %s", strerror(errno));
	} else if (errno != EINVAL || chroot(".") < 0) {
		return mrg_error_set(err, -errno, "cannot change the root: %s", strerror(errno));
	}
	if (chdir("/") < 0)
		return mrg_error_set(err, -errno, "cannot enter the root: %s", strerror(errno));
	return 0;
}

static int set_up_root(const struct mrg_unit *unit, int socket, struct mrg_error *err)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };
	int root = -1, r;

	/* The umask of whoever started us must not decide about mount points. */
	umask(022);
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0)
		return mrg_error_set(err, -errno, "cannot separate the mounts from the host's: %s", strerror(errno));
	r = mrg_helper_root_open(unit->spec, -1, &root, err);
	if (r == 0)
		r = mrg_helper_root_mounts_busy(unit, root, NULL, socket, err);
	if (r == 0)
		r = mrg_helper_root_devices(unit, root, err);
	if (r == 0)
		r = mrg_helper_root_mask(unit, root, err);
	if (r == 0)
		r = change_root(root, err);
	if (root >= 0)
		close(root);
	return r;
}

static int child(void *data, struct mrg_error *err)
{
	struct start *s = data;
	int r;

	/* Were it open here, we would wait for ever for a monitor that is dead. */
	close(s->socket[0]);
	r = set_up_root(s->unit, s->socket[1], err);
	if (r == 0)
		r = mrg_helper_process_stdio(s->io, s->socket[1], err);
	return r == 0 ? mrg_helper_process_execute(s->process, err) : r;
}

/* While the child makes its root. */
static int finish_cgroups(void *data, struct mrg_error *err)
{
	struct start *s = data;
	int r = mrg_helper_cgroup_finish(s->cgroups, &s->entry, err);

	if (r < 0)
		return r;
	r = mrg_helper_fds_send(s->socket[0], s->entry.tasks, s->entry.n_tasks);
	return r < 0 ? mrg_error_set(err, r, "cannot hand the cgroups to the container: %s", strerror(-r)) : 0;
}

static void end(const struct mrg_process *process)
{
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (process->pidfd >= 0)
		close(process->pidfd);
}

static int start_in(struct start *s, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	const struct mrg_spawn want = {
		.flags = CLONE_NEWNS, .cgroup = &s->entry, .child = child, .meanwhile = finish_cgroups, .data = s,
	};
	struct mrg_process process;
	int r = mrg_helper_process_prepare(s->unit, NULL, &s->process, err);

	if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->socket) < 0)
		r = mrg_error_set(err, -errno, "cannot make a socket pair: %s", strerror(errno));
	if (r == 0)
		r = mrg_helper_spawn_busy(&want, &process, err);
	if (r < 0)
		return r;
	if (io->terminal) {
		r = mrg_helper_process_master(s->socket[0], &io->master, err);
		if (r < 0) {
			end(&process);
			return r;
		}
	}
	*ret = process;
	return 0;
}

static int start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct start s = { .unit = unit, .io = io, .entry = MRG_CGROUP_ENTRY_INIT, .socket = { -1, -1 } };
	struct mrg_exit gone;
	int r = mrg_helper_cgroup_begin(unit, &s.cgroups, &s.entry, err);

	if (r < 0)
		return r;
	r = start_in(&s, io, ret, err);
	for (int i = 0; i < 2; i++)
		if (s.socket[i] >= 0)
			close(s.socket[i]);
	mrg_helper_process_free(s.process);
	mrg_helper_cgroups_free(s.cgroups);
	mrg_helper_cgroup_entry_close(&s.entry);
	if (r < 0)
		mrg_helper_cgroup_cleanup(self, unit, &gone, NULL);
	return r;
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "chroot",
	.summary = "chroot in a private mount namespace; not a security boundary",
	.fields = fields,
	.probe = probe,
	.check = check,
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
	.explain = chroot_explain,
};
