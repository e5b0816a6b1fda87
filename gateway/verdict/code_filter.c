/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_NOT_ALLOWED]

const struct code_row code_part_filter[] = {
	ROW(CODE_NOT_ALLOWED) =
		{
			.name = "not-allowed",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_FORWARD) =
		{
			.name = "filter-drop-forward",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_REJECT_FORWARD) =
		{
			.name = "filter-reject-forward",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_LEGACY_XTABLES) =
		{
			.name = "filter-drop-legacy-xtables",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_PREROUTING) =
		{
			.name = "filter-drop-prerouting",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_FIB_DROP) =
		{
			.name = "filter-fib-drop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_CT_INVALID_DROP) =
		{
			.name = "filter-ct-invalid-drop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_BRIDGE) =
		{
			.name = "filter-drop-bridge",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_INPUT) =
		{
			.name = "filter-drop-input",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_OUTPUT) =
		{
			.name = "filter-drop-output",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_FILTER_DROP_POSTROUTING) =
		{
			.name = "filter-drop-postrouting",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_TC_OR_XDP_DROP) =
		{
			.name = "tc-or-xdp-drop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_LSM_DROP) =
		{
			.name = "lsm-drop",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_CONNTRACK_TABLE_FULL) =
		{
			.name = "conntrack-table-full",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_CONNTRACK_STALE_NAT) =
		{
			.name = "conntrack-stale-nat",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NAT_NO_SOURCE_ADDRESS) =
		{
			.name = "nat-no-source-address",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NAT_PORT_EXHAUSTED) =
		{
			.name = "nat-port-exhausted",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NAT_HIDES_SOURCE) =
		{
			.name = "nat-hides-source",
			.class = CODE_CLASS_NODE,
		},
	ROW(CODE_NAT_UNEXPECTED_OWNER) =
		{
			.name = "nat-unexpected-owner",
			.class = CODE_CLASS_NODE,
		},
};
