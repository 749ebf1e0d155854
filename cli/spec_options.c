/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of run, create and update: one table, from which parser, help, completion and spec are made. */

#include "config.h"

#include "cli/spec_build.h"

/* FIELD: straight into a field of the spec. ON: a flag that is a field. SPEC: with a handler of its own. */
#define SPEC(names_, letters_, arg_, apply_, help_, ...)			\
	{ .names = names_, .letters = letters_, .arg = arg_, .help = help_,	\
	  .kind = OPTION_SPEC, .apply = apply_, __VA_ARGS__ }
#define FIELD(names_, letters_, arg_, field_, help_)				\
	SPEC(names_, letters_, arg_, apply_field, help_, .field = MRG_FIELD_##field_)
#define ON(names_, letters_, field_, help_)					\
	SPEC(names_, letters_, NULL, apply_flag, help_, .field = MRG_FIELD_##field_, .value = "yes")
#define NAMESPACE(names_, field_, type_, help_)					\
	SPEC(names_, NULL, "host|private|ns:PATH|container:NAME", apply_namespace, help_,	\
	     .field = MRG_FIELD_##field_, .value = type_)

static const struct option_spec container_options[] = {
	TEXT("name machine", "nM", "NAME", name, "name of the container; made up when not given"),
	TEXT("rootfs directory", "D", "DIR", rootfs, "the root, in place of the operand; a directory, or host"),
	TEXT("from", NULL, "FILE.json", from, "take a whole spec (OCI config.json); no defaults are added"),
	FLAG("replace", NULL, replace, "remove a stopped container of the same name first"),
	FLAG("best-effort", NULL, best_effort, "drop what the backend cannot honour, with a warning"),
	TEXT("cidfile", NULL, "FILE", cidfile, "write the id of the container into a new file"),
	FIELD("label", "l", "KEY=VALUE", LABELS, "label to find it by"),
	FIELD("annotation", NULL, "KEY=VALUE", ANNOTATIONS, "free text for other tools"),
	SPEC("restart", NULL, "POLICY", apply_restart, "no, on-failure, always, unless-stopped", .field = MRG_FIELD_RESTART),
	FIELD("stop-signal kill-signal", NULL, "SIGNAL", STOP_SIGNAL, "signal that asks for the end"),
	FIELD("stop-timeout", NULL, "SECONDS", STOP_TIMEOUT, "time between the stop signal and SIGKILL"),
	SPEC("log-driver", NULL, "file|none", apply_log_driver, "where output goes"),
	SPEC("log-opt", NULL, "max-size=SIZE", apply_log_opt, "size at which the log is rotated"),
	SPEC("opt", NULL, "BACKEND.KEY=VALUE", apply_opt, "option of the backend: 'moorage help backend NAME'"),
	{ 0 }
};

static const struct option_spec stream_options[] = {
	FLAG("detach", "d", detach, "leave it in the background; print its name"),
	FLAG("interactive", "i", interactive, "keep standard input open"),
	FLAG("tty", "t", tty, "give it a terminal"),
	FLAG("rm", NULL, rm, "remove the container when it ends"),
	TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running: 'ctrl-p,ctrl-q'"),
	FLAG("sig-proxy", NULL, sig_proxy, "pass signals on (the default)"),
	TEXT("pidfile", NULL, "FILE", pidfile, "write the pid of the first process into a file"),
	{ 0 }
};

/* create makes what start -ai runs later. */
static const struct option_spec create_stream_options[] = {
	FLAG("interactive", "i", interactive, "keep standard input open"),
	FLAG("tty", "t", tty, "give it a terminal"),
	{ 0 }
};

static const struct option_spec process_options[] = {
	SPEC("env setenv", "eE", "NAME[=VALUE]", apply_env, "environment variable; without a value: yours"),
	SPEC("env-file", NULL, "FILE", apply_env_file, "file of environment variables, one a line"),
	FIELD("user", "u", "NAME|UID[:GROUP]", USER, "run as this user of the container"),
	SPEC("group-add", NULL, "GID", apply_group, "supplementary group"),
	FIELD("workdir chdir", "w", "DIR", CWD, "working directory"),
	TEXT("entrypoint", NULL, "COMMAND", entrypoint, "command in front of the operands"),
	ON("init", NULL, INIT, "moorage-init as first process: reaps, passes signals on (the default)"),
	SPEC("no-init", NULL, NULL, apply_flag, "the command itself as first process", .field = MRG_FIELD_INIT, .value = "no"),
	ON("boot", "b", BOOT, "run the root's own init"),
	FIELD("umask", NULL, "MODE", UMASK, "file mode creation mask, octal"),
	FIELD("oom-score-adj", NULL, "N", OOM_SCORE_ADJ, "how willingly the kernel kills it: -1000 to 1000"),
	SPEC("ulimit rlimit", NULL, "NAME=SOFT[:HARD]", apply_ulimit, "resource limit, getrlimit(2)", .phase = PHASE_AFTER),
	{ 0 }
};

static const struct option_spec file_options[] = {
	SPEC("volume", "v", "SRC:DST[:ro,...]", apply_volume, "a directory or file of the host inside"),
	SPEC("mount", NULL, "type=bind|tmpfs,...", apply_mount, "the same as keys: type, src, dst, ro, tmpfs-size"),
	SPEC("bind", NULL, "SRC[:DST[:OPTIONS]]", apply_bind, "the same as systemd-nspawn has it"),
	SPEC("bind-ro", NULL, "SRC[:DST[:OPTIONS]]", apply_bind, "the same, read-only", .value = "ro"),
	SPEC("tmpfs", NULL, "PATH[:OPTIONS]", apply_tmpfs, "an empty file system in memory"),
	SPEC("shm-size", NULL, "SIZE", apply_shm_size, "size of /dev/shm"),
	ON("read-only", NULL, ROOT_READONLY, "the root cannot be written"),
	ON("ephemeral", "x", EPHEMERAL, "changes to the root are thrown away at the end"),
	SPEC("device", NULL, "SRC[:DST[:rwm]]", apply_device, "a device of the host inside", .phase = PHASE_AFTER),
	{ 0 }
};

static const struct option_spec limit_options[] = {
	FIELD("memory", "m", "SIZE", MEMORY_LIMIT, "most memory: 64M, 2G"),
	FIELD("memory-swap", NULL, "SIZE", MEMORY_SWAP, "most memory and swap together; -1: unlimited"),
	FIELD("memory-reservation", NULL, "SIZE", MEMORY_RESERVATION, "memory that is reclaimed last"),
	SPEC("cpus", NULL, "N", apply_cpus, "most CPU time: 0.5 is half a core"),
	FIELD("cpu-shares", "c", "N", CPU_SHARES, "share of the CPU among siblings; 1024 is usual"),
	FIELD("cpu-quota", NULL, "USEC", CPU_QUOTA, "CPU time per period"),
	FIELD("cpu-period", NULL, "USEC", CPU_PERIOD, "length of the period"),
	FIELD("cpuset-cpus", NULL, "LIST", CPUSET_CPUS, "CPUs it may use: 0-3,7"),
	FIELD("cpuset-mems", NULL, "LIST", CPUSET_MEMS, "memory nodes it may use"),
	FIELD("pids-limit", NULL, "N", PIDS_LIMIT, "most processes and threads; -1: unlimited"),
	FIELD("io-weight blkio-weight", NULL, "N", IO_WEIGHT, "share of the I/O among siblings: 10-1000"),
	SPEC("device-read-bps", NULL, "DEVICE:RATE", apply_rate, "bytes read per second", .field = MRG_FIELD_IO_READ_BPS),
	SPEC("device-write-bps", NULL, "DEVICE:RATE", apply_rate, "bytes written per second",
	     .field = MRG_FIELD_IO_WRITE_BPS),
	SPEC("device-read-iops", NULL, "DEVICE:RATE", apply_rate, "reads per second", .field = MRG_FIELD_IO_READ_IOPS),
	SPEC("device-write-iops", NULL, "DEVICE:RATE", apply_rate, "writes per second", .field = MRG_FIELD_IO_WRITE_IOPS),
	{ 0 }
};

static const struct option_spec parent_options[] = {
	FIELD("cgroup-parent slice", NULL, "PATH", CGROUPS_PATH, "cgroup below which that of the container is made"),
	{ 0 }
};

static const struct option_spec isolation_options[] = {
	SPEC("network net", NULL, "host|none|ns:PATH|container:NAME", apply_namespace,
	     "network: none is loopback only (the default)", .field = MRG_FIELD_NS_NETWORK, .value = "net"),
	FIELD("hostname", NULL, "NAME", HOSTNAME, "host name inside"),
	NAMESPACE("pid", NS_PID, "pid", "processes it sees"),
	NAMESPACE("ipc", NS_IPC, "ipc", "System V IPC and message queues"),
	NAMESPACE("uts", NS_UTS, "uts", "host name"),
	NAMESPACE("cgroupns", NS_CGROUP, "cgroup", "cgroups it sees"),
	SPEC("userns", NULL, "host|auto|uidmap=C:H:SIZE,...", apply_userns, "users: auto maps them to unused ones"),
	SPEC("private-users", "U", NULL, apply_userns, "the same as --userns auto", .value = "auto"),
	SPEC("cap-add capability", NULL, "CAP|ALL", apply_cap_add, "add a capability", .phase = PHASE_AFTER),
	SPEC("cap-drop drop-capability", NULL, "CAP|ALL", apply_cap_drop, "take a capability away", .phase = PHASE_DROP),
	SPEC("security-opt", NULL, "OPTION", apply_security,
	     "no-new-privileges[=yes|no], seccomp=FILE|unconfined, mask=PATH, unmask=ALL|PATH", .phase = PHASE_AFTER),
	SPEC("privileged", NULL, NULL, apply_privileged, "all capabilities and devices, no filter, no masks: no isolation",
	     .phase = PHASE_PRIVILEGED),
	FIELD("sysctl", NULL, "KEY=VALUE", SYSCTL, "kernel parameter of its namespaces"),
	{ 0 }
};

#define NETWORKS	"needs networks: not in this version"
#define IMAGES		"needs images: not in this version"
#define NOT_YET		"not in this version"

static const struct option_spec later_options[] = {
	LATER("publish port", "p", "PORT", NETWORKS), LATER("publish-all", NULL, NULL, NETWORKS),
	LATER("ip", NULL, "ADDRESS", NETWORKS), LATER("ip6", NULL, "ADDRESS", NETWORKS),
	LATER("mac-address", NULL, "ADDRESS", NETWORKS), LATER("dns", NULL, "ADDRESS", NETWORKS),
	LATER("dns-search", NULL, "DOMAIN", NETWORKS), LATER("add-host", NULL, "HOST:IP", NETWORKS),
	LATER("network-alias", NULL, "NAME", NETWORKS), LATER("expose", NULL, "PORT", NETWORKS),
	LATER("network-veth", NULL, NULL, NETWORKS), LATER("network-zone", NULL, "NAME", NETWORKS),
	LATER("pull", NULL, "POLICY", IMAGES), LATER("platform", NULL, "PLATFORM", IMAGES),
	LATER("arch", NULL, "ARCH", IMAGES), LATER("image", NULL, "IMAGE", IMAGES),
	LATER("template", NULL, "NAME", IMAGES),
	LATER("bundle", NULL, "DIR",
	      "not in this version; 'moorage create --from DIR/config.json --rootfs DIR/rootfs' is near"),
	LATER("storage", NULL, "TYPE", NOT_YET), LATER("overlay", NULL, "PATHS", NOT_YET),
	LATER("secret", NULL, "NAME", NOT_YET),
	LATER("load-credential", NULL, "ID:PATH", NOT_YET), LATER("health-cmd", NULL, "COMMAND", NOT_YET),
	LATER("health-interval", NULL, "TIME", NOT_YET), LATER("health-retries", NULL, "N", NOT_YET),
	LATER("health-timeout", NULL, "TIME", NOT_YET),
	LATER("define", "s", "KEY=VALUE", "verbatim keys of a backend: not in this version"),
	LATER("systemd", NULL, "MODE", "not in this version; '--boot' runs a systemd root"),
	LATER("gpus", NULL, "DEVICES", "not in this version; '--device' passes a device on"),
	LATER("volumes-from", NULL, "NAME", NOT_YET),
	{ 0 }
};

const struct option_table run_tables[] = {
	{ "Container", container_options }, { "Streams and end", stream_options }, { "Process", process_options },
	{ "Files and devices", file_options }, { "Limits", limit_options }, { "Parent", parent_options },
	{ "Isolation", isolation_options }, { "Not in this version", later_options }, { NULL, NULL },
};

const struct option_table create_tables[] = {
	{ "Container", container_options }, { "Streams", create_stream_options }, { "Process", process_options },
	{ "Files and devices", file_options }, { "Limits", limit_options }, { "Parent", parent_options },
	{ "Isolation", isolation_options }, { "Not in this version", later_options }, { NULL, NULL },
};

static const struct option_spec name_options[] = {
	TEXT("name machine", "nM", "NAME", name, "the container, in place of the operand"),
	{ 0 }
};

const struct option_table update_tables[] = {
	{ "Container", name_options }, { "Limits", limit_options }, { NULL, NULL },
};
