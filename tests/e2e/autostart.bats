# SPDX-License-Identifier: LGPL-2.1-or-later
# Starting with the host: what enable and disable leave where the host looks at boot.
load lib

# The template where systemd looks, for as long as a test runs, and for one test at a time; on a host where moorage is installed it is there already.
setup() {
	command -v systemctl >/dev/null || skip "systemctl is not installed"
	case $E2E_BACKEND in native | chroot) ;; *) skip "$E2E_BACKEND has means of its own" ;; esac
	exec 8<"$BATS_TEST_FILENAME" && flock 8
	placed=
	if ! systemctl cat moorage@.service >/dev/null 2>&1; then
		placed=/etc/systemd/system/moorage@.service
		cp "$(dirname "$MOORAGE")/../lib/systemd/system/moorage@.service" "$placed"
	fi
}

teardown() { [ -z "${placed:-}" ] || rm -f "$placed"; }

wants() { [ -L "/etc/systemd/system/multi-user.target.wants/moorage@$P-$1.service" ]; }
listed() { m ls --json | jq -e --arg n "$P-$1" --argjson on "$2" '.[] | select(.name == $n) | .autostart == $on'; }

@test "enable and disable" {
	fresh boot -- /bin/true
	listed boot false
	m enable "$P-boot"
	wants boot
	listed boot true
	m enable "$P-boot"
	m disable "$P-boot"
	run ! wants boot
	listed boot false
	m rm "$P-boot"
}

@test "rm takes it back" {
	fresh gone -- /bin/true
	m enable "$P-gone"
	m rm "$P-gone"
	run ! wants gone
}

@test "what is removed at its end cannot start at boot" {
	m run -d --rm -B "$E2E_BACKEND" --name "$P-brief" "$E2E_ROOT" -- /bin/sleep 100
	refused 4 "is removed when it ends" enable "$P-brief"
	m rm -f "$P-brief"
}

@test "generate prints a unit that systemd accepts" {
	fresh unit -- /bin/true
	m generate "$P-unit" >"$BATS_TEST_TMPDIR/mrgt-unit.service"
	grep -q "^ExecStart=.* start $E2E_BACKEND:$P-unit\$" "$BATS_TEST_TMPDIR/mrgt-unit.service"
	systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/mrgt-unit.service"
	m rm "$P-unit"
}
