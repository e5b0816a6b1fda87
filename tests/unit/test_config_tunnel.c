/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section tunnel: the struct itself, and equality. What is refused is in tests/golden/config.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_texts.h"
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEAD                                                  \
	"mesh: {ranges: {sites: [10.9.0.0/16]}}\n"            \
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n" \
	"tunnel:\n"                                           \
	"  certificate_file: /a.crt\n"                        \
	"  key_file: /a.key\n"
#define PIN_A "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_B "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="

static void test_connector(void **)
{
	struct config *config = config_text(
		HEAD "  connector: {edges: [\"[2001:db8::1]:443\"], peer: "
		     "{pins: [" PIN_A "]}}\n");
	const struct config_tunnel *tunnel = &config->tunnel;

	assert_true(tunnel->configured);
	assert_int_equal(tunnel->role, TUNNEL_CONNECTOR);
	assert_string_equal(tunnel->certificate_file, "/a.crt");
	assert_string_equal(tunnel->key_file, "/a.key");
	assert_string_equal(tunnel->groups, "X25519MLKEM768:X25519:P-256");
	assert_int_equal(tunnel->mtu, 1280);
	assert_int_equal(tunnel->keepalive_ms, 15000);
	assert_int_equal(tunnel->idle_ms, 60000);
	assert_int_equal(tunnel->connector.n_edges, 1);
	assert_int_equal(tunnel->connector.edges[0].address.family, AF_INET6);
	assert_int_equal(tunnel->connector.edges[0].port, 443);
	assert_string_equal(tunnel->connector.pins[0].text, PIN_A);
	assert_int_equal(tunnel->connector.max_routes, 256);
	assert_null(tunnel->connector.template);
	assert_null(tunnel->connector.dialect.protocol);
	config_free(config);
}

static void test_edge(void **)
{
	struct config *config = config_text(HEAD
		"  edge: {listen: [\"0.0.0.0:443\"], nodes: [{name: a, replicas: [{name: r, pins: "
		"[" PIN_A "]}], addresses: [100.96.0.18], routes: [10.9.1.0/24]}]}\n");
	const struct config_edge *edge = &config->tunnel.edge;

	assert_int_equal(config->tunnel.role, TUNNEL_EDGE);
	assert_int_equal(edge->connections, 4096);
	assert_int_equal(edge->retry_above, 64);
	assert_int_equal(edge->n_nodes, 1);
	assert_string_equal(edge->nodes[0].name, "a");
	assert_string_equal(edge->nodes[0].replicas[0].name, "r");
	assert_int_equal(edge->nodes[0].addresses[0].prefix.len, 32);
	assert_int_equal(edge->nodes[0].routes[0].prefix.len, 24);
	assert_int_equal(edge->nodes[0].promotion, PROMOTION_AUTOMATIC);
	config_free(config);
}

static void test_none(void **)
{
	struct config *config = config_text("lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n");

	assert_false(config->tunnel.configured);
	assert_int_equal(config->tunnel.role, TUNNEL_NONE);
	config_free(config);
}

/* Each line is a section that differs from the first of its group in one value. */
static const char *const connectors[] = {
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}}\n",
	"  mtu: 1400\n  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}}\n",
	"  idle: 61s\n  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}}\n",
	"  keepalive: 9s\n  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}}\n",
	"  groups: X25519\n  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}}\n",
	"  connector: {edges: [{address: \"1.2.3.4:1\", name: a}], peer: {pins: [" PIN_A "]}}\n",
	"  connector: {edges: [\"1.2.3.4:2\"], peer: {pins: [" PIN_A "]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\", \"1.2.3.4:2\"], peer: {pins: [" PIN_A "]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_B "]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "], ca_file: /ca}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}, server_name: e.mesh}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, template: \"https://e/{target}\"}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, accept: {addresses: [10.9.0.0/24]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, accept: {routes: [10.9.0.0/24]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, accept: {max_routes: 3}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}, addresses: [10.9.0.1]}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, advertise: [10.0.1.0/25]}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, dialect: {protocol: x}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, dialect: {authority: x.y}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}, dialect: {path: /x}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, dialect: {ignore_connect_protocol: true}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, dialect: {settings: [630]}}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A "]}, routes: [10.9.0.0/24]}\n",
	"  connector: {edges: [\"1.2.3.4:1\"], peer: {pins: [" PIN_A
	"]}, addresses: [10.9.0.1], routes: [10.9.0.0/24], dialect: {silent: true}}\n",
};

#define EDGE(rest, node)                                \
	"  edge: {listen: [\"0.0.0.0:443\"], " rest     \
	"nodes: [{name: a, replicas: [{name: r, pins: " \
	"[" PIN_A "]}]" node "}]}\n"

static const char *const edges[] = {
	EDGE("", ""),
	EDGE("addresses: [10.9.0.1], ", ""),
	EDGE("dialect: {protocol: x}, ", ""),
	EDGE("dialect: {path: /}, ", ""),
	EDGE("dialect: {settings: [630]}, ", ""),
	EDGE("pool: [10.9.0.0/24], ", ""),
	EDGE("advertise: [10.9.0.0/24], ", ""),
	EDGE("limits: {connections: 1}, ", ""),
	EDGE("limits: {handshakes: 1}, ", ""),
	EDGE("limits: {unauthenticated: 1}, ", ""),
	EDGE("limits: {retry_above: 0}, ", ""),
	EDGE("", ", addresses: [10.9.0.1]"),
	EDGE("", ", routes: [10.9.0.0/24]"),
	EDGE("", ", promotion: manual"),
	EDGE("", ", limits: {packets: 1}"),
	EDGE("", ", limits: {bytes: 1MiB}"),
};

static void check_group(const char *const *group, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			char a[1024], b[1024];
			snprintf(a, sizeof(a), "%s%s", HEAD, group[i]);
			snprintf(b, sizeof(b), "%s%s", HEAD, group[j]);
			struct config *x = config_text(a), *y = config_text(b);
			if (config_equal(x, y) != (i == j))
				print_error("%s%s", a, b);
			assert_int_equal(config_equal(x, y), i == j);
			config_free(x);
			config_free(y);
		}
}

static void test_equal(void **)
{
	check_group(connectors, COUNT(connectors));
	check_group(edges, COUNT(edges));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connector),
		cmocka_unit_test(test_edge),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
