#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes DEST/node_modules, what the lock file of examples/wrangler pins, unless it is there and
# whole: workerd, the runtime that the lab's Workers run on, and what builds and checks them.
#
#	fetch.sh DEST
#
# By the host's npm, else by one that is installed for the purpose into a throw-away layer over the
# Debian 13 in MESHGW_ROOT (build/rootfs beside DEST), by the host's apt as rootfs.sh set it up. In
# both cases the host's own npm settings, proxies and certificates hold, and nothing is installed on
# the host. Run it in mount and PID namespaces of its own (./lab does): what it mounts and starts
# then ends with it. The folder is made as DEST.tmp and renamed when it is whole.
set -euo pipefail

here=$(cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=tests/lab/host/say.sh
. "$here/../host/say.sh"

[[ $# == 1 ]] || die "usage: fetch.sh DEST"
mkdir -p "$(dirname -- "$1")"
build=$(cd -- "$(dirname -- "$1")" && pwd)
dest=$build/$(basename -- "$1")
pins=$here/../../../examples/wrangler
tmp=$dest.tmp
root=${MESHGW_ROOT:-$build/rootfs}
cache=$build/cache
log=$build/lab/log/npm.log

case $(uname -m) in
x86_64 | aarch64) ;;
*) die "workerd exists for amd64 and arm64 only, not for $(uname -m)" ;;
esac

wanted_stamp() { sha256sum <"$pins/package-lock.json" | cut -d' ' -f1; }

is_whole() {
	[[ -f $dest/stamp && $(<"$dest/stamp") == "$(wanted_stamp)" ]] &&
		works "$dest"
}

works() {
	local bin=$1/node_modules/.bin
	"$bin/node" --version && "$bin/node" "$bin/workerd" --version
} >/dev/null 2>&1

# npm_ci NPM…: the install scripts would only make npm's bin links faster.
npm_ci() {
	"$@" ci --ignore-scripts --no-audit --no-fund --no-update-notifier && works "$tmp/npm"
}

host_npm() {
	cd "$tmp/npm" && npm_config_cache=$tmp/cache npm_ci npm
}

# The layer is a tmpfs: an overlay cannot be the upper layer of another, and the build folder may
# well be on one.
mount_layer() {
	mkdir -p "$tmp/layer" &&
		mount -t tmpfs -o mode=755 layer "$tmp/layer" &&
		mkdir "$tmp/layer/upper" "$tmp/layer/work" "$tmp/layer/root" &&
		mount -t overlay -o "lowerdir=$root,upperdir=$tmp/layer/upper,workdir=$tmp/layer/work" \
			layer "$tmp/layer/root" &&
		mount -t proc proc "$tmp/layer/root/proc" &&
		mount --rbind /dev "$tmp/layer/root/dev" &&
		mount --make-rslave "$tmp/layer/root/dev" &&
		mkdir -p "$tmp/layer/root/var/cache/apt/archives/partial" "$cache/debs/partial" &&
		mount --bind "$cache/debs" "$tmp/layer/root/var/cache/apt/archives"
}

# The settings that rootfs.sh left speak of the tree that it made: these come after them.
layer_apt() {
	local tree=$tmp/layer/root
	DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -c "$cache/apt.conf" \
		-o Dir::State="$tree/var/lib/apt" -o Dir::State::status="$tree/var/lib/dpkg/status" \
		-o Dir::Cache="$tree/var/cache/apt" -o Dir::Log="$tree/var/log/apt" \
		-o DPkg::Chroot-Directory="$tree" -o Dpkg::Options::=--force-unsafe-io "$@"
}

# copy_setting FILE…: each to the same place in the layer, if the host has it.
copy_setting() {
	local file
	for file; do
		[[ $file == /* && -f $file ]] || continue
		install -D -m 600 "$file" "$tmp/layer/root$file" || return
	done
}

# The file that a npmrc or the environment names as its certificates.
named_certificates() {
	sed -n 's/^[[:space:]]*cafile[[:space:]]*=[[:space:]]*//p' \
		"${npm_config_userconfig:-$HOME/.npmrc}" /etc/npmrc /usr/etc/npmrc 2>/dev/null || true
	printf '%s\n' "${npm_config_cafile:-}" "${NODE_EXTRA_CA_CERTS:-}"
}

copy_settings() {
	local certificates
	mapfile -t certificates < <(named_certificates)
	copy_setting /etc/resolv.conf /etc/hosts /etc/npmrc /usr/etc/npmrc "$HOME/.npmrc" \
		"${npm_config_userconfig:-}" "${npm_config_globalconfig:-}" \
		/etc/ssl/certs/ca-certificates.crt "${certificates[@]}"
}

layer_npm() {
	local settings
	mapfile -t settings < <(env | grep -iE \
		'^(npm_config_[^=]*|(https?|all|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)=')
	mkdir "$tmp/layer/root/mnt/npm" &&
		mount --bind "$tmp/npm" "$tmp/layer/root/mnt/npm" &&
		npm_ci chroot "$tmp/layer/root" env -i HOME="$HOME" PATH=/usr/bin:/bin \
			"${settings[@]}" npm_config_cache=/tmp/npm npm --prefix /mnt/npm
}

install_npm_package() {
	step "package lists" "$log" layer_apt update
	step "npm, in a throw-away layer over $(basename -- "$root")" "$log" \
		layer_apt install --no-install-recommends npm
}

by_layer() {
	[[ -x $root/usr/bin/apt-get && -f $cache/apt.conf ]] ||
		die "no working npm here, and no Debian 13 root file system at $root to run one in"
	step "a throw-away layer" "$log" mount_layer
	install_npm_package
	step "the host's npm settings" "$log" copy_settings
	step "by that npm" "$log" layer_npm
}

make_dest() {
	say "workerd and its tools: getting them into $dest (once, until their lock file changes)"
	: >"$log"
	rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp/npm"
	cp "$pins/package.json" "$pins/package-lock.json" "$tmp/npm/"
	if ! command -v npm >/dev/null || ! step "by this machine's npm" "$log" host_npm; then
		by_layer
	fi
	wanted_stamp >"$tmp/npm/stamp"
	rm -rf --one-file-system "$dest"
	mv "$tmp/npm" "$dest"
	umount -R "$tmp/layer" 2>/dev/null || true
	rm -rf --one-file-system "$tmp"
}

mkdir -p "$build/lab/log"
if ! is_whole; then
	[[ ! -e $dest ]] || say "$dest is old, half-made or broken: it is made again"
	make_dest
	is_whole || die "what was just fetched does not run (log: $log)"
fi
