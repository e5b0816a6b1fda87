/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flow_cause.h"
#include "conf/admits.h"
#include "daemon/clock.h"
#include "daemon/testify.h"
#include "diagnose/glance.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>

static void add_packet(struct evidence *e, enum fact_point point, enum fact_packet_kind kind,
	bool to_target, const char *interface)
{
	struct fact_packet *f = &evidence_add(e, FACT_PACKET)->packet;

	f->origin = ORIGIN_REAL;
	f->point = point;
	f->packet = kind;
	f->to_target = to_target;
	f->count = f->distinct = 1;
	snprintf(f->interface, sizeof(f->interface), "%s", interface);
}

static enum fact_packet_kind first_packet(const struct flow_failure *f)
{
	if (f->flow.proto == IPPROTO_TCP)
		return PACKET_SYN;
	return f->flow.proto == IPPROTO_UDP ? PACKET_UDP : PACKET_ECHO;
}

void flow_cause_tell(const struct flow_failure *f, bool own, struct evidence *e)
{
	struct fact_conntrack *c = &evidence_add(e, FACT_CONNTRACK)->conntrack;

	c->origin = ORIGIN_REAL;
	c->seen_reply = f->status & IPS_SEEN_REPLY;
	c->assured = f->status & IPS_ASSURED;
	c->source_nat = f->status & IPS_SRC_NAT;
	c->destination_nat = f->status & IPS_DST_NAT;
	c->reply_to = f->reply_to;
	snprintf(c->state, sizeof(c->state), "%s", ct_tcp_state_str(f->tcp_state));
	add_packet(e, POINT_TUN_IN, first_packet(f), true, e->mesh);
	add_packet(e, own ? POINT_HOST : POINT_LAN_OUT, first_packet(f), true, own ? "" : e->lan);
	if (own)
		return;
	if (f->end == FLOW_STUCK)
		add_packet(e, POINT_LAN_IN, PACKET_SYN_ACK, false, e->lan);
	if (f->end == FLOW_REFUSED)
		add_packet(e, POINT_LAN_IN, PACKET_RST, false, e->lan);
}

void flow_cause(const struct server_context *c, const struct config *config,
	const struct flow_failure *f, struct verdict *out)
{
	const struct config_range *range = config_range_of(config, &f->flow.from);
	struct evidence e = {.at_us = clock_realtime_us()};
	const struct gateway *g = c->reload->gateway;

	e.flow = (struct flow){.proto = f->flow.proto,
		.client = f->flow.from,
		.target = f->flow.to,
		.port = f->flow.to_port};
	snprintf(e.flow.from, sizeof(e.flow.from), "%s",
		range ? range_class_str(range->class) : "address");
	glance_collect(config, &e);
	flow_cause_tell(f, observed_is_own(&g->seen, &f->flow.to), &e);
	testify_config(g, config, &e);
	testify_conditions(c->conditions, &e);
	if (c->frr)
		testify_bgp(c->frr, &e);
	verdict_decide(&e, out);
	evidence_clear(&e);
}
