# SPDX-License-Identifier: LGPL-2.1-or-later
# What a process inside can and cannot do. Every test looks from inside.
load lib

@test "a capability that was dropped is refused" {
	run once chown -- /bin/sh -c 'touch /tmp/mrgt-owned && chown 12:12 /tmp/mrgt-owned && rm -f /tmp/mrgt-owned && echo allowed'
	[ "$output" = allowed ]
	run once nochown --cap-drop CHOWN -- /bin/sh -c 'touch /tmp/mrgt-owned; chown 12:12 /tmp/mrgt-owned && echo allowed; rm -f /tmp/mrgt-owned'
	[[ "$output" != *allowed* ]]
}

@test "the default capability sets have no CAP_SYS_ADMIN" {
	set=$(once caps -- /bin/sh -c 'grep CapBnd /proc/self/status')
	[ $((0x${set##*[^0-9a-f]} >> 21 & 1)) = 0 ]
}

@test "no_new_privs and seccomp are on by default" {
	isolated_only "a seccomp default"
	! lacks libvirt process.noNewPrivileges --security-opt no-new-privileges || return 0
	run once nnp -- /bin/sh -c 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
	[[ "$output" == *"NoNewPrivs:"*1* ]]
	[[ "$output" == *"Seccomp:"*2* ]]
}

@test "who comes in to execute a command cannot be looked at from inside" {
	isolated_only "pid namespace"
	# That it can see what it may is shown by itself.
	fresh look -- /bin/sh -c 'ls -l /proc/$$/exe | grep -q /bin/ && echo looks; while :; do ls -l /proc/[0-9]*/exe 2>/dev/null | grep moorage-monitor; done'
	m start "$P-look"
	eventually 30 logged look looks
	for _ in {1..40}; do m exec "$P-look" -- /bin/true; done
	[ "$(m logs "$P-look")" = looks ]
	m rm -f "$P-look"
}

@test "mount(2) is refused" {
	run once mount -- /bin/sh -c 'mount -t tmpfs none /tmp && echo allowed'
	[[ "$output" != *allowed* ]]
}

@test "a masked path reads empty" {
	isolated_only "masked paths by default"
	found=0
	for path in /proc/kcore /proc/sysrq-trigger /proc/keys /proc/timer_list /proc/latency_stats /proc/sched_debug; do
		[ -e "$path" ] || continue
		found=1
		run once masked -- /bin/sh -c "wc -c <$path"
		# LXC's AppArmor profile lets nobody have these two at all.
		if [[ "$E2E_BACKEND $path $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" == lxc\ /proc/@(kcore|sysrq-trigger)\ Y ]]; then
			[ "$status" != 0 ]
			[[ "$output" == *"Permission denied"* ]]
		else
			[ "$output" = 0 ]
		fi
	done
	[ "$found" = 1 ]
	run once firmware -- /bin/sh -c 'ls -A /sys/firmware 2>/dev/null | wc -l'
	[ "$output" = 0 ]
}

@test "/proc/sys is read-only" {
	isolated_only "read-only paths by default"
	run once procsys -- /bin/sh -c 'echo 1 >/proc/sys/kernel/domainname && echo allowed'
	[[ "$output" != *allowed* ]]
}

@test "processes of the host are not seen" {
	isolated_only "pid namespace"
	count=$(once pids -- /bin/sh -c 'ls -d /proc/[0-9]* | wc -l')
	[ "$count" -le 6 ]
	[ "$count" -ge 1 ]
}

@test "the host name is the container's own" {
	isolated_only "UTS namespace"
	before=$(uname -n)
	run once uts --hostname harbour -- /bin/sh -c 'hostname 2>/dev/null || cat /proc/sys/kernel/hostname'
	[ "$output" = harbour ]
	[ "$(uname -n)" = "$before" ]
}

@test "--network none has a loopback and nothing else" {
	isolated_only "network namespace"
	run once net --network none -- /bin/sh -c 'ls /sys/class/net; cat /proc/net/dev | grep -c :'
	[ "$status" = 0 ]
	[[ "$output" == *lo* ]]
	[ "${lines[-1]}" = 1 ]
}

@test "what the backend lacks is refused by name, nothing is left out silently" {
	[ "$E2E_BACKEND" = chroot ] || skip "$E2E_BACKEND honours it"
	refused 125 "chroot" run --rm -B chroot --name "$P-net" --network none "$E2E_ROOT" -- /bin/true
	grep -q native "$BATS_TEST_TMPDIR/err"
	refused 125 "backend 'chroot' cannot do hostname; .*native.* can" run --rm -B chroot --name "$P-host" --hostname harbour "$E2E_ROOT" -- /bin/true
}

@test "--read-only: nothing can be written but what is mounted writable" {
	run once ro --read-only -- /bin/sh -c 'touch /mrgt-written && echo allowed'
	[[ "$output" != *allowed* ]]
	[ ! -e "$E2E_ROOT/mrgt-written" ]
	run once rotmp --read-only --tmpfs /tmp:exec -- /bin/sh -c 'touch /tmp/x && echo written'
	[ "$output" = written ]
}

@test "bind mounts, writable and read-only" {
	mkdir "$BATS_TEST_TMPDIR/share"
	echo from-host >"$BATS_TEST_TMPDIR/share/file"
	run once bind -v "$BATS_TEST_TMPDIR/share:/mnt-share" -- /bin/sh -c 'cat /mnt-share/file; echo from-inside >/mnt-share/back'
	[ "$output" = from-host ]
	[ "$(cat "$BATS_TEST_TMPDIR/share/back")" = from-inside ]
	run once bindro -v "$BATS_TEST_TMPDIR/share:/mnt-share:ro" -- /bin/sh -c 'cat /mnt-share/file; touch /mnt-share/new && echo allowed'
	[[ "$output" == *from-host* ]]
	[[ "$output" != *allowed* ]]
	rmdir "$E2E_ROOT/mnt-share" 2>/dev/null || true
}

@test "a mount point that is a symbolic link out of the root stays inside" {
	mkdir -p "$BATS_TEST_TMPDIR/share" "$BATS_TEST_TMPDIR/outside" "$E2E_ROOT/mrgt-links"
	ln -sfn "$BATS_TEST_TMPDIR/outside" "$E2E_ROOT/mrgt-links/out"
	run once link -v "$BATS_TEST_TMPDIR/share:/mrgt-links/out" -- /bin/sh -c 'touch /mrgt-links/out/x && echo written'
	[ ! -e "$BATS_TEST_TMPDIR/outside/x" ]
	rm -rf "$E2E_ROOT/mrgt-links" "${E2E_ROOT:?}/tmp/bats-run"* "${E2E_ROOT:?}$BATS_TEST_TMPDIR"
}

@test "--tmpfs is empty and new each time" {
	set -- ""
	! lacks libvirt noexec --tmpfs /scratch:size=1m || set -- ,exec
	run once tmpfs --tmpfs "/scratch:size=1m$1" -- /bin/sh -c 'ls -A /scratch; head -c 2000000 /dev/zero >/scratch/big && echo allowed; echo end'
	[[ "$output" == *end* ]]
	[[ "$output" != *allowed* ]]
	rmdir "$E2E_ROOT/scratch" 2>/dev/null || true
}

# checksum DIR: of names, kinds, modes, owners, contents.
checksum() { tar -C "$1" --sort=name --mtime=@0 -cf - . 2>/dev/null | sha256sum; }

@test "--ephemeral leaves the root untouched" {
	! lacks libvirt moorage.ephemeral --ephemeral || return 0
	before=$(checksum "$E2E_ROOT")
	run once gone -x -- /bin/sh -c 'touch /mrgt-a /etc/mrgt-b && rm -f /etc/passwd && mkdir /mrgt-d && echo changed'
	[ "$output" = changed ]
	[ "$(checksum "$E2E_ROOT")" = "$before" ]
}

@test "devices: null, zero, random work, others are not there" {
	run once dev -- /bin/sh -c 'echo x >/dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c; ls /dev/kmsg /dev/mem 2>/dev/null; test -c /dev/null && echo ok'
	[[ "$output" == *4*4*ok* ]]
	isolated_only "a /dev of its own"
	[[ "$output" != */dev/mem* ]]
}

@test "inspect says plainly whether it is a boundary" {
	fresh boundary -- /bin/true
	run m inspect "$P-boundary"
	[[ "$output" == *boundary* ]]
	m rm "$P-boundary"
}

@test "no descriptor of the host leaks in" {
	run once fds -- /bin/sh -c 'ls /proc/self/fd | grep -vxE "0|1|2|3" | wc -l'
	[ "$output" = 0 ]
}

@test "LXC's AppArmor profile confines the first process, the command and what is executed" {
	[ "$E2E_BACKEND" = lxc ] || skip "only LXC has profiles"
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "this kernel has no AppArmor"
	sleeper label
	run m exec "$P-label" -- cat /proc/1/attr/current /proc/self/attr/current
	[ "${lines[0]}" = "lxc-container-default-cgns (enforce)" ]
	[ "${lines[1]}" = "lxc-container-default-cgns (enforce)" ]
	run once command -- cat /proc/self/attr/current
	[ "$output" = "lxc-container-default-cgns (enforce)" ]
	m rm -f "$P-label"
}
