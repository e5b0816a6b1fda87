/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * evidence: all facts about one flow, and the flow itself: what a verdict is made from.
 *
 * Whoever collects adds facts (gateway/diagnose); the order means nothing. The JSON form is what a
 * bundle holds, and has a version: a reader refuses one that it does not know.
 */
#include "verdict/fact.h"

constexpr int64_t EVIDENCE_VERSION = 1;
constexpr size_t EVIDENCE_FACTS_MAX = 4096;
constexpr size_t EVIDENCE_ID_LEN = 40;

enum flow_scheme { SCHEME_NONE, SCHEME_HTTP, SCHEME_HTTPS, SCHEMES };

struct flow {
	uint8_t proto;      /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
	struct addr client; /* whose packets are meant: an address of the mesh */
	char from[16];      /* class of the client: "workers", "devices" …, "address"; or
				FLOW_FROM_GATEWAY: this host itself, as for the HTTP bridge */
	struct addr target;
	uint16_t port; /* 0 for ICMP */
	enum flow_scheme scheme;
	char host[256]; /* name, where the target was given by one; "" */
	char path[256]; /* of a URL */
};

#define FLOW_FROM_GATEWAY "gateway"

struct evidence {
	char id[EVIDENCE_ID_LEN];
	uint64_t at_us; /* CLOCK_REALTIME, when it began; shown only */
	uint64_t took_us;
	struct flow flow;
	char mesh[IFNAMSIZ], lan[IFNAMSIZ]; /* interfaces of the configuration; "" */
	bool passive;                       /* nothing was sent */
	bool changed; /* rules, routes or the configuration changed meanwhile */
	struct fact *facts;
	size_t n, cap;
};

/* A fact of this kind with "not told" in every field (fact_init()), to be filled until the next
 * call. Beyond EVIDENCE_FACTS_MAX it goes nowhere. */
struct fact *evidence_add(struct evidence *e, enum fact_kind kind);
void evidence_clear(struct evidence *e);
/* All facts of another one as well. */
void evidence_take(struct evidence *to, const struct evidence *from);

/* The next fact of a kind behind *at (begin with 0); nullptr = no more. */
const struct fact *evidence_next(const struct evidence *e, enum fact_kind kind, size_t *at);

[[nodiscard]] int evidence_to_json(const struct evidence *e, sd_json_variant **out);
/* *out must be empty, and is so on failure. */
[[nodiscard]] int evidence_from_json(sd_json_variant *v, struct evidence *out, struct err *err);

/* TARGET of the command line: "10.0.1.50:3000", "[2001:db8::50]:3000", "udp://…", "icmp://ADDR",
 * "http(s)://HOST[:PORT]/…". A host that is a name is left in flow->host, with target AF_UNSPEC.
 * 0, or -EINVAL with a sentence. */
[[nodiscard]] int flow_parse(const char *text, struct flow *out, struct err *err);
/* Packets that this host sends itself: nothing enters by the tunnel, and nothing is forwarded. */
[[nodiscard]] bool flow_is_outgoing(const struct flow *f);
constexpr size_t FLOW_STRLEN = 320;
/* Safe to show. */
const char *flow_str(const struct flow *f, char buf[static FLOW_STRLEN]); /* "tcp 10.0.1.50:3000" */
[[nodiscard]] int flow_to_json(const struct flow *f, sd_json_variant **out);
