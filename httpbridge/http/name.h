/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * name: the field names that mean something to a gateway.
 *
 * What a gateway reads, writes or takes out is known by a number, so that nobody compares texts
 * twice. All others are HTTP_NAME_OTHER and pass. No name known here may come in a trailer: each
 * one frames, routes, authenticates or says who called, and is decided before the body.
 */
#include <stddef.h>
#include <stdint.h>

enum http_name : uint8_t {
	HTTP_NAME_OTHER,
	HTTP_NAME_AUTHORIZATION,
	HTTP_NAME_CONNECTION,
	HTTP_NAME_CONTENT_LENGTH,
	HTTP_NAME_COOKIE,
	HTTP_NAME_DATE,
	HTTP_NAME_EXPECT,
	HTTP_NAME_FORWARDED,
	HTTP_NAME_HOST,
	HTTP_NAME_HTTP2_SETTINGS,
	HTTP_NAME_KEEP_ALIVE,
	HTTP_NAME_MAX_FORWARDS,
	HTTP_NAME_PROXY_AUTHENTICATE,
	HTTP_NAME_PROXY_AUTHORIZATION,
	HTTP_NAME_PROXY_CONNECTION,
	HTTP_NAME_PROXY_STATUS,
	HTTP_NAME_SET_COOKIE,
	HTTP_NAME_TE,
	HTTP_NAME_TRACEPARENT,
	HTTP_NAME_TRACESTATE,
	HTTP_NAME_TRAILER,
	HTTP_NAME_TRANSFER_ENCODING,
	HTTP_NAME_UPGRADE,
	HTTP_NAME_VIA,
	HTTP_NAME_X_FORWARDED_FOR,
	HTTP_NAME_X_FORWARDED_HOST,
	HTTP_NAME_X_FORWARDED_PORT,
	HTTP_NAME_X_FORWARDED_PROTO,
	HTTP_NAME_X_REAL_IP,
	HTTP_NAME_MAX
};

constexpr size_t HTTP_NAME_LEN = 24; /* no known name is longer */

/* In any case of letters. */
enum http_name http_name_find(const char *name, size_t len);
/* As it is written, "Content-Length"; "" for HTTP_NAME_OTHER. */
const char *http_name_str(enum http_name name);

/* Programs that keep of a name only its letters and digits (RFC 3875 4.1.18: HTTP_X_REAL_IP) take
 * one name for another. These ask whether they would: for each other, in any case of letters; for
 * one that is known here, or for any X-Forwarded- at all. */
bool http_name_alike(const char *a, size_t a_len, const char *b, size_t b_len);
bool http_name_is_taken(const char *name, size_t len);

/* ASCII only, whatever the locale is. */
bool http_text_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* May c be part of a token (RFC 9110 5.6.2)? */
bool http_is_token_char(unsigned char c);
bool http_is_token(const char *text, size_t len);

/* 0 to 15, -1 if it is no hexadecimal digit. */
int http_hex_value(unsigned char c);
