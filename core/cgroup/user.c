/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroups of an ordinary user: where there is cgroup v2 alone, systemd runs a manager for each user in a cgroup that is the user's. That manager makes a
 * scope for each container; below it all is as it is for root.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define DROP_IN		"/etc/systemd/system/user@.service.d/delegate.conf"

/* ---- whose -------------------------------------------------------------------------------------- */

/* Of the host: the monitor is root of a user namespace. */
static unsigned int host_uid(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned int own = geteuid(), inside, outside, count;
	char *line, *save;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/uid_map", 1 << 16, &text, NULL) < 0)
		return own;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 && own >= inside && own - inside < count)
			return outside + (own - inside);
	return own;
}

void cgroup_user_manager(char ret[CGROUP_MANAGER_SIZE])
{
	unsigned int uid = host_uid();

	snprintf(ret, CGROUP_MANAGER_SIZE, "user.slice/user-%u.slice/user@%u.service", uid, uid);
}

static bool is_writable(int dir, const char *name)
{
	return faccessat(dir, name, W_OK, AT_EACCESS) == 0;
}

/* The cgroup of the user's manager; -ENOENT: there is none, or it is not the user's. */
static int open_manager(int root)
{
	char manager[CGROUP_MANAGER_SIZE];
	_cleanup_close_ int dir = -1;

	cgroup_user_manager(manager);
	dir = path_open_beneath(root, manager, O_PATH | O_DIRECTORY, 0);
	return dir >= 0 && is_writable(dir, "cgroup.procs") ? take_fd(&dir) : -ENOENT;
}

/* ---- what keeps a user from it --------------------------------------------------------------------- */

int cgroup_user_bus(char *ret, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (runtime && *runtime)
		snprintf(ret, size, "%s/bus", runtime);
	else
		snprintf(ret, size, "/run/user/%u/bus", host_uid());
	return stat(ret, &st) == 0 && S_ISSOCK(st.st_mode) ? 0 : -ENOENT;
}

enum cgroup_lack cgroup_user_lack(const struct cgroup *cg)
{
	_cleanup_close_ int dir = cg->unified_only && cg->n > 0 ? open_manager(cg->item[0].root) : -1;
	char bus[PATH_MAX];

	if (cg->n == 0)
		return CGROUP_LACK_ALL;
	if (!cg->unified_only)
		return CGROUP_LACK_V2;
	if (access("/run/systemd/system", F_OK) < 0)
		return CGROUP_LACK_SYSTEMD;
	if (!cgroup_scope_built)
		return CGROUP_LACK_LIBRARY;
	if (dir < 0)
		return CGROUP_LACK_MANAGER;
	return cgroup_user_bus(bus, sizeof(bus)) < 0 ? CGROUP_LACK_BUS : CGROUP_LACK_NONE;
}

const char *cgroup_lack_text(enum cgroup_lack lack)
{
	static const char *const texts[] = {
		[CGROUP_LACK_NONE] = "",
		[CGROUP_LACK_ALL] = "no cgroups are mounted",
		[CGROUP_LACK_V2] = "this user may not make cgroups of version 1",
		[CGROUP_LACK_SYSTEMD] = "this user may not make cgroups without systemd",
		[CGROUP_LACK_LIBRARY] = "this user may not make cgroups: built without libsystemd",
		[CGROUP_LACK_MANAGER] = "this user may not make cgroups: no user@.service runs",
		[CGROUP_LACK_BUS] = "this user may not make cgroups: user@.service has no bus",
	};

	return texts[lack];
}

static void hint_bus(struct mrg_error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char usual[32];

	snprintf(usual, sizeof(usual), "/run/user/%u", host_uid());
	if (runtime && *runtime && strcmp(runtime, usual) != 0)
		mrg_error_hint(err, "XDG_RUNTIME_DIR is '%s'; the user's bus is in '%s'", runtime, usual);
	else
		mrg_error_hint(err, "as root: apt-get install dbus-user-session; then log in anew");
}

void cgroup_user_hint_lack(enum cgroup_lack lack, struct mrg_error *err)
{
	const struct passwd *user = getpwuid(host_uid());
	const char *name = user ? user->pw_name : "USER";

	if (lack == CGROUP_LACK_V2)
		mrg_error_hint(err, "boot with systemd.unified_cgroup_hierarchy=1, or run the command as root");
	else if (lack == CGROUP_LACK_MANAGER)
		mrg_error_hint(err, "as root: loginctl enable-linger %s", name);
	else if (lack == CGROUP_LACK_BUS)
		hint_bus(err);
	else if (lack != CGROUP_LACK_NONE)
		mrg_error_hint(err, "run the command as root");
}

enum cgroup_lack cgroup_user_own_lack(void)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;

	return geteuid() == 0 || cgroup_find_mounts(&cg, false) < 0 ? CGROUP_LACK_NONE : cgroup_user_lack(&cg);
}

/* ---- what it gives ------------------------------------------------------------------------------------ */

void cgroup_user_take(struct cgroup *cg)
{
	int dir = open_manager(cg->item[0].root);

	if (dir < 0)
		return;
	fd_close(cg->item[0].root);
	cg->item[0].root = dir;
	cg->user = true;
}

void cgroup_user_scope(const struct mrg_unit *unit, char ret[CGROUP_SCOPE_SIZE])
{
	snprintf(ret, CGROUP_SCOPE_SIZE, "moorage-%.63s-%.16s.scope", unit->name, unit->id);
}

bool cgroup_user_enter(struct cgroup *cg, const struct mrg_unit *unit)
{
	struct cgroup_hierarchy *h = &cg->item[0];
	char scope[CGROUP_SCOPE_SIZE];

	if (!cg->unified_only)
		return false;
	cgroup_user_take(cg);
	cgroup_user_scope(unit, scope);
	snprintf(cg->parent, sizeof(cg->parent), CGROUP_USER_SLICE "/%s", scope);
	if (!cg->user || faccessat(h->root, cg->parent, F_OK, 0) < 0)
		return false;
	cg->leaf = cg->path + snprintf(cg->path, sizeof(cg->path), CGROUP_USER_SLICE "/%s/", scope);
	snprintf(cg->path + strlen(cg->path), sizeof(cg->path) - strlen(cg->path), "%.63s-%.16s", unit->name, unit->id);
	/* The scope is systemd's, and goes with its last process. */
	cg->own_parent = false;
	h->dir = path_open_beneath(h->root, cg->path, O_RDONLY | O_DIRECTORY, 0);
	return true;
}

bool cgroup_user_has_scopes(int root)
{
	_cleanup_close_ int dir = geteuid() == 0 ? -1 : open_manager(root);

	return dir >= 0 && faccessat(dir, CGROUP_USER_SLICE, F_OK, 0) == 0;
}

bool cgroup_user_withheld(char *ret, size_t size)
{
	static const unsigned int told[] = { CGROUP_CPU, CGROUP_CPUSET, CGROUP_IO, CGROUP_MEMORY, CGROUP_PIDS, CGROUP_HUGETLB };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	unsigned int there, own;
	size_t length = 0;

	*ret = '\0';
	if (cgroup_find_mounts(&cg, false) < 0 || cgroup_user_lack(&cg) != CGROUP_LACK_NONE)
		return false;
	there = cgroup_available(&cg).v2;
	cgroup_user_take(&cg);
	own = cgroup_available(&cg).v2;
	for (size_t i = 0; i < ARRAY_SIZE(told) && length < size; i++)
		if (there & ~own & told[i])
			length += (size_t)snprintf(ret + length, size - length, "%s%s", length ? ", " : "", cgroup_controller_name(told[i], 2));
	return length > 0;
}

void cgroup_user_probe(struct mrg_fields *fields, char *reason, size_t size)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct cgroup_controllers available;
	char withheld[64], why[96];

	if (cgroup_find_mounts(&cg, false) < 0)
		return;
	if (reason && cgroup_user_withheld(withheld, sizeof(withheld))) {
		snprintf(why, sizeof(why), "systemd does not give users %s", withheld);
		reason_add(reason, size, why);
	}
	/* What nobody has on this host, and of the rest what the user has not. */
	available = cgroup_available(&cg);
	cgroup_limits_probe(&cg, &available, fields, reason, size);
	cgroup_user_take(&cg);
	available = cgroup_available(&cg);
	cgroup_limits_probe(&cg, &available, fields, NULL, 0);
}

void cgroup_user_hint_withheld(struct mrg_error *err)
{
	mrg_error_hint(err, "as root: put the lines '[Service]' and 'Delegate=cpu cpuset io memory pids' into '" DROP_IN "', "
		       "then systemctl daemon-reload; it holds from the user's next login on");
}

/* Whether this host has one of the limits @missing, but for the user. */
static bool is_withheld(struct cgroup *cg, const struct mrg_fields *missing)
{
	const struct cgroup_controllers available = cgroup_available(cg);
	struct mrg_fields limits = { 0 };

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(missing, field) && cgroup_is_limit(field))
			mrg_fields_add(&limits, field);
	cgroup_limits_probe(cg, &available, &limits, NULL, 0);
	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		if (limits.word[i])
			return true;
	return false;
}

void cgroup_user_hint(const struct mrg_fields *missing, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	enum cgroup_lack lack;

	if (cgroup_find_mounts(&cg, false) < 0)
		return;
	lack = cgroup_user_lack(&cg);
	/* A system that boots wants a cgroup, whatever controllers there are. */
	if (lack != CGROUP_LACK_NONE && (mrg_fields_has(missing, MRG_FIELD_BOOT) || is_withheld(&cg, missing)))
		cgroup_user_hint_lack(lack, err);
	else if (lack == CGROUP_LACK_NONE && is_withheld(&cg, missing))
		cgroup_user_hint_withheld(err);
}
