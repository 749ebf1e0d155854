# SPDX-License-Identifier: LGPL-2.1-or-later
# A container changes its engine and comes back: there is always exactly one of it, with all its files, whatever fails or is killed on the way.
load lib
load migration

@test "a plan names every loss, has the status of the refusal, and changes nothing" {
	needs lxc busybox
	foreign plan
	run -6 m plan "$P-plan" --to nspawn
	[[ $output == *"dropped"*"lxc.tty.max"* ]]
	[[ $output == *"renamed"* ]]
	run -0 --separate-stderr m plan --json "$P-plan" --to nspawn --accept lxc.tty.max
	jq -e --arg r "/var/lib/machines/$P-plan" '.root.target == $r and .root.method == "move" and .root.files > 100 and .refusal == null' <<<"$output"
	jq -e '[.steps[].name] == ["set aside", "root", "configure"]' <<<"$output"
	refused 6 'lxc.tty.max' migrate "$P-plan" --to nspawn
	refused 2 "'--accept lxc.tty.mix' names no key" migrate "$P-plan" --to nspawn --accept lxc.tty.max --accept lxc.tty.mix
	grep -qx "hint: did you mean 'lxc.tty.max'?" "$BATS_TEST_TMPDIR/err"
	refused 2 "'--accept lxc.tty.mix' names no key" plan "$P-plan" --to nspawn --accept lxc.tty.mix
	refused 2 'of backend .lxc. already' migrate "$P-plan" --to lxc
	run -0 m migrate --dry-run "$P-plan" --to nspawn --accept all
	as_before plan
}

@test "LXC to nspawn and back: one process, the same files, the very configuration; meanwhile LXC knows nothing of it" {
	needs lxc busybox
	foreign trip
	m start "$P-trip"
	on trip lxc
	m migrate -q "$P-trip" --to nspawn --accept lxc.tty.max
	on trip nspawn
	[ -d "/var/lib/machines/$P-trip/bin" ]
	[ ! -e "$ROOTFS" ]
	[ -z "$(lxc-ls -1 | grep -x "$P-trip")" ]
	run ! lxc-start -n "$P-trip"
	run m exec "$P-trip" -- hostname
	[ "$output" = by-hand ]
	m migrate -q "$P-trip" --to lxc
	on trip lxc
	lxc-info -s -H -n "$P-trip" | grep -qx RUNNING
	m stop "$P-trip"
	as_before trip
	# There are two migrations to take back.
	m rollback -q "$P-trip"
	m rollback -q "$P-trip"
	as_before trip
	run -3 m rollback "$P-trip"
}

@test "round all engines without a daemon, and all the way back" {
	needs lxc busybox
	foreign round
	m start "$P-round"
	for backend in native chroot nspawn lxc; do
		m migrate -q "$P-round" --to $backend --accept all
		on round $backend
	done
	for backend in nspawn chroot native lxc; do
		m rollback -q "$P-round"
		on round $backend
	done
	m stop "$P-round"
	as_before round
}

@test "under another name; one that does not run is not started" {
	needs lxc busybox
	foreign old
	m migrate -q "$P-old" --to native --rename "$P-new" --accept all
	run -3 m state "$P-old"
	is new created
	m start "$P-new"
	runs_once
	refused 9 'exists already' create -B native --name "$P-new" "$E2E_ROOT" -- /bin/true
	m rollback -q "$P-new"
	on old lxc
	run -3 m state "$P-new"
	refused 4 'runs' migrate "$P-old" --to native --no-stop --accept all
	m stop "$P-old"
	as_before old
}

@test "a copy leaves the source's root alone, gets an identity of its own, and is not thrown away" {
	needs lxc busybox
	foreign copy
	echo 0123456789abcdef0123456789abcdef >"$ROOTFS/etc/machine-id"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	m migrate -q "$P-copy" --to nspawn --copy --start --accept all
	on copy nspawn
	tree "$ROOTFS" | diff "$BATS_TEST_TMPDIR/tree" -
	[ ! -s "/var/lib/machines/$P-copy/etc/machine-id" ]
	m exec "$P-copy" -- /bin/sh -c 'echo new >/etc/new'
	m rollback -q "$P-copy"
	on copy lxc
	[ "$(cat "/var/lib/machines/.#$P-copy".moorage-*/etc/new)" = new ]
	run ! grep -F .moorage- <<<"$(m ls -aq)"
	m stop "$P-copy"
	as_before copy
	# The doctor knows where it is, until it is gone.
	local found=".subject == \"copies kept\" and (.text | contains(\"$P-copy\"))"
	m doctor --json >"$BATS_TEST_TMPDIR/doctor" || [ $? = 1 ]
	eval "$(jq -er ".[] | select($found).fix" "$BATS_TEST_TMPDIR/doctor")"
	run ! ls -d "/var/lib/machines/.#$P-copy".moorage-*
	m doctor --json >"$BATS_TEST_TMPDIR/doctor" || [ $? = 1 ]
	jq -e "all(.[]; $found | not)" "$BATS_TEST_TMPDIR/doctor"
	[ -z "$(ls -A "$MOORAGE_STATE_DIR/copies")" ]
}

@test "a copy beside its original has another name, or is refused" {
	needs lxc busybox
	foreign beside
	m migrate -q "$P-beside" --to native --accept all
	refused 9 'where the root of .* is' migrate "$P-beside" --to chroot --copy --accept all
	m migrate -q "$P-beside" --to chroot --copy --rename "$P-two" --accept all
	[ -e "$MOORAGE_STATE_DIR/roots/$P-two/bin/service" ]
	[ -e "$MOORAGE_STATE_DIR/roots/$P-beside/bin/service" ]
	m rollback -q "$P-two"
	m rollback -q "$P-beside"
	as_before beside
}

@test "one that is not well is taken back, and runs again where it was" {
	needs lxc busybox
	foreign ill
	m start "$P-ill"
	run -8 m migrate -q "$P-ill" --to nspawn --accept all --health-cmd 'test -e /no/such/file' --health-timeout 1
	[[ $output == *"not well in time"* ]]
	on ill lxc
	m migrate -q "$P-ill" --to native --accept all --health-cmd 'test -e /etc/passwd'
	on ill native
	m rollback -q "$P-ill"
	m stop "$P-ill"
	as_before ill
}

@test "the console of one without /dev/pts becomes a terminal of its own, which is told" {
	needs lxc busybox
	foreign bare
	sed -i /lxc.pty.max/d "$LXCPATH/$P-bare/config"
	cp "$LXCPATH/$P-bare/config" "$BATS_TEST_TMPDIR/config"
	m start "$P-bare"
	run -0 m plan "$P-bare" --to native --accept all
	[[ $output == *"a terminal comes from /dev/pts, which is mounted"* ]]
	m migrate -q "$P-bare" --to native --accept all
	on bare native
	m exec "$P-bare" -- sh -c 'test -c /dev/pts/ptmx && test -t 0 </dev/console'
	m migrate -q "$P-bare" --to lxc --accept all
	on bare lxc
	m stop "$P-bare"
	as_before bare
}

@test "what its first process said is told when it ends too soon" {
	needs lxc busybox
	foreign torn
	cat >"$ROOTFS/bin/service" <<-END
		#!/bin/sh
		[ "\$container" != lxc ] || while :; do sleep 0.1; done
		echo first
		printf "\\033[1mno such \\033[0mdisk\\n"
		exit 7
	END
	m start "$P-torn"
	run -4 m migrate -q "$P-torn" --to native --accept all
	[[ $output == *"has ended with exit status 7 soon after its start"*"hint: its last lines were: first | no such disk"* ]]
	on torn lxc
}

@test "an engine that confines less than it was told: seen, taken back, and it runs again where it was" {
	needs lxc busybox
	foreign weak
	m start "$P-weak"
	# An nspawn, for this command alone, that does not read what was configured, nor hears that the network is to be private.
	cat >"$BATS_TEST_TMPDIR/nspawn" <<-END
		#!/bin/bash
		for word; do shift; [ "\$word" = --private-network ] || set -- "\$@" "\$word"; done
		echo "\$@" >>"$BATS_TEST_TMPDIR/was-run"
		exec "$BATS_TEST_TMPDIR/real/systemd-nspawn" --settings=no --resolv-conf=off --timezone=off --link-journal=no "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/nspawn"
	mkdir "$BATS_TEST_TMPDIR/real"
	cp "$(command -v systemd-nspawn)" "$BATS_TEST_TMPDIR/real"
	run -4 unshare -m --propagation private sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$BATS_TEST_TMPDIR/nspawn" "$(command -v systemd-nspawn)" \
		"$MOORAGE" migrate -q "$P-weak" --to nspawn --accept lxc.tty.max
	[ -s "$BATS_TEST_TMPDIR/was-run" ]
	[[ $output == *"would be weaker confined under nspawn than under lxc, which the plan does not say: the net namespace is the host's"* ]]
	on weak lxc
	m stop "$P-weak"
	as_before weak
}

@test "a signal breaks it off: all is as it was" {
	needs lxc busybox
	foreign signal
	m start "$P-signal"
	"$MOORAGE" migrate "$P-signal" --to nspawn --accept all --health-cmd false --progress json 2>"$BATS_TEST_TMPDIR/progress" &
	pid=$!
	eventually 30 grep -q '"step":"start"' "$BATS_TEST_TMPDIR/progress"
	# These ask for nothing: the window has another size, a shell has it in the foreground again.
	kill -WINCH "$pid"
	kill -STOP "$pid"
	kill -CONT "$pid"
	sleep 1
	kill -0 "$pid"
	run ! grep -q 'broken off' "$BATS_TEST_TMPDIR/progress"
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	[ "$status" = 1 ]
	grep -q 'broken off' "$BATS_TEST_TMPDIR/progress"
	head -n 1 "$BATS_TEST_TMPDIR/progress" | jq -e '.step == "stop" and .number == 1'
	on signal lxc
	m stop "$P-signal"
	as_before signal
}

@test "killed at each of its renames, forwards and backwards: the next command leaves exactly one" {
	needs lxc busybox
	needs_strace
	local calls=rename,renameat,renameat2 status n
	foreign killed
	m start "$P-killed"
	for verb in migrate rollback; do
		for n in {1..60}; do
			status=0
			if [ $verb = migrate ]; then set -- migrate -q "$P-killed" --to nspawn --accept all; else set -- rollback -q "$P-killed"; fi
			traced -o /dev/null -e trace=$calls -e inject=$calls:signal=KILL:when="$n" "$MOORAGE" "$@" >/dev/null 2>&1 || status=$?
			[ "$status" != 0 ] || break
			settle
			on killed lxc || on killed nspawn
			# A rollback that was begun is gone through with: to take back again there has to be something.
			[ $verb = migrate ] || on killed nspawn || m migrate -q "$P-killed" --to nspawn --accept all
		done
		[ "$status" = 0 ]
		[ "$n" -gt 8 ]
	done
	on killed lxc
	m stop "$P-killed"
	as_before killed
}

@test "killed at any moment, forwards and backwards: never two, never none, no file lost" {
	needs lxc busybox
	"$BATS_TEST_DIRNAME/kills" "${MRGT_KILLS:-12}" nspawn native chroot
}

@test "rm of the target forgets the source; purge does it at once" {
	needs lxc busybox
	foreign gone
	m migrate -q "$P-gone" --to nspawn --accept all
	ls "$LXCPATH/$P-gone" | grep -q '^config.moorage-'
	m rm "$P-gone"
	[ ! -e "$LXCPATH/$P-gone" ]
	run -3 m rollback "$P-gone"
	rm -rf "/var/lib/machines/$P-gone"
	foreign gone
	m migrate -q "$P-gone" --to native --accept all --purge
	[ ! -e "$LXCPATH/$P-gone" ]
	run -3 m rollback "$P-gone"
	is gone created
}

# kept NAME: the files that are kept of its sources, and their journals.
kept() { find "$LXCPATH/$P-$1" "/etc/systemd/nspawn/$P-$1".nspawn* "/etc/systemd/system/systemd-nspawn@$P-$1.service.d" "$MOORAGE_STATE_DIR/migrated" -mindepth 1 2>/dev/null || true; }

@test "rm forgets every source on the way, also those before it came back to where it had been" {
	needs lxc busybox
	foreign way
	for to in nspawn lxc native nspawn; do m migrate -q "$P-way" --to $to --accept all; done
	[ -n "$(kept way)" ]
	m rm "$P-way"
	rm -rf "/var/lib/machines/$P-way"
	kept way
	[ -z "$(kept way)" ]
}

@test "what is kept for one that another tool has removed: the doctor tells, and how to get rid of it" {
	needs lxc busybox
	command -v lxc-destroy >/dev/null || skip "lxc-destroy is not installed"
	local found=".subject == \"sources kept\" and (.text | contains(\"$P-else\"))"
	foreign else
	for to in nspawn lxc; do m migrate -q "$P-else" --to $to --accept all; done
	m doctor --json >"$BATS_TEST_TMPDIR/doctor" || [ $? = 1 ]
	jq -e "all(.[]; $found | not)" "$BATS_TEST_TMPDIR/doctor"
	lxc-destroy -n "$P-else"
	m doctor --json >"$BATS_TEST_TMPDIR/doctor" || [ $? = 1 ]
	jq -e "[.[] | select($found)] | length == 1" "$BATS_TEST_TMPDIR/doctor"
	PATH=${MOORAGE%/*}:$PATH eval "$(jq -r ".[] | select($found).fix" "$BATS_TEST_TMPDIR/doctor")"
	kept else
	[ -z "$(kept else)" ]
}

@test "LXC to libvirt and back: one process, the same files, the very configuration" {
	needs libvirt busybox
	foreign virt
	m start "$P-virt"
	m migrate -q "$P-virt" --to libvirt --accept all
	on virt libvirt
	virsh -q -c lxc:///system domstate "$P-virt" | grep -q running
	m migrate -q "$P-virt" --to nspawn --accept all
	on virt nspawn
	run ! virsh -q -c lxc:///system domstate "$P-virt" >/dev/null 2>&1
	m rollback -q "$P-virt"
	on virt libvirt
	m migrate -q "$P-virt" --to lxc --accept all
	on virt lxc
	m stop "$P-virt"
	as_before virt
}

@test "from every engine to every other one, running: one process, the same files, and in the end the very configuration" {
	needs libvirt busybox
	local backend from=lxc pairs=()
	foreign all
	m start "$P-all"
	# Each ordered pair of the five once.
	for backend in nspawn lxc native lxc libvirt lxc chroot nspawn native nspawn libvirt nspawn chroot native libvirt native chroot libvirt chroot lxc; do
		m migrate -q "$P-all" --to $backend --accept all || { echo "from $from to $backend"; return 1; }
		on all $backend
		pairs+=("$from>$backend")
		from=$backend
	done
	[ "$(printf '%s\n' "${pairs[@]}" | sort -u | wc -l)" = 20 ]
	m stop "$P-all"
	as_before all
}

# round_trip BACKEND [FIRST]: a running Debian to that backend and back to LXC; with the users from FIRST on as its own.
round_trip() {
	[ -n "$SYSTEMD" ] || skip "the root could not be made: no package mirror answers"
	E2E_ROOT=$SYSTEMD
	foreign os "lxc.init.cmd = /sbin/init" "lxc.cap.drop = sys_rawio"
	[ -z "${2:-}" ] || own_users os "$2"
	tree "$ROOTFS" /etc /run /tmp /var >"$BATS_TEST_TMPDIR/system"
	services() { m exec "$P-os" -- systemctl list-units --plain --no-legend --type service --state running | awk '{ print $1 }' | sort; }
	m start "$P-os"
	eventually 180 m exec "$P-os" -- systemctl is-system-running >/dev/null 2>&1
	services >"$BATS_TEST_TMPDIR/services"
	grep -q dbus "$BATS_TEST_TMPDIR/services"
	for backend in "$1" lxc; do
		m migrate -q "$P-os" --to $backend --accept all --health-timeout 300
		[ "$(m ls --json | jq -r --arg n "$P-os" '.[] | select(.name == $n) | .backend + " " + .state')" = "$backend running" ]
		services | diff "$BATS_TEST_TMPDIR/services" -
		[ "$(m exec "$P-os" -- awk '{ print $1, $2 }' /proc/self/uid_map)" = "0 ${2:-0}" ]
	done
	m stop "$P-os"
	cmp "$LXCPATH/$P-os/config" "$BATS_TEST_TMPDIR/config"
	# What a running system writes is its own.
	tree "$ROOTFS" /etc /run /tmp /var | diff "$BATS_TEST_TMPDIR/system" -
	# At rest nobody writes: all of it, but for what is left where something else is mounted.
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/system"
	for backend in "$1" lxc; do m migrate -q "$P-os" --to $backend --accept all; done
	is os stopped
	tree "$ROOTFS" | diff "$BATS_TEST_TMPDIR/system" -
	cmp "$LXCPATH/$P-os/config" "$BATS_TEST_TMPDIR/config"
}

@test "a Debian system with systemd: LXC to nspawn and back, booted each time, the same services" {
	needs lxc busybox
	round_trip nspawn
}

@test "a Debian system with systemd: LXC to native and back, booted each time, the same services" {
	needs lxc busybox
	round_trip native
}

@test "a Debian system with systemd: LXC to libvirt and back, booted each time, the same services" {
	needs libvirt busybox
	round_trip libvirt
}

@test "a Debian system with users of its own: LXC to nspawn and back, booted each time, the same services" {
	needs lxc busybox
	round_trip nspawn 300000
}

@test "a Debian system with users of its own: LXC to native and back, booted each time, the same services" {
	needs lxc busybox
	round_trip native 300000
}

@test "a Debian system with users of its own: LXC to libvirt and back, booted each time, the same services" {
	needs libvirt busybox
	round_trip libvirt 300000
}
