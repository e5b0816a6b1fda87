/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * body: which bytes belong to a message's body, whatever frames it.
 */
#include "http/chunk.h"
#include "http/head.h"

struct http_body_state {
	enum http_body kind;
	bool ended;
	uint64_t left; /* of HTTP_BODY_LENGTH */
	uint64_t data; /* bytes of data so far, without framing */
	struct http_chunk chunk;
};

void http_body_begin(struct http_body_state *b, const struct http_head *head);
/* Takes one run of bytes from the beginning of buf, data or framing: how many, 0 at the end of the
 * body or of buf, -EBADMSG with *why. */
[[nodiscard]] ssize_t http_body_next(struct http_body_state *b, const char *buf, size_t len,
	bool *is_data, enum http_fault *why);
/* All runs of buf; how many bytes belong to the body, or -EBADMSG. */
[[nodiscard]] ssize_t http_body_scan(
	struct http_body_state *b, const char *buf, size_t len, enum http_fault *why);
/* The connection has ended: does that end the body as it should? */
bool http_body_may_end(const struct http_body_state *b);
