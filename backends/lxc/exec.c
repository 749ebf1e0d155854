/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands in a container that runs. Mostly by our own means, which are faster; by those of LXC where only LXC knows the policy: a filter of
 * system calls in a file of its own, or the label of a security module.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "payload.h"

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define PIDFDS_MAX	64
#define DEFAULT_PATH	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- whose policy -------------------------------------------------------------------------------- */

/* Whether @init has filters that we have not, and the spec does not tell of. */
static bool has_unknown_filter(const struct mrg_spec *spec, pid_t init)
{
	uint64_t theirs = 0, ours = 0;

	if (spec->seccomp || (spec->seccomp_profile && strcmp(spec->seccomp_profile, "unconfined") != 0))
		return false;
	if (lxc_read_status(init, "\nSeccomp_filters:", 10, &theirs) == 0)
		return lxc_read_status(getpid(), "\nSeccomp_filters:", 10, &ours) == 0 && theirs > ours;
	/* Before Linux 5.10 there is no count. */
	return lxc_read_status(init, "\nSeccomp:", 10, &theirs) == 0 && theirs == 2;
}

static char *read_label(pid_t pid)
{
	char path[48], *text = NULL;

	snprintf(path, sizeof(path), "/proc/%d/attr/current", (int)pid);
	return fd_read_virtual(AT_FDCWD, path, 4096, &text, NULL) == 0 ? text : NULL;
}

static bool has_other_label(pid_t init)
{
	_cleanup_free_ char *theirs = read_label(init), *ours = read_label(getpid());

	return theirs && *theirs && (!ours || strcmp(theirs, ours) != 0);
}

/* ---- its capabilities ------------------------------------------------------------------------------ */

/* Gives the unit @spec, a copy of its own. A configuration says what LXC takes away, not what there is: what the first process has lost is lost. */
static int limit_caps(struct lxc_running *running, struct mrg_spec *spec, struct mrg_error *err)
{
	static const uint16_t fields[] = {
		MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED,
	};
	uint64_t *const sets[] = { &spec->cap_bounding, &spec->cap_effective, &spec->cap_inheritable, &spec->cap_permitted };
	uint64_t bounding;

	if (lxc_read_status(running->init.pid, "\nCapBnd:", 16, &bounding) < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", running->unit.name);
	*spec = *running->unit.spec;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		/* Inherited is only what the configuration gives. */
		if (!mrg_fields_has(&spec->set, fields[i]))
			*sets[i] = fields[i] == MRG_FIELD_CAP_INHERITABLE ? 0 : UINT64_MAX;
		*sets[i] &= bounding;
		mrg_fields_add(&spec->set, fields[i]);
	}
	spec->cap_ambient &= spec->cap_inheritable;
	running->unit.spec = spec;
	return 0;
}

/* ---- by our own means ----------------------------------------------------------------------------- */

static int enter(struct lxc_running *running, const struct mrg_command *command, struct mrg_stdio *io, struct mrg_process *ret,
		 struct mrg_error *err)
{
	struct mrg_spec spec;
	int r = limit_caps(running, &spec, err);

	return r < 0 ? r : mrg_helper_exec(NULL, &running->unit, command, io, ret, err);
}

/* ---- by LXC's -------------------------------------------------------------------------------------- */

/* Inside the container, under its policy. */
static int execute(void *data)
{
	const struct lxc_payload *payload = data;

	if (lxc_payload_place(payload, NULL) == 0)
		syscall(SYS_execveat, LXC_PAYLOAD_IMAGE_FD, "", payload->args, environ, AT_EMPTY_PATH);
	return 126;
}

/* Those descriptors of ours that hold the process @pid; at most PIDFDS_MAX, and then perhaps not all. */
static size_t pidfds_of(pid_t pid, int ret[PIDFDS_MAX])
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	size_t n = 0;

	while (d && n < PIDFDS_MAX && (entry = readdir(d))) {
		_cleanup_free_ char *text = NULL;
		const char *line;

		if (entry->d_name[0] == '.' || fd_read_virtual(dirfd(d), entry->d_name, 65536, &text, NULL) < 0)
			continue;
		line = strstr(text, "\nPid:\t");
		if (line && strtol(line + 6, NULL, 10) == pid)
			ret[n++] = (int)strtol(entry->d_name, NULL, 10);
	}
	return n;
}

/* LXC 5.0 forgets the one of the first process, with which it enters a time namespace. @n of them were there @before. */
static void close_forgotten(pid_t pid, const int *before, size_t n)
{
	int now[PIDFDS_MAX];
	size_t n_now = n < PIDFDS_MAX ? pidfds_of(pid, now) : 0;

	for (size_t i = 0; i < n_now; i++) {
		size_t k = 0;

		while (k < n && before[k] != now[i])
			k++;
		if (k == n)
			close(now[i]);
	}
}

static int call_attach(const struct mrg_unit *unit, struct lxc_payload *payload, const int fds[3], pid_t *ret, struct mrg_error *err)
{
	_cleanup_engine_ struct lxc_engine engine = { .c = NULL };
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	struct lxc_place place;
	int pidfds[PIDFDS_MAX], r = lxc_place_of(unit, &place, err);
	size_t n_pidfds;
	bool done;

	if (r == 0)
		r = lxc_engine_open(&place, &engine, err);
	if (r < 0)
		return r;
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.initial_cwd = (char *)"/";
	options.stdin_fd = fds[0];
	options.stdout_fd = fds[1];
	options.stderr_fd = fds[2];
	/* moorage-init takes them away, once it has loaded the filter. */
	if (payload->fd[LXC_PAYLOAD_FILTER] >= 0)
		options.attach_flags &= ~LXC_ATTACH_DROP_CAPABILITIES;
	if (unit->spec->no_new_privileges)
		options.attach_flags |= LXC_ATTACH_NO_NEW_PRIVS;
	n_pidfds = pidfds_of(unit->process->pid, pidfds);
	done = engine.c->attach(engine.c, execute, payload, &options, ret) == 0;
	close_forgotten(unit->process->pid, pidfds, n_pidfds);
	return done ? 0 : mrg_error_set(err, -EIO, "LXC cannot start a process in '%s'", unit->name);
}

static int hold(pid_t pid, struct mrg_process *ret, struct mrg_error *err)
{
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret->pidfd < 0)
		return mrg_error_set(err, -errno, "cannot open the new process: %s", strerror(errno));
	if (proc_start_time(pid, &ret->start_time) < 0)
		ret->start_time = 0;
	return 0;
}

static int run(const struct mrg_unit *unit, struct lxc_payload *payload, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int streams[] = { io->in, io->out, io->err }, none[] = { null, null, null };
	pid_t pid;
	int r = call_attach(unit, payload, io->terminal ? none : streams, &pid, err);

	if (r < 0)
		return r;
	r = lxc_payload_await(payload);
	if (r == 0)
		r = lxc_payload_hear(payload, err);
	if (r > 0)
		r = mrg_error_set(err, -EIO, "LXC could not start a process in '%s'", unit->name);
	if (r == 0)
		r = hold(pid, ret, err);
	if (r == 0 && io->terminal)
		r = mrg_helper_process_master(payload->terminal, &io->master, err);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return r;
}

static int attach(struct lxc_running *running, const struct mrg_command *command, struct mrg_stdio *io, struct mrg_process *ret,
		  struct mrg_error *err)
{
	struct lxc_payload payload = LXC_PAYLOAD_INIT;
	struct mrg_spec spec;
	char path[32];
	_cleanup_close_ int root = -1;
	int r = limit_caps(running, &spec, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)running->init.pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", running->unit.name);
	r = lxc_payload_prepare(&(struct lxc_payload_request){ &running->unit, command, root, io->terminal, false }, &payload, err);
	if (r == 0)
		r = run(&running->unit, &payload, io, ret, err);
	lxc_payload_deinit(&payload);
	return r;
}

/* ---- an ordinary user's way ------------------------------------------------------------------------- */

/* With cgroup v2 nobody but root takes a process out of what belongs to root, such as the session of a login: a child tries it. */
static int check_way(const struct lxc_running *running, struct mrg_error *err)
{
	struct mrg_cgroup_entry entry = MRG_CGROUP_ENTRY_INIT;
	int r = mrg_helper_cgroup_open(&running->unit, &entry, err), status = 0;
	pid_t pid;

	if (r < 0)
		return r;
	pid = entry.unified < 0 ? -1 : fork();
	if (pid == 0) {
		int fd = openat(entry.unified, "cgroup.procs", O_WRONLY | O_CLOEXEC);

		_exit(fd >= 0 && write(fd, "0", 1) == 1 ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	mrg_helper_cgroup_entry_close(&entry);
	if (status == 0)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "'%s' has a cgroup that you may not enter from the one that you are in", running->unit.name);
	return mrg_error_hint(err, "systemd-run --user --scope moorage exec ..."), -MRG_E_PERMISSION;
}

/* ---- the verb --------------------------------------------------------------------------------------- */

/* LXC gives its containers no PATH, and lxc-attach its caller's. */
static int add_path(const struct mrg_command *command, char ***ret)
{
	int r = strv_append(ret, DEFAULT_PATH);

	for (char **variable = command->env; r == 0 && *variable; variable++) {
		if (strncmp(*variable, "PATH=", 5) == 0) {
			*ret = strv_free(*ret);
			return 0;
		}
		r = strv_append(ret, *variable);
	}
	return r;
}

int lxc_exec(void *self _unused_, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
	     struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	_cleanup_(strv_freep) char **env = NULL;
	struct mrg_command with_path = *command;
	int r = lxc_running_open(unit, &running, err);

	if (r == 0 && add_path(command, &env) < 0)
		r = fail_memory(err);
	if (r == 0 && lxc_is_user() && running.unit.cgroup)
		r = check_way(&running, err);
	if (r < 0)
		return r;
	if (env)
		with_path.env = env;
	if (has_unknown_filter(unit->spec, running.init.pid) || has_other_label(running.init.pid))
		return attach(&running, &with_path, io, ret, err);
	return enter(&running, &with_path, io, ret, err);
}
