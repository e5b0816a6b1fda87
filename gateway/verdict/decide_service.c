/* SPDX-License-Identifier: Apache-2.0 */
/* The service: its port, and what it says. */
#include "verdict/decide_call.h"
#include "verdict/decide_rule.h"
#include <string.h>

/* A first byte later than this is slow for most callers; Workers wait longer. */
constexpr int64_t SLOW_US = 5'000'000;

static void name_port(const struct view *v, struct finding *f)
{
	finding_set_addr(f, "target", &v->e->flow.target);
	finding_set_number(f, "port", v->e->flow.port);
}

/* A host refuses what it has no socket for; what is silent was stopped before. */
static bool refused_here(const struct view *v)
{
	return view_outcome(v, PROBE_INJECTED) == OUTCOME_REFUSED ||
	       view_outcome(v, PROBE_OWN) == OUTCOME_REFUSED;
}

static bool own_socket(const struct view *v, struct finding *f)
{
	if (!v->socket)
		return false;
	const struct fact_socket *s = &v->socket->socket;
	enum fact_outcome got = view_outcome(v, v->outgoing ? PROBE_OWN : PROBE_INJECTED);

	/* The port may be somebody else's: translation takes packets before sockets do. */
	if (got == OUTCOME_ANSWERED || !view_ends_here(v))
		return false;
	finding_cite(f, v->socket);
	name_port(v, f);
	f->stays = true;
	f->confidence = CONFIDENCE_CERTAIN;
	if (s->loopback_only && !s->reachable)
		f->code = CODE_LOCAL_BOUND_LOOPBACK;
	else if (s->backlog > 0 && s->queue >= s->backlog)
		f->code = CODE_SERVICE_BACKLOG_FULL;
	else if (s->listening && s->reachable)
		return false;
	else
		f->code = v->udp ? CODE_SERVICE_UDP_PORT_CLOSED : CODE_SERVICE_PORT_CLOSED;
	if (!refused_here(v) && f->code != CODE_SERVICE_BACKLOG_FULL)
		f->confidence = CONFIDENCE_LIKELY;
	return true;
}

static const struct fact *reset_by_service(const struct view *v)
{
	const struct fact *rst = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_LAN_IN, PACKET_RST, false});
	const struct fact *syn_ack = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_LAN_IN, PACKET_SYN_ACK, false});
	return syn_ack ? nullptr : rst;
}

static const struct fact *unreachable_port(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *i; (i = view_next(v, FACT_ICMP, &at));)
		if (i->icmp.origin == ORIGIN_REAL && !i->icmp.own &&
			i->icmp.about_target_direction && i->icmp.type == (v->v6 ? 1 : 3) &&
			i->icmp.code == (v->v6 ? 4 : 3) &&
			!addr_cmp(&i->icmp.sender, &v->e->flow.target))
			return i;
	return nullptr;
}

static bool blame_closed(const struct view *v, struct finding *f, bool sure)
{
	name_port(v, f);
	f->code = v->udp ? CODE_SERVICE_UDP_PORT_CLOSED : CODE_SERVICE_PORT_CLOSED;
	f->stays = true;
	f->confidence = CONFIDENCE_CERTAIN;
	if (!sure) {
		enum code code = f->code;
		FINDING_FAMILY(f, code, CODE_UPSTREAM_FILTERS_RANGE);
		finding_want(f, OBSERVER_PROBES);
	}
	return true;
}

/* A kernel refuses TCP with RST; an ICMP error is a filter's (decide_icmp.c). */
static bool by_filter(const struct view *v)
{
	const struct fact *injected = v->probes[PROBE_INJECTED], *own = v->probes[PROBE_OWN];
	return v->tcp &&
	       ((injected && injected->probe.icmp_type >= 0) || (own && own->probe.icmp_type >= 0));
}

/* The hops that an answer of this kind has left, of the flow or of what was asked beside it. */
static int64_t hops_left(const struct view *v, enum fact_origin origin, enum fact_packet_kind kind)
{
	const struct packet_query q = {origin, POINT_LAN_IN, kind, false};
	const struct fact *p = view_packet(v, q);
	return p ? p->packet.ttl_max : -1;
}

/* It has come a shorter way than what the target says else: somebody before it spoke. */
static bool said_before(const struct view *v)
{
	int64_t here = hops_left(v, ORIGIN_INJECTED, PACKET_RST);
	int64_t other = hops_left(v, ORIGIN_ASIDE, PACKET_RST);

	if (other < 0)
		other = hops_left(v, ORIGIN_ASIDE, PACKET_ECHO_REPLY);
	return here > 0 && other > 0 && here > other;
}

/* Another host may have said so; and a service may refuse the gateway where it would not refuse
 * who really calls. */
static void doubt_closed(const struct view *v, struct finding *f)
{
	enum fact_outcome range = view_outcome(v, PROBE_RANGE);
	enum code code = f->code;

	if (!v->neighbour)
		FINDING_FAMILY(f, code, CODE_NEIGHBOUR_DUPLICATE_ADDRESS);
	if (v->tcp && said_before(v))
		FINDING_FAMILY(f, code, CODE_UPSTREAM_ADMIN_PROHIBITED);
	if (range == OUTCOME_ANSWERED || (range == OUTCOMES && (!v->config || view_masqueraded(v))))
		FINDING_FAMILY(f, code, CODE_NAT_HIDES_SOURCE);
}

/* Refused to everybody: closed. Refused to the range alone would be a filter; so one that only the
 * range was refused by is not known, but for a host next door that nobody was told to ask. */
static bool port_closed(const struct view *v, struct finding *f)
{
	enum fact_outcome own = view_outcome(v, PROBE_OWN), got = view_outcome(v, PROBE_INJECTED);
	const struct fact *seen = v->udp ? unreachable_port(v) : reset_by_service(v);

	if (v->icmp || own == OUTCOME_ANSWERED || view_works(v) || view_ends_here(v) ||
		by_filter(v))
		return false;
	if (own == OUTCOME_REFUSED) {
		finding_cite(f, got == OUTCOME_REFUSED ? v->probes[PROBE_INJECTED] : nullptr);
		finding_cite(f, v->probes[PROBE_OWN]);
		finding_cite(f, seen);
		blame_closed(v, f, true);
		if (got != OUTCOME_REFUSED && !seen)
			f->confidence = CONFIDENCE_LIKELY;
		doubt_closed(v, f);
		/* It may refuse this host alone. */
		if (got == OUTCOMES && !seen)
			FINDING_FAMILY(f, f->code, CODE_HEALTHY);
		return true;
	}
	if (got == OUTCOME_REFUSED) {
		finding_cite(f, v->probes[PROBE_INJECTED]);
		return blame_closed(v, f, false);
	}
	if (!seen)
		return false;
	finding_cite(f, seen);
	finding_cite(f, v->neighbour);
	blame_closed(v, f, v->e->passive);
	if (v->e->passive)
		f->confidence = CONFIDENCE_LIKELY;
	/* It knows the gateway's address alone. */
	if (view_masqueraded(v))
		FINDING_FAMILY(f, f->code, CODE_NAT_HIDES_SOURCE);
	return true;
}

static bool partly(const struct fact *p)
{
	return p && p->probe.outcome == OUTCOME_ANSWERED && p->probe.answered > 0 &&
	       p->probe.sent - p->probe.answered >= 2;
}

/* The same SYN-ACK again, although the caller's ACK went to the service. */
static const struct fact *ack_ignored(const struct view *v)
{
	const struct packet_query said = {ORIGIN_REAL, POINT_LAN_IN, PACKET_DATA, false};
	if (view_packet(v, said) && !calls_known(v))
		return nullptr;
	const struct fact *ack = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_LAN_OUT, PACKET_ACK, true});
	size_t at = 0;
	if (calls_known(v))
		return ack ? call_in(v, CALL_UNSERVED) : nullptr;
	for (const struct fact *p; ack && (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.origin == ORIGIN_REAL && p->packet.point == POINT_LAN_IN &&
			p->packet.packet == PACKET_SYN_ACK && !p->packet.to_target &&
			p->packet.distinct < DISTINCT_MAX &&
			p->packet.count >= p->packet.distinct + 2 &&
			p->packet.last_us > ack->packet.first_us)
			return p;
	return nullptr;
}

static bool backlog_full(const struct view *v, struct finding *f)
{
	const struct fact *injected = v->probes[PROBE_INJECTED], *own = v->probes[PROBE_OWN];
	const struct fact *ignored = ack_ignored(v);

	if (!v->tcp || (!partly(injected) && !partly(own) && !ignored))
		return false;
	if (partly(injected))
		finding_cite(f, injected);
	if (partly(own))
		finding_cite(f, own);
	finding_cite(f, ignored);
	name_port(v, f);
	f->stays = true;
	f->confidence = CONFIDENCE_LIKELY;
	/* Packets may be lost, too. */
	if (call_took(v, 1))
		FINDING_FAMILY(f, CODE_SERVICE_BACKLOG_FULL, CODE_HEALTHY);
	return true;
}

static const struct fact *said(const struct view *v, enum fact_l7_ask ask)
{
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_L7, &at));)
		if (l->l7.ask == ask)
			return l;
	return nullptr;
}

/* What each answer of the service means. `other`: what the other language got, where that decides;
 * -1 = whatever. */
static const struct talk {
	enum flow_scheme scheme;
	enum fact_l7_ask ask;
	enum fact_l7_outcome outcome;
	int other;
	enum code code, may_be; /* may_be: CODES = sure */
} talks[] = {
	{SCHEME_HTTP, L7_HTTP, L7_TLS_SPOKEN, -1, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_HTTPS_WANTED, -1, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_CLOSED, L7_OK, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_CLOSED, L7_CERTIFICATE, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_CLOSED, L7_ALERT, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_SILENT, L7_OK, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_SILENT, L7_CERTIFICATE, CODE_SERVICE_EXPECTS_TLS, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_CLOSED, L7_OUTCOMES, CODE_SERVICE_CLOSES_EARLY,
		CODE_SERVICE_EXPECTS_TLS},
	{SCHEME_HTTP, L7_HTTP, L7_CLOSED, -1, CODE_SERVICE_CLOSES_EARLY, CODES},
	{SCHEME_HTTP, L7_HTTP, L7_SILENT, -1, CODE_SERVICE_ACCEPTS_NO_ANSWER, CODE_SERVICE_SLOW},
	{SCHEME_HTTPS, L7_TLS, L7_PLAIN_SPOKEN, -1, CODE_SERVICE_EXPECTS_PLAINTEXT, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_CLOSED, L7_OK, CODE_SERVICE_EXPECTS_PLAINTEXT, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_SILENT, L7_OK, CODE_SERVICE_EXPECTS_PLAINTEXT, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_GARBAGE, L7_OK, CODE_SERVICE_EXPECTS_PLAINTEXT, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_CERTIFICATE, -1, CODE_SERVICE_TLS_CERTIFICATE, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_ALERT, -1, CODE_SERVICE_TLS_PROTOCOL, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_GARBAGE, -1, CODE_SERVICE_TLS_PROTOCOL,
		CODE_SERVICE_EXPECTS_PLAINTEXT},
	{SCHEME_HTTPS, L7_TLS, L7_CLOSED, L7_OUTCOMES, CODE_SERVICE_CLOSES_EARLY,
		CODE_SERVICE_EXPECTS_PLAINTEXT},
	{SCHEME_HTTPS, L7_TLS, L7_CLOSED, -1, CODE_SERVICE_CLOSES_EARLY, CODES},
	{SCHEME_HTTPS, L7_TLS, L7_SILENT, L7_OUTCOMES, CODE_SERVICE_ACCEPTS_NO_ANSWER,
		CODE_SERVICE_EXPECTS_PLAINTEXT},
	{SCHEME_HTTPS, L7_TLS, L7_SILENT, -1, CODE_SERVICE_ACCEPTS_NO_ANSWER, CODE_SERVICE_SLOW},
	{SCHEME_HTTPS, L7_HTTP, L7_CLOSED, L7_OK, CODE_SERVICE_CLOSES_EARLY, CODES},
	{SCHEME_HTTPS, L7_HTTP, L7_SILENT, L7_OK, CODE_SERVICE_ACCEPTS_NO_ANSWER,
		CODE_SERVICE_SLOW},
};

/* TLS alerts about certificates, RFC 8446 section 6.2. */
static bool about_certificate(int64_t alert)
{
	return (alert >= 41 && alert <= 46) || alert == 48 || alert == 116;
}

static bool talk_matches(const struct view *v, const struct talk *t)
{
	const struct fact *got = said(v, t->ask);
	const struct fact *other = said(v, t->ask == L7_HTTP ? L7_TLS : L7_HTTP);
	int outcome = other ? (int)other->l7.outcome : L7_OUTCOMES;

	return t->scheme == v->e->flow.scheme && got && got->l7.outcome == t->outcome &&
	       (t->other < 0 || outcome == t->other);
}

/* It said nothing to this host; callers that it answers tell that it can. */
static bool is_mute(const struct talk *t)
{
	return t->code == CODE_SERVICE_CLOSES_EARLY || t->code == CODE_SERVICE_ACCEPTS_NO_ANSWER;
}

static bool talk(const struct view *v, struct finding *f)
{
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		const struct talk *t = &talks[i];
		if (!talk_matches(v, t) || (is_mute(t) && call_took(v, 1)))
			continue;
		const struct fact *got = said(v, t->ask);
		finding_cite(f, got);
		if (t->other >= 0)
			finding_cite(f, said(v, t->ask == L7_HTTP ? L7_TLS : L7_HTTP));
		name_port(v, f);
		finding_set_text(f, "reason", got->l7.text);
		finding_set_number(f, "value", got->l7.alert);
		f->code = t->code;
		if (t->outcome == L7_ALERT && about_certificate(got->l7.alert))
			f->code = CODE_SERVICE_TLS_CERTIFICATE;
		f->stays = true;
		if (t->may_be != CODES)
			finding_family(f, 2, (const enum code[]){t->code, t->may_be});
		return true;
	}
	return false;
}

static bool slow(const struct view *v, struct finding *f)
{
	const struct fact *got = said(v, L7_HTTP);
	if (!got)
		got = said(v, L7_TLS);
	if (!got || got->l7.outcome != L7_OK || got->l7.first_byte_us < SLOW_US)
		return false;
	finding_cite(f, got);
	name_port(v, f);
	finding_set(f, "value", "%lld ms", (long long)(got->l7.first_byte_us / 1000));
	f->confidence = CONFIDENCE_LIKELY;
	f->stays = true;
	return true;
}

/* Nothing of an answer's content was seen on either side of this gateway. */
static bool no_content(const struct view *v)
{
	const struct packet_query in = {ORIGIN_REAL, POINT_LAN_IN, PACKET_DATA, false};
	const struct packet_query out = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_DATA, false};

	if (view_no_packet(v, in))
		return true;
	return !view_packet(v, in) && !view_packet(v, out) && !v->missing[OBSERVER_TRACE] &&
	       !v->missing[OBSERVER_PACKETS];
}

/* Several requests; a single one may be answered in a moment. */
constexpr int64_t REQUESTS = 3;

/* Full segments in numbers: what they send is long, and not at its end yet. */
static bool uploads(const struct fact_packet *request)
{
	return request->length_max >= 1000 && request->count >= 10 * REQUESTS;
}

/* Callers that reset their connections do not wait for an answer. */
static bool gave_up(const struct view *v, const struct fact *request)
{
	const struct fact *reset = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_RST, true});
	return reset && 2 * reset->packet.count >= request->packet.count;
}

/* Real requests went to the service, and its words are not known otherwise: it ended the connection
 * without a byte, or says nothing. */
static bool no_answer(const struct view *v, struct finding *f)
{
	const struct packet_query data = {ORIGIN_REAL, POINT_LAN_OUT, PACKET_DATA, true};
	const struct packet_query fin = {ORIGIN_REAL, POINT_LAN_IN, PACKET_FIN, false};
	const struct packet_query rst = {ORIGIN_REAL, POINT_LAN_IN, PACKET_RST, false};
	const struct fact *request = view_packet(v, data), *end = view_packet(v, fin);

	if (!end)
		end = view_packet(v, rst);
	const struct packet_query heard = {ORIGIN_REAL, POINT_LAN_IN, PACKET_ACK, false};

	if (!v->tcp || said(v, L7_HTTP) || said(v, L7_TLS) || !request || !no_content(v) ||
		(!end && !view_packet(v, heard)))
		return false;
	if (end && 2 * end->packet.count < request->packet.count)
		end = nullptr; /* of callers that gave up */
	if (!end && request->packet.count < REQUESTS && !v->e->passive)
		return false;
	if (!end && (gave_up(v, request) || uploads(&request->packet)))
		return false;
	finding_cite(f, request);
	finding_cite(f, end);
	name_port(v, f);
	f->stays = true;
	finding_want(f, OBSERVER_L7);
	if (end)
		FINDING_FAMILY(f, CODE_SERVICE_CLOSES_EARLY, CODE_SERVICE_EXPECTS_TLS,
			CODE_SERVICE_EXPECTS_PLAINTEXT);
	else
		FINDING_FAMILY(f, CODE_SERVICE_ACCEPTS_NO_ANSWER, CODE_SERVICE_SLOW,
			CODE_SERVICE_CLOSES_EARLY, CODE_PMTU_BLACKHOLE_LAN);
	/* Nobody knows whether its callers want an answer. */
	if (v->e->flow.scheme == SCHEME_NONE)
		finding_may_be(f, CODE_HEALTHY);
	return true;
}

static const struct rule list[] = {
	{CODE_SERVICE_PORT_CLOSED, WAY_SERVICE, own_socket},
	{CODE_SERVICE_PORT_CLOSED, WAY_SERVICE, port_closed},
	{CODE_SERVICE_BACKLOG_FULL, WAY_SERVICE, backlog_full},
	{CODE_SERVICE_CLOSES_EARLY, WAY_TALK, talk},
	{CODE_SERVICE_SLOW, WAY_TALK, slow},
	{CODE_SERVICE_CLOSES_EARLY, WAY_TALK, no_answer},
};
const struct rules rules_service = {list, sizeof(list) / sizeof(list[0])};

static const struct rule own[] = {
	{CODE_SERVICE_PORT_CLOSED, WAY_SERVICE, own_socket},
	{CODE_SERVICE_CLOSES_EARLY, WAY_TALK, talk},
	{CODE_SERVICE_SLOW, WAY_TALK, slow},
};
const struct rules rules_service_own = {own, sizeof(own) / sizeof(own[0])};
