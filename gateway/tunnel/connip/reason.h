/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reason: the words for what goes wrong in a session: faults of the peer that end its stream, what
 * becomes of packets, and what exceeds the policy. Stable words, for counters and conditions.
 */
#include <stdint.h>

/* Why the request stream is to be aborted. */
enum connip_fault {
	CONNIP_FAULT_NONE,
	CONNIP_FAULT_MALFORMED,     /* a capsule's fields (RFC 9297 3.3) */
	CONNIP_FAULT_TRUNCATED,     /* the stream ended inside a capsule (3.3) */
	CONNIP_FAULT_REQUEST_EMPTY, /* an ADDRESS_REQUEST without entries (RFC 9484 4.7.2) */
	CONNIP_FAULT_REQUEST_ID,    /* zero, or used before (4.7.2) */
	CONNIP_FAULT_ROUTE_ORDER,   /* 4.7.3 */
	CONNIP_FAULT_ROUTE_OVERLAP, /* of all protocols with one of them (4.7.3) */
	CONNIP_FAULT_FLOOD,         /* more capsules than anybody needs */
	CONNIP_FAULT_REQUESTS,      /* more address requests than are answered */
	CONNIP_FAULT_MTU,           /* 1280 bytes do not get through (7.2) */
	CONNIP_FAULT_MAX
};
const char *connip_fault_str(enum connip_fault fault);
/* The HTTP/3 error code that the stream is aborted with (RFC 9114 8.1). */
uint64_t connip_fault_code(enum connip_fault fault);

/* What becomes of a packet. */
enum connip_pass {
	CONNIP_PASS,
	CONNIP_TAKEN,      /* it was for this end of the tunnel itself */
	CONNIP_MALFORMED,  /* packet.h */
	CONNIP_LINK_LOCAL, /* does not go beyond its link (RFC 9484 7.2) */
	CONNIP_EXPIRED,    /* TTL or Hop Limit is used up */
	CONNIP_BAD_SOURCE, /* not an address of the side it comes from (BCP 38) */
	CONNIP_NO_ROUTE,
	CONNIP_PROHIBITED, /* a route, but for other protocols; or an ICMP error out of scope */
	CONNIP_TOO_BIG,
	CONNIP_PASS_MAX
};
const char *connip_pass_str(enum connip_pass pass);

enum connip_excess {
	CONNIP_EXCESS_ADDRESSES, /* more than max_addresses in one ADDRESS_ASSIGN */
	CONNIP_EXCESS_ROUTES,    /* more than max_routes in one ROUTE_ADVERTISEMENT */
	CONNIP_EXCESS_MAX
};
const char *connip_excess_str(enum connip_excess excess);
