/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about namespaces, and names and clocks that need one. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

struct kind {
	enum mrg_field field;
	const char *file;		/* below /proc/PID/ns */
	int flag;
};

#define KIND(id_, file_, flag_)	&(const struct kind){ MRG_FIELD_##id_, file_, flag_ }

static void read_link(struct trial *t, pid_t pid, const char *file, char ret[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	n = readlink(path, ret, 63);
	if (n < 0)
		trial_skip(t, "the kernel has no %s namespaces", file);
	ret[n] = '\0';
}

static void it_is_a_new_one(struct trial *t)
{
	const struct kind *kind = t->test->data;
	char host[64], inside[64], word[64];
	_scene_ struct scene s = { .t = t };

	read_link(t, getpid(), kind->file, host);
	scene_begin(&s, t, 0);
	scene_set(&s, kind->field, "private");
	snprintf(word, sizeof(word), "ns:%s", kind->file);
	scene_word(&s, "%s", word);
	scene_run(&s);
	scene_value(&s, word, inside, sizeof(inside));
	if (strcmp(host, inside) == 0)
		trial_fail(t, "it is that of the host, %s", host);
	if (strchr(inside, '[') == NULL)
		trial_fail(t, "it cannot be told inside: %s", inside);
}

static void it_is_the_hosts(struct trial *t)
{
	const struct kind *kind = t->test->data;
	char host[64];
	_scene_ struct scene s = { .t = t };

	read_link(t, getpid(), kind->file, host);
	scene_begin(&s, t, 0);
	scene_set(&s, kind->field, "host");
	scene_word(&s, "ns:%s", kind->file);
	scene_create(&s);
	scene_start(&s);
	scene_await_end(&s);
	scene_expect(&s, "ns:%s=%s", kind->file, host);
}

/* ---- joining ---------------------------------------------------------------------------------------- */

struct holder {
	pid_t pid;
	char path[64];
};

static void end_holder(void *data)
{
	struct holder *h = data;

	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

/* A process in a new namespace: the child of one that unshared, since some kinds hold children only. */
static void hold_namespace(struct trial *t, const struct kind *kind, struct holder *ret)
{
	int ends[2];
	pid_t pid = 0, parent;

	if (pipe2(ends, O_CLOEXEC) < 0)
		trial_fail(t, "the kit cannot make a pipe");
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	parent = fork();
	if (parent == 0) {
		if (unshare(kind->flag) < 0)
			_exit(1);
		pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		fd_write_all(ends[1], &pid, sizeof(pid));
		_exit(0);
	}
	close(ends[1]);
	fd_read_all(ends[0], &pid, sizeof(pid));
	close(ends[0]);
	waitpid(parent, NULL, 0);
	if (pid <= 0)
		trial_skip(t, "the kit cannot make a %s namespace here", kind->file);
	ret->pid = pid;
	snprintf(ret->path, sizeof(ret->path), "/proc/%d/ns/%s", (int)pid, kind->file);
	trial_defer(t, end_holder, ret);
}

static void one_that_exists_is_joined(struct trial *t)
{
	const struct kind *kind = t->test->data;
	struct holder holder;
	char expected[64];
	_scene_ struct scene s = { .t = t };

	hold_namespace(t, kind, &holder);
	read_link(t, holder.pid, kind->file, expected);
	scene_begin(&s, t, 0);
	scene_set(&s, kind->field, "%s", holder.path);
	scene_word(&s, "ns:%s", kind->file);
	scene_create(&s);
	scene_start(&s);
	scene_await_end(&s);
	scene_expect(&s, "ns:%s=%s", kind->file, expected);
}

/* ---- users ----------------------------------------------------------------------------------------------- */

#define MAP	"[{\"containerID\":0,\"hostID\":%d,\"size\":65536}]"

/* @data: "uid" or "gid". The files of the root belong to the same users as without. */
static void ids_are_mapped(struct trial *t)
{
	_cleanup_free_ char *text = NULL;
	const char *what = t->test->data;
	char path[64], expected[64];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NS_USER, "private");
	scene_set(&s, MRG_FIELD_UID_MAPPINGS, MAP, MAPPED_IDS);
	scene_set(&s, MRG_FIELD_GID_MAPPINGS, MAP, MAPPED_IDS);
	scene_word(&s, "read:/proc/self/%s_map", what);
	scene_word(&s, "stat:/etc/passwd");
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	scene_expect(&s, "read:/proc/self/%s_map=         0 %10d      65536\\x0a", what, MAPPED_IDS);
	scene_expect(&s, "stat:/etc/passwd=file 0644 0:0");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)scene_status(&s).pid);
	snprintf(expected, sizeof(expected), "\n%s:\t%d\t", *what == 'u' ? "Uid" : "Gid", MAPPED_IDS);
	if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0 || !strstr(text, expected))
		trial_fail(t, "on the host the process has other ids");
}

static void root_is_nobody_on_the_host(struct trial *t)
{
	char map[256];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NS_USER, "private");
	scene_word(&s, "read:/proc/self/uid_map");
	scene_word(&s, "uid");
	scene_run(&s);
	scene_expect(&s, "uid=0 0");
	scene_value(&s, "read:/proc/self/uid_map", map, sizeof(map));
	if (strtol(map, NULL, 10) != 0 || strtol(map + 11, NULL, 10) == 0)
		trial_fail(t, "user 0 of the container is mapped to '%s'", map);
}

/* ---- processes, network ------------------------------------------------------------------------------------ */

static void processes_are_numbered_anew(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char pid[16];

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NS_PID, "private");
	scene_word(&s, "pid");
	scene_run(&s);
	scene_value(&s, "pid", pid, sizeof(pid));
	if (strtol(pid, NULL, 10) > 20)
		trial_fail(t, "the first processes have numbers such as %s", pid);
}

static void clocks_are_moved(struct trial *t)
{
	struct timespec now;
	_scene_ struct scene s = { .t = t };
	char text[32];
	long long moved;

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_NS_TIME, "private");
	scene_set(&s, MRG_FIELD_TIME_OFFSETS, "{\"monotonic\":{\"secs\":100000,\"nanosecs\":0}}");
	scene_word(&s, "clock:monotonic");
	scene_run(&s);
	scene_value(&s, "clock:monotonic", text, sizeof(text));
	clock_gettime(CLOCK_MONOTONIC, &now);
	moved = strtoll(text, NULL, 10) - now.tv_sec;
	if (moved < 99900 || moved > 100001)
		trial_fail(t, "the clock is moved by %lld seconds, not by 100000", moved);
}

#define NEW(id_, file_)		WITH(id_, "private: it is a new one", it_is_a_new_one, KIND(id_, file_, 0))
#define HOST(id_, file_)	WITH(id_, "host: it is the host's", it_is_the_hosts, KIND(id_, file_, 0))
#define JOIN(id_, file_, flag_)	WITH(id_, "a path: the one there is joined", one_that_exists_is_joined, KIND(id_, file_, flag_))

const struct test namespace_fields[] = {
	ROW(HOSTNAME, "it is the name inside", { { MRG_FIELD_HOSTNAME, "mrgt-inside" } }, { "uname:hostname" },
	    { "uname:hostname=mrgt-inside" }),
	ROW(DOMAINNAME, "it is the name inside", { { MRG_FIELD_DOMAINNAME, "mrgt.example" } }, { "uname:domainname" },
	    { "uname:domainname=mrgt.example" }),
	NEW(NS_PID, "pid"), NEW(NS_MOUNT, "mnt"), NEW(NS_UTS, "uts"), NEW(NS_IPC, "ipc"), NEW(NS_NETWORK, "net"), NEW(NS_USER, "user"),
	NEW(NS_CGROUP, "cgroup"), NEW(NS_TIME, "time"),
	HOST(NS_PID, "pid"), HOST(NS_UTS, "uts"), HOST(NS_IPC, "ipc"), HOST(NS_NETWORK, "net"), HOST(NS_USER, "user"),
	HOST(NS_CGROUP, "cgroup"), HOST(NS_TIME, "time"),
	JOIN(NS_PID, "pid", CLONE_NEWPID), JOIN(NS_UTS, "uts", CLONE_NEWUTS), JOIN(NS_IPC, "ipc", CLONE_NEWIPC),
	JOIN(NS_NETWORK, "net", CLONE_NEWNET), JOIN(NS_CGROUP, "cgroup", CLONE_NEWCGROUP),
	BY(NS_PID, "processes are numbered anew", processes_are_numbered_anew),
	ROW(NS_NETWORK, "it has a loopback interface that is up, and no other", { { MRG_FIELD_NS_NETWORK, "private" } },
	    { "interfaces", "up:lo" }, { "interfaces=lo", "up:lo=yes" }),
	BY(NS_USER, "root inside is not root on the host", root_is_nobody_on_the_host),
	WITH(UID_MAPPINGS, "inside, on the host, and of files", ids_are_mapped, "uid"),
	WITH(GID_MAPPINGS, "inside, on the host, and of files", ids_are_mapped, "gid"),
	BY(TIME_OFFSETS, "the clock is moved", clocks_are_moved),
	{ .name = NULL }
};
