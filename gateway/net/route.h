/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * route: kernel routes, and the kernel's own answer to "where would this packet go".
 *
 * route_add() and route_del() write exactly one route, known by protocol number and metric
 * (lib/marks.h); a route of anybody else is never replaced or deleted. What happens beside a
 * foreign route of the same prefix and metric differs by family (measured, route.c):
 *
 *   IPv4  ours is put in front of it and wins, also on the same device
 *   IPv6  on another device ours is put behind it, and the foreign one wins; on the same device
 *         the kernel takes no second route: -ENOTUNIQ, and the path is the foreign route's
 *
 * An IPv4 route that somebody puts in front of ours later stays there: route_add() then answers
 * -EEXIST, and route_ask() shows who wins.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>

struct nl_sock;

struct route {
	struct prefix dst;
	struct prefix src;   /* IPv6 only: for packets from there; length 0 = all */
	struct addr gateway; /* family AF_UNSPEC = on link, or several */
	struct addr prefsrc;
	uint8_t protocol; /* rtm_protocol */
	uint8_t type;     /* RTN_UNICAST, RTN_BLACKHOLE … */
	uint8_t scope;
	uint8_t tos;           /* IPv4 only: for packets of this one; 0 = all */
	uint8_t pref;          /* IPv6 only: of a router advertisement (ICMPV6_ROUTER_PREF_x) */
	uint8_t nexthop_flags; /* RTNH_F_LINKDOWN, RTNH_F_DEAD … */
	uint32_t table;
	uint32_t metric;
	int oif;             /* 0 = none (blackhole) or several */
	uint32_t nexthop_id; /* nexthop object, 0 = none */
};

struct route_set {
	struct route *list; /* sorted by route_cmp(), if the filter did not say otherwise */
	size_t n;
};

void route_set_clear(struct route_set *set);

/* Total order by (dst, table, metric, protocol, oif). */
int route_cmp(const struct route *a, const struct route *b);
/* "100.64.0.0/12 dev 7 proto 107 metric 4261412864 table 254" for logs. Returns buf. */
constexpr size_t ROUTE_STRLEN = 160;
const char *route_str(const struct route *r, char *buf, size_t size);

/* Which routes a dump is about. The kernel walks the whole table whatever the filter is, but
 * skips what does not match before it is copied: beside 200,000 routes of others a dump of ours
 * took 13 ms (IPv4) and 32 ms (IPv6), one of all 110 and 170 ms. */
struct route_filter {
	uint8_t family;
	uint32_t table;   /* 0 = any */
	uint8_t protocol; /* 0 = any */
	int oif;          /* 0 = any */
	bool unsorted;    /* leave the routes in the order in which the kernel tries them */
};

/* Dumps the routes of the filter and keeps what keep() accepts; nullptr = all. A table that does
 * not exist is empty. 0 or -errno; the set is replaced only on success. */
[[nodiscard]] int route_dump(struct nl_sock *s, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err);

/* r: dst, table, metric, protocol, oif are used, none of them 0; type unicast, scope link. 0;
 * -EEXIST when exactly this route is there; -ENOTUNIQ, see above; other -errno of the kernel
 * (-ENETDOWN: the link is down, -ENODEV: it is gone). */
[[nodiscard]] int route_add(struct nl_sock *s, const struct route *r, struct err *err);
/* Deletes one route with this dst, table, metric, protocol (none of them 0) and, if not 0, oif,
 * whatever its type. -ESRCH when there is none. */
[[nodiscard]] int route_del(struct nl_sock *s, const struct route *r, struct err *err);
/* Deletes exactly this route of somebody else's, which a dump has shown: dst, table, metric,
 * protocol, type, oif and gateway count, also where they are 0. For an operator who asked for it;
 * the daemon by itself never does. -ESRCH when it is not there (any more). */
[[nodiscard]] int route_del_foreign(struct nl_sock *s, const struct route *r, struct err *err);

/* Reads one RTM_NEWROUTE/DELROUTE message. 0 or -EBADMSG. */
[[nodiscard]] int route_read(const struct nlmsghdr *nlh, struct route *out);

struct route_question {
	struct addr src; /* AF_UNSPEC = unset */
	struct addr dst;
	int iif; /* 0 = as if sent locally */
	int oif; /* 0 = any; else only routes by this interface, whatever rules say */
	uint32_t mark;
	uint8_t proto;         /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6; 0 = not told, and no ports */
	uint16_t sport, dport; /* 0 = not told */
	bool fib_match; /* answer with the table's entry, not with what it means for this packet */
};

struct route_answer {
	/* 0, or what the lookup gave: ENETUNREACH, EHOSTUNREACH, EACCES (prohibit), EINVAL
	 * (blackhole; with iif also a source that cannot be: rp_filter, for which kernels before
	 * 6.14 say EXDEV). */
	int error;
	struct route route; /* oif, table, type …, valid when error is 0 */
	bool redirect;      /* the sender will hear of a better way: it leaves by where it came */
};

/* RTM_GETROUTE. 0 when the kernel answered (answer->error may still be set), else -errno. */
[[nodiscard]] int route_ask(struct nl_sock *s, const struct route_question *q,
	struct route_answer *answer, struct err *err);
