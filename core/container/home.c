/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the roots lie that are made for containers. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/container/home.h"
#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include <moorage/helper.h>

#define ROOTS	"roots"			/* below the state directory: of engines that have no place for roots */
#define RANGE	65536

int home_find(struct mrg *m, struct plugin *p, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	int r;

	*ret = NULL;
	r = dispatch_home(p, unit, ret, err);
	if (r < 0 || *ret)
		return r;
	if (asprintf(ret, "%s/" ROOTS "/%s", m->state_dir, unit->name) >= 0)
		return 0;
	*ret = NULL;
	return fail_memory(err);
}

int home_open_above(const char *above, bool passable)
{
	_cleanup_free_ char *path = strdup(above);
	int fd;

	if (!path)
		return -ENOMEM;
	for (char *at = path + 1; *at; at++)
		if (*at == '/') {
			*at = '\0';
			if (mkdir(path, 0755) < 0 && errno != EEXIST)
				return -errno;
			*at = '/';
		}
	if (mkdir(path, passable ? 0711 : 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool home_is_mapped(const struct plugin *p, const struct mrg_spec *spec)
{
	return p->table.keeps_owners && spec && spec->ns_user && !*spec->ns_user;
}

int home_map_users(struct mrg_spec *spec, const struct mrg_unit *unit, const struct stat *owner, struct mrg_error *err)
{
	struct mrg_id_mapping uid = { .size = RANGE }, gid = { .size = RANGE };
	int r = 0;

	if (owner) {
		uid.host_id = owner->st_uid;
		gid.host_id = owner->st_gid;
	}
	if (uid.host_id < RANGE || gid.host_id < RANGE)
		r = mrg_helper_ids_choose(unit, &uid, &gid, err);
	if (r == 0)
		r = mrg_spec_add_uid_mapping(spec, &uid, err);
	return r < 0 ? r : mrg_spec_add_gid_mapping(spec, &gid, err);
}
