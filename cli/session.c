/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One session: our standard streams to and from a program in a container. */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"
#include "core/util/str.h"

/* A key that begins a detach sequence is passed on after this when nothing follows. */
#define HOLD_MS		500
/* Two Ctrl-C within this kill. */
#define KILL_MS		2000
/* What goes on writing this long after its reader went is killed. */
#define BROKEN_MS	1000

struct pump {
	struct cli *cli;
	struct mrg_session *session;
	const struct session_options *options;
	struct detach detach;
	int signals;
	bool terminal;			/* ours is raw and belongs to the session */
	bool input;			/* still open */
	char in[4096 + DETACH_KEYS_MAX];	/* read, not yet taken by the session */
	size_t in_length;
	char *out;			/* an event, not yet written */
	size_t out_length, out_done;
	int out_fd;
	bool broken[3];			/* nobody reads it any more */
	int64_t broken_at, interrupted_at, held_at;
	struct mrg_error write_error;
	bool done;
	int exit;
};

static void resize(struct pump *p)
{
	struct winsize size;
	static const int fds[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (ioctl(fds[i], TIOCGWINSZ, &size) == 0 && size.ws_row) {
			mrg_session_resize(p->session, size.ws_row, size.ws_col, NULL);
			return;
		}
}

static void leave(struct pump *p, int exit)
{
	p->done = true;
	p->exit = exit;
}

/* ---- signals ------------------------------------------------------------------------------------ */

/* The keyboard's own stop was taken away with raw mode; this one was sent by somebody. */
static void suspend(struct pump *p)
{
	terminal_restore();
	raise(SIGSTOP);
	if (p->terminal)
		terminal_raw();
	resize(p);
}

static void pass_on(struct pump *p, int signo)
{
	int64_t now = time_monotonic_ms();

	if (signo == SIGINT) {
		if (p->interrupted_at && now - p->interrupted_at < KILL_MS)
			signo = SIGKILL;
		p->interrupted_at = now;
	}
	mrg_session_kill(p->session, signo, NULL);
}

static void handle_signal(struct pump *p, int signo)
{
	bool proxy = p->cli->sig_proxy && p->options->own && (!p->terminal || signo == SIGHUP);

	if (signo == SIGWINCH || signo == SIGCONT) {
		if (p->terminal && signo == SIGCONT)
			terminal_raw();
		resize(p);
	} else if (signo == SIGTSTP) {
		suspend(p);
	} else if (proxy || (p->cli->sig_proxy && !p->terminal && !mrg_session_terminal(p->session))) {
		pass_on(p, signo);
	} else {
		leave(p, 128 + signo);
	}
}

/* ---- input -------------------------------------------------------------------------------------- */

static void close_input(struct pump *p)
{
	p->input = false;
	mrg_session_close_input(p->session, NULL);
}

static void read_input(struct pump *p)
{
	unsigned char data[4096];
	bool detached = false;
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_input(p);
		return;
	}
	if (!p->terminal || !p->options->keys) {
		memcpy(p->in, data, (size_t)n);
		p->in_length = (size_t)n;
		return;
	}
	p->in_length = detach_filter(&p->detach, data, (size_t)n, (unsigned char *)p->in, &detached);
	p->held_at = p->detach.n_held ? time_monotonic_ms() : 0;
	if (detached) {
		terminal_restore();
		cli_note(p->cli, "left '%s', which goes on", p->options->name);
		leave(p, 0);
	}
}

static void pass_input(struct pump *p)
{
	ssize_t n = mrg_session_write(p->session, p->in, p->in_length, NULL);

	if (n < 0) {
		/* The program has closed its input or is gone: the exit event tells. */
		p->in_length = 0;
		p->input = false;
		return;
	}
	p->in_length -= (size_t)n;
	memmove(p->in, p->in + n, p->in_length);
}

static void pass_held(struct pump *p)
{
	if (!p->held_at || p->in_length || time_monotonic_ms() - p->held_at < HOLD_MS)
		return;
	memcpy(p->in, p->detach.held, p->detach.n_held);
	p->in_length = p->detach.n_held;
	p->detach.n_held = 0;
	p->held_at = 0;
}

/* ---- output ------------------------------------------------------------------------------------- */

/* The program must learn that nobody reads: as a pipe would tell it. */
static void tell_broken(struct pump *p, int error)
{
	int64_t now = time_monotonic_ms();

	p->broken[p->out_fd] = true;
	p->out_length = p->out_done = 0;
	if (error != EPIPE && !p->write_error.code)
		mrg_error_set(&p->write_error, -EIO, "cannot write the output: %s", strerror(error));
	if (!p->options->own) {
		leave(p, error == EPIPE ? 128 + SIGPIPE : 125);
		return;
	}
	if (!p->broken_at) {
		p->broken_at = now;
		mrg_session_kill(p->session, SIGPIPE, NULL);
	} else if (now - p->broken_at > BROKEN_MS) {
		mrg_session_kill(p->session, SIGKILL, NULL);
	}
}

/* Never more than a pipe takes at once when poll(2) says it is writable: our own standard streams stay blocking. */
static void write_output(struct pump *p)
{
	size_t left = p->out_length - p->out_done;
	ssize_t n = write(p->out_fd, p->out + p->out_done, left < PIPE_BUF ? left : PIPE_BUF);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		tell_broken(p, errno);
		return;
	}
	p->out_done += (size_t)n;
	if (p->out_done == p->out_length)
		p->out_length = p->out_done = 0;
}

static void keep_output(struct pump *p, int fd, const struct mrg_event *event)
{
	char *grown;

	p->out_fd = fd;
	if (p->broken[fd]) {
		tell_broken(p, EPIPE);
		return;
	}
	grown = realloc(p->out, event->length + 1);
	if (!grown)
		return;
	p->out = grown;
	memcpy(p->out, event->data, event->length);
	p->out_length = event->length;
	p->out_done = 0;
}

static void read_event(struct pump *p)
{
	struct mrg_error err = { 0 };
	struct mrg_event event;

	if (mrg_session_read(p->session, &event, &err) < 0) {
		leave(p, cli_fail(p->cli, &err));
		return;
	}
	switch (event.type) {
	case MRG_EVENT_STDOUT:
	case MRG_EVENT_STDERR:
		keep_output(p, event.type == MRG_EVENT_STDOUT ? STDOUT_FILENO : STDERR_FILENO, &event);
		break;
	case MRG_EVENT_EXIT:
		terminal_restore();
		/* What a user sees only as status 137 otherwise. */
		if (event.oom_killed)
			cli_note(p->cli, "'%s' was killed: out of memory", p->options->name);
		leave(p, mrg_exit_code(event.status));
		break;
	case MRG_EVENT_LOST:
		terminal_restore();
		mrg_error_set(&err, -MRG_E_STATE, "the monitor of '%s' is gone, and with it the exit status", p->options->name);
		leave(p, cli_fail(p->cli, &err));
		break;
	}
}

/* ---- the loop ----------------------------------------------------------------------------------- */

enum { POLL_SIGNALS, POLL_SESSION, POLL_INPUT, POLL_OUTPUT, POLL_MAX };

static void handle(struct pump *p, const struct pollfd *fds)
{
	if (fds[POLL_SIGNALS].revents)
		for (int signo; !p->done && (signo = terminal_signal(p->signals));)
			handle_signal(p, signo);
	if (!p->done && fds[POLL_OUTPUT].revents)
		write_output(p);
	if (!p->done && p->in_length && fds[POLL_SESSION].revents & POLLOUT)
		pass_input(p);
	if (!p->done && fds[POLL_INPUT].revents)
		read_input(p);
	if (!p->done && p->out_length == 0 && fds[POLL_SESSION].revents & (POLLIN | POLLHUP | POLLERR))
		read_event(p);
	pass_held(p);
}

static void step(struct pump *p)
{
	bool read_now = p->out_length == 0;
	struct pollfd fds[POLL_MAX] = {
		[POLL_SIGNALS] = { .fd = p->signals, .events = POLLIN },
		[POLL_SESSION] = { .fd = read_now || p->in_length ? mrg_session_fd(p->session) : -1,
				   .events = (short)((read_now ? POLLIN : 0) | (p->in_length ? POLLOUT : 0)) },
		[POLL_INPUT] = { .fd = p->input && !p->in_length ? STDIN_FILENO : -1, .events = POLLIN },
		[POLL_OUTPUT] = { .fd = p->out_length ? p->out_fd : -1, .events = POLLOUT },
	};

	if (poll(fds, POLL_MAX, p->held_at ? HOLD_MS : -1) >= 0)
		handle(p, fds);
	else if (errno != EINTR)
		leave(p, 125);
}

/* What was read and not written when the end came. */
static void drain(struct pump *p)
{
	while (p->out_length && !p->broken[p->out_fd])
		write_output(p);
}

int session_keys(struct cli *cli, struct detach *ret)
{
	const char *keys = cli->detach_keys ? cli->detach_keys : getenv("MOORAGE_DETACH_KEYS");

	if (detach_parse(ret, keys) == 0)
		return 0;
	return cli_usage(cli, "keys are letters and ctrl-LETTER, separated by commas", "cannot use detach keys '%s'", keys);
}

int session_pump(struct cli *cli, struct mrg_session *session, const struct session_options *options)
{
	struct pump p = { .cli = cli, .session = session, .options = options, .input = options->input };

	if (session_keys(cli, &p.detach) != 0)
		return 125;
	p.signals = terminal_catch(cli);
	if (p.signals < 0)
		return 125;
	fflush(stdout);
	if (mrg_session_terminal(session)) {
		resize(&p);
		if (options->input && isatty(STDIN_FILENO))
			p.terminal = terminal_raw() == 0;
	}
	while (!p.done)
		step(&p);
	drain(&p);
	terminal_restore();
	terminal_release();
	free(p.out);
	if (p.write_error.code)
		return cli_fail(cli, &p.write_error);
	return p.exit;
}
