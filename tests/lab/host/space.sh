#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab's own world: mount, PID, network, cgroup, UTS and IPC namespaces with build/rootfs as root.
#
#	space.sh enter TOP CGROUP CMD…	makes them and runs CMD, as PID 1, in them
#	space.sh clean CGROUP		removes what namespaces cannot: the cgroup directories
#
# Run `enter` under setpriv --pdeathsig KILL: when whoever started it dies, unshare dies, its child
# the PID 1 dies, and with it everything else. The root is an overlay whose writable layer is a
# tmpfs: nothing in the lab can damage build/rootfs. Inside: the repository at /src, read-only but
# for /src/build; build/rootfs itself, read-only, at /lab.
set -euo pipefail

here=$(cd -- "$(dirname -- "$0")" && pwd)

# The host's cgroup2 where it has one (mounting it anew from the initial namespace would change the
# mount options of all), else one of our own at DIR.
cgroup_root() {
	local found
	found=$(awk '$3 == "cgroup2" && $4 ~ /^rw/ { print $2; exit }' /proc/mounts)
	if [[ -z $found ]]; then
		mount -t cgroup2 cgroup2 "$1"
		found=$1
	fi
	echo "$found"
}

outer() {
	local top=$1 name=$2 own
	own=$(cgroup_root "$top/build/lab/mnt")/$name
	mkdir -p "$own"
	echo $$ >"$own/cgroup.procs"
	exec unshare --mount --pid --fork --net --cgroup --uts --ipc --kill-child \
		"$here/space.sh" inner "$@"
}

make_dev() {
	local node
	mount -t tmpfs -o mode=755,nosuid dev dev
	mkdir dev/pts dev/shm dev/net
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
	mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
	for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 net/tun:10:200; do
		IFS=: read -r path major minor <<<"$node"
		mknod -m 666 "dev/$path" c "$major" "$minor"
	done
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s /proc/self/fd/0 dev/stdin
	ln -s /proc/self/fd/1 dev/stdout
	ln -s /proc/self/fd/2 dev/stderr
}

inner() {
	local top=$1
	shift 2
	cd "$top/build"
	# /proc is still the host's: the number that others can signal.
	mkdir -p lab/run
	read -r host_pid _ </proc/self/stat
	echo "$host_pid" >lab/run/init.pid
	mount -t tmpfs -o mode=755 lab lab/mnt
	mkdir lab/mnt/upper lab/mnt/work lab/mnt/root
	mount -t overlay -o lowerdir=rootfs,upperdir=lab/mnt/upper,workdir=lab/mnt/work \
		lab lab/mnt/root
	mount --bind rootfs lab/mnt/root/lab
	mount -o remount,bind,ro lab/mnt/root/lab
	mount --bind "$top" lab/mnt/root/src
	mount -o remount,bind,ro lab/mnt/root/src
	mount --bind "$top/build" lab/mnt/root/src/build
	cd lab/mnt/root
	mount -t proc -o nosuid,nodev,noexec proc proc
	mount -t sysfs -o nosuid,nodev,noexec sysfs sys
	mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755,nosuid,nodev run run
	mount -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
	make_dev
	pivot_root . mnt
	umount -l mnt
	hostname lab
	exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
		TERM="${TERM:-dumb}" CI="${CI:-}" MESHGW_LAB_PRESET="${MESHGW_LAB_PRESET:-}" \
		PYTHONPATH=/src/tests/lab PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 "$@"
}

# Processes may need a moment to be gone after their PID 1.
clean() {
	local own i
	own=$(cgroup_root "$here")/$1
	for ((i = 0; i < 100; i++)); do
		[[ -d $own ]] || return 0
		find "$own" -depth -type d -exec rmdir {} + 2>/dev/null && return 0
		sleep 0.05
	done
	echo "lab: could not remove $own" >&2
	return 1
}

case $1 in
enter) shift && outer "$@" ;;
inner) shift && inner "$@" ;;
clean) shift && clean "$@" ;;
esac
