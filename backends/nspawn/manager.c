/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts where systemd is the manager: machined registers machines, and their limits are properties of units. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "nspawn.h"

#include "core/util/fail.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define END_MS	5000			/* for nspawn and systemd to notice the end */
#define STEP_MS	20
#define EMPTY_STEP_MS	5		/* where nothing has to be ended */

bool nspawn_is_managed(void)
{
	/* What sd_booted(3) looks at; without the bus nspawn cannot register anything. */
	return access("/run/systemd/system", F_OK) == 0 && access("/run/dbus/system_bus_socket", F_OK) == 0;
}

bool nspawn_is_unified(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

bool nspawn_is_started_by_unit(const struct mrg_unit *unit)
{
	return unit->adopted && !unit->path && nspawn_is_managed();
}

static void unit_name(const struct mrg_unit *unit, char ret[NSPAWN_UNIT_SIZE])
{
	snprintf(ret, NSPAWN_UNIT_SIZE, "systemd-nspawn@%s.service", unit->name);
}

/* ---- start and stop --------------------------------------------------------------------------- */

int nspawn_unit_start(const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	struct mrg_process process = { .pidfd = -1 };
	char name[NSPAWN_UNIT_SIZE];
	int r = bus_open(&bus, err);

	if (r < 0)
		return r;
	unit_name(unit, name);
	/* The unit is of Type=notify: once this returns, the payload runs, or has ended already. */
	r = bus_start_unit(&bus, name, err);
	if (r < 0)
		return mrg_error_hint(err, "see: journalctl -u %s", name), r;
	r = nspawn_process(NULL, unit, &process, err);
	if (r == 0)
		r = mrg_error_set(err, -EIO, "'%s' ended as soon as it was started", name);
	if (r < 0)
		return mrg_error_hint(err, "see: journalctl -u %s", name), r;
	*ret = process;
	return 0;
}

int nspawn_unit_stop(const char *name, struct mrg_error *err)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int r = bus_open(&bus, err);

	return r < 0 ? r : bus_stop_unit(&bus, name, err);
}

/* ---- limits ------------------------------------------------------------------------------------- */

/* Of the keys of a drop-in those that limit, and can be set in every kind of unit with a cgroup. */
static bool is_limit(const char *line)
{
	static const char *const prefixes[] = { "Memory", "CPU", "Allowed", "Tasks", "IO", "Device", "BlockIO", "StartupCPU", "StartupIO" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* A line of a unit as a property: there are no specifiers; no limit is said by name. */
static int add_property(char ***list, const char *line, size_t length)
{
	struct buffer b = { 0 };
	int r;

	for (size_t i = 0; i < length; i++) {
		buffer_add(&b, line + i, 1);
		i += line[i] == '%' && i + 1 < length && line[i + 1] == '%';
	}
	if (length == 9 && strncmp(line, "TasksMax=", 9) == 0)
		buffer_addf(&b, "infinity");
	r = b.failed ? -ENOMEM : strv_append(list, b.text);
	buffer_deinit(&b);
	return r;
}

int nspawn_unit_properties(const struct mrg_spec *spec, char ***ret, struct mrg_error *err)
{
	struct mrg_nspawn_texts texts;
	int r = mrg_helper_nspawn_write(spec, &texts, NULL, NULL, err);

	if (r < 0)
		return r;
	for (const char *line = texts.dropin; *line && r == 0; line += strcspn(line, "\n"), line += *line == '\n')
		if (is_limit(line))
			r = add_property(ret, line, strcspn(line, "\n"));
	mrg_helper_nspawn_free(&texts);
	return r < 0 ? fail_memory(err) : 0;
}

/* Without what is said although it was not asked for. */
static void drop_unasked(char **properties, const struct mrg_spec *changes)
{
	size_t n = 0;

	for (char **property = properties; property && *property; property++) {
		if (mrg_fields_has(&changes->set, MRG_FIELD_PIDS_LIMIT) || strncmp(*property, "TasksMax=", 9) != 0)
			properties[n++] = *property;
		else
			free(*property);
	}
	if (properties)
		properties[n] = NULL;
}

int nspawn_unit_set(const char *name, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **properties = NULL;
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int r = nspawn_unit_properties(changes, &properties, err);

	if (r < 0)
		return r;
	drop_unasked(properties, changes);
	if (!properties || !*properties)
		return 0;
	r = bus_open(&bus, err);
	return r < 0 ? r : bus_set_unit(&bus, name, properties, err);
}

void nspawn_unit_end_machine(const char *name)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int64_t deadline = time_monotonic_ms() + END_MS;
	char scope[NSPAWN_UNIT_SIZE];
	int r;

	if (bus_open(&bus, NULL) < 0)
		return;
	bus_await_machine(&bus, name);
	/* What is not running yet cannot be abandoned, and could be begun in the middle. */
	while ((r = nspawn_registered_scope(name, scope)) == -EAGAIN && time_monotonic_ms() < deadline)
		poll(NULL, 0, EMPTY_STEP_MS);
	if (r != 0)
		bus_terminate_machine(&bus, name, scope, NULL);
	while (r != 0 && nspawn_registered_scope(name, scope) != 0 && time_monotonic_ms() < deadline)
		poll(NULL, 0, EMPTY_STEP_MS);
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* How nspawn ended, which is how the payload ended as far as it tells; -EAGAIN while the unit is there. */
static int read_end(struct bus *bus, const struct mrg_unit *unit, int *ret_status, struct mrg_error *err)
{
	char name[NSPAWN_UNIT_SIZE];
	struct bus_end end;
	int r;

	unit_name(unit, name);
	r = bus_read_end(bus, name, &end, err);
	if (r == 0)
		*ret_status = end.code == CLD_EXITED ? (end.status & 0xff) << 8 : end.status & 0x7f;
	return r;
}

void nspawn_unit_forget(const struct mrg_unit *unit)
{
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int64_t deadline = time_monotonic_ms() + END_MS;
	char name[NSPAWN_UNIT_SIZE];
	int ignored;

	if (unit->transient || unit->path || !nspawn_is_managed() || bus_open(&bus, NULL) < 0)
		return;
	while (read_end(&bus, unit, &ignored, NULL) == -EAGAIN && time_monotonic_ms() < deadline)
		poll(NULL, 0, STEP_MS);
	unit_name(unit, name);
	bus_reset_unit(&bus, name);
}

int nspawn_wait(void *self _unused_, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err)
{
	struct pollfd p = { .fd = unit->process ? unit->process->pidfd : -1, .events = POLLIN };
	_cleanup_bus_ struct bus bus = BUS_INIT;
	int64_t deadline;
	int r;

	if (p.fd >= 0 && poll(&p, 1, timeout_ms) == 0)
		return mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' has not ended", unit->name);
	if (!nspawn_is_started_by_unit(unit))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "nobody knows how '%s' ended", unit->name);
	r = bus_open(&bus, err);
	if (r < 0)
		return r;
	deadline = time_monotonic_ms() + END_MS;
	while ((r = read_end(&bus, unit, ret_status, err)) == -EAGAIN && time_monotonic_ms() < deadline)
		poll(NULL, 0, STEP_MS);
	return r == -EAGAIN ? mrg_error_set(err, -MRG_E_TIMEOUT, "the unit of '%s' has not ended", unit->name) : r;
}
