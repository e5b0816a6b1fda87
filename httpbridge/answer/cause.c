/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/cause.h"
#include <stdlib.h>
#include <string.h>

/* In the order of strcmp(3). */
static const struct cause causes[] = {
	{"asymmetric-path", 504, "connection_timeout", true},
	{"bgp-admin-shutdown", 503, "destination_unavailable", true},
	{"bgp-advertised-not-used", 503, "destination_unavailable", true},
	{"bgp-auth-mismatch", 503, "destination_unavailable", true},
	{"bgp-daemon-down", 503, "destination_unavailable", true},
	{"bgp-max-prefix", 503, "destination_unavailable", true},
	{"bgp-neighbour-unreachable", 503, "destination_unavailable", true},
	{"bgp-no-export-policy", 503, "destination_unavailable", true},
	{"bgp-prefix-filtered-locally", 503, "destination_unavailable", true},
	{"bgp-prefix-not-originated", 503, "destination_unavailable", true},
	{"bgp-session-down", 503, "destination_unavailable", true},
	{"bgp-wrong-asn", 503, "destination_unavailable", true},
	{"cgnat-overlap", 502, "destination_ip_unroutable", true},
	{"checksum-bad-ip", 504, "connection_timeout", true},
	{"checksum-bad-l4", 504, "connection_timeout", true},
	{"config-changed-during-analysis", 0, nullptr, false},
	{"conntrack-stale-nat", 504, "connection_timeout", true},
	{"conntrack-table-full", 503, "connection_limit_reached", true},
	{"egress-queue-drop", 504, "connection_timeout", true},
	{"filter-ct-invalid-drop", 502, "destination_ip_prohibited", true},
	{"filter-drop-bridge", 502, "destination_ip_prohibited", true},
	{"filter-drop-forward", 502, "destination_ip_prohibited", true},
	{"filter-drop-input", 502, "destination_ip_prohibited", true},
	{"filter-drop-legacy-xtables", 502, "destination_ip_prohibited", true},
	{"filter-drop-output", 502, "destination_ip_prohibited", true},
	{"filter-drop-postrouting", 502, "destination_ip_prohibited", true},
	{"filter-drop-prerouting", 502, "destination_ip_prohibited", true},
	{"filter-fib-drop", 502, "destination_ip_prohibited", true},
	{"filter-reject-forward", 502, "destination_ip_prohibited", true},
	{"forwarding-disabled", 502, "destination_ip_unroutable", true},
	{"forwarding-disabled-on-interface", 502, "destination_ip_unroutable", true},
	{"fragments-lost", 504, "connection_timeout", true},
	{"healthy", 0, nullptr, false},
	{"inconclusive", 0, nullptr, false},
	{"insufficient-privilege", 0, nullptr, false},
	{"ipv6-disabled", 502, "destination_ip_unroutable", true},
	{"lan-interface-down", 503, "destination_unavailable", true},
	{"lan-interface-missing", 503, "destination_unavailable", true},
	{"local-bound-loopback", 502, "connection_refused", true},
	{"lsm-drop", 502, "destination_ip_prohibited", true},
	{"martian-destination", 502, "destination_ip_unroutable", true},
	{"martian-source", 502, "destination_ip_unroutable", true},
	{"mss-not-clamped", 504, "connection_timeout", true},
	{"name-not-resolved", 502, "dns_error", true},
	{"nat-hides-source", 0, nullptr, true},
	{"nat-no-source-address", 502, "destination_ip_unroutable", true},
	{"nat-port-exhausted", 503, "connection_limit_reached", true},
	{"nat-unexpected-owner", 0, nullptr, true},
	{"neighbour-duplicate-address", 503, "destination_unavailable", true},
	{"neighbour-table-full", 503, "connection_limit_reached", true},
	{"neighbour-unresolved", 503, "destination_unavailable", true},
	{"no-route-to-destination", 502, "destination_ip_unroutable", true},
	{"no-traffic-observed", 0, nullptr, false},
	{"node-registered-as-client", 503, "destination_unavailable", true},
	{"not-allowed", 502, "destination_ip_prohibited", true},
	{"observer-limited", 0, nullptr, false},
	{"pmtu-blackhole-lan", 504, "connection_timeout", true},
	{"pmtu-blackhole-tunnel", 504, "connection_timeout", true},
	{"pmtu-errors-filtered-locally", 504, "connection_timeout", true},
	{"policy-rule-captures-return", 502, "destination_ip_unroutable", true},
	{"provider-source-check", 502, "destination_ip_prohibited", true},
	{"range-overlaps-lan", 502, "destination_ip_unroutable", true},
	{"recovered", 0, nullptr, false},
	{"return-route-missing", 502, "destination_ip_unroutable", true},
	{"return-route-shadowed", 502, "destination_ip_unroutable", true},
	{"route-blackhole", 502, "destination_ip_unroutable", true},
	{"route-hairpin-tunnel", 502, "destination_ip_unroutable", true},
	{"route-linkdown", 502, "destination_ip_unroutable", true},
	{"route-prohibit", 502, "destination_ip_unroutable", true},
	{"route-unreachable", 502, "destination_ip_unroutable", true},
	{"route-wrong-egress", 502, "destination_ip_unroutable", true},
	{"routing-loop", 502, "proxy_loop_detected", true},
	{"rp-filter-mark-blind", 502, "destination_ip_unroutable", true},
	{"rp-filter-no-route", 502, "destination_ip_unroutable", true},
	{"rp-filter-strict", 502, "destination_ip_unroutable", true},
	{"service-accepts-no-answer", 504, "http_response_timeout", true},
	{"service-backlog-full", 504, "connection_timeout", true},
	{"service-closes-early", 502, "connection_terminated", true},
	{"service-expects-plaintext", 502, "tls_protocol_error", true},
	{"service-expects-tls", 502, "http_protocol_error", true},
	{"service-port-closed", 502, "connection_refused", true},
	{"service-silent-drop", 504, "connection_timeout", true},
	{"service-slow", 504, "http_response_timeout", true},
	{"service-tls-certificate", 502, "tls_certificate_error", true},
	{"service-tls-protocol", 502, "tls_protocol_error", true},
	{"service-udp-port-closed", 502, "connection_refused", true},
	{"source-is-own-address", 502, "destination_ip_unroutable", true},
	{"tc-or-xdp-drop", 502, "destination_ip_prohibited", true},
	{"ttl-expired", 502, "destination_ip_unroutable", true},
	{"tunnel-daemon-rejects-source", 503, "destination_unavailable", true},
	{"tunnel-interface-down", 503, "destination_unavailable", true},
	{"tunnel-interface-missing", 503, "destination_unavailable", true},
	{"tunnel-no-ingress", 503, "destination_unavailable", true},
	{"tunnel-queue-full", 504, "connection_timeout", true},
	{"tunnel-replica-passive", 503, "destination_unavailable", true},
	{"tunnel-return-lost", 503, "destination_unavailable", true},
	{"tunnel-source-not-in-ranges", 503, "destination_unavailable", true},
	{"upstream-admin-prohibited", 502, "destination_ip_prohibited", true},
	{"upstream-filters-range", 502, "destination_ip_prohibited", true},
	{"upstream-icmp-unreachable", 502, "destination_ip_unroutable", true},
	{"upstream-return-route-missing", 502, "destination_ip_unroutable", true},
	{"upstream-silent", 504, "connection_timeout", true},
	{"vrf-mismatch", 502, "destination_ip_unroutable", true},
	{"warp-table-captures-lan", 502, "destination_ip_unroutable", true},
};

constexpr size_t n_causes = sizeof(causes) / sizeof(causes[0]);

static int compare(const void *code, const void *cause)
{
	return strcmp(code, ((const struct cause *)cause)->code);
}

const struct cause *cause_find(const char *code)
{
	return bsearch(
		code, causes, sizeof(causes) / sizeof(causes[0]), sizeof(causes[0]), compare);
}

const struct cause *cause_at(size_t i)
{
	return i < n_causes ? &causes[i] : nullptr;
}
