/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What LXC can do on this host for this user. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/util/str.h"
#include "lxc.h"

const uint16_t lxc_fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE,
	MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
	MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
	MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ, MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_SELINUX_LABEL,
	MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER,
	MRG_FIELD_NS_CGROUP, MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_CGROUPS_PATH,
	MRG_FIELD_DEVICE_RULES,
	MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_SWAPPINESS,
	MRG_FIELD_MEMORY_DISABLE_OOM_KILLER, MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPU_BURST,
	MRG_FIELD_CPU_IDLE, MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS,
	MRG_FIELD_PIDS_LIMIT, MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS,
	MRG_FIELD_IO_WRITE_IOPS, MRG_FIELD_HUGEPAGE_LIMITS, MRG_FIELD_UNIFIED, MRG_FIELD_ROOTFS_PROPAGATION, MRG_FIELD_SECCOMP,
	MRG_FIELD_SYSCTL, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_PERSONALITY, MRG_FIELD_TIME_OFFSETS, MRG_FIELD_ANNOTATIONS,
	MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL, MRG_FIELD_SECCOMP_PROFILE,
	MRG_FIELD_AUTOSTART, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG, MRG_FIELD_NATIVE,
	MRG_FIELD_END
};

bool lxc_field_is_beside(int field)
{
	static const uint16_t beside[] = {
		MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
		MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_SECCOMP, MRG_FIELD_SYSCTL, MRG_FIELD_ROOTFS_PROPAGATION, MRG_FIELD_ANNOTATIONS,
		MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL, MRG_FIELD_CAP_AMBIENT,
		MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG,
	};

	/* Limits are the core's. */
	if (field >= MRG_FIELD_DEVICE_RULES && field <= MRG_FIELD_UNIFIED)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		if (beside[i] == field)
			return true;
	return false;
}

/* Without the security module LXC ignores its label. */
static void probe_labels(struct mrg_probe *probe)
{
	static const struct {
		const char *path;
		unsigned int field;
		const char *name;
	} modules[] = {
		{ "/sys/kernel/security/apparmor", MRG_FIELD_APPARMOR_PROFILE, "AppArmor" },
		{ "/sys/fs/selinux/enforce", MRG_FIELD_SELINUX_LABEL, "SELinux" },
	};

	char why[64];

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (access(modules[i].path, F_OK) == 0)
			continue;
		mrg_fields_remove(&probe->fields, modules[i].field);
		snprintf(why, sizeof(why), "this host has no %s", modules[i].name);
		reason_add(probe->reason, sizeof(probe->reason), why);
	}
}

static void probe_time(struct mrg_probe *probe)
{
	if (access("/proc/self/ns/time", F_OK) == 0)
		return;
	mrg_fields_remove(&probe->fields, MRG_FIELD_NS_TIME);
	mrg_fields_remove(&probe->fields, MRG_FIELD_TIME_OFFSETS);
	reason_add(probe->reason, sizeof(probe->reason), "the kernel offers no time namespaces");
}

int lxc_probe(void *self _unused_, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { .boundary = 0 };
	char reason[sizeof(probe.reason)] = "";
	struct lxc_api api;
	int r = lxc_api_load(&api, err);

	if (r < 0)
		return r;
	for (const uint16_t *field = lxc_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&probe.fields, *field);
	r = mrg_helper_process_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	/* The rights of an ordinary user are those in the container. */
	if (!lxc_is_user())
		reason_add(probe.reason, sizeof(probe.reason), reason);
	r = lxc_is_user() ? lxc_user_probe(&probe, err) : 0;
	if (r == 0)
		r = mrg_helper_cgroup_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	reason_add(probe.reason, sizeof(probe.reason), reason);
	/* An init system without a cgroup of its own has none to manage. */
	if (lxc_is_user() && !mrg_fields_has(&probe.fields, MRG_FIELD_UNIFIED))
		mrg_fields_remove(&probe.fields, MRG_FIELD_BOOT);
	if (lxc_is_user())
		reason_add(probe.reason, sizeof(probe.reason), "only root can put a layer over a root");
	probe_labels(&probe);
	probe_time(&probe);
	snprintf(probe.engine, sizeof(probe.engine), "LXC %.50s", api.lxc_get_version());
	snprintf(probe.boundary_reason, sizeof(probe.boundary_reason),
		 lxc_is_user() ? "root in the container is the user who started it, or one of that user's ids" :
		 "root in the container is root on the host unless its ids are mapped");
	*ret = probe;
	return 0;
}
