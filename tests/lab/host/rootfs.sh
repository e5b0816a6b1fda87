#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/rootfs, the Debian 13 that everything in the lab runs on, unless it is there and whole.
#
#	rootfs.sh BUILD
#
# Run it in mount and PID namespaces of its own (./lab does): what it mounts and starts then ends
# with it, whatever happens. All downloads go through the host's apt, with the host's own sources,
# proxies and certificates; nothing is installed on the host. The tree is made in rootfs.tmp and
# renamed when it is whole. The .debs stay in build/cache, so a remake downloads only what is new.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/host/say.sh
. "$here/say.sh"

build=$1
suite=trixie
recipe=6 # raise it when this file makes a different tree from the same list
root=$build/rootfs
tmp=$build/rootfs.tmp
cache=$build/cache
log=$build/lab/log/rootfs.log
stamp=.meshgw-lab

read_list() { sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$here/../packages.txt"; }

wanted_stamp() { { echo "$suite $recipe"; read_list; } | sha256sum | cut -d' ' -f1; }

# A tree counts as whole when its stamp is right and what everything else stands on still runs.
# shellcheck disable=SC2016
is_whole() {
	[[ -f $root/$stamp && $(<"$root/$stamp") == "$(wanted_stamp)" ]] || return 1
	chroot "$root" /bin/sh -ec '
		for tool in gcc clang-19 cmake ninja ip nft tcpdump systemd-nspawn vtysh mandoc; do
			command -v $tool
		done
		test -x /usr/lib/systemd/systemd
		test -e /usr/include/h2o.h
		python3 -c "import pytest, pytest_timeout, yaml"
		test -z "$(dpkg --audit)"' >/dev/null 2>&1
}

apt_helper() { /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$@"; }

# The first of the host's apt sources that carries the suite; both formats of sources files, and
# whatever apt calls a URI, are read by apt itself.
# shellcheck disable=SC2016
find_mirror() {
	local uri
	for uri in ${MESHGW_LAB_MIRROR:-} $(apt-get --no-release-info indextargets \
		--format '$(REPO_URI)' 'Identifier: Packages' | awk '!seen[$0]++'); do
		uri=${uri%/}
		if apt_helper "$uri/dists/$suite/InRelease" "$cache/InRelease" >>"$log" 2>&1; then
			echo "$uri"
			return
		fi
	done
	return 1
}

# debootstrap and the archive's keys, unpacked, not installed.
fetch_tools() {
	local private=(-o "Dir::State::lists=$cache/lists" -o "Dir::Cache=$cache/apt")
	mkdir -p "$cache/tools" "$cache/lists/partial" "$cache/apt"
	cd "$cache/tools"
	rm -f ./*.deb
	if ! apt-get -q -o APT::Sandbox::User=root download debootstrap debian-archive-keyring; then
		# No package lists on this host, or stale ones: read them into a place of our own.
		rm -f ./*.deb
		apt-get -q -o APT::Sandbox::User=root "${private[@]}" update
		apt-get -q -o APT::Sandbox::User=root "${private[@]}" \
			download debootstrap debian-archive-keyring
	fi
	rm -rf tree
	for deb in ./*.deb; do
		dpkg-deb -x "$deb" tree
	done
}

run_debootstrap() {
	local tools=$cache/tools/tree
	mkdir -p "$cache/base"
	PATH=$here:$PATH DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap \
		bash "$tools/usr/sbin/debootstrap" --variant=minbase --cache-dir="$cache/base" \
		--keyring="$keyring" "$suite" "$tmp" "$1"
}

# The host's apt works on the tree from outside, so that its network settings hold.
write_apt_conf() {
	mkdir -p "$cache/debs/partial"
	cat >"$cache/sources.list" <<-EOF
		deb [signed-by=$keyring] $1 $suite main
		deb [signed-by=$keyring] $1 $suite-backports main
		deb [signed-by=$keyring] $1 bookworm main
	EOF
	# h2o left Debian after 12; nothing else may come from there. The tunnel needs ngtcp2's library
	# for OpenSSL, which Debian 13 got later.
	cat >"$cache/preferences" <<-EOF
		Package: *
		Pin: release n=bookworm
		Pin-Priority: -1

		Package: libh2o* h2o
		Pin: release n=bookworm
		Pin-Priority: 500

		Package: libngtcp2* libnghttp3*
		Pin: release n=$suite-backports
		Pin-Priority: 500
	EOF
	cat >"$cache/apt.conf" <<-EOF
		Dir::Etc::sourcelist "$cache/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "$cache/preferences";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$tmp/var/lib/apt";
		Dir::State::status "$tmp/var/lib/dpkg/status";
		Dir::Cache "$tmp/var/cache/apt";
		Dir::Log "$tmp/var/log/apt";
		DPkg::Chroot-Directory "$tmp";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Keep-Downloaded-Packages "true";
		Acquire::Languages "none";
		#clear DPkg::Post-Invoke;
		#clear DPkg::Pre-Invoke;
		#clear DPkg::Pre-Install-Pkgs;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOF
}

tree_apt() { DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -c "$cache/apt.conf" "$@"; }

install_packages() {
	local list
	mapfile -t list < <(read_list)
	mount -t proc proc "$tmp/proc"
	mount --bind "$cache/debs" "$tmp/var/cache/apt/archives"
	printf '#!/bin/sh\nexit 101\n' >"$tmp/usr/sbin/policy-rc.d"
	chmod 755 "$tmp/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$tmp/etc/dpkg/dpkg.cfg.d/lab"
	tree_apt install "${list[@]}"
	rm "$tmp/usr/sbin/policy-rc.d"
	umount "$tmp/var/cache/apt/archives" "$tmp/proc"
}

# What every machine booted from the tree shares. Units that only cost time in a machine without
# users, disks or a network of its own to configure are masked.
prepare_tree() {
	local unit
	rm -rf "$tmp"/var/lib/apt/lists/* "$tmp"/var/cache/apt/*.bin
	: >"$tmp/etc/machine-id"
	rm -f "$tmp/var/lib/dbus/machine-id" "$tmp/etc/resolv.conf" "$tmp/etc/hostname"
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		fstrim.timer systemd-networkd.service systemd-networkd.socket \
		systemd-networkd-wait-online.service systemd-resolved.service \
		systemd-timesyncd.service systemd-modules-load.service ldconfig.service \
		systemd-journal-catalog-update.service systemd-update-utmp.service \
		getty.target console-getty.service getty@tty1.service systemd-logind.service; do
		ln -sf /dev/null "$tmp/etc/systemd/system/$unit"
	done
	# These run where a test or the lab starts them; D-Bus starts nothing of its own accord.
	rm -f "$tmp"/etc/systemd/system/multi-user.target.wants/{frr,bird,firewalld,ufw,keepalived,nginx,haproxy,h2o}.service \
		"$tmp"/etc/systemd/system/dbus-org.fedoraproject.FirewallD1.service
	sed -i -E 's/^(bgpd|bfdd)=no/\1=yes/' "$tmp/etc/frr/daemons"
	mkdir -p "$tmp/src" "$tmp/lab"
	wanted_stamp >"$tmp/$stamp"
}

make_tree() {
	local mirror
	say "Debian 13 root file system: making it in build/rootfs (once; kept until its list changes)"
	: >"$log"
	rm -rf --one-file-system "$tmp"
	mkdir -p "$cache"
	mirror=$(find_mirror) || die "none of this machine's apt sources carries Debian $suite:" \
		"add one, or set MESHGW_LAB_MIRROR to a mirror's address (log: $log)"
	step "debootstrap and the archive's keys" "$log" fetch_tools
	keyring=$cache/tools/tree/usr/share/keyrings/debian-archive-keyring.gpg
	step "debootstrap $suite" "$log" run_debootstrap "$mirror"
	write_apt_conf "$mirror"
	step "package lists" "$log" tree_apt update
	step "$(read_list | wc -l) packages and what they need" "$log" install_packages
	step "settings" "$log" prepare_tree
	rm -rf --one-file-system "$root"
	mv "$tmp" "$root"
}

# Tests read this file for what is defined above.
[[ ${BASH_SOURCE[0]} == "$0" ]] || return 0

mkdir -p "$build/lab/log"
if ! is_whole; then
	[[ ! -e $root ]] || say "build/rootfs is old, half-made or broken: it is made again"
	make_tree
	is_whole || die "the root file system that was just made does not work (log: $log)"
fi
