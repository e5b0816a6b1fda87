/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How connections end: which error becomes which cause, the farewell, and what remains of them.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/connection_int.h"
#include "quic/identity.h"
#include "quic/stream_int.h"

/* A peer's reason may be anything; what is not printable ASCII becomes a question mark. */
static void take_reason(struct quic_connection *c, const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	for (; i < n && i < sizeof(c->reason) - 1; i++) {
		memcpy(&c->reason[i], &bytes[i], 1);
		if (bytes[i] < ' ' || bytes[i] > '~')
			c->reason[i] = '?';
	}
	c->reason[i] = '\0';
}

/* RFC 9001 s4.8: 0x100 and the alert. */
static bool is_alert(const ngtcp2_ccerr *error)
{
	return error->type == NGTCP2_CCERR_TYPE_TRANSPORT &&
	       (error->error_code & ~UINT64_C(0xff)) == NGTCP2_CRYPTO_ERROR;
}

static void name_alert(struct quic_connection *c)
{
	if (is_alert(&c->error) && !c->reason[0])
		snprintf(c->reason, sizeof(c->reason), "TLS alert: %s",
			SSL_alert_desc_string_long((int)(c->error.error_code & 0xff)));
}

static void tell_closed(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;
	bool failed = c->state == QUIC_HANDSHAKING;
	struct quic_closed why = {
		.cause = c->cause,
		.application = c->error.type == NGTCP2_CCERR_TYPE_APPLICATION,
		.code = c->error.error_code,
		.reason = c->reason,
	};

	e->counters.handshakes_failed += failed;
	c->state = QUIC_CLOSED;
	while (c->streams)
		quic_stream_end(c->streams, QUIC_END_CLOSED, c->error.error_code);
	/* A stranger's attempt that came to nothing is no event. */
	if (e->events.closed && !(failed && c->server))
		e->events.closed(e->user, c, &why);
}

/* CONNECTION_CLOSE once, and again when the peer goes on (RFC 9000 s10.2.1). */
static void write_farewell(struct quic_connection *c)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_path_storage storage;
	ngtcp2_ssize n;

	ngtcp2_path_storage_zero(&storage);
	n = ngtcp2_conn_write_connection_close(c->ng, &storage.path, nullptr, packet,
		sizeof(packet), &c->error, c->endpoint->now_ns);
	if (n <= 0)
		return;
	c->farewell = xcalloc(1, (size_t)n);
	memcpy(c->farewell, packet, (size_t)n);
	c->farewell_length = (size_t)n;
	c->farewells_due = 1;
	quic_path_from_ngtcp2(&storage.path, &c->farewell_path);
	quic_connection_touch(c);
}

void quic_connection_end(struct quic_connection *c, bool farewell, bool linger)
{
	struct quic_endpoint *e = c->endpoint;
	uint64_t until = e->now_ns + 3 * ngtcp2_conn_get_pto(c->ng);

	name_alert(c);
	if (farewell)
		write_farewell(c);
	tell_closed(c);
	if (!linger && !c->farewell) {
		quic_connection_free(c);
		return;
	}
	quic_connection_let_go(c);
	quic_timers_set(&e->timers, &c->timer, until);
}

static void take_peers_error(struct quic_connection *c)
{
	const ngtcp2_ccerr *error = ngtcp2_conn_get_ccerr(c->ng);

	c->cause = c->was_reset ? QUIC_CAUSE_RESET : QUIC_CAUSE_PEER;
	c->error = *error;
	c->error.reason = nullptr;
	c->error.reasonlen = 0;
	take_reason(c, error->reason, error->reasonlen);
}

/* By what quic_credentials_judge() says. */
static enum quic_cause cause_of(int verdict)
{
	return verdict == QUIC_NOT_PINNED ? QUIC_CAUSE_IDENTITY : QUIC_CAUSE_CERTIFICATE;
}

bool quic_connection_judge(struct quic_connection *c)
{
	int verdict = quic_tls_judge(c->endpoint->tls, ngtcp2_crypto_ossl_ctx_get_ssl(c->ossl));

	if (verdict == X509_V_OK)
		return true;
	quic_connection_close(c, QUIC_H3_NO_ERROR, "not accepted any more");
	c->cause = cause_of(verdict);
	return false;
}

static void take_alert(struct quic_connection *c)
{
	ngtcp2_ccerr_set_tls_alert(&c->error, ngtcp2_conn_get_tls_alert(c->ng), nullptr, 0);
	SSL *ssl = ngtcp2_crypto_ossl_ctx_get_ssl(c->ossl);
	const char *complaint = quic_tls_complaint(ssl);
	if (!complaint)
		return;
	c->cause = cause_of((int)SSL_get_verify_result(ssl));
	snprintf(c->reason, sizeof(c->reason), "%s", complaint);
}

/* HTTP/3 and our own checks have set the error before they made the callback fail. */
static void take_liberr(struct quic_connection *c, int liberr)
{
	if (c->error.type == NGTCP2_CCERR_TYPE_APPLICATION)
		return;
	ngtcp2_ccerr_set_liberr(&c->error, liberr, nullptr, 0);
	if (!c->reason[0])
		snprintf(c->reason, sizeof(c->reason), "%s", ngtcp2_strerror(liberr));
}

int quic_connection_http_error(struct quic_connection *c, uint64_t code)
{
	ngtcp2_ccerr_set_application_error(&c->error, code, nullptr, 0);
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

static void drop(struct quic_connection *c, enum quic_cause cause)
{
	c->cause = cause;
	quic_connection_end(c, false, false);
}

void quic_connection_fail(struct quic_connection *c, int liberr)
{
	switch (liberr) {
	case NGTCP2_ERR_DRAINING:
		take_peers_error(c);
		quic_connection_end(c, false, true);
		return;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		drop(c, QUIC_CAUSE_LOCAL);
		return;
	case NGTCP2_ERR_IDLE_CLOSE:
		drop(c, QUIC_CAUSE_IDLE);
		return;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		drop(c, QUIC_CAUSE_HANDSHAKE);
		return;
	case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
		drop(c, QUIC_CAUSE_VERSION);
		return;
	case NGTCP2_ERR_CRYPTO:
		take_alert(c);
		break;
	default:
		take_liberr(c, liberr);
	}
	quic_connection_end(c, true, true);
}
