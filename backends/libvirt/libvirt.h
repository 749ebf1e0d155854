/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBVIRT_LIBVIRT_H
#define LIBVIRT_LIBVIRT_H

/* What the files of the libvirt backend share. */

#include <stdbool.h>

#include <moorage/helper.h>

#include "agent.h"

/* Where the LXC driver of the system's daemon keeps definitions and the state of what runs. The same for every socket it listens on: which
 * domains there are and what they do is seen here, without daemon and library. */
#define LIBVIRT_CONFIG_DIR	"/etc/libvirt/lxc"
#define LIBVIRT_STATE_DIR	"/run/libvirt/lxc"
#define LIBVIRT_LOG_DIR		"/var/log/libvirt/lxc"
#define LIBVIRT_URI		"lxc:///system"

#define LIBVIRT_CGROUP_SIZE	4096

/* What an instance keeps of a container that it has started last, until it starts that again or is closed. */
struct libvirt_life {
	struct libvirt_life *next;
	char id[17];			/* of the container */
	int status;			/* memory for its exit status; -1 */
	int exits;			/* libvirt_exits_open(); -1 */
	char cgroup[LIBVIRT_CGROUP_SIZE];	/* its cgroup; "": not known */
	uint64_t oom_kills;		/* in it, when its end was seen */
};

/* One instance. */
struct libvirt {
	int agent;			/* socket of moorage-libvirt; -1: none runs */
	char *uri;			/* that it serves */
	int pidfd;			/* of moorage-libvirt */
	struct libvirt_life *lives;
};

/* ---- client.c: asking the daemon ------------------------------------------------------ */

struct agent_call {
	enum agent_op op;
	const char *name, *text;	/* NULL: none */
	int argument;
	const int *fds;
	size_t n_fds;
};

/* Has the daemon at @path (a URI, NULL: the system's) do @call. @ret_text (may be NULL) is allocated. */
int libvirt_ask(struct libvirt *self, const char *path, const struct agent_call *call, int *ret_value, char **ret_text, struct mrg_error *err);

/* Executes the program that asks, if it does not run: it loads the library and connects, which is half the time of a start, while the caller
 * goes on. What fails here is told when something is asked. */
void libvirt_call(struct libvirt *self, const char *path);
int libvirt_ready(void *self, struct mrg_error *err);

/* Waits until nothing more is made for the container by a program whose plugin was killed, and keeps it so as long as *ret_fd is open.
 * -MRG_E_TIMEOUT. */
int libvirt_hold(const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);

/* Ends it, which it does when its socket does; the other one waits for that. */
void libvirt_let_go(struct libvirt *self);
void libvirt_send_away(struct libvirt *self);

/* ---- domains.c: what its files tell ---------------------------------------------------- */

/* Whether @path (NULL: the default) is a URI of a daemon on this host, the only one whose containers are ours to see. */
int libvirt_check_path(const char *path, struct mrg_error *err);

bool libvirt_is_defined(const char *name);

/* The definition as libvirt wrote it. -MRG_E_NOT_FOUND. */
int libvirt_read_definition(const char *name, char **ret, struct mrg_error *err);

/* What libvirt noted of a domain that it started. */
struct libvirt_note {
	pid_t controller, init;		/* 0: not noted */
	char console[64];		/* the host's end of its first console, "/dev/pts/4"; "": not noted */
};

/* Reads such a note. -EINVAL: it is none. */
int libvirt_parse_note(const char *text, struct libvirt_note *ret);

/* 1: there is one; 0: libvirt has no domain of that name that runs, or has tidied up behind it. */
int libvirt_read_note(const char *name, struct libvirt_note *ret);

/* Whether libvirt has a domain of that name, or has not yet done with one that was transient and has ended. */
bool libvirt_knows(const char *name);

/* The first process of the domain, alive: 1 and *ret with a pidfd, or 0. Works when the daemon does not. */
int libvirt_find_init(const char *name, struct mrg_process *ret);

int libvirt_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);
int libvirt_find(void *self, const char *path, const char *name, struct mrg_error *err);

/* ---- process.c: what runs ---------------------------------------------------------------- */

/* A unit with process and cgroup filled in, for helpers. */
struct libvirt_inside {
	struct mrg_unit unit;
	struct mrg_process process;
	int pidfd;			/* to be closed; -1 */
	char cgroup[LIBVIRT_CGROUP_SIZE];
};

/* -MRG_E_NOT_RUNNING. */
int libvirt_inside(const struct mrg_unit *unit, struct libvirt_inside *ret, struct mrg_error *err);
void libvirt_leave(struct libvirt_inside *inside);
#define _cleanup_inside_	__attribute__((cleanup(libvirt_leave)))

int libvirt_process(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);
int libvirt_state(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int libvirt_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);
int libvirt_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int libvirt_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
		 struct mrg_process *ret, struct mrg_error *err);
int libvirt_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int libvirt_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err);
int libvirt_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
		      struct mrg_error *err);
int libvirt_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int libvirt_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int libvirt_console(void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);

/* ---- life.c ---------------------------------------------------------------------------------- */

/* Whether moorage-init outlives the payload, and has it written down how that ended. */
static inline bool libvirt_has_init(const struct mrg_unit *unit)
{
	return !unit->adopted && unit->spec->init && !unit->spec->boot;
}

/* NULL: @self has not started it. */
struct libvirt_life *libvirt_life(const struct libvirt *self, const struct mrg_unit *unit);

/* A new one in the place of what there is; NULL: no memory. */
struct libvirt_life *libvirt_life_new(struct libvirt *self, const struct mrg_unit *unit);
void libvirt_lives_free(struct libvirt *self);

/* ---- exits.c ---------------------------------------------------------------------------------- */

/* Whether this kernel does not tell it to whoever holds a pidfd. */
bool libvirt_exits_needed(void);

/* A socket on which the kernel will tell how @pid ended, or a negative errno. */
int libvirt_exits_open(pid_t pid);

/* After the end: whether it was told. */
bool libvirt_exits_read(int fd, int *ret_status);

/* ---- cgroups.c ------------------------------------------------------------------------------- */

/* Whether there are any of a life of the unit, running or not. */
bool libvirt_has_cgroups(const struct mrg_unit *unit);

/* Removes what there is of one of them, once libvirt has done with it. */
int libvirt_clear_cgroup(const struct mrg_unit *unit, const char *cgroup, struct mrg_exit *ret, struct mrg_error *err);

/* Removes those that were left by a start that was cut short, by a daemon that was killed after it had forgotten the domain and before it had removed
 * the cgroups of all hierarchies, or by one that tried once, while the kernel was not yet done with the processes. */
void libvirt_sweep_cgroups(const struct mrg_unit *unit);

/* ---- start.c, end.c ----------------------------------------------------------------------- */

int libvirt_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);
int libvirt_wait(void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err);
int libvirt_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);
int libvirt_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err);

/* ---- define.c: the definition --------------------------------------------------------------- */

/* The XML of @spec under the name and the UUID of @unit. */
int libvirt_write(const struct mrg_unit *unit, const struct mrg_spec *spec, char **ret, struct mrg_error *err);

/* Has it defined by who holds @lock. */
int libvirt_define(struct libvirt *self, const struct mrg_unit *unit, int lock, struct mrg_error *err);

int libvirt_create(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int libvirt_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);
int libvirt_native(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err);
int libvirt_autostart(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err);

/* ---- users.c: users of its own --------------------------------------------------------------- */

/* Where the map is left to us: that of the root's owner. -MRG_E_UNSUPPORTED when the root belongs to a user of the host. */
int libvirt_map_users(struct mrg_spec *spec, struct mrg_error *err);

/* What root of the container is on the host: 1, or 0: there are no users of its own. */
int libvirt_mapped_root(const struct mrg_spec *spec, uid_t *ret_uid, gid_t *ret_gid, struct mrg_error *err);

/* Whether the root is theirs and they get to it; nothing to ask for without a user namespace. */
int libvirt_check_users(const struct mrg_spec *spec, struct mrg_error *err);

/* ---- park.c ------------------------------------------------------------------------------------ */

int libvirt_home(void *self, const struct mrg_unit *unit, char **ret, struct mrg_error *err);
int libvirt_park(void *self, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err);

/* ---- probe.c, explain.c ---------------------------------------------------------------------- */

extern const uint16_t libvirt_fields[];
int libvirt_probe(void *self, struct mrg_probe *ret, struct mrg_error *err);
int libvirt_check(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int libvirt_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

#endif
