/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_tunnel: the gateway's own tunnel, a part of GetStatus; rules as in reply.h.
 *
 * Arrays of strings, and objects of numbers, are checked and borrowed; nullptr = there is none.
 */
#include "cli/reply_list.h"
#include <stdint.h>
#include <systemd/sd-json.h>

constexpr uint64_t REPLY_NEVER = UINT64_MAX; /* in seconds */

struct reply_peer {
	bool set;
	const char *address, *state;
	const char *node, *replica, *group, *cipher; /* may be nullptr */
	uint64_t seconds, rtt_us, lost, payload;
	uint64_t packets_in, packets_out, dropped;
	sd_json_variant *drops_in, *drops_out; /* numbers, by reason */
};

struct reply_replica {
	const char *name, *state;
	uint64_t seconds; /* since it came, or went */
	sd_json_variant *pins;
	struct reply_peer peer;
};

struct reply_way {
	uint64_t packets, bytes, limited;
};

struct reply_edge_node {
	const char *name, *promotion;
	const char *active, *why; /* may be nullptr */
	sd_json_variant *addresses, *routes;
	uint64_t packets_limit, bytes_limit; /* 0 = none */
	uint64_t seconds, changes, foreign;
	struct reply_way in, out;
	struct list replicas;
};

struct reply_edge {
	bool set;
	sd_json_variant *pool;
	uint64_t without_address;
	uint64_t connections, handshakes, unauthenticated, retry_above; /* limits */
	struct list nodes;
};

struct reply_dial {
	bool set;
	const char *state;
	const char *edge, *error; /* may be nullptr */
	uint64_t pause_ms;
};

struct reply_socket {
	const char *address;
	uint64_t port;
	const char *reason; /* nullptr: it is open */
};

struct reply_refusal {
	const char *prefix, *reason;
};

struct reply_tunnel {
	bool set, attached;
	const char *role;
	uint64_t generation;
	sd_json_variant *addresses, *routes;
	struct list refused, sockets, peers;
	uint64_t peers_more; /* that are not in the list */
	struct reply_dial dial;
	struct reply_edge edge;
	sd_json_variant *counters; /* numbers, by name */
	sd_json_variant *raw;      /* borrowed */
};

/* sd_json_dispatch_callback_t for a struct reply_tunnel. */
int tunnel_dispatch(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *to);
void reply_tunnel_clear(struct reply_tunnel *t);

/* The number of this name; 0 where it is not. */
uint64_t tally_of(sd_json_variant *tallies, const char *name);
/* Those of an object, from 0 on; false behind the last one. */
bool tally_at(sd_json_variant *tallies, size_t i, const char **name, uint64_t *n);
