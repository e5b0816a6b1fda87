/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/plan.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *op_kind_str(enum op_kind kind)
{
	static const char *const names[] = {[OP_NFT] = "nft",
		[OP_SYSCTL] = "sysctl",
		[OP_ROUTE] = "route",
		[OP_REMEDY] = "remedy",
		[OP_FRR] = "frr",
		[OP_PROOF] = "proof",
		[OP_WATCH] = "watch",
		[OP_BRIDGE] = "bridge",
		[OP_TUNNEL] = "tunnel"};
	return names[kind];
}

const char *op_action_str(enum op_action action)
{
	static const char *const names[] = {
		[OP_ADD] = "add", [OP_SET] = "set", [OP_DELETE] = "delete"};
	return names[action];
}

static struct op *push(struct ops *ops, enum op_kind kind, enum op_action action)
{
	XGROW(ops->list, ops->n, ops->cap);
	struct op *op = &ops->list[ops->n++];
	*op = (struct op){.kind = kind, .action = action};
	return op;
}

static void push_route(struct ops *ops, enum op_action action, const struct route *route,
	const struct observed *seen)
{
	struct op *op = push(ops, OP_ROUTE, action);
	const struct link *link = link_by_index(&seen->links, route->oif);
	op->route = *route;
	if (link)
		memcpy(op->interface, link->name, sizeof(op->interface));
}

/* Ours by protocol, but is it also the one that we would add? */
static bool wanted_route(const struct want *want, const struct route *r)
{
	for (size_t i = 0; i < want->routes.n; i++)
		if (observed_is_route(r, &want->routes.list[i]))
			return true;
	return false;
}

static void plan_route_adds(const struct want *want, const struct observed *seen, struct ops *ops)
{
	for (size_t i = 0; i < want->routes.n; i++) {
		const struct route *r = &want->routes.list[i];
		if (r->oif && !observed_has_route(seen, r))
			push_route(ops, OP_ADD, r, seen);
	}
}

static void plan_route_deletes(
	const struct want *want, const struct observed *seen, struct ops *ops)
{
	for (size_t i = 0; i < seen->ours.n; i++)
		if (!wanted_route(want, &seen->ours.list[i]))
			push_route(ops, OP_DELETE, &seen->ours.list[i], seen);
}

static bool wanted_sysctl(const struct want *want, const struct sysctl_record *record)
{
	for (size_t i = 0; i < want->n_sysctls; i++)
		if (want->sysctls[i].ifindex == record->ifindex &&
			!strcmp(want->sysctls[i].key, record->key))
			return true;
	return false;
}

static void push_sysctl(
	struct ops *ops, const char *key, int ifindex, int from, int to, bool restore)
{
	struct op *op = push(ops, OP_SYSCTL, OP_SET);
	op->sysctl = (struct op_sysctl){
		.ifindex = ifindex, .from = from, .to = to, .restore = restore};
	snprintf(op->sysctl.key, sizeof(op->sysctl.key), "%s", key);
}

static void plan_sysctl_sets(const struct want *want,
	int (*now_value)(void *arg, const char *key, int *value), void *arg, struct ops *ops)
{
	for (size_t i = 0; i < want->n_sysctls; i++) {
		const struct want_sysctl *w = &want->sysctls[i];
		int now;
		if (now_value(arg, w->key, &now) >= 0 && now != w->value)
			push_sysctl(ops, w->key, w->ifindex, now, w->value, false);
	}
}

/* In the reverse of the order in which we wrote them: forwarding before accept_ra. */
static void plan_sysctl_restores(const struct want *want, const struct observed *seen,
	const struct sysctl_records *records,
	int (*now_value)(void *arg, const char *key, int *value), void *arg, struct ops *ops)
{
	for (size_t i = records->n; i-- > 0;) {
		const struct sysctl_record *r = &records->list[i];
		int now;
		if (wanted_sysctl(want, r))
			continue;
		if (r->ifindex && !link_by_index(&seen->links, r->ifindex))
			continue;
		if (now_value(arg, r->key, &now) >= 0 && now == r->ours)
			push_sysctl(ops, r->key, r->ifindex, now, r->before, true);
	}
}

bool plan_record_spent(const struct want *want, const struct observed *seen,
	const struct sysctl_record *record,
	int (*now_value)(void *arg, const char *key, int *value), void *arg)
{
	int now;
	if (wanted_sysctl(want, record))
		return false;
	if (record->ifindex && !link_by_index(&seen->links, record->ifindex))
		return true;
	return now_value(arg, record->key, &now) >= 0 && now != record->ours;
}

static void push_remedy(
	struct ops *ops, enum op_action action, enum observed_family family, size_t n)
{
	struct op *op = push(ops, OP_REMEDY, action);
	op->remedy = (struct op_remedy){.remedy = REMEDY_TAILSCALE_INPUT, .family = family, .n = n};
}

static bool allows(const struct want *want, enum remedy remedy)
{
	return want->remedies & 1U << remedy;
}

static void plan_remedy_sets(const struct want *want, const struct observed *seen, struct ops *ops)
{
	for (enum observed_family f = 0; f < OBSERVED_FAMILIES; f++) {
		const struct nft_foreign *in = &seen->inputs[f];
		if (allows(want, REMEDY_TAILSCALE_INPUT) && in->n_dropped && !in->passed)
			push_remedy(ops, in->n_ours ? OP_SET : OP_ADD, f, in->n_dropped);
	}
}

static void plan_remedy_deletes(
	const struct want *want, const struct observed *seen, struct ops *ops)
{
	for (enum observed_family f = 0; f < OBSERVED_FAMILIES; f++) {
		const struct nft_foreign *in = &seen->inputs[f];
		bool needed = allows(want, REMEDY_TAILSCALE_INPUT) && in->n_dropped;
		if (in->n_ours && !needed)
			push_remedy(ops, OP_DELETE, f, in->n_ours);
	}
}

void plan_diff(const struct want *want, const struct observed *seen,
	const struct sysctl_records *records,
	int (*now_value)(void *arg, const char *key, int *value), void *arg, struct ops *ops)
{
	if (want->nft && !seen->nft_current)
		push(ops, OP_NFT, seen->nft.exists ? OP_SET : OP_ADD);
	plan_remedy_deletes(want, seen, ops);
	plan_sysctl_sets(want, now_value, arg, ops);
	plan_route_adds(want, seen, ops);
	plan_route_deletes(want, seen, ops);
	plan_remedy_sets(want, seen, ops);
	plan_sysctl_restores(want, seen, records, now_value, arg, ops);
	if (!want->nft && seen->nft.exists)
		push(ops, OP_NFT, OP_DELETE);
}

/* Why a table is written although nothing changes for those who use the gateway. */
static const char *rewrite_reason(
	const struct op *op, const struct nft_state *seen, uint64_t written)
{
	if (op->action == OP_ADD)
		return "missing";
	if (!written)
		return "taken over";
	return seen->digest == written ? "written in another form" : "changed by others";
}

static void explain(struct op *op, size_t n_changes, const struct config *from,
	const struct config *to, const char *reason)
{
	char old[CONFIG_SUMMARY_LEN], new[CONFIG_SUMMARY_LEN];
	config_summary(to, new);
	if (!from)
		reason = op->action == OP_SET ? "in place of what is there" : "";
	else if (n_changes)
		reason = "";
	if (from && strcmp(config_summary(from, old), new) != 0)
		snprintf(op->table, sizeof(op->table), "%s -> %s", old, new);
	else
		snprintf(op->table, sizeof(op->table), "%s%s%s%s", new, *reason ? " (" : "", reason,
			*reason ? ")" : "");
}

static struct op *find_kind(struct ops *ops, enum op_kind kind)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->list[i].kind == kind)
			return &ops->list[i];
	return nullptr;
}

/* What changes without another table; the last of them is what the rest is shown with. */
static enum op_kind kind_of(const struct config_changes *c)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < c->n; i++)
		kinds |= 1U << c->list[i].kind;
	if (kinds & 1U << CHANGE_TUNNEL)
		return OP_TUNNEL;
	if (kinds & 1U << CHANGE_BRIDGE)
		return OP_BRIDGE;
	return kinds == 1U << CHANGE_WATCH ? OP_WATCH : OP_PROOF;
}

/* What changes without another table is how proof is looked for, whether flows are watched, and
 * what the HTTP bridge does.
 * A table that goes takes no right away: what it refused is no longer refused. So its statements
 * are not shown as removed. */
void plan_explain(struct ops *ops, const struct config *from, const struct config *to,
	const struct nft_state *seen, uint64_t written)
{
	struct op *table = find_kind(ops, OP_NFT);
	if (to)
		config_diff(from, to, &ops->changes);
	if (table && to)
		explain(table, ops->changes.n, from, to, rewrite_reason(table, seen, written));
	else if (table && from)
		config_summary(from, table->table);
	else if (ops->changes.n)
		push(ops, kind_of(&ops->changes), OP_SET);
}

void ops_append(struct ops *to, const struct ops *from)
{
	for (size_t i = 0; i < from->n; i++) {
		XGROW(to->list, to->n, to->cap);
		to->list[to->n++] = from->list[i];
	}
}

void ops_clear(struct ops *ops)
{
	free(ops->list);
	config_changes_clear(&ops->changes);
	*ops = (struct ops){};
}

static const char *sysctl_dotted(const char *key, char *buf, size_t size)
{
	/* sysctl(8) wants slashes where an interface name holds dots; shown as sysctl shows it. */
	size_t n = 0;
	n += (size_t)snprintf(buf, size, "net.");
	for (const char *p = key; *p && n + 1 < size; p++)
		buf[n++] = (char)(*p == '/' ? '.' : (*p == '.' ? '/' : *p));
	buf[n] = '\0';
	return buf;
}

const char *op_name(const struct op *op, char *buf)
{
	char text[OP_NAME_LEN];
	switch (op->kind) {
	case OP_NFT:
		snprintf(buf, OP_NAME_LEN, "nft table inet %s", MARK_NFT_TABLE);
		break;
	case OP_SYSCTL:
		snprintf(buf, OP_NAME_LEN, "sysctl %.100s",
			sysctl_dotted(op->sysctl.key, text, sizeof(text)));
		break;
	case OP_ROUTE:
		snprintf(buf, OP_NAME_LEN, "route %s", prefix_str(&op->route.dst, text));
		break;
	case OP_REMEDY:
		snprintf(buf, OP_NAME_LEN, "remedy %s %s", remedy_str(op->remedy.remedy),
			op->remedy.family == OBSERVED_IPV4 ? "ip" : "ip6");
		break;
	case OP_FRR:
		snprintf(buf, OP_NAME_LEN, "frr %.100s", op->frr.line);
		break;
	case OP_PROOF:
		snprintf(buf, OP_NAME_LEN, "proof of return paths");
		break;
	case OP_WATCH:
		snprintf(buf, OP_NAME_LEN, "watching of flows");
		break;
	case OP_BRIDGE:
		snprintf(buf, OP_NAME_LEN, "HTTP bridge");
		break;
	case OP_TUNNEL:
		snprintf(buf, OP_NAME_LEN, "tunnel");
		break;
	}
	return buf;
}

const char *op_detail(const struct op *op, char *buf)
{
	switch (op->kind) {
	case OP_NFT:
		memcpy(buf, op->table, sizeof(op->table));
		break;
	case OP_SYSCTL:
		snprintf(buf, OP_NAME_LEN, "%d -> %d%s", op->sysctl.from, op->sysctl.to,
			op->sysctl.restore ? " (as before meshgw)" : "");
		break;
	case OP_ROUTE:
		snprintf(buf, OP_NAME_LEN, "dev %s metric %u proto %u", op->interface,
			op->route.metric, op->route.protocol);
		break;
	case OP_REMEDY:
		snprintf(buf, OP_NAME_LEN, "%zu %s%s%s chain " NFT_FOREIGN_CHAIN, op->remedy.n,
			op->action == OP_DELETE ? "rule" : "range", op->remedy.n == 1 ? "" : "s",
			op->action == OP_DELETE ? " out of" : " accepted in");
		break;
	case OP_FRR:
		memcpy(buf, op->frr.block, sizeof(op->frr.block));
		break;
	case OP_PROOF:
		snprintf(buf, OP_NAME_LEN, "witnesses and rounds");
		break;
	case OP_WATCH:
		snprintf(buf, OP_NAME_LEN, "those that fail");
		break;
	case OP_BRIDGE:
		snprintf(buf, OP_NAME_LEN, "listeners and routes");
		break;
	case OP_TUNNEL:
		snprintf(buf, OP_NAME_LEN, "its ends and who they are");
		break;
	}
	return buf;
}
