/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hub: the edge's own state, for its files only.
 *
 * edge.c holds life, packets and reports; member.c connections, and who they are; admission.c their
 * requests, and what an open one is told; naming.c those that are for a name, until it is resolved.
 */
#include "connip/bucket.h"
#include "connip/request.h"
#include "edge/edge.h"
#include "peer.h"
#include "recall.h"
#include "role.h"
#include "roster.h"
#include "waiting.h"

/* One connection. */
struct member {
	struct member *next;
	struct hub *hub;
	struct peer peer;
	char who[64];             /* node and replica, or the address */
	struct edge_member *seat; /* while it has a lane that counts */
	unsigned line;            /* of the roll */
	struct bucket requests;
	struct naming *naming; /* of a request that is not answered yet; nullptr = there is none */
};

struct hub {
	struct role_host host;
	struct lane_events lane_events;
	struct template *template;
	struct roster *roster;
	struct edge *edge;
	struct member *members;
	struct recall *recall;  /* of those who were there before us; nullptr = of nobody */
	struct waiting waiting; /* for them */
	struct resolver *resolver;
	sd_event_source *relief_timer;
};

/* edge.c */
/* Its lane is open: what waited for it goes. */
void member_deliver(struct member *m);

/* member.c */
extern const struct edge_events hub_edge_events;
void member_identify(struct member *m);
const char *member_name(const struct member *m); /* nullptr is allowed */
/* Its lane counts no more. */
void member_leave(struct member *m);
/* Where the active replica is silent another one goes on that answers; ask: now. To be called
 * whenever somebody became active, silent, or not silent any more. */
void hub_relieve(struct hub *h, bool ask);
void hub_prepare_relief(struct hub *h); /* before anything else of these */
void hub_silent(void *role, struct quic_connection *c, bool silent);
void hub_established(void *role, struct quic_connection *c, const struct quic_peer *peer);
void hub_closed(void *role, struct quic_connection *c, const struct quic_closed *why);
void hub_traced(void *role, struct quic_connection *c);
void hub_moved(void *role, struct quic_connection *c, const struct quic_path *path);

/* admission.c */
void hub_requested(void *role, struct lane *l, const struct connip_address *list, size_t n);
void hub_request(void *role, struct quic_stream *s, const struct quic_request *r);
void hub_ended(void *role, struct quic_stream *s, enum quic_end end, uint64_t code);
/* What a request is answered. */
struct admission {
	enum request_verdict verdict;
	const char *detail;             /* nullptr = what is known of the verdict */
	const struct scope *scope;      /* if it is accepted */
	struct connip_prefixes targets; /* … and has one */
};
/* m: nullptr is allowed if it is refused. */
void hub_admit(struct hub *h, struct member *m, struct quic_stream *s, const struct admission *a);
/* Another configuration: only what has changed is told. */
void member_refresh(struct member *m, bool advertises);

/* naming.c */
/* Its target is a name, which is asked for: the answer comes later. False: it comes now, and is in
 * *a. */
[[nodiscard]] bool member_name_first(struct member *m, struct quic_stream *s, struct admission *a);
/* The request is over, if there is one that is not answered yet; and: if it is this one. */
void member_unname(struct member *m);
void hub_unname(const struct quic_stream *s);
bool hub_early(void *role, struct quic_stream *s, const uint8_t *bytes, size_t n, bool fin);
