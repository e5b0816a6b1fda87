/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_stories: flows that fail, as the evidence about them, and what is to be said about each.
 * Each begins with the healthy gateway of evidence_build.h.
 */
#include "verdict/verdict.h"

struct story {
	const char *name;
	const char *facts; /* what is other than healthy, for evidence_change() */
	enum code code;
	enum confidence confidence;
	enum code next;        /* 0 = none */
	const char *attribute; /* "name=value" that the verdict must have; nullptr */
	uint8_t proto;         /* 0 = TCP */
	enum flow_scheme scheme;
	bool six, passive, changed;
	const char *client, *target; /* other than usual */
	enum code candidate;         /* must be among them; 0 = none */
	bool covered;                /* both_covered */
	uint64_t took_us;
	/* It concerns packets of the mesh that the injected ones are not like: without a fact about
	 * those, what these tell is rightly said. */
	bool only_real;
	bool outgoing; /* this host's own packets are meant */
};

struct stories {
	const struct story *list;
	size_t n;
};
extern const struct stories stories_gateway, stories_filter, stories_lan, stories_beyond,
	stories_service, stories_decoys, stories_callers, stories_outgoing, stories_tunnel;

/* What every flow has that ends inside, beyond the gateway, or inside on its way back. */
#define UNANSWERED                                              \
	"probe probe=injected outcome=silent answered=0|"       \
	"probe probe=injected-other outcome=silent answered=0|" \
	"probe probe=injected-echo outcome=silent answered=0|"
#define DIES_INSIDE "-packet point=lan-out|-packet point=lan-in|-packet point=tun-out|" UNANSWERED
#define DIES_BEYOND "-packet point=lan-in|-packet point=tun-out|" UNANSWERED
#define DIES_ON_RETURN "-packet point=tun-out|" UNANSWERED
#define NO_INJECTION                                                                 \
	"-packet origin=injected|-probe probe=injected|-probe probe=injected-other|" \
	"-probe probe=injected-echo|"
#define NO_PROBES                                                                     \
	NO_INJECTION "-probe probe=own|-probe probe=own-other|-probe probe=own-echo|" \
		     "-probe probe=link|"
