/* SPDX-License-Identifier: Apache-2.0 */
#include "route/forward_write.h"
#include <errno.h>
#include <stdio.h>

/* Fields of a request that are the bridge's own to write, or meant for it. */
static const bool is_replaced[HTTP_NAME_MAX] = {
	[HTTP_NAME_EXPECT] = true,
	[HTTP_NAME_FORWARDED] = true,
	[HTTP_NAME_HOST] = true,
	[HTTP_NAME_TRACEPARENT] = true,
	[HTTP_NAME_X_FORWARDED_FOR] = true,
	[HTTP_NAME_X_FORWARDED_HOST] = true,
	[HTTP_NAME_X_FORWARDED_PORT] = true,
	[HTTP_NAME_X_FORWARDED_PROTO] = true,
	[HTTP_NAME_X_REAL_IP] = true,
};

static bool passes(const struct forward_writer *w, const struct forward_request *request,
	const struct bridge_route *route, size_t i)
{
	enum http_name name = request->head->names[i];

	if (is_replaced[name] || !forward_passes(w, i))
		return false;
	if (name == HTTP_NAME_MAX_FORWARDS && request->limited)
		return false;
	if (name == HTTP_NAME_OTHER) {
		const struct http_field *f = &request->head->fields[i];
		return !http_name_is_taken(f->name, f->name_len);
	}
	/* The token was for the bridge, and the trace's state belongs to its parent. */
	return !(name == HTTP_NAME_AUTHORIZATION && route->tokens.n) &&
	       !(name == HTTP_NAME_TRACESTATE && request->trace->made);
}

static void put_fields(struct forward_writer *w, const struct forward_request *request,
	const struct bridge_route *route)
{
	for (size_t i = 0; i < request->head->n; i++) {
		const struct http_field *f = &request->head->fields[i];
		if (passes(w, request, route, i))
			forward_put(w, f->name, f->name_len, f->value, f->value_len);
	}
}

/* Calls each() with every element of a comma-separated list, without blanks around it, until it
 * says true. Quoted strings may hold commas; none of the lists that are read here has any that
 * would be mistaken for what is looked for. */
static bool list_any(const struct http_field *f,
	bool (*each)(const char *at, size_t len, const void *of), const void *of)
{
	const char *at = f->value, *end = f->value + f->value_len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		const char *first = at, *last = stop;
		while (first < last && (*first == ' ' || *first == '\t'))
			first++;
		while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (each(first, (size_t)(last - first), of))
			return true;
		at = stop + 1;
	}
	return false;
}

static bool is_trailers(const char *at, size_t len, const void *)
{
	return http_text_equal(at, len, "trailers", 8);
}

static size_t blanks(const char *at, size_t len, bool skipped)
{
	size_t n = 0;

	while (n < len && (at[n] == ' ' || at[n] == '\t') == skipped)
		n++;
	return n;
}

/* "1.1 meshgw-gw1", "HTTP/1.1 meshgw-gw1 (comment)" */
static bool is_own_via(const char *at, size_t len, const void *of)
{
	static const char ours[] = "meshgw-";
	const struct bridge_config *c = of;
	size_t node = strlen(c->node);
	size_t name = blanks(at, len, false); /* behind the protocol */
	size_t prefix = node ? sizeof(ours) - 1 : sizeof(ours) - 2;

	name += blanks(at + name, len - name, true);
	size_t n = blanks(at + name, len - name, false);
	return n == prefix + node && http_text_equal(at + name, prefix, ours, prefix) &&
	       http_text_equal(at + name + prefix, node, c->node, node);
}

static bool is_loop(const struct bridge_config *c, const struct http_head *head)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->names[i] == HTTP_NAME_VIA && list_any(&head->fields[i], is_own_via, c))
			return true;
	return false;
}

static bool takes_trailers(const struct http_head *head)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->names[i] == HTTP_NAME_TE &&
			list_any(&head->fields[i], is_trailers, nullptr))
			return true;
	return false;
}

static bool strips(const struct bridge_route *route, const struct forward_request *request)
{
	return route->strip_prefix && route->path_len > 1 && request->path[0] == '/';
}

static void put_line(struct forward_writer *w, const struct bridge_route *route,
	const struct forward_request *request)
{
	size_t prefix = strips(route, request) ? route->path_len : 0;

	text_add(&w->text, request->method, request->method_len);
	FORWARD_LITERAL(w, " ");
	if (prefix == request->path_len)
		FORWARD_LITERAL(w, "/");
	text_add(&w->text, request->path + prefix, request->path_len - prefix);
	text_add(&w->text, request->query, request->query_len);
	FORWARD_LITERAL(w, " HTTP/1.1\r\n");
}

static void put_host(struct forward_writer *w, const struct bridge_route *route,
	const struct bridge_upstream *upstream, const struct forward_request *request)
{
	if (route->host_policy == BRIDGE_HOST_NAME)
		forward_put(w, "Host", 4, route->host_name, strlen(route->host_name));
	else if (route->host_policy == BRIDGE_HOST_UPSTREAM || !request->host_len)
		forward_put(w, "Host", 4, upstream->authority, strlen(upstream->authority));
	else
		forward_put(w, "Host", 4, request->host, request->host_len);
}

/* RFC 7239. */
static void put_forwarded(struct forward_writer *w, const struct forward_request *request)
{
	bool quoted = request->peer->family == AF_INET6;

	if (forward_is_edited(w, "Forwarded", 9))
		return;
	FORWARD_LITERAL(w, "Forwarded: for=");
	text_str(&w->text, quoted ? "\"[" : "");
	text_addr(&w->text, request->peer);
	text_str(&w->text, quoted ? "]\"" : "");
	if (request->host_len) {
		FORWARD_LITERAL(w, ";host=");
		text_quoted(&w->text, request->host, request->host_len);
	}
	FORWARD_LITERAL(w, ";proto=http\r\n");
}

/* Who called, from what is true. */
static void put_caller(struct forward_writer *w, const struct bridge_route *route,
	const struct forward_request *request)
{
	put_forwarded(w, request);
	if (!forward_is_edited(w, "X-Forwarded-For", 15)) {
		FORWARD_LITERAL(w, "X-Forwarded-For: ");
		text_addr(&w->text, request->peer);
		FORWARD_LITERAL(w, "\r\n");
	}
	forward_put_own(w, "X-Forwarded-Proto", "http", 4);
	if (request->host_len)
		forward_put_own(w, "X-Forwarded-Host", request->host, request->host_len);
	if (strips(route, request))
		forward_put_own(w, "X-Forwarded-Prefix", route->path, route->path_len);
}

static void put_hops(struct forward_writer *w, const struct forward_request *request)
{
	char hops[16];

	if (!request->limited)
		return;
	int n = snprintf(hops, sizeof(hops), "%u", request->hops);
	forward_put_own(w, "Max-Forwards", hops, (size_t)n);
}

int forward_request_head(const struct bridge_config *c, const struct bridge_route *route,
	const struct bridge_upstream *upstream, const struct forward_request *request, char *out,
	size_t size)
{
	struct forward_writer w = {.text = {.at = out, .size = size},
		.config = c,
		.edit = &route->request,
		.head = request->head};

	if (is_loop(c, request->head))
		return -ELOOP;
	put_line(&w, route, request);
	put_host(&w, route, upstream, request);
	put_fields(&w, request, route);
	put_caller(&w, route, request);
	forward_put_own(&w, "traceparent", request->trace->parent, strlen(request->trace->parent));
	put_hops(&w, request);
	forward_put_via(&w);
	forward_put_set(&w);
	if (request->expects_continue)
		FORWARD_LITERAL(&w, "Expect: 100-continue\r\n");
	forward_put_framing(&w, request->framing, request->length);
	forward_put_connection(&w, request->connection, takes_trailers(request->head));
	return forward_finish(&w);
}
