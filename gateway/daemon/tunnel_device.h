/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_device: the mesh interface where meshgw-tunnel brings it, a TUN of our own.
 *
 * meshgwd makes it, for it takes CAP_NET_ADMIN; the tunnel gets a duplicate of the descriptor. It
 * lives as long as one of the two is open, so neither program's restart costs a route, and systemd
 * keeps ours through a crash (tunnel.h). It is not persistent: nothing is left when all are closed.
 * An interface of that name which somebody else made is never touched.
 *
 * Its addresses are those that tunnel_device_addresses() was told; link-local ones are the
 * kernel's.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include "net/link.h"

constexpr uint64_t TUNNEL_DEVICE_RETRY_US = 1'000'000;

struct tunnel_device {
	int fd; /* -1 = there is none */
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t mtu;
	struct err problem; /* code 0 = none */
	uint64_t retry_us;
};

void tunnel_device_init(struct tunnel_device *d);
/* Makes it, or makes it as it should be. True: there is another descriptor than before. */
bool tunnel_device_want(struct tunnel_device *d, const char *name, uint32_t mtu, uint64_t now_us);
/* Is it a TUN like ours, of that name? */
bool tunnel_device_is(int fd, const char *name);
/* Of before a restart; closed where it is no TUN. */
void tunnel_device_adopt(struct tunnel_device *d, int take_fd);
/* The addresses that it is to have, of those that there are; only: and no others. */
void tunnel_device_addresses(struct tunnel_device *d, const struct ifaddr_set *seen,
	const struct prefix *list, size_t n, bool only);
/* Removes the interface. */
void tunnel_device_remove(struct tunnel_device *d);
/* The same without a descriptor, while no daemon runs; what another program made stays. */
[[nodiscard]] int tunnel_device_remove_named(const char *name, struct err *err);
/* Closes our descriptor and leaves the interface to whoever has another. */
void tunnel_device_clear(struct tunnel_device *d);
