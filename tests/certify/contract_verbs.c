/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of the verbs of a container, in every state. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/life.h"

/* ---- one call in one state ------------------------------------------------------------------------ */

struct rule {
	const char *verb;
	enum life_state state;
	int expected;
};

#define R(verb_, state_, expected_)	&(const struct rule){ verb_, LIFE_##state_, expected_ }

/* Whether a rule's verb is offered: "kill all" is kill. */
static bool is_offered(const struct plugin *p, const char *verb)
{
	return plugin_offers(p, strcmp(verb, "kill all") == 0 ? "kill" : verb);
}

static void obeys(struct trial *t)
{
	const struct rule *rule = t->test->data;
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	if (!is_offered(&p, rule->verb))
		trial_absent(t);
	life_reach(&l, rule->state);
	life_expect(&l, rule->verb, rule->expected);
}

/* Without a record of the process: its monitor was killed before it could write one. */
static void state_needs_no_record(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	life_reach(&l, LIFE_RUNNING);
	l.unit.process = NULL;
	life_expect(&l, "state", MRG_STATE_RUNNING);
	l.unit.process = &l.process;
}

/* CREATED, STOPPED or ABSENT: what an engine remembers of an end is its affair, that it ended is not. */
static void state_tells_the_end(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	life_reach(&l, LIFE_STOPPED);
	if (life_is_alive(&l))
		trial_fail(t, "it is alive after its end");
}

static void state_after_destroy(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	life_reach(&l, LIFE_DESTROYED);
	if (life_is_alive(&l))
		trial_fail(t, "it is alive after destroy");
}

/* ---- start ------------------------------------------------------------------------------------------ */

struct command {
	const char *path;
	int expected;
};

/* Orphans of the engine's come to us, and are buried by us. */
static bool no_child_is_left(_unused_ void *data)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	return pid < 0;
}

/* Nothing is left, nothing was written to what start returns, and it can be tried again. */
static void start_refuses(struct trial *t)
{
	const struct command *command = t->test->data;
	const char *const args[] = { command->path, NULL };
	struct plugin p;
	_life_ struct life l = { .t = t };
	int r;

	plugin_open(t, &p);
	life_begin_args(&l, t, &p, 0, args);
	l.io.master = -77;
	r = life_start(&l);
	trial_expect(t, "start", r, command->expected, &l.err);
	if (l.process.pid != 0 || l.process.pidfd != -1 || l.io.master != -77)
		trial_fail(t, "it wrote to what it returns on success only");
	if (!eventually(t, no_child_is_left, NULL))
		trial_fail(t, "a child is left");
	if (life_is_alive(&l))
		trial_fail(t, "the container is alive");
	life_expect(&l, "destroy", 0);
}

static void start_gives_its_process(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	uint64_t start_time;
	int status;

	plugin_open(t, &p);
	life_reach(&l, LIFE_RUNNING);
	if (l.process.pid > 0 && proc_start_time(l.process.pid, &start_time) < 0)
		trial_fail(t, "there is no process %d", (int)l.process.pid);
	if (l.process.pid > 0 && start_time != l.process.start_time)
		trial_fail(t, "its start time is not that of process %d", (int)l.process.pid);
	if (l.process.pidfd >= 0 && !(fcntl(l.process.pidfd, F_GETFD) & FD_CLOEXEC))
		trial_fail(t, "the pidfd is not close-on-exec");
	p.table.kill(p.self, &l.unit, SIGTERM, 0, &l.err);
	status = life_status(&l);
	if (status != 0)
		trial_fail(t, "a payload that ends well at SIGTERM ended with %d", status);
}

/* Ended, and nobody cleaned up: the next start does. */
static void start_clears_an_earlier_life(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	int out[2];

	plugin_open(t, &p);
	life_reach(&l, LIFE_RUNNING);
	p.table.kill(p.self, &l.unit, SIGKILL, 1, &l.err);
	life_wait(&l);
	if (pipe2(out, O_CLOEXEC) < 0)
		trial_fail(t, "the kit cannot make a pipe");
	l.out = out[0];
	fcntl(l.out, F_SETFL, O_NONBLOCK);
	l.output.length = 0;
	if (l.output.text)
		l.output.text[0] = '\0';
	l.io = (struct mrg_stdio){ .in = open("/dev/null", O_RDONLY | O_CLOEXEC), .out = out[1], .err = dup(out[1]), .master = -1 };
	trial_expect(t, "the second start", life_start(&l), 0, &l.err);
	life_await(&l, "wait=ready");
}

/* ---- signals ----------------------------------------------------------------------------------------- */

static void kill_reaches_the_first_process(struct trial *t)
{
	static const char *const words[] = { "await:10", NULL };
	struct plugin p;
	_life_ struct life l = { .t = t };
	int status;

	plugin_open(t, &p);
	life_begin(&l, t, &p, 0, words);
	trial_expect(t, "start", life_start(&l), 0, &l.err);
	life_await(&l, "=ready");
	trial_expect(t, "kill", p.table.kill(p.self, &l.unit, SIGUSR1, 0, &l.err), 0, &l.err);
	life_await(&l, "caught=10");
	status = life_status(&l);
	if (status != 0)
		trial_fail(t, "exit status %d", status);
}

struct count {
	pid_t pids[64];
	size_t n;
	int answer;
};

static int count_process(pid_t pid, void *data)
{
	struct count *count = data;

	if (count->n < ARRAY_SIZE(count->pids))
		count->pids[count->n++] = pid;
	return count->answer;
}

static bool are_gone(void *data)
{
	struct count *count = data;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	for (size_t i = 0; i < count->n; i++)
		if (kill(count->pids[i], 0) == 0)
			return false;
	return true;
}

static void start_with_children(struct life *l, struct trial *t, struct plugin *p)
{
	static const char *const words[] = { "children:3", NULL };

	plugin_open(t, p);
	life_begin(l, t, p, 0, words);
	trial_expect(t, "start", life_start(l), 0, &l->err);
	life_await(l, "=ready");
}

static void kill_all_leaves_nobody(struct trial *t)
{
	struct count count = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };

	start_with_children(&l, t, &p);
	if (!p.table.processes)
		trial_absent(t);
	p.table.processes(p.self, &l.unit, count_process, &count, &l.err);
	trial_expect(t, "kill", p.table.kill(p.self, &l.unit, SIGKILL, 1, &l.err), 0, &l.err);
	life_wait(&l);
	if (!eventually(t, are_gone, &count))
		trial_fail(t, "some of %zu processes live", count.n);
}

/* The one inside: where the engine has processes of its own, what it says it is. */
static pid_t first_process(struct life *l)
{
	struct mrg_process process = { .pidfd = -1 };
	struct mrg_unit unit = l->unit;

	if (!l->p->table.process)
		return l->p->table.wait ? 0 : l->process.pid;
	unit.process = NULL;
	trial_expect(l->t, "process", l->p->table.process(l->self, &unit, &process, &l->err), 1, &l->err);
	fd_close(process.pidfd);
	return process.pid;
}

static void processes_are_all_inside(struct trial *t)
{
	struct count count = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };
	bool first = false;
	pid_t pid;

	start_with_children(&l, t, &p);
	if (!p.table.processes)
		trial_absent(t);
	trial_expect(t, "processes", p.table.processes(p.self, &l.unit, count_process, &count, &l.err), 0, &l.err);
	if (count.n < 4)
		trial_fail(t, "it finds %zu processes, there are at least 4", count.n);
	pid = first_process(&l);
	for (size_t i = 0; i < count.n; i++) {
		first |= count.pids[i] == pid;
		for (size_t k = 0; k < i; k++)
			if (count.pids[i] == count.pids[k])
				trial_fail(t, "process %d is found twice", (int)count.pids[i]);
	}
	if (pid > 0 && !first)
		trial_fail(t, "the first process is not among them");
}

static void processes_stops_when_told(struct trial *t)
{
	struct count count = { .answer = 7 };
	struct plugin p;
	_life_ struct life l = { .t = t };
	int r;

	start_with_children(&l, t, &p);
	if (!p.table.processes)
		trial_absent(t);
	r = p.table.processes(p.self, &l.unit, count_process, &count, &l.err);
	if (r != 7 || count.n != 1)
		trial_fail(t, "it returned %d after %zu processes, not 7 after one", r, count.n);
}

/* What is frozen does not even die of SIGTERM; thawed it does. */
static void pause_freezes(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	char text[16];

	plugin_open(t, &p);
	life_reach(&l, LIFE_PAUSED);
	p.table.kill(p.self, &l.unit, SIGTERM, 0, &l.err);
	poll(NULL, 0, 200);
	if (read(l.out, text, sizeof(text)) >= 0 || errno != EAGAIN)
		trial_fail(t, "it went on while it was paused");
	trial_expect(t, "resume", p.table.resume(p.self, &l.unit, &l.err), 0, &l.err);
	life_await(&l, "caught=15");
	life_wait(&l);
}

static void kill_ends_what_is_paused(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	int status;

	plugin_open(t, &p);
	life_reach(&l, LIFE_PAUSED);
	trial_expect(t, "kill", p.table.kill(p.self, &l.unit, SIGKILL, 1, &l.err), 0, &l.err);
	status = life_status(&l);
	if (status != 128 + SIGKILL)
		trial_fail(t, "exit status %d", status);
}

static void stop_asks_and_returns(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	int status;

	plugin_open(t, &p);
	if (!p.table.stop)
		trial_absent(t);
	life_reach(&l, LIFE_RUNNING);
	trial_expect(t, "stop", p.table.stop(p.self, &l.unit, &l.err), 0, &l.err);
	status = life_status(&l);
	if (status != 0)
		trial_fail(t, "a payload that ends well at SIGTERM ended with %d", status);
}

static void wait_keeps_its_deadline(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	if (!p.table.wait)
		trial_absent(t);
	life_reach(&l, LIFE_RUNNING);
	life_expect(&l, "wait", -MRG_E_TIMEOUT);
	if (l.took > 5000)
		trial_fail(t, "a deadline of 100 ms took %lld ms", (long long)l.took);
}

/* ---- exec, stats, update -------------------------------------------------------------------------------- */

/* In this process, which its child must be one of. */
static int exec_in(struct life *l, const char *path, const char *word, struct mrg_process *ret)
{
	char *args[] = { strdup(path), word ? strdup(word) : NULL, NULL }, *env[] = { NULL };
	struct mrg_command command = { .args = args, .env = env };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct mrg_stdio io = { .in = null, .out = null, .err = null, .master = -77 };
	int r = l->p->table.exec(l->self, &l->unit, &command, &io, ret, &l->err);

	if (io.master != -77)
		trial_fail(l->t, "exec without a terminal wrote a terminal's master");
	return r;
}

static void exec_refuses(struct trial *t)
{
	const struct command *command = t->test->data;
	struct mrg_process process = { .pidfd = -1 };
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	if (!p.table.exec)
		trial_absent(t);
	life_reach(&l, LIFE_RUNNING);
	trial_expect(t, "exec", exec_in(&l, command->path, NULL, &process), command->expected, &l.err);
	if (process.pid != 0 || process.pidfd != -1)
		trial_fail(t, "it wrote to what it returns on success only");
	life_expect(&l, "state", MRG_STATE_RUNNING);
}

static void exec_gives_a_child(struct trial *t)
{
	struct mrg_process process = { .pidfd = -1 };
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };
	int status;

	plugin_open(t, &p);
	if (!p.table.exec)
		trial_absent(t);
	life_reach(&l, LIFE_RUNNING);
	trial_expect(t, "exec", exec_in(&l, PROBE, "exit:42", &process), 0, &l.err);
	status = process_wait(t, &process);
	if (status != 42)
		trial_fail(t, "a command that ends with 42 ended with %d", status);
	life_expect(&l, "state", MRG_STATE_RUNNING);
}

static void stats_are_plausible(struct trial *t)
{
	struct mrg_stats stats = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };

	start_with_children(&l, t, &p);
	if (!p.table.stats)
		trial_absent(t);
	trial_expect(t, "stats", p.table.stats(p.self, &l.unit, &stats, &l.err), 0, &l.err);
	if (stats.valid == 0 || stats.valid >> (MRG_STAT_OOM_KILLS + 1))
		trial_fail(t, "the set of what it knows is %llx", (unsigned long long)stats.valid);
	if (stats.valid & 1 << MRG_STAT_PIDS && stats.pids < 4)
		trial_fail(t, "it counts %llu processes, there are at least 4", (unsigned long long)stats.pids);
	if (stats.valid & 1 << MRG_STAT_MEMORY && stats.memory == 0)
		trial_fail(t, "it uses no memory");
	if (stats.valid & 1 << MRG_STAT_CPU && stats.cpu_ns == 0)
		trial_fail(t, "it has used no processor time");
}

static void update_is_seen_in_the_stats(struct trial *t)
{
	struct mrg_spec changes = { .memory_limit = 96 << 20 };
	struct mrg_stats stats = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	if (!p.table.update || !p.table.stats)
		trial_absent(t);
	if (!mrg_fields_has(&t->kit->facts->able, MRG_FIELD_MEMORY_LIMIT))
		trial_absent(t);
	life_reach(&l, LIFE_RUNNING);
	mrg_fields_add(&changes.set, MRG_FIELD_MEMORY_LIMIT);
	trial_expect(t, "update", p.table.update(p.self, &l.unit, &changes, &l.err), 0, &l.err);
	trial_expect(t, "stats", p.table.stats(p.self, &l.unit, &stats, &l.err), 0, &l.err);
	if (!(stats.valid & 1 << MRG_STAT_MEMORY_LIMIT) || stats.memory_limit != (uint64_t)changes.memory_limit)
		trial_fail(t, "the limit of memory is %llu, not %lld", (unsigned long long)stats.memory_limit,
			   (long long)changes.memory_limit);
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

/* The first process ends; another one does not. */
static void cleanup_ends_what_outlived(struct trial *t)
{
	static const char *const words[] = { "orphan", NULL };
	struct mrg_exit how = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };
	int i;

	plugin_open(t, &p);
	life_begin(&l, t, &p, 0, words);
	trial_expect(t, "start", life_start(&l), 0, &l.err);
	life_wait(&l);
	if (!p.table.cleanup)
		trial_absent(t);
	for (i = 0; i < 2; i++)
		trial_expect(t, i ? "the second cleanup" : "cleanup", p.table.cleanup(p.self, &l.unit, &how, &l.err), 0, &l.err);
	if (life_is_alive(&l))
		trial_fail(t, "the container is alive");
}

static void destroy_again_is_fine(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	life_reach(&l, LIFE_STOPPED);
	life_expect(&l, "destroy", 0);
	life_expect(&l, "destroy", 0);
}

static void destroy_of_the_living_harms_nobody(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t, .p = &p };

	plugin_open(t, &p);
	life_reach(&l, LIFE_RUNNING);
	life_expect(&l, "destroy", -MRG_E_STATE);
	life_expect(&l, "state", MRG_STATE_RUNNING);
	p.table.kill(p.self, &l.unit, SIGTERM, 0, &l.err);
	life_await(&l, "caught=15");
}

/* Two at once do not touch each other. */
static void two_live_side_by_side(struct trial *t)
{
	static const char *const words[] = { "wait", NULL };
	struct plugin p;
	_life_ struct life a = { .t = t };
	_life_ struct life b = { .t = t };

	plugin_open(t, &p);
	life_begin(&a, t, &p, 1, words);
	life_begin(&b, t, &p, 2, words);
	trial_expect(t, "start", life_start(&a), 0, &a.err);
	trial_expect(t, "start of a second one", life_start(&b), 0, &b.err);
	life_await(&a, "=ready");
	life_await(&b, "=ready");
	trial_expect(t, "kill", p.table.kill(p.self, &a.unit, SIGKILL, 1, &a.err), 0, &a.err);
	life_wait(&a);
	life_cleanup(&a);
	life_expect(&a, "destroy", 0);
	if (life_is_alive(&a))
		trial_fail(t, "the one that was killed is alive");
	life_expect(&b, "state", MRG_STATE_RUNNING);
}

#define CONTRACT(name_, run_)		{ .section = "contract", .name = name_, .run = run_ }
#define OBEYS(verb_, state_, expected_)	\
	{ .section = "contract", .name = verb_ " when " #state_ " gives " #expected_, .run = obeys, .data = R(verb_, state_, expected_) }
#define START(what_, path_, expected_)	\
	{ .section = "contract", .name = "start of " what_ " gives " #expected_, .run = start_refuses, \
	  .data = &(const struct command){ path_, expected_ } }
#define EXEC(what_, path_, expected_)	\
	{ .section = "contract", .name = "exec of " what_ " gives " #expected_, .run = exec_refuses, \
	  .data = &(const struct command){ path_, expected_ } }

const struct test contract_verb_tests[] = {
	OBEYS("state", RUNNING, MRG_STATE_RUNNING), OBEYS("state", PAUSED, MRG_STATE_PAUSED),
	CONTRACT("state finds what was never recorded", state_needs_no_record),
	CONTRACT("state after the end is not alive", state_tells_the_end),
	CONTRACT("state after destroy is not alive", state_after_destroy),

	OBEYS("kill", CREATED, -MRG_E_NOT_RUNNING), OBEYS("kill", RUNNING, 0), OBEYS("kill", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("kill all", CREATED, -MRG_E_NOT_RUNNING), OBEYS("kill all", RUNNING, 0),
	OBEYS("kill all", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("stop", CREATED, -MRG_E_NOT_RUNNING), OBEYS("stop", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("pause", CREATED, -MRG_E_NOT_RUNNING), OBEYS("pause", RUNNING, 0), OBEYS("pause", PAUSED, 1),
	OBEYS("pause", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("resume", CREATED, -MRG_E_NOT_RUNNING), OBEYS("resume", RUNNING, 1), OBEYS("resume", PAUSED, 0),
	OBEYS("resume", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("exec", CREATED, -MRG_E_NOT_RUNNING), OBEYS("exec", RUNNING, 0), OBEYS("exec", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("stats", CREATED, -MRG_E_NOT_RUNNING), OBEYS("stats", RUNNING, 0), OBEYS("stats", PAUSED, 0),
	OBEYS("stats", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("update", CREATED, -MRG_E_NOT_RUNNING), OBEYS("update", STOPPED, -MRG_E_NOT_RUNNING),
	OBEYS("processes", RUNNING, 0), OBEYS("processes", PAUSED, 0),
	OBEYS("cleanup", STOPPED, 0), OBEYS("cleanup", CREATED, 0), OBEYS("cleanup", DESTROYED, 0),
	OBEYS("destroy", CREATED, 0), OBEYS("destroy", RUNNING, -MRG_E_STATE), OBEYS("destroy", PAUSED, -MRG_E_STATE),
	OBEYS("destroy", STOPPED, 0), OBEYS("destroy", DESTROYED, 0),

	START("a missing command", "/no/such/command", -MRG_E_NO_COMMAND),
	START("a missing name", "mrgt-no-such-command", -MRG_E_NO_COMMAND),
	START("a file that is not executable", "/etc/not-executable", -MRG_E_NOT_EXECUTABLE),
	START("a directory", "/etc", -MRG_E_NOT_EXECUTABLE),
	START("a script without its interpreter", "/etc/no-interpreter", -MRG_E_NOT_EXECUTABLE),
	CONTRACT("start gives the process that can be waited for", start_gives_its_process),
	CONTRACT("start clears what an earlier life has left", start_clears_an_earlier_life),
	EXEC("a missing command", "/no/such/command", -MRG_E_NO_COMMAND),
	EXEC("a missing name", "mrgt-no-such-command", -MRG_E_NO_COMMAND),
	EXEC("a file that is not executable", "/etc/not-executable", -MRG_E_NOT_EXECUTABLE),
	EXEC("a directory", "/etc", -MRG_E_NOT_EXECUTABLE),
	EXEC("a script without its interpreter", "/etc/no-interpreter", -MRG_E_NOT_EXECUTABLE),
	CONTRACT("exec gives a child whose end is the command's", exec_gives_a_child),

	CONTRACT("kill reaches the first process with the signal asked for", kill_reaches_the_first_process),
	CONTRACT("kill of all leaves no process", kill_all_leaves_nobody),
	CONTRACT("kill ends what is paused", kill_ends_what_is_paused),
	CONTRACT("stop asks for the end", stop_asks_and_returns),
	CONTRACT("wait keeps its deadline", wait_keeps_its_deadline),
	CONTRACT("pause freezes, resume thaws", pause_freezes),
	CONTRACT("processes finds each one once", processes_are_all_inside),
	CONTRACT("processes stops when it is told to", processes_stops_when_told),
	CONTRACT("stats are plausible", stats_are_plausible),
	CONTRACT("update is in force at once", update_is_seen_in_the_stats),
	CONTRACT("cleanup ends what outlived the first process, twice without harm", cleanup_ends_what_outlived),
	CONTRACT("destroy twice gives 0", destroy_again_is_fine),
	CONTRACT("destroy of what runs harms nothing", destroy_of_the_living_harms_nobody),
	CONTRACT("two containers do not touch each other", two_live_side_by_side),
	{ .name = NULL }
};
