/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/calls.h"
#include <netinet/tcp.h>

/* Places kept for flows that go on, beside those that wait. */
constexpr size_t TOLD_WELL = 2;

/* Numbers of TCP go around (RFC 9293 section 3.4). */
static bool is_behind(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static bool waits(const struct fact_call *f)
{
	return f->open > 0 || (!f->ended && (!f->answered || (f->asked > 0 && f->replied == 0)));
}

static void init(struct call *call, const struct addr *source, uint16_t port, uint64_t at_us)
{
	*call = (struct call){.fact = {.source = *source,
				      .port = port,
				      .first_us = (int64_t)at_us,
				      .progress_us = -1}};
}

/* One that ended makes room, the oldest first. */
static struct call *find_room(struct calls *c)
{
	struct call *old = nullptr;

	if (c->n < CALLS_MAX)
		return &c->list[c->n++];
	for (size_t i = 0; i < c->n; i++) {
		struct call *call = &c->list[i];
		if (!waits(&call->fact) && (!old || call->fact.last_us < old->fact.last_us))
			old = call;
	}
	return old;
}

/* nullptr: there is no room for it. */
static struct call *find(struct calls *c, const struct addr *source, uint16_t port, uint64_t at_us)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fact_call *f = &c->list[i].fact;
		if (f->port == port && addr_cmp(&f->source, source) == 0)
			return &c->list[i];
	}
	struct call *call = find_room(c);
	if (call)
		init(call, source, port, at_us);
	return call;
}

/* ---- TCP ---- */

static void measure(struct call *call)
{
	call->fact.open = call->told_any ? (int64_t)(call->told - call->taken) : 0;
}

static void begin(struct call *call, const struct packet *p, uint64_t at_us)
{
	struct addr source = call->fact.source;

	if (call->fact.begun && call->asked_from == p->seq + 1) {
		call->fact.asked_again++;
		return;
	}
	init(call, &source, p->sport, at_us);
	call->fact.begun = call->asked_any = true;
	call->asked = call->asked_from = p->seq + 1;
}

static void acknowledge(struct call *call, uint32_t ack, uint64_t at_us)
{
	if (!call->told_any || !is_behind(ack, call->taken))
		return;
	call->taken = ack;
	if (is_behind(ack, call->told)) /* of a busy flow not all is seen */
		call->told = ack;
	call->fact.acknowledged |= call->fact.answered;
	call->fact.progress_us = (int64_t)at_us;
}

static void ask(struct call *call, const struct packet *p)
{
	uint32_t next = p->seq + p->payload;

	if (!call->asked_any) {
		call->asked_any = true;
		call->asked = call->asked_from = p->seq;
	}
	if (is_behind(next, call->asked)) {
		call->fact.asked += next - call->asked;
		call->asked = next;
	} else if (p->payload > 1) { /* one byte, sent again, keeps a connection alive */
		call->fact.asked_again++;
	}
}

static void from_caller(struct call *call, const struct packet *p, uint64_t at_us)
{
	if (p->tcp_flags & TH_SYN) {
		begin(call, p, at_us);
		return;
	}
	if (p->tcp_flags & TH_ACK)
		acknowledge(call, p->ack, at_us);
	ask(call, p);
	if (p->tcp_flags & TH_RST) {
		call->taken = call->told;
		call->fact.ended = true;
	}
}

/* What was not acknowledged before is late from now on. */
static void tell(struct call *call, const struct packet *p, uint64_t at_us)
{
	bool syn = p->tcp_flags & TH_SYN, fin = p->tcp_flags & TH_FIN;
	uint32_t next = p->seq + p->payload + syn + fin;

	if (!call->told_any) {
		call->told_any = true;
		call->told = call->taken = p->seq;
	}
	if (next == p->seq)
		return;
	if (!is_behind(next, call->told)) {
		call->fact.told_again++;
		return;
	}
	if (call->told == call->taken)
		call->fact.progress_us = (int64_t)at_us;
	call->fact.replied += p->payload;
	call->told = next;
}

static void from_target(struct call *call, const struct packet *p, uint64_t at_us)
{
	bool reset = p->tcp_flags & TH_RST;

	if (reset) {
		call->fact.refused |= !call->fact.answered;
		call->taken = call->told;
	} else {
		call->fact.answered |= (p->tcp_flags & TH_SYN) || p->payload > 0;
		tell(call, p, at_us);
	}
	call->fact.ended |= reset || p->tcp_flags & TH_FIN;
}

/* ---- the others ---- */

static void see_datagram(struct call *call, const struct packet *p, bool to_target)
{
	int64_t bytes = p->payload;

	if (to_target) {
		call->fact.begun = true;
		call->fact.asked += bytes;
	} else {
		call->fact.answered = true;
		call->fact.replied += bytes;
	}
}

void calls_see(struct calls *c, const struct packet *p, bool to_target, uint64_t at_us)
{
	const struct addr *source = to_target ? &p->from : &p->to;
	struct call *call;

	if (!p->has_l4)
		return;
	call = find(c, source, to_target ? p->sport : p->dport, at_us);
	if (!call)
		return;
	if (p->proto != IPPROTO_TCP)
		see_datagram(call, p, to_target);
	else if (to_target)
		from_caller(call, p, at_us);
	else
		from_target(call, p, at_us);
	measure(call);
	call->fact.last_us = (int64_t)at_us;
}

/* ---- answers ---- */

static size_t take(const struct calls *c, bool waiting, size_t from, size_t room,
	const struct fact_call *out[static CALLS_TOLD])
{
	size_t n = from;

	for (size_t i = 0; i < c->n && n < from + room; i++)
		if (waits(&c->list[i].fact) == waiting)
			out[n++] = &c->list[i].fact;
	return n;
}

size_t calls_told(const struct calls *c, const struct fact_call *out[static CALLS_TOLD])
{
	size_t n = take(c, true, 0, CALLS_TOLD - TOLD_WELL, out);
	return take(c, false, n, CALLS_TOLD - n, out);
}
