/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel enforces on the first process of a container, before and after. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define STATUS_MAX	(1 << 20)
#define UINT32_NONE	UINT32_MAX

static const struct {
	const char *name;
	enum mrg_field field;
} kinds[] = {
	{ "pid", MRG_FIELD_NS_PID }, { "mnt", MRG_FIELD_NS_MOUNT }, { "uts", MRG_FIELD_NS_UTS }, { "ipc", MRG_FIELD_NS_IPC },
	{ "net", MRG_FIELD_NS_NETWORK }, { "user", MRG_FIELD_NS_USER }, { "cgroup", MRG_FIELD_NS_CGROUP },
};

/* ---- looking ---------------------------------------------------------------------------------- */

static bool shares(pid_t pid, const char *kind)
{
	struct stat theirs, ours;
	char path[64], own[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	snprintf(own, sizeof(own), "/proc/self/ns/%s", kind);
	return stat(path, &theirs) == 0 && stat(own, &ours) == 0 && theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

/* The number behind "\nKEY:\t", in base 16 or 10. */
static uint64_t status_number(const char *status, const char *key, bool hexadecimal)
{
	uint64_t value = 0;
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), "\n%s:\t", key);
	at = strstr(status, name);
	if (at)
		sscanf(at + strlen(name), hexadecimal ? "%" SCNx64 : "%" SCNu64, &value);
	return value;
}

/* The id on the host of user 0 inside. */
static uint32_t host_root(pid_t pid)
{
	_cleanup_free_ char *map = NULL;
	uint32_t inside, outside, count;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, STATUS_MAX, &map, NULL) < 0)
		return UINT32_NONE;
	for (const char *line = map; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) == 3 && inside == 0)
			return outside;
	return UINT32_NONE;
}

int isolation_observe(pid_t pid, struct isolation *ret)
{
	_cleanup_free_ char *status = NULL;
	char path[64];
	int r;

	*ret = (struct isolation){ 0 };
	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	r = fd_read_virtual(AT_FDCWD, path, STATUS_MAX, &status, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (shares(pid, kinds[i].name))
			ret->shared |= UINT32_C(1) << i;
	ret->caps = status_number(status, "CapBnd", true);
	ret->filtered = status_number(status, "Seccomp", false) > 0;
	ret->no_new_privs = status_number(status, "NoNewPrivs", false) > 0;
	ret->root_is_root = host_root(pid) == 0;
	ret->known = true;
	return 0;
}

/* ---- comparing -------------------------------------------------------------------------------- */

static bool is_accepted(const struct migration *g, enum mrg_field field)
{
	return g->parts && mrg_fields_has(&g->parts->weakened, field);
}

static int weaker(const struct migration *g, const char *what, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_STATE, "'%s' would be weaker confined under %s than under %s, which the plan does not say: %s", g->j->target.name,
		      g->j->target.backend, g->j->source.backend, what);
	return -MRG_E_STATE;
}

static int compare_namespaces(const struct migration *g, uint32_t lost, struct mrg_error *err)
{
	char what[64];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (lost >> i & 1 && !is_accepted(g, kinds[i].field)) {
			snprintf(what, sizeof(what), "the %s namespace is the host's", kinds[i].name);
			return weaker(g, what, err);
		}
	return 0;
}

static bool has_own_users(const struct isolation *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].field == MRG_FIELD_NS_USER)
			return !(x->shared >> i & 1);
	return false;
}

/* The first among users of its own has all there are, also those that nobody on the host has: over its own namespaces only. */
static uint64_t gained_caps(const struct isolation *before, const struct isolation *after)
{
	uint64_t more = after->caps & ~before->caps;
	struct isolation host;

	if (has_own_users(after) && !has_own_users(before) && isolation_observe(getpid(), &host) == 0)
		more &= host.caps;
	return more;
}

static int compare_caps(const struct migration *g, uint64_t more, struct mrg_error *err)
{
	char what[64];

	if (!more || is_accepted(g, MRG_FIELD_CAP_BOUNDING))
		return 0;
	snprintf(what, sizeof(what), "it can have the capability %s", capability_name((unsigned int)__builtin_ctzll(more)) ?: "of a number that is not known");
	return weaker(g, what, err);
}

int isolation_compare(const struct migration *g, const struct isolation *before, const struct isolation *after, struct mrg_error *err)
{
	int r;

	/* What did not run was nowhere confined: the plan's word is all there is. */
	if (!before->known)
		return 0;
	r = compare_namespaces(g, after->shared & ~before->shared, err);
	if (r == 0)
		r = compare_caps(g, gained_caps(before, after), err);
	if (r < 0)
		return r;
	if (before->filtered && !after->filtered && !is_accepted(g, MRG_FIELD_SECCOMP) && !report_accepts_loss(g, "seccomp"))
		return weaker(g, "no filter of system calls is in force", err);
	if (before->no_new_privs && !after->no_new_privs && !is_accepted(g, MRG_FIELD_NO_NEW_PRIVILEGES))
		return weaker(g, "an exec can gain privileges", err);
	if (!before->root_is_root && after->root_is_root && !is_accepted(g, MRG_FIELD_NS_USER))
		return weaker(g, "its root is the host's", err);
	return 0;
}
