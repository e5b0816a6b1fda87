/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_side.h"
#include <errno.h>
#include <string.h>

struct side side_forward(const struct view *v)
{
	return (struct side){
		.iif = v->mesh,
		.lookup = v->lookups[ASK_FORWARD],
		.bare = v->lookups[ASK_FORWARD_BARE],
		.source = v->lookups[ASK_REVERSE_BARE],
		.from = &v->e->flow.client,
		.to = &v->e->flow.target,
	};
}

struct side side_back(const struct view *v)
{
	return (struct side){
		.back = true,
		.iif = v->lan,
		.lookup = v->lookups[ASK_REVERSE],
		.bare = v->lookups[ASK_REVERSE_BARE],
		.source = v->lookups[ASK_FORWARD_BARE],
		.from = &v->e->flow.target,
		.to = &v->e->flow.client,
	};
}

void side_blame(struct finding *f, const struct fact *lookup)
{
	if (!lookup)
		return;
	const struct fact_lookup *l = &lookup->lookup;
	finding_cite(f, lookup);
	finding_set_text(f, "dev", l->oif);
	finding_set_addr(f, "gateway", &l->gateway);
	if (!l->entry)
		return;
	finding_set_prefix(f, "prefix", &l->match);
	finding_set_number(f, "table", l->table);
	finding_set_number(f, "metric", l->metric);
	finding_set_text(f, "proto", l->protocol_name);
	finding_set_text(f, "type", l->type);
	finding_set_text(f, "rule", l->rule);
}

enum confidence side_confidence(const struct view *v, const struct side *s)
{
	bool came = s->back ? v->state_reach >= WAY_BACK_RECEIVE : view_entered(v);
	return came ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
}

static void blame_sysctl(struct finding *f, const struct fact *sysctl, const char *wanted)
{
	if (!sysctl)
		return;
	finding_cite(f, sysctl);
	finding_set_text(f, "sysctl", sysctl->sysctl.key);
	finding_set_number(f, "value", sysctl->sysctl.value);
	finding_set_text(f, "wanted", wanted);
}

static const struct fact *forwarding_drop(const struct view *v, const struct side *s)
{
	return view_drop(v, "IP_INADDRERRORS", "", !s->back);
}

/* IPv6 knows only the switch for all; that of an interface says whether it is a host there. */
static bool forwarding_v6(const struct view *v, const struct side *s, struct finding *f)
{
	const struct fact *all = view_sysctl(v, "net.ipv6.conf.all.forwarding");
	const struct fact *drop = forwarding_drop(v, s);

	if (drop)
		finding_event(f, drop, drop->drop.origin);
	if (all && !all->sysctl.value) {
		blame_sysctl(f, all, "1");
		f->confidence = drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		return true;
	}
	f->confidence = CONFIDENCE_LIKELY;
	return drop && !all;
}

/* IPv4 goes by the interface that a packet enters by. net.ipv4.ip_forward writes all of them; one
 * that was set after it counts, so 0 there is no fault in itself. */
static bool forwarding_v4(const struct view *v, const struct side *s, struct finding *f)
{
	const struct fact *here = view_sysctl(v, "net.ipv4.conf.%s.forwarding", s->iif);
	const struct fact *all = view_sysctl(v, "net.ipv4.ip_forward");
	const struct fact *drop = forwarding_drop(v, s);
	int other = view_forwards(v, s->back ? v->mesh : v->lan);

	if (!(here && !here->sysctl.value) && !(drop && !here))
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	f->confidence = drop ? CONFIDENCE_CERTAIN : side_confidence(v, s);
	finding_set_text(f, "interface", s->iif);
	if (here && ((all && all->sysctl.value) || other == 1)) {
		f->code = CODE_FORWARDING_DISABLED_ON_INTERFACE;
		blame_sysctl(f, here, "1");
	} else if (here && all && !other) {
		blame_sysctl(f, all, "1");
		finding_cite(f, here);
	} else {
		finding_cite(f, here);
		blame_sysctl(f, all, "1");
		FINDING_FAMILY(f, CODE_FORWARDING_DISABLED, CODE_FORWARDING_DISABLED_ON_INTERFACE);
	}
	return true;
}

bool side_forwarding(const struct view *v, const struct side *s, struct finding *f)
{
	if (!(v->v6 ? forwarding_v6(v, s, f) : forwarding_v4(v, s, f)))
		return false;
	if (s->lookup && s->lookup->lookup.error == EHOSTUNREACH)
		finding_cite(f, s->lookup);
	finding_cite(f, view_grew(v, v->v6 ? "Ip6InAddrErrors" : "IpInAddrErrors"));
	return true;
}

/* Cloudflare's client marks its own packets with this, and never those of others. */
constexpr int64_t WARP_MARK = 0x100cf;

/* The way of marked packets; oif "" = any. */
static const struct fact *marked_lookup(
	const struct view *v, enum fact_question question, const char *oif)
{
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LOOKUP, &at));)
		if (l->lookup.mark && l->lookup.mark != WARP_MARK &&
			l->lookup.question == question && (!oif[0] || !strcmp(l->lookup.oif, oif)))
			return l;
	return nullptr;
}

static bool has_marks(const struct view *v)
{
	return marked_lookup(v, ASK_FORWARD_BARE, "") || marked_lookup(v, ASK_REVERSE_BARE, "");
}

/* The flow's own entry carries the mark. */
static const struct fact *carries(const struct view *v, int64_t mark)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (origin_is_flow(c->conntrack.origin) && c->conntrack.mark == mark)
			return c;
	return nullptr;
}

/* Source validation looks without the packet's mark, unless src_valid_mark says otherwise; a way
 * that only marked packets take is then unknown to it. Answers get the mark from their connection.
 */
static void strict_or_blind(
	const struct view *v, const struct side *s, const char *iif, struct finding *f)
{
	const struct fact *valid = view_sysctl(v, "net.ipv4.conf.all.src_valid_mark");
	enum fact_question question = s->back ? ASK_FORWARD_BARE : ASK_REVERSE_BARE;
	const struct fact *right = marked_lookup(v, question, iif);
	const struct fact *entry = right ? carries(v, right->lookup.mark) : nullptr;
	bool told = s->source && !v->missing[OBSERVER_ROUTES];

	f->code = CODE_RP_FILTER_STRICT;
	if ((valid && valid->sysctl.value) || (told && !has_marks(v)) ||
		(!right && marked_lookup(v, question, "")))
		return;
	if (right && valid && s->back && entry) {
		f->code = CODE_RP_FILTER_MARK_BLIND;
		f->n_attributes = 0;
		blame_sysctl(f, valid, "1");
		finding_set_text(f, "interface", iif);
		finding_set_addr(f, "address", s->from);
		finding_cite(f, right);
		finding_cite(f, entry);
	} else if (right && s->back) {
		FINDING_FAMILY(f, CODE_RP_FILTER_MARK_BLIND, CODE_RP_FILTER_STRICT);
	} else {
		FINDING_FAMILY(f, CODE_RP_FILTER_STRICT, CODE_RP_FILTER_MARK_BLIND);
	}
}

static void blame_rp_filter(
	const struct view *v, const struct side *s, const char *iif, struct finding *f)
{
	const struct fact *all = view_sysctl(v, "net.ipv4.conf.all.rp_filter");
	const struct fact *own = view_sysctl(v, "net.ipv4.conf.%s.rp_filter", iif);

	finding_set_text(f, "interface", iif);
	/* The larger of the two counts: this interface alone can be made loose. */
	blame_sysctl(f, own ? own : all, "2");
	finding_cite(f, own);
	finding_cite(f, all);
	if (s->source)
		finding_cite(f, s->source);
	finding_set_addr(f, "address", s->from);
	finding_cite(f, view_grew(v, "TcpExtIPReversePathFilter"));
	finding_cite(f, view_grew(v, "rt_cache.in_martian_src"));
}

/* net/ipv4/fib_frontend.c: the route to the source must exist, and in strict mode lead to the
 * interface that the packet entered by. */
bool side_rp_filter(const struct view *v, const struct side *s, struct finding *f)
{
	const struct fact *drop = view_drop(v, "IP_RPFILTER", "", !s->back);
	/* The drop tells by which interface it really came in. */
	const char *iif = drop && drop->drop.interface[0] ? drop->drop.interface : s->iif;
	int64_t mode = view_rp_filter(v, iif);
	bool no_route = s->source && s->source->lookup.error;
	bool elsewhere = s->source && !s->source->lookup.error && s->source->lookup.oif[0] &&
			 strcmp(s->source->lookup.oif, iif) != 0;
	bool refused = s->lookup && s->lookup->lookup.error == EINVAL;

	if (v->v6 || (!drop && !(refused && ((mode == 1 && elsewhere) || (mode > 0 && no_route)))))
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	if (refused)
		finding_cite(f, s->lookup);
	blame_rp_filter(v, s, iif, f);
	f->confidence = drop ? CONFIDENCE_CERTAIN : side_confidence(v, s);
	if (mode == 1 || (mode < 0 && elsewhere))
		strict_or_blind(v, s, iif, f);
	else if (mode == 2)
		f->code = CODE_RP_FILTER_NO_ROUTE;
	else
		FINDING_FAMILY(f, CODE_RP_FILTER_STRICT, CODE_RP_FILTER_NO_ROUTE,
			CODE_RP_FILTER_MARK_BLIND, CODE_SOURCE_IS_OWN_ADDRESS, CODE_MARTIAN_SOURCE);
	return true;
}

static const struct {
	const char *type;
	int error;
	enum code code;
} refusals[] = {
	{"unreachable", EHOSTUNREACH, CODE_ROUTE_UNREACHABLE},
	{"blackhole", EINVAL, CODE_ROUTE_BLACKHOLE},
	{"prohibit", EACCES, CODE_ROUTE_PROHIBIT},
};

static bool refused_by_entry(const struct fact_lookup *l, struct finding *f)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (l->entry && !strcmp(l->type, refusals[i].type)) {
			f->code = refusals[i].code;
			return true;
		}
	return false;
}

/* EHOSTUNREACH and EINVAL have two causes each; the values of the sysctls tell. */
static bool refused_by_errno(const struct view *v, const struct side *s, struct finding *f)
{
	int64_t rp = view_rp_filter(v, s->iif);
	int forwards = view_forwards(v, s->iif);

	switch (s->lookup->lookup.error) {
	case EACCES:
		f->code = CODE_ROUTE_PROHIBIT;
		return true;
	case EHOSTUNREACH:
		f->code = CODE_ROUTE_UNREACHABLE;
		if (v->outgoing)
			return true;
		if (forwards < 0)
			FINDING_FAMILY(f, CODE_ROUTE_UNREACHABLE, CODE_FORWARDING_DISABLED,
				CODE_FORWARDING_DISABLED_ON_INTERFACE);
		return forwards != 0;
	case EINVAL:
		f->code = CODE_ROUTE_BLACKHOLE;
		if (!v->v6 && rp != 0 && !(s->bare && s->bare->lookup.error == EINVAL))
			FINDING_FAMILY(f, CODE_ROUTE_BLACKHOLE, CODE_RP_FILTER_STRICT,
				CODE_RP_FILTER_NO_ROUTE, CODE_RP_FILTER_MARK_BLIND,
				CODE_MARTIAN_SOURCE, CODE_SOURCE_IS_OWN_ADDRESS,
				CODE_MARTIAN_DESTINATION);
		return true;
	default:
		return false;
	}
}

/* What the kernel says of all entries that refuse; only the lookup tells which it was. */
static const struct fact *refusal_drop(const struct view *v, const struct side *s)
{
	const struct fact *drop = view_drop(v, "NOT_SPECIFIED", "ip_error", !s->back);
	return drop ? drop : view_drop(v, "NOT_SPECIFIED", "dst_discard*", !s->back);
}

static bool refused_marked(const struct fact_lookup *l, struct finding *f)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (l->error == refusals[i].error) {
			f->code = refusals[i].code;
			refused_by_entry(l, f); /* knows better, where it is told */
			return true;
		}
	return false;
}

/* Packets without a mark are not refused, and the flow's are: a rule for another mark, or for
 * something else that was not asked about, leads to the entry. */
static void refused_by_rule(const struct view *v, const struct side *s, struct finding *f)
{
	enum fact_question question = s->back ? ASK_REVERSE_BARE : ASK_FORWARD_BARE;
	const struct fact *only = nullptr;
	struct finding blamed = *f;
	size_t n = 0, at = 0;

	for (const struct fact *l; (l = view_next(v, FACT_LOOKUP, &at));)
		if (l->lookup.mark && l->lookup.mark != WARP_MARK &&
			l->lookup.question == question && refused_marked(&l->lookup, &blamed)) {
			only = l;
			n++;
		}
	if (n != 1) {
		FINDING_FAMILY(
			f, CODE_ROUTE_BLACKHOLE, CODE_ROUTE_UNREACHABLE, CODE_ROUTE_PROHIBIT);
		return;
	}
	f->code = blamed.code;
	f->confidence = CONFIDENCE_LIKELY;
	side_blame(f, only);
	finding_set_number(f, "mark", only->lookup.mark);
}

bool side_refused(const struct view *v, const struct side *s, struct finding *f)
{
	const struct fact *drop = refusal_drop(v, s);
	bool error = s->lookup && s->lookup->lookup.error;
	bool refused = error && s->lookup->lookup.error != ENETUNREACH &&
		       (refused_by_entry(&s->lookup->lookup, f) || refused_by_errno(v, s, f));

	if (!refused && !(drop && !error))
		return false;
	if (refused) {
		side_blame(f, s->lookup);
		if (f->confidence != CONFIDENCE_UNDETERMINED)
			f->confidence = drop ? CONFIDENCE_CERTAIN : side_confidence(v, s);
	} else {
		refused_by_rule(v, s, f);
		finding_cite(f, s->lookup);
	}
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	finding_set_addr(f, "target", s->to);
	return true;
}

bool side_vrf(const struct view *v, const struct side *s, struct finding *f)
{
	const struct fact *mesh = v->links[ROLE_MESH], *lan = v->links[ROLE_LAN];
	if (!mesh || !lan)
		return false;
	bool a = !strcmp(mesh->link.master_kind, "vrf"), b = !strcmp(lan->link.master_kind, "vrf");
	if ((!a && !b) || (a && b && !strcmp(mesh->link.master, lan->link.master)))
		return false;
	/* Routes may be leaked between them; the lookup tells. */
	const struct fact *l = s->lookup;
	const char *right = s->back ? v->mesh : v->lan;
	if (l && !l->lookup.error && !strcmp(l->lookup.oif, right))
		return false;
	f->until = s->back ? WAY_BACK_EGRESS : WAY_EGRESS;
	finding_cite(f, a ? mesh : lan);
	finding_cite(f, l);
	finding_set_text(f, "interface", a ? mesh->link.interface : lan->link.interface);
	finding_set_text(f, "by", a ? mesh->link.master : lan->link.master);
	f->confidence = l ? side_confidence(v, s) : CONFIDENCE_LIKELY;
	return true;
}
