/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting: nspawn becomes a child of the monitor, in cgroups of ours, and hands our descriptors on to moorage-init. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define LOG_MAX		(64 << 10)	/* of what nspawn says, as far as we read it */
#define HANDED_OVER	(NSPAWN_IMAGE_FD + 1)	/* descriptors from 0 on */

/* One start on its way. */
struct start {
	const struct mrg_unit *unit;
	struct mrg_stdio *io;
	struct mrg_spec *share;		/* of the spec, what nspawn does itself; NULL: what others made is as it has it */
	struct nspawn_payload payload;
	struct nspawn_cover cover;
	char **argv;
	int null, log;			/* /dev/null; memory that takes what nspawn says */
	int notify;
	char address[NSPAWN_ADDRESS_SIZE];
	int slave;			/* of a terminal on the host, for who runs without moorage-init; -1: none */
};

static void start_deinit(struct start *s)
{
	mrg_spec_free(s->share);
	nspawn_payload_deinit(&s->payload);
	fd_close(s->cover.file);
	strv_free(s->argv);
	fd_close(s->null);
	fd_close(s->log);
	fd_close(s->notify);
	fd_close(s->slave);
}

/* ---- before ---------------------------------------------------------------------------------- */

/* nspawn passes on what is typed and printed there. */
static int open_terminal(struct start *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	struct winsize size = { .ws_row = (unsigned short)spec->console_height, .ws_col = (unsigned short)spec->console_width };
	_cleanup_close_ int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || unlockpt(master) < 0)
		return fail_errno(err, -errno, "cannot make a terminal");
	s->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->slave < 0 || (size.ws_row && size.ws_col && ioctl(s->slave, TIOCSWINSZ, &size) < 0))
		return fail_errno(err, -errno, "cannot open a terminal");
	s->io->master = take_fd(&master);
	return 0;
}

static const char *console_of(const struct start *s)
{
	const struct mrg_spec *spec = s->unit->spec;

	/* moorage-init has streams of its own, a shell the ones nspawn got; a system that boots wants a console to write to. */
	if (!spec->boot && (s->payload.args || !s->io->terminal))
		return "pipe";
	return s->io->terminal ? "interactive" : "read-only";
}

static int prepare(struct start *s, struct mrg_error *err)
{
	int r = nspawn_payload_prepare(s->unit, s->io, &s->payload, err);

	if (r == 0 && s->io->terminal && (s->unit->spec->boot || !s->payload.args))
		r = open_terminal(s, err);
	if (r == 0 && !s->unit->adopted)
		r = nspawn_share(s->unit->spec, &s->share, err);
	if (r == 0 && s->payload.args)
		r = nspawn_cover_prepare(s->unit, s->share, &s->cover, err);
	if (r == 0)
		r = nspawn_command(s->unit, s->share, console_of(s), s->payload.args, &s->argv, err);
	if (r == 0)
		r = nspawn_notify_open(s->address, &s->notify, err);
	if (r < 0)
		return r;
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	s->log = memfd_create("systemd-nspawn", MFD_CLOEXEC);
	return s->null < 0 || s->log < 0 ? fail_errno(err, -errno, "cannot prepare the streams of systemd-nspawn") : 0;
}

/* ---- in the child ---------------------------------------------------------------------------- */

/* What becomes descriptor @i: first nspawn's own three, then those for moorage-init. */
static int source_of(const struct start *s, int i)
{
	const struct nspawn_payload *p = &s->payload;
	bool own = p->args && !s->unit->spec->boot, terminal = s->slave >= 0;
	const int fds[HANDED_OVER] = {
		own ? s->null : terminal ? s->slave : s->io->in,
		own ? s->log : terminal ? s->slave : s->io->out,
		/* A shell has a standard error of its own, a console has not. */
		own || terminal || s->unit->spec->boot ? s->log : s->io->err,
		p->error[1], p->status, s->io->terminal ? p->socket[1] : s->io->in, s->io->out, s->io->err, p->environment, p->wait[0],
		p->filter, -1, p->image,
	};

	return fds[i] < 0 ? s->null : fds[i];
}

static int hand_over(const struct start *s, struct mrg_error *err)
{
	int n = s->payload.args ? HANDED_OVER : 3, copy[HANDED_OVER], r = 0;

	/* First away from the numbers that are given out now. */
	for (int i = 0; i < n && r == 0; i++) {
		copy[i] = fcntl(source_of(s, i), F_DUPFD_CLOEXEC, HANDED_OVER);
		r = copy[i] < 0 ? -errno : 0;
	}
	for (int i = 0; i < n && r == 0; i++)
		r = dup2(copy[i], i) < 0 ? -errno : 0;
	if (r == 0 && syscall(SYS_close_range, (unsigned int)n, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot hand over the descriptors") : 0;
}

/* The filter of our own is loaded by moorage-init: nspawn's says less, and takes longer to make than all else. */
static bool keeps_filter(const struct mrg_spec *spec)
{
	return spec->native_json && (strstr(spec->native_json, "\"SystemCallFilter\"") || strstr(spec->native_json, "\"SuppressSync\""));
}

/* For a container of our own. In a root without systemd nspawn would show it version 1 of the control groups, even where the host has none of it. */
static void add_choices(const struct start *s, char **env)
{
	size_t n = strv_length(env);

	if (!keeps_filter(s->share))
		env[n++] = (char *)"SYSTEMD_SECCOMP=0";
	if (!s->unit->spec->boot && nspawn_is_unified())
		env[n] = (char *)"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1";
}

static int child(void *data, struct mrg_error *err)
{
	struct start *s = data;
	char notify[64], fds[32], pid[32];
	char *env[7] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", notify, s->payload.args ? fds : NULL, pid,
	};
	int r = s->cover.file >= 0 ? nspawn_cover_mount(&s->cover, err) : 0;

	if (r == 0)
		r = hand_over(s, err);
	if (r < 0)
		return r;
	snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", s->address);
	snprintf(fds, sizeof(fds), "LISTEN_FDS=%d", HANDED_OVER - 3);
	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", (int)getpid());
	if (s->share)
		add_choices(s, env);
	umask(022);
	if (setsid() < 0 || (s->slave >= 0 && ioctl(0, TIOCSCTTY, 0) < 0))
		return fail_errno(err, -errno, "cannot start a session");
	/* The container outlives its monitor from here on; this survives execve(2) unless it is cleared. */
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	execve(s->argv[0], s->argv, env);
	return fail_errno(err, errno == ENOENT ? -MRG_E_NO_ENGINE : -errno, "cannot execute '%s'", s->argv[0]);
}

/* ---- after ----------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int code;			/* 0: says nothing of why */
} known[] = {
	{ "Attempted to remove disk file system", 0 },
	{ " is currently busy", -MRG_E_BUSY },
};

/* What nspawn says first is the cause, the rest follows from it. */
static int explain(struct start *s, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *line, *first = NULL, *save;
	int code = -EIO;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->log);
	if (fd_read_virtual(AT_FDCWD, path, LOG_MAX, &text, NULL) < 0)
		return mrg_error_set(err, -EIO, "systemd-nspawn did not start the container");
	for (line = strtok_r(text, "\r\n", &save); line && !first; line = strtok_r(NULL, "\r\n", &save)) {
		first = line;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strstr(line, known[i].text)) {
				first = known[i].code ? line : NULL;
				code = known[i].code ? known[i].code : code;
			}
	}
	return first ? mrg_error_set(err, code, "systemd-nspawn did not start the container: %s", first) :
	       mrg_error_set(err, code, "systemd-nspawn ended without starting the container");
}

static void end(struct mrg_process *process)
{
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	process->pidfd = fd_close(process->pidfd);
}

static bool is_limit(unsigned int field)
{
	return field >= MRG_FIELD_DEVICE_RULES && field <= MRG_FIELD_UNIFIED;
}

/* What no property of a unit says is written into the cgroups of the scope; the payload waits for it. */
static int limit_scope(const struct start *s, const struct mrg_process *process, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	struct mrg_unit unit = *s->unit;
	struct mrg_spec limits = *unit.spec;
	bool any = false;
	int r;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (!is_limit(field))
			mrg_fields_remove(&limits.set, field);
		else
			any |= mrg_fields_has(&limits.set, field);
	if (!any || !nspawn_is_managed())
		return 0;
	unit.process = process;
	r = nspawn_machine_open(&unit, &m, err);
	if (r == 0)
		r = mrg_error_set(err, -EIO, "the container has ended while it was being started");
	return r < 0 ? r : mrg_helper_cgroup_update(NULL, &m.unit, &limits, err);
}

/* What is done to the container while its first process waits. */
static int set_up(struct start *s, const struct mrg_process *process, pid_t leader, struct mrg_error *err)
{
	int r = s->unit->adopted ? 0 : nspawn_furnish(s->unit, leader, err);

	if (r == 0)
		r = limit_scope(s, process, err);
	if (r == 0 && s->payload.args)
		r = nspawn_payload_release(&s->payload, err);
	return r;
}

/* The payload waits for us, or nspawn starts it by itself. */
static int await(struct start *s, struct mrg_process *process, struct mrg_error *err)
{
	pid_t leader;
	int r = nspawn_notify_wait(s->notify, process->pidfd, &leader);

	if (r == 0)
		return explain(s, err);
	if (r < 0)
		return fail_errno(err, r, "cannot wait for systemd-nspawn");
	r = set_up(s, process, leader, err);
	if (r == 0 && s->io->terminal && s->slave < 0)
		r = mrg_helper_process_master(s->payload.socket[0], &s->io->master, err);
	return r;
}

static int start_in(struct start *s, const struct mrg_cgroup_entry *entry, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = prepare(s, err);

	if (r == 0)
		r = mrg_helper_spawn(s->cover.file >= 0 ? CLONE_NEWNS : 0, entry, child, NULL, s, &process, err);
	if (r < 0)
		return r;
	r = await(s, &process, err);
	if (r < 0) {
		end(&process);
		return r;
	}
	*ret = process;
	return 0;
}

/* nspawn makes its cgroup in name=systemd itself, and leaves what is above it. */
static int make_cgroups(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	int r = mrg_fields_has(&unit->spec->set, MRG_FIELD_CGROUPS_PATH) ? mrg_helper_cgroup_parents(unit, err) : 0;

	return r < 0 ? r : mrg_helper_cgroup_create(unit, ret, err);
}

/* Where systemd manages the host, it moves the payload into a scope, to which the limits belong. One without any is for nspawn, which could not be found should we
 * be killed before it is registered. */
static int make_shelter(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err)
{
	struct mrg_spec spec = *unit->spec;
	struct mrg_unit shelter = *unit;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (is_limit(field))
			mrg_fields_remove(&spec.set, field);
	shelter.spec = &spec;
	return mrg_helper_cgroup_shelter(&shelter, ret, err);
}

static int start_with(struct start *s, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_cgroup_entry entry = MRG_CGROUP_ENTRY_INIT;
	int r = nspawn_is_managed() ? make_shelter(s->unit, &entry, err) : make_cgroups(s->unit, &entry, err);

	if (r < 0)
		return r;
	r = start_in(s, &entry, ret, err);
	mrg_helper_cgroup_entry_close(&entry);
	return r;
}

/* nspawn says that it is ready before it looks for an init. Images it has to open itself. */
static int check_init(const struct mrg_spec *spec, struct mrg_error *err)
{
	struct stat st;
	const char *init;

	if (!spec->boot || stat(spec->root_path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return nspawn_find_init(spec->root_path, &init, err);
}

int nspawn_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct start s = {
		.unit = unit, .io = io, .payload = NSPAWN_PAYLOAD_INIT, .cover.file = -1, .null = -1, .log = -1, .notify = -1, .slave = -1,
	};
	struct nspawn_self *kept = self;
	struct mrg_exit gone;
	int r = check_init(unit->spec, err);

	if (r < 0)
		return r;
	if (nspawn_is_started_by_unit(unit))
		return nspawn_unit_start(unit, ret, err);
	nspawn_tidy(unit);
	nspawn_end_stale_machine(unit);
	r = start_with(&s, ret, err);
	if (r == 0 && unit->spec->init) {
		fd_close(kept->status);
		kept->status = take_fd(&s.payload.status);
	}
	if (r < 0 && s.slave >= 0)
		io->master = fd_close(io->master);
	start_deinit(&s);
	if (r < 0)
		nspawn_cleanup(self, unit, &gone, NULL);
	return r;
}
