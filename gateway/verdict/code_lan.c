/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_UPSTREAM_SILENT]

const struct code_row code_part_lan[] = {
	ROW(CODE_UPSTREAM_SILENT) =
		{
			.name = "upstream-silent",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_UPSTREAM_RETURN_ROUTE_MISSING) =
		{
			.name = "upstream-return-route-missing",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_UPSTREAM_FILTERS_RANGE) =
		{
			.name = "upstream-filters-range",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_UPSTREAM_ICMP_UNREACHABLE) =
		{
			.name = "upstream-icmp-unreachable",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_UPSTREAM_ADMIN_PROHIBITED) =
		{
			.name = "upstream-admin-prohibited",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_ASYMMETRIC_PATH) =
		{
			.name = "asymmetric-path",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_DAEMON_DOWN) =
		{
			.name = "bgp-daemon-down",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_BGP_SESSION_DOWN) =
		{
			.name = "bgp-session-down",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_WRONG_ASN) =
		{
			.name = "bgp-wrong-asn",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_AUTH_MISMATCH) =
		{
			.name = "bgp-auth-mismatch",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_NEIGHBOUR_UNREACHABLE) =
		{
			.name = "bgp-neighbour-unreachable",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_MAX_PREFIX) =
		{
			.name = "bgp-max-prefix",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_ADMIN_SHUTDOWN) =
		{
			.name = "bgp-admin-shutdown",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_BGP_NO_EXPORT_POLICY) =
		{
			.name = "bgp-no-export-policy",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_BGP_PREFIX_NOT_ORIGINATED) =
		{
			.name = "bgp-prefix-not-originated",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_BGP_PREFIX_FILTERED_LOCALLY) =
		{
			.name = "bgp-prefix-filtered-locally",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_BGP_ADVERTISED_NOT_USED) =
		{
			.name = "bgp-advertised-not-used",
			.class = CODE_CLASS_LAN,
		},
};
