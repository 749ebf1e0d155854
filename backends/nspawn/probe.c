/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd-nspawn can do on this host for this user. */

#include "config.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define PROGRAM_MAX	(16 << 20)

const uint16_t nspawn_fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE,
	MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD,
	MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
	MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ,
	MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER,
	MRG_FIELD_NS_CGROUP, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_DEVICES,
	MRG_FIELD_CGROUPS_PATH, MRG_FIELD_DEVICE_RULES,
	MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_SWAPPINESS,
	MRG_FIELD_MEMORY_DISABLE_OOM_KILLER,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPU_BURST, MRG_FIELD_CPU_IDLE,
	MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS, MRG_FIELD_PIDS_LIMIT,
	MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS,
	MRG_FIELD_HUGEPAGE_LIMITS, MRG_FIELD_UNIFIED,
	MRG_FIELD_SECCOMP, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_PERSONALITY,
	MRG_FIELD_ANNOTATIONS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL,
	MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_NETWORKS, MRG_FIELD_PUBLISH, MRG_FIELD_AUTOSTART,
	MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG, MRG_FIELD_NATIVE,
	MRG_FIELD_END
};

static int check_rights(struct mrg_error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	/* nspawn itself asks for the user id, the kernel for the capability. */
	if (geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1U << CAP_SYS_ADMIN)
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "systemd-nspawn needs the rights of root (CAP_SYS_ADMIN)");
	return mrg_error_hint(err, "run the command as root"), -MRG_E_PERMISSION;
}

/* The version is in the name of the library that belongs to the program: asking the program would take longer than all else. */
static void read_version(const char *program, char *ret, size_t size)
{
	static const char mark[] = "libsystemd-shared-";
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int version;
	char *found;

	snprintf(ret, size, "systemd");
	if (fd_read_virtual(AT_FDCWD, program, PROGRAM_MAX, &text, &length) < 0)
		return;
	found = memmem(text, length, mark, strlen(mark));
	if (found && sscanf(found + strlen(mark), "%d", &version) == 1)
		snprintf(ret, size, "systemd %d", version);
}

static void probe_namespaces(struct mrg_probe *probe)
{
	static const struct {
		const char *file;
		enum mrg_field field;
	} namespaces[] = {
		{ "/proc/self/ns/user", MRG_FIELD_NS_USER }, { "/proc/self/ns/net", MRG_FIELD_NS_NETWORK },
		{ "/proc/self/ns/cgroup", MRG_FIELD_NS_CGROUP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (access(namespaces[i].file, F_OK) < 0) {
			mrg_fields_remove(&probe->fields, namespaces[i].field);
			snprintf(probe->reason, sizeof(probe->reason), "the kernel lacks namespaces ('%s')", namespaces[i].file);
		}
}

/* A scope is in the control groups that systemd makes: of version 1 it knows neither cpuset nor hugetlb. */
static void probe_managed(struct mrg_probe *probe)
{
	static const unsigned int unified[] = { MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS, MRG_FIELD_HUGEPAGE_LIMITS };

	mrg_fields_remove(&probe->fields, MRG_FIELD_CGROUPS_PATH);
	for (size_t i = 0; i < ARRAY_SIZE(unified) && !nspawn_is_unified(); i++)
		mrg_fields_remove(&probe->fields, unified[i]);
	snprintf(probe->reason, sizeof(probe->reason), "systemd manages the control groups of machines");
}

int nspawn_probe(void *self _unused_, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe probe = { .boundary = 0 };
	char reason[sizeof(probe.reason)] = "", init[PATH_MAX];
	const char *program;
	int r = nspawn_find_program(&program, err);

	if (r == 0)
		r = check_rights(err);
	if (r == 0)
		r = mrg_helper_init_path(init, sizeof(init), err);
	if (r < 0)
		return r;
	for (const uint16_t *field = nspawn_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&probe.fields, *field);
	probe_namespaces(&probe);
	if (nspawn_is_managed())
		probe_managed(&probe);
	r = mrg_helper_cgroup_probe(&probe.fields, reason, sizeof(reason), err);
	if (r < 0)
		return r;
	reason_add(probe.reason, sizeof(probe.reason), reason);
	read_version(program, probe.engine, sizeof(probe.engine));
	snprintf(probe.boundary_reason, sizeof(probe.boundary_reason),
		 "root in the container is root on the host unless a user namespace is asked for (--userns auto)");
	*ret = probe;
	return 0;
}
