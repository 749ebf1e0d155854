# SPDX-License-Identifier: LGPL-2.1-or-later
# Machines of systemd-nspawn that nobody made with moorage: listed, driven, and as they were afterwards; and ours, as nspawn sees them.
load lib

SETTINGS=/etc/systemd/nspawn

# What the first record makes is there already when refusals are looked at.
prepare_file() { mkdir "$MOORAGE_STATE_DIR/containers"; }

setup() {
	[ "$E2E_BACKEND" = nspawn ] || skip "about machines of systemd-nspawn"
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
}

# machine NAME DIRECTORY: a root and settings as one writes them by hand.
machine() {
	mkdir -p "$2" "$SETTINGS"
	cp -a "$E2E_ROOT" "$2/$P-$1"
	cat >"$SETTINGS/$P-$1.nspawn" <<'END'
# made by hand
[Exec]
Boot=no
Parameters=/bin/sh -c "echo up; trap 'exit 7' TERM; while :; do sleep 0.1; done"
KillSignal=SIGTERM
PrivateUsers=no

[Network]
VirtualEthernet=no
END
}

teardown() {
	[ -n "${P:-}" ] || return 0
	local name
	for name in hand gone place; do
		"$MOORAGE" -P "$BATS_TEST_TMPDIR" rm -f "nspawn:$P-$name" >/dev/null 2>&1 || true
		"$MOORAGE" rm -f "nspawn:$P-$name" >/dev/null 2>&1 || true
		rm -rf "/var/lib/machines/$P-$name" "$SETTINGS/$P-$name.nspawn"
	done
}

# by_hand NAME COMMAND...: what nspawn itself makes of the machine; a command takes the place of the settings'.
by_hand() {
	local name=$1 how=(--register=no --keep-unit)
	shift
	[ ! -d /run/systemd/system ] || how=()
	systemd-nspawn "${how[@]}" --quiet --console=pipe --machine="$P-$name" "$@"
}

@test "made by hand: listed, started, entered, paused, stopped, and as it was" {
	machine hand /var/lib/machines
	before=$(sha256sum "$SETTINGS/$P-hand.nspawn")
	m ls --json | jq -e --arg n "$P-hand" '.[] | select(.name == $n) | .backend == "nspawn" and .state == "created"'
	m inspect --native "$P-hand" | grep -qx '# made by hand'
	m start "$P-hand"
	is hand running
	run m exec "$P-hand" -- /bin/sh -c 'echo inside; exit 4'
	[ "$status" = 4 ]
	[ "$output" = inside ]
	m procs "$P-hand" | grep -q "echo up"
	m pause "$P-hand"
	is hand paused
	m unpause "$P-hand"
	m stop "$P-hand"
	eventually 30 bash -c '[[ $("$MOORAGE" state "$P-hand") =~ ^(stopped|created)$ ]]'
	[ "$(sha256sum "$SETTINGS/$P-hand.nspawn")" = "$before" ]
	run --separate-stderr by_hand hand /bin/echo "still nspawn's"
	[ "$output" = "still nspawn's" ]
}

@test "exec has the capabilities that nspawn gives, no more and no less" {
	machine hand /var/lib/machines
	m start "$P-hand"
	first=$(m exec "$P-hand" -- /bin/sh -c 'grep -E "^Cap(Bnd|Prm|Eff)" /proc/1/status')
	run m exec "$P-hand" -- /bin/sh -c 'grep -E "^Cap(Bnd|Prm|Eff)" /proc/self/status'
	[ "$output" = "$first" ]
	[ $((0x$(sed -n 's/^CapBnd:[[:space:]]*//p' <<<"$output") >> 21 & 1)) = 1 ]
	m stop "$P-hand"
}

@test "rm removes what machinectl removes" {
	machine gone /var/lib/machines
	m enable "$P-gone"
	m rm "$P-gone"
	[ ! -L "/etc/systemd/system/machines.target.wants/systemd-nspawn@$P-gone.service" ]
	[ ! -e "/var/lib/machines/$P-gone" ]
	[ ! -e "$SETTINGS/$P-gone.nspawn" ]
	run m state "$P-gone"
	[ "$status" = 3 ]
}

@test "another directory of machines is named by -P" {
	machine place "$BATS_TEST_TMPDIR"
	run m state "$P-place"
	[ "$status" = 3 ]
	m -P "$BATS_TEST_TMPDIR" ls --json | jq -e --arg n "$P-place" '.[] | select(.name == $n)'
	m -P "$BATS_TEST_TMPDIR" start "nspawn:$P-place"
	run m -P "$BATS_TEST_TMPDIR" exec "nspawn:$P-place" -- /bin/echo there
	[ "$output" = there ]
	# Its unit would start one of the usual directory.
	refused 6 "does not start machines in '$BATS_TEST_TMPDIR'" -P "$BATS_TEST_TMPDIR" enable "nspawn:$P-place"
	m -P "$BATS_TEST_TMPDIR" stop "nspawn:$P-place"
	m -P "$BATS_TEST_TMPDIR" rm "nspawn:$P-place"
	[ ! -e "$BATS_TEST_TMPDIR/$P-place" ]
}

@test "a name that the host already has is refused" {
	machine hand /var/lib/machines
	refused 9 "'$P-hand' exists already" create -B nspawn --name "$P-hand" "$E2E_ROOT" -- /bin/true
	printf '[Exec]\n' >"$SETTINGS/$P-gone.nspawn"
	refused 9 "settings for a machine '$P-gone'" create -B nspawn --name "$P-gone" "$E2E_ROOT" -- /bin/true
	[ "$(cat "$SETTINGS/$P-gone.nspawn")" = "[Exec]" ]
}

@test "a name that is no host name is refused" {
	refused 2 "'$P-under_score' is no name for a machine" create -B nspawn --name "$P-under_score" "$E2E_ROOT" -- /bin/true
	refused 2 "'$P-end-' is no name for a machine" create -B nspawn --name "$P-end-" "$E2E_ROOT" -- /bin/true
}

@test "ours is a machine of nspawn's: its files, and nspawn starts it" {
	fresh ours --ulimit nofile=123:456 -- /bin/echo hello
	grep -qx 'Parameters=/bin/echo hello' "$SETTINGS/$P-ours.nspawn"
	grep -qx 'LimitNOFILE=123:456' "$SETTINGS/$P-ours.nspawn"
	grep -q "^ExecStart=systemd-nspawn .*--directory=$E2E_ROOT" "/etc/systemd/system/systemd-nspawn@$P-ours.service.d/moorage.conf"
	run --separate-stderr by_hand ours --directory="$E2E_ROOT" --settings=override
	[ "$output" = hello ]
	m rm "$P-ours"
	[ ! -e "$SETTINGS/$P-ours.nspawn" ]
	[ ! -e "/etc/systemd/system/systemd-nspawn@$P-ours.service.d" ]
}

@test "what is written into the settings by hand counts" {
	fresh ours -- /bin/sh -c 'echo $COLOUR'
	sed -i 's/^\[Exec\]$/[Exec]\nEnvironment=COLOUR=green/' "$SETTINGS/$P-ours.nspawn"
	run m start -a "$P-ours"
	[ "$output" = green ]
	m rm "$P-ours"
}

@test "a transient one leaves no file" {
	m run -d --rm -B nspawn --name "$P-brief" "$E2E_ROOT" -- /bin/sleep 100
	[ -e "/run/systemd/nspawn/$P-brief.nspawn" ]
	[ ! -e "$SETTINGS/$P-brief.nspawn" ]
	m rm -f "$P-brief"
	[ ! -e "/run/systemd/nspawn/$P-brief.nspawn" ]
}

@test "a root that is in use is refused with 9, its user goes on" {
	sleeper first
	fresh second -- /bin/true
	run m start "$P-second"
	[ "$status" = 9 ]
	[[ "$output" == *busy* ]]
	is first running
	m rm -f "$P-first"
	m start -a "$P-second"
	m rm "$P-second"
}

# nspawn_of NAME: the pid of its systemd-nspawn.
nspawn_of() { pgrep -f "^/usr/bin/systemd-nspawn .*--machine=$P-$1 "; }

@test "nspawn is killed: nothing is left of it, not even the copy of an ephemeral root" {
	copies() { find "$(dirname "$E2E_ROOT")" -maxdepth 1 -name '.#*' | wc -l; }
	fresh dead --ephemeral --read-only -- /bin/sleep 1000
	m start "$P-dead"
	[ "$(copies)" -ge 1 ]
	kill -KILL "$(nspawn_of dead)"
	m wait "$P-dead" >/dev/null
	is dead stopped
	[ "$(copies)" = 0 ]
	[ -z "$(cgroups dead)" ]
	m rm "$P-dead"
}

@test "a user namespace: over the root in place, whose owners stay, and over one that is thrown away" {
	run once users --userns auto -- /bin/sh -c 'id -u; awk "{ print \$2 }" /proc/self/uid_map; stat -c %u /bin/busybox'
	[ "$status" = 0 ]
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" -ge 65536 ]
	[ "${lines[2]}" = 0 ]
	[ "$(stat -c %u "$E2E_ROOT/bin/busybox")" = 0 ]
	run once layer --userns auto --ephemeral -- /bin/sh -c 'touch /mrgt-new && stat -c %u /mrgt-new'
	[ "$output" = 0 ]
	[ ! -e "$E2E_ROOT/mrgt-new" ]
}

@test "masks hold with the network of the host, which brings the host's /sys" {
	run once sys --network host -- /bin/sh -c 'ls /sys/class/net | grep -c .; ls -A /sys/firmware | wc -l'
	[ "${lines[0]}" -ge 1 ]
	[ "${lines[1]}" = 0 ]
}

@test "the console of a machine that boots" {
	machine hand /var/lib/machines
	printf '[Exec]\nBoot=yes\nPrivateUsers=no\n[Network]\nVirtualEthernet=no\n' >"$SETTINGS/$P-hand.nspawn"
	rm -f "/var/lib/machines/$P-hand/sbin/init"
	mkdir -p "/var/lib/machines/$P-hand/sbin"
	printf '#!/bin/sh\nwhile read -r line; do echo "heard $line"; done\n' >"/var/lib/machines/$P-hand/sbin/init"
	chmod 755 "/var/lib/machines/$P-hand/sbin/init"
	m start "$P-hand"
	if [ -d /run/systemd/system ]; then
		# The unit runs it, and its output goes to the journal.
		refused 125 "has no console" console "$P-hand"
	else
		typed ahoy "heard ahoy" '\035\035\035' "'$MOORAGE' console '$P-hand'"
		is hand running
	fi
	m kill "$P-hand"
}

@test "device nodes, also with users of its own" {
	[ ! -d /run/systemd/system ] || skip "the host in the machine has no controllers to allow devices with"
	run once node --device /dev/full:/dev/mrgt-full -- /bin/sh -c 'stat -c "%F %t:%T" /dev/mrgt-full; echo x >/dev/mrgt-full'
	[ "${lines[0]}" = "character special file 1:7" ]
	[[ "${lines[1]}" == *"No space left"* ]]
	run once bound --userns auto --device /dev/net/tun --device /dev/ptmx -- /bin/sh -c 'stat -c "%F %t:%T" /dev/net/tun'
	[ "${lines[0]}" = "character special file a:c8" ]
	refused 6 "cannot be given '/dev/mrgt-full'" create -B nspawn --name "$P-users" --userns auto --device /dev/full:/dev/mrgt-full "$E2E_ROOT" -- /bin/true
}

@test "enable and disable are those of machinectl" {
	command -v systemctl >/dev/null || skip "systemctl is not installed"
	machine hand /var/lib/machines
	m enable "$P-hand"
	[ -L "/etc/systemd/system/machines.target.wants/systemd-nspawn@$P-hand.service" ]
	[ "$(systemctl is-enabled "systemd-nspawn@$P-hand.service")" = enabled ]
	m disable "$P-hand"
	[ ! -e "/etc/systemd/system/machines.target.wants/systemd-nspawn@$P-hand.service" ]
}

@test "machinectl starts one, moorage drives it; moorage starts one, machinectl sees it" {
	[ -d /run/systemd/system ] || skip "systemd does not run here"
	machine hand /var/lib/machines
	machinectl start "$P-hand"
	is hand running
	run m exec "$P-hand" -- /bin/echo inside
	[ "$output" = inside ]
	refused 125 "was started by others" attach "$P-hand"
	m stop "$P-hand"
	run machinectl show "$P-hand"
	[ "$status" != 0 ]
	m start "$P-hand"
	machinectl show "$P-hand" -p Unit | grep -qx "Unit=systemd-nspawn@$P-hand.service"
	machinectl terminate "$P-hand"
	eventually 30 bash -c '[[ $("$MOORAGE" state "$P-hand") =~ ^(stopped|created)$ ]]'
	sleeper ours
	machinectl show "$P-ours" -p Service | grep -qx "Service=systemd-nspawn"
	m rm -f "$P-ours"
	fresh ours -- /bin/sleep 1000
	# machinectl itself starts only what is in a directory of machines.
	systemctl start "systemd-nspawn@$P-ours.service"
	is ours running
	m stop -t 20 "$P-ours"
	m rm "$P-ours"
}

# has_failed NAME: whether systemd keeps the unit of the machine as a failed one.
has_failed() { systemctl --quiet is-failed "systemd-nspawn@$P-$1.service"; }

@test "what is killed fails as a unit, until it is removed" {
	[ -d /run/systemd/system ] || skip "systemd does not run here"
	machine gone /var/lib/machines
	m start "$P-gone"
	m kill -s KILL --all-processes "$P-gone"
	eventually 30 has_failed gone
	m rm "$P-gone"
	run ! has_failed gone
	machine gone /var/lib/machines
	m start "$P-gone"
	m rm -f "$P-gone"
	run ! has_failed gone
	fresh ours -- /bin/sleep 1000
	systemctl start "systemd-nspawn@$P-ours.service"
	m rm -f "$P-ours"
	run ! has_failed ours
	run ! test -e "/run/systemd/machines/$P-ours"
}

@test "one that boots without an init is refused, and does not run for a moment" {
	machine gone /var/lib/machines
	sed -i 's/^Boot=no/Boot=yes/; /^Parameters=/d' "$SETTINGS/$P-gone.nspawn"
	rm "/var/lib/machines/$P-gone/bin/init"
	run -1 m start "$P-gone"
	[[ $output == *"the root has no init: there is no /sbin/init and no /usr/lib/systemd/systemd"* ]]
	is gone created
}
