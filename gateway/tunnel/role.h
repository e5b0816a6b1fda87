/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * role: what connector and edge have to differ in. Each is an object behind this table; tunnel.h
 * does what both have in common and calls it, never from inside another call.
 */
#include "config.h"
#include "lane.h"
#include "losses.h"
#include "pump.h"
#include "roll.h"
#include "trouble.h"

/* What a role works with; the tunnel's, all of it outlives the role. */
struct role_host {
	sd_event *event;
	const struct tunnel_config *config;
	struct pump *pump;
	struct tun *tun;
	struct quic_endpoint *endpoint;
	struct roll *roll;  /* nullptr: there is none */
	const char *daemon; /* its socket */
	struct troubles *troubles;
	struct losses *losses; /* of packets that the role has taken */
	/* told and turn of a lane; requested is the role's own. */
	struct lane_events lane_events;
	/* Something that the report shows has changed. */
	void (*changed)(void *arg);
	void *arg;
};

struct role {
	bool waits; /* one peer: when its window is full, the kernel's packets wait in the TUN */
	void *(*start)(const struct role_host *host);
	void (*stop)(void *role);
	/* The configuration moves; it differs in what tunnel_config_reloads() says. */
	void (*reload)(void *role, const struct tunnel_config *config);
	/* The pump has other sockets; nullptr: the role cannot do with others. */
	void (*resocketed)(void *role, uint64_t now_ns);
	/* Is the peer there, or as good as lost? Until then packets wait in the TUN; a turn comes
	 * when it changes. */
	bool (*ready)(const void *role);
	/* Where a packet of the kernel goes; nullptr = nowhere, unless *taken: the role has a copy
	 * for somebody who is not there yet, or has counted it. */
	struct lane *(*find)(
		void *role, const struct packet_bytes *packet, uint64_t now_ns, bool *taken);
	/* Another one between the same two, right behind it: may it go, too? nullptr = yes. */
	bool (*again)(void *role, struct lane *l, size_t bytes, uint64_t now_ns);
	/* The lane of a stream, nullptr = none. */
	void (*established)(void *role, struct quic_connection *c, const struct quic_peer *peer);
	void (*closed)(void *role, struct quic_connection *c, const struct quic_closed *why);
	void (*moved)(void *role, struct quic_connection *c, const struct quic_path *path);
	void (*silent)(void *role, struct quic_connection *c, bool silent); /* may be nullptr */
	void (*stranded)(void *role, struct quic_connection *c);            /* may be nullptr */
	void (*traced)(void *role, struct quic_connection *c);              /* may be nullptr */
	void (*request)(void *role, struct quic_stream *s, const struct quic_request *request);
	/* Of a request without a lane: is it kept until there is one? nullptr: nothing is. */
	bool (*early)(void *role, struct quic_stream *s, const uint8_t *bytes, size_t n, bool fin);
	void (*response)(void *role, struct quic_stream *s, const struct quic_response *response);
	void (*ended)(void *role, struct quic_stream *s, enum quic_end end, uint64_t code);
	/* An array of objects, one of each peer (README.md). */
	int (*report)(void *role, sd_json_variant **out);
	/* An object of what else this role has to tell, under its own name. */
	int (*status)(void *role, sd_json_variant **out);
	/* As edge_promote(); nullptr = this role has nobody to promote. */
	int (*promote)(void *role, const char *node, const char *replica);
	/* What the peers told and we took. */
	const struct lane_told *(*told)(void *role);
};

extern const struct role connector_role, edge_role;
