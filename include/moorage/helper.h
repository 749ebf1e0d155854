/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_HELPER_H
#define MOORAGE_HELPER_H

/*
 * Ready-made parts for backend plugins. Helpers with a verb's signature go into
 * the table as they are, so that a backend reads as a list of choices; the
 * others are steps for a start verb. They know a container's cgroup by
 * unit->id, so any process can use them.
 */

#include <moorage/backend.h>
#include <moorage/moorage.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- cgroups: verbs -------------------------------------------------------------------
 *
 * A container's cgroup is /PARENT/NAME-ID (PARENT from linux.cgroupsPath, else "moorage"; without one on hosts that
 * have cgroup v1: /moorage-NAME-ID) in every hierarchy that it is a member of. With cgroup v2 beside v1 (hybrid) v2
 * tells, freezes and kills, and v1 limits. */

/* Verb kill: @all by cgroup.kill (Linux 5.14) or by freezing and walking the tree. */
int mrg_helper_cgroup_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);

/* Verbs pause and resume, by cgroup.freeze (v2) or the freezer hierarchy (v1). */
int mrg_helper_cgroup_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int mrg_helper_cgroup_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err);

/* Verb state: ABSENT is never returned; with no process: CREATED, or STOPPED when unit->dir has an exit record. */
int mrg_helper_cgroup_state(void *self, const struct mrg_unit *unit, struct mrg_error *err);

/* Verbs stats, update, processes. */
int mrg_helper_cgroup_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int mrg_helper_cgroup_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes,
			     struct mrg_error *err);
int mrg_helper_cgroup_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
				void *data, struct mrg_error *err);

/* Verb cleanup: kills what is left, reads the OOM counters, removes the cgroups (and PARENT when empty). */
int mrg_helper_cgroup_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);

/* Verb destroy: cleanup without a report, -MRG_E_STATE while something runs. What others have left of the cgroups only cleanup finds, which comes before. */
int mrg_helper_cgroup_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err);

/* The cgroup of a process as a unit takes it, "/lxc.payload.web": of cgroup v2 unless the process is at its top, else of v1; without what an init
 * system has made for itself inside (init.scope, .lxc, libvirt's emulator ...). -MRG_E_NOT_RUNNING when there is no such process. */
int mrg_helper_cgroup_of(pid_t pid, char *ret, size_t size, struct mrg_error *err);

/* ---- cgroups: steps of start and exec -------------------------------------------------- */

#define MRG_CGROUP_MAX	16

/* What a child needs to enter a cgroup by itself: descriptors opened beforehand. */
struct mrg_cgroup_entry {
	int unified;			/* directory in cgroup v2, for CLONE_INTO_CGROUP (Linux 5.7); -1: none */
	int tasks[MRG_CGROUP_MAX];	/* the "tasks" files of v1 hierarchies */
	size_t n_tasks;
};
#define MRG_CGROUP_ENTRY_INIT	{ .unified = -1, .n_tasks = 0 }

/* Makes the cgroups of @unit and applies the limits and device rules of its spec. On failure nothing is left. */
int mrg_helper_cgroup_create(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err);

/* The same in two halves, the second of which is made while the child is busy with what needs no cgroups. Begin makes what the child must be born
 * in (entry->unified); it leaves nothing when it fails. Finish makes the rest and completes @entry, which is handed to the child to
 * enter; what it leaves when it fails is for the verb cleanup, after the end of the child. The unit must live as long as @ret. */
struct mrg_helper_cgroups;
int mrg_helper_cgroup_begin(const struct mrg_unit *unit, struct mrg_helper_cgroups **ret, struct mrg_cgroup_entry *ret_entry,
			    struct mrg_error *err);
int mrg_helper_cgroup_finish(struct mrg_helper_cgroups *cgroups, struct mrg_cgroup_entry *entry, struct mrg_error *err);
struct mrg_helper_cgroups *mrg_helper_cgroups_free(struct mrg_helper_cgroups *cgroups);

/* For an engine whose containers systemd moves into a scope: one without limits, in the tracking hierarchy alone, that what was started is found and frozen by. */
int mrg_helper_cgroup_shelter(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err);

/* Opens the entry of cgroups that exist, for exec. */
int mrg_helper_cgroup_open(const struct mrg_unit *unit, struct mrg_cgroup_entry *ret, struct mrg_error *err);

/* For an engine that makes the cgroup of unit->cgroup itself: makes what is above it, in every hierarchy, so that it goes with the container's end. */
int mrg_helper_cgroup_parents(const struct mrg_unit *unit, struct mrg_error *err);

/* For an engine that makes the cgroup of unit->cgroup in some hierarchies of v1 only: makes it in the others and moves unit->process there. An init
 * system without one in name=systemd makes its own at the top of all hierarchies that it sees, the host's, and leaves the limits of its container. */
int mrg_helper_cgroup_complete(const struct mrg_unit *unit, struct mrg_error *err);

/* In the child: enters the v1 hierarchies. Writing "0" to "tasks" moves just the caller and needs no grace period of the kernel; moving another
 * process by its pid costs one (about 10 ms). The child is born in the unified one by CLONE_INTO_CGROUP. */
int mrg_helper_cgroup_enter(const struct mrg_cgroup_entry *entry, struct mrg_error *err);

/* For ordinary users, before all that makes cgroups; nothing for root. Has the user's systemd make a scope of the container's own and this monitor a part of
 * it, where there is one to be asked; fails without, if the spec has limits. It goes with its last process. */
int mrg_helper_cgroup_scope(const struct mrg_unit *unit, struct mrg_error *err);

/* Makes room: this monitor leaves the top of the scope for a cgroup beside the container's, so that controllers can be enabled below it. */
int mrg_helper_cgroup_aside(const struct mrg_unit *unit, struct mrg_error *err);

/* The path of the scope, for an engine that makes cgroups below it: 1; 0: there is none. */
int mrg_helper_cgroup_scope_path(const struct mrg_unit *unit, char *ret, size_t size);

/* Gives cgroup v2 and name=systemd of v1 to a user of the host, the root of the container's user namespace: its init system
 * can then make cgroups below its own. */
int mrg_helper_cgroup_delegate(const struct mrg_unit *unit, uid_t uid, gid_t gid, struct mrg_error *err);

/* Closes the descriptors. */
void mrg_helper_cgroup_entry_close(struct mrg_cgroup_entry *entry);

/* Which fields of the spec the cgroups of this host can honour; clears the others from @fields and
 * writes the reason into @reason (may be NULL). */
int mrg_helper_cgroup_probe(struct mrg_fields *fields, char *reason, size_t size, struct mrg_error *err);

/* ---- root file system: steps in the child's own, private mount namespace ---------------- */

/* Makes the root of @spec a mount of its own, read-only or with the throw-away overlay as asked, id-mapped when
 * @userns is not -1 (mount_setattr(2), Linux 5.12), nodev; mounted over "/" of the namespace, a descriptor on it. Mount propagation
 * of the caller's namespace must be private or slave already. */
int mrg_helper_root_open(const struct mrg_spec *spec, int userns, int *ret_fd, struct mrg_error *err);

/* The same in two steps, for a child in a user namespace, which may neither map ids nor reach every path. Where the host's rights are: a detached
 * copy of what is at @path on the host, id-mapped when @userns is not -1; with mrg_helper_root_flags() for the root. */
#define MRG_ROOT_RECURSIVE	1	/* with all mounts below it */
#define MRG_ROOT_SLAVE		2	/* what the host mounts below it later appears as well, never the other way round */
int mrg_helper_root_source(const char *path, int flags, int userns, int *ret_fd, struct mrg_error *err);
int mrg_helper_root_flags(const struct mrg_spec *spec);

/* And in the child: @source (taken) becomes the root. With an overlay, -1: the directory itself is the lower layer. */
int mrg_helper_root_place(const struct mrg_spec *spec, int source, int *ret_fd, struct mrg_error *err);

/* What mrg_helper_root_open() shows read-only below the root "/", for an engine that makes the root itself: each mount of the host that a disk or a
 * network holds. @path is escaped as in fstab(5). Ends with what @each returns when that is not 0. */
int mrg_helper_host_mounts(int (*each)(const char *path, int is_directory, void *data, struct mrg_error *err), void *data, struct mrg_error *err);

/* Mounts the mounts of the spec below @root, in order: bind, tmpfs, proc, sysfs, devpts, mqueue, cgroup, overlay and
 * others of fsopen(2); makes missing mount points (where the file system itself is read-only: an error that names them). Every path below
 * @root is resolved with openat2(2) RESOLVE_IN_ROOT. */
int mrg_helper_root_mounts(const struct mrg_unit *unit, int root, struct mrg_error *err);

/* The same with the sources of bind mounts made beforehand by mrg_helper_root_source(): one descriptor for each mount of the
 * spec (taken), -1 where there is none; @sources may be NULL. And while the monitor makes cgroups: what it hands over at the other end of @socket,
 * the descriptors of entry->tasks by mrg_helper_fds_send() after mrg_helper_cgroup_finish(), is entered before the first mount that shows cgroups, or in the end. */
#define MRG_ROOT_SOURCES_MAX	128
struct mrg_root_sources {
	int item[MRG_ROOT_SOURCES_MAX];
	size_t n;
};
int mrg_helper_root_mounts_busy(const struct mrg_unit *unit, int root, struct mrg_root_sources *sources, int socket, struct mrg_error *err);

/* Device nodes, /dev symlinks, masked and read-only paths. */
int mrg_helper_root_devices(const struct mrg_unit *unit, int root, struct mrg_error *err);
int mrg_helper_root_mask(const struct mrg_unit *unit, int root, struct mrg_error *err);

/* ---- the process: last steps in the child ----------------------------------------------- */

/* What is prepared in the monitor, so that the child only applies it. */
struct mrg_helper_process;

/* Prepares the process of @unit's spec, or with @command one to exec: compiles (or reads from the cache) the
 * seccomp filter, opens a sealed copy of moorage-init when the spec asks for it. */
int mrg_helper_process_prepare(const struct mrg_unit *unit, const struct mrg_command *command,
			       struct mrg_helper_process **ret, struct mrg_error *err);
struct mrg_helper_process *mrg_helper_process_free(struct mrg_helper_process *process);

/* In the child, with its root in place: opens a pty in /dev/pts when io->terminal is set and sends its master
 * over @socket, else uses the three descriptors; new session, controlling terminal. */
int mrg_helper_process_stdio(const struct mrg_stdio *io, int socket, struct mrg_error *err);

/* In the monitor: receives the pty master sent by the child. */
int mrg_helper_process_master(int socket, int *ret_master, struct mrg_error *err);

/*
 * In the child, last: looks the user up in /etc/passwd and /etc/group of its root, applies rlimits, oom score, umask, groups, ids, the five
 * capability sets, no_new_privs and seccomp, new session keyring, changes to the working directory (inside the root, verified), closes
 * everything but 0-2 on exec, executes. Signals are as mrg_helper_spawn() left them: default and unblocked. Returns only on failure, with
 * -MRG_E_NO_COMMAND or -MRG_E_NOT_EXECUTABLE for the command itself. The caller is single-threaded.
 */
int mrg_helper_process_execute(struct mrg_helper_process *process, struct mrg_error *err);

/* Which fields about the process work for this caller (capabilities, rlimits, ...); clears the others. */
int mrg_helper_process_probe(struct mrg_fields *fields, char *reason, size_t size, struct mrg_error *err);

/* Verb exec: enters all namespaces of unit->process by its pidfd (setns(2), Linux 5.8), its root and its cgroups. */
int mrg_helper_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command,
		    struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);

/* A range of 65536 ids of the host, for users and for groups, that no process on this host uses: from those of "moorage" or "root" in /etc/subuid and
 * /etc/subgid, else from those that systemd leaves to containers. unit->id chooses, so that a container gets the same at every start if it can. */
int mrg_helper_ids_choose(const struct mrg_unit *unit, struct mrg_id_mapping *ret_uid, struct mrg_id_mapping *ret_gid, struct mrg_error *err);

/* ---- ordinary users ---------------------------------------------------------------------- */

/* The ids that the caller may map beside the own one: the first line of it in /etc/subuid and in /etc/subgid, if newuidmap(1) and newgidmap(1) are there.
 * 1, or 0 when there are none: @why says which line or package is missing. */
int mrg_helper_user_ids(struct mrg_id_mapping *ret_uid, struct mrg_id_mapping *ret_gid, char *why, size_t size);

/* Whether the caller gets a user namespace with rights in it: tries one in a child. */
int mrg_helper_user_probe(struct mrg_error *err);

/* The error of a user namespace that the kernel refused with @code, with what would allow it. */
int mrg_helper_user_refused(int code, struct mrg_error *err);

/* ---- moorage-init inside containers of engines ------------------------------------------
 *
 * moorage-init [OPTION...] -- COMMAND [ARG...] is executed by the engine as the first process: from a read-only bind mount, or from the descriptor of a
 * sealed copy where the engine passes descriptors on. Descriptor MRG_INIT_ERROR_FD, when open, gets a struct mrg_error if the command cannot be executed
 * and is closed once it is; with --status MRG_INIT_STATUS_FD gets the wait(2) status word of the command; with --stdio the three from
 * MRG_INIT_STDIO_FD on become 0, 1 and 2; with --terminal the master of a terminal of the container's own is sent over the socket MRG_INIT_STDIO_FD, for
 * mrg_helper_process_master(), --size ROWS:COLUMNS tells its size; with --environment MRG_INIT_ENVIRONMENT_FD holds the whole environment, each variable
 * ended by NUL; with --wait it waits for a byte from MRG_INIT_WAIT_FD before all else; --filter loads the seccomp filter in MRG_INIT_FILTER_FD;
 * --sysctls sets those in MRG_INIT_SYSCTLS_FD, written like the environment; --mounts does what MRG_INIT_MOUNTS_FD says, written
 * likewise: "flags SET:CLEAR PATH", the bits of mount_setattr(2) in hexadecimal, "hide PATH", "readonly PATH" and "private PATH". --umask
 * OCTAL, --cwd DIRECTORY, --user UID:GID[,GID...] as mrg_helper_user() gives it, --caps INHERITABLE:AMBIENT[:BOUNDING] (hexadecimal). With --socket
 * MRG_INIT_ERROR_FD is a socket over which the pipe comes (SCM_RIGHTS), for engines that keep open what they pass on; an empty record is written
 * first. With --exec the command takes its place: there is no init, and no --status. */
#define MRG_INIT_STATUS_FD	4
#define MRG_INIT_STDIO_FD	5
#define MRG_INIT_ENVIRONMENT_FD	8
#define MRG_INIT_WAIT_FD	9
#define MRG_INIT_FILTER_FD	10
#define MRG_INIT_SYSCTLS_FD	11
#define MRG_INIT_MOUNTS_FD	12

/* A sealed copy of moorage-init in memory, executable through /proc/self/fd: a container that gets it by descriptor reaches no file of the host. */
int mrg_helper_init_open(int *ret_fd, struct mrg_error *err);

/* Memory with the seccomp filter that @spec asks for: what is given as MRG_INIT_FILTER_FD. *ret_fd is -1 when it asks for none. */
int mrg_helper_filter_new(const struct mrg_spec *spec, int *ret_fd, struct mrg_error *err);

/* Who the first process of @spec runs as, looked up in /etc/passwd and /etc/group below @root (a descriptor): "UID:GID[,GID...]" and, unless NULL, the home
 * directory ("/" when there is none). The caller frees both. */
int mrg_helper_user(const struct mrg_spec *spec, int root, char **ret_ids, char **ret_home, struct mrg_error *err);

/* The path of moorage-init on the host; -MRG_E_NO_ENGINE when it is not installed. */
int mrg_helper_init_path(char *ret, size_t size, struct mrg_error *err);

/* Memory for the status word and the count of OOM kills that its holder can neither grow nor shrink: what is given as MRG_INIT_STATUS_FD. */
int mrg_helper_status_new(int *ret_fd, struct mrg_error *err);

/* What was written there: 1 and *ret_status, or 0 when nothing was (the first process was killed). */
int mrg_helper_status_read(int fd, int *ret_status);

/* Whether the kernel had killed something in the container for want of memory, where it sees its own cgroup: for engines that remove theirs before anybody
 * can look. */
int mrg_helper_status_oom(int fd);

/* In a child of mrg_helper_spawn(): the pipe its failure travels through, close-on-exec. The number must be free in the
 * caller. moorage-init, when it is executed, inherits the pipe as MRG_INIT_ERROR_FD instead. */
#define MRG_SPAWN_ERROR_FD	255
#define MRG_INIT_ERROR_FD	3

/* Starts a child of the calling (single-threaded) monitor. @child runs in it with @data and must end in an exec; what it returns in @err
 * travels back through a pipe and is returned here, EOF by a successful exec is success.
 * @flags: of clone3(2). @parent, when not NULL, runs in the caller between the birth of the child and its start, with the child's pid (id maps ...).
 * When it fails the child is killed and reaped. The child dies with the caller until it has executed. */
int mrg_helper_spawn(uint64_t flags, const struct mrg_cgroup_entry *cgroup, int (*child)(void *data, struct mrg_error *err),
		     int (*parent)(pid_t pid, void *data, struct mrg_error *err), void *data, struct mrg_process *ret, struct mrg_error *err);

/* The same with more for the caller to do. */
struct mrg_spawn {
	uint64_t flags;
	const struct mrg_cgroup_entry *cgroup;
	int (*child)(void *data, struct mrg_error *err);
	int (*parent)(pid_t pid, void *data, struct mrg_error *err);
	int (*meanwhile)(void *data, struct mrg_error *err);	/* runs while the child is at work, and fails as @parent does; may be NULL */
	void *data;
};
int mrg_helper_spawn_busy(const struct mrg_spawn *spawn, struct mrg_process *ret, struct mrg_error *err);

/* Hands @n descriptors, at most MRG_FDS_MAX, to the child: 0 or a negative errno. It waits for those of one call after the other, and is told how
 * many they are, or a negative errno; -EPIPE: the monitor is gone. */
#define MRG_FDS_MAX	MRG_CGROUP_MAX
int mrg_helper_fds_send(int socket, const int *fds, size_t n);
int mrg_helper_fds_receive(int socket, int *fds, size_t max);

/* ---- systemd-nspawn ---------------------------------------------------------------------- */

/* What together configures a container of systemd-nspawn. */
struct mrg_nspawn_texts {
	char *settings;			/* its .nspawn file, systemd.nspawn(5) */
	char *dropin;			/* of the unit that runs it: limits; "" when there are none */
	char **argv;			/* options and command that have no key in the file, NULL-terminated: what follows "systemd-nspawn" */
};

/*
 * Writes @spec for systemd-nspawn. The caller adds what is not of the spec: --machine=, --register=, --keep-unit; the file must be where
 * nspawn trusts it, /run/systemd/nspawn/MACHINE.nspawn. Each field set is reported once (@report may be NULL), so that a backend can refuse what weakens.
 * Nothing is opened: a masked path that this kernel does not have makes nspawn fail, and is the caller's to take out before.
 * Returns 0, what @report returned, or a negative error; then @ret holds nothing.
 */
int mrg_helper_nspawn_write(const struct mrg_spec *spec, struct mrg_nspawn_texts *ret, mrg_report_fn report, void *data,
			    struct mrg_error *err);

/* Frees what mrg_helper_nspawn_write() gave, and empties @texts. */
void mrg_helper_nspawn_free(struct mrg_nspawn_texts *texts);

#ifdef __cplusplus
}
#endif
#endif
