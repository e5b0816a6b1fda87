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
 * It removes only what carries a mark of ours. Foreign statements it never changes; what about
 * them a person should know are findings. `router bgp` is removed only when the caller says that
 * we created it and nothing foreign is left in it.
 */
#include "frr/running.h"
#include "frr/script.h"

enum frr_finding_code {
	FRR_FOUND_OTHER_ASN,        /* router bgp has another number: nothing of BGP is written */
	FRR_FOUND_OTHER_ROUTER_ID,  /* a foreign router bgp has another router-id; it stays */
	FRR_FOUND_FOREIGN_NEIGHBOR, /* at a configured address, without adopt: left alone */
	FRR_FOUND_FOREIGN_POLICY,   /* what is foreign at a neighbour of ours: peer-group … */
	FRR_FOUND_FOREIGN_STATIC,   /* the same static without our tag: used */
	FRR_FOUND_FOREIGN_NETWORK,  /* the same network without our route-map: used */
	FRR_FOUND_LEAK,             /* a foreign neighbour that is sent the ranges */
	FRR_FOUND_IMPORT_CHECK_OFF, /* announced even without a route */
	FRR_FINDING_CODES,          /* number of codes */
};
const char *frr_finding_code_str(enum frr_finding_code code);

struct frr_finding {
	enum frr_finding_code code;
	struct frr_mark mark;
	struct addr neighbor; /* AF_UNSPEC = none, or named by peer */
	struct prefix prefix; /* FOREIGN_STATIC, FOREIGN_NETWORK */
	uint32_t asn;         /* OTHER_ASN: the running one */
	char peer[64];        /* LEAK, FOREIGN_POLICY: neighbour or interface, as FRR names it */
	char text[160];       /* the foreign statement, safe to show; "" = none */
};

struct frr_diff_input {
	const struct frr_model *model; /* nullptr = remove everything of ours */
	const struct frr_running *running;
	bool bgp_ours; /* we created `router bgp` (remembered by the caller) */
	/* Statics of ours that the RIB has though `running` may not show them (show.h): after a
	 * restart of mgmtd they can be removed only by adding them first. */
	const struct prefix *installed;
	size_t n_installed;
	const char *installed_interface;
};

struct frr_diff {
	struct frr_script script; /* from `configure terminal` to `end`; no lines = nothing to do */
	struct frr_finding *findings;
	size_t n_findings;
	bool creates_bgp; /* the script makes `router bgp`: remember it before applying */
	bool removes_bgp; /* the script removes it: forget it once it is gone */
};

void frr_diff(const struct frr_diff_input *input, struct frr_diff *out);
void frr_diff_clear(struct frr_diff *diff);
