/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process is: ids, capabilities, limits, scheduling, signals, namespaces. */

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* Of headers that a static C library does not bring. */
#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT		47
#define PR_CAP_AMBIENT_IS_SET	1
#endif
#define CAPABILITY_VERSION_3	0x20080522
#define IOPRIO_WHO_PROCESS	1

extern char **environ;

/* ---- identity ---------------------------------------------------------------------------- */

static void see_pid(const char *argument)
{
	(void)argument;
	say("%d", (int)getpid());
}

static void see_leader(const char *argument)
{
	(void)argument;
	say("%s", getsid(0) == getpid() ? "yes" : getpgrp() == getpid() ? "group" : "no");
}

static void see_uid(const char *argument)
{
	(void)argument;
	say("%u %u", (unsigned int)getuid(), (unsigned int)geteuid());
}

static void see_gid(const char *argument)
{
	(void)argument;
	say("%u %u", (unsigned int)getgid(), (unsigned int)getegid());
}

static int compare(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return (x > y) - (x < y);
}

static void see_groups(const char *argument)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	(void)argument;
	if (n < 0) {
		say_result(errno);
		return;
	}
	qsort(groups, (size_t)n, sizeof(groups[0]), compare);
	for (int i = 0; i < n; i++)
		say("%s%u", i ? "," : "", (unsigned int)groups[i]);
}

static void see_umask(const char *argument)
{
	mode_t mask = umask(0);

	(void)argument;
	umask(mask);
	say("%04o", (unsigned int)mask);
}

static void see_cwd(const char *argument)
{
	char path[4096];

	(void)argument;
	if (getcwd(path, sizeof(path)))
		say("%s", path);
	else
		say_result(errno);
}

static void see_env(const char *argument)
{
	const char *value = getenv(argument);

	if (value)
		say_bytes(value, strlen(value));
	else
		say("(unset)");
}

static void see_uname(const char *argument)
{
	struct utsname host;

	uname(&host);
	say("%s", strcmp(argument, "hostname") == 0 ? host.nodename :
	    strcmp(argument, "domainname") == 0 ? host.domainname : host.machine);
}

static void see_namespace(const char *argument)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/ns/%s", argument);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		say_result(errno);
	else
		say("%s", target);
}

/* ---- privileges -------------------------------------------------------------------------- */

static uint64_t test_each(int option, unsigned long sub)
{
	uint64_t set = 0;

	for (unsigned long cap = 0; cap < 64; cap++)
		if ((option == PR_CAPBSET_READ ? prctl(option, cap, 0, 0, 0) : prctl(option, sub, cap, 0, 0)) == 1)
			set |= UINT64_C(1) << cap;
	return set;
}

static void see_caps(const char *argument)
{
	struct { uint32_t version; int pid; } header = { CAPABILITY_VERSION_3, 0 };
	struct { uint32_t effective, permitted, inheritable; } data[2];
	uint64_t set = 0;

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capget, &header, data) < 0) {
		say_result(errno);
		return;
	}
	if (strcmp(argument, "effective") == 0)
		set = data[0].effective | (uint64_t)data[1].effective << 32;
	else if (strcmp(argument, "permitted") == 0)
		set = data[0].permitted | (uint64_t)data[1].permitted << 32;
	else if (strcmp(argument, "inheritable") == 0)
		set = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	else if (strcmp(argument, "bounding") == 0)
		set = test_each(PR_CAPBSET_READ, 0);
	else if (strcmp(argument, "ambient") == 0)
		set = test_each(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET);
	say("%llx", (unsigned long long)set);
}

static void see_no_new_privs(const char *argument)
{
	(void)argument;
	say("%d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void see_seccomp(const char *argument)
{
	(void)argument;
	say("%d", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
}

static void see_personality(const char *argument)
{
	(void)argument;
	say("%x", (unsigned int)personality(0xffffffff));
}

/* A system call that a policy may refuse, with arguments that change nothing that lasts. */
static void see_syscall(const char *argument)
{
	static const struct {
		const char *name;
		long number, args[5];
	} calls[] = {
		{ "getpriority", SYS_getpriority, { 0, 0 } },
		{ "unshare", SYS_unshare, { CLONE_NEWUTS } },
		{ "chroot", SYS_chroot, { (long)"/" } },
		{ "keyctl", SYS_keyctl, { 0, -3, 0 } },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argument) == 0) {
			const long *a = calls[i].args;

			say_result(syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4]) < 0 ? errno : 0);
		}
}

/* ---- limits and scheduling --------------------------------------------------------------- */

static void say_limit(rlim_t value)
{
	if (value == RLIM_INFINITY)
		say("unlimited");
	else
		say("%llu", (unsigned long long)value);
}

static void see_rlimit(const char *argument)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "AS", RLIMIT_AS }, { "CORE", RLIMIT_CORE }, { "CPU", RLIMIT_CPU }, { "DATA", RLIMIT_DATA },
		{ "FSIZE", RLIMIT_FSIZE }, { "MEMLOCK", RLIMIT_MEMLOCK }, { "NOFILE", RLIMIT_NOFILE },
		{ "NPROC", RLIMIT_NPROC }, { "STACK", RLIMIT_STACK },
	};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(limits[i].name, argument) == 0 && getrlimit(limits[i].resource, &limit) == 0) {
			say_limit(limit.rlim_cur);
			say(":");
			say_limit(limit.rlim_max);
		}
}

static void see_scheduler(const char *argument)
{
	(void)argument;
	say("%ld nice %d", syscall(SYS_sched_getscheduler, 0), getpriority(PRIO_PROCESS, 0));
}

static void see_io_priority(const char *argument)
{
	long value = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	(void)argument;
	say("%ld/%ld", value >> 13, value & 7);
}

static void see_affinity(const char *argument)
{
	unsigned long set[16] = { 0 };
	const char *separator = "";

	(void)argument;
	if (syscall(SYS_sched_getaffinity, 0, sizeof(set), set) < 0) {
		say_result(errno);
		return;
	}
	for (size_t cpu = 0; cpu < sizeof(set) * 8; cpu++)
		if (set[cpu / (8 * sizeof(long))] >> cpu % (8 * sizeof(long)) & 1) {
			say("%s%zu", separator, cpu);
			separator = ",";
		}
}

static void see_clock(const char *argument)
{
	struct timespec now;

	clock_gettime(strcmp(argument, "boottime") == 0 ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, &now);
	say("%lld", (long long)now.tv_sec);
}

/* ---- what was inherited ------------------------------------------------------------------- */

static void see_signals(const char *argument)
{
	sigset_t blocked;
	const char *separator = "";

	(void)argument;
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int signo = 1; signo < 65; signo++) {
		struct sigaction action;
		int ignored = sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN;

		if (signo == 32 || signo == 33 || signo == 34 || (!ignored && sigismember(&blocked, signo) != 1))
			continue;
		say("%s%d %s", separator, signo, ignored ? "ignored" : "blocked");
		separator = ",";
	}
	if (!*separator)
		say("default");
}

static void see_descriptors(const char *argument)
{
	const char *separator = "";
	struct stat st;

	(void)argument;
	for (int fd = 0; fd < 4096; fd++)
		if (fstat(fd, &st) == 0) {
			say("%s%d", separator, fd);
			separator = ",";
		}
}

static void see_environment(const char *argument)
{
	const char *separator = "";

	(void)argument;
	for (char **entry = environ; *entry; entry++) {
		say("%s", separator);
		say_bytes(*entry, strcspn(*entry, "="));
		separator = ",";
	}
}

const struct word process_words[] = {
	{ "pid", see_pid }, { "leader", see_leader }, { "uid", see_uid }, { "gid", see_gid }, { "groups", see_groups },
	{ "umask", see_umask }, { "cwd", see_cwd }, { "env", see_env }, { "environment", see_environment }, { "uname", see_uname },
	{ "ns", see_namespace }, { "caps", see_caps }, { "no_new_privs", see_no_new_privs }, { "seccomp", see_seccomp },
	{ "personality", see_personality }, { "syscall", see_syscall }, { "rlimit", see_rlimit }, { "scheduler", see_scheduler },
	{ "io_priority", see_io_priority }, { "affinity", see_affinity }, { "clock", see_clock }, { "signals", see_signals },
	{ "descriptors", see_descriptors },
	{ NULL, NULL }
};
