/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Others' routes inside the mesh ranges: which live beside the mesh, which take its answers away,
 * and in whose name they are shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/rivals.h"
#include "rtevent.h"
#include "world.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\nreturn_path: route\n"
#define ALLOW "allow: [{from: 100.64.7.7/32, to: 10.0.1.50, tcp: [80]}]\n"
#define PROBE "probe: {sources: [100.64.7.7]}\n"
#define TAILSCALE "link 9 tailscale0 up mtu 1280\nrule 5270 table 52\n"
#define HOST(address) "route " address "/32 dev 9 proto 3 metric 0 table 52\n"

/* What stands of this module's codes, "CODE SUBJECT: MESSAGE\n" each. */
static void list(const struct world *w, char *buf, size_t size)
{
	static const enum condition_code codes[] = {
		COND_CGNAT_OVERLAP, COND_RETURN_ROUTE_SHADOWED, COND_POLICY_RULE_CAPTURES_RETURN};
	const struct conditions *found = &w->gateway.checks.found;
	size_t n = 0;

	buf[0] = '\0';
	for (size_t c = 0; c < COUNT(codes); c++)
		for (size_t i = 0; i < found->n; i++)
			if (found->list[i].code == codes[c])
				n += (size_t)snprintf(buf + n, size - n, "%s %s: %s\n",
					condition_code_str(codes[c]), found->list[i].subject,
					found->list[i].message);
}

static const struct {
	const char *name, *host, *yaml, *shown;
} hosts[] = {
	{"nobody", "", LAN, ""},
	{"Tailscale without hosts", TAILSCALE, LAN, ""},
	{"outside of the ranges", TAILSCALE HOST("100.127.0.1"), LAN, ""},
	{"Tailscale's hosts", TAILSCALE HOST("100.101.102.103") HOST("100.64.9.9"), LAN,
		"cgnat-overlap tailscale0: table 52 (rule 5270, by=tailscale) takes 2 "
		"prefixes of the mesh ranges to tailscale0: 100.64.9.9/32 and others "
		"(proto boot, metric 0)\n"},
	{"somebody else's table",
		"rule 100 table 77\nlink 9 wg0 up mtu 1420\n"
		"route 100.64.9.9/32 dev 9 proto 3 metric 5 table 77\n",
		LAN,
		"cgnat-overlap wg0: table 77 (rule 100) takes 1 prefix of the mesh ranges "
		"to wg0: 100.64.9.9/32 (proto boot, metric 5)\n"},
	{"a table without rule",
		"link 9 wg0 up mtu 1420\n"
		"route 100.70.0.0/24 dev 9 proto 3 metric 5 table 77\n",
		LAN, ""},
	{"OneCGNAT", TAILSCALE "route 100.64.0.0/10 dev 9 proto 3 metric 0 table 52\n", LAN,
		"cgnat-overlap tailscale0: table 52 (rule 5270, by=tailscale) takes 1 "
		"prefix of the mesh ranges to tailscale0: 100.64.0.0/10 (proto boot, "
		"metric 0)\n"
		"policy-rule-captures-return 100.64.0.0/12: a policy rule sends answers "
		"to 100.64.0.0/12 through table 52 to tailscale0 (rule 5270)\n"},
	{"a part, by a rule", TAILSCALE "route 100.70.0.0/24 dev 9 proto 3 metric 0 table 52\n",
		LAN,
		"cgnat-overlap tailscale0: table 52 (rule 5270, by=tailscale) takes 1 "
		"prefix of the mesh ranges to tailscale0: 100.70.0.0/24 (proto boot, "
		"metric 0)\n"
		"policy-rule-captures-return 100.70.0.0/24: a policy rule sends answers "
		"to 100.70.0.0/24 through table 52 to tailscale0 (rule 5270)\n"},
	{"the last address of a range is a host", TAILSCALE HOST("100.79.255.254"), LAN,
		"cgnat-overlap tailscale0: table 52 (rule 5270, by=tailscale) takes 1 "
		"prefix of the mesh ranges to tailscale0: 100.79.255.254/32 (proto boot, "
		"metric 0)\n"},
	{"a host behind the LAN's router",
		"route 100.64.7.7/32 dev 2 proto 4 metric 0\n"
		"route 100.64.7.8/32 dev 2 proto 4 metric 0\n",
		LAN,
		"cgnat-overlap eth0: table main takes 2 prefixes of the mesh ranges to "
		"eth0: 100.64.7.7/32 and others (proto static, metric 0)\n"},
	{"learned by BGP", "route 100.64.7.0/24 dev 2 proto 186 metric 20\n", LAN,
		"return-route-shadowed 100.64.7.0/24: another route takes answers to "
		"100.64.7.0/24 to eth0 (proto bgp, metric 20)\n"},
	{"learned twice", "route 100.64.7.0/24 dev 0 proto 186 metric 20\n", LAN,
		"return-route-shadowed 100.64.7.0/24: another route takes answers to "
		"100.64.7.0/24 to several next hops (proto bgp, metric 20)\n"},
	{"a host, learned by BGP", "route 100.64.7.7/32 dev 2 proto 186 metric 20\n", LAN,
		"return-route-shadowed 100.64.7.7/32: another route takes answers to "
		"100.64.7.7/32 to eth0 (proto bgp, metric 20)\n"},
	{"a host that an allow entry names", "route 100.64.7.7/32 dev 2 proto 4 metric 0\n",
		LAN ALLOW,
		"return-route-shadowed 100.64.7.7/32: another route takes answers to "
		"100.64.7.7/32 to eth0 (proto static, metric 0)\n"},
	{"the probe's source", "route 100.64.7.7/32 dev 2 proto 4 metric 0\n", LAN PROBE,
		"return-route-shadowed 100.64.7.7/32: another route takes answers to "
		"100.64.7.7/32 to eth0 (proto static, metric 0)\n"},
	{"nowhere", "route 100.64.7.7/32 dev 0 proto 4 metric 0 type blackhole\n", LAN,
		"return-route-shadowed 100.64.7.7/32: another route takes answers to "
		"100.64.7.7/32 to nowhere (proto static, metric 0)\n"},
	{"a network by hand", "route 100.70.0.0/16 dev 2 proto 3 metric 7\n", LAN,
		"return-route-shadowed 100.70.0.0/16: another route takes answers to "
		"100.70.0.0/16 to eth0 (proto boot, metric 7)\n"},
	{"a whole range", "route 100.64.0.0/12 dev 2 proto 11 metric 7\n", LAN,
		"return-route-shadowed 100.64.0.0/12: another route takes answers to "
		"100.64.0.0/12 to eth0 (proto zebra, metric 7)\n"},
	{"a whole range, into the tunnel", "route 100.64.0.0/12 dev 3 proto 11 metric 7\n", LAN,
		""},
	{"an unknown protocol", "route 100.70.0.0/16 dev 2 proto 77 metric 7\n", LAN,
		"return-route-shadowed 100.70.0.0/16: another route takes answers to "
		"100.70.0.0/16 to eth0 (proto 77, metric 7)\n"},
	{"behind the mesh's own",
		"route 100.70.0.0/16 dev 2 proto 4 metric 7\n"
		"route 100.70.0.0/16 dev 3 proto 4 metric 5\n",
		LAN, ""},
};

static void test_shown(void **)
{
	char found[2048];

	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct world w;

		print_message("%s\n", hosts[i].name);
		world_init(&w, world_host);
		assert_int_equal(dummy_load(w.kernel, hosts[i].host), 0);
		world_enter(&w, hosts[i].yaml);
		world_run(&w, WORLD_SECOND);
		list(&w, found, sizeof(found));
		assert_string_equal(found, hosts[i].shown);
		world_clear(&w);
	}
}

/* A tailnet of thousands is counted, and not kept. */
static void test_many(void **)
{
	constexpr unsigned HOSTS = 1000;
	struct world w;
	struct route r = {.table = 52, .oif = 9, .type = RTN_UNICAST, .protocol = RTPROT_BOOT};

	world_init(&w, world_host);
	assert_int_equal(dummy_load(w.kernel, TAILSCALE), 0);
	for (unsigned i = 0; i < HOSTS; i++) {
		char text[32];
		snprintf(text, sizeof(text), "100.64.%u.%u", i / 256, i % 256);
		assert_int_equal(prefix_parse(text, &r.dst), 0);
		dummy_route(w.kernel, &r);
	}
	world_enter(&w, LAN);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.gateway.seen.n_tables, 1);
	assert_int_equal(w.gateway.seen.tables[0].routes.n, OBSERVED_TABLE_ROUTES);
	const struct condition *c = conditions_find(
		&w.gateway.checks.found, COND_CGNAT_OVERLAP, "tailscale0");
	assert_non_null(c);
	assert_non_null(strstr(c->message, "takes 1000 prefixes"));
	world_clear(&w);
}

/* Comes and goes with what is announced. */
static void test_events(void **)
{
	struct world w;
	struct nl_message m;

	world_init(&w, world_host);
	world_enter(&w, LAN);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(dummy_load(w.kernel, TAILSCALE HOST("100.64.9.9")), 0);
	gateway_event(&w.gateway, WATCH_ROUTE, rtevent_rule(&m, RTM_NEWRULE));
	gateway_event(&w.gateway, WATCH_ROUTE,
		rtevent_route(&m, RTM_NEWROUTE, 0, &w.kernel->routes.list[0]));
	world_run(&w, 0);
	assert_true(world_condition(&w, COND_CGNAT_OVERLAP, "tailscale0"));
	dummy_unlink(w.kernel, 9);
	gateway_event(&w.gateway, WATCH_ROUTE, rtevent_link(&m, RTM_DELLINK, 9, "tailscale0", 0));
	world_run(&w, 0);
	assert_false(world_condition(&w, COND_CGNAT_OVERLAP, nullptr));
	world_clear(&w);
}

/* Rules that cannot be read keep nothing else from being looked after. */
static void test_unreadable(void **)
{
	struct world w;

	world_init(&w, world_host);
	dummy_stick(w.kernel, "rules", ENOBUFS);
	world_enter(&w, LAN);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.gateway.seen.ours.n, w.gateway.want.routes.n);
	assert_true(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
	dummy_stick(w.kernel, nullptr, 0);
	world_run(&w, 2 * WORLD_SECOND);
	assert_false(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
	world_clear(&w);
}

/* Which rules an answer from the LAN, without a mark, can be looked up by. */
static void test_rules(void **)
{
	static const struct {
		struct rule rule;
		size_t tables;
	} cases[] = {
		{{.table = 52}, 1},
		{{.table = 52, .iif = "eth0"}, 1},
		{{.table = 52, .iif = "eth7"}, 0},
		{{.table = 52, .oif = "eth0"}, 0},
		{{.table = 52, .fwmark = 0x80000, .fwmask = 0xff0000}, 0},
		{{.table = 65743, .fwmark = 0x100cf, .fwmask = 0xffffffff, .invert = true}, 1},
		{{.table = 52, .narrow = true}, 0},
		{{.table = RT_TABLE_LOCAL}, 0},
		{{.table = 52, .action = 7 /* unreachable */}, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;

		world_init(&w, world_host);
		assert_int_equal(dummy_load(w.kernel, TAILSCALE), 0);
		struct rule *r = &w.kernel->rules.list[0];
		uint8_t action = r->action;
		*r = cases[i].rule;
		r->family = AF_INET;
		r->priority = 5270;
		r->action = r->action ? r->action : action;
		world_enter(&w, LAN);
		world_run(&w, 0);
		assert_int_equal(w.gateway.seen.n_tables, cases[i].tables);
		world_clear(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
