/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * lane: one CONNECT-IP request: its session (connip/session.h), its HTTP/3 stream, and the way of
 * packets between these and the TUN device.
 *
 * A lane lives from the 2xx answer to the end of its stream. What the session wants sent goes to
 * the stream as far as that takes it; a fault of the peer aborts the stream, and lane_free() comes
 * from whoever hears of its end.
 *
 * The packets' way out is in two steps, because the window may be full between them: lane_admit()
 * judges a packet, once; lane_send() may be tried again.
 *
 * Before path MTU discovery had its time, on each path anew, a packet that is too large is dropped
 * without a word (connip/patience.h).
 */
#include "connip/session.h"
#include "data/tun.h"
#include "quic/datagram.h"
#include "quic/stream.h"
#include "trouble.h"
#include <systemd/sd-event.h>

struct lane;

struct lane_events {
	/* The peer told something, or it counts no longer: lane_told() has changed. */
	void (*told)(void *arg, struct lane *l);
	/* Something was queued outside of an event of the endpoint: a turn is due. */
	void (*turn)(void *arg);
	/* May a packet of the peer that the session lets pass go on to the TUN? nullptr = all. */
	bool (*arrived)(
		void *arg, struct lane *l, const struct packet_bytes *packet, uint64_t now_ns);
	/* The same on the way out: may a packet that the session lets pass go to the peer? */
	bool (*departs)(
		void *arg, struct lane *l, const struct packet_bytes *packet, uint64_t now_ns);
	/* connip_events.requested */
	void (*requested)(void *arg, struct lane *l, const struct connip_address *list, size_t n);
	void *arg;
};

struct lane_setup {
	enum connip_role role;
	const struct connip_policy *policy; /* copied */
	struct quic_stream *stream;
	struct tun *tun;
	uint32_t mtu;                     /* of the TUN device */
	const struct lane_events *events; /* borrowed */
	sd_event *event;
	struct troubles *troubles; /* … of the peer's doing */
	const char *who;           /* it is; copied */
};

/* What the peer told and we took. */
struct lane_told {
	struct prefix *addresses;
	size_t n_addresses;
	struct connip_range *routes;
	size_t n_routes;
	bool heard; /* else it has not told anything yet */
};

struct lane *lane_new(const struct lane_setup *setup, uint64_t now_ns);
void lane_free(struct lane *l); /* nullptr is allowed */
struct connip_session *lane_session(struct lane *l);
struct quic_stream *lane_stream(const struct lane *l);
const struct lane_told *lane_told(const struct lane *l);
/* Bytes of the largest packet; 0 = not known yet. */
size_t lane_carries(const struct lane *l);
/* The owner's own. */
void *lane_data(const struct lane *l);
void lane_set_data(struct lane *l, void *data);

/* Events of the stream. */
void lane_bytes(struct lane *l, const uint8_t *bytes, size_t n, bool fin, uint64_t now_ns);
void lane_datagram(struct lane *l, const uint8_t *payload, size_t n, uint64_t now_ns);
void lane_max(struct lane *l, size_t max);
/* The peer has ended it: if the path is too narrow, which it saw a moment before us, that is said.
 */
void lane_ended(struct lane *l);
/* Sends what the session has to say; also after its lists were changed. */
void lane_flush(struct lane *l);

/* So that the peer has something to acknowledge, if it is there. */
void lane_ask(struct lane *l);

/* A packet of the TUN; what answers it goes back there. The byte in front of bytes->head is ours.
 */
[[nodiscard]] bool lane_admit(struct lane *l, const struct packet_bytes *bytes, uint64_t now_ns);
/* One more of the same headers, no longer than one that was admitted in this turn. */
void lane_admit_again(struct lane *l);
/* Its part of a turn (share.h). */
struct share_part *lane_part(struct lane *l);
/* As quic_datagram_send(). */
[[nodiscard]] int lane_send(
	struct lane *l, const struct packet_bytes *bytes, struct quic_batch *out, uint64_t now_ns);
/* As quic_datagram_queue(). */
[[nodiscard]] int lane_queue(struct lane *l, const struct packet_bytes *bytes);
