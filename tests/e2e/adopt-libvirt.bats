# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers that virsh made are driven without import, and virsh drives what moorage made.
load lib

setup() { [ "$E2E_BACKEND" = libvirt ] || skip "the backend under test is $E2E_BACKEND"; }

teardown() {
	local name
	# A test that failed may have left it stopped, and everything after it waits.
	[ "$E2E_BACKEND" != libvirt ] || ! daemon >/dev/null 2>&1 || kill -CONT "$(daemon)" 2>/dev/null || true
	for name in users owner acl no; do m rm -f "$P-$name" >/dev/null 2>&1 || true; done
	rm -rf --one-file-system "/var/tmp/$P-"*
}

v() { virsh -q -c lxc:///system "$@" </dev/null; }

# v_destroy NAME: with cgroup v2 libvirt 9 says at times that it failed, when what it ends is gone before it has read its cgroup.
v_destroy() { v destroy "$P-$1" || [ ! -d /sys/fs/cgroup/freezer ]; eventually 30 is_off "$1"; }
is_off() { [ "$(v domstate "$P-$1")" = "shut off" ]; }

# need_freezer: what suspends domains.
need_freezer() { [ -d /sys/fs/cgroup/freezer ] || skip "libvirt suspends with cgroup v1 only"; }

# domain NAME COMMAND...: defines it as somebody would by hand, with a comment and an element nobody knows, which virsh drops.
domain() {
	local name=$P-$1 arg
	shift
	{
		printf '<domain type="lxc"><name>%s</name><memory unit="MiB">256</memory><os><type>exe</type>' "$name"
		printf '<init>%s</init>' "$1"
		shift
		for arg; do printf '<initarg>%s</initarg>' "$arg"; done
		printf '</os><features><privnet/></features><title>made by hand</title><devices>'
		printf '<filesystem type="mount"><source dir="%s"/><target dir="/"/></filesystem><console type="pty"/></devices></domain>' "$E2E_ROOT"
	} >"$BATS_TEST_TMPDIR/$name.xml"
	v define "$BATS_TEST_TMPDIR/$name.xml"
}

# file NAME: the definition as libvirt keeps it.
file() { echo "/etc/libvirt/lxc/$P-$1.xml"; }

# limit NAME: of memory, where the kernel has it.
limit() {
	local pid
	pid=$(m inspect "$P-$1" | jq '.[0].status.pid')
	if grep -q :memory: "/proc/$pid/cgroup"; then
		cat "/sys/fs/cgroup/memory$(sed -n 's/.*:memory://p' "/proc/$pid/cgroup")/memory.limit_in_bytes"
	else
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/memory.max"
	fi
}

# remains NAME: what libvirt leaves of a domain.
remains() { find /run/libvirt/lxc -name "$P-$1.*"; }

undefined() { [ ! -e "$(file "$1")" ] && ! v list --all --name | grep -qx "$P-$1"; }

@test "it is listed, inspected and shown as it is, without being touched" {
	domain seen /bin/sh -c 'while :; do sleep 0.1; done'
	cp -p "$(file seen)" "$BATS_TEST_TMPDIR/before"
	m ls --json | jq -e --arg n "$P-seen" '.[] | select(.name == $n) | .backend == "libvirt" and .state == "created"'
	m inspect "$P-seen" | jq -e --arg r "$E2E_ROOT" '.. | objects | select(.path? == $r)' >/dev/null
	m inspect --native "$P-seen" | grep -q "<title>made by hand</title>"
	cmp "$(file seen)" "$BATS_TEST_TMPDIR/before"
	[ "$(stat -c %y "$(file seen)")" = "$(stat -c %y "$BATS_TEST_TMPDIR/before")" ]
	v undefine "$P-seen"
}

@test "start, exec, procs, pause, stop; then virsh again; not one byte has changed" {
	domain life /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	before=$(sha256sum <"$(file life)")
	# The first start, whoever asks for it, makes libvirt add the partition to what it shows.
	v start "$P-life"
	v_destroy life
	v dumpxml --inactive "$P-life" >"$BATS_TEST_TMPDIR/shown"
	m start "$P-life"
	[ "$(v domstate "$P-life")" = running ]
	run m exec "$P-life" -- /bin/sh -c 'hostname; exit 5'
	[ "$status" = 5 ]
	[ "$output" = "${P//[^a-zA-Z0-9-]/}-life" ]
	run -127 m exec "$P-life" -- /no/such/command
	m procs "$P-life" | grep -q /bin/sh
	[[ $(m procs "$P-life") != *libvirt_lxc* ]]
	m pause "$P-life"
	is life paused
	# libvirt 9 knows no freezer of cgroup v2, and says "running" all the while.
	[ ! -d /sys/fs/cgroup/freezer ] || [ "$(v domstate "$P-life")" = paused ]
	m unpause "$P-life"
	[ "$(v domstate "$P-life")" = running ]
	m update -m 128m "$P-life"
	[ "$(limit life)" = 134217728 ]
	m stop "$P-life"
	[ "$(v domstate "$P-life")" = "shut off" ]
	[ "$(sha256sum <"$(file life)")" = "$before" ]
	v dumpxml --inactive "$P-life" | cmp - "$BATS_TEST_TMPDIR/shown"
	v start "$P-life"
	is life running
	v_destroy life
	is life created || is life stopped
	[ "$(sha256sum <"$(file life)")" = "$before" ]
	v undefine "$P-life"
}

@test "one that virsh started is driven, and its console is seen" {
	domain theirs /bin/sh -c 'while read -r line; do echo "heard $line"; done'
	v start "$P-theirs"
	is theirs running
	run m exec "$P-theirs" -- /bin/sh -c 'echo $PPID; cat /proc/1/comm'
	[ "$status" = 0 ]
	typed ahoy "heard ahoy" '\020\021' "'$MOORAGE' attach '$P-theirs'"
	is theirs running
	m stop -t 1 "$P-theirs"
	[ "$(v domstate "$P-theirs")" = "shut off" ]
	m rm "$P-theirs"
	undefined theirs
	[ -z "$(remains theirs)" ]
	[ -z "$(cgroups theirs)" ]
}

@test "a transient one is there while it runs" {
	domain brief /bin/sh -c 'while :; do sleep 0.1; done'
	v undefine "$P-brief"
	v create "$BATS_TEST_TMPDIR/$P-brief.xml"
	is brief running
	m inspect --native "$P-brief" | grep -q "made by hand"
	m rm -f "$P-brief"
	undefined brief
	run m state "$P-brief"
	[ "$status" = 3 ]
}

@test "rm of a transient one waits until libvirt has done with it" {
	domain passing /bin/sh -c 'while :; do sleep 0.1; done'
	v undefine "$P-passing"
	v create "$BATS_TEST_TMPDIR/$P-passing.xml"
	is passing running
	kill -STOP "$(daemon)"
	m rm -f "$P-passing" 3>&- & command=$!
	eventually 30 is passing created
	# It gives the daemon some seconds, and asks then.
	sleep 1
	kill -0 "$command"
	kill -CONT "$(daemon)"
	wait "$command"
	undefined passing
	[ -z "$(remains passing)" ]
	[ -z "$(cgroups passing)" ]
}

@test "its name is taken" {
	domain taken /bin/true
	refused 9 "$P-taken.*libvirt" create -B libvirt --name "$P-taken" "$E2E_ROOT" -- /bin/true
	v undefine "$P-taken"
}

@test "suspend and resume are virsh's, whoever asked for them" {
	need_freezer
	domain rests /bin/sh -c 'while :; do sleep 0.1; done'
	v start "$P-rests"
	v suspend "$P-rests"
	is rests paused
	m unpause "$P-rests"
	[ "$(v domstate "$P-rests")" = running ]
	m pause "$P-rests"
	v resume "$P-rests"
	is rests running
	m rm -f "$P-rests"
	undefined rests
}

@test "live limits are those that virsh shows" {
	domain narrow /bin/sh -c 'while :; do sleep 0.1; done'
	m start "$P-narrow"
	m update -m 100m "$P-narrow"
	[[ "$(v memtune "$P-narrow")" == *"hard_limit"*": 102400"* ]]
	m stats --no-stream --json "$P-narrow" | jq -e '.. | numbers | select(. == 104857600)' >/dev/null
	# For this life: the definition is not ours to change.
	m stop -t 1 "$P-narrow"
	m start "$P-narrow"
	[ "$(limit narrow)" = 268435456 ]
	m rm -f "$P-narrow"
}

@test "the daemon is the one whose URI is given" {
	socket=$(find /run/libvirt -name '*-sock' \( -name 'virtlxcd-*' -o -name 'libvirt-sock' \) | head -n 1)
	m create -q -B libvirt -P "lxc:///system?socket=$socket" --name "$P-uri" "$E2E_ROOT" -- /bin/echo over the URI
	run m start -a "$P-uri"
	[ "$output" = "over the URI" ]
	m ls -aq -B libvirt -P "lxc:///system?socket=$socket" | grep -qx "$P-uri"
	m rm "$P-uri"
	undefined uri
	refused 5 "does not answer" create -B libvirt -P "lxc:///system?socket=/no/such" --name "$P-uri" "$E2E_ROOT" -- /bin/true
	refused 2 "'qemu:///system' is no URI of libvirt's LXC driver" create -B libvirt -P qemu:///system --name "$P-uri" "$E2E_ROOT" -- /bin/true
}

@test "ls loads nothing of libvirt's, and needs no daemon" {
	need_own_daemon
	domain plain /bin/true
	kill_daemon
	run env LD_DEBUG=files "$MOORAGE" -B libvirt ls -a
	loaded=$output
	start_daemon
	[ "$status" = 0 ]
	[[ "$loaded" == *"$P-plain"* ]]
	[[ "$loaded" != *libvirt.so.0* ]]
	v undefine "$P-plain"
}

@test "autostart is virsh's" {
	domain boots /bin/true
	m enable "$P-boots"
	[[ "$(v dominfo "$P-boots")" == *"Autostart:"*enable* ]]
	m disable "$P-boots"
	[[ "$(v dominfo "$P-boots")" == *"Autostart:"*disable* ]]
	v undefine "$P-boots"
}

@test "what moorage made is an ordinary domain: virsh starts, shows and changes it" {
	fresh ours -m 64m -- /bin/sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'
	v dumpxml "$P-ours" | grep -q "<init>/bin/sh</init>"
	v start "$P-ours"
	is ours running
	run m exec "$P-ours" -- /bin/echo inside
	[ "$output" = inside ]
	v_destroy ours
	v dumpxml --inactive "$P-ours" | sed 's/>65536</>131072</g' >"$BATS_TEST_TMPDIR/changed.xml"
	v define "$BATS_TEST_TMPDIR/changed.xml"
	m inspect "$P-ours" | grep -q 134217728
	m start "$P-ours"
	eventually 30 logged ours up
	[ "$(limit ours)" = 134217728 ]
	m stop "$P-ours"
	run m wait "$P-ours"
	[ "$output" = 0 ]
	m rm "$P-ours"
	undefined ours
}

@test "networks: a veth on a bridge, with its address; it goes with the container" {
	ip link add mrgt-br0 type bridge
	ip addr add 10.99.0.1/24 dev mrgt-br0
	ip link set mrgt-br0 up
	jq -n --arg root "$E2E_ROOT" '{ociVersion: "1.2.0", root: {path: $root}, process: {cwd: "/", args: ["/bin/sleep", "60"]},
		linux: {namespaces: [{type: "network"}, {type: "pid"}, {type: "mount"}, {type: "uts"}, {type: "ipc"}]},
		moorage: {networks: [{type: "veth", link: "mrgt-br0", name: "eth0", up: true, addresses: ["10.99.0.5/24"]}]}}' >"$BATS_TEST_TMPDIR/net.json"
	m create -q -B libvirt --name "$P-net" --from "$BATS_TEST_TMPDIR/net.json"
	before=$(ip -o link | wc -l)
	m start "$P-net"
	eventually 30 busybox ping -c 1 -W 1 10.99.0.5
	m stats --no-stream --json "$P-net" | jq -e '.[0] | tostring | test("net")'
	m rm -f "$P-net"
	eventually 30 bash -c '[ "$(ip -o link | wc -l)" = '"$before"' ]'
	ip link del mrgt-br0
}

@test "a system that virsh defined boots, is entered, and is asked to halt the way it understands" {
	[ "$E2E_KIND" = busybox ] || skip "it has a root of its own: done with busybox"
	local system
	system=$("$BATS_TEST_DIRNAME/root" systemd "${MRGT_CACHE:-/var/tmp/mrgt-cache}") || skip "the root could not be made: no package mirror answers"
	cp -a --reflink=auto "$system" "$BATS_TEST_TMPDIR/root"
	E2E_ROOT=$BATS_TEST_TMPDIR/root domain system /sbin/init
	m start "$P-system"
	eventually 180 bash -c '[ "$("$MOORAGE" exec "$0" -- systemctl is-system-running 2>/dev/null)" = running ]' "$P-system"
	m stop --no-kill -t 120 "$P-system"
	[ "$(v domstate "$P-system")" = "shut off" ]
	m rm "$P-system"
	undefined system
}

# ---- the daemon goes ------------------------------------------------------------

# Ours, or where there is none that of the system, which comes back by itself.
daemon() { cat /run/libvirt/mrgt.pid 2>/dev/null || systemctl show -P MainPID libvirtd; }
need_own_daemon() { [ -e /run/libvirt/mrgt.pid ] || skip "the daemon is not ours: its socket starts it anew"; }

kill_daemon() {
	local pid
	pid=$(daemon)
	kill -KILL "$pid"
	eventually 30 bash -c "! grep -q '^State:.[^Z]' /proc/$pid/status 2>/dev/null"
}

start_daemon() {
	if [ -e /run/libvirt/mrgt.pid ]; then
		rm /run/libvirt/mrgt.pid
		/usr/sbin/libvirtd -d --pid-file /run/libvirt/mrgt.pid </dev/null >/dev/null 2>&1 3>&-
	else
		# It was killed more often than systemd puts up with.
		systemctl reset-failed libvirtd.service libvirtd.socket
		systemctl start libvirtd.socket libvirtd.service
	fi
	eventually 30 v version >/dev/null
}

@test "without the daemon: the state is told, exec and stop work, the rest says what to start" {
	need_own_daemon
	sleeper alone
	fresh idle -- /bin/true
	kill_daemon
	is alone running
	is idle created
	run m exec "$P-alone" -- /bin/echo inside
	[ "$output" = inside ]
	run m start "$P-idle"
	[ "$status" = 5 ]
	[[ "$output" == *"does not answer"*"hint: "*libvirtd* ]]
	refused 5 "does not answer" create -B libvirt --name "$P-new" "$E2E_ROOT" -- /bin/true
	m stop --no-kill -t 120 "$P-alone"
	is alone stopped
	start_daemon
	eventually 30 bash -c '[ "$(virsh -q -c lxc:///system domstate "$P-alone")" = "shut off" ]'
	m start "$P-alone"
	is alone running
	m rm -f "$P-alone" "$P-idle"
}

@test "a start whose preparation is killed runs nothing: paths would be left in the open" {
	needs_strace
	fresh bare -- /bin/sh -c 'while :; do sleep 0.1; done'
	# The first tree is opened by the child that hides paths.
	run traced -f -o /dev/null -e trace=open_tree -e inject=open_tree:signal=KILL:when=1 "$MOORAGE" start "$P-bare" 3>&-
	[ "$status" = 1 ]
	[[ "$output" == *"a process that prepares the start was killed"* ]]
	is bare created
	m start "$P-bare"
	run ! m exec "$P-bare" -- /bin/sh -c 'echo >/proc/sys/kernel/printk'
	m rm -f "$P-bare"
}

# Programs of ours that have not ended.
agents() {
	local pid
	for pid in $(pgrep -x moorage-libvirt); do
		! grep -qzF "MOORAGE_RUN_DIR=$MOORAGE_RUN_DIR" "/proc/$pid/environ" 2>/dev/null || return 0
	done
	return 1
}

# That of a command ends a moment after it.
no_agents() { ! agents; }

@test "a daemon that hangs is an error in time, and nothing is lost" {
	sleeper kept
	kill -STOP "$(daemon)"
	run timeout 300 "$MOORAGE" create -q -B libvirt --name "$P-hung" "$E2E_ROOT" -- /bin/true
	[ "$status" = 8 ]
	[[ "$output" == *"does not answer: it was given time enough"* ]]
	is kept running
	kill -CONT "$(daemon)"
	run m state "$P-hung"
	[ "$status" = 3 ]
	eventually 30 no_agents
	m rm -f "$P-kept"
}

@test "a daemon that is killed in the middle of a call is an error at once, and nothing is lost" {
	need_own_daemon
	fresh cut -- /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	local verb pid got
	for verb in start "rm -f"; do
		pid=$(daemon)
		kill -STOP "$pid"
		# shellcheck disable=SC2086 # the verb and its option
		m $verb "$P-cut" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- & command=$!
		# rm gives libvirt time to notice the end by itself.
		eventually 30 agents
		kill_daemon
		got=0
		wait "$command" || got=$?
		[ "$got" != 0 ]
		one_line "$BATS_TEST_TMPDIR/out"
		run ! grep "given time enough" "$BATS_TEST_TMPDIR/out"
		grep -q "libvirt.*does not answer\|ended before it could answer" "$BATS_TEST_TMPDIR/out"
		is cut created || is cut stopped
		start_daemon
		m start "$P-cut"
		is cut running
	done
	m rm -f "$P-cut"
	undefined cut
	[ -z "$(remains cut)" ]
}

@test "what died while libvirt took it for suspended can be removed" {
	need_freezer
	sleeper frozen
	v suspend "$P-frozen"
	local cgroup pid
	cgroup=$(find /sys/fs/cgroup/freezer/machine -maxdepth 1 -name "lxc-*-$P-frozen.libvirt-lxc")
	kill -STOP "$(daemon)"
	for pid in $(cat "$cgroup/cgroup.procs"); do kill -KILL "$pid"; done
	echo THAWED >"$cgroup/freezer.state"
	eventually 30 bash -c '[ -z "$(cat "$0/cgroup.procs")" ]' "$cgroup"
	kill -CONT "$(daemon)"
	is frozen stopped
	m rm -f "$P-frozen"
	undefined frozen
	[ -z "$(cgroups frozen)" ]
}

# monitors: those of this file.
monitors() {
	local pid
	for pid in $(pgrep -x moorage-monitor); do
		! grep -qzF "MOORAGE_RUN_DIR=$MOORAGE_RUN_DIR" "/proc/$pid/environ" 2>/dev/null || echo "$pid"
	done
}

# asked: a request lies with a program of ours, and the lock in it, which it has not read.
asked() { ss -xHp | awk '/"moorage-libvirt"/ && $3 > 0 { found = 1 } END { exit !found }'; }

@test "rm waits for what a start was at when it was killed" {
	fresh begun -- /bin/sleep 60
	local lock
	lock=$(find "$MOORAGE_STATE_DIR" -path "*$P-begun*" -name libvirt.lock)
	[ -n "$lock" ]
	kill -STOP "$(daemon)"
	# Not by the function, whose shell would be what is killed.
	"$MOORAGE" start "$P-begun" >/dev/null 2>&1 3>&- & command=$!
	eventually 30 bash -c '! flock -n "$1" true' - "$lock"
	# The daemon keeps the program from reading. Before that only the start itself has the lock.
	eventually 30 asked
	# shellcheck disable=SC2046 # pids
	kill -KILL "$command" $(monitors)
	wait "$command" || true
	# The program that asks the daemon is still at it.
	run ! flock -n "$lock" true
	kill -CONT "$(daemon)"
	m rm -f "$P-begun"
	eventually 30 no_agents
	undefined begun
	[ -z "$(remains begun)" ]
	[ -z "$(cgroups begun)" ]
}

@test "cgroups that the daemon has left go with the container" {
	fresh left -- /bin/true
	local dir dirs=()
	for dir in /sys/fs/cgroup/{freezer,devices,memory}/machine; do
		[ ! -d "$dir" ] || dirs+=("$dir/lxc-4194000-$P-left.libvirt-lxc")
	done
	[ -d /sys/fs/cgroup/freezer ] || dirs=("/sys/fs/cgroup/machine/lxc-4194000-$P-left.libvirt-lxc")
	mkdir -p "${dirs[@]}"
	rmdir "${dirs[-1]}"
	m rm "$P-left"
	[ -z "$(cgroups left)" ]
}

@test "the daemon is killed at random times while containers start: the next command finds the truth" {
	for i in 1 2 3 4 5 6 7 8; do
		m run -d -B libvirt --name "$P-d$i" "$E2E_ROOT" -- /bin/sleep 60 >/dev/null 2>&1 3>&- & command=$!
		sleep "0.0$((RANDOM % 80 + 10))"
		kill_daemon
		wait "$command" || true
		start_daemon
		m rm -f "$P-d$i" 2>/dev/null || true
		undefined "d$i"
		[ -z "$(cgroups "d$i")" ]
	done
}

# owned NAME: a root of the suite's, in a directory that everybody can pass, whose files belong to the ids from 327680 on.
owned() {
	OWNED=$(mktemp -d "/var/tmp/$P-$1.XXXXXX")
	chmod 755 "$OWNED"
	cp -a --reflink=auto "$E2E_ROOT" "$OWNED/root"
	[ ! -d "$OWNED/root/.oldroot" ] || rmdir "$OWNED/root/.oldroot"
	"$BATS_TEST_DIRNAME/shift" "$OWNED/root" 327680
}

# map NAME KIND: the first range, as the kernel has it.
map() { awk 'NR == 1 { print $1, $2, $3 }' "/proc/$(m inspect "$P-$1" | jq .[0].status.pid)/$2_map"; }

@test "users of its own: ids are mapped, files are root's inside, exec is root there and nobody on the host" {
	owned users
	run -0 m run -B libvirt -d --name "$P-users" --userns uidmap=0:327680:65536 "$OWNED/root" -- /bin/sh -c 'while :; do sleep 0.1; done'
	[ "$(map users uid)" = "0 327680 65536" ]
	[ "$(map users gid)" = "0 327680 65536" ]
	v dumpxml "$P-users" | grep -q "<uid start='0' target='327680' count='65536'/>"
	m inspect "$P-users" | jq -e '.[0].securityBoundary'
	# The device of the console and what moorage hands over are there for root, and for the one that root becomes.
	run -0 m exec "$P-users" -- /bin/sh -c 'stat -c "%u:%g" /etc/passwd /dev/console; : >/dev/null; : >/etc/made; chown 5:6 /etc/made; id -u; grep CapEff /proc/self/status'
	[ "${lines[0]}" = 0:0 ]
	[[ "${lines[1]}" = 0:* ]]
	[ "${lines[2]}" = 0 ]
	[ $((0x${lines[3]##*[[:space:]]} & 1)) = 1 ]
	[ "$(stat -c %u:%g "$OWNED/root/etc/made")" = 327685:327686 ]
	run -0 m exec --user 5:6 "$P-users" -- /bin/sh -c 'id -u; id -g; grep CapEff /proc/self/status'
	[ "${lines[0]} ${lines[1]}" = "5 6" ]
	[ $((0x${lines[2]##*[[:space:]]})) = 0 ]
	# It may do nothing to what is the host's.
	run ! m exec "$P-users" -- /bin/sh -c 'echo 1 >/proc/sys/kernel/sysrq'
	m stop -t 1 "$P-users"
	v start "$P-users"
	[ "$(map users uid)" = "0 327680 65536" ]
	v destroy "$P-users"
	m rm "$P-users"
}

@test "users of its own: the owner of the root tells which ones, and several ranges are taken" {
	owned owner
	run -0 m run -B libvirt --rm --name "$P-owner" --userns auto "$OWNED/root" -- /bin/sh -c 'cat /proc/self/uid_map; exit 0'
	read -r inside outside size <<<"$output"
	[ "$inside $outside $size" = "0 327680 65536" ]
	run -0 m run -B libvirt --rm --name "$P-owner" --userns uidmap=0:327680:1000,uidmap=1000:427680:500 "$OWNED/root" -- /bin/sh -c 'cat /proc/self/uid_map'
	read -r inside outside size <<<"${lines[1]}"
	[ "$inside $outside $size" = "1000 427680 500" ]
}

@test "users of its own: a root that is not theirs, that they cannot reach, and maps without root are refused by name" {
	owned refused
	refused 6 'linux.uidMappings: libvirt maps no ids of files: .* belongs to user 327680, and root of the container is to be user 400000' \
		create -B libvirt --name "$P-no" --userns uidmap=0:400000:65536 "$OWNED/root" -- /bin/true
	refused 6 'libvirt wants maps of users and of groups, both with the root of the container' \
		create -B libvirt --name "$P-no" --userns uidmap=1:327681:65535 "$OWNED/root" -- /bin/true
	chown 0:0 "$OWNED/root"
	refused 6 'linux.namespaces.user: libvirt maps no ids of files, and the root .* belongs to user 0' create -B libvirt --name "$P-no" --userns auto "$OWNED/root" -- /bin/true
	chown 327680:327680 "$OWNED/root"
	chmod 700 "$OWNED"
	refused 7 "user 327680, root of the container, cannot pass '$OWNED' on the way" \
		create -B libvirt --name "$P-no" --userns auto "$OWNED/root" -- /bin/true
	command -v setfacl >/dev/null || skip "setfacl is not installed"
	setfacl -m u:327680:x "$OWNED"
	run -0 m run -B libvirt --rm --name "$P-acl" --userns auto "$OWNED/root" -- /bin/true
	undefined no
}
