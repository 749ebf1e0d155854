/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hardened defaults against the table they come from, written down a second time as data. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

static struct mrg_spec *defaults(const char *json, const struct mrg_fields *able)
{
	struct mrg_spec *spec = spec_of(json);
	struct mrg_error err = { 0 };

	mrg_spec_default(spec, able, &err);
	assert_string_equal(err.message, "");
	return spec;
}

static struct mrg_spec *app(void)
{
	return defaults("{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[\"a\"]}}", NULL);
}

static struct mrg_spec *boot(void)
{
	return defaults("{\"root\":{\"path\":\"/r\"},\"moorage\":{\"boot\":true}}", NULL);
}

static uint64_t caps(const char *names)
{
	struct mrg_spec *spec = mrg_spec_new();
	uint64_t set;

	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_CAP_BOUNDING, names, NULL), 0);
	set = spec->cap_bounding;
	mrg_spec_free(spec);
	return set;
}

#define APP_CAPS "CHOWN,DAC_OVERRIDE,FOWNER,FSETID,SETGID,SETUID,SETFCAP,SETPCAP,KILL,NET_BIND_SERVICE,SYS_CHROOT"
#define BOOT_CAPS APP_CAPS ",MKNOD,AUDIT_WRITE,DAC_READ_SEARCH,IPC_OWNER,LEASE,NET_BROADCAST,SYS_NICE,SYS_PTRACE," \
	"SYS_TTY_CONFIG,SYS_BOOT,SYS_ADMIN"

static void assert_caps(const struct mrg_spec *spec, uint64_t set)
{
	assert_true(spec->cap_bounding == set && spec->cap_effective == set && spec->cap_permitted == set);
	assert_true(spec->cap_inheritable == 0 && mrg_fields_has(&spec->set, MRG_FIELD_CAP_INHERITABLE));
	assert_true(spec->cap_ambient == 0 && mrg_fields_has(&spec->set, MRG_FIELD_CAP_AMBIENT));
}

static void test_app_capabilities(void **state)
{
	struct mrg_spec *spec = app();

	(void)state;
	assert_caps(spec, caps(APP_CAPS));
	assert_int_equal(__builtin_popcountll(spec->cap_bounding), 11);
	mrg_spec_free(spec);
}

static void test_boot_capabilities(void **state)
{
	struct mrg_spec *spec = boot();

	(void)state;
	assert_caps(spec, caps(BOOT_CAPS ",NET_ADMIN,NET_RAW"));
	mrg_spec_free(spec);
}

/* Over the host's network a system that boots must not be able to change it. */
static void test_boot_on_host_network(void **state)
{
	struct mrg_spec *spec = defaults("{\"root\":{\"path\":\"/r\"},\"moorage\":{\"boot\":true,\"hostNamespaces\":[\"network\"]}}", NULL);

	(void)state;
	assert_caps(spec, caps(BOOT_CAPS));
	assert_null(spec->ns_network);
	mrg_spec_free(spec);
}

static void test_never_given(void **state)
{
	const uint64_t never = caps("SYS_MODULE,SYS_TIME,SYS_RAWIO,MAC_ADMIN,MAC_OVERRIDE,BPF,PERFMON,CHECKPOINT_RESTORE,SYSLOG,"
				    "WAKE_ALARM,BLOCK_SUSPEND,IPC_LOCK,AUDIT_READ,AUDIT_CONTROL,SYS_PACCT,SYS_RESOURCE,"
				    "LINUX_IMMUTABLE");
	struct mrg_spec *a = app(), *b = boot();

	(void)state;
	assert_true((a->cap_bounding & never) == 0 && (b->cap_bounding & never) == 0);
	mrg_spec_free(a);
	mrg_spec_free(b);
}

static void test_namespaces(void **state)
{
	struct mrg_spec *spec = app();
	const char *const wanted[] = { spec->ns_pid, spec->ns_mount, spec->ns_uts, spec->ns_ipc, spec->ns_network, spec->ns_cgroup };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_string_equal(wanted[i], "");
	assert_false(mrg_fields_has(&spec->set, MRG_FIELD_NS_USER) || mrg_fields_has(&spec->set, MRG_FIELD_NS_TIME));
	mrg_spec_free(spec);
}

static void assert_mounts(const struct mrg_spec *spec, const char *const *lines)
{
	for (size_t i = 0; i < spec->mounts.n || lines[i]; i++) {
		struct buffer b = { 0 };

		assert_true(i < spec->mounts.n && lines[i]);
		buffer_addf(&b, "%s %s", spec->mounts.item[i].type, spec->mounts.item[i].destination);
		for (char **option = spec->mounts.item[i].options; option && *option; option++)
			buffer_addf(&b, " %s", *option);
		assert_string_equal(b.text, lines[i]);
		buffer_deinit(&b);
	}
}

static void test_app_mounts(void **state)
{
	static const char *const lines[] = {
		"proc /proc nosuid noexec nodev",
		"tmpfs /dev nosuid noexec strictatime mode=755 size=1m nr_inodes=4096",
		"devpts /dev/pts nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5",
		"tmpfs /dev/shm nosuid noexec nodev mode=1777 size=64m",
		"mqueue /dev/mqueue nosuid noexec nodev",
		"sysfs /sys nosuid noexec nodev ro",
		"cgroup /sys/fs/cgroup nosuid noexec nodev relatime ro",
		NULL,
	};
	struct mrg_spec *spec = app();

	(void)state;
	assert_mounts(spec, lines);
	mrg_spec_free(spec);
}

static void test_boot_mounts(void **state)
{
	static const char *const lines[] = {
		"proc /proc nosuid noexec nodev",
		"tmpfs /dev nosuid strictatime mode=755 size=4m nr_inodes=65536",
		"devpts /dev/pts nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5",
		"tmpfs /dev/shm nosuid noexec nodev mode=1777 size=64m",
		"mqueue /dev/mqueue nosuid noexec nodev",
		"sysfs /sys nosuid noexec nodev ro",
		"cgroup /sys/fs/cgroup nosuid noexec nodev relatime rw",
		"tmpfs /run nosuid nodev strictatime mode=755 size=20% nr_inodes=800k",
		"tmpfs /tmp nosuid nodev strictatime mode=1777 size=10% nr_inodes=400k",
		NULL,
	};
	struct mrg_spec *spec = boot();

	(void)state;
	assert_mounts(spec, lines);
	mrg_spec_free(spec);
}

static void test_own_mounts_come_after(void **state)
{
	static const char *const lines[] = {
		"proc /proc nosuid noexec nodev",
		"tmpfs /dev nosuid noexec strictatime mode=755 size=1m nr_inodes=4096",
		"devpts /dev/pts nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5",
		"mqueue /dev/mqueue nosuid noexec nodev",
		"sysfs /sys nosuid noexec nodev ro",
		"cgroup /sys/fs/cgroup nosuid noexec nodev relatime ro",
		"tmpfs /dev/shm/ size=1g",
		"tmpfs /data",
		NULL,
	};
	struct mrg_spec *spec = defaults("{\"mounts\":[{\"destination\":\"/dev/shm/\",\"type\":\"tmpfs\",\"options\":[\"size=1g\"]},"
					 "{\"destination\":\"/data\",\"type\":\"tmpfs\"}]}", NULL);

	(void)state;
	assert_mounts(spec, lines);
	mrg_spec_free(spec);
}

/* What would show the host's is not mounted. */
static void test_mounts_of_host_namespaces(void **state)
{
	struct mrg_spec *spec = defaults("{\"moorage\":{\"hostNamespaces\":[\"ipc\",\"cgroup\"]}}", NULL);

	(void)state;
	for (size_t i = 0; i < spec->mounts.n; i++)
		assert_true(strcmp(spec->mounts.item[i].type, "mqueue") != 0 && strcmp(spec->mounts.item[i].type, "cgroup") != 0);
	mrg_spec_free(spec);
}

static void assert_all_in(char *const *paths, const char *const *wanted, size_t n)
{
	assert_int_equal(strv_length(paths), n);
	for (size_t i = 0; i < n; i++)
		assert_true(strv_contains(paths, wanted[i]));
}

static void test_app_paths(void **state)
{
	static const char *const masked[] = {
		"/proc/acpi", "/proc/asound", "/proc/config.gz", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger", "/proc/timer_list",
		"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/fs/pstore",
		"/sys/fs/selinux", "/sys/kernel/debug", "/sys/kernel/security",
	}, *const readonly[] = { "/proc/apm", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys" };
	struct mrg_spec *spec = app();

	(void)state;
	assert_all_in(spec->masked_paths, masked, ARRAY_SIZE(masked));
	assert_all_in(spec->readonly_paths, readonly, ARRAY_SIZE(readonly));
	mrg_spec_free(spec);
}

static void test_boot_paths(void **state)
{
	static const char *const masked[] = {
		"/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/timer_list",
		"/sys/devices/virtual/powercap",
	}, *const readonly[] = { "/proc/acpi", "/proc/apm", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/scsi",
				 "/proc/sys" };
	struct mrg_spec *spec = boot();

	(void)state;
	assert_all_in(spec->masked_paths, masked, ARRAY_SIZE(masked));
	assert_all_in(spec->readonly_paths, readonly, ARRAY_SIZE(readonly));
	mrg_spec_free(spec);
}

static void test_devices(void **state)
{
	static const struct { int64_t major, minor; } wanted[] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 },
								   { 5, 2 }, { 136, -1 } };
	struct mrg_spec *spec = app(), *system = boot();

	(void)state;
	assert_int_equal(spec->device_rules.n, ARRAY_SIZE(wanted) + 1);
	assert_false(spec->device_rules.item[0].allow);
	assert_true(spec->device_rules.item[0].major == -1 && spec->device_rules.item[0].minor == -1);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct mrg_device_rule *rule = &spec->device_rules.item[i + 1];

		assert_true(rule->allow && rule->type[0] == 'c' && rule->major == wanted[i].major && rule->minor == wanted[i].minor);
	}
	assert_int_equal(system->device_rules.n, spec->device_rules.n + 1);
	mrg_spec_free(spec);
	mrg_spec_free(system);
}

static uint64_t at_most(int resource, uint64_t wanted)
{
	struct rlimit own;

	getrlimit(resource, &own);
	return own.rlim_max == RLIM_INFINITY || own.rlim_max > wanted ? wanted : own.rlim_max;
}

static void test_rlimits(void **state)
{
	struct mrg_spec *spec = app(), *system = boot();

	(void)state;
	assert_int_equal(spec->rlimits.n, 3);
	assert_string_equal(spec->rlimits.item[0].type, "RLIMIT_NOFILE");
	assert_int_equal(spec->rlimits.item[0].soft, 1024);
	assert_true(spec->rlimits.item[0].hard == at_most(RLIMIT_NOFILE, 524288));
	assert_string_equal(spec->rlimits.item[1].type, "RLIMIT_CORE");
	assert_int_equal(spec->rlimits.item[1].soft, 0);
	assert_string_equal(spec->rlimits.item[2].type, "RLIMIT_MEMLOCK");
	assert_true(spec->rlimits.item[2].hard == at_most(RLIMIT_MEMLOCK, 8 << 20));
	assert_int_equal(system->rlimits.n, 1);
	mrg_spec_free(spec);
	mrg_spec_free(system);
}

/* A default must not ask for more than the caller has: raising a limit may be denied. */
static void test_rlimits_are_clamped(void **state)
{
	struct rlimit was, low;
	struct mrg_spec *spec;

	(void)state;
	getrlimit(RLIMIT_MEMLOCK, &was);
	low = (struct rlimit){ .rlim_cur = 4096, .rlim_max = was.rlim_max };
	low.rlim_max = 65536;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &low), 0);
	spec = app();
	assert_true(spec->rlimits.item[2].hard == 65536 && spec->rlimits.item[2].soft == 65536);
	mrg_spec_free(spec);
}

static void test_the_rest(void **state)
{
	struct mrg_spec *spec = app(), *system = boot();

	(void)state;
	assert_true(spec->no_new_privileges && !system->no_new_privileges);
	assert_true(mrg_fields_has(&system->set, MRG_FIELD_NO_NEW_PRIVILEGES));
	assert_int_equal(spec->pids_limit, 2048);
	assert_int_equal(system->pids_limit, 16384);
	assert_int_equal(spec->umask, 022);
	assert_string_equal(spec->cwd, "/");
	assert_string_equal(spec->seccomp_profile, "default");
	assert_string_equal(system->seccomp_profile, "boot");
	assert_true(spec->init && !system->init);
	assert_string_equal(spec->stop_signal, "TERM");
	assert_string_equal(system->stop_signal, "RTMIN+3");
	assert_false(mrg_fields_has(&spec->set, MRG_FIELD_OOM_SCORE_ADJ));
	mrg_spec_free(spec);
	mrg_spec_free(system);
}

static void test_environment(void **state)
{
	struct mrg_spec *spec = defaults("{\"process\":{\"terminal\":true,\"env\":[\"A=1\"]}}", NULL), *system = boot(),
		*own = defaults("{\"process\":{\"terminal\":true,\"env\":[\"TERM=vt100\",\"PATH=/x\"]}}", NULL);

	(void)state;
	assert_string_equal(spec->env[0], "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_string_equal(spec->env[1], "TERM=xterm");
	assert_string_equal(spec->env[2], "A=1");
	assert_null(spec->env[3]);
	assert_true(strv_contains(system->env, "container=moorage"));
	assert_int_equal(strv_length(own->env), 2);
	mrg_spec_free(spec);
	mrg_spec_free(system);
	mrg_spec_free(own);
}

static void test_own_values_stay(void **state)
{
	struct mrg_spec *spec = defaults("{\"process\":{\"noNewPrivileges\":false,\"capabilities\":{\"bounding\":[]}},\"linux\":"
					 "{\"maskedPaths\":[],\"resources\":{\"pids\":{\"limit\":0}},\"seccomp\":"
					 "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}", NULL);

	(void)state;
	assert_false(spec->no_new_privileges);
	assert_true(spec->cap_bounding == 0);
	assert_null(spec->masked_paths);
	assert_int_equal(spec->pids_limit, 0);
	assert_false(mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP_PROFILE));
	mrg_spec_free(spec);
}

static void test_only_what_is_able(void **state)
{
	struct mrg_fields able = { 0 };
	struct mrg_spec *spec;

	(void)state;
	mrg_fields_add(&able, MRG_FIELD_CWD);
	mrg_fields_add(&able, MRG_FIELD_NS_MOUNT);
	spec = defaults("{\"root\":{\"path\":\"/r\"}}", &able);
	mrg_fields_add(&able, MRG_FIELD_ROOT_PATH);
	assert_memory_equal(&spec->set, &able, sizeof(able));
	mrg_spec_free(spec);
}

/* Twice is once, and the result passes the check. */
static void test_idempotent_and_valid(void **state)
{
	struct mrg_spec *const specs[] = { app(), boot() };
	struct mrg_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		char *first = text_of(specs[i]), *second;

		mrg_spec_check(specs[i], &err);
		assert_string_equal(err.message, "");
		assert_int_equal(mrg_spec_default(specs[i], NULL, &err), 0);
		second = text_of(specs[i]);
		assert_string_equal(first, second);
		free(first);
		free(second);
		mrg_spec_free(specs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_app_capabilities), cmocka_unit_test(test_boot_capabilities),
		cmocka_unit_test(test_boot_on_host_network), cmocka_unit_test(test_never_given),
		cmocka_unit_test(test_namespaces), cmocka_unit_test(test_app_mounts), cmocka_unit_test(test_boot_mounts),
		cmocka_unit_test(test_own_mounts_come_after), cmocka_unit_test(test_mounts_of_host_namespaces),
		cmocka_unit_test(test_app_paths), cmocka_unit_test(test_boot_paths), cmocka_unit_test(test_devices),
		cmocka_unit_test(test_rlimits), cmocka_unit_test(test_the_rest), cmocka_unit_test(test_environment),
		cmocka_unit_test(test_own_values_stay), cmocka_unit_test(test_only_what_is_able),
		cmocka_unit_test(test_idempotent_and_valid), cmocka_unit_test(test_rlimits_are_clamped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
