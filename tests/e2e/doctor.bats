# SPDX-License-Identifier: LGPL-2.1-or-later
# What the doctor finds between several managers, each made here and taken away again.
load lib

setup() {
	[ "$E2E_BACKEND" = native ] || skip "about the host: done with native"
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
}

teardown() {
	rmdir /sys/fs/cgroup/{,unified/}"lxc.payload.$P-gone"/{init.scope,} 2>/dev/null || true
	umount -R "$BATS_TEST_TMPDIR/root/proc" 2>/dev/null || true
	[ -z "${HOLDER:-}" ] || kill -9 "$HOLDER" 2>/dev/null || true
	m rm -fi "$P-here" "$P-there" "$P-lost" >/dev/null 2>&1 || true
}

# found SUBJECT FILTER: one finding with that subject for which the filter is true.
found() { jq -e --arg s "$1" "map(select(.subject == \$s and ($2))) | length == 1" "$BATS_TEST_TMPDIR/doctor" >/dev/null; }

# look COMMAND...: the command's findings; more than status 0 and 1 is a failure.
look() {
	local got=0
	"$@" >"$BATS_TEST_TMPDIR/doctor" || got=$?
	[ "$got" -le 1 ]
}

# Where packets are filtered: modules of kernels may lack it.
need_iptables() { unshare -n iptables -P FORWARD DROP 2>/dev/null || skip "this kernel has no tables for iptables"; }
need_nftables() { unshare -n nft add table inet mrgt 2>/dev/null || skip "this kernel has no inet tables for nftables"; }

# mend SUBJECT PART: runs the command that is told with the finding whose text has that part.
mend() { PATH=${MOORAGE%/*}:$PATH eval "$(jq -r --arg s "$1" --arg part "$2" 'map(select(.subject == $s and (.text | contains($part)))) | .[0].fix' "$BATS_TEST_TMPDIR/doctor")"; }

@test "ids that two users have" {
	printf 'one:100000:65536\ntwo:150000:65536\n' >"$BATS_TEST_TMPDIR/subuid"
	: >"$BATS_TEST_TMPDIR/subgid"
	look unshare -m --propagation private sh -c 'touch /etc/subuid /etc/subgid; mount --bind "$1/subuid" /etc/subuid && mount --bind "$1/subgid" /etc/subgid && exec "$2" doctor --json' \
		sh "$BATS_TEST_TMPDIR" "$MOORAGE"
	found "subordinate uids" '.level == "warning" and (.text | test("one.*two")) and (.fix | test("--del-subuids 150000-215535 .two."))'
	run ! found "subordinate gids" true
}

@test "networks of two bridges" {
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip link add mrgt-b type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip addr add 10.77.0.1/16 dev mrgt-b &&
		exec "$1" doctor --json' sh "$MOORAGE"
	found networks '.level == "error" and (.text | test("mrgt-a.*mrgt-b"))'
	# And without the other one nothing is found.
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && exec "$1" doctor --json' sh "$MOORAGE"
	run ! found networks true
}

@test "a policy that drops" {
	need_iptables
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip link add mrgt-b type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip addr add 10.78.3.1/24 dev mrgt-b &&
		iptables -P FORWARD DROP && iptables -A FORWARD -i mrgt-b -j ACCEPT && exec "$1" doctor --json' sh "$MOORAGE"
	found forwarding '.level == "warning" and (.text | test("mrgt-a")) and (.fix | test("^iptables -I FORWARD -i mrgt-a -j ACCEPT"))'
	# The fix helps.
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && iptables -P FORWARD DROP && iptables -I FORWARD -i mrgt-a -j ACCEPT &&
		exec "$1" doctor --json' sh "$MOORAGE"
	run ! found forwarding true
}

@test "something broken is status 1, and a warning is not" {
	run -1 unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip link add mrgt-b type bridge && ip addr add 10.77.3.2/24 dev mrgt-b &&
		exec "$1" doctor' sh "$MOORAGE"
	need_iptables
	run -0 unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && iptables -P FORWARD DROP && exec "$1" doctor' sh "$MOORAGE"
}

@test "one root of two backends" {
	fresh here -- /bin/true
	m create -q -B chroot --name "$P-there" "$E2E_ROOT" -- /bin/true
	look m doctor --json
	found roots ".text | test(\"$P-here\") and test(\"$P-there\")"
	m rm "$P-there"
	look m doctor --json
	run ! found roots ".text | test(\"$P-here\")"
	m rm "$P-here"
}

@test "cgroups left behind" {
	local top=/sys/fs/cgroup name
	[ ! -d $top/unified ] || top=$top/unified
	name=$top/lxc.payload.$P-gone
	mkdir -p "$name/init.scope"
	touch -d '1 minute ago' "$name"
	look m doctor --json
	found "cgroups left behind" ".text | test(\"$P-gone\")"
	mend "cgroups left behind" "$P-gone"
	[ ! -d "$name" ]
	look m doctor --json
	run ! found "cgroups left behind" ".text | test(\"$P-gone\")"
}

@test "a chain of nftables that drops, where iptables has none" {
	need_nftables
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip link add mrgt-b type bridge && ip addr add 10.78.3.1/24 dev mrgt-b &&
		nft add table inet mrgt && nft add chain inet mrgt "in" "{ type filter hook forward priority 0; policy drop; }" && nft add rule inet mrgt "in" iifname mrgt-b accept &&
		exec "$1" doctor --json' sh "$MOORAGE"
	found forwarding '.level == "warning" and (.text | test("table .inet mrgt. drops.*mrgt-a")) and (.fix | test("^nft insert rule inet mrgt in iifname mrgt-a accept"))'
	# With the command that was told it is gone.
	jq -r 'map(select(.subject == "forwarding")) | .[0].fix' "$BATS_TEST_TMPDIR/doctor" >"$BATS_TEST_TMPDIR/fix"
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && nft add table inet mrgt &&
		nft add chain inet mrgt "in" "{ type filter hook forward priority 0; policy drop; }" && sh -e "$2" && exec "$1" doctor --json' sh "$MOORAGE" "$BATS_TEST_TMPDIR/fix"
	run ! found forwarding true
}

@test "what managers will do, by their files" {
	local etc=$BATS_TEST_TMPDIR/etc
	mkdir -p "$etc/docker" "$etc/libvirt/qemu/networks" "$etc/systemd/nspawn"
	printf '{"bip": "10.77.3.1/24", "userns-remap": "mrgt-nobody"}' >"$etc/docker/daemon.json"
	printf '<network><name>mrgt</name><bridge name="virbr9"/><ip address="10.77.0.1" prefix="16"/></network>' >"$etc/libvirt/qemu/networks/mrgt.xml"
	printf '[Network]\nPort=tcp:8080:80\nZone=mrgt\n' >"$etc/systemd/nspawn/mrgt-a.nspawn"
	printf '[Network]\nPort=tcp:8080\n' >"$etc/systemd/nspawn/mrgt-b.nspawn"
	look unshare -nm --propagation private sh -c 'mount -t overlay -o "lowerdir=$2:/etc" none /etc && ip link add vz-mrgt type bridge && ip link set vz-mrgt up &&
		exec "$1" doctor --json' sh "$MOORAGE" "$etc"
	found networks '.level == "warning" and (.text | test("network .mrgt. of libvirt.*bridge of Docker"))'
	found docker '.level == "error" and (.text | test("mrgt-nobody.*does not start"))'
	found ports '.text | test("8080/tcp.*mrgt-a.*mrgt-b")'
	found zones '.text | test("zone .mrgt. .*no address")'
}

@test "a cable whose other end nobody has" {
	# Its other end is in a network namespace that only an open file keeps; then it lies unused beside it.
	look unshare -n python3 - "$MOORAGE" <<-'EOP'
		import os, subprocess, sys
		def ip(*words): subprocess.run(("ip", "link") + words, check=True)
		other = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
		other.stdout.readline()
		kept = os.open("/proc/%d/ns/net" % other.pid, os.O_RDONLY)
		ip("add", "mrgt-br", "type", "bridge")
		ip("add", "ve-mrgt", "type", "veth", "peer", "name", "host0", "netns", str(other.pid))
		ip("add", "veth-mrgt", "master", "mrgt-br", "type", "veth", "peer", "name", "eth0")
		used = subprocess.run([sys.argv[1], "doctor", "--json"], stdout=subprocess.PIPE).stdout
		assert b"ve-mrgt" not in used, used
		other.kill()
		other.wait()
		sys.stdout.flush()
		sys.exit(subprocess.run([sys.argv[1], "doctor", "--json"]).returncode)
	EOP
	found "cables left behind" '(.text | test("ve-mrgt.*no process")) and .fix == "ip link delete '"'ve-mrgt'"'"'
	found "cables left behind" '.text | test("veth-mrgt.*lies beside it")'
}

@test "mounts below a root that nobody runs" {
	mkdir -p "$BATS_TEST_TMPDIR/root/proc"
	cp -a "$E2E_ROOT/bin" "$BATS_TEST_TMPDIR/root"
	m create -q --name "$P-here" "$BATS_TEST_TMPDIR/root" -- /bin/true
	mount -t proc proc "$BATS_TEST_TMPDIR/root/proc"
	look m doctor --json
	found "mounts left behind" ".text | test(\"/root/proc.*$P-here\")"
	# Somebody in there by hand needs it.
	chroot "$BATS_TEST_TMPDIR/root" /bin/sleep 60 3>&- &
	HOLDER=$!
	eventually 30 bash -c '[ "$(readlink "/proc/$0/root")" = "$1" ]' "$HOLDER" "$(readlink -f "$BATS_TEST_TMPDIR/root")"
	look m doctor --json
	run ! found "mounts left behind" ".text | test(\"$P-here\")"
	kill -9 "$HOLDER"
	wait "$HOLDER" || true
	HOLDER=
	look m doctor --json
	mend "mounts left behind" "$P-here"
	look m doctor --json
	run ! found "mounts left behind" ".text | test(\"$P-here\")"
	m rm "$P-here"
}

@test "a monitor that was killed" {
	local monitor
	m run -d -q --rm --name "$P-lost" "$E2E_ROOT" -- /bin/sleep 600 >/dev/null
	look m doctor --json
	run ! found monitors ".text | test(\"$P-lost\")"
	monitor=$(jq -r .monitor.pid "$MOORAGE_RUN_DIR/containers/$P-lost/run.json")
	kill -9 "$monitor"
	eventually 30 test ! -e "/proc/$monitor"
	look m doctor --json
	found monitors ".text | test(\"$P-lost. runs and its monitor is gone\")"
	m kill "$P-lost"
	eventually 30 is lost stopped
	look m doctor --json
	found monitors ".text | test(\"$P-lost. has ended and its monitor is gone\")"
	mend monitors "$P-lost"
	look m doctor --json
	run ! found monitors ".text | test(\"$P-lost\")"
}
