/* SPDX-License-Identifier: Apache-2.0 */
/* Before the gateway, and what its kernel refuses at first sight. */
#include "verdict/decide_rule.h"
#include <errno.h>
#include <string.h>

static bool name_not_resolved(const struct view *v, struct finding *f)
{
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_L7, &at));)
		if (l->l7.ask == L7_DNS &&
			(l->l7.outcome == L7_NAME || l->l7.outcome == L7_RESOLVER)) {
			finding_cite(f, l);
			if (l->l7.outcome == L7_RESOLVER) {
				f->confidence =
					CONFIDENCE_LIKELY; /* of the name nothing is known */
				finding_set(f, "by", "resolver");
			}
			finding_set_text(f, "reason", l->l7.text);
			return true;
		}
	return false;
}

static bool link_at_fault(const struct view *v, enum fact_role role, struct finding *f)
{
	const struct fact *l = v->links[role];
	finding_cite(f, l);
	finding_set_text(f, "interface", l->link.interface);
	finding_set_text(f, "dev", l->link.interface);
	f->stays = true;
	return true;
}

static bool mesh_missing(const struct view *v, struct finding *f)
{
	const struct fact *l = v->links[ROLE_MESH], *why = view_condition(v, "tunnel-no-interface");
	if (!l || l->link.exists)
		return false;
	if (why)
		f->code = CODE_TUNNEL_NO_INTERFACE;
	finding_cite(f, why);
	return link_at_fault(v, ROLE_MESH, f);
}

/* A persistent tun whose program is gone is up and has no carrier. */
static bool mesh_down(const struct view *v, struct finding *f)
{
	const struct fact *l = v->links[ROLE_MESH];
	if (!l || !l->link.exists || (l->link.up && l->link.carrier))
		return false;
	finding_set_text(f, "reason", l->link.up ? "no program holds it" : "it is not up");
	return link_at_fault(v, ROLE_MESH, f);
}

/* A client's profile takes the whole Internet; a node's takes what the mesh has. */
static bool registered_as_client(const struct view *v, struct finding *f)
{
	const struct fact *told = view_condition(v, "node-registered-as-client");
	const struct fact *back = v->lookups[ASK_REVERSE];
	bool all = back && back->lookup.entry && back->lookup.table == WARP_TABLE &&
		   back->lookup.match.len <= 1 && !view_real(v);

	if (!told && !all)
		return false;
	finding_cite(f, told);
	if (all) {
		finding_cite(f, back);
		finding_set_prefix(f, "prefix", &back->lookup.match);
		finding_set_number(f, "table", back->lookup.table);
		f->stays = true; /* it is the callers that do not come */
	}
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

static bool source_not_in_ranges(const struct view *v, struct finding *f)
{
	if (!v->config || !v->config->config.up || v->config->config.source_known || view_works(v))
		return false;
	const struct fact *seen = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true});
	finding_cite(f, v->config);
	finding_cite(f, seen);
	finding_set_addr(f, "address", &v->e->flow.client);
	f->confidence = seen ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	f->stays = true; /* it may get to the service; no answer is led back */
	return true;
}

/* Somebody calls by the tunnel with an address that no range has, again and again; nobody else
 * does. */
static bool strangers(const struct view *v, struct finding *f)
{
	const struct packet_query first = {
		ORIGIN_FOREIGN, POINT_TUN_IN, v->tcp ? PACKET_SYN : PACKET_KINDS, true};
	const struct packet_query goes_on = {ORIGIN_FOREIGN, POINT_TUN_IN, PACKET_ACK, true};
	const struct fact *seen = view_packet(v, first);

	if (!v->config || !v->config->config.up || !seen || seen->packet.count < 2 ||
		view_packet(v, goes_on) || view_real(v))
		return false;
	finding_cite(f, seen);
	finding_cite(f, v->config);
	finding_set_addr(f, "address", &seen->packet.source);
	f->stays = f->of_others = true;
	/* Other sites have addresses of their own, and may be meant to call. */
	FINDING_FAMILY(f, CODE_TUNNEL_SOURCE_NOT_IN_RANGES, CODE_HEALTHY);
	return true;
}

static bool ipv6_disabled(const struct view *v, struct finding *f)
{
	const char *const names[] = {v->mesh, v->lan, "all"};
	const struct fact *drop = view_drop(v, "IPV6DISABLED", "", true);

	if (!v->v6)
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct fact *s = view_sysctl(v, "net.ipv6.conf.%s.disable_ipv6", names[i]);
		/* "all" is only written through to the interfaces, and says nothing of them. */
		if (!s || !s->sysctl.value || (i == 2 && !drop))
			continue;
		finding_cite(f, s);
		finding_set_text(f, "interface", names[i]);
		finding_set_text(f, "sysctl", s->sysctl.key);
		finding_set_number(f, "value", s->sysctl.value);
		finding_set(f, "wanted", "0");
		f->confidence = drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	}
	finding_cite(f, view_grew(v, "Ip6InDiscards"));
	return f->n_cited && (drop || f->n_attributes);
}

static bool is_loopback(const struct addr *a)
{
	static const struct addr one = {.family = AF_INET6, .b = {[15] = 1}};
	return a->family == AF_INET ? a->b[0] == 127 : !addr_cmp(a, &one);
}

static bool is_multicast(const struct addr *a)
{
	return a->family == AF_INET ? a->b[0] >= 224 && a->b[0] < 240 : a->b[0] == 0xff;
}

static bool martian(const struct view *v, struct finding *f, const struct addr *a, bool source)
{
	static const char *const reasons[] = {
		"IP_LOCALNET", "IP_INVALID_SOURCE", "IP_INVALID_DEST"};
	if (!is_loopback(a) && !(source && is_multicast(a)))
		return false;
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	bool refused = lookup && lookup->lookup.error == EINVAL;
	if (refused)
		finding_cite(f, lookup);
	f->confidence = refused && view_entered(v) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct fact *drop = view_drop(v, reasons[i], "", true);
		if (drop) {
			finding_event(f, drop, drop->drop.origin);
			f->confidence = CONFIDENCE_CERTAIN;
		}
	}
	finding_cite(
		f, view_grew(v, source ? "rt_cache.in_martian_src" : "rt_cache.in_martian_dst"));
	finding_set_addr(f, "address", a);
	return true;
}

static bool martian_source(const struct view *v, struct finding *f)
{
	return martian(v, f, &v->e->flow.client, true);
}

static bool martian_destination(const struct view *v, struct finding *f)
{
	return martian(v, f, &v->e->flow.target, false);
}

/* Older kernels give other reasons than IP_LOCAL_SOURCE; routing knows the address anyway. */
static bool source_is_own(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "IP_LOCAL_SOURCE", "", true);
	const struct fact *bare = v->lookups[ASK_REVERSE_BARE];
	bool local = bare && !strcmp(bare->lookup.type, "local");

	if (!drop && !local)
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	if (local)
		finding_cite(f, bare);
	f->confidence = drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	finding_set_addr(f, "address", &v->e->flow.client);
	return true;
}

static bool hook_program(const struct view *v, struct finding *f, const char *reason,
	const char *function, bool to_target)
{
	const struct fact *drop = view_drop(v, reason, function, to_target);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "interface", drop->drop.interface);
	finding_set_text(f, "dev", drop->drop.interface);
	finding_set_text(f, "reason", function[0] ? "XDP" : drop->drop.reason);
	finding_set_text(f, "function", drop->drop.function);
	return true;
}

static bool tc_or_xdp(const struct view *v, struct finding *f)
{
	if (hook_program(v, f, "XDP*", "", true) || hook_program(v, f, "TC_INGRESS", "", true))
		return true;
	/* Kernels before 6.19 have no reason for it. */
	return hook_program(v, f, "NOT_SPECIFIED", "do_xdp_generic", true);
}

static const struct rule list[] = {
	{CODE_NAME_NOT_RESOLVED, WAY_NAME, name_not_resolved},
	{CODE_TUNNEL_INTERFACE_MISSING, WAY_ENTER, mesh_missing},
	{CODE_TUNNEL_INTERFACE_DOWN, WAY_ENTER, mesh_down},
	{CODE_NODE_REGISTERED_AS_CLIENT, WAY_ENTER, registered_as_client},
	{CODE_TUNNEL_SOURCE_NOT_IN_RANGES, WAY_ENTER, source_not_in_ranges},
	{CODE_TUNNEL_SOURCE_NOT_IN_RANGES, WAY_ENTER, strangers},
	{CODE_TC_OR_XDP_DROP, WAY_RECEIVE, tc_or_xdp},
	{CODE_IPV6_DISABLED, WAY_RECEIVE, ipv6_disabled},
	{CODE_MARTIAN_SOURCE, WAY_ROUTE, martian_source},
	{CODE_MARTIAN_DESTINATION, WAY_ROUTE, martian_destination},
	{CODE_SOURCE_IS_OWN_ADDRESS, WAY_ROUTE, source_is_own},
};
const struct rules rules_enter = {list, sizeof(list) / sizeof(list[0])};

static const struct rule own[] = {
	{CODE_NAME_NOT_RESOLVED, WAY_NAME, name_not_resolved},
};
const struct rules rules_enter_own = {own, sizeof(own) / sizeof(own[0])};
