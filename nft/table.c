/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/table.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "nft/nftnl.h"
#include "nft/set.h"
#include "nft/table_int.h"
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

/* Of one family: more of them are a set. */
constexpr size_t FEW_NETWORKS = 8;

void nft_add_table(struct nft_txn *t, uint32_t flags, uint16_t how, const char *comment)
{
	autonftnl(table) *table = nftnl_need(nftnl_table_alloc());
	autonftnl(udata_buf) *u = nftnl_comment(NFTNL_UDATA_TABLE_COMMENT, comment);

	nftnl_table_set_u32(table, NFTNL_TABLE_FAMILY, NFPROTO_INET);
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, t->table);
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, flags);
	nftnl_table_set_data(
		table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));

	struct nlmsghdr *nlh = nft_txn_msg(t, NFT_MSG_NEWTABLE, how, "table");
	nftnl_table_nlmsg_build_payload(nlh, table);
	nft_txn_push(t, nlh);
}

static void add_counters(struct nft_txn *t, const struct nft_counters *start)
{
	for (enum nft_counter c = 0; c < NFT_COUNTERS; c++) {
		autonftnl(obj) *obj = nftnl_need(nftnl_obj_alloc());
		const char *name = nft_counter_str(c);

		nftnl_obj_set_u32(obj, NFTNL_OBJ_FAMILY, NFPROTO_INET);
		nftnl_obj_set_str(obj, NFTNL_OBJ_TABLE, MARK_NFT_TABLE);
		nftnl_obj_set_str(obj, NFTNL_OBJ_NAME, name);
		nftnl_obj_set_u32(obj, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_set_u64(obj, NFTNL_OBJ_CTR_PKTS, start ? start->of[c].packets : 0);
		nftnl_obj_set_u64(obj, NFTNL_OBJ_CTR_BYTES, start ? start->of[c].bytes : 0);

		struct nlmsghdr *nlh = nft_txn_msg(
			t, NFT_MSG_NEWOBJ, NLM_F_CREATE, "counter %s", name);
		nftnl_obj_nlmsg_build_payload(nlh, obj);
		nft_txn_push(t, nlh);
	}
}

void nft_add_chain(
	struct nft_txn *t, const char *name, const char *type, uint32_t hook, int32_t priority)
{
	autonftnl(chain) *chain = nftnl_need(nftnl_chain_alloc());

	nftnl_chain_set_u32(chain, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, t->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	if (type) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, type);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}

	struct nlmsghdr *nlh = nft_txn_msg(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, "chain %s", name);
	nftnl_chain_nlmsg_build_payload(nlh, chain);
	nft_txn_push(t, nlh);
	t->written.chains++;
}

void nft_add_rule(struct nft_txn *t, struct nftnl_rule *take_rule, const char *comment)
{
	autonftnl(rule) *rule = take_rule;
	autonftnl(udata_buf) *u = nftnl_comment(NFTNL_UDATA_RULE_COMMENT, comment);

	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, t->table);
	nftnl_rule_set_data(
		rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));

	struct nlmsghdr *nlh = nft_txn_msg(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
		"rule \"%s\" of chain %s", comment, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	nftnl_rule_nlmsg_build_payload(nlh, rule);
	nft_txn_push(t, nlh);
	t->written.rules++;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static int by_addr(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static int by_name(const void *a, const void *b)
{
	return strncmp(a, b, IFNAMSIZ);
}

/* A sorted copy, xmalloc'ed. */
static void *sorted(const void *list, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	void *copy = xcalloc(n, size);

	if (n) {
		memcpy(copy, list, n * size);
		qsort(copy, n, size, cmp);
	}
	return copy;
}

static void add_interfaces(const struct nft_build *b)
{
	char(*names)[IFNAMSIZ] = sorted(
		b->m->lan_interfaces, b->m->n_lan_interfaces, sizeof(*names), by_name);
	struct nft_elems e;

	/* With its size known the set is a plain hash, and no growing one. */
	nft_set_add(
		b->t, "lan", NFT_SET_IFNAMES, nullptr, b->m->n_lan_interfaces, "LAN interfaces");
	nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, "lan");
	for (size_t i = 0; i < b->m->n_lan_interfaces; i++)
		if (i == 0 || by_name(names[i - 1], names[i]) != 0)
			nft_elem_ifname(&e, names[i]);
	nft_elems_end(&e);
	free(names);
}

/* Those of a family, sorted, without prefixes inside others; xmalloc'ed. */
static struct prefix *folded(
	const struct prefix *list, size_t n, const struct nft_family *f, size_t *n_out)
{
	struct prefix *p = sorted(list, n, sizeof(*p), by_prefix);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (p[i].addr.family == f->family &&
			(kept == 0 || !prefix_contains(&p[kept - 1], &p[i])))
			p[kept++] = p[i];
	*n_out = kept;
	return p;
}

/* The kernel refuses prefixes inside others. */
static void fill_prefixes(struct nft_txn *t, const struct nft_family *f, const char *set,
	const struct prefix *list, size_t n)
{
	struct prefix *p = folded(list, n, f, &n);
	struct nft_elems e;

	nft_elems_begin(&e, t, NFT_MSG_NEWSETELEM, set);
	for (size_t i = 0; i < n; i++)
		nft_elem_prefix(&e, &p[i], nullptr);
	nft_elems_end(&e);
	free(p);
}

void nft_add_prefixes(const struct nft_build *b, const struct nft_family *f, const char *base,
	const struct prefix *list, size_t n, const char *comment)
{
	char name[NFT_NAME_LEN];

	snprintf(name, sizeof(name), "%s%s", base, f->suffix);
	nft_set_add(b->t, name, NFT_SET_PREFIXES, f, 0, comment);
	fill_prefixes(b->t, f, name, list, n);
}

static void fill_hosts(struct nft_txn *t, const struct nft_family *f, const char *set,
	const struct addr *list, size_t n)
{
	struct addr *a = sorted(list, n, sizeof(*a), by_addr);
	struct nft_elems e;

	nft_elems_begin(&e, t, NFT_MSG_NEWSETELEM, set);
	for (size_t i = 0; i < n; i++)
		if (a[i].family == f->family && (i == 0 || addr_cmp(&a[i - 1], &a[i]) != 0))
			nft_elem_host(&e, &a[i]);
	nft_elems_end(&e);
	free(a);
}

void nft_add_hosts(const struct nft_build *b, const struct nft_family *f, const char *base,
	const struct addr *list, size_t n, const char *comment)
{
	char name[NFT_NAME_LEN];

	snprintf(name, sizeof(name), "%s%s", base, f->suffix);
	nft_set_add(b->t, name, NFT_SET_HOSTS, f, 0, comment);
	fill_hosts(b->t, f, name, list, n);
}

bool nft_has_family(const struct nft_model *m, const struct nft_family *f)
{
	for (size_t i = 0; i < m->n_ranges; i++)
		if (m->ranges[i].addr.family == f->family)
			return true;
	return false;
}

/* The fib lookup is what makes it an accusation: others may own routes inside the ranges that
 * lead to the LAN. Not in prerouting, which all packets of the host would pay for: in forward and
 * input, between them, there is no way past it, and conntrack confirms nothing before. */
static void add_from_lan(const struct nft_build *b, const char *chain)
{
	struct nftnl_rule *r = nft_rule_new(chain);
	nft_expr_ifname_in(r, NFT_IN, "lan");
	nft_expr_verdict(r, NFT_JUMP, "from_lan");
	nft_add_rule(b->t, r, "out of the LAN");
}

static void add_spoof(const struct nft_build *b)
{
	nft_add_chain(b->t, "from_lan", nullptr, 0, 0);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		struct nftnl_rule *r = nft_rule_new("from_lan");
		char ranges[NFT_NAME_LEN];

		snprintf(ranges, sizeof(ranges), "ranges%s", f->suffix);
		nft_expr_source_in(r, f, ranges);
		nft_expr_source_routed(r, b->m->mesh_interface);
		nft_expr_counter(r, NFT_COUNTER_SPOOFED);
		nft_expr_verdict(r, NF_DROP, nullptr);
		nft_add_rule(b->t, r, "a mesh source cannot come from the LAN");
	}

	nft_add_chain(b->t, "input", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	if (b->m->n_neighbors)
		nft_table_add_sessions(b, "input");
	add_from_lan(b, "input");
}

static void add_count_and_clamp(struct nft_txn *t, const char *chain, enum nft_counter counter)
{
	struct nftnl_rule *r = nft_rule_new(chain);
	nft_expr_counter(r, counter);
	nft_add_rule(t, r, "all forwarded packets");

	r = nft_rule_new(chain);
	nft_expr_syn(r);
	nft_expr_clamp_mss(r);
	nft_add_rule(t, r, "segments fit the tunnel");
}

static void add_goto(
	struct nft_txn *t, enum nft_direction dir, const char *interface, const char *chain)
{
	struct nftnl_rule *r = nft_rule_new("forward");

	nft_expr_ifname(r, dir, interface);
	nft_expr_verdict(r, NFT_GOTO, chain);
	nft_add_rule(t, r, dir == NFT_IN ? "out of the tunnel" : "into the tunnel");
}

static const struct nft_family *family_of(const struct nft_allow_set *s)
{
	return &nft_families[s->family == AF_INET6];
}

/* Sets are numbered from 1 within kind and family. */
static void allow_name(
	const struct nft_build *b, const struct nft_allow_set *s, char name[NFT_NAME_LEN])
{
	unsigned number = 1;

	for (const struct nft_allow_set *o = b->allow.sets; o < s; o++)
		number += o->exact == s->exact && o->family == s->family;
	snprintf(name, NFT_NAME_LEN, "allow%s_%s%u", family_of(s)->suffix,
		s->exact ? "" : "ranges_", number);
}

/* "packet accept" of a set. */
static void add_allow_rule(
	struct nft_txn *t, const struct nft_allow_set *s, const char *chain, const char *set)
{
	struct nftnl_rule *r = nft_rule_new(chain);

	nft_expr_flow_in(r, family_of(s), !s->exact, set);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(t, r, "allowed");
}

static void add_allow_set(const struct nft_build *b, const struct nft_allow_set *s)
{
	char name[NFT_NAME_LEN], comment[NFTNL_UDATA_COMMENT_MAXLEN] = "ranges of flows";
	char prefix[PREFIX_STRLEN];
	struct nft_elems e;

	allow_name(b, s, name);
	if (s->exact)
		snprintf(comment, sizeof(comment), "flows from %s", prefix_str(&s->from, prefix));
	if (s->exact)
		nft_set_add(b->t, name, NFT_SET_FLOWS, family_of(s), s->n, comment);
	else
		nft_set_add(b->t, name, NFT_SET_FLOW_BOXES, family_of(s), 0, comment);
	nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, name);
	for (size_t i = 0; i < s->n; i++)
		(s->exact ? nft_elem_flow : nft_elem_flow_box)(&e, &s->list[i]);
	nft_elems_end(&e);
	if (s->exact) {
		nft_add_chain(b->t, name, nullptr, 0, 0);
		add_allow_rule(b->t, s, name, name);
	}
}

/* The map from a mesh range to the chain of its exact entries, and the rule that asks it. */
static void add_allow_map(const struct nft_build *b, const struct nft_family *f)
{
	char map[NFT_NAME_LEN], chain[NFT_NAME_LEN];
	struct nft_elems e = {};

	snprintf(map, sizeof(map), "allow%s_sources", f->suffix);
	for (const struct nft_allow_set *s = b->allow.sets; s < b->allow.sets + b->allow.n; s++) {
		if (!s->exact || s->family != f->family)
			continue;
		if (!e.txn) {
			nft_set_add(b->t, map, NFT_SET_SOURCES, f, 0, "the chain of each source");
			nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, map);
		}
		allow_name(b, s, chain);
		nft_elem_prefix(&e, &s->from, chain);
	}
	if (!e.txn)
		return;
	nft_elems_end(&e);

	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_source_vmap(r, f, map);
	nft_add_rule(b->t, r, "exact entries, by source");
}

/* Conntrack calls a flow new that it has not seen the beginning of: because nothing tracked it
 * before, or because somebody flushed the entries. Such TCP flows go on; those that begin here
 * need a SYN. */
static void add_allow_known(const struct nft_build *b)
{
	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_known_flow(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "only new flows are judged");

	r = nft_rule_new("to_networks");
	nft_expr_not_syn(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "only a SYN begins a flow");
}

static void add_allow_judgement(const struct nft_build *b)
{
	char name[NFT_NAME_LEN];

	add_allow_known(b);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		add_allow_map(b, f);
	for (const struct nft_allow_set *s = b->allow.sets; s < b->allow.sets + b->allow.n; s++)
		if (!s->exact) {
			allow_name(b, s, name);
			add_allow_rule(b->t, s, "to_networks", name);
		}

	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_counter(r, NFT_COUNTER_DENIED);
	nft_expr_refuse(r);
	nft_add_rule(b->t, r, "not in the allow list");
}

static void add_bounds_refusal(const struct nft_build *b, const struct nft_family *f)
{
	struct nftnl_rule *r = nft_rule_new("from_mesh");
	char ranges[NFT_NAME_LEN];

	if (f) {
		snprintf(ranges, sizeof(ranges), "ranges%s", f->suffix);
		nft_expr_source_in(r, f, ranges);
	}
	nft_expr_counter(r, NFT_COUNTER_DENIED);
	nft_expr_refuse(r);
	nft_add_rule(b->t, r, "not to a network");
}

/* prefix is nullptr for the set of all of them. */
static void add_network_rule(
	const struct nft_build *b, const struct nft_family *f, const struct prefix *prefix)
{
	struct nftnl_rule *r = nft_rule_new("from_mesh");
	char set[NFT_NAME_LEN];

	snprintf(set, sizeof(set), "networks%s", f->suffix);
	if (prefix)
		nft_expr_dest_prefix(r, f, prefix);
	else
		nft_expr_dest_in(r, f, set);
	if (b->m->allow_list)
		nft_expr_verdict(r, NFT_GOTO, "to_networks");
	else
		nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "to the networks");
}

/* A lookup in an interval set costs as much as some ten comparisons. */
static void add_networks(const struct nft_build *b, const struct nft_family *f)
{
	size_t n;
	struct prefix *p = folded(b->m->networks, b->m->n_networks, f, &n);

	if (n > FEW_NETWORKS) {
		nft_add_prefixes(b, f, "networks", p, n, "what the mesh may reach");
		add_network_rule(b, f, nullptr);
	}
	for (size_t i = 0; i < n && n <= FEW_NETWORKS; i++)
		add_network_rule(b, f, &p[i]);
	free(p);
}

/* Where packets from the mesh may go at all. Nearly all of them go to a network, so that is asked
 * first. An allow list leaves nothing else; without one, packets from elsewhere than the ranges,
 * and those that go back into the tunnel, are not ours to refuse. */
static void add_bounds(const struct nft_build *b)
{
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		if (nft_has_family(b->m, f))
			add_networks(b, f);
	if (b->m->allow_list) {
		add_bounds_refusal(b, nullptr);
		return;
	}
	struct nftnl_rule *r = nft_rule_new("from_mesh");
	nft_expr_ifname(r, NFT_OUT, b->m->mesh_interface);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "back into the tunnel");
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		if (nft_has_family(b->m, f))
			add_bounds_refusal(b, f);
}

/* That a rule asks for it switches connection tracking on (nf_ct_netns_get()). */
static void add_tracking(struct nft_txn *t)
{
	struct nftnl_rule *r = nft_rule_new("forward");

	nft_expr_invalid(r);
	nft_add_rule(t, r, "flows are tracked, for meshgw watch");
}

/* from_mesh comes last because an accept ends the packet's way through the chain. */
static void add_forward(const struct nft_build *b)
{
	nft_add_chain(b->t, "to_mesh", nullptr, 0, 0);
	if (b->m->probe)
		nft_table_add_uncounted(b, "to_mesh");
	add_count_and_clamp(b->t, "to_mesh", NFT_COUNTER_TO_MESH);

	if (b->m->allow_list) {
		nft_add_chain(b->t, "to_networks", nullptr, 0, 0);
		for (size_t i = 0; i < b->allow.n; i++)
			add_allow_set(b, &b->allow.sets[i]);
		add_allow_judgement(b);
	}
	nft_add_chain(b->t, "from_mesh", nullptr, 0, 0);
	add_count_and_clamp(b->t, "from_mesh", NFT_COUNTER_FROM_MESH);
	add_bounds(b);

	nft_add_chain(b->t, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	if (b->m->track)
		add_tracking(b->t);
	add_goto(b->t, NFT_IN, b->m->mesh_interface, "from_mesh");
	add_from_lan(b, "forward");
	add_goto(b->t, NFT_OUT, b->m->mesh_interface, "to_mesh");
}

/* Sets of destinations; "4" or "6" follows their names. The later one is asked first. */
enum mode_set { MASQUERADE_NETWORKS, MASQUERADE_HOSTS, ROUTE_HOSTS, MODE_SETS };

static const struct {
	const char *name, *set_comment, *rule_comment;
} mode_sets[MODE_SETS] = {
	[MASQUERADE_NETWORKS] = {"masquerade_networks", "networks that see the gateway's address",
		"networks: masquerade"},
	[MASQUERADE_HOSTS] = {"masquerade_hosts", "hosts that see the gateway's address",
		"single hosts: masquerade"},
	[ROUTE_HOSTS] = {"route_hosts", "hosts that see the mesh address", "single hosts: route"},
};

static void mode_set_name(enum mode_set which, const struct nft_family *f, char name[NFT_NAME_LEN])
{
	snprintf(name, NFT_NAME_LEN, "%s%s", mode_sets[which].name, f->suffix);
}

static void fill_mode_sets(struct nft_txn *t, const struct nft_model *m, const struct nft_family *f)
{
	char name[NFT_NAME_LEN];

	mode_set_name(MASQUERADE_NETWORKS, f, name);
	fill_prefixes(t, f, name, m->masquerade_networks, m->n_masquerade_networks);
	mode_set_name(MASQUERADE_HOSTS, f, name);
	fill_hosts(t, f, name, m->masquerade_hosts, m->n_masquerade_hosts);
	mode_set_name(ROUTE_HOSTS, f, name);
	fill_hosts(t, f, name, m->route_hosts, m->n_route_hosts);
}

static void add_mode_rule(const struct nft_build *b, const struct nft_family *f, const char *chain,
	enum mode_set which)
{
	struct nftnl_rule *r = nft_rule_new(chain);
	char set[NFT_NAME_LEN];

	mode_set_name(which, f, set);
	nft_expr_dest_in(r, f, set);
	if (which == ROUTE_HOSTS) {
		nft_expr_verdict(r, NFT_RETURN, nullptr);
	} else {
		nft_expr_counter(r, NFT_COUNTER_MASQUERADED);
		nft_expr_masquerade(r);
	}
	nft_add_rule(b->t, r, mode_sets[which].rule_comment);
}

/* Sets exist even when they are empty: their elements come and go while the table stays. */
static void add_masquerade(const struct nft_build *b, const struct nft_family *f)
{
	char name[NFT_NAME_LEN];

	for (enum mode_set i = 0; i < MODE_SETS; i++) {
		mode_set_name(i, f, name);
		nft_set_add(b->t, name, i == MASQUERADE_NETWORKS ? NFT_SET_PREFIXES : NFT_SET_HOSTS,
			f, 0, mode_sets[i].set_comment);
	}
	fill_mode_sets(b->t, b->m, f);

	snprintf(name, sizeof(name), "masquerade%s", f->suffix);
	nft_add_chain(b->t, name, nullptr, 0, 0);
	for (enum mode_set i = MODE_SETS; i-- > 0;)
		add_mode_rule(b, f, name, i);
}

void nft_table_build_modes(struct nft_txn *t, const struct nft_model *model)
{
	char name[NFT_NAME_LEN];

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(model, f))
			continue;
		for (enum mode_set i = 0; i < MODE_SETS; i++) {
			mode_set_name(i, f, name);
			nft_set_empty(t, name);
		}
		fill_mode_sets(t, model, f);
	}
}

static void add_nat(const struct nft_build *b)
{
	char set[NFT_NAME_LEN], chain[NFT_NAME_LEN];

	nft_add_chain(b->t, "srcnat", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		add_masquerade(b, f);
		snprintf(set, sizeof(set), "ranges%s", f->suffix);
		snprintf(chain, sizeof(chain), "masquerade%s", f->suffix);
		struct nftnl_rule *r = nft_rule_new("srcnat");
		nft_expr_ifname(r, NFT_IN, b->m->mesh_interface);
		nft_expr_ifname_in(r, NFT_OUT, "lan");
		nft_expr_source_in(r, f, set);
		nft_expr_verdict(r, NFT_JUMP, chain);
		nft_add_rule(b->t, r, "from the mesh to the LAN");
	}
}

void nft_table_build(struct nft_txn *t, const struct nft_model *model, uint32_t flags,
	const struct nft_counters *start)
{
	struct nft_build b = {.t = t, .m = model};

	if (model->allow_list)
		nft_allow_sort(model, &b.allow);
	nft_add_table(t, flags, NLM_F_CREATE, "managed by meshgwd; changes are undone");
	add_counters(t, start);
	add_interfaces(&b);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		if (nft_has_family(model, f))
			nft_add_prefixes(&b, f, "ranges", model->ranges, model->n_ranges,
				"where mesh packets come from");
	if (model->n_neighbors)
		nft_table_add_neighbors(&b);
	add_spoof(&b);
	add_forward(&b);
	if (model->nat)
		add_nat(&b);
	nft_table_add_output(&b);
	if (model->probe)
		nft_table_add_probe(&b);
	if (model->bridge)
		nft_table_add_bridge(&b);
	nft_allow_sets_clear(&b.allow);
}
