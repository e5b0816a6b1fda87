/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nghttp3 tells: settings, fields, bytes of streams, and which bytes it wants to send.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/own.h"
#include "quic/h3.h"
#include "quic/message.h"
#include "quic/stream_int.h"

static int on_settings(nghttp3_conn *, const nghttp3_proto_settings *settings, void *user)
{
	struct quic_connection *c = user;

	c->settings_seen = true;
	c->peer_connect = settings->enable_connect_protocol;
	c->peer_datagrams = settings->h3_datagram;
	quic_datagram_tell_max(c); /* a request may have overtaken them */
	quic_connection_touch(c);
	return 0;
}

/* Before the first field of a request, of a response, or of trailers: these are of no use. */
static int on_begin(nghttp3_conn *h3, int64_t id, void *user, void *stream)
{
	struct quic_connection *c = user;
	struct quic_stream *s = stream;

	if (!s) {
		s = quic_stream_new(c, id);
		nghttp3_conn_set_stream_user_data(h3, id, s);
		ngtcp2_conn_set_stream_user_data(c->ng, id, s);
	}
	if (!s->message)
		s->message = quic_message_new();
	return 0;
}

static int on_field(nghttp3_conn *, int64_t, int32_t, nghttp3_rcbuf *name, nghttp3_rcbuf *value,
	uint8_t, void *, void *stream)
{
	nghttp3_vec n = nghttp3_rcbuf_get_buf(name), v = nghttp3_rcbuf_get_buf(value);
	struct quic_stream *s = stream;

	if (s && s->message)
		quic_message_add(s->message, n.base, n.len, v.base, v.len);
	return 0;
}

/* What is not for the owner. The reason is told as RFC 9209 s2.1 wants it: a client's error, or
 * something that is not done here (s2.3.27, s2.3.28). */
static void refuse(struct quic_stream *s, unsigned int status)
{
	const struct quic_field fields[] = {
		{.name = "proxy-status",
			.value = status < 500 ? "meshgw; error=http_request_error"
					      : "meshgw; error=http_request_denied; "
						"details=\"no such protocol\""},
		{.name = "allow", .value = "CONNECT"}, /* RFC 9110 s15.5.6 */
	};

	(void)!quic_stream_respond(s, status, fields, status == 405 ? 2 : 1);
}

static void take_request(struct quic_stream *s, const struct quic_message *m)
{
	struct quic_endpoint *e = s->connection->endpoint;
	unsigned int status = quic_message_verdict(m, e->config.dialect.protocol);

	s->state = QUIC_STREAM_ASKED;
	if (status) {
		refuse(s, status);
	} else if (quic_message_malformed(m, false)) {
		quic_stream_abort(s, QUIC_H3_MESSAGE_ERROR);
	} else if (!e->events.request) {
		refuse(s, 501);
	} else {
		s->told = true;
		e->events.request(e->user, s, &m->request);
	}
}

static void take_response(struct quic_stream *s, const struct quic_message *m)
{
	struct quic_endpoint *e = s->connection->endpoint;
	unsigned int status = m->response.status;

	if (status < 200 || s->state != QUIC_STREAM_ASKED)
		return;
	if (m->overflow || quic_message_malformed(m, true)) {
		quic_stream_abort(s, QUIC_H3_MESSAGE_ERROR);
		return;
	}
	s->state = status < 300 ? QUIC_STREAM_OPEN : QUIC_STREAM_REFUSED;
	if (e->events.response)
		e->events.response(e->user, s, &m->response);
	if (s->state == QUIC_STREAM_OPEN)
		quic_stream_open(s);
	else
		quic_stream_abort(s, QUIC_H3_REQUEST_CANCELLED);
}

static int on_end_of_fields(nghttp3_conn *, int64_t, int, void *, void *stream)
{
	struct quic_stream *s = stream;
	struct quic_message *m = s ? TAKE_PTR(s->message) : nullptr;

	if (!m)
		return 0;
	if (!s->connection->server)
		take_response(s, m);
	else if (s->state == QUIC_STREAM_NEW)
		take_request(s, m);
	free(m);
	return 0;
}

/* RFC 9297 s3.1: the bytes mean nothing before the answer, and nothing on a refused stream. */
static int on_bytes(
	nghttp3_conn *, int64_t id, const uint8_t *bytes, size_t n, void *user, void *stream)
{
	struct quic_connection *c = user;
	struct quic_endpoint *e = c->endpoint;
	struct quic_stream *s = stream;

	if (s && s->told && !s->aborted && s->state != QUIC_STREAM_REFUSED && e->events.bytes)
		e->events.bytes(e->user, s, bytes, n);
	ngtcp2_conn_extend_max_stream_offset(c->ng, id, n);
	ngtcp2_conn_extend_max_offset(c->ng, n);
	return 0;
}

static int on_consumed(nghttp3_conn *, int64_t id, size_t n, void *user, void *)
{
	struct quic_connection *c = user;

	ngtcp2_conn_extend_max_stream_offset(c->ng, id, n);
	ngtcp2_conn_extend_max_offset(c->ng, n);
	return 0;
}

static int on_end_of_stream(nghttp3_conn *, int64_t, void *user, void *stream)
{
	struct quic_connection *c = user;
	struct quic_endpoint *e = c->endpoint;
	struct quic_stream *s = stream;

	if (!s || s->finished)
		return 0;
	s->finished = true;
	if (s->told && !s->aborted && e->events.finished)
		e->events.finished(e->user, s);
	return 0;
}

/* Also the library's own judgement on a malformed message. */
static int on_stop_sending(nghttp3_conn *, int64_t id, uint64_t code, void *user, void *)
{
	return ngtcp2_conn_shutdown_stream_read(((struct quic_connection *)user)->ng, 0, id, code);
}

static int on_reset_stream(nghttp3_conn *, int64_t id, uint64_t code, void *user, void *)
{
	return ngtcp2_conn_shutdown_stream_write(((struct quic_connection *)user)->ng, 0, id, code);
}

static int on_acked(nghttp3_conn *, int64_t, uint64_t n, void *user, void *stream)
{
	struct quic_endpoint *e = ((struct quic_connection *)user)->endpoint;
	struct quic_stream *s = stream;

	if (!s)
		return 0;
	quic_ring_acknowledge(&s->ring, n);
	if (s->wants_room && s->told && !s->aborted && !s->finish) {
		s->wants_room = false;
		if (e->events.writable)
			e->events.writable(e->user, s);
	}
	return 0;
}

static int on_close(nghttp3_conn *, int64_t, uint64_t code, void *, void *stream)
{
	struct quic_stream *s = stream;

	if (s)
		quic_stream_end(
			s, s->reset ? QUIC_END_PEER : QUIC_END_FINISHED, s->reset ? s->code : code);
	return 0;
}

const nghttp3_callbacks quic_h3_callbacks = {
	.acked_stream_data = on_acked,
	.stream_close = on_close,
	.recv_data = on_bytes,
	.deferred_consume = on_consumed,
	.begin_headers = on_begin,
	.recv_header = on_field,
	.end_headers = on_end_of_fields,
	.stop_sending = on_stop_sending,
	.end_stream = on_end_of_stream,
	.reset_stream = on_reset_stream,
	.rand = quic_random,
	.recv_settings2 = on_settings,
};

static nghttp3_ssize read_ring(nghttp3_conn *, int64_t, nghttp3_vec *vec, size_t max,
	uint32_t *flags, void *, void *stream)
{
	struct quic_stream *s = stream;
	struct iovec pieces[2];
	size_t n = max < 2 ? 0 : quic_ring_take(&s->ring, pieces);

	for (size_t i = 0; i < n; i++)
		vec[i] = (nghttp3_vec){.base = pieces[i].iov_base, .len = pieces[i].iov_len};
	if (s->finish)
		*flags |= NGHTTP3_DATA_FLAG_EOF;
	return n || s->finish ? (nghttp3_ssize)n : NGHTTP3_ERR_WOULDBLOCK;
}

const nghttp3_data_reader quic_h3_reader = {.read_data = read_ring};
