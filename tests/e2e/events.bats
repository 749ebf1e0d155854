# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens to containers is told, one line of JSON each, whoever does it.
load lib

prepare_file() {
	export LXCPATH
	LXCPATH=$(lxc-config lxc.lxcpath 2>/dev/null) || LXCPATH=
}

setup() {
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
	log=$BATS_TEST_TMPDIR/log watcher=
}

teardown() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
	[ ! -d "$LXCPATH/$P-theirs" ] || { lxc-stop -k -n "$P-theirs" || true; lxc-destroy -n "$P-theirs"; } >/dev/null 2>&1
}

# mark: a container that comes and goes, to see whether somebody watches.
mark() {
	fresh mark -- /bin/true && m rm "$P-mark"
	grep -q "$P-mark" "$log"
}

# begin_watch OPTION...: events into $log, from now on.
begin_watch() {
	"$MOORAGE" events "$@" >"$log" 3>&- &
	watcher=$!
	eventually 30 mark
}

# told NAME TYPE...: exactly these, in this order.
told() {
	local name=$1
	shift
	[ "$(jq -r --arg n "$P-$name" 'select(.name == $n) | .type' "$log" | tr '\n' ' ')" = "$* " ]
}

# last NAME TYPE FILTER: of the last line of that type.
last() { jq -rs --arg n "$P-$1" --arg t "$2" "map(select(.name == \$n and .type == \$t)) | last | $3" "$log"; }

@test "each step is one line, in order, with the code" {
	begin_watch
	run -3 once short -- /bin/sh -c 'exit 3'
	eventually 30 told short create start die remove
	[ "$(last short die '[.code, .signal, .oomKilled, .backend] | @json')" = "[3,null,false,\"$E2E_BACKEND\"]" ]
	sleeper long
	eventually 30 told long create start
	[ "$(last long start .pid)" = "$(m ls --json | jq --arg n "$P-long" '.[] | select(.name == $n) | .pid')" ]
	m kill -s KILL "$P-long"
	eventually 30 told long create start die
	[ "$(last long die '[.code, .signal] | @json')" = '[null,"KILL"]' ]
	m rename "$P-long" "$P-longer"
	m rm "$P-longer"
	eventually 30 told longer rename remove
	[ "$(last longer rename .oldName)" = "$P-long" ]
	# Looks tell nothing twice.
	sleep 2.2
	told short create start die remove
	told longer rename remove
}

@test "a rename that the engine knows of first is one line" {
	needs_strace
	fresh old -- /bin/true
	begin_watch
	traced -f -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=400000:delay_exit=400000 "$MOORAGE" rename "$P-old" "$P-new"
	m rm "$P-new"
	eventually 30 told new rename remove
	[ "$(last new rename .oldName)" = "$P-old" ]
}

@test "frozen and thawed" {
	isolated_only "freezer of its own"
	sleeper ice
	begin_watch "$P-ice" "$P-mark"
	m pause "$P-ice"
	m unpause "$P-ice"
	m rm -f "$P-ice"
	eventually 30 told ice pause unpause die remove
}

@test "a container of which nothing of ours is left" {
	[ "$E2E_BACKEND" = native ] || skip "the same for every backend"
	sleeper orphan
	begin_watch
	kill -KILL "$(monitor orphan)"
	kill -KILL "$(m ls --json | jq --arg n "$P-orphan" '.[] | select(.name == $n) | .pid')"
	eventually 30 told orphan die
	m rm "$P-orphan"
}

@test "out of memory" {
	begin_watch
	# Enough for the kernel to find nothing as large as the payload, whatever of the engine is in its cgroup.
	run -137 once greedy -m 64M -- /bin/sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'
	eventually 30 told greedy create start oom die remove
	[ "$(last greedy die .oomKilled)" = true ]
}

@test "out of memory inside, and it goes on" {
	[ "$E2E_BACKEND" = native ] || skip "the same for every backend that has limits"
	local n ooms=()
	begin_watch
	fresh survivor -m 16M -- /bin/sh -c 'while read x; do sh -c "x=0123456789abcdef; while :; do x=\$x\$x; done"; done </fifo'
	rm -f "$E2E_ROOT/fifo" && mkfifo "$E2E_ROOT/fifo"
	m start "$P-survivor"
	exec 7<>"$E2E_ROOT/fifo"
	for n in 0 1 2; do
		[ $n = 0 ] || { echo >&7; ooms+=(oom); }
		eventually 30 told survivor create start "${ooms[@]}"
		# Looks that have nothing to ask for go by, and tell nothing.
		sleep 1.2
		told survivor create start "${ooms[@]}"
	done
	is survivor running
	exec 7>&-
	m rm -f "$P-survivor"
	rm "$E2E_ROOT/fifo"
}

@test "what was noted is told later" {
	[ "$E2E_BACKEND" = native ] || skip "the same for every backend"
	run -4 once before -- /bin/sh -c 'exit 4'
	m events --since 1h --no-stream "$P-before" >"$log"
	told before create start die remove
	m events --since 1h --no-stream nobody >"$log"
	[ ! -s "$log" ]
}

@test "it ends when nobody reads" {
	[ "$E2E_BACKEND" = native ] || skip "the same for every backend"
	timeout 60 "$MOORAGE" events | true
	[ "${PIPESTATUS[0]}" = 0 ]
}

# first NAME: the host's pid of its first process.
first() { m ls --json | jq --arg n "$P-$1" '.[] | select(.name == $n) | .pid'; }

@test "an engine that goes away, and one that hangs, end nothing" {
	[ "$E2E_BACKEND" = libvirt ] || skip "about an engine with a daemon"
	[ -e /run/libvirt/mrgt.pid ] || skip "the daemon is not ours"
	local signal=null daemon
	! printf '6.15\n%s\n' "$(uname -r)" | sort -CV || signal=KILL
	sleeper gone
	sleeper hung
	begin_watch
	daemon=$(cat /run/libvirt/mrgt.pid)
	kill -KILL "$daemon"
	eventually 30 bash -c "! grep -q '^State:.[^Z]' /proc/$daemon/status 2>/dev/null"
	# Others are told of meanwhile, and so is an end that only the kernel tells of; nothing is told to be removed.
	m run --rm -B native --name "$P-beside" "$E2E_ROOT" -- /bin/true
	eventually 30 told beside create start die remove
	kill -KILL "$(first gone)"
	eventually 30 told gone die
	[ "$(last gone die .signal)" = "$signal" ]
	rm -f /run/libvirt/mrgt.pid
	/usr/sbin/libvirtd -d --pid-file /run/libvirt/mrgt.pid </dev/null >/dev/null 2>&1 3>&-
	eventually 30 test -s /run/libvirt/mrgt.pid
	daemon=$(cat /run/libvirt/mrgt.pid)
	kill -STOP "$daemon"
	m run --rm -B native --name "$P-behind" "$E2E_ROOT" -- /bin/true
	eventually 30 told behind create start die remove
	kill -KILL "$(first hung)"
	eventually 30 told hung die || { kill -CONT "$daemon"; false; }
	kill -CONT "$daemon"
	[ "$(last hung die .signal)" = "$signal" ]
	m rm -f "$P-gone" "$P-hung"
	eventually 30 told gone die remove
	eventually 30 told hung die remove
	# It has started nothing anew in the eyes of who watches, and goes on.
	kill -0 "$watcher"
}

@test "what LXC's own tools do" {
	[ "$E2E_BACKEND" = lxc ] || skip "about the backend lxc"
	local signal=null
	begin_watch
	printf 'lxc.net.0.type = empty\n' >"$BATS_TEST_TMPDIR/new.conf"
	lxc-create -n "$P-theirs" -f "$BATS_TEST_TMPDIR/new.conf" -t busybox >/dev/null 2>&1
	eventually 30 told theirs create
	lxc-start -n "$P-theirs"
	eventually 30 told theirs create start
	[ "$(last theirs start .pid)" = "$(lxc-info -p -H -n "$P-theirs")" ]
	lxc-freeze -n "$P-theirs"
	eventually 30 told theirs create start pause
	lxc-unfreeze -n "$P-theirs"
	eventually 30 told theirs create start pause unpause
	lxc-stop -k -n "$P-theirs"
	eventually 30 told theirs create start pause unpause die
	# From this version on the kernel keeps how it ended for whoever holds the process.
	! printf '6.15\n%s\n' "$(uname -r)" | sort -CV || signal=KILL
	[ "$(last theirs die '.signal')" = "$signal" ]
	lxc-destroy -n "$P-theirs" >/dev/null
	eventually 30 told theirs create start pause unpause die remove
}
