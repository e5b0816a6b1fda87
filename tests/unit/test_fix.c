/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repairs follow from which evidence, in the words that are shown before one is asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/fix.h"
#include "daemon/fix_frr.h"
#include "decide_stories.h"
#include "evidence_build.h"
#include "lib/json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is wrong, and the steps: "action name detail", separated by "|"; beginning with "!": the
 * refusal. */
static const struct {
	const char *facts, *steps;
	enum code code;
	bool six, udp;
} cases[] = {
	{DIES_INSIDE
		"sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
		"lookup question=forward error=113 oif='' type='' entry=no|"
		"lookup question=reverse error=113 oif='' type='' entry=no|"
		"drop origin=injected toTarget reason=IP_INADDRERRORS function=ip_error count=2",
		"set sysctl net.ipv4.ip_forward 1", .code = CODE_FORWARDING_DISABLED},
	{DIES_INSIDE
		"lookup question=forward error=113 oif='' type=unreachable protocol=3 metric=0",
		"delete route 10.0.1.0/24 unreachable table 254 metric 0 proto 3",
		.code = CODE_ROUTE_UNREACHABLE},
	{DIES_INSIDE
		"lookup question=forward error=113 oif='' type=unreachable protocol=3 metric=0",
		"delete route 2001:db8:1::/64 unreachable table 254 metric 0 proto 3",
		.code = CODE_ROUTE_UNREACHABLE, .six = true},
	{DIES_INSIDE "lookup question=forward error=113 oif='' type=unreachable protocol=186",
		"!BGP made this route", .code = CODE_ROUTE_UNREACHABLE},
	{DIES_INSIDE "lookup question=forward error=113 oif='' type=unreachable protocol=3 "
		     "match=0.0.0.0/0",
		"!it is the default route", .code = CODE_ROUTE_UNREACHABLE},
	{DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect match=10.0.0.0/16 "
		     "table=254 protocol=4 metric=0|"
		     "+packet origin=injected point=tun-out packet=syn toTarget count=2",
		"!the route to 10.0.0.0/16 covers more than 10.0.1.0/24",
		.code = CODE_ROUTE_HAIRPIN_TUNNEL},
	{DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect match=10.0.1.0/24 "
		     "table=254 protocol=4 metric=0|"
		     "+packet origin=injected point=tun-out packet=syn toTarget count=2",
		"delete route 10.0.1.0/24 unicast dev CloudflareWARP table 254 metric 0 proto 4",
		.code = CODE_ROUTE_HAIRPIN_TUNNEL},
	{DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect match=10.0.0.0/16 "
		     "table=65743 rulePriority=5200|"
		     "+packet origin=injected point=tun-out packet=syn toTarget count=2",
		"add rule 0: from all to 10.0.1.0/24 lookup main in front of all others",
		.code = CODE_WARP_TABLE_CAPTURES_LAN},
	{DIES_INSIDE "config mode=masquerade|"
		     "lookup question=forward oif=CloudflareWARP redirect match=10.0.0.0/16 "
		     "table=65743 rulePriority=5200|"
		     "+packet origin=injected point=tun-out packet=udp toTarget count=2",
		"add rule 0: from all to 10.0.1.0/24 lookup main in front of all others|"
		"delete connections to 10.0.1.50/32 from 100.64.0.0/12, those without an answer",
		.code = CODE_WARP_TABLE_CAPTURES_LAN, .udp = true},
	{DIES_INSIDE "trace origin=injected toTarget family=inet table=fw chain=fwd hook=forward "
		     "handle=12 verdict=drop rule='tcp dport 3000 drop'|"
		     "drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain "
		     "count=2",
		"add chain inet fw fwd iifname CloudflareWARP oifname eth0 ip saddr 100.64.0.0/12 "
		"ip daddr 10.0.1.0/24 tcp dport 3000 accept (in front of the rule with handle 12)|"
		"add chain inet fw fwd iifname eth0 oifname CloudflareWARP ip saddr 10.0.1.0/24 "
		"ip daddr 100.64.0.0/12 tcp sport 3000 accept (in front of the rule with handle 12)",
		.code = CODE_FILTER_DROP_FORWARD},
	{DIES_INSIDE "trace origin=injected toTarget family=ip table=filter chain=FORWARD "
		     "hook=forward handle=-1 verdict='policy drop'|"
		     "drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain "
		     "count=2",
		"add chain ip filter FORWARD iifname CloudflareWARP oifname eth0 ip saddr "
		"100.64.0.0/12 ip daddr 10.0.1.0/24 tcp dport 3000 accept (behind all rules)|"
		"add chain ip filter FORWARD iifname eth0 oifname CloudflareWARP ip saddr "
		"10.0.1.0/24 ip daddr 100.64.0.0/12 tcp sport 3000 accept (behind all rules)",
		.code = CODE_FILTER_DROP_FORWARD},
	{"config mode=masquerade configured=masquerade|"
	 "trace origin=injected family=netdev table=fw chain=in hook=ingress handle=3 "
	 "verdict=drop rule='tcp sport 3000 drop'|"
	 "drop origin=injected reason=NETFILTER_DROP function=nft_do_chain count=2|"
	 "-packet point=tun-out|-probe probe=injected|"
	 "probe probe=injected outcome=silent answered=0",
		"add chain netdev fw in iifname eth0 ip saddr 10.0.1.0/24 tcp sport 3000 accept "
		"(in front of the rule with handle 3)",
		.code = CODE_FILTER_DROP_PREROUTING},
	{DIES_INSIDE "config ownAddress|"
		     "trace origin=injected toTarget family=inet table=fw chain=in hook=input "
		     "handle=3 verdict=drop rule='tcp dport 3000 drop'|"
		     "drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain "
		     "count=2",
		"add chain inet fw in iifname CloudflareWARP ip saddr 100.64.0.0/12 ip daddr "
		"10.0.1.50/32 tcp dport 3000 accept (in front of the rule with handle 3)",
		.code = CODE_FILTER_DROP_INPUT},
	{DIES_INSIDE "sysctl key=net.ipv6.conf.all.forwarding value=0|"
		     "sysctl key=net.ipv6.conf.eth0.accept_ra value=1|"
		     "drop origin=injected toTarget reason=IP_INADDRERRORS function=ip6_forward "
		     "count=2",
		"set sysctl net.ipv6.conf.eth0.accept_ra 2|"
		"set sysctl net.ipv6.conf.all.forwarding 1",
		.code = CODE_FORWARDING_DISABLED, .six = true},
	{"", "!there is no repair of healthy", .code = CODE_HEALTHY},
};

static void say(const struct fix *f, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < f->n; i++) {
		const struct fix_step *step = &f->list[i];
		char name[FIX_TEXT_LEN], detail[FIX_TEXT_LEN];
		at += (size_t)snprintf(out + at, size - at, "%s%s %s %s", i ? "|" : "",
			fix_action_str(step->kind), fix_name(step, name), fix_detail(step, detail));
	}
}

static void test_plans(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct verdict v;
		static struct fix f;
		struct evidence e = {};
		struct err err = {};
		char got[2048];

		evidence_healthy(&e, cases[i].six ? AF_INET6 : AF_INET);
		evidence_change(&e, cases[i].facts);
		if (cases[i].udp)
			e.flow.proto = IPPROTO_UDP;
		verdict_decide(&e, &v);
		assert_string_equal(code_str(v.code), code_str(cases[i].code));
		int r = fix_plan(&v, &e, &f, &err);
		if (cases[i].steps[0] == '!') {
			assert_int_equal(r, -EOPNOTSUPP);
			assert_non_null(strstr(err.msg, cases[i].steps + 1));
		} else {
			assert_int_equal(r, 0);
			say(&f, got, sizeof(got));
			assert_string_equal(got, cases[i].steps);
		}
		evidence_clear(&e);
	}
}

/* What the manual promises is there, and nothing else. */
static void test_table(void **)
{
	for (enum code c = 0; c < CODES; c++)
		if (fix_knows(c) != code_row(c)->fix)
			fail_msg("%s: the table of codes and the planners differ", code_str(c));
}

static bool is_nothing(const struct fix *f)
{
	return f->n == 0;
}

/* Evidence without what a planner needs is refused with a sentence, whatever the code. */
static void test_no_evidence(void **)
{
	for (enum code c = 0; c < CODES; c++) {
		static struct fix f;
		struct verdict v = {.code = c, .next = CODES};
		struct evidence none = {.flow.proto = IPPROTO_TCP};
		struct err err = {};
		if (fix_applies(c) || c == CODE_CONNTRACK_STALE_NAT)
			continue;
		assert_int_equal(fix_plan(&v, &none, &f, &err), -EOPNOTSUPP);
		assert_true(is_nothing(&f));
		assert_true(err.msg[0]);
	}
}

/* What is FRRouting's is its operator's to remove, by these commands. */
static void test_frr_commands(void **)
{
	struct frr_finding findings[] = {
		{.code = FRR_FOUND_FOREIGN_STATIC,
			.text = "ip route 100.64.0.0/12 CloudflareWARP 5"},
		{.code = FRR_FOUND_FOREIGN_STATIC, .text = "ip route 100.96.0.0/12 it's"},
		{.code = FRR_FOUND_FOREIGN_NETWORK,
			.text = "address-family ipv6 unicast: network 2606:4700:cf1:5000::/64"},
		{.code = FRR_FOUND_LEAK, .text = "route-map OUT permit 10"},
	};
	struct config config = {.bgp.asn = 65010};
	struct frr_sync frr = {.config = &config,
		.view.answered = true,
		.diff = {.findings = findings, .n_findings = COUNT(findings)}};
	static const char *const want[] = {"vtysh -c 'configure terminal' -c 'no ip route "
					   "100.64.0.0/12 CloudflareWARP 5'",
		"vtysh -c 'configure terminal' -c 'router bgp 65010' -c 'address-family ipv6 "
		"unicast' -c 'no network 2606:4700:cf1:5000::/64'"};

	assert_int_equal(prefix_parse("2606:4700:cf1:5000::/64", &findings[2].prefix), 0);
	autojson sd_json_variant *got = fix_frr_commands(&frr);
	assert_int_equal(sd_json_variant_elements(got), COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(
			sd_json_variant_string(sd_json_variant_by_index(got, i)), want[i]);
	frr.view.answered = false;
	assert_null(fix_frr_commands(&frr));
	assert_null(fix_frr_commands(nullptr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_evidence),
		cmocka_unit_test(test_frr_commands),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
