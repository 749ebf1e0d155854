# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers of an ordinary user: with ids of its own beside it, and with its own id alone.
load lib

setup() {
	[ "$E2E_BACKEND" = native ] || skip "$E2E_BACKEND needs root"
	HOME_DIR=$(mktemp -d /tmp/mrgt-rootless.XXXXXX)
	chmod 755 "$HOME_DIR"
	cp -a "$E2E_ROOT" "$HOME_DIR/root"
	chown -hR 4242:4242 "$HOME_DIR/root"
}

# What is still there belongs to the user or to ids of its.
teardown() {
	! [ -e /proc/sys/kernel/unprivileged_userns_clone ] || [ -z "${MRGT_HOST:-}" ] || sysctl -qw kernel.unprivileged_userns_clone=1
	[ -z "${HOME_DIR:-}" ] || { u "${IDS:-none}" rm -f "$P-rl" >/dev/null 2>&1 || true; rm -rf --one-file-system "$HOME_DIR"; }
}

# u IDS ARGUMENT...: the command, as the user.
u() { IDS=$1; shift; "$BATS_TEST_DIRNAME/user" "$IDS" "$HOME_DIR" "$MOORAGE" "$@"; }

@test "with ids of its own: root in the container is the user, the others are from /etc/subuid" {
	command -v newuidmap || skip "newuidmap is not installed (package uidmap)"
	run u subids run --rm --name "$P-rl" ./root -- /bin/sh -c 'id -u; touch /tmp/mine /tmp/theirs; chown 5:6 /tmp/theirs; echo >/dev/null; cat /proc/self/uid_map'
	[ "$status" = 0 ]
	[ "${lines[0]}" = 0 ]
	[[ "$output" == *4242*300000*65536* ]]
	[ "$(stat -c %u:%g "$HOME_DIR/root/tmp/mine")" = 4242:4242 ]
	[ "$(stat -c %u:%g "$HOME_DIR/root/tmp/theirs")" = 300004:300005 ]
	run u subids run --rm --name "$P-rl" --user 1000:1001 ./root -- /bin/sh -c 'id -u; id -g'
	[ "$output" = "$(printf '1000\n1001')" ]
}

# Whatever was started there sees a mount from there. Of the user there may be more on this host.
nobody_left() { ! grep -qsF "${HOME_DIR##*/}/" /proc/[0-9]*/mountinfo; }

@test "the life of a container without rights" {
	u none create -q --name "$P-rl" ./root -- /bin/sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
	u none start "$P-rl"
	[ "$(u none state "$P-rl")" = running ]
	[ "$(u none exec "$P-rl" -- /bin/sh -c 'id -u; cat /proc/1/comm' | tr '\n' ' ')" = "0 moorage-init " ]
	u none stop "$P-rl"
	[ "$(u none state "$P-rl")" = stopped ]
	[ "$(u none wait "$P-rl")" = 7 ]
	u none start "$P-rl"
	run u none ls -q
	[ "$output" = "$P-rl" ]
	u none rm -f "$P-rl"
	run u none ls -aq
	[ -z "$output" ]
	# A monitor tells the end before its own.
	eventually 30 nobody_left
}

@test "a user namespace may be asked for, and is explained; the processes of a container are told" {
	command -v newuidmap || skip "newuidmap is not installed (package uidmap)"
	run u subids run --rm --name "$P-rl" --userns auto ./root -- /bin/cat /proc/self/uid_map
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 2 ]
	[[ "${lines[1]}" =~ 1\ +300000\ +65536 ]]
	run u subids run --explain --name "$P-rl" ./root -- /bin/true
	[[ "$output" == *"newuidmap PID 0 4242 1 1 300000 65536"* ]]
	[[ "$output" == *"no cgroup: this user may not make cgroups"* ]]
	run u none run --explain --name "$P-rl" ./root -- /bin/true
	[[ "$output" == *"unshare --user --map-root-user"*"/etc/subuid has no line 'mrgt-4242:FIRST:65536'"* ]]
	u none run -q -d --name "$P-rl" ./root -- /bin/sh -c 'sleep 1000 & exec sleep 2000'
	eventually 30 has_both
	u none rm -f "$P-rl"
}

has_both() { [ "$(u none procs --format '{{.command}}' "$P-rl" | grep -cE '^sleep (1|2)000$')" = 2 ]; }

@test "isolated: the container has namespaces of its own and cannot touch what belongs to root" {
	u none run --rm --name "$P-rl" ./root -- /bin/sh -c 'for n in user pid net ipc uts mnt; do readlink /proc/self/ns/$n; done' >"$HOME_DIR/inside"
	for n in user pid net ipc uts mnt; do run ! grep -F "$(readlink "/proc/self/ns/$n")" "$HOME_DIR/inside"; done
	[ "$(wc -l <"$HOME_DIR/inside")" = 6 ]
	install -d -m 700 "$HOME_DIR/root/secret"
	run u none run --rm --name "$P-rl" ./root -- /bin/sh -c 'ls /secret 2>/dev/null || echo closed'
	[ "$output" = closed ]
}

# tells IDS PATTERN ARGUMENT...: the command fails with one line that says PATTERN.
tells() {
	local ids=$1 pattern=$2
	shift 2
	run u "$ids" "$@"
	echo "$output"
	[ "$status" -gt 1 ] && [[ "$output" =~ $pattern ]] && [ "$(grep -c '^moorage: error: ' <<<"$output")" = 1 ]
}

@test "what is missing is named: the line, the package, the cgroup" {
	tells none "/etc/subuid has no line 'mrgt-4242:FIRST:65536'" run --rm --name "$P-rl" --user 1000 ./root -- /bin/true
	tells nomapper 'newuidmap .package uidmap.' run --rm --name "$P-rl" --user 1000 ./root -- /bin/true
	tells none 'linux.resources.memory.limit.*may not make cgroups.*hint: ' run --rm --name "$P-rl" -m 64m ./root -- /bin/true
	tells none 'needs the rights of root' run --rm -B chroot --name "$P-rl" ./root -- /bin/true
}

@test "without user namespaces nothing works, and the setting is named" {
	tells denied 'gives ordinary users no user namespace.*sysctl user.max_user_namespaces=10000' run --rm --name "$P-rl" ./root -- /bin/true
	[ -z "$(u none ls -aq)" ]
}

@test "Debian's own switch for them is named" {
	[ -e /proc/sys/kernel/unprivileged_userns_clone ] || skip "this kernel has no kernel.unprivileged_userns_clone"
	[ -n "${MRGT_HOST:-}" ] || skip "it would be switched for the whole host, which was not made for tests"
	sysctl -qw kernel.unprivileged_userns_clone=0
	tells none 'gives ordinary users no user namespace.*sysctl kernel.unprivileged_userns_clone=1' run --rm --name "$P-rl" ./root -- /bin/true
	sysctl -qw kernel.unprivileged_userns_clone=1
	[ "$(u none run --rm --name "$P-rl" ./root -- /bin/echo works)" = works ]
}
