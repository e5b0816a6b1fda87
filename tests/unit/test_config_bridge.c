/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section bridge: the struct itself, equality, and the parts that its values are read by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/authority.h"
#include "conf/size.h"
#include "config_texts.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"

/* ---- The struct ---- */

static void test_defaults(void **)
{
	struct config *config = config_text(
		LAN "bridge: {listen: [80], routes: [{host: A.b, upstream: http://X.y}]}\n");
	const struct config_bridge *bridge = &config->bridge;
	const struct config_route *route = bridge->routes;

	assert_true(bridge->configured);
	assert_int_equal(bridge->n_listen, 1);
	assert_int_equal(bridge->listen[0].address.family, AF_UNSPEC);
	assert_int_equal(bridge->listen[0].port, 80);
	assert_int_equal(bridge->threads, 1);
	assert_string_equal(bridge->admin, "127.0.0.1:9596");
	assert_int_equal(bridge->head_bytes, 65536);
	assert_int_equal(bridge->drain_ms, 30000);
	assert_int_equal(bridge->n_routes, 1);
	assert_string_equal(route->host, "a.b");
	assert_string_equal(route->path, "/");
	assert_string_equal(route->host_header, "preserve");
	assert_int_equal(route->n_upstreams, 1);
	assert_int_equal(route->upstreams[0].scheme, UPSTREAM_HTTP);
	assert_string_equal(route->upstreams[0].host, "x.y");
	assert_int_equal(route->upstreams[0].address.family, AF_UNSPEC);
	assert_int_equal(route->upstreams[0].port, 80);
	assert_int_equal(route->upstreams[0].mark.line, 2);
	assert_int_equal(route->sources.n, 0);
	assert_int_equal(route->connect_ms, 3000);
	assert_int_equal(route->total_ms, 0);
	assert_int_equal(route->tunnel_ms, 3600 * 1000);
	assert_null(route->health.path);
	config_free(config);
}

static void test_not_configured(void **)
{
	struct config *config = config_text(LAN);

	assert_false(config->bridge.configured);
	assert_int_equal(config->bridge.n_listen, 0);
	assert_int_equal(config->bridge.n_routes, 0);
	config_free(config);
}

static void test_addresses(void **)
{
	struct config *config = config_text(
		LAN "bridge: {listen: [\"[2001:DB8::1]:81\"], routes: [{host: \"[2001:DB8::2]\", "
		    "upstream: [\"https://[2001:DB8::3]\", \"unix:/run/a\"]}]}\n");
	const struct config_bridge *bridge = &config->bridge;
	const struct config_upstream *up = bridge->routes[0].upstreams;

	assert_int_equal(bridge->listen[0].address.family, AF_INET6);
	assert_int_equal(bridge->listen[0].port, 81);
	assert_string_equal(bridge->routes[0].host, "[2001:db8::2]");
	assert_string_equal(up[0].host, "2001:db8::3");
	assert_int_equal(up[0].address.family, AF_INET6);
	assert_int_equal(up[0].port, 443);
	assert_int_equal(up[1].scheme, UPSTREAM_UNIX);
	assert_null(up[1].host);
	assert_string_equal(up[1].path, "/run/a");
	config_free(config);
}

/* ---- Equality: each differs from each ---- */

#define ROUTES "routes: [{host: a, upstream: http://b}]"
#define BRIDGE(keys) LAN "bridge: {listen: [80], " keys ", " ROUTES "}\n"
#define ROUTE_OF(keys) LAN "bridge: {listen: [80], routes: [{" keys "}]}\n"
#define ROUTE(keys) ROUTE_OF("host: a, upstream: http://b, " keys)
#define TLS(keys) ROUTE_OF("host: a, upstream: https://b, tls: {" keys "}")

static const char *const different[] = {
	LAN,
	BRIDGE("threads: 1"),
	LAN "bridge: {listen: [81], " ROUTES "}\n",
	LAN "bridge: {listen: [\"10.0.1.1:80\"], " ROUTES "}\n",
	LAN "bridge: {listen: [80, 81], " ROUTES "}\n",
	BRIDGE("threads: 2"),
	BRIDGE("reveal: all"),
	BRIDGE("admin: none"),
	BRIDGE("limits: {connections: 1}"),
	BRIDGE("limits: {per_source: 1}"),
	BRIDGE("limits: {head_bytes: 4KiB}"),
	BRIDGE("limits: {head: 1s}"),
	BRIDGE("limits: {idle: 1s}"),
	BRIDGE("limits: {drain: 1s}"),
	BRIDGE("diagnose: {targets: [\"a:1\"]}"),
	BRIDGE("diagnose: {targets: [\"a:2\"]}"),
	BRIDGE("diagnose: {token_files: [/a]}"),
	BRIDGE("diagnose: {token_files: [/b]}"),
	BRIDGE("upstream_networks: [10.9.0.0/16]"),
	BRIDGE("upstream_networks: [10.8.0.0/16]"),
	ROUTE_OF("host: a, upstream: http://b}, {host: c, upstream: http://b"),
	ROUTE_OF("host: b, upstream: http://b"),
	ROUTE_OF("host: a, upstream: http://c"),
	ROUTE_OF("host: a, upstream: \"http://b:81\""),
	ROUTE_OF("host: a, upstream: \"https://b:80\""),
	ROUTE_OF("host: a, upstream: unix:/b"),
	ROUTE_OF("host: a, upstream: unix:/c"),
	ROUTE_OF("host: a, upstream: [http://b, http://c]"),
	ROUTE("path: /a"),
	ROUTE("path: /a, strip_prefix: true"),
	ROUTE("host_header: upstream"),
	ROUTE("host_header: x"),
	ROUTE("sources: workers"),
	ROUTE("sources: devices"),
	ROUTE("sources: 10.0.0.0/8"),
	ROUTE("sources: 10.0.0.0/9"),
	ROUTE("token_files: [/a]"),
	ROUTE("token_files: [/b]"),
	ROUTE("request_headers: {set: {A: b}}"),
	ROUTE("request_headers: {set: {A: c}}"),
	ROUTE("request_headers: {set: {B: b}}"),
	ROUTE("request_headers: {remove: [A]}"),
	ROUTE("response_headers: {remove: [A]}"),
	ROUTE("response_headers: {remove: [B]}"),
	ROUTE("max_body: 1"),
	ROUTE("retries: 0"),
	ROUTE("max_connections: 1"),
	ROUTE("proxy_protocol: v2"),
	ROUTE("timeouts: {connect: 1s}"),
	ROUTE("timeouts: {first_byte: 1s}"),
	ROUTE("timeouts: {idle: 1s}"),
	ROUTE("timeouts: {total: 1s}"),
	TLS("server_name: a"),
	TLS("server_name: b"),
	TLS("ca_file: /a"),
	TLS("certificate_file: /a, key_file: /b"),
	TLS("certificate_file: /a, key_file: /c"),
	ROUTE("health: {path: /}"),
	ROUTE("health: {path: /a}"),
	ROUTE("health: {path: /, interval: 9s}"),
	ROUTE("health: {path: /, timeout: 1s}"),
	ROUTE("health: {path: /, failures: 9}"),
	ROUTE("health: {path: /, successes: 9}"),
};

static void test_equal(void **)
{
	config_texts_differ(different, COUNT(different));
}

/* ---- Authorities ---- */

static const struct {
	const char *text, *canonical; /* nullptr: refused */
} authorities[] = {
	{"a", "a"},
	{"A.Example:80", "a.example:80"},
	{"a_b-c.1x:65535", "a_b-c.1x:65535"},
	{"10.0.1.50", "10.0.1.50"},
	{"10.0.1.50:1", "10.0.1.50:1"},
	{"[2001:DB8::0:1]", "[2001:db8::1]"},
	{"[2001:DB8::0:1]:443", "[2001:db8::1]:443"},
	{"", nullptr},
	{":", nullptr},
	{":80", nullptr},
	{"a:", nullptr},
	{"a:0", nullptr},
	{"a:080", nullptr},
	{"a:65536", nullptr},
	{"a:+1", nullptr},
	{"a:1:1", nullptr},
	{"::1", nullptr},
	{"[]", nullptr},
	{"[::1", nullptr},
	{"[::1]1", nullptr},
	{"[::1]:", nullptr},
	{"[a]", nullptr},
	{"[10.0.1.50]", nullptr},
	{"[::1%lo]", nullptr},
	{"a..b", nullptr},
	{".a", nullptr},
	{"a.", nullptr},
	{"-a", nullptr},
	{"a-", nullptr},
	{"a/b", nullptr},
	{"a b", nullptr},
	{"a@b", nullptr},
	{"10.0.1", nullptr},
	{"10.0.1.256", nullptr},
	{"a.0", nullptr},
};

static void test_authority(void **)
{
	for (size_t i = 0; i < COUNT(authorities); i++) {
		struct authority at = {};
		char buf[AUTHORITY_STRLEN];
		const char *fault = authority_parse(authorities[i].text, &at);
		if (!fault != (authorities[i].canonical != nullptr))
			fail_msg("\"%s\": %s", authorities[i].text, fault ? fault : "accepted");
		if (!fault)
			assert_string_equal(authority_str(&at, buf), authorities[i].canonical);
	}
}

static void test_authority_lengths(void **)
{
	char text[300], buf[AUTHORITY_STRLEN];
	struct authority at;

	for (size_t len = 60; len < 260; len++) {
		memset(text, 'a', len);
		for (size_t i = 63; i < len; i += 64)
			text[i] = '.';
		text[len] = '\0';
		bool good = len <= 253 && text[len - 1] != '.';
		assert_int_equal(authority_parse(text, &at) == nullptr, good);
		memcpy(text + len, ":65535", sizeof(":65535"));
		assert_int_equal(authority_parse(text, &at) == nullptr, good);
		if (good)
			assert_string_equal(authority_str(&at, buf), text);
	}
	memset(text, 'a', 64);
	text[64] = '\0';
	assert_non_null(authority_parse(text, &at));
}

/* ---- Sizes ---- */

static void test_size(void **)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *canonical;
	} good[] = {
		{"0", 0, "0"},
		{"1", 1, "1"},
		{"1023", 1023, "1023"},
		{"1024", 1024, "1KiB"},
		{"64KiB", 65536, "64KiB"},
		{"1024KiB", 1 << 20, "1MiB"},
		{"1025KiB", 1025 << 10, "1025KiB"},
		{"10MiB", 10 << 20, "10MiB"},
		{"1GiB", 1 << 30, "1GiB"},
		{"1024GiB", 1ULL << 40, "1024GiB"},
	};
	static const char *const bad[] = {"", "KiB", "-1", "+1", "01", "1 KiB", "1kib", "1K", "1MB",
		"1.5MiB", "1025GiB", "18446744073709551616", "18014398509481985KiB"};
	char buf[SIZE_STRLEN];
	uint64_t bytes;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(size_parse(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
		assert_string_equal(size_str(bytes, buf), good[i].canonical);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (size_parse(bad[i], &bytes) != -EINVAL)
			fail_msg("\"%s\" is taken as a size", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_not_configured),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_authority),
		cmocka_unit_test(test_authority_lengths),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
