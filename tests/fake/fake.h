/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_H
#define FAKE_H

/* A backend without isolation, for tests: the payload is an ordinary process of the host. Its memory is files in
 * the container's directory: fake.created, fake.pid, fake.exec, fake.paused, fake.limits. */

#include <stdbool.h>

#include <moorage/backend.h>

/* fake_fault.c: called first by every verb. Notes "VERB NAME" in the file MRG_FAKE_TRACE, then does what the environment variable
 * MRG_FAKE_FAULT or the option "fault" says:
 *	VERB:ERRNO[:MESSAGE]	the verb fails ("EIO" or a number)
 *	VERB:delay=MS		it takes that long
 *	VERB:SIGKILL		its process is killed
 */
int fake_fault(const char *verb, const struct mrg_unit *unit, struct mrg_error *err);

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

/* Calls @found for each process noted in @file that still lives. */
int fake_each(const struct mrg_unit *unit, const char *file, int (*found)(pid_t pid, void *data), void *data);

/* The first process, 0 when it does not live. */
pid_t fake_pid(const struct mrg_unit *unit);

#endif
