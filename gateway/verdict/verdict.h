/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * verdict: one cause for a flow that fails, with the evidence that proves it.
 *
 * Pure: evidence in, verdict out, the same bytes for the same evidence, in any order of its facts.
 * The decision follows the packet: did it enter, did it leave, did an answer come, did it leave
 * into the tunnel, what did the service do (decide*.c). The first fault on the way is the cause;
 * one further on that would stop the flow as well is `next`; what merely follows from the cause
 * (redirects, expired TTLs, repeated segments) is a consequence and never a cause.
 *
 * Taking facts away may make a verdict weaker (likely, inconclusive with candidates), and never
 * turn it into another cause: silence of an observer is not evidence. A cause is certain only when
 * something was seen or told that nothing else explains.
 */
#include "verdict/code.h"
#include "verdict/evidence.h"

enum confidence {
	CONFIDENCE_CERTAIN,
	CONFIDENCE_LIKELY,       /* explains everything that was seen; one step was not seen */
	CONFIDENCE_UNDETERMINED, /* a family of causes, which this node cannot tell apart */
	CONFIDENCE_INCONCLUSIVE, /* more evidence is needed: candidates */
	CONFIDENCES,
};
const char *confidence_str(enum confidence c);

/* The part of the way where the flow ends, for the picture. */
enum verdict_point {
	AT_NOWHERE, /* healthy, or not known */
	AT_CALLER,
	AT_TUNNEL,
	AT_MESH_INTERFACE,
	AT_GATEWAY,
	AT_LAN_INTERFACE,
	AT_LAN,
	AT_SERVICE,
	AT_LAN_RETURN,
	AT_LAN_INTERFACE_RETURN,
	AT_GATEWAY_RETURN,
	AT_MESH_INTERFACE_RETURN,
	AT_TUNNEL_RETURN,
	ATS,
};
const char *verdict_point_str(enum verdict_point at); /* "gateway-return" */

constexpr size_t VERDICT_CANDIDATES = 8;
constexpr size_t VERDICT_ATTRIBUTES = 16;
constexpr size_t VERDICT_EVIDENCE = 24;
constexpr size_t VERDICT_CONSEQUENCES = 8;

struct verdict_attribute {
	char name[16]; /* "by", "table", "chain", "handle", "rule", "prefix", "peer", "sysctl" … */
	char value[FACT_TEXT_LEN];
};

struct verdict {
	enum code code;
	enum confidence confidence;
	enum code candidates[VERDICT_CANDIDATES]; /* codes still possible, most likely first; for a
						     decided verdict none */
	size_t n_candidates;
	enum verdict_point at;
	char summary[FACT_SAYS_LEN]; /* one sentence about this flow */
	struct verdict_attribute attributes[VERDICT_ATTRIBUTES];
	size_t n_attributes;
	size_t evidence[VERDICT_EVIDENCE]; /* indices of the facts that were used, most telling
					      first */
	size_t n_evidence;
	char consequences[VERDICT_CONSEQUENCES][FACT_TEXT_LEN];
	size_t n_consequences;
	enum code next; /* the further fault, CODES = none */
	char next_summary[FACT_SAYS_LEN];
	enum fact_observer wanted[OBSERVERS]; /* what was missing and would have told more */
	size_t n_wanted;
	bool both_covered; /* the remedy repairs `next` as well */
};

void verdict_decide(const struct evidence *e, struct verdict *out);

const char *verdict_attribute(const struct verdict *v, const char *name); /* nullptr = none */

/* The remedy with the attributes of this verdict put in: one sentence, and commands. */
struct verdict_remedy {
	char text[FACT_SAYS_LEN];
	char commands[CODE_COMMANDS][FACT_SAYS_LEN];
	size_t n_commands;
	bool applicable; /* `meshgw fix CODE` can do it here */
};
void verdict_remedy(const struct verdict *v, const struct evidence *e, struct verdict_remedy *out);

/* The object that `meshgw diagnose --json` prints: id, code, class, confidence, point, title,
 * summary, flow, client, from, meshInterface, lanInterface, candidates, attributes, evidence
 * [{source, says, command}], consequences, next (null, or a code with nextSummary and bothCovered),
 * remedy {text, commands, applicable}, wanted. All texts are printable ASCII. 0 or -errno. */
[[nodiscard]] int verdict_to_json(
	const struct verdict *v, const struct evidence *e, sd_json_variant **out);
