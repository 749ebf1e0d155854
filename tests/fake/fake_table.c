/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend "fake": claims what it does not do, for tests of what is above it. */

#include "config.h"

#include "tests/fake/fake.h"

/* All but what is below: /hooks, /linux/intelRdt, /linux/mountLabel, rdma, network class, networks, publish, volumes. */
static const uint16_t fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_DOMAINNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS,
	MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK,
	MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD, MRG_FIELD_CAP_BOUNDING,
	MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
	MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ, MRG_FIELD_APPARMOR_PROFILE,
	MRG_FIELD_SELINUX_LABEL, MRG_FIELD_SCHEDULER, MRG_FIELD_IO_PRIORITY, MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT,
	MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER, MRG_FIELD_NS_CGROUP,
	MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_DEVICES, MRG_FIELD_CGROUPS_PATH,
	MRG_FIELD_DEVICE_RULES, MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS,
	MRG_FIELD_PIDS_LIMIT, MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS,
	MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS, MRG_FIELD_UNIFIED, MRG_FIELD_ROOTFS_PROPAGATION,
	MRG_FIELD_SECCOMP, MRG_FIELD_SYSCTL, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_PERSONALITY,
	MRG_FIELD_TIME_OFFSETS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL,
	MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_RESTART, MRG_FIELD_HEALTH, MRG_FIELD_END,
};

static const struct mrg_option options[] = {
	{ "fault", "string", "fail on purpose: VERB:ERRNO[:MESSAGE]" },
	{ "oom", "bool", "pretend that memory ran out" },
	{ "refuse", "bool", "let the check fail" },
	{ "speed", "enum:slow|fast", "an enumeration that changes nothing" },
	{ "level", "uint", "a number that changes nothing" },
	{ NULL, NULL, NULL },
};

const struct fake_kind fake_kind = { .fields = fields };

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "fake",
	.summary = "No isolation at all, for tests",
	.fields = fields,
	.options = options,
	.open = fake_open,
	.close = fake_close,
	.probe = fake_probe,
	.check = fake_check,
	.create = fake_create,
	.start = fake_start,
	.cleanup = fake_cleanup,
	.stop = fake_stop,
	.kill = fake_kill,
	.wait = fake_wait,
	.pause = fake_pause,
	.resume = fake_resume,
	.exec = fake_exec,
	.console = fake_console,
	.state = fake_state,
	.stats = fake_stats,
	.update = fake_update,
	.processes = fake_processes,
	.destroy = fake_destroy,
	.list = fake_list,
	.find = fake_find,
	.adopt = fake_adopt,
	.explain = fake_explain,
	.process = fake_process_verb,
	.native = fake_native,
	.configure = fake_configure,
	.autostart = fake_autostart,
};
