# SPDX-License-Identifier: LGPL-2.1-or-later
# Roots that are no plain directories, lie on another file system, or belong to other ids: nothing of a file is lost, also when the copying is killed.
load lib
load migration

teardown() {
	[ ! -e "$BATS_TEST_TMPDIR/sshd" ] || kill "$(cat "$BATS_TEST_TMPDIR/sshd")"
	local name mount
	for name in $(m ls -q 2>/dev/null | grep "^$P-"); do m rm -f "$name" >/dev/null 2>&1 || true; done
	for mount in "$BATS_TEST_TMPDIR"/mnt*; do ! mountpoint -q "$mount" || umount "$mount"; done
	rm -rf --one-file-system "$LXCPATH/$P"-* /var/lib/machines/{,.#}"$P"-* /var/lib/libvirt/filesystems/"$P"-* "$MOORAGE_STATE_DIR"/{roots,migrated}
}

# file_system TYPE MiB: a new one, mounted at $BATS_TEST_TMPDIR/mnt.
file_system() {
	command -v "mkfs.$1" >/dev/null || skip "mkfs.$1 is not installed"
	grep -qw "$1" /proc/filesystems || skip "the kernel has no $1"
	truncate -s "$2M" "$BATS_TEST_TMPDIR/image"
	"mkfs.$1" -q "$BATS_TEST_TMPDIR/image" >/dev/null
	mkdir "$BATS_TEST_TMPDIR/mnt"
	losetup -f >/dev/null 2>&1 || skip "this host has no loop devices"
	mount -o loop "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/mnt"
}

# furnish DIRECTORY: files of every kind, with all that a file can have.
furnish() {
	command -v setfacl >/dev/null || skip "setfacl is not installed"
	command -v setcap >/dev/null || skip "setcap is not installed"
	mkdir "$1/k"
	(
		cd "$1/k"
		echo one >linked
		ln linked also
		ln linked "$1/etc/third"
		truncate -s 8M holes
		printf x | dd of=holes bs=1 seek=4000000 conv=notrunc status=none
		mkfifo pipe
		mknod null c 1 3
		mknod loop b 7 200
		ln -s /nowhere/at/all dangling
		ln -s ../../../../etc outside
		echo new >"$(printf 'line\nbreak \377')"
		mkdir shared
		setfacl -m u:1000:rw,g:2000:r linked
		setfacl -d -m u:1000:rwx shared
		setfattr -n user.colour -v blue shared
		cp /bin/true program
		chown 33:33 program
		chmod 6755 program
		setcap cap_net_raw+ep program
		cp program capable
		chmod 755 capable
		setcap cap_net_bind_service+eip capable
		chown -h 1000:2000 dangling
		touch -h -d '2001-02-03 04:05:06.123456789' linked shared holes null dangling
	)
}

# kept: the furnished root of the container is as it was; sockets are not files to keep.
kept() { tree "$1" | diff "$BATS_TEST_TMPDIR/tree" -; }

# killed_within PATTERN ARGUMENT...: the migration, killed in the middle of the step whose line of progress has PATTERN. What it starts is never well:
# it cannot be done before.
killed_within() {
	local pattern=$1 status=0
	shift
	"$MOORAGE" "$@" --health-cmd false --health-timeout 300 --progress json 2>"$BATS_TEST_TMPDIR/progress" >/dev/null &
	pid=$!
	for _ in {1..3000}; do
		! grep -q "$pattern" "$BATS_TEST_TMPDIR/progress" || break
		sleep 0.01
	done
	kill -KILL "$pid"
	wait "$pid" || status=$?
	[ "$status" = 137 ]
}

# merged UPPER LOWER...: what is seen through the layers, by a mount that is ours alone.
merged() {
	local layers=$1
	shift
	for _; do layers+=":$1"; shift; done
	mkdir -p "$BATS_TEST_TMPDIR/merged"
	export -f tree
	LAYERS=$layers AT=$BATS_TEST_TMPDIR/merged unshare -m --propagation private bash -c 'mount -t overlay -o "ro,lowerdir=$LAYERS" none "$AT" && tree "$AT"'
}

@test "LXC with layers: the merged root goes over, without what was deleted above; the layers stay whole" {
	needs lxc busybox
	foreign layers
	local base=$ROOTFS dir=$LXCPATH/$P-layers
	furnish "$base"
	mkdir "$base/etc/opaque" "$dir/middle" "$dir/delta0"
	echo below >"$base/etc/opaque/below"
	echo gone >"$base/etc/gone"
	echo middle >"$dir/middle/from-middle"
	sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = overlay:$dir/middle:$base:$dir/delta0|" "$dir/config"
	cp "$dir/config" "$BATS_TEST_TMPDIR/config"
	m start "$P-layers"
	lxc-attach -n "$P-layers" -- /bin/sh -c 'rm /etc/gone; rm -r /etc/opaque; mkdir /etc/opaque; echo above >/etc/opaque/above; chmod 700 /k/linked'
	[ -c "$dir/delta0/etc/gone" ]
	refused 6 'it can only be copied' plan "$P-layers" --to nspawn --move
	refused 6 'it can only be copied' migrate "$P-layers" --to nspawn --move --accept all
	run -0 m plan --json "$P-layers" --to nspawn --accept lxc.tty.max
	jq -e '.root.method == "copy" and .refusal == null' <<<"$output"
	m stop "$P-layers"
	merged "$dir/delta0" "$dir/middle" "$base" >"$BATS_TEST_TMPDIR/tree"
	tree "$base" >"$BATS_TEST_TMPDIR/base"
	tree "$dir/delta0" >"$BATS_TEST_TMPDIR/delta"
	m migrate -q "$P-layers" --to nspawn --accept all
	kept "/var/lib/machines/$P-layers"
	[ "$(ls "/var/lib/machines/$P-layers/etc/opaque")" = above ]
	m start "$P-layers"
	on layers nspawn
	run -3 m state "lxc:$P-layers"
	m rollback -q "$P-layers"
	on layers lxc
	m stop "$P-layers"
	cmp "$dir/config" "$BATS_TEST_TMPDIR/config"
	tree "$base" | diff "$BATS_TEST_TMPDIR/base" -
	tree "$dir/delta0" | diff "$BATS_TEST_TMPDIR/delta" -
}

@test "LXC with layers, purged: what it alone had is gone, the layer of another container stays and that container runs" {
	needs lxc busybox
	local dir=$LXCPATH/$P-clone
	foreign below
	local base=$ROOTFS
	mkdir -p "$dir/delta0/etc"
	echo mine >"$dir/delta0/etc/mine"
	sed "s|^lxc.rootfs.path.*|lxc.rootfs.path = overlay:$base:$dir/delta0|" "$LXCPATH/$P-below/config" >"$dir/config"
	tree "$base" >"$BATS_TEST_TMPDIR/base"
	m migrate -q "$P-clone" --to nspawn --accept all --purge
	[ "$(cat "/var/lib/machines/$P-clone/etc/mine")" = mine ]
	[ ! -e "$dir" ]
	run -3 m rollback "$P-clone"
	tree "$base" | diff "$BATS_TEST_TMPDIR/base" -
	m start "$P-below"
	on below lxc
}

@test "LXC with layers, killed while they are merged: nothing has come of it, and the next command can" {
	needs lxc busybox
	foreign cut
	local base=$ROOTFS dir=$LXCPATH/$P-cut
	mkdir "$dir/delta0"
	head -c 60M /dev/urandom >"$base/ballast"
	sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = overlayfs:$base:$dir/delta0|" "$dir/config"
	m start "$P-cut"
	killed_within '"step":"root"' migrate "$P-cut" --to nspawn --accept all
	settle
	on cut lxc
	[ -z "$(find /var/lib/machines -maxdepth 1 -name "*$P-cut*")" ]
	m migrate -q "$P-cut" --to nspawn --accept all
	on cut nspawn
	cmp "$base/ballast" "/var/lib/machines/$P-cut/ballast"
}

@test "LXC on a subvolume of btrfs: used where it is, renamed, shared as a copy, brought to another file system, with the subvolumes in it" {
	needs lxc busybox
	file_system btrfs 300
	local at=$BATS_TEST_TMPDIR/mnt state=$MOORAGE_STATE_DIR
	foreign volume
	btrfs -q subvolume create "$at/root"
	cp -a "$ROOTFS/." "$at/root"
	furnish "$at/root"
	btrfs -q subvolume create "$at/root/k/inner"
	head -c 20M /dev/urandom >"$at/root/k/inner/ballast"
	sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = btrfs:$at/root|" "$LXCPATH/$P-volume/config"
	cp "$LXCPATH/$P-volume/config" "$BATS_TEST_TMPDIR/config"
	tree "$at/root" >"$BATS_TEST_TMPDIR/tree"
	m start "$P-volume"
	m migrate -q "$P-volume" --to nspawn --accept all
	on volume nspawn
	m rollback -q "$P-volume"
	m migrate -q "$P-volume" --to nspawn --move --accept all
	on volume nspawn
	[ -d "/var/lib/machines/$P-volume/k/inner" ]
	m stop "$P-volume"
	kept "/var/lib/machines/$P-volume"
	m rollback -q "$P-volume"
	rm -rf "/var/lib/machines/.#$P-volume".moorage-*
	export MOORAGE_STATE_DIR=$at/state
	mkdir -m 700 "$MOORAGE_STATE_DIR"
	run -0 m plan --json "$P-volume" --to native --move --accept all
	jq -e '.root.sameFileSystem' <<<"$output"
	m migrate -q "$P-volume" --to native --move --accept all
	btrfs subvolume show "$MOORAGE_STATE_DIR/roots/$P-volume" >/dev/null
	m rollback -q "$P-volume"
	sync -f "$at"
	local before
	before=$(df --output=used -B1M "$at" | tail -n 1)
	m migrate -q "$P-volume" --to native --copy --accept all
	sync -f "$at"
	[ $(($(df --output=used -B1M "$at" | tail -n 1) - before)) -lt 15 ]
	kept "$MOORAGE_STATE_DIR/roots/$P-volume"
	m rollback -q "$P-volume"
	MOORAGE_STATE_DIR=$state
	kept "$at/root"
	cmp "$LXCPATH/$P-volume/config" "$BATS_TEST_TMPDIR/config"
}

@test "LXC on another file system: all that a file can have comes over; killed in the middle, nothing of it stays" {
	needs lxc busybox
	file_system ext4 200
	foreign far
	furnish "$ROOTFS"
	cp -a "$ROOTFS" "$BATS_TEST_TMPDIR/mnt/rootfs"
	rm -rf "$ROOTFS"
	ROOTFS=$BATS_TEST_TMPDIR/mnt/rootfs
	sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = dir:$ROOTFS|" "$LXCPATH/$P-far/config"
	cp "$LXCPATH/$P-far/config" "$BATS_TEST_TMPDIR/config"
	head -c 60M /dev/urandom >"$ROOTFS/ballast"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$ROOTFS/k/socket"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/with"
	m start "$P-far"
	run -0 m plan --json "$P-far" --to nspawn --move --accept all
	jq -e '.root.sameFileSystem == false' <<<"$output"
	killed_within '"step":"root"' migrate "$P-far" --to nspawn --move --accept all
	settle
	on far lxc
	[ -z "$(find /var/lib/machines -maxdepth 1 -name "*$P-far*")" ]
	m migrate -q "$P-far" --to nspawn --move --accept all
	on far nspawn
	m stop "$P-far"
	tree "$ROOTFS" | diff "$BATS_TEST_TMPDIR/with" -
	rm "$ROOTFS/k/socket"
	touch -d @"$(stat -c %.9Y "/var/lib/machines/$P-far/k")" "$ROOTFS/k"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	kept "/var/lib/machines/$P-far"
	[ "$(stat -c %b "/var/lib/machines/$P-far/k/holes")" -lt 1000 ]
	m rollback -q "$P-far"
	kept "$ROOTFS"
	cmp "$LXCPATH/$P-far/config" "$BATS_TEST_TMPDIR/config"
}

# cut_at CALLS N ARGUMENT...: the command, killed at the Nth of these system calls, if it gets there.
cut_at() {
	local calls=$1 n=$2
	shift 2
	traced -f -o /dev/null -e trace="$calls" -e inject="$calls:signal=KILL:when=$n" "$MOORAGE" "$@" >/dev/null 2>&1
}

# inside NAME FIRST: the first process has these users, and root there is the owner of what is root's.
inside() {
	local pid
	pid=$(m inspect "$P-$1" | jq .[0].status.pid)
	[ "$(awk 'NR == 1 { print $1, $2 }' "/proc/$pid/uid_map")" = "0 $2" ]
	[ "$(m exec "$P-$1" -- stat -c '%u %g %a' /bin/busybox /k/program | paste -sd ' ')" = "0 0 755 33 33 6755" ]
}

@test "LXC with users of its own to nspawn and back: owners, ACLs, capabilities and setuid bits; killed on the way" {
	needs lxc busybox
	needs_strace
	foreign mapped "lxc.init.cmd = /bin/service $MARK" "lxc.signal.halt = SIGTERM" "lxc.idmap = u 0 300000 65536" "lxc.idmap = g 0 300000 65536"
	furnish "$ROOTFS"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/plain"
	"$BATS_TEST_DIRNAME/shift" "$ROOTFS" 300000
	chmod 755 "$LXCPATH/$P-mapped"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	with_ids 300000
	m start "$P-mapped"
	inside mapped 300000
	for n in 1 100; do
		run -137 cut_at fchownat,fchown,lchown "$n" migrate "$P-mapped" --to nspawn --accept all
		settle
		on mapped lxc
		kept "$ROOTFS"
	done
	m migrate -q "$P-mapped" --to nspawn --accept all
	on mapped nspawn
	inside mapped 300000
	m stop "$P-mapped"
	tree "/var/lib/machines/$P-mapped" | diff "$BATS_TEST_TMPDIR/plain" -
	m start "$P-mapped"
	run -137 cut_at setxattr,lsetxattr,fsetxattr 2 migrate "$P-mapped" --to lxc --accept all
	settle
	on mapped nspawn
	m migrate -q "$P-mapped" --to lxc --accept all
	on mapped lxc
	inside mapped 300000
	m stop "$P-mapped"
	kept "$ROOTFS"
	cmp "$LXCPATH/$P-mapped/config" "$BATS_TEST_TMPDIR/config"
}

@test "LXC with users of its own to libvirt and back: the files keep their owners, for libvirt maps none; killed on the way" {
	needs libvirt busybox
	needs_strace
	foreign mapped
	furnish "$ROOTFS"
	own_users mapped 300000
	m start "$P-mapped"
	inside mapped 300000
	run -137 cut_at renameat,renameat2,rename 4 migrate "$P-mapped" --to libvirt --accept all
	settle
	on mapped lxc
	kept "$ROOTFS"
	run -0 m plan --json "$P-mapped" --to libvirt --accept all
	jq -e '.refusal == null and .root.owners == null and all(.report[]; .field // "" | test("Mappings|namespaces/user") | not)' <<<"$output"
	m migrate -q "$P-mapped" --to libvirt --accept all
	on mapped libvirt
	inside mapped 300000
	[ "$(m inspect "$P-mapped" | jq .[0].securityBoundary)" = true ]
	m stop "$P-mapped"
	rmdir "$ROOTFS/.oldroot"
	kept "$ROOTFS"
	m start "$P-mapped"
	m migrate -q "$P-mapped" --to lxc --accept all
	on mapped lxc
	inside mapped 300000
	m stop "$P-mapped"
	kept "$ROOTFS"
	cmp "$LXCPATH/$P-mapped/config" "$BATS_TEST_TMPDIR/config"
}

@test "--rebase to libvirt: the root goes where its users can pass and is given to them; rolled back it is the host's again" {
	needs libvirt busybox
	foreign given
	furnish "$ROOTFS"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	cp -a "$ROOTFS" "$BATS_TEST_TMPDIR/shifted"
	"$BATS_TEST_DIRNAME/shift" "$BATS_TEST_TMPDIR/shifted" 400000
	tree "$BATS_TEST_TMPDIR/shifted" >"$BATS_TEST_TMPDIR/owned"
	m start "$P-given"
	m migrate -q "$P-given" --to libvirt --rebase 400000 --accept all
	on given libvirt
	inside given 400000
	m stop "$P-given"
	rmdir "/var/lib/libvirt/filesystems/$P-given/.oldroot"
	tree "/var/lib/libvirt/filesystems/$P-given" | diff "$BATS_TEST_TMPDIR/owned" -
	m start "$P-given"
	m rollback -q "$P-given"
	on given lxc
	inside given 0
	m stop "$P-given"
	kept "$ROOTFS"
}

@test "import to libvirt of a container with users of its own: files are given to its ids, or to some that nobody uses" {
	needs libvirt busybox
	local pid first
	foreign packed
	furnish "$ROOTFS"
	m migrate -q "$P-packed" --to native --rebase 400000 --accept all
	m export -q "$P-packed" "$BATS_TEST_TMPDIR/mapped.tar"
	m import -q "$BATS_TEST_TMPDIR/mapped.tar" --name "$P-unpacked" -B libvirt --accept all
	m start "$P-unpacked"
	inside unpacked 400000
	m stop "$P-unpacked"
	m export -q "$P-unpacked" "$BATS_TEST_TMPDIR/again.tar"
	m rm "$P-unpacked"
	[ ! -e "/var/lib/libvirt/filesystems/$P-unpacked" ]
	m import -q "$BATS_TEST_TMPDIR/again.tar" --name "$P-unpacked" -B native --accept all
	m start "$P-unpacked"
	inside unpacked 400000
	m rm -f "$P-unpacked"
	m create --name "$P-auto" -B native --userns auto "$E2E_ROOT" -- /bin/sleep 1000
	m export -q "$P-auto" "$BATS_TEST_TMPDIR/auto.tar"
	m import -q "$BATS_TEST_TMPDIR/auto.tar" --name "$P-chosen" -B libvirt --accept all
	first=$(stat -c %u "/var/lib/libvirt/filesystems/$P-chosen/bin/busybox")
	[ "$first" -ge 65536 ]
	m start "$P-chosen"
	pid=$(m inspect "$P-chosen" | jq .[0].status.pid)
	[ "$(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map")" = "0 $first 65536" ]
	[ "$(m exec "$P-chosen" -- stat -c %u /bin/busybox)" = 0 ]
}

@test "to libvirt of another host with users of its own: which ids they get is chosen there" {
	needs libvirt busybox
	[ -x /usr/sbin/sshd ] || skip "openssh-server is not installed"
	local other=$BATS_TEST_TMPDIR/other first
	ip link set lo up
	mkdir "$other"
	"$BATS_TEST_DIRNAME/sshd" "$other" "$(command -v "$MOORAGE")" 127.0.0.1 >"$BATS_TEST_TMPDIR/sshd"
	foreign source
	m create --name "$P-abroad" -B native --userns auto "$ROOTFS" -- /bin/service "$MARK"
	m start "$P-abroad"
	m migrate -q "$P-abroad" --to libvirt@other --ssh-config "$other/config" --accept all
	[ "$(copies)" = 1 ]
	first=$(stat -c %u "/var/lib/libvirt/filesystems/$P-abroad/bin/busybox")
	[ "$first" -ge 65536 ]
	[ "$(awk '{ print $1, $2 }' "/proc/$(pgrep -ofx "/bin/sh /bin/service $MARK")/uid_map")" = "0 $first" ]
	MOORAGE_STATE_DIR=$other/state MOORAGE_RUN_DIR=$other/run m rm -f "$P-abroad"
	[ ! -e "/var/lib/libvirt/filesystems/$P-abroad" ]
}

@test "--rebase: users of its own on the way to nspawn, others on the way on, none on the way back" {
	needs lxc busybox
	foreign users
	furnish "$ROOTFS"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	chmod 755 "$LXCPATH/$P-users"
	m start "$P-users"
	inside users 0
	m migrate -q "$P-users" --to nspawn --rebase 400000 --accept all
	inside users 400000
	m migrate -q "$P-users" --to native --rebase 500000 --accept all
	inside users 500000
	m migrate -q "$P-users" --to lxc --rebase none --accept all
	inside users 0
	m stop "$P-users"
	kept "$ROOTFS"
	refused 2 "is no range of ids" migrate "$P-users" --to nspawn --rebase 0
	for backend in native nspawn lxc; do
		m rollback -q "$P-users"
		[ "$(m ls --json | jq -r --arg n "$P-users" '.[] | select(.name == $n) | .backend')" = $backend ]
	done
	kept "$ROOTFS"
	cmp "$LXCPATH/$P-users/config" "$BATS_TEST_TMPDIR/config"
}
