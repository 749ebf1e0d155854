/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of an inspection: what each is in a spec and what is lost on the way. */

#include "config.h"

#include "core/formats/docker/docker.h"

#define FIELD(name)	MRG_FIELD_##name

/* What the engine found or made, and nobody asked for. */
#define STATE(name_)	{ name_, -1, JSON_NULL, false, docker_read_verdict, MRG_CARRIED, "state, or how the engine runs it: nothing to configure" }
/* What can be lost without a difference. */
#define IDLE(name_, note_)	{ name_, -1, JSON_NULL, false, docker_read_verdict, MRG_APPROXIMATED, note_ }
#define LOST(name_, note_)	{ name_, -1, JSON_NULL, false, docker_read_verdict, MRG_DROPPED, note_ }
#define WEAK(name_, note_)	{ name_, -1, JSON_NULL, false, docker_read_verdict, MRG_WEAKENS, note_ }
#define SIMPLE(name_, field_, type_)	{ name_, FIELD(field_), JSON_##type_, false, docker_read_simple, MRG_CARRIED, NULL }
#define MAP(name_, field_)	{ name_, FIELD(field_), JSON_OBJECT, false, docker_read_map, MRG_CARRIED, NULL }
#define NUMBER(name_, field_)	{ name_, FIELD(field_), JSON_NUMBER, false, docker_read_number, MRG_CARRIED, NULL }
#define ROW(name_, field_, type_, read_)	{ name_, FIELD(field_), JSON_##type_, false, read_, MRG_CARRIED, NULL }
/* Also an empty value says something. */
#define EVEN_EMPTY(name_, field_, type_, read_)	{ name_, FIELD(field_), JSON_##type_, true, read_, MRG_CARRIED, NULL }

#define WINDOWS	"is for containers of Windows"
#define NUMBERS_UNKNOWN	"the numbers of a device of another host are not known here"

const struct docker_key docker_top_keys[] = {
	STATE("Id"), STATE("Created"), STATE("State"), STATE("ExecIDs"), STATE("RestartCount"), STATE("Driver"), STATE("GraphDriver"),
	STATE("Storage"), STATE("SizeRw"), STATE("SizeRootFs"), STATE("ResolvConfPath"), STATE("HostnamePath"), STATE("HostsPath"),
	STATE("LogPath"), STATE("StaticDir"), STATE("OCIConfigPath"), STATE("ConmonPidFile"), STATE("PidFile"), STATE("Namespace"),
	STATE("IsInfra"), STATE("IsService"), STATE("lockNumber"), STATE("ImageManifestDescriptor"), STATE("KubeExitCodePropagation"),
	ROW("Path", ARGS, STRING, docker_read_command), ROW("Args", ARGS, ARRAY, docker_read_command),
	{ "Name", -1, JSON_STRING, false, docker_read_verdict, MRG_APPROXIMATED, "the name is given where the container is made" },
	ROW("Image", IMAGE, STRING, docker_read_image), ROW("ImageName", IMAGE, STRING, docker_read_image),
	ROW("ImageDigest", IMAGE, STRING, docker_read_image),
	SIMPLE("Rootfs", ROOT_PATH, STRING),
	{ "Platform", -1, JSON_STRING, false, docker_read_platform, MRG_CARRIED, NULL },
	LOST("Pod", "a container of a pod shares what the pod has; only its own keys are here"),
	LOST("Dependencies", "that others start first is said where containers are started"),
	{ "OCIRuntime", -1, JSON_STRING, false, docker_read_runtime, MRG_CARRIED, NULL },
	SIMPLE("MountLabel", MOUNT_LABEL, STRING), SIMPLE("ProcessLabel", SELINUX_LABEL, STRING),
	ROW("AppArmorProfile", APPARMOR_PROFILE, STRING, docker_read_profile),
	EVEN_EMPTY("EffectiveCaps", CAP_EFFECTIVE, ARRAY, docker_read_caps), EVEN_EMPTY("BoundingCaps", CAP_BOUNDING, ARRAY, docker_read_caps),
	ROW("Mounts", MOUNTS, ARRAY, docker_read_mounts),
	ROW("NetworkSettings", NETWORKS, OBJECT, docker_read_networks),
	IDLE("UseImageHosts", "whose /etc/hosts it is, the engine decides"), IDLE("UseImageHostname", "whose /etc/hostname it is, the engine decides"),
	{ 0 }
};

const struct docker_key docker_config_keys[] = {
	ROW("Config.Hostname", HOSTNAME, STRING, docker_read_hostname), SIMPLE("Config.Domainname", DOMAINNAME, STRING),
	ROW("Config.User", USER, STRING, docker_read_user),
	STATE("Config.AttachStdin"), STATE("Config.AttachStdout"), STATE("Config.AttachStderr"),
	SIMPLE("Config.Tty", TERMINAL, BOOLEAN), SIMPLE("Config.OpenStdin", STDIN, BOOLEAN),
	IDLE("Config.StdinOnce", "standard input closes when who is attached leaves"),
	ROW("Config.Env", ENV, ARRAY, docker_read_env),
	{ "Config.Cmd", FIELD(ARGS), JSON_NULL, false, docker_read_command, MRG_CARRIED, NULL },
	{ "Config.Entrypoint", FIELD(ARGS), JSON_NULL, false, docker_read_command, MRG_CARRIED, NULL },
	LOST("Config.ArgsEscaped", WINDOWS),
	ROW("Config.Image", IMAGE, STRING, docker_read_image),
	IDLE("Config.Volumes", "said by the mounts"), SIMPLE("Config.WorkingDir", CWD, STRING),
	ROW("Config.Healthcheck", HEALTH, OBJECT, docker_read_health),
	EVEN_EMPTY("Config.NetworkDisabled", NS_NETWORK, BOOLEAN, docker_read_disabled), ROW("Config.MacAddress", NETWORKS, STRING, docker_read_mac),
	IDLE("Config.OnBuild", "is for who builds images"), IDLE("Config.Shell", "is for who builds images"),
	MAP("Config.Labels", LABELS), { "Config.Annotations", FIELD(ANNOTATIONS), JSON_OBJECT, false, docker_read_annotations, MRG_CARRIED, NULL },
	{ "Config.StopSignal", FIELD(STOP_SIGNAL), JSON_NULL, false, docker_read_signal, MRG_CARRIED, NULL },
	EVEN_EMPTY("Config.StopTimeout", STOP_TIMEOUT, NUMBER, docker_read_number),
	IDLE("Config.ExposedPorts", "names ports, and publishes none"),
	STATE("Config.CreateCommand"), STATE("Config.sdNotifyMode"), STATE("Config.sdNotifySocket"),
	SIMPLE("Config.Umask", UMASK, STRING),
	LOST("Config.Timeout", "nothing ends it after a time"),
	STATE("Config.Passwd"),
	{ "Config.SystemdMode", FIELD(BOOT), JSON_BOOLEAN, false, docker_read_simple, MRG_APPROXIMATED,
	  "the command is taken for an init: it boots" },
	LOST("Config.Secrets", "secrets are the engine's own"), LOST("Config.ChrootDirs", "is Podman's own"),
	{ "Config.HealthcheckOnFailureAction", -1, JSON_STRING, false, docker_read_health, MRG_DROPPED, "nothing is done when it is not healthy" },
	LOST("Config.StartupHealthCheck", "there is one health check, and none for the beginning"),
	IDLE("Config.HealthLogDestination", "where the health check logs to"), IDLE("Config.HealthcheckMaxLogCount", "how much the health check logs"),
	IDLE("Config.HealthcheckMaxLogSize", "how much the health check logs"), IDLE("Config.HealthMaxLogCount", "how much the health check logs"),
	IDLE("Config.HealthMaxLogSize", "how much the health check logs"),
	IDLE("Config.PasswdEntry", "what the engine writes into /etc/passwd"), IDLE("Config.GroupEntry", "what the engine writes into /etc/group"),
	{ 0 }
};

const struct docker_key docker_host_keys[] = {
	ROW("HostConfig.Binds", MOUNTS, ARRAY, docker_read_binds), ROW("HostConfig.Mounts", MOUNTS, ARRAY, docker_read_host_mounts),
	ROW("HostConfig.Tmpfs", MOUNTS, OBJECT, docker_read_tmpfs), ROW("HostConfig.ShmSize", MOUNTS, NUMBER, docker_read_shm),
	IDLE("HostConfig.VolumesFrom", "said by the mounts"), LOST("HostConfig.VolumeDriver", "volumes of a driver are the engine's own"),
	LOST("HostConfig.StorageOpt", "the size of the image's layer is the engine's own"), LOST("HostConfig.DiskQuota", WINDOWS),
	SIMPLE("HostConfig.ReadonlyRootfs", ROOT_READONLY, BOOLEAN),
	EVEN_EMPTY("HostConfig.MaskedPaths", MASKED_PATHS, ARRAY, docker_read_paths),
	EVEN_EMPTY("HostConfig.ReadonlyPaths", READONLY_PATHS, ARRAY, docker_read_paths),
	ROW("HostConfig.Devices", DEVICES, ARRAY, docker_read_devices), ROW("HostConfig.DeviceCgroupRules", DEVICE_RULES, ARRAY, docker_read_device_rules),
	LOST("HostConfig.DeviceRequests", "devices such as GPUs are found by the engine"),

	ROW("HostConfig.NetworkMode", NETWORKS, STRING, docker_read_network), ROW("HostConfig.PortBindings", PUBLISH, OBJECT, docker_read_ports),
	LOST("HostConfig.PublishAllPorts", "ports are published one by one"), LOST("HostConfig.Links", "names of other containers are not known to it"),
	LOST("HostConfig.Dns", "name servers are those of the host"), LOST("HostConfig.DnsOptions", "name resolution is that of the host"),
	LOST("HostConfig.DnsSearch", "name resolution is that of the host"), LOST("HostConfig.ExtraHosts", "/etc/hosts is not written: put the names there"),
	IDLE("HostConfig.HostsFile", "whose /etc/hosts it is, the engine decides"),

	ROW("HostConfig.CapAdd", CAP_BOUNDING, ARRAY, docker_read_caps), ROW("HostConfig.CapDrop", CAP_BOUNDING, ARRAY, docker_read_caps),
	WEAK("HostConfig.Capabilities", "whole lists of capabilities were in one release only"),
	ROW("HostConfig.Privileged", CAP_BOUNDING, BOOLEAN, docker_read_privileged), ROW("HostConfig.SecurityOpt", SECCOMP_PROFILE, ARRAY, docker_read_security),
	ROW("HostConfig.PidMode", NS_PID, STRING, docker_read_namespace), ROW("HostConfig.IpcMode", NS_IPC, STRING, docker_read_namespace),
	ROW("HostConfig.UTSMode", NS_UTS, STRING, docker_read_namespace), ROW("HostConfig.CgroupnsMode", NS_CGROUP, STRING, docker_read_namespace),
	ROW("HostConfig.CgroupMode", NS_CGROUP, STRING, docker_read_namespace), ROW("HostConfig.UsernsMode", NS_USER, STRING, docker_read_users),
	ROW("HostConfig.IDMappings", UID_MAPPINGS, OBJECT, docker_read_mappings),
	ROW("HostConfig.GroupAdd", ADDITIONAL_GIDS, ARRAY, docker_read_groups), MAP("HostConfig.Sysctls", SYSCTL), MAP("HostConfig.Annotations", ANNOTATIONS),
	{ "HostConfig.Runtime", -1, JSON_STRING, false, docker_read_runtime, MRG_CARRIED, NULL },
	LOST("HostConfig.Isolation", WINDOWS), STATE("HostConfig.Cgroup"), STATE("HostConfig.Cgroups"), STATE("HostConfig.CgroupManager"),

	SIMPLE("HostConfig.Init", INIT, BOOLEAN), ROW("HostConfig.RestartPolicy", RESTART, OBJECT, docker_read_restart),
	LOST("HostConfig.AutoRemove", "it stays when it has ended"), LOST("HostConfig.AutoRemoveImage", "nothing removes the image"),
	ROW("HostConfig.LogConfig", LOG, OBJECT, docker_read_log), STATE("HostConfig.ContainerIDFile"),
	ROW("HostConfig.ConsoleSize", CONSOLE_SIZE, ARRAY, docker_read_console),

	NUMBER("HostConfig.OomScoreAdj", OOM_SCORE_ADJ), SIMPLE("HostConfig.OomKillDisable", MEMORY_DISABLE_OOM_KILLER, BOOLEAN),
	SIMPLE("HostConfig.CgroupParent", CGROUPS_PATH, STRING), MAP("HostConfig.CgroupConf", UNIFIED),
	NUMBER("HostConfig.Memory", MEMORY_LIMIT), NUMBER("HostConfig.MemoryReservation", MEMORY_RESERVATION),
	NUMBER("HostConfig.MemorySwap", MEMORY_SWAP), EVEN_EMPTY("HostConfig.MemorySwappiness", MEMORY_SWAPPINESS, NUMBER, docker_read_number),
	IDLE("HostConfig.KernelMemory", "the kernel has no such limit any more"), IDLE("HostConfig.KernelMemoryTCP", "only cgroup v1 has such a limit"),
	NUMBER("HostConfig.CpuShares", CPU_SHARES), NUMBER("HostConfig.CpuQuota", CPU_QUOTA), NUMBER("HostConfig.CpuPeriod", CPU_PERIOD),
	ROW("HostConfig.NanoCpus", CPU_QUOTA, NUMBER, docker_read_cpus), SIMPLE("HostConfig.CpusetCpus", CPUSET_CPUS, STRING),
	SIMPLE("HostConfig.CpusetMems", CPUSET_MEMS, STRING), LOST("HostConfig.CpuRealtimePeriod", "only cgroup v1 has real-time limits"),
	LOST("HostConfig.CpuRealtimeRuntime", "only cgroup v1 has real-time limits"), NUMBER("HostConfig.PidsLimit", PIDS_LIMIT),
	NUMBER("HostConfig.BlkioWeight", IO_WEIGHT), LOST("HostConfig.BlkioWeightDevice", NUMBERS_UNKNOWN),
	ROW("HostConfig.BlkioDeviceReadBps", IO_READ_BPS, ARRAY, docker_read_rates), ROW("HostConfig.BlkioDeviceWriteBps", IO_WRITE_BPS, ARRAY, docker_read_rates),
	ROW("HostConfig.BlkioDeviceReadIOps", IO_READ_IOPS, ARRAY, docker_read_rates), ROW("HostConfig.BlkioDeviceWriteIOps", IO_WRITE_IOPS, ARRAY, docker_read_rates),
	ROW("HostConfig.Ulimits", RLIMITS, ARRAY, docker_read_ulimits),
	LOST("HostConfig.IntelRdtClosID", "the class of cache allocation is made on its own host"),
	LOST("HostConfig.CpuCount", WINDOWS), LOST("HostConfig.CpuPercent", WINDOWS), LOST("HostConfig.IOMaximumIOps", WINDOWS),
	LOST("HostConfig.IOMaximumBandwidth", WINDOWS),
	{ 0 }
};
