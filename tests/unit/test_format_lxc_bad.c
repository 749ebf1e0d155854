/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of LXC that are broken or hostile: each gets its sentence, and nothing else happens. */

#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "tests/unit/lxc_fixture.h"

static void test_bad_configs(void **state)
{
	static const struct { const char *config, *message; } cases[] = {
		{ "lxc.uts.name a", "line 1: lxc.uts.name a: has no '='" },
		{ "lxc.=1", "line 1: the key must be printable ASCII without blanks and quotes, and at most 255 long" },
		{ "lxc.a b = 1", "line 1: the key must be printable ASCII without blanks and quotes, and at most 255 long" },
		{ "lxc.\"x\" = 1", "line 1: the key must be printable ASCII without blanks and quotes, and at most 255 long" },
		{ "lxc.rootfs.path = srv/a", "line 1: lxc.rootfs.path: must be an absolute path without '..', not 'srv/a'" },
		{ "lxc.rootfs.path = dir:srv", "line 1: lxc.rootfs.path: must be an absolute path without '..', not 'srv'" },
		{ "lxc.rootfs.path = /srv/../a", "line 1: lxc.rootfs.path: must be an absolute path without '..', not '/srv/../a'" },
		{ "lxc.rootfs.options = ro,create=dir", "line 1: lxc.rootfs.options: 'create=dir' is for mount entries only" },
		{ "lxc.rootfs.options = optional", "line 1: lxc.rootfs.options: 'optional' is for mount entries only" },
		{ "lxc.uts.name = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "line 1: lxc.uts.name: must be at most 64 characters" },
		{ "lxc.arch = armv8", "line 1: lxc.arch: must be an architecture such as x86_64, i686 or arm64, not 'armv8'" },
		{ "lxc.arch =", "line 1: lxc.arch: must be an architecture such as x86_64, i686 or arm64, not ''" },
		{ "lxc.init.cwd = tmp", "line 1: lxc.init.cwd: must be an absolute path without '..', not 'tmp'" },
		{ "lxc.init.uid = root", "line 1: lxc.init.uid: must be a number: LXC looks no names up, not 'root'" },
		{ "lxc.init.uid = -1", "line 1: lxc.init.uid: must be a number: LXC looks no names up, not '-1'" },
		{ "lxc.init.uid = 99999999999", "line 1: lxc.init.uid: must be a number: LXC looks no names up, not '99999999999'" },
		{ "lxc.init.gid = 5x", "line 1: lxc.init.gid: must be a number: LXC looks no names up, not '5x'" },
		{ "lxc.init.groups = 1,users", "line 1: lxc.init.groups: must be numbers with commas between them, not 'users'" },
		{ "lxc.environment = =1", "line 1: lxc.environment: must be NAME=VALUE, not '=1'" },
		{ "lxc.signal.halt = PWR", "line 1: lxc.signal.halt: must be a signal such as SIGPWR, SIGRTMIN+3 or 30, not 'PWR'" },
		{ "lxc.signal.halt = SIGNOPE",
		  "line 1: lxc.signal.halt: must be a signal such as SIGPWR, SIGRTMIN+3 or 30, not 'SIGNOPE'" },
		{ "lxc.signal.halt = 99", "line 1: lxc.signal.halt: must be a signal such as SIGPWR, SIGRTMIN+3 or 30, not '99'" },
		{ "lxc.start.auto = yes", "line 1: lxc.start.auto: must be 0 or 1, not 'yes'" },
		{ "lxc.start.auto = 2", "line 1: lxc.start.auto: must be 0 or 1, not '2'" },
		{ "lxc.no_new_privs = -1", "line 1: lxc.no_new_privs: must be 0 or 1, not '-1'" },
		{ "lxc.sched.core = 5", "line 1: lxc.sched.core: must be 0 or 1, not '5'" },
		{ "lxc.cap.drop = CAP_CHOWN",
		  "line 1: lxc.cap.drop: must be capabilities such as sys_time, in small letters without 'cap_', not 'CAP_CHOWN'" },
		{ "lxc.cap.drop = CHOWN",
		  "line 1: lxc.cap.drop: must be capabilities such as sys_time, in small letters without 'cap_', not 'CHOWN'" },
		{ "lxc.cap.drop = fly",
		  "line 1: lxc.cap.drop: must be capabilities such as sys_time, in small letters without 'cap_', not 'fly'" },
		{ "lxc.cap.drop = none",
		  "line 1: lxc.cap.drop: must be capabilities such as sys_time, in small letters without 'cap_', not 'none'" },
		{ "lxc.cap.keep = 41",
		  "line 1: lxc.cap.keep: must be capabilities such as sys_time, in small letters without 'cap_', not '41'" },
		{ "lxc.cap.drop = chown\nlxc.cap.keep = kill", "line 2: lxc.cap.keep: excludes lxc.cap.drop" },
		{ "lxc.namespace.clone = mount",
		  "line 1: lxc.namespace.clone: must be some of mnt, pid, uts, ipc, net, user, cgroup and time, not 'mount'" },
		{ "lxc.namespace.clone = net\nlxc.namespace.keep = pid",
		  "line 2: lxc.namespace.keep: lxc.namespace.keep and lxc.namespace.clone exclude each other" },
		{ "lxc.namespace.share.mount = 1",
		  "line 1: lxc.namespace.share.mount: must be one of mnt, pid, uts, ipc, net, user, cgroup and time, not 'mount'" },
		{ "lxc.namespace.share.NET = 1",
		  "line 1: lxc.namespace.share.NET: must be one of mnt, pid, uts, ipc, net, user, cgroup and time, not 'NET'" },
		{ "lxc.idmap = u 0 100000",
		  "line 1: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
		{ "lxc.idmap = b 0 100000 65536",
		  "line 1: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
		{ "lxc.idmap = u 0 100000 65536 1",
		  "line 1: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
		{ "lxc.idmap = u 0 100000 0",
		  "line 1: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
		{ "lxc.idmap = u 0 4294967295 1", "line 1: lxc.idmap: 4294967295 is no id" },
		{ "lxc.idmap = u 0 100000 99999999999",
		  "line 1: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
		{ "lxc.time.offset.boot = 5",
		  "line 1: lxc.time.offset.boot: must be a number of h, m, s, or less than a second in ms, us or ns, not '5'" },
		{ "lxc.time.offset.boot = 5d",
		  "line 1: lxc.time.offset.boot: must be a number of h, m, s, or less than a second in ms, us or ns, not '5d'" },
		{ "lxc.time.offset.boot = 1.5s",
		  "line 1: lxc.time.offset.boot: must be a number of h, m, s, or less than a second in ms, us or ns, not '1.5s'" },
		{ "lxc.time.offset.boot = 1000ms",
		  "line 1: lxc.time.offset.boot: must be a number of h, m, s, or less than a second in ms, us or ns, not '1000ms'" },
		{ "lxc.time.offset.monotonic = 9999999999999999999h",
		  "line 1: lxc.time.offset.monotonic: must be a number of h, m, s, or less than a second in ms, us or ns, not '9999999999999999999h'" },
		{ "lxc.autodev = yes", "line 1: lxc.autodev: must be 0 or 1, not 'yes'" },
		{ "lxc.pty.max = 5k", "line 1: lxc.pty.max: must be a number, not '5k'" },
		{ "lxc.mount.fstab =", "line 1: lxc.mount.fstab: must not be empty" },
		{ "lxc.mount.auto = proc:ro",
		  "line 1: lxc.mount.auto: must be proc, sys or cgroup, or one with ':mixed', ':ro' or ':rw', not 'proc:ro'" },
		{ "lxc.mount.auto = proc,sys",
		  "line 1: lxc.mount.auto: must be proc, sys or cgroup, or one with ':mixed', ':ro' or ':rw', not 'proc,sys'" },
		{ "lxc.mount.auto = shmounts:",
		  "line 1: lxc.mount.auto: must be proc, sys or cgroup, or one with ':mixed', ':ro' or ':rw', not 'shmounts:'" },
		{ "lxc.mount.entry = /a", "line 1: lxc.mount.entry: must be SOURCE TARGET TYPE OPTIONS, as in fstab(5)" },
		{ "lxc.mount.entry = /a b", "line 1: lxc.mount.entry: must be SOURCE TARGET TYPE OPTIONS, as in fstab(5)" },
		{ "lxc.mount.entry = /a ../b none bind",
		  "line 1: lxc.mount.entry: the target must be a path in the container without '..', not as in '/a ../b none bind'" },
		{ "lxc.mount.entry = /a b\\012c none bind",
		  "line 1: lxc.mount.entry: the target must be a path in the container without '..', not as in '/a b\\012c none bind'" },
		{ "lxc.mount.entry = /a b none bind,create=both",
		  "line 1: lxc.mount.entry: create= must be dir or file, not 'both'" },
		{ "lxc.net.0.type = vpn",
		  "line 1: lxc.net.0.type: must be one of veth|macvlan|ipvlan|vlan|phys|empty|none, not 'vpn'" },
		{ "lxc.net.a.type = veth", "line 1: lxc.net.a.type: must be lxc.net.N.KEY with a number N" },
		{ "lxc.net.99999999999.type = veth", "line 1: lxc.net.99999999999.type: must be lxc.net.N.KEY with a number N" },
		{ "lxc.net.0 = veth", "line 1: lxc.net.0: must have no value, which clears the device" },
		{ "lxc.net.0.type = veth\nlxc.net.0.vlan.id = 5", "line 2: lxc.net.0.vlan.id: is for devices of type vlan" },
		{ "lxc.net.0.veth.pair = a\nlxc.net.0.type = veth", "line 1: lxc.net.0.veth.pair: is for devices of type veth" },
		{ "lxc.net.0.type = veth\nlxc.net.0.link = abcdefghijklmnop",
		  "line 2: lxc.net.0.link: must be the name of a network device, at most 15 long, not 'abcdefghijklmnop'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.hwaddr = 00:16:3e",
		  "line 2: lxc.net.0.hwaddr: must be a MAC address such as 00:16:3e:xx:xx:xx, not '00:16:3e'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.mtu = big",
		  "line 2: lxc.net.0.mtu: must be a number up to 2147483647, not 'big'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.5/33",
		  "line 2: lxc.net.0.ipv4.address: must be an address and its prefix, such as 10.0.3.5/24, not '10.0.0.5/33'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = fd00::1/64",
		  "line 2: lxc.net.0.ipv4.address: must be an address and its prefix, such as 10.0.3.5/24, not 'fd00::1/64'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.5/24 x",
		  "line 2: lxc.net.0.ipv4.address: must be an address and its prefix, such as 10.0.3.5/24, not '10.0.0.5/24'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.ipv6.address = fd00::1/129",
		  "line 2: lxc.net.0.ipv6.address: must be an address and its prefix, such as fd00::5/64, not 'fd00::1/129'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.gateway = fd00::1",
		  "line 2: lxc.net.0.ipv4.gateway: must be an address, auto or dev, not 'fd00::1'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.veth.ipv4.route = 10.0.0.0",
		  "line 2: lxc.net.0.veth.ipv4.route: must be a network such as 10.1.0.0/16, not '10.0.0.0'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.veth.mode = hub",
		  "line 2: lxc.net.0.veth.mode: must be one of bridge|router, not 'hub'" },
		{ "lxc.net.0.type = macvlan\nlxc.net.0.macvlan.mode = vep",
		  "line 2: lxc.net.0.macvlan.mode: must be one of private|vepa|bridge|passthru, not 'vep'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.l2proxy = 2", "line 2: lxc.net.0.l2proxy: must be 0 or 1, not '2'" },
		{ "lxc.net.0.type = veth\nlxc.net.0.veth.vlan.id = 4095",
		  "line 2: lxc.net.0.veth.vlan.id: must be a number up to 4094, not '4095'" },
		{ "lxc.prlimit.nofile = 5:4", "line 1: lxc.prlimit.nofile: the soft limit is above the hard one" },
		{ "lxc.prlimit.nofile = many", "line 1: lxc.prlimit.nofile: must be a number or unlimited, or SOFT:HARD" },
		{ "lxc.prlimit.nofile = 5:6:7", "line 1: lxc.prlimit.nofile: must be a number or unlimited, or SOFT:HARD" },
		{ "lxc.prlimit.files = 5", "line 1: lxc.prlimit.files: there is no such limit" },
		{ "lxc.proc.oom_score_adj = low",
		  "line 1: lxc.proc.oom_score_adj: /process/oomScoreAdj: must be a whole number, not 'low'" },
		{ "lxc.proc.oom_score_adj = 1001",
		  "line 1: lxc.proc.oom_score_adj: /process/oomScoreAdj: must be from -1000 to 1000, not 1001" },
		{ "lxc.cgroup.dir = /a", "line 1: lxc.cgroup.dir: must be a relative path without '..', not '/a'" },
		{ "lxc.cgroup.dir = a/../b", "line 1: lxc.cgroup.dir: must be a relative path without '..', not 'a/../b'" },
		{ "lxc.cgroup.memory.limit_in_bytes = lots",
		  "line 1: lxc.cgroup.memory.limit_in_bytes: /linux/resources/memory/limit: must be a size such as 512M or 2G, not 'lots'" },
		{ "lxc.cgroup2.memory.max = -5",
		  "line 1: lxc.cgroup2.memory.max: /linux/resources/memory/limit: must be a size such as 512M or 2G, not '-5'" },
		{ "lxc.cgroup2.memory.swap.max = x",
		  "line 1: lxc.cgroup2.memory.swap.max: must be a size such as 512M, or max, not 'x'" },
		{ "lxc.cgroup2.memory.max = 9223372036854775807\nlxc.cgroup2.memory.swap.max = 1",
		  "line 2: lxc.cgroup2.memory.swap.max: is too large" },
		{ "lxc.cgroup2.cpu.weight = 0", "line 1: lxc.cgroup2.cpu.weight: must be from 1 to 10000, not '0'" },
		{ "lxc.cgroup.cpu.shares = 1",
		  "line 1: lxc.cgroup.cpu.shares: /linux/resources/cpu/shares: must be from 2 to 262144, not 1" },
		{ "lxc.cgroup2.cpu.max = 0", "line 1: lxc.cgroup2.cpu.max: must be a number of microseconds, or -1 or max, not '0'" },
		{ "lxc.cgroup2.cpu.max = 5 x",
		  "line 1: lxc.cgroup2.cpu.max: /linux/resources/cpu/period: must be a whole number, not 'x'" },
		{ "lxc.cgroup2.cpu.max = 5000 5",
		  "line 1: lxc.cgroup2.cpu.max: /linux/resources/cpu/period: must be from 1000 to 1000000, not 5" },
		{ "lxc.cgroup2.pids.max = some",
		  "line 1: lxc.cgroup2.pids.max: /linux/resources/pids/limit: must be a whole number, not 'some'" },
		{ "lxc.cgroup2.io.max = 8 rbps=5", "line 1: lxc.cgroup2.io.max: must be MAJOR:MINOR and rates, not '8 rbps=5'" },
		{ "lxc.cgroup2.io.max = 8:0 speed=5",
		  "line 1: lxc.cgroup2.io.max: must be MAJOR:MINOR and rates, not '8:0 speed=5'" },
		{ "lxc.cgroup.blkio.throttle.read_bps_device = 8:0",
		  "line 1: lxc.cgroup.blkio.throttle.read_bps_device: must be MAJOR:MINOR and rates, not '8:0'" },
		{ "lxc.cgroup2.a/../b = 1", "line 1: lxc.cgroup2.a/../b: must name a file of a cgroup" },
		{ "lxc.cgroup.devices.allow = c 1:3 q",
		  "line 1: lxc.cgroup.devices.allow: must be a, or TYPE MAJOR:MINOR and letters of rwm, not 'c 1:3 q'" },
		{ "lxc.cgroup.devices.allow = x 1:3 r",
		  "line 1: lxc.cgroup.devices.allow: must be a, or TYPE MAJOR:MINOR and letters of rwm, not 'x 1:3 r'" },
		{ "lxc.cgroup.devices.maybe = a", "line 1: lxc.cgroup.devices.maybe: must end in allow or deny" },
		{ "lxc.cgroup2.devices.deny = c 1",
		  "line 1: lxc.cgroup2.devices.deny: must be a, or TYPE MAJOR:MINOR and letters of rwm, not 'c 1'" },
		{ "lxc.include = other.conf", "line 1: lxc.include: must be an absolute path, not 'other.conf'\n"
		  "LXC would look for it in the directory it happens to be started in" },
		{ "lxc.include = /nonexistent/x.conf",
		  "line 1: lxc.include: '/nonexistent/x.conf' cannot be read: No such file or directory" },
		{ "lxc.include = /dev/null", "line 1: lxc.include: '/dev/null' is neither a file nor a directory" },
		{ "\nlxc.utsname = b\nlxc.id_map = x",
		  "line 3: lxc.idmap: must be u or g, the first id in the container, the first on the host, and how many" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_lxc_refused(cases[i].config, strlen(cases[i].config), cases[i].message);
}

static void test_bad_bytes(void **state)
{
	(void)state;
	assert_lxc_refused("lxc.a\0= 1", 9, "the configuration has a NUL byte");
	assert_lxc_refused("lxc.a = \377", 9, "the configuration is not UTF-8");
	assert_lxc_refused("lxc.a = \033[2J", 12, "line 1: has control characters");
}

/* Comments may have what they like, but for bytes that are no text. */
static void test_comments(void **state)
{
	struct mrg_spec *spec = read_lxc("#lxc.uts.name = a\n  \t# \001 b\n\n\t\n", NULL);

	(void)state;
	assert_null(spec->hostname);
	mrg_spec_free(spec);
}

/* A configuration that says nothing is one: LXC boots the host's own root with all capabilities. */
static void test_empty_config(void **state)
{
	struct mrg_spec *spec = read_lxc("", NULL);
	char *text = write_lxc(spec, NULL);

	(void)state;
	assert_int_equal(spec->boot, 1);
	assert_true(spec->cap_bounding == (UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1);
	assert_string_equal(spec->ns_pid, "");
	assert_string_equal(spec->ns_network, "");
	assert_null(spec->ns_user);
	assert_string_equal(text, "lxc.init.cmd = /sbin/init\nlxc.cap.drop =\nlxc.autodev = 1\nlxc.autodev.tmpfs.size = 500000\n"
				  "lxc.net.0.type = empty\nlxc.net.0.flags = up\n");
	free(text);
	mrg_spec_free(spec);
}

static void add_many(struct buffer *b, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer_addf(b, "%s", line);
}

static void test_hostile_size(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	add_many(&b, "lxc.environment = A=1\n", 4097);
	assert_lxc_refused(b.text, b.length, "line 4097: a configuration has at most 4096 lines");
	buffer_deinit(&b);
	buffer_addf(&b, "lxc.environment = A=");
	add_many(&b, "0123456789abcdef", 4096);
	assert_lxc_refused(b.text, b.length, "line 1: longer than 64 KiB");
	add_many(&b, "0123456789abcdef", 16 * 4096);
	assert_lxc_refused(b.text, b.length, "the configuration is larger than 1 MiB");
	buffer_deinit(&b);
	buffer_addf(&b, "lxc.");
	add_many(&b, "a", 252);
	buffer_addf(&b, " = 1\n");
	assert_lxc_refused(b.text, b.length, "line 1: the key must be printable ASCII without blanks and quotes, and at most 255 long");
	buffer_deinit(&b);
	for (int i = 0; i < 257; i++)
		buffer_addf(&b, "lxc.net.%d.type = veth\n", i);
	assert_lxc_refused(b.text, b.length, "line 257: lxc.net.256.type: there are at most 256 networks");
	buffer_deinit(&b);
}

/* As many lines as there may be are read in no time, and all count. */
static void test_many_lines(void **state)
{
	struct buffer b = { 0 };
	struct mrg_spec *spec;

	(void)state;
	for (int i = 0; i < 2000; i++)
		buffer_addf(&b, "lxc.environment = K%d=1\nlxc.mount.entry = /a m%d none bind,optional 0 0\n", i, i);
	spec = read_lxc(b.text, NULL);
	assert_int_equal(strv_length(spec->env), 2000);
	assert_int_equal(spec->mounts.n, 2001);
	mrg_spec_free(spec);
	buffer_deinit(&b);
	for (int i = 0; i < 4096; i++)
		buffer_addf(&b, "lxc.uts.name = h%d\n", i);
	spec = read_lxc(b.text, NULL);
	assert_string_equal(spec->hostname, "h4095");
	mrg_spec_free(spec);
	buffer_deinit(&b);
}

static void test_truncated(void **state)
{
	static const char whole[] = "lxc.uts.name = a\nlxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n"
				    "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.5/24\nlxc.mount.entry = /a\\040b c none rbind 0 0\n"
				    "lxc.cgroup2.io.max = 8:0 rbps=5 wbps=6\nlxc.cgroup2.devices.allow = c 1:3 rwm\nlxc.prlimit.nofile = 5:6\n"
				    "lxc.time.offset.boot = 5 ms\nlxc.cap.keep = chown sys_admin\nlxc.rootfs.options = ro,nosuid\n";

	(void)state;
	assert_survives_cuts("lxc", whole, strlen(whole));
}

/* What the callback returns ends the reading. */
static int stop_at_second(const struct mrg_report_row *row, void *data)
{
	(void)row;
	return ++*(int *)data == 2 ? 7 : 0;
}

static void test_report_ends_reading(void **state)
{
	static const char text[] = "lxc.uts.name = a\nlxc.tty.max = 1\nlxc.arch = x86\n";
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };
	int rows = 0;

	(void)state;
	assert_int_equal(mrg_format_read("lxc", text, strlen(text), &spec, stop_at_second, &rows, &err), 7);
	assert_null(spec);
	assert_int_equal(rows, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_configs), cmocka_unit_test(test_bad_bytes), cmocka_unit_test(test_comments),
		cmocka_unit_test(test_empty_config), cmocka_unit_test(test_hostile_size), cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_report_ends_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
