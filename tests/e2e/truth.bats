# SPDX-License-Identifier: LGPL-2.1-or-later
# The doctor tells the truth about the host it is on: what it says works is run, what it says is missing is looked for by other means. Where a sentence has no
# means here to be judged by, the test fails.
load lib

setup() {
	[ "$E2E_BACKEND" = native ] || skip "about the host: done with native"
	[ "$E2E_KIND" = busybox ] || skip "the same for every root: done with busybox"
	HOME_DIR=$(mktemp -d /tmp/mrgt-truth.XXXXXX)
	chmod 755 "$HOME_DIR"
	cp -a "$E2E_ROOT" "$HOME_DIR/root"
	FINDINGS=$HOME_DIR/doctor
}

teardown() { [ -z "${HOME_DIR:-}" ] || rm -rf --one-file-system "$HOME_DIR"; }

# diagnose COMMAND...: the command, which may have found something broken.
diagnose() {
	local got=0
	"$@" doctor --json >"$FINDINGS" || got=$?
	[ "$got" -le 1 ]
}

# finding SUBJECT: its level and sentence.
finding() { jq -er --arg s "$1" '.[] | select(.subject == $s) | .level + " " + .text' "$FINDINGS"; }

# ---- sentences, and what they are judged by -----------------------------------------------------

no_program() { ! command -v "$1" >/dev/null; }
no_library() { ! ldconfig -p | grep -qF "$1"; }
no_libvirt() { ! timeout 60 virsh -q -c lxc:/// version >/dev/null 2>&1; }
no_apparmor() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; }
no_selinux() { [ ! -e /sys/fs/selinux/enforce ]; }
no_cgroups() { ! setpriv --reuid 4242 --regid 4242 --clear-groups find /sys/fs/cgroup -maxdepth 4 -type d -writable 2>/dev/null | grep -q .; }
not_root() { [ "$AS" != root ]; }
is_managed() { systemctl is-system-running | grep -qE 'running|degraded|starting'; }
# The file that "inside" shows the user.
inside() { "$BATS_TEST_DIRNAME/user" "$AS" "$HOME_DIR" "$@"; }
no_mapper() { ! inside test -x /usr/bin/newuidmap; }
no_line() { ! inside grep -q '^mrgt-4242:' /etc/subuid; }
has_line() { inside grep -q '^mrgt-4242:' /etc/subuid; }
no_controller() { ! grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null && ! grep -qE " - cgroup .*[ ,]$1(,|\$)" /proc/self/mountinfo; }
no_controllers() { ! grep -q . "$(findmnt -n -o TARGET -t cgroup2 | head -n 1)/cgroup.controllers"; }
one_version() { ! grep -qE ' - cgroup .*[ ,](memory|cpu|pids|blkio)(,|$)' /proc/self/mountinfo || no_controllers; }
destroyed() { timeout 60 virsh -q -c lxc:/// destroy "$1" >/dev/null || ! timeout 60 virsh -q -c lxc:/// dominfo "$1" >/dev/null; }
# A domain of its own tools' making: its soft limit is one that throttles.
throttles_softly() {
	local root=$HOME_DIR/root domain=mrgt-truth-$$ limit
	timeout 60 virsh -q -c lxc:/// create /dev/stdin <<-END >/dev/null || return 1
	<domain type='lxc'><name>$domain</name><memory unit='MiB'>64</memory><memtune><soft_limit unit='MiB'>48</soft_limit></memtune><os><type>exe</type>
	<init>/bin/sleep</init><initarg>60</initarg></os><devices><filesystem type='mount'><source dir='$root'/><target dir='/'/></filesystem><console type='pty'/></devices></domain>
	END
	limit=$(find /sys/fs/cgroup -path "*${domain//-/*}*" -name memory.high -exec cat {} +)
	eventually 30 destroyed "$domain"
	grep -qx $((48 << 20)) <<<"$limit"
}
no_file() { ! find /sys/fs/cgroup -maxdepth 3 -name "$1" | grep -q .; }

# Each clause of a reason is one of these, and its means agree.
judged() {
	case $1 in
	*"systemd-nspawn is not installed"*) no_program systemd-nspawn ;;
	*"'liblxc.so.1'"*) no_library liblxc.so.1 ;;
	*"'libvirt.so.0'"*) no_library libvirt.so.0 ;;
	*"daemon of libvirt does not answer"*) no_libvirt ;;
	*"'libvirt-lxc.so.0'"*) no_library libvirt-lxc.so.0 ;;
	"libvirt gives some limits another meaning on cgroup v2") throttles_softly ;;
	*"this host has no AppArmor"*) no_apparmor ;;
	*"this host has no SELinux"*) no_selinux ;;
	"only root can put a layer over a root") not_root ;;
	"this user may not make cgroups of version 1") no_cgroups && [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] ;;
	"this user may not make cgroups without systemd") no_cgroups && ! is_managed ;;
	"this user may not make cgroups: no user@.service runs") no_cgroups && ! systemctl -q is-active user@4242.service ;;
	*"there is no /usr/bin/newuidmap (package uidmap)"*) no_mapper ;;
	*"/etc/subuid has no line"*) no_line ;;
	*"this host gives ordinary users no user namespace, which their containers need"*) ! inside unshare --user true 2>/dev/null ;;
	"ids are mapped as /etc/subuid has them") has_line ;;
	*"needs the rights of root"* | *"need the rights of root"*) not_root ;;
	"the kernel offers no time namespaces") [ ! -e /proc/self/ns/time ] ;;
	*"systemd manages the control groups of machines"*) is_managed ;;
	"cgroup v2 has no controllers here") no_controllers ;;
	"some limits are of the other version of cgroups") one_version ;;
	"this kernel has no "*) no_file "${1#this kernel has no }" ;;
	"no "*" controller") [[ $1 =~ ^no\ ([a-z]+)\ controller$ ]] && no_controller "${BASH_REMATCH[1]}" ;;
	*) false ;;
	esac || { echo "not so, or not to be judged: $1"; return 1; }
}

# agree AS COMMAND ROOT...: every backend does what is said of it; COMMAND is the user's moorage.
agree() {
	local name usable reason said clause n=0
	AS=$1
	shift
	while IFS=$'\t' read -r name usable reason; do
		n=$((n + 1))
		said=$(finding "backend $name")
		echo "$name: usable $usable: $said"
		if [ "$usable" = true ]; then
			[ "$("$@" run --rm -B "$name" --name "$P-truth" "$HOME_DIR/root" -- /bin/echo it works </dev/null)" = "it works" ]
			[[ $said == "ok "* ]] || [[ $said == *"not everything works here"* ]]
		else
			[[ $said == "warning "* ]]
			run ! "$@" run --rm -B "$name" --name "$P-truth" "$HOME_DIR/root" -- /bin/true </dev/null
		fi
		# What keeps a backend from some of it, or from all of it: after that comes what helps.
		[ "$usable" = true ] || reason=${reason%%; *}
		while IFS= read -r clause; do judged "$clause"; done < <(sed '/^$/d; s/root is the only user in containers: //; s/; /\n/g' <<<"$reason")
	done < <("$@" backends --json | jq -r '.[] | [.name, .usable, .reason // ""] | @tsv')
	[ "$n" = "$(m backends -q | wc -l)" ]
}

@test "backends, as root" {
	diagnose m
	agree root m
}

# u IDS ARGUMENT...: the command, as an ordinary user.
u() { "$BATS_TEST_DIRNAME/user" "$AS" "$HOME_DIR" "$MOORAGE" "$@"; }

@test "backends, as an ordinary user with ids and without" {
	chown -hR 4242:4242 "$HOME_DIR/root"
	for AS in none subids nomapper denied; do
		diagnose u
		agree "$AS" u
		case $AS in
		subids) [[ $(finding "subordinate ids") == "ok "* ]] ;;
		*) [[ $(finding "subordinate ids") == "warning "* ]] ;;
		esac
	done
}

@test "the kernel" {
	diagnose m
	case $(stat -fc %T /sys/fs/cgroup) in
	cgroup2fs) [ "$(finding cgroups)" = "ok version 2" ] ;;
	*) [[ $(finding cgroups) == "warning version 1"* ]] ;;
	esac
	mkdir "$HOME_DIR"/{upper,work,merged}
	if unshare -m mount -t overlay overlay -o "lowerdir=$HOME_DIR/root,upperdir=$HOME_DIR/upper,workdir=$HOME_DIR/work" "$HOME_DIR/merged" 2>/dev/null; then
		[ "$(finding overlay)" = "ok works" ]
	else
		[[ $(finding overlay) == "warning "* ]]
	fi
	if setpriv --reuid 4242 --regid 4242 --clear-groups unshare -U true; then [[ $(finding "user namespaces") == "ok "* ]]; else [[ $(finding "user namespaces") == "warning "* ]]; fi
}

@test "capabilities: those it names are lacking, and no others" {
	diagnose m
	local lacking held last name i=0
	lacking=$(finding capabilities)
	held=$((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status)))
	last=$(cat /proc/sys/kernel/cap_last_cap)
	[ "$(grep -o 'CAP_[A-Z_]*' <<<"$lacking" | wc -l)" = "$(for ((i = 0; i <= last; i++)); do echo $((held >> i & 1)); done | grep -c 0)" ]
	for name in $(grep -o 'CAP_[A-Z_]*' <<<"$lacking"); do
		run ! setpriv --bounding-set "-all,+${name#CAP_}" --inh-caps "-all,+${name#CAP_}" --ambient-caps "-all,+${name#CAP_}" true
	done
}
