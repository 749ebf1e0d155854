/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_H
#define FAKE_H

/* Backends without isolation, for tests: the payload is an ordinary process of the host. Their memory is files in
 * the container's directory: fake.created, fake.pid, fake.exec, fake.paused, fake.limits.
 *
 * Two are made of these sources: "fake" (fake_table.c) claims what it does not do, for tests of what is above a backend. "honest"
 * (honest.c) keeps what it promises, for tests of the kit that judges backends. */

#include <stdbool.h>

#include <moorage/backend.h>

/* What differs between them. NULL members: the simple way. */
struct fake_kind {
	const uint16_t *fields;		/* what probe says works */
	/* In the child, before it executes: what the spec and a command's user ask of the process; 0 or an errno. */
	int (*enter)(const struct mrg_unit *unit, const struct mrg_command *command);
	/* Every process of the container, whatever became of it; without it those that were started are known. */
	int (*each)(const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data);
};
extern const struct fake_kind fake_kind;

/* fake_fault.c: called first by every verb. Notes "VERB NAME" in the file MRG_FAKE_TRACE, then does what the environment variable
 * MRG_FAKE_FAULT or the option "fault" says:
 *	VERB:ERRNO[:MESSAGE]	the verb fails ("EIO" or a number)
 *	VERB:delay=MS		it takes that long
 *	VERB:SIGKILL		its process is killed
 *	VERB:return=N		it returns N at once
 *	VERB:nothing		it does nothing and says that it did
 *	VERB:MISDEED		it does what no verb may and goes on (fake_misdeed.c)
 * When the answer is not 0 the verb returns fake_answer() of it. */
int fake_fault(const char *verb, const struct mrg_unit *unit, struct mrg_error *err);
int fake_answer(int fault);

/* Does the misdeed called @name; false when there is none of that name. */
bool fake_misdeed(const char *name);

/* The value of an option of the spec, or NULL. */
const char *fake_option(const struct mrg_spec *spec, const char *key);

/* fake_process.c: verbs that start something. */
int fake_start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
	       struct mrg_error *err);
int fake_exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
	      struct mrg_process *ret, struct mrg_error *err);

/* fake_engine.c: what the engine at unit->path has of it. */
bool fake_engine_has(const struct mrg_unit *unit);
pid_t fake_engine_pid(const struct mrg_unit *unit);
int fake_engine_write(const struct mrg_unit *unit, struct mrg_error *err);
void fake_engine_remove(const struct mrg_unit *unit);
int fake_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);
int fake_find(void *self, const char *path, const char *name, struct mrg_error *err);
int fake_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);
int fake_process_verb(void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);
int fake_native(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err);
int fake_configure(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_autostart(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err);

/* fake.c: the other verbs. */
int fake_open(struct mrg *ctx, void **ret_self, struct mrg_error *err);
void fake_close(void *self);
int fake_probe(void *self, struct mrg_probe *ret, struct mrg_error *err);
int fake_check(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int fake_create(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);
int fake_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_kill(void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);
int fake_wait(void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err);
int fake_pause(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_resume(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_console(void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);
int fake_state(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int fake_update(void *self, const struct mrg_unit *unit, const struct mrg_spec *changes, struct mrg_error *err);
int fake_processes(void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data,
		   struct mrg_error *err);
int fake_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int fake_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

/* Calls @found for each process noted in @file that still lives. */
int fake_each(const struct mrg_unit *unit, const char *file, int (*found)(pid_t pid, void *data), void *data);

/* The first process, 0 when it does not live. */
pid_t fake_pid(const struct mrg_unit *unit);

#endif
