/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What no verb may do to the process that calls it: each is to be noticed by whoever judges a backend. */

#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "tests/fake/fake.h"

static void leave_descriptor(void)
{
	(void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void print(void)
{
	(void)!write(STDOUT_FILENO, "hello\n", 6);
}

static void leave_child(void)
{
	if (fork() == 0)
		_exit(0);
}

static void bury_others(void)
{
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		;
}

static void *sleep_on(_unused_ void *data)
{
	for (;;)
		pause();
	return NULL;
}

static void leave_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, sleep_on, NULL);
}

static void change_mask(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, NULL, &old);
	sigprocmask(sigismember(&old, SIGUSR2) ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static void ignore_signal(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &action, NULL);
}

static void leave_timer(void)
{
	struct itimerval timer = { .it_value = { .tv_sec = 3600 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void change_umask(void)
{
	umask(0);
}

static void change_directory(void)
{
	(void)!chdir("/var");
}

static void change_environment(void)
{
	setenv("MRGT_LEFT", "1", 1);
}

static void drop_capability(void)
{
	prctl(PR_CAPBSET_DROP, 0, 0, 0, 0);
}

static void lower_limit(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_CORE, &limit);
}

static void become_subreaper(void)
{
	int is = 0;

	prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, !is, 0, 0, 0);
}

static void change_namespace(void)
{
	(void)!unshare(CLONE_NEWUTS);
}

static void leave_mount(void)
{
	(void)!mount("mrgt", "/mnt", "tmpfs", 0, NULL);
}

static const struct {
	const char *name;
	void (*commit)(void);
} misdeeds[] = {
	{ "descriptor", leave_descriptor }, { "print", print }, { "child", leave_child }, { "wait-for-all", bury_others },
	{ "thread", leave_thread }, { "signal-mask", change_mask }, { "signal-handler", ignore_signal }, { "timer", leave_timer },
	{ "umask", change_umask }, { "chdir", change_directory }, { "environment", change_environment },
	{ "capability", drop_capability }, { "limit", lower_limit }, { "subreaper", become_subreaper },
	{ "namespace", change_namespace }, { "mount", leave_mount },
};

bool fake_misdeed(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(misdeeds); i++)
		if (strcmp(misdeeds[i].name, name) == 0) {
			misdeeds[i].commit();
			return true;
		}
	return false;
}
