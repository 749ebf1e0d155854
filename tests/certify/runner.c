/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each test in a process of its own, with a deadline; then the look at what it has left. */

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
#include "tests/certify/certify.h"
#include "tests/certify/runner.h"

/* What came of a test. */
struct outcome {
	struct message *messages;
	size_t n, expected;
	int status;			/* wait status of its process */
	bool late;
	char left[RESULT_SIZE];		/* what it left behind */
};

static size_t count_parts(const struct test *test)
{
	size_t n = 0;

	while (test->parts && test->parts[n])
		n++;
	return n ? n : 1;
}

/* ---- the process ------------------------------------------------------------------------------ */

static void __attribute__((noreturn)) child(struct kit *kit, const struct test *test, int channel)
{
	struct trial t = { .kit = kit, .test = test, .channel = channel };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigset_t none;

	/* Its own group: a plugin that signals its group does not hit the judge. TAP is the judge's alone. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		trial_fail(&t, "the kit cannot set up a test: %s", strerror(errno));
	test->run(&t);
	trial_pass(&t);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

/* Buries every child that has ended; whether @pid was among them. */
static bool reap(pid_t pid, int *ret_status)
{
	bool found = false;
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
		if (ended == pid) {
			*ret_status = status;
			found = true;
		}
	return found;
}

static void receive(struct outcome *o, int channel)
{
	while (o->n < o->expected &&
	       fd_read_all(channel, &o->messages[o->n], sizeof(struct message)) == (ssize_t)sizeof(struct message)) {
		o->messages[o->n].text[RESULT_SIZE - 1] = '\0';
		o->n++;
	}
}

/* Signals that ask for an end are blocked, so that nothing is left half done. */
static bool is_interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
					     sigismember(&pending, SIGHUP));
}

/* The channel is not watched: what a test starts may hold it open. Messages fit into the pipe. */
static void wait_for(struct kit *kit, pid_t pid, int seconds, struct outcome *o)
{
	int64_t deadline = time_monotonic_ms() + seconds * 1000;

	while (!reap(pid, &o->status)) {
		kit->interrupted = kit->interrupted || is_interrupted();
		if (!o->late && (kit->interrupted || time_monotonic_ms() > deadline)) {
			o->late = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
		poll(NULL, 0, 2);
	}
}

/* All that it told is good: what it leaves decides. */
static bool is_fine(const struct outcome *o)
{
	return o->n == o->expected && o->messages[o->n - 1].verdict == VERDICT_OK;
}

/* Monitors and engines end after the end they told. */
static void look_for_leftovers(struct kit *kit, struct outcome *o)
{
	int64_t deadline = time_monotonic_ms() + (is_fine(o) ? kit->patience : FAILED_MS);
	struct buffer left = { 0 };
	int ignored;

	for (;;) {
		reap(0, &ignored);
		buffer_deinit(&left);
		leftovers_list(kit, &left);
		if (!left.length || time_monotonic_ms() > deadline)
			break;
		poll(NULL, 0, 20);
	}
	if (left.length) {
		snprintf(o->left, sizeof(o->left), "%s", left.text);
		leftovers_clear(kit);
	}
	buffer_deinit(&left);
	reap(0, &ignored);
}

/* ---- telling ------------------------------------------------------------------------------------ */

static int seconds_of(const struct kit *kit, const struct test *test)
{
	return kit->seconds ? kit->seconds : test->seconds ? test->seconds : TEST_SECONDS;
}

static void tell_missing(struct kit *kit, const struct test *test, const struct outcome *o)
{
	char text[RESULT_SIZE];

	if (o->late)
		snprintf(text, sizeof(text), "it did not end within %d seconds", seconds_of(kit, test));
	else if (WIFSIGNALED(o->status))
		snprintf(text, sizeof(text), "its process died of signal %d (%s)", WTERMSIG(o->status), strsignal(WTERMSIG(o->status)));
	else
		snprintf(text, sizeof(text), "its process ended with status %d and told nothing", WEXITSTATUS(o->status));
	if (o->n == 0)
		report_add(kit->report, test, NULL, VERDICT_FAILED, text);
	for (size_t i = o->n; i < o->expected && o->n > 0; i++)
		report_add(kit->report, test, test->parts ? test->parts[i] : NULL, VERDICT_FAILED, text);
}

static void tell(struct kit *kit, const struct test *test, const struct outcome *o)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct message *message = &o->messages[i];
		enum verdict verdict = message->verdict;
		const char *text = message->text;
		char left[RESULT_SIZE + 32];

		/* With the last part: all others have been told what they are about. */
		if (verdict == VERDICT_OK && i + 1 == o->expected && o->left[0]) {
			snprintf(left, sizeof(left), "left behind: %s", o->left);
			verdict = VERDICT_FAILED;
			text = left;
		}
		if (verdict != VERDICT_ABSENT)
			report_add(kit->report, test, test->parts && !message->whole ? test->parts[i] : NULL, verdict, text);
		if (message->whole)
			return;
	}
	tell_missing(kit, test, o);
}

/* A test of parts runs whole when one of them is wanted. */
static bool is_wanted(const struct kit *kit, const struct test *test)
{
	bool wanted = false;

	for (size_t i = 0; i < count_parts(test) && !wanted; i++) {
		_cleanup_free_ char *name = test_name(test, test->parts ? test->parts[i] : NULL);

		wanted = name && test_is_wanted(kit, name);
	}
	return wanted;
}

void run_test(struct kit *kit, const struct test *test)
{
	struct outcome o = { .expected = count_parts(test) };
	bool wanted = is_wanted(kit, test);
	int channel[2];
	pid_t pid;

	if (kit->interrupted || (!wanted && !test->always))
		return;
	if (!test->unusable && !kit->facts->usable) {
		report_add(kit->report, test, NULL, VERDICT_SKIPPED, kit->facts->why_not);
		return;
	}
	kit->serial++;
	o.messages = calloc(o.expected, sizeof(struct message));
	if (!o.messages || pipe2(channel, O_CLOEXEC) < 0) {
		report_add(kit->report, test, NULL, VERDICT_FAILED, "the kit is out of memory or descriptors");
		free(o.messages);
		return;
	}
	/* A pipe holds 64 KiB: more parts than that would block their teller. */
	fcntl(channel[1], F_SETPIPE_SZ, (int)((o.expected + 1) * sizeof(struct message)));
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		child(kit, test, channel[1]);
	}
	close(channel[1]);
	if (pid > 0)
		wait_for(kit, pid, seconds_of(kit, test), &o);
	/* Whatever else holds the channel must not hold us. */
	fcntl(channel[0], F_SETFL, O_NONBLOCK);
	receive(&o, channel[0]);
	close(channel[0]);
	look_for_leftovers(kit, &o);
	if (wanted && !kit->interrupted)
		tell(kit, test, &o);
	free(o.messages);
}
