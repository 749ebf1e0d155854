/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs in a domain: helpers do the work on the cgroup that libvirt has made. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define PTS_FIRST	136		/* majors of pts devices, devices.txt of Linux */
#define PTS_LAST	143
#define SIGNAL_HALT	(SIGRTMIN + 3)

static int not_running(const struct mrg_unit *unit, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' is not running", unit->name);
}

int libvirt_inside(const struct mrg_unit *unit, struct libvirt_inside *ret, struct mrg_error *err)
{
	int r;

	ret->unit = *unit;
	ret->pidfd = -1;
	if (unit->process && unit->process->pidfd >= 0) {
		ret->process = *unit->process;
	} else {
		if (!libvirt_find_init(unit->name, &ret->process))
			return not_running(unit, err);
		ret->pidfd = ret->process.pidfd;
	}
	r = mrg_helper_cgroup_of(ret->process.pid, ret->cgroup, sizeof(ret->cgroup), err);
	if (r == -MRG_E_NOT_RUNNING)
		return not_running(unit, err);
	if (r < 0)
		return r;
	ret->unit.process = &ret->process;
	ret->unit.cgroup = ret->cgroup;
	return 0;
}

void libvirt_leave(struct libvirt_inside *inside)
{
	fd_close(inside->pidfd);
}

int libvirt_process(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	(void)self;
	(void)err;
	return libvirt_find_init(unit->name, ret);
}

int libvirt_state(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	if (r == 0)
		return mrg_helper_cgroup_state(self, &inside.unit, err);
	if (r != -MRG_E_NOT_RUNNING)
		return r;
	return libvirt_knows(unit->name) || libvirt_has_cgroups(unit) ? MRG_STATE_CREATED : MRG_STATE_ABSENT;
}

/* ---- signals ------------------------------------------------------------------------------ */

/* The depth of pid namespaces that the process is in; 0: it is not there any more. */
static int depth_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *at;
	int depth = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return 0;
	at = strstr(text, "\nNSpid:");
	for (at = at ? at + 1 : NULL; at && *at != '\n' && *at; at++)
		depth += *at == '\t';
	return depth;
}

struct walk {
	int depth;			/* of the container */
	int signo;
	int sent;
	int (*found)(pid_t pid, void *data);
	void *data;
};

/* libvirt keeps its own processes in the container's cgroup: what is not in the container's pid namespace is not the container's. */
static int visit(pid_t pid, void *data)
{
	struct walk *w = data;

	return depth_of(pid) >= w->depth ? w->found(pid, w->data) : 0;
}

static int walk_inside(const struct libvirt_inside *inside, struct walk *w, struct mrg_error *err)
{
	w->depth = depth_of(inside->process.pid);
	if (w->depth == 0)
		return not_running(&inside->unit, err);
	return mrg_helper_cgroup_processes(NULL, &inside->unit, visit, w, err);
}

int libvirt_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
		      struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	struct walk w = { .found = found, .data = data };
	int r = libvirt_inside(unit, &inside, err);

	(void)self;
	return r < 0 ? r : walk_inside(&inside, &w, err);
}

static int send_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

static int signal_one(pid_t pid, void *data)
{
	struct walk *w = data;
	uint64_t start_time;
	int fd = proc_start_time(pid, &start_time) < 0 ? -1 : proc_open(pid, start_time);

	if (fd >= 0 && send_signal(fd, w->signo) == 0)
		w->sent++;
	fd_close(fd);
	return 0;
}

/* With its first process the kernel ends all of a pid namespace at once. One that is frozen dies when it is thawed: by libvirt if it can be, which
 * else takes it for suspended still when it ends, and has another way for those that does not always succeed. */
static int kill_all(void *self, const struct libvirt_inside *inside)
{
	int r = send_signal(inside->process.pidfd, SIGKILL);

	if (r == 0)
		libvirt_resume(self, &inside->unit, NULL);
	return r;
}

static int signal_all(const struct libvirt_inside *inside, int signo, struct mrg_error *err)
{
	struct walk w = { .found = signal_one, .signo = signo };
	int r;

	w.data = &w;
	r = walk_inside(inside, &w, err);
	return r < 0 ? r : w.sent > 0 ? 0 : -ESRCH;
}

int libvirt_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	if (r < 0)
		return r;
	if (!all)
		r = send_signal(inside.process.pidfd, signo);
	else
		r = signo == SIGKILL ? kill_all(self, &inside) : signal_all(&inside, signo, err);
	if (r == -ESRCH)
		return not_running(unit, err);
	return r < 0 ? fail_errno(err, r, "cannot send signal %d to '%s'", signo, unit->name) : 0;
}

/* systemd blocks the signal by which it is asked to halt and reads it from a descriptor; SIGTERM makes it execute itself anew. */
static bool is_systemd(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	uint64_t blocked;
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return false;
	at = strstr(text, "\nSigBlk:\t");
	blocked = at ? strtoull(at + strlen("\nSigBlk:\t"), NULL, 16) : 0;
	return blocked & UINT64_C(1) << (SIGNAL_HALT - 1);
}

/* What virsh made says nothing of a signal, and virsh shutdown succeeds when nothing has happened. */
int libvirt_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int signo = unit->spec->stop_signal ? parse_signal(unit->spec->stop_signal) : 0;
	int r = libvirt_inside(unit, &inside, err);

	if (r < 0)
		return r;
	if (signo <= 0)
		signo = unit->adopted && is_systemd(inside.process.pid) ? SIGNAL_HALT : SIGTERM;
	return libvirt_kill(self, &inside.unit, signo, 0, err);
}

/* ---- the others ----------------------------------------------------------------------------- */

int libvirt_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
		 struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	return r < 0 ? r : mrg_helper_exec(self, &inside.unit, command, io, ret, err);
}

int libvirt_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	return r < 0 ? r : mrg_helper_cgroup_stats(self, &inside.unit, ret, err);
}

int libvirt_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	return r < 0 ? r : mrg_helper_cgroup_update(self, &inside.unit, changes, err);
}

/* Through libvirt, which notes it: virsh shows the same. It cannot with cgroup v2 (libvirt 9), and takes one for running that others have
 * frozen; then by the cgroup. */
static int freeze(void *self, const struct mrg_unit *unit, bool pause, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside;
	int r = libvirt_inside(unit, &inside, err);

	if (r < 0)
		return r;
	if (mrg_helper_cgroup_state(NULL, &inside.unit, NULL) == (pause ? MRG_STATE_PAUSED : MRG_STATE_RUNNING))
		return 1;
	if (libvirt_ask(self, unit->path, &(struct agent_call){ .op = pause ? AGENT_SUSPEND : AGENT_RESUME, .name = unit->name }, NULL, NULL, NULL) < 0)
		r = pause ? mrg_helper_cgroup_pause(NULL, &inside.unit, err) : mrg_helper_cgroup_resume(NULL, &inside.unit, err);
	return r < 0 ? r : 0;
}

int libvirt_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	return freeze(self, unit, true, err);
}

int libvirt_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	return freeze(self, unit, false, err);
}

/* libvirt's controller passes on what is written to a terminal of the host that it has made for the purpose. */
int libvirt_console(void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	struct libvirt_note note;
	struct stat st;

	(void)self;
	if (!libvirt_read_note(unit->name, &note))
		return not_running(unit, err);
	if (!note.console[0])
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the domain '%s' has no console", unit->name);
	fd = open(note.console, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, -errno, "cannot open the console '%s' of '%s'", note.console, unit->name);
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) < PTS_FIRST || major(st.st_rdev) > PTS_LAST)
		return mrg_error_set(err, -EIO, "the console '%s' of '%s' is no terminal", note.console, unit->name);
	*ret_fd = take_fd(&fd);
	return 0;
}
