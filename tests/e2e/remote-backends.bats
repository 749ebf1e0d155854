# SPDX-License-Identifier: LGPL-2.1-or-later
# Every engine gives a container to another host and is given one there: by itself, and by another engine. The other host has directories of its own, and
# libvirt's daemon in common with this one, so that names there are others.
load lib
load migration

prepare_file() {
	export LXCPATH OTHER=$FILE_DIR/other SSHD=''
	LXCPATH=$(lxc-config lxc.lxcpath 2>/dev/null) || LXCPATH=
	[ "$E2E_BACKEND" = libvirt ] && [ "$E2E_KIND" = busybox ] && [ -n "$LXCPATH" ] && [ -x /usr/sbin/sshd ] || return 0
	mkdir "$OTHER"
	unshare -m --propagation private sleep infinity 3>&- & echo $! >"$FILE_DIR/there"
	eventually 60 apart "$(cat "$FILE_DIR/there")"
	enter_there sh -c "mkdir -p /etc/systemd/nspawn /var/lib/machines
		for dir in '$LXCPATH' /etc/systemd/nspawn /var/lib/machines; do mount -t tmpfs none \"\$dir\"; done"
	ip link set lo up
	SSHD=$(enter_there "$BATS_TEST_DIRNAME/sshd" "$OTHER" "$(command -v "$MOORAGE")")
	echo "$SSHD" >"$FILE_DIR/sshd"
}

apart() { [ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }
enter_there() { nsenter -t "$(cat "$FILE_DIR/there")" -m -- "$@"; }
there() { enter_there env MOORAGE_STATE_DIR="$OTHER/state" MOORAGE_RUN_DIR="$OTHER/run" "$(command -v "$MOORAGE")" "$@"; }

setup() {
	needs libvirt busybox
	[ -n "$SSHD" ] || skip "openssh-server or LXC is not installed"
	MARK=$((1000000 + BASHPID))
}

teardown() {
	local name
	[ -n "$SSHD" ] || return 0
	for name in $(there ls -q 2>/dev/null | grep "^$P-"); do there rm -f "$name" >/dev/null 2>&1 || true; done
	for name in $(m ls -q 2>/dev/null | grep "^$P-"); do m rm -f "$name" >/dev/null 2>&1 || true; done
	rm -rf --one-file-system "$LXCPATH/$P"-* /var/lib/machines/{,.#}"$P"-* "$MOORAGE_STATE_DIR/roots" "$MOORAGE_STATE_DIR/migrated"
}

teardown_file() {
	[ ! -e "$FILE_DIR/sshd" ] || kill "$(cat "$FILE_DIR/sshd")"
	[ ! -e "$FILE_DIR/there" ] || kill "$(cat "$FILE_DIR/there")"
	rm -rf "$FILE_DIR"
}

# goes BACKEND: the container goes there and runs there alone, with its files; a rollback brings it home.
goes() {
	local root
	m migrate -q "$P-it" --to "$1@other" --ssh-config "$OTHER/config" --rename "$P-there" --accept all
	[ "$(there state "$1:$P-there")" = running ]
	[ "$(copies)" = 1 ]
	run -0 there exec "$1:$P-there" -- /bin/sh -c 'cat /k/linked; stat -c "%u %g %a" /k/program'
	[ "$output" = "$(printf 'one\n33 33 6755')" ]
	root=$(there inspect "$1:$P-there" | jq -r '.[0].spec.root.path')
	root=/proc/$(cat "$FILE_DIR/there")/root$root
	tree "$root" "${but[@]}" | diff "$BATS_TEST_TMPDIR/there" -
	# With the network of the host goes its resolver, as the plan says; what was changed for an earlier engine stays so until it is back there.
	if [ "$1" = chroot ] || [ "$2" = chroot ] || [ "$2" = libvirt ]; then cmp "$root/etc/resolv.conf" /etc/resolv.conf; else [ ! -e "$root/etc/resolv.conf" ]; fi
	m rollback -q "$P-there"
	on it "$2"
	run -3 there state "$1:$P-there"
}

@test "there by the same engine and by another one, and back, from each" {
	local backend next=('' nspawn native chroot libvirt lxc) n=0 but=(/.oldroot /proc /sys /etc/resolv.conf)
	foreign it
	mkdir "$ROOTFS/k"
	echo one >"$ROOTFS/k/linked"
	ln "$ROOTFS/k/linked" "$ROOTFS/k/also"
	cp /bin/true "$ROOTFS/k/program"
	chown 33:33 "$ROOTFS/k/program"
	chmod 6755 "$ROOTFS/k/program"
	tree "$ROOTFS" "${but[@]}" >"$BATS_TEST_TMPDIR/there"
	m start "$P-it"
	for backend in lxc nspawn native chroot libvirt; do
		n=$((n + 1))
		[ $backend = lxc ] || m migrate -q "$P-it" --to $backend --accept all
		goes $backend $backend
		goes "${next[n]}" $backend
	done
}
