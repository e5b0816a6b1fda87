/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_answer.h"
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

static bool is_error(const struct nft_answer *a)
{
	return a->kind >= NFT_ANSWER_TCP_ERROR;
}

/* Does the answer belong to the packet, of the protocol that it spoke? */
static bool answers(const struct nft_answer *a, const struct injection *in)
{
	static const struct {
		enum nft_answer_kind answer, error;
	} kinds[INJECT_KINDS] = {
		[INJECT_SYN] = {NFT_ANSWER_TCP, NFT_ANSWER_TCP_ERROR},
		[INJECT_UDP] = {NFT_ANSWER_UDP, NFT_ANSWER_UDP_ERROR},
		[INJECT_ECHO] = {NFT_ANSWER_ECHO, NFT_ANSWER_ECHO_ERROR},
	};

	return a->mine == in->source_port &&
	       (a->kind == kinds[in->kind].answer || a->kind == kinds[in->kind].error);
}

/* RFC 792, RFC 4443: of the port itself, or of the protocol. */
static bool is_refusal(const struct flow *flow, const struct nft_answer *a)
{
	bool six = flow->target.family == AF_INET6;

	return addr_cmp(&a->from, &flow->target) == 0 &&
	       (six ? a->type == ICMP6_DST_UNREACH && a->code == ICMP6_DST_UNREACH_NOPORT
		    : a->type == ICMP_DEST_UNREACH && (a->code == ICMP_PORT_UNREACH ||
							      a->code == ICMP_PROT_UNREACH));
}

static enum fact_outcome outcome_of(
	const struct evidence *e, const struct nft_answer *a, bool own_target)
{
	if (a->own && !own_target)
		return OUTCOME_LOCAL;
	if (strcmp(a->oif, e->mesh) != 0)
		return OUTCOME_ASTRAY;
	if (is_error(a))
		return is_refusal(&e->flow, a) ? OUTCOME_REFUSED : OUTCOME_ERROR;
	return a->kind == NFT_ANSWER_TCP && a->flags & TH_RST ? OUTCOME_REFUSED : OUTCOME_ANSWERED;
}

/* An earlier one decides. */
static const enum fact_outcome ranks[] = {OUTCOME_ANSWERED, OUTCOME_REFUSED, OUTCOME_ERROR,
	OUTCOME_ASTRAY, OUTCOME_LOCAL, OUTCOME_SILENT};

static size_t rank_of(enum fact_outcome outcome)
{
	size_t rank = 0;

	while (ranks[rank] != outcome)
		rank++;
	return rank;
}

enum fact_outcome collect_outcome(const struct evidence *e, const struct injection *in,
	const struct nft_answer *list, size_t n, bool own_target, const struct nft_answer **by)
{
	enum fact_outcome best = OUTCOME_SILENT;

	if (by)
		*by = nullptr;
	for (size_t i = 0; i < n; i++) {
		if (!answers(&list[i], in))
			continue;
		enum fact_outcome outcome = outcome_of(e, &list[i], own_target);
		if (rank_of(outcome) >= rank_of(best))
			continue;
		best = outcome;
		if (by)
			*by = &list[i];
	}
	return best;
}

/* ---- probes ---- */

static bool is_alike(const struct injection *a, const struct injection *b)
{
	return a->probe == b->probe && (a->probe != PROBE_HOP || a->ttl == b->ttl);
}

static void tell_answer(struct fact_probe *f, const struct nft_answer *by)
{
	bool error = by && is_error(by);

	f->sender = error ? by->from : (struct addr){};
	f->icmp_type = error ? by->type : -1;
	f->icmp_code = error ? by->code : -1;
}

/* All attempts that are like the first of them, at `at`. */
static void add_probe(const struct collect_sent *sent, size_t at, const struct nft_answer *list,
	size_t n, bool own_target, struct evidence *e)
{
	const struct injections *set = sent->set;
	const struct injection *first = &set->list[at];
	struct fact_probe *f = &evidence_add(e, FACT_PROBE)->probe;

	f->probe = first->probe;
	f->outcome = OUTCOME_SILENT;
	f->source = e->flow.client;
	f->port = first->port;
	if (first->probe == PROBE_HOP)
		f->ttl = first->ttl;
	if (first->size)
		f->size = first->size;
	for (size_t i = at; i < set->n; i++) {
		const struct nft_answer *by;
		if (!(sent->sent & 1U << i) || !is_alike(first, &set->list[i]))
			continue;
		enum fact_outcome outcome = collect_outcome(
			e, &set->list[i], list, n, own_target, &by);
		f->sent++;
		f->answered += outcome == OUTCOME_ANSWERED || outcome == OUTCOME_REFUSED;
		if (rank_of(outcome) < rank_of(f->outcome)) {
			f->outcome = outcome;
			tell_answer(f, by);
		}
	}
}

static bool is_told(const struct collect_sent *sent, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (sent->sent & 1U << i && is_alike(&sent->set->list[i], &sent->set->list[at]))
			return true;
	return false;
}

/* ---- packets ---- */

static enum fact_packet_kind packet_of(const struct nft_answer *a)
{
	if (a->kind == NFT_ANSWER_UDP)
		return PACKET_UDP;
	if (a->kind == NFT_ANSWER_ECHO)
		return PACKET_ECHO_REPLY;
	if (a->flags & TH_RST)
		return PACKET_RST;
	return (a->flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK) ? PACKET_SYN_ACK : PACKET_OTHER;
}

static enum fact_point point_of(const struct evidence *e, const struct nft_answer *a)
{
	return strcmp(a->oif, e->mesh) == 0 ? POINT_TUN_OUT : POINT_LAN_OUT;
}

/* Packets of one kind that left alike are one fact. */
static struct fact_packet *find_packet(
	struct evidence *e, size_t from, const struct fact_packet *like)
{
	for (size_t i = from; i < e->n; i++) {
		struct fact_packet *p = &e->facts[i].packet;
		if (e->facts[i].kind == FACT_PACKET && p->packet == like->packet &&
			p->point == like->point && !strcmp(p->interface, like->interface) &&
			addr_cmp(&p->source, &like->source) == 0)
			return p;
	}
	struct fact_packet *p = &evidence_add(e, FACT_PACKET)->packet;
	p->origin = ORIGIN_INJECTED;
	p->packet = like->packet;
	p->point = like->point;
	p->source = like->source;
	memcpy(p->interface, like->interface, sizeof(p->interface));
	return p;
}

static void add_packet(const struct nft_answer *a, size_t from, struct evidence *e)
{
	struct fact_packet like = {
		.packet = packet_of(a), .point = point_of(e, a), .source = a->from};

	memcpy(like.interface, a->oif, sizeof(like.interface));
	struct fact_packet *p = find_packet(e, from, &like);
	p->count += (int64_t)a->packets;
	p->distinct++;
}

/* An error comes from where the packet went: that may be back into the tunnel. */
static enum fact_point came_in(const struct evidence *e)
{
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(e, FACT_LOOKUP, &at));)
		if (f->lookup.question == ASK_FORWARD && !f->lookup.error &&
			!strcmp(f->lookup.oif, e->mesh))
			return POINT_TUN_IN;
	return POINT_LAN_IN;
}

static void add_icmp(const struct nft_answer *a, struct evidence *e)
{
	struct fact_icmp *f = &evidence_add(e, FACT_ICMP)->icmp;

	f->origin = ORIGIN_INJECTED;
	f->own = a->own;
	f->point = a->own ? point_of(e, a) : came_in(e);
	f->sender = a->from;
	f->type = a->type;
	f->code = a->code;
	f->about_target_direction = true;
	f->count = (int64_t)a->packets;
}

/* Those about other ports and small TTLs say nothing about the flow by themselves. */
static bool is_of_flow(const struct injections *set, const struct nft_answer *a)
{
	const struct injection *in = injection_of_port(set, a->mine);

	return in && in->probe == PROBE_INJECTED && answers(a, in);
}

void collect_answers(const struct collect_sent *sent, const struct nft_answer *list, size_t n,
	bool own_target, struct evidence *e)
{
	for (size_t i = 0; i < sent->set->n; i++)
		if (sent->sent & 1U << i && !is_told(sent, i))
			add_probe(sent, i, list, n, own_target, e);
	size_t from = e->n;
	for (size_t i = 0; i < n; i++) {
		if (!is_of_flow(sent->set, &list[i]))
			continue;
		if (is_error(&list[i]))
			add_icmp(&list[i], e);
		else if (!list[i].own || own_target) /* else a filter's word in its name */
			add_packet(&list[i], from, e);
	}
}

/* ---- drops ---- */

static int64_t ended_of(const struct injections *set, const struct nft_answer *list, size_t n,
	enum fact_origin origin)
{
	int64_t packets = 0;

	for (size_t i = 0; i < n; i++) {
		const struct injection *in = injection_of_port(set, list[i].mine);
		bool aside = in && in->probe != PROBE_INJECTED;
		if (in && origin == (aside ? ORIGIN_ASIDE : ORIGIN_INJECTED))
			packets += (int64_t)list[i].packets;
	}
	return packets;
}

/* A rule drops there, whoever's it is (net/netfilter/nf_tables_core.c). */
static bool is_by_rule(const struct fact_drop *f)
{
	return !strcmp(f->reason, "NETFILTER_DROP") && !strcmp(f->function, "nft_do_chain");
}

void collect_forget_ended(
	const struct injections *set, const struct nft_answer *list, size_t n, struct evidence *e)
{
	int64_t ours[ORIGINS] = {};

	for (enum fact_origin o = 0; o < ORIGINS; o++)
		ours[o] = ended_of(set, list, n, o);
	for (size_t i = 0; i < e->n; i++) {
		struct fact_drop *f = &e->facts[i].drop;
		if (e->facts[i].kind != FACT_DROP || f->to_target || !is_by_rule(f))
			continue;
		int64_t taken = f->count < ours[f->origin] ? f->count : ours[f->origin];
		ours[f->origin] -= taken;
		f->count -= taken;
		if (f->count == 0)
			e->facts[i--] = e->facts[--e->n];
	}
}
