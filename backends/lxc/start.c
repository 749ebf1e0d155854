/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting: a child of the monitor becomes LXC's monitor of the container, in the foreground, so that the container's streams are ours
 * and its end is the child's end.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "payload.h"

#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define ABOVE		64		/* descriptors from here on are in nobody's way */
#define LOOK_MS		1
#define END_MS		10000

struct start {
	const struct mrg_unit *unit;
	struct mrg_stdio io;		/* of LXC's monitor, and of the command */
	struct lxc_place place;
	int socket[2];			/* of the terminal, where LXC makes it: monitor's end, child's end */
	int null;			/* /dev/null */
	int log;			/* of the child */
	char dir[PATH_MAX];		/* the container's own, by its path */
	struct lxc_payload payload;
};

/* Whether moorage-init runs in front of the command. */
static bool has_init(const struct start *s)
{
	return s->payload.args;
}

/* ---- in the child: the configuration of this life -------------------------------------------- */

static int set_item(struct lxc_container *c, const char *key, const char *value, struct mrg_error *err)
{
	if (c->set_config_item(c, key, value))
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "LXC does not take '%s = %s'", key, value);
}

/* Of some that are not set LXC says "(null)". */
static bool has_item(struct lxc_container *c, const char *key)
{
	char value[PATH_MAX];
	int n = c->get_config_item(c, key, value, sizeof(value));

	return n > 0 && ((size_t)n >= sizeof(value) || strcmp(value, "(null)") != 0);
}

/* Names that are used once, so that what a killed life has left is told from all others. Not where the configuration has
 * its own division. */
static int set_cgroups(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	char path[PATH_MAX];
	int r;

	if (has_item(c, "lxc.cgroup.dir.container") || has_item(c, "lxc.cgroup.dir.monitor"))
		return 0;
	if (has_item(c, "lxc.cgroup.dir"))
		c->clear_config_item(c, "lxc.cgroup.dir");
	r = lxc_cgroup_path(s->unit, LXC_CGROUP_MONITOR, path, err);
	if (r == 0)
		r = set_item(c, "lxc.cgroup.dir.monitor", path + 1, err);
	if (r == 0)
		r = lxc_cgroup_path(s->unit, LXC_CGROUP_PAYLOAD, path, err);
	return r < 0 ? r : set_item(c, "lxc.cgroup.dir.container", path + 1, err);
}

/* Without a terminal LXC makes none, and the streams stay what they are. */
static int set_console(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	return s->io.terminal ? 0 : set_item(c, "lxc.console.path", "none", err);
}

/* The throw-away layer is on a file system that nobody sees but this life, in the place of the container's own directory, and goes with it. */
static int make_layer(const struct start *s, char upper[PATH_MAX], struct mrg_error *err)
{
	struct stat st;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount("tmpfs", s->dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0)
		return mrg_error_set(err, -errno, "cannot make the layer over the root: %s", strerror(errno));
	if (snprintf(upper, PATH_MAX, "%s/upper", s->dir) >= PATH_MAX)
		return mrg_error_set(err, -ENAMETOOLONG, "the path of the container's directory is too long");
	/* The root looks as its upper layer does. */
	if (stat(s->unit->spec->root_path, &st) < 0 || mkdir(upper, 0) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return mrg_error_set(err, -errno, "cannot make the layer over the root: %s", strerror(errno));
	return 0;
}

static int set_layer(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	char path[PATH_MAX];
	int r;

	if (s->unit->adopted || !spec->ephemeral)
		return 0;
	r = make_layer(s, path, err);
	if (r < 0)
		return r;
	buffer_addf(&b, "overlay:%s:%s", spec->root_path, path);
	if (b.failed)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = set_item(c, "lxc.rootfs.path", b.text, err);
	return r < 0 ? r : set_item(c, "lxc.rootfs.options", spec->root_readonly ? "ro" : "rw", err);
}

/* What is 0 of the container on the host, by lines "u 0 100000 65536". */
static void find_owner(struct lxc_container *c, uid_t *ret_uid, gid_t *ret_gid)
{
	char map[4096] = "", *save, *line;
	unsigned int inside, outside;
	char kind;

	if (c->get_config_item(c, "lxc.idmap", map, sizeof(map)) >= (int)sizeof(map))
		return;
	for (line = strtok_r(map, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%c %u %u", &kind, &inside, &outside) == 3 && inside == 0)
			*(kind == 'u' ? ret_uid : ret_gid) = outside;
}

/* The pipes belong to the container's root: otherwise it could not open /dev/stdout again. */
static int set_streams(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;

	find_owner(c, &uid, &gid);
	for (int fd = 0; uid != 0 && !s->io.terminal && fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fchown(fd, uid, gid) < 0)
			return mrg_error_set(err, -errno, "cannot give the streams to the container: %s", strerror(errno));
	}
	return 0;
}

/* Not by lxc_log_init(), which writes to standard error as well, whatever it is told. */
static int set_log(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	char path[32];
	int r;

	if (has_item(c, "lxc.log.file"))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->log);
	r = set_item(c, "lxc.log.file", path, err);
	return r < 0 ? r : set_item(c, "lxc.log.level", "ERROR", err);
}

/* moorage-init begins as root, and sees to all this itself. */
static int set_process(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	int r = has_init(s) ? set_item(c, "lxc.init.uid", "0", err) : 0;

	if (r < 0 || !has_init(s))
		return r;
	c->clear_config_item(c, "lxc.init.cwd");
	c->clear_config_item(c, "lxc.init.groups");
	c->clear_config_item(c, "lxc.seccomp.profile");
	return set_item(c, "lxc.init.gid", "0", err);
}

/* ---- in the child: the start ------------------------------------------------------------------ */

/* What LXC says of its failures goes into a file of the container's directory, which is begun anew. */
static int open_log(struct start *s, struct mrg_error *err)
{
	_cleanup_close_ int file = openat(s->unit->dir, LXC_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	s->log = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, ABOVE);
	return s->log < 0 ? mrg_error_set(err, -errno, "cannot make the log of LXC, '" LXC_LOG "': %s", strerror(errno)) : 0;
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
static int set_up_descriptors(struct start *s, struct mrg_error *err)
{
	int r = mrg_helper_process_stdio(&s->io, s->socket[1], err);

	if (r == 0 && s->io.terminal)
		set_up_terminal(s->unit->spec);
	if (r == 0)
		r = open_log(s, err);
	return r == 0 && has_init(s) ? lxc_payload_place(&s->payload, err) : r;
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

static int set_up(const struct start *s, struct lxc_container *c, struct mrg_error *err)
{
	static int (*const steps[])(const struct start *s, struct lxc_container *c, struct mrg_error *err) = {
		set_log, set_layer, set_cgroups, set_console, set_streams, set_process,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](s, c, err);
	c->want_daemonize(c, false);
	c->want_close_all_fds(c, true);
	return r;
}

/* Returns only before LXC has begun. */
static int child(void *data, struct mrg_error *err)
{
	struct start *s = data;
	struct lxc_engine engine = { .c = NULL };
	int r = set_up_descriptors(s, err);

	if (r == 0)
		r = lxc_engine_open(&s->place, &engine, err);
	if (r == 0)
		r = set_up(s, engine.c, err);
	if (r < 0)
		return r;
	/* From here on a container may live, which does not end with the monitor. */
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	close(MRG_SPAWN_ERROR_FD);
	if (!engine.c->start(engine.c, 0, s->payload.args) && engine.c->error_num == 0)
		end_as(EXIT_FAILURE << 8);
	end_as(engine.c->error_num);
}

/* ---- in the monitor --------------------------------------------------------------------------- */

/* "lxc NAME TIME ERROR    MODULE - FILE:FUNCTION:LINE - TEXT": the first is the cause. Mounts that may fail are told like all others, by a
 * line that another one follows when it matters. */
static void read_log(const struct mrg_unit *unit, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char *save, *line;

	*ret = '\0';
	if (fd_read_file(unit->dir, LXC_LOG, 1 << 20, &text, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *words = strstr(line, " ERROR ");

		if (!words || strstr(words, ":safe_mount:"))
			continue;
		for (int i = 0; i < 2; i++)
			words = strstr(words, " - ") ? strstr(words, " - ") + 3 : words;
		snprintf(ret, size, "%s", words);
		return;
	}
}

static int start_failed(const struct start *s, struct mrg_error *err)
{
	char text[300];

	read_log(s->unit, text, sizeof(text));
	mrg_error_set(err, -EIO, "LXC could not start '%s'%s%s", s->unit->name, *text ? ": " : "", text);
	return mrg_error_hint(err, "lxc-start -P %s -n %s -F -l debug -o /dev/stderr", s->place.path, s->unit->name);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

static int hear_init(struct start *s, struct mrg_error *err)
{
	int r = lxc_payload_hear(&s->payload, err);

	return r > 0 ? start_failed(s, err) : r;
}

/* LXC's monitor answers once the first process has been executed. */
static int hear_monitor(struct start *s, const struct mrg_process *child_process, struct mrg_error *err)
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

/* The child of a start that failed tidies up by itself. */
static void end(const struct mrg_process *process)
{
	if (!is_readable(process->pidfd, END_MS))
		kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(process->pidfd);
}

/* Once the command has been executed, its terminal is on its way. */
static int take_terminal(struct start *s, struct mrg_stdio *io, struct mrg_error *err)
{
	int socket = s->payload.terminal >= 0 ? s->payload.terminal : s->socket[0];

	return io->terminal ? mrg_helper_process_master(socket, &io->master, err) : 0;
}

static int run(struct start *s, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = mrg_helper_spawn(0, NULL, child, NULL, s, &process, err);

	if (r < 0)
		return r;
	r = has_init(s) ? hear_init(s, err) : hear_monitor(s, &process, err);
	if (r == 0)
		r = take_terminal(s, io, err);
	if (r < 0)
		end(&process);
	else
		*ret = process;
	return r;
}

static int find_dir(struct start *s, struct mrg_error *err)
{
	char link[PATH_OF_FD_SIZE];
	ssize_t n = readlink(path_of_fd(link, s->unit->dir), s->dir, sizeof(s->dir));

	if (n < 0 || (size_t)n >= sizeof(s->dir))
		return mrg_error_set(err, n < 0 ? -errno : -ENAMETOOLONG, "cannot tell the path of the container's directory");
	s->dir[n] = '\0';
	return 0;
}

/* An init system finds its terminal at /dev/console, which is LXC's to make. */
static int prepare_payload(struct start *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct lxc_payload_request request = { .unit = s->unit, .root = root, .terminal = s->io.terminal && !spec->boot };
	int r;

	if (root < 0)
		return mrg_error_set(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot open the root '%s': %s", spec->root_path,
				     strerror(errno));
	r = lxc_make_points(spec, root, err);
	return r < 0 ? r : lxc_payload_prepare(&request, &s->payload, err);
}

/* What others made runs as LXC runs it. */
static int prepare(struct start *s, struct mrg_error *err)
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
	struct start s = { .unit = unit, .io = *io, .socket = { -1, -1 }, .null = null, .payload = LXC_PAYLOAD_INIT };
	struct lxc_self *me = self;
	struct mrg_exit gone;
	int r = null < 0 ? mrg_error_set(err, -errno, "cannot open '/dev/null': %s", strerror(errno)) : lxc_cleanup(self, unit, &gone, err);

	if (r == 0)
		r = prepare(&s, err);
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

/* ---- the end ------------------------------------------------------------------------------------ */

int lxc_cgroup_path(const struct mrg_unit *unit, enum lxc_cgroup which, char ret[PATH_MAX], struct mrg_error *err)
{
	const char *parent = unit->spec->cgroups_path ? unit->spec->cgroups_path : "";
	const char *slash = *parent && *parent != '/' ? "/" : "";
	int length = (int)strlen(parent), n;

	while (length > 0 && parent[length - 1] == '/')
		length--;
	if (which == LXC_CGROUP_PAYLOAD)
		n = snprintf(ret, PATH_MAX, "%s%.*s/lxc.payload.%s-%s", slash, length, parent, unit->name, unit->id);
	else
		n = snprintf(ret, PATH_MAX, "%s%.*s/lxc.monitor.%s", slash, length, parent, unit->id);
	return n < PATH_MAX ? 0 : mrg_error_set(err, -MRG_E_INVALID, "the path of the cgroup is too long");
}

int lxc_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	struct lxc_self *me = self;
	struct mrg_exit end = { 0 };
	char path[PATH_MAX];
	int r = 0;

	for (int which = 0; which < LXC_CGROUP_MAX && r == 0; which++) {
		struct mrg_unit copy = *unit;
		struct mrg_exit one = { 0 };

		copy.cgroup = path;
		copy.process = NULL;
		r = lxc_cgroup_path(unit, (enum lxc_cgroup)which, path, err);
		if (r == 0)
			r = mrg_helper_cgroup_cleanup(self, &copy, &one, err);
		end.oom_killed |= one.oom_killed;
	}
	if (r < 0)
		return r;
	if (me->status >= 0) {
		end.status_known = mrg_helper_status_read(me->status, &end.status);
		end.oom_killed |= mrg_helper_status_oom(me->status);
	}
	me->status = fd_close(me->status);
	*ret = end;
	return 0;
}
