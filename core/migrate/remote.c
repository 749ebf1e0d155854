/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to moorage on another host. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/migrate/remote.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define HOST_MAX	300
#define ERRORS_MAX	4096
#define GRACE_MS	3000
#define WAIT_TOLD	5		/* looks of a fifth of a second before whoever waits is told */
#define EXIT_NO_COMMAND	127		/* of a shell, */
#define EXIT_SSH	255		/* and of ssh itself */

int remote_check_host(const char *host, struct mrg_error *err)
{
	const char *at = strrchr(host, '@'), *name = at ? at + 1 : host;
	bool good = *name && *name != '-' && *host != '-' && *host != '@' && strlen(host) <= HOST_MAX;

	for (const char *p = host; *p && good; p++)
		good = isalnum((unsigned char)*p) || (*p && strchr("._-", *p)) || (p < name && *p == '@' && p == at) || (p >= name && strchr(":[]%", *p));
	if (good)
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no host: [USER@]HOST, as ssh knows it", host);
}

/* ---- the connection ------------------------------------------------------------------------------ */

bool remote_is_cut(const struct migration *g)
{
	return !g->remote || g->remote->socket < 0 || g->remote->wire.cut;
}

static int end(struct remote *c)
{
	int status = 0;

	if (c->socket < 0)
		return 0;
	c->socket = fd_close(c->socket);
	status = command_end(c->pid, GRACE_MS);
	wire_deinit(&c->wire);
	return status;
}

void remote_close(struct migration *g)
{
	if (!g->remote)
		return;
	end(g->remote);
	g->remote->errors = fd_close(g->remote->errors);
}

void remote_free(struct migration *g)
{
	remote_close(g);
	free(g->remote);
	g->remote = NULL;
}

/* What ssh, or what it runs there, has said last. */
static char *last_line(int fd)
{
	_cleanup_free_ char *text = calloc(1, ERRORS_MAX + 1);
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = text ? pread(fd, text, ERRORS_MAX, size > ERRORS_MAX ? size - ERRORS_MAX : 0) : 0;
	char *line;

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	line = strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text;
	for (char *p = line; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	return strdup(line);
}

/* Ends it and says why, by what is known: how ssh has ended, and what it has said. */
static int explain(struct migration *g, int code, struct mrg_error *err)
{
	const char *host = g->j->host;
	int status = end(g->remote);
	_cleanup_free_ char *line = last_line(g->remote->errors);

	g->remote->errors = fd_close(g->remote->errors);
	if (status == EXIT_NO_COMMAND) {
		mrg_error_set(err, -MRG_E_NO_ENGINE, "there is no moorage on '%s': %s", host, line ? line : "");
		return mrg_error_hint(err, "install it there, where ssh finds it"), -MRG_E_NO_ENGINE;
	}
	if (status == EXIT_SSH && line)
		return mrg_error_set(err, code, "no connection to '%s': %s", host, line);
	if (line)
		return mrg_error_set(err, code, "moorage on '%s' has ended: %s", host, line);
	mrg_error_prefix(err, "'%s'", host);
	return code;
}

/* What was begun there is ended first, which may take it some seconds: told once. */
static void tell_wait(struct migration *g, struct mrg_progress *progress)
{
	char text[HOST_MAX + 64];

	if (!g->progress || ++g->remote->waited != WAIT_TOLD)
		return;
	snprintf(text, sizeof(text), "wait until '%s' has ended what it was at", g->j->host);
	progress->text = text;
	progress->total = migration_count_steps(g->j);
	g->progress(progress, g->data);
}

/* Whoever waits can be told to stop; not while something is undone. */
static int idle(void *data)
{
	struct migration *g = data;
	struct mrg_progress progress = { .step = migration_steps(g->j)[g->j->begun > 0 ? g->j->begun - 1 : 0].name, .text = g->j->host };

	if (g->how && g->j->phase == JOURNAL_FORWARD)
		return step_progress(g, &progress, NULL);
	tell_wait(g, &progress);
	return 0;
}

/* Nobody can be asked for a password where nobody asked for the migration. */
static pid_t run_ssh(const struct migration *g, int socket, int errors, struct mrg_error *err)
{
	bool alone = !g->how && !g->progress;
	const char *argv[24] = {
		"ssh", "-T", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "ClearAllForwardings=yes",
		"-o", alone ? "ConnectTimeout=5" : "ConnectTimeout=20", "-o", alone ? "BatchMode=yes" : "BatchMode=no",
	};
	size_t n = 12;

	if (g->j->ssh_config) {
		argv[n++] = "-F";
		argv[n++] = g->j->ssh_config;
	}
	argv[n++] = "--";
	argv[n++] = g->j->host;
	argv[n++] = "moorage receive";
	return command_begin(argv, socket, socket, errors, err);
}

static int connect_to(struct migration *g, struct mrg_error *err)
{
	_cleanup_close_ int theirs = -1;
	struct remote *c = g->remote;
	int ends[2], r;

	if (!c) {
		c = g->remote = calloc(1, sizeof(*c));
		if (!c)
			return fail_memory(err);
		c->socket = c->errors = -1;
	}
	remote_close(g);
	c->errors = memfd_create("moorage-ssh", MFD_CLOEXEC);
	if (c->errors < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_errno(err, -errno, "cannot prepare a connection");
	c->socket = ends[0];
	theirs = ends[1];
	c->pid = run_ssh(g, theirs, c->errors, err);
	if (c->pid < 0) {
		c->socket = fd_close(c->socket);
		return c->pid;
	}
	theirs = fd_close(theirs);
	c->wire = (struct wire){ .in = c->socket, .out = c->socket, .idle = idle, .data = g };
	r = wire_expect_greeting(&c->wire, err);
	return r < 0 && r != -ECANCELED ? explain(g, r, err) : r;
}

/* ---- asking ---------------------------------------------------------------------------------------- */

int remote_tell(struct migration *g, struct wire_message *q, struct mrg_error *err)
{
	int r = remote_is_cut(g) ? connect_to(g, err) : 0;

	if (r < 0)
		return r;
	q->id = g->j->id;
	q->name = g->j->target.name;
	q->backend = g->j->target.backend;
	q->path = g->j->target.path;
	g->remote->waited = 0;
	r = wire_send(&g->remote->wire, q, err);
	return r < 0 && g->remote->wire.cut ? explain(g, r, err) : r;
}

int remote_hear(struct migration *g, struct wire_message *ret, struct mrg_error *err)
{
	struct wire *w = &g->remote->wire;
	int r = wire_receive(w, ret, err);

	if (r == -ECANCELED) {
		/* The answer that will come is to no later request. */
		w->cut = true;
		return r;
	}
	if (r <= 0) {
		w->cut = true;
		return explain(g, r < 0 ? r : mrg_error_set(err, -ECONNRESET, "the connection has ended"), err);
	}
	if (ret->code >= 0)
		return 0;
	mrg_error_set(err, ret->code, "%s", ret->error ? ret->error : "it has failed, and does not say why");
	mrg_error_prefix(err, "on '%s'", g->j->host);
	return ret->code;
}

int remote_ask(struct migration *g, struct wire_message *q, struct wire_message *ret, struct mrg_error *err)
{
	int r = remote_tell(g, q, err);

	return r < 0 ? r : remote_hear(g, ret, err);
}
