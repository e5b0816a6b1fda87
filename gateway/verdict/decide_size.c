/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that are too large for a part of the way, or broken. */
#include "verdict/decide_call.h"
#include "verdict/decide_filter.h"
#include "verdict/decide_rule.h"
#include <string.h>

/* One error is how path MTU discovery works; a sender that listens needs no third. */
constexpr int64_t REPEATED = 3;

/* The head of an answer may be small anyway. */
constexpr int64_t FULL_SIZE = 1000;

static const struct fact *too_big(const struct view *v)
{
	const struct fact *fits = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_TUN_OUT, PACKET_DATA, false});
	const struct fact *drop = view_drop(v, "PKT_TOO_BIG", "", false);
	bool shrinks = fits && fits->packet.length_max >= FULL_SIZE;
	return drop && (drop->drop.count >= REPEATED || !shrinks) ? drop : nullptr;
}

/* The gateway's own error on its way to the service. */
static const struct fact *told_service(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *i; (i = view_next(v, FACT_ICMP, &at));)
		if (i->icmp.own && i->icmp.point == POINT_LAN_OUT &&
			(v->v6 ? i->icmp.type == 2 : i->icmp.type == 3 && i->icmp.code == 4))
			return i;
	return nullptr;
}

static const struct fact *own_error_dropped(const struct view *v)
{
	const struct fact *rule = filter_of_own(v);
	size_t at = 0;
	if (rule)
		return rule;
	for (const struct fact *d; (d = view_next(v, FACT_DROP, &at));)
		if (d->drop.origin == ORIGIN_OWN && !strcmp(d->drop.reason, "NETFILTER_DROP"))
			return d;
	return nullptr;
}

static void blame_rule(const struct fact *fact, struct finding *f)
{
	if (fact->kind == FACT_TRACE)
		filter_blame(fact, f);
	else
		finding_cite(f, fact);
}

static bool blackhole_lan(const struct view *v, struct finding *f)
{
	const struct fact *drop = too_big(v), *told = told_service(v);
	const struct fact *eaten = own_error_dropped(v), *mesh = v->links[ROLE_MESH];

	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	f->stays = true;
	f->at = AT_GATEWAY_RETURN;
	finding_cite(f, told);
	finding_cite(f, view_grew(v, "IpFragFails"));
	finding_cite(f, mesh);
	if (mesh)
		finding_set_number(f, "mtu", mesh->link.mtu);
	finding_set_number(f, "size", drop->drop.length);
	finding_set_text(f, "interface", v->mesh);
	/* So few may be the beginning of a discovery that goes on well. */
	if (drop->drop.count < REPEATED && !(told && told->icmp.count >= REPEATED)) {
		if (told || !eaten)
			FINDING_FAMILY(f, CODE_PMTU_BLACKHOLE_LAN,
				CODE_PMTU_ERRORS_FILTERED_LOCALLY, CODE_HEALTHY);
		else
			FINDING_FAMILY(f, CODE_PMTU_ERRORS_FILTERED_LOCALLY,
				CODE_PMTU_BLACKHOLE_LAN, CODE_HEALTHY);
		if (eaten && !told)
			blame_rule(eaten, f);
		return true;
	}
	if (told && told->icmp.count > 1)
		return true;
	if (eaten && !told) {
		f->code = CODE_PMTU_ERRORS_FILTERED_LOCALLY;
		blame_rule(eaten, f);
		finding_cite(f, view_grew(v, "IpOutDiscards"));
		return true;
	}
	FINDING_FAMILY(f, CODE_PMTU_BLACKHOLE_LAN, CODE_PMTU_ERRORS_FILTERED_LOCALLY);
	return true;
}

/* Of packets that are as large as they may be. */
constexpr int64_t LARGE = 1200;

/* Echoes of full size are lost beyond this gateway, where small ones are not, and nobody says why.
 */
static bool large_lost(const struct view *v, struct finding *f)
{
	const struct fact *large = v->probes[PROBE_LARGE], *small = v->probes[PROBE_INJECTED_ECHO];
	const struct packet_query out = {ORIGIN_ASIDE, POINT_LAN_OUT, PACKET_ECHO, true};
	const struct fact *mesh = v->links[ROLE_MESH], *left = view_packet(v, out);

	if (!large || large->probe.outcome != OUTCOME_SILENT || large->probe.sent < 2 || !small ||
		small->probe.outcome != OUTCOME_ANSWERED || !left ||
		left->packet.length_max < large->probe.size || call_took(v, 2 * CALL_LARGE) ||
		call_gave(v, CALL_LARGE))
		return false;
	finding_cite(f, left);
	finding_cite(f, large);
	finding_cite(f, small);
	finding_set_number(f, "size", large->probe.size);
	finding_set_text(f, "interface", v->mesh);
	if (mesh)
		finding_set_number(f, "mtu", mesh->link.mtu);
	f->stays = f->of_others = true;
	f->at = AT_LAN;
	/* Hosts may take small echoes only. */
	FINDING_FAMILY(f, CODE_PMTU_BLACKHOLE_LAN, CODE_HEALTHY);
	return true;
}

constexpr int64_t STALLED_US = 200'000;

/* Full segments went out for a while, one of them again, and hardly an acknowledgement came. */
static bool stalls(const struct view *v, const struct fact_packet *data)
{
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_IN, PACKET_ACK, true};
	const struct fact *acks = view_packet(v, q);

	return data->distinct >= 8 && data->count > data->distinct && acks &&
	       acks->packet.count * 4 < data->count && data->last_us - data->first_us >= STALLED_US;
}

constexpr int64_t CEASED_US = 300'000;

/* Full segments went out, and then nothing more came of the callers; so long takes none to
 * acknowledge. */
static bool ceased(const struct view *v, const struct fact_packet *data)
{
	const int64_t end = (int64_t)v->e->took_us;
	size_t at = 0;

	if (data->distinct < 8 || end < data->last_us + CEASED_US)
		return false;
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.origin == ORIGIN_REAL && p->packet.to_target && p->packet.count > 0 &&
			p->packet.last_us >= data->last_us)
			return false;
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_IN, PACKET_ACK, true};
	return v->tcp && view_packet(v, q) && !v->missing[OBSERVER_TRACE] &&
	       !v->missing[OBSERVER_PACKETS];
}

/* A caller has had small answers, and what is large does not arrive however often it is sent. */
static bool stuck(const struct view *v, struct finding *f)
{
	const struct packet_query out = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_DATA, false};
	const struct fact *data = view_packet(v, out), *call = nullptr;
	size_t at = 0;

	while ((call = call_next(v, CALL_STUCK, &at)) && call->call.open < CALL_LARGE)
		continue;
	if (!call || !data || data->packet.length_max < LARGE || !call_hears(v) ||
		call_took(v, 2 * CALL_LARGE))
		return false;
	finding_cite(f, call);
	finding_cite(f, data);
	finding_set_number(f, "size", data->packet.length_max);
	f->event = true;
	f->origin = ORIGIN_REAL;
	f->stays = true;
	f->confidence = CONFIDENCE_LIKELY;
	/* One may have lost its way home, or itself. */
	if (call_count(v, CALL_STUCK) < 2)
		FINDING_FAMILY(f, CODE_PMTU_BLACKHOLE_TUNNEL, CODE_HEALTHY);
	return true;
}

/* Full segments go into the tunnel again and again. */
static bool blackhole_tunnel(const struct view *v, struct finding *f)
{
	size_t at = 0;

	if (calls_known(v))
		return stuck(v, f);
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		bool repeated = k->count >= k->distinct + REPEATED;
		if (k->origin != ORIGIN_REAL || k->point != POINT_TUN_OUT || k->to_target ||
			k->packet != PACKET_DATA || k->distinct >= DISTINCT_MAX ||
			k->length_max < LARGE || (!repeated && !stalls(v, k) && !ceased(v, k)))
			continue;
		finding_cite(f, p);
		finding_set_number(f, "size", k->length_max);
		f->event = true;
		f->origin = ORIGIN_REAL;
		f->stays = true;
		f->confidence = CONFIDENCE_LIKELY;
		if (!repeated)
			FINDING_FAMILY(f, CODE_PMTU_BLACKHOLE_TUNNEL, CODE_HEALTHY);
		return true;
	}
	return false;
}

/* An answer may still have been under way when nobody watched any more. */
static bool ends_soon_after(const struct view *v, const struct fact_packet *p)
{
	return v->e->took_us && v->e->took_us < (uint64_t)p->first_us + STALLED_US;
}

/* Datagrams in pieces go on to the service and nothing comes back, where whole ones are answered.
 * Beyond this gateway nobody tells; the caller may not want an answer. */
static bool pieces_unanswered(const struct view *v, struct finding *f)
{
	const struct packet_query in = {ORIGIN_REAL, POINT_TUN_IN, PACKET_FRAGMENT, true};
	const struct packet_query out = {ORIGIN_REAL, POINT_LAN_OUT, PACKET_FRAGMENT, true};
	const struct packet_query whole = {ORIGIN_REAL, POINT_TUN_IN, PACKET_UDP, true};
	const struct packet_query back = {ORIGIN_REAL, POINT_LAN_IN, PACKET_KINDS, false};
	const struct packet_query gone = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_KINDS, false};
	const struct fact *injected = view_completed(v, ORIGIN_INJECTED);
	const struct fact *pieces = view_packet(v, in);

	if (!v->udp || !injected || !pieces || ends_soon_after(v, &pieces->packet) ||
		!view_packet(v, out) || view_packet(v, whole) || view_packet(v, back) ||
		view_packet(v, gone) || v->missing[OBSERVER_TRACE] || v->missing[OBSERVER_PACKETS])
		return false;
	finding_cite(f, pieces);
	finding_cite(f, view_packet(v, out));
	finding_cite(f, injected);
	f->stays = true;
	f->at = AT_LAN;
	FINDING_FAMILY(f, CODE_FRAGMENTS_LOST, CODE_HEALTHY);
	return true;
}

/* The kernel waits half a minute for the rest of a datagram, and nobody may have been hurt by one
 * that was lost then. */
static bool fragments(const struct view *v, struct finding *f)
{
	const struct packet_query in = {ORIGINS, POINT_TUN_IN, PACKET_FRAGMENT, true};
	const struct packet_query back = {ORIGINS, POINT_LAN_IN, PACKET_FRAGMENT, false};
	const struct fact *drop = view_drop(v, "FRAG_REASM_TIMEOUT", "", true);
	if (!drop)
		drop = view_drop(v, "FRAG_REASM_TIMEOUT", "", false);
	if (!drop || (drop->drop.count < REPEATED && v->udp && call_took(v, 1)))
		return false;
	finding_event(f, drop, drop->drop.origin);
	f->stays = true;
	finding_cite(f, view_packet(v, in));
	finding_cite(f, view_packet(v, back));
	if (drop->drop.count < REPEATED || !(view_packet(v, in) || view_packet(v, back)))
		FINDING_FAMILY(f, CODE_FRAGMENTS_LOST, CODE_HEALTHY);
	finding_cite(f, view_grew(v, v->v6 ? "Ip6ReasmFails" : "IpReasmFails"));
	return true;
}

/* A risk and no fault: what is sent at once is small enough. */
static bool not_clamped(const struct view *v, struct finding *f)
{
	const struct fact *mesh = v->links[ROLE_MESH];
	size_t at = 0;

	if (!mesh || mesh->link.mtu <= 0)
		return false;
	int64_t fits = mesh->link.mtu - (v->v6 ? 60 : 40);
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		if (k->point != POINT_LAN_OUT || !k->to_target || k->packet != PACKET_SYN ||
			!origin_is_flow(k->origin) || k->mss <= fits)
			continue;
		finding_cite(f, p);
		finding_cite(f, mesh);
		finding_set_number(f, "value", k->mss);
		finding_set_number(f, "wanted", fits);
		finding_set_number(f, "mtu", mesh->link.mtu);
		finding_set_text(f, "interface", v->mesh);
		f->stays = true;
		f->confidence = CONFIDENCE_LIKELY;
		return true;
	}
	return false;
}

static bool is_bad(const struct fact_packet *p, bool ip)
{
	return ip ? p->bad_ip_checksum : p->bad_l4_checksum;
}

/* What came of callers with a wrong checksum. lasts: nothing of them is right, though they repeat
 * themselves; one that is wrong is repeated and forgotten. */
static const struct fact *came_broken(const struct view *v, bool ip, bool *lasts)
{
	const struct fact *bad = nullptr;
	bool good = false;
	size_t at = 0;

	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		if (k->point != POINT_TUN_IN || k->origin != ORIGIN_REAL || !k->count)
			continue;
		good |= !is_bad(k, ip);
		if (!bad && is_bad(k, ip))
			bad = p;
	}
	*lasts = bad && !good && packet_is_repeated(&bad->packet);
	return bad;
}

static bool checksum_bad_ip(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "IP_CSUM", "", true);
	bool lasts;
	const struct fact *bad = came_broken(v, true, &lasts);

	if (!drop && !bad)
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	if (bad)
		finding_event(f, bad, ORIGIN_REAL);
	f->stays = lasts;
	f->confidence = drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	finding_cite(f, view_grew(v, "IpExtInCsumErrors"));
	return true;
}

/* The service's host drops a segment whose checksum is wrong, without a word. */
static bool checksum_bad_l4(const struct view *v, struct finding *f)
{
	const struct packet_query out = {ORIGIN_REAL, POINT_LAN_OUT, PACKET_KINDS, true};
	const struct packet_query back = {ORIGIN_REAL, POINT_LAN_IN, PACKET_KINDS, false};
	bool lasts;
	const struct fact *bad = came_broken(v, false, &lasts);

	if (!bad)
		return false;
	finding_event(f, bad, ORIGIN_REAL);
	finding_cite(f, view_packet(v, out));
	finding_cite(f, view_no_packet(v, back));
	finding_cite(f, view_grew(v, "nf_conntrack.invalid"));
	f->stays = lasts && !view_packet(v, back);
	f->confidence = view_no_packet(v, back) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	return true;
}

static const struct rule list[] = {
	{CODE_CHECKSUM_BAD_IP, WAY_RECEIVE, checksum_bad_ip},
	{CODE_CHECKSUM_BAD_L4, WAY_LAN, checksum_bad_l4},
	{CODE_PMTU_BLACKHOLE_LAN, WAY_TALK, blackhole_lan},
	{CODE_PMTU_BLACKHOLE_LAN, WAY_TALK, large_lost},
	{CODE_PMTU_BLACKHOLE_TUNNEL, WAY_TALK, blackhole_tunnel},
	{CODE_FRAGMENTS_LOST, WAY_TALK, fragments},
	{CODE_FRAGMENTS_LOST, WAY_TALK, pieces_unanswered},
	{CODE_MSS_NOT_CLAMPED, WAY_TALK, not_clamped},
};
const struct rules rules_size = {list, sizeof(list) / sizeof(list[0])};
