#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves that ./lab leaves nothing behind, whenever and however it is interrupted. By hand, as root,
# in a checkout whose build/ may be thrown away; takes some minutes.
#
#	interrupt.sh [CASE…]	CASE is SIGNAL:TARGET:SECONDS:COMMAND, TARGET `all` (as Ctrl-C does)
#				or `one` (only the script)
set -uo pipefail
set -m # every job a process group of its own, with default signals, as at a prompt

here=$(cd -- "$(dirname -- "$0")" && pwd)
top=$(cd -- "$here/../../.." && pwd)
cases=("$@")
if ((${#cases[@]} == 0)); then
	for seconds in 0.2 1 4 12 25 40 55; do
		cases+=("INT:all:$seconds:fresh")
	done
	cases+=(TERM:one:10:fresh KILL:one:20:fresh)
	for seconds in 0.1 0.4 0.8 1.2 1.7 2.5 4 6 9; do
		cases+=("INT:all:$seconds:demo")
	done
	cases+=(TERM:one:3:demo HUP:one:3:demo KILL:one:3:demo KILL:one:1:demo)
	cases+=(INT:all:0.5:up INT:all:1.5:up INT:all:3:up TERM:one:2:up)
fi

mounts() { grep -F "$top" /proc/self/mounts | sort; }

# The script's process id names it.
cgroups() { find /sys/fs/cgroup -maxdepth 2 -name "meshgw-lab-$job"; }

# By where they were started or where they are. A namespace that no process is in and no mount
# holds does not exist.
processes() {
	pgrep -af "$top/(lab|build|tests)" | grep -v "^$$ "
	grep -l "/meshgw-lab-$job\b" /proc/[0-9]*/cgroup 2>/dev/null
}

failures=0
job=0
check() {
	local what=$1 before=$2 after=$3
	if [[ $before != "$after" ]]; then
		echo "    left behind: $what"
		diff <(echo "$before") <(echo "$after") | sed 's/^/      /'
		failures=$((failures + 1))
	fi
}

run_case() {
	local signal target seconds command target_pid mounts0 i
	IFS=: read -r signal target seconds command <<<"$1"
	echo "$1"
	if [[ $command == fresh ]]; then
		rm -rf --one-file-system "$top/build/rootfs" "$top/build/rootfs.tmp"
		command=demo
	elif [[ ! -d $top/build/rootfs ]]; then
		"$top/lab" up --bare >/dev/null && "$top/lab" down >/dev/null
	fi
	mounts0=$(mounts)
	"$top/lab" "$command" >"/tmp/interrupt-$$.log" 2>&1 &
	job=$!
	sleep "$seconds"
	target_pid=$job
	[[ $target == one ]] || target_pid=-$job
	kill -"$signal" -- "$target_pid" 2>/dev/null || echo "    it had ended by itself"
	wait "$job" 2>/dev/null
	sed 's/^/    | /; $s/$/\n/' "/tmp/interrupt-$$.log" | tail -n 2
	# A script that was killed cannot wait for the others, nor tidy its cgroup; the next one does.
	if [[ $signal == KILL ]]; then
		for ((i = 0; i < 50; i++)); do
			[[ -z $(processes) ]] && break
			sleep 0.1
		done
		timeout -s INT 0.3 "$top/lab" up >/dev/null 2>&1
	fi
	check mounts "$mounts0" "$(mounts)"
	check cgroups "" "$(cgroups)"
	check processes "" "$(processes)"
	flock -n "$top/build/lab.lock" true || check lock "" held
}

for case in "${cases[@]}"; do
	run_case "$case"
done
rm -f "/tmp/interrupt-$$.log"
echo "${#cases[@]} cases, $failures failures"
((failures == 0))
