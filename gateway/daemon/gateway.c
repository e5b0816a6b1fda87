/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pass that changed something looks again; more rounds than this mean a mistake of ours. */
constexpr unsigned MAX_ROUNDS = 4;

const char *gateway_phase_str(enum gateway_phase phase)
{
	static const char *const names[] = {[GATEWAY_UNCONFIGURED] = "unconfigured",
		[GATEWAY_UP] = "up",
		[GATEWAY_DOWN] = "down"};
	return names[phase];
}

void gateway_init(struct gateway *g, struct kernel *kernel, gateway_save save, void *arg)
{
	*g = (struct gateway){.kernel = kernel,
		.save = save,
		.save_arg = arg,
		.dirty = DIRTY_ALL,
		.ip_forward = true};
}

void gateway_clear(struct gateway *g)
{
	want_model_free(g->model);
	want_clear(&g->want);
	observed_clear(&g->seen);
	tracks_clear(&g->tracks);
	check_clear(&g->checks);
	free(g->records.list);
	*g = (struct gateway){};
}

void gateway_enter(struct gateway *g, enum gateway_phase phase, const struct config *config)
{
	if (!config || !g->config || !config_equal(config, g->config))
		g->nft_digest = 0; /* of another model */
	want_model_free(g->model);
	g->phase = phase;
	g->config = config;
	g->model = config ? want_model(config) : nullptr;
	g->seen.nft_current = false;
	g->dirty = DIRTY_ALL;
	tracks_clear(&g->tracks);
	check_clear(&g->checks);
}

void gateway_mark(struct gateway *g, unsigned dirty)
{
	g->dirty |= dirty;
}

/* ---- observing ---- */

static bool keep_foreign(const struct route *r, void *arg)
{
	return r->protocol != MARK_RTPROT && gateway_in_ranges(arg, &r->dst);
}

static int observe_routes(struct kernel *k, uint8_t protocol, const struct config *config,
	struct route_set *set, struct err *err)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct route_set all = {};
	for (size_t f = 0; f < 2; f++) {
		struct route_set found = {};
		struct route_filter filter = {
			.family = families[f], .table = MARK_RT_TABLE, .protocol = protocol};
		int r = k->ops->routes(k, &filter, protocol ? nullptr : keep_foreign,
			(void *)(uintptr_t)config, &found, err);
		if (r < 0) {
			route_set_clear(&all);
			return err_ctx(err, "routes");
		}
		for (size_t i = 0; i < found.n; i++)
			route_set_add(&all, &found.list[i]);
		route_set_clear(&found);
	}
	route_set_clear(set);
	*set = all;
	return 0;
}

static int observe_ours(struct gateway *g, struct err *err)
{
	g->route_dumps++;
	return observe_routes(g->kernel, MARK_RTPROT, nullptr, &g->seen.ours, err);
}

static int observe_foreign(struct gateway *g, struct err *err)
{
	if (!g->config) {
		route_set_clear(&g->seen.foreign);
		return 0;
	}
	int r = observe_routes(g->kernel, 0, g->config, &g->seen.foreign, err);
	if (r >= 0 && g->seen.foreign.n > FOREIGN_MAX)
		g->seen.foreign.n = FOREIGN_MAX;
	return r;
}

/* An address made by a router advertisement shows where they are in use. */
static void observe_ras(struct kernel *k, struct observed *seen)
{
	seen->n_ras = 0;
	seen->ras = xreallocarray(seen->ras, seen->links.n + 1, sizeof(*seen->ras));
	for (size_t i = 0; i < seen->addresses.n; i++) {
		const struct ifaddr_entry *a = &seen->addresses.list[i];
		const struct link *l = link_by_index(&seen->links, a->ifindex);
		bool known = false;
		for (size_t j = 0; j < seen->n_ras; j++)
			known |= seen->ras[j].ifindex == a->ifindex;
		if (!a->from_ra || !l || known)
			continue;
		char key[SYSCTL_KEY_LEN];
		int value;
		snprintf(key, sizeof(key), "ipv6/conf/%s/accept_ra", l->name);
		if (k->ops->sysctl_get(k, key, &value) >= 0 && value != 0)
			seen->ras[seen->n_ras++] = (struct observed_ra){
				.ifindex = l->ifindex, .accept_ra = value};
	}
}

static int observe_netconfs(struct kernel *k, struct observed *seen, struct err *err)
{
	struct netconf_set four = {}, six = {};
	int r = k->ops->netconfs(k, AF_INET, &four, err);
	if (r >= 0)
		r = k->ops->netconfs(k, AF_INET6, &six, err);
	if (r < 0) {
		netconf_set_clear(&four);
		return err_ctx(err, "netconf");
	}
	four.list = xreallocarray(four.list, four.n + six.n + 1, sizeof(*four.list));
	if (six.n)
		memcpy(four.list + four.n, six.list, six.n * sizeof(*six.list));
	four.n += six.n;
	netconf_set_clear(&six);
	netconf_set_clear(&seen->netconfs);
	seen->netconfs = four;
	return 0;
}

static int observe_links(struct kernel *k, struct observed *seen, struct err *err)
{
	int r = k->ops->links(k, &seen->links, err);
	if (r < 0)
		return err_ctx(err, "links");
	r = k->ops->addresses(k, &seen->addresses, err);
	if (r < 0)
		return err_ctx(err, "addresses");
	r = observe_netconfs(k, seen, err);
	if (r >= 0)
		observe_ras(k, seen);
	return r;
}

static int read_nft(struct gateway *g, struct err *err)
{
	int r = g->kernel->ops->nft_read(g->kernel, &g->seen.nft, err);
	if (r < 0)
		return err_ctx(err, "nft");
	g->seen.nft_current = g->nft_digest && g->seen.nft.exists &&
			      g->seen.nft.digest == g->nft_digest;
	return 0;
}

/* A kernel without nftables must not keep the routes from being looked after: the write will tell
 * what is missing. Removing needs to know. */
static int observe_nft(struct gateway *g, struct err *err)
{
	int r = read_nft(g, err);
	if (r >= 0 || r == -EAGAIN || r == -EINTR || r == -ENOBUFS || g->phase != GATEWAY_UP)
		return r;
	g->seen.nft = (struct nft_state){};
	g->seen.nft_current = false;
	return 0;
}

static int tunnel_index(const struct gateway *g)
{
	const struct link *l = g->config ? link_by_name(&g->seen.links, g->config->mesh_interface)
					 : nullptr;
	return l ? l->ifindex : 0;
}

static int observe(struct gateway *g, struct err *err)
{
	int r = 0, tunnel = tunnel_index(g);
	if (g->dirty & DIRTY_LINKS)
		r = observe_links(g->kernel, &g->seen, err);
	/* A tunnel that got another name keeps its routes, and events may have forgotten them. */
	if (tunnel != tunnel_index(g) && link_by_index(&g->seen.links, tunnel))
		gateway_mark(g, DIRTY_ROUTES);
	if (r >= 0 && g->dirty & DIRTY_ROUTES)
		r = observe_ours(g, err);
	if (r >= 0 && g->dirty & DIRTY_FOREIGN)
		r = observe_foreign(g, err);
	if (r >= 0 && g->dirty & DIRTY_NFT)
		r = observe_nft(g, err);
	return r;
}

/* Reads what is marked, and takes the marks away. Asked again at growing intervals, it complains
 * once. */
static int look(struct gateway *g)
{
	struct err err = {};
	int r = observe(g, &err);
	if (r < 0) {
		if (!g->observe_failures++)
			log_warn("gateway", "cannot observe: %s", err.msg);
		g->observe_error = -r;
		return r;
	}
	g->observe_error = 0;
	g->observe_failures = 0;
	g->dirty = 0;
	return 0;
}

/* ---- applying ---- */

/* What apply_kind[] answers beside -errno. */
enum {
	APPLIED,
	ALREADY_SO, /* nothing had to be written */
	DOUBTFUL,   /* refused in words that another look may explain (err) */
};

/* EEXIST to an addition and ESRCH to a deletion are success if a dump agrees. Adding is also the
 * question whether a route is still there: when nothing was dumped in this pass, the answer is
 * believed for a second. */
static int believe(struct gateway *g, int r, struct err *err)
{
	if (g->route_dumps == 0) {
		g->doubt = true;
		return ALREADY_SO;
	}
	err_set(err, -r, "%s, which the kernel's own list denies", strerror(-r));
	return DOUBTFUL;
}

static int apply_route(struct gateway *g, const struct op *op, struct err *err)
{
	struct kernel *k = g->kernel;
	if (op->action == OP_DELETE) {
		int r = k->ops->route_del(k, &op->route, err);
		return r == -ESRCH ? believe(g, r, err) : r;
	}
	int r = k->ops->route_add(k, &op->route, err);
	if (r == -EEXIST)
		return believe(g, r, err);
	/* Somebody's own route for the prefix leads into the tunnel as well. */
	return r == -ENOTUNIQ ? ALREADY_SO : r;
}

static bool exactly(const struct route *r, const void *arg)
{
	return !route_cmp(r, arg);
}

static void remember_route(struct gateway *g, const struct op *op)
{
	route_set_forget(&g->seen.ours, exactly, &op->route);
	if (op->action != OP_DELETE)
		route_set_add(&g->seen.ours, &op->route);
}

static int save_records(struct gateway *g, struct err *err)
{
	int r = g->save ? g->save(g->save_arg, &g->records, err) : 0;
	g->save_error = r < 0 ? -r : 0;
	return r;
}

static struct sysctl_record *record_of(struct gateway *g, const struct op_sysctl *s)
{
	for (size_t i = 0; i < g->records.n; i++)
		if (g->records.list[i].ifindex == s->ifindex &&
			!strcmp(g->records.list[i].key, s->key))
			return &g->records.list[i];
	return nullptr;
}

static void forget_record(struct gateway *g, const struct op_sysctl *s)
{
	struct sysctl_record *r = record_of(g, s);
	if (r)
		*r = g->records.list[--g->records.n];
}

/* What was there must be on disk before it is overwritten: after a crash nobody else knows. */
static int apply_sysctl(struct gateway *g, const struct op *op, struct err *err)
{
	const struct op_sysctl *s = &op->sysctl;
	if (!s->restore && !record_of(g, s)) {
		XGROW(g->records.list, g->records.n, g->records.cap);
		struct sysctl_record *new = &g->records.list[g->records.n++];
		*new = (struct sysctl_record){
			.ifindex = s->ifindex, .before = s->from, .ours = s->to};
		memcpy(new->key, s->key, sizeof(new->key));
		if (save_records(g, err) < 0) {
			int r = err_ctx(err, "the old value cannot be remembered");
			forget_record(g, s);
			return r;
		}
	}
	int r = g->kernel->ops->sysctl_set(g->kernel, s->key, s->to);
	if (r < 0)
		return err_set(err, -r, "%s", strerror(-r));
	if (s->restore) {
		forget_record(g, s);
		(void)save_records(g, nullptr);
	}
	return 0;
}

static int read_back(struct gateway *g, struct err *err)
{
	struct nft_state expect = {};
	nft_expect(g->model, &expect);
	int r = read_nft(g, err);
	if (r < 0)
		return r;
	const struct nft_state *have = &g->seen.nft;
	if (!have->exists || have->n_chains != expect.n_chains || have->n_rules != expect.n_rules ||
		have->n_sets != expect.n_sets || have->n_elements != expect.n_elements)
		return err_set(err, EIO,
			"the table read back is not what was written: %u chains, %u rules, "
			"%u sets, %u elements, not %u, %u, %u, %u",
			have->n_chains, have->n_rules, have->n_sets, have->n_elements,
			expect.n_chains, expect.n_rules, expect.n_sets, expect.n_elements);
	g->nft_digest = have->digest;
	g->seen.nft_current = true;
	return 0;
}

/* Entries made before the switch keep their mapping, and each repeated SYN refreshes them. */
static void heal_conntrack(struct gateway *g)
{
	struct err err = {};
	int n = g->kernel->ops->ct_delete_unreplied(
		g->kernel, g->model->ranges, g->model->n_ranges, &err);
	if (n < 0)
		log_warn("gateway", "conntrack: %s", err.msg);
	else if (n > 0)
		log_info("gateway", "conntrack entries without a reply deleted: %d", n);
}

static int apply_nft(struct gateway *g, const struct op *op, struct err *err)
{
	struct kernel *k = g->kernel;
	if (op->action == OP_DELETE) {
		int r = k->ops->nft_remove(k, err);
		g->nft_digest = 0;
		if (r >= 0)
			g->seen.nft = (struct nft_state){};
		return r == -ENOENT ? DOUBTFUL : r;
	}
	struct nft_counters start = {};
	if (g->seen.nft.exists && k->ops->nft_counters(k, &start, nullptr) < 0)
		start = (struct nft_counters){};
	int r = k->ops->nft_replace(k, g->model, &start, err);
	if (r >= 0)
		r = read_back(g, err);
	if (r >= 0)
		heal_conntrack(g);
	return r;
}

static int (*const apply_kind[])(struct gateway *g, const struct op *op, struct err *err) = {
	[OP_NFT] = apply_nft, [OP_SYSCTL] = apply_sysctl, [OP_ROUTE] = apply_route};

/* 0 = of none. */
static int op_ifindex(const struct op *op)
{
	return op->kind == OP_SYSCTL ? op->sysctl.ifindex : op->route.oif;
}

/* The object was there, on the same interface, and is not any more. */
static bool is_repair(const struct track *t, const struct op *op)
{
	return t->installed && op->action != OP_DELETE && t->ifindex == op_ifindex(op);
}

static void log_op(const struct op *op, const struct track *t, bool repaired, const char *failure)
{
	char name[OP_NAME_LEN], detail[OP_NAME_LEN];
	op_name(op, name);
	op_detail(op, detail);
	if (!failure)
		log_info("gateway", "%s %s %s%s", op_action_str(op->action), name, detail,
			repaired ? " (repaired)" : "");
	else if (t->failures == 1)
		log_warn("gateway", "%s %s failed: %s", op_action_str(op->action), name, failure);
}

static void verify_at(struct gateway *g, uint64_t at_us)
{
	if (!g->verify_us || at_us < g->verify_us)
		g->verify_us = at_us;
}

static int apply_op(struct gateway *g, const struct op *op, uint64_t now_us)
{
	char name[OP_NAME_LEN];
	struct track *t = track_get(&g->tracks, op_name(op, name));
	t->kind = op->kind;
	t->planned = true;
	if (!track_due(t, now_us))
		return -EAGAIN;
	struct err err = {};
	int r = apply_kind[op->kind](g, op, &err);
	if (r == DOUBTFUL && !t->error && t->doubted != g->passes) {
		t->doubted = g->passes;
		gateway_mark(g, op->kind == OP_NFT ? DIRTY_NFT : DIRTY_ROUTES);
		return r;
	}
	if (r == DOUBTFUL)
		r = -err.code;
	if (r < 0) {
		track_failure(t, -r, err.msg[0] ? err.msg : strerror(-r), now_us);
		if (r == -EEXIST || r == -ESRCH)
			verify_at(g, t->retry_us);
		log_op(op, t, false, t->reason);
		return r;
	}
	bool repair = r == APPLIED && is_repair(t, op);
	if (op->kind == OP_ROUTE)
		remember_route(g, op);
	t->ifindex = op_ifindex(op);
	track_success(t, repair, now_us);
	t->installed = op->action != OP_DELETE;
	g->repairs += repair;
	if (r == APPLIED && !t->contested)
		log_op(op, t, repair, nullptr);
	return r;
}

struct applied {
	unsigned kinds; /* bit per enum op_kind that changed something */
	uint64_t next;  /* when the first of the rest is due again, 0 = nothing waits */
};

static struct applied apply_ops(struct gateway *g, const struct ops *ops, uint64_t now_us)
{
	struct applied done = {};
	for (size_t i = 0; i < g->tracks.n; i++)
		g->tracks.list[i].planned = false;
	for (size_t i = 0; i < ops->n; i++) {
		char name[OP_NAME_LEN];
		int r = apply_op(g, &ops->list[i], now_us);
		if (r == APPLIED)
			done.kinds |= 1U << ops->list[i].kind;
		if (r >= 0)
			continue;
		uint64_t retry = track_find(&g->tracks, op_name(&ops->list[i], name))->retry_us;
		if (!done.next || retry < done.next)
			done.next = retry;
	}
	return done;
}

/* ---- the pass ---- */

static int now_value(void *arg, const char *key, int *value)
{
	struct kernel *k = arg;
	return k->ops->sysctl_get(k, key, value);
}

static bool still_ours(const struct gateway *g, const struct sysctl_record *r)
{
	int now;
	return now_value(g->kernel, r->key, &now) >= 0 && now == r->ours;
}

/* Interfaces whose rp_filter must be loose: where a check has just shown it, and where it is so
 * because of us (the check then finds nothing any more). */
static struct want_loose loose_interfaces(const struct gateway *g)
{
	int *list = xcalloc(g->checks.n_strict + g->records.n + 1, sizeof(*list));
	struct want_loose loose = {.ifindex = list};
	for (size_t i = 0; i < g->checks.n_strict; i++)
		list[loose.n++] = g->checks.strict[i];
	for (size_t i = 0; i < g->records.n; i++) {
		const struct sysctl_record *r = &g->records.list[i];
		bool known = false;
		for (size_t j = 0; j < loose.n; j++)
			known |= list[j] == r->ifindex;
		if (!known && strstr(r->key, "/rp_filter") && still_ours(g, r))
			list[loose.n++] = r->ifindex;
	}
	return loose;
}

static void make_plan(struct gateway *g, struct ops *ops)
{
	struct want_loose loose = loose_interfaces(g);
	want_compute(g->config, &g->seen, loose, &g->want);
	free((void *)(uintptr_t)loose.ifindex);
	plan_diff(&g->want, &g->seen, &g->records, now_value, g->kernel, ops);
}

/* Who raises net.ipv4.ip_forward writes 1 into every interface's key as well
 * (net/ipv4/devinet.c, inet_forward_change): what was there before us must not come back. */
static bool ip_forward_raised(struct gateway *g)
{
	const struct netconf *all = netconf_find(&g->seen.netconfs, AF_INET, NETCONFA_IFINDEX_ALL);
	bool before = g->ip_forward;
	g->ip_forward = !all || all->forwarding;
	return g->ip_forward && !before;
}

static bool is_forwarding4(const struct sysctl_record *r)
{
	return strncmp(r->key, "ipv4/", 5) == 0 && strstr(r->key, "/forwarding");
}

/* Forgets what can never be put back, so that the next change remembers anew what was there. */
static void drop_spent_records(struct gateway *g)
{
	size_t kept = 0, before = g->records.n;
	bool raised = ip_forward_raised(g);
	for (size_t i = 0; i < before; i++) {
		const struct sysctl_record *r = &g->records.list[i];
		if (!(raised && is_forwarding4(r)) &&
			!plan_record_spent(&g->want, &g->seen, r, now_value, g->kernel))
			g->records.list[kept++] = *r;
	}
	g->records.n = kept;
	if (kept < before)
		(void)save_records(g, nullptr);
}

static void soonest(uint64_t *next, uint64_t at_us)
{
	if (!*next || at_us < *next)
		*next = at_us;
}

static void settle(struct gateway *g, uint64_t now_us, uint64_t *next)
{
	for (size_t i = 0; i < g->tracks.n; i++) {
		struct track *t = &g->tracks.list[i];
		if (!t->planned)
			track_forgive(t);
		track_settle(t, now_us);
		if (t->contested)
			soonest(next, now_us + TRACK_FIGHT_US);
	}
	if (g->doubt)
		verify_at(g, now_us + GATEWAY_VERIFY_US);
	g->doubt = false;
	if (g->verify_us)
		soonest(next, g->verify_us);
}

static void begin_pass(struct gateway *g, uint64_t now_us)
{
	g->passes++;
	g->route_dumps = 0;
	if (!g->verify_us || now_us < g->verify_us)
		return;
	g->verify_us = 0;
	gateway_mark(g, DIRTY_ROUTES);
}

/* What must be read again after such changes. */
static void mark_changed(struct gateway *g, unsigned kinds)
{
	if (kinds & 1U << OP_SYSCTL)
		gateway_mark(g, DIRTY_LINKS);
	if (kinds && g->phase == GATEWAY_DOWN)
		gateway_mark(g, DIRTY_ROUTES | DIRTY_NFT);
}

uint64_t gateway_pass(struct gateway *g, uint64_t now_us)
{
	uint64_t next = 0;
	begin_pass(g, now_us);
	for (unsigned round = 0; round < MAX_ROUNDS; round++) {
		struct ops ops = {};
		bool check = g->dirty & (DIRTY_CHECK | DIRTY_LINKS | DIRTY_ROUTES | DIRTY_FOREIGN);
		if (look(g) < 0) /* the marks stay */
			return now_us + track_pause_us(g->observe_failures);
		if (g->phase == GATEWAY_UNCONFIGURED)
			return 0;
		make_plan(g, &ops);
		drop_spent_records(g);
		struct applied done = apply_ops(g, &ops, now_us);
		ops_clear(&ops);
		next = done.next;
		mark_changed(g, done.kinds);
		if (g->config && (done.kinds || check))
			check_run(g->kernel, g->config, &g->seen, &g->checks);
		if (!done.kinds && !g->dirty && !g->checks.n_strict)
			break;
	}
	if (g->dirty)
		soonest(&next, now_us + TRACK_RETRY_US);
	settle(g, now_us, &next);
	return next;
}

static bool adds_route(const struct ops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->list[i].kind == OP_ROUTE && ops->list[i].action == OP_ADD)
			return true;
	return false;
}

/* A return route that is still missing makes rp_filter drop what it will not drop later. */
static void plan_loose(struct gateway *g, struct ops *ops)
{
	if (!g->config || adds_route(ops))
		return;
	check_run(g->kernel, g->config, &g->seen, &g->checks);
	ops_clear(ops);
	make_plan(g, ops);
}

int gateway_plan(struct kernel *k, enum gateway_phase phase, const struct config *config,
	const struct gateway *current, struct ops *ops, struct err *err)
{
	struct gateway g;
	gateway_init(&g, k, nullptr, nullptr);
	gateway_enter(&g, phase, config);
	if (current && config && current->config && config_equal(current->config, config))
		g.nft_digest = current->nft_digest;
	for (size_t i = 0; current && i < current->records.n; i++) {
		XGROW(g.records.list, g.records.n, g.records.cap);
		g.records.list[g.records.n++] = current->records.list[i];
	}
	int r = observe(&g, err);
	if (r >= 0 && phase != GATEWAY_UNCONFIGURED) {
		make_plan(&g, ops);
		plan_loose(&g, ops);
	}
	gateway_clear(&g);
	return r < 0 ? r : 0;
}

static bool waits(const struct gateway *g, const struct track *t)
{
	return g->phase == GATEWAY_UP && t->kind == OP_ROUTE &&
	       (t->error == ENODEV || t->error == ENETDOWN);
}

const struct track *gateway_failure(const struct gateway *g)
{
	for (size_t i = 0; i < g->tracks.n; i++)
		if (g->tracks.list[i].error && !waits(g, &g->tracks.list[i]))
			return &g->tracks.list[i];
	return nullptr;
}
