/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How it lives and ends: streams, signals, children, exit status. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static void end(const char *argument)
{
	_exit((int)number(argument, NULL));
}

static void end_by_signal(const char *argument)
{
	int signo = (int)number(argument, NULL);

	signal(signo, SIG_DFL);
	kill(getpid(), signo);
	/* Process 1 of a pid namespace is not killed by its own signals. */
	_exit(128 + signo);
}

static void pass_time(const char *argument)
{
	long ms = number(argument, NULL);
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

/* ---- streams ------------------------------------------------------------------------------- */

/* Copies its input until the end of it. */
static void echo(const char *argument)
{
	char text[4096];
	size_t total = 0;
	ssize_t n;

	(void)argument;
	while ((n = read(STDIN_FILENO, text, sizeof(text))) > 0) {
		say_bytes(text, (size_t)n);
		total += (size_t)n;
	}
	say(" (%zu bytes)", total);
}

static void put_out(const char *argument)
{
	put(STDOUT_FILENO, argument);
	put(STDOUT_FILENO, "\n");
	say("ok");
}

static void put_err(const char *argument)
{
	put(STDERR_FILENO, argument);
	put(STDERR_FILENO, "\n");
	say("ok");
}

/* KIBIBYTES of lines of 64 bytes, each with its number. */
static void put_lines(const char *argument)
{
	long lines = number(argument, NULL) * 16;
	char text[80];

	for (long i = 0; i < lines; i++) {
		snprintf(text, sizeof(text), "%-62ld|\n", i);
		put(STDOUT_FILENO, text);
	}
	say("ok");
}

/* ---- signals ------------------------------------------------------------------------------- */

static void block_all(sigset_t *ret)
{
	sigfillset(ret);
	sigprocmask(SIG_BLOCK, ret, NULL);
}

/* Waits for signal @argument and ends well; any other that asks for the end is told and ends it as well. */
static void await(const char *argument)
{
	int wanted = (int)number(argument, NULL), signo;
	sigset_t all;

	block_all(&all);
	say("ready");
	say_end();
	do
		signo = sigwaitinfo(&all, NULL);
	while (signo == SIGCHLD || signo == SIGCONT || signo < 0);
	say("caught=%d", signo);
	say_end();
	_exit(signo == wanted ? 0 : 99);
}

/* Ends at SIGTERM, as a good program does. */
static void wait_for_the_end(const char *argument)
{
	(void)argument;
	await("15");
}

static void be_stubborn(const char *argument)
{
	sigset_t all;

	(void)argument;
	block_all(&all);
	say("ready");
	say_end();
	for (;;)
		sigwaitinfo(&all, NULL);
}

/* N children that wait, then itself. */
static void have_children(const char *argument)
{
	for (long n = number(argument, NULL); n > 0; n--)
		if (fork() == 0)
			for (;;)
				pause();
	wait_for_the_end("");
}

/* A grandchild that outlives its parent and this process: "wait" for whoever must end it. */
static void leave_orphan(const char *argument)
{
	pid_t child = fork();

	(void)argument;
	if (child == 0) {
		if (fork() == 0) {
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			close(STDERR_FILENO);
			setsid();
			for (;;)
				pause();
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
	say("ok");
}

/* Whether an orphan is buried by somebody within ten seconds. */
static void see_reaping(const char *argument)
{
	struct timespec step = { .tv_nsec = 20000000 };
	int ends[2];
	pid_t orphan = 0, child;

	(void)argument;
	if (pipe(ends) < 0)
		return;
	child = fork();
	if (child == 0) {
		orphan = fork();
		if (orphan == 0) {
			nanosleep(&step, NULL);
			_exit(0);
		}
		(void)!write(ends[1], &orphan, sizeof(orphan));
		_exit(0);
	}
	waitpid(child, NULL, 0);
	if (read(ends[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		return;
	for (int i = 0; i < 500 && kill(orphan, 0) == 0; i++)
		nanosleep(&step, NULL);
	say("%s", kill(orphan, 0) < 0 ? "yes" : "no");
}

/* What systemd takes for the order to halt: SIGRTMIN+3 of glibc, which keeps one signal less for itself than musl does. */
#define SIGNAL_HALT	37

int play_init(void)
{
	sigset_t all;
	int signo;

	block_all(&all);
	say("init=%d", (int)getpid());
	say_end();
	do {
		signo = sigwaitinfo(&all, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (signo != SIGNAL_HALT && signo != SIGTERM && signo != SIGPWR);
	say("halt=%d", signo);
	say_end();
	return 0;
}

const struct word life_words[] = {
	{ "exit", end }, { "signal", end_by_signal }, { "sleep", pass_time }, { "echo", echo }, { "out", put_out },
	{ "err", put_err }, { "lines", put_lines }, { "await", await }, { "wait", wait_for_the_end }, { "stubborn", be_stubborn },
	{ "children", have_children }, { "orphan", leave_orphan }, { "reaping", see_reaping },
	{ NULL, NULL }
};
