/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_fuzz.h"

#include <stdlib.h>
#include <string.h>

uint8_t fuzz_byte(struct fuzz_input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->bytes++;
}

static void on_request(struct world_side *s, struct quic_stream *stream)
{
	static const unsigned int answers[] = {200, 200, 200, 403, 299, 500};

	(void)!quic_stream_respond(stream, answers[world_random(s->world) % 6], nullptr, 0);
	if (world_random(s->world) % 8 == 0)
		quic_stream_abort(stream, QUIC_H3_MESSAGE_ERROR);
}

static void on_datagram(struct world_side *s, const uint8_t *bytes, size_t n)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};

	if (s->stream && world_random(s->world) % 4 == 0)
		(void)!quic_datagram_queue(s->stream, &piece, 1, 0);
	if (s->connection && world_random(s->world) % 64 == 0)
		quic_connection_close(s->connection, QUIC_H3_INTERNAL_ERROR, "as if");
}

struct world *fuzz_world(void)
{
	struct world *w = world_new();

	w->client.on_request = w->server.on_request = on_request;
	w->client.on_datagram = w->server.on_datagram = on_datagram;
	w->server.config.limits.answers = 50;
	w->server.config.limits.unauthenticated = 8;
	w->server.config.limits.retry_above = 4;
	return w;
}

void fuzz_act(struct world_side *s, struct fuzz_input *in)
{
	uint8_t bytes[256 * 6] = {};
	struct iovec piece = {.iov_base = bytes, .iov_len = fuzz_byte(in) * 6U};
	uint8_t what = fuzz_byte(in);
	struct err err = {};

	if (what % 8 == 0 && s->endpoint)
		(void)!quic_endpoint_reload(s->endpoint, &s->config.identity, s->world->now, &err);
	if (what % 8 == 1 && s->connection)
		quic_connection_close(s->connection, what, "enough");
	if (!s->stream)
		return;
	if (what % 8 == 2)
		(void)!quic_datagram_queue(s->stream, &piece, 1, 0);
	else if (what % 8 == 3)
		(void)!world_send(s, bytes, piece.iov_len);
	else if (what % 8 == 4)
		(void)!quic_stream_send(s->stream, bytes, piece.iov_len);
	else if (what % 8 == 5)
		quic_stream_finish(s->stream);
	else if (what % 8 == 6)
		quic_stream_abort(s->stream, what);
}
