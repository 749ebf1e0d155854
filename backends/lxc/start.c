/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting: a child of the monitor becomes LXC's monitor of the container, in the foreground, so that the container's streams are ours
 * and its end is the child's end.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "start.h"

#include "core/util/fd.h"
#include "core/util/path.h"

#define ABOVE		64		/* descriptors from here on are in nobody's way */
#define LOOK_MS		1
#define END_MS		10000

/* ---- in the child: the start ------------------------------------------------------------------ */

/* What LXC says of its failures goes into a file of the container's directory, which is begun anew. */
static int open_log(struct lxc_start *s, struct mrg_error *err)
{
	_cleanup_close_ int file = openat(s->unit->dir, LXC_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	int r;

	s->log = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, ABOVE);
	r = s->log < 0 ? -errno : lxc_log_begin(s->log);
	return r < 0 ? mrg_error_set(err, r, "cannot make the log of LXC, '" LXC_LOG "': %s", strerror(-r)) : 0;
}

/* The one that LXC puts between its console and us: LXC gives the console the same size. */
static void set_up_terminal(const struct mrg_spec *spec)
{
	const struct winsize size = {
		.ws_row = (unsigned short)spec->console_height, .ws_col = (unsigned short)spec->console_width,
	};

	lxc_make_raw(STDIN_FILENO);
	if (size.ws_row && size.ws_col)
		ioctl(STDIN_FILENO, TIOCSWINSZ, &size);
}

/* Descriptors get their numbers before liblxc opens any of its own. */
static int set_up_descriptors(struct lxc_start *s, struct mrg_error *err)
{
	int r = mrg_helper_process_stdio(&s->io, s->socket[1], err);

	if (r == 0 && s->io.terminal)
		set_up_terminal(s->unit->spec);
	if (r == 0)
		r = open_log(s, err);
	return r == 0 && lxc_has_init(s) ? lxc_payload_place(&s->payload, err) : r;
}

/* LXC 5 writes down a death by signal as if the process had been stopped by it. */
static int signal_of(int status)
{
	if (WIFSTOPPED(status))
		return WSTOPSIG(status);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* As the first process has ended, so that whoever waits for us sees the same. */
static void __attribute__((noreturn)) end_as(int status)
{
	static const struct rlimit no_core = { 0 };
	static const struct sigaction standard = { .sa_handler = SIG_DFL };
	int signo = signal_of(status);
	sigset_t none;

	if (signo) {
		setrlimit(RLIMIT_CORE, &no_core);
		sigaction(signo, &standard, NULL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		raise(signo);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

/* Returns only before LXC has begun. */
static int child(void *data, struct mrg_error *err)
{
	struct lxc_start *s = data;
	struct lxc_engine engine = { .c = NULL };
	int r = set_up_descriptors(s, err);

	if (r == 0)
		r = lxc_engine_open(&s->place, &engine, err);
	if (r == 0)
		r = lxc_configure_life(s, engine.c, err);
	if (r == 0)
		r = lxc_take_profile(s, engine.c, err);
	if (r < 0)
		return r;
	/* From here on a container may live, which does not end with the monitor. */
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	/* With MRG_SPAWN_ERROR_FD: what LXC closes it looks for anew after each one. */
	close_range(LXC_PAYLOAD_IMAGE_FD + 1, ~0U, 0);
	if (!engine.c->start(engine.c, 0, s->payload.args) && engine.c->error_num == 0)
		end_as(EXIT_FAILURE << 8);
	end_as(engine.c->error_num);
}

/* ---- in the monitor --------------------------------------------------------------------------- */

static int start_failed(const struct lxc_start *s, struct mrg_error *err)
{
	char text[300];

	lxc_log_read(s->unit, text, sizeof(text));
	mrg_error_set(err, -EIO, "LXC could not start '%s'%s%s", s->unit->name, *text ? ": " : "", text);
	if (lxc_start_hint(s->unit->spec, text, err))
		return -EIO;
	return mrg_error_hint(err, "lxc-start -P %s -n %s -F -l debug -o /dev/stderr", s->place.path, s->unit->name);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/* LXC knows the limits that its configuration names; the core, both versions of cgroups: it sets them while moorage-init waits. */
static int hear_init(struct lxc_start *s, struct mrg_error *err)
{
	int r = lxc_payload_await(&s->payload);

	if (r == 0 && s->payload.gate >= 0)
		r = lxc_set_limits(s->unit, err);
	if (r == 0)
		r = lxc_payload_hear(&s->payload, err);
	return r > 0 ? start_failed(s, err) : r;
}

/* LXC's monitor answers once the first process has been executed. */
static int hear_monitor(struct lxc_start *s, const struct mrg_process *child_process, struct mrg_error *err)
{
	_cleanup_close_ int socket = -1;
	long pid;

	while (socket < 0) {
		socket = lxc_ask(&s->place, LXC_ASK_INIT);
		if (socket < 0 && is_readable(child_process->pidfd, LOOK_MS))
			return start_failed(s, err);
	}
	return lxc_answer(socket, -1, &pid) < 0 ? start_failed(s, err) : 0;
}

/* The child of a start that failed tidies up by itself, once nothing inside waits for us any more. */
static void end(struct lxc_start *s, const struct mrg_process *process)
{
	s->payload.gate = fd_close(s->payload.gate);
	if (!is_readable(process->pidfd, END_MS))
		kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(process->pidfd);
}

/* Once the command has been executed, its terminal is on its way. */
static int take_terminal(struct lxc_start *s, struct mrg_stdio *io, struct mrg_error *err)
{
	int socket = s->payload.terminal >= 0 ? s->payload.terminal : s->socket[0];

	return io->terminal ? mrg_helper_process_master(socket, &io->master, err) : 0;
}

/* The child is at the top of an ordinary user's scope by now, where LXC begins to divide it. */
static int step_aside(pid_t pid _unused_, void *data, struct mrg_error *err)
{
	const struct lxc_start *s = data;

	return lxc_is_user() ? mrg_helper_cgroup_aside(s->unit, err) : 0;
}

static int run(struct lxc_start *s, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = mrg_helper_spawn(0, NULL, child, step_aside, s, &process, err);

	if (r < 0)
		return r;
	r = lxc_has_init(s) ? hear_init(s, err) : hear_monitor(s, &process, err);
	if (r == 0)
		r = take_terminal(s, io, err);
	if (r < 0)
		end(s, &process);
	else
		*ret = process;
	return r;
}

static int find_dir(struct lxc_start *s, struct mrg_error *err)
{
	char link[PATH_OF_FD_SIZE];
	ssize_t n = readlink(path_of_fd(link, s->unit->dir), s->dir, sizeof(s->dir));

	if (n < 0 || (size_t)n >= sizeof(s->dir))
		return mrg_error_set(err, n < 0 ? -errno : -ENAMETOOLONG, "cannot tell the path of the container's directory");
	s->dir[n] = '\0';
	return 0;
}

/* An init system finds its terminal at /dev/console, which is LXC's to make. */
static int prepare_payload(struct lxc_start *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct lxc_payload_request request = {
		.unit = s->unit, .root = root, .terminal = s->io.terminal && !spec->boot, .gate = lxc_has_limits(spec),
	};
	int r;

	if (root < 0)
		return mrg_error_set(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot open the root '%s': %s", spec->root_path,
				     strerror(errno));
	r = lxc_make_points(spec, root, err);
	return r < 0 ? r : lxc_payload_prepare(&request, &s->payload, err);
}

/* What others made runs as LXC runs it. */
static int prepare(struct lxc_start *s, struct mrg_error *err)
{
	int r = lxc_place_of(s->unit, &s->place, err);

	if (r == 0)
		r = find_dir(s, err);
	if (r == 0 && !s->unit->adopted)
		r = prepare_payload(s, err);
	if (r < 0)
		return r;
	if (s->payload.terminal >= 0) {
		/* LXC's monitor has no terminal then. */
		s->io.terminal = 0;
		s->io.in = s->io.out = s->io.err = s->null;
	} else if (s->io.terminal && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->socket) < 0) {
		return mrg_error_set(err, -errno, "cannot make a socket pair: %s", strerror(errno));
	}
	return 0;
}

int lxc_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct lxc_start s = { .unit = unit, .io = *io, .socket = { -1, -1 }, .null = null, .payload = LXC_PAYLOAD_INIT };
	struct lxc_self *me = self;
	struct mrg_exit gone;
	int r = null < 0 ? mrg_error_set(err, -errno, "cannot open '/dev/null': %s", strerror(errno)) : 0;

	/* Of an earlier life whose monitor was killed. */
	if (r == 0 && lxc_log_exists(unit))
		r = lxc_cleanup(self, unit, &gone, err);
	if (r == 0)
		r = prepare(&s, err);
	if (r == 0)
		r = mrg_helper_cgroup_scope(unit, err);
	if (r == 0)
		r = lxc_make_parents(unit, err);
	if (r == 0)
		r = run(&s, io, ret, err);
	if (r == 0)
		me->status = take_fd(&s.payload.fd[LXC_PAYLOAD_STATUS]);
	fd_close(s.socket[0]);
	fd_close(s.socket[1]);
	lxc_payload_deinit(&s.payload);
	if (r < 0)
		lxc_cleanup(self, unit, &gone, NULL);
	return r;
}
