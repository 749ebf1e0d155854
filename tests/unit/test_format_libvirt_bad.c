/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML that is broken, or means harm. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "tests/unit/libvirt_fixture.h"

struct bad {
	const char *place, *xml, *message;
};

#define IN(path, rule)	"line 2: /domain/" path ": " rule

static const struct bad bad[] = {
	{ "", "<uuid>12</uuid>", IN("uuid", "must be a UUID, not '12'") },
	{ "", "<uuid/>", IN("uuid", "is empty") },
	{ "", "<title>a&#10;b</title>", IN("title", "must be one line") },
	{ "", "<description>a<b/></description>", IN("description", "has text between its elements") },
	{ "", "<currentMemory unit='parsec'>1</currentMemory>", IN("currentMemory/@unit", "must be a unit such as KiB, MiB or bytes, not 'parsec'") },
	{ "", "<currentMemory>much</currentMemory>", IN("currentMemory", "must be a number from 0 to 18446744073709551615, not 'much'") },
	{ "", "<currentMemory>-1</currentMemory>", IN("currentMemory", "must be a number from 0 to 18446744073709551615, not '-1'") },
	{ "", "<currentMemory unit='EiB'>9</currentMemory>", IN("currentMemory", "is too large") },
	{ "", "<currentMemory>18446744073709551616</currentMemory>", IN("currentMemory", "must be a number from 0 to 18446744073709551615, not '18446744073709551616'") },
	{ "", "<memtune><hard_limit>0</hard_limit></memtune>", IN("memtune/hard_limit", "must be more than nothing") },
	{ "", "<memtune><soft_limit/></memtune>", IN("memtune/soft_limit", "is empty") },
	{ "", "<memtune/><memtune><soft_limit>1</soft_limit></memtune>", IN("memtune[2]", "is there twice") },
	{ "", "<vcpu>0</vcpu>", IN("vcpu", "must be a number from 1 to 4294967295, not '0'") },
	{ "", "<vcpu>one</vcpu>", IN("vcpu", "must be a number from 1 to 4294967295, not 'one'") },
	{ "", "<vcpu cpuset=''>1</vcpu>", IN("vcpu/@cpuset", "is empty") },
	{ "", "<cputune><shares>1</shares></cputune>", IN("cputune/shares", "must be a number from 2 to 262144, not '1'") },
	{ "", "<cputune><period>999</period></cputune>", IN("cputune/period", "must be a number from 1000 to 1000000, not '999'") },
	{ "", "<cputune><quota>5</quota></cputune>", IN("cputune/quota", "must be a number from 1000 to 17592186044415, not '5'") },
	{ "", "<cputune><quota>-x</quota></cputune>", IN("cputune/quota", "must be a number from 1000 to 17592186044415, not '-x'") },
	{ "", "<blkiotune><weight>10001</weight></blkiotune>", IN("blkiotune/weight", "must be a number from 0 to 10000, not '10001'") },
	{ "", "<blkiotune><device><weight>5</weight></device></blkiotune>", IN("blkiotune/device", "has no element 'path'") },
	{ "", "<blkiotune><device><path>/dev/block/8:0</path><read_iops_sec>4294967296</read_iops_sec></device></blkiotune>",
	  IN("blkiotune/device/read_iops_sec", "must be a number from 0 to 4294967295, not '4294967296'") },
	{ "", "<numatune><memory mode='lax' nodeset='0'/></numatune>",
	  IN("numatune/memory/@mode", "must be restrictive, strict, preferred or interleave, not 'lax'") },
	{ "", "<numatune><memory nodeset=''/></numatune>", IN("numatune/memory/@nodeset", "is empty") },
	{ "", "<resource><partition>machine</partition></resource>", IN("resource/partition", "must be an absolute path without '..', not 'machine'") },
	{ "", "<idmap><uid start='0' target='1'/></idmap>", IN("idmap/uid", "has no attribute 'count'") },
	{ "", "<idmap><uid start='0' target='1' count='0'/></idmap>", IN("idmap/uid/@count", "must be a number from 1 to 4294967295, not '0'") },
	{ "", "<idmap><uid start='x' target='1' count='1'/></idmap>", IN("idmap/uid/@start", "must be a number from 0 to 4294967294, not 'x'") },
	{ "", "<idmap><uid start='0' target='1' count='1'/></idmap>", IN("idmap", "maps users or groups, and libvirt wants both") },
	{ "", "<idmap><uid start='100000' target='0' count='1'/><gid start='0' target='1' count='1'/></idmap>",
	  IN("idmap", "must map root, the 0 of the container") },
	{ "os", "<initarg/>", IN("os/initarg", "is empty") },
	{ "os", "<initarg>a<!-- b -->c</initarg>", IN("os/initarg", "must hold text and nothing else") },
	{ "os", "<initenv>1</initenv>", IN("os/initenv", "has no attribute 'name'") },
	{ "os", "<initenv name='A'/>", IN("os/initenv", "is empty") },
	{ "os", "<initenv name='A=B'>1</initenv>", IN("os/initenv/@name", "must be the name of a variable, not 'A=B'") },
	{ "os", "<initdir>x</initdir>", IN("os/initdir", "must be an absolute path without '..', not 'x'") },
	{ "os", "<initdir>/a/../b</initdir>", IN("os/initdir", "must be an absolute path without '..', not '/a/../b'") },
	{ "os", "<inituser>a:b</inituser>", IN("os/inituser", "must be a name, a number or +NUMBER, not 'a:b'") },
	{ "os", "<inituser/>", IN("os/inituser", "is empty") },
	{ "features", "<privnet><a/></privnet>", IN("features/privnet", "must be empty") },
	{ "features", "<capabilities policy='some'/>", IN("features/capabilities/@policy", "must be default, allow or deny, not 'some'") },
	{ "features", "<capabilities><fly state='on'/></capabilities>", IN("features/capabilities/fly", "is no capability that libvirt knows") },
	{ "features", "<capabilities><KILL/></capabilities>", IN("features/capabilities/KILL", "is no capability that libvirt knows") },
	{ "features", "<capabilities><bpf/></capabilities>", IN("features/capabilities/bpf", "is no capability that libvirt knows") },
	{ "features", "<capabilities><kill state='maybe'/></capabilities>", IN("features/capabilities/kill/@state", "must be on or off, not 'maybe'") },
	{ "devices", "<filesystem type='cloud'/>",
	  IN("devices/filesystem[2]/@type", "must be mount, bind, ram, block, file, template or volume, not 'cloud'") },
	{ "devices", "<filesystem type='mount'><source dir='/a'/></filesystem>", IN("devices/filesystem[2]", "has no element 'target'") },
	{ "devices", "<filesystem><target dir='/a'/></filesystem>", IN("devices/filesystem[2]", "has no element 'source'") },
	{ "devices", "<filesystem><source file='/a'/><target dir='/a'/></filesystem>", IN("devices/filesystem[2]/source", "has no attribute 'dir'") },
	{ "devices", "<filesystem><source dir='a'/><target dir='/a'/></filesystem>",
	  IN("devices/filesystem[2]/source/@dir", "must be an absolute path without '..', not 'a'") },
	{ "devices", "<filesystem><source dir='/a'/><target dir='a'/></filesystem>",
	  IN("devices/filesystem[2]/target/@dir", "must be an absolute path without '..', not 'a'") },
	{ "devices", "<filesystem><source dir='/a'/><target dir='/'/></filesystem>", IN("devices/filesystem[2]", "is a second root") },
	{ "devices", "<filesystem><source dir='/a'/><target dir='/a'/><readonly>no</readonly></filesystem>",
	  IN("devices/filesystem[2]/readonly", "must be empty") },
	{ "devices", "<filesystem type='ram'><source/><target dir='/a'/></filesystem>", IN("devices/filesystem[2]/source", "has no attribute 'usage'") },
	{ "devices", "<filesystem type='ram'><source usage='all'/><target dir='/a'/></filesystem>",
	  IN("devices/filesystem[2]/source/@usage", "must be a number from 0 to 18446744073709551615, not 'all'") },
	{ "devices", "<filesystem type='ram'><source usage='1' units='cups'/><target dir='/a'/></filesystem>",
	  IN("devices/filesystem[2]/source/@units", "must be a unit such as KiB, MiB or bytes, not 'cups'") },
	{ "devices", "<filesystem type='ram'><source usage='18446744073709551615'/><target dir='/a'/></filesystem>",
	  IN("devices/filesystem[2]/source/@usage", "is too large") },
	{ "devices", "<interface type='bridge'/>", IN("devices/interface", "has no 'source' with an attribute 'bridge'") },
	{ "devices", "<interface type='direct'><source dev='e' mode='odd'/></interface>",
	  IN("devices/interface/source/@mode", "must be vepa, private, bridge or passthrough, not 'odd'") },
	{ "devices", "<interface type='ethernet'><mac address='52:54:00:+2:4:56'/></interface>",
	  IN("devices/interface/mac/@address", "must be a MAC address, not '52:54:00:+2:4:56'") },
	{ "devices", "<interface type='ethernet'><mac address='52:54'/></interface>", IN("devices/interface/mac/@address", "must be a MAC address, not '52:54'") },
	{ "devices", "<interface type='ethernet'><mac address='01:54:00:00:00:00'/></interface>",
	  IN("devices/interface/mac/@address", "must be the address of one device, not of many") },
	{ "devices", "<interface type='ethernet'><link state='sideways'/></interface>",
	  IN("devices/interface/link/@state", "must be up or down, not 'sideways'") },
	{ "devices", "<interface type='ethernet'><ip/></interface>", IN("devices/interface/ip", "has no attribute 'address'") },
	{ "devices", "<interface type='ethernet'><ip address='10.0.0.256'/></interface>",
	  IN("devices/interface/ip/@address", "must be an address of its family, not '10.0.0.256'") },
	{ "devices", "<interface type='ethernet'><ip address='10.0.0.1' family='ipv6'/></interface>",
	  IN("devices/interface/ip/@address", "must be an address of its family, not '10.0.0.1'") },
	{ "devices", "<interface type='ethernet'><ip address='10.0.0.1' prefix='33'/></interface>",
	  IN("devices/interface/ip/@prefix", "must be a number from 0 to 32, not '33'") },
	{ "devices", "<interface type='ethernet'><route address='0.0.0.0'/></interface>", IN("devices/interface/route", "has no attribute 'gateway'") },
	{ "devices", "<interface type='ethernet'><route address='0.0.0.0' gateway='::1'/></interface>",
	  IN("devices/interface/route", "must have addresses of its family, not '::1'") },
	{ "devices", "<filesystem>source dir='/a'/><target dir='/a'/></filesystem>", IN("devices/filesystem[2]", "has text between its elements") },
	{ "devices", "<hostdev mode='capabilities'/>", IN("devices/hostdev", "has no attribute 'type'") },
	{ "devices", "<hostdev mode='capabilities' type='odd'/>", IN("devices/hostdev/@type", "must be net, misc or storage, not 'odd'") },
	{ "devices", "<hostdev mode='capabilities' type='misc'/>", IN("devices/hostdev", "has no element 'source/char'") },
	{ "devices", "<hostdev mode='capabilities' type='net'><source/></hostdev>", IN("devices/hostdev", "has no element 'source/interface'") },
	{ "", "<seclabel type='static' model='apparmor'><label/></seclabel>", IN("seclabel/label", "is empty") },
	{ "", "<lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'><lxc:sharenet type='pid'/></lxc:namespace>",
	  IN("lxc:namespace/lxc:sharenet", "has no attribute 'value'") },
	{ "", "<lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'><lxc:shareipc type='netns' value='x'/></lxc:namespace>",
	  IN("lxc:namespace/lxc:shareipc/@type", "'netns' is a name of network namespaces only") },
	{ "", "<lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'><lxc:sharenet type='netns' value='../x'/></lxc:namespace>",
	  IN("lxc:namespace/lxc:sharenet/@value", "must be a process or a name, not '../x'") },
	{ "", "<features><privnet/></features><lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'><lxc:sharenet type='pid' value='1'/></lxc:namespace>",
	  "line 1: /domain: joins a network namespace and has a network of its own" },
	/* what is no XML */
	{ "", "<a>", "line 3: the domain is no XML: Opening and ending tag mismatch: a line 2 and domain" },
	{ "", "<a b=c/>", "line 2: the domain is no XML: AttValue: \" or ' expected" },
	{ "", "<a b='1' b='2'/>", "line 2: the domain is no XML: Attribute b redefined" },
	{ "", "&nothing;", "line 2: the domain is no XML: Entity 'nothing' not defined" },
	{ "", "\001", "line 2: the domain is no XML: PCDATA invalid Char value 1" },
	{ "", "&#0;", "line 2: the domain is no XML: xmlParseCharRef: invalid xmlChar value 0" },
};

static void test_bad_elements(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = domain_with(bad[i].place, bad[i].xml);

		assert_domain_refused(text, strlen(text), bad[i].message);
	}
}

static void test_bad_domains(void **state)
{
	static const struct { const char *text, *message; } cases[] = {
		{ "", "the domain is empty" },
		{ " \n", "the domain is empty" },
		{ "x", "line 1: the domain is no XML: Start tag expected, '<' not found" },
		{ "<network/>", "line 1: /network: the root element must be 'domain'" },
		{ "<domain xmlns='urn:x'/>", "line 1: /*:domain: the root element must be 'domain'" },
		{ "<domain/>", "line 1: /domain: has no attribute 'type'" },
		{ "<domain type='kvm'/>", "line 1: /domain/@type: must be lxc, not 'kvm'" },
		{ "<domain type='lxc'/>", "line 1: /domain: has no element 'name', and libvirt takes no domain without" },
		{ "<domain type='lxc'><name>n</name></domain>", "line 1: /domain: has no element 'memory', and libvirt takes no domain without" },
		{ "<domain type='lxc'><name>n</name><memory>1</memory></domain>", "line 1: /domain: has no element 'os', and libvirt takes no domain without" },
		{ "<domain type='lxc'><name>n</name><memory>0</memory><os/></domain>", "line 1: /domain/memory: must be more than nothing" },
		{ "<domain type='lxc'><name>a/b</name><memory>1</memory><os/></domain>", "line 1: /domain/name: must be no path and one line, not 'a/b'" },
		{ "<domain type='lxc'><name>n</name><memory>1</memory>\n<os/></domain>",
		  "line 2: /domain/os: has no element 'init', and libvirt takes no container without" },
		{ "<domain type='lxc'><name>n</name><memory>1</memory><os><type>hvm</type></os></domain>", "line 1: /domain/os/type: must be exe, not 'hvm'" },
		{ "<domain type='lxc'><name>n</name><memory>1</memory><os><init/></os></domain>", "line 1: /domain/os/init: is empty" },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?><domain/>", "the domain says that it is 'ISO-8859-1', only UTF-8 is read" },
		{ "<domain>\377</domain>", "the domain is not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_domain_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
	assert_domain_refused("<domain>\0</domain>", 18, "the domain has a NUL byte");
}

/* Entities never get as far as being declared. */
static void test_doctype(void **state)
{
	static const char *const cases[] = {
		("<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>"
		 "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'>]><domain type='lxc'><name>&e;</name></domain>"),
		"<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain type='lxc'><name>&x;</name></domain>",
		"<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'><domain type='lxc'/>",
		"<!DOCTYPE domain [<!ENTITY % p SYSTEM 'file:///dev/zero'> %p;]><domain/>",
		"<!DOCTYPE domain><domain type='lxc'/>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_domain_refused(cases[i], strlen(cases[i]), "line 1: the domain has a DOCTYPE, which is refused");
}

static void test_xinclude_is_text(void **state)
{
	_cleanup_free_ char *text = domain_with("", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd' parse='text'/>");
	struct mrg_spec *spec = read_domain(text, NULL);

	(void)state;
	assert_non_null(strstr(spec->native_json, "href=\\\"/etc/passwd\\\""));
	assert_null(strstr(spec->native_json, "root:"));
	mrg_spec_free(spec);
}

static char *nested(int depth, const char *name)
{
	struct buffer b = { 0 };

	for (int i = 0; i < depth; i++)
		buffer_addf(&b, "<%s>", name);
	for (int i = 0; i < depth; i++)
		buffer_addf(&b, "</%s>", name);
	return b.text;
}

static void test_depth(void **state)
{
	_cleanup_free_ char *inner = nested(63, "a"), *deep = nested(64, "a"), *abyss = nested(20000, "a");
	_cleanup_free_ char *ok = domain_with("", inner), *bad_text = domain_with("", deep), *worse = domain_with("", abyss);
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	spec = read_domain(ok, NULL);
	assert_domain_stable(spec);
	mrg_spec_free(spec);
	assert_domain_refused(bad_text, strlen(bad_text), "line 2: the domain has elements more than 64 levels deep");
	spec = NULL;
	assert_int_equal(mrg_format_read("libvirt", worse, strlen(worse), &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "line 2: the domain is no XML: Excessive depth in document"));
	assert_null(spec);
}

static void test_size(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_addf(&b, "<domain type='lxc'>");
	for (int i = 0; i < 4096; i++)
		buffer_addf(&b, "<a/>");
	buffer_addf(&b, "</domain>");
	assert_domain_refused(b.text, b.length, "line 1: the domain has more than 4096 elements and attributes");
	for (int i = 0; i < 300000; i++)
		buffer_addf(&b, "<a/>");
	assert_domain_refused(b.text, b.length, "the domain is larger than 1 MiB");
	buffer_deinit(&b);
}

static void test_many_elements(void **state)
{
	struct buffer b = { 0 };
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *spec;

	(void)state;
	for (int i = 0; i < 1300; i++)
		buffer_addf(&b, "<initenv name='K%d'>1</initenv>", i);
	text = domain_with("os", b.text);
	spec = read_domain(text, NULL);
	assert_int_equal(strv_length(spec->env), 1303);
	assert_domain_stable(spec);
	mrg_spec_free(spec);
	buffer_deinit(&b);
}

/* Cut anywhere, and with any byte replaced, it is read or refused with a sentence. */
static void test_torn(void **state)
{
	_cleanup_free_ char *text = domain_with("devices", "<interface type='bridge'><source bridge='b'/><ip address='10.0.0.1'/></interface>"
							   "<hostdev mode='capabilities' type='misc'><source><char>/dev/fuse</char></source></hostdev>");
	size_t length = strlen(text);

	(void)state;
	for (size_t n = 0; n < 2 * length; n++) {
		struct mrg_spec *spec = NULL;
		struct mrg_error err = { 0 };
		char *copy = strdup(text);

		if (n >= length)
			copy[n - length] = "<>'&/ \t=!"[n % 9];
		if (mrg_format_read("libvirt", copy, n < length ? n : length, &spec, NULL, NULL, &err) < 0)
			assert_true(err.message[0] && !spec);
		else
			assert_domain_stable(spec);
		mrg_spec_free(spec);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_elements), cmocka_unit_test(test_bad_domains), cmocka_unit_test(test_doctype),
		cmocka_unit_test(test_xinclude_is_text), cmocka_unit_test(test_depth), cmocka_unit_test(test_size),
		cmocka_unit_test(test_many_elements), cmocka_unit_test(test_torn),
	};

	return cmocka_run_group_tests(tests, libvirt_setup, NULL);
}
