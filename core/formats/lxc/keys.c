/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys: what each is in a spec and what is lost on the way. Rows that write stand in the order of writing. */

#include "config.h"

#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

#define FIELD(name)	MRG_FIELD_##name

#define ROW(key_, field_, read_, write_)	{ key_, FIELD(field_), false, read_, write_, MRG_CARRIED, NULL }
#define CONFINES(key_, field_, read_, write_)	{ key_, FIELD(field_), true, read_, write_, MRG_CARRIED, NULL }
/* Made at the end from all lines of its kind. */
#define MADE(key_, field_, write_)		{ key_, FIELD(field_), true, lxc_read_nothing, write_, MRG_CARRIED, NULL }
/* Kept verbatim. */
#define KEPT(key_, note_)	{ key_, -1, false, lxc_read_kept, NULL, MRG_DROPPED, note_ }
#define WEAKENS_IF(key_, note_)	{ key_, -1, true, lxc_read_kept_flag, NULL, MRG_WEAKENS, note_ }
#define HOOK(name)	KEPT("lxc.hook." name, "runs on the host with what LXC gives it")
#define GONE(key_, note_)	{ key_, -1, false, lxc_read_gone, NULL, MRG_DROPPED, note_ }

const struct key lxc_keys[] = {
	{ LXC_NO_KEY, -1, false, lxc_read_gone, NULL, MRG_DROPPED, "is ignored by LXC: its keys begin with 'lxc.'" },
	GONE(LXC_RESERVED, "is no key of LXC, which refuses it"),
	{ LXC_REPLACED, -1, false, lxc_read_nothing, NULL, MRG_CARRIED, NULL },
	{ "lxc.include", -1, true, lxc_read_include, NULL, MRG_CARRIED, "not opened, so what it confines is not known" },
	GONE("lxc.kmsg", "LXC 2.1 removed it"),
	GONE("lxc.pivotdir", "LXC 2.1 removed it"),
	ROW("lxc.rootfs.backend", ROOT_PATH, lxc_read_backend, NULL),

	CONFINES("lxc.rootfs.path", ROOT_PATH, lxc_read_root, lxc_write_root),
	CONFINES("lxc.rootfs.options", ROOT_READONLY, lxc_read_root_options, lxc_write_root_options),
	KEPT("lxc.rootfs.mount", "where LXC puts the root before it becomes one"),
	KEPT("lxc.rootfs.managed", "whether lxc-destroy and snapshots may touch the root"),
	KEPT("lxc.ephemeral", "LXC destroys the container when it stops; nothing else does that"),
	ROW("lxc.uts.name", HOSTNAME, lxc_read_hostname, lxc_write_hostname),
	ROW("lxc.arch", PERSONALITY, lxc_read_arch, lxc_write_arch),

	ROW("lxc.init.cmd", ARGS, lxc_read_nothing, lxc_write_command),
	ROW("lxc.execute.cmd", ARGS, lxc_read_nothing, NULL),
	ROW("lxc.init.cwd", CWD, lxc_read_path, lxc_write_string),
	CONFINES("lxc.init.uid", UID, lxc_read_id, lxc_write_ids),
	CONFINES("lxc.init.gid", GID, lxc_read_id, NULL),
	CONFINES("lxc.init.groups", ADDITIONAL_GIDS, lxc_read_groups, lxc_write_groups),
	ROW("lxc.environment", ENV, lxc_read_environment, lxc_write_environment),
	ROW("lxc.signal.halt", STOP_SIGNAL, lxc_read_signal, lxc_write_signal),
	KEPT("lxc.signal.reboot", "a container is restarted by stopping and starting it"),
	KEPT("lxc.signal.stop", "what does not stop is ended with SIGKILL"),
	ROW("lxc.start.auto", AUTOSTART, lxc_read_flag, lxc_write_flag),
	KEPT("lxc.start.order", "containers that start with the host have no order"),
	KEPT("lxc.start.delay", "containers that start with the host do not wait for each other"),
	KEPT("lxc.group", "containers have no groups; labels come near"),

	CONFINES("lxc.namespace.clone", NS_MOUNT, lxc_read_namespaces, lxc_write_namespaces),
	CONFINES("lxc.namespace.keep", NS_MOUNT, lxc_read_namespaces, NULL),
	{ "lxc.namespace.share.*", -1, false, lxc_read_share, NULL, MRG_CARRIED, NULL },
	CONFINES("lxc.idmap", UID_MAPPINGS, lxc_read_idmap, lxc_write_idmap),
	ROW("lxc.time.offset.boot", TIME_OFFSETS, lxc_read_time_offset, lxc_write_time_offset),
	ROW("lxc.time.offset.monotonic", TIME_OFFSETS, lxc_read_time_offset, NULL),

	CONFINES("lxc.cap.drop", CAP_BOUNDING, lxc_read_caps, lxc_write_caps),
	CONFINES("lxc.cap.keep", CAP_BOUNDING, lxc_read_caps, NULL),
	CONFINES("lxc.no_new_privs", NO_NEW_PRIVILEGES, lxc_read_flag, lxc_write_flag),
	CONFINES("lxc.apparmor.profile", APPARMOR_PROFILE, lxc_read_apparmor, lxc_write_string),
	KEPT("lxc.apparmor.allow_incomplete", "starts although AppArmor cannot see mounts"),
	KEPT("lxc.apparmor.allow_nesting", "belongs to the profile that LXC generates"),
	KEPT("lxc.apparmor.raw", "belongs to the profile that LXC generates"),
	CONFINES("lxc.selinux.context", SELINUX_LABEL, key_read_simple, lxc_write_string),
	KEPT("lxc.selinux.context.keyring", "the keyring has the label of the process"),
	{ "lxc.seccomp.profile", -1, true, lxc_read_kept, lxc_write_seccomp, MRG_WEAKENS,
	  "the filter is in a file of LXC's own form, which is not read" },
	KEPT("lxc.seccomp.allow_nesting", "filters of system calls always add up"),
	KEPT("lxc.seccomp.notify.proxy", "there is no handler of system calls on the host"),
	KEPT("lxc.seccomp.notify.cookie", "there is no handler of system calls on the host"),
	KEPT("lxc.keyring.session", "who starts the process decides about its keyring"),
	WEAKENS_IF("lxc.sched.core", "other containers may run on the same core at the same time"),

	MADE("lxc.mount.auto", MOUNTS, lxc_write_mounts),
	ROW("lxc.autodev", MOUNTS, lxc_read_autodev, NULL),
	ROW("lxc.autodev.tmpfs.size", MOUNTS, lxc_read_dev_size, NULL),
	ROW("lxc.pty.max", MOUNTS, lxc_read_ptys, NULL),
	ROW("lxc.mount.fstab", MOUNTS, lxc_read_fstab_key, NULL),
	MADE("lxc.mount.entry", MOUNTS, lxc_write_devices),

	{ "lxc.net", MRG_FIELD_NETWORKS, false, lxc_read_nothing, lxc_write_networks, MRG_CARRIED, NULL },
	{ "lxc.net.*", MRG_FIELD_NETWORKS, false, lxc_read_network, NULL, MRG_CARRIED, NULL },

	ROW("lxc.prlimit.*", RLIMITS, lxc_read_prlimit, lxc_write_prlimits),
	ROW("lxc.prlimit", RLIMITS, lxc_read_nothing, NULL),
	ROW("lxc.sysctl.*", SYSCTL, lxc_read_sysctl, lxc_write_sysctls),
	ROW("lxc.sysctl", SYSCTL, lxc_read_nothing, NULL),
	ROW("lxc.proc.oom_score_adj", OOM_SCORE_ADJ, lxc_read_proc, lxc_write_oom_score),
	KEPT("lxc.proc.*", "only oom_score_adj has a field"),
	ROW("lxc.proc", OOM_SCORE_ADJ, lxc_read_nothing, NULL),

	ROW("lxc.cgroup.dir", CGROUPS_PATH, lxc_read_cgroup_dir, lxc_write_cgroup_dir),
	KEPT("lxc.cgroup.dir.monitor", "where LXC's own process is"),
	KEPT("lxc.cgroup.dir.monitor.pivot", "where LXC's own process is"),
	KEPT("lxc.cgroup.dir.container", "a container has a cgroup of its own below a given one"),
	KEPT("lxc.cgroup.dir.container.inner", "a container sees its whole cgroup"),
	KEPT("lxc.cgroup.relative", "cgroups are below the root, or below that of the service"),
	MADE("lxc.cgroup2.devices.*", DEVICE_RULES, lxc_write_device_rules),
	MADE("lxc.cgroup.devices.*", DEVICE_RULES, NULL),
	{ "lxc.cgroup2.*", -1, true, lxc_read_nothing, lxc_write_cgroups, MRG_CARRIED, NULL },
	{ "lxc.cgroup.*", -1, true, lxc_read_nothing, NULL, MRG_CARRIED, NULL },
	{ "lxc.cgroup2", -1, true, lxc_read_nothing, NULL, MRG_CARRIED, NULL },
	{ "lxc.cgroup", -1, true, lxc_read_nothing, NULL, MRG_CARRIED, NULL },

	{ "lxc.console.path", -1, false, lxc_read_kept, lxc_write_terminal, MRG_DROPPED,
	  "a container has a console when it has a terminal" },
	KEPT("lxc.console.logfile", "output is kept in the log of the container"),
	KEPT("lxc.console.buffer.size", "output is kept in the log of the container"),
	KEPT("lxc.console.size", "output is kept in the log of the container"),
	KEPT("lxc.console.rotate", "output is kept in the log of the container"),
	KEPT("lxc.tty.max", "a container has no terminals beside its console"),
	KEPT("lxc.tty.dir", "a container has no terminals beside its console"),

	HOOK("pre-start"), HOOK("start-host"), HOOK("pre-mount"), HOOK("mount"), HOOK("autodev"), HOOK("start"),
	HOOK("stop"), HOOK("post-stop"), HOOK("clone"), HOOK("destroy"),
	KEPT("lxc.hook.version", "how hooks are given what they want to know"),
	{ "lxc.hook", -1, false, lxc_read_nothing, NULL, MRG_CARRIED, NULL },

	KEPT("lxc.log.level", "what LXC logs of itself"), KEPT("lxc.log.file", "what LXC logs of itself"),
	KEPT("lxc.log.syslog", "what LXC logs of itself"),
	KEPT("lxc.monitor.unshare", "how LXC's own process is made"),
	KEPT("lxc.monitor.signal.pdeath", "a container does not outlive its monitor"),
	{ 0 }
};

bool lxc_name_confines(const char *name)
{
	static const char *const prefixes[] = {
		"lxc.apparmor.", "lxc.cap.", "lxc.cgroup", "lxc.idmap", "lxc.namespace.", "lxc.no_new", "lxc.seccomp.", "lxc.selinux.",
		"lxc.security", "lxc.smack", "lxc.landlock",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(prefixes[i], name, strlen(prefixes[i])) == 0)
			return true;
	return false;
}
