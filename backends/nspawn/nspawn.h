/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPAWN_H
#define NSPAWN_H

/* What the files of the backend for systemd-nspawn share. */

#include <limits.h>
#include <stdbool.h>

#include <moorage/helper.h>

/* ---- places.c: where nspawn keeps things --------------------------------------------------- */

/* Refuses a name that cannot be a machine's. */
int nspawn_check_name(const char *name, struct mrg_error *err);

/* A root, by the rules of machinectl: the directory NAME, or the disk image NAME.raw, in the first of the directories of machines (or
 * in @path when not NULL) that has either. */
struct nspawn_image {
	char path[PATH_MAX];
	bool is_file;
};
/* 1: found, 0: there is none. */
int nspawn_image_find(const char *path, const char *name, struct nspawn_image *ret, struct mrg_error *err);

/* Calls @found with the name of each, running or not, of which nspawn can make a machine. */
int nspawn_image_list(const char *path, int (*found)(const char *name, void *data), void *data, struct mrg_error *err);

/* The file NAME.nspawn that nspawn reads. */
struct nspawn_settings {
	char path[PATH_MAX];
	bool trusted;			/* not the one beside the image */
};
int nspawn_settings_find(const char *path, const char *name, struct nspawn_settings *ret, struct mrg_error *err);

/* All places where such a file can be. -ENOMEM. */
int nspawn_settings_paths(const char *path, const char *name, char ***ret);

/* ---- machine.c: what runs ------------------------------------------------------------------- */

#define NSPAWN_UNIT_SIZE	256	/* names of systemd's units have at most 255 characters */

/* A machine that runs, as machined or the kernel tells. */
struct nspawn_machine {
	struct mrg_process leader;	/* its first process; pid 0: not known */
	char cgroup[PATH_MAX];		/* of nspawn and the payload; "": the one named after the unit */
	char payload[PATH_MAX];		/* of the payload alone, where nspawn has made one; "": none */
	char systemd_unit[NSPAWN_UNIT_SIZE];	/* that systemd runs it in; "": none */
	struct mrg_unit unit;		/* a copy of the container's with leader and @cgroup; not to be copied */
};
#define NSPAWN_MACHINE_INIT	{ .leader.pidfd = -1 }

/* Looks; without a leader @ret->unit is as @unit. 1: there is a leader, 0: there is none. */
int nspawn_machine_open(const struct mrg_unit *unit, struct nspawn_machine *ret, struct mrg_error *err);
void nspawn_machine_close(struct nspawn_machine *machine);
#define _cleanup_machine_	_cleanup_(nspawn_machine_close)

/* nspawn takes the names of machines for host names. */
bool nspawn_name_is_valid(const char *name);

/* What machined has of @name: 1 and *ret_leader, or 0. @ret_unit (of NSPAWN_UNIT_SIZE) may be NULL. */
int nspawn_registered(const char *name, pid_t *ret_leader, char *ret_unit, struct mrg_error *err);

/* The unit in which machined has a machine called so, whatever has become of its processes: 1, 0: it has none, -EAGAIN: the unit is just being started or
 * stopped. */
int nspawn_registered_scope(const char *name, char ret_unit[NSPAWN_UNIT_SIZE]);

/* Verbs. */
int nspawn_process(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);
int nspawn_state(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);
int nspawn_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
		struct mrg_process *ret, struct mrg_error *err);
int nspawn_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int nspawn_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err);
int nspawn_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
		     struct mrg_error *err);

/* ---- payload.c: what nspawn executes --------------------------------------------------------- */

/* moorage-init, handed over by descriptors: it needs no place in the root, and stands in for what nspawn cannot do. */
#define NSPAWN_IMAGE_FD	(MRG_INIT_SYSCTLS_FD + 1)	/* of the copy of moorage-init that is executed */

struct nspawn_payload {
	char **args;			/* NULL: nspawn finds out itself what to run */
	int image, status, environment, filter;
	int socket[2];			/* of the terminal: ours, its own */
	int error[2], wait[2];		/* pipes: reading end, writing end */
};
#define NSPAWN_PAYLOAD_INIT	\
	{ .image = -1, .status = -1, .environment = -1, .filter = -1, .socket = { -1, -1 }, .error = { -1, -1 }, .wait = { -1, -1 } }

int nspawn_payload_prepare(const struct mrg_unit *unit, const struct mrg_stdio *io, struct nspawn_payload *ret, struct mrg_error *err);
void nspawn_payload_deinit(struct nspawn_payload *payload);

/* Lets it go on, and hears whether the command was executed. */
int nspawn_payload_release(struct nspawn_payload *payload, struct mrg_error *err);

/* ---- root.c: looking into the root ------------------------------------------------------------ */

/* The init of the root at @path: *ret is constant. -MRG_E_NO_COMMAND. */
int nspawn_find_init(const char *path, const char **ret, struct mrg_error *err);

/* A copy of the spec of a container to be, as its files say it: without masked and read-only paths that are not there, for nspawn an error, and flags of bind
 * mounts. */
int nspawn_reduce(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err);

/* A copy of what nspawn itself has to do of the spec when we start it: the rest is done better from outside and by moorage-init. */
int nspawn_share(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err);

/* In the container whose first process waits: device nodes, flags of mounts, read-only paths and masks. */
int nspawn_furnish(const struct mrg_unit *unit, pid_t leader, struct mrg_error *err);

/* ---- settings.c: the settings that nspawn is shown ------------------------------------------------ */

/* Of our own what nspawn has to do itself. Those of others' machines hide what stands on the command line: they are shown without what they say of the command.
 * Nobody else sees either. */
struct nspawn_cover {
	int file;			/* what is shown, a mount not attached yet; -1: nothing needs to be covered */
	char path[PATH_MAX];		/* in place of what */
};
/* @spec: what of our own nspawn has to do; NULL: it is others'. */
int nspawn_cover_prepare(const struct mrg_unit *unit, const struct mrg_spec *spec, struct nspawn_cover *ret, struct mrg_error *err);

/* In a child with a mount namespace of its own. */
int nspawn_cover_mount(const struct nspawn_cover *cover, struct mrg_error *err);

/* ---- manager.c: hosts that systemd manages -------------------------------------------------------- */

/* Whether systemd runs here and can be asked: then machines are registered and run in units of its own. */
bool nspawn_is_managed(void);

/* Whether the host has version 2 of the control groups alone. */
bool nspawn_is_unified(void);

/* Whether the template unit is what starts the container: it does for what others made in the ordinary places. */
bool nspawn_is_started_by_unit(const struct mrg_unit *unit);

/* Starts it and waits until it runs. */
int nspawn_unit_start(const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);

/* Asks for an orderly end, as machinectl does; returns at once. @name: of the unit. */
int nspawn_unit_stop(const char *name, struct mrg_error *err);

/* The limits of @spec as assignments of unit properties, "MemoryMax=64M" ..., the caller frees them. */
int nspawn_unit_properties(const struct mrg_spec *spec, char ***ret, struct mrg_error *err);

/* Sets them in the running unit @name. */
int nspawn_unit_set(const char *name, const struct mrg_spec *changes, struct mrg_error *err);

/* Has machined forget the machine of an nspawn that was killed; one may still be about to be registered. */
void nspawn_unit_end_machine(const char *name);

/* The unit of the template that may have run the machine stays with systemd as a failed one when it was killed, until it is forgotten. */
void nspawn_unit_forget(const struct mrg_unit *unit);

/* Verb wait, for what the template unit runs. */
int nspawn_wait(void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err);

/* ---- command.c: the command line -------------------------------------------------------------- */

/* The program; -MRG_E_NO_ENGINE. */
int nspawn_find_program(const char **ret, struct mrg_error *err);

/* The whole command line; the caller frees it with strv_free(). @spec: of our own, what their settings were written from. @console: of --console=. @payload may
 * be NULL. */
int nspawn_command(const struct mrg_unit *unit, const struct mrg_spec *spec, const char *console, char *const *payload, char ***ret, struct mrg_error *err);

/* ---- unit.c: the units that run machines at boot and by machinectl ------------------------------ */

/* The words of the last ExecStart= of systemd-nspawn@NAME.service without the program, %i expanded; its own when there is none. */
int nspawn_unit_command(const char *name, char ***ret, struct mrg_error *err);

/* Calls @text with each drop-in of the unit, in order. */
int nspawn_unit_dropins(const char *name, mrg_explain_fn text, void *data, struct mrg_error *err);

int nspawn_autostart(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err);

/* ---- notify.c: what nspawn tells --------------------------------------------------------------- */

/* A socket for NOTIFY_SOCKET=; @address is its name. */
#define NSPAWN_ADDRESS_SIZE	32
int nspawn_notify_open(char address[NSPAWN_ADDRESS_SIZE], int *ret_fd, struct mrg_error *err);

/* Waits until the payload is about to be executed: 1 and the pid of the first process, or 0 when the nspawn behind @pidfd has ended without. */
int nspawn_notify_wait(int fd, int pidfd, pid_t *ret_leader);

/* ---- files.c: verbs about what is written -------------------------------------------------------- */

/* The drop-in of the machine %s that is ours. */
#define NSPAWN_UNITS		"/etc/systemd/system"
#define NSPAWN_DROPIN_DIR	NSPAWN_UNITS "/systemd-nspawn@%s.service.d"
#define NSPAWN_DROPIN_FILE	"moorage.conf"
#define NSPAWN_DROPIN		NSPAWN_DROPIN_DIR "/" NSPAWN_DROPIN_FILE

int nspawn_create(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_configure(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int nspawn_rename(void *self, const struct mrg_unit *unit, const char *name, struct mrg_error *err);

/* ---- adopt.c: verbs about what others made -------------------------------------------------------- */

int nspawn_find(void *self, const char *path, const char *name, struct mrg_error *err);
int nspawn_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);
int nspawn_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);
int nspawn_native(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err);

/* ---- park.c ----------------------------------------------------------------------------------------- */

int nspawn_home(void *self, const struct mrg_unit *unit, char **ret, struct mrg_error *err);
int nspawn_park(void *self, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err);

/* ---- probe.c, check.c, explain.c ------------------------------------------------------------------ */

extern const uint16_t nspawn_fields[];
int nspawn_probe(void *self, struct mrg_probe *ret, struct mrg_error *err);
int nspawn_check(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int nspawn_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

/* ---- start.c, tidy.c ------------------------------------------------------------------------------- */

/* One per process: what a monitor keeps between start and cleanup. */
struct nspawn_self {
	int status;			/* memory for the payload's status word; -1: none */
};

int nspawn_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);
int nspawn_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);

/* Removes what an nspawn that was killed has left beside the root. */
void nspawn_tidy(const struct mrg_unit *unit);

/* Ends a machine of its name that nothing runs in any more: machined would register no other. */
void nspawn_end_stale_machine(const struct mrg_unit *unit);

#endif
