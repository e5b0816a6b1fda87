/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bridge_config: bytes as what meshgwd sends to the bridge. What is taken must be a
 * configuration whose routes find themselves, and from which nothing can be written that is more
 * than one head.
 */
#include "http/head.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/forward.h"
#include "route/match.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request_text[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

/* A request for it takes it, or a longer one of the same host. */
static void check_finds_itself(const struct bridge_config *c, const struct bridge_route *route)
{
	char host[512];
	bool wild = route->host[0] == '*';

	snprintf(host, sizeof(host), "%s%s", wild ? "0" : "", route->host + (wild ? 1 : 0));
	const struct bridge_route *found = bridge_route_match(
		c, host, strlen(host), route->path, route->path_len);
	if (wild && (!found || strcmp(found->host, route->host) != 0))
		return; /* a more specific host takes it */
	assert(found == route);
}

static void check_heads(const struct bridge_config *c, const struct bridge_route *route)
{
	static char out[1 << 20];
	static const uint8_t random[FORWARD_TRACE_RANDOM];
	struct http_request in, again;
	struct http_answer answer;
	enum http_fault why;
	struct forward_trace trace;
	struct addr peer = {.family = AF_INET};

	assert(http_request_read(request_text, sizeof(request_text) - 1, 0, &in, &why) > 0);
	forward_trace_read(&in.head, random, &trace);
	const struct forward_request request = {
		.method = "GET",
		.method_len = 3,
		.path = route->path,
		.path_len = route->path_len,
		.query = "",
		.host = "a",
		.host_len = 1,
		.head = &in.head,
		.peer = &peer,
		.trace = &trace,
	};
	for (size_t i = 0; i < route->n_upstreams; i++) {
		int n = forward_request_head(
			c, route, route->upstreams[i], &request, out, sizeof(out));
		assert(n > 0 && http_request_read(out, (size_t)n, 0, &again, &why) == n);
		assert(again.head.body == HTTP_BODY_NONE && again.head.persistent);
	}
	const struct forward_response response = {.status = 200,
		.reason = "OK",
		.reason_len = 2,
		.head = &in.head,
		.framing = FORWARD_LENGTH};
	int n = forward_response_head(c, route, &response, out, sizeof(out));
	assert(n > 0);
	assert(http_answer_read(out, (size_t)n, 0, HTTP_METHOD_GET, false, &answer, &why) == n);
	assert(answer.head.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xcalloc(1, size + 1);
	autojson sd_json_variant *json = nullptr;
	const struct bridge_config *c = nullptr;
	struct err err = {};

	if (size)
		memcpy(text, data, size);
	if (sd_json_parse(text, 0, &json, nullptr, nullptr) < 0)
		return 0;
	if (bridge_config_from_json(json, &c, &err) < 0) {
		assert(err.msg[0] && !c);
		return 0;
	}
	for (size_t i = 0; i < c->n_upstreams; i++)
		assert(bridge_config_same_upstream(c, &c->upstreams[i]) == &c->upstreams[i]);
	for (size_t i = 0; i < c->n_routes; i++) {
		check_finds_itself(c, &c->routes[i]);
		check_heads(c, &c->routes[i]);
	}
	bridge_config_unref(c);
	return 0;
}
