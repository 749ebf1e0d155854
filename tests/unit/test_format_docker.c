/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "docker inspect" and "podman inspect" print: choosing a container, what engines do when nothing is said, hostile text. What each key
 * becomes is in tests/convert/docker. */

#include <stdlib.h>
#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/util/cleanup.h"
#include "tests/unit/spec_fixture.h"

static struct mrg_spec *read_docker(const char *text)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("docker", text, strlen(text), &spec, NULL, NULL, &err);
	assert_string_equal(err.message, "");
	return spec;
}

#define ONE(name, host, config)	"{\"Name\":\"" name "\",\"Id\":\"0123456789abcdef\",\"HostConfig\":{" host "},\"Config\":{" config "}}"

/* The others become blanks: lines stay what they were. */
static void test_choose(void **state)
{
	static const char text[] = "[\n" ONE("/a", "", "\"Hostname\":\"one\"") ",\n" ONE("b", "", "\"Hostname\":\"two\"") "\n]";
	struct mrg_error err = { 0 };
	struct mrg_spec *spec = NULL;
	char *chosen = NULL;

	(void)state;
	assert_int_equal(mrg_format_read("docker", text, strlen(text), &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "there are 2 containers: choose one by its name\nthere are a, b");
	assert_int_equal(format_choose("docker", text, strlen(text), "c", &chosen, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "no container is called 'c'\nthere are a, b");
	assert_int_equal(format_choose("docker", text, strlen(text), "b", &chosen, &err), 0);
	assert_int_equal(strlen(chosen), strlen(text));
	assert_int_equal(strspn(chosen, " \n"), strstr(text, ",\n{") + 2 - text);
	spec = read_docker(chosen);
	assert_string_equal(spec->hostname, "two");
	mrg_spec_free(spec);
	free(chosen);
	assert_int_equal(format_choose("lxc", "", 0, "b", &chosen, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "a text of 'lxc' has one container: no name can be chosen");
}

/* Docker's list of capabilities, and Podman's, which tells itself apart. */
static void test_nothing_said(void **state)
{
	struct mrg_spec *docker = read_docker("[" ONE("a", "", "") "]"), *podman = read_docker("[" ONE("a", "\"CgroupManager\":\"systemd\"", "") "]");

	(void)state;
	assert_true(docker->cap_bounding == engine_caps_docker);
	assert_true(podman->cap_bounding == engine_caps_podman);
	assert_true(docker->cap_effective == docker->cap_bounding);
	assert_string_equal(docker->seccomp_profile, "default");
	assert_string_equal(docker->ns_network, "");
	assert_int_equal(docker->mounts.n, 7);
	assert_string_equal(docker->mounts.item[6].options[4], "size=67108864");
	assert_string_equal(podman->mounts.item[6].options[4], "size=65536000");
	assert_string_equal(docker->cwd, "/");
	assert_string_equal(docker->env[0], ENGINE_PATH);
	mrg_spec_free(docker);
	mrg_spec_free(podman);
}

/* A user other than root starts without capabilities. */
static void test_user(void **state)
{
	struct mrg_spec *spec = read_docker("[" ONE("a", "\"CapAdd\":[\"ALL\"]", "\"User\":\"1000:1000\"") "]");

	(void)state;
	assert_int_equal(spec->uid, 1000);
	assert_true(spec->cap_bounding == ENGINE_CAPS_ALL);
	assert_true(spec->cap_effective == 0);
	mrg_spec_free(spec);
}

/* Everything is open: nothing hidden, no filter, /sys writable. */
static void test_privileged(void **state)
{
	struct mrg_spec *spec = read_docker("[" ONE("a", "\"Privileged\":true", "") "]");

	(void)state;
	assert_true(spec->cap_bounding == ENGINE_CAPS_ALL);
	assert_string_equal(spec->seccomp_profile, "unconfined");
	assert_null(spec->masked_paths);
	assert_false(strv_contains(spec->mounts.item[3].options, "ro"));
	assert_int_equal(spec->device_rules.item[spec->device_rules.n - 1].allow, 1);
	assert_int_equal(spec->device_rules.item[spec->device_rules.n - 1].major, -1);
	mrg_spec_free(spec);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "the text is empty" },
		{ "{", "line 1, column 2: expected a key in double quotes" },
		{ "[]", "the array has no container" },
		{ "{}", "has no HostConfig: it describes no container\nimages, volumes and networks are inspected too; use 'docker container inspect NAME'" },
		{ "3", "must be the array that 'inspect' prints" },
		{ "[1]", "a container must be an object" },
		{ "[{}]", "has no HostConfig: it describes no container\nimages, volumes and networks are inspected too; use 'docker container inspect NAME'" },
		{ "[{\"HostConfig\":{}}]",
		  "has no Config: it describes no container\nimages, volumes and networks are inspected too; use 'docker container inspect NAME'" },
		{ "[{\"Config\":{},\"HostConfig\":[]}]",
		  "has no HostConfig: it describes no container\nimages, volumes and networks are inspected too; use 'docker container inspect NAME'" },
		{ "[{\"a\":1,\"a\":2}]", "line 1, column 13: this key was given before in the same object" },
		{ "[{\"Path\":1,\"HostConfig\":{},\"Config\":{}}]", "line 1: Path: must be a string" },
		{ "[{\"Args\":\"x\",\"HostConfig\":{},\"Config\":{}}]", "line 1: Args: must be an array" },
		{ "[{\"Args\":[1],\"HostConfig\":{},\"Config\":{}}]", "line 1: Args: must be an array of strings" },
		{ "[{\"Platform\":\"windows\",\"HostConfig\":{},\"Config\":{}}]", "line 1: Platform: must be linux: nothing here runs containers of 'windows'" },
		{ "[{\"Mounts\":[1],\"HostConfig\":{},\"Config\":{}}]", "line 1: Mounts: must be an array of objects" },
		{ "[{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"a\",\"Destination\":\"/b\"}],\"HostConfig\":{},\"Config\":{}}]",
		  "line 1: Mounts: must be an absolute path without '..', not 'a'" },
		{ "[{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/a\",\"Destination\":\"b\"}],\"HostConfig\":{},\"Config\":{}}]",
		  "line 1: Mounts: must be mounted at an absolute path without '..', not 'b'" },
		{ "[{\"EffectiveCaps\":[\"FLY\"],\"HostConfig\":{},\"Config\":{}}]", "line 1: EffectiveCaps: must be capabilities, not 'FLY'" },
		{ "[{\"BoundingCaps\":[1],\"HostConfig\":{},\"Config\":{}}]", "line 1: BoundingCaps: must be capabilities, not 'another value'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"User\":\":\"}}]", "line 1: Config.User: must be NAME[:GROUP], not ':'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"User\":1}}]", "line 1: Config.User: must be a string" },
		{ "[{\"HostConfig\":{},\"Config\":{\"User\":\"a:b:c\"}}]", "line 1: Config.User: must be NAME[:GROUP], not 'a:b:c'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Env\":\"A=1\"}}]", "line 1: Config.Env: must be an array" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Env\":[\"A\"]}}]", "line 1: Config.Env: must be NAME=VALUE, not 'A'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Env\":[\"=1\"]}}]", "line 1: Config.Env: must be NAME=VALUE, not '=1'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Env\":[1]}}]", "line 1: Config.Env: must be an array of strings" },
		{ "[{\"HostConfig\":{},\"Config\":{\"StopSignal\":\"NOPE\"}}]", "line 1: Config.StopSignal: must be a signal, not 'NOPE'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"StopSignal\":99}}]", "line 1: Config.StopSignal: must be a signal, not '99'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"StopTimeout\":-5}}]",
		  "line 1: Config.StopTimeout: /moorage/stop/timeout: must be from 0 to 4294967295, not -5" },
		{ "[{\"HostConfig\":{},\"Config\":{\"StopTimeout\":1.5}}]", "line 1: Config.StopTimeout: must be a whole number" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Umask\":\"999\"}}]", "line 1: Config.Umask: /process/user/umask: must be octal such as 022, not '999'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Labels\":{\"a\":1}}}]", "line 1: Config.Labels: must be an object of strings" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Labels\":[1]}}]", "line 1: Config.Labels: must be an object" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Tty\":\"yes\"}}]", "line 1: Config.Tty: must be true or false" },
		{ "[{\"HostConfig\":{},\"Config\":{\"MacAddress\":\"zz\"}}]", "line 1: Config.MacAddress: must be a MAC address, not 'zz'" },
		{ "[{\"HostConfig\":{},\"Config\":{\"Cmd\":[1]}}]", "line 1: Config.Cmd: must be an array of strings" },
		{ "[{\"HostConfig\":{\"Memory\":\"1g\"},\"Config\":{}}]", "line 1: HostConfig.Memory: must be a number" },
		{ "[{\"HostConfig\":{\"Memory\":-5},\"Config\":{}}]",
		  "line 1: HostConfig.Memory: /linux/resources/memory/limit: must be a size such as 512M or 2G, not '-5'" },
		{ "[{\"HostConfig\":{\"Memory\":1e9},\"Config\":{}}]", "line 1: HostConfig.Memory: must be a whole number" },
		{ "[{\"HostConfig\":{\"NanoCpus\":-1},\"Config\":{}}]", "line 1: HostConfig.NanoCpus: must be a whole number, not below 0" },
		{ "[{\"HostConfig\":{\"NanoCpus\":1},\"Config\":{}}]", "line 1: HostConfig.NanoCpus: must be at least 0.01 CPU" },
		{ "[{\"HostConfig\":{\"CpuShares\":1000000},\"Config\":{}}]",
		  "line 1: HostConfig.CpuShares: /linux/resources/cpu/shares: must be from 2 to 262144, not 1000000" },
		{ "[{\"HostConfig\":{\"PidsLimit\":-2},\"Config\":{}}]",
		  "line 1: HostConfig.PidsLimit: /linux/resources/pids/limit: must be from -1 to 9223372036854775807, not -2" },
		{ "[{\"HostConfig\":{\"BlkioWeight\":5},\"Config\":{}}]",
		  "line 1: HostConfig.BlkioWeight: /linux/resources/blockIO/weight: must be from 10 to 1000, not 5" },
		{ "[{\"HostConfig\":{\"MemorySwappiness\":101},\"Config\":{}}]",
		  "line 1: HostConfig.MemorySwappiness: /linux/resources/memory/swappiness: must be from 0 to 100, not 101" },
		{ "[{\"HostConfig\":{\"OomScoreAdj\":5000},\"Config\":{}}]",
		  "line 1: HostConfig.OomScoreAdj: /process/oomScoreAdj: must be from -1000 to 1000, not 5000" },
		{ "[{\"HostConfig\":{\"CpuPeriod\":1},\"Config\":{}}]",
		  "line 1: HostConfig.CpuPeriod: /linux/resources/cpu/period: must be from 1000 to 1000000, not 1" },
		{ "[{\"HostConfig\":{\"Ulimits\":[1]},\"Config\":{}}]", "line 1: HostConfig.Ulimits: must be objects of Name, Soft and Hard" },
		{ "[{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"fly\",\"Soft\":1,\"Hard\":1}]},\"Config\":{}}]",
		  "line 1: HostConfig.Ulimits: /process/rlimits: must be one of RLIMIT_AS|RLIMIT_CORE|RLIMIT_CPU|RLIMIT_DATA|RLIMIT_FSIZE|RLIMIT_LOCKS|"
		  "RLIMIT_MEMLOCK|RLIMIT_MSGQUEUE|RLIMIT_NICE|RLIMIT_NOFILE|RLIMIT_NPROC|RLIMIT_RSS|RLIMIT_RTPRIO|RLIMIT_RTTIME|RLIMIT_SIGPENDING|"
		  "RLIMIT_STACK, not 'RLIMIT_FLY'" },
		{ "[{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":2,\"Hard\":1}]},\"Config\":{}}]",
		  "line 1: HostConfig.Ulimits: the soft limit is above the hard one" },
		{ "[{\"HostConfig\":{\"CapAdd\":[\"FLY\"]},\"Config\":{}}]", "line 1: HostConfig.CapAdd: must be capabilities, not 'FLY'" },
		{ "[{\"HostConfig\":{\"CapAdd\":[1]},\"Config\":{}}]", "line 1: HostConfig.CapAdd: must be capabilities, not 'another value'" },
		{ "[{\"HostConfig\":{\"PidMode\":\"odd\"},\"Config\":{}}]",
		  "line 1: HostConfig.PidMode: must be private, shareable, none, host, container:NAME or ns:PATH, not 'odd'" },
		{ "[{\"HostConfig\":{\"IpcMode\":\"odd\"},\"Config\":{}}]",
		  "line 1: HostConfig.IpcMode: must be private, shareable, none, host, container:NAME or ns:PATH, not 'odd'" },
		{ "[{\"HostConfig\":{\"SecurityOpt\":[1]},\"Config\":{}}]", "line 1: HostConfig.SecurityOpt: must be an array of strings" },
		{ "[{\"HostConfig\":{\"SecurityOpt\":[\"no-new-privileges=maybe\"]},\"Config\":{}}]",
		  "line 1: HostConfig.SecurityOpt: /process/noNewPrivileges: must be yes or no, not 'maybe'" },
		{ "[{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":1}},\"Config\":{}}]", "line 1: HostConfig.PortBindings: must be an object of arrays" },
		{ "[{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[1]}},\"Config\":{}}]",
		  "line 1: HostConfig.PortBindings: must be an object of arrays of objects" },
		{ "[{\"HostConfig\":{\"PortBindings\":{\"http\":[{\"HostPort\":\"80\"}]}},\"Config\":{}}]",
		  "line 1: HostConfig.PortBindings: '80:http': is no port" },
		{ "[{\"HostConfig\":{\"Binds\":[1]},\"Config\":{}}]", "line 1: HostConfig.Binds: must be an array of strings" },
		{ "[{\"HostConfig\":{\"Binds\":[\"/a\"]},\"Config\":{}}]", "line 1: HostConfig.Binds: must be SOURCE:DESTINATION[:OPTIONS], not '/a'" },
		{ "[{\"HostConfig\":{\"Binds\":[\"/a:b\"]},\"Config\":{}}]",
		  "line 1: HostConfig.Binds: must be mounted at an absolute path without '..', not 'b'" },
		{ "[{\"HostConfig\":{\"Tmpfs\":{\"a\":\"\"}},\"Config\":{}}]",
		  "line 1: HostConfig.Tmpfs: must be mounted at an absolute path without '..', not 'a'" },
		{ "[{\"HostConfig\":{\"Tmpfs\":{\"/a\":1}},\"Config\":{}}]", "line 1: HostConfig.Tmpfs: must be an object of strings" },
		{ "[{\"HostConfig\":{\"ShmSize\":-1},\"Config\":{}}]", "line 1: HostConfig.ShmSize: must be a number of bytes" },
		{ "[{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"fuse\"}]},\"Config\":{}}]",
		  "line 1: HostConfig.Devices: must be objects of PathOnHost, PathInContainer and CgroupPermissions" },
		{ "[{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/fuse\",\"CgroupPermissions\":\"x\"}]},\"Config\":{}}]",
		  "line 1: HostConfig.Devices: must be objects of PathOnHost, PathInContainer and CgroupPermissions" },
		{ "[{\"HostConfig\":{\"DeviceCgroupRules\":[\"all\"]},\"Config\":{}}]",
		  "line 1: HostConfig.DeviceCgroupRules: must be rules such as 'c 10:200 rwm'" },
		{ "[{\"HostConfig\":{\"DeviceCgroupRules\":[1]},\"Config\":{}}]", "line 1: HostConfig.DeviceCgroupRules: must be rules such as 'c 10:200 rwm'" },
		{ "[{\"HostConfig\":{\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/sda\"}]},\"Config\":{}}]",
		  "line 1: HostConfig.BlkioDeviceReadBps: must be objects of Path and Rate" },
		{ "[{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"sometimes\"}},\"Config\":{}}]",
		  "line 1: HostConfig.RestartPolicy: /moorage/restart: must be one of no|on-failure|always|unless-stopped, not 'sometimes'" },
		{ "[{\"HostConfig\":{\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"big\"}}},\"Config\":{}}]",
		  "line 1: HostConfig.LogConfig: has the size 'big'" },
		{ "[{\"HostConfig\":{\"ConsoleSize\":[1]},\"Config\":{}}]", "line 1: HostConfig.ConsoleSize: must be height and width" },
		{ "[{\"HostConfig\":{\"Sysctls\":{\"a\":1}},\"Config\":{}}]", "line 1: HostConfig.Sysctls: must be an object of strings" },
		{ "[{\"HostConfig\":{\"IDMappings\":{\"UidMap\":[\"0:1\"]}},\"Config\":{}}]", "line 1: HostConfig.IDMappings: must be CONTAINER:HOST:SIZE" },
		{ "[{\"HostConfig\":{\"GroupAdd\":[1]},\"Config\":{}}]", "line 1: HostConfig.GroupAdd: must be an array of strings" },
		{ "[{\"HostConfig\":{\"ReadonlyRootfs\":1},\"Config\":{}}]", "line 1: HostConfig.ReadonlyRootfs: must be true or false" },
		{ "[{\"HostConfig\":{\"MaskedPaths\":[1]},\"Config\":{}}]", "line 1: HostConfig.MaskedPaths: must be an array of strings" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mrg_spec *spec = NULL;
		struct mrg_error err = { 0 };

		if (mrg_format_read("docker", bad[i].text, strlen(bad[i].text), &spec, NULL, NULL, &err) != -MRG_E_INVALID)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(err.message, bad[i].message);
		assert_null(spec);
	}
}

/* What is looked for among all others is bounded. */
static void test_many(void **state)
{
	struct buffer text = { 0 };
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	buffer_addf(&text, "[{\"HostConfig\":{},\"Config\":{\"Labels\":{");
	for (int i = 0; i < 4097; i++)
		buffer_addf(&text, "%s\"%d\":\"\"", i ? "," : "", i);
	buffer_addf(&text, "}}}]");
	assert_int_equal(mrg_format_read("docker", text.text, text.length, &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "line 1: Config.Labels: has more than 4096 elements");
	buffer_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose), cmocka_unit_test(test_nothing_said), cmocka_unit_test(test_user), cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_bad), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
