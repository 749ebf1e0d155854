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

#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "nspawn.h"

#define END_MS	5000			/* for nspawn and systemd to notice the end */
#define STEP_MS	20

bool nspawn_is_managed(void)
{
	/* What sd_booted(3) looks at; without the bus nspawn cannot register anything. */
	return access("/run/systemd/system", F_OK) == 0 && access("/run/dbus/system_bus_socket", F_OK) == 0;
}

bool nspawn_is_started_by_unit(const struct mrg_unit *unit)
{
	return unit->adopted && !unit->path && nspawn_is_managed();
}

static void unit_name(const struct mrg_unit *unit, char ret[NSPAWN_UNIT_SIZE])
{
	snprintf(ret, NSPAWN_UNIT_SIZE, "systemd-nspawn@%s.service", unit->name);
}

/* Runs systemctl; what it says becomes the sentence. */
static int systemctl(const char *const *argv, struct mrg_error *err)
{
	_cleanup_free_ char *output = NULL;
	int r = command_run(argv, &output, err);

	if (r <= 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	return mrg_error_set(err, -EIO, "'systemctl %s' failed: %s", argv[1], output);
}

/* ---- start and stop --------------------------------------------------------------------------- */

int nspawn_unit_start(const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	char name[NSPAWN_UNIT_SIZE];
	const char *const argv[] = { "systemctl", "start", "--quiet", name, NULL };
	struct mrg_process process = { .pidfd = -1 };
	int r;

	unit_name(unit, name);
	/* The unit is of Type=notify: once this returns, the payload runs, or has ended already. */
	r = systemctl(argv, err);
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
	const char *const argv[] = { "systemctl", "stop", "--quiet", "--no-block", name, NULL };

	return systemctl(argv, err);
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

int nspawn_unit_set(const char *name, const struct mrg_spec *changes, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **properties = NULL;
	_cleanup_free_ const char **argv = NULL;
	size_t n = 0;
	int r = nspawn_unit_properties(changes, &properties, err);

	if (r < 0)
		return r;
	argv = calloc(strv_length(properties) + 5, sizeof(*argv));
	if (!argv)
		return fail_memory(err);
	argv[n++] = "systemctl";
	argv[n++] = "set-property";
	argv[n++] = "--runtime";
	argv[n++] = name;
	for (char **property = properties; property && *property; property++)
		/* What is said although it was not asked for. */
		if (mrg_fields_has(&changes->set, MRG_FIELD_PIDS_LIMIT) || strncmp(*property, "TasksMax=", 9) != 0)
			argv[n++] = *property;
	return n > 4 ? systemctl(argv, err) : 0;
}

/* ---- the end ------------------------------------------------------------------------------------ */

static const char *value_of(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strncmp(text, key, length) == 0 && text[length] == '=')
			return text + length + 1;
	return "";
}

static int number_of(const char *text, const char *key)
{
	int number = 0;

	return sscanf(value_of(text, key), "%d", &number) == 1 ? number : 0;
}

/* How nspawn ended, which is how the payload ended as far as it tells; -EAGAIN while the unit is there. */
static int read_end(const struct mrg_unit *unit, int *ret_status, struct mrg_error *err)
{
	char name[NSPAWN_UNIT_SIZE];
	const char *const argv[] = { "systemctl", "show", "--property=ActiveState,ExecMainCode,ExecMainStatus", name, NULL };
	_cleanup_free_ char *output = NULL;
	const char *state;
	int r, code;

	unit_name(unit, name);
	r = command_run(argv, &output, err);
	if (r != 0)
		return r < 0 ? r : mrg_error_set(err, -EIO, "systemd does not tell of '%s'", name);
	state = value_of(output, "ActiveState");
	if (strncmp(state, "inactive", 8) != 0 && strncmp(state, "failed", 6) != 0)
		return -EAGAIN;
	code = number_of(output, "ExecMainStatus");
	/* CLD_EXITED, else it was killed. */
	*ret_status = number_of(output, "ExecMainCode") == CLD_EXITED ? (code & 0xff) << 8 : code & 0x7f;
	return 0;
}

int nspawn_wait(void *self _unused_, const struct mrg_unit *unit, int timeout_ms, int *ret_status, struct mrg_error *err)
{
	struct pollfd p = { .fd = unit->process ? unit->process->pidfd : -1, .events = POLLIN };
	int64_t deadline;
	int r;

	if (p.fd >= 0 && poll(&p, 1, timeout_ms) == 0)
		return mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' has not ended", unit->name);
	if (!nspawn_is_started_by_unit(unit))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "nobody knows how '%s' ended", unit->name);
	deadline = time_monotonic_ms() + END_MS;
	while ((r = read_end(unit, ret_status, err)) == -EAGAIN && time_monotonic_ms() < deadline)
		poll(NULL, 0, STEP_MS);
	return r == -EAGAIN ? mrg_error_set(err, -MRG_E_TIMEOUT, "the unit of '%s' has not ended", unit->name) : r;
}
