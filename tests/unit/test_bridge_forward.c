/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heads that the bridge sends on, against the heads that came in; who may use a route; and what
 * a writer of bounded texts makes of bytes that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/head.h"
#include "lib/json.h"
#include "route/access.h"
#include "route/forward.h"
#include "route/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TRACE "traceparent: 00-0102030405060708090a0b0c0d0e0f11-1112131415161719-00\r\n"
#define FORWARDED(host)                                                                        \
	"Forwarded: for=100.64.12.189;host=\"" host "\";proto=http\r\n"                        \
	"X-Forwarded-For: 100.64.12.189\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: " host \
	"\r\n"
#define VIA "Via: 1.1 meshgw-gw1\r\n"

static const char plain[] = "";
static const char strips[] = ",\"path\":\"/api\",\"stripPrefix\":true";
static const char to_upstream[] = ",\"hostHeader\":\"upstream\"";
static const char to_name[] = ",\"hostHeader\":\"app.example:81\"";
static const char edits[] =
	",\"requestHeaders\":{\"set\":[[\"X-A\",\"b\"],[\"X-Forwarded-Proto\",\"https\"]],"
	"\"remove\":[\"x-secret\",\"Cookie\"]},"
	"\"responseHeaders\":{\"set\":[[\"Server\",\"hidden\"]],\"remove\":[\"X-Powered-By\"]}";
static const char tokens[] = ",\"tokens\":[\"0123456789abcdef\",\"fedcba9876543210==\"]";

static const struct bridge_config *config_of(const char *more)
{
	autojson sd_json_variant *json = nullptr;
	const struct bridge_config *c = nullptr;
	struct err err = {};
	char text[2048];

	snprintf(text, sizeof(text),
		"{\"node\":\"gw1\",\"routes\":[{\"host\":\"*\",\"sources\":[\"100.64.0.0/12\","
		"\"2001:db8::/32\"],\"upstreams\":[{\"scheme\":\"http\",\"host\":\"10.0.1.50\","
		"\"port\":3000}]%s}]}",
		more);
	assert_true(sd_json_parse(text, 0, &json, nullptr, nullptr) >= 0);
	if (bridge_config_from_json(json, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static void read_request(const char *text, struct http_request *out)
{
	enum http_fault why = HTTP_FAULT_NONE;

	if (http_request_read(text, strlen(text), 0, out, &why) != (ssize_t)strlen(text))
		fail_msg("%s: %s", text, http_fault_str(why));
}

static void read_answer(const char *text, struct http_answer *out)
{
	enum http_fault why = HTTP_FAULT_NONE;

	if (http_answer_read(text, strlen(text), 0, HTTP_METHOD_GET, true, out, &why) !=
		(ssize_t)strlen(text))
		fail_msg("%s: %s", text, http_fault_str(why));
}

static const uint8_t some_random[FORWARD_TRACE_RANDOM] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};

/* As the proxy fills it in, with the target as it came. */
static struct forward_request forward_of(
	const struct http_request *in, const struct addr *peer, const struct forward_trace *trace)
{
	const char *query = memchr(in->target, '?', in->target_len);
	size_t path_len = query ? (size_t)(query - in->target) : in->target_len;

	return (struct forward_request){
		.method = in->method_text,
		.method_len = in->method_len,
		.path = in->target,
		.path_len = path_len,
		.query = query ? query : "",
		.query_len = in->target_len - path_len,
		.host = in->host,
		.host_len = in->host_len,
		.head = &in->head,
		.peer = peer,
		.trace = trace,
		.framing = in->head.body == HTTP_BODY_CHUNKED  ? FORWARD_CHUNKED
			   : in->head.body == HTTP_BODY_LENGTH ? FORWARD_LENGTH
							       : FORWARD_NO_BODY,
		.length = (uint64_t)in->head.length,
		.connection = in->head.upgrade ? FORWARD_UPGRADE : FORWARD_PERSISTENT,
		.expects_continue = in->expects_continue,
	};
}

static int forward(
	const struct bridge_config *c, const char *text, const char *from, char *out, size_t size)
{
	struct http_request in;
	struct forward_trace trace;
	struct addr peer;

	read_request(text, &in);
	assert_int_equal(addr_parse(from, &peer), 0);
	forward_trace_read(&in.head, some_random, &trace);
	struct forward_request request = forward_of(&in, &peer, &trace);
	return forward_request_head(
		c, &c->routes[0], c->routes[0].upstreams[0], &request, out, size);
}

static const struct {
	const char *name, *more, *in, *out;
} requests[] = {
	{"nothing special", plain, "GET /a?b=c HTTP/1.1\r\nHost: a.internal\r\nAccept: */*\r\n\r\n",
		"GET /a?b=c HTTP/1.1\r\nHost: a.internal\r\nAccept: */*\r\n" FORWARDED("a.internal")
			TRACE VIA "\r\n"},
	{"what belongs to a connection", plain,
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
		"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nX-Stays: 1\r\n"
		"Proxy-Authorization: Basic eA==\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX-Stays: 1\r\n" FORWARDED("a") TRACE VIA "\r\n"},
	{"lies about the caller", plain,
		"GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n"
		"x-forwarded-proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n"
		"X-Real-IP: 6.6.6.6\r\nX-Forwarded-Client-Cert: evil\r\nX_Forwarded_For: 6.6.6.6\r\n"
		"X-Forwarded_For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nX_ReaL-iP: 6.6.6.6\r\n"
		"X.Forwarded.For: 6.6.6.6\r\nX~Real!IP: 6.6.6.6\r\n"
		"Content_Length: 5\r\nTransfer_Encoding: chunked\r\nX-Forwar: stays\r\n"
		"under_score: stays\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX-Forwar: stays\r\nunder_score: stays\r\n" FORWARDED(
			"a") TRACE VIA "\r\n"},
	{"a connection that names ours", plain,
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-for, via, forwarded\r\n"
		"X-Forwarded-For: 6.6.6.6\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" FORWARDED("a") TRACE VIA "\r\n"},
	{"a length", plain, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\n" FORWARDED("a") TRACE VIA
		"Content-Length: 5\r\n\r\n"},
	{"chunks, trailers, an expectation", plain,
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"
		"TE: trailers, gzip\r\nConnection: TE\r\nExpect: 100-continue\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\n" FORWARDED("a") TRACE VIA
		"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"
		"TE: trailers\r\nConnection: TE\r\n\r\n"},
	{"an upgrade", plain,
		"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Key: eA==\r\n\r\n",
		"GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: eA==\r\n" FORWARDED("a")
			TRACE VIA "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
	{"a trace that goes on", plain,
		"GET / HTTP/1.1\r\nHost: a\r\ntracestate: x=1\r\n"
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\ntracestate: x=1\r\n" FORWARDED(
			"a") "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n" VIA
			     "\r\n"},
	{"a trace that is none", plain,
		"GET / HTTP/1.1\r\nHost: a\r\ntracestate: x=1\r\ntraceparent: 00-0-0-01\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" FORWARDED("a") TRACE VIA "\r\n"},
	{"others before us", plain,
		"GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge, 1.1 meshgw-gw2\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge, 1.1 meshgw-gw2\r\n" FORWARDED("a")
			TRACE VIA "\r\n"},
	{"a prefix", strips, "GET /api/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /x?y HTTP/1.1\r\nHost: a\r\n" FORWARDED(
			"a") "X-Forwarded-Prefix: /api\r\n" TRACE VIA "\r\n"},
	{"nothing but the prefix", strips, "GET /api?y HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /?y HTTP/1.1\r\nHost: a\r\n" FORWARDED(
			"a") "X-Forwarded-Prefix: /api\r\n" TRACE VIA "\r\n"},
	{"the upstream's host", to_upstream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 10.0.1.50:3000\r\n" FORWARDED("a") TRACE VIA "\r\n"},
	{"a host by name", to_name, "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: app.example:81\r\n" FORWARDED("a:80") TRACE VIA "\r\n"},
	{"edits", edits,
		"GET / HTTP/1.1\r\nHost: a\r\nX-a: old\r\nX-SECRET: 1\r\nCookie: c\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n"
		"Forwarded: for=100.64.12.189;host=\"a\";proto=http\r\n"
		"X-Forwarded-For: 100.64.12.189\r\nX-Forwarded-Host: a\r\n" TRACE VIA
		"X-A: b\r\nX-Forwarded-Proto: https\r\n\r\n"},
	{"a token for us", tokens,
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" FORWARDED("a") TRACE VIA "\r\n"},
	{"a token for the service", plain,
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n" FORWARDED("a") TRACE VIA
		"\r\n"},
};

static void test_requests(void **)
{
	char out[4096];

	for (size_t i = 0; i < COUNT(requests); i++) {
		const struct bridge_config *c = config_of(requests[i].more);
		int n = forward(c, requests[i].in, "100.64.12.189", out, sizeof(out) - 1);
		assert_true(n > 0);
		out[n] = '\0';
		if (strcmp(out, requests[i].out) != 0)
			fail_msg("%s: expected\n%sgot\n%s", requests[i].name, requests[i].out, out);
		/* In a buffer that is too small nothing is written behind its end. */
		for (int size = 0; size < n; size++) {
			out[size] = '!';
			assert_int_equal(
				forward(c, requests[i].in, "100.64.12.189", out, (size_t)size),
				-ENOBUFS);
			assert_int_equal(out[size], '!');
		}
		bridge_config_unref(c);
	}
}

static void test_ipv6_caller(void **)
{
	const struct bridge_config *c = config_of(plain);
	char out[1024];

	int n = forward(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "2001:db8::bd", out, sizeof(out));
	out[n] = '\0';
	assert_non_null(strstr(out, "\r\nForwarded: for=\"[2001:db8::bd]\";host=\"a\";proto=http"));
	assert_non_null(strstr(out, "\r\nX-Forwarded-For: 2001:db8::bd\r\n"));
	bridge_config_unref(c);
}

static void test_loops(void **)
{
	static const struct {
		const char *via;
		bool loops;
	} cases[] = {
		{"1.1 meshgw-gw1", true},
		{"1.0 edge, 1.1 MESHGW-GW1 (x)", true},
		{"HTTP/1.1\tmeshgw-gw1", true},
		{"1.1 meshgw-gw11", false},
		{"1.1 meshgw", false},
		{"1.1 meshgw-", false},
		{"meshgw-gw1", false},
		{",,", false},
		{"", false},
	};
	const struct bridge_config *c = config_of(plain);
	char text[256], out[1024];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nVia: %s\r\n\r\n",
			cases[i].via);
		int n = forward(c, text, "100.64.12.189", out, sizeof(out));
		if ((n == -ELOOP) != cases[i].loops)
			fail_msg("%s: %d", cases[i].via, n);
	}
	bridge_config_unref(c);
}

static const struct {
	const char *name, *more, *in;
	enum forward_framing framing;
	enum forward_connection connection;
	const char *out;
} answers[] = {
	{"nothing special", plain,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\nConnection: close, X-Hop\r\n"
		"X-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\n",
		FORWARD_LENGTH, FORWARD_PERSISTENT,
		"HTTP/1.1 200 OK\r\nServer: x\r\nDate: now\r\n" VIA "Content-Length: 5\r\n\r\n"},
	{"chunks", plain,
		"HTTP/1.1 201 Cr\xc3\xa9\x65\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"
		"Date: then\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
		FORWARD_CHUNKED, FORWARD_CLOSE,
		"HTTP/1.1 201 Cr\xc3\xa9\x65\r\nDate: then\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n" VIA
		"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n"},
	{"to HTTP/1.0", plain, "HTTP/1.0 200 OK\r\nVia: 1.0 x\r\n\r\n", FORWARD_NO_BODY,
		FORWARD_KEEP_ALIVE,
		"HTTP/1.1 200 OK\r\nVia: 1.0 x\r\nDate: now\r\nVia: 1.0 meshgw-gw1\r\n"
		"Connection: keep-alive\r\n\r\n"},
	{"an upgrade", plain,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Accept: eA==\r\n\r\n",
		FORWARD_NO_BODY, FORWARD_UPGRADE,
		"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: eA==\r\nDate: now\r\n" VIA
		"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
	{"edits", edits,
		"HTTP/1.1 204 No Content\r\nserver: x\r\nX-Powered-By: y\r\nX-A: stays\r\n\r\n",
		FORWARD_NO_BODY, FORWARD_PERSISTENT,
		"HTTP/1.1 204 No Content\r\nX-A: stays\r\nDate: now\r\n" VIA
		"Server: hidden\r\n\r\n"},
};

static void test_answers(void **)
{
	char out[4096];

	for (size_t i = 0; i < COUNT(answers); i++) {
		const struct bridge_config *c = config_of(answers[i].more);
		struct http_answer in;
		read_answer(answers[i].in, &in);
		const struct forward_response response = {
			.status = (unsigned)in.status,
			.reason = in.reason,
			.reason_len = in.reason_len,
			.head = &in.head,
			.framing = answers[i].framing,
			.length = (uint64_t)in.head.length,
			.connection = answers[i].connection,
			.date = "now",
		};
		int n = forward_response_head(c, &c->routes[0], &response, out, sizeof(out) - 1);
		assert_true(n > 0);
		out[n] = '\0';
		if (strcmp(out, answers[i].out) != 0)
			fail_msg("%s: expected\n%sgot\n%s", answers[i].name, answers[i].out, out);
		assert_int_equal(
			forward_response_head(c, &c->routes[0], &response, out, (size_t)n - 1),
			-ENOBUFS);
		bridge_config_unref(c);
	}
}

static void test_traces(void **)
{
#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
	static const struct {
		const char *fields;
		bool made;
	} cases[] = {
		{"traceparent: 00-" ID "-00f067aa0ba902b7-01\r\n", false},
		{"traceparent: cc-" ID "-00f067aa0ba902b7-01\r\n", false},
		{"traceparent: cc-" ID "-00f067aa0ba902b7-01-more\r\n", false},
		{"traceparent: cc-" ID "-00f067aa0ba902b7-01more\r\n", true},
		{"traceparent: 00-" ID "-00f067aa0ba902b7-01-more\r\n", true},
		{"traceparent: ff-" ID "-00f067aa0ba902b7-01\r\n", true},
		{"traceparent: 00-" ID "-00f067aa0ba902b7-0\r\n", true},
		{"traceparent: 00-" ID "-0000000000000000-01\r\n", true},
		{"traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n", true},
		{"traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\r\n", true},
		{"traceparent: 00_" ID "-00f067aa0ba902b7-01\r\n", true},
		{"traceparent: 00-" ID "-00f067aa0ba902b7-01\r\n"
		 "traceparent: 00-" ID "-00f067aa0ba902b7-01\r\n",
			true},
		{"traceparent:\r\n", true},
		{"", true},
	};
	static const uint8_t zeros[FORWARD_TRACE_RANDOM];
	struct http_request in;
	struct forward_trace trace;
	char text[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(
			text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].fields);
		read_request(text, &in);
		forward_trace_read(&in.head, zeros, &trace);
		if (trace.made != cases[i].made)
			fail_msg("%s", cases[i].fields);
		assert_string_equal(
			trace.id, cases[i].made ? "00000000000000000000000000000001" : ID);
		assert_int_equal(strlen(trace.parent), 55);
	}
}

static void test_access(void **)
{
	static const struct {
		const char *more, *from, *fields;
		enum bridge_access want;
	} cases[] = {
		{plain, "100.64.12.189", "", BRIDGE_ALLOWED},
		{plain, "100.80.0.1", "", BRIDGE_WRONG_SOURCE},
		{plain, "2001:db8::1", "", BRIDGE_ALLOWED},
		{plain, "2001:db9::1", "", BRIDGE_WRONG_SOURCE},
		{tokens, "100.80.0.1", "Authorization: Bearer 0123456789abcdef\r\n",
			BRIDGE_WRONG_SOURCE},
		{tokens, "100.64.0.1", "", BRIDGE_TOKEN_MISSING},
		{tokens, "100.64.0.1", "Authorization: Basic eDp5\r\n", BRIDGE_TOKEN_MISSING},
		{tokens, "100.64.0.1", "Authorization: Bearer\r\n", BRIDGE_TOKEN_MISSING},
		{tokens, "100.64.0.1", "Authorization: Bearer 0123456789abcdef\r\n",
			BRIDGE_ALLOWED},
		{tokens, "100.64.0.1", "authorization: bEARER  fedcba9876543210==\r\n",
			BRIDGE_ALLOWED},
		{tokens, "100.64.0.1", "Authorization: Bearer 0123456789abcdee\r\n",
			BRIDGE_TOKEN_WRONG},
		{tokens, "100.64.0.1", "Authorization: Bearer 0123456789abcde\r\n",
			BRIDGE_TOKEN_WRONG},
		{tokens, "100.64.0.1", "Authorization: Bearer 0123456789abcdef0\r\n",
			BRIDGE_TOKEN_WRONG},
		{tokens, "100.64.0.1",
			"Authorization: Bearer 0123456789abcdef\r\n"
			"Authorization: Bearer 0123456789abcdef\r\n",
			BRIDGE_TOKEN_WRONG},
	};
	struct http_request in;
	struct addr peer;
	char text[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct bridge_config *c = config_of(cases[i].more);
		snprintf(
			text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].fields);
		read_request(text, &in);
		assert_int_equal(addr_parse(cases[i].from, &peer), 0);
		enum bridge_access got = bridge_access_check(&c->routes[0], &peer, &in.head);
		if (got != cases[i].want)
			fail_msg("%s %s: %d", cases[i].from, cases[i].fields, got);
		bridge_config_unref(c);
	}
}

static void test_known_sources(void **)
{
	const struct bridge_config *c = config_of(plain);
	struct addr a;

	assert_int_equal(addr_parse("100.64.0.1", &a), 0);
	assert_true(bridge_source_known(c, &a));
	assert_int_equal(addr_parse("10.0.1.1", &a), 0);
	assert_false(bridge_source_known(c, &a));
	assert_false(bridge_source_known(c, &(struct addr){}));
	bridge_config_unref(c);
}

/* Tokens beyond what any may have: none of them is read beyond its end, none is right. */
static void test_long_tokens(void **)
{
	const struct bridge_config *c = config_of(tokens);
	char text[1024] = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ";
	struct http_request in;

	for (size_t n = 250; n < 260; n++) {
		char *at = strstr(text, "Bearer ") + strlen("Bearer ");
		memset(at, 'x', n);
		snprintf(at + n, 8, "\r\n\r\n");
		read_request(text, &in);
		assert_int_equal(
			bridge_token_check(&c->routes[0].tokens, &in.head), BRIDGE_TOKEN_WRONG);
	}
	assert_int_equal(
		bridge_token_check(&(struct bridge_tokens){}, &in.head), BRIDGE_TOKEN_MISSING);
	bridge_config_unref(c);
}

static void test_peer(void **)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(4711)};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr none = {.sa_family = AF_UNIX};
	char shown[ADDR_STRLEN];
	uint16_t port;

	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.1.50", &sin6.sin6_addr), 1);
	struct addr a = bridge_peer((struct sockaddr *)&sin6, &port);
	assert_string_equal(addr_str(&a, shown), "10.0.1.50");
	assert_int_equal(port, 4711);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &sin6.sin6_addr), 1);
	a = bridge_peer((struct sockaddr *)&sin6, &port);
	assert_string_equal(addr_str(&a, shown), "2001:db8::1");
	assert_int_equal(inet_pton(AF_INET, "10.0.1.51", &sin.sin_addr), 1);
	a = bridge_peer((struct sockaddr *)&sin, &port);
	assert_string_equal(addr_str(&a, shown), "10.0.1.51");
	assert_int_equal(bridge_peer(&none, &port).family, AF_UNSPEC);
}

static void test_proxy_protocol(void **)
{
	static const uint8_t v4[] = {0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54,
		0x0a, 0x21, 0x11, 0, 12, 100, 64, 12, 189, 10, 0, 1, 50, 0x12, 0x67, 0, 80};
	struct addr a, b, c;
	uint8_t out[FORWARD_PROXY_MAX];

	assert_int_equal(addr_parse("100.64.12.189", &a), 0);
	assert_int_equal(addr_parse("10.0.1.50", &b), 0);
	assert_int_equal(addr_parse("2001:db8::1", &c), 0);
	assert_int_equal(forward_proxy_v2(&a, 4711, &b, 80, out), sizeof(v4));
	assert_memory_equal(out, v4, sizeof(v4));
	assert_int_equal(forward_proxy_v2(&c, 1, &c, 2, out), 52);
	assert_int_equal(out[13], 0x21);
	assert_int_equal(out[15], 36);
	assert_memory_equal(out + 16, c.b, 16);
	assert_memory_equal(out + 32, c.b, 16);
	assert_int_equal(forward_proxy_v2(&a, 1, &c, 2, out), 16);
	assert_int_equal(out[12], 0x20);
	assert_int_equal(out[15], 0);
}

static void test_texts(void **)
{
	static const struct {
		const char *text, *json, *quoted;
	} cases[] = {
		{"plain", "\"plain\"", "\"plain\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""},
		{"a\r\nb\t", "\"a\\u000d\\u000ab\\u0009\"", "\"a??b?\""},
		{"\x7f", "\"\\u007f\"", "\"?\""},
		{"caf\xc3\xa9", "\"caf\\u00e9\"", "\"caf??\""},
		{"\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"", "\"????\""},
		{"\xff", "\"\\ufffd\"", "\"?\""},
		{"\xc2\x9b", "\"\\u009b\"", "\"??\""},
		{"\xc0\xaf", "\"\\ufffd\\ufffd\"", "\"??\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "\"???\""},
		{"\xe2\x80", "\"\\ufffd\\ufffd\"", "\"??\""},
		{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", "\"????\""},
	};
	char out[128];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = {.at = out, .size = sizeof(out)};
		text_json(&t, cases[i].text, strlen(cases[i].text));
		assert_memory_equal(out, cases[i].json, t.len);
		assert_int_equal(t.len, strlen(cases[i].json));
		t.len = 0;
		text_quoted(&t, cases[i].text, strlen(cases[i].text));
		assert_int_equal(t.len, strlen(cases[i].quoted));
		assert_memory_equal(out, cases[i].quoted, t.len);
	}
	struct text t = {.at = out, .size = sizeof(out)};
	text_u64(&t, 0);
	text_u64(&t, UINT64_MAX);
	assert_int_equal(t.len, 21);
	assert_memory_equal(out, "018446744073709551615", t.len);
}

static void test_addresses(void **)
{
	static const char *const texts[] = {
		"0.0.0.0", "255.255.255.255", "100.64.12.189", "1.20.3.40", "2001:db8::1", "::"};
	char out[64];

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct text t = {.at = out, .size = sizeof(out)};
		struct addr a;
		assert_int_equal(addr_parse(texts[i], &a), 0);
		text_addr(&t, &a);
		assert_int_equal(t.len, strlen(texts[i]));
		assert_memory_equal(out, texts[i], t.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_ipv6_caller),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_known_sources),
		cmocka_unit_test(test_long_tokens),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_proxy_protocol),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
