/* SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"

void http_body_begin(struct http_body_state *b, const struct http_head *head)
{
	*b = (struct http_body_state){.kind = head->body};
	if (head->body == HTTP_BODY_LENGTH)
		b->left = (uint64_t)head->length;
	b->ended = head->body == HTTP_BODY_NONE || (head->body == HTTP_BODY_LENGTH && b->left == 0);
}

static ssize_t next_of_length(struct http_body_state *b, size_t len)
{
	size_t n = len < b->left ? len : (size_t)b->left;
	b->left -= n;
	b->ended = b->left == 0;
	return (ssize_t)n;
}

ssize_t http_body_next(
	struct http_body_state *b, const char *buf, size_t len, bool *is_data, enum http_fault *why)
{
	ssize_t n = (ssize_t)len;

	*is_data = true;
	if (b->ended)
		return 0;
	if (b->kind == HTTP_BODY_LENGTH)
		n = next_of_length(b, len);
	if (b->kind == HTTP_BODY_CHUNKED) {
		n = http_chunk_next(&b->chunk, buf, len, is_data, why);
		b->ended = http_chunk_ended(&b->chunk);
	}
	if (n > 0 && *is_data)
		b->data += (uint64_t)n;
	return n;
}

ssize_t http_body_scan(struct http_body_state *b, const char *buf, size_t len, enum http_fault *why)
{
	size_t used = 0;

	while (used < len && !b->ended) {
		bool is_data;
		ssize_t n = http_body_next(b, buf + used, len - used, &is_data, why);
		if (n < 0)
			return n;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

bool http_body_may_end(const struct http_body_state *b)
{
	return b->ended || b->kind == HTTP_BODY_CLOSE;
}
