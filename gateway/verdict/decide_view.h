/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_view: evidence as the rules of decide*.c ask about it. Private to this room.
 *
 * Built once for a decision. Facts are looked at in an order of their content, so that the order in
 * which they were collected changes nothing. An answer is a fact, which the rule then cites, or
 * nullptr: "not known". Where something was looked at and is not so, the fact says so itself; that
 * no fact tells of a packet is never taken for "there was no packet".
 *
 * How far packets came is worked out here: a packet that was seen at one place has passed all
 * before it.
 */
#include "verdict/evidence.h"

/* Tables of routes: rtnetlink(7), and where Cloudflare's client keeps its own. */
constexpr int64_t TABLE_MAIN = 254;
constexpr int64_t WARP_TABLE = 65743;

/* The places of a flow's way in their order: to the service, back, and what is said then. */
enum way {
	WAY_NOWHERE,
	WAY_NAME,
	WAY_ENTER,
	WAY_RECEIVE,
	WAY_PREROUTING,
	WAY_ROUTE,
	WAY_FORWARD,
	WAY_POSTROUTING,
	WAY_EGRESS,
	WAY_LAN,
	WAY_SERVICE,
	WAY_BACK_RECEIVE,
	WAY_BACK_PREROUTING,
	WAY_BACK_ROUTE,
	WAY_BACK_FORWARD,
	WAY_BACK_POSTROUTING,
	WAY_BACK_EGRESS,
	WAY_TUNNEL_BACK,
	WAY_TALK,
	WAYS
};

static inline bool origin_is_flow(enum fact_origin origin)
{
	return origin == ORIGIN_REAL || origin == ORIGIN_INJECTED;
}

/* How far the packets of one origin came, and the fact that shows it. */
struct reach {
	enum way begun, any; /* packets that begin a flow and their answers; all packets */
	enum way there;      /* those to the target */
};

struct view {
	const struct evidence *e;
	const struct fact **facts; /* sorted by content */
	size_t n;
	bool v6, tcp, udp, icmp;
	bool outgoing; /* this host's own packets are meant: most of what follows is not there */
	const struct fact *links[ROLES];
	const struct fact *lookups[ASKS];       /* of packets without a mark */
	const struct fact *probes[PROBE_NAMES]; /* of several the one that tells most */
	const struct fact *config, *platform, *bgp, *socket, *neighbour;
	const struct fact *missing[OBSERVERS];
	const char *mesh, *lan; /* names of the interfaces, "" = not known */
	struct reach reach[ORIGINS];
	/* Packets like the mesh's were sent by sockets of this host: they were let in nowhere, and
	 * went another way out (diagnose/range_probe.h). */
	bool by_socket;
	enum way state_reach; /* how far the flow that is meant came */
	bool side_back;       /* something else from the range was answered, through all routes */
};

void view_init(struct view *v, const struct evidence *e);
void view_clear(struct view *v);

/* The next fact of this kind behind *at; begin with 0. */
const struct fact *view_next(const struct view *v, enum fact_kind kind, size_t *at);
/* The index of a fact in the evidence. */
size_t view_index(const struct view *v, const struct fact *f);

/* No more of one kind are told apart (trace/gather.c); beyond, nobody knows of a repeated one. */
constexpr int64_t DISTINCT_MAX = 32;

static inline bool packet_is_repeated(const struct fact_packet *p)
{
	return p->distinct < DISTINCT_MAX && p->count > p->distinct;
}

/* Which packets are asked for; ORIGINS, PACKET_KINDS = any. */
struct packet_query {
	enum fact_origin origin;
	enum fact_point point;
	enum fact_packet_kind packet;
	bool to_target;
};
/* Packets that were seen, of the flow that is meant or of the mesh's own. */
const struct fact *view_packet(const struct view *v, struct packet_query q);
/* It was watched there, and none came. */
const struct fact *view_no_packet(const struct view *v, struct packet_query q);

/* A drop by reason ("" = any; a name that ends with "*" is a beginning) and function (""). */
const struct fact *view_drop(
	const struct view *v, const char *reason, const char *function, bool to_target);
/* The rule that ended a packet of the flow in this direction; not one of the diagnosis itself. */
const struct fact *view_trace(const struct view *v, bool to_target);
const struct fact *view_own_icmp(const struct view *v, int64_t type, int64_t code);
const struct fact *view_condition(const struct view *v, const char *code);
const struct fact *view_condition_of(const struct view *v, const char *code, const char *subject);
/* The condition that tells that the gateway's own tunnel has no edge, or one of which nothing is
 * heard: of a connector, which has one at a time. */
const struct fact *view_edge_away(const struct view *v);

/* What was read of a sysctl, by a key like "net.ipv4.conf.%s.forwarding"; an interface's dots are
 * spelled as sysctl(8) does. */
[[gnu::format(printf, 2, 3)]] const struct fact *view_sysctl(
	const struct view *v, const char *fmt, ...);
/* conf.IF.rp_filter in force: the greater one of all's and the interface's. -1 = not known. */
int64_t view_rp_filter(const struct view *v, const char *interface);
/* 1, 0, -1 = not known. */
int view_forwards(const struct view *v, const char *interface);

/* The counter if it grew; of several names of one meaning give the one of the flow's family. */
const struct fact *view_grew(const struct view *v, const char *name);
const struct fact *view_counter(const struct view *v, const char *name);

/* The flow ends at this host; no LAN has a part in it. */
bool view_ends_here(const struct view *v);
/* The interface of the configuration, or the bridge that it is a port of. */
bool view_is_lan(const struct view *v, const char *interface);
bool view_masqueraded(const struct view *v);
bool view_link_works(const struct view *v, enum fact_role role); /* known to */
/* What became of the probe; OUTCOMES = it was not sent, or nobody knows. */
enum fact_outcome view_outcome(const struct view *v, enum fact_probe_name probe);
/* The flow begins and is answered, through the tunnel's end. */
const struct fact *view_completed(const struct view *v, enum fact_origin origin);
/* Real flows go on although no answer comes by here: another node has the way back. The packet
 * that shows it. */
const struct fact *view_answered_elsewhere(const struct view *v);
/* A caller asks the same again, and the answer to none of them was seen. */
bool view_real_repeats(const struct view *v);
/* A caller of the mesh was seen. */
const struct fact *view_real(const struct view *v);
/* A caller's entry that was answered and is not over; passively none beside one that waits: the
 * answer may be from before. */
const struct fact *view_real_entry(const struct view *v);
bool view_works(const struct view *v);   /* for packets of any origin but this host, or for its */
bool view_entered(const struct view *v); /* packets of the mesh, or like them, were there */
/* What is for the target is routed back into the mesh. */
bool view_turned(const struct view *v);
