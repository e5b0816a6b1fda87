/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * head: the head of a request or of an answer, from its bytes to what it says.
 *
 * Reading is by picohttpparser, as libh2o exports it; what it is lenient about is refused here:
 * bare LF, obs-fold, names and values that a second reader could take otherwise, and every framing
 * but one Content-Length or one final "chunked" (RFC 9112 6). The head is read whole or not at all;
 * bytes may arrive in any pieces.
 *
 * A head points into the bytes that it was read from and owns nothing: it is gone when they move.
 * Nothing here knows a socket or a clock, and nothing says what to do with the message.
 */
#include "http/fault.h"
#include "http/name.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

constexpr size_t HTTP_FIELDS_MAX = 100;
constexpr size_t HTTP_CONNECTION_MAX = 1024; /* bytes: all of it is read for every field */

/* As picohttpparser's struct phr_header is laid out. A value carries no blanks around it. */
struct http_field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

enum http_body : uint8_t {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,  /* head.length bytes, may be 0 */
	HTTP_BODY_CHUNKED, /* http/chunk.h */
	HTTP_BODY_CLOSE,   /* answers only: until the connection ends */
};

enum http_method : uint8_t {
	HTTP_METHOD_OTHER,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_PATCH,
};

/* What requests and answers have in common. */
struct http_head {
	uint8_t minor; /* HTTP/1.minor, 0 or 1 */
	enum http_body body;
	bool persistent; /* the sender takes another message on this connection */
	bool upgrade;    /* Connection names it and Upgrade says websocket, nothing else */
	bool nominates;  /* Connection names other fields: http_head_nominates() */
	/* Of the body. In an answer without one it is what a body would have had, or -1. */
	int64_t length;
	size_t n;
	struct http_field fields[HTTP_FIELDS_MAX];
	enum http_name names[HTTP_FIELDS_MAX];
};

struct http_request {
	struct http_head head;
	enum http_method method;
	bool idempotent; /* RFC 9110 9.2.2: it may be sent a second time */
	bool expects_continue;
	bool limited;  /* OPTIONS that says so, */
	uint32_t hops; /* may be sent on so many times (Max-Forwards, RFC 9110 7.6.2) */
	const char *method_text;
	size_t method_len;
	const char *target; /* as sent; http/target.h reads it */
	size_t target_len;
	const char *host; /* the Host field as it came; http/target.h reads it */
	size_t host_len;
};

struct http_answer {
	struct http_head head;
	int status; /* 100..599 */
	const char *reason;
	size_t reason_len;
};

/*
 * Reads a head from the beginning of buf. last_len is how many of these bytes an earlier call has
 * seen in vain, 0 at first. Returns the head's length; -EAGAIN while it is incomplete; -EBADMSG
 * with *why when it is refused. *out is undefined unless a length is returned. How many bytes an
 * incomplete head may have is the caller's to limit.
 */
[[nodiscard]] ssize_t http_request_read(const char *buf, size_t len, size_t last_len,
	struct http_request *out, enum http_fault *why);
/* The same for an answer to a request of this method; upgrade: that it asked to upgrade. */
[[nodiscard]] ssize_t http_answer_read(const char *buf, size_t len, size_t last_len,
	enum http_method method, bool upgrade, struct http_answer *out, enum http_fault *why);

/* Does Connection name this field, so that it ends here? Framing fields are not asked for. */
bool http_head_nominates(const struct http_head *head, const struct http_field *field);
/* The first field of the name; nullptr if there is none. */
const struct http_field *http_head_find(const struct http_head *head, enum http_name name);
