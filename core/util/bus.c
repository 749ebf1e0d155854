/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking systemd over D-Bus. */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/bus.h"
#include "core/util/fail.h"

#define CALL_TIMEOUT_US	UINT64_C(30000000)

#define SYMBOL(function)	LIBRARY_SYMBOL(struct bus_api, function)

int bus_api_load(struct bus_api *ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(sd_bus_new), SYMBOL(sd_bus_set_address), SYMBOL(sd_bus_set_bus_client), SYMBOL(sd_bus_start),
		SYMBOL(sd_bus_open_system), SYMBOL(sd_bus_flush_close_unref), SYMBOL(sd_bus_set_method_call_timeout), SYMBOL(sd_bus_call_method),
		SYMBOL(sd_bus_call), SYMBOL(sd_bus_match_signal), SYMBOL(sd_bus_process), SYMBOL(sd_bus_wait), SYMBOL(sd_bus_slot_unref),
		SYMBOL(sd_bus_get_property_string), SYMBOL(sd_bus_get_property_trivial), SYMBOL(sd_bus_path_encode), SYMBOL(sd_bus_error_free),
		SYMBOL(sd_bus_error_has_name), SYMBOL(sd_bus_message_new_method_call), SYMBOL(sd_bus_message_append), SYMBOL(sd_bus_message_append_array),
		SYMBOL(sd_bus_message_open_container), SYMBOL(sd_bus_message_close_container), SYMBOL(sd_bus_message_read),
		SYMBOL(sd_bus_message_unref), { NULL, 0 }
	};

	return library_open("libsystemd.so.0", "libsystemd0", symbols, ret, err);
}

/* ---- connections ------------------------------------------------------------------------------- */

int bus_open(struct bus *ret, struct mrg_error *err)
{
	int r = bus_api_load(&ret->api, err);

	if (r < 0)
		return r;
	r = ret->api.sd_bus_open_system(&ret->bus);
	if (r == 0)
		r = ret->api.sd_bus_set_method_call_timeout(ret->bus, CALL_TIMEOUT_US);
	if (r >= 0)
		return 0;
	fail_errno(err, r, "cannot reach systemd over D-Bus");
	return mrg_error_hint(err, "systemctl status dbus.service"), r;
}

static int connect_to(struct bus *bus, const char *path)
{
	char address[512];
	int r = snprintf(address, sizeof(address), "unix:path=%s", path) < (int)sizeof(address) ? 0 : -ENAMETOOLONG;

	if (r == 0)
		r = bus->api.sd_bus_new(&bus->bus);
	if (r >= 0)
		r = bus->api.sd_bus_set_address(bus->bus, address);
	if (r >= 0)
		r = bus->api.sd_bus_set_bus_client(bus->bus, 1);
	if (r >= 0)
		r = bus->api.sd_bus_set_method_call_timeout(bus->bus, CALL_TIMEOUT_US);
	return r < 0 ? r : bus->api.sd_bus_start(bus->bus);
}

int bus_open_at(struct bus *ret, const char *path, struct mrg_error *err)
{
	int r = bus_api_load(&ret->api, err);

	if (r < 0)
		return r;
	r = connect_to(ret, path);
	if (r >= 0)
		return 0;
	fail_errno(err, r, "cannot reach the bus at '%s'", path);
	return mrg_error_hint(err, "systemctl --user status dbus.socket"), r;
}

void bus_close(struct bus *bus)
{
	if (bus->bus)
		bus->api.sd_bus_flush_close_unref(bus->bus);
	bus->bus = NULL;
}

int bus_failed(const struct bus *bus, int r, sd_bus_error *why, const char *what, const char *name, struct mrg_error *err)
{
	if (why->message)
		r = mrg_error_set(err, -EIO, "systemd cannot %s '%s': %s", what, name, why->message);
	else
		fail_errno(err, r, "systemd cannot %s '%s'", what, name);
	bus->api.sd_bus_error_free(why);
	return r;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

struct job {
	const struct bus_api *api;
	const char *path;
	bool ended, done;
};

static int job_removed(sd_bus_message *m, void *data, sd_bus_error *error _unused_)
{
	struct job *job = data;
	const char *path, *result;

	if (!job->path || job->api->sd_bus_message_read(m, "uoss", NULL, &path, NULL, &result) < 0 || strcmp(path, job->path) != 0)
		return 0;
	job->ended = true;
	job->done = strcmp(result, "done") == 0;
	return 0;
}

/* What the bus has told since the job was given is in the queue of the connection. */
static int wait_for_job(struct bus *bus, struct job *job)
{
	while (!job->ended) {
		int r = bus->api.sd_bus_process(bus->bus, NULL);

		if (r == 0)
			r = bus->api.sd_bus_wait(bus->bus, UINT64_MAX);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

/* Gives the job and hears of its end. */
static int run_job(struct bus *bus, sd_bus_message *message, struct job *job, const char *what, const char *name, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = bus->api.sd_bus_call(bus->bus, message, 0, &why, &reply);

	if (r < 0) {
		bool exists = bus->api.sd_bus_error_has_name(&why, "org.freedesktop.systemd1.UnitExists") > 0;

		r = bus_failed(bus, r, &why, what, name, err);
		return exists ? -EEXIST : r;
	}
	r = bus->api.sd_bus_message_read(reply, "o", &job->path);
	if (r >= 0)
		r = wait_for_job(bus, job);
	bus->api.sd_bus_message_unref(reply);
	if (r < 0)
		return fail_errno(err, r, "the connection to systemd was lost while it was to %s '%s'", what, name);
	return job->done ? 0 : mrg_error_set(err, -EIO, "systemd could not %s '%s'", what, name);
}

int bus_run_job(struct bus *bus, sd_bus_message *message, const char *what, const char *name, struct mrg_error *err)
{
	struct job job = { .api = &bus->api };
	sd_bus_slot *slot = NULL;
	int r = bus->api.sd_bus_match_signal(bus->bus, &slot, BUS_SYSTEMD, "JobRemoved", job_removed, &job);

	if (r < 0)
		return fail_errno(err, r, "cannot listen to systemd");
	r = run_job(bus, message, &job, what, name, err);
	bus->api.sd_bus_slot_unref(slot);
	return r;
}
