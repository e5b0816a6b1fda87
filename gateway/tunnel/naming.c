/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naming: a request whose target is a name, until the name's addresses are known (RFC 9484 4.1).
 *
 * It is not answered meanwhile. A client need not wait for that before it sends (7.1), so bytes of
 * its stream are kept, EARLY_MAX of them; its packets are lost, as on any network. What was found
 * holds as long as the stream.
 */
#include "hub.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "resolver.h"
#include <stdlib.h>
#include <string.h>

constexpr size_t EARLY_MAX = 16 * 1024;

struct naming {
	struct quic_stream *stream;
	struct scope scope;
	struct resolver_question *question; /* nullptr = it has been answered */
	uint8_t early[EARLY_MAX];
	size_t n_early;
	bool fin;
};

static void naming_free(struct naming *n)
{
	if (!n)
		return;
	resolver_cancel(n->question);
	free(n);
}

void member_unname(struct member *m)
{
	naming_free(TAKE_PTR(m->naming));
}

/* Who came back with another connection meanwhile has its tunnel there. */
static bool is_overtaken(const struct member *m)
{
	for (const struct member *i = m->hub->members; i != m; i = i->next)
		if (i->seat && memcmp(i->peer.key, m->peer.key, sizeof(m->peer.key)) == 0)
			return true;
	return false;
}

/* Its configuration may be another one than when it asked. */
static enum request_verdict judge(const struct member *m, const struct resolver_answer *answer)
{
	if (!m->peer.name)
		return REQUEST_FORBIDDEN;
	if (is_overtaken(m))
		return REQUEST_TOO_MANY;
	if (answer->n)
		return REQUEST_ACCEPTED;
	return answer->late ? REQUEST_DNS_TIMEOUT : REQUEST_DNS_ERROR;
}

/* Or the one who asked? */
static bool judges_answer(enum request_verdict verdict)
{
	return verdict == REQUEST_DNS_ERROR || verdict == REQUEST_DNS_TIMEOUT;
}

static void on_resolved(void *arg, const struct resolver_answer *answer)
{
	struct member *m = arg;
	const struct hub *h = m->hub;
	struct naming *n = TAKE_PTR(m->naming);
	enum request_verdict verdict = judge(m, answer);
	const struct admission admission = {.verdict = verdict,
		.detail = judges_answer(verdict) ? answer->why : nullptr,
		.scope = &n->scope,
		.targets = {answer->list, answer->n}};

	n->question = nullptr;
	log_debug("edge", "resolved node=%s name=%s addresses=%zu", member_name(m), n->scope.name,
		answer->n);
	hub_admit(m->hub, m, n->stream, &admission);
	if (m->peer.lane && (n->n_early || n->fin))
		lane_bytes(m->peer.lane, n->early, n->n_early, n->fin, pump_now_ns());
	naming_free(n);
	h->lane_events.turn(h->lane_events.arg);
}

/* A node that comes back from a broken connection waits until its former question is over; else one
 * node could have all the places of the others. */
static bool asks_elsewhere(const struct member *m)
{
	for (const struct member *i = m->hub->members; i; i = i->next)
		if (i->naming && memcmp(i->peer.key, m->peer.key, sizeof(m->peer.key)) == 0)
			return true;
	return false;
}

bool member_name_first(struct member *m, struct quic_stream *s, struct admission *a)
{
	if (asks_elsewhere(m)) {
		a->verdict = REQUEST_TOO_MANY;
		a->detail = "another name is being resolved";
		return false;
	}
	struct naming *n = xcalloc(1, sizeof(*n));
	n->stream = s;
	n->scope = *a->scope;
	n->question = resolver_ask(m->hub->resolver, n->scope.name, on_resolved, m);
	if (!n->question) {
		naming_free(n);
		a->verdict = REQUEST_DNS_ERROR;
		a->detail = "too many names are being resolved";
		return false;
	}
	m->naming = n;
	return true;
}

void hub_unname(const struct quic_stream *s)
{
	struct member *m = quic_connection_data(quic_stream_connection(s));

	if (m && m->naming && m->naming->stream == s)
		member_unname(m);
}

bool hub_early(void *, struct quic_stream *s, const uint8_t *bytes, size_t n, bool fin)
{
	const struct member *m = quic_connection_data(quic_stream_connection(s));
	struct naming *naming = m ? m->naming : nullptr;

	if (!naming || naming->stream != s)
		return false;
	if (n > EARLY_MAX - naming->n_early) {
		quic_stream_abort(s, QUIC_H3_EXCESSIVE_LOAD);
		return true;
	}
	if (n)
		memcpy(naming->early + naming->n_early, bytes, n);
	naming->n_early += n;
	naming->fin |= fin;
	return true;
}
