/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rivals.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tailscale's table, and where its rules stand (its wgengine/router/osrouter). */
constexpr uint32_t TAILSCALE_TABLE = 52;
constexpr uint32_t TAILSCALE_FIRST = 5200;
constexpr uint32_t TAILSCALE_LAST = 5299;

/* ---- reading ---- */

static bool overlaps_range(const struct config *c, const struct prefix *p)
{
	for (size_t i = 0; i < c->n_ranges; i++)
		if (prefix_overlaps(&c->ranges[i].prefix, p))
			return true;
	return false;
}

/* A route that a lookup can end at. A default route takes everything that has no better one, and
 * the lookups of check.h show it. */
bool rivals_concern(const struct config *config, const struct route *r)
{
	bool ends = r->type == RTN_UNICAST || r->type == RTN_BLACKHOLE ||
		    r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT;
	return ends && r->dst.len > 0 && r->table != RT_TABLE_LOCAL && r->table != MARK_RT_TABLE &&
	       overlaps_range(config, &r->dst);
}

struct choice {
	const struct config *config;
	int mesh; /* ifindex, or -1 */
	size_t n;
};

static bool keep(const struct route *r, void *arg)
{
	struct choice *c = arg;
	return r->oif != c->mesh && rivals_concern(c->config, r) && ++c->n <= OBSERVED_TABLE_ROUTES;
}

static bool is_lan(const struct config *c, const char *interface)
{
	for (size_t i = 0; i < c->n_lans; i++)
		if (!strcmp(c->lans[i].interface, interface))
			return true;
	return false;
}

/* Can an answer from the LAN be looked up by this rule? Answers carry no mark. */
static bool leads_answers(const struct config *c, const struct rule *r)
{
	return r->action == FR_ACT_TO_TBL && !r->narrow && !r->oif[0] &&
	       (!r->fwmark || r->invert) && (!r->iif[0] || is_lan(c, r->iif));
}

static bool is_known(const struct observed *seen, const struct rule *r)
{
	for (size_t i = 0; i < seen->n_tables; i++)
		if (seen->tables[i].family == r->family && seen->tables[i].number == r->table)
			return true;
	return false;
}

static int read_table(struct kernel *k, const struct config *config, const struct rule *rule,
	struct observed *out, struct err *err)
{
	const struct link *mesh = link_by_name(&out->links, config->mesh_interface);
	struct choice choice = {.config = config, .mesh = mesh ? mesh->ifindex : -1};
	struct observed_table t = {
		.family = rule->family, .number = rule->table, .priority = rule->priority};
	struct route_filter filter = {.family = rule->family, .table = rule->table};
	int r = k->ops->routes(k, &filter, keep, &choice, &t.routes, err);
	if (r < 0)
		return r;
	t.n_routes = choice.n;
	out->tables = xreallocarray(out->tables, out->n_tables + 1, sizeof(*out->tables));
	out->tables[out->n_tables++] = t;
	return 0;
}

static int read_family(struct kernel *k, const struct config *config, uint8_t family,
	struct observed *out, struct err *err)
{
	struct rule_set rules = {};
	int r = k->ops->rules(k, family, &rules, err);
	for (size_t i = 0; r >= 0 && i < rules.n; i++) {
		const struct rule *rule = &rules.list[i];
		if (!leads_answers(config, rule) || rule->table == RT_TABLE_LOCAL)
			continue;
		/* Who comes behind main gets only what main does not know. */
		if (rule->table == MARK_RT_TABLE)
			break;
		if (!is_known(out, rule))
			r = read_table(k, config, rule, out, err);
	}
	rule_set_clear(&rules);
	return r;
}

int rivals_read(
	struct kernel *k, const struct config *config, struct observed *seen, struct err *err)
{
	struct observed next = {.links = seen->links};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < OBSERVED_FAMILIES; i++)
		r = read_family(k, config, observed_families[i], &next, err);
	if (r < 0) {
		observed_tables_clear(&next);
		return err_ctx(err, "rules");
	}
	observed_tables_clear(seen);
	seen->tables = next.tables;
	seen->n_tables = next.n_tables;
	return 0;
}

/* ---- judging ---- */

static bool is_among(const struct route_set *set, const struct addr *a, const struct route *answer)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].oif == answer->oif && prefix_contains_addr(&set->list[i].dst, a))
			return true;
	return false;
}

bool rivals_have(const struct observed *seen, const struct addr *a, const struct route *answer)
{
	if (answer->table == MARK_RT_TABLE)
		return is_among(&seen->foreign, a, answer);
	for (size_t i = 0; i < seen->n_tables; i++)
		if (seen->tables[i].number == answer->table &&
			is_among(&seen->tables[i].routes, a, answer))
			return true;
	return false;
}

struct view {
	struct kernel *kernel;
	const struct config *config;
	const struct observed *seen;
	const struct link *mesh, *lan;
	struct conditions *found;
};

static const struct {
	uint8_t protocol;
	bool learned; /* by a routing protocol: nobody on this host chose it */
	const char *name;
} protocols[] = {
	{RTPROT_KERNEL, false, "kernel"},
	{RTPROT_BOOT, false, "boot"},
	{RTPROT_STATIC, false, "static"},
	{RTPROT_GATED, true, "gated"},
	{RTPROT_RA, false, "ra"},
	{RTPROT_ZEBRA, true, "zebra"},
	{RTPROT_BIRD, true, "bird"},
	{RTPROT_DHCP, false, "dhcp"},
	{RTPROT_KEEPALIVED, false, "keepalived"},
	{RTPROT_BABEL, true, "babel"},
	{RTPROT_OPENR, true, "openr"},
	{RTPROT_BGP, true, "bgp"},
	{RTPROT_ISIS, true, "isis"},
	{RTPROT_OSPF, true, "ospf"},
	{RTPROT_RIP, true, "rip"},
	{RTPROT_EIGRP, true, "eigrp"},
};
constexpr size_t PROTOCOL_STRLEN = 16;

static const char *protocol_str(uint8_t protocol, char *buf)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].name;
	snprintf(buf, PROTOCOL_STRLEN, "%u", protocol);
	return buf;
}

static bool is_learned(uint8_t protocol)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].learned;
	return false;
}

static bool is_single(const struct prefix *p)
{
	return p->len == addr_bits(p->addr.family);
}

/* Does the configuration speak of this single address as one of the mesh? */
static bool is_named(const struct config *c, const struct prefix *p)
{
	const struct addr *source = &c->probe.source[p->addr.family == AF_INET6];
	for (size_t i = 0; i < c->n_allow; i++)
		for (size_t j = 0; j < c->allow[i].n_from; j++)
			if (!prefix_cmp(&c->allow[i].from[j], p))
				return true;
	return source->family != AF_UNSPEC && !addr_cmp(source, &p->addr);
}

/* Theirs, while the mesh has the rest. */
static bool coexists(const struct config *c, const struct route *r)
{
	return is_single(&r->dst) && r->type == RTN_UNICAST && !is_named(c, &r->dst) &&
	       !is_learned(r->protocol);
}

static struct addr lan_sample(const struct view *v, uint8_t family)
{
	for (size_t i = 0; v->lan && i < v->config->n_lans; i++) {
		const struct config_lan *lan = &v->config->lans[i];
		for (size_t j = 0; !strcmp(lan->interface, v->lan->name) && j < lan->n_networks;
			j++)
			if (lan->networks[j].prefix.addr.family == family)
				return observed_sample(v->seen, &lan->networks[j].prefix);
	}
	return (struct addr){};
}

/* Where does an answer to this prefix go? A lookup knows the order of rules, and other routes. */
static bool leaves_mesh(const struct view *v, const struct prefix *p)
{
	struct route_answer answer;
	struct route_question q = {
		.dst = observed_sample(v->seen, p), .src = lan_sample(v, p->addr.family)};
	if (q.src.family != AF_UNSPEC)
		q.iif = v->lan->ifindex;
	int r = v->kernel->ops->route_ask(v->kernel, &q, &answer, nullptr);
	return r < 0 || answer.error || answer.route.oif != v->mesh->ifindex;
}

/* What of the ranges the route takes; nullptr = nothing. */
static const struct prefix *taken_by(const struct view *v, const struct route *r)
{
	for (size_t i = 0; i < v->config->n_ranges; i++) {
		const struct prefix *range = &v->config->ranges[i].prefix;
		const struct prefix *part = prefix_contains(range, &r->dst) ? &r->dst : range;
		if (prefix_overlaps(range, &r->dst) && leaves_mesh(v, part))
			return part;
	}
	return nullptr;
}

static const char *way_out(const struct view *v, const struct route *r, char *buf)
{
	const struct link *l = link_by_index(&v->seen->links, r->oif);
	if (l)
		return l->name;
	if (!r->oif)
		return r->type == RTN_UNICAST ? "several next hops" : "nowhere";
	snprintf(buf, IFNAMSIZ, "index %d", r->oif);
	return buf;
}

/* What one table, or one interface of table main, has of the ranges. */
struct share {
	const struct route *first;
	size_t n;
};

static bool is_tailscale(const struct observed_table *t, const char *interface)
{
	bool numbers = t->number == TAILSCALE_TABLE && t->priority >= TAILSCALE_FIRST &&
		       t->priority <= TAILSCALE_LAST;
	return numbers || !strncmp(interface, "tailscale", strlen("tailscale"));
}

static void show_share(const struct view *v, const char *who, const struct share *s)
{
	char first[PREFIX_STRLEN], buf[IFNAMSIZ], protocol[PROTOCOL_STRLEN];
	const char *to = way_out(v, s->first, buf);
	conditions_add(v->found, COND_CGNAT_OVERLAP, to,
		"%s takes %zu %s of the mesh ranges to %s: %s%s (proto %s, metric %u)", who, s->n,
		s->n == 1 ? "prefix" : "prefixes", to, prefix_str(&s->first->dst, first),
		s->n == 1 ? "" : " and others", protocol_str(s->first->protocol, protocol),
		s->first->metric);
}

static void show_capture(const struct view *v, const struct observed_table *t,
	const struct route *r, const struct prefix *part)
{
	char name[PREFIX_STRLEN], buf[IFNAMSIZ];
	prefix_str(part, name);
	conditions_add(v->found, COND_POLICY_RULE_CAPTURES_RETURN, name,
		"a policy rule sends answers to %s through table %u to %s (rule %u)", name,
		t->number, way_out(v, r, buf), t->priority);
}

static void check_table(const struct view *v, const struct observed_table *t)
{
	struct share share = {.n = t->n_routes - t->routes.n};
	char who[64], buf[IFNAMSIZ];
	for (size_t i = 0; i < t->routes.n; i++) {
		const struct route *r = &t->routes.list[i];
		const struct prefix *part = taken_by(v, r);
		if (!part)
			continue;
		if (!share.first)
			share.first = r;
		share.n++;
		if (!coexists(v->config, r))
			show_capture(v, t, r, part);
	}
	if (!share.first)
		return;
	bool tailscale = is_tailscale(t, way_out(v, share.first, buf));
	snprintf(who, sizeof(who), "table %u (rule %u%s)", t->number, t->priority,
		tailscale ? ", by=tailscale" : "");
	show_share(v, who, &share);
}

/* What Linux makes of an address of this host; a packet for it is not forwarded anyway. */
static bool is_own_address(const struct observed *seen, const struct route *r)
{
	return is_single(&r->dst) && observed_is_own(seen, &r->dst.addr);
}

/* check.h names it. */
static bool is_own_network(const struct observed *seen, const struct route *r)
{
	for (size_t i = 0; i < seen->addresses.n; i++) {
		struct prefix own = observed_network(&seen->addresses.list[i]);
		if (seen->addresses.list[i].ifindex == r->oif && !prefix_cmp(&own, &r->dst))
			return true;
	}
	return false;
}

static bool is_harmless(const struct view *v, const struct route *r)
{
	return r->oif == v->mesh->ifindex || is_own_address(v->seen, r) ||
	       is_own_network(v->seen, r) || !taken_by(v, r);
}

static void show_shadow(const struct view *v, const struct route *r)
{
	char name[PREFIX_STRLEN], buf[IFNAMSIZ], protocol[PROTOCOL_STRLEN];
	prefix_str(&r->dst, name);
	conditions_add(v->found, COND_RETURN_ROUTE_SHADOWED, name,
		"another route takes answers to %s to %s (proto %s, metric %u)", name,
		way_out(v, r, buf), protocol_str(r->protocol, protocol), r->metric);
}

/* Single addresses are shown once for each interface, everything else by itself. */
static void check_main(const struct view *v)
{
	const struct route_set *foreign = &v->seen->foreign;
	struct share *shares = xcalloc(foreign->n, sizeof(*shares));
	size_t n = 0;
	for (size_t i = 0; i < foreign->n; i++) {
		const struct route *r = &foreign->list[i];
		size_t s = 0;
		if (is_harmless(v, r))
			continue;
		if (!coexists(v->config, r)) {
			show_shadow(v, r);
			continue;
		}
		while (s < n && shares[s].first->oif != r->oif)
			s++;
		if (s == n)
			shares[n++].first = r;
		shares[s].n++;
	}
	for (size_t s = 0; s < n; s++)
		show_share(v, "table main", &shares[s]);
	free(shares);
}

void rivals_check(struct kernel *k, const struct config *config, const struct observed *seen,
	const struct link *mesh, const struct link *lan, struct conditions *found)
{
	struct view v = {.kernel = k,
		.config = config,
		.seen = seen,
		.mesh = mesh,
		.lan = lan,
		.found = found};
	check_main(&v);
	for (size_t i = 0; i < seen->n_tables; i++)
		check_table(&v, &seen->tables[i]);
}
