/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * watch: looks at figures with each report, and says what they mean (trouble.h). What counts is
 * what was added since the look before, at least a second ago.
 */
#include "quic/endpoint.h"
#include "trouble.h"

struct peer;

/* Of one connection, since it began. */
struct watch {
	uint64_t looked_ns;
	uint64_t sent, lost, late; /* as far as they have been judged */
	uint64_t not_its_own;      /* packets */
};

/* Of strangers. */
struct watch_door {
	uint64_t looked_ns;
	uint64_t knocks;
};

struct watch_terms {
	const char *who;
	uint32_t mtu;          /* of the interface */
	uint64_t keepalive_ns; /* so often something is heard */
};

void watch_peer(struct peer *p, const struct watch_terms *terms, struct troubles *t);
void watch_strangers(struct watch_door *d, const struct quic_counters *q, struct troubles *t);
