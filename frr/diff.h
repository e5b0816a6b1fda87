/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diff: from what runs to what is wanted.
 *
 * Compares a model (nullptr: nothing of ours shall be left) with a running configuration and
 * writes the vtysh script that leads from one to the other, in an order that is safe at every
 * step: a policy exists before the neighbour that uses it, and goes after it. Applying the script
 * and reading again gives an empty script; a change of one neighbour resets no other session.
 *
 * It removes only what carries a mark of ours, and at a neighbour of ours what would let more than
 * the ranges out (a default-originate, a peer-group). Other foreign statements it never changes;
 * what about them a person should know are findings. `router bgp` and an empty `bfd` are removed
 * only when the caller remembers that we created them and nothing foreign is left inside.
 */
#include "frr/running.h"
#include "frr/script.h"

enum frr_finding_code {
	FRR_FOUND_OTHER_ASN,        /* router bgp has another number: nothing is written */
	FRR_FOUND_OTHER_ROUTER_ID,  /* a foreign router bgp has another router-id; it stays */
	FRR_FOUND_FOREIGN_NEIGHBOR, /* at a configured address, without adopt: left alone */
	FRR_FOUND_DYNAMIC_NEIGHBOR, /* there by a foreign `bgp listen range`, adopt or not */
	FRR_FOUND_FOREIGN_SETTING,  /* at a neighbour of ours: left, or removed when it leaks */
	FRR_FOUND_FOREIGN_STATIC,   /* of a range, without our tag: used, whatever it says */
	FRR_FOUND_FOREIGN_NETWORK,  /* network statement of a range without our route-map: used */
	FRR_FOUND_LEAK,             /* a foreign neighbour whose policy lets a range out */
	FRR_FOUND_IMPORT_CHECK_OFF, /* FRR announces what it has no route for */
	FRR_FINDING_CODES,          /* number of codes */
};
const char *frr_finding_code_str(enum frr_finding_code code);

struct frr_finding {
	enum frr_finding_code code;
	struct frr_mark mark;
	struct prefix prefix; /* FOREIGN_STATIC, FOREIGN_NETWORK, LEAK: the first that gets out;
			       * DYNAMIC_NEIGHBOR: the range */
	uint32_t asn;         /* OTHER_ASN: the running one */
	char peer[64];        /* neighbour, interface or peer-group, as FRR names it; "" = none */
	char text[160];       /* the foreign statement, safe to show, no secret; "" = none */
};

/* What of the blocks that we share with others we created ourselves. The caller remembers it. */
struct frr_created {
	bool bgp, bfd;
};

/* A neighbour that has come by itself (show.h). */
struct frr_dynamic {
	struct addr address;
	struct prefix range;
};

struct frr_diff_input {
	const struct frr_model *model; /* nullptr = remove everything of ours */
	const struct frr_running *running;
	struct frr_created created;
	/* Daemons that do not run: what only they could take is neither written nor missed. */
	bool missing[FRR_DAEMONS];
	/* Statics of ours that the RIB has (show.h), by the mesh interface. After a restart of
	 * mgmtd `running` may not show them, and they can be removed only by adding them first. */
	const struct prefix *installed;
	size_t n_installed;
	const char *installed_interface;
	const struct frr_dynamic *dynamic;
	size_t n_dynamic;
};

struct frr_diff {
	struct frr_script script; /* `configure terminal` to `end`; no lines = nothing to do */
	struct frr_finding *findings;
	size_t n_findings, cap_findings;
	/* Neighbours that the script makes: until it is taken to its end, they may lack our mark.
	 */
	struct addr *begun;
	size_t n_begun, cap_begun;
	/* When the script was taken: remember it. Remember a true one before applying already. */
	struct frr_created created;
};

void frr_diff(const struct frr_diff_input *input, struct frr_diff *out);
void frr_diff_clear(struct frr_diff *diff);
