/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the libvirt backend can do on this host for this user. */

#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/util/str.h"
#include "libvirt.h"

/* What the format writes into the definition, and what is done beside it at the start. */
const uint16_t libvirt_fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE,
	MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
	MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED,
	MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER,
	MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS,
	MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS,
	MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS,
	MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS,
	MRG_FIELD_ANNOTATIONS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_NETWORKS, MRG_FIELD_AUTOSTART,
	MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG, MRG_FIELD_NATIVE,
	MRG_FIELD_END
};

/* What is not to be had here, and why. */
static void withdraw(struct mrg_probe *probe, const uint16_t *fields, const char *reason)
{
	for (; *fields != MRG_FIELD_END; fields++)
		mrg_fields_remove(&probe->fields, *fields);
	reason_add(probe->reason, sizeof(probe->reason), reason);
}

/* libvirt names disks by their paths, the format by their numbers. */
static const uint16_t disk_fields[] = {
	MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS, MRG_FIELD_END
};

static void probe_disks(struct mrg_probe *probe)
{
	if (access("/dev/block", F_OK) == 0)
		return;
	withdraw(probe, disk_fields, "without udev there is no /dev/block for the limits of disks");
}

static const uint16_t user_fields[] = { MRG_FIELD_NS_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_END };

static void probe_users(struct mrg_probe *probe)
{
	if (access("/proc/self/ns/user", F_OK) == 0)
		return;
	withdraw(probe, user_fields, "the kernel has no user namespaces");
}

/* libvirt takes their numbers for those of cgroup v2, where they mean something else: a soft limit throttles (memory.high), what swap and memory have together is
 * for swap alone, and shares are weights, of which 100 is the middle, not 1024. */
static const uint16_t v1_fields[] = { MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_CPU_SHARES, MRG_FIELD_END };

static void probe_cgroups(struct mrg_probe *probe)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return;
	withdraw(probe, v1_fields, "libvirt gives some limits another meaning on cgroup v2");
}

static int has_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1U << CAP_SYS_ADMIN;
}

int libvirt_probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { .boundary = 0 };
	char path[4096];
	int version = 0, r;

	if (!has_sys_admin()) {
		mrg_error_set(err, -MRG_E_PERMISSION, "containers of the libvirt backend need the rights of root (CAP_SYS_ADMIN)");
		return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
	}
	r = libvirt_ask(self, NULL, &(struct agent_call){ .op = AGENT_VERSION }, &version, NULL, err);
	if (r < 0)
		return r;
	for (const uint16_t *field = libvirt_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&probe.fields, *field);
	r = mrg_helper_cgroup_probe(&probe.fields, probe.reason, sizeof(probe.reason), err);
	if (r < 0)
		return r;
	probe_users(&probe);
	probe_disks(&probe);
	probe_cgroups(&probe);
	if (mrg_helper_init_path(path, sizeof(path), NULL) < 0) {
		mrg_fields_remove(&probe.fields, MRG_FIELD_INIT);
		reason_add(probe.reason, sizeof(probe.reason), "moorage-init is not installed");
	}
	snprintf(probe.engine, sizeof(probe.engine), "libvirt %d.%d.%d", version / 1000000, version / 1000 % 1000, version % 1000);
	snprintf(probe.boundary_reason, sizeof(probe.boundary_reason),
		 "root in the container is root on the host, and no system call is filtered, unless ids are mapped");
	*ret = probe;
	return 0;
}
