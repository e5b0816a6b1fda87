/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_FORWARDING_DISABLED]

const struct code_row code_part_path[] = {
	ROW(CODE_FORWARDING_DISABLED) =
		{
			.name = "forwarding-disabled",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FORWARDING_DISABLED_ON_INTERFACE) =
		{
			.name = "forwarding-disabled-on-interface",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RP_FILTER_STRICT) =
		{
			.name = "rp-filter-strict",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RP_FILTER_NO_ROUTE) =
		{
			.name = "rp-filter-no-route",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RP_FILTER_MARK_BLIND) =
		{
			.name = "rp-filter-mark-blind",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_MARTIAN_SOURCE) =
		{
			.name = "martian-source",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_SOURCE_IS_OWN_ADDRESS) =
		{
			.name = "source-is-own-address",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_MARTIAN_DESTINATION) =
		{
			.name = "martian-destination",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_IPV6_DISABLED) =
		{
			.name = "ipv6-disabled",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NO_ROUTE_TO_DESTINATION) =
		{
			.name = "no-route-to-destination",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_UNREACHABLE) =
		{
			.name = "route-unreachable",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_BLACKHOLE) =
		{
			.name = "route-blackhole",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_PROHIBIT) =
		{
			.name = "route-prohibit",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_HAIRPIN_TUNNEL) =
		{
			.name = "route-hairpin-tunnel",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_WRONG_EGRESS) =
		{
			.name = "route-wrong-egress",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTE_LINKDOWN) =
		{
			.name = "route-linkdown",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RETURN_ROUTE_MISSING) =
		{
			.name = "return-route-missing",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RETURN_ROUTE_SHADOWED) =
		{
			.name = "return-route-shadowed",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_ROUTING_LOOP) =
		{
			.name = "routing-loop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_POLICY_RULE_CAPTURES_RETURN) =
		{
			.name = "policy-rule-captures-return",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_WARP_TABLE_CAPTURES_LAN) =
		{
			.name = "warp-table-captures-lan",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_CGNAT_OVERLAP) =
		{
			.name = "cgnat-overlap",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_RANGE_OVERLAPS_LAN) =
		{
			.name = "range-overlaps-lan",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_VRF_MISMATCH) =
		{
			.name = "vrf-mismatch",
			.class = CODE_CLASS_NODE,
		},
};
