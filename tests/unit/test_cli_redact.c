/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets are planted in every form that a bundle's sources have them in; none may come through,
 * and what is no secret must.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/redact.h"
#include "lib/json.h"
#include "lib/own.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *in, *out;
} texts[] = {
	{"", ""},
	{"\n\n", "\n\n"},
	{"no newline", "no newline"},
	{" neighbor 10.0.1.1 password s3cret with spaces\n neighbor 10.0.1.1 timers 3 9\n",
		" neighbor 10.0.1.1 password <redacted>\n neighbor 10.0.1.1 timers 3 9\n"},
	{"password 8 s3cret", "password <redacted>"},
	{"enable password s3cret", "enable password <redacted>"},
	{" ip ospf message-digest-key 1 md5 s3cret", " ip ospf message-digest-key <redacted>"},
	{" ip ospf authentication-key s3cret", " ip ospf authentication-key <redacted>"},
	{" ip rip authentication string s3cret", " ip rip authentication string <redacted>"},
	{"  key-string s3cret", "  key-string <redacted>"},
	{" isis password md5 s3cret", " isis password <redacted>"},
	{"snmp-server community s3cret", "snmp-server community <redacted>"},
	{"net.ipv4.tcp_fastopen_key = 5ec3e7-5ec3e7", "net.ipv4.tcp_fastopen_key = <redacted>"},
	{"net.ipv6.conf.eth0.stable_secret = 2001:db8::5ec",
		"net.ipv6.conf.eth0.stable_secret = <redacted>"},
	{"PrivateKey = s3cret=", "PrivateKey = <redacted>"},
	{"PresharedKey=s3cret", "PresharedKey=<redacted>"},
	{"    auth_pass s3cret", "    auth_pass <redacted>"},
	{"GET /?a=1&access_token=s3cret HTTP/1.1", "GET /?a=1&access_token=<redacted>"},
	{"Authorization: Bearer s3cret", "Authorization: <redacted>"},
	{"{\"password\":\"s3cret\"}", "{\"password\":\"<redacted>"},
	{"PASSWORD:s3cret", "PASSWORD:<redacted>"},
	{"a http://me:s3cret@10.0.1.50/x b https://u:s3cret@h c",
		"a http://<redacted>@10.0.1.50/x b https://<redacted>@h c"},
	{"http://10.0.1.50:3000/a@b:c", "http://10.0.1.50:3000/a@b:c"},
	{"x\n-----BEGIN RSA PRIVATE KEY-----\ns3cret\ns3cret\n-----END RSA PRIVATE KEY-----\ny\n",
		"x\n-----BEGIN RSA PRIVATE KEY-----\n<redacted>\n-----END RSA PRIVATE "
		"KEY-----\ny\n"},
	{"-----BEGIN PRIVATE KEY-----\ns3cret\ns3cret",
		"-----BEGIN PRIVATE KEY-----\n<redacted>\n"},
	{"-----BEGIN CERTIFICATE-----\nMIIB\n", "-----BEGIN CERTIFICATE-----\nMIIB\n"},

	/* No secrets. */
	{"    password_file: /etc/meshgw/bgp.password",
		"    password_file: /etc/meshgw/bgp.password"},
	{"password", "password"},
	{"bgp-auth-mismatch: the passwords differ", "bgp-auth-mismatch: the passwords <redacted>"},
	{"10.0.0.0/8 via 10.0.1.1 proto 201", "10.0.0.0/8 via 10.0.1.1 proto 201"},
	{"ip saddr 100.96.0.0/12 counter packets 5 accept # handle 12",
		"ip saddr 100.96.0.0/12 counter packets 5 accept # handle 12"},
	{"net.ipv4.tcp_keepalive_time = 7200", "net.ipv4.tcp_keepalive_time = 7200"},
};

static void test_texts(void **)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		autofree char *out = nullptr;
		size_t n = redact_text(texts[i].in, strlen(texts[i].in), &out);
		assert_string_equal(out, texts[i].out);
		assert_int_equal(n, strlen(out));
		assert_null(strstr(out, "s3cret"));
	}
}

/* Bytes that end strings, lines or characters elsewhere hide nothing. */
static void test_any_bytes(void **)
{
	static const char in[] = "a\0password \0s3cret\xff\nb\xc3\n";
	static const char want[] = "a\0password <redacted>\nb\xc3\n";
	autofree char *out = nullptr;
	size_t n = redact_text(in, sizeof(in) - 1, &out);

	assert_int_equal(n, sizeof(want) - 1);
	assert_memory_equal(out, want, n);
}

static void test_json(void **)
{
	static const char in[] =
		"{\"flow\":{\"path\":\"/x?token=s3cret\",\"port\":3000},\"ok\":true,\"none\":null,"
		"\"secret\":\"s3cret\",\"password_file\":\"/etc/x\","
		"\"list\":[\"password s3cret\",\"plain\",{\"apiKey\":\"s3cret\"}],\"n\":-15,\"e\":{}}";
	static const char want[] =
		"{\"flow\":{\"path\":\"/x?token=<redacted>\",\"port\":3000},\"ok\":true,"
		"\"none\":null,\"secret\":\"<redacted>\",\"password_file\":\"/etc/x\","
		"\"list\":[\"password <redacted>\",\"plain\",{\"apiKey\":\"<redacted>\"}],"
		"\"n\":-15,\"e\":{}}";
	autojson sd_json_variant *v = nullptr;
	autofree char *text = nullptr;

	assert_true(sd_json_parse(in, 0, &v, nullptr, nullptr) >= 0);
	autojson sd_json_variant *clean = redact_json(v);
	assert_true(sd_json_variant_format(clean, 0, &text) >= 0);
	assert_string_equal(text, want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
