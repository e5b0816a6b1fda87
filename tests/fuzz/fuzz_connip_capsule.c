/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_connip_capsule: bytes as a request stream, whole and in pieces: both must tell the same, and
 * what a session then sends is read by another without a fault. The first byte chooses role, pieces
 * and what the event handlers do: they answer at once, later, or not at all.
 */
#include "connip/session.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct connip_session *s;
	uint64_t told; /* of all events, as a sum */
	bool answers;
};

static void tell(struct end *e, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		e->told = e->told * 31 + b[i] + 1;
}

static void tell_addresses(struct end *e, const struct connip_address *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert(list[i].prefix.len <= addr_bits(list[i].prefix.addr.family));
		assert(address_is_canonical(&list[i].prefix));
		tell(e, &list[i].request, sizeof(list[i].request));
		tell(e, list[i].prefix.addr.b, sizeof(list[i].prefix.addr.b));
	}
}

static void on_assigned(void *user, const struct connip_assigned *what)
{
	tell_addresses(user, what->accepted, what->n_accepted);
	tell_addresses(user, what->denied, what->n_denied);
	tell_addresses(user, what->refused, what->n_refused);
}

static void on_advertised(void *user, const struct connip_advertised *what)
{
	struct end *e = user;

	for (size_t i = 0; i < what->n_accepted; i++) {
		const struct connip_range *r = &what->accepted[i];
		assert(r->first <= r->last && r->last <= number_max(r->family));
		assert(i == 0 || range_may_follow(r - 1, r));
		tell(e, &r->first, sizeof(r->first));
		tell(e, &r->last, sizeof(r->last));
	}
	assert(what->announced <= CONNIP_ROUTES_DEFAULT && what->narrowed <= what->announced);
}

static void on_requested(void *user, const struct connip_address *list, size_t n)
{
	struct end *e = user;

	assert(n > 0 && n <= CONNIP_REQUESTS_MAX);
	tell_addresses(e, list, n);
	if (e->answers)
		connip_session_assign(e->s, list, n / 2);
}

static void on_exceeded(void *user, enum connip_excess what, size_t most)
{
	tell(user, &what, sizeof(what));
	tell(user, &most, sizeof(most));
}

static void on_datagram(void *user, const uint8_t *payload, size_t n)
{
	assert(n <= CONNIP_DATAGRAM_DEFAULT);
	tell(user, payload, n);
}

static const struct connip_events all_events = {.assigned = on_assigned,
	.advertised = on_advertised,
	.requested = on_requested,
	.exceeded = on_exceeded,
	.datagram = on_datagram};
static const struct connip_events no_events;

static struct connip_session *new_session(uint8_t choice, struct end *e)
{
	static const struct prefix all[] = {{.addr.family = AF_INET}, {.addr.family = AF_INET6}};
	struct connip_policy policy = {.accept_addresses = {all, 2}, .accept_routes = {all, 2}};

	policy.scoped = choice & 1;
	policy.targets = (struct connip_prefixes){all, policy.scoped ? 1 : 0};
	policy.ipproto = choice & 2 ? IPPROTO_TCP : 0;
	policy.probe = choice & 16 ? CONNIP_PROBE_REQUIRE : CONNIP_PROBE_OFF;
	struct connip_session *s = connip_session_new(choice & 4 ? CONNIP_PROXY : CONNIP_CLIENT,
		&policy, choice & 8 ? &no_events : &all_events, e);
	connip_session_expect(s, all, choice & 1, 0);
	(void)connip_session_set_mtu(s, choice & 2 ? 1200 : 1400, true); /* a fault, with IPv6 */
	return s;
}

static int feed(struct end *e, const uint8_t *data, size_t size, size_t step)
{
	size_t at = 0;
	int r;

	do {
		size_t n = step < size - at ? step : size - at;
		autofree uint8_t *piece = xcalloc(n, 1);
		if (n)
			memcpy(piece, data + at, n);
		at += n;
		r = connip_session_receive(e->s, piece, n, at == size, 0);
	} while (r == 0 && at < size);
	assert(r == 0 || r == -EPROTO);
	return r;
}

/* Another session has nothing against what this one says. */
static void echo(struct end *e)
{
	uint8_t probe[ICMP_MESSAGE_MAX];
	struct end other = {};
	size_t n;

	if (connip_session_expire(e->s, CONNIP_UNPROMPTED_NS, probe) > 0)
		assert(connip_session_expiry_ns(e->s) > CONNIP_UNPROMPTED_NS);

	other.s = new_session(0, &other);
	for (size_t count = 0; count < 16; count++) {
		const uint8_t *out = connip_session_pending(e->s, &n);
		if (n == 0)
			break;
		assert(connip_session_receive(other.s, out, n, false, 0) == 0);
		connip_session_sent(e->s, n);
	}
	assert(n == 0);
	connip_session_free(other.s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	struct end whole = {.answers = data[0] & 16}, pieces = {.answers = data[0] & 16};
	whole.s = new_session(data[0], &whole);
	pieces.s = new_session(data[0], &pieces);
	int a = feed(&whole, data + 1, size - 1, size),
	    b = feed(&pieces, data + 1, size - 1, 1 + data[0] / 32);
	assert(a == b && whole.told == pieces.told);
	assert(connip_session_fault(whole.s) == connip_session_fault(pieces.s));
	echo(&whole);
	connip_session_free(whole.s);
	connip_session_free(pieces.s);
	return 0;
}
