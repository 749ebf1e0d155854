/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: asked for, configured, and what holds because of the cgroups above. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/audit/audit.h"
#include "core/cgroup/cgroup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define NO_LIMIT	UINT64_MAX
#define V1_UNLIMITED	(UINT64_C(1) << 62)	/* memory.limit_in_bytes has the highest multiple of a page below 2^63 */

struct limit {
	const char *name;		/* of the fact */
	unsigned int controller;
	const char *v1, *v2, *v1_period;	/* files */
	int (*parse)(const char *text, const char *period, uint64_t *ret);
};

/* ---- values ---------------------------------------------------------------------------------------- */

static int parse_amount(const char *text, const char *period, uint64_t *ret)
{
	(void)period;
	if (strncmp(text, "max", 3) == 0) {
		*ret = NO_LIMIT;
		return 0;
	}
	if (sscanf(text, "%" SCNu64, ret) != 1)
		return -EPROTO;
	if (*ret >= V1_UNLIMITED)
		*ret = NO_LIMIT;
	return 0;
}

/* Thousandths of a CPU: "max 100000", "50000 100000"; of v1 the quota, -1 for none, and the period in another file. */
static int parse_cpu(const char *text, const char *period, uint64_t *ret)
{
	long long quota, per = 0;

	if (strncmp(text, "max", 3) == 0 || text[0] == '-') {
		*ret = NO_LIMIT;
		return 0;
	}
	if (sscanf(text, "%lld %lld", &quota, &per) < 1 || (per == 0 && (!period || sscanf(period, "%lld", &per) != 1)) || per <= 0 || quota < 0)
		return -EPROTO;
	*ret = (uint64_t)quota * 1000 / (uint64_t)per;
	return 0;
}

static const struct limit limits[] = {
	{ "memory", CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max", NULL, parse_amount },
	{ "pids", CGROUP_PIDS, "pids.max", "pids.max", NULL, parse_amount },
	{ "cpu", CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max", "cpu.cfs_period_us", parse_cpu },
};

/* What the spec says in the unit of the fact; NO_LIMIT: nothing. */
static uint64_t asked(const struct mrg_spec *spec, const struct limit *limit)
{
	if (!spec)
		return NO_LIMIT;
	if (limit->controller == CGROUP_MEMORY && mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0)
		return (uint64_t)spec->memory_limit;
	if (limit->controller == CGROUP_PIDS && mrg_fields_has(&spec->set, MRG_FIELD_PIDS_LIMIT) && spec->pids_limit > 0)
		return (uint64_t)spec->pids_limit;
	if (limit->controller == CGROUP_CPU && mrg_fields_has(&spec->set, MRG_FIELD_CPU_QUOTA) && spec->cpu_quota > 0)
		return (uint64_t)spec->cpu_quota * 1000 / (spec->cpu_period ? spec->cpu_period : 100000);
	return NO_LIMIT;
}

/* ---- one hierarchy ---------------------------------------------------------------------------------- */

char *audit_cgroup_path(const char *text, const struct cgroup_hierarchy *h)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		_cleanup_free_ char *list = path ? strndup(names + 1, (size_t)(path - names - 1)) : NULL;

		if (!list || path[1] != '/')
			continue;
		if (h->version == 2 ? !*list : (cgroup_controllers_parse(list, ",") & h->controllers) != 0)
			return strndup(path + 1, strcspn(path + 1, "\n"));
	}
	return NULL;
}

static int read_limit(int dir, const struct limit *limit, int version, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL, *period = NULL;
	int r = fd_read_virtual(dir, version == 2 ? limit->v2 : limit->v1, 4096, &text, NULL);

	if (r < 0)
		return r;
	if (version == 1 && limit->v1_period && fd_read_virtual(dir, limit->v1_period, 4096, &period, NULL) < 0)
		period = NULL;
	return limit->parse(text, period, ret);
}

static const char *show(char buffer[32], uint64_t amount)
{
	if (amount == NO_LIMIT)
		return "none";
	snprintf(buffer, 32, "%" PRIu64, amount);
	return buffer;
}

/* The tightest of the cgroup and those above it is what holds. */
static void tell_limit(struct audit_reading *r, const struct limit *limit, const struct cgroup_hierarchy *h, const char *path)
{
	uint64_t want = asked(r->spec, limit), configured = NO_LIMIT, effective = NO_LIMIT;
	_cleanup_free_ char *at = strdup(path), *source = NULL;
	char a[32], b[32], c[32];
	bool first = true;

	for (char *slash; at; *slash = '\0') {
		_cleanup_close_ int dir = path_open_beneath(h->root, at[1] ? at + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
		uint64_t here = NO_LIMIT;

		if (dir >= 0 && read_limit(dir, limit, h->version, &here) == 0) {
			configured = first ? here : configured;
			effective = here < effective ? here : effective;
		}
		first = false;
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			break;
	}
	if (asprintf(&source, "/sys/fs/cgroup: %s of %s", h->version == 2 ? limit->v2 : limit->v1, path) < 0)
		source = NULL;
	if (!source)
		return;
	audit_add(r, "limit", limit->name, effective, source, "effective %s, configured %s, asked for %s", show(a, effective), show(b, configured), show(c, want));
	/* Rounding to pages and to microseconds is no loss. */
	if (want != NO_LIMIT && (effective == NO_LIMIT || effective > want + want / 100 + 4096))
		audit_add(r, "limit-lost", limit->name, 1, source, "asked for %s, effective is %s", show(a, want), show(b, effective));
}

/* ---- all ----------------------------------------------------------------------------------------------- */

void audit_read_cgroup(struct audit_reading *r)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	unsigned int told = 0;

	if (fd_read_virtual(r->proc, "cgroup", 1 << 20, &text, NULL) < 0 || cgroup_find_mounts(&cg, false) < 0)
		return;
	cgroup_available(&cg);
	for (size_t i = 0; i < cg.n; i++) {
		const struct cgroup_hierarchy *h = &cg.item[i];
		_cleanup_free_ char *path = audit_cgroup_path(text, h);

		for (size_t j = 0; j < ARRAY_SIZE(limits) && path; j++)
			if (h->controllers & limits[j].controller) {
				told |= limits[j].controller;
				tell_limit(r, &limits[j], h, path);
			}
	}
	audit_read_devices(r, &cg, text);
	for (size_t j = 0; j < ARRAY_SIZE(limits); j++)
		if (!(told & limits[j].controller))
			audit_add(r, "limit", limits[j].name, NO_LIMIT, "cgroup", "not known: this host has no such controller");
}
