/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of an upstream that failed (daemon/bridge_upstream.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/bridge_upstream.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char text[] =
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
	"bridge:\n"
	"  listen: [80]\n"
	"  diagnose: {targets: [\"10.0.1.51:22\"]}\n"
	"  routes:\n"
	"  - {host: a, upstream: [\"http://10.0.1.50:3000\", unix:/run/x]}\n"
	"  - {host: b, upstream: \"https://App.internal\", tls: {server_name: other.test,"
	" ca_file: /ca}, health: {path: /healthz}}\n"
	"  - {host: c, upstream: \"http://[2001:db8:1::50]:3000\", proxy_protocol: v2}\n"
	"  - {host: d, upstream: \"https://10.0.1.60\", tls: {certificate_file: /c, key_file: /k}}\n"
	"  - {host: e, upstream: \"https://10.0.1.61\"}\n"
	"  - {host: f, upstream: \"https://10.0.1.61\", tls: {server_name: f.test}}\n"
	"  - {host: g, upstream: \"https://10.0.1.62\", tls: {ca_file: /unreadable}}\n"
	"  - {host: h, upstream: \"http://10.0.1.50:3000\"}\n";

static char ca[] = "/ca", unreadable[] = "/unreadable", pem[] = "PEM";
static struct bridge_file files[] = {
	{.kind = SECRET_TEXT_CERTIFICATE, .path = ca, .text = pem},
	{.kind = SECRET_TEXT_CERTIFICATE, .path = unreadable},
};
static const struct bridge_secrets secrets = {.list = files, .n = COUNT(files)};

static const struct {
	const char *name;
	const char *target, *url; /* nullptr: it is none */
	const char *server_name, *ca;
	bool talks;
} cases[] = {
	{"http://10.0.1.50:3000", "10.0.1.50:3000", "http://10.0.1.50:3000/", nullptr, nullptr,
		true},
	{"https://app.internal:443", "app.internal:443", "https://app.internal:443/healthz",
		"other.test", "PEM", true},
	{"http://[2001:db8:1::50]:3000", "[2001:db8:1::50]:3000", "http://[2001:db8:1::50]:3000/",
		nullptr, nullptr, false},
	{"https://10.0.1.60:443", "10.0.1.60:443", "https://10.0.1.60:443/", nullptr, nullptr,
		false},
	{"https://10.0.1.61:443", "10.0.1.61:443", "https://10.0.1.61:443/", nullptr, nullptr,
		false},
	{"https://10.0.1.62:443", "10.0.1.62:443", "https://10.0.1.62:443/", nullptr, nullptr,
		false},
	{"https://10.0.1.50:3000", nullptr, nullptr, nullptr, nullptr, false},
	{"10.0.1.50:3000", nullptr, nullptr, nullptr, nullptr, false},
	{"10.0.1.51:22", nullptr, nullptr, nullptr, nullptr, false},
	{"http://10.0.1.50:3000/", nullptr, nullptr, nullptr, nullptr, false},
	{"unix:/run/x", nullptr, nullptr, nullptr, nullptr, false},
	{"", nullptr, nullptr, nullptr, nullptr, false},
};

static void assert_text(const char *is, const char *wanted)
{
	if (!wanted)
		assert_null(is);
	else
		assert_string_equal(is, wanted);
}

static void test_find(void **)
{
	struct config_diags diags = {};
	struct bridge_upstream_ask found;
	struct config *config;

	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	config_diags_clear(&diags);
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is = bridge_upstream_find(config, &secrets, cases[i].name, &found);
		print_message("%s\n", cases[i].name);
		assert_int_equal(is, cases[i].target != nullptr);
		assert_false(bridge_upstream_find(nullptr, &secrets, cases[i].name, &found));
		if (!bridge_upstream_find(config, &secrets, cases[i].name, &found))
			continue;
		assert_string_equal(found.name, cases[i].name);
		assert_string_equal(found.target, cases[i].target);
		assert_string_equal(found.url, cases[i].url);
		assert_text(found.tls.server_name, cases[i].server_name);
		assert_text(found.tls.ca, cases[i].ca);
		assert_int_equal(found.tls.untalkable == nullptr, cases[i].talks);
	}
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
