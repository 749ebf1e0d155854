/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container driven by the plugin's verbs. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/life.h"

/* As moorage-monitor does before it calls start. */
static void stand_in_for_the_monitor(void)
{
	sigset_t all;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/* ---- the end ------------------------------------------------------------------------------------ */

static bool has_ended(void *data)
{
	struct life *l = data;
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0)
		;
	return !life_is_alive(l);
}

/* Whatever state the test left it in. */
static void end(void *data)
{
	struct life *l = data;
	struct mrg_exit how = { 0 };

	if (!l->created)
		return;
	l->p->table.kill(l->self, &l->unit, SIGKILL, 1, &l->err);
	if (l->p->table.resume)
		l->p->table.resume(l->self, &l->unit, &l->err);
	/* A unit tells of a process that was found alive just now. */
	l->unit.process = NULL;
	eventually(l->t, has_ended, l);
	if (l->p->table.cleanup)
		l->p->table.cleanup(l->self, &l->unit, &how, &l->err);
	l->p->table.destroy(l->self, &l->unit, &l->err);
	fd_remove_tree(AT_FDCWD, l->path);
}

/* ---- the beginning -------------------------------------------------------------------------------- */

/* A second container has another root: some engines take one for themselves. */
static void make_spec(struct life *l, unsigned int n, const char *const *args)
{
	const char *root = n > 1 ? l->t->kit->other_root : l->t->kit->root;
	int r;

	l->spec = mrg_spec_new();
	r = l->spec ? mrg_spec_set(l->spec, MRG_FIELD_ROOT_PATH, root, &l->err) : -ENOMEM;
	for (; *args && r == 0; args++)
		r = mrg_spec_set(l->spec, MRG_FIELD_ARGS, *args, &l->err);
	if (r == 0)
		r = mrg_spec_default(l->spec, &l->t->kit->facts->able, &l->err);
	if (r == 0)
		r = mrg_spec_check(l->spec, &l->err);
	if (r == 0 && l->p->table.check)
		r = l->p->table.check(l->self, l->spec, &l->err);
	if (r < 0)
		trial_fail(l->t, "a plain spec is refused: %s", l->err.message);
}

static void make_streams(struct life *l)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		trial_fail(l->t, "the kit cannot make pipes: %s", strerror(errno));
	l->io = (struct mrg_stdio){ .in = open("/dev/null", O_RDONLY | O_CLOEXEC), .out = out[1], .err = err[1], .master = -1 };
	l->out = out[0];
	l->err_out = err[0];
	fcntl(l->out, F_SETFL, O_NONBLOCK);
	fcntl(l->err_out, F_SETFL, O_NONBLOCK);
}

/* Names cgroups and the like: of this run and this test alone. */
static void make_names(struct life *l, unsigned int n)
{
	trial_name(l->t, n, l->name);
	snprintf(l->id, sizeof(l->id), "%08x%06x%02x", (unsigned int)getpid(), l->t->kit->serial & 0xffffffU, n & 0xffU);
	snprintf(l->path, sizeof(l->path), "%s/units/%s", l->t->kit->work, l->name);
	if (mkdir(l->path, 0700) < 0)
		trial_fail(l->t, "the kit cannot make '%s': %s", l->path, strerror(errno));
}

void life_begin_args(struct life *l, struct trial *t, const struct plugin *p, unsigned int n, const char *const *args)
{
	int r;

	*l = (struct life){ .t = t, .p = p, .self = p->self, .process.pidfd = -1 };
	stand_in_for_the_monitor();
	make_names(l, n);
	make_spec(l, n, args);
	make_streams(l);
	l->unit = (struct mrg_unit){
		.name = l->name, .id = l->id, .spec = l->spec, .dir = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	trial_defer(t, end, l);
	l->created = true;
	r = p->table.create ? p->table.create(l->self, &l->unit, &l->err) : 0;
	if (r < 0)
		trial_fail(t, "create: %s", l->err.message);
}

void life_begin(struct life *l, struct trial *t, const struct plugin *p, unsigned int n, const char *const *words)
{
	const char *args[32] = { PROBE };

	for (size_t i = 0; words[i] && i < ARRAY_SIZE(args) - 2; i++)
		args[i + 1] = words[i];
	life_begin_args(l, t, p, n, args);
}

int life_start(struct life *l)
{
	int r;

	l->err = (struct mrg_error){ 0 };
	l->process = (struct mrg_process){ .pidfd = -1 };
	r = l->p->table.start(l->self, &l->unit, &l->io, &l->process, &l->err);
	l->io.in = fd_close(l->io.in);
	l->io.out = fd_close(l->io.out);
	l->io.err = fd_close(l->io.err);
	if (r < 0)
		return r;
	if (l->process.pid > 0 && !l->process.start_time)
		proc_start_time(l->process.pid, &l->process.start_time);
	l->unit.process = &l->process;
	return r;
}

/* ---- while it lives --------------------------------------------------------------------------------- */

static void read_stream(int fd, struct buffer *b)
{
	char text[65536];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		buffer_add(b, text, (size_t)n);
}

void life_await(struct life *l, const char *text)
{
	int64_t deadline = time_monotonic_ms() + l->t->kit->patience;

	for (;;) {
		struct pollfd p = { .fd = l->out, .events = POLLIN };

		read_stream(l->out, &l->output);
		read_stream(l->err_out, &l->errors);
		if (l->output.text && strstr(l->output.text, text))
			return;
		if (time_monotonic_ms() > deadline)
			trial_fail(l->t, "the payload did not say '%s': it said '%.150s' and '%.150s'", text,
				   l->output.text ? l->output.text : "", l->errors.text ? l->errors.text : "");
		poll(&p, 1, 20);
	}
}

static bool is_our_child(pid_t pid)
{
	siginfo_t info = { 0 };

	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int process_wait(struct trial *t, const struct mrg_process *process)
{
	int64_t deadline = time_monotonic_ms() + t->kit->patience;
	int status;

	for (;;) {
		pid_t pid = waitpid(process->pid, &status, WNOHANG);

		if (pid == process->pid)
			return mrg_exit_code(status);
		if (pid < 0)
			trial_fail(t, "process %d is no child of the caller", (int)process->pid);
		if (time_monotonic_ms() > deadline)
			trial_fail(t, "process %d did not end", (int)process->pid);
		poll(NULL, 0, 2);
	}
}

void life_wait(struct life *l)
{
	int status, r;

	if (is_our_child(l->process.pid)) {
		l->status = process_wait(l->t, &l->process);
		l->unit.process = NULL;
		return;
	}
	if (!l->p->table.wait)
		trial_fail(l->t, "start gave process %d, which is no child of the caller, and there is no verb 'wait'",
			   (int)l->process.pid);
	r = l->p->table.wait(l->self, &l->unit, l->t->kit->patience, &status, &l->err);
	if (r < 0)
		trial_fail(l->t, "wait: %s", l->err.message);
	l->unit.process = NULL;
	l->status = mrg_exit_code(status);
}

int life_status(struct life *l)
{
	struct mrg_exit how = { 0 };
	int r;

	life_wait(l);
	r = l->p->table.cleanup ? l->p->table.cleanup(l->self, &l->unit, &how, &l->err) : 0;
	if (r < 0)
		trial_fail(l->t, "cleanup: %s", l->err.message);
	return how.status_known ? mrg_exit_code(how.status) : l->status;
}

void life_cleanup(struct life *l)
{
	struct mrg_exit how = { 0 };
	int r = l->p->table.cleanup ? l->p->table.cleanup(l->self, &l->unit, &how, &l->err) : 0;

	if (r < 0)
		trial_fail(l->t, "cleanup: %s", l->err.message);
}

static void must(struct life *l, const char *what, int r)
{
	if (r < 0)
		trial_fail(l->t, "%s: %s", what, l->err.message);
}

void life_reach(struct life *l, enum life_state state)
{
	static const char *const words[] = { "wait", NULL };

	if (state == LIFE_PAUSED && !l->p->table.pause)
		trial_absent(l->t);
	life_begin(l, l->t, l->p, 0, words);
	if (state >= LIFE_RUNNING && state <= LIFE_STOPPED) {
		must(l, "start", life_start(l));
		life_await(l, "wait=ready");
	}
	if (state == LIFE_PAUSED)
		must(l, "pause", life_call(l, "pause"));
	if (state == LIFE_STOPPED) {
		must(l, "kill", l->p->table.kill(l->self, &l->unit, SIGKILL, 1, &l->err));
		life_wait(l);
		life_cleanup(l);
	}
	if (state == LIFE_DESTROYED)
		must(l, "destroy", life_call(l, "destroy"));
}

bool life_is_alive(struct life *l)
{
	int r = life_call(l, "state");

	return r == MRG_STATE_RUNNING || r == MRG_STATE_PAUSED;
}
