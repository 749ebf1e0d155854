/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of util-linux that amount to what the native backend does by system calls. */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "native.h"

struct explanation {
	mrg_explain_fn line;
	void *data;
	int r;				/* what @line said; not 0: stop */
};

static void say(struct explanation *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct explanation *e, const char *format, ...)
{
	char text[4096];
	va_list args;

	if (e->r != 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	e->r = e->line(text, e->data);
}

/* Adds ",OPTION" for each of @options. */
static void join(char *text, size_t size, char *const *options)
{
	size_t length = 0;

	text[0] = '\0';
	for (; options && *options && length < size; options++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? "," : "", *options);
}

/* Whether there will be one; says why not. */
static bool can_have_cgroup(struct explanation *e)
{
	struct mrg_fields fields = { 0 };
	char reason[128];

	mrg_fields_add(&fields, MRG_FIELD_PIDS_LIMIT);
	if (mrg_helper_cgroup_probe(&fields, reason, sizeof(reason), NULL) < 0 || mrg_fields_has(&fields, MRG_FIELD_PIDS_LIMIT))
		return true;
	say(e, "# no cgroup: %s", reason);
	return false;
}

/* An ordinary user's is made by systemd, and divided by the monitor. */
static void say_directory(struct explanation *e, const struct mrg_unit *unit)
{
	const char *parent = unit->spec->cgroups_path ? unit->spec->cgroups_path : "/moorage";

	if (native_is_rootless()) {
		say(e, "systemd-run --user --scope --slice=moorage -p Delegate=yes --unit=moorage-%s-%s", unit->name, unit->id);
		say(e, "cd \"/sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup)\" && mkdir monitor && echo 0 > monitor/cgroup.procs && mkdir %s-%s",
		    unit->name, unit->id);
		return;
	}
	say(e, "mkdir -p /sys/fs/cgroup%s%s/%s-%s        # v1: in each hierarchy%s", parent[0] == '/' ? "" : "/", parent, unit->name,
	    unit->id, unit->spec->cgroups_path ? "" : ", moorage-NAME-ID without a parent");
}

static void say_cgroup(struct explanation *e, const struct mrg_unit *unit)
{
	const struct mrg_spec *spec = unit->spec;

	if (!can_have_cgroup(e))
		return;
	say_directory(e, unit);
	if (mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_LIMIT))
		say(e, "echo %lld > memory.max               # v1: memory.limit_in_bytes", (long long)spec->memory_limit);
	if (mrg_fields_has(&spec->set, MRG_FIELD_CPU_QUOTA))
		say(e, "echo %lld %llu > cpu.max              # v1: cpu.cfs_quota_us, cpu.cfs_period_us", (long long)spec->cpu_quota,
		    (unsigned long long)(spec->cpu_period ? spec->cpu_period : 100000));
	if (mrg_fields_has(&spec->set, MRG_FIELD_PIDS_LIMIT))
		say(e, "echo %lld > pids.max", (long long)spec->pids_limit);
	say(e, "echo 0 > cgroup.procs                # done by the child itself");
}

/* What an ordinary user's monitor does before all else. */
static void say_user(struct explanation *e)
{
	struct mrg_id_mapping uid, gid;
	char why[128];

	if (!mrg_helper_user_ids(&uid, &gid, why, sizeof(why))) {
		say(e, "unshare --user --map-root-user           # no other ids: %s", why);
		return;
	}
	say(e, "unshare --user                           # PID: its process");
	say(e, "newuidmap PID 0 %u 1 1 %u %u", (unsigned int)geteuid(), uid.host_id, uid.size);
	say(e, "newgidmap PID 0 %u 1 1 %u %u", (unsigned int)getegid(), gid.host_id, gid.size);
}

static void say_namespaces(struct explanation *e, const struct mrg_spec *spec)
{
	bool rootless = native_is_rootless();
	char text[1024] = "";
	size_t length = 0;

	if (rootless)
		say_user(e);
	for (size_t i = 0; i < NS_MAX && length < sizeof(text); i++) {
		const char *value = i == NS_USER && rootless ? NULL : native_namespace_of(spec, i);

		if (value && *value)
			say(e, "nsenter --%s=%s", native_namespaces[i].name, value);
		else if (value)
			length += (size_t)snprintf(text + length, sizeof(text) - length, " --%s", native_namespaces[i].name);
	}
	say(e, "unshare --fork --propagation private%s", text);
	if (spec->ns_user && spec->uid_mappings.n == 0 && !rootless)
		say(e, "# uid_map, gid_map: 65536 ids no other process uses");
	for (size_t i = 0; i < spec->uid_mappings.n; i++)
		say(e, "echo %u %u %u > /proc/PID/uid_map", spec->uid_mappings.item[i].container_id, spec->uid_mappings.item[i].host_id,
		    spec->uid_mappings.item[i].size);
	for (size_t i = 0; i < spec->gid_mappings.n; i++)
		say(e, "echo %u %u %u > /proc/PID/gid_map", spec->gid_mappings.item[i].container_id, spec->gid_mappings.item[i].host_id,
		    spec->gid_mappings.item[i].size);
	if (spec->hostname)
		say(e, "hostname '%s'", spec->hostname);
	if (spec->domainname)
		say(e, "domainname '%s'", spec->domainname);
	if (spec->ns_network && *spec->ns_network == '\0')
		say(e, "ip link set lo up");
}

static void say_root(struct explanation *e, const struct mrg_spec *spec)
{
	say(e, "root='%s'", spec->root_path);
	if (spec->ephemeral) {
		say(e, "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root");
		say(e, "mount -t overlay overlay -o nodev,lowerdir=\"$root\",upperdir=/mnt/upper,workdir=/mnt/work /mnt/root && root=/mnt/root");
	} else {
		say(e, "mount --rbind \"$root\" \"$root\" && mount -o remount,bind,nodev \"$root\"");
	}
	if (spec->ns_user && !native_is_rootless())
		say(e, "# with MOUNT_ATTR_IDMAP of the user namespace, mount_setattr(2)");
}

/* One loop of the shell over @paths; those this kernel lacks are left out, here and by the backend. */
static void say_paths(struct explanation *e, char *const *paths, const char *command)
{
	char list[2048] = "";
	size_t length = 0;

	if (!paths || !*paths)
		return;
	for (; *paths && length < sizeof(list); paths++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, " '%s'", *paths);
	say(e, "for path in%s; do [ ! -e \"$root$path\" ] || %s", list, command);
}

static void say_mounts(struct explanation *e, const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];
		char options[1024];

		join(options, sizeof(options), mount->options);
		say(e, "mount%s%s%s%s '%s' \"$root%s\"", mount->type && strcmp(mount->type, "bind") != 0 ? " -t " : "",
		    mount->type && strcmp(mount->type, "bind") != 0 ? mount->type : "", *options ? " -o " : "", options,
		    mount->source ? mount->source : "none", mount->destination);
	}
	say(e, "mknod -m 666 \"$root/dev/null\" c 1 3      # and zero 1:5, full 1:7, random 1:8, urandom 1:9, tty 5:0");
	for (size_t i = 0; i < spec->devices.n; i++) {
		const struct mrg_device *device = &spec->devices.item[i];

		say(e, "mknod -m %03o \"$root%s\" %s %lld %lld", device->file_mode ? device->file_mode : 0666, device->path, device->type,
		    (long long)device->major, (long long)device->minor);
	}
	for (size_t i = 0; i < spec->sysctl.n; i++)
		say(e, "sysctl -w %s='%s'", spec->sysctl.item[i].key, spec->sysctl.item[i].value);
	say_paths(e, spec->readonly_paths, "mount --bind -o ro \"$root$path\" \"$root$path\"; done");
	say_paths(e, spec->masked_paths, "mount --bind -o ro /dev/null \"$root$path\"; done    # over a directory: an empty tmpfs");
}

static void say_process(struct explanation *e, const struct mrg_spec *spec)
{
	char command[2048] = "";
	size_t length = 0;

	if (spec->root_readonly)
		say(e, "mount -o remount,bind,ro \"$root\"");
	say(e, "cd \"$root\" && pivot_root . . && umount -l .");
	for (char **arg = spec->args; arg && *arg && length < sizeof(command); arg++)
		length += (size_t)snprintf(command + length, sizeof(command) - length, " '%s'", *arg);
	say(e, "setpriv%s --reuid=%u --regid=%u --bounding-set=0x%llx%s%s", spec->no_new_privileges ? " --no-new-privs" : "", spec->uid,
	    spec->gid, (unsigned long long)spec->cap_bounding, spec->init ? " moorage-init" : "", command);
}

int native_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	struct explanation e = { .line = line, .data = data };

	(void)self;
	(void)err;
	say_cgroup(&e, unit);
	say_namespaces(&e, unit->spec);
	say_root(&e, unit->spec);
	say_mounts(&e, unit->spec);
	say_process(&e, unit->spec);
	return e.r;
}
