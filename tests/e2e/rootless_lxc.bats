# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers of LXC that belong to an ordinary user: what the user's own LXC has made, and what moorage makes for it.
load lib

setup() {
	[ "$E2E_BACKEND" = lxc ] || skip "it is about LXC"
	command -v newuidmap >/dev/null || skip "newuidmap is not installed (package uidmap)"
	HOME_DIR=$(mktemp -d /tmp/mrgt-rootless.XXXXXX)
	chmod 755 "$HOME_DIR"
	root_of 4242 own
}

# What is still there belongs to the user or to ids of its.
teardown() {
	[ -n "${HOME_DIR:-}" ] || return 0
	u subids rm -f "$P-rl" >/dev/null 2>&1 || true
	[ -z "${BYSTANDER:-}" ] || { kill "$BYSTANDER" 2>/dev/null || true; wait "$BYSTANDER" || true; }
	rm -rf --one-file-system "$HOME_DIR"
}

# root_of UID NAME: a root in the user's home whose files belong to UID.
root_of() {
	cp -a "$E2E_ROOT" "$HOME_DIR/$2"
	chown -hR "$1:$1" "$HOME_DIR/$2"
}

# as IDS COMMAND..., u IDS ARGUMENT...: any command, and moorage, as the user.
as() { local ids=$1; shift; "$BATS_TEST_DIRNAME/user" "$ids" "$HOME_DIR" "$@"; }
u() { local ids=$1; shift; as "$ids" "$MOORAGE" -B lxc "$@"; }

# Before Linux 6.16 LXC has no container of one id: the group that it gives terminals to has to be mapped.
one_id_is_enough() { printf '%s\n' 6.16 "$(uname -r)" | sort -VC; }

# config LINE...: a container of LXC as its user would have made it, with the ids that the root "theirs" belongs to.
config() {
	root_of 300000 theirs
	as subids mkdir -p "$HOME_DIR/.local/share/lxc/$P-rl"
	printf '%s\n' 'lxc.idmap = u 0 300000 65536' 'lxc.idmap = g 0 300000 65536' "lxc.rootfs.path = dir:$HOME_DIR/theirs" 'lxc.mount.auto = proc:mixed' \
		'lxc.init.cmd = /bin/sleep 1000' 'lxc.rootfs.managed = 0' "$@" >"$HOME_DIR/.local/share/lxc/$P-rl/config"
}

@test "what the user's LXC has made is listed, started, entered, stopped and removed" {
	config 'lxc.net.0.type = empty'
	[ "$(u subids ls -aq)" = "$P-rl" ]
	# Root's containers are in another place.
	run m -B lxc ls -aq
	[[ "$output" != *"$P-rl"* ]]
	u subids start "$P-rl"
	[[ "$(as subids lxc-info -H -s -n "$P-rl")" = RUNNING ]]
	[ "$(u subids exec "$P-rl" -- /bin/sh -c 'id -u; tr "\0" " " </proc/1/cmdline' | tr '\n' ' ')" = "0 /bin/sleep 1000 " ]
	run u subids procs --format '{{.uid}} {{.command}}' "$P-rl"
	[[ "$output" == *"300000 /bin/sleep 1000"* ]]
	as subids lxc-stop -k -n "$P-rl"
	[ "$(u subids state "$P-rl")" = stopped ]
	u subids rm "$P-rl"
	[ ! -e "$HOME_DIR/.local/share/lxc/$P-rl" ]
}

belongs_to() { [ "$(stat -c %u:%g "$2")" = "$1" ]; }

@test "what moorage makes for the user is a container of the user's LXC, whose root the user is" {
	u subids create -q --name "$P-rl" ./own -- /bin/sh -c 'trap "exit 7" TERM; touch /tmp/mine /tmp/theirs; chown 5:6 /tmp/theirs; while :; do sleep 0.1; done'
	u subids start "$P-rl"
	[[ "$(as subids lxc-info -H -s -n "$P-rl")" = RUNNING ]]
	eventually 30 belongs_to 300004:300005 "$HOME_DIR/own/tmp/theirs"
	[ "$(stat -c %u:%g "$HOME_DIR/own/tmp/mine")" = 4242:4242 ]
	run u subids exec "$P-rl" -- cat /proc/self/uid_map
	[[ "$output" =~ 0\ +4242\ +1 ]]
	[[ "$output" =~ 1\ +300000\ +65536 ]]
	u subids stop "$P-rl"
	[ "$(u subids wait "$P-rl")" = 7 ]
	u subids rm "$P-rl"
	[ -d "$HOME_DIR/own/tmp" ] && [ ! -e "$HOME_DIR/.local/share/lxc/$P-rl" ]
}

@test "the owner of the root tells who is root in the container" {
	root_of 300000 theirs
	run u subids run --rm --name "$P-rl" ./theirs -- /bin/sh -c 'echo told >/dev/stdout; cat /proc/self/uid_map; exit 3'
	[ "$status" = 3 ]
	[ "${lines[0]}" = told ]
	[[ "${lines[1]}" =~ 0\ +300000\ +65536 ]]
	run u none run --rm --name "$P-rl" ./own -- /bin/cat /proc/self/uid_map
	if one_id_is_enough; then
		[ "$status" = 0 ] && [ "${#lines[@]}" = 1 ] && [[ "$output" =~ 0\ +4242\ +1$ ]]
	else
		[ "$status" = 125 ] && [[ "$output" == *"group 5, which this kernel must find mapped: /etc/subuid has no line"* ]]
	fi
}

# sleeping PID: it is there and was neither killed nor frozen.
sleeping() { [ "$(cat "/proc/$1/comm")" = sleep ] && grep -q '^State:.*sleeping' "/proc/$1/status"; }

@test "what shares a cgroup with the container is not the container's" {
	"$BATS_TEST_DIRNAME/user" subids "$HOME_DIR" sleep 1000 3>&- &
	BYSTANDER=$!
	eventually 30 sleeping "$BYSTANDER"
	u subids run -q -d --name "$P-rl" ./own -- /bin/sleep 1000
	run u subids procs --format '{{.command}}' "$P-rl"
	[ "$status" = 0 ]
	[ "$(grep -c 'sleep 1000' <<<"$output")" -ge 1 ]
	[ "$(wc -l <<<"$output")" -le 2 ]
	[ -z "$(u subids stats --no-stream --format '{{.memory}}' "$P-rl")" ]
	u subids kill -s KILL "$P-rl"
	u subids wait "$P-rl"
	u subids rm -f "$P-rl"
	sleeping "$BYSTANDER"
}

# tells IDS PATTERN ARGUMENT...: the command fails and says PATTERN.
tells() {
	local ids=$1 pattern=$2
	shift 2
	run u "$ids" "$@"
	echo "$output"
	[ "$status" != 0 ] && [[ "$output" =~ $pattern ]] && [ "$(grep -c '^moorage: error: ' <<<"$output")" = 1 ]
}

@test "what is missing is named: the line, the package, the way, the owner" {
	tells none "/etc/subuid has no line 'mrgt-4242:FIRST:65536'" run --rm --name "$P-rl" --user 1000 ./own -- /bin/true
	tells nomapper 'newuidmap .package uidmap.' run --rm --name "$P-rl" --user 1000 ./own -- /bin/true
	tells denied 'gives ordinary users no user namespace.*sysctl user.max_user_namespaces=10000' run --rm --name "$P-rl" ./own -- /bin/true
	tells subids 'only root can put a layer' run --rm --ephemeral --name "$P-rl" ./own -- /bin/true
	[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || tells subids 'moorage.boot here.*may not make cgroups of version 1.*hint: boot with systemd.unified_cgroup_hierarchy=1' create --name "$P-rl" --boot ./own
	root_of 300000 theirs
	! one_id_is_enough || tells none 'belongs to user 300000.*must be your own' run --rm --name "$P-rl" ./theirs -- /bin/true
	chmod 700 "$HOME_DIR"
	tells subids "setfacl -m u:300000:x '$HOME_DIR'" run --rm --name "$P-rl" ./theirs -- /bin/true
}

@test "what the user's own configuration lacks is named: interfaces on a bridge, ids" {
	config 'lxc.net.0.type = veth' 'lxc.net.0.link = mrgt-none0'
	tells subids "mrgt-4242 veth mrgt-none0 10' in /etc/lxc/lxc-usernet" start "$P-rl"
	sed -i /lxc.net/d "$HOME_DIR/.local/share/lxc/$P-rl/config"
	tells none "/etc/subuid has no line 'mrgt-4242:FIRST:65536'" start "$P-rl"
	tells nomapper 'newuidmap .package uidmap.' start "$P-rl"
}
