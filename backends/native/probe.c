/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the native backend can do on this host for this user. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "native.h"

const uint16_t native_fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_DOMAINNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS,
	MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS,
	MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
	MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
	MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ,
	MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER,
	MRG_FIELD_NS_CGROUP, MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_DEVICES,
	MRG_FIELD_CGROUPS_PATH, MRG_FIELD_DEVICE_RULES,
	MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_SWAPPINESS,
	MRG_FIELD_MEMORY_DISABLE_OOM_KILLER,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPU_BURST, MRG_FIELD_CPU_IDLE,
	MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS, MRG_FIELD_PIDS_LIMIT,
	MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS,
	MRG_FIELD_HUGEPAGE_LIMITS, MRG_FIELD_UNIFIED,
	MRG_FIELD_ROOTFS_PROPAGATION, MRG_FIELD_SECCOMP, MRG_FIELD_SYSCTL, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS,
	MRG_FIELD_ANNOTATIONS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL,
	MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG,
	MRG_FIELD_END
};

/* Called with nothing sensible: a kernel that has it says EINVAL, EFAULT or EBADF. */
static const struct {
	const char *name;
	long number;
	const char *since;
} needed[] = {
	{ "openat2", SYS_openat2, "5.6" },
	{ "clone3", SYS_clone3, "5.3" },
	{ "pidfd_open", SYS_pidfd_open, "5.3" },
	{ "fsopen", SYS_fsopen, "5.2" },
	{ "mount_setattr", SYS_mount_setattr, "5.12" },
};

static int has_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1U << CAP_SYS_ADMIN;
}

static int probe_kernel(struct mrg_error *err)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (syscall(needed[i].number, -1, 0, 0, 0, 0) < 0 && errno == ENOSYS)
			return mrg_error_set(err, -MRG_E_KERNEL, "the kernel lacks %s (Linux %s)", needed[i].name, needed[i].since);
	return 0;
}

static int user_namespaces_allowed(void)
{
	_cleanup_close_ int fd = open("/proc/sys/user/max_user_namespaces", O_RDONLY | O_CLOEXEC);
	char first = '1';

	return fd < 0 || read(fd, &first, 1) != 1 || first != '0';
}

static void probe_namespaces(struct mrg_probe *probe)
{
	for (size_t i = 0; i < NS_MAX; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", native_namespaces[i].file);
		if (access(path, F_OK) == 0 && (i != NS_USER || user_namespaces_allowed()))
			continue;
		mrg_fields_remove(&probe->fields, native_namespaces[i].field);
		snprintf(probe->reason, sizeof(probe->reason), "the kernel offers no %s namespaces", native_namespaces[i].name);
	}
}

static void add_reason(struct mrg_probe *probe, const char *text)
{
	size_t length = strlen(probe->reason);

	if (*text)
		snprintf(probe->reason + length, sizeof(probe->reason) - length, "%s%s", length ? "; " : "", text);
}

int native_probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { .boundary = 0 };
	char reason[sizeof(probe.reason)] = "";
	struct utsname host;
	int r = probe_kernel(err);

	(void)self;
	if (r < 0)
		return r;
	if (!has_sys_admin()) {
		mrg_error_set(err, -MRG_E_PERMISSION, "containers of the native backend need the rights of root (CAP_SYS_ADMIN)");
		return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
	}
	for (const uint16_t *field = native_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&probe.fields, *field);
	probe_namespaces(&probe);
	r = mrg_helper_cgroup_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	add_reason(&probe, reason);
	reason[0] = '\0';
	r = mrg_helper_process_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	add_reason(&probe, reason);
	uname(&host);
	snprintf(probe.engine, sizeof(probe.engine), "Linux %.50s", host.release);
	snprintf(probe.boundary_reason, sizeof(probe.boundary_reason),
		 "root in the container is root on the host unless a user namespace is asked for (--userns auto)");
	*ret = probe;
	return 0;
}
