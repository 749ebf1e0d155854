/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_LAUNCH_H
#define CORE_LAUNCH_H

/* Executes moorage-monitor, detached, and waits for its verdict. */

#include "core/context.h"

/* A monitor is executed for an order: see mrg_launch_ahead() in moorage.h, which does the first half early. */

/* Starts the container in directory @dir (borrowed; the caller holds its lock until this returns). The monitor records
 * run.json, then sends its verdict. */
int launch_start(struct mrg *m, int dir, struct mrg_session **ret_session, struct mrg_error *err);

/* Has a monitor that was executed ahead read the container in directory @dir, for the exec that follows. */
void launch_open(struct mrg *m, int dir);

/* Runs a command in it, the same way. */
int launch_exec(struct mrg *m, int dir, const struct mrg_exec *exec, struct mrg_session **ret_session,
		struct mrg_error *err);

/* Connects to the console of a container that has no monitor; ends when the session does. */
int launch_console(struct mrg *m, int dir, struct mrg_session **ret_session, struct mrg_error *err);

/* Connects to the attach socket in @dir. -MRG_E_NOT_RUNNING: nobody listens. @watch: only the exit is wanted. */
int launch_attach(int dir, int watch, struct mrg_session **ret_session, struct mrg_error *err);

/* The program moorage-monitor (exported for it alone). */
int mrg_monitor_main(int argc, char **argv);

#endif
