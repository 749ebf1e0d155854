# SPDX-License-Identifier: LGPL-2.1-or-later
# Many at once.
load lib

@test "200 containers at once" {
	for i in $(seq 1 200); do
		# shellcheck disable=SC2046
		"$MOORAGE" run -d -B "$E2E_BACKEND" --name "$P-$i" $(shared_root) "$E2E_ROOT" -- /bin/sleep 600 >/dev/null 3>&- &
		[ $((i % 10)) -ne 0 ] || wait
	done
	wait
	[ "$(m ls --json | jq --arg p "$P-" '[.[] | select(.state == "running" and (.name | startswith($p)))] | length')" = 200 ]
	run m exec "$P-137" -- /bin/echo there
	[ "$output" = there ]
	mine | xargs -n 20 -P 5 "$MOORAGE" rm -f >/dev/null
	[ -z "$(mine)" ]
}

@test "50 run --rm, ten at a time, each with its own output" {
	# shellcheck disable=SC2046
	seq 1 50 | xargs -P 10 -I{} "$MOORAGE" run --rm -B "$E2E_BACKEND" --name "$P-{}" $(shared_root) "$E2E_ROOT" -- /bin/echo {} >"$BATS_TEST_TMPDIR/out"
	[ "$(sort -n "$BATS_TEST_TMPDIR/out")" = "$(seq 1 50)" ]
}

@test "two commands at once on one container: one outcome, no wreck" {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		fresh race -- /bin/sleep 600
		m start "$P-race" >"$BATS_TEST_TMPDIR/a" 2>&1 3>&- & one=$!
		m start "$P-race" >"$BATS_TEST_TMPDIR/b" 2>&1 3>&- & two=$!
		r1=0 r2=0
		wait $one || r1=$?
		wait $two || r2=$?
		[ $r1 = 0 ] || [ $r1 = 9 ]
		[ $r2 = 0 ] || [ $r2 = 9 ]
		[ $((r1 + r2)) -le 9 ]
		[ "$(m procs --json "$P-race" | jq '[.[] | select(.command | test("^/bin/sleep"))] | length')" = 1 ]
		m rm -f "$P-race" 3>&- & one=$!
		m stop -t 1 "$P-race" >/dev/null 2>&1 3>&- & two=$!
		wait $one $two || true
		m rm -f "$P-race"
	done
}

@test "twenty exec at once" {
	sleeper shared
	seq 1 20 | xargs -P 20 -I{} "$MOORAGE" exec "$P-shared" -- /bin/echo {} >"$BATS_TEST_TMPDIR/out"
	[ "$(sort -n "$BATS_TEST_TMPDIR/out")" = "$(seq 1 20)" ]
	m rm -f "$P-shared"
}
