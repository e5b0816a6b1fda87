/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kernel_dummy.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kernel_dummy *dummy_of(struct kernel *k)
{
	return (struct kernel_dummy *)k;
}

static int *find_sysctl(struct kernel_dummy *d, const char *key)
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

void dummy_fail(struct kernel_dummy *d, unsigned skip, unsigned times, int error)
{
	d->fail_at = d->writes + skip + 1;
	d->fail_times = times;
	d->fail_error = error;
}

/* Every write asks here first. */
static int may_write(struct kernel_dummy *d, struct err *err)
{
	d->writes++;
	if (!d->fail_times || d->writes < d->fail_at)
		return 0;
	d->fail_times--;
	return err_set(err, d->fail_error, "%s", strerror(d->fail_error));
}

/* ---- links, addresses ---- */

static void drop_routes(struct kernel_dummy *d, int oif)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->routes.n; i++)
		if (d->routes.list[i].oif != oif)
			d->routes.list[kept++] = d->routes.list[i];
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
	}
	*slot = (struct link){.ifindex = ifindex, .flags = flags, .mtu = mtu};
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	if (!(flags & IFF_UP))
		drop_routes(d, ifindex);
}

void dummy_unlink(struct kernel_dummy *d, int ifindex)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->links.n; i++)
		if (d->links.list[i].ifindex != ifindex)
			d->links.list[kept++] = d->links.list[i];
	d->links.n = kept;
	drop_routes(d, ifindex);
}

static int dummy_links(struct kernel *k, struct link_set *out, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	if (d->fail_reads)
		return err_set(err, EAGAIN, "dump interrupted");
	link_set_clear(out);
	out->list = xcalloc(d->links.n, sizeof(*out->list));
	out->n = d->links.n;
	if (out->n)
		memcpy(out->list, d->links.list, out->n * sizeof(*out->list));
	return 0;
}

static int dummy_addresses(struct kernel *k, struct ifaddr_set *out, struct err *)
{
	struct kernel_dummy *d = dummy_of(k);
	ifaddr_set_clear(out);
	out->list = xcalloc(d->addresses.n, sizeof(*out->list));
	out->n = d->addresses.n;
	if (out->n)
		memcpy(out->list, d->addresses.list, out->n * sizeof(*out->list));
	return 0;
}

static int value_of(struct kernel_dummy *d, uint8_t family, const char *name, const char *leaf)
{
	char key[SYSCTL_KEY_LEN];
	snprintf(key, sizeof(key), "ipv%d/conf/%s/%s", family == AF_INET ? 4 : 6, name, leaf);
	const int *value = find_sysctl(d, key);
	return value ? *value : 0;
}

static int dummy_netconfs(struct kernel *k, uint8_t family, struct netconf_set *out, struct err *)
{
	struct kernel_dummy *d = dummy_of(k);
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

static int dummy_routes(struct kernel *k, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	if (d->fail_reads)
		return err_set(err, EAGAIN, "dump interrupted");
	route_set_clear(out);
	out->list = xcalloc(d->routes.n, sizeof(*out->list));
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.list[i];
		bool match = r->dst.addr.family == filter->family && r->table == filter->table &&
			     (!filter->protocol || r->protocol == filter->protocol);
		if (match && (!keep || keep(r, arg)))
			out->list[out->n++] = *r;
	}
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

static void put_route(struct kernel_dummy *d, const struct route *r)
{
	d->routes.list = xreallocarray(d->routes.list, d->routes.n + 1, sizeof(*d->routes.list));
	d->routes.list[d->routes.n++] = *r;
}

static int dummy_route_add(struct kernel *k, const struct route *r, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write(d, err);
	if (e < 0)
		return e;
	const struct link *l = link_by_index(&d->links, r->oif);
	if (!l)
		return err_set(err, ENODEV, "no such device");
	if (!(l->flags & IFF_UP))
		return err_set(err, ENETDOWN, "the device is down");
	for (size_t i = 0; i < d->routes.n; i++)
		if (!route_cmp(&d->routes.list[i], r))
			return err_set(err, EEXIST, "the route exists");
	put_route(d, r);
	return 0;
}

static int dummy_route_del(struct kernel *k, const struct route *r, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write(d, err);
	if (e < 0)
		return e;
	for (size_t i = 0; i < d->routes.n; i++)
		if (!route_cmp(&d->routes.list[i], r)) {
			d->routes.list[i] = d->routes.list[--d->routes.n];
			return 0;
		}
	return err_set(err, ESRCH, "no such route");
}

static int dummy_route_ask(
	struct kernel *k, const struct route_question *q, struct route_answer *answer, struct err *)
{
	struct kernel_dummy *d = dummy_of(k);
	const struct link *in = link_by_index(&d->links, q->iif);
	const struct route *best = nullptr;
	*answer = (struct route_answer){};
	if (in && q->dst.family == AF_INET && !value_of(d, AF_INET, in->name, "forwarding")) {
		answer->error = EHOSTUNREACH;
		return 0;
	}
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.list[i];
		if (!prefix_contains_addr(&r->dst, &q->dst))
			continue;
		if (!best || r->dst.len > best->dst.len ||
			(r->dst.len == best->dst.len && r->metric < best->metric))
			best = r;
	}
	if (best)
		answer->route = *best;
	else
		answer->error = ENETUNREACH;
	return 0;
}

/* ---- sysctls, nft, conntrack ---- */

static int dummy_tx_dropped(struct kernel *, int, uint64_t *out, struct err *)
{
	*out = 0;
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
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write(d, nullptr);
	if (e < 0)
		return e;
	int *slot = find_sysctl(d, key);
	if (!slot)
		return -ENOENT;
	*slot = value;
	return 0;
}

static int dummy_nft_read(struct kernel *k, struct nft_state *state, struct err *err)
{
	if (dummy_of(k)->fail_reads)
		return err_set(err, EAGAIN, "ruleset keeps changing");
	*state = dummy_of(k)->nft;
	return 0;
}

static int dummy_nft_counters(struct kernel *k, struct nft_counters *out, struct err *err)
{
	if (!dummy_of(k)->nft.exists)
		return err_set(err, ENOENT, "no such table");
	*out = dummy_of(k)->nft.counters;
	return 0;
}

static int dummy_nft_replace(struct kernel *k, const struct nft_model *model,
	const struct nft_counters *start, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write(d, err);
	if (e < 0)
		return e;
	d->nft = (struct nft_state){};
	nft_expect(model, &d->nft);
	d->nft.exists = d->nft.owned = d->nft.persistent = true;
	d->nft.digest = ++d->nft_serial;
	if (start)
		d->nft.counters = *start;
	k->nft_owned = true;
	return 0;
}

static int dummy_nft_remove(struct kernel *k, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = may_write(d, err);
	if (e < 0)
		return e;
	if (!d->nft.exists)
		return err_set(err, ENOENT, "no such table");
	d->nft = (struct nft_state){};
	return 0;
}

static int dummy_ct(struct kernel *k, const struct prefix *, size_t, struct err *)
{
	dummy_of(k)->conntrack_calls++;
	return 0;
}

static void dummy_close(struct kernel *k)
{
	struct kernel_dummy *d = dummy_of(k);
	link_set_clear(&d->links);
	ifaddr_set_clear(&d->addresses);
	route_set_clear(&d->routes);
	free(d->sysctls);
	free(d);
}

static const struct kernel_ops dummy_ops = {
	.links = dummy_links,
	.addresses = dummy_addresses,
	.netconfs = dummy_netconfs,
	.routes = dummy_routes,
	.route_ask = dummy_route_ask,
	.tx_dropped = dummy_tx_dropped,
	.sysctl_get = dummy_sysctl_get,
	.nft_read = dummy_nft_read,
	.nft_counters = dummy_nft_counters,
	.route_add = dummy_route_add,
	.route_del = dummy_route_del,
	.sysctl_set = dummy_sysctl_set,
	.nft_replace = dummy_nft_replace,
	.nft_remove = dummy_nft_remove,
	.ct_delete_unreplied = dummy_ct,
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

/* ---- text ---- */

static bool load_link(struct kernel_dummy *d, const char *rest)
{
	static const struct {
		const char *word;
		unsigned flags;
	} states[] = {{"up", IFF_UP | IFF_LOWER_UP}, {"no-carrier", IFF_UP}, {"down", 0}};
	int ifindex;
	unsigned mtu;
	char name[IFNAMSIZ], state[16];
	if (sscanf(rest, "%d %15s %15s mtu %u", &ifindex, name, state, &mtu) != 4)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!strcmp(states[i].word, state)) {
			dummy_link(d, ifindex, name, states[i].flags, mtu);
			return true;
		}
	return false;
}

static bool load_address(struct kernel_dummy *d, const char *rest)
{
	int ifindex;
	char text[PREFIX_STRLEN], ra[4] = "";
	struct prefix p;
	if (sscanf(rest, "%d %49s %3s", &ifindex, text, ra) < 2)
		return false;
	char *slash = strchr(text, '/');
	if (!slash || prefix_parse(text, &p) == -EINVAL)
		return false;
	*slash = '\0';
	struct ifaddr_entry a = {
		.ifindex = ifindex, .prefix_len = p.len, .from_ra = !strcmp(ra, "ra")};
	if (addr_parse(text, &a.address) < 0)
		return false;
	d->addresses.list = xreallocarray(
		d->addresses.list, d->addresses.n + 1, sizeof(*d->addresses.list));
	d->addresses.list[d->addresses.n++] = a;
	return true;
}

static bool load_sysctl(struct kernel_dummy *d, const char *rest)
{
	char key[SYSCTL_KEY_LEN];
	int value;
	if (sscanf(rest, "%95s %d", key, &value) != 2)
		return false;
	dummy_sysctl(d, key, value);
	return true;
}

static bool load_route(struct kernel_dummy *d, const char *rest)
{
	char text[PREFIX_STRLEN];
	unsigned protocol, metric;
	struct route r = {.table = MARK_RT_TABLE, .type = RTN_UNICAST, .scope = RT_SCOPE_LINK};
	if (sscanf(rest, "%49s dev %d proto %u metric %u", text, &r.oif, &protocol, &metric) != 4)
		return false;
	if (prefix_parse(text, &r.dst) < 0)
		return false;
	r.protocol = (uint8_t)protocol;
	r.metric = metric;
	put_route(d, &r);
	return true;
}

static bool load_nft(struct kernel_dummy *d, const char *)
{
	d->nft.exists = true;
	return true;
}

static bool load_line(struct kernel_dummy *d, const char *line)
{
	static const struct {
		const char *word;
		bool (*load)(struct kernel_dummy *d, const char *rest);
	} facts[] = {{"link", load_link}, {"address", load_address}, {"sysctl", load_sysctl},
		{"route", load_route}, {"nft", load_nft}};
	size_t n = strcspn(line, " ");
	if (!line[0] || line[0] == '#')
		return true;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strlen(facts[i].word) == n && !strncmp(line, facts[i].word, n))
			return facts[i].load(d, line + n);
	return false;
}

unsigned dummy_load(struct kernel_dummy *d, const char *text)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy;
	unsigned number = 0;
	for (char *line; (line = strsep(&rest, "\n"));) {
		number++;
		if (!load_line(d, line))
			return number;
	}
	return 0;
}
