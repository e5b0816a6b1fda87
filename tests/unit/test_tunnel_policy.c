/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge may propose. Each line is one proposal to a connector whose configuration accepts
 * 100.96.0.0/16 as addresses and everything in the ranges as routes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/tunnel_policy.h"
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char text[] =
	"mesh: {ranges: {sites: [10.9.0.0/16, \"2001:db8:9::/48\"]}}\n"
	"lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n"
	"tunnel:\n"
	"  certificate_file: /a\n"
	"  key_file: /b\n"
	"  connector:\n"
	"    edges: [\"198.51.100.1:443\", \"[2001:db8:ffff::1]:443\"]\n"
	"    peer: {pins: [\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}\n"
	"    accept: {addresses: [100.96.0.0/16, 10.9.0.0/16], max_routes: 4}\n";

static struct prefix prefix(const char *p)
{
	struct prefix out;

	assert_int_equal(prefix_parse(p, &out), 0);
	return out;
}

/* Where this host stands: its mesh interface is 3. */
static const struct {
	int ifindex;
	const char *address;
	uint8_t len;
} stands[] = {
	{1, "127.0.0.1", 8},
	{2, "10.0.1.11", 24},
	{3, "100.96.0.18", 24},
	{4, "100.96.50.9", 24},
	{4, "2001:db8:9:50::9", 64},
	{5, "198.51.100.11", 24},
	{6, "100.96.60.9", 32},
};
static const struct tunnel_near nowhere;
static const char near_network[] = "it overlaps a network of another interface of this host";

static const struct {
	bool route;
	const char *prefix, *reason; /* nullptr: accepted */
} lines[] = {
	{false, "100.96.0.18/32", nullptr},
	{false, "10.9.0.1/32", nullptr},
	{false, "100.97.0.1/32", "it lies outside of what connector.accept names"},
	{false, "100.96.0.0/24", "it is no single address"},
	{false, "192.0.2.1/32", "it lies outside of mesh.ranges"},
	{false, "10.0.1.77/32", "it overlaps a network of lan"},
	{false, "198.51.100.1/32", "it covers the edge itself"},
	{true, "100.64.0.0/12", nullptr},
	{true, "10.9.1.0/24", nullptr},
	{true, "2001:db8:9:1::/64", nullptr},
	{true, "0.0.0.0/0", "a default route is taken only if connector.accept names it"},
	{true, "::/0", "a default route is taken only if connector.accept names it"},
	{true, "198.51.100.0/24", "it covers the edge itself"},
	{true, "2001:db8:ffff::/48", "it covers the edge itself"},
	{true, "10.0.0.0/8", "it overlaps a network of lan"},
	{true, "10.0.1.128/25", "it overlaps a network of lan"},
	{true, "2001:db8:1::/64", "it overlaps a network of lan"},
	{true, "100.0.0.0/8", "it lies outside of mesh.ranges"},
	{true, "172.16.0.0/12", "it lies outside of mesh.ranges"},
	/* The network that the host may be managed from, its gateway, its own address. */
	{false, "100.96.50.1/32", near_network},
	{false, "100.96.50.9/32", near_network},
	{false, "100.96.51.1/32", nullptr},
	{true, "100.96.50.0/24", near_network},
	{true, "100.96.50.128/25", near_network},
	{true, "100.96.50.9/32", near_network},
	{true, "100.96.48.0/22", near_network},
	{true, "2001:db8:9:50::/64", near_network},
	{true, "2001:db8:9::/48", near_network},
	{true, "198.51.100.128/25", "it lies outside of mesh.ranges"},
	/* An address without a network is only itself. */
	{false, "100.96.60.9/32", near_network},
	{true, "100.96.60.9/32", near_network},
	{true, "100.96.60.0/24", nullptr},
	/* What is assigned stands on the mesh interface. */
	{true, "100.96.0.0/24", nullptr},
};

/* tunnel_near_clear() */
static struct tunnel_near surroundings(const struct config *config)
{
	struct ifaddr_entry list[COUNT(stands)];
	struct tunnel_near near = {};

	for (size_t i = 0; i < COUNT(stands); i++) {
		list[i] = (struct ifaddr_entry){
			.ifindex = stands[i].ifindex, .prefix_len = stands[i].len};
		assert_int_equal(addr_parse(stands[i].address, &list[i].address), 0);
	}
	const struct ifaddr_set seen = {list, COUNT(stands)};
	assert_true(tunnel_near_update(&near, config, &seen, 3));
	assert_int_equal(near.n, 3);
	assert_false(tunnel_near_update(&near, config, &seen, 3));
	return near;
}

static void test_lines(void **)
{
	struct config *config = world_config(text);
	struct tunnel_near near = surroundings(config);

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct prefix p = prefix(lines[i].prefix);
		struct tunnel_verdict v = {};
		const struct tunnel_proposal proposal = {lines[i].route ? nullptr : &p,
			lines[i].route ? &p : nullptr, !lines[i].route, lines[i].route};
		tunnel_judge(config, &near, &proposal, &v);
		if (lines[i].reason) {
			assert_int_equal(v.n_addresses + v.n_routes, 0);
			assert_int_equal(v.n_refused, 1);
			assert_string_equal(v.refused[0].reason, lines[i].reason);
			assert_int_equal(v.refused[0].route, lines[i].route);
		} else {
			assert_int_equal(v.n_refused, 0);
			const struct prefix *out = lines[i].route ? v.routes : v.addresses;
			assert_int_equal(lines[i].route ? v.n_routes : v.n_addresses, 1);
			assert_int_equal(prefix_cmp(out, &p), 0);
		}
		tunnel_verdict_clear(&v);
	}
	tunnel_near_clear(&near);
	config_free(config);
}

/* Who names a default route wants it, of that family; it opens nothing else. */
static void test_default_route(void **)
{
	static const char *const accepts[] = {
		"100.96.0.0/12]", "0.0.0.0/0]", "\"::/0\"]", "0.0.0.0/0, \"::/0\"]"};
	struct prefix routes[] = {prefix("0.0.0.0/0"), prefix("::/0"), prefix("172.16.0.0/12")};
	const struct tunnel_proposal proposal = {.routes = routes, .n_routes = COUNT(routes)};

	for (size_t i = 0; i < COUNT(accepts); i++) {
		char more[sizeof(text) + 64];
		struct tunnel_verdict v = {};
		snprintf(more, sizeof(more), "%s", text);
		snprintf(strstr(more, "    accept:"), 100, "    accept: {routes: [%s}\n",
			accepts[i]);
		struct config *config = world_config(more);
		tunnel_judge(config, &nowhere, &proposal, &v);
		assert_int_equal(v.n_routes, (i & 1) + (i >> 1 & 1));
		if (v.n_routes)
			assert_int_equal(prefix_cmp(&v.routes[0], &routes[i == 2]), 0);
		tunnel_verdict_clear(&v);
		config_free(config);
	}
}

/* However much is proposed, what is kept has a bound. */
static void test_bounds(void **)
{
	struct config *config = world_config(text);
	struct prefix routes[100], addresses[TUNNEL_ADDRESSES_MAX + 1];
	struct tunnel_verdict v = {};

	for (size_t i = 0; i < COUNT(routes); i++) {
		char one[32];
		snprintf(one, sizeof(one), "10.9.%zu.0/24", i);
		routes[i] = prefix(one);
	}
	for (size_t i = 0; i < COUNT(addresses); i++) {
		char one[32];
		snprintf(one, sizeof(one), "100.96.0.%zu/32", i + 1);
		addresses[i] = prefix(one);
	}
	const struct tunnel_proposal proposal = {
		addresses, routes, COUNT(addresses), COUNT(routes)};
	tunnel_judge(config, &nowhere, &proposal, &v);
	assert_int_equal(v.n_addresses, TUNNEL_ADDRESSES_MAX);
	assert_int_equal(v.n_routes, 4);
	assert_int_equal(v.n_refused, 1 + 96);
	assert_string_equal(v.refused[0].reason, "there are too many");
	assert_string_equal(v.refused[TUNNEL_REFUSED_MAX - 1].reason,
		"there are more than connector.accept.max_routes");
	tunnel_verdict_clear(&v);
	config_free(config);
}

/* Static addresses hold without a word of the edge. */
static void test_static(void **)
{
	char more[sizeof(text) + 64];
	struct tunnel_verdict v = {};

	snprintf(more, sizeof(more), "%s    addresses: [100.96.0.7]\n", text);
	struct config *config = world_config(more);
	tunnel_judge(config, &nowhere, &(struct tunnel_proposal){}, &v);
	struct prefix own = prefix("100.96.0.7/32");
	assert_int_equal(v.n_addresses, 1);
	assert_int_equal(prefix_cmp(&v.addresses[0], &own), 0);
	tunnel_verdict_clear(&v);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_default_route),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
