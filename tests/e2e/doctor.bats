# SPDX-License-Identifier: LGPL-2.1-or-later
# What the doctor finds between several managers, each made here and taken away again.
load lib

setup() {
	[ "$E2E_BACKEND" = native ] || skip "about the host: done with native"
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
}

teardown() {
	rmdir /sys/fs/cgroup/{,unified/}"lxc.payload.$P-gone"/{init.scope,} 2>/dev/null || true
	m rm -i "$P-here" "$P-there" >/dev/null 2>&1 || true
}

# found SUBJECT FILTER: one finding with that subject for which the filter is true.
found() { jq -e --arg s "$1" "map(select(.subject == \$s and ($2))) | length == 1" "$BATS_TEST_TMPDIR/doctor" >/dev/null; }

# look COMMAND...: the command's findings; more than status 0 and 1 is a failure.
look() {
	local got=0
	"$@" >"$BATS_TEST_TMPDIR/doctor" || got=$?
	[ "$got" -le 1 ]
}

@test "ids that two users have" {
	printf 'one:100000:65536\ntwo:150000:65536\n' >"$BATS_TEST_TMPDIR/subuid"
	: >"$BATS_TEST_TMPDIR/subgid"
	look unshare -m --propagation private sh -c 'touch /etc/subuid /etc/subgid; mount --bind "$1/subuid" /etc/subuid && mount --bind "$1/subgid" /etc/subgid && exec "$2" doctor --json' \
		sh "$BATS_TEST_TMPDIR" "$MOORAGE"
	found "subordinate uids" '.level == "warning" and (.text | test("one.*two")) and (.fix | test("--del-subuids 150000-215535 .two."))'
	run ! found "subordinate gids" true
}

@test "networks of two bridges, and a policy that drops" {
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip link add mrgt-b type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip addr add 10.77.0.1/16 dev mrgt-b &&
		iptables -P FORWARD DROP && iptables -A FORWARD -i mrgt-b -j ACCEPT && exec "$1" doctor --json' sh "$MOORAGE"
	found networks '.level == "error" and (.text | test("mrgt-a.*mrgt-b"))'
	found forwarding '.level == "warning" and (.text | test("mrgt-a")) and (.fix | test("^iptables -I FORWARD -i mrgt-a -j ACCEPT"))'
	# And without them nothing is found: the fix helps.
	look unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && iptables -P FORWARD DROP && iptables -I FORWARD -i mrgt-a -j ACCEPT &&
		exec "$1" doctor --json' sh "$MOORAGE"
	run ! found forwarding true
	run ! found networks true
}

@test "something broken is status 1, and a warning is not" {
	run -1 unshare -n sh -c 'ip link add mrgt-a type bridge && ip addr add 10.77.3.1/24 dev mrgt-a && ip link add mrgt-b type bridge && ip addr add 10.77.3.2/24 dev mrgt-b &&
		exec "$1" doctor' sh "$MOORAGE"
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
	eval "$(jq -r "map(select(.subject == \"cgroups left behind\" and (.text | test(\"$P-gone\")))) | .[0].fix" "$BATS_TEST_TMPDIR/doctor")"
	[ ! -d "$name" ]
	look m doctor --json
	run ! found "cgroups left behind" ".text | test(\"$P-gone\")"
}
