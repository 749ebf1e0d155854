/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_REMOTE_H
#define MIGRATE_REMOTE_H

/* The other host, as the one that the container comes from sees it: moorage there, asked by ssh(1). */

#include "core/migrate/migrate.h"
#include "core/migrate/wire.h"

struct remote {
	struct wire wire;
	int socket, errors;		/* to ssh, and what it says beside; -1: there is no connection */
	pid_t pid;
	unsigned int waited;		/* how often the connection was looked at since the last request */
};

/* "[USER@]HOST", with nothing in it that ssh or a shell could take for something else. */
int remote_check_host(const char *host, struct mrg_error *err);

/* Asks about the target of the migration, connecting first if need be. Its refusal is an error that names the host; texts of @ret live until the next call.
 * When the connection breaks, or there is none to be had, the next call tries again. */
int remote_ask(struct migration *g, struct wire_message *q, struct wire_message *ret, struct mrg_error *err);

/* The parts of that, for what has more than a request and an answer. */
int remote_tell(struct migration *g, struct wire_message *q, struct mrg_error *err);
int remote_hear(struct migration *g, struct wire_message *ret, struct mrg_error *err);

/* Whether the last error was one of the connection. */
bool remote_is_cut(const struct migration *g);
void remote_close(struct migration *g);
void remote_free(struct migration *g);

#endif
