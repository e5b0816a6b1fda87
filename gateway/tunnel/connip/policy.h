/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * policy: what an end of a tunnel may be told, and what it knows without being told.
 *
 * A peer only proposes. Addresses that it assigns count if they lie inside accept_addresses, routes
 * as far as they lie inside accept_routes, neither beyond its maximum; what is empty accepts
 * nothing. Static addresses and routes (RFC 9484 4.7.1, "out-of-band") hold beside what is
 * accepted.
 *
 * The scope (4.6) narrows the proxy's side to targets, and both sides to one protocol. A name must
 * have been resolved before: its targets are the addresses found.
 */
#include "lib/ip.h"
#include <stddef.h>

struct connip_prefixes {
	const struct prefix *list;
	size_t n;
};

enum connip_probe {
	CONNIP_PROBE_OFF,     /* it is known that no intermediary is in between */
	CONNIP_PROBE_WATCH,   /* ask, and tell the owner */
	CONNIP_PROBE_REQUIRE, /* no answer ends the tunnel, as RFC 9484 7.2 has it */
};

constexpr size_t CONNIP_ADDRESSES_DEFAULT = 64;
constexpr size_t CONNIP_ROUTES_DEFAULT = 256;
constexpr size_t CONNIP_DATAGRAM_DEFAULT = 2048;
constexpr size_t CONNIP_REQUESTS_MAX = 32; /* of the peer's, not yet answered */

struct connip_policy {
	struct connip_prefixes accept_addresses, accept_routes;
	struct connip_prefixes addresses; /* ours, static */
	struct connip_prefixes routes;    /* what the peer routes, static */
	size_t max_addresses, max_routes; /* 0 = the defaults above */
	bool scoped;                      /* the request names a target */
	struct connip_prefixes targets;
	uint8_t ipproto; /* 0 = any */
	bool silent;     /* of a dialect: the peer is told nothing, both ends know all of it */
	/* Sources of our ICMP messages; AF_UNSPEC = to the peer an address of ours; otherwise the
	 * destination of what could not be sent. */
	struct addr self4, self6;
	size_t datagram_max; /* of a DATAGRAM capsule; 0 = the default */
	enum connip_probe probe;
};
