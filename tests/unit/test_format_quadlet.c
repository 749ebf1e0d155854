/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* .container files of Podman: every key, what is lost, both ways, hostile text. */

#include <stdlib.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* A letter for each row: c a d w. */
static int collect(const struct mrg_report_row *row, void *data)
{
	buffer_addf(data, "%c", "cadw"[row->verdict]);
	assert_true(row->verdict == MRG_CARRIED || row->note);
	return 0;
}

static struct mrg_spec *read_quadlet(const char *text, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("quadlet", text, strlen(text), &spec, report ? collect : NULL, report, &err);
	assert_string_equal(err.message, "");
	return spec;
}

static char *write_quadlet(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("quadlet", spec, &text, report ? collect : NULL, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

/* Lines of [Container] beside a root, the verdict on each, a field that they set and its value ("" when it is not set). */
static const struct {
	const char *lines, *report, *field, *value;
} cases[] = {
	{ "Exec=/bin/a \"b c\" $$x", "c", "process.args", "[\"/bin/a\",\"b c\",\"$x\"]" },
	{ "Exec=/bin/a $x", "a", "process.args", "[\"/bin/a\",\"$x\"]" },
	{ "Exec=/bin/a %n", "d", "process.args", "" },
	{ "Entrypoint=[\"/a\",\"b\"]\nExec=c", "cc", "process.args", "[\"/a\",\"b\",\"c\"]" },
	{ "Entrypoint=%h/a\nExec=c", "dd", "process.args", "" },
	{ "Exec=/bin/a\nExec=/bin/b", "ac", "process.args", "[\"/bin/b\"]" },
	{ "User=5\nGroup=6", "cc", "process.user.gid", "6" },
	{ "User=5", "c", "moorage.user", "\"5\"" },
	{ "User=%U", "w", "moorage.user", "" },
	{ "GroupAdd=4\nGroupAdd=keep-groups", "cd", "process.user.additionalGids", "[4]" },
	{ "HostName=a%%b", "c", "hostname", "\"a%b\"" },
	{ "DropCapability=all\nAddCapability=CAP_KILL", "cc", "process.capabilities.bounding", "[\"CAP_KILL\"]" },
	{ "User=5\nGroup=5\nAddCapability=CAP_KILL", "ccc", "process.capabilities.ambient", "[\"CAP_KILL\"]" },
	{ "SeccompProfile=unconfined", "c", "moorage.seccompProfile", "\"unconfined\"" },
	{ "SeccompProfile=/x.json", "w", "moorage.seccompProfile", "\"default\"" },
	{ "Unmask=ALL", "c", "linux.maskedPaths", "[]" },
	{ "Unmask=ALL\nMask=\"/a b:/\\\"c\"", "cc", "linux.maskedPaths", "[\"/a b\",\"/\\\"c\"]" },
	{ "Unmask=ALL\nMask=/a:/b", "cc", "linux.maskedPaths", "[\"/a\",\"/b\"]" },
	{ "Unmask=/proc/sys", "c", "linux.readonlyPaths",
	  "[\"/proc/asound\",\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sysrq-trigger\"]" },
	{ "Unmask=/proc/*", "d", "linux.readonlyPaths",
	  "[\"/proc/asound\",\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]" },
	{ "UserNS=auto", "a", "linux.namespaces.user", "" },
	{ "UserNS=container:x", "w", "linux.namespaces.user", "" },
	{ "UIDMap=0:100000:5", "c", "linux.uidMappings", "[{\"containerID\":0,\"hostID\":100000,\"size\":5}]" },
	{ "UIDMap=+0:@1", "w", "linux.uidMappings", "" },
	{ "AddDevice=/dev/fuse:/dev/f:r", "c", "linux.devices", "[{\"type\":\"c\",\"path\":\"/dev/f\",\"major\":10,\"minor\":229,\"fileMode\":438}]" },
	{ "AddDevice=/dev/sda", "d", "linux.devices", "" },
	{ "ShmSize=1m", "c", "moorage.volumes", "" },
	{ "Volume=data:/d:rw", "c", "moorage.volumes", "[{\"name\":\"data\",\"destination\":\"/d\",\"options\":\"rw\"}]" },
	{ "Volume=./a:/d", "d", "moorage.volumes", "" },
	{ "Volume=/a:/b:ro,Z", "a", "moorage.volumes", "" },
	{ "Volume=/a:/b:O", "w", "moorage.volumes", "" },
	{ "Network=host", "c", "moorage.networks", "" },
	{ "Network=none", "c", "moorage.networks", "" },
	{ "Network=web", "c", "moorage.networks", "[{\"type\":\"veth\",\"zone\":\"web\"}]" },
	{ "Network=web.network", "d", "moorage.networks", "" },
	{ "Network=web\nNetwork=\nNetwork=none", "acc", "moorage.networks", "" },
	{ "PublishPort=[::1]:80:8080/udp", "c", "moorage.publish",
	  "[{\"hostPort\":80,\"containerPort\":8080,\"protocol\":\"udp\",\"hostAddress\":\"::1\"}]" },
	{ "PublishPort=8000-8010:8000-8010", "d", "moorage.publish", "" },
	{ "HealthCmd=none", "c", "moorage.health", "{\"Test\":[\"NONE\"]}" },
	{ "HealthCmd=[\"a\",\"b\"]\nHealthInterval=1500ms", "cc", "moorage.health", "{\"Test\":[\"CMD\",\"a\",\"b\"],\"Interval\":1500000000}" },
	{ "LogDriver=journald\nLogOpt=max-size=1m", "dd", "moorage.log", "" },
	{ "LogOpt=max-size=1m", "c", "moorage.log", "{\"driver\":\"file\",\"maxSize\":1048576}" },
	{ "PodmanArgs=--pid=host --tty", "c", "process.terminal", "true" },
	{ "PodmanArgs=--tty --frobnicate", "d", "process.terminal", "" },
	{ "PodmanArgs=--security-opt=label=type:x", "w", "process.selinuxLabel", "" },
	{ "PodmanArgs=--umask 0077", "c", "process.user.umask", "63" },
	{ "Secret=x\nFrobnicate=yes\nMaskAll=yes\nMaskAll=no", "ddad", "hostname", "" },
	{ "[Service]\nMemoryMax=1M\nRestart=always\nTasksMax=5\nPrivateTmp=yes", "ccdw", "linux.resources.memory.limit", "1048576" },
	{ "[Install]\nWantedBy=multi-user.target default.target", "c", "moorage.autostart", "true" },
};

/* The value of a field as JSON, "" when it is not set. */
static char *field_text(const struct mrg_spec *spec, const char *name)
{
	const struct field *field = &spec_fields[mrg_field_find(name)];
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	if (mrg_fields_has(&spec->set, (unsigned int)mrg_field_find(name)) && !spec_namespace_type((unsigned int)mrg_field_find(name)))
		assert_int_equal(spec_emit_value(&b, &field->value, spec, NULL, NULL), 0);
	return b.text;
}

static void assert_stable(const struct mrg_spec *spec)
{
	_cleanup_free_ char *text = write_quadlet(spec, NULL), *first = text_of(spec);
	struct mrg_spec *again = read_quadlet(text, NULL);
	_cleanup_free_ char *second = text_of(again);

	assert_string_equal(second, first);
	mrg_spec_free(again);
}

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer text = { 0 }, report = { 0 };
		_cleanup_free_ char *value = NULL;
		struct mrg_spec *spec;

		buffer_addf(&text, "[Container]\nRootfs=/r\n%s\n", cases[i].lines);
		spec = read_quadlet(text.text, &report);
		value = field_text(spec, cases[i].field);
		if (strcmp(report.text + 1, cases[i].report) != 0 || strcmp(value, cases[i].value) != 0)
			fail_msg("%s\nreport %s, %s: %s", cases[i].lines, report.text + 1, cases[i].field, value);
		assert_stable(spec);
		mrg_spec_free(spec);
		buffer_deinit(&text);
		buffer_deinit(&report);
	}
}

/* All keys of podman 5.7 in [Container]: none may be one that nobody knows. */
static void test_every_key_has_a_row(void **state)
{
	static const char *const names[] = {
		"AddCapability", "AddDevice", "AddHost", "Annotation", "AutoUpdate", "CgroupsMode", "ContainerName",
		"ContainersConfModule", "DNS", "DNSOption", "DNSSearch", "DropCapability", "Entrypoint", "Environment",
		"EnvironmentFile", "EnvironmentHost", "Exec", "ExposeHostPort", "GIDMap", "GlobalArgs", "Group", "GroupAdd",
		"HealthCmd", "HealthInterval", "HealthLogDestination", "HealthMaxLogCount", "HealthMaxLogSize", "HealthOnFailure",
		"HealthRetries", "HealthStartPeriod", "HealthStartupCmd", "HealthStartupInterval", "HealthStartupRetries",
		"HealthStartupSuccess", "HealthStartupTimeout", "HealthTimeout", "HostName", "HttpProxy", "IP", "IP6", "Image",
		"Label", "LogDriver", "LogOpt", "Mask", "Memory", "Mount", "Network", "NetworkAlias", "NoNewPrivileges", "Notify",
		"PidsLimit", "Pod", "PodmanArgs", "PublishPort", "Pull", "ReadOnly", "ReadOnlyTmpfs", "ReloadCmd", "ReloadSignal",
		"RemapGid", "RemapUid", "RemapUidSize", "RemapUsers", "Retry", "RetryDelay", "Rootfs", "RunInit", "SeccompProfile",
		"Secret", "SecurityLabelDisable", "SecurityLabelFileType", "SecurityLabelLevel", "SecurityLabelNested",
		"SecurityLabelType", "ServiceName", "ShmSize", "StartWithPod", "StopSignal", "StopTimeout", "SubGIDMap", "SubUIDMap",
		"Sysctl", "Timezone", "Tmpfs", "UIDMap", "Ulimit", "Unmask", "User", "UserNS", "VolatileTmp", "Volume", "WorkingDir",
		"AppArmor",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct key *key = quadlet_keys;
		const char *star;

		while (key->name && strcmp(key->name, names[i]) != 0) {
			star = strchr(key->name, '*');
			if (star && strncmp(key->name, names[i], (size_t)(star - key->name)) == 0)
				break;
			key++;
		}
		if (!key->name)
			fail_msg("%s has no row", names[i]);
	}
}

/* What podman does when nothing is said is said, and is not written back. */
static void test_nothing_said(void **state)
{
	struct mrg_spec *spec = read_quadlet("[Container]\nImage=a\n", NULL);
	_cleanup_free_ char *text = write_quadlet(spec, NULL), *caps = field_text(spec, "process.capabilities.bounding");

	(void)state;
	assert_string_equal(caps, "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\",\"CAP_SETGID\",\"CAP_SETUID\","
				  "\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_SETFCAP\"]");
	assert_string_equal(spec->ns_pid, "");
	assert_string_equal(spec->seccomp_profile, "default");
	assert_int_equal(spec->mounts.n, 7);
	assert_string_equal(text, "[Container]\nImage=a\nNoNewPrivileges=no\nPidsLimit=2048\n");
	mrg_spec_free(spec);
}

static void test_privileged(void **state)
{
	struct mrg_spec *spec = read_quadlet("[Container]\nRootfs=/r\nPodmanArgs=--privileged\n", NULL);
	_cleanup_free_ char *text = write_quadlet(spec, NULL);

	(void)state;
	assert_non_null(strstr(text, "PodmanArgs=--privileged\n"));
	assert_null(spec->masked_paths);
	assert_stable(spec);
	mrg_spec_free(spec);
}

/* What is kept is written as it stood, whatever its reader made of it in between. */
static void test_kept_lines(void **state)
{
	static const char *const lines[] = {
		"Entrypoint=%%%%/a$$b\nExec=b %n\n", "Volume=/a%%:/x:Z\n", "AddDevice=/dev/none:/dev/b:rw\n", "Mask=%%a:%n\n",
		"Rootfs=/a%%b:idmap\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		bool root = strncmp(lines[i], "Rootfs", 6) == 0;
		struct buffer text = { 0 };
		_cleanup_free_ char *again = NULL;
		struct mrg_spec *spec;

		buffer_addf(&text, "[Container]\n%s%s", root ? "" : "Image=a\n", lines[i]);
		spec = read_quadlet(text.text, NULL);
		again = write_quadlet(spec, NULL);
		if (!strstr(again, lines[i]))
			fail_msg("%s\nbecame\n%s", text.text, again);
		mrg_spec_free(spec);
		buffer_deinit(&text);
	}
}

static char *write_rows(const struct mrg_spec *spec, struct buffer *report)
{
	return write_quadlet(spec, report);
}

/* Of random specs each field has one row, and what is written can be read. */
static void test_random_specs(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct mrg_spec *spec = random_spec(seed);
		struct buffer report = { 0 };
		size_t n = 0;

		free(write_rows(spec, &report));
		for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
			n += (size_t)mrg_fields_has(&spec->set, i);
		assert_int_equal(report.length, n);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "the unit is empty" },
		{ "[Container]", "has no section [Container]\nof Podman's units only .container files describe a container" },
		{ "[Container]\nImage=a\nRootfs=/r", "Image= and Rootfs= exclude each other" },
		{ "[Service]\nExecStart=/bin/a", "has no section [Container]\nof Podman's units only .container files describe a container" },
		{ "[Container]\nImage=\n", "has neither Image= nor Rootfs=" },
		{ "[Container", "line 1: is no [Section]" },
		{ "Image=a", "line 1: stands before the first [Section]" },
		{ "[Container]\nnonsense", "line 2: is neither [Section], KEY=VALUE nor a comment" },
		{ "[Container]\nImage=a\\", "line 2: the last line says that it goes on, and the file ends" },
		{ "[Container]\nRootfs=/r\nRootfs=srv", "line 3: Rootfs=: must be an absolute path without '..', not 'srv'" },
		{ "[Container]\nRootfs=/r\nRootfs=/a/../b", "line 3: Rootfs=: must be an absolute path without '..', not '/a/../b'" },
		{ "[Container]\nRootfs=/r\nWorkingDir=tmp", "line 3: WorkingDir=: must be an absolute path without '..', not 'tmp'" },
		{ "[Container]\nRootfs=/r\nWorkingDir=/a/../b", "line 3: WorkingDir=: must be an absolute path without '..', not '/a/../b'" },
		{ "[Container]\nRootfs=/r\nUser=:5", "User=: must be NAME[:GROUP], not ':5'" },
		{ "[Container]\nRootfs=/r\nUser=a:b:c", "User=: must be NAME[:GROUP], not 'a:b:c'" },
		{ "[Container]\nRootfs=/r\nGroup=5", "Group=: needs User= too" },
		{ "[Container]\nRootfs=/r\nUser=a:b\nGroup=c", "Group=: a group is in User= already" },
		{ "[Container]\nRootfs=/r\nStopSignal=SIGNOPE", "line 3: StopSignal=: must be a signal, not 'SIGNOPE'" },
		{ "[Container]\nRootfs=/r\nStopSignal=99", "line 3: StopSignal=: must be a signal, not '99'" },
		{ "[Container]\nRootfs=/r\nStopTimeout=soon", "line 3: StopTimeout=: /moorage/stop/timeout: must be a whole number, not 'soon'" },
		{ "[Container]\nRootfs=/r\nStopTimeout=-1", "line 3: StopTimeout=: /moorage/stop/timeout: must be from 0 to 4294967295, not -1" },
		{ "[Container]\nRootfs=/r\nUlimit=nofile", "line 3: Ulimit=: must be NAME=SOFT[:HARD], not 'nofile'" },
		{ "[Container]\nRootfs=/r\nUlimit=nofile=a", "line 3: Ulimit=: must be NAME=SOFT[:HARD], not 'nofile'" },
		{ "[Container]\nRootfs=/r\nUlimit=nofile=10:5", "line 3: Ulimit=: the soft limit is above the hard one" },
		{ "[Container]\nRootfs=/r\nUlimit=fly=1",
		  "line 3: Ulimit=: /process/rlimits: must be one of RLIMIT_AS|RLIMIT_CORE|RLIMIT_CPU|RLIMIT_DATA|RLIMIT_FSIZE|RLIMIT_LOCKS|"
		  "RLIMIT_MEMLOCK|RLIMIT_MSGQUEUE|RLIMIT_NICE|RLIMIT_NOFILE|RLIMIT_NPROC|RLIMIT_RSS|RLIMIT_RTPRIO|RLIMIT_RTTIME|RLIMIT_SIGPENDING|"
		  "RLIMIT_STACK, not 'RLIMIT_FLY'" },
		{ "[Container]\nRootfs=/r\nLabel=a", "line 3: Label=: must be NAME=VALUE words, not 'a'" },
		{ "[Container]\nRootfs=/r\nLabel==b", "line 3: Label=: must be NAME=VALUE words, not '=b'" },
		{ "[Container]\nRootfs=/r\nAnnotation=\"a", "line 3: Annotation=: has an open quote or an unknown escape" },
		{ "[Container]\nRootfs=/r\nEnvironment=A", "line 3: Environment=: must be NAME=VALUE words, not 'A'" },
		{ "[Container]\nRootfs=/r\nEnvironment==1", "line 3: Environment=: must be NAME=VALUE words, not '=1'" },
		{ "[Container]\nRootfs=/r\nAddCapability=FLY", "line 3: AddCapability=: must be capabilities, not 'FLY'" },
		{ "[Container]\nRootfs=/r\nDropCapability=CAP_", "line 3: DropCapability=: must be capabilities, not 'CAP_'" },
		{ "[Container]\nRootfs=/r\nNoNewPrivileges=maybe", "line 3: NoNewPrivileges=: /process/noNewPrivileges: must be yes or no, not 'maybe'" },
		{ "[Container]\nRootfs=/r\nReadOnly=perhaps", "line 3: ReadOnly=: /root/readonly: must be yes or no, not 'perhaps'" },
		{ "[Container]\nRootfs=/r\nReadOnlyTmpfs=2", "line 3: ReadOnlyTmpfs=: must be yes or no, not '2'" },
		{ "[Container]\nRootfs=/r\nRunInit=x", "line 3: RunInit=: /moorage/init: must be yes or no, not 'x'" },
		{ "[Container]\nRootfs=/r\nMask=proc", "line 3: Mask=: must be absolute paths without '..', not 'proc'" },
		{ "[Container]\nRootfs=/r\nMask=/a/../b", "line 3: Mask=: must be absolute paths without '..', not '/a/../b'" },
		{ "[Container]\nRootfs=/r\nUIDMap=0", "line 3: UIDMap=: must be CONTAINER:HOST:SIZE, not '0'" },
		{ "[Container]\nRootfs=/r\nUIDMap=0:1", "line 3: UIDMap=: must be CONTAINER:HOST:SIZE, not '0:1'" },
		{ "[Container]\nRootfs=/r\nUIDMap=0:100000:0", "line 3: UIDMap=: must be CONTAINER:HOST:SIZE, not '0:100000:0'" },
		{ "[Container]\nRootfs=/r\nUIDMap=4294967295:0:1", "line 3: UIDMap=: must be CONTAINER:HOST:SIZE, not '4294967295:0:1'" },
		{ "[Container]\nRootfs=/r\nGIDMap=0:100000:65536:1", "line 3: GIDMap=: must be CONTAINER:HOST:SIZE, not '0:100000:65536:1'" },
		{ "[Container]\nRootfs=/r\nAddDevice=/dev/fuse:/dev/fuse:rx", "line 3: AddDevice=: must be HOST[:CONTAINER[:PERMISSIONS]]" },
		{ "[Container]\nRootfs=/r\nAddDevice=/dev/fuse:fuse:rw", "line 3: AddDevice=: must be absolute paths without '..', not 'fuse'" },
		{ "[Container]\nRootfs=/r\nVolume=/a:b", "line 3: Volume=: must be mounted at an absolute path without '..', not 'b'" },
		{ "[Container]\nRootfs=/r\nVolume=/a/../b:/c", "line 3: Volume=: must be an absolute path without '..', not '/a/../b'" },
		{ "[Container]\nRootfs=/r\nVolume=/a:/b:ro:rw", "line 3: Volume=: must be SOURCE:DESTINATION[:OPTIONS], not '/a:/b:ro:rw'" },
		{ "[Container]\nRootfs=/r\nVolume=/a:/b\nVolume=/c:/b", "line 4: Volume=: something is mounted at '/b' already" },
		{ "[Container]\nRootfs=/r\nVolume=/a:/b:r o", "line 3: Volume=: has the option 'r o'" },
		{ "[Container]\nRootfs=/r\nVolume=-a:/b", "line 3: Volume=: must be a path, or the name of a volume, not '-a'" },
		{ "[Container]\nRootfs=/r\nVolume=relative", "line 3: Volume=: must be mounted at an absolute path without '..', not 'relative'" },
		{ "[Container]\nRootfs=/r\nTmpfs=tmp", "line 3: Tmpfs=: must be mounted at an absolute path without '..', not 'tmp'" },
		{ "[Container]\nRootfs=/r\nTmpfs=/a\nTmpfs=/a", "line 4: Tmpfs=: something is mounted at '/a' already" },
		{ "[Container]\nRootfs=/r\nMount=type=bind,source=a,destination=/b", "line 3: Mount=: must be an absolute path without '..', not 'a'" },
		{ "[Container]\nRootfs=/r\nMount=type=tmpfs,destination=b", "line 3: Mount=: must be mounted at an absolute path without '..', not 'b'" },
		{ "[Container]\nRootfs=/r\nShmSize=much", "line 3: ShmSize=: must be a size such as 64m, not 'much'" },
		{ "[Container]\nRootfs=/r\nPublishPort=0:80", "line 3: PublishPort=: must be [ADDRESS:]HOST:CONTAINER[/udp], not '0:80'" },
		{ "[Container]\nRootfs=/r\nPublishPort=80:99999", "line 3: PublishPort=: must be [ADDRESS:]HOST:CONTAINER[/udp], not '80:99999'" },
		{ "[Container]\nRootfs=/r\nPublishPort=a:b", "line 3: PublishPort=: must be [ADDRESS:]HOST:CONTAINER[/udp], not 'a:b'" },
		{ "[Container]\nRootfs=/r\nNetwork=host\nNetwork=web", "Network=: host, none, a path or another mode must be the only one" },
		{ "[Container]\nRootfs=/r\nNetwork=web.network\nNetwork=host", "Network=: host, none, a path or another mode must be the only one" },
		{ "[Container]\nRootfs=/r\nNetwork=pasta\nNetwork=web", "Network=: host, none, a path or another mode must be the only one" },
		{ "[Container]\nRootfs=/r\nPidsLimit=many", "line 3: PidsLimit=: /linux/resources/pids/limit: must be a whole number, not 'many'" },
		{ "[Container]\nRootfs=/r\nMemory=lots", "line 3: Memory=: /linux/resources/memory/limit: must be a size such as 512M or 2G, not 'lots'" },
		{ "[Container]\nRootfs=/r\nMemory=-5", "line 3: Memory=: /linux/resources/memory/limit: must be a size such as 512M or 2G, not '-5'" },
		{ "[Container]\nRootfs=/r\nHealthInterval=often", "line 3: HealthInterval=: must be a time such as 30s, not 'often'" },
		{ "[Container]\nRootfs=/r\nHealthRetries=-1", "line 3: HealthRetries=: must be a number, not '-1'" },
		{ "[Container]\nRootfs=/r\nHealthCmd=[1]", "line 3: HealthCmd=: must be a command, or an array of strings" },
		{ "[Container]\nRootfs=/r\nLogOpt=max-size=big", "line 3: LogOpt=: must be a size such as max-size=10m, not 'max-size=big'" },
		{ "[Container]\nRootfs=/r\nEntrypoint=[1]", "line 3: Entrypoint=: must be one word, or an array of strings" },
		{ "[Container]\nRootfs=/r\nEntrypoint=[\"a\"", "line 3: Entrypoint=: line 1, column 5: expected ',' or ']'" },
		{ "[Container]\nRootfs=/r\nExec=\"a", "line 3: Exec=: has an open quote or an unknown escape" },
		{ "[Container]\nRootfs=/r\nPodmanArgs=\"a", "line 3: PodmanArgs=: has an open quote or an unknown escape" },
		{ "[Container]\nRootfs=/r\nPodmanArgs=--oom-score-adj=2000", "line 3: PodmanArgs=: /process/oomScoreAdj: must be from -1000 to 1000, not 2000" },
		{ "[Container]\nRootfs=/r\nPodmanArgs=--umask=999", "line 3: PodmanArgs=: /process/user/umask: must be octal such as 022, not '999'" },
		{ "[Container]\nRootfs=/r\nSysctl=a", "line 3: Sysctl=: must be NAME=VALUE words, not 'a'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mrg_spec *spec = NULL;
		struct mrg_error err = { 0 };

		if (mrg_format_read("quadlet", bad[i].text, strlen(bad[i].text), &spec, NULL, NULL, &err) != -MRG_E_INVALID)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(err.message, bad[i].message);
		assert_null(spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys), cmocka_unit_test(test_every_key_has_a_row), cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_privileged), cmocka_unit_test(test_kept_lines), cmocka_unit_test(test_random_specs),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
