/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * condition: what is not as it should be, in stable words.
 *
 * A condition is a code out of one table, a subject (an interface, a prefix) and a sentence.
 * The list is made anew at each pass; a condition that was there before keeps its `since`, and
 * each one that comes or goes is logged once. Codes are never renamed: scripts match them.
 * Codes that name a packet's fate are those of the diagnosis.
 */
#include <stddef.h>
#include <stdint.h>

enum condition_code {
	COND_UNCONFIGURED,
	COND_TAKEN_DOWN,
	COND_CONFIG_INVALID,
	COND_CONFIG_UNREADABLE,
	COND_CONFIG_MISSING,
	COND_CONFIG_NOT_APPLIED,
	COND_CONFIRM_PENDING,
	COND_ROLLED_BACK,
	COND_STATE_NOT_SAVED,
	COND_CAPABILITY_MISSING,
	COND_KERNEL_FEATURE_MISSING,
	COND_OBSERVER_LIMITED,
	COND_TUNNEL_INTERFACE_MISSING,
	COND_TUNNEL_INTERFACE_DOWN,
	COND_TUNNEL_QUEUE_FULL,
	COND_LAN_INTERFACE_MISSING,
	COND_LAN_INTERFACE_DOWN,
	COND_IPV6_DISABLED,
	COND_FORWARDING_DISABLED,
	COND_RP_FILTER_STRICT,
	COND_RANGE_OVERLAPS_LAN,
	COND_RETURN_ROUTE_MISSING,
	COND_RETURN_ROUTE_SHADOWED,
	COND_POLICY_RULE_CAPTURES_RETURN,
	COND_WARP_TABLE_CAPTURES_LAN,
	COND_ROUTE_WRONG_EGRESS,
	COND_NO_ROUTE_TO_DESTINATION,
	COND_ROUTE_REFUSED,
	COND_NAT_NO_SOURCE_ADDRESS,
	COND_NFT_TABLE_MISSING,
	COND_NFT_TABLE_TAKEN,
	COND_NFT_TABLE_UNOWNED,
	COND_STATE_CONTESTED,
	COND_RETURN_PATH_UNPROVEN,
	COND_FRR_NOT_INSTALLED,
	COND_BGP_DAEMON_DOWN,
	COND_FRR_NOT_ANSWERING,
	COND_FRR_CONFIG_LOCKED,
	COND_FRR_CONFIG_REJECTED,
	COND_FRR_NOT_IN_PLACE,
	COND_FRR_ASN_MISMATCH,
	COND_FRR_NEIGHBOR_FOREIGN,
	COND_BGP_PASSWORD_UNREADABLE,
	COND_BGP_SESSION_DOWN,
	COND_BGP_NEIGHBOUR_UNREACHABLE,
	COND_BGP_WRONG_ASN,
	COND_BGP_AUTH_MISMATCH,
	COND_BGP_MAX_PREFIX,
	COND_BGP_ADMIN_SHUTDOWN,
	COND_BGP_NO_EXPORT_POLICY,
	COND_BGP_PREFIX_NOT_ORIGINATED,
	COND_BGP_PREFIX_FILTERED_LOCALLY,
	COND_BGP_ADVERTISED_NOT_USED,
	COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR,
	COND_FRR_IMPORT_CHECK_OFF,
	COND_FRR_SAVED,
	COND_FRR_STATIC_FOREIGN,
	COND_CGNAT_OVERLAP,
	COND_FILTER_DROP_INPUT,
	COND_REMEDY_NOT_IN_PLACE,
	COND_RETURN_PATH_LOST,
	COND_WITNESS_SILENT,
	COND_WITNESS_MISSING,
	COND_PROBE_FILTERED_LOCALLY,
	COND_HOST_MASQUERADED,
	COND_BRIDGE_NOT_ATTACHED,
	COND_BRIDGE_CONFIG_REFUSED,
	COND_BRIDGE_NOT_LISTENING,
	COND_BRIDGE_TOO_MANY_LISTENERS,
	COND_BRIDGE_FILE_UNUSABLE,
	COND_BRIDGE_NAME_UNUSABLE,
	COND_TUNNEL_NOT_ATTACHED,
	COND_TUNNEL_NO_INTERFACE,
	COND_TUNNEL_NO_SOCKET,
	COND_TUNNEL_FILE_UNUSABLE,
	COND_TUNNEL_NOT_BEGUN,
	COND_TUNNEL_DISCONNECTED,
	COND_TUNNEL_NO_ADDRESS,
	COND_TUNNEL_PROPOSAL_REFUSED,
	COND_TUNNEL_EDGE_UNREACHED,
	COND_TUNNEL_EDGE_UNTRUSTED,
	COND_TUNNEL_EDGE_CERTIFICATE,
	COND_TUNNEL_CERTIFICATE_REFUSED,
	COND_TUNNEL_REQUEST_REFUSED,
	COND_TUNNEL_FLOODED,
	COND_TUNNEL_PEER_BREACH,
	COND_TUNNEL_PEER_EXCESS,
	COND_TUNNEL_PEER_SPOOFED,
	COND_TUNNEL_PEER_DEAF,
	COND_TUNNEL_PEER_SILENT,
	COND_TUNNEL_PATH_LOSSY,
	COND_TUNNEL_PATH_NARROW,
	COND_CODES,
};

enum condition_severity { COND_INFO, COND_WARNING, COND_ERROR };

const char *condition_code_str(enum condition_code code);
enum condition_severity condition_severity(enum condition_code code);
const char *condition_severity_str(enum condition_severity severity);
/* While both stand the first is only a consequence of the other. */
bool condition_follows(enum condition_code code, enum condition_code cause);
/* What to do, one sentence; never nullptr, "" when there is nothing to do. own_tunnel: of the set.
 */
const char *condition_remedy(enum condition_code code, bool own_tunnel);

struct condition {
	enum condition_code code;
	char subject[64];
	char message[240];
	uint64_t since_us; /* CLOCK_REALTIME, for showing only */
};

struct conditions {
	struct condition *list; /* sorted by code, subject once committed */
	size_t n, cap;
	bool own_tunnel; /* meshgw-tunnel reads the mesh interface, not another program */
};

[[gnu::format(printf, 4, 5)]] void conditions_add(struct conditions *set, enum condition_code code,
	const char *subject, const char *fmt, ...);
/* Replaces *current by *next (consumed, left empty): sorts, removes duplicates, keeps `since`,
 * logs what came and what went. realtime_us is the time now. */
void conditions_commit(struct conditions *current, struct conditions *next, uint64_t realtime_us);
void conditions_clear(struct conditions *set);
const struct condition *conditions_find(
	const struct conditions *set, enum condition_code code, const char *subject);
