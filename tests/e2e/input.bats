# SPDX-License-Identifier: LGPL-2.1-or-later
# Bad input: the exit code, one clear line, nothing changed.
load lib

@test "a root that does not exist" {
	refused 125 "'/no/such/root'" run --rm -B "$E2E_BACKEND" --name "$P-bad" /no/such/root -- /bin/true
	refused 2 "'/no/such/root'" create -B "$E2E_BACKEND" --name "$P-bad" /no/such/root -- /bin/true
}

@test "a file as root" {
	touch "$BATS_TEST_TMPDIR/file"
	refused 125 "$BATS_TEST_TMPDIR/file" run --rm -B "$E2E_BACKEND" --name "$P-bad" "$BATS_TEST_TMPDIR/file" -- /bin/true
}

@test "an image name, which is no root yet" {
	refused 125 "'debian'" run --rm -B "$E2E_BACKEND" --name "$P-bad" debian -- /bin/true
}

@test "an unknown backend: those there are are named" {
	refused 125 "'nosuch'" run --rm -B nosuch --name "$P-bad" "$E2E_ROOT" -- /bin/true
	grep -q native "$BATS_TEST_TMPDIR/err"
	grep -q chroot "$BATS_TEST_TMPDIR/err"
	refused 5 "'nosuch'" create -B nosuch --name "$P-bad" "$E2E_ROOT" -- /bin/true
}

@test "a backend name that is a path" {
	refused 125 "'../evil'" run --rm -B ../evil --name "$P-bad" "$E2E_ROOT" -- /bin/true
}

@test "a bad name" {
	for name in '.hidden' 'a/b' '-x' '' 'with blank' "$(printf 'a%.0s' {1..64})"; do
		refused 125 "name" run --rm -B "$E2E_BACKEND" --name="$name" "$E2E_ROOT" -- /bin/true
	done
}

@test "a name that is taken" {
	fresh taken -- /bin/true
	refused 9 "$P-taken" create -B "$E2E_BACKEND" --name "$P-taken" "$E2E_ROOT" -- /bin/true
	m rm "$P-taken"
}

@test "no such container: 3, with the nearest name" {
	fresh nearest -- /bin/true
	for verb in start stop pause unpause rm info inspect logs; do
		refused 3 "'$P-nearesk'" "$verb" "$P-nearesk"
	done
	grep -q "$P-nearest" "$BATS_TEST_TMPDIR/err"
	m rm "$P-nearest"
}

@test "a torn spec" {
	printf '{"process": {"args": ["/bin/tr' >"$BATS_TEST_TMPDIR/spec.json"
	refused 2 "spec.json" create -B "$E2E_BACKEND" --name "$P-bad" --from "$BATS_TEST_TMPDIR/spec.json"
}

@test "a spec with a wrong type names the place as a JSON pointer" {
	printf '{"ociVersion": "1.2.0", "root": {"path": "%s"}, "process": {"args": [1], "cwd": "/"}}' "$E2E_ROOT" >"$BATS_TEST_TMPDIR/spec.json"
	refused 2 "/process/args/0" create -B "$E2E_BACKEND" --name "$P-bad" --from "$BATS_TEST_TMPDIR/spec.json"
}

@test "an unknown verb gets the nearest name" {
	refused 2 "'strat'" strat
	grep -q "start" "$BATS_TEST_TMPDIR/err"
}

@test "an unknown option" {
	refused 125 "frobnicate" run --frobnicate "$E2E_ROOT" -- /bin/true
	refused 2 "frobnicate" ls --frobnicate
}

@test "no operand" {
	refused 125 "." run
	refused 2 "." start
}

@test "errors are JSON for those who ask" {
	run --separate-stderr m --json state "$P-nobody"
	[ "$status" = 3 ]
	jq -e '.error.code == "not-found" and .error.exit == 3' <<<"$stderr"
}

@test "a plugin that does not load gives the reason and takes nothing else with it" {
	mkdir "$BATS_TEST_TMPDIR/plugins"
	printf 'not an ELF file' >"$BATS_TEST_TMPDIR/plugins/broken.so"
	chmod 755 "$BATS_TEST_TMPDIR/plugins"
	own=$(dirname "$(m backends --json | jq -r '.[] | select(.name == "native") | .path')")
	MOORAGE_BACKEND_PATH=$BATS_TEST_TMPDIR/plugins:$own run m backends
	[ "$status" = 0 ]
	[[ "$output" == *broken* ]]
	[[ "$output" == *native* ]]
	MOORAGE_BACKEND_PATH=$BATS_TEST_TMPDIR/plugins:$own refused 125 "broken" run --rm -B broken --name "$P-bad" "$E2E_ROOT" -- /bin/true
}

@test "no rights" {
	chmod 755 "$E2E_WORK"
	mkdir -m 777 "$BATS_TEST_TMPDIR/user"
	chmod 755 "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$(dirname "$(dirname "$BATS_TEST_TMPDIR")")"
	if ! setpriv --reuid 65534 --regid 65534 --clear-groups "$MOORAGE" version >/dev/null 2>&1; then skip "the command is not readable for others here"; fi
	run env MOORAGE_STATE_DIR="$BATS_TEST_TMPDIR/user/s" MOORAGE_RUN_DIR="$BATS_TEST_TMPDIR/user/r" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$MOORAGE" run --rm -B "$E2E_BACKEND" --name "$P-user" "$E2E_ROOT" -- /bin/true
	# Ordinary users have a user namespace of their own there.
	if [ "$E2E_BACKEND" = native ]; then
		[ "$status" = 0 ]
		return
	fi
	[ "$status" = 125 ]
	[[ "$output" == *"moorage: error: "* ]]
}

@test "no space: nothing half made stays" {
	mkdir "$BATS_TEST_TMPDIR/small"
	run unshare -m --propagation private bash -c '
		mount -t tmpfs -o size=64k none "$BATS_TEST_TMPDIR/small" && mkdir "$BATS_TEST_TMPDIR/small/state"
		dd if=/dev/zero of="$BATS_TEST_TMPDIR/small/fill" bs=4k >/dev/null 2>&1
		MOORAGE_STATE_DIR="$BATS_TEST_TMPDIR/small/state" "$MOORAGE" create -B "$E2E_BACKEND" --name "$P-full" "$E2E_ROOT" -- /bin/true
		code=$?
		rm -f "$BATS_TEST_TMPDIR/small/fill"
		MOORAGE_STATE_DIR="$BATS_TEST_TMPDIR/small/state" "$MOORAGE" ls -q
		exit $code'
	[ "$status" = 1 ]
	[[ "$output" == *"moorage: error: "*"o space left"* ]]
	[[ "${lines[-1]}" != "$P-full" ]]
}
