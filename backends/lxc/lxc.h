/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BACKEND_LXC_H
#define BACKEND_LXC_H

/*
 * What the files of the lxc backend share.
 *
 * A container is a directory NAME with a file "config" below lxcpath, and while it runs, a monitor of LXC that answers on a socket.
 * Looking needs no more than these two; liblxc is loaded by what changes something that only it knows how to.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include <lxc/lxccontainer.h>

#include <moorage/helper.h>

#include "core/util/cleanup.h"

#define LXC_CONFIG	"config"
#define LXC_LOG		"lxc.log"		/* in the container's own directory: what LXC said of its last start */

/* Lives as long as a monitor. */
struct lxc_self {
	int status;			/* memory for what moorage-init reports; -1: there is none */
};

/* ---- place.c: where containers are ------------------------------------------------------- */

struct lxc_place {
	char path[PATH_MAX];		/* lxcpath, without a slash at its end */
	const char *name;
};

/* The directory of all containers: @asked, or what LXC's own configuration says. */
int lxc_place_path(const char *asked, char ret[PATH_MAX], struct mrg_error *err);

/* That of one. */
int lxc_place_of(const struct mrg_unit *unit, struct lxc_place *ret, struct mrg_error *err);

/* Opens LXCPATH/NAME. A descriptor or a negative errno. */
int lxc_place_open(const struct lxc_place *place);

/* Whether there is a container: 1 or 0. */
int lxc_place_exists(const struct lxc_place *place);

/* "cannot WHAT 'LXCPATH/NAME/config'"; -MRG_E_NOT_FOUND when there is none. */
int lxc_config_failed(const struct lxc_place *place, int r, const char *what, struct mrg_error *err);

/* ---- ask.c: the monitor of a container that runs ------------------------------------------- */

/* Questions and what states are called: LXC's commands.h and state.h, the same since LXC 1.0. */
enum { LXC_ASK_STATE = 3, LXC_ASK_INIT = 4 };
enum { LXC_IS_STARTING = 1, LXC_IS_RUNNING = 2, LXC_IS_STOPPING = 3, LXC_IS_FREEZING = 5, LXC_IS_FROZEN = 6 };

/* Connects and asks: the socket, on which the answer will be read; -ECONNREFUSED when nobody is there, or nobody we believe. */
int lxc_ask(const struct lxc_place *place, int question);

/* Reads the answer: waits @timeout_ms at most, -ETIMEDOUT, and not longer than the monitor lives: its socket may live on in what it was just making. */
int lxc_answer(int socket, int timeout_ms, long *ret);

/* ---- running.c: the container that runs ------------------------------------------------------ */

struct lxc_running {
	struct mrg_process init;
	char cgroup[PATH_MAX];
	struct mrg_unit unit;		/* as the helpers want it: with this process and this cgroup */
};

/* Finds the first process of @unit, whoever has started it. -MRG_E_NOT_RUNNING. */
int lxc_running_open(const struct mrg_unit *unit, struct lxc_running *ret, struct mrg_error *err);
void lxc_running_close(struct lxc_running *running);
#define _cleanup_running_	_cleanup_(lxc_running_close)
#define LXC_RUNNING_INIT	{ .init = { .pidfd = -1 } }

/* The number behind @key ("\nCapBnd:") in /proc/PID/status. */
int lxc_read_status(pid_t pid, const char *key, int base, uint64_t *ret);

int lxc_state(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_process(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);
int lxc_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);
int lxc_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int lxc_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err);
int lxc_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data, struct mrg_error *err);

/* ---- engine.c: liblxc ------------------------------------------------------------------------- */

struct lxc_api {
	__typeof__(&lxc_container_new) lxc_container_new;
	__typeof__(&lxc_container_put) lxc_container_put;
	__typeof__(&lxc_get_version) lxc_get_version;
};

/* -MRG_E_NO_ENGINE when it is not installed. */
int lxc_api_load(struct lxc_api *ret, struct mrg_error *err);

struct lxc_engine {
	struct lxc_api api;
	struct lxc_container *c;
};

/* Has liblxc read the configuration of the container. */
int lxc_engine_open(const struct lxc_place *place, struct lxc_engine *ret, struct mrg_error *err);
void lxc_engine_close(struct lxc_engine *engine);
#define _cleanup_engine_	_cleanup_(lxc_engine_close)

/* A terminal between us and one of LXC's passes on what comes: the other one does what terminals do. */
void lxc_make_raw(int terminal);

int lxc_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_console(void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);

/* ---- ready.c -------------------------------------------------------------------------------------- */

int lxc_ready(void *self, struct mrg_error *err);

/* ---- start.c, cgroups.c --------------------------------------------------------------------------- */

int lxc_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);
/* log.c: it is there from a start until the cleanup has removed what there was, and longer if it tells of something. */
bool lxc_log_exists(const struct mrg_unit *unit);

/* In the process that becomes LXC's monitor: notes in the log that it is the one; then, in any process: a pidfd of it, -ESRCH when it has ended. */
int lxc_log_begin(int log);
int lxc_log_process(const struct mrg_unit *unit);

/* The cause of a failed start as LXC tells it, "" when it does not; and what it says though nothing is wrong is removed. */
void lxc_log_read(const struct mrg_unit *unit, char *ret, size_t size);
void lxc_log_tidy(const struct mrg_unit *unit);

int lxc_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);

/* The cgroup that a start of ours gives to the container or to its monitor. */
enum lxc_cgroup { LXC_CGROUP_PAYLOAD, LXC_CGROUP_MONITOR, LXC_CGROUP_MAX };
int lxc_cgroup_path(const struct mrg_unit *unit, enum lxc_cgroup which, char ret[PATH_MAX], struct mrg_error *err);

/* @unit as the helpers want it: with that cgroup, and without its process. */
struct lxc_cgroup_unit {
	struct mrg_unit unit;
	char path[PATH_MAX];
};
int lxc_cgroup_unit(const struct mrg_unit *unit, enum lxc_cgroup which, struct lxc_cgroup_unit *ret, struct mrg_error *err);

#define LXC_NO_CGROUP	"cgroup.procs"	/* a file of every cgroup: none can have this name */

bool lxc_has_limits(const struct mrg_spec *spec);
int lxc_set_limits(const struct mrg_unit *unit, struct mrg_error *err);

/* Makes what is above it, where the spec says that it is below another one. */
int lxc_make_parents(const struct mrg_unit *unit, struct mrg_error *err);

/* ---- settings.c: made, removed, given another name ----------------------------------------------- */

int lxc_create(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_configure(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int lxc_rename(void *self, const struct mrg_unit *unit, const char *name, struct mrg_error *err);

/* ---- text.c: the file "config" ------------------------------------------------------------------- */

/* The text for @unit; the caller frees it. */
int lxc_make_config(const struct mrg_unit *unit, char **ret, struct mrg_error *err);

int lxc_check(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int lxc_native(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err);
int lxc_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);

/* ---- autostart.c, explain.c --------------------------------------------------------------------- */

int lxc_autostart(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err);

/* ---- park.c ---- */

int lxc_home(void *self, const struct mrg_unit *unit, char **ret, struct mrg_error *err);
int lxc_park(void *self, const struct mrg_unit *unit, int keep, const char *tag, int how, struct mrg_error *err);
int lxc_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

/* ---- probe.c ----------------------------------------------------------------------------------- */

extern const uint16_t lxc_fields[];

/* Whether the backend sees to a field by itself, whatever the configuration can say. */
bool lxc_field_is_beside(int field);

int lxc_probe(void *self, struct mrg_probe *ret, struct mrg_error *err);

/* ---- user.c: ordinary users ---------------------------------------------------------------------- */

bool lxc_is_user(void);

/* Takes from @probe what this user cannot have, and adds what rights in the container are enough for. */
int lxc_user_probe(struct mrg_probe *probe, struct mrg_error *err);

/* Gives @spec the maps under which its root belongs to user 0 of the container; those it has already must do so. */
int lxc_user_map(struct mrg_spec *spec, struct mrg_error *err);

/* Puts the host's /sys in the place of a new one, where @spec has the host's network. */
int lxc_user_share_sys(struct mrg_spec *spec, struct mrg_error *err);

/* Opens a pipe to the container's root, to whom it cannot be given: it has no name, and is reached through the processes that have it. */
int lxc_user_open_pipe(int fd);

/* What would mend a start that failed with @log, if it is known. */
bool lxc_start_hint(const struct mrg_spec *spec, const char *log, struct mrg_error *err);

/* ---- points.c ---------------------------------------------------------------------------------- */

/* Puts what links in the root lead to in the place of mount points. */
int lxc_resolve_points(struct mrg_spec *spec, struct mrg_error *err);

/* Makes the mount points that are missing in the root of @spec, @root, if it is to be read-only. */
int lxc_make_points(const struct mrg_spec *spec, int root, struct mrg_error *err);

/* ---- exec.c ------------------------------------------------------------------------------------ */

int lxc_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
	     struct mrg_process *ret, struct mrg_error *err);

/* ---- list.c ------------------------------------------------------------------------------------ */

int lxc_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);
int lxc_find(void *self, const char *path, const char *name, struct mrg_error *err);

#endif
