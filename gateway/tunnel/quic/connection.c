/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/connection_int.h"
#include "quic/h3.h"
#include "quic/message.h"
#include "quic/params.h"
#include "quic/stream_int.h"
#include "quic/trace.h"

static ngtcp2_conn *get_ng(ngtcp2_crypto_conn_ref *ref)
{
	return ((struct quic_connection *)ref->user_data)->ng;
}

static void list_all(struct quic_endpoint *e, struct quic_connection *c)
{
	c->previous = e->all.last;
	if (c->previous)
		c->previous->next = c;
	else
		e->all.first = c;
	e->all.last = c;
	e->status.connections++;
	e->status.unauthenticated++;
	c->unauthenticated = true;
	if (e->status.unauthenticated > e->crowd)
		e->crowd = e->status.unauthenticated;
}

static struct quic_connection *connection_new(struct quic_endpoint *e, bool server)
{
	struct quic_connection *c = xcalloc(1, sizeof(*c));

	c->endpoint = e;
	c->server = server;
	c->bidi_allowed = server ? e->config.limits.streams : 0;
	c->control = -1;
	c->timer.owner = c;
	quic_meter_init(&c->meter);
	quic_pmtu_reset(&c->pmtu);
	c->heard_ns = e->now_ns;
	c->tls = quic_tls_ref(e->tls);
	c->ref = (ngtcp2_crypto_conn_ref){.get_conn = get_ng, .user_data = c};
	c->cause = QUIC_CAUSE_LOCAL;
	ngtcp2_ccerr_default(&c->error);
	list_all(e, c);
	return c;
}

/* The library's object and TLS come to know each other. */
static bool attach_tls(struct quic_connection *c, const char *server_name)
{
	SSL *ssl = quic_tls_session(c->tls, c->server, server_name);

	if (!ssl)
		return false;
	if (ngtcp2_crypto_ossl_ctx_new(&c->ossl, ssl) != 0)
		out_of_memory();
	SSL_set_app_data(ssl, &c->ref);
	ngtcp2_conn_set_tls_native_handle(c->ng, c->ossl);
	return true;
}

static ngtcp2_cid random_cid(size_t n)
{
	ngtcp2_cid cid = {.datalen = n};

	quic_random(cid.data, n);
	return cid;
}

static void know_cid(struct quic_connection *c, const ngtcp2_cid *cid)
{
	/* A stranger may have chosen one that is there: its packets go to the first then. */
	(void)!quic_cidmap_add(c->endpoint->cids, &c->cids, c, cid->data, cid->datalen);
}

int quic_connection_accept(struct quic_endpoint *e, const ngtcp2_pkt_hd *hd,
	const ngtcp2_cid *original, ngtcp2_token_type token_type, const struct quic_path *path,
	struct quic_connection **out)
{
	struct quic_connection *c = connection_new(e, true);
	ngtcp2_cid scid = random_cid(QUIC_CID_LENGTH);
	ngtcp2_callbacks callbacks;
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	ngtcp2_path ng_path;

	quic_path_to_ngtcp2(path, &ng_path);
	quic_callbacks_server(&callbacks);
	quic_params_settings(e, &settings);
	settings.token = hd->token;
	settings.tokenlen = hd->tokenlen;
	settings.token_type = token_type;
	quic_params_transport(e, &params, true);
	quic_params_server(e, &params, hd, original, &scid);
	if (ngtcp2_conn_server_new(&c->ng, &hd->scid, &scid, &ng_path, hd->version, &callbacks,
		    &settings, &params, &c->meter.memory, c) != 0 ||
		!attach_tls(c, nullptr)) {
		quic_connection_free(c);
		return -EINVAL;
	}
	know_cid(c, &scid);
	know_cid(c, &hd->dcid);
	*out = c;
	return 0;
}

/* Session and token serve once. */
static void use_up(struct quic_connection *c, struct quic_remembered *known)
{
	known->token_length = 0;
	if (known->session)
		SSL_set_session(ngtcp2_crypto_ossl_ctx_get_ssl(c->ossl), known->session);
	quic_memory_put_session(known, nullptr);
	ERR_clear_error();
}

static int begin(struct quic_connection *c, const struct quic_dial *dial)
{
	struct quic_endpoint *e = c->endpoint;
	struct quic_remembered *known;
	ngtcp2_cid scid = random_cid(QUIC_CID_LENGTH);
	ngtcp2_cid dcid = random_cid(NGTCP2_MIN_INITIAL_DCIDLEN + 8);
	ngtcp2_callbacks callbacks;
	ngtcp2_settings settings;
	ngtcp2_transport_params params;
	ngtcp2_path path;

	quic_path_to_ngtcp2(&dial->path, &path);
	quic_callbacks_client(&callbacks);
	quic_params_settings(e, &settings);
	quic_params_transport(e, &params, false);
	known = quic_memory_of(&e->memory, &dial->path.remote, c->server_name, e->now_ns);
	if (known && known->token_length) {
		settings.token = known->token;
		settings.tokenlen = known->token_length;
	}
	if (ngtcp2_conn_client_new(&c->ng, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1, &callbacks,
		    &settings, &params, &c->meter.memory, c) != 0 ||
		!attach_tls(c, dial->server_name))
		return -EINVAL;
	if (known)
		use_up(c, known);
	c->keep_alive_ns = e->config.keep_alive_ns;
	ngtcp2_conn_set_keep_alive_timeout(c->ng, c->keep_alive_ns);
	know_cid(c, &scid);
	return 0;
}

int quic_connect(struct quic_endpoint *e, const struct quic_dial *dial, uint64_t now_ns,
	struct quic_stream **stream, struct err *err)
{
	struct quic_message *message;
	struct quic_connection *c;

	quic_endpoint_now(e, now_ns);
	if (!quic_address_size(&dial->path.local) || !quic_address_size(&dial->path.remote))
		return err_set(err, EAFNOSUPPORT, "neither IPv4 nor IPv6");
	message = quic_message_copy(&dial->request);
	if (!message)
		return err_set(err, EINVAL, "the request is too large, or a part is missing");
	c = connection_new(e, false);
	c->server_name = xstrdup(dial->server_name ? dial->server_name : "");
	if (begin(c, dial) < 0) {
		free(message);
		quic_connection_free(c);
		return err_set(err, EINVAL, "no connection can be begun: server name?");
	}
	*stream = quic_stream_new(c, -1);
	(*stream)->message = message;
	(*stream)->told = true;
	quic_connection_touch(c);
	return 0;
}

/* What only a living connection needs. */
void quic_connection_let_go(struct quic_connection *c)
{
	SSL *ssl = c->ossl ? ngtcp2_crypto_ossl_ctx_get_ssl(c->ossl) : nullptr;

	if (c->endpoint->open == c)
		c->endpoint->open = nullptr;
	if (ssl) {
		SSL_set_app_data(ssl, nullptr);
		/* QUIC has no close_notify; without one OpenSSL spoils the session's ticket. */
		SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	}
	nghttp3_conn_del(c->h3);
	ngtcp2_conn_del(c->ng);
	ngtcp2_crypto_ossl_ctx_del(c->ossl);
	SSL_free(ssl);
	ERR_clear_error();
	c->h3 = nullptr;
	c->ng = nullptr;
	c->ossl = nullptr;
	quic_tls_unref(TAKE_PTR(c->tls));
}

static void unlist(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;

	*(c->previous ? &c->previous->next : &e->all.first) = c->next;
	*(c->next ? &c->next->previous : &e->all.last) = c->previous;
	if (!c->busy)
		return;
	for (struct quic_connection **at = &e->busy.first, *before = nullptr; *at;
		before = *at, at = &(*at)->next_busy) {
		if (*at != c)
			continue;
		*at = c->next_busy;
		if (e->busy.last == c)
			e->busy.last = before;
		return;
	}
}

void quic_connection_free(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;

	e->status.unauthenticated -= c->unauthenticated;
	e->status.connections--;
	quic_connection_let_go(c);
	while (c->streams)
		quic_stream_free(c->streams);
	quic_timers_set(&e->timers, &c->timer, UINT64_MAX);
	quic_cidmap_clear(e->cids, &c->cids);
	quic_cidmap_clear(e->tokens, &c->tokens);
	unlist(c);
	quic_extra_clear(&c->extra);
	free(c->server_name);
	free(c->farewell);
	free(c);
}

void quic_connection_sent(struct quic_connection *c)
{
	struct quic_list *busy = &c->endpoint->busy;

	if (c->busy)
		return;
	c->busy = true;
	c->next_busy = nullptr;
	*(busy->last ? &busy->last->next_busy : &busy->first) = c;
	busy->last = c;
}

void quic_connection_touch(struct quic_connection *c)
{
	c->due = true;
	quic_connection_sent(c);
}

void quic_connection_close(struct quic_connection *c, uint64_t code, const char *reason)
{
	if (c->state == QUIC_CLOSED || c->close)
		return;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
	ngtcp2_ccerr_set_application_error(
		&c->error, code, (const uint8_t *)c->reason, strlen(c->reason));
	c->cause = QUIC_CAUSE_LOCAL;
	c->close = true;
	quic_connection_touch(c);
}

int quic_connection_migrate(
	struct quic_connection *c, const struct quic_path *path, uint64_t now_ns)
{
	struct quic_path now = quic_connection_path(c);
	ngtcp2_path ng_path;
	int r;

	if (c->server || c->state != QUIC_ESTABLISHED)
		return -EBUSY;
	quic_path_to_ngtcp2(path, &ng_path);
	if (quic_address_equal(&path->local, &now.local) && path->socket != now.socket) {
		ngtcp2_conn_set_path_user_data(c->ng, ng_path.user_data);
		return 0;
	}
	r = ngtcp2_conn_initiate_immediate_migration(
		c->ng, &ng_path, quic_endpoint_now(c->endpoint, now_ns));
	quic_connection_touch(c);
	if (r == NGTCP2_ERR_INVALID_ARGUMENT)
		return -EALREADY;
	return r == 0 ? 0 : -EBUSY;
}

void quic_connection_set_data(struct quic_connection *c, void *data)
{
	c->data = data;
}

void *quic_connection_data(const struct quic_connection *c)
{
	return c->data;
}

struct quic_path quic_connection_path(const struct quic_connection *c)
{
	struct quic_path path = c->farewell_path;

	if (c->ng)
		quic_path_from_ngtcp2(ngtcp2_conn_get_path(c->ng), &path);
	return path;
}

struct quic_trace quic_connection_trace(const struct quic_connection *c)
{
	struct quic_trace trace = {.path = quic_connection_path(c)};

	static_assert(sizeof(trace.id) == sizeof(c->used_id));
	memcpy(trace.id, c->used_id, sizeof(trace.id));
	return trace;
}

bool quic_connection_established(const struct quic_connection *c)
{
	return c->state == QUIC_ESTABLISHED;
}

static struct quic_hearing hearing(const struct quic_connection *c, const ngtcp2_conn_info *info)
{
	return (struct quic_hearing){.flight = info->bytes_in_flight,
		.acked = c->acked,
		.sample_ns = info->latest_rtt,
		.heard_ns = c->heard_ns};
}

void quic_connection_watch(struct quic_connection *c)
{
	ngtcp2_conn_info info;

	if (c->state != QUIC_ESTABLISHED)
		return;
	ngtcp2_conn_get_conn_info(c->ng, &info);
	const struct quic_hearing now = hearing(c, &info);
	if (!quic_deaf_watch(&c->deaf, &now, c->endpoint->now_ns))
		return;
	quic_connection_close(c, QUIC_H3_EXCESSIVE_LOAD, "nothing is acknowledged");
	c->cause = QUIC_CAUSE_DEAF;
}

struct quic_figures quic_connection_figures(const struct quic_connection *c)
{
	ngtcp2_conn_info info;

	if (!c->ng)
		return (struct quic_figures){};
	ngtcp2_conn_get_conn_info(c->ng, &info);
	const struct quic_hearing now = hearing(c, &info);
	return (struct quic_figures){
		.rtt_ns = info.smoothed_rtt,
		.window = info.cwnd,
		.in_flight = info.bytes_in_flight,
		.heard_ns = c->heard_ns,
		.unacked_ns = quic_deaf_ns(&c->deaf, &now, c->endpoint->now_ns),
		.sent = c->late.sent,
		.lost = quic_late_count(&c->late, c->endpoint->now_ns),
		.late = c->late.late,
		.payload = c->payload,
	};
}
