/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What needs no cgroups: reading mountinfo, limits as files and texts, device rules as lines and programs. */

#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <cmocka.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

static const struct cgroup_controllers v1 = {
	.v1 = CGROUP_CPU | CGROUP_CPUACCT | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_IO | CGROUP_PIDS | CGROUP_DEVICES |
	      CGROUP_FREEZER | CGROUP_HUGETLB,
};
static const struct cgroup_controllers v2 = {
	.v2 = CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_IO | CGROUP_PIDS | CGROUP_HUGETLB, .unified = true,
};

static bool parse(const char *text, struct cgroup_mount *ret, char buffer[512])
{
	snprintf(buffer, 512, "%s", text);
	return cgroup_parse_mount(buffer, ret);
}

static void mountinfo_line_of_v1_is_read(void **state _unused_)
{
	struct cgroup_mount m;
	char buffer[512];

	assert_true(parse("33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
			  &m, buffer));
	assert_int_equal(m.version, 1);
	assert_int_equal(m.controllers, CGROUP_CPU | CGROUP_CPUACCT);
	assert_int_equal(m.minor, 30);
	assert_string_equal(m.root, "/");
	assert_string_equal(m.path, "/sys/fs/cgroup/cpu,cpuacct");
}

static void mountinfo_line_of_v2_is_unescaped(void **state _unused_)
{
	struct cgroup_mount m;
	char buffer[512];

	assert_true(parse("41 31 0:38 / /a\\040b\\134 rw - cgroup2 none rw,nsdelegate", &m, buffer));
	assert_int_equal(m.version, 2);
	assert_string_equal(m.path, "/a b\\");
}

static void named_systemd_hierarchy_is_known(void **state _unused_)
{
	struct cgroup_mount m;
	char buffer[512];

	assert_true(parse("40 31 0:37 / /s rw - cgroup cgroup rw,xattr,name=systemd", &m, buffer));
	assert_int_equal(m.controllers, CGROUP_SYSTEMD);
}

static void other_mounts_are_passed_over(void **state _unused_)
{
	struct cgroup_mount m;
	char buffer[512];

	assert_false(parse("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755", &m, buffer));
	assert_false(parse("31 23 0:28 /../x /sys/fs/cgroup rw - cgroup2 cgroup2 rw", &m, buffer));
	assert_false(parse("31 23 0:28 / /sys rw - cgroup cgroup rw,name=other", &m, buffer));
	assert_false(parse("torn", &m, buffer));
	assert_false(parse("1 - cgroup2", &m, buffer));
}

static const char *text_of(const struct cgroup_plan *plan, const char *file)
{
	const char *text = NULL;

	for (size_t i = 0; i < plan->n; i++)
		if (strcmp(plan->item[i].file, file) == 0) {
			assert_null(text);
			text = plan->item[i].text;
		}
	return text ? text : "(no such file)";
}

static void memory_without_swap_allows_no_swap(void **state _unused_)
{
	struct mrg_spec spec = { .memory_limit = 64 << 20 };
	_cleanup_plan_ struct cgroup_plan one = CGROUP_PLAN_INIT, two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_MEMORY_LIMIT);
	assert_int_equal(cgroup_plan(&one, &spec, &spec.set, &v1, NULL), 0);
	assert_string_equal(text_of(&one, "memory.limit_in_bytes"), "67108864");
	assert_string_equal(text_of(&one, "memory.memsw.limit_in_bytes"), "67108864");
	assert_int_equal(one.needed.v1, CGROUP_MEMORY);
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "memory.max"), "67108864");
	assert_string_equal(text_of(&two, "memory.swap.max"), "0");
	assert_int_equal(two.needed.v2, CGROUP_MEMORY);
}

static void swap_includes_memory(void **state _unused_)
{
	struct mrg_spec spec = { .memory_limit = 100, .memory_swap = 150 };
	_cleanup_plan_ struct cgroup_plan one = CGROUP_PLAN_INIT, two = CGROUP_PLAN_INIT, bad = CGROUP_PLAN_INIT;
	struct mrg_error err;

	mrg_fields_add(&spec.set, MRG_FIELD_MEMORY_LIMIT);
	mrg_fields_add(&spec.set, MRG_FIELD_MEMORY_SWAP);
	assert_int_equal(cgroup_plan(&one, &spec, &spec.set, &v1, NULL), 0);
	assert_string_equal(text_of(&one, "memory.memsw.limit_in_bytes"), "150");
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "memory.swap.max"), "50");
	spec.memory_swap = 99;
	assert_int_equal(cgroup_plan(&bad, &spec, &spec.set, &v2, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "memory.swap"));
}

static void unlimited_is_spelt_by_version(void **state _unused_)
{
	struct mrg_spec spec = { .memory_limit = -1, .pids_limit = 0 };
	_cleanup_plan_ struct cgroup_plan one = CGROUP_PLAN_INIT, two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_MEMORY_LIMIT);
	mrg_fields_add(&spec.set, MRG_FIELD_PIDS_LIMIT);
	assert_int_equal(cgroup_plan(&one, &spec, &spec.set, &v1, NULL), 0);
	assert_string_equal(text_of(&one, "memory.limit_in_bytes"), "-1");
	assert_string_equal(text_of(&one, "memory.memsw.limit_in_bytes"), "-1");
	assert_string_equal(text_of(&one, "pids.max"), "max");
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "memory.max"), "max");
	assert_string_equal(text_of(&two, "memory.swap.max"), "max");
}

static void cpu_becomes_one_file_on_v2_and_three_on_v1(void **state _unused_)
{
	struct mrg_spec spec = { .cpu_quota = 50000, .cpu_period = 20000, .cpu_shares = 1024 };
	_cleanup_plan_ struct cgroup_plan one = CGROUP_PLAN_INIT, two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_CPU_QUOTA);
	mrg_fields_add(&spec.set, MRG_FIELD_CPU_PERIOD);
	mrg_fields_add(&spec.set, MRG_FIELD_CPU_SHARES);
	assert_int_equal(cgroup_plan(&one, &spec, &spec.set, &v1, NULL), 0);
	assert_int_equal(one.n, 3);
	assert_string_equal(text_of(&one, "cpu.cfs_quota_us"), "50000");
	assert_string_equal(text_of(&one, "cpu.cfs_period_us"), "20000");
	assert_string_equal(text_of(&one, "cpu.shares"), "1024");
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_int_equal(two.n, 2);
	assert_string_equal(text_of(&two, "cpu.max"), "50000 20000");
	assert_string_equal(text_of(&two, "cpu.weight"), "39");
}

static void a_period_alone_keeps_the_quota_open(void **state _unused_)
{
	struct mrg_spec spec = { .cpu_period = 20000 };
	_cleanup_plan_ struct cgroup_plan two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_CPU_PERIOD);
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "cpu.max"), "max 20000");
}

static void throttles_are_a_line_per_device(void **state _unused_)
{
	struct mrg_io_limit limits[] = { { 8, 0, 1048576 }, { 8, 16, 0 } };
	struct mrg_spec spec = { .io_read_bps = { limits, 2 } };
	_cleanup_plan_ struct cgroup_plan one = CGROUP_PLAN_INIT, two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_IO_READ_BPS);
	assert_int_equal(cgroup_plan(&one, &spec, &spec.set, &v1, NULL), 0);
	assert_string_equal(one.item[0].file, "blkio.throttle.read_bps_device");
	assert_string_equal(one.item[0].text, "8:0 1048576");
	assert_string_equal(one.item[1].text, "8:16 0");
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(two.item[0].file, "io.max");
	assert_string_equal(two.item[0].text, "8:0 rbps=1048576");
	assert_string_equal(two.item[1].text, "8:16 rbps=max");
}

static void io_weight_has_two_spellings(void **state _unused_)
{
	struct mrg_spec spec = { .io_weight = 1000 };
	_cleanup_plan_ struct cgroup_plan two = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_IO_WEIGHT);
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "io.bfq.weight"), "1000");
	assert_string_equal(two.item[0].other_file, "io.weight");
	assert_string_equal(two.item[0].other_text, "default 10000");
}

static void hugepages_are_named_by_size(void **state _unused_)
{
	struct mrg_hugepage_limit good = { "2MB", 4 << 20 }, bad = { "../x", 1 };
	struct mrg_spec spec = { .hugepage_limits = { &good, 1 } };
	_cleanup_plan_ struct cgroup_plan two = CGROUP_PLAN_INIT, none = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_HUGEPAGE_LIMITS);
	assert_int_equal(cgroup_plan(&two, &spec, &spec.set, &v2, NULL), 0);
	assert_string_equal(text_of(&two, "hugetlb.2MB.max"), "4194304");
	spec.hugepage_limits.item = &bad;
	assert_int_equal(cgroup_plan(&none, &spec, &spec.set, &v2, NULL), -MRG_E_INVALID);
}

static int plan_unified(const char *key, const struct cgroup_controllers *available, struct mrg_error *err)
{
	struct mrg_pair pair = { key, "1" };
	struct mrg_spec spec = { .unified = { &pair, 1 } };
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r;

	mrg_fields_add(&spec.set, MRG_FIELD_UNIFIED);
	r = cgroup_plan(&plan, &spec, &spec.set, available, err);
	if (r == 0)
		assert_string_equal(text_of(&plan, key), "1");
	return r;
}

static void unified_files_are_taken_verbatim(void **state _unused_)
{
	assert_int_equal(plan_unified("memory.high", &v2, NULL), 0);
	assert_int_equal(plan_unified("hugetlb.2MB.rsvd.max", &v2, NULL), 0);
	assert_int_equal(plan_unified("cgroup.max.depth", &v2, NULL), 0);
}

static void unified_files_that_are_none_are_refused(void **state _unused_)
{
	static const char *const bad[] = { "", ".", "..", "memory", "../memory.max", "memory.max/x", "cgroup.kill",
					   "cgroup.procs", "cgroup.subtree_control", "unknown.max", ".memory.max",
					   "memory.max\n" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(plan_unified(bad[i], &v2, NULL), -MRG_E_INVALID);
}

static void unified_on_v1_is_an_error_that_names_it(void **state _unused_)
{
	struct mrg_error err;

	assert_int_equal(plan_unified("memory.high", &v1, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "unified"));
}

static void a_missing_controller_is_an_error_that_names_both(void **state _unused_)
{
	const struct cgroup_controllers none = { .unified = true };
	struct mrg_spec spec = { .cpuset_cpus = "0" };
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;
	struct mrg_error err;

	mrg_fields_add(&spec.set, MRG_FIELD_CPUSET_CPUS);
	assert_int_equal(cgroup_plan(&plan, &spec, &spec.set, &none, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "no cpuset controller"));
	assert_non_null(strstr(err.message, "cpus"));
}

static void what_only_v1_has_is_an_error_on_v2(void **state _unused_)
{
	struct mrg_spec spec = { .memory_swappiness = 10 };
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_MEMORY_SWAPPINESS);
	assert_int_equal(cgroup_plan(&plan, &spec, &spec.set, &v2, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(cgroup_plan(&plan, &spec, &spec.set, &v1, NULL), 0);
	assert_string_equal(text_of(&plan, "memory.swappiness"), "10");
}

static void what_only_v1_has_is_told_where_nothing_else_is_missing(void **state _unused_)
{
	const struct cgroup_controllers no_memory = { .v2 = CGROUP_PIDS, .unified = true };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct mrg_fields fields = { 0 };
	char reason[96] = "";

	mrg_fields_add(&fields, MRG_FIELD_MEMORY_SWAPPINESS);
	mrg_fields_add(&fields, MRG_FIELD_MEMORY_LIMIT);
	cgroup_limits_probe(&cg, &v2, &fields, reason, sizeof(reason));
	assert_false(mrg_fields_has(&fields, MRG_FIELD_MEMORY_SWAPPINESS));
	assert_true(mrg_fields_has(&fields, MRG_FIELD_MEMORY_LIMIT));
	assert_string_equal(reason, CGROUP_NEVER_HAD);
	reason[0] = '\0';
	cgroup_limits_probe(&cg, &no_memory, &fields, reason, sizeof(reason));
	assert_false(mrg_fields_has(&fields, MRG_FIELD_MEMORY_LIMIT));
	mrg_fields_add(&fields, MRG_FIELD_MEMORY_RESERVATION);
	mrg_fields_add(&fields, MRG_FIELD_CPU_QUOTA);
	cgroup_limits_probe(&cg, &no_memory, &fields, reason, sizeof(reason));
	assert_string_equal(reason, "no memory controller; no cpu controller");
}

static void make_file(int dir, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* A hierarchy of version 2 as files of a directory: what @child has is seen where the controllers are on. */
static int example_setup(struct cgroup *cg, const char *on, const char *child)
{
	char template[] = "/tmp/mrgt-cgroup.XXXXXX";
	int root;

	assert_non_null(mkdtemp(template));
	root = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	make_file(root, "cgroup.subtree_control", on);
	assert_int_equal(mkdirat(root, "slice", 0755), 0);
	make_file(root, child, "");
	*cg = (struct cgroup){ .n = 1, .item = { { .version = 2, .root = root, .dir = -1 } } };
	return root;
}

static void example_teardown(int root, const char *child)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
	length = readlink(path, target, sizeof(target) - 1);
	assert_true(length > 0);
	target[length] = '\0';
	assert_int_equal(unlinkat(root, "cgroup.subtree_control", 0), 0);
	assert_int_equal(unlinkat(root, child, 0), 0);
	assert_int_equal(unlinkat(root, "slice", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(target), 0);
	close(root);
}

static bool has_weight(const char *on, const char *child, char reason[96])
{
	struct mrg_fields fields = { 0 };
	struct cgroup cg;
	int root = example_setup(&cg, on, child);

	reason[0] = '\0';
	mrg_fields_add(&fields, MRG_FIELD_IO_WEIGHT);
	cgroup_limits_probe(&cg, &v2, &fields, reason, 96);
	example_teardown(root, child);
	return mrg_fields_has(&fields, MRG_FIELD_IO_WEIGHT);
}

static void a_kernel_without_weights_is_told(void **state _unused_)
{
	char reason[96];

	assert_true(has_weight("cpu io", "slice/io.weight", reason));
	assert_true(has_weight("io", "slice/io.bfq.weight", reason));
	assert_true(has_weight("cpu", "io.cost.qos", reason));
	assert_string_equal(reason, "");
	assert_false(has_weight("io", "slice/io.max", reason));
	assert_false(has_weight("cpu", "slice/io.weight", reason));
	assert_string_equal(reason, "this kernel has no io.bfq.weight");
}

static void the_cgroup_is_that_of_most_hierarchies(void **state _unused_)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "0::/a.slice/b.scope/init.scope\n", "/a.slice/b.scope" },
		{ "3:devices:/moorage-a\n1:name=systemd:/\n0::/\n", "/moorage-a" },
		/* libvirt without machined: the others are of the service that it runs in */
		{ "5:devices:/machine/lxc-1-a.libvirt-lxc\n4:memory:/machine/lxc-1-a.libvirt-lxc\n3:freezer:/machine/lxc-1-a.libvirt-lxc\n"
		  "1:name=systemd:/system.slice/libvirtd.service\n0::/system.slice/libvirtd.service\n", "/machine/lxc-1-a.libvirt-lxc" },
		/* a unit that is not in every controller */
		{ "6:devices:/system.slice\n5:blkio:/system.slice\n4:cpu,cpuacct:/system.slice\n3:pids:/system.slice/a.service\n"
		  "1:name=systemd:/system.slice/a.service\n0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "2:cpu:/a\n0::/b\n", "/b" },
		{ "2:cpu:/\n1:memory:/../x\n0::/\n", NULL },
		{ "torn", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = strdup(cases[i].text);
		const char *path = cgroup_choose(text);

		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else
			assert_null(path);
	}
}

static void merging_keeps_what_is_not_changed(void **state _unused_)
{
	struct mrg_spec spec = { .cpu_quota = 10000, .cpu_period = 20000 }, changes = { .cpu_quota = 5000 }, merged;
	_cleanup_plan_ struct cgroup_plan plan = CGROUP_PLAN_INIT;

	mrg_fields_add(&spec.set, MRG_FIELD_CPU_QUOTA);
	mrg_fields_add(&spec.set, MRG_FIELD_CPU_PERIOD);
	mrg_fields_add(&changes.set, MRG_FIELD_CPU_QUOTA);
	merged = cgroup_merge(&spec, &changes);
	assert_int_equal(cgroup_plan(&plan, &merged, &changes.set, &v2, NULL), 0);
	assert_int_equal(plan.n, 1);
	assert_string_equal(text_of(&plan, "cpu.max"), "5000 20000");
}

static int name_with(const char *path, struct cgroup *cg)
{
	struct mrg_spec spec = { .cgroups_path = path };
	struct mrg_unit unit = { .name = "web", .id = "0123456789abcdef", .spec = &spec, .dir = -1 };

	if (path)
		mrg_fields_add(&spec.set, MRG_FIELD_CGROUPS_PATH);
	return cgroup_name(cg, &unit, NULL);
}

static void a_cgroup_is_named_by_parent_name_and_id(void **state _unused_)
{
	struct cgroup cg = { .unified_only = true };

	assert_int_equal(name_with(NULL, &cg), 0);
	assert_string_equal(cg.path, "moorage/web-0123456789abcdef");
	assert_string_equal(cg.leaf, "web-0123456789abcdef");
	cg.unified_only = false;
	assert_int_equal(name_with(NULL, &cg), 0);
	assert_string_equal(cg.path, "moorage-web-0123456789abcdef");
	assert_string_equal(cg.leaf, "moorage-web-0123456789abcdef");
	assert_string_equal(cg.parent, "");
	assert_int_equal(name_with("/a.slice/b/", &cg), 0);
	assert_string_equal(cg.path, "a.slice/b/web-0123456789abcdef");
	assert_string_equal(cg.parent, "a.slice/b");
	assert_string_equal(cg.leaf, "web-0123456789abcdef");
	assert_int_equal(name_with("/", &cg), 0);
	assert_string_equal(cg.path, "web-0123456789abcdef");
}

static void a_parent_that_leads_out_is_refused(void **state _unused_)
{
	static const char *const bad[] = { "..", "a/../b", "a/..", "/../x", "a//b", "./a", "a\nb" };
	struct cgroup cg = { .unified_only = true };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(name_with(bad[i], &cg), -MRG_E_INVALID);
}

static void device_lines_begin_with_denial(void **state _unused_)
{
	const struct mrg_device_rule rules[] = {
		{ 0, NULL, -1, -1, NULL }, { 1, "c", 1, 3, "rwm" }, { 1, "b", 8, -1, "r" }, { 1, NULL, -1, -1, "m" },
	};
	_cleanup_(strv_freep) char **lines = NULL;

	assert_int_equal(cgroup_devices_lines(rules, 4, &lines, NULL), 0);
	assert_string_equal(lines[0], "da");
	assert_string_equal(lines[1], "da");
	assert_string_equal(lines[2], "ac 1:3 rwm");
	assert_string_equal(lines[3], "ab 8:* r");
	assert_string_equal(lines[4], "ab *:* m");
	assert_string_equal(lines[5], "ac *:* m");
	assert_null(lines[6]);
}

static void what_v1_cannot_hold_is_refused(void **state _unused_)
{
	const struct mrg_device_rule rules[] = { { 1, "c", 1, -1, "rwm" }, { 0, "c", 1, 5, "w" } };
	_cleanup_(strv_freep) char **lines = NULL;
	struct mrg_error err;

	assert_int_equal(cgroup_devices_lines(rules, 2, &lines, &err), -MRG_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "/linux/resources/devices/1"));
}

static void too_many_rules_are_refused(void **state _unused_)
{
	struct mrg_device_rule *rules = calloc(5000, sizeof(*rules));
	struct bpf_insn *program;
	size_t n;

	assert_int_equal(cgroup_devices_program(rules, 5000, &program, &n), -E2BIG);
	free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mountinfo_line_of_v1_is_read),
		cmocka_unit_test(mountinfo_line_of_v2_is_unescaped),
		cmocka_unit_test(named_systemd_hierarchy_is_known),
		cmocka_unit_test(other_mounts_are_passed_over),
		cmocka_unit_test(memory_without_swap_allows_no_swap),
		cmocka_unit_test(swap_includes_memory),
		cmocka_unit_test(unlimited_is_spelt_by_version),
		cmocka_unit_test(cpu_becomes_one_file_on_v2_and_three_on_v1),
		cmocka_unit_test(a_period_alone_keeps_the_quota_open),
		cmocka_unit_test(throttles_are_a_line_per_device),
		cmocka_unit_test(io_weight_has_two_spellings),
		cmocka_unit_test(hugepages_are_named_by_size),
		cmocka_unit_test(unified_files_are_taken_verbatim),
		cmocka_unit_test(unified_files_that_are_none_are_refused),
		cmocka_unit_test(unified_on_v1_is_an_error_that_names_it),
		cmocka_unit_test(a_missing_controller_is_an_error_that_names_both),
		cmocka_unit_test(what_only_v1_has_is_an_error_on_v2),
		cmocka_unit_test(what_only_v1_has_is_told_where_nothing_else_is_missing),
		cmocka_unit_test(a_kernel_without_weights_is_told),
		cmocka_unit_test(the_cgroup_is_that_of_most_hierarchies),
		cmocka_unit_test(merging_keeps_what_is_not_changed),
		cmocka_unit_test(a_cgroup_is_named_by_parent_name_and_id),
		cmocka_unit_test(a_parent_that_leads_out_is_refused),
		cmocka_unit_test(device_lines_begin_with_denial),
		cmocka_unit_test(what_v1_cannot_hold_is_refused),
		cmocka_unit_test(too_many_rules_are_refused),
	};

	return cmocka_run_group_tests_name("cgroup_limits", tests, NULL, NULL);
}
