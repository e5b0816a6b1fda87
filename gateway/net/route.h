/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * route: kernel routes, and the kernel's own answer to "where would this packet go".
 *
 * route_add() and route_del() write exactly one route that carries our protocol number and
 * metric (lib/marks.h); a route of anybody else is never replaced or deleted: adding uses
 * neither NLM_F_REPLACE nor a bare delete-by-prefix. When a foreign route already has our prefix
 * and metric, ours is put in front of it (NLM_F_CREATE without APPEND, fib_table_insert()).
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>

struct nl_sock;

struct route {
	struct prefix dst;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol; /* rtm_protocol */
	uint8_t type;	  /* RTN_UNICAST, RTN_BLACKHOLE … */
	uint8_t scope;
	uint8_t nexthop_flags; /* RTNH_F_LINKDOWN, RTNH_F_DEAD … */
	int oif;	       /* 0 = none (blackhole) or several */
	struct addr gateway;   /* family AF_UNSPEC = on link */
	struct addr prefsrc;
	uint32_t nexthop_id; /* nexthop object, 0 = none */
};

struct route_set {
	struct route *list; /* sorted by prefix, metric, oif */
	size_t n;
};

void route_set_clear(struct route_set *set);

/* Total order by (dst, table, metric, protocol, oif). */
int route_cmp(const struct route *a, const struct route *b);
/* "100.64.0.0/12 dev 7 proto 107 metric 4261412864 table 254" for logs. buf ≥ 160 bytes. */
const char *route_str(const struct route *r, char *buf, size_t size);

/* Dumps table `table` of one family and keeps what keep() accepts. The whole table is walked
 * (10 ms at 200,000 routes), nothing else is stored. 0 or -errno. */
[[nodiscard]] int route_dump(struct nl_sock *s, uint8_t family, uint32_t table,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err);

/* r: dst, table, metric, protocol, oif are used; type unicast, scope link. 0; -EEXIST; other
 * -errno of the kernel. */
[[nodiscard]] int route_add(struct nl_sock *s, const struct route *r, struct err *err);
/* Deletes only the route with this dst, table, metric, protocol and (if not 0) oif. -ESRCH when
 * there is none. */
[[nodiscard]] int route_del(struct nl_sock *s, const struct route *r, struct err *err);

/* Read one RTM_NEWROUTE/DELROUTE message. 0 or -EBADMSG. */
[[nodiscard]] int route_read(const struct nlmsghdr *nlh, struct route *out);

struct route_question {
	struct addr src; /* AF_UNSPEC = unset */
	struct addr dst;
	int iif; /* 0 = as if sent locally */
	uint32_t mark;
};

struct route_answer {
	int error; /* 0, or the errno that the lookup gave: EINVAL, EHOSTUNREACH, ENETUNREACH, EACCES */
	struct route route; /* oif, table, type …, valid when error is 0 */
};

/* RTM_GETROUTE. 0 when the kernel answered (answer->error may still be set), else -errno. */
[[nodiscard]] int route_ask(struct nl_sock *s, const struct route_question *q,
	struct route_answer *answer, struct err *err);
