/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kernel_dummy.h"
#include "daemon/kernel_dummy_int.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <inttypes.h>
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

int dummy_value_of(const struct kernel_dummy *d, uint8_t family, const char *name, const char *leaf)
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
			.forwarding = dummy_value_of(d, family, name, "forwarding"),
			.rp_filter = dummy_value_of(d, family, name, "rp_filter")};
	}
	return 0;
}

/* ---- sysctls ---- */

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
