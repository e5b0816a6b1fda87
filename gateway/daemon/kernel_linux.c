/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kernel_linux.h"
#include "lib/marks.h"
#include "net/nl.h"
#include "nft/batch.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netlink.h>
#include <stdlib.h>

struct kernel_linux {
	struct kernel base;
	struct nl_sock *route;
	struct nl_sock *netfilter;
	struct nft_conn *nft;
	uint32_t probe_seed;
};

static struct kernel_linux *linux_of(struct kernel *k)
{
	return (struct kernel_linux *)k;
}

static int linux_links(struct kernel *k, struct link_set *out, struct err *err)
{
	return link_dump(linux_of(k)->route, out, err);
}

static int linux_addresses(struct kernel *k, struct ifaddr_set *out, struct err *err)
{
	return ifaddr_dump(linux_of(k)->route, out, err);
}

static int linux_netconfs(
	struct kernel *k, uint8_t family, struct netconf_set *out, struct err *err)
{
	return netconf_dump(linux_of(k)->route, family, out, err);
}

static int linux_routes(struct kernel *k, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err)
{
	return route_dump(linux_of(k)->route, filter, keep, arg, out, err);
}

static int linux_rules(struct kernel *k, uint8_t family, struct rule_set *out, struct err *err)
{
	return rule_dump(linux_of(k)->route, family, out, err);
}

static int linux_route_ask(struct kernel *k, const struct route_question *q,
	struct route_answer *answer, struct err *err)
{
	return route_ask(linux_of(k)->route, q, answer, err);
}

static int linux_link_tx(struct kernel *k, int ifindex, struct link_tx *out, struct err *err)
{
	return link_tx_read(linux_of(k)->route, ifindex, out, err);
}

static int linux_sysctl_get(struct kernel *, const char *key, int *value)
{
	return sysctl_get(key, value);
}

static int linux_nft_read(struct kernel *k, struct nft_state *state, struct err *err)
{
	return nft_read(linux_of(k)->netfilter, state, err);
}

static int linux_nft_counters(struct kernel *k, struct nft_counters *out, struct err *err)
{
	return nft_read_counters(linux_of(k)->netfilter, out, err);
}

static int linux_route_add(struct kernel *k, const struct route *r, struct err *err)
{
	return route_add(linux_of(k)->route, r, err);
}

static int linux_route_del(struct kernel *k, const struct route *r, struct err *err)
{
	return route_del(linux_of(k)->route, r, err);
}

static int linux_sysctl_set(struct kernel *, const char *key, int value)
{
	return sysctl_set(key, value);
}

static int linux_nft_replace(struct kernel *k, const struct nft_model *model,
	const struct nft_counters *start, struct err *err)
{
	struct kernel_linux *l = linux_of(k);
	int r = nft_replace(l->nft, model, start, err);
	k->nft_owned = r >= 0 && nft_conn_owns(l->nft);
	return r;
}

static int linux_nft_remove(struct kernel *k, struct err *err)
{
	k->nft_owned = false;
	return nft_remove(linux_of(k)->nft, err);
}

static int linux_foreign_read(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err)
{
	return nft_foreign_read(linux_of(k)->netfilter, family, mesh, out, err);
}

static int linux_foreign_write(
	struct kernel *k, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err)
{
	return nft_foreign_write(linux_of(k)->nft, family, mesh, pass, err);
}

static int linux_nft_set_modes(struct kernel *k, const struct nft_model *model, struct err *err)
{
	return nft_set_modes(linux_of(k)->nft, model, err);
}

static int linux_nft_modes(struct kernel *k, struct nft_modes *out, struct err *err)
{
	return nft_read_modes(linux_of(k)->netfilter, out, err);
}

static int linux_nft_witnesses(
	struct kernel *k, struct nft_witness *out, size_t max, struct err *err)
{
	return nft_learned_witnesses(linux_of(k)->netfilter, out, max, err);
}

static int linux_ct_delete(
	struct kernel *k, const struct ct_scope *scope, unsigned kinds, struct err *err)
{
	return ct_delete(linux_of(k)->netfilter, scope, kinds, err);
}

static int linux_ct_list(struct kernel *k, const struct ct_scope *scope, unsigned kinds,
	struct ct_flow *out, size_t max, struct err *err)
{
	return ct_list(linux_of(k)->netfilter, scope, kinds, out, max, err);
}

static int linux_ct_lookup(
	struct kernel *k, const struct ct_flow *flow, struct ct_state *out, struct err *err)
{
	struct nl_sock *s = linux_of(k)->netfilter;
	int r = ct_lookup(s, flow, out, err);
	if (r != -ENOENT)
		return r;
	int reset = nft_learned_reset(s, &flow->from, flow->from_port, nullptr);
	if (reset <= 0)
		return r;
	*out = (struct ct_state){
		.status = IPS_SEEN_REPLY,
		.mark = MARK_PROBE | MARK_PROBE_REFUSED,
	};
	return 0;
}

static int linux_probe_send(
	struct kernel *k, const struct probe_target *target, struct probe *out, struct err *err)
{
	return probe_send(target, &linux_of(k)->probe_seed, out, err);
}

static int linux_probe_check(struct kernel *, const struct probe *p)
{
	return probe_check(p);
}

static void linux_probe_close(struct kernel *, struct probe *p)
{
	probe_close(p);
}

static void linux_close(struct kernel *k)
{
	struct kernel_linux *l = linux_of(k);
	nl_close(l->route);
	nft_conn_free(l->nft);
	nl_close(l->netfilter);
	free(l);
}

static const struct kernel_ops linux_ops = {
	.links = linux_links,
	.addresses = linux_addresses,
	.netconfs = linux_netconfs,
	.routes = linux_routes,
	.rules = linux_rules,
	.route_ask = linux_route_ask,
	.link_tx = linux_link_tx,
	.sysctl_get = linux_sysctl_get,
	.nft_read = linux_nft_read,
	.nft_counters = linux_nft_counters,
	.foreign_read = linux_foreign_read,
	.route_add = linux_route_add,
	.route_del = linux_route_del,
	.sysctl_set = linux_sysctl_set,
	.nft_replace = linux_nft_replace,
	.nft_remove = linux_nft_remove,
	.nft_set_modes = linux_nft_set_modes,
	.nft_modes = linux_nft_modes,
	.nft_witnesses = linux_nft_witnesses,
	.ct_delete = linux_ct_delete,
	.ct_list = linux_ct_list,
	.ct_lookup = linux_ct_lookup,
	.probe_send = linux_probe_send,
	.probe_check = linux_probe_check,
	.probe_close = linux_probe_close,
	.foreign_write = linux_foreign_write,
	.close = linux_close,
};

int kernel_linux_open(struct kernel **out, struct err *err)
{
	struct kernel_linux *l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	l->base.ops = &linux_ops;
	/* A restarted daemon shall not begin at ports whose flows the kernel remembers. */
	l->probe_seed = arc4random();
	int r = nl_open(NETLINK_ROUTE, &l->route, err);
	if (r >= 0)
		r = nl_open(NETLINK_NETFILTER, &l->netfilter, err);
	if (r >= 0)
		r = nft_conn_new(l->netfilter, &l->nft, err);
	if (r < 0) {
		linux_close(&l->base);
		return r;
	}
	*out = &l->base;
	return 0;
}
