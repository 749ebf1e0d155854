/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first process: namespaces, users, capabilities, filters, limits. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/audit/audit.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define FILE_MAX	(1 << 20)
#define MOUNTINFO_MAX	(64 << 20)
#define LAST_SYSTEM_ID	65535		/* what is above is set aside for containers */

const char *const audit_namespaces[NS_MAX] = {
	[NS_CGROUP] = "cgroup", [NS_IPC] = "ipc", [NS_MNT] = "mnt", [NS_NET] = "net", [NS_PID] = "pid", [NS_TIME] = "time",
	[NS_USER] = "user", [NS_UTS] = "uts",
};

static int read_file(const struct audit_reading *r, const char *name, size_t max, char **ret, struct mrg_error *err)
{
	int n = fd_read_virtual(r->proc, name, max, ret, NULL);

	if (n == -ESRCH || n == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "process %d has ended", (int)r->pid);
	return n < 0 ? fail_errno(err, n, "cannot read '/proc/%d/%s'", (int)r->pid, name) : 0;
}

/* ---- namespaces ------------------------------------------------------------------------------- */

static int read_namespace(struct audit_reading *r, int which, struct mrg_error *err)
{
	char path[32], own[64], other[64];
	ssize_t n, m;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", audit_namespaces[which]);
	m = readlinkat(AT_FDCWD, path, own, sizeof(own) - 1);
	if (m < 0) /* this kernel has no such namespaces: all is shared, and nothing can be done */
		return 0;
	n = readlinkat(r->proc, path + strlen("/proc/self/"), other, sizeof(other) - 1);
	if (n < 0)
		return fail_errno(err, -errno, "cannot read '/proc/%d/ns/%s'", (int)r->pid, audit_namespaces[which]);
	own[m] = other[n] = '\0';
	r->namespaces[which] = true;
	r->shared[which] = strcmp(own, other) == 0;
	audit_add(r, "namespace", audit_namespaces[which], r->shared[which], path + strlen("/proc/self/"), "%s: %s",
		  r->shared[which] ? "shared with the host" : "its own", other);
	return 0;
}

static int read_map(struct audit_reading *r, const char *file, struct audit_maps *ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int n = read_file(r, file, FILE_MAX, &text, err);

	if (n < 0)
		return n;
	if (audit_parse_map(text, ret) < 0)
		return mrg_error_set(err, -EPROTO, "'/proc/%d/%s' is not a map of ids", (int)r->pid, file);
	return 0;
}

/* Ids below those set aside for containers belong to the host's own users. */
static void tell_map(struct audit_reading *r, const char *file, const struct audit_maps *maps)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct audit_map *map = &maps->item[i];
		char item[64];

		snprintf(item, sizeof(item), "%s %u", strcmp(file, "uid_map") == 0 ? "users from" : "groups from", map->outside);
		audit_add(r, "id-map", item, map->outside == 0 ? 2 : map->outside <= LAST_SYSTEM_ID, file,
			  "%u of the container is %u of the host, and %u more", map->inside, map->outside, map->size - 1);
	}
}

static int read_users(struct audit_reading *r, struct mrg_error *err)
{
	struct audit_maps groups;
	uint32_t root = 0;
	int n = read_map(r, "uid_map", &r->users, err);

	if (n == 0)
		n = read_map(r, "gid_map", &groups, err);
	if (n < 0)
		return n;
	r->own_users = !r->shared[NS_USER];
	r->host_root = !r->own_users || (audit_map_find(&r->users, 0, &root) && root == 0);
	for (size_t i = 0; i < r->users.n && r->own_users; i++)
		r->host_root |= r->users.item[i].outside == 0;
	if (r->own_users) {
		tell_map(r, "uid_map", &r->users);
		tell_map(r, "gid_map", &groups);
	}
	audit_add(r, "root-user", "", r->host_root, "uid_map", "%s", r->host_root ? "root inside can be root of the host" : "root inside is nobody on the host");
	return 0;
}

/* ---- status ------------------------------------------------------------------------------------- */

/* A capability over the host is more than one over a user namespace. */
static void tell_caps(struct audit_reading *r)
{
	static const char *const letters = "ipeba";
	const struct audit_status *s = &r->status;

	for (unsigned int cap = 0; cap < 64; cap++) {
		const char *name = capability_name(cap);
		char number[16], in[6] = "";
		size_t n = 0;

		for (size_t set = 0; set < ARRAY_SIZE(s->caps); set++)
			if (s->caps[set] >> cap & 1)
				in[n++] = letters[set];
		in[n] = '\0';
		snprintf(number, sizeof(number), "%u", cap);
		if (n && strcmp(in, "i") != 0 && strcmp(in, "a") != 0)
			audit_add(r, "capability", name ? name : number, r->own_users ? 1 : 2, "status: CapBnd", "in the sets %s%s", in,
				  r->own_users ? ", over its user namespace" : ", over the host");
		if (s->caps[AUDIT_INHERITABLE] >> cap & 1)
			audit_add(r, "capability-inheritable", name ? name : number, 1, "status: CapInh",
				  "kept by files that have it inheritable");
		if (s->caps[AUDIT_AMBIENT] >> cap & 1)
			audit_add(r, "capability-ambient", name ? name : number, 1, "status: CapAmb", "kept by every program, of users other than root too");
	}
}

/* Groups of the host that are as good as root there. A name tells: numbers differ between systems. */
static void tell_groups(struct audit_reading *r)
{
	static const char *const risky[] = { "disk", "kmem", "shadow", "docker", "lxd", "incus", "libvirt", "kvm", "sudo", "adm", "tty", "mem", "video", "input" };

	for (size_t i = 0; i <= r->status.n_groups && !r->own_users; i++) {
		gid_t gid = i < r->status.n_groups ? r->status.groups[i] : r->status.gid;
		struct group group, *found = NULL;
		char buffer[4096];

		if (gid == 0 || getgrgid_r(gid, &group, buffer, sizeof(buffer), &found) != 0 || !found)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(risky); j++)
			if (strcmp(found->gr_name, risky[j]) == 0)
				audit_add(r, "group", risky[j], 1, "status: Groups", "its processes are in group %u of the host", gid);
	}
}

static void tell_status(struct audit_reading *r)
{
	static const char *const modes[] = { "no filter", "strict", "filters" };
	const struct audit_status *s = &r->status;

	tell_caps(r);
	tell_groups(r);
	if (s->no_new_privs >= 0)
		audit_add(r, "no-new-privs", "", !s->no_new_privs, "status: NoNewPrivs", "%s",
			  s->no_new_privs ? "set" : "not set: setuid files and file capabilities work");
	if (s->seccomp == 2 && s->filters > 0)
		audit_add(r, "seccomp", "", 0, "status: Seccomp", "%d filters", s->filters);
	else if (s->seccomp >= 0 && s->seccomp <= 2)
		audit_add(r, "seccomp", "", s->seccomp == 0, "status: Seccomp", "%s", modes[s->seccomp]);
	audit_add(r, "umask", "", (s->umask & 022) != 022, "status: Umask", "%04o", s->umask);
}

/* ---- the other files ------------------------------------------------------------------------------ */

static const char *show_amount(char buffer[32], uint64_t amount)
{
	if (amount == UINT64_MAX)
		return "unlimited";
	snprintf(buffer, 32, "%" PRIu64, amount);
	return buffer;
}

static int read_limits(struct audit_reading *r, struct mrg_error *err)
{
	/* Those with which a process takes from all others, or leaves memory in files. */
	static const struct {
		const char *title, *name;
	} rows[] = {
		{ "Max core file size", "CORE" }, { "Max locked memory", "MEMLOCK" }, { "Max open files", "NOFILE" },
		{ "Max realtime priority", "RTPRIO" }, { "Max nice priority", "NICE" }, { "Max msgqueue size", "MSGQUEUE" },
	};
	_cleanup_free_ char *text = NULL;
	int n = read_file(r, "limits", FILE_MAX, &text, err);

	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char a[32], b[32], source[64];
		uint64_t soft, hard;

		if (audit_parse_limit(text, rows[i].title, &soft, &hard) < 0)
			continue;
		snprintf(source, sizeof(source), "limits: %s", rows[i].title);
		/* A dump needs no more than the soft limit; all others may be raised to the hard one. */
		audit_add(r, "rlimit", rows[i].name, i == 0 ? soft : hard, source, "soft %s, hard %s", show_amount(a, soft), show_amount(b, hard));
	}
	return 0;
}

static void read_label(struct audit_reading *r)
{
	_cleanup_free_ char *text = NULL, *modules = NULL;
	bool confines;

	if (fd_read_virtual(AT_FDCWD, "/sys/kernel/security/lsm", 4096, &modules, NULL) < 0)
		modules = strdup("");
	confines = modules && (strstr(modules, "apparmor") || strstr(modules, "selinux") || strstr(modules, "smack"));
	if (fd_read_virtual(r->proc, "attr/current", 4096, &text, NULL) < 0)
		text = strdup("");
	if (!text)
		return;
	text[strcspn(text, "\n")] = '\0';
	audit_add(r, "lsm", "", confines && (!*text || strcmp(text, "unconfined") == 0), "attr/current", "%s",
		  *text ? text : confines ? "no label" : "this kernel labels nothing");
}

static void read_numbers(struct audit_reading *r)
{
	_cleanup_free_ char *personality = NULL, *oom = NULL;
	unsigned long flags = 0;
	int score = 0;

	if (fd_read_virtual(r->proc, "personality", 64, &personality, NULL) == 0 && sscanf(personality, "%lx", &flags) == 1)
		audit_add(r, "personality", "", flags >> 16 & 0xff, "personality", "%08lx%s", flags,
			  flags & 0x0040000 ? ": addresses are not random" : "");
	if (fd_read_virtual(r->proc, "oom_score_adj", 64, &oom, NULL) == 0 && sscanf(oom, "%d", &score) == 1)
		audit_add(r, "oom-score", "", score < 0 ? (uint64_t)-score : 0, "oom_score_adj", "%d", score);
}

static void read_root(struct audit_reading *r)
{
	struct stat own, other;

	if (r->root < 0 || stat("/", &own) < 0 || fstat(r->root, &other) < 0)
		return;
	r->host_tree = own.st_dev == other.st_dev && own.st_ino == other.st_ino;
	audit_add(r, "root", "", r->host_tree, "root", "%s", r->host_tree ? "the root of the host" : "a root of its own");
}

static int read_mountinfo(int dir, const char *path, struct audit_mounts *ret)
{
	_cleanup_free_ char *text = NULL;
	int n = fd_read_virtual(dir, path, MOUNTINFO_MAX, &text, NULL);

	if (n == 0)
		n = audit_parse_mounts(text, ret);
	if (n == 0)
		text = NULL; /* theirs now */
	return n;
}

int audit_read_process(struct audit_reading *r, struct mrg_error *err)
{
	_cleanup_free_ char *status = NULL;
	int n = read_file(r, "status", FILE_MAX, &status, err);

	if (n == 0 && audit_parse_status(status, &r->status) < 0)
		n = mrg_error_set(err, -EPROTO, "'/proc/%d/status' is not understood", (int)r->pid);
	for (int i = 0; i < NS_MAX && n == 0; i++)
		n = read_namespace(r, i, err);
	if (n == 0)
		n = read_users(r, err);
	if (n < 0)
		return n;
	tell_status(r);
	read_label(r);
	read_numbers(r);
	read_root(r);
	n = read_limits(r, err);
	if (n == 0 && (n = read_mountinfo(r->proc, "mountinfo", &r->mounts)) < 0)
		n = fail_errno(err, n, "cannot read '/proc/%d/mountinfo'", (int)r->pid);
	if (n == 0 && (n = read_mountinfo(AT_FDCWD, "/proc/self/mountinfo", &r->host_mounts)) < 0)
		n = fail_errno(err, n, "cannot read '/proc/self/mountinfo'");
	return n;
}
