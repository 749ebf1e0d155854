/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of fields. */

#include "config.h"

#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

#define M(structure, member_, name_, type_, ...) \
	{ .name = name_, .type = type_, .offset = offsetof(struct structure, member_), __VA_ARGS__ }

static const struct member id_mapping_members[] = {
	M(mrg_id_mapping, container_id, "containerID", VALUE_UINT32, .required = true, .range = "0-4294967294"),
	M(mrg_id_mapping, host_id, "hostID", VALUE_UINT32, .required = true, .range = "0-4294967294"),
	M(mrg_id_mapping, size, "size", VALUE_UINT32, .required = true, .range = "1-4294967295"),
	{ 0 }
};
static const struct object id_mapping = { "id mapping", sizeof(struct mrg_id_mapping), id_mapping_members };

static const struct member mount_members[] = {
	M(mrg_mount, destination, "destination", VALUE_STRING, .required = true),
	M(mrg_mount, type, "type", VALUE_STRING),
	M(mrg_mount, source, "source", VALUE_STRING),
	M(mrg_mount, options, "options", VALUE_STRV),
	M(mrg_mount, uid_mappings, "uidMappings", VALUE_LIST, .object = &id_mapping),
	M(mrg_mount, gid_mappings, "gidMappings", VALUE_LIST, .object = &id_mapping),
	{ 0 }
};
static const struct object mount = { "mount", sizeof(struct mrg_mount), mount_members };

#define RLIMIT_NAMES "RLIMIT_AS|RLIMIT_CORE|RLIMIT_CPU|RLIMIT_DATA|RLIMIT_FSIZE|RLIMIT_LOCKS|RLIMIT_MEMLOCK|RLIMIT_MSGQUEUE|" \
	"RLIMIT_NICE|RLIMIT_NOFILE|RLIMIT_NPROC|RLIMIT_RSS|RLIMIT_RTPRIO|RLIMIT_RTTIME|RLIMIT_SIGPENDING|RLIMIT_STACK"

static const struct member rlimit_members[] = {
	M(mrg_rlimit, type, "type", VALUE_STRING, .required = true, .range = RLIMIT_NAMES),
	M(mrg_rlimit, hard, "hard", VALUE_UINT64, .required = true),
	M(mrg_rlimit, soft, "soft", VALUE_UINT64, .required = true),
	{ 0 }
};
static const struct object rlimit = { "rlimit", sizeof(struct mrg_rlimit), rlimit_members };

static const struct member device_members[] = {
	M(mrg_device, type, "type", VALUE_STRING, .required = true, .range = "c|b|u|p"),
	M(mrg_device, path, "path", VALUE_STRING, .required = true),
	M(mrg_device, major, "major", VALUE_INT64, .range = "0-4294967295"),
	M(mrg_device, minor, "minor", VALUE_INT64, .range = "0-4294967295"),
	M(mrg_device, file_mode, "fileMode", VALUE_MODE, .range = "0-4095"),
	M(mrg_device, uid, "uid", VALUE_UINT32, .range = "0-4294967294"),
	M(mrg_device, gid, "gid", VALUE_UINT32, .range = "0-4294967294"),
	{ 0 }
};
static const struct object device = { "device", sizeof(struct mrg_device), device_members };

static const struct member device_rule_members[] = {
	M(mrg_device_rule, allow, "allow", VALUE_BOOL, .required = true),
	M(mrg_device_rule, type, "type", VALUE_STRING, .range = "a|c|b"),
	M(mrg_device_rule, major, "major", VALUE_INT64, .range = "-1-4294967295", .absent = -1),
	M(mrg_device_rule, minor, "minor", VALUE_INT64, .range = "-1-4294967295", .absent = -1),
	M(mrg_device_rule, access, "access", VALUE_STRING),
	{ 0 }
};
static const struct object device_rule = { "device rule", sizeof(struct mrg_device_rule), device_rule_members };

static const struct member io_limit_members[] = {
	M(mrg_io_limit, major, "major", VALUE_INT64, .required = true, .range = "0-4294967295"),
	M(mrg_io_limit, minor, "minor", VALUE_INT64, .required = true, .range = "0-4294967295"),
	M(mrg_io_limit, rate, "rate", VALUE_UINT64, .required = true),
	{ 0 }
};
static const struct object io_limit = { "device rate", sizeof(struct mrg_io_limit), io_limit_members };

static const struct member hugepage_limit_members[] = {
	M(mrg_hugepage_limit, page_size, "pageSize", VALUE_STRING, .required = true),
	M(mrg_hugepage_limit, limit, "limit", VALUE_UINT64, .required = true),
	{ 0 }
};
static const struct object hugepage_limit = { "huge page limit", sizeof(struct mrg_hugepage_limit),
					      hugepage_limit_members };

#define ACTIONS "SCMP_ACT_KILL|SCMP_ACT_KILL_PROCESS|SCMP_ACT_KILL_THREAD|SCMP_ACT_TRAP|SCMP_ACT_ERRNO|" \
	"SCMP_ACT_TRACE|SCMP_ACT_ALLOW|SCMP_ACT_LOG|SCMP_ACT_NOTIFY"

static const struct member seccomp_arg_members[] = {
	M(mrg_seccomp_arg, index, "index", VALUE_UINT32, .required = true, .range = "0-5"),
	M(mrg_seccomp_arg, value, "value", VALUE_UINT64, .required = true),
	M(mrg_seccomp_arg, value_two, "valueTwo", VALUE_UINT64),
	M(mrg_seccomp_arg, op, "op", VALUE_STRING, .required = true,
	  .range = "SCMP_CMP_NE|SCMP_CMP_LT|SCMP_CMP_LE|SCMP_CMP_EQ|SCMP_CMP_GE|SCMP_CMP_GT|SCMP_CMP_MASKED_EQ"),
	{ 0 }
};
static const struct object seccomp_arg = { "seccomp argument", sizeof(struct mrg_seccomp_arg), seccomp_arg_members };

static const struct member seccomp_syscall_members[] = {
	M(mrg_seccomp_syscall, names, "names", VALUE_STRV, .required = true),
	M(mrg_seccomp_syscall, action, "action", VALUE_STRING, .required = true, .range = ACTIONS),
	M(mrg_seccomp_syscall, errno_ret, "errnoRet", VALUE_UINT32, .range = "0-4095"),
	M(mrg_seccomp_syscall, args, "args", VALUE_LIST, .object = &seccomp_arg),
	{ 0 }
};
static const struct object seccomp_syscall = { "seccomp rule", sizeof(struct mrg_seccomp_syscall),
					       seccomp_syscall_members };

#define ARCHITECTURES "SCMP_ARCH_X86|SCMP_ARCH_X86_64|SCMP_ARCH_X32|SCMP_ARCH_ARM|SCMP_ARCH_AARCH64|SCMP_ARCH_MIPS|" \
	"SCMP_ARCH_MIPS64|SCMP_ARCH_MIPS64N32|SCMP_ARCH_MIPSEL|SCMP_ARCH_MIPSEL64|SCMP_ARCH_MIPSEL64N32|" \
	"SCMP_ARCH_PPC|SCMP_ARCH_PPC64|SCMP_ARCH_PPC64LE|SCMP_ARCH_S390|SCMP_ARCH_S390X|SCMP_ARCH_PARISC|" \
	"SCMP_ARCH_PARISC64|SCMP_ARCH_RISCV64|SCMP_ARCH_LOONGARCH64|SCMP_ARCH_M68K|SCMP_ARCH_SH|SCMP_ARCH_SHEB"
#define FILTER_FLAGS "SECCOMP_FILTER_FLAG_TSYNC|SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_SPEC_ALLOW|" \
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

static const struct member seccomp_members[] = {
	M(mrg_seccomp, default_action, "defaultAction", VALUE_STRING, .required = true, .range = ACTIONS),
	M(mrg_seccomp, default_errno_ret, "defaultErrnoRet", VALUE_UINT32, .range = "0-4095"),
	M(mrg_seccomp, architectures, "architectures", VALUE_STRV, .range = ARCHITECTURES),
	M(mrg_seccomp, flags, "flags", VALUE_STRV, .range = FILTER_FLAGS),
	M(mrg_seccomp, listener_path, "listenerPath", VALUE_STRING),
	M(mrg_seccomp, listener_metadata, "listenerMetadata", VALUE_STRING),
	M(mrg_seccomp, syscalls, "syscalls", VALUE_LIST, .object = &seccomp_syscall),
	{ 0 }
};
static const struct object seccomp = { "seccomp profile", sizeof(struct mrg_seccomp), seccomp_members };

static const struct member console_size_members[] = {
	M(mrg_spec, console_height, "height", VALUE_UINT32, .required = true, .range = "0-65535"),
	M(mrg_spec, console_width, "width", VALUE_UINT32, .required = true, .range = "0-65535"),
	{ 0 }
};
static const struct object console_size = { "size", sizeof(struct mrg_spec), console_size_members };

static const struct member log_members[] = {
	M(mrg_spec, log_driver, "driver", VALUE_STRING, .range = "file|none"),
	M(mrg_spec, log_max_size, "maxSize", VALUE_BYTES, .range = "0-9223372036854775807"),
	{ 0 }
};
static const struct object log_object = { "log", sizeof(struct mrg_spec), log_members };

/* The path of a field, in both spellings: parentheses keep the pair one argument. */
#define AT1(a)		(a, "/" a)
#define AT2(a, b)	(a "." b, "/" a "/" b)
#define AT3(a, b, c)	(a "." b "." c, "/" a "/" b "/" c)
#define AT4(a, b, c, d)	(a "." b "." c "." d, "/" a "/" b "/" c "/" d)
#define DOTS(dots, slashes)	dots
#define SLASHES(dots, slashes)	slashes

#define F(id, at, type_, describe, member_, range_, help_, ...)						\
	[MRG_FIELD_##id] = { .info.name = DOTS at, .info.path = SLASHES at, .info.type = describe,	\
			     .info.range = range_, .info.help = help_,					\
			     .value = { .type = type_, .offset = offsetof(struct mrg_spec, member_),	\
					.range = range_, __VA_ARGS__ } },

/* By type: S string, B boolean, V list of strings, P map, J and A verbatim JSON, N namespace, C capabilities. */
#define S(id, at, member_, range_, help_)	F(id, at, VALUE_STRING, "string", member_, range_, help_)
#define B(id, at, member_, help_)		F(id, at, VALUE_BOOL, "boolean", member_, "", help_)
#define V(id, at, member_, help_)		F(id, at, VALUE_STRV, "list of string", member_, "", help_)
#define P(id, at, member_, help_)		F(id, at, VALUE_MAP, "map of string", member_, "", help_)
#define J(id, at, member_, help_)		F(id, at, VALUE_JSON_OBJECT, "JSON object", member_, "", help_)
#define A(id, at, member_, help_)		F(id, at, VALUE_JSON_ARRAY, "JSON array", member_, "", help_)
#define C(id, at, member_, help_)		F(id, at, VALUE_CAPS, "list of capability", member_, "", help_)
#define U32(id, at, member_, range_, help_)	F(id, at, VALUE_UINT32, "number", member_, range_, help_)
#define U64(id, at, member_, range_, help_)	F(id, at, VALUE_UINT64, "number", member_, range_, help_)
#define I64(id, at, member_, range_, help_)	F(id, at, VALUE_INT64, "number", member_, range_, help_)
#define SIZE(id, at, member_, help_)		F(id, at, VALUE_SIZE, "bytes", member_, "-1-", help_)
#define LIST(id, at, member_, object_, describe, help_) \
	F(id, at, VALUE_LIST, "list of " describe, member_, "", help_, .object = &object_)
#define N(id, type_, member_, help_) \
	F(id, AT3("linux", "namespaces", type_), VALUE_NAMESPACE, "namespace", member_, "", help_)

#define PROCESS(a)	AT2("process", a)
#define USER(a)		AT3("process", "user", a)
#define CAPS(a)		AT3("process", "capabilities", a)
#define LINUX(a)	AT2("linux", a)
#define RESOURCES(a)	AT3("linux", "resources", a)
#define MEMORY(a)	AT4("linux", "resources", "memory", a)
#define CPU(a)		AT4("linux", "resources", "cpu", a)
#define BLOCKIO(a)	AT4("linux", "resources", "blockIO", a)
#define MOORAGE(a)	AT2("moorage", a)

#define ID_RANGE	"0-4294967294"

const struct field spec_fields[MRG_FIELD_MAX] = {
	S(HOSTNAME, AT1("hostname"), hostname, "", "host name inside; needs a new uts namespace")
	S(DOMAINNAME, AT1("domainname"), domainname, "", "NIS domain name inside; needs a new uts namespace")
	S(ROOT_PATH, AT2("root", "path"), root_path, "", "directory on the host that becomes / of the container")
	B(ROOT_READONLY, AT2("root", "readonly"), root_readonly, "mount the root read-only")
	LIST(MOUNTS, AT1("mounts"), mounts, mount, "mount", "file systems to mount, in this order")
	B(TERMINAL, PROCESS("terminal"), terminal, "give the process a terminal of its own")
	F(CONSOLE_SIZE, PROCESS("consoleSize"), VALUE_MEMBERS, "size", console_height, "",
	  "first size of the terminal: height, width", .object = &console_size)
	U32(UID, USER("uid"), uid, ID_RANGE, "user id of the process")
	U32(GID, USER("gid"), gid, ID_RANGE, "group id of the process")
	F(UMASK, USER("umask"), VALUE_MODE, "mode", umask, "0-511",
	  "file mode creation mask of the process; decimal in JSON, as OCI has it")
	F(ADDITIONAL_GIDS, USER("additionalGids"), VALUE_UINT32_LIST, "list of number", additional_gids, ID_RANGE,
	  "supplementary groups of the process")
	V(ARGS, PROCESS("args"), args, "command and its arguments")
	V(ENV, PROCESS("env"), env, "environment, NAME=VALUE each")
	S(CWD, PROCESS("cwd"), cwd, "", "working directory, absolute")
	C(CAP_BOUNDING, CAPS("bounding"), cap_bounding, "capabilities that can ever be gained")
	C(CAP_EFFECTIVE, CAPS("effective"), cap_effective, "capabilities in force")
	C(CAP_INHERITABLE, CAPS("inheritable"), cap_inheritable, "capabilities kept over an exec of a file that has them")
	C(CAP_PERMITTED, CAPS("permitted"), cap_permitted, "capabilities that can be put in force")
	C(CAP_AMBIENT, CAPS("ambient"), cap_ambient, "capabilities kept over an exec by a user other than root")
	LIST(RLIMITS, PROCESS("rlimits"), rlimits, rlimit, "rlimit", "resource limits of the process, getrlimit(2)")
	B(NO_NEW_PRIVILEGES, PROCESS("noNewPrivileges"), no_new_privileges,
	  "no exec gains privileges: set-user-ID and file capabilities do nothing")
	F(OOM_SCORE_ADJ, PROCESS("oomScoreAdj"), VALUE_INT32, "number", oom_score_adj, "-1000-1000",
	  "how willingly the kernel kills it when memory runs out; 1000: first")
	S(APPARMOR_PROFILE, PROCESS("apparmorProfile"), apparmor_profile, "", "AppArmor profile of the process")
	S(SELINUX_LABEL, PROCESS("selinuxLabel"), selinux_label, "", "SELinux label of the process")
	J(SCHEDULER, PROCESS("scheduler"), scheduler_json, "scheduling policy, sched_setattr(2)")
	J(IO_PRIORITY, PROCESS("ioPriority"), io_priority_json, "I/O class and priority, ioprio_set(2)")
	J(EXEC_CPU_AFFINITY, PROCESS("execCPUAffinity"), exec_cpu_affinity_json, "CPUs of commands run by exec")
	N(NS_PID, "pid", ns_pid, "processes are numbered anew and see only each other")
	N(NS_MOUNT, "mount", ns_mount, "mounts of its own")
	N(NS_UTS, "uts", ns_uts, "host name of its own")
	N(NS_IPC, "ipc", ns_ipc, "System V IPC and POSIX message queues of its own")
	N(NS_NETWORK, "network", ns_network, "network devices, addresses and ports of its own")
	N(NS_USER, "user", ns_user, "users of its own, mapped by uidMappings and gidMappings")
	N(NS_CGROUP, "cgroup", ns_cgroup, "its cgroup is the root of what it sees")
	N(NS_TIME, "time", ns_time, "monotonic clocks of its own")
	LIST(UID_MAPPINGS, LINUX("uidMappings"), uid_mappings, id_mapping, "id mapping",
	     "users of the user namespace: containerID, hostID, size")
	LIST(GID_MAPPINGS, LINUX("gidMappings"), gid_mappings, id_mapping, "id mapping",
	     "groups of the user namespace")
	LIST(DEVICES, LINUX("devices"), devices, device, "device", "device nodes to make")
	S(CGROUPS_PATH, LINUX("cgroupsPath"), cgroups_path, "", "cgroup below which that of the container is made")
	LIST(DEVICE_RULES, RESOURCES("devices"), device_rules, device_rule, "device rule",
	     "which devices may be used; the last rule that matches decides")
	SIZE(MEMORY_LIMIT, MEMORY("limit"), memory_limit, "most memory; -1: unlimited")
	SIZE(MEMORY_RESERVATION, MEMORY("reservation"), memory_reservation, "memory that is reclaimed last; -1: unlimited")
	SIZE(MEMORY_SWAP, MEMORY("swap"), memory_swap, "most memory and swap together; -1: unlimited swap")
	U64(MEMORY_SWAPPINESS, MEMORY("swappiness"), memory_swappiness, "0-100", "readiness to swap; cgroup v1 only")
	B(MEMORY_DISABLE_OOM_KILLER, MEMORY("disableOOMKiller"), memory_disable_oom_killer,
	  "wait instead of being killed at the limit; cgroup v1 only")
	U64(CPU_SHARES, CPU("shares"), cpu_shares, "2-262144", "share of the CPU time among siblings; 1024 is usual")
	I64(CPU_QUOTA, CPU("quota"), cpu_quota, "-1-", "CPU time per period, microseconds; -1: unlimited")
	U64(CPU_PERIOD, CPU("period"), cpu_period, "1000-1000000", "length of the period, microseconds; 100000 is usual")
	U64(CPU_BURST, CPU("burst"), cpu_burst, "", "CPU time that can be saved up beyond the quota, microseconds")
	I64(CPU_IDLE, CPU("idle"), cpu_idle, "0-1", "1: run only when nothing else wants to")
	S(CPUSET_CPUS, CPU("cpus"), cpuset_cpus, "", "CPUs it may use: a list such as 0-3,7")
	S(CPUSET_MEMS, CPU("mems"), cpuset_mems, "", "memory nodes it may use: a list such as 0-1")
	I64(PIDS_LIMIT, AT4("linux", "resources", "pids", "limit"), pids_limit, "-1-", "most processes and threads; 0 or less: unlimited")
	U32(IO_WEIGHT, BLOCKIO("weight"), io_weight, "10-1000", "share of the I/O among siblings")
	LIST(IO_READ_BPS, BLOCKIO("throttleReadBpsDevice"), io_read_bps, io_limit, "device rate",
	     "bytes read per second: major, minor, rate")
	LIST(IO_WRITE_BPS, BLOCKIO("throttleWriteBpsDevice"), io_write_bps, io_limit, "device rate",
	     "bytes written per second")
	LIST(IO_READ_IOPS, BLOCKIO("throttleReadIOPSDevice"), io_read_iops, io_limit, "device rate",
	     "reads per second")
	LIST(IO_WRITE_IOPS, BLOCKIO("throttleWriteIOPSDevice"), io_write_iops, io_limit, "device rate",
	     "writes per second")
	LIST(HUGEPAGE_LIMITS, RESOURCES("hugepageLimits"), hugepage_limits, hugepage_limit, "huge page limit",
	     "bytes in huge pages, per page size")
	J(NETWORK_CLASS, RESOURCES("network"), network_class_json, "net_cls and net_prio; cgroup v1 only")
	J(RDMA, RESOURCES("rdma"), rdma_json, "RDMA limits per device")
	P(UNIFIED, RESOURCES("unified"), unified, "cgroup v2 files and what to write into them")
	S(ROOTFS_PROPAGATION, LINUX("rootfsPropagation"), rootfs_propagation,
	  "private|rprivate|slave|rslave|shared|rshared|unbindable|runbindable", "mount propagation of the root")
	F(SECCOMP, LINUX("seccomp"), VALUE_POINTER, "seccomp profile", seccomp, "",
	  "filter of system calls, OCI's own form", .object = &seccomp)
	P(SYSCTL, LINUX("sysctl"), sysctl, "kernel parameters of the new namespaces")
	V(MASKED_PATHS, LINUX("maskedPaths"), masked_paths, "paths that read as empty")
	V(READONLY_PATHS, LINUX("readonlyPaths"), readonly_paths, "paths made read-only")
	S(MOUNT_LABEL, LINUX("mountLabel"), mount_label, "", "SELinux label of the mounts")
	J(INTEL_RDT, LINUX("intelRdt"), intel_rdt_json, "cache and memory bandwidth allocation, resctrl")
	J(PERSONALITY, LINUX("personality"), personality_json, "execution domain, personality(2)")
	J(TIME_OFFSETS, LINUX("timeOffsets"), time_offsets_json, "clock offsets of a new time namespace")
	J(HOOKS, AT1("hooks"), hooks_json, "commands to run around the container's life")
	P(ANNOTATIONS, AT1("annotations"), annotations, "free text for other tools")
	B(BOOT, MOORAGE("boot"), boot, "run the root's own init as the first process")
	B(INIT, MOORAGE("init"), init, "run moorage-init as the first process: it reaps and forwards signals")
	B(STDIN, MOORAGE("stdin"), stdin_open, "keep standard input open")
	S(USER, MOORAGE("user"), user, "", "NAME[:GROUP], looked up in the container when it starts")
	B(EPHEMERAL, MOORAGE("ephemeral"), ephemeral, "changes to the root are thrown away at the end")
	S(SECCOMP_PROFILE, MOORAGE("seccompProfile"), seccomp_profile, "default|boot|unconfined",
	  "a system call filter that comes with moorage")
	A(NETWORKS, MOORAGE("networks"), networks_json,
	  "network devices of the container: veth, macvlan, ipvlan, vlan, phys; see NETWORKS in moorage-spec(5)")
	A(PUBLISH, MOORAGE("publish"), publish_json,
	  "ports to publish on the host; see PUBLISH in moorage-spec(5)")
	B(AUTOSTART, MOORAGE("autostart"), autostart, "start with the host")
	S(RESTART, MOORAGE("restart"), restart, "no|on-failure|always|unless-stopped", "when to start again after the end")
	S(STOP_SIGNAL, AT3("moorage", "stop", "signal"), stop_signal, "", "signal that asks for the end: TERM, RTMIN+3, 15")
	U32(STOP_TIMEOUT, AT3("moorage", "stop", "timeout"), stop_timeout, "", "seconds between the stop signal and SIGKILL")
	J(HEALTH, MOORAGE("health"), health_json, "health check")
	J(IMAGE, MOORAGE("image"), image_json, "the image the root was made from")
	A(VOLUMES, MOORAGE("volumes"), volumes_json, "named volumes")
	P(LABELS, MOORAGE("labels"), labels, "names and values to find it by")
	F(LOG, MOORAGE("log"), VALUE_MEMBERS, "log", log_driver, "",
	  "driver (file or none) and maxSize (bytes, then it is rotated once)", .object = &log_object)
	V(OPTIONS, MOORAGE("options"), options, "KEY=VALUE for the backend")
	J(NATIVE, MOORAGE("native"), native_json, "verbatim keys of a backend's own configuration")
};

_Static_assert(ARRAY_SIZE(spec_fields) == MRG_FIELD_MAX, "one row per field");
_Static_assert(MRG_FIELD_MAX <= 64 * MRG_FIELDS_WORDS, "every field has a bit");

const struct mrg_field_info *mrg_field_info(unsigned int field)
{
	return field < MRG_FIELD_MAX ? &spec_fields[field].info : NULL;
}

int mrg_field_find(const char *name)
{
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (strcmp(name, spec_fields[i].info.name) == 0 || strcmp(name, spec_fields[i].info.path) == 0)
			return (int)i;
	return -MRG_E_INVALID;
}

const char *spec_namespace_type(unsigned int field)
{
	if (spec_fields[field].value.type != VALUE_NAMESPACE)
		return NULL;
	return strrchr(spec_fields[field].info.path, '/') + 1;
}
