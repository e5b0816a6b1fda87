/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * injection: which packets are to imitate a flow of the mesh, and when. Pure.
 *
 * Each packet has a source port (ICMP: an identifier) of its own, so that no late answer to one is
 * taken for that of another, and everything with one of these ports is known to be ours. A second
 * attempt tells one lost packet from a path that loses all; a packet to a port that should be
 * closed tells a filter from a missing way back; small TTLs tell how far it came; a large one tells
 * of a path that takes small ones only. What comes late in the schedule is only sent if the answers
 * have not ended the diagnosis before.
 */
#include "verdict/evidence.h"

enum injection_kind { INJECT_SYN, INJECT_UDP, INJECT_ECHO, INJECT_KINDS };
const char *injection_kind_str(enum injection_kind kind); /* "syn" */

struct injection {
	enum fact_probe_name probe;
	enum injection_kind kind;
	uint16_t source_port;
	uint16_t port; /* 0 for an echo */
	uint8_t ttl;
	uint16_t size; /* of the IP packet, bytes; 0 = as small as can be */
	uint32_t at_ms;
};

constexpr size_t INJECTIONS_MAX = 12;
constexpr uint16_t INJECTION_SIZE_MAX = 1500; /* trace/build.h */
struct injections {
	struct injection list[INJECTIONS_MAX];
	size_t n;
	uint16_t first_port, last_port; /* all source ports, one behind the other */
};

/* seed: any number, another one each time; flows with the next few seeds share no port. */
void injections_plan(const struct flow *flow, uint32_t seed, struct injections *out);
/* The same, with no port of the others'. */
void injections_plan_beside(const struct flow *flow, uint32_t seed,
	const struct injections *const others[], size_t n, struct injections *out);
/* The large ones are as large as the mesh interface takes; mtu: 0 or less = not known. */
void injections_fit(struct injections *set, int64_t mtu);
/* The mesh's packets cannot be imitated: those that begin the flow are sent by sockets instead
 * (range_probe.h), and nothing else is. */
void injections_from_sockets(struct injections *set);
/* Another port than the flow's, at which nobody should listen. */
uint16_t injection_other_port(const struct flow *flow);
const struct injection *injection_of_port(const struct injections *set, uint16_t source_port);
