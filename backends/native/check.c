/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Combinations of fields that the native backend refuses. */

#include "config.h"

#include <string.h>

#include "native.h"

static int check_namespaces(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!spec->ns_mount || *spec->ns_mount)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "a container needs a mount namespace of its own");
	if (spec->ns_user && *spec->ns_user)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the user namespace '%s' cannot be joined, only made anew", spec->ns_user);
	if ((spec->hostname || spec->domainname) && !spec->ns_uts)
		return mrg_error_set(err, -MRG_E_INVALID, "a host name without a uts namespace would rename the host");
	if (spec->boot && (!spec->ns_pid || *spec->ns_pid))
		return mrg_error_set(err, -MRG_E_INVALID, "an init system needs a pid namespace of its own, to be process 1 of it");
	if (spec->boot && (!spec->ns_cgroup || *spec->ns_cgroup))
		return mrg_error_set(err, -MRG_E_INVALID, "an init system needs a cgroup namespace of its own, to manage its control groups");
	return 0;
}

static int maps_zero(const struct mrg_id_mapping *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (item[i].container_id == 0 && item[i].size > 0)
			return 1;
	return 0;
}

static int check_maps(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!spec->ns_user) {
		if (spec->uid_mappings.n || spec->gid_mappings.n)
			return mrg_error_set(err, -MRG_E_INVALID, "id mappings need a user namespace");
		return 0;
	}
	if (!spec->uid_mappings.n != !spec->gid_mappings.n)
		return mrg_error_set(err, -MRG_E_INVALID, "user ids and group ids must both be mapped, or neither");
	if (spec->uid_mappings.n && (!maps_zero(spec->uid_mappings.item, spec->uid_mappings.n) ||
				     !maps_zero(spec->gid_mappings.item, spec->gid_mappings.n)))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the id mappings must include user and group 0 of the container");
	if (spec->mounts.n > MRG_ROOT_SOURCES_MAX)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "with a user namespace at most %d mounts are possible", MRG_ROOT_SOURCES_MAX);
	return 0;
}

static int check_root(const struct mrg_spec *spec, struct mrg_error *err)
{
	const char *propagation = spec->rootfs_propagation;

	if (strcmp(spec->root_path, "/") == 0 && !spec->ephemeral) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "the host's own root cannot be used in place");
		return mrg_error_hint(err, "use a throw-away layer above it (--ephemeral)"), -MRG_E_UNSUPPORTED;
	}
	if (propagation && strstr(propagation, "shared"))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "with root propagation '%s' mounts of the container would appear on the host",
				     propagation);
	return 0;
}

static int check_mounts(const struct mrg_spec *spec, struct mrg_error *err)
{
	int can_map = spec->ns_user && !native_is_rootless();

	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];

		if (mount->uid_mappings.n || mount->gid_mappings.n)
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the mount on '%s' has id mappings of its own; only those of the"
					     " container can be used, with the option 'idmap'", mount->destination);
		for (char **option = mount->options; option && *option && !can_map; option++)
			if (strcmp(*option, "idmap") == 0 || strcmp(*option, "ridmap") == 0)
				return mrg_error_set(err, -MRG_E_INVALID, "the option '%s' of the mount on '%s' needs a user namespace%s",
						     *option, mount->destination, spec->ns_user ? " that root has made" : "");
	}
	return 0;
}

static int check_devices(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->devices.n; i++)
		if (strncmp(spec->devices.item[i].path, "/dev/", 5) != 0) {
			mrg_error_set(err, -MRG_E_UNSUPPORTED, "the device '%s' is not below '/dev'", spec->devices.item[i].path);
			return mrg_error_hint(err, "elsewhere device files do not work: the root is mounted nodev"), -MRG_E_UNSUPPORTED;
		}
	return 0;
}

int native_check(void *self, const struct mrg_spec *spec, struct mrg_error *err)
{
	static int (*const checks[])(const struct mrg_spec *spec, struct mrg_error *err) = {
		check_namespaces, check_maps, check_root, check_mounts, check_devices,
	};
	int r = 0;

	(void)self;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && r == 0; i++)
		r = checks[i](spec, err);
	return r;
}
