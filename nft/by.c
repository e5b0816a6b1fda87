/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/by.h"
#include <fnmatch.h>
#include <stddef.h>

/* Patterns of fnmatch(3). */
static const struct {
	const char *by, *table, *chain; /* nullptr = any */
} names[] = {
	{"meshgw", "meshgw", nullptr},
	{"meshgw", "meshgw_diag_*", nullptr},
	{"docker", nullptr, "DOCKER*"},
	{"docker", "docker-bridges", nullptr},
	{"ufw", nullptr, "ufw-*"},
	{"ufw", nullptr, "ufw6-*"},
	{"firewalld", "firewalld", nullptr},
	{"firewalld", nullptr, "*_direct"}, /* its iptables back end */
	{"firewalld", nullptr, "*_ZONES"},
	{"firewalld", nullptr, "FWD[IO]_*"},
	{"tailscale", nullptr, "ts-*"},
	{"kube", nullptr, "KUBE-*"},
	{"kube", "kube-proxy", nullptr},
	{"calico", nullptr, "cali-*"},
	{"calico", "calico", nullptr},
	{"cilium", nullptr, "CILIUM_*"},
	{"flannel", nullptr, "FLANNEL-*"},
	{"flannel", "flannel-*", nullptr},
	{"libvirt", nullptr, "LIBVIRT_*"},
	{"libvirt", "libvirt_network", nullptr},
	{"warp", "cloudflare-warp", nullptr},
	{"podman", nullptr, "NETAVARK*"},
	{"podman", "netavark", nullptr},
	{"podman", nullptr, "CNI-*"},
	{"networkd", "io.systemd.nat", nullptr},
	{"networkmanager", nullptr, "nm-s*"},
	{"networkmanager", "nm-s*", nullptr},
	{"netbird", "netbird*", nullptr},
	{"netbird", nullptr, "NETBIRD-*"},
	{"wg-quick", "wg-quick-*", nullptr},
	{"lxd", "lxd", nullptr},
	{"incus", "incus", nullptr},
	{"fail2ban", "f2b-*", nullptr},
	{"fail2ban", nullptr, "f2b-*"},
	{"crowdsec", "crowdsec*", nullptr},
	{"nixos", "nixos-*", nullptr},
	{"nixos", nullptr, "nixos-*"},
	{"openwrt", "fw4", nullptr},
	{"vyos", "vyos_*", nullptr},
};

static bool fits(const char *pattern, const char *name)
{
	return !pattern || fnmatch(pattern, name, 0) == 0;
}

const char *nft_by(const char *table, const char *chain)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fits(names[i].table, table) && fits(names[i].chain, chain))
			return names[i].by;
	return "";
}
