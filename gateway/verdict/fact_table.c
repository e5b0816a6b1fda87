/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/fact_table.h"

static const char *const roles[ROLES] = {
	[ROLE_MESH] = "mesh",
	[ROLE_LAN] = "lan",
	[ROLE_EGRESS] = "egress",
	[ROLE_OTHER] = "other",
};
static const char *const questions[ASKS] = {
	[ASK_FORWARD] = "forward",
	[ASK_FORWARD_BARE] = "forward-bare",
	[ASK_REVERSE] = "reverse",
	[ASK_REVERSE_BARE] = "reverse-bare",
	[ASK_GATEWAY] = "gateway",
	[ASK_NEIGHBOUR] = "neighbour",
	[ASK_ADDRESS] = "address",
};
static const char *const origins[ORIGINS] = {
	[ORIGIN_REAL] = "real",
	[ORIGIN_INJECTED] = "injected",
	[ORIGIN_OWN] = "own",
	[ORIGIN_ASIDE] = "aside",
	[ORIGIN_FOREIGN] = "foreign",
};
static const char *const points[POINTS] = {
	[POINT_TUN_IN] = "tun-in",
	[POINT_LAN_OUT] = "lan-out",
	[POINT_LAN_IN] = "lan-in",
	[POINT_TUN_OUT] = "tun-out",
	[POINT_HOST] = "host",
};
static const char *const packets[PACKET_KINDS] = {
	[PACKET_SYN] = "syn",
	[PACKET_SYN_ACK] = "syn-ack",
	[PACKET_RST] = "rst",
	[PACKET_FIN] = "fin",
	[PACKET_ACK] = "ack",
	[PACKET_DATA] = "data",
	[PACKET_UDP] = "udp",
	[PACKET_ECHO] = "echo",
	[PACKET_ECHO_REPLY] = "echo-reply",
	[PACKET_FRAGMENT] = "fragment",
	[PACKET_OTHER] = "other",
};
static const char *const probes[PROBE_NAMES] = {
	[PROBE_OWN] = "own",
	[PROBE_RANGE] = "range",
	[PROBE_INJECTED] = "injected",
	[PROBE_OWN_OTHER] = "own-other",
	[PROBE_INJECTED_OTHER] = "injected-other",
	[PROBE_OWN_ECHO] = "own-echo",
	[PROBE_INJECTED_ECHO] = "injected-echo",
	[PROBE_HOP] = "hop",
	[PROBE_OWN_HOP] = "own-hop",
	[PROBE_LARGE] = "large",
	[PROBE_LINK] = "link",
};
static const char *const outcomes[OUTCOMES] = {
	[OUTCOME_ANSWERED] = "answered",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_ERROR] = "error",
	[OUTCOME_SILENT] = "silent",
	[OUTCOME_LOCAL] = "local",
	[OUTCOME_ASTRAY] = "astray",
};
static const char *const l7_asks[L7_ASKS] = {
	[L7_HTTP] = "http",
	[L7_TLS] = "tls",
	[L7_DNS] = "dns",
};
static const char *const l7_outcomes[L7_OUTCOMES] = {
	[L7_OK] = "ok",
	[L7_TLS_SPOKEN] = "tls-spoken",
	[L7_PLAIN_SPOKEN] = "plain-spoken",
	[L7_HTTPS_WANTED] = "https-wanted",
	[L7_SILENT] = "silent",
	[L7_CLOSED] = "closed",
	[L7_GARBAGE] = "garbage",
	[L7_CERTIFICATE] = "certificate",
	[L7_ALERT] = "alert",
	[L7_NAME] = "name",
	[L7_NOT_CONNECTED] = "not-connected",
	[L7_RESOLVER] = "resolver",
};
static const char *const observers[OBSERVERS] = {
	[OBSERVER_TRACE] = "trace",
	[OBSERVER_DROPS] = "drops",
	[OBSERVER_PACKETS] = "packets",
	[OBSERVER_INJECTION] = "injection",
	[OBSERVER_NFT_TRACE] = "nft-trace",
	[OBSERVER_RULESET] = "ruleset",
	[OBSERVER_ROUTES] = "routes",
	[OBSERVER_CONNTRACK] = "conntrack",
	[OBSERVER_COUNTERS] = "counters",
	[OBSERVER_FRR] = "frr",
	[OBSERVER_PROBES] = "probes",
	[OBSERVER_L7] = "l7",
};

static const struct field link_fields[] = {
	FIELD_ONE_OF(struct fact_link, "role", role, roles),
	FIELD(struct fact_link, "interface", interface),
	FIELD(struct fact_link, "exists", exists),
	FIELD(struct fact_link, "up", up),
	FIELD(struct fact_link, "carrier", carrier),
	FIELD_OR_NONE(struct fact_link, "mtu", mtu),
	FIELD(struct fact_link, "type", kind),
	FIELD(struct fact_link, "master", master),
	FIELD(struct fact_link, "masterType", master_kind),
	FIELD(struct fact_link, "hasAddress", has_address),
	{},
};
static const struct field sysctl_fields[] = {
	FIELD(struct fact_sysctl, "key", key),
	FIELD(struct fact_sysctl, "value", value),
	{},
};
static const struct field lookup_fields[] = {
	FIELD_ONE_OF(struct fact_lookup, "question", question, questions),
	FIELD(struct fact_lookup, "from", from),
	FIELD(struct fact_lookup, "to", to),
	FIELD(struct fact_lookup, "iif", iif),
	FIELD(struct fact_lookup, "mark", mark),
	FIELD(struct fact_lookup, "error", error),
	FIELD(struct fact_lookup, "oif", oif),
	FIELD(struct fact_lookup, "type", type),
	FIELD(struct fact_lookup, "gateway", gateway),
	FIELD(struct fact_lookup, "redirect", redirect),
	FIELD(struct fact_lookup, "entry", entry),
	FIELD(struct fact_lookup, "match", match),
	FIELD_OR_NONE(struct fact_lookup, "table", table),
	FIELD_OR_NONE(struct fact_lookup, "metric", metric),
	FIELD_OR_NONE(struct fact_lookup, "protocol", protocol),
	FIELD(struct fact_lookup, "protocolName", protocol_name),
	FIELD(struct fact_lookup, "linkdown", linkdown),
	FIELD_OR_NONE(struct fact_lookup, "rulePriority", rule_priority),
	FIELD(struct fact_lookup, "rule", rule),
	FIELD(struct fact_lookup, "hidesMeshRoute", hides_mesh_route),
	{},
};
static const struct field neighbour_fields[] = {
	FIELD(struct fact_neighbour, "address", address),
	FIELD(struct fact_neighbour, "interface", interface),
	FIELD(struct fact_neighbour, "state", state),
	FIELD(struct fact_neighbour, "lladdr", lladdr),
	FIELD(struct fact_neighbour, "lladdrOther", lladdr_other),
	{},
};
static const struct field packet_fields[] = {
	FIELD_ONE_OF(struct fact_packet, "origin", origin, origins),
	FIELD_ONE_OF(struct fact_packet, "point", point, points),
	FIELD_ONE_OF(struct fact_packet, "packet", packet, packets),
	FIELD(struct fact_packet, "toTarget", to_target),
	FIELD(struct fact_packet, "interface", interface),
	FIELD(struct fact_packet, "count", count),
	FIELD(struct fact_packet, "distinct", distinct),
	FIELD_OR_NONE(struct fact_packet, "ttlMin", ttl_min),
	FIELD_OR_NONE(struct fact_packet, "ttlMax", ttl_max),
	FIELD_OR_NONE(struct fact_packet, "lengthMin", length_min),
	FIELD_OR_NONE(struct fact_packet, "lengthMax", length_max),
	FIELD(struct fact_packet, "source", source),
	FIELD(struct fact_packet, "lladdr", lladdr),
	FIELD(struct fact_packet, "badIpChecksum", bad_ip_checksum),
	FIELD(struct fact_packet, "badL4Checksum", bad_l4_checksum),
	FIELD_OR_NONE(struct fact_packet, "mss", mss),
	FIELD_OR_NONE(struct fact_packet, "firstUs", first_us),
	FIELD_OR_NONE(struct fact_packet, "lastUs", last_us),
	{},
};
static const struct field icmp_fields[] = {
	FIELD_ONE_OF(struct fact_icmp, "origin", origin, origins),
	FIELD_ONE_OF(struct fact_icmp, "point", point, points),
	FIELD(struct fact_icmp, "own", own),
	FIELD(struct fact_icmp, "sender", sender),
	FIELD_OR_NONE(struct fact_icmp, "type", type),
	FIELD_OR_NONE(struct fact_icmp, "code", code),
	FIELD_OR_NONE(struct fact_icmp, "mtu", mtu),
	FIELD(struct fact_icmp, "aboutTargetDirection", about_target_direction),
	FIELD(struct fact_icmp, "count", count),
	{},
};
static const struct field drop_fields[] = {
	FIELD_ONE_OF(struct fact_drop, "origin", origin, origins),
	FIELD(struct fact_drop, "reason", reason),
	FIELD(struct fact_drop, "function", function),
	FIELD(struct fact_drop, "toTarget", to_target),
	FIELD(struct fact_drop, "interface", interface),
	FIELD_OR_NONE(struct fact_drop, "length", length),
	FIELD(struct fact_drop, "count", count),
	{},
};
static const struct field call_fields[] = {
	FIELD(struct fact_call, "source", source),
	FIELD_OR_NONE(struct fact_call, "port", port),
	FIELD(struct fact_call, "begun", begun),
	FIELD(struct fact_call, "answered", answered),
	FIELD(struct fact_call, "refused", refused),
	FIELD(struct fact_call, "acknowledged", acknowledged),
	FIELD(struct fact_call, "asked", asked),
	FIELD(struct fact_call, "replied", replied),
	FIELD(struct fact_call, "open", open),
	FIELD(struct fact_call, "askedAgain", asked_again),
	FIELD(struct fact_call, "toldAgain", told_again),
	FIELD(struct fact_call, "ended", ended),
	FIELD_OR_NONE(struct fact_call, "firstUs", first_us),
	FIELD_OR_NONE(struct fact_call, "lastUs", last_us),
	FIELD_OR_NONE(struct fact_call, "progressUs", progress_us),
	{},
};
static const struct field trace_fields[] = {
	FIELD_ONE_OF(struct fact_trace, "origin", origin, origins),
	FIELD(struct fact_trace, "toTarget", to_target),
	FIELD(struct fact_trace, "family", family),
	FIELD(struct fact_trace, "table", table),
	FIELD(struct fact_trace, "chain", chain),
	FIELD(struct fact_trace, "hook", hook),
	FIELD(struct fact_trace, "priority", priority),
	FIELD_OR_NONE(struct fact_trace, "handle", handle),
	FIELD(struct fact_trace, "verdict", verdict),
	FIELD(struct fact_trace, "rule", rule),
	FIELD(struct fact_trace, "by", by),
	FIELD(struct fact_trace, "fib", fib),
	FIELD(struct fact_trace, "ctInvalid", ct_invalid),
	{},
};
static const struct field chain_fields[] = {
	FIELD(struct fact_chain, "family", family),
	FIELD(struct fact_chain, "table", table),
	FIELD(struct fact_chain, "chain", chain),
	FIELD(struct fact_chain, "hook", hook),
	FIELD(struct fact_chain, "type", type),
	FIELD(struct fact_chain, "priority", priority),
	FIELD(struct fact_chain, "policy", policy),
	FIELD_OR_NONE(struct fact_chain, "rules", rules),
	FIELD(struct fact_chain, "legacy", legacy),
	FIELD(struct fact_chain, "natSource", nat_source),
	FIELD(struct fact_chain, "by", by),
	{},
};
static const struct field counter_fields[] = {
	FIELD(struct fact_counter, "name", name),
	FIELD(struct fact_counter, "delta", delta),
	FIELD_OR_NONE(struct fact_counter, "value", value),
	{},
};
static const struct field conntrack_fields[] = {
	FIELD_ONE_OF(struct fact_conntrack, "origin", origin, origins),
	FIELD(struct fact_conntrack, "seenReply", seen_reply),
	FIELD(struct fact_conntrack, "assured", assured),
	FIELD(struct fact_conntrack, "state", state),
	FIELD(struct fact_conntrack, "sourceNat", source_nat),
	FIELD(struct fact_conntrack, "destinationNat", destination_nat),
	FIELD(struct fact_conntrack, "replyTo", reply_to),
	FIELD(struct fact_conntrack, "replyFrom", reply_from),
	FIELD_OR_NONE(struct fact_conntrack, "ageSeconds", age_s),
	FIELD(struct fact_conntrack, "mark", mark),
	{},
};
static const struct field probe_fields[] = {
	FIELD_ONE_OF(struct fact_probe, "probe", probe, probes),
	FIELD_ONE_OF(struct fact_probe, "outcome", outcome, outcomes),
	FIELD(struct fact_probe, "source", source),
	FIELD(struct fact_probe, "sender", sender),
	FIELD(struct fact_probe, "port", port),
	FIELD(struct fact_probe, "sent", sent),
	FIELD(struct fact_probe, "answered", answered),
	FIELD_OR_NONE(struct fact_probe, "ttl", ttl),
	FIELD_OR_NONE(struct fact_probe, "size", size),
	FIELD_OR_NONE(struct fact_probe, "icmpType", icmp_type),
	FIELD_OR_NONE(struct fact_probe, "icmpCode", icmp_code),
	FIELD(struct fact_probe, "error", error),
	FIELD_OR_NONE(struct fact_probe, "rttUs", rtt_us),
	{},
};
static const struct field l7_fields[] = {
	FIELD_ONE_OF(struct fact_l7, "ask", ask, l7_asks),
	FIELD_ONE_OF(struct fact_l7, "outcome", outcome, l7_outcomes),
	FIELD_OR_NONE(struct fact_l7, "status", status),
	FIELD_OR_NONE(struct fact_l7, "alert", alert),
	FIELD_OR_NONE(struct fact_l7, "firstByteUs", first_byte_us),
	FIELD(struct fact_l7, "text", text),
	{},
};
static const struct field bgp_fields[] = {
	FIELD(struct fact_bgp, "configured", configured),
	FIELD(struct fact_bgp, "daemon", daemon),
	FIELD_OR_NONE(struct fact_bgp, "asn", asn),
	FIELD(struct fact_bgp, "text", text),
	{},
};
static const struct field bgp_neighbour_fields[] = {
	FIELD(struct fact_bgp_neighbour, "address", address),
	FIELD(struct fact_bgp_neighbour, "concerns", concerns),
	FIELD(struct fact_bgp_neighbour, "state", state),
	FIELD(struct fact_bgp_neighbour, "reason", reason),
	FIELD(struct fact_bgp_neighbour, "fresh", fresh),
	FIELD_OR_NONE(struct fact_bgp_neighbour, "resetAgeSeconds", reset_age_s),
	FIELD(struct fact_bgp_neighbour, "text", text),
	{},
};
static const struct field bgp_prefix_fields[] = {
	FIELD(struct fact_bgp_prefix, "prefix", prefix),
	FIELD(struct fact_bgp_prefix, "neighbour", neighbour),
	FIELD(struct fact_bgp_prefix, "originated", originated),
	FIELD(struct fact_bgp_prefix, "advertised", advertised),
	FIELD(struct fact_bgp_prefix, "pending", pending),
	FIELD(struct fact_bgp_prefix, "exportPolicy", export_policy),
	FIELD(struct fact_bgp_prefix, "text", text),
	{},
};
static const struct field config_fields[] = {
	FIELD(struct fact_config, "up", up),
	FIELD(struct fact_config, "sourceKnown", source_known),
	FIELD(struct fact_config, "networkKnown", network_known),
	FIELD(struct fact_config, "ownAddress", own_address),
	FIELD(struct fact_config, "allowed", allowed),
	FIELD(struct fact_config, "mode", mode),
	FIELD(struct fact_config, "configured", configured),
	FIELD(struct fact_config, "excepted", excepted),
	FIELD(struct fact_config, "range", range),
	FIELD(struct fact_config, "network", network),
	FIELD(struct fact_config, "interface", interface),
	FIELD(struct fact_config, "tunnel", tunnel),
	FIELD(struct fact_config, "proof", proof),
	{},
};
static const struct field condition_fields[] = {
	FIELD(struct fact_condition, "code", code),
	FIELD(struct fact_condition, "subject", subject),
	FIELD(struct fact_condition, "message", message),
	FIELD(struct fact_condition, "remedy", remedy),
	{},
};
static const struct field socket_fields[] = {
	FIELD(struct fact_socket, "listening", listening),
	FIELD(struct fact_socket, "reachable", reachable),
	FIELD(struct fact_socket, "loopbackOnly", loopback_only),
	FIELD_OR_NONE(struct fact_socket, "backlog", backlog),
	FIELD_OR_NONE(struct fact_socket, "queue", queue),
	{},
};
static const struct field platform_fields[] = {
	FIELD(struct fact_platform, "vendor", vendor),
	FIELD(struct fact_platform, "provider", provider),
	{},
};
static const struct field missing_fields[] = {
	FIELD_ONE_OF(struct fact_missing, "observer", observer, observers),
	FIELD(struct fact_missing, "why", why),
	{},
};

const struct fact_shape fact_shapes[FACT_KINDS] = {
	[FACT_LINK] = {"link", "rtnetlink", link_fields},
	[FACT_SYSCTL] = {"sysctl", "sysctl", sysctl_fields},
	[FACT_LOOKUP] = {"lookup", "rtnetlink", lookup_fields},
	[FACT_NEIGHBOUR] = {"neighbour", "rtnetlink", neighbour_fields},
	[FACT_PACKET] = {"packet", "packets", packet_fields},
	[FACT_ICMP] = {"icmp", "packets", icmp_fields},
	[FACT_DROP] = {"drop", "bpf", drop_fields},
	[FACT_CALL] = {"call", "packets", call_fields},
	[FACT_TRACE] = {"trace", "nft-trace", trace_fields},
	[FACT_CHAIN] = {"chain", "ruleset", chain_fields},
	[FACT_COUNTER] = {"counter", "counters", counter_fields},
	[FACT_CONNTRACK] = {"conntrack", "conntrack", conntrack_fields},
	[FACT_PROBE] = {"probe", "probe", probe_fields},
	[FACT_L7] = {"l7", "l7-probe", l7_fields},
	[FACT_BGP] = {"bgp", "frr", bgp_fields},
	[FACT_BGP_NEIGHBOUR] = {"bgp-neighbour", "frr", bgp_neighbour_fields},
	[FACT_BGP_PREFIX] = {"bgp-prefix", "frr", bgp_prefix_fields},
	[FACT_CONFIG] = {"config", "meshgw", config_fields},
	[FACT_CONDITION] = {"condition", "meshgw", condition_fields},
	[FACT_SOCKET] = {"socket", "sock-diag", socket_fields},
	[FACT_PLATFORM] = {"platform", "dmi", platform_fields},
	[FACT_MISSING] = {"missing", "observer", missing_fields},
};

const char *fact_kind_str(enum fact_kind kind)
{
	return fact_shapes[kind].name;
}

const char *fact_source(const struct fact *f)
{
	return fact_shapes[f->kind].source;
}

const char *fact_point_str(enum fact_point point)
{
	return points[point];
}

const char *fact_packet_kind_str(enum fact_packet_kind packet)
{
	return packets[packet];
}

const char *fact_probe_name_str(enum fact_probe_name probe)
{
	return probes[probe];
}

const char *fact_outcome_str(enum fact_outcome outcome)
{
	return outcomes[outcome];
}

const char *fact_observer_str(enum fact_observer observer)
{
	return observers[observer];
}
