/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Users of a container's own. libvirt shows the files of the root as they are on the host: they must belong to the mapped ids already, and the container's root,
 * who is an ordinary user there, must get through to them.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define RANGE		65536U		/* what a root that belongs to somebody maps; the ids below are those of the host's own users */

static int look_at_root(const struct mrg_spec *spec, struct stat *ret, struct mrg_error *err)
{
	const char *path = spec->root_path ? spec->root_path : "/";

	return stat(path, ret) < 0 ? fail_errno(err, -errno, "cannot look at the root '%s'", path) : 0;
}

/* ---- which ------------------------------------------------------------------------------------ */

/* Without a map the owner of the root tells. */
int libvirt_map_users(struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_id_mapping uid = { .size = RANGE }, gid = { .size = RANGE };
	struct stat st;
	int r;

	if (!spec->ns_user || *spec->ns_user || spec->uid_mappings.n > 0)
		return 0;
	r = look_at_root(spec, &st, err);
	if (r < 0)
		return r;
	if (st.st_uid < RANGE || st.st_gid < RANGE || st.st_uid > UINT32_MAX - RANGE || st.st_gid > UINT32_MAX - RANGE) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "linux.namespaces.user: libvirt maps no ids of files, and the root '%s' belongs to user %u and group %u of the host",
			      spec->root_path, (unsigned int)st.st_uid, (unsigned int)st.st_gid);
		return mrg_error_hint(err, "give all of it to ids of its own first, from 65536 on, or use a backend that maps them: native, lxc, nspawn"), -MRG_E_UNSUPPORTED;
	}
	uid.host_id = st.st_uid;
	gid.host_id = st.st_gid;
	r = mrg_spec_add_uid_mapping(spec, &uid, err);
	return r < 0 ? r : mrg_spec_add_gid_mapping(spec, &gid, err);
}

/* Where libvirt's own examples have roots. Others lie below the state directory, which is closed: the root of a container with users of its own is no root on the
 * host, and gets to nothing that only root gets to. */
#define MAPPED_ROOTS	"/var/lib/libvirt/filesystems"

int libvirt_home(void *self _unused_, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;

	if (!spec || !spec->ns_user || *spec->ns_user)
		return 0;
	return asprintf(ret, MAPPED_ROOTS "/%s", unit->name) < 0 ? fail_memory(err) : 0;
}

/* ---- whether the root is theirs ---------------------------------------------------------------- */

/* The id on the host of the 0 of the container: the format has seen to it that there is one. */
static uint32_t host_root(const struct mrg_id_mapping *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (item[i].container_id == 0)
			return item[i].host_id;
	return UINT32_MAX;
}

static int not_theirs(const struct mrg_spec *spec, const struct stat *st, uint32_t uid, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "linux.uidMappings: libvirt maps no ids of files: the root '%s' belongs to user %u, and root of the container is to be user %u",
		      spec->root_path, (unsigned int)st->st_uid, uid);
	return mrg_error_hint(err, "give all of it to the mapped ids first, or use a backend that maps them: native, lxc, nspawn"), -MRG_E_UNSUPPORTED;
}

/* As that user, without capabilities: modes and ACLs of all directories on the way count. */
static bool can_pass(const char *path, uint32_t uid, uint32_t gid)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 || access(path, X_OK) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return pid < 0 || status == 0;
}

/* The first directory on the way that is closed, in @ret. */
static bool find_closed(const char *path, uint32_t uid, uint32_t gid, char ret[PATH_MAX])
{
	if (!*path || can_pass(path, uid, gid))
		return false;
	for (const char *end = strchr(path + 1, '/'); end && (size_t)(end - path) < PATH_MAX; end = strchr(end + 1, '/')) {
		memcpy(ret, path, (size_t)(end - path));
		ret[end - path] = '\0';
		if (!can_pass(ret, uid, gid))
			return true;
	}
	return false;
}

/* Of the root, and of moorage-init, which is bound into it by them. */
static int check_ways(const struct mrg_spec *spec, uint32_t uid, uint32_t gid, struct mrg_error *err)
{
	char init[PATH_MAX], closed[PATH_MAX];
	const char *const paths[] = { spec->root_path, init };

	if (mrg_helper_init_path(init, sizeof(init), NULL) < 0)
		init[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!find_closed(paths[i], uid, gid, closed))
			continue;
		mrg_error_set(err, -MRG_E_PERMISSION, "user %u, root of the container, cannot pass '%s' on the way to '%s'", uid, closed, paths[i]);
		return mrg_error_hint(err, "setfacl -m u:%u:x '%s'", uid, closed), -MRG_E_PERMISSION;
	}
	return 0;
}

int libvirt_mapped_root(const struct mrg_spec *given, uid_t *ret_uid, gid_t *ret_gid, struct mrg_error *err)
{
	struct mrg_spec *spec;
	int r = given->ns_user ? mrg_spec_copy(given, &spec, err) : 0;

	if (r < 0 || !given->ns_user)
		return r;
	r = libvirt_map_users(spec, err);
	*ret_uid = host_root(spec->uid_mappings.item, spec->uid_mappings.n);
	*ret_gid = host_root(spec->gid_mappings.item, spec->gid_mappings.n);
	mrg_spec_free(spec);
	return r < 0 ? r : 1;
}

int libvirt_check_users(const struct mrg_spec *spec, struct mrg_error *err)
{
	struct stat st;
	uid_t uid;
	gid_t gid;
	int r = libvirt_mapped_root(spec, &uid, &gid, err);

	if (r <= 0)
		return r;
	r = look_at_root(spec, &st, err);
	if (r < 0)
		return r;
	return st.st_uid == uid ? check_ways(spec, uid, gid, err) : not_theirs(spec, &st, uid, err);
}
