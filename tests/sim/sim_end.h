/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_end: one end of a CONNECT-IP request in virtual time: its session, its stream, and packets
 * that are numbered.
 *
 * What lane.c is in the program, without a kernel: a packet that one end sends is noted, and the
 * other end finds it as it was, once or never. Both ends are ours and speak with each other alone:
 * a fault, or a packet that is not let pass, fails the test.
 */
#include "connip/patience.h"
#include "connip/session.h"
#include "quic_world.h"

constexpr uint32_t SIM_PACKETS = 20'000;

/* One way: what went in at one end and came out at the other. */
struct sim_flow {
	char from[2][64], to[2][64]; /* IPv4 and IPv6; *from is '\0' while it has no address */
	uint32_t sent, arrived;
	bool seen[SIM_PACKETS];
};

struct sim_end {
	struct quic_stream *stream;
	struct connip_session *session;
	struct sim_flow *out, *in;
	struct patience patience; /* with the size of the path */
	void *owner;
	struct sim_end *next;
};

/* Its events are for `owner`'s end: sim_end_owner(). */
struct sim_end *sim_end_new(struct world *w, struct quic_stream *s, enum connip_role role,
	const struct connip_policy *policy, const struct connip_events *events);
void sim_end_free(struct sim_end *e);
void sim_end_flush(struct sim_end *e);
void sim_end_bytes(struct sim_end *e, const uint8_t *bytes, size_t n, bool fin, uint64_t now_ns);
void sim_end_datagram(struct sim_end *e, const uint8_t *payload, size_t n, uint64_t now_ns);
void sim_end_max(struct sim_end *e, uint64_t now_ns);
void sim_end_expire(struct sim_end *e, uint64_t now_ns);
/* The flow's next packet, of a random size, by the peer's leave. */
void sim_end_send(struct sim_end *e, struct world *w);
