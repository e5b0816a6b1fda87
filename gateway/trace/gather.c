/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/gather.h"
#include "lib/xmalloc.h"
#include "trace/calls.h"
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t DISTINCT_MAX = 32;

/* Beside each fact about packets: what tells two of them apart. */
struct distinct {
	size_t n;
	uint32_t ids[DISTINCT_MAX];
};

struct gather {
	struct whose whose;
	struct fact facts[API_TRACE_FACTS_MAX];
	struct distinct distinct[API_TRACE_FACTS_MAX];
	size_t n;
	struct calls calls;
	bool missing[OBSERVERS];
	bool changed;
};

struct gather *gather_new(const struct request *request)
{
	struct gather *g = xcalloc(1, sizeof(*g));
	whose_init(&g->whose, request);
	return g;
}

void gather_free(struct gather *g)
{
	free(g);
}

/* nullptr: there is no room. The last places are for what is missing, and for calls. */
static struct fact *add(struct gather *g, enum fact_kind kind)
{
	size_t room = API_TRACE_FACTS_MAX - CALLS_TOLD;
	if (g->n >= (kind == FACT_MISSING ? room : room - OBSERVERS))
		return nullptr;
	struct fact *f = &g->facts[g->n++];
	*f = (struct fact){.kind = kind};
	return f;
}

void gather_missing(struct gather *g, enum fact_observer observer, const char *why)
{
	if (g->missing[observer])
		return;
	g->missing[observer] = true;
	struct fact *f = add(g, FACT_MISSING);
	if (!f)
		return;
	f->missing.observer = observer;
	snprintf(f->missing.why, sizeof(f->missing.why), "%s", why);
	g->changed = true;
}

static void widen(int64_t value, int64_t *min, int64_t *max)
{
	if (value < *min)
		*min = value;
	if (value > *max)
		*max = value;
}

/* ---- packets ---- */

static enum fact_packet_kind tcp_kind(const struct packet *p)
{
	static const struct {
		uint8_t mask, flags;
		enum fact_packet_kind kind;
	} kinds[] = {
		{TH_RST, TH_RST, PACKET_RST},
		{TH_SYN | TH_ACK, TH_SYN | TH_ACK, PACKET_SYN_ACK},
		{TH_SYN, TH_SYN, PACKET_SYN},
		{TH_FIN, TH_FIN, PACKET_FIN},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((p->tcp_flags & kinds[i].mask) == kinds[i].flags)
			return kinds[i].kind;
	}
	if (p->payload > 0)
		return PACKET_DATA;
	return p->tcp_flags & TH_ACK ? PACKET_ACK : PACKET_OTHER;
}

static enum fact_packet_kind packet_kind(const struct packet *p)
{
	if (p->fragment)
		return PACKET_FRAGMENT;
	if (p->proto == IPPROTO_TCP)
		return p->has_l4 ? tcp_kind(p) : PACKET_OTHER;
	if (p->proto == IPPROTO_UDP)
		return PACKET_UDP;
	if (!packet_is_echo(p))
		return PACKET_OTHER;
	return packet_is_echo_reply(p) ? PACKET_ECHO_REPLY : PACKET_ECHO;
}

/* A late answer to an older attempt must not pass for one to ours. */
static bool answers_another(const struct request *r, const struct packet *p)
{
	for (size_t i = 0; i < r->inject.n; i++) {
		const struct build *b = &r->inject.list[i].packet;
		if (b->kind == BUILD_SYN && b->sport == p->dport && b->seq + 1 == p->ack)
			return false;
	}
	return request_injects(r, p->dport);
}

static enum fact_point point_of(const struct sighting *s)
{
	if (s->mesh)
		return s->outgoing ? POINT_TUN_OUT : POINT_TUN_IN;
	return s->outgoing ? POINT_LAN_OUT : POINT_LAN_IN;
}

static bool is_bad(enum packet_checksum c, const struct sighting *s)
{
	return c == CHECKSUM_BAD && !s->outgoing && !s->unfinished && !s->verified;
}

/* What makes packets alike, and how each one begins. */
static struct fact_packet describe(const struct gather *g, const struct sighting *s,
	const struct packet *p, const struct whose_answer *a)
{
	struct fact_packet f = {.origin = a->origin,
		.point = point_of(s),
		.packet = packet_kind(p),
		.to_target = a->to_target,
		.ttl_min = p->ttl,
		.ttl_max = p->ttl,
		.length_min = p->length,
		.length_max = p->length,
		.source = p->from,
		.mss = p->mss,
		.first_us = (int64_t)s->at_us,
		/* No network card judges the sum of an IPv4 header. */
		.bad_ip_checksum = p->ip_checksum == CHECKSUM_BAD && !s->outgoing,
		.bad_l4_checksum = is_bad(p->l4_checksum, s)};
	snprintf(f.interface, sizeof(f.interface), "%s", s->interface);
	if (a->origin == ORIGIN_INJECTED && f.packet == PACKET_SYN_ACK && !a->to_target &&
		answers_another(g->whose.request, p))
		f.packet = PACKET_OTHER;
	if (s->lladdr && !s->outgoing)
		snprintf(f.lladdr, sizeof(f.lladdr), "%02x:%02x:%02x:%02x:%02x:%02x", s->lladdr[0],
			s->lladdr[1], s->lladdr[2], s->lladdr[3], s->lladdr[4], s->lladdr[5]);
	return f;
}

/* The mesh's own come from many addresses, of which the first stands for all. */
static bool is_alike(const struct fact_packet *a, const struct fact_packet *b)
{
	return a->origin == b->origin && a->point == b->point && a->packet == b->packet &&
	       a->to_target == b->to_target && a->bad_ip_checksum == b->bad_ip_checksum &&
	       a->bad_l4_checksum == b->bad_l4_checksum && !strcmp(a->interface, b->interface) &&
	       !strcmp(a->lladdr, b->lladdr) &&
	       (a->origin == ORIGIN_REAL || a->origin == ORIGIN_FOREIGN ||
		       addr_cmp(&a->source, &b->source) == 0);
}

static struct fact *find_packet(struct gather *g, const struct fact_packet *like)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->facts[i].kind == FACT_PACKET && is_alike(&g->facts[i].packet, like))
			return &g->facts[i];
	}
	struct fact *f = add(g, FACT_PACKET);
	if (f)
		f->packet = *like;
	return f;
}

/* A repeated segment has its number again; other packets are known by their IP id, or none. */
static uint32_t identity(const struct packet *p)
{
	uint32_t number = p->has_l4 && p->proto != IPPROTO_UDP ? p->seq : p->ip_id;
	return number ^ (uint32_t)p->sport << 16 ^ p->dport;
}

static bool is_new(struct distinct *d, uint32_t id)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->ids[i] == id)
			return false;
	}
	if (d->n == DISTINCT_MAX)
		return false;
	d->ids[d->n++] = id;
	return true;
}

static void count_packet(struct gather *g, const struct sighting *s, const struct packet *p,
	const struct whose_answer *a)
{
	struct fact_packet like = describe(g, s, p, a);
	if (s->mesh && a->origin == ORIGIN_REAL)
		calls_see(&g->calls, p, a->to_target, s->at_us);
	struct fact *f = find_packet(g, &like);
	if (!f)
		return gather_missing(g, OBSERVER_PACKETS, "there were too many kinds of packets");
	struct fact_packet *have = &f->packet;
	have->count++;
	have->distinct += is_new(&g->distinct[f - g->facts], identity(p));
	widen(p->ttl, &have->ttl_min, &have->ttl_max);
	widen(p->length, &have->length_min, &have->length_max);
	if (p->mss >= 0 && p->mss < have->mss)
		have->mss = p->mss;
	have->last_us = (int64_t)s->at_us;
	g->changed = true;
}

/* ---- ICMP errors ---- */

static bool is_alike_icmp(const struct fact_icmp *a, const struct fact_icmp *b)
{
	return a->origin == b->origin && a->point == b->point && a->own == b->own &&
	       a->type == b->type && a->code == b->code && a->mtu == b->mtu &&
	       a->about_target_direction == b->about_target_direction &&
	       addr_cmp(&a->sender, &b->sender) == 0;
}

static struct fact *find_icmp(struct gather *g, const struct fact_icmp *like)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->facts[i].kind == FACT_ICMP && is_alike_icmp(&g->facts[i].icmp, like))
			return &g->facts[i];
	}
	struct fact *f = add(g, FACT_ICMP);
	if (f)
		f->icmp = *like;
	return f;
}

static void count_error(struct gather *g, const struct sighting *s, const struct packet *p)
{
	struct packet quoted;
	struct whose_answer a;
	if (packet_parse_quote(s->data, s->len, p, &quoted) < 0 ||
		!whose_packet(&g->whose, &quoted, &a) || a.origin == ORIGIN_FOREIGN)
		return;
	struct fact_icmp like = {.origin = a.origin,
		.point = point_of(s),
		.own = s->outgoing && whose_is_host(&g->whose, &p->from),
		.sender = p->from,
		.type = p->icmp_type,
		.code = p->icmp_code,
		.mtu = p->mtu ? (int64_t)p->mtu : -1,
		.about_target_direction = a.to_target};
	struct fact *f = find_icmp(g, &like);
	if (!f)
		return gather_missing(g, OBSERVER_PACKETS, "there were too many kinds of packets");
	f->icmp.count++;
	g->changed = true;
}

/* Whoever else calls the target is nobody's business, unless it is by the tunnel. */
static bool is_told(const struct sighting *s, const struct whose_answer *a)
{
	return a->origin != ORIGIN_FOREIGN || (s->mesh && !s->outgoing && a->to_target);
}

void gather_packet(struct gather *g, const struct sighting *s)
{
	struct packet p;
	struct whose_answer a;
	if (packet_parse(s->data, s->len, &p) < 0)
		return;
	if (p.quote_at)
		count_error(g, s, &p);
	else if (whose_packet(&g->whose, &p, &a) && is_told(s, &a))
		count_packet(g, s, &p, &a);
}

/* ---- drops ---- */

static bool is_alike_drop(const struct fact_drop *a, const struct fact_drop *b)
{
	return a->origin == b->origin && a->to_target == b->to_target &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->function, b->function) &&
	       !strcmp(a->interface, b->interface);
}

static struct fact *find_drop(struct gather *g, const struct fact_drop *like)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->facts[i].kind == FACT_DROP && is_alike_drop(&g->facts[i].drop, like))
			return &g->facts[i];
	}
	struct fact *f = add(g, FACT_DROP);
	if (f)
		f->drop = *like;
	return f;
}

void gather_drop(struct gather *g, const struct dropped *d)
{
	struct packet p;
	struct whose_answer a;
	if (packet_parse(d->data, d->len, &p) < 0 || !whose_packet(&g->whose, &p, &a) ||
		a.origin == ORIGIN_FOREIGN)
		return;
	struct fact_drop like = {
		.origin = a.origin, .to_target = a.to_target, .length = (int64_t)p.length};
	snprintf(like.reason, sizeof(like.reason), "%s", d->reason);
	snprintf(like.function, sizeof(like.function), "%s", d->function);
	snprintf(like.interface, sizeof(like.interface), "%s", d->interface);
	struct fact *f = find_drop(g, &like);
	if (!f)
		return gather_missing(g, OBSERVER_DROPS, "there were too many kinds of drops");
	f->drop.count++;
	if (like.length > f->drop.length)
		f->drop.length = like.length;
	g->changed = true;
}

/* ---- answers ---- */

bool gather_is_changed(const struct gather *g)
{
	return g->changed;
}

int gather_facts(struct gather *g, sd_json_variant **out)
{
	sd_json_variant *array[API_TRACE_FACTS_MAX] = {};
	const struct fact_call *calls[CALLS_TOLD];
	size_t n = 0, n_calls = calls_told(&g->calls, calls);
	int r = 0;
	for (; r >= 0 && n < g->n; n++)
		r = fact_to_json(&g->facts[n], &array[n]);
	for (size_t i = 0; r >= 0 && i < n_calls; i++)
		r = fact_to_json(&(struct fact){.kind = FACT_CALL, .call = *calls[i]}, &array[n++]);
	if (r >= 0)
		r = sd_json_variant_new_array(out, array, n);
	for (size_t i = 0; i < n; i++)
		sd_json_variant_unref(array[i]);
	if (r >= 0)
		g->changed = false;
	return r;
}
