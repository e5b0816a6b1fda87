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
void nft_fill_prefixes(struct nft_txn *t, const struct nft_family *f, const char *set,
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
	nft_fill_prefixes(b->t, f, name, list, n);
}

void nft_fill_hosts(struct nft_txn *t, const struct nft_family *f, const char *set,
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
	nft_fill_hosts(b->t, f, name, list, n);
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

	if (b->m->allow_list)
		nft_table_add_allow(b);
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
		nft_table_add_nat(&b);
	nft_table_add_output(&b);
	if (model->probe)
		nft_table_add_probe(&b);
	if (model->bridge)
		nft_table_add_bridge(&b);
	nft_allow_sets_clear(&b.allow);
}
