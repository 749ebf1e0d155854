/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys: what each is in a spec and what is lost on the way. */

#include "config.h"

#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"

#define FIELD(name)	MRG_FIELD_##name

#define SIMPLE(key_, field_)	{ key_, FIELD(field_), false, key_read_simple, key_write_simple, MRG_CARRIED, NULL }
#define BOTH(key_, field_, read_, write_)	{ key_, FIELD(field_), false, read_, write_, MRG_CARRIED, NULL }
#define CONFINES(key_, field_, read_, write_)	{ key_, FIELD(field_), true, read_, write_, MRG_CARRIED, NULL }
/* Kept verbatim: how podman runs it, what nothing else has, what confines. */
#define IDLE(key_, note_)	{ key_, -1, false, quadlet_read_kept, NULL, MRG_APPROXIMATED, note_ }
#define LOST(key_, note_)	{ key_, -1, false, quadlet_read_kept, NULL, MRG_DROPPED, note_ }
#define WEAK(key_, note_)	{ key_, -1, true, quadlet_read_kept, NULL, MRG_WEAKENS, note_ }

#define RUN	"how podman gets and runs it: nothing of the container"
#define LABELS_OWN	"SELinux labels are made up by podman"

const struct key quadlet_keys[] = {
	BOTH("Image", IMAGE, quadlet_read_image, NULL), BOTH("Rootfs", ROOT_PATH, quadlet_read_rootfs, quadlet_write_root),
	IDLE("ContainerName", "the name is given where the container is made"), IDLE("ServiceName", RUN), IDLE("Pull", RUN), IDLE("Retry", RUN),
	IDLE("RetryDelay", RUN), IDLE("GlobalArgs", RUN), IDLE("ContainersConfModule", RUN), IDLE("CgroupsMode", RUN), IDLE("Notify", RUN),
	IDLE("HttpProxy", RUN), LOST("AutoUpdate", "nothing fetches new images"), LOST("Pod", "a container of a pod shares what the pod has"),
	IDLE("StartWithPod", RUN), LOST("ReloadCmd", "a container is not reloaded"), LOST("ReloadSignal", "a container is not reloaded"),

	BOTH("Entrypoint", ARGS, quadlet_read_exec, NULL), BOTH("Exec", ARGS, quadlet_read_exec, quadlet_write_exec),
	BOTH("Environment", ENV, read_environment, write_environment), LOST("EnvironmentFile", "files are read by podman only"),
	LOST("EnvironmentHost", "the environment of the host is not passed on"),
	{ "User", FIELD(USER), true, quadlet_read_user, quadlet_write_user, MRG_CARRIED, NULL },
	{ "Group", FIELD(USER), true, quadlet_read_user, NULL, MRG_CARRIED, NULL },
	BOTH("GroupAdd", ADDITIONAL_GIDS, quadlet_read_groups, quadlet_write_groups),
	BOTH("WorkingDir", CWD, quadlet_read_cwd, key_write_simple), SIMPLE("HostName", HOSTNAME),
	LOST("Timezone", "/etc/localtime is that of the root"), SIMPLE("RunInit", INIT),
	BOTH("StopSignal", STOP_SIGNAL, quadlet_read_signal, key_write_simple), BOTH("StopTimeout", STOP_TIMEOUT, key_read_simple, quadlet_write_timeout),
	BOTH("Ulimit", RLIMITS, quadlet_read_ulimit, quadlet_write_ulimits),
	BOTH("Label", LABELS, quadlet_read_map, quadlet_write_map), BOTH("Annotation", ANNOTATIONS, quadlet_read_map, quadlet_write_map),
	LOST("Secret", "secrets are podman's own"),

	BOTH("LogDriver", LOG, quadlet_read_log, quadlet_write_log), BOTH("LogOpt", LOG, quadlet_read_log, NULL),
	BOTH("HealthCmd", HEALTH, quadlet_read_health, quadlet_write_health), BOTH("HealthInterval", HEALTH, quadlet_read_health, NULL),
	BOTH("HealthTimeout", HEALTH, quadlet_read_health, NULL), BOTH("HealthStartPeriod", HEALTH, quadlet_read_health, NULL),
	BOTH("HealthRetries", HEALTH, quadlet_read_health, NULL), LOST("HealthOnFailure", "nothing is done when it is not healthy"),
	LOST("HealthStartup*", "there is one health check, and none for the beginning"), IDLE("HealthLogDestination", "where the health check logs to"),
	IDLE("HealthMaxLogCount", "how much the health check logs"), IDLE("HealthMaxLogSize", "how much the health check logs"),

	CONFINES("AddCapability", CAP_BOUNDING, quadlet_read_capability, NULL),
	CONFINES("DropCapability", CAP_BOUNDING, quadlet_read_capability, quadlet_write_caps),
	CONFINES("NoNewPrivileges", NO_NEW_PRIVILEGES, key_read_simple, key_write_simple),
	CONFINES("SeccompProfile", SECCOMP_PROFILE, quadlet_read_seccomp, quadlet_write_seccomp),
	CONFINES("AppArmor", APPARMOR_PROFILE, key_read_simple, NULL),
	CONFINES("Mask", MASKED_PATHS, quadlet_read_mask, quadlet_write_masks), BOTH("Unmask", MASKED_PATHS, quadlet_read_mask, NULL),
	CONFINES("UserNS", NS_USER, quadlet_read_userns, quadlet_write_users), CONFINES("UIDMap", UID_MAPPINGS, quadlet_read_idmap, NULL),
	CONFINES("GIDMap", GID_MAPPINGS, quadlet_read_idmap, NULL), WEAK("SubUIDMap", "ranges of users by name are looked up by podman"),
	WEAK("SubGIDMap", "ranges of users by name are looked up by podman"), WEAK("Remap*", "an old way to say UserNS=, which podman warns of"),
	LOST("SecurityLabelDisable", LABELS_OWN), LOST("SecurityLabelNested", LABELS_OWN), WEAK("SecurityLabelType", LABELS_OWN),
	WEAK("SecurityLabelLevel", LABELS_OWN), WEAK("SecurityLabelFileType", LABELS_OWN),
	BOTH("AddDevice", DEVICES, quadlet_read_device, quadlet_write_devices), BOTH("Sysctl", SYSCTL, quadlet_read_map, quadlet_write_map),

	CONFINES("ReadOnly", ROOT_READONLY, key_read_simple, quadlet_write_readonly),
	BOTH("ReadOnlyTmpfs", MOUNTS, quadlet_read_switch, NULL), BOTH("VolatileTmp", MOUNTS, quadlet_read_switch, NULL),
	BOTH("ShmSize", MOUNTS, quadlet_read_shm, NULL), BOTH("Volume", MOUNTS, quadlet_read_volume, quadlet_write_mounts),
	BOTH("Mount", MOUNTS, quadlet_read_mount, NULL), BOTH("Tmpfs", MOUNTS, quadlet_read_tmpfs, NULL),

	BOTH("Network", NETWORKS, quadlet_read_network, quadlet_write_network), BOTH("PublishPort", PUBLISH, quadlet_read_port, quadlet_write_ports),
	LOST("NetworkAlias", "names in a network are podman's own"), LOST("IP", "addresses are given by podman's networks"),
	LOST("IP6", "addresses are given by podman's networks"), LOST("DNS", "name servers are those of the host"),
	LOST("DNSOption", "name resolution is that of the host"), LOST("DNSSearch", "name resolution is that of the host"),
	LOST("AddHost", "/etc/hosts is not written: put the names there"), IDLE("ExposeHostPort", "names ports, and publishes none"),

	BOTH("PidsLimit", PIDS_LIMIT, key_read_simple, key_write_simple), BOTH("Memory", MEMORY_LIMIT, key_read_simple, NULL),
	{ "PodmanArgs", -1, false, quadlet_read_args, quadlet_write_args, MRG_CARRIED, NULL },
	{ 0 }
};

const struct key quadlet_service_keys[] = {
	BOTH("Restart", RESTART, read_restart, write_restart),
	BOTH("MemoryMax", MEMORY_LIMIT, read_memory, write_memory), BOTH("MemoryLimit", MEMORY_LIMIT, read_memory, NULL),
	BOTH("MemoryLow", MEMORY_RESERVATION, read_memory, write_memory), BOTH("MemorySwapMax", MEMORY_SWAP, read_swap, write_swap),
	BOTH("MemoryHigh", UNIFIED, read_unified, write_unified), BOTH("MemoryMin", UNIFIED, read_unified, NULL),
	BOTH("CPUQuota", CPU_QUOTA, read_quota, write_quota), BOTH("CPUQuotaPeriodSec", CPU_PERIOD, read_period, NULL),
	BOTH("CPUWeight", CPU_SHARES, read_weight, write_weight), BOTH("CPUShares", CPU_SHARES, key_read_simple, NULL),
	BOTH("AllowedCPUs", CPUSET_CPUS, read_cpuset, key_write_simple), BOTH("AllowedMemoryNodes", CPUSET_MEMS, read_cpuset, key_write_simple),
	BOTH("IOWeight", IO_WEIGHT, read_io_weight, write_io_weight), BOTH("BlockIOWeight", IO_WEIGHT, key_read_simple, NULL),
	BOTH("IOReadBandwidthMax", IO_READ_BPS, read_io_limit, write_io_limit), BOTH("IOWriteBandwidthMax", IO_WRITE_BPS, read_io_limit, write_io_limit),
	BOTH("IOReadIOPSMax", IO_READ_IOPS, read_io_limit, write_io_limit), BOTH("IOWriteIOPSMax", IO_WRITE_IOPS, read_io_limit, write_io_limit),
	LOST("TasksMax", "counts podman as well: the limit of the container is PidsLimit="), WEAK("DevicePolicy", "holds for podman as well"),
	WEAK("DeviceAllow", "holds for podman as well"), LOST("TimeoutStopSec", "is for podman: the time of the container is StopTimeout="),
	LOST("TimeoutStartSec", "is for podman, which fetches images in that time"), LOST("Exec*", "a container has one command"),
	IDLE("Type", RUN), IDLE("RemainAfterExit", RUN), IDLE("SyslogIdentifier", RUN), IDLE("Environment", "is the environment of podman"),
	IDLE("Slice", "the cgroup of a container is chosen where it is made"), IDLE("Delegate", RUN), IDLE("KillMode", RUN),
	{ 0 }
};

bool quadlet_name_confines(const char *name)
{
	static const char *const prefixes[] = { "Security", "Seccomp", "Mask", "Drop", "UserNS" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(prefixes[i], name, strlen(prefixes[i])) == 0)
			return true;
	return unit_name_confines(name);
}
