/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every verb behind one signature, and calling it from a process that has made no other call. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/life.h"

/* What a call came to, as it crosses the pipe. */
struct answer {
	int r;
	int64_t took;
	struct mrg_error err;
};

#define PLAIN(verb)									\
	static int call_##verb(struct life *l, void *self, struct mrg_error *err)	\
	{										\
		return l->p->table.verb(self, &l->unit, err);				\
	}
PLAIN(state)
PLAIN(pause)
PLAIN(resume)
PLAIN(stop)
PLAIN(create)
PLAIN(destroy)
PLAIN(configure)

static int call_probe(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_probe probe = { 0 };

	return l->p->table.probe(self, &probe, err);
}

static int call_check(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.check(self, l->spec, err);
}

/* A signal that changes nothing. */
static int call_kill(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.kill(self, &l->unit, SIGCONT, 0, err);
}

static int call_kill_all(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.kill(self, &l->unit, SIGCONT, 1, err);
}

static int call_cleanup(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_exit how = { 0 };

	return l->p->table.cleanup(self, &l->unit, &how, err);
}

static int call_wait(struct life *l, void *self, struct mrg_error *err)
{
	int status;

	return l->p->table.wait(self, &l->unit, 100, &status, err);
}

static int call_stats(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_stats stats = { 0 };

	return l->p->table.stats(self, &l->unit, &stats, err);
}

/* Of a limit that works here; where none does, a backend may say so instead of looking at its state. */
static int call_update(struct life *l, void *self, struct mrg_error *err)
{
	static const enum mrg_field limits[] = { MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_CPU_SHARES, MRG_FIELD_PIDS_LIMIT };
	const struct mrg_fields *able = &l->t->kit->facts->able;
	struct mrg_spec changes = { .memory_limit = 256 << 20, .cpu_shares = 512, .pids_limit = 1000 };
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(limits) - 1 && !mrg_fields_has(able, limits[i]))
		i++;
	mrg_fields_add(&changes.set, limits[i]);
	r = l->p->table.update(self, &l->unit, &changes, err);
	if (r == -MRG_E_UNSUPPORTED && !mrg_fields_has(able, limits[i]))
		trial_skip(l->t, "no limit that can be changed works on this host");
	return r;
}

static int ignore_process(_unused_ pid_t pid, _unused_ void *data)
{
	return 0;
}

static int call_processes(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.processes(self, &l->unit, ignore_process, NULL, err);
}

/* A command that ends at once; its status is not waited for. */
static int call_exec(struct life *l, void *self, struct mrg_error *err)
{
	char program[] = PROBE, word[] = "pid";
	char *args[] = { program, word, NULL }, *env[] = { NULL };
	struct mrg_command command = { .args = args, .env = env };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct mrg_stdio io = { .in = null, .out = null, .err = null, .master = -1 };
	struct mrg_process process = { .pidfd = -1 };
	int r = l->p->table.exec(self, &l->unit, &command, &io, &process, err);

	if (r < 0)
		return r;
	waitpid(process.pid, NULL, 0);
	fd_close(process.pidfd);
	return r;
}

static int ignore_found(_unused_ const struct mrg_found *found, _unused_ void *data)
{
	return 0;
}

static int call_list(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.list(self, NULL, ignore_found, NULL, err);
}

static int call_find(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.find(self, NULL, l->name, err);
}

static int call_adopt(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_spec *spec = mrg_spec_new(), *empty = mrg_spec_new();
	struct mrg_unit unit = { .name = l->name, .id = l->id, .spec = empty, .dir = -1, .adopted = 1 };
	int r;

	r = spec && empty ? l->p->table.adopt(self, &unit, spec, err) : -ENOMEM;
	mrg_spec_free(spec);
	mrg_spec_free(empty);
	return r;
}

static int call_process(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_process process = { .pidfd = -1 };
	struct mrg_unit unit = l->unit;
	int r;

	unit.process = NULL;
	r = l->p->table.process(self, &unit, &process, err);
	fd_close(process.pidfd);
	return r;
}

static int call_autostart(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.autostart(self, &l->unit, -1, err);
}

static int ignore_line(_unused_ const char *text, _unused_ void *data)
{
	return 0;
}

static int call_native(struct life *l, void *self, struct mrg_error *err)
{
	return l->p->table.native(self, &l->unit, ignore_line, NULL, err);
}

static int call_explain(struct life *l, void *self, struct mrg_error *err)
{
	struct mrg_unit unit = l->unit;

	unit.dir = -1;
	unit.process = NULL;
	return l->p->table.explain(self, &unit, ignore_line, NULL, err);
}

const struct call calls[] = {
	{ "probe", call_probe }, { "check", call_check }, { "create", call_create }, { "cleanup", call_cleanup }, { "stop", call_stop },
	{ "kill", call_kill }, { "kill all", call_kill_all }, { "wait", call_wait }, { "pause", call_pause },
	{ "resume", call_resume }, { "exec", call_exec }, { "state", call_state }, { "stats", call_stats },
	{ "update", call_update }, { "processes", call_processes }, { "destroy", call_destroy }, { "list", call_list },
	{ "explain", call_explain }, { "find", call_find }, { "adopt", call_adopt }, { "process", call_process },
	{ "native", call_native }, { "configure", call_configure }, { "autostart", call_autostart },
	{ NULL, NULL }
};

const struct call *call_named(const char *name)
{
	for (const struct call *call = calls; call->name; call++)
		if (strcmp(call->name, name) == 0)
			return call;
	return NULL;
}

static void answer(struct life *l, const struct call *call, int fd)
{
	struct answer a = { 0 };
	int64_t begin;
	void *self;

	a.r = plugin_open_again(l->p, &self, &a.err);
	if (a.r >= 0) {
		begin = time_monotonic_ms();
		a.r = call->make(l, self, &a.err);
		a.took = time_monotonic_ms() - begin;
		plugin_close(l->p, self);
	}
	fd_write_all(fd, &a, sizeof(a));
	_exit(0);
}

int life_call(struct life *l, const char *name)
{
	const struct call *call = call_named(name);
	struct answer a = { 0 };
	int ends[2], status = 0;
	pid_t pid;
	ssize_t n;

	if (!call || pipe2(ends, O_CLOEXEC) < 0)
		trial_fail(l->t, "the kit cannot call '%s'", name);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		answer(l, call, ends[1]);
	}
	close(ends[1]);
	n = fd_read_all(ends[0], &a, sizeof(a));
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(a))
		trial_fail(l->t, "'%s' ended its process (%s %d)", name, WIFSIGNALED(status) ? "signal" : "status",
			   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	l->err = a.err;
	l->took = a.took;
	return a.r;
}

void life_expect(struct life *l, const char *name, int expected)
{
	trial_expect(l->t, name, life_call(l, name), expected, &l->err);
}
