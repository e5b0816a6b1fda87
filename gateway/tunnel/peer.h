/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * peer: what is known and shown of one connection.
 */
#include "lane.h"
#include "quic/connection.h"
#include "watch.h"
#include <systemd/sd-json.h>

struct peer {
	struct quic_connection *connection;
	struct lane *lane; /* nullptr = no request yet, or none any more */
	uint64_t since_ns; /* of the handshake */
	uint8_t key[QUIC_KEY_DIGEST];
	char group[32], cipher[48];
	const char *name;    /* of the node or edge, borrowed; nullptr = it has none */
	const char *replica; /* borrowed */
	bool active;
	uint64_t foreign; /* packets from another node's address */
	struct watch watch;
};

/* Copies what the handshake told. */
void peer_note(
	struct peer *p, struct quic_connection *c, const struct quic_peer *told, uint64_t now_ns);
/* Appends an object to a list. */
[[nodiscard]] int peer_report(const struct peer *p, uint64_t now_ns, sd_json_variant **list);
