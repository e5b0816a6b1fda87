/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/accept.h"

#include <assert.h>
#include <string.h>

#include "quic/connection_int.h"
#include "quic/trace.h"

constexpr uint64_t RETRY_LIFE_NS = 10ULL * NGTCP2_SECONDS;
constexpr uint64_t TOKEN_LIFE_NS = 24ULL * 3600 * NGTCP2_SECONDS;
/* RFC 9000 s10.3: what looks like the shortest packet that a peer might answer with a reset. */
constexpr size_t RESET_MIN = 1 + NGTCP2_MIN_STATELESS_RESET_RANDLEN - 1 + 16;
constexpr size_t RESET_MAX = 41;
/* What nobody has asked for. It may come too late, to who answers it with a reset that is a byte
 * shorter (s10.3.3), and so on. */
constexpr size_t RESET_UNASKED = RESET_MIN + 4;

/* A place for an answer, or nullptr: too many of late. */
static struct quic_answer *answer_from(struct quic_endpoint *e, struct quic_bucket *budget,
	unsigned int rate, const struct quic_run *in)
{
	struct quic_answer *a = &e->answers[e->n_answers];

	if (e->n_answers == QUIC_ANSWERS || !quic_bucket_take(budget, rate, rate, e->now_ns)) {
		e->counters.over_answers++;
		return nullptr;
	}
	a->path = in->path;
	return a;
}

static struct quic_answer *answer_to(struct quic_endpoint *e, const struct quic_run *in)
{
	return answer_from(e, &e->answer_budget, e->config.limits.answers, in);
}

/* Whether n bytes have become an answer. */
static bool answered(struct quic_endpoint *e, struct quic_answer *a, ngtcp2_ssize n)
{
	if (n <= 0)
		return false;
	a->n = (size_t)n;
	e->n_answers++;
	return true;
}

/* RFC 9000 s6.1: not to datagrams that could not begin a connection. */
void quic_accept_version(
	struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_version_cid *id)
{
	static const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
	struct quic_answer *a;
	uint8_t random;

	if (!e->config.accept || in->length < NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
		e->counters.unknown++;
		return;
	}
	a = answer_to(e, in);
	if (!a)
		return;
	quic_random(&random, sizeof(random));
	e->counters.versions += answered(e, a,
		ngtcp2_pkt_write_version_negotiation(a->bytes, sizeof(a->bytes), random, id->scid,
			id->scidlen, id->dcid, id->dcidlen, versions,
			sizeof(versions) / sizeof(*versions)));
}

/* n bytes that end with the token of a connection ID. */
static ngtcp2_ssize write_reset(
	const struct quic_endpoint *e, const ngtcp2_cid *cid, uint8_t *bytes, size_t n)
{
	ngtcp2_stateless_reset_token token;
	uint8_t random[RESET_MAX];

	if (ngtcp2_crypto_generate_stateless_reset_token(
		    token.data, e->secrets.reset, sizeof(e->secrets.reset), cid) != 0)
		return -1;
	quic_random(random, sizeof(random));
	return ngtcp2_pkt_write_stateless_reset2(
		bytes, n, &token, random, n - NGTCP2_STATELESS_RESET_TOKENLEN);
}

bool quic_endpoint_disown(
	struct quic_endpoint *e, const struct quic_trace *trace, struct quic_batch *out)
{
	ngtcp2_cid cid;

	assert(!e->open);
	if (!quic_batch_fits(out, RESET_UNASKED))
		return false;
	ngtcp2_cid_init(&cid, trace->id, sizeof(trace->id));
	if (write_reset(e, &cid, out->buffer + out->used, RESET_UNASKED) == RESET_UNASKED) {
		quic_batch_add(out, &trace->path, 0, RESET_UNASKED);
		e->counters.resets++;
		e->counters.sent++;
	}
	return true;
}

/* Smaller than its cause, so that two ends that forgot each other fall silent. */
static void reset(struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_version_cid *id)
{
	size_t size = in->length - 1 < RESET_MAX ? in->length - 1 : RESET_MAX;
	struct quic_answer *a;
	ngtcp2_cid cid;

	if (in->length <= RESET_MIN) {
		e->counters.unknown++;
		return;
	}
	a = answer_to(e, in);
	if (!a)
		return;
	ngtcp2_cid_init(&cid, id->dcid, id->dcidlen);
	e->counters.resets += answered(e, a, write_reset(e, &cid, a->bytes, size));
}

static void retry(struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_pkt_hd *hd)
{
	uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2];
	struct quic_answer *a = answer_from(e, &e->retry_budget, e->config.limits.retries, in);
	ngtcp2_cid scid = {.datalen = QUIC_CID_LENGTH};
	ngtcp2_ssize n;

	if (!a)
		return;
	quic_random(scid.data, scid.datalen);
	n = ngtcp2_crypto_generate_retry_token2(token, e->secrets.token, sizeof(e->secrets.token),
		hd->version, &in->path.remote.sa, quic_address_size(&in->path.remote), &scid,
		&hd->dcid, e->now_ns);
	if (n > 0)
		n = ngtcp2_crypto_write_retry(a->bytes, sizeof(a->bytes), hd->version, &hd->scid,
			&scid, &hd->dcid, token, (size_t)n);
	e->counters.retries += answered(e, a, n);
}

static void close_bad_token(
	struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_pkt_hd *hd)
{
	struct quic_answer *a = answer_to(e, in);

	e->counters.bad_tokens++;
	if (a)
		answered(e, a,
			ngtcp2_crypto_write_connection_close(a->bytes, sizeof(a->bytes),
				hd->version, &hd->scid, &hd->dcid, NGTCP2_INVALID_TOKEN, nullptr,
				0));
}

enum proof { UNPROVEN, PROVEN_BY_RETRY, PROVEN_BY_TOKEN, FALSE_PROOF };

static enum proof examine_token(struct quic_endpoint *e, const struct quic_run *in,
	const ngtcp2_pkt_hd *hd, ngtcp2_cid *original)
{
	const union quic_address *remote = &in->path.remote;
	int r;

	if (hd->tokenlen == 0)
		return UNPROVEN;
	if (hd->token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) {
		r = ngtcp2_crypto_verify_retry_token2(original, hd->token, hd->tokenlen,
			e->secrets.token, sizeof(e->secrets.token), hd->version, &remote->sa,
			quic_address_size(remote), &hd->dcid, RETRY_LIFE_NS, e->now_ns);
		if (r == NGTCP2_CRYPTO_ERR_UNREADABLE_TOKEN)
			return UNPROVEN;
		return r == 0 ? PROVEN_BY_RETRY : FALSE_PROOF;
	}
	r = ngtcp2_crypto_verify_regular_token(hd->token, hd->tokenlen, e->secrets.token,
		sizeof(e->secrets.token), &remote->sa, quic_address_size(remote), TOKEN_LIFE_NS,
		e->now_ns);
	return r == 0 ? PROVEN_BY_TOKEN : UNPROVEN;
}

static void begin(struct quic_endpoint *e, const struct quic_run *in, ngtcp2_pkt_hd *hd,
	enum proof proof, const ngtcp2_cid *original)
{
	static const ngtcp2_token_type types[] = {
		[UNPROVEN] = NGTCP2_TOKEN_TYPE_UNKNOWN,
		[PROVEN_BY_RETRY] = NGTCP2_TOKEN_TYPE_RETRY,
		[PROVEN_BY_TOKEN] = NGTCP2_TOKEN_TYPE_NEW_TOKEN,
	};
	struct quic_connection *c;
	int r;

	if (proof == UNPROVEN) {
		hd->token = nullptr;
		hd->tokenlen = 0;
	}
	if (quic_connection_accept(e, hd, proof == PROVEN_BY_RETRY ? original : nullptr,
		    types[proof], &in->path, &c) < 0)
		return;
	r = quic_connection_read(c, in);
	if (r == NGTCP2_ERR_RETRY) /* fragments out of order: not to be kept for anybody */
		retry(e, in, hd);
	if (r < 0)
		quic_connection_fail(c, r);
}

static bool crowded(const struct quic_endpoint *e)
{
	const struct quic_limits *limits = &e->config.limits;

	return limits->retry_always || e->status.unauthenticated >= limits->retry_above;
}

static void admit(struct quic_endpoint *e, const struct quic_run *in, ngtcp2_pkt_hd *hd)
{
	const struct quic_limits *limits = &e->config.limits;
	ngtcp2_cid original = {};
	enum proof proof = examine_token(e, in, hd, &original);
	struct quic_budget *budget = proof == UNPROVEN ? e->strangers : e->validated;

	if (proof == FALSE_PROOF) {
		close_bad_token(e, in, hd);
	} else if (proof == UNPROVEN &&
		   (crowded(e) || !quic_budget_take(budget, &in->path.remote, e->now_ns))) {
		retry(e, in, hd);
	} else if (proof != UNPROVEN && !quic_budget_take(budget, &in->path.remote, e->now_ns)) {
		e->counters.over_budget++;
	} else if (e->status.unauthenticated >= limits->unauthenticated ||
		   e->status.connections >= limits->connections) {
		e->counters.over_cap++;
	} else {
		begin(e, in, hd, proof, &original);
	}
}

void quic_accept_stranger(
	struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_version_cid *id)
{
	ngtcp2_pkt_hd hd;

	if (!(in->bytes[0] & 0x80)) {
		reset(e, in, id);
		return;
	}
	if (!e->config.accept || ngtcp2_accept(&hd, in->bytes, in->length) != 0) {
		e->counters.unknown++;
		return;
	}
	admit(e, in, &hd);
}
