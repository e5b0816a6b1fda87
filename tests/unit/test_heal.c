/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others do to a host, and that it heals: each case changes the kernel, hands over the
 * notifications that the real one sends, and compares the state after the passes with the one
 * before. Then the same by somebody who does not stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/objects.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "rtevent.h"
#include "world.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* What goes on failing is tried at 0, 0.1, 0.3, 0.7, 1.5, 3.1 … seconds. */
constexpr unsigned ATTEMPTS_A_MINUTE = 42;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr unsigned RUNNING = IFF_UP | IFF_LOWER_UP;

static struct prefix P(const char *text) {
	struct prefix p = {};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* ---- the kernel changes and says so ---- */

static void
announce(struct world *w, const struct nlmsghdr *nlh)
{
	gateway_event(&w->gateway, WATCH_ROUTE, nlh);
}

static void change_link(struct world *w, int ifindex, const char *name, unsigned flags)
{
	struct nl_message m;

	dummy_link(w->kernel, ifindex, name, flags, 1280);
	announce(w, rtevent_link(&m, RTM_NEWLINK, ifindex, name, flags));
}

static void add_address(struct world *w, int ifindex, const char *prefix)
{
	struct nl_message m;
	char line[96];

	snprintf(line, sizeof(line), "address %d %s", ifindex, prefix);
	assert_int_equal(dummy_load(w->kernel, line), 0);
	announce(w, rtevent_address(&m, RTM_NEWADDR, ifindex, prefix));
}

static void remove_address(struct world *w, int ifindex, const char *address)
{
	struct nl_message m;

	dummy_unaddress(w->kernel, ifindex, address);
	announce(w, rtevent_address(&m, RTM_DELADDR, ifindex, address));
}

static void remove_route(struct world *w, const struct route *r)
{
	struct route gone = *r;
	struct nl_message m;
	struct route_set *set = &w->kernel->routes;

	for (size_t i = 0; i < set->n; i++)
		if (!route_cmp(&set->list[i], &gone))
			set->list[i--] = set->list[--set->n];
	announce(w, rtevent_route(&m, RTM_DELROUTE, 0, &gone));
}

/* false: it is not there. */
static bool remove_ours(struct world *w, const char *prefix)
{
	struct prefix p = P(prefix);
	const struct route *r = dummy_find_route(w->kernel, &p, MARK_RTPROT);

	if (r)
		remove_route(w, r);
	return r;
}

static void change_sysctl(struct world *w, uint8_t family, int ifindex, const char *key, int value)
{
	struct nl_message m;

	dummy_sysctl(w->kernel, key, value);
	announce(w, rtevent_netconf(&m, family, ifindex));
}

/* ---- cases ---- */

static void hurt_route(struct world *w)
{
	assert_true(remove_ours(w, "100.64.0.0/12"));
	assert_true(remove_ours(w, "2606:4700:cf1:5000::/64"));
}

/* `ip route replace` with our prefix and metric: ours is gone without a word of its own. */
static struct route thief(void)
{
	return (struct route){.dst = P("100.64.0.0/12"),
		.table = MARK_RT_TABLE,
		.metric = MARK_METRIC,
		.protocol = RTPROT_BOOT,
		.type = RTN_UNICAST,
		.oif = WORLD_LAN};
}

static void hurt_replace(struct world *w)
{
	struct route r = thief();
	struct nl_message m;
	struct prefix p = P("100.64.0.0/12");

	for (size_t i = 0; i < w->kernel->routes.n; i++)
		if (!prefix_cmp(&w->kernel->routes.list[i].dst, &p))
			w->kernel->routes.list[i] = r;
	announce(w, rtevent_route(&m, RTM_NEWROUTE, NLM_F_REPLACE, &r));
}

static void mend_replace(struct world *w)
{
	struct route r = thief();

	assert_true(dummy_find_route(w->kernel, &r.dst, MARK_RTPROT));
	remove_route(w, &r);
}

static void hurt_networkd(struct world *w)
{
	static const char *const ours[] = {"100.64.0.0/12", "100.96.0.0/12",
		"2606:4700:cf1:1000::/64", "2606:4700:cf1:5000::/64"};

	for (size_t i = 0; i < COUNT(ours); i++)
		assert_true(remove_ours(w, ours[i]));
}

static void hurt_tunnel_down(struct world *w)
{
	change_link(w, WORLD_MESH, "CloudflareWARP", 0);
}

static void hurt_tunnel_carrier(struct world *w)
{
	change_link(w, WORLD_MESH, "CloudflareWARP", IFF_UP);
}

static void mend_tunnel(struct world *w)
{
	change_link(w, WORLD_MESH, "CloudflareWARP", RUNNING);
}

static void hurt_rename(struct world *w)
{
	change_link(w, WORLD_MESH, "tun7", RUNNING);
}

static void hurt_address(struct world *w)
{
	remove_address(w, WORLD_MESH, "100.96.0.18");
}

static void mend_address(struct world *w)
{
	add_address(w, WORLD_MESH, "100.96.0.18/32");
}

static void hurt_lan_address(struct world *w)
{
	remove_address(w, WORLD_LAN, "10.0.1.11");
}

/* DHCP brings the address and the routes back. */
static void mend_lan_address(struct world *w)
{
	dummy_unaddress(w->kernel, WORLD_LAN, "2001:db8:1::11"); /* same order as before */
	dummy_unaddress(w->kernel, WORLD_MESH, "100.96.0.18");
	add_address(w, WORLD_LAN, "10.0.1.11/24");
	add_address(w, WORLD_LAN, "2001:db8:1::11/64");
	add_address(w, WORLD_MESH, "100.96.0.18/32");
	assert_int_equal(dummy_load(w->kernel, "route 0.0.0.0/0 dev 2 proto 16 metric 100\n"
					       "route 10.0.1.0/24 dev 2 proto 2 metric 100\n"
					       "route 100.64.0.0/10 dev 2 proto 4 metric 50\n"),
		0);
}

static void hurt_lan_carrier(struct world *w)
{
	change_link(w, WORLD_LAN, "eth0", IFF_UP);
}

static void mend_lan_carrier(struct world *w)
{
	dummy_link(w->kernel, WORLD_LAN, "eth0", RUNNING, 1500);
	struct nl_message m;
	announce(w, rtevent_link(&m, RTM_NEWLINK, WORLD_LAN, "eth0", RUNNING));
}

static void hurt_forwarding4(struct world *w)
{
	change_sysctl(w, AF_INET, WORLD_LAN, "ipv4/conf/eth0/forwarding", 0);
}

static void hurt_forwarding6(struct world *w)
{
	change_sysctl(w, AF_INET6, NETCONFA_IFINDEX_ALL, "ipv6/conf/all/forwarding", 0);
}

/* Nothing announces it but the routes that go. */
static void hurt_ipv6(struct world *w)
{
	dummy_sysctl(w->kernel, "ipv6/conf/CloudflareWARP/disable_ipv6", 1);
	assert_true(remove_ours(w, "2606:4700:cf1:1000::/64"));
	assert_true(remove_ours(w, "2606:4700:cf1:5000::/64"));
}

static void mend_ipv6(struct world *w)
{
	dummy_sysctl(w->kernel, "ipv6/conf/CloudflareWARP/disable_ipv6", 0);
}

static void hurt_nft(struct world *w)
{
	w->kernel->base.nft_owned = false; /* as on a kernel before 6.9 */
	w->kernel->nft = (struct nft_state){};
	gateway_event(&w->gateway, WATCH_NFT_GEN, nullptr);
}

static void hurt_nft_edit(struct world *w)
{
	struct nl_message m;
	w->kernel->base.nft_owned = false;
	w->kernel->nft.digest++;
	gateway_event(&w->gateway, WATCH_NFT,
		rtevent_nft_rule(&m, NFPROTO_INET, MARK_NFT_TABLE, "forward"));
}

/* Notifications were lost: everything at once, and nobody said so. */
static void hurt_lost(struct world *w)
{
	route_set_clear(&w->kernel->routes);
	dummy_sysctl(w->kernel, "ipv4/conf/eth0/forwarding", 0);
	w->kernel->nft = (struct nft_state){};
	gateway_event(&w->gateway, WATCH_LOST, nullptr);
}

static void mend_lost(struct world *w)
{
	assert_int_equal(dummy_load(w->kernel, strstr(world_host, "route")), 0);
}

static const struct {
	const char *name;
	void (*hurt)(struct world *w);
	void (*mend)(struct world *w);  /* what others must do */
	enum condition_code while_hurt; /* after the passes; COND_CODES: it heals by itself */
	const char *subject;
} cases[] = {
	{"route deleted", hurt_route, nullptr, COND_CODES, nullptr},
	{"route replaced", hurt_replace, mend_replace, COND_CODES, nullptr},
	{"foreign routes removed", hurt_networkd, nullptr, COND_CODES, nullptr},
	{"tunnel down", hurt_tunnel_down, mend_tunnel, COND_TUNNEL_INTERFACE_DOWN,
		"CloudflareWARP"},
	{"tunnel without reader", hurt_tunnel_carrier, mend_tunnel, COND_TUNNEL_INTERFACE_DOWN,
		"CloudflareWARP"},
	{"tunnel renamed", hurt_rename, mend_tunnel, COND_TUNNEL_INTERFACE_MISSING,
		"CloudflareWARP"},
	{"last address gone", hurt_address, mend_address, COND_CODES, nullptr},
	{"LAN address gone", hurt_lan_address, mend_lan_address, COND_NAT_NO_SOURCE_ADDRESS,
		"eth0"},
	{"LAN carrier gone", hurt_lan_carrier, mend_lan_carrier, COND_LAN_INTERFACE_DOWN, "eth0"},
	{"IPv4 forwarding off", hurt_forwarding4, nullptr, COND_CODES, nullptr},
	{"IPv6 forwarding off", hurt_forwarding6, nullptr, COND_CODES, nullptr},
	{"IPv6 off", hurt_ipv6, mend_ipv6, COND_IPV6_DISABLED, "CloudflareWARP"},
	{"table flushed", hurt_nft, nullptr, COND_CODES, nullptr},
	{"table edited", hurt_nft_edit, nullptr, COND_CODES, nullptr},
	{"notifications lost", hurt_lost, mend_lost, COND_NO_ROUTE_TO_DESTINATION, "10.0.2.0/24"},
};

static bool errors_stand(const struct world *w)
{
	struct conditions all = {};
	bool found = false;

	health_collect(&w->gateway, false, &all);
	for (size_t i = 0; i < all.n; i++) {
		bool bad = condition_severity(all.list[i].code) == COND_ERROR;
		if (bad)
			print_message("%s %s: %s\n", condition_code_str(all.list[i].code),
				all.list[i].subject, all.list[i].message);
		found |= bad;
	}
	conditions_clear(&all);
	return found;
}

static void start(struct world *w)
{
	world_init(w, world_host);
	world_enter(w, world_masquerade);
	assert_int_equal(world_run(w, WORLD_SECOND), 0);
	assert_false(errors_stand(w));
}

static void test_heals(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;

		print_message("%s\n", cases[i].name);
		start(&w);
		autofree char *whole = world_text(&w);
		cases[i].hurt(&w);
		world_run(&w, 2 * WORLD_SECOND);
		if (cases[i].while_hurt != COND_CODES)
			assert_true(world_condition(&w, cases[i].while_hurt, cases[i].subject));
		if (cases[i].mend)
			cases[i].mend(&w);
		world_run(&w, 2 * WORLD_SECOND);
		/* What nobody announced: the loop's slow pass sees that others are well again. */
		gateway_mark(&w.gateway, DIRTY_ALL);
		world_run(&w, 0);
		autofree char *healed = world_text(&w);
		assert_string_equal(healed, whole);
		assert_false(errors_stand(&w));
		world_clear(&w);
	}
}

/* A repair waits for nothing: it comes with the first pass. */
static void test_heals_at_once(void **)
{
	static void (*const hurts[])(struct world *w) = {hurt_route, hurt_replace, hurt_networkd,
		hurt_address, hurt_forwarding4, hurt_forwarding6, hurt_nft, hurt_nft_edit};

	for (size_t i = 0; i < COUNT(hurts); i++) {
		struct world w;
		struct prefix p = P("100.64.0.0/12");

		start(&w);
		unsigned before = w.kernel->writes.calls;
		hurts[i](&w);
		gateway_pass(&w.gateway, w.now_us);
		assert_true(w.kernel->writes.calls > before);
		assert_non_null(dummy_find_route(w.kernel, &p, MARK_RTPROT));
		assert_true(w.kernel->nft.exists);
		assert_int_equal(dummy_sysctl_value(w.kernel, "ipv4/conf/eth0/forwarding"), 1);
		assert_int_equal(dummy_sysctl_value(w.kernel, "ipv6/conf/all/forwarding"), 1);
		assert_false(errors_stand(&w));
		world_clear(&w);
	}
}

/* The client makes its interface anew: another index, fresh sysctls. */
static void test_tunnel_recreated(void **)
{
	struct world w;
	struct nl_message m;
	struct prefix p = P("2606:4700:cf1:5000::/64");

	start(&w);
	for (int index = WORLD_MESH; index < 30; index++) {
		dummy_unlink(w.kernel, index);
		announce(&w, rtevent_link(&m, RTM_DELLINK, index, "CloudflareWARP", 0));
		world_run(&w, WORLD_SECOND / 10);
		assert_true(world_condition(&w, COND_TUNNEL_INTERFACE_MISSING, "CloudflareWARP"));
		assert_null(dummy_find_route(w.kernel, &p, MARK_RTPROT));
		change_link(&w, index + 1, "CloudflareWARP", RUNNING);
		gateway_pass(&w.gateway, w.now_us);
		assert_false(errors_stand(&w));
		assert_int_equal(dummy_find_route(w.kernel, &p, MARK_RTPROT)->oif, index + 1);
		assert_int_equal(
			dummy_sysctl_value(w.kernel, "ipv4/conf/CloudflareWARP/forwarding"), 1);
	}
	/* Whose interface is gone needs no memory any more: eth0, all, the last tunnel. */
	assert_int_equal(w.gateway.records.n, 3);
	assert_int_equal(w.gateway.repairs, 0); /* nobody's fault */
	world_clear(&w);
}

/* A new address before the old one goes: no route is lost, so none is written. */
static void test_address_swap(void **)
{
	struct world w;

	start(&w);
	size_t routes = w.kernel->routes.n;
	add_address(&w, WORLD_MESH, "100.96.0.99/32");
	world_run(&w, WORLD_SECOND / 10);
	remove_address(&w, WORLD_MESH, "100.96.0.18");
	world_run(&w, 2 * WORLD_SECOND);
	assert_int_equal(w.kernel->routes.n, routes);
	assert_int_equal(w.gateway.repairs, 0);
	assert_false(errors_stand(&w));
	world_clear(&w);
}

/* ---- somebody who does not stop ---- */

static void steal_route(struct world *w)
{
	(void)remove_ours(w, "100.64.0.0/12");
}

static void steal_sysctl(struct world *w)
{
	if (dummy_sysctl_value(w->kernel, "ipv4/conf/eth0/forwarding") == 1)
		hurt_forwarding4(w);
}

static void steal_nft(struct world *w)
{
	if (w->kernel->nft.exists)
		hurt_nft(w);
}

static const struct {
	void (*steal)(struct world *w);
	const char *object, *write;
} fights[] = {
	{steal_route, "route 100.64.0.0/12", "route_add 100.64.0.0/12"},
	{steal_sysctl, "sysctl net.ipv4.conf.eth0.forwarding",
		"sysctl_set ipv4/conf/eth0/forwarding"},
	{steal_nft, "nft table inet meshgw", "nft_replace meshgw"},
};

static unsigned attempts(const struct world *w, const char *write)
{
	unsigned n = 0;
	for (size_t i = 0; i < w->kernel->n_log; i++)
		n += !strcmp(w->kernel->log[i], write);
	return n;
}

static enum object_state state_of(const struct world *w, const char *name)
{
	struct objects all = {};
	enum object_state state = OBJECT_FAILED;

	objects_collect(&w->gateway, &all);
	for (size_t i = 0; i < all.n; i++)
		if (!strcmp(all.list[i].name, name))
			state = all.list[i].state;
	objects_clear(&all);
	return state;
}

/* Undoes it 50 ms after each repair. */
static void fight(struct world *w, void (*steal)(struct world *w), uint64_t duration_us)
{
	for (uint64_t end = w->now_us + duration_us; w->now_us < end;) {
		steal(w);
		world_run(w, 50'000);
	}
}

static void test_contested(void **)
{
	for (size_t i = 0; i < COUNT(fights); i++) {
		struct world w;
		const char *write = fights[i].write;

		start(&w);
		autofree char *whole = world_text(&w);
		unsigned others = w.kernel->writes.calls - attempts(&w, write);
		fight(&w, fights[i].steal, 5 * WORLD_SECOND);
		assert_int_equal(state_of(&w, fights[i].object), OBJECT_CONTESTED);
		assert_true(world_condition(&w, COND_STATE_CONTESTED, fights[i].object));
		fight(&w, fights[i].steal, 60 * WORLD_SECOND);
		assert_true(world_condition(&w, COND_STATE_CONTESTED, fights[i].object));
		/* 1 at first, 20 until it is noticed, then one every second to every five. */
		assert_in_range(attempts(&w, write), 30, 40);
		assert_int_equal(w.kernel->writes.calls - attempts(&w, write), others);

		/* Peace: back after at most a pause, and forgotten ten seconds later. */
		world_run(&w, TRACK_PAUSE_MAX_US);
		autofree char *healed = world_text(&w);
		assert_string_equal(healed, whole);
		assert_true(world_condition(&w, COND_STATE_CONTESTED, fights[i].object));
		assert_int_equal(world_run(&w, 2 * TRACK_FIGHT_US), 0);
		assert_int_equal(state_of(&w, fights[i].object), OBJECT_INSTALLED);
		assert_false(errors_stand(&w));
		world_clear(&w);
	}
}

/* Somebody slower than that is repaired each time, and nobody is blamed. */
static void test_slow_thief(void **)
{
	struct world w;
	struct prefix p = P("100.64.0.0/12");

	start(&w);
	for (unsigned i = 0; i < 200; i++) {
		steal_route(&w);
		gateway_pass(&w.gateway, w.now_us);
		assert_non_null(dummy_find_route(w.kernel, &p, MARK_RTPROT));
		world_run(&w, WORLD_SECOND);
	}
	assert_false(errors_stand(&w));
	assert_int_equal(w.gateway.repairs, 200);
	world_clear(&w);
}

/* The pause of a fight ends nobody else's repair, nor does an event end the pause. */
static void test_fight_and_events(void **)
{
	struct world w;
	struct nl_message m;

	start(&w);
	fight(&w, steal_route, 5 * WORLD_SECOND);
	unsigned before = attempts(&w, "route_add 100.64.0.0/12");
	for (unsigned i = 0; i < 50; i++) {
		steal_route(&w);
		assert_true(remove_ours(&w, "100.96.0.0/12"));
		announce(&w, rtevent_link(&m, RTM_NEWLINK, WORLD_MESH, "CloudflareWARP", RUNNING));
		world_run(&w, 10'000);
	}
	assert_in_range(attempts(&w, "route_add 100.64.0.0/12") - before, 0, 1);
	world_clear(&w);
}

/* Whoever changes a ruleset or a table all the time keeps it from being read in one piece. That
 * must not keep routes from being repaired, nor make us write what we cannot see. */
static void test_one_source_fails_on(void **)
{
	static const char *const sources[] = {"nft", "routes"};

	for (size_t i = 0; i < COUNT(sources); i++) {
		struct world w;
		struct prefix p = P("100.64.0.0/12");

		start(&w);
		autofree char *whole = world_text(&w);
		unsigned writes = w.kernel->writes.calls;
		dummy_stick(w.kernel, sources[i], EAGAIN);
		gateway_mark(&w.gateway, DIRTY_ALL);
		assert_true(remove_ours(&w, "100.64.0.0/12"));
		gateway_pass(&w.gateway, w.now_us);
		assert_non_null(dummy_find_route(w.kernel, &p, MARK_RTPROT));
		unsigned passes = w.passes;
		world_run(&w, 60 * WORLD_SECOND);
		assert_int_equal(w.kernel->writes.calls, writes + 1);
		assert_in_range(w.passes - passes, 5, ATTEMPTS_A_MINUTE);
		assert_true(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
		dummy_stick(w.kernel, nullptr, 0);
		assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
		autofree char *after = world_text(&w);
		assert_string_equal(after, whole);
		assert_false(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
		world_clear(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heals),
		cmocka_unit_test(test_heals_at_once),
		cmocka_unit_test(test_tunnel_recreated),
		cmocka_unit_test(test_address_swap),
		cmocka_unit_test(test_contested),
		cmocka_unit_test(test_slow_thief),
		cmocka_unit_test(test_fight_and_events),
		cmocka_unit_test(test_one_source_fails_on),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
