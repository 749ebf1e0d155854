# SPDX-License-Identifier: LGPL-2.1-or-later
# What the files about migrations share: containers made by hand for LXC, and where they are then. Loaded behind lib.
# shellcheck shell=bash

prepare_file() {
	export LXCPATH SYSTEMD=
	LXCPATH=$(lxc-config lxc.lxcpath 2>/dev/null) || LXCPATH=
	if [ "$E2E_BACKEND" = lxc ] || [ "$E2E_BACKEND" = libvirt ]; then
		SYSTEMD=$("$BATS_TEST_DIRNAME/root" systemd "${MRGT_CACHE:-/var/tmp/mrgt-cache}") || SYSTEMD=
	fi
}

setup() {
	[ "$E2E_BACKEND" = lxc ] || [ "$E2E_BACKEND" = libvirt ] || skip "the sources are containers of LXC; libvirt as a target needs its daemon"
	[ -n "$LXCPATH" ] || skip "LXC is not installed"
	# The first process of a test's container is told from all others of the host by its argument.
	MARK=$((1000000 + BASHPID))
}

teardown() {
	local name
	for name in $(m ls -q 2>/dev/null | grep "^$P-"); do m rm -f "$name" >/dev/null 2>&1 || true; done
	rm -rf --one-file-system "$LXCPATH/$P"-* /var/lib/machines/{,.#}"$P"-* "$MOORAGE_STATE_DIR/roots"
}

needs() {
	[ "$E2E_BACKEND" = "$1" ] || skip "done with the backend $1"
	[ "$E2E_KIND" = "$2" ] || skip "done with the root $2"
}

# foreign NAME [LINE...]: a container as somebody would make it by hand for LXC.
foreign() {
	local dir=$LXCPATH/$P-$1
	shift
	mkdir "$dir"
	cp -a --reflink=auto "$E2E_ROOT" "$dir/rootfs"
	ROOTFS=$dir/rootfs
	# libvirt leaves it in each root it has started; leaving libvirt takes it away.
	[ ! -d "$ROOTFS/.oldroot" ] || rmdir "$ROOTFS/.oldroot"
	printf '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do sleep 0.1; done\n' >"$ROOTFS/bin/service"
	chmod 755 "$ROOTFS/bin/service"
	cat >"$dir/config" <<-END
		# by hand
		lxc.rootfs.path = dir:$ROOTFS
		lxc.uts.name = by-hand
		lxc.net.0.type = empty
		lxc.mount.auto = proc:mixed sys:mixed
		lxc.pty.max = 1024
		lxc.tty.max = 2
		lxc.cap.drop = sys_module sys_time
	END
	if [ $# -gt 0 ]; then printf '%s\n' "$@" >>"$dir/config"; else printf '%s\n' "lxc.init.cmd = /bin/service $MARK" "lxc.signal.halt = SIGTERM" >>"$dir/config"; fi
	cp "$dir/config" "$BATS_TEST_TMPDIR/config"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
}

# with_ids FIRST: the command may give root's containers the ids from FIRST on, which is its own affair: nobody else sees these files.
with_ids() {
	echo "root:$1:65536" >"$BATS_TEST_TMPDIR/ids"
	cat >"$BATS_TEST_TMPDIR/moorage" <<-END
		#!/bin/sh
		exec unshare -m --propagation private sh -c 'for f in /etc/subuid /etc/subgid; do [ ! -e \$f ] || mount --bind $BATS_TEST_TMPDIR/ids \$f; done; exec $(command -v "$MOORAGE") "\$@"' sh "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/moorage"
	MOORAGE=$BATS_TEST_TMPDIR/moorage
}

# own_users NAME FIRST: what foreign has made gets users of its own, whom its root belongs to, which lies where they can pass.
own_users() {
	mv "$ROOTFS" "$LXCPATH/$P-root"
	ROOTFS=$LXCPATH/$P-root
	"$BATS_TEST_DIRNAME/shift" "$ROOTFS" "$2"
	sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = dir:$ROOTFS|" "$LXCPATH/$P-$1/config"
	printf 'lxc.idmap = %s 0 %s 65536\n' u "$2" g "$2" >>"$LXCPATH/$P-$1/config"
	cp "$LXCPATH/$P-$1/config" "$BATS_TEST_TMPDIR/config"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
	with_ids "$2"
}

# copies: how many of it run: processes with the mark that no other one of them has forked a moment ago.
copies() {
	local pids pid n=0
	pids=" $(pgrep -fx "/bin/sh /bin/service $MARK" | tr '\n' ' ') "
	for pid in $pids; do
		[[ $pids == *" $(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true) "* ]] || n=$((n + 1))
	done
	echo "$n"
}

# runs_once: exactly one of it runs. What was started just now has no command line for a moment: its exec is told before.
runs_once() {
	for _ in {1..600}; do [ "$(copies)" = 0 ] || break; sleep 0.05; done
	[ "$(copies)" = 1 ] || { echo "$(copies) copies"; return 1; }
}

# settle: the next command has settled what was cut short. A list of this backend has nothing of others on it, which may be unreadable just now.
settle() { m -B chroot ls >/dev/null; }

# tree DIRECTORY [PATH...]: all that is in it, with owners, modes, times to the nanosecond, which names are one file, devices, attributes of every kind and
# contents; not what a run leaves below /dev and in each PATH, nor the time that this gives to the root.
tree() {
	(
		cd "$1"
		shift
		local path but=(-path ./dev)
		for path; do but+=(-o -path ".$path"); done
		all() { find . \( "${but[@]}" \) -prune -o "$@"; }
		all ! -name . -printf '%p %y %m %U %G %T@ %l\n' | sort
		all ! -type d -links +1 -printf '%i %p\n' | sort | awk '$1 in first { print first[$1] " is " $2; next } { first[$1] = $2 }' | sort
		stat -c '%n %f %u %g' .
		all \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | sort
		all ! -type l -print0 | sort -z | xargs -0 getfattr -d -m - -e hex -- 2>/dev/null
		all -type f -print0 | sort -z | xargs -0 sha256sum
	)
}

# on NAME BACKEND: it runs there, once, and nowhere else is one of that name.
on() {
	local found
	found=$(m ls --json | jq -r --arg n "$P-$1" '.[] | select(.name == $n) | .backend + " " + .state')
	[ "$found" = "$2 running" ] || { echo "found: $found"; return 1; }
	runs_once
}

# as_before NAME: the source is what it was, byte for byte.
as_before() {
	cmp "$LXCPATH/$P-$1/config" "$BATS_TEST_TMPDIR/config"
	tree "$ROOTFS" | diff "$BATS_TEST_TMPDIR/tree" -
	[ -z "$(ls -A "$MOORAGE_STATE_DIR/migrations" 2>/dev/null)" ]
	[ ! -e "/var/lib/machines/$P-$1" ]
	[ ! -e "/etc/systemd/nspawn/$P-$1.nspawn" ]
}
