/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evidence_build.h"
#include "verdict/doctor.h"
#include <stdio.h>
#include <string.h>

/* One change of a node in order, and what one check says of it. */
static const struct {
	const char *name, *facts, *check;
	enum doctor_outcome outcome;
	enum code code; /* CODES = none */
} cases[] = {
	{"no configuration", "config up=no", "configuration", DOCTOR_FAIL, CODES},
	{"what runs is not what the file says", "condition code=config-not-applied message=older",
		"configuration", DOCTOR_WARN, CODES},
	{"no capability", "condition code=capability-missing message=CAP_NET_ADMIN", "capability",
		DOCTOR_FAIL, CODES},
	{"an old kernel", "condition code=nft-table-unowned message='no owner'", "versions",
		DOCTOR_WARN, CODES},
	{"no tunnel", "link role=mesh exists=no", "tunnel", DOCTOR_FAIL,
		CODE_TUNNEL_INTERFACE_MISSING},
	{"no tunnel: nothing is said of routes",
		"link role=mesh exists=no|lookup question=reverse oif=eth0", "return-routes",
		DOCTOR_SKIP, CODES},
	{"no tunnel: nor of the proof", "link role=mesh exists=no", "return-path", DOCTOR_SKIP,
		CODES},
	{"tunnel without its program", "link role=mesh carrier=no", "tunnel", DOCTOR_FAIL,
		CODE_TUNNEL_INTERFACE_DOWN},
	{"strangers knock", "condition code=tunnel-flooded subject=mesh0 message=x", "tunnel",
		DOCTOR_WARN, CODES},
	{"a peer breaks the protocol", "condition code=tunnel-peer-breach subject=a/b message=x",
		"tunnel", DOCTOR_WARN, CODE_TUNNEL_PEER_BREACH},
	{"a peer tells too much", "condition code=tunnel-peer-excess subject=a/b message=x",
		"tunnel", DOCTOR_WARN, CODES},
	{"a peer lies", "condition code=tunnel-peer-spoofed subject=a/b message=x", "tunnel",
		DOCTOR_WARN, CODES},
	{"a peer is deaf", "condition code=tunnel-peer-deaf subject=a/b message=x", "tunnel",
		DOCTOR_WARN, CODE_TUNNEL_PEER_DEAF},
	{"nothing is heard of a node", "condition code=tunnel-peer-silent subject=a/b message=x",
		"tunnel", DOCTOR_WARN, CODE_TUNNEL_PEER_SILENT},
	{"nothing is heard of the edge",
		"config tunnel=connector|condition code=tunnel-peer-silent subject=a message=x",
		"tunnel", DOCTOR_FAIL, CODE_TUNNEL_PEER_SILENT},
	{"the path is narrow", "condition code=tunnel-path-narrow subject=192.0.2.1:443 message=x",
		"tunnel", DOCTOR_WARN, CODE_TUNNEL_PATH_NARROW},
	{"a file cannot be used any more",
		"condition code=tunnel-file-unusable subject=/f message=x", "tunnel", DOCTOR_WARN,
		CODE_TUNNEL_FILE_UNUSABLE},
	{"a file cannot be used",
		"condition code=tunnel-not-begun subject=mesh0 message=x|"
		"+condition code=tunnel-file-unusable subject=/f message=x",
		"tunnel", DOCTOR_FAIL, CODE_TUNNEL_FILE_UNUSABLE},
	{"the second LAN is down", "+link role=lan interface=eth2 exists", "lan", DOCTOR_FAIL,
		CODE_LAN_INTERFACE_DOWN},
	{"not forwarding",
		"sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		"forwarding", DOCTOR_FAIL, CODE_FORWARDING_DISABLED},
	{"only one interface is not forwarding",
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0", "forwarding",
		DOCTOR_FAIL, CODE_FORWARDING_DISABLED_ON_INTERFACE},
	{"forwarding by meshgw's own switches", "sysctl key=net.ipv4.ip_forward value=0",
		"forwarding", DOCTOR_PASS, CODES},
	{"no IPv6", "", "forwarding-ipv6", DOCTOR_SKIP, CODES},
	{"IPv6 is not forwarded",
		"sysctl key=net.ipv6.conf.all.forwarding value=0|"
		"+lookup question=address to=2001:db8:1::fe oif=eth0",
		"forwarding-ipv6", DOCTOR_FAIL, CODE_FORWARDING_DISABLED},
	{"IPv6 is off on the tunnel",
		"sysctl key=net.ipv6.conf.all.forwarding value=1|"
		"sysctl key=net.ipv6.conf.CloudflareWARP.disable_ipv6 value=1|"
		"+lookup question=address to=2001:db8:1::fe oif=eth0",
		"forwarding-ipv6", DOCTOR_FAIL, CODE_IPV6_DISABLED},
	{"routers are not heard",
		"sysctl key=net.ipv6.conf.all.forwarding value=1|"
		"sysctl key=net.ipv6.conf.eth0.accept_ra value=1|"
		"+lookup question=address to=2001:db8:1::fe oif=eth0",
		"forwarding-ipv6", DOCTOR_WARN, CODES},
	{"strict, and routes agree", "sysctl key=net.ipv4.conf.all.rp_filter value=1", "rp-filter",
		DOCTOR_PASS, CODES},
	{"strict, and routes do not",
		"sysctl key=net.ipv4.conf.all.rp_filter value=1|"
		"lookup question=reverse-bare oif=eth0",
		"rp-filter", DOCTOR_FAIL, CODE_RP_FILTER_STRICT},
	{"the second range has no route",
		"+lookup question=reverse-bare to=100.96.0.9 oif=eth0 entry match=0.0.0.0/0 table=254",
		"return-routes", DOCTOR_FAIL, CODE_RETURN_ROUTE_MISSING},
	{"a range is shadowed",
		"lookup question=reverse oif=eth0 match=100.64.0.0/16 hidesMeshRoute",
		"return-routes", DOCTOR_FAIL, CODE_RETURN_ROUTE_SHADOWED},
	{"a range goes nowhere",
		"lookup question=reverse error=22 oif='' type=blackhole match=100.64.0.0/12",
		"return-routes", DOCTOR_FAIL, CODE_ROUTE_BLACKHOLE},
	{"a rule takes answers", "lookup question=reverse oif=eth1 table=100", "rules", DOCTOR_FAIL,
		CODE_POLICY_RULE_CAPTURES_RETURN},
	{"somebody else in the range", "condition code=cgnat-overlap subject=100.64.3.3 message=x",
		"rules", DOCTOR_WARN, CODE_CGNAT_OVERLAP},
	{"Cloudflare's table has a network",
		"lookup question=address oif=CloudflareWARP table=65743", "lan-routes", DOCTOR_FAIL,
		CODE_WARP_TABLE_CAPTURES_LAN},
	{"no route to a network", "lookup question=address error=101 oif=''", "lan-routes",
		DOCTOR_FAIL, CODE_NO_ROUTE_TO_DESTINATION},
	{"a network is elsewhere", "lookup question=address oif=eth9", "lan-routes", DOCTOR_FAIL,
		CODE_ROUTE_WRONG_EGRESS},
	{"the LAN takes less", "link role=lan mtu=1200", "mtu", DOCTOR_WARN, CODES},
	{"table missing", "condition code=nft-table-missing message=x", "table", DOCTOR_FAIL,
		CODES},
	{"Cloudflare's filter stops probes",
		"condition code=probe-filtered-locally message=x|chain family=inet "
		"table=cloudflare-warp chain=output hook=output policy=drop by=warp",
		"warp-filter", DOCTOR_WARN, CODES},
	{"Cloudflare's filter as it comes",
		"chain family=inet table=cloudflare-warp chain=output hook=output policy=drop by=warp",
		"warp-filter", DOCTOR_PASS, CODES},
	{"Docker's policy",
		"chain family=ip table=filter chain=FORWARD hook=forward policy=drop by=docker",
		"filters", DOCTOR_WARN, CODE_FILTER_DROP_FORWARD},
	{"Tailscale drops what is for this host",
		"condition code=filter-drop-input subject=tailscale message=x", "filters",
		DOCTOR_WARN, CODE_FILTER_DROP_INPUT},
	{"nobody could look at rules", "missing observer=ruleset why=EPERM", "filters", DOCTOR_SKIP,
		CODES},
	{"iptables-legacy", "chain legacy table=filter family=ip", "legacy-filters", DOCTOR_WARN,
		CODES},
	{"somebody translates",
		"chain family=ip table=nat chain=POSTROUTING hook=postrouting natSource by=libvirt",
		"nat", DOCTOR_WARN, CODE_NAT_UNEXPECTED_OWNER},
	{"the field report's table",
		"chain family=inet table=nat chain=postrouting hook=postrouting natSource",
		"leftovers", DOCTOR_WARN, CODES},
	{"a table of that name for others",
		"chain family=inet table=nat chain=prerouting hook=prerouting", "leftovers",
		DOCTOR_PASS, CODES},
	/* Nothing is configured yet: that is when people look. */
	{"bare: the tunnel", "config up=no|link role=mesh exists=no", "tunnel", DOCTOR_FAIL,
		CODE_TUNNEL_INTERFACE_MISSING},
	{"bare: forwarding",
		"config up=no|sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		"forwarding", DOCTOR_FAIL, CODE_FORWARDING_DISABLED},
	{"bare: strict",
		"config up=no|sysctl key=net.ipv4.conf.all.rp_filter value=1|"
		"lookup question=reverse-bare oif=eth0",
		"rp-filter", DOCTOR_FAIL, CODE_RP_FILTER_STRICT},
	{"bare: routes", "config up=no|lookup question=reverse oif=eth0", "return-routes",
		DOCTOR_FAIL, CODE_RETURN_ROUTE_MISSING},
	{"bare: Cloudflare's table",
		"config up=no|lookup question=address oif=CloudflareWARP table=65743", "lan-routes",
		DOCTOR_FAIL, CODE_WARP_TABLE_CAPTURES_LAN},
	{"bare: MTU", "config up=no|link role=lan mtu=1200", "mtu", DOCTOR_WARN, CODES},
	{"bare: no table is expected", "config up=no", "table", DOCTOR_SKIP, CODES},
	{"bare: nor BGP", "config up=no|bgp configured", "bgp", DOCTOR_SKIP, CODES},
	{"bare: nor proofs", "config up=no", "return-path", DOCTOR_SKIP, CODES},
	{"ranges of IPv6 without a network of it",
		"sysctl key=net.ipv6.conf.all.forwarding value=0|"
		"+lookup question=reverse-bare to=2606:4700:cf1:5000::9 error=101 oif=''",
		"forwarding-ipv6", DOCTOR_SKIP, CODES},
	{"... need no route",
		"+lookup question=reverse-bare to=2606:4700:cf1:5000::9 error=101 oif=''",
		"return-routes", DOCTOR_PASS, CODES},
	{"a route by hand", "lookup question=reverse-bare protocolName=boot", "leftovers",
		DOCTOR_WARN, CODES},
	{"a route of Cloudflare's client",
		"lookup question=reverse-bare protocolName=boot match=100.96.0.0/12", "leftovers",
		DOCTOR_PASS, CODES},
	{"a route of Cloudflare's client's own table",
		"lookup question=reverse-bare protocolName=static match=2606:4700:cf1::/48 table=65743",
		"leftovers", DOCTOR_PASS, CODES},
	{"many connections", "counter name=nf_conntrack_count value=60000", "conntrack",
		DOCTOR_WARN, CODE_CONNTRACK_TABLE_FULL},
	{"too many connections", "counter name=nf_conntrack_count value=65536", "conntrack",
		DOCTOR_FAIL, CODE_CONNTRACK_TABLE_FULL},
	{"no connection tracking", "-counter name=nf_conntrack_max", "conntrack", DOCTOR_SKIP,
		CODES},
	{"no BGP", "", "bgp", DOCTOR_SKIP, CODES},
	{"FRR is gone", "bgp configured text='bgpd does not answer'", "bgp", DOCTOR_FAIL,
		CODE_BGP_DAEMON_DOWN},
	{"FRR is gone: nothing is said of sessions",
		"bgp configured|bgp-neighbour address=10.0.1.1 state=Active", "bgp-neighbours",
		DOCTOR_SKIP, CODES},
	{"a session is down", "bgp configured daemon|bgp-neighbour address=10.0.1.1 state=Active",
		"bgp-neighbours", DOCTOR_FAIL, CODE_BGP_SESSION_DOWN},
	{"... and FRR knows why",
		"bgp configured daemon|bgp-neighbour address=10.0.1.1 state=Idle fresh "
		"reason=bgp-wrong-asn",
		"bgp-neighbours", DOCTOR_FAIL, CODE_BGP_WRONG_ASN},
	{"... or why it was once",
		"bgp configured daemon|bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-wrong-asn",
		"bgp-neighbours", DOCTOR_FAIL, CODE_BGP_SESSION_DOWN},
	{"not announced",
		"bgp configured daemon|bgp-neighbour address=10.0.1.1 state=Established|"
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 originated exportPolicy",
		"bgp-prefixes", DOCTOR_FAIL, CODE_BGP_PREFIX_FILTERED_LOCALLY},
	{"not announced yet",
		"bgp configured daemon|bgp-neighbour address=10.0.1.1 state=Established|"
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 originated exportPolicy "
		"pending",
		"bgp-prefixes", DOCTOR_PASS, CODES},
	{"the way back is lost", "condition code=return-path-lost subject=10.0.1.0/24 message=x",
		"return-path", DOCTOR_WARN, CODES},
	{"in a cloud", "platform provider=aws", "platform", DOCTOR_WARN,
		CODE_PROVIDER_SOURCE_CHECK},
};

static void begin(struct evidence *e, const char *facts)
{
	evidence_healthy(e, AF_INET);
	e->at_us = 1'800'000'000'000'000;
	evidence_change(e, "lookup question=address to=10.0.1.254 oif=eth0 type=unicast entry "
			   "match=10.0.1.0/24 table=254");
	evidence_change(e, facts);
}

static const struct doctor_check *find(const struct doctor_result *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->checks[i].name, name))
			return &r->checks[i];
	fail_msg("no check %s", name);
}

static void test_in_order(void **state)
{
	struct evidence e;
	struct doctor_result r;

	(void)state;
	begin(&e, "");
	doctor_check(&e, &r);
	assert_true(r.n > 20);
	for (size_t i = 0; i < r.n; i++) {
		if (r.checks[i].outcome == DOCTOR_WARN || r.checks[i].outcome == DOCTOR_FAIL)
			fail_msg("%s: %s", r.checks[i].name, r.checks[i].reason);
		assert_true(r.checks[i].reason[0]);
		assert_int_equal(r.checks[i].code, CODES);
	}
	evidence_clear(&e);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evidence e;
		struct doctor_result r, again;
		begin(&e, cases[i].facts);
		doctor_check(&e, &r);
		const struct doctor_check *c = find(&r, cases[i].check);
		if (c->outcome != cases[i].outcome || c->code != cases[i].code)
			fail_msg("%s: %s %s: %s", cases[i].name, doctor_outcome_str(c->outcome),
				c->code == CODES ? "" : code_str(c->code), c->reason);
		if (c->code != CODES && !c->remedy[0])
			fail_msg("%s: no remedy", cases[i].name);
		evidence_shuffle(&e, (unsigned)i + 1);
		doctor_check(&e, &again);
		assert_memory_equal(&r, &again, sizeof(r));
		evidence_clear(&e);
	}
}

/* Nobody could look: nothing is said to be well, and nothing wrong. */
static void test_nothing_known(void **state)
{
	struct evidence e = {};
	struct doctor_result r;

	(void)state;
	evidence_change(&e, "missing observer=ruleset why=gone");
	doctor_check(&e, &r);
	for (size_t i = 0; i < r.n; i++)
		if (r.checks[i].outcome != DOCTOR_SKIP)
			fail_msg("%s: %s", r.checks[i].name, r.checks[i].reason);
	evidence_clear(&e);
}

/* Why there is no tunnel is said before that there is none, with what is to be done. */
static void test_cause_first(void **state)
{
	static const char *const causes[] = {"tunnel-edge-unreached", "tunnel-edge-untrusted",
		"tunnel-edge-certificate", "tunnel-certificate-refused", "tunnel-request-refused",
		"tunnel-path-narrow", "tunnel-peer-breach", "tunnel-peer-deaf"};

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct evidence e;
		struct doctor_result r;
		char facts[256];
		snprintf(facts, sizeof(facts),
			"condition code=tunnel-disconnected subject=mesh0 message=away remedy=r|"
			"+condition code=%s subject=192.0.2.1:443 message=why",
			causes[i]);
		begin(&e, facts);
		doctor_check(&e, &r);
		const struct doctor_check *c = find(&r, "tunnel");
		assert_int_equal(c->outcome, DOCTOR_FAIL);
		assert_string_equal(c->reason, "192.0.2.1:443: why");
		assert_string_equal(code_str(c->code), causes[i]);
		assert_string_equal(c->remedy, code_row(c->code)->remedy);
		evidence_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_cause_first),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
