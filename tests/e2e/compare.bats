# SPDX-License-Identifier: LGPL-2.1-or-later
# A comparison measures what it says, and leaves nothing, however it ends.
load lib

prepare_file() { REPORT=$FILE_DIR/report.json; export REPORT; }

# left: containers and directories of comparisons.
left() {
	m -B "$E2E_BACKEND" ls -q | grep '^moorage-compare-' || true
	find /var/tmp -maxdepth 1 -name 'moorage-compare-*'
}

# payloads: processes of our program that wait in containers.
payloads() { pgrep -f '^/mnt/moorage-measure wait moorage-compare-' || true; }

# valid SCHEMA: of what is published.
valid() { "$BATS_TEST_DIRNAME/valid" "$1"; }

only_here() { [ "$E2E_BACKEND" = native ] && [ "$E2E_KIND" = busybox ] || skip "one backend and root tell"; }

@test "native and chroot: everything is measured, nothing is left" {
	only_here
	local before
	before=$(ls -A "$E2E_ROOT")
	m compare --backends native,chroot --root "$E2E_ROOT" --runs 2 -q --save "$REPORT" --html "$FILE_DIR/report.html"
	[ "$(jq '[.subjects[] | select(.reason)] | length' "$REPORT")" = 0 ]
	# Each of both has samples of all but a boot.
	[ "$(jq -r '.metrics[] | select((.of | has("native")) and (.of | has("chroot")) | not) | .id' "$REPORT" | grep -v loopback)" = boot ]
	# The first instruction is before the end of the command.
	jq -e '[.metrics[] | select(.id == "start.first" or .id == "start.removed").of.native.median] | .[0] > 0 and .[0] < .[1]' "$REPORT"
	# A stubborn process has its 300 ms.
	jq -e '.metrics[] | select(.id == "stop.stubborn").of.native.samples | min >= 300' "$REPORT"
	# A chroot shares its namespaces, which the kernel says.
	jq -e '.matrix[] | select(.name == "namespace pid").of | .native.level == 0 and .chroot.level > 0' "$REPORT"
	jq -e '[.matrix[] | select(.section == "limits").of.native.level] == [0, 0, 0, 0]' "$REPORT"
	grep -q '<svg' "$FILE_DIR/report.html"
	valid compare <"$REPORT"
	m compare --json "$REPORT" | valid compare
	[ -z "$(left)" ]
	[ "$(ls -A "$E2E_ROOT")" = "$before" ]
}

@test "raw tools are measured in the same turns: start, exec, stop, memory, isolation" {
	only_here
	local tools=bwrap tool
	# crun takes no hierarchy of both versions; nspawn of a user's root has to be there.
	for tool in lxc-execute systemd-nspawn runc; do
		if command -v $tool >/dev/null; then tools+=,$tool; fi
	done
	m compare --backends native --against "$tools" --root "$E2E_ROOT" --runs 2 -q --save "$FILE_DIR/tools.json"
	valid compare <"$FILE_DIR/tools.json"
	jq -r '.subjects[] | select(.reason) | .name + ": " + .reason' "$FILE_DIR/tools.json"
	[ "$(jq '[.subjects[] | select(.reason)] | length' "$FILE_DIR/tools.json")" = 0 ]
	for tool in ${tools//,/ }; do
		jq -e --arg t "$tool" '[.metrics[] | select(.of | has($t)) | .id] | contains(["start.first", "start.exit", "start.removed", "exec", "stop.willing", "cost.pss",
			"inside.syscalls"])' "$FILE_DIR/tools.json"
		jq -e --arg t "$tool" '[.metrics[] | select(.id == "exec" or .id == "stop.willing").of[$t].samples | length] == [2, 2]' "$FILE_DIR/tools.json"
		jq -e --arg t "$tool" '.matrix[] | select(.name == "namespace pid").of | has($t) and .[$t].level == 0' "$FILE_DIR/tools.json"
	done
	[ -z "$(left)" ]
	[ -z "$(payloads)" ]
}

@test "containers of raw tools that a killed comparison has left the next removes, and a signal's at once" {
	only_here
	local signal pid held all
	# Ours, and what there is of the tools.
	all=$(($(type -P bwrap lxc-execute runc | wc -l) + 1))
	for signal in KILL TERM; do
		"$MOORAGE" compare --backends native --against bwrap,lxc-execute,runc --runs 5 >/dev/null 2>&1 &
		pid=$!
		# In the part where they all run, and none is just being started.
		eventually 120 eval '[ "$(payloads | wc -l)" -ge "$all" ] || ! kill -0 "$pid"' || true
		held=$(payloads | wc -l)
		kill -"$signal" "$pid"
		wait "$pid" || true
		[ "$held" -ge "$all" ]
		[ $signal = TERM ] || m compare --backends chroot --runs 1 -q
		eventually 30 eval '[ -z "$(payloads)" ]'
		[ -z "$(left)" ]
	done
}

@test "a report that was kept is shown again, and is no worse than itself" {
	only_here
	m compare "$REPORT" | grep -q '^create to removed'
	m compare --diff "$REPORT" "$REPORT"
	jq '(.metrics[] | select(.id == "cost.pss").of.native.samples) |= map(. * 2)' "$REPORT" >"$FILE_DIR/worse.json"
	run m compare --diff "$REPORT" "$FILE_DIR/worse.json"
	[ "$status" = 1 ]
	[[ "$output" == *"worse"*"native: proportional memory"* ]]
	jq '(.matrix[] | select(.name == "namespace pid").of.native) |= (.exposure = 1 | .text = "shared")' "$FILE_DIR/worse.json" >"$FILE_DIR/weaker.json"
	{ m compare --json --diff "$REPORT" "$FILE_DIR/weaker.json" || true; } >"$FILE_DIR/diff.json"
	valid compare-diff <"$FILE_DIR/diff.json"
	jq -e '.worse == 2 and ([.changes[] | .metric, .row | values] | sort == ["cost.pss", "namespace pid"])' "$FILE_DIR/diff.json"
	# The test of the schema can fail.
	run ! valid compare <<<"$(jq '.more = 1' "$REPORT")"
	run ! valid compare <<<"$(jq 'del(.subjects[0].engine)' "$REPORT")"
}

# agree HYPERFINE... REPORT: whether the quartiles of both, with what a busy machine adds to either, have something in common.
agree() {
	python3 - "$@" <<-'EOP'
		import json, statistics, sys
		times = sorted(1000 * t for name in sys.argv[1:-1] for t in json.load(open(name))["results"][0]["times"])
		lower, _, upper = statistics.quantiles(times, n=4)
		report = json.load(open(sys.argv[-1]))
		ours = next(m for m in report["metrics"] if m["id"] == "start.removed")["of"]["native"]
		print(f"hyperfine {lower:.1f} to {upper:.1f} ms, compare {ours['lowerQuartile']:.1f} to {ours['upperQuartile']:.1f} ms")
		sys.exit(ours["lowerQuartile"] * 0.9 > upper * 1.1 or lower * 0.9 > ours["upperQuartile"] * 1.1)
	EOP
}

@test "starts take as long as hyperfine says of the same command" {
	only_here
	local share=$FILE_DIR/share part agreed=no
	mkdir -p "$share"
	cp "$(dirname "$({ m doctor --json || true; } | jq -r '.[] | select(.subject == "monitor").text')")/moorage-measure" "$share"
	# A load that comes or goes between the two is no disagreement: then once more.
	for _ in 1 2 3; do
		for part in before after; do
			[ $part = before ] || m compare --backends native --root "$E2E_ROOT" --runs 15 -q --save "$FILE_DIR/same.json"
			hyperfine -N --style none --warmup 1 --runs 15 --prepare "sleep 0.05" --export-json "$FILE_DIR/$part.json" \
				"$MOORAGE run --rm -B native -v $share:/mnt $E2E_ROOT -- /mnt/moorage-measure stamp"
		done
		if agree "$FILE_DIR/before.json" "$FILE_DIR/after.json" "$FILE_DIR/same.json"; then agreed=yes && break; fi
	done
	[ "$agreed" = yes ]
	# The judge can say no.
	jq '(.metrics[] | select(.id == "start.removed").of.native.lowerQuartile) *= 10' "$FILE_DIR/same.json" >"$FILE_DIR/tenfold.json"
	run ! agree "$FILE_DIR/before.json" "$FILE_DIR/after.json" "$FILE_DIR/tenfold.json"
}

@test "a signal ends it, with nothing left" {
	only_here
	"$MOORAGE" compare --backends native --runs 200 >/dev/null 2>"$FILE_DIR/said" &
	local pid=$! status=0
	eventually 30 eval '[ -n "$(left)" ]'
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" = 130 ]
	grep -q interrupted "$FILE_DIR/said"
	[ -z "$(left)" ]
}

@test "what a killed one has left the next removes" {
	only_here
	"$MOORAGE" compare --backends native --runs 200 >/dev/null 2>&1 &
	local pid=$!
	eventually 30 eval '[ -n "$(left)" ]'
	kill -KILL "$pid"
	wait "$pid" || true
	[ -n "$(left)" ]
	m compare --backends chroot --runs 1 -q
	[ -z "$(left)" ]
}

@test "a root with a hostile program is as good as any: none is run on the host" {
	only_here
	local root=$FILE_DIR/hostile program
	mkdir -p "$root"/{bin,sbin,usr/bin,etc,dev,proc,sys,mnt,lib/systemd}
	for program in bin/sh bin/true usr/bin/systemctl; do
		printf '#!/bin/sh\ntouch %s/taken\n' "$FILE_DIR" >"$root/$program"
		chmod +x "$root/$program"
	done
	m compare --backends native --root "$root" --runs 1 -q --save "$FILE_DIR/hostile.json"
	[ ! -e "$FILE_DIR/taken" ]
	jq -e '.metrics[] | select(.id == "start.removed").of.native.samples | length == 1' "$FILE_DIR/hostile.json"
}
