# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers of engines that nothing of ours drives: an audit knows whose they are, finds what was weakened, and tells it in the engine's own options.
load lib

setup() {
	[ "$E2E_BACKEND $E2E_KIND" = "native busybox" ] || skip "no backend is used"
	container="" daemon=""
}

teardown() {
	[ -z "$container" ] || { "${engine[@]}" rm -f "$container" || true; } >/dev/null 2>&1
	[ -z "$daemon" ] || { kill "$daemon" && timeout 30 tail --pid="$daemon" -f /dev/null; } 2>/dev/null || true
}

# begin NAME OPTION...: a container of $engine from $image; its first process, which nothing but SIGKILL ends, is $pid.
begin() {
	container=$P-$1
	shift
	"${engine[@]}" run -d --name "$container" --network none --stop-timeout 0 "$@" "${image[@]}" /bin/sleep 600 >/dev/null
	pid=$("${engine[@]}" inspect -f '{{.State.Pid}}' "$container")
}

end() { "${engine[@]}" rm -f "$container" >/dev/null && container=""; }

# audit: its findings, "CHECK ITEM: ADVICE" a line.
audit() { m audit --json --pid "$pid" | jq -r '.[0].findings[] | .check + " " + .item + ": " + (.advice // "")'; }

# weakened ENGINE OPTION...: what each of these options adds is found, and nothing of it without them.
weakened() {
	local name=$1 line
	shift
	begin default --cap-drop all --security-opt no-new-privileges --pids-limit 100 -m 64M
	[ "$(m audit --json --pid "$pid" | jq -r '.[0].backend')" = "$name" ]
	audit >"$FILE_DIR/default"
	end
	begin weak "$@" --cap-add SYS_PTRACE --uts host -v /etc:/host-etc
	audit >"$FILE_DIR/weak"
	end
	for line in "capability SYS_PTRACE: --cap-drop SYS_PTRACE" "no-new-privs : --security-opt no-new-privileges" "host-path /host-etc: leave out -v for /host-etc, or add :ro" \
		"namespace uts: "; do
		grep -qF "$line" "$FILE_DIR/weak" || { echo "not found: $line"; cat "$FILE_DIR/weak"; false; }
		run ! grep -qF "$line" "$FILE_DIR/default"
	done
	run ! grep -E "^(limit pids|limit memory|no-new-privs|capability) " "$FILE_DIR/default"
}

@test "Podman" {
	command -v podman >/dev/null || skip "podman is not installed"
	local place=$FILE_DIR/podman
	engine=(podman --root "$place/root" --runroot "$place/run" --tmpdir "$place/tmp" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none)
	! grep -q . /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null || engine+=(--runtime runc)
	# More than this user may: limits that it would raise.
	image=(--ulimit "nofile=$(ulimit -Sn):$(ulimit -Hn)" --ulimit "nproc=1000:1000" --rootfs "$E2E_ROOT")
	"${engine[@]}" info >/dev/null 2>&1 || skip "podman does not run here"
	weakened podman
	grep -qx "root-user : --userns=auto" "$FILE_DIR/weak"
	grep -q "^unmasked /proc/kallsyms: --security-opt mask=/proc/kallsyms$" "$FILE_DIR/weak"
	# The option that is advised changes it.
	begin masked --security-opt mask=/proc/kallsyms
	audit >"$FILE_DIR/masked"
	end
	run ! grep "^unmasked /proc/kallsyms:" "$FILE_DIR/masked"
}

@test "Docker" {
	command -v dockerd >/dev/null || skip "dockerd is not installed"
	local place=$FILE_DIR/docker
	mkdir -p "$place"
	# In a network of its own: rules of the host stay as they are.
	unshare --net --mount --propagation private -- dockerd --data-root "$place/data" --exec-root "$place/exec" -H "unix://$place/sock" -p "$place/pid" --iptables=false \
		--bridge=none --storage-driver vfs >"$place/log" 2>&1 3>&- &
	daemon=$!
	engine=(docker -H "unix://$place/sock")
	eventually 60 "${engine[@]}" version >/dev/null 2>&1 || skip "dockerd does not run here: $(tail -n 1 "$place/log")"
	tar -C "$E2E_ROOT" -c . | "${engine[@]}" import - mrgt:1 >/dev/null
	image=(mrgt:1)
	weakened docker
	grep -qx "root-user : userns-remap of dockerd" "$FILE_DIR/weak"
	grep -q "^unmasked /proc/kallsyms: leave out --privileged and --security-opt systempaths=unconfined; no option masks more$" "$FILE_DIR/weak"
}
