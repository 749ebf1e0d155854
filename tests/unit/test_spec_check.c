/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules between fields: each one refuses, by name, and lets its legitimate twin pass. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* A spec that passes, with more JSON in it; "," in front where it goes into an object that has members. */
static char *wrap(const char *top, const char *process, const char *linux_part, const char *moorage)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[\"/bin/true\"]%s},\"linux\":{%s},\"moorage\":{%s}%s}",
		    process, linux_part, moorage, top);
	return b.text;
}

static void assert_check(const char *json, const char *message)
{
	struct mrg_spec *spec = spec_of(json);
	struct mrg_error err = { 0 };
	int r = mrg_spec_check(spec, &err);

	assert_string_equal(err.message, message);
	assert_int_equal(r, *message ? -MRG_E_INVALID : 0);
	mrg_spec_free(spec);
}

struct rule {
	const char *top, *process, *linux_part, *moorage, *message;
};

static const struct rule rules[] = {
	{ "", "", "", "", "" },
	{ ",\"hostname\":\"web\"", "", "", "", "/hostname: would change the name of the host; it needs a uts namespace" },
	{ ",\"hostname\":\"web\"", "", "\"namespaces\":[{\"type\":\"uts\"}]", "", "" },
	{ ",\"hostname\":\"a b\"", "", "\"namespaces\":[{\"type\":\"uts\"}]", "",
	  "/hostname: must be 1 to 64 letters, digits, '-', '.' or '_', not 'a b'" },
	{ ",\"hostname\":\"\"", "", "\"namespaces\":[{\"type\":\"uts\"}]", "",
	  "/hostname: must be 1 to 64 letters, digits, '-', '.' or '_', not ''" },
	{ "", ",\"cwd\":\"tmp\"", "", "", "/process/cwd: must be an absolute path without '..', not 'tmp'" },
	{ "", ",\"cwd\":\"/tmp/../x\"", "", "", "/process/cwd: must be an absolute path without '..', not '/tmp/../x'" },
	{ "", ",\"cwd\":\"/tmp\"", "", "", "" },
	{ "", ",\"env\":[\"A=1\",\"B\"]", "", "", "/process/env/1: must be NAME=VALUE, not 'B'" },
	{ "", ",\"env\":[\"=1\"]", "", "", "/process/env/0: must be NAME=VALUE, not '=1'" },
	{ "", ",\"env\":[\"A\\nB=1\"]", "", "", "/process/env/0: a name must not contain a newline" },
	{ "", ",\"env\":[\"A=1\\n2=3\"]", "", "", "" },
	{ "", ",\"user\":{\"uid\":1}", "", "\"user\":\"www\"", "/moorage/user: excludes /process/user/uid and gid" },
	{ "", "", "", "\"user\":\":www\"", "/moorage/user: must be NAME[:GROUP], not ':www'" },
	{ "", "", "", "\"stop\":{\"signal\":\"STOPIT\"}",
	  "/moorage/stop/signal: must be a signal such as TERM, not 'STOPIT'" },
	{ "", "", "", "\"stop\":{\"signal\":\"RTMIN+3\"}", "" },
	{ "", "", "", "\"boot\":true,\"init\":true", "/moorage/init: excludes /moorage/boot: the root's own init runs" },
	{ "", "", "", "\"boot\":true,\"hostNamespaces\":[\"pid\"]", "/moorage/boot: needs a pid namespace of its own" },
	{ "", ",\"capabilities\":{\"effective\":[\"CAP_KILL\"],\"permitted\":[]}", "", "",
	  "/process/capabilities/effective: CAP_KILL is not among the permitted ones" },
	{ "", ",\"capabilities\":{\"ambient\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}", "", "",
	  "/process/capabilities/ambient: must all be permitted and inheritable too" },
	{ "", ",\"capabilities\":{\"ambient\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"]}", "", "", "" },
	{ "", ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "", "",
	  "/process/rlimits/0: the soft limit is above the hard one" },
	{ "", ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]", "", "",
	  "/process/rlimits/1: RLIMIT_CPU was given before" },
	{ ",\"mounts\":[{\"destination\":\"a\",\"type\":\"tmpfs\"}]", "", "", "",
	  "/mounts/0: must be an absolute path without '..', not 'a'" },
	{ ",\"mounts\":[{\"destination\":\"/\",\"type\":\"tmpfs\"}]", "", "", "", "/mounts/0: would hide the root" },
	{ ",\"mounts\":[{\"destination\":\"/a\"}]", "", "", "", "/mounts/0: needs a type, or the option bind" },
	{ ",\"mounts\":[{\"destination\":\"/a\",\"options\":[\"bind\"]}]", "", "", "",
	  "/mounts/0: a bind mount needs an absolute source without '..', not ''" },
	{ ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[\"bind\",\"\"]}]", "", "", "",
	  "/mounts/0: has an empty or unprintable option" },
	{ ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[\"bind\"]}]", "", "", "", "" },
	{ ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]", "",
	  "", "", "/mounts/0: needs both uidMappings and gidMappings or none" },
	{ "", "", "\"namespaces\":[{\"type\":\"ipc\",\"path\":\"ns\"}]", "",
	  "/linux/namespaces: the path of 'ipc' must be absolute, not 'ns'" },
	{ "", "", "\"timeOffsets\":{}", "", "/linux/timeOffsets: needs a new time namespace" },
	{ "", "", "\"maskedPaths\":[\"/a\",\"b\"]", "",
	  "/linux/maskedPaths/1: must be an absolute path without '..', not 'b'" },
	{ "", "", "\"devices\":[{\"type\":\"c\",\"path\":\"null\"}]", "",
	  "/linux/devices/0/path: must be an absolute path without '..', not 'null'" },
	{ "", "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", "\"seccompProfile\":\"default\"",
	  "/moorage/seccompProfile: excludes /linux/seccomp" },
	{ "", "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}", "",
	  "/linux/seccomp/syscalls/0/names: must not be empty" },
	{ "", "", "", "\"labels\":{\"\":\"x\"}", "/moorage/labels: a key is empty or has control characters" },
	{ ",\"annotations\":{\"a\\nb\":\"x\"}", "", "", "", "/annotations: a key is empty or has control characters" },
	{ "", "", "", "\"options\":[\"key\"]", "/moorage/options/0: must be KEY=VALUE, not 'key'" },
	/* id maps */
	{ "", "", "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]", "",
	  "/linux/uidMappings: needs a new user namespace" },
	{ "", "", "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]", "",
	  "/linux/gidMappings: is missing: a user namespace maps both users and groups" },
	/* kernel parameters */
	{ "", "", "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}", "",
	  "/linux/sysctl/net.ipv4.ip_forward: needs a new network namespace" },
	{ "", "", "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},\"namespaces\":[{\"type\":\"network\"}]", "", "" },
	{ "", "", "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/1/ns/net\"}]",
	  "", "/linux/sysctl/net.ipv4.ip_forward: needs a new network namespace" },
	{ "", "", "\"sysctl\":{\"net/ipv4/conf/eth0.1/forwarding\":\"1\"},\"namespaces\":[{\"type\":\"network\"}]", "", "" },
	{ "", "", "\"sysctl\":{\"kernel.shmmax\":\"1\"}", "", "/linux/sysctl/kernel.shmmax: needs a new ipc namespace" },
	{ "", "", "\"sysctl\":{\"kernel.shmmax\":\"1\",\"kernel.msgmax\":\"1\",\"kernel.sem\":\"1 2 3 4\",\"fs.mqueue.msg_max\":\"1\"},"
	  "\"namespaces\":[{\"type\":\"ipc\"}]", "", "" },
	{ "", "", "\"sysctl\":{\"kernel.hostname\":\"x\"}", "", "/linux/sysctl/kernel.hostname: use /hostname instead" },
	{ "", "", "\"sysctl\":{\"kernel.domainname\":\"x\"}", "", "/linux/sysctl/kernel.domainname: use /domainname instead" },
	{ "", "", "\"sysctl\":{\"kernel.core_pattern\":\"|/x\"}", "",
	  "/linux/sysctl/kernel.core_pattern: would change the host" },
	{ "", "", "\"sysctl\":{\"vm.overcommit_memory\":\"1\"}", "", "/linux/sysctl/vm.overcommit_memory: would change the host" },
	{ "", "", "\"sysctl\":{\"net.../../kernel/core_pattern\":\"x\"},\"namespaces\":[{\"type\":\"network\"}]", "",
	  "/linux/sysctl: 'net.../../kernel/core_pattern' is no name of a kernel parameter" },
	{ "", "", "\"sysctl\":{\"net/../kernel/core_pattern\":\"x\"},\"namespaces\":[{\"type\":\"network\"}]", "",
	  "/linux/sysctl: 'net/../kernel/core_pattern' is no name of a kernel parameter" },
	{ "", "", "\"sysctl\":{\"net.a\":\"1\\n2\"},\"namespaces\":[{\"type\":\"network\"}]", "",
	  "/linux/sysctl/net.a: must be one line" },
	/* resources */
	{ "", "", "\"cgroupsPath\":\"/a/../b\"", "", "/linux/cgroupsPath: must not contain '..'" },
	{ "", "", "\"cgroupsPath\":\"/a/..b\"", "", "" },
	{ "", "", "\"resources\":{\"memory\":{\"swap\":5}}", "", "/linux/resources/memory/swap: needs a limit of memory too" },
	{ "", "", "\"resources\":{\"memory\":{\"swap\":5,\"limit\":9}}", "",
	  "/linux/resources/memory/swap: counts memory and swap together, so it must not be below the limit of memory" },
	{ "", "", "\"resources\":{\"memory\":{\"swap\":9,\"limit\":9}}", "", "" },
	{ "", "", "\"resources\":{\"memory\":{\"reservation\":10,\"limit\":9}}", "",
	  "/linux/resources/memory/reservation: is above the limit" },
	{ "", "", "\"resources\":{\"cpu\":{\"quota\":999}}", "", "/linux/resources/cpu/quota: must be at least 1000 microseconds" },
	{ "", "", "\"resources\":{\"cpu\":{\"burst\":5}}", "", "/linux/resources/cpu/burst: needs a quota" },
	{ "", "", "\"resources\":{\"cpu\":{\"burst\":5000,\"quota\":4000}}", "", "/linux/resources/cpu/burst: is above the quota" },
	{ "", "", "\"resources\":{\"cpu\":{\"cpus\":\"0-3,7\",\"mems\":\"0\"}}", "", "" },
	{ "", "", "\"resources\":{\"cpu\":{\"cpus\":\"3-1\"}}", "",
	  "/linux/resources/cpu/cpus: must be a list such as 0-3,7, not '3-1'" },
	{ "", "", "\"resources\":{\"cpu\":{\"mems\":\"0,\"}}", "",
	  "/linux/resources/cpu/mems: must be a list such as 0-3,7, not '0,'" },
	{ "", "", "\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rx\"}]}", "",
	  "/linux/resources/devices/0/access: must be letters of rwm, not 'rx'" },
	{ "", "", "\"resources\":{\"unified\":{\"memory.high\":\"1\"}}", "", "" },
	{ "", "", "\"resources\":{\"unified\":{\"../memory.max\":\"1\"}}", "",
	  "/linux/resources/unified: '../memory.max' is no file of a controller" },
	{ "", "", "\"resources\":{\"unified\":{\"cgroup.procs\":\"1\"}}", "",
	  "/linux/resources/unified: 'cgroup.procs' is no file of a controller" },
	{ "", "", "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]}", "",
	  "/linux/resources/hugepageLimits/0/pageSize: must be a size such as 2MB, not '2M'" },
	{ "", "", "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}", "", "" },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_free_ char *json = wrap(rules[i].top, rules[i].process, rules[i].linux_part, rules[i].moorage);

		assert_check(json, rules[i].message);
	}
}

static void test_root(void **state)
{
	(void)state;
	assert_check("{\"process\":{\"args\":[\"a\"]}}", "/root/path: is missing");
	assert_check("{\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"a\"]}}",
		     "/root/path: must be an absolute path without '..', not 'r'");
	assert_check("{\"root\":{\"path\":\"/\"},\"process\":{\"args\":[\"a\"]}}",
		     "/root/path: '/' would write to the host itself\n"
		     "use the root 'host': a read-only view of the host with a throw-away overlay");
	assert_check("{\"root\":{\"path\":\"//.\"},\"process\":{\"args\":[\"a\"]}}",
		     "/root/path: '/' would write to the host itself\n"
		     "use the root 'host': a read-only view of the host with a throw-away overlay");
	assert_check("{\"root\":{\"path\":\"/\"},\"process\":{\"args\":[\"a\"]},\"moorage\":{\"ephemeral\":true}}", "");
}

static void test_args(void **state)
{
	(void)state;
	assert_check("{\"root\":{\"path\":\"/r\"}}", "/process/args: needs at least a command");
	assert_check("{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[]}}", "/process/args: needs at least a command");
	assert_check("{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[\"\"]}}", "/process/args/0: must not be empty");
	assert_check("{\"root\":{\"path\":\"/r\"},\"moorage\":{\"boot\":true}}", "");
}

/* Values set from C are held to the table too. */
static void test_values_from_c(void **state)
{
	struct mrg_spec *spec = spec_of("{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[\"a\"]}}");
	struct mrg_error err = { 0 };

	(void)state;
	spec->oom_score_adj = 2000;
	mrg_fields_add(&spec->set, MRG_FIELD_OOM_SCORE_ADJ);
	assert_int_equal(mrg_spec_check(spec, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "/process/oomScoreAdj: must be from -1000 to 1000, not 2000");
	mrg_spec_free(spec);
}

static void check_maps(const struct mrg_id_mapping *map, size_t n, const char *message)
{
	struct mrg_spec *spec = spec_of("{\"root\":{\"path\":\"/r\"},\"process\":{\"args\":[\"a\"]},\"linux\":{\"namespaces\":"
					"[{\"type\":\"user\"}]}}");
	const struct mrg_id_mapping whole = { 0, 100000, 65536 };
	struct mrg_error err = { 0 };

	for (size_t i = 0; i < n; i++)
		assert_int_equal(mrg_spec_add_uid_mapping(spec, &map[i], &err), 0);
	mrg_spec_add_gid_mapping(spec, &whole, &err);
	mrg_spec_check(spec, &err);
	assert_string_equal(err.message, message);
	mrg_spec_free(spec);
}

static void test_id_maps(void **state)
{
	static const struct mrg_id_mapping good[] = { { 1000, 5, 1 }, { 0, 100000, 1000 }, { 1001, 200000, 10 } };
	static const struct mrg_id_mapping inside[] = { { 0, 100000, 10 }, { 9, 200000, 10 } };
	static const struct mrg_id_mapping outside[] = { { 0, 100000, 10 }, { 10, 100009, 10 } };
	static const struct mrg_id_mapping wraps[] = { { 4294967290, 0, 10 } }, last[] = { { 4294967294, 0, 2 } };
	static const struct mrg_id_mapping most[] = { { 0, 0, 4294967295 } };
	struct mrg_id_mapping many[341];

	(void)state;
	check_maps(good, 3, "");
	check_maps(most, 1, "");
	check_maps(inside, 2, "/linux/uidMappings: ranges of ids overlap");
	check_maps(outside, 2, "/linux/uidMappings: ranges of ids overlap");
	check_maps(wraps, 1, "/linux/uidMappings: range 0 goes beyond the last id, 4294967294");
	check_maps(last, 1, "/linux/uidMappings: range 0 goes beyond the last id, 4294967294");
	for (uint32_t i = 0; i < 341; i++)
		many[i] = (struct mrg_id_mapping){ i, i, 1 };
	check_maps(many, 340, "");
	check_maps(many, 341, "/linux/uidMappings: an id map has at most 340 lines");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules), cmocka_unit_test(test_root), cmocka_unit_test(test_args),
		cmocka_unit_test(test_values_from_c), cmocka_unit_test(test_id_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
