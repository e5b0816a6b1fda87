/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/defaults.h"
#include "conf/duration.h"

constexpr size_t MAX_PER_CLASS = 2;

/* Cloudflare One documentation, "Reserved IP addresses" (networks/routes/reserved-ips): Cloudflare
 * source IPs, and device and Mesh IPs. The other classes hold nothing unless the account uses the
 * product. */
static const struct {
	size_t n;
	struct prefix list[MAX_PER_CLASS];
} classes[RANGE_CLASSES] = {
	[RANGE_WORKERS] = {2,
		{{{AF_INET, {100, 64}}, 12},
			{{AF_INET6, {0x26, 0x06, 0x47, 0x00, 0x0c, 0xf1, 0x50, 0x00}}, 64}}},
	[RANGE_DEVICES] = {2,
		{{{AF_INET, {100, 96}}, 12},
			{{AF_INET6, {0x26, 0x06, 0x47, 0x00, 0x0c, 0xf1, 0x10, 0x00}}, 64}}},
};

const struct prefix *defaults_of_class(enum range_class kind, size_t *n)
{
	*n = classes[kind].n;
	return classes[kind].list;
}

const struct config_probe default_probe = {
	.interval_us = 10 * USEC_PER_S,
	.after_event_us = 1 * USEC_PER_S,
	.timeout_us = 1 * USEC_PER_S,
	.lost_rounds = 2,
	.lost_of = 3,
	.proven_rounds = 3,
	.proven_hold_us = 30 * USEC_PER_S,
	.max_witnesses = 8,
};

/* As FRR has them where nobody says otherwise (bfdd/bfd.h). */
const struct config_neighbor default_neighbor = {
	.bfd_multiplier = 3,
	.bfd_receive_ms = 300,
	.bfd_transmit_ms = 300,
	.keepalive_s = DURATION_UNSET,
	.hold_s = DURATION_UNSET,
};

/* Texts of defaults are not in the arena; nobody writes to a config, or frees a part of it. */
static char admin[] = "127.0.0.1:9596", root[] = "/", preserve[] = "preserve";

const struct config_bridge default_bridge = {
	.threads = 1,
	.reveal = REVEAL_CODE,
	.admin = admin,
	.connections = 10000,
	.per_source = 256,
	.head_bytes = 64 * 1024,
	.head_ms = 10 * 1000,
	.idle_ms = 60 * 1000,
	.drain_ms = 30 * 1000,
};

const struct config_route default_route = {
	.path = root,
	.host_header = preserve,
	.retries = 1,
	.max_connections = 1024,
	.connect_ms = 3 * 1000,
	.first_byte_ms = 60 * 1000,
	.idle_ms = 60 * 1000,
	.tunnel_ms = 3600 * 1000,
	.health = {.interval_ms = 5 * 1000, .timeout_ms = 2 * 1000, .failures = 3, .successes = 2},
};

/* The post-quantum hybrid first (draft-ietf-tls-ecdhe-mlkem), and what everybody has. */
static char groups[] = "X25519MLKEM768:X25519:P-256";

const struct config_tunnel default_tunnel = {
	.groups = groups,
	.mtu = 1280,
	.keepalive_ms = 15 * 1000,
	.idle_ms = 60 * 1000,
	.connector = {.max_routes = 256},
	.edge = {.connections = 4096, .handshakes = 20, .unauthenticated = 256, .retry_above = 64},
};
