/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPAWN_BUS_H
#define NSPAWN_BUS_H

/* systemd and machined, asked over D-Bus through libsystemd, which is loaded when it is needed. */

#include <stdint.h>

#include <systemd/sd-bus.h>

#include <moorage/error.h>

#include "core/util/cleanup.h"
#include "core/util/library.h"

struct bus_api {
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

int bus_api_load(struct bus_api *ret, struct mrg_error *err);
int bus_open(struct bus *ret, struct mrg_error *err);
void bus_close(struct bus *bus);
#define _cleanup_bus_	_cleanup_(bus_close)

/* Starts a unit and waits for the end of its job. */
int bus_start_unit(struct bus *bus, const char *name, struct mrg_error *err);

/* Returns once systemd has taken the job. */
int bus_stop_unit(struct bus *bus, const char *name, struct mrg_error *err);

/* Has systemd forget that a unit has failed. */
void bus_reset_unit(struct bus *bus, const char *name);

/* Sets assignments as in a unit, "MemoryMax=1048576" ..., until the next boot; those that no property says are left out. */
int bus_set_unit(struct bus *bus, const char *name, char *const *assignments, struct mrg_error *err);

/* How the main process of a service has ended, as waitid(2) tells; -EAGAIN while the unit is active. */
struct bus_end {
	int32_t code, status;
};
int bus_read_end(struct bus *bus, const char *name, struct bus_end *ret, struct mrg_error *err);

/* Has machined end a machine and forget it. */
int bus_terminate_machine(struct bus *bus, const char *name, struct mrg_error *err);

/* ---- properties.c ---------------------------------------------------------------------------- */

/* Adds the property that @assignment says to an array of (sv): 1, or 0 when there is none. */
int bus_add_property(const struct bus_api *api, sd_bus_message *message, const char *assignment);

#endif
