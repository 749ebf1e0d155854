/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service units: syntax, every key both ways, what is lost, hostile text. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

static int collect(const struct mrg_report_row *row, void *data)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };

	buffer_addf(data, "%u %s %s %s\n", row->line, verdicts[row->verdict], row->source, row->target ? row->target : "-");
	assert_true(row->verdict == MRG_CARRIED || row->note);
	return 0;
}

static struct mrg_spec *read_unit(const char *text, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("systemd", text, strlen(text), &spec, report ? collect : NULL, report, &err);
	assert_string_equal(err.message, "");
	return spec;
}

static char *write_unit(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("systemd", spec, &text, report ? collect : NULL, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

static void assert_unit_refused(const char *text, size_t length, const char *message)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_format_read("systemd", text, length, &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, message);
	assert_null(spec);
}

struct line {
	const char *unit;		/* lines of [Service] */
	const char *json;		/* what the spec then says, without ociVersion */
	const char *report;		/* verdicts, a letter a line: c a d w; an empty string: do not look */
};

static const struct line lines[] = {
	{ "RootDirectory=/srv/a", "\"root\":{\"path\":\"/srv/a\"}", "c" },
	{ "ProtectSystem=strict", "\"root\":{\"readonly\":true}", "a" },
	{ "ProtectSystem=full", "\"linux\":{\"readonlyPaths\":[\"/usr\",\"/boot\",\"/efi\",\"/etc\"]}", "a" },
	{ "ProtectSystem=no", "", "c" },
	{ "User=%u\nUser=root", "\"moorage\":{\"user\":\"root\"}", "ac" },
	{ "ExecStart=/bin/a b", "\"process\":{\"args\":[\"/bin/a\",\"b\"]}", "c" },
	{ "ExecStart=/bin/a 'b c' \"d\\te\" \\x41 %% $$x", "\"process\":{\"args\":[\"/bin/a\",\"b c\",\"d\\te\",\"A\",\"%\",\"$x\"]}", "c" },
	{ "ExecStart=/bin/a ${HOME}", "\"process\":{\"args\":[\"/bin/a\",\"${HOME}\"]}", "a" },
	{ "ExecStart=-/bin/a", "\"process\":{\"args\":[\"/bin/a\"]}", "a" },
	{ "ExecStart=@/bin/a name b", "\"process\":{\"args\":[\"/bin/a\",\"b\"]}", "a" },
	{ "ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b", "\"process\":{\"args\":[\"/bin/b\"]}", "acc" },
	{ "ExecStart=/bin/a %n", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"ExecStart\":[\"/bin/a %n\"]}}}}", "d" },
	{ "Environment=A=1 \"B=x y\"\nEnvironment=A=2", "\"process\":{\"env\":[\"A=2\",\"B=x y\"]}", "cc" },
	{ "Environment=A=1\nEnvironment=", "", "ac" },
	{ "WorkingDirectory=/x", "\"process\":{\"cwd\":\"/x\"}", "c" },
	{ "WorkingDirectory=/x\\\\\nUMask=0027", "\"process\":{\"user\":{\"umask\":23},\"cwd\":\"/x\\\\\\\\\"}", "cc" },
	{ "WorkingDirectory=-/x", "\"process\":{\"cwd\":\"/x\"}", "a" },
	{ "User=www", "\"moorage\":{\"user\":\"www\"}", "c" },
	{ "User=www\nGroup=web", "\"moorage\":{\"user\":\"www:web\"}", "cc" },
	{ "User=5\nGroup=6", "\"process\":{\"user\":{\"uid\":5,\"gid\":6}}", "cc" },
	{ "User=5", "\"moorage\":{\"user\":\"5\"}", "c" },
	{ "User=%i", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"User\":[\"%i\"]}}}}", "w" },
	{ "SupplementaryGroups=5 6", "\"process\":{\"user\":{\"additionalGids\":[5,6]}}", "c" },
	{ "UMask=0027", "\"process\":{\"user\":{\"umask\":23}}", "c" },
	{ "StandardInput=tty", "\"process\":{\"terminal\":true}", "c" },
	{ "OOMScoreAdjust=-500", "\"process\":{\"oomScoreAdj\":-500}", "c" },
	{ "KillSignal=SIGINT", "\"moorage\":{\"stop\":{\"signal\":\"SIGINT\"}}", "c" },
	{ "TimeoutStopSec=1min30s", "\"moorage\":{\"stop\":{\"timeout\":90}}", "c" },
	{ "TimeoutStopSec=1500ms", "\"moorage\":{\"stop\":{\"timeout\":2}}", "a" },
	{ "TimeoutStopSec=1hr 2 minutes 3.5", "\"moorage\":{\"stop\":{\"timeout\":3724}}", "a" },
	{ "TimeoutStopSec=1us", "\"moorage\":{\"stop\":{\"timeout\":0}}", "c" },
	{ "TimeoutStopSec=0", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"TimeoutStopSec\":[\"0\"]}}}}", "d" },
	{ "LimitRTTIME=5\nLimitCPU=1w", "\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_RTTIME\",\"hard\":5,\"soft\":5},"
	  "{\"type\":\"RLIMIT_CPU\",\"hard\":604800,\"soft\":604800}]}", "cc" },
	{ "LimitRTTIME=1s 2ms", "\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_RTTIME\",\"hard\":1002000,\"soft\":1002000}]}", "c" },
	{ "Restart=on-failure", "\"moorage\":{\"restart\":\"on-failure\"}", "c" },
	{ "CapabilityBoundingSet=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=~CAP_KILL",
	  "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"]}}", "cc" },
	{ "CapabilityBoundingSet=", "\"process\":{\"capabilities\":{\"bounding\":[]}}", "c" },
	{ "CapabilityBoundingSet=CAP_KILL\nAmbientCapabilities=CAP_KILL",
	  "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],"
	  "\"ambient\":[\"CAP_KILL\"]}}", "cc" },
	{ "NoNewPrivileges=yes", "\"process\":{\"noNewPrivileges\":true}", "c" },
	{ "AppArmorProfile=web", "\"process\":{\"apparmorProfile\":\"web\"}", "c" },
	{ "SystemCallFilter=~mount reboot\nSystemCallErrorNumber=EACCES",
	  "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\",\"reboot\"],"
	  "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13}]}}", "cc" },
	{ "SystemCallFilter=@system-service", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"SystemCallFilter\":"
					       "[\"@system-service\"]}}}}", "w" },
	{ "SystemCallFilter=read\nSystemCallFilter=~mount\nSystemCallFilter=write",
	  "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"SystemCallFilter\":[\"read\",\"~mount\",\"write\"]}}}}", "www" },
	{ "SystemCallFilter=@clock\nSystemCallFilter=\nSystemCallFilter=~mount",
	  "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\"],"
	  "\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}}", "acc" },
	{ "PrivateNetwork=yes\nPrivateIPC=yes\nPrivateMounts=yes",
	  "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"network\"}]}", "ccc" },
	{ "PrivateNetwork=no", "", "c" },
	{ "ProtectHostname=yes", "\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]}", "a" },
	{ "PrivateUsers=yes", "\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}", "a" },
	{ "ProtectControlGroups=yes", "\"linux\":{\"readonlyPaths\":[\"/sys/fs/cgroup\"]}", "a" },
	{ "CapabilityBoundingSet=CAP_SYSLOG CAP_KILL\nProtectKernelLogs=yes",
	  "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}},\"linux\":{\"maskedPaths\":[\"/proc/kmsg\",\"/dev/kmsg\"]}", "ca" },
	{ "ReadOnlyPaths=/a +/b -/c \"/d e\"", "\"linux\":{\"readonlyPaths\":[\"/a\",\"/b\",\"/c\",\"/d e\"]}", "c" },
	{ "ReadOnlyDirectories=/a\nInaccessibleDirectories=-/b", "\"linux\":{\"maskedPaths\":[\"/b\"],\"readonlyPaths\":[\"/a\"]}", "cc" },
	{ "ReadOnlyPaths=/a\nReadOnlyPaths=\nReadOnlyPaths=/b", "\"linux\":{\"readonlyPaths\":[\"/b\"]}", "acc" },
	{ "RootDirectory=/srv\nInaccessiblePaths=/srv/a /b", "\"root\":{\"path\":\"/srv\"},\"linux\":{\"maskedPaths\":[\"/a\",\"/b\"]}", "ca" },
	{ "ReadWritePaths=/a", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"ReadWritePaths\":[\"/a\"]}}}}", "a" },
	{ "BindPaths=/a:/b \"/c:d\":/e:norbind\nBindReadOnlyPaths=/f",
	  "\"mounts\":[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"rbind\"]},"
	  "{\"destination\":\"/e\",\"type\":\"bind\",\"source\":\"/c:d\",\"options\":[\"bind\"]},"
	  "{\"destination\":\"/f\",\"type\":\"bind\",\"source\":\"/f\",\"options\":[\"rbind\",\"ro\"]}]", "cc" },
	{ "TemporaryFileSystem=/a:size=1M,mode=700 /b",
	  "\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"size=1M\",\"mode=700\"]},"
	  "{\"destination\":\"/b\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}]", "c" },
	{ "BindPaths=/x\nMountAPIVFS=yes",
	  "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	  "{\"destination\":\"/sys\",\"type\":\"bind\",\"source\":\"/sys\",\"options\":[\"rbind\"]},"
	  "{\"destination\":\"/dev\",\"type\":\"bind\",\"source\":\"/dev\",\"options\":[\"rbind\"]},"
	  "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/x\",\"options\":[\"rbind\"]}]", "ca" },
	{ "PrivateTmp=yes", "\"mounts\":[{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
			    "[\"nosuid\",\"nodev\",\"mode=1777\"]},{\"destination\":\"/var/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
			    "\"options\":[\"nosuid\",\"nodev\",\"mode=1777\"]}]", "a" },
	{ "ProtectHome=yes", "\"linux\":{\"maskedPaths\":[\"/home\",\"/root\",\"/run/user\"]}", "a" },
	{ "DevicePolicy=strict\nDeviceAllow=/dev/fuse rw\nDeviceAllow=/dev/block/8:1 r",
	  "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\","
	  "\"major\":10,\"minor\":229,\"access\":\"rw\"},{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"r\"}]}}", "ccc" },
	{ "DevicePolicy=auto", "", "c" },
	{ "LimitNOFILE=10:20\nLimitCPU=1min\nLimitCORE=infinity\nLimitNICE=-5",
	  "\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":20,\"soft\":10},{\"type\":\"RLIMIT_CPU\",\"hard\":60,\"soft\":60},"
	  "{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":18446744073709551615},"
	  "{\"type\":\"RLIMIT_NICE\",\"hard\":25,\"soft\":25}]}", "cccc" },
	{ "MemoryMax=1G\nMemorySwapMax=1M\nMemoryLow=2M\nMemoryHigh=3M",
	  "\"linux\":{\"resources\":{\"memory\":{\"limit\":1073741824,\"reservation\":2097152,\"swap\":1074790400},\"unified\":"
	  "{\"memory.high\":\"3145728\"}}}", "cccc" },
	{ "MemoryMax=50%", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"MemoryMax\":[\"50%\"]}}}}", "d" },
	{ "MemoryMax=infinity", "\"linux\":{\"resources\":{\"memory\":{\"limit\":-1}}}", "c" },
	{ "TasksMax=10", "\"linux\":{\"resources\":{\"pids\":{\"limit\":10}}}", "c" },
	{ "TasksMax=infinity", "\"linux\":{\"resources\":{\"pids\":{\"limit\":-1}}}", "c" },
	{ "UMask=0%%%x", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"UMask\":[\"0%%%x\"]}}}}", "d" },
	{ "CPUQuota=50%", "\"linux\":{\"resources\":{\"cpu\":{\"quota\":50000}}}", "c" },
	{ "CPUQuota=12.5%\nCPUQuotaPeriodSec=10ms", "\"linux\":{\"resources\":{\"cpu\":{\"quota\":1250,\"period\":10000}}}", "cc" },
	{ "CPUWeight=100", "\"linux\":{\"resources\":{\"cpu\":{\"shares\":1024}}}", "c" },
	{ "CPUWeight=idle", "\"linux\":{\"resources\":{\"cpu\":{\"idle\":1}}}", "c" },
	{ "CPUShares=1000", "\"linux\":{\"resources\":{\"cpu\":{\"shares\":1000}}}", "c" },
	{ "AllowedCPUs=0-3 7\nAllowedMemoryNodes=0", "\"linux\":{\"resources\":{\"cpu\":{\"cpus\":\"0-3,7\",\"mems\":\"0\"}}}", "cc" },
	{ "IOWeight=100", "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":500}}}", "c" },
	{ "IOWeight=1000", "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":1000}}}", "a" },
	{ "BlockIOWeight=501", "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":501}}}", "c" },
	{ "IOReadBandwidthMax=/dev/block/8:0 5M\nIOWriteIOPSMax=/dev/block/8:16 100",
	  "\"linux\":{\"resources\":{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":5000000}],"
	  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":100}]}}}", "cc" },
	{ "IOReadBandwidthMax=/dev/sda 5M", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"IOReadBandwidthMax\":[\"/dev/sda 5M\"]}}}}", "d" },
	{ "RestrictNamespaces=yes", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"RestrictNamespaces\":[\"yes\"]}}}}", "w" },
	{ "RestrictSUIDSGID=no", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"RestrictSUIDSGID\":[\"no\"]}}}}", "d" },
	{ "Type=notify", "\"moorage\":{\"native\":{\"systemd\":{\"Service\":{\"Type\":[\"notify\"]}}}}", "d" },
	{ "[Install]\nWantedBy=multi-user.target", "\"moorage\":{\"autostart\":true}", "c" },
	{ "[Unit]\nDescription=A web server", "\"moorage\":{\"native\":{\"systemd\":{\"Unit\":{\"Description\":[\"A web server\"]}}}}", "d" },
};

static void assert_report(const char *report, const char *letters)
{
	size_t n = 0;

	for (const char *line = report; line && *line; line = strchr(line, '\n') + 1, n++) {
		const char *verdict = strchr(line, ' ') + 1;

		if (!letters[n] || verdict[0] != letters[n])
			fail_msg("%s\nwanted %s", report, letters);
	}
	assert_int_equal(n, strlen(letters));
}

static char *unit_of(const struct line *line)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "[Service]\n%s\n", line->unit);
	return b.text;
}

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *unit = unit_of(&lines[i]);
		struct buffer report = { 0 }, wanted = { 0 };
		struct mrg_spec *spec = read_unit(unit, &report);
		char *text = text_of(spec);

		buffer_addf(&wanted, "{\"ociVersion\":\"1.2.0\"%s%s}", *lines[i].json ? "," : "", lines[i].json);
		assert_string_equal(text, wanted.text);
		assert_report(report.text, lines[i].report);
		free(text);
		buffer_deinit(&wanted);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

/* A spec read from a unit is the same after it was written as a unit and read again. */
static void assert_stable(const char *unit)
{
	struct mrg_spec *spec = read_unit(unit, NULL), *again;
	char *text = write_unit(spec, NULL);

	again = read_unit(text, NULL);
	if (!same_specs(spec, again))
		fail_msg("%s\nbecame\n%s", unit, text);
	free(text);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}

static void test_keys_are_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *unit = unit_of(&lines[i]);

		if (*lines[i].json)
			assert_stable(unit);
	}
}

static void test_combinations_are_stable(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct buffer b = { 0 };

		buffer_addf(&b, "[Service]\nExecStart=/bin/x\n");
		for (int i = 0; i < 12; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			/* Sections of their own would move what follows; swap needs a limit of memory. */
			if (lines[seed % ARRAY_SIZE(lines)].unit[0] != '[')
				buffer_addf(&b, "%s\n", lines[seed % ARRAY_SIZE(lines)].unit);
		}
		if (!strstr(b.text, "MemorySwapMax"))
			assert_stable(b.text);
		buffer_deinit(&b);
	}
}

static void test_written_text(void **state)
{
	struct mrg_spec *spec = spec_of("{\"root\":{\"path\":\"/srv/a\"},\"process\":{\"args\":[\"/bin/a\",\"b c\",\"$x %y\",\"\"],"
					"\"env\":[\"A=1\\n2\"],\"user\":{\"uid\":5,\"gid\":6}},\"linux\":{\"maskedPaths\":[\"/x y\"],"
					"\"resources\":{\"pids\":{\"limit\":0}}},\"moorage\":{\"autostart\":true}}");
	char *text = write_unit(spec, NULL);

	(void)state;
	assert_string_equal(text, "[Service]\nRootDirectory=/srv/a\nExecStart=/bin/a \"b c\" \"$$x %%y\" \"\"\nEnvironment=\"A=1\\x0a2\"\n"
				  "User=5\nGroup=6\nInaccessiblePaths=-+\"/x y\"\nTasksMax=infinity\n\n[Install]\n"
				  "WantedBy=multi-user.target\n");
	free(text);
	mrg_spec_free(spec);
}

/* What a unit cannot say is named, and weakens where it confined. */
static void test_losses(void **state)
{
	struct mrg_spec *spec = spec_of("{\"hostname\":\"h\",\"process\":{\"args\":[\"/a\"]},\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]},"
					"\"moorage\":{\"seccompProfile\":\"default\",\"labels\":{\"a\":\"b\"}}}");
	struct buffer report = { 0 };
	char *text = write_unit(spec, &report);

	(void)state;
	assert_string_equal(report.text, "0 carried /process/args ExecStart\n0 dropped /hostname -\n"
					 "0 weakens /linux/namespaces/pid -\n0 weakens /moorage/seccompProfile -\n"
					 "0 dropped /moorage/labels -\n");
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

static void test_every_field_once(void **state)
{
	(void)state;
	assert_reported_once(write_unit);
}

/* No value, whatever is in it, becomes a line of its own. */
static void test_no_injection(void **state)
{
	static const char evil[] = "x\nExecStartPre=/bin/evil";
	static const enum mrg_field fields[] = {
		MRG_FIELD_ROOT_PATH, MRG_FIELD_ARGS, MRG_FIELD_CWD, MRG_FIELD_USER, MRG_FIELD_MASKED_PATHS, MRG_FIELD_CPUSET_CPUS,
		MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_READONLY_PATHS, MRG_FIELD_SELINUX_LABEL,
	};
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_mount mount = { .destination = evil, .type = "tmpfs" }, bind = { .destination = evil, .source = evil, .type = "bind" };
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(mrg_spec_set(spec, fields[i], evil, NULL), 0);
	mrg_spec_set(spec, MRG_FIELD_ENV, "A=x\nExecStartPre=/bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_UNIFIED, "memory.high=x\nExecStartPre=/bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_NATIVE, "{\"systemd\":{\"Service\":{\"Type\":[\"x\\nExecStartPre=/bin/evil\"],"
					     "\"A\\nExecStartPre\":[\"/bin/evil\"]},\"X]\\n[Service]\\nExecStartPre=/bin/evil\\n[Y\":{}}}", NULL);
	mrg_spec_add_mount(spec, &mount, NULL);
	mrg_spec_add_mount(spec, &bind, NULL);
	text = write_unit(spec, NULL);
	assert_null(strstr(text, "\nExecStartPre"));
	free(text);
	mrg_spec_free(spec);
}

static void test_continuation(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec = read_unit("# c\n; c \\\n\n  [Service]  \n  ExecStart =  /bin/a \\\n# between\n  b \\\n  c  \nUMask=022\r\n", &report);

	(void)state;
	assert_int_equal(strv_length(spec->args), 3);
	assert_string_equal(spec->args[2], "c");
	assert_int_equal(spec->umask, 022);
	assert_string_equal(report.text, "5 carried Service.ExecStart= /process/args\n9 carried Service.UMask= /process/user/umask\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

static void test_unit_that_says_nothing(void **state)
{
	struct mrg_spec *spec = read_unit("[Service]\n", NULL);
	char *text = text_of(spec);

	(void)state;
	assert_string_equal(text, "{\"ociVersion\":\"1.2.0\"}");
	free(text);
	mrg_spec_free(spec);
}

static void test_bad_units(void **state)
{
	static const struct { const char *unit, *message; } cases[] = {
		{ "", "the unit is empty" },
		{ "# nothing\n", "the unit is empty" },
		{ "A=1\n", "line 1: stands before the first [Section]" },
		{ "[Service\nA=1\n", "line 1: is no [Section]" },
		{ "[]\nA=1\n", "line 1: is no [Section]" },
		{ "[a]b]\nA=1\n", "line 1: is no [Section]" },
		{ "[Service]\nfoo\n", "line 2: is neither [Section], KEY=VALUE nor a comment" },
		{ "[Service]\n=foo\n", "line 2: is neither [Section], KEY=VALUE nor a comment" },
		{ "[Service]\na b=1\n", "line 2: has a key with other characters than letters, digits, '-' and '_'" },
		{ "[Service]\nExecStart=/a \\\n", "line 2: the last line says that it goes on, and the file ends" },
		{ "[Service]\nExecStart=/a \"b\n", "line 2: ExecStart=: has an open quote or an unknown escape" },
		{ "[Service]\nExecStart=/a \\q\n", "line 2: ExecStart=: has an open quote or an unknown escape" },
		{ "[Service]\nExecStart=/a \\xff\n", "line 2: ExecStart=: has an open quote or an unknown escape" },
		{ "[Service]\nExecStart=@/a\n", "line 2: ExecStart=: '@' needs a second word, the name to run under" },
		{ "[Service]\n\nMemoryMax=lots\n",
		  "line 3: MemoryMax=: /linux/resources/memory/limit: must be a size such as 512M or 2G, not 'lots'" },
		{ "[Service]\nMemorySwapMax=1M\n", "line 2: MemorySwapMax=: needs MemoryMax= too" },
		{ "[Service]\nCPUQuota=half\n", "line 2: CPUQuota=: must be a percentage such as 50%, not 'half'" },
		{ "[Service]\nCPUWeight=0\n", "line 2: CPUWeight=: must be idle or from 1 to 10000, not '0'" },
		{ "[Service]\nLimitNOFILE=5:4\n", "line 2: LimitNOFILE=: the soft limit is above the hard one" },
		{ "[Service]\nReadOnlyPaths=a\n", "line 2: ReadOnlyPaths=: must be absolute paths without '..', not 'a'" },
		{ "[Service]\nBindPaths=/a:/b:/c:/d\n", "line 2: BindPaths=: must be SOURCE[:DESTINATION[:rbind|norbind]]" },
		{ "[Service]\nBindPaths=/a:/../b\n", "line 2: BindPaths=: must be absolute paths without '..', not '/../b'" },
		{ "[Service]\nRootDirectory=srv\n", "line 2: RootDirectory=: must be an absolute path without '..', not 'srv'" },
		{ "[Service]\nCapabilityBoundingSet=CAP_FLY\n",
		  "line 2: CapabilityBoundingSet=: must be capabilities such as CAP_CHOWN, not 'CAP_FLY'" },
		{ "[Service]\nKillSignal=STOPIT\n", "line 2: KillSignal=: must be a signal, not 'STOPIT'" },
		{ "[Service]\nDeviceAllow=/dev/null q\n", "line 2: DeviceAllow=: must be a device and letters of rwm, not '/dev/null q'" },
		{ "[Service]\nNoNewPrivileges=maybe\n",
		  "line 2: NoNewPrivileges=: /process/noNewPrivileges: must be yes or no, not 'maybe'" },
		{ "[Service]\nGroup=a:b\n", "line 2: Group=: must be a name or a number, not 'a:b'" },
		{ "[Service]\nWorkingDirectory=x\n", "line 2: WorkingDirectory=: must be an absolute path without '..', not 'x'" },
		{ "[Service]\nEnvironment=A\n", "line 2: Environment=: must be NAME=VALUE words, not 'A'" },
		{ "[Service]\nEnvironment='A=1\n", "line 2: Environment=: has an open quote or an unknown escape" },
		{ "[Service]\nUMask=9\n", "line 2: UMask=: /process/user/umask: must be octal such as 022, not '9'" },
		{ "[Service]\nOOMScoreAdjust=2000\n", "line 2: OOMScoreAdjust=: /process/oomScoreAdj: must be from -1000 to 1000, not 2000" },
		{ "[Service]\nTimeoutStopSec=soon\n", "line 2: TimeoutStopSec=: must be a time such as '90s' or '1min 30s', not 'soon'" },
		{ "[Service]\nTimeoutStopSec=-1\n", "line 2: TimeoutStopSec=: must be a time such as '90s' or '1min 30s', not '-1'" },
		{ "[Service]\nTimeoutStopSec=5 parsecs\n", "line 2: TimeoutStopSec=: must be a time such as '90s' or '1min 30s', not '5 parsecs'" },
		{ "[Service]\nTimeoutStopSec=99999999999999999999y\n",
		  "line 2: TimeoutStopSec=: must be a time such as '90s' or '1min 30s', not '99999999999999999999y'" },
		{ "[Service]\nCPUQuota=50\n", "line 2: CPUQuota=: must be a percentage such as 50%, not '50'" },
		{ "[Service]\nCPUWeight=20000\n", "line 2: CPUWeight=: must be idle or from 1 to 10000, not '20000'" },
		{ "[Service]\nCPUQuotaPeriodSec=5s\n", "line 2: CPUQuotaPeriodSec=: must be a time from 1ms to 1s, not '5s'" },
		{ "[Service]\nIOWeight=0\n", "line 2: IOWeight=: must be from 1 to 10000, not '0'" },
		{ "[Service]\nIOReadBandwidthMax=/dev/sda\n",
		  "line 2: IOReadBandwidthMax=: must be a device and a rate such as 5M, not '/dev/sda'" },
		{ "[Service]\nMemoryLow=x\n",
		  "line 2: MemoryLow=: /linux/resources/memory/reservation: must be a size such as 512M or 2G, not 'x'" },
		{ "[Service]\nTasksMax=-3\n", "line 2: TasksMax=: must be a number from 1 or infinity, not '-3'" },
		{ "[Service]\nLimitNICE=-30\n", "line 2: LimitNICE=: must be a limit, or SOFT:HARD, not '-30'" },
		{ "[Service]\nLimitCPU=1 parsec\n", "line 2: LimitCPU=: must be a limit, or SOFT:HARD, not '1 parsec'" },
		{ "[Service]\nLimitRTTIME=5:4us\n", "line 2: LimitRTTIME=: the soft limit is above the hard one" },
		{ "[Service]\nAmbientCapabilities=CAP_FLY\n",
		  "line 2: AmbientCapabilities=: must be capabilities such as CAP_CHOWN, not 'CAP_FLY'" },
		{ "[Service]\nSystemCallFilter='a\n", "line 2: SystemCallFilter=: has an open quote or an unknown escape" },
		{ "[Service]\nProtectSystem=perhaps\n", "line 2: ProtectSystem=: must be yes, no, full or strict, not 'perhaps'" },
		{ "[Service]\nProtectHome=perhaps\n", "line 2: ProtectHome=: must be yes, no, read-only or tmpfs, not 'perhaps'" },
		{ "[Service]\nPrivateTmp=perhaps\n", "line 2: PrivateTmp=: must be yes or no, not 'perhaps'" },
		{ "[Service]\nDevicePolicy=lax\n", "line 2: DevicePolicy=: must be auto, closed or strict, not 'lax'" },
		{ "[Service]\nTemporaryFileSystem=tmp\n", "line 2: TemporaryFileSystem=: must be absolute paths without '..', not 'tmp'" },
		{ "[Service]\nInaccessiblePaths=a\n", "line 2: InaccessiblePaths=: must be absolute paths without '..', not 'a'" },
		{ "[Service]\nMountAPIVFS=perhaps\n", "line 2: MountAPIVFS=: must be yes or no, not 'perhaps'" },
		{ "[Service]\nA=\377\n", "the unit is not UTF-8" },
		{ "[Service]\nA=\033[2J\n", "the unit has control characters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_unit_refused(cases[i].unit, strlen(cases[i].unit), cases[i].message);
}

static void test_hostile_size(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	assert_unit_refused("[Service]\0", 10, "the unit has a NUL byte");
	buffer_addf(&b, "[Service]\n");
	for (int i = 0; i < 100000; i++)
		buffer_addf(&b, "K%d=1\n", i);
	assert_unit_refused(b.text, b.length, "line 4098: a unit has at most 4096 assignments");
	buffer_deinit(&b);
	buffer_addf(&b, "[Service]\n");
	for (int i = 0; i < 50000; i++)
		buffer_addf(&b, "a=b \\\n");
	assert_unit_refused(b.text, b.length, "line 2: longer than 64 KiB with what follows it");
	for (int i = 0; i < 200000; i++)
		buffer_addf(&b, "a=b \\\n");
	assert_unit_refused(b.text, b.length, "the unit is larger than 1 MiB");
	buffer_deinit(&b);
}

static void test_many_assignments(void **state)
{
	struct buffer b = { 0 };
	struct mrg_spec *spec;

	(void)state;
	buffer_addf(&b, "[Service]\n");
	for (int i = 0; i < 4096; i++)
		buffer_addf(&b, "Environment=K%d=1\n", i);
	spec = read_unit(b.text, NULL);
	assert_int_equal(strv_length(spec->env), 4096);
	mrg_spec_free(spec);
	buffer_deinit(&b);
}

static void test_truncated(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_addf(&b, "[Service]\n");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].unit[0] != '[')
			buffer_addf(&b, "%s\n", lines[i].unit);
	assert_survives_cuts("systemd", b.text, b.length);
	buffer_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys), cmocka_unit_test(test_keys_are_stable),
		cmocka_unit_test(test_combinations_are_stable), cmocka_unit_test(test_written_text),
		cmocka_unit_test(test_losses), cmocka_unit_test(test_every_field_once), cmocka_unit_test(test_no_injection),
		cmocka_unit_test(test_continuation), cmocka_unit_test(test_unit_that_says_nothing), cmocka_unit_test(test_bad_units), cmocka_unit_test(test_hostile_size),
		cmocka_unit_test(test_many_assignments), cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
