/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bridge_forward: bytes as the head of a request, or of an answer. What is taken and sent on
 * must be read again as the same message: a request with one Host, and without anything that says
 * who called but what we say.
 */
#include "http/head.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/access.h"
#include "route/forward.h"
#include "route/match.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
	"{\"node\":\"gw1\",\"routes\":[{\"host\":\"*\",\"upstreams\":[{\"scheme\":\"http\","
	"\"host\":\"10.0.1.50\",\"port\":3000}],\"tokens\":[\"0123456789abcdef\"],"
	"\"sources\":[\"100.64.0.0/12\"],"
	"\"requestHeaders\":{\"set\":[[\"X-A\",\"b\"]],\"remove\":[\"X-B\"]}}]}";

static const struct bridge_config *some_config(void)
{
	static const struct bridge_config *c;
	autojson sd_json_variant *json = nullptr;

	if (!c) {
		assert(sd_json_parse(config_text, 0, &json, nullptr, nullptr) >= 0);
		assert(bridge_config_from_json(json, &c, nullptr) == 0);
	}
	return c;
}

static size_t count(const struct http_head *head, enum http_name name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->n; i++)
		n += head->names[i] == name;
	return n;
}

static void check_again(const struct http_request *in, const struct http_request *again)
{
	static const enum http_name once[] = {HTTP_NAME_FORWARDED, HTTP_NAME_X_FORWARDED_FOR,
		HTTP_NAME_X_FORWARDED_HOST, HTTP_NAME_X_FORWARDED_PROTO, HTTP_NAME_TRACEPARENT};
	static const enum http_name never[] = {HTTP_NAME_X_REAL_IP, HTTP_NAME_X_FORWARDED_PORT,
		HTTP_NAME_AUTHORIZATION, HTTP_NAME_PROXY_AUTHORIZATION, HTTP_NAME_KEEP_ALIVE,
		HTTP_NAME_PROXY_CONNECTION, HTTP_NAME_HTTP2_SETTINGS};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		assert(count(&again->head, once[i]) == 1);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert(count(&again->head, never[i]) == 0);
	assert(http_head_find(&again->head, HTTP_NAME_X_FORWARDED_FOR)->value_len == 13);
	assert(count(&again->head, HTTP_NAME_VIA) >= 1);
	assert(again->method_len == in->method_len &&
		memcmp(again->method_text, in->method_text, in->method_len) == 0);
	assert(again->head.body == in->head.body && again->head.length == in->head.length);
	assert(again->head.upgrade == in->head.upgrade);
}

static void answer_again(const struct bridge_config *c, const char *text, size_t size)
{
	static char out[1 << 20];
	struct http_answer in, again;
	enum http_fault why;

	if (http_answer_read(text, size, 0, HTTP_METHOD_GET, true, &in, &why) < 0 ||
		in.head.n > HTTP_FIELDS_MAX - 8)
		return;
	const struct forward_response response = {
		.status = (unsigned)in.status,
		.reason = in.reason,
		.reason_len = in.reason_len,
		.head = &in.head,
		.framing = in.head.body == HTTP_BODY_CHUNKED  ? FORWARD_CHUNKED
			   : in.head.body == HTTP_BODY_LENGTH ? FORWARD_LENGTH
							      : FORWARD_NO_BODY,
		.length = (uint64_t)in.head.length,
		.connection = in.head.upgrade ? FORWARD_UPGRADE : FORWARD_PERSISTENT,
		.date = "now",
	};
	int n = forward_response_head(c, &c->routes[0], &response, out, sizeof(out));
	assert(n > 0);
	assert(http_answer_read(out, (size_t)n, 0, HTTP_METHOD_GET, true, &again, &why) == n);
	assert(again.status == in.status && again.head.body == in.head.body);
	assert(again.reason_len == in.reason_len &&
		memcmp(again.reason, in.reason, in.reason_len) == 0);
	assert(count(&again.head, HTTP_NAME_SET_COOKIE) <= count(&in.head, HTTP_NAME_SET_COOKIE));
	assert(count(&again.head, HTTP_NAME_DATE) >= 1);
	assert(count(&again.head, HTTP_NAME_KEEP_ALIVE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[1 << 20];
	static const uint8_t random[FORWARD_TRACE_RANDOM];
	const struct bridge_config *c = some_config();
	autofree char *text = xcalloc(1, size + 1); /* so that reading beyond it is seen */
	struct http_request in, again;
	enum http_fault why;
	struct forward_trace trace;
	struct addr peer;

	if (size)
		memcpy(text, data, size);
	answer_again(c, text, size);
	if (http_request_read(text, size, 0, &in, &why) < 0)
		return 0;
	assert(addr_parse("100.64.12.189", &peer) == 0);
	(void)bridge_access_check(&c->routes[0], &peer, &in.head);
	(void)bridge_route_match(c, in.host, in.host_len, in.target, in.target_len);
	forward_trace_read(&in.head, random, &trace);
	const struct forward_request request = {
		.method = in.method_text,
		.method_len = in.method_len,
		.path = "/",
		.path_len = 1,
		.query = "",
		.host = "a",
		.host_len = 1,
		.head = &in.head,
		.peer = &peer,
		.trace = &trace,
		.framing = in.head.body == HTTP_BODY_CHUNKED  ? FORWARD_CHUNKED
			   : in.head.body == HTTP_BODY_LENGTH ? FORWARD_LENGTH
							      : FORWARD_NO_BODY,
		.length = (uint64_t)in.head.length,
		.connection = in.head.upgrade ? FORWARD_UPGRADE : FORWARD_PERSISTENT,
		.expects_continue = in.expects_continue,
		.limited = in.limited,
		.hops = in.hops,
	};
	int n = forward_request_head(
		c, &c->routes[0], c->routes[0].upstreams[0], &request, out, sizeof(out));
	if (n == -ELOOP || in.head.n > HTTP_FIELDS_MAX - 16)
		return 0;
	assert(n > 0 && http_request_read(out, (size_t)n, 0, &again, &why) == n);
	check_again(&in, &again);
	assert(again.limited == in.limited && again.hops == in.hops);
	return 0;
}
