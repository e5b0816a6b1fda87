/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * code: the stable names of what can be wrong with a flow, and all that is said about each.
 *
 * A code names a cause, never a symptom and never a product: who is to blame is an attribute of the
 * verdict (by=docker). Codes are never renamed and never change their meaning; scripts match them.
 * This table is the only place: the program, meshgw-codes(7) and the answers of the HTTP bridge
 * read it, and the daemon's conditions use the same names for the same causes.
 */
#include <stddef.h>

/* The order is that of a flow's way, and of the table in code.c. */
enum code {
	/* Before the gateway. */
	CODE_TUNNEL_INTERFACE_MISSING,
	CODE_TUNNEL_INTERFACE_DOWN,
	/* The gateway's own tunnel; decide_tunnel.c looks for them in this order. */
	CODE_TUNNEL_NOT_ATTACHED,
	CODE_TUNNEL_NO_INTERFACE,
	CODE_TUNNEL_NO_SOCKET,
	CODE_TUNNEL_FILE_UNUSABLE,
	CODE_TUNNEL_NOT_BEGUN,
	CODE_TUNNEL_EDGE_UNREACHED,
	CODE_TUNNEL_EDGE_UNTRUSTED,
	CODE_TUNNEL_EDGE_CERTIFICATE,
	CODE_TUNNEL_CERTIFICATE_REFUSED,
	CODE_TUNNEL_REQUEST_REFUSED,
	CODE_TUNNEL_PEER_SILENT,
	CODE_TUNNEL_PATH_NARROW,
	CODE_TUNNEL_PEER_BREACH,
	CODE_TUNNEL_PEER_DEAF,
	CODE_TUNNEL_DISCONNECTED,
	CODE_TUNNEL_NO_ADDRESS,
	CODE_TUNNEL_NO_INGRESS,
	CODE_TUNNEL_REPLICA_PASSIVE,
	CODE_NODE_REGISTERED_AS_CLIENT,
	CODE_TUNNEL_SOURCE_NOT_IN_RANGES,
	CODE_TUNNEL_QUEUE_FULL,
	CODE_TUNNEL_DAEMON_REJECTS_SOURCE,
	CODE_TUNNEL_RETURN_LOST,

	/* Forwarding and source validation. */
	CODE_FORWARDING_DISABLED,
	CODE_FORWARDING_DISABLED_ON_INTERFACE,
	CODE_RP_FILTER_STRICT,
	CODE_RP_FILTER_NO_ROUTE,
	CODE_RP_FILTER_MARK_BLIND,
	CODE_MARTIAN_SOURCE,
	CODE_SOURCE_IS_OWN_ADDRESS,
	CODE_MARTIAN_DESTINATION,
	CODE_IPV6_DISABLED,

	/* Routing. */
	CODE_NO_ROUTE_TO_DESTINATION,
	CODE_ROUTE_UNREACHABLE,
	CODE_ROUTE_BLACKHOLE,
	CODE_ROUTE_PROHIBIT,
	CODE_ROUTE_HAIRPIN_TUNNEL,
	CODE_ROUTE_WRONG_EGRESS,
	CODE_ROUTE_LINKDOWN,
	CODE_RETURN_ROUTE_MISSING,
	CODE_RETURN_ROUTE_SHADOWED,
	CODE_ROUTING_LOOP,

	/* Policy routing and overlaps. */
	CODE_POLICY_RULE_CAPTURES_RETURN,
	CODE_WARP_TABLE_CAPTURES_LAN,
	CODE_CGNAT_OVERLAP,
	CODE_RANGE_OVERLAPS_LAN,
	CODE_VRF_MISMATCH,

	/* Filters, connection tracking, address translation. */
	CODE_NOT_ALLOWED, /* by the configuration of meshgw */
	CODE_FILTER_DROP_FORWARD,
	CODE_FILTER_REJECT_FORWARD,
	CODE_FILTER_DROP_LEGACY_XTABLES,
	CODE_FILTER_DROP_PREROUTING,
	CODE_FILTER_FIB_DROP,
	CODE_FILTER_CT_INVALID_DROP,
	CODE_FILTER_DROP_BRIDGE,
	CODE_FILTER_DROP_INPUT,
	CODE_FILTER_DROP_OUTPUT,
	CODE_FILTER_DROP_POSTROUTING,
	CODE_TC_OR_XDP_DROP,
	CODE_LSM_DROP,
	CODE_CONNTRACK_TABLE_FULL,
	CODE_CONNTRACK_STALE_NAT,
	CODE_NAT_NO_SOURCE_ADDRESS,
	CODE_NAT_PORT_EXHAUSTED,
	CODE_NAT_HIDES_SOURCE,
	CODE_NAT_UNEXPECTED_OWNER,

	/* Link and neighbour. */
	CODE_LAN_INTERFACE_MISSING,
	CODE_LAN_INTERFACE_DOWN,
	CODE_NEIGHBOUR_UNRESOLVED,
	CODE_NEIGHBOUR_DUPLICATE_ADDRESS,
	CODE_NEIGHBOUR_TABLE_FULL,
	CODE_EGRESS_QUEUE_DROP,
	CODE_PROVIDER_SOURCE_CHECK,

	/* Size, hops, checksums. */
	CODE_PMTU_BLACKHOLE_LAN,
	CODE_PMTU_ERRORS_FILTERED_LOCALLY,
	CODE_PMTU_BLACKHOLE_TUNNEL,
	CODE_MSS_NOT_CLAMPED,
	CODE_TTL_EXPIRED,
	CODE_CHECKSUM_BAD_IP,
	CODE_CHECKSUM_BAD_L4,
	CODE_FRAGMENTS_LOST,

	/* The LAN beyond the gateway. */
	CODE_UPSTREAM_SILENT,
	CODE_UPSTREAM_RETURN_ROUTE_MISSING,
	CODE_UPSTREAM_FILTERS_RANGE,
	CODE_UPSTREAM_ICMP_UNREACHABLE,
	CODE_UPSTREAM_ADMIN_PROHIBITED,
	CODE_ASYMMETRIC_PATH,
	CODE_BGP_DAEMON_DOWN,
	CODE_BGP_SESSION_DOWN,
	CODE_BGP_WRONG_ASN,
	CODE_BGP_AUTH_MISMATCH,
	CODE_BGP_NEIGHBOUR_UNREACHABLE,
	CODE_BGP_MAX_PREFIX,
	CODE_BGP_ADMIN_SHUTDOWN,
	CODE_BGP_NO_EXPORT_POLICY,
	CODE_BGP_PREFIX_NOT_ORIGINATED,
	CODE_BGP_PREFIX_FILTERED_LOCALLY,
	CODE_BGP_ADVERTISED_NOT_USED,

	/* The service. */
	CODE_SERVICE_PORT_CLOSED,
	CODE_LOCAL_BOUND_LOOPBACK,
	CODE_SERVICE_UDP_PORT_CLOSED,
	CODE_SERVICE_SILENT_DROP,
	CODE_SERVICE_BACKLOG_FULL,
	CODE_SERVICE_ACCEPTS_NO_ANSWER,
	CODE_SERVICE_CLOSES_EARLY,
	CODE_SERVICE_EXPECTS_TLS,
	CODE_SERVICE_EXPECTS_PLAINTEXT,
	CODE_SERVICE_TLS_CERTIFICATE,
	CODE_SERVICE_TLS_PROTOCOL,
	CODE_SERVICE_SLOW,
	CODE_NAME_NOT_RESOLVED,

	/* About the verdict itself. */
	CODE_HEALTHY,
	CODE_NO_TRAFFIC_OBSERVED,
	CODE_INCONCLUSIVE,
	CODE_INSUFFICIENT_PRIVILEGE,
	CODE_OBSERVER_LIMITED,
	CODE_RECOVERED,
	CODE_CONFIG_CHANGED_DURING_ANALYSIS,
	CODES,
};

/* Where the cause lies; each has its exit status (cli/exit.h). */
enum code_class {
	CODE_CLASS_HEALTHY,
	CODE_CLASS_NODE,      /* this gateway: its operator can mend it here */
	CODE_CLASS_LAN,       /* between the gateway and the service */
	CODE_CLASS_SERVICE,   /* the service or its host */
	CODE_CLASS_TUNNEL,    /* before the gateway: the tunnel, its provider, the caller */
	CODE_CLASS_UNDECIDED, /* the evidence is not enough */
	CODE_CLASSES,
};
const char *code_class_str(enum code_class class); /* "node" */

/* What is to be done: a sentence or two, and commands for root on this gateway, in the form of
 * verdict/template.h: {name} stands for an attribute of the verdict. A command with an attribute
 * that the verdict does not have is left out. */
constexpr size_t CODE_COMMANDS = 4;

struct code_row {
	const char *name; /* kebab-case */
	enum code_class class;
	const char *title;    /* what it means for the flow, one sentence with a full stop */
	const char *evidence; /* what proves it, for the manual */
	const char *remedy;
	const char *commands[CODE_COMMANDS]; /* unused ones are nullptr */
	bool fix;                            /* `meshgw fix` can do it (daemon/fix.h) */
};

const struct code_row *code_row(enum code code);
const char *code_str(enum code code); /* its name */
/* CODES when there is none of this name. */
enum code code_parse(const char *name);
