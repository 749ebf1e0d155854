/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of LXC: every key both ways, what is lost, stability. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/format.h"
#include "core/util/cleanup.h"
#include "tests/unit/lxc_fixture.h"

struct line {
	const char *config;
	const char *field;		/* what is looked at */
	const char *value;		/* "": not set */
	const char *report;		/* verdicts, a letter a line: c a d w */
};

static const struct line lines[] = {
	{ "lxc.rootfs.path = /srv/a", "root.path", "\"/srv/a\"", "c" },
	{ "lxc.rootfs.path = dir:/srv/a:b", "root.path", "\"/srv/a:b\"", "c" },
	{ "lxc.rootfs.path = btrfs:/srv/a", "root.path", "\"/srv/a\"", "a" },
	{ "lxc.rootfs.path = overlay:/lower:/upper", "root.path", "", "w" },
	{ "lxc.rootfs.path = /srv/a:b", "moorage.native", "{\"lxc\":{\"lxc.rootfs.path\":[\"/srv/a:b\"]}}", "w" },
	{ "lxc.rootfs.path = /srv/a\nlxc.rootfs.path =", "root.path", "", "cc" },
	{ "lxc.rootfs = /srv/a", "root.path", "\"/srv/a\"", "c" },
	{ "lxc.rootfs = /srv/a\nlxc.rootfs.backend = dir", "root.path", "\"/srv/a\"", "cc" },
	{ "lxc.rootfs = /dev/vg/lv\nlxc.rootfs.backend = lvm",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.rootfs.path\":[\"lvm:/dev/vg/lv\"]}}", "wc" },
	{ "lxc.rootfs.options = ro", "root.readonly", "true", "c" },
	{ "lxc.rootfs.options = rw,rslave", "linux.rootfsPropagation", "\"rslave\"", "c" },
	{ "lxc.rootfs.options = ro,nosuid,idmap=container",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.rootfs.options\":[\"nosuid,idmap=container\"]}}", "w" },
	{ "lxc.rootfs.options = noatime", "moorage.native", "{\"lxc\":{\"lxc.rootfs.options\":[\"noatime\"]}}", "d" },
	{ "lxc.rootfs.mount = /x", "moorage.native", "{\"lxc\":{\"lxc.rootfs.mount\":[\"/x\"]}}", "d" },
	{ "lxc.rootfs.managed = 0", "moorage.native", "{\"lxc\":{\"lxc.rootfs.managed\":[\"0\"]}}", "d" },
	{ "lxc.ephemeral = 1", "moorage.ephemeral", "", "d" },
	{ "lxc.uts.name = a.b", "hostname", "\"a.b\"", "c" },
	{ "lxc.utsname = a", "hostname", "\"a\"", "c" },
	{ "lxc.uts.name = \"a\"", "hostname", "\"a\"", "c" },
	{ "lxc.uts.name = a\nlxc.uts.name = b", "hostname", "\"b\"", "cc" },
	{ "lxc.arch = x86_64", "linux.personality", "{\"domain\":\"LINUX\"}", "c" },
	{ "lxc.arch = i686", "linux.personality", "{\"domain\":\"LINUX32\"}", "c" },
	{ "lxc.init.cmd = /sbin/init", "moorage.boot", "true", "c" },
	{ "lxc.init.cmd = /sbin/init", "process.args", "", "c" },
	{ "lxc.init.cmd = /lib/systemd/systemd --user", "process.args", "[\"/lib/systemd/systemd\",\"--user\"]", "c" },
	{ "lxc.init.cmd = /bin/a  b 'c d'", "process.args", "[\"/bin/a\",\"b\",\"'c\",\"d'\"]", "c" },
	{ "lxc.init.cmd = /bin/a", "moorage.boot", "", "c" },
	{ "lxc.execute.cmd = /bin/a b", "moorage.init", "true", "c" },
	{ "lxc.execute.cmd = /bin/a b", "process.args", "[\"/bin/a\",\"b\"]", "c" },
	{ "lxc.init.cmd = /bin/a\nlxc.execute.cmd = /bin/b", "process.args", "[\"/bin/a\"]", "cd" },
	{ "lxc.init_cmd = /bin/a", "process.args", "[\"/bin/a\"]", "c" },
	{ "lxc.init.cwd = /tmp", "process.cwd", "\"/tmp\"", "c" },
	{ "lxc.init.uid = 1000\nlxc.init.gid = 0x10", "process.user.uid", "1000", "cc" },
	{ "lxc.init.uid = 1000\nlxc.init.gid = 0x10", "process.user.gid", "16", "cc" },
	{ "lxc.init.groups = 5, 6\nlxc.init.groups = 7", "process.user.additionalGids", "[5,6,7]", "cc" },
	{ "lxc.environment = A=1\nlxc.environment = B=\"x y\"\nlxc.environment = A=2",
	  "process.env",
	  "[\"A=2\",\"B=\\\"x y\\\"\"]", "ccc" },
	{ "lxc.environment = \"A= b \"", "process.env", "[\"A= b \"]", "c" },
	{ "lxc.environment = A=1\nlxc.environment =\nlxc.environment = B=2", "process.env", "[\"B=2\"]", "ccc" },
	{ "lxc.environment = HOME", "moorage.native", "{\"lxc\":{\"lxc.environment\":[\"HOME\"]}}", "d" },
	{ "lxc.signal.halt = SIGTERM", "moorage.stop.signal", "\"SIGTERM\"", "c" },
	{ "lxc.signal.halt = SIGRTMIN+3", "moorage.stop.signal", "\"SIGRTMIN+3\"", "c" },
	{ "lxc.signal.halt = SIGRTMAX-3", "moorage.stop.signal", "\"SIGRTMIN+27\"", "c" },
	{ "lxc.haltsignal = 30", "moorage.stop.signal", "\"SIGPWR\"", "c" },
	{ "lxc.signal.reboot = SIGINT\nlxc.signal.stop = SIGKILL",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.signal.reboot\":[\"SIGINT\"],\"lxc.signal.stop\":[\"SIGKILL\"]}}", "dd" },
	{ "lxc.start.auto = 1", "moorage.autostart", "true", "c" },
	{ "lxc.start.auto = 0", "moorage.autostart", "false", "c" },
	{ "lxc.start.order = 5\nlxc.start.delay = 3\nlxc.group = onboot,a b",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.start.order\":[\"5\"],\"lxc.start.delay\":[\"3\"],\"lxc.group\":[\"onboot,a b\"]}}", "ddd" },
	{ "lxc.cap.drop = sys_module mac_admin\nlxc.cap.drop = 0", "process.capabilities.ambient", "[]", "cc" },
	{ "lxc.cap.keep = chown 5", "process.capabilities.bounding", "[\"CAP_CHOWN\",\"CAP_KILL\"]", "c" },
	{ "lxc.cap.keep = chown kill", "process.capabilities.effective", "[\"CAP_CHOWN\",\"CAP_KILL\"]", "c" },
	{ "lxc.cap.keep = chown none", "process.capabilities.bounding", "[]", "c" },
	{ "lxc.no_new_privs = 1", "process.noNewPrivileges", "true", "c" },
	{ "lxc.apparmor.profile = lxc-container-default", "process.apparmorProfile", "\"lxc-container-default\"", "c" },
	{ "lxc.aa_profile = unconfined", "process.apparmorProfile", "\"unconfined\"", "c" },
	{ "lxc.apparmor.profile = generated\nlxc.apparmor.allow_nesting = 1\nlxc.apparmor.raw = a\nlxc.apparmor.raw = b",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.apparmor.profile\":[\"generated\"],\"lxc.apparmor.allow_nesting\":[\"1\"],\"lxc.apparmor.raw\":[\"a\",\""
	  "b\"]}}", "wddd" },
	{ "lxc.apparmor.profile = unchanged", "moorage.native", "{\"lxc\":{\"lxc.apparmor.profile\":[\"unchanged\"]}}", "d" },
	{ "lxc.apparmor.allow_incomplete = 1", "moorage.native", "{\"lxc\":{\"lxc.apparmor.allow_incomplete\":[\"1\"]}}", "d" },
	{ "lxc.selinux.context = system_u:system_r:lxc_t:s0:c22",
	  "process.selinuxLabel",
	  "\"system_u:system_r:lxc_t:s0:c22\"", "c" },
	{ "lxc.selinux.context.keyring = x", "moorage.native", "{\"lxc\":{\"lxc.selinux.context.keyring\":[\"x\"]}}", "d" },
	{ "lxc.seccomp.profile = /x", "moorage.native", "{\"lxc\":{\"lxc.seccomp.profile\":[\"/x\"]}}", "w" },
	{ "lxc.seccomp.allow_nesting = 1\nlxc.seccomp.notify.proxy = unix:/x\nlxc.seccomp.notify.cookie = a",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.seccomp.allow_nesting\":[\"1\"],\"lxc.seccomp.notify.proxy\":[\"unix:/x\"],\"lxc.seccomp.notify.cookie\""
	  ":[\"a\"]}}", "ddd" },
	{ "lxc.keyring.session = 0", "moorage.native", "{\"lxc\":{\"lxc.keyring.session\":[\"0\"]}}", "d" },
	{ "lxc.sched.core = 1", "moorage.native", "{\"lxc\":{\"lxc.sched.core\":[\"1\"]}}", "w" },
	{ "lxc.sched.core = 0", "moorage.native", "{\"lxc\":{\"lxc.sched.core\":[\"0\"]}}", "c" },
	{ "lxc.namespace.clone = mnt pid", "linux.namespaces.network", "host", "c" },
	{ "lxc.namespace.clone = MNT net", "linux.namespaces.network", "new", "c" },
	{ "lxc.namespace.keep = net ipc", "linux.namespaces.ipc", "host", "c" },
	{ "lxc.namespace.keep = net", "linux.namespaces.user", "new", "c" },
	{ "lxc.namespace.keep = net", "linux.namespaces.time", "new", "c" },
	{ "lxc.namespace.share.net = 17", "linux.namespaces.network", "/proc/17/ns/net", "c" },
	{ "lxc.namespace.share.ipc = other", "moorage.native", "{\"lxc\":{\"lxc.namespace.share.ipc\":[\"other\"]}}", "d" },
	{ "lxc.uts.name = a\nlxc.namespace.keep = uts", "hostname", "", "dc" },
	{ "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 200000 65536",
	  "linux.uidMappings",
	  "[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]", "cc" },
	{ "lxc.id_map = u 0 100000 1000\nlxc.id_map = u 1000 1000 1\nlxc.id_map = g 0 200000 5",
	  "linux.uidMappings",
	  "[{\"containerID\":0,\"hostID\":100000,\"size\":1000},{\"containerID\":1000,\"hostID\":1000,\"size\":1}]", "ccc" },
	{ "lxc.idmap = g 0 200000 65536", "linux.gidMappings", "[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]", "c" },
	{ "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536", "linux.namespaces.user", "new", "cc" },
	{ "lxc.time.offset.boot = 2h", "linux.timeOffsets", "{\"boottime\":{\"secs\":7200,\"nanosecs\":0}}", "c" },
	{ "lxc.time.offset.boot = 5s\nlxc.time.offset.boot = 3ms\nlxc.time.offset.monotonic = 7 us",
	  "linux.timeOffsets",
	  "{\"boottime\":{\"secs\":5,\"nanosecs\":0},\"monotonic\":{\"secs\":0,\"nanosecs\":7000}}", "ccc" },
	{ "lxc.autodev = 0", "mounts", "", "c" },
	{ "lxc.autodev.tmpfs.size = 1000",
	  "mounts",
	  "[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\",\"size=1000\"]}]", "c" },
	{ "lxc.autodev = 0\nlxc.pty.max = 16",
	  "mounts",
	  "[{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\","
	  "\"mode=0620\",\"gid=5\",\"max=16\"]}]", "cc" },
	{ "lxc.pts = 16\nlxc.autodev = 0",
	  "mounts",
	  "[{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\","
	  "\"mode=0620\",\"gid=5\",\"max=16\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.auto = proc:rw sys:ro",
	  "mounts",
	  "[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"nodev\",\"noexec\"]},{\"dest"
	  "ination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"nodev\",\"noexec\",\"ro\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.auto = proc:rw\nlxc.mount.auto = sys:rw proc:mixed",
	  "linux.readonlyPaths",
	  "[\"/proc/sys\",\"/proc/sysrq-trigger\"]", "cca" },
	{ "lxc.autodev = 0\nlxc.mount.auto = cgroup:mixed", "mounts", "", "ca" },
	{ "lxc.autodev = 0\nlxc.mount.auto = cgroup:ro:force",
	  "mounts",
	  "[{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"nodev\",\"noexe"
	  "c\",\"ro\"]}]", "ca" },
	{ "lxc.autodev = 0\nlxc.mount.auto = proc\nlxc.mount.auto =", "mounts", "", "ccc" },
	{ "lxc.mount.auto = shmounts:/a:/b proc:rw", "moorage.native", "{\"lxc\":{\"lxc.mount.auto\":[\"shmounts:/a:/b\"]}}", "d" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a b none bind 0 0",
	  "mounts",
	  "[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a\\040b /c\\134d none rbind,ro",
	  "mounts",
	  "[{\"destination\":\"/c\\\\d\",\"type\":\"bind\",\"source\":\"/a b\",\"options\":[\"rbind\",\"ro\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = tmpfs tmp tmpfs nosuid,size=5m,create=dir 0 0",
	  "mounts",
	  "[{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"size=5m\"]}]", "cc" },
	{ "lxc.mount.entry = /a b none bind,optional,create=file 0 0",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.mount.options\":[\"/b optional,create=file\"]}}", "a" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a b none bind,sync,rro,tmpcopyup 0 0",
	  "mounts",
	  "[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a b none bind,nosuid,noexec 0 0",
	  "mounts",
	  "[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\",\"nosuid\",\"noexec\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a b none bind,ro,nosuid 0 0",
	  "mounts",
	  "[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\",\"ro\",\"nosuid\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = /a b none bind,idmap=container 0 0",
	  "mounts",
	  "[{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap\"]}]", "cc" },
	{ "lxc.mount.entry = /a b none bind,idmap=/proc/1/ns/user 0 0",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.mount.entry\":[\"/a b none bind,idmap=/proc/1/ns/user 0 0\"]}}", "d" },
	{ "lxc.mount.entry = a b none bind 0 0", "moorage.native", "{\"lxc\":{\"lxc.mount.entry\":[\"a b none bind 0 0\"]}}", "d" },
	{ "lxc.mount.entry = none proc none rshared",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.mount.entry\":[\"none proc none rshared\"]}}", "d" },
	{ "lxc.autodev = 0\nlxc.rootfs.path = /srv/a\nlxc.mount.entry = /x /srv/a/y none bind",
	  "mounts",
	  "[{\"destination\":\"/y\",\"type\":\"bind\",\"source\":\"/x\",\"options\":[\"bind\"]}]", "ccc" },
	{ "lxc.rootfs.path = /srv/a\nlxc.mount.entry = /x /y none bind",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.mount.entry\":[\"/x /y none bind\"]}}", "cd" },
	{ "lxc.autodev = 0\nlxc.rootfs.path = /srv/a\nlxc.mount.entry = etc/x y none bind,relative",
	  "mounts",
	  "[{\"destination\":\"/y\",\"type\":\"bind\",\"source\":\"/srv/a/etc/x\",\"options\":[\"bind\"]}]", "cca" },
	{ "lxc.mount.entry = /dev/null proc/kcore none bind,optional", "linux.maskedPaths", "[\"/proc/kcore\"]", "c" },
	{ "lxc.mount.entry = tmpfs proc/acpi tmpfs ro,optional,size=4k", "linux.maskedPaths", "[\"/proc/acpi\"]", "c" },
	{ "lxc.mount.entry = dev/null proc/kcore none bind,relative,optional", "linux.maskedPaths", "[\"/proc/kcore\"]", "c" },
	{ "lxc.mount.entry = proc/bus proc/bus none rbind,ro,optional,relative", "linux.readonlyPaths", "[\"/proc/bus\"]", "c" },
	{ "lxc.autodev = 0\nlxc.mount.entry = proc proc proc nodev,noexec,nosuid",
	  "mounts",
	  "[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"nodev\",\"noexec\"]}]", "cc" },
	{ "lxc.autodev = 0\nlxc.mount.entry = proc proc proc hidepid=2",
	  "mounts",
	  "[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"hidepid=2\"]}]", "cc" },
	{ "lxc.mount.entry = # none",
	  "mounts",
	  "[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\",\"size=500000\"]}]", "c" },
	{ "lxc.net.0.type = none", "linux.namespaces.network", "host", "c" },
	{ "lxc.net.0.type = empty\nlxc.net.0.flags = up", "moorage.networks", "", "cc" },
	{ "lxc.net.0.type = empty", "linux.namespaces.network", "new", "a" },
	{ "lxc.net.0.type = veth\nlxc.net.0.link = br0\nlxc.net.0.name = eth0\nlxc.net.0.veth.pair = v0\nlxc.net.0.veth.mode = router",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"link\":\"br0\",\"name\":\"eth0\",\"pair\":\"v0\",\"mode\":\"router\"}]", "ccccc" },
	{ "lxc.net.3.type = phys\nlxc.net.3.link = eth1\nlxc.net.1.type = veth",
	  "moorage.networks",
	  "[{\"type\":\"veth\"},{\"type\":\"phys\",\"link\":\"eth1\"}]", "ccc" },
	{ "lxc.net.0.type = macvlan\nlxc.net.0.link = eth0",
	  "moorage.networks",
	  "[{\"type\":\"macvlan\",\"link\":\"eth0\",\"mode\":\"private\"}]", "cc" },
	{ "lxc.net.0.type = macvlan\nlxc.net.0.macvlan.mode = bridge",
	  "moorage.networks",
	  "[{\"type\":\"macvlan\",\"mode\":\"bridge\"}]", "cc" },
	{ "lxc.net.0.type = ipvlan\nlxc.net.0.ipvlan.mode = l2\nlxc.net.0.ipvlan.isolation = vepa",
	  "moorage.networks",
	  "[{\"type\":\"ipvlan\",\"mode\":\"l2\",\"isolation\":\"vepa\"}]", "ccc" },
	{ "lxc.net.0.type = vlan\nlxc.net.0.vlan.id = 0x10\nlxc.net.0.mtu = 1400",
	  "moorage.networks",
	  "[{\"type\":\"vlan\",\"mtu\":1400,\"vlan\":16}]", "ccc" },
	{ "lxc.net.0.type = veth\nlxc.net.0.hwaddr = 00:16:3e:xx:xx:01\nlxc.net.0.flags = down",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"hwaddr\":\"00:16:3e:xx:xx:01\",\"up\":true}]", "cca" },
	{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.5/24\nlxc.net.0.ipv4.address = 10.0.0.200\n"
	  "lxc.net.0.ipv6.address = fd00::5",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"addresses\":[\"10.0.0.5/24\",\"10.0.0.200/24\",\"fd00::5/64\"]}]", "ccac" },
	{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.5/24 10.0.0.255",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"addresses\":[\"10.0.0.5/24\"]}]", "ca" },
	{ "lxc.net.0.type = veth\nlxc.net.0.ipv4.gateway = auto\nlxc.net.0.ipv6.gateway = fd00::1",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"gateway4\":\"auto\",\"gateway6\":\"fd00::1\"}]", "ccc" },
	{ "lxc.net.0.type = veth\nlxc.net.0.foo = 1", "moorage.native", "{\"lxc\":{\"lxc.net.0.foo\":[\"1\"]}}", "cd" },
	{ "lxc.net.0.type = veth\nlxc.net.0.veth.ipv4.route = 10.1.0.0/16\nlxc.net.0.veth.ipv6.route = fd01::/48\nlxc.net.0.l2proxy = 1",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"routes\":[\"10.1.0.0/16\",\"fd01::/48\"],\"l2proxy\":true}]", "cccc" },
	{ "lxc.net.0.type = veth\nlxc.net.0.veth.vlan.id = none\nlxc.net.0.veth.vlan.tagged.id = 5\nlxc.net.0.veth.vlan.tagged.id = 6",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"vlan\":\"none\",\"vlanTagged\":[5,6]}]", "cccc" },
	{ "lxc.net.0.type = veth\nlxc.net.0.veth.n_rxqueues = 2\nlxc.net.0.veth.n_txqueues = 3\nlxc.net.0.script.up = /x a\n"
	  "lxc.net.0.script.down = /y",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"rxQueues\":2,\"txQueues\":3,\"scriptUp\":\"/x a\",\"scriptDown\":\"/y\"}]", "ccccc" },
	{ "lxc.net.0.link = br0\nlxc.net.0.type = veth", "moorage.networks", "[{\"type\":\"veth\"}]", "ac" },
	{ "lxc.net.0.type = veth\nlxc.net.1.type = veth\nlxc.net.0 =", "moorage.networks", "[{\"type\":\"veth\"}]", "ccc" },
	{ "lxc.net.0.type = veth\nlxc.net =", "moorage.networks", "", "cc" },
	{ "lxc.net.0.type = veth\nlxc.net.1.type = none", "moorage.networks", "[{\"type\":\"veth\"}]", "ca" },
	{ "lxc.network.type = veth\nlxc.network.link = br0\nlxc.network.ipv4 = 10.0.0.5/24\nlxc.network.type = macvlan\n"
	  "lxc.network.link = eth0",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"link\":\"br0\",\"addresses\":[\"10.0.0.5/24\"]},{\"type\":\"macvlan\",\"link\":\"eth0\",\"mode\":"
	  "\"private\"}]", "ccccc" },
	{ "lxc.network.0.type = veth\nlxc.network.0.ipv4.gateway = auto",
	  "moorage.networks",
	  "[{\"type\":\"veth\",\"gateway4\":\"auto\"}]", "cc" },
	{ "lxc.prlimit.nofile = 100:200\nlxc.prlimit.core = unlimited\nlxc.limit.nice = 5",
	  "process.rlimits",
	  "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":200,\"soft\":100},{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\""
	  ":18446744073709551615},{\"type\":\"RLIMIT_NICE\",\"hard\":5,\"soft\":5}]", "ccc" },
	{ "lxc.prlimit.nofile = 100\nlxc.prlimit =", "process.rlimits", "", "cc" },
	{ "lxc.sysctl.net.ipv4.ip_forward = 1\nlxc.sysctl.kernel.shm_rmid_forced = 1",
	  "linux.sysctl",
	  "{\"net.ipv4.ip_forward\":\"1\",\"kernel.shm_rmid_forced\":\"1\"}", "cc" },
	{ "lxc.sysctl.kernel.msgmax = 1\nlxc.mount.auto = proc:mixed", "linux.sysctl", "", "da" },
	{ "lxc.proc.oom_score_adj = 10\nlxc.proc.timerslack_ns = 5", "process.oomScoreAdj", "10", "cd" },
	{ "lxc.cgroup.dir = a/b", "linux.cgroupsPath", "\"/a/b\"", "c" },
	{ "lxc.cgroup.dir.monitor = m\nlxc.cgroup.dir.monitor.pivot = p\nlxc.cgroup.dir.container = c\n"
	  "lxc.cgroup.dir.container.inner = i\nlxc.cgroup.relative = 1",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.cgroup.dir.monitor\":[\"m\"],\"lxc.cgroup.dir.monitor.pivot\":[\"p\"],\"lxc.cgroup.dir.container\":[\"c"
	  "\"],\"lxc.cgroup.dir.container.inner\":[\"i\"],\"lxc.cgroup.relative\":[\"1\"]}}", "ddddd" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5M", "linux.resources.memory.limit", "5242880", "c" },
	{ "lxc.cgroup2.memory.max = max", "linux.resources.memory.limit", "-1", "c" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5M\nlxc.cgroup2.memory.max = 5242880",
	  "linux.resources.memory.limit",
	  "5242880", "cc" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5M\nlxc.cgroup2.memory.max = 6M", "linux.resources.memory.limit", "6291456", "dc" },
	{ "lxc.cgroup2.memory.max = 4M\nlxc.cgroup2.memory.swap.max = 1M", "linux.resources.memory.swap", "5242880", "cc" },
	{ "lxc.cgroup.memory.limit_in_bytes = 4M\nlxc.cgroup.memory.memsw.limit_in_bytes = 5M",
	  "linux.resources.memory.swap",
	  "5242880", "cc" },
	{ "lxc.cgroup2.memory.swap.max = 1M", "linux.resources.unified", "{\"memory.swap.max\":\"1048576\"}", "c" },
	{ "lxc.cgroup.memory.soft_limit_in_bytes = 1M\nlxc.cgroup2.memory.low = 1M",
	  "linux.resources.memory.reservation",
	  "1048576", "cc" },
	{ "lxc.cgroup.memory.swappiness = 5", "linux.resources.memory.swappiness", "5", "c" },
	{ "lxc.cgroup.memory.oom_control = 1", "linux.resources.memory.disableOOMKiller", "true", "c" },
	{ "lxc.cgroup.cpu.shares = 512", "linux.resources.cpu.shares", "512", "c" },
	{ "lxc.cgroup2.cpu.weight = 50", "linux.resources.cpu.shares", "512", "c" },
	{ "lxc.cgroup.cpu.shares = 513\nlxc.cgroup2.cpu.weight = 50", "linux.resources.cpu.shares", "513", "cc" },
	{ "lxc.cgroup.cpu.shares = 100\nlxc.cgroup2.cpu.weight = 50", "linux.resources.cpu.shares", "512", "dc" },
	{ "lxc.cgroup2.cpu.max = 5000 10000", "linux.resources.cpu.quota", "5000", "c" },
	{ "lxc.cgroup2.cpu.max = 5000 10000", "linux.resources.cpu.period", "10000", "c" },
	{ "lxc.cgroup2.cpu.max = max", "linux.resources.cpu.quota", "-1", "c" },
	{ "lxc.cgroup.cpu.cfs_quota_us = 5000\nlxc.cgroup.cpu.cfs_period_us = 10000", "linux.resources.cpu.period", "10000", "cc" },
	{ "lxc.cgroup2.cpu.max.burst = 100\nlxc.cgroup2.cpu.idle = 1", "linux.resources.cpu.burst", "100", "cc" },
	{ "lxc.cgroup.cpuset.cpus = 0-3\nlxc.cgroup2.cpuset.cpus = 0-3\nlxc.cgroup2.cpuset.mems = 0",
	  "linux.resources.cpu.cpus",
	  "\"0-3\"", "ccc" },
	{ "lxc.cgroup2.pids.max = 10", "linux.resources.pids.limit", "10", "c" },
	{ "lxc.cgroup2.pids.max = max", "linux.resources.pids.limit", "-1", "c" },
	{ "lxc.cgroup2.pids.max = 0", "linux.resources.unified", "{\"pids.max\":\"0\"}", "c" },
	{ "lxc.cgroup.blkio.weight = 500\nlxc.cgroup2.io.weight = default 100", "linux.resources.blockIO.weight", "500", "cc" },
	{ "lxc.cgroup2.io.weight = 5000", "linux.resources.unified", "{\"io.weight\":\"5000\"}", "c" },
	{ "lxc.cgroup2.io.max = 8:0 rbps=5 wiops=max",
	  "linux.resources.blockIO.throttleReadBpsDevice",
	  "[{\"major\":8,\"minor\":0,\"rate\":5}]", "c" },
	{ "lxc.cgroup2.io.max = 8:0 rbps=5 wiops=max",
	  "linux.resources.blockIO.throttleWriteIOPSDevice",
	  "[{\"major\":8,\"minor\":0,\"rate\":0}]", "c" },
	{ "lxc.cgroup.blkio.throttle.write_bps_device = 8:0 7",
	  "linux.resources.blockIO.throttleWriteBpsDevice",
	  "[{\"major\":8,\"minor\":0,\"rate\":7}]", "c" },
	{ "lxc.cgroup2.hugetlb.2MB.max = 4M\nlxc.cgroup.hugetlb.2MB.limit_in_bytes = 4M",
	  "linux.resources.hugepageLimits",
	  "[{\"pageSize\":\"2MB\",\"limit\":4194304}]", "cc" },
	{ "lxc.cgroup2.hugetlb.2MB.max = 4M\nlxc.cgroup.hugetlb.2MB.limit_in_bytes = 6M", "linux.resources.hugepageLimits",
	  "[{\"pageSize\":\"2MB\",\"limit\":4194304}]", "cd" },
	{ "lxc.cgroup2.hugetlb.2MB.max = 4M\nlxc.cgroup.hugetlb.1GB.limit_in_bytes = 6M", "linux.resources.hugepageLimits",
	  "[{\"pageSize\":\"2MB\",\"limit\":4194304},{\"pageSize\":\"1GB\",\"limit\":6291456}]", "cc" },
	{ "lxc.cgroup.pids.max = 5\nlxc.cgroup2.pids.max = 6", "moorage.native", "{\"lxc\":{\"lxc.cgroup.pids.max\":[\"5\"]}}", "dc" },
	{ "lxc.cgroup2.memory.high = 5M\nlxc.cgroup2.memory.min = 1M",
	  "linux.resources.unified",
	  "{\"memory.high\":\"5M\",\"memory.min\":\"1M\"}", "cc" },
	{ "lxc.cgroup2.memory.high = 5M\nlxc.cgroup2.memory.high = 6M",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.cgroup2.memory.high\":[\"5M\"]}}", "dc" },
	{ "lxc.cgroup.net_cls.classid = 5", "moorage.native", "{\"lxc\":{\"lxc.cgroup.net_cls.classid\":[\"5\"]}}", "d" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5M\nlxc.cgroup =", "linux.resources.memory.limit", "", "cc" },
	{ "lxc.cgroup2.memory.max = 5M\nlxc.cgroup2.memory.max =", "linux.resources.memory.limit", "", "cc" },
	{ "lxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.allow = c 1:3 rwm\nlxc.cgroup2.devices.allow = b 8:* r",
	  "linux.resources.devices",
	  "[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":"
	  "\"rwm\"},{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"r\"}]", "ccc" },
	{ "lxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = /dev/fuse rw",
	  "linux.resources.devices",
	  "[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access"
	  "\":\"rw\"}]", "cc" },
	{ "lxc.cgroup.devices.deny = a\nlxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.allow = c *:* m",
	  "linux.resources.devices",
	  "[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"access\":\"m\"}]", "dcc" },
	{ "lxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = /dev/sdx rw",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.cgroup.devices\":[\"deny a\",\"allow /dev/sdx rw\"]}}", "ww" },
	{ "lxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.deny =", "linux.resources.devices", "", "cc" },
	{ "lxc.console.path = none\nlxc.console.logfile = /x\nlxc.console.buffer.size = auto\nlxc.console.size = 1MB\n"
	  "lxc.console.rotate = 1",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.console.path\":[\"none\"],\"lxc.console.logfile\":[\"/x\"],\"lxc.console.buffer.size\":[\"auto\"],\"lxc."
	  "console.size\":[\"1MB\"],\"lxc.console.rotate\":[\"1\"]}}", "ddddd" },
	{ "lxc.tty.max = 4\nlxc.tty.dir = lxc", "moorage.native", "{\"lxc\":{\"lxc.tty.max\":[\"4\"],\"lxc.tty.dir\":[\"lxc\"]}}", "dd" },
	{ "lxc.console = none\nlxc.tty = 4\nlxc.devttydir = lxc",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.console.path\":[\"none\"],\"lxc.tty.max\":[\"4\"],\"lxc.tty.dir\":[\"lxc\"]}}", "ddd" },
	{ "lxc.hook.pre-start = /a b\nlxc.hook.pre-start = /c\nlxc.hook.version = 1",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.hook.pre-start\":[\"/a b\",\"/c\"],\"lxc.hook.version\":[\"1\"]}}", "ddd" },
	{ "lxc.hook.start = /a\nlxc.hook =", "moorage.native", "", "cc" },
	{ "lxc.hook.start-host = /a\nlxc.hook.pre-mount = /a\nlxc.hook.mount = /a\nlxc.hook.autodev = /a\nlxc.hook.stop = /a\n"
	  "lxc.hook.post-stop = /a\nlxc.hook.clone = /a\nlxc.hook.destroy = /a",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.hook.start-host\":[\"/a\"],\"lxc.hook.pre-mount\":[\"/a\"],\"lxc.hook.mount\":[\"/a\"],\"lxc.hook.autode"
	  "v\":[\"/a\"],\"lxc.hook.stop\":[\"/a\"],\"lxc.hook.post-stop\":[\"/a\"],\"lxc.hook.clone\":[\"/a\"],\"lxc.hook.destroy\""
	  ":[\"/a\"]}}", "dddddddd" },
	{ "lxc.log.level = DEBUG\nlxc.log.file = /x\nlxc.log.syslog = daemon",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.log.level\":[\"DEBUG\"],\"lxc.log.file\":[\"/x\"],\"lxc.log.syslog\":[\"daemon\"]}}", "ddd" },
	{ "lxc.loglevel = 1\nlxc.logfile = /x",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.log.level\":[\"1\"],\"lxc.log.file\":[\"/x\"]}}", "dd" },
	{ "lxc.monitor.unshare = 1\nlxc.monitor.signal.pdeath = SIGKILL",
	  "moorage.native",
	  "{\"lxc\":{\"lxc.monitor.unshare\":[\"1\"],\"lxc.monitor.signal.pdeath\":[\"SIGKILL\"]}}", "dd" },
	{ "lxc.kmsg = 1\nlxc.pivotdir = x", "moorage.native", "", "dd" },
	{ "lxc.some.new = 1", "moorage.native", "{\"lxc\":{\"lxc.some.new\":[\"1\"]}}", "d" },
	{ "lxc.cap.new = 1", "moorage.native", "{\"lxc\":{\"lxc.cap.new\":[\"1\"]}}", "w" },
	{ "arch: amd64", "moorage.native", "", "d" },
	{ "lxc.uts.name = a # b", "hostname", "\"a # b\"", "c" },
	{ "  \tlxc.uts.name=a\r\n\r", "hostname", "\"a\"", "c" },
};

/* The letters of the verdicts, a row each. */
static char *letters_of(const char *report)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	for (const char *row = report; row && *row; row = strchr(row, '\n') + 1)
		buffer_add(&b, strchr(row, ' ') + 1, 1);
	return b.text;
}

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct buffer report = { 0 };
		struct mrg_spec *spec = read_lxc(lines[i].config, &report);
		_cleanup_free_ char *value = lxc_field_text(spec, lines[i].field), *letters = letters_of(report.text);

		if (strcmp(value, lines[i].value) != 0 || strcmp(letters, lines[i].report) != 0)
			fail_msg("%s\n%s is %s\n%s", lines[i].config, lines[i].field, value, report.text);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

/* Every key of the table has a case. */
static void test_all_keys_have_cases(void **state)
{
	(void)state;
	for (const struct key *key = lxc_keys; key->name; key++) {
		size_t length = strcspn(key->name, "*");
		bool found = key->name[0] == '(' || strcmp(key->name, "lxc.include") == 0 || strcmp(key->name, "lxc.mount.fstab") == 0;

		for (size_t i = 0; i < ARRAY_SIZE(lines) && !found; i++) {
			const char *at = strstr(lines[i].config, key->name);

			at = key->name[length] ? NULL : at;
			for (const char *part = lines[i].config; key->name[length] && (part = strstr(part, "lxc.")) && !at; part++)
				at = strncmp(part, key->name, length) == 0 ? part : NULL;
			found = at != NULL;
		}
		/* What clears all of a kind: "lxc.sysctl", "lxc.proc", "lxc.cgroup2" go as their kin do. */
		if (!found && strcmp(key->name, "lxc.sysctl") != 0 && strcmp(key->name, "lxc.proc") != 0)
			fail_msg("%s has no case", key->name);
	}
}

static void test_keys_are_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_lxc_stable(lines[i].config);
}

/* What excludes each other cannot be put together at random. */
static bool is_alone(const char *config)
{
	return strstr(config, "lxc.cap.") || strstr(config, "lxc.namespace.") || strstr(config, "lxc.net.") ||
	       strstr(config, "lxc.prlimit") || strstr(config, "lxc.limit");
}

static void test_combinations_are_stable(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct buffer b = { 0 };

		buffer_add(&b, "", 0);
		for (int i = 0; i < 15; i++) {
			const char *config;

			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			config = lines[seed % ARRAY_SIZE(lines)].config;
			if (!is_alone(config) || (i == 0 && !strstr(config, "lxc.cap.keep")))
				buffer_addf(&b, "%s\n", config);
		}
		assert_lxc_stable(b.text);
		buffer_deinit(&b);
	}
}

/* ---- writing ----------------------------------------------------------------------------------- */

struct loss {
	const char *json;		/* a spec without ociVersion */
	const char *field;
	const char *row;		/* verdict, target and note of its row */
	const char *text;		/* is written; "": look at nothing */
};

#define NAMESPACES	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"uts\"},{\"type\":\"ipc\"}," \
			"{\"type\":\"network\"},{\"type\":\"cgroup\"}]"

static const struct loss losses[] = {
	{ "\"process\":{\"args\":[\"/bin/a\",\"b\"]}", "process.args", "carried lxc.init.cmd", "\nlxc.init.cmd = /bin/a b\n" },
	{ "\"process\":{\"args\":[\"/bin/a\",\"b\"]},\"moorage\":{\"init\":true}", "process.args", "carried lxc.execute.cmd",
	  "\nlxc.execute.cmd = /bin/a b\n" },
	{ "\"moorage\":{\"boot\":true}", "moorage.boot", "carried lxc.init.cmd", "\nlxc.init.cmd = /sbin/init\n" },
	{ "\"process\":{\"args\":[\"/bin/a\",\"b c\"]}", "process.args",
	  "dropped -: argument 1 is empty or has a space in it: LXC splits at spaces and knows no quotes", "" },
	{ "\"process\":{\"args\":[\"/bin/a\",\"\"]}", "process.args",
	  "dropped -: argument 1 is empty or has a space in it: LXC splits at spaces and knows no quotes", "" },
	{ "\"process\":{\"args\":[\"/bin/a\",\"b\\nc\"]}", "process.args",
	  "dropped -: is empty, too long or has a newline: no line can hold it", "" },
	{ "\"process\":{\"env\":[\"A=1\",\"B=x\\ny\",\"C= 2 \"]}", "process.env",
	  "dropped -: 'B' has a newline, or is no variable: no line can hold it", "\nlxc.environment = \"C= 2 \"\n" },
	{ "\"process\":{\"env\":[\"A='1'\"]}", "process.env", "carried lxc.environment", "\nlxc.environment = A='1'\n" },
	{ "\"hostname\":\"a\"", "hostname", "dropped -: without a uts namespace it would rename the host", "" },
	{ "\"hostname\":\"a\\nb\"," NAMESPACES "}", "hostname", "dropped -: is empty, too long or has a newline: no line can hold it", "" },
	{ "\"root\":{\"path\":\"/a\\nb\"}", "root.path", "weakens -: is no absolute path that a line can hold", "" },
	{ "\"root\":{\"path\":\"/a:b\"}", "root.path", "carried lxc.rootfs.path", "lxc.rootfs.path = dir:/a:b\n" },
	{ "\"root\":{\"path\":\"/a\",\"readonly\":true},\"linux\":{\"rootfsPropagation\":\"rslave\"}", "linux.rootfsPropagation",
	  "carried lxc.rootfs.options", "\nlxc.rootfs.options = ro,rslave\n" },
	{ "\"process\":{\"apparmorProfile\":\"a\\nb\"}", "process.apparmorProfile",
	  "weakens -: is empty, too long or has a newline: no line can hold it", "" },
	{ "\"moorage\":{\"user\":\"www-data\"}", "moorage.user",
	  "weakens -: LXC looks no names up and starts the process as root: give numbers", "" },
	{ "\"moorage\":{\"user\":\"5:6\"}", "moorage.user", "carried lxc.init.uid", "\nlxc.init.uid = 5\nlxc.init.gid = 6\n" },
	{ "\"moorage\":{\"user\":\"5\"}", "moorage.user", "approximated lxc.init.uid: the group is 0: LXC looks none up", "" },
	{ "\"moorage\":{\"ephemeral\":true}", "moorage.ephemeral", "weakens -: a configuration of LXC cannot say this", "" },
	{ "\"moorage\":{\"seccompProfile\":\"default\"}", "moorage.seccompProfile", "weakens -: a configuration of LXC cannot say this", "" },
	{ "\"moorage\":{\"seccompProfile\":\"unconfined\"}", "moorage.seccompProfile", "carried lxc.seccomp.profile", "" },
	{ "\"linux\":{\"resources\":{\"memory\":{\"limit\":5}}},\"moorage\":{\"native\":{\"lxc\":{"
	  "\"lxc.cgroup.memory.limit_in_bytes\":[\"6\"]}}}", "linux.resources.memory.limit",
	  "approximated memory.max: for cgroup v1 what was kept verbatim counts",
	  "\nlxc.cgroup.memory.limit_in_bytes = 6\n" },
	{ "\"moorage\":{\"labels\":{\"a\":\"b\"}}", "moorage.labels", "dropped -: a configuration of LXC cannot say this", "" },
	{ "\"process\":{\"terminal\":false}", "process.terminal", "approximated lxc.console.path: LXC gives every container a console", "" },
	{ "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[]}}", "process.capabilities.effective",
	  "weakens -: LXC gives all of the bounding set", "\nlxc.cap.keep = kill\n" },
	{ "\"process\":{\"capabilities\":{\"bounding\":[]}}", "process.capabilities.bounding", "carried lxc.cap.keep",
	  "\nlxc.cap.keep = none\n" },
	{ "\"process\":{\"capabilities\":{\"ambient\":[\"CAP_KILL\"]}}", "process.capabilities.ambient", "dropped -: LXC gives none", "" },
	{ NAMESPACES "}", "linux.namespaces.pid", "carried lxc.namespace.clone", "\nlxc.net.0.type = empty\nlxc.net.0.flags = up\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}", "linux.namespaces.pid", "carried lxc.namespace.clone",
	  "lxc.namespace.clone = mnt pid\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}", "linux.namespaces.pid", "carried lxc.namespace.clone",
	  "\nlxc.net.0.type = none\n" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/a\"}]}", "linux.namespaces.network",
	  "dropped -: LXC joins namespaces of a process only: /proc/PID/ns/net", "" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/7/ns/net\"}]}", "linux.namespaces.network",
	  "carried lxc.namespace.share", "\nlxc.namespace.share.net = 7\n" },
	{ "\"process\":{\"user\":{\"additionalGids\":[5]}},\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
	  "process.user.additionalGids", "dropped -: LXC ignores groups in a user namespace", "\nlxc.init.groups = 5\n" },
	{ "\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":5,\"nanosecs\":3}}}", "linux.timeOffsets",
	  "approximated lxc.time.offset: LXC sets whole seconds or parts of one, not both", "\nlxc.time.offset.boot = 5s\n" },
	{ "\"mounts\":[{\"destination\":\"/a b\",\"type\":\"bind\",\"source\":\"/c\\\\d\",\"options\":[\"rbind\",\"ro\"]}]", "mounts",
	  "carried lxc.mount.auto", "\nlxc.mount.entry = /c\\134d a\\040b none rbind,ro,create=dir 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/c\",\"options\":[\"bind\",\"nodev\",\"nosuid\"]}]", "mounts",
	  "weakens -: LXC gives a bind mount nosuid, nodev and noexec only where it is read-only",
	  "\nlxc.mount.entry = /c a none bind,nodev,nosuid,create=dir 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/c\",\"options\":[\"bind\",\"nodev\",\"ro\"]}]", "mounts",
	  "carried lxc.mount.auto", "\nlxc.mount.entry = /c a none bind,nodev,ro,create=dir 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/dev/fuse\",\"source\":\"/dev/fuse\",\"options\":[\"bind\"]}]", "mounts", "carried lxc.mount.auto",
	  "\nlxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[\"rbind\",\"rro\"]}]", "mounts",
	  "weakens -: what is mounted below a mount stays as it is: LXC changes the top only", "none rbind,ro,create=dir 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\\nlxc.x = 1\",\"options\":[\"bind\"]}]", "mounts",
	  "weakens -: a source that no line can hold", "" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"type\":\"overlay\",\"source\":\"o\",\"options\":[\"lowerdir=/relative\"]}]", "mounts",
	  "weakens -: an option that no line can hold, or in which LXC would find one of its own", "" },
	{ "\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"sync\"]}]", "mounts",
	  "approximated lxc.mount.auto: LXC ignores some of its options", "\nlxc.mount.entry = t a tmpfs create=dir 0 0\n" },
	{ "\"mounts\":[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"nosuid\",\"size=1m\"]}]", "mounts",
	  "approximated lxc.mount.auto: /dev and /dev/pts have the mount options that LXC gives them",
	  "lxc.autodev = 1\nlxc.autodev.tmpfs.size = 1048576\n" },
	{ "\"linux\":{\"maskedPaths\":[\"/proc/kcore\",\"/proc/acpi\",\"/x\"]}", "linux.maskedPaths", "carried lxc.mount.entry",
	  "\nlxc.mount.entry = /dev/null proc/kcore none bind,optional 0 0\nlxc.mount.entry = tmpfs proc/acpi tmpfs ro,optional,size=4k 0 0\n"
	  "lxc.mount.entry = /dev/null x none bind,optional 0 0\nlxc.mount.entry = tmpfs x tmpfs ro,optional,size=4k 0 0\n" },
	{ "\"linux\":{\"readonlyPaths\":[\"/proc/bus\"]}", "linux.readonlyPaths", "carried lxc.mount.entry",
	  "\nlxc.mount.entry = proc/bus proc/bus none rbind,ro,optional,relative 0 0\n" },
	{ "\"linux\":{\"maskedPaths\":[\"relative\"]}", "linux.maskedPaths", "weakens -: 'relative' is a path that no line can hold", "" },
	{ "\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/fuse\",\"major\":10,\"minor\":229}]}", "linux.devices",
	  "approximated lxc.mount.entry: the node of the host is bound, with its owner and mode",
	  "\nlxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0\n" },
	{ "\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":99,\"minor\":1}]}", "linux.devices",
	  "dropped -: LXC makes no device nodes, and which node of the host '/dev/x' is, is not known here", "" },
	{ "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"noexec\",\"nosuid\",\"nodev\"]}],"
	  "\"linux\":{\"readonlyPaths\":[\"/proc/sys\"],\"sysctl\":{\"kernel.msgmax\":\"1\"}}", "linux.sysctl",
	  "dropped -: 'kernel.msgmax' cannot be set: /proc/sys is read-only, and LXC writes late", "\nlxc.mount.auto = proc:mixed\n" },
	{ "\"linux\":{\"resources\":{\"memory\":{\"limit\":4096,\"swap\":8192}}}", "linux.resources.memory.swap",
	  "carried memory.swap.max",
	  "\nlxc.cgroup.memory.limit_in_bytes = 4096\nlxc.cgroup2.memory.max = 4096\nlxc.cgroup.memory.memsw.limit_in_bytes = 8192\n"
	  "lxc.cgroup2.memory.swap.max = 4096\n" },
	{ "\"linux\":{\"resources\":{\"memory\":{\"swap\":8192}}}", "linux.resources.memory.swap",
	  "dropped -: cgroup v2 counts swap alone, and there is no limit of memory below it", "" },
	{ "\"linux\":{\"resources\":{\"cpu\":{\"shares\":1024,\"quota\":5000}}}", "linux.resources.cpu.shares", "carried cpu.weight",
	  "\nlxc.cgroup.cpu.shares = 1024\nlxc.cgroup2.cpu.weight = 100\nlxc.cgroup.cpu.cfs_quota_us = 5000\nlxc.cgroup2.cpu.max = 5000\n" },
	{ "\"linux\":{\"resources\":{\"pids\":{\"limit\":0}}}", "linux.resources.pids.limit", "carried pids.max",
	  "\nlxc.cgroup.pids.max = max\nlxc.cgroup2.pids.max = max\n" },
	{ "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":501}}}", "linux.resources.blockIO.weight",
	  "approximated io.weight: the weight of cgroup v2 is a fifth of it, rounded",
	  "\nlxc.cgroup.blkio.weight = 501\nlxc.cgroup2.io.weight = default 100\n" },
	{ "\"linux\":{\"resources\":{\"unified\":{\"memory.high\":\"5\\n6\"}}}", "linux.resources.unified",
	  "dropped -: a file or a value that no line can hold: 'memory.high'", "" },
	{ "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"a\",\"access\":\"m\"}]}}",
	  "linux.resources.devices", "carried lxc.cgroup2.devices",
	  "\nlxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = c *:* m\nlxc.cgroup.devices.allow = b *:* m\n" },
	{ "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\"},"
	  "{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":1}]}}", "linux.resources.devices",
	  "weakens -: LXC takes back no exception: rules must all allow or all deny after one for everything", "" },
	{ "\"linux\":{\"cgroupsPath\":\"/a/b\"}", "linux.cgroupsPath", "carried lxc.cgroup.dir", "\nlxc.cgroup.dir = a/b\n" },
	{ "\"linux\":{\"cgroupsPath\":\"user.slice:p:n\"}", "linux.cgroupsPath", "dropped -: LXC wants a path of the hierarchy: /a/b", "" },
	{ NAMESPACES "},\"moorage\":{\"networks\":[{\"type\":\"veth\",\"zone\":\"z\",\"name\":\"eth0\"}]}", "moorage.networks",
	  "dropped -: network 0: LXC has no 'zone' for it", "\nlxc.net.0.type = veth\nlxc.net.0.name = eth0\n" },
	{ NAMESPACES "},\"moorage\":{\"networks\":[{\"type\":\"veth\",\"link\":\"a\\nb\"}]}", "moorage.networks",
	  "dropped -: network 0: 'link' has a value that LXC cannot say", "" },
	{ NAMESPACES "},\"moorage\":{\"networks\":[{\"type\":\"vpn\"}]}", "moorage.networks",
	  "dropped -: network 0: of a type that LXC has not", "" },
	{ "\"moorage\":{\"networks\":[{\"type\":\"veth\"}]}", "moorage.networks", "dropped -: the container shares the network of the host", "" },
	{ "\"moorage\":{\"native\":{\"lxc\":{\"lxc.tty.max\":[\"4\"]}}}", "moorage.native", "carried the keys kept verbatim", "lxc.tty.max = 4\n" },
	{ "\"moorage\":{\"native\":{\"systemd\":{}}}", "moorage.native", "dropped -: has keys that are not LXC's", "" },
	{ "\"moorage\":{\"native\":{\"lxc\":{\"lxc.x y\":[\"4\"]}}}", "moorage.native", "dropped -: has keys that are not LXC's", "" },
};

static void test_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		const struct mrg_field_info *info = mrg_field_info((unsigned int)mrg_field_find(losses[i].field));
		struct buffer json = { 0 }, report = { 0 }, row = { 0 };
		struct buffer text = { 0 };
		struct mrg_spec *spec;
		char *written, *verdict;

		buffer_addf(&json, "{\"ociVersion\":\"1.2.0\",%s}", losses[i].json);
		spec = spec_of(json.text);
		written = write_lxc(spec, &report);
		buffer_addf(&text, "\n%s", written);
		verdict = strchr(losses[i].row, ' ');
		buffer_addf(&row, "0 %.*s %s%s\n", (int)(verdict - losses[i].row), losses[i].row, info->path, verdict);
		if (!strstr(report.text, row.text))
			fail_msg("%s\nhas no row %sbut\n%s", losses[i].json, row.text, report.text);
		if (!strstr(text.text, losses[i].text))
			fail_msg("%s\nis written as\n%s", losses[i].json, written);
		free(written);
		buffer_deinit(&text);
		buffer_deinit(&json);
		buffer_deinit(&report);
		buffer_deinit(&row);
		mrg_spec_free(spec);
	}
}

static void test_every_field_once(void **state)
{
	(void)state;
	assert_reported_once(write_lxc);
}

/* No value, whatever is in it, becomes a line of its own. */
static void test_no_injection(void **state)
{
	static const char evil[] = "/x\nlxc.hook.start = /bin/evil";
	static const enum mrg_field fields[] = {
		MRG_FIELD_HOSTNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ARGS, MRG_FIELD_CWD, MRG_FIELD_USER, MRG_FIELD_MASKED_PATHS,
		MRG_FIELD_READONLY_PATHS, MRG_FIELD_CPUSET_CPUS, MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_SELINUX_LABEL,
		MRG_FIELD_STOP_SIGNAL, MRG_FIELD_CGROUPS_PATH,
	};
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_mount bind = { .destination = evil, .source = evil, .type = "bind" }, fs = { .destination = "/a", .type = evil };
	struct mrg_mount option = { .destination = "/b", .type = "tmpfs", .options = (char *[]){ (char *)evil, NULL } };
	struct mrg_device device = { .path = evil, .type = "c" };
	struct mrg_device_rule rule = { .allow = 1, .type = "c", .access = evil };
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(mrg_spec_set(spec, fields[i], evil, NULL), 0);
	mrg_spec_set(spec, MRG_FIELD_NS_UTS, "private", NULL);
	mrg_spec_set(spec, MRG_FIELD_NS_NETWORK, "private", NULL);
	mrg_spec_set(spec, MRG_FIELD_ENV, "A=x\nlxc.hook.start = /bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_UNIFIED, "memory.high=x\nlxc.hook.start = /bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_UNIFIED, "x\nlxc.hook.start=/bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_SYSCTL, "net.x\nlxc.hook.start=/bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_SYSCTL, "net.y=x\nlxc.hook.start = /bin/evil", NULL);
	mrg_spec_set(spec, MRG_FIELD_NETWORKS, "[{\"type\":\"veth\",\"link\":\"x\\nlxc.hook.start = /bin/evil\",\"mtu\":\"1\\nlxc.hook.start = 1\"},"
					       "{\"type\":\"veth\\nlxc.hook.start = /bin/evil\"}]", NULL);
	mrg_spec_set(spec, MRG_FIELD_NATIVE, "{\"lxc\":{\"lxc.tty.max\":[\"x\\nlxc.hook.start = /bin/evil\"]},\"x\":{}}", NULL);
	mrg_spec_add_mount(spec, &bind, NULL);
	mrg_spec_add_mount(spec, &fs, NULL);
	mrg_spec_add_mount(spec, &option, NULL);
	mrg_spec_add_device(spec, &device, NULL);
	mrg_spec_add_device_rule(spec, &rule, NULL);
	text = write_lxc(spec, NULL);
	assert_null(strstr(text, "\nlxc.hook.start"));
	free(text);
	mrg_spec_free(spec);
}

/* A key in the native part is one key, and a comment is none. */
static void test_no_injection_by_keys(void **state)
{
	static const char *const keys[] = { "lxc.a\\nlxc.hook.start", "#lxc.hook.start", "lxc.a = b", "lxc.", "", "lxc.\\u00e4" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct mrg_spec *spec = mrg_spec_new();
		struct buffer json = { 0 }, report = { 0 };
		char *text;

		buffer_addf(&json, "{\"lxc\":{\"%s\":[\"/bin/evil\"]}}", keys[i]);
		assert_int_equal(mrg_spec_set(spec, MRG_FIELD_NATIVE, json.text, NULL), 0);
		text = write_lxc(spec, &report);
		assert_null(strstr(text, "evil"));
		assert_non_null(strstr(report.text, "dropped /moorage/native"));
		free(text);
		buffer_deinit(&json);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

static void test_whole_text(void **state)
{
	struct mrg_spec *spec = read_lxc("lxc.uts.name = a\nlxc.rootfs.path = /srv/a\nlxc.execute.cmd = /bin/a b\nlxc.tty.max = 4\n"
					 "lxc.cap.drop = sys_time\nlxc.mount.auto = proc:mixed\n", NULL);
	char *text = write_lxc(spec, NULL);

	(void)state;
	assert_string_equal(text, "lxc.tty.max = 4\nlxc.rootfs.path = dir:/srv/a\nlxc.uts.name = a\nlxc.execute.cmd = /bin/a b\n"
				  "lxc.cap.drop = sys_time\nlxc.autodev = 1\nlxc.autodev.tmpfs.size = 500000\nlxc.mount.auto = proc:mixed\n"
				  "lxc.net.0.type = empty\nlxc.net.0.flags = up\n");
	free(text);
	mrg_spec_free(spec);
}

static void test_report_names_lines(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec = read_lxc("# c\n\nlxc.utsname = a\n  lxc.uts.name = b # c\r\nfoo\nlxc.arch=x86\n", &report);

	(void)state;
	assert_string_equal(report.text,
			    "3 carried lxc.utsname -: without effect: a later line replaces or clears it\n"
			    "4 carried lxc.uts.name /hostname: the '#' belongs to the value: LXC knows no comments behind values\n"
			    "5 dropped (no key) -: is ignored by LXC: its keys begin with 'lxc.'\n"
			    "6 carried lxc.arch /linux/personality\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

/* ---- layers ------------------------------------------------------------------------------------ */

static const struct {
	const char *config;
	const char *layers;		/* "": it has none; NULL: refused */
	const char *rest;		/* what is kept without them; "": nothing */
} layered[] = {
	{ "lxc.rootfs.path = /srv/a\n", "", "" },
	{ "lxc.rootfs.path = btrfs:/srv/a\n", "", "" },
	{ "lxc.rootfs.path = zfs:pool/a\n", "", "{\"lxc\":{\"lxc.rootfs.path\":[\"zfs:pool/a\"]}}" },
	{ "lxc.rootfs.path = overlay:/low:/up\n", "/up /low", "" },
	{ "lxc.rootfs.path = overlayfs:/one:/two:/up\nlxc.tty.max = 2\n", "/up /one /two", "{\"lxc\":{\"lxc.tty.max\":[\"2\"]}}" },
	{ "lxc.rootfs.path = overlay:/low\n", NULL, NULL },
	{ "lxc.rootfs.path = overlay:\n", NULL, NULL },
	{ "lxc.rootfs.path = overlay:low:/up\n", NULL, NULL },
	{ "lxc.rootfs.path = overlay:/low:/a/../up\n", NULL, NULL },
	{ "lxc.rootfs.path = overlay:/low::/up\n", NULL, NULL },
};

static void test_layers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layered); i++) {
		struct mrg_spec *spec = read_lxc(layered[i].config, NULL);
		_cleanup_(strv_freep) char **layers = NULL;
		struct mrg_error err = { 0 };
		struct buffer b = { 0 };

		buffer_add(&b, "", 0);
		if (lxc_layers(spec, &layers, &err) < 0) {
			if (layered[i].layers)
				fail_msg("%s: %s", layered[i].config, err.message);
			assert_non_null(strstr(err.message, "lxc.rootfs.path"));
		} else {
			for (char **layer = layers; layer && *layer; layer++)
				buffer_addf(&b, "%s%s", b.length ? " " : "", *layer);
			if (!layered[i].layers || strcmp(b.text, layered[i].layers) != 0)
				fail_msg("%s: '%s'", layered[i].config, b.text);
			assert_int_equal(lxc_layers_forget(spec, &err), 0);
			assert_int_equal(mrg_fields_has(&spec->set, MRG_FIELD_NATIVE), *layered[i].rest != '\0');
			if (*layered[i].rest)
				assert_string_equal(spec->native_json, layered[i].rest);
		}
		buffer_deinit(&b);
		mrg_spec_free(spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys), cmocka_unit_test(test_all_keys_have_cases), cmocka_unit_test(test_keys_are_stable),
		cmocka_unit_test(test_combinations_are_stable), cmocka_unit_test(test_written), cmocka_unit_test(test_every_field_once),
		cmocka_unit_test(test_no_injection), cmocka_unit_test(test_no_injection_by_keys), cmocka_unit_test(test_whole_text),
		cmocka_unit_test(test_report_names_lines), cmocka_unit_test(test_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
