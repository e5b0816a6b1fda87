/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ngtcp2 tells: handshake, streams, connection IDs, paths. What concerns HTTP/3 goes to h3.c.
 */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "quic/connection_int.h"
#include "quic/h3.h"
#include "quic/stream_int.h"

/* No peer is asked more often. */
constexpr uint64_t KEEP_ALIVE_MIN_NS = 100 * NGTCP2_MILLISECONDS;

void quic_random(uint8_t *dest, size_t n)
{
	if (RAND_bytes(dest, (int)n) != 1)
		abort(); /* without randomness there is no security to keep up */
}

static void on_rand(uint8_t *dest, size_t n, const ngtcp2_rand_ctx *)
{
	quic_random(dest, n);
}

void quic_path_to_ngtcp2(const struct quic_path *path, ngtcp2_path *out)
{
	/* The library copies addresses; it takes pointers that are not const, and does not write.
	 */
	struct quic_path *p = (struct quic_path *)(uintptr_t)path;

	*out = (ngtcp2_path){
		.local = {.addr = &p->local.sa, .addrlen = quic_address_size(&p->local)},
		.remote = {.addr = &p->remote.sa, .addrlen = quic_address_size(&p->remote)},
		.user_data = (void *)(uintptr_t)path->socket,
	};
}

void quic_path_from_ngtcp2(const ngtcp2_path *path, struct quic_path *out)
{
	memcpy(&out->local, path->local.addr, path->local.addrlen);
	memcpy(&out->remote, path->remote.addr, path->remote.addrlen);
	out->socket = (unsigned int)(uintptr_t)path->user_data;
}

/* A client may come back without Retry for a while (RFC 9000 s8.1.3). */
static int give_token(struct quic_connection *c)
{
	const ngtcp2_path *path = ngtcp2_conn_get_path(c->ng);
	struct quic_endpoint *e = c->endpoint;
	uint8_t token[NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN];
	ngtcp2_ssize n = ngtcp2_crypto_generate_regular_token(token, e->secrets.token,
		sizeof(e->secrets.token), path->remote.addr, path->remote.addrlen, e->now_ns);

	return n < 0 ? NGTCP2_ERR_CALLBACK_FAILURE
		     : ngtcp2_conn_submit_new_token(c->ng, token, (size_t)n);
}

/* Each end drops what was silent for the shorter time of both (RFC 9000 s10.1), so half of the
 * peer's is often enough (s10.1.2). */
static void keep_alive(struct quic_connection *c)
{
	uint64_t half = ngtcp2_conn_get_remote_transport_params(c->ng)->max_idle_timeout / 2;

	if (half && half < c->keep_alive_ns) {
		c->keep_alive_ns = half > KEEP_ALIVE_MIN_NS ? half : KEEP_ALIVE_MIN_NS;
		ngtcp2_conn_set_keep_alive_timeout(c->ng, c->keep_alive_ns);
	}
}

static void describe_peer(const struct quic_connection *c, SSL *ssl, struct quic_peer *peer)
{
	const unsigned char *alpn = nullptr;
	unsigned int n = 0;

	SSL_get0_alpn_selected(ssl, &alpn, &n);
	peer->group = SSL_get0_group_name(ssl);
	peer->cipher = SSL_get_cipher_name(ssl);
	peer->alpn = n == 2 && memcmp(alpn, "h3", 2) == 0 ? "h3" : "";
	peer->resumed = SSL_session_reused(ssl);
	peer->client = c->server;
}

static int on_handshake_completed(ngtcp2_conn *, void *user)
{
	struct quic_connection *c = user;
	struct quic_endpoint *e = c->endpoint;
	SSL *ssl = ngtcp2_crypto_ossl_ctx_get_ssl(c->ossl);
	struct quic_peer peer = {};

	if (!quic_tls_peer_key(ssl, peer.key))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	/* The rules that it was verified by have been replaced under way. */
	if (c->tls != e->tls && !quic_connection_judge(c))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	c->state = QUIC_ESTABLISHED;
	e->status.unauthenticated--;
	c->unauthenticated = false;
	if (c->server && give_token(c) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (!c->server)
		keep_alive(c);
	if (quic_h3_begin(c) < 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	describe_peer(c, ssl, &peer);
	if (e->events.established)
		e->events.established(e->user, c, &peer);
	return 0;
}

static struct quic_remembered *server_of(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;
	struct quic_path path = quic_connection_path(c);

	return quic_memory_of(&e->memory, &path.remote, c->server_name, e->now_ns);
}

int quic_callback_ticket(SSL *ssl, SSL_SESSION *take_session)
{
	ngtcp2_crypto_conn_ref *ref = SSL_get_app_data(ssl);
	struct quic_connection *c = ref ? ref->user_data : nullptr;
	struct quic_remembered *server = nullptr;

	/* Not one of rules that have been replaced since. */
	if (c && c->tls == c->endpoint->tls)
		server = server_of(c);
	if (!server)
		return 0;
	quic_memory_put_session(server, take_session);
	return 1;
}

static int on_token(ngtcp2_conn *, const uint8_t *token, size_t n, void *user)
{
	struct quic_remembered *server = server_of(user);

	if (server)
		quic_memory_put_token(server, token, n);
	return 0;
}

static int on_stream_data(ngtcp2_conn *, uint32_t flags, int64_t id, uint64_t, const uint8_t *bytes,
	size_t n, void *user, void *)
{
	if (flags & NGTCP2_STREAM_DATA_FLAG_0RTT)
		return quic_connection_http_error(user, QUIC_H3_GENERAL_PROTOCOL_ERROR);
	return quic_h3_receive(user, id, bytes, n, flags & NGTCP2_STREAM_DATA_FLAG_FIN);
}

static int on_acked(ngtcp2_conn *, int64_t id, uint64_t, uint64_t n, void *user, void *)
{
	struct quic_connection *c = user;

	c->acked++;
	return quic_h3_acknowledge(c, id, n);
}

static int on_stream_close(
	ngtcp2_conn *, uint32_t flags, int64_t id, uint64_t code, void *user, void *)
{
	bool set = flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET;

	return quic_h3_stream_closed(user, id, set ? code : QUIC_H3_NO_ERROR);
}

static int on_stream_reset(ngtcp2_conn *, int64_t id, uint64_t, uint64_t code, void *user, void *)
{
	return quic_h3_stream_reset(user, id, code);
}

static int on_stream_window(ngtcp2_conn *, int64_t id, uint64_t, void *user, void *)
{
	return quic_h3_unblock(user, id);
}

static int on_datagram(ngtcp2_conn *, uint32_t flags, const uint8_t *bytes, size_t n, void *user)
{
	struct quic_connection *c = user;

	c->carried = true;
	if (flags & NGTCP2_DATAGRAM_FLAG_0RTT) /* replayable */
		return 0;
	return quic_datagram_receive(c, bytes, n);
}

static int on_datagram_acked(ngtcp2_conn *ng, uint64_t mark, void *user)
{
	struct quic_connection *c = user;

	c->acked++;
	quic_late_acknowledged(&c->late, mark, c->endpoint->now_ns);
	if (quic_pmtu_acknowledged(
		    &c->pmtu, mark, ngtcp2_conn_get_path_max_tx_udp_payload_size(ng)))
		quic_datagram_tell_max(c);
	return 0;
}

static int on_datagram_lost(ngtcp2_conn *, uint64_t mark, void *user)
{
	struct quic_connection *c = user;

	quic_late_lost(&c->late, mark, c->endpoint->now_ns);
	if (quic_pmtu_lost(&c->pmtu, mark, c->endpoint->now_ns))
		quic_datagram_tell_max(c);
	return 0;
}

static int on_new_cid(
	ngtcp2_conn *, ngtcp2_cid *cid, ngtcp2_stateless_reset_token *token, size_t n, void *user)
{
	struct quic_connection *c = user;
	struct quic_endpoint *e = c->endpoint;

	quic_random(cid->data, n);
	cid->datalen = n;
	if (ngtcp2_crypto_generate_stateless_reset_token(
		    token->data, e->secrets.reset, sizeof(e->secrets.reset), cid) != 0 ||
		!quic_cidmap_add(e->cids, &c->cids, c, cid->data, cid->datalen))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_cid_retired(ngtcp2_conn *, const ngtcp2_cid *cid, void *user)
{
	struct quic_connection *c = user;

	quic_cidmap_remove(c->endpoint->cids, &c->cids, cid->data, cid->datalen);
	return 0;
}

/* The token that a stateless reset of the peer would carry comes into use, or out of it. */
static int on_peer_cid(ngtcp2_conn *, ngtcp2_connection_id_status_type type, uint64_t,
	const ngtcp2_cid *, const ngtcp2_stateless_reset_token *token, void *user)
{
	struct quic_connection *c = user;
	struct quic_cidmap *tokens = c->endpoint->tokens;

	if (!token)
		return 0;
	if (type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE)
		(void)!quic_cidmap_add(tokens, &c->tokens, c, token->data, sizeof(token->data));
	else
		quic_cidmap_remove(tokens, &c->tokens, token->data, sizeof(token->data));
	return 0;
}

static int on_stateless_reset(ngtcp2_conn *, const ngtcp2_pkt_stateless_reset2 *, void *user)
{
	((struct quic_connection *)user)->was_reset = true;
	return 0;
}

static int on_path_validation(ngtcp2_conn *, uint32_t, const ngtcp2_path *path, const ngtcp2_path *,
	ngtcp2_path_validation_result result, void *user)
{
	struct quic_connection *c = user;
	struct quic_endpoint *e = c->endpoint;
	struct quic_path of = {};

	quic_path_from_ngtcp2(path, &of);
	if (result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS && e->events.moved)
		e->events.moved(e->user, c, &of);
	if (result == NGTCP2_PATH_VALIDATION_RESULT_FAILURE && !c->server && e->events.stranded)
		e->events.stranded(e->user, c);
	return 0;
}

static int on_crypto(ngtcp2_conn *ng, ngtcp2_encryption_level level, uint64_t offset,
	const uint8_t *bytes, size_t n, void *user)
{
	struct quic_connection *c = user;

	c->overlong = c->unauthenticated && !quic_handshake_fits(&c->handshake, bytes, n);
	return c->overlong ? NGTCP2_ERR_CALLBACK_FAILURE
			   : ngtcp2_crypto_recv_crypto_data_cb(ng, level, offset, bytes, n, user);
}

static const ngtcp2_callbacks COMMON = {
	.recv_crypto_data = on_crypto,
	.handshake_completed = on_handshake_completed,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_stream_data = on_stream_data,
	.acked_stream_data_offset = on_acked,
	.stream_close = on_stream_close,
	.rand = on_rand,
	.remove_connection_id = on_cid_retired,
	.update_key = ngtcp2_crypto_update_key_cb,
	.path_validation = on_path_validation,
	.stream_reset = on_stream_reset,
	.extend_max_stream_data = on_stream_window,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.recv_datagram = on_datagram,
	.ack_datagram = on_datagram_acked,
	.lost_datagram = on_datagram_lost,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.recv_stateless_reset2 = on_stateless_reset,
	.get_new_connection_id2 = on_new_cid,
	.dcid_status2 = on_peer_cid,
	.get_path_challenge_data2 = ngtcp2_crypto_get_path_challenge_data2_cb,
};

void quic_callbacks_client(ngtcp2_callbacks *callbacks)
{
	*callbacks = COMMON;
	callbacks->client_initial = ngtcp2_crypto_client_initial_cb;
	callbacks->recv_new_token = on_token;
	callbacks->recv_retry = ngtcp2_crypto_recv_retry_cb;
}

void quic_callbacks_server(ngtcp2_callbacks *callbacks)
{
	*callbacks = COMMON;
	callbacks->recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
}
