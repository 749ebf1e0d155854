/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting at boot: by the engine's own means, or for backends without a manager by an instance of moorage@.service. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/container_internal.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/names.h"
#include "core/util/str.h"

#define ENABLED		"/etc/systemd/system/multi-user.target.wants"
#define UNIT_SIZE	(sizeof("moorage@.service") + 63)

static void unit_name(const struct mrg_container *c, char unit[UNIT_SIZE])
{
	snprintf(unit, UNIT_SIZE, "moorage@%.63s.service", c->record->name);
}

void autostart_look_begin(struct mrg_look *look)
{
	look->enabled = (struct look_names){ 0 };
	look->enabled.known = names_read(AT_FDCWD, ENABLED, &look->enabled.names) == 0;
}

void autostart_look_end(struct mrg_look *look)
{
	strings_deinit(&look->enabled.names);
}

/* The symlink that "systemctl enable" makes is all there is to it, and is looked at without systemctl. */
static int unit_is_enabled(const struct mrg *m, const char *unit)
{
	char path[256];
	struct stat st;

	if (m->looks > 0 && m->look.enabled.known)
		return strings_find(&m->look.enabled.names, unit);
	snprintf(path, sizeof(path), ENABLED "/%s", unit);
	return lstat(path, &st) == 0;
}

static int systemctl(const char *verb, const char *unit, struct mrg_error *err)
{
	const char *const argv[] = { "systemctl", "--quiet", verb, unit, NULL };
	_cleanup_free_ char *output = NULL;
	int r = command_run(argv, &output, err);

	if (r == -MRG_E_NO_ENGINE)
		mrg_error_hint(err, "apt-get install systemd, or start it from this host's own init: moorage start NAME");
	if (r <= 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	mrg_error_set(err, -EIO, "'systemctl %s %s' failed with status %d: %s", verb, unit, r, output);
	return mrg_error_hint(err, "is moorage@.service where systemd looks? It comes with 'make install' to %s", MRG_UNIT_DIR);
}

static int unit_autostart(struct mrg_container *c, int on, struct mrg_error *err)
{
	char unit[UNIT_SIZE];
	int r = 0;

	unit_name(c, unit);
	if (on > 0 && c->record->transient)
		return mrg_error_set(err, -MRG_E_STATE, "container '%s' is removed when it ends: it cannot start at boot", c->record->name);
	if (on >= 0 && geteuid() != 0)
		return mrg_error_set(err, -MRG_E_PERMISSION, "only root can have containers started at boot");
	if (on >= 0 && on != unit_is_enabled(c->m, unit))
		r = systemctl(on ? "enable" : "disable", unit, err);
	return r < 0 ? r : unit_is_enabled(c->m, unit);
}

int mrg_autostart(struct mrg_container *c, int on, struct mrg_error *err)
{
	struct mrg_unit unit;
	int r = container_load_plugin(c, err);

	if (r < 0)
		return r;
	if (!c->plugin->table.autostart)
		return unit_autostart(c, on, err);
	r = container_load_spec(c, err);
	if (r < 0)
		return r;
	store_unit(c->record, NULL, &unit);
	return dispatch_autostart(c->plugin, &unit, on, err);
}

int container_forget_autostart(struct mrg_container *c, struct mrg_error *err)
{
	char unit[UNIT_SIZE];

	unit_name(c, unit);
	return c->plugin->table.autostart || c->record->transient || !unit_is_enabled(c->m, unit) ? 0 : systemctl("disable", unit, err);
}

int mrg_generate(struct mrg_container *c, char **ret, struct mrg_error *err)
{
	const char *backend = mrg_container_backend(c), *name = mrg_container_name(c);
	struct buffer b = { 0 };
	int r = container_plugin(c, err);

	if (r < 0)
		return r;
	if (!name_is_valid(name))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the name '%s' cannot stand in a unit", name);
	buffer_addf(&b,
		    "[Unit]\nDescription=Container %s (%s)\nDocumentation=man:moorage(1)\nWants=network.target\n"
		    "After=network.target local-fs.target\n\n"
		    "[Service]\nType=oneshot\nRemainAfterExit=yes\nDelegate=yes\nKillMode=mixed\n"
		    "ExecStart=%s start %s:%s\nExecStop=%s stop %s:%s\nTimeoutStopSec=infinity\n\n"
		    "[Install]\nWantedBy=multi-user.target\n",
		    name, backend, MRG_COMMAND, backend, name, MRG_COMMAND, backend, name);
	if (b.failed) {
		buffer_deinit(&b);
		return fail_memory(err);
	}
	*ret = b.text;
	return 0;
}
