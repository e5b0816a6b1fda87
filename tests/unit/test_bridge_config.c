/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge's configuration: what is taken and what it then says, what is refused and why, which
 * route a request takes, and what a reload goes on with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/host.h"
#include "route/match.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int read_config(const char *text, const struct bridge_config **out, struct err *err)
{
	autojson sd_json_variant *json = nullptr;

	if (sd_json_parse(text, 0, &json, nullptr, nullptr) < 0)
		fail_msg("no JSON: %s", text);
	return bridge_config_from_json(json, out, err);
}

static const struct bridge_config *config_of(const char *text)
{
	const struct bridge_config *c = nullptr;
	struct err err = {};

	if (read_config(text, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

#define UP(host, port) "{\"scheme\":\"http\",\"host\":\"" host "\",\"port\":" #port "}"
#define ROUTE(more) "{\"host\":\"a.internal\",\"upstreams\":[" UP("10.0.1.50", 3000) "]" more "}"
#define ROUTES(list) "{\"routes\":[" list "]}"

static void test_everything(void **)
{
	const struct bridge_config *c = config_of(
		"{\"node\":\"gw1\",\"threads\":2,\"reveal\":\"evidence\",\"admin\":\"127.0.0.1:9596\","
		"\"limits\":{\"connections\":5,\"perSource\":2,\"headBytes\":4096,\"headMs\":1,"
		"\"idleMs\":2,\"drainMs\":3},"
		"\"diagnose\":{\"targets\":[\"10.0.9.9:22\"],\"tokens\":[\"0123456789abcdef\"]},"
		"\"routes\":[{\"host\":\"*.Remote.Internal.\",\"path\":\"/api/\",\"stripPrefix\":true,"
		"\"upstreams\":[{\"scheme\":\"https\",\"host\":\"app.lan\",\"port\":443,\"unix\":\"\","
		"\"addresses\":[\"10.0.2.61\",\"10.0.2.60\"]},"
		"{\"scheme\":\"unix\",\"host\":\"\",\"port\":0,\"unix\":\"/run/app\",\"addresses\":[]},"
		"{\"scheme\":\"http\",\"host\":\"2001:db8::50\",\"port\":8080}],"
		"\"hostHeader\":\"upstream\",\"sources\":[\"100.64.0.0/12\"],"
		"\"tokens\":[\"aaaaaaaaaaaaaaaa\",\"bbbbbbbbbbbbbbbbb==\"],"
		"\"requestHeaders\":{\"set\":[[\"X-A\",\"b\"]],\"remove\":[\"X-B\"]},"
		"\"responseHeaders\":{},\"maxBody\":10485760,\"retries\":2,\"maxConnections\":7,"
		"\"proxyProtocol\":true,"
		"\"timeouts\":{\"connectMs\":1,\"firstByteMs\":2,\"idleMs\":3,\"totalMs\":4,\"tunnelMs\":5},"
		"\"tls\":{\"serverName\":\"\",\"ca\":\"\",\"certificate\":\"\",\"key\":\"\"},"
		"\"health\":{\"path\":\"/healthz\",\"intervalMs\":5000,\"timeoutMs\":2000,"
		"\"failures\":3,\"successes\":2}}]}");
	const struct bridge_route *r = &c->routes[0];

	assert_string_equal(c->node, "gw1");
	assert_int_equal(c->reveal, BRIDGE_REVEAL_EVIDENCE);
	assert_int_equal(c->limits.drain_ms, 3);
	assert_int_equal(c->diagnose_tokens.n, 1);
	assert_string_equal(r->host, "*.remote.internal");
	assert_string_equal(r->path, "/api");
	assert_string_equal(r->name, "*.remote.internal/api");
	assert_true(r->strip_prefix);
	assert_int_equal(r->host_policy, BRIDGE_HOST_UPSTREAM);
	assert_int_equal(r->n_sources, 1);
	assert_int_equal(r->tokens.list[1].len, 19);
	assert_string_equal(r->request.set[0].value, "b");
	assert_string_equal(r->request.remove[0].name, "X-B");
	assert_int_equal(r->timeouts.total_ms, 4);
	assert_int_equal(r->timeouts.tunnel_ms, 5);
	assert_int_equal(r->n_upstreams, 3);

	const struct bridge_upstream *u = r->upstreams[0];
	char shown[ADDR_STRLEN];
	assert_string_equal(u->name, "https://app.lan:443");
	assert_string_equal(u->authority, "app.lan");
	assert_string_equal(u->target, "app.lan:443");
	assert_string_equal(u->tls.server_name, "app.lan");
	assert_false(u->tls.server_address);
	assert_string_equal(addr_str(&u->addresses[0], shown), "10.0.2.60");
	assert_int_equal(u->max_connections, 7);
	assert_true(u->proxy_protocol);
	assert_string_equal(u->health.path, "/healthz");

	assert_string_equal(r->upstreams[1]->name, "unix:/run/app");
	assert_string_equal(r->upstreams[1]->target, "");
	assert_string_equal(r->upstreams[2]->target, "[2001:db8::50]:8080");
	assert_int_equal(r->upstreams[2]->n_addresses, 1);
	assert_true(bridge_config_allows_target(c, "10.0.9.9:22"));
	assert_true(bridge_config_allows_target(c, "app.lan:443"));
	assert_false(bridge_config_allows_target(c, ""));
	assert_false(bridge_config_allows_target(c, "10.0.9.9:23"));
	bridge_config_unref(c);
}

static void test_defaults(void **)
{
	const struct bridge_config *c = config_of(ROUTES(ROUTE("")));
	const struct bridge_route *r = &c->routes[0];

	assert_int_equal(c->reveal, BRIDGE_REVEAL_CODE);
	assert_int_equal(c->limits.head_bytes, 65536);
	assert_string_equal(r->path, "/");
	assert_int_equal(r->n_sources, 0); /* nobody: the default is meshgwd's to write */
	assert_int_equal(r->host_policy, BRIDGE_HOST_PRESERVE);
	assert_int_equal(r->upstreams[0]->max_connections, 1024);
	assert_string_equal(r->upstreams[0]->authority, "10.0.1.50:3000");
	bridge_config_unref(c);
	c = config_of("{}");
	assert_null(bridge_route_match(c, "a", 1, "/", 1));
	bridge_config_unref(c);
}

static const struct {
	const char *json, *says;
} refusals[] = {
	{"[]", "bridge: not an object"},
	{"{\"nodes\":\"a\"}", "bridge: unknown key \"nodes\""},
	{"{\"threads\":1,\"threads\":1}", "bridge: threads is there twice"},
	{"{\"threads\":0}", "bridge.threads: not between 1 and 64"},
	{"{\"threads\":-1}", "bridge.threads: not a number"},
	{"{\"threads\":\"1\"}", "bridge.threads: not a number"},
	{"{\"threads\":4294967297}", "bridge.threads: not between 1 and 64"},
	{"{\"node\":\"gw1\\r\\nX: y\"}", "bridge.node: not letters, digits and -._"},
	{"{\"reveal\":\"none\"}", "bridge.reveal: not code, evidence or all"},
	{"{\"admin\":\"localhost:9596\"}", "bridge.admin: not ADDRESS:PORT or unix:/path"},
	{"{\"admin\":\"unix:/run/../etc/x\"}", "bridge.admin: not ADDRESS:PORT or unix:/path"},
	{"{\"diagnose\":{\"targets\":[\"10.0.1.50\"]}}",
		"bridge.diagnose.targets[0]: not HOST:PORT"},
	{"{\"diagnose\":{\"tokens\":[\"short\"]}}",
		"bridge.diagnose.tokens[0]: not between 16 and 256 characters long"},
	{ROUTES("{\"upstreams\":[" UP("10.0.1.50", 3000) "]}"), "bridge.routes[0]: no host"},
	{ROUTES("{\"host\":\"a\"}"), "bridge.routes[0]: no upstream"},
	{ROUTES("{\"host\":\"a b\"}"),
		"bridge.routes[0].host: not a host name, *.suffix, an address or *"},
	{ROUTES("{\"host\":\"*.*.a\"}"),
		"bridge.routes[0].host: not a host name, *.suffix, an address or *"},
	{ROUTES("{\"host\":\"a:80\"}"),
		"bridge.routes[0].host: not a host name, *.suffix, an address or *"},
	{ROUTES(ROUTE(",\"path\":\"api\"")),
		"bridge.routes[0].path: not a path without escapes, empty and dot segments"},
	{ROUTES(ROUTE(",\"path\":\"/a/../b\"")),
		"bridge.routes[0].path: not a path without escapes, empty and dot segments"},
	{ROUTES(ROUTE(",\"path\":\"/a//b\"")),
		"bridge.routes[0].path: not a path without escapes, empty and dot segments"},
	{ROUTES(ROUTE(",\"path\":\"/a%2fb\"")),
		"bridge.routes[0].path: not a path without escapes, empty and dot segments"},
	{ROUTES(ROUTE(",\"sources\":[\"10.0.0.1/8\"]")),
		"bridge.routes[0].sources[0]: not a prefix"},
	{ROUTES(ROUTE(",\"tokens\":[\"0123456789abcdef\\n\"]")),
		"bridge.routes[0].tokens[0]: not letters, digits and -._~+/ with = at the end only"},
	{ROUTES(ROUTE(",\"hostHeader\":\"a\\r\\nb\"")),
		"bridge.routes[0].hostHeader: not preserve, upstream or a host"},
	{ROUTES(ROUTE(",\"requestHeaders\":{\"set\":[[\"X-A\",\"a\\r\\nX-B: b\"]]}")),
		"bridge.routes[0].requestHeaders.set[0]: not a value of printable ASCII without "
		"blanks around it"},
	{ROUTES(ROUTE(",\"requestHeaders\":{\"set\":[[\"X A\",\"a\"]]}")),
		"bridge.routes[0].requestHeaders.set[0]: not the name of a field that may be "
		"changed"},
	{ROUTES(ROUTE(",\"requestHeaders\":{\"set\":[[\"content-length\",\"1\"]]}")),
		"bridge.routes[0].requestHeaders.set[0]: not the name of a field that may be "
		"changed"},
	{ROUTES(ROUTE(",\"responseHeaders\":{\"remove\":[\"Connection\"]}")),
		"bridge.routes[0].responseHeaders.remove[0]: not the name of a field that may be "
		"changed"},
	{ROUTES(ROUTE(",\"requestHeaders\":{\"set\":[[\"X-A\"]]}")),
		"bridge.routes[0].requestHeaders.set[0]: not a pair of name and value"},
	{ROUTES(ROUTE(",\"tls\":{\"certificate\":\"-----BEGIN CERTIFICATE-----\"}")),
		"bridge.routes[0].tls: certificate and key go together"},
	{ROUTES(ROUTE(",\"tls\":{\"ca\":\"hunter2\"}")), "bridge.routes[0].tls.ca: not PEM"},
	{ROUTES(ROUTE(",\"health\":{\"path\":\"/x y\"}")),
		"bridge.routes[0].health.path: not a path"},
	{ROUTES(ROUTE("") "," ROUTE("")), "bridge.routes: a.internal/ is there twice"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"ftp\"}]}"),
		"bridge.routes[0].upstreams[0].scheme: not http, https or unix"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\",\"host\":\"b\"}]}"),
		"bridge.routes[0].upstreams[0]: host and port are needed, and no path of a "
		"socket"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"/a/../b\"}]}"),
		"bridge.routes[0].upstreams[0].unix: not an absolute path"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\",\"host\":\"169.254.169.254\","
		"\"port\":80}]}"),
		"bridge.routes[0].upstreams[0].host: not a host name or an address"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\",\"host\":\"b\","
		"\"port\":80,\"addresses\":[\"fe80::1\"]}]}"),
		"bridge.routes[0].upstreams[0].addresses[0]: not an address that can be asked"},
	{ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\",\"host\":\"10.0.1.1\","
		"\"port\":80,\"addresses\":[\"10.0.1.2\"]}]}"),
		"bridge.routes[0]: 10.0.1.1 has other addresses than itself"},
};

static void test_refused(void **)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct bridge_config *c = nullptr;
		struct err err = {};
		assert_int_equal(read_config(refusals[i].json, &c, &err), -EINVAL);
		assert_string_equal(err.msg, refusals[i].says);
		assert_null(c);
	}
}

/* No secret is quoted by what is said of it. */
static void test_secrets_are_not_shown(void **)
{
	static const char *const cases[] = {
		ROUTES(ROUTE(",\"tokens\":[\"hunter2hunter2hunter2 \"]")),
		ROUTES(ROUTE(",\"tokens\":[\"hunter2\"]")),
		ROUTES(ROUTE(",\"tls\":{\"key\":\"hunter2\"}")),
		ROUTES(ROUTE(",\"requestHeaders\":{\"set\":[[\"Authorization\",\"hunter2\\n\"]]}")),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct bridge_config *c;
		struct err err = {};
		assert_int_equal(read_config(cases[i], &c, &err), -EINVAL);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static void test_host_normal(void **)
{
	static const struct {
		const char *text, *normal;
	} cases[] = {
		{"Service.Internal", "service.internal"},
		{"service.internal.", "service.internal"},
		{"service.internal:80", "service.internal"},
		{"service.internal.:80", "service.internal"},
		{"a_b.c", "a_b.c"},
		{"10.0.1.50:3000", "10.0.1.50"},
		{"[2001:DB8:0::1]:80", "[2001:db8::1]"},
		{"2001:db8::1", "[2001:db8::1]"},
		{"", ""},
		{".", ""},
		{".a", ""},
		{"a..b", ""},
		{"a..", ""},
		{"a b", ""},
		{"a:b", ""},
		{"a:123456", ""},
		{"[2001:db8::1", ""},
		{"[2001:db8::1]x", ""},
		{"[10.0.0.1]", ""},
		{"a\x80", ""},
	};
	char out[HOST_MAX];

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = host_normal(cases[i].text, strlen(cases[i].text), out);
		assert_int_equal(n, strlen(cases[i].normal));
		assert_string_equal(out, cases[i].normal);
	}
	char name[254];
	memset(name, 'a', sizeof(name));
	assert_int_equal(host_normal(name, 63, out), 63);
	assert_int_equal(host_normal(name, 64, out), 0);
	for (size_t i = 63; i < sizeof(name); i += 64)
		name[i] = '.';
	assert_int_equal(host_normal(name, 253, out), 253);
	assert_int_equal(host_normal(name, 254, out), 0);
}

#define AT(host, path) \
	"{\"host\":\"" host "\",\"path\":\"" path "\",\"upstreams\":[" UP("10.0.1.50", 80) "]}"

static void test_match(void **)
{
	static const struct {
		const char *host, *path;
		int route; /* -1 = none */
	} cases[] = {
		{"service.internal", "/", 0},
		{"SERVICE.internal.:8080", "/x", 0},
		{"service.internal", "/api", 1},
		{"service.internal", "/api/", 1},
		{"service.internal", "/api/x/y", 1},
		{"service.internal", "/apis", 0},
		{"service.internal", "/api/v2", 2},
		{"service.internal", "/api/v2/", 2},
		{"service.internal", "/api/v22", 1},
		{"service.internal", "/ap", 0},
		/* Parameters may be there or not, or there is no route. */
		{"service.internal", "/x;y/z", 0},
		{"service.internal", "/api/x;y", 1},
		{"service.internal", "/api;x", -1},
		{"service.internal", "/api;x/y", -1},
		{"service.internal", "/;/api", -1},
		{"service.internal", "/;a/;b;c/api/x", -1},
		{"service.internal", "/api%3Bx", -1},
		{"service.internal", "/api/;/v2", -1},
		{"service.internal", "/api/v2;x", -1},
		{"service.internal", "/api/v2/x;y", 2},
		{"service.internal", "/m;n/x", 8},
		{"remote.internal", "/only;x", -1},
		{"a.remote.internal", "/", 3},
		{"a.b.remote.internal", "/", 3},
		{"x.deep.remote.internal", "/", 4},
		{"deep.remote.internal", "/", 3},
		{"remote.internal", "/only", 5},
		{"remote.internal", "/only/this", 5},
		{"remote.internal", "/", -1}, /* the exact host decides, though * would take it */
		{"other", "/any", 6},
		{"[2001:db8:0::1]:80", "/", 7},
		{"[2001:db8::2]", "/any", 6},
		{"", "/any", 6},
		{"other", "/", -1},
		{"other", "*", -1},
		{"other", "", -1},
		{"xservice.internal", "/any", 6},
	};
	const struct bridge_config *c = config_of(ROUTES(AT("service.internal", "/") "," AT(
		"service.internal", "/api") "," AT("service.internal",
		"/api/v2") "," AT("*.remote.internal", "/") "," AT("*.deep.remote.internal",
		"/") "," AT("remote.internal", "/only") "," AT("*", "/any") "," AT("[2001:DB8::1]",
		"/") "," AT("service.internal", "/m;n")));

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct bridge_route *r = bridge_route_match(c, cases[i].host,
			strlen(cases[i].host), cases[i].path, strlen(cases[i].path));
		int got = r ? (int)r->index : -1;
		if (got != cases[i].route)
			fail_msg("%s%s: route %d", cases[i].host, cases[i].path, got);
	}
	bridge_config_unref(c);
}

/* Against the definition, by brute force: all hosts and paths of a few letters. */
static bool takes(const struct bridge_route *r, const char *host, const char *path)
{
	size_t hl = strlen(host), rl = strlen(r->host);
	bool host_ok = strcmp(r->host, "*") == 0 || strcmp(r->host, host) == 0 ||
		       (r->host[0] == '*' && rl > 1 && hl > rl - 1 &&
			       strcmp(host + hl - (rl - 1), r->host + 1) == 0);
	bool path_ok = strcmp(r->path, "/") == 0 ||
		       (strncmp(path, r->path, r->path_len) == 0 &&
			       (path[r->path_len] == '/' || !path[r->path_len]));
	return host_ok && path_ok;
}

static const char *const some_hosts[] = {"*", "*.a", "*.b.a", "a", "b.a", "c.b.a", "b", "c.a"};
static const char *const some_paths[] = {"/", "/x", "/x/y", "/xy", "/x/y/z"};

static int rank(const struct bridge_route *r)
{
	return strcmp(r->host, "*") == 0 ? 0 : r->host[0] == '*' ? (int)strlen(r->host) : 1000;
}

static void check_against(const struct bridge_config *c, const char *host, const char *path)
{
	const struct bridge_route *best = nullptr;
	int best_rank = -1;

	for (size_t i = 0; i < c->n_routes; i++) /* the host that decides */
		if (takes(&(struct bridge_route){.host = c->routes[i].host, .path = "/"}, host,
			    path) &&
			rank(&c->routes[i]) > best_rank)
			best_rank = rank(&c->routes[i]);
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct bridge_route *r = &c->routes[i];
		if (takes(r, host, path) && rank(r) == best_rank &&
			(!best || r->path_len > best->path_len))
			best = r;
	}
	const struct bridge_route *got = bridge_route_match(
		c, host, strlen(host), path, strlen(path));
	if (got != best)
		fail_msg("%s%s: %s%s", host, path, got ? got->host : "none", got ? got->path : "");
}

static const struct bridge_config *some_config(uint64_t which)
{
	char *text = xstrdup("{\"routes\":[");
	const char *comma = "";

	for (size_t i = 0; i < COUNT(some_hosts) * COUNT(some_paths); i++) {
		if (!(which >> i & 1))
			continue;
		char *more = nullptr;
		if (asprintf(&more,
			    "%s%s{\"host\":\"%s\",\"path\":\"%s\",\"upstreams\":[" UP(
				    "10.0.1.50", 80) "]}",
			    text, comma, some_hosts[i / COUNT(some_paths)],
			    some_paths[i % COUNT(some_paths)]) < 0)
			out_of_memory();
		free(text);
		text = more;
		comma = ",";
	}
	char *all = nullptr;
	if (asprintf(&all, "%s]}", text) < 0)
		out_of_memory();
	free(text);
	const struct bridge_config *c = config_of(all);
	free(all);
	return c;
}

static void test_match_is_its_definition(void **)
{
	static const char *const hosts[] = {"a", "b.a", "c.a", "c.b.a", "d.c.b.a", "b", "x"};
	static const char *const paths[] = {
		"/", "/x", "/x/", "/x/y", "/x/y/", "/x/y/z", "/x/y/z/w", "/xy", "/xyz", "/q/x"};
	uint64_t seed = 1;

	for (int round = 0; round < 300; round++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		const struct bridge_config *c = some_config(seed >> 20 & seed >> 3);
		for (size_t h = 0; h < COUNT(hosts); h++)
			for (size_t p = 0; p < COUNT(paths); p++)
				check_against(c, hosts[h], paths[p]);
		bridge_config_unref(c);
	}
}

/* One upstream however often it is named; equal over a reload unless something about it changed. */
static void test_reload_keeps_upstreams(void **)
{
	const struct bridge_config *a = config_of(ROUTES(
		AT("a", "/") "," AT("b", "/") ",{\"host\":\"c\",\"upstreams\":[" UP("d", 80) "]}"));
	const struct bridge_config *b = config_of(ROUTES("{\"host\":\"c\",\"upstreams\":[" UP(
		"d", 80) "],\"maxConnections\":2}," AT("b", "/y")));

	assert_int_equal(a->n_upstreams, 2);
	assert_ptr_equal(a->routes[0].upstreams[0], a->routes[1].upstreams[0]);
	assert_ptr_equal(bridge_config_same_upstream(b, &a->upstreams[0]), &b->upstreams[1]);
	assert_null(bridge_config_same_upstream(b, &a->upstreams[1]));
	assert_ptr_equal(bridge_config_ref(a), a);
	bridge_config_unref(a);
	assert_string_equal(a->upstreams[0].name, "http://10.0.1.50:80");
	bridge_config_unref(a);
	bridge_config_unref(b);
	bridge_config_unref(nullptr);
}

static void test_order_of_addresses_means_nothing(void **)
{
#define NAMED(list)                                                                  \
	ROUTES("{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\",\"host\":\"b\"," \
	       "\"port\":80,\"addresses\":[" list "]}]}")
	const struct bridge_config *a = config_of(NAMED("\"10.0.0.1\",\"10.0.0.2\""));
	const struct bridge_config *b = config_of(NAMED("\"10.0.0.2\",\"10.0.0.1\""));
	const struct bridge_config *c = config_of(NAMED("\"10.0.0.2\""));

	assert_true(bridge_upstream_equal(&a->upstreams[0], &b->upstreams[0]));
	assert_false(bridge_upstream_equal(&a->upstreams[0], &c->upstreams[0]));
	bridge_config_unref(a);
	bridge_config_unref(b);
	bridge_config_unref(c);
}

/* All that meshgwd sends, as the goldens of its side show it, is taken here. */
static void test_goldens_of_meshgwd(void **)
{
	DIR *dir = opendir(TEST_PROJECT_DIR "/tests/golden/bridge");
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));) {
		autojson sd_json_variant *json = nullptr;
		const struct bridge_config *c = nullptr;
		struct err err = {};
		char path[PATH_MAX];
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), TEST_PROJECT_DIR "/tests/golden/bridge/%s", e->d_name);
		assert_true(sd_json_parse_file(nullptr, path, 0, &json, nullptr, nullptr) >= 0);
		if (bridge_config_from_json(json, &c, &err) < 0)
			fail_msg("%s: %s", e->d_name, err.msg);
		assert_true(c->n_routes > 0);
		bridge_config_unref(c);
		n++;
	}
	closedir(dir);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_secrets_are_not_shown),
		cmocka_unit_test(test_host_normal),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_is_its_definition),
		cmocka_unit_test(test_reload_keeps_upstreams),
		cmocka_unit_test(test_order_of_addresses_means_nothing),
		cmocka_unit_test(test_goldens_of_meshgwd),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
