# SPDX-License-Identifier: LGPL-2.1-or-later
# A container goes to another host by ssh, and comes back: it runs in one place at most, whatever is cut, refused or killed on the way. The other host is this one,
# behind an sshd of the tests' own, with a state of its own.
load lib
load migration
load remote

prepare_file() {
	export OTHER=$FILE_DIR/other SSHD='' REAL
	REAL=$(command -v "$MOORAGE")
	mkdir "$OTHER"
	[ "$E2E_BACKEND" != native ] || SSHD=$("$BATS_TEST_DIRNAME/sshd" "$OTHER" "$REAL") || SSHD=
	[ -z "$SSHD" ] || echo "$SSHD" >"$FILE_DIR/sshd"
}

setup() {
	[ "$E2E_BACKEND" = native ] && [ "$E2E_KIND" = busybox ] || skip "done with the backend native and the smaller root"
	[ -n "$SSHD" ] || skip "openssh-server is not installed"
	MARK=$((1000000 + BASHPID))
}

teardown() {
	local name
	[ -d "$OTHER/bin" ] || return 0
	for name in $(m ls -q 2>/dev/null | grep "^$P-"); do m rm -f "$name" >/dev/null 2>&1 || true; done
	for name in $(there ls -q 2>/dev/null | grep "^$P-"); do there rm -f "$name" >/dev/null 2>&1 || true; done
	rm -rf --one-file-system "$OTHER/state/roots" "$OTHER/state/received" "$MOORAGE_STATE_DIR/migrated"
	ln -sfn "$REAL" "$OTHER/bin/moorage"
}

teardown_file() {
	[ ! -e "$FILE_DIR/sshd" ] || kill "$(cat "$FILE_DIR/sshd")"
	rm -rf "$FILE_DIR"
}

# there ARGUMENT...: the command on the other host.
there() { MOORAGE_STATE_DIR=$OTHER/state MOORAGE_RUN_DIR=$OTHER/run "$MOORAGE" "$@"; }

# to_other NAME OPTION...: migrates it there.
to_other() {
	local name=$1
	shift
	m migrate "$P-$name" --to native@other --ssh-config "$OTHER/config" "$@"
}

# service NAME [MiB]: a container that runs, with a root of its own, told from all others by an argument of its first process.
service() {
	ROOTFS=$FILE_DIR/$1
	cp -a --reflink=auto "$E2E_ROOT" "$ROOTFS"
	printf '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do sleep 0.1; done\n' >"$ROOTFS/bin/service"
	chmod 755 "$ROOTFS/bin/service"
	ln "$ROOTFS/bin/service" "$ROOTFS/bin/also"
	chown 1234:4321 "$ROOTFS/bin/also"
	setfattr -n user.colour -v blue "$ROOTFS/bin/service" 2>/dev/null || true
	[ $# -lt 2 ] || head -c "$2M" /dev/urandom >"$ROOTFS/ballast"
	m create -q -B native --name "$P-$1" "$ROOTFS" -- /bin/service "$MARK"
	m start "$P-$1"
	tree "$ROOTFS" >"$BATS_TEST_TMPDIR/tree"
}

tree() {
	(
		cd "$1"
		find . -xdev -path ./dev -prune -o -printf '%p %y %m %U %G %n %l %T@\n' | grep -v '^\. ' | sort
		find . -xdev -path ./dev -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
		find . -xdev -path ./dev -prune -o ! -type l -print0 | sort -z | xargs -0 getfattr -d -- 2>/dev/null || true
	)
}

# here NAME: it runs here, nowhere else, and the other host has nothing of it.
here() {
	is "$1" running && runs_once &&
		run -3 there state "$P-$1" &&
		[ ! -e "$OTHER/state/roots/$P-$1" ] &&
		[ -z "$(find "$OTHER/state/received" -type f ! -name '*.part' 2>/dev/null)" ] &&
		[ -z "$(ls -A "$MOORAGE_STATE_DIR/migrations" 2>/dev/null)" ] &&
		tree "$ROOTFS" | diff "$BATS_TEST_TMPDIR/tree" -
}

@test "there and back: one process, the same files with owners and attributes; the source is kept, disabled" {
	service trip
	run -0 m plan --json "$P-trip" --to native@other --ssh-config "$OTHER/config"
	jq -e --arg r "$OTHER/state/roots/$P-trip" '.target.host == "other" and .root.target == $r and .refusal == null' <<<"$output"
	here trip
	to_other trip -q
	[ "$(copies)" = 1 ]
	[ "$(there state "$P-trip")" = running ]
	run -3 m state "$P-trip"
	tree "$OTHER/state/roots/$P-trip" | diff "$BATS_TEST_TMPDIR/tree" -
	[ -z "$(ls -A "$OTHER/state/received")" ]
	there exec "$P-trip" -- /bin/sh -c 'echo later >/later'
	m rollback -q "$P-trip"
	here trip
	# What was done there is not thrown away.
	[ "$(cat "$OTHER/state/roots/.#$P-trip".moorage-*/later)" = later ]
	run -3 m rollback "$P-trip"
	to_other trip -q --purge --rename "$P-new"
	[ "$(there state "$P-new")" = running ]
	[ "$(copies)" = 1 ]
	run -3 m rollback "$P-new"
}

@test "a connection that is cut: the stream goes on where it was" {
	local told
	service cut 48
	wrong cut send
	to_other cut --progress json 2>"$BATS_TEST_TMPDIR/progress"
	grep -q 'tried again' "$BATS_TEST_TMPDIR/progress"
	mapfile -t told <"$OTHER/cut"
	[ ${#told[@]} = 2 ]
	[ "${told[0]}" -gt 2097152 ]
	[ "${told[0]}" -lt 48000000 ]
	[ "${told[1]}" = "${told[0]}" ]
	[ "$(there state "$P-cut")" = running ]
	[ "$(copies)" = 1 ]
	tree "$OTHER/state/roots/$P-cut" | diff "$BATS_TEST_TMPDIR/tree" -
}

@test "what the other side has of another archive is not gone on with" {
	service torn
	to_other torn -q --health-cmd false --health-timeout 1 2>/dev/null || true
	here torn
	part=$(echo "$OTHER"/state/received/*.part)
	printf x | dd of="$part" bs=1 seek=1000 conv=notrunc status=none
	to_other torn -q
	tree "$OTHER/state/roots/$P-torn" | diff "$BATS_TEST_TMPDIR/tree" -
	[ "$(copies)" = 1 ]
}

@test "refusals before anything is stopped: no host, another key, no moorage, no backend, a name that is taken, what the host does not give" {
	service no
	refused 2 'is no host' migrate "$P-no" --to native@-oProxyCommand=x
	refused 2 'is no host' migrate "$P-no" --to 'native@root@a;b'
	refused 5 "'nosuch'" migrate "$P-no" --to nosuch@other --ssh-config "$OTHER/config"
	there create -q -B native --name "$P-no" "$E2E_ROOT" -- /bin/true
	refused 9 "on 'other': a container named '$P-no' exists already" migrate "$P-no" --to native@other --ssh-config "$OTHER/config"
	there rm "$P-no"
	ln -sfn /nowhere "$OTHER/bin/moorage"
	refused 5 "no moorage on 'other'" migrate "$P-no" --to native@other --ssh-config "$OTHER/config"
	printf '#!/bin/sh\necho hello\n' >"$BATS_TEST_TMPDIR/noise"
	chmod 755 "$BATS_TEST_TMPDIR/noise"
	ln -sfn "$BATS_TEST_TMPDIR/noise" "$OTHER/bin/moorage"
	refused 1 "says 'hello'" migrate "$P-no" --to native@other --ssh-config "$OTHER/config"
	ln -sfn "$REAL" "$OTHER/bin/moorage"
	sed "s|^UserKnownHostsFile.*||; s|$OTHER/known|$BATS_TEST_TMPDIR/known|" "$OTHER/config" >"$BATS_TEST_TMPDIR/config"
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	echo "$(cut -d ' ' -f 1 "$OTHER/known") $(cut -d ' ' -f 1,2 "$BATS_TEST_TMPDIR/key.pub")" >"$BATS_TEST_TMPDIR/known"
	refused 1 "Host key verification failed" migrate "$P-no" --to native@other --ssh-config "$BATS_TEST_TMPDIR/config"
	here no
	m stop "$P-no"
	m rm "$P-no"
	m create -q -B native --name "$P-no" -v /usr:/mnt "$ROOTFS" -- /bin/service "$MARK"
	refused 7 "files of the host" migrate "$P-no" --to native@other --ssh-config "$OTHER/config"
	to_other no -q --accept mounts
	[ "$(there state "$P-no")" = created ]
}

@test "one that is not well there is taken back, and runs again here" {
	service ill
	run -8 to_other ill -q --health-cmd 'test -e /no/such/file' --health-timeout 1
	[[ $output == *"on 'other'"*"not well in time"* ]]
	here ill
}

@test "killed at any moment, on either side: never two, and none lost" {
	local begun longest ms back=0 kills
	service killed
	begun=$(date +%s%3N)
	to_other killed -q
	longest=$((($(date +%s%3N) - begun) * 5 / 4))
	m rollback -q "$P-killed"
	for ((kills = 0; kills < ${MRGT_KILLS:-4}; kills++)); do
		rm -rf --one-file-system "$OTHER/state/roots"
		"$MOORAGE" migrate "$P-killed" --to native@other --ssh-config "$OTHER/config" -q 2>/dev/null &
		pid=$!
		ms=$((RANDOM % longest))
		break_off "$pid" "$ms" "$kills" || true
		[ "$(copies)" -le 1 ] || { echo "kill $kills after $ms ms: $(copies) run"; false; }
		settle_abroad
		runs_once || { echo "kill $kills after $ms ms"; false; }
		if [ "$(there state "$P-killed" 2>/dev/null)" = running ]; then
			run -3 m state "$P-killed"
			tree "$OTHER/state/roots/$P-killed" | diff "$BATS_TEST_TMPDIR/tree" -
			m rollback -q "$P-killed"
			back=$((back + 1))
		fi
		eventually 30 here killed || { echo "kill $kills after $ms ms"; here killed; }
	done
	echo "# $kills kills, $back of them after it had gone over" >&3
}

@test "while it may run there, and that cannot be asked, it stays stopped here" {
	service lost
	mv "$OTHER/config" "$OTHER/config.away"
	cp "$OTHER/config.away" "$OTHER/config"
	"$MOORAGE" migrate "$P-lost" --to native@other --ssh-config "$OTHER/config" --health-cmd false --health-timeout 20 --progress json 2>"$BATS_TEST_TMPDIR/progress" &
	pid=$!
	eventually 30 grep -q '"step":"start"' "$BATS_TEST_TMPDIR/progress"
	sed -i 's/^Port .*/Port 1/; s/Port [0-9]*/Port 1/' "$OTHER/config"
	kill "$(pgrep -P "$pid" -x ssh)"
	local status=0
	wait "$pid" || status=$?
	[ "$status" = 1 ]
	[ "$(copies)" -le 1 ]
	run m state "$P-lost"
	[ "$output" != running ]
	grep 'could not be undone' "$BATS_TEST_TMPDIR/progress" || { cat "$BATS_TEST_TMPDIR/progress"; false; }
	mv "$OTHER/config.away" "$OTHER/config"
	settle_abroad
	eventually 30 here lost
}
