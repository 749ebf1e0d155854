/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML: every element both ways, what is lost, what is kept. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "tests/unit/libvirt_fixture.h"

#define API_MOUNTS								\
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"		\
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"	\
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\",\"size=65536\"]},"	\
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"newinstance\",\"ptmxmode=0666\","	\
	"\"mode=0620\",\"gid=5\"]}"
#define MOUNTS(more)	"\"mounts\":[" API_MOUNTS "," more "]"
#define DENY		"{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},"
#define CHAR(major, minor)	"{\"allow\":true,\"type\":\"c\",\"major\":" #major ",\"minor\":" #minor ",\"access\":\"rwm\"},"
#define OWN_RULES	CHAR(1, 3) CHAR(1, 5) CHAR(1, 7) CHAR(1, 8) CHAR(1, 9) CHAR(5, 0) CHAR(5, 2) CHAR(10, 229)
#define TERMINALS	"{\"allow\":true,\"type\":\"c\",\"major\":136,\"access\":\"rwm\"}"
#define RESOURCES(text)	"\"linux\":{\"resources\":{" text "}}"
#define BOUNDING(text)	"\"process\":{\"capabilities\":{\"bounding\":[" text "]}}"
#define ENV(text)	"\"process\":{\"env\":[" text "]}"
#define NAMES(text)	"\"annotations\":{\"org.libvirt.name\":\"n\"" text "}"
#define NATIVE(path, text)	"\"moorage\":{\"native\":{\"libvirt\":{\"" path "\":[" text "]}}}"
#define NETWORKS(text)	"\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[" text "]}"

struct element {
	const char *place, *xml;
	const char *json;		/* what the spec says besides what it says without */
	const char *report;		/* verdicts of the line, a letter each: c a d w */
};

static const struct element elements[] = {
	{ "", "", "", "" },
	/* names */
	{ "", "<uuid>e21987a5-e98e-9c99-0e35-803e4d9ad1fe</uuid>", NAMES(",\"org.libvirt.uuid\":\"e21987a5-e98e-9c99-0e35-803e4d9ad1fe\""), "c" },
	{ "", "<title>A &lt;b&gt;</title>", NAMES(",\"org.libvirt.title\":\"A <b>\""), "c" },
	{ "", "<description>a&#10;b</description>", NAMES(",\"org.libvirt.description\":\"a\\nb\""), "c" },
	{ "", "<metadata><x:a xmlns:x='urn:x'><x:b c='d'/></x:a></metadata>",
	  NATIVE("/domain", "\"<metadata><x:a xmlns:x=\\\"urn:x\\\"><x:b c=\\\"d\\\"/></x:a></metadata>\""), "d" },
	{ "", "<genid>x</genid>", NATIVE("/domain", "\"<genid>x</genid>\""), "a" },
	{ "", "<unheard-of a='1'>x</unheard-of>", NATIVE("/domain", "\"<unheard-of a=\\\"1\\\">x</unheard-of>\""), "dd" },
	/* memory */
	{ "", "<currentMemory unit='b'>1048576</currentMemory>", "", "cc" },
	{ "", "<currentMemory unit='KiB'>512</currentMemory>", NATIVE("/domain", "\"<currentMemory unit=\\\"KiB\\\">512</currentMemory>\""), "aa" },
	{ "", "<maxMemory slots='2'>4096</maxMemory>", NATIVE("/domain", "\"<maxMemory slots=\\\"2\\\">4096</maxMemory>\""), "aa" },
	{ "", "<memtune><hard_limit unit='MB'>3</hard_limit></memtune>", RESOURCES("\"memory\":{\"limit\":3000320}"), "cc" },
	{ "", "<memtune><soft_limit>512</soft_limit></memtune>", RESOURCES("\"memory\":{\"reservation\":524288}"), "a" },
	{ "", "<memtune><swap_hard_limit unit='G'>1</swap_hard_limit></memtune>", RESOURCES("\"memory\":{\"swap\":1073741824}"), "ca" },
	{ "", "<memtune><hard_limit>9007199254740991</hard_limit></memtune>", "", "c" },
	{ "", "<memtune><min_guarantee>1</min_guarantee></memtune>", NATIVE("/domain/memtune", "\"<min_guarantee>1</min_guarantee>\""), "a" },
	{ "", "<memoryBacking><hugepages/><nosharepages/></memoryBacking>",
	  NATIVE("/domain", "\"<memoryBacking><hugepages/><nosharepages/></memoryBacking>\""), "aa" },
	/* processors */
	{ "", "<vcpu>1</vcpu>", "", "c" },
	{ "", "<vcpu placement='static' cpuset='0-3,7'>4</vcpu>", RESOURCES("\"cpu\":{\"cpus\":\"0-3,7\"}") "," NATIVE("/domain/vcpu", "\"@placement=static\",\"=4\""), "aca" },
	{ "", "<vcpu cpuset='0-3,^2'>1</vcpu>", NATIVE("/domain/vcpu", "\"@cpuset=0-3,^2\""), "dc" },
	{ "", "<vcpu placement='auto' cpuset='1'>1</vcpu>", NATIVE("/domain/vcpu", "\"@placement=auto\",\"@cpuset=1\""), "aac" },
	{ "", "<cputune><shares>2048</shares><period>50000</period><quota>25000</quota></cputune>",
	  RESOURCES("\"cpu\":{\"shares\":2048,\"quota\":25000,\"period\":50000}"), "acc" },
	{ "", "<cputune><period>0</period><quota>-1</quota></cputune>", RESOURCES("\"cpu\":{\"quota\":-1}"), "cc" },
	{ "", "<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>", NATIVE("/domain/cputune", "\"<vcpupin vcpu=\\\"0\\\" cpuset=\\\"1\\\"/>\""), "aa" },
	{ "", "<numatune><memory mode='restrictive' nodeset='0'/></numatune>", RESOURCES("\"cpu\":{\"mems\":\"0\"}"), "cc" },
	{ "", "<numatune><memory mode='strict' placement='static' nodeset='0-1'/></numatune>", RESOURCES("\"cpu\":{\"mems\":\"0-1\"}"), "acc" },
	{ "", "<numatune><memory placement='auto'/></numatune>", NATIVE("/domain/numatune", "\"<memory placement=\\\"auto\\\"/>\""), "d" },
	/* block devices */
	{ "", "<blkiotune><weight>500</weight></blkiotune>", RESOURCES("\"blockIO\":{\"weight\":500}"), "c" },
	{ "", "<blkiotune><weight>5000</weight></blkiotune>", NATIVE("/domain/blkiotune", "\"<weight>5000</weight>\""), "d" },
	{ "", "<blkiotune><device><path>/dev/block/8:0</path><read_bytes_sec>5</read_bytes_sec><write_iops_sec>6</write_iops_sec></device></blkiotune>",
	  RESOURCES("\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":5}],"
		    "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":6}]}"), "ccc" },
	{ "", "<blkiotune><device><path>/dev/sda</path><weight>100</weight></device></blkiotune>",
	  NATIVE("/domain/blkiotune", "\"<device><path>/dev/sda</path><weight>100</weight></device>\""), "dd" },
	/* place, lifecycle, what concerns machines */
	{ "", "<resource><partition>/machine/prod</partition></resource>", "\"linux\":{\"cgroupsPath\":\"/machine/prod\"}", "a" },
	{ "", "<on_poweroff>destroy</on_poweroff><on_crash>restart</on_crash>",
	  NATIVE("/domain", "\"<on_poweroff>destroy</on_poweroff>\",\"<on_crash>restart</on_crash>\""), "aa" },
	{ "", "<clock offset='utc'><timer name='rtc' present='yes'/></clock>",
	  NATIVE("/domain/clock", "\"@offset=utc\",\"<timer name=\\\"rtc\\\" present=\\\"yes\\\"/>\""), "add" },
	{ "", "<cpu mode='host-model'/>", NATIVE("/domain", "\"<cpu mode=\\\"host-model\\\"/>\""), "a" },
	/* the first process */
	{ "os", "<initarg>a b</initarg><initarg>&lt;&amp;&quot;'</initarg>", "\"process\":{\"args\":[\"/i\",\"a b\",\"<&\\\"'\"]}", "cc" },
	{ "os", "<initenv name='A'>1</initenv><initenv name='HOME'>/root</initenv>", ENV("\"PATH=/bin:/sbin\",\"TERM=linux\",\"HOME=/root\",\"A=1\""), "cccc" },
	{ "os", "<initdir>/x</initdir>", "\"process\":{\"cwd\":\"/x\"}", "c" },
	{ "os", "<inituser>+5</inituser><initgroup>6</initgroup>", "\"process\":{\"user\":{\"uid\":5,\"gid\":6}}", "cc" },
	{ "os", "<inituser>5</inituser>", "\"process\":{\"user\":{\"uid\":5,\"gid\":0}}", "c" },
	{ "os", "<inituser>0</inituser><initgroup>+0</initgroup>", "", "cc" },
	{ "os", "<inituser>www</inituser><initgroup>web</initgroup>", "\"moorage\":{\"user\":\"www:web\"}", "cc" },
	{ "os", "<inituser>www</inituser>", "\"moorage\":{\"user\":\"www:0\"}", "c" },
	{ "os", "<initgroup>web</initgroup>", "\"moorage\":{\"user\":\"0:web\"}", "c" },
	{ "os", "<cmdline>x y</cmdline>", NATIVE("/domain/os", "\"<cmdline>x y</cmdline>\""), "d" },
	/* user namespaces, capabilities, features */
	{ "", "<idmap><uid start='0' target='1000' count='10'/><gid start='0' target='2000' count='20'/></idmap>",
	  "\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],"
	  "\"gidMappings\":[{\"containerID\":0,\"hostID\":2000,\"size\":20}]}", "cccccc" },
	{ "", "<idmap><uid start='5' target='50' count='1'/><uid start='0' target='10' count='5'/><gid start='0' target='1' count='1'/></idmap>",
	  "\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":10,\"size\":5},"
	  "{\"containerID\":5,\"hostID\":50,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}", "ccccccccc" },
	{ "features", "<privnet/>", "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}", "c" },
	{ "features", "<acpi/><apic eoi='on'/>", NATIVE("/domain/features", "\"<acpi/>\",\"<apic eoi=\\\"on\\\"/>\""), "aa" },
	{ "features", "<capabilities policy='deny'><chown state='on'/><kill/></capabilities>", BOUNDING("\"CAP_CHOWN\",\"CAP_KILL\""), "ccc" },
	{ "features", "<capabilities policy='deny'/>", BOUNDING(""), "c" },
	{ "features", "<capabilities policy='deny'><mknod state='on'/></capabilities>",
	  "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_MKNOD\"]}},\"linux\":{\"resources\":{\"devices\":[" DENY
	  "{\"allow\":true,\"type\":\"a\",\"access\":\"m\"}," OWN_RULES TERMINALS "]}}", "cc" },
	{ "features", "<capabilities policy='default'/>", "", "c" },
	/* file systems */
	{ "devices", "<filesystem><source dir='/a'/><target dir='/b'/><readonly/></filesystem>",
	  MOUNTS("{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\",\"ro\"]}"), "ccc" },
	{ "devices", "<filesystem type='mount' accessmode='squash'><driver type='path'/><source dir='/a'/><target dir='/b'/>"
		     "<space_hard_limit unit='G'>1</space_hard_limit></filesystem>",
	  MOUNTS("{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\"]}") ","
	  NATIVE("/domain/devices/filesystem[2]",
		 "\"@accessmode=squash\",\"<driver type=\\\"path\\\"/>\",\"<space_hard_limit unit=\\\"G\\\">1</space_hard_limit>\""), "caaccaa" },
	{ "devices", "<filesystem type='bind'><source dir='/a'/><target dir='/b'/></filesystem>",
	  MOUNTS("{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/r/a\",\"options\":[\"bind\"]}"), "cac" },
	{ "devices", "<filesystem type='ram'><source usage='1024'/><target dir='/t'/></filesystem>",
	  MOUNTS("{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\",\"size=1048576\"]}"), "ccc" },
	{ "devices", "<filesystem type='ram'><source usage='2' units='MiB'/><target dir='/dev'/><readonly/></filesystem>",
	  MOUNTS("{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\",\"size=2097152\",\"ro\"]}"), "ccccc" },
	{ "devices", "<filesystem type='block'><source dev='/dev/sda'/><target dir='/t'/></filesystem>",
	  NATIVE("/domain/devices", "\"<filesystem type=\\\"block\\\"><source dev=\\\"/dev/sda\\\"/><target dir=\\\"/t\\\"/></filesystem>\""), "ddd" },
	{ "devices", "<filesystem type='file'><driver type='loop' format='raw'/><source file='/i'/><target dir='/t'/></filesystem>",
	  NATIVE("/domain/devices", "\"<filesystem type=\\\"file\\\"><driver type=\\\"loop\\\" format=\\\"raw\\\"/><source file=\\\"/i\\\"/>"
				    "<target dir=\\\"/t\\\"/></filesystem>\""), "ddddd" },
	/* networks */
	{ "devices", "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='h0'/><guest dev='c0'/>"
		     "<link state='up'/></interface>",
	  NETWORKS("{\"type\":\"veth\",\"link\":\"br0\",\"pair\":\"h0\",\"name\":\"c0\",\"hwaddr\":\"52:54:00:00:00:01\",\"up\":true}"), "cccccc" },
	{ "devices", "<interface type='network'><source network='default'/><target dev='vnet3'/></interface><interface type='ethernet'/>",
	  NETWORKS("{\"type\":\"veth\",\"zone\":\"default\",\"name\":\"eth0\"},{\"type\":\"veth\",\"name\":\"eth1\"}"), "ccac" },
	{ "devices", "<interface type='direct'><source dev='e0' mode='passthrough'/></interface>",
	  NETWORKS("{\"type\":\"macvlan\",\"link\":\"e0\",\"mode\":\"passthru\",\"name\":\"eth0\"}"), "ccc" },
	{ "devices", "<interface type='direct'><source dev='e0'/></interface>",
	  NETWORKS("{\"type\":\"macvlan\",\"link\":\"e0\",\"mode\":\"vepa\",\"name\":\"eth0\"}"), "cc" },
	{ "devices", "<interface type='bridge'><source bridge='b'/><ip address='10.0.0.2' family='ipv4' prefix='24'/><ip address='172.16.0.1'/>"
		     "<ip address='fd00::2'/><route family='ipv4' address='0.0.0.0' gateway='10.0.0.1'/>"
		     "<route family='ipv6' address='::' prefix='0' gateway='fd00::1'/></interface>",
	  NETWORKS("{\"type\":\"veth\",\"link\":\"b\",\"name\":\"eth0\",\"addresses\":[\"10.0.0.2/24\",\"172.16.0.1/16\",\"fd00::2/64\"],"
		   "\"gateway4\":\"10.0.0.1\",\"gateway6\":\"fd00::1\",\"up\":true}"), "cccccccccccccc" },
	{ "devices", "<interface type='bridge'><source bridge='b'/><filterref filter='f'/><bandwidth><inbound average='1'/></bandwidth></interface>",
	  "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"moorage\":{\"networks\":[{\"type\":\"veth\",\"link\":\"b\",\"name\":\"eth0\"}],"
	  "\"native\":{\"libvirt\":{\"/domain/devices/interface[1]\":[\"<filterref filter=\\\"f\\\"/>\","
	  "\"<bandwidth><inbound average=\\\"1\\\"/></bandwidth>\"]}}}", "ccwd" },
	{ "devices", "<interface type='user'/>",
	  "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}," NATIVE("/domain/devices", "\"<interface type=\\\"user\\\"/>\""), "d" },
	{ "devices", "<hostdev mode='capabilities' type='net'><source><interface>e0</interface></source></hostdev>",
	  NETWORKS("{\"type\":\"phys\",\"link\":\"e0\"}"), "ccc" },
	/* devices */
	{ "devices", "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>",
	  "\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/net/tun\",\"major\":10,\"minor\":200,\"fileMode\":448}],\"resources\":{\"devices\":["
	  DENY OWN_RULES CHAR(10, 200) TERMINALS "]}}", "ccc" },
	{ "devices", "<hostdev mode='capabilities' type='storage'><source><block>/dev/sdf1</block></source></hostdev>",
	  NATIVE("/domain/devices", "\"<hostdev mode=\\\"capabilities\\\" type=\\\"storage\\\"><source><block>/dev/sdf1</block></source></hostdev>\""), "ddd" },
	{ "devices", "<hostdev mode='subsystem' type='usb'><source><vendor id='1'/></source></hostdev>",
	  NATIVE("/domain/devices", "\"<hostdev mode=\\\"subsystem\\\" type=\\\"usb\\\"><source><vendor id=\\\"1\\\"/></source></hostdev>\""), "ddd" },
	{ "devices", "<disk type='block'/>", NATIVE("/domain/devices", "\"<disk type=\\\"block\\\"/>\""), "d" },
	{ "devices", "<console type='pty' tty='/dev/pts/2'/>", NATIVE("/domain/devices", "\"<console type=\\\"pty\\\" tty=\\\"/dev/pts/2\\\"/>\""), "dd" },
	{ "devices", "<emulator>/usr/lib/libvirt_lxc</emulator>", NATIVE("/domain/devices", "\"<emulator>/usr/lib/libvirt_lxc</emulator>\""), "a" },
	{ "devices", "<emulator>/opt/own</emulator>", NATIVE("/domain/devices", "\"<emulator>/opt/own</emulator>\""), "d" },
	/* labels, namespaces of others */
	{ "", "<seclabel type='static' model='apparmor' relabel='no'><label>p</label></seclabel>", "\"process\":{\"apparmorProfile\":\"p\"}", "cccc" },
	{ "", "<seclabel type='static' model='selinux'><label>l</label></seclabel>", "\"process\":{\"selinuxLabel\":\"l\"}", "ccc" },
	{ "", "<seclabel type='none'/>", NATIVE("/domain", "\"<seclabel type=\\\"none\\\"/>\""), "a" },
	{ "", "<seclabel type='dynamic' model='apparmor'/>", NATIVE("/domain", "\"<seclabel type=\\\"dynamic\\\" model=\\\"apparmor\\\"/>\""), "ww" },
	{ "", "<lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'><lxc:sharenet type='netns' value='blue'/>"
	      "<lxc:shareuts type='pid' value='12'/></lxc:namespace>",
	  "\"linux\":{\"namespaces\":[{\"type\":\"uts\",\"path\":\"/proc/12/ns/uts\"},{\"type\":\"network\",\"path\":\"/run/netns/blue\"}]}", "cccc" },
};

static struct mrg_spec *plain_spec(void)
{
	_cleanup_free_ char *text = domain_with("", "");

	return read_domain(text, NULL);
}

/* The plain spec, with every field that @json names as it is there. */
static struct mrg_spec *plain_spec_with(const char *json)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *spec = plain_spec(), *other;

	assert_true(asprintf(&text, "{%s}", json) > 0);
	other = spec_of(text);
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (mrg_fields_has(&other->set, i)) {
			assert_int_equal(spec_copy_value(spec, &spec_fields[i].value, spec, other), 0);
			mrg_fields_add(&spec->set, i);
		}
	mrg_spec_free(other);
	return spec;
}

static void assert_verdicts(const char *report, const struct element *element)
{
	size_t n = 0, wanted = strlen(element->report);

	for (const char *line = report; line && *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, "2 ", 2) == 0) {
			if (n >= wanted || line[2] != element->report[n])
				fail_msg("%s\n%swanted %s", element->xml, report, element->report);
			n++;
		}
	if (n != wanted)
		fail_msg("%s\n%swanted %s", element->xml, report, element->report);
}

/* Overlays in @json that name one object twice are merged by reading them in two steps. */
static struct mrg_spec *wanted_spec(const struct element *element)
{
	const char *second = strstr(element->json, ",\"moorage\":{\"native\"");
	_cleanup_free_ char *first = strndup(element->json, second ? (size_t)(second - element->json) : strlen(element->json));
	struct mrg_spec *spec = plain_spec_with(first);

	if (second) {
		struct mrg_spec *native = plain_spec_with(second + 1);

		assert_int_equal(mrg_spec_set(spec, MRG_FIELD_NATIVE, native->native_json, NULL), 0);
		mrg_spec_free(native);
	}
	return spec;
}

static void test_elements(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
		_cleanup_free_ char *text = domain_with(elements[i].place, elements[i].xml);
		struct mrg_spec *wanted = wanted_spec(&elements[i]), *spec;
		struct buffer report = { 0 };

		spec = read_domain(text, &report);
		assert_same(spec, wanted, elements[i].xml);
		assert_verdicts(report.text, &elements[i]);
		assert_domain_stable(spec);
		buffer_deinit(&report);
		mrg_spec_free(spec);
		mrg_spec_free(wanted);
	}
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

/* Elements of the domain and of <os> stand once, devices as often as one likes. */
static char *random_domain(uint64_t *seed)
{
	struct buffer b[4] = { { 0 } };
	static const char *const places[] = { "", "os", "features", "devices" };
	struct buffer all = { 0 };

	for (size_t i = 0; i < 4; i++)
		buffer_add(&b[i], "", 0);
	for (int i = 0; i < 12; i++) {
		const struct element *element;
		size_t place = 0;
		char tag[64];

		*seed ^= *seed << 13;
		*seed ^= *seed >> 7;
		*seed ^= *seed << 17;
		element = &elements[*seed % ARRAY_SIZE(elements)];
		while (strcmp(places[place], element->place) != 0)
			place++;
		snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(element->xml, " />") ? (int)strcspn(element->xml + 1, " />") + 1 : 0, element->xml);
		if (*tag && (place == 3 || count(b[place].text, tag) == 0))
			buffer_addf(&b[place], "%s\n", element->xml);
	}
	buffer_addf(&all, "<domain type='lxc'><name>n</name><memory>1024</memory>%s<os><type>exe</type><init>/i</init>%s</os><features>%s</features>"
			  "<devices><filesystem type='mount'><source dir='/r'/><target dir='/'/></filesystem><console type='pty'/>%s</devices></domain>",
		    b[0].text, b[1].text, b[2].text, b[3].text);
	for (size_t i = 0; i < 4; i++)
		buffer_deinit(&b[i]);
	return all.text;
}

static void test_combinations_are_stable(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	int read = 0;

	(void)state;
	for (int round = 0; round < 500; round++) {
		_cleanup_free_ char *text = random_domain(&seed);
		struct mrg_spec *spec;

		/* libvirt refuses these. */
		if (strstr(text, "sharenet") && (strstr(text, "<interface") || strstr(text, "<privnet") || strstr(text, "type='net'")))
			continue;
		spec = read_domain(text, NULL);
		assert_domain_stable(spec);
		mrg_spec_free(spec);
		read++;
	}
	assert_true(read > 300);
}

/* Attributes, and elements with nothing below them. */
static size_t count_leaves(const char *text)
{
	size_t n = 0;
	bool open = false;		/* the last tag began an element, and none has begun in it */

	for (const char *at = text; (at = strchr(at, '<')); at++) {
		const char *end = strchr(at, '>');
		bool closing = at[1] == '/', empty = end[-1] == '/';
		size_t attributes = 0;

		for (const char *c = at; c < end; c++)
			attributes += *c == '=' && (c[1] == '\'' || c[1] == '"') && c[-1] != ':';
		n += attributes;
		n += empty && attributes == 0;
		n += closing && open;
		open = !closing && !empty;
	}
	return n;
}

static void test_every_leaf_once(void **state)
{
	uint64_t seed = 1234567;

	(void)state;
	for (int round = 0; round < 200; round++) {
		_cleanup_free_ char *text = random_domain(&seed);
		struct buffer report = { 0 };
		struct mrg_spec *spec;

		if (strstr(text, "lxc:") || strstr(text, "xmlns"))
			continue;
		spec = read_domain(text, &report);
		if (count(report.text, "\n") != count_leaves(text))
			fail_msg("%zu rows of %zu leaves:\n%s\n%s", count(report.text, "\n"), count_leaves(text), text, report.text);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

static void test_every_field_once(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 400; seed++) {
		struct mrg_spec *spec = random_spec(seed), *second;
		struct buffer report = { 0 };
		_cleanup_free_ char *text = write_domain(spec, &report);
		size_t fields = 0;

		for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
			fields += (size_t)__builtin_popcountll(spec->set.word[i]);
		assert_int_equal(count(report.text ? report.text : "", "\n"), fields);
		/* What was written is a domain, and from then on nothing changes any more. */
		second = read_domain(text, NULL);
		assert_domain_stable(second);
		buffer_deinit(&report);
		mrg_spec_free(second);
		mrg_spec_free(spec);
	}
}

/* ---- writing ---------------------------------------------------------------- */

struct written {
	const char *json;
	const char *xml;		/* somewhere in the text, without blanks between elements; NULL: do not look */
	const char *report;		/* of these fields, in the order of the report */
};

static const struct written writings[] = {
	{ "\"hostname\":\"web\"", "<name>web</name>", "carried /hostname\n" },
	{ "\"hostname\":\"web.example\"", "<name>web.example</name>", "approximated /hostname\n" },
	{ "\"hostname\":\"a\",\"annotations\":{\"org.libvirt.name\":\"b\"}", "<name>b</name>", "approximated /hostname\ncarried /annotations\n" },
	{ "\"annotations\":{\"x\":\"y\"}", "<name>moorage</name>", "dropped /annotations\n" },
	{ "", "<memory unit=\"KiB\">9007199254740991</memory>", "" },
	{ RESOURCES("\"memory\":{\"limit\":1025,\"reservation\":-1,\"swap\":2048}"),
	  "<memory unit=\"KiB\">1</memory><memtune><swap_hard_limit unit=\"KiB\">2</swap_hard_limit></memtune>",
	  "approximated /linux/resources/memory/limit\ncarried /linux/resources/memory/reservation\napproximated /linux/resources/memory/swap\n" },
	{ RESOURCES("\"cpu\":{\"quota\":500}"), NULL, "dropped /linux/resources/cpu/quota\n" },
	{ RESOURCES("\"cpu\":{\"cpus\":\"all\"}"), NULL, "dropped /linux/resources/cpu/cpus\n" },
	{ "\"linux\":{\"cgroupsPath\":\"machine.slice:a:b\"}", NULL, "dropped /linux/cgroupsPath\n" },
	{ "\"process\":{\"args\":[\"/a\",\"\"]}", "<init>/sbin/init</init>", "dropped /process/args\n" },
	{ "\"process\":{\"args\":[\"sh\"]}", "<init>sh</init>", "approximated /process/args\n" },
	{ "\"moorage\":{\"boot\":true}", "<init>/sbin/init</init>", "approximated /moorage/boot\n" },
	{ ENV("\"A=\""), NULL, "dropped /process/env\n" },
	{ ENV("\"HOME=/\",\"PATH=/bin:/sbin\",\"TERM=vt\""), "<initenv name=\"TERM\">vt</initenv>", "carried /process/env\n" },
	{ ENV("\"A=1\""), "<initenv name=\"A\">1</initenv>", "approximated /process/env\n" },
	{ "\"process\":{\"cwd\":\"x\"}", NULL, "dropped /process/cwd\n" },
	{ "\"process\":{\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]}}",
	  "<inituser>+5</inituser><initgroup>+6</initgroup>",
	  "carried /process/user/uid\ncarried /process/user/gid\ndropped /process/user/additionalGids\n" },
	{ "\"process\":{\"user\":{\"uid\":0,\"gid\":0}}", "<init>/sbin/init</init></os>", "carried /process/user/uid\ncarried /process/user/gid\n" },
	{ "\"process\":{\"user\":{\"uid\":5},\"capabilities\":{\"bounding\":[\"CAP_SETUID\",\"CAP_SETGID\"]}}", "<inituser>+5</inituser>",
	  "dropped /process/user/uid\ncarried /process/capabilities/bounding\n" },
	{ "\"moorage\":{\"user\":\"www\"}", "<inituser>www</inituser></os>", "approximated /moorage/user\n" },
	{ "\"process\":{\"terminal\":false}", "<console type=\"pty\"/>", "approximated /process/terminal\n" },
	{ "\"root\":{\"path\":\"r\",\"readonly\":true}", NULL, "weakens /root/path\nweakens /root/readonly\n" },
	{ "\"root\":{\"path\":\"/r\",\"readonly\":true}",
	  "<filesystem type=\"mount\"><source dir=\"/r\"/><target dir=\"/\"/><readonly/></filesystem>", "carried /root/path\ncarried /root/readonly\n" },
	{ "\"mounts\":[{\"destination\":\"/b\",\"source\":\"/a\",\"options\":[\"rbind\",\"rprivate\"]}]",
	  "<filesystem type=\"mount\"><source dir=\"/a\"/><target dir=\"/b\"/></filesystem>", "approximated /mounts\n" },
	{ "\"mounts\":[{\"destination\":\"/b\",\"source\":\"/a\",\"options\":[\"bind\",\"nosuid\"]}]", NULL, "weakens /mounts\n" },
	{ "\"mounts\":[{\"destination\":\"/b\",\"source\":\"/a\",\"type\":\"ext4\"}]", NULL, "dropped /mounts\n" },
	{ "\"mounts\":[{\"destination\":\"/run\",\"type\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\",\"mode=755\",\"size=1m\"]}]",
	  "<source usage=\"1048576\" units=\"bytes\"/>", "weakens /mounts\n" },
	{ "\"mounts\":[{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\"]}]", "<source usage=\"0\" units=\"bytes\"/>",
	  "approximated /mounts\n" },
	{ "\"mounts\":[{\"destination\":\"/sys\",\"type\":\"sysfs\"}]", "<devices><console", "approximated /mounts\n" },
	{ "\"linux\":{\"readonlyPaths\":[\"/proc/sys\",\"/sys/firmware\"],\"maskedPaths\":[\"/proc/kcore\"]}", NULL,
	  "carried /linux/readonlyPaths\nweakens /linux/maskedPaths\n" },
	{ "\"linux\":{\"readonlyPaths\":[\"/proc/bus\"]}", NULL, "weakens /linux/readonlyPaths\n" },
	{ "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_BPF\"],\"effective\":[\"CAP_KILL\",\"CAP_BPF\"],\"permitted\":[]}}",
	  "<capabilities policy=\"deny\"><kill state=\"on\"/></capabilities>",
	  "approximated /process/capabilities/bounding\ncarried /process/capabilities/effective\nweakens /process/capabilities/permitted\n" },
	{ "\"process\":{\"user\":{\"uid\":1},\"capabilities\":{\"effective\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"],\"inheritable\":[]}}", NULL,
	  "carried /process/user/uid\ndropped /process/capabilities/effective\ncarried /process/capabilities/inheritable\ndropped /process/capabilities/ambient\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":1,\"hostID\":1,\"size\":1}]}", NULL,
	  "weakens /linux/namespaces/user\nweakens /linux/uidMappings\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}", "<features><privnet/></features>", "carried /linux/namespaces/network\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/x\"}]}", "<features><privnet/></features>", "dropped /linux/namespaces/network\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"ipc\",\"path\":\"/proc/7/ns/ipc\"}]}", "<lxc:shareipc type=\"pid\" value=\"7\"/>",
	  "carried /linux/namespaces/ipc\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"},{\"type\":\"time\"}]}", NULL,
	  "carried /linux/namespaces/pid\ncarried /linux/namespaces/mount\nweakens /linux/namespaces/cgroup\nweakens /linux/namespaces/time\n" },
	{ NETWORKS("{\"type\":\"veth\",\"mtu\":1400}"), "<interface type=\"ethernet\"/>", "dropped /moorage/networks\ncarried /linux/namespaces/network\n" },
	{ NETWORKS("{\"type\":\"macvlan\",\"link\":\"e\"}"), "<source dev=\"e\" mode=\"vepa\"/>",
	  "approximated /moorage/networks\ncarried /linux/namespaces/network\n" },
	{ NETWORKS("{\"type\":\"ipvlan\",\"link\":\"e\"}"), "<privnet/>", "dropped /moorage/networks\ncarried /linux/namespaces/network\n" },
	{ NETWORKS("{\"type\":\"empty\"}"), "<privnet/>", "carried /moorage/networks\ncarried /linux/namespaces/network\n" },
	{ NETWORKS("{\"type\":\"veth\",\"gateway4\":\"auto\"}"), NULL, "dropped /moorage/networks\ncarried /linux/namespaces/network\n" },
	{ "\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/null\",\"major\":1,\"minor\":3}]}", "<devices><console", "carried /linux/devices\n" },
	{ "\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/kvm\",\"major\":10,\"minor\":232}]}", "<char>/dev/kvm</char>", "approximated /linux/devices\n" },
	{ "\"linux\":{\"devices\":[{\"type\":\"b\",\"path\":\"/dev/kvm\",\"major\":8,\"minor\":0}]}", NULL, "dropped /linux/devices\n" },
	{ RESOURCES("\"devices\":[" DENY CHAR(1, 3) TERMINALS "]"), NULL, "approximated /linux/resources/devices\n" },
	{ RESOURCES("\"devices\":[" DENY OWN_RULES CHAR(9, 9) TERMINALS "]"), NULL, "dropped /linux/resources/devices\n" },
	{ BOUNDING("\"CAP_MKNOD\"") "," RESOURCES("\"devices\":[" DENY TERMINALS "]"), NULL,
	  "carried /process/capabilities/bounding\nweakens /linux/resources/devices\n" },
	{ "\"process\":{\"noNewPrivileges\":true},\"moorage\":{\"ephemeral\":false,\"seccompProfile\":\"default\"}", NULL,
	  "carried /moorage/ephemeral\nweakens /moorage/seccompProfile\nweakens /process/noNewPrivileges\n" },
	{ "\"linux\":{\"personality\":{\"domain\":\"LINUX32\"}}", "<type arch=\"i686\">exe</type>", "approximated /linux/personality\n" },
	{ "\"moorage\":{\"native\":{\"lxc\":{\"a\":[\"b\"]}}}", NULL, "dropped /moorage/native\n" },
	{ NATIVE("/domain/devices/interface[1]", "\"<filterref/>\""), NULL, "dropped /moorage/native\n" },
	{ NATIVE("/domain/pm", "\"<suspend-to-mem enabled='no'/>\""), "<pm><suspend-to-mem enabled=\"no\"/></pm>", "carried /moorage/native\n" },
};

/* Takes the blanks between elements away. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\n' && from[1 + strspn(from + 1, " ")] == '<') {
			from += strspn(from + 1, " ");
			continue;
		}
		*to++ = *from;
	}
	*to = '\0';
}

/* "carried /hostname" of "0 carried /hostname name". */
static char *short_report(const char *report)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	for (const char *line = report ? report : ""; *line; line = strchr(line, '\n') + 1) {
		const char *verdict = strchr(line, ' ') + 1, *end = strchr(strchr(verdict, ' ') + 1, ' ');

		buffer_addf(&b, "%.*s\n", (int)(end - verdict), verdict);
	}
	return b.text;
}

static void test_writing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writings); i++) {
		_cleanup_free_ char *json = NULL, *text = NULL, *rows = NULL;
		struct buffer report = { 0 };
		struct mrg_spec *spec;

		assert_true(asprintf(&json, "{%s}", writings[i].json) > 0);
		spec = spec_of(json);
		text = write_domain(spec, &report);
		squeeze(text);
		rows = short_report(report.text);
		if (writings[i].xml && !strstr(text, writings[i].xml))
			fail_msg("%s\nwas written as\n%s\nwithout\n%s", json, text, writings[i].xml);
		if (strcmp(rows, writings[i].report) != 0)
			fail_msg("%s\n%swanted\n%s", json, report.text, writings[i].report);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

/* A name of its own, as a backend gives it, and nothing else changes. */
static void test_name(void **state)
{
	struct mrg_spec *spec = plain_spec();
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ANNOTATIONS, "org.libvirt.name=web", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ANNOTATIONS, "org.libvirt.uuid=00000000-0000-0000-0000-000000000001", NULL), 0);
	text = write_domain(spec, NULL);
	assert_non_null(strstr(text, "<name>web</name>"));
	assert_non_null(strstr(text, "<uuid>00000000-0000-0000-0000-000000000001</uuid>"));
	mrg_spec_free(spec);
}

/* Whatever stands in a spec, it becomes no element. */
static void test_no_injection(void **state)
{
	static const char evil[] = "x'\"><init>/evil</init><!-- ";
	static const enum mrg_field fields[] = { MRG_FIELD_HOSTNAME, MRG_FIELD_ARGS, MRG_FIELD_USER, MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_CPUSET_CPUS };
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_mount mount = { .destination = "/x'><init>/evil</init>", .source = "/y<init>/evil</init>", .type = "bind" };
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(mrg_spec_set(spec, fields[i], evil, NULL), 0);
	mrg_spec_set(spec, MRG_FIELD_ENV, "A=<init>/evil</init>", NULL);
	mrg_spec_set(spec, MRG_FIELD_ANNOTATIONS, "org.libvirt.title=<init>/evil</init>", NULL);
	mrg_spec_set(spec, MRG_FIELD_NATIVE, "{\"libvirt\":{\"/domain\":[\"@x=<init>/evil</init>\",\"=<init>/evil</init>\",\"<a/><init>/evil</init>\"],"
					     "\"/domain/os/<init>/evil</init>\":[\"<b/>\"]}}", NULL);
	mrg_spec_add_mount(spec, &mount, NULL);
	text = write_domain(spec, NULL);
	assert_int_equal(count(text, "<init>"), 1);
	assert_null(strstr(text, "<init>/evil"));
	mrg_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements), cmocka_unit_test(test_combinations_are_stable), cmocka_unit_test(test_every_leaf_once),
		cmocka_unit_test(test_every_field_once), cmocka_unit_test(test_writing), cmocka_unit_test(test_name), cmocka_unit_test(test_no_injection),
	};

	return cmocka_run_group_tests(tests, libvirt_setup, NULL);
}
