/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_TUNNEL_INTERFACE_MISSING]

const struct code_row code_part_tunnel[] = {
	ROW(CODE_TUNNEL_INTERFACE_MISSING) =
		{
			.name = "tunnel-interface-missing",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_INTERFACE_DOWN) =
		{
			.name = "tunnel-interface-down",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_NO_INGRESS) =
		{
			.name = "tunnel-no-ingress",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_REPLICA_PASSIVE) =
		{
			.name = "tunnel-replica-passive",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_NODE_REGISTERED_AS_CLIENT) =
		{
			.name = "node-registered-as-client",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_SOURCE_NOT_IN_RANGES) =
		{
			.name = "tunnel-source-not-in-ranges",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_QUEUE_FULL) =
		{
			.name = "tunnel-queue-full",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_DAEMON_REJECTS_SOURCE) =
		{
			.name = "tunnel-daemon-rejects-source",
			.class = CODE_CLASS_TUNNEL,
		},
	ROW(CODE_TUNNEL_RETURN_LOST) =
		{
			.name = "tunnel-return-lost",
			.class = CODE_CLASS_TUNNEL,
		},
};
