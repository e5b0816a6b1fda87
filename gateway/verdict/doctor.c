/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/doctor.h"
#include "verdict/doctor_check.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *doctor_outcome_str(enum doctor_outcome outcome)
{
	static const char *const names[DOCTOR_OUTCOMES] = {
		[DOCTOR_PASS] = "pass",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
		[DOCTOR_SKIP] = "skip",
	};
	return names[outcome];
}

void doctor_say(
	struct doctor_said *s, enum doctor_outcome outcome, enum code code, const char *fmt, ...)
{
	/* Who skips one part of a check may still find something in another. */
	static const int weight[DOCTOR_OUTCOMES] = {
		[DOCTOR_PASS] = 0, [DOCTOR_SKIP] = 1, [DOCTOR_WARN] = 2, [DOCTOR_FAIL] = 3};
	va_list ap;

	s->taken = !s->reason[0] || weight[outcome] > weight[s->outcome];
	if (!s->taken)
		return;
	s->outcome = outcome;
	s->code = code;
	s->n_attributes = 0;
	s->remedy = nullptr;
	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
}

void doctor_set(struct doctor_said *s, const char *name, const char *fmt, ...)
{
	va_list ap;
	if (!s->taken || s->n_attributes == sizeof(s->attributes) / sizeof(s->attributes[0]))
		return;
	struct verdict_attribute *a = &s->attributes[s->n_attributes++];
	snprintf(a->name, sizeof(a->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(a->value, sizeof(a->value), fmt, ap);
	va_end(ap);
}

void doctor_remedy(struct doctor_said *s, const char *remedy)
{
	if (s->taken)
		s->remedy = remedy;
}

/* ---- what the daemon says itself ---- */

/* Its standing conditions that belong to a check. Those of a flow's fate have a code. */
static const struct {
	const char *check, *condition;
	enum doctor_outcome outcome;
} conditions[] = {
	{"configuration", "unconfigured", DOCTOR_FAIL},
	{"configuration", "taken-down", DOCTOR_FAIL},
	{"configuration", "config-invalid", DOCTOR_FAIL},
	{"configuration", "config-unreadable", DOCTOR_FAIL},
	{"configuration", "config-missing", DOCTOR_WARN},
	{"configuration", "config-not-applied", DOCTOR_WARN},
	{"configuration", "confirm-pending", DOCTOR_WARN},
	{"configuration", "rolled-back", DOCTOR_WARN},
	{"configuration", "state-not-saved", DOCTOR_FAIL},
	{"configuration", "state-contested", DOCTOR_FAIL},
	{"capability", "capability-missing", DOCTOR_FAIL},
	{"capability", "kernel-feature-missing", DOCTOR_FAIL},
	{"table", "nft-table-missing", DOCTOR_FAIL},
	{"table", "nft-table-taken", DOCTOR_FAIL},
	{"versions", "nft-table-unowned", DOCTOR_WARN},
	{"tunnel", "tunnel-interface-missing", DOCTOR_FAIL},
	{"tunnel", "tunnel-interface-down", DOCTOR_FAIL},
	{"tunnel", "tunnel-queue-full", DOCTOR_FAIL},
	{"tunnel", "tunnel-not-attached", DOCTOR_FAIL},
	{"tunnel", "tunnel-no-interface", DOCTOR_FAIL},
	{"tunnel", "tunnel-no-socket", DOCTOR_FAIL},
	{"tunnel", "tunnel-file-unusable", DOCTOR_WARN},
	{"tunnel", "tunnel-not-begun", DOCTOR_FAIL},
	{"tunnel", "tunnel-edge-unreached", DOCTOR_WARN},
	{"tunnel", "tunnel-edge-untrusted", DOCTOR_WARN},
	{"tunnel", "tunnel-edge-certificate", DOCTOR_WARN},
	{"tunnel", "tunnel-certificate-refused", DOCTOR_WARN},
	{"tunnel", "tunnel-request-refused", DOCTOR_WARN},
	{"tunnel", "tunnel-peer-silent", DOCTOR_WARN},
	{"tunnel", "tunnel-path-narrow", DOCTOR_WARN},
	{"tunnel", "tunnel-peer-breach", DOCTOR_WARN},
	{"tunnel", "tunnel-peer-deaf", DOCTOR_WARN},
	{"tunnel", "tunnel-disconnected", DOCTOR_FAIL},
	{"tunnel", "tunnel-no-address", DOCTOR_FAIL},
	{"tunnel", "tunnel-proposal-refused", DOCTOR_WARN},
	{"tunnel", "tunnel-peer-excess", DOCTOR_WARN},
	{"tunnel", "tunnel-peer-spoofed", DOCTOR_WARN},
	{"tunnel", "tunnel-flooded", DOCTOR_WARN},
	{"tunnel", "tunnel-path-lossy", DOCTOR_WARN},
	{"lan", "lan-interface-missing", DOCTOR_FAIL},
	{"lan", "lan-interface-down", DOCTOR_FAIL},
	{"lan", "nat-no-source-address", DOCTOR_FAIL},
	{"forwarding", "forwarding-disabled", DOCTOR_FAIL},
	{"forwarding-ipv6", "ipv6-disabled", DOCTOR_FAIL},
	{"rp-filter", "rp-filter-strict", DOCTOR_FAIL},
	{"return-routes", "return-route-missing", DOCTOR_FAIL},
	{"return-routes", "return-route-shadowed", DOCTOR_FAIL},
	{"rules", "policy-rule-captures-return", DOCTOR_FAIL},
	{"rules", "cgnat-overlap", DOCTOR_WARN},
	{"lan-routes", "warp-table-captures-lan", DOCTOR_FAIL},
	{"lan-routes", "range-overlaps-lan", DOCTOR_FAIL},
	{"lan-routes", "route-wrong-egress", DOCTOR_FAIL},
	{"lan-routes", "no-route-to-destination", DOCTOR_FAIL},
	{"lan-routes", "route-refused", DOCTOR_FAIL},
	{"warp-filter", "probe-filtered-locally", DOCTOR_WARN},
	{"filters", "filter-drop-input", DOCTOR_WARN},
	{"filters", "remedy-not-in-place", DOCTOR_FAIL},
	{"leftovers", "frr-static-foreign", DOCTOR_WARN},
	{"leftovers", "frr-saved", DOCTOR_WARN},
	{"bgp", "frr-not-installed", DOCTOR_FAIL},
	{"bgp", "bgp-daemon-down", DOCTOR_FAIL},
	{"bgp", "frr-not-answering", DOCTOR_FAIL},
	{"bgp", "frr-config-locked", DOCTOR_FAIL},
	{"bgp", "frr-config-rejected", DOCTOR_FAIL},
	{"bgp", "frr-not-in-place", DOCTOR_FAIL},
	{"bgp", "frr-asn-mismatch", DOCTOR_FAIL},
	{"bgp", "frr-neighbor-foreign", DOCTOR_FAIL},
	{"bgp", "bgp-password-unreadable", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-session-down", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-neighbour-unreachable", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-wrong-asn", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-auth-mismatch", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-max-prefix", DOCTOR_FAIL},
	{"bgp-neighbours", "bgp-admin-shutdown", DOCTOR_FAIL},
	{"bgp-prefixes", "bgp-no-export-policy", DOCTOR_FAIL},
	{"bgp-prefixes", "bgp-prefix-not-originated", DOCTOR_FAIL},
	{"bgp-prefixes", "bgp-prefix-filtered-locally", DOCTOR_FAIL},
	{"bgp-prefixes", "bgp-advertised-not-used", DOCTOR_WARN},
	{"bgp-prefixes", "ranges-leak-to-foreign-neighbour", DOCTOR_WARN},
	{"bgp-prefixes", "frr-import-check-off", DOCTOR_WARN},
	{"return-path", "return-path-lost", DOCTOR_WARN},
	{"return-path", "return-path-unproven", DOCTOR_WARN},
	{"return-path", "witness-silent", DOCTOR_WARN},
	{"return-path", "witness-missing", DOCTOR_WARN},
	{"return-path", "host-masqueraded", DOCTOR_PASS},
};

/* The remedy is that of its code, or the daemon's own. */
static void say_condition(
	const struct fact_condition *c, enum doctor_outcome outcome, struct doctor_said *s)
{
	enum code code = code_parse(c->code);

	doctor_say(s, outcome, code, "%s%s%s", c->subject, c->subject[0] ? ": " : "", c->message);
	if (c->subject[0])
		doctor_set(s, "interface", "%s", c->subject);
	if (code == CODES)
		doctor_remedy(s, c->remedy);
}

/* While there is no tunnel, or no edge is connected or heard of, the first of its check that stands
 * has the word: what dialling met with comes before what follows from it. */
static void ask_conditions(const struct view *v, const char *check, struct doctor_said *s)
{
	bool away = strcmp(check, "tunnel") == 0 &&
		    (view_edge_away(v) || view_condition(v, "tunnel-not-begun"));

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		const struct fact *f = strcmp(conditions[i].check, check) != 0
					       ? nullptr
					       : view_condition(v, conditions[i].condition);
		if (f)
			say_condition(&f->condition, away ? DOCTOR_FAIL : conditions[i].outcome, s);
	}
}

static void configuration(const struct view *v, struct doctor_said *s)
{
	if (!v->config)
		doctor_say(s, DOCTOR_SKIP, CODES, "nobody told which configuration is in force");
	else if (v->config->config.up)
		doctor_say(s, DOCTOR_PASS, CODES, "a configuration is in force");
	else
		doctor_say(s, DOCTOR_FAIL, CODES, "no configuration is in force");
}

/* Whether there was something to look at only the daemon knows. */
static void by_daemon(const struct view *v, struct doctor_said *s)
{
	if (!v->config)
		doctor_say(s, DOCTOR_SKIP, CODES, "meshgwd was not asked");
	else
		doctor_say(s, DOCTOR_PASS, CODES, "meshgwd sees nothing wrong");
}

static void return_path(const struct view *v, struct doctor_said *s)
{
	if (!v->config)
		doctor_say(s, DOCTOR_SKIP, CODES, "meshgwd was not asked");
	else if (!v->config->config.up)
		doctor_say(s, DOCTOR_SKIP, CODES, "no configuration is in force");
	else if (v->config->config.proof[0])
		doctor_say(s, DOCTOR_PASS, CODES, "the way back is %s", v->config->config.proof);
	else
		doctor_say(s, DOCTOR_PASS, CODES, "no proof is asked for, or all is proven");
}

/* Most need none: a node that is not configured yet is looked at as diagnose_config.h guesses it.
 */
static const struct doctor_row rows[] = {
	{"configuration", "Configuration in force", nullptr, configuration},
	{"capability", "What meshgwd is permitted", nullptr, by_daemon},
	{"versions", "Kernel features", "capability", by_daemon},
	{"clock", "Clock", nullptr, doctor_clock},
	{"platform", "Whose machine this is", nullptr, doctor_platform},
	{"tunnel", "Mesh interface", nullptr, doctor_tunnel},
	{"lan", "LAN interfaces", nullptr, doctor_lan},
	{"forwarding", "Forwarding of IPv4", nullptr, doctor_forwarding},
	{"forwarding-ipv6", "Forwarding of IPv6", nullptr, doctor_forwarding_v6},
	{"return-routes", "Routes to the mesh ranges", "tunnel", doctor_return_routes},
	{"rules", "Policy rules and overlaps", "tunnel", doctor_rules},
	{"rp-filter", "Reverse path filter", "tunnel", doctor_rp_filter},
	{"lan-routes", "Routes to the networks", "tunnel", doctor_lan_routes},
	{"mtu", "MTU of the way", "tunnel", doctor_mtu},
	{"table", "nftables table of meshgw", "configuration", by_daemon},
	{"warp-filter", "Filter of Cloudflare's client", nullptr, doctor_warp_filter},
	{"filters", "Other programs' filters", nullptr, doctor_filters},
	{"legacy-filters", "iptables-legacy", nullptr, doctor_legacy},
	{"nat", "Other programs' address translation", nullptr, doctor_nat},
	{"conntrack", "Room for connections", nullptr, doctor_conntrack},
	{"leftovers", "Repairs made by hand", nullptr, doctor_leftovers},
	{"bgp", "FRRouting", "configuration", doctor_bgp},
	{"bgp-neighbours", "BGP neighbours", "bgp", doctor_bgp_neighbours},
	{"bgp-prefixes", "What is announced", "bgp-neighbours", doctor_bgp_prefixes},
	{"return-path", "Proof of the way back", "return-routes", return_path},
};
static_assert(sizeof(rows) / sizeof(rows[0]) <= DOCTOR_CHECKS_MAX);

static const struct doctor_check *failed(const struct doctor_result *r, const char *name)
{
	for (size_t i = 0; name && i < r->n; i++)
		if (!strcmp(r->checks[i].name, name) && r->checks[i].outcome == DOCTOR_FAIL)
			return &r->checks[i];
	return nullptr;
}

/* What was skipped for one cause is so for all that rest on it. */
static const struct doctor_check *root_of(const struct doctor_result *r, const char *needs)
{
	for (size_t i = 0; needs && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, needs) != 0)
			continue;
		const struct doctor_check *c = failed(r, needs);
		return c ? c : root_of(r, rows[i].needs);
	}
	return nullptr;
}

static void find_remedy(const struct evidence *e, const struct doctor_said *s, char *out, size_t n)
{
	struct verdict v = {.code = s->code, .next = CODES, .n_attributes = s->n_attributes};
	struct verdict_remedy remedy;

	out[0] = '\0';
	if (s->outcome != DOCTOR_WARN && s->outcome != DOCTOR_FAIL)
		return;
	if (s->remedy || s->code == CODES) {
		snprintf(out, n, "%s", s->remedy ? s->remedy : "");
		return;
	}
	memcpy(v.attributes, s->attributes, sizeof(s->attributes));
	verdict_remedy(&v, e, &remedy);
	snprintf(out, n, "%s", remedy.text);
}

void doctor_check(const struct evidence *e, struct doctor_result *out)
{
	struct view v;

	*out = (struct doctor_result){};
	view_init(&v, e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor_said said = {.code = CODES};
		const struct doctor_check *cause = root_of(out, rows[i].needs);
		if (cause)
			doctor_say(&said, DOCTOR_SKIP, CODES, "%s failed", cause->name);
		else
			ask_conditions(&v, rows[i].name, &said);
		if (!cause)
			rows[i].run(&v, &said);
		struct doctor_check *c = &out->checks[out->n++];
		*c = (struct doctor_check){.name = rows[i].name,
			.title = rows[i].title,
			.outcome = said.outcome,
			.code = said.code};
		memcpy(c->reason, said.reason, sizeof(c->reason));
		find_remedy(e, &said, c->remedy, sizeof(c->remedy));
	}
	view_clear(&v);
}
