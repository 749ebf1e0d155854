/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What single fields cannot tell: fields that need or exclude each other, paths, names. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/check.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

static bool has(const struct mrg_spec *spec, enum mrg_field field)
{
	return mrg_fields_has(&spec->set, field);
}

static int bad_path(struct mrg_error *err, const char *pointer, const char *path)
{
	return mrg_error_set(err, -MRG_E_INVALID, "%s: must be an absolute path without '..', not '%.80s'", pointer,
			     path ? path : "");
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* The table's own rules: what can be written and read back has the types, ranges and members it says. */
static int check_values(const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *again;
	int r = mrg_spec_emit(spec, 0, &text, err);

	if (r == 0)
		r = mrg_spec_parse(text, strlen(text), &again, err);
	if (r == 0)
		mrg_spec_free(again);
	return r;
}

static int check_host_name(const struct mrg_spec *spec, enum mrg_field field, const char *name, struct mrg_error *err)
{
	const char *pointer = mrg_field_info(field)->path;
	size_t length;

	if (!has(spec, field))
		return 0;
	length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
	if (length == 0 || length > 64 || name[length])
		return mrg_error_set(err, -MRG_E_INVALID,
				     "%s: must be 1 to 64 letters, digits, '-', '.' or '_', not '%.80s'", pointer, name);
	if (!spec->ns_uts)
		return mrg_error_set(err, -MRG_E_INVALID, "%s: would change the name of the host; it needs a uts namespace",
				     pointer);
	return 0;
}

static int check_names(const struct mrg_spec *spec, struct mrg_error *err)
{
	int r = check_host_name(spec, MRG_FIELD_HOSTNAME, spec->hostname, err);

	return r < 0 ? r : check_host_name(spec, MRG_FIELD_DOMAINNAME, spec->domainname, err);
}

static int check_root(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!has(spec, MRG_FIELD_ROOT_PATH))
		return mrg_error_set(err, -MRG_E_INVALID, "/root/path: is missing");
	if (!path_is_clean(spec->root_path))
		return bad_path(err, "/root/path", spec->root_path);
	if (spec->root_path[strspn(spec->root_path, "/.")] == '\0' && !spec->ephemeral) {
		mrg_error_set(err, -MRG_E_INVALID, "/root/path: '/' would write to the host itself");
		mrg_error_hint(err, "use the root 'host': a read-only view of the host with a throw-away overlay");
		return -MRG_E_INVALID;
	}
	return 0;
}

static int check_mount(const struct mrg_mount *mount, const char *pointer, struct mrg_error *err)
{
	bool bind = strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
		    (mount->type && strcmp(mount->type, "bind") == 0);

	if (!path_is_clean(mount->destination))
		return bad_path(err, pointer, mount->destination);
	if (mount->destination[strspn(mount->destination, "/.")] == '\0')
		return mrg_error_set(err, -MRG_E_INVALID, "%s: would hide the root", pointer);
	for (char *const *option = mount->options; option && *option; option++)
		if (!**option || has_control(*option))
			return mrg_error_set(err, -MRG_E_INVALID, "%s: has an empty or unprintable option", pointer);
	if (bind && (!mount->source || !path_is_clean(mount->source)))
		return mrg_error_set(err, -MRG_E_INVALID, "%s: a bind mount needs an absolute source without '..', not '%.80s'",
				     pointer, mount->source ? mount->source : "");
	if (!bind && (!mount->type || !*mount->type))
		return mrg_error_set(err, -MRG_E_INVALID, "%s: needs a type, or the option bind", pointer);
	if ((mount->uid_mappings.n == 0) != (mount->gid_mappings.n == 0))
		return mrg_error_set(err, -MRG_E_INVALID, "%s: needs both uidMappings and gidMappings or none", pointer);
	return 0;
}

static int check_mounts(const struct mrg_spec *spec, struct mrg_error *err)
{
	char pointer[64];
	int r = 0;

	for (size_t i = 0; i < spec->mounts.n && r == 0; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];

		snprintf(pointer, sizeof(pointer), "/mounts/%zu", i);
		r = check_mount(mount, pointer, err);
		if (r == 0)
			r = spec_check_map(mount->uid_mappings.item, mount->uid_mappings.n, pointer, err);
		if (r == 0)
			r = spec_check_map(mount->gid_mappings.item, mount->gid_mappings.n, pointer, err);
	}
	return r;
}

static int check_args(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (spec->boot && spec->init)
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/init: excludes /moorage/boot: the root's own init runs");
	if (spec->boot && has(spec, MRG_FIELD_NS_PID) && (!spec->ns_pid || *spec->ns_pid))
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/boot: needs a pid namespace of its own");
	if (!spec->boot && !spec->args)
		return mrg_error_set(err, -MRG_E_INVALID, "/process/args: needs at least a command");
	if (spec->args && !*spec->args[0])
		return mrg_error_set(err, -MRG_E_INVALID, "/process/args/0: must not be empty");
	return 0;
}

static int check_env(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; spec->env && spec->env[i]; i++) {
		const char *equals = strchr(spec->env[i], '='), *line = strchr(spec->env[i], '\n');

		if (!equals || equals == spec->env[i])
			return mrg_error_set(err, -MRG_E_INVALID, "/process/env/%zu: must be NAME=VALUE, not '%.40s'", i,
					     spec->env[i]);
		if (line && line < equals)
			return mrg_error_set(err, -MRG_E_INVALID, "/process/env/%zu: a name must not contain a newline", i);
	}
	return 0;
}

static int check_process(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (has(spec, MRG_FIELD_CWD) && !path_is_clean(spec->cwd))
		return bad_path(err, "/process/cwd", spec->cwd);
	if (has(spec, MRG_FIELD_USER) && (has(spec, MRG_FIELD_UID) || has(spec, MRG_FIELD_GID)))
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/user: excludes /process/user/uid and gid");
	if (has(spec, MRG_FIELD_USER) && (!*spec->user || *spec->user == ':' || has_control(spec->user)))
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/user: must be NAME[:GROUP], not '%.40s'", spec->user);
	if (has(spec, MRG_FIELD_STOP_SIGNAL) && parse_signal(spec->stop_signal) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/stop/signal: must be a signal such as TERM, not '%.40s'",
				     spec->stop_signal);
	return 0;
}

/* What the kernel would refuse with a bare EPERM. */
static int check_capabilities(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (has(spec, MRG_FIELD_CAP_EFFECTIVE) && has(spec, MRG_FIELD_CAP_PERMITTED) &&
	    spec->cap_effective & ~spec->cap_permitted)
		return mrg_error_set(err, -MRG_E_INVALID,
				     "/process/capabilities/effective: CAP_%s is not among the permitted ones",
				     capability_name((unsigned int)__builtin_ctzll(spec->cap_effective &
										   ~spec->cap_permitted)));
	if (spec->cap_ambient & ~(spec->cap_permitted & spec->cap_inheritable))
		return mrg_error_set(err, -MRG_E_INVALID,
				     "/process/capabilities/ambient: must all be permitted and inheritable too");
	return 0;
}

static int check_rlimits(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->rlimits.n; i++) {
		const struct mrg_rlimit *limit = &spec->rlimits.item[i];

		if (limit->soft > limit->hard)
			return mrg_error_set(err, -MRG_E_INVALID, "/process/rlimits/%zu: the soft limit is above the hard one",
					     i);
		for (size_t j = 0; j < i; j++)
			if (strcmp(spec->rlimits.item[j].type, limit->type) == 0)
				return mrg_error_set(err, -MRG_E_INVALID, "/process/rlimits/%zu: %s was given before", i,
						     limit->type);
	}
	return 0;
}

static int check_namespaces(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++) {
		const char *path, *type = spec_namespace_type(i);

		if (!type)
			continue;
		path = *(const char *const *)member_at_const(&spec_fields[i].value, spec);
		if (path && *path && !path_is_clean(path))
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/namespaces: the path of '%s' must be absolute, not '%.80s'",
					     type, path);
	}
	if (has(spec, MRG_FIELD_TIME_OFFSETS) && (!spec->ns_time || *spec->ns_time))
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/timeOffsets: needs a new time namespace");
	return 0;
}

static int check_maps(const struct mrg_spec *spec, struct mrg_error *err)
{
	bool maps = spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0;
	int r;

	if (maps && (!spec->ns_user || *spec->ns_user))
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/%s: needs a new user namespace",
				     spec->uid_mappings.n ? "uidMappings" : "gidMappings");
	if ((spec->uid_mappings.n == 0) != (spec->gid_mappings.n == 0))
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/%s: is missing: a user namespace maps both users and groups",
				     spec->uid_mappings.n ? "gidMappings" : "uidMappings");
	r = spec_check_map(spec->uid_mappings.item, spec->uid_mappings.n, "/linux/uidMappings", err);
	return r < 0 ? r : spec_check_map(spec->gid_mappings.item, spec->gid_mappings.n, "/linux/gidMappings", err);
}

static int check_paths(char *const *paths, const char *pointer, struct mrg_error *err)
{
	char place[64];

	for (size_t i = 0; paths && paths[i]; i++) {
		snprintf(place, sizeof(place), "%s/%zu", pointer, i);
		if (!path_is_clean(paths[i]))
			return bad_path(err, place, paths[i]);
	}
	return 0;
}

static int check_linux_paths(const struct mrg_spec *spec, struct mrg_error *err)
{
	char pointer[64];
	int r = check_paths(spec->masked_paths, "/linux/maskedPaths", err);

	if (r == 0)
		r = check_paths(spec->readonly_paths, "/linux/readonlyPaths", err);
	for (size_t i = 0; i < spec->devices.n && r == 0; i++) {
		snprintf(pointer, sizeof(pointer), "/linux/devices/%zu/path", i);
		if (!path_is_clean(spec->devices.item[i].path))
			r = bad_path(err, pointer, spec->devices.item[i].path);
	}
	return r;
}

static int check_seccomp(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!has(spec, MRG_FIELD_SECCOMP))
		return 0;
	if (has(spec, MRG_FIELD_SECCOMP_PROFILE))
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/seccompProfile: excludes /linux/seccomp");
	for (size_t i = 0; i < spec->seccomp->syscalls.n; i++)
		if (!spec->seccomp->syscalls.item[i].names)
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/seccomp/syscalls/%zu/names: must not be empty", i);
	return 0;
}

static int check_keys(const struct mrg_pair *pair, size_t n, const char *pointer, struct mrg_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!*pair[i].key || has_control(pair[i].key))
			return mrg_error_set(err, -MRG_E_INVALID, "%s: a key is empty or has control characters", pointer);
	return 0;
}

static int check_moorage(const struct mrg_spec *spec, struct mrg_error *err)
{
	int r = check_keys(spec->labels.item, spec->labels.n, "/moorage/labels", err);

	if (r == 0)
		r = check_keys(spec->annotations.item, spec->annotations.n, "/annotations", err);
	for (size_t i = 0; spec->options && spec->options[i] && r == 0; i++)
		if (strcspn(spec->options[i], "=") == 0 || !strchr(spec->options[i], '='))
			r = mrg_error_set(err, -MRG_E_INVALID, "/moorage/options/%zu: must be KEY=VALUE, not '%.40s'", i,
					  spec->options[i]);
	return r;
}

int mrg_spec_check(const struct mrg_spec *spec, struct mrg_error *err)
{
	static int (*const checks[])(const struct mrg_spec *spec, struct mrg_error *err) = {
		check_values, check_names, check_root, check_mounts, check_args, check_env, check_process, check_capabilities,
		check_rlimits, check_namespaces, check_maps, check_linux_paths, check_seccomp, check_moorage,
		spec_check_sysctls, spec_check_resources,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++)
		r = checks[i](spec, err);
	return r;
}
