/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verb leaves the process that calls it, and the host, as they were. One call each, all aspects at once. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/life.h"
#include "tests/certify/snapshot.h"

struct visit {
	const char *verb;		/* of calls[] */
	enum life_state state;		/* of the container when it is called */
	int expected;			/* what it returns; ANY_ANSWER: no failure */
};
#define ANY_ANSWER	INT_MAX

/* Those of aspects[] that are looked at, in their order: names of parts. */
static const char *const all_parts[] = {
	"descriptors", "output", "mounts", "network interfaces", "children", "threads", "signal mask", "signal handlers", "timers",
	"umask", "working directory and root", "environment", "ids and capabilities", "resource limits", "process settings",
	"namespaces", "control groups", NULL
};
static const char *const monitor_parts[] = { "descriptors", "output", "mounts", "network interfaces", NULL };

/* A mount namespace and a network of our own: what a verb leaves there is seen, what others do on the host meanwhile is not. */
static void stand_apart(struct trial *t)
{
	if (geteuid() == 0 && (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		trial_fail(t, "the kit cannot stand apart: %s", strerror(errno));
}

static void tell(struct trial *t, const struct snapshot *before, const struct snapshot *after)
{
	for (const char *const *part = t->test->parts; *part; part++)
		for (size_t i = 0; aspects[i].name; i++) {
			char text[RESULT_SIZE];

			if (strcmp(aspects[i].name, *part) != 0)
				continue;
			snapshot_difference(before, after, i, text, sizeof(text));
			trial_part(t, text);
		}
}

/* ---- loading ------------------------------------------------------------------------------------------ */

static void loading_changes_nothing(struct trial *t)
{
	struct snapshot before, after;
	struct plugin p;

	stand_apart(t);
	if (snapshot_catch_output() < 0)
		trial_fail(t, "the kit cannot catch output");
	snapshot_take(&before);
	plugin_map(t, &p);
	snapshot_take(&after);
	tell(t, &before, &after);
}

static void an_instance_changes_nothing(struct trial *t)
{
	struct snapshot before, after;
	struct mrg_error err = { 0 };
	struct plugin p;

	stand_apart(t);
	plugin_map(t, &p);
	if (!p.table.open)
		trial_absent(t);
	if (snapshot_catch_output() < 0)
		trial_fail(t, "the kit cannot catch output");
	snapshot_take(&before);
	if (plugin_open_again(&p, &p.self, &err) < 0)
		trial_fail(t, "open: %s", err.message);
	plugin_close(&p, p.self);
	snapshot_take(&after);
	tell(t, &before, &after);
}

/* ---- verbs ---------------------------------------------------------------------------------------------- */

/* What start returns is the caller's, and is given back. */
static int measured_start(struct life *l, void *self, struct mrg_error *err)
{
	int r = l->p->table.start(self, &l->unit, &l->io, &l->process, err);

	if (r < 0)
		return r;
	l->process.pidfd = fd_close(l->process.pidfd);
	l->unit.process = &l->process;
	return r;
}

static int measure(struct life *l, const struct visit *visit, struct snapshot *before, struct snapshot *after)
{
	const struct call *call = call_named(visit->verb);
	struct mrg_error err = { 0 };
	void *self;
	int r;

	if (snapshot_catch_output() < 0)
		trial_fail(l->t, "the kit cannot catch output");
	snapshot_take(before);
	r = plugin_open_again(l->p, &self, &err);
	if (r >= 0) {
		r = call ? call->make(l, self, &err) : measured_start(l, self, &err);
		plugin_close(l->p, self);
	}
	snapshot_take(after);
	l->err = err;
	return r;
}

static void reach(struct life *l, const struct visit *visit)
{
	static const char *const missing[] = { "/no/such/command", NULL };

	if (strcmp(visit->verb, "start") == 0 && visit->expected < 0)
		life_begin_args(l, l->t, l->p, 0, missing);
	else
		life_reach(l, visit->state);
	/* It is there already: made once more. */
	if (strcmp(visit->verb, "create") == 0 && l->p->table.destroy(l->self, &l->unit, &l->err) < 0)
		trial_fail(l->t, "destroy: %s", l->err.message);
}

static void a_verb_changes_nothing(struct trial *t)
{
	const struct visit *visit = t->test->data;
	struct snapshot before, after;
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	int r;

	stand_apart(t);
	plugin_open(t, &p);
	if (!plugin_offers(&p, strcmp(visit->verb, "kill all") == 0 ? "kill" : visit->verb))
		trial_absent(t);
	reach(&l, visit);
	r = measure(&l, visit, &before, &after);
	trial_expect(t, visit->verb, r, visit->expected == ANY_ANSWER && r >= 0 ? r : visit->expected, &l.err);
	tell(t, &before, &after);
}

#define VISIT(name_, verb_, state_, expected_)	\
	{ .section = "hygiene", .name = name_, .run = a_verb_changes_nothing, .parts = all_parts, \
	  .data = &(const struct visit){ verb_, LIFE_##state_, expected_ } }
#define MONITOR(name_, verb_, state_, expected_)	\
	{ .section = "hygiene", .name = name_, .run = a_verb_changes_nothing, .parts = monitor_parts, \
	  .data = &(const struct visit){ verb_, LIFE_##state_, expected_ } }

const struct test hygiene_tests[] = {
	{ .section = "hygiene", .name = "loading", .run = loading_changes_nothing, .parts = all_parts, .unusable = true },
	{ .section = "hygiene", .name = "open and close", .run = an_instance_changes_nothing, .parts = all_parts },
	VISIT("probe", "probe", CREATED, 0), VISIT("check", "check", CREATED, 0), VISIT("explain", "explain", CREATED, 0),
	VISIT("list", "list", CREATED, 0), VISIT("create", "create", CREATED, 0),
	MONITOR("start", "start", CREATED, 0), MONITOR("start that fails", "start", CREATED, -MRG_E_NO_COMMAND),
	VISIT("state", "state", RUNNING, MRG_STATE_RUNNING), VISIT("kill", "kill", RUNNING, 0),
	VISIT("kill all", "kill all", RUNNING, 0), VISIT("kill that fails", "kill", CREATED, -MRG_E_NOT_RUNNING),
	VISIT("stop", "stop", RUNNING, 0), VISIT("wait", "wait", RUNNING, -MRG_E_TIMEOUT), VISIT("pause", "pause", RUNNING, 0),
	VISIT("resume", "resume", PAUSED, 0), VISIT("stats", "stats", RUNNING, 0), VISIT("update", "update", RUNNING, 0),
	VISIT("processes", "processes", RUNNING, 0), MONITOR("exec", "exec", RUNNING, 0),
	VISIT("destroy that fails", "destroy", RUNNING, -MRG_E_STATE), VISIT("cleanup", "cleanup", STOPPED, 0),
	VISIT("destroy", "destroy", STOPPED, 0), VISIT("find", "find", CREATED, ANY_ANSWER), VISIT("adopt", "adopt", CREATED, 0),
	VISIT("process", "process", RUNNING, 1), VISIT("native", "native", CREATED, 0),
	VISIT("configure", "configure", CREATED, 0), VISIT("autostart", "autostart", CREATED, 0),
	{ .name = NULL }
};
