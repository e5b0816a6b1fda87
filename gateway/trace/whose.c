/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/whose.h"
#include <ifaddrs.h>
#include <string.h>

/* The end of a packet that is not the target. */
struct end {
	const struct addr *address;
	uint16_t port;
};

static bool same(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

static void add_host(struct whose *w, const struct sockaddr *sa)
{
	struct addr a = {.family = w->request->family};
	if (!sa || sa->sa_family != a.family || w->n_hosts == WHOSE_HOSTS_MAX)
		return;
	size_t at = a.family == AF_INET ? offsetof(struct sockaddr_in, sin_addr)
					: offsetof(struct sockaddr_in6, sin6_addr);
	memcpy(a.b, (const uint8_t *)sa + at, addr_bytes(a.family));
	w->hosts[w->n_hosts++] = a;
}

void whose_init(struct whose *w, const struct request *request)
{
	struct ifaddrs *list = nullptr;
	*w = (struct whose){.request = request};
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		add_host(w, i->ifa_addr);
	freeifaddrs(list);
}

bool whose_is_host(const struct whose *w, const struct addr *a)
{
	for (size_t i = 0; i < w->n_hosts; i++) {
		if (same(&w->hosts[i], a))
			return true;
	}
	return same(&w->request->own, a);
}

static bool is_mesh(const struct request *r, const struct addr *a)
{
	for (size_t i = 0; i < r->ranges.n; i++) {
		if (prefix_contains_addr(&r->ranges.list[i], a))
			return true;
	}
	return false;
}

static void remember(struct whose *w, uint16_t port)
{
	w->real[w->n_real++ % WHOSE_PORTS_MAX] = port;
}

static bool is_remembered(const struct whose *w, uint16_t port)
{
	for (size_t i = 0; i < w->n_real && i < WHOSE_PORTS_MAX; i++) {
		if (w->real[i] == port)
			return true;
	}
	return false;
}

/* Of what the diagnosis does not ask for itself only the flow's own protocol counts. */
static bool is_of_kind(const struct request *r, const struct packet *p, uint16_t port)
{
	if (p->proto == r->proto)
		return r->port != 0 || packet_is_echo(p) || !p->has_l4;
	return packet_is_echo(p) && request_injects(r, port);
}

static bool is_at_target(const struct request *r, const struct packet *p, uint16_t port)
{
	return !p->has_l4 || packet_is_echo(p) || request_asks(r, port);
}

static bool is_our_client(const struct request *r, const struct packet *p, const struct end *e)
{
	return same(e->address, &r->client) && p->has_l4 && request_is_ours(r, e->port);
}

/* Which way it goes, and its other end. Where the target was translated the client tells. */
static bool find_end(
	const struct request *r, const struct packet *p, struct end *end, bool *to_target)
{
	const struct end from = {&p->from, p->sport}, to = {&p->to, p->dport};
	bool there = same(&p->to, &r->target) && is_at_target(r, p, p->dport);
	bool back = same(&p->from, &r->target) && is_at_target(r, p, p->sport);
	*to_target = there || (!back && is_our_client(r, p, &from));
	*end = *to_target ? from : to;
	return *to_target || back || is_our_client(r, p, &to);
}

/* No injected packet that is to arrive has so small a TTL. */
constexpr uint8_t SMALL_TTL = 32;

/* Is what was injected from this port like the flow's own packets? */
static enum fact_origin injected_as(const struct request *r, uint16_t port)
{
	for (size_t i = 0; i < r->inject.n; i++) {
		const struct build *b = &r->inject.list[i].packet;
		bool echo = b->kind == BUILD_ECHO, icmp = r->port == 0;
		if (b->sport == port)
			return echo == icmp && (echo || b->dport == r->port) &&
					       b->ttl >= SMALL_TTL && !b->size
				       ? ORIGIN_INJECTED
				       : ORIGIN_ASIDE;
	}
	return ORIGIN_INJECTED;
}

/* A probe of the way back, or its answer, which end in meshgw's own filter: of no flow. */
static bool is_proof(const struct request *r, const struct packet *p, const struct end *e)
{
	return same(e->address, &r->prober) && p->has_l4 && !request_is_ours(r, e->port);
}

static enum fact_origin find_origin(
	struct whose *w, const struct packet *p, const struct end *e, bool to_target)
{
	const struct request *r = w->request;
	bool injected = p->has_l4 && request_injects(r, e->port);
	bool real = p->has_l4 && is_remembered(w, e->port);

	if (same(e->address, &r->client)) {
		if (!p->has_l4)
			return ORIGIN_INJECTED;
		return request_is_ours(r, e->port) ? injected_as(r, e->port) : ORIGIN_REAL;
	}
	if (is_mesh(r, e->address) && !whose_is_host(w, e->address)) {
		if (to_target && p->has_l4 && !real)
			remember(w, e->port);
		return ORIGIN_REAL;
	}
	if (injected)
		return injected_as(r, e->port);
	if (real)
		return ORIGIN_REAL;
	return whose_is_host(w, e->address) ? ORIGIN_OWN : ORIGIN_FOREIGN;
}

bool whose_packet(struct whose *w, const struct packet *p, struct whose_answer *out)
{
	struct end end;
	struct whose_answer a;
	if (p->quote_at || !find_end(w->request, p, &end, &a.to_target) ||
		!is_of_kind(w->request, p, end.port) || is_proof(w->request, p, &end))
		return false;
	a.origin = find_origin(w, p, &end, a.to_target);
	*out = a;
	return true;
}
