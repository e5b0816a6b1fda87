/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sockdiag: who listens on a port of this host (sock_diag(7)). Needs no privilege.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <stddef.h>

struct nl_sock;

struct listener {
	struct addr address; /* all zero bytes = any of its family */
	uint16_t port;
	bool v6_only;     /* IPv6: does not take IPv4 as well */
	uint32_t queue;   /* TCP: connections that wait to be accepted; UDP: bytes unread */
	uint32_t backlog; /* TCP: how many may wait */
};

struct listener_set {
	struct listener *list;
	size_t n;
};

/* All listening (TCP) or unconnected (UDP) sockets on a port. s is a NETLINK_SOCK_DIAG socket. 0 or
 * -errno; the set is replaced only on success. */
[[nodiscard]] int sockdiag_listeners(
	struct nl_sock *s, uint8_t proto, uint16_t port, struct listener_set *out, struct err *err);
void listener_set_clear(struct listener_set *set);

/* Does it take what comes to this address? */
bool listener_takes(const struct listener *l, const struct addr *to);
bool listener_is_loopback(const struct listener *l);

/* Reads one SOCK_DIAG_BY_FAMILY message about a socket of the internet. 0 or -EBADMSG. */
[[nodiscard]] int listener_read(const struct nlmsghdr *nlh, struct listener *out);
