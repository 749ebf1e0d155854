/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* What run, create and start share. */

#include "cli/cli.h"

/* Makes a container from the command line. An exit status after a message. With --explain prints what would be done instead; then *ret is NULL
 * and the status 0. */
int create_container(struct cli *cli, unsigned int flags, struct mrg_container **ret);

/* Prints what @create amounts to. */
int explain(struct cli *cli, const struct mrg_create *create, struct mrg_error *err);

/* The session that execs, attaches and runs end in: pumps and frees @session. */
int run_session(struct cli *cli, const char *name, struct mrg_session *session, bool own, bool input);

/* Runs @args in @c with the options of @cli. */
int exec_in(struct cli *cli, struct mrg_container *c, const char *const *args, const char *user);

/* Writes @text and a line break to a new file. */
int write_new_file(const char *path, const char *text, struct mrg_error *err);

/* cmd_*.c */
int cmd_run(struct cli *cli);
int cmd_create(struct cli *cli);
int cmd_start(struct cli *cli);
int cmd_stop(struct cli *cli);
int cmd_kill(struct cli *cli);
int cmd_restart(struct cli *cli);
int cmd_pause(struct cli *cli);
int cmd_unpause(struct cli *cli);
int cmd_rm(struct cli *cli);
int cmd_rename(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_import(struct cli *cli);
int cmd_update(struct cli *cli);
int cmd_exec(struct cli *cli);
int cmd_shell(struct cli *cli);
int cmd_attach(struct cli *cli);
int cmd_console(struct cli *cli);
int cmd_wait(struct cli *cli);
int cmd_enable(struct cli *cli);
int cmd_disable(struct cli *cli);
int cmd_generate(struct cli *cli);
int cmd_logs(struct cli *cli);
int cmd_ls(struct cli *cli);
int cmd_ps(struct cli *cli);
int cmd_state(struct cli *cli);
int cmd_exists(struct cli *cli);
int cmd_info(struct cli *cli);
int cmd_inspect(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_metrics(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_procs(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_plan(struct cli *cli);
int cmd_migrate(struct cli *cli);
int cmd_rollback(struct cli *cli);
int cmd_receive(struct cli *cli);
int cmd_convert(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_compare(struct cli *cli);
int cmd_backends(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_help(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_complete(struct cli *cli);

#endif
