/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verdict/evidence.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_parse(void **)
{
	static const struct {
		const char *in, *shown, *host, *path;
		uint8_t proto;
		enum flow_scheme scheme;
		uint16_t port;
	} cases[] = {
		{"10.0.1.50:3000", "tcp 10.0.1.50:3000", "", "", IPPROTO_TCP, SCHEME_NONE, 3000},
		{"[2001:db8:1::50]:3000", "tcp [2001:db8:1::50]:3000", "", "", IPPROTO_TCP,
			SCHEME_NONE, 3000},
		{"tcp://10.0.1.50:65535/", "tcp 10.0.1.50:65535", "", "", IPPROTO_TCP, SCHEME_NONE,
			65535},
		{"udp://10.0.1.50:53", "udp 10.0.1.50:53", "", "", IPPROTO_UDP, SCHEME_NONE, 53},
		{"udp://[::1]:53", "udp [::1]:53", "", "", IPPROTO_UDP, SCHEME_NONE, 53},
		{"icmp://10.0.1.50", "icmp 10.0.1.50", "", "", IPPROTO_ICMP, SCHEME_NONE, 0},
		{"icmp://2001:db8:1::50", "icmp 2001:db8:1::50", "", "", IPPROTO_ICMPV6,
			SCHEME_NONE, 0},
		{"icmp://[2001:db8:1::50]", "icmp 2001:db8:1::50", "", "", IPPROTO_ICMPV6,
			SCHEME_NONE, 0},
		{"icmp://printer", "icmp printer", "printer", "", IPPROTO_ICMP, SCHEME_NONE, 0},
		{"http://10.0.1.50", "http 10.0.1.50:80", "", "/", IPPROTO_TCP, SCHEME_HTTP, 80},
		{"https://[2001:db8::1]/a?b=[c]#d", "https [2001:db8::1]:443", "", "/a?b=[c]",
			IPPROTO_TCP, SCHEME_HTTPS, 443},
		{"https://shop.example.:8443?q", "https shop.example.:8443", "shop.example.", "/?q",
			IPPROTO_TCP, SCHEME_HTTPS, 8443},
		{"my_nas-2:22", "tcp my_nas-2:22", "my_nas-2", "", IPPROTO_TCP, SCHEME_NONE, 22},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flow f = {};
		struct err err = {};
		char shown[FLOW_STRLEN];
		if (flow_parse(cases[i].in, &f, &err) < 0)
			fail_msg("%s: %s", cases[i].in, err.msg);
		assert_string_equal(flow_str(&f, shown), cases[i].shown);
		assert_string_equal(f.host, cases[i].host);
		assert_string_equal(f.path, cases[i].path);
		assert_int_equal(f.proto, cases[i].proto);
		assert_int_equal(f.scheme, cases[i].scheme);
		assert_int_equal(f.port, cases[i].port);
		assert_int_equal(f.target.family == AF_UNSPEC, cases[i].host[0] != '\0');
	}
}

static void test_refused(void **)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"", "no host"},
		{"10.0.1.50", "no port"},
		{"printer", "no port"},
		{"10.0.1.50:", "no port behind"},
		{"10.0.1.50:0", "is no port"},
		{"10.0.1.50:080", "is no port"},
		{"10.0.1.50:65536", "is no port"},
		{"10.0.1.50:4294967376", "is no port"},
		{"10.0.1.50:http", "is no port"},
		{"10.0.1.50:+80", "is no port"},
		{"10.0.1.300:80", "neither an address nor a name"},
		{"10.0.1:80", "neither an address nor a name"},
		{"2001:db8::1", "[ADDRESS]:PORT"},
		{"2001:db8::1:3000", "[ADDRESS]:PORT"},
		{"http://2001:db8::zz", "neither an address nor a name"},
		{"[2001:db8::1]", "[ADDRESS]:PORT"},
		{"[2001:db8::1]:", "no port behind"},
		{"[2001:db8::1]3000", "\"[\" without"},
		{"[2001:db8::1", "\"[\" without"},
		{"[10.0.1.50]:80", "only IPv6"},
		{"[fe80::1%eth0]:80", "neither an address nor a name"},
		{"[::ffff:10.0.1.50]:80", "neither an address nor a name"},
		{"ftp://10.0.1.50:21", "one of tcp"},
		{"://10.0.1.50:21", "one of tcp"},
		{"http://", "no host"},
		{"http:///x", "no host"},
		{"http://user:pw@10.0.1.50/", "no user"},
		{"icmp://10.0.1.50:3", "icmp has no ports"},
		{"udp://10.0.1.50", "no port"},
		{"tcp://10.0.1.50:80/x", "tcp has no paths"},
		{"http://a b/", "spaces"},
		{"http://a/\n", "spaces"},
		{"http://caf\xc3\xa9/", "spaces"},
		{"-x:80", "neither an address nor a name"},
		{"x-:80", "neither an address nor a name"},
		{"a..b:80", "neither an address nor a name"},
		{".:80", "neither an address nor a name"},
		{"a.1:80", "neither an address nor a name"},
		{"a;reboot:80", "neither an address nor a name"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flow f = {.port = 77};
		struct err err = {};
		assert_int_equal(flow_parse(cases[i].in, &f, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].want))
			fail_msg("%s: %s", cases[i].in, err.msg);
		assert_int_equal(f.port, 77);
	}
}

static void test_limits(void **)
{
	char text[1200];
	struct flow f;
	struct err err;

	snprintf(text, sizeof(text), "http://a/%0254d", 0);
	assert_int_equal(flow_parse(text, &f, &err), 0);
	assert_int_equal(strlen(f.path), sizeof(f.path) - 1);
	snprintf(text, sizeof(text), "http://a/%0255d", 0);
	assert_int_equal(flow_parse(text, &f, &err), -EINVAL);

	static const size_t lengths[] = {63, 64, 254, 300, 1000};
	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(text, 'a', lengths[i]);
		snprintf(text + lengths[i], 4, ":1");
		assert_int_equal(flow_parse(text, &f, &err), lengths[i] < 64 ? 0 : -EINVAL);
	}
}

/* A flow out of a record can hold anything. */
static void test_shown(void **)
{
	struct flow f = {.proto = 200, .port = 1, .host = "a\x1b[31m\n"};
	char shown[FLOW_STRLEN];

	assert_string_equal(flow_str(&f, shown), "tcp a\\x1b[31m\\n:1");
	assert_int_equal(addr_parse("10.0.1.50", &f.target), 0);
	assert_string_equal(flow_str(&f, shown), "tcp a\\x1b[31m\\n:1 (10.0.1.50)");
	memset(f.host, 0x1b, sizeof(f.host));
	assert_true(strlen(flow_str(&f, shown)) < FLOW_STRLEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_shown),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
