# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers that LXC's own tools made are driven without an import, and ours by LXC's tools; neither side loses what is the other's.
load lib

# The place of LXC on this host, as its tools see it.
prepare_file() {
	export LXCPATH
	LXCPATH=$(lxc-config lxc.lxcpath 2>/dev/null) || LXCPATH=
}

setup() {
	[ "$E2E_BACKEND" = lxc ] || skip "about the backend lxc"
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
	[ -n "$LXCPATH" ] || skip "LXC is not installed"
}

# A test may have left a configuration that LXC refuses.
teardown() {
	local dir name
	for dir in "$LXCPATH/$P"-*; do
		[ -d "$dir" ] || continue
		name=${dir##*/}
		lxc-stop -P "$LXCPATH" -k -n "$name" >/dev/null 2>&1 || true
		lxc-destroy -P "$LXCPATH" -n "$name" >/dev/null 2>&1 || rm -rf --one-file-system "$dir"
	done
}

# foreign NAME: made by lxc-create, from a template of LXC's.
foreign() {
	printf 'lxc.net.0.type = empty\n' >"$BATS_TEST_TMPDIR/new.conf"
	lxc-create -P "$LXCPATH" -n "$P-$1" -f "$BATS_TEST_TMPDIR/new.conf" -t busybox >/dev/null 2>&1
	cp "$LXCPATH/$P-$1/config" "$BATS_TEST_TMPDIR/before"
}

# apart: from here on LXC has a place of the test's own. In that of the host what cannot be read makes every list fail, whoever asks for it.
apart() {
	LXCPATH=$BATS_TEST_TMPDIR/place
	mkdir "$LXCPATH"
}

untouched() { cmp "$BATS_TEST_TMPDIR/before" "$LXCPATH/$P-$1/config"; }
lxc_is() { [ "$(lxc-info -s -H -n "$P-$1")" = "$2" ]; }

@test "what lxc-create made is listed, started, used, stopped, and stays as it was" {
	foreign theirs
	m ls -q -a | grep -qx "$P-theirs"
	[ "$(m inspect "$P-theirs" | jq -r '.[0].adopted')" = true ]
	m start "$P-theirs"
	lxc_is theirs RUNNING
	run m exec "$P-theirs" -- /bin/sh -c 'hostname; exit 42'
	[ "$status" = 42 ]
	[ "$output" = "$P-theirs" ]
	run -127 m exec "$P-theirs" -- nothing-of-that-name
	[ "$(lxc-attach -n "$P-theirs" -- /bin/hostname)" = "$P-theirs" ]
	m procs "$P-theirs" | grep -q init
	m stop -t 20 "$P-theirs"
	lxc_is theirs STOPPED
	untouched theirs
}

@test "it reboots in its place" {
	local before
	foreign again
	m start "$P-again"
	before=$(lxc-info -p -H -n "$P-again")
	m exec "$P-again" -- /bin/busybox reboot -f || true
	rebooted() { local now; now=$(lxc-info -p -H -n "$P-again") && [ -n "$now" ] && [ "$now" != "$before" ]; }
	eventually 30 rebooted
	is again running
	[ "$(m exec "$P-again" -- /bin/hostname)" = "$P-again" ]
	m stop -t 20 "$P-again"
	lxc_is again STOPPED
	untouched again
}

@test "one side freezes, the other sees it" {
	foreign cold
	m start "$P-cold"
	m pause "$P-cold"
	lxc_is cold FROZEN
	m unpause "$P-cold"
	lxc_is cold RUNNING
	lxc-freeze -n "$P-cold"
	is cold paused
	lxc-unfreeze -n "$P-cold"
	is cold running
	m pause "$P-cold"
	m rm -f "$P-cold"
	[ ! -e "$LXCPATH/$P-cold" ]
}

@test "what lxc-start started is entered, watched and ended" {
	foreign far
	lxc-start -n "$P-far"
	is far running
	[ "$(m inspect "$P-far" | jq -r '.[0].status.pid')" = "$(lxc-info -p -H -n "$P-far")" ]
	run m exec "$P-far" -- /bin/sh -c 'echo out; echo err >&2; exit 3'
	[ "$status" = 3 ]
	m update -m 64m "$P-far"
	[ "$(lxc-cgroup -n "$P-far" memory.limit_in_bytes 2>/dev/null || lxc-cgroup -n "$P-far" memory.max)" = 67108864 ]
	m kill -s KILL "$P-far"
	eventually 30 is far stopped
	eventually 30 lxc_is far STOPPED
	untouched far
}

@test "the capabilities of a command are those that lxc-attach gives" {
	foreign caps
	m start "$P-caps"
	[ "$(m exec "$P-caps" -- /bin/grep ^Cap /proc/self/status)" = "$(lxc-attach -n "$P-caps" -- /bin/grep ^Cap /proc/self/status)" ]
}

@test "its console" {
	foreign console
	lxc-start -n "$P-console"
	typed "" "built-in shell" '\020\021' "'$MOORAGE' attach '$P-console'"
	lxc_is console RUNNING
}

@test "start at boot is one line, and no other changes" {
	foreign boot
	m enable "$P-boot"
	[ "$(lxc-ls -f -F NAME,AUTOSTART "^$P-boot\$" | awk 'NR == 2 { print $2 }')" = 1 ]
	[ "$(diff "$BATS_TEST_TMPDIR/before" "$LXCPATH/$P-boot/config" | grep -c '^[<>]')" = 1 ]
	m disable "$P-boot"
	[ "$(lxc-ls -f -F NAME,AUTOSTART "^$P-boot\$" | awk 'NR == 2 { print $2 }')" = 0 ]
	grep -v lxc.start.auto "$LXCPATH/$P-boot/config" | cmp "$BATS_TEST_TMPDIR/before"
}

# dead PID: it has ended, and with it all that was in its namespace of processes.
dead() { ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }

# parent PID
parent() { awk '/^PPid:/ { print $2 }' "/proc/$1/status"; }

# cgroups NAME: those that a start of ours has made.
cgroups() { find /sys/fs/cgroup -maxdepth 3 -name "lxc.payload.$P-$1-*"; }

@test "what a life that was killed has left goes, whoever destroys the container" {
	local init
	foreign killed
	m start "$P-killed"
	init=$(lxc-info -p -H -n "$P-killed")
	[ -n "$(cgroups killed)" ]
	# Ours and LXC's.
	kill -9 "$(parent "$(parent "$init")")" "$(parent "$init")"
	kill -9 "$init" 2>/dev/null || true
	eventually 30 lxc_is killed STOPPED
	eventually 30 dead "$init"
	lxc-destroy -n "$P-killed"
	m -B lxc ls >/dev/null
	[ -z "$(cgroups killed)" ]
}

@test "a listing ends nothing: not even what has lost its configuration" {
	foreign adrift
	m start "$P-adrift"
	mv "$LXCPATH/$P-adrift/config" "$BATS_TEST_TMPDIR/config"
	m -B lxc ls >/dev/null
	mv "$BATS_TEST_TMPDIR/config" "$LXCPATH/$P-adrift/config"
	[ "$(m exec "$P-adrift" -- /bin/hostname)" = "$P-adrift" ]
	m rm -f "$P-adrift"
}

@test "another name, and the end, as LXC does them" {
	foreign old
	m rename "$P-old" "$P-new"
	lxc-info -n "$P-new" >/dev/null
	[ ! -e "$LXCPATH/$P-old" ]
	m rm "$P-new"
	[ ! -e "$LXCPATH/$P-new" ]
}

@test "ours are LXC's as well: listed, told, entered, stopped" {
	sleeper ours
	lxc-ls -1 | grep -qx "$P-ours"
	lxc_is ours RUNNING
	[ "$(lxc-attach -n "$P-ours" -- /bin/cat /proc/1/comm)" = moorage-init ]
	# Not the descriptor that LXC was given, nor what it is told.
	[[ "$(m procs "$P-ours" | sed -n 2p)" == *" moorage-init -- /bin/"* ]]
	lxc-stop -n "$P-ours" -t 10
	eventually 30 is ours stopped
	m rm "$P-ours"
	[ ! -e "$LXCPATH/$P-ours" ]
}

@test "lxc-execute runs the command of ours; lxc-destroy leaves the root alone" {
	fresh theirs2 -- /bin/echo from LXC
	run lxc-execute -n "$P-theirs2" -- /bin/echo from LXC
	[[ "$output" == *"from LXC"* ]]
	lxc-destroy -n "$P-theirs2"
	[ -x "$E2E_ROOT/bin/busybox" ]
	m rm -f "$P-theirs2"
}

@test "what others write into the configuration of ours is read" {
	fresh edited --hostname before -- /bin/hostname
	sed -i 's/^lxc.uts.name = .*/lxc.uts.name = after/' "$LXCPATH/$P-edited/config"
	[ "$(m inspect "$P-edited" | jq -r '.[0].spec.hostname')" = after ]
	run m start -a "$P-edited"
	[ "$output" = after ]
	m rm "$P-edited"
}

@test "a name that LXC has is refused, and nothing of it is touched" {
	foreign taken
	refused 9 "exists already: lxc has it" create -B lxc --name "$P-taken" "$E2E_ROOT" -- /bin/true
	untouched taken
}

@test "what a configuration must not have is told with its file and line" {
	apart
	foreign odd
	echo 'lxc.cap.drop = nonsense' >>"$LXCPATH/$P-odd/config"
	run m -P "$LXCPATH" start "$P-odd"
	[ "$status" = 2 ]
	[[ "$output" == *"'$LXCPATH/$P-odd/config': line $(wc -l <"$LXCPATH/$P-odd/config"): lxc.cap.drop"* ]]
	m -P "$LXCPATH" ls -q | grep -qx "$P-odd"
	sed -i '$d' "$LXCPATH/$P-odd/config"
	untouched odd
	m -P "$LXCPATH" rm "$P-odd"
	[ ! -e "$LXCPATH/$P-odd" ]
}

@test "a configuration that LXC cannot read is told by name" {
	apart
	foreign broken
	echo 'lxc.no.such.key = 1' >>"$LXCPATH/$P-broken/config"
	run m -P "$LXCPATH" start "$P-broken"
	[ "$status" != 0 ]
	[[ "$output" == *"$P-broken"* ]]
	sed -i '$d' "$LXCPATH/$P-broken/config"
	untouched broken
	m -P "$LXCPATH" rm "$P-broken"
}

@test "a name that another backend has, one that this backend has not, and a backend that is none" {
	fresh mine -- /bin/true
	refused 9 "a container named '$P-mine' exists already: it is of backend lxc" create -B chroot --name "$P-mine" "$E2E_ROOT" -- /bin/true
	refused 3 "backend 'lxc': no container named '$P-none'" start "lxc:$P-none"
	refused 5 "no backend 'nosuch' is installed" start "nosuch:$P-mine"
	m rm "$P-mine"
}

@test "every configuration that LXC comes with can be included" {
	local file
	foreign shipped
	for file in /usr/share/lxc/config/*.conf; do
		printf 'lxc.include = %s\n' "$file" >"$BATS_TEST_TMPDIR/include"
		run m convert --from lxc --to oci "$BATS_TEST_TMPDIR/include"
		[ "$status" != 2 ] || { echo "$file: $output"; false; }
	done
	sed -i '1i lxc.include = /usr/share/lxc/config/common.conf\nlxc.include = /usr/share/lxc/config/userns.conf' "$LXCPATH/$P-shipped/config"
	m start "$P-shipped"
	[ "$(m exec "$P-shipped" -- /bin/hostname)" = "$P-shipped" ]
}

@test "another place of LXC's has no machines of systemd in it" {
	local place=$BATS_TEST_TMPDIR/place
	mkdir "$place"
	printf 'lxc.net.0.type = empty\n' >"$BATS_TEST_TMPDIR/new.conf"
	lxc-create -P "$place" -n "$P-there" -f "$BATS_TEST_TMPDIR/new.conf" -t busybox >/dev/null 2>&1
	[ "$(m -P "$place" ls -a --format '{{.Backend}}:{{.Name}}')" = "lxc:$P-there" ]
	m -P "$place" start "$P-there"
	[ "$(lxc-info -P "$place" -s -H -n "$P-there")" = RUNNING ]
	[ "$(m -P "$place" exec "$P-there" -- /bin/hostname)" = "$P-there" ]
	m -P "$place" rm -f "$P-there"
	[ ! -e "$place/$P-there" ]
	refused 5 "there is no directory '$place/none'" ls -B lxc -P "$place/none"
}
