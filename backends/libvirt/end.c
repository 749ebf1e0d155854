/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a domain's life, and of the domain. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define TIDY_MS		500		/* libvirt is given to tidy up by itself, before it is told to */
#define REBOOT_MS	5000		/* the same, where it may be about to start the domain again */
#define TELL_MS		10000		/* its controller is given to bury the init */

/* Linux 6.15: how a process ended is told to whoever holds a pidfd, once its parent has heard of it. */
struct info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define INFO_EXIT	(UINT64_C(1) << 3)
#define GET_INFO	_IOWR(0xff, 11, struct info)

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* ---- how it ended ------------------------------------------------------------------------- */

static int ask_kernel(int pidfd, int *ret_status)
{
	int64_t deadline = time_monotonic_ms() + TELL_MS;
	struct info info;

	do {
		info = (struct info){ .mask = INFO_EXIT };
		if (ioctl(pidfd, GET_INFO, &info) < 0 && errno != ESRCH)
			return 0;
		if (info.mask & INFO_EXIT && info.exit_code >= 0) {
			*ret_status = info.exit_code;
			return 1;
		}
		pause_ms(1);
	} while (time_monotonic_ms() < deadline);
	return 0;
}

/* What its cgroup tells goes with the cgroup, and that is libvirt's to remove. Helpers look only at what runs: they are told that it does. */
static void note_oom(struct libvirt_life *life, const struct mrg_unit *unit)
{
	static const struct mrg_process none = { .pidfd = -1 };
	struct mrg_unit inside = *unit;
	struct mrg_stats stats;

	inside.cgroup = life->cgroup;
	inside.process = &none;
	if (life->cgroup[0] && mrg_helper_cgroup_stats(NULL, &inside, &stats, NULL) == 0 && stats.valid & 1 << MRG_STAT_OOM_KILLS)
		life->oom_kills = stats.oom_kills;
}

/* The word of taskstats is not the parent's where init was killed: reboot(2) does that too, and the parent hears of another signal. */
static bool was_told(const struct libvirt_life *life, const struct mrg_unit *unit, int *ret_status)
{
	return libvirt_exits_read(life->exits, ret_status) && !(unit->spec->boot && WIFSIGNALED(*ret_status) && WTERMSIG(*ret_status) == SIGKILL);
}

/* moorage-init blocks all signals: what ended it before it could write was the one that cannot be blocked. */
static bool read_own_end(const struct libvirt_life *life, const struct mrg_unit *unit, int pidfd, int *ret_status)
{
	if (life && (mrg_helper_status_read(life->status, ret_status) || was_told(life, unit, ret_status)))
		return true;
	if (ask_kernel(pidfd, ret_status))
		return true;
	*ret_status = SIGKILL;
	return life && life->status >= 0 && libvirt_has_init(unit);
}

int libvirt_wait(void *data, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err)
{
	_cleanup_inside_ struct libvirt_inside inside = { .pidfd = -1 };
	struct libvirt_life *life = libvirt_life(data, unit);
	struct pollfd end = { .events = POLLIN };
	int r = 0;

	if (!unit->process)
		r = libvirt_inside(unit, &inside, err);
	if (r < 0)
		return r;
	end.fd = unit->process ? unit->process->pidfd : inside.process.pidfd;
	do
		r = poll(&end, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' did not end in time", unit->name);
	if (r < 0)
		return fail_errno(err, -errno, "cannot wait for '%s'", unit->name);
	if (life)
		note_oom(life, unit);
	if (read_own_end(life, unit, end.fd, ret_status))
		return 0;
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "libvirt does not tell how '%s' ended", unit->name);
}

/* ---- after the end -------------------------------------------------------------------------- */

/* Whether libvirt has forgotten the life; 1: it has. */
static int wait_tidy(const char *name, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;
	struct libvirt_note note;

	while (libvirt_read_note(name, &note)) {
		if (time_monotonic_ms() >= deadline)
			return 0;
		pause_ms(1);
	}
	return 1;
}

static bool is_alive(const char *name)
{
	struct mrg_process process;

	if (!libvirt_find_init(name, &process))
		return false;
	close(process.pidfd);
	return true;
}

static int ask(struct libvirt *self, const struct mrg_unit *unit, enum agent_op op, struct mrg_error *err)
{
	return libvirt_ask(self, unit->path, &(struct agent_call){ .op = op, .name = unit->name }, NULL, NULL, err);
}

/* Ends what libvirt still takes for running. It may have noticed meanwhile. What it takes for suspended it at times cannot end ("Unable to kill all
 * processes") until it is told that it goes on. */
static int destroy_in_engine(struct libvirt *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = ask(self, unit, AGENT_DESTROY, err);

	if (r == -EIO) {
		ask(self, unit, AGENT_RESUME, NULL);
		r = ask(self, unit, AGENT_DESTROY, err);
	}
	return r == -MRG_E_NOT_FOUND || r == -MRG_E_STATE ? 0 : r;
}

/* Whether somebody listens where libvirt's daemons do. */
static bool daemon_is_there(void)
{
	static const char *const paths[] = { "/run/libvirt/virtlxcd-sock", "/run/libvirt/libvirt-sock" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		snprintf(address.sun_path, sizeof(address.sun_path), "%s", paths[i]);
		if (fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN))
			return true;
	}
	return false;
}

/* libvirt notices the end by itself, unless it lost its controller at the start: libvirt 9 closes that connection for good when the controller's first
 * message arrives before the connection is fully set up. */
static int tidy_ms(const struct mrg_unit *unit)
{
	if (!unit->path && !daemon_is_there())
		return 0;
	return unit->adopted ? REBOOT_MS : TIDY_MS;
}

/* A domain that was rebooted runs again, which only those that libvirt itself made may. */
int libvirt_cleanup(void *data, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	struct libvirt *self = data;
	struct libvirt_life *life = libvirt_life(self, unit);
	struct mrg_exit end = { 0 };
	bool again = is_alive(unit->name);
	int r = 0;

	if (again && unit->adopted)
		return 0;
	if (again || !wait_tidy(unit->name, tidy_ms(unit)))
		r = destroy_in_engine(self, unit, err);
	/* A daemon that comes later tidies up what it has noted. */
	if (r == 0 || (r == -MRG_E_NO_ENGINE && !again))
		r = life && life->cgroup[0] ? libvirt_clear_cgroup(unit, life->cgroup, &end, err) : 0;
	if (r < 0)
		return r;
	if (life) {
		life->cgroup[0] = '\0';
		end.oom_killed |= life->oom_kills > 0 || mrg_helper_status_oom(life->status);
		end.status_known = mrg_helper_status_read(life->status, &end.status);
		if (!end.status_known && libvirt_has_init(unit)) {
			end.status_known = 1;
			end.status = SIGKILL;
		}
	}
	*ret = end;
	return 0;
}

/* What the driver makes at each start, and nobody removes: empty directories, a socket, a log. The log of a domain that others made is theirs to keep. */
static void remove_remains(const struct mrg_unit *unit)
{
	static const char *const remains[] = {
		LIBVIRT_STATE_DIR "/%s.dev", LIBVIRT_STATE_DIR "/%s.devpts", LIBVIRT_STATE_DIR "/%s.fuse", LIBVIRT_STATE_DIR "/%s.sock",
		LIBVIRT_LOG_DIR "/%s.log",
	};
	size_t n = ARRAY_SIZE(remains) - (unit->adopted ? 1 : 0);
	char path[512];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), remains[i], unit->name);
		remove(path);
	}
}

int libvirt_destroy(void *data, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int lock = -1;
	struct libvirt *self = data;
	struct libvirt_note note;
	bool defined;
	int r = unit->adopted || unit->dir < 0 ? 0 : libvirt_hold(unit, &lock, err);

	if (r < 0)
		return r;
	if (is_alive(unit->name))
		return mrg_error_set(err, -MRG_E_STATE, "'%s' still runs", unit->name);
	defined = libvirt_is_defined(unit->name);
	/* Also when nothing is seen of it: a start whose caller was killed may go on, and is waited for. So is the daemon, which is still at it when it has taken
	 * away what it had noted of a transient domain. */
	if (defined || libvirt_read_note(unit->name, &note) || (unit->adopted && daemon_is_there()))
		r = destroy_in_engine(self, unit, err);
	if (r == 0 && defined)
		r = ask(self, unit, AGENT_UNDEFINE, err);
	if (r < 0 && r != -MRG_E_NOT_FOUND)
		return r;
	libvirt_sweep_cgroups(unit);
	remove_remains(unit);
	return 0;
}
