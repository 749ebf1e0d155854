/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the doctor finds in the files of several managers, each in a tree of its own. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/json.h"
#include "core/util/str.h"

struct tree {
	char path[64];
	struct doctor doctor;
	struct buffer said;		/* "LEVEL SUBJECT: TEXT | FIX\n" */
};

static int note(const struct mrg_finding *finding, void *data)
{
	struct tree *tree = data;

	buffer_addf(&tree->said, "%s %s: %s | %s\n", finding->level, finding->subject, finding->text, finding->fix ? finding->fix : "");
	return 0;
}

static int make_tree(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	strcpy(tree->path, "/tmp/mrgt-doctor.XXXXXX");
	assert_non_null(mkdtemp(tree->path));
	tree->doctor = (struct doctor){ .files = open(tree->path, O_PATH | O_DIRECTORY | O_CLOEXEC), .found = note, .data = tree };
	assert_true(tree->doctor.files >= 0);
	*state = tree;
	return 0;
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(fd_remove_tree(AT_FDCWD, tree->path), 0);
	close(tree->doctor.files);
	buffer_deinit(&tree->said);
	free(tree);
	return 0;
}

static void put(struct tree *tree, const char *path, const char *text)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", tree->path, path);
	for (char *slash = whole + strlen(tree->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	FILE *file = fopen(whole, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const char *said(const struct tree *tree)
{
	return tree->said.text ? tree->said.text : "";
}

static void assert_said(const struct tree *tree, const char *part)
{
	if (!strstr(said(tree), part))
		fail_msg("not said: '%s', but:\n%s", part, said(tree));
}

/* ---- networks ---------------------------------------------------------------------------------- */

#define LIBVIRT(name, bridge, ip)                                                                                         \
	"<!--\nWARNING: <ip address='1.2.3.4' prefix='8'/>\n-->\n<network>\n  <name>" name "</name>\n  <forward mode='nat'/>\n" \
	"  <bridge name='" bridge "' stp='on' delay='0'/>\n  <ip family='ipv6' address='fd00::1' prefix='64'/>\n" ip "</network>\n"

static struct subnet subnet(const char *name, const char *text, bool bridge)
{
	struct subnet subnet = { .bridge = bridge };

	assert_true(subnet_parse(text, &subnet));
	snprintf(subnet.name, sizeof(subnet.name), "%s", name);
	return subnet;
}

static void check_networks(struct tree *tree, const struct subnet *subnets, size_t n)
{
	struct networks networks = { .n = 0 };

	assert_int_equal(networks_read(&tree->doctor, &networks), 0);
	assert_int_equal(doctor_check_networks(&tree->doctor, &networks, subnets, n), 0);
	networks_deinit(&networks);
}

static void test_networks(void **state)
{
	struct tree *tree = *state;
	struct networks networks = { .n = 0 };

	put(tree, "etc/default/lxc-net", "# nothing but\nUSE_LXC_BRIDGE=\"true\"\nLXC_NETMASK=\"255.255.254.0\"\n");
	put(tree, "etc/libvirt/qemu/networks/default.xml", LIBVIRT("default", "virbr0", "  <ip address='192.168.122.1' netmask='255.255.255.0'>\n<dhcp/></ip>\n"));
	put(tree, "etc/libvirt/qemu/networks/theirs.xml", "<network><name>theirs</name><forward mode='bridge'/><bridge name='br0'/></network>");
	put(tree, "etc/docker/daemon.json", "{\"bip\": \"172.26.0.1/16\", \"default-address-pools\": [{\"base\": \"172.80.0.0/16\", \"size\": 24}, {}]}");
	put(tree, "etc/containers/networks/two.json",
	    "{\"name\": \"two\", \"network_interface\": \"podman1\", \"subnets\": [{\"subnet\": \"10.89.0.0/24\"}, {\"subnet\": \"fd00::/64\"}]}");
	put(tree, "etc/cni/net.d/87-podman.conflist",
	    "{\"name\": \"podman\", \"plugins\": [{\"type\": \"bridge\", \"bridge\": \"cni-podman0\", \"ipam\": {\"ranges\": [[{\"subnet\": \"10.88.0.0/16\"}]]}}, {}]}");
	put(tree, "etc/systemd/nspawn/web.nspawn", "[Network]\nZone=web\nPort=tcp:80:80\n");
	assert_int_equal(networks_read(&tree->doctor, &networks), 0);
	static const struct {
		const char *owner, *bridge, *subnet;
		bool pool;
	} want[] = {
		{ "the bridge of LXC", "lxcbr0", "10.0.2.0/23", false },
		{ "the network 'default' of libvirt", "virbr0", "192.168.122.0/24", false },
		{ "the bridge of Docker", "docker0", "172.26.0.0/16", false },
		{ "a pool of Docker", "", "172.80.0.0/16", true },
		{ "the network 'two' of Podman", "podman1", "10.89.0.0/24", false },
		{ "the network 'podman' of Podman", "cni-podman0", "10.88.0.0/16", false },
		{ "the zone 'web' of systemd-nspawn", "vz-web", "0.0.0.0/0", false },
	};

	assert_int_equal(networks.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		char shown[SUBNET_SIZE];

		assert_string_equal(networks.item[i].owner, want[i].owner);
		assert_string_equal(networks.item[i].subnet.name, want[i].bridge);
		assert_string_equal(subnet_show(&networks.item[i].subnet, shown), want[i].subnet);
		assert_int_equal(networks.item[i].pool, want[i].pool);
	}
	networks_deinit(&networks);
	check_networks(tree, NULL, 0);
	assert_string_equal(said(tree), "");
}

static void test_networks_that_overlap(void **state)
{
	struct tree *tree = *state;
	const struct subnet there[] = { subnet("eth0", "10.0.3.77/24", false) };
	const struct subnet up[] = { subnet("lxcbr0", "10.0.3.1/24", true) };
	const struct subnet both[] = { subnet("lxcbr0", "10.0.3.1/24", true), subnet("virbr7", "10.0.0.1/16", true) };

	put(tree, "etc/default/lxc-net", "LXC_ADDR=10.0.3.1\n");
	check_networks(tree, there, 1);
	assert_said(tree, "warning networks: the bridge of LXC (10.0.3.0/24, /etc/default/lxc-net) is not there yet and overlaps with the interface 'eth0' (10.0.3.0/24)");
	buffer_deinit(&tree->said);
	check_networks(tree, up, 1);
	assert_string_equal(said(tree), "");
	put(tree, "etc/libvirt/qemu/networks/wide.xml", LIBVIRT("wide", "virbr7", "<ip address=\"10.0.0.1\" prefix=\"16\"/>"));
	check_networks(tree, up, 1);
	assert_said(tree, "warning networks: the bridge of LXC (10.0.3.0/24, /etc/default/lxc-net) and the network 'wide' of libvirt (10.0.0.0/16, ");
	assert_said(tree, "| another range for one of them: LXC_ADDR, LXC_NETWORK and LXC_BRIDGE in /etc/default/lxc-net, or 'virsh net-edit wide'");
	/* Once both are there the kernel's word counts, which is told elsewhere. */
	buffer_deinit(&tree->said);
	check_networks(tree, both, 2);
	assert_string_equal(said(tree), "");
	/* Docker takes from its pool what nobody has, as long as it sees it. */
	unlinkat(tree->doctor.files, "etc/libvirt/qemu/networks/wide.xml", 0);
	put(tree, "etc/docker/daemon.json", "{\"default-address-pools\": [{\"base\": \"10.0.0.0/8\", \"size\": 24}]}");
	check_networks(tree, up, 1);
	assert_string_equal(said(tree), "");
	check_networks(tree, NULL, 0);
	assert_said(tree, "a pool of Docker (10.0.0.0/8, /etc/docker/daemon.json)");
}

static void test_bridges_of_one_name(void **state)
{
	struct tree *tree = *state;

	put(tree, "etc/default/lxc-net", "LXC_BRIDGE='br0'\n");
	put(tree, "etc/libvirt/qemu/networks/mine.xml", LIBVIRT("mine", "br0", ""));
	put(tree, "etc/systemd/nspawn/a.nspawn", "[Network]\nZone=web\n");
	put(tree, "run/systemd/nspawn/b.nspawn", "[Network]\nZone = web\n");
	check_networks(tree, NULL, 0);
	assert_string_equal(said(tree),
		"error bridges: the bridge of LXC (/etc/default/lxc-net) and the network 'mine' of libvirt (/etc/libvirt/qemu/networks/mine.xml) both make the bridge 'br0': "
		"whichever comes second fails, or changes that of the other | 'virsh net-edit mine'\n");
	buffer_deinit(&tree->said);
	put(tree, "etc/default/lxc-net", "USE_LXC_BRIDGE=false\nLXC_BRIDGE=br0\n");
	check_networks(tree, NULL, 0);
	assert_string_equal(said(tree), "");
}

/* Whatever is in such files: nothing is claimed, and nothing breaks. */
static void test_files_that_are_broken(void **state)
{
	static const char *const texts[] = {
		"", "\n\n", "{", "[]", "{\"bip\": 3, \"default-address-pools\": {}}", "<network><name>x</name><ip address='", "<network><name>", "<!--", "<ip ",
		"<network><name>x</name><ip address='300.1.1.1' prefix='24'/><ip address='1.1.1.1' prefix='99'/><bridge name='a-name-that-is-too-long-for-one'/></network>",
		"LXC_ADDR=1.2.3.4.5\nLXC_BRIDGE\nLXC_NETMASK=x\n", "=\n=\n", "Port=\nPort=:\nPort=tcp:\nZone=\nZone=a-zone-that-is-too-long\n",
		"{\"plugins\": [[], 3, {\"bridge\": \"x\", \"ipam\": {\"ranges\": [3, [3]]}}], \"name\": \"x\", \"subnets\": [3, {}]}",
		"{\"PortBindings\": {\"80\": [3], \"x\": null}, \"RestartPolicy\": {\"Name\": \"always\"}}", "\xff\xfe\n",
	};
	static const char *const places[] = {
		"etc/default/lxc-net", "etc/libvirt/qemu/networks/x.xml", "etc/containers/networks/x.json", "etc/cni/net.d/x.conflist", "etc/systemd/nspawn/x.nspawn",
		"etc/containers/systemd/x.container", "var/lib/docker/containers/0123456789abcdef/hostconfig.json",
		"var/lib/docker/containers/0123456789abcdef/config.v2.json", "etc/subuid", "etc/subgid", "etc/fstab",
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(places); j++)
			put(tree, places[j], texts[i]);
		check_networks(tree, NULL, 0);
		assert_int_equal(doctor_check_ports(&tree->doctor), 0);
		assert_int_equal(doctor_check_ranges(&tree->doctor), 0);
		assert_string_equal(said(tree), "");
	}
}

/* ---- Docker ---------------------------------------------------------------------------------------- */

static void test_docker(void **state)
{
	static const struct {
		const char *configuration, *said;
	} cases[] = {
		{ "{}", "" },
		{ "{\"userns-remap\": \"\"}", "" },
		{ "{\"userns-remap\": \"default\"}", "" },
		{ "{\"userns-remap\": \"one\"}", "" },
		{ "{\"userns-remap\": \"one:two\"}", "'two' has no line in /etc/subgid: its daemon does not start | usermod --add-subgids FIRST-LAST 'one'" },
		{ "{\"userns-remap\": \"on\"}", "error docker: \"userns-remap\" in /etc/docker/daemon.json is 'on', and 'on' has no line in /etc/subuid" },
		{ "{\"bip\": }", "error docker: /etc/docker/daemon.json is broken, and its daemon does not start: " },
		{ "", "error docker: " },
	};
	struct tree *tree = *state;

	assert_int_equal(doctor_check_docker(&tree->doctor), 0);
	assert_string_equal(said(tree), "");
	put(tree, "etc/subuid", "one:100000:65536\n");
	put(tree, "etc/subgid", "one:100000:65536\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put(tree, "etc/docker/daemon.json", cases[i].configuration);
		assert_int_equal(doctor_check_docker(&tree->doctor), 0);
		if (*cases[i].said)
			assert_said(tree, cases[i].said);
		else
			assert_string_equal(said(tree), "");
		buffer_deinit(&tree->said);
	}
}

/* ---- ports ------------------------------------------------------------------------------------------- */

static void test_port_spellings(_unused_ void **state)
{
	static const struct {
		bool (*parse)(const char *text, struct port *ret);
		const char *text, *want;	/* NULL: none */
	} cases[] = {
		{ port_parse_podman, "8080:80", "tcp  8080-8080" },
		{ port_parse_podman, "8080-8090:80-90/udp", "udp  8080-8090" },
		{ port_parse_podman, "127.0.0.1:8080:80", "tcp 127.0.0.1 8080-8080" },
		{ port_parse_podman, "[::1]:8080:80/tcp", "tcp ::1 8080-8080" },
		{ port_parse_podman, "80", NULL }, { port_parse_podman, "127.0.0.1::80", NULL }, { port_parse_podman, ":80", NULL },
		{ port_parse_podman, "0:80", NULL }, { port_parse_podman, "70000:80", NULL }, { port_parse_podman, "9-8:80", NULL },
		{ port_parse_podman, "", NULL }, { port_parse_podman, "8080:80/", NULL }, { port_parse_podman, ":", NULL }, { port_parse_podman, "x:80", NULL },
		{ port_parse_nspawn, "8080", "tcp  8080-8080" }, { port_parse_nspawn, "8080:80", "tcp  8080-8080" },
		{ port_parse_nspawn, "udp:53:5353", "udp  53-53" }, { port_parse_nspawn, "tcp:80", "tcp  80-80" },
		{ port_parse_nspawn, "", NULL }, { port_parse_nspawn, "tcp", NULL }, { port_parse_nspawn, "tcp:", NULL }, { port_parse_nspawn, ":80", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct port port = { .first = 0 };
		char got[128];

		if (cases[i].parse(cases[i].text, &port) != (cases[i].want != NULL))
			fail_msg("'%s'", cases[i].text);
		if (!cases[i].want)
			continue;
		snprintf(got, sizeof(got), "%s %s %u-%u", port.protocol, port.address, port.first, port.last);
		assert_string_equal(got, cases[i].want);
	}
}

static void test_ports(void **state)
{
	struct tree *tree = *state;

	put(tree, "etc/systemd/nspawn/one.nspawn", "[Network]\nPort=tcp:8080:80\nPort=tcp:8080:81\n");
	put(tree, "etc/containers/systemd/two.container", "[Container]\nPublishPort=127.0.0.1:8081:80\nPublishPort=8080:80/udp\n");
	put(tree, "srv/docker/containers/0123456789abcdef/hostconfig.json",
	    "{\"RestartPolicy\": {\"Name\": \"no\"}, \"PortBindings\": {\"80/tcp\": [{\"HostIp\": \"\", \"HostPort\": \"8080\"}]}}");
	put(tree, "etc/docker/daemon.json", "{\"data-root\": \"/srv/docker\"}");
	assert_int_equal(doctor_check_ports(&tree->doctor), 0);
	assert_string_equal(said(tree), "");
	put(tree, "srv/docker/containers/0123456789abcdef/hostconfig.json",
	    "{\"RestartPolicy\": {\"Name\": \"always\"}, \"PortBindings\": {\"80/tcp\": [{\"HostIp\": \"\", \"HostPort\": \"8080\"}],"
	    " \"81/tcp\": [{\"HostIp\": \"127.0.0.2\", \"HostPort\": \"8081\"}]}}");
	put(tree, "srv/docker/containers/0123456789abcdef/config.v2.json", "{\"Name\": \"/web\"}");
	assert_int_equal(doctor_check_ports(&tree->doctor), 0);
	assert_said(tree, "warning ports: port 8080/tcp of this host is for the machine 'one' (/etc/systemd/nspawn/one.nspawn) and for the container of Docker 'web' ");
	assert_null(strstr(said(tree), "8081"));
	/* Every address is also the one that Podman has. */
	put(tree, "etc/systemd/nspawn/one.nspawn", "[Network]\nPort=8081\n");
	buffer_deinit(&tree->said);
	assert_int_equal(doctor_check_ports(&tree->doctor), 0);
	assert_said(tree, "port 8081/tcp of this host is for the machine 'one' (/etc/systemd/nspawn/one.nspawn) and for the unit of Podman 'two'");
}

/* ---- what is left ---------------------------------------------------------------------------------------- */

static void test_mounts(_unused_ void **state)
{
	char text[] = "21 1 0:20 / /proc rw - proc proc rw\n"
		      "30 1 0:20 / /srv/a\\040b/proc rw shared:1 - proc proc rw\n"
		      "31 1 0:21 / /srv/a\\040b/dev rw - devtmpfs d rw\n"
		      "32 31 0:22 / /srv/a\\040b/dev/pts rw - devpts d rw\n"
		      "33 1 8:1 / /srv/a\\040b rw - ext4 /dev/sda1 rw\n"
		      "34 1 8:2 / /srv/a\\040b/data rw - ext4 /dev/sda2 rw\n"
		      "35 1 8:3 / /srv/a\\040bc/x rw - ext4 /dev/sda3 rw\n"
		      "torn line\n";
	struct strings mounts = { .n = 0 }, found = { .n = 0 };

	assert_int_equal(mounts_parse(text, &mounts), 0);
	assert_int_equal(mounts_below(&mounts, "/srv/a b", "# none\n/dev/sda2 /srv/a\\040b/data ext4 defaults 0 0\n#/dev/x /srv/a\\040b/dev\n", &found), 0);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.strv[0], "/srv/a b/proc");
	assert_string_equal(found.strv[1], "/srv/a b/dev");
	strings_deinit(&found);
	found = (struct strings){ .n = 0 };
	assert_int_equal(mounts_below(&mounts, "/srv/none", NULL, &found), 0);
	assert_int_equal(found.n, 0);
	strings_deinit(&found);
	strings_deinit(&mounts);
}

static void test_cgroups(_unused_ void **state)
{
	static const struct {
		const char *parent, *name, *owner;
	} cases[] = {
		{ "", "lxc.monitor.web", "LXC" }, { "", "lxc.payload.web", "LXC" }, { "", "moorage-web-0123456789abcdef", "moorage" },
		{ "", "moorage-", NULL }, { "", "system.slice", NULL }, { "docker", "0123", "Docker" }, { "docker", ".", NULL },
		{ "system.slice", "docker-0123.scope", "Docker" }, { "system.slice", "docker-.scope", NULL }, { "system.slice", "ssh.service", NULL },
		{ "machine.slice", "libpod-0123.scope", "Podman" }, { "machine.slice", "machine-web.scope", "systemd-machined" },
		{ "machine.slice", "systemd-nspawn@web.service", "systemd-nspawn" }, { "machine.slice", "web.scope", NULL },
		{ "machine", "lxc-1-web.libvirt-lxc", "libvirt" }, { "machine", "qemu-1-web.libvirt-qemu", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *owner = cgroup_owner(cases[i].parent, cases[i].name);

		if ((owner != NULL) != (cases[i].owner != NULL) || (owner && strcmp(owner, cases[i].owner) != 0))
			fail_msg("'%s' in '%s': '%s'", cases[i].name, cases[i].parent, owner ? owner : "nobody");
	}
}

static void test_links(_unused_ void **state)
{
	static const int used[] = { 4, 7 };
	static const struct link all[] = {
		{ .name = "ve-runs", .index = 10, .peer = 2, .space = 7, .up = true },
		{ .name = "ve-gone", .index = 11, .peer = 2, .space = 5, .up = true },
		{ .name = "lab0", .index = 12, .peer = 2, .space = 5 },			/* not an engine's */
		{ .name = "veth1234", .index = 13, .peer = 14, .space = -1, .master = 3, .up = true },
		{ .name = "eth0-web", .index = 14, .peer = 13, .space = -1 },
		{ .name = "veth5678", .index = 15, .peer = 16, .space = -1, .master = 3, .up = true },
		{ .name = "veth5679", .index = 16, .peer = 15, .space = -1, .master = 9 },	/* between two bridges */
		{ .name = "vb-odd", .index = 17, .peer = 99, .space = -1, .master = 3 },
	};
	static const bool left[ARRAY_SIZE(all)] = { [1] = true, [3] = true };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (link_is_left(&all[i], all, ARRAY_SIZE(all), used, ARRAY_SIZE(used)) != left[i])
			fail_msg("'%s'", all[i].name);
}

/* ---- nftables ------------------------------------------------------------------------------------------------ */

#define CHAIN(family, table, name, more)	"{\"chain\": {\"family\": \"" family "\", \"table\": \"" table "\", \"name\": \"" name "\", \"handle\": 1" more "}}"
#define DROPS			", \"type\": \"filter\", \"hook\": \"forward\", \"prio\": 0, \"policy\": \"drop\""
#define RULE(chain, expr)	", {\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"" chain "\", \"handle\": 2, \"expr\": [" expr "]}}"
#define IIF(op, right)		"{\"match\": {\"op\": \"" op "\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": " right "}}"
#define OTHER_MATCH		"{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"oifname\"}}, \"right\": \"eth0\"}}"
#define COUNTER			"{\"counter\": {\"packets\": 0, \"bytes\": 0}}"
#define ACCEPT			"{\"accept\": null}"

static struct json *parsed(const char *text)
{
	struct json *json = NULL;

	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	return json;
}

static void test_nft_chains(_unused_ void **state)
{
	_cleanup_(json_freep) struct json *chains = parsed("{\"nftables\": [{\"metainfo\": {}}, 3, " CHAIN("ip", "filter", "FORWARD", DROPS) ", "
		CHAIN("ip", "filter", "OTHER", "") ", " CHAIN("ip6", "x", "f", DROPS) ", " CHAIN("inet", "x", "f", DROPS) "]}");
	_cleanup_(json_freep) struct json *none = parsed("[]");
	struct nft_chain chain;

	assert_int_equal(nft_find_chain(chains, 0, &chain), 1);
	assert_string_equal(chain.name, "FORWARD");
	assert_int_equal(nft_find_chain(chains, 1, &chain), 1);
	assert_string_equal(chain.family, "inet");
	assert_string_equal(chain.table, "x");
	assert_int_equal(nft_find_chain(chains, 2, &chain), 0);
	assert_int_equal(nft_find_chain(none, 0, &chain), 0);
	assert_int_equal(nft_find_chain(NULL, 0, &chain), 0);
}

static void test_nft_rules(_unused_ void **state)
{
	static const struct {
		const char *rules;
		bool drops;
	} cases[] = {
		{ "", true },
		{ RULE("f", ACCEPT), false },
		{ RULE("f", OTHER_MATCH ", " ACCEPT), true },
		{ RULE("f", "{\"xt\": {\"type\": \"match\", \"name\": \"conntrack\"}}, " ACCEPT), true },
		{ RULE("f", IIF("==", "\"lxcbr0\"") ", " COUNTER ", " ACCEPT), false },
		{ RULE("f", IIF("==", "\"lxcbr0\"") ", " COUNTER ", {\"drop\": null}"), true },
		{ RULE("f", IIF("==", "\"virbr0\"") ", " ACCEPT), true },
		{ RULE("f", IIF("!=", "\"virbr0\"") ", " ACCEPT), false },
		{ RULE("f", IIF("==", "\"lxc*\"") ", " ACCEPT), false },
		{ RULE("f", IIF("==", "{\"set\": [\"a\", \"lxcbr0\"]}") ", " ACCEPT), false },
		{ RULE("f", IIF("==", "{\"set\": [\"a\", \"b\"]}") ", " ACCEPT), true },
		{ RULE("f", IIF("==", "\"@bridges\"") ", " ACCEPT), false },		/* not looked into: nothing is claimed */
		{ RULE("f", "{\"jump\": {\"target\": \"g\"}}") RULE("g", IIF("==", "\"lxcbr0\"") ", " ACCEPT), false },
		{ RULE("f", "{\"goto\": {\"target\": \"g\"}}") RULE("g", IIF("==", "\"a\"") ", " ACCEPT), true },
		{ RULE("g", ACCEPT), true },						/* nothing leads there */
		{ RULE("f", IIF("==", "\"a\"") ", {\"jump\": {\"target\": \"g\"}}") RULE("g", ACCEPT), true },
		{ RULE("f", "{\"jump\": {\"target\": \"f\"}}"), false },		/* no kernel has that: not understood */
		{ RULE("f", "{\"vmap\": {\"key\": 1, \"data\": 2}}"), false },
	};
	struct nft_chain chain = { .family = "inet", .table = "t", .name = "f" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[4096];
		_cleanup_(json_freep) struct json *table = NULL;

		snprintf(text, sizeof(text), "{\"nftables\": [{\"metainfo\": {}}%s]}", cases[i].rules);
		table = parsed(text);
		if (nft_drops(table, &chain, "lxcbr0") != cases[i].drops)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_networks, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_networks_that_overlap, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_bridges_of_one_name, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_files_that_are_broken, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_docker, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_ports, make_tree, remove_tree),
		cmocka_unit_test(test_port_spellings),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_nft_chains),
		cmocka_unit_test(test_nft_rules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
