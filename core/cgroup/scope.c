/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the systemd of an ordinary user: for a scope, and into one. Only systemd may move a process from a session into another part of the tree. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/util/bus.h"
#include "core/util/fail.h"
#include "core/util/proc.h"

const bool cgroup_scope_built = true;

#define GONE_MS		10000		/* an earlier life has ended, but the end of its monitor may take a moment */

static int open_bus(struct bus *bus, struct mrg_error *err)
{
	char path[PATH_MAX];
	int r = cgroup_user_bus(path, sizeof(path));

	if (r == 0)
		return bus_open_at(bus, path, err);
	mrg_error_set(err, -MRG_E_PERMISSION, "%s", cgroup_lack_text(CGROUP_LACK_BUS));
	return cgroup_user_hint_lack(CGROUP_LACK_BUS, err), -MRG_E_PERMISSION;
}

static int add_properties(const struct bus_api *api, sd_bus_message *m, const struct mrg_unit *unit)
{
	int r = api->sd_bus_message_open_container(m, 'a', "(sv)");

	if (r >= 0)
		r = api->sd_bus_message_append(m, "(sv)", "Description", "s", unit->name);
	if (r >= 0)
		r = api->sd_bus_message_append(m, "(sv)", "Slice", "s", CGROUP_USER_SLICE);
	if (r >= 0)
		r = api->sd_bus_message_append(m, "(sv)", "Delegate", "b", 1);
	/* One that was killed is forgotten as well. */
	if (r >= 0)
		r = api->sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = api->sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)getpid());
	return r < 0 ? r : api->sd_bus_message_close_container(m);
}

static int make_once(struct bus *bus, const struct mrg_unit *unit, const char *scope, struct mrg_error *err)
{
	sd_bus_message *m = NULL;
	int r = bus->api.sd_bus_message_new_method_call(bus->bus, &m, BUS_SYSTEMD, "StartTransientUnit");

	if (r >= 0)
		r = bus->api.sd_bus_message_append(m, "ss", scope, "fail");
	if (r >= 0)
		r = add_properties(&bus->api, m, unit);
	if (r >= 0)
		r = bus->api.sd_bus_message_append(m, "a(sa(sv))", 0);
	r = r < 0 ? fail_errno(err, r, "cannot ask systemd for '%s'", scope) : bus_run_job(bus, m, "make", scope, err);
	bus->api.sd_bus_message_unref(m);
	return r;
}

int cgroup_scope_make(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int64_t deadline = time_monotonic_ms() + GONE_MS;
	char scope[CGROUP_SCOPE_SIZE];
	int r = open_bus(&bus, err);

	cgroup_user_scope(unit, scope);
	if (r == 0)
		r = make_once(&bus, unit, scope, err);
	while (r == -EEXIST && time_monotonic_ms() < deadline) {
		poll(NULL, 0, 10);
		r = make_once(&bus, unit, scope, err);
	}
	/* Not a name that is taken: what the code would say. */
	return r == -EEXIST ? -EIO : r;
}

int cgroup_scope_join(const char *name, const char *below, struct mrg_error *err)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int r = open_bus(&bus, err);

	if (r < 0)
		return r;
	r = bus.api.sd_bus_call_method(bus.bus, BUS_SYSTEMD, "AttachProcessesToUnit", &why, NULL, "ssau", name, below, 1, (uint32_t)getpid());
	return r < 0 ? bus_failed(&bus, r, &why, "let a process into", name, err) : 0;
}
