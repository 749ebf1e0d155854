# SPDX-License-Identifier: LGPL-2.1-or-later
# The root "host": the host's own, read-only below a throw-away overlay.
load lib

on_host() { "$MOORAGE" run --rm -B "$E2E_BACKEND" --name "$P-host" "$@"; }

prepare_file() { [ "$E2E_KIND" = busybox ] || export SKIP_HOST=1; }
setup() {
	[ -z "${SKIP_HOST:-}" ] || skip "the same for every root: done with busybox"
	[ "$E2E_BACKEND" != libvirt ] || [[ $BATS_TEST_DESCRIPTION == libvirt* ]] || skip "libvirt refuses it, see the last test"
	[ "$E2E_BACKEND" != nspawn ] || [[ $BATS_TEST_DESCRIPTION == nspawn* ]] || skip "nspawn refuses it, see the last test"
}

teardown() {
	[ -z "${BELOW:-}" ] || { umount "$BELOW/a b" || true; rm -r --one-file-system "$BELOW"; }
}

@test "ps ax works with nothing prepared" {
	run on_host host -- ps ax
	[ "$status" = 0 ]
	[[ "$output" == *"ps ax"* ]]
}

@test "it sees the host's files" {
	run on_host host -- cat /etc/os-release
	[ "$output" = "$(cat /etc/os-release)" ]
}

@test "what it writes is thrown away" {
	run on_host host -- /bin/sh -c 'echo x >/etc/mrgt-host-file && cat /etc/mrgt-host-file'
	[ "$output" = x ]
	[ ! -e /etc/mrgt-host-file ]
}

@test "what it removes stays" {
	run on_host host -- /bin/sh -c 'rm /etc/os-release; cat /etc/os-release 2>/dev/null; echo gone'
	[ "$output" = gone ]
	[ -s /etc/os-release ]
}

@test "file systems mounted below it are seen, and cannot be written" {
	BELOW=$(mktemp -d /mnt/mrgt-below.XXXXXX)
	mkdir "$FILE_DIR/below 1"
	echo seen >"$FILE_DIR/below 1/file"
	mkdir "$BELOW/a b"
	mount --bind "$FILE_DIR/below 1" "$BELOW/a b"
	run on_host host -- /bin/sh -c "cat '$BELOW/a b/file'; { echo x >'$BELOW/a b/file'; } 2>/dev/null || echo refused"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = seen ]
	[ "${lines[-1]}" = refused ]
	# What the container mounts there lies above.
	run on_host --tmpfs "$BELOW/a b" host -- /bin/sh -c "ls '$BELOW/a b' | wc -l"
	[ "$output" = 0 ]
	[ "$(cat "$FILE_DIR/below 1/file")" = seen ]
}

@test "libvirt refuses it and says who can" {
	[ "$E2E_BACKEND" = libvirt ] || skip "$E2E_BACKEND can"
	refused 125 "libvirt.*moorage.ephemeral.*native" run --rm -B libvirt --name "$P-host" host -- /bin/true
	refused 6 "libvirt.*moorage.ephemeral.*native" create -B libvirt --name "$P-host" host -- /bin/true
}

@test "nspawn refuses it and says who can" {
	[ "$E2E_BACKEND" = nspawn ] || skip "$E2E_BACKEND can"
	refused 125 "systemd-nspawn cannot use the host's own root" run --rm -B nspawn --name "$P-host" host -- /bin/true
	refused 6 "systemd-nspawn cannot use the host's own root" create -B nspawn --name "$P-host" host -- /bin/true
	grep -q "^hint: .*native" "$BATS_TEST_TMPDIR/err"
}
