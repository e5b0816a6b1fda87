/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceparent, W3C Trace Context: version "-" trace-id "-" parent-id "-" flags, lower-case hex.
 */
#include "http/head.h"
#include "route/forward.h"
#include <string.h>

constexpr size_t PARENT_LEN = 55;
constexpr size_t TRACE_AT = 3;
constexpr size_t TRACE_LEN = 32;
constexpr size_t SPAN_AT = 36;
constexpr size_t SPAN_LEN = 16;
constexpr size_t FLAGS_AT = 53;

static bool is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '0')
			return false;
	return true;
}

/* Of a later version only the beginning is known (4 of the recommendation's 3.2.4); it goes on with
 * a hyphen or not at all. */
static bool is_valid(const struct http_field *f)
{
	const char *v = f->value;

	if (f->value_len < PARENT_LEN || !is_hex(v, 2) || memcmp(v, "ff", 2) == 0)
		return false;
	bool first = memcmp(v, "00", 2) == 0;
	if (f->value_len > PARENT_LEN && (first || v[PARENT_LEN] != '-'))
		return false;
	return v[2] == '-' && is_hex(v + TRACE_AT, TRACE_LEN) &&
	       !is_zero(v + TRACE_AT, TRACE_LEN) && v[SPAN_AT - 1] == '-' &&
	       is_hex(v + SPAN_AT, SPAN_LEN) && !is_zero(v + SPAN_AT, SPAN_LEN) &&
	       v[FLAGS_AT - 1] == '-' && is_hex(v + FLAGS_AT, 2);
}

static void put_hex(char *at, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 0xf];
	}
}

static void trace_make(const uint8_t *random, struct forward_trace *out)
{
	memcpy(out->parent, "00-", 3);
	put_hex(out->parent + TRACE_AT, random, TRACE_LEN / 2);
	out->parent[SPAN_AT - 1] = '-';
	put_hex(out->parent + SPAN_AT, random + TRACE_LEN / 2, SPAN_LEN / 2);
	memcpy(out->parent + FLAGS_AT - 1, "-00", 3);
	/* All zeros would be invalid. */
	out->parent[TRACE_AT + TRACE_LEN - 1] |= 1;
	out->parent[SPAN_AT + SPAN_LEN - 1] |= 1;
}

void forward_trace_read(const struct http_head *head,
	const uint8_t random[static FORWARD_TRACE_RANDOM], struct forward_trace *out)
{
	const struct http_field *found = nullptr;
	size_t n = 0;

	for (size_t i = 0; i < head->n; i++) {
		if (head->names[i] != HTTP_NAME_TRACEPARENT)
			continue;
		found = &head->fields[i];
		n++;
	}
	*out = (struct forward_trace){.made = n != 1 || !is_valid(found)};
	if (out->made)
		trace_make(random, out);
	else
		memcpy(out->parent, found->value, PARENT_LEN);
	memcpy(out->id, out->parent + TRACE_AT, TRACE_LEN);
}
