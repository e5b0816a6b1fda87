/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/session_int.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool answers(const struct connip_address *list, size_t n, uint64_t request)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].request == request)
			return true;
	return false;
}

static const struct connip_address *find_prefix(
	const struct address_list *l, const struct prefix *p)
{
	for (size_t i = 0; i < l->n; i++)
		if (prefix_cmp(&l->list[i].prefix, p) == 0)
			return &l->list[i];
	return nullptr;
}

/* RFC 9484 4.6: a request for a prefix is one of a single family. */
static bool is_in_scope(const struct connip_session *s, uint8_t family)
{
	if (s->role == CONNIP_CLIENT || !s->policy.scoped)
		return true;
	for (size_t i = 0; i < s->targets.n; i++)
		if (s->targets.list[i].family == family)
			return true;
	return false;
}

/* It keeps its ID; a new one only takes its place once the former has been told. */
static void give(struct connip_session *s, const struct address_list *before,
	const struct connip_address *what)
{
	const struct connip_address *old = find_prefix(before, &what->prefix);
	struct connip_address a = *what;

	if (old && old->request && (a.request == 0 || s->must_assign))
		a.request = old->request;
	address_list_add(&s->given, &a);
}

static void refuse_rest(struct connip_session *s, const struct address_list *asked)
{
	for (size_t i = 0; i < asked->n; i++) {
		const struct connip_address *a = &asked->list[i];
		struct connip_address no = address_refusal(a->request, a->prefix.addr.family);
		if (a->request && !answers(s->given.list, s->given.n, a->request))
			address_list_add(&s->refusals, &no);
	}
}

void connip_session_assign(struct connip_session *s, const struct connip_address *list, size_t n)
{
	struct address_list before = s->given;

	s->given = (struct address_list){};
	for (size_t i = 0; i < n; i++)
		if (is_in_scope(s, list[i].prefix.addr.family))
			give(s, &before, &list[i]);
	refuse_rest(s, &s->asked);
	if (s->must_assign) /* what was granted, taken back, and neither told */
		refuse_rest(s, &before);
	s->asked.n = 0;
	free(before.list);
	s->must_assign = true;
	session_rebuild(s);
}

size_t connip_session_given(const struct connip_session *s, const struct connip_address **list)
{
	*list = s->given.list;
	return s->given.n;
}

void connip_session_advertise(struct connip_session *s, const struct connip_prefixes *routes)
{
	s->advertise.n = 0;
	for (size_t i = 0; i < routes->n; i++) {
		struct connip_range r = range_of_prefix(&routes->list[i], s->policy.ipproto);
		range_list_add(&s->advertise, &r);
	}
	s->must_advertise = true;
	session_rebuild(s);
}

int connip_session_request(
	struct connip_session *s, const struct prefix *list, size_t n, uint64_t *first)
{
	if (s->requests.n)
		return -EAGAIN;
	if (n == 0 || n > CONNIP_REQUESTS_MAX || s->next_request > VARINT_MAX - n)
		return -EINVAL;
	*first = s->next_request;
	for (size_t i = 0; i < n; i++) {
		struct connip_address a = {.request = s->next_request++, .prefix = list[i]};
		address_list_add(&s->requests, &a);
	}
	return 0;
}

void connip_session_expect(
	struct connip_session *s, const struct prefix *list, size_t n, uint64_t now_ns)
{
	assert(n <= CONNIP_REQUESTS_MAX);
	memcpy(s->expected, list, n * sizeof(*list));
	s->n_expected = n;
	s->expected_due_ns = s->assigned.n ? UINT64_MAX : now_ns + CONNIP_UNPROMPTED_NS;
}

void session_ask(struct connip_session *s)
{
	uint64_t first;

	s->expected_due_ns = UINT64_MAX;
	(void)connip_session_request(s, s->expected, s->n_expected, &first);
}

/* Room for n bytes behind type and length, whose size is not known before the value's is. */
static uint8_t *begin(struct connip_session *s, size_t n)
{
	s->out = xreallocarray(s->out, CAPSULE_HEAD_MAX + n, 1);
	return s->out + CAPSULE_HEAD_MAX;
}

static void finish(struct connip_session *s, enum capsule_type type, const uint8_t *end)
{
	uint8_t head[CAPSULE_HEAD_MAX];
	size_t value = (size_t)(end - s->out) - CAPSULE_HEAD_MAX;
	size_t n = capsule_write_head(head, type, value);

	s->out_at = CAPSULE_HEAD_MAX - n;
	memcpy(s->out + s->out_at, head, n);
	s->out_n = n + value;
}

static uint8_t *put_addresses(uint8_t *p, const struct address_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		p += address_write(p, &l->list[i]);
	return p;
}

static void write_requests(struct connip_session *s)
{
	uint8_t *p = begin(s, s->requests.n * ADDRESS_WIRE_MAX);

	finish(s, CAPSULE_ADDRESS_REQUEST, put_addresses(p, &s->requests));
	s->requests.n = 0;
}

/* RFC 9484 4.7.2: a refusal is told once, and not in later lists. */
static void write_assignment(struct connip_session *s)
{
	uint8_t *p = begin(s, (s->given.n + s->refusals.n) * ADDRESS_WIRE_MAX);

	p = put_addresses(p, &s->given);
	finish(s, CAPSULE_ADDRESS_ASSIGN, put_addresses(p, &s->refusals));
	s->refusals.n = 0;
	s->must_assign = false;
}

static void write_advertisement(struct connip_session *s)
{
	uint8_t *p = begin(s, s->advertised.n * RANGE_WIRE_MAX);

	for (size_t i = 0; i < s->advertised.n; i++)
		p += range_write(p, &s->advertised.list[i]);
	finish(s, CAPSULE_ROUTE_ADVERTISEMENT, p);
	s->must_advertise = false;
}

/* Addresses before routes: who learns of a route has something to send from. */
const uint8_t *connip_session_pending(struct connip_session *s, size_t *n)
{
	if (s->out_n == 0 && s->fault == CONNIP_FAULT_NONE && !s->policy.silent) {
		if (s->requests.n)
			write_requests(s);
		else if (s->must_assign)
			write_assignment(s);
		else if (s->must_advertise)
			write_advertisement(s);
	}
	*n = s->out_n;
	return s->out ? s->out + s->out_at : nullptr;
}

void connip_session_sent(struct connip_session *s, size_t n)
{
	assert(n <= s->out_n);
	s->out_at += n;
	s->out_n -= n;
}
