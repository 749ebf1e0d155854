/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers of systemd-nspawn: whole texts, what is written for any spec, broken and hostile input. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <moorage/helper.h>

#include "core/util/cleanup.h"
#include "tests/unit/nspawn_fixture.h"

static const char caps[] =
	"Capability=CAP_CHOWN CAP_KILL\n"
	"DropCapability=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE "
	"CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO "
	"CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME "
	"CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG "
	"CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE\n";

static const char whole_json[] =
	"{\"hostname\":\"web\",\"root\":{\"path\":\"/srv/a\"},\"process\":{\"args\":[\"/bin/a\",\"b c\",\"$x %y\",\"\"],\"env\":[\"A=1 2\"],"
	"\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}},"
	"\"mounts\":[{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\"]}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"}],\"resources\":{\"pids\":{\"limit\":5}}},"
	"\"moorage\":{\"stop\":{\"signal\":\"TERM\"},\"networks\":[{\"type\":\"veth\",\"link\":\"br0\",\"name\":\"host0\"}]}}";

static void test_written_text(void **state)
{
	struct mrg_spec *spec = spec_of(whole_json);
	char *text = write_nspawn(spec, NULL);
	struct buffer wanted = { 0 };

	(void)state;
	buffer_addf(&wanted,
		    "# /etc/systemd/nspawn/NAME.nspawn\n[Exec]\nBoot=no\nParameters=/bin/a \"b c\" \"$x %%y\" \"\"\nEnvironment=\"A=1 2\"\n"
		    "Hostname=web\nKillSignal=TERM\n%sPrivateUsers=no\nResolvConf=off\nTimezone=off\nLinkJournal=off\n\n"
		    "[Files]\nBind=/s:/d\n\n[Network]\nPrivate=yes\nBridge=br0\n\n"
		    "# /etc/systemd/system/systemd-nspawn@NAME.service.d/moorage.conf\n[Service]\nExecStart=\n"
		    "ExecStart=systemd-nspawn --quiet --keep-unit --settings=override --machine=%%i --directory=/srv/a\nTasksMax=5\n",
		    caps);
	assert_string_equal(text, wanted.text);
	free(text);
	buffer_deinit(&wanted);
	mrg_spec_free(spec);
}

/* Backends get the texts apart: the options as they are, the drop-in without them. */
static void test_helper(void **state)
{
	struct mrg_spec *spec = spec_of(whole_json);
	struct mrg_nspawn_texts texts;
	struct mrg_error err = { 0 };

	(void)state;
	mrg_spec_set(spec, MRG_FIELD_ARGS, "a\nb", &err);
	mrg_spec_set(spec, MRG_FIELD_NATIVE, "{\"nspawn\":{\"--register\":[\"no\"],\"--bind\":[\"%h:/x\",\"/50%%:/y\"]}}", &err);
	assert_int_equal(mrg_helper_nspawn_write(spec, &texts, NULL, NULL, &err), 0);
	assert_null(strstr(texts.settings, "Boot="));
	assert_non_null(strstr(texts.settings, "\nBridge=br0\n"));
	assert_string_equal(texts.dropin, "[Service]\nTasksMax=5\n");
	/* What only a unit can expand is left out. */
	assert_string_equal(texts.argv[0], "--directory=/srv/a");
	assert_string_equal(texts.argv[1], "--register=no");
	assert_string_equal(texts.argv[2], "--bind=/50%:/y");
	assert_string_equal(texts.argv[3], "--");
	assert_string_equal(texts.argv[6], "$x %y");
	assert_string_equal(texts.argv[8], "a\nb");
	assert_null(texts.argv[9]);
	mrg_helper_nspawn_free(&texts);
	assert_null(texts.argv);
	mrg_spec_free(spec);
}

static int stop(const struct mrg_report_row *row, void *data)
{
	(void)row;
	(void)data;
	return 7;
}

static void test_report_can_stop(void **state)
{
	struct mrg_spec *spec = spec_of(whole_json);
	struct mrg_nspawn_texts texts;
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(mrg_helper_nspawn_write(spec, &texts, stop, NULL, &err), 7);
	assert_true(!texts.settings && !texts.dropin && !texts.argv);
	mrg_spec_free(spec);
}

/* Fields in JSON, and how they are reported. */
static void test_losses(void **state)
{
	static const struct { const char *json, *row; } cases[] = {
		{ "\"process\":{\"args\":[\"/a\"],\"apparmorProfile\":\"x\"}", "weakens /process/apparmorProfile -" },
		{ "\"process\":{\"args\":[\"/a\"],\"user\":{\"uid\":5,\"gid\":6}}", "approximated /process/user/uid User=" },
		{ "\"process\":{\"args\":[\"/a\"],\"user\":{\"uid\":5,\"gid\":6}}", "approximated /process/user/gid User=" },
		{ "\"process\":{\"user\":{\"additionalGids\":[5]}}", "dropped /process/user/additionalGids -" },
		{ "\"process\":{\"user\":{\"umask\":18}}", "carried /process/user/umask systemd-nspawn" },
		{ "\"process\":{\"user\":{\"umask\":63}}", "dropped /process/user/umask -" },
		{ "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[]}}", "weakens /process/capabilities/effective -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":1,\"hostID\":2,\"size\":3}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":2,\"size\":3}]}", "weakens /linux/uidMappings -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/x\"}]}", "weakens /linux/namespaces/pid -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"time\"}]}", "weakens /linux/namespaces/time -" },
		{ "\"linux\":{\"sysctl\":{\"net.a\":\"1\"}}", "dropped /linux/sysctl -" },
		{ "\"linux\":{\"maskedPaths\":[\"/proc/keys\"]}", "approximated /linux/maskedPaths Inaccessible=" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"maskedPaths\":[\"/sys/devices/virtual/powercap\"]}",
		  "weakens /linux/maskedPaths -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"maskedPaths\":[\"/sys/firmware\"]}",
		  "approximated /linux/maskedPaths Inaccessible=" },
		{ "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"}]}}",
		  "carried /linux/seccomp SystemCallFilter=" },
		{ "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}}",
		  "approximated /linux/seccomp SystemCallFilter=" },
		{ "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\","
		  "\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}}", "weakens /linux/seccomp -" },
		{ "\"mounts\":[{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\",\"nosuid\"]}]", "weakens /mounts -" },
		{ "\"mounts\":[{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\"]}]", "approximated /mounts Bind=" },
		{ "\"mounts\":[{\"destination\":\"/d\",\"type\":\"nfs\",\"source\":\"h:/s\"}]", "weakens /mounts -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[{\"type\":\"vlan\",\"link\":\"e\",\"vlan\":5}]}",
		  "dropped /moorage/networks -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[{\"type\":\"veth\",\"link\":\"br0\",\"name\":\"eth0\"}]}",
		  "approximated /moorage/networks VirtualEthernet=" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[{\"type\":\"macvlan\",\"link\":\"e\",\"mode\":\"vepa\"}]}",
		  "approximated /moorage/networks VirtualEthernet=" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[{\"type\":\"veth\",\"addresses\":[\"10.0.0.1/8\"]}]}",
		  "approximated /moorage/networks VirtualEthernet=" },
		{ "\"moorage\":{\"networks\":[{\"type\":\"veth\"}]}", "dropped /moorage/networks -" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"publish\":[{\"hostPort\":80,\"containerPort\":80,\"hostAddress\":\"127.0.0.1\"}]}",
		  "approximated /moorage/publish Port=" },
		{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"publish\":[{\"hostPort\":0}]}", "dropped /moorage/publish -" },
		{ "\"process\":{\"args\":[\"/opt/init\"]},\"moorage\":{\"boot\":true}", "approximated /moorage/boot Boot=" },
		{ "\"moorage\":{\"native\":{\"lxc\":{\"a\":[\"b\"]}}}", "dropped /moorage/native -" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *json = NULL;
		struct buffer report = { 0 };
		struct mrg_spec *spec;

		assert_true(asprintf(&json, "{%s}", cases[i].json) > 0);
		spec = spec_of(json);
		free(write_nspawn(spec, &report));
		if (!strstr(report.text, cases[i].row))
			fail_msg("%s\nreports\n%s, not\n%s", json, report.text, cases[i].row);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

/* A list of what is allowed is read back as it was. */
static void test_seccomp_allow_list(void **state)
{
	struct mrg_spec *spec = spec_of("{\"root\":{\"path\":\"/r\"},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
					"{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"exit_group\"],\"action\":\"SCMP_ACT_ALLOW\"}]}}}"),
			*again;
	char *text = write_nspawn(spec, NULL);

	(void)state;
	again = read_nspawn(text, NULL);
	assert_int_equal(again->seccomp->syscalls.n, 1);
	assert_int_equal(strv_length(again->seccomp->syscalls.item[0].names), 3);
	assert_string_equal(again->seccomp->default_action, "SCMP_ACT_ERRNO");
	assert_null(strstr(strstr(text, "SystemCallFilter=~"), " read "));
	assert_non_null(strstr(text, "\nSystemCallFilter=read write exit_group\n"));
	free(text);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}

static void test_every_field_once(void **state)
{
	(void)state;
	assert_reported_once(write_nspawn);
}

/* Any lines together, and what is made of them, come back. Those that need or exclude others are not among them. */
static void test_combinations_are_stable(void **state)
{
	static const char *const keys[][9] = {
		{ "Exec", "Environment=A=1 'B= \"x'", "User=www", "Hostname=h", "Capability=CAP_BPF", "LimitNOFILE=5:6", "PrivateUsers=7:8",
		  "SystemCallFilter=@known", "SystemCallFilter=~mount" },
		{ "Exec", "DropCapability=CAP_KILL", "Environment=", "Personality=s390", "KillSignal=9", "ResolvConf=off", "MachineID=1",
		  "NotifyReady=yes", "OOMScoreAdjust=" },
		{ "Exec", "Timezone=bind", "SuppressSync=no", "SystemCallFilter=bpf", "PivotRoot=/a", "Ephemeral=no", "User=",
		  "PrivateUsers=pick", "NoNewPrivileges=yes" },
		{ "Files", "Bind=/a:/b", "BindReadOnly=/c:/b/d:norbind", "TemporaryFileSystem=/t", "Inaccessible=/proc/keys", "Overlay=/l:/u:/t/o",
		  "Bind=:/e", "ReadOnly=yes", "Volatile=overlay" },
		{ "Files", "BindReadOnly=+/f:/f", "TemporaryFileSystem=/tmp:size=5", "PrivateUsersOwnership=map", "BindUser=u", "Volatile=state",
		  "Inaccessible=/x", "OverlayReadOnly=/1:/2:/3", "Bind=+/a:/z" },
		{ "Network", "Private=yes", "VirtualEthernet=yes", "Zone=z", "Port=80", "Interface=e1 e2", "MACVLAN=e3", "IPVLAN=e4",
		  "VirtualEthernetExtra=a:b" },
		{ "Service", "MemoryMax=1M", "TasksMax=", "DeviceAllow=/dev/fuse", "DevicePolicy=strict", "CPUWeight=50", "Foo=%h", "Slice=a",
		  "TimeoutStopSec=" },
		{ "Service", "DeviceAllow=", "DevicePolicy=auto", "IOWeight=7", "TasksMax=10%", "Restart=always", "PrivateTmp=yes", "MemoryHigh=5",
		  "AllowedCPUs=0-1" },
	};
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 600; round++) {
		struct buffer b = { 0 };

		buffer_addf(&b, "[Network]\nPrivate=yes\n[Exec]\nBoot=%s\n", round % 2 ? "yes" : "no");
		for (int i = 0; i < 12; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			buffer_addf(&b, "[%s]\n%s\n", keys[seed % ARRAY_SIZE(keys)][0], keys[seed % ARRAY_SIZE(keys)][1 + (seed >> 20) % 8]);
		}
		if (round % 3)
			buffer_addf(&b, "[Service]\nExecStart=systemd-nspawn -D /r%s --bind=/q:/w -E C=3\n", round % 3 == 1 ? " --settings=override" : "");
		assert_nspawn_stable(b.text);
		buffer_deinit(&b);
	}
}

/* No value, whatever is in it, becomes a line of its own. */
static void test_no_injection(void **state)
{
	static const char evil[] = "x\nExecStartPre=/bin/evil";
	static const enum mrg_field fields[] = {
		MRG_FIELD_ROOT_PATH, MRG_FIELD_ARGS, MRG_FIELD_CWD, MRG_FIELD_USER, MRG_FIELD_MASKED_PATHS, MRG_FIELD_CPUSET_CPUS,
		MRG_FIELD_HOSTNAME, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_READONLY_PATHS, MRG_FIELD_SELINUX_LABEL, MRG_FIELD_MOUNT_LABEL,
	};
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_mount mount = { .destination = evil, .type = "tmpfs" }, bind = { .destination = evil, .source = evil, .type = "bind" };
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(mrg_spec_set(spec, fields[i], evil, NULL), 0);
	mrg_spec_set(spec, MRG_FIELD_ENV, "A=x\nExecStartPre=/bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_NS_NETWORK, "private", NULL);
	mrg_spec_set(spec, MRG_FIELD_NETWORKS, "[{\"type\":\"veth\",\"link\":\"a\\nExecStartPre=x\"},{\"type\":\"phys\",\"link\":\"a\\nExecStartPre=x\"},"
					       "{\"type\":\"veth\",\"pair\":\"a\\nExecStartPre=x\"}]", NULL);
	mrg_spec_set(spec, MRG_FIELD_PUBLISH, "[{\"hostPort\":1,\"containerPort\":2,\"protocol\":\"tcp\\nExecStartPre=x\"}]", NULL);
	mrg_spec_set(spec, MRG_FIELD_NATIVE, "{\"nspawn\":{\"Service\":{\"Type\":[\"x\\nExecStartPre=/bin/evil\"],"
					     "\"A\\nExecStartPre\":[\"/bin/evil\"]},\"Exec\":{\"A\\nExecStartPre\":[\"x\"]},\"--bind\":[\"%h\\nExecStartPre=x\"],"
					     "\"--\":[\"a\\nExecStartPre=x\"],\"X]\\n[Service]\\nExecStartPre=/bin/evil\\n[Y\":{}}}", NULL);
	mrg_spec_add_mount(spec, &mount, NULL);
	mrg_spec_add_mount(spec, &bind, NULL);
	text = write_nspawn(spec, NULL);
	assert_null(strstr(text, "\nExecStartPre"));
	free(text);
	mrg_spec_free(spec);
}

static void test_lines_and_comments(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec = read_nspawn("# c\n; c \\\n\n  [Exec]  \n  Boot = no\nParameters =  /bin/a \\\n# between\n  b \\\n  c  \nHostname=h\r\n"
					    "[Service]\nExecStart=systemd-nspawn \\\n -D /r \\\n --settings=override\n", &report);

	(void)state;
	assert_int_equal(strv_length(spec->args), 3);
	assert_string_equal(spec->args[2], "c");
	assert_string_equal(spec->hostname, "h");
	assert_string_equal(report.text, "12 carried --directory /root/path\n12 carried --settings -\n5 carried Exec.Boot= /moorage/boot\n"
					 "6 carried Exec.Parameters= /process/args\n10 carried Exec.Hostname= /hostname\n"
					 "12 carried Service.ExecStart= -\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
	spec = read_nspawn("# typed\n\n systemd-nspawn -D /r \\\n   -b\n", &report);
	assert_string_equal(report.text, "3 carried --directory /root/path\n3 carried --boot /moorage/boot\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

static void assert_nspawn_refused(const char *text, size_t length, const char *message)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	if (mrg_format_read("nspawn", text, length, &spec, NULL, NULL, &err) != -MRG_E_INVALID)
		fail_msg("%s\nis not refused", text);
	assert_string_equal(err.message, message);
	assert_null(spec);
}

static void test_bad_texts(void **state)
{
	static const struct { const char *text, *message; } cases[] = {
		{ "", "the unit is empty" },
		{ "# nothing\n", "the unit is empty" },
		{ "[Exec\nBoot=yes\n", "line 1: is no [Section]" },
		{ "[Exec]\nBoot\n", "line 2: is neither [Section], KEY=VALUE nor a comment" },
		{ "[Exec]\nBoot=yes \\\n", "line 2: the last line says that it goes on, and the file ends" },
		{ "[Exec]\nA=\377\n", "the unit is not UTF-8" },
		{ "[Exec]\nA=\033[2J\n", "the unit has control characters" },
		{ "Boot=yes\n", "line 1: must be a command line of systemd-nspawn, not 'Boot=yes'" },
		{ "nspawn -b", "line 1: must be a command line of systemd-nspawn, not 'nspawn'" },
		{ "\nsystemd-nspawn --fly", "line 2: --fly: is no option of systemd-nspawn" },
		{ "systemd-nspawn --pri", "line 1: --pri: could be more than one option" },
		{ "systemd-nspawn -by", "line 1: -by: has a letter that is no option of systemd-nspawn" },
		{ "systemd-nspawn -D", "line 1: --directory: needs an argument" },
		{ "systemd-nspawn --bind", "line 1: --bind: needs an argument" },
		{ "systemd-nspawn --boot=yes", "line 1: --boot: takes no argument" },
		{ "systemd-nspawn 'a", "line 1: systemd-nspawn: has an open quote or an unknown escape" },
		{ "systemd-nspawn --rlimit=NOFILE", "line 1: --rlimit: must be NAME=VALUE" },
		{ "systemd-nspawn --property=a\\ b=c", "line 1: --property: has a name with other characters than letters, digits, '-' and '_'" },
		{ "systemd-nspawn -D srv", "line 1: --directory: must be an absolute path without '..', not 'srv'" },
		{ "systemd-nspawn -D /a/../b", "line 1: --directory: must be an absolute path without '..', not '/a/../b'" },
		{ "systemd-nspawn -M a_b", "line 1: --machine: must be a host name of letters, digits, '-' and '.', not 'a_b'" },
		{ "systemd-nspawn --settings=maybe", "line 1: --settings: must be yes, no, override or trusted, not 'maybe'" },
		{ "systemd-nspawn --bind=a:/b", "line 1: --bind: must be an absolute path without '..', not 'a'" },
		{ "systemd-nspawn --private-users=4294967295:2", "line 1: --private-users: is a range that is empty or goes beyond 4294967294" },
		{ "systemd-nspawn -ab", "line 1: --boot: a container boots or gets a stub init, not both" },
		{ "systemd-nspawn -p 80", "line 1: --port: needs a network of the container's own: set Private=yes or VirtualEthernet=yes" },
		{ "systemd-nspawn -n --network-namespace-path=/x", "line 1: --network-namespace-path: excludes devices of its own" },
		{ "systemd-nspawn --network-namespace-path=x",
		  "line 1: --network-namespace-path: must be an absolute path without '..', not 'x'" },
		{ "[Service]\nExecStart=/bin/a\n", "line 2: must be a command line of systemd-nspawn, not '/bin/a'" },
		{ "[Service]\nExecStart=systemd-nspawn\nExecStart=systemd-nspawn\n", "line 3: ExecStart=: is there already; put an empty one in front" },
		{ "[Service]\nExecStart=systemd-nspawn \\q\n", "line 2: systemd-nspawn: has an open quote or an unknown escape" },
		{ "[Service]\nMemoryMax=lots\n",
		  "line 2: MemoryMax=: /linux/resources/memory/limit: must be a size such as 512M or 2G, not 'lots'" },
		{ "[Service]\nMemorySwapMax=1M\n", "line 2: MemorySwapMax=: needs MemoryMax= too" },
		{ "[Service]\nDeviceAllow=/dev/null q\n", "line 2: DeviceAllow=: must be a device and letters of rwm, not '/dev/null q'" },
		{ "[Exec]\nBoot=maybe\n", "line 2: Boot=: must be yes or no, not 'maybe'" },
		{ "[Exec]\nBoot=yes\nProcessTwo=yes\n", "line 3: ProcessTwo=: a container boots or gets a stub init, not both" },
		{ "[Exec]\nBoot=yes\nBoot=no\n", "line 3: Boot=: is said twice, yes and no" },
		{ "[Exec]\nBoot=no\nParameters=\"a\n", "line 3: Parameters=: has an open quote" },
		{ "[Exec]\nEnvironment=A\n", "line 2: Environment=: must be NAME=VALUE words, not 'A'" },
		{ "[Exec]\nEnvironment='A=1\n", "line 2: Environment=: has an open quote" },
		{ "[Exec]\nUser=a:b\n", "line 2: User=: must be the name of a user, not 'a:b'" },
		{ "[Exec]\nWorkingDirectory=x\n", "line 2: WorkingDirectory=: must be an absolute path without '..', not 'x'" },
		{ "[Exec]\nHostname=-a\n", "line 2: Hostname=: must be a host name of letters, digits, '-' and '.', not '-a'" },
		{ "[Exec]\nKillSignal=STOPIT\n", "line 2: KillSignal=: must be a signal, not 'STOPIT'" },
		{ "[Exec]\nEphemeral=x\n", "line 2: Ephemeral=: must be yes or no, not 'x'" },
		{ "[Exec]\nCapability=CAP_FLY\n", "line 2: Capability=: must be capabilities such as CAP_CHOWN, or all, not 'CAP_FLY'" },
		{ "[Exec]\nBoot=no\nAmbientCapability=all\n", "line 3: AmbientCapability=: all is not supported" },
		{ "[Exec]\nBoot=no\nAmbientCapability=CAP_BPF\n", "line 3: AmbientCapability=: has capabilities the container does not have" },
		{ "[Exec]\nBoot=yes\nAmbientCapability=CAP_CHOWN\n", "line 3: AmbientCapability=: is of no use to a container that boots" },
		{ "[Exec]\nNoNewPrivileges=x\n", "line 2: NoNewPrivileges=: /process/noNewPrivileges: must be yes or no, not 'x'" },
		{ "[Exec]\nSystemCallFilter='a\n", "line 2: SystemCallFilter=: has an open quote" },
		{ "[Exec]\nPrivateUsers=some\n", "line 2: PrivateUsers=: must be yes, no, pick, identity or BASE:RANGE, not 'some'" },
		{ "[Exec]\nPrivateUsers=5:0\n", "line 2: PrivateUsers=: is a range that is empty or goes beyond 4294967294" },
		{ "[Exec]\nLimitNOFILE=5:4\n", "line 2: LimitNOFILE=: the soft limit is above the hard one" },
		{ "[Exec]\nOOMScoreAdjust=5000\n", "line 2: OOMScoreAdjust=: /process/oomScoreAdj: must be from -1000 to 1000, not 5000" },
		{ "[Files]\nReadOnly=x\n", "line 2: ReadOnly=: /root/readonly: must be yes or no, not 'x'" },
		{ "[Files]\nVolatile=x\n", "line 2: Volatile=: must be yes, no, state or overlay, not 'x'" },
		{ "[Files]\nBind=/a:b\n", "line 2: Bind=: must be an absolute path without '..', not 'b'" },
		{ "[Files]\nBind=/a:/b:ro\n", "line 2: Bind=: must be SOURCE[:DESTINATION[:OPTIONS]] with rbind, norbind, idmap, noidmap or rootidmap, not 'ro'" },
		{ "systemd-nspawn '--bind=/a\\\\'", "line 1: --bind: ends in a backslash" },
		{ "[Files]\nBindReadOnly=+a:/b\n", "line 2: BindReadOnly=: must be an absolute path without '..', not 'a'" },
		{ "[Files]\nTemporaryFileSystem=/t:rbind\n", "line 2: TemporaryFileSystem=: 'rbind' is no option of a tmpfs" },
		{ "[Files]\nTemporaryFileSystem=t\n", "line 2: TemporaryFileSystem=: must be an absolute path without '..', not 't'" },
		{ "[Files]\nInaccessible=x\n", "line 2: Inaccessible=: must be an absolute path without '..', not 'x'" },
		{ "[Files]\nInaccessible=/sys/firmware\n",
		  "line 2: Inaccessible=: /sys/firmware is nothing that systemd-nspawn could hide: with a network of its own a container gets its /sys later" },
		{ "[Files]\nOverlay=/a\n", "line 2: Overlay=: needs at least two directories" },
		{ "[Files]\nOverlay=/a:b:/c\n", "line 2: Overlay=: must be an absolute path without '..', not 'b'" },
		{ "[Files]\nPrivateUsersOwnership=x\n", "line 2: PrivateUsersOwnership=: must be off, chown, map or auto, not 'x'" },
		{ "[Files]\nPrivateUsersChown=x\n", "line 2: PrivateUsersChown=: must be yes or no, not 'x'" },
		{ "[Network]\nPrivate=x\n", "line 2: Private=: must be yes or no, not 'x'" },
		{ "[Network]\nInterface=a/b\n", "line 2: Interface=: must be the name of a network device, not 'a/b'" },
		{ "[Network]\nMACVLAN=abcdefghijklmnop\n", "line 2: MACVLAN=: must be the name of a network device, not 'abcdefghijklmnop'" },
		{ "[Network]\nBridge=..\n", "line 2: Bridge=: must be the name of a network device, not '..'" },
		{ "[Network]\nZone=abcdefghijklm\n", "line 2: Zone=: must be the name of a network device, not 'abcdefghijklm'" },
		{ "[Network]\nBridge=b\nZone=z\n", "line 3: Zone=: a container is in a zone or on a bridge, not both" },
		{ "[Network]\nVirtualEthernetExtra=a:b:c\n", "line 2: VirtualEthernetExtra=: must be HOST[:CONTAINER]" },
		{ "[Network]\nVirtualEthernetExtra=a:\n", "line 2: VirtualEthernetExtra=: must be the name of a network device, not ''" },
		{ "[Network]\nPort=tcp:0\n", "line 2: Port=: must be [tcp:|udp:]HOST[:CONTAINER], not 'tcp:0'" },
		{ "[Network]\nPort=80:65536\n", "line 2: Port=: must be [tcp:|udp:]HOST[:CONTAINER], not '80:65536'" },
		{ "[Network]\nPort=sctp:80\n", "line 2: Port=: must be [tcp:|udp:]HOST[:CONTAINER], not 'sctp:80'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_nspawn_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
}

static void test_hostile_size(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	assert_nspawn_refused("[Exec]\0\n", 8, "the unit has a NUL byte");
	buffer_addf(&b, "[Exec]\n");
	for (int i = 0; i < 5000; i++)
		buffer_addf(&b, "K%d=1\n", i);
	assert_nspawn_refused(b.text, b.length, "line 4098: a unit has at most 4096 assignments");
	buffer_deinit(&b);
	buffer_addf(&b, "systemd-nspawn");
	for (int i = 0; i < 5000; i++)
		buffer_addf(&b, " -q");
	assert_nspawn_refused(b.text, b.length, "line 1: systemd-nspawn: has more than 4096 options");
	buffer_deinit(&b);
	buffer_addf(&b, "systemd-nspawn");
	for (int i = 0; i < 100000; i++)
		buffer_addf(&b, " x");
	assert_nspawn_refused(b.text, b.length, "line 1: systemd-nspawn: is longer than 64 KiB");
	for (int i = 0; i < 500000; i++)
		buffer_addf(&b, " x");
	assert_nspawn_refused(b.text, b.length, "the unit is larger than 1 MiB");
	buffer_deinit(&b);
}

/* Cut anywhere, a text is read or refused with a reason. */
static void test_truncated(void **state)
{
	static const char text[] = "[Exec]\nBoot=no\nParameters=/a 'b'\nPrivateUsers=5:6\n[Files]\nBind=/a\\:b:/c\nOverlay=/a:/b:/c\n[Network]\n"
				   "Zone=z\nPort=udp:5:6\n[Service]\nExecStart=systemd-nspawn -D /r --bind=\"/x y\" -- a %% $$\nMemoryMax=5M\n";

	(void)state;
	assert_survives_cuts("nspawn", text, strlen(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_text), cmocka_unit_test(test_helper), cmocka_unit_test(test_report_can_stop),
		cmocka_unit_test(test_losses), cmocka_unit_test(test_seccomp_allow_list), cmocka_unit_test(test_every_field_once),
		cmocka_unit_test(test_combinations_are_stable), cmocka_unit_test(test_no_injection), cmocka_unit_test(test_lines_and_comments),
		cmocka_unit_test(test_bad_texts), cmocka_unit_test(test_hostile_size), cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
