/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_SPEC_H
#define MOORAGE_SPEC_H

/*
 * The spec of a container: an OCI runtime-spec 1.2 config.json plus one
 * top-level object "moorage" for what OCI lacks.
 *
 * Every field stands once in a table (core/spec/table.c) with its id, JSON path,
 * type, range and one line of documentation; parsing, emission, validation,
 * "moorage help spec", the support matrix and every loss report are made from
 * that table. moorage-spec(5) is generated from it.
 *
 * struct mrg_spec holds the values. A field counts as asked for exactly when
 * its bit in @set is set; a member whose bit is clear is zero. Strings and
 * arrays belong to the spec and live until mrg_spec_free().
 */

#include <stddef.h>
#include <stdint.h>
#include <moorage/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Field ids: part of the plugin ABI, append-only, never reused. */
enum mrg_field {
	MRG_FIELD_HOSTNAME,			/* /hostname */
	MRG_FIELD_DOMAINNAME,			/* /domainname */
	MRG_FIELD_ROOT_PATH,			/* /root/path */
	MRG_FIELD_ROOT_READONLY,		/* /root/readonly */
	MRG_FIELD_MOUNTS,			/* /mounts */
	MRG_FIELD_TERMINAL,			/* /process/terminal */
	MRG_FIELD_CONSOLE_SIZE,			/* /process/consoleSize */
	MRG_FIELD_UID,				/* /process/user/uid */
	MRG_FIELD_GID,				/* /process/user/gid */
	MRG_FIELD_UMASK,			/* /process/user/umask */
	MRG_FIELD_ADDITIONAL_GIDS,		/* /process/user/additionalGids */
	MRG_FIELD_ARGS,				/* /process/args */
	MRG_FIELD_ENV,				/* /process/env */
	MRG_FIELD_CWD,				/* /process/cwd */
	MRG_FIELD_CAP_BOUNDING,			/* /process/capabilities/bounding */
	MRG_FIELD_CAP_EFFECTIVE,		/* /process/capabilities/effective */
	MRG_FIELD_CAP_INHERITABLE,		/* /process/capabilities/inheritable */
	MRG_FIELD_CAP_PERMITTED,		/* /process/capabilities/permitted */
	MRG_FIELD_CAP_AMBIENT,			/* /process/capabilities/ambient */
	MRG_FIELD_RLIMITS,			/* /process/rlimits */
	MRG_FIELD_NO_NEW_PRIVILEGES,		/* /process/noNewPrivileges */
	MRG_FIELD_OOM_SCORE_ADJ,		/* /process/oomScoreAdj */
	MRG_FIELD_APPARMOR_PROFILE,		/* /process/apparmorProfile */
	MRG_FIELD_SELINUX_LABEL,		/* /process/selinuxLabel */
	MRG_FIELD_SCHEDULER,			/* /process/scheduler */
	MRG_FIELD_IO_PRIORITY,			/* /process/ioPriority */
	MRG_FIELD_EXEC_CPU_AFFINITY,		/* /process/execCPUAffinity */
	MRG_FIELD_NS_PID,			/* /linux/namespaces, item of type "pid" */
	MRG_FIELD_NS_MOUNT,
	MRG_FIELD_NS_UTS,
	MRG_FIELD_NS_IPC,
	MRG_FIELD_NS_NETWORK,
	MRG_FIELD_NS_USER,
	MRG_FIELD_NS_CGROUP,
	MRG_FIELD_NS_TIME,
	MRG_FIELD_UID_MAPPINGS,			/* /linux/uidMappings */
	MRG_FIELD_GID_MAPPINGS,			/* /linux/gidMappings */
	MRG_FIELD_DEVICES,			/* /linux/devices: nodes to make */
	MRG_FIELD_CGROUPS_PATH,			/* /linux/cgroupsPath */
	MRG_FIELD_DEVICE_RULES,			/* /linux/resources/devices */
	MRG_FIELD_MEMORY_LIMIT,			/* /linux/resources/memory/limit, bytes */
	MRG_FIELD_MEMORY_RESERVATION,		/* .../memory/reservation, bytes */
	MRG_FIELD_MEMORY_SWAP,			/* .../memory/swap, bytes, memory included (OCI) */
	MRG_FIELD_MEMORY_SWAPPINESS,		/* .../memory/swappiness, 0-100, v1 only */
	MRG_FIELD_MEMORY_DISABLE_OOM_KILLER,	/* .../memory/disableOOMKiller, v1 only */
	MRG_FIELD_CPU_SHARES,			/* .../cpu/shares, 2-262144 */
	MRG_FIELD_CPU_QUOTA,			/* .../cpu/quota, microseconds per period */
	MRG_FIELD_CPU_PERIOD,			/* .../cpu/period, microseconds */
	MRG_FIELD_CPU_BURST,			/* .../cpu/burst, microseconds */
	MRG_FIELD_CPU_IDLE,			/* .../cpu/idle, 0 or 1 */
	MRG_FIELD_CPUSET_CPUS,			/* .../cpu/cpus, a list such as "0-3,7" */
	MRG_FIELD_CPUSET_MEMS,			/* .../cpu/mems */
	MRG_FIELD_PIDS_LIMIT,			/* .../pids/limit */
	MRG_FIELD_IO_WEIGHT,			/* .../blockIO/weight, 10-1000 */
	MRG_FIELD_IO_READ_BPS,			/* .../blockIO/throttleReadBpsDevice, bytes per second */
	MRG_FIELD_IO_WRITE_BPS,			/* .../blockIO/throttleWriteBpsDevice */
	MRG_FIELD_IO_READ_IOPS,			/* .../blockIO/throttleReadIOPSDevice */
	MRG_FIELD_IO_WRITE_IOPS,		/* .../blockIO/throttleWriteIOPSDevice */
	MRG_FIELD_HUGEPAGE_LIMITS,		/* .../hugepageLimits */
	MRG_FIELD_NETWORK_CLASS,		/* .../network */
	MRG_FIELD_RDMA,				/* .../rdma */
	MRG_FIELD_UNIFIED,			/* .../unified: cgroup v2 files by name */
	MRG_FIELD_ROOTFS_PROPAGATION,		/* /linux/rootfsPropagation */
	MRG_FIELD_SECCOMP,			/* /linux/seccomp: a whole OCI profile */
	MRG_FIELD_SYSCTL,			/* /linux/sysctl */
	MRG_FIELD_MASKED_PATHS,			/* /linux/maskedPaths */
	MRG_FIELD_READONLY_PATHS,		/* /linux/readonlyPaths */
	MRG_FIELD_MOUNT_LABEL,			/* /linux/mountLabel */
	MRG_FIELD_INTEL_RDT,			/* /linux/intelRdt */
	MRG_FIELD_PERSONALITY,			/* /linux/personality */
	MRG_FIELD_TIME_OFFSETS,			/* /linux/timeOffsets */
	MRG_FIELD_HOOKS,			/* /hooks */
	MRG_FIELD_ANNOTATIONS,			/* /annotations */
	MRG_FIELD_BOOT,				/* /moorage/boot: run the root's own init */
	MRG_FIELD_INIT,				/* /moorage/init: moorage-init as PID 1 of an application container */
	MRG_FIELD_STDIN,			/* /moorage/stdin: keep standard input open */
	MRG_FIELD_USER,				/* /moorage/user: "name[:group]", looked up in the root at start */
	MRG_FIELD_EPHEMERAL,			/* /moorage/ephemeral: throw-away overlay over the root */
	MRG_FIELD_SECCOMP_PROFILE,		/* /moorage/seccompProfile: "default", "boot" or "unconfined" */
	MRG_FIELD_NETWORKS,			/* /moorage/networks */
	MRG_FIELD_PUBLISH,			/* /moorage/publish */
	MRG_FIELD_AUTOSTART,			/* /moorage/autostart */
	MRG_FIELD_RESTART,			/* /moorage/restart */
	MRG_FIELD_STOP_SIGNAL,			/* /moorage/stop/signal */
	MRG_FIELD_STOP_TIMEOUT,			/* /moorage/stop/timeout, seconds */
	MRG_FIELD_HEALTH,			/* /moorage/health */
	MRG_FIELD_IMAGE,			/* /moorage/image */
	MRG_FIELD_VOLUMES,			/* /moorage/volumes */
	MRG_FIELD_LABELS,			/* /moorage/labels */
	MRG_FIELD_LOG,				/* /moorage/log: driver and size of the log */
	MRG_FIELD_OPTIONS,			/* /moorage/options: "key=value" for the backend */
	MRG_FIELD_NATIVE,			/* /moorage/native: verbatim keys of a backend's own config */
	MRG_FIELD_MAX				/* not an id */
};

#define MRG_FIELDS_WORDS	4

/* A set of fields: bit id % 64 of word id / 64. Frozen: embedded and arrayed. */
struct mrg_fields {
	uint64_t word[MRG_FIELDS_WORDS];
};

/* Ends the list of fields in a plugin's table. */
#define MRG_FIELD_END	0xffff

static inline int mrg_fields_has(const struct mrg_fields *fields, unsigned int id)
{
	return (int)(fields->word[id / 64] >> (id % 64) & 1);
}

static inline void mrg_fields_add(struct mrg_fields *fields, unsigned int id)
{
	fields->word[id / 64] |= UINT64_C(1) << (id % 64);
}

static inline void mrg_fields_remove(struct mrg_fields *fields, unsigned int id)
{
	fields->word[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

/* The elements of lists. All frozen: they form arrays. */

struct mrg_pair {			/* a member of an object used as a map */
	const char *key;
	const char *value;
};

struct mrg_id_mapping {			/* user_namespaces(7) */
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct mrg_mount {
	const char *destination;	/* absolute, in the container */
	const char *type;		/* NULL: "bind" if options have bind or rbind */
	const char *source;		/* on the host; NULL: none */
	char **options;			/* mount(8) spellings, NULL-terminated; may be NULL */
	struct { struct mrg_id_mapping *item; size_t n; } uid_mappings, gid_mappings;
};

struct mrg_rlimit {
	const char *type;		/* "RLIMIT_NOFILE" ... of getrlimit(2) */
	uint64_t hard, soft;		/* UINT64_MAX: unlimited */
};

struct mrg_device {
	const char *path;		/* absolute, in the container */
	const char *type;		/* "c", "b", "u" or "p" */
	int64_t major, minor;
	uint32_t file_mode, uid, gid;	/* file_mode 0: 0666 */
};

struct mrg_device_rule {
	int allow;
	const char *type;		/* "a", "c" or "b"; NULL: "a" */
	int64_t major, minor;		/* -1: all */
	const char *access;		/* of "rwm"; NULL: all */
};

struct mrg_io_limit {
	int64_t major, minor;
	uint64_t rate;
};

struct mrg_hugepage_limit {
	const char *page_size;		/* "2MB" */
	uint64_t limit;			/* bytes */
};

struct mrg_seccomp_arg {
	uint32_t index;			/* 0-5 */
	uint64_t value, value_two;
	const char *op;			/* "SCMP_CMP_EQ" ... */
};

struct mrg_seccomp_syscall {
	char **names;
	const char *action;		/* "SCMP_ACT_ALLOW" ... */
	uint32_t errno_ret;		/* 0: EPERM */
	struct { struct mrg_seccomp_arg *item; size_t n; } args;
};

struct mrg_seccomp {
	const char *default_action;
	uint32_t default_errno_ret;	/* 0: EPERM */
	char **architectures;
	char **flags;
	const char *listener_path, *listener_metadata;
	struct { struct mrg_seccomp_syscall *item; size_t n; } syscalls;
};

/* The values. The core allocates it and passes it by pointer: new members are
 * appended. Lists are { item, n }; string arrays are NULL-terminated and NULL
 * when empty; members called json hold compact JSON text, checked to be of the
 * documented type and otherwise kept verbatim. */
struct mrg_spec {
	struct mrg_fields set;		/* which fields below are asked for */
	void *arena;			/* the memory of this spec; of no use to plugins */

	const char *hostname, *domainname;
	const char *root_path;		/* absolute after mrg_spec_check() */
	int root_readonly;
	struct { struct mrg_mount *item; size_t n; } mounts;

	int terminal;
	uint32_t console_height, console_width;
	uint32_t uid, gid, umask;
	struct { uint32_t *item; size_t n; } additional_gids;
	char **args, **env;
	const char *cwd;
	uint64_t cap_bounding, cap_effective, cap_inheritable, cap_permitted, cap_ambient; /* bit n: capability n */
	struct { struct mrg_rlimit *item; size_t n; } rlimits;
	int no_new_privileges;
	int oom_score_adj;
	const char *apparmor_profile, *selinux_label;
	const char *scheduler_json, *io_priority_json, *exec_cpu_affinity_json;

	/* NULL: shared with the host; "": a new one; else the path of one to join. */
	const char *ns_pid, *ns_mount, *ns_uts, *ns_ipc, *ns_network, *ns_user, *ns_cgroup, *ns_time;
	struct { struct mrg_id_mapping *item; size_t n; } uid_mappings, gid_mappings;
	struct { struct mrg_device *item; size_t n; } devices;
	const char *cgroups_path;
	struct { struct mrg_device_rule *item; size_t n; } device_rules;
	int64_t memory_limit, memory_reservation, memory_swap;	/* bytes; -1: unlimited */
	uint64_t memory_swappiness;
	int memory_disable_oom_killer;
	uint64_t cpu_shares;
	int64_t cpu_quota;
	uint64_t cpu_period, cpu_burst;
	int64_t cpu_idle;
	const char *cpuset_cpus, *cpuset_mems;
	int64_t pids_limit;		/* <= 0: unlimited */
	uint32_t io_weight;
	struct { struct mrg_io_limit *item; size_t n; } io_read_bps, io_write_bps, io_read_iops, io_write_iops;
	struct { struct mrg_hugepage_limit *item; size_t n; } hugepage_limits;
	const char *network_class_json, *rdma_json;
	struct { struct mrg_pair *item; size_t n; } unified;
	const char *rootfs_propagation;
	struct mrg_seccomp *seccomp;
	struct { struct mrg_pair *item; size_t n; } sysctl;
	char **masked_paths, **readonly_paths;
	const char *mount_label, *intel_rdt_json, *personality_json, *time_offsets_json;
	const char *hooks_json;
	struct { struct mrg_pair *item; size_t n; } annotations;

	int boot, init, stdin_open;
	const char *user;
	int ephemeral;
	const char *seccomp_profile;
	const char *networks_json, *publish_json;
	int autostart;
	const char *restart;
	const char *stop_signal;	/* "SIGTERM", "TERM" or a number */
	uint32_t stop_timeout;		/* seconds */
	const char *health_json, *image_json, *volumes_json;
	struct { struct mrg_pair *item; size_t n; } labels;
	const char *log_driver;		/* "file" or "none" */
	uint64_t log_max_size;		/* bytes, then the file is rotated once; 0: the default */
	char **options;
	const char *native_json;
};

/* An empty spec, no field set. NULL when memory runs out. Freed with mrg_spec_free(). */
struct mrg_spec *mrg_spec_new(void);

/* Frees @spec (may be NULL) with everything in it. Returns NULL. */
struct mrg_spec *mrg_spec_free(struct mrg_spec *spec);

/* Memory that lives as long as @spec, zeroed; NULL when memory runs out. For whoever fills lists. */
void *mrg_spec_alloc(struct mrg_spec *spec, size_t size);

/* A copy of @text that lives as long as @spec; NULL when memory runs out. */
char *mrg_spec_strdup(struct mrg_spec *spec, const char *text);

/* A deep copy of @spec. */
int mrg_spec_copy(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err);

/* Puts copies of all fields set in @from into @to, in place of its own. */
int mrg_spec_merge(struct mrg_spec *to, const struct mrg_spec *from, struct mrg_error *err);

/*
 * Reads a spec from @length bytes of JSON text. At most 4 MiB, 64 levels, no
 * duplicate keys, no bytes that are not UTF-8. Errors name the place as a JSON
 * pointer (RFC 6901) and the rule: "/process/args/0: must be a string". An
 * unknown key is an error too, named the same way; keys below
 * /moorage/native and other values kept verbatim are not looked into.
 */
int mrg_spec_parse(const char *text, size_t length, struct mrg_spec **ret, struct mrg_error *err);

/* Writes @spec as JSON text, fields in table order, @indent spaces a level (0:
 * one line). The caller frees *ret. Parsing what was written gives the same spec. */
int mrg_spec_emit(const struct mrg_spec *spec, int indent, char **ret, struct mrg_error *err);

/* Checks what single fields cannot tell: fields that need or exclude each other, paths,
 * names, environment, id maps (no overlap, no wrap, at most 340 lines), sysctls per namespace (a sysctl
 * of the host's is refused). What create, import and update call on the final spec. */
int mrg_spec_check(const struct mrg_spec *spec, struct mrg_error *err);

/* Sets one field from text as typed by a user and marks it as set: "64M" for sizes, "yes" for booleans, octal for modes,
 * "host", "private" or a path for namespaces, "CHOWN,KILL", "all" or "none" for capabilities; string and number arrays are
 * appended to, maps take KEY=VALUE; all other types take JSON. */
int mrg_spec_set(struct mrg_spec *spec, enum mrg_field field, const char *text, struct mrg_error *err);

/* Appends @item (strings in it are copied) to the mounts. */
int mrg_spec_add_mount(struct mrg_spec *spec, const struct mrg_mount *item, struct mrg_error *err);
int mrg_spec_add_device(struct mrg_spec *spec, const struct mrg_device *item, struct mrg_error *err);
int mrg_spec_add_device_rule(struct mrg_spec *spec, const struct mrg_device_rule *item, struct mrg_error *err);
int mrg_spec_add_rlimit(struct mrg_spec *spec, const struct mrg_rlimit *item, struct mrg_error *err);
int mrg_spec_add_gid(struct mrg_spec *spec, uint32_t gid, struct mrg_error *err);
int mrg_spec_add_uid_mapping(struct mrg_spec *spec, const struct mrg_id_mapping *item, struct mrg_error *err);
int mrg_spec_add_gid_mapping(struct mrg_spec *spec, const struct mrg_id_mapping *item, struct mrg_error *err);

/* Fills in the hardened defaults ("app", or "boot" when @spec->boot is set) for every field
 * that is not set and that is in @able (NULL: all): mounts of the API file systems go in front of
 * those already there, namespaces, capabilities, masked and read-only paths, device rules,
 * rlimits, environment, cwd, pids limit, no_new_privs, seccomp profile, init, stop signal. */
int mrg_spec_default(struct mrg_spec *spec, const struct mrg_fields *able, struct mrg_error *err);

/* What the table says of one field. Constant. */
struct mrg_field_info {
	const char *name;		/* "linux.resources.memory.limit": the path with dots */
	const char *path;		/* "/linux/resources/memory/limit" */
	const char *type;		/* "bytes", "string", "boolean", "list of mount", ... */
	const char *range;		/* "0-100", "SIGTERM|...", or "" */
	const char *help;		/* one line */
};

/* The row of @field, or NULL beyond the last. */
const struct mrg_field_info *mrg_field_info(unsigned int field);

/* The field named @name (dotted name or JSON pointer), -MRG_E_INVALID if there is none. */
int mrg_field_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
