/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"
#include "peer.h"
#include "pump.h"

constexpr uint64_t SECOND_NS = 1'000'000'000;
/* So few packets tell nothing about a path. */
constexpr uint64_t SENT_LEAST = 200;
/* One of so many is lost where only congestion loses any; more slows every flow down. */
constexpr uint64_t LOST_ONE_OF = 200;
/* Where so many of those that were not in time came late, the others may have: packets overtake
 * each other. */
constexpr uint64_t LATE_ONE_OF = 8;
/* Somebody's misconfigured host sends now and then. */
constexpr uint64_t SPOOFED_LEAST = 10;
constexpr uint64_t KNOCKS_LEAST = 100; /* a second */
constexpr uint64_t UNACKED_NS = 3 * SECOND_NS;

/* explained: by a path that got narrower, which swallowed what was too large. */
static void look_at_losses(struct watch *w, const struct quic_figures *f, bool explained,
	const struct watch_terms *terms, struct troubles *t)
{
	uint64_t sent = f->sent - w->sent, lost = f->lost - w->lost, late = f->late - w->late;

	if (sent < SENT_LEAST)
		return;
	if (lost * LOST_ONE_OF >= sent && late * LATE_ONE_OF < lost && !explained)
		trouble_note(t, TROUBLE_LOSSY, terms->who,
			"%lu of %lu packets to it were lost (%.1f %%)", (unsigned long)lost,
			(unsigned long)sent, (double)lost * 100 / (double)sent);
	w->sent = f->sent;
	w->lost = f->lost;
	w->late = f->late;
}

static void look_at_answers(const struct quic_figures *f, const struct watch_terms *terms,
	uint64_t now_ns, struct troubles *t)
{
	uint64_t silent_ns = now_ns - f->heard_ns;
	bool unacked = f->unacked_ns >= UNACKED_NS;

	if (unacked && silent_ns < f->unacked_ns / 2)
		trouble_note(t, TROUBLE_DEAF, terms->who,
			"it talks, and has acknowledged nothing for %lu s",
			(unsigned long)(f->unacked_ns / SECOND_NS));
	else if (unacked || silent_ns > 2 * terms->keepalive_ns)
		trouble_note(t, TROUBLE_SILENT, terms->who, "nothing was heard of it for %lu s",
			(unsigned long)(silent_ns / SECOND_NS));
	else
		trouble_end(t, TROUBLE_SILENT, terms->who);
}

static void look_at_sources(
	struct watch *w, uint64_t not_its_own, const struct watch_terms *terms, struct troubles *t)
{
	/* Another request on this connection counts from nothing. */
	uint64_t before = w->not_its_own < not_its_own ? w->not_its_own : 0;
	uint64_t more = not_its_own - before;

	if (more >= SPOOFED_LEAST)
		trouble_note(t, TROUBLE_SPOOFED, terms->who,
			"%lu packets came from addresses that are not its own",
			(unsigned long)not_its_own);
	w->not_its_own = not_its_own;
}

static void look_at_path(size_t carried, const struct watch_terms *terms, struct troubles *t)
{
	bool narrow = carried && carried < terms->mtu;

	if (narrow)
		trouble_note(t, TROUBLE_NARROW, terms->who,
			"packets of %zu bytes get through, the interface's MTU is %u", carried,
			terms->mtu);
	/* What was lost before it was known how narrow the path is was too large. */
	if (carried)
		trouble_end(t, narrow ? TROUBLE_LOSSY : TROUBLE_NARROW, terms->who);
}

void watch_peer(struct peer *p, const struct watch_terms *terms, struct troubles *t)
{
	uint64_t now_ns = pump_now_ns();
	struct watch *w = &p->watch;

	if (now_ns - w->looked_ns < SECOND_NS)
		return;
	const struct quic_figures f = quic_connection_figures(p->connection);
	/* What does not get through and is not answered tells nothing about a path's width. */
	size_t carried = p->lane && f.unacked_ns == 0 ? lane_carries(p->lane) : 0;
	w->looked_ns = now_ns;
	look_at_answers(&f, terms, now_ns, t);
	look_at_losses(w, &f, carried && carried < terms->mtu, terms, t);
	look_at_path(carried, terms, t);
	if (!p->lane)
		return;
	const struct connip_counters *c = connip_session_counters(lane_session(p->lane));
	look_at_sources(w, c->in[CONNIP_BAD_SOURCE] + p->foreign, terms, t);
}

static uint64_t knocks_of(const struct quic_counters *q)
{
	return q->unknown + q->versions + q->retries + q->resets + q->over_budget + q->over_cap +
	       q->over_answers + q->bad_tokens + q->handshakes_failed;
}

void watch_strangers(struct watch_door *d, const struct quic_counters *q, struct troubles *t)
{
	uint64_t now_ns = pump_now_ns(), knocks = knocks_of(q);
	uint64_t elapsed_ns = now_ns - d->looked_ns;

	if (elapsed_ns < SECOND_NS)
		return;
	uint64_t rate = (knocks - d->knocks) * SECOND_NS / elapsed_ns;
	if (d->looked_ns && rate >= KNOCKS_LEAST)
		trouble_note(t, TROUBLE_FLOODED, "", "%lu datagrams a second began no connection",
			(unsigned long)rate);
	d->looked_ns = now_ns;
	d->knocks = knocks;
}
