/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/session_int.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The beginning of a capsule, a complete entry of its list, and its end; 0 or -EPROTO. */
struct capsule_kind {
	int (*begin)(struct connip_session *s);
	size_t (*entry_size)(const uint8_t *p, size_t n); /* nullptr: a value without entries */
	int (*entry)(struct connip_session *s, const uint8_t *p);
	int (*end)(struct connip_session *s);
};

/* What follows in this capsule is not read, and it has no end for us. */
static int pass_over(struct connip_session *s, enum connip_excess what, size_t most)
{
	s->capsule.skip = true;
	if (s->events->exceeded)
		s->events->exceeded(s->user, what, most);
	return 0;
}

/* DATAGRAM (RFC 9297 3.5) */

static int datagram_begin(struct connip_session *s)
{
	struct session_capsule *c = &s->capsule;

	if (s->reader.length > s->policy.datagram_max) {
		s->counters.datagrams_too_long++;
		c->skip = true;
	} else if (!c->datagram) {
		c->datagram = xcalloc(s->policy.datagram_max, 1);
	}
	c->datagram_n = 0;
	return 0;
}

static int datagram_end(struct connip_session *s)
{
	if (s->events->datagram)
		s->events->datagram(s->user, s->capsule.datagram, s->capsule.datagram_n);
	return 0;
}

/* ADDRESS_ASSIGN (RFC 9484 4.7.1) */

static int addresses_begin(struct connip_session *s)
{
	s->capsule.addresses.n = 0;
	return 0;
}

static int assign_entry(struct connip_session *s, const uint8_t *p)
{
	struct connip_address a;

	if (address_read(p, &a) < 0)
		return session_fail(s, CONNIP_FAULT_MALFORMED);
	if (s->capsule.addresses.n == s->policy.max_addresses)
		return pass_over(s, CONNIP_EXCESS_ADDRESSES, s->policy.max_addresses);
	address_list_add(&s->capsule.addresses, &a);
	return 0;
}

static bool is_acceptable(const struct connip_session *s, const struct prefix *p)
{
	const struct connip_prefixes *accept = &s->policy.accept_addresses;

	if (prefix_is_special(p))
		return false;
	for (size_t i = 0; i < accept->n; i++)
		if (prefix_contains(&accept->list[i], p))
			return true;
	return false;
}

static int assign_end(struct connip_session *s)
{
	struct address_list denied = {}, refused = {};

	s->assigned.n = 0;
	for (size_t i = 0; i < s->capsule.addresses.n; i++) {
		const struct connip_address *a = &s->capsule.addresses.list[i];
		address_list_add(address_is_refusal(a)          ? &refused
				 : is_acceptable(s, &a->prefix) ? &s->assigned
								: &denied,
			a);
	}
	if (s->assigned.n)
		s->expected_due_ns = UINT64_MAX;
	session_rebuild(s);
	if (s->events->assigned)
		s->events->assigned(s->user, &(struct connip_assigned){.accepted = s->assigned.list,
						     .n_accepted = s->assigned.n,
						     .denied = denied.list,
						     .n_denied = denied.n,
						     .refused = refused.list,
						     .n_refused = refused.n});
	free(denied.list);
	free(refused.list);
	return 0;
}

/* ADDRESS_REQUEST (RFC 9484 4.7.2) */

static int request_entry(struct connip_session *s, const uint8_t *p)
{
	struct connip_address a;

	if (address_read(p, &a) < 0)
		return session_fail(s, CONNIP_FAULT_MALFORMED);
	int added = a.request ? idset_add(&s->ids, a.request) : -EINVAL;
	if (added == -ENOSPC || s->asked.n + s->refusals.n == CONNIP_REQUESTS_MAX)
		return session_fail(s, CONNIP_FAULT_REQUESTS);
	if (added < 0)
		return session_fail(s, CONNIP_FAULT_REQUEST_ID);
	address_list_add(&s->capsule.addresses, &a);
	address_list_add(&s->asked, &a);
	return 0;
}

static int request_end(struct connip_session *s)
{
	if (s->capsule.addresses.n == 0)
		return session_fail(s, CONNIP_FAULT_REQUEST_EMPTY);
	if (s->events->requested)
		s->events->requested(s->user, s->capsule.addresses.list, s->capsule.addresses.n);
	return 0;
}

/* ROUTE_ADVERTISEMENT (RFC 9484 4.7.3) */

static int routes_begin(struct connip_session *s)
{
	s->capsule.ranges.n = 0;
	return 0;
}

static int routes_entry(struct connip_session *s, const uint8_t *p)
{
	struct range_list *list = &s->capsule.ranges;
	struct connip_range r;

	if (range_read(p, &r) < 0)
		return session_fail(s, CONNIP_FAULT_MALFORMED);
	if (list->n > 0 && !range_may_follow(&list->list[list->n - 1], &r))
		return session_fail(s, CONNIP_FAULT_ROUTE_ORDER);
	if (list->n == s->policy.max_routes)
		return pass_over(s, CONNIP_EXCESS_ROUTES, s->policy.max_routes);
	range_list_add(list, &r);
	return 0;
}

/* The request's protocol alone, if it has one. */
static bool scope_protocol(const struct connip_session *s, struct connip_range *r)
{
	if (s->policy.ipproto == 0 || r->proto == s->policy.ipproto)
		return true;
	if (r->proto != 0)
		return false;
	r->proto = s->policy.ipproto;
	return true;
}

/* Adds what is accepted of r; true if that is all of it. */
static bool add_accepted(
	const struct connip_session *s, struct connip_range r, struct range_list *out, int *result)
{
	size_t before = out->n;

	if (!scope_protocol(s, &r))
		return false;
	*result = session_add_within(s, out, &r, &s->accept);
	return out->n == before + 1 && range_cmp(&out->list[before], &r) == 0;
}

/* What remains of the peer's list, and how many ranges lost something. -E2BIG: too much. */
static int accept_ranges(
	const struct connip_session *s, struct range_list *allowed, size_t *narrowed)
{
	const struct range_list *told = &s->capsule.ranges;
	struct range_list in_scope = {};
	int r = 0;

	for (size_t i = 0; r == 0 && i < told->n; i++)
		*narrowed += !add_accepted(s, told->list[i], allowed, &r);
	if (s->role == CONNIP_CLIENT && s->policy.scoped) {
		for (size_t i = 0; r == 0 && i < allowed->n; i++)
			r = session_add_within(s, &in_scope, &allowed->list[i], &s->targets);
		free(allowed->list);
		*allowed = in_scope;
	}
	allowed->n = range_list_normalize(allowed->list, allowed->n);
	return r;
}

static int routes_end(struct connip_session *s)
{
	struct range_list accepted = {};
	size_t narrowed = 0;

	if (range_list_clashes(s->capsule.ranges.list, s->capsule.ranges.n))
		return session_fail(s, CONNIP_FAULT_ROUTE_OVERLAP);
	if (accept_ranges(s, &accepted, &narrowed) < 0) {
		free(accepted.list);
		return pass_over(s, CONNIP_EXCESS_ROUTES, s->policy.max_routes);
	}
	free(s->accepted.list);
	s->accepted = accepted;
	session_rebuild(s);
	if (s->events->advertised)
		s->events->advertised(
			s->user, &(struct connip_advertised){.accepted = s->accepted.list,
					 .n_accepted = s->accepted.n,
					 .announced = s->capsule.ranges.n,
					 .narrowed = narrowed});
	return 0;
}

static const struct capsule_kind kinds[] = {
	[CAPSULE_DATAGRAM] = {.begin = datagram_begin, .end = datagram_end},
	[CAPSULE_ADDRESS_ASSIGN] = {addresses_begin, address_wire_size, assign_entry, assign_end},
	[CAPSULE_ADDRESS_REQUEST] = {addresses_begin, address_wire_size, request_entry,
		request_end},
	[CAPSULE_ROUTE_ADVERTISEMENT] = {routes_begin, range_wire_size, routes_entry, routes_end},
};

/* nullptr: an unknown type, which is passed over without a word (RFC 9297 3.2). */
static const struct capsule_kind *kind_of(const struct connip_session *s)
{
	return s->reader.type < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[s->reader.type] : nullptr;
}

static int on_begin(struct connip_session *s, uint64_t now_ns)
{
	const struct capsule_kind *kind = kind_of(s);
	bool datagram = kind && s->reader.type == CAPSULE_DATAGRAM;

	s->counters.capsules++;
	s->counters.capsules_unknown += !kind;
	s->capsule.have = 0;
	s->capsule.skip = !kind;
	if (!datagram && !bucket_take(kind ? &s->control : &s->unknown, 1, now_ns))
		return session_fail(s, CONNIP_FAULT_FLOOD);
	return kind ? kind->begin(s) : 0;
}

/* Gathers entries, which may come in any pieces. */
static int on_entries(
	struct connip_session *s, const struct capsule_kind *kind, const uint8_t *p, size_t n)
{
	struct session_capsule *c = &s->capsule;

	while (n > 0 && !c->skip) {
		size_t need = kind->entry_size(c->entry, c->have) - c->have;
		size_t take = need < n ? need : n;
		memcpy(c->entry + c->have, p, take);
		c->have += take;
		p += take;
		n -= take;

		size_t size = kind->entry_size(c->entry, c->have);
		if (size == 0)
			return session_fail(s, CONNIP_FAULT_MALFORMED);
		if (c->have < size)
			continue;
		c->have = 0;
		if (kind->entry(s, c->entry) < 0)
			return -EPROTO;
	}
	return 0;
}

static int on_value(struct connip_session *s, const uint8_t *p, size_t n)
{
	const struct capsule_kind *kind = kind_of(s);
	struct session_capsule *c = &s->capsule;

	if (!kind || c->skip)
		return 0;
	if (kind->entry_size)
		return on_entries(s, kind, p, n);
	memcpy(c->datagram + c->datagram_n, p, n);
	c->datagram_n += n;
	return 0;
}

static int on_end(struct connip_session *s)
{
	const struct capsule_kind *kind = kind_of(s);

	if (!kind || s->capsule.skip)
		return 0;
	if (s->capsule.have > 0) /* the last entry is cut: RFC 9297 3.3 */
		return session_fail(s, CONNIP_FAULT_MALFORMED);
	return kind->end(s);
}

static int on_step(struct connip_session *s, enum capsule_step step, const uint8_t *p, size_t n,
	uint64_t now_ns)
{
	switch (step) {
	case CAPSULE_MORE:
		return 0;
	case CAPSULE_BEGIN:
		return on_begin(s, now_ns);
	case CAPSULE_VALUE:
		return on_value(s, p, n);
	case CAPSULE_END:
		return on_end(s);
	}
	return 0;
}

int connip_session_receive(
	struct connip_session *s, const uint8_t *p, size_t n, bool fin, uint64_t now_ns)
{
	enum capsule_step step = CAPSULE_BEGIN;

	if (s->fault != CONNIP_FAULT_NONE)
		return -EPROTO;
	/* A list may bring a fault of its own: IPv6, which does not fit. */
	while (step != CAPSULE_MORE && s->fault == CONNIP_FAULT_NONE) {
		size_t used = capsule_read(&s->reader, p, n, &step);
		if (on_step(s, step, p, used, now_ns) < 0)
			return -EPROTO;
		if (used)
			p += used; /* it may be nullptr with n = 0 */
		n -= used;
	}
	if (fin && s->fault == CONNIP_FAULT_NONE && !capsule_reader_idle(&s->reader))
		return session_fail(s, CONNIP_FAULT_TRUNCATED);
	return s->fault == CONNIP_FAULT_NONE ? 0 : -EPROTO; /* of what an event's handler did */
}
