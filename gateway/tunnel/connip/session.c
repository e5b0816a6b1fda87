/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/session.h"
#include "connip/session_int.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A peer that has nothing to say says it with few capsules; bursts are lists at the beginning. */
static const struct bucket control_budget = {.rate = 16, .burst = 128};
static const struct bucket unknown_budget = {.rate = 256, .burst = 4096};
/* RFC 4443 2.4 (f) */
static const struct bucket icmp_budget = {.rate = 100, .burst = 50};
/* RFC 7600: for those who have no IPv4 address and must say something. */
static const struct addr dummy4 = {.family = AF_INET, .b = {192, 0, 0, 8}};

void address_list_add(struct address_list *l, const struct connip_address *a)
{
	XGROW(l->list, l->n, l->cap);
	l->list[l->n++] = *a;
}

void range_list_add(struct range_list *l, const struct connip_range *r)
{
	XGROW(l->list, l->n, l->cap);
	l->list[l->n++] = *r;
}

static void add_prefixes(struct range_list *l, const struct connip_prefixes *p, uint8_t proto)
{
	for (size_t i = 0; i < p->n; i++) {
		struct connip_range r = range_of_prefix(&p->list[i], proto);
		range_list_add(l, &r);
	}
}

static void add_addresses(struct range_list *l, const struct address_list *a, uint8_t proto)
{
	for (size_t i = 0; i < a->n; i++) {
		struct connip_range r = range_of_prefix(&a->list[i].prefix, proto);
		range_list_add(l, &r);
	}
}

static void add_ranges(struct range_list *l, const struct range_list *more)
{
	for (size_t i = 0; i < more->n; i++)
		range_list_add(l, &more->list[i]);
}

static struct connip_prefixes copy_prefixes(const struct connip_prefixes *p)
{
	struct prefix *list = xcalloc(p->n, sizeof(*list));

	if (p->n)
		memcpy(list, p->list, p->n * sizeof(*list));
	return (struct connip_prefixes){list, p->n};
}

static void free_prefixes(struct connip_prefixes *p)
{
	free((void *)(uintptr_t)p->list);
}

static void set_accept(struct connip_session *s, const struct connip_prefixes *routes)
{
	s->accept.n = 0;
	add_prefixes(&s->accept, routes, 0);
	s->accept.n = range_list_normalize(s->accept.list, s->accept.n);
}

/* What the session needs of the policy later; the lists that were only read once are not kept. */
static void take_policy(struct connip_session *s, const struct connip_policy *policy)
{
	s->policy = *policy;
	s->policy.accept_addresses = copy_prefixes(&policy->accept_addresses);
	s->policy.addresses = copy_prefixes(&policy->addresses);
	s->policy.routes = copy_prefixes(&policy->routes);
	s->policy.accept_routes = s->policy.targets = (struct connip_prefixes){};
	set_accept(s, &policy->accept_routes);
	add_prefixes(&s->targets, &policy->targets, 0);
	s->targets.n = range_list_normalize(s->targets.list, s->targets.n);
	if (!s->policy.max_addresses)
		s->policy.max_addresses = CONNIP_ADDRESSES_DEFAULT;
	if (!s->policy.max_routes)
		s->policy.max_routes = CONNIP_ROUTES_DEFAULT;
	if (!s->policy.datagram_max)
		s->policy.datagram_max = CONNIP_DATAGRAM_DEFAULT;
}

struct connip_session *connip_session_new(enum connip_role role, const struct connip_policy *policy,
	const struct connip_events *events, void *user)
{
	struct connip_session *s = xcalloc(1, sizeof(*s));

	s->role = role;
	s->events = events;
	s->user = user;
	s->next_request = 1;
	s->control = control_budget;
	s->unknown = unknown_budget;
	s->icmp = icmp_budget;
	s->probe.due_ns = s->expected_due_ns = UINT64_MAX;
	take_policy(s, policy);
	session_rebuild(s);
	return s;
}

void connip_session_free(struct connip_session *s)
{
	if (!s)
		return;
	free_prefixes(&s->policy.accept_addresses);
	free_prefixes(&s->policy.addresses);
	free_prefixes(&s->policy.routes);
	free(s->capsule.addresses.list);
	free(s->capsule.ranges.list);
	free(s->capsule.datagram);
	free(s->assigned.list);
	free(s->accepted.list);
	free(s->given.list);
	free(s->asked.list);
	free(s->refusals.list);
	free(s->requests.list);
	free(s->advertise.list);
	free(s->advertised.list);
	free(s->accept.list);
	free(s->targets.list);
	free(s->out);
	routes_clear(&s->mine);
	routes_clear(&s->theirs);
	free(s);
}

int session_fail(struct connip_session *s, enum connip_fault fault)
{
	if (s->fault == CONNIP_FAULT_NONE)
		s->fault = fault;
	return -EPROTO;
}

enum connip_fault connip_session_fault(const struct connip_session *s)
{
	return s->fault;
}

const struct connip_counters *connip_session_counters(const struct connip_session *s)
{
	return &s->counters;
}

/* RFC 9484 4.6: with a target, only families of which the peer has an address are advertised. */
static bool has_family(const struct address_list *given, uint8_t family)
{
	for (size_t i = 0; i < given->n; i++)
		if (given->list[i].prefix.addr.family == family)
			return true;
	return false;
}

/* The parts of list inside the request's target. */
static struct range_list within_targets(
	const struct connip_session *s, const struct range_list *list)
{
	struct range_list out = {};
	size_t n = range_list_clip(list->list, list->n, s->targets.list, s->targets.n, nullptr, 0);

	out.list = xcalloc(n, sizeof(*out.list));
	out.n = out.cap = range_list_clip(
		list->list, list->n, s->targets.list, s->targets.n, out.list, n);
	return out;
}

static struct range_list to_advertise(const struct connip_session *s)
{
	struct range_list out = {};

	if (s->role == CONNIP_CLIENT || !s->policy.scoped) {
		add_ranges(&out, &s->advertise);
		return out;
	}
	struct range_list clipped = within_targets(s, &s->advertise);
	for (size_t i = 0; i < clipped.n; i++)
		if (has_family(&s->given, clipped.list[i].family))
			range_list_add(&out, &clipped.list[i]);
	free(clipped.list);
	return out;
}

static bool same_ranges(const struct range_list *a, const struct range_list *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (range_cmp(&a->list[i], &b->list[i]) != 0)
			return false;
	return a->n == b->n;
}

static void rebuild_advertised(struct connip_session *s)
{
	struct range_list list = to_advertise(s);

	if (list.n)
		list.n = range_list_normalize(list.list, list.n);
	if (!same_ranges(&list, &s->advertised))
		s->must_advertise = true;
	free(s->advertised.list);
	s->advertised = list;
}

void session_rebuild(struct connip_session *s)
{
	uint8_t proto = s->policy.ipproto;
	struct range_list mine = {}, theirs = {};

	rebuild_advertised(s);
	add_addresses(&mine, &s->assigned, proto);
	add_prefixes(&mine, &s->policy.addresses, proto);
	add_ranges(&mine, &s->advertised);
	add_addresses(&theirs, &s->given, proto);
	add_prefixes(&theirs, &s->policy.routes, proto);
	add_ranges(&theirs, &s->accepted);
	routes_set(&s->mine, mine.list, mine.n);
	routes_set(&s->theirs, theirs.list, theirs.n);
	free(mine.list);
	free(theirs.list);
	(void)session_consider_mtu(s); /* the fault stays */
}

int session_add_within(const struct connip_session *s, struct range_list *out,
	const struct connip_range *r, const struct range_list *within)
{
	for (size_t i = 0; i < within->n; i++) {
		struct connip_range part;
		if (range_list_clip(r, 1, &within->list[i], 1, &part, 1) == 0)
			continue;
		if (out->n >= s->policy.max_routes + within->n)
			return -E2BIG;
		range_list_add(out, &part);
	}
	return 0;
}

void connip_session_set_routes(struct connip_session *s, const struct connip_prefixes *routes)
{
	const struct range_list had = s->accepted;
	int r = 0;

	set_accept(s, routes);
	free_prefixes(&s->policy.routes);
	s->policy.routes = copy_prefixes(routes);
	s->accepted = (struct range_list){};
	for (size_t i = 0; r == 0 && i < had.n; i++)
		r = session_add_within(s, &s->accepted, &had.list[i], &s->accept);
	if (r < 0)
		s->accepted.n = 0;
	free(had.list);
	session_rebuild(s);
}

bool session_uses_ipv6(const struct connip_session *s)
{
	return routes_have_family(&s->mine, AF_INET6) || routes_have_family(&s->theirs, AF_INET6);
}

number session_link_local(const struct connip_session *s)
{
	return (number)0xfe80 << 112 | (s->role == CONNIP_PROXY ? 1 : 2);
}

static bool host_of(const struct prefix *p, uint8_t family, number *out)
{
	if (p->addr.family != family || p->len != addr_bits(family))
		return false;
	*out = number_of_addr(&p->addr);
	return true;
}

static bool own_host(const struct connip_session *s, uint8_t family, number *out)
{
	for (size_t i = 0; i < s->policy.addresses.n; i++)
		if (host_of(&s->policy.addresses.list[i], family, out))
			return true;
	for (size_t i = 0; i < s->assigned.n; i++)
		if (host_of(&s->assigned.list[i].prefix, family, out))
			return true;
	return false;
}

bool session_self(const struct connip_session *s, uint8_t family, number *out, bool configured)
{
	const struct addr *set = family == AF_INET ? &s->policy.self4 : &s->policy.self6;

	if (set->family == family) {
		*out = number_of_addr(set);
		return true;
	}
	if (!configured && own_host(s, family, out))
		return true;
	*out = family == AF_INET ? number_of_addr(&dummy4) : session_link_local(s);
	return false;
}
