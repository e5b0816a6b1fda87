/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * link: network interfaces and their addresses, as dumped and as announced (rtnetlink(7)).
 * Plain values; nothing is changed here.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <net/if.h>

struct nl_sock;

constexpr size_t LINK_KIND_LEN = 16;

struct link {
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t flags;           /* IFF_UP, IFF_LOWER_UP (carrier) … */
	uint32_t mtu;             /* bytes */
	char kind[LINK_KIND_LEN]; /* "tun", "veth", "bridge" …, "" = the driver of a device */
	int master;               /* ifindex of its bridge, bond or VRF, 0 = none */
	uint32_t vrf_table;       /* of a VRF */
	bool ours;                /* its alias is MARK_LINK_ALIAS */
};

/* (<net/if.h> has a struct ifaddr of its own.) */
struct ifaddr_entry {
	int ifindex;
	struct addr address;
	uint8_t prefix_len;
	bool from_ra;   /* IFA_PROTO says kernel_ra: a router advertisement made it */
	bool tentative; /* duplicate address detection still runs */
};

struct link_set {
	struct link *list; /* sorted by ifindex */
	size_t n;
};

struct ifaddr_set {
	struct ifaddr_entry *list;
	size_t n;
};

/* Answers 0 or -errno; the set is replaced only on success. */
[[nodiscard]] int link_dump(struct nl_sock *s, struct link_set *out, struct err *err);
[[nodiscard]] int ifaddr_dump(struct nl_sock *s, struct ifaddr_set *out, struct err *err);
void link_set_clear(struct link_set *set);
void ifaddr_set_clear(struct ifaddr_set *set);

/* nullptr when there is none. */
const struct link *link_by_name(const struct link_set *set, const char *name);
const struct link *link_by_index(const struct link_set *set, int ifindex);

/* Read one RTM_NEWLINK/DELLINK, RTM_NEWADDR/DELADDR message. 0 or -EBADMSG, also for any other
 * type or family: an AF_BRIDGE RTM_DELLINK says that a port left its bridge, not that it went. */
[[nodiscard]] int link_read(const struct nlmsghdr *nlh, struct link *out);
[[nodiscard]] int ifaddr_read(const struct nlmsghdr *nlh, struct ifaddr_entry *out);

/* Packets since the interface exists (rtnl_link_stats64). */
struct link_counters {
	uint64_t rx_packets, tx_packets, rx_errors, tx_errors, rx_dropped, tx_dropped;
};
/* 0 or -errno. */
[[nodiscard]] int link_counters_read(
	struct nl_sock *s, int ifindex, struct link_counters *out, struct err *err);

/* Of those, what it was given to send. */
struct link_tx {
	uint64_t sent, dropped;
};
[[nodiscard]] int link_tx_read(
	struct nl_sock *s, int ifindex, struct link_tx *out, struct err *err);
