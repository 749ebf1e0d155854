# SPDX-License-Identifier: LGPL-2.1-or-later
# The command or the monitor is killed at any moment: what is left is told truthfully and can be removed.
load lib

# monitors: their pids, also of those that no record tells of yet. LXC's own are forks of ours.
monitors() {
	local pid
	for pid in $(pgrep -f moorage-monitor); do
		if grep -qzxF "MOORAGE_RUN_DIR=$MOORAGE_RUN_DIR" "/proc/$pid/environ" 2>/dev/null &&
			[ "$(readlink "/proc/$pid/exe")" != "$MOORAGE" ]; then echo "$pid"; fi
	done
}

@test "the monitor is killed: the container runs on, ls says so, stop and rm work" {
	sleeper orphan
	kill -KILL "$(monitor orphan)"
	sleep 0.2
	is orphan running
	run m exec "$P-orphan" -- /bin/sh -c 'echo still here'
	[ "$output" = "still here" ]
	m stop -t 5 "$P-orphan"
	is orphan stopped
	m rm "$P-orphan"
}

@test "SIGTERM to the monitor, as at a shutdown, stops the container in order; other signals do nothing" {
	fresh shutdown -- /bin/sh -c 'trap "echo asked; exit 3" TERM; echo up; while :; do sleep 0.1; done'
	m start "$P-shutdown"
	eventually 30 logged shutdown up
	pid=$(monitor shutdown)
	kill -HUP "$pid"
	kill -INT "$pid"
	sleep 0.3
	is shutdown running
	kill -TERM "$pid"
	run timeout 30 "$MOORAGE" wait "$P-shutdown"
	[ "$output" = 3 ]
	[ "$(m logs "$P-shutdown")" = $'up\nasked' ]
	m rm "$P-shutdown"
}

@test "rm -f after the monitor was killed leaves nothing" {
	sleeper dead
	kill -KILL "$(monitor dead)"
	m rm -f "$P-dead"
	[ -z "$(cgroups dead)" ]
}

@test "the first process is killed from outside: stopped, with its status" {
	sleeper outside
	kill -KILL "$(m inspect "$P-outside" | jq -r '[.. | .pid? // empty | numbers | select(. > 1)][0]')"
	eventually 30 is outside stopped
	run m wait "$P-outside"
	[ "$output" = 137 ]
	m rm "$P-outside"
}

# survivors: every container that is listed has a state and can be removed.
survivors() {
	local name state
	for name in $(mine); do
		state=$(m state "$name") || { echo "$name is listed and has no state"; return 1; }
		case $state in created | running | stopped | paused) ;; *) echo "$name: $state"; return 1 ;; esac
		m rm -f "$name" || { echo "$name cannot be removed"; return 1; }
	done
	[ -z "$(mine)" ]
	eventually 30 bash -c '[ -z "$(find /sys/fs/cgroup -maxdepth 5 -type d -name "*$P-*" 2>/dev/null)" ]'
}

# life NAME: a container from create to rm, in a session of its own, which a signal kills with the command that the shell runs.
life() {
	# shellcheck disable=SC2016
	exec setsid bash -c '"$MOORAGE" create -q -B "$E2E_BACKEND" --name "$1" "$E2E_ROOT" -- /bin/sleep 600 &&
		"$MOORAGE" start "$1" && "$MOORAGE" rm -f "$1"' life "$1"
}

@test "create, start and rm are killed at random times" {
	for i in $(seq 1 40); do
		life "$P-k$i" >/dev/null 2>&1 3>&- &
		victim=$!
		sleep "0.0$((RANDOM % 60 + 10))"
		# The shell first, which then starts nothing more. There may be no session yet.
		kill -KILL -- "$victim" "-$victim" 2>/dev/null || true
		wait "$victim" 2>/dev/null || true
	done
	survivors
}

@test "run --rm is killed at random times" {
	for i in $(seq 1 30); do
		"$MOORAGE" run --rm -B "$E2E_BACKEND" --name "$P-r$i" "$E2E_ROOT" -- /bin/sleep 600 >/dev/null 2>&1 3>&- &
		victim=$!
		sleep "0.0$((RANDOM % 40 + 5))"
		kill -KILL "$victim" 2>/dev/null || true
		wait "$victim" 2>/dev/null || true
	done
	survivors
}

@test "monitors are killed at random times while they start" {
	for i in $(seq 1 30); do
		before=$(monitors)
		"$MOORAGE" run -d -B "$E2E_BACKEND" --name "$P-m$i" "$E2E_ROOT" -- /bin/sleep 600 >/dev/null 2>&1 3>&- &
		victim=$!
		sleep "0.0$((RANDOM % 20 + 2))"
		pid=$(monitors | grep -vxF "$before" | head -n 1)
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
		wait "$victim" 2>/dev/null || true
	done
	survivors
}

@test "a record that is torn is reported and can be removed, the others work" {
	fresh good -- /bin/true
	fresh torn -- /bin/true
	file=$(find "$MOORAGE_STATE_DIR" -path "*$P-torn*" -name config.json)
	[ -n "$file" ]
	head -c 20 "$file" >"$file.new" && mv "$file.new" "$file"
	run m ls -q
	[ "$status" = 1 ]
	[[ "$output" == *"$P-good"* ]]
	[[ "$output" == *"'$P-torn' is damaged"*"moorage rm -f $P-torn"* ]]
	m start -a "$P-good"
	m rm -f "$P-torn"
	m rm "$P-good"
}
