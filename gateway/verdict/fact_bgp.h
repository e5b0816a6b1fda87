/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_bgp: what FRRouting said. Its reasons for a session's end outlive their cause; whoever makes
 * these facts tells how old they are (frr/show.h).
 */
#include "verdict/fact_node.h"

struct fact_bgp {
	bool configured, daemon; /* daemon: FRR answers, with all daemons that are needed */
	int64_t asn;
	char text[FACT_TEXT_LEN]; /* what is missing */
};

struct fact_bgp_neighbour {
	struct addr address;
	bool concerns;              /* on the way to the target, as far as can be told */
	char state[16];             /* FRR's: "Established", "Active" … */
	char reason[FACT_NAME_LEN]; /* a code of this project: "bgp-wrong-asn" …, "" = none that is
				       fresh */
	bool fresh;          /* the reason is younger than the fault can be (FRR keeps old ones) */
	int64_t reset_age_s; /* -1 */
	char text[FACT_TEXT_LEN];
};

struct fact_bgp_prefix {
	struct prefix prefix;
	struct addr neighbour;
	bool originated;    /* in FRR's table by us, valid */
	bool advertised;    /* among what the neighbour was sent */
	bool pending;       /* … not yet: the session is so young that it may be sent still */
	bool export_policy; /* RFC 8212: false = nothing may be sent */
	char text[FACT_TEXT_LEN];
};
