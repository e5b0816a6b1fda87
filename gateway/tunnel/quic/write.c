/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's turn of writing: the packet that datagrams left open, what callbacks left to do,
 * bytes of streams, waiting datagrams, and at last acknowledgements and probes, which would have
 * gone with one of the packets before if there had been any.
 *
 * Streams and the handshake use packets of the size that every path carries. They are rare, and
 * so a path that swallows larger packets all of a sudden cannot take the connection with it.
 */
#include <errno.h>

#include "quic/connection_int.h"
#include "quic/h3.h"
#include "quic/stream_int.h"

constexpr size_t BASE = NGTCP2_MAX_UDP_PAYLOAD_SIZE;

struct chunk {
	int64_t id;
	bool fin;
	int n;
	nghttp3_vec pieces[QUIC_H3_PIECES];
	ngtcp2_ssize taken;
};

/* What the library returned; a packet that came of it is in the batch. */
static int write_packet(
	struct quic_connection *c, struct quic_batch *out, struct chunk *chunk, size_t size)
{
	uint32_t flags = chunk->id >= 0 ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0;
	ngtcp2_vec vec[QUIC_H3_PIECES];
	ngtcp2_path_storage storage;
	struct quic_path path = {};
	ngtcp2_pkt_info info = {};
	ngtcp2_ssize written;
	size_t before = c->meter.used;

	for (int i = 0; i < chunk->n; i++)
		vec[i] = (ngtcp2_vec){.base = chunk->pieces[i].base, .len = chunk->pieces[i].len};
	if (chunk->fin)
		flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
	ngtcp2_path_storage_zero(&storage);
	chunk->taken = -1;
	written = ngtcp2_conn_writev_stream(c->ng, &storage.path, &info, out->buffer + out->used,
		size, &chunk->taken, flags, chunk->id, vec, (size_t)chunk->n, c->endpoint->now_ns);
	quic_meter_sent(&c->meter, before);
	if (written > 0) {
		quic_path_from_ngtcp2(&storage.path, &path);
		quic_batch_add(out, &path, info.ecn, (size_t)written);
		c->endpoint->counters.sent++;
	}
	return (int)written;
}

static bool room(const struct quic_connection *c, const struct quic_batch *out)
{
	return quic_batch_fits(out, c->endpoint->config.payload_max);
}

int quic_connection_seal(struct quic_connection *c, struct quic_batch *out)
{
	struct chunk nothing = {.id = -1};
	int r;

	c->endpoint->open = nullptr;
	r = write_packet(c, out, &nothing, c->endpoint->config.payload_max);
	return r < 0 ? r : 0;
}

/* One piece of a stream; *open = the packet is not finished. 1 = go on. */
static int write_chunk(
	struct quic_connection *c, struct quic_batch *out, struct chunk *chunk, bool *open)
{
	int r = write_packet(c, out, chunk, BASE);
	int noted = 0;

	if (chunk->id >= 0 && chunk->taken >= 0)
		noted = quic_h3_written(c, chunk->id, (size_t)chunk->taken);
	if (noted < 0)
		return noted;
	switch (r) {
	case NGTCP2_ERR_WRITE_MORE:
		*open = true;
		return 1;
	case NGTCP2_ERR_STREAM_DATA_BLOCKED: /* the peer's window; the packet stays open */
		quic_h3_block(c, chunk->id);
		*open = true;
		return 1;
	case NGTCP2_ERR_STREAM_SHUT_WR:
	case NGTCP2_ERR_STREAM_NOT_FOUND:
		quic_h3_shut(c, chunk->id);
		return 1;
	default:
		*open = false;
		c->blocked = r == 0 && chunk->id >= 0;
		return r > 0 ? 1 : r;
	}
}

static int write_streams(struct quic_connection *c, struct quic_batch *out)
{
	bool open = false;
	int r = 1;

	c->blocked = false;
	while (r > 0) {
		struct chunk chunk = {};

		if (!open && !room(c, out))
			return -ENOBUFS;
		chunk.n = quic_h3_pieces(c, &chunk.id, &chunk.fin, chunk.pieces);
		if (chunk.n < 0)
			return chunk.n;
		if (chunk.id < 0 && !open)
			return 0;
		r = write_chunk(c, out, &chunk, &open);
	}
	return r;
}

/* Until the library has nothing more to say. Probes of the path's size come last, and alone. */
static int write_rest(struct quic_connection *c, struct quic_batch *out)
{
	const size_t sizes[] = {BASE, c->endpoint->config.payload_max};

	for (size_t i = 0; i < (c->close ? 1 : 2); i++)
		for (int r = 1; r > 0;) {
			struct chunk nothing = {.id = -1};

			if (!room(c, out))
				return -ENOBUFS;
			r = write_packet(c, out, &nothing, sizes[i]);
			if (r < 0)
				return r;
		}
	return 0;
}

static int write_queues(struct quic_connection *c, struct quic_batch *out)
{
	int r = quic_datagram_flush(c, out);
	int sealed = c->endpoint->open == c ? quic_connection_seal(c, out) : 0;

	return sealed < 0 ? sealed : r;
}

static int write_all(struct quic_connection *c, struct quic_batch *out)
{
	int r = c->doomed;

	if (r == 0)
		r = quic_h3_catch_up(c);
	if (r == 0 && !c->close)
		r = write_streams(c, out);
	if (r == 0 && !c->close && !c->blocked)
		r = write_queues(c, out);
	/* With what a stream was aborted is told before the connection's end. */
	if ((r == 0 || r == -EAGAIN) && (!c->close || c->state == QUIC_ESTABLISHED))
		r = write_rest(c, out);
	return r;
}

/* The size that the path carries is known better now and then. */
static void look_at_path(struct quic_connection *c)
{
	size_t payload = ngtcp2_conn_get_path_max_tx_udp_payload_size(c->ng);

	if (payload == c->payload)
		return;
	if (payload < c->payload) /* another path */
		quic_pmtu_reset(&c->pmtu);
	c->payload = payload;
	quic_datagram_tell_max(c);
}

static bool say_farewell(struct quic_connection *c, struct quic_batch *out)
{
	for (; c->farewells_due; c->farewells_due--) {
		if (!quic_batch_fits(out, c->farewell_length))
			return false;
		for (size_t i = 0; i < c->farewell_length; i++)
			out->buffer[out->used + i] = c->farewell[i];
		quic_batch_add(out, &c->farewell_path, 0, c->farewell_length);
		c->endpoint->counters.sent++;
	}
	return true;
}

/* Datagrams took everything along that the library had to say; but its probes of the path, and what
 * the path carries, have to be looked at now and then. */
static bool is_done(const struct quic_connection *c)
{
	return !c->due && !c->doomed && c->endpoint->now_ns - c->written_ns < QUIC_LINGER_NS;
}

/* The library has no call for it: a keep-alive that is due is a PING, if nothing else is sent. */
static int write_with_ping(struct quic_connection *c, struct quic_batch *out)
{
	ngtcp2_conn_set_keep_alive_timeout(c->ng, 1);
	int r = write_all(c, out);
	ngtcp2_conn_set_keep_alive_timeout(c->ng, c->keep_alive_ns);
	c->ping = r == -ENOBUFS;
	return r;
}

bool quic_connection_write(struct quic_connection *c, struct quic_batch *out)
{
	int r = 0;

	if (c->state == QUIC_CLOSED)
		return say_farewell(c, out);
	c->unanswered = 0;
	if (!is_done(c)) {
		c->due = false;
		c->written_ns = c->endpoint->now_ns;
		r = c->ping ? write_with_ping(c, out) : write_all(c, out);
	}
	if (r == -ENOBUFS)
		return false;
	if (r < 0) {
		quic_connection_fail(c, r);
	} else if (c->close) {
		quic_connection_end(c, true, true);
	} else {
		look_at_path(c);
		quic_connection_set_timer(c);
	}
	return true;
}
