/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPAWN_BUS_H
#define NSPAWN_BUS_H

/* What is asked of systemd and machined over D-Bus. */

#include "core/util/bus.h"

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

/* Returns once machined has seen to what others have asked of it before, to register the machine @name above all. */
void bus_await_machine(struct bus *bus, const char *name);

/* Has machined end a machine, whose unit is @scope, and forget it. Its nspawn is dead: else systemd asks that to end the scope, and waits for a minute and a
 * half when it died before systemd began to watch it. */
int bus_terminate_machine(struct bus *bus, const char *name, const char *scope, struct mrg_error *err);

/* ---- properties.c ---------------------------------------------------------------------------- */

/* Adds the property that @assignment says to an array of (sv): 1, or 0 when there is none. */
int bus_add_property(const struct bus_api *api, sd_bus_message *message, const char *assignment);

#endif
