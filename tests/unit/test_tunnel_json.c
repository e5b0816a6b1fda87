/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tunnel is told of an edge's names: RFC 9484 section 3, 4.4 (the authority is the
 * template's) and the default template; and of dialects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/tunnel_json.h"
#include "lib/json.h"
#include "world.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DEFAULT "/.well-known/masque/ip/{target}/{ipproto}/"

static const char text[] =
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
	"tunnel:\n"
	"  certificate_file: /a\n"
	"  key_file: /b\n"
	"  connector:\n"
	"    peer: {pins: [\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}\n"
	"    edges: ";

static const struct {
	const char *connector; /* behind "edges: " */
	const char *server_name, *authority, *template;
} cases[] = {
	{"[\"198.51.100.1:443\"]", "198.51.100.1", "198.51.100.1", "https://198.51.100.1" DEFAULT},
	{"[\"198.51.100.1:4433\"]", "198.51.100.1", "198.51.100.1:4433",
		"https://198.51.100.1:4433" DEFAULT},
	{"[\"[2001:db8::1]:443\"]", "2001:db8::1", "[2001:db8::1]",
		"https://[2001:db8::1]" DEFAULT},
	{"[\"[2001:db8::1]:8443\"]", "2001:db8::1", "[2001:db8::1]:8443",
		"https://[2001:db8::1]:8443" DEFAULT},
	{"[\"198.51.100.1:4433\"]\n    server_name: e.mesh", "e.mesh", "e.mesh:4433",
		"https://e.mesh:4433" DEFAULT},
	{"[\"198.51.100.1:443\"]\n    template: \"https://p.mesh:4443/ip{?target,ipproto}\"",
		"p.mesh", "p.mesh:4443", "https://p.mesh:4443/ip{?target,ipproto}"},
	{"[\"198.51.100.1:443\"]\n    template: \"https://p.mesh/vpn\"\n    server_name: e.mesh",
		"e.mesh", "p.mesh", "https://p.mesh/vpn"},
	{"[\"198.51.100.1:443\"]\n    template: \"https://[2001:db8::1]:444/vpn\"", "2001:db8::1",
		"[2001:db8::1]:444", "https://[2001:db8::1]:444/vpn"},
};

static const char *text_of(sd_json_variant *v, const char *key)
{
	sd_json_variant *found = sd_json_variant_by_key(v, key);

	assert_non_null(found);
	return sd_json_variant_string(found);
}

static const char edge_text[] = "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
				"tunnel:\n"
				"  certificate_file: /a\n"
				"  key_file: /b\n"
				"  edge:\n"
				"    listen: [\"0.0.0.0:443\"]\n"
				"    nodes:\n"
				"      - name: site1\n"
				"        replicas: [{name: gw1, pins: "
				"[\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}]\n"
				"        addresses: [100.96.0.18]\n";

static sd_json_variant *told_text(const char *all, struct config **config)
{
	static const char pem[] = "PEM";
	const struct tunnel_files files = {.certificate = pem, .key = pem};

	*config = world_config(all);
	return tunnel_json(*config, &files);
}

static sd_json_variant *told(const char *connector, struct config **config)
{
	char all[2048];

	snprintf(all, sizeof(all), "%s%s\n", text, connector);
	return told_text(all, config);
}

static void test_names(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config;
		autojson sd_json_variant *v = told(cases[i].connector, &config);
		sd_json_variant *c = sd_json_variant_by_key(v, "connector");
		assert_string_equal(text_of(c, "serverName"), cases[i].server_name);
		assert_string_equal(text_of(c, "authority"), cases[i].authority);
		assert_string_equal(text_of(c, "template"), cases[i].template);
		config_free(config);
	}
}

/* What an edge is called by. */
static void test_edge_name(void **)
{
	struct config *config;
	autojson sd_json_variant *v = told(
		"[{address: \"198.51.100.1:443\", name: fra}, \"198.51.100.2:443\"]", &config);
	sd_json_variant *c = sd_json_variant_by_key(v, "connector");
	sd_json_variant *edges = sd_json_variant_by_key(c, "edges");

	assert_int_equal(sd_json_variant_elements(edges), 2);
	assert_string_equal(text_of(sd_json_variant_by_index(edges, 0), "name"), "fra");
	assert_null(sd_json_variant_by_key(sd_json_variant_by_index(edges, 1), "name"));
	config_free(config);
}

/* A dialect is off where nothing says otherwise. */
static void test_dialect(void **)
{
	static const char *const connectors[] = {"[\"198.51.100.1:443\"]",
		"[\"198.51.100.1:443\"]\n    addresses: [100.96.0.18]\n    routes: [100.64.0.0/12]\n"
		"    dialect: {silent: true}"};

	for (size_t i = 0; i < COUNT(connectors); i++) {
		struct config *config;
		autojson sd_json_variant *v = told(connectors[i], &config);
		sd_json_variant *c = sd_json_variant_by_key(v, "connector");
		sd_json_variant *d = sd_json_variant_by_key(v, "dialect");
		assert_string_equal(text_of(d, "protocol"), "connect-ip");
		assert_string_equal(text_of(d, "path"), "");
		assert_int_equal(
			sd_json_variant_boolean(sd_json_variant_by_key(d, "staticOnly")), i);
		assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(c, "routes")), i);
		assert_int_equal(
			sd_json_variant_elements(sd_json_variant_by_key(d, "settings")), 0);
		config_free(config);
	}
}

/* … and an edge has one of its own. */
static void test_edge_dialect(void **)
{
	char all[2048];

	for (int departs = 0; departs < 2; departs++) {
		struct config *config;
		snprintf(all, sizeof(all), "%s%s", edge_text,
			departs ? "    dialect: {protocol: cf-connect-ip, path: /, silent: true, "
				  "settings: [630]}\n"
				: "");
		autojson sd_json_variant *v = told_text(all, &config);
		sd_json_variant *d = sd_json_variant_by_key(v, "dialect");
		sd_json_variant *settings = sd_json_variant_by_key(d, "settings");
		assert_string_equal(
			text_of(d, "protocol"), departs ? "cf-connect-ip" : "connect-ip");
		assert_string_equal(text_of(d, "path"), departs ? "/" : "");
		assert_int_equal(
			sd_json_variant_boolean(sd_json_variant_by_key(d, "staticOnly")), departs);
		assert_int_equal(sd_json_variant_elements(settings), departs);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_edge_name),
		cmocka_unit_test(test_dialect),
		cmocka_unit_test(test_edge_dialect),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
