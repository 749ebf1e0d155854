/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys: what each is in a spec and what is lost on the way. */

#include "config.h"

#include <string.h>

#include "core/formats/systemd/systemd.h"

#define FIELD(name)	MRG_FIELD_##name

/* Reads and writes a field as it is. */
#define SIMPLE(key_, field_)	{ key_, FIELD(field_), false, key_read_simple, key_write_simple, MRG_CARRIED, NULL }
#define BOTH(key_, field_, read_, write_)	{ key_, FIELD(field_), false, read_, write_, MRG_CARRIED, NULL }
#define CONFINES(key_, field_, read_, write_)	{ key_, FIELD(field_), true, read_, write_, MRG_CARRIED, NULL }
/* Read only: written back by another row. */
#define NEAR(key_, field_, read_, note_)	{ key_, FIELD(field_), true, read_, NULL, MRG_APPROXIMATED, note_ }
#define LIMIT(name)	{ "Limit" name, MRG_FIELD_RLIMITS, false, read_rlimit, write_rlimits, MRG_CARRIED, NULL }
#define PROTECT(key_, field_, note_)	{ key_, FIELD(field_), true, read_protect, NULL, MRG_APPROXIMATED, note_ }
/* Kept verbatim. */
#define KEPT(key_, note_)	{ key_, -1, false, key_read_native, NULL, MRG_DROPPED, note_ }

const struct key systemd_keys[] = {
	CONFINES("RootDirectory", ROOT_PATH, read_root, key_write_simple),
	{ "ProtectSystem", FIELD(ROOT_READONLY), true, read_protect_system, write_protect_system, MRG_APPROXIMATED,
	  "read as a read-only root, or as read-only paths" },
	BOTH("ExecStart", ARGS, read_exec, write_exec),
	BOTH("Environment", ENV, read_environment, write_environment),
	BOTH("WorkingDirectory", CWD, read_cwd, key_write_simple),
	{ "User", -1, true, read_user, write_user, MRG_CARRIED, NULL },
	{ "Group", -1, true, read_group, write_group, MRG_CARRIED, NULL },
	CONFINES("SupplementaryGroups", ADDITIONAL_GIDS, read_groups, write_groups),
	SIMPLE("UMask", UMASK),
	BOTH("StandardInput", TERMINAL, read_input, write_input),
	SIMPLE("OOMScoreAdjust", OOM_SCORE_ADJ),
	BOTH("KillSignal", STOP_SIGNAL, read_signal, write_signal),
	BOTH("TimeoutStopSec", STOP_TIMEOUT, read_timeout, write_timeout),
	BOTH("Restart", RESTART, read_restart, write_restart),

	CONFINES("CapabilityBoundingSet", CAP_BOUNDING, read_bounding, write_bounding),
	CONFINES("AmbientCapabilities", CAP_AMBIENT, read_ambient, write_ambient),
	CONFINES("NoNewPrivileges", NO_NEW_PRIVILEGES, key_read_simple, key_write_simple),
	CONFINES("AppArmorProfile", APPARMOR_PROFILE, key_read_simple, key_write_simple),
	CONFINES("SELinuxContext", SELINUX_LABEL, key_read_simple, key_write_simple),
	CONFINES("SystemCallFilter", SECCOMP, read_filter, write_filter),
	{ "SystemCallErrorNumber", FIELD(SECCOMP), false, read_filter_errno, NULL, MRG_CARRIED, NULL },
	{ "SystemCallArchitectures", FIELD(SECCOMP), true, read_architectures, NULL, MRG_CARRIED, NULL },

	CONFINES("PrivateNetwork", NS_NETWORK, read_namespace, write_namespace),
	CONFINES("PrivateIPC", NS_IPC, read_namespace, write_namespace),
	CONFINES("PrivateMounts", NS_MOUNT, read_namespace, write_namespace),
	{ "PrivateUsers", FIELD(NS_USER), true, read_namespace, write_namespace, MRG_APPROXIMATED,
	  "systemd maps root and the user of the service, and nobody else" },
	{ "ProtectHostname", FIELD(NS_UTS), true, read_namespace, write_namespace, MRG_APPROXIMATED,
	  "systemd forbids to change the name, a namespace makes the change harmless" },
	PROTECT("ProtectKernelTunables", READONLY_PATHS, "read as read-only paths"),
	PROTECT("ProtectKernelLogs", MASKED_PATHS, "read as masked paths and a dropped capability"),
	PROTECT("ProtectKernelModules", MASKED_PATHS, "read as masked paths and a dropped capability"),
	PROTECT("ProtectControlGroups", READONLY_PATHS, "read as a read-only path"),
	PROTECT("ProtectClock", CAP_BOUNDING, "read as dropped capabilities"),

	CONFINES("ReadOnlyPaths", READONLY_PATHS, read_paths, write_paths),
	CONFINES("ReadOnlyDirectories", READONLY_PATHS, read_paths, NULL),
	CONFINES("InaccessiblePaths", MASKED_PATHS, read_paths, write_paths),
	CONFINES("InaccessibleDirectories", MASKED_PATHS, read_paths, NULL),
	{ "ReadWritePaths", -1, false, key_read_native, NULL, MRG_APPROXIMATED, "what is not read-only is writable anyway" },
	{ "ReadWriteDirectories", -1, false, key_read_native, NULL, MRG_APPROXIMATED,
	  "what is not read-only is writable anyway" },
	BOTH("BindPaths", MOUNTS, read_bind, write_mounts),
	CONFINES("BindReadOnlyPaths", MOUNTS, read_bind, NULL),
	CONFINES("TemporaryFileSystem", MOUNTS, read_tmpfs, NULL),
	{ "MountAPIVFS", FIELD(MOUNTS), false, read_api_mounts, NULL, MRG_APPROXIMATED,
	  "read as mounts of /proc, /sys and /dev" },
	NEAR("PrivateTmp", MOUNTS, read_private_tmp, "read as tmpfs on /tmp and /var/tmp"),
	NEAR("PrivateDevices", DEVICE_RULES, read_private_devices, "read as a closed device policy and dropped capabilities"),
	NEAR("ProtectHome", MASKED_PATHS, read_protect_home, "read as paths of /home, /root and /run/user"),

	LIMIT("AS"), LIMIT("CORE"), LIMIT("CPU"), LIMIT("DATA"), LIMIT("FSIZE"), LIMIT("LOCKS"), LIMIT("MEMLOCK"),
	LIMIT("MSGQUEUE"), LIMIT("NICE"), LIMIT("NOFILE"), LIMIT("NPROC"), LIMIT("RSS"), LIMIT("RTPRIO"), LIMIT("RTTIME"),
	LIMIT("SIGPENDING"), LIMIT("STACK"),

	KEPT("EnvironmentFile", "files are read by systemd only"),
	KEPT("UnsetEnvironment", "a container inherits nothing that could be unset"),
	KEPT("RootDirectoryStartOnly", "a container has one command"),
	KEPT("ExecStartPre", "a container has one command"), KEPT("ExecStartPost", "a container has one command"),
	KEPT("ExecStop", "a container is stopped by a signal"), KEPT("ExecStopPost", "a container has one command"),
	KEPT("ExecReload", "a container has one command"),
	KEPT("Type", "a container counts as started when its command was executed"),
	{ 0 }
};

/* Control groups: what they say of a service is the same for any container it runs. */
const struct key systemd_resource_keys[] = {
	CONFINES("DevicePolicy", DEVICE_RULES, read_device_policy, write_devices),
	BOTH("DeviceAllow", DEVICE_RULES, read_device_allow, NULL),

	BOTH("MemoryMax", MEMORY_LIMIT, read_memory, write_memory),
	BOTH("MemoryLimit", MEMORY_LIMIT, read_memory, NULL),
	BOTH("MemoryLow", MEMORY_RESERVATION, read_memory, write_memory),
	BOTH("MemorySwapMax", MEMORY_SWAP, read_swap, write_swap),
	BOTH("MemoryHigh", UNIFIED, read_unified, write_unified),
	BOTH("MemoryMin", UNIFIED, read_unified, NULL),
	BOTH("TasksMax", PIDS_LIMIT, read_tasks, write_tasks),
	BOTH("CPUQuota", CPU_QUOTA, read_quota, write_quota),
	BOTH("CPUQuotaPeriodSec", CPU_PERIOD, read_period, NULL),
	BOTH("CPUWeight", CPU_SHARES, read_weight, write_weight),
	BOTH("CPUShares", CPU_SHARES, key_read_simple, NULL),
	BOTH("AllowedCPUs", CPUSET_CPUS, read_cpuset, key_write_simple),
	BOTH("AllowedMemoryNodes", CPUSET_MEMS, read_cpuset, key_write_simple),
	BOTH("IOWeight", IO_WEIGHT, read_io_weight, write_io_weight),
	BOTH("BlockIOWeight", IO_WEIGHT, key_read_simple, NULL),
	BOTH("IOReadBandwidthMax", IO_READ_BPS, read_io_limit, write_io_limit),
	BOTH("IOWriteBandwidthMax", IO_WRITE_BPS, read_io_limit, write_io_limit),
	BOTH("IOReadIOPSMax", IO_READ_IOPS, read_io_limit, write_io_limit),
	BOTH("IOWriteIOPSMax", IO_WRITE_IOPS, read_io_limit, write_io_limit),
	{ 0 }
};

const struct key systemd_install_keys[] = {
	{ "WantedBy", FIELD(AUTOSTART), false, read_wanted, write_wanted, MRG_APPROXIMATED,
	  "it starts with the host, whatever the target" },
	{ 0 }
};

bool unit_replaces(const struct assignment *now)
{
	static const char *const single[] = {
		"RootDirectory", "WorkingDirectory", "User", "Group", "UMask", "StandardInput", "OOMScoreAdjust", "KillSignal", "TimeoutStopSec",
		"Restart", "NoNewPrivileges", "AppArmorProfile", "SELinuxContext", "SystemCallErrorNumber", "PrivateNetwork", "PrivateIPC",
		"PrivateMounts", "PrivateUsers", "ProtectHostname", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectKernelModules",
		"ProtectControlGroups", "ProtectClock", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "MountAPIVFS", "Type",
		"DevicePolicy", "MemoryMax", "MemoryLimit", "MemoryLow", "MemorySwapMax", "MemoryHigh", "MemoryMin", "TasksMax", "CPUQuota",
		"CPUQuotaPeriodSec", "CPUWeight", "CPUShares", "IOWeight", "BlockIOWeight", NULL
	};

	return !*now->value || strncmp(now->key, "Limit", 5) == 0 || strv_contains((char *const *)single, now->key);
}

bool unit_name_confines(const char *name)
{
	static const char *const prefixes[] = {
		"Protect", "Private", "Restrict", "Lock", "MemoryDeny", "SystemCall", "NoNew", "NoExec", "RemoveIPC",
		"DynamicUser", "IPAddress", "SocketBind", "SecureBits", "RootImage", "RootHash", "RootVerity", "Inaccessible",
		"ReadOnly", "ExtensionDir", "SmackProcess", "KeyringMode", "DisableControllers",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(prefixes[i], name, strlen(prefixes[i])) == 0)
			return true;
	return false;
}
