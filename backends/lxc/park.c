/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container out of LXC's sight: without a file "config" its directory is none, for lxc-start as for lxc-ls. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"

int lxc_home(void *self _unused_, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	if (r < 0)
		return r;
	return asprintf(ret, "%s/%s/rootfs", place.path, place.name) < 0 ? fail_memory(err) : 0;
}

static bool is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* From one name to the other: done already when only the other is there. */
static int move(const struct lxc_place *place, int dir, const char *from, const char *to, struct mrg_error *err)
{
	if (!is_there(dir, from) && is_there(dir, to))
		return 0;
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return fsync(dir) < 0 ? lxc_config_failed(place, -errno, "set aside", err) : 0;
	if (errno == EEXIST)
		return mrg_error_set(err, -MRG_E_EXISTS, "'%s/%s/%s' is there already", place->path, place->name, to);
	return lxc_config_failed(place, -errno, "set aside", err);
}

/* The directory goes when nothing else is left in it: the root, other configurations that are set aside. */
static int discard(const struct lxc_place *place, int dir, const char *parked, struct mrg_error *err)
{
	if (unlinkat(dir, parked, 0) < 0 && errno != ENOENT)
		return fail_errno(err, -errno, "cannot remove '%s/%s/%s'", place->path, place->name, parked);
	if (!is_there(dir, LXC_CONFIG)) {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", place->path, place->name) < PATH_MAX)
			rmdir(path);
	}
	return 0;
}

int lxc_park(void *self _unused_, const struct mrg_unit *unit, int keep _unused_, const char *tag, int how, struct mrg_error *err)
{
	_cleanup_close_ int dir = -1;
	struct lxc_place place;
	char parked[NAME_MAX];
	int r = lxc_place_of(unit, &place, err);

	if (r < 0)
		return r;
	snprintf(parked, sizeof(parked), LXC_CONFIG ".moorage-%s", tag);
	dir = lxc_place_open(&place);
	if (dir == -ENOENT && how == MRG_PARK_DISCARD)
		return 0;
	if (dir < 0)
		return lxc_config_failed(&place, dir, "set aside", err);
	if (how == MRG_PARK_DISCARD)
		return discard(&place, dir, parked, err);
	return how == MRG_PARK_ASIDE ? move(&place, dir, LXC_CONFIG, parked, err) : move(&place, dir, parked, LXC_CONFIG, err);
}
