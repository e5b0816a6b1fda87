/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flow_track.h"
#include "lib/xmalloc.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct tracked {
	struct flow_failure f;
	uint16_t icmp_id;
	uint64_t begun_us; /* 0 = this place is free */
};

struct flow_track {
	struct tracked table[FLOW_ROWS][FLOW_WAYS];
	size_t n;
	uint64_t crowded, forgotten;
};

struct flow_track *flow_track_new(void)
{
	return xcalloc(1, sizeof(struct flow_track));
}

void flow_track_free(struct flow_track *t)
{
	free(t);
}

size_t flow_track_count(const struct flow_track *t)
{
	return t->n;
}

uint64_t flow_track_crowded(const struct flow_track *t)
{
	return t->crowded;
}

uint64_t flow_track_forgotten(const struct flow_track *t)
{
	return t->forgotten;
}

/* FNV-1a. */
static uint32_t hash_bytes(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n--)
		h = (h ^ *b++) * 16777619U;
	return h;
}

static struct tracked *row_of(struct flow_track *t, const struct ct_entry *e)
{
	const struct ct_flow *f = &e->flow;
	uint16_t numbers[] = {f->proto, f->from_port, f->to_port, e->icmp_id};
	uint32_t h = hash_bytes(2166136261U, f->from.b, sizeof(f->from.b));
	h = hash_bytes(h, f->to.b, sizeof(f->to.b));
	h = hash_bytes(h, numbers, sizeof(numbers));
	return t->table[(h ^ h >> 16) % FLOW_ROWS];
}

static bool is_same(const struct tracked *t, const struct ct_entry *e)
{
	const struct ct_flow *a = &t->f.flow, *b = &e->flow;
	return t->begun_us && a->proto == b->proto && a->from_port == b->from_port &&
	       a->to_port == b->to_port && t->icmp_id == e->icmp_id &&
	       !addr_cmp(&a->from, &b->from) && !addr_cmp(&a->to, &b->to);
}

static struct tracked *find(struct flow_track *t, const struct ct_entry *e)
{
	struct tracked *row = row_of(t, e);
	for (size_t i = 0; i < FLOW_WAYS; i++)
		if (is_same(&row[i], e))
			return &row[i];
	return nullptr;
}

static void drop(struct flow_track *t, struct tracked *flow)
{
	*flow = (struct tracked){};
	t->n--;
}

/* A free place, or that of the oldest. */
static struct tracked *place(struct flow_track *t, const struct ct_entry *e)
{
	struct tracked *row = row_of(t, e), *best = row;

	for (size_t i = 1; i < FLOW_WAYS; i++)
		if (row[i].begun_us < best->begun_us)
			best = &row[i];
	if (best->begun_us) {
		t->crowded++;
		drop(t, best);
	}
	t->n++;
	return best;
}

static void note(struct tracked *flow, const struct ct_entry *e)
{
	flow->f.status = e->state.status;
	if (e->tcp_state)
		flow->f.tcp_state = e->tcp_state;
	if (e->reply.to.family != AF_UNSPEC)
		flow->f.reply_to = e->reply.to;
}

static void begin(struct flow_track *t, const struct ct_entry *e, uint64_t now_us)
{
	/* Not one that is picked up in its middle (tcp_loose). */
	bool tcp = e->flow.proto == IPPROTO_TCP;
	if ((tcp && e->tcp_state != TCP_CONNTRACK_SYN_SENT) || e->state.status & IPS_SEEN_REPLY)
		return;
	struct tracked *flow = place(t, e);
	*flow = (struct tracked){
		.f.flow = e->flow, .icmp_id = e->icmp_id, .begun_us = now_us ? now_us : 1};
	note(flow, e);
}

static bool came_about(const struct tracked *flow)
{
	if (flow->f.flow.proto != IPPROTO_TCP)
		return flow->f.status & IPS_SEEN_REPLY;
	return flow->f.status & IPS_ASSURED ||
	       (flow->f.status & IPS_SEEN_REPLY && flow->f.tcp_state != TCP_CONNTRACK_SYN_RECV &&
		       flow->f.tcp_state != TCP_CONNTRACK_SYN_SENT);
}

static void fail(struct flow_track *t, struct tracked *flow, enum flow_end end,
	flow_failed_cb failed, void *arg)
{
	struct flow_failure f = flow->f;

	f.end = end;
	drop(t, flow);
	failed(&f, arg);
}

static void end(struct flow_track *t, struct tracked *flow, flow_failed_cb failed, void *arg)
{
	bool answered = flow->f.status & IPS_SEEN_REPLY;

	/* Of UDP and echoes it only says that the entry was given up. */
	if (answered || flow->f.flow.proto != IPPROTO_TCP)
		drop(t, flow);
	else
		fail(t, flow, FLOW_REFUSED, failed, arg);
}

void flow_track_event(struct flow_track *t, enum ct_event what, const struct ct_entry *e,
	uint64_t now_us, flow_failed_cb failed, void *arg)
{
	struct tracked *flow = find(t, e);

	if (!flow) {
		if (what == CT_NEW)
			begin(t, e, now_us);
		return;
	}
	note(flow, e);
	if (came_about(flow) || what == CT_DELETED)
		drop(t, flow);
	else if (what == CT_DESTROY)
		end(t, flow, failed, arg);
}

void flow_track_forget(struct flow_track *t)
{
	t->forgotten += t->n;
	t->n = 0;
	memset(t->table, 0, sizeof(t->table));
}

static bool is_over(const struct tracked *flow, uint64_t now_us)
{
	uint64_t limit = flow->f.flow.proto == IPPROTO_UDP ? FLOW_UDP_US : FLOW_TCP_US;
	return flow->begun_us && now_us >= flow->begun_us + limit;
}

void flow_track_expire(struct flow_track *t, uint64_t now_us, flow_failed_cb failed, void *arg)
{
	if (t->n == 0)
		return;
	for (size_t i = 0; i < FLOW_ROWS * FLOW_WAYS; i++) {
		struct tracked *flow = &t->table[i / FLOW_WAYS][i % FLOW_WAYS];
		bool answered = flow->f.status & IPS_SEEN_REPLY;
		if (is_over(flow, now_us))
			fail(t, flow, answered ? FLOW_STUCK : FLOW_SILENT, failed, arg);
	}
}
