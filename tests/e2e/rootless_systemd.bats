# SPDX-License-Identifier: LGPL-2.1-or-later
# An ordinary user for whom systemd runs a manager: that makes a scope for each container, with its limits, and starts what is enabled. The user, mrgt, is there
# only on hosts that are made for tests.
load lib

prepare_file() {
	RUNTIME=/run/user/$(id -u mrgt 2>/dev/null) || return 0
	export RUNTIME
	[ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] || linger
}

linger() { loginctl enable-linger mrgt && eventually 60 test -S "$RUNTIME/bus"; }

setup() {
	[[ $E2E_BACKEND =~ ^(native|lxc)$ ]] || skip "$E2E_BACKEND needs root"
	id mrgt >/dev/null 2>&1 || skip "no user 'mrgt', who is on hosts that are made for tests"
	[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || skip "version 1 of cgroups is root's alone"
	HOME_DIR=/home/mrgt/$P
	install -d -o mrgt -g mrgt "$HOME_DIR"
	chmod 755 /home/mrgt
	[ -d "$HOME_DIR/root" ] || { cp -a "$E2E_ROOT" "$HOME_DIR/root" && chown -hR mrgt:mrgt "$HOME_DIR/root"; }
	C=$P-lm
}

teardown() {
	[ -n "${HOME_DIR:-}" ] || return 0
	! [ -e /etc/systemd/system/user@.service.d ] || { rm -r /etc/systemd/system/user@.service.d && systemctl daemon-reload; }
	linger
	u rm -f "$C" >/dev/null 2>&1 || true
	eventually 30 no_scope || { echo "the scope is still there"; return 1; }
	rm -rf --one-file-system "$HOME_DIR"
}

# as COMMAND...: the user, from a session of root: outside what belongs to the user's manager.
as() {
	(cd "$HOME_DIR" && exec setpriv --reuid mrgt --regid mrgt --init-groups env -i HOME=/home/mrgt XDG_RUNTIME_DIR="${BUS_DIR-$RUNTIME}" \
		LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$@")
}
u() { as "$MOORAGE" -B "$E2E_BACKEND" "$@"; }

scopes() { as systemctl --user --no-legend --plain list-units "moorage-$P-*.scope"; }
no_scope() { [ -z "$(scopes)" ] && [ -z "$(find /sys/fs/cgroup/user.slice -name "*$P-*")" ]; }
# The directory of the container's first process.
group() { echo "/sys/fs/cgroup$(sed 's/^0:://' "/proc/$(u inspect --format '{{.pid}}' "$C")/cgroup")"; }
sleeping() { u create -q --name "$C" "$@" ./root -- /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' && u start "$C"; }

@test "a container has a scope, which goes with it, also when the monitor is killed" {
	sleeping
	[[ "$(scopes)" == "moorage-$C-"*.scope* ]]
	[[ "$(group)" == */user@"$(id -u mrgt)".service/moorage.slice/moorage-"$C"-*.scope/* ]]
	u stop "$C"
	eventually 30 no_scope
	u start "$C"
	[[ "$(scopes)" == "moorage-$C-"*.scope* ]]
	pkill -KILL -u mrgt -x moorage-monitor
	u rm -f "$C"
	eventually 30 no_scope
}

@test "64 MiB of memory kill an allocation of 128 MiB, ten processes forbid the eleventh" {
	run u create -q --name "$C" -m 64m ./root -- /bin/sh -c 'dd if=/dev/zero of=/dev/null bs=128M count=1 2>/dev/null && echo survived'
	[ "$status" = 0 ]
	run u start -a "$C"
	[ "$status" = 137 ]
	[[ "$output" != *survived* ]]
	[[ "$(u info "$C")" == *"killed: out of memory"* ]]
	u rm "$C"
	run u run --rm --name "$C" --pids-limit 10 ./root -- /bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 60 & done; echo eleven'
	[[ "$output" != *eleven* ]]
	[[ "$output" == *fork* ]]
}

# What exec started is in the cgroup of the container, which its limits are of.
entered() { local pid; pid=$(pgrep -u mrgt -fx '/bin/sleep 1000') && [[ "$(cat "/proc/$pid/cgroup")" == *"/$(basename "$(group)")"* ]]; }
frozen() { grep -q 'frozen 1' "$(group)/cgroup.events"; }
no_sleepers() { ! pgrep -u mrgt -x sleep >/dev/null; }

@test "limits are changed while it runs; stats; a pause freezes all; what is entered is in the same cgroup" {
	sleeping -m 256m --cpus 0.5
	[ "$(cat "$(group)/memory.max")" = 268435456 ]
	[ "$(cat "$(group)/cpu.max")" = "50000 100000" ]
	u update -m 128m "$C"
	[ "$(cat "$(group)/memory.max")" = 134217728 ]
	# Its root is the user, whose the cgroup is: the cgroup namespace keeps it from that.
	run ! u exec "$C" -- /bin/sh -c 'echo max >/sys/fs/cgroup/memory.max'
	[ "$(cat "$(group)/memory.max")" = 134217728 ]
	[[ "$(u stats --no-stream "$C")" == *"128 MiB"* ]]
	u pause "$C"
	frozen
	[ "$(u state "$C")" = paused ]
	u unpause "$C"
	run ! frozen
	u exec "$C" -- /bin/sleep 1000 3>&- &
	eventually 30 entered
	u kill --all-processes -s KILL "$C"
	eventually 30 no_sleepers
	u wait "$C" || true
}

# refuses PATTERN HINT ARGUMENT...: the command fails and says both.
refuses() {
	local pattern=$1 hint=$2
	shift 2
	run u "$@"
	echo "$output"
	[ "$status" != 0 ] && [[ "$output" =~ $pattern ]] && [[ "$output" =~ $hint ]]
}

# lacking CONTROLLER...: how those of them that the kernel has are named.
lacking() { printf '%s\n' "$@" | grep -xFf <(tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers) | paste -sd, | sed 's/,/, /g'; }

# told: what moorage says that systemd does not give.
told() { as "$MOORAGE" backends --json | jq -r ".[] | select(.name == \"$E2E_BACKEND\").reason" | sed -n 's/.*systemd does not give users \([a-z, ]*\).*/\1/p'; }

@test "what is missing is named: the bus, the controller, the manager; and mended as it is said" {
	[ "$(told)" = "$(lacking cpuset io hugetlb)" ]
	refuses "blockIO.*systemd does not give users $(lacking cpuset io hugetlb)" "/etc/systemd/system/user@.service.d/delegate.conf" run --rm --name "$C" --device-write-bps "$(findmnt -no SOURCE /):1m" ./root -- /bin/true
	BUS_DIR=$HOME_DIR refuses "memory.limit.*no bus" "XDG_RUNTIME_DIR is '$HOME_DIR'" run --rm --name "$C" -m 64m ./root -- /bin/true
	# Without limits there is no need of it.
	[ "$(BUS_DIR=$HOME_DIR u run --rm --name "$C" ./root -- /bin/echo works)" = works ]
	mkdir -p /etc/systemd/system/user@.service.d
	printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/etc/systemd/system/user@.service.d/delegate.conf
	systemctl daemon-reload
	systemctl restart "user@$(id -u mrgt).service"
	# systemd 252 has no way to give that.
	[ "$(told)" = "$(lacking hugetlb)" ]
	throttled
	rm -r /etc/systemd/system/user@.service.d
	systemctl daemon-reload
	systemctl stop "user@$(id -u mrgt).service"
	refuses 'memory.limit.*no user@.service runs' 'loginctl enable-linger mrgt' run --rm --name "$C" -m 64m ./root -- /bin/true
	systemctl start "user@$(id -u mrgt).service"
}

# Four megabytes to a disk that takes one in a second.
throttled() {
	local disk begun
	disk=$(mountpoint -d "$(findmnt -no TARGET -T "$HOME_DIR")")
	sleeping --device-write-bps "$(realpath "/dev/block/$disk"):1m"
	[ "$(cat "$(group)/io.max")" = "$disk rbps=max wbps=1048576 riops=max wiops=max" ]
	begun=$(date +%s%N)
	u exec "$C" -- dd if=/dev/zero of=/tmp/four bs=64k count=64 oflag=direct
	[ $(($(date +%s%N) - begun)) -gt 2500000000 ]
	u rm -f "$C"
}

# A system whose programs are the host's.
system_root() {
	(cd "$HOME_DIR" && mkdir -p system/{etc,usr,proc,sys,dev,run,tmp,var,root} && ln -s usr/bin usr/sbin usr/lib usr/lib64 system/ &&
		ln -s ../usr/lib/os-release system/etc/os-release && : >system/etc/machine-id && chown -hR mrgt:mrgt system)
}
is_up() { [[ "$(u exec "$C" -- systemctl is-system-running 2>"$BATS_TEST_TMPDIR/said")" =~ ^(running|degraded)$ ]]; }

@test "a system boots where the user's systemd gives it a cgroup, and is told what is missing where there is none" {
	system_root
	u create -q --name "$C" --boot -v /usr:/usr:ro ./system
	u start "$C"
	eventually 180 is_up || { cat "$BATS_TEST_TMPDIR/said"; u logs "$C"; false; }
	[ "$(u exec "$C" -- cat /proc/1/comm)" = systemd ]
	[[ "$(cat "/proc/$(u inspect --format '{{.pid}}' "$C")/cgroup")" == */moorage-"$C"-*.scope/*/init.scope ]]
	u stop -t 120 "$C"
	u rm "$C"
	loginctl disable-linger mrgt
	systemctl stop "user@$(id -u mrgt).service"
	refuses 'boot.*no user@.service runs' 'loginctl enable-linger mrgt' create --name "$C" --boot -v /usr:/usr:ro ./system
}

# session COMMAND: a shell of the user's that has logged in, and logs out when it ends.
session() {
	printf '%s\n' "$1" >"$HOME_DIR/session"
	systemd-run --quiet --wait --pipe -p User=mrgt -p PAMName=login -p WorkingDirectory="$HOME_DIR" --setenv=LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" \
		--setenv=MOORAGE="$MOORAGE -B $E2E_BACKEND" --setenv=C="$C" -- /bin/sh -eu "$HOME_DIR/session" </dev/null
}
logged_out() { ! systemctl -q is-active "user@$(id -u mrgt).service" && [ ! -e "$RUNTIME" ] && ! pgrep -u mrgt >/dev/null; }

@test "who does not linger takes the containers along when logging out; they are told as stopped, start again and can be removed" {
	loginctl disable-linger mrgt
	systemctl stop "user@$(id -u mrgt).service"
	eventually 60 logged_out
	run session '$MOORAGE create -q --name $C ./root -- /bin/sleep 1000; $MOORAGE start $C; $MOORAGE state $C'
	echo "$output"
	[ "$output" = running ]
	eventually 60 logged_out
	run session '$MOORAGE state $C; $MOORAGE ls -a --format "{{.name}} {{.state}}"; $MOORAGE inspect --format "{{.state}}" $C; $MOORAGE start $C; $MOORAGE state $C
		$MOORAGE exec $C -- /bin/echo entered; $MOORAGE rm -f $C; $MOORAGE ls -aq'
	echo "$output"
	[ "$(tr '\n' ' ' <<<"$output")" = "stopped $C stopped stopped running entered " ]
}

@test "enable: the user's systemd starts it with itself, and begins with the host where the user lingers" {
	local units=/home/mrgt/.config/systemd/user
	install -d -o mrgt -g mrgt /home/mrgt/.config /home/mrgt/.config/systemd "$units"
	cp "$(dirname "$MOORAGE")/../lib/systemd/user/moorage@.service" "$units/"
	u create -q --name "$C" ./root -- /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	[ "$(u ls -a --format '{{.autostart}}')" = no ]
	u enable "$C"
	[ "$(u ls -a --format '{{.autostart}}')" = yes ]
	systemctl restart "user@$(id -u mrgt).service"
	eventually 60 runs
	[[ "$(scopes)" == "moorage-$C-"*.scope* ]]
	u disable "$C"
	[ "$(u ls -a --format '{{.autostart}}')" = no ]
	u stop "$C"
	loginctl disable-linger mrgt
	refuses "nothing of user 'mrgt' is started at boot" 'loginctl enable-linger mrgt' enable "$C"
	linger
	u rm "$C"
	rm -r "$units"
}
runs() { [ "$(u state "$C")" = running ]; }
