/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking systemd and machined over D-Bus. */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"

#include "core/util/fail.h"

#define MACHINED	"org.freedesktop.machine1", "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager"

/* ---- units ----------------------------------------------------------------------------------- */

int bus_start_unit(struct bus *bus, const char *name, struct mrg_error *err)
{
	sd_bus_message *message = NULL;
	int r = bus->api.sd_bus_message_new_method_call(bus->bus, &message, BUS_SYSTEMD, "StartUnit");

	if (r >= 0)
		r = bus->api.sd_bus_message_append(message, "ss", name, "replace");
	r = r < 0 ? fail_errno(err, r, "cannot ask systemd to start '%s'", name) : bus_run_job(bus, message, "start", name, err);
	bus->api.sd_bus_message_unref(message);
	return r;
}

int bus_stop_unit(struct bus *bus, const char *name, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int r = bus->api.sd_bus_call_method(bus->bus, BUS_SYSTEMD, "StopUnit", &why, NULL, "ss", name, "replace");

	return r < 0 ? bus_failed(bus, r, &why, "stop", name, err) : 0;
}

void bus_reset_unit(struct bus *bus, const char *name)
{
	/* Refused for a unit that systemd does not know any more: there is nothing to forget. */
	bus->api.sd_bus_call_method(bus->bus, BUS_SYSTEMD, "ResetFailedUnit", NULL, NULL, "s", name);
}

/* ---- properties ------------------------------------------------------------------------------- */

static int add_properties(const struct bus_api *api, sd_bus_message *message, const char *name, char *const *assignments)
{
	int r = api->sd_bus_message_append(message, "sb", name, 1), n = 0;

	if (r >= 0)
		r = api->sd_bus_message_open_container(message, 'a', "(sv)");
	for (; r >= 0 && assignments && *assignments; assignments++) {
		r = bus_add_property(api, message, *assignments);
		n += r > 0;
	}
	if (r >= 0)
		r = api->sd_bus_message_close_container(message);
	return r < 0 ? r : n;
}

int bus_set_unit(struct bus *bus, const char *name, char *const *assignments, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *message = NULL;
	int r = bus->api.sd_bus_message_new_method_call(bus->bus, &message, BUS_SYSTEMD, "SetUnitProperties");

	if (r >= 0)
		r = add_properties(&bus->api, message, name, assignments);
	if (r > 0)
		r = bus->api.sd_bus_call(bus->bus, message, 0, &why, NULL);
	bus->api.sd_bus_message_unref(message);
	return r < 0 ? bus_failed(bus, r, &why, "change", name, err) : 0;
}

static int read_end(struct bus *bus, const char *path, char **ret_state, struct bus_end *ret, sd_bus_error *why)
{
	static const char systemd[] = "org.freedesktop.systemd1", service[] = "org.freedesktop.systemd1.Service";
	const struct bus_api *api = &bus->api;
	int r = api->sd_bus_get_property_string(bus->bus, systemd, path, "org.freedesktop.systemd1.Unit", "ActiveState", why, ret_state);

	if (r >= 0)
		r = api->sd_bus_get_property_trivial(bus->bus, systemd, path, service, "ExecMainCode", why, 'i', &ret->code);
	if (r >= 0)
		r = api->sd_bus_get_property_trivial(bus->bus, systemd, path, service, "ExecMainStatus", why, 'i', &ret->status);
	return r;
}

int bus_read_end(struct bus *bus, const char *name, struct bus_end *ret, struct mrg_error *err)
{
	_cleanup_free_ char *path = NULL, *state = NULL;
	sd_bus_error why = SD_BUS_ERROR_NULL;
	struct bus_end end;
	int r = bus->api.sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path);

	if (r >= 0)
		r = read_end(bus, path, &state, &end, &why);
	if (r < 0)
		return bus_failed(bus, r, &why, "tell of", name, err);
	if (strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0)
		return -EAGAIN;
	*ret = end;
	return 0;
}

/* ---- machines --------------------------------------------------------------------------------- */

void bus_await_machine(struct bus *bus, const char *name)
{
	bus->api.sd_bus_call_method(bus->bus, MACHINED, "GetMachine", NULL, NULL, "s", name);
}

int bus_terminate_machine(struct bus *bus, const char *name, const char *scope, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int r;

	/* Refused for what is no scope that runs: nobody is asked there. */
	bus->api.sd_bus_call_method(bus->bus, BUS_SYSTEMD, "AbandonScope", NULL, NULL, "s", scope);
	r = bus->api.sd_bus_call_method(bus->bus, MACHINED, "TerminateMachine", &why, NULL, "s", name);
	return r < 0 ? bus_failed(bus, r, &why, "end", name, err) : 0;
}
