/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The screen of 'moorage top': waits for keys, signals and the time of the next look. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "cli/terminal.h"
#include "cli/top_live.h"
#include "cli/top_screen.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

struct live {
	struct top_look *look;
	struct top_view view;
	struct screen *screen;
	int signals;			/* where they are read from */
	int64_t next;			/* look: CLOCK_MONOTONIC in ms */
	bool over;
	int signo;			/* that ended it; 0: the user */
};

static void say(struct live *live, const char *text)
{
	snprintf(live->view.message, sizeof(live->view.message), "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- the container that is chosen ----------------------------------------------------------- */

static int open_chosen(struct live *live, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_free_ char *full = NULL;

	if (!live->view.backend || !live->view.name || asprintf(&full, "%s:%s", live->view.backend, live->view.name) < 0) {
		full = NULL;
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container is chosen");
	}
	return mrg_container_open(live->look->cli->m, full, ret, err);
}

static int add_proc(const struct mrg_proc *proc, void *data)
{
	return top_procs_add(data, proc);
}

/* Its processes; when they cannot be told any more, back to the list. */
static void look_inside(struct live *live)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct top_procs procs = { .list = NULL };
	struct mrg_error err = { 0 };
	int r = open_chosen(live, &c, &err);

	if (r >= 0)
		r = mrg_procs(c, add_proc, &procs, &err);
	if (r >= 0)
		r = top_view_take_procs(&live->view, &procs);
	if (r < 0) {
		top_view_key(&live->view, TOP_KEY_ESCAPE);
		say(live, r == -ENOMEM ? "out of memory" : err.message);
	}
	top_procs_deinit(&procs);
}

/* Sends the signal, or asks for the end without waiting for it: the screen goes on. */
static void act(struct live *live, enum top_action action)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	char number[16], text[200];
	int r = open_chosen(live, &c, &err);

	if (r >= 0)
		r = action == TOP_SEND ? mrg_kill(c, live->view.signo, 0, &err) : mrg_stop(c, 0, 1, &err);
	if (r < 0 && !(action == TOP_STOP && r == -MRG_E_TIMEOUT)) {
		say(live, err.message);
		return;
	}
	snprintf(text, sizeof(text), "%s sent to %s:%s", action == TOP_SEND ? signal_name(live->view.signo, number) : "request to end",
		 live->view.backend, live->view.name);
	say(live, text);
}

/* ---- looks, keys, signals ------------------------------------------------------------------- */

static void look(struct live *live)
{
	struct mrg_error err = { 0 };
	int r = top_look(live->look, &err);

	live->next = time_monotonic_ms() + live->view.interval_ms;
	if (top_view_update(&live->view, &live->look->usages) < 0)
		say(live, "out of memory");
	if (r < 0)
		say(live, err.message);
	else if (live->look->trouble[0])
		say(live, live->look->trouble);
	if (live->view.mode == TOP_TREE)
		look_inside(live);
}

static void take_keys(struct live *live)
{
	int key;

	while (!live->over && (key = screen_key(live->screen)) != TOP_KEY_NONE) {
		enum top_action action = top_view_key(&live->view, key);

		if (action == TOP_QUIT)
			live->over = true;
		else if (action == TOP_LOOK)
			look(live);
		else if (action != TOP_NOTHING)
			act(live, action);
	}
}

/* As if nothing had been caught: until somebody has it go on. */
static void suspend(struct live *live)
{
	struct sigaction usual = { .sa_handler = SIG_DFL }, ours;

	screen_leave(live->screen);
	sigaction(SIGTSTP, &usual, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
	screen_refit(live->screen);
}

static void take_signals(struct live *live)
{
	int signo;

	while (!live->over && (signo = terminal_signal(live->signals)) != 0) {
		if (signo == SIGTSTP) {
			suspend(live);
		} else if (signo == SIGWINCH || signo == SIGCONT) {
			screen_refit(live->screen);
		} else {
			live->signo = signo;
			live->over = true;
		}
	}
}

static void run(struct live *live)
{
	look(live);
	while (!live->over) {
		struct pollfd fds[] = { { .fd = live->signals, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
		int64_t left = live->next - time_monotonic_ms();

		screen_draw(live->screen, &live->view);
		if (poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			break;
		take_signals(live);
		if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			/* The terminal is gone; the signal that says so may come a moment later. */
			live->signo = live->signo ? live->signo : SIGHUP;
			live->over = true;
		}
		if (fds[1].revents & POLLIN)
			take_keys(live);
		if (!live->over && time_monotonic_ms() >= live->next)
			look(live);
	}
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void begin_view(struct live *live, const struct listing *list, int interval_ms)
{
	struct top_view *view = &live->view;

	top_view_init(view);
	view->interval_ms = interval_ms;
	for (view->n_shown = 0; view->n_shown < TOP_COLUMNS && list->shown[view->n_shown] >= 0; view->n_shown++)
		view->shown[view->n_shown] = list->shown[view->n_shown];
	if (list->sort >= 0)
		view->sort = list->sort;
}

int top_live(struct top_look *top_look, int interval_ms)
{
	struct live live = { .look = top_look };
	struct mrg_error err;

	/* Before ncurses, which leaves alone what is caught already. */
	live.signals = terminal_catch(top_look->cli);
	if (live.signals < 0)
		return 1;
	terminal_catch_deadline();
	if (screen_open(&live.screen, &err) < 0)
		return cli_fail(top_look->cli, &err);
	begin_view(&live, top_look->list, interval_ms);
	run(&live);
	screen_close(live.screen);
	top_view_deinit(&live.view);
	if (live.signo == SIGALRM)
		return terminal_deadline_passed();
	return live.signo ? 128 + live.signo : 0;
}
