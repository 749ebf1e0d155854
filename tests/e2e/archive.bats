# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers as archives, and containers of archives: they run, and what is hostile is refused.
load lib

# root_of NAME: where its root is.
root_of() { m inspect "$E2E_BACKEND:$P-$1" | jq -r 'first | .spec.root.path // .root.path // empty'; }

# import_here NAME ARGUMENT...: as import; its root is noted, should rm leave it.
import_here() {
	local name=$1
	shift
	m import -q -B "$E2E_BACKEND" --name "$P-$name" "$@" || return
	root_of "$name" >>"$FILE_DIR/roots"
}

teardown() {
	local root name
	while read -r root; do
		[[ $root == *"$P"* ]] || continue
		rm -rf --one-file-system "$root"
		# What bears its name was made for it, what is here for all of them; the directory of machines is the host's.
		[[ ${root%/*} != *"/$P"* && $root != "$FILE_DIR"/* ]] || rmdir "${root%/*}" 2>/dev/null || true
	done < <(cat "$FILE_DIR/roots" 2>/dev/null)
	for name in $(mine); do m rm -f "$E2E_BACKEND:$name" >/dev/null 2>&1 || true; done
}

# tree DIR: what is in it, as text.
tree() { (cd "$1" && find . -mindepth 1 -printf '%p %y %m %U %G %s %l %T@\n' | grep -v ' d ' | sort); }

# says NAME TEXT: a container that was imported starts and prints.
says() { [ "$(m start -a "$E2E_BACKEND:$P-$1")" = "$2" ]; }

@test "export and import: the same root, the same command" {
	fresh there -- /bin/sh -c 'echo it lives'
	m export "$P-there" "$FILE_DIR/there.tar.zst"
	run -9 m export "$P-there" "$FILE_DIR/there.tar.zst"
	tar --zstd -tf "$FILE_DIR/there.tar.zst" | head -n 2 | grep -qx moorage.json
	import_here back --accept all "$FILE_DIR/there.tar.zst"
	says back 'it lives'
	root=$(tail -n 1 "$FILE_DIR/roots")
	diff <(tree "$E2E_ROOT") <(tree "$root") | grep -v ' \./\(dev\|proc\|sys\|run\|tmp\)/' | grep '^[<>]' && return 1
	[ ! -e "$MOORAGE_STATE_DIR/imports" ]
}

@test "tars of a root: plain, gz, xz, zst" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	for end in tar tar.gz tar.xz tar.zst; do
		tar -C "$E2E_ROOT" -caf "$FILE_DIR/root.$end" .
		import_here "${end//./-}" "$FILE_DIR/root.$end"
		root=$(tail -n 1 "$FILE_DIR/roots")
		[ -x "$root/bin/busybox" ]
		m rm "$E2E_BACKEND:$P-${end//./-}"
		[ ! -e "$root" ]
	done
}

@test "nothing is made of what has no root in it: an empty directory, tars of nothing" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	mkdir "$FILE_DIR/empty"
	tar -cf "$FILE_DIR/nothing.tar" -T /dev/null
	tar -C "$FILE_DIR/empty" -cf "$FILE_DIR/dot.tar" .
	for what in empty nothing.tar dot.tar; do
		refused 2 "has no root file system in it" import -B "$E2E_BACKEND" --name "$P-none" "$FILE_DIR/$what"
		[[ $(cat "$BATS_TEST_TMPDIR/err") == *"looked for: files of a root, 'config' and 'rootfs'"* ]]
	done
	run -3 m state "$P-none"
}

@test "the file of an export: an ending that is not made, no directory, no ending" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	fresh ends -- /bin/true
	for end in zip tar.bz2 7z; do
		refused 2 'no archive is made that ends' export "$P-ends" "$FILE_DIR/ends.$end"
		[ ! -e "$FILE_DIR/ends.$end" ]
	done
	refused 2 "cannot make '$FILE_DIR/none/ends.tar'" export "$P-ends" "$FILE_DIR/none/ends.tar"
	m export "$P-ends" "$FILE_DIR/ends-1.2"
	zstd -tq --stdout "$FILE_DIR/ends-1.2" >/dev/null
	m export "$P-ends" "$FILE_DIR/ends"
	zstd -dcq "$FILE_DIR/ends" | tar -t | head -n 2 | grep -qx moorage.json
}

# blob FILE: puts it into the layout, prints its descriptor.
blob() {
	local sum
	sum=$(sha256sum "$1" | cut -d ' ' -f 1)
	cp "$1" "$FILE_DIR/oci/blobs/sha256/$sum"
	jq -cn --arg d "sha256:$sum" --argjson s "$(stat -c %s "$1")" '{mediaType: "x", digest: $d, size: $s}'
}

@test "an OCI archive: layers, marks of what is gone, the command" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	mkdir -p "$FILE_DIR/oci/blobs/sha256" "$FILE_DIR/upper/etc" "$FILE_DIR/upper/opt"
	cp -a "$E2E_ROOT" "$FILE_DIR/lower"
	mkdir "$FILE_DIR/lower/opt"
	touch "$FILE_DIR/lower/gone" "$FILE_DIR/lower/opt/old" "$FILE_DIR/upper/.wh.gone" "$FILE_DIR/upper/opt/new" "$FILE_DIR/upper/opt/.wh..wh..opq"
	echo upper >"$FILE_DIR/upper/etc/layer"
	tar -C "$FILE_DIR/lower" -czf "$FILE_DIR/lower.tgz" .
	tar -C "$FILE_DIR/upper" -czf "$FILE_DIR/upper.tgz" opt/new opt/.wh..wh..opq .wh.gone etc
	echo '{"config":{"Entrypoint":["/bin/sh","-c"],"Cmd":["echo $GREETING from $PWD; cat /etc/layer; ls /opt /gone 2>/dev/null"],"Env":["GREETING=hello"],"WorkingDir":"/etc"}}' >"$FILE_DIR/config"
	jq -cn --argjson c "$(blob "$FILE_DIR/config")" --argjson a "$(blob "$FILE_DIR/lower.tgz")" --argjson b "$(blob "$FILE_DIR/upper.tgz")" \
		'{schemaVersion: 2, config: $c, layers: [$a, $b]}' >"$FILE_DIR/manifest"
	jq -cn --argjson m "$(blob "$FILE_DIR/manifest")" '{schemaVersion: 2, manifests: [$m]}' >"$FILE_DIR/oci/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$FILE_DIR/oci/oci-layout"
	tar -C "$FILE_DIR/oci" -cf "$FILE_DIR/image.tar" blobs index.json oci-layout
	import_here image "$FILE_DIR/image.tar"
	run m start -a "$E2E_BACKEND:$P-image"
	[ "$output" = $'hello from /etc\nupper\n/opt:\nnew' ]
	import_here layout "oci:$FILE_DIR/oci"
	run m start -a "$E2E_BACKEND:$P-layout"
	[ "$output" = $'hello from /etc\nupper\n/opt:\nnew' ]

	# One byte of a layer: found by its name.
	layer=$(sha256sum "$FILE_DIR/upper.tgz" | cut -d ' ' -f 1)
	printf x | dd of="$FILE_DIR/oci/blobs/sha256/$layer" bs=1 seek=20 conv=notrunc status=none
	tar -C "$FILE_DIR/oci" -cf "$FILE_DIR/image.tar" blobs index.json oci-layout
	refused 1 "cannot import '$FILE_DIR/image.tar': .*damaged" import -B "$E2E_BACKEND" --name "$P-flipped" "$FILE_DIR/image.tar"
}

@test "the root of an import goes with its container: renamed, moved to another engine, removed" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	local other=native root
	[ "$E2E_BACKEND" != native ] || other=lxc
	import_here mine "$E2E_ROOT"
	m rename "$E2E_BACKEND:$P-mine" "$P-renamed"
	root=$(root_of renamed)
	[ -x "$root/bin/busybox" ]
	m migrate -q "$E2E_BACKEND:$P-renamed" --to "$other" --rename "$P-moved" --accept all
	root=$(m inspect "$other:$P-moved" | jq -r 'first | .spec.root.path // .root.path')
	[ -x "$root/bin/busybox" ]
	# Where the engines' places are on different file systems the root was copied, and the old one is kept until then.
	m migrate -q --purge "$other:$P-moved"
	m rm "$other:$P-moved"
	[ ! -e "$root" ]
	[ ! -e "$MOORAGE_STATE_DIR/imports" ]
	[ -x "$E2E_ROOT/bin/busybox" ]

	import_here kept "$E2E_ROOT"
	root=$(root_of kept)
	m rm --keep-storage "$E2E_BACKEND:$P-kept"
	[ -x "$root/bin/busybox" ]
}

@test "what reaches out to the host is refused by name" {
	[ "$E2E_KIND" = busybox ] || skip "the smaller root shows it"
	fresh evil -- /bin/true
	m export "$P-evil" "$FILE_DIR/evil.tar"
	mkdir "$FILE_DIR/evil"
	tar -C "$FILE_DIR/evil" -xf "$FILE_DIR/evil.tar"
	# Not with jq, which rounds large numbers.
	sed -i '1s|{|{ "hooks": {"prestart": [{"path": "/bin/touch", "args": ["touch", "/tmp/mrgt-hook"]}]},|' "$FILE_DIR/evil/config.json"
	sum=$(sha256sum "$FILE_DIR/evil/config.json" | cut -d ' ' -f 1)
	jq --arg s "$sum" '.sha256["config.json"] = $s' "$FILE_DIR/evil/moorage.json" >"$FILE_DIR/moorage.json"
	mv "$FILE_DIR/moorage.json" "$FILE_DIR/evil/moorage.json"
	# shellcheck disable=SC2046
	tar -C "$FILE_DIR/evil" --format=pax -cf "$FILE_DIR/evil2.tar" moorage.json config.json $(cd "$FILE_DIR/evil" && find native -maxdepth 0 2>/dev/null) rootfs
	refused 7 'hooks' import -B "$E2E_BACKEND" --name "$P-new" "$FILE_DIR/evil2.tar"
	[ ! -e /tmp/mrgt-hook ]
}

@test "keys of LXC that no field holds come along once they are accepted, and do what they did" {
	[ "$E2E_BACKEND" = lxc ] && [ "$E2E_KIND" = busybox ] || skip "done with LXC and the smaller root"
	local config kept
	mkdir "$FILE_DIR/lxc"
	ln -s "$E2E_ROOT" "$FILE_DIR/lxc/rootfs"
	config=$(lxc-config lxc.lxcpath)/$P-keys/config
	kept=(lxc.tty.max=3 lxc.signal.reboot=SIGHUP "lxc.hook.pre-start=/bin/touch $FILE_DIR/hooked" "lxc.seccomp.profile=$FILE_DIR/filter")
	printf '2\ndenylist\nsethostname errno 1\n' >"$FILE_DIR/filter"
	printf '%s\n' "lxc.rootfs.path = dir:$E2E_ROOT" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.mount.auto = proc:mixed sys:mixed' 'lxc.net.0.type = empty' \
		"lxc.cap.keep = kill sys_admin" "${kept[@]}" >"$FILE_DIR/config"
	tar -cf "$FILE_DIR/keys.tar" -h --transform 's|^.*/config$|config|;s|^.*/lxc/rootfs|rootfs|' -P "$FILE_DIR/config" "$FILE_DIR/lxc/rootfs"

	refused 7 'lxc.hook.pre-start \(a key of lxc\).*lxc.seccomp.profile \(a key of lxc\)' import -B lxc --name "$P-keys" "$FILE_DIR/keys.tar"
	refused 2 "'--accept hook.pre-stat' names no key" import -B lxc --name "$P-keys" --accept hook.pre-stat --accept seccomp.profile "$FILE_DIR/keys.tar"
	refused 2 "'--accept device' names no key" import -B lxc --name "$P-keys" --accept device "$E2E_ROOT"
	grep -qx "hint: did you mean 'devices'?" "$BATS_TEST_TMPDIR/err"
	import_here keys --accept hook.pre-start --accept seccomp.profile "$FILE_DIR/keys.tar"
	for line in "${kept[@]}"; do grep -qxF "${line/=/ = }" "$config"; done
	m start "lxc:$P-keys"
	[ -e "$FILE_DIR/hooked" ]
	run ! m exec "lxc:$P-keys" -- hostname changed
	m stop -t 1 "lxc:$P-keys"

	# What is read from the file is written there once.
	sed -i 's/SIGHUP/SIGUSR1/' "$config"
	m update -m 64M "lxc:$P-keys"
	grep -qx 'lxc.signal.reboot = SIGUSR1' "$config"
	[ "$(sort "$config" | uniq -d)" = "" ]

	# Not for another engine.
	[ "$(m import -B native --name "$P-other" --accept all "$FILE_DIR/keys.tar" 2>&1 | grep -c 'left out: lxc.tty.max lxc.signal.reboot lxc.hook.pre-start lxc.seccomp.profile$')" = 1 ]
	m rm "native:$P-other"
}

@test "a container that runs is not exported" {
	sleeper busy
	refused 4 'running' export "$P-busy" "$FILE_DIR/busy.tar"
	[ ! -e "$FILE_DIR/busy.tar" ]
}

@test "a device that not every container has is asked for" {
	mkdir "$FILE_DIR/devices"
	mknod "$FILE_DIR/devices/disk" b 8 0
	tar -C "$FILE_DIR/devices" -cf "$FILE_DIR/devices.tar" .
	refused 7 "'disk' \(b 8:0\)" import -B "$E2E_BACKEND" --name "$P-disk" "$FILE_DIR/devices.tar"
}
