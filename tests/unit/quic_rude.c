/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_rude.h"

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xmalloc.h"
#include "quic/varint.h"

struct rude {
	struct world_side *side;
	bool server;
	uint64_t datagrams;
	SSL_CTX *ctx;
	SSL *ssl;
	ngtcp2_conn *ng;
	ngtcp2_crypto_ossl_ctx *ossl;
	ngtcp2_crypto_conn_ref ref;
	bool established, closed;
	uint64_t code;
	struct rude_stream streams[RUDE_STREAMS];
};

static ngtcp2_conn *get_ng(ngtcp2_crypto_conn_ref *ref)
{
	return ((struct rude *)ref->user_data)->ng;
}

static struct rude_stream *stream_of(struct rude *r, int64_t id)
{
	for (size_t i = 0; i < RUDE_STREAMS; i++) {
		struct rude_stream *s = &r->streams[i];

		if (s->id == id)
			return s;
		if (s->id < 0) {
			s->id = id;
			return s;
		}
	}
	fail_msg("too many streams");
	return nullptr;
}

static int on_bytes(ngtcp2_conn *ng, uint32_t flags, int64_t id, uint64_t, const uint8_t *bytes,
	size_t n, void *user, void *)
{
	struct rude_stream *s = stream_of(user, id);
	size_t part = n < sizeof(s->bytes) - s->n ? n : sizeof(s->bytes) - s->n;

	if (part)
		memcpy(s->bytes + s->n, bytes, part);
	s->n += part;
	s->fin |= flags & NGTCP2_STREAM_DATA_FLAG_FIN;
	ngtcp2_conn_extend_max_stream_offset(ng, id, n);
	ngtcp2_conn_extend_max_offset(ng, n);
	return 0;
}

static int on_reset(ngtcp2_conn *, int64_t id, uint64_t, uint64_t code, void *user, void *)
{
	stream_of(user, id)->reset = code;
	return 0;
}

/* The library answers STOP_SENDING by itself, and tells its code at the end. */
static int on_close(ngtcp2_conn *, uint32_t flags, int64_t id, uint64_t code, void *user, void *)
{
	if (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET)
		stream_of(user, id)->stopped = code;
	return 0;
}

static int on_established(ngtcp2_conn *, void *user)
{
	((struct rude *)user)->established = true;
	return 0;
}

static void on_rand(uint8_t *dest, size_t n, const ngtcp2_rand_ctx *)
{
	RAND_bytes(dest, (int)n);
}

static int on_new_cid(
	ngtcp2_conn *, ngtcp2_cid *cid, ngtcp2_stateless_reset_token *token, size_t n, void *)
{
	RAND_bytes(cid->data, (int)n);
	cid->datalen = n;
	RAND_bytes(token->data, sizeof(token->data));
	return 0;
}

/* What the next packet says in place of what the library wants to say; nullptr = nothing. */
static const uint8_t *instead;

static int on_encrypt(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head)
{
	uint8_t frames[1500] = {}; /* padded */

	if (!instead)
		return ngtcp2_crypto_encrypt_cb(
			to, aead, key, bytes, n, nonce, n_nonce, head, n_head);
	assert_in_range(n, RUDE_FRAMES, sizeof(frames));
	memcpy(frames, instead, RUDE_FRAMES);
	instead = nullptr;
	return ngtcp2_crypto_encrypt_cb(to, aead, key, frames, n, nonce, n_nonce, head, n_head);
}

static const ngtcp2_callbacks CALLBACKS = {
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.handshake_completed = on_established,
	.encrypt = on_encrypt,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_stream_data = on_bytes,
	.recv_retry = ngtcp2_crypto_recv_retry_cb,
	.rand = on_rand,
	.update_key = ngtcp2_crypto_update_key_cb,
	.stream_reset = on_reset,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.stream_close = on_close,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.get_new_connection_id2 = on_new_cid,
	.get_path_challenge_data2 = ngtcp2_crypto_get_path_challenge_data2_cb,
};

static int choose_h3(SSL *, const unsigned char **out, unsigned char *n, const unsigned char *in,
	unsigned int, void *)
{
	*out = in + 1;
	*n = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static int accept_all(int, X509_STORE_CTX *)
{
	return 1;
}

static void use_identity(SSL_CTX *ctx, const struct test_identity *id)
{
	BIO *b = BIO_new_mem_buf(id->certificate, -1);
	X509 *x = PEM_read_bio_X509(b, nullptr, nullptr, nullptr);
	EVP_PKEY *key;

	BIO_free(b);
	b = BIO_new_mem_buf(id->key, -1);
	key = PEM_read_bio_PrivateKey(b, nullptr, nullptr, nullptr);
	BIO_free(b);
	assert_int_equal(SSL_CTX_use_cert_and_key(ctx, x, key, nullptr, 1), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void start_tls(struct rude *r)
{
	r->ctx = SSL_CTX_new(r->server ? TLS_server_method() : TLS_client_method());
	use_identity(r->ctx, &r->side->identity);
	SSL_CTX_set_verify(r->ctx, SSL_VERIFY_PEER, accept_all);
	SSL_CTX_set_alpn_select_cb(r->ctx, choose_h3, nullptr);
	SSL_CTX_set_alpn_protos(r->ctx, (const unsigned char *)"\x02h3", 3);
	r->ssl = SSL_new(r->ctx);
	if (r->server) {
		ngtcp2_crypto_ossl_configure_server_session(r->ssl);
		SSL_set_accept_state(r->ssl);
	} else {
		ngtcp2_crypto_ossl_configure_client_session(r->ssl);
		SSL_set_connect_state(r->ssl);
	}
	r->ref = (ngtcp2_crypto_conn_ref){.get_conn = get_ng, .user_data = r};
	SSL_set_app_data(r->ssl, &r->ref);
	assert_int_equal(ngtcp2_crypto_ossl_ctx_new(&r->ossl, r->ssl), 0);
	ngtcp2_conn_set_tls_native_handle(r->ng, r->ossl);
}

static ngtcp2_path path_of(struct rude *r)
{
	struct world *w = r->side->world;
	struct world_side *other = r->side == &w->client ? &w->server : &w->client;

	return (ngtcp2_path){.local = {&r->side->address.sa, sizeof(struct sockaddr_in)},
		.remote = {&other->address.sa, sizeof(struct sockaddr_in)}};
}

static void fill(const struct rude *r, ngtcp2_settings *settings, ngtcp2_transport_params *params)
{
	ngtcp2_settings_default(settings);
	settings->initial_ts = r->side->world->now;
	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_local = 1 << 20;
	params->initial_max_stream_data_bidi_remote = 1 << 20;
	params->initial_max_stream_data_uni = 1 << 20;
	params->initial_max_data = 1 << 22;
	params->initial_max_streams_bidi = 10;
	params->initial_max_streams_uni = 10;
	params->max_datagram_frame_size = r->datagrams;
}

static ngtcp2_cid cid_of(size_t n)
{
	ngtcp2_cid cid = {.datalen = n};

	RAND_bytes(cid.data, (int)n);
	return cid;
}

static void begin_client(struct rude *r)
{
	ngtcp2_cid dcid = cid_of(8), scid = cid_of(8);
	ngtcp2_path path = path_of(r);
	ngtcp2_transport_params params;
	ngtcp2_settings settings;

	fill(r, &settings, &params);
	assert_int_equal(ngtcp2_conn_client_new(&r->ng, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
				 &CALLBACKS, &settings, &params, nullptr, r),
		0);
	start_tls(r);
}

static void begin_server(struct rude *r, const ngtcp2_pkt_hd *hd)
{
	ngtcp2_cid scid = cid_of(8);
	ngtcp2_path path = path_of(r);
	ngtcp2_transport_params params;
	ngtcp2_settings settings;

	fill(r, &settings, &params);
	params.original_dcid = hd->dcid;
	params.original_dcid_present = 1;
	assert_int_equal(ngtcp2_conn_server_new(&r->ng, &hd->scid, &scid, &path, hd->version,
				 &CALLBACKS, &settings, &params, nullptr, r),
		0);
	start_tls(r);
}

static void receive(void *rude, const struct quic_run *one)
{
	struct rude *r = rude;
	ngtcp2_pkt_info info = {};
	ngtcp2_path path = path_of(r);
	ngtcp2_pkt_hd hd;
	int result;

	if (!r->ng && ngtcp2_accept(&hd, one->bytes, one->length) == 0)
		begin_server(r, &hd);
	if (!r->ng || r->closed)
		return;
	result = ngtcp2_conn_read_pkt(
		r->ng, &path, &info, one->bytes, one->length, r->side->world->now);
	if (result == NGTCP2_ERR_DRAINING) {
		r->closed = true;
		r->code = ngtcp2_conn_get_ccerr(r->ng)->error_code;
	}
}

/* Packets until nothing is left: of one stream's bytes, or of whatever the library has. */
static size_t pump(struct rude *r, int64_t id, const uint8_t *bytes, size_t n, bool fin)
{
	struct world *w = r->side->world;
	size_t done = 0;

	for (;;) {
		const uint8_t *rest = bytes ? bytes + done : nullptr;
		ngtcp2_vec vec = {.base = (uint8_t *)(uintptr_t)rest, .len = n - done};
		uint8_t packet[1500];
		ngtcp2_ssize taken = -1;
		ngtcp2_ssize size = ngtcp2_conn_writev_stream(r->ng, nullptr, nullptr, packet,
			sizeof(packet), &taken, fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0,
			done < n || fin ? id : -1, &vec, 1, w->now);

		done += taken > 0 ? (size_t)taken : 0;
		fin = fin && taken < 0;
		if (size <= 0)
			return done;
		world_transmit(r->side, packet, (size_t)size);
	}
}

static void flush(void *rude)
{
	struct rude *r = rude;

	if (r->ng && !r->closed)
		pump(r, -1, nullptr, 0, false);
}

static uint64_t expiry(void *rude)
{
	struct rude *r = rude;

	return r->ng && !r->closed ? ngtcp2_conn_get_expiry(r->ng) : UINT64_MAX;
}

static void expire(void *rude)
{
	struct rude *r = rude;

	if (r->ng && !r->closed && expiry(r) <= r->side->world->now)
		r->closed = ngtcp2_conn_handle_expiry(r->ng, r->side->world->now) != 0;
}

struct rude *rude_new(struct world_side *s, bool server, uint64_t datagrams)
{
	struct rude *r = xcalloc(1, sizeof(*r));

	world_stop_side(s);
	r->side = s;
	r->server = server;
	r->datagrams = datagrams;
	for (size_t i = 0; i < RUDE_STREAMS; i++)
		r->streams[i] = (struct rude_stream){
			.id = -1, .reset = UINT64_MAX, .stopped = UINT64_MAX};
	s->other = (struct world_other){
		.it = r, .receive = receive, .flush = flush, .expiry = expiry, .expire = expire};
	if (!server)
		begin_client(r);
	return r;
}

void rude_free(struct rude *r)
{
	r->side->other = (struct world_other){};
	if (r->ng) {
		SSL_set_app_data(r->ssl, nullptr);
		ngtcp2_conn_del(r->ng);
		ngtcp2_crypto_ossl_ctx_del(r->ossl);
		SSL_free(r->ssl);
		SSL_CTX_free(r->ctx);
	}
	free(r);
}

bool rude_established(const struct rude *r)
{
	return r->established;
}

uint64_t rude_room(const struct rude *r)
{
	return ngtcp2_conn_get_max_data_left(r->ng);
}

bool rude_closed(const struct rude *r, uint64_t *code)
{
	*code = r->code;
	return r->closed;
}

const struct rude_stream *rude_stream(const struct rude *r, int64_t id)
{
	for (size_t i = 0; i < RUDE_STREAMS; i++)
		if (r->streams[i].id == id)
			return &r->streams[i];
	return nullptr;
}

int64_t rude_open(struct rude *r, bool unidirectional)
{
	int64_t id = -1;
	int result = unidirectional ? ngtcp2_conn_open_uni_stream(r->ng, &id, nullptr)
				    : ngtcp2_conn_open_bidi_stream(r->ng, &id, nullptr);

	return result == 0 ? id : -1;
}

void rude_write(struct rude *r, int64_t id, const uint8_t *bytes, size_t n, bool fin)
{
	assert_int_equal(pump(r, id, bytes, n, fin), n);
}

void rude_try(struct rude *r, int64_t id, const uint8_t *bytes, size_t n, bool fin)
{
	pump(r, id, bytes, n, fin);
}

void rude_datagram(struct rude *r, const uint8_t *bytes, size_t n)
{
	ngtcp2_vec vec = {.base = (uint8_t *)(uintptr_t)bytes, .len = n};
	uint8_t packet[1500];
	int accepted = 0;

	while (!accepted) {
		ngtcp2_ssize size = ngtcp2_conn_writev_datagram(r->ng, nullptr, nullptr, packet,
			sizeof(packet), &accepted, 0, 0, &vec, 1, r->side->world->now);

		if (size <= 0) /* no window, or the connection is over */
			return;
		world_transmit(r->side, packet, (size_t)size);
	}
}

void rude_frames(struct rude *r, const uint8_t *frames, size_t n)
{
	uint8_t padded[RUDE_FRAMES] = {};

	assert_in_range(n, 1, sizeof(padded));
	memcpy(padded, frames, n);
	instead = padded;
	rude_datagram(r, padded, sizeof(padded));
	instead = nullptr; /* there was no window */
}

/* RFC 7541 s5.1, with a prefix of that many bits below `first`. */
static size_t put_integer(uint8_t *out, uint8_t first, int bits, size_t value)
{
	size_t limit = ((size_t)1 << bits) - 1, n = 0;

	if (value < limit) {
		out[n++] = (uint8_t)(first | value);
		return n;
	}
	out[n++] = (uint8_t)(first | limit);
	for (value -= limit; value >= 128; value /= 128)
		out[n++] = (uint8_t)(value % 128 + 128);
	out[n++] = (uint8_t)value;
	return n;
}

/* RFC 9204 s4.5: no table, literal names. */
size_t rude_headers(uint8_t *out, size_t max, const char *const *fields)
{
	uint8_t *section = xcalloc(1, max);
	size_t n = 2, at = 0;

	for (; *fields; fields += 2) {
		size_t name = strlen(fields[0]), value = strlen(fields[1]);

		assert_true(n + name + value + 16 < max);
		n += put_integer(section + n, 0x20, 3, name);
		memcpy(section + n, fields[0], name);
		n += name;
		n += put_integer(section + n, 0x00, 7, value);
		memcpy(section + n, fields[1], value);
		n += value;
	}
	out[at++] = 0x01; /* HEADERS */
	at += quic_varint_write(out + at, n);
	assert_true(at + n <= max);
	memcpy(out + at, section, n);
	free(section);
	return at + n;
}

static unsigned int take_status(const nghttp3_qpack_nv *nv)
{
	nghttp3_vec name = nghttp3_rcbuf_get_buf(nv->name);
	nghttp3_vec value = nghttp3_rcbuf_get_buf(nv->value);
	char text[8] = {};

	if (name.len == 7 && memcmp(name.base, ":status", 7) == 0 && value.len < sizeof(text))
		memcpy(text, value.base, value.len);
	return (unsigned int)strtoul(text, nullptr, 10);
}

unsigned int rude_status(const struct rude_stream *s)
{
	nghttp3_qpack_stream_context *context;
	nghttp3_qpack_decoder *decoder;
	unsigned int status = 0;
	uint8_t flags = 0;
	uint64_t length = 0;
	size_t at, end;

	if (s->n == 0 || s->bytes[0] != 0x01)
		return 0;
	at = 1 + quic_varint_read(s->bytes + 1, s->n - 1, &length);
	end = at + (size_t)length;
	assert_true(end <= s->n);
	nghttp3_qpack_decoder_new(&decoder, 0, 0, nghttp3_mem_default());
	nghttp3_qpack_stream_context_new(&context, 0, nghttp3_mem_default());
	while (at < end && !(flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL)) {
		nghttp3_qpack_nv nv = {};
		nghttp3_ssize used = nghttp3_qpack_decoder_read_request(
			decoder, context, &nv, &flags, s->bytes + at, end - at, 1);

		assert_true(used >= 0);
		at += (size_t)used;
		if (!(flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT))
			continue;
		status += take_status(&nv);
		nghttp3_rcbuf_decref(nv.name);
		nghttp3_rcbuf_decref(nv.value);
	}
	nghttp3_qpack_stream_context_del(context);
	nghttp3_qpack_decoder_del(decoder);
	return status;
}
