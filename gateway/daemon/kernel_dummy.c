/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kernel_dummy.h"
#include "daemon/kernel_dummy_int.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "nft/table.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kernel_dummy *dummy_of(struct kernel *k)
{
	return (struct kernel_dummy *)k;
}

static int *find_sysctl(const struct kernel_dummy *d, const char *key)
{
	for (size_t i = 0; i < d->n_sysctls; i++)
		if (!strcmp(d->sysctls[i].key, key))
			return &d->sysctls[i].value;
	return nullptr;
}

void dummy_sysctl(struct kernel_dummy *d, const char *key, int value)
{
	int *slot = find_sysctl(d, key);
	if (slot) {
		*slot = value;
		return;
	}
	XGROW(d->sysctls, d->n_sysctls, d->cap_sysctls);
	struct dummy_sysctl *s = &d->sysctls[d->n_sysctls++];
	snprintf(s->key, sizeof(s->key), "%s", key);
	s->value = value;
}

int dummy_sysctl_value(const struct kernel_dummy *d, const char *key)
{
	const int *slot = find_sysctl(d, key);
	return slot ? *slot : -1;
}

/* ---- faults ---- */

void dummy_fail(struct dummy_faults *series, unsigned skip, unsigned times, int error)
{
	series->at = series->calls + skip + 1;
	series->times = times;
	series->error = error;
}

void dummy_stick(struct kernel_dummy *d, const char *call, int error)
{
	snprintf(d->stuck, sizeof(d->stuck), "%s", call ? call : "");
	d->stuck_error = error;
}

static bool is_stuck(const struct kernel_dummy *d, const char *name)
{
	return !strcmp(name, d->stuck);
}

int dummy_may_try(struct kernel *k, const char *name, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	return is_stuck(d, name) ? err_set(err, d->stuck_error, "%s", strerror(d->stuck_error)) : 0;
}

static int may_call(struct dummy_faults *series, struct err *err)
{
	series->calls++;
	if (!series->times || series->calls < series->at)
		return 0;
	series->times--;
	return err_set(err, series->error, "%s", strerror(series->error));
}

/* Every dump asks here first. */
int dummy_may_read(struct kernel *k, const char *what, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	if (is_stuck(d, what))
		return err_set(err, d->stuck_error, "%s", strerror(d->stuck_error));
	return may_call(&d->reads, err);
}

/* Every write asks here first. */
int dummy_may_write(struct kernel *k, const char *verb, const char *object, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	XGROW(d->log, d->n_log, d->cap_log);
	char *name = d->log[d->n_log++];
	snprintf(name, sizeof(d->log[0]), "%s %s", verb, object);
	if (d->on_write)
		d->on_write();
	if (is_stuck(d, name))
		return err_set(err, d->stuck_error, "%s", strerror(d->stuck_error));
	return may_call(&d->writes, err);
}

static int may_write_route(
	struct kernel *k, const char *verb, const struct route *r, struct err *err)
{
	char text[PREFIX_STRLEN];
	return dummy_may_write(k, verb, prefix_str(&r->dst, text), err);
}

/* ---- links, addresses ---- */

/* family AF_UNSPEC = both. */
static void drop_routes(struct kernel_dummy *d, int oif, uint8_t family)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.list[i];
		if (r->oif != oif || (family != AF_UNSPEC && r->dst.addr.family != family))
			d->routes.list[kept++] = *r;
	}
	d->routes.n = kept;
}

static void fresh_sysctls(struct kernel_dummy *d, const char *name)
{
	static const char *const keys[] = {
		"ipv4/conf/%s/forwarding", "ipv4/conf/%s/rp_filter", "ipv6/conf/%s/disable_ipv6"};
	char key[SYSCTL_KEY_LEN];
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(key, sizeof(key), keys[i], name);
#pragma GCC diagnostic pop
		dummy_sysctl(d, key, 0);
	}
	snprintf(key, sizeof(key), "ipv6/conf/%s/accept_ra", name);
	dummy_sysctl(d, key, 1);
}

/* A renamed interface takes its sysctls along. */
static void rename_sysctls(struct kernel_dummy *d, const char *from, const char *to)
{
	for (size_t i = 0; i < d->n_sysctls; i++) {
		char family[8], name[IFNAMSIZ], leaf[32];
		char *key = d->sysctls[i].key;
		if (sscanf(key, "%7[^/]/conf/%15[^/]/%31s", family, name, leaf) == 3 &&
			!strcmp(name, from))
			snprintf(key, SYSCTL_KEY_LEN, "%s/conf/%s/%s", family, to, leaf);
	}
}

void dummy_link(struct kernel_dummy *d, int ifindex, const char *name, unsigned flags, unsigned mtu)
{
	struct link *slot = nullptr;
	for (size_t i = 0; i < d->links.n; i++)
		if (d->links.list[i].ifindex == ifindex)
			slot = &d->links.list[i];
	if (!slot) {
		d->links.list = xreallocarray(
			d->links.list, d->links.n + 1, sizeof(*d->links.list));
		slot = &d->links.list[d->links.n++];
		fresh_sysctls(d, name);
	} else {
		rename_sysctls(d, slot->name, name);
	}
	*slot = (struct link){.ifindex = ifindex, .flags = flags, .mtu = mtu};
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	if (!(flags & IFF_UP))
		drop_routes(d, ifindex, AF_UNSPEC);
}

void dummy_unlink(struct kernel_dummy *d, int ifindex)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->links.n; i++)
		if (d->links.list[i].ifindex != ifindex)
			d->links.list[kept++] = d->links.list[i];
	d->links.n = kept;
	drop_routes(d, ifindex, AF_UNSPEC);
}

void dummy_unaddress(struct kernel_dummy *d, int ifindex, const char *address)
{
	size_t kept = 0;
	struct addr gone = {};
	(void)addr_parse(address, &gone);
	bool last = gone.family == AF_INET;
	for (size_t i = 0; i < d->addresses.n; i++) {
		const struct ifaddr_entry *a = &d->addresses.list[i];
		if (a->ifindex == ifindex && !addr_cmp(&a->address, &gone))
			continue;
		last &= a->ifindex != ifindex || a->address.family != AF_INET;
		d->addresses.list[kept++] = *a;
	}
	d->addresses.n = kept;
	if (last)
		drop_routes(d, ifindex, AF_INET);
}

static int dummy_links(struct kernel *k, struct link_set *out, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_read(k, "links", err);
	if (r < 0)
		return r;
	link_set_clear(out);
	out->list = xcalloc(d->links.n, sizeof(*out->list));
	out->n = d->links.n;
	if (out->n)
		memcpy(out->list, d->links.list, out->n * sizeof(*out->list));
	return 0;
}

static int dummy_addresses(struct kernel *k, struct ifaddr_set *out, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_read(k, "addresses", err);
	if (r < 0)
		return r;
	ifaddr_set_clear(out);
	out->list = xcalloc(d->addresses.n, sizeof(*out->list));
	out->n = d->addresses.n;
	if (out->n)
		memcpy(out->list, d->addresses.list, out->n * sizeof(*out->list));
	return 0;
}

static int value_of(
	const struct kernel_dummy *d, uint8_t family, const char *name, const char *leaf)
{
	char key[SYSCTL_KEY_LEN];
	snprintf(key, sizeof(key), "ipv%d/conf/%s/%s", family == AF_INET ? 4 : 6, name, leaf);
	const int *value = find_sysctl(d, key);
	return value ? *value : 0;
}

static int dummy_netconfs(
	struct kernel *k, uint8_t family, struct netconf_set *out, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_read(k, "netconfs", err);
	if (r < 0)
		return r;
	netconf_set_clear(out);
	out->list = xcalloc(d->links.n + 1, sizeof(*out->list));
	for (size_t i = 0; i <= d->links.n; i++) {
		const char *name = i < d->links.n ? d->links.list[i].name : "all";
		out->list[out->n++] = (struct netconf){.family = family,
			.ifindex = i < d->links.n ? d->links.list[i].ifindex : NETCONFA_IFINDEX_ALL,
			.forwarding = value_of(d, family, name, "forwarding"),
			.rp_filter = value_of(d, family, name, "rp_filter")};
	}
	return 0;
}

/* ---- routes ---- */

static int compare_routes(const void *a, const void *b)
{
	return route_cmp(a, b);
}

static int dummy_routes(struct kernel *k, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_read(k, "routes", err);
	if (e < 0)
		return e;
	route_set_clear(out);
	out->list = xcalloc(d->routes.n, sizeof(*out->list));
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.list[i];
		bool match = r->dst.addr.family == filter->family && r->table == filter->table &&
			     (!filter->protocol || r->protocol == filter->protocol);
		if (match && (!keep || keep(r, arg)))
			out->list[out->n++] = *r;
	}
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), compare_routes);
	return 0;
}

const struct route *dummy_find_route(
	const struct kernel_dummy *d, const struct prefix *dst, uint8_t protocol)
{
	for (size_t i = 0; i < d->routes.n; i++)
		if (!prefix_cmp(&d->routes.list[i].dst, dst) &&
			d->routes.list[i].protocol == protocol)
			return &d->routes.list[i];
	return nullptr;
}

void dummy_route(struct kernel_dummy *d, const struct route *r)
{
	struct route_set *set = &d->routes;
	set->list = xreallocarray(set->list, set->n + 1, sizeof(*set->list));
	memmove(set->list + 1, set->list, set->n * sizeof(*set->list));
	set->list[0] = *r;
	set->n++;
}

/* As route.h says: a second IPv6 route to the same device is refused whoever owns the first. */
static int route_conflict(const struct kernel_dummy *d, const struct route *r)
{
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *other = &d->routes.list[i];
		struct route same = *other;
		same.protocol = r->protocol;
		if (!route_cmp(other, r))
			return EEXIST;
		if (r->dst.addr.family == AF_INET6 && !route_cmp(&same, r))
			return ENOTUNIQ;
	}
	return 0;
}

static int dummy_route_add(struct kernel *k, const struct route *r, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write_route(k, "route_add", r, err);
	if (e < 0)
		return e;
	const struct link *l = link_by_index(&d->links, r->oif);
	if (!l)
		return err_set(err, ENODEV, "no such device");
	if (!(l->flags & IFF_UP))
		return err_set(err, ENETDOWN, "the device is down");
	if (r->dst.addr.family == AF_INET6 && value_of(d, AF_INET6, l->name, "disable_ipv6"))
		return err_set(err, EACCES, "IPv6 is disabled on the device");
	e = route_conflict(d, r);
	if (e)
		return err_set(err, e, "%s", strerror(e));
	dummy_route(d, r);
	return 0;
}

static int dummy_route_del(struct kernel *k, const struct route *r, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write_route(k, "route_del", r, err);
	if (e < 0)
		return e;
	for (size_t i = 0; i < d->routes.n; i++)
		if (!route_cmp(&d->routes.list[i], r)) {
			memmove(&d->routes.list[i], &d->routes.list[i + 1],
				(--d->routes.n - i) * sizeof(*r));
			return 0;
		}
	return err_set(err, ESRCH, "no such route");
}

static int dummy_rules(struct kernel *k, uint8_t family, struct rule_set *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_read(k, "rules", err);
	if (e < 0)
		return e;
	rule_set_clear(out);
	out->list = xcalloc(d->rules.n + 1, sizeof(*out->list));
	for (size_t i = 0; family == AF_INET && i < d->rules.n; i++)
		out->list[out->n++] = d->rules.list[i];
	out->list[out->n++] = (struct rule){.family = family,
		.priority = 32766,
		.table = MARK_RT_TABLE,
		.action = FR_ACT_TO_TBL};
	return 0;
}

static const struct route *lookup_in(
	const struct kernel_dummy *d, const struct addr *dst, bool in_main)
{
	const struct route *best = nullptr;
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.list[i];
		if ((r->table == MARK_RT_TABLE) != in_main || !prefix_contains_addr(&r->dst, dst))
			continue;
		if (!best || r->dst.len > best->dst.len ||
			(r->dst.len == best->dst.len && r->metric < best->metric))
			best = r;
	}
	return best;
}

static const struct route *lookup(const struct kernel_dummy *d, const struct addr *dst)
{
	const struct route *r = lookup_in(d, dst, false);
	return r ? r : lookup_in(d, dst, true);
}

static int refusal(uint8_t type)
{
	static const int errors[] = {[RTN_BLACKHOLE] = EINVAL,
		[RTN_UNREACHABLE] = EHOSTUNREACH,
		[RTN_PROHIBIT] = EACCES};
	return type < sizeof(errors) / sizeof(errors[0]) ? errors[type] : 0;
}

/* Strict reverse path filtering (net/ipv4/fib_frontend.c, fib_validate_source). */
static bool is_martian(
	const struct kernel_dummy *d, const struct route_question *q, const struct link *in)
{
	int all = value_of(d, AF_INET, "all", "rp_filter");
	int own = value_of(d, AF_INET, in->name, "rp_filter");
	if (q->dst.family != AF_INET || (all > own ? all : own) != 1)
		return false;
	const struct route *back = lookup(d, &q->src);
	return !back || back->oif != in->ifindex;
}

static int dummy_route_ask(
	struct kernel *k, const struct route_question *q, struct route_answer *answer, struct err *)
{
	struct kernel_dummy *d = dummy_of(k);
	const struct link *in = link_by_index(&d->links, q->iif);
	const struct route *best = lookup(d, &q->dst);
	*answer = (struct route_answer){};
	if (in && q->dst.family == AF_INET && !value_of(d, AF_INET, in->name, "forwarding"))
		answer->error = EHOSTUNREACH;
	else if (in && is_martian(d, q, in))
		answer->error = EINVAL;
	else if (!best)
		answer->error = ENETUNREACH;
	else
		answer->error = refusal(best->type);
	if (!answer->error)
		answer->route = *best;
	return 0;
}

/* ---- sysctls, nft, conntrack ---- */

static int dummy_link_tx(struct kernel *, int, struct link_tx *out, struct err *)
{
	*out = (struct link_tx){};
	return 0;
}

static int dummy_sysctl_get(struct kernel *k, const char *key, int *value)
{
	const int *slot = find_sysctl(dummy_of(k), key);
	if (!slot)
		return -ENOENT;
	*value = *slot;
	return 0;
}

static int dummy_sysctl_set(struct kernel *k, const char *key, int value)
{
	int e = dummy_may_write(k, "sysctl_set", key, nullptr);
	if (e < 0)
		return e;
	int *slot = find_sysctl(dummy_of(k), key);
	if (!slot)
		return -ENOENT;
	*slot = value;
	return 0;
}

static int dummy_nft_read(struct kernel *k, struct nft_state *state, struct err *err)
{
	int r = dummy_may_read(k, "nft", err);
	if (r >= 0)
		*state = dummy_of(k)->nft;
	return r;
}

static int dummy_nft_counters(struct kernel *k, struct nft_counters *out, struct err *err)
{
	if (!dummy_of(k)->nft.exists)
		return err_set(err, ENOENT, "no such table");
	*out = dummy_of(k)->nft.counters;
	return 0;
}

/* FNV-1a */
constexpr uint64_t HASH_START = 0xcbf29ce484222325;

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

/* Of everything that the table would be made of. */
static uint64_t digest_of(const struct nft_model *model)
{
	struct nft_txn t;
	nft_txn_begin(&t, 0);
	nft_table_build(&t, model, 0, nullptr);
	uint64_t h = hash(HASH_START, t.buf, t.len);
	nft_txn_clear(&t);
	return h;
}

static void take_modes(struct kernel_dummy *d, const struct nft_model *m)
{
	nft_modes_clear(&d->modes);
	for (size_t i = 0; i < m->n_masquerade_networks; i++) {
		const struct prefix *p = &m->masquerade_networks[i];
		struct nft_modes *to = &d->modes;
		XGROW(to->networks, to->n_networks, to->cap_networks);
		to->networks[to->n_networks++] = (struct nft_interval){
			.first = p->addr, .last = prefix_last(p)};
	}
	for (size_t i = 0; i < m->n_masquerade_hosts; i++) {
		XGROW(d->modes.hosts, d->modes.n_hosts, d->modes.cap_hosts);
		d->modes.hosts[d->modes.n_hosts++] = m->masquerade_hosts[i];
	}
	d->has_nat = m->nat;
}

static int dummy_nft_modes(struct kernel *k, struct nft_modes *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_read(k, "modes", err);
	if (r < 0)
		return r;
	*out = (struct nft_modes){};
	for (size_t i = 0; i < d->modes.n_networks; i++) {
		XGROW(out->networks, out->n_networks, out->cap_networks);
		out->networks[out->n_networks++] = d->modes.networks[i];
	}
	for (size_t i = 0; i < d->modes.n_hosts; i++) {
		XGROW(out->hosts, out->n_hosts, out->cap_hosts);
		out->hosts[out->n_hosts++] = d->modes.hosts[i];
	}
	return d->nft.exists && d->has_nat;
}

static int dummy_nft_replace(struct kernel *k, const struct nft_model *model,
	const struct nft_counters *start, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "nft_replace", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	nft_expect(model, &d->nft);
	d->nft.exists = d->nft.owned = d->nft.persistent = true;
	d->nft.digest = digest_of(model);
	if (start)
		d->nft.counters = *start;
	take_modes(d, model);
	k->nft_owned = true;
	return 0;
}

static int dummy_nft_remove(struct kernel *k, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "nft_remove", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	k->nft_owned = false;
	if (!d->nft.exists)
		return err_set(err, ENOENT, "no such table");
	d->nft = (struct nft_state){};
	return 0;
}

/* The ranges that Tailscale drops, and what our rules about them would be made of. */
static uint64_t dropped_by(const struct kernel_dummy *d, uint8_t family,
	const struct nft_mesh *mesh, struct nft_foreign *out)
{
	struct prefix cgnat;
	uint64_t h = hash(HASH_START, mesh->interface, strlen(mesh->interface));
	if (prefix_parse("100.64.0.0/10", &cgnat) < 0)
		abort();
	*out = (struct nft_foreign){
		.dropped = xcalloc(mesh->n_ranges, sizeof(*out->dropped)), .handle = 1};
	for (size_t i = 0; i < mesh->n_ranges; i++) {
		const struct prefix *range = &mesh->ranges[i];
		if (!d->tailscale.present || family != AF_INET || !prefix_overlaps(&cgnat, range))
			continue;
		out->dropped[out->n_dropped++] = *range;
		h = hash(h, range, sizeof(*range));
	}
	return h;
}

static int dummy_foreign_read(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_read(k, "foreign", err);
	if (e < 0)
		return e;
	nft_foreign_clear(out);
	uint64_t ours = dropped_by(d, family, mesh, out);
	out->n_ours = family == AF_INET ? d->tailscale.n_ours : 0;
	out->passed = out->n_ours == out->n_dropped && (!out->n_ours || d->tailscale.ours == ours);
	return 0;
}

static int dummy_foreign_write(
	struct kernel *k, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "foreign_write", family == AF_INET ? "ip" : "ip6", err);
	if (e < 0 || family != AF_INET)
		return e;
	struct nft_foreign in = {};
	d->tailscale.ours = dropped_by(d, family, mesh, &in);
	d->tailscale.n_ours = pass ? in.n_dropped : 0;
	nft_foreign_clear(&in);
	return 0;
}

static int dummy_nft_set_modes(struct kernel *k, const struct nft_model *model, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	struct nft_counters counters = d->nft.counters;
	int e = dummy_may_write(k, "nft_set_modes", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	if (!d->nft.exists)
		return err_set(err, ENOENT, "no such table");
	nft_expect(model, &d->nft);
	d->nft.owned = d->nft.persistent = true;
	d->nft.digest = digest_of(model);
	d->nft.counters = counters;
	take_modes(d, model);
	return 0;
}

static void dummy_close(struct kernel *k)
{
	struct kernel_dummy *d = dummy_of(k);
	link_set_clear(&d->links);
	ifaddr_set_clear(&d->addresses);
	route_set_clear(&d->routes);
	rule_set_clear(&d->rules);
	free(d->sysctls);
	free(d->log);
	dummy_flows_clear(d);
	nft_modes_clear(&d->modes);
	free(d);
}

static const struct kernel_ops dummy_ops = {
	.links = dummy_links,
	.addresses = dummy_addresses,
	.netconfs = dummy_netconfs,
	.routes = dummy_routes,
	.rules = dummy_rules,
	.route_ask = dummy_route_ask,
	.link_tx = dummy_link_tx,
	.sysctl_get = dummy_sysctl_get,
	.nft_read = dummy_nft_read,
	.nft_counters = dummy_nft_counters,
	.foreign_read = dummy_foreign_read,
	.route_add = dummy_route_add,
	.route_del = dummy_route_del,
	.sysctl_set = dummy_sysctl_set,
	.nft_replace = dummy_nft_replace,
	.nft_remove = dummy_nft_remove,
	.nft_set_modes = dummy_nft_set_modes,
	.nft_modes = dummy_nft_modes,
	.nft_witnesses = dummy_nft_witnesses,
	.ct_delete = dummy_ct_delete,
	.ct_list = dummy_ct_list,
	.ct_lookup = dummy_ct_lookup,
	.probe_send = dummy_probe_send,
	.probe_check = dummy_probe_check,
	.probe_close = dummy_probe_close,
	.foreign_write = dummy_foreign_write,
	.close = dummy_close,
};

struct kernel_dummy *dummy_new(void)
{
	struct kernel_dummy *d = xcalloc(1, sizeof(*d));
	d->base.ops = &dummy_ops;
	dummy_sysctl(d, "ipv4/conf/all/forwarding", 0);
	dummy_sysctl(d, "ipv6/conf/all/forwarding", 0);
	return d;
}
