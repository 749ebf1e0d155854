/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting at boot: by the engine's own means, or for backends without a manager and for ordinary users by an instance of moorage@.service. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/names.h"
#include "core/util/str.h"

#define ENABLED		"/etc/systemd/system/multi-user.target.wants"
#define ENABLED_USER	"systemd/user/default.target.wants"
#define LINGER		"/var/lib/systemd/linger"
#define UNIT_SIZE	(sizeof("moorage@.service") + 63)

static void unit_name(const struct mrg_container *c, char unit[UNIT_SIZE])
{
	snprintf(unit, UNIT_SIZE, "moorage@%.63s.service", c->record->name);
}

/* Where "systemctl enable" makes its symlinks: for an ordinary user, those of the user's own systemd. */
static void enabled_dir(char ret[PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		snprintf(ret, PATH_MAX, ENABLED);
	else if (config && *config == '/')
		snprintf(ret, PATH_MAX, "%s/" ENABLED_USER, config);
	else
		snprintf(ret, PATH_MAX, "%s/.config/" ENABLED_USER, home ? home : "");
}

void autostart_look_begin(struct mrg_look *look)
{
	char dir[PATH_MAX];
	int r;

	enabled_dir(dir);
	look->enabled = (struct look_names){ 0 };
	r = names_read(AT_FDCWD, dir, &look->enabled.names);
	look->enabled.known = r == 0 || r == -ENOENT;
}

void autostart_look_end(struct mrg_look *look)
{
	strings_deinit(&look->enabled.names);
}

/* The symlink that "systemctl enable" makes is all there is to it, and is looked at without systemctl. */
static int unit_is_enabled(const struct mrg *m, const char *unit)
{
	char path[PATH_MAX];
	size_t length;
	struct stat st;

	if (m->looks > 0 && m->look.enabled.known)
		return strings_find(&m->look.enabled.names, unit);
	enabled_dir(path);
	length = strlen(path);
	snprintf(path + length, sizeof(path) - length, "/%s", unit);
	return lstat(path, &st) == 0;
}

/* systemctl as @argv, with what it needs of the environment to find the user's systemd. */
static int run_systemctl(const char *verb, const char *unit, char **ret_output, struct mrg_error *err)
{
	const char *const root[] = { "systemctl", "--quiet", verb, unit, NULL };
	static const char *const kept[] = { "HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR" };
	char variables[ARRAY_SIZE(kept)][PATH_MAX], runtime[64];
	const char *user[ARRAY_SIZE(kept) + 6] = { "env" };
	size_t n = 1;

	if (geteuid() == 0)
		return command_run(root, ret_output, err);
	snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned int)geteuid());
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i]) ? getenv(kept[i]) : i == ARRAY_SIZE(kept) - 1 ? runtime : NULL;

		if (value && snprintf(variables[i], PATH_MAX, "%s=%s", kept[i], value) < PATH_MAX)
			user[n++] = variables[i];
	}
	memcpy(user + n, (const char *const[]){ "systemctl", "--user", "--quiet", verb, unit, NULL }, 6 * sizeof(*user));
	return command_run(user, ret_output, err);
}

static int systemctl(const char *verb, const char *unit, struct mrg_error *err)
{
	_cleanup_free_ char *output = NULL;
	bool user = geteuid() != 0;
	int r = run_systemctl(verb, unit, &output, err);

	if (r == -MRG_E_NO_ENGINE || (user && r == 127)) {
		r = mrg_error_set(err, -MRG_E_NO_ENGINE, "there is no systemctl on this host");
		mrg_error_hint(err, "apt-get install systemd, or start it from this host's own init: moorage start NAME");
	}
	if (r <= 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	mrg_error_set(err, -EIO, "'systemctl %s%s %s' failed with status %d: %s", user ? "--user " : "", verb, unit, r, output);
	return mrg_error_hint(err, "is moorage@.service where systemd looks? It comes with 'make install' to %s", user ? MRG_USER_UNIT_DIR : MRG_UNIT_DIR);
}

/* A user's systemd is started at boot only where the user lingers; else at the first login. */
static int check_linger(struct mrg_error *err)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : "USER";
	char path[sizeof(LINGER) + NAME_MAX + 1];

	snprintf(path, sizeof(path), LINGER "/%s", name);
	if (access(path, F_OK) == 0)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "nothing of user '%s' is started at boot: the user's systemd begins with the first login", name);
	return mrg_error_hint(err, "loginctl enable-linger %s", name), -MRG_E_PERMISSION;
}

static int unit_autostart(struct mrg_container *c, int on, struct mrg_error *err)
{
	char unit[UNIT_SIZE];
	int r = 0;

	unit_name(c, unit);
	if (on > 0 && c->record->transient)
		return mrg_error_set(err, -MRG_E_STATE, "container '%s' is removed when it ends: it cannot start at boot", c->record->name);
	if (on > 0 && geteuid() != 0)
		r = check_linger(err);
	if (r == 0 && on >= 0 && on != unit_is_enabled(c->m, unit))
		r = systemctl(on ? "enable" : "disable", unit, err);
	return r < 0 ? r : unit_is_enabled(c->m, unit);
}

/* Engines start what is theirs by services of the host's systemd, which know nothing of users. */
static bool has_own_means(const struct mrg_container *c)
{
	return c->plugin->table.autostart && geteuid() == 0;
}

int mrg_autostart(struct mrg_container *c, int on, struct mrg_error *err)
{
	struct mrg_unit unit;
	int r = container_load_plugin(c, err);

	if (r < 0)
		return r;
	if (!has_own_means(c))
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
	return has_own_means(c) || c->record->transient || !unit_is_enabled(c->m, unit) ? 0 : systemctl("disable", unit, err);
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
		    "[Install]\nWantedBy=%s.target\n",
		    name, backend, MRG_COMMAND, backend, name, MRG_COMMAND, backend, name, geteuid() == 0 ? "multi-user" : "default");
	if (b.failed) {
		buffer_deinit(&b);
		return fail_memory(err);
	}
	*ret = b.text;
	return 0;
}
