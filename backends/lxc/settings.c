/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers as LXC keeps them: a directory with a file "config". Made, removed, given another name. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"

#define CONFIG_MODE	0640
#define DIR_MODE	0770

/* ---- our own ---------------------------------------------------------------------------------- */

/* The whole file or nothing, with the mode that LXC gives its own. */
static int write_config(const struct mrg_unit *unit, const struct lxc_place *place, int dir, const char *text, struct mrg_error *err)
{
	int r = fd_replace_file(dir, LXC_CONFIG, text, strlen(text), !unit->transient);

	if (r == 0 && fchmodat(dir, LXC_CONFIG, CONFIG_MODE, 0) < 0)
		r = -errno;
	return r < 0 ? lxc_config_failed(place, r, "write", err) : 0;
}

/* LXCPATH and what is missing above it: the first container of an ordinary user may be the first thing below ~/.local. */
static int make_place(const char *path)
{
	char above[PATH_MAX];

	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(end - path), path);
		if (mkdir(above, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Makes LXCPATH as well, where no container has been before. */
static int make_dir(const struct lxc_place *place, struct mrg_error *err)
{
	_cleanup_close_ int all = -1;
	int r = make_place(place->path);

	if (r < 0)
		return fail_errno(err, r, "cannot make '%s'", place->path);
	all = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* It may be there: the root of the container in it, or what is left of an earlier one. */
	if (all < 0 || (mkdirat(all, place->name, DIR_MODE) < 0 && errno != EEXIST))
		return fail_errno(err, -errno, "cannot make '%s/%s'", place->path, place->name);
	return 0;
}

int lxc_create(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int dir = -1;
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = lxc_make_config(unit, &text, err);
	if (r == 0)
		r = make_dir(&place, err);
	if (r < 0)
		return r;
	dir = lxc_place_open(&place);
	if (dir < 0)
		return lxc_config_failed(&place, dir, "write", err);
	if (lxc_place_exists(&place))
		return mrg_error_set(err, -MRG_E_EXISTS, "'%s/%s' is a container already", place.path, place.name);
	return write_config(unit, &place, dir, text, err);
}

int lxc_configure(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int dir = -1;
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = lxc_make_config(unit, &text, err);
	if (r < 0)
		return r;
	dir = lxc_place_open(&place);
	return dir < 0 ? lxc_config_failed(&place, dir, "write", err) : write_config(unit, &place, dir, text, err);
}

/* ---- removing ---------------------------------------------------------------------------------- */

/* What a writer that was killed has left: the names of fd_replace_file(). */
static void remove_unfinished(int dir)
{
	_cleanup_closedir_ DIR *entries = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (strncmp(entry->d_name, "." LXC_CONFIG ".", sizeof("." LXC_CONFIG ".") - 1) == 0)
			unlinkat(dir, entry->d_name, 0);
}

/* Only what we have made: the directory may hold the root, which is the user's. */
static int destroy_own(const struct lxc_place *place, struct mrg_error *err)
{
	_cleanup_close_ int all = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC), dir = lxc_place_open(place);

	if (all < 0 || dir < 0)
		return 0;
	if (unlinkat(dir, LXC_CONFIG, 0) < 0 && errno != ENOENT)
		return fail_errno(err, -errno, "cannot remove '%s/%s/" LXC_CONFIG "'", place->path, place->name);
	remove_unfinished(dir);
	if (unlinkat(all, place->name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
		return fail_errno(err, -errno, "cannot remove '%s/%s'", place->path, place->name);
	return 0;
}

/* As lxc-destroy does, with the root if LXC has made it. */
static int destroy_adopted(const struct lxc_place *place, struct mrg_error *err)
{
	_cleanup_engine_ struct lxc_engine engine = { .c = NULL };
	int r;

	if (!lxc_place_exists(place))
		return 0;
	r = lxc_engine_open(place, &engine, err);
	if (r < 0)
		return r;
	/* Of one whose root it does not manage LXC removes nothing, and says that all is well. */
	if (engine.c->destroy(engine.c))
		return lxc_place_exists(place) ? destroy_own(place, err) : 0;
	mrg_error_set(err, -EIO, "LXC cannot destroy '%s'", place->name);
	return mrg_error_hint(err, "snapshots or clones of it may be left: lxc-destroy -P %s -n %s", place->path, place->name);
}

int lxc_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err), state;

	if (r < 0)
		return r;
	state = lxc_state(self, unit, err);
	if (state < 0)
		return state;
	if (state == MRG_STATE_RUNNING || state == MRG_STATE_PAUSED)
		return mrg_error_set(err, -MRG_E_STATE, "'%s' still runs", unit->name);
	return unit->adopted ? destroy_adopted(&place, err) : destroy_own(&place, err);
}

/* ---- another name -------------------------------------------------------------------------------- */

static int rename_own(const struct mrg_unit *unit, const struct lxc_place *place, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int all = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mrg_unit renamed = *unit;
	int r;

	renamed.name = name;
	if (all < 0 || renameat2(all, place->name, all, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? mrg_error_set(err, -MRG_E_EXISTS, "'%s/%s' is there already", place->path, name) :
		       lxc_config_failed(place, -errno, "rename", err);
	r = lxc_configure(NULL, &renamed, err);
	if (r < 0)
		renameat2(all, name, all, place->name, RENAME_NOREPLACE);
	return r;
}

static int rename_adopted(const struct lxc_place *place, const char *name, struct mrg_error *err)
{
	_cleanup_engine_ struct lxc_engine engine = { .c = NULL };
	int r = lxc_engine_open(place, &engine, err);

	if (r < 0)
		return r;
	if (engine.c->rename(engine.c, name))
		return 0;
	mrg_error_set(err, -EIO, "LXC cannot rename '%s' to '%s'", place->name, name);
	return mrg_error_hint(err, "LXC copies its root by rsync, which must be installed; one with snapshots keeps its name");
}

int lxc_rename(void *self _unused_, const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	struct mrg_unit other = { .name = name, .path = unit->path, .dir = -1 };
	struct lxc_place place, taken;
	int r = lxc_place_of(unit, &place, err);

	if (r == 0)
		r = lxc_place_of(&other, &taken, err);
	if (r < 0)
		return r;
	if (lxc_place_exists(&taken))
		return mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already: lxc has it", name);
	return unit->adopted ? rename_adopted(&place, name, err) : rename_own(unit, &place, name, err);
}
