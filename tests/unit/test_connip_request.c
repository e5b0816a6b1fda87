/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/request.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 9484 3: what a client must refuse before it sends anything. */
static const struct {
	const char *text, *why; /* nullptr = a good one */
} client_templates[] = {
	{"https://example.org/.well-known/masque/ip/{target}/{ipproto}/", nullptr},
	{"https://proxy.example.org:4443/masque/ip?t={target}&i={ipproto}", nullptr},
	{"https://proxy.example.org:4443/masque/ip{?target,ipproto}", nullptr},
	{"https://masque.example.org/?user=bob", nullptr},
	{"https://masque.example.org/{other}/%7euser/", nullptr},
	{"https://[2001:db8::1]:443/{target}?a=b{&ipproto}", nullptr},
	{"/.well-known/masque/ip/{target}/{ipproto}/", "no scheme: not in absolute form"},
	{"//example.org/{target}", "no scheme: not in absolute form"},
	{"1https://example.org/", "no scheme: not in absolute form"},
	{"https:///{target}", "no authority"},
	{"https://{target}/", "a variable outside of path and query"},
	{"https://example.org:{ipproto}/", "a variable outside of path and query"},
	{"https://example.org", "the path does not begin with \"/\""},
	{"https://example.org?t={target}", "the path does not begin with \"/\""},
	{"https://example.org/{target}#x", "a fragment"},
	{"https://example.org/{+target}", "the operator \"+\""},
	{"https://example.org/x{.target}", "the operator \".\""},
	{"https://example.org{/target}", "a variable outside of path and query"},
	{"https://example.org/x{/target}", "the operator \"/\""},
	{"https://example.org/{;target}", "the operator \";\""},
	{"https://example.org/{=target}", "the operator \"=\""},
	{"https://example.org/{target:3}", "a modifier: above level 3"},
	{"https://example.org/{?target*}", "a modifier: above level 3"},
	{"https://example.org/{}", "no variable's name: \"\""},
	{"https://example.org/{target,}", "no variable's name: \"\""},
	{"https://example.org/{tar get}", "a character outside of 0x21-0x7E"},
	{"https://example.org/\xc3\xa9/{target}", "a character outside of 0x21-0x7E"},
	{"https://example.org/<{target}>", "the character \"<\""},
	{"https://example.org/%zz/", "\"%\" without two hexadecimal digits"},
	{"https://example.org/{target", "\"{\" without \"}\""},
	{"https://example.org/target}", "\"}\" without \"{\""},
	{"https://example.org/{{target}}", "no variable's name: \"{target\""},
};

static void test_client_templates(void **)
{
	for (size_t i = 0; i < COUNT(client_templates); i++) {
		struct template *t = nullptr;
		struct err err = {};
		int r = template_new(client_templates[i].text, TEMPLATE_OF_CLIENT, &t, &err);
		const char *why = client_templates[i].why;
		if (r != (why ? -EINVAL : 0) || strcmp(err.msg, why ? why : "") != 0)
			fail_msg("%s: %d %s", client_templates[i].text, r, err.msg);
		template_free(t);
	}
}

/* RFC 9484 3, 4.4, 4.6; RFC 6570 3.2 */
static const struct {
	const char *template, *target, *ipproto, *path; /* nullptr = cannot be said */
} expansions[] = {
	{"https://example.org/.well-known/masque/ip/{target}/{ipproto}/", "", "",
		"/.well-known/masque/ip/*/*/"},
	{"https://e.org/ip/{target}/{ipproto}/", "*", "*", "/ip/*/*/"},
	{"https://e.org/ip/{target}/{ipproto}/", "2001:db8::42", "17",
		"/ip/2001%3Adb8%3A%3A42/17/"},
	{"https://e.org/ip/{target}/{ipproto}/", "192.0.2.0/24", "6", "/ip/192.0.2.0%2F24/6/"},
	{"https://e.org/ip/{target}/{ipproto}/", "a*b", "6", "/ip/a%2Ab/6/"},
	{"https://e.org/ip?t={target}&i={ipproto}", "h.example", "1", "/ip?t=h.example&i=1"},
	{"https://e.org/ip{?target,ipproto}", "h.example", "1", "/ip?target=h.example&ipproto=1"},
	{"https://e.org/ip?u=bob{&target,x}", "h", "", "/ip?u=bob&target=h"},
	{"https://e.org/ip{?x}", "", "", "/ip"},
	{"https://e.org/{target,ipproto}", "h", "6", "/h,6"},
	{"https://e.org/?user=bob", "", "*", "/?user=bob"},
	{"https://e.org/?user=bob", "h", "", nullptr},
	{"https://e.org/{target}", "h", "6", nullptr},
};

static void test_expand(void **)
{
	for (size_t i = 0; i < COUNT(expansions); i++) {
		struct template_values values = {};
		struct template *t = nullptr;
		char path[TEMPLATE_TARGET_MAX] = "";
		snprintf(values.target, sizeof(values.target), "%s", expansions[i].target);
		snprintf(values.ipproto, sizeof(values.ipproto), "%s", expansions[i].ipproto);
		assert_int_equal(
			template_new(expansions[i].template, TEMPLATE_OF_CLIENT, &t, nullptr), 0);
		int r = template_expand(t, &values, path);
		if (expansions[i].path ? r != 0 || strcmp(path, expansions[i].path) != 0
				       : r != -EINVAL)
			fail_msg("%s with %s: %d %s", expansions[i].template, expansions[i].target,
				r, path);
		template_free(t);
	}
}

/* A path says at most what its bound allows. */
static void test_expand_bound(void **)
{
	struct template_values values = {};
	char text[TEMPLATE_MAX + 2], path[TEMPLATE_TARGET_MAX];
	struct template *t = nullptr;

	snprintf(text, sizeof(text), "https://e.org/%s",
		"{target,target,target,target,target,target,target,target}");
	memset(values.target, ':', sizeof(values.target) - 1);
	assert_int_equal(template_new(text, TEMPLATE_OF_CLIENT, &t, nullptr), 0);
	assert_int_equal(template_expand(t, &values, path), -EINVAL);
	template_free(t);

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(template_new(text, TEMPLATE_OF_CLIENT, &t, nullptr), -EINVAL);
}

static const struct {
	const char *template, *path;
	int result;
	const char *target, *ipproto;
} matches[] = {
	{"/ip/{target}/{ipproto}/", "/ip/*/*/", 0, "*", "*"},
	{"/ip/{target}/{ipproto}/", "/ip/%2A/%2a/", 0, "*", "*"},
	{"https://e.org/ip/{target}/{ipproto}/", "/ip/2001%3Adb8%3A%3a42/17/", 0, "2001:db8::42",
		"17"},
	{"/ip/{target}/{ipproto}/", "/ip/192.0.2.0%2F24/6/", 0, "192.0.2.0/24", "6"},
	{"/ip/{target}/{ipproto}/", "/ip/%68.example/6/", 0, "h.example", "6"},
	{"/ip/{target}/{ipproto}/", "/ip/*/*", 0, "*", "*"}, /* a slash that many forget */
	{"/ip/{target}/{ipproto}/", "/ip/h", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/x/", "/ip/h/6", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/h/6/x", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/h/6/?x", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/192.0.2.0/24/6/", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/other", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/", -ENOENT, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip//6/", -EBADMSG, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/2001:db8::42/6/", -EBADMSG, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/%zz/6/", -EBADMSG, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/%0/6/", -EBADMSG, "", ""},
	{"/ip/{target}/{ipproto}/", "/ip/a%00b/6/", -EBADMSG, "", ""},
	{"/ip{?target,ipproto}", "/ip", 0, "", ""},
	{"/ip{?target,ipproto}", "/ip?ipproto=6&x=y&target=h", 0, "h", "6"},
	{"/ip{?target,ipproto}", "/ip?target=", -EBADMSG, "", ""},
	{"/ip{?target,ipproto}", "/ip?target", -EBADMSG, "", ""},
	{"/ip{?target,ipproto}", "/ip?target=a&target=b", -EBADMSG, "", ""},
	{"/ip{?target,ipproto}", "/ip?target=a&target=a", 0, "a", ""},
	{"/ip{?target}", "/ips", -ENOENT, "", ""},
	{"/ip?t={target}&i={ipproto}", "/ip?t=h&i=6", 0, "h", "6"},
	{"/ip?u=bob{&target,ipproto}", "/ip?u=bob&ipproto=6", 0, "", "6"},
	{"/{target,ipproto}", "/h,6", 0, "h", "6"},
	{"/{target,ipproto}", "/h", -ENOENT, "", ""},
	{"/{target,ipproto}/", "/h", -ENOENT, "", ""},
	{"/{target,ipproto}/", "/h,6", 0, "h", "6"},
	{"/", "/", 0, "", ""},
};

static void test_match(void **)
{
	for (size_t i = 0; i < COUNT(matches); i++) {
		struct template_values values = {};
		struct template *t = nullptr;
		assert_int_equal(
			template_new(matches[i].template, TEMPLATE_OF_PROXY, &t, nullptr), 0);
		int r = template_match(t, matches[i].path, &values);
		if (r != matches[i].result || strcmp(values.target, matches[i].target) != 0 ||
			strcmp(values.ipproto, matches[i].ipproto) != 0)
			fail_msg("%s: %d %s %s", matches[i].path, r, values.target, values.ipproto);
		template_free(t);
	}
}

/* A proxy's template must tell where values end. */
static void test_proxy_templates(void **)
{
	static const char *const refused[] = {"ip/{target}", "/{target}x", "/{target}{ipproto}",
		"/{?target}/x", "/{?target}{ipproto}", "/{target"};

	for (size_t i = 0; i < COUNT(refused); i++) {
		struct template *t = nullptr;
		struct err err = {};
		if (template_new(refused[i], TEMPLATE_OF_PROXY, &t, &err) != -EINVAL)
			fail_msg("%s", refused[i]);
		assert_true(err.msg[0]);
	}
}

/* RFC 9484 4.6 */
static const struct {
	const char *target, *ipproto;
	int result;
	enum scope_kind kind;
	const char *said; /* "PREFIX or NAME PROTOCOL" */
} scopes[] = {
	{"", "", 0, SCOPE_ANY, "* *"},
	{"*", "*", 0, SCOPE_ANY, "* *"},
	{"192.0.2.1", "6", 0, SCOPE_PREFIX, "192.0.2.1 6"},
	{"192.0.2.0/24", "017", 0, SCOPE_PREFIX, "192.0.2.0/24 17"},
	{"0.0.0.0/0", "*", 0, SCOPE_PREFIX, "0.0.0.0/0 *"},
	{"2001:db8::/032", "255", 0, SCOPE_PREFIX, "2001:db8::/32 255"},
	{"2001:DB8::42/128", "58", 0, SCOPE_PREFIX, "2001:db8::42 58"},
	{"::ffff:0:0/96", "*", 0, SCOPE_PREFIX, "::ffff:0.0.0.0/96 *"},
	{"host.example", "1", 0, SCOPE_NAME, "host.example 1"},
	{"10.0.0.300", "*", 0, SCOPE_NAME, "10.0.0.300 *"},
	{"under_score.example!", "*", 0, SCOPE_NAME, "under_score.example! *"},
	{"192.0.2.1/24", "*", -EBADMSG, 0, nullptr}, /* host bits */
	{"2001:db8::1/64", "*", -EBADMSG, 0, nullptr},
	{"192.0.2.0/33", "*", -EBADMSG, 0, nullptr},
	{"192.0.2.0/024", "*", -EBADMSG, 0, nullptr}, /* 1*2DIGIT */
	{"192.0.2.0/", "*", -EBADMSG, 0, nullptr},
	{"192.0.2.0/-1", "*", -EBADMSG, 0, nullptr},
	{"2001:db8::/129", "*", -EBADMSG, 0, nullptr},
	{"fe80::1%eth0", "*", -EBADMSG, 0, nullptr}, /* zones */
	{"[2001:db8::1]", "*", -EBADMSG, 0, nullptr},
	{"2001:db8:::1", "*", -EBADMSG, 0, nullptr},
	{"host.example/24", "*", -EBADMSG, 0, nullptr},
	{"host example", "*", -EBADMSG, 0, nullptr},
	{"h\xc3\xb6st", "*", -EBADMSG, 0, nullptr},
	{"*", "256", -EBADMSG, 0, nullptr},
	{"*", "1000", -EBADMSG, 0, nullptr},
	{"*", "-1", -EBADMSG, 0, nullptr},
	{"*", "tcp", -EBADMSG, 0, nullptr},
	{"*", "0", -EPROTONOSUPPORT, 0, nullptr}, /* 4.8: extension headers */
	{"*", "44", -EPROTONOSUPPORT, 0, nullptr},
	{"*", "60", -EPROTONOSUPPORT, 0, nullptr},
};

static void test_scope(void **)
{
	for (size_t i = 0; i < COUNT(scopes); i++) {
		struct template_values in = {}, back;
		struct scope s = {};
		char said[2 * TEMPLATE_VALUE_MAX] = "";
		snprintf(in.target, sizeof(in.target), "%s", scopes[i].target);
		snprintf(in.ipproto, sizeof(in.ipproto), "%s", scopes[i].ipproto);
		int r = scope_read(&in, &s);
		scope_values(&s, &back);
		snprintf(said, sizeof(said), "%s %s", back.target, back.ipproto);
		if (r != scopes[i].result || s.kind != scopes[i].kind ||
			(r == 0 && strcmp(said, scopes[i].said) != 0))
			fail_msg("%s %s: %d %s", in.target, in.ipproto, r, said);
	}
}

/* RFC 9484 4.4, RFC 9220 3, RFC 9297 3.2 */
static const struct {
	const char *name;
	struct request_head head;
	enum request_verdict verdict;
	unsigned status;
} requests[] = {
	{"4.4: as in figure 4", {"CONNECT", "connect-ip", "https", "e.org", "/ip/*/*/", false},
		REQUEST_ACCEPTED, 200},
	{"another method", {"GET", nullptr, "https", "e.org", "/ip/*/*/", false}, REQUEST_NO_METHOD,
		405},
	{"a plain CONNECT", {"CONNECT", nullptr, nullptr, "e.org:443", nullptr, false},
		REQUEST_NO_METHOD, 405},
	{"RFC 9220: another protocol",
		{"CONNECT", "connect-udp", "https", "e.org", "/ip/*/*/", false},
		REQUEST_UNKNOWN_PROTOCOL, 501},
	{"no method", {nullptr, "connect-ip", "https", "e.org", "/ip/*/*/", false},
		REQUEST_MALFORMED, 400},
	{"no authority", {"CONNECT", "connect-ip", "https", nullptr, "/ip/*/*/", false},
		REQUEST_MALFORMED, 400},
	{"no scheme", {"CONNECT", "connect-ip", "", "e.org", "/ip/*/*/", false}, REQUEST_MALFORMED,
		400},
	{"no path", {"CONNECT", "connect-ip", "https", "e.org", "", false}, REQUEST_MALFORMED, 400},
	{"RFC 9297 3.2: content", {"CONNECT", "connect-ip", "https", "e.org", "/ip/*/*/", true},
		REQUEST_MALFORMED, 400},
	{"4.1: a malformed target",
		{"CONNECT", "connect-ip", "https", "e.org", "/ip/10.0.0.1%2F8/*/", false},
		REQUEST_MALFORMED, 400},
	{"another path", {"CONNECT", "connect-ip", "https", "e.org", "/udp/h/53/", false},
		REQUEST_NOT_FOUND, 404},
	{"4.8: an extension header",
		{"CONNECT", "connect-ip", "https", "e.org", "/ip/*/43/", false}, REQUEST_BAD_SCOPE,
		403},
};

static void test_request(void **)
{
	struct template *t = nullptr;
	struct scope scope;

	assert_int_equal(
		template_new("/ip/{target}/{ipproto}/", TEMPLATE_OF_PROXY, &t, nullptr), 0);
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct request_rules rules = {.template = t};
		enum request_verdict v = request_read(&requests[i].head, &rules, &scope);
		if (v != requests[i].verdict || request_status(v) != requests[i].status)
			fail_msg("%s: %d", requests[i].name, v);
	}
	template_free(t);
}

/* A peer that departs from the RFC, where that is configured. */
static void test_request_dialect(void **)
{
	struct request_rules rules = {.protocol = "cf-connect-ip"};
	struct request_head head = {"CONNECT", "cf-connect-ip", "https", "e.org", "/", false};
	struct scope scope;

	assert_int_equal(request_read(&head, &rules, &scope), REQUEST_ACCEPTED);
	assert_int_equal(scope.kind, SCOPE_ANY);
	head.protocol = "connect-ip";
	assert_int_equal(request_read(&head, &rules, &scope), REQUEST_UNKNOWN_PROTOCOL);

	rules = (struct request_rules){.path = "/"};
	assert_int_equal(request_read(&head, &rules, &scope), REQUEST_ACCEPTED);
	assert_int_equal(scope.kind, SCOPE_ANY);
	head.path = "/ip/*/*/";
	assert_int_equal(request_read(&head, &rules, &scope), REQUEST_NOT_FOUND);
}

/* RFC 9484 4.1, RFC 9209 2.3 */
static void test_proxy_status(void **)
{
	char out[REQUEST_PROXY_STATUS_MAX];

	assert_string_equal(request_proxy_status(REQUEST_DNS_ERROR, "meshgw", nullptr, out),
		"meshgw; error=dns_error; details=\"the name was not resolved\"");
	assert_string_equal(request_proxy_status(REQUEST_NOT_FOUND, "meshgw", nullptr, out),
		"meshgw; error=http_request_error; details=\"the path is none of the template's\"");
	assert_string_equal(request_proxy_status(REQUEST_FORBIDDEN, "meshgw", nullptr, out),
		"meshgw; error=http_request_denied; details=\"no node of this edge\"");
	assert_string_equal(
		request_proxy_status(REQUEST_TARGET_REFUSED, "meshgw", "not \"here\\\r\nX: y", out),
		"meshgw; error=destination_ip_prohibited; details=\"not hereX: y\"");
	for (enum request_verdict v = REQUEST_MALFORMED; v < REQUEST_VERDICTS; v++) {
		assert_true(request_status(v) >= 400);
		assert_non_null(strstr(request_proxy_status(v, "m", nullptr, out), "; error="));
	}
}

/* RFC 9484 4.5, RFC 9297 3.2 */
static void test_response(void **)
{
	static const struct {
		unsigned status;
		bool content, ok, malformed;
	} cases[] = {
		{200, false, true, false},
		{299, false, true, false},
		{200, true, false, true},
		{204, false, false, true},
		{205, false, false, true},
		{206, false, false, true},
		{302, false, false, false},
		{403, true, false, false},
		{101, false, false, false},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool malformed;
		assert_int_equal(request_response_ok(cases[i].status, cases[i].content, &malformed),
			cases[i].ok);
		assert_int_equal(malformed, cases[i].malformed);
	}
}

/* RFC 9297 3.4, RFC 8941 4.2 */
static void test_capsule_protocol(void **)
{
	static const struct {
		const char *value;
		bool is_true;
	} cases[] = {
		{"?1", true},
		{"  ?1 ", true},
		{"?1;a", true},
		{"?1; a=1;b=\"x\\\"y\";*c=?0;d=:YQ==:", true},
		{"?0", false},
		{"?0;a", false},
		{"1", false},
		{"\"?1\"", false},
		{"?1, ?1", false},
		{"?1a", false},
		{"?1;", false},
		{"?1;A=1", false},
		{"?1;a=", false},
		{"?1;a=\"x", false},
		{"", false},
		{"?", false},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		if (request_capsule_protocol(cases[i].value) != cases[i].is_true)
			fail_msg("%s", cases[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_templates),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_bound),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_proxy_templates),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_dialect),
		cmocka_unit_test(test_proxy_status),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_capsule_protocol),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
