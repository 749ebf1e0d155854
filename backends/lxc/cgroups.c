/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroups that a start of ours gives to a container and to its monitor: their names, their limits, their end. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/fd.h"

#define TIDY_MS		2000		/* LXC's monitor is given to tidy up by itself */
#define DIE_MS		10000

/* LXC takes no path with "..", not even in the middle of a name. */
static void replace_dots(char *name)
{
	for (char *p = name; (p = strstr(p, "..")); p += 2)
		p[0] = p[1] = '_';
}

int lxc_cgroup_path(const struct mrg_unit *unit, enum lxc_cgroup which, char ret[PATH_MAX], struct mrg_error *err)
{
	const char *parent = unit->spec->cgroups_path ? unit->spec->cgroups_path : "", *slash;
	char scope[PATH_MAX];
	int length, n;

	/* LXC makes an ordinary user's below the one that it is started in. */
	if (lxc_is_user() && mrg_helper_cgroup_scope_path(unit, scope, sizeof(scope)) > 0)
		parent = scope;
	slash = *parent && *parent != '/' ? "/" : "";
	length = (int)strlen(parent);
	while (length > 0 && parent[length - 1] == '/')
		length--;
	if (which == LXC_CGROUP_PAYLOAD)
		n = snprintf(ret, PATH_MAX, "%s%.*s/lxc.payload.%s-%s", slash, length, parent, unit->name, unit->id);
	else
		n = snprintf(ret, PATH_MAX, "%s%.*s/lxc.monitor.%s", slash, length, parent, unit->id);
	if (n >= PATH_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "the path of the cgroup is too long");
	replace_dots(strrchr(ret, '/'));
	return 0;
}

int lxc_cgroup_unit(const struct mrg_unit *unit, enum lxc_cgroup which, struct lxc_cgroup_unit *ret, struct mrg_error *err)
{
	ret->unit = *unit;
	ret->unit.process = NULL;
	ret->unit.cgroup = ret->path;
	return lxc_cgroup_path(unit, which, ret->path, err);
}

/* ---- limits ------------------------------------------------------------------------------------------- */

/* The fields that become files of cgroups. */
static struct mrg_fields limits_of(const struct mrg_spec *spec)
{
	struct mrg_fields found = { 0 };

	for (unsigned int field = MRG_FIELD_DEVICE_RULES; field <= MRG_FIELD_UNIFIED; field++)
		if (mrg_fields_has(&spec->set, field))
			mrg_fields_add(&found, field);
	return found;
}

bool lxc_has_limits(const struct mrg_spec *spec)
{
	const struct mrg_fields found = limits_of(spec);

	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		if (found.word[i])
			return true;
	return false;
}

int lxc_set_limits(const struct mrg_unit *unit, struct mrg_error *err)
{
	struct mrg_spec limits = *unit->spec;
	struct lxc_cgroup_unit own;
	int r = lxc_cgroup_unit(unit, LXC_CGROUP_PAYLOAD, &own, err);

	limits.set = limits_of(unit->spec);
	return r < 0 ? r : mrg_helper_cgroup_update(NULL, &own.unit, &limits, err);
}

int lxc_make_parents(const struct mrg_unit *unit, struct mrg_error *err)
{
	struct lxc_cgroup_unit own;
	int r = lxc_cgroup_unit(unit, LXC_CGROUP_PAYLOAD, &own, err);

	return r < 0 || !unit->spec->cgroups_path ? r : mrg_helper_cgroup_parents(&own.unit, err);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

static bool has_ended(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/* LXC's monitor outlives the one that it was started by and was killed: in the middle of a start it would go on to make what nobody removes any more. */
static int end_monitor(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int monitor = lxc_log_process(unit);

	if (monitor < 0)
		return 0;
	lxc_kill(self, unit, SIGKILL, 1, NULL);
	if (has_ended(monitor, TIDY_MS))
		return 0;
	syscall(SYS_pidfd_send_signal, monitor, SIGKILL, NULL, 0);
	return has_ended(monitor, DIE_MS) ? 0 : mrg_error_set(err, -MRG_E_TIMEOUT, "the monitor of LXC for '%s' does not die", unit->name);
}

int lxc_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	struct lxc_self *me = self;
	struct mrg_exit end = { 0 };
	int r = end_monitor(self, unit, err);

	for (int which = 0; which < LXC_CGROUP_MAX && r == 0; which++) {
		struct lxc_cgroup_unit own;
		struct mrg_exit one = { 0 };

		r = lxc_cgroup_unit(unit, (enum lxc_cgroup)which, &own, err);
		if (r == 0)
			r = mrg_helper_cgroup_cleanup(self, &own.unit, &one, err);
		end.oom_killed |= one.oom_killed;
	}
	if (r < 0)
		return r;
	lxc_log_tidy(unit);
	if (me->status >= 0) {
		end.status_known = mrg_helper_status_read(me->status, &end.status);
		end.oom_killed |= mrg_helper_status_oom(me->status);
	}
	me->status = fd_close(me->status);
	*ret = end;
	return 0;
}
