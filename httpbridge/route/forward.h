/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * forward: the heads that the bridge sends on, in both directions.
 *
 * Removed: what belongs to one connection (RFC 9110, 7.6.1: Connection and all that it lists,
 * Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade, credentials for proxies), and
 * everything that says who called: Forwarded, X-Forwarded-*, X-Real-IP, also with a dot or an
 * underscore for a hyphen, which many programs read as the same; and so with what the route sets or
 * removes. Those are set from the true peer. Host,
 * Content-Length and Transfer-Encoding are written from values, never copied: the caller decides
 * the framing, after it has read the message strictly.
 *
 * The fields that come in have been checked by http/head.h: names are tokens and values hold no CR,
 * LF or NUL. That is not looked at again here.
 *
 * It knows neither time nor randomness: both are given.
 */
#include "route/config.h"

struct http_head;

enum forward_framing {
	FORWARD_NO_BODY, /* no field about it */
	FORWARD_LENGTH,  /* Content-Length: length */
	FORWARD_CHUNKED, /* Transfer-Encoding: chunked, and Trailer as it came */
};

enum forward_connection {
	FORWARD_PERSISTENT, /* no field about it: the default of HTTP/1.1 */
	FORWARD_KEEP_ALIVE, /* for a client of HTTP/1.0 */
	FORWARD_CLOSE,
	FORWARD_UPGRADE, /* Connection: upgrade, and Upgrade as it came */
};

/* traceparent of W3C Trace Context: passed on when it is valid, else made. */
struct forward_trace {
	char parent[56]; /* the field's value, if it has 55 characters */
	char id[33];     /* trace-id: the request's id in the log */
	bool made;       /* no valid one came: a tracestate beside it is dropped */
};
constexpr size_t FORWARD_TRACE_RANDOM = 24;
void forward_trace_read(const struct http_head *head,
	const uint8_t random[static FORWARD_TRACE_RANDOM], struct forward_trace *out);

struct forward_request {
	const char *method;
	size_t method_len;
	const char *path; /* in normal form (http/target.h); "*" for OPTIONS */
	size_t path_len;
	const char *query; /* with its question mark; "" */
	size_t query_len;
	const char *host; /* as asked for, with its port; empty for HTTP/1.0 without one */
	size_t host_len;
	const struct http_head *head;
	const struct addr *peer;
	const struct forward_trace *trace;
	enum forward_framing framing;
	uint64_t length;
	enum forward_connection connection;
	bool expects_continue; /* the upstream is to say 100 (Continue) */
	bool limited;          /* Max-Forwards is hops, instead of what came */
	uint32_t hops;
};

/* The head to the upstream with the empty line at its end. Returns its length; -ENOBUFS when it
 * does not fit, -ELOOP when Via shows that this bridge has sent it before. */
[[nodiscard]] int forward_request_head(const struct bridge_config *c,
	const struct bridge_route *route, const struct bridge_upstream *upstream,
	const struct forward_request *request, char *out, size_t size);

/* Does the route set or remove this field, or one that it may be taken for? */
bool forward_edits(const struct bridge_edit *edit, const char *name, size_t len);

struct forward_response {
	unsigned status;
	const char *reason;
	size_t reason_len;
	const struct http_head *head;
	enum forward_framing framing;
	uint64_t length;
	enum forward_connection connection;
	const char *date; /* put in when the answer has none (RFC 9110, 6.6.1); nullptr = don't */
};

/* The head to the caller. Returns its length or -ENOBUFS. */
[[nodiscard]] int forward_response_head(const struct bridge_config *c,
	const struct bridge_route *route, const struct forward_response *response, char *out,
	size_t size);

/* PROXY protocol, version 2: the connection's true ends, in front of its first byte. Both addresses
 * of one family, or it says LOCAL. Returns the length, at most FORWARD_PROXY_MAX. */
constexpr size_t FORWARD_PROXY_MAX = 52;
size_t forward_proxy_v2(const struct addr *peer, uint16_t peer_port, const struct addr *local,
	uint16_t local_port, uint8_t out[static FORWARD_PROXY_MAX]);
