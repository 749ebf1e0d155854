/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw mode and signals of the command. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

/* Signal handlers have nothing else to hold on to. */
static struct termios saved;
static volatile sig_atomic_t is_raw, reading;
static int signal_pipe[2] = { -1, -1 };
static int deadline_exit;

static const int caught[] = { SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGTSTP };

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

int terminal_raw(void)
{
	struct termios raw;

	if (is_raw)
		return 0;
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return -errno;
	raw = saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	is_raw = 1;
	atexit(terminal_restore);
	return 0;
}

static void on_signal(int signo)
{
	int saved_errno = errno;
	unsigned char byte = (unsigned char)signo;

	/* Before there is a session nobody can be told: a second Ctrl-C ends the command itself. */
	if (signo == SIGINT && !reading) {
		static volatile sig_atomic_t seen;

		if (seen++)
			_exit(128 + SIGINT);
	}
	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = 0;
	errno = saved_errno;
}

/* Not SIG_IGN, which what we execute would inherit. */
static void on_broken_pipe(int signo)
{
	(void)signo;
}

static int catch(struct cli *cli, const int *signals, size_t n)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct mrg_error err;

	if (signal_pipe[0] >= 0)
		return signal_pipe[0];
	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		mrg_error_set(&err, -errno, "cannot make a pipe: %s", strerror(errno));
		cli_fail(cli, &err);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		/* nohup(1) and shells without job control mean what they ignore. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
	action.sa_handler = on_broken_pipe;
	sigaction(SIGPIPE, &action, NULL);
	return signal_pipe[0];
}

int terminal_catch(struct cli *cli)
{
	return catch(cli, caught, ARRAY_SIZE(caught));
}

int terminal_catch_end(struct cli *cli)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

	return catch(cli, ends, ARRAY_SIZE(ends));
}

int terminal_signal(int fd)
{
	unsigned char byte;

	reading = 1;
	return read(fd, &byte, 1) == 1 ? byte : 0;
}

void terminal_release(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, old;

	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == on_signal)
			sigaction(caught[i], &action, NULL);
}

int terminal_deadline_passed(void)
{
	static const char message[] = "moorage: error: the deadline given with --timeout passed\n";

	ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);

	(void)ignored;
	return deadline_exit;
}

static void on_deadline(int signo)
{
	(void)signo;
	terminal_restore();
	_exit(terminal_deadline_passed());
}

void terminal_catch_deadline(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
}

int terminal_deadline(struct cli *cli, const char *text)
{
	struct sigaction action = { .sa_handler = on_deadline };
	struct itimerval timer = { 0 };
	int ms = cli_duration(cli, "--timeout", text);

	if (ms == -1)
		return 0;
	if (ms < 0)
		return cli->payload ? 125 : 2;
	deadline_exit = cli->payload ? 125 : 8;
	sigaction(SIGALRM, &action, NULL);
	timer.it_value.tv_sec = ms / 1000;
	timer.it_value.tv_usec = ms % 1000 * 1000 + !ms;
	setitimer(ITIMER_REAL, &timer, NULL);
	return 0;
}
