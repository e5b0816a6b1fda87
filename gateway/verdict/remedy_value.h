/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * remedy_value: what the templates of remedies (code_part.h) may ask for: the attributes of the
 * verdict, what a flow tells (flow_value.h), and what is derived from both. Private to this room.
 *
 *   range network mesh lan            of the configuration, else of the flow and the evidence
 *   put, at                           "insert" and "I" in front of the rule to blame (handle),
 *                                     "add" and "A" where it is the chain's policy
 *   l4 tcp udp echo                   the flow's protocol, in words of nft and iptables; missing
 *                                     when it is another
 *   entry                             the prefix of the route to blame, where it may go (entry.h)
 *   uncovered uncoveredRange          the network, the range, where that route covers more
 *   refusingRule                      the whole policy rule to blame, if it refuses
 *   asker, stale                      the caller, if one was asked for; "others" if not
 *   untranslated                      the asker of a masqueraded flow without connections
 *   acceptRa captive wanted configuration iptables link
 *   tunnel                            "own" where meshgw-tunnel reads the mesh interface, "other"
 */
#include "verdict/field.h"
#include "verdict/verdict.h"

struct remedy_subject {
	const struct verdict *verdict;
	const struct evidence *evidence;
};

/* find() of template.h; of is a struct remedy_subject. */
const char *remedy_value(const void *of, const char *name, char buf[static FIELD_STRLEN]);
