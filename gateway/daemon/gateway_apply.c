/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_apply: the step of a pass that writes, one object at a time, and keeps each one's record.
 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

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

int gateway_save_records(struct gateway *g, struct err *err)
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
		if (gateway_save_records(g, err) < 0) {
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
		(void)gateway_save_records(g, nullptr);
	}
	return 0;
}

int gateway_read_back(struct gateway *g, struct err *err)
{
	struct nft_state expect = {};
	nft_expect(g->model, &expect);
	int r = gateway_read_nft(g, err);
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
	struct ct_scope scope = {.ranges = g->model->ranges, .n_ranges = g->model->n_ranges};
	int n = g->kernel->ops->ct_delete(g->kernel, &scope, CT_UNREPLIED, &err);
	if (n < 0)
		log_warn("gateway", "conntrack: %s", err.msg);
	else if (n > 0)
		log_info("gateway", "conntrack entries without a reply deleted: %d", n);
}

static int apply_nft(struct gateway *g, const struct op *op, struct err *err)
{
	struct kernel *k = g->kernel;
	g->nft_writes++;
	g->nft_tables++;
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
		r = gateway_read_back(g, err);
	if (r >= 0)
		heal_conntrack(g);
	return r;
}

static int apply_remedy(struct gateway *g, const struct op *op, struct err *err)
{
	struct nft_mesh mesh = gateway_mesh(g);
	enum observed_family f = op->remedy.family;
	bool pass = op->action != OP_DELETE;
	g->nft_writes++;
	int r = g->kernel->ops->foreign_write(g->kernel, observed_families[f], &mesh, pass, err);
	if (r >= 0)
		r = gateway_read_inputs(g, err);
	const struct nft_foreign *in = &g->seen.inputs[f];
	if (r < 0 || (pass ? in->passed : !in->n_ours))
		return r;
	err_set(err, EIO, "the filter read back is not what was written");
	return DOUBTFUL;
}

static int (*const apply_kind[])(struct gateway *g, const struct op *op, struct err *err) = {
	[OP_NFT] = apply_nft,
	[OP_SYSCTL] = apply_sysctl,
	[OP_ROUTE] = apply_route,
	[OP_REMEDY] = apply_remedy};

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

void gateway_verify_at(struct gateway *g, uint64_t at_us)
{
	if (!g->verify_us || at_us < g->verify_us)
		g->verify_us = at_us;
}

/* What must be looked at again when an object's write is doubtful. */
static const unsigned doubtful_marks[] = {
	[OP_NFT] = DIRTY_NFT, [OP_ROUTE] = DIRTY_ROUTES, [OP_REMEDY] = DIRTY_INPUT};

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
		gateway_mark(g, doubtful_marks[op->kind]);
		return r;
	}
	if (r == DOUBTFUL)
		r = -err.code;
	if (r < 0) {
		track_failure(t, -r, err.msg[0] ? err.msg : strerror(-r), now_us);
		if (r == -EEXIST || r == -ESRCH)
			gateway_verify_at(g, t->retry_us);
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

struct gateway_applied gateway_apply(struct gateway *g, const struct ops *ops, uint64_t now_us)
{
	struct gateway_applied done = {};
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
