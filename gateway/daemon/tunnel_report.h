/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_report: what meshgw-tunnel says of itself, read into values.
 *
 * It comes from the process that strangers talk to: texts are escaped and cut, lists are bounded,
 * and nothing is decided by it. The report may grow; what is not known here is not shown.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

constexpr size_t TUNNEL_PEERS_MAX = 4096;
constexpr size_t TUNNEL_NODES_MAX = 4096;
constexpr size_t TUNNEL_NODE_REPLICAS_MAX = 8;
constexpr size_t TUNNEL_LEASES_MAX = 2; /* one of each family */
constexpr size_t TUNNEL_TALLIES_MAX = 64;
constexpr size_t TUNNEL_TEXT_STRLEN = 128;
constexpr size_t TUNNEL_WORD_STRLEN = 24;
constexpr uint64_t TUNNEL_NEVER = UINT64_MAX; /* in seconds */

/* One connection. Texts "" = not told. */
struct tunnel_peer {
	char node[TUNNEL_TEXT_STRLEN], replica[TUNNEL_TEXT_STRLEN];
	char address[TUNNEL_TEXT_STRLEN];
	char group[TUNNEL_TEXT_STRLEN], cipher[TUNNEL_TEXT_STRLEN];
	bool open;   /* its request was accepted, and packets may flow */
	bool active; /* of its node's replicas this one carries the traffic */
	uint64_t seconds;
	uint64_t rtt_us, lost;
	uint64_t payload;                      /* bytes of the largest datagram */
	uint64_t in, out, dropped, bad_source; /* packets; in: from the peer */
	/* The dropped by their reason, an object of numbers; nullptr = not told */
	sd_json_variant *drops_in, *drops_out;
};

struct tunnel_replica_state {
	char name[TUNNEL_TEXT_STRLEN];
	bool connected, active;
	uint64_t seconds; /* since it came, or went */
};

struct tunnel_way {
	uint64_t packets, bytes, limited;
};

/* One node of an edge. */
struct tunnel_node_state {
	char name[TUNNEL_TEXT_STRLEN];
	char active[TUNNEL_TEXT_STRLEN]; /* "" = no replica is */
	char why[TUNNEL_WORD_STRLEN];
	uint64_t seconds, changes; /* of who is active */
	uint64_t foreign;          /* packets from another node's address */
	struct tunnel_way in, out; /* in: from the node */
	struct addr leases[TUNNEL_LEASES_MAX];
	size_t n_leases;
	struct tunnel_replica_state *replicas;
	size_t n_replicas;
};

/* How a connector fares. */
struct tunnel_dial {
	char state[TUNNEL_WORD_STRLEN]; /* "" = not told */
	char edge[TUNNEL_TEXT_STRLEN];
	char error[TUNNEL_TEXT_STRLEN]; /* why the last connection ended, or none came about */
	uint64_t pause_ms;              /* until it is dialled again */
};

/* Why meshgw-tunnel does not take what it was told. */
struct tunnel_problem {
	char text[TUNNEL_TEXT_STRLEN]; /* "" = it does */
	char file[TUNNEL_WORD_STRLEN]; /* that is to be mended: certificate, with its key, or ca; ""
					  = none */
	bool stands;                   /* there is a tunnel, as it was */
};

struct tunnel_report {
	sd_json_variant *json; /* that others point into */
	struct tunnel_peer *peers;
	size_t n_peers;
	uint64_t peers_more; /* that were told of beyond TUNNEL_PEERS_MAX */
	struct tunnel_node_state *nodes;
	size_t n_nodes;
	uint64_t without_address;
	struct tunnel_dial dial;
	struct tunnel_problem problem;
	sd_json_variant *counters; /* an object of numbers; nullptr = not told */
};

/* 0 and *out, or -errno and *out empty. */
[[nodiscard]] int tunnel_report_read(sd_json_variant *v, struct tunnel_report *out);
void tunnel_report_clear(struct tunnel_report *r);
/* guess: where it is, if both sides have the same order. nullptr: nothing was told of it. */
const struct tunnel_node_state *tunnel_report_node(
	const struct tunnel_report *r, const char *name, size_t guess);
const struct tunnel_replica_state *tunnel_report_replica(
	const struct tunnel_node_state *node, const char *name);
