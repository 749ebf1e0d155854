/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_BUS_H
#define UTIL_BUS_H

/* systemd, asked over D-Bus through libsystemd, which is loaded when it is needed. */

#include <stdint.h>

#include <systemd/sd-bus.h>

#include <moorage/error.h>

#include "core/util/cleanup.h"
#include "core/util/library.h"

struct bus_api {
	LIBRARY_MEMBER(sd_bus_new);
	LIBRARY_MEMBER(sd_bus_set_address);
	LIBRARY_MEMBER(sd_bus_set_bus_client);
	LIBRARY_MEMBER(sd_bus_start);
	LIBRARY_MEMBER(sd_bus_open_system);
	LIBRARY_MEMBER(sd_bus_flush_close_unref);
	LIBRARY_MEMBER(sd_bus_set_method_call_timeout);
	LIBRARY_MEMBER(sd_bus_call_method);
	LIBRARY_MEMBER(sd_bus_call);
	LIBRARY_MEMBER(sd_bus_match_signal);
	LIBRARY_MEMBER(sd_bus_process);
	LIBRARY_MEMBER(sd_bus_wait);
	LIBRARY_MEMBER(sd_bus_slot_unref);
	LIBRARY_MEMBER(sd_bus_get_property_string);
	LIBRARY_MEMBER(sd_bus_get_property_trivial);
	LIBRARY_MEMBER(sd_bus_path_encode);
	LIBRARY_MEMBER(sd_bus_error_free);
	LIBRARY_MEMBER(sd_bus_error_has_name);
	LIBRARY_MEMBER(sd_bus_message_new_method_call);
	LIBRARY_MEMBER(sd_bus_message_append);
	LIBRARY_MEMBER(sd_bus_message_append_array);
	LIBRARY_MEMBER(sd_bus_message_open_container);
	LIBRARY_MEMBER(sd_bus_message_close_container);
	LIBRARY_MEMBER(sd_bus_message_read);
	LIBRARY_MEMBER(sd_bus_message_unref);
};

struct bus {
	struct bus_api api;
	sd_bus *bus;
};
#define BUS_INIT	{ .bus = NULL }

/* The manager, as the calls of sd-bus want it. */
#define BUS_SYSTEMD	"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

int bus_api_load(struct bus_api *ret, struct mrg_error *err);

/* That of the host, and that whose socket is at @path: of a user. */
int bus_open(struct bus *ret, struct mrg_error *err);
int bus_open_at(struct bus *ret, const char *path, struct mrg_error *err);
void bus_close(struct bus *bus);
#define _cleanup_bus_	_cleanup_(bus_close)

/* "systemd cannot WHAT 'NAME': ...", with the sentence that came over the bus if there is one; frees @why. */
int bus_failed(const struct bus *bus, int r, sd_bus_error *why, const char *what, const char *name, struct mrg_error *err);

/* Calls @message, a method that gives the manager a job for the unit @name, and waits for the end of the job. -EEXIST: the unit is there already. */
int bus_run_job(struct bus *bus, sd_bus_message *message, const char *what, const char *name, struct mrg_error *err);

#endif
