/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H

/* The only callers of a plugin's verbs: one function per verb with the verb's arguments, the plugin in place of
 * self. A verb that is not offered is -MRG_E_UNSUPPORTED, naming verb and backend (check, create, cleanup, process, configure, ready and park: 0, there is
 * nothing to do or tell); an error without a sentence
 * gets one; every error is prefixed with the backend's name. */

#include "core/registry/registry.h"

int dispatch_probe(struct plugin *p, struct mrg_probe *ret, struct mrg_error *err);
int dispatch_check(struct plugin *p, const struct mrg_spec *spec, struct mrg_error *err);
int dispatch_create(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_start(struct plugin *p, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
		   struct mrg_error *err);
int dispatch_cleanup(struct plugin *p, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err);
int dispatch_stop(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_kill(struct plugin *p, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err);
int dispatch_wait(struct plugin *p, const struct mrg_unit *unit, int timeout_ms, int *ret_status,
		  struct mrg_error *err);
int dispatch_pause(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_resume(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_exec(struct plugin *p, const struct mrg_unit *unit, const struct mrg_command *command,
		  struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err);
int dispatch_console(struct plugin *p, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err);
int dispatch_state(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_stats(struct plugin *p, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err);
int dispatch_update(struct plugin *p, const struct mrg_unit *unit, const struct mrg_spec *changes,
		    struct mrg_error *err);
int dispatch_processes(struct plugin *p, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
		       void *data, struct mrg_error *err);
int dispatch_destroy(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_list(struct plugin *p, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);
int dispatch_find(struct plugin *p, const char *path, const char *name, struct mrg_error *err);
int dispatch_adopt(struct plugin *p, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);
int dispatch_explain(struct plugin *p, const struct mrg_unit *unit, mrg_explain_fn line, void *data,
		     struct mrg_error *err);
int dispatch_process(struct plugin *p, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err);
int dispatch_native(struct plugin *p, const struct mrg_unit *unit, mrg_explain_fn text, void *data,
		    struct mrg_error *err);
int dispatch_configure(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err);
int dispatch_rename(struct plugin *p, const struct mrg_unit *unit, const char *name, struct mrg_error *err);
int dispatch_autostart(struct plugin *p, const struct mrg_unit *unit, int on, struct mrg_error *err);
int dispatch_ready(struct plugin *p, struct mrg_error *err);
int dispatch_home(struct plugin *p, const struct mrg_unit *unit, char **ret, struct mrg_error *err);
int dispatch_park(struct plugin *p, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err);

#endif
