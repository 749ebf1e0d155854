# SPDX-License-Identifier: LGPL-2.1-or-later
# What every end-to-end file needs. Set by tests/e2e/run: MOORAGE, E2E_BACKEND, E2E_ROOT (a directory), E2E_KIND, E2E_WORK.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0
: "${MOORAGE:?run these files with tests/e2e/run}"
export MOORAGE_STATE_DIR MOORAGE_RUN_DIR MOORAGE_CONFIG

# Names of one file begin with $P, so that what it leaves behind is told from everything else on the host.
setup_file() {
	export P="mrgt-$E2E_BACKEND-$$"
	export FILE_DIR
	FILE_DIR=$(mktemp -d "$E2E_WORK/file.XXXXXX")
	MOORAGE_STATE_DIR=$FILE_DIR/state MOORAGE_RUN_DIR=$FILE_DIR/run MOORAGE_CONFIG=$FILE_DIR/moorage.conf
	mkdir "$MOORAGE_STATE_DIR" "$MOORAGE_RUN_DIR"
	! declare -F prepare_file >/dev/null || prepare_file
}

teardown_file() {
	local name left
	for name in $(mine 2>/dev/null); do "$MOORAGE" rm -f "$E2E_BACKEND:$name" >/dev/null 2>&1 || true; done
	# A monitor tells the end before its own.
	for _ in {1..60}; do
		left=$(leftovers)
		[ -n "$left" ] || break
		sleep 0.5
	done
	rm -rf "$FILE_DIR"
	[ -z "$left" ] || { echo "left behind:" "$left" >&2; return 1; }
}

# mine: the containers of this file. Engines list those of others too, which are not to be touched.
mine() { "$MOORAGE" -B "$E2E_BACKEND" ls -q | { grep "^$P-" || true; }; }

# m ARGUMENT...: the command.
m() { "$MOORAGE" "$@"; }

# once NAME [OPTION...] -- COMMAND...: run --rm on the root of the suite.
once() {
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	"$MOORAGE" run --rm -B "$E2E_BACKEND" --name "$P-$name" "${options[@]}" "$E2E_ROOT" -- "$@"
}

# fresh NAME [OPTION...] -- COMMAND...: create on the root of the suite.
fresh() {
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	"$MOORAGE" create -q -B "$E2E_BACKEND" --name "$P-$name" "${options[@]}" "$E2E_ROOT" -- "$@"
}

# sleeper NAME [OPTION...]: a container that runs until it is told otherwise.
sleeper() { fresh "$@" -- /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' && "$MOORAGE" start "$P-$1"; }

# eventually SECONDS COMMAND...: waits until the command succeeds.
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do [ "$SECONDS" -lt "$end" ] || return 1; sleep 0.05; done
}

# logged NAME LINE: its log has the line.
logged() { "$MOORAGE" logs "$P-$1" | grep -qx "$2"; }

# silent NAME: nothing comes to its log for half a second.
silent() {
	local before
	before=$("$MOORAGE" logs "$P-$1" | wc -l)
	sleep 0.5
	[ "$("$MOORAGE" logs "$P-$1" | wc -l)" = "$before" ]
}

# typed LINE ANSWER KEYS COMMAND: the command runs at a terminal, where somebody types LINE, waits for ANSWER and leaves it with the KEYS.
typed() {
	local seen=$BATS_TEST_TMPDIR/terminal
	: >"$seen"
	{
		eventually 30 grep -q "attached to" "$seen"
		printf '%s\n' "$1"
		eventually 30 grep -q "$2" "$seen"
		# shellcheck disable=SC2059
		printf "$3"
	} | timeout 60 script -qefc "$4" "$seen" >/dev/null || { cat "$seen"; return 1; }
	grep -q "$2" "$seen" && grep -q "left '" "$seen"
}

# monitor NAME: the pid of its monitor, as its record says.
monitor() {
	local of=containers/$P-$1/run.json
	jq -e .monitor.pid "$MOORAGE_RUN_DIR/$of" 2>/dev/null || jq -e .monitor.pid "$MOORAGE_STATE_DIR/$of"
}

# is NAME STATE
is() { [ "$("$MOORAGE" state "$P-$1" 2>/dev/null)" = "$2" ]; }

# isolated_only WHAT: a chroot shares the rest with its host by design.
isolated_only() { [ "$E2E_BACKEND" != chroot ] || skip "$E2E_BACKEND has no $1"; }

needs_strace() { command -v strace >/dev/null || skip "strace is not installed"; }

# traced ARGUMENT...: strace. The leak sanitizer, where that is the build, does not work under it.
traced() { ASAN_OPTIONS=detect_leaks=0 timeout 300 strace -qq "$@"; }

# shared_root: the options with which many containers can have one root at the same time. nspawn gives one that can be written to only once.
shared_root() { [ "$E2E_BACKEND" != nspawn ] || echo --ephemeral; }

# cgroups NAME: its directories in every hierarchy. In the names of systemd's scopes a dash of the name is written as "\x2d", and so is that in front of it where
# libvirt has given the name.
cgroups() {
	local name=$P-$1
	find /sys/fs/cgroup -maxdepth 5 -type d \( -name "*$name-*" -o -name "*$name.*" -o -name "*[-d]${name//-/\\\\x2d}.scope" \) 2>/dev/null
}

# What of this file is still there: mounts, cgroups, processes, records.
leftovers() {
	grep -F "$FILE_DIR" /proc/self/mountinfo | grep -vF " $E2E_WORK " | sed 's/^/mount: /' || true
	find /sys/fs/cgroup -maxdepth 5 -type d \( -name "*$P-*" -o -name "*[-d]${P//-/\\\\x2d}*.scope" \) 2>/dev/null | sed 's/^/cgroup: /'
	find "$MOORAGE_STATE_DIR" "$MOORAGE_RUN_DIR" -mindepth 2 -name config.json 2>/dev/null | sed 's/^/record: /'
	local pid
	for pid in $(pgrep -f "moorage-monitor" || true); do
		! grep -qzF "MOORAGE_RUN_DIR=$MOORAGE_RUN_DIR" "/proc/$pid/environ" 2>/dev/null || echo "process: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}

# one_line FILE: an error is one line "moorage: error: ...", perhaps with hints after it.
one_line() { [ "$(grep -c '^moorage: error: ' "$1")" = 1 ] && ! grep -vE '^(moorage: error: |hint: )' "$1"; }

# refused CODE PATTERN ARGUMENT...: the command exits with CODE and says PATTERN in one line on standard error; nothing has changed.
refused() {
	local code=$1 pattern=$2 before after got=0
	shift 2
	before=$(find "$MOORAGE_STATE_DIR" "$MOORAGE_RUN_DIR" -mindepth 1 ! -name '.*' 2>/dev/null | sort)
	"$MOORAGE" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null || got=$?
	after=$(find "$MOORAGE_STATE_DIR" "$MOORAGE_RUN_DIR" -mindepth 1 ! -name '.*' 2>/dev/null | sort)
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	[ "$got" = "$code" ] || { echo "exit status $got, expected $code"; return 1; }
	grep -qE "$pattern" "$BATS_TEST_TMPDIR/err" || { echo "no '$pattern' in the message"; return 1; }
	one_line "$BATS_TEST_TMPDIR/err" || { echo "not one clear line"; return 1; }
	[ "$before" = "$after" ] || { echo "something changed:"; diff <(echo "$before") <(echo "$after"); return 1; }
}

# lacks BACKEND FIELD OPTION...: whether BACKEND is the one under test and refuses what it cannot do, FIELD, by name.
lacks() {
	[ "$E2E_BACKEND" = "$1" ] || return 1
	local field=$2
	shift 2
	refused 125 "$E2E_BACKEND.*$field" run --rm -B "$E2E_BACKEND" --name "$P-lacks" "$@" "$E2E_ROOT" -- /bin/true || return 2
	refused 6 "$E2E_BACKEND.*$field" create -B "$E2E_BACKEND" --name "$P-lacks" "$@" "$E2E_ROOT" -- /bin/true || return 2
}
