/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration says about one flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "conf/admits.h"
#include "world.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char lists[] =
	"mesh: {ranges: {workers: [100.64.0.0/12, \"2606:4700:cf1:5000::/64\"], devices: "
	"[100.96.0.0/12]}}\n"
	"lan: [{interface: eth0, networks: [10.0.0.0/23, 10.0.2.0/24, 10.0.3.0/24, \"2001:db8:1::/64\"]}, "
	"{interface: eth1, networks: [10.9.0.0/16]}]\n"
	"allow:\n"
	"- {from: workers, to: 10.0.1.50, tcp: [3000, 8000-8010]}\n"
	"- {from: 100.96.7.0/24, to: 10.0.1.0/24}\n"
	"- {to: 10.0.3.0/24, icmp: true, udp: [53]}\n"
	"- {from: workers, to: \"2001:db8:1::50\", tcp: [3000]}\n";

static struct addr parse(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void test_allows(void **)
{
	static const struct {
		const char *from, *to;
		uint8_t proto;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{"100.64.12.189", "10.0.1.50", IPPROTO_TCP, 3000, true},
		{"100.64.12.189", "10.0.1.50", IPPROTO_TCP, 8010, true},
		{"100.64.12.189", "10.0.1.50", IPPROTO_TCP, 8011, false},
		{"100.64.12.189", "10.0.1.50", IPPROTO_UDP, 3000, false},
		{"100.64.12.189", "10.0.1.51", IPPROTO_TCP, 3000, false},
		{"100.96.7.1", "10.0.1.51", IPPROTO_ICMP, 0, true},
		{"100.96.8.1", "10.0.1.51", IPPROTO_ICMP, 0, false},
		{"100.96.8.1", "10.0.3.1", IPPROTO_ICMP, 0, true},
		{"100.96.8.1", "10.0.3.1", IPPROTO_UDP, 53, true},
		{"100.96.8.1", "10.0.3.1", IPPROTO_TCP, 53, false},
		{"2606:4700:cf1:5000::bd", "2001:db8:1::50", IPPROTO_TCP, 3000, true},
		{"2606:4700:cf1:5000::bd", "2001:db8:1::50", IPPROTO_ICMPV6, 0, false},
	};
	struct config *config = world_config(lists);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr from = parse(cases[i].from), to = parse(cases[i].to);
		print_message("%s > %s %u %u\n", cases[i].from, cases[i].to, cases[i].proto,
			cases[i].port);
		assert_int_equal(config_allows(config, &from, &to, cases[i].proto, cases[i].port),
			cases[i].allowed);
	}
	config_free(config);
}

static void test_no_list(void **)
{
	struct config *config = world_config("lan: [{interface: eth0, networks: [10.0.0.0/16]}]\n");
	struct addr from = parse("100.64.0.1"), to = parse("10.0.0.1");

	assert_true(config_allows(config, &from, &to, IPPROTO_TCP, 1));
	config_free(config);
}

static void test_trial_sources(void **)
{
	static const struct {
		const char *from;
		bool ours;
	} cases[] = {
		{"100.79.255.254", true},
		{"100.79.255.255", false},
		{"100.64.12.189", false},
		{"100.111.255.254", false}, /* a source of this range is given */
		{"100.96.0.9", true},
		{"2606:4700:cf1:5000:ffff:ffff:ffff:fffe", true},
		{"100.120.0.1", false}, /* a range of one client */
		{"192.0.2.254", false},
	};
	struct config *config = world_config(
		"mesh: {ranges: {workers: [100.64.0.0/12, \"2606:4700:cf1:5000::/64\"], devices: "
		"[100.96.0.0/12], sites: [100.120.0.1/32]}}\n"
		"probe: {sources: [100.96.0.9]}\n"
		"lan: [{interface: eth0, networks: [10.0.0.0/16]}]\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr from = parse(cases[i].from);
		print_message("%s\n", cases[i].from);
		assert_int_equal(config_is_trial_source(config, &from), cases[i].ours);
	}
	config_free(config);
}

static void test_places(void **)
{
	struct config *config = world_config(lists);
	struct addr inner = parse("10.0.2.60"), other = parse("10.9.1.1"),
		    none = parse("192.0.2.1"), worker = parse("100.79.255.255");
	struct config_place place = config_place_of(config, &inner);

	assert_int_equal(place.network->prefix.len, 24);
	assert_string_equal(place.lan->interface, "eth0");
	assert_string_equal(config_place_of(config, &other).lan->interface, "eth1");
	assert_null(config_place_of(config, &none).network);
	assert_int_equal(config_range_of(config, &worker)->class, RANGE_WORKERS);
	assert_null(config_range_of(config, &none));
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_trial_sources),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
