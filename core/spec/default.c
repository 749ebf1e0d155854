/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hardened defaults, as tables: one column for applications, one for systems that boot. */

#include "config.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)

#define CAPS_APP	(CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(SETGID) | CAP(SETUID) | \
			 CAP(SETPCAP) | CAP(SETFCAP) | CAP(NET_BIND_SERVICE) | CAP(SYS_CHROOT))
/* What systemd-nspawn keeps, without SYS_RESOURCE, LINUX_IMMUTABLE and AUDIT_CONTROL. */
#define CAPS_BOOT	(CAPS_APP | CAP(MKNOD) | CAP(AUDIT_WRITE) | CAP(DAC_READ_SEARCH) | CAP(IPC_OWNER) | CAP(LEASE) | \
			 CAP(NET_BROADCAST) | CAP(SYS_NICE) | CAP(SYS_PTRACE) | CAP(SYS_TTY_CONFIG) | CAP(SYS_BOOT) | \
			 CAP(SYS_ADMIN))
/* Only over a network that is its own. */
#define CAPS_BOOT_NET	(CAP(NET_ADMIN) | CAP(NET_RAW))

enum { APP = 1, BOOT = 2, BOTH = APP | BOOT };

/* Fields with a value that mrg_spec_set() understands. */
static const struct {
	enum mrg_field field;
	const char *app, *boot;		/* NULL: none */
} values[] = {
	{ MRG_FIELD_UMASK, "0022", "0022" },
	{ MRG_FIELD_CWD, "/", "/" },
	{ MRG_FIELD_CAP_INHERITABLE, "none", "none" },
	{ MRG_FIELD_CAP_AMBIENT, "none", "none" },
	{ MRG_FIELD_NO_NEW_PRIVILEGES, "yes", "no" },
	{ MRG_FIELD_NS_PID, "private", "private" },
	{ MRG_FIELD_NS_MOUNT, "private", "private" },
	{ MRG_FIELD_NS_UTS, "private", "private" },
	{ MRG_FIELD_NS_IPC, "private", "private" },
	{ MRG_FIELD_NS_NETWORK, "private", "private" },
	{ MRG_FIELD_NS_CGROUP, "private", "private" },
	{ MRG_FIELD_PIDS_LIMIT, "2048", "16384" },
	{ MRG_FIELD_INIT, "yes", NULL },
	{ MRG_FIELD_STOP_SIGNAL, "TERM", "RTMIN+3" },
};

/* Mount options and limits are those of systemd-nspawn where it has an opinion. @needs: a namespace without which the
 * mount would show the host's. */
static const struct {
	int kind;
	int needs;
	const char *destination, *type, *source;
	const char *options[10];
} mounts[] = {
	{ BOTH, -1, "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ APP, -1, "/dev", "tmpfs", "tmpfs",
	  { "nosuid", "noexec", "strictatime", "mode=755", "size=1m", "nr_inodes=4096" } },
	{ BOOT, -1, "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=4m", "nr_inodes=65536" } },
	{ BOTH, -1, "/dev/pts", "devpts", "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ BOTH, -1, "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=64m" } },
	{ BOTH, MRG_FIELD_NS_IPC, "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ BOTH, -1, "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ APP, MRG_FIELD_NS_CGROUP, "/sys/fs/cgroup", "cgroup", "cgroup",
	  { "nosuid", "noexec", "nodev", "relatime", "ro" } },
	{ BOOT, MRG_FIELD_NS_CGROUP, "/sys/fs/cgroup", "cgroup", "cgroup",
	  { "nosuid", "noexec", "nodev", "relatime", "rw" } },
	{ BOOT, -1, "/run", "tmpfs", "tmpfs",
	  { "nosuid", "nodev", "strictatime", "mode=755", "size=20%", "nr_inodes=800k" } },
	{ BOOT, -1, "/tmp", "tmpfs", "tmpfs",
	  { "nosuid", "nodev", "strictatime", "mode=1777", "size=10%", "nr_inodes=400k" } },
};

static const struct {
	int kind;
	const char *path;
} masked[] = {
	{ APP, "/proc/acpi" }, { APP, "/proc/asound" }, { APP, "/proc/config.gz" }, { BOTH, "/proc/interrupts" },
	{ BOTH, "/proc/kallsyms" }, { BOTH, "/proc/kcore" }, { BOTH, "/proc/keys" }, { APP, "/proc/latency_stats" },
	{ APP, "/proc/sched_debug" }, { APP, "/proc/scsi" }, { BOTH, "/proc/sysrq-trigger" },
	{ BOTH, "/proc/timer_list" }, { APP, "/proc/timer_stats" }, { BOTH, "/sys/devices/virtual/powercap" },
	{ APP, "/sys/firmware" }, { APP, "/sys/fs/bpf" }, { APP, "/sys/fs/pstore" }, { APP, "/sys/fs/selinux" },
	{ APP, "/sys/kernel/debug" }, { APP, "/sys/kernel/security" },
}, readonly[] = {
	/* What is masked need not be made read-only as well. */
	{ BOOT, "/proc/acpi" }, { BOTH, "/proc/apm" }, { BOOT, "/proc/asound" }, { BOTH, "/proc/bus" },
	{ BOTH, "/proc/fs" }, { BOTH, "/proc/irq" }, { BOOT, "/proc/scsi" }, { BOTH, "/proc/sys" },
};

/* null, zero, full, random, urandom, tty, ptmx, terminals; the console only where a system boots. */
static const struct {
	int kind;
	struct mrg_device_rule rule;
} devices[] = {
	{ BOTH, { .allow = 0, .type = "a", .major = -1, .minor = -1, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 1, .minor = 3, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 1, .minor = 5, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 1, .minor = 7, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 1, .minor = 8, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 1, .minor = 9, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 5, .minor = 0, .access = "rwm" } },
	{ BOOT, { .allow = 1, .type = "c", .major = 5, .minor = 1, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 5, .minor = 2, .access = "rwm" } },
	{ BOTH, { .allow = 1, .type = "c", .major = 136, .minor = -1, .access = "rwm" } },
};

static const struct {
	int kind;
	int resource;
	struct mrg_rlimit limit;
} rlimits[] = {
	{ BOTH, RLIMIT_NOFILE, { "RLIMIT_NOFILE", .hard = 524288, .soft = 1024 } },
	{ APP, RLIMIT_CORE, { "RLIMIT_CORE", .hard = UINT64_MAX, .soft = 0 } },
	{ APP, RLIMIT_MEMLOCK, { "RLIMIT_MEMLOCK", .hard = 8 << 20, .soft = 8 << 20 } },
};

struct defaults {
	struct mrg_spec *spec;
	const struct mrg_fields *able;
	int kind;
	struct mrg_error *err;
};

static bool wanted(const struct defaults *d, unsigned int field)
{
	return !mrg_fields_has(&d->spec->set, field) && (!d->able || mrg_fields_has(d->able, field));
}

static int default_values(struct defaults *d)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(values) && r == 0; i++) {
		const char *value = d->kind == BOOT ? values[i].boot : values[i].app;

		if (value && wanted(d, values[i].field))
			r = mrg_spec_set(d->spec, values[i].field, value, d->err);
	}
	return r;
}

static int default_caps(struct defaults *d)
{
	static const enum mrg_field fields[] = { MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE,
						 MRG_FIELD_CAP_PERMITTED };
	uint64_t caps = d->kind == BOOT ? CAPS_BOOT : CAPS_APP;

	if (d->kind == BOOT && d->spec->ns_network)
		caps |= CAPS_BOOT_NET;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (wanted(d, fields[i])) {
			*(uint64_t *)member_at(&spec_fields[fields[i]].value, d->spec) = caps;
			mrg_fields_add(&d->spec->set, fields[i]);
		}
	return 0;
}

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && memcmp(a, b, n) == 0;
}

static bool has_mount(const struct mrg_mount *item, size_t n, const char *destination)
{
	for (size_t i = 0; i < n; i++)
		if (item[i].destination && same_path(item[i].destination, destination))
			return true;
	return false;
}

/* Whether the namespace a mount shows is, or will be, one of the container's own. */
static bool has_namespace(const struct defaults *d, int field)
{
	return field < 0 || *(const char *const *)member_at(&spec_fields[field].value, d->spec);
}

/* The group of terminals is no group where containers can have none but their first. */
static void copy_options(const struct defaults *d, const char *const *options, const char *ret[ARRAY_SIZE(mounts[0].options)])
{
	bool groups = !d->able || mrg_fields_has(d->able, MRG_FIELD_GID);

	for (; *options; options++)
		if (groups || strncmp(*options, "gid=", 4) != 0)
			*ret++ = *options;
	*ret = NULL;
}

static int default_mounts(struct defaults *d)
{
	struct mrg_spec *spec = d->spec;
	const struct mrg_mount *own = spec->mounts.item;
	size_t n = spec->mounts.n;
	struct mrg_mount *item;
	int r = 0;

	if (d->able && !mrg_fields_has(d->able, MRG_FIELD_MOUNTS))
		return 0;
	spec->mounts.item = NULL;
	spec->mounts.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(mounts) && r == 0; i++) {
		const char *options[ARRAY_SIZE(mounts[i].options)];
		struct mrg_mount mount = { .destination = mounts[i].destination, .type = mounts[i].type,
					   .source = mounts[i].source, .options = (char **)options };

		copy_options(d, mounts[i].options, options);
		if (mounts[i].kind & d->kind && has_namespace(d, mounts[i].needs) &&
		    !has_mount(own, n, mounts[i].destination))
			r = mrg_spec_add_mount(spec, &mount, d->err);
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		item = spec_list_append(spec, (struct list *)&spec->mounts, sizeof(*item));
		if (item)
			*item = own[i];
		else
			r = mrg_error_set(d->err, -ENOMEM, "out of memory");
	}
	return r;
}

static int default_paths(struct defaults *d)
{
	int r = 0;

	if (wanted(d, MRG_FIELD_MASKED_PATHS))
		for (size_t i = 0; i < ARRAY_SIZE(masked) && r == 0; i++)
			if (masked[i].kind & d->kind)
				r = mrg_spec_set(d->spec, MRG_FIELD_MASKED_PATHS, masked[i].path, d->err);
	if (r == 0 && wanted(d, MRG_FIELD_READONLY_PATHS))
		for (size_t i = 0; i < ARRAY_SIZE(readonly) && r == 0; i++)
			if (readonly[i].kind & d->kind)
				r = mrg_spec_set(d->spec, MRG_FIELD_READONLY_PATHS, readonly[i].path, d->err);
	return r;
}

static int default_devices(struct defaults *d)
{
	int r = 0;

	if (!wanted(d, MRG_FIELD_DEVICE_RULES))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(devices) && r == 0; i++)
		if (devices[i].kind & d->kind)
			r = mrg_spec_add_device_rule(d->spec, &devices[i].rule, d->err);
	return r;
}

/* Never more than the caller has: raising a limit may be denied, and a default must not be what fails. */
static void clamp(struct mrg_rlimit *limit, int resource)
{
	struct rlimit own;

	if (getrlimit(resource, &own) == 0 && own.rlim_max != RLIM_INFINITY && limit->hard > own.rlim_max)
		limit->hard = own.rlim_max;
	if (limit->soft > limit->hard)
		limit->soft = limit->hard;
}

static int default_rlimits(struct defaults *d)
{
	int r = 0;

	if (!wanted(d, MRG_FIELD_RLIMITS))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rlimits) && r == 0; i++) {
		struct mrg_rlimit limit = rlimits[i].limit;

		clamp(&limit, rlimits[i].resource);
		if (rlimits[i].kind & d->kind)
			r = mrg_spec_add_rlimit(d->spec, &limit, d->err);
	}
	return r;
}

static bool has_variable(char *const *env, const char *assignment)
{
	size_t length = strcspn(assignment, "=") + 1;

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], assignment, length) == 0)
			return true;
	return false;
}

/* Variables of the user's stay and come last; what is missing is added in front. */
static int default_env(struct defaults *d)
{
	const char *const defaults[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		d->spec->terminal ? "TERM=xterm" : NULL,
		d->kind == BOOT ? "container=moorage" : NULL,
	};
	char **own = d->spec->env;
	int r = 0;

	if (d->able && !mrg_fields_has(d->able, MRG_FIELD_ENV))
		return 0;
	d->spec->env = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(defaults) && r == 0; i++)
		if (defaults[i] && !has_variable(own, defaults[i]))
			r = mrg_spec_set(d->spec, MRG_FIELD_ENV, defaults[i], d->err);
	for (size_t i = 0; own && own[i] && r == 0; i++)
		r = mrg_spec_set(d->spec, MRG_FIELD_ENV, own[i], d->err);
	return r;
}

static int default_seccomp(struct defaults *d)
{
	if (mrg_fields_has(&d->spec->set, MRG_FIELD_SECCOMP) || !wanted(d, MRG_FIELD_SECCOMP_PROFILE))
		return 0;
	return mrg_spec_set(d->spec, MRG_FIELD_SECCOMP_PROFILE, d->kind == BOOT ? "boot" : "default", d->err);
}

int mrg_spec_default(struct mrg_spec *spec, const struct mrg_fields *able, struct mrg_error *err)
{
	/* Namespaces come first: mounts and capabilities depend on them. */
	static int (*const steps[])(struct defaults *d) = {
		default_values, default_caps, default_mounts, default_paths, default_devices, default_rlimits, default_env,
		default_seccomp,
	};
	struct defaults d = { .spec = spec, .able = able, .kind = spec->boot ? BOOT : APP, .err = err };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](&d);
	return r;
}
