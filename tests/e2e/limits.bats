# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits bite: each is seen from inside or from the kernel, never from the record.
load lib

@test "64 MiB of memory kill an allocation of 128 MiB, and info says so" {
	fresh oom -m 64m -- /bin/sh -c 'dd if=/dev/zero of=/dev/null bs=128M count=1 2>/dev/null && echo survived'
	run m start -a "$P-oom"
	[ "$status" = 137 ]
	[[ "$output" != *survived* ]]
	run m info "$P-oom"
	[[ "$output" == *"killed: out of memory"* ]]
	m rm "$P-oom"
}

@test "the same allocation lives under 512 MiB" {
	run once fits -m 512m -- /bin/sh -c 'dd if=/dev/zero of=/dev/null bs=128M count=1 2>/dev/null && echo survived'
	[ "$output" = survived ]
}

@test "--pids-limit 10 stops the eleventh fork" {
	! lacks libvirt linux.resources.pids.limit --pids-limit 10 || return 0
	run once pids --pids-limit 10 -- /bin/sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; echo six'
	[[ "$output" == *six* ]]
	run once pids --pids-limit 10 -- /bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 60 & done; echo eleven'
	[[ "$output" != *eleven* ]]
	[[ "$output" == *fork* ]]
}

# cpu_ns NAME: processor time of its cgroup, as the kernel counts it. Not every hierarchy has its processes: systemd leaves them where they are in a cpuacct
# that is mounted apart from cpu.
cpu_ns() {
	local dir
	for dir in $(cgroups "$1"); do
		cat "$dir/cpuacct.usage" 2>/dev/null || true
		awk '/^usage_usec/ { printf "%.0f\n", $2 * 1000 }' "$dir/cpu.stat" 2>/dev/null || true
	done | sort -n | tail -n 1
}

@test "--cpus 0.5 gives half a core" {
	# Before other work of the machine, which would leave it less than the limit does.
	local shares=(--cpu-shares 65536)
	! { [ "$E2E_BACKEND" = libvirt ] && [ -e /sys/fs/cgroup/cgroup.controllers ]; } || shares=()
	fresh half --cpus 0.5 "${shares[@]}" -- /bin/sh -c 'while :; do :; done'
	m start "$P-half"
	sleep 0.5
	# Never more, since the clock is looked at around the readings; less only when the machine has other work all the same.
	percent=0
	for ((tries = 0; tries < 20 && percent < 30; tries++)); do
		t1=$(date +%s%N)
		one=$(cpu_ns half)
		sleep 3
		two=$(cpu_ns half)
		t2=$(date +%s%N)
		percent=$(((two - one) * 100 / (t2 - t1)))
		echo "used $percent % of a core"
		[ "$percent" -le 60 ]
	done
	m rm -f "$P-half"
	[ "$percent" -ge 30 ]
}

@test "update changes a limit while it runs" {
	sleeper live -m 256m
	m update -m 128m "$P-live"
	for dir in $(cgroups live); do
		[ ! -e "$dir/memory.limit_in_bytes" ] || [ "$(cat "$dir/memory.limit_in_bytes")" = 134217728 ]
	done
	m inspect "$P-live" | grep -q 134217728
	m rm -f "$P-live"
}

@test "--ulimit is what the process sees" {
	! lacks libvirt process.rlimits --ulimit nofile=123:456 || return 0
	run once rlimit --ulimit nofile=123:456 -- /bin/sh -c 'ulimit -Sn; ulimit -Hn'
	[ "$output" = $'123\n456' ]
}

@test "a limit that is no size is refused" {
	refused 125 "'12parsecs'" run --rm -B "$E2E_BACKEND" --name "$P-bad" -m 12parsecs "$E2E_ROOT" -- /bin/true
}
