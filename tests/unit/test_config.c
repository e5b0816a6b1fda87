/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the golden cases cannot show: the struct itself, its marks, equality; and that what we ship
 * and document is true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/duration.h"
#include "conf/print.h"
#include "conf/schema.h"
#include "config_texts.h"
#include "lib/own.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n"

static char *print(const struct config *config)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(config_print(config, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_prefix(const struct prefix *p, const char *want)
{
	char text[PREFIX_STRLEN];

	assert_string_equal(prefix_str(p, text), want);
}

static void assert_mark(struct config_mark mark, uint32_t line, uint32_t column)
{
	assert_int_equal(mark.line, line);
	assert_int_equal(mark.column, column);
}

static void test_defaults(void **)
{
	static const struct {
		const char *prefix;
		enum range_class class;
	} want[] = {
		{"100.64.0.0/12", RANGE_WORKERS},
		{"100.96.0.0/12", RANGE_DEVICES},
		{"2606:4700:cf1:1000::/64", RANGE_DEVICES},
		{"2606:4700:cf1:5000::/64", RANGE_WORKERS},
	};
	struct config *config = config_text(LAN);

	assert_string_equal(config->mesh_interface, "CloudflareWARP");
	assert_int_equal(config->return_path, RETURN_PATH_AUTO);
	assert_false(config->has_allow);
	assert_int_equal(config->n_ranges, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_prefix(&config->ranges[i].prefix, want[i].prefix);
		assert_int_equal(config->ranges[i].class, want[i].class);
		assert_mark(config->ranges[i].mark, 0, 0);
	}
	config_free(config);
}

static void test_probe_defaults(void **)
{
	struct config *config = config_text(LAN);
	const struct config_probe *probe = &config->probe;

	assert_int_equal(probe->source[0].family, AF_UNSPEC);
	assert_int_equal(probe->source[1].family, AF_UNSPEC);
	assert_int_equal(probe->interval_us, 10 * USEC_PER_S);
	assert_int_equal(probe->after_event_us, USEC_PER_S);
	assert_int_equal(probe->timeout_us, USEC_PER_S);
	assert_int_equal(probe->lost_rounds, 2);
	assert_int_equal(probe->lost_of, 3);
	assert_int_equal(probe->proven_rounds, 3);
	assert_int_equal(probe->proven_hold_us, 30 * USEC_PER_S);
	assert_int_equal(probe->max_witnesses, 8);
	assert_false(probe->accept_neighbor);
	assert_false(config->bgp.configured);
	assert_int_equal(config->remedies, 0);
	assert_true(config->lans[0].networks[0].learn_witnesses);
	assert_int_equal(config->lans[0].networks[0].n_witnesses, 0);
	config_free(config);
}

static void test_probe(void **)
{
	struct config *config = config_text(
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: none},\n"
		" {prefix: 10.0.2.0/24, witness: 10.0.2.1:80}]}]\n"
		"probe: {sources: [\"2606:4700:cf1:1000::9\"], interval: 200ms, timeout: 100ms}\n"
		"remedies: [tailscale-input]\n");
	const struct config_network *networks = config->lans[0].networks;

	assert_false(networks[0].learn_witnesses);
	assert_int_equal(networks[0].n_witnesses, 0);
	assert_true(networks[1].learn_witnesses);
	assert_int_equal(networks[1].n_witnesses, 1);
	assert_int_equal(networks[1].witnesses[0].port, 80);
	assert_mark(networks[1].witnesses[0].mark, 2, 33);
	assert_int_equal(config->probe.source[0].family, AF_UNSPEC);
	assert_int_equal(config->probe.source[1].family, AF_INET6);
	assert_int_equal(config->probe.interval_us, 200 * USEC_PER_MS);
	assert_int_equal(config->probe.timeout_us, 100 * USEC_PER_MS);
	assert_int_equal(config->remedies, 1U << REMEDY_TAILSCALE_INPUT);
	config_free(config);
}

static void test_neighbor(void **)
{
	struct config *config = config_text(LAN "bgp:\n"
						"  asn: 65010\n"
						"  neighbors:\n"
						"    - address: 10.0.1.1\n"
						"      remote_as: external\n"
						"    - address: 10.0.1.2\n"
						"      remote_as: 65001\n"
						"      password_file: /etc/meshgw/secret\n"
						"      bfd: {receive: 1s}\n"
						"      timers: {hold: 30}\n"
						"      ttl_security: 1\n"
						"      update_source: 10.0.1.11\n"
						"      communities: [65535:65281, \"1:2:3\"]\n"
						"      accept: [10.9.0.0/16, 0.0.0.0/0]\n");
	const struct config_neighbor *plain = &config->bgp.neighbors[0];
	const struct config_neighbor *rich = &config->bgp.neighbors[1];

	assert_true(config->bgp.configured);
	assert_mark(config->bgp.asn_mark, 3, 8);
	assert_int_equal(config->bgp.router_id.family, AF_UNSPEC);
	assert_mark(plain->mark, 5, 16);
	assert_int_equal(plain->remote_as, REMOTE_AS_EXTERNAL);
	assert_false(plain->bfd || plain->timers_own || plain->hold_s || plain->keepalive_s);
	assert_null(plain->description);

	assert_int_equal(rich->remote_as, REMOTE_AS_NUMBER);
	assert_int_equal(rich->asn, 65001);
	assert_mark(rich->password_mark, 9, 22);
	assert_true(rich->bfd);
	assert_int_equal(rich->bfd_multiplier, 3);
	assert_int_equal(rich->bfd_receive_ms, 1000);
	assert_int_equal(rich->bfd_transmit_ms, 300);
	assert_true(rich->timers_own);
	assert_int_equal(rich->hold_s, 30);
	assert_int_equal(rich->keepalive_s, 10);
	assert_mark(rich->hops_mark, 12, 21);
	assert_mark(rich->update_source_mark, 13, 22);
	assert_string_equal(rich->communities[0], "no-export");
	assert_string_equal(rich->communities[1], "1:2:3");
	assert_int_equal(rich->accept[0].le, 16);
	assert_int_equal(rich->accept[1].le, 0);
	assert_mark(rich->accept[1].mark, 15, 29);
	config_free(config);
}

#define ROUTER(address) "{address: \"" address "\", remote_as: external}"
#define BGP(neighbors) LAN "bgp: {asn: 65010, neighbors: [" neighbors "]}\n"
#define NO_IPV6 "mesh: {ranges: {workers: [100.64.0.0/12], devices: []}}\n"

/* Which ranges go to whom when nobody says. */
static void test_families(void **)
{
	static const struct {
		const char *text, *want; /* a pair of digits for each neighbour */
	} cases[] = {
		{BGP(ROUTER("10.0.1.1")), "46"},
		{BGP(ROUTER("2001:db8:1::1")), "46"},
		{BGP(ROUTER("10.0.1.1") ", " ROUTER("10.0.1.2")), "46 46"},
		{BGP(ROUTER("10.0.1.1") ", " ROUTER("2001:db8:1::1")), "4- -6"},
		{NO_IPV6 BGP(ROUTER("10.0.1.1")), "4-"},
		{NO_IPV6 BGP(ROUTER("2001:db8:1::1")), "46"},
		{BGP("{address: 10.0.1.1, remote_as: external, families: [ipv4]}"), "4-"},
		{BGP("{address: 10.0.1.1, remote_as: external, families: [ipv6]}"), "-6"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config = config_text(cases[i].text);
		char got[16] = "";
		size_t len = 0;
		for (size_t j = 0; j < config->bgp.n_neighbors; j++) {
			const struct config_neighbor *neighbor = &config->bgp.neighbors[j];
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%c%c",
				j ? " " : "", neighbor->ipv4 ? '4' : '-',
				neighbor->ipv6 ? '6' : '-');
		}
		assert_string_equal(got, cases[i].want);
		config_free(config);
	}
}

static void test_values_and_marks(void **)
{
	struct config *config = config_text(
		"mesh:\n"
		"  ranges:\n"
		"    sites: [10.9.0.0/16]\n"
		"lan:\n"
		"  - interface: eth0\n"
		"    networks:\n"
		"      - 10.0.1.0/24\n"
		"      - return_path: masquerade\n"
		"        prefix: 10.0.2.0/24\n"
		"        hosts: [{address: 10.0.2.60, return_path: route}]\n"
		"return_path: route\n"
		"allow:\n"
		"  - from: [sites, 100.64.0.1]\n"
		"    to: 10.0.2.60\n"
		"    tcp: [80, 8000-8100]\n"
		"    udp: all\n");
	const struct config_lan *lan = &config->lans[0];
	const struct config_network *plain = &lan->networks[0], *own = &lan->networks[1];
	const struct config_allow *allow = &config->allow[0];

	assert_prefix(&config->ranges[0].prefix, "10.9.0.0/16");
	assert_mark(config->ranges[0].mark, 3, 13);
	assert_int_equal(config->n_lans, 1);
	assert_mark(lan->mark, 5, 16);
	assert_int_equal(lan->n_networks, 2);
	assert_mark(plain->mark, 7, 9);
	assert_int_equal(plain->return_path, RETURN_PATH_ROUTE);
	assert_false(plain->return_path_own);
	assert_mark(own->mark, 9, 17);
	assert_int_equal(own->return_path, RETURN_PATH_MASQUERADE);
	assert_true(own->return_path_own);
	assert_int_equal(own->n_hosts, 1);
	assert_int_equal(own->hosts[0].return_path, RETURN_PATH_ROUTE);
	assert_mark(own->hosts[0].mark, 10, 27);

	assert_int_equal(config->n_allow, 1);
	assert_mark(allow->mark, 13, 5);
	assert_int_equal(allow->from_classes, 1U << RANGE_SITES);
	assert_int_equal(allow->n_from, 1);
	assert_prefix(&allow->from[0], "100.64.0.1/32");
	assert_prefix(&allow->to, "10.0.2.60/32");
	assert_int_equal(allow->n_tcp, 2);
	assert_int_equal(allow->tcp[1].first, 8000);
	assert_int_equal(allow->tcp[1].last, 8100);
	assert_int_equal(allow->n_udp, 1);
	assert_int_equal(allow->udp[0].first, 1);
	assert_int_equal(allow->udp[0].last, 65535);
	assert_false(allow->icmp);
	config_free(config);
}

/* No `from` means every class that holds something, and only those. */
static void test_default_sources(void **)
{
	struct config *config = config_text(
		"mesh: {ranges: {devices: [], sites: [10.9.0.0/16]}}\n" LAN
		"allow: [{to: 10.0.1.5}]\n");

	assert_int_equal(config->allow[0].from_classes, 1U << RANGE_WORKERS | 1U << RANGE_SITES);
	assert_int_equal(config->allow[0].n_from, 0);
	config_free(config);
}

#define NEIGHBOR(more) BGP("{address: 10.0.1.1, remote_as: external, " more "}")

/* Each differs from all the others. */
static const char *const different[] = {
	LAN,
	LAN "return_path: route\n",
	LAN "return_path: masquerade\n",
	LAN "mesh: {interface: wg0}\n",
	LAN "mesh: {ranges: {workers: []}}\n",
	LAN "mesh: {ranges: {sites: [10.9.0.0/16]}}\n",
	LAN "mesh: {ranges: {resolved: [10.9.0.0/16]}}\n",
	LAN "mesh: {ranges: {sites: [10.9.0.0/17]}}\n",
	LAN "allow: []\n",
	LAN "allow: [{to: 10.0.1.5}]\n",
	LAN "allow: [{to: 10.0.1.6}]\n",
	LAN "allow: [{to: 10.0.1.5}, {to: 10.0.1.5}]\n",
	LAN "allow: [{to: 10.0.1.5, icmp: true}]\n",
	LAN "allow: [{to: 10.0.1.5, tcp: all}]\n",
	LAN "allow: [{to: 10.0.1.5, udp: all}]\n",
	LAN "allow: [{to: 10.0.1.5, udp: [1]}]\n",
	LAN "allow: [{to: 10.0.1.5, udp: [\"1-2\"]}]\n",
	LAN "allow: [{to: 10.0.1.5, udp: [1, 2]}]\n",
	LAN "allow: [{to: 10.0.1.5, from: workers}]\n",
	LAN "allow: [{to: 10.0.1.5, from: 100.64.0.1}]\n",
	LAN "allow: [{to: 10.0.1.5, from: 100.64.0.2}]\n",
	"lan: [{interface: eth1, networks: [10.0.1.0/24]}]\n",
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n",
	"lan: [{interface: eth0, networks: [10.0.1.0/25]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, return_path: auto}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
	"10.0.1.5, return_path: route}]}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
	"10.0.1.6, return_path: route}]}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
	"10.0.1.5, return_path: masquerade}]}]}]\n",
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}, {interface: eth1, networks: "
	"[10.0.2.0/24]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: none}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: 10.0.1.5:80}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: 10.0.1.6:80}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: 10.0.1.5:81}]}]\n",
	"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, witness: [10.0.1.5:80, 10.0.1.6:80]}]}]\n",
	LAN "probe: {sources: [100.64.0.1]}\n",
	LAN "probe: {sources: [100.64.0.2]}\n",
	LAN "probe: {sources: [\"2606:4700:cf1:1000::1\"]}\n",
	LAN "probe: {interval: 9s}\n",
	LAN "probe: {after_event: 2s}\n",
	LAN "probe: {timeout: 2s}\n",
	LAN "probe: {lost_after: 1}\n",
	LAN "probe: {lost_of: 4}\n",
	LAN "probe: {proven_after: 4}\n",
	LAN "probe: {proven_hold: 1min}\n",
	LAN "probe: {witnesses: 9}\n",
	LAN "probe: {accept_neighbor: true}\n",
	LAN "remedies: [tailscale-input]\n",
	LAN "bgp: {asn: 65010, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n",
	LAN "bgp: {asn: 65011, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n",
	LAN
	"bgp: {asn: 65010, router_id: 1.1.1.1, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n",
	LAN
	"bgp: {asn: 65010, announce_to_others: true, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n",
	BGP("{address: 10.0.1.2, remote_as: external}"),
	BGP("{address: 10.0.1.1, remote_as: internal}"),
	BGP("{address: 10.0.1.1, remote_as: 65001}"),
	BGP("{address: 10.0.1.1, remote_as: 65002}"),
	BGP("{address: 10.0.1.1, remote_as: external}, {address: 10.0.1.2, remote_as: external}"),
	NEIGHBOR("families: [ipv4, ipv6]"),
	NEIGHBOR("families: [ipv4]"),
	NEIGHBOR("families: [ipv6]"),
	NEIGHBOR("description: a"),
	NEIGHBOR("description: b"),
	NEIGHBOR("password_file: /a"),
	NEIGHBOR("password_file: /b"),
	NEIGHBOR("bfd: true"),
	NEIGHBOR("bfd: {multiplier: 4}"),
	NEIGHBOR("bfd: {receive: 20ms}"),
	NEIGHBOR("bfd: {transmit: 20ms}"),
	NEIGHBOR("timers: {hold: 0}"),
	NEIGHBOR("timers: {hold: 3}"),
	NEIGHBOR("timers: {hold: 9, keepalive: 1}"),
	NEIGHBOR("timers: {connect: 1}"),
	NEIGHBOR("update_source: eth0"),
	NEIGHBOR("update_source: 10.0.1.5"),
	NEIGHBOR("ebgp_multihop: 2"),
	NEIGHBOR("ttl_security: 1"),
	NEIGHBOR("communities: [no-export]"),
	NEIGHBOR("communities: [no-advertise]"),
	NEIGHBOR("maximum_prefix: 1"),
	NEIGHBOR("accept: [10.9.0.0/16]"),
	NEIGHBOR("accept: [{prefix: 10.9.0.0/16, le: 17}]"),
	NEIGHBOR("accept: [10.8.0.0/16]"),
	NEIGHBOR("adopt: true"),
};

static void test_equal(void **)
{
	config_texts_differ(different, COUNT(different));
}

/* Order and spelling that carry no meaning make no difference. */
static void test_equal_spellings(void **)
{
	struct config *a = config_text("mesh: {ranges: {workers: [10.8.0.0/16, 10.7.0.0/16]}}\n" LAN
				       "allow: [{to: 10.0.1.5, from: [devices, workers]}]\n");
	struct config *b = config_text(
		"allow:\n  - from: [workers, devices]\n    to: 10.0.1.5/32\n" LAN
		"\n\nmesh:\n  interface: CloudflareWARP\n  ranges:\n"
		"    workers: [10.7.0.0/16, 10.8.0.0/16]\n");

	assert_true(config_equal(a, b));
	config_free(a);
	config_free(b);
}

/* What is shipped as an example must work. */
static void test_shipped_example(void **)
{
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};

	assert_int_equal(
		config_read_file(TEST_PROJECT_DIR "/gateway/conf/meshgw.yaml", &text, &len, &err),
		0);
	struct config *config = config_text(text);
	autofree char *printed = print(config);
	struct config *again = config_text(printed);
	autofree char *twice = print(again);
	assert_true(config_equal(config, again));
	assert_string_equal(printed, twice);
	config_free(config);
	config_free(again);
}

/* The manual page. */

static char *read_page(void)
{
	char *text = nullptr;
	size_t len;
	struct err err = {};

	assert_int_equal(
		config_read_file(TEST_PROJECT_DIR "/gateway/conf/meshgw.yaml.5", &text, &len, &err),
		0);
	return text;
}

static void assert_keys_in_page(const struct mapping *mapping, const char *page)
{
	for (size_t i = 0; i < mapping->n; i++) {
		const struct field *field = &mapping->fields[i];
		char item[64];
		snprintf(item, sizeof(item), "\n.It Ic %s\n", field->key);
		if (!strstr(page, item))
			fail_msg("meshgw.yaml(5) has no item for the key %s", field->key);
		if (field->mapping)
			assert_keys_in_page(field->mapping, page);
		if (field->list && field->list->element.mapping)
			assert_keys_in_page(field->list->element.mapping, page);
	}
}

static void test_keys_in_page(void **)
{
	autofree char *page = read_page();

	assert_keys_in_page(&schema_top, page);
}

/* Every example that has a key of the file's top level must be a good file, with a LAN if it
 * names none itself. */
static void test_examples_in_page(void **)
{
	static const char begin[] = "\n.Bd -literal -offset indent\n", end[] = "\n.Ed\n";
	static const char lan[] = "\n" LAN;
	autofree char *page = read_page();
	size_t n = 0;

	for (const char *p = page; (p = strstr(p, begin)); n++) {
		p += strlen(begin);
		const char *stop = strstr(p, end);
		assert_non_null(stop);
		if (strncmp(p, "hosts:", 6) == 0)
			continue;
		char text[2048];
		snprintf(text, sizeof(text), "%.*s\n", (int)(stop - p), p);
		if (!strstr(text, "lan:\n"))
			strncat(text, lan, sizeof(text) - strlen(text) - 1);
		config_free(config_text(text));
	}
	assert_true(n > 5);
}

static void test_print_to_full_disk(void **)
{
	struct config *config = config_text(LAN);
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(config_print(config, full), -EIO);
	fclose(full);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_probe_defaults),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_values_and_marks),
		cmocka_unit_test(test_default_sources),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_spellings),
		cmocka_unit_test(test_shipped_example),
		cmocka_unit_test(test_keys_in_page),
		cmocka_unit_test(test_examples_in_page),
		cmocka_unit_test(test_print_to_full_disk),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
