/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/h3.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/message.h"
#include "quic/stream_int.h"

/* A failure of nghttp3 is the peer's fault, with a code of RFC 9114 s8.1, or a lack of memory. */
static int fail(struct quic_connection *c, int liberr)
{
	if (liberr == NGHTTP3_ERR_NOMEM)
		out_of_memory();
	if (liberr != NGHTTP3_ERR_CALLBACK_FAILURE)
		snprintf(c->reason, sizeof(c->reason), "%s", nghttp3_strerror(liberr));
	if (c->error.type == NGTCP2_CCERR_TYPE_APPLICATION)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return quic_connection_http_error(c, nghttp3_err_infer_quic_app_error_code(liberr));
}

static int make(struct quic_connection *c)
{
	nghttp3_settings settings;
	int r;

	nghttp3_settings_default(&settings);
	settings.max_field_section_size = QUIC_MESSAGE_BYTES;
	settings.enable_connect_protocol = c->server; /* RFC 9220 s3 */
	settings.h3_datagram = 1;                     /* RFC 9297 s2.1.1 */
	r = c->server ? nghttp3_conn_server_new(
				&c->h3, &quic_h3_callbacks, &settings, nghttp3_mem_default(), c)
		      : nghttp3_conn_client_new(
				&c->h3, &quic_h3_callbacks, &settings, nghttp3_mem_default(), c);
	if (r == 0 && c->server)
		nghttp3_conn_set_max_client_streams_bidi(c->h3, c->endpoint->config.limits.streams);
	return r;
}

/* A peer that does not give three streams of control cannot speak HTTP/3 (RFC 9114 s6.2). */
int quic_h3_begin(struct quic_connection *c)
{
	int64_t encoder, decoder;

	if (make(c) != 0)
		out_of_memory();
	if (ngtcp2_conn_open_uni_stream(c->ng, &c->control, nullptr) != 0 ||
		ngtcp2_conn_open_uni_stream(c->ng, &encoder, nullptr) != 0 ||
		ngtcp2_conn_open_uni_stream(c->ng, &decoder, nullptr) != 0) {
		snprintf(c->reason, sizeof(c->reason), "no streams for HTTP/3");
		quic_connection_http_error(c, QUIC_H3_GENERAL_PROTOCOL_ERROR);
		return -EPROTO;
	}
	if (nghttp3_conn_bind_control_stream(c->h3, c->control) != 0 ||
		nghttp3_conn_bind_qpack_streams(c->h3, encoder, decoder) != 0)
		out_of_memory();
	quic_connection_touch(c);
	return 0;
}

bool quic_h3_datagrams(const struct quic_connection *c)
{
	return c->peer_datagrams;
}

static void add(nghttp3_nv *nv, const char *name, const char *value)
{
	*nv = (nghttp3_nv){
		.name = (const uint8_t *)name,
		.value = (const uint8_t *)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
	};
}

static int ask(struct quic_stream *s)
{
	const struct quic_request *q = &s->message->request;
	nghttp3_nv nv[6 + QUIC_MESSAGE_FIELDS];
	struct quic_connection *c = s->connection;
	size_t n = 0;
	int r;

	if (ngtcp2_conn_open_bidi_stream(c->ng, &s->id, s) != 0)
		return 0; /* the peer allows none yet */
	c->bidi_opened++;
	add(&nv[n++], ":method", q->method);
	add(&nv[n++], ":protocol", q->protocol);
	add(&nv[n++], ":scheme", q->scheme);
	add(&nv[n++], ":authority", q->authority);
	add(&nv[n++], ":path", q->path);
	if (q->capsules)
		add(&nv[n++], "capsule-protocol", "?1");
	for (size_t i = 0; i < q->n_fields; i++)
		add(&nv[n++], q->fields[i].name, q->fields[i].value);
	r = nghttp3_conn_submit_request(c->h3, s->id, nv, n, &quic_h3_reader, s);
	free(TAKE_PTR(s->message));
	s->state = QUIC_STREAM_ASKED;
	return r == 0 ? 0 : fail(c, r);
}

/* RFC 9220 s3: not before the server has said that it knows extended CONNECT. RFC 9297 s2.1.1 and
 * RFC 9221 s3: without datagrams on both levels there is nothing to ask for. */
static int begin_request(struct quic_connection *c, struct quic_stream *s)
{
	const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(c->ng);
	const char *missing = nullptr;

	if (!c->settings_seen)
		return 0;
	if (!c->peer_connect && !c->endpoint->config.dialect.ignore_missing_connect_protocol)
		missing = "the server does not know extended CONNECT";
	if (!c->peer_datagrams || !params || params->max_datagram_frame_size == 0)
		missing = "the server does not take datagrams";
	if (!missing)
		return ask(s);
	quic_connection_close(c, QUIC_H3_SETTINGS_ERROR, missing);
	c->cause = QUIC_CAUSE_SETTINGS;
	return 0;
}

/* An owner's abort, a peer's reset (whose other half goes too), or the rest of a refused request
 * (RFC 9114 s4.1). */
static void shut(struct quic_connection *c, struct quic_stream *s)
{
	bool hard = s->aborted || s->reset;
	uint64_t code = s->aborted ? s->code : QUIC_H3_REQUEST_CANCELLED;

	s->shut = true;
	if (s->id >= 0 && hard) {
		nghttp3_conn_shutdown_stream_write(c->h3, s->id);
		nghttp3_conn_shutdown_stream_read(c->h3, s->id);
		ngtcp2_conn_shutdown_stream(c->ng, 0, s->id, code);
	} else if (s->id >= 0) {
		ngtcp2_conn_shutdown_stream_read(c->ng, 0, s->id, s->code);
	}
	if (hard)
		quic_stream_tell_end(s, s->aborted ? QUIC_END_LOCAL : QUIC_END_PEER, s->code);
	if (s->id < 0)
		quic_stream_free(s);
}

int quic_h3_catch_up(struct quic_connection *c)
{
	struct quic_stream *next;
	int r = 0;

	for (struct quic_stream *s = c->streams; s && r == 0; s = next) {
		next = s->next;
		if ((s->aborted || s->reset || s->stop) && !s->shut)
			shut(c, s);
		else if (!c->server && s->state == QUIC_STREAM_NEW && c->h3)
			r = begin_request(c, s);
	}
	return r;
}

/* RFC 9114 s4.1.2 wants an error of the stream where nghttp3 gives up the connection. It can go on:
 * without a dynamic table nothing is shared between streams, and this one is not read again. */
static bool malformed(struct quic_connection *c, int64_t id, nghttp3_ssize error)
{
	struct quic_stream *s = quic_stream_find(c, id);

	if (!s || (error != NGHTTP3_ERR_MALFORMED_HTTP_HEADER &&
			  error != NGHTTP3_ERR_MALFORMED_HTTP_MESSAGING))
		return false;
	quic_stream_abort(s, QUIC_H3_MESSAGE_ERROR);
	return true;
}

int quic_h3_receive(struct quic_connection *c, int64_t id, const uint8_t *bytes, size_t n, bool fin)
{
	struct quic_stream *s = quic_stream_find(c, id);
	nghttp3_ssize used = (nghttp3_ssize)n;

	if (!c->h3)
		return 0;
	if (!s || !s->aborted)
		used = nghttp3_conn_read_stream2(c->h3, id, bytes, n, fin, c->endpoint->now_ns);
	if (used < 0 && !malformed(c, id, used))
		return fail(c, (int)used);
	/* The rest was counted when it was told (h3_callbacks.c). */
	used = used < 0 ? (nghttp3_ssize)n : used;
	ngtcp2_conn_extend_max_stream_offset(c->ng, id, (uint64_t)used);
	ngtcp2_conn_extend_max_offset(c->ng, (uint64_t)used);
	return 0;
}

int quic_h3_acknowledge(struct quic_connection *c, int64_t id, uint64_t n)
{
	uint64_t heard = id == c->control ? quic_extra_acknowledged(&c->extra, n) : n;
	int r = c->h3 ? nghttp3_conn_add_ack_offset(c->h3, id, heard) : 0;

	return r == 0 ? 0 : fail(c, r);
}

int quic_h3_stream_closed(struct quic_connection *c, int64_t id, uint64_t code)
{
	int r = c->h3 ? nghttp3_conn_close_stream(c->h3, id, code) : 0;

	if (!ngtcp2_conn_is_local_stream(c->ng, id)) {
		if (ngtcp2_is_bidi_stream(id)) {
			ngtcp2_conn_extend_max_streams_bidi(c->ng, 1);
			c->bidi_allowed++;
			if (c->h3)
				nghttp3_conn_set_max_client_streams_bidi(c->h3, c->bidi_allowed);
		} else {
			ngtcp2_conn_extend_max_streams_uni(c->ng, 1);
		}
	}
	return r == 0 || r == NGHTTP3_ERR_STREAM_NOT_FOUND ? 0 : fail(c, r);
}

int quic_h3_stream_reset(struct quic_connection *c, int64_t id, uint64_t code)
{
	struct quic_stream *s = quic_stream_find(c, id);
	int r = c->h3 ? nghttp3_conn_shutdown_stream_read(c->h3, id) : 0;

	if (s)
		quic_stream_note_reset(s, code);
	return r == 0 ? 0 : fail(c, r);
}

int quic_h3_unblock(struct quic_connection *c, int64_t id)
{
	int r = c->h3 ? nghttp3_conn_unblock_stream(c->h3, id) : 0;

	return r == 0 ? 0 : fail(c, r);
}

/* The first bytes of the control stream become ours. */
static int replace(struct quic_connection *c, nghttp3_vec *pieces, int n)
{
	const struct quic_dialect *dialect = &c->endpoint->config.dialect;
	struct iovec first[QUIC_H3_PIECES];

	for (int i = 0; i < n; i++)
		first[i] = (struct iovec){.iov_base = pieces[i].base, .iov_len = pieces[i].len};
	if (!c->extra.bytes && !quic_extra_begin(&c->extra, first, (size_t)n, dialect->settings,
				       dialect->n_settings))
		return fail(c, NGHTTP3_ERR_INVALID_STATE);
	if (!quic_extra_pending(&c->extra))
		return n;
	pieces[0] = (nghttp3_vec){
		.base = c->extra.bytes + c->extra.sent, .len = c->extra.n - c->extra.sent};
	return 1;
}

int quic_h3_pieces(struct quic_connection *c, int64_t *id, bool *fin,
	nghttp3_vec pieces[static QUIC_H3_PIECES])
{
	nghttp3_ssize n;
	int last = 0;

	*id = -1;
	*fin = false;
	if (!c->h3 || ngtcp2_conn_get_max_data_left(c->ng) == 0)
		return 0;
	n = nghttp3_conn_writev_stream(c->h3, id, &last, pieces, QUIC_H3_PIECES);
	*fin = last;
	if (n < 0)
		return fail(c, (int)n);
	if (n > 0 && *id == c->control && c->endpoint->config.dialect.n_settings)
		return replace(c, pieces, (int)n);
	return (int)n;
}

int quic_h3_written(struct quic_connection *c, int64_t id, size_t n)
{
	size_t heard = id == c->control ? quic_extra_written(&c->extra, n) : n;
	int r = n && !heard ? 0 : nghttp3_conn_add_write_offset(c->h3, id, heard);

	return r == 0 ? 0 : fail(c, r);
}

void quic_h3_block(struct quic_connection *c, int64_t id)
{
	nghttp3_conn_block_stream(c->h3, id);
}

/* The peer has sent STOP_SENDING, and the library a reset; a tunnel that cannot tell its end
 * anything is none. */
void quic_h3_shut(struct quic_connection *c, int64_t id)
{
	struct quic_stream *s = quic_stream_find(c, id);

	nghttp3_conn_shutdown_stream_write(c->h3, id);
	if (s)
		quic_stream_note_reset(s, QUIC_H3_NO_ERROR);
}
