/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

#define ROW(code) [(code) - CODE_SERVICE_PORT_CLOSED]

const struct code_row code_part_service[] = {
	ROW(CODE_SERVICE_PORT_CLOSED) =
		{
			.name = "service-port-closed",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_LOCAL_BOUND_LOOPBACK) =
		{
			.name = "local-bound-loopback",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_UDP_PORT_CLOSED) =
		{
			.name = "service-udp-port-closed",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_SILENT_DROP) =
		{
			.name = "service-silent-drop",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_BACKLOG_FULL) =
		{
			.name = "service-backlog-full",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_ACCEPTS_NO_ANSWER) =
		{
			.name = "service-accepts-no-answer",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_CLOSES_EARLY) =
		{
			.name = "service-closes-early",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_EXPECTS_TLS) =
		{
			.name = "service-expects-tls",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_EXPECTS_PLAINTEXT) =
		{
			.name = "service-expects-plaintext",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_TLS_CERTIFICATE) =
		{
			.name = "service-tls-certificate",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_TLS_PROTOCOL) =
		{
			.name = "service-tls-protocol",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_SERVICE_SLOW) =
		{
			.name = "service-slow",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_NAME_NOT_RESOLVED) =
		{
			.name = "name-not-resolved",
			.class = CODE_CLASS_SERVICE,
		},
	ROW(CODE_HEALTHY) =
		{
			.name = "healthy",
			.class = CODE_CLASS_HEALTHY,
		},
	ROW(CODE_NO_TRAFFIC_OBSERVED) =
		{
			.name = "no-traffic-observed",
			.class = CODE_CLASS_UNDECIDED,
		},
	ROW(CODE_INCONCLUSIVE) =
		{
			.name = "inconclusive",
			.class = CODE_CLASS_UNDECIDED,
		},
	ROW(CODE_INSUFFICIENT_PRIVILEGE) =
		{
			.name = "insufficient-privilege",
			.class = CODE_CLASS_UNDECIDED,
		},
	ROW(CODE_OBSERVER_LIMITED) =
		{
			.name = "observer-limited",
			.class = CODE_CLASS_UNDECIDED,
		},
	ROW(CODE_RECOVERED) =
		{
			.name = "recovered",
			.class = CODE_CLASS_HEALTHY,
		},
	ROW(CODE_CONFIG_CHANGED_DURING_ANALYSIS) =
		{
			.name = "config-changed-during-analysis",
			.class = CODE_CLASS_UNDECIDED,
		},
};
