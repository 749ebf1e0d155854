/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with a fact, how bad it is there, and what changes it. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/probe.h"
#include "core/util/str.h"

#define NONE	MRG_SEVERITY_NONE
#define INFO	MRG_SEVERITY_INFO
#define LOW	MRG_SEVERITY_LOW
#define MEDIUM	MRG_SEVERITY_MEDIUM
#define HIGH	MRG_SEVERITY_HIGH
#define CRITICAL MRG_SEVERITY_CRITICAL

/* What holds for one item, or for all that begin with it. */
struct grade {
	const char *item;
	int severity;
};

struct audit_check {
	const char *name, *title;
	int (*judge)(const struct audit_reading *r, const struct mrg_audit_fact *fact);
	const char *advice[MAKER_MAX];	/* with {item} and {lower}; NULL: nothing does there */
};

/* Root of the host could do it; root of a user namespace of its own is stopped by the owner of the file or by the namespace of the right. */
static int milder(const struct audit_reading *r, int severity)
{
	return r->host_root || severity <= INFO ? severity : severity > MEDIUM ? severity - 2 : INFO;
}

/* The same of a right that holds over a user namespace alone, whoever is mapped there. */
static int over_users(const struct audit_reading *r, int severity)
{
	return !r->own_users || severity <= INFO ? severity : severity > MEDIUM ? severity - 2 : INFO;
}

static int graded(const struct grade *grades, size_t n, const char *item, int otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(grades[i].item, item) == 0)
			return grades[i].severity;
	return otherwise;
}

/* What is in the bounding set alone is got by executing something, which no_new_privs makes void. */
static bool may(const struct audit_reading *r, const char *capability)
{
	uint64_t within = r->status.caps[r->status.no_new_privs > 0 ? AUDIT_PERMITTED : AUDIT_BOUNDING];
	int number = parse_capability(capability);

	return number < 0 || within >> number & 1;
}

/* What the kernel asks of the host's own user namespace alone. */
static bool may_on_host(const struct audit_reading *r, const char *capability)
{
	return !r->own_users && may(r, capability);
}

/* ---- judges ------------------------------------------------------------------------------------- */

static int judge_namespace(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct grade grades[] = {
		{ "mnt", HIGH }, { "pid", HIGH }, { "net", HIGH }, { "ipc", MEDIUM }, { "uts", MEDIUM }, { "cgroup", LOW }, { "user", INFO }, { "time", INFO },
	};

	(void)r;
	return graded(grades, ARRAY_SIZE(grades), fact->item, LOW);
}

static int judge_capability(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct grade grades[] = {
		/* the hardened default for applications */
		{ "CHOWN", NONE }, { "DAC_OVERRIDE", NONE }, { "FOWNER", NONE }, { "FSETID", NONE }, { "KILL", NONE }, { "SETGID", NONE }, { "SETUID", NONE },
		{ "SETPCAP", NONE }, { "SETFCAP", NONE }, { "NET_BIND_SERVICE", NONE }, { "SYS_CHROOT", NONE },
		/* each of these is enough to take over the host */
		{ "SYS_ADMIN", CRITICAL }, { "SYS_MODULE", CRITICAL }, { "SYS_RAWIO", CRITICAL }, { "BPF", CRITICAL },
		{ "SYS_PTRACE", HIGH }, { "DAC_READ_SEARCH", HIGH }, { "SYS_BOOT", HIGH }, { "MAC_ADMIN", HIGH }, { "MAC_OVERRIDE", HIGH }, { "PERFMON", HIGH },
		{ "NET_ADMIN", HIGH }, { "SYS_TIME", HIGH }, { "MKNOD", MEDIUM }, { "CHECKPOINT_RESTORE", HIGH }, { "AUDIT_CONTROL", HIGH }, { "SYSLOG", MEDIUM },
		{ "NET_RAW", MEDIUM }, { "SYS_RESOURCE", MEDIUM }, { "IPC_OWNER", MEDIUM }, { "SYS_NICE", MEDIUM }, { "LINUX_IMMUTABLE", MEDIUM },
		{ "SYS_PACCT", MEDIUM }, { "AUDIT_READ", MEDIUM }, { "SYS_TTY_CONFIG", MEDIUM },
	};

	int severity = over_users(r, graded(grades, ARRAY_SIZE(grades), fact->item, LOW));

	return severity > INFO && !may(r, fact->item) ? INFO : severity;
}

static int judge_host_root(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	(void)fact;
	/* A user namespace that maps the host's root protects from nothing, though it looks as if. */
	return r->own_users ? NONE : INFO;
}

static int judge_map(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	(void)r;
	return fact->exposure > 1 ? HIGH : LOW;
}

/* Its own limit on open files, or on memory that is locked, is what the default sets or less. */
static int judge_rlimit(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct {
		const char *item;
		uint64_t most;
		int severity;
	} rows[] = {
		{ "CORE", 0, LOW }, { "MEMLOCK", 64 << 20, LOW }, { "NOFILE", 1 << 20, LOW }, { "RTPRIO", 0, LOW }, { "NICE", 20, LOW },
		{ "MSGQUEUE", 64 << 20, LOW },
	};

	(void)r;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].item, fact->item) == 0)
			return fact->exposure > rows[i].most ? rows[i].severity : NONE;
	return NONE;
}

static int judge_limit(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	(void)r;
	if (fact->exposure != UINT64_MAX)
		return NONE;
	return strcmp(fact->item, "pids") == 0 ? MEDIUM : INFO;
}

static int judge_writable(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct grade grades[] = {
		{ "/proc/sys", CRITICAL }, { "/proc/sysrq-trigger", HIGH }, { "/sys", HIGH }, { "/proc/irq", MEDIUM }, { "/proc/bus", MEDIUM },
		{ "/proc/fs", MEDIUM }, { "/proc/mtrr", MEDIUM },
	};

	/* The one of these that asks for a capability. */
	if (strcmp(fact->item, "/proc/mtrr") == 0 && !may_on_host(r, "SYS_ADMIN"))
		return NONE;
	return milder(r, graded(grades, ARRAY_SIZE(grades), fact->item, HIGH));
}

/* With that right a release_agent of cgroup v1 is a program that the host runs; without, a container can raise its own limits. */
static int judge_cgroup(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	if (fact->exposure != 2 && may_on_host(r, "SYS_ADMIN"))
		return milder(r, CRITICAL);
	return fact->exposure > 1 ? milder(r, MEDIUM) : INFO;
}

static int judge_visible(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct grade grades[] = {
		{ "/proc/kcore", HIGH }, { "/sys/kernel/security", HIGH }, { "/sys/kernel/debug", HIGH }, { "/sys/kernel/tracing", HIGH }, { "/sys/fs/bpf", HIGH },
		{ "/proc/kallsyms", MEDIUM }, { "/proc/keys", MEDIUM }, { "/sys/firmware", MEDIUM }, { "/sys/devices/virtual/powercap", MEDIUM },
		{ "/proc/timer_list", MEDIUM }, { "/proc/config.gz", LOW }, { "/proc/interrupts", LOW },
	};
	int severity = graded(grades, ARRAY_SIZE(grades), fact->item, LOW);

	if (fact->exposure == UINT64_MAX)
		return INFO;
	return r->host_root || severity < HIGH ? severity : MEDIUM;
}

static int judge_device(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	/* A tunnel belongs to a network, and is made by whoever may change it. */
	if (strncmp(fact->value, "c 10:200,", 9) == 0 && !may(r, "NET_ADMIN"))
		return INFO;
	return milder(r, (int)fact->exposure);
}

/* A device without a node is reached by whoever can make one. */
static int judge_rule(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	int severity = strcmp(fact->check, "device-rules") == 0 ? CRITICAL : (int)fact->exposure;

	/* Each number is told by the fact that there is no rule. */
	if (strcmp(fact->check, "probe-rule") == 0 && r->all_devices)
		return NONE;
	return may_on_host(r, "MKNOD") ? milder(r, severity) : strcmp(fact->check, "device-rules") == 0 ? milder(r, MEDIUM) : INFO;
}

/* The path on the host stands in the value, in quotes. */
static int judge_host_path(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const struct {
		const char *path;
		bool below;
		int writable, readonly;
	} rows[] = {
		{ "/run/systemd/nspawn", true, INFO, INFO }, { "/etc/resolv.conf", false, MEDIUM, INFO }, { "/etc/hosts", false, MEDIUM, INFO },
		{ "/etc/hostname", false, MEDIUM, INFO }, { "/etc/localtime", false, MEDIUM, INFO }, { "/", false, CRITICAL, HIGH },
		{ "/etc", true, CRITICAL, MEDIUM }, { "/root", true, CRITICAL, HIGH }, { "/boot", true, CRITICAL, LOW }, { "/usr", true, CRITICAL, INFO },
		{ "/bin", true, CRITICAL, INFO }, { "/sbin", true, CRITICAL, INFO }, { "/lib", true, CRITICAL, INFO }, { "/lib64", true, CRITICAL, INFO },
		{ "/proc", true, CRITICAL, HIGH }, { "/sys", true, CRITICAL, MEDIUM }, { "/dev", false, CRITICAL, HIGH }, { "/dev/pts", true, HIGH, MEDIUM },
		{ "/dev/shm", true, MEDIUM, LOW }, { "/run", false, CRITICAL, HIGH }, { "/var", false, CRITICAL, MEDIUM }, { "/var/lib", false, CRITICAL, MEDIUM },
		{ "/var/lib/docker", true, CRITICAL, HIGH }, { "/var/lib/containers", true, CRITICAL, HIGH }, { "/var/lib/lxc", true, CRITICAL, HIGH },
		{ "/var/lib/machines", true, CRITICAL, HIGH }, { "/var/lib/libvirt", true, CRITICAL, HIGH }, { "/var/lib/moorage", true, CRITICAL, HIGH },
		{ "/var/spool/cron", true, CRITICAL, LOW }, { "/var/log", true, MEDIUM, MEDIUM }, { "/home", false, HIGH, MEDIUM }, { "/opt", false, HIGH, LOW },
		{ "/run/moorage", true, CRITICAL, INFO }, { "/tmp", false, MEDIUM, LOW }, { "/var/tmp", false, MEDIUM, LOW },
	};
	const char *start = fact->value + 1, *end = strstr(start, "' of the host");
	_cleanup_free_ char *host = end ? strndup(start, (size_t)(end - start)) : NULL;

	(void)r;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && host; i++)
		if (rows[i].below ? audit_is_below(host, rows[i].path) : strcmp(host, rows[i].path) == 0)
			return fact->exposure > 1 ? milder(r, rows[i].writable) : milder(r, rows[i].readonly);
	return fact->exposure > 1 ? LOW : INFO;
}

/* The names of sockets behind which somebody acts as root. */
static int judge_socket(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	static const char *const names[] = { "docker.sock", "podman.sock", "containerd.sock", "crio.sock", "libvirt-sock", "private", "system_bus_socket",
					     "unix.socket", "moorage.sock" };
	const char *name = strrchr(fact->item, '/');

	(void)r;
	for (size_t i = 0; i < ARRAY_SIZE(names) && name; i++)
		if (strcmp(name + 1, names[i]) == 0 || strstr(fact->value, names[i]))
			return CRITICAL;
	return MEDIUM;
}

static int judge_inheritable(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	return judge_capability(r, fact) > LOW ? MEDIUM : LOW;
}

/* Kernel file systems hold no programs and no devices; programs do nothing with a flag that no_new_privs makes void. */
static int judge_flags(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	bool files = strcmp(fact->item, "/dev") == 0 || strcmp(fact->item, "/dev/shm") == 0;

	return files && r->status.no_new_privs <= 0 ? LOW : INFO;
}

static int judge_terminal(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	(void)fact;
	return r->status.seccomp == 2 ? MEDIUM : HIGH;
}

/* What was tried. What is not known is told, no more. */
static int judge_probe(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	const struct audit_probe_row *row = audit_probe_find(fact->item);

	if (!row || fact->exposure == UINT64_MAX)
		return INFO;
	/* Written by whoever has this right on the host, though others may open it. */
	if (strcmp(row->name, "release-agent") == 0 && !may_on_host(r, "SYS_ADMIN"))
		return INFO;
	return row->capability ? over_users(r, row->severity) : milder(r, row->severity);
}

static int judge_opened(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	return fact->exposure == UINT64_MAX ? INFO : milder(r, (int)fact->exposure);
}

#define CONSTANT(name_, severity_)									\
	static int judge_##name_(const struct audit_reading *r, const struct mrg_audit_fact *fact)	\
	{												\
		(void)r;										\
		(void)fact;										\
		return severity_;									\
	}
CONSTANT(low, LOW)
CONSTANT(info, INFO)
CONSTANT(high, HIGH)
CONSTANT(critical, CRITICAL)

static int judge_medium(const struct audit_reading *r, const struct mrg_audit_fact *fact)
{
	(void)fact;
	return r->host_root ? MEDIUM : LOW;
}

/* ---- the table ----------------------------------------------------------------------------------- */

#define ADVICE(moorage_, lxc_, nspawn_, libvirt_, docker_, other_)								\
	{ [MAKER_MOORAGE] = moorage_, [MAKER_LXC] = lxc_, [MAKER_NSPAWN] = nspawn_, [MAKER_LIBVIRT] = libvirt_, [MAKER_DOCKER] = docker_, [MAKER_OTHER] = other_ }

#define DEVICE_ADVICE													\
	ADVICE("leave out --device for {item}", "leave out the mount or node of {item}", "leave out [Files] Bind={item}", "leave out <hostdev> for {item}",	\
	       "leave out --device {item}", "remove {item}, or mount with nodev")
#define RULE_ADVICE													\
	ADVICE("leave out --device for {item}", "leave out lxc.cgroup.devices.allow = {item}, or that of lxc.cgroup2",			\
	       "leave out DeviceAllow= of its unit", "leave out <hostdev>", "leave out --device-cgroup-rule",				\
	       "devices.deny of its cgroup, or a program of cgroup v2")

static const struct audit_check checks[] = {
	{ "root", "its root is that of the host", judge_critical,
	  ADVICE("give it a root directory of its own", "lxc.rootfs.path", "--directory", "<filesystem><target dir='/'/>", "do not run it on '/'",
		 "chroot(2) or pivot_root(2)") },
	{ "namespace", "a namespace is shared with the host", judge_namespace,
	  ADVICE("leave out the option that shares it (--network, --pid, --ipc, --uts, --cgroupns host), or use backend native",
		 "leave out lxc.namespace.share.{item} and lxc.namespace.keep",
		 "[Network] Private=yes for net; [Exec] PrivateUsers=yes for user", "<privnet/> for net; leave out <lxc:sharenet>, <lxc:shareipc>, <lxc:shareuts>; <idmap> for user",
		 "--cgroupns=private for cgroup; leave out --network, --pid, --ipc and --uts=host; userns-remap of dockerd for user", "unshare(2) for {item}") },
	{ "root-user", "root inside is root of the host", judge_host_root,
	  ADVICE("--userns auto", "lxc.idmap", "[Exec] PrivateUsers=pick", "<idmap>", "userns-remap of dockerd", "user_namespaces(7)") },
	{ "id-map", "users of the host are mapped", judge_map,
	  ADVICE("--userns auto", "lxc.idmap", "[Exec] PrivateUsers=pick", "<idmap>", "userns-remap of dockerd", "another uid_map") },
	{ "capability", "a capability beyond the hardened default", judge_capability,
	  ADVICE("--cap-drop {item}", "lxc.cap.drop = {lower}", "[Exec] DropCapability=CAP_{item}", "<capabilities><{lower} state='off'/>", "--cap-drop {item}",
		 "prctl(PR_CAPBSET_DROP, CAP_{item})") },
	{ "capability-inheritable", "a capability is inheritable", judge_inheritable,
	  ADVICE("leave out process.capabilities.inheritable", NULL, "[Exec] AmbientCapability=", NULL, "update the engine: CVE-2022-24769", "capset(2)") },
	{ "capability-ambient", "a capability is ambient", judge_inheritable,
	  ADVICE("leave out --cap-add for users other than root", NULL, "[Exec] AmbientCapability=", NULL, "leave out --cap-add {item}", "prctl(PR_CAP_AMBIENT)") },
	{ "no-new-privs", "programs can gain privileges", judge_medium,
	  ADVICE("--security-opt no-new-privileges", "lxc.no_new_privs = 1", "[Exec] NoNewPrivileges=yes", NULL,
		 "--security-opt no-new-privileges",
		 "prctl(PR_SET_NO_NEW_PRIVS)") },
	{ "seccomp", "no system call is filtered", judge_high,
	  ADVICE("--security-opt seccomp=default", "lxc.seccomp.profile", "[Exec] SystemCallFilter=", NULL,
		 "leave out --security-opt seccomp=unconfined", "seccomp(2)") },
	{ "seccomp-profile", "the filter lets a system call through", judge_info,
	  ADVICE("--security-opt seccomp=PROFILE, one that refuses it", "lxc.seccomp.profile, one that refuses it", "[Exec] SystemCallFilter=~ and its name",
		 NULL, "--security-opt seccomp=PROFILE, one that refuses it", "a filter that refuses it") },
	{ "lsm", "no security module confines it", judge_medium,
	  ADVICE("--security-opt apparmor=PROFILE", "lxc.apparmor.profile = generated", "-Z LABEL", "<seclabel type='dynamic'/>", "--security-opt apparmor=PROFILE",
		 "aa-exec(1), runcon(1)") },
	{ "group", "its processes are in a powerful group of the host", judge_high,
	  ADVICE("leave out --group-add", "lxc.init.groups", "[Exec] User=", NULL, "leave out --group-add", "setgroups(2)") },
	{ "writable", "a file system of the kernel can be written", judge_writable,
	  ADVICE("leave out --security-opt unmask={item}, --mount and -v on it", "lxc.mount.auto = proc:mixed sys:ro cgroup:ro",
		 "leave out SYSTEMD_NSPAWN_API_VFS_WRITABLE", NULL,
		 "leave out --privileged and --security-opt systempaths=unconfined", "a read-only bind mount on {item}") },
	{ "cgroup", "its cgroups can be written", judge_cgroup,
	  ADVICE("leave out --mount on {item}", "lxc.mount.auto = cgroup:ro", "its own cgroup is always writable", NULL, "leave out --privileged",
		 "a read-only bind mount on {item}") },
	{ "unmasked", "a file of the kernel can be seen", judge_visible,
	  ADVICE("--security-opt mask={item}", "lxc.mount.entry = /dev/null .{item} none bind 0 0", "[Files] Inaccessible={item}", NULL,
		 "leave out --privileged and --security-opt systempaths=unconfined; no option masks more", "a bind mount on {item}") },
	{ "device-rules", "every device may be opened", judge_rule,
	  ADVICE("leave out --privileged; backend native", "lxc.cgroup.devices.deny = a, or that of lxc.cgroup2", "DevicePolicy=closed of its unit", "leave out <hostdev>",
		 "leave out --privileged", "a cgroup with devices.deny = a, or a program of cgroup v2") },
	{ "device-program", "which devices may be opened is not known; --probe tries", judge_info, ADVICE(NULL, NULL, NULL, NULL, NULL, NULL) },
	{ "device", "a device of the host can be reached", judge_device, DEVICE_ADVICE },
	{ "device-rule", "the device cgroup lets it open a device", judge_rule, RULE_ADVICE },
	{ "host-path", "files of the host can be reached", judge_host_path,
	  ADVICE("leave out -v for {item}, or add :ro", "leave out lxc.mount.entry for {item}, or add ro", "[Files] BindReadOnly= in place of Bind=",
		 "<filesystem> with <readonly/>",
		 "leave out -v for {item}, or add :ro", "leave out the mount on {item}") },
	{ "host-socket", "a socket of the host can be reached", judge_socket,
	  ADVICE("leave out -v for {item}", "leave out lxc.mount.entry for {item}", "leave out [Files] Bind= for {item}", "leave out <filesystem> for {item}",
		 "leave out -v for {item}", "leave out the mount on {item}") },
	{ "mount-flags", "a mount lacks flags that harden it", judge_flags,
	  ADVICE("leave out --mount on {item}", "lxc.mount.auto", NULL, NULL, NULL, "remount {item} with nosuid,noexec,nodev") },
	{ "propagation", "mounts go between it and the host", judge_high,
	  ADVICE("leave out rshared and shared", "lxc.rootfs.options = private", "[Files] Bind= without rshared", NULL, "leave out :rshared and :shared",
		 "mount --make-private {item}") },
	{ "setuid", "a program runs with the rights of its owner", judge_low,
	  ADVICE("--security-opt no-new-privileges", "lxc.no_new_privs = 1", "[Exec] NoNewPrivileges=yes", NULL, "--security-opt no-new-privileges",
		 "chmod u-s, or a mount with nosuid") },
	{ "descriptor", "a descriptor leads out of it", judge_high,
	  ADVICE(NULL, NULL, NULL, NULL, "update the engine: CVE-2024-21626", "close it before the program is executed") },
	{ "terminal", "it has a terminal that others use", judge_terminal,
	  ADVICE("-t, which makes a terminal of its own", "lxc.console.path", "--console=pipe or interactive", NULL, "-t",
		 "setsid(2) and a pty of its own; --new-session of bwrap") },
	{ "limit", "nothing limits what it uses", judge_limit,
	  ADVICE("--memory, --pids-limit, --cpus", "lxc.cgroup.{item}, lxc.cgroup2.{item}", "TasksMax=, MemoryMax=, CPUQuota= of its unit",
		 "<memtune> for memory, <cputune> for cpu; there is none for pids",
		 "--memory, --pids-limit, --cpus", "a cgroup with a limit of {item}") },
	{ "limit-lost", "a limit that was asked for does not hold", judge_high,
	  ADVICE("moorage update", "moorage update", "moorage update", "moorage update", NULL, NULL) },
	{ "rlimit", "a resource limit is beyond the hardened default", judge_rlimit,
	  ADVICE("--ulimit {item}", "lxc.prlimit.{lower}", "[Exec] Limit{item}=", NULL, "--ulimit {lower}", "prlimit(1)") },
	{ "oom-score", "others are killed before it when memory runs out", judge_low,
	  ADVICE("--oom-score-adj 0", "lxc.proc.oom_score_adj = 0", "[Exec] OOMScoreAdjust=0", NULL, "--oom-score-adj 0", "choom(1)") },
	{ "personality", "addresses of its programs can be guessed", judge_low,
	  ADVICE("leave out linux.personality", "lxc.arch", "[Exec] Personality=", NULL, NULL, "personality(2)") },
	{ "umask", "new files can be written by all", judge_low,
	  ADVICE("--umask 0022", NULL, NULL, NULL, NULL, "umask(2)") },
	{ "probe", "what was tried is not known", judge_probe, ADVICE(NULL, NULL, NULL, NULL, NULL, NULL) },
	{ "probe-device", "a device of the host opens", judge_opened, DEVICE_ADVICE },
	{ "probe-rule", "the device cgroup lets it open a device", judge_rule, RULE_ADVICE },
	{ "walk", "not all that there is was looked at", judge_info, ADVICE(NULL, NULL, NULL, NULL, NULL, NULL) },
};

/* Podman has Docker's options, but for these. */
static const struct {
	const char *check, *advice;
} podman[] = {
	{ "namespace", "--cgroupns=private for cgroup; leave out --network, --pid, --ipc and --uts=host; --userns=auto for user" },
	{ "root-user", "--userns=auto" },
	{ "id-map", "--userns=auto" },
	{ "writable", "leave out --privileged and --security-opt unmask={item}" },
	{ "unmasked", "--security-opt mask={item}" },
	{ "umask", "--umask 0022" },
};

static const char *advice_for(const struct audit_check *check, enum audit_maker maker)
{
	for (size_t i = 0; maker == MAKER_PODMAN && i < ARRAY_SIZE(podman); i++)
		if (strcmp(podman[i].check, check->name) == 0)
			return podman[i].advice;
	return check->advice[maker == MAKER_PODMAN ? MAKER_DOCKER : maker];
}

static const struct audit_check *find_check(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (strcmp(checks[i].name, name) == 0)
			return &checks[i];
	return NULL;
}

/* @template with what it is about put in. */
static char *advise(const char *template, const char *item)
{
	struct buffer b = { 0 };

	for (const char *p = template; *p;) {
		bool lower = strncmp(p, "{lower}", 7) == 0;

		if (!lower && strncmp(p, "{item}", 6) != 0) {
			buffer_add(&b, p++, 1);
			continue;
		}
		for (const char *c = item; *c; c++) {
			char letter = lower ? (char)tolower((unsigned char)*c) : *c;

			buffer_add(&b, &letter, 1);
		}
		p += lower ? 7 : 6;
	}
	if (!b.failed)
		return b.text;
	buffer_deinit(&b);
	return NULL;
}

static bool has_right(const struct audit_reading *r, const char *capability)
{
	return capability && r->status.caps[AUDIT_EFFECTIVE] >> parse_capability(capability) & 1;
}

/* What changes what was tried is what changes its cause: a right it has, or the filter or file that lets it through. */
static char *advise_on(const struct audit_reading *r, const struct audit_check *check, const struct mrg_audit_fact *fact)
{
	const struct audit_probe_row *row = strcmp(fact->check, "probe") == 0 ? audit_probe_find(fact->item) : NULL;
	bool right = row && has_right(r, row->capability);
	const char *item = !row ? fact->item : right ? row->capability : row->item, *template;

	if (row)
		check = find_check(right ? "capability" : strcmp(row->remedy, "seccomp") == 0 && r->status.seccomp == 2 ? "seccomp-profile" : row->remedy);
	template = advice_for(check, r->audit->maker);
	return template ? advise(template, item) : NULL;
}

static const char *title_of(const struct audit_check *check, const struct mrg_audit_fact *fact)
{
	const struct audit_probe_row *row = strcmp(fact->check, "probe") == 0 && fact->exposure != UINT64_MAX ? audit_probe_find(fact->item) : NULL;

	return row ? row->title : check->title;
}

const char *mrg_severity_name(int severity)
{
	static const char *const names[] = { "none", "info", "low", "medium", "high", "critical" };

	return severity >= 0 && severity < (int)ARRAY_SIZE(names) ? names[severity] : "unknown";
}

static int by_severity(const void *a, const void *b)
{
	const struct mrg_audit_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return y->severity - x->severity;
	return x->fact < y->fact ? -1 : x->fact > y->fact;
}

int audit_judge(struct audit_reading *r)
{
	struct mrg_audit *audit = r->audit;

	audit->findings = calloc(audit->n_facts + 1, sizeof(*audit->findings));
	if (!audit->findings)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_facts; i++) {
		const struct mrg_audit_fact *fact = &audit->facts[i];
		const struct audit_check *check = find_check(fact->check);
		int severity = check && fact->exposure > 0 ? check->judge(r, fact) : NONE;

		if (severity == NONE)
			continue;
		audit->findings[audit->n_findings++] = (struct mrg_audit_finding){
			.severity = severity, .title = title_of(check, fact), .fact = fact,
			.advice = advise_on(r, check, fact),
		};
	}
	qsort(audit->findings, audit->n_findings, sizeof(*audit->findings), by_severity);
	return 0;
}
