/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_LAN_INTERFACE_MISSING]

const struct code_row code_part_link[] = {
	ROW(CODE_LAN_INTERFACE_MISSING) =
		{
			.name = "lan-interface-missing",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_LAN_INTERFACE_DOWN) =
		{
			.name = "lan-interface-down",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NEIGHBOUR_UNRESOLVED) =
		{
			.name = "neighbour-unresolved",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_NEIGHBOUR_DUPLICATE_ADDRESS) =
		{
			.name = "neighbour-duplicate-address",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_NEIGHBOUR_TABLE_FULL) =
		{
			.name = "neighbour-table-full",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_EGRESS_QUEUE_DROP) =
		{
			.name = "egress-queue-drop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_PROVIDER_SOURCE_CHECK) =
		{
			.name = "provider-source-check",
			.class = CODE_CLASS_LAN,
		},
	ROW(CODE_PMTU_BLACKHOLE_LAN) =
		{
			.name = "pmtu-blackhole-lan",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_PMTU_ERRORS_FILTERED_LOCALLY) =
		{
			.name = "pmtu-errors-filtered-locally",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_PMTU_BLACKHOLE_TUNNEL) =
		{
			.name = "pmtu-blackhole-tunnel",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_MSS_NOT_CLAMPED) =
		{
			.name = "mss-not-clamped",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_TTL_EXPIRED) =
		{
			.name = "ttl-expired",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_CHECKSUM_BAD_IP) =
		{
			.name = "checksum-bad-ip",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_CHECKSUM_BAD_L4) =
		{
			.name = "checksum-bad-l4",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_FRAGMENTS_LOST) =
		{
			.name = "fragments-lost",
			.class = CODE_CLASS_TUNNEL,
		},
};
