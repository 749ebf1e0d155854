/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only callers of a plugin's verbs. Whatever a plugin forgets - a sentence, a sane return value - is made good here. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/dispatch.h"

static int not_offered(struct plugin *p, const char *verb, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "backend '%s' does not offer '%s'", p->table.name, verb);
}

/* Passes the outcome on: an error gets its sentence, its code and the backend's name. */
static int outcome(struct plugin *p, const char *verb, int r, const struct mrg_error *from, struct mrg_error *err)
{
	const char *reason = strerrordesc_np(-r);

	if (r >= 0)
		return r;
	if (from->message[0])
		return mrg_error_set(err, r, "%s: %.*s", p->table.name, (int)sizeof(from->message), from->message);
	return mrg_error_set(err, r, "%s: the verb '%s' failed: %s", p->table.name, verb, reason ? reason : "unknown error");
}

/* Calls @verb with a fresh error, so that what an earlier call left in the caller's is never taken for this one's. */
#define CALL(p, verb, err, ...)									\
	({											\
		struct mrg_error e_ = { 0 };							\
		int r_ = (p)->table.verb((p)->self, ##__VA_ARGS__, &e_);			\
		outcome(p, #verb, r_, &e_, err);						\
	})
#define OFFERED(p, verb, err)									\
	do {											\
		if (!(p)->table.verb)								\
			return not_offered(p, #verb, err);					\
	} while (0)

/* For verbs whose only success is 0. */
static int done(int r)
{
	return r < 0 ? r : 0;
}

/* A plugin may forget to make the pty it returns close-on-exec. */
static void adopt_master(struct mrg_stdio *io)
{
	if (io->terminal && io->master >= 0)
		fcntl(io->master, F_SETFD, FD_CLOEXEC);
}

int dispatch_probe(struct plugin *p, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { 0 };
	int r = done(CALL(p, probe, err, &probe));

	if (r < 0)
		return r;
	/* What a plugin claims beyond its table does not count. */
	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		probe.fields.word[i] = (probe.fields.word[i] & p->fields.word[i]) | p->core.word[i];
	probe.engine[sizeof(probe.engine) - 1] = '\0';
	probe.reason[sizeof(probe.reason) - 1] = '\0';
	probe.boundary_reason[sizeof(probe.boundary_reason) - 1] = '\0';
	*ret = probe;
	return 0;
}

int dispatch_check(struct plugin *p, const struct mrg_spec *spec, struct mrg_error *err)
{
	return p->table.check ? done(CALL(p, check, err, spec)) : 0;
}

int dispatch_create(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	return p->table.create ? done(CALL(p, create, err, unit)) : 0;
}

int dispatch_start(struct plugin *p, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
		   struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = done(CALL(p, start, err, unit, io, &process));

	if (r < 0)
		return r;
	adopt_master(io);
	*ret = process;
	return 0;
}

int dispatch_cleanup(struct plugin *p, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	struct mrg_exit end = { 0 };
	int r = p->table.cleanup ? done(CALL(p, cleanup, err, unit, &end)) : 0;

	if (r == 0)
		*ret = end;
	return r;
}

int dispatch_stop(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	OFFERED(p, stop, err);
	return done(CALL(p, stop, err, unit));
}

int dispatch_kill(struct plugin *p, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	return done(CALL(p, kill, err, unit, signo, all));
}

int dispatch_wait(struct plugin *p, const struct mrg_unit *unit, int timeout_ms, int *ret_status,
		  struct mrg_error *err)
{
	OFFERED(p, wait, err);
	return done(CALL(p, wait, err, unit, timeout_ms, ret_status));
}

int dispatch_pause(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	OFFERED(p, pause, err);
	return CALL(p, pause, err, unit);
}

int dispatch_resume(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	OFFERED(p, resume, err);
	return CALL(p, resume, err, unit);
}

int dispatch_exec(struct plugin *p, const struct mrg_unit *unit, const struct mrg_command *command,
		  struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r;

	OFFERED(p, exec, err);
	r = done(CALL(p, exec, err, unit, command, io, &process));
	if (r < 0)
		return r;
	adopt_master(io);
	*ret = process;
	return 0;
}

int dispatch_console(struct plugin *p, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	OFFERED(p, console, err);
	return done(CALL(p, console, err, unit, ret_fd));
}

int dispatch_state(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = CALL(p, state, err, unit);

	if (r > MRG_STATE_STOPPED)
		return mrg_error_set(err, -EPROTO, "%s: the verb 'state' returned %d, which is no state", p->table.name, r);
	return r;
}

int dispatch_stats(struct plugin *p, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	struct mrg_stats stats = { 0 };
	int r;

	OFFERED(p, stats, err);
	r = done(CALL(p, stats, err, unit, &stats));
	if (r == 0)
		*ret = stats;
	return r;
}

int dispatch_update(struct plugin *p, const struct mrg_unit *unit, const struct mrg_spec *changes,
		    struct mrg_error *err)
{
	OFFERED(p, update, err);
	return done(CALL(p, update, err, unit, changes));
}

int dispatch_processes(struct plugin *p, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
		       void *data, struct mrg_error *err)
{
	OFFERED(p, processes, err);
	return CALL(p, processes, err, unit, found, data);
}

int dispatch_destroy(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	return done(CALL(p, destroy, err, unit));
}

int dispatch_list(struct plugin *p, const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	OFFERED(p, list, err);
	return CALL(p, list, err, path, found, data);
}

int dispatch_find(struct plugin *p, const char *path, const char *name, struct mrg_error *err)
{
	OFFERED(p, find, err);
	return CALL(p, find, err, path, name);
}

int dispatch_adopt(struct plugin *p, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	OFFERED(p, adopt, err);
	return done(CALL(p, adopt, err, unit, spec));
}

int dispatch_explain(struct plugin *p, const struct mrg_unit *unit, mrg_explain_fn line, void *data,
		     struct mrg_error *err)
{
	OFFERED(p, explain, err);
	return CALL(p, explain, err, unit, line, data);
}

int dispatch_process(struct plugin *p, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	int r = p->table.process ? CALL(p, process, err, unit, &process) : 0;

	if (r > 0)
		*ret = process;
	return r;
}

int dispatch_native(struct plugin *p, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	OFFERED(p, native, err);
	return CALL(p, native, err, unit, text, data);
}

int dispatch_configure(struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	return p->table.configure ? done(CALL(p, configure, err, unit)) : 0;
}

int dispatch_rename(struct plugin *p, const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	OFFERED(p, rename, err);
	return done(CALL(p, rename, err, unit, name));
}

int dispatch_autostart(struct plugin *p, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	OFFERED(p, autostart, err);
	return CALL(p, autostart, err, unit, on);
}

int dispatch_ready(struct plugin *p, struct mrg_error *err)
{
	return p->table.ready ? done(CALL(p, ready, err)) : 0;
}

int dispatch_home(struct plugin *p, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	return p->table.home ? done(CALL(p, home, err, unit, ret)) : 0;
}

int dispatch_park(struct plugin *p, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err)
{
	return p->table.park ? done(CALL(p, park, err, unit, dir, tag, how)) : 0;
}
