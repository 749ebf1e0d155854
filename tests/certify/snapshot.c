/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of the calling process, aspect by aspect. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/snapshot.h"

static void add_file(struct buffer *b, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;

	if (fd_read_virtual(AT_FDCWD, path, 4 << 20, &text, &length) == 0)
		buffer_add(b, text, length);
}

/* Lines of /proc/self/status that begin with one of @keys. */
static void add_status(struct buffer *b, const char *const *keys)
{
	_cleanup_free_ char *text = NULL;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) < 0)
		return;
	for (; *keys; keys++) {
		const char *line = strstr(text, *keys);

		if (line)
			buffer_addf(b, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
}

/* ---- descriptors, output ------------------------------------------------------------------------- */

static void take_descriptors(struct buffer *ret)
{
	char path[64], target[512];

	for (int fd = 0; fd < 4096; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0)
			buffer_addf(ret, "%d: %.*s%s\n", fd, (int)n, target, fcntl(fd, F_GETFD) & FD_CLOEXEC ? "" : " (inherited over exec)");
	}
}

int snapshot_catch_output(void)
{
	_cleanup_close_ int fd = memfd_create("mrgt-output", MFD_CLOEXEC);

	return fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ? -1 : 0;
}

static void take_output(struct buffer *ret)
{
	char text[4096];
	ssize_t n;

	/* Standard output of C is a buffer: what a plugin printed is in it. */
	fflush(NULL);
	n = pread(STDOUT_FILENO, text, sizeof(text), 0);
	if (n > 0)
		buffer_add(ret, text, (size_t)n);
}

/* ---- processes ------------------------------------------------------------------------------------- */

static void add_child(pid_t pid, void *data)
{
	buffer_addf(data, "process %d\n", (int)pid);
}

static void take_children(struct buffer *ret)
{
	each_child(add_child, ret);
}

static void take_threads(struct buffer *ret)
{
	static const char *const keys[] = { "Threads:", NULL };

	add_status(ret, keys);
}

/* ---- signals ----------------------------------------------------------------------------------------- */

static void take_mask(struct buffer *ret)
{
	static const char *const keys[] = { "SigBlk:", NULL };

	add_status(ret, keys);
}

static void take_handlers(struct buffer *ret)
{
	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction action = { 0 };

		if (sigaction(signo, NULL, &action) == 0 && (action.sa_handler != SIG_DFL || action.sa_flags))
			buffer_addf(ret, "signal %d: %p, flags %x\n", signo, (void *)action.sa_sigaction, (unsigned int)action.sa_flags);
	}
}

static void take_timers(struct buffer *ret)
{
	struct itimerval timer;

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		if (getitimer(which, &timer) == 0 && (timer.it_value.tv_sec || timer.it_value.tv_usec))
			buffer_addf(ret, "timer %d\n", which);
}

/* ---- the process -------------------------------------------------------------------------------------- */

static void take_umask(struct buffer *ret)
{
	mode_t mask = umask(0);

	umask(mask);
	buffer_addf(ret, "umask %04o\n", (unsigned int)mask);
}

static void add_directory(struct buffer *ret, const char *link)
{
	char path[4096];
	ssize_t n = readlink(link, path, sizeof(path));

	buffer_addf(ret, "%s\n", n < 0 ? "unknown" : "");
	if (n > 0)
		buffer_add(ret, path, (size_t)n);
}

static void take_directory(struct buffer *ret)
{
	add_directory(ret, "/proc/self/cwd");
	add_directory(ret, "/proc/self/root");
}

static void take_environment(struct buffer *ret)
{
	for (char **entry = environ; entry && *entry; entry++)
		buffer_addf(ret, "%s\n", *entry);
}

static void take_credentials(struct buffer *ret)
{
	static const char *const keys[] = { "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
					    "NoNewPrivs:", "Seccomp:", NULL };

	add_status(ret, keys);
}

static void take_limits(struct buffer *ret)
{
	add_file(ret, "/proc/self/limits");
}

static void take_settings(struct buffer *ret)
{
	int reaper = 0, death = 0;
	cpu_set_t cpus;

	prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0);
	prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	buffer_addf(ret, "reaper %d\ndeath signal %d\ndumpable %d\n", reaper, death, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	buffer_addf(ret, "session %d\ngroup %d\n", (int)getsid(0), (int)getpgrp());
	buffer_addf(ret, "nice %d\nscheduler %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
	buffer_addf(ret, "personality %x\n", (unsigned int)personality(0xffffffff));
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		buffer_addf(ret, "%d processors\n", CPU_COUNT(&cpus));
	add_file(ret, "/proc/self/comm");
	add_file(ret, "/proc/self/oom_score_adj");
}

static void take_namespaces(struct buffer *ret)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
					     "user", "uts" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64], target[64] = "";

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (readlink(path, target, sizeof(target) - 1) > 0)
			buffer_addf(ret, "%s %s\n", names[i], target);
	}
}

static void take_cgroups(struct buffer *ret)
{
	add_file(ret, "/proc/self/cgroup");
}

/* ---- the host, as far as this process's own namespaces show it ------------------------------------------- */

static void take_mounts(struct buffer *ret)
{
	add_file(ret, "/proc/self/mountinfo");
}

static void take_interfaces(struct buffer *ret)
{
	struct if_nameindex *names = if_nameindex();

	for (const struct if_nameindex *name = names; name && name->if_name; name++)
		buffer_addf(ret, "interface %s\n", name->if_name);
	if (names)
		if_freenameindex(names);
}

const struct aspect aspects[] = {
	{ "descriptors", take_descriptors, true },
	{ "output", take_output, true },
	{ "mounts", take_mounts, true },
	{ "network interfaces", take_interfaces, true },
	{ "children", take_children, false },
	{ "threads", take_threads, false },
	{ "signal mask", take_mask, false },
	{ "signal handlers", take_handlers, false },
	{ "timers", take_timers, false },
	{ "umask", take_umask, false },
	{ "working directory and root", take_directory, false },
	{ "environment", take_environment, false },
	{ "ids and capabilities", take_credentials, false },
	{ "resource limits", take_limits, false },
	{ "process settings", take_settings, false },
	{ "namespaces", take_namespaces, false },
	{ "control groups", take_cgroups, false },
	{ NULL, NULL, false }
};

_Static_assert(ARRAY_SIZE(aspects) <= ASPECTS_MAX, "every aspect has a buffer");

void snapshot_take(struct snapshot *ret)
{
	*ret = (struct snapshot){ 0 };
	for (size_t i = 0; aspects[i].name; i++) {
		buffer_add(&ret->text[i], "", 0);
		aspects[i].take(&ret->text[i]);
	}
}

/* Whether @line, @length long, is a line of @text. */
static bool has_line(const char *text, const char *line, size_t length)
{
	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strcspn(text, "\n") == length && memcmp(text, line, length) == 0)
			return true;
	return false;
}

static void add_lines(struct buffer *b, const char *sign, const char *of, const char *not_in)
{
	for (; of && *of; of += strcspn(of, "\n") + (of[strcspn(of, "\n")] == '\n')) {
		size_t length = strcspn(of, "\n");

		if (length && !has_line(not_in, of, length))
			buffer_addf(b, "%s%s%.*s", b->length ? ", " : "", sign, (int)(length < 200 ? length : 200), of);
	}
}

void snapshot_difference(const struct snapshot *before, const struct snapshot *after, size_t aspect, char *ret, size_t size)
{
	const struct buffer *a = &before->text[aspect], *b = &after->text[aspect];
	struct buffer text = { 0 };

	ret[0] = '\0';
	if (a->length == b->length && (!a->length || memcmp(a->text, b->text, a->length) == 0))
		return;
	add_lines(&text, "gone: ", a->text, b->text);
	add_lines(&text, "new: ", b->text, a->text);
	snprintf(ret, size, "%s", text.length ? text.text : "it is another");
	buffer_deinit(&text);
}
