/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_BACKEND_H
#define MOORAGE_BACKEND_H

/*
 * The contract between libmoorage and one backend plugin.
 *
 * A plugin is $(libdir)/moorage/NAME.so and exports one symbol, the constant
 * table mrg_backend_v0. The core copies the table at load and never unloads the
 * plugin. Sizes are bytes, times nanoseconds unless a name says otherwise (_ms),
 * descriptors are close-on-exec.
 *
 * Every verb returns 0 (or a documented positive value) or a negative errno,
 * and on failure fills @err with one sentence (error.h). An output is written
 * only on success. "Takes" means ownership passes; all else is borrowed for the
 * duration of the call. A verb must not: print; exit; change the signal mask,
 * handlers, umask, cwd or environment of its process; wait for children it did
 * not make; leave a descriptor open that it does not return. Verbs marked
 * "monitor" run in a moorage-monitor process of their own, single-threaded, which they may
 * change as they like. All others may run in any program.
 *
 * Verbs are stateless: each call may come from a process that has made no other
 * call. All a verb may rely on is in the unit.
 *
 * Growth: structures that the core allocates and passes by pointer may grow at the
 * end with a new minor. Those that a plugin allocates, that sit inside another or
 * that form arrays are frozen (marked so). The table is the one exception, and the
 * reason it carries its size.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <moorage/error.h>
#include <moorage/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MRG_BACKEND_SYMBOL	"mrg_backend_v0"	/* the major is in the name */
#define MRG_ABI_MINOR		4

struct mrg;				/* the library's context (moorage.h) */
struct mrg_look;			/* the core's */

/* What a container is doing, as the engine or the kernel tells. */
enum mrg_state {
	MRG_STATE_ABSENT,		/* the engine has no trace of it */
	MRG_STATE_CREATED,		/* known, never started */
	MRG_STATE_RUNNING,
	MRG_STATE_PAUSED,
	MRG_STATE_STOPPED,		/* ran and ended, or died */
};

/* The process whose end is the end of the container (or of the exec). Frozen. */
struct mrg_process {
	pid_t pid;			/* on the host; 0: unknown */
	int pidfd;			/* pidfd_open(2), Linux 5.3; -1: none */
	uint64_t start_time;		/* field 22 of /proc/PID/stat, clock ticks: tells a reused pid */
};

/* One container, as a backend sees it. */
struct mrg_unit {
	const char *name;		/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 63 */
	const char *id;			/* [0-9a-f]{16}, never used twice; names cgroups and the like */
	const struct mrg_spec *spec;	/* checked, defaults filled in */
	int dir;			/* directory of the container: the backend's own files go here; -1: it has none (yet) */
	const struct mrg_process *process;	/* what start or the verb process gave, found alive just now; NULL: not known to run */
	const char *path;		/* where the engine keeps it (lxcpath, directory of machines, URI); NULL: the engine's default */
	int adopted;			/* made by the engine's own tools: what is written in its configuration stays as it is */
	const char *cgroup;		/* for helpers, which a plugin gives a copy of the unit: the cgroup its engine has made, a path below each
					 * hierarchy; NULL: the one named after the unit */
	int transient;			/* it goes with its end, at the latest with the boot: nothing about it is kept over a reboot */
	const struct mrg_look *look;	/* for helpers: what the core knows of the host while it looks at many; NULL: nothing */
};

/* Standard input, output and error of what is started. Frozen. */
struct mrg_stdio {
	int in, out, err;		/* -1 each when @terminal is set */
	int terminal;			/* set: the verb opens a pty inside the container and makes
					 * its slave the three and the controlling terminal */
	int master;			/* in: -1; out, with @terminal: the pty master, the caller takes it */
};

/* A command to run inside a running container. The core allocates it. */
struct mrg_command {
	char **args;			/* NULL-terminated, at least one */
	char **env;			/* NULL-terminated, complete */
	const char *cwd;		/* absolute, in the container; NULL: that of the spec */
	const char *user;		/* "name|uid[:group|gid]" looked up in the container; NULL: that of the spec */
	int privileged;			/* keep all capabilities of the bounding set of the container's spec */
};

/* A bit of mrg_stats.valid per member that follows it, in order. */
enum {
	MRG_STAT_CPU, MRG_STAT_MEMORY, MRG_STAT_MEMORY_PEAK, MRG_STAT_MEMORY_LIMIT, MRG_STAT_PIDS,
	MRG_STAT_IO_READ, MRG_STAT_IO_WRITTEN, MRG_STAT_NET_RECEIVED, MRG_STAT_NET_SENT, MRG_STAT_OOM_KILLS,
};

struct mrg_stats {
	uint64_t valid;
	uint64_t cpu_ns, memory, memory_peak, memory_limit, pids;
	uint64_t io_read, io_written, net_received, net_sent, oom_kills;
};

/* What works on this host for this user. */
struct mrg_probe {
	struct mrg_fields fields;	/* of those in the table, the ones that work here and now */
	char engine[64];		/* "systemd 252", "Linux 6.18": for humans */
	char reason[192];		/* why fields are missing; empty if none is */
	int boundary;			/* 1: a container of this backend is a security boundary by its
					 * own means; 0: it is none, @boundary_reason says why */
	char boundary_reason[128];
};

/* One container found by list. Frozen: a plugin allocates it. */
struct mrg_found {
	const char *name;		/* the engine's name for it: 1 to 200 bytes, no '/' and no control characters, else it is passed over */
	const char *rootfs;		/* what list knows without asking further; NULL, 0 and ABSENT: it does not */
	pid_t init;
	int state;			/* enum mrg_state */
};
typedef int (*mrg_found_fn)(const struct mrg_found *found, void *data);

/* A speciality of one backend, given as --opt KEY=VALUE and checked by the core. Frozen. */
struct mrg_option {
	const char *key;
	const char *values;		/* "bool", "uint", "string" or "enum:a|b|c" */
	const char *help;		/* one line */
};

/* How a container's life ended, as far as the engine knows more than the wait status. */
struct mrg_exit {
	int oom_killed;			/* the kernel killed something in it for its memory limit */
	int status_known;		/* @status is the payload's wait(2) status word, where that of the child start gave is the engine's */
	int status;
};

/* What becomes of a configuration that is set aside. */
enum mrg_park {
	MRG_PARK_ASIDE,			/* out of the engine's sight */
	MRG_PARK_BACK,			/* as it was before */
	MRG_PARK_DISCARD,		/* what was set aside is removed */
};

/* One native command or file an operation amounts to, for --explain. @text may have several lines. */
typedef int (*mrg_explain_fn)(const char *text, void *data);

struct mrg_backend {
	uint32_t size;			/* both set by MRG_BACKEND_HEADER */
	uint32_t minor;
	const char *name;		/* equals NAME in the file name: [a-z][a-z0-9-]* */
	const char *summary;		/* one line */
	const uint16_t *fields;		/* enum mrg_field, in its order: the most it can ever honour; MRG_FIELD_END ends it */
	const struct mrg_option *options;	/* ends with a NULL key; may be NULL */

	/* Optional pair. One instance per context; holds caches only, no container's data.
	 * Without open, @self is NULL everywhere. */
	int (*open)(struct mrg *ctx, void **ret_self, struct mrg_error *err);
	void (*close)(void *self);

	/* Mandatory. What works on this host for this user, found by trying; below 1 ms where no
	 * engine must be asked. -MRG_E_NO_ENGINE: the engine is missing, with the package or unit to
	 * install or start as hint; -MRG_E_PERMISSION: this user cannot. */
	int (*probe)(void *self, struct mrg_probe *ret, struct mrg_error *err);

	/* Optional. Says no to a combination that fields cannot express, -MRG_E_UNSUPPORTED or
	 * -MRG_E_INVALID. After a yes, create and start may fail only for causes outside the spec. */
	int (*check)(void *self, const struct mrg_spec *spec, struct mrg_error *err);

	/* Optional. Writes what the engine needs; starts nothing. Undone by destroy. */
	int (*create)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Mandatory, monitor. Legal in CREATED and STOPPED. First clears leftovers of an earlier life.
	 * Returns when the payload has been executed: a command that does not exist is
	 * -MRG_E_NO_COMMAND, one that cannot be executed -MRG_E_NOT_EXECUTABLE. @ret->pid is a child of the caller
	 * (then it is waited for by pid) or, when the engine owns it, @wait must be set. On failure nothing is left. */
	int (*start)(void *self, const struct mrg_unit *unit, struct mrg_stdio *io,
		     struct mrg_process *ret, struct mrg_error *err);

	/* Optional, monitor or any. After the end: releases what start took (cgroups, mounts, processes
	 * that outlived the first one), once more without harm, and tells how it ended. Absent: nothing to release. */
	int (*cleanup)(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);

	/* Optional. Asks for an orderly end and returns at once. Absent: the core sends the stop signal of
	 * the spec through @kill. */
	int (*stop)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Mandatory. Sends @signo to the first process, or with @all to every process of the
	 * container, atomically when it is SIGKILL. -MRG_E_NOT_RUNNING when there is none. */
	int (*kill)(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);

	/* Only for engines that own the process. Gives a wait(2) status word.
	 * -MRG_E_TIMEOUT after @timeout_ms; -1 waits for ever. */
	int (*wait)(void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status,
		    struct mrg_error *err);

	/* Optional pair. Return when every process is frozen or thawed; 1 when it already was so. */
	int (*pause)(void *self, const struct mrg_unit *unit, struct mrg_error *err);
	int (*resume)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Optional, monitor. Runs @command inside under the policy of the spec (capabilities, seccomp, no_new_privs,
	 * cgroup, namespaces). @ret->pid is a child of the caller; its end is the command's end. Errors as start's. */
	int (*exec)(void *self, const struct mrg_unit *unit, const struct mrg_command *command,
		    struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);

	/* Optional, monitor. The master side of a terminal on the console of a container whose stdio the core does not hold
	 * (one that was started by others). The caller takes it. */
	int (*console)(void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);

	/* Mandatory. Returns one of enum mrg_state, observed, not remembered: it also finds a container
	 * whose monitor was killed before it could record the process. Where many are listed, unit->spec may hold no more than root.path and
	 * linux.cgroupsPath. */
	int (*state)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Optional. Fills what it knows and sets the bits of @ret->valid. */
	int (*stats)(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);

	/* Optional. Applies to the running container the resource limits set in @changes (a spec in which only
	 * those are set); all or none. */
	int (*update)(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err);

	/* Optional. Calls @found with the pid of every process inside, host pids. Absent: the core cannot list them. */
	int (*processes)(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
			 struct mrg_error *err);

	/* Mandatory. Legal unless RUNNING or PAUSED (-MRG_E_STATE). Removes every trace in
	 * the engine; 0 when there was none. The core removes unit->dir afterwards. */
	int (*destroy)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Optional three with find (below), for engines that keep containers of their own: all or none. @path as in the unit. None loads a library or
	 * starts a daemon only to find out that the engine is not in use here: that is -MRG_E_NO_ENGINE. */

	/* What the engine has, ours or not, in no order; a non-zero return of @found ends the walk and is returned. */
	int (*list)(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);

	/* Fills the empty @spec from the engine's own configuration of unit->name (unit->spec is empty); changes nothing. -MRG_E_NOT_FOUND. */
	int (*adopt)(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);

	/* Optional. The native commands and files that create and start amount to; changes nothing. */
	int (*explain)(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

	/* Minor 1. */

	/* Whether the engine has one of this name: 1 or 0. Asked whenever a user names a container without its backend, so it looks at files or a
	 * socket and does not load the engine's library. */
	int (*find)(void *self, const char *path, const char *name, struct mrg_error *err);

	/* Optional. The first process as the engine tells it, whoever started the container: 1 and *ret (pidfd may be -1, start_time 0), or 0 when
	 * there is none. Asked when unit->process is not known. */
	int (*process)(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);

	/* Optional. The engine's own text of the container's configuration: the LXC config, the .nspawn file, the domain XML; in one or several calls of @text. */
	int (*native)(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err);

	/* Optional. unit->spec has changed: writes the engine's configuration anew, whole or not at all. Never called for adopted ones. */
	int (*configure)(void *self, const struct mrg_unit *unit, struct mrg_error *err);

	/* Optional. Gives a container at rest another name, with all the engine has of it. Absent: the core destroys and creates, and
	 * refuses for adopted ones. -MRG_E_EXISTS. */
	int (*rename)(void *self, const struct mrg_unit *unit, const char *name, struct mrg_error *err);

	/* Optional. Start at boot by the engine's own means: @on 1 or 0 sets it, -1 only asks; returns 1 or 0, what it is now. Absent: the
	 * core uses the unit template moorage@.service. */
	int (*autostart)(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err);

	/* Optional, monitor, with open. Nothing is known yet but that a start will follow soon: the moment to make what most starts need, kept in @self.
	 * What cannot be made is no failure, start makes it; a failure is what start could not repair either, and ends the monitor. */
	int (*ready)(void *self, struct mrg_error *err);

	/* Minor 2. */

	/* Optional. Where the engine keeps the root of a container of this name, there or not: *ret is allocated with malloc(3), the caller's to free.
	 * unit->spec, if not NULL, tells how it is going to be confined. Absent, or *ret left NULL: it has no place for such roots. */
	int (*home)(void *self, const struct mrg_unit *unit, char **ret, struct mrg_error *err);

	/* Optional. Takes all that the engine's own tools need to start a container at rest out of their sight, whole and whoever made it, and brings it back
	 * as it was or removes it (enum mrg_park); its root is not touched. What is kept goes under a name that ends with @tag, or into the directory
	 * @dir, which is kept as long as the container is. What is so already is done again without harm. -MRG_E_EXISTS: something else has its place by
	 * now. Absent: the engine knows only what the record says. */
	int (*park)(void *self, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err);

	/* Minor 3. 1: in a container with users of its own files have the owners that they have on the host, and must belong to the ids it maps; 0: they are mapped. */
	uint32_t keeps_owners;
};

/* A plugin file ends with: MRG_BACKEND = { MRG_BACKEND_HEADER, .name = ... }; */
#define MRG_BACKEND							\
	extern const struct mrg_backend mrg_backend_v0;			\
	__attribute__((visibility("default")))				\
	const struct mrg_backend mrg_backend_v0
#define MRG_BACKEND_HEADER						\
	.size = sizeof(struct mrg_backend), .minor = MRG_ABI_MINOR

#ifdef __cplusplus
}
#endif
#endif
