/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * link_change: writing to an interface of our own, the tunnel's (rtnetlink(7)). Nobody else's is
 * ever written to.
 */
#include "lib/err.h"
#include "lib/ip.h"

struct nl_sock;

/* Marks the interface as ours, sets the MTU (bytes) and brings it up. 0 or -errno of the kernel. */
[[nodiscard]] int link_bring_up(struct nl_sock *s, int ifindex, uint32_t mtu, struct err *err);
/* Removes the interface and with it its routes. -ENODEV: it is gone. */
[[nodiscard]] int link_remove(struct nl_sock *s, int ifindex, struct err *err);

/* One address, alone: /32 or /128, so that no network comes with it, and IPv6 without duplicate
 * address detection, for nobody else is on the link. Adding: -EEXIST, it is there; removing:
 * -EADDRNOTAVAIL, it is not. */
[[nodiscard]] int ifaddr_add(
	struct nl_sock *s, int ifindex, const struct addr *address, struct err *err);
[[nodiscard]] int ifaddr_remove(
	struct nl_sock *s, int ifindex, const struct addr *address, struct err *err);
