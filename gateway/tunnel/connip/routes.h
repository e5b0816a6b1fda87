/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * routes: is this address, with this protocol, one of those? Asked for each packet.
 *
 * Immutable sorted arrays, built anew when something changes, one of each family and protocol: a
 * lookup is a binary search or two over plain numbers. ICMP is always allowed (RFC
 * 9484 4.6, 4.7.3): beside the ranges by protocol there is their union, which holds for it and for
 * questions without a protocol.
 */
#include "connip/range.h"

struct routes_span {
	number first, last;
};

/* Ascending, without overlap. */
struct routes_part {
	uint8_t family, proto;
	const struct routes_span *spans; /* borrowed from struct routes */
	size_t n;
};

struct routes {
	struct routes_part *parts; /* by family and protocol */
	size_t n;
	struct routes_part all[2], any[2]; /* IPv4, IPv6: of protocol 0, and the union */
	struct routes_span *spans, *union_spans;
};

/* A protocol that a packet does not tell: of a later fragment behind extension headers. */
constexpr int ROUTES_PROTO_UNKNOWN = -1;

enum routes_answer {
	ROUTES_NONE,           /* the address is in no range */
	ROUTES_OTHER_PROTOCOL, /* it is, but for other protocols */
	ROUTES_MATCH,
};

/* Replaces what is there with a copy of list, in any order. */
void routes_set(struct routes *r, const struct connip_range *list, size_t n);
void routes_clear(struct routes *r);

enum routes_answer routes_find(const struct routes *r, uint8_t family, number addr, int proto);
/* Whatever the protocol. */
bool routes_have(const struct routes *r, uint8_t family, number addr);
bool routes_have_family(const struct routes *r, uint8_t family);
