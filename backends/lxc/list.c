/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containers there are. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"

int lxc_find(void *self _unused_, const char *path, const char *name, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = name, .path = path, .dir = -1 };
	struct lxc_place place;
	int r = lxc_place_of(&unit, &place, err);

	return r == 0 ? lxc_place_exists(&place) : r;
}

static int is_container(int dir, const char *name)
{
	char config[NAME_MAX + sizeof("/" LXC_CONFIG)];
	struct stat st;

	if (name[0] == '.')
		return 0;
	snprintf(config, sizeof(config), "%s/" LXC_CONFIG, name);
	return fstatat(dir, config, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

int lxc_list(void *self _unused_, const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char place[PATH_MAX];
	int r = lxc_place_path(path, place, err);

	if (r < 0)
		return r;
	dir = opendir(place);
	if (!dir && errno == ENOENT && path)
		return mrg_error_set(err, -MRG_E_NO_ENGINE, "there is no directory '%s' that LXC could have containers in", place);
	if (!dir && errno == ENOENT) {
		mrg_error_set(err, -MRG_E_NO_ENGINE, "LXC is not in use here: there is no '%s'", place);
		return lxc_is_user() ? -MRG_E_NO_ENGINE : mrg_error_hint(err, "apt-get install lxc");
	}
	if (!dir)
		return fail_errno(err, -errno, "cannot read '%s'", place);
	while (r == 0 && (entry = readdir(dir)))
		if (is_container(dirfd(dir), entry->d_name))
			r = found(&(struct mrg_found){ .name = entry->d_name }, data);
	return r;
}
