# SPDX-License-Identifier: LGPL-2.1-or-later
# An audit finds what was weakened, and nothing where nothing was.
load lib

prepare_file() {
	mkdir -p "$FILE_DIR/files" "$FILE_DIR/engine"
	# A socket is there as long as its file is.
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$FILE_DIR/engine/docker.sock"
	export TABLE="$BATS_TEST_DIRNAME/weakened"
}

# rows: NAME^AOPTIONS^AFINDINGS of this backend, blanks around them removed; of roots other than the small one the default alone.
rows() {
	awk -F'|' -v backend="$E2E_BACKEND" -v kind="$E2E_KIND" '!/^#/ && NF == 4 {
		for (i = 1; i <= 4; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i)
		if ($2 == backend && (kind == "busybox" || $1 == "default")) printf "%s\001%s\001%s\n", $1, $3, $4 }' "$TABLE"
}

# findings JSON: what is above info, "CHECK" or "CHECK:ITEM", sorted.
findings() {
	jq -r '.[0].findings[] | select(.severity != "info") | if .item == "" then .check else .check + ":" + .item end' | sort
}

# expected TEXT: the findings of a row, one a line; those with blanks in them have commas between them. Of files that this kernel does not have there is none.
expected() {
	local finding
	case $1 in *,*) tr , '\n' <<<"$1" ;; *) tr ' ' '\n' <<<"$1" ;; esac | while read -r finding; do
		case $finding in
		'') ;;
		cgroup:/sys/fs/cgroup) ! [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || echo "$finding" ;;
		unmasked:/sys/kernel/security) [ -z "$(find /sys/kernel/security -mindepth 1 -maxdepth 1)" ] || echo "$finding" ;;
		limit:pids) libvirt_scopes || echo "$finding" ;;
		*:/proc/* | *:/sys/*) [ ! -e "${finding#*:}" ] || echo "$finding" ;;
		*) echo "$finding" ;;
		esac
	done
}

# What was tried is looked for on the whole host, where others do the same.
setup() { [[ $BATS_TEST_DESCRIPTION != --probe* ]] || { exec 8<"$BATS_TEST_FILENAME" && flock 8; }; }

# unconfined: the finding of a container without a profile where the host has a security module that gives profiles.
unconfined() {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || return 0
	case $E2E_BACKEND in native | chroot | nspawn | libvirt) echo lsm ;; esac
}

# libvirt_scopes: whether machined gives domains scopes, in which the number of processes has a limit; those of a daemon of our own it does not.
libvirt_scopes() { [ "$E2E_BACKEND" = libvirt ] && [ -d /run/systemd/system ] && [ ! -e /run/libvirt/mrgt.pid ]; }

# start NAME OPTION...: a container that stays.
begin() {
	local name=$1 extra
	shift
	extra=$(shared_root)
	# shellcheck disable=SC2086
	"$MOORAGE" run -d -q --rm -B "$E2E_BACKEND" --name "$P-$name" $extra "$@" "$E2E_ROOT" -- /bin/sleep 600 >/dev/null
}

@test "every weakness of the table is found, and nothing else" {
	[ "$E2E_BACKEND" != libvirt ] || [ "$E2E_KIND" = busybox ] || skip "libvirt cannot take new privileges away, and this root has setuid programs"
	local name options wanted default="" got want wrong=0 number=0 args
	while IFS=$'\001' read -r name options wanted; do
		number=$((number + 1))
		read -ra args <<<"${options//%D/$FILE_DIR}"
		begin "$name" "${args[@]}"
		got=$("$MOORAGE" audit --json "$E2E_BACKEND:$P-$name" | findings)
		"$MOORAGE" kill "$E2E_BACKEND:$P-$name" >/dev/null
		[ "$name" != default ] || default=$wanted
		want=$({ unconfined; expected "$default"; [ "$name" = default ] || expected "$wanted"; } | sort)
		[ "$got" = "$want" ] || { wrong=$((wrong + 1)); echo "$name ($options): expected" $want ", found" $got; }
	done < <(rows)
	echo "$number containers, $wrong wrong"
	[ "$wrong" = 0 ]
	[ "$number" -ge 1 ]
	rm -rf "$E2E_ROOT"/mnt-*
}

@test "the table has 60 weaknesses" {
	[ "$(awk -F'|' '!/^#/ && NF == 4 && !/^default/' "$TABLE" | wc -l)" -ge 60 ]
}

@test "what is told is what was read: text, facts, status" {
	begin page
	run m audit "$E2E_BACKEND:$P-page"
	[ "$status" = 0 ]
	m audit --json "$E2E_BACKEND:$P-page" | "$BATS_TEST_DIRNAME/valid" audit
	[[ "$output" == *"info"*"root-user"* ]]
	[[ "$output" == *"read from /proc/"*"/uid_map"* ]]
	m audit --facts "$E2E_BACKEND:$P-page" | grep -q "^capability CHOWN: "
	run m audit --fail-on info "$E2E_BACKEND:$P-page"
	[ "$status" = 1 ]
	if [ "$E2E_BACKEND" = native ]; then
		[ "$(m audit --format csv "$E2E_BACKEND:$P-page" | grep -E '^(low|medium|high|critical),' | cut -d , -f 2)" = "$(unconfined)" ]
		run m audit --fail-on low "$E2E_BACKEND:$P-page"
		[ "$status" = "$([ -z "$(unconfined)" ] && echo 0 || echo 1)" ]
	fi
	m kill "$E2E_BACKEND:$P-page"
}

@test "a baseline: the same is not weaker, one capability more is" {
	begin base
	m audit --json "$E2E_BACKEND:$P-base" >"$FILE_DIR/base.audit"
	run m audit --baseline "$FILE_DIR/base.audit" "$E2E_BACKEND:$P-base"
	[ "$status" = 0 ]
	[ -z "$output" ]
	begin more --cap-add SYS_TTY_CONFIG
	run m audit --baseline "$FILE_DIR/base.audit" "$E2E_BACKEND:$P-more"
	[ "$status" = 1 ]
	[[ "$output" == *"weaker   capability SYS_TTY_CONFIG: not so -> in the sets"* ]]
	run ! grep -v '^weaker .* SYS_TTY_CONFIG: ' <<<"$output"
	run m audit --diff "$E2E_BACKEND:$P-more" "$FILE_DIR/base.audit"
	[ "$status" = 0 ]
	[[ "$output" == *"stronger capability SYS_TTY_CONFIG"* ]]
	[ "$(m audit --json --diff "$E2E_BACKEND:$P-base" "$E2E_BACKEND:$P-more" | jq -r '.differences[] | .change + " " + .item' | sort -u)" = "weaker SYS_TTY_CONFIG" ]
	m kill "$E2E_BACKEND:$P-base" "$E2E_BACKEND:$P-more"
}

@test "a limit that does not hold any more is found" {
	[ "$E2E_BACKEND" = native ] || skip "one backend shows it"
	begin lost --pids-limit 100
	[ "$(m audit --json "$P-lost" | findings)" = "$(unconfined)" ]
	while read -r dir; do [ ! -e "$dir/pids.max" ] || echo max >"$dir/pids.max"; done < <(cgroups lost)
	[ "$(m audit --json "$P-lost" | findings)" = "$({ unconfined; printf 'limit:pids\nlimit-lost:pids\n'; } | sort)" ]
	m kill "$P-lost"
}

@test "--pid: processes that nothing of ours made" {
	[ "$E2E_BACKEND" = native ] || skip "no backend is used"
	local pid
	# No container at all: its root is that of the host.
	sleep 60 3>&- &
	pid=$!
	m audit --json --pid "$pid" | findings >"$FILE_DIR/none"
	kill "$pid"
	grep -qx root "$FILE_DIR/none"
	grep -qx namespace:mnt "$FILE_DIR/none"
	grep -qx seccomp "$FILE_DIR/none"
	# A directory of the host left open on the way in.
	unshare --mount --pid --fork --kill-child -- sleep 60 9</ 3>&- &
	pid=$!
	eventually 30 pgrep -P "$pid" >/dev/null
	m audit --json --pid "$(pgrep -P "$pid")" | findings >"$FILE_DIR/leak"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	grep -q '^descriptor:' "$FILE_DIR/leak"
	run ! grep -qx namespace:mnt "$FILE_DIR/leak"
	run ! grep -qx namespace:pid "$FILE_DIR/leak"
	run m audit --pid "$pid"
	[ "$status" = 4 ]
}

@test "a program of BPF that decides on devices is told, and nothing is claimed of it" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "no backend is used"
	local top=/sys/fs/cgroup pid
	[ ! -d $top/unified ] || top=$top/unified
	python3 - "$MOORAGE" "$top/$P-program" "$FILE_DIR/program" <<-'EOP'
		import ctypes, os, platform, struct, subprocess, sys
		number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
		libc = ctypes.CDLL(None, use_errno=True)
		def bpf(command, attributes):
		    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
		    r = libc.syscall(number, command, buffer, 128)
		    assert r >= 0, os.strerror(ctypes.get_errno())
		    return r, buffer.raw
		code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 1, 0x95, 0, 0, 0))	# it lets all through
		licence = ctypes.create_string_buffer(b"GPL")
		program, _ = bpf(5, struct.pack("<IIQQ", 15, 2, ctypes.addressof(code), ctypes.addressof(licence)))
		info = ctypes.create_string_buffer(256)
		bpf(15, struct.pack("<IIQ", program, 256, ctypes.addressof(info)))
		identity = struct.unpack_from("<I", info.raw, 4)[0]
		os.mkdir(sys.argv[2])
		sleeper = subprocess.Popen(["sleep", "60"])
		try:
		    with open(sys.argv[2] + "/cgroup.procs", "w") as procs: procs.write(str(sleeper.pid))
		    directory = os.open(sys.argv[2], os.O_RDONLY)
		    bpf(8, struct.pack("<IIII", directory, program, 6, 0))
		    with open(sys.argv[3], "w") as out:
		        out.write("%d\n" % identity)
		        out.flush()
		        subprocess.run([sys.argv[1], "audit", "--json", "--pid", str(sleeper.pid)], stdout=out, check=True)
		finally:
		    sleeper.kill()
		    sleeper.wait()
		    os.rmdir(sys.argv[2])
	EOP
	[ "$(tail -n +2 "$FILE_DIR/program" | jq -r '.[0].facts[] | select(.check == "device-program").value')" = \
		"not known: BPF program $(head -n 1 "$FILE_DIR/program") decides, and tells only who tries" ]
	[ "$(tail -n +2 "$FILE_DIR/program" | jq -r '.[0].findings[] | select(.check == "device-program").severity')" = info ]
}

@test "a terminal that is also somebody else's is found" {
	[ "$E2E_BACKEND" = native ] || skip "no backend is used"
	python3 - "$MOORAGE" <<-'EOP'
		import json, os, pty, subprocess, sys, time
		master, slave = pty.openpty()
		shell = os.fork()
		if shell == 0:
		    os.setsid()
		    import fcntl, termios
		    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
		    os.execvp("sleep", ["sleep", "60"])
		inside = subprocess.Popen(["unshare", "--mount", "sleep", "60"], stdin=slave)
		try:
		    for _ in range(50):
		        out = json.loads(subprocess.run([sys.argv[1], "audit", "--json", "--pid", str(inside.pid)], capture_output=True).stdout)
		        found = [f["check"] for f in out[0]["findings"]]
		        if "namespace" in found and "terminal" in found:
		            break
		        time.sleep(0.1)
		    assert "terminal" in found, found
		finally:
		    inside.kill()
		    os.kill(shell, 9)
		    inside.wait()
		    os.waitpid(shell, 0)
	EOP
}

@test "hostile names inside are shown, not sent, and do not break the output" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "one backend shows it, on a small root"
	local root=$FILE_DIR/hostile name=$'\e]0;owned\a "x" \\ \n}],\xff'
	cp -a "$E2E_ROOT" "$root"
	cp "$E2E_ROOT/bin/busybox" "$root/bin/$name"
	chmod u+s "$root/bin/$name"
	"$MOORAGE" run -d -q --rm --name "$P-hostile" --security-opt no-new-privileges=no "$root" -- /bin/sleep 600 >/dev/null
	m audit --json "$P-hostile" >"$FILE_DIR/json"
	script -qefc "$MOORAGE audit $P-hostile" /dev/null >"$FILE_DIR/text" </dev/null
	m kill "$P-hostile"
	jq -e '.[0].findings | map(select(.check == "setuid")) | length == 1' "$FILE_DIR/json"
	grep -q 'x1b]0;owned.x07' "$FILE_DIR/text"
	run ! grep -q $'\a' "$FILE_DIR/text"
}

@test "a program of the root is never executed" {
	[ "$E2E_BACKEND" = native ] || skip "one backend shows it"
	begin trace
	traced -f -e trace=execve,execveat -o "$FILE_DIR/trace" "$MOORAGE" audit "$P-trace" >/dev/null
	m kill "$P-trace"
	[ "$(grep -c 'execve' "$FILE_DIR/trace")" -ge 1 ]
	[ -z "$(grep execve "$FILE_DIR/trace" | grep -F -e "$E2E_ROOT" -e "/root/")" ]
}

# ---- tried inside ----

# works NAME: what works, of calls and files, and what devices its cgroup lets through.
works() {
	"$MOORAGE" audit --probe --json "$E2E_BACKEND:$P-$1" | jq -r '.[0].facts[] | select(.source == "probe" and .value == "works") | .item' | sort | paste -sd' '
}

# whole_kernel: what can be tried, and whether filters are told, is of kernels as distributions build them.
whole_kernel() { grep -qw seccomp_get_filter /proc/kallsyms || skip "this kernel tells no filters of system calls, and has less to try"; }

kernel_has() {
	case $1 in
	alg-socket) python3 -c 'import socket; socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)' 2>/dev/null ;;
	modprobe) [ -e /proc/sys/kernel/modprobe ] ;;
	*) [ -e "$1" ] ;;
	esac
}

# here NAMES: those, with blanks between them, but for what this kernel has not.
here() {
	local names=" $1 " name
	for name in alg-socket modprobe probe:modprobe unmasked:/proc/kcore; do
		kernel_has "${name#*:}" || names=${names/ $name / }
	done
	names=${names# }
	echo "${names% }"
}

@test "--probe: the hardened default refuses, with these errnos" {
	whole_kernel
	local name value unknown
	begin tried
	m audit --probe --json "$E2E_BACKEND:$P-tried" >"$FILE_DIR/tried"
	m kill "$E2E_BACKEND:$P-tried"
	"$BATS_TEST_DIRNAME/valid" audit <"$FILE_DIR/tried"
	jq -r '.[0].facts[] | select(.check == "probe") | .item + " " + .value' "$FILE_DIR/tried" >"$FILE_DIR/tries"
	# What a right is needed for is refused with a filter and without; libvirt takes none.
	for name in mount umount fsopen open-tree unshare-mnt unshare-net unshare-pid unshare-ipc unshare-uts unshare-cgroup unshare-time raw-socket packet-socket \
		bpf fanotify reboot swap clock hostname accounting kernel-log file-handle mknod; do
		grep -qx "$name refused: EPERM" "$FILE_DIR/tries" || { echo "$name:"; grep "^$name " "$FILE_DIR/tries"; false; }
	done
	grep -Eqx "(core-pattern|modprobe) (refused: EROFS|fails: ENOENT)" "$FILE_DIR/tries"
	value=$(grep ' works$' "$FILE_DIR/tries" | cut -d' ' -f1 | sort | paste -sd' ')
	if [ "$E2E_BACKEND" = libvirt ]; then
		grep -qx " tried under its policy" "$FILE_DIR/tries"
		grep -qx "perf refused: EACCES" "$FILE_DIR/tries"
		# Where cgroups are of version 1, libvirt shows the top of a hierarchy; what is written there takes SYS_ADMIN.
		value=${value/ release-agent/}
		[ "$value" = "$(here "add-key alg-socket audit-socket clone-user io-uring keyring process-memory ptrace request-key terminal-input unshare-user vsock-socket")" ]
		return
	fi
	# The profile that LXC gives where AppArmor is cannot be entered from outside: what a try found allowed is not claimed.
	if [ "$E2E_BACKEND $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = "lxc Y" ]; then
		grep -qx " tried under its policy, but its label could not be taken over" "$FILE_DIR/tries"
		[ -z "$value" ]
		return
	fi
	grep -qx " tried under its policy and a copy of its filters" "$FILE_DIR/tries"
	[ "$value" = "audit-socket process-memory ptrace" ]
	for name in perf unshare-user clone-user io-uring userfaultfd add-key request-key keyring terminal-input; do
		grep -qx "$name refused: EPERM" "$FILE_DIR/tries" || { echo "$name:"; grep "^$name " "$FILE_DIR/tries"; false; }
	done
	grep -qx "vsock-socket fails: EAFNOSUPPORT" "$FILE_DIR/tries"
	# Devices by the cgroup's rules, whichever version has them.
	[ "$(jq '[.[0].facts[] | select(.check == "probe-rule" and .value != "refused: EPERM" and .item != "c 10:200")] | length' "$FILE_DIR/tried")" = 0 ]
	[ "$(jq '[.[0].facts[] | select(.check == "probe-rule")] | length' "$FILE_DIR/tried")" -ge 20 ]
	[ -z "$(jq -r '.[0].findings[] | select(.source == "probe" and .severity != "info") | .item' "$FILE_DIR/tried" | grep -v '^c 10:200$')" ]
}

@test "--probe: what was weakened works" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "one backend shows it"
	whole_kernel
	local name options wanted got wrong=0
	while IFS='|' read -r name options wanted; do
		# shellcheck disable=SC2086
		begin "$name" $options
		got=$(works "$name")
		m kill "$P-$name"
		wanted=$(here "$wanted")
		[ "$got" = "$wanted" ] || { wrong=$((wrong + 1)); echo "$name: expected $wanted, found $got"; }
	done <<-'EOT'
		t-raw|--cap-add NET_RAW|audit-socket packet-socket process-memory ptrace raw-socket
		t-device|--device /dev/fuse|/dev/fuse audit-socket c 10:229 process-memory ptrace
		t-sysctl|--security-opt unmask=/proc/sys|audit-socket core-pattern modprobe process-memory ptrace
		t-filter|--security-opt seccomp=unconfined|add-key alg-socket audit-socket clone-user io-uring keyring process-memory ptrace request-key terminal-input unshare-user vsock-socket
		t-users|--userns auto --security-opt seccomp=unconfined|add-key alg-socket audit-socket clone-user io-uring process-memory ptrace request-key terminal-input unshare-user vsock-socket
	EOT
	[ "$wrong" = 0 ]
}

@test "--probe: a file that is masked is not the kernel's, though what hides it opens" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "one backend shows it"
	begin masked --security-opt unmask=/proc/sys --security-opt mask=/proc/sys/kernel/core_pattern
	m audit --probe --json "$P-masked" | jq -r '.[0].facts[] | select(.check == "probe") | .item + " " + .value' >"$FILE_DIR/tries"
	m exec "$P-masked" -- sh -c ': >/proc/sys/kernel/core_pattern'
	m kill "$P-masked"
	grep -qx "core-pattern fails: ENOENT" "$FILE_DIR/tries"
}

# traces NAME: what a probe could leave: mounts, keys, processes, files, descriptors. Others work on this host, so of it only what would be ours.
traces() {
	local pid
	pid=$(m inspect "$E2E_BACKEND:$P-$1" | jq -r '.. | .pid? // empty' | head -n 1)
	cut -d' ' -f4- "/proc/$pid/mountinfo"
	cat /proc/[0-9]*/mountinfo 2>/dev/null | grep -c moorage-try || true
	awk '$9 !~ /^_ses/ && $9 != "invocation_id:" { print $1, $8, $9 }' /proc/keys | sort
	m procs "$E2E_BACKEND:$P-$1" | awk '{ print $1 }'
	find "$E2E_ROOT" "/proc/$pid/root/dev" -xdev -printf '%p %i %T@\n' | sort
	ls "/proc/$pid/fd"
}

@test "--probe leaves nothing behind" {
	begin clean
	eventually 30 settled clean
	m audit --probe "$E2E_BACKEND:$P-clean" >/dev/null
	# Keys of processes that have ended are collected in the background.
	eventually 30 same_traces clean
	m kill "$E2E_BACKEND:$P-clean"
}

# settled NAME: it is alone, and what there was of others does not go away any more.
settled() { [ "$(mine)" = "$P-$1" ] && traces "$1" >"$FILE_DIR/before" && sleep 1 && same_traces "$1"; }
same_traces() { traces "$1" >"$FILE_DIR/after"; diff "$FILE_DIR/before" "$FILE_DIR/after"; }

@test "--probe: filters that cannot be had are told, and nothing is claimed" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "one backend shows it"
	local pid tracer
	begin traced --cap-add NET_RAW
	pid=$(m inspect "$P-traced" | jq -r '.. | .pid? // empty' | head -n 1)
	strace -o /dev/null -p "$pid" 3>&- 8<&- 2>/dev/null &
	tracer=$!
	eventually 30 grep -q "TracerPid:.[1-9]" "/proc/$pid/status"
	m audit --probe --json "$P-traced" >"$FILE_DIR/traced"
	kill "$tracer"
	[ "$(jq -r '.[0].facts[] | select(.check == "probe" and .item == "") | .value' "$FILE_DIR/traced")" = "tried under its policy, but its filters could not be taken over: EPERM" ]
	[ "$(jq -r '.[0].facts[] | select(.item == "raw-socket") | .value' "$FILE_DIR/traced")" = "not known: works, but its filters could not be taken over" ]
	[ "$(jq -r '.[0].facts[] | select(.item == "mount") | .value' "$FILE_DIR/traced")" = "refused: EPERM" ]
	[ -z "$(jq -r '.[0].findings[] | select(.check == "probe" and .severity != "info") | .item' "$FILE_DIR/traced")" ]
	m pause "$P-traced"
	run m audit --probe "$P-traced"
	m unpause "$P-traced"
	m kill "$P-traced"
	[ "$status" != 0 ]
	[[ "$output" == *"is paused: nothing can be tried in it"* ]]
}

@test "--probe --pid: a sandbox of bubblewrap" {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "no backend is used"
	command -v bwrap >/dev/null || skip "bwrap is not installed"
	whole_kernel
	local pid inside
	bwrap --ro-bind "$E2E_ROOT" / --dev /dev --proc /proc --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup --new-session --cap-drop ALL \
		--die-with-parent /bin/sleep 60 3>&- 8<&- &
	pid=$!
	eventually 30 inside_of "$pid"
	inside=$(pgrep -P "$(pgrep -P "$pid")")
	m audit --probe --json --pid "$inside" >"$FILE_DIR/bwrap"
	kill "$pid"
	wait "$pid" 2>/dev/null || true
	jq -r '.[0].facts[] | select(.check == "probe") | .item + " " + .value' "$FILE_DIR/bwrap" >"$FILE_DIR/tries"
	grep -qx " tried under its policy" "$FILE_DIR/tries"
	[ "$(grep ' works$' "$FILE_DIR/tries" | cut -d' ' -f1 | sort | paste -sd' ')" = \
		"$(here "add-key alg-socket audit-socket clone-user core-pattern io-uring keyring modprobe process-memory ptrace request-key terminal-input unshare-user vsock-socket")" ]
	grep -qx "mount refused: EPERM" "$FILE_DIR/tries"
	grep -qx "raw-socket refused: EPERM" "$FILE_DIR/tries"
	[ "$(jq -r '.[0].findings[] | select(.severity == "critical" or .severity == "high") | .check + ":" + .item' "$FILE_DIR/bwrap" | sort | paste -sd' ')" = \
		"$(here "probe:core-pattern probe:modprobe seccomp: unmasked:/proc/kcore writable:/proc/sys")" ]
}

inside_of() { local child; child=$(pgrep -P "$1") && pgrep -P "$child" -x sleep; }
