/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of start and exec that ordinary users' cgroups need: a scope, room in it, a way into it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define ASIDE	"/monitor"		/* a cgroup that gives controllers to those below it takes no processes itself */

/* ---- start ---------------------------------------------------------------------------------------- */

static bool wants_limits(const struct mrg_spec *spec)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&spec->set, field) && cgroup_is_limit(field))
			return true;
	return false;
}

/* What is left of an earlier life would keep its scope. */
static int clear(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	uint64_t ignored;
	int r = cgroup_open(&cg, unit, false, err);

	return r == 0 && cg.user && cg.tracker->dir >= 0 ? cgroup_clear(&cg, &ignored, err) : r;
}

int mrg_helper_cgroup_scope(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	enum cgroup_lack lack;
	int r;

	if (geteuid() == 0)
		return 0;
	r = cgroup_find_mounts(&cg, false);
	if (r < 0)
		return cgroup_fail(err, r, "cannot find the mounted cgroups");
	lack = cgroup_user_lack(&cg);
	if (lack == CGROUP_LACK_NONE) {
		r = clear(unit, err);
		return r < 0 ? r : cgroup_scope_make(unit, err);
	}
	if (!wants_limits(unit->spec))
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "'%s' cannot have its limits: %s", unit->name, cgroup_lack_text(lack));
	return cgroup_user_hint(&unit->spec->set, err), -MRG_E_PERMISSION;
}

/* Makes @path below @root and enters it. */
static int enter(int root, const char *path, struct mrg_error *err)
{
	_cleanup_close_ int dir = -1;
	int r = mkdirat(root, path, 0755) < 0 && errno != EEXIST ? -errno : 0;

	if (r == 0) {
		dir = path_open_beneath(root, path, O_RDONLY | O_DIRECTORY, 0);
		r = dir < 0 ? dir : fd_write_file(dir, "cgroup.procs", "0");
	}
	return r < 0 ? cgroup_fail(err, r, "cannot enter cgroup '/%s'", path) : 0;
}

int mrg_helper_cgroup_aside(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	char path[CGROUP_PATH_SIZE + sizeof(ASIDE)];
	int r = cgroup_open(&cg, unit, true, err);

	if (r < 0 || !cg.user)
		return r;
	snprintf(path, sizeof(path), "%s" ASIDE, cg.parent);
	return enter(cg.tracker->root, path, err);
}

int mrg_helper_cgroup_scope_path(const struct mrg_unit *unit, char *ret, size_t size)
{
	struct mrg_unit own = { .name = unit->name, .id = unit->id, .dir = -1 };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	char manager[CGROUP_MANAGER_SIZE];

	if (geteuid() == 0 || cgroup_open(&cg, &own, true, NULL) < 0 || !cg.user)
		return 0;
	cgroup_user_manager(manager);
	return (size_t)snprintf(ret, size, "/%s/%s", manager, cg.parent) < size;
}

/* ---- exec ----------------------------------------------------------------------------------------- */

/* Where the part of @path ends that is a unit of systemd whose cgroup is delegated to us; 0: it has none. *ret_name is where its name begins. */
static size_t find_unit(const char *path, size_t *ret_name)
{
	size_t end = 0;

	for (size_t at = 0; path[at]; ) {
		size_t n = strcspn(path + at, "/");

		if ((n > 6 && strncmp(path + at + n - 6, ".scope", 6) == 0) || (n > 8 && strncmp(path + at + n - 8, ".service", 8) == 0)) {
			*ret_name = at;
			end = at + n;
		}
		at += n;
		at += path[at] == '/';
	}
	return end;
}

/* Whether this process is in what belongs to the user's manager: from there it may move by itself. */
static bool is_inside(const char *manager)
{
	_cleanup_free_ char *text = NULL;
	const char *own;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/cgroup", 1 << 20, &text, NULL) < 0)
		return false;
	own = strstr(text, "0::/");
	return own && strncmp(own + 4, manager, strlen(manager)) == 0 && own[4 + strlen(manager)] == '/';
}

int cgroup_scope_reach(const struct cgroup *cg, struct mrg_error *err)
{
	char manager[CGROUP_MANAGER_SIZE], path[CGROUP_PATH_SIZE + sizeof(ASIDE)], name[NAME_MAX + 1];
	size_t end, begin = 0;

	if (geteuid() == 0 || !cg->unified_only || !cg->tracker)
		return 0;
	cgroup_user_manager(manager);
	end = find_unit(cg->path, &begin);
	if (end == 0 || (!cg->user && strncmp(cg->path, manager, strlen(manager)) != 0) || is_inside(manager))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(end - begin), cg->path + begin);
	snprintf(path, sizeof(path), "%.*s" ASIDE, (int)end, cg->path);
	if (mkdirat(cg->tracker->root, path, 0755) < 0 && errno != EEXIST)
		return cgroup_fail(err, -errno, "cannot make cgroup '/%s'", path);
	return cgroup_scope_join(name, ASIDE, err);
}
