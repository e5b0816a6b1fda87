/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * neigh: what the kernel knows of the link address of a host on a link (ARP, neighbour discovery).
 *
 * neigh_get() asks for one entry; nothing is sent by that. A neigh_watch hears of every change of
 * one entry while it is open, and so of two hosts that claim the same address. The kernel does not
 * take a second answer within a second of the first (locktime), and drops notifications that there
 * is no room for, so a watch of a few seconds may miss the other one; it never invents one.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <stddef.h>

struct nl_sock;

constexpr size_t NEIGH_LLADDR_LEN = 24; /* "02:00:00:00:01:32"; of longer ones the beginning */

struct neigh {
	struct addr address;
	int ifindex;
	uint16_t state;                /* NUD_REACHABLE …, 0 = NUD_NONE */
	char lladdr[NEIGH_LLADDR_LEN]; /* "" = not known */
};

/* "reachable", "stale", "failed" … as `ip neigh` says; of several bits the lowest. */
const char *neigh_state_str(uint16_t state);

/* 0; -ENOENT when there is no entry; or -errno. */
[[nodiscard]] int neigh_get(struct nl_sock *s, int ifindex, const struct addr *address,
	struct neigh *out, struct err *err);

/* Asks a neighbour that is known whether it is still there, as the kernel does by itself before it
 * forgets one (state NUD_PROBE): it is reachable again at once, or has failed after some seconds.
 * 0; -ENOENT, also where there is nothing to ask for; or -errno. */
[[nodiscard]] int neigh_verify(
	struct nl_sock *s, int ifindex, const struct addr *address, struct err *err);

/* Reads one RTM_NEWNEIGH/DELNEIGH message. 0 or -EBADMSG, also for entries without an address of
 * IPv4 or IPv6 (bridges have such). */
[[nodiscard]] int neigh_read(const struct nlmsghdr *nlh, struct neigh *out);

/* ---- a watch of one entry ---- */

struct neigh_watch;

[[nodiscard]] int neigh_watch_open(
	int ifindex, const struct addr *address, struct neigh_watch **out, struct err *err);
void neigh_watch_close(struct neigh_watch *w); /* nullptr is allowed */
int neigh_watch_fd(const struct neigh_watch *w);
/* Reads what there is, without blocking. 0 or -errno; lost notifications are no error. */
[[nodiscard]] int neigh_watch_read(struct neigh_watch *w);
/* The n-th different link address that was seen (0, 1 …), "" = no such. */
const char *neigh_watch_lladdr(const struct neigh_watch *w, size_t n);
