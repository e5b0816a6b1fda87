/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_dummy_route: the dummy kernel's routes and rules, and what a lookup answers.
 */
#include "daemon/kernel_dummy.h"
#include "daemon/kernel_dummy_int.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int may_write_route(
	struct kernel *k, const char *verb, const struct route *r, struct err *err)
{
	char text[PREFIX_STRLEN];
	return dummy_may_write(k, verb, prefix_str(&r->dst, text), err);
}

static int compare_routes(const void *a, const void *b)
{
	return route_cmp(a, b);
}

int dummy_routes(struct kernel *k, const struct route_filter *filter,
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

int dummy_route_add(struct kernel *k, const struct route *r, struct err *err)
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
	if (r->dst.addr.family == AF_INET6 && dummy_value_of(d, AF_INET6, l->name, "disable_ipv6"))
		return err_set(err, EACCES, "IPv6 is disabled on the device");
	e = route_conflict(d, r);
	if (e)
		return err_set(err, e, "%s", strerror(e));
	dummy_route(d, r);
	return 0;
}

int dummy_route_del(struct kernel *k, const struct route *r, struct err *err)
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

int dummy_rules(struct kernel *k, uint8_t family, struct rule_set *out, struct err *err)
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
	int all = dummy_value_of(d, AF_INET, "all", "rp_filter");
	int own = dummy_value_of(d, AF_INET, in->name, "rp_filter");
	if (q->dst.family != AF_INET || (all > own ? all : own) != 1)
		return false;
	const struct route *back = lookup(d, &q->src);
	return !back || back->oif != in->ifindex;
}

int dummy_route_ask(
	struct kernel *k, const struct route_question *q, struct route_answer *answer, struct err *)
{
	struct kernel_dummy *d = dummy_of(k);
	const struct link *in = link_by_index(&d->links, q->iif);
	const struct route *best = lookup(d, &q->dst);
	*answer = (struct route_answer){};
	if (in && q->dst.family == AF_INET && !dummy_value_of(d, AF_INET, in->name, "forwarding"))
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
