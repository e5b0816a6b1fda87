/* SPDX-License-Identifier: Apache-2.0 */
#include "http/chunk.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

/* One byte of framing. Data never gets here. */
typedef enum http_fault step(struct http_chunk *c, unsigned char b);

static enum http_fault go(struct http_chunk *c, enum http_chunk_state state)
{
	c->state = state;
	return HTTP_FAULT_NONE;
}

/* field-vchar, SP, HTAB (RFC 9110 5.5), and what a quoted-string may hold beside its own marks. */
static bool is_text(unsigned char b)
{
	return b == '\t' || (b >= 0x20 && b != 0x7f);
}

/* Sizes. */

static enum http_fault step_size_first(struct http_chunk *c, unsigned char b)
{
	int value = http_hex_value(b);
	if (value < 0)
		return HTTP_FAULT_CHUNK_SIZE;
	c->left = (uint64_t)value;
	c->digits = 1;
	return go(c, HTTP_CHUNK_SIZE);
}

static enum http_fault step_size_end(struct http_chunk *c, unsigned char b, enum http_fault fault)
{
	if (b == ';')
		return go(c, HTTP_CHUNK_EXT_NAME_FIRST);
	return b == '\r' ? go(c, HTTP_CHUNK_SIZE_LF) : fault;
}

static enum http_fault step_size(struct http_chunk *c, unsigned char b)
{
	int value = http_hex_value(b);
	if (value < 0)
		return step_size_end(c, b, HTTP_FAULT_CHUNK_SIZE);
	if (++c->digits > 16 || c->left > INT64_MAX >> 4)
		return HTTP_FAULT_CHUNK_SIZE;
	c->left = c->left << 4 | (uint64_t)value;
	return HTTP_FAULT_NONE;
}

static enum http_fault step_size_lf(struct http_chunk *c, unsigned char b)
{
	if (b != '\n')
		return HTTP_FAULT_CHUNK_SIZE;
	return go(c, c->left ? HTTP_CHUNK_DATA : HTTP_CHUNK_LINE);
}

static enum http_fault step_data_cr(struct http_chunk *c, unsigned char b)
{
	return b == '\r' ? go(c, HTTP_CHUNK_DATA_LF) : HTTP_FAULT_CHUNK_END;
}

static enum http_fault step_data_lf(struct http_chunk *c, unsigned char b)
{
	return b == '\n' ? go(c, HTTP_CHUNK_SIZE_FIRST) : HTTP_FAULT_CHUNK_END;
}

/* Extensions: ";" token [ "=" ( token / quoted-string ) ]. */

static enum http_fault count_extension(struct http_chunk *c)
{
	return ++c->extensions > HTTP_EXTENSIONS_MAX ? HTTP_FAULT_CHUNK_EXTENSION : HTTP_FAULT_NONE;
}

static enum http_fault step_ext_name_first(struct http_chunk *c, unsigned char b)
{
	if (!http_is_token_char(b))
		return HTTP_FAULT_CHUNK_EXTENSION;
	go(c, HTTP_CHUNK_EXT_NAME);
	return count_extension(c);
}

static enum http_fault step_ext_name(struct http_chunk *c, unsigned char b)
{
	if (http_is_token_char(b))
		return count_extension(c);
	if (b == '=')
		return go(c, HTTP_CHUNK_EXT_VALUE_FIRST);
	return step_size_end(c, b, HTTP_FAULT_CHUNK_EXTENSION);
}

static enum http_fault step_ext_value_first(struct http_chunk *c, unsigned char b)
{
	if (b != '"' && !http_is_token_char(b))
		return HTTP_FAULT_CHUNK_EXTENSION;
	go(c, b == '"' ? HTTP_CHUNK_EXT_QUOTED : HTTP_CHUNK_EXT_VALUE);
	return count_extension(c);
}

static enum http_fault step_ext_value(struct http_chunk *c, unsigned char b)
{
	if (http_is_token_char(b))
		return count_extension(c);
	return step_size_end(c, b, HTTP_FAULT_CHUNK_EXTENSION);
}

static enum http_fault step_ext_quoted(struct http_chunk *c, unsigned char b)
{
	if (!is_text(b))
		return HTTP_FAULT_CHUNK_EXTENSION;
	if (b == '"')
		go(c, HTTP_CHUNK_EXT_AFTER);
	else if (b == '\\')
		go(c, HTTP_CHUNK_EXT_ESCAPED);
	return count_extension(c);
}

static enum http_fault step_ext_escaped(struct http_chunk *c, unsigned char b)
{
	if (!is_text(b))
		return HTTP_FAULT_CHUNK_EXTENSION;
	go(c, HTTP_CHUNK_EXT_QUOTED);
	return count_extension(c);
}

static enum http_fault step_ext_after(struct http_chunk *c, unsigned char b)
{
	return step_size_end(c, b, HTTP_FAULT_CHUNK_EXTENSION);
}

/* The trailer. */

static enum http_fault count_trailer(struct http_chunk *c)
{
	return ++c->trailer > HTTP_TRAILER_MAX ? HTTP_FAULT_TRAILER_SIZE : HTTP_FAULT_NONE;
}

static enum http_fault step_name(struct http_chunk *c, unsigned char b)
{
	if (http_is_token_char(b)) {
		if (c->name_len == HTTP_TRAILER_NAME_MAX)
			return HTTP_FAULT_TRAILER;
		c->name[c->name_len++] = (char)b;
		return count_trailer(c);
	}
	if (b != ':' || http_name_is_taken(c->name, c->name_len) ||
		(c->refuses && c->refuses(c->of, c->name, c->name_len)))
		return HTTP_FAULT_TRAILER;
	return go(c, HTTP_CHUNK_VALUE);
}

static enum http_fault step_line(struct http_chunk *c, unsigned char b)
{
	if (b == '\r')
		return go(c, HTTP_CHUNK_LAST_LF);
	if (!http_is_token_char(b))
		return HTTP_FAULT_TRAILER;
	c->name_len = 0;
	go(c, HTTP_CHUNK_NAME);
	return step_name(c, b);
}

static enum http_fault step_value(struct http_chunk *c, unsigned char b)
{
	if (b == '\r')
		return go(c, HTTP_CHUNK_VALUE_LF);
	return is_text(b) ? count_trailer(c) : HTTP_FAULT_TRAILER;
}

static enum http_fault step_value_lf(struct http_chunk *c, unsigned char b)
{
	return b == '\n' ? go(c, HTTP_CHUNK_LINE) : HTTP_FAULT_TRAILER;
}

static enum http_fault step_last_lf(struct http_chunk *c, unsigned char b)
{
	return b == '\n' ? go(c, HTTP_CHUNK_END) : HTTP_FAULT_TRAILER;
}

static step *const steps[HTTP_CHUNK_STATE_MAX] = {
	[HTTP_CHUNK_SIZE_FIRST] = step_size_first,
	[HTTP_CHUNK_SIZE] = step_size,
	[HTTP_CHUNK_EXT_NAME_FIRST] = step_ext_name_first,
	[HTTP_CHUNK_EXT_NAME] = step_ext_name,
	[HTTP_CHUNK_EXT_VALUE_FIRST] = step_ext_value_first,
	[HTTP_CHUNK_EXT_VALUE] = step_ext_value,
	[HTTP_CHUNK_EXT_QUOTED] = step_ext_quoted,
	[HTTP_CHUNK_EXT_ESCAPED] = step_ext_escaped,
	[HTTP_CHUNK_EXT_AFTER] = step_ext_after,
	[HTTP_CHUNK_SIZE_LF] = step_size_lf,
	[HTTP_CHUNK_DATA_CR] = step_data_cr,
	[HTTP_CHUNK_DATA_LF] = step_data_lf,
	[HTTP_CHUNK_LINE] = step_line,
	[HTTP_CHUNK_NAME] = step_name,
	[HTTP_CHUNK_VALUE] = step_value,
	[HTTP_CHUNK_VALUE_LF] = step_value_lf,
	[HTTP_CHUNK_LAST_LF] = step_last_lf,
};

static size_t take_data(struct http_chunk *c, size_t len)
{
	size_t n = len < c->left ? len : (size_t)c->left;
	c->left -= n;
	if (c->left == 0)
		c->state = HTTP_CHUNK_DATA_CR;
	return n;
}

ssize_t http_chunk_next(
	struct http_chunk *c, const char *buf, size_t len, bool *is_data, enum http_fault *why)
{
	assert(c->state < HTTP_CHUNK_STATE_MAX);
	*is_data = c->state == HTTP_CHUNK_DATA;
	if (*is_data)
		return (ssize_t)take_data(c, len);

	size_t n = 0;
	while (n < len && c->state != HTTP_CHUNK_DATA && c->state != HTTP_CHUNK_END) {
		enum http_fault fault = steps[c->state](c, (unsigned char)buf[n++]);
		if (fault != HTTP_FAULT_NONE) {
			*why = fault;
			return -EBADMSG;
		}
	}
	return (ssize_t)n;
}

ssize_t http_chunk_scan(struct http_chunk *c, const char *buf, size_t len, enum http_fault *why)
{
	size_t used = 0;

	while (used < len && !http_chunk_ended(c)) {
		bool is_data;
		ssize_t n = http_chunk_next(c, buf + used, len - used, &is_data, why);
		if (n < 0)
			return n;
		used += (size_t)n;
	}
	return (ssize_t)used;
}
