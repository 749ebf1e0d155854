# SPDX-License-Identifier: LGPL-2.1-or-later
# What the files about other hosts share: how a migration there is broken off, or goes wrong. Loaded behind lib and migration; $OTHER is the directory
# of the other host's state, $REAL the command.
# shellcheck shell=bash

# receivers: what runs of moorage on the other host for this one.
receivers() {
	local pid
	for pid in $(pgrep -fx '(.*/)?moorage receive'); do
		! grep -qzxF "MOORAGE_STATE_DIR=$OTHER/state" "/proc/$pid/environ" 2>/dev/null || echo "$pid"
	done
}

# break_off PID MS WAY: after so long the migration PID ends by force: here, there, the connection, or at both ends. Status 1: it was done before.
break_off() {
	local in_time=0
	sleep "$(($2 / 1000)).$(printf %03d $(($2 % 1000)))"
	kill -0 "$1" 2>/dev/null || in_time=1
	case $(($3 % 4)) in
	0) kill -KILL "$1" 2>/dev/null || true ;;
	1) receivers | xargs -r kill -KILL 2>/dev/null || true ;;
	2) pgrep -P "$1" -x ssh | xargs -r kill 2>/dev/null || true ;;
	3) receivers | xargs -r kill -KILL "$1" 2>/dev/null || true ;;
	esac
	wait "$1" 2>/dev/null || true
	return "$in_time"
}

# wrong MODE OP: what goes wrong at that request there.
wrong() {
	rm -f "$OTHER/bin/moorage"
	printf '#!/bin/sh\nexec %s %s %s %s "$@"\n' "$BATS_TEST_DIRNAME/relay" "$1" "$2" "$REAL" >"$OTHER/bin/moorage"
	chmod 755 "$OTHER/bin/moorage"
}

# settle_abroad: settle, where the other host has to be asked. A command that is about something else gives a connection to it a few seconds:
# where that was not enough, the next one tries again.
settle_abroad() {
	local said end=$((SECONDS + 60))
	until said=$(settle 2>&1); do
		if [[ $said != *"no connection to 'other'"* ]] || [ "$SECONDS" -ge "$end" ]; then echo "$said"; return 1; fi
	done
}
