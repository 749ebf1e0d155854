/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a container that has just been started is well. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/proc.h"

#define HEALTH_MS	60000
#define LOOK_MS		200
#define ALIVE_MS	500		/* a process that has lived so long has started */
#define ANSWER_MAX	256
#define END_MS		5000
#define WORDS_LINES	3		/* of the log of what ended too early */
#define WORDS_MAX	240

/* What is watched, and for whom. */
struct watch {
	struct migration *g;
	struct mrg_container *c;
	int64_t started, deadline;
};

/* Whether anybody waits for the answer still: -ECANCELED. */
static int go_on(const struct watch *w, struct mrg_error *err)
{
	const struct mrg_progress progress = { .step = "start", .text = "wait until it is well" };

	return step_progress(w->g, &progress, err);
}

/* ---- asking inside ------------------------------------------------------------------------------ */

/* Reads a session to its end: 1 with the wait status, -MRG_E_TIMEOUT. The beginning of the output is in @answer. */
static int finish(const struct watch *w, struct mrg_session *session, int *ret_status, struct buffer *answer, struct mrg_error *err)
{
	for (;;) {
		struct pollfd p = { .fd = mrg_session_fd(session), .events = POLLIN };
		int64_t left = w->deadline - time_monotonic_ms();
		struct mrg_event event = { 0 };
		int r = mrg_session_read(session, &event, err);

		if (r < 0)
			return r;
		if (event.type == MRG_EVENT_STDOUT && answer->length < ANSWER_MAX)
			buffer_add(answer, event.data, event.length < ANSWER_MAX ? event.length : ANSWER_MAX);
		if (event.type == MRG_EVENT_LOST)
			return mrg_error_set(err, -EIO, "the monitor of the command is gone");
		if (event.type == MRG_EVENT_EXIT) {
			*ret_status = event.status;
			return 0;
		}
		if (event.type != MRG_EVENT_NONE)
			continue;
		if (left <= 0)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "the command did not end in time");
		if (poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS) == 0 && go_on(w, err) < 0)
			return -ECANCELED;
	}
}

/* Runs @args inside: its exit status, as a shell gives it. */
static int ask(const struct watch *w, const char *const *args, struct buffer *answer, struct mrg_error *err)
{
	const struct mrg_exec exec = { .args = args };
	struct mrg_session *session = NULL;
	int status = 0, r = mrg_exec(w->c, &exec, &session, err);

	if (r < 0)
		return r;
	r = finish(w, session, &status, answer, err);
	mrg_session_free(session);
	return r < 0 ? r : mrg_exit_code(status);
}

/* ---- what is well -------------------------------------------------------------------------------- */

/* Each answers 1: it is well; 0: not yet; -MRG_E_NO_COMMAND: it cannot be told so; -ECANCELED: nobody waits for it any more. */

/* Services that fail are the guest's matter: they are what they were. */
static int has_booted(const struct watch *w, struct mrg_error *err)
{
	static const char *const args[] = { "systemctl", "is-system-running", NULL };
	_cleanup_(buffer_deinit) struct buffer answer = { 0 };
	int r = ask(w, args, &answer, err);

	if (r == -MRG_E_NO_COMMAND || r == -MRG_E_NOT_EXECUTABLE || r == -MRG_E_UNSUPPORTED)
		return -MRG_E_NO_COMMAND;
	if (r < 0 || !answer.text)
		return r == -ECANCELED ? r : 0;
	return strncmp(answer.text, "running", 7) == 0 || strncmp(answer.text, "degraded", 8) == 0;
}

static int is_content(const struct watch *w, struct mrg_error *err)
{
	const char *const args[] = { "/bin/sh", "-c", w->g->how->health_command, NULL };
	_cleanup_(buffer_deinit) struct buffer answer = { 0 };
	int r = ask(w, args, &answer, err);

	return r == -ECANCELED ? r : r == 0;
}

static int is_alive(const struct watch *w, struct mrg_error *err)
{
	(void)err;
	return time_monotonic_ms() - w->started >= ALIVE_MS;
}

/* Without colours and what else is for a terminal. */
static int add_line(const struct mrg_log_line *line, void *data)
{
	struct buffer *words = data;
	bool escaped = false;

	buffer_add(words, " | ", words->length > 0 ? 3 : 0);
	for (size_t i = 0; i < line->length && words->length < WORDS_MAX; i++) {
		char c = line->text[i];

		if (!escaped && (unsigned char)c >= ' ')
			buffer_add(words, &c, 1);
		escaped = c == '\033' || (escaped && !isalpha((unsigned char)c));
	}
	return 0;
}

/* The undo takes the log away with the rest: what stands at its end is the reason at times. */
static int hint_last_words(const struct watch *w, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer words = { 0 };

	if (mrg_logs(w->c, &(struct mrg_log_query){ .tail = WORDS_LINES }, add_line, &words, NULL) == 0 && words.length > 0 && !words.failed)
		mrg_error_hint(err, "its last lines were: %s", words.text);
	return -MRG_E_STATE;
}

static int check_runs(const struct watch *w, struct mrg_error *err)
{
	struct mrg_status status;
	int r = mrg_container_status(w->c, &status, err);

	if (r < 0 || state_is_alive(status.state))
		return r;
	/* The monitor has still to write down how it ended, and what it said. */
	r = container_wait_end(w->c, END_MS, &status, err);
	if (r < 0)
		return r;
	if (status.has_exit)
		mrg_error_set(err, -MRG_E_STATE, "'%s' has ended with exit status %d soon after its start", w->g->j->target.name,
			      mrg_exit_code(status.exit_status));
	else
		mrg_error_set(err, -MRG_E_STATE, "'%s' has ended soon after its start", w->g->j->target.name);
	return hint_last_words(w, err);
}

static int watch(struct watch *w, int (*test)(const struct watch *w, struct mrg_error *err), struct mrg_error *err)
{
	struct mrg_error why = { 0 };

	for (;;) {
		int r = check_runs(w, err);

		if (r == 0)
			r = go_on(w, err);
		if (r < 0)
			return r;
		r = test(w, &why);
		if (r == -MRG_E_NO_COMMAND)
			test = is_alive;
		if (r == -ECANCELED)
			return mrg_error_set(err, r, "%s", why.message);
		if (r > 0)
			return check_runs(w, err);
		if (time_monotonic_ms() >= w->deadline)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' runs, but is not well in time%s%.200s", w->g->j->target.name, why.message[0] ? ": " : "",
					     why.message);
		poll(NULL, 0, LOOK_MS);
	}
}

int health_wait(struct migration *g, struct mrg_container *target, struct mrg_error *err)
{
	struct watch w = { .g = g, .c = target, .started = time_monotonic_ms() };
	const struct mrg_spec *spec = mrg_container_spec(target);

	w.deadline = w.started + (g->how->timeout_ms > 0 ? g->how->timeout_ms : HEALTH_MS);
	return watch(&w, g->how->health_command ? is_content : spec->boot ? has_booted : is_alive, err);
}
