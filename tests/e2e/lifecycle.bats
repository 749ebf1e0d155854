# SPDX-License-Identifier: LGPL-2.1-or-later
# The verbs one after the other, and the contract of exit codes and streams.
load lib

@test "run --rm prints what the command prints" {
	run once hello -- /bin/sh -c 'echo hello; head -n 1 /etc/os-release'
	[ "$status" = 0 ]
	[ "${lines[0]}" = hello ]
	[ "${lines[1]}" = "$(head -n 1 "$E2E_ROOT/etc/os-release")" ]
	[ ! -e "$MOORAGE_STATE_DIR/containers/$P-hello" ]
}

@test "the exit status is the command's own: 0, 3, 255" {
	for code in 0 3 255; do
		run once code -- /bin/sh -c "exit $code"
		[ "$status" = "$code" ]
	done
}

@test "127: the command is not found" {
	run -127 once nocmd -- /no/such/command
	[[ "$output" == *"'/no/such/command'"* ]]
	run -127 once nocmd -- nosuchcommand
}

@test "126: the command is found and cannot be executed" {
	run once noexec -- /etc/passwd
	[ "$status" = 126 ]
	[[ "$output" == *"'/etc/passwd'"* ]]
}

@test "125: moorage itself fails before the command" {
	run m run --rm -B "$E2E_BACKEND" --name "$P-noroot" /no/such/root -- /bin/true
	[ "$status" = 125 ]
}

@test "128+n: the command dies of a signal" {
	run once killed -- /bin/sh -c 'kill -KILL $$'
	[ "$status" = 137 ]
	run once termed -- /bin/sh -c 'kill -TERM $$'
	[ "$status" = 143 ]
}

@test "standard output and error stay apart" {
	once streams -- /bin/sh -c 'echo out; echo err >&2' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = out ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
}

@test "standard input is a pipe with -i, its end reaches the command" {
	run bash -c 'printf "one\ntwo\n" | "$MOORAGE" run --rm -i -B "$E2E_BACKEND" --name "$P-stdin" "$E2E_ROOT" -- /bin/cat'
	[ "$status" = 0 ]
	[ "$output" = $'one\ntwo' ]
}

@test "output larger than every buffer arrives whole" {
	sum=$(once big -- /bin/sh -c 'head -c 5000000 /dev/zero' | sha256sum)
	[ "$sum" = "$(head -c 5000000 /dev/zero | sha256sum)" ]
}

@test "environment, working directory, user and host name" {
	run once env -e COLOUR=green -w /tmp -u 65534:65534 -- /bin/sh -c 'echo $COLOUR; pwd; id -u; id -g'
	[ "$status" = 0 ]
	[ "$output" = $'green\n/tmp\n65534\n65534' ]
}

@test "a user is looked up in the container by name" {
	run once byname -u nobody -- /bin/sh -c 'id -u'
	[ "$output" = 65534 ]
}

@test "create, start, exec, logs, stop, rm" {
	fresh web -- /bin/sh -c 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.1; done'
	is web created
	m start "$P-web"
	is web running
	run m exec "$P-web" -- /bin/sh -c 'echo inside; exit 4'
	[ "$status" = 4 ]
	[ "$output" = inside ]
	eventually 30 logged web up
	m stop "$P-web"
	is web stopped
	run m logs "$P-web"
	[ "$output" = $'up\nbye' ]
	m rm "$P-web"
	run m state "$P-web"
	[ "$status" = 3 ]
}

@test "start of a running one and stop of a stopped one are done already" {
	sleeper twice
	m start "$P-twice"
	m stop "$P-twice"
	m stop "$P-twice"
	m rm "$P-twice"
}

@test "a container can be started again" {
	fresh again -- /bin/sh -c 'echo once more'
	m start "$P-again"
	m wait "$P-again"
	m start "$P-again"
	m wait "$P-again"
	run m logs "$P-again"
	[ "$output" = $'once more\nonce more' ]
	m rm "$P-again"
}

@test "start -a gives the streams and the status" {
	fresh attached -- /bin/sh -c 'echo seen; exit 9'
	run m start -a "$P-attached"
	[ "$status" = 9 ]
	[ "$output" = seen ]
	m rm "$P-attached"
}

@test "run -d leaves it running, wait prints the status" {
	m run -d -B "$E2E_BACKEND" --name "$P-detached" "$E2E_ROOT" -- /bin/sh -c 'trap "exit 6" USR1; echo up; while :; do sleep 0.1; done'
	eventually 30 logged detached up
	is detached running
	m wait "$P-detached" >"$BATS_TEST_TMPDIR/out" 3>&- &
	waiter=$!
	m kill -s USR1 "$P-detached"
	wait "$waiter"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = 6 ]
	m rm "$P-detached"
}

@test "stop kills what ignores the signal, after the time it is given" {
	fresh stubborn --stop-timeout 100000 -- /bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	m start "$P-stubborn"
	timeout 60 "$MOORAGE" stop -t 1 "$P-stubborn"
	is stubborn stopped
	m rm "$P-stubborn"
}

@test "stop leaves no process behind, whatever it forked" {
	fresh forks -- /bin/sh -c '(setsid sleep 1000 &) ; (sleep 1000 &) ; trap "exit 0" TERM; while :; do sleep 0.1; done'
	m start "$P-forks"
	eventually 30 bash -c '[ "$("$MOORAGE" procs --json "$P-forks" | jq length)" -ge 3 ]'
	pids=$(m procs --json "$P-forks" | jq -r '.[].pid')
	m stop "$P-forks"
	# Dead at once; the host's init may take a moment to collect one that nobody waited for.
	for pid in $pids; do run ! grep '^State:.[^XZ]' "/proc/$pid/status"; done
	for pid in $pids; do eventually 30 test ! -e "/proc/$pid"; done
	m rm "$P-forks"
}

@test "kill sends a signal to the first process" {
	fresh signal -- /bin/sh -c 'trap "exit 33" USR1; echo up; while :; do sleep 0.1; done'
	m start "$P-signal"
	eventually 30 logged signal up
	m kill -s USR1 "$P-signal"
	run m wait "$P-signal"
	[ "$output" = 33 ]
	m rm "$P-signal"
}

@test "rm refuses a running one with 4, rm -f takes it" {
	sleeper busy
	run m rm "$P-busy"
	[ "$status" = 4 ]
	m rm -f "$P-busy"
	run m state "$P-busy"
	[ "$status" = 3 ]
	m rm -f "$P-busy"
}

@test "rename keeps everything but the name" {
	fresh old -- /bin/true
	m rename "$P-old" "$P-new"
	is new created
	run m state "$P-old"
	[ "$status" = 3 ]
	m start -a "$P-new"
	m rm "$P-new"
}

@test "pause stops every process, unpause lets them go on" {
	fresh frozen -- /bin/sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done'
	m start "$P-frozen"
	m pause "$P-frozen"
	is frozen paused
	# What it had written may still be on its way to the log.
	for _ in 1 2 3 4; do ! silent frozen || break; done
	silent frozen
	one=$(m logs "$P-frozen" | wc -l)
	m unpause "$P-frozen"
	is frozen running
	eventually 30 bash -c '[ "$("$MOORAGE" logs "$P-frozen" | wc -l)" -gt '"$one"' ]'
	m rm -f "$P-frozen"
}

@test "exec of a container that does not run is refused" {
	fresh idle -- /bin/true
	run m exec "$P-idle" -- /bin/true
	[ "$status" = 125 ]
	m rm "$P-idle"
}

@test "exec has the exit codes of run" {
	sleeper codes
	run -127 m exec "$P-codes" -- /no/such/command
	run m exec "$P-codes" -- /etc/passwd
	[ "$status" = 126 ]
	run m exec "$P-codes" -- /bin/sh -c 'kill -KILL $$'
	[ "$status" = 137 ]
	run m exec -u 65534 -w /tmp -e A=b "$P-codes" -- /bin/sh -c 'id -u; pwd; echo $A'
	[ "$output" = $'65534\n/tmp\nb' ]
	m rm -f "$P-codes"
}

@test "procs lists what runs inside" {
	sleeper procs
	run m procs "$P-procs"
	[ "$status" = 0 ]
	[[ "$output" == *"/bin/sh"* ]]
	m rm -f "$P-procs"
}

@test "ls, inspect and info tell of it" {
	sleeper shown
	m ls --json | jq -e --arg n "$P-shown" --arg b "$E2E_BACKEND" '.[] | select(.name == $n) | .backend == $b and .state == "running"'
	m inspect "$P-shown" | jq -e . >/dev/null
	run m info "$P-shown"
	[[ "$output" == *"$E2E_BACKEND"* ]]
	[[ "$output" == *"running"* ]]
	m rm -f "$P-shown"
}

@test "stats gives numbers" {
	sleeper numbers
	m stats --no-stream --json "$P-numbers" | jq -e '.[0].name != null'
	m rm -f "$P-numbers"
}

@test "a root that is a directory is never removed" {
	cp -a "$("$BATS_TEST_DIRNAME/root" busybox "${MRGT_CACHE:-/var/tmp/mrgt-cache}")" "$BATS_TEST_TMPDIR/root"
	m create -B "$E2E_BACKEND" --name "$P-kept" "$BATS_TEST_TMPDIR/root" -- /bin/true
	m start -a "$P-kept"
	m rm "$P-kept"
	[ -x "$BATS_TEST_TMPDIR/root/bin/busybox" ]
}

@test "--explain runs nothing and names what would run" {
	before=$(mine)
	run m --explain run -B "$E2E_BACKEND" --name "$P-explained" "$E2E_ROOT" -- /bin/true
	[ "$status" = 0 ]
	[ -n "$output" ]
	[ "$(mine)" = "$before" ]
}

@test "a terminal: rows and columns, job control, the exit status" {
	run timeout 120 script -qefc "stty rows 33 cols 99
		\"$MOORAGE\" run --rm -it -B $E2E_BACKEND --name $P-tty $E2E_ROOT -- /bin/sh -c 'stty size; tty; exit 5'" /dev/null
	[ "$status" = 5 ]
	[[ "$output" == *"33 99"* ]]
	[[ "$output" == *"/dev/pts/"[0-9]* || "$output" == *"/dev/console"* ]]
}
