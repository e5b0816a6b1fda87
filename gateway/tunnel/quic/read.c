/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet of a connection: what it may cost, and whether it is answered at once.
 */
#include <stdio.h>

#include "quic/connection_int.h"
#include "quic/stream_int.h"

/* So many packets with datagrams are acknowledged at once. */
constexpr unsigned int ANSWER_AT = 8;
/* The library's acknowledgements are due no later (RFC 9000 s18.2). */
constexpr uint64_t MAX_ACK_DELAY_NS = NGTCP2_DEFAULT_MAX_ACK_DELAY;
/* So much the library may keep of somebody who has not authenticated. */
constexpr size_t UNPROVEN_BYTES = 96UL << 10;
/*
 * … and of anybody, but for our own packets: each has 350 bytes while it is in flight, and a long
 * path has room for 20,000 of them. Without them a connection has 30 KiB, on a bad path 80. If it
 * were nothing but capsules of 20 bytes, and every second packet got lost, there would be 3,200
 * gaps of 90 bytes in the 128 KiB of the windows: a half of this. Torn on purpose it is 6 MiB.
 */
constexpr size_t PROVEN_BYTES = 1UL << 20;

/* Does anything wait for what a packet may have brought: room in the window, or news of the path's
 * size, without which the owner sends nothing large? */
static bool is_waiting(struct quic_connection *c)
{
	if (ngtcp2_conn_get_path_max_tx_udp_payload_size(c->ng) != c->payload)
		return true;
	for (const struct quic_stream *s = c->streams; s; s = s->next)
		if (s->queue.n)
			return true;
	return c->blocked || c->state != QUIC_ESTABLISHED;
}

/* A packet that only acknowledges wants no answer, unless it shows that something is to be sent
 * again. Answered for nothing, it would keep question and answer at two packets each for ever. */
static bool is_quiet(
	const struct quic_connection *c, const ngtcp2_conn_info *info, uint64_t expiry_ns)
{
	return !c->carried && expiry_ns > c->endpoint->now_ns + MAX_ACK_DELAY_NS &&
	       info->pkt_lost == c->lost;
}

/*
 * A few datagrams are not acknowledged at once: what they carry is answered too, mostly, and that
 * packet takes the acknowledgement along. The library would give it an eighth of a round trip,
 * which on a short path is over before anybody has answered; RFC 9000 s13.2.1 allows max_ack_delay.
 */
static void answer(struct quic_connection *c, const ngtcp2_conn_info *info)
{
	struct quic_endpoint *e = c->endpoint;

	if (c->due)
		return;
	uint64_t at = ngtcp2_conn_get_expiry(c->ng);
	bool waits = is_waiting(c);
	if (!waits && is_quiet(c, info, at))
		return;
	if (!c->carried || ++c->unanswered == ANSWER_AT || waits) {
		quic_connection_touch(c);
		return;
	}
	if (c->unanswered > 1)
		return;
	if (at < e->now_ns + QUIC_LINGER_NS)
		at = e->now_ns + QUIC_LINGER_NS;
	if (at < c->timer.at_ns)
		quic_timers_set(&e->timers, &c->timer, at);
}

/* What cannot be kept ends the handshake (RFC 9000 s7.5), or the connection (RFC 9114 s8.1). */
static int judge_cost(struct quic_connection *c)
{
	if (c->unauthenticated && (c->overlong || c->meter.used > UNPROVEN_BYTES))
		return NGTCP2_ERR_CRYPTO_BUFFER_EXCEEDED;
	if (c->unauthenticated || quic_meter_kept(&c->meter) <= PROVEN_BYTES)
		return 0;
	snprintf(c->reason, sizeof(c->reason), "too much came with gaps before it");
	return quic_connection_http_error(c, QUIC_H3_EXCESSIVE_LOAD);
}

/* Only by what its key has opened, and not before: the rest is said by whoever saw a packet. */
static void note_heard(struct quic_connection *c, const ngtcp2_conn_info *info)
{
	if (info->pkt_recv == c->received)
		return;
	c->received = info->pkt_recv;
	c->heard_ns = c->endpoint->now_ns;
	c->asked_ns = 0;
	if (c->deaf.since_ns) /* which a look ends, if all is well */
		quic_connection_watch(c);
}

int quic_connection_read(struct quic_connection *c, const struct quic_run *in)
{
	ngtcp2_pkt_info mark = {.ecn = in->ecn};
	ngtcp2_conn_info info;
	ngtcp2_path path;
	int r, dear;

	quic_path_to_ngtcp2(&in->path, &path);
	c->carried = false;
	r = ngtcp2_conn_read_pkt(c->ng, &path, &mark, in->bytes, in->length, c->endpoint->now_ns);
	dear = judge_cost(c);
	if (dear < 0 || r < 0)
		return dear < 0 ? dear : r;
	ngtcp2_conn_get_conn_info(c->ng, &info);
	note_heard(c, &info);
	answer(c, &info);
	return 0;
}
