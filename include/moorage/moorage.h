/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_MOORAGE_H
#define MOORAGE_MOORAGE_H

/*
 * The users' API: contexts, backends, containers, sessions.
 *
 * The library leaves its host alone: no change of signal mask, handlers, umask,
 * cwd, environment; no exit, no waitpid(-1), nothing printed, no threads. A
 * context is used by one thread at a time; processes started for containers are
 * children of nobody in the caller (they detach), so no SIGCHLD arrives.
 *
 * Errors: error.h. Objects named mrg_x come from a function that says so and are
 * released by mrg_x_free(), which takes NULL and returns NULL.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <moorage/error.h>
#include <moorage/audit.h>
#include <moorage/spec.h>
#include <moorage/backend.h>
#include <moorage/format.h>
#include <moorage/migrate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- context ---------------------------------------------------------------- */

/* Where things are. NULL members: the defaults, which are
 * state_dir /var/lib/moorage (for users $XDG_STATE_HOME/moorage), run_dir /run/moorage ($XDG_RUNTIME_DIR/moorage),
 * backend_path $(libdir)/moorage, libexec_dir $(libexecdir)/moorage, config_file /etc/moorage/moorage.conf. Each can be overridden by the environment,
 * read with secure_getenv(3): MOORAGE_STATE_DIR, MOORAGE_RUN_DIR, MOORAGE_BACKEND_PATH (directories separated by ':'),
 * MOORAGE_LIBEXEC_DIR, MOORAGE_CONFIG. */
struct mrg_options {
	const char *state_dir, *run_dir, *backend_path, *libexec_dir, *config_file;
	const char *path;		/* where the engine keeps its containers (lxcpath, directory of machines, URI of libvirt); NULL: its default */
};

/* A context. @options may be NULL. Touches no file. */
int mrg_new(struct mrg **ret, const struct mrg_options *options, struct mrg_error *err);
struct mrg *mrg_free(struct mrg *m);

/* The version of the library, "0.1.0". */
const char *mrg_version(void);

/* The backend used when none is named: MOORAGE_BACKEND, else "backend = NAME" of the config file, else "native". */
int mrg_default_backend(struct mrg *m, const char **ret, struct mrg_error *err);

/* ---- backends --------------------------------------------------------------- */

/* Names of the plugins installed, sorted; NULL-terminated, freed with mrg_strv_free(). Loads none. */
int mrg_backend_names(struct mrg *m, char ***ret, struct mrg_error *err);
char **mrg_strv_free(char **strv);

/* What a plugin says of itself. Strings live as long as the context. */
struct mrg_backend_info {
	const char *name, *summary, *path;
	struct mrg_fields fields;		/* the most it can honour */
	const struct mrg_option *options;	/* ends with a NULL key; may be NULL */
	const char *verbs;			/* optional verbs it offers: "exec pause resume stats" */
	uint32_t minor;
	int usable;				/* probe succeeded */
	struct mrg_probe probe;			/* valid when usable */
	struct mrg_error error;			/* why it is not usable */
};

/* Loads (once) and probes @name. Fails only when the plugin cannot be loaded; a probe that says no is in @ret->error. */
int mrg_backend_info(struct mrg *m, const char *name, struct mrg_backend_info *ret, struct mrg_error *err);

/* ---- containers ------------------------------------------------------------- */

struct mrg_container;

enum {
	MRG_CREATE_TRANSIENT	= 1 << 0,	/* lives in run_dir, is removed when it ends, is gone after a reboot */
	MRG_CREATE_BEST_EFFORT	= 1 << 1,	/* drop what the backend cannot honour; the list is in @ret_dropped */
	MRG_CREATE_REPLACE	= 1 << 2,	/* remove a stopped one of the same name first */
};

struct mrg_create {
	const char *name;		/* NULL: made up, "brave-heron-1f3a" style */
	const char *backend;		/* NULL: mrg_default_backend() */
	struct mrg_spec *spec;		/* borrowed; defaults must be filled in already */
	unsigned int flags;		/* MRG_CREATE_* */
	struct mrg_fields *ret_dropped;	/* with BEST_EFFORT; may be NULL */
};

/* Checks everything (name free, root there, spec, probe, fields, check verb), then makes the record and
 * lets the backend create. Until the checks have passed nothing is written. -MRG_E_EXISTS, -MRG_E_UNSUPPORTED (names the field, the backend and
 * the backends that can), -MRG_E_INVALID, -MRG_E_NO_ENGINE ... @ret may be NULL. */
int mrg_create(struct mrg *m, const struct mrg_create *create, struct mrg_container **ret, struct mrg_error *err);

/* The checks alone. */
int mrg_create_check(struct mrg *m, const struct mrg_create *create, struct mrg_error *err);

/* Opens a container by "NAME" or "BACKEND:NAME": one of ours, or one that an engine's own tools made (adopted). -MRG_E_NOT_FOUND with the nearest
 * name as hint; -MRG_E_AMBIGUOUS when several backends have one called NAME, naming them. One whose record is damaged is
 * opened too: every verb tells the damage (-EBADMSG), only mrg_remove() by force works; its spec is empty, id and backend may be "". */
int mrg_container_open(struct mrg *m, const char *name, struct mrg_container **ret, struct mrg_error *err);
struct mrg_container *mrg_container_free(struct mrg_container *c);

/* What the record holds; strings live as long as @c. */
const char *mrg_container_name(const struct mrg_container *c);
const char *mrg_container_id(const struct mrg_container *c);
const char *mrg_container_backend(const struct mrg_container *c);
int mrg_container_transient(const struct mrg_container *c);
int64_t mrg_container_created(const struct mrg_container *c);	/* ns since the epoch; 0: made by others */

/* Whether it was made by its engine's own tools, and there is no record of it. */
int mrg_container_adopted(const struct mrg_container *c);

/* The spec; lives as long as @c. Where the engine keeps a configuration of its own that is the truth: what others made, or changed since we wrote it, is
 * read from there. A configuration that cannot be read gives an empty spec here and its error from mrg_container_load(). */
const struct mrg_spec *mrg_container_spec(struct mrg_container *c);
int mrg_container_load(struct mrg_container *c, struct mrg_error *err);

/* The root directory alone (NULL: none; lives as long as @c), for whoever lists many: mostly known without reading the spec. Errors as
 * mrg_container_load(), with *ret set all the same. */
int mrg_container_root(struct mrg_container *c, const char **ret, struct mrg_error *err);

/* The engine's own text of its configuration (LXC config, .nspawn, domain XML), the caller frees it. -MRG_E_UNSUPPORTED: the backend has none. */
int mrg_native(struct mrg_container *c, char **ret, struct mrg_error *err);

/* What is so now, and how the last run ended. */
struct mrg_status {
	int state;			/* enum mrg_state */
	pid_t pid;			/* first process, host pid; 0: none or unknown */
	int64_t started, finished;	/* ns since the epoch; 0: never */
	int has_exit;			/* the members below are known */
	int exit_status;		/* wait(2) status word */
	int oom_killed;
	int monitor_lost;		/* the monitor died: exit status and output of this run are lost */
};
int mrg_container_status(struct mrg_container *c, struct mrg_status *ret, struct mrg_error *err);

/* Exit status of a shell for a wait(2) status word: the code, or 128+n. */
int mrg_exit_code(int wait_status);

/* Calls @found for every container (of @backend when not NULL): ours in order of name, then of each engine those that its own tools made, in order of name. A
 * broken record, or an engine that fails, is reported through @warn (may be NULL) and does not end the walk; an engine that is not in use here is passed
 * over unless @backend names it. A non-zero return ends the walk and is returned. Half-made entries are repaired on the way. */
int mrg_list(struct mrg *m, const char *backend, int (*found)(struct mrg_container *c, void *data),
	     void (*warn)(const char *name, const struct mrg_error *err, void *data), void *data, struct mrg_error *err);

/* ---- sessions: a connection to a container's or an exec's standard streams ------------ */

struct mrg_session;

enum mrg_event_type {
	MRG_EVENT_NONE,			/* nothing to read just now */
	MRG_EVENT_STDOUT,
	MRG_EVENT_STDERR,
	MRG_EVENT_EXIT,			/* @status: a wait(2) status word; the last event */
	MRG_EVENT_LOST,			/* the other side is gone without a status; the last event */
};

struct mrg_event {
	int type;
	int status;
	int oom_killed;			/* with the exit: the memory limit killed something inside */
	const char *data;		/* valid until the next call on the session */
	size_t length;
};

/* The socket, for poll(2). */
int mrg_session_fd(const struct mrg_session *s);

/* Reads one event without blocking. */
int mrg_session_read(struct mrg_session *s, struct mrg_event *ret, struct mrg_error *err);

/* Passes input on without blocking: returns the number of bytes taken, 0 when the socket is full. */
ssize_t mrg_session_write(struct mrg_session *s, const void *data, size_t length, struct mrg_error *err);

/* End of input. */
int mrg_session_close_input(struct mrg_session *s, struct mrg_error *err);

/* New size of the terminal. */
int mrg_session_resize(struct mrg_session *s, unsigned int rows, unsigned int columns, struct mrg_error *err);

/* Sends @signo to the process of the session. */
int mrg_session_kill(struct mrg_session *s, int signo, struct mrg_error *err);

/* Whether the other side has a terminal. */
int mrg_session_terminal(const struct mrg_session *s);

/* Leaves; the container goes on. */
struct mrg_session *mrg_session_free(struct mrg_session *s);

/* ---- verbs ------------------------------------------------------------------ */

/* Says that a start or exec follows soon: moorage-monitor is executed now, while the caller goes on with what comes first. With
 * @backend (NULL: unknown, or an exec follows) it loads the plugin and has it get ready for a start. The next mrg_start() or mrg_exec()
 * of this context uses it; mrg_free() sends it away. */
int mrg_launch_ahead(struct mrg *m, const char *backend, struct mrg_error *err);

/* Starts @c. With @ret_session (may be NULL) the caller is attached before the first byte of output and, when the spec keeps
 * stdin open, feeds it. Returns 1 when it already runs (then *ret_session is not written). A command that is missing: -MRG_E_NO_COMMAND, nothing left running. */
int mrg_start(struct mrg_container *c, struct mrg_session **ret_session, struct mrg_error *err);

/* Attaches to a running container's streams; to the console of one that others started. -MRG_E_NOT_RUNNING; -MRG_E_STATE when its monitor is gone. */
int mrg_attach(struct mrg_container *c, struct mrg_session **ret_session, struct mrg_error *err);

struct mrg_exec {
	const char *const *args;	/* NULL-terminated */
	const char *const *env;		/* "K=V" added to the environment of the spec; NULL-terminated or NULL */
	const char *cwd, *user;		/* NULL: those of the spec */
	int terminal, stdin_open, privileged;
};

/* Runs a command in a running container. @ret_session NULL: detached. -MRG_E_NOT_RUNNING, -MRG_E_STATE (paused), ... */
int mrg_exec(struct mrg_container *c, const struct mrg_exec *exec, struct mrg_session **ret_session, struct mrg_error *err);

/* Asks for an end, waits @timeout_ms (-1: the spec's, else 10 s), then kills all unless @no_kill (then -MRG_E_TIMEOUT). Returns 1 when it did not run. */
int mrg_stop(struct mrg_container *c, int timeout_ms, int no_kill, struct mrg_error *err);

/* Sends a signal to the first process, or to @all. */
int mrg_kill(struct mrg_container *c, int signo, int all, struct mrg_error *err);

/* Freeze and thaw. 1: already so. */
int mrg_pause(struct mrg_container *c, struct mrg_error *err);
int mrg_unpause(struct mrg_container *c, struct mrg_error *err);

/* Waits until @c does not run any more; @timeout_ms -1: for ever. The status word of its last run in @ret (see has_exit). */
int mrg_wait(struct mrg_container *c, int timeout_ms, struct mrg_status *ret, struct mrg_error *err);

/* Removes @c: -MRG_E_STATE when it runs, unless by force. A root that mrg_import() or a migration has made for it goes as well; any other directory it was given
 * is never touched. -MRG_E_BUSY, and nothing is removed: another container uses that root, or something is mounted in it. */
enum { MRG_REMOVE_FORCE = 1, MRG_REMOVE_KEEP_ROOT = 2 };	/* kill it first; its root stays where it is */
int mrg_remove(struct mrg_container *c, unsigned int flags, struct mrg_error *err);

/* Gives @c another name; it must not run. -MRG_E_UNSUPPORTED for one that others made when its backend cannot rename. */
int mrg_rename(struct mrg_container *c, const char *name, struct mrg_error *err);

/* Starts at boot, by the engine's own means or else by the unit template moorage@.service: @on 1 or 0 sets it, -1 only asks. Returns 1 or 0. */
int mrg_autostart(struct mrg_container *c, int on, struct mrg_error *err);

/* A systemd service unit that starts and stops @c; the caller frees it. */
int mrg_generate(struct mrg_container *c, char **ret, struct mrg_error *err);

/* Changes the limits that are set in @changes: live when it runs (update verb), in the record and in the engine's configuration; of one that others made live only, and
 * -MRG_E_STATE when it does not run. */
int mrg_update(struct mrg_container *c, const struct mrg_spec *changes, struct mrg_error *err);

/* What it uses just now. -MRG_E_NOT_RUNNING. */
int mrg_stats(struct mrg_container *c, struct mrg_stats *ret, struct mrg_error *err);

/* Calls @found with each process inside. Read from the host's procfs; nothing of the container is executed. */
struct mrg_proc {
	pid_t pid, inner_pid;		/* on the host; in the innermost pid namespace */
	uint32_t uid;			/* on the host */
	char state;			/* R, S, D, ... */
	uint64_t rss, cpu_ns, started;	/* bytes; ns; ns since the epoch */
	char command[256];		/* command line, blanks between arguments; unfiltered bytes */
	pid_t parent;			/* on the host */
};
int mrg_procs(struct mrg_container *c, int (*found)(const struct mrg_proc *proc, void *data), void *data, struct mrg_error *err);

/* Calls @found with each address that is up in the network namespace of a running container, loopback and link-local ones left out, as text ("10.0.3.5"). Returns 1 when
 * that namespace is the caller's own (then none is told), 0, or what @found returned. Read from procfs. */
int mrg_addresses(struct mrg_container *c, int (*found)(const char *address, void *data), void *data, struct mrg_error *err);

/* What the operation would do in native commands and files; runs nothing. */
int mrg_explain(struct mrg *m, const struct mrg_create *create, mrg_explain_fn line, void *data,
		struct mrg_error *err);

/* ---- logs ------------------------------------------------------------------- */

/* One line of the log. Kept in the CRI log format: "RFC3339Nano stdout|stderr F|P text". */
struct mrg_log_line {
	int64_t time;			/* ns since the epoch */
	int stream;			/* 1 stdout, 2 stderr */
	int partial;			/* the line goes on in the next record */
	const char *text;
	size_t length;
};
struct mrg_log_query {
	int64_t since, until;		/* ns since the epoch; 0: no bound */
	int64_t tail;			/* only the last n lines; -1: all */
	int follow;			/* go on until the container ends or @line returns non-zero */
};
int mrg_logs(struct mrg_container *c, const struct mrg_log_query *query,
	     int (*line)(const struct mrg_log_line *line, void *data), void *data, struct mrg_error *err);

/* ---- doctor ----------------------------------------------------------------- */

/* One finding about this host: "ok", "warning" or "error". */
struct mrg_finding {
	const char *level, *subject, *text, *fix;	/* fix: a command, or NULL */
};
int mrg_doctor(struct mrg *m, int (*found)(const struct mrg_finding *finding, void *data), void *data,
	       struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
