# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How the lab's host scripts speak: one line a step, with the time that it took.

say() { printf '%s\n' "$*"; }

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

# step WHAT LOG CMD…: runs CMD with its output in LOG; on failure shows the log's end. A function ends
# at its first command that fails, which a shell does only outside of conditions: call a step as a
# command of its own, or write the function with && throughout.
step() {
	local what=$1 log=$2 begin=$EPOCHREALTIME took rc
	shift 2
	printf '  %-58s ' "$what"
	set +e
	(
		set -e
		"$@"
	) >>"$log" 2>&1 </dev/null
	rc=$?
	set -e
	took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	if ((rc)); then
		printf 'FAILED after %s s\n' "$took"
		tail -n 25 "$log" | sed 's/^/    /'
		say "  the whole log: $log"
		return "$rc"
	fi
	printf '%s s\n' "$took"
}
