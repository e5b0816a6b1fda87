/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes between two configurations, in words. Whole plans are in tests/golden/plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/config_diff.h"
#include "lib/own.h"
#include "world.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
#define MASK LAN "return_path: masquerade\n"
#define ROUTE LAN "return_path: route\n"
#define ALLOW MASK "allow:\n"
#define RANGES "mesh: {ranges: {workers: [100.64.0.0/12], devices: [100.96.0.0/12]"

#define NETWORK(more)                                                             \
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, " more "}]}]\n" \
	"return_path: masquerade\n"

/* "+ kind text\n" for each change. */
static char *diff_text(const char *from, const char *to)
{
	struct config *old = from ? world_config(from) : nullptr;
	struct config *new = to ? world_config(to) : nullptr;
	struct config_changes changes = {};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	config_diff(old, new, &changes);
	for (size_t i = 0; i < changes.n; i++)
		fprintf(out, "%c %s %s\n", changes.list[i].added ? '+' : '-',
			config_change_kind_str(changes.list[i].kind), changes.list[i].text);
	fclose(out);
	config_changes_clear(&changes);
	config_free(old);
	config_free(new);
	return text;
}

static const struct {
	const char *name, *from, *to, *changes;
} differences[] = {
	{"nothing", ALLOW " - {to: 10.0.1.5}\n", ALLOW " - {to: 10.0.1.5}\n", ""},
	{"first", nullptr, MASK RANGES "}}\n",
		"+ interface CloudflareWARP\n"
		"+ range workers 100.64.0.0/12\n"
		"+ range devices 100.96.0.0/12\n"
		"+ network 10.0.1.0/24 on eth0: masquerade\n"
		"+ allow everything from the ranges\n"},
	{"last", MASK RANGES "}}\n", nullptr,
		"- interface CloudflareWARP\n"
		"- range workers 100.64.0.0/12\n"
		"- range devices 100.96.0.0/12\n"
		"- network 10.0.1.0/24 on eth0: masquerade\n"
		"- allow everything from the ranges\n"},
	{"tunnel", MASK, MASK "mesh: {interface: tun0}\n",
		"- interface CloudflareWARP\n+ interface tun0\n"},
	{"range", MASK RANGES "}}\n", MASK RANGES ", sites: [10.9.0.0/16]}}\n",
		"+ range sites 10.9.0.0/16\n"},
	{"class of a range", MASK RANGES ", sites: [10.9.0.0/16]}}\n",
		MASK RANGES ", resolved: [10.9.0.0/16]}}\n",
		"- range sites 10.9.0.0/16\n+ range resolved 10.9.0.0/16\n"},
	{"mode", LAN, ROUTE,
		"- network 10.0.1.0/24 on eth0: auto\n"
		"+ network 10.0.1.0/24 on eth0: route\n"},
	{"back", ROUTE, LAN,
		"- network 10.0.1.0/24 on eth0: route\n"
		"+ network 10.0.1.0/24 on eth0: auto\n"},
	{"the same mode, by the network's own word", ROUTE,
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, "
		"return_path: route}]}]\nreturn_path: route\n",
		""},
	{"interface", MASK,
		"lan: [{interface: eth1, networks: [10.0.1.0/24]}]\n"
		"return_path: masquerade\n",
		"- network 10.0.1.0/24 on eth0: masquerade\n"
		"+ network 10.0.1.0/24 on eth1: masquerade\n"},
	{"host", MASK,
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: "
		"[{address: 10.0.1.7, return_path: route}]}]}]\n"
		"return_path: masquerade\n",
		"+ host 10.0.1.7: route\n"},
	{"list", MASK, ALLOW " - {from: workers, to: 10.0.1.5, tcp: [80]}\n",
		"- allow everything from the ranges\n"
		"+ allow workers to 10.0.1.5 tcp 80\n"},
	{"no list", ALLOW " - {from: workers, to: 10.0.1.5, tcp: [80]}\n", MASK,
		"+ allow everything from the ranges\n"
		"- allow workers to 10.0.1.5 tcp 80\n"},
	{"empty list", MASK, MASK "allow: []\n", "- allow everything from the ranges\n"},
	{"order",
		ALLOW " - {from: [workers, devices], to: 10.0.1.5, tcp: [80, 443]}\n"
		      " - {to: 10.0.1.6}\n",
		ALLOW " - {to: 10.0.1.6}\n"
		      " - {from: [devices, workers], to: 10.0.1.5, tcp: [443, 80]}\n",
		""},
	{"sources in another order", ALLOW " - {from: [100.64.0.1, 100.64.0.2], to: 10.0.1.5}\n",
		ALLOW " - {from: [100.64.0.2, 100.64.0.1], to: 10.0.1.5}\n", ""},
	{"one of two that say the same",
		ALLOW " - {from: workers, to: 10.0.1.5}\n - {from: workers, to: 10.0.1.5}\n",
		ALLOW " - {from: workers, to: 10.0.1.5}\n", ""},
	{"ports", ALLOW " - {to: 10.0.1.0/24, tcp: [22]}\n",
		ALLOW " - {to: 10.0.1.0/24, tcp: [22, \"8000-8100\"], udp: all, icmp: true}\n",
		"- allow all ranges to 10.0.1.0/24 tcp 22\n"
		"+ allow all ranges to 10.0.1.0/24 tcp 22,8000-8100 udp all icmp\n"},
	{"every protocol", ALLOW " - {from: devices, to: 10.0.1.5, icmp: true}\n",
		ALLOW " - {from: devices, to: 10.0.1.5}\n",
		"- allow devices to 10.0.1.5 icmp\n"
		"+ allow devices to 10.0.1.5 everything\n"},
	{"sources", ALLOW " - {from: workers, to: 10.0.1.5}\n",
		ALLOW " - {from: [workers, 100.96.0.9, 100.97.0.0/16], to: 10.0.1.5}\n",
		"- allow workers to 10.0.1.5 everything\n"
		"+ allow workers, 100.96.0.9, 100.97.0.0/16 to 10.0.1.5 everything\n"},
	{"witnesses", NETWORK("witness: [10.0.1.5:80, 10.0.1.6:80]"),
		NETWORK("witness: 10.0.1.6:81"),
		"- witness 10.0.1.5 port 80\n"
		"- witness 10.0.1.6 port 80\n"
		"+ witness 10.0.1.6 port 81\n"},
	{"no witness", MASK, NETWORK("witness: none"), "+ witness 10.0.1.0/24: none\n"},
	{"defaults of the probe", MASK,
		MASK "probe: {interval: 10s, timeout: 1000ms, accept_neighbor: false}\n"
		     "remedies: []\n",
		""},
	{"probe", MASK "probe: {interval: 5s, lost_after: 1}\n",
		MASK "probe: {sources: [100.64.0.9], interval: 20s, accept_neighbor: true}\n",
		"- probe interval 5s\n"
		"- probe lost_after 1\n"
		"+ probe accept_neighbor\n"
		"+ probe interval 20s\n"
		"+ probe source 100.64.0.9\n"},
	{"what other operations say", MASK,
		MASK "remedies: [tailscale-input]\n"
		     "bgp: {asn: 65010, neighbors: [{address: 10.0.1.1, remote_as: 65001}]}\n",
		""},
};

static void test_changes(void **)
{
	for (size_t i = 0; i < COUNT(differences); i++) {
		autofree char *got = diff_text(differences[i].from, differences[i].to);
		if (strcmp(got, differences[i].changes) != 0)
			print_error("%s:\n", differences[i].name);
		assert_string_equal(got, differences[i].changes);
	}
}

static void test_summary(void **)
{
	static const struct {
		const char *config, *summary;
	} cases[] = {
		{LAN, "auto, everything allowed"},
		{ROUTE, "route, everything allowed"},
		{ROUTE "allow: []\n", "route, nothing allowed"},
		{ALLOW " - {to: 10.0.1.5}\n", "masquerade, 1 allow entry"},
		{ALLOW " - {to: 10.0.1.5}\n - {to: 10.0.1.6}\n", "masquerade, 2 allow entries"},
		{"lan: [{interface: eth0, networks: [10.0.1.0/24, {prefix: 10.0.2.0/24, "
		 "return_path: masquerade}]}]\nreturn_path: route\n",
			"masquerade and route, everything allowed"},
		{"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: "
		 "[{address: 10.0.1.7, return_path: masquerade}]}]}]\nreturn_path: route\n",
			"masquerade and route, everything allowed"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config = world_config(cases[i].config);
		char text[CONFIG_SUMMARY_LEN];
		assert_string_equal(config_summary(config, text), cases[i].summary);
		config_free(config);
	}
}

/* An allow list of n entries; of two with different ports no entry is the same. */
static char *long_list(unsigned n, unsigned port)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs("lan: [{interface: eth0, networks: [10.0.0.0/16]}]\nallow:\n", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "- {from: workers, to: 10.0.%u.%u, tcp: [%u]}\n", i / 200, i % 200,
			port);
	fclose(out);
	return text;
}

/* Processor time of comparing two lists of n entries, the least of three, in seconds. */
static double measure(unsigned n)
{
	autofree char *a = long_list(n, 80), *b = long_list(n, 443);
	struct config *from = world_config(a), *to = world_config(b);
	double least = 0;

	for (int i = 0; i < 3; i++) {
		struct config_changes changes = {};
		clock_t begun = clock();
		config_diff(from, to, &changes);
		double took = (double)(clock() - begun) / CLOCKS_PER_SEC;
		least = i == 0 || took < least ? took : least;
		assert_int_equal(changes.n, 2 * n);
		config_changes_clear(&changes);
	}
	config_free(from);
	config_free(to);
	return least;
}

/* The longest list there may be costs about four times what a quarter of it does, not sixteen. */
static void test_cost(void **)
{
	double quarter = measure(2'500), whole = measure(10'000);

	print_message("2500 entries: %.1f ms, 10000: %.1f ms\n", quarter * 1e3, whole * 1e3);
	assert_true(whole < 9 * quarter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
