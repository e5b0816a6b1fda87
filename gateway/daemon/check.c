/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/check.h"
#include "daemon/rivals.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	const struct link *mesh, *lan;
	const struct prefix *range, *network;
};

static int effective_rp_filter(const struct observed *seen, int ifindex)
{
	const struct netconf *all = netconf_find(&seen->netconfs, AF_INET, NETCONFA_IFINDEX_ALL);
	const struct netconf *own = netconf_find(&seen->netconfs, AF_INET, ifindex);
	int a = all ? all->rp_filter : 0, o = own ? own->rp_filter : 0;
	return a > o ? a : o;
}

static void note_strict(struct check_result *out, int ifindex)
{
	for (size_t i = 0; i < out->n_strict; i++)
		if (out->strict[i] == ifindex)
			return;
	XGROW(out->strict, out->n_strict, out->cap_strict);
	out->strict[out->n_strict++] = ifindex;
}

/* EXDEV before Linux 6.14 (fib_validate_source), EINVAL since. */
static bool is_filtered(
	const struct observed *seen, const struct link *in, uint8_t family, int error)
{
	return (error == EINVAL || error == EXDEV) && family == AF_INET &&
	       effective_rp_filter(seen, in->ifindex) == 1;
}

/* The lookup itself failed: one errno has several causes, told apart by the sysctls. */
static void refused(const struct observed *seen, const struct link *in, const struct prefix *to,
	int error, struct check_result *out)
{
	char name[PREFIX_STRLEN];
	const struct netconf *nc = netconf_find(&seen->netconfs, to->addr.family, in->ifindex);
	prefix_str(to, name);
	if (is_filtered(seen, in, to->addr.family, error)) {
		conditions_add(&out->found, COND_RP_FILTER_STRICT, in->name,
			"rp_filter=1 drops packets for %s that enter by %s", name, in->name);
	} else if (error == EHOSTUNREACH && nc && !nc->forwarding) {
		conditions_add(&out->found, COND_FORWARDING_DISABLED, in->name,
			"packets that enter by %s are not forwarded (forwarding=0)", in->name);
	} else if (error == ENETUNREACH) {
		conditions_add(&out->found, COND_NO_ROUTE_TO_DESTINATION, name,
			"no route leads to %s", name);
	} else {
		conditions_add(&out->found, COND_ROUTE_REFUSED, name,
			"a route or rule refuses packets to %s (%s)", name, strerror(error));
	}
}

static const char *answer_link(const struct observed *seen, int ifindex, char *buf)
{
	const struct link *l = link_by_index(&seen->links, ifindex);
	if (l)
		return l->name;
	snprintf(buf, IFNAMSIZ, "index %d", ifindex);
	return buf;
}

static void judge_forward(const struct observed *seen, const struct pair *p,
	const struct route_answer *a, struct check_result *out)
{
	char name[PREFIX_STRLEN], buf[IFNAMSIZ];
	prefix_str(p->network, name);
	/* Only there: on a LAN interface the filter speaks of a network that is elsewhere, and
	 * letting it pass would mend nothing. */
	if (is_filtered(seen, p->mesh, p->network->addr.family, a->error))
		note_strict(out, p->mesh->ifindex);
	if (a->error)
		refused(seen, p->mesh, p->network, a->error, out);
	else if (a->route.type != RTN_UNICAST)
		return;
	else if (a->route.oif == p->mesh->ifindex)
		conditions_add(&out->found, COND_WARP_TABLE_CAPTURES_LAN, name,
			"table %u sends packets for %s back into the tunnel", a->route.table, name);
	else if (a->route.oif != p->lan->ifindex)
		conditions_add(&out->found, COND_ROUTE_WRONG_EGRESS, name,
			"packets for %s leave by %s, not by %s", name,
			answer_link(seen, a->route.oif, buf), p->lan->name);
}

static bool has_route(const struct route_set *set, const struct prefix *dst)
{
	for (size_t i = 0; i < set->n; i++)
		if (!prefix_cmp(&set->list[i].dst, dst))
			return true;
	return false;
}

static void judge_reverse(const struct observed *seen, const struct pair *p,
	const struct addr *inside, const struct route_answer *a, struct check_result *out)
{
	char name[PREFIX_STRLEN], buf[IFNAMSIZ];
	prefix_str(p->range, name);
	if (a->error)
		refused(seen, p->lan, p->range, a->error, out);
	else if (a->route.type != RTN_UNICAST || a->route.oif == p->mesh->ifindex ||
		 rivals_have(seen, inside, &a->route))
		return;
	else if (a->route.table != MARK_RT_TABLE)
		conditions_add(&out->found, COND_POLICY_RULE_CAPTURES_RETURN, name,
			"a policy rule sends answers to %s through table %u to %s", name,
			a->route.table, answer_link(seen, a->route.oif, buf));
	else if (has_route(&seen->ours, p->range) || has_route(&seen->foreign, p->range))
		conditions_add(&out->found, COND_RETURN_ROUTE_SHADOWED, name,
			"another route takes answers to %s to %s", name,
			answer_link(seen, a->route.oif, buf));
	else
		conditions_add(&out->found, COND_RETURN_ROUTE_MISSING, name,
			"answers to %s leave by %s", name, answer_link(seen, a->route.oif, buf));
}

static void check_pair(struct kernel *k, const struct observed *seen, const struct pair *p,
	struct check_result *out)
{
	struct addr inside = observed_sample(seen, p->range),
		    outside = observed_sample(seen, p->network);
	struct route_answer answer;
	struct err err = {};
	int r = k->ops->route_ask(k,
		&(struct route_question){.src = inside, .dst = outside, .iif = p->mesh->ifindex},
		&answer, &err);
	if (r >= 0) {
		judge_forward(seen, p, &answer, out);
		r = k->ops->route_ask(k,
			&(struct route_question){
				.src = outside, .dst = inside, .iif = p->lan->ifindex},
			&answer, &err);
	}
	if (r >= 0)
		judge_reverse(seen, p, &inside, &answer, out);
	else
		out->error = -r;
}

static bool usable(const struct link *l)
{
	return l && l->flags & IFF_UP;
}

static const struct prefix *first_range(const struct config *c, uint8_t family)
{
	for (size_t i = 0; i < c->n_ranges; i++)
		if (c->ranges[i].prefix.addr.family == family)
			return &c->ranges[i].prefix;
	return nullptr;
}

/* A range is a route into the tunnel, and a connected network is a route as well: the longer prefix
 * takes the other's packets, those of the tunnel's own program perhaps. A single address is no
 * network: Tailscale has one inside the default ranges, and nobody is cut off by it. */
static void check_own(const struct config *c, const struct observed *seen, int mesh_ifindex,
	struct check_result *out)
{
	char own[PREFIX_STRLEN], range[PREFIX_STRLEN];
	for (size_t i = 0; i < seen->addresses.n; i++) {
		const struct ifaddr_entry *a = &seen->addresses.list[i];
		const struct link *link = link_by_index(&seen->links, a->ifindex);
		struct prefix network = observed_network(a);
		if (a->ifindex == mesh_ifindex || !usable(link) ||
			network.len == addr_bits(network.addr.family))
			continue;
		for (size_t j = 0; j < c->n_ranges; j++) {
			if (!prefix_overlaps(&c->ranges[j].prefix, &network))
				continue;
			prefix_str(&network, own);
			prefix_str(&c->ranges[j].prefix, range);
			conditions_add(&out->found, COND_RANGE_OVERLAPS_LAN, own,
				"mesh range %s overlaps %s, a network of %s", range, own,
				link->name);
		}
	}
}

static void check_lan(struct kernel *k, const struct config *c, const struct observed *seen,
	const struct config_lan *lan, struct pair p, struct check_result *out)
{
	const struct prefix *first[2] = {}; /* first network of each family */
	for (size_t i = 0; i < lan->n_networks; i++) {
		p.network = &lan->networks[i].prefix;
		p.range = first_range(c, p.network->addr.family);
		if (!p.range)
			continue;
		check_pair(k, seen, &p, out);
		bool six = p.network->addr.family == AF_INET6;
		if (!first[six])
			first[six] = p.network;
	}
	for (size_t i = 0; i < c->n_ranges; i++) {
		p.range = &c->ranges[i].prefix;
		p.network = first[p.range->addr.family == AF_INET6];
		if (p.network && p.range != first_range(c, p.range->addr.family))
			check_pair(k, seen, &p, out);
	}
}

void check_run(struct kernel *k, const struct config *config, const struct observed *seen,
	struct check_result *out)
{
	check_clear(out);
	struct pair p = {.mesh = link_by_name(&seen->links, config->mesh_interface)};
	check_own(config, seen, p.mesh ? p.mesh->ifindex : 0, out);
	if (!usable(p.mesh))
		return;
	const struct link *first = nullptr;
	for (size_t i = 0; i < config->n_lans; i++) {
		p.lan = link_by_name(&seen->links, config->lans[i].interface);
		if (!usable(p.lan))
			continue;
		check_lan(k, config, seen, &config->lans[i], p, out);
		if (!first)
			first = p.lan;
	}
	rivals_check(k, config, seen, p.mesh, first, &out->found);
}

void check_clear(struct check_result *r)
{
	conditions_clear(&r->found);
	free(r->strict);
	*r = (struct check_result){};
}
