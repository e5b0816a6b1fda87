/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * target: what a request asks for, in one spelling.
 *
 * Routes are matched and upstreams are asked by the same text, the normal form: escapes of
 * unreserved characters undone, the others in upper case, runs of slashes made one (RFC 3986
 * 6.2.2). What upstreams are known to read in several ways is refused instead: dot segments,
 * escaped or plain; escaped slashes; backslashes; escaped controls. So a path cannot mean one thing
 * to the route and another to the service.
 *
 * The query passes as it came. A fragment is no part of a target.
 */
#include "http/head.h"

/* host[:port] as in the Host field: a name, an IPv4 address, or an IPv6 address in brackets. */
struct http_authority {
	const char *host; /* without brackets and port, as it was written */
	size_t host_len;
	uint16_t port; /* 0 = none was given */
};

struct http_target {
	const char *path; /* normal form, begins with a slash; "*" of OPTIONS */
	size_t path_len;
	const char *query; /* with its "?"; "" */
	size_t query_len;
	struct http_authority authority; /* from Host */
};

[[nodiscard]] int http_authority_read(const char *text, size_t len, struct http_authority *out);

/*
 * Origin form, absolute form (http and https) whose authority says the same as Host, and the
 * asterisk of OPTIONS. scratch is at least as long as the request's target: the normal form is
 * written there if it differs. *out points into the request and scratch. 0, or -EBADMSG with *why.
 */
[[nodiscard]] int http_target_read(const struct http_request *request, char *scratch,
	struct http_target *out, enum http_fault *why);
