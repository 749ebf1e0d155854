/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ordinary users. LXC maps the ids of their containers by newuidmap(1) and newgidmap(1). Nobody but root may map those of a file system: the owner of
 * the root tells who is to be its user 0, the user or the first of the user's ids.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/str.h"

bool lxc_is_user(void)
{
	return geteuid() != 0;
}

/* ---- what there is for them ------------------------------------------------------------------------ */

static void add_reason(struct mrg_probe *probe, const char *text)
{
	reason_add(probe->reason, sizeof(probe->reason), text);
}

static bool write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* In a process of its own: what LXC does for the terminals of a container whose root is the only user. */
static int mount_terminals(uid_t uid, gid_t gid)
{
	char uids[32], gids[32];
	int fd;

	snprintf(uids, sizeof(uids), "0 %u 1", (unsigned int)uid);
	snprintf(gids, sizeof(gids), "0 %u 1", (unsigned int)gid);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_map("/proc/self/setgroups", "deny") || !write_map("/proc/self/uid_map", uids) ||
	    !write_map("/proc/self/gid_map", gids))
		return 0;	/* told by others */
	fd = (int)syscall(SYS_fsopen, "devpts", FSOPEN_CLOEXEC);
	if (fd < 0)
		return 0;
	/* It goes on without where the kernel refuses it here; older ones refuse it at the end. */
	syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, "gid", "5", 0);
	return syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 ? 0 : errno;
}

/* LXC gives terminals to the group 5, mapped or not. */
static bool terminals_need_ids(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(mount_terminals(geteuid(), getegid()));
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && status != 0;
}

int lxc_user_probe(struct mrg_probe *probe, struct mrg_error *err)
{
	/* The layer would be mounted before LXC has made the user namespace. */
	static const uint16_t need_root[] = { MRG_FIELD_EPHEMERAL }, need_ids[] = {
		MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS,
	};
	static const uint16_t have[] = { MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_INHERITABLE };
	struct mrg_id_mapping uid, gid;
	char why[96], text[160];
	int r = mrg_helper_user_probe(err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(need_root); i++)
		mrg_fields_remove(&probe->fields, need_root[i]);
	/* All that needs rights needs those of the container's root. */
	for (size_t i = 0; i < ARRAY_SIZE(have); i++)
		mrg_fields_add(&probe->fields, have[i]);
	for (size_t i = 0; i < ARRAY_SIZE(need_ids); i++)
		mrg_fields_add(&probe->fields, need_ids[i]);
	if (mrg_helper_user_ids(&uid, &gid, why, sizeof(why)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(need_ids); i++)
		mrg_fields_remove(&probe->fields, need_ids[i]);
	if (terminals_need_ids())
		return mrg_error_set(err, -MRG_E_PERMISSION, "LXC gives terminals to group 5, which this kernel must find mapped: %s", why);
	snprintf(text, sizeof(text), "root is the only user in containers: %s", why);
	add_reason(probe, text);
	return 0;
}

/* ---- their ids ------------------------------------------------------------------------------------- */

static int add_maps(struct mrg_spec *spec, const struct mrg_id_mapping *uid, const struct mrg_id_mapping *gid, struct mrg_error *err)
{
	int r = mrg_spec_add_uid_mapping(spec, uid, err);

	return r < 0 ? r : mrg_spec_add_gid_mapping(spec, gid, err);
}

/* The user is 0; the others follow, if there are any. */
static int map_own(struct mrg_spec *spec, const struct mrg_id_mapping *uid, const struct mrg_id_mapping *gid, struct mrg_error *err)
{
	const struct mrg_id_mapping own_uid = { 0, geteuid(), 1 }, own_gid = { 0, getegid(), 1 };
	struct mrg_id_mapping other_uid = *uid, other_gid = *gid;
	int r = add_maps(spec, &own_uid, &own_gid, err);

	other_uid.container_id = other_gid.container_id = 1;
	return r < 0 || uid->size == 0 ? r : add_maps(spec, &other_uid, &other_gid, err);
}

static int not_mapped(const struct mrg_spec *spec, const struct stat *st, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_INVALID, "the root '%s' belongs to user %u, and the id mappings make user %u root of the container",
			     spec->root_path, (unsigned int)st->st_uid, spec->uid_mappings.item[0].host_id);
}

static int not_theirs(const struct mrg_spec *spec, const struct stat *st, const struct mrg_id_mapping *uid, const char *why, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_PERMISSION, "the root '%s' belongs to user %u, who cannot be root of a container of yours", spec->root_path,
		      (unsigned int)st->st_uid);
	if (uid->size == 0)
		return mrg_error_hint(err, "it must be your own: %s", why);
	return mrg_error_hint(err, "it must be your own, or belong to %u, the first of your ids in /etc/subuid", uid->host_id);
}

int lxc_user_map(struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_id_mapping uid = { 0 }, gid = { 0 };
	char why[96] = "";
	struct stat st;

	if (stat(spec->root_path, &st) < 0)
		return fail_errno(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot look at the root '%s'", spec->root_path);
	if (!mrg_helper_user_ids(&uid, &gid, why, sizeof(why)))
		uid.size = gid.size = 0;
	if (spec->uid_mappings.n > 0)
		return st.st_uid == spec->uid_mappings.item[0].host_id ? 0 : not_mapped(spec, &st, err);
	if (st.st_uid == geteuid())
		return map_own(spec, &uid, &gid, err);
	return uid.size > 0 && st.st_uid == uid.host_id ? add_maps(spec, &uid, &gid, err) : not_theirs(spec, &st, &uid, why, err);
}

/* ---- their mounts ---------------------------------------------------------------------------------- */

/* A new sysfs shows a network namespace, which must belong to the user namespace that mounts it: the host's is shown by the host's own. */
int lxc_user_share_sys(struct mrg_spec *spec, struct mrg_error *err)
{
	static char *const options[] = { (char *)"rbind", (char *)"ro", (char *)"nosuid", (char *)"nodev", (char *)"noexec", NULL };

	for (size_t i = 0; !spec->ns_network && i < spec->mounts.n; i++) {
		struct mrg_mount *mount = &spec->mounts.item[i];

		if (!mount->type || strcmp(mount->type, "sysfs") != 0)
			continue;
		mount->type = mrg_spec_strdup(spec, "bind");
		mount->source = mrg_spec_strdup(spec, "/sys");
		mount->options = mrg_spec_alloc(spec, sizeof(options));
		if (!mount->type || !mount->source || !mount->options)
			return fail_memory(err);
		memcpy(mount->options, options, sizeof(options));
	}
	return 0;
}

/* ---- their streams --------------------------------------------------------------------------------- */

int lxc_user_open_pipe(int fd)
{
	struct statfs fs;

	/* One with a name in a file system is somebody's. */
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC)
		return 0;
	return fchmod(fd, 0666);
}

/* ---- what fails ------------------------------------------------------------------------------------ */

/* The first directory on the way to @path that only its owner and its group may pass, in @ret. */
static bool find_closed(const char *path, char ret[PATH_MAX])
{
	struct stat st;

	for (const char *end = strchr(path + 1, '/'); end && (size_t)(end - path) < PATH_MAX; end = strchr(end + 1, '/')) {
		memcpy(ret, path, (size_t)(end - path));
		ret[end - path] = '\0';
		if (stat(ret, &st) == 0 && !(st.st_mode & S_IXOTH))
			return true;
	}
	return false;
}

/* The first bridge that @spec wants a network with. */
static void find_bridge(const struct mrg_spec *spec, char ret[IFNAMSIZ])
{
	_cleanup_(json_freep) struct json *list = NULL;

	snprintf(ret, IFNAMSIZ, "BRIDGE");
	if (!spec->networks_json || json_parse(spec->networks_json, strlen(spec->networks_json), &list, NULL) < 0)
		return;
	for (const struct json *network = list->first; network; network = network->next) {
		const struct json *link = json_member(network, "link");

		if (link && link->type == JSON_STRING) {
			snprintf(ret, IFNAMSIZ, "%s", link->text);
			return;
		}
	}
}

static bool hint_network(const struct mrg_spec *spec, struct mrg_error *err)
{
	const struct passwd *user = getpwuid(geteuid());
	char bridge[IFNAMSIZ];

	find_bridge(spec, bridge);
	mrg_error_hint(err, "root must give you interfaces on that bridge, by a line '%s veth %s 10' in /etc/lxc/lxc-usernet", user ? user->pw_name : "USER",
		       bridge);
	return true;
}

static bool hint_bridge(const struct mrg_spec *spec, struct mrg_error *err)
{
	char bridge[IFNAMSIZ];

	find_bridge(spec, bridge);
	if (strcmp(bridge, "lxcbr0") == 0)
		mrg_error_hint(err, "LXC's own network makes it: systemctl start lxc-net");
	else
		mrg_error_hint(err, "make it first: ip link add %s type bridge && ip link set %s up", bridge, bridge);
	return true;
}

static bool hint_ids(struct mrg_error *err)
{
	struct mrg_id_mapping uid, gid;
	char why[96];

	if (mrg_helper_user_ids(&uid, &gid, why, sizeof(why)))
		mrg_error_hint(err, "yours are %u of users from %u on (/etc/subuid) and %u of groups from %u on (/etc/subgid)", uid.size, uid.host_id,
			       gid.size, gid.host_id);
	else
		mrg_error_hint(err, "%s", why);
	return true;
}

static bool hint_way(const struct mrg_spec *spec, struct mrg_error *err)
{
	char closed[PATH_MAX];
	struct stat st;

	/* It belongs to the container's root, or nothing would work. */
	if (!spec->root_path || stat(spec->root_path, &st) < 0 || st.st_uid == geteuid() || !find_closed(spec->root_path, closed))
		return false;
	mrg_error_hint(err, "user %u, the container's root, must get through: setfacl -m u:%u:x '%s'", (unsigned int)st.st_uid, (unsigned int)st.st_uid,
		       closed);
	return true;
}

bool lxc_start_hint(const struct mrg_spec *spec, const char *log, struct mrg_error *err)
{
	if (strstr(log, "lxc-user-nic"))
		return hint_network(spec, err);
	if (strstr(log, "newuidmap") || strstr(log, "newgidmap") || strstr(log, "id mapping"))
		return hint_ids(err);
	if (strstr(log, "bridge interface doesn't exist"))
		return hint_bridge(spec, err);
	return lxc_is_user() && strstr(log, "Permission denied") && hint_way(spec, err);
}
