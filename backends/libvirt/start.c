/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting: the definition as it is for what libvirt's tools made; for ours a copy of it, for one life, whose first process is moorage-init. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define INIT_INSIDE	"/dev/.moorage-init"	/* on the container's own tmpfs: nothing appears in the root */
#define SYSTEM_INIT	"/sbin/init"
#define EXEC_MS		20000		/* from the end of the daemon's work to the exec of the command */
#define WRAP_MAX	10

struct startup {
	struct libvirt *self;
	struct libvirt_life *life;
	const struct mrg_unit *unit;
	struct mrg_stdio *io;
	int lock;			/* libvirt_hold() */
	int channel[2];			/* to moorage-init; the other end is its descriptor 3 */
	struct mrg_process process;
};

/* ---- the copy ---------------------------------------------------------------------------------- */

/* A terminal that libvirt makes is what an init system takes for its console. */
static bool uses_console(const struct startup *s)
{
	return s->io->terminal && s->unit->spec->boot;
}

/* @size: room for the size of a terminal. */
static size_t add_options(const struct startup *s, const char **args, char size[32])
{
	const struct mrg_spec *spec = s->unit->spec;
	size_t n = 0;

	args[n++] = INIT_INSIDE;
	args[n++] = "--wait";
	args[n++] = libvirt_has_init(s->unit) ? "--status" : "--exec";
	if (!s->io->terminal)
		args[n++] = "--stdio";
	else if (!uses_console(s))
		args[n++] = "--terminal";
	if (s->io->terminal && !uses_console(s) && spec->console_height && spec->console_width) {
		snprintf(size, 32, "%u:%u", spec->console_height, spec->console_width);
		args[n++] = "--size";
		args[n++] = size;
	}
	args[n++] = "--";
	return n;
}

static int wrap_command(const struct startup *s, struct mrg_spec *spec, struct mrg_error *err)
{
	const char *options[WRAP_MAX], *boot[] = { SYSTEM_INIT, NULL };
	char *const *command = spec->args && spec->args[0] ? spec->args : (char *const *)boot;
	char size[32], **args;
	size_t n = add_options(s, options, size), length = 0;

	while (command[length])
		length++;
	args = mrg_spec_alloc(spec, (n + length + 1) * sizeof(*args));
	if (!args)
		return fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		args[i] = mrg_spec_strdup(spec, options[i]);
		if (!args[i])
			return fail_memory(err);
	}
	memcpy(args + n, command, length * sizeof(*args));
	spec->args = args;
	mrg_fields_add(&spec->set, MRG_FIELD_ARGS);
	return 0;
}

static int mount_init(struct mrg_spec *spec, struct mrg_error *err)
{
	char path[PATH_MAX];
	const char *options[] = { "bind", "ro", NULL };
	struct mrg_mount mount = { .destination = INIT_INSIDE, .type = "bind", .source = path, .options = (char **)options };
	int r = mrg_helper_init_path(path, sizeof(path), err);

	return r < 0 ? r : mrg_spec_add_mount(spec, &mount, err);
}

static int write_copy(const struct startup *s, char **ret, struct mrg_error *err)
{
	struct mrg_spec *spec = NULL;
	int r = mrg_spec_copy(s->unit->spec, &spec, err);

	if (r == 0)
		r = mount_init(spec, err);
	if (r == 0)
		r = wrap_command(s, spec, err);
	if (r == 0)
		r = libvirt_write(s->unit, spec, ret, err);
	mrg_spec_free(spec);
	return r;
}

struct writing {
	const struct startup *s;
	int file;
};

static int write_apart(void *data, struct mrg_error *err)
{
	const struct writing *w = data;
	_cleanup_free_ char *xml = NULL;
	int r = write_copy(w->s, &xml, err);

	if (r == 0 && fd_write_all(w->file, xml, strlen(xml)) < 0)
		r = mrg_error_set(err, -EIO, "cannot hand over the definition");
	if (r < 0)
		return r;
	_exit(EXIT_SUCCESS);
}

/* Runs @child to its end; one that was killed has not done what it is for, such as hiding paths. */
static int run_child(int (*child)(void *data, struct mrg_error *err), void *data, struct mrg_error *err)
{
	struct mrg_process process;
	int r = mrg_helper_spawn(0, NULL, child, NULL, data, &process, err), status = 0;

	if (r < 0)
		return r;
	while (waitpid(process.pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_close(process.pidfd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return 0;
	return mrg_error_set(err, -EIO, "a process that prepares the start was killed");
}

static int take_text(int file, char **ret, struct mrg_error *err)
{
	off_t size = lseek(file, 0, SEEK_END);
	_cleanup_free_ char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (!text)
		return fail_memory(err);
	if (pread(file, text, (size_t)size, 0) != size)
		return fail_errno(err, -errno, "cannot take over the definition");
	*ret = take_ptr(text);
	return 0;
}

/* By a child, so that the library it takes is in the monitor's memory no longer than it is needed. */
static int make_copy(const struct startup *s, char **ret, struct mrg_error *err)
{
	_cleanup_close_ int file = memfd_create("moorage-definition", MFD_CLOEXEC);
	int r;

	if (file < 0)
		return fail_errno(err, -errno, "cannot make memory for the definition");
	r = run_child(write_apart, &(struct writing){ .s = s, .file = file }, err);
	if (r < 0)
		return r;
	return take_text(file, ret, err);
}

/* ---- moorage-init speaks ------------------------------------------------------------------------ */

static int wait_for_init(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, EXEC_MS);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : -errno;
}

/* Its last word: nothing, when the command was executed. */
static int hear_verdict(const struct startup *s, struct mrg_error *err)
{
	struct mrg_error report = { 0 };
	ssize_t n = wait_for_init(s->channel[0]);

	if (n == 0)
		n = recv(s->channel[0], &report, sizeof(report), MSG_DONTWAIT);
	if (n < 0)
		return mrg_error_set(err, -MRG_E_TIMEOUT, "the first process of '%s' does not execute its command", s->unit->name);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report) || report.code >= 0)
		return mrg_error_set(err, -EPROTO, "the first process of '%s' does not speak as moorage-init does", s->unit->name);
	report.message[sizeof(report.message) - 1] = '\0';
	if (err)
		*err = report;
	return report.code;
}

/* The master of the terminal comes first; a message of the size of an error is one. */
static int take_terminal(struct startup *s, struct mrg_error *err)
{
	struct mrg_error peeked;

	if (wait_for_init(s->channel[0]) < 0 ||
	    recv(s->channel[0], &peeked, sizeof(peeked), MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(peeked))
		return hear_verdict(s, err);
	return mrg_helper_process_master(s->channel[0], &s->io->master, err);
}

static int let_go(const struct startup *s)
{
	return send(s->channel[0], "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* ---- the start ------------------------------------------------------------------------------------ */

/* The descriptors of moorage-init, all of them but the last: libvirt passes them on as a row from 3. One socket is three: the way of errors, of
 * the terminal, and of the word to go on. */
static int create(struct startup *s, const char *xml, struct mrg_error *err)
{
	_cleanup_close_ int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = {
		[0] = s->channel[1],
		[MRG_INIT_STATUS_FD - MRG_INIT_ERROR_FD] = s->life->status,
		[MRG_INIT_STDIO_FD - MRG_INIT_ERROR_FD] = s->io->terminal ? s->channel[1] : s->io->in,
		[MRG_INIT_STDIO_FD + 1 - MRG_INIT_ERROR_FD] = s->io->terminal ? nothing : s->io->out,
		[MRG_INIT_STDIO_FD + 2 - MRG_INIT_ERROR_FD] = s->io->terminal ? nothing : s->io->err,
		[MRG_INIT_ENVIRONMENT_FD - MRG_INIT_ERROR_FD] = nothing,
		[MRG_INIT_WAIT_FD - MRG_INIT_ERROR_FD] = s->channel[1],
		[MRG_INIT_WAIT_FD + 1 - MRG_INIT_ERROR_FD] = s->lock,
	};
	struct agent_call call = { .op = AGENT_CREATE, .text = xml, .fds = fds, .n_fds = ARRAY_SIZE(fds) };
	int r = libvirt_ask(s->self, s->unit->path, &call, NULL, NULL, err);

	/* Now the end of the other one is the end of moorage-init, or its exec. */
	s->channel[1] = fd_close(s->channel[1]);
	return r;
}

/* It waits for our word, so it is there to be seen. */
static int look_at_init(struct startup *s, struct mrg_error *err)
{
	if (!libvirt_find_init(s->unit->name, &s->process)) {
		int r = hear_verdict(s, err);

		return r < 0 ? r : mrg_error_set(err, -EIO, "the first process of '%s' ended too early", s->unit->name);
	}
	return mrg_helper_cgroup_of(s->process.pid, s->life->cgroup, sizeof(s->life->cgroup), err);
}

/* Nobody but the kernel tells the end of what runs without moorage-init. */
static void hear_end(struct startup *s)
{
	if (!libvirt_has_init(s->unit) && libvirt_exits_needed())
		s->life->exits = libvirt_exits_open(s->process.pid);
}

/* For an init system. Where no service manager makes cgroups libvirt leaves out name=systemd and pids, and so does not give them to root of the container. */
static int complete_cgroup(const struct startup *s, struct mrg_error *err)
{
	struct mrg_unit inside = *s->unit;
	uid_t uid;
	gid_t gid;
	int r;

	if (!s->unit->spec->boot)
		return 0;
	inside.process = &s->process;
	inside.cgroup = s->life->cgroup;
	r = mrg_helper_cgroup_complete(&inside, err);
	if (r == 0)
		r = libvirt_mapped_root(s->unit->spec, &uid, &gid, err);
	return r > 0 ? mrg_helper_cgroup_delegate(&inside, uid, gid, err) : r;
}

/* ---- the host name ------------------------------------------------------------------------------ */

static int set_host_name(void *data, struct mrg_error *err)
{
	const struct startup *s = data;
	const char *name = s->unit->spec->hostname;

	if (setns(s->process.pidfd, CLONE_NEWUTS) < 0 || sethostname(name, strlen(name)) < 0)
		return mrg_error_set(err, -errno, "cannot set the host name '%s': %s", name, strerror(errno));
	_exit(EXIT_SUCCESS);
}

/* libvirt makes one of the letters, digits and '-' of the domain's name. */
static bool is_made(const char *host, const char *name)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	for (; *name; name++)
		if (strchr(kept, *name) && *host++ != *name)
			return false;
	return *host == '\0';
}

/* Any other is set by a child that enters the namespace. */
static int name_host(struct startup *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;

	if (!spec->hostname || (spec->ns_uts && *spec->ns_uts) || is_made(spec->hostname, s->unit->name))
		return 0;
	return run_child(set_host_name, s, err);
}

/* ---- paths of the kernel's ------------------------------------------------------------------------ */

static int cover_paths(void *data, struct mrg_error *err)
{
	const struct startup *s = data;
	int root, r;

	if (setns(s->process.pidfd, CLONE_NEWNS) < 0)
		return mrg_error_set(err, -errno, "cannot enter the mounts of the container: %s", strerror(errno));
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? mrg_error_set(err, -errno, "cannot open the root of the container: %s", strerror(errno)) : mrg_helper_root_mask(s->unit, root, err);
	if (r < 0)
		return r;
	_exit(EXIT_SUCCESS);
}

/* libvirt hides nothing of /proc, and its containers have not the right to do so themselves: a child that enters their mounts does. */
static int hide_paths(struct startup *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;

	return spec->masked_paths || spec->readonly_paths ? run_child(cover_paths, s, err) : 0;
}

static int start_copy(struct startup *s, const char *xml, struct mrg_error *err)
{
	int r = create(s, xml, err);

	if (r == 0)
		r = look_at_init(s, err);
	if (r == 0)
		r = complete_cgroup(s, err);
	if (r == 0)
		hear_end(s);
	if (r == 0 && uses_console(s))
		r = libvirt_console(s->self, s->unit, &s->io->master, err);
	if (r == 0)
		r = name_host(s, err);
	if (r == 0)
		r = hide_paths(s, err);
	if (r == 0 && let_go(s) < 0)
		r = mrg_error_set(err, -EIO, "the first process of '%s' ended too early", s->unit->name);
	if (r == 0 && s->io->terminal && !uses_console(s))
		r = take_terminal(s, err);
	return r < 0 ? r : hear_verdict(s, err);
}

/* Whatever became of it, libvirt is to have no trace of this life. */
static void undo(struct startup *s)
{
	struct mrg_exit ignored;

	libvirt_kill(s->self, s->unit, SIGKILL, 1, NULL);
	libvirt_cleanup(s->self, s->unit, &ignored, NULL);
	s->process.pidfd = fd_close(s->process.pidfd);
	if (s->io->terminal)
		s->io->master = fd_close(s->io->master);
}

static int start_ours(struct startup *s, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;
	int r = libvirt_check_users(s->unit->spec, err);

	if (r < 0)
		return r;
	libvirt_call(s->self, s->unit->path);
	r = libvirt_hold(s->unit, &s->lock, err);
	if (r == 0 && !libvirt_is_defined(s->unit->name))
		r = libvirt_define(s->self, s->unit, s->lock, err);
	if (r == 0)
		r = make_copy(s, &xml, err);
	if (r == 0)
		r = mrg_helper_status_new(&s->life->status, err);
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->channel) < 0)
		r = fail_errno(err, -errno, "cannot make a socket");
	if (r < 0)
		return r;
	r = start_copy(s, xml, err);
	if (r < 0)
		undo(s);
	fd_close(s->channel[0]);
	fd_close(s->channel[1]);
	return r;
}

/* What it writes goes to the console that libvirt made: somebody looks at it there. */
static int start_adopted(struct startup *s, struct mrg_error *err)
{
	int r = libvirt_ask(s->self, s->unit->path, &(struct agent_call){ .op = AGENT_START, .name = s->unit->name }, NULL, NULL, err);

	if (r < 0)
		return r;
	if (libvirt_find_init(s->unit->name, &s->process))
		r = mrg_helper_cgroup_of(s->process.pid, s->life->cgroup, sizeof(s->life->cgroup), err);
	if (r == 0)
		hear_end(s);
	if (r == 0 && s->io->terminal)
		r = libvirt_console(s->self, s->unit, &s->io->master, err);
	if (r < 0)
		undo(s);
	return r;
}

static int clear_leftovers(struct libvirt *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	struct libvirt_note note;
	struct mrg_process process;
	struct mrg_exit ignored;

	if (!libvirt_read_note(unit->name, &note))
		return 0;
	if (libvirt_find_init(unit->name, &process)) {
		close(process.pidfd);
		return mrg_error_set(err, -MRG_E_STATE, "'%s' runs already", unit->name);
	}
	return libvirt_cleanup(self, unit, &ignored, err);
}

int libvirt_start(void *data, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct startup s = { .self = data, .unit = unit, .io = io, .lock = -1, .channel = { -1, -1 }, .process.pidfd = -1 };
	int r = clear_leftovers(s.self, unit, err);

	if (r < 0)
		return r;
	s.life = libvirt_life_new(s.self, unit);
	if (!s.life)
		return fail_memory(err);
	r = unit->adopted ? start_adopted(&s, err) : start_ours(&s, err);
	fd_close(s.lock);
	/* A monitor has no more use for it until the end, and then perhaps. */
	libvirt_let_go(s.self);
	if (r == 0)
		*ret = s.process;
	return r;
}
