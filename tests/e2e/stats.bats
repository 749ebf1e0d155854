# SPDX-License-Identifier: LGPL-2.1-or-later
# Figures are those of the engines' own tools, and where an engine has none those of the kernel.
load lib

# Roots are used by one at a time; a test that fails must not hold it.
teardown() { for name in memory cpu share tree; do m rm -f "$E2E_BACKEND:$P-$name" >/dev/null; done; }

# cgroup_of NAME CONTROLLER: where the kernel counts for it: in the hierarchy of the controller when the container has a place there, else in that of version 2. What
# nspawn has below its unit is part of it.
cgroup_of() {
	local pid place
	pid=$(m procs --json "$P-$1" | jq '.[0].pid')
	place=$(sed -nE "s/^[0-9]+:([a-z_,]+,)?$2(,[a-z_,]+)?:(.+)/\3/p" "/proc/$pid/cgroup")
	case $place in
	"" | /) place=$(sed -n 's/^0:://p' "/proc/$pid/cgroup") && echo "$(findmnt -nro TARGET -t cgroup2 | head -n 1)${place%/payload}" ;;
	*) echo "/sys/fs/cgroup/$2${place%/payload}" ;;
	esac
}

# of_lxc NAME WORDS FILE: lxc-info knows the files of cgroup v1 only, lxc-cgroup all.
of_lxc() {
	local told
	told=$(lxc-info -SH -n "$P-$1" | awk -v words="$2:" 'index($0, words) == 1 { print $3 }')
	if [ -n "$told" ]; then echo "$told"; else lxc-cgroup -n "$P-$1" "$3"; fi
}

# engine_memory NAME, engine_cpu NAME CGROUP: bytes, and nanoseconds, as the engine tells them.
engine_memory() {
	local cgroup
	cgroup=$(cgroup_of "$1" memory)
	case $E2E_BACKEND in
	lxc) of_lxc "$1" 'Memory use' memory.current ;;
	libvirt) virsh -q -c lxc:///system dominfo "$P-$1" </dev/null | awk '/^Used memory:/ { print $3 * 1024 }' ;;
	nspawn) systemd-cgtop -b -n 1 --raw | place=${cgroup#/sys/fs/cgroup} awk '{ place = ENVIRON["place"] } length($1) > 1 && substr(place, length(place) - length($1) + 1) == $1 { print $4 }' ;;
	*) cat "$cgroup"/memory.{usage_in_bytes,current} 2>/dev/null ;;
	esac
}
engine_cpu() {
	case $E2E_BACKEND in
	lxc) of_lxc "$1" 'CPU use' cpu.stat | awk '{ printf "%.0f\n", /^usage_usec/ ? $2 * 1000 : $1; exit }' ;;
	libvirt) virsh -q -c lxc:///system cpu-stats --total "$P-$1" </dev/null | awk '/cpu_time/ { printf "%.0f\n", $2 * 1e9 }' ;;
	*) cat "$2/cpuacct.usage" 2>/dev/null || awk '/^usage_usec/ { printf "%.0f\n", $2 * 1000 }' "$2/cpu.stat" ;;
	esac
}

# near A B: at most 2 % apart.
near() { [ "$1" -gt 0 ] && [ $((($1 > $2 ? $1 - $2 : $2 - $1) * 50)) -le "$2" ]; }

has_two() { [ "$(m procs --json "$P-$1" | jq length)" -ge 2 ]; }
same_memory() { near "$(m stats --no-stream --json "$P-$1" | jq '.[0].memory')" "$(engine_memory "$1")"; }

@test "memory is what the engine says" {
	fresh memory -- /bin/sh -c 'x=$(head -c 30000000 /dev/zero | tr "\0" a); while :; do sleep 1000; done'
	m start "$P-memory"
	eventually 30 bash -c '[ "$("$MOORAGE" stats --no-stream --json "$0" | jq ".[0].memory")" -gt 30000000 ]' "$P-memory"
	eventually 30 same_memory memory
	eventually 30 has_two memory
}

# Read between two readings of the engine's, so it must lie between them, however busy the host is.
@test "CPU time is what the engine says" {
	local before ours after cgroup
	fresh cpu -- /bin/sh -c 'while :; do :; done'
	m start "$P-cpu"
	eventually 30 bash -c '[ "$("$MOORAGE" stats --no-stream --json "$0" | jq ".[0].cpuNs")" -gt 1000000000 ]' "$P-cpu"
	cgroup=$(cgroup_of cpu cpuacct)
	before=$(engine_cpu cpu "$cgroup")
	ours=$(m stats --no-stream --json "$P-cpu" | jq '.[0].cpuNs')
	after=$(engine_cpu cpu "$cgroup")
	echo "$before $ours $after"
	# Version 2 counts microseconds.
	[ "$((before / 1000))" -le "$((ours / 1000))" ]
	[ "$((ours / 1000))" -le "$((after / 1000))" ]
}

# A share was used within the time between the two readings of the engine's: not more than that, and not less than that without what may have been used before
# and after. Top looks twice, two seconds apart.
@test "a share of CPU time is what the engine's figures amount to" {
	local t1 t2 one two percent used spare cgroup
	fresh share --cpus 0.5 -- /bin/sh -c 'while :; do :; done'
	m start "$P-share"
	cgroup=$(cgroup_of share cpuacct)
	t1=$(date +%s%N)
	one=$(engine_cpu share "$cgroup")
	percent=$(m top --json -d 2 -f "name=$P-share" -B "$E2E_BACKEND" | jq '.[0].cpuPercent * 1000 | round')
	two=$(engine_cpu share "$cgroup")
	t2=$(date +%s%N)
	used=$((percent * 20000)) spare=$((t2 - t1 - 2000000000))
	echo "$percent thousandths of a percent, so $used ns of $((two - one)); $spare ns around it"
	# Two percent of it for the time that a look itself takes.
	[ "$used" -le $(((two - one) * 102 / 100)) ]
	[ "$used" -ge $(((two - one - spare) * 98 / 100)) ]
}

@test "processes are told with their parents" {
	fresh tree -- /bin/sh -c 'sh -c "sleep 1000 & wait" & wait'
	m start "$P-tree"
	eventually 30 bash -c '"$MOORAGE" procs --json "$0" | jq -e "any(.[]; .command == \"sleep 1000\")"' "$P-tree"
	m procs --json "$P-tree" | jq -e '(map({(.pid | tostring): .command}) | add) as $name | .[] | select(.command == "sleep 1000") |
		$name[.parentPid | tostring] | startswith("sh -c sleep 1000")'
}
