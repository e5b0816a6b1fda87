/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/asks.h"
#include "lib/log.h"
#include <stdio.h>
#include <string.h>

constexpr uint16_t BGP_PORT = 179;

static void add(struct asks *a, struct own_target target, uint64_t now_us)
{
	target.address = a->flow->target;
	memcpy(target.interface, a->interface, sizeof(target.interface));
	a->own[a->n++] = own_probe_new(&target, now_us);
}

/* A BGP neighbour would take a connection from our address for our restart (RFC 4724 4.2). */
static bool is_bgp(const struct flow *f)
{
	return f->proto == IPPROTO_TCP && f->port == BGP_PORT;
}

void asks_begin(struct asks *a, const struct flow *f, const char *interface, uint64_t now_us)
{
	uint8_t echo = f->target.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	bool ports = f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP;
	/* Of a host that is only pinged, a closed TCP port tells that it answers this gateway. */
	uint8_t other = ports ? f->proto : IPPROTO_TCP;

	*a = (struct asks){.flow = f, .began_us = now_us};
	snprintf(a->interface, sizeof(a->interface), "%s", interface);
	if (!is_bgp(f))
		add(a, (struct own_target){PROBE_OWN, .proto = f->proto, .port = f->port}, now_us);
	add(a,
		(struct own_target){
			PROBE_OWN_OTHER, .proto = other, .port = injection_other_port(f)},
		now_us);
	if (f->proto != echo)
		add(a, (struct own_target){PROBE_OWN_ECHO, .proto = echo}, now_us);
}

/* A connection that ends on its way is an unprivileged traceroute: the error comes to its socket.
 */
void asks_hops(struct asks *a, uint64_t now_us)
{
	if (a->n + ASKS_HOPS > ASKS_MAX || is_bgp(a->flow))
		return;
	for (uint8_t hops = 1; hops <= ASKS_HOPS; hops++)
		add(a,
			(struct own_target){PROBE_OWN_HOP, .proto = IPPROTO_TCP,
				.port = injection_other_port(a->flow), .hops = hops},
			now_us);
}

void asks_range(struct asks *a, const struct injections *set)
{
	a->range = set;
}

void asks_clear(struct asks *a)
{
	for (size_t i = 0; i < a->n; i++)
		own_probe_free(a->own[i]);
	*a = (struct asks){};
}

static void send_range(struct asks *a, uint64_t now_us)
{
	for (size_t i = 0; a->range && i < a->range->n; i++) {
		const struct injection *in = &a->range->list[i];
		if (a->range_tried & 1U << i || now_us - a->began_us < in->at_ms * 1000ULL)
			continue;
		a->range_tried |= 1U << i;
		int r = range_probe_send(a->flow, in, a->interface);
		if (r == 0)
			a->range_sent |= 1U << i;
		else
			log_debug("diagnose", "probe from the range: %s", strerror(-r));
	}
}

void asks_check(struct asks *a, uint64_t now_us)
{
	for (size_t i = 0; i < a->n; i++)
		own_probe_check(a->own[i], now_us);
	send_range(a, now_us);
}

bool asks_answered(const struct asks *a)
{
	return a->n > 0 && own_probe_answered(a->own[0]);
}

bool asks_ended(const struct asks *a)
{
	return a->n > 0 && own_probe_ended(a->own[0]);
}

bool asks_heard(const struct asks *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (own_probe_heard(a->own[i]))
			return true;
	return false;
}

void asks_tell(const struct asks *a, struct evidence *e)
{
	for (size_t i = 0; i < a->n; i++)
		own_probe_tell(a->own[i], e);
}
