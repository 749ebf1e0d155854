/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine out of systemd's sight: its settings, our drop-in and its start at boot. A root where machines are looked for is a machine by itself, and has
 * to be moved from there. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define AUTOSTART	"nspawn.autostart"	/* in the directory of what is set aside: it started with the host */

int nspawn_home(void *self _unused_, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	int r = nspawn_check_name(unit->name, err);

	if (r < 0)
		return r;
	return asprintf(ret, "%s/%s", unit->path ? unit->path : "/var/lib/machines", unit->name) < 0 ? fail_memory(err) : 0;
}

/* ---- files ------------------------------------------------------------------------------------ */

/* All that may be there: NULL-terminated. */
static int list_files(const struct mrg_unit *unit, char ***ret, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **files = NULL;
	int r = nspawn_settings_paths(unit->path, unit->name, &files);
	_cleanup_free_ char *dropin = NULL;

	if (r == 0 && asprintf(&dropin, NSPAWN_DROPIN, unit->name) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = strv_append(&files, dropin);
	if (r < 0)
		return fail_memory(err);
	*ret = take_ptr(files);
	return 0;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int move(const char *from, const char *to, struct mrg_error *err)
{
	if (!is_there(from))
		return 0;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return mrg_error_set(err, -MRG_E_EXISTS, "'%s' is there already", to);
	return fail_errno(err, -errno, "cannot rename '%s'", from);
}

static int park_file(const char *path, const char *tag, int how, struct mrg_error *err)
{
	_cleanup_free_ char *parked = NULL;

	if (asprintf(&parked, "%s.moorage-%s", path, tag) < 0) {
		parked = NULL;
		return fail_memory(err);
	}
	if (how == MRG_PARK_DISCARD)
		return unlink(parked) < 0 && errno != ENOENT && errno != ENOTDIR ? fail_errno(err, -errno, "cannot remove '%s'", parked) : 0;
	return how == MRG_PARK_ASIDE ? move(path, parked, err) : move(parked, path, err);
}

/* Unless others have put something there. */
static void remove_dropin_dir(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), NSPAWN_DROPIN_DIR, name);
	rmdir(path);
}

static int park_files(const struct mrg_unit *unit, const char *tag, int how, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **files = NULL;
	int r = list_files(unit, &files, err);

	for (char **file = files; r == 0 && file && *file; file++)
		r = park_file(*file, tag, how, err);
	if (r == 0 && how == MRG_PARK_DISCARD)
		remove_dropin_dir(unit->name);
	return r;
}

/* ---- the start at boot -------------------------------------------------------------------------- */

static int stop_autostart(const struct mrg_unit *unit, int dir, struct mrg_error *err)
{
	int r = nspawn_autostart(NULL, unit, -1, err);

	if (r <= 0)
		return r;
	r = fd_replace_file(dir, AUTOSTART, "", 0, true);
	if (r < 0)
		return fail_errno(err, r, "cannot write '" AUTOSTART "'");
	r = nspawn_autostart(NULL, unit, 0, err);
	return r < 0 ? r : 0;
}

static int restore_autostart(const struct mrg_unit *unit, int dir, struct mrg_error *err)
{
	int r = faccessat(dir, AUTOSTART, F_OK, 0) == 0 ? nspawn_autostart(NULL, unit, 1, err) : 0;

	return r < 0 ? r : 0;
}

int nspawn_park(void *self _unused_, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err)
{
	int r = how == MRG_PARK_ASIDE ? stop_autostart(unit, dir, err) : 0;

	if (r == 0)
		r = park_files(unit, tag, how, err);
	if (r == 0 && how == MRG_PARK_BACK)
		r = restore_autostart(unit, dir, err);
	return r;
}
