/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the native backend can do on this host for this user. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
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

/* Whole sentences only: of some that are joined by semicolons those that there is room for. */
static void add_reason(struct mrg_probe *probe, const char *text)
{
	while (*text) {
		size_t length = strlen(probe->reason), n = strcspn(text, ";");

		if (length + strlen("; ") + n < sizeof(probe->reason))
			snprintf(probe->reason + length, sizeof(probe->reason) - length, "%s%.*s", length ? "; " : "", (int)n, text);
		text += n;
		text += strspn(text, "; ");
	}
}

static void probe_namespaces(struct mrg_probe *probe)
{
	for (size_t i = 0; i < NS_MAX; i++) {
		char path[64], why[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", native_namespaces[i].file);
		if (access(path, F_OK) == 0 && (i != NS_USER || user_namespaces_allowed()))
			continue;
		mrg_fields_remove(&probe->fields, native_namespaces[i].field);
		snprintf(why, sizeof(why), "the kernel offers no %s namespaces", native_namespaces[i].name);
		add_reason(probe, why);
	}
}

/* The monitor of an ordinary user makes the user namespace, before all else and with the ids that there are. */
static void probe_rootless(struct mrg_probe *probe)
{
	mrg_fields_remove(&probe->fields, MRG_FIELD_UID_MAPPINGS);
	mrg_fields_remove(&probe->fields, MRG_FIELD_GID_MAPPINGS);
	/* Without a cgroup of its own there is nothing to make the root of what it sees, nor for an init system to manage. */
	if (mrg_fields_has(&probe->fields, MRG_FIELD_UNIFIED))
		return;
	mrg_fields_remove(&probe->fields, MRG_FIELD_NS_CGROUP);
	mrg_fields_remove(&probe->fields, MRG_FIELD_BOOT);
}

/* Which users a container can have beside root. All that needs rights of ours needs those that we shall have in our user namespace. */
static void probe_ids(struct mrg_probe *probe)
{
	static const uint16_t need_ids[] = { MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_USER };
	struct mrg_id_mapping uid, gid;
	char why[96], text[160];

	if (mrg_helper_user_ids(&uid, &gid, why, sizeof(why))) {
		add_reason(probe, "ids are mapped as /etc/subuid has them");
		return;
	}
	for (size_t i = 0; i < sizeof(need_ids) / sizeof(need_ids[0]); i++)
		mrg_fields_remove(&probe->fields, need_ids[i]);
	snprintf(text, sizeof(text), "root is the only user in containers: %s", why);
	add_reason(probe, text);
}

static int probe_process(struct mrg_probe *probe, int rootless, struct mrg_error *err)
{
	static const uint16_t own[] = {
		MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_USER, MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_INHERITABLE,
	};
	char reason[sizeof(probe->reason)] = "";
	int r = mrg_helper_process_probe(&probe->fields, reason, sizeof(reason), err);

	if (r < 0 || !rootless) {
		add_reason(probe, reason);
		return r;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		mrg_fields_add(&probe->fields, own[i]);
	probe_ids(probe);
	return 0;
}

int native_probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { .boundary = 0 };
	char reason[sizeof(probe.reason)] = "";
	struct utsname host;
	int r = probe_kernel(err), rootless = native_is_rootless();

	(void)self;
	if (r < 0)
		return r;
	if (rootless)
		r = mrg_helper_user_probe(err);
	if (r < 0)
		return r;
	for (const uint16_t *field = native_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&probe.fields, *field);
	/* What can be mended comes first. */
	r = probe_process(&probe, rootless, err);
	if (r == 0)
		r = mrg_helper_cgroup_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	add_reason(&probe, reason);
	if (rootless)
		probe_rootless(&probe);
	probe_namespaces(&probe);
	uname(&host);
	snprintf(probe.engine, sizeof(probe.engine), "Linux %.50s", host.release);
	snprintf(probe.boundary_reason, sizeof(probe.boundary_reason),
		 rootless ? "root in the container is the user who started it" :
		 "root in the container is root on the host unless a user namespace is asked for (--userns auto)");
	*ret = probe;
	return 0;
}
