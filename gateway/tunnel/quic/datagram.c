/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/datagram.h"

#include <assert.h>
#include <errno.h>

#include "quic/h3.h"
#include "quic/stream_int.h"
#include "quic/varint.h"

/* Around a DATAGRAM frame: first byte, packet number, tag; type and length of the frame. */
constexpr size_t PACKET_OVERHEAD = 1 + 4 + 16;
constexpr size_t FRAME_OVERHEAD = 1 + 2;
/* Pieces of a caller; one more is ours. */
constexpr size_t MAX_PIECES = 3;
/* RFC 9297 s2.1. */
constexpr uint64_t QUARTER_ID_MAX = (UINT64_C(1) << 60) - 1;

static bool may_send(const struct quic_stream *s)
{
	return s->state == QUIC_STREAM_OPEN && !s->finish && !s->aborted && !s->reset &&
	       s->connection->state == QUIC_ESTABLISHED && !s->connection->close;
}

size_t quic_datagram_max(const struct quic_stream *s)
{
	const struct quic_connection *c = s->connection;
	const ngtcp2_transport_params *peer;
	size_t path, frame, around;

	if (!may_send(s) || !quic_h3_datagrams(c))
		return 0;
	peer = ngtcp2_conn_get_remote_transport_params(c->ng);
	path = ngtcp2_conn_get_path_max_tx_udp_payload_size(c->ng);
	if (c->pmtu.limit < path)
		path = c->pmtu.limit;
	if (peer->max_udp_payload_size < path)
		path = (size_t)peer->max_udp_payload_size;
	frame = path - PACKET_OVERHEAD - ngtcp2_conn_get_dcid(c->ng)->datalen;
	if (peer->max_datagram_frame_size < frame)
		frame = (size_t)peer->max_datagram_frame_size;
	around = FRAME_OVERHEAD + quic_varint_size((uint64_t)s->id / 4);
	return frame > around ? frame - around : 0;
}

void quic_datagram_tell_max(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;

	for (struct quic_stream *s = c->streams; s; s = s->next) {
		size_t max = quic_datagram_max(s);

		if (max == s->datagram_max || !s->told || !may_send(s))
			continue;
		s->datagram_max = max;
		if (e->events.datagram_max)
			e->events.datagram_max(e->user, s, max);
	}
}

/* Others' packets are closed first: there is one place behind `used`. So is one of another DSCP. */
static int reach(struct quic_connection *c, uint8_t dscp, struct quic_batch *out)
{
	struct quic_endpoint *e = c->endpoint;
	struct quic_connection *other = e->open == c && e->open_dscp == dscp ? nullptr : e->open;
	int r = other ? quic_connection_seal(other, out) : 0;

	if (r < 0 && other == c)
		return r;
	if (r < 0) {
		other->doomed = r;
		quic_connection_touch(other);
	}
	return e->open || quic_batch_fits(out, e->config.payload_max) ? 0 : -ENOBUFS;
}

struct packet_plan {
	size_t size;
	uint32_t flags;
	uint64_t mark;
};

/*
 * In a probe of the path, in a packet of its own, or, if it is small, in one that stays open for
 * others. Such a packet has the size that every path carries: whether it arrived says nothing about
 * larger ones.
 */
static struct packet_plan plan_packet(struct quic_connection *c, size_t sum)
{
	size_t around = PACKET_OVERHEAD + FRAME_OVERHEAD + ngtcp2_conn_get_dcid(c->ng)->datalen;
	size_t most = c->endpoint->config.payload_max;
	bool open = c->endpoint->open == c;
	size_t probe = open ? 0 : quic_pmtu_wants(&c->pmtu, c->payload, c->endpoint->now_ns);

	if (probe >= sum + around)
		return (struct packet_plan){probe, NGTCP2_WRITE_DATAGRAM_FLAG_PADDING,
			quic_pmtu_mark(&c->pmtu, probe, true)};
	if (sum + around <= NGTCP2_MAX_UDP_PAYLOAD_SIZE / 2)
		return (struct packet_plan){
			NGTCP2_MAX_UDP_PAYLOAD_SIZE, NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0};
	return (struct packet_plan){c->pmtu.limit < most ? c->pmtu.limit : most, 0,
		quic_pmtu_mark(&c->pmtu, sum + around, false)};
}

/*
 * One call of the library, which writes a packet, or a part of one, or nothing. Small datagrams
 * leave the packet open for more; one that fills most of a packet would only cost a second call.
 */
static int write_once(struct quic_connection *c, const ngtcp2_vec *vec, size_t n, size_t sum,
	struct quic_batch *out, bool *accepted)
{
	struct quic_endpoint *e = c->endpoint;
	struct packet_plan plan = plan_packet(c, sum);
	ngtcp2_path_storage storage;
	struct quic_path path = {};
	ngtcp2_pkt_info info = {};
	ngtcp2_ssize written;
	size_t before = c->meter.used;
	int taken = 0;

	ngtcp2_path_storage_zero(&storage);
	written = ngtcp2_conn_writev_datagram(c->ng, &storage.path, &info, out->buffer + out->used,
		plan.size, &taken, plan.flags, plan.mark | quic_late_mark(&c->late), vec, n,
		e->now_ns);
	quic_meter_sent(&c->meter, before);
	*accepted = taken;
	if (taken)
		quic_late_sent(&c->late);
	if (taken && plan.flags & NGTCP2_WRITE_DATAGRAM_FLAG_PADDING)
		c->pmtu.probe = plan.size;
	e->open = written == NGTCP2_ERR_WRITE_MORE ? c : nullptr;
	if (written == NGTCP2_ERR_WRITE_MORE)
		return 1;
	if (written > 0) {
		quic_path_from_ngtcp2(&storage.path, &path);
		quic_batch_add(out, &path, info.ecn, (size_t)written);
		e->counters.sent++;
	}
	return (int)written;
}

static int write_datagram(struct quic_stream *s, const struct iovec *pieces, size_t n, uint8_t dscp,
	struct quic_batch *out)
{
	struct quic_connection *c = s->connection;
	uint8_t quarter[QUIC_VARINT_MAX];
	ngtcp2_vec vec[1 + MAX_PIECES];
	bool accepted = false;
	size_t sum;

	vec[0] = (ngtcp2_vec){
		.base = quarter, .len = quic_varint_write(quarter, (uint64_t)s->id / 4)};
	sum = vec[0].len;
	for (size_t i = 0; i < n; i++) {
		vec[1 + i] = (ngtcp2_vec){.base = pieces[i].iov_base, .len = pieces[i].iov_len};
		sum += pieces[i].iov_len;
	}
	while (!accepted) {
		int r = reach(c, dscp, out);

		if (r == 0)
			r = write_once(c, vec, 1 + n, sum, out, &accepted);
		if (r < 0)
			return r;
		if (r == 0 && !accepted)
			return -EAGAIN;
	}
	c->endpoint->open_dscp = dscp;
	c->endpoint->counters.datagrams_out++;
	return 0;
}

static int check(const struct quic_stream *s, const struct iovec *pieces, size_t n)
{
	size_t sum = 0;

	if (!may_send(s))
		return -EPIPE;
	if (!quic_h3_datagrams(s->connection))
		return -EPROTO;
	for (size_t i = 0; i < n; i++)
		sum += pieces[i].iov_len;
	return sum > quic_datagram_max(s) ? -EMSGSIZE : 0;
}

int quic_datagram_send(struct quic_stream *s, const struct iovec *pieces, size_t n, uint8_t dscp,
	struct quic_batch *out, uint64_t now_ns)
{
	struct quic_connection *c = s->connection;
	int r = check(s, pieces, n);

	assert(n <= MAX_PIECES);
	if (r < 0)
		return r;
	quic_endpoint_now(c->endpoint, now_ns);
	/* Older datagrams and stream bytes that wait for the window have been there before. */
	r = c->blocked || s->queue.n ? -EAGAIN : write_datagram(s, pieces, n, dscp, out);
	if (r == 0) {
		quic_connection_sent(c);
		return 0;
	}
	quic_connection_touch(c);
	if (r == -EAGAIN)
		c->wants_room = true;
	if (r == -EAGAIN || r == -ENOBUFS)
		return r;
	c->doomed = r;
	return -EPIPE;
}

int quic_datagram_queue(struct quic_stream *s, const struct iovec *pieces, size_t n, uint8_t dscp)
{
	struct quic_endpoint *e = s->connection->endpoint;
	const struct quic_limits *limits = &e->config.limits;
	int r = check(s, pieces, n);

	if (r < 0)
		return r;
	if (!s->queue.bytes && e->status.queued + limits->queue <= limits->queues) {
		quic_queue_allocate(&s->queue, limits->queue);
		e->status.queued += limits->queue;
	}
	quic_connection_touch(s->connection);
	if (s->queue.bytes && quic_queue_push(&s->queue, pieces, n, dscp))
		return 0;
	e->counters.datagrams_dropped++;
	return -EAGAIN;
}

/* What waited may have become too large for the path. */
static int flush_one(struct quic_stream *s, struct quic_batch *out)
{
	struct iovec piece = {};
	uint8_t dscp = 0;
	const uint8_t *bytes = quic_queue_first(&s->queue, &piece.iov_len, &dscp);
	int r;

	piece.iov_base = (void *)(uintptr_t)bytes;
	r = check(s, &piece, 1);
	if (r == 0)
		r = write_datagram(s, &piece, 1, dscp, out);
	else
		s->connection->endpoint->counters.datagrams_dropped++;
	if (r == 0 || r == -EMSGSIZE || r == -EPIPE || r == -EPROTO) {
		quic_queue_pop(&s->queue);
		return 0;
	}
	return r;
}

int quic_datagram_flush(struct quic_connection *c, struct quic_batch *out)
{
	for (struct quic_stream *s = c->streams; s; s = s->next)
		while (s->queue.n) {
			int r = flush_one(s, out);

			if (r < 0)
				return r;
		}
	return 0;
}

/* Whether the peer may have opened it, or we have (RFC 9297 s2.1). */
static bool possible(const struct quic_connection *c, uint64_t quarter)
{
	return c->server ? quarter < c->bidi_allowed : quarter < c->bidi_opened;
}

/* RFC 9297 s2: of a request that was none for a tunnel. */
static bool is_meaningless(const struct quic_stream *s)
{
	return s->connection->server && s->state == QUIC_STREAM_REFUSED && !s->told;
}

int quic_datagram_receive(struct quic_connection *c, const uint8_t *bytes, size_t n)
{
	struct quic_endpoint *e = c->endpoint;
	struct quic_stream *s;
	uint64_t quarter;
	size_t used = quic_varint_read(bytes, n, &quarter);

	if (used == 0 || quarter > QUARTER_ID_MAX)
		return quic_connection_http_error(c, QUIC_H3_DATAGRAM_ERROR);
	if (!possible(c, quarter))
		return quic_connection_http_error(c, QUIC_H3_ID_ERROR);
	s = quic_stream_find(c, (int64_t)(4 * quarter));
	if (s && is_meaningless(s))
		quic_stream_abort(s, QUIC_H3_DATAGRAM_ERROR);
	if (!s || !s->told || s->state != QUIC_STREAM_OPEN || s->finished || s->aborted) {
		e->counters.datagrams_stray++;
		return 0;
	}
	e->counters.datagrams_in++;
	if (e->events.datagram)
		e->events.datagram(e->user, s, bytes + used, n - used);
	return 0;
}
