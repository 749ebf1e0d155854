# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers of LXC and nspawn go to another host: one with a network namespace and directories of its own, behind a pair of virtual devices and an sshd. What goes
# wrong on the way - the cable, the disk there, the last answer - leaves one container, and the truth about where it is.
load lib
load migration
load remote

PEER=10.213.77

# enter_there COMMAND...: on the other host, without ssh.
enter_there() { nsenter -t "$(cat "$FILE_DIR/there")" -n -m -- "$@"; }

prepare_file() {
	export LXCPATH OTHER=$FILE_DIR/other SSHD='' REAL
	LXCPATH=$(lxc-config lxc.lxcpath 2>/dev/null) || LXCPATH=
	REAL=$(command -v "$MOORAGE")
	[ "$E2E_BACKEND" = lxc ] && [ "$E2E_KIND" = busybox ] && [ -n "$LXCPATH" ] && [ -x /usr/sbin/sshd ] || return 0
	mkdir "$OTHER"
	unshare -n sleep infinity 3>&- & echo $! >"$FILE_DIR/here"
	unshare -nm --propagation private sleep infinity 3>&- & echo $! >"$FILE_DIR/there"
	for side in here there; do
		eventually 60 unlike_us "$(cat "$FILE_DIR/$side")"
	done
	ip link add mrgt-here netns "$(cat "$FILE_DIR/here")" type veth peer name mrgt-there netns "$(cat "$FILE_DIR/there")"
	nsenter -t "$(cat "$FILE_DIR/here")" -n sh -c "ip addr add $PEER.1/24 dev mrgt-here; ip link set mrgt-here up; ip link set lo up"
	enter_there sh -c "ip addr add $PEER.2/24 dev mrgt-there; ip link set mrgt-there up; ip link set lo up
		mkdir -p /etc/systemd/nspawn /var/lib/machines
		for dir in '$LXCPATH' /etc/systemd/nspawn; do mount -t tmpfs none \"\$dir\"; done
		mount -t tmpfs -o size=64M none /var/lib/machines
		# There is one machined, which would tell here of what runs there.
		[ ! -d /run/dbus ] || mount -t tmpfs none /run/dbus"
	SSHD=$(enter_there "$BATS_TEST_DIRNAME/sshd" "$OTHER" "$REAL" $PEER.2)
	echo "$SSHD" >"$FILE_DIR/sshd"
	printf '#!/bin/sh\nexec nsenter -t %s -n -- %s "$@"\n' "$(cat "$FILE_DIR/here")" "$REAL" >"$FILE_DIR/moorage"
	chmod 755 "$FILE_DIR/moorage"
	MOORAGE=$FILE_DIR/moorage
}

unlike_us() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }

setup() {
	needs lxc busybox
	[ -n "$SSHD" ] || skip "openssh-server or LXC is not installed"
	MARK=$((1000000 + BASHPID))
	ABROAD=/proc/$(cat "$FILE_DIR/there")/root
}

teardown() {
	local name
	[ -n "$SSHD" ] || return 0
	ln -sfn "$REAL" "$OTHER/bin/moorage"
	cable up
	for name in $(m ls -q 2>/dev/null | grep "^$P-"); do m rm -f "$name" >/dev/null 2>&1 || true; done
	for name in $(there ls -q 2>/dev/null | grep "^$P-"); do there rm -f "$name" >/dev/null 2>&1 || true; done
	enter_there sh -c "rm -rf /var/lib/machines/* '$LXCPATH'/* '$OTHER/state/received'/* '$OTHER/state/roots'"
	rm -rf --one-file-system "$LXCPATH/$P"-* /var/lib/machines/{,.#}"$P"-* "$MOORAGE_STATE_DIR/migrated" "$MOORAGE_STATE_DIR/roots"
}

teardown_file() {
	local side
	[ ! -e "$FILE_DIR/sshd" ] || kill "$(cat "$FILE_DIR/sshd")"
	for side in here there; do [ ! -e "$FILE_DIR/$side" ] || kill "$(cat "$FILE_DIR/$side")"; done
	rm -rf "$FILE_DIR"
}

there() { enter_there env MOORAGE_STATE_DIR="$OTHER/state" MOORAGE_RUN_DIR="$OTHER/run" "$REAL" "$@"; }

# abroad NAME BACKEND: it runs there, once, and not here.
abroad() {
	local there here
	there=$(there ls --json | jq -r --arg n "$P-$1" '.[] | select(.name == $n) | .backend + " " + .state')
	here=$(m ls --json | jq -r --arg n "$P-$1" '.[] | select(.name == $n) | .state')
	[ "$there" = "$2 running" ] && [ -z "$here" ] && [ "$(copies)" = 1 ] || { echo "there: $there; here: $here; $(copies) copies"; return 1; }
}

# home NAME BACKEND: it runs here, once, and the other host has nothing of it.
home() {
	local left
	on "$1" "$2" || return
	run -3 there state "$P-$1" || { echo "there: $output"; return 1; }
	# What was done there is kept, under another name in LXC's directory.
	left=$(ls -d {"$ABROAD/var/lib/machines","$OTHER/state/roots"}/"$P-$1" "$ABROAD$LXCPATH/$P-$1"/{config,rootfs} "$MOORAGE_STATE_DIR/migrations"/* 2>/dev/null || true)
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

# to NAME BACKEND OPTION...
to() {
	local name=$1 backend=$2
	shift 2
	m migrate "$P-$name" --to "$backend@other" --ssh-config "$OTHER/config" --accept all "$@"
}

# begin_to NAME BACKEND OPTION...: the same in the background; its pid is in $pid, what it says in $BATS_TEST_TMPDIR/progress.
begin_to() {
	local name=$1 backend=$2
	shift 2
	"$MOORAGE" migrate "$P-$name" --to "$backend@other" --ssh-config "$OTHER/config" --accept all --progress json "$@" 2>"$BATS_TEST_TMPDIR/progress" &
	pid=$!
}

# Conditions to wait for: it runs, while it is stopped here; nothing there waits to be handed over.
runs_there() { [ "$(copies)" = 1 ]; }
received_none() { [ -z "$(find "$OTHER/state/received" -type f ! -name '*.part')" ]; }

cable() { nsenter -t "$(cat "$FILE_DIR/here")" -n ip link set mrgt-here "$1"; }

# colour FILE: it gets an attribute, where the file system of the other host takes it.
colour() { ! enter_there setfattr -n user.colour -v blue /var/lib/machines 2>/dev/null || setfattr -n user.colour -v blue "$1"; }

@test "LXC to nspawn of another host, nspawn to LXC there, and back each time: the same files, one process" {
	foreign trip
	colour "$ROOTFS/bin/service"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	m start "$P-trip"
	to trip nspawn -q
	abroad trip nspawn
	run -0 there exec "$P-trip" -- hostname
	[ "$output" = by-hand ]
	there stop "$P-trip"
	tree "$ABROAD/var/lib/machines/$P-trip" | diff "$BATS_TEST_TMPDIR/tree" -
	there start "$P-trip"
	m rollback -q "$P-trip"
	on trip lxc
	run -3 there state "$P-trip"
	m migrate -q "$P-trip" --to nspawn --accept all
	to trip lxc -q
	abroad trip lxc
	there stop "$P-trip"
	tree "$ABROAD$LXCPATH/$P-trip/rootfs" | diff "$BATS_TEST_TMPDIR/tree" -
	there start "$P-trip"
	m rollback -q "$P-trip"
	on trip nspawn
	m rollback -q "$P-trip"
	on trip lxc
	m stop "$P-trip"
	as_before trip
}

@test "the name is taken there, there is no room there, the disk is full half-way: refused, or undone" {
	foreign full
	m start "$P-full"
	there create -q -B native --name "$P-full" "$E2E_ROOT" -- /bin/true
	refused 9 "on 'other': a container named '$P-full' exists already" migrate "$P-full" --to nspawn@other --ssh-config "$OTHER/config" --accept all
	there rm "$P-full"
	wrong fill import
	run -1 to full nspawn -q
	[[ $output == *"on 'other'"*"No space left on device"* ]]
	home full lxc
	rm "$ABROAD/var/lib/machines/ballast"
	ln -sfn "$REAL" "$OTHER/bin/moorage"
	head -c 80M /dev/zero >"$ROOTFS/ballast"
	refused 1 "on 'other': root and archive need" migrate "$P-full" --to nspawn@other --ssh-config "$OTHER/config" --accept all
	home full lxc
}

@test "cut at the hand-over, before and after it was done there: undone, the truth is told" {
	foreign hand
	m start "$P-hand"
	for mode in before after; do
		wrong $mode keep
		run -1 to hand nspawn -q
		[[ $output == *"other"* ]]
		home hand lxc
	done
	wrong late undo
	run -8 to hand nspawn --health-cmd false --health-timeout 1
	[[ $output == *"wait until 'other' has ended what it was at"* ]]
	home hand lxc
	m stop "$P-hand"
	as_before hand
}

@test "killed when all is done there but said here: the next command finishes it" {
	foreign late
	m start "$P-late"
	wrong hang keep
	begin_to late nspawn
	eventually 60 grep -q '"step":"hand over"' "$BATS_TEST_TMPDIR/progress"
	eventually 60 received_none
	kill -KILL "$pid"
	wait "$pid" || true
	# One connection fails, those after it do not: nothing is undone there by who was not told.
	rm "$OTHER/bin/moorage"
	printf '#!/bin/sh\nln -sfn %s "$0"\nexit 1\n' "$REAL" >"$OTHER/bin/moorage"
	chmod 755 "$OTHER/bin/moorage"
	run -1 settle
	[[ $output == *"until 'other' answers, '$P-late' stays stopped here"* ]]
	settle
	abroad late nspawn
	m rollback -q "$P-late"
	home late lxc
}

@test "the cable is pulled while it starts there: stopped here until it can be asked; then it runs here" {
	foreign cable
	m start "$P-cable"
	begin_to cable nspawn --health-cmd 'test -e /no/such/file' --health-timeout 300
	eventually 60 grep -q '"step":"start"' "$BATS_TEST_TMPDIR/progress"
	eventually 60 runs_there
	cable down
	kill "$(pgrep -P "$pid" -x ssh)"
	local status=0
	wait "$pid" || status=$?
	[ "$status" = 1 ]
	grep -q 'could not be undone' "$BATS_TEST_TMPDIR/progress" || { cat "$BATS_TEST_TMPDIR/progress"; false; }
	run -1 m ls
	[[ $output == *"no connection to 'other'"*"until 'other' answers, '$P-cable' stays stopped here"* ]]
	run ! is cable running
	cable up
	eventually 60 home cable lxc
}

@test "a health check there ends with the connection, and so does the container there" {
	foreign check
	m start "$P-check"
	begin_to check nspawn --health-cmd 'sleep 1000' --health-timeout 500
	eventually 60 test -e "$ABROAD/var/lib/machines/$P-check"
	eventually 60 grep -q '"step":"start"' "$BATS_TEST_TMPDIR/progress"
	eventually 60 runs_there
	kill -KILL "$pid"
	wait "$pid" || true
	eventually 60 test ! -e "$ABROAD/var/lib/machines/$P-check"
	[ "$(copies)" = 0 ]
	settle_abroad
	home check lxc
}

# whole NAME BACKEND [DIRECTORY]: its files here, or below DIRECTORY and STATE of the other host, are what they were; but for what was changed on the way from LXC.
whole() {
	local name=$P-$1 below=${3:-} state=${4:-$MOORAGE_STATE_DIR}
	local -A roots=([lxc]=$below$LXCPATH/$name/rootfs [nspawn]=$below/var/lib/machines/$name [native]=$state/roots/$name)
	tree "${roots[$2]}" "${but[@]}" | diff "$BATS_TEST_TMPDIR/whole" -
}

# settled NAME FROM TO: after the next command it runs once, here or there, whole; and then here again.
settled() {
	settle_abroad && runs_once || return
	over=0
	if [ "$(there state "$P-$1" 2>/dev/null)" = running ]; then
		over=1
		abroad "$1" "$3" && whole "$1" "$3" "$ABROAD" "$OTHER/state" && m rollback -q "$P-$1" || return
	fi
	eventually 30 home "$1" "$2" || { home "$1" "$2"; return 1; }
	whole "$1" "$2"
}

@test "killed at any moment, on either side, from each engine to each: never two, none lost, every file as it was" {
	[ ! -d /run/systemd/system ] || skip "one service manager and one tree of cgroups serve both hosts: machines of nspawn with one name are one"
	local engines=(lxc nspawn native) at=lxc from target ms kills done=0 over=0 undone=0 finished=0 but=(/.oldroot /etc/resolv.conf)
	local -A longest=()
	foreign killed
	colour "$ROOTFS/bin/service"
	tree "$ROOTFS" "${but[@]}" >"$BATS_TEST_TMPDIR/whole"
	m start "$P-killed"
	for ((kills = 0; kills < ${MRGT_KILLS:-9}; kills++)); do
		from=${engines[kills / 3 % 3]} target=${engines[kills % 3]}
		[ "$from" = "$at" ] || m migrate -q "$P-killed" --to "$from" --accept all
		at=$from
		begin_to killed "$target"
		ms=$((RANDOM % ${longest[$from$target]:=1500}))
		if break_off "$pid" "$ms" "$kills"; then
			longest[$from$target]=$((longest[$from$target] * 11 / 10))
		else
			done=$((done + 1)) longest[$from$target]=$((longest[$from$target] * 3 / 4))
		fi
		[ "$(copies)" -le 1 ] || { echo "kill $kills, $from to $target, after $ms ms: $(copies) run"; false; }
		settled killed "$from" "$target" || { echo "kill $kills, $from to $target, after $ms ms"; cat "$BATS_TEST_TMPDIR/progress"; false; }
		if [ "$over" = 1 ]; then finished=$((finished + 1)); else undone=$((undone + 1)); fi
	done
	echo "# $kills kills, $undone undone, $finished had gone over ($done of them before the kill)" >&3
}
