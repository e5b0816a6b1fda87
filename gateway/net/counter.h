/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * counter: what the kernel counts, by the names that nstat(8) and lnstat(8) use.
 *
 *   IpInAddrErrors, TcpExtIPReversePathFilter   /proc/net/snmp, netstat: table and column
 *   Ip6InAddrErrors                             /proc/net/snmp6
 *   nf_conntrack.drop, rt_cache.in_martian_src  /proc/net/stat/…, summed over the processors
 *   nf_conntrack_count, nf_conntrack_max        net.netfilter
 *   CloudflareWARP.tx_dropped                   of one interface (rtnetlink)
 *
 * They are those of the reader's network namespace, but for the caches of /proc/net/stat: the
 * kernel keeps one rt_cache for all namespaces, and shows the neighbour tables' in the first one
 * only. Everybody may read them. Only differences mean anything.
 */
#include "lib/err.h"
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;

constexpr size_t COUNTER_NAME_LEN = 64;

struct counter {
	char name[COUNTER_NAME_LEN];
	uint64_t value;
};

/* A list, sorted by name once counter_sort() was called. */
struct counter_set {
	struct counter *list;
	size_t n, cap;
};

/* Reads everything but interfaces, and sorts. What the kernel does not have is not there; 0, or
 * -errno when there is nothing at all (no /proc). */
[[nodiscard]] int counter_read(struct counter_set *out, struct err *err);
/* Adds those of one interface: rx_packets, tx_packets, rx_errors, tx_errors, rx_dropped,
 * tx_dropped; counter_sort() afterwards. 0 or -errno. */
[[nodiscard]] int counter_add_link(
	struct nl_sock *s, int ifindex, const char *name, struct counter_set *out, struct err *err);
void counter_sort(struct counter_set *set);
void counter_set_clear(struct counter_set *set);

/* By name in a sorted set; nullptr = none. */
const struct counter *counter_find(const struct counter_set *set, const char *name);
/* How much a counter grew; 0 where it is not in both, or went back. */
uint64_t counter_growth(
	const struct counter_set *before, const struct counter_set *after, const char *name);

/* The parsers, of text that ends with NUL; what is odd in it is left out. For counter_read(). */
void counter_parse_columns(const char *text, struct counter_set *out); /* snmp, netstat */
void counter_parse_lines(const char *text, struct counter_set *out);   /* snmp6 */
void counter_parse_cpus(const char *text, const char *prefix, struct counter_set *out); /* stat/… */
