/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/endpoint.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/accept.h"
#include "quic/connection_int.h"
#include "quic/stream_int.h"

/* So many strangers have taken enough for the process to give it back. */
constexpr unsigned int CROWD = 64;

#define DEFAULT(field, value)              \
	do {                               \
		if (!(field))              \
			(field) = (value); \
	} while (0)

static void fill_in_limits(struct quic_limits *limits)
{
	DEFAULT(limits->handshakes_per_prefix, 20);
	DEFAULT(limits->unauthenticated, 256);
	DEFAULT(limits->retry_above, 64);
	DEFAULT(limits->connections, 4096);
	DEFAULT(limits->answers, 1000);
	DEFAULT(limits->retries, 20'000);
	DEFAULT(limits->streams, 8);
	DEFAULT(limits->stream_send, 64UL << 10);
	DEFAULT(limits->stream_window, 64UL << 10);
	DEFAULT(limits->queue, 128UL << 10);
	DEFAULT(limits->queues, 16UL << 20);
}

static void fill_in(struct quic_config *config)
{
	fill_in_limits(&config->limits);
	DEFAULT(config->keep_alive_ns, 15 * NGTCP2_SECONDS);
	DEFAULT(config->idle_ns, 60 * NGTCP2_SECONDS);
	DEFAULT(config->handshake_ns, 10 * NGTCP2_SECONDS);
	DEFAULT(config->silent_ns, NGTCP2_SECONDS);
	DEFAULT(config->payload_max, 1472);
	DEFAULT(config->dialect.protocol, "connect-ip");
	if (config->payload_max < NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		config->payload_max = NGTCP2_MAX_UDP_PAYLOAD_SIZE;
}

/* What outlives the call that gave it. */
static void keep(struct quic_endpoint *e)
{
	struct quic_dialect *dialect = &e->config.dialect;

	e->config.identity = (struct quic_identity){};
	e->protocol = xstrdup(dialect->protocol);
	dialect->protocol = e->protocol;
	e->settings = xcalloc(dialect->n_settings, sizeof(*e->settings));
	if (dialect->n_settings)
		memcpy(e->settings, dialect->settings, dialect->n_settings * sizeof(*e->settings));
	dialect->settings = e->settings;
}

static struct quic_budget *budget(const struct quic_endpoint *e)
{
	unsigned int rate = e->config.limits.handshakes_per_prefix;
	uint64_t key;

	quic_random((uint8_t *)&key, sizeof(key));
	return quic_budget_new(rate, rate, key);
}

static struct quic_cidmap *cidmap(void)
{
	uint64_t key[2];

	quic_random((uint8_t *)key, sizeof(key));
	return quic_cidmap_new(key);
}

int quic_endpoint_new(struct quic_endpoint **out, const struct quic_config *config,
	const struct quic_events *events, void *user, uint64_t now_ns, struct err *err)
{
	struct quic_endpoint *e;
	struct quic_tls *tls;
	int r = quic_tls_new(&tls, &config->identity, quic_callback_ticket, err);

	if (r < 0)
		return r;
	if (ngtcp2_crypto_ossl_init() != 0)
		out_of_memory();
	e = xcalloc(1, sizeof(*e));
	e->events = *events;
	e->user = user;
	e->config = *config;
	e->tls = tls;
	e->now_ns = now_ns;
	fill_in(&e->config);
	keep(e);
	quic_tls_secrets(tls, &e->secrets);
	e->cids = cidmap();
	e->tokens = cidmap();
	e->strangers = budget(e);
	e->validated = budget(e);
	*out = e;
	return 0;
}

void quic_endpoint_limit(struct quic_endpoint *e, const struct quic_limits *limits)
{
	struct quic_limits *now = &e->config.limits;
	unsigned int rate = now->handshakes_per_prefix;

	now->handshakes_per_prefix = limits->handshakes_per_prefix;
	now->unauthenticated = limits->unauthenticated;
	now->retry_above = limits->retry_above;
	now->retry_always = limits->retry_always;
	now->connections = limits->connections;
	fill_in_limits(now);
	if (now->handshakes_per_prefix == rate)
		return;
	quic_budget_free(e->strangers);
	quic_budget_free(e->validated);
	e->strangers = budget(e);
	e->validated = budget(e);
}

void quic_endpoint_free(struct quic_endpoint *e)
{
	if (!e)
		return;
	while (e->all.first)
		quic_connection_free(e->all.first);
	quic_timers_clear(&e->timers);
	quic_cidmap_free(e->cids);
	quic_cidmap_free(e->tokens);
	quic_budget_free(e->strangers);
	quic_budget_free(e->validated);
	quic_memory_forget_sessions(&e->memory);
	quic_tls_unref(e->tls);
	OPENSSL_cleanse(&e->secrets, sizeof(e->secrets));
	free(e->protocol);
	free(e->settings);
	free(e);
}

uint64_t quic_endpoint_now(struct quic_endpoint *e, uint64_t now_ns)
{
	if (now_ns > e->now_ns)
		e->now_ns = now_ns;
	return e->now_ns;
}

int quic_endpoint_check(const struct quic_identity *identity, struct err *err)
{
	struct quic_tls *tls;
	int r = quic_tls_new(&tls, identity, quic_callback_ticket, err);

	if (r == 0)
		quic_tls_unref(tls);
	return r;
}

int quic_endpoint_reload(struct quic_endpoint *e, const struct quic_identity *identity,
	uint64_t now_ns, struct err *err)
{
	struct quic_tls *tls;
	int r = quic_tls_new(&tls, identity, quic_callback_ticket, err);

	if (r < 0)
		return r;
	quic_endpoint_now(e, now_ns);
	quic_tls_unref(e->tls);
	e->tls = tls;
	quic_tls_secrets(tls, &e->secrets);
	quic_memory_forget_sessions(&e->memory);
	for (struct quic_connection *c = e->all.first; c; c = c->next)
		if (c->state == QUIC_ESTABLISHED)
			(void)quic_connection_judge(c);
	return 0;
}

/* It is heard again and again: the farewell may have been lost, but half of all packets is enough
 * (RFC 9000 s10.2.1). */
static void answer_late(struct quic_connection *c)
{
	c->heard++;
	if (!c->farewell || (c->heard & (c->heard - 1)) != 0)
		return;
	c->farewells_due = 1;
	quic_connection_touch(c);
}

static void tell_silent(struct quic_connection *c, bool silent)
{
	struct quic_endpoint *e = c->endpoint;

	c->silent = silent;
	if (e->events.silent)
		e->events.silent(e->user, c, silent);
}

/* RFC 9002 s6.2: by then three probes, at least, have not been answered either. */
static uint64_t silent_at(const struct quic_connection *c)
{
	uint64_t patience = 3 * ngtcp2_conn_get_pto(c->ng);

	if (patience < c->endpoint->config.silent_ns)
		patience = c->endpoint->config.silent_ns;
	return c->asked_ns + patience;
}

void quic_connection_set_timer(struct quic_connection *c)
{
	uint64_t at = ngtcp2_conn_get_expiry(c->ng);
	ngtcp2_conn_info info;

	ngtcp2_conn_get_conn_info(c->ng, &info);
	c->lost = info.pkt_lost;
	if (!c->asked_ns && c->state == QUIC_ESTABLISHED)
		c->asked_ns = info.bytes_in_flight ? c->endpoint->now_ns : 0;
	if (c->asked_ns && !c->silent && silent_at(c) < at)
		at = silent_at(c);
	quic_timers_set(&c->endpoint->timers, &c->timer, at);
}

static void tell_room(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;

	if (!c->wants_room || ngtcp2_conn_get_cwnd_left(c->ng) < c->payload)
		return;
	c->wants_room = false;
	if (e->events.datagram_room)
		e->events.datagram_room(e->user, c);
}

/* A client's first packets go to an ID of its own choice. */
static bool is_short(const struct quic_run *in)
{
	return !(in->bytes[0] & 0x80);
}

/* An ID that a stranger has read on the way and uses is still one of ours: nothing is lost by it.
 */
static void note_used(struct quic_connection *c, const ngtcp2_version_cid *id)
{
	if (id->dcidlen != sizeof(c->used_id) ||
		memcmp(c->used_id, id->dcid, sizeof(c->used_id)) == 0)
		return;
	memcpy(c->used_id, id->dcid, sizeof(c->used_id));
	c->used_another = true;
}

static void tell_traced(struct quic_connection *c)
{
	struct quic_endpoint *e = c->endpoint;

	if (!c->used_another || c->state != QUIC_ESTABLISHED)
		return;
	c->used_another = false;
	if (e->events.traced)
		e->events.traced(e->user, c);
}

static void read_known(struct quic_connection *c, const struct quic_run *in)
{
	int r;

	if (c->state == QUIC_CLOSED) {
		answer_late(c);
		return;
	}
	if (c->close || c->doomed) /* its owner has done with it */
		return;
	r = quic_connection_read(c, in);
	if (r < 0) {
		quic_connection_fail(c, r);
		return;
	}
	tell_room(c);
	tell_traced(c);
	if (c->silent && !c->asked_ns)
		tell_silent(c, false);
}

/* A reset looks like a packet of nobody's, but for the token at its end (RFC 9000 s10.3.1). */
static struct quic_connection *find_reset(const struct quic_endpoint *e, const struct quic_run *in)
{
	constexpr size_t token = NGTCP2_STATELESS_RESET_TOKENLEN;

	if (!is_short(in) || in->length < token + NGTCP2_MIN_STATELESS_RESET_RANDLEN)
		return nullptr;
	return quic_cidmap_find(e->tokens, in->bytes + in->length - token, token);
}

static void receive_one(struct quic_endpoint *e, const struct quic_run *in)
{
	struct quic_connection *c;
	ngtcp2_version_cid id;
	int r = ngtcp2_pkt_decode_version_cid(&id, in->bytes, in->length, QUIC_CID_LENGTH);

	e->counters.received++;
	if (r == NGTCP2_ERR_VERSION_NEGOTIATION) {
		quic_accept_version(e, in, &id);
		return;
	}
	if (r != 0) {
		e->counters.unknown++;
		return;
	}
	c = quic_cidmap_find(e->cids, id.dcid, id.dcidlen);
	if (!c)
		c = find_reset(e, in);
	else if (is_short(in))
		note_used(c, &id);
	if (c)
		read_known(c, in);
	else
		quic_accept_stranger(e, in, &id);
}

void quic_endpoint_receive(struct quic_endpoint *e, const struct quic_run *in, uint64_t now_ns)
{
	struct quic_run one = *in;

	assert(!e->open);
	quic_endpoint_now(e, now_ns);
	for (size_t at = 0; at < in->length; at += one.length) {
		size_t left = in->length - at;

		one.bytes = in->bytes + at;
		one.length = in->segment && in->segment < left ? in->segment : left;
		receive_one(e, &one);
	}
}

static bool write_answers(struct quic_endpoint *e, struct quic_batch *out)
{
	for (; e->n_answers; e->n_answers--) {
		const struct quic_answer *a = &e->answers[e->n_answers - 1];

		if (!quic_batch_fits(out, a->n))
			return false;
		memcpy(out->buffer + out->used, a->bytes, a->n);
		quic_batch_add(out, &a->path, 0, a->n);
		e->counters.sent++;
	}
	return true;
}

static struct quic_connection *next_busy(struct quic_endpoint *e)
{
	struct quic_connection *c = e->busy.first;

	if (!c)
		return nullptr;
	e->busy.first = c->next_busy;
	if (!e->busy.first)
		e->busy.last = nullptr;
	c->busy = false;
	return c;
}

bool quic_endpoint_write(struct quic_endpoint *e, struct quic_batch *out, uint64_t now_ns)
{
	struct quic_connection *c = e->open;

	quic_endpoint_now(e, now_ns);
	/* The open packet comes first: its bytes are behind `used` already. */
	if (c) {
		int r = quic_connection_seal(c, out);

		c->doomed = r < 0 ? r : c->doomed;
	}
	if (!write_answers(e, out))
		return true;
	while ((c = next_busy(e)))
		if (!quic_connection_write(c, out)) {
			quic_connection_touch(c); /* behind the others */
			return true;
		}
	return false;
}

uint64_t quic_endpoint_expiry_ns(const struct quic_endpoint *e)
{
	const struct quic_timer *first = quic_timers_first(&e->timers);

	return first ? first->at_ns : UINT64_MAX;
}

static void expire(struct quic_connection *c)
{
	int r;

	if (c->state == QUIC_CLOSED) {
		quic_connection_free(c);
		return;
	}
	r = ngtcp2_conn_handle_expiry(c->ng, c->endpoint->now_ns);
	if (r < 0) {
		quic_connection_fail(c, r);
		return;
	}
	quic_connection_watch(c);
	quic_timers_set(&c->endpoint->timers, &c->timer, UINT64_MAX); /* until it has written */
	quic_connection_touch(c);
	tell_room(c);
	if (c->asked_ns && !c->silent && silent_at(c) <= c->endpoint->now_ns)
		tell_silent(c, true);
}

/* When a crowd of strangers has gone. malloc(3) keeps what lies between others' memory: three
 * quarters of the most that the process ever had. */
static void give_back(struct quic_endpoint *e)
{
	if (e->crowd < CROWD || e->status.unauthenticated > e->crowd / 8)
		return;
	e->crowd = e->status.unauthenticated;
	malloc_trim(0);
}

void quic_endpoint_expire(struct quic_endpoint *e, uint64_t now_ns)
{
	struct quic_timer *first;

	assert(!e->open);
	quic_endpoint_now(e, now_ns);
	while ((first = quic_timers_first(&e->timers)) && first->at_ns <= e->now_ns)
		expire(first->owner);
	give_back(e);
}

void quic_endpoint_ping(struct quic_endpoint *e)
{
	for (struct quic_connection *c = e->all.first; c; c = c->next) {
		if (c->state != QUIC_ESTABLISHED)
			continue;
		c->ping = true;
		quic_connection_touch(c);
	}
}

void quic_endpoint_shutdown(struct quic_endpoint *e, uint64_t now_ns)
{
	quic_endpoint_now(e, now_ns);
	for (struct quic_connection *c = e->all.first; c; c = c->next)
		quic_connection_close(c, QUIC_H3_NO_ERROR, "");
}

const struct quic_counters *quic_endpoint_counters(const struct quic_endpoint *e)
{
	return &e->counters;
}

struct quic_status quic_endpoint_status(const struct quic_endpoint *e)
{
	return e->status;
}
