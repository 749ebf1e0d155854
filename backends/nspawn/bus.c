/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking systemd and machined over D-Bus. */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"

#include "core/util/fail.h"

#define SYSTEMD		"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define MACHINED	"org.freedesktop.machine1", "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager"
#define CALL_TIMEOUT_US	UINT64_C(30000000)

#define SYMBOL(function)	LIBRARY_SYMBOL(struct bus_api, function)

int bus_api_load(struct bus_api *ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(sd_bus_open_system), SYMBOL(sd_bus_flush_close_unref), SYMBOL(sd_bus_set_method_call_timeout), SYMBOL(sd_bus_call_method),
		SYMBOL(sd_bus_call), SYMBOL(sd_bus_match_signal), SYMBOL(sd_bus_process), SYMBOL(sd_bus_wait), SYMBOL(sd_bus_slot_unref),
		SYMBOL(sd_bus_get_property_string), SYMBOL(sd_bus_get_property_trivial), SYMBOL(sd_bus_path_encode), SYMBOL(sd_bus_error_free),
		SYMBOL(sd_bus_message_new_method_call), SYMBOL(sd_bus_message_append), SYMBOL(sd_bus_message_append_array),
		SYMBOL(sd_bus_message_open_container), SYMBOL(sd_bus_message_close_container), SYMBOL(sd_bus_message_read),
		SYMBOL(sd_bus_message_unref), { NULL, 0 }
	};

	return library_open("libsystemd.so.0", "libsystemd0", symbols, ret, err);
}

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

void bus_close(struct bus *bus)
{
	if (bus->bus)
		bus->api.sd_bus_flush_close_unref(bus->bus);
	bus->bus = NULL;
}

/* The sentence that came over the bus is the better one. */
static int call_failed(const struct bus *bus, int r, sd_bus_error *why, const char *what, const char *name, struct mrg_error *err)
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
	char *path;
	bool ended, done;
};

static int job_removed(sd_bus_message *m, void *data, sd_bus_error *error _unused_)
{
	struct job *job = data;
	const char *path, *result;

	if (job->api->sd_bus_message_read(m, "uoss", NULL, &path, NULL, &result) < 0 || strcmp(path, job->path) != 0)
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

/* Gives a job to @method of the manager; *ret_path is the job's, the caller frees it. */
static int give_job(struct bus *bus, const char *method, const char *what, const char *name, char **ret_path, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path = NULL;
	int r = bus->api.sd_bus_call_method(bus->bus, SYSTEMD, method, &why, &reply, "ss", name, "replace");

	if (r < 0)
		return call_failed(bus, r, &why, what, name, err);
	r = bus->api.sd_bus_message_read(reply, "o", &path);
	*ret_path = r < 0 ? NULL : strdup(path);
	bus->api.sd_bus_message_unref(reply);
	if (r < 0)
		return fail_errno(err, r, "systemd cannot %s '%s'", what, name);
	return *ret_path ? 0 : fail_memory(err);
}

int bus_start_unit(struct bus *bus, const char *name, struct mrg_error *err)
{
	struct job job = { .api = &bus->api };
	sd_bus_slot *slot = NULL;
	int r = bus->api.sd_bus_match_signal(bus->bus, &slot, SYSTEMD, "JobRemoved", job_removed, &job);

	if (r < 0)
		return fail_errno(err, r, "cannot listen to systemd");
	r = give_job(bus, "StartUnit", "start", name, &job.path, err);
	if (r == 0) {
		r = wait_for_job(bus, &job);
		if (r < 0)
			fail_errno(err, r, "the connection to systemd was lost while it started '%s'", name);
	}
	if (r == 0 && !job.done)
		r = mrg_error_set(err, -EIO, "systemd could not start '%s'", name);
	bus->api.sd_bus_slot_unref(slot);
	free(job.path);
	return r;
}

int bus_stop_unit(struct bus *bus, const char *name, struct mrg_error *err)
{
	_cleanup_free_ char *path = NULL;

	return give_job(bus, "StopUnit", "stop", name, &path, err);
}

void bus_reset_unit(struct bus *bus, const char *name)
{
	/* Refused for a unit that systemd does not know any more: there is nothing to forget. */
	bus->api.sd_bus_call_method(bus->bus, SYSTEMD, "ResetFailedUnit", NULL, NULL, "s", name);
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
	int r = bus->api.sd_bus_message_new_method_call(bus->bus, &message, SYSTEMD, "SetUnitProperties");

	if (r >= 0)
		r = add_properties(&bus->api, message, name, assignments);
	if (r > 0)
		r = bus->api.sd_bus_call(bus->bus, message, 0, &why, NULL);
	bus->api.sd_bus_message_unref(message);
	return r < 0 ? call_failed(bus, r, &why, "change", name, err) : 0;
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
		return call_failed(bus, r, &why, "tell of", name, err);
	if (strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0)
		return -EAGAIN;
	*ret = end;
	return 0;
}

/* ---- machines --------------------------------------------------------------------------------- */

int bus_terminate_machine(struct bus *bus, const char *name, struct mrg_error *err)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int r = bus->api.sd_bus_call_method(bus->bus, MACHINED, "TerminateMachine", &why, NULL, "s", name);

	return r < 0 ? call_failed(bus, r, &why, "end", name, err) : 0;
}
