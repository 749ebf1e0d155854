# SPDX-License-Identifier: LGPL-2.1-or-later
# A Debian root with systemd boots, is driven and ends in order.
load lib

prepare_file() {
	if [ "$E2E_BACKEND" != chroot ] && [ "$E2E_KIND" = debian ]; then
		export SYSTEMD
		SYSTEMD=$("$BATS_TEST_DIRNAME/root" systemd "${MRGT_CACHE:-/var/tmp/mrgt-cache}") || SYSTEMD=
	fi
}

setup() {
	[ "$E2E_BACKEND" != chroot ] || skip "$E2E_BACKEND cannot boot a root: it has no pid namespace"
	[ "$E2E_KIND" = debian ] || skip "busybox has no systemd"
	[ -n "$SYSTEMD" ] || skip "the root could not be made: no package mirror answers"
}

up() { [[ $("$MOORAGE" exec "$P-os" -- systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; }

@test "systemd boots, reaches running, ends by SIGRTMIN+3" {
	options=(--ephemeral)
	if [ "$E2E_BACKEND" = libvirt ]; then
		cp -a --reflink=auto "$SYSTEMD" "$BATS_TEST_TMPDIR/root"
		SYSTEMD=$BATS_TEST_TMPDIR/root options=()
	fi
	m create -q -B "$E2E_BACKEND" --name "$P-os" --boot "${options[@]}" "$SYSTEMD"
	m start "$P-os"
	eventually 180 up || { m logs -n 40 "$P-os"; m exec "$P-os" -- systemctl --no-pager --failed; false; }
	run m exec "$P-os" -- systemctl is-system-running
	m exec "$P-os" -- systemctl --no-pager --plain --failed
	[ "$output" = running ]
	run m exec "$P-os" -- cat /proc/1/comm
	[ "$output" = systemd ]
	run m exec "$P-os" -- systemd-detect-virt --container
	[ "$status" = 0 ]
	[ "$output" != none ]
	# Its init keeps within the container's cgroups, whatever it makes for itself: all of it is counted, and nothing is at the top of the host's.
	[ "$(m procs --json "$P-os" | jq length)" -ge 3 ]
	run ! grep -E ':/(init\.scope|system\.slice)$' "/proc/$(m inspect "$P-os" | jq -r '.[0].status.pid')/cgroup"
	m stop --no-kill -t 120 "$P-os"
	run m wait "$P-os"
	[ "$output" = 0 ]
	m rm "$P-os"
}

@test "its console asks who is there" {
	options=(--ephemeral)
	if [ "$E2E_BACKEND" = libvirt ]; then
		cp -a --reflink=auto "$SYSTEMD" "$BATS_TEST_TMPDIR/root"
		SYSTEMD=$BATS_TEST_TMPDIR/root options=()
	fi
	m create -q -B "$E2E_BACKEND" --name "$P-tty" --boot --tty "${options[@]}" "$SYSTEMD"
	m start "$P-tty"
	eventually 180 typed "" login: '\035\035\035' "'$MOORAGE' console '$E2E_BACKEND:$P-tty'"
	m rm -f "$P-tty"
}
